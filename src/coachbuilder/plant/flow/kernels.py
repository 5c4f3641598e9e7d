"""The event calendar that simulates a plant.

Words used here: a *cell* is one stage, with one or more equal *machines*; a *lane* is a first-in-first-out buffer in
front of a cell, fed by one or more cells; a *source* is a lane that never runs dry. All times are in seconds of net
working time. Every machine draws from streams of its own, addressed by (key, purpose, replication, count), so that
the n-th draw of a machine is the same whatever the others do.

The calendar holds one time for every machine (end of its job) and one for every lane (its head arrives, or its source
may release), in a winner tree; of equal times the lower index comes first, machines before lanes.

Machines, cells, lanes and cars are structured arrays, whose fields are told at the dtypes below: a handful of arrays
instead of a hundred keeps calls between the kernels cheap, and the small ones are inlined (1.5 times as fast).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Records = NDArray[Any]

IDLE, BUSY, BLOCKED = 0, 1, 2

STARTED, FINISHED, LEFT, SCRAPPED, HELD = 0, 1, 2, 3, 4
"""Codes of the trace: a machine starts a car, finishes it, lets it leave the plant, gives it up, is blocked by it."""

COMPLETE, STANDSTILL, TOO_MANY_EVENTS, NOT_CONSERVED = 0, 1, 2, 3
"""How a run ended."""

SERVICE, FAILURE, REPAIR, QUALITY, SCRAP = 1, 2, 3, 4, 5
"""Purposes of a machine's streams; a cell's verdicts come from its first machine's."""

CELL = np.dtype(
    [
        ("first_machine", np.int64),  # its machines are first_machine to last_machine - 1
        ("last_machine", np.int64),
        ("first_lane", np.int64),  # its lanes are first_lane to last_lane - 1, those served first first
        ("last_lane", np.int64),
        ("exponential", np.int64),  # 1 if the cycle time is exponential, 0 if it is fixed
        ("mtbf_s", np.float64),  # mean working time between failures, s; 0 if it never fails
        ("mttr_s", np.float64),  # mean time to repair, s
        ("fail_lane", np.int64),  # lane that a failing car takes; -1 if nothing is tested
        ("retest_share", np.float64),  # probability of passing any try after the first
        ("scrap_share", np.float64),  # probability that a finished car is given up
        ("in_loop", np.int64),  # 1 if cars can come back to it
    ]
)
"""One stage."""

CELL_MODEL = np.dtype(
    [
        ("cycle_s", np.float64),  # cycle time, s (mean if exponential)
        ("next_lane", np.int64),  # lane that a good car takes; -1 leaves the plant
        ("pass_share", np.float64),  # probability of passing at the first try
    ]
)
"""One stage and one model."""

MACHINE = np.dtype(
    [
        ("cell", np.int64),
        ("key", np.uint64),  # key of its streams
        # all that follows belongs to a run and starts at 0
        ("status", np.int64),  # idle, busy or blocked
        ("car", np.int64),  # slot of the car held
        ("next_held", np.int64),  # next machine blocked at the same lane
        ("wanted", np.int64),  # lane at which it waits while blocked
        ("services", np.int64),  # draws taken
        ("failures", np.int64),
        ("repairs", np.int64),
        ("verdicts", np.int64),
        ("scraps", np.int64),
        ("since_s", np.float64),  # start of the job, or of being blocked
        ("job_work_s", np.float64),  # work in the job
        ("job_down_s", np.float64),  # repair in the job
        ("to_failure_s", np.float64),  # working time left to the next failure
        ("working_s", np.float64),  # at work
        ("down_s", np.float64),  # in repair
        ("blocked_s", np.float64),  # holding a finished car
        ("finished", np.int64),  # cars finished
        ("active", np.int64),  # 1 while neither starved nor blocked
        ("active_from_s", np.float64),  # start of the active period that runs
        ("active_s", np.float64),  # active periods that ended
        ("active_count", np.int64),  # their number
    ]
)
"""One machine."""

LANE = np.dtype(
    [
        ("cell", np.int64),  # cell behind it
        ("capacity", np.int64),  # places
        ("ride_s", np.float64),  # time from entering to the head, s; needs a place
        ("priority", np.int64),  # lanes of lower number are served first
        ("weight", np.float64),  # share in which lanes of one priority are served while none is empty
        ("ready", np.int64),  # cars waiting at its head at the start
        ("riding", np.int64),  # cars riding in it at the start, evenly spaced behind them
        ("source", np.int64),  # 1 if it never runs dry
        ("interval_s", np.float64),  # sources: time between releases, s; 0 pushes
        # all that follows belongs to a run and starts at 0
        ("count", np.int64),  # cars in it
        ("head", np.int64),  # place of the head in the ring
        ("ring_start", np.int64),  # where its ring begins
        ("ring_size", np.int64),
        ("held", np.int64),  # machines blocked at it
        ("held_first", np.int64),
        ("held_last", np.int64),
        ("credit", np.float64),  # what the merge owes it, cars
        ("release_s", np.float64),  # sources: next release
        ("level_s", np.float64),  # integral of cars in it, car seconds
        ("level_from_s", np.float64),  # when that was last brought up to date
    ]
)
"""One buffer in front of a cell."""

PLACE = np.dtype([("car", np.int64), ("due_s", np.float64)])
"""One place of a lane: the car's slot, and when it reaches the head."""

SLOT = np.dtype(
    [("model", np.int64), ("tries", np.int64), ("serial", np.int64), ("free", np.int64), ("entry_s", np.float64)]
)
"""One car in the plant; ``free`` is an unrelated stack of free slots that shares the array."""

CLOCK = np.dtype(
    [
        ("now_s", np.float64),
        ("free_slots", np.int64),
        ("serial", np.int64),  # number of the next car
        ("trace_row", np.int64),
        ("ended", np.int64),  # how the run ended
        ("stuck_cell", np.int64),
        ("stuck_s", np.float64),
        ("events", np.int64),
        ("inside", np.int64),  # cars in the plant
        ("at_start", np.int64),
        ("inside_s", np.float64),  # integral of cars in the plant, car seconds
        ("inside_from_s", np.float64),
        ("lead_s", np.float64),  # sum of lead times of the cars that left while it counts
        ("scrapped", np.int64),  # cars given up while it counts
    ]
)
"""What belongs to the whole plant; an array of one."""

TALLY = np.dtype(
    [
        ("cars_in", np.int64),  # inside at the start and released since, over the whole run
        ("cars_out", np.int64),
        ("cars_scrapped", np.int64),
        ("left", np.int64),  # left while it counts
        ("tested", np.int64),  # first tries while it counts
        ("passed", np.int64),
    ]
)
"""Cars of one model."""


class Network(NamedTuple):
    """A plant as arrays: C cells, M machines, L lanes, V models."""

    cell: Records
    """(C,) of CELL."""
    cell_model: Records
    """(C, V) of CELL_MODEL."""
    machine: Records
    """(M,) of MACHINE, those of a cell side by side."""
    lane: Records
    """(L,) of LANE, those of a cell side by side."""
    mix: F8
    """(L, V) sources and lanes that hold cars at the start: shares of the models, sum 1."""


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_TO_UNIT = 2.0**-53
_TIE = 1e-12


@njit(cache=True, nogil=True, forceinline=True)
def mixed(bits: np.uint64) -> np.uint64:
    """Scramble 64 bits (the finaliser of SplitMix64: Steele, Lea and Flood 2014)."""
    bits = (bits ^ (bits >> _S30)) * _MIX_1
    bits = (bits ^ (bits >> _S27)) * _MIX_2
    return bits ^ (bits >> _S31)


@njit(cache=True, nogil=True, forceinline=True)
def uniform(key: np.uint64, purpose: int, replication: int, count: int) -> float:
    """Return draw ``count`` of a stream: uniform on [0, 1) with 53 bits."""
    stream = mixed(key + np.uint64(purpose) * _GOLDEN)
    stream = mixed(stream ^ (np.uint64(replication) * _MIX_1 + _GOLDEN))
    return np.float64(mixed(stream + np.uint64(count + 1) * _GOLDEN) >> _S11) * _TO_UNIT


@njit(cache=True, nogil=True, forceinline=True)
def exponential(key: np.uint64, purpose: int, replication: int, count: int) -> float:
    """Return draw ``count`` of a stream: exponential with mean 1."""
    return -math.log(1.0 - uniform(key, purpose, replication, count))


@njit(cache=True, nogil=True, forceinline=True)
def _schedule(due: F8, tree: I8, event: int, time: float) -> None:
    due[event] = time
    node = (due.size + event) >> 1
    while node >= 1:
        left, right = tree[2 * node], tree[2 * node + 1]
        tree[node] = left if due[left] <= due[right] else right
        node >>= 1


@njit(cache=True, nogil=True, forceinline=True)
def _write(clock: Records, trace: F8, machine: int, serial: int, code: int) -> None:
    row = clock[0].trace_row
    if row < trace.shape[0]:
        trace[row, 0] = clock[0].now_s
        trace[row, 1] = machine
        trace[row, 2] = serial
        trace[row, 3] = code
        clock[0].trace_row = row + 1


@njit(cache=True, nogil=True, forceinline=True)
def _touch_lane(lanes: Records, lane: int, now: float) -> None:
    lanes[lane].level_s += lanes[lane].count * (now - lanes[lane].level_from_s)
    lanes[lane].level_from_s = now


@njit(cache=True, nogil=True, forceinline=True)
def _change_inside(clock: Records, change: int) -> None:
    clock[0].inside_s += clock[0].inside * (clock[0].now_s - clock[0].inside_from_s)
    clock[0].inside_from_s = clock[0].now_s
    clock[0].inside += change


@njit(cache=True, nogil=True, forceinline=True)
def _new_car(mix: F8, owed: F8, lane: int, entry_s: float, slots: Records, tally: Records, clock: Records) -> int:
    """Give a slot to a new car of the model that the lane's mix owes most."""
    best = -1
    for model in range(mix.shape[1]):
        if mix[lane, model] > 0.0:
            owed[lane, model] += mix[lane, model]
            if best < 0 or owed[lane, model] > owed[lane, best] + _TIE:
                best = model
    owed[lane, best] -= 1.0
    clock[0].free_slots -= 1
    slot: int = slots[clock[0].free_slots].free
    slots[slot].model = best
    slots[slot].entry_s = entry_s
    slots[slot].tries = 0
    slots[slot].serial = clock[0].serial
    clock[0].serial += 1
    tally[best].cars_in += 1
    _change_inside(clock, 1)
    return slot


@njit(cache=True, nogil=True, forceinline=True)
def _drop_car(slots: Records, clock: Records, slot: int) -> None:
    slots[clock[0].free_slots].free = slot
    clock[0].free_slots += 1
    _change_inside(clock, -1)


@njit(cache=True, nogil=True, forceinline=True)
def _append(lanes: Records, ring: Records, lane: int, slot: int, now: float) -> None:
    _touch_lane(lanes, lane, now)
    place = lanes[lane].head + lanes[lane].count
    if place >= lanes[lane].ring_size:
        place -= lanes[lane].ring_size
    place += lanes[lane].ring_start
    ring[place].car = slot
    ring[place].due_s = now + lanes[lane].ride_s
    lanes[lane].count += 1


@njit(cache=True, nogil=True, forceinline=True)
def _take_head(lanes: Records, ring: Records, lane: int, now: float) -> int:
    _touch_lane(lanes, lane, now)
    head = lanes[lane].head
    slot: int = ring[lanes[lane].ring_start + head].car
    lanes[lane].head = 0 if head + 1 == lanes[lane].ring_size else head + 1
    lanes[lane].count -= 1
    return slot


@njit(cache=True, nogil=True, forceinline=True)
def _head_due(lanes: Records, ring: Records, lane: int) -> float:
    due_s: float = ring[lanes[lane].ring_start + lanes[lane].head].due_s
    return due_s


@njit(cache=True, nogil=True, forceinline=True)
def _idle_machine(cells: Records, machines: Records, cell: int) -> int:
    for machine in range(cells[cell].first_machine, cells[cell].last_machine):
        if machines[machine].status == IDLE:
            return machine
    return -1


@njit(cache=True, nogil=True, forceinline=True)
def _is_ready(lanes: Records, ring: Records, lane: int, now: float) -> bool:
    if lanes[lane].source == 1:
        released: bool = lanes[lane].release_s <= now
        return released
    if lanes[lane].count > 0:
        return _head_due(lanes, ring, lane) <= now
    held: bool = lanes[lane].capacity == 0 and lanes[lane].held > 0
    return held


@njit(cache=True, nogil=True, forceinline=True)
def _pick(cells: Records, lanes: Records, ring: Records, cell: int, now: float) -> int:
    """Return the lane to be served: lowest priority number, then the one that is owed most; -1 if none is ready."""
    best = -1
    for lane in range(cells[cell].first_lane, cells[cell].last_lane):
        if best >= 0 and lanes[lane].priority > lanes[best].priority:
            break
        if _is_ready(lanes, ring, lane, now) and (
            best < 0 or lanes[lane].credit + lanes[lane].weight > lanes[best].credit + lanes[best].weight + _TIE
        ):
            best = lane
    return best


@njit(cache=True, nogil=True, forceinline=True)
def _settle(cells: Records, lanes: Records, served: int) -> None:
    """Book one car against the lane that was served: each lane earns its share, the served one pays a car."""
    cell = lanes[served].cell
    if cells[cell].last_lane - cells[cell].first_lane == 1:
        return
    for lane in range(cells[cell].first_lane, cells[cell].last_lane):
        if lanes[lane].priority == lanes[served].priority:
            # What a lane may be owed is bounded, lest one that stood empty for long floods the cell afterwards.
            lanes[lane].credit = min(lanes[lane].credit + lanes[lane].weight, 2.0)
    lanes[served].credit = max(lanes[served].credit - 1.0, -2.0)


@njit(cache=True, nogil=True, forceinline=True)
def _start(
    cells: Records,
    cell_models: Records,
    machines: Records,
    machine: int,
    slot: int,
    model: int,
    replication: int,
    now: float,
) -> float:
    """Begin a job and return its end; its repairs are drawn now, for failures happen at work only."""
    cell = machines[machine].cell
    key = machines[machine].key
    work = cell_models[cell, model].cycle_s
    if cells[cell].exponential == 1:
        work *= exponential(key, SERVICE, replication, machines[machine].services)
        machines[machine].services += 1
    down = 0.0
    if cells[cell].mtbf_s > 0.0:
        left = work
        while machines[machine].to_failure_s <= left:
            left -= machines[machine].to_failure_s
            down += cells[cell].mttr_s * exponential(key, REPAIR, replication, machines[machine].repairs)
            machines[machine].repairs += 1
            machines[machine].to_failure_s = cells[cell].mtbf_s * exponential(
                key, FAILURE, replication, machines[machine].failures
            )
            machines[machine].failures += 1
        machines[machine].to_failure_s -= left
    if machines[machine].active == 0:
        machines[machine].active = 1
        machines[machine].active_from_s = now
    machines[machine].status = BUSY
    machines[machine].car = slot
    machines[machine].since_s = now
    machines[machine].job_work_s = work
    machines[machine].job_down_s = down
    end_s: float = now + (work + down)
    return end_s


@njit(cache=True, nogil=True, forceinline=True)
def _end_active(machines: Records, machine: int, now: float) -> None:
    if machines[machine].active == 1:
        machines[machine].active_s += now - machines[machine].active_from_s
        machines[machine].active_count += 1
        machines[machine].active = 0


@njit(cache=True, nogil=True, forceinline=True)
def _hold(machines: Records, lanes: Records, machine: int, lane: int, now: float) -> None:
    """Block a machine at a full lane, behind those that wait there already."""
    machines[machine].status = BLOCKED
    machines[machine].since_s = now
    machines[machine].wanted = lane
    if lanes[lane].held > 0:
        machines[lanes[lane].held_last].next_held = machine
    else:
        lanes[lane].held_first = machine
    lanes[lane].held_last = machine
    lanes[lane].held += 1
    _end_active(machines, machine, now)


@njit(cache=True, nogil=True, forceinline=True)
def _release_held(machines: Records, lanes: Records, lane: int, now: float) -> int:
    """Take the machine that was blocked at ``lane`` first; it becomes idle."""
    machine: int = lanes[lane].held_first
    lanes[lane].held_first = machines[machine].next_held
    lanes[lane].held -= 1
    machines[machine].blocked_s += now - machines[machine].since_s
    machines[machine].status = IDLE
    return machine


@njit(cache=True, nogil=True)
def _find_standstill(cells: Records, machines: Records, lanes: Records) -> int:
    """Return a cell of a loop that can never move again, or -1.

    A cell cannot move if all its machines hold cars for cells that cannot move either.
    """
    stuck = np.ones(cells.size, dtype=np.bool_)
    changed = True
    while changed:
        changed = False
        for cell in range(cells.size):
            if not stuck[cell]:
                continue
            for machine in range(cells[cell].first_machine, cells[cell].last_machine):
                if machines[machine].status != BLOCKED or not stuck[lanes[machines[machine].wanted].cell]:
                    stuck[cell] = False
                    changed = True
                    break
    for cell in range(cells.size):
        if stuck[cell] and cells[cell].in_loop == 1:
            return cell
    return -1


@njit(cache=True, nogil=True)
def _unfinished(machines: Records, now: float, sign: float) -> None:
    """Book (sign 1) or unbook (-1) the part of every job and wait that lies before now, pro rata within a job."""
    for machine in range(machines.size):
        if machines[machine].status == BUSY:
            length = machines[machine].job_work_s + machines[machine].job_down_s
            share = (now - machines[machine].since_s) / length if length > 0.0 else 0.0
            machines[machine].working_s += sign * share * machines[machine].job_work_s
            machines[machine].down_s += sign * share * machines[machine].job_down_s
        elif machines[machine].status == BLOCKED:
            machines[machine].blocked_s += sign * (now - machines[machine].since_s)


@njit(cache=True, nogil=True)
def _begin_counting(machines: Records, lanes: Records, clock: Records, now: float) -> None:
    for machine in range(machines.size):
        machines[machine].working_s = 0.0
        machines[machine].down_s = 0.0
        machines[machine].blocked_s = 0.0
        machines[machine].finished = 0
        machines[machine].active_s = 0.0
        machines[machine].active_count = 0
        machines[machine].active_from_s = now
    _unfinished(machines, now, -1.0)
    for lane in range(lanes.size):
        lanes[lane].level_s = 0.0
        lanes[lane].level_from_s = now
    clock[0].inside_s = 0.0
    clock[0].inside_from_s = now


@njit(cache=True, nogil=True)
def _is_conserved(machines: Records, lanes: Records, ring: Records, slots: Records, tally: Records) -> bool:
    """Count the cars that are really there, model by model; they must be those that came in and did not go out."""
    inside = np.zeros(tally.size, dtype=np.int64)
    for machine in range(machines.size):
        if machines[machine].status != IDLE:
            inside[slots[machines[machine].car].model] += 1
    for lane in range(lanes.size):
        for offset in range(lanes[lane].count):
            place = lanes[lane].ring_start + (lanes[lane].head + offset) % lanes[lane].ring_size
            inside[slots[ring[place].car].model] += 1
    for model in range(tally.size):
        if inside[model] != tally[model].cars_in - tally[model].cars_out - tally[model].cars_scrapped:
            return False
    return True


@njit(cache=True, nogil=True)
def _load_lanes(
    lanes: Records, ring: Records, mix: F8, owed: F8, slots: Records, tally: Records, clock: Records
) -> None:
    for lane in range(lanes.size):
        for place in range(lanes[lane].ready + lanes[lane].riding):
            entry = -lanes[lane].ride_s
            if place >= lanes[lane].ready:
                entry *= 1.0 - (place + 1 - lanes[lane].ready) / lanes[lane].riding
            slot = _new_car(mix, owed, lane, entry, slots, tally, clock)
            _append(lanes, ring, lane, slot, entry)
        lanes[lane].level_s = 0.0
        lanes[lane].level_from_s = 0.0
        lanes[lane].release_s = lanes[lane].interval_s
    clock[0].at_start = clock[0].inside


@njit(cache=True, nogil=True)
def run_once(
    net: Network, replication: int, warm_up_s: float, counted_s: float, max_events: int, trace: F8
) -> tuple[Records, Records, Records, Records]:
    """Run one replication; statistics cover (warm_up_s, warm_up_s + counted_s].

    Parameters
    ----------
    net
        The plant; it is left as it is.
    replication
        Number of the run; decides the luck of every stream.
    warm_up_s, counted_s
        Time that does not count and time that does, s.
    max_events
        Events after which the run gives up, so that it ends whatever the plant.
    trace
        (rows, 4) for time, machine, car and code of what happens, as far as the rows reach; (0, 4) for none.

    Returns
    -------
    machines, lanes, tally, clock
        Final state: (M,) of MACHINE, (L,) of LANE, (V,) of TALLY and (1,) of CLOCK.
    """
    cells, cell_models, mix = net.cell, net.cell_model, net.mix
    machines, lanes = net.machine.copy(), net.lane.copy()
    places = 0
    for lane in range(lanes.size):
        lanes[lane].ring_start = places
        lanes[lane].ring_size = max(lanes[lane].capacity, 1)
        places += lanes[lane].ring_size
    ring = np.zeros(places, dtype=PLACE)
    slots = np.zeros(places + machines.size + 1, dtype=SLOT)
    for slot in range(slots.size):
        slots[slot].free = slot
    tally = np.zeros(mix.shape[1], dtype=TALLY)
    clock = np.zeros(1, dtype=CLOCK)
    clock[0].free_slots = slots.size
    owed = np.zeros(mix.shape)
    leaves = 1
    while leaves < machines.size + lanes.size:
        leaves *= 2
    due = np.full(leaves, np.inf)
    tree = np.zeros(2 * leaves, dtype=np.int64)
    for leaf in range(leaves):
        tree[leaves + leaf] = leaf
    traced = trace.shape[0] > 0

    for machine in range(machines.size):
        cell = machines[machine].cell
        if cells[cell].mtbf_s > 0.0:
            machines[machine].to_failure_s = cells[cell].mtbf_s * exponential(
                machines[machine].key, FAILURE, replication, 0
            )
            machines[machine].failures = 1
    _load_lanes(lanes, ring, mix, owed, slots, tally, clock)
    for lane in range(lanes.size):
        if lanes[lane].source == 1:
            _schedule(due, tree, machines.size + lane, lanes[lane].release_s)
        elif lanes[lane].count > 0:
            _schedule(due, tree, machines.size + lane, _head_due(lanes, ring, lane))
    for node in range(leaves - 1, 0, -1):
        left, right = tree[2 * node], tree[2 * node + 1]
        tree[node] = left if due[left] <= due[right] else right

    counts = False
    horizon_s = warm_up_s + counted_s
    while True:
        event = tree[1]
        now = due[event]
        if not counts and now > warm_up_s:
            clock[0].now_s = warm_up_s
            _begin_counting(machines, lanes, clock, warm_up_s)
            counts = True
        if now > horizon_s:
            break
        clock[0].now_s = now
        clock[0].events += 1
        if clock[0].events > max_events:
            clock[0].ended = TOO_MANY_EVENTS
            clock[0].stuck_s = now
            break
        due[event] = np.inf
        machine = event
        woken = -1
        if event >= machines.size:
            # A wake-up offers what is ready to every idle machine of the cell.
            woken = lanes[event - machines.size].cell
            machine = _idle_machine(cells, machines, woken)
        else:
            # The job ends: judge the car, then pass it on or hold it.
            cell = machines[machine].cell
            slot = machines[machine].car
            model = slots[slot].model
            machines[machine].working_s += machines[machine].job_work_s
            machines[machine].down_s += machines[machine].job_down_s
            machines[machine].finished += 1
            if traced:
                _write(clock, trace, machine, slots[slot].serial, FINISHED)
            lane = cell_models[cell, model].next_lane
            given_up = False
            if cells[cell].fail_lane >= 0:
                first = cells[cell].first_machine
                tries = slots[slot].tries
                share = cell_models[cell, model].pass_share if tries == 0 else cells[cell].retest_share
                good = uniform(machines[first].key, QUALITY, replication, machines[first].verdicts) < share
                machines[first].verdicts += 1
                if counts and tries == 0:
                    tally[model].tested += 1
                    if good:
                        tally[model].passed += 1
                slots[slot].tries = 0 if good else tries + 1
                if not good:
                    lane = cells[cell].fail_lane
            elif cells[cell].scrap_share > 0.0:
                first = cells[cell].first_machine
                given_up = (
                    uniform(machines[first].key, SCRAP, replication, machines[first].scraps) < cells[cell].scrap_share
                )
                machines[first].scraps += 1
            free = True
            if given_up or lane < 0:
                if given_up:
                    tally[model].cars_scrapped += 1
                else:
                    tally[model].cars_out += 1
                if counts and given_up:
                    clock[0].scrapped += 1
                elif counts:
                    tally[model].left += 1
                    clock[0].lead_s += now - slots[slot].entry_s
                if traced:
                    _write(clock, trace, machine, slots[slot].serial, SCRAPPED if given_up else LEFT)
                _drop_car(slots, clock, slot)
            else:
                target = lanes[lane].cell
                taker = _idle_machine(cells, machines, target)
                if taker >= 0 and lanes[lane].ride_s == 0.0:
                    _settle(cells, lanes, lane)
                    if traced:
                        _write(clock, trace, taker, slots[slot].serial, STARTED)
                    end = _start(cells, cell_models, machines, taker, slot, model, replication, now)
                    _schedule(due, tree, taker, end)
                elif lanes[lane].count < lanes[lane].capacity:
                    _append(lanes, ring, lane, slot, now)
                    if taker >= 0 and due[machines.size + lane] == np.inf:
                        _schedule(due, tree, machines.size + lane, _head_due(lanes, ring, lane))
                else:
                    free = False
                    _hold(machines, lanes, machine, lane, now)
                    if traced:
                        _write(clock, trace, machine, slots[slot].serial, HELD)
                    if cells[cell].in_loop == 1 and clock[0].ended == COMPLETE:
                        stuck = _find_standstill(cells, machines, lanes)
                        if stuck >= 0:
                            clock[0].ended = STANDSTILL
                            clock[0].stuck_cell = stuck
                            clock[0].stuck_s = now
            if free:
                machines[machine].status = IDLE
            else:
                machine = -1

        # An idle machine takes a car; the machine that this unblocks does the same, and so on up the plant.
        while machine >= 0:
            cell = machines[machine].cell
            lane = _pick(cells, lanes, ring, cell, now)
            if lane < 0:
                _end_active(machines, machine, now)
                for waiting in range(cells[cell].first_lane, cells[cell].last_lane):
                    wake = machines.size + waiting
                    if due[wake] == np.inf:
                        if lanes[waiting].source == 1:
                            _schedule(due, tree, wake, lanes[waiting].release_s)
                        elif lanes[waiting].count > 0:
                            _schedule(due, tree, wake, _head_due(lanes, ring, waiting))
                if woken < 0 or cell == woken:
                    break
                machine = _idle_machine(cells, machines, woken)
                continue
            freed = -1
            if lanes[lane].source == 1:
                slot = _new_car(mix, owed, lane, now, slots, tally, clock)
                if lanes[lane].interval_s > 0.0:
                    lanes[lane].release_s += lanes[lane].interval_s
            elif lanes[lane].count > 0:
                slot = _take_head(lanes, ring, lane, now)
                if lanes[lane].held > 0:
                    freed = _release_held(machines, lanes, lane, now)
                    _append(lanes, ring, lane, machines[freed].car, now)
            else:
                freed = _release_held(machines, lanes, lane, now)
                slot = machines[freed].car
            _settle(cells, lanes, lane)
            if traced:
                _write(clock, trace, machine, slots[slot].serial, STARTED)
            end = _start(cells, cell_models, machines, machine, slot, slots[slot].model, replication, now)
            _schedule(due, tree, machine, end)
            machine = freed
            if freed < 0 and woken >= 0:
                machine = _idle_machine(cells, machines, woken)
        if due[event] == np.inf:
            _schedule(due, tree, event, np.inf)

    clock[0].now_s = horizon_s
    _unfinished(machines, horizon_s, 1.0)
    for machine in range(machines.size):
        _end_active(machines, machine, horizon_s)
    for lane in range(lanes.size):
        _touch_lane(lanes, lane, horizon_s)
    _change_inside(clock, 0)
    if not _is_conserved(machines, lanes, ring, slots, tally):
        clock[0].ended = NOT_CONSERVED
    return machines, lanes, tally, clock


@njit(cache=True, nogil=True)
def run_all(
    net: Network, first: int, replications: int, warm_up_s: float, counted_s: float, max_events: int
) -> tuple[I8, F8, F8, F8, I8, F8]:
    """Run replications ``first`` to ``first + replications - 1`` and gather what they tell.

    Returns
    -------
    cars
        (R, V, 6) by run and model: in, out, scrapped over the whole run; left, first tries, passed while it counts.
    totals
        (R, 3): integral of cars inside (car seconds), sum of lead times (s), cars given up while it counts.
    machine
        (M, 5) means over the runs: seconds at work, in repair, blocked; mean active period (s); cars finished.
    lane
        (L,) mean integral of cars in each lane, car seconds.
    ends
        (R, 4) how each run ended, the cell that stands still, cars inside at the start, events.
    stuck_s
        (R,) when it stood still, s.
    """
    count, models = net.machine.size, net.mix.shape[1]
    cars = np.zeros((replications, models, 6), dtype=np.int64)
    totals = np.zeros((replications, 3))
    machine = np.zeros((count, 5))
    active_count = np.zeros(count)
    lane = np.zeros(net.lane.size)
    ends = np.zeros((replications, 4), dtype=np.int64)
    stuck_s = np.zeros(replications)
    trace = np.zeros((0, 4))
    for run in range(replications):
        machines, lanes, tally, clock = run_once(net, first + run, warm_up_s, counted_s, max_events, trace)
        for model in range(models):
            cars[run, model, 0] = tally[model].cars_in
            cars[run, model, 1] = tally[model].cars_out
            cars[run, model, 2] = tally[model].cars_scrapped
            cars[run, model, 3] = tally[model].left
            cars[run, model, 4] = tally[model].tested
            cars[run, model, 5] = tally[model].passed
        totals[run, 0] = clock[0].inside_s
        totals[run, 1] = clock[0].lead_s
        totals[run, 2] = clock[0].scrapped
        for index in range(count):
            machine[index, 0] += machines[index].working_s / replications
            machine[index, 1] += machines[index].down_s / replications
            machine[index, 2] += machines[index].blocked_s / replications
            machine[index, 3] += machines[index].active_s
            machine[index, 4] += machines[index].finished / replications
            active_count[index] += machines[index].active_count
        for index in range(lane.size):
            lane[index] += lanes[index].level_s / replications
        ends[run, 0] = clock[0].ended
        ends[run, 1] = clock[0].stuck_cell
        ends[run, 2] = clock[0].at_start
        ends[run, 3] = clock[0].events
        stuck_s[run] = clock[0].stuck_s
    for index in range(count):
        machine[index, 3] /= max(active_count[index], 1.0)
    return cars, totals, machine, lane, ends, stuck_s
