"""Runs the kernels of the search and keeps the best order that any of them finds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.interface import SequenceInputs


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
    """Search for a build order."""
    raise NotImplementedError
