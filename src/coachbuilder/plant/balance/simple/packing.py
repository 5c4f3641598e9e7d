"""Bin packing's bounds by weight: they leave precedence aside, and hold for every part of the tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.balance.simple.graphs import bits_of

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

MOST_PARTS = 40
"""Parts of a station that times are rounded to."""
MOST_COMPOSED = 8
"""Functions that others are put behind."""
MOST_CHOSEN = 2
"""Functions kept of those that bound a part of the tasks best."""
SCALE = 1_000_000
"""Price of a full station; prices are whole so that bounds are exact."""
TOLERANCE = 20
"""Price above that of a full station at which a load is no news: rounding of its tasks' prices."""
MOST_LOADS = 20_000
ROWS = 40
MORE_ROUNDS = 11
LEFT_OUT = 0.3
"""Loads in the linear programme, and those added in a round, from several looks with this share of tasks left out."""
MOST_NODES = 2_000_000
"""Work after which the dearest load is not looked for any further."""
SHORTEST = 1e-3
"""Stands for the time of a task that takes none."""


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
    steps = np.unique(
        np.concatenate([times, takt - times, takt // np.arange(2, MOST_PARTS), takt // np.arange(2, MOST_PARTS) + 1])
    )
    steps = steps[(steps >= 1) & (2 * steps <= takt)]
    parts = np.arange(1, MOST_PARTS)
    rounded, full = _rounded(times, takt, steps)
    families = [_large(times, takt, steps), _in_parts(times, takt, parts), (rounded, full)]
    for place in np.argsort(-(rounded.sum(axis=0) / full))[:MOST_COMPOSED]:
        families.append(_in_parts(rounded[:, place], int(full[place]), parts))
        families.append(_large(rounded[:, place], int(full[place]), np.unique(rounded[:, place])))
    return np.concatenate([w for w, _ in families], axis=1), np.concatenate([c for _, c in families])


def chosen_weights(times: Integers, takt: int, follows: Flags) -> tuple[Integers, Integers]:
    """Return the dual feasible functions that bound best all tasks, and those left at several points of the line.

    Parameters
    ----------
    times
        Task times, shape (n,).
    takt
        Cycle time.
    follows
        Closure of the precedence graph, shape (n, n).

    Returns
    -------
    tuple
        Weights, shape (n, K), and capacities, shape (K,).
    """
    weight, full = dual_feasible_weights(times, takt)
    chosen: dict[bytes, int] = {}
    for rows in _parts_of(times, follows):
        value = weight[rows].sum(axis=0) / full
        for place in np.argsort(-value, kind="stable")[:MOST_CHOSEN].tolist():
            chosen.setdefault(weight[:, place].tobytes() + full[place].tobytes(), place)
    places = list(chosen.values())
    return np.ascontiguousarray(weight[:, places]), full[places]


def _parts_of(times: Integers, follows: Flags) -> Iterator[Integers]:
    """Yield all tasks, and the last and first of the line by quarters."""
    head = times + follows.T @ times
    tail = times + follows @ times
    order = np.argsort(head / np.maximum(head + tail, 1), kind="stable")
    yield order
    for quarter in (1, 2, 3):
        cut = quarter * len(times) // 4
        if 0 < cut < len(times):
            yield order[cut:]
            yield order[:cut]


def _large(times: Integers, takt: int, steps: Integers) -> tuple[Integers, Integers]:
    """Tasks below a step count nothing, those that leave less than it count as a station."""
    size, step = times[:, None], steps[None, :]
    step_ok = 2 * step <= takt
    return np.where((size > takt - step) & step_ok, takt, np.where((size < step) & step_ok, 0, size)), np.full(
        len(steps), takt
    )


def _in_parts(times: Integers, takt: int, parts: Integers) -> tuple[Integers, Integers]:
    """Round times down to k-ths of a station where k + 1 of them are more than one (Fekete and Schepers)."""
    size, part = times[:, None], parts[None, :]
    many = (part + 1) * size
    return np.where(many % takt == 0, size * part, many // takt * takt), parts * takt


def _rounded(times: Integers, takt: int, steps: Integers) -> tuple[Integers, Integers]:
    """Small tasks rounded down and large ones up to a step (Carlier, Clautiaux and Moukrim)."""
    size, step = times[:, None], steps[None, :]
    full = takt // steps
    weight = np.where(
        2 * size > takt,
        2 * (full[None, :] - (takt - size) // step),
        np.where(2 * size == takt, full[None, :], 2 * (size // step)),
    )
    return weight, 2 * full


def must_be_apart(times: Integers, takt: int, follows: Flags, first: Integers, last: Integers) -> Flags:
    """Return which tasks cannot share a station, shape (n, n).

    They are too long together, with all tasks between them; or the one's first station lies behind the other's last.

    Parameters
    ----------
    times
        Task times, shape (n,).
    takt
        Cycle time.
    follows
        Closure of the precedence graph, shape (n, n).
    first, last
        First and last station of each task, shape (n,).
    """
    # Times are whole and far below 2**53: the sums are exact.
    between = (follows * times).astype(np.float64) @ follows.astype(np.float64)
    together = times[:, None] + times[None, :] + np.where(follows, between, 0.0)
    apart = (together > takt) | (first[:, None] > last[None, :])
    apart |= apart.T
    np.fill_diagonal(apart, val=False)
    return apart


def load_prices(times: Integers, takt: int, apart: Flags, left_s: Callable[[], float]) -> tuple[Integers, int] | None:
    """Return weights of the tasks, and the largest weight of a station's load.

    The dual prices of the loads in the linear relaxation of packing tasks into stations, by column generation (Gilmore
    and Gomory 1961), pairs that cannot share a station kept apart. The sum of the weights of any tasks over the largest
    weight of a load is a bound on their stations. Weights are rounded to whole numbers, and the largest load is found
    for these by branch and bound, so that the bound holds whatever the accuracy of the linear programme.

    Parameters
    ----------
    times
        Task times, shape (n,).
    takt
        Cycle time.
    apart
        Tasks that cannot share a station, shape (n, n).
    left_s
        Tells the seconds left.

    Returns
    -------
    tuple or None
        Weights, shape (n,), and their largest sum in a station; None where pricing the loads is too much work.

    Examples
    --------
    >>> times = np.array([6, 6, 6, 4, 4])
    >>> weight, capacity = load_prices(times, 10, np.zeros((5, 5), dtype=bool), lambda: 60.0)
    >>> -(-int(weight.sum()) // capacity)
    3
    """
    from scipy.optimize import linprog

    n = len(times)
    random = np.random.default_rng(n)
    known: dict[tuple[int, ...], None] = {(task,): None for task in range(n)}
    while len(known) < MOST_LOADS and left_s() > 0.0:
        rows = np.zeros((len(known), n))
        for row, load in enumerate(known):
            rows[row, load] = 1.0
        solved = linprog(-np.ones(n), A_ub=rows, b_ub=np.ones(len(rows)), bounds=(0.0, None), method="highs")
        if solved.x is None:
            return None
        weight = np.floor(SCALE * np.maximum(solved.x, 0.0) + 0.5).astype(np.int64)
        dearest, loads, exact = _dear_loads(times, weight, apart, takt)
        if not exact:
            return None
        before = len(known)
        known.update(dict.fromkeys(loads))
        if len(known) == before:
            return weight, dearest
        for _ in range(MORE_ROUNDS):
            # More loads for the next linear programme: those dear without some of the tasks.
            some = np.where(random.random(n) < LEFT_OUT, 0, weight)
            known.update(dict.fromkeys(_dear_loads(times, some, apart, takt)[1]))
    return None


def _dear_loads(times: Integers, weight: Integers, apart: Flags, takt: int) -> tuple[int, list[tuple[int, ...]], bool]:
    """Return what no load weighs more than, loads that weigh more than a station should, and whether that is proven."""
    from coachbuilder.plant.balance.simple import kernels

    order = np.argsort(-weight / np.maximum(times, SHORTEST), kind="stable")
    found = np.full((ROWS, len(times)), -1, dtype=np.int32)
    dearest, count, exact = kernels.best_load(
        times[order], weight[order], bits_of(apart[np.ix_(order, order)]), takt, SCALE + TOLERANCE, MOST_NODES, found
    )
    loads = [tuple(sorted(order[row[row >= 0]].tolist())) for row in found[: min(count, ROWS)]]
    return max(dearest, SCALE + TOLERANCE), loads, exact


__all__ = ["chosen_weights", "dual_feasible_weights", "load_prices", "must_be_apart"]
