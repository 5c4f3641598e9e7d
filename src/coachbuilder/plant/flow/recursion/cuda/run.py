"""Runs replications of a serial line on a GPU."""

from __future__ import annotations

import numpy as np

from coachbuilder.plant.flow.plant import Plant
from coachbuilder.plant.flow.record import BINS_PER_BATCH, Records
from coachbuilder.plant.flow.recursion.run import Builder, records_of
from coachbuilder.plant.flow.recursion.scope import chain, why_not


def why_no_device() -> str:
    """Return why nothing can run on a GPU here; empty if it can."""
    from coachbuilder.plant.flow.recursion.cuda import kernels

    return "" if kernels.has_device() else "there is no NVIDIA GPU here, or no driver or CUDA toolkit for it"


def record(
    plant: Plant, *, seed: int, first: int, replications: int, start_s: float, batch_s: float, batches: int
) -> Records:
    """Run replications as ``recursion.record`` does, with the same random streams: the same answer to rounding.

    A device may round logarithms and sums of products otherwise than a processor.

    Parameters
    ----------
    plant, seed, first, replications, start_s, batch_s, batches
        As of ``recursion.record``; thousands of replications are needed to use a device.

    Raises
    ------
    ValueError
        If the recursion cannot do this plant, or there is no device.
    """
    reason = why_not(plant) or why_no_device()
    if reason:
        message = f"the recursion on a GPU cannot run this plant: {reason}"
        raise ValueError(message)
    from coachbuilder.plant.flow.recursion.cuda import kernels
    from coachbuilder.plant.flow.recursion.kernels import COUNTS

    machines, kinds = len(plant.stations), len(plant.types)
    stations, between = chain(plant) or ((), ())
    sums = np.zeros((replications, batches + 1, machines, COUNTS + 2 * kinds))
    out = np.zeros((replications, BINS_PER_BATCH * batches, kinds), np.int64)
    remaining = np.zeros((replications, kinds), np.int64)
    line, memory = Builder(plant, seed, stations, between).line()
    # One row at least: no array may be empty that a thread is given a part of.
    modes = max(line.mode.size, 1), replications
    kernels.run_threads(
        np.tile(line.machine, (replications, 1)),
        *line[1:],
        first,
        np.zeros(modes, np.uint64),
        np.zeros(modes, np.uint64),
        np.zeros(modes, np.int64),
        np.zeros((replications, kinds)),
        np.zeros((replications, kinds), np.int64),
        float(start_s),
        batch_s / BINS_PER_BATCH,
        np.repeat(memory[:, :1], replications, axis=1),
        sums,
        out,
        remaining,
    )
    return records_of(plant, sums, out, remaining, start_s, batch_s)
