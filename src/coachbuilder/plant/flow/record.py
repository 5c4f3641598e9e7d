"""What simulated replications leave behind: sums at a grid of moments, from which every statistic is taken.

A run counts from ``start_s`` over ``batches`` batches of ``batch_s`` each. The sums stand at ``start_s`` and at the end
of every batch, so that a warm-up can be cut off afterwards at any batch; cars that left are counted in five bins a
batch. Both engines fill the same arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS_PER_BATCH = 5
"""As MSER-5 wants them."""

WORKING, DOWN, BLOCKED, SET_UP, PLANNED, OFF, STOPPED, ACTIVE, ACTIVE_COUNT = range(9)
"""Columns of ``Records.machine``: seconds at work, in repair or waiting for it, holding a finished car (or waiting for
a place before service), in set-up, in planned maintenance, off shift, stopped by overload (moving lines), in active
periods that ended, and the number of these. What is left of the time is starved."""

MACHINE_SUMS = 9

CAME_IN, LEFT, GIVEN_UP, LOST, TESTED, PASSED = range(6)
"""Columns of ``Records.car``: cars that came in, left, were given up (scrap), found no place and were lost (these came
in as well), took the test for the first time, and passed it then."""

CAR_SUMS = 6

OVERLOAD, UTILITY, STOP = range(3)
"""Columns of ``Records.place``: seconds of overload at a station of a moving line, of them taken by utility workers,
and seconds for which the station stopped the line."""

COMPLETE, STANDSTILL, TOO_MANY_EVENTS, NOT_CONSERVED = range(4)
"""How a run ended."""


@dataclass(frozen=True, slots=True)
class Records:
    """R runs of B batches; M machines, L buffers, V types, P stations of moving lines, C carrier loops."""

    start_s: float
    """When counting starts, s."""
    batch_s: float
    """Length of a batch, s."""
    out: NDArray[np.int64]
    """(R, 5 B, V) cars that left in each bin."""
    machine: NDArray[np.float64]
    """(R, B + 1, M, 9) sums of every machine; see the columns above. A moving line is one machine."""
    finished: NDArray[np.int64]
    """(R, B + 1, M, V) cars finished."""
    level: NDArray[np.float64]
    """(R, B + 1, L) integral of cars in every buffer, car seconds."""
    inside: NDArray[np.float64]
    """(R, B + 1) integral of cars in the plant, car seconds."""
    car: NDArray[np.int64]
    """(R, B + 1, V, 6) cars; see the columns above."""
    lead: NDArray[np.float64]
    """(R, B + 1, V) sum of the times in the plant of the cars that left, s."""
    place: NDArray[np.float64]
    """(R, B + 1, P, 3) stations of moving lines, line after line; see the columns above."""
    carriers: NDArray[np.float64]
    """(R, B + 1, C) integral of carriers that wait at the load, carrier seconds."""
    ended: NDArray[np.int64]
    """(R,) how each run ended."""
    stuck: NDArray[np.int64]
    """(R,) a station that stands still for good, by its place in the plant; -1 if none."""
    stuck_s: NDArray[np.float64]
    """(R,) when that was noticed, s."""
    at_start: NDArray[np.int64]
    """(R, V) cars inside when the run began."""
    remaining: NDArray[np.int64]
    """(R, V) cars found inside when it ended; at_start + in = left + given up + lost + remaining is checked."""
    events: NDArray[np.int64]
    """(R,) events served, or operations where the recursion ran."""

    @property
    def batches(self) -> int:
        """Batches of each run."""
        answer: int = self.machine.shape[1] - 1
        return answer

    @property
    def replications(self) -> int:
        """Runs."""
        answer: int = self.machine.shape[0]
        return answer


@dataclass(frozen=True, slots=True)
class Names:
    """What the rows of the records are called."""

    machines: tuple[str, ...]
    """Machine: its station and number, such as ``paint.2``; a moving line's own name."""
    machine_station: tuple[int, ...]
    """Its station, by its place in the plant."""
    buffers: tuple[str, ...]
    """Buffers in the order of the plant."""
    types: tuple[str, ...]
    """Types of car."""
    places: tuple[str, ...]
    """Stations of moving lines, such as ``assembly.17``."""
    carriers: tuple[str, ...]
    """Carrier loops."""
