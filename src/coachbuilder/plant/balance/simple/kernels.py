"""Compiled core of the simple assembly line balancing problem: branch, bound and remember, and beams of stations.

Sets of tasks are bit sets: ``words`` words of 64 bits. A state is the set of tasks of the stations filled so far; it
is extended by whole station loads. Tasks are numbered by falling priority.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Integers = NDArray[np.int64]
Small = NDArray[np.int32]

EXHAUSTED = 0
PAUSED = 1
FULL = 2
IMPROVED = 3

# Positions in ``Memory.tally``.
STATES, NODES, CUT, LEVEL, BEST_STATE, OPEN = 0, 1, 2, 3, 4, 5
TALLY = 6

NONE = -1


class Graph(NamedTuple):
    """A precedence graph as the search sees it; for the way from the end it is turned round."""

    times: Integers
    """(n,) task times."""
    work: Integers
    """(n,) time of a task and all its followers."""
    waiting: Small
    """(n,) number of direct predecessors."""
    after_ptr: Small
    """(n + 1,) direct followers of task i are after_idx[after_ptr[i]:after_ptr[i + 1]]."""
    after_idx: Small
    """Direct followers, packed."""
    zobrist: Bits
    """(n,) random words; a set's hash is the exclusive or of its tasks'."""
    beats: Bits
    """(n, words) tasks in whose place a task may stand: no shorter, and with all their followers."""
    twins_ptr: Small
    """(n + 1,) like after_ptr."""
    twins_idx: Small
    """Tasks that beat task i and are just as long, packed."""
    weight: Integers
    """(n, K) weights of a task in the bounds by weight; the first are the times."""
    capacity: Integers
    """(K,) largest weight of a station's load."""
    tail: Integers
    """(n,) stations at least from that of task i to the last, its own included."""
    by_tail: Small
    """(n,) tasks by falling tail."""


class Memory(NamedTuple):
    """All states met, kept for good, and a heap of the open ones for each number of stations."""

    bits: Bits
    """(room, words) tasks done."""
    hashes: Bits
    """(room,)"""
    parent: Small
    """(room,) state that it extends."""
    stations: Small
    """(room,) stations filled."""
    bound: Small
    """(room,) no answer through it has fewer stations."""
    key: NDArray[np.float32]
    """(room,) order in its heap; the smallest is next."""
    left: Small
    """(room,) heap."""
    right: Small
    """(room,) heap."""
    table: Small
    """(slots,) open addressing; number of the state, -1 for none."""
    root: Small
    """(levels,) top of the heap of each number of stations, -1 for none."""
    tally: Integers
    """(TALLY,) states, nodes, whether loads were cut off, next level, state of the best answer, open states."""


@njit(cache=True, nogil=True, inline="always")
def _has(bits: Bits, task: int) -> bool:
    return bool((bits[task >> 6] >> np.uint64(task & 63)) & np.uint64(1) != np.uint64(0))


@njit(cache=True, nogil=True, inline="always")
def _flip(bits: Bits, task: int) -> None:
    bits[task >> 6] ^= np.uint64(1) << np.uint64(task & 63)


@njit(cache=True, nogil=True)
def _merge(memory: Memory, one: int, other: int) -> int:
    """Join two skew heaps; return the top."""
    key, left, right = memory.key, memory.left, memory.right
    if one < 0:
        return other
    if other < 0:
        return one
    if key[other] < key[one]:
        one, other = other, one
    top = one
    while True:
        # ``one`` is the smaller: its right part is joined with ``other`` and becomes its left part.
        rest = right[one]
        right[one] = left[one]
        if rest < 0:
            left[one] = other
            return top
        if key[other] < key[rest]:
            rest, other = other, rest
        left[one] = rest
        one = rest


@njit(cache=True, nogil=True)
def _push(memory: Memory, state: int) -> None:
    level = memory.stations[state]
    memory.left[state] = -1
    memory.right[state] = -1
    memory.root[level] = _merge(memory, memory.root[level], state)
    memory.tally[OPEN] += 1


@njit(cache=True, nogil=True)
def _pop(memory: Memory, level: int) -> int:
    state = memory.root[level]
    memory.root[level] = _merge(memory, memory.left[state], memory.right[state])
    memory.tally[OPEN] -= 1
    return int(state)


@njit(cache=True, nogil=True)
def _slot(memory: Memory, bits: Bits, value: np.uint64) -> int:
    """Return the table's slot where a set is, or where it belongs."""
    mask = np.int64(memory.table.shape[0] - 1)
    slot = np.int64(value >> np.uint64(20)) & mask
    while memory.table[slot] >= 0:
        state = memory.table[slot]
        if memory.hashes[state] == value:
            same = True
            for word in range(bits.shape[0]):
                if memory.bits[state, word] != bits[word]:
                    same = False
                    break
            if same:
                return int(slot)
        slot = (slot + 1) & mask
    return int(slot)


@njit(cache=True, nogil=True)
def rehash(memory: Memory) -> None:
    """Fill an empty table with the states there are; of two with the same set the one with fewer stations."""
    for state in range(memory.tally[STATES]):
        slot = _slot(memory, memory.bits[state], memory.hashes[state])
        known = memory.table[slot]
        if known < 0 or memory.stations[state] < memory.stations[known]:
            memory.table[slot] = state


@njit(cache=True, nogil=True)
def begin(memory: Memory, bound: int) -> None:
    """Put in the state in which nothing is done."""
    memory.root[:] = -1
    memory.table[:] = -1
    memory.tally[:] = 0
    memory.tally[BEST_STATE] = -1
    memory.bits[0, :] = np.uint64(0)
    memory.hashes[0] = np.uint64(0)
    memory.parent[0] = -1
    memory.stations[0] = 0
    memory.bound[0] = bound
    memory.key[0] = 0.0
    memory.table[_slot(memory, memory.bits[0], np.uint64(0))] = 0
    memory.tally[STATES] = 1
    _push(memory, 0)


@njit(cache=True, nogil=True)
def search(graph: Graph, memory: Memory, takt: int, upper: int, most_loads: int, lean: float, most_nodes: int) -> int:
    """Branch, bound and remember: open the best state of each number of stations in turn.

    Every state is extended by all its maximal loads, or by the first ``most_loads`` of them, which is noted in the
    tally. A load is passed over if a task left out could stand in for one of it (Jackson), or if none of its tasks has
    a follower while one left out has. A set met before with no more stations is dropped.

    Parameters
    ----------
    upper
        Only answers with fewer stations are of interest.
    lean
        What a task left open is worth in idle time a station: states that leave many small tasks come first.
    most_nodes
        Nodes after which to pause, counted in tasks put into loads.

    Returns
    -------
    int
        EXHAUSTED, PAUSED, FULL (the memory must grow), or IMPROVED: ``tally[BEST_STATE]`` is an answer.
    """
    n = graph.times.shape[0]
    words = memory.bits.shape[1]
    bounds = graph.capacity.shape[0]
    tally = memory.tally
    room = memory.parent.shape[0]
    current = np.zeros(words, np.uint64)
    added = np.zeros(words, np.uint64)
    waiting = np.zeros(n, np.int32)
    eligible = np.zeros(n + 1, np.int32)
    load = np.zeros(n + 1, np.int32)
    position = np.zeros(n + 1, np.int32)
    start = np.zeros(n + 1, np.int32)
    count = np.zeros(n + 1, np.int32)
    child = np.zeros(n + 1, np.bool_)
    reach = np.zeros(n + 1, np.int64)
    shortest = np.zeros(n + 1, np.int64)
    passed = np.zeros(n, np.bool_)
    rest = np.zeros(bounds, np.int64)
    base = np.zeros(bounds, np.int64)
    end_nodes = tally[NODES] + most_nodes
    while True:
        # The next level in turn with an open state.
        level = -1
        for _ in range(upper):
            if memory.root[tally[LEVEL]] >= 0:
                level = tally[LEVEL]
            tally[LEVEL] = tally[LEVEL] + 1 if tally[LEVEL] + 1 < upper else 0
            if level >= 0:
                break
        if level < 0:
            return EXHAUSTED
        origin = _pop(memory, level)
        if memory.bound[origin] >= upper:
            continue
        for word in range(words):
            current[word] = memory.bits[origin, word]
            added[word] = np.uint64(0)
        # A later way to the same set with fewer stations stands in for this one.
        known = memory.table[_slot(memory, current, memory.hashes[origin])]
        if known != origin and memory.stations[known] <= level:
            continue
        value = memory.hashes[origin]
        station = level + 1
        for k in range(bounds):
            base[k] = 0
        open_tasks = 0
        for task in range(n):
            waiting[task] = graph.waiting[task]
        for task in range(n):
            if _has(current, task):
                for arc in range(graph.after_ptr[task], graph.after_ptr[task + 1]):
                    waiting[graph.after_idx[arc]] -= 1
            else:
                open_tasks += 1
                for k in range(bounds):
                    base[k] += graph.weight[task, k]
        free = 0
        with_followers = 0
        for task in range(n):
            if not _has(current, task):
                if waiting[task] == 0:
                    eligible[free] = task
                    free += 1
                if graph.after_ptr[task + 1] > graph.after_ptr[task]:
                    with_followers += 1
        first_tail = 0
        while first_tail < n and _has(current, graph.by_tail[first_tail]):
            first_tail += 1
        # Idle time that the stations left can bear.
        slack = takt * (upper - 1 - level) - base[0]
        depth = 0
        left = takt
        loads = 0
        position[0] = 0
        start[0] = 0
        count[0] = free
        child[0] = False
        shortest[0] = takt + 1
        reach[0] = 0
        for place in range(free):
            reach[0] += graph.work[eligible[place]]
        while True:
            at = position[depth]
            last = count[depth]
            chosen = -1
            # What the tasks not yet looked at can bring must fill the station so far that nothing passed over fits.
            lacking = left - min(slack, shortest[depth] - 1)
            while at < last and reach[depth] >= lacking:
                task = eligible[at]
                at += 1
                reach[depth] -= graph.work[task]
                if graph.times[task] <= left:
                    twin = False
                    for place in range(graph.twins_ptr[task], graph.twins_ptr[task + 1]):
                        if passed[graph.twins_idx[place]]:
                            twin = True
                            break
                    if twin:
                        # The twin passed over would serve as well: this load is found with it. It still fits here, so
                        # that no load without either is maximal.
                        child[depth] = True
                        continue
                    chosen = task
                    break
            position[depth] = at
            if chosen < 0 and lacking > 0:
                child[depth] = True
            if chosen >= 0:
                tally[NODES] += 1
                child[depth] = True
                load[depth] = chosen
                _flip(current, chosen)
                _flip(added, chosen)
                value ^= graph.zobrist[chosen]
                left -= graph.times[chosen]
                reach[depth + 1] = reach[depth]
                shortest[depth + 1] = shortest[depth]
                for arc in range(graph.after_ptr[chosen], graph.after_ptr[chosen + 1]):
                    later = graph.after_idx[arc]
                    waiting[later] -= 1
                    if waiting[later] == 0:
                        eligible[last] = later
                        last += 1
                        reach[depth + 1] += graph.work[later]
                depth += 1
                position[depth] = at
                start[depth] = at
                count[depth] = last
                child[depth] = False
                continue
            if not child[depth] and depth > 0 and left <= slack:
                keep = True
                total = count[depth]
                # Maximal, and no task left out could stand in for one of the load.
                for place in range(total):
                    task = eligible[place]
                    if _has(added, task):
                        continue
                    if graph.times[task] <= left:
                        keep = False
                        break
                    for word in range(words):
                        common = graph.beats[task, word] & added[word]
                        if common != np.uint64(0):
                            for index in range(depth):
                                other = load[index]
                                if _has(graph.beats[task], other) and graph.times[task] - graph.times[other] <= left:
                                    keep = False
                                    break
                            break
                    if not keep:
                        break
                if keep:
                    loads += 1
                    bound = station
                    most = 0.0
                    for k in range(bounds):
                        rest[k] = base[k]
                    followed = 0
                    for index in range(depth):
                        task = load[index]
                        for k in range(bounds):
                            rest[k] -= graph.weight[task, k]
                        if graph.after_ptr[task + 1] > graph.after_ptr[task]:
                            followed += 1
                    for k in range(bounds):
                        need = station + (rest[k] + graph.capacity[k] - 1) // graph.capacity[k]
                        bound = max(bound, need)
                        most = max(most, rest[k] / graph.capacity[k])
                    place = first_tail
                    while place < n and _has(current, graph.by_tail[place]):
                        place += 1
                    if place < n:
                        bound = max(bound, station + graph.tail[graph.by_tail[place]])
                    if bound < upper and (followed > 0 or with_followers == 0):
                        slot = _slot(memory, current, value)
                        known = memory.table[slot]
                        if known < 0 or memory.stations[known] > station:
                            if tally[STATES] == room:
                                _push(memory, origin)
                                tally[LEVEL] = level
                                return FULL
                            state = tally[STATES]
                            tally[STATES] += 1
                            for word in range(words):
                                memory.bits[state, word] = current[word]
                            memory.hashes[state] = value
                            memory.parent[state] = origin
                            memory.stations[state] = station
                            memory.bound[state] = bound
                            # Less stations filled, which all states of a heap share: idle time so far, and the
                            # largest bound on the stations to come, half and half.
                            memory.key[state] = rest[0] / takt + most - lean * (open_tasks - depth)
                            memory.table[slot] = state
                            if open_tasks == depth:
                                tally[BEST_STATE] = state
                                _push(memory, origin)
                                return IMPROVED
                            _push(memory, state)
                if loads >= most_loads:
                    tally[CUT] = 1
                    break
            # Step back; what was passed over at this depth is open again.
            for place in range(start[depth], position[depth]):
                passed[eligible[place]] = False
            if depth == 0:
                break
            depth -= 1
            task = load[depth]
            _flip(current, task)
            _flip(added, task)
            value ^= graph.zobrist[task]
            left += graph.times[task]
            for arc in range(graph.after_ptr[task], graph.after_ptr[task + 1]):
                waiting[graph.after_idx[arc]] += 1
            passed[task] = True
            shortest[depth] = min(shortest[depth], graph.times[task])
        passed[:] = False
        if tally[NODES] >= end_nodes:
            return PAUSED


@njit(cache=True, nogil=True)
def best_load(
    times: Integers, prices: Integers, apart: Bits, takt: int, wanted: int, most_nodes: int, loads: Small
) -> tuple[int, int, bool]:
    """Look for loads of a price above ``wanted``, and for the dearest, by depth-first branch and bound.

    Parameters
    ----------
    times, prices
        (n,) the tasks by falling price a second.
    apart
        (n, words) tasks that cannot share a station with each.
    wanted
        Loads of a larger price than this are noted, the dearest found last.
    most_nodes
        Nodes after which it ends.
    loads
        (rows, n) int32, filled with -1: tasks of the noted loads.

    Returns
    -------
    tuple
        Largest price met, number of loads noted, and whether no load is dearer than both it and ``wanted``.
    """
    n = times.shape[0]
    words = apart.shape[1]
    chosen = np.zeros(n + 1, np.int32)
    barred = np.zeros((n + 2, words), np.uint64)
    position = np.zeros(n + 2, np.int32)
    best = np.int64(0)
    count = 0
    depth = 0
    left = takt
    value = np.int64(0)
    nodes = 0
    while True:
        at = position[depth]
        taken = -1
        while at < n:
            # No load here is worth more than the rest filled at the price of the next task.
            if value + left * (prices[at] / max(times[at], 1e-3)) <= max(best, wanted):
                at = n
                break
            if times[at] <= left and not _has(barred[depth], at):
                taken = at
                at += 1
                break
            at += 1
        position[depth] = at
        if taken >= 0:
            nodes += 1
            if nodes > most_nodes:
                return int(best), count, False
            chosen[depth] = taken
            left -= times[taken]
            value += prices[taken]
            for word in range(words):
                barred[depth + 1, word] = barred[depth, word] | apart[taken, word]
            depth += 1
            position[depth] = at
            if value > best:
                best = value
                if value > wanted:
                    row = count % loads.shape[0]
                    count += 1
                    for index in range(n):
                        loads[row, index] = chosen[index] if index < depth else -1
            continue
        if depth == 0:
            return int(best), count, True
        depth -= 1
        left += times[chosen[depth]]
        value -= prices[chosen[depth]]
