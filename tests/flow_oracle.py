"""A slow, readable simulator of any plant, written from the rules in ``plant/flow/plant.py`` alone.

Objects, queues and a heap; every sum is an integral taken from event to event. It shares the tables of quantiles with
the engine, but no code, and draws the same random numbers from streams of its own. Where the rules leave a detail open,
the simplest thing is done.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.plant import (
    Batch,
    Blocking,
    Buffer,
    CarrierLoop,
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
from coachbuilder.plant.flow.streams.tables import PARTS, quantiles

STARTED, FINISHED, LEFT, GIVEN_UP, HELD, LOST, FAILED, REPAIRED = range(8)
WORKING, DOWN, BLOCKED, SET_UP, PLANNED, OFF, STOPPED, ACTIVE, ACTIVE_COUNT = range(9)
CAME_IN, CAR_LEFT, CAR_GIVEN_UP, CAR_LOST, TESTED, PASSED = range(6)
SERVICE, TO_FAILURE, TO_REPAIR, QUALITY, SCRAP, INTERVAL, WORK = range(1, 8)

TIE = 1e-12
T = TypeVar("T")
BINS = 5


# Random numbers ------------------------------------------------------------------------------------------------------

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_MIX = 0xBF58476D1CE4E5B9


def key_of(seed: int, name: str) -> int:
    return int.from_bytes(blake2b(f"{seed}|{name}".encode(), digest_size=8).digest(), "little")


def _scrambled(bits: int) -> int:
    bits = ((bits ^ (bits >> 30)) * _MIX) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)


def _uniform(base: int, number: int) -> float:
    return (_scrambled((base + (number + 1) * _GOLDEN) & _MASK) >> 11) / 2**53


class Stream:
    """Draws of one name for one purpose in one replication."""

    def __init__(self, seed: int, name: str, purpose: int, replication: int) -> None:
        base = _scrambled((key_of(seed, name) + purpose * _GOLDEN) & _MASK)
        self.base = _scrambled(base ^ ((replication * _MIX + _GOLDEN) & _MASK))
        self.taken = 0

    def uniform(self) -> float:
        self.taken += 1
        return _uniform(self.base, self.taken - 1)

    def time(self, time: Time) -> float:
        self.taken += 1
        return drawn(time, self.base, self.taken - 1)


def drawn(time: Time, base: int, number: int) -> float:
    """Return draw ``number`` of a time."""
    if time.kind is TimeKind.FIXED:
        return time.mean_s
    if time.kind is TimeKind.EXPONENTIAL:
        return -time.mean_s * math.log(1.0 - _uniform(base, number))
    if time.kind is TimeKind.EMPIRICAL:
        return time.values_s[int(_uniform(base, number) * len(time.values_s))]
    whole = _scrambled((base + (number + 1) * _GOLDEN) & _MASK) >> 11
    above = whole >= 2**52
    odd = 2 * (2**53 - 1 - whole if above else whole) + 1
    octave = odd.bit_length() - 1
    part, share = divmod((odd / 2**octave - 1.0) * PARTS, 1.0)
    one, two, three, four = (
        float(number) for number in quantiles(time.kind, time.cv)[int(above), octave * PARTS + int(part)]
    )
    return time.mean_s * (one + share * (two + share * (three + share * four)))


# Things --------------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Car:
    type: int
    family: str
    serial: int
    entered_s: float
    tries: int = 0
    carriers: set[int] = field(default_factory=set)
    reserved: Lane | None = None
    leaves: Cell | None = None
    """Station that passes it on or holds it."""
    target: tuple[list[Lane], Choose] | None = None
    """Where it goes while it is held."""


@dataclass(eq=False)
class Mode:
    """One way in which one machine fails."""

    failure: Failure
    to_failure: Stream
    to_repair: Stream
    next: float = math.inf
    """Work or time at which it comes next."""

    @property
    def by_work(self) -> bool:
        return self.failure.clock is FailureClock.WORKING


@dataclass(eq=False)
class Phase:
    """A part of a job."""

    kind: int
    left: float
    full: float
    down_share: float = 0.0
    """Repairs that were settled beforehand, as a share of it."""


@dataclass(eq=False)
class Machine:
    row: int
    cell: Cell
    service: Stream
    modes: list[Mode]
    settles: bool
    state: str = "free"
    """free, job, passing (its cars on), held (with a finished car) or waiting (for a place, before service)."""
    cars: list[Car] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    batch_lane: Lane | None = None
    scraps: bool = False
    """Whether the settled job ends with its car given up."""
    worked: float = 0.0
    last_family: str | None = None
    """Family of the car last in work."""
    taken_family: str | None = None
    """Family of the car last taken."""
    down: Mode | None = None
    has_crew: bool = False
    pending: list[Mode | None] = field(default_factory=list)
    """Failures that came while it stood, and maintenance (None) that is due, in their order."""
    planned: bool = False
    left: float | None = None
    """What is left of a repair or of maintenance."""
    since: float = 0.0
    due: float = math.inf
    generation: int = 0
    has_turn: bool = False
    """Whether its turn has come in the queue for a place before service."""
    job_ended: float = -1.0
    off_from: float = 0.0
    clocks: list[float] = field(default_factory=list)
    """When each mode on the plant's clock comes, and maintenance; off shift what is left until then."""
    # moving lines
    places: list[Car | None] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    steps: int = 0
    takt: float = 0.0

    @property
    def able(self) -> bool:
        return self.state == "free" and self.down is None and not self.planned and self.cell.on

    def inside(self) -> list[Car]:
        return [car for car in self.places if car is not None] if self.cell.line else self.cars

    def first_car(self) -> Car | None:
        """The car to be passed on next."""
        if self.cell.line:
            return self.places[-1]
        return self.cars[0] if self.cars else None


@dataclass(eq=False)
class Lane:
    """A buffer or a source in front of a cell."""

    index: int
    cell: Cell
    places: int
    transport_s: float
    priority: int
    share: float
    source: Source | None = None
    cars: deque[tuple[Car, float]] = field(default_factory=deque)
    """Cars and when each entered."""
    reserved: int = 0
    group: Group | None = None
    pick_credit: float = 0.0
    choose_credit: float = 0.0
    # sources
    interval: Stream | None = None
    release_s: float = 0.0
    event: int = -1
    """Its place among all lanes: buffers, then sources."""
    taken: int = 0
    owed: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    next_type: int = -1

    def due_s(self) -> float:
        return self.cars[0][1] + self.transport_s

    @property
    def has_place(self) -> bool:
        return len(self.cars) + self.reserved < self.places

    @property
    def direct(self) -> bool:
        return self.source is None and not self.cars and self.transport_s == 0.0


@dataclass(eq=False)
class Group:
    lanes: list[Lane] = field(default_factory=list)
    queue: deque[Machine] = field(default_factory=deque)

    def holder(self) -> Machine | None:
        """The first machine that holds a car."""
        return next((machine for machine in self.queue if machine.state == "held"), None)


@dataclass(eq=False)
class Cell:
    """A station or line with its machines and what stands in front of it."""

    index: int
    what: Station | MovingLine
    machines: list[Machine] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    loads: list[Loop] = field(default_factory=list)
    unloads: list[Loop] = field(default_factory=list)
    on: bool = True
    quality: Stream | None = None
    scrap: Stream | None = None

    @property
    def line(self) -> bool:
        return isinstance(self.what, MovingLine)

    @property
    def batch(self) -> Batch | None:
        return None if isinstance(self.what, MovingLine) else self.what.batch

    @property
    def before(self) -> bool:
        return isinstance(self.what, Station) and self.what.blocking is Blocking.BEFORE_SERVICE

    @property
    def plain(self) -> bool:
        """Whether its machines start a car at once; the others are woken for it at the same moment."""
        what = self.what
        if isinstance(what, MovingLine) or what.batch or self.before or self.loads:
            return False
        return what.pick is not Pick.SAME

    def idle(self) -> Machine | None:
        return next((machine for machine in self.machines if machine.able), None)


@dataclass(eq=False)
class Loop:
    index: int
    what: CarrierLoop
    waiting: int
    load: Cell


@dataclass(eq=False)
class CrewState:
    free: int
    queue: deque[Machine] = field(default_factory=deque)


class Sums:
    """What a run adds up, from time 0 on."""

    def __init__(self, machines: int, types: int, buffers: int, places: int, loops: int) -> None:
        self.machine = np.zeros((machines, 9))
        self.finished = np.zeros((machines, types), dtype=np.int64)
        self.level = np.zeros(buffers)
        self.inside = np.zeros(())
        self.car = np.zeros((types, 6), dtype=np.int64)
        self.lead = np.zeros(types)
        self.place = np.zeros((places, 3))
        self.carriers = np.zeros(loops)

    def copy(self) -> dict[str, Any]:
        return {name: value.copy() for name, value in vars(self).items()}


# The run -------------------------------------------------------------------------------------------------------------


class Oracle:
    """One run of a plant."""

    def __init__(self, plant: Plant, seed: int, replication: int) -> None:
        self.plant = plant
        self.seed = seed
        self.replication = replication
        self.now = 0.0
        self.heap: list[tuple[float, int, int, int, int]] = []
        self.trace: list[tuple[float, int, int, int, int]] = []
        self.woken: list[Cell | Group] = []
        self.serial = 0
        self.types = {item.id: index for index, item in enumerate(plant.types)}
        self.crews = {crew.id: CrewState(crew.size) for crew in plant.crews}
        self.cells = [Cell(index, what) for index, what in enumerate(plant.stations)]
        self.by_name = {cell.what.id: cell for cell in self.cells}
        self.machines: list[Machine] = []
        for cell in self.cells:
            self._add_machines(cell)
        self.first_place = {}
        places = 0
        for cell in self.cells:
            if isinstance(cell.what, MovingLine):
                self.first_place[cell.index] = places
                places += cell.what.stations
        self.buffers: list[Lane] = []
        self.by_buffer: dict[str, Lane] = {}
        for index, buffer in enumerate(plant.buffers):
            self._add_buffer(index, buffer)
        self.sources = [self._add_source(index, source) for index, source in enumerate(plant.sources)]
        self.lanes = [*self.buffers, *self.sources]
        for number, lane in enumerate(self.lanes):
            lane.event = number
        self._join_groups()
        self.loops = []
        for index, loop in enumerate(plant.carriers):
            state = Loop(index, loop, loop.carriers, self.by_name[loop.load])
            self.loops.append(state)
            self.by_name[loop.load].loads.append(state)
            self.by_name[loop.unload].unloads.append(state)
        self.sums = Sums(len(self.machines), len(plant.types), len(self.buffers), places, len(self.loops))
        self.cars_inside = 0
        self._begin()

    def _stream(self, name: str, purpose: int) -> Stream:
        return Stream(self.seed, name, purpose, self.replication)

    def _mode(self, name: str, failure: Failure) -> Mode:
        name = f"{name}|{failure.id}"
        mode = Mode(failure, self._stream(name, TO_FAILURE), self._stream(name, TO_REPAIR))
        mode.next = mode.to_failure.time(failure.to_failure)
        return mode

    def _add_machines(self, cell: Cell) -> None:
        what = cell.what
        if isinstance(what, MovingLine):
            names = [what.id]
        else:
            names = [f"{what.id}.{number}" for number in range(1, what.machines + 1)]
        for name in names:
            modes = [self._mode(name, failure) for failure in what.failures]
            if isinstance(what, MovingLine):
                for place in range(1, what.stations + 1):
                    modes += [self._mode(f"{what.id}.{place}", failure) for failure in what.station_failures]
            settles = all(mode.by_work and not mode.failure.crew for mode in modes)
            machine = Machine(len(self.machines), cell, self._stream(name, SERVICE), modes, settles)
            if isinstance(what, MovingLine):
                machine.places = [None] * what.stations
                machine.starts = [0.0] * what.stations
            self.machines.append(machine)
            cell.machines.append(machine)
        cell.quality = self._stream(names[0], QUALITY)
        cell.scrap = self._stream(names[0], SCRAP)

    def _add_buffer(self, index: int, buffer: Buffer) -> None:
        cell = self.by_name[buffer.to]
        lane = Lane(index, cell, buffer.places, buffer.transport_s, buffer.priority, buffer.share)
        self.buffers.append(lane)
        self.by_buffer[buffer.id] = lane
        cell.lanes.append(lane)

    def _add_source(self, index: int, source: Source) -> Lane:
        cell = self.by_name[source.to]
        lane = Lane(index, cell, 0, 0.0, source.priority, source.share, source)
        lane.shares = [item.share for item in self.plant.types]
        if source.shares:
            lane.shares = [0.0] * len(self.types)
            for name, share in source.shares:
                lane.shares[self.types[name]] += share
        total = sum(lane.shares)
        lane.shares = [share / total for share in lane.shares]
        lane.owed = [0.0] * len(self.types)
        if source.interval is not None:
            lane.interval = self._stream(f"source|{source.id}", INTERVAL)
            lane.release_s = lane.interval.time(source.interval)
        self._next_type(lane)
        cell.lanes.append(lane)
        return lane

    def _next_type(self, lane: Lane) -> None:
        source = lane.source
        assert source is not None
        if source.order:
            lane.next_type = self.types[source.order[lane.taken % len(source.order)]]
            return
        best = -1
        for kind, share in enumerate(lane.shares):
            if share > 0.0:
                lane.owed[kind] += share
                if best < 0 or lane.owed[kind] > lane.owed[best] + TIE:
                    best = kind
        lane.owed[best] -= 1.0
        lane.next_type = best

    def _ways(self) -> Iterable[tuple[str, ...]]:
        for station in self.plant.stations:
            yield from (way.to for way in station.ways)
            if station.test is not None:
                yield station.test.fail_to

    def _join_groups(self) -> None:
        for lane in self.buffers:
            lane.group = Group([lane])
        for names in self._ways():
            lanes = [self.by_buffer[name] for name in names]
            for lane in lanes[1:]:
                first = lanes[0].group
                other = lane.group
                assert first is not None
                assert other is not None
                if other is not first:
                    first.lanes += other.lanes
                    for member in other.lanes:
                        member.group = first

    def _begin(self) -> None:
        for buffer, lane in zip(self.plant.buffers, self.buffers, strict=True):
            for name in buffer.filled:
                lane.cars.append((self._new_car(self.types[name]), -lane.transport_s))
            for place, name in enumerate(buffer.riding):
                entered = lane.transport_s * ((place + 1) / len(buffer.riding) - 1.0)
                lane.cars.append((self._new_car(self.types[name]), entered))
                self._push(entered + lane.transport_s, 1, lane.event)
        for cell in self.cells:
            if isinstance(cell.what, MovingLine):
                machine = cell.machines[0]
                for place, name in enumerate(cell.what.filled):
                    machine.places[-2 - place] = self._new_car(self.types[name])
                    machine.takt = cell.what.takt[self.types[name] if len(cell.what.takt) > 1 else 0].mean_s
        self.at_start = np.zeros(len(self.types), dtype=np.int64)
        for car in self.found():
            self.at_start[car.type] += 1
        for lane in self.sources:
            self._push(lane.release_s, 1, lane.event)
        for machine in self.machines:
            machine.clocks = [math.inf] * (len(machine.modes) + 1)
        for number, calendar in enumerate(self.plant.calendars):
            on = self._is_on(number, 0.0)
            for cell in self.cells:
                if cell.what.calendar == calendar.id:
                    cell.on = on
            self._push_shift(number)
        for machine in self.machines:
            for number, mode in enumerate(machine.modes):
                if not mode.by_work:
                    self._arm(machine, number, mode.next)
            planned = getattr(machine.cell.what, "maintenance", None)
            if planned is not None:
                first = planned.every_s if planned.first_s is None else planned.first_s
                self._arm(machine, len(machine.modes), first)
        self.woken += self.cells
        self._serve_woken()

    def _push(self, time: float, kind: int, index: int, number: int = 0, generation: int = 0) -> None:
        heapq.heappush(self.heap, (time, kind, index, number, generation))

    def _note(self, machine: Machine, car: Car | None, code: int) -> None:
        if car is None:
            self.trace.append((self.now, machine.row, -1, -1, code))
        else:
            self.trace.append((self.now, machine.row, car.serial, car.type, code))

    # Time ------------------------------------------------------------------------------------------------------------

    def run(self, until_s: float) -> None:
        """Serve all events up to and at ``until_s``, and add up to it."""
        while self.heap and self.heap[0][0] <= until_s:
            time, kind, index, number, generation = heapq.heappop(self.heap)
            self._advance(time)
            if kind == 0:
                machine = self.machines[index]
                if generation != machine.generation:
                    continue
                self._machine_event(machine)
            elif kind == 1:
                self._serve(self.lanes[index].cell)
            elif kind == 2:
                self._plant_clock(self.machines[index], number)
            elif kind == 3:
                self._carrier_back(self.loops[index])
            else:
                self._shift(index)
            self._serve_woken()
        self._advance(until_s)

    def _advance(self, time: float) -> None:
        passed = time - self.now
        if passed <= 0.0:
            return
        for machine in self.machines:
            self._book(machine, passed)
        for lane in self.buffers:
            self.sums.level[lane.index] += passed * len(lane.cars)
        for loop in self.loops:
            self.sums.carriers[loop.index] += passed * loop.waiting
        self.sums.inside += passed * self.cars_inside
        self.now = time

    def _status(self, machine: Machine) -> int | None:
        if not machine.cell.on:
            return OFF
        if machine.down is not None:
            return DOWN
        if machine.planned:
            return PLANNED
        if machine.state == "job":
            return machine.phases[0].kind
        return BLOCKED if machine.state in ("held", "waiting") else None

    def _book(self, machine: Machine, passed: float) -> None:
        if machine.state == "job" and machine.cell.on:
            self.sums.machine[machine.row, ACTIVE] += passed
        status = self._status(machine)
        if status is None:
            return
        broken = machine.phases[0].down_share * passed if status == WORKING else 0.0
        self.sums.machine[machine.row, status] += passed - broken
        self.sums.machine[machine.row, DOWN] += broken

    def _begin_job(self, machine: Machine) -> None:
        """The active period goes on if the last job ended at this moment, time off shift apart."""
        if machine.job_ended < self.now:
            self.sums.machine[machine.row, ACTIVE_COUNT] += 1
        machine.state = "job"
        self._go_on(machine)

    def _machine_event(self, machine: Machine) -> None:
        machine.due = math.inf
        if machine.down is not None:
            self._repaired(machine)
        elif machine.planned:
            self._maintained(machine)
        else:
            self._phase_ends(machine)

    def _go_on(self, machine: Machine) -> None:
        """Let the machine's clock run: its repair, its maintenance or its job; not off shift."""
        machine.generation += 1
        machine.due = math.inf
        if not machine.cell.on:
            return
        length = machine.left
        if machine.down is None and not machine.planned:
            if machine.state != "job":
                return
            phase = machine.phases[0]
            length = phase.left
            if phase.kind == WORKING and not machine.settles:
                length = min(
                    [length] + [max(mode.next - machine.worked, 0.0) for mode in machine.modes if mode.by_work]
                )
        if length is None:
            return
        machine.since = self.now
        machine.due = self.now + length
        self._push(machine.due, 0, machine.row, 0, machine.generation)

    def _stop_clock(self, machine: Machine) -> None:
        """Stop what runs and keep what is left of it."""
        if machine.due == math.inf:
            return
        passed = self.now - machine.since
        if machine.down is not None or machine.planned:
            assert machine.left is not None
            machine.left -= passed
        else:
            self._work_off(machine, passed)
        machine.due = math.inf
        machine.generation += 1

    def _work_off(self, machine: Machine, passed: float) -> None:
        phase = machine.phases[0]
        phase.left -= passed
        if phase.kind == WORKING and not machine.settles:
            machine.worked += passed

    # Jobs ------------------------------------------------------------------------------------------------------------

    def _phase_ends(self, machine: Machine) -> None:
        phase = machine.phases[0]
        if phase.kind == WORKING and not machine.settles:
            target = machine.worked + phase.left
            mode = self._first_failure(machine)
            if mode is not None and mode.next <= target:
                self._work_off(machine, mode.next - machine.worked)
                machine.worked = mode.next
                self._fail(machine, mode)
                return
            machine.worked = target
        machine.phases.pop(0)
        if machine.phases:
            self._go_on(machine)
            return
        machine.job_ended = self.now
        if machine.cell.line:
            self._step_ends(machine)
        else:
            self._job_ends(machine)

    def _first_failure(self, machine: Machine) -> Mode | None:
        """The mode that comes next on the machine's own clock; the first of equal ones."""
        modes = [mode for mode in machine.modes if mode.by_work]
        return min(modes, key=lambda mode: mode.next, default=None)

    def _work_phase(self, machine: Machine, work: float) -> Phase:
        if not machine.settles:
            return Phase(WORKING, work, work)
        worked = down = 0.0
        target = machine.worked + work
        while (mode := self._first_failure(machine)) is not None and mode.next <= target:
            down += mode.to_repair.time(mode.failure.to_repair)
            effect = FailedCar.RESUME if machine.cell.line else mode.failure.car
            if effect is not FailedCar.RESUME:
                worked += mode.next - machine.worked
                machine.worked = mode.next
                target = mode.next + work
            mode.next += mode.to_failure.time(mode.failure.to_failure)
            if effect is FailedCar.SCRAP:
                machine.scraps = True
                target = machine.worked
                break
        worked += target - machine.worked
        machine.worked = target
        length = worked + down
        return Phase(WORKING, length, length, down / length if length > 0.0 else 0.0)

    def _start_job(self, machine: Machine) -> None:
        station = machine.cell.what
        assert isinstance(station, Station)
        for car in machine.cars:
            self._note(machine, car, STARTED)
        first = machine.cars[0]
        machine.phases = []
        machine.scraps = False
        set_up = self._set_up_s(machine, first.family)
        if set_up > 0.0:
            machine.phases.append(Phase(SET_UP, set_up, set_up))
        work = machine.service.time(station.cycle[first.type if len(station.cycle) > 1 else 0])
        machine.phases.append(self._work_phase(machine, work))
        machine.last_family = machine.cars[-1].family
        machine.batch_lane = None
        self._begin_job(machine)

    def _set_up_s(self, machine: Machine, family: str) -> float:
        assert isinstance(machine.cell.what, Station)
        set_up = machine.cell.what.set_up
        before = machine.last_family
        if set_up is None or before is None or before == family:
            return 0.0
        for one, other, seconds in set_up.pairs:
            if (one, other) == (before, family):
                return seconds
        return set_up.time_s

    def _job_ends(self, machine: Machine) -> None:
        if machine.scraps:
            self._scrap_all(machine)
        else:
            for car in machine.cars:
                self._note(machine, car, FINISHED)
                self.sums.finished[machine.row, car.type] += 1
            self._pass_all(machine)
        if machine.state == "free":
            self._freed(machine)

    def _scrap_all(self, machine: Machine) -> None:
        for car in machine.cars:
            self._drop(machine, car, GIVEN_UP)
        machine.cars = []
        machine.state = "free"

    def _pass_all(self, machine: Machine) -> None:
        """Pass on one car after the other until one is held."""
        machine.state = "passing"
        while machine.cars:
            car = machine.cars[0]
            if not self._pass_on(machine, car):
                return
            machine.cars.pop(0)
        machine.state = "free"

    def _freed(self, machine: Machine) -> None:
        """A machine without a finished car: maintenance if due, or the next car."""
        if self._may_be_maintained(machine):
            self._maintain(machine)
        elif machine.able:
            self._pull(machine)

    # Passing on ------------------------------------------------------------------------------------------------------

    def _pass_on(self, machine: Machine, car: Car) -> bool:
        """Judge a finished car and pass it on; False if it is held."""
        car.leaves = machine.cell
        kept, car.reserved = car.reserved, None
        if kept is not None:
            kept.reserved -= 1
        gone = self._send(machine, car, kept)
        if kept is not None and all(other is not car for other, _ in kept.cars):
            self._offer(kept)
        return gone

    def _send(self, machine: Machine, car: Car, kept: Lane | None) -> bool:
        """Judge a finished car; a good one goes where a place was kept for it, if one was."""
        cell = machine.cell
        rule: Choose | None = None
        lanes: list[Lane] = []
        failed = False
        test = cell.what.test
        if test is not None:
            share = test.first_pass_yield[car.type if len(test.first_pass_yield) > 1 else 0]
            if car.tries > 0:
                share = test.retest_yield
            assert cell.quality is not None
            failed = cell.quality.uniform() >= share
            if car.tries == 0:
                self.sums.car[car.type, TESTED] += 1
                self.sums.car[car.type, PASSED] += not failed
            car.tries = car.tries + 1 if failed else 0
            if failed:
                kept = None
                lanes, rule = [self.by_buffer[name] for name in test.fail_to], test.choose
        if not failed:
            scrap_share = cell.what.scrap_share if isinstance(cell.what, Station) else 0.0
            assert cell.scrap is not None
            if scrap_share > 0.0 and cell.scrap.uniform() < scrap_share:
                self._drop(machine, car, GIVEN_UP)
                return True
            way = self._way(cell, car.type)
            if way is None or not way.to:
                self.sums.lead[car.type] += self.now - car.entered_s
                self._drop(machine, car, LEFT)
                return True
            lanes, rule = [self.by_buffer[name] for name in way.to], way.choose
        assert rule is not None
        lane = self._choose(lanes, rule, car) if kept is None else kept
        if lane is not None and (lane.has_place or lane.cell.plain):
            self._enter(machine, lane, car)
            return True
        if lane is None and isinstance(cell.what, Station) and cell.what.lose_when_full:
            self._drop(machine, car, LOST)
            return True
        car.target = (lanes, rule)
        machine.state = "held"
        group = lanes[0].group
        assert group is not None
        group.queue.append(machine)
        self._note(machine, car, HELD)
        for other in lanes if lane is None else [lane]:
            if other.direct and not other.cell.plain:
                self._wake(other.cell)
        return False

    def _way(self, cell: Cell, kind: int) -> Way | None:
        name = self.plant.types[kind].id
        ways = cell.what.ways
        return next((way for way in ways if name in way.types), next((way for way in ways if not way.types), None))

    def _drop(self, machine: Machine, car: Car, code: int) -> None:
        """A car goes out of the plant."""
        column = {LEFT: CAR_LEFT, GIVEN_UP: CAR_GIVEN_UP, LOST: CAR_LOST}[code]
        self.sums.car[car.type, column] += 1
        self.cars_inside -= 1
        self._note(machine, car, code)
        for loop in self.loops:
            self._free_carrier(loop, car)
        if car.reserved is not None:
            car.reserved.reserved -= 1
            self._offer(car.reserved)

    def _unload(self, machine: Machine, car: Car) -> None:
        car.leaves = None
        for loop in machine.cell.unloads:
            self._free_carrier(loop, car)

    def _free_carrier(self, loop: Loop, car: Car) -> None:
        if loop.index not in car.carriers:
            return
        car.carriers.remove(loop.index)
        if loop.what.return_s == 0.0:
            loop.waiting += 1
            self._wake(loop.load)
        else:
            self._push(self.now + loop.what.return_s, 3, loop.index)

    def _carrier_back(self, loop: Loop) -> None:
        loop.waiting += 1
        self._serve(loop.load)

    def _offer(self, lane: Lane) -> None:
        """A place kept in a lane was not used."""
        assert lane.group is not None
        if lane.group.queue:
            self._wake(lane.group)

    def _choose(self, lanes: list[Lane], rule: Choose, car: Car, direct: bool = True) -> Lane | None:
        """Return the buffer that a car enters, or through which it passes directly."""
        free = [lane for lane in lanes if lane.has_place or (direct and self._taker(lane, car) is not None)]
        if not free:
            return None
        if rule is Choose.FIRST:
            return free[0]
        if rule is Choose.SHARE:
            group = free[0].group
            assert group is not None
            total = sum(lane.share for lane in group.lanes)
            return _first_largest(free, lambda lane: lane.choose_credit + lane.share / total)
        if rule is Choose.SAME:
            for lane in free:
                if lane.cars and lane.cars[-1][0].family == car.family:
                    return lane
            for lane in free:
                if not lane.cars:
                    return lane
        return min(free, key=lambda lane: (len(lane.cars), self._taker(lane, car) is None))

    def _taker(self, lane: Lane, car: Car) -> Machine | None:
        """Return the machine that takes the car at once through an empty buffer."""
        cell = lane.cell
        if not lane.direct or not self._carriers_there(cell, car):
            return None
        if cell.before and not self._place_behind(cell, car):
            return None
        for machine in cell.machines:
            if machine.able and self._fits(machine, lane, car):
                return machine
        return None

    def _fits(self, machine: Machine, lane: Lane, car: Car) -> bool:
        """Whether the batch that a machine collects, if any, takes the car."""
        batch = machine.cell.batch
        if batch is None or not batch.same_family or not machine.cars:
            return True
        return lane is machine.batch_lane and car.family == machine.cars[0].family

    def _carriers_there(self, cell: Cell, car: Car) -> bool:
        return all(loop.waiting > 0 or self._keeps(car, loop) for loop in cell.loads)

    def _keeps(self, car: Car, loop: Loop) -> bool:
        """Whether a car comes with a carrier of a loop, or gives it back going on and can have it again at once."""
        unloaded = car.leaves is not None and loop in car.leaves.unloads
        return loop.index in car.carriers and (not unloaded or loop.what.return_s == 0.0)

    def _place_behind(self, cell: Cell, car: Car) -> Lane | bool:
        """Return the buffer in which a place is to be reserved; True if the car leaves; False without a place."""
        way = self._way(cell, car.type)
        if way is None or not way.to:
            return True
        return self._choose([self.by_buffer[name] for name in way.to], way.choose, car, direct=False) or False

    def _enter(self, machine: Machine, lane: Lane, car: Car) -> None:
        """The car goes on from a machine into a buffer, or through it."""
        taker = self._taker(lane, car) if lane.cell.plain else None
        self._unload(machine, car)
        if taker is None:
            self._append(lane, car)
            if lane.transport_s == 0.0 and not lane.cell.plain:
                self._wake(lane.cell)
            return
        self._entered(lane)
        self._served(lane)
        self._load(taker, lane, car)

    def _append(self, lane: Lane, car: Car) -> None:
        self._entered(lane)
        lane.cars.append((car, self.now))
        if lane.transport_s > 0.0:
            self._push(self.now + lane.transport_s, 1, lane.event)

    def _entered(self, lane: Lane) -> None:
        """Book one car against the share of the lane it goes through."""
        group = lane.group
        assert group is not None
        total = sum(member.share for member in group.lanes)
        for member in group.lanes:
            member.choose_credit = min(member.choose_credit + member.share / total, 2.0)
        lane.choose_credit = max(lane.choose_credit - 1.0, -2.0)

    # Taking ----------------------------------------------------------------------------------------------------------

    def _wake(self, what: Cell | Group) -> None:
        if what not in self.woken:
            self.woken.append(what)

    def _serve_woken(self) -> None:
        while self.woken:
            what = self.woken.pop(0)
            if isinstance(what, Cell):
                self._serve(what)
            else:
                self._serve_group(what)

    def _serve(self, cell: Cell) -> None:
        """Let every idle machine try; what one leaves, another may take, if they gather batches of their families."""
        tried: set[Machine] = set()
        while (machine := next((each for each in cell.machines if each.able and each not in tried), None)) is not None:
            if self._may_be_maintained(machine):
                self._maintain(machine)
            elif not self._pull(machine):
                tried.add(machine)

    def _serve_group(self, group: Group) -> None:
        """Give free places to those that wait for them, one after the other."""
        while group.queue and any(lane.has_place for lane in group.lanes):
            machine = group.queue[0]
            if machine.state == "waiting":
                group.queue.popleft()
                machine.state = "free"
                machine.has_turn = True
            else:
                lane = self._move_held(group)
                if lane.transport_s == 0.0 and not lane.cell.plain:
                    self._wake(lane.cell)
            self._released(machine)

    def _move_held(self, group: Group, lane: Lane | None = None) -> Lane:
        """Let the first machine of a group, which holds a car, put it into the place that came free, or into any."""
        machine = group.queue.popleft()
        car = machine.first_car()
        assert car is not None
        assert car.target is not None
        if lane is None:
            lane = self._choose(*car.target, car, direct=False)
        assert lane is not None
        self._append(lane, car)
        self._let_go(machine, car)
        return lane

    def _let_go(self, machine: Machine, car: Car) -> None:
        """The held car has gone."""
        car.target = None
        if machine.cell.line:
            machine.places[-1] = None
        else:
            machine.cars.pop(0)
        machine.state = "passing" if machine.cars else "free"
        self._unload(machine, car)

    def _released(self, machine: Machine) -> None:
        """Pass on the next car of a batch, or be free."""
        if machine.state == "passing":
            self._pass_all(machine)
        if machine.state == "free":
            self._freed(machine)

    def _head(self, lane: Lane) -> Car | None:
        """Return the car that a machine could take from a lane now (of a source: one like it)."""
        if lane.source is not None:
            if lane.release_s > self.now or (lane.source.limit is not None and lane.taken >= lane.source.limit):
                return None
            kind = lane.next_type
            return Car(kind, self.plant.types[kind].family, -1, self.now)
        if lane.cars:
            return lane.cars[0][0] if lane.due_s() <= self.now else None
        if lane.direct:
            assert lane.group is not None
            holder = lane.group.holder()
            if holder is not None:
                car = holder.first_car()
                assert car is not None
                assert car.target is not None
                return car if lane in car.target[0] else None
        return None

    def _pick(self, machine: Machine) -> tuple[Lane, Car] | None:
        cell = machine.cell
        heads = [(lane, head) for lane in cell.lanes if (head := self._head(lane)) is not None]
        batch = cell.batch
        if batch is not None and batch.same_family and machine.cars:
            # A head of another family ends the batch, whether there is a carrier for it or not.
            heads = [(lane, head) for lane, head in heads if lane is machine.batch_lane]
            if heads and not self._fits(machine, *heads[0]):
                return heads[0]
        heads = [(lane, head) for lane, head in heads if self._carriers_there(cell, head)]
        if not heads:
            return None
        lowest = min(lane.priority for lane, _ in heads)
        heads = [item for item in heads if item[0].priority == lowest]
        rule = cell.what.pick
        if rule is Pick.SHARE:
            total = sum(lane.share for lane in cell.lanes if lane.priority == lowest)
            return _first_largest(heads, lambda item: item[0].pick_credit + item[0].share / total)
        if rule is Pick.OLDEST:
            return min(heads, key=lambda item: self._entered_s(item[0]))
        if rule is Pick.SEQUENCE:
            return min(heads, key=lambda item: math.inf if item[0].source is not None else item[1].serial)
        if rule is Pick.SAME:
            for lane, head in heads:
                if head.family == machine.taken_family:
                    return lane, head
        return max(heads, key=lambda item: len(item[0].cars))

    def _entered_s(self, lane: Lane) -> float:
        if lane.source is not None:
            return lane.release_s
        return lane.cars[0][1] if lane.cars else self.now

    def _served(self, served: Lane) -> None:
        """Book one car against the share of the lane it came from."""
        rivals = served.cell.lanes
        if len(rivals) == 1:
            return
        rivals = [lane for lane in rivals if lane.priority == served.priority]
        total = sum(lane.share for lane in rivals)
        for lane in rivals:
            lane.pick_credit = min(lane.pick_credit + lane.share / total, 2.0)
        served.pick_credit = max(served.pick_credit - 1.0, -2.0)

    def _pull(self, machine: Machine) -> bool:
        """An idle machine takes a car, if it can; what this frees goes on, and so on up the plant.

        False if it stays idle: the others of its station then need not try.
        """
        found = self._pick(machine)
        if found is None:
            if self._moves_empty(machine):
                self._step(machine, None)
                return True
            return False
        lane, head = found
        if machine.cars and not self._fits(machine, lane, head):
            self._start_job(machine)
            return True
        if machine.cell.before and self._must_wait(machine, head):
            return True
        car, moved = self._take(lane, head)
        self._served(lane)
        self._load(machine, lane, car)
        if moved is not None:
            self._released(moved)
        if machine.able and machine.cars:
            self._pull(machine)
        return True

    def _must_wait(self, machine: Machine, car: Car) -> bool:
        """Before service: wait for a place behind those that wait already, unless this machine's turn has come."""
        way = self._way(machine.cell, car.type)
        if way is None or not way.to:
            return False
        group = self.by_buffer[way.to[0]].group
        assert group is not None
        has_turn, machine.has_turn = machine.has_turn, False
        if self._place_behind(machine.cell, car) and (has_turn or not group.queue):
            return False
        machine.state = "waiting"
        group.queue.append(machine)
        return True

    def _take(self, lane: Lane, head: Car) -> tuple[Car, Machine | None]:
        """Take the head; return it and the machine whose car took the place, or which held it, or waited for it."""
        if lane.source is not None:
            car = self._new_car(lane.next_type)
            self.sums.car[car.type, CAME_IN] += 1
            lane.taken += 1
            self._next_type(lane)
            if lane.source.interval is not None:
                assert lane.interval is not None
                lane.release_s += lane.interval.time(lane.source.interval)
                self._push(lane.release_s, 1, lane.event)
            return car, None
        group = lane.group
        assert group is not None
        if not lane.cars:
            holder = group.holder()
            assert holder is not None
            group.queue.remove(holder)
            self._let_go(holder, head)
            return head, holder
        lane.cars.popleft()
        if not group.queue:
            return head, None
        machine = group.queue[0]
        if machine.state == "held":
            self._move_held(group, lane)
        else:
            group.queue.popleft()
            machine.state = "free"
            machine.has_turn = True
            self._wake(group)
        return head, machine

    def _new_car(self, kind: int) -> Car:
        car = Car(kind, self.plant.types[kind].family, self.serial, self.now)
        self.serial += 1
        self.cars_inside += 1
        return car

    def _load(self, machine: Machine, lane: Lane, car: Car) -> None:
        machine.taken_family = car.family
        for loop in machine.cell.loads:
            if loop.index not in car.carriers:
                loop.waiting -= 1
                car.carriers.add(loop.index)
        if machine.cell.line:
            self._step(machine, car)
            return
        if machine.cell.before:
            place = self._place_behind(machine.cell, car)
            if isinstance(place, Lane):
                place.reserved += 1
                car.reserved = place
        if not machine.cars:
            machine.batch_lane = lane
        machine.cars.append(car)
        batch = machine.cell.batch
        if batch is None or len(machine.cars) == batch.size:
            self._start_job(machine)

    # Moving lines ----------------------------------------------------------------------------------------------------

    def _moves_empty(self, machine: Machine) -> bool:
        line = machine.cell.what
        return isinstance(line, MovingLine) and line.empty_place is EmptyPlace.GAP and bool(machine.inside())

    def _step(self, machine: Machine, car: Car | None) -> None:
        """Move all cars by one station, with a new car or an empty place at the first."""
        line = machine.cell.what
        assert isinstance(line, MovingLine)
        assert machine.places[-1] is None
        machine.places = [car, *machine.places[:-1]]
        if car is not None:
            self._note(machine, car, STARTED)
            machine.takt = machine.service.time(line.takt[car.type if len(line.takt) > 1 else 0])
        takt = machine.takt
        machine.phases = [self._work_phase(machine, takt)]
        stop = self._overload(machine, line, takt)
        if stop > 0.0:
            machine.phases.append(Phase(STOPPED, stop, stop))
        machine.steps += 1
        self._begin_job(machine)

    def _overload(self, machine: Machine, line: MovingLine, takt: float) -> float:
        """Return for how long the step stops the line; move its workers on."""
        if not line.work_s:
            return 0.0
        base = self._stream(line.id, WORK).base
        rest = []
        ends = []
        lengths = []
        for place, car in enumerate(machine.places):
            work = 0.0
            if car is not None:
                work = line.work_s[place][car.type]
                if line.work_cv > 0.0:
                    work *= drawn(Time.gamma(1.0, line.work_cv), base, machine.steps * line.stations + place)
            length = takt
            if line.length_s:
                length = line.length_s[place if len(line.length_s) > 1 else 0]
            end = machine.starts[place] + work
            rest.append(max(end - length, 0.0))
            lengths.append(length)
            ends.append(end)
        rows = self.sums.place[self.first_place[machine.cell.index] :]
        for place, overload in enumerate(rest):
            rows[place, 0] += overload
        for _ in range(line.utility_workers):
            place = rest.index(max(rest))
            rows[place, 1] += rest[place]
            rest[place] = 0.0
        stop = max(rest) if line.stops else 0.0
        rows[rest.index(max(rest)), 2] += stop
        for place, length in enumerate(lengths):
            if rest[place] == 0.0 or not line.stops:
                # Utility workers, or others later, do what is beyond the end of the station.
                ends[place] = min(ends[place], length)
        machine.starts = [max(0.0, end - stop - takt) for end in ends]
        return stop

    def _step_ends(self, machine: Machine) -> None:
        machine.state = "passing"
        car = machine.places[-1]
        if car is not None:
            self._note(machine, car, FINISHED)
            self.sums.finished[machine.row, car.type] += 1
            if not self._pass_on(machine, car):
                return
            machine.places[-1] = None
        machine.state = "free"
        self._freed(machine)

    # Failures, maintenance, shifts -----------------------------------------------------------------------------------

    def _arm(self, machine: Machine, number: int, due: float) -> None:
        """Set when a failure on the plant's clock, or maintenance, comes; these clocks stand still off shift."""
        if not machine.cell.on:
            machine.clocks[number] = due - self.now
            return
        machine.clocks[number] = due
        if due < math.inf:
            self._push(due, 2, machine.row, number)

    def _plant_clock(self, machine: Machine, number: int) -> None:
        if not machine.cell.on or machine.clocks[number] != self.now:
            return
        machine.clocks[number] = math.inf
        if number == len(machine.modes):
            machine.pending.append(None)
            if self._may_be_maintained(machine):
                self._maintain(machine)
            return
        mode = machine.modes[number]
        if machine.down is not None or machine.planned:
            machine.pending.append(mode)
        else:
            self._fail(machine, mode)

    def _leave_queue(self, machine: Machine) -> None:
        if machine.state == "waiting":
            for lane in self.buffers:
                if lane.group is not None and machine in lane.group.queue:
                    lane.group.queue.remove(machine)
            machine.state = "free"

    def _fail(self, machine: Machine, mode: Mode) -> None:
        self._leave_queue(machine)
        self._stop_clock(machine)
        machine.down = mode
        machine.left = None
        self._note(machine, self._shown_car(machine), FAILED)
        crew = self.crews.get(mode.failure.crew)
        if crew is None:
            self._repair(machine)
        elif crew.free > 0:
            crew.free -= 1
            self._repair(machine)
        else:
            crew.queue.append(machine)

    def _shown_car(self, machine: Machine) -> Car | None:
        return None if machine.cell.line or not machine.cars else machine.cars[0]

    def _repair(self, machine: Machine) -> None:
        mode = machine.down
        assert mode is not None
        machine.left = mode.to_repair.time(mode.failure.to_repair)
        self._go_on(machine)

    def _repaired(self, machine: Machine) -> None:
        mode = machine.down
        assert mode is not None
        self._note(machine, self._shown_car(machine), REPAIRED)
        machine.down = None
        machine.left = None
        if mode.by_work:
            mode.next += mode.to_failure.time(mode.failure.to_failure)
        else:
            mode.next = self.now + mode.to_failure.time(mode.failure.to_failure)
            self._arm(machine, machine.modes.index(mode), mode.next)
        crew = self.crews.get(mode.failure.crew)
        if crew is not None:
            if crew.queue:
                self._repair(crew.queue.popleft())
            else:
                crew.free += 1
        if machine.state == "job" and not machine.cell.line:
            if mode.failure.car is FailedCar.SCRAP:
                machine.job_ended = self.now
                self._scrap_all(machine)
            elif mode.failure.car is FailedCar.RESTART:
                for phase in machine.phases:
                    if phase.kind == WORKING:
                        phase.left = phase.full
        self._after_standing(machine)

    def _after_standing(self, machine: Machine) -> None:
        for mode in machine.pending:
            if mode is not None:
                machine.pending.remove(mode)
                self._fail(machine, mode)
                return
            if self._may_be_maintained(machine):
                self._maintain(machine)
                return
        if machine.state == "job":
            self._go_on(machine)
        elif machine.state == "free":
            self._freed(machine)

    def _may_be_maintained(self, machine: Machine) -> bool:
        stands = machine.down is not None or machine.planned or not machine.cell.on
        return None in machine.pending and not stands and machine.state in ("free", "waiting") and not machine.inside()

    def _maintain(self, machine: Machine) -> None:
        station = machine.cell.what
        assert isinstance(station, Station)
        assert station.maintenance is not None
        self._leave_queue(machine)
        machine.planned = True
        machine.pending.remove(None)
        machine.left = station.maintenance.length_s
        self._note(machine, None, FAILED)
        self._go_on(machine)

    def _maintained(self, machine: Machine) -> None:
        station = machine.cell.what
        assert isinstance(station, Station)
        assert station.maintenance is not None
        machine.planned = False
        machine.left = None
        self._note(machine, None, REPAIRED)
        self._arm(machine, len(machine.modes), self.now + station.maintenance.every_s)
        self._after_standing(machine)

    def _is_on(self, number: int, time: float) -> bool:
        calendar = self.plant.calendars[number]
        offset = time % calendar.period_s
        return any(start <= offset < end for start, end in calendar.windows_s)

    def _push_shift(self, number: int) -> None:
        """Schedule the next edge of any window after now."""
        calendar = self.plant.calendars[number]
        period = math.floor(self.now / calendar.period_s)
        edges = [
            (period + further) * calendar.period_s + edge
            for further in (0, 1)
            for window in calendar.windows_s
            for edge in window
        ]
        self._push(min(edge for edge in edges if edge > self.now), 4, number)

    def _shift(self, number: int) -> None:
        on = self._is_on(number, self.now)
        cells = [cell for cell in self.cells if cell.what.calendar == self.plant.calendars[number].id]
        for cell in cells:
            if cell.on == on:
                continue
            for machine in cell.machines:
                if not on:
                    self._leave_queue(machine)
                    self._stop_clock(machine)
            cell.on = on
            for machine in cell.machines:
                if on:
                    machine.job_ended += self.now - machine.off_from
                    self._go_on(machine)
                    for clock, left in enumerate(machine.clocks):
                        self._arm(machine, clock, self.now + left)
                else:
                    machine.off_from = self.now
                    machine.clocks = [due - self.now for due in machine.clocks]
        if on:
            for cell in cells:
                self._wake(cell)
        self._push_shift(number)

    # Counting --------------------------------------------------------------------------------------------------------

    def found(self) -> list[Car]:
        """All cars that are in the plant now."""
        cars = [car for machine in self.machines for car in machine.inside()]
        return cars + [car for lane in self.buffers for car, _ in lane.cars]

    def remaining(self) -> NDArray[np.int64]:
        """Cars in the plant now by type."""
        return np.bincount([car.type for car in self.found()], minlength=len(self.types)).astype(np.int64)


def _first_largest(items: list[T], value: Callable[[T], float]) -> T:
    best = items[0]
    for item in items[1:]:
        if value(item) > value(best) + TIE:
            best = item
    return best


def trace(plant: Plant, *, seed: int, replication: int, until_s: float) -> list[tuple[float, int, int, int, int]]:
    """Return what happens up to and at ``until_s``: time, machine, car, type and code."""
    oracle = Oracle(plant, seed, replication)
    oracle.run(until_s)
    return oracle.trace


def record(
    plant: Plant, *, seed: int, first: int, replications: int, start_s: float, batch_s: float, batches: int
) -> dict[str, NDArray[Any]]:
    """Return the arrays of ``coachbuilder.plant.flow.record.Records`` by name, sums counted from time 0."""
    runs: list[dict[str, Any]] = []
    for replication in range(first, first + replications):
        oracle = Oracle(plant, seed, replication)
        snapshots = []
        left = []
        for number in range(BINS * batches + 1):
            oracle.run(start_s + number * batch_s / BINS)
            left.append(oracle.sums.car[:, CAR_LEFT].copy())
            if number % BINS == 0:
                snapshots.append(oracle.sums.copy())
        run = {name: np.stack([snapshot[name] for snapshot in snapshots]) for name in snapshots[0]}
        run["out"] = np.diff(np.stack(left), axis=0)
        run["at_start"] = oracle.at_start
        run["remaining"] = oracle.remaining()
        runs.append(run)
    return {name: np.stack([run[name] for run in runs]) for name in runs[0]}
