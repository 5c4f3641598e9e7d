"""The plant in one draw of the risk stage.

Draws differ in figures only, so that the arrays of the event calendar are built once for a structure and new figures
are written into them; the launch is reckoned in a kernel, and what nobody asks of a draw is not worked out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.engine.network import KINDS, Network, build
from coachbuilder.plant.flow.engine.run import started
from coachbuilder.plant.flow.estimates import estimate_of
from coachbuilder.plant.flow.interface import (
    FlowInputs,
    FlowResult,
    HostOutput,
    ModelRate,
    RampInputs,
    RampResult,
    RampStep,
    Shop,
)
from coachbuilder.plant.flow.loads import (
    Load,
    Setting,
    hours_per_year,
    is_guests_own,
    loads_of,
    shares_of,
    stand_alone_rates,
)
from coachbuilder.plant.flow.plant import MovingLine, TimeKind
from coachbuilder.plant.flow.ramp import (
    RATE_REACHED,
    WEEKS_PER_YEAR,
    residents_per_week,
    weekly_loads,
    weeks_of,
)
from coachbuilder.plant.flow.record import BINS_PER_BATCH, LEFT, PASSED, TESTED, TOO_MANY_EVENTS
from coachbuilder.plant.flow.shops import cycle_times_s, fill_share, pass_shares, plant_of
from coachbuilder.programme.sections.flow import Release

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

STRUCTURES = 32
"""Structures whose arrays are kept."""


def evaluate_draw(inputs: FlowInputs) -> FlowResult:
    """Return what :func:`coachbuilder.plant.flow.evaluate` returns for quick inputs, in a tenth of the time.

    Left empty is what explains a plant rather than rates it: shops, machines, buffers, the bottleneck, work in
    progress, lead time, counts of cars and conventions.

    Parameters
    ----------
    inputs
        Quick inputs.

    Raises
    ------
    ValueError
        If the inputs are not quick.
    RuntimeError
        If cars are lost or multiply, or a run does not come to its end: a fault of ours.
    """
    if not inputs.quick:
        message = "a draw takes quick inputs"
        raise ValueError(message)
    guest = inputs.models.index(inputs.guest_model)
    planned = inputs.planned_units_per_year
    setting = Setting(
        planned,
        inputs.assembly_takt_s + inputs.line_stop_s_per_car,
        guest_cycle_multiplier=inputs.ramp.plateau_cycle_multiplier,
    )
    loads = loads_of(inputs)
    rates, first_pass_yield = _simulated(inputs, setting, loads)
    pushed = rates
    if inputs.release is not Release.PUSH:
        pushed, _ = _simulated(replace(inputs, release=Release.PUSH), setting, loads)
    tightest = min(stand_alone_rates(inputs, setting, loads).values())
    efficiency = float(pushed.sum(axis=1).mean()) / tightest
    hours = hours_per_year(inputs)
    alone = tuple(0.0 if model == guest else units for model, units in enumerate(planned))
    before = HostOutput(0.0, None, 0.0, 0.0, "")
    if any(alone):
        by_shop = stand_alone_rates(inputs, Setting(alone, inputs.resident_only_takt_s), loads)
        shop = min(by_shop, key=by_shop.__getitem__)
        capacity = efficiency * by_shop[shop] * hours
        before = HostOutput(efficiency * by_shop[shop], None, capacity, min(capacity, sum(alone)), shop)
    models = tuple(_model_rate(inputs, rates[:, model], model, hours) for model in range(len(inputs.models)))
    residents = [model for model in range(len(inputs.models)) if model != guest]
    by_residents = rates[:, residents].sum(axis=1)
    after = HostOutput(
        jph=float(by_residents.mean()),
        jph_ci95=estimate_of(by_residents).ci95,
        capacity_units_per_year=float(by_residents.mean()) * hours,
        units_per_year=sum(models[model].units_per_year for model in residents),
        bottleneck="",
    )
    everything = rates.sum(axis=1)
    jph = float(everything.mean())
    return FlowResult(
        jph=jph,
        jph_ci95=estimate_of(everything).ci95,
        planned_jph=sum(planned) / hours,
        models=models,
        guest_share=models[guest].jph / jph if jph > 0.0 else 0.0,
        guest_capacity_units_per_year=models[guest].capacity_units_per_year,
        guest_units_per_year=models[guest].units_per_year,
        shops=(),
        machines=(),
        buffers=(),
        bottleneck="",
        bottleneck_name="",
        bottleneck_machine="",
        bottleneck_active_share=0.0,
        overload_s_per_car=0.0,
        line_stop_s_per_car=0.0,
        work_in_progress_cars=0.0,
        lead_time_h=None,
        first_pass_yield=first_pass_yield,
        scrapped_share=0.0,
        resident_before=before,
        resident_after=after,
        resident_units_lost_per_year=max(0.0, before.units_per_year - after.units_per_year),
        ramp=_launched(inputs, loads, efficiency, before.units_per_year),
        ramp_alternatives=(),
        deadlock="",
        cars_at_start=0,
        cars_in=0,
        cars_out=0,
        cars_scrapped=0,
        cars_inside=0,
        simulated_hours=inputs.days * inputs.net_hours_per_day * inputs.replications,
        replications=inputs.replications,
        conventions=(),
    )


def _model_rate(inputs: FlowInputs, rates: F8, model: int, hours: float) -> ModelRate:
    jph = float(rates.mean())
    planned = inputs.planned_units_per_year[model]
    return ModelRate(
        id=inputs.models[model],
        jph=jph,
        jph_ci95=estimate_of(rates).ci95,
        planned_units_per_year=planned,
        capacity_units_per_year=jph * hours,
        units_per_year=min(planned, jph * hours),
    )


def _simulated(inputs: FlowInputs, setting: Setting, loads: tuple[Load, ...]) -> tuple[F8, float | None]:
    """Return (R, V) corrected cars an hour, and the share that passed the test at the first try."""
    template = _template(_structure(inputs))
    day_s = inputs.net_hours_per_day * 3600.0
    left, tested, passed = template.run(inputs, setting, loads, inputs.warm_up_days * day_s, inputs.days * day_s)
    rates = left * (inputs.rate_correction * 3600.0 / (inputs.days * day_s))
    return rates, passed / tested if tested else None


def _structure(inputs: FlowInputs) -> FlowInputs:
    """Return the inputs with every figure that draws may change at a value of its own kind: the key of a template."""
    return replace(
        inputs,
        planned_units_per_year=tuple(float(units > 0.0) for units in inputs.planned_units_per_year),
        shops=tuple(_bare(shop) for shop in inputs.shops),
        assembly_takt_s=1.0,
        resident_only_takt_s=1.0,
        net_hours_per_day=1.0,
        working_days_per_year=1.0,
        ramp=_NO_RAMP,
        days=1.0,
        warm_up_days=0.0,
        line=None,
        resident_only_line=None,
        line_stop_s_per_car=0.0,
        rate_correction=1.0,
    )


_NO_RAMP = RampInputs(1, 0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0, (RampStep(1, 1.0, 1.0),))


def _bare(shop: Shop) -> Shop:
    return replace(
        shop,
        cycle_time_s=(1.0,) * len(shop.cycle_time_s),
        mtbf_s=None if shop.mtbf_s is None else 1.0,
        mttr_s=None if shop.mttr_s is None else 1.0,
        first_pass_yield=(0.5,) * len(shop.first_pass_yield),
        retest_yield=0.5,
        scrap_share=0.5 if shop.scrap_share > 0.0 else 0.0,
    )


@lru_cache(maxsize=STRUCTURES)
def _template(structure: FlowInputs) -> _Template:
    return _Template(structure)


@dataclass(frozen=True, slots=True)
class _Way:
    """A buffer of the template."""

    lane: int
    """Row of the event calendar."""
    models: I8
    """Models that pass, ascending."""
    shop: int
    """Shop before it."""
    stock_places: int
    """Places that fill if that shop is faster than those behind."""
    riding: int
    """Cars on its conveyor at the start."""


class _Template:
    """The arrays of one structure, into which the figures of a draw are written."""

    def __init__(self, structure: FlowInputs) -> None:
        setting = Setting(structure.planned_units_per_year, 1.0)
        made = plant_of(structure, setting)
        plant = made.plant
        self._lock = Lock()
        self._network = build(plant, seed=structure.seed, batches=1)
        core, luck = self._network.state.core, self._network.state.luck
        by_id = {shop.id: row for row, shop in enumerate(structure.shops)}
        types = len(structure.models)
        self._station_shop = [by_id[station.shop] for station in plant.stations]
        self._tests = [row for row, station in enumerate(plant.stations) if station.test is not None]
        self._scraps = np.flatnonzero(core.cell["scrap_share"] > 0.0)
        # Every station and type, every failure and every source has a row of times of its own: draws differ in which
        # times are equal, and rows are found by the times that share them.
        cells = len(plant.stations)
        modes = luck.mode.size if any(station.failures for station in plant.stations) else 0
        self._mode_shop = [self._station_shop[int(core.machine["cell"][row])] for row in luck.mode["machine"][:modes]]
        self._paced = [row for row in range(core.lane.size) if core.lane["interval"][row] >= 0]
        times = np.zeros(cells * types + 2 * modes + len(self._paced), luck.time.dtype)
        exponential = KINDS.index(TimeKind.EXPONENTIAL)
        times["kind"][: cells * types] = luck.time["kind"][core.cell_type["time"]].ravel()
        times["kind"][cells * types : cells * types + 2 * modes] = exponential
        core.cell_type["time"][...] = np.arange(cells * types).reshape(cells, types)
        luck.mode["to_failure"][:modes] = cells * types + 2 * np.arange(modes)
        luck.mode["to_repair"][:modes] = cells * types + 2 * np.arange(modes) + 1
        core.lane["interval"][self._paced] = cells * types + 2 * modes + np.arange(len(self._paced))
        state = self._network.state
        self._network = replace(self._network, state=state._replace(luck=luck._replace(time=times)))
        self._is_fixed = core.cell_type["fixed_s"] >= 0.0
        self._time = times
        self._ways = [
            _Way(
                lane=int(row),
                models=np.array(sorted(lane.models), dtype=np.int64),
                shop=by_id[lane.from_shop],
                stock_places=lane.stock_places,
                riding=lane.riding,
            )
            for lane, row in zip(made.lanes, self._network.buffer_row, strict=True)
        ]
        self._passes = np.zeros((core.lane.size, types))
        for way in self._ways:
            self._passes[way.lane, way.models] = 1.0
        self._is_source = core.lane["source"] == 1
        self._owner = np.unique(np.stack([core.lane["cell"], core.lane["priority"]]), axis=1, return_inverse=True)[1]
        self._owner = self._owner.ravel()
        self._sources = [[structure.models.index(name) for name, _ in source.shares] for source in plant.sources]
        self._lines = [
            (row, int(core.cell["first_machine"][row]), station.stations - 1, self._models_of(structure, station.shop))
            for row, station in enumerate(plant.stations)
            if isinstance(station, MovingLine)
        ]
        # More cars than there are places cannot stand inside at the start.
        self._places = int(core.slot.size)

    @staticmethod
    def _models_of(structure: FlowInputs, shop_id: str) -> I8:
        shop = next(item for item in structure.shops if item.id == shop_id)
        return np.array(
            [model for model, units in enumerate(structure.planned_units_per_year) if units and shop.passes[model]],
            dtype=np.int64,
        )

    def run(
        self, inputs: FlowInputs, setting: Setting, loads: tuple[Load, ...], start_s: float, counted_s: float
    ) -> tuple[F8, int, int]:
        """Return (R, V) cars that left, and over all runs the cars tested and those that passed at the first try."""
        from coachbuilder.plant.flow.engine import kernels

        end_s = start_s + BINS_PER_BATCH * (counted_s / BINS_PER_BATCH)
        left = np.zeros((inputs.replications, len(inputs.models)))
        tested = passed = 0
        with self._lock:
            network = self._written(inputs, setting, loads)
            states = [
                started(network, number, start_s=start_s, batch_s=counted_s) for number in range(inputs.replications)
            ]
        for row, state in enumerate(states):
            kernels.advance(state, end_s)
            if not kernels.count_remaining(state) or state.core.clock["ended"][0] >= TOO_MANY_EVENTS:
                message = "the simulation lost count of its cars or did not come to its end; please report this plant"
                raise RuntimeError(message)
            cars = state.snaps.snap_car
            counted = cars[-1] - cars[0]
            left[row] = counted[:, LEFT]
            tested += int(counted[:, TESTED].sum())
            passed += int(counted[:, PASSED].sum())
        return left, tested, passed

    def _written(self, inputs: FlowInputs, setting: Setting, loads: tuple[Load, ...]) -> Network:
        """Write the figures of a draw; the arrays are copied before anything runs on them."""
        state = self._network.state
        core, luck = state.core, state.luck
        shops = inputs.shops
        shares = np.array(shares_of(setting.units_per_year))
        cycles = [cycle_times_s(inputs, shop, setting) for shop in shops]
        by_station = np.array([cycles[shop] for shop in self._station_shop])
        core.cell_type["fixed_s"][...] = np.where(self._is_fixed, by_station, -1.0)
        means = [by_station.ravel()]
        often = setting.guest_failure_multiplier
        for row in self._mode_shop:
            shop = shops[row]
            means.append(
                np.array([(shop.mtbf_s or 0.0) / (often if is_guests_own(inputs, shop) else 1.0), shop.mttr_s or 0.0])
            )
        interval_s = [
            3600.0 * hours_per_year(inputs) / (float(shares[models].sum()) * sum(setting.units_per_year))
            for models in (self._sources[int(core.lane["mix"][row])] for row in self._paced)
        ]
        luck.time["mean_s"][...] = np.concatenate([*means, interval_s])
        for row in self._tests:
            shop = shops[self._station_shop[row]]
            core.cell_type["pass_share"][row] = pass_shares(inputs, shop, setting)
            core.cell["retest_share"][row] = shop.retest_yield
        for cell in self._scraps:
            core.cell["scrap_share"][cell] = shops[self._station_shop[cell]].scrap_share
        for number, models in enumerate(self._sources):
            part = shares[models]
            luck.share["share"][number, models] = part / part.sum()
        weight = np.where(self._is_source, 1.0, self._passes @ shares)
        core.lane["weight"][...] = weight / np.bincount(self._owner, weight)[self._owner]
        grouped = ~self._is_source
        group = core.lane["group"][grouped]
        core.lane["entry_weight"][grouped] = weight[grouped] / np.bincount(group, weight[grouped])[group]
        filled, entered_s = self._opening(inputs, setting, loads, shares, cycles)
        opening = state.opening._replace(filled=filled, entered_s=entered_s)
        return replace(self._network, state=state._replace(opening=opening))

    def _opening(
        self,
        inputs: FlowInputs,
        setting: Setting,
        loads: tuple[Load, ...],
        shares: F8,
        cycles: Sequence[tuple[float, ...]],
    ) -> tuple[I8, F8]:
        """Return where the cars inside at the start stand, and when they entered there; see ``shops``."""
        from coachbuilder.plant.flow.drawn import kernels

        core = self._network.state.core
        rates = stand_alone_rates(inputs, setting, loads)
        lanes = np.empty(self._places, dtype=np.int64)
        kinds = np.empty(self._places, dtype=np.int64)
        entered_s = np.zeros(self._places)
        at = 0
        for way in self._ways:
            part = shares[way.models]
            ready = int(way.stock_places * fill_share(rates, inputs.shops, way.shop)) if way.stock_places else 0
            ride_s = 0.0
            if way.riding:
                mean_s = sum(cycles[way.shop][model] * shares[model] for model in way.models) / part.sum()
                ride_s = way.riding * mean_s / inputs.shops[way.shop].parallel
                core.lane["ride_s"][way.lane] = ride_s
            end = kernels.spread(part, float(sum(part.tolist())), way.models, ready + way.riding, kinds, at)
            lanes[at:end] = way.lane
            entered_s[at : at + ready] = -ride_s
            if way.riding:
                entered_s[at + ready : end] = ride_s * (np.arange(1, way.riding + 1) / way.riding - 1.0)
            at = end
        for row, machine, count, models in self._lines:
            part = shares[models]
            end = kernels.spread(part, float(sum(part.tolist())), models, count, kinds, at)
            lanes[at:end] = -1 - machine
            if end > at:
                core.machine["takt_s"][machine] = cycles[self._station_shop[row]][int(kinds[end - 1])]
            at = end
        return np.ascontiguousarray(np.stack([lanes[:at], kinds[:at]], axis=1)), entered_s[:at].copy()


def _launched(
    inputs: FlowInputs, loads: tuple[Load, ...], efficiency: float, resident_units_before: float
) -> RampResult:
    """Return the planned launch as it is reckoned; see ``ramp.reckoned`` and ``ramp.result_of``."""
    from coachbuilder.plant.flow.drawn import kernels

    ramp = inputs.ramp
    guest = inputs.models.index(inputs.guest_model)
    conversion = ramp.conversions[0] if ramp.conversions else None
    weeks = weeks_of(inputs, conversion)
    units = np.array([week.guest_units for week in weeks])
    speed_share = np.array([week.line_speed_share for week in weeks])
    table = np.array(
        [
            (
                load.in_takts,
                load.resident,
                load.guest,
                load.learns,
                load.visits,
                load.visits_per_failure,
                load.whole.matures,
                load.whole.repair_per_work,
            )
            for load in weekly_loads(inputs, loads)
        ],
        dtype=np.float64,
    )
    mature = next((shop.first_pass_yield[guest] for shop in inputs.shops if shop.rework and shop.passes[guest]), None)
    learning = np.array(
        [
            ramp.learning_reference_units,
            ramp.learning_rate,
            ramp.plateau_cycle_multiplier,
            ramp.initial_cycle_multiplier - ramp.plateau_cycle_multiplier,
            1.0 if mature is None else mature,
            ramp.initial_first_pass_yield,
            ramp.initial_failure_multiplier,
        ]
    )
    course = np.empty((kernels.WEEK_ROWS, units.size))
    effective_s = efficiency * hours_per_year(inputs) / WEEKS_PER_YEAR * 3600.0
    kernels.launch(table, units, speed_share, inputs.assembly_takt_s, effective_s, learning, mature is not None, course)
    guest_units = course[kernels.GUEST_SHARE] * units
    residents = residents_per_week(inputs)
    resident_units = course[kernels.RESIDENT_SHARE] * residents
    guest_units_lost = (1.0 - course[kernels.GUEST_SHARE]) * units
    missed = (1.0 - course[kernels.RESIDENT_SHARE]) * residents
    lost = np.maximum(resident_units_before / WEEKS_PER_YEAR - residents + missed, 0.0)
    production = guest_units[ramp.pilot_weeks :]
    planned_week = inputs.planned_units_per_year[guest] / WEEKS_PER_YEAR
    reached = np.flatnonzero(production >= RATE_REACHED * planned_week) if planned_week > 0.0 else np.array([])
    first_year = production[:WEEKS_PER_YEAR]
    missing = WEEKS_PER_YEAR - first_year.size
    return RampResult(
        week=np.arange(1, ramp.weeks + 1),
        guest_units=guest_units,
        resident_units=resident_units,
        resident_units_lost=lost,
        guest_units_lost=guest_units_lost,
        first_pass_yield=course[kernels.YIELD],
        cycle_multiplier=course[kernels.CYCLE],
        failure_multiplier=course[kernels.FAILURES],
        line_speed_share=speed_share,
        limiting_shop=tuple(inputs.shops[row].id if row >= 0 else "" for row in course[kernels.LIMIT].astype(int)),
        start_of_production_week=ramp.pilot_weeks + 1,
        weeks_to_rate=int(reached[0]) + 1 if reached.size else None,
        guest_units_first_year=float(first_year.sum()) + missing * (float(first_year[-1]) if first_year.size else 0.0),
        resident_units_lost_total=float(lost.sum()),
        guest_units_lost_total=float(guest_units_lost.sum()),
        conversion="" if conversion is None else conversion.name,
        simulated=False,
    )
