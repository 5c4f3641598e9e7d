"""The recursion of departures through a serial line, sixteen replications side by side.

Car by car and machine by machine: a job starts once its car is at the machine and the machine has passed on the car
before; it ends after its work and repairs; the car leaves then, or once there is a place behind (Dallery and Gershwin
1992, section 4). No calendar of events is needed. Types and fixed cycle times are the same in all replications, so that
one vector operation serves all of them. What befalls a single lane, a failure or the end of a batch, is found by one
comparison of all lanes and done for that lane alone.

The numbers lie in one matrix ``memory`` whose rows have one number a lane. Each machine has a block of rows, see LEFT
to RING. What works on whole rows is written as vector instructions: a compiler cannot know that rows do not overlap.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from coachbuilder.plant.flow.streams.kernels import draw, stream

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
U8 = NDArray[np.uint64]
Records = NDArray[Any]

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
"""Without the counting of references, which would take longer than a failure."""

LANES = 16
"""Replications side by side."""

NOWHERE, RELEASE, END, DOWN_NOW, WORK_NOW, LEAD = range(6)
"""Rows of the line: zeros; when the source releases the car, s; of the job at hand its end, its repairs (zero where
nothing fails) and its work (kept only where it varies), s; from here on the sum of lead times by type, s."""

LEFT = 0
ATTENTION, EDGE, NEXT_FAILURE, LEFT_SUM, BLOCKED, PERIODS, ENDED, DOWN, WORKED, UP, IDLE_DOWN, HELD_DOWN, RING = range(
    2, 15
)
"""Rows of a block: when the last two cars left, in turns, s; time after which a car that leaves needs more than the
recursion, s, and the number of the next end of a bin; next failure on the working clock, s; sum of times of leaving, s;
time blocked, s; active periods that began; when the last job ended, s; time in repair, s; working clock
if work varies, s; end of the last repair on the plant's clock, and the part of such repairs without a car and with a
finished one, s; from here on the starts of the last cars, one a place of the buffer before the machine, s."""

WORKING_SUM, DOWN_SUM, BLOCKED_SUM, SET_UP_SUM, ACTIVE_SUM, ACTIVE_COUNT = 0, 1, 2, 3, 7, 8
CAME_S, LEFT_S, HAS_CAR, COUNTS = 9, 10, 11, 12
"""Columns of the stock: those of ``Records.machine``; for the cars that started at a machine and for those that left it
the sums of these times less now, s; type of the car in work, 0.5 if none is; from here on cars finished by type; and
behind them, of the last machine, lead times of the cars that left by type, s."""

BINS_PER_BATCH = 5
_TIE = 1e-12
_FAR = 100.0

MACHINE = np.dtype(
    [
        ("block", np.int64),  # its first row
        ("job", np.int64),  # its jobs by type are rows job to job + V - 1, s
        ("start", np.int64),  # row of its ring that takes the next start
        ("last_start", np.int64),  # last row of its ring
        ("places", np.int64),  # of the buffer before it
        ("transport_s", np.float64),  # through the buffer before it
        ("room", np.int64),  # row that tells since when the buffer before it has room for the next car
        ("varies", np.int64),  # 1 if its work differs between lanes
        ("sets_up", np.int64),  # 1 if it has set-ups
        ("worked_s", np.float64),  # working clock of all lanes, if its work does not vary
        ("draws", np.int64),  # jobs so far: each counts as a draw, also where its time is fixed
        ("set_up_s", np.float64),  # time in set-ups so far
        ("first_mode", np.int64),  # modes first_mode to first_any - 1 fail on the working clock,
        ("first_any", np.int64),  # first_any to last_mode - 1 at any time
        ("last_mode", np.int64),
        ("key", np.uint64),  # of its streams
    ]
)
"""A machine and the buffer before it."""

MODE = np.dtype(
    [
        ("key", np.uint64),  # of its streams
        ("to_failure", np.int64),  # row of the times
        ("to_repair", np.int64),  # row of the times
        ("restarts", np.int64),  # 1 if the work starts anew after the repair
        ("next", np.int64),  # row of its next failures on its clock, s
    ]
)
"""One kind of failure of one machine."""


class Line(NamedTuple):
    """A serial line of M machines and V types with K modes."""

    machine: Records
    """(M + 1,) of MACHINE; the last one is the way out."""
    mode: Records
    """(K,) of MODE."""
    cycle: I8
    """(M, V) rows of the times."""
    work_s: F8
    """(M, V) work, s; -1 if it is drawn."""
    set_up_s: F8
    """(M, V, V) set-up between a type and the next, s."""
    time: Records
    """Times, see the streams."""
    value_s: F8
    """Values of the empirical ones, s."""
    mix: F8
    """(V,) shares of the types; they add up to 1."""
    order: I8
    """Types in the order of release, repeated; empty where the mix rules."""
    interval: int
    """Row of the time between releases; -1 if a car is always ready."""
    source: np.uint64
    """Key of its stream."""
    limit: int
    """Cars after which the source is empty; -1 if it never is."""


class Lanes(NamedTuple):
    """What the lanes need besides the memory."""

    failure: U8
    """(K, LANES) bases of the streams of failures."""
    repair: U8
    """(K, LANES) bases of the streams of repairs."""
    failures: I8
    """(K, LANES) failures so far, zeros at first."""
    work: U8
    """(M, LANES) bases of the streams of work."""
    interval: U8
    """(LANES,) bases of the stream of releases."""
    owed: F8
    """(V,) what the mix owes each type, zeros at first."""
    cars: I8
    """(V,) cars so far, zeros at first."""


class Stock(NamedTuple):
    """What R replications leave behind at the ends of batches and bins; zeros at first."""

    machine: F8
    """(R, B + 1, M, COUNTS + 2 V) sums, see WORKING_SUM to COUNTS."""
    out: I8
    """(R, 5 B, V) cars that left by the end of each bin, from the start of the run."""
    remaining: I8
    """(R, V) cars found inside at the end."""
    counts_from_s: float
    """When counting starts, s."""
    bin_s: float
    """Length of a bin, s."""


class Job(NamedTuple):
    """A job of one machine in one lane, and the car before."""

    kind: int
    """Type of the car; -1 for none."""
    set_up_s: float
    work_s: float
    down_s: float
    """Repairs on the working clock."""
    start_s: float
    """Infinite without a car, as the next two."""
    end_s: float
    left_s: float
    stopped_s: float
    """Time for which failures on the plant's clock have stopped it so far."""


_written: Any = intrinsic
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_PLACE = ir.IntType(32)
_NOTHING = ir.Constant(_VECTOR, ir.Undefined)


class _Writer:
    """Writes vector instructions on rows of the memory."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.builder = builder
        self.numbers = context.make_array(signature.args[0])(context, builder, arguments[0]).data

    def _pointer(self, row: Any) -> Any:
        first = self.builder.mul(row, ir.Constant(row.type, LANES))
        return self.builder.bitcast(self.builder.gep(self.numbers, [first]), _VECTOR.as_pointer())

    def load(self, row: Any, offset: int = 0) -> Any:
        return self.builder.load(self._pointer(self.builder.add(row, ir.Constant(row.type, offset))), align=8)

    def store(self, value: Any, row: Any, offset: int = 0) -> None:
        self.builder.store(value, self._pointer(self.builder.add(row, ir.Constant(row.type, offset))), align=8)

    def spread(self, value: Any) -> Any:
        first = self.builder.insert_element(_NOTHING, value, ir.Constant(_PLACE, 0))
        return self.builder.shuffle_vector(first, _NOTHING, ir.Constant(ir.VectorType(_PLACE, LANES), [0] * LANES))

    def is_above(self, left: Any, right: Any) -> Any:
        return self.builder.fcmp_ordered(">", left, right)

    def larger(self, left: Any, right: Any) -> Any:
        return self.builder.select(self.is_above(left, right), left, right)

    def bits(self, truth: Any) -> Any:
        return self.builder.zext(self.builder.bitcast(truth, ir.IntType(LANES)), ir.IntType(64))


@_written
def _advance(
    _: Any,
    memory: Any,
    arrived: Any,
    transport_s: Any,
    before: Any,
    job: Any,
    room: Any,
    start: Any,
    left: Any,
    attention: Any,
) -> Any:
    """Take one car through one machine: set rows start, END and left, tell the lanes that need attention as bits."""
    row = types.intp

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Writer(context, builder, signature, arguments)
        _, arrived, transport_s, before, job, room, start, left, attention = arguments
        at_machine = builder.fadd(rows.load(arrived), rows.spread(transport_s))
        starts = rows.larger(at_machine, rows.load(before))
        ends = builder.fadd(starts, rows.load(job))
        leaves = rows.larger(ends, rows.load(room))
        rows.store(starts, start)
        rows.store(ends, ir.Constant(start.type, END))
        rows.store(leaves, left)
        return rows.bits(rows.is_above(leaves, rows.load(attention)))

    return types.int64(memory, row, types.float64, row, row, row, row, row, row), write


@_written
def _account(_: Any, memory: Any, start: Any, left: Any, block: Any) -> Any:
    """Add what one car did at one machine to the sums of its block."""
    row = types.intp

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Writer(context, builder, signature, arguments)
        _, start, left, block = arguments
        starts, ends, leaves = rows.load(start), rows.load(ir.Constant(start.type, END)), rows.load(left)
        rows.store(builder.fadd(rows.load(block, LEFT_SUM), leaves), block, LEFT_SUM)
        rows.store(builder.fadd(rows.load(block, BLOCKED), builder.fsub(leaves, ends)), block, BLOCKED)
        has_waited = rows.is_above(starts, rows.load(block, ENDED))
        periods = rows.load(block, PERIODS)
        one_more = builder.fadd(periods, ir.Constant(_VECTOR, [1.0] * LANES))
        rows.store(builder.select(has_waited, one_more, periods), block, PERIODS)
        rows.store(ends, block, ENDED)
        return context.get_dummy_value()

    return types.void(memory, row, row, row), write


@_written
def _reached(_: Any, memory: Any, row: Any, value: Any) -> Any:
    """Tell as bits in which lanes a row is not above a value."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Writer(context, builder, signature, arguments)
        return rows.bits(builder.fcmp_ordered("<=", rows.load(arguments[1]), rows.spread(arguments[2])))

    return types.int64(memory, types.intp, types.float64), write


@_written
def _lane(_: Any, bits: Any) -> Any:
    """Return the place of the lowest bit that is set."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), write


@njit(forceinline=True, **_OPTIONS)
def _later(one: float, other: float) -> float:
    """Return the larger one: ``max`` of two does not compile for a GPU."""
    return other if other > one else one


@njit(forceinline=True, **_OPTIONS)
def _sooner(one: float, other: float) -> float:
    """Return the smaller one, see ``_later``."""
    return other if other < one else one


@njit(**_OPTIONS)
def _next_type(line: Line, owed: F8, car: int) -> int:
    """Return the type of the next car: by the order, or the one that the mix owes most."""
    if line.order.size > 0:
        ordered: int = line.order[car % line.order.size]
        return ordered
    best = -1
    for kind in range(owed.size):
        if line.mix[kind] > 0.0:
            owed[kind] += line.mix[kind]
            if best < 0 or owed[kind] > owed[best] + _TIE:
                best = kind
    owed[best] -= 1.0
    return best


@njit(**_OPTIONS)
def _drawn(line: Line, time: int, bases: U8, memory: F8, row: int, used: int, count: int) -> None:
    """Write draw ``count`` of one time into a row, each lane from its own stream."""
    for lane in range(used):
        memory[row, lane] = draw(line.time, line.value_s, time, bases[lane], count)


@njit(forceinline=True, **_OPTIONS)
def _first_failing(line: Line, memory: F8, first: int, last: int, lane: int) -> tuple[int, float]:
    """Return which of some modes fails next in a lane, and when, s; of equal ones the first."""
    best, next_s = -1, np.inf
    for mode in range(first, last):
        if memory[line.mode[mode].next, lane] < next_s:
            best, next_s = mode, memory[line.mode[mode].next, lane]
    return best, next_s


@njit(forceinline=True, **_OPTIONS)
def _repair(line: Line, lanes: Lanes, mode: int, lane: int) -> tuple[float, float]:
    """Return how long the repair of a failure takes, and the time to the next one, s."""
    number = lanes.failures[mode, lane]
    lanes.failures[mode, lane] = number + 1
    repair_s = draw(line.time, line.value_s, line.mode[mode].to_repair, lanes.repair[mode, lane], number)
    return repair_s, draw(line.time, line.value_s, line.mode[mode].to_failure, lanes.failure[mode, lane], number + 1)


@njit(**_OPTIONS)
def _fail_at_work(
    line: Line, lanes: Lanes, memory: F8, row: int, lane: int, worked_s: float, work_s: float, ends_s: float
) -> tuple[float, float]:
    """Settle the failures of a job on the working clock; return its work, work done twice included, and repairs, s.

    A job that starts anew again and again is let go once it is sure to last far beyond the end of the run.
    """
    first, last = line.machine[row].first_mode, line.machine[row].first_any
    target_s, down_s = worked_s + work_s, 0.0
    spent_s = work_s
    mode, next_s = _first_failing(line, memory, first, last, lane)
    while next_s <= target_s and spent_s <= _FAR * ends_s:
        repair_s, after_s = _repair(line, lanes, mode, lane)
        down_s += repair_s
        memory[line.mode[mode].next, lane] = next_s + after_s
        if line.mode[mode].restarts == 1:
            target_s = next_s + work_s
            spent_s = target_s - worked_s
        mode, next_s = _first_failing(line, memory, first, last, lane)
    block = line.machine[row].block
    memory[block + NEXT_FAILURE, lane] = next_s
    memory[block + WORKED, lane] = target_s
    memory[WORK_NOW, lane] = spent_s
    memory[DOWN_NOW, lane] = down_s
    return spent_s, down_s


@njit(**_OPTIONS)
def _take_stock(
    line: Line, memory: F8, stock: Stock, cars: I8, row: int, lane: int, batch: int, job: Job, now: float
) -> None:
    """Write the sums of one machine in one lane at the end of a batch, which a job or the wait for it spans."""
    here, block, last = line.machine[row], line.machine[row].block, row == stock.machine.shape[2] - 1
    number = 0
    for item in range(cars.size):
        number += cars[item]
    # Sums up to the job; the machine's own are past it.
    working = memory[block + WORKED, lane] if here.varies == 1 else here.worked_s
    set_up = here.set_up_s
    if job.kind >= 0:
        working -= job.work_s
        set_up -= job.set_up_s
    down, blocked = memory[block + DOWN, lane], memory[block + BLOCKED, lane]
    apart = memory[block + IDLE_DOWN, lane] + memory[block + HELD_DOWN, lane]
    active = working + set_up + (down - job.stopped_s - apart)
    left_sum, periods = memory[block + LEFT_SUM, lane], memory[block + PERIODS, lane]
    came_s = left_sum - blocked - memory[block + HELD_DOWN, lane] - active - now * number
    # A repair on the plant's clock may last beyond now.
    to_come = _later(memory[block + UP, lane] - now, 0.0)
    down -= to_come
    has_started, has_ended = now >= job.start_s, now >= job.end_s
    if has_started:
        came_s += job.start_s - now
        active += _sooner(now, job.end_s) - job.start_s
        if job.start_s > memory[block + ENDED, lane]:
            periods += 1.0
        done = job.set_up_s + (job.work_s + job.down_s)
        if has_ended:
            blocked += now - job.end_s + _sooner(to_come, job.left_s - now)
        else:
            done = now - job.start_s - (job.stopped_s - to_come)
        set_up += _sooner(done, job.set_up_s)
        if done > job.set_up_s:
            share = (done - job.set_up_s) / (job.work_s + job.down_s)
            working += share * job.work_s
            down += share * job.down_s
    sums = stock.machine
    sums[lane, batch, row, WORKING_SUM] = working
    sums[lane, batch, row, DOWN_SUM] = down
    sums[lane, batch, row, BLOCKED_SUM] = blocked
    sums[lane, batch, row, SET_UP_SUM] = set_up
    sums[lane, batch, row, ACTIVE_SUM] = active
    sums[lane, batch, row, ACTIVE_COUNT] = periods
    sums[lane, batch, row, CAME_S] = came_s
    sums[lane, batch, row, LEFT_S] = left_sum - now * number
    sums[lane, batch, row, HAS_CAR] = job.kind if has_started and not has_ended else 0.5
    for item in range(cars.size):
        sums[lane, batch, row, COUNTS + item] = cars[item]
        if last:
            sums[lane, batch, row, COUNTS + cars.size + item] = memory[LEAD + item, lane]
    if has_ended:
        sums[lane, batch, row, COUNTS + job.kind] += 1.0


@njit(**_OPTIONS)
def _attend(
    line: Line,
    lanes: Lanes,
    memory: F8,
    stock: Stock,
    row: int,
    lane: int,
    kind: int,
    set_up_s: float,
    work_s: float,
    start: int,
    left: int,
) -> int:
    """Do in one lane what happens to a machine besides the recursion before a car leaves it.

    These are failures on the plant's clock, which change the rows start, END and left, and the ends of bins.

    Parameters
    ----------
    line, lanes, memory, stock
        As in ``run_lanes``.
    row, lane
        Machine and lane.
    kind
        Type of the car; -1 for none, the source being empty.
    set_up_s, work_s
        Its set-up and work, s.
    start, left
        Rows of its start and of when it left.

    Returns
    -------
    int
        1 if the machine has come to the end of the run by it, else 0.
    """
    block, bins = line.machine[row].block, stock.out.shape[1]
    first, last_mode = line.machine[row].first_any, line.machine[row].last_mode
    last = row == stock.machine.shape[2] - 1
    room_s = memory[line.machine[row + 1].room, lane]
    down_s = memory[DOWN_NOW, lane]
    start_s, end_s, left_s = memory[start, lane], memory[END, lane], memory[left, lane]
    length_s = set_up_s + (work_s + down_s)
    if kind < 0:
        start_s = end_s = left_s = np.inf
    up_s, stopped_s = memory[block + UP, lane], 0.0
    if up_s > start_s:
        start_s, end_s = up_s, up_s + length_s
        left_s = _later(end_s, room_s)
    edge = int(memory[block + EDGE, lane])
    was_open = edge <= bins
    edge_s = stock.counts_from_s + edge * stock.bin_s
    mode, due_s = _first_failing(line, memory, first, last_mode, lane)
    while edge <= bins:
        # What falls into a repair is repaired after it.
        fails_s = _later(due_s, up_s)
        if edge_s <= fails_s:
            if edge_s >= left_s:
                break
            if last and edge > 0:
                for item in range(lanes.cars.size):
                    stock.out[lane, edge - 1, item] = lanes.cars[item]
            if edge % BINS_PER_BATCH == 0:
                job = Job(kind, set_up_s, work_s, down_s, start_s, end_s, left_s, stopped_s)
                _take_stock(line, memory, stock, lanes.cars, row, lane, edge // BINS_PER_BATCH, job, edge_s)
            edge += 1 if last else BINS_PER_BATCH
            edge_s = stock.counts_from_s + edge * stock.bin_s
            continue
        if fails_s >= left_s:
            break
        repair_s, after_s = _repair(line, lanes, mode, lane)
        goes_on_without_car = due_s < up_s and up_s == start_s
        up_s = fails_s + repair_s
        if fails_s < start_s or goes_on_without_car:
            memory[block + IDLE_DOWN, lane] += repair_s
            if up_s > start_s:
                start_s, end_s = up_s, up_s + length_s
                left_s = _later(end_s, room_s)
        elif fails_s < end_s:
            stopped_s += repair_s
            end_s = up_s + (end_s - fails_s)
            left_s = _later(end_s, room_s)
        else:
            held_s = _sooner(up_s, left_s) - fails_s
            memory[block + HELD_DOWN, lane] += held_s
            memory[block + IDLE_DOWN, lane] += repair_s - held_s
            memory[block + BLOCKED, lane] -= held_s
        memory[block + DOWN, lane] += repair_s
        memory[block + UP, lane] = up_s
        memory[line.mode[mode].next, lane] = up_s + after_s
        mode, due_s = _first_failing(line, memory, first, last_mode, lane)
    memory[start, lane], memory[END, lane], memory[left, lane] = start_s, end_s, left_s
    memory[block + EDGE, lane] = edge
    if edge <= bins:
        memory[block + ATTENTION, lane] = -1.0 if up_s > left_s else _sooner(edge_s, due_s)
        return 0
    # At the last machine every car that leaves after the end needs attention: it may have been inside by then.
    memory[block + ATTENTION, lane] = stock.counts_from_s + bins * stock.bin_s if last else np.inf
    return 1 if was_open else 0


@njit(cache=True, nogil=True)
def bases(keys: U8, purpose: int, first: int) -> U8:
    """Return (keys, LANES) bases of the streams of replications ``first`` and on."""
    found = np.empty((keys.size, LANES), np.uint64)
    for row in range(keys.size):
        for lane in range(LANES):
            found[row, lane] = stream(keys[row], purpose, first + lane)
    return found


@njit(**_OPTIONS)
def _begin(line: Line, lanes: Lanes, memory: F8, used: int, count: int) -> None:
    """Draw the first failures; the first job has every lane that is used looked at, and begins an active period."""
    for mode in range(line.mode.size):
        _drawn(line, line.mode[mode].to_failure, lanes.failure[mode], memory, line.mode[mode].next, used, count)
    for row in range(line.machine.size - 1):
        block = line.machine[row].block
        for lane in range(LANES):
            _, next_s = _first_failing(line, memory, line.machine[row].first_mode, line.machine[row].first_any, lane)
            memory[block + NEXT_FAILURE, lane] = next_s if lane < used else np.inf
            memory[block + ATTENTION, lane] = -1.0 if lane < used else np.inf
            memory[block + ENDED, lane] = -1.0


@njit(**_OPTIONS)
def run_lanes(line: Line, lanes: Lanes, memory: F8, stock: Stock) -> None:
    """Run up to LANES replications and write what they leave behind.

    Parameters
    ----------
    line
        The line; its machines are changed.
    lanes
        Streams and counts of the lanes; changed.
    memory
        (rows, LANES) zeros, but for the rows of fixed work; used up.
    stock
        Arrays of as many replications as are to be run.
    """
    machine, cars = line.machine, lanes.cars
    machines, used = machine.size - 1, stock.machine.shape[0]
    ends_s = stock.counts_from_s + stock.out.shape[1] * stock.bin_s
    car: Any = np.int64(0)
    _begin(line, lanes, memory, used, car)
    still_open = machines * used
    kind = -1
    while still_open > 0 and car != line.limit:
        before_kind, kind = kind, _next_type(line, lanes.owed, car)
        if line.interval >= 0:
            _drawn(line, line.interval, lanes.interval, memory, WORK_NOW, used, car)
            for lane in range(used):
                memory[RELEASE, lane] += memory[WORK_NOW, lane]
        now = car & 1
        arrived = RELEASE
        for row in range(machines):
            block, job = machine[row].block, machine[row].job + kind
            left, start, varies = block + LEFT + now, machine[row].start, machine[row].varies == 1
            work_s, set_up_s = line.work_s[row, kind], 0.0
            if machine[row].sets_up == 1:
                if before_kind >= 0:
                    set_up_s = line.set_up_s[row, before_kind, kind]
                    machine[row].set_up_s += set_up_s
                for lane in range(LANES):
                    memory[job, lane] = set_up_s + work_s
            worked_s = machine[row].worked_s
            if varies:
                if work_s < 0.0:
                    _drawn(line, line.cycle[row, kind], lanes.work[row], memory, WORK_NOW, used, machine[row].draws)
                machine[row].draws += 1
                failing = np.int64(0)
                for lane in range(used):
                    if work_s >= 0.0:
                        memory[WORK_NOW, lane] = work_s
                    memory[job, lane] = set_up_s + memory[WORK_NOW, lane]
                    if memory[block + NEXT_FAILURE, lane] <= memory[block + WORKED, lane] + memory[WORK_NOW, lane]:
                        failing |= np.int64(1) << lane
                    else:
                        memory[block + WORKED, lane] += memory[WORK_NOW, lane]
            else:
                machine[row].worked_s = worked_s + work_s
                failing = _reached(memory, block + NEXT_FAILURE, machine[row].worked_s)
            bits = failing
            while bits != 0:
                lane = _lane(bits)
                bits &= bits - 1
                if varies:
                    worked_s, work_s = memory[block + WORKED, lane], memory[WORK_NOW, lane]
                spent_s, down_s = _fail_at_work(line, lanes, memory, row, lane, worked_s, work_s, ends_s)
                memory[job, lane] = set_up_s + (spent_s + down_s)
            bits = _advance(
                memory,
                arrived,
                machine[row].transport_s,
                block + LEFT + 1 - now,
                job,
                machine[row + 1].room,
                start,
                left,
                block + ATTENTION,
            )
            while bits != 0:
                lane = _lane(bits)
                bits &= bits - 1
                if varies:
                    work_s = memory[WORK_NOW, lane]
                still_open -= _attend(line, lanes, memory, stock, row, lane, kind, set_up_s, work_s, start, left)
                if row == machines - 1 and memory[left, lane] > ends_s >= memory[machine[0].start, lane]:
                    stock.remaining[lane, kind] += 1
            _account(memory, start, left, block)
            while failing != 0:
                lane = _lane(failing)
                failing &= failing - 1
                memory[block + DOWN, lane] += memory[DOWN_NOW, lane]
                memory[DOWN_NOW, lane] = 0.0
                if not varies:
                    memory[job, lane] = work_s
            if machine[row].places > 0:
                start = block + RING if start == machine[row].last_start else start + 1
                machine[row].start = start
                machine[row].room = start
            else:
                machine[row].room = left
            arrived = left
        for lane in range(LANES):
            memory[LEAD + kind, lane] += memory[arrived, lane] - memory[machine[0].start, lane]
        cars[kind] += 1
        car += 1
    nobody: Any = np.int64(-1)
    for row in range(machines):
        for lane in range(used):
            if memory[machine[row].block + EDGE, lane] <= stock.out.shape[1]:
                _attend(line, lanes, memory, stock, row, lane, nobody, 0.0, 0.0, END, END)
