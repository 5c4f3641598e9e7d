"""Compiled core of mixed-model balancing: construction and search over task, station and operator.

Shapes, used throughout: ``n`` tasks, ``M`` models that are built, ``S`` stations, ``K`` operators at most at one place.
Times are in seconds. Tasks stand in an order that respects the precedence graph. The search is repeatable: its random
numbers come from a state that the caller seeds, and it stops on a count of evaluations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Whole = int | np.int64

TOLERANCE_S = 1e-6
TOLERANCE_SHARE = 1e-9
UNPLACED_COST = 1e4
NOBODY = np.int64(-1)
ADD = np.int64(1)
REMOVE = np.int64(-1)
PLAINLY = np.bool_(False)
LARGEST_GROUP = 6
LARGEST_LOAD = 16

_Function = TypeVar("_Function", bound=Callable[..., object])


def inner(function: _Function) -> _Function:
    """Compile a function that only other kernels call: without an entry from Python, which doubles its compile time."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    compiled: _Function = njit(cache=True, nogil=True, **options)(function)
    return compiled


# Rows of State.tally
COST = 0
UNPLACED = 1


class Line(NamedTuple):
    """What does not change during a search."""

    time_s: Floats
    """(n, M) task times."""
    mean_s: Floats
    """(n,) their mix averages."""
    worth: Floats
    """(n, 2) part of an operator that a task is worth, for the first and the second who does it."""
    weight: Floats
    """(M,) share of each model."""
    crew: Integers
    """(n,) int64, 1 or 2 operators."""
    precedes: Flags
    """(n, n) bool, transitive."""
    before_ptr: Integers
    """(n + 1,) int64; direct predecessors of t are before_idx[before_ptr[t]:before_ptr[t + 1]]."""
    before_idx: Integers
    """Direct predecessors, packed."""
    after_ptr: Integers
    """(n + 1,) int64, like before_ptr."""
    after_idx: Integers
    """Direct followers, packed."""
    allowed: Flags
    """(n, S) bool: stations that may take a task."""
    first: Integers
    """(n,) int64 first station that fixed stations and precedence leave."""
    last: Integers
    """(n,) int64 last such station."""
    home: Integers
    """(n,) int64 station where the task is done today, -1 for none."""
    limit_s: Floats
    """(S,) lanes x takt."""
    max_operators: Integers
    """(S,) int64 room at one place."""
    lanes: Integers
    """(S,) int64 places side by side."""
    reached_from: Integers
    """(n,) int64 bits of the zones from which a task can be done."""
    place_mask: Integers
    """(S,) int64 bits of the zones where an operator may stand."""
    place_limit: int
    """Operators in one zone."""
    peak: float
    """What a single model may take of the limit: 1 or more."""
    level_weight: float
    """Cost of a squared operator at a station."""
    station_weight: float
    """Cost of a station in use."""
    move_weight: float
    """Cost of a task away from home."""
    home_weight: Floats
    """(n,) factor on that cost: a little more than 1 for long tasks."""
    move_budget: int
    """Most tasks away from home."""
    min_operators: Integers
    """(S,) int64 operators who stand at one place whatever the work."""
    further: bool
    """True if any of the rules below is in use."""
    together_ptr: Integers
    """(n + 1,) int64, like before_ptr."""
    together_idx: Integers
    """All tasks with which a task must share a station, packed."""
    apart_ptr: Integers
    """(n + 1,) int64, like before_ptr."""
    apart_idx: Integers
    """Tasks with which a task must not share a station, packed; each pair from both sides."""
    skills: Integers
    """(n,) int64 bit of the skill that a task needs, 0 for none."""
    skills_per_operator: int
    """Different skills that an operator may need."""
    points: Floats
    """(n,) ergonomic points in the mix average."""
    points_limit: Floats
    """(S,) most points of an operator for a car at one place."""
    smooth_weight: float
    """Weight of the spread between models beside that between operators."""


class State(NamedTuple):
    """An assignment and what is kept along with it."""

    station: Integers
    """(n,) int64 station of each task, -1 for none."""
    lead: Integers
    """(n,) int64 operator who stands where the task asks for it."""
    helper: Integers
    """(n,) int64 second operator, -1 for none."""
    size: Integers
    """(S,) int64 tasks at a station."""
    seq: Integers
    """(S, n) int64 tasks of a station in the order in which they begin."""
    load: Floats
    """(S, K, M) work of an operator by model."""
    mean_load: Floats
    """(S, K) its mix average."""
    use: Floats
    """(S, K) what the tasks of an operator are worth together."""
    jobs: Integers
    """(S, K) int64 tasks of an operator."""
    tally: Floats
    """(2,) cost in operators, and tasks without a place."""
    finish: Floats
    """(n,) scratch."""
    ready: Floats
    """(K,) scratch."""
    masks: Integers
    """(K,) int64 scratch."""
    tried: Flags
    """(K,) bool scratch."""
    makespan: Floats
    """(M,) scratch."""
    moved: Integers
    """(1,) int64 tasks away from home."""
    group: Integers
    """(2 x LARGEST_GROUP,) scratch: tasks that change their station together."""
    kept_seq: Integers
    """(2, n) scratch: orders of two stations as they were."""
    kept_work: Floats
    """(2, K, M + 2) scratch: work of their operators."""
    kept_jobs: Integers
    """(2, K) scratch: tasks of their operators."""


@njit(cache=True, nogil=True)
def empty_state(n: Whole, models: Whole, stations: Whole, slots: Whole) -> State:
    """Return a state in which no task has a place."""
    return State(
        np.full(n, -1, np.int64),
        np.full(n, -1, np.int64),
        np.full(n, -1, np.int64),
        np.zeros(stations, np.int64),
        np.zeros((stations, n), np.int64),
        np.zeros((stations, slots, models)),
        np.zeros((stations, slots)),
        np.zeros((stations, slots)),
        np.zeros((stations, slots), np.int64),
        np.array([n * UNPLACED_COST, float(n)]),
        np.zeros(n),
        np.zeros(slots),
        np.zeros(slots, np.int64),
        np.zeros(slots, np.bool_),
        np.zeros(models),
        np.zeros(1, np.int64),
        np.zeros(2 * LARGEST_GROUP, np.int64),
        np.zeros((2, n), np.int64),
        np.zeros((2, slots, models + 2)),
        np.zeros((2, slots), np.int64),
    )


@inner
def _random(random_state: NDArray[np.uint64]) -> float:
    """Return a number in [0, 1) from a splitmix64 state (uint64, shape (1,))."""
    random_state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = random_state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inner
def _below(random_state: NDArray[np.uint64], ceiling: Whole) -> Whole:
    """Return a whole number from 0 to ``ceiling`` - 1."""
    return np.int64(_random(random_state) * ceiling)


@inner
def _rules_ok(s: Whole, line: Line, state: State) -> bool:
    """Return whether station ``s`` keeps the rules of company, skill and ergonomic load.

    A task taken away never breaks one of them, except that tasks which must share a station move as one.
    """
    if not line.further:
        return True
    slots = state.jobs.shape[1]
    for k in range(slots):
        state.masks[k] = 0
        state.ready[k] = 0.0
    for position in range(state.size[s]):
        task = state.seq[s, position]
        for arc in range(line.apart_ptr[task], line.apart_ptr[task + 1]):
            if state.station[line.apart_idx[arc]] == s:
                return False
        for arc in range(line.together_ptr[task], line.together_ptr[task + 1]):
            other = state.station[line.together_idx[arc]]
            if other >= 0 and other != s:
                return False
        slot = state.lead[task]
        for _ in range(2):
            if slot >= 0:
                state.masks[slot] |= line.skills[task]
                state.ready[slot] += line.points[task]
            slot = state.helper[task]
    for k in range(slots):
        if state.ready[k] > line.points_limit[s] * (1.0 + TOLERANCE_SHARE):
            return False
        count = 0
        mask = state.masks[k]
        while mask != 0:
            mask &= mask - 1
            count += 1
        if count > line.skills_per_operator:
            return False
    return True


@inner
def _places_ok(s: Whole, line: Line, state: State) -> bool:
    """Return whether the operators of station ``s`` can stand in its zones, each where the tasks ask for it.

    Hall's condition over subsets of the seven zones: no more operators are confined to a subset than may stand there.
    """
    if not _rules_ok(s, line, state):
        return False
    slots = state.jobs.shape[1]
    masks = state.masks
    crew = 0
    for k in range(slots):
        masks[k] = line.place_mask[s]
    for position in range(state.size[s]):
        task = state.seq[s, position]
        masks[state.lead[task]] &= line.reached_from[task]
    for k in range(slots):
        if state.jobs[s, k] > 0:
            crew += 1
            if masks[k] == 0:
                return False
    if crew <= line.place_limit:
        return True
    for subset in range(1, 128):
        confined = 0
        for k in range(slots):
            if state.jobs[s, k] > 0 and masks[k] & ~subset == 0:
                confined += 1
        if confined > line.place_limit:
            room = 0
            for bit in range(7):
                room += (subset >> bit) & 1
            if confined > room * line.place_limit:
                return False
    return True


@njit(cache=True, nogil=True)
def makespans(s: Whole, line: Line, state: State) -> None:
    """Fill ``state.makespan`` for station ``s``: its tasks begin in the order of ``seq``, as early as they may.

    A task waits for its predecessors at the station and for those who do it; a task that a model does not have
    takes no operator and passes on what it waited for.
    """
    ready = state.ready
    finish = state.finish
    for m in range(line.weight.shape[0]):
        for k in range(ready.shape[0]):
            ready[k] = 0.0
        end = 0.0
        for position in range(state.size[s]):
            task = state.seq[s, position]
            start = 0.0
            for arc in range(line.before_ptr[task], line.before_ptr[task + 1]):
                earlier = line.before_idx[arc]
                if state.station[earlier] == s and finish[earlier] > start:
                    start = finish[earlier]
            duration = line.time_s[task, m]
            if duration > 0.0:
                first = state.lead[task]
                second = state.helper[task]
                if ready[first] > start:
                    start = ready[first]
                if second >= 0 and ready[second] > start:
                    start = ready[second]
                start += duration
                ready[first] = start
                if second >= 0:
                    ready[second] = start
            finish[task] = start
            if start > end:
                end = start
        state.makespan[m] = end


@inner
def _station_ok(s: Whole, line: Line, state: State) -> bool:
    """Return whether station ``s`` keeps the takt rule and has a place for everybody."""
    if not _places_ok(s, line, state):
        return False
    makespans(s, line, state)
    mean = 0.0
    for m in range(line.weight.shape[0]):
        if state.makespan[m] > line.limit_s[s] * line.peak + TOLERANCE_S:
            return False
        mean += line.weight[m] * state.makespan[m]
    return bool(mean <= line.limit_s[s] + TOLERANCE_S)


@inner
def _add_load(task: Whole, s: Whole, k: Whole, k2: Whole, sign: Whole, line: Line, state: State) -> None:
    """Add a task to (or take it from) the work of operators ``k`` and ``k2`` of station ``s``."""
    slot = k
    for place in range(2):
        if slot >= 0:
            state.jobs[s, slot] += sign
            idle = state.jobs[s, slot] == 0
            for m in range(line.weight.shape[0]):
                state.load[s, slot, m] = 0.0 if idle else state.load[s, slot, m] + sign * line.time_s[task, m]
            state.mean_load[s, slot] = 0.0 if idle else state.mean_load[s, slot] + sign * line.mean_s[task]
            state.use[s, slot] = 0.0 if idle else state.use[s, slot] + sign * line.worth[task, place]
        slot = k2


@inner
def _load_ok(s: Whole, k: Whole, k2: Whole, line: Line, state: State) -> bool:
    """Return whether the work of operators ``k`` and ``k2`` alone keeps the takt rule."""
    slot = k
    for _ in range(2):
        if slot >= 0:
            if state.mean_load[s, slot] > line.limit_s[s] + TOLERANCE_S:
                return False
            for m in range(line.weight.shape[0]):
                if state.load[s, slot, m] > line.limit_s[s] * line.peak + TOLERANCE_S:
                    return False
        slot = k2
    return True


@inner
def _take_out(task: Whole, state: State) -> Whole:
    """Take ``task`` out of its station's order and return the position at which it stood."""
    s = state.station[task]
    position = 0
    while state.seq[s, position] != task:
        position += 1
    for later in range(position, state.size[s] - 1):
        state.seq[s, later] = state.seq[s, later + 1]
    state.size[s] -= 1
    state.station[task] = -1
    return position


@inner
def _put_in(task: Whole, s: Whole, position: Whole, state: State) -> None:
    for later in range(state.size[s], position, -1):
        state.seq[s, later] = state.seq[s, later - 1]
    state.seq[s, position] = task
    state.size[s] += 1
    state.station[task] = s


@inner
def _span(task: Whole, s: Whole, line: Line, state: State) -> tuple[Whole, Whole]:
    """Return the first and last position that the precedence graph leaves to a task in the order of station ``s``."""
    lowest = 0
    highest = state.size[s]
    for position in range(state.size[s]):
        other = state.seq[s, position]
        if line.precedes[other, task]:
            lowest = position + 1
        elif line.precedes[task, other] and position < highest:
            highest = position
    return lowest, highest


@inner
def _insert(task: Whole, s: Whole, k: Whole, k2: Whole, line: Line, state: State) -> bool:
    """Put ``task`` into the order of station ``s`` at the first position that keeps the rules.

    Loads already count it. Returns false, with nothing changed but ``lead`` and ``helper`` of the task, if there is no
    such position.
    """
    if line.reached_from[task] & line.place_mask[s] == 0:
        return False
    state.lead[task] = k
    state.helper[task] = k2
    lowest, highest = _span(task, s, line, state)
    if lowest > highest:
        return False
    preferred = lowest
    while preferred < highest and state.seq[s, preferred] < task:
        preferred += 1
    span = highest - lowest + 1
    for attempt in range(span):
        position = preferred + attempt
        if position > highest:
            position -= span
        _put_in(task, s, position, state)
        if _station_ok(s, line, state):
            return True
        _take_out(task, state)
    return False


@inner
def _window(task: Whole, line: Line, state: State) -> tuple[Whole, Whole]:
    """Return the earliest and latest station that the tasks already placed leave to ``task``."""
    low = line.first[task]
    high = line.last[task]
    if state.tally[UNPLACED] == 0.0:
        for arc in range(line.before_ptr[task], line.before_ptr[task + 1]):
            low = max(low, state.station[line.before_idx[arc]])
        for arc in range(line.after_ptr[task], line.after_ptr[task + 1]):
            high = min(high, state.station[line.after_idx[arc]])
        return low, high
    for other in range(state.station.shape[0]):
        s = state.station[other]
        if s >= 0:
            if line.precedes[other, task] and s > low:
                low = s
            elif line.precedes[task, other] and s < high:
                high = s
    return low, high


@inner
def _crew(s: Whole, state: State) -> Whole:
    used = 0
    for k in range(state.jobs.shape[1]):
        if state.jobs[s, k] > 0:
            used += 1
    return used


@inner
def _station_cost(s: Whole, line: Line, state: State) -> float:
    """Return what the crew of a station costs in operators, with a little for crowding or for using it at all."""
    crew = max(_crew(s, state), line.min_operators[s])
    if crew == 0:
        return 0.0
    return float(line.lanes[s] * crew + line.station_weight + line.level_weight * crew * crew)


@inner
def _pair_cost(s: Whole, other: Whole, line: Line, state: State) -> tuple[float, float]:
    """Return the cost and the sum of squared degrees of use of the operators of one or two stations."""
    cost = 0.0
    squares = 0.0
    station = s
    for turn in range(2):
        if turn == 1 and (other < 0 or other == s):
            break
        cost += _station_cost(station, line, state)
        for k in range(state.jobs.shape[1]):
            share = state.use[station, k] / line.lanes[station]
            squares += line.lanes[station] * share * share
            if line.smooth_weight > 0.0:
                for m in range(line.weight.shape[0]):
                    spread = (state.load[station, k, m] - state.mean_load[station, k]) / line.limit_s[station]
                    squares += line.lanes[station] * line.smooth_weight * line.weight[m] * spread * spread
        station = other
    return cost, squares


@inner
def _moved_cost(task: Whole, s: Whole, line: Line) -> float:
    """Return what it costs to have ``task`` at station ``s``: something if that is not its home."""
    if s < 0:
        return UNPLACED_COST
    return float(line.move_weight * line.home_weight[task] * _away(task, s, line))


@inner
def _away(task: Whole, s: Whole, line: Line) -> Whole:
    """Return 1 if ``task`` at station ``s`` is away from home, else 0."""
    home = line.home[task]
    return np.int64(1) if s >= 0 and home >= 0 and home != s else np.int64(0)


@inner
def _squeeze(task: Whole, s: Whole, line: Line, state: State) -> bool:
    """Put a task without a place to the first operators of station ``s`` who can take it; those at work come first."""
    slots = line.max_operators[s]
    for turn in range(2):
        newcomer = False
        for k in range(slots):
            idle = state.jobs[s, k] == 0
            if idle != (turn == 1) or (idle and newcomer):
                continue
            newcomer = newcomer or idle
            for second in range(slots if line.crew[task] == 2 else 1):
                k2 = NOBODY
                if line.crew[task] == 2:
                    if second == k:
                        continue
                    k2 = np.int64(second)
                _add_load(task, s, k, k2, ADD, line, state)
                if _load_ok(s, k, k2, line, state) and _insert(task, s, k, k2, line, state):
                    return True
                _add_load(task, s, k, k2, REMOVE, line, state)
    return False


@inner
def _fits_between(task: Whole, s: Whole, line: Line, state: State) -> bool:
    """Return whether all placed tasks before ``task`` are at station ``s`` or earlier, and those after it later."""
    if not line.allowed[task, s]:
        return False
    for other in range(state.station.shape[0]):
        at = state.station[other]
        if at >= 0 and ((line.precedes[other, task] and at > s) or (line.precedes[task, other] and at < s)):
            return False
    return True


@inner
def _place_together(
    task: Whole, s: Whole, evenly: bool | np.bool_, threshold: float, fullness: float, line: Line, state: State
) -> bool:
    """Move a task and all that must share its station; return whether it was done, with nothing changed otherwise."""
    old = state.station[task]
    first = line.together_ptr[task]
    count = line.together_ptr[task + 1] - first + 1
    members = np.empty(count, np.int64)
    leads = np.empty(count, np.int64)
    helpers = np.empty(count, np.int64)
    positions = np.empty(count, np.int64)
    members[0] = task
    for index in range(1, count):
        members[index] = line.together_idx[first + index - 1]
        if state.station[members[index]] != old:
            return False
    cost, squares = _pair_cost(s, old, line, state)
    change = 0.0
    away: Whole = np.int64(0)
    for index in range(count):
        member = members[index]
        leads[index] = state.lead[member]
        helpers[index] = state.helper[member]
        change += _moved_cost(member, s, line) - _moved_cost(member, old, line)
        away += _away(member, s, line) - _away(member, old, line)
    if away > 0 and state.moved[0] + away > line.move_budget:
        return False
    for index in range(count):
        positions[index] = _take_out(members[index], state)
        _add_load(members[index], old, leads[index], helpers[index], REMOVE, line, state)
    placed = 0
    while (
        placed < count and _fits_between(members[placed], s, line, state) and _squeeze(members[placed], s, line, state)
    ):
        placed += 1
    if placed == count:
        cost_after, squares_after = _pair_cost(s, old, line, state)
        change += cost_after - cost
        if _welcome(change, squares_after - squares, evenly, threshold, fullness):
            state.tally[COST] += change
            state.moved[0] += away
            return True
    for index in range(placed):
        member = members[index]
        _take_out(member, state)
        _add_load(member, s, state.lead[member], state.helper[member], REMOVE, line, state)
    for index in range(count - 1, -1, -1):
        member = members[index]
        state.lead[member] = leads[index]
        state.helper[member] = helpers[index]
        _put_in(member, old, positions[index], state)
        _add_load(member, old, leads[index], helpers[index], ADD, line, state)
    return False


@inner
def _welcome(change: float, squares: float, evenly: bool | np.bool_, threshold: float, fullness: float) -> bool:
    """Return whether a change is taken: see :func:`improve`."""
    if evenly:
        return change <= 1e-9 and (change < -1e-9 or squares < -1e-12)
    return change - fullness * squares <= threshold


@inner
def _place(
    task: Whole,
    s: Whole,
    k: Whole,
    k2: Whole,
    evenly: bool | np.bool_,
    threshold: float,
    fullness: float,
    line: Line,
    state: State,
) -> bool:
    """Move a task, or place one without a place; return whether it was done, with nothing changed otherwise."""
    old = state.station[task]
    old_k = state.lead[task]
    old_k2 = state.helper[task]
    if s == old and k == old_k and k2 == old_k2:
        return False
    if old >= 0 and s != old and line.together_ptr[task + 1] > line.together_ptr[task]:
        return _place_together(task, s, evenly, threshold, fullness, line, state)
    away = _away(task, s, line) - _away(task, old, line)
    if away > 0 and state.moved[0] + away > line.move_budget:
        return False
    cost, squares = _pair_cost(s, old, line, state)
    if old >= 0:
        _add_load(task, old, old_k, old_k2, REMOVE, line, state)
    _add_load(task, s, k, k2, ADD, line, state)
    done = _load_ok(s, k, k2, line, state)
    change = 0.0
    if done:
        cost_after, squares_after = _pair_cost(s, old, line, state)
        change = cost_after - cost + _moved_cost(task, s, line) - _moved_cost(task, old, line)
        done = _welcome(change, squares_after - squares, evenly, threshold, fullness)
    if done:
        position: Whole = NOBODY
        if old >= 0:
            position = _take_out(task, state)
        done = _insert(task, s, k, k2, line, state)
        if not done:
            state.lead[task] = old_k
            state.helper[task] = old_k2
            if old >= 0:
                _put_in(task, old, position, state)
    if done:
        state.tally[COST] += change
        state.moved[0] += away
        if old < 0:
            state.tally[UNPLACED] -= 1.0
    else:
        _add_load(task, s, k, k2, REMOVE, line, state)
        if old >= 0:
            _add_load(task, old, old_k, old_k2, ADD, line, state)
    return done


@inner
def _exchange(
    task: Whole, other: Whole, evenly: bool, threshold: float, fullness: float, line: Line, state: State
) -> bool:
    """Let two tasks of one operator each change places; return whether it was done, with nothing changed otherwise."""
    a = state.station[task]
    b = state.station[other]
    k = state.lead[task]
    k_other = state.lead[other]
    away = _away(task, b, line) - _away(task, a, line) + _away(other, a, line) - _away(other, b, line)
    if away > 0 and state.moved[0] + away > line.move_budget:
        return False
    if a != b and line.together_ptr[task + 1] - line.together_ptr[task] + (
        line.together_ptr[other + 1] - line.together_ptr[other]
    ):
        return False
    cost, squares = _pair_cost(a, b, line, state)
    _add_load(other, b, k_other, NOBODY, REMOVE, line, state)
    _add_load(task, a, k, NOBODY, REMOVE, line, state)
    _add_load(other, a, k, NOBODY, ADD, line, state)
    _add_load(task, b, k_other, NOBODY, ADD, line, state)
    done = _load_ok(a, k, NOBODY, line, state) and _load_ok(b, k_other, NOBODY, line, state)
    change = 0.0
    if done:
        cost_after, squares_after = _pair_cost(a, b, line, state)
        change = cost_after - cost
        change += _moved_cost(task, b, line) - _moved_cost(task, a, line)
        change += _moved_cost(other, a, line) - _moved_cost(other, b, line)
        done = _welcome(change, squares_after - squares, evenly, threshold, fullness)
    if done:
        position = _take_out(task, state)
        position_other = _take_out(other, state)
        done = _insert(task, b, k_other, NOBODY, line, state)
        if done:
            done = _insert(other, a, k, NOBODY, line, state)
            if not done:
                _take_out(task, state)
        if not done:
            state.lead[task] = k
            state.lead[other] = k_other
            _put_in(other, b, position_other, state)
            _put_in(task, a, position, state)
    if done:
        state.tally[COST] += change
        state.moved[0] += away
    else:
        _add_load(task, b, k_other, NOBODY, REMOVE, line, state)
        _add_load(other, a, k, NOBODY, REMOVE, line, state)
        _add_load(task, a, k, NOBODY, ADD, line, state)
        _add_load(other, b, k_other, NOBODY, ADD, line, state)
    return done


@inner
def _keep(place: Whole, s: Whole, state: State) -> None:
    """Remember the order and the work of station ``s``."""
    for position in range(state.size[s]):
        state.kept_seq[place, position] = state.seq[s, position]
    models = state.load.shape[2]
    for k in range(state.jobs.shape[1]):
        state.kept_jobs[place, k] = state.jobs[s, k]
        for m in range(models):
            state.kept_work[place, k, m] = state.load[s, k, m]
        state.kept_work[place, k, models] = state.mean_load[s, k]
        state.kept_work[place, k, models + 1] = state.use[s, k]


@inner
def _bring_back(place: Whole, s: Whole, size: Whole, state: State) -> None:
    """Undo what happened to the order and the work of station ``s`` since :func:`_keep`."""
    state.size[s] = size
    for position in range(size):
        task = state.kept_seq[place, position]
        state.seq[s, position] = task
        state.station[task] = s
    models = state.load.shape[2]
    for k in range(state.jobs.shape[1]):
        state.jobs[s, k] = state.kept_jobs[place, k]
        for m in range(models):
            state.load[s, k, m] = state.kept_work[place, k, m]
        state.mean_load[s, k] = state.kept_work[place, k, models]
        state.use[s, k] = state.kept_work[place, k, models + 1]


@inner
def _in_order(task: Whole, line: Line, state: State) -> bool:
    """Return whether the station of ``task`` is allowed and between those of its predecessors and followers."""
    s = state.station[task]
    if not line.allowed[task, s]:
        return False
    for arc in range(line.before_ptr[task], line.before_ptr[task + 1]):
        if state.station[line.before_idx[arc]] > s:
            return False
    for arc in range(line.after_ptr[task], line.after_ptr[task + 1]):
        if state.station[line.after_idx[arc]] < s:
            return False
    return True


@inner
def _trade(
    a: Whole,
    k: Whole,
    count: Whole,
    b: Whole,
    k_other: Whole,
    count_other: Whole,
    threshold: float,
    fullness: float,
    line: Line,
    state: State,
) -> bool:
    """Let operator ``k`` of station ``a`` trade ``count`` tasks for ``count_other`` of operator ``k_other`` of ``b``.

    ``state.group`` holds the first's tasks, then, from LARGEST_GROUP on, the other's; each is led by one operator
    alone. Returns whether it was done, with nothing changed otherwise.
    """
    group = state.group
    if a != b:
        # Tasks that must share a station move by themselves.
        for place in range(count):
            if line.together_ptr[group[place] + 1] > line.together_ptr[group[place]]:
                return False
        for place in range(LARGEST_GROUP, LARGEST_GROUP + count_other):
            if line.together_ptr[group[place] + 1] > line.together_ptr[group[place]]:
                return False
    cost, squares = _pair_cost(a, b, line, state)
    _keep(0, a, state)
    _keep(1, b, state)
    size_a = state.size[a]
    size_b = state.size[b]
    change = 0.0
    away: Whole = np.int64(0)
    for place in range(count):
        task = group[place]
        _add_load(task, a, k, NOBODY, REMOVE, line, state)
        change += _moved_cost(task, b, line) - _moved_cost(task, a, line)
        away += _away(task, b, line) - _away(task, a, line)
    for place in range(count_other):
        task = group[LARGEST_GROUP + place]
        _add_load(task, b, k_other, NOBODY, REMOVE, line, state)
        _add_load(task, a, k, NOBODY, ADD, line, state)
        change += _moved_cost(task, a, line) - _moved_cost(task, b, line)
        away += _away(task, a, line) - _away(task, b, line)
    for place in range(count):
        _add_load(group[place], b, k_other, NOBODY, ADD, line, state)
    done = bool(away <= 0 or state.moved[0] + away <= line.move_budget)
    done = done and _load_ok(a, k, NOBODY, line, state) and _load_ok(b, k_other, NOBODY, line, state)
    if done:
        cost_after, squares_after = _pair_cost(a, b, line, state)
        change += cost_after - cost
        done = _welcome(change, squares_after - squares, False, threshold, fullness)
    if done:
        for place in range(count):
            _take_out(group[place], state)
        for place in range(count_other):
            _take_out(group[LARGEST_GROUP + place], state)
        for place in range(count):
            state.station[group[place]] = b
        for place in range(count_other):
            state.station[group[LARGEST_GROUP + place]] = a
        if a != b:
            for place in range(count):
                done = done and _in_order(group[place], line, state)
            for place in range(count_other):
                done = done and _in_order(group[LARGEST_GROUP + place], line, state)
        # Schedules at the stations count only tasks that are in their order.
        for place in range(count):
            state.station[group[place]] = -1
        for place in range(count_other):
            state.station[group[LARGEST_GROUP + place]] = -1
        for place in range(count):
            done = done and _insert(group[place], b, k_other, NOBODY, line, state)
        for place in range(count_other):
            done = done and _insert(group[LARGEST_GROUP + place], a, k, NOBODY, line, state)
    if done:
        state.tally[COST] += change
        state.moved[0] += away
    else:
        _bring_back(0, a, size_a, state)
        if a != b:
            _bring_back(1, b, size_b, state)
        for place in range(count):
            state.lead[group[place]] = k
        for place in range(count_other):
            state.lead[group[LARGEST_GROUP + place]] = k_other
    return done


@inner
def _own_tasks(s: Whole, k: Whole, line: Line, state: State, begin: Whole) -> Whole:
    """Write what operator ``k`` of station ``s`` does alone into ``state.group`` from ``begin`` on; return how many.

    Returns -1 if somebody helps with or is helped at any of it, or if it is more than LARGEST_GROUP tasks.
    """
    count = 0
    if state.jobs[s, k] > LARGEST_GROUP:
        return NOBODY
    for position in range(state.size[s]):
        task = state.seq[s, position]
        if state.lead[task] == k or state.helper[task] == k:
            if line.crew[task] != 1:
                return NOBODY
            state.group[begin + count] = task
            count += 1
    return count


@inner
def _reorder(task: Whole, position: Whole, line: Line, state: State) -> bool:
    """Let a task begin at another position in its station's order; return whether that keeps the rules."""
    s = state.station[task]
    old = _take_out(task, state)
    lowest, highest = _span(task, s, line, state)
    _put_in(task, s, min(max(position, lowest), highest), state)
    if _station_ok(s, line, state):
        return True
    _take_out(task, state)
    _put_in(task, s, old, state)
    return False


@inner
def _put_out(task: Whole, line: Line, state: State) -> None:
    """Take a task off the line, so that another finds room."""
    s = state.station[task]
    before = _station_cost(s, line, state) + _moved_cost(task, s, line)
    _take_out(task, state)
    _add_load(task, s, state.lead[task], state.helper[task], REMOVE, line, state)
    state.lead[task] = -1
    state.helper[task] = -1
    state.tally[COST] += UNPLACED_COST + _station_cost(s, line, state) - before
    state.moved[0] -= _away(task, s, line)
    state.tally[UNPLACED] += 1.0


@inner
def _place_at(task: Whole, s: Whole, ceiling: Whole, line: Line, state: State) -> bool:
    """Place a task at station ``s`` with a crew of at most ``ceiling``: with the fullest operator whom it suits."""
    slots = line.max_operators[s]
    present = _crew(s, state)
    tried = state.tried
    for slot in range(slots):
        tried[slot] = False
    for _ in range(slots):
        k = NOBODY
        for slot in range(slots):
            if tried[slot] or (state.jobs[s, slot] == 0 and present >= ceiling):
                continue
            if k < 0 or state.mean_load[s, slot] > state.mean_load[s, k]:
                k = np.int64(slot)
        if k < 0:
            return False
        tried[k] = True
        if state.jobs[s, k] == 0:
            # One newcomer is like another.
            for slot in range(slots):
                tried[slot] = tried[slot] or state.jobs[s, slot] == 0
        for second in range(slots if line.crew[task] == 2 else 1):
            k2 = NOBODY
            if line.crew[task] == 2:
                k2 = np.int64(second)
                opened = int(state.jobs[s, k] == 0) + int(state.jobs[s, k2] == 0)
                if k2 == k or present + opened > ceiling:
                    continue
            if _place(task, s, k, k2, PLAINLY, np.inf, 0.0, line, state):
                return True
    return False


@njit(cache=True, nogil=True)
def take_over(tasks: Integers, station: Integers, lead: Integers, helper: Integers, line: Line, state: State) -> None:
    """Place ``tasks``, in the order in which they begin, where they are done today; leave out what breaks a rule.

    ``station``, ``lead`` and ``helper`` (as many as ``tasks``) say where, -1 for no second operator.
    """
    for index in range(tasks.shape[0]):
        task = int(tasks[index])
        s = int(station[index])
        k = int(lead[index])
        k2 = int(helper[index])
        before = _station_cost(s, line, state)
        _add_load(task, s, k, k2, ADD, line, state)
        state.lead[task] = k
        state.helper[task] = k2
        _put_in(task, s, state.size[s], state)
        if _station_ok(s, line, state):
            change = _station_cost(s, line, state) - before + _moved_cost(task, s, line) - UNPLACED_COST
            state.tally[COST] += change
            state.tally[UNPLACED] -= 1.0
            state.moved[0] += _away(task, s, line)
        else:
            _take_out(task, state)
            _add_load(task, s, k, k2, REMOVE, line, state)
            state.lead[task] = -1
            state.helper[task] = -1


@njit(cache=True, nogil=True)
def construct(
    priority: Floats, pinned: Flags, homes_first: bool, soft_operators: Whole, line: Line, state: State
) -> None:
    """Place the tasks one by one: pinned ones, those with a home if ``homes_first``, then all others.

    Each goes to its home if it can, else to the first station with room among a crew of ``soft_operators``, else to
    the first with room at all. What finds no place stays without one.

    Parameters
    ----------
    priority
        (n,) lower comes earlier among tasks whose predecessors have been looked at.
    pinned
        (n,) bool, tasks that only certain stations may take.
    """
    n = priority.shape[0]
    waiting = np.zeros(n, np.int64)
    done = np.zeros(n, np.bool_)
    for stage in range(3):
        for number in range(n):
            waiting[number] = line.before_ptr[number + 1] - line.before_ptr[number]
            done[number] = False
        for _ in range(n):
            task = NOBODY
            for candidate in range(n):
                if not done[candidate] and waiting[candidate] == 0:
                    if task < 0 or priority[candidate] < priority[task]:
                        task = np.int64(candidate)
            done[task] = True
            for arc in range(line.after_ptr[task], line.after_ptr[task + 1]):
                waiting[line.after_idx[arc]] -= 1
            if state.station[task] >= 0 or (stage == 0 and not pinned[task]):
                continue
            if stage == 1 and (not homes_first or line.home[task] < 0):
                continue
            low, high = _window(task, line, state)
            for attempt in range(3):
                begin, end = low, high
                if attempt == 0:
                    if line.home[task] < low or line.home[task] > high:
                        continue
                    begin, end = line.home[task], line.home[task]
                elif stage == 1:
                    break
                for s in range(begin, end + 1):
                    if not line.allowed[task, s]:
                        continue
                    ceiling = line.max_operators[s]
                    if attempt == 1:
                        ceiling = min(ceiling, max(soft_operators, line.crew[task]))
                    if _place_at(task, s, ceiling, line, state):
                        break
                if state.station[task] >= 0:
                    break


@inner
def read_order(state: State, order: Integers) -> Whole:
    """Write the tasks into ``order`` (n,), station by station as they begin; those without a place are left out."""
    filled = 0
    for s in range(state.size.shape[0]):
        for position in range(state.size[s]):
            order[filled] = state.seq[s, position]
            filled += 1
    return filled


@inner
def _copy(source: Integers, target: Integers) -> None:
    for index in range(source.shape[0]):
        target[index] = source[index]


@inner
def _regroup(
    task: Whole,
    low: Whole,
    high: Whole,
    threshold: float,
    fullness: float,
    random_state: NDArray[np.uint64],
    line: Line,
    state: State,
) -> bool:
    """Try to move the whole operator who does ``task``, or to trade several tasks with another."""
    a = state.station[task]
    k = state.lead[task]
    b = low + _below(random_state, high - low + 1)
    if _random(random_state) < 0.5:
        count = _own_tasks(a, k, line, state, 0)
        if count < 1 or a == b:
            return False
        for slot in range(line.max_operators[b]):
            if state.jobs[b, slot] == 0:
                return _trade(a, k, count, b, slot, 0, threshold, fullness, line, state)
        return False
    if state.size[b] == 0:
        return False
    other = state.seq[b, _below(random_state, state.size[b])]
    k_other = state.lead[other]
    if line.crew[other] != 1 or (a == b and k == k_other):
        return False
    # One or two tasks for one or two, but not one for one.
    count, count_other = 1, 1
    state.group[0] = task
    state.group[LARGEST_GROUP] = other
    two = _below(random_state, 3)
    if two != 1:
        more = _partner(task, random_state, line, state)
        if more < 0:
            return False
        state.group[1] = more
        count = 2
    if two != 0:
        more = _partner(other, random_state, line, state)
        if more < 0:
            return False
        state.group[LARGEST_GROUP + 1] = more
        count_other = 2
    return _trade(a, k, count, b, k_other, count_other, threshold, fullness, line, state)


@inner
def _partner(task: Whole, random_state: NDArray[np.uint64], line: Line, state: State) -> Whole:
    """Return another task that the same operator does alone, -1 for none."""
    s = state.station[task]
    chosen = NOBODY
    seen = 0
    for position in range(state.size[s]):
        other = state.seq[s, position]
        if other != task and state.lead[other] == state.lead[task] and line.crew[other] == 1:
            seen += 1
            if _below(random_state, seen) == 0:
                chosen = other
    return chosen


@njit(cache=True, nogil=True)
def improve(
    evaluations: Whole,
    evenly: bool,
    fullness: float,
    group_share: float,
    hot: float,
    cold: float,
    random_state: NDArray[np.uint64],
    line: Line,
    state: State,
    station: Integers,
    lead: Integers,
    helper: Integers,
    order: Integers,
) -> None:
    """Search for a cheaper assignment, or for a more even one at no higher cost.

    With ``evenly`` false: simulated annealing from temperature ``hot`` to ``cold`` on moves of one task and exchanges
    of two. Cost is counted in operators (times lanes), plus the weights of ``line``; the search itself also favours
    full operators, by ``fullness`` per unit of squared use, so that others run empty. With ``evenly`` true: descent on
    the sum of squared use, never at a higher cost.

    ``state`` is the start and is used up; ``station``, ``lead``, ``helper`` and ``order`` (n,) receive the best found.
    """
    n = station.shape[0]
    best_cost = state.tally[COST]
    _copy(state.station, station)
    _copy(state.lead, lead)
    _copy(state.helper, helper)
    read_order(state, order)
    changed = False
    for evaluation in range(evaluations):
        temperature = hot * (cold / hot) ** (evaluation / evaluations)
        task = _below(random_state, n)
        if state.tally[UNPLACED] > 0.0 and _random(random_state) < 0.5:
            while state.station[task] >= 0:
                task = task + 1 if task + 1 < n else 0
        kind = _random(random_state)
        threshold = -temperature * np.log(max(_random(random_state), 1e-300))
        old = state.station[task]
        low, high = _window(task, line, state)
        if low > high:
            continue
        if not evenly and state.tally[UNPLACED] == 0.0 and line.crew[task] == 1 and _random(random_state) < group_share:
            done = _regroup(task, low, high, threshold, fullness, random_state, line, state)
            changed = changed or done
            if done and state.tally[COST] < best_cost - 1e-9:
                best_cost = state.tally[COST]
                _copy(state.station, station)
                _copy(state.lead, lead)
                _copy(state.helper, helper)
                read_order(state, order)
            continue
        s = low + _below(random_state, high - low + 1)
        nearby = _random(random_state)
        if nearby < 0.2 and low <= line.home[task] <= high:
            s = line.home[task]
        elif nearby > 0.8 and old >= 0:
            s = old
        if not line.allowed[task, s] or line.max_operators[s] < line.crew[task]:
            continue
        if kind < 0.4 or old < 0 or state.size[s] == 0:
            k = _below(random_state, line.max_operators[s])
            if kind < 0.32 and state.size[s] > 0:
                # Mostly somebody who works there already: opening for another seldom pays.
                k = state.lead[state.seq[s, _below(random_state, state.size[s])]]
            k2: Whole = NOBODY
            if line.crew[task] == 2:
                k2 = _below(random_state, line.max_operators[s] - 1)
                if k2 >= k:
                    k2 += 1
            done = _place(task, s, k, k2, evenly, threshold, fullness, line, state)
            if not done and old < 0 and state.size[s] > 0 and _random(random_state) < 0.02:
                # No room for a task without a place: put another out that can go elsewhere.
                other = state.seq[s, _below(random_state, state.size[s])]
                if line.last[other] - line.first[other] >= line.last[task] - line.first[task]:
                    _put_out(other, line, state)
        else:
            place = _below(random_state, state.size[s])
            other = state.seq[s, place]
            alone = line.crew[other] == 1 and line.crew[task] == 1
            if s == old and (not alone or state.lead[other] == state.lead[task]):
                # Nothing to exchange, but begun at another time it may leave room for others.
                changed = _reorder(task, place, line, state) or changed
                continue
            if not alone:
                continue
            if s != old:
                if line.precedes[task, other] or line.precedes[other, task] or not line.allowed[other, old]:
                    continue
                low, high = _window(other, line, state)
                if old < low or old > high:
                    continue
            done = _exchange(task, other, evenly, threshold, fullness, line, state)
        changed = changed or done
        if done and not evenly and state.tally[COST] < best_cost - 1e-9:
            best_cost = state.tally[COST]
            _copy(state.station, station)
            _copy(state.lead, lead)
            _copy(state.helper, helper)
            read_order(state, order)
    if evenly and changed and state.tally[COST] <= best_cost + 1e-6:
        _copy(state.station, station)
        _copy(state.lead, lead)
        _copy(state.helper, helper)
        read_order(state, order)


@njit(cache=True, nogil=True)
def restore(station: Integers, lead: Integers, helper: Integers, order: Integers, line: Line, state: State) -> None:
    """Fill an empty ``state`` with an assignment, its cost included."""
    n = station.shape[0]
    unplaced = 0
    cost = 0.0
    for task in range(n):
        state.station[task] = station[task]
        state.lead[task] = lead[task]
        state.helper[task] = helper[task]
        cost += _moved_cost(task, station[task], line)
        state.moved[0] += _away(task, station[task], line)
        if station[task] < 0:
            unplaced += 1
        else:
            _add_load(task, station[task], lead[task], helper[task], ADD, line, state)
    for index in range(n - unplaced):
        s = station[order[index]]
        state.seq[s, state.size[s]] = order[index]
        state.size[s] += 1
    for s in range(state.size.shape[0]):
        cost += _station_cost(s, line, state)
    state.tally[COST] = cost
    state.tally[UNPLACED] = unplaced


@njit(cache=True, nogil=True)
def dearest_loads(
    worth: Floats,
    size_s: Floats,
    time_s: Floats,
    fit: Flags,
    order: Integers,
    limit_s: float,
    peak_s: float,
    price: float,
    most_nodes: Whole,
    found: Integers,
) -> float:
    """Return what the dearest load of one operator is worth at most: depth-first search with a fractional bound.

    Parameters
    ----------
    worth, size_s
        (n,) worth and mean time of each item.
    time_s
        (n, M) times by model.
    fit
        (n, n) bool, which two items one operator may do.
    order
        (n,) items, those worth most a second first.
    limit_s, peak_s
        Limits on the mean and on each model.
    price
        Loads worth no more are of no interest.
    most_nodes
        Loads looked at for each first item; where there are more, the fractional bound stands in.
    found
        (n, LARGEST_LOAD) filled with -1; row r receives the dearest load above ``price`` that begins with order[r].
    """
    n = worth.shape[0]
    models = time_s.shape[1]
    depth_most = found.shape[1]
    candidates = np.zeros((depth_most, n), np.int64)
    count = np.zeros(depth_most, np.int64)
    place = np.zeros(depth_most, np.int64)
    load = np.zeros(depth_most)
    value = np.zeros(depth_most)
    by_model = np.zeros((depth_most, models))
    chosen = np.zeros(depth_most, np.int64)
    top = 0.0
    for rank in range(n):
        first = order[rank]
        if worth[first] <= 1e-9:
            break
        count[0] = 0
        for later in range(rank + 1, n):
            item = order[later]
            if worth[item] <= 1e-9:
                break
            if fit[first, item]:
                candidates[0, count[0]] = item
                count[0] += 1
        chosen[0] = first
        place[0] = 0
        load[0] = size_s[first]
        value[0] = worth[first]
        for m in range(models):
            by_model[0, m] = time_s[first, m]
        best = price + 1e-7
        top = max(top, value[0])
        nodes = 0
        depth = 0
        while depth >= 0:
            if place[depth] >= count[depth]:
                depth -= 1
                continue
            room = limit_s - load[depth] + TOLERANCE_S
            reachable = value[depth]
            for position in range(place[depth], count[depth]):
                item = candidates[depth, position]
                if size_s[item] > room:
                    reachable += worth[item] * room / size_s[item]
                    break
                reachable += worth[item]
                room -= size_s[item]
            if reachable <= best + 1e-9:
                depth -= 1
                continue
            if nodes >= most_nodes or depth + 1 == depth_most:
                # Not looked at, but bounded.
                top = max(top, reachable)
                depth -= 1
                continue
            item = candidates[depth, place[depth]]
            place[depth] += 1
            nodes += 1
            if load[depth] + size_s[item] > limit_s + TOLERANCE_S:
                continue
            keeps = True
            for m in range(models):
                if by_model[depth, m] + time_s[item, m] > peak_s + TOLERANCE_S:
                    keeps = False
                    break
            if not keeps:
                continue
            deeper = depth + 1
            chosen[deeper] = item
            load[deeper] = load[depth] + size_s[item]
            value[deeper] = value[depth] + worth[item]
            for m in range(models):
                by_model[deeper, m] = by_model[depth, m] + time_s[item, m]
            count[deeper] = 0
            for position in range(place[depth], count[depth]):
                other = candidates[depth, position]
                if fit[item, other] and load[deeper] + size_s[other] <= limit_s + TOLERANCE_S:
                    candidates[deeper, count[deeper]] = other
                    count[deeper] += 1
            place[deeper] = 0
            depth = deeper
            if value[depth] > best:
                best = value[depth]
                top = max(top, best)
                for position in range(depth_most):
                    found[rank, position] = chosen[position] if position <= depth else -1
    return top
