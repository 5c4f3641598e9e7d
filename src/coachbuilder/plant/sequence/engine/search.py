"""Runs the kernels of the search and keeps the best order that any of them finds."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.bounds import objective_weights
from coachbuilder.plant.sequence.engine.arrays import Problem, problem_of, state_of
from coachbuilder.plant.sequence.engine.schedule import Leg, legs_of
from coachbuilder.plant.sequence.engine.start import starting_order
from coachbuilder.plant.sequence.interface import SequenceInputs

CHUNK_S = 0.05
"""Seconds between two looks at the clock."""

FIRST_CHUNK, SHORTEST_CHUNK, LONGEST_CHUNK = 5_000, 500, 2_000_000
"""Changes between two looks at the clock: at first, at least and at most."""

CHUNKS = 400
"""Parts of a search that stops on work done: the temperature falls from one to the next."""


@dataclass(frozen=True, slots=True)
class Improvement:
    """A better order than any before it."""

    time_s: float
    """Seconds since the search began."""
    objective: int
    """Its weighted sum of objectives."""
    order: NDArray[np.int64]
    """Position in ``inputs.cars`` of the car at each place, shape (cars,)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    order: NDArray[np.int64]
    """Position in ``inputs.cars`` of the car at each place, shape (cars,)."""
    objective: int
    """Its weighted sum of objectives, cars beyond the longest batch not counted."""
    evaluations: int
    """Changes looked at, over all threads."""
    time_s: float
    """Seconds that it took."""
    history: tuple[tuple[float, int], ...]
    """Seconds and objective of each improvement."""


def search(
    inputs: SequenceInputs,
    *,
    time_limit_s: float | None = None,
    threads: int = 1,
    target: int = 0,
    start: NDArray[np.int64] | None = None,
    progress: Callable[[Improvement], None] | None = None,
    stop: threading.Event | None = None,
) -> Found:
    """Search for a build order by swaps, insertions, reversals, shuffles and trades of paint batches.

    One objective after the other joins in, most important first; a temperature that falls lets the search step back on
    what it has, least on the most important. The moves are those of Estellon, Gardi and Nouioua (2006), who won the
    ROADEF 2005 challenge with them.

    Parameters
    ----------
    inputs
        The cars, the rules, the seed, and, where there is no time limit, the changes to look at.
    time_limit_s
        Time after which the best order is returned. Without it the search ends after ``inputs.evaluations`` changes and
        can be repeated.
    threads
        Searches side by side, each with a seed of its own. Within a time limit they pass on the best order; otherwise
        each looks at its part of the changes alone.
    target
        Objective at which the search ends.
    start
        An order to begin with, shape (cars,); by greedy construction unless given.
    progress
        Called in the calling thread with each improvement.
    stop
        Ends the search when it is set.

    Returns
    -------
    Found
        The best order.

    Examples
    --------
    >>> from coachbuilder.plant.sequence.interface import RulePriority, SequenceObjective, SequenceRule
    >>> found = search(
    ...     SequenceInputs(
    ...         cars=("a", "b", "c", "d"), models=("suv",) * 4, colours=("red", "blue", "red", "blue"),
    ...         has_option=np.array([[True], [True], [False], [False]]),
    ...         rules=(SequenceRule("roof", "Panoramic roof", 1, 2, RulePriority.HIGH),),
    ...         previous_has_option=np.zeros((0, 1), dtype=bool), previous_colour=None,
    ...         objectives=(SequenceObjective.HIGH_PRIORITY, SequenceObjective.COLOUR_CHANGES),
    ...         longest_batch=10, purge_cost_cny=30.0, evaluations=1000, seed=1,
    ...     )
    ... )  # fmt: skip
    >>> found.objective
    1000
    """
    if not inputs.cars:
        return Found(np.zeros(0, dtype=np.int64), 0, 0, 0.0, ())
    began = time.monotonic()
    shared = _Shared(inputs, began, stop or threading.Event())
    first = starting_order(inputs, shared.problem) if start is None else np.array(start, dtype=np.int64)
    workers = [
        _Worker(inputs, shared, first, number, time_limit_s, -(-inputs.evaluations // threads), target)
        for number in range(threads)
    ]
    if inputs.evaluations or time_limit_s is not None:
        _run(workers, shared, progress)
    if shared.failed is not None:
        raise shared.failed
    # By objective and then by number: which thread was the first must not matter.
    best = min(workers, key=lambda worker: worker.objective)
    return Found(
        order=best.order,
        objective=best.objective,
        evaluations=sum(worker.evaluations for worker in workers),
        time_s=time.monotonic() - began,
        history=tuple((item.time_s, item.objective) for item in shared.history),
    )


def _run(workers: list[_Worker], shared: _Shared, progress: Callable[[Improvement], None] | None) -> None:
    """Run the workers to their end, one in this thread if nobody waits for news."""
    if len(workers) == 1 and progress is None:
        workers[0].run()
        return
    running = [threading.Thread(target=worker.run, daemon=True) for worker in workers]
    for thread in running:
        thread.start()
    try:
        while any(thread.is_alive() for thread in running) or not shared.news.empty():
            try:
                better = shared.news.get(timeout=0.02)
            except queue.Empty:
                continue
            if progress is not None and shared.news.empty():
                progress(better)
    finally:
        shared.stop.set()
        for thread in running:
            thread.join()


class _Shared:
    """The best order of all threads."""

    def __init__(self, inputs: SequenceInputs, began: float, stop: threading.Event) -> None:
        self.problem = problem_of(inputs, objective_weights(inputs))
        self.order: NDArray[np.int64] = np.arange(len(inputs.cars), dtype=np.int64)
        self.objective = 1 << 62
        self.history: list[Improvement] = []
        self.news: queue.SimpleQueue[Improvement] = queue.SimpleQueue()
        self.stop = stop
        self.failed: BaseException | None = None
        self._began = began
        self._lock = threading.Lock()

    def offer(self, order: NDArray[np.int64], objective: int) -> None:
        """Take an order if it is better than the best."""
        with self._lock:
            if objective >= self.objective:
                return
            self.objective = objective
            self.order = order.copy()
            better = Improvement(time.monotonic() - self._began, objective, self.order)
            self.history.append(better)
            self.news.put(better)

    def best(self) -> NDArray[np.int64]:
        """Return the best order."""
        with self._lock:
            return self.order


class _Worker:
    """One search."""

    def __init__(
        self,
        inputs: SequenceInputs,
        shared: _Shared,
        start: NDArray[np.int64],
        number: int,
        time_limit_s: float | None,
        most_evaluations: int,
        target: int,
    ) -> None:
        self.evaluations = 0
        self.order = start
        """The best order that this search found."""
        self.objective = objective_of(shared.problem, start)
        """Its objective."""
        self._target = target
        self._inputs = inputs
        self._shared = shared
        self._order = start
        self._seed = (inputs.seed * 1_000_003 + number * 7_919) & ((1 << 63) - 1)
        self._time_limit_s = time_limit_s
        self._most = most_evaluations
        self._began = time.monotonic()
        self._chunk = FIRST_CHUNK
        shared.offer(start, self.objective)

    def run(self) -> None:
        """Search until the work is done, the time is over or somebody says stop."""
        try:
            done = 0.0
            for leg in legs_of(self._inputs, self._length(), lambda: self.objective):
                if self._over() or self._part() >= 1.0:
                    break
                self._leg(leg, done, done + leg.share)
                done += leg.share
        except BaseException as failed:  # noqa: BLE001 - raised again in the calling thread
            self._shared.failed = failed
            self._shared.stop.set()

    def _length(self) -> float:
        """Return how long the search is, in millions of changes; guessed where the time is what ends it."""
        if self._time_limit_s is None:
            return self._most / 1e6
        return self._time_limit_s * 3.0

    def _part(self) -> float:
        """Return which part of the work is done, from 0 to 1."""
        if self._time_limit_s is None:
            return self.evaluations / self._most
        if self._time_limit_s <= 0:
            return 1.0
        return (time.monotonic() - self._began) / self._time_limit_s

    def _leg(self, leg: Leg, begin: float, end: float) -> None:
        """Search from part ``begin`` to part ``end`` of the work for the objectives of one leg."""
        from coachbuilder.plant.sequence.engine import kernels

        weights = objective_weights(self._inputs)
        counted = {name: weight if name in leg.objectives else 0 for name, weight in weights.items()}
        whole = counted == weights
        problem = self._shared.problem if whole else problem_of(self._inputs, counted)
        if leg.from_best and self._time_limit_s is not None:
            self._order = self._shared.best()
        elif leg.from_best:
            self._order = self.order
        self._seed = (self._seed * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) & ((1 << 63) - 1)
        state = state_of(problem, self._order, self._seed)
        best = self._order.copy()
        least = np.array([objective_of(problem, best)], dtype=np.int64)
        known = int(least[0])
        while not self._over():
            part = self._part()
            if part >= end or (least[0] == 0 and leg.ends_at_none):
                break
            heat = leg.heat((part - begin) / max(end - begin, 1e-9))
            begun = time.monotonic()
            chunk = self._next_chunk()
            looked_at = kernels.search(
                problem.day, state, leg.menu, leg.weight, heat, leg.slack, _THRESHOLD, problem.rank, chunk,
                0 if leg.ends_at_none else -1, best, least,
            )  # fmt: skip
            self.evaluations += looked_at
            self._learn(chunk, time.monotonic() - begun)
            if int(least[0]) < known:
                known = int(least[0])
                self._note(best, known if whole else objective_of(self._shared.problem, best))
            if looked_at == 0:
                break
        self._order = best

    def _over(self) -> bool:
        return self._shared.stop.is_set() or self.objective <= self._target

    def _note(self, order: NDArray[np.int64], objective: int) -> None:
        """Keep an order if it is the best; one that leads a thread to the target ends all where time is the limit."""
        if objective < self.objective:
            self.order, self.objective = order.copy(), objective
            self._shared.offer(self.order, objective)
        if self.objective <= self._target and self._time_limit_s is not None:
            self._shared.stop.set()

    def _next_chunk(self) -> int:
        if self._time_limit_s is None:
            return max(1, min(max(SHORTEST_CHUNK, self._most // CHUNKS), self._most - self.evaluations))
        return self._chunk

    def _learn(self, chunk: int, took_s: float) -> None:
        wanted = int(chunk * CHUNK_S / max(took_s, 1e-6))
        self._chunk = min(max(wanted, SHORTEST_CHUNK, self._chunk // 4), LONGEST_CHUNK, self._chunk * 4)


_THRESHOLD: NDArray[np.float64] = -np.log((np.arange(4096) + 0.5) / 4096)
"""Draws of -ln(u), u evenly spread from 0 to 1."""


def objective_of(problem: Problem, order: NDArray[np.int64]) -> int:
    """Return the weighted sum of an order's objectives."""
    totals = state_of(problem, order, 0).totals
    return int((totals[:3] * problem.rank).sum())


__all__ = ["Found", "Improvement", "objective_of", "search"]
