"""Turns a plant into the arrays of the event calendar."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.plant import (
    Blocking,
    Buffer,
    Choose,
    EmptyPlace,
    FailedCar,
    Failure,
    FailureClock,
    MovingLine,
    Pick,
    Plant,
    Source,
    Station,
    Time,
    TimeKind,
    Way,
)
from coachbuilder.plant.flow.record import BINS_PER_BATCH, CAR_SUMS, MACHINE_SUMS, Names
from coachbuilder.plant.flow.streams.tables import quantiles

if TYPE_CHECKING:
    from coachbuilder.plant.flow.engine.kernels import State

KINDS = (TimeKind.FIXED, TimeKind.EXPONENTIAL, TimeKind.GAMMA, TimeKind.LOGNORMAL, TimeKind.EMPIRICAL)
PICKS = (Pick.SHARE, Pick.OLDEST, Pick.LONGEST, Pick.SAME, Pick.SEQUENCE)
CHOICES = (Choose.LEAST, Choose.FIRST, Choose.SHARE, Choose.SAME)
FAILED_CARS = (FailedCar.RESUME, FailedCar.RESTART, FailedCar.SCRAP)

WARMEST_MODES = 60
"""Failures on the plant's clock and maintenance that one machine may have: their turns are bits of one number."""


MOST_LOOPS = 60
"""Carrier loops of a plant: those whose carriers a car has are bits of one number."""


def key_of(seed: int, name: str) -> int:
    """Return the key of a random stream: it depends on the seed and on the name of whose luck it is only.

    Examples
    --------
    >>> key_of(1, "paint.1") == key_of(1, "paint.1") != key_of(1, "paint.2")
    True
    """
    return int.from_bytes(blake2b(f"{seed}|{name}".encode(), digest_size=8).digest(), "little")


def machine_names(station: Station | MovingLine) -> tuple[str, ...]:
    """Return the names of a station's machines; a moving line is one machine of its own name."""
    if isinstance(station, MovingLine):
        return (station.id,)
    return tuple(f"{station.id}.{number + 1}" for number in range(station.machines))


class TimeRows:
    """Collects times as rows for the kernels; equal times share a row."""

    def __init__(self) -> None:
        self.rows: dict[Time, int] = {}

    def row(self, time: Time) -> int:
        """Return the row of a time."""
        return self.rows.setdefault(time, len(self.rows))

    def arrays(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return the rows, and the values of the empirical and the tables of the gamma and lognormal ones."""
        from coachbuilder.plant.flow.streams import kernels as streams

        times = np.zeros(max(len(self.rows), 1), streams.TIME)
        values: list[NDArray[np.float64]] = [np.zeros(1)]
        size = 1
        tables: dict[tuple[TimeKind, float], int] = {}
        for time, row in self.rows.items():
            times["mean_s"][row] = time.mean_s
            tabled = time.kind in (TimeKind.GAMMA, TimeKind.LOGNORMAL)
            times["kind"][row] = 0 if tabled and time.cv == 0.0 else KINDS.index(time.kind)
            if not tabled:
                own = np.array(time.values_s)
            elif time.cv > 0.0 and (time.kind, time.cv) not in tables:
                own = quantiles(time.kind, time.cv).ravel()
                tables[time.kind, time.cv] = size
            else:
                times["first"][row] = tables.get((time.kind, time.cv), 0)
                continue
            times["first"][row] = size
            size += own.size
            times["last"][row] = size
            values.append(own)
        return times, np.concatenate(values)


@dataclass(frozen=True, slots=True)
class Network:
    """A plant as arrays, and what the rows are called."""

    state: State
    """A run before it begins; copied for every replication."""
    names: Names
    """Names of the rows."""
    buffer_row: NDArray[np.int64]
    """Lane of every buffer, in the order of the plant."""
    has_loop: bool
    """Whether cars or carriers can come back to where they were."""


def build(plant: Plant, *, seed: int, batches: int, trace_rows: int = 0) -> Network:
    """Return the arrays of a plant.

    Parameters
    ----------
    plant
        A plant whose names agree.
    seed
        Seed of all streams.
    batches
        Batches of a run.
    trace_rows
        Rows of the trace; 0 for none.

    Raises
    ------
    ValueError
        If a name is unknown, or a figure or a combination cannot be simulated; plant files are checked before.
    """
    _refuse(plant)
    return _Builder(plant, seed).build(batches, trace_rows)


def _refuse(plant: Plant) -> None:
    """Raise what the event calendar would take for something else; ``checks`` tells it of plant files by field."""
    for station in plant.stations:
        reason = ""
        if isinstance(station, MovingLine):
            if any(item.car is not FailedCar.RESUME for item in (*station.failures, *station.station_failures)):
                reason = "work on a moving line goes on after a failure"
        elif station.blocking is Blocking.BEFORE_SERVICE:
            places = {item.id: item.places for item in plant.buffers}
            if any(len(way.to) > 1 for way in station.ways):
                reason = "blocking before service needs one buffer behind it"
            elif any(places.get(name) == 0 for way in station.ways for name in way.to):
                reason = "blocking before service needs places behind it"
            elif station.batch is not None or station.lose_when_full:
                reason = "blocking before service goes with no batch and no lose_when_full"
        if reason:
            message = f"{station.id}: {reason}"
            raise ValueError(message)
    for key in ("load", "unload"):
        ends = [getattr(loop, key) for loop in plant.carriers]
        for name in ends:
            if ends.count(name) > 1:
                message = f"{name}: two carrier loops {key} here"
                raise ValueError(message)
    if len(plant.carriers) > MOST_LOOPS:
        message = f"more than {MOST_LOOPS} carrier loops"
        raise ValueError(message)


class _Builder:
    def __init__(self, plant: Plant, seed: int) -> None:
        self.plant = plant
        self.seed = seed
        self.times = TimeRows()
        self.station_row = {station.id: row for row, station in enumerate(plant.stations)}
        self.type_row = {item.id: row for row, item in enumerate(plant.types)}
        families = list(dict.fromkeys(item.family for item in plant.types))
        self.family = np.array([families.index(item.family) for item in plant.types], dtype=np.int64)
        self.families = families
        self.lanes: list[Buffer | Source] = sorted(
            [*plant.buffers, *plant.sources], key=lambda lane: (self._station(lane.to), lane.priority)
        )
        self.lane_row = {lane.id: row for row, lane in enumerate(self.lanes) if isinstance(lane, Buffer)}
        self.groups: dict[tuple[int, ...], Choose] = {}

    def _station(self, name: str) -> int:
        if name not in self.station_row:
            message = f"there is no station named {name}"
            raise ValueError(message)
        return self.station_row[name]

    def _group(self, to: tuple[str, ...], choose: Choose) -> int:
        if not to:
            return -1
        for name in to:
            if name not in self.lane_row:
                message = f"there is no buffer named {name}"
                raise ValueError(message)
        lanes = tuple(self.lane_row[name] for name in to)
        self.groups.setdefault(lanes, choose)
        return list(self.groups).index(lanes)

    def build(self, batches: int, trace_rows: int) -> Network:
        from coachbuilder.plant.flow.engine import kernels

        plant = self.plant
        types = len(plant.types)
        cell = np.zeros(len(plant.stations), kernels.CELL)
        cell_type = np.zeros((len(plant.stations), types), kernels.CELL_TYPE)
        self._cells(cell, cell_type)
        machine, mode, hold_size = self._machines(cell)
        place, place_work, places = self._places(cell)
        lane, share, order, ring_size = self._lanes()
        group, group_lane = self._groups()
        for row, item in enumerate(group):
            lane["group"][group_lane[item["first"] : item["last"]]] = row
        self._settle_cells(cell, mode, machine, lane)
        set_up = self._set_ups(cell)
        pool = self._pools(cell)
        shift, shift_cell, windows = self._shifts()
        event_kind, event_row, first_other = self._events(machine, lane, mode, pool, shift)
        crew = np.zeros(max(len(plant.crews), 1), kernels.CREW)
        crew["free"][: len(plant.crews)] = [item.size for item in plant.crews]
        leaves = 1
        while leaves < max(event_kind.size, 2):
            leaves *= 2
        slots = np.zeros(ring_size + machine.size + hold_size + 2, kernels.SLOT)
        slots["free"] = np.arange(slots.size)
        clock = np.zeros(1, kernels.CLOCK)
        clock["free_slots"] = slots.size
        clock["leaves"] = leaves
        clock["first_other"] = first_other
        clock["bin"] = -1
        clock["stuck_cell"] = -1
        has_loop = self._has_loop(cell, cell_type, lane, group, group_lane)
        clock["has_loop"] = int(has_loop)
        times, values = self.times.arrays()
        filled, entered_s = self._opening(cell, machine)
        count = batches + 1
        core = kernels.Core(
            cell=cell,
            cell_type=cell_type,
            machine=machine,
            lane=lane,
            group=group,
            group_lane=group_lane,
            ring=np.zeros(ring_size, kernels.PLACE_IN_LANE),
            slot=slots,
            family=self.family,
            node_s=np.full(2 * leaves, np.inf),
            node_event=np.zeros(2 * leaves, dtype=np.int64),
            todo=np.zeros(8 * (cell.size + machine.size + group.size) + 64, dtype=np.int64),
            stack=np.zeros(4 * (cell.size + machine.size + group.size) + 64, dtype=np.int64),
            clock=clock,
        )
        luck = kernels.Luck(
            mode=mode,
            time=times,
            value_s=values,
            crew=crew,
            frozen_s=np.full(leaves, np.inf),
            set_up_s=set_up,
            share=share,
            order=order,
        )
        yard = kernels.Yard(
            hold=np.full(max(hold_size, 1), -1, dtype=np.int64),
            hold_kind=np.full(max(hold_size, 1), -1, dtype=np.int64),
            overloaded=np.zeros(place.size, dtype=np.int64),
            place=place,
            place_work_s=place_work,
            pool=pool,
            pool_due_s=np.zeros(max(int(pool["carriers"].sum()), 1)),
            stuck=np.zeros(cell.size, dtype=np.bool_),
            fed=np.zeros(cell.size, dtype=np.bool_),
        )
        rota = kernels.Rota(shift, shift_cell, windows, event_kind, event_row)
        sums = kernels.Sums(
            finished=np.zeros((machine.size, types), dtype=np.int64),
            car=np.zeros((types, CAR_SUMS), dtype=np.int64),
            lead_s=np.zeros(types),
            left_s=np.zeros(types),
            out=np.zeros((batches * BINS_PER_BATCH, types), dtype=np.int64),
            trace=np.zeros((trace_rows, 5)),
        )
        snaps = kernels.Snaps(
            snap_machine=np.zeros((count, machine.size, MACHINE_SUMS)),
            snap_finished=np.zeros((count, machine.size, types), dtype=np.int64),
            snap_level=np.zeros((count, lane.size)),
            snap_inside=np.zeros(count),
            snap_car=np.zeros((count, types, CAR_SUMS), dtype=np.int64),
            snap_lead=np.zeros((count, types)),
            snap_place=np.zeros((count, place.size, 3)),
            snap_carriers=np.zeros((count, len(plant.carriers))),
        )
        opening = kernels.Opening(
            filled=np.array(filled, dtype=np.int64).reshape(-1, 2),
            entered_s=np.array(entered_s),
            at_start=np.zeros(types, dtype=np.int64),
            remaining=np.zeros(types, dtype=np.int64),
        )
        state = kernels.State(core, luck, yard, rota, sums, snaps, opening)
        machines = [(name, row) for row, item in enumerate(plant.stations) for name in machine_names(item)]
        names = Names(
            machines=tuple(name for name, _ in machines),
            machine_station=tuple(row for _, row in machines),
            buffers=tuple(item.id for item in plant.buffers),
            types=tuple(item.id for item in plant.types),
            places=tuple(places),
            carriers=tuple(item.id for item in plant.carriers),
        )
        rows = np.array([self.lane_row[item.id] for item in plant.buffers], dtype=np.int64)
        return Network(state, names, rows, has_loop)

    def _opening(self, cell: NDArray[Any], machine: NDArray[Any]) -> tuple[list[tuple[int, int]], list[float]]:
        """Return where the cars inside at the start stand, and when they entered there."""
        filled: list[tuple[int, int]] = []
        entered_s: list[float] = []
        for item in self.plant.buffers:
            riding = len(item.riding)
            if len(item.filled) + riding > item.places:
                message = f"buffer {item.id} has {item.places} places and {len(item.filled) + riding} cars at the start"
                raise ValueError(message)
            filled += [(self.lane_row[item.id], self.type_row[name]) for name in (*item.filled, *item.riding)]
            entered_s += [-item.transport_s] * len(item.filled)
            entered_s += [item.transport_s * ((place + 1) / riding - 1.0) for place in range(riding)]
        for row, station in enumerate(self.plant.stations):
            if isinstance(station, MovingLine):
                if len(station.filled) >= station.stations:
                    message = f"line {station.id} may have {station.stations - 1} cars at the start"
                    raise ValueError(message)
                number = int(cell["first_machine"][row])
                filled += [(-1 - number, self.type_row[name]) for name in station.filled]
                entered_s += [0.0] * len(station.filled)
                if station.filled:
                    takt = station.takt[self.type_row[station.filled[-1]] if len(station.takt) > 1 else 0]
                    machine["takt_s"][number] = takt.mean_s
        return filled, entered_s

    def _cells(self, cell: NDArray[Any], cell_type: NDArray[Any]) -> None:
        first = 0
        lane_cells = [self._station(lane.to) for lane in self.lanes]
        for row, station in enumerate(self.plant.stations):
            count = len(machine_names(station))
            cell["first_machine"][row], cell["last_machine"][row] = first, first + count
            first += count
            cell["first_lane"][row] = sum(item < row for item in lane_cells)
            cell["last_lane"][row] = sum(item <= row for item in lane_cells)
            cell["rule"][row] = PICKS.index(station.pick)
            cell["fail_group"][row] = -1
            cell["load_pool"][row] = cell["unload_pool"][row] = cell["set_up"][row] = -1
            cell["size"][row] = 1
            cell["quality"][row] = key_of(self.seed, machine_names(station)[0])
            if station.test is not None:
                cell["fail_group"][row] = self._group(station.test.fail_to, station.test.choose)
                cell["retest_share"][row] = station.test.retest_yield
                cell_type["pass_share"][row] = station.test.first_pass_yield
            cell_type["group"][row] = self._ways(station.ways)
            cycle = station.takt if isinstance(station, MovingLine) else station.cycle
            for column in range(len(self.plant.types)):
                time = cycle[column if len(cycle) > 1 else 0]
                fixed = time.kind is TimeKind.FIXED or (
                    time.kind in (TimeKind.GAMMA, TimeKind.LOGNORMAL) and time.cv == 0.0
                )
                cell_type["fixed_s"][row, column] = time.mean_s if fixed else -1.0
                cell_type["time"][row, column] = self.times.row(time)
            if isinstance(station, MovingLine):
                cell["kind"][row] = 1
                cell["size"][row] = station.stations
                cell["gap"][row] = int(station.empty_place is EmptyPlace.GAP)
                cell["works"][row] = int(bool(station.work_s))
                cell["utility"][row] = station.utility_workers
                cell["stops"][row] = int(station.stops)
                cell["work_time"][row] = (
                    self.times.row(Time.gamma(1.0, station.work_cv)) if station.work_cv > 0.0 else -1
                )
            else:
                cell["scrap_share"][row] = station.scrap_share
                cell["before"][row] = int(station.blocking is Blocking.BEFORE_SERVICE)
                cell["loses"][row] = int(station.lose_when_full)
                if station.batch is not None:
                    cell["kind"][row] = 2
                    cell["size"][row] = station.batch.size
                    cell["same"][row] = int(station.batch.same_family)

    def _ways(self, ways: tuple[Way, ...]) -> list[int]:
        groups = [-1] * len(self.plant.types)
        for way in sorted(ways, key=lambda item: bool(item.types)):
            group = self._group(way.to, way.choose)
            for name in way.types or self.type_row:
                if name not in self.type_row:
                    message = f"there is no type of car named {name}"
                    raise ValueError(message)
                groups[self.type_row[name]] = group
        return groups

    def _machines(self, cell: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], int]:
        from coachbuilder.plant.flow.engine import kernels

        count = int(cell["last_machine"][-1])
        machine = np.zeros(count, kernels.MACHINE)
        machine["car"] = machine["reserved"] = machine["repaired"] = machine["family"] = -1
        machine["wanted"] = machine["taken_family"] = -1
        machine["ended_s"] = machine["active_from_s"] = -1.0
        machine["active_count"] = -1
        modes: list[tuple[Any, ...]] = []
        crews = {crew.id: row for row, crew in enumerate(self.plant.crews)}
        hold = 0
        row = 0
        for index, station in enumerate(self.plant.stations):
            for name in machine_names(station):
                machine["cell"][row] = index
                machine["service"][row] = key_of(self.seed, name)
                machine["first_hold"][row] = hold
                if cell["kind"][index] != 0:
                    hold += int(cell["size"][index])
                machine["first_mode"][row] = len(modes)
                modes.extend(self._modes(station, name, row, crews))
                machine["last_mode"][row] = len(modes)
                row += 1
        mode = np.zeros(max(len(modes), 1), kernels.MODE)
        if modes:
            mode[:] = modes
        return machine, mode, hold

    def _modes(
        self, station: Station | MovingLine, name: str, machine: int, crews: dict[str, int]
    ) -> list[tuple[Any, ...]]:
        listed: list[tuple[Failure, str]] = [(item, f"{name}|{item.id}") for item in station.failures]
        if isinstance(station, MovingLine):
            listed += [
                (item, f"{name}.{place + 1}|{item.id}")
                for place in range(station.stations)
                for item in station.station_failures
            ]
        on_clock = [item for item in listed if item[0].clock is FailureClock.PLANT]
        at_work = [item for item in listed if item[0].clock is FailureClock.WORKING]
        rows = [self._mode(item, key, machine, crews) for item, key in on_clock]
        maintenance = station.maintenance if isinstance(station, Station) else None
        if maintenance is not None:
            first = maintenance.every_s if maintenance.first_s is None else maintenance.first_s
            every, length = self.times.row(Time(maintenance.every_s)), self.times.row(Time(maintenance.length_s))
            rows.append((machine, 2, every, length, 0, -1, 0, 0, 0, 0, 0.0, 0, first))
        if len(rows) > WARMEST_MODES:
            message = f"{name}: more than {WARMEST_MODES} failures on the plant's clock"
            raise ValueError(message)
        return rows + [self._mode(item, key, machine, crews) for item, key in at_work]

    def _mode(self, failure: Failure, key: str, machine: int, crews: dict[str, int]) -> tuple[Any, ...]:
        if failure.crew and failure.crew not in crews:
            message = f"there is no crew named {failure.crew}"
            raise ValueError(message)
        return (
            machine,
            int(failure.clock is FailureClock.PLANT),
            self.times.row(failure.to_failure),
            self.times.row(failure.to_repair),
            FAILED_CARS.index(failure.car),
            crews[failure.crew] if failure.crew else -1,
            key_of(self.seed, key),
            0,
            0,
            0,
            0.0,
            -1,
            0.0,
        )

    def _places(self, cell: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float64], list[str]]:
        from coachbuilder.plant.flow.engine import kernels

        lengths: list[float] = []
        work: list[tuple[float, ...]] = []
        names: list[str] = []
        for row, station in enumerate(self.plant.stations):
            if not isinstance(station, MovingLine):
                continue
            cell["first_place"][row] = len(names)
            for number in range(station.stations):
                names.append(f"{station.id}.{number + 1}")
                length = station.length_s or (0.0,)
                lengths.append(length[number if len(length) > 1 else 0])
                work.append(station.work_s[number] if station.work_s else (0.0,) * len(self.plant.types))
        place = np.zeros(len(names), kernels.PLACE)
        place["length_s"] = lengths
        return place, np.array(work).reshape(len(names), len(self.plant.types)), names

    def _lanes(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64], int]:
        from coachbuilder.plant.flow.engine import kernels

        lane = np.zeros(len(self.lanes), kernels.LANE)
        totals: dict[tuple[int, int], float] = {}
        for item in self.lanes:
            owner = (self._station(item.to), item.priority)
            totals[owner] = totals.get(owner, 0.0) + item.share
        sources = self.plant.sources
        share = np.zeros((max(len(sources), 1), len(self.plant.types)), kernels.SHARE)
        order: list[int] = []
        places = 0
        for row, item in enumerate(self.lanes):
            owner = (self._station(item.to), item.priority)
            lane["cell"][row], lane["priority"][row] = owner
            lane["weight"][row] = item.share / totals[owner] if totals[owner] > 0.0 else 0.0
            lane["group"][row] = lane["event"][row] = lane["last_family"][row] = -1
            lane["interval"][row] = lane["limit"][row] = lane["only"][row] = -1
            if isinstance(item, Source):
                lane["source"][row] = 1
                self._source(item, lane, row, sources.index(item), share, order)
                continue
            lane["capacity"][row] = item.places
            lane["ride_s"][row] = item.transport_s
            lane["ring_start"][row] = places
            lane["ring_size"][row] = max(item.places, 1)
            lane["entry_weight"][row] = item.share
            places += max(item.places, 1)
        return lane, share, np.array(order or [0], dtype=np.int64), max(places, 1)

    def _source(
        self,
        source: Source,
        lane: NDArray[Any],
        row: int,
        number: int,
        share: NDArray[Any],
        order: list[int],
    ) -> None:
        shares = dict(source.shares) or {item.id: item.share for item in self.plant.types}
        total = sum(shares.values())
        for name, part in shares.items():
            share["share"][number, self.type_row[name]] = part / total
        lane["mix"][row] = number
        lane["first_order"][row] = lane["order_at"][row] = len(order)
        order.extend(self.type_row[name] for name in source.order)
        lane["last_order"][row] = len(order)
        lane["stream"][row] = key_of(self.seed, f"source|{source.id}")
        if source.interval is not None:
            lane["interval"][row] = self.times.row(source.interval)
        if source.limit is not None:
            lane["limit"][row] = source.limit
        kinds = np.flatnonzero(share["share"][number] > 0.0)
        if source.interval is None and source.limit is None and not source.order and kinds.size == 1:
            lane["only"][row] = kinds[0]

    def _groups(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        from coachbuilder.plant.flow.engine import kernels

        # A buffer that no way names still needs a group, where nobody ever waits.
        named = {item for lanes in self.groups for item in lanes}
        for buffer in self.lane_row.values():
            if buffer not in named:
                self.groups.setdefault((buffer,), Choose.LEAST)
        group = np.zeros(max(len(self.groups), 1), kernels.GROUP)
        members: list[int] = []
        for row, (lanes, choose) in enumerate(self.groups.items()):
            group["first"][row] = len(members)
            members.extend(lanes)
            group["last"][row] = len(members)
            group["lane"][row] = lanes[0] if len(lanes) == 1 else -1
            group["rule"][row] = CHOICES.index(choose)
        if len(set(members)) < len(members):
            message = "a buffer belongs to two groups"
            raise ValueError(message)
        return group, np.array(members or [0], dtype=np.int64)

    def _settle_cells(self, cell: NDArray[Any], mode: NDArray[Any], machine: NDArray[Any], lane: NDArray[Any]) -> None:
        for row, station in enumerate(self.plant.stations):
            failures = station.failures
            if isinstance(station, MovingLine):
                failures += station.station_failures
            any_time = [item for item in failures if item.clock is FailureClock.PLANT]
            cell["crewed"][row] = int(
                any(item.crew for item in failures)
                or any(item.car is not FailedCar.RESUME for item in any_time)
                or 0 < len(any_time) < len(failures)
            )
            cell["judged"][row] = int(cell["fail_group"][row] >= 0 or cell["scrap_share"][row] > 0.0)
            fed_by = range(cell["first_lane"][row], cell["last_lane"][row])
            cell["wakes"][row] = int(any(lane["ride_s"][item] > 0.0 or lane["interval"][item] >= 0 for item in fed_by))
            direct = (
                isinstance(station, Station)
                and station.batch is None
                and station.blocking is Blocking.AFTER_SERVICE
                and station.pick is not Pick.SAME
                and not any(loop.load == station.id for loop in self.plant.carriers)
            )
            has_set_up = isinstance(station, Station) and station.set_up is not None
            scraps = any(item.car is FailedCar.SCRAP for item in failures)
            if not direct:
                cell["direct"][row] = 0
            elif has_set_up or (scraps and not cell["crewed"][row]):
                cell["direct"][row] = 2
            else:
                cell["direct"][row] = 3 if cell["crewed"][row] else 1
        if self.groups:
            for lanes in self.groups:
                total = sum(lane["entry_weight"][item] for item in lanes)
                for item in lanes:
                    lane["entry_weight"][item] = lane["entry_weight"][item] / total if total > 0.0 else 0.0

    def _set_ups(self, cell: NDArray[Any]) -> NDArray[np.float64]:
        count = len(self.families)
        matrices: list[NDArray[np.float64]] = []
        for row, station in enumerate(self.plant.stations):
            if isinstance(station, MovingLine) or station.set_up is None:
                continue
            matrix = np.full((count, count), station.set_up.time_s)
            np.fill_diagonal(matrix, 0.0)
            for before, after, time_s in station.set_up.pairs:
                matrix[self.families.index(before), self.families.index(after)] = time_s
            cell["set_up"][row] = len(matrices)
            matrices.append(matrix)
        return np.array(matrices) if matrices else np.zeros((1, count, count))

    def _pools(self, cell: NDArray[Any]) -> NDArray[Any]:
        from coachbuilder.plant.flow.engine import kernels

        pool = np.zeros(len(self.plant.carriers), kernels.POOL)
        start = 0
        for row, loop in enumerate(self.plant.carriers):
            load = self._station(loop.load)
            pool["carriers"][row] = pool["free"][row] = loop.carriers
            pool["return_s"][row] = loop.return_s
            pool["cell"][row] = load
            pool["event"][row] = -1
            pool["ring_start"][row] = start
            start += loop.carriers
            cell["load_pool"][load] = row
            cell["unload_pool"][self._station(loop.unload)] = row
        return pool

    def _shifts(self) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.float64]]:
        from coachbuilder.plant.flow.engine import kernels

        used = [
            item for item in self.plant.calendars if any(station.calendar == item.id for station in self.plant.stations)
        ]
        rows: list[tuple[float, float]] = []
        cells: list[int] = []
        kept: list[tuple[Any, ...]] = []
        for calendar in used:
            merged: list[tuple[float, float]] = []
            for start, end in calendar.windows_s:
                if merged and start <= merged[-1][1]:
                    merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
                else:
                    merged.append((start, end))
            if merged == [(0.0, calendar.period_s)]:
                continue
            first, first_cell = len(rows), len(cells)
            rows.extend(merged)
            cells.extend(row for row, station in enumerate(self.plant.stations) if station.calendar == calendar.id)
            kept.append((first, len(rows), calendar.period_s, first, 0, 0, -1, first_cell, len(cells)))
        known = {item.id for item in self.plant.calendars}
        for station in self.plant.stations:
            if station.calendar and station.calendar not in known:
                message = f"there is no calendar named {station.calendar}"
                raise ValueError(message)
        shift = np.zeros(len(kept), kernels.SHIFT)
        if kept:
            shift[:] = kept
        return shift, np.array(cells or [0], dtype=np.int64), np.array(rows or [(0.0, 0.0)])

    def _events(
        self,
        machine: NDArray[Any],
        lane: NDArray[Any],
        mode: NDArray[Any],
        pool: NDArray[Any],
        shift: NDArray[Any],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        kinds = [0] * machine.size
        rows = list(range(machine.size))
        # Buffers in the order of the plant, then sources: so simultaneous arrivals are served.
        by_name = {id(item): row for row, item in enumerate(self.lanes)}
        for item in (*self.plant.buffers, *self.plant.sources):
            row = by_name[id(item)]
            lane["event"][row] = -1
            if lane["ride_s"][row] > 0.0 or lane["interval"][row] >= 0:
                lane["event"][row] = len(kinds)
                kinds.append(1)
                rows.append(row)
        for kind, table, wanted in (
            (2, mode, (mode["clock"] > 0)),
            (3, pool, pool["return_s"] > 0.0),
            (4, shift, np.ones(shift.size, dtype=np.bool_)),
        ):
            for row in range(table.size):
                table["event"][row] = -1
                if wanted[row]:
                    table["event"][row] = len(kinds)
                    kinds.append(kind)
                    rows.append(row)
        first_other = machine.size + sum(kind == 1 for kind in kinds)
        return np.array(kinds, dtype=np.int64), np.array(rows, dtype=np.int64), first_other

    def _has_loop(
        self,
        cell: NDArray[Any],
        cell_type: NDArray[Any],
        lane: NDArray[Any],
        group: NDArray[Any],
        group_lane: NDArray[np.int64],
    ) -> bool:
        """Tell whether the ways of the plant have a cycle, or carriers return."""
        if self.plant.carriers:
            return True
        follows: list[set[int]] = []
        for row in range(cell.size):
            targets = {int(item) for item in cell_type["group"][row]} | {int(cell["fail_group"][row])}
            follows.append(
                {
                    int(lane["cell"][item])
                    for target in targets
                    if target >= 0
                    for item in group_lane[group["first"][target] : group["last"][target]]
                }
            )
        # Kahn: cells that nothing leads to are taken away until none is left, or a cycle is.
        incoming = [0] * cell.size
        for targets in follows:
            for target in targets:
                incoming[target] += 1
        ready = [row for row, number in enumerate(incoming) if number == 0]
        gone = 0
        while ready:
            row = ready.pop()
            gone += 1
            for target in follows[row]:
                incoming[target] -= 1
                if incoming[target] == 0:
                    ready.append(target)
        return gone < cell.size
