"""The recursion on a GPU: in numba's simulator of one, and on a device where there is one."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.plant.flow import recursion
from coachbuilder.plant.flow.plant import Failure, FailureClock, Plant, Time, serial_line
from coachbuilder.plant.flow.record import Records
from coachbuilder.plant.flow.simulate import simulate

RUN = {"seed": 3, "first": 2, "replications": 3, "start_s": 100.0, "batch_s": 400.0, "batches": 2}
IN_WORK = Failure("work", Time.exponential(150.0), Time.exponential(60.0))
ANY_TIME = Failure("any", Time.exponential(200.0), Time.exponential(60.0), FailureClock.PLANT)
LINES = {
    "fixed times that fail in operation": serial_line([Time(20.0)] * 3, [1, 0], failures=[(IN_WORK,)] * 3),
    "drawn times that fail at any time": serial_line(
        [Time.exponential(20.0)] * 3, [2, 1], failures=[(ANY_TIME,), (ANY_TIME,), ()]
    ),
    "drawn times that fail in operation": serial_line(
        [Time.exponential(20.0), Time(15.0)], [1], failures=[(IN_WORK,), ()]
    ),
}
SIMULATED = """
import pickle, sys
from coachbuilder.plant.flow.recursion.cuda.run import record
lines, run = pickle.load(sys.stdin.buffer)
pickle.dump([record(line, **run) for line in lines], sys.stdout.buffer)
"""


def assert_same(found: Records, expected: Records, tolerance: float) -> None:
    for item in fields(Records):
        np.testing.assert_allclose(
            getattr(found, item.name), getattr(expected, item.name), rtol=tolerance, atol=tolerance, err_msg=item.name
        )


def has_device() -> bool:
    from coachbuilder.plant.flow.recursion.cuda.run import why_no_device

    return not why_no_device()


def test_the_simulated_device_gives_the_records_of_the_recursion() -> None:
    # Without compiling: the simulator's arrays cannot be handed to compiled functions.
    environment = {
        **os.environ,
        "NUMBA_ENABLE_CUDASIM": "1",
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": os.pathsep.join([str(Path(recursion.__file__).parents[4]), *filter(None, sys.path)]),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SIMULATED],
        input=pickle.dumps((list(LINES.values()), RUN)),
        env=environment,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    for line, found in zip(LINES.values(), pickle.loads(done.stdout), strict=True):
        expected = recursion.record(line, **RUN)
        assert expected.finished[:, -1].sum() > 50
        assert_same(found, expected, 1e-9)


@pytest.mark.skipif(has_device(), reason="there is a device")
def test_without_a_device_it_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="there is no NVIDIA GPU here"):
        simulate(LINES["fixed times that fail in operation"], days=1.0, engine="recursion on a GPU")


@pytest.mark.skipif(not has_device(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_a_device_gives_the_records_of_the_recursion(line: Plant) -> None:
    from coachbuilder.plant.flow.recursion.cuda.run import record

    assert_same(record(line, **RUN), recursion.record(line, **RUN), 1e-9)
