"""An order to begin with: greedy construction within the places that the cars may take."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.engine.arrays import Problem, state_of
from coachbuilder.plant.sequence.interface import SequenceInputs


def starting_order(inputs: SequenceInputs, problem: Problem) -> NDArray[np.int64]:
    """Return an order that keeps the frozen head and every car's places, and the longest batch where that is found.

    Parameters
    ----------
    inputs
        The cars, the rules and the seed.
    problem
        The same as arrays.

    Returns
    -------
    numpy.ndarray
        Position in ``inputs.cars`` of the car at each place, shape (cars,).
    """
    from coachbuilder.plant.sequence.engine import kernels

    order = _in_time(problem) if problem.day.earliest.size else _greedy(inputs, problem)
    state = state_of(problem, order, inputs.seed)
    kernels.mend_batches(problem.day, state)
    return state.order.copy()


def _in_time(problem: Problem) -> NDArray[np.int64]:
    """Return an order by latest place first: if any order keeps every car's places, this one does."""
    day = problem.day
    n = len(day.kind)
    order = np.arange(n, dtype=np.int64)
    waiting = sorted(range(day.first, n), key=lambda car: day.earliest[car])[::-1]
    ready: list[tuple[int, int]] = []
    for place in range(day.first, n):
        while waiting and (day.earliest[waiting[-1]] <= place or not ready):
            car = waiting.pop()
            heapq.heappush(ready, (int(day.latest[car]), car))
        order[place] = heapq.heappop(ready)[1]
    return order


def _greedy(inputs: SequenceInputs, problem: Problem) -> NDArray[np.int64]:
    """Return the order that greedy construction finds behind the frozen head."""
    from coachbuilder.plant.sequence import kernels

    day, first = problem.day, problem.day.first
    n = len(day.kind)
    order = np.arange(n, dtype=np.int64)
    if first >= n:
        return order
    _, members, kinds, counts = np.unique(day.kind[first:], return_index=True, return_inverse=True, return_counts=True)
    cars_of = [list(np.flatnonzero(kinds.reshape(-1) == kind)[::-1] + first) for kind in range(len(members))]
    before = np.ascontiguousarray(np.vstack([problem.before.T, problem.has[:first]]))
    weight = day.weight * np.where(np.arange(day.out_of.size) < day.high, problem.rank[0], problem.rank[1])
    found = np.zeros(n - first, dtype=np.int64)
    kernels.construct(
        np.ascontiguousarray(problem.has[members + first]),
        day.colour[members + first],
        counts.astype(np.int64),
        before,
        day.at_most,
        day.out_of,
        weight,
        int(day.colour[first - 1]) if first else day.previous_colour,
        _last_run(day.colour[:first]),
        day.batch,
        int(problem.rank[2]),
        np.array([inputs.seed], dtype=np.uint64),
        found,
    )
    for place, kind in enumerate(found):
        order[first + place] = cars_of[kind].pop()
    return order


def _last_run(colours: NDArray[np.int64]) -> int:
    """Return how many cars at the end have one colour."""
    others = np.flatnonzero(colours != colours[-1]) if len(colours) else np.zeros(0, dtype=np.int64)
    return len(colours) - (int(others[-1]) + 1 if len(others) else 0)


__all__ = ["starting_order"]
