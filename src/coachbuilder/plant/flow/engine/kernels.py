"""The event calendar: any plant of ``plant.py``, event by event.

Words: a *cell* is a station or a moving line with its *machines* (a line is one machine that holds many cars); a *lane*
is a buffer or a source in front of a cell; a *group* is the lanes that a way names together; a *mode* is one kind of
failure, or the maintenance, of one machine; a *pool* is a carrier loop. Times are seconds.

The calendar holds one time for every machine (end of its job, of its repair, or its failure), then for lanes with
transport or releases, for modes on the plant's clock, for pools and for shifts, in a winner tree: of equal times the
lower number comes first. All that a run changes lies in one ``State``, so that it can be stopped at any time, changed,
and gone on with.

Sums of waiting are kept as differences of times (minus the time of entering, plus that of leaving), so that a car costs
two additions; what is unfinished is settled when a snapshot is taken. Records of many fields keep calls cheap and the
hot path inlined.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from coachbuilder.plant.flow.streams.kernels import (
    INTERVAL,
    KERNEL,
    QUALITY,
    SCRAP,
    SERVICE,
    TO_FAILURE,
    TO_REPAIR,
    WORK,
    draw,
    stream,
    tabled,
    uniform,
)

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Records = NDArray[Any]

STATION, LINE, BATCH = 0, 1, 2
"""Kinds of cells."""

BY_SHARE, BY_OLDEST, BY_LONGEST, BY_SAME, BY_SEQUENCE = 0, 1, 2, 3, 4
"""Rules by which a cell picks a lane."""

TO_LEAST, TO_FIRST, TO_SHARE, TO_SAME = 0, 1, 2, 3
"""Rules by which a car chooses a lane of a group."""

IDLE, BUSY, HOLDING, WAITING = 0, 1, 2, 3
"""What a machine does: the two lowest bits of its state. HOLDING: blocked; WAITING: for a place before service."""

FOR_CREW, IN_REPAIR, IN_MAINTENANCE = 4, 8, 12
"""Added to the state of a machine that is down."""

OFF_SHIFT = 16
"""Added to the state of a machine that is off shift."""

JOB_ENDS, JOB_FAILS, REPAIR_ENDS = 0, 1, 2
"""What a machine's time in the calendar means."""

WORKING_CLOCK, PLANT_CLOCK, PLANNED_WORK = 0, 1, 2
"""Clocks of modes."""

RESUME, RESTART, GIVE_UP = 0, 1, 2
"""What a failure does to the car in work."""

STARTED, FINISHED, LEFT, GIVEN_UP, HELD, LOST, FAILED, REPAIRED = 0, 1, 2, 3, 4, 5, 6, 7
"""Codes of the trace."""

COMPLETE, STANDSTILL, TOO_MANY_EVENTS, NOT_CONSERVED = 0, 1, 2, 3
"""How a run ended."""

BINS_PER_BATCH = 5
NO_EVENT = np.inf

MOST_FAILURES = 100_000
"""A job that fails so often never ends: it starts anew after each failure, and fails before it is done."""

NEVER_S = 1e15

CELL = np.dtype(
    [
        ("first_machine", np.int64),
        ("last_machine", np.int64),
        ("first_lane", np.int64),  # lanes of a cell stand side by side, those of lowest priority number first
        ("last_lane", np.int64),
        ("kind", np.int64),
        ("direct", np.int64),  # 1 if an idle machine may start a car that comes through an empty lane at once; 2 if so,
        # but with set-ups or cars given up at failures; 3 if so, but its failures are events; 0 if it may not
        ("judged", np.int64),  # 1 if finished cars need a verdict: test or scrap
        ("rule", np.int64),
        ("before", np.int64),  # 1 if blocking before service
        ("loses", np.int64),  # 1 if a car without a place is lost
        ("fail_group", np.int64),  # -1 if nothing is tested
        ("retest_share", np.float64),
        ("scrap_share", np.float64),
        ("quality", np.uint64),  # base of its stream of verdicts
        ("verdicts", np.int64),
        ("scrap", np.uint64),
        ("scraps", np.int64),
        ("load_pool", np.int64),  # pool that gives a carrier to each car that starts; -1 if none
        ("unload_pool", np.int64),  # pool that gets it back when the car goes on
        ("set_up", np.int64),  # row of set_up_s; -1 if none
        ("size", np.int64),  # cars in a batch, stations of a line, else 1
        ("same", np.int64),  # batches: 1 if of one family
        ("gap", np.int64),  # lines: 1 if it moves on with an empty place
        ("first_place", np.int64),  # lines: its stations are first_place to first_place + size - 1
        ("works", np.int64),  # lines: 1 if its stations have work
        ("utility", np.int64),  # lines: utility workers
        ("stops", np.int64),  # lines: 1 if overload stops it
        ("work_time", np.int64),  # lines: row of the times by which its work varies; -1 if it does not
        ("crewed", np.int64),  # 1 if a mode needs a crew: its failures are events
        ("wakes", np.int64),  # 1 if a lane of it has a place in the calendar
        ("queued", np.int64),  # 1 while it stands in the list of what is to be served
    ]
)
"""A station or moving line."""

CELL_TYPE = np.dtype(
    [
        ("fixed_s", np.float64),  # cycle time if it does not vary, else -1
        ("time", np.int64),  # row of the times
        ("group", np.int64),  # where its cars go; -1 leaves the plant
        ("pass_share", np.float64),  # chance of passing the test at the first try
    ]
)
"""A cell and a type of car."""

MACHINE = np.dtype(
    [
        ("cell", np.int64),
        ("state", np.int64),
        ("car", np.int64),  # slot of the car in work or held
        ("since_s", np.float64),  # start of the job, of being held, of waiting for a place
        ("job_work_s", np.float64),
        ("job_down_s", np.float64),
        ("working_s", np.float64),
        ("down_s", np.float64),
        ("blocked_s", np.float64),
        ("worked_s", np.float64),  # its working clock
        ("next_failure_s", np.float64),  # on its working clock
        ("ended_s", np.float64),  # end of its last job
        ("active_from_s", np.float64),
        ("active_s", np.float64),
        ("active_count", np.int64),
        ("next_held", np.int64),
        ("has_turn", np.int64),  # 1 once its turn in the queue for a place has come
        ("wanted", np.int64),  # group at which it waits
        ("services", np.int64),
        ("service", np.uint64),  # base of its stream
        ("first_mode", np.int64),
        ("last_mode", np.int64),
        ("timer", np.int64),
        ("reserved", np.int64),  # lane in which a place is kept for its car; -1 if none
        ("pending", np.int64),  # modes that wait for their turn
        ("repaired", np.int64),  # mode in repair; -1 if none
        ("left_s", np.float64),  # time left in what was interrupted
        ("family", np.int64),  # of the car that was last in work; -1 before the first
        ("taken_family", np.int64),  # of the car that it took last
        ("gives_up", np.int64),  # 1 if the job's car is given up
        ("job_set_up_s", np.float64),
        ("set_up_s", np.float64),
        ("planned_s", np.float64),
        ("off_s", np.float64),
        ("off_from_s", np.float64),
        ("down_from_s", np.float64),
        ("job_stop_s", np.float64),
        ("stopped_s", np.float64),
        ("first_hold", np.int64),  # batches and lines: its cars are hold[first_hold:first_hold + size]
        ("held_cars", np.int64),  # cars there; batches: to be passed on
        ("gathered", np.int64),  # batches: cars that it has taken before it starts
        ("hold_at", np.int64),  # batches: next car to pass on; lines: place at which the next car enters
        ("batch_lane", np.int64),  # batches: lane of its last car
        ("takt_s", np.float64),  # lines: of the last step
        ("steps", np.int64),
        ("work", np.uint64),
        ("left_work_s", np.float64),  # crewed cells: work left in the job
        ("full_work_s", np.float64),  # crewed cells: work of the job from its beginning
        ("next_waiting", np.int64),  # next machine that waits for the same crew
    ]
)
"""A machine, or a moving line."""

MODE = np.dtype(
    [
        ("machine", np.int64),
        ("clock", np.int64),
        ("to_failure", np.int64),  # rows of the times
        ("to_repair", np.int64),
        ("car", np.int64),
        ("crew", np.int64),  # -1 if none
        ("failure", np.uint64),  # bases of its streams
        ("repair", np.uint64),
        ("failures", np.int64),
        ("repairs", np.int64),
        ("next_s", np.float64),  # next failure, on the machine's working clock or the plant's
        ("event", np.int64),  # number in the calendar; -1 on the working clock
        ("first_s", np.float64),  # maintenance: when it is due first
    ]
)
"""One kind of failure of one machine."""

LANE = np.dtype(
    [
        ("cell", np.int64),
        ("capacity", np.int64),
        ("count", np.int64),
        ("head", np.int64),
        ("ring_start", np.int64),
        ("ring_size", np.int64),
        ("ride_s", np.float64),
        ("level_s", np.float64),  # minus times of entering plus times of leaving
        ("group", np.int64),  # -1 for sources
        ("event", np.int64),  # number in the calendar; -1 if it needs none
        ("kept", np.int64),  # places kept for cars in work before it
        ("source", np.int64),
        ("priority", np.int64),
        ("weight", np.float64),  # share within its cell and priority
        ("entry_weight", np.float64),  # share within its group
        ("credit", np.float64),
        ("entry_credit", np.float64),
        ("last_family", np.int64),  # of the car that entered last
        ("interval", np.int64),  # sources: row of the times; -1 is always ready
        ("release_s", np.float64),
        ("draws", np.int64),
        ("stream", np.uint64),
        ("limit", np.int64),  # sources: cars left; -1 without limit
        ("first_order", np.int64),  # sources: their order is order[first_order:last_order]
        ("last_order", np.int64),
        ("order_at", np.int64),
        ("mix", np.int64),  # sources: row of the mix
        ("only", np.int64),  # sources: the type that they release if always ready with one type and no end, else -1
    ]
)
"""A buffer or source in front of a cell."""

GROUP = np.dtype(
    [
        ("first", np.int64),  # its lanes are group_lane[first:last]
        ("last", np.int64),
        ("lane", np.int64),  # the lane if there is one only, else -1
        ("rule", np.int64),
        ("held", np.int64),  # machines that wait for a place
        ("held_first", np.int64),
        ("held_last", np.int64),
        ("queued", np.int64),
    ]
)
"""Lanes that a way names together."""

PLACE_IN_LANE = np.dtype([("car", np.int64), ("due_s", np.float64)])
"""Slot of a car, and when it is at the head."""

SLOT = np.dtype(
    [
        ("type", np.int64),
        ("tries", np.int64),
        ("serial", np.int64),
        ("entry_s", np.float64),
        ("pools", np.int64),  # carriers that it has, one bit a pool
        ("free", np.int64),  # an unrelated stack of free slots
    ]
)
"""A car in the plant."""

POOL = np.dtype(
    [
        ("carriers", np.int64),
        ("free", np.int64),
        ("return_s", np.float64),
        ("cell", np.int64),  # where cars get one
        ("event", np.int64),
        ("ring_start", np.int64),
        ("head", np.int64),
        ("returning", np.int64),
        ("level_s", np.float64),
    ]
)
"""A carrier loop."""

CREW = np.dtype([("free", np.int64), ("first", np.int64), ("last", np.int64), ("waiting", np.int64)])
"""A repair crew."""

SHIFT = np.dtype(
    [
        ("first", np.int64),  # its windows are window_s[first:last]
        ("last", np.int64),
        ("period_s", np.float64),
        ("at", np.int64),
        ("round", np.int64),
        ("on", np.int64),
        ("event", np.int64),
        ("first_cell", np.int64),  # cells that keep it: shift_cell[first_cell:last_cell]
        ("last_cell", np.int64),
    ]
)
"""A calendar."""

CLOCK = np.dtype(
    [
        ("now_s", np.float64),
        ("free_slots", np.int64),
        ("serial", np.int64),
        ("trace_row", np.int64),
        ("ended", np.int64),
        ("stuck_cell", np.int64),
        ("stuck_s", np.float64),
        ("events", np.int64),
        ("max_events", np.int64),
        ("inside", np.int64),
        ("inside_s", np.float64),
        ("bin", np.int64),  # bins that ended since counting began; -1 before
        ("next_bin_s", np.float64),
        ("start_s", np.float64),
        ("bin_s", np.float64),
        ("todo_first", np.int64),
        ("todo_last", np.int64),
        ("stack", np.int64),  # codes on the stack
        ("leaves", np.int64),
        ("begun", np.int64),
        ("has_loop", np.int64),
        ("kicked", np.int64),
        ("first_other", np.int64),  # first event that is neither a machine's nor a lane's
    ]
)
"""What belongs to the whole run; an array of one."""


PLACE = np.dtype(
    [
        ("length_s", np.float64),  # length in line time; 0 means one takt
        ("start_s", np.float64),  # where its worker starts the next car
        ("over_s", np.float64),  # overload of this step that nobody has taken on
        ("overload_s", np.float64),  # sums
        ("utility_s", np.float64),
        ("stop_s", np.float64),
    ]
)
"""A station of a moving line."""

SHARE = np.dtype([("share", np.float64), ("owed", np.float64)])
"""Share of a type in a source, and what the source owes it, cars."""


class Core(NamedTuple):
    """What every car touches. N cells, M machines, L lanes, G groups, V types."""

    cell: Records
    """(N,)"""
    cell_type: Records
    """(N, V)"""
    machine: Records
    """(M,)"""
    lane: Records
    """(L,)"""
    group: Records
    """(G,)"""
    group_lane: I8
    """Lanes, group after group."""
    ring: Records
    """Places, lane after lane."""
    slot: Records
    """Cars."""
    family: I8
    """(V,) family of each type."""
    node_s: F8
    """(2 leaves,) winner tree of the calendar: times."""
    node_event: I8
    """(2 leaves,) and whose they are."""
    todo: I8
    """Ring of what is to be served: cells, groups (-1 - group), machines (2^40 + machine)."""
    stack: I8
    """What is served again once the chain of machines that it set going has ended."""
    clock: Records
    """(1,)"""


class Luck(NamedTuple):
    """Failures, times and releases. W modes."""

    mode: Records
    """(W,)"""
    time: Records
    """Rows of times, see the streams."""
    value_s: F8
    """Values of the empirical ones."""
    crew: Records
    """Crews."""
    frozen_s: F8
    """(leaves,) time left of what is off shift."""
    set_up_s: F8
    """(set-ups, families, families)"""
    share: Records
    """(sources, V)"""
    order: I8
    """Types, source after source."""


class Yard(NamedTuple):
    """Cars in batches and on lines, and carriers."""

    hold: I8
    """Slots, machine after machine; -1 is empty."""
    hold_kind: I8
    """Lines: the types of these cars; -1 where none is."""
    overloaded: I8
    """(P,) scratch: stations of a line with overload."""
    place: Records
    """(P,) stations of lines."""
    place_work_s: F8
    """(P, V) their work."""
    pool: Records
    """(Q,)"""
    pool_due_s: F8
    """When carriers are back, pool after pool."""
    stuck: NDArray[np.bool_]
    """(N,) scratch."""
    fed: NDArray[np.bool_]
    """(N,) scratch."""


class Rota(NamedTuple):
    """Shifts, and what the numbers in the calendar mean."""

    shift: Records
    """(shifts,)"""
    shift_cell: I8
    """Cells, shift after shift."""
    window_s: F8
    """(windows, 2) start and end, shift after shift."""
    event_kind: I8
    """(E,) 0 machine, 1 lane, 2 mode, 3 pool, 4 shift."""
    event_row: I8
    """(E,)"""


class Sums(NamedTuple):
    """What is counted."""

    finished: I8
    """(M, V) cars finished."""
    car: I8
    """(V, 6) cars that came in, left, were given up, lost, tested first, passed then."""
    lead_s: F8
    """(V,) sum of times in the plant."""
    left_s: F8
    """(V,) sum of the moments at which cars left, s."""
    out: I8
    """(bins, V) cars that left."""
    trace: F8
    """(rows, 5): time, machine, serial, type, code."""


class Snaps(NamedTuple):
    """Sums as they stood at the start of counting and at the end of each of B batches; see ``record.Records``."""

    snap_machine: F8
    snap_finished: I8
    snap_level: F8
    snap_inside: F8
    snap_car: I8
    snap_lead: F8
    snap_place: F8
    snap_carriers: F8


class Opening(NamedTuple):
    """Cars at the beginning and the end."""

    filled: I8
    """(cars, 2): lane and type of the cars inside at the start, heads first; on a moving line -1 - its machine."""
    entered_s: F8
    """(cars,) when each entered its lane, s; 0 or less."""
    at_start: I8
    """(V,)"""
    remaining: I8
    """(V,)"""


class State(NamedTuple):
    """A plant and all that a run changes in it, in groups: each function is handed what it needs."""

    core: Core
    luck: Luck
    yard: Yard
    rota: Rota
    sums: Sums
    snaps: Snaps
    opening: Opening


_written: Any = intrinsic


@_written
def _row(_: Any, number: Any) -> Any:
    """Return a number that is no less than 0, so that the compiler leaves out what counts rows from the end."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.assume(builder.icmp_signed(">=", arguments[0], ir.Constant(arguments[0].type, 0)))
        return arguments[0]

    return types.int64(types.int64), write


_TIE = 1e-12
_HARDLY_EVER_S = 1e9
_DOWN = 12
_MACHINE_CODE = 1 << 40


@njit(forceinline=True, **KERNEL)
def _schedule(node_s: F8, node_event: I8, leaves: int, event: int, time: float) -> None:
    node = _row(leaves + event)
    node_s[node] = time
    while node > 1:
        other = node ^ 1
        other_s = node_s[other]
        # Of two neighbours the even one has the lower number.
        if other_s < time or (other_s == time and node & 1 == 1):
            time = other_s
            event = node_event[other]
        node >>= 1
        if node_s[node] == time and node_event[node] == event:
            # What is above knows it already.
            break
        node_s[node] = time
        node_event[node] = event


@njit(**KERNEL)
def _write(clock: Records, trace: F8, machine: int, serial: int, kind: int, code: int) -> None:
    row = clock[0].trace_row
    if row < trace.shape[0]:
        trace[row, 0] = clock[0].now_s
        trace[row, 1] = machine
        trace[row, 2] = serial
        trace[row, 3] = kind
        trace[row, 4] = code
        clock[0].trace_row = row + 1


@njit(forceinline=True, **KERNEL)
def _append_todo(clock: Records, todo: I8, code: int) -> None:
    todo[clock[0].todo_last] = code
    clock[0].todo_last += 1
    if clock[0].todo_last == todo.size:
        clock[0].todo_last = 0


@njit(forceinline=True, **KERNEL)
def _wake(clock: Records, todo: I8, cells: Records, cell: int) -> None:
    if cells[cell].queued == 0:
        cells[cell].queued = 1
        _append_todo(clock, todo, cell)


@njit(forceinline=True, **KERNEL)
def _wake_group(clock: Records, todo: I8, groups: Records, group: int) -> None:
    if groups[group].queued == 0:
        groups[group].queued = 1
        _append_todo(clock, todo, -1 - group)


@njit(**KERNEL)
def _next_type(core: Core, luck: Luck, lane: int) -> int:
    """Return the type of the car that a source releases next."""
    source = core.lane[lane]
    if source.first_order < source.last_order:
        ordered: int = luck.order[source.order_at]
        return ordered
    best, most = -1, 0.0
    for kind in range(luck.share.shape[1]):
        share = luck.share[source.mix, kind].share
        if share > 0.0:
            owed = luck.share[source.mix, kind].owed + share
            if best < 0 or owed > most + _TIE:
                best, most = kind, owed
    return best


@njit(**KERNEL)
def _new_slot(slots: Records, car: I8, clock: Records, kind: int, now: float) -> int:
    clock[0].free_slots -= 1
    slot: int = _row(slots[_row(clock[0].free_slots)].free)
    slots[slot].type = kind
    slots[slot].entry_s = now
    slots[slot].tries = 0
    slots[slot].pools = 0
    slots[slot].serial = clock[0].serial
    clock[0].serial += 1
    car[kind, 0] += 1
    clock[0].inside += 1
    clock[0].inside_s -= now
    return slot


@njit(**KERNEL)
def _release(core: Core, luck: Luck, sums: Sums, lane: int, now: float) -> int:
    """Let a new car into the plant, of the type that is next in order or that the mix owes most."""
    lanes = core.lane
    kind = _next_type(core, luck, lane)
    if lanes[lane].first_order < lanes[lane].last_order:
        lanes[lane].order_at += 1
        if lanes[lane].order_at == lanes[lane].last_order:
            lanes[lane].order_at = lanes[lane].first_order
    else:
        row = lanes[lane].mix
        for other in range(luck.share.shape[1]):
            luck.share[row, other].owed += luck.share[row, other].share
        luck.share[row, kind].owed -= 1.0
    if lanes[lane].limit > 0:
        lanes[lane].limit -= 1
    if lanes[lane].interval >= 0:
        lanes[lane].release_s += draw(
            luck.time, luck.value_s, lanes[lane].interval, lanes[lane].stream, lanes[lane].draws
        )
        lanes[lane].draws += 1
    answer: int = _new_slot(core.slot, sums.car, core.clock, kind, now)
    return answer


@njit(forceinline=True, **KERNEL)
def _drop(slots: Records, clock: Records, slot: int, now: float) -> None:
    slots[_row(clock[0].free_slots)].free = slot
    clock[0].free_slots += 1
    clock[0].inside -= 1
    clock[0].inside_s += now


@njit(forceinline=True, **KERNEL)
def _enter(lanes: Records, ring: Records, lane: int, slot: int, family: int, now: float) -> None:
    place = lanes[lane].head + lanes[lane].count
    if place >= lanes[lane].ring_size:
        place -= lanes[lane].ring_size
    place = _row(place + lanes[lane].ring_start)
    ring[place].car = slot
    ring[place].due_s = now + lanes[lane].ride_s
    lanes[lane].count += 1
    lanes[lane].level_s -= now
    lanes[lane].last_family = family


@njit(forceinline=True, **KERNEL)
def _take(lanes: Records, ring: Records, lane: int, now: float) -> int:
    head = lanes[lane].head
    slot: int = ring[_row(lanes[lane].ring_start + head)].car
    lanes[lane].head = 0 if head + 1 == lanes[lane].ring_size else head + 1
    lanes[lane].count -= 1
    lanes[lane].level_s += now
    return slot


@njit(forceinline=True, **KERNEL)
def _head_due(lanes: Records, ring: Records, lane: int) -> float:
    due_s: float = ring[_row(lanes[lane].ring_start + lanes[lane].head)].due_s
    return due_s


@njit(forceinline=True, **KERNEL)
def _idle_machine(cells: Records, machines: Records, cell: int) -> int:
    for machine in range(_row(cells[cell].first_machine), cells[cell].last_machine):
        if machines[_row(machine)].state == IDLE:
            return machine
    return -1


@njit(forceinline=True, **KERNEL)
def _is_ready(lanes: Records, groups: Records, ring: Records, machines: Records, lane: int, now: float) -> bool:
    if lanes[lane].count > 0:
        answer: bool = _head_due(lanes, ring, lane) <= now
        return answer
    if lanes[lane].source == 1:
        released: bool = lanes[lane].release_s <= now and lanes[lane].limit != 0
        return released
    group = _row(lanes[lane].group)
    if groups[group].held == 0 or lanes[lane].ride_s > 0.0:
        return False
    holds: bool = machines[groups[group].held_first].car >= 0
    return holds


@njit(**KERNEL)
def _head_slot(core: Core, lane: int) -> int:
    """Return the slot of the car that would be taken; -1 for a source, whose car does not exist yet."""
    lanes = core.lane
    if lanes[lane].count > 0:
        slot: int = core.ring[lanes[lane].ring_start + lanes[lane].head].car
        return slot
    if lanes[lane].source == 1:
        return -1
    held: int = core.machine[core.group[lanes[lane].group].held_first].car
    return held


@njit(**KERNEL)
def _head_type(core: Core, luck: Luck, lane: int) -> int:
    slot = _head_slot(core, lane)
    if slot < 0:
        answer: int = _next_type(core, luck, lane)
        return answer
    kind: int = core.slot[slot].type
    return kind


@njit(**KERNEL)
def _waits_since(core: Core, lane: int, now: float) -> float:
    """Return when the head of a lane entered it; a car held before an empty lane would enter now."""
    lanes = core.lane
    if lanes[lane].count > 0:
        entered_s: float = _head_due(lanes, core.ring, lane) - lanes[lane].ride_s
        return entered_s
    if lanes[lane].source == 1:
        released_s: float = lanes[lane].release_s
        return released_s
    return now


@njit(**KERNEL)
def _keeps_carrier(core: Core, lane: int, pool: int, at_once: bool) -> bool:
    """Tell whether the head of a lane comes with a carrier of a pool.

    A car held by the station that unloads it gives its carrier back as it goes on; ``at_once`` if it can have it again.
    """
    slot = _head_slot(core, lane)
    if slot < 0 or core.slot[slot].pools >> pool & 1 == 0:
        return False
    if core.lane[lane].count > 0 or at_once:
        return True
    holder = core.machine[core.group[core.lane[lane].group].held_first].cell
    kept: bool = core.cell[holder].unload_pool != pool
    return kept


@njit(forceinline=True, **KERNEL)
def _pick_among(core: Core, luck: Luck, cell: int, machine: int, lacking: int, at_once: bool, now: float) -> int:
    """Return the lane to be served by the cell's rule; -1 if none is ready.

    If the pool ``lacking`` has no carrier (-1: none lacks), only cars that have one already count.
    """
    cells, lanes = core.cell, core.lane
    rule = cells[cell].rule
    best, best_key, best_second = -1, 0.0, 0.0
    for lane in range(cells[cell].first_lane, cells[cell].last_lane):
        if best >= 0 and lanes[lane].priority > lanes[best].priority:
            break
        if not _is_ready(lanes, core.group, core.ring, core.machine, lane, now):
            continue
        if lacking >= 0 and not _keeps_carrier(core, lane, lacking, at_once):
            continue
        key, second = 0.0, 0.0
        if rule == BY_SHARE:
            key = lanes[lane].credit + lanes[lane].weight
        elif rule == BY_OLDEST:
            key = -_waits_since(core, lane, now)
        elif rule == BY_LONGEST:
            key = float(lanes[lane].count)
        elif rule == BY_SAME:
            same = core.family[_head_type(core, luck, lane)] == core.machine[machine].taken_family
            key = 1.0 if same else 0.0
            second = 0.0 if same else float(lanes[lane].count)
        else:
            slot = _head_slot(core, lane)
            key = -float(core.clock[0].serial if slot < 0 else core.slot[slot].serial)
        if best < 0 or key > best_key + _TIE or (key >= best_key - _TIE and second > best_second):
            best, best_key, best_second = lane, key, second
    return best


@njit(**KERNEL)
def _settle(cells: Records, lanes: Records, served: int) -> None:
    """Book one car against the lane that was served: each lane earns its share, the served one pays a car."""
    cell = lanes[served].cell
    for lane in range(cells[cell].first_lane, cells[cell].last_lane):
        if lanes[lane].priority == lanes[served].priority:
            # What a lane may be owed is bounded, lest one that stood empty for long floods the cell afterwards.
            lanes[lane].credit = min(lanes[lane].credit + lanes[lane].weight, 2.0)
    lanes[served].credit = max(lanes[served].credit - 1.0, -2.0)


@njit(forceinline=True, **KERNEL)
def _has_room(lanes: Records, lane: int) -> bool:
    room: bool = lanes[lane].count + lanes[lane].kept < lanes[lane].capacity
    return room


@njit(**KERNEL)
def _takes_now(core: Core, pool: Records, lane: int, kind: int, slot: int, leaves: int) -> int:
    """Return an idle machine behind a lane that would take this car at once; -1 if there is none.

    As it goes on, the car gives back its carrier of the pool ``leaves``.
    """
    cells, machines, cell = core.cell, core.machine, core.lane[lane].cell
    machine = _idle_machine(cells, machines, cell)
    if machine < 0 or cells[cell].direct != 0:
        answer: int = machine
        return answer
    needs = cells[cell].load_pool
    if needs >= 0 and pool[needs].free == 0:
        if core.slot[slot].pools >> needs & 1 == 0 or (needs == leaves and pool[needs].return_s > 0.0):
            return -1
    if cells[cell].before == 1:
        group = core.cell_type[cell, kind].group
        if group >= 0 and not _has_room(core.lane, core.group[group].lane):
            return -1
    for each in range(machine, cells[cell].last_machine):
        if machines[each].state != IDLE or (cells[cell].kind == BATCH and machines[each].held_cars > 0):
            continue
        # A batch of one family that has begun takes cars of its lane and family only.
        begun = cells[cell].same == 1 and machines[each].gathered > 0
        if not begun or (machines[each].batch_lane == lane and machines[each].taken_family == core.family[kind]):
            answer = each
            return answer
    return -1


@njit(**KERNEL)
def _is_taken(core: Core, pool: Records, lane: int, kind: int, slot: int, leaves: int) -> bool:
    """Tell whether a car that finds no place in a lane is taken at once by the cell behind it."""
    if lane < 0 or core.lane[lane].count > 0 or core.lane[lane].ride_s > 0.0:
        return False
    answer: bool = _takes_now(core, pool, lane, kind, slot, leaves) >= 0
    return answer


@njit(**KERNEL)
def _choose(core: Core, pool: Records, group: int, slot: int, leaves: int) -> int:
    """Return the lane of a group that a car enters, or through which it reaches an idle machine; -1 if all are full."""
    lanes, rule = core.lane, core.group[group].rule
    kind = core.slot[slot].type
    best, best_key = -1, 0.0
    for row in range(core.group[group].first, core.group[group].last):
        lane = core.group_lane[row]
        at_once = lanes[lane].count == 0 and lanes[lane].ride_s == 0.0
        if at_once:
            at_once = _takes_now(core, pool, lane, kind, slot, leaves) >= 0
        if not at_once and not _has_room(lanes, lane):
            continue
        key = 0.5 if at_once else -float(lanes[lane].count)
        if rule == TO_FIRST:
            key = 0.0
        elif rule == TO_SHARE:
            key = lanes[lane].entry_credit + lanes[lane].entry_weight
        elif rule == TO_SAME:
            if lanes[lane].count > 0 and lanes[lane].last_family == core.family[kind]:
                key = 2.0
            elif lanes[lane].count == 0:
                key = 1.0
        if best < 0 or key > best_key + _TIE:
            best, best_key = lane, key
    return best


@njit(**KERNEL)
def _settle_entry(core: Core, entered: int) -> None:
    group, lanes = core.lane[entered].group, core.lane
    if group < 0 or core.group[group].rule != TO_SHARE:
        return
    for row in range(core.group[group].first, core.group[group].last):
        lane = core.group_lane[row]
        lanes[lane].entry_credit = min(lanes[lane].entry_credit + lanes[lane].entry_weight, 2.0)
    lanes[entered].entry_credit = max(lanes[entered].entry_credit - 1.0, -2.0)


@njit(forceinline=True, **KERNEL)
def _hold(machines: Records, groups: Records, machine: int, group: int, does: int, now: float) -> None:
    """Make a machine wait for a place of a group, behind those that wait already."""
    machines[machine].state = (machines[machine].state & ~3) | does
    machines[machine].since_s = now
    machines[machine].wanted = group
    if groups[group].held > 0:
        machines[groups[group].held_last].next_held = machine
    else:
        groups[group].held_first = machine
    groups[group].held_last = machine
    groups[group].held += 1


@njit(forceinline=True, **KERNEL)
def _free_first(machines: Records, groups: Records, group: int, now: float) -> int:
    """Take the machine that waits longest at a group; it does nothing now."""
    machine: int = _row(groups[group].held_first)
    groups[group].held_first = machines[machine].next_held
    groups[group].held -= 1
    until_s = now
    if machines[machine].state > 3:
        if machines[machine].state & _DOWN:
            until_s = min(until_s, machines[machine].down_from_s)
        if machines[machine].state & OFF_SHIFT:
            until_s = min(until_s, machines[machine].off_from_s)
    machines[machine].blocked_s += max(0.0, until_s - machines[machine].since_s)
    machines[machine].has_turn = 1 if machines[machine].state & 3 == WAITING else 0
    machines[machine].state &= ~3
    return machine


@njit(**KERNEL)
def _leave_queue(core: Core, machine: int, now: float) -> None:
    """Take a machine that waits for a place before service out of the queue: it goes down or off shift."""
    machines, groups = core.machine, core.group
    group = machines[machine].wanted
    if groups[group].held_first == machine:
        groups[group].held_first = machines[machine].next_held
    else:
        before = groups[group].held_first
        while machines[before].next_held != machine:
            before = machines[before].next_held
        machines[before].next_held = machines[machine].next_held
        if groups[group].held_last == machine:
            groups[group].held_last = before
    groups[group].held -= 1
    machines[machine].blocked_s += now - machines[machine].since_s
    machines[machine].state &= ~3
    _wake_group(core.clock, core.todo, groups, group)


@njit(**KERNEL)
def _first_failing(machines: Records, modes: Records, machine: int) -> int:
    """Return the mode on the machine's working clock that fails next, and note when; -1 if none can."""
    best = -1
    for mode in range(machines[machine].first_mode, machines[machine].last_mode):
        if modes[mode].clock == WORKING_CLOCK and (best < 0 or modes[mode].next_s < modes[best].next_s):
            best = mode
    machines[machine].next_failure_s = modes[best].next_s if best >= 0 else np.inf
    return best


@njit(forceinline=True, **KERNEL)
def _time_to_failure(times: Records, values_s: F8, modes: Records, mode: int) -> float:
    modes[mode].failures += 1
    answer: float = draw(times, values_s, modes[mode].to_failure, modes[mode].failure, modes[mode].failures - 1)
    return answer


@njit(forceinline=True, **KERNEL)
def _time_to_repair(times: Records, values_s: F8, modes: Records, mode: int) -> float:
    modes[mode].repairs += 1
    answer: float = draw(times, values_s, modes[mode].to_repair, modes[mode].repair, modes[mode].repairs - 1)
    return answer


@njit(**KERNEL)
def _fail_at_work(
    machines: Records, modes: Records, times: Records, values_s: F8, machine: int, work: float
) -> tuple[float, float]:
    """Settle the failures of a job that begins; return its work, work done twice included, and its repairs, s."""
    target = machines[machine].worked_s + work
    spent = work
    down = 0.0
    failures = 0
    while machines[machine].next_failure_s <= target:
        failures += 1
        if failures > MOST_FAILURES:
            down += NEVER_S
            break
        mode = _first_failing(machines, modes, machine)
        at = modes[mode].next_s
        down += _time_to_repair(times, values_s, modes, mode)
        modes[mode].next_s = at + _time_to_failure(times, values_s, modes, mode)
        if modes[mode].car == RESTART:
            target = at + work
            spent = target - machines[machine].worked_s
        elif modes[mode].car == GIVE_UP:
            target = at
            spent = target - machines[machine].worked_s
            machines[machine].gives_up = 1
            _first_failing(machines, modes, machine)
            break
        _first_failing(machines, modes, machine)
    machines[machine].worked_s = target
    return spent, down


@njit(forceinline=True, **KERNEL)
def _book_start(machines: Records, machine: int, now: float) -> None:
    """Note that a job begins: if the machine waited before it, an active period has ended where its last job did."""
    if machines[machine].ended_s < now:
        machines[machine].active_s += machines[machine].ended_s - machines[machine].active_from_s
        machines[machine].active_count += 1
        machines[machine].active_from_s = now
    machines[machine].state |= BUSY
    machines[machine].since_s = now


@njit(forceinline=True, **KERNEL)
def _begin(
    cell_types: Records,
    machines: Records,
    modes: Records,
    times: Records,
    values_s: F8,
    machine: int,
    slot: int,
    kind: int,
    now: float,
) -> float:
    """Begin a job of a station without set-ups or crews, and return its end."""
    cell = _row(machines[machine].cell)
    work = cell_types[cell, kind].fixed_s
    if work < 0.0:
        work = draw(times, values_s, cell_types[cell, kind].time, machines[machine].service, machines[machine].services)
    machines[machine].services += 1
    down = 0.0
    worked = machines[machine].worked_s + work
    if machines[machine].next_failure_s <= worked:
        work, down = _fail_at_work(machines, modes, times, values_s, machine, work)
    else:
        machines[machine].worked_s = worked
    _book_start(machines, machine, now)
    machines[machine].car = slot
    machines[machine].job_work_s = work
    machines[machine].job_down_s = down
    end_s: float = now + (work + down)
    return end_s


@njit(**KERNEL)
def _overload(core: Core, luck: Luck, yard: Yard, machine: int) -> float:
    """Let the workers of a moving line do one step; return for how long the line stops, s.

    A worker who starts at ``start`` would end at ``start + work``. What reaches over the station's end is overload;
    where a utility worker takes it on, or it is finished elsewhere, he ends at the station's end. The largest of the
    rest stops the line, all work on, and each starts his next car at ``max(0, end - stop - takt)``.
    """
    cells, cell = core.cell, core.machine[machine].cell
    size, first = cells[cell].size, cells[cell].first_place
    places, overloaded, values_s = yard.place, yard.overloaded, luck.value_s
    takt, base = core.machine[machine].takt_s, core.machine[machine].work
    table = -1
    if cells[cell].work_time >= 0:
        table = luck.time[cells[cell].work_time].first
    hold, ring = core.machine[machine].first_hold, core.machine[machine].hold_at
    draws = core.machine[machine].steps * size
    count = 0
    for offset in range(size):
        place = first + offset
        # The car that has just entered stands at ring - 1, the one before it at ring - 2, and so on.
        row = ring - 1 - offset
        if row < 0:
            row += size
        kind = yard.hold_kind[hold + row]
        work = 0.0
        if kind >= 0:
            work = yard.place_work_s[place, kind]
            if table >= 0:
                work *= tabled(values_s, table, base, draws + offset)
        length = places[place].length_s if places[place].length_s > 0.0 else takt
        ends = places[place].start_s + work
        if ends > length:
            over = ends - length
            places[place].over_s = over
            places[place].overload_s += over
            overloaded[first + count] = place
            count += 1
            ends = length
        places[place].start_s = max(0.0, ends - takt)
    stop = 0.0
    for helper in range(cells[cell].utility + cells[cell].stops):
        # The largest goes to the next utility worker; behind the last of them, it stops the line.
        best = -1
        for row in range(first, first + count):
            place = overloaded[row]
            if places[place].over_s > 0.0 and (best < 0 or places[place].over_s > places[best].over_s):
                best = place
        if best < 0:
            break
        if helper < cells[cell].utility:
            places[best].utility_s += places[best].over_s
            places[best].over_s = 0.0
        else:
            stop = places[best].over_s
            places[best].stop_s += stop
    if stop > 0.0:
        for row in range(first, first + count):
            place = overloaded[row]
            if places[place].over_s > 0.0:
                length = places[place].length_s if places[place].length_s > 0.0 else takt
                places[place].start_s = length + places[place].over_s - takt
        for place in range(first, first + size):
            places[place].start_s = max(0.0, places[place].start_s - stop)
    return stop


@njit(**KERNEL)
def _begin_step(core: Core, luck: Luck, yard: Yard, machine: int, slot: int, now: float) -> float:
    """Move a line by one station, with a new car or an empty place (-1), and return the end of the step."""
    machines, cell = core.machine, core.machine[machine].cell
    yard.hold[machines[machine].first_hold + machines[machine].hold_at] = slot
    yard.hold_kind[machines[machine].first_hold + machines[machine].hold_at] = core.slot[slot].type if slot >= 0 else -1
    machines[machine].hold_at = (machines[machine].hold_at + 1) % core.cell[cell].size
    if slot >= 0:
        machines[machine].held_cars += 1
        kind = core.slot[slot].type
        takt = core.cell_type[cell, kind].fixed_s
        if takt < 0.0:
            row = core.cell_type[cell, kind].time
            takt = draw(luck.time, luck.value_s, row, machines[machine].service, machines[machine].services)
        machines[machine].services += 1
        machines[machine].takt_s = takt
        machines[machine].family = core.family[kind]
    takt = machines[machine].takt_s
    stop = 0.0
    if core.cell[cell].works == 1:
        stop = _overload(core, luck, yard, machine)
    machines[machine].steps += 1
    if core.cell[cell].crewed == 1:
        _book_start(machines, machine, now)
        machines[machine].job_stop_s = stop
        machines[machine].full_work_s = takt
        machines[machine].left_work_s = takt
        answer: float = _go_on(machines, machine, now, 0.0)
        return answer
    down = 0.0
    if machines[machine].next_failure_s <= machines[machine].worked_s + takt:
        _, down = _fail_at_work(machines, luck.mode, luck.time, luck.value_s, machine, takt)
    else:
        machines[machine].worked_s += takt
    _book_start(machines, machine, now)
    machines[machine].job_work_s = takt
    machines[machine].job_down_s = down
    machines[machine].job_stop_s = stop
    end_s: float = now + (takt + (stop + down))
    return end_s


@njit(**KERNEL)
def _set_up(core: Core, luck: Luck, machine: int, kind: int) -> float:
    """Return the set-up before a car of a type, and note its family."""
    cell, family, set_up = core.machine[machine].cell, core.family[kind], 0.0
    if core.cell[cell].set_up >= 0 and core.machine[machine].family >= 0:
        set_up = luck.set_up_s[core.cell[cell].set_up, core.machine[machine].family, family]
    core.machine[machine].family = family
    return set_up


@njit(forceinline=True, **KERNEL)
def _go_on(machines: Records, machine: int, now: float, set_up: float) -> float:
    """Let the work of a crewed cell begin or go on; return when it ends or fails."""
    machines[machine].since_s = now
    machines[machine].job_down_s = 0.0
    machines[machine].job_set_up_s = set_up
    machines[machine].left_s = set_up
    until = machines[machine].left_work_s
    stop = machines[machine].job_stop_s
    machines[machine].timer = JOB_ENDS
    left = machines[machine].next_failure_s - machines[machine].worked_s
    if left <= until:
        until = max(left, 0.0)
        stop = 0.0
        machines[machine].timer = JOB_FAILS
    machines[machine].job_work_s = until
    end_s: float = now + (set_up + (until + stop))
    return end_s


@njit(forceinline=True, **KERNEL)
def _begin_crewed(
    cell_types: Records, machines: Records, times: Records, values_s: F8, machine: int, slot: int, kind: int, now: float
) -> float:
    """Begin a job of a station without set-ups whose failures are events; return when it ends or fails."""
    cell = _row(machines[machine].cell)
    work = cell_types[cell, kind].fixed_s
    if work < 0.0:
        work = draw(times, values_s, cell_types[cell, kind].time, machines[machine].service, machines[machine].services)
    machines[machine].services += 1
    _book_start(machines, machine, now)
    machines[machine].car = slot
    machines[machine].full_work_s = work
    machines[machine].left_work_s = work
    answer: float = _go_on(machines, machine, now, 0.0)
    return answer


@njit(**KERNEL)
def _begin_slow(core: Core, luck: Luck, machine: int, slot: int, now: float) -> float:
    """Begin a job of any station and return its end, or its failure where that needs a crew."""
    machines, cell = core.machine, core.machine[machine].cell
    kind = core.slot[slot].type
    work = core.cell_type[cell, kind].fixed_s
    if work < 0.0:
        row = core.cell_type[cell, kind].time
        work = draw(luck.time, luck.value_s, row, machines[machine].service, machines[machine].services)
    machines[machine].services += 1
    set_up = _set_up(core, luck, machine, kind)
    _book_start(machines, machine, now)
    machines[machine].car = slot
    if core.cell[cell].crewed == 1:
        machines[machine].full_work_s = work
        machines[machine].left_work_s = work
        answer: float = _go_on(machines, machine, now, set_up)
        return answer
    down = 0.0
    if machines[machine].next_failure_s <= machines[machine].worked_s + work:
        work, down = _fail_at_work(machines, luck.mode, luck.time, luck.value_s, machine, work)
    else:
        machines[machine].worked_s += work
    machines[machine].job_work_s = work
    machines[machine].job_down_s = down
    machines[machine].job_set_up_s = set_up
    end_s: float = now + (set_up + (work + down))
    return end_s


@njit(**KERNEL)
def _write_condition(core: Core, sums: Sums, machine: int, code: int) -> None:
    if sums.trace.shape[0] > 0:
        slot = core.machine[machine].car
        if slot >= 0 and core.machine[machine].state & 3 != IDLE:
            _write(core.clock, sums.trace, machine, core.slot[slot].serial, core.slot[slot].type, code)
        else:
            _write(core.clock, sums.trace, machine, -1, -1, code)


@njit(**KERNEL)
def _go_down(core: Core, luck: Luck, sums: Sums, machine: int, mode: int, now: float) -> None:
    """Let a machine go down for a failure or maintenance; it waits for a crew if none is free."""
    machines, modes, crews = core.machine, luck.mode, luck.crew
    leaves = core.clock[0].leaves
    _write_condition(core, sums, machine, FAILED)
    if machines[machine].state & 3 == BUSY:
        if core.cell[machines[machine].cell].crewed == 1:
            _interrupt(core, machine, now)
        else:
            machines[machine].left_s = core.node_s[leaves + machine] - now
        if modes[mode].car == GIVE_UP:
            machines[machine].gives_up = 1
            machines[machine].left_s = 0.0
            machines[machine].left_work_s = 0.0
        elif modes[mode].car == RESTART:
            machines[machine].left_work_s = machines[machine].full_work_s
    elif machines[machine].state & 3 == WAITING:
        _leave_queue(core, machine, now)
    machines[machine].repaired = mode
    machines[machine].down_from_s = now
    crew = modes[mode].crew
    if modes[mode].clock == PLANNED_WORK:
        machines[machine].state |= IN_MAINTENANCE
    elif crew >= 0 and crews[crew].free == 0:
        machines[machine].state |= FOR_CREW
        if crews[crew].waiting > 0:
            machines[crews[crew].last].next_waiting = machine
        else:
            crews[crew].first = machine
        crews[crew].last = machine
        crews[crew].waiting += 1
        _schedule(core.node_s, core.node_event, leaves, machine, NO_EVENT)
        return
    else:
        machines[machine].state |= IN_REPAIR
        if crew >= 0:
            crews[crew].free -= 1
    machines[machine].timer = REPAIR_ENDS
    until = now + _time_to_repair(luck.time, luck.value_s, modes, mode)
    _schedule(core.node_s, core.node_event, leaves, machine, until)


@njit(**KERNEL)
def _interrupt(core: Core, machine: int, now: float) -> None:
    """Book what a crewed cell has done of its job so far."""
    machines = core.machine
    gone = now - machines[machine].since_s
    if gone <= 0.0:
        return
    set_up = min(gone, machines[machine].job_set_up_s)
    done = min(gone - set_up, machines[machine].job_work_s)
    machines[machine].set_up_s += set_up
    machines[machine].working_s += done
    machines[machine].worked_s += done
    machines[machine].left_work_s -= done
    machines[machine].left_s = machines[machine].job_set_up_s - set_up
    stop = min(gone - set_up - done, machines[machine].job_stop_s)
    machines[machine].stopped_s += stop
    machines[machine].job_stop_s -= stop
    machines[machine].job_work_s = 0.0
    machines[machine].job_set_up_s = 0.0
    machines[machine].since_s = now


@njit(**KERNEL)
def _has_car(machines: Records, machine: int) -> bool:
    does = machines[machine].state & 3
    return does in (BUSY, HOLDING) or machines[machine].gathered > 0 or machines[machine].held_cars > 0


@njit(**KERNEL)
def _next_pending(machines: Records, modes: Records, machine: int) -> int:
    """Return the mode that has waited longest for its turn, and strike it off; -1 if none may begin.

    Maintenance waits while the machine has a car.
    """
    best = -1
    for bit in range(machines[machine].last_mode - machines[machine].first_mode):
        mode = machines[machine].first_mode + bit
        if machines[machine].pending >> bit & 1:
            if modes[mode].clock == PLANNED_WORK and _has_car(machines, machine):
                continue
            if best < 0 or modes[mode].next_s < modes[best].next_s:
                best = mode
    if best >= 0:
        machines[machine].pending ^= 1 << (best - machines[machine].first_mode)
    return best


@njit(**KERNEL)
def _repaired(core: Core, luck: Luck, sums: Sums, machine: int, now: float) -> int:
    """End a repair: free the crew, let the clock of the mode start anew, and the machine go on.

    Return the machine if its car is given up now, else -1.
    """
    machines, modes, crews = core.machine, luck.mode, luck.crew
    leaves = core.clock[0].leaves
    mode = machines[machine].repaired
    _write_condition(core, sums, machine, REPAIRED)
    gone = now - machines[machine].down_from_s
    if modes[mode].clock == PLANNED_WORK:
        machines[machine].planned_s += gone
    else:
        machines[machine].down_s += gone
    # What began in the meantime, such as holding the next car of a batch, begins to count now.
    machines[machine].since_s = min(machines[machine].since_s + gone, now)
    machines[machine].state &= ~_DOWN
    machines[machine].repaired = -1
    machines[machine].timer = JOB_ENDS
    if modes[mode].clock == WORKING_CLOCK:
        modes[mode].next_s = machines[machine].worked_s + _time_to_failure(luck.time, luck.value_s, modes, mode)
        _first_failing(machines, modes, machine)
    else:
        due = now + _time_to_failure(luck.time, luck.value_s, modes, mode)
        _schedule(core.node_s, core.node_event, leaves, modes[mode].event, due)
    crew = modes[mode].crew
    if crew >= 0:
        if crews[crew].waiting > 0:
            other = crews[crew].first
            crews[crew].first = machines[other].next_waiting
            crews[crew].waiting -= 1
            machines[other].state = (machines[other].state & ~_DOWN) | IN_REPAIR
            machines[other].timer = REPAIR_ENDS
            length = _time_to_repair(luck.time, luck.value_s, modes, machines[other].repaired)
            if machines[other].state & OFF_SHIFT:
                luck.frozen_s[other] = length
            else:
                _schedule(core.node_s, core.node_event, leaves, other, now + length)
        else:
            crews[crew].free += 1
    does = machines[machine].state & 3
    if does == BUSY and machines[machine].gives_up == 1:
        machines[machine].state = IDLE
        machines[machine].ended_s = now
        return machine
    following = _next_pending(machines, modes, machine)
    if following >= 0:
        left = machines[machine].left_s
        _schedule(core.node_s, core.node_event, leaves, machine, now + left)
        _go_down(core, luck, sums, machine, following, now)
        return -1
    if does == BUSY:
        if core.cell[machines[machine].cell].crewed == 1:
            end = _go_on(machines, machine, now, machines[machine].left_s)
        else:
            end = now + machines[machine].left_s
        _schedule(core.node_s, core.node_event, leaves, machine, end)
    elif does == IDLE:
        _append_todo(core.clock, core.todo, _MACHINE_CODE + machine)
    return -1


@njit(**KERNEL)
def _change_shift(core: Core, luck: Luck, rota: Rota, shift: int, now: float) -> None:
    """Freeze what is off shift, or let it go on."""
    shifts, machines, modes = rota.shift, core.machine, luck.mode
    leaves = core.clock[0].leaves
    ends = shifts[shift].on == 1
    shifts[shift].on = 0 if ends else 1
    if ends:
        shifts[shift].at += 1
        if shifts[shift].at == shifts[shift].last:
            shifts[shift].at = shifts[shift].first
            shifts[shift].round += 1
    column = 0 if ends else 1
    due = shifts[shift].round * shifts[shift].period_s + rota.window_s[shifts[shift].at, column]
    _schedule(core.node_s, core.node_event, leaves, shifts[shift].event, due)
    for row in range(shifts[shift].first_cell, shifts[shift].last_cell):
        cell = rota.shift_cell[row]
        for machine in range(core.cell[cell].first_machine, core.cell[cell].last_machine):
            gone = now - machines[machine].off_from_s
            if ends:
                if machines[machine].state & 3 == WAITING:
                    _leave_queue(core, machine, now)
                machines[machine].state |= OFF_SHIFT
                machines[machine].off_from_s = now
            else:
                machines[machine].state &= ~OFF_SHIFT
                machines[machine].off_s += gone
                machines[machine].since_s = min(machines[machine].since_s + gone, now)
                machines[machine].down_from_s += gone
                machines[machine].active_from_s += gone
                machines[machine].ended_s += gone
            _freeze(core, luck, machine, ends, now)
            for mode in range(machines[machine].first_mode, machines[machine].last_mode):
                if modes[mode].event >= 0:
                    _freeze(core, luck, modes[mode].event, ends, now)
        if not ends:
            _wake(core.clock, core.todo, core.cell, cell)


@njit(**KERNEL)
def _freeze(core: Core, luck: Luck, event: int, freezes: bool, now: float) -> None:
    leaves = core.clock[0].leaves
    if freezes:
        luck.frozen_s[event] = core.node_s[leaves + event] - now
        _schedule(core.node_s, core.node_event, leaves, event, NO_EVENT)
    elif luck.frozen_s[event] < NO_EVENT:
        _schedule(core.node_s, core.node_event, leaves, event, now + luck.frozen_s[event])
        luck.frozen_s[event] = NO_EVENT


@njit(**KERNEL)
def _verdict(core: Core, sums: Sums, cell: int, slot: int) -> tuple[int, bool]:
    """Judge a finished car: return the group that it goes to (-1 out of the plant) and whether it is given up."""
    cells, slots = core.cell, core.slot
    kind = slots[slot].type
    group: int = core.cell_type[cell, kind].group
    if cells[cell].fail_group >= 0:
        tries = slots[slot].tries
        share = core.cell_type[cell, kind].pass_share if tries == 0 else cells[cell].retest_share
        good = uniform(cells[cell].quality, cells[cell].verdicts) < share
        cells[cell].verdicts += 1
        if tries == 0:
            sums.car[kind, 4] += 1
            if good:
                sums.car[kind, 5] += 1
        slots[slot].tries = 0 if good else tries + 1
        if not good:
            return cells[cell].fail_group, False
    if cells[cell].scrap_share > 0.0:
        given_up = uniform(cells[cell].scrap, cells[cell].scraps) < cells[cell].scrap_share
        cells[cell].scraps += 1
        return group, given_up
    return group, False


@njit(**KERNEL)
def _free_carrier(core: Core, yard: Yard, pool: int, now: float) -> None:
    """Send an empty carrier back to where cars are loaded."""
    pools = yard.pool
    if pools[pool].return_s == 0.0:
        pools[pool].free += 1
        pools[pool].level_s -= now
        _wake(core.clock, core.todo, core.cell, pools[pool].cell)
        return
    place = (pools[pool].head + pools[pool].returning) % pools[pool].carriers
    yard.pool_due_s[pools[pool].ring_start + place] = now + pools[pool].return_s
    pools[pool].returning += 1
    if pools[pool].returning == 1:
        _schedule(core.node_s, core.node_event, core.clock[0].leaves, pools[pool].event, now + pools[pool].return_s)


@njit(**KERNEL)
def _carrier_is_back(core: Core, yard: Yard, pool: int, now: float) -> None:
    pools = yard.pool
    pools[pool].head = (pools[pool].head + 1) % pools[pool].carriers
    pools[pool].returning -= 1
    pools[pool].free += 1
    pools[pool].level_s -= now
    due = NO_EVENT
    if pools[pool].returning > 0:
        due = yard.pool_due_s[pools[pool].ring_start + pools[pool].head]
    _schedule(core.node_s, core.node_event, core.clock[0].leaves, pools[pool].event, due)
    _wake(core.clock, core.todo, core.cell, pools[pool].cell)


@njit(**KERNEL)
def _free_carriers(core: Core, yard: Yard, slot: int, cell: int, leaves_plant: bool, now: float) -> None:
    """Free the carrier that a car has no more use for behind a cell, or all it has if it goes for good."""
    for pool in range(yard.pool.size):
        if core.slot[slot].pools >> pool & 1 and (leaves_plant or core.cell[cell].unload_pool == pool):
            core.slot[slot].pools ^= 1 << pool
            _free_carrier(core, yard, pool, now)


@njit(**KERNEL)
def _left_station(core: Core, yard: Yard, machine: int, slot: int, now: float) -> None:
    """Note that a car has gone on from a machine that held it."""
    core.machine[machine].car = -1
    if core.slot[slot].pools != 0:
        _free_carriers(core, yard, slot, core.machine[machine].cell, False, now)


@njit(**KERNEL)
def _wake_later(core: Core, cell: int, now: float) -> None:
    """Schedule the moments at which a cell with an idle machine may have a car."""
    lanes, clock = core.lane, core.clock
    for lane in range(core.cell[cell].first_lane, core.cell[cell].last_lane):
        event = lanes[lane].event
        if event < 0 or core.node_s[clock[0].leaves + event] < NO_EVENT:
            continue
        due = NO_EVENT
        if lanes[lane].source == 1:
            if lanes[lane].limit != 0 and lanes[lane].release_s > now:
                due = lanes[lane].release_s
        elif lanes[lane].count > 0 and _head_due(lanes, core.ring, lane) > now:
            due = _head_due(lanes, core.ring, lane)
        if due < NO_EVENT:
            _schedule(core.node_s, core.node_event, clock[0].leaves, event, due)


@njit(**KERNEL)
def _is_stuck_pool(core: Core, yard: Yard, cell: int) -> bool:
    pool = core.cell[cell].load_pool
    answer: bool = pool >= 0 and yard.pool[pool].free == 0 and yard.pool[pool].returning == 0
    return answer


@njit(**KERNEL)
def _can_move(core: Core, yard: Yard, cell: int, stuck: NDArray[np.bool_], fed: NDArray[np.bool_]) -> bool:
    """Tell whether any machine of a cell can ever do something again, if the cells marked stuck cannot."""
    cells, machines, lanes, groups = core.cell, core.machine, core.lane, core.group
    for machine in range(cells[cell].first_machine, cells[cell].last_machine):
        does = machines[machine].state & 3
        if does == BUSY or machines[machine].state > 3:
            return True
        if does != IDLE:
            group = machines[machine].wanted
            for row in range(groups[group].first, groups[group].last):
                if _has_room(lanes, core.group_lane[row]) or not stuck[lanes[core.group_lane[row]].cell]:
                    return True
            continue
        if _is_stuck_pool(core, yard, cell):
            for other in range(cells.size):
                if not stuck[other] and cells[other].unload_pool == cells[cell].load_pool:
                    return True
            continue
        if fed[cell]:
            return True
        for lane in range(cells[cell].first_lane, cells[cell].last_lane):
            if lanes[lane].count > 0 or (lanes[lane].source == 1 and lanes[lane].limit != 0):
                return True
    return False


@njit(**KERNEL)
def _standstill(core: Core, yard: Yard) -> int:
    """Return a cell that holds cars and can never move again, or -1.

    All cells are taken to be stuck; those that can move are struck off, and what this frees, until nothing changes.
    """
    cells, lanes, groups = core.cell, core.lane, core.group
    stuck, fed = yard.stuck, yard.fed
    for cell in range(cells.size):
        stuck[cell] = True
        fed[cell] = False
    changed = True
    while changed:
        changed = False
        for cell in range(cells.size):
            if stuck[cell] and _can_move(core, yard, cell, stuck, fed):
                stuck[cell] = False
                changed = True
                for kind in range(core.cell_type.shape[1] + 1):
                    group = cells[cell].fail_group
                    if kind < core.cell_type.shape[1]:
                        group = core.cell_type[cell, kind].group
                    if group >= 0:
                        for row in range(groups[group].first, groups[group].last):
                            fed[lanes[core.group_lane[row]].cell] = True
    for cell in range(cells.size):
        if stuck[cell]:
            for machine in range(cells[cell].first_machine, cells[cell].last_machine):
                if core.machine[machine].state & 3 == HOLDING or core.machine[machine].gathered > 0:
                    return cell
            for lane in range(cells[cell].first_lane, cells[cell].last_lane):
                if lanes[lane].count > 0:
                    return cell
    return -1


@njit(**KERNEL)
def _snapshot(core: Core, yard: Yard, sums: Sums, snaps: Snaps, row: int, now: float) -> None:
    """Write all sums as they stand now, what is unfinished in its share."""
    machines, lanes, clock = core.machine, core.lane, core.clock
    for machine in range(machines.size):
        own = snaps.snap_machine[row, machine]
        condition = machines[machine].state
        until = now
        if condition & _DOWN:
            until = min(until, machines[machine].down_from_s)
        if condition & OFF_SHIFT:
            until = min(until, machines[machine].off_from_s)
        gone = max(0.0, until - machines[machine].since_s)
        own[0] = machines[machine].working_s
        own[1] = machines[machine].down_s
        own[2] = machines[machine].blocked_s
        own[3] = machines[machine].set_up_s
        own[4] = machines[machine].planned_s
        own[5] = machines[machine].off_s
        own[6] = machines[machine].stopped_s
        ended = machines[machine].ended_s
        if condition & 3 == BUSY:
            set_up = min(gone, machines[machine].job_set_up_s)
            work, down = machines[machine].job_work_s, machines[machine].job_down_s
            stop = machines[machine].job_stop_s
            length = work + down
            share = min(1.0, (gone - set_up) / length) if length > 0.0 else 0.0
            own[0] += share * work
            own[1] += share * down
            own[3] += set_up
            own[6] += min(stop, max(0.0, gone - set_up - length))
            # A repair within a job is part of its active period.
            ended = machines[machine].off_from_s if condition & OFF_SHIFT else now
        elif condition & 3:
            own[2] += gone
        if condition & _DOWN and not (condition & OFF_SHIFT and machines[machine].off_from_s <= until):
            until_down = machines[machine].off_from_s if condition & OFF_SHIFT else now
            column = 4 if condition & _DOWN == IN_MAINTENANCE else 1
            own[column] += until_down - machines[machine].down_from_s
        if condition & OFF_SHIFT:
            own[5] += now - machines[machine].off_from_s
        own[7] = machines[machine].active_s + ended - machines[machine].active_from_s
        own[8] = machines[machine].active_count + 1
    for machine in range(machines.size):
        for kind in range(sums.lead_s.size):
            snaps.snap_finished[row, machine, kind] = sums.finished[machine, kind]
    for lane in range(lanes.size):
        snaps.snap_level[row, lane] = lanes[lane].level_s + lanes[lane].count * now
    snaps.snap_inside[row] = clock[0].inside_s + clock[0].inside * now
    for kind in range(sums.lead_s.size):
        snaps.snap_lead[row, kind] = sums.lead_s[kind]
        for column in range(sums.car.shape[1]):
            snaps.snap_car[row, kind, column] = sums.car[kind, column]
    for place in range(yard.place.size):
        snaps.snap_place[row, place, 0] = yard.place[place].overload_s
        snaps.snap_place[row, place, 1] = yard.place[place].utility_s
        snaps.snap_place[row, place, 2] = yard.place[place].stop_s
    for pool in range(yard.pool.size):
        snaps.snap_carriers[row, pool] = yard.pool[pool].level_s + yard.pool[pool].free * now


@njit(**KERNEL)
def _next_bin(core: Core, yard: Yard, sums: Sums, snaps: Snaps) -> None:
    """Close a bin of the output, at its end, and write the sums where a batch ends with it."""
    clock, now = core.clock, core.clock[0].next_bin_s
    clock[0].bin += 1
    done = clock[0].bin
    if done % BINS_PER_BATCH == 0:
        _snapshot(core, yard, sums, snaps, done // BINS_PER_BATCH, now)
    clock[0].next_bin_s = clock[0].start_s + (done + 1) * clock[0].bin_s
    if done == sums.out.shape[0]:
        clock[0].next_bin_s = NO_EVENT
    if clock[0].has_loop == 1 and clock[0].ended == COMPLETE and clock[0].kicked == 1:
        cell = _standstill(core, yard)
        if cell >= 0:
            clock[0].ended = STANDSTILL
            clock[0].stuck_cell = cell
            clock[0].stuck_s = now


@njit(**KERNEL)
def count_remaining(state: State) -> bool:
    """Count the cars that are really there, type by type; true if they are those that came in and did not go out."""
    core, yard, sums, opening = state.core, state.yard, state.sums, state.opening
    for kind in range(opening.remaining.size):
        opening.remaining[kind] = 0
    for machine in range(core.machine.size):
        cell = core.machine[machine].cell
        does = core.machine[machine].state & 3
        if does == HOLDING or (does == BUSY and core.cell[cell].kind == STATION):
            opening.remaining[core.slot[core.machine[machine].car].type] += 1
        if core.cell[cell].kind == LINE:
            for place in range(core.cell[cell].size):
                slot = yard.hold[core.machine[machine].first_hold + place]
                if slot >= 0:
                    opening.remaining[core.slot[slot].type] += 1
        elif core.cell[cell].kind == BATCH:
            for place in range(core.machine[machine].held_cars):
                slot = yard.hold[core.machine[machine].first_hold + core.machine[machine].hold_at + place]
                opening.remaining[core.slot[slot].type] += 1
            for place in range(core.machine[machine].gathered):
                slot = yard.hold[core.machine[machine].first_hold + place]
                opening.remaining[core.slot[slot].type] += 1
    for lane in range(core.lane.size):
        for offset in range(core.lane[lane].count):
            place = core.lane[lane].ring_start + (core.lane[lane].head + offset) % core.lane[lane].ring_size
            opening.remaining[core.slot[core.ring[place].car].type] += 1
    for kind in range(opening.remaining.size):
        own = sums.car[kind]
        if opening.at_start[kind] + own[0] - own[1] - own[2] - own[3] != opening.remaining[kind]:
            return False
    return True


@njit(**KERNEL)
def begin(state: State, replication: int) -> None:
    """Set the streams of one replication, put the cars inside that stand there at the start, and fill the calendar.

    The bases of the streams hold keys before.
    """
    core, luck, rota, sums, opening = state.core, state.luck, state.rota, state.sums, state.opening
    machines, modes, lanes, cells, clock = core.machine, luck.mode, core.lane, core.cell, core.clock
    leaves = clock[0].leaves
    for event in range(leaves):
        core.node_event[leaves + event] = event
    for node in range(leaves - 1, 0, -1):
        core.node_event[node] = core.node_event[2 * node]
    for cell in range(cells.size):
        cells[cell].scrap = stream(cells[cell].quality, SCRAP, replication)
        cells[cell].quality = stream(cells[cell].quality, QUALITY, replication)
    for machine in range(machines.size):
        key = machines[machine].service
        machines[machine].service = stream(key, SERVICE, replication)
        machines[machine].work = stream(key, WORK, replication)
        for mode in range(machines[machine].first_mode, machines[machine].last_mode):
            modes[mode].repair = stream(modes[mode].failure, TO_REPAIR, replication)
            modes[mode].failure = stream(modes[mode].failure, TO_FAILURE, replication)
            if modes[mode].clock == PLANNED_WORK:
                modes[mode].next_s = modes[mode].first_s
            else:
                modes[mode].next_s = _time_to_failure(luck.time, luck.value_s, modes, mode)
            if modes[mode].event >= 0:
                _schedule(core.node_s, core.node_event, leaves, modes[mode].event, modes[mode].next_s)
        _first_failing(machines, modes, machine)
    for lane in range(lanes.size):
        if lanes[lane].source == 1:
            lanes[lane].stream = stream(lanes[lane].stream, INTERVAL, replication)
            if lanes[lane].interval >= 0:
                lanes[lane].release_s = draw(luck.time, luck.value_s, lanes[lane].interval, lanes[lane].stream, 0)
                lanes[lane].draws = 1
    for row in range(opening.filled.shape[0]):
        lane, kind = opening.filled[row, 0], opening.filled[row, 1]
        slot = _new_slot(core.slot, sums.car, clock, kind, 0.0)
        sums.car[kind, 0] -= 1
        opening.at_start[kind] += 1
        if lane < 0:
            # The place at which the next car enters stays empty: it is the last station's.
            machine = -1 - lane
            machines[machine].held_cars += 1
            state.yard.hold[machines[machine].first_hold + machines[machine].held_cars] = slot
            state.yard.hold_kind[machines[machine].first_hold + machines[machine].held_cars] = kind
        else:
            entered_s = opening.entered_s[row]
            _enter(lanes, core.ring, lane, slot, core.family[kind], entered_s)
            lanes[lane].level_s += entered_s
    for shift in range(rota.shift.size):
        _begin_shift(core, luck, rota, shift)
    for cell in range(cells.size):
        _wake(clock, core.todo, core.cell, cell)


@njit(**KERNEL)
def restart_sources(state: State, now_s: float) -> None:
    """Let sources whose interval was changed release at their new rate from a moment on.

    Parameters
    ----------
    state
        A run that stands at ``now_s``.
    now_s
        Moment, s.
    """
    core, times = state.core, state.luck.time
    lanes, leaves = core.lane, core.clock[0].leaves
    for lane in range(lanes.size):
        if lanes[lane].source == 0 or lanes[lane].interval < 0:
            continue
        interval_s = times[lanes[lane].interval].mean_s
        if interval_s >= _HARDLY_EVER_S:
            lanes[lane].release_s = now_s + interval_s
        elif lanes[lane].release_s > now_s + interval_s:
            lanes[lane].release_s = now_s + 0.5 * interval_s
        due_s = lanes[lane].release_s if lanes[lane].release_s > now_s else NO_EVENT
        _schedule(core.node_s, core.node_event, leaves, lanes[lane].event, due_s)
        _wake(core.clock, core.todo, core.cell, lanes[lane].cell)
    core.clock[0].kicked = 0


@njit(**KERNEL)
def drop_waiting(state: State, latest_s: float, dropped: F8) -> None:
    """Give up the cars that wait outside since before a moment.

    Parameters
    ----------
    state
        A run.
    latest_s
        Cars released before it are given up, s.
    dropped
        (V,) they are added here, by type as the source's shares say.
    """
    lanes, share = state.core.lane, state.luck.share
    for lane in range(lanes.size):
        if lanes[lane].source == 0 or lanes[lane].interval < 0 or lanes[lane].release_s >= latest_s:
            continue
        interval_s = state.luck.time[lanes[lane].interval].mean_s
        cars = math.ceil((latest_s - lanes[lane].release_s) / interval_s)
        lanes[lane].release_s += cars * interval_s
        for kind in range(share.shape[1]):
            dropped[kind] += cars * share[lanes[lane].mix, kind].share


@njit(**KERNEL)
def _begin_shift(core: Core, luck: Luck, rota: Rota, shift: int) -> None:
    shifts = rota.shift
    leaves = core.clock[0].leaves
    opens = rota.window_s[shifts[shift].first, 0]
    shifts[shift].at = shifts[shift].first
    shifts[shift].on = 1 if opens <= 0.0 else 0
    due = rota.window_s[shifts[shift].first, 1] if opens <= 0.0 else opens
    _schedule(core.node_s, core.node_event, leaves, shifts[shift].event, due)
    if shifts[shift].on == 1:
        return
    for row in range(shifts[shift].first_cell, shifts[shift].last_cell):
        cell = rota.shift_cell[row]
        for machine in range(core.cell[cell].first_machine, core.cell[cell].last_machine):
            core.machine[machine].state |= OFF_SHIFT
            for mode in range(core.machine[machine].first_mode, core.machine[machine].last_mode):
                if luck.mode[mode].event >= 0:
                    _freeze(core, luck, luck.mode[mode].event, True, 0.0)


@njit(**KERNEL)
def _slow_event(core: Core, luck: Luck, yard: Yard, rota: Rota, sums: Sums, event: int, now: float) -> int:
    """Serve an event that is neither the end of a job nor a car at the head of a lane.

    Return a machine whose car is given up now, or -1.
    """
    kind, row = rota.event_kind[event], rota.event_row[event]
    machines, modes, clock = core.machine, luck.mode, core.clock
    _schedule(core.node_s, core.node_event, clock[0].leaves, event, NO_EVENT)
    if kind == 0:
        if machines[row].timer == REPAIR_ENDS:
            answer: int = _repaired(core, luck, sums, row, now)
            return answer
        else:
            mode = _first_failing(machines, modes, row)
            _go_down(core, luck, sums, row, mode, now)
            machines[row].worked_s = modes[mode].next_s
    elif kind == 2:
        machine = modes[row].machine
        has_car = modes[row].clock == PLANNED_WORK and _has_car(machines, machine)
        if has_car or machines[machine].state & _DOWN:
            machines[machine].pending |= 1 << (row - machines[machine].first_mode)
            modes[row].next_s = now
        else:
            _go_down(core, luck, sums, machine, row, now)
    elif kind == 3:
        _carrier_is_back(core, yard, row, now)
    else:
        _change_shift(core, luck, rota, row, now)
    return -1


@njit(**KERNEL)
def _serve_group(core: Core, yard: Yard, group: int, now: float) -> int:
    """Let the machine that waits longest for a place of a group go on if there is one; return it, or -1."""
    groups, machines, lanes = core.group, core.machine, core.lane
    if groups[group].held == 0:
        return -1
    slot = machines[groups[group].held_first].car
    lane = groups[group].lane
    if lane < 0:
        lane = _choose(core, yard.pool, group, slot, -1)
    if lane < 0 or not _has_room(lanes, lane):
        return -1
    freed = _free_first(machines, groups, group, now)
    if slot >= 0:
        _settle_entry(core, lane)
        _enter(lanes, core.ring, lane, slot, core.family[core.slot[slot].type], now)
        _left_station(core, yard, freed, slot, now)
        if lanes[lane].event >= 0:
            if core.node_s[core.clock[0].leaves + lanes[lane].event] == NO_EVENT:
                due = _head_due(lanes, core.ring, lane)
                _schedule(core.node_s, core.node_event, core.clock[0].leaves, lanes[lane].event, due)
        elif core.cell[lanes[lane].cell].direct == 0:
            _wake(core.clock, core.todo, core.cell, lanes[lane].cell)
    answer: int = freed
    return answer


@njit(**KERNEL)
def _begin_batch(core: Core, luck: Luck, yard: Yard, sums: Sums, machine: int, now: float) -> None:
    """Begin the job of a batch: its time and set-up are those of the first car."""
    machines = core.machine
    first = machines[machine].first_hold
    if sums.trace.shape[0] > 0:
        for place in range(first, first + machines[machine].gathered):
            slot = yard.hold[place]
            _write(core.clock, sums.trace, machine, core.slot[slot].serial, core.slot[slot].type, STARTED)
    machines[machine].held_cars = machines[machine].gathered
    machines[machine].gathered = 0
    machines[machine].hold_at = 0
    end = _begin_slow(core, luck, machine, yard.hold[first], now)
    machines[machine].car = -1
    _schedule(core.node_s, core.node_event, core.clock[0].leaves, machine, end)


@njit(**KERNEL)
def _next_of_batch(
    core: Core, luck: Luck, yard: Yard, sums: Sums, cell: int, machine: int, lacks_carrier: bool, now: float
) -> int:
    """Return the lane of a batch's next car if that has its family; else start without it and return -1."""
    lane: int = core.machine[machine].batch_lane
    if not _is_ready(core.lane, core.group, core.ring, core.machine, lane, now):
        _wake_later(core, cell, now)
        return -1
    first = core.slot[yard.hold[core.machine[machine].first_hold]].type
    if core.family[_head_type(core, luck, lane)] == core.family[first]:
        slot = _head_slot(core, lane)
        has_one = slot >= 0 and core.slot[slot].pools >> core.cell[cell].load_pool & 1
        return -1 if lacks_carrier and not has_one else lane
    _begin_batch(core, luck, yard, sums, machine, now)
    return -1


@njit(forceinline=True, **KERNEL)
def _pull_slow(core: Core, luck: Luck, yard: Yard, sums: Sums, machine: int, now: float) -> int:
    """Let an idle machine of any cell take a car if it may; return the machine that this frees, or -1."""
    cells, machines, lanes, groups, pools = core.cell, core.machine, core.lane, core.group, yard.pool
    node_s, node_event, leaves = core.node_s, core.node_event, core.clock[0].leaves
    cell = machines[machine].cell
    what, pool = cells[cell].kind, cells[cell].load_pool
    if what == BATCH and machines[machine].held_cars > 0:
        return -1
    lacks_carrier = pool >= 0 and pools[pool].free == 0
    at_once = pool >= 0 and pools[pool].return_s == 0.0
    lane = _pick_among(core, luck, cell, machine, pool if lacks_carrier else -1, at_once, now)
    if what == BATCH and cells[cell].same == 1 and machines[machine].gathered > 0:
        lane = _next_of_batch(core, luck, yard, sums, cell, machine, lacks_carrier, now)
        if lane < 0:
            return -1
    if lane < 0:
        if what == LINE and cells[cell].gap == 1 and machines[machine].held_cars > 0:
            _schedule(node_s, node_event, leaves, machine, _begin_step(core, luck, yard, machine, -1, now))
        _wake_later(core, cell, now)
        return -1
    if cells[cell].before == 1:
        group = core.cell_type[cell, _head_type(core, luck, lane)].group
        if group >= 0:
            turn = machines[machine].has_turn == 1 or groups[group].held == 0
            machines[machine].has_turn = 0
            if not turn or not _has_room(lanes, groups[group].lane):
                machines[machine].car = -1
                _hold(machines, groups, machine, group, WAITING, now)
                return -1
            machines[machine].reserved = groups[group].lane
            lanes[groups[group].lane].kept += 1
    freed = -1
    if lanes[lane].source == 1:
        slot = _release(core, luck, sums, lane, now)
    elif lanes[lane].count > 0:
        slot = _take(lanes, core.ring, lane, now)
        group = lanes[lane].group
        if groups[group].held > 0:
            freed = _free_first(machines, groups, group, now)
            other = machines[freed].car
            if other >= 0:
                _enter(lanes, core.ring, lane, other, core.family[core.slot[other].type], now)
                _settle_entry(core, lane)
                _left_station(core, yard, freed, other, now)
            else:
                _wake_group(core.clock, core.todo, core.group, group)
    else:
        freed = _free_first(machines, groups, lanes[lane].group, now)
        slot = machines[freed].car
        _left_station(core, yard, freed, slot, now)
    if cells[cell].last_lane - cells[cell].first_lane > 1:
        _settle(cells, lanes, lane)
    machines[machine].taken_family = core.family[core.slot[slot].type]
    if pool >= 0 and core.slot[slot].pools >> pool & 1 == 0:
        pools[pool].free -= 1
        pools[pool].level_s += now
        core.slot[slot].pools |= 1 << pool
    if what == BATCH:
        yard.hold[machines[machine].first_hold + machines[machine].gathered] = slot
        machines[machine].gathered += 1
        machines[machine].batch_lane = lane
        if machines[machine].gathered == cells[cell].size:
            _begin_batch(core, luck, yard, sums, machine, now)
        else:
            core.stack[core.clock[0].stack] = _MACHINE_CODE + machine
            core.clock[0].stack += 1
        return freed
    if sums.trace.shape[0] > 0:
        _write(core.clock, sums.trace, machine, core.slot[slot].serial, core.slot[slot].type, STARTED)
    if what == LINE:
        _schedule(node_s, node_event, leaves, machine, _begin_step(core, luck, yard, machine, slot, now))
    else:
        _schedule(node_s, node_event, leaves, machine, _begin_slow(core, luck, machine, slot, now))
    return freed


@njit(**KERNEL)
def _finish_batch(core: Core, yard: Yard, sums: Sums, machine: int) -> None:
    for place in range(core.machine[machine].held_cars):
        slot = yard.hold[core.machine[machine].first_hold + place]
        sums.finished[machine, core.slot[slot].type] += 1
        if sums.trace.shape[0] > 0:
            _write(core.clock, sums.trace, machine, core.slot[slot].serial, core.slot[slot].type, FINISHED)


@njit(**KERNEL)
def advance(state: State, until_s: float) -> None:
    """Serve all events up to a moment; nothing is lost by stopping there, changing the state, and going on.

    Parameters
    ----------
    state
        A run that has begun.
    until_s
        Moment, s.
    """
    core, luck, yard, rota, sums, snaps = state.core, state.luck, state.yard, state.rota, state.sums, state.snaps
    cells, cell_types, machines, lanes = core.cell, core.cell_type, core.machine, core.lane
    groups, modes, times, values_s = core.group, luck.mode, luck.time, luck.value_s
    node_s, node_event, ring, slots = core.node_s, core.node_event, core.ring, core.slot
    clock, todo, finished, hold = core.clock, core.todo, sums.finished, yard.hold
    family_of, car, out, lead_s, left_s = core.family, sums.car, sums.out, sums.lead_s, sums.left_s
    count = machines.size
    leaves = clock[0].leaves
    traced = sums.trace.shape[0] > 0
    max_events = clock[0].max_events
    events = clock[0].events
    next_bin_s = clock[0].next_bin_s
    now = clock[0].now_s
    first_other = clock[0].first_other
    kicked = clock[0].kicked == 0
    clock[0].kicked = 1
    while True:
        event = -1
        machine = -1
        passing = False
        if not kicked:
            event = _row(node_event[1])
            now = node_s[1]
            if now > until_s or events >= max_events:
                break
            while now > next_bin_s:
                _next_bin(core, yard, sums, snaps)
                next_bin_s = clock[0].next_bin_s
            clock[0].now_s = now
            events += 1
            if event < count and machines[event].timer == JOB_ENDS:
                machine = event
                passing = True
                node_s[_row(leaves + event)] = NO_EVENT
                cell = _row(machines[machine].cell)
                machines[machine].working_s += machines[machine].job_work_s
                machines[machine].down_s += machines[machine].job_down_s
                machines[machine].ended_s = now
                if cells[cell].direct == 3:
                    machines[machine].worked_s += machines[machine].job_work_s
                elif cells[cell].direct != 1:
                    machines[machine].set_up_s += machines[machine].job_set_up_s
                    machines[machine].stopped_s += machines[machine].job_stop_s
                    machines[machine].job_set_up_s = 0.0
                    machines[machine].job_stop_s = 0.0
                    if cells[cell].crewed == 1:
                        machines[machine].worked_s += machines[machine].job_work_s
                    machines[machine].job_work_s = 0.0
                    machines[machine].job_down_s = 0.0
                    if cells[cell].kind == LINE:
                        place = machines[machine].first_hold + machines[machine].hold_at
                        machines[machine].car = hold[place]
                        if hold[place] >= 0:
                            machines[machine].held_cars -= 1
                            hold[place] = -1
                        else:
                            machines[machine].state = IDLE
                            passing = False
                    elif cells[cell].kind == BATCH:
                        machines[machine].hold_at = 0
                        if machines[machine].gives_up == 0:
                            _finish_batch(core, yard, sums, machine)
            elif count <= event < first_other:
                node_s[_row(leaves + event)] = NO_EVENT
                _wake(clock, todo, cells, lanes[rota.event_row[event]].cell)
            else:
                machine = _slow_event(core, luck, yard, rota, sums, event, now)
                if machine >= 0:
                    passing = True
                    if cells[machines[machine].cell].kind == BATCH:
                        machines[machine].hold_at = 0
        kicked = False
        again = -1

        while True:
            if machine < 0:
                # First what goes on after the chain that it set going, then what was woken on the way, in its order.
                if clock[0].stack > 0:
                    clock[0].stack -= 1
                    code = core.stack[clock[0].stack]
                elif clock[0].todo_first == clock[0].todo_last:
                    break
                else:
                    code = todo[clock[0].todo_first]
                    clock[0].todo_first += 1
                    if clock[0].todo_first == todo.size:
                        clock[0].todo_first = 0
                    if code < 0:
                        groups[-1 - code].queued = 0
                    elif code < _MACHINE_CODE:
                        cells[code].queued = 0
                passing = False
                again = -1
                if code < 0:
                    machine = _serve_group(core, yard, -1 - code, now)
                    if machine < 0:
                        continue
                    core.stack[clock[0].stack] = code
                    clock[0].stack += 1
                    passing = cells[machines[machine].cell].kind == BATCH and machines[machine].held_cars > 0
                elif code >= _MACHINE_CODE:
                    machine = code - _MACHINE_CODE
                    passing = (
                        cells[machines[machine].cell].kind == BATCH
                        and machines[machine].held_cars > 0
                        and machines[machine].state & 3 == IDLE
                    )
                    if machines[machine].state != IDLE and not passing:
                        machine = -1
                        continue
                elif cells[code].same == 1:
                    # Each gathers a family of its own: what one leaves, another may take.
                    for each in range(cells[code].last_machine - 1, cells[code].first_machine - 1, -1):
                        if machines[each].state == IDLE:
                            core.stack[clock[0].stack] = _MACHINE_CODE + each
                            clock[0].stack += 1
                    continue
                else:
                    machine = _idle_machine(cells, machines, code)
                    if machine < 0:
                        continue
                    if cells[code].last_machine - cells[code].first_machine > 1:
                        again = code
            cell = _row(machines[machine].cell)
            if passing:
                # It is not idle before its car has gone.
                machines[machine].state |= BUSY
                slot = machines[machine].car
                if cells[cell].kind == BATCH:
                    place = machines[machine].first_hold + machines[machine].hold_at
                    slot = hold[place]
                    machines[machine].car = slot
                    machines[machine].hold_at += 1
                    machines[machine].held_cars -= 1
                slot = _row(slot)
                kind = _row(slots[slot].type)
                group = cell_types[cell, kind].group
                given_up = False
                if cells[cell].direct != 1 and machines[machine].gives_up == 1:
                    given_up = True
                    if machines[machine].held_cars == 0 or cells[cell].kind == LINE:
                        machines[machine].gives_up = 0
                else:
                    if cells[cell].kind != BATCH:
                        finished[machine, kind] += 1
                        if traced:
                            _write(clock, sums.trace, machine, slots[slot].serial, kind, FINISHED)
                    if cells[cell].judged == 1:
                        group, given_up = _verdict(core, sums, cell, slot)
                gone = True
                kept = machines[machine].reserved
                if kept >= 0:
                    lanes[kept].kept -= 1
                    machines[machine].reserved = -1
                if given_up or group < 0:
                    if given_up:
                        car[kind, 2] += 1
                    else:
                        car[kind, 1] += 1
                        lead_s[kind] += now - slots[slot].entry_s
                        left_s[kind] += now
                        if 0 <= clock[0].bin < out.shape[0]:
                            out[clock[0].bin, kind] += 1
                    if traced:
                        _write(clock, sums.trace, machine, slots[slot].serial, kind, GIVEN_UP if given_up else LEFT)
                    if slots[slot].pools != 0:
                        _free_carriers(core, yard, slot, cell, True, now)
                    _drop(slots, clock, slot, now)
                else:
                    lane = groups[group].lane
                    if lane < 0:
                        lane = _choose(core, yard.pool, group, slot, cells[cell].unload_pool)
                    taker = -1
                    if lane >= 0 and lanes[lane].count == 0 and lanes[lane].ride_s == 0.0:
                        target = _row(lanes[lane].cell)
                        if cells[target].direct != 0:
                            taker = _idle_machine(cells, machines, target)
                    if taker >= 0:
                        if groups[group].lane < 0:
                            _settle_entry(core, lane)
                        target = _row(lanes[lane].cell)
                        if cells[target].last_lane - cells[target].first_lane > 1:
                            _settle(cells, lanes, lane)
                        if traced:
                            _write(clock, sums.trace, taker, slots[slot].serial, kind, STARTED)
                        if slots[slot].pools != 0:
                            _free_carriers(core, yard, slot, cell, False, now)
                        if cells[target].direct == 1:
                            end = _begin(cell_types, machines, modes, times, values_s, taker, slot, kind, now)
                        elif cells[target].direct == 3:
                            end = _begin_crewed(cell_types, machines, times, values_s, taker, slot, kind, now)
                        else:
                            end = _begin_slow(core, luck, taker, slot, now)
                        _schedule(node_s, node_event, leaves, taker, end)
                    elif lane >= 0 and lanes[lane].count + lanes[lane].kept < lanes[lane].capacity:
                        if groups[group].lane < 0:
                            _settle_entry(core, lane)
                        if slots[slot].pools != 0:
                            _free_carriers(core, yard, slot, cell, False, now)
                        _enter(lanes, ring, lane, slot, family_of[kind], now)
                        if kept == lane:
                            kept = -1
                        target = _row(lanes[lane].cell)
                        if lanes[lane].event >= 0:
                            if node_s[leaves + lanes[lane].event] == NO_EVENT and (
                                _idle_machine(cells, machines, target) >= 0
                            ):
                                due = _head_due(lanes, ring, lane)
                                _schedule(node_s, node_event, leaves, lanes[lane].event, due)
                        elif cells[target].direct == 0:
                            _wake(clock, todo, cells, target)
                    elif cells[cell].loses == 1 and not _is_taken(
                        core, yard.pool, lane, kind, slot, cells[cell].unload_pool
                    ):
                        car[kind, 3] += 1
                        if traced:
                            _write(clock, sums.trace, machine, slots[slot].serial, kind, LOST)
                        if slots[slot].pools != 0:
                            _free_carriers(core, yard, slot, cell, True, now)
                        _drop(slots, clock, slot, now)
                    else:
                        gone = False
                        _hold(machines, groups, machine, group, HOLDING, now)
                        if traced:
                            _write(clock, sums.trace, machine, slots[slot].serial, kind, HELD)
                        for row in range(groups[group].first, groups[group].last):
                            other = core.group_lane[row]
                            if lane >= 0 and other != lane:
                                continue
                            target = _row(lanes[other].cell)
                            if cells[target].direct == 0 and lanes[other].count == 0 and lanes[other].ride_s == 0.0:
                                _wake(clock, todo, cells, target)
                if kept >= 0 and groups[lanes[kept].group].held > 0:
                    # The place that was kept for this car is free for others.
                    _wake_group(clock, todo, groups, lanes[kept].group)
                if not gone:
                    machine = -1
                    continue
                machines[machine].car = -1
                machines[machine].state &= ~3
                passing = cells[cell].kind == BATCH and machines[machine].held_cars > 0
                if passing:
                    continue

            # An idle machine takes a car; the machine that this frees does the same, and so on up the plant.
            if machines[machine].pending != 0 and machines[machine].state == IDLE:
                mode = _next_pending(machines, modes, machine)
                if mode >= 0:
                    if again == cell:
                        core.stack[clock[0].stack] = cell
                        clock[0].stack += 1
                    _go_down(core, luck, sums, machine, mode, now)
                    machine = -1
                    continue
            if machines[machine].state != IDLE:
                machine = -1
                continue
            lane = _row(cells[cell].first_lane)
            if cells[cell].direct == 0:
                if again == cell:
                    core.stack[clock[0].stack] = cell
                    clock[0].stack += 1
                    again = -1
                before = clock[0].stack
                other = _pull_slow(core, luck, yard, sums, machine, now)
                if machines[machine].state == IDLE and clock[0].stack == before and before > 0:
                    # It took nothing: neither will the others.
                    if core.stack[before - 1] == cell:
                        clock[0].stack = before - 1
                machine = other
                passing = other >= 0 and cells[machines[other].cell].kind == BATCH and machines[other].held_cars > 0
                continue
            if cells[cell].last_lane - lane > 1:
                lane = _pick_among(core, luck, cell, machine, -1, False, now)
            elif not _is_ready(lanes, groups, ring, machines, lane, now):
                lane = -1
            if lane < 0:
                if cells[cell].wakes == 1:
                    for row in range(cells[cell].first_lane, cells[cell].last_lane):
                        other = lanes[row].event
                        if other < 0 or node_s[leaves + other] < NO_EVENT:
                            continue
                        if lanes[row].source == 1:
                            if lanes[row].limit != 0:
                                _schedule(node_s, node_event, leaves, other, lanes[row].release_s)
                        elif lanes[row].count > 0:
                            _schedule(node_s, node_event, leaves, other, _head_due(lanes, ring, row))
                machine = -1
                continue
            if again == cell:
                core.stack[clock[0].stack] = cell
                clock[0].stack += 1
                again = -1
            freed = -1
            if lanes[lane].count > 0:
                slot = _row(_take(lanes, ring, lane, now))
                group = _row(lanes[lane].group)
                if groups[group].held > 0:
                    freed = _free_first(machines, groups, group, now)
                    other = machines[freed].car
                    if other >= 0:
                        _enter(lanes, ring, lane, other, family_of[slots[other].type], now)
                        if groups[group].lane < 0:
                            _settle_entry(core, lane)
                        machines[freed].car = -1
                        if slots[other].pools != 0:
                            _left_station(core, yard, freed, other, now)
                    else:
                        _wake_group(clock, todo, groups, group)
            elif lanes[lane].source == 1:
                if lanes[lane].only >= 0:
                    slot = _new_slot(slots, car, clock, lanes[lane].only, now)
                else:
                    slot = _release(core, luck, sums, lane, now)
            else:
                freed = _free_first(machines, groups, lanes[lane].group, now)
                slot = _row(machines[freed].car)
                machines[freed].car = -1
                if slots[slot].pools != 0:
                    _left_station(core, yard, freed, slot, now)
            if cells[cell].last_lane - cells[cell].first_lane > 1:
                _settle(cells, lanes, lane)
            kind = _row(slots[slot].type)
            if traced:
                _write(clock, sums.trace, machine, slots[slot].serial, kind, STARTED)
            if cells[cell].direct == 1:
                end = _begin(cell_types, machines, modes, times, values_s, machine, slot, kind, now)
            elif cells[cell].direct == 3:
                end = _begin_crewed(cell_types, machines, times, values_s, machine, slot, kind, now)
            else:
                end = _begin_slow(core, luck, machine, slot, now)
            _schedule(node_s, node_event, leaves, machine, end)
            machine = freed
            passing = freed >= 0 and cells[machines[freed].cell].kind == BATCH and machines[freed].held_cars > 0
        if event >= 0 and node_s[leaves + event] == NO_EVENT:
            _schedule(node_s, node_event, leaves, event, NO_EVENT)
    if events >= max_events:
        clock[0].ended = TOO_MANY_EVENTS
    clock[0].events = events
    clock[0].now_s = until_s
    while clock[0].next_bin_s <= until_s:
        _next_bin(core, yard, sums, snaps)


@njit(**KERNEL)
def observed(state: State, replication: int, moments_s: F8, car: I8, left_s: F8) -> bool:
    """Run one replication from its beginning and note at some moments what had been counted by then.

    Parameters
    ----------
    state
        A plant in which nothing has happened.
    replication
        Number of the run; decides the luck of every stream.
    moments_s
        (T,) moments in their order, s; the run ends at the last.
    car, left_s
        (T, V, 6) and (T, V), filled with the sums of that name.

    Returns
    -------
    bool
        Whether the cars inside at the end are those that came in and did not go out.
    """
    sums = state.sums
    begin(state, replication)
    for row in range(moments_s.size):
        advance(state, moments_s[row])
        for kind in range(sums.left_s.size):
            left_s[row, kind] = sums.left_s[kind]
            for column in range(sums.car.shape[1]):
                car[row, kind, column] = sums.car[kind, column]
    answer: bool = count_remaining(state)
    return answer
