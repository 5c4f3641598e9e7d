"""The launch, week by week.

Cycle times, defects and failures of the guest fall along Wright's curve (Wright 1936: each doubling of what was built
leaves the same share). The plan simulates every week, see ``launch``; here are the curve, the weeks, and a reckoning
for draws: in every week the plant can do what its tightest shop can do alone, times one efficiency, the share of that
figure which the simulation of the launched plant reached in spite of starving, blocking and failures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.interface import Conversion, FlowInputs, RampResult
from coachbuilder.plant.flow.loads import Load, Setting, hours_per_year, loads_of

WEEKS_PER_YEAR = 52
RATE_REACHED = 0.9
"""The guest is at rate in the first week that builds this share of the planned weekly cars."""


@dataclass(frozen=True, slots=True)
class Week:
    """What is planned for a week of the launch."""

    guest_units: float
    """Guest cars to be released."""
    line_speed_share: float
    """Speed of the assembly line as a share of full speed; 0 if the plant is shut."""


@dataclass(frozen=True, slots=True)
class Maturity:
    """How far the guest has matured."""

    cycle_multiplier: float
    """Its cycle time in body and assembly as a multiple of the planned one."""
    first_pass_yield: float | None
    """Its first-pass yield; None if it is not tested."""
    failure_multiplier: float
    """Failures of its own shops as a multiple of the mature ones."""


@dataclass(frozen=True, slots=True)
class Course:
    """What becomes of the weeks; W weeks."""

    guest_units: NDArray[np.float64]
    """(W,) guest cars built."""
    resident_units: NDArray[np.float64]
    """(W,) resident cars built."""
    guest_units_lost: NDArray[np.float64]
    """(W,) guest cars of the planned curve that were not taken on."""
    resident_units_missed: NDArray[np.float64]
    """(W,) resident cars of the plan that were not taken on."""
    maturity: tuple[Maturity, ...]
    """How far the guest was in each week."""
    limiting_shop: tuple[str, ...]
    """Shop that limits each week."""


def wright_factor(built: float, reference: float, learning_rate: float) -> float:
    """Return the share of the initial excess that is left once ``built`` cars were built.

    Parameters
    ----------
    built
        Cars built so far.
    reference
        Cars built when the initial figures hold; before them nothing is learnt.
    learning_rate
        Share left at each doubling.

    Examples
    --------
    >>> round(wright_factor(400.0, 100.0, 0.8), 3)
    0.64
    """
    return float((max(built, reference) / reference) ** math.log2(learning_rate))


def maturity_after(inputs: FlowInputs, built: float) -> Maturity:
    """Return how far the guest has matured once so many of it were built."""
    ramp = inputs.ramp
    left = wright_factor(built, ramp.learning_reference_units, ramp.learning_rate)
    mature = next(
        (
            shop.first_pass_yield[inputs.models.index(inputs.guest_model)]
            for shop in inputs.shops
            if shop.rework and shop.passes[inputs.models.index(inputs.guest_model)]
        ),
        None,
    )
    excess = ramp.initial_cycle_multiplier - ramp.plateau_cycle_multiplier
    return Maturity(
        cycle_multiplier=ramp.plateau_cycle_multiplier + left * excess,
        first_pass_yield=None if mature is None else mature - left * (mature - ramp.initial_first_pass_yield),
        failure_multiplier=1.0 + left * (ramp.initial_failure_multiplier - 1.0),
    )


def weeks_of(inputs: FlowInputs, conversion: Conversion | None) -> list[Week]:
    """Return the weeks of the launch: pilot builds, the steps of the planned curve, then full rate."""
    ramp = inputs.ramp
    planned = inputs.planned_units_per_year[inputs.models.index(inputs.guest_model)] / WEEKS_PER_YEAR
    weeks = [Week(ramp.pilot_units_per_week if planned > 0.0 else 0.0, 1.0)] * ramp.pilot_weeks
    for step in ramp.steps:
        weeks += [Week(planned * step.guest_rate_share, step.line_speed_share)] * step.weeks
    weeks = (weeks + [Week(planned, 1.0)] * ramp.weeks)[: ramp.weeks]
    if conversion is None:
        return weeks
    last = conversion.first_week + conversion.weeks
    return [
        Week(week.guest_units, week.line_speed_share * conversion.line_speed_share)
        if conversion.first_week <= number < last
        else week
        for number, week in enumerate(weeks, start=1)
    ]


def residents_per_week(inputs: FlowInputs) -> float:
    """Return the resident cars that are planned for a week."""
    guest = inputs.models.index(inputs.guest_model)
    return (sum(inputs.planned_units_per_year) - inputs.planned_units_per_year[guest]) / WEEKS_PER_YEAR


def reckoned(inputs: FlowInputs, weeks: list[Week], *, efficiency: float) -> Course:
    """Return the launch as the tightest shop of every week allows it.

    Parameters
    ----------
    inputs
        Plant and launch.
    weeks
        What is planned.
    efficiency
        Simulated rate of the launched plant over what its tightest shop could do alone.
    """
    effective_s = efficiency * hours_per_year(inputs) / WEEKS_PER_YEAR * 3600.0
    loads = weekly_loads(inputs)
    residents = residents_per_week(inputs)
    guest_share, resident_share = np.zeros(len(weeks)), np.zeros(len(weeks))
    limits = []
    steps = []
    built = 0.0
    for index, week in enumerate(weeks):
        mature = maturity_after(inputs, built)
        limit = ""
        if week.line_speed_share > 0.0:
            takt_s = inputs.assembly_takt_s / week.line_speed_share
            guest_share[index], resident_share[index], limit = shares_built(
                loads, week.guest_units, mature, takt_s, effective_s
            )
        limits.append(limit)
        steps.append(mature)
        built += guest_share[index] * week.guest_units
    wanted = np.array([week.guest_units for week in weeks])
    return Course(
        guest_units=guest_share * wanted,
        resident_units=resident_share * residents,
        guest_units_lost=(1.0 - guest_share) * wanted,
        resident_units_missed=(1.0 - resident_share) * residents,
        maturity=tuple(steps),
        limiting_shop=tuple(limits),
    )


def result_of(
    inputs: FlowInputs,
    weeks: list[Week],
    course: Course,
    *,
    conversion: Conversion | None,
    resident_units_before: float,
    simulated: bool,
) -> RampResult:
    """Return what a course means.

    Parameters
    ----------
    inputs
        Plant and launch.
    weeks, course
        What was planned, and what became of it.
    conversion
        How the plant was converted.
    resident_units_before
        Resident cars a year that the host built without the guest.
    simulated
        Whether the course was simulated.
    """
    ramp = inputs.ramp
    planned_week = inputs.planned_units_per_year[inputs.models.index(inputs.guest_model)] / WEEKS_PER_YEAR
    before = resident_units_before / WEEKS_PER_YEAR
    lost = np.maximum(before - residents_per_week(inputs) + course.resident_units_missed, 0.0)
    production = course.guest_units[ramp.pilot_weeks :]
    reached = np.flatnonzero(production >= RATE_REACHED * planned_week) if planned_week > 0.0 else np.array([])
    first_year = production[:WEEKS_PER_YEAR]
    missing = WEEKS_PER_YEAR - first_year.size
    return RampResult(
        week=np.arange(1, ramp.weeks + 1),
        guest_units=course.guest_units,
        resident_units=course.resident_units,
        resident_units_lost=lost,
        guest_units_lost=course.guest_units_lost,
        first_pass_yield=np.array(
            [1.0 if item.first_pass_yield is None else item.first_pass_yield for item in course.maturity]
        ),
        cycle_multiplier=np.array([item.cycle_multiplier for item in course.maturity]),
        failure_multiplier=np.array([item.failure_multiplier for item in course.maturity]),
        line_speed_share=np.array([week.line_speed_share for week in weeks]),
        limiting_shop=course.limiting_shop,
        start_of_production_week=ramp.pilot_weeks + 1,
        weeks_to_rate=int(reached[0]) + 1 if reached.size else None,
        guest_units_first_year=float(first_year.sum()) + missing * (float(first_year[-1]) if first_year.size else 0.0),
        resident_units_lost_total=float(lost.sum()),
        guest_units_lost_total=float(course.guest_units_lost.sum()),
        conversion="" if conversion is None else conversion.name,
        simulated=simulated,
    )


@dataclass(frozen=True, slots=True)
class WeeklyLoad:
    """A load with the residents' part worked out: what is left to do for each week is short."""

    shop: str
    in_takts: bool
    resident: float
    guest: float
    learns: bool
    visits: float
    visits_per_failure: float
    whole: Load


def weekly_loads(inputs: FlowInputs, loads: tuple[Load, ...] | None = None) -> list[WeeklyLoad]:
    """Return what the cars of a week ask of every shop; ``loads`` are those of ``loads_of``, if known already."""
    guest = inputs.models.index(inputs.guest_model)
    residents = tuple(0.0 if model == guest else units for model, units in enumerate(inputs.planned_units_per_year))
    alone = Setting(units_per_year=residents, takt_s=1.0)
    return [
        WeeklyLoad(
            shop=load.shop,
            in_takts=load.in_takts,
            resident=load.seconds(alone, guest) / WEEKS_PER_YEAR,
            guest=load.time[guest],
            learns=load.learns,
            visits=load.visits[guest],
            visits_per_failure=load.visits_per_failure[guest],
            whole=load,
        )
        for load in (loads_of(inputs) if loads is None else loads)
    ]


def shares_built(
    loads: list[WeeklyLoad], guest_units: float, mature: Maturity, takt_s: float, effective_s: float
) -> tuple[float, float, str]:
    """Return the shares of a week's guest and resident cars that can be built, and the shop that limits them most.

    A shop that only the guest passes limits the guest alone, one that it does not pass the residents alone. Where both
    come together each has its share of the plan as long as it asks for it, as at the merges of the simulation. The shop
    is empty if none limits.

    Parameters
    ----------
    loads
        What cars ask of every shop in a week.
    guest_units
        Guest cars wanted in the week.
    mature
        How far the guest has matured.
    takt_s
        Takt of the assembly line in this week, s.
    effective_s
        Net working time of the week times the efficiency of the plant, s.
    """
    asked = [_asked_s(load, guest_units, mature, takt_s) for load in loads]
    guest, resident, limit = 1.0, 1.0, ""
    for load, (by_guest_s, by_residents_s) in zip(loads, asked, strict=True):
        if by_residents_s == 0.0 and by_guest_s * guest > effective_s:
            guest, limit = effective_s / by_guest_s, load.shop
        elif by_guest_s == 0.0 and by_residents_s * resident > effective_s:
            resident, limit = effective_s / by_residents_s, load.shop
    for load, (by_guest_s, by_residents_s) in zip(loads, asked, strict=True):
        if by_guest_s == 0.0 or by_residents_s == 0.0:
            continue
        if guest * by_guest_s + resident * by_residents_s <= effective_s:
            continue
        limit = load.shop
        even = effective_s / (by_guest_s + by_residents_s)
        if even <= min(guest, resident):
            guest = resident = even
        elif guest < resident:
            resident = (effective_s - guest * by_guest_s) / by_residents_s
        else:
            guest = (effective_s - resident * by_residents_s) / by_guest_s
    return guest, resident, limit


def tightest(loads: list[WeeklyLoad], guest_units: float, mature: Maturity, takt_s: float) -> str:
    """Return the shop of which the cars of a week ask most; see ``shares_built``."""
    return max(loads, key=lambda load: sum(_asked_s(load, guest_units, mature, takt_s))).shop


def _asked_s(load: WeeklyLoad, guest_units: float, mature: Maturity, takt_s: float) -> tuple[float, float]:
    """Return the time that the guest and the residents ask of a shop in a week, s."""
    failed = 0.0 if mature.first_pass_yield is None else 1.0 - mature.first_pass_yield
    guest_s = guest_units * load.guest * (load.visits + failed * load.visits_per_failure)
    if load.learns:
        guest_s *= mature.cycle_multiplier
    guest_s *= load.whole.stretch(mature.failure_multiplier)
    scale = takt_s if load.in_takts else 1.0
    return guest_s * scale, load.resident * scale
