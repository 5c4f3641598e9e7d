"""Bin packing's bounds by weight: they leave precedence aside, and hold for every part of the tasks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

SCALE = 1_000_000
"""Weight of a full station before rounding: weights are whole so that bounds are exact."""
MOST_CAPACITY = 40_000
"""Cycle time up to which loads are priced, by dynamic programming over the time of a station."""
PRICING_ENDS = 1e-7
MOST_PARTS = 40
LOADS_A_ROUND = 10
MOST_CHOSEN = 2
FIRST_LOADS_A_SIZE = 3
MOST_COMPOSED = 8


def dual_feasible_weights(times: Integers, takt: int) -> tuple[Integers, Integers]:
    """Return weights of the tasks by many dual feasible functions, and the weight of a full station.

    A function whose values over any load sum to at most that of a full station gives a bound by weight: those of
    Martello and Toth, of Fekete and Schepers (u and U), and of Carlier, Clautiaux and Moukrim (f_CCM,1), and the
    second kinds after the last (Clautiaux, Alves, Valerio de Carvalho, European J. Ind. Eng. 4 (2010) 317-342).

    Parameters
    ----------
    times
        Task times, shape (n,).
    takt
        Cycle time.

    Returns
    -------
    tuple
        Weights, shape (n, K), and capacities, shape (K,).

    Examples
    --------
    >>> weight, capacity = dual_feasible_weights(np.array([6, 6, 6, 4, 4]), 10)
    >>> int((-(-weight.sum(axis=0) // capacity)).max())
    3
    """
    steps = np.unique(np.concatenate([times, takt - times, takt // np.arange(2, MOST_PARTS), takt // np.arange(2, MOST_PARTS) + 1]))
    steps = steps[(steps >= 1) & (2 * steps <= takt)]
    parts = np.arange(1, MOST_PARTS)
    rounded, full = _rounded(times, takt, steps)
    families = [_large(times, takt, steps), _in_parts(times, takt, parts), (rounded, full)]
    for place in np.argsort(-(rounded.sum(axis=0) / full))[:MOST_COMPOSED]:
        families.append(_in_parts(rounded[:, place], int(full[place]), parts))
        families.append(_large(rounded[:, place], int(full[place]), np.unique(rounded[:, place])))
    return np.concatenate([w for w, _ in families], axis=1), np.concatenate([c for _, c in families])


def chosen_weights(times, takt, follows, order):
    """Return the dual feasible functions that bound best all tasks, and the tasks left at several points of the line."""
    weight, full = dual_feasible_weights(times, takt)
    chosen = []
    n = len(times)
    for rows in _parts_of(times, follows):
        value = weight[rows].sum(axis=0) / full
        for place in np.argsort(-value, kind="stable")[:MOST_CHOSEN]:
            if place not in chosen:
                chosen.append(int(place))
    weight, full = weight[:, chosen], full[chosen]
    both, first = np.unique(np.concatenate([weight, full[None, :]]).T, axis=0, return_index=True)
    keep = np.sort(first)
    return np.ascontiguousarray(weight[:, keep]), full[keep]


def _parts_of(times, follows):
    head = times + follows.T @ times
    tail = times + follows @ times
    rank = head / (head + tail)
    for share in (0.0, 0.25, 0.5, 0.75):
        yield np.argsort(rank, kind="stable")[int(share * len(times)):]
        if share:
            yield np.argsort(-rank, kind="stable")[int(share * len(times)):]


def _large(times: Integers, takt: int, steps: Integers) -> tuple[Integers, Integers]:
    """Tasks below a step count nothing, those that leave less than it count as a station."""
    size, step = times[:, None], steps[None, :]
    step_ok = 2 * step <= takt
    return np.where((size > takt - step) & step_ok, takt, np.where((size < step) & step_ok, 0, size)), np.full(len(steps), takt)


def _in_parts(times: Integers, takt: int, parts: Integers) -> tuple[Integers, Integers]:
    """Times rounded down to k-ths of a station where k + 1 of them are more than one (Fekete and Schepers)."""
    size, part = times[:, None], parts[None, :]
    many = (part + 1) * size
    return np.where(many % takt == 0, size * part, many // takt * takt), parts * takt


def _rounded(times: Integers, takt: int, steps: Integers) -> tuple[Integers, Integers]:
    """Small tasks rounded down and large ones up to a step (Carlier, Clautiaux and Moukrim)."""
    size, step = times[:, None], steps[None, :]
    full = takt // steps
    weight = np.where(
        2 * size > takt, 2 * (full[None, :] - (takt - size) // step), np.where(2 * size == takt, full[None, :], 2 * (size // step))
    )
    return weight, 2 * full


def packing_weights(times: Integers, takt: int, most_columns: int = 4_000) -> tuple[Integers, int] | None:
    """Return weights of the tasks, and the largest weight of a station's load.

    The dual prices of the stations' loads in the linear relaxation of Gilmore and Gomory (1961), precedence left
    aside: the sum of the weights of any tasks over the largest weight of a load is a bound on their stations. The
    weights are rounded down to whole numbers and the largest load is found for these exactly, so that the bound holds
    whatever the accuracy of the linear programme.

    Parameters
    ----------
    times
        Task times, shape (n,).
    takt
        Cycle time.
    most_columns
        Loads after which the pricing ends; the weights are valid all the same.

    Returns
    -------
    tuple or None
        Weights, shape (n,), and their largest sum in a station; None where the takt is too large to price loads.

    Examples
    --------
    >>> weight, capacity = packing_weights(np.array([6, 6, 6, 4, 4]), 10)
    >>> -(-int(weight.sum()) // capacity)
    3
    """
    if takt > MOST_CAPACITY or not (times > 0).any():
        return None
    from scipy.optimize import linprog

    sizes, kind, demand = np.unique(times, return_inverse=True, return_counts=True)
    random = np.random.default_rng(len(times))
    columns = _greedy_loads(sizes, demand, takt, random)
    prices = np.zeros(len(sizes))
    while len(columns) < most_columns:
        loads = np.array(list(columns), dtype=np.float64)
        costs = -demand.astype(np.float64)
        solved = linprog(costs, A_ub=loads, b_ub=np.ones(len(loads)), bounds=(0, None), method="highs")
        prices = np.maximum(solved.x, 0.0)
        value, counts = _best_load(prices, sizes, demand, takt)
        if value <= 1.0 + PRICING_ENDS:
            break
        columns[tuple(counts.tolist())] = None
        # More loads than one for each solution of the linear programme: the best without some of the sizes.
        for _ in range(LOADS_A_ROUND):
            without = prices * (random.random(len(sizes)) > 0.3)
            value, counts = _best_load(without, sizes, demand, takt)
            if value > 1.0 + PRICING_ENDS:
                columns[tuple(counts.tolist())] = None
    whole = np.floor(prices * SCALE).astype(np.int64)
    capacity, _ = _best_load(whole, sizes, demand, takt)
    return whole[kind], max(1, int(capacity))


def _greedy_loads(sizes, demand, takt, random):
    """Return loads filled at random with each size in turn as the first, as keys."""
    columns = {}
    for place in range(len(sizes)):
        for _ in range(FIRST_LOADS_A_SIZE):
            counts = np.zeros(len(sizes), dtype=np.int64)
            counts[place], left = 1, takt - int(sizes[place])
            for other in random.permutation(len(sizes)):
                more = min(int(demand[other] - counts[other]), left // max(int(sizes[other]), 1))
                counts[other] += more
                left -= more * int(sizes[other])
            columns[tuple(counts.tolist())] = None
    return columns


def _best_load(prices, sizes, demand, takt):
    """Return the largest price of a load and its numbers of tasks of each size: bounded knapsack, sizes split in twos."""
    best = np.zeros(takt + 1, dtype=prices.dtype)
    taken = []
    for place in np.flatnonzero(prices > 0):
        size = int(sizes[place])
        left = min(int(demand[place]), takt // max(size, 1))
        part = 1
        while left > 0:
            count = min(part, left)
            left -= count
            part *= 2
            weight = size * count
            with_it = np.full(takt + 1, -1, dtype=prices.dtype)
            with_it[weight:] = best[: takt + 1 - weight] + count * prices[place]
            better = with_it > best
            best = np.where(better, with_it, best)
            taken.append((place, count, weight, better))
    at = takt
    counts = np.zeros(len(sizes), dtype=np.int64)
    for place, count, weight, better in reversed(taken):
        if better[at]:
            counts[place] += count
            at -= weight
    return best[takt], counts
