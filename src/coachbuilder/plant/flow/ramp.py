"""The launch, week by week.

Cycle times and defects of the guest fall along Wright's curve (Wright 1936: each doubling of what was built leaves the
same share). In every week the plant can do what its tightest shop can do alone, times one efficiency: the share of
that figure which the simulation of the launched plant reached in spite of starving, blocking and failures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coachbuilder.plant.flow.interface import FlowInputs, RampResult
from coachbuilder.plant.flow.loads import Setting, hours_per_year, loads_of

WEEKS_PER_YEAR = 52
RATE_REACHED = 0.9
"""The guest is at rate in the first week that builds this share of the planned weekly cars."""


@dataclass(frozen=True, slots=True)
class _Week:
    guest_rate_share: float | None
    line_speed_share: float


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


def launch(inputs: FlowInputs, *, efficiency: float, resident_units_before: float) -> RampResult:
    """Return the launch by week.

    Parameters
    ----------
    inputs
        Plant and launch.
    efficiency
        Simulated rate of the launched plant over what its tightest shop could do alone.
    resident_units_before
        Resident cars a year that the host built without the guest.
    """
    ramp = inputs.ramp
    guest = inputs.models.index(inputs.guest_model)
    planned = inputs.planned_units_per_year
    planned_week = planned[guest] / WEEKS_PER_YEAR
    residents_week = (sum(planned) - planned[guest]) / WEEKS_PER_YEAR
    effective_s = efficiency * hours_per_year(inputs) / WEEKS_PER_YEAR * 3600.0
    mature_yield = _mature_guest_yield(inputs, guest)
    weeks = _schedule(inputs)
    loads = _weekly_loads(inputs, guest)
    guest_units, resident_units, yields, multipliers = (np.zeros(ramp.weeks) for _ in range(4))
    limits = []
    built = 0.0
    for index, week in enumerate(weeks):
        left = wright_factor(built, ramp.learning_reference_units, ramp.learning_rate)
        multiplier = ramp.plateau_cycle_multiplier + left * (
            ramp.initial_cycle_multiplier - ramp.plateau_cycle_multiplier
        )
        passed = None if mature_yield is None else mature_yield - left * (mature_yield - ramp.initial_first_pass_yield)
        wanted = ramp.pilot_units_per_week if week.guest_rate_share is None else planned_week * week.guest_rate_share
        failed = 0.0 if passed is None else 1.0 - passed
        takt_s = inputs.assembly_takt_s / week.line_speed_share
        share, limit = _share_built(loads, wanted, multiplier, failed, takt_s, effective_s)
        guest_units[index] = share * wanted
        resident_units[index] = share * residents_week
        yields[index] = 1.0 if passed is None else passed
        multipliers[index] = multiplier
        limits.append(limit)
        built += guest_units[index]
    lost = np.maximum(resident_units_before / WEEKS_PER_YEAR - resident_units, 0.0)
    production = guest_units[ramp.pilot_weeks :]
    reached = np.flatnonzero(production >= RATE_REACHED * planned_week) if planned_week > 0.0 else np.array([])
    first_year = production[:WEEKS_PER_YEAR]
    missing = WEEKS_PER_YEAR - first_year.size
    return RampResult(
        week=np.arange(1, ramp.weeks + 1),
        guest_units=guest_units,
        resident_units=resident_units,
        resident_units_lost=lost,
        first_pass_yield=yields,
        cycle_multiplier=multipliers,
        line_speed_share=np.array([week.line_speed_share for week in weeks]),
        limiting_shop=tuple(limits),
        start_of_production_week=ramp.pilot_weeks + 1,
        weeks_to_rate=int(reached[0]) + 1 if reached.size else None,
        guest_units_first_year=float(first_year.sum()) + missing * (float(first_year[-1]) if first_year.size else 0.0),
        resident_units_lost_total=float(lost.sum()),
    )


def _schedule(inputs: FlowInputs) -> list[_Week]:
    ramp = inputs.ramp
    weeks = [_Week(None, 1.0)] * ramp.pilot_weeks
    for step in ramp.steps:
        weeks += [_Week(step.guest_rate_share, step.line_speed_share)] * step.weeks
    return (weeks + [_Week(1.0, 1.0)] * ramp.weeks)[: ramp.weeks]


def _mature_guest_yield(inputs: FlowInputs, guest: int) -> float | None:
    for shop in inputs.shops:
        if shop.rework and shop.passes[guest]:
            return shop.first_pass_yield[guest]
    return None


@dataclass(frozen=True, slots=True)
class _WeeklyLoad:
    """A load with the residents' part worked out: what is left to do for each week is short."""

    shop: str
    in_takts: bool
    resident: float
    guest: float
    learns: bool
    visits: float
    visits_per_failure: float


def _weekly_loads(inputs: FlowInputs, guest: int) -> list[_WeeklyLoad]:
    residents = tuple(0.0 if model == guest else units for model, units in enumerate(inputs.planned_units_per_year))
    alone = Setting(units_per_year=residents, takt_s=1.0)
    return [
        _WeeklyLoad(
            shop=load.shop,
            in_takts=load.in_takts,
            resident=load.seconds(alone, guest) / WEEKS_PER_YEAR,
            guest=load.time[guest],
            learns=load.learns,
            visits=load.visits[guest],
            visits_per_failure=load.visits_per_failure[guest],
        )
        for load in loads_of(inputs)
    ]


def _share_built(
    loads: list[_WeeklyLoad], guest_units: float, multiplier: float, failed: float, takt_s: float, effective_s: float
) -> tuple[float, str]:
    """Return the share of a week's cars that can be built, and the shop that limits it; empty if none does.

    Parameters
    ----------
    loads
        What cars ask of every shop in a week.
    guest_units
        Guest cars wanted in the week.
    multiplier
        Guest's cycle time as a multiple of the planned one.
    failed
        Share of guest cars that fail the test at first.
    takt_s
        Takt of the assembly line in this week, s.
    effective_s
        Net working time of the week times the efficiency of the plant, s.
    """
    tightest, limit = effective_s, ""
    for load in loads:
        seconds = guest_units * load.guest * (load.visits + failed * load.visits_per_failure)
        if load.learns:
            seconds *= multiplier
        seconds += load.resident
        if load.in_takts:
            seconds *= takt_s
        if seconds > tightest:
            tightest, limit = seconds, load.shop
    return effective_s / tightest, limit
