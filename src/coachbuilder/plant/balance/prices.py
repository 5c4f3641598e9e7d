"""What a task is worth in operators: a lower bound on the operators of a line, by column generation.

A *load* is a set of tasks that one operator may do at one station. At least as many operators are needed as loads that
cover every task (Gilmore and Gomory 1961, for cutting stock); its linear relaxation prices each task, and any prices at
which no load is worth more than the operators who carry it bound the line from below (Farley 1990).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

MOST_ROUNDS = 30
"""Linear programmes solved at most."""
MOST_NODES = 20_000
"""Loads looked at for one first task in one round; what lies beyond is bounded instead."""
PATIENCE = 11
"""Rounds after which there must not be more loads than are looked at: the bound would stay loose."""
SMOOTHING = 0.2
"""Part of the best prices so far in those for which loads are sought: duals of a young programme jump about."""
LEAST_GAIN = 0.003
"""Part of the bound that further rounds must be able to add."""
MOST_ITEMS = 900
"""Lines of more tasks are priced by time: programmes of that size would take longer than the search."""
_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class TaskPrices:
    """What tasks are worth."""

    worth: Floats
    """(n, 2) operators that a task is worth, for the first and the second who does it."""
    operators: float
    """Lower bound on the operators."""


@dataclass(frozen=True, slots=True)
class _Class:
    """Stations with equally many parallel lanes: what one operator may do there in one of them."""

    lanes: int
    fit: Flags
    """(items, items) which two tasks one operator may do at one of these stations."""
    alone: Flags
    """(items,) which may be done there at all."""


def task_prices(line: Any, most_rounds: int = MOST_ROUNDS) -> TaskPrices:
    """Price the tasks of a line.

    Two tasks are in one load only if some station may take both, an operator can stand where both can be reached, and
    what lies between them in the precedence graph leaves time for both; the load keeps takt in the mean and the peak on
    each model. What operators of one station do to each other is left out.

    Parameters
    ----------
    line
        Arrays of a line, see :class:`coachbuilder.plant.balance.kernels.Line`.
    most_rounds
        Linear programmes solved at most; 0 prices tasks by their time.
    """
    n = line.mean_s.shape[0]
    task = np.concatenate([np.arange(n), np.flatnonzero(line.crew == 2)])
    leads = np.arange(task.size) < n
    path_s = _longest_paths(line)
    classes = [_class(int(lanes), task, leads, path_s, line) for lanes in np.unique(line.lanes)]
    takt = float((line.limit_s / line.lanes)[0])
    worth, operators = _generate(classes, takt, task, line, most_rounds)
    table = np.zeros((n, 2))
    table[task[leads], 0] = worth[leads]
    table[task[~leads], 1] = worth[~leads]
    return TaskPrices(table, operators)


def _longest_paths(line: Any) -> Floats:
    """Return the longest way from the start of one task to the end of a later one, in s of the mix, -1 for none."""
    n = line.mean_s.shape[0]
    longest = np.full((n, n), -1.0)
    for later in range(n):
        arcs = line.before_idx[line.before_ptr[later] : line.before_ptr[later + 1]]
        if arcs.size:
            reached = longest[:, arcs].max(axis=1)
            longest[:, later] = np.where(reached >= 0.0, reached + line.mean_s[later], -1.0)
        longest[later, later] = line.mean_s[later]
    return longest


def _class(lanes: int, task: Integers, leads: Flags, path_s: Floats, line: Any) -> _Class:
    stations = np.arange(line.lanes.size)
    limit = float(line.limit_s[line.lanes == lanes][0])
    open_to = (
        line.allowed
        & (line.lanes == lanes)
        & (stations >= line.first[:, None])
        & (stations <= line.last[:, None])
        & (line.max_operators >= line.crew[:, None])
    )
    everywhere = np.bitwise_or.reduce(line.place_mask) if line.place_mask.size else 0
    # The second operator stands where there is room.
    reached = np.where(leads, line.reached_from[task], everywhere)
    fit = np.zeros((task.size, task.size), dtype=np.bool_)
    for mask in np.unique(line.place_mask):
        at = open_to[:, line.place_mask == mask].astype(np.float32)
        together = (at @ at.T) > 0.0
        fit |= together[np.ix_(task, task)] & (((reached[:, None] & reached[None, :]) & mask) != 0)
    alone = np.diagonal(fit) & (line.mean_s[task] <= limit + _SLACK)
    alone &= (line.time_s[task] <= limit * line.peak + _SLACK).all(axis=1)
    fit &= task[:, None] != task[None, :]
    size = line.mean_s[task]
    fit &= size[:, None] + size[None, :] <= limit + _SLACK
    for seconds in line.time_s[task].T:
        fit &= seconds[:, None] + seconds[None, :] <= limit * line.peak + _SLACK
    between = path_s[np.ix_(task, task)]
    fit &= np.maximum(between, between.T) <= limit + _SLACK
    return _Class(lanes, fit, alone)


def _generate(classes: list[_Class], takt: float, task: Integers, line: Any, most_rounds: int) -> tuple[Floats, float]:
    """Return the prices of the best bound, and the bound."""
    from coachbuilder.plant.balance import kernels

    size = line.mean_s[task]
    time_s = np.ascontiguousarray(line.time_s[task])
    # Work over takt is the first bound: no operator does more than takt.
    best_worth = size / takt
    best = float(best_worth.sum())
    columns: list[tuple[int, ...]] = []
    costs: list[int] = []
    for item in range(task.size):
        columns.append((item,))
        costs.append(min((group.lanes for group in classes if group.alone[item]), default=1))
    seen = set(zip(columns, costs, strict=True))
    exact = False
    worth = np.minimum(1.0, np.sqrt(size / takt) * 0.75)
    for round_number in range(most_rounds if task.size <= MOST_ITEMS else 0):
        dearest = dearest_found = 1.0
        fresh: list[tuple[tuple[int, ...], int]] = []
        for group in classes:
            order = np.argsort(-np.where(group.alone, worth, 0.0) / np.maximum(size, 1e-9), kind="stable")
            found = np.full((task.size, kernels.LARGEST_LOAD), -1, dtype=np.int64)
            limit = takt * group.lanes
            here = np.where(group.alone, worth, 0.0)
            top = kernels.dearest_loads(
                here, size, time_s, group.fit, order, limit, limit * line.peak, float(group.lanes), MOST_NODES, found
            )
            dearest = max(dearest, top / group.lanes)
            held = [float(worth[row[row >= 0]].sum()) for row in found if row[0] >= 0]
            dearest_found = max(dearest_found, max(held, default=0.0) / group.lanes)
            fresh += [
                (tuple(sorted(int(item) for item in row if item >= 0)), group.lanes) for row in found if row[0] >= 0
            ]
        bound = float(worth.sum()) / dearest
        if bound > best:
            best, best_worth = bound, worth / dearest
        if round_number >= PATIENCE and dearest > dearest_found + _SLACK:
            break
        added = [entry for entry in dict.fromkeys(fresh) if entry not in seen]
        for items, cost in added:
            seen.add((items, cost))
            columns.append(items)
            costs.append(cost)
        if exact and not added:
            break
        value, duals = _solve(columns, costs, task.size)
        if math.ceil(value - _SLACK) <= math.ceil(best - _SLACK) or value <= best * (1.0 + LEAST_GAIN):
            # Further rounds only lower the value: the whole number is settled, or what is left is not worth them.
            break
        exact = not added
        worth = duals if exact else SMOOTHING * best_worth + (1.0 - SMOOTHING) * duals
    return best_worth, best


def _solve(columns: list[tuple[int, ...]], costs: list[int], items: int) -> tuple[float, Floats]:
    """Return the value and the duals of covering all items at the least cost."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix

    row = np.fromiter((item for column in columns for item in column), dtype=np.int64)
    column = np.repeat(np.arange(len(columns)), [len(items) for items in columns])
    cover = csr_matrix((np.ones(row.size), (row, column)), shape=(items, len(columns)))
    answer = linprog(
        np.array(costs, dtype=np.float64), A_ub=-cover, b_ub=-np.ones(items), bounds=(0, None), method="highs-ipm"
    )
    return float(answer.fun), np.maximum(-np.asarray(answer.ineqlin.marginals), 0.0)
