"""Compiled core of the simple assembly line balancing problem: beam search over stations with memory.

Sets of tasks are bit sets: ``W`` words of 64 bits. Tasks stand in an order that respects the precedence graph.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

COMPLETE = 0
BEAM_FULL = 1
OUT_OF_NODES = 2


@njit(cache=True, nogil=True)
def _has(bits: NDArray[np.uint64], task: int) -> bool:
    return bool((bits[task >> 6] >> np.uint64(task & 63)) & np.uint64(1) != 0)


@njit(cache=True, nogil=True)
def _flip(bits: NDArray[np.uint64], task: int) -> None:
    bits[task >> 6] ^= np.uint64(1) << np.uint64(task & 63)


@njit(cache=True, nogil=True)
def _stations_bound(bits: NDArray[np.uint64], times: Integers, takt: int, by_time: Integers, total: int) -> int:
    """Return the bounds LM1, LM2 and LM3 on the stations that the tasks outside ``bits`` need."""
    bound = (total + takt - 1) // takt
    large = 0
    half = 0
    sixths = 0
    for index in range(times.shape[0]):
        task = by_time[index]
        time = times[task]
        if 3 * time < takt:
            break
        if _has(bits, task):
            continue
        if 2 * time > takt:
            large += 1
        elif 2 * time == takt:
            half += 1
        if 3 * time > 2 * takt:
            sixths += 6
        elif 3 * time == 2 * takt:
            sixths += 4
        elif 3 * time > takt:
            sixths += 3
        else:
            sixths += 2
    return max(bound, large + (half + 1) // 2, (sixths + 5) // 6)


@njit(cache=True, nogil=True)
def _hash(bits: NDArray[np.uint64]) -> np.uint64:
    value = np.uint64(0x9E3779B97F4A7C15)
    for word in range(bits.shape[0]):
        value ^= bits[word]
        value *= np.uint64(0xBF58476D1CE4E5B9)
        value ^= value >> np.uint64(29)
    return value


@njit(cache=True, nogil=True)
def _rank(score: Floats, count: int) -> Integers:
    """Return the positions of the first ``count`` scores by rising score, equal ones by position (heap sort)."""
    heap = np.arange(count)
    for size in range(count, 1, -1):
        # The first pass builds the heap from its middle, the others let the swapped root sink.
        for root in range(size // 2 - 1 if size == count else 0, -1, -1):
            node = root
            while True:
                child = 2 * node + 1
                if child >= size:
                    break
                right = child + 1
                if right < size and (
                    score[heap[right]] > score[heap[child]]
                    or (score[heap[right]] == score[heap[child]] and heap[right] > heap[child])
                ):
                    child = right
                if score[heap[child]] < score[heap[node]] or (
                    score[heap[child]] == score[heap[node]] and heap[child] < heap[node]
                ):
                    break
                held = heap[node]
                heap[node] = heap[child]
                heap[child] = held
                node = child
        held = heap[0]
        heap[0] = heap[size - 1]
        heap[size - 1] = held
    return heap


@njit(cache=True, nogil=True)
def beam_search(
    times: Integers,
    takt: int,
    before_ptr: Integers,
    before_idx: Integers,
    after_ptr: Integers,
    after_idx: Integers,
    tail: Floats,
    by_time: Integers,
    by_tail: Integers,
    width: int,
    most_loads: int,
    most_nodes: int,
    upper: int,
    stations_out: Integers,
) -> tuple[int, int, int]:
    """Look for an assignment with fewer than ``upper`` stations, level by level, keeping ``width`` states a level.

    Every state is extended by maximal loads only, at most ``most_loads`` of them; states with the same tasks are
    kept once. A load that leaves out a task which could take the place of another with no more time and no further
    followers is passed over (Jackson dominance).

    Parameters
    ----------
    times
        (n,) int64 task times; ``takt`` is in the same unit, none longer than it.
    tail
        (n,) float64 positional weights: the order in which loads are filled; no follower has a larger one.
    by_time, by_tail
        (n,) int64 the tasks by falling time and by falling tail.
    stations_out
        (n,) int64 result, stations from 0, written if an assignment was found.

    Returns
    -------
    tuple
        Stations found (or ``upper``), nodes, and why it ended: ``COMPLETE`` means that nothing was cut, so that no
        assignment with fewer stations than found exists.
    """
    n = times.shape[0]
    words = (n + 63) // 64
    total = times.sum()
    # Jackson dominance: candidate[i, j] true if i can stand in for j: at least its time, and all its followers.
    follows = np.zeros((n, words), np.uint64)
    for index in range(n):
        task = n - 1 - index
        for arc in range(after_ptr[task], after_ptr[task + 1]):
            later = after_idx[arc]
            for word in range(words):
                follows[task, word] |= follows[later, word]
            follows[task, later >> 6] |= np.uint64(1) << np.uint64(later & 63)
    beats = np.zeros((n, n), np.bool_)
    for i in range(n):
        for j in range(n):
            if i == j or times[i] < times[j] or _has(follows[i], j) or _has(follows[j], i):
                continue
            covers = True
            for word in range(words):
                if follows[j, word] & ~follows[i, word] != 0:
                    covers = False
                    break
            if covers:
                same = times[i] == times[j]
                if same:
                    for word in range(words):
                        if follows[j, word] != follows[i, word]:
                            same = False
                            break
                beats[i, j] = not same or i < j
    status = COMPLETE
    nodes = 0
    table_size = 4
    while table_size < 8 * width:
        table_size *= 2
    history = np.zeros((upper + 1, width, words), np.uint64)
    parent = np.zeros((upper + 1, width), np.int64)
    sizes = np.zeros(upper + 1, np.int64)
    sizes[0] = 1
    pool = 2 * width
    pool_bits = np.zeros((pool, words), np.uint64)
    pool_parent = np.zeros(pool, np.int64)
    pool_score = np.zeros(pool)
    spare_bits = np.zeros((width, words), np.uint64)
    spare_parent = np.zeros(width, np.int64)
    spare_score = np.zeros(width)
    table = np.full(table_size, -1, np.int64)
    load = np.zeros(n, np.int64)
    stack_position = np.zeros(n + 1, np.int64)
    current = np.zeros(words, np.uint64)
    missing = np.zeros(n, np.int64)
    for level in range(upper - 1):
        # States after ``level`` stations become states after ``level + 1``.
        filled = 0
        table[:] = -1
        for origin in range(sizes[level]):
            for word in range(words):
                current[word] = history[level, origin, word]
            done_time = np.int64(0)
            for task in range(n):
                missing[task] = before_ptr[task + 1] - before_ptr[task]
            for task in range(n):
                if _has(current, task):
                    done_time += times[task]
                    for arc in range(after_ptr[task], after_ptr[task + 1]):
                        missing[after_idx[arc]] -= 1
            loads = 0
            depth = 0
            left = takt
            stack_position[0] = 0
            going = True
            while going:
                nodes += 1
                # Extend the load by the next candidate in tail order that is free and fits.
                chosen = -1
                position = stack_position[depth]
                while position < n:
                    task = by_tail[position]
                    if times[task] <= left and missing[task] == 0 and not _has(current, task):
                        chosen = task
                        break
                    position += 1
                if chosen >= 0:
                    stack_position[depth] = position + 1
                    load[depth] = chosen
                    _flip(current, chosen)
                    left -= times[chosen]
                    for arc in range(after_ptr[chosen], after_ptr[chosen + 1]):
                        missing[after_idx[arc]] -= 1
                    depth += 1
                    # Followers have smaller tails: what this task frees stands behind it.
                    stack_position[depth] = position + 1
                    continue
                # No further extension: keep the load if it is maximal and not dominated.
                keep = depth > 0
                if keep:
                    for task in range(n):
                        if missing[task] == 0 and not _has(current, task):
                            if times[task] <= left:
                                keep = False
                                break
                            for index in range(depth):
                                other = load[index]
                                if beats[task, other] and times[task] - times[other] <= left:
                                    # Another task of the load must not need ``other``.
                                    needed = False
                                    for inner in range(depth):
                                        if _has(follows[other], load[inner]):
                                            needed = True
                                            break
                                    if not needed:
                                        keep = False
                                        break
                            if not keep:
                                break
                if keep:
                    loads += 1
                    load_time = takt - left
                    remaining = total - done_time - load_time
                    if remaining == 0:
                        for task in range(n):
                            stations_out[task] = level + 1
                        for index in range(depth):
                            stations_out[load[index]] = level
                        state = origin
                        for back in range(level, 0, -1):
                            for task in range(n):
                                if _has(history[back, state], task):
                                    stations_out[task] = back - 1
                            state = parent[back, state]
                        return level + 1, nodes, COMPLETE
                    bound = level + 1 + _stations_bound(current, times, takt, by_time, remaining)
                    if bound < upper:
                        slot = np.int64(_hash(current) & np.uint64(table_size - 1))
                        known = False
                        while table[slot] >= 0:
                            same = True
                            for word in range(words):
                                if pool_bits[table[slot], word] != current[word]:
                                    same = False
                                    break
                            if same:
                                known = True
                                break
                            slot = (slot + 1) & (table_size - 1)
                        if not known:
                            if filled == pool:
                                # Cut to the better half.
                                status = BEAM_FULL
                                ranking = _rank(pool_score, filled)
                                filled = width
                                for index in range(width):
                                    for word in range(words):
                                        spare_bits[index, word] = pool_bits[ranking[index], word]
                                    spare_parent[index] = pool_parent[ranking[index]]
                                    spare_score[index] = pool_score[ranking[index]]
                                table[:] = -1
                                for index in range(filled):
                                    for word in range(words):
                                        pool_bits[index, word] = spare_bits[index, word]
                                    pool_parent[index] = spare_parent[index]
                                    pool_score[index] = spare_score[index]
                                    place = np.int64(_hash(spare_bits[index]) & np.uint64(table_size - 1))
                                    while table[place] >= 0:
                                        place = (place + 1) & (table_size - 1)
                                    table[place] = index
                                slot = np.int64(_hash(current) & np.uint64(table_size - 1))
                                while table[slot] >= 0:
                                    slot = (slot + 1) & (table_size - 1)
                            for word in range(words):
                                pool_bits[filled, word] = current[word]
                            pool_parent[filled] = origin
                            # Little idle time so far, and little positional weight left for later stations.
                            weight = 0.0
                            for task in range(n):
                                if not _has(current, task):
                                    weight += tail[task]
                            pool_score[filled] = remaining + 1e-3 * weight / n
                            table[slot] = filled
                            filled += 1
                    if loads >= most_loads:
                        if depth > 0:
                            status = BEAM_FULL
                        going = False
                if nodes >= most_nodes:
                    status = OUT_OF_NODES
                    going = False
                # Step back.
                if depth == 0:
                    going = False
                else:
                    depth -= 1
                    task = load[depth]
                    _flip(current, task)
                    left += times[task]
                    for arc in range(after_ptr[task], after_ptr[task + 1]):
                        missing[after_idx[arc]] += 1
            if status == OUT_OF_NODES:
                break
        if filled > width:
            status = max(status, BEAM_FULL)
            ranking = _rank(pool_score, filled)
            filled = width
        else:
            ranking = _rank(pool_score, filled)
        for index in range(filled):
            for word in range(words):
                history[level + 1, index, word] = pool_bits[ranking[index], word]
            parent[level + 1, index] = pool_parent[ranking[index]]
        sizes[level + 1] = filled
        if filled == 0 or status == OUT_OF_NODES:
            break
    return upper, nodes, status
