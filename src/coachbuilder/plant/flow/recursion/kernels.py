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

from coachbuilder.plant.flow.streams.kernels import draw, exponential, stream

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
U8 = NDArray[np.uint64]
Records = NDArray[Any]

LANES = 16
"""Replications side by side."""

NOWHERE, RELEASE, DOWN_NOW, WORK_NOW, LEAD = range(5)
"""Rows of the line: zeros; when the source releases the car, s; repair and work of the job at hand, s (repair is zero
where nothing fails, work is kept only where it varies); from here on the sum of lead times by type, s."""

LEFT = 0
ATTENTION, EDGE, NEXT_FAILURE, LEFT_SUM, BLOCKED, PERIODS, SINCE, DOWN, WORKED, RING = range(2, 12)
"""Rows of a block: when the last two cars left, in turns, s; time after which a car that leaves needs more than the
recursion, s, and the number of the end of a bin that this is; next failure on the working clock, s; sum of the times of
leaving, s; time blocked, s; active periods that ended; when the last one began, s; time in repair, s; working clock if
work varies, s; from here on the starts of the last cars, one for each place of the buffer before the machine, s."""

WORKING_SUM, DOWN_SUM, BLOCKED_SUM, ACTIVE_SUM, ACTIVE_COUNT = 0, 1, 2, 7, 8
CAME_S, LEFT_S, HAS_CAR, COUNTS = 9, 10, 11, 12
"""Columns of the stock: those of ``Records.machine``; for the cars that started at a machine and for those that left it
the sums of these times less now, s; type of the car in work, 0.5 if none is; from here on cars finished by type; and
behind them, of the last machine, lead times of the cars that left by type, s."""

BINS_PER_BATCH = 5
_TIE = 1e-12

MACHINE = np.dtype(
    [
        ("block", np.int64),  # its first row
        ("job", np.int64),  # its jobs by type are rows job to job + V - 1, s
        ("start", np.int64),  # row of its ring that takes the next start
        ("last_start", np.int64),  # last row of its ring
        ("places", np.int64),  # of the buffer before it
        ("transport_s", np.float64),  # through the buffer before it
        ("room", np.int64),  # row that tells since when the buffer before it has room for the next car
        ("varies", np.int64),  # 1 if its work is drawn
        ("worked_s", np.float64),  # working clock of all lanes, if not
        ("first_mode", np.int64),  # its failures are modes first_mode to last_mode - 1
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
        ("exponential", np.int64),  # 1 if both are exponential
        ("next", np.int64),  # row of its next failures on the working clock, s
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
    """(M, V) fixed work, s."""
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

    def count(self, number: Any, truth: Any) -> Any:
        one = ir.Constant(_VECTOR, [1.0] * LANES)
        return self.builder.select(truth, self.builder.fadd(number, one), number)

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
    """Take one car through one machine: set rows ``start`` and ``left``, tell the lanes that need attention as bits."""
    row = types.intp

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Writer(context, builder, signature, arguments)
        _, arrived, transport_s, before, job, room, start, left, attention = arguments
        at_machine = builder.fadd(rows.load(arrived), rows.spread(transport_s))
        starts = rows.larger(at_machine, rows.load(before))
        leaves = rows.larger(builder.fadd(starts, rows.load(job)), rows.load(room))
        rows.store(starts, start)
        rows.store(leaves, left)
        return rows.bits(rows.is_above(leaves, rows.load(attention)))

    return types.int64(memory, row, types.float64, row, row, row, row, row, row), write


@_written
def _account(_: Any, memory: Any, before: Any, job: Any, start: Any, left: Any, block: Any) -> Any:
    """Add what one car did at one machine to the sums of its block."""
    row = types.intp

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Writer(context, builder, signature, arguments)
        before, job, starts, leaves = (rows.load(argument) for argument in arguments[1:5])
        block = arguments[5]
        ends = builder.fadd(starts, job)
        has_starved, is_held = rows.is_above(starts, before), rows.is_above(leaves, ends)
        rows.store(builder.fadd(rows.load(block, LEFT_SUM), leaves), block, LEFT_SUM)
        rows.store(builder.fadd(rows.load(block, BLOCKED), builder.fsub(leaves, ends)), block, BLOCKED)
        since = rows.load(block, SINCE)
        # A machine that was held has ended its period then; one without a first car has none to end.
        ends_by_starving = builder.and_(has_starved, rows.is_above(before, since))
        periods = rows.count(rows.load(block, PERIODS), ends_by_starving)
        rows.store(rows.count(periods, is_held), block, PERIODS)
        since = builder.select(has_starved, starts, since)
        rows.store(builder.select(is_held, leaves, since), block, SINCE)
        return context.get_dummy_value()

    return types.void(memory, row, row, row, row, row), write


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


@njit(cache=True, nogil=True)
def _next_type(mix: F8, order: I8, owed: F8, car: int) -> int:
    """Return the type of the next car: by the order, or the one that the mix owes most."""
    if order.size > 0:
        return int(order[car % order.size])
    best = -1
    for kind in range(owed.size):
        if mix[kind] > 0.0:
            owed[kind] += mix[kind]
            if best < 0 or owed[kind] > owed[best] + _TIE:
                best = kind
    owed[best] -= 1.0
    return best


@njit(cache=True, nogil=True)
def _drawn(time: Records, value_s: F8, row: int, bases: U8, memory: F8, into: int, used: int, count: int) -> None:
    """Write draw ``count`` of one time into a row, each lane from its own stream."""
    for lane in range(used):
        memory[into, lane] = draw(time, value_s, row, bases[lane], count)


@njit(cache=True, nogil=True)
def _take_stock(
    here: Any,
    memory: F8,
    stock: F8,
    out: I8,
    lane: int,
    row: int,
    cars: I8,
    kind: int,
    work_s: float,
    before_s: float,
    start_s: float,
    left_s: float,
    counts_from_s: float,
    bin_s: float,
) -> int:
    """Write the sums of one machine in one lane for all ends of bins and batches before a car leaves it.

    Parameters
    ----------
    here
        The machine, a record of MACHINE.
    memory, stock, out, counts_from_s, bin_s
        As in ``run_lanes``.
    lane, row
        Lane, and place of the machine in the line.
    cars
        (V,) cars before this one, by type.
    kind
        Type of the car; -1 for none, the source being empty.
    work_s
        Its work, s.
    before_s, start_s, left_s
        When the car before it left, when it started, when it left, s; the last two are infinite where there is no car.

    Returns
    -------
    int
        1 if the machine has come to the end of the run by it, else 0.
    """
    block, last, bins = here.block, row == stock.shape[2] - 1, out.shape[1]
    down_s = memory[DOWN_NOW, lane]
    end_s = start_s + (work_s + down_s)
    number = 0
    for item in range(cars.size):
        number += cars[item]
    worked_s = memory[block + WORKED, lane] if here.varies == 1 else here.worked_s
    if kind >= 0:
        worked_s -= work_s
    edge = int(memory[block + EDGE, lane])
    was_open = edge <= bins
    while edge <= bins:
        now = counts_from_s + edge * bin_s
        if left_s <= now:
            break
        if last and edge > 0:
            for item in range(cars.size):
                out[lane, edge - 1, item] = cars[item]
        if edge % BINS_PER_BATCH == 0:
            batch = edge // BINS_PER_BATCH
            has_started, has_ended = now >= start_s, now >= end_s
            working, down, blocked_s = worked_s, memory[block + DOWN, lane], memory[block + BLOCKED, lane]
            left_sum = memory[block + LEFT_SUM, lane]
            came_s = left_sum - blocked_s - working - down - now * number
            if has_started:
                came_s += start_s - now
                share = 1.0 if has_ended else (now - start_s) / (end_s - start_s)
                working += share * work_s
                down += share * down_s
            periods, since_s = memory[block + PERIODS, lane], memory[block + SINCE, lane]
            if start_s > before_s:
                if now > before_s > since_s:
                    periods += 1.0
                if has_started:
                    since_s = start_s
            active = working + down
            if now > end_s:
                periods += 1.0
                blocked_s += now - end_s
            elif has_started or now == before_s:
                active -= now - since_s
            stock[lane, batch, row, WORKING_SUM] = working
            stock[lane, batch, row, DOWN_SUM] = down
            stock[lane, batch, row, BLOCKED_SUM] = blocked_s
            stock[lane, batch, row, ACTIVE_SUM] = active
            stock[lane, batch, row, ACTIVE_COUNT] = periods
            stock[lane, batch, row, CAME_S] = came_s
            stock[lane, batch, row, LEFT_S] = left_sum - now * number
            stock[lane, batch, row, HAS_CAR] = kind if has_started and not has_ended else 0.5
            for item in range(cars.size):
                stock[lane, batch, row, COUNTS + item] = cars[item]
                if last:
                    stock[lane, batch, row, COUNTS + cars.size + item] = memory[LEAD + item, lane]
            if has_ended:
                stock[lane, batch, row, COUNTS + kind] += 1.0
        edge += 1 if last else BINS_PER_BATCH
    memory[block + EDGE, lane] = edge
    if edge <= bins:
        memory[block + ATTENTION, lane] = counts_from_s + edge * bin_s
        return 0
    # At the last machine every car that leaves after the end needs attention: it may have been inside by then.
    memory[block + ATTENTION, lane] = counts_from_s + bins * bin_s if last else np.inf
    return 1 if was_open else 0


@njit(cache=True, nogil=True)
def bases(keys: U8, purpose: int, first: int) -> U8:
    """Return (keys, LANES) bases of the streams of replications ``first`` and on."""
    found = np.empty((keys.size, LANES), np.uint64)
    for row in range(keys.size):
        for lane in range(LANES):
            found[row, lane] = stream(keys[row], purpose, first + lane)
    return found


@njit(cache=True, nogil=True)
def run_lanes(
    line: Line,
    memory: F8,
    failure: U8,
    repair: U8,
    service: U8,
    interval: U8,
    stock: F8,
    out: I8,
    remaining: I8,
    counts_from_s: float,
    bin_s: float,
) -> None:
    """Run up to LANES replications and write what they leave behind at the ends of batches and bins.

    Parameters
    ----------
    line
        The line; its machines are changed.
    memory
        (rows, LANES) zeros, but for the rows of fixed work; it is used up.
    failure, repair, service, interval
        (K, LANES), (K, LANES), (M, LANES) and (1, LANES) bases of the streams.
    stock
        (R, B + 1, M, COUNTS + 2 V) zeros that take the sums of R replications, see WORKING_SUM to COUNTS.
    out
        (R, 5 B, V) zeros that take the cars that left by the end of each bin, counted from the start of the run.
    remaining
        (R, V) zeros that take the cars found inside at the end of the run.
    counts_from_s, bin_s
        When counting starts, and length of a bin, s.
    """
    machine, modes, cycle, time, value_s = line.machine, line.mode, line.cycle, line.time, line.value_s
    machines, kinds = cycle.shape
    used = stock.shape[0]
    ends_s = counts_from_s + out.shape[1] * bin_s
    failures = np.zeros(failure.shape, np.int64)
    owed, cars = np.zeros(kinds), np.zeros(kinds, np.int64)
    car: Any = np.int64(0)
    for mode in range(modes.size):
        _drawn(time, value_s, modes[mode].to_failure, failure[mode], memory, modes[mode].next, used, car)
    for row in range(machines):
        block = machine[row].block
        for lane in range(LANES):
            # The first car has every lane looked at.
            memory[block + ATTENTION, lane] = -1.0 if lane < used else np.inf
            memory[block + NEXT_FAILURE, lane] = np.inf
        for mode in range(machine[row].first_mode, machine[row].last_mode):
            for lane in range(used):
                next_s = min(memory[block + NEXT_FAILURE, lane], memory[modes[mode].next, lane])
                memory[block + NEXT_FAILURE, lane] = next_s
    still_open = machines * used
    while still_open > 0 and car != line.limit:
        kind = _next_type(line.mix, line.order, owed, car)
        if line.interval >= 0:
            _drawn(time, value_s, line.interval, interval[0], memory, WORK_NOW, used, car)
            for lane in range(used):
                memory[RELEASE, lane] += memory[WORK_NOW, lane]
        now = car & 1
        arrived = RELEASE
        for row in range(machines):
            block, job, varies = machine[row].block, machine[row].job + kind, machine[row].varies == 1
            before, left, start = block + LEFT + 1 - now, block + LEFT + now, machine[row].start
            work_s = line.work_s[row, kind]
            if varies:
                _drawn(time, value_s, cycle[row, kind], service[row], memory, WORK_NOW, used, car)
                failing = np.int64(0)
                for lane in range(used):
                    memory[job, lane] = memory[WORK_NOW, lane]
                    memory[block + WORKED, lane] += memory[WORK_NOW, lane]
                    if memory[block + NEXT_FAILURE, lane] <= memory[block + WORKED, lane]:
                        failing |= np.int64(1) << lane
            else:
                machine[row].worked_s += work_s
                failing = _reached(memory, block + NEXT_FAILURE, machine[row].worked_s)
            bits = failing
            while bits != 0:
                lane = _lane(bits)
                bits &= bits - 1
                worked_s = memory[block + WORKED, lane] if varies else machine[row].worked_s
                down_s, next_s = 0.0, np.inf
                for mode in range(machine[row].first_mode, machine[row].last_mode):
                    due_s = memory[modes[mode].next, lane]
                    while due_s <= worked_s:
                        number = failures[mode, lane]
                        if modes[mode].exponential == 1:
                            # The same draws, without the counting of references that comes with passing arrays.
                            down_s += time[modes[mode].to_repair].mean_s * exponential(repair[mode, lane], number)
                            due_s += time[modes[mode].to_failure].mean_s * exponential(failure[mode, lane], number + 1)
                        else:
                            down_s += draw(time, value_s, modes[mode].to_repair, repair[mode, lane], number)
                            due_s += draw(time, value_s, modes[mode].to_failure, failure[mode, lane], number + 1)
                        failures[mode, lane] = number + 1
                    memory[modes[mode].next, lane] = due_s
                    next_s = min(next_s, due_s)
                memory[block + NEXT_FAILURE, lane] = next_s
                memory[DOWN_NOW, lane] = down_s
                memory[job, lane] += down_s
            bits = _advance(
                memory,
                arrived,
                machine[row].transport_s,
                before,
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
                still_open -= _take_stock(
                    machine[row],
                    memory,
                    stock,
                    out,
                    lane,
                    row,
                    cars,
                    kind,
                    work_s,
                    memory[before, lane],
                    memory[start, lane],
                    memory[left, lane],
                    counts_from_s,
                    bin_s,
                )
                if row == machines - 1 and memory[left, lane] > ends_s >= memory[machine[0].start, lane]:
                    remaining[lane, kind] += 1
            _account(memory, before, job, start, left, block)
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
    nobody = -1
    for row in range(machines):
        before = machine[row].block + LEFT + 1 - (car & 1)
        for lane in range(used):
            _take_stock(
                machine[row],
                memory,
                stock,
                out,
                lane,
                row,
                cars,
                nobody,
                0.0,
                memory[before, lane],
                np.inf,
                np.inf,
                counts_from_s,
                bin_s,
            )
