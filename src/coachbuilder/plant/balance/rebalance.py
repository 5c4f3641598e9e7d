"""The trade-off between moved tasks and operators: the best line found for each number of moves allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.balance.interface import TradeOff

Integers = NDArray[np.int64]
MOVES_FIRST = 1e3
"""Operators that a moved task is worth where the fewest moves are looked for."""
MOVES_LAST = 1e-3
"""The same where operators come first."""
POINTS = 8
"""Points of the curve, about."""
FIRST_SHARE = 0.25
"""Part of the evaluations spent on finding the fewest moves."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Station and operators of each task, and the order in which tasks begin."""

    station: Integers
    lead: Integers
    helper: Integers
    order: Integers

    @property
    def complete(self) -> bool:
        """True if every task has a place."""
        return bool((self.station >= 0).all())


Improve = Callable[[int, Any, Assignment], Assignment]
"""From a number of evaluations, a line of the kernels and a start to the best assignment found."""


def candidates(line: Any, today: Assignment, found: Assignment, improve: Improve, evaluations: int) -> list[Assignment]:
    """Return complete assignments from the fewest moves found to as many moves as ``found`` has.

    The first is the end of a search for the fewest moves, which starts from today's line. Each further one starts from
    the one before and may move up to the next number of 5, 10, 20, 50, 100 ... tasks; operators come first then.

    Parameters
    ----------
    line
        Line of the kernels.
    today
        Today's line as far as it can stay, completed where something has to move.
    found
        What the main search found.
    improve
        The search.
    evaluations
        Changes to look at in all.
    """
    start = today if today.complete else found
    fewest = improve(int(evaluations * FIRST_SHARE), line._replace(move_weight=MOVES_FIRST), start)
    if not fewest.complete:
        return [found] if found.complete else []
    pool = [fewest]
    most = min(max(moved(line, each) for each in (found, today)), line.move_budget)
    least = moved(line, fewest)
    budgets = [budget for budget in _budgets(least, max(least, most)) if budget > least]
    share = int(evaluations * (1.0 - FIRST_SHARE)) // max(1, len(budgets))
    for budget in budgets:
        relaxed = line._replace(move_weight=MOVES_LAST, move_budget=budget)
        pool.append(improve(share, relaxed, pool[-1]))
    if found.complete:
        pool.append(found)
    return [each for each in pool if each.complete]


def curve(line: Any, pool: Sequence[Assignment], seconds: NDArray[np.float64]) -> tuple[TradeOff, ...]:
    """Return the best of ``pool`` for each number of moves allowed, up to the moves of its best line.

    Parameters
    ----------
    line
        Line of the kernels.
    pool
        Complete assignments.
    seconds
        (n,) average duration of each task over the resident mix.
    """
    points = sorted(_point(line, each, seconds) for each in pool)
    if not points:
        return ()
    answer: list[TradeOff] = []
    for budget in _budgets(min(point[2] for point in points), points[0][2]):
        operators, stations, moves, moved_s = next(point for point in points if point[2] <= budget)
        answer.append(TradeOff(budget, moves, moved_s, operators, stations))
    return tuple(answer)


def moved(line: Any, assignment: Assignment) -> int:
    """Return the tasks that are away from home."""
    return int(_away(line, assignment).sum())


def _away(line: Any, assignment: Assignment) -> NDArray[np.bool_]:
    away: NDArray[np.bool_] = (line.home >= 0) & (assignment.station >= 0) & (line.home != assignment.station)
    return away


def _point(line: Any, assignment: Assignment, seconds: NDArray[np.float64]) -> tuple[int, int, int, float]:
    """Return operators, stations in use, moved tasks and their seconds."""
    crew: list[set[int]] = [set() for _ in line.lanes]
    for station, lead, helper in zip(assignment.station, assignment.lead, assignment.helper, strict=True):
        crew[station] |= {int(lead), int(helper)} - {-1}
    sizes = np.maximum([len(each) for each in crew], line.min_operators)
    away = _away(line, assignment)
    return int(sizes @ line.lanes), int((sizes > 0).sum()), int(away.sum()), float(seconds[away].sum())


def _budgets(fewest: int, most: int) -> list[int]:
    """Return numbers of moves from ``fewest`` to ``most``: 0, 5, 10, then in even steps, about POINTS in all."""
    step = next(size for size in _steps() if (most - fewest) / size <= POINTS)
    small = [number for number in (0, 5, 10) if fewest <= number < most]
    even = range(-(-fewest // step) * step, most, step)
    return sorted({fewest, *small, *even, most})


def _steps() -> Iterator[int]:
    """Yield 5, 10, 20, 50, 100 and so on."""
    power = 1
    while True:
        yield from (5 * power, 10 * power, 20 * power)
        power *= 10
