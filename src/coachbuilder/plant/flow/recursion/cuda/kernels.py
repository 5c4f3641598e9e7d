"""The recursion of departures on a GPU: one thread a replication, the columns of the memory side by side.

What happens to one lane besides the recursion, and the draws, are the functions of the recursion itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from coachbuilder.plant.flow.recursion.kernels import (
    ATTENTION,
    BLOCKED,
    DOWN,
    DOWN_NOW,
    EDGE,
    END,
    ENDED,
    LEAD,
    LEFT,
    LEFT_SUM,
    NEXT_FAILURE,
    PERIODS,
    RELEASE,
    RING,
    WORK_NOW,
    WORKED,
    Lanes,
    Line,
    Stock,
    _attend,
    _fail_at_work,
    _first_failing,
    _later,
    _next_type,
)
from coachbuilder.plant.flow.streams.kernels import INTERVAL, SERVICE, TO_FAILURE, TO_REPAIR, draw, stream

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
U8 = NDArray[np.uint64]
Records = NDArray[Any]

THREADS = 64
"""Threads of a block."""


def has_device() -> bool:
    """Return whether there is a device to run on."""
    return bool(cuda.is_available())  # type: ignore[no-untyped-call]


def run_threads(*arguments: Any) -> None:
    """Run ``thread`` with these arguments, once for every column of the memory."""
    replications = arguments[-4].shape[1]
    threads = min(THREADS, replications)
    _thread[-(-replications // threads), threads](*arguments)


def thread(
    machines: Records,
    modes: Records,
    cycle: I8,
    fixed_s: F8,
    set_ups_s: F8,
    time: Records,
    value_s: F8,
    mix: F8,
    order: I8,
    interval: int,
    source: np.uint64,
    limit: int,
    replication: int,
    failure: U8,
    repair: U8,
    failures: I8,
    owed: F8,
    cars: I8,
    counts_from_s: float,
    bin_s: float,
    memory: F8,
    sums: F8,
    out: I8,
    remaining: I8,
) -> None:
    """Run one replication; the arguments are the fields of ``Line``, ``Lanes`` and ``Stock``.

    ``machines``, ``owed`` and ``cars`` have one row a replication, ``failure``, ``repair``, ``failures`` and ``memory``
    one column; ``replication`` is the number of the first one.
    """
    lane = cuda.grid(1)  # type: ignore[attr-defined]
    if lane >= memory.shape[1]:
        return
    machine, bins = machines[lane], out.shape[1]
    line = Line(machine, modes, cycle, fixed_s, set_ups_s, time, value_s, mix, order, interval, source, limit)
    # Work and releases are drawn here, so that their bases, of which only one is needed at a time, are not kept.
    lanes = Lanes(failure, repair, failures, failure, repair[0], owed[lane], cars[lane])
    stock = Stock(sums, out, remaining, counts_from_s, bin_s)
    ends_s = counts_from_s + bins * bin_s
    releases = stream(source, INTERVAL, replication + lane)
    for mode in range(modes.size):
        failure[mode, lane] = stream(modes[mode].key, TO_FAILURE, replication + lane)
        repair[mode, lane] = stream(modes[mode].key, TO_REPAIR, replication + lane)
        memory[modes[mode].next, lane] = draw(time, value_s, modes[mode].to_failure, failure[mode, lane], 0)
    count = machine.size - 1
    for row in range(count):
        block = machine[row].block
        _, next_s = _first_failing(line, memory, machine[row].first_mode, machine[row].first_any, lane)
        memory[block + NEXT_FAILURE, lane] = next_s
        memory[block + ATTENTION, lane] = -1.0
        memory[block + ENDED, lane] = -1.0
    still_open = count
    kind = -1
    car = 0
    while still_open > 0 and car != limit:
        before_kind = kind
        kind = _next_type(line, lanes.owed, car)
        if interval >= 0:
            memory[RELEASE, lane] += draw(time, value_s, interval, releases, car)
        now = car & 1
        arrived = RELEASE
        for row in range(count):
            block = machine[row].block
            left = block + LEFT + now
            start = machine[row].start
            work_s, set_up_s, down_s = fixed_s[row, kind], 0.0, 0.0
            if machine[row].sets_up == 1 and before_kind >= 0:
                set_up_s = set_ups_s[row, before_kind, kind]
                machine[row].set_up_s += set_up_s
            if machine[row].varies == 1:
                if work_s < 0.0:
                    base = stream(machine[row].key, SERVICE, replication + lane)
                    work_s = draw(time, value_s, cycle[row, kind], base, machine[row].draws)
                memory[WORK_NOW, lane] = work_s
                machine[row].draws += 1
                worked_s = memory[block + WORKED, lane]
                memory[block + WORKED, lane] = worked_s + work_s
            else:
                worked_s = machine[row].worked_s
                machine[row].worked_s = worked_s + work_s
            spent_s = work_s
            if memory[block + NEXT_FAILURE, lane] <= worked_s + work_s:
                spent_s, down_s = _fail_at_work(line, lanes, memory, row, lane, worked_s, work_s, ends_s)
                if machine[row].varies == 1:
                    work_s = spent_s
            job_s = set_up_s + (spent_s + down_s)
            start_s = _later(memory[arrived, lane] + machine[row].transport_s, memory[block + LEFT + 1 - now, lane])
            end_s = start_s + job_s
            left_s = _later(end_s, memory[machine[row + 1].room, lane])
            memory[start, lane] = start_s
            memory[END, lane] = end_s
            memory[left, lane] = left_s
            if left_s > memory[block + ATTENTION, lane]:
                still_open -= _attend(line, lanes, memory, stock, row, lane, kind, set_up_s, work_s, start, left)
                if row == count - 1 and memory[left, lane] > ends_s and ends_s >= memory[machine[0].start, lane]:
                    remaining[lane, kind] += 1
                start_s, end_s, left_s = memory[start, lane], memory[END, lane], memory[left, lane]
            memory[block + LEFT_SUM, lane] += left_s
            memory[block + BLOCKED, lane] += left_s - end_s
            if start_s > memory[block + ENDED, lane]:
                memory[block + PERIODS, lane] += 1.0
            memory[block + ENDED, lane] = end_s
            memory[block + DOWN, lane] += down_s
            memory[DOWN_NOW, lane] = 0.0
            if machine[row].places > 0:
                start = block + RING if start == machine[row].last_start else start + 1
                machine[row].start = start
                machine[row].room = start
            else:
                machine[row].room = left
            arrived = left
        memory[LEAD + kind, lane] += memory[arrived, lane] - memory[machine[0].start, lane]
        lanes.cars[kind] += 1
        car += 1
    for row in range(count):
        if memory[machine[row].block + EDGE, lane] <= bins:
            _attend(line, lanes, memory, stock, row, lane, -1, 0.0, 0.0, END, END)


_thread: Any = cuda.jit(thread)  # type: ignore[no-untyped-call]
