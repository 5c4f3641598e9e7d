"""A plain serial line in the same simulation: what the checks against exact solutions use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coachbuilder.plant.flow.interface import LineResult
from coachbuilder.plant.flow.network import key_of
from coachbuilder.plant.flow.simulation import half_width_95, run, standard_error

if TYPE_CHECKING:
    from coachbuilder.plant.flow.kernels import Network


def line_network(
    cycle_time_s: Sequence[float],
    buffers: Sequence[int],
    *,
    exponential: bool = False,
    mtbf_s: Sequence[float] | None = None,
    mttr_s: Sequence[float] | None = None,
    seed: int = 1,
) -> Network:
    """Return a serial line as arrays for the kernels: never starved at its head, never blocked at its end.

    Parameters
    ----------
    cycle_time_s
        Cycle time of each machine, s (mean if exponential).
    buffers
        Places between neighbours, one fewer than machines; the machines' own places are not counted.
    exponential
        True for exponential cycle times, false for fixed ones.
    mtbf_s, mttr_s
        Mean working time between failures and mean time to repair, s; None if nothing fails. An MTBF of 0 lets one
        machine never fail.
    seed
        Seed of the random streams.

    Raises
    ------
    ValueError
        If the lengths do not fit, or a figure is out of its range.
    """
    from coachbuilder.plant.flow import kernels

    count = len(cycle_time_s)
    if count == 0 or len(buffers) != count - 1:
        message = f"a line of {count} machines needs {max(count - 1, 0)} buffers, got {len(buffers)}"
        raise ValueError(message)
    if min(cycle_time_s) <= 0 or any(places < 0 for places in buffers):
        message = "cycle times must be above 0 and buffers 0 or more"
        raise ValueError(message)
    if (mtbf_s is None) != (mttr_s is None):
        message = "give both mtbf_s and mttr_s, or neither"
        raise ValueError(message)
    rows = np.arange(count)
    cell = np.zeros(count, kernels.CELL)
    for name, first in (("machine", rows), ("lane", rows)):
        cell[f"first_{name}"], cell[f"last_{name}"] = first, first + 1
    cell["exponential"] = int(exponential)
    cell["fail_lane"] = -1
    if mtbf_s is not None:
        cell["mtbf_s"], cell["mttr_s"] = mtbf_s, mttr_s
    cell_model = np.zeros((count, 1), kernels.CELL_MODEL)
    cell_model["cycle_s"][:, 0] = cycle_time_s
    cell_model["next_lane"][:, 0] = [*range(1, count), -1]
    machine = np.zeros(count, kernels.MACHINE)
    machine["cell"] = rows
    machine["key"] = np.array([key_of(seed, f"line.{row + 1}.1") for row in range(count)], dtype=np.uint64)
    lane = np.zeros(count, kernels.LANE)
    lane["cell"] = rows
    lane["capacity"][1:] = buffers
    lane["weight"] = 1.0
    lane["source"][0] = 1
    return kernels.Network(cell, cell_model, machine, lane, np.ones((count, 1)))


def simulate_line(
    cycle_time_s: Sequence[float],
    buffers: Sequence[int],
    *,
    hours: float,
    warm_up_h: float = 0.0,
    exponential: bool = False,
    mtbf_s: Sequence[float] | None = None,
    mttr_s: Sequence[float] | None = None,
    replications: int = 1,
    seed: int = 1,
    threads: int | None = None,
) -> LineResult:
    """Simulate a saturated serial line; blocking after service, failures during operation.

    Parameters
    ----------
    cycle_time_s, buffers, exponential, mtbf_s, mttr_s, seed
        See :func:`line_network`.
    hours, warm_up_h
        Time that counts in each run, and time before it that does not, h.
    replications
        Independent runs.
    threads
        Threads to use; None takes one a core. The answer does not depend on it.

    Examples
    --------
    >>> line = simulate_line([60.0, 60.0], [0], hours=10.0)
    >>> round(line.throughput_per_h, 1), line.ci95_per_h is None
    (59.9, True)
    """
    network = line_network(cycle_time_s, buffers, exponential=exponential, mtbf_s=mtbf_s, mttr_s=mttr_s, seed=seed)
    counted_s = hours * 3600.0
    runs = run(
        network,
        replications=replications,
        warm_up_s=warm_up_h * 3600.0,
        counted_s=counted_s,
        threads=threads,
    )
    rates = runs.cars[:, 0, 3] / hours
    working, down, blocked = (runs.machine[:, column] / counted_s for column in range(3))
    left = int(runs.cars[:, 0, 3].sum())
    return LineResult(
        throughput_per_h=float(rates.mean()),
        ci95_per_h=half_width_95(rates),
        standard_error_per_h=standard_error(rates),
        working_share=working,
        down_share=down,
        blocked_share=blocked,
        starved_share=1.0 - working - down - blocked,
        mean_level=runs.lane[1:] / counted_s,
        work_in_progress_cars=float(runs.totals[:, 0].mean()) / counted_s,
        lead_time_s=float(runs.totals[:, 1].sum()) / left if left else None,
    )
