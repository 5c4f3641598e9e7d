"""From tasks and precedence to the arrays of the kernels: dominance, tails, bounds by weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from coachbuilder.plant.balance.simple.kernels import Graph

Integers = NDArray[np.int64]
Closure = NDArray[np.bool_]


def closure_of(before: Sequence[Sequence[int]], order: Sequence[int]) -> Closure:
    """Return for each pair whether the second task follows the first, directly or not, shape (n, n).

    Parameters
    ----------
    before
        Direct predecessors of each task.
    order
        The tasks, each behind its predecessors.
    """
    n = len(before)
    follows = np.zeros((n, n), dtype=np.bool_)
    for task in reversed(order):
        for earlier in before[task]:
            follows[earlier] |= follows[task]
            follows[earlier, task] = True
    return follows


def graph_of(
    times: Integers, follows: Closure, takt: int, weight: Integers, capacity: Integers
) -> tuple[Graph, Integers]:
    """Return the kernels' arrays, and the tasks in the order in which they are numbered there.

    Parameters
    ----------
    times
        Task times, shape (n,).
    follows
        Closure of the precedence graph, shape (n, n).
    takt
        Cycle time.
    weight, capacity
        Bounds by weight, shapes (n, K) and (K,).
    """
    from coachbuilder.plant.balance.simple.kernels import Graph

    work = times + follows @ times
    order = np.lexsort((np.arange(len(times)), -work, -times))
    times, follows, work, weight = times[order], follows[np.ix_(order, order)], work[order], weight[order]
    direct = _direct(follows)
    after_ptr, after_idx = _packed(direct)
    beats = _beats(times, follows)
    twins_ptr, twins_idx = _packed((beats & (times[:, None] == times[None, :])).T)
    tail = _tails(times, follows, takt, weight, capacity)
    graph = Graph(
        times=times,
        work=work,
        waiting=direct.sum(axis=0).astype(np.int32),
        after_ptr=after_ptr,
        after_idx=after_idx,
        zobrist=np.random.default_rng(20_120_421).integers(0, 2**64, len(times), dtype=np.uint64),
        beats=bits_of(beats),
        twins_ptr=twins_ptr,
        twins_idx=twins_idx,
        weight=np.ascontiguousarray(weight),
        capacity=capacity,
        tail=tail,
        by_tail=np.argsort(-tail, kind="stable").astype(np.int32),
    )
    return graph, order


def simple_weights(times: Integers, takt: int) -> tuple[Integers, Integers]:
    """Return the weights of the bounds LM1 to LM3 of Scholl (1999), and what a station's load weighs at most.

    By time; large tasks, of which two do not fit together; thirds, counted in sixths of a station.

    Examples
    --------
    >>> weight, capacity = simple_weights(np.array([6, 5, 4]), 10)
    >>> weight.T.tolist(), capacity.tolist()
    ([[6, 5, 4], [2, 1, 0], [3, 3, 3]], [10, 2, 6])
    """
    half = np.where(2 * times > takt, 2, np.where(2 * times == takt, 1, 0))
    thirds = np.select(
        [3 * times > 2 * takt, 3 * times == 2 * takt, 3 * times > takt, 3 * times == takt], [6, 4, 3, 2], 0
    )
    return np.stack([times, half, thirds], axis=1).astype(np.int64), np.array([takt, 2, 6], dtype=np.int64)


def bits_of(rows: Closure) -> NDArray[np.uint64]:
    """Return rows of booleans as bit sets, shape (rows, words)."""
    count, n = rows.shape
    words = max(1, -(-n // 64))
    padded = np.zeros((count, words * 64), dtype=np.bool_)
    padded[:, :n] = rows
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64).reshape(count, words)


def _direct(follows: Closure) -> Closure:
    """Return the arcs that no path of two or more arcs makes needless."""
    longer = (follows.astype(np.float32) @ follows.astype(np.float32)) > 0.5
    return np.logical_and(follows, ~longer)


def _beats(times: Integers, follows: Closure) -> Closure:
    """Return which task may stand in for which (Jackson dominance as strengthened by Scholl and Klein 1997)."""
    number = np.arange(len(times))
    # Followers of the second that the first lacks.
    lacking = follows.astype(np.float32) @ (~follows).T.astype(np.float32)
    covers = lacking.T < 0.5
    same = covers & covers.T & (times[:, None] == times[None, :])
    longer = times[:, None] >= times[None, :]
    apart = ~(follows | follows.T)
    np.fill_diagonal(apart, val=False)
    beats: Closure = longer & covers & apart & (~same | (number[:, None] < number[None, :]))
    return beats


def _tails(times: Integers, follows: Closure, takt: int, weight: Integers, capacity: Integers) -> Integers:
    """Return the stations at least from that of each task to the last.

    The one-machine bound LM4 of Scholl (1999), and the bounds by weight of a task with all its followers.
    """
    together = weight + follows.astype(np.int64) @ weight
    least: Integers = (-(-together // capacity)).max(axis=1)
    behind = np.zeros(len(times), dtype=np.int64)
    for task in np.argsort(follows.sum(axis=1), kind="stable"):
        later = np.flatnonzero(follows[task])
        if len(later):
            later = later[np.argsort(-behind[later], kind="stable")]
            behind[task] = int((np.cumsum(times[later]) + behind[later]).max())
        with_it = -(-(behind[task] + times[task]) // takt)
        if with_it > -(-behind[task] // takt):
            # The task does not fit into the station of the first of its followers.
            behind[task] = -(-behind[task] // takt) * takt
        least[task] = max(least[task], with_it)
    return least


def _packed(rows: Closure) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    pointer = np.zeros(len(rows) + 1, dtype=np.int32)
    pointer[1:] = np.cumsum(rows.sum(axis=1))
    return pointer, np.nonzero(rows)[1].astype(np.int32)
