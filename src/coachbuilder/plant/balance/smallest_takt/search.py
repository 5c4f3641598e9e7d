"""The search for the smallest takt, in steps between which it can be left and taken up again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.balance.interface import TaktBalance
from coachbuilder.plant.balance.simple import salbp1
from coachbuilder.plant.balance.simple.graphs import closure_of
from coachbuilder.plant.process import topological_order

Integers = NDArray[np.int64]

MOST_NODES = 20_000_000
"""Work after which a search stops unless something else is told."""
NODES_PER_S = 3_000_000
MOVES_PER_S = 5_000_000
"""Rough rates of the two searches: a step is so many seconds, or the nodes and moves of so many seconds."""
FIRST_STEP_S = 0.3
STEP_FACTOR = 2.5
MOVES_A_CALL, MOVES_A_TASK = 500_000, 5_000
"""Moves of one annealing, in all or for every task, whichever are more."""
TASKS_A_FIRST_STEP = 200
"""Tasks for which the first step's annealing is long enough; longer by proportion for more."""
TARGETS = (0.8, 0.5, 0.0)
"""Where between the bounds the takt lies that annealings by turns aim at."""
WORTH_A_TRY = 0.1
"""Share of the gap between the bounds that another try with the same step must be able to close."""
HOT, COLD = 0.2, 0.005
"""First and last temperature of the annealing over the mean task time."""
COLDEST = 0.05
"""Least temperature: times are whole, so that nothing below it is ever accepted."""
MOST_SUM_BITS = 1 << 33
"""Work up to which the sums that tasks can have together are counted out; beyond it any whole number may be one."""


class Budget:
    """What may still be spent of nodes, of time, or of both."""

    def __init__(self, most_nodes: int | None, time_limit_s: float | None, memory_mb: int) -> None:
        self.most_nodes = MOST_NODES if most_nodes is None and time_limit_s is None else most_nodes
        self.memory_mb = memory_mb
        self.ends = None if time_limit_s is None else time.monotonic() + time_limit_s
        self.nodes = 0
        self.memory_reached = False

    def left_s(self) -> float:
        """Return the seconds left, and no more than the nodes left will roughly take."""
        left = float("inf") if self.ends is None else self.ends - time.monotonic()
        if self.most_nodes is not None:
            left = min(left, (self.most_nodes - self.nodes) / NODES_PER_S)
        return max(0.0, left)

    def spent(self) -> bool:
        """Tell whether nothing is left."""
        return self.left_s() <= 0.0


class Line:
    """Tasks and precedence as the kernels want them."""

    def __init__(self, times: Sequence[int], predecessors: Sequence[Sequence[int]]) -> None:
        if not len(times) or min(times) < 0:
            message = f"there must be a task, and no time below 0, found {min(times, default=0)}"
            raise ValueError(message)
        self.times = tuple(int(item) for item in times)
        self.predecessors = predecessors
        self.count = len(self.times)
        self.total = sum(self.times)
        self.order = topological_order(predecessors)
        self.array = np.array(self.times, dtype=np.int64)
        before = closure_of(predecessors, self.order).T
        self.related = before | before.T
        direct = [
            [earlier for earlier in set(items) if not any(before[other, earlier] for other in items)]
            for items in predecessors
        ]
        followers: list[list[int]] = [[] for _ in self.times]
        for task, items in enumerate(direct):
            for earlier in items:
                followers[earlier].append(task)
        self._head = self.array + before @ self.array
        self._tail = self.array + before.T @ self.array
        self.before = _rows(direct)
        self.after = _rows(followers)
        self._sums = self._all_sums()

    def _all_sums(self) -> int | None:
        """Return a bit set of the sums that tasks can have together; None if it were too large."""
        if self.total * self.count > MOST_SUM_BITS:
            return None
        sums = 1
        for item in self.times:
            sums |= sums << item
        return sums

    def sum_from(self, least: int) -> int:
        """Return the smallest sum of task times that is not below ``least``; ``least`` is at most the whole work."""
        if self._sums is None:
            return least
        above = self._sums >> least
        return least + (above & -above).bit_length() - 1

    def sum_to(self, most: int) -> int:
        """Return the largest sum of task times that is not above ``most``."""
        if self._sums is None:
            return most
        return (self._sums & ((1 << (most + 1)) - 1)).bit_length() - 1

    def fits_windows(self, takt: int, stations: int) -> bool:
        """Tell whether no bound denies an assignment to the stations at a takt above 0.

        The work up to a task, itself included, gives its earliest station, the work from it on its latest one. No
        task's window may be empty, and the tasks whose windows lie within some stations must not have more work than
        these have time.
        """
        earliest = np.maximum(0, -(-self._head // takt) - 1)
        latest = stations - np.maximum(1, -(-self._tail // takt))
        if (earliest > latest).any():
            return False
        within = np.zeros((stations, stations), dtype=np.int64)
        np.add.at(within, (earliest, latest), self.array)
        # Summed over windows that begin at or behind the row and end at or before the column.
        within = within[::-1].cumsum(axis=0)[::-1].cumsum(axis=1)
        spans = np.arange(stations)[None, :] - np.arange(stations)[:, None] + 1
        return bool((within <= np.maximum(0, spans) * takt).all())


def _rows(lists: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
    pointer = np.zeros(len(lists) + 1, dtype=np.int64)
    pointer[1:] = np.cumsum([len(items) for items in lists])
    return pointer, np.array([item for items in lists for item in sorted(items)], dtype=np.int64)


class TaktSearch:
    """The smallest takt for one number of stations, between a lower and an upper bound that steps bring together."""

    def __init__(
        self,
        line: Line,
        stations: int,
        budget: Budget,
        progress: Callable[[TaktBalance], object] | None = None,
    ) -> None:
        self.line = line
        self.stations = stations
        self.budget = budget
        self.progress = progress
        self._used = min(stations, line.count)
        self.lower = line.sum_from(smallest_takt_bound(line.times, self._used))
        self._station = self._first()
        self.upper = self._largest_load(self._station)
        self._random = np.array([0x9E3779B97F4A7C15], dtype=np.uint64)
        self._step_s = FIRST_STEP_S
        self.steps = 0
        self._tell()

    @property
    def done(self) -> bool:
        """True if the bounds have met."""
        return self.lower >= self.upper

    def step(self) -> None:
        """Bring the bounds nearer to each other, for about as long as the next longer step lasts."""
        if self.steps == 0:
            self._bound_by_windows()
        first_s = FIRST_STEP_S * max(1.0, self.line.count / TASKS_A_FIRST_STEP)
        self._anneal(max(first_s, 0.5 * self._step_s))
        self._try_takts()
        self.steps += 1
        self._step_s *= STEP_FACTOR

    def answer(self) -> TaktBalance:
        """Return the best found so far."""
        return TaktBalance(
            takt=self.upper,
            stations=self.stations,
            lower_bound=self.lower,
            proven=self.done,
            assignment=self.assignment(),
            nodes=self.budget.nodes,
            memory_reached=self.budget.memory_reached,
        )

    def assignment(self) -> tuple[int, ...]:
        """Return the station of each task, from 1."""
        return tuple(int(at) + 1 for at in self._station)

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self.answer())

    def _largest_load(self, station: Integers) -> int:
        loads = np.zeros(self.stations, dtype=np.int64)
        np.add.at(loads, station, self.line.array)
        return int(loads.max())

    def _first(self) -> Integers:
        """Fill the stations in precedence order, each to the share of what is left of the work."""
        station = np.zeros(self.line.count, dtype=np.int64)
        at, load, left = 0, 0, self.line.total
        for task in self.line.order:
            item = self.line.times[task]
            if at < self._used - 1 and 2 * load + item > 2 * left / (self._used - at):
                left -= load
                at, load = at + 1, 0
            station[task] = at
            load += item
        return station

    def _improve(self, station: Integers) -> None:
        found = self._largest_load(station)
        if found < self.upper:
            self.upper = found
            self._station = station
            self._tell()

    def _raise(self, least: int) -> None:
        if least > self.lower:
            self.lower = min(self.upper, self.line.sum_from(min(least, self.line.total)))
            self._tell()

    def _bound_by_windows(self) -> None:
        """Lift the bound to the smallest takt whose windows leave room for every task and every run of stations."""
        low, high = self.lower, self.upper
        while low < high:
            middle = (low + high) // 2
            if self.line.fits_windows(middle, self._used):
                high = middle
            else:
                low = middle + 1
        self._raise(low)

    def _anneal(self, seconds: float) -> None:
        """Anneal for some time, towards takts between the bounds."""
        from coachbuilder.plant.balance.smallest_takt import kernels

        mean = self.line.total / self.line.count
        moves = int(min(seconds, self.budget.left_s()) * MOVES_PER_S)
        rounds = max(len(TARGETS), -(-moves // max(MOVES_A_CALL, MOVES_A_TASK * self.line.count)))
        for turn in range(rounds):
            if self.done or self.budget.spent():
                return
            target = self.lower + int(TARGETS[turn % len(TARGETS)] * (self.upper - 1 - self.lower))
            found = np.empty(self.line.count, dtype=np.int64)
            _, tried = kernels.anneal(
                self.line.array, *self.line.before, *self.line.after, self.line.related, self._used,
                self._station.copy(), target, max(HOT * mean, 2 * COLDEST), max(COLD * mean, COLDEST),
                max(1, moves // rounds), self._random, found,
            )  # fmt: skip
            self.budget.nodes += int(tried) * NODES_PER_S // MOVES_PER_S
            self._improve(found)

    def _try_takts(self) -> None:
        """Halve the takts between the bounds, each tried for a step; what stays undecided is too hard for now.

        The smaller a takt the easier the proof that it needs more stations, the larger the easier it is to keep: below
        and above those too hard others may be decided, until what that could gain is small.
        """
        lowest_hard = highest_hard = self._halve(self.lower - 1, self.upper)
        while lowest_hard is not None and self._worth(lowest_hard - self.lower):
            lowest_hard = self._halve(self.lower - 1, lowest_hard)
        while highest_hard is not None and self._worth(self.upper - 1 - highest_hard):
            highest_hard = self._halve(highest_hard, self.upper)

    def _worth(self, gain: int) -> bool:
        return gain > WORTH_A_TRY * (self.upper - self.lower) and not self.budget.spent()

    def _halve(self, above: int, below: int) -> int | None:
        """Try the middle of the takts between two until one is too hard; return it, or None if none is left."""
        while not self.done and not self.budget.spent():
            above, below = max(above, self.lower - 1), min(below, self.upper)
            takt = self.line.sum_to((above + below) // 2)
            if takt <= above:
                takt = self.line.sum_from(above + 1)
            if takt >= below:
                return None
            if not self._decide(takt):
                return takt
        return None

    def _decide(self, takt: int) -> bool:
        """Ask the engine whether a takt needs more stations; tell whether it knew."""
        left = self.budget.left_s()
        seconds = min(self._step_s, left)
        if self.lower == self.line.sum_to(self.upper - 1) and 2 * seconds > left:
            seconds = left
        found = salbp1(
            self.line.times, self.line.predecessors, takt, upper=self._used + 1, memory_mb=self.budget.memory_mb,
            most_nodes=max(1, int(seconds * NODES_PER_S)), time_limit_s=None if self.budget.ends is None else left,
        )  # fmt: skip
        self.budget.nodes += found.nodes
        self.budget.memory_reached |= found.memory_reached
        if found.stations <= self._used:
            self._improve(np.array(found.assignment, dtype=np.int64) - 1)
        elif found.lower_bound > self._used:
            self._raise(takt + 1)
        else:
            return False
        return True


def smallest_takt_bound(times: Sequence[int], stations: int) -> int:
    """Return a takt below which no assignment can be, precedence aside.

    The largest of the longest task, the mean load rounded up, and for every k the k + 1 shortest of the k m + 1
    longest tasks together: of so many tasks one station gets k + 1 (Scholl 1999, section 2.2.2.2).

    Examples
    --------
    >>> smallest_takt_bound([5, 5, 5, 1], 2)
    10
    """
    longest = sorted(times, reverse=True)
    bounds = [longest[0], -(-sum(longest) // stations)]
    bounds += [sum(longest[k * stations - k : k * stations + 1]) for k in range(1, (len(longest) - 1) // stations + 1)]
    return max(bounds)


__all__ = ["Budget", "Line", "TaktSearch", "smallest_takt_bound"]
