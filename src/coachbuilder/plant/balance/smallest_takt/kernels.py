"""Compiled core of the smallest takt: annealing of an assignment to a fixed number of stations."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@njit(cache=True, nogil=True)
def _draw(state: NDArray[np.uint64], below: int) -> int:
    """Return a whole number from 0 to ``below`` - 1 (xorshift, Marsaglia 2003)."""
    value = state[0]
    value ^= value << np.uint64(13)
    value ^= value >> np.uint64(7)
    value ^= value << np.uint64(17)
    state[0] = value
    return int((value >> np.uint64(33)) % np.uint64(below))


@njit(cache=True, nogil=True)
def _earliest(task: int, station: Integers, before_ptr: Integers, before_idx: Integers) -> int:
    found = 0
    for arc in range(before_ptr[task], before_ptr[task + 1]):
        found = max(found, station[before_idx[arc]])
    return found


@njit(cache=True, nogil=True)
def _latest(task: int, station: Integers, after_ptr: Integers, after_idx: Integers, last: int) -> int:
    found = last
    for arc in range(after_ptr[task], after_ptr[task + 1]):
        found = min(found, station[after_idx[arc]])
    return found


@njit(cache=True, nogil=True)
def anneal(
    times: Integers,
    before_ptr: Integers,
    before_idx: Integers,
    after_ptr: Integers,
    after_idx: Integers,
    related: Flags,
    stations: int,
    station: Integers,
    takt: int,
    hot: float,
    cold: float,
    moves: int,
    random_state: NDArray[np.uint64],
    best: Integers,
) -> tuple[int, int]:
    """Move and swap tasks between stations until no load exceeds ``takt`` or ``moves`` are spent.

    The work above takt, summed over the stations, is what simulated annealing lowers, at a temperature that falls
    from ``hot`` to ``cold`` by a constant factor. A task may go to any station from its last predecessor's to its
    first successor's, alone or in exchange for one of that station's tasks.

    Parameters
    ----------
    times
        (n,) int64 task times.
    before_ptr, before_idx, after_ptr, after_idx
        Direct predecessors and successors, compressed rows.
    related
        (n, n) bool, true if one of the two tasks comes before the other, directly or not.
    station
        (n,) int64 stations from 0, a feasible assignment; the last one visited on return.
    hot, cold
        Temperatures in units of time, above 0.
    random_state
        (1,) uint64, not 0.
    best
        (n,) int64 result: the assignment with the least work above takt.

    Returns
    -------
    tuple
        Largest load of ``best``, and moves tried.
    """
    n = times.shape[0]
    load = np.zeros(stations, np.int64)
    member = np.zeros((stations, n), np.int64)
    count = np.zeros(stations, np.int64)
    position = np.zeros(n, np.int64)
    for task in range(n):
        at = station[task]
        load[at] += times[task]
        position[task] = count[at]
        member[at, count[at]] = task
        count[at] += 1
    excess = 0
    for at in range(stations):
        excess += max(0, load[at] - takt)
    best[:] = station
    best_excess = excess
    temperature = hot
    cooling_every = 1000
    factor = (cold / hot) ** (cooling_every / max(moves, cooling_every))
    scale = 1.0 / 2.0**31
    tried = 0
    while tried < moves and best_excess > 0:
        tried += 1
        if tried % cooling_every == 0:
            temperature *= factor
        task = _draw(random_state, n)
        home = station[task]
        low = _earliest(task, station, before_ptr, before_idx)
        high = _latest(task, station, after_ptr, after_idx, stations - 1)
        if low == high:
            continue
        to = low + _draw(random_state, high - low)
        if to >= home:
            to += 1
        time = times[task]
        other = -1
        back = 0
        if count[to] > 0 and _draw(random_state, 3) > 0:
            other = member[to, _draw(random_state, count[to])]
            back = times[other]
            if back == time or related[task, other]:
                continue
            if (
                _earliest(other, station, before_ptr, before_idx) > home
                or _latest(other, station, after_ptr, after_idx, stations - 1) < home
            ):
                continue
        given = load[home] - time + back
        taken = load[to] + time - back
        change = max(0, given - takt) + max(0, taken - takt) - max(0, load[home] - takt) - max(0, load[to] - takt)
        if change > 0 and (_draw(random_state, 2**31) + 1) * scale > math.exp(-change / temperature):
            continue
        load[home] = given
        load[to] = taken
        excess += change
        place = position[task]
        if other >= 0:
            member[home, place] = other
            member[to, position[other]] = task
            position[task] = position[other]
            position[other] = place
            station[other] = home
        else:
            count[home] -= 1
            moved = member[home, count[home]]
            member[home, place] = moved
            position[moved] = place
            position[task] = count[to]
            member[to, count[to]] = task
            count[to] += 1
        station[task] = to
        if excess < best_excess:
            best_excess = excess
            best[:] = station
    load[:] = 0
    for task in range(n):
        load[best[task]] += times[task]
    return load.max(), tried
