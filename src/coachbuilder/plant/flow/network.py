"""Turns shops into the arrays of the simulation."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.interface import FlowInputs, Shop
from coachbuilder.plant.flow.loads import LEARNING_KINDS, Setting, hours_per_year, shares_of, stand_alone_rates
from coachbuilder.programme.sections.flow import Release, ShopKind

if TYPE_CHECKING:
    from coachbuilder.plant.flow.kernels import Network

FILL_SLOPE = 20.0
"""A buffer starts full where what feeds it is 5 % faster than what empties it, and empty where it is no faster."""


@dataclass(slots=True)
class _Lane:
    cell: int
    capacity: int
    from_shop: str
    to_shop: str
    name: str
    ride_s: float = 0.0
    priority: int = 1
    weight: float = 0.0
    ready: int = 0
    riding: int = 0
    source: bool = False
    interval_s: float = 0.0
    models: dict[int, float] = field(default_factory=dict)
    index: int = -1

    def carry(self, model: int, share: float) -> None:
        self.models[model] = share
        self.weight = sum(self.models.values())


@dataclass(frozen=True, slots=True)
class PlantNetwork:
    """The arrays, and what their rows are called."""

    network: Network
    """Arrays for the kernels."""
    shops: tuple[Shop, ...]
    """Shops that are in use."""
    machine_names: tuple[str, ...]
    """Shop, stage and machine of every machine."""
    machine_shop: tuple[int, ...]
    """Index of its shop."""
    last_stage: tuple[bool, ...]
    """Whether it stands in its shop's last stage."""
    buffers: tuple[tuple[str, str, str, int, int], ...]
    """Name, shop before, shop behind, places and row of every lane that is no source."""
    cell_shop: tuple[int, ...]
    """Index of the shop of every cell."""


def cycle_times(inputs: FlowInputs, shop: Shop, setting: Setting) -> tuple[float, ...]:
    """Return the cycle time of a machine of ``shop`` by model, s, takt and learning included."""
    times = shop.cycle_time_s
    if shop.kind is ShopKind.ASSEMBLY:
        times = (setting.takt_s / setting.line_speed_share,) * len(inputs.models)
    if shop.kind in LEARNING_KINDS:
        return tuple(
            time * setting.guest_cycle_multiplier if model == inputs.guest_model else time
            for model, time in zip(inputs.models, times, strict=True)
        )
    return times


def pass_shares(inputs: FlowInputs, shop: Shop, setting: Setting) -> tuple[float, ...]:
    """Return the first-pass yield of a test shop by model."""
    guest_yield = setting.guest_first_pass_yield
    if guest_yield is None:
        return shop.first_pass_yield
    return tuple(
        guest_yield if model == inputs.guest_model else share
        for model, share in zip(inputs.models, shop.first_pass_yield, strict=True)
    )


def key_of(seed: int, name: str) -> int:
    """Return the key of a machine's random streams: it depends on the seed and the machine's own name only.

    Examples
    --------
    >>> key_of(1, "paint.1.1") == key_of(1, "paint.1.1") != key_of(1, "paint.2.1")
    True
    """
    return int.from_bytes(blake2b(f"{seed}|{name}".encode(), digest_size=8).digest(), "little")


def routes(inputs: FlowInputs, units_per_year: tuple[float, ...]) -> tuple[tuple[int, ...], ...]:
    """Return for every model the shops it passes, rework left out; empty for a model that is not built."""
    return tuple(
        tuple(
            index for index, shop in enumerate(inputs.shops) if shop.kind is not ShopKind.REWORK and shop.passes[model]
        )
        if units > 0.0
        else ()
        for model, units in enumerate(units_per_year)
    )


def build(inputs: FlowInputs, setting: Setting) -> PlantNetwork:
    """Return the plant as arrays for one setting.

    Shops that no released model passes are left out. So that the warm-up may be short, conveyors are full at the start,
    and buffers between shops as full as what feeds them is faster than what empties them (see ``_fill``).
    """
    return _Builder(inputs, setting).build()


class _Builder:
    def __init__(self, inputs: FlowInputs, setting: Setting) -> None:
        self.inputs = inputs
        self.setting = setting
        self.shares = shares_of(setting.units_per_year)
        self.routes = routes(inputs, setting.units_per_year)
        used = {index for route in self.routes for index in route}
        self.tests: dict[int, int] = {}
        by_id = {shop.id: index for index, shop in enumerate(inputs.shops)}
        for index in sorted(used):
            rework = inputs.shops[index].rework
            if rework:
                self.tests[by_id[rework]] = index
        self.used = tuple(sorted(used | self.tests.keys()))
        self.by_id = by_id
        self.first_cell: dict[int, int] = {}
        cell = 0
        for index in self.used:
            self.first_cell[index] = cell
            cell += inputs.shops[index].stages
        self.cells = cell
        self.lanes: list[_Lane] = []
        self.next_lane: list[dict[int, _Lane]] = [{} for _ in range(cell)]
        self.fail_lane: dict[int, _Lane] = {}
        self.ways: dict[tuple[int, int], _Lane] = {}
        self.rates = stand_alone_rates(inputs, setting)
        self.cycles = {index: cycle_times(inputs, inputs.shops[index], setting) for index in self.used}

    def build(self) -> PlantNetwork:
        for index in self.used:
            self._add_inner_lanes(index)
        for model, route in enumerate(self.routes):
            if route:
                self._add_source(model, route[0])
                for here, there in pairwise(route):
                    self._last_next(here)[model] = self._way(here, there, model, self.inputs.shops[here].buffer_after)
        for rework, test in self.tests.items():
            self._add_rework(rework, test)
        return self._arrays()

    def _last_next(self, shop: int) -> dict[int, _Lane]:
        return self.next_lane[self.first_cell[shop] + self.inputs.shops[shop].stages - 1]

    def _models_of(self, shop: int) -> list[int]:
        return [model for model, route in enumerate(self.routes) if shop in route]

    def _add_lane(self, lane: _Lane) -> _Lane:
        self.lanes.append(lane)
        return lane

    def _add_inner_lanes(self, index: int) -> None:
        shop = self.inputs.shops[index]
        models = self._models_of(self.tests.get(index, index))
        for stage in range(shop.stages - 1):
            cell = self.first_cell[index] + stage
            name = f"{shop.id}.{stage + 1} -> {shop.id}.{stage + 2}"
            lane = self._add_lane(_Lane(cell + 1, shop.buffer_between, shop.id, shop.id, name))
            for model in models:
                lane.carry(model, self.shares[model])
                self.next_lane[cell][model] = lane

    def _add_source(self, model: int, shop: int) -> None:
        cell = self.first_cell[shop]
        lane = next((lane for lane in self.lanes if lane.source and lane.cell == cell), None)
        if lane is None:
            lane = self._add_lane(_Lane(cell, 0, "", self.inputs.shops[shop].id, "", source=True))
        lane.carry(model, self.shares[model])
        if self.inputs.release is Release.PACED:
            units_per_h = lane.weight * sum(self.setting.units_per_year) / hours_per_year(self.inputs)
            lane.interval_s = 3600.0 / units_per_h

    def _way(self, here: int, there: int, model: int, places: int) -> _Lane:
        shop, target = self.inputs.shops[here], self.inputs.shops[there]
        lane = self.ways.get((here, there))
        if lane is None:
            name = f"{shop.id} -> {target.id}"
            lane = self._add_lane(_Lane(self.first_cell[there], places, shop.id, target.id, name))
            self.ways[here, there] = lane
            if shop.kind is not ShopKind.REWORK:
                lane.ready = int(places * self._fill(here))
                lane.riding = shop.conveyor_places
                lane.capacity += lane.riding
        lane.carry(model, self.shares[model])
        if lane.riding:
            times = self.cycles[here]
            mean = sum(times[item] * share for item, share in lane.models.items()) / lane.weight
            lane.ride_s = lane.riding * mean / shop.parallel
        return lane

    def _fill(self, here: int) -> float:
        """Return how full the way out of a shop is at the start; a store too full would flatter a short run."""
        rates = [(index, self.rates[shop.id]) for index, shop in enumerate(self.inputs.shops) if shop.id in self.rates]
        before = min(rate for index, rate in rates if index <= here)
        behind = min(rate for index, rate in rates if index > here)
        return min(max(FILL_SLOPE * (before / behind - 1.0), 0.0), 1.0)

    def _add_rework(self, rework: int, test: int) -> None:
        shops = self.inputs.shops
        yard = self._add_lane(
            _Lane(
                self.first_cell[rework],
                shops[test].buffer_after,
                shops[test].id,
                shops[rework].id,
                f"{shops[test].id} -> {shops[rework].id}",
            )
        )
        self.fail_lane[self.first_cell[test] + shops[test].stages - 1] = yard
        for model in self._models_of(test):
            yard.carry(model, self.shares[model])
            if shops[rework].rejoin:
                there = self.by_id[shops[rework].rejoin]
            else:
                route = self.routes[model]
                place = route.index(test) + 1
                if place == len(route):
                    continue
                there = route[place]
            lane = self._way(rework, there, model, shops[rework].buffer_after)
            lane.priority = 0
            self._last_next(rework)[model] = lane

    def _loops(self) -> list[bool]:
        loop = [False] * self.cells
        for rework, test in self.tests.items():
            rejoin = self.inputs.shops[rework].rejoin
            if rejoin:
                between = [index for index in self.used if self.by_id[rejoin] <= index <= test]
                for index in {*between, rework, test}:
                    first = self.first_cell[index]
                    loop[first : first + self.inputs.shops[index].stages] = [True] * self.inputs.shops[index].stages
        return loop

    def _arrays(self) -> PlantNetwork:
        from coachbuilder.plant.flow import kernels

        inputs, models = self.inputs, len(self.inputs.models)
        lanes = sorted(self.lanes, key=lambda lane: (lane.cell, lane.priority))
        for row, lane in enumerate(lanes):
            lane.index = row
        cell_array = np.zeros(self.cells, kernels.CELL)
        cell_model = np.zeros((self.cells, models), kernels.CELL_MODEL)
        names: list[str] = []
        machine_cell: list[int] = []
        machine_shop: list[int] = []
        last_stage: list[bool] = []
        cell_rows = []
        model_rows = []
        cell_shop = []
        loops = self._loops()
        first_lane = [0] * (self.cells + 1)
        for lane in lanes:
            first_lane[lane.cell + 1] += 1
        for cell in range(self.cells):
            first_lane[cell + 1] += first_lane[cell]
        for position, index in enumerate(self.used):
            shop = inputs.shops[index]
            passes = pass_shares(inputs, shop, self.setting) if shop.rework else (1.0,) * models
            for stage in range(shop.stages):
                cell = self.first_cell[index] + stage
                is_last = stage == shop.stages - 1
                fail = self.fail_lane.get(cell)
                cell_rows.append(
                    (
                        len(names),
                        len(names) + shop.parallel,
                        first_lane[cell],
                        first_lane[cell + 1],
                        int(shop.exponential),
                        shop.mtbf_s or 0.0,
                        shop.mttr_s or 0.0,
                        -1 if fail is None else fail.index,
                        shop.retest_yield,
                        shop.scrap_share if is_last else 0.0,
                        int(loops[cell]),
                    )
                )
                following = self.next_lane[cell]
                model_rows.append(
                    [
                        (self.cycles[index][model], following[model].index if model in following else -1, passes[model])
                        for model in range(models)
                    ]
                )
                cell_shop.append(position)
                for unit in range(shop.parallel):
                    names.append(f"{shop.id}.{stage + 1}.{unit + 1}")
                    machine_cell.append(cell)
                    machine_shop.append(position)
                    last_stage.append(is_last)
        cell_array[:] = cell_rows
        cell_model[:] = model_rows
        machine = np.zeros(len(names), kernels.MACHINE)
        machine["cell"] = machine_cell
        machine["key"] = np.array([key_of(inputs.seed, name) for name in names], dtype=np.uint64)
        network = kernels.Network(cell_array, cell_model, machine, *self._lane_arrays(lanes))
        return PlantNetwork(
            network=network,
            shops=tuple(inputs.shops[index] for index in self.used),
            machine_names=tuple(names),
            machine_shop=tuple(machine_shop),
            last_stage=tuple(last_stage),
            buffers=tuple(
                (lane.name, lane.from_shop, lane.to_shop, lane.capacity, lane.index)
                for lane in lanes
                if not lane.source
            ),
            cell_shop=tuple(cell_shop),
        )

    def _lane_arrays(self, lanes: list[_Lane]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        from coachbuilder.plant.flow import kernels

        total: dict[tuple[int, int], float] = {}
        for lane in lanes:
            group = (lane.cell, lane.priority)
            total[group] = total.get(group, 0.0) + lane.weight
        array = np.zeros(len(lanes), kernels.LANE)
        array["cell"] = [lane.cell for lane in lanes]
        array["capacity"] = [lane.capacity for lane in lanes]
        array["ride_s"] = [lane.ride_s for lane in lanes]
        array["priority"] = [lane.priority for lane in lanes]
        array["weight"] = [lane.weight / total[lane.cell, lane.priority] for lane in lanes]
        array["ready"] = [lane.ready for lane in lanes]
        array["riding"] = [lane.riding for lane in lanes]
        array["source"] = [lane.source for lane in lanes]
        array["interval_s"] = [lane.interval_s for lane in lanes]
        mix = np.zeros((len(lanes), len(self.inputs.models)))
        for row, lane in enumerate(lanes):
            for model, share in lane.models.items():
                mix[row, model] = share / lane.weight
        return array, mix
