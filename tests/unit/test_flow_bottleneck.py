"""The bottleneck of plants that were made with a known one."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from coachbuilder.plant.flow.bottleneck import chosen, neighbours_of, no_arrow_away
from coachbuilder.plant.flow.plant import (
    Buffer,
    CarType,
    Failure,
    MovingLine,
    Plant,
    Source,
    Station,
    Test,
    Time,
    Way,
    serial_line,
)
from coachbuilder.plant.flow.simulate import simulate


def _benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "flow_bottleneck.py"
    spec = importlib.util.spec_from_file_location("flow_bottleneck", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["flow_bottleneck"] = module
    spec.loader.exec_module(module)
    return module


benchmark = _benchmark()


@pytest.mark.parametrize("kind", ["cycle", "failures"])
def test_the_machine_made_slowest_is_found_in_19_of_20_lines(kind: str) -> None:
    found = 0
    for seed in range(20):
        line = benchmark.generated(kind, seed)
        found += simulate(line.plant, days=5.0, replications=2, warm_up_h=24.0).bottleneck.station == line.bottleneck
    assert found >= 19


def test_generated_lines_are_as_they_say() -> None:
    for kind in ("cycle", "failures"):
        for seed in range(20):
            line = benchmark.generated(kind, seed)
            effective_s = {}
            for station in line.plant.stations:
                assert isinstance(station, Station)
                failure = station.failures[0]
                ratio = failure.to_repair.mean_s / failure.to_failure.mean_s
                effective_s[station.id] = station.cycle[0].mean_s * (1.0 + ratio)
            slowest = effective_s.pop(line.bottleneck)
            assert 1.08 <= slowest / max(effective_s.values()) <= 1.15


def test_of_nearly_equal_machines_the_one_that_the_others_wait_for_is_chosen() -> None:
    # The first has the largest active share, but the second is waited for on both sides.
    assert chosen(np.array([0.90, 0.89, 0.80]), np.array([0.02, 0.15, 0.08])) == 1
    # One that is far slower is chosen whatever its neighbours do.
    assert chosen(np.array([0.96, 0.80]), np.array([0.0, 0.4])) == 0


def test_arrows_point_to_the_slow_machine_of_a_line_without_chance() -> None:
    answer = simulate(serial_line([Time(50.0), Time(60.0), Time(40.0)], [2, 2]), days=1.0, replications=1)
    assert answer.bottleneck.arrows == answer.bottleneck.station == answer.bottleneck.longest_active_period == "m2"
    assert answer.bottleneck.margin == pytest.approx(0.2, abs=0.01)
    line = neighbours_of(serial_line([Time(1.0)] * 3, [1, 1]))
    assert line.before == ((), (0,), (1,))
    assert no_arrow_away(np.array([0.1, 0.0, 0.0]), np.array([0.0, 0.2, 0.0]), line) == 0


def plant_with(parallel_s: float, takt_s: float, repair_s: float) -> Plant:
    """Three machines side by side, then a test with a rework loop, then a moving line."""
    stop = (Failure("stop", Time.exponential(3600.0), Time.exponential(240.0)),)
    return Plant(
        (CarType("car"),),
        (
            Station("weld", (Time.gamma(parallel_s, 0.2),), (Way(("painted",)),), machines=3, failures=stop),
            Station("check", (Time(40.0),), (Way(("ready",)),), test=Test((0.85,), ("yard",)), failures=stop),
            Station("repair", (Time.gamma(repair_s, 0.3),), (Way(("mended",)),)),
            MovingLine("assembly", 10, (Time(takt_s),), failures=stop),
        ),
        (Source("source", "weld"),),
        # Mended cars have places of their own and go first, or the loop of rework would stand still once it is full.
        (
            Buffer("painted", "check", 8, priority=2),
            Buffer("mended", "check", 8),
            Buffer("yard", "repair", 60),
            Buffer("ready", "assembly", 8),
        ),
    )


@pytest.mark.parametrize(
    ("plant", "station"),
    [
        (plant_with(180.0, 50.0, 60.0), "weld"),
        (plant_with(150.0, 60.0, 60.0), "assembly"),
        (plant_with(150.0, 50.0, 480.0), "repair"),
    ],
)
def test_machines_side_by_side_moving_lines_and_rework_are_found(plant: Plant, station: str) -> None:
    answer = simulate(plant, days=5.0, replications=4, warm_up_h=12.0)
    assert answer.bottleneck.station == station
    assert answer.bottleneck.machine.split(".")[0] == station


def test_gaps_on_a_moving_line_are_no_work() -> None:
    plant = plant_with(180.0, 30.0, 60.0)
    answer = simulate(plant, days=3.0, replications=2, warm_up_h=12.0)
    activity = {item.station: item for item in answer.bottleneck.stations}
    assert activity["assembly"].active_share < 0.65
    assert answer.bottleneck.station == "weld"
    faster = simulate(
        replace(plant, stations=(replace(plant.stations[0], machines=9), *plant.stations[1:])),
        days=3.0,
        replications=2,
        warm_up_h=12.0,
    )
    assert faster.bottleneck.station == "check"
