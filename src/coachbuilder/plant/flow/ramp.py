"""The launch, week by week.

Cycle times and defects of the guest fall along Wright's curve (Wright 1936: each doubling of what was built leaves the
same share). In every week the plant can do what its tightest shop can do alone, times one efficiency: the share of
that figure which the simulation of the launched plant reached in spite of starving, blocking and failures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coachbuilder.plant.flow.interface import FlowInputs, RampResult, Shop
from coachbuilder.plant.flow.network import Setting, cycle_times, hours_per_year, pass_shares, routes
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


def visits(inputs: FlowInputs, shop: Shop, setting: Setting) -> tuple[float, ...]:
    """Return how often a car of each model comes to ``shop`` on average, rework and further tries counted."""
    tests = [test for test in inputs.shops if test.rework]
    counts = [1.0 if passes else 0.0 for passes in shop.passes]
    for test in tests:
        rework = next(other for other in inputs.shops if other.id == test.rework)
        passed = pass_shares(inputs, test, setting)
        kept = 1.0 - rework.scrap_share
        for model in range(len(inputs.models)):
            if not test.passes[model]:
                continue
            failed = 1.0 - passed[model]
            # A reworked car that comes back fails again with probability 1 - retest_yield, and so on.
            again = kept * (1.0 - test.retest_yield) if rework.rejoin else 0.0
            repairs = failed / (1.0 - again)
            if shop.id == rework.id:
                counts[model] = repairs
            elif rework.rejoin and _stands_between(inputs, shop, rework.rejoin, test.id):
                counts[model] += kept * repairs
    return tuple(counts)


def _stands_between(inputs: FlowInputs, shop: Shop, first: str, last: str) -> bool:
    order = [other.id for other in inputs.shops]
    return shop.kind is not ShopKind.REWORK and order.index(first) <= order.index(shop.id) <= order.index(last)


def stand_alone_rates(inputs: FlowInputs, setting: Setting) -> dict[str, float]:
    """Return how many cars an hour of the setting's mix the plant could build if each shop alone limited it.

    A machine makes one car in its cycle time times (1 + MTTR / MTBF), for it fails at work only.
    """
    total = sum(setting.units_per_year)
    built = [bool(route) for route in routes(inputs, setting.units_per_year)]
    rates = {}
    for shop in inputs.shops:
        times = cycle_times(inputs, shop, setting)
        counts = visits(inputs, shop, setting)
        load_s = sum(
            units / total * count * time
            for units, count, time, is_built in zip(setting.units_per_year, counts, times, built, strict=True)
            if is_built
        )
        if shop.mtbf_s is not None and shop.mttr_s is not None:
            load_s *= 1.0 + shop.mttr_s / shop.mtbf_s
        if load_s > 0.0:
            rates[shop.id] = 3600.0 * shop.parallel / load_s
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
    hours_week = hours_per_year(inputs) / WEEKS_PER_YEAR
    mature_yield = _mature_guest_yield(inputs, guest)
    weeks = _schedule(inputs)
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
        targets = tuple(
            wanted * WEEKS_PER_YEAR if model == guest else units for model, units in enumerate(planned)
        )
        share, limit = _share_built(
            inputs,
            Setting(
                units_per_year=targets,
                takt_s=inputs.assembly_takt_s,
                guest_cycle_multiplier=multiplier,
                guest_first_pass_yield=passed,
                line_speed_share=week.line_speed_share,
            ),
            efficiency * hours_week * WEEKS_PER_YEAR,
        )
        guest_units[index] = share * wanted
        resident_units[index] = share * (sum(targets) - targets[guest]) / WEEKS_PER_YEAR
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


def _share_built(inputs: FlowInputs, setting: Setting, hours: float) -> tuple[float, str]:
    """Return the share of the wanted cars that can be built in ``hours``, and the shop that limits it."""
    total = sum(setting.units_per_year)
    if total <= 0.0:
        return 0.0, ""
    rates = stand_alone_rates(inputs, setting)
    shop = min(rates, key=rates.__getitem__)
    share = rates[shop] * hours / total
    return (1.0, "") if share >= 1.0 else (share, shop)
