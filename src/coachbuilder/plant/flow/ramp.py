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
from coachbuilder.plant.flow.network import LEARNING_KINDS, Setting, hours_per_year
from coachbuilder.programme.sections.flow import ShopKind

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
    return (max(built, reference) / reference) ** math.log2(learning_rate)


@dataclass(frozen=True, slots=True)
class Load:
    """What one car of each model asks of one shop, its failures counted.

    A machine makes one car in its cycle time times (1 + MTTR / MTBF), for it fails at work only. A car comes to the
    shop ``visits`` times, and ``visits_per_failure`` times more if it fails the test at the first try.
    """

    shop: str
    """Shop."""
    in_takts: bool
    """True if ``time`` counts takts of the assembly line, false if it counts seconds."""
    learns: bool
    """True if the guest's learning multiplies its time here."""
    tested: bool
    """True if cars are tested in the plant at all."""
    time: tuple[float, ...]
    """Plant time a visit takes by model: the machines side by side share it."""
    visits: tuple[float, ...]
    """Visits by model of a car that passes."""
    visits_per_failure: tuple[float, ...]
    """Further visits by model of a car that fails at first."""
    first_pass_yield: tuple[float, ...]
    """First-pass yield by model; 1 where nothing is tested."""

    def seconds(self, setting: Setting, guest: int) -> float:
        """Return the time that the setting's cars of one year ask of the shop, s."""
        scale = setting.takt_s / setting.line_speed_share if self.in_takts else 1.0
        total = 0.0
        for model, units in enumerate(setting.units_per_year):
            passed = self.first_pass_yield[model]
            time = self.time[model]
            if model == guest:
                if setting.guest_first_pass_yield is not None and self.tested:
                    passed = setting.guest_first_pass_yield
                if self.learns:
                    time *= setting.guest_cycle_multiplier
            total += units * time * (self.visits[model] + (1.0 - passed) * self.visits_per_failure[model])
        return scale * total


def loads_of(inputs: FlowInputs) -> tuple[Load, ...]:
    """Return what cars ask of every shop; a car passes at most one test with rework that counts here, the last."""
    tests = [test for test in inputs.shops if test.rework]
    order = {shop.id: index for index, shop in enumerate(inputs.shops)}
    models = range(len(inputs.models))
    loads = []
    for index, shop in enumerate(inputs.shops):
        is_rework = shop.kind is ShopKind.REWORK
        further = [0.0 for _ in models]
        yields = [1.0 for _ in models]
        passes = [0.0 if is_rework else float(passes) for passes in shop.passes]
        for test in tests:
            rework = inputs.shops[order[test.rework]]
            kept = 1.0 - rework.scrap_share
            # A reworked car that comes back fails again with probability 1 - retest_yield, and so on.
            repairs = 1.0 / (1.0 - kept * (1.0 - test.retest_yield)) if rework.rejoin else 1.0
            in_loop = bool(rework.rejoin) and not is_rework and order[rework.rejoin] <= index <= order[test.id]
            for model in models:
                if test.passes[model] and (shop.id == rework.id or in_loop):
                    further[model] = repairs * (1.0 if shop.id == rework.id else kept)
                    yields[model] = test.first_pass_yield[model]
        stretch = 1.0 / shop.parallel
        if shop.mtbf_s is not None and shop.mttr_s is not None:
            stretch *= 1.0 + shop.mttr_s / shop.mtbf_s
        in_takts = shop.kind is ShopKind.ASSEMBLY
        times = (1.0,) * len(inputs.models) if in_takts else shop.cycle_time_s
        loads.append(
            Load(
                shop=shop.id,
                in_takts=in_takts,
                learns=shop.kind in LEARNING_KINDS,
                tested=bool(tests),
                time=tuple(time * stretch for time in times),
                visits=tuple(passes),
                visits_per_failure=tuple(further),
                first_pass_yield=tuple(yields),
            )
        )
    return tuple(loads)


def stand_alone_rates(inputs: FlowInputs, setting: Setting) -> dict[str, float]:
    """Return how many cars an hour of the setting's mix the plant could build if each shop alone limited it.

    Parameters
    ----------
    inputs
        Plant.
    setting
        What is built, and how fast.
    """
    guest = inputs.models.index(inputs.guest_model)
    total = sum(setting.units_per_year)
    rates = {}
    for load in loads_of(inputs):
        seconds = load.seconds(setting, guest)
        if seconds > 0.0:
            rates[load.shop] = 3600.0 * total / seconds
    return rates


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
