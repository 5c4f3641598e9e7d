"""What cars ask of every shop, and so what the plant could do if one shop alone limited it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coachbuilder.plant.flow.interface import FlowInputs, Shop
from coachbuilder.programme.sections.flow import ShopKind

LEARNING_KINDS = frozenset({ShopKind.BODY, ShopKind.ASSEMBLY})
"""Shops whose work on the guest is learnt; paint, store and test run at machine speed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What differs between two runs of one plant.

    Parameters
    ----------
    units_per_year
        Cars a year that are released by model; 0 leaves a model out.
    takt_s
        Takt of the assembly line, s.
    guest_cycle_multiplier
        Guest cycle time in body and assembly as a multiple of the planned one.
    guest_first_pass_yield
        Guest's first-pass yield; None takes the test's own.
    line_speed_share
        Speed of the assembly line as a share of full speed.
    guest_failure_multiplier
        Failures of shops of the guest's own as a multiple of the mature ones.
    """

    units_per_year: tuple[float, ...]
    takt_s: float
    guest_cycle_multiplier: float = 1.0
    guest_first_pass_yield: float | None = None
    line_speed_share: float = 1.0
    guest_failure_multiplier: float = 1.0


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
    repair_per_work: float
    """Mature time in repair over time at work."""
    matures: bool
    """True if only the guest comes here, whose launch multiplies the failures."""

    def stretch(self, failure_multiplier: float) -> float:
        """Return by how much failures that are not mature lengthen ``time``."""
        if not self.matures:
            return 1.0
        return (1.0 + failure_multiplier * self.repair_per_work) / (1.0 + self.repair_per_work)

    def seconds(self, setting: Setting, guest: int) -> float:
        """Return the time that the setting's cars of one year ask of the shop, s."""
        return sum(visits * time for visits, time in self.work(setting, guest))

    def work(self, setting: Setting, guest: int) -> list[tuple[float, float]]:
        """Return for every model the visits a year and the plant time of one visit, s."""
        scale = setting.takt_s / setting.line_speed_share if self.in_takts else 1.0
        scale *= self.stretch(setting.guest_failure_multiplier)
        rows = []
        for model, units in enumerate(setting.units_per_year):
            passed = self.first_pass_yield[model]
            time = self.time[model] * scale
            if model == guest:
                if setting.guest_first_pass_yield is not None and self.tested:
                    passed = setting.guest_first_pass_yield
                if self.learns:
                    time *= setting.guest_cycle_multiplier
            rows.append((units * (self.visits[model] + (1.0 - passed) * self.visits_per_failure[model]), time))
        return rows


def is_guests_own(inputs: FlowInputs, shop: Shop) -> bool:
    """Return whether the guest alone passes a shop: its failures mature with the guest."""
    return all(
        passes == (model == inputs.guest_model) for passes, model in zip(shop.passes, inputs.models, strict=True)
    )


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
        repair = shop.mttr_s / shop.mtbf_s if shop.mtbf_s is not None and shop.mttr_s is not None else 0.0
        stretch = (1.0 + repair) / shop.parallel
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
                repair_per_work=repair,
                matures=is_guests_own(inputs, shop),
            )
        )
    return tuple(loads)


def stand_alone_rates(inputs: FlowInputs, setting: Setting, loads: tuple[Load, ...] | None = None) -> dict[str, float]:
    """Return how many cars an hour of the setting's mix the plant could build if each shop alone limited it.

    Parameters
    ----------
    inputs
        Plant.
    setting
        What is built, and how fast.
    loads
        What :func:`loads_of` returns for the plant, if it is known already.
    """
    guest = inputs.models.index(inputs.guest_model)
    total = sum(setting.units_per_year)
    rates = {}
    for load in loads_of(inputs) if loads is None else loads:
        seconds = load.seconds(setting, guest)
        if seconds > 0.0:
            rates[load.shop] = 3600.0 * total / seconds
    return rates


def own_rates(inputs: FlowInputs, setting: Setting) -> dict[str, float]:
    """Return how many cars an hour each shop passes on if it is never starved or blocked, failures counted."""
    guest = inputs.models.index(inputs.guest_model)
    rates = {}
    for load in loads_of(inputs):
        rows = load.work(setting, guest)
        visits = sum(count for count, _ in rows)
        if visits <= 0.0:
            # No car needs it now; those that could would come in the plant's mix.
            rows = [(units, time) for units, (_, time) in zip(setting.units_per_year, rows, strict=True)]
            visits = sum(setting.units_per_year)
        rates[load.shop] = 3600.0 * visits / sum(count * time for count, time in rows)
    return rates


def shares_of(units: Iterable[float]) -> tuple[float, ...]:
    """Return the share of each model in what is released; all 0 if nothing is.

    Examples
    --------
    >>> shares_of([60.0, 20.0])
    (0.75, 0.25)
    """
    listed = tuple(units)
    total = sum(listed)
    return tuple(unit / total if total > 0.0 else 0.0 for unit in listed)


def hours_per_year(inputs: FlowInputs) -> float:
    """Return the net working hours of a year."""
    return inputs.net_hours_per_day * inputs.working_days_per_year
