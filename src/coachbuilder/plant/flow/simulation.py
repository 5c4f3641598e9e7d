"""Runs the replications of one plant and puts their figures together."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from coachbuilder.plant.flow.kernels import Network

_Portion = tuple[
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.float64],
]

CHUNKS = 8
"""Replications are run in at most this many portions, so that the sums do not depend on the number of cores."""

EVENTS_PER_CYCLE = 20
"""A run gives up after this many events for each machine and shortest cycle; no sound plant has more than about 4."""


@dataclass(frozen=True, slots=True)
class Runs:
    """What the replications of one plant tell; R runs, V models, M machines, L lanes."""

    cars: NDArray[np.int64]
    """(R, V, 6): in, out, scrapped over the whole run; left, first tries, passed while it counts."""
    totals: NDArray[np.float64]
    """(R, 3): integral of cars inside (car seconds), sum of lead times (s), cars given up while it counts."""
    machine: NDArray[np.float64]
    """(M, 5) means: seconds at work, in repair, blocked; mean active period (s); cars finished."""
    lane: NDArray[np.float64]
    """(L,) mean integral of cars in each lane, car seconds."""
    ends: NDArray[np.int64]
    """(R, 4) how each run ended, the cell that stands still, cars inside at the start, events."""
    stuck_s: NDArray[np.float64]
    """(R,) when it stood still, s."""
    counted_s: float
    """Time that counts in each run, s."""


def run(
    network: Network,
    *,
    replications: int,
    warm_up_s: float,
    counted_s: float,
    first: int = 0,
    threads: int | None = None,
) -> Runs:
    """Run the replications and return their figures, the same on any number of cores.

    Parameters
    ----------
    network
        The plant.
    replications
        Independent runs.
    warm_up_s, counted_s
        Time that does not count and time that does, s.
    first
        Number of the first run.
    threads
        Threads to use; None takes one a core.

    Raises
    ------
    RuntimeError
        If cars are lost or multiply, or a run does not come to its end: a fault of ours.
    """
    from coachbuilder.plant.flow import kernels

    limit = _event_limit(network, warm_up_s + counted_s)
    size = max(1, -(-replications // CHUNKS))
    starts = range(0, replications, size)

    def portion(start: int) -> _Portion:
        count = min(size, replications - start)
        return kernels.run_all(network, first + start, count, warm_up_s, counted_s, limit)

    parts = _mapped(portion, starts, threads)
    counts = np.array([part[0].shape[0] for part in parts], dtype=np.float64) / replications
    runs = Runs(
        cars=np.concatenate([part[0] for part in parts]),
        totals=np.concatenate([part[1] for part in parts]),
        machine=sum((part[2] * count for part, count in zip(parts, counts, strict=True)), np.zeros(parts[0][2].shape)),
        lane=sum((part[3] * count for part, count in zip(parts, counts, strict=True)), np.zeros(parts[0][3].shape)),
        ends=np.concatenate([part[4] for part in parts]),
        stuck_s=np.concatenate([part[5] for part in parts]),
        counted_s=counted_s,
    )
    if np.any(runs.ends[:, 0] >= kernels.TOO_MANY_EVENTS):
        message = "the simulation lost count of its cars or did not come to its end; please report this plant"
        raise RuntimeError(message)
    return runs


def _mapped(portion: Callable[[int], _Portion], starts: Sequence[int], threads: int | None) -> list[_Portion]:
    workers = min(len(starts), threads or os.cpu_count() or 1)
    if workers == 1:
        return [portion(start) for start in starts]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(portion, starts))


def _event_limit(network: Network, horizon_s: float) -> int:
    """Return a number of events that no run can need: so that it ends, whatever the plant."""
    cycle = network.cell_model["cycle_s"]
    positive = cycle[cycle > 0.0]
    shortest = float(positive.min()) if positive.size else 1.0
    machines = network.machine.size + network.lane.size
    return int(10_000 + EVENTS_PER_CYCLE * machines * (1.0 + horizon_s / shortest))


def half_width_95(values: NDArray[np.float64]) -> float | None:
    """Return the half width of the 95 % confidence interval of a mean over replications; None for one.

    Student's t with one degree of freedom less than there are replications.

    Examples
    --------
    >>> round(half_width_95(np.array([1.0, 2.0, 3.0])), 3)
    2.484
    """
    error = standard_error(values)
    if error is None:
        return None
    from scipy.special import stdtrit

    return float(stdtrit(values.size - 1, 0.975)) * error


def standard_error(values: NDArray[np.float64]) -> float | None:
    """Return the standard error of a mean over replications; None for one."""
    if values.size < 2:
        return None
    return float(np.std(values, ddof=1)) / math.sqrt(values.size)
