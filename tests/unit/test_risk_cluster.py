"""Draws on a Dask cluster: the same figures on any number of workers, and with one lost on the way."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np
import pytest

from coachbuilder.plan import Plan
from coachbuilder.risk.draws import draw
from coachbuilder.risk.runner import Points, Runner

distributed: Any = pytest.importorskip("distributed", reason="needs the extra 'cluster'")

DRAWS = 250


@pytest.fixture(scope="module")
def points(example_plan: Plan) -> Points:
    drawn = draw(example_plan.programme, DRAWS, 1)
    return Points(drawn.paths, drawn.values)


@pytest.fixture(scope="module")
def alone(example_plan: Plan, points: Points) -> Any:
    with Runner(example_plan, 1) as runner:
        return runner.run(points, "here")


@pytest.mark.parametrize(("workers", "loses_one"), [(1, False), (2, False), (4, True)])
def test_any_number_of_workers_gives_the_same_figures_even_if_one_is_killed(
    example_plan: Plan, points: Points, alone: Any, workers: int, loses_one: bool
) -> None:
    killed: list[int] = []
    with distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        processes = [worker.pid for worker in cluster.workers.values()]

        def progress(done: int, _all: int) -> None:
            if loses_one and done and not killed:
                os.kill(processes[0], signal.SIGKILL)
                killed.append(processes[0])

        with Runner(example_plan, 1, progress, None, cluster.scheduler_address) as runner:
            found = runner.run(points, "there")
    assert bool(killed) is loses_one
    np.testing.assert_array_equal(found, alone)
