"""From which share of guest cars on the line overloads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.load.interface import (
    Borders,
    Drift,
    GuestShareAnswer,
    GuestSharePoint,
    LineLoad,
)
from coachbuilder.plant.sequence.load.level import due_date_order
from coachbuilder.plant.sequence.load.overload import (
    TICKS_PER_S,
    Operators,
    Overload,
    lower_bound,
    operators_of,
    overload_of,
)
from coachbuilder.plant.sequence.load.search import load_arguments

STEPS = 20
"""Parts into which the shares from none to all are cut for the curve."""

EVALUATIONS = 5000
"""Changes that the search looks at for each share."""


@dataclass(frozen=True, slots=True)
class GuestShares:
    """The curve, and the answers read from it."""

    points: tuple[GuestSharePoint, ...]
    """Overload over the guest's share."""
    answers: tuple[GuestShareAnswer, ...]
    """Without utility workers and with those there are, borders closed and open."""
    evaluations: int
    """Changes that the searches looked at."""


def guest_shares(line: LineLoad, drift: Drift, cars: Sequence[int], seed: int) -> GuestShares:
    """Find overload over the share of guest cars, and where it sets in.

    The day keeps its number of cars, the residents their shares among themselves, the line its stations, operators,
    tasks and takt. For each share models are spread evenly, then a search for overload alone improves the order: no
    rules, no paint. The share at which overload sets in is bisected to a car.

    Parameters
    ----------
    line
        The balanced line.
    drift
        How far operators may drift.
    cars
        The day's cars of each model of the line.
    seed
        Seed of the searches.

    Examples
    --------
    >>> from coachbuilder.plant.sequence.load.interface import LineOperator
    >>> line = LineLoad(60.0, ("suv", "guest"), (0.5, 0.5), "guest", (LineOperator("T01", 1, 0, 1, 0, (50.0, 66.0)),))
    >>> found = guest_shares(line, Drift(Borders.CLOSED, 1.15, 0.0, 0.0, 0.0), [20, 20], seed=1)
    >>> found.answers[0].free_to_cars
    20
    """
    n = sum(cars)
    sides = {borders: _Side(line, drift, borders, cars, seed) for borders in (Borders.CLOSED, Borders.OPEN)}
    planned = cars[line.models.index(line.guest)]
    grid = sorted({round(step * n / STEPS) for step in range(STEPS + 1)} | {planned})
    helpers = [0.0, drift.utility_workers] if drift.utility_workers > 0 else [0.0]
    with ThreadPoolExecutor(len(sides)) as pool:
        found = list(pool.map(lambda side: [side.answer(grid, workers) for workers in helpers], sides.values()))
    answers = tuple(of_side[place] for place in range(len(helpers)) for of_side in found)
    closed, opened = sides[Borders.CLOSED], sides[Borders.OPEN]
    points = tuple(
        GuestSharePoint(
            guest_cars=guests,
            guest_share=guests / n,
            closed_overload_s_per_car=closed.overload_s(guests),
            open_overload_s_per_car=opened.overload_s(guests),
            closed_lower_bound_s_per_car=closed.bound_s(guests),
            open_lower_bound_s_per_car=opened.bound_s(guests),
            closed_calls_per_car=closed.calls(guests),
            open_calls_per_car=opened.calls(guests),
            closed_utility_workers=closed.overload_s(guests) / line.takt_s,
            open_utility_workers=opened.overload_s(guests) / line.takt_s,
        )
        for guests in grid
    )
    return GuestShares(points, answers, closed.evaluations + opened.evaluations)


class _Side:
    """One kind of borders: overload by guest cars, each number searched once."""

    def __init__(self, line: LineLoad, drift: Drift, borders: Borders, cars: Sequence[int], seed: int) -> None:
        self.evaluations = 0
        self._borders = borders
        self._n = sum(cars)
        self._takt_s = line.takt_s
        self._seed = seed
        self._operators: Operators = operators_of(line, drift, borders)
        self._days = days_by_guests(line, cars)
        self._bound = lower_bound(self._operators, self._days)
        self._found: dict[int, Overload] = {}

    def overload_s(self, guests: int) -> float:
        """Return the least overload found, a car."""
        return self._overload(guests) / TICKS_PER_S / self._n

    def calls(self, guests: int) -> float:
        """Return how many operators have to be helped, a car."""
        return self._best(guests).calls / self._n

    def bound_s(self, guests: int) -> float:
        """Return what no order has less of, a car."""
        return float(self._bound[guests]) / TICKS_PER_S / self._n

    def answer(self, grid: Sequence[int], utility_workers: float) -> GuestShareAnswer:
        """Return where so many utility workers are no longer enough, to a car."""
        allowed = round(utility_workers * self._takt_s * self._n * TICKS_PER_S)
        kept = [self._overload(guests) <= allowed for guests in grid]
        first = last = end = None
        if any(kept):
            at = kept.index(True)
            first = grid[0] if at == 0 else self._edge(grid[at], grid[at - 1], allowed)
            stop = next((place for place in range(at, len(grid)) if not kept[place]), None)
            last = grid[-1] if stop is None else self._edge(grid[stop - 1], grid[stop], allowed)
            end = None if stop is None else last + 1
        bounded = np.flatnonzero(self._bound <= allowed)
        unavoidable = int(bounded[-1]) + 1 if len(bounded) else 0
        least = min(grid, key=lambda guests: (self._overload(guests), guests))
        return GuestShareAnswer(
            borders=self._borders,
            utility_workers=utility_workers,
            first_cars=end,
            first_share=None if end is None else end / self._n,
            free_from_cars=first,
            free_from_share=None if first is None else first / self._n,
            free_to_cars=last,
            unavoidable_cars=unavoidable if unavoidable <= self._n else None,
            unavoidable_share=unavoidable / self._n if unavoidable <= self._n else None,
            least_cars=least,
            least_share=least / self._n,
            least_overload_s_per_car=self.overload_s(least),
        )

    def _edge(self, kept: int, over: int, allowed: int) -> int:
        """Return the last number of guests that is kept between one that is and one that is not."""
        while abs(over - kept) > 1:
            middle = (kept + over) // 2
            if self._overload(middle) <= allowed:
                kept = middle
            else:
                over = middle
        return kept

    def _overload(self, guests: int) -> int:
        return self._best(guests).total

    def _best(self, guests: int) -> Overload:
        if guests not in self._found:
            self._found[guests] = self._search(guests)
        return self._found[guests]

    def _search(self, guests: int) -> Overload:
        from coachbuilder.plant.sequence.load import kernels

        cars = self._days[guests]
        models = due_date_order(cars.tolist())
        level = overload_of(self._operators, models)
        n = len(models)
        if level.total <= self._bound[guests] or n < 2:
            return level
        order = np.arange(n)
        none: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        arguments: Any = (
            order, np.zeros((n, 0), dtype=np.uint8), np.zeros((0, 0), dtype=np.uint8), none, none,
            np.zeros((2, 0), dtype=np.int64), False, np.zeros(n, dtype=np.int64), -1, n,
            np.zeros(2, dtype=np.int64), np.zeros((0, n + 1), dtype=np.int64),
            *load_arguments(models, cars, self._operators, 1, -1),
            np.zeros(n, dtype=np.int64), np.full(n, n - 1, dtype=np.int64), 0, EVALUATIONS,
            np.array([self._seed], dtype=np.uint64), np.zeros(2, dtype=np.int64),
        )  # fmt: skip
        self.evaluations += int(kernels.improve(*arguments))
        return overload_of(self._operators, models[order])


def days_by_guests(line: LineLoad, cars: Sequence[int]) -> NDArray[np.int64]:
    """Return the day's cars of each model for every number of guests from none to all, shape (cars + 1, models).

    Residents keep their shares of each other, by largest remainder; without any, those for which the line was
    balanced.
    """
    n, guest = sum(cars), line.models.index(line.guest)
    weights = np.array(cars, dtype=np.float64)
    weights[guest] = 0.0
    if weights.sum() == 0:
        weights = np.array(line.mix, dtype=np.float64)
        weights[guest] = 0.0
    days: NDArray[np.int64] = np.zeros((n + 1, len(cars)), dtype=np.int64)
    for guests in range(n + 1):
        residents = n - guests if weights.sum() > 0 else 0
        exact = weights * residents / max(weights.sum(), 1e-300)
        days[guests] = np.floor(exact)
        short = residents - int(days[guests].sum())
        days[guests, np.argsort(days[guests] - exact, kind="stable")[:short]] += 1
        days[guests, guest] = n - residents
    return days


__all__ = ["GuestShares", "days_by_guests", "guest_shares"]
