"""The engine of the flow simulation against a slow simulator written from the rules alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import flow_oracle as oracle
import flow_plants
from coachbuilder.plant.flow import engine
from coachbuilder.plant.flow.plant import (
    Batch,
    Blocking,
    Buffer,
    CarrierLoop,
    CarType,
    FailedCar,
    Failure,
    FailureClock,
    MovingLine,
    Plant,
    Source,
    Station,
    Time,
    Way,
    serial_line,
)
from coachbuilder.plant.flow.record import ACTIVE, NOT_CONSERVED

plants = flow_plants.plants
UNTIL_S: float = flow_plants.UNTIL_S
SLOW = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)
"""A plant that differs is told as it is: making it smaller would take long."""

ROWS = 200_000


def _events(rows: Any) -> NDArray[np.float64]:
    """Return a trace for comparison, in its order: held cars are told by their sums, cars in failing machines not."""
    events = np.asarray(rows, dtype=np.float64).reshape(-1, 5)
    events = events[events[:, 4] != oracle.HELD]
    events[events[:, 4] >= oracle.FAILED, 2:4] = -1.0
    return events


@settings(SLOW, max_examples=150)
@given(plants(), st.integers(0, 3))
def test_engine_and_oracle_agree_event_for_event(plant: Plant, replication: int) -> None:
    found = _events(engine.trace(plant, seed=3, replication=replication, until_s=UNTIL_S, rows=ROWS))
    expected = _events(oracle.trace(plant, seed=3, replication=replication, until_s=UNTIL_S))
    rows = min(len(found), len(expected))
    np.testing.assert_array_equal(found[:rows, 1:], expected[:rows, 1:])
    np.testing.assert_allclose(found[:rows, 0], expected[:rows, 0], rtol=1e-9, atol=1e-9)
    assert len(found) == len(expected)


def _has_standing(plant: Plant) -> bool:
    """Whether machines may stand in other ways than in their jobs: active periods are then told in other words."""
    return any(
        station.calendar
        or getattr(station, "maintenance", None)
        or any(
            failure.clock is FailureClock.PLANT
            for failure in (*station.failures, *(station.station_failures if isinstance(station, MovingLine) else ()))
        )
        for station in plant.stations
    )


@settings(SLOW, max_examples=60)
@given(plants())
def test_engine_and_oracle_agree_in_all_sums(plant: Plant) -> None:
    run = {"seed": 5, "first": 1, "replications": 1, "start_s": 200.0, "batch_s": 250.0, "batches": 4}
    found = engine.record(plant, **run)  # type: ignore[arg-type]
    expected = oracle.record(plant, **run)
    for name in ("at_start", "remaining", "out"):
        np.testing.assert_array_equal(getattr(found, name), expected[name], err_msg=name)
    for name in ("finished", "car"):
        change = np.diff(getattr(found, name), axis=1)
        np.testing.assert_array_equal(change, np.diff(expected[name], axis=1), err_msg=name)
    columns = slice(0, ACTIVE if _has_standing(plant) else None)
    for name in ("machine", "level", "inside", "lead", "place", "carriers"):
        own, other = np.diff(getattr(found, name), axis=1), np.diff(expected[name], axis=1)
        if name == "machine":
            own, other = own[..., columns], other[..., columns]
        np.testing.assert_allclose(own, other, rtol=1e-6, atol=1e-6, err_msg=name)


@settings(SLOW, max_examples=60)
@given(plants())
def test_cars_are_conserved_and_a_replication_is_the_same_alone_and_in_a_block(plant: Plant) -> None:
    block = engine.record(plant, seed=7, first=0, replications=3, start_s=0.0, batch_s=UNTIL_S / 3, batches=3)
    alone = engine.record(plant, seed=7, first=2, replications=1, start_s=0.0, batch_s=UNTIL_S / 3, batches=3)
    for name in ("out", "machine", "finished", "level", "inside", "car", "lead", "place", "carriers", "remaining"):
        np.testing.assert_array_equal(getattr(block, name)[2], getattr(alone, name)[0], err_msg=name)
    came, *went = np.moveaxis(block.car[:, -1, :, :4], -1, 0)
    np.testing.assert_array_equal(block.at_start + came, sum(went) + block.remaining)
    assert not (block.ended == NOT_CONSERVED).any()
    counted = np.diff(block.machine[..., :ACTIVE], axis=1)
    assert counted.min() > -1e-6
    assert counted.sum(axis=-1).max() < UNTIL_S / 3 + 1e-6


@settings(SLOW, max_examples=20)
@given(st.integers(0, 10_000), st.integers(0, 2))
def test_a_changed_machine_leaves_the_luck_of_the_others_alone(seed: int, changed: int) -> None:
    """Far buffers and sources that never run dry: each machine then works as if it were alone."""
    failure = Failure("stop", Time.exponential(500.0), Time.lognormal(60.0, 0.8))
    plain = serial_line([Time.gamma(60.0, 0.5)] * 3, [100_000] * 2, failures=[(failure,)] * 3)
    # Cars for 10 hours stand in front of every machine.
    full = replace(plain, buffers=tuple(replace(item, filled=("car",) * 1000) for item in plain.buffers))
    other = Station("x", (Time.exponential(45.0),))
    stations = list(full.stations)
    stations[changed] = replace(stations[changed], cycle=other.cycle, failures=())

    def ends(plant: Plant) -> list[NDArray[np.float64]]:
        trace = np.asarray(engine.trace(plant, seed=seed, replication=1, until_s=20_000.0, rows=ROWS))
        trace = trace[trace[:, 4] == oracle.FINISHED]
        return [trace[trace[:, 1] == row, 0] for row in range(3)]

    before, after = ends(full), ends(replace(full, stations=tuple(stations)))
    for row in range(3):
        if row == changed:
            assert before[row][0] != after[row][0]
        else:
            np.testing.assert_array_equal(before[row], after[row])


@settings(SLOW, max_examples=200)
@given(st.floats(0.0, 1e4), st.floats(10.0, 1e3), st.integers(1, 4))
@example(1000.0, 243600.24526405722, 1)
def test_the_last_sums_are_there_whatever_the_rounding(start_s: float, batch_s: float, batches: int) -> None:
    line = serial_line([Time(1.0)], [])
    run = engine.record(line, seed=1, first=0, replications=1, start_s=start_s, batch_s=batch_s, batches=batches)
    np.testing.assert_allclose(run.inside[0, -1], start_s + batches * batch_s, rtol=1e-9)


def test_no_worker_of_a_line_that_stops_does_more_work_than_there_is_time() -> None:
    """Work of 20 s and 18 s a car, a takt of 10 s: without help a car takes 20 s, however long the stations are."""
    for length_s in ((10.0,), (15.0,), (12.0, 40.0)):
        line = MovingLine("line", 2, (Time(10.0),), work_s=((20.0,), (18.0,)), length_s=length_s)
        plant = replace(serial_line([Time(1.0)], []), stations=(line,), sources=(Source("source", "line"),))
        run = engine.record(plant, seed=1, first=0, replications=1, start_s=2_000.0, batch_s=2_000.0, batches=1)
        assert run.out.sum() == 100
        assert run.place[0, -1, :, 2].sum() - run.place[0, 0, :, 2].sum() == pytest.approx(1_000.0)


WELD, PACK = Station("weld", (Time(60.0),), (Way(("b",)),)), Station("pack", (Time(60.0),))
BEFORE = replace(WELD, blocking=Blocking.BEFORE_SERVICE)
BUFFERS = (Buffer("b", "pack", 2), Buffer("c", "pack", 2), Buffer("none", "pack", 0))
CORD = Failure("cord", Time(600.0), Time(60.0), car=FailedCar.SCRAP)
WORKED = Plant((CarType("car"),), (WELD, PACK), (Source("source", "weld"),), BUFFERS)


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (replace(WORKED, stations=(replace(BEFORE, ways=(Way(("b", "c")),)), PACK)), "weld: .*one buffer"),
        (replace(WORKED, stations=(replace(BEFORE, ways=(Way(("none",)),)), PACK)), "weld: .*places"),
        (replace(WORKED, stations=(replace(BEFORE, batch=Batch(2)), PACK)), "weld: .*no batch"),
        (replace(WORKED, stations=(replace(BEFORE, lose_when_full=True), PACK)), "weld: .*lose_when_full"),
        (replace(WORKED, stations=(WELD, MovingLine("pack", 2, (Time(60.0),), failures=(CORD,)))), "pack: .*goes on"),
        (replace(WORKED, stations=(WELD, MovingLine("pack", 2, (Time(60.0),), station_failures=(CORD,)))), "pack: "),
        (replace(WORKED, carriers=(CarrierLoop("k", 1, "weld", "weld"), CarrierLoop("l", 1, "weld", "pack"))), "load"),
        (
            replace(WORKED, carriers=(CarrierLoop("k", 1, "weld", "pack"), CarrierLoop("l", 1, "pack", "pack"))),
            "unload",
        ),
    ],
)
def test_what_cannot_be_simulated_is_refused_by_name(plant: Plant, words: str) -> None:
    engine.build(WORKED, seed=1, batches=1)
    with pytest.raises(ValueError, match=words):
        engine.build(plant, seed=1, batches=1)


def test_oracle_meets_closed_forms() -> None:
    """It is what the engine is measured against, so it is measured itself where the answer is known."""
    line = serial_line([Time.exponential(60.0), Time.exponential(60.0)], [1])
    run = oracle.record(line, seed=1, first=0, replications=8, start_s=6_000.0, batch_s=30_000.0, batches=10)
    rates = run["out"].sum(axis=(1, 2)) / 5_000.0
    assert abs(rates.mean() - 0.75) < 4.0 * rates.std(ddof=1) / np.sqrt(8)
    failure = Failure("stop", Time.exponential(900.0), Time.exponential(100.0))
    single = serial_line([Time(60.0)], [], failures=[(failure,)])
    run = oracle.record(single, seed=1, first=0, replications=8, start_s=0.0, batch_s=60_000.0, batches=10)
    rates = run["out"].sum(axis=(1, 2)) / 10_000.0
    assert rates.mean() == pytest.approx(0.9, abs=4.0 * float(rates.std(ddof=1)) / np.sqrt(8))
