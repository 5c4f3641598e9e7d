"""Balances over guest cars and guest work times, from which the line of each draw is interpolated."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from coachbuilder.plan import Plan, Stages
from coachbuilder.plant.balance import FitInputs, LineTable
from coachbuilder.plant.balance import evaluate as balanced

GUEST_SCALE = "tasks.guest_time_scale"
"""Path of the factor on the guest's work times."""

LEAST_VOLUME_SHARE, MOST_VOLUME_SHARE = 0.4, 1.6
"""Guest cars of the outer balances over those of the plan, the latter at most what the contract reserves."""


def grid_of(base: Plan) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return guest cars a year and factors on guest work times at which the line is balanced.

    Parameters
    ----------
    base
        The plan at central values, in the middle of the grid where that leaves room on both sides.
    """
    planned = base.planned_guest_units_per_year
    contracted = base.programme.document.deal.contracted_capacity_units_per_year
    most = min(MOST_VOLUME_SHARE * planned, max(contracted.value, contracted.high or 0.0))
    volumes = sorted({LEAST_VOLUME_SHARE * planned, planned, max(most, planned)})
    if len(volumes) == 2:
        volumes.insert(1, 0.5 * sum(volumes))
    scale = base.programme.assumptions[GUEST_SCALE]
    low, high = scale.low or scale.value, scale.high or scale.value
    scales = sorted({low, scale.value, high})
    if len(scales) < 3:
        scales = [0.95 * scale.value, scale.value, 1.05 * scale.value]
    return tuple(volumes), tuple(scales)


def line_table(base: Plan, *, workers: int = 1, progress: Callable[[int, int], None] | None = None) -> LineTable:
    """Balance the line at nine points and return the table that draws interpolate in, with its error.

    Parameters
    ----------
    base
        The plan at central values.
    workers
        Processes to balance on; the table does not depend on it.
    progress
        Told of finished balances.

    Raises
    ------
    InputError
        If the line cannot be balanced at one of the points: draws around it would have no plan.
    """
    volumes, scales = grid_of(base)
    inputs = []
    for volume in volumes:
        for scale in scales:
            stages = Stages(base.programme.with_values({GUEST_SCALE: scale}))
            # What follows from demand is overridden: the point says how many cars the line is laid out for.
            stages.__dict__["planned_guest_units_per_year"] = volume
            inputs.append(stages.fit_inputs)
    shares: list[float] = []

    def take(share: float) -> None:
        shares.append(share)
        if progress is not None:
            progress(len(shares), len(inputs))

    if workers <= 1:
        for item in inputs:
            take(_busy_share(item))
    else:
        with ProcessPoolExecutor(min(workers, len(inputs)), mp_context=get_context("spawn")) as pool:
            for share in pool.map(_busy_share, inputs):
                take(share)
    size = len(scales)
    rows = tuple(tuple(shares[start : start + size]) for start in range(0, len(shares), size))
    return LineTable(volumes, scales, rows, 0.0).with_error()


def _busy_share(inputs: FitInputs) -> float:
    return 1.0 - balanced(inputs).after.idle_share
