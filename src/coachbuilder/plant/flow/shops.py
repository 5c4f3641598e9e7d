"""Turns the shops of a programme into a plant to be simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

from coachbuilder.plant.flow.interface import FlowInputs, LineWork, Shop
from coachbuilder.plant.flow.loads import (
    LEARNING_KINDS,
    Setting,
    hours_per_year,
    is_guests_own,
    shares_of,
    stand_alone_rates,
)
from coachbuilder.plant.flow.plant import (
    Buffer,
    CarType,
    Failure,
    MovingLine,
    Plant,
    Source,
    Station,
    Test,
    Time,
    Way,
)
from coachbuilder.programme.sections.flow import Release, ShopKind

FILL_SLOPE = 20.0
"""A buffer starts full where what feeds it is 5 % faster than what empties it, and empty where it is no faster."""


@dataclass(frozen=True, slots=True)
class ShopsPlant:
    """A plant, and what its buffers join."""

    plant: Plant
    """The plant: a stage of a shop is a station named ``shop.stage``, or a moving line in assembly."""
    shops: tuple[Shop, ...]
    """Shops that are in use."""
    ends: tuple[tuple[str, str], ...]
    """Shop before and shop behind every buffer of the plant."""
    lanes: tuple[Lane, ...] = ()
    """What every buffer was made from."""


@dataclass(slots=True)
class Lane:
    """Cars between two stages."""

    name: str
    from_shop: str
    to_shop: str
    to: str
    places: int
    stock_places: int = 0
    ready: int = 0
    riding: int = 0
    ride_s: float = 0.0
    priority: int = 1
    models: dict[int, float] = field(default_factory=dict)


def cycle_times_s(inputs: FlowInputs, shop: Shop, setting: Setting) -> tuple[float, ...]:
    """Return the cycle time of a machine of ``shop``, or the takt of a line, by model, s, learning included."""
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


def routes(inputs: FlowInputs, units_per_year: Sequence[float]) -> tuple[tuple[int, ...], ...]:
    """Return for every model the shops it passes, rework left out; empty for a model that is not built."""
    return tuple(
        tuple(
            index for index, shop in enumerate(inputs.shops) if shop.kind is not ShopKind.REWORK and shop.passes[model]
        )
        if units > 0.0
        else ()
        for model, units in enumerate(units_per_year)
    )


@lru_cache(maxsize=256)
def evenly(shares: tuple[float, ...], count: int) -> tuple[int, ...]:
    """Return so many rows, each as often as its share says and spread evenly.

    Examples
    --------
    >>> evenly((2.0, 1.0), 6)
    (0, 1, 0, 0, 1, 0)
    """
    total = sum(shares)
    owed = [0.0 for _ in shares]
    rows: list[int] = []
    for _ in range(count):
        owed = [value + share / total for value, share in zip(owed, shares, strict=True)]
        best = max(range(len(owed)), key=owed.__getitem__)
        owed[best] -= 1.0
        rows.append(best)
    return tuple(rows)


def plant_of(inputs: FlowInputs, setting: Setting, work: LineWork | None = None, *, filled: bool = True) -> ShopsPlant:
    """Return the plant of one setting.

    Shops that no released model passes are left out. So that the warm-up may be short, conveyors and lines are full at
    the start, and buffers between shops as full as what feeds them is faster than what empties them.

    Parameters
    ----------
    inputs
        Shops and models.
    setting
        What is built, and how fast.
    work
        Work at the stations of the assembly line; None leaves overload out.
    filled
        False leaves the plant empty at the start.
    """
    return _Builder(inputs, setting, work, filled).plant()


def fill_share(rates: Mapping[str, float], shops: Sequence[Shop], here: int) -> float:
    """Return how full the way out of a shop is at the start; a store too full would flatter a short run.

    Parameters
    ----------
    rates
        Cars an hour that the plant could build if one shop alone limited it, by shop; see ``stand_alone_rates``.
    shops
        All shops.
    here
        Number of the shop before the way.
    """
    known = [(index, rates[shop.id]) for index, shop in enumerate(shops) if shop.id in rates]
    before = min(rate for index, rate in known if index <= here)
    behind = min(rate for index, rate in known if index > here)
    return min(max(FILL_SLOPE * (before / behind - 1.0), 0.0), 1.0)


class _Builder:
    def __init__(self, inputs: FlowInputs, setting: Setting, work: LineWork | None, filled: bool) -> None:
        self.inputs, self.setting, self.work, self.filled = inputs, setting, work, filled
        self.shares = shares_of(setting.units_per_year)
        self.routes = routes(inputs, setting.units_per_year)
        self.by_id = {shop.id: index for index, shop in enumerate(inputs.shops)}
        used = {index for route in self.routes for index in route}
        self.test_of = {
            self.by_id[inputs.shops[index].rework]: index for index in sorted(used) if inputs.shops[index].rework
        }
        self.used = tuple(sorted(used | self.test_of.keys()))
        self.cycles_s = {index: cycle_times_s(inputs, inputs.shops[index], setting) for index in self.used}
        self.rates = stand_alone_rates(inputs, setting)
        self.lanes: dict[tuple[str, str], Lane] = {}
        self.next_lane: dict[str, dict[int, Lane | None]] = {}
        self.fail_lane: dict[str, Lane] = {}
        self.sources: dict[str, dict[int, float]] = {}

    def plant(self) -> ShopsPlant:
        for index in self.used:
            self._join_stages(index)
        for model, route in enumerate(self.routes):
            if route:
                self.sources.setdefault(self._stage(route[0], 0), {})[model] = self.shares[model]
                for here, there in pairwise(route):
                    self._last(here)[model] = self._carry(self._way(here, there), model)
                self._last(route[-1])[model] = None
        for rework, test in self.test_of.items():
            self._join_rework(rework, test)
        for lane in self.lanes.values():
            if lane.riding:
                shop = self.inputs.shops[self.by_id[lane.from_shop]]
                times = self.cycles_s[self.by_id[lane.from_shop]]
                mean_s = sum(times[model] * share for model, share in lane.models.items()) / sum(lane.models.values())
                lane.ride_s = lane.riding * mean_s / shop.parallel
        plant = Plant(
            types=tuple(
                CarType(model, model, share=share) for model, share in zip(self.inputs.models, self.shares, strict=True)
            ),
            stations=tuple(station for index in self.used for station in self._stations(index)),
            sources=tuple(self._source(stage, models) for stage, models in self.sources.items()),
            buffers=tuple(self._buffer(lane) for lane in self.lanes.values()),
            shop_names={shop.id: shop.name for shop in self.inputs.shops},
        )
        return ShopsPlant(
            plant=plant,
            shops=tuple(self.inputs.shops[index] for index in self.used),
            ends=tuple((lane.from_shop, lane.to_shop) for lane in self.lanes.values()),
            lanes=tuple(self.lanes.values()),
        )

    def _stage(self, index: int, stage: int) -> str:
        return f"{self.inputs.shops[index].id}.{stage + 1}"

    def _last(self, index: int) -> dict[int, Lane | None]:
        return self.next_lane.setdefault(self._stage(index, self.inputs.shops[index].stages - 1), {})

    def _models_of(self, index: int) -> list[int]:
        through = self.test_of.get(index, index)
        return [model for model, route in enumerate(self.routes) if through in route]

    def _carry(self, lane: Lane, model: int) -> Lane:
        lane.models[model] = self.shares[model]
        return lane

    def _join_stages(self, index: int) -> None:
        shop = self.inputs.shops[index]
        for stage in range(shop.stages - 1):
            here, there = self._stage(index, stage), self._stage(index, stage + 1)
            lane = Lane(f"{here} -> {there}", shop.id, shop.id, there, shop.buffer_between)
            self.lanes[here, there] = lane
            self.next_lane[here] = {model: self._carry(lane, model) for model in self._models_of(index)}

    def _way(self, here: int, there: int) -> Lane:
        shop, target = self.inputs.shops[here], self.inputs.shops[there]
        lane = self.lanes.get((shop.id, target.id))
        if lane is None:
            lane = Lane(f"{shop.id} -> {target.id}", shop.id, target.id, self._stage(there, 0), shop.buffer_after)
            self.lanes[shop.id, target.id] = lane
            if shop.kind is not ShopKind.REWORK:
                lane.stock_places = lane.places
                lane.ready = int(lane.stock_places * fill_share(self.rates, self.inputs.shops, here))
                if shop.kind is not ShopKind.ASSEMBLY:
                    lane.riding = shop.conveyor_places
                    lane.places += lane.riding
        return lane

    def _join_rework(self, rework: int, test: int) -> None:
        shops = self.inputs.shops
        first = self._stage(rework, 0)
        yard = Lane(
            f"{shops[test].id} -> {shops[rework].id}", shops[test].id, shops[rework].id, first, shops[test].buffer_after
        )
        self.lanes[shops[test].id, shops[rework].id] = yard
        self.fail_lane[self._stage(test, shops[test].stages - 1)] = yard
        for model in self._models_of(test):
            self._carry(yard, model)
            there: int | None
            if shops[rework].rejoin:
                there = self.by_id[shops[rework].rejoin]
            else:
                route = self.routes[model]
                place = route.index(test) + 1
                there = route[place] if place < len(route) else None
            if there is None:
                self._last(rework)[model] = None
                continue
            lane = self._carry(self._way(rework, there), model)
            lane.priority = 0
            self._last(rework)[model] = lane

    def _ways(self, stage: str) -> tuple[Way, ...]:
        by_lane: dict[str, list[int]] = {}
        for model, lane in self.next_lane[stage].items():
            by_lane.setdefault("" if lane is None else lane.name, []).append(model)
        return tuple(
            Way((name,) if name else (), tuple(self.inputs.models[model] for model in models))
            for name, models in by_lane.items()
        )

    def _test(self, stage: str, shop: Shop) -> Test | None:
        if stage not in self.fail_lane:
            return None
        return Test(
            first_pass_yield=pass_shares(self.inputs, shop, self.setting),
            fail_to=(self.fail_lane[stage].name,),
            retest_yield=shop.retest_yield,
        )

    def _failures(self, shop: Shop) -> tuple[Failure, ...]:
        if shop.mtbf_s is None or shop.mttr_s is None:
            return ()
        often = self.setting.guest_failure_multiplier if is_guests_own(self.inputs, shop) else 1.0
        return (Failure("stop", Time.exponential(shop.mtbf_s / often), Time.exponential(shop.mttr_s)),)

    def _times(self, index: int) -> tuple[Time, ...]:
        exponential = self.inputs.shops[index].exponential
        return tuple(Time.exponential(time) if exponential else Time(time) for time in self.cycles_s[index])

    def _stations(self, index: int) -> list[Station | MovingLine]:
        shop = self.inputs.shops[index]
        if shop.kind is ShopKind.ASSEMBLY:
            return list(self._lines(index))
        built: list[Station | MovingLine] = []
        for stage in range(shop.stages):
            name = self._stage(index, stage)
            built.append(
                Station(
                    id=name,
                    cycle=self._times(index),
                    ways=self._ways(name),
                    shop=shop.id,
                    machines=shop.parallel,
                    failures=self._failures(shop),
                    test=self._test(name, shop),
                    scrap_share=shop.scrap_share if stage == shop.stages - 1 else 0.0,
                )
            )
        return built

    def _lines(self, index: int) -> list[MovingLine]:
        """Return the segments of an assembly line: the balanced stations in order, on places shared out evenly."""
        shop, work = self.inputs.shops[index], self.work
        rows = work.work_s if work else ()
        none = (0.0,) * len(self.inputs.models)
        models = self._models_of(index)
        mix = tuple(self.shares[model] for model in models)
        takt = self._times(index)
        lines = []
        for stage in range(shop.stages):
            name = self._stage(index, stage)
            own = rows[len(rows) * stage // shop.stages : len(rows) * (stage + 1) // shop.stages]
            places = shop.conveyor_places * (stage + 1) // shop.stages - shop.conveyor_places * stage // shop.stages
            stations = max(1, places, len(own))
            line = MovingLine(
                id=name,
                stations=stations,
                takt=takt,
                ways=self._ways(name),
                shop=shop.id,
                failures=self._failures(shop),
                test=self._test(name, shop),
                filled=tuple(self.inputs.models[models[row]] for row in evenly(mix, self.filled * (stations - 1))),
            )
            if work is not None and own:
                length_s = work.station_length_share * self.setting.takt_s / self.setting.line_speed_share
                line = replace(
                    line,
                    work_s=own + (none,) * (stations - len(own)),
                    length_s=(length_s,),
                    utility_workers=work.utility_workers,
                    stops=work.stops,
                )
            lines.append(line)
        return lines

    def _source(self, stage: str, models: dict[int, float]) -> Source:
        names = self.inputs.models
        own = {names[model] for model in models}
        order: tuple[str, ...] = ()
        interval = None
        if self.inputs.release is Release.PACED:
            units_per_h = sum(models.values()) * sum(self.setting.units_per_year) / hours_per_year(self.inputs)
            interval = Time(3600.0 / units_per_h)
        elif self.work is not None:
            order = tuple(name for name in self.work.order if name in own)
        return Source(
            id=f"release {stage}",
            to=stage,
            shares=tuple((names[model], share) for model, share in models.items()),
            order=order if set(order) == own else (),
            interval=interval,
        )

    def _buffer(self, lane: Lane) -> Buffer:
        models = sorted(lane.models)
        rows = evenly(tuple(lane.models[model] for model in models), self.filled * (lane.ready + lane.riding))
        cars = tuple(self.inputs.models[models[row]] for row in rows)
        return Buffer(
            id=lane.name,
            to=lane.to,
            places=lane.places,
            transport_s=lane.ride_s,
            priority=lane.priority,
            share=sum(lane.models.values()),
            filled=cars[: lane.ready],
            riding=cars[lane.ready :],
        )
