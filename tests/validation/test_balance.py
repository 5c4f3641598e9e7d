"""Line balancing against the published optima of the simple problem, and on lines of the size of a real plant."""

from __future__ import annotations

import csv
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from coachbuilder.formats.assembly_line import AssemblyLine, read_alb, read_in2, write_in2
from coachbuilder.plant.balance import (
    FitInputs,
    LineStation,
    LineTask,
    SimpleBalance,
    evaluate,
    salbp1,
    violations,
)
from coachbuilder.programme.sections.assembly import AssemblySection

DEFAULTS = AssemblySection.model_fields


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def check(line: AssemblyLine, takt: int, answer: SimpleBalance) -> None:
    """Count the answer again: every task once, takt kept, precedence kept."""
    loads = [0] * (answer.stations + 1)
    for task, station in enumerate(answer.assignment):
        assert 1 <= station <= answer.stations
        loads[station] += line.times[task]
        assert all(answer.assignment[earlier] <= station for earlier in line.predecessors[task])
    assert max(loads) <= takt
    assert all(loads[1:]) or min(line.times) == 0
    assert answer.lower_bound <= answer.stations


def test_scholls_instances_come_out_at_the_published_optimum_wherever_a_proof_is_claimed(shared_data: Path) -> None:
    folder = shared_data / "salbp"
    table = rows(folder / "scholl_salbp1_best_known.csv")
    lines = {name: read_in2(folder / "scholl" / f"{name}.IN2") for name in {row["graph"] for row in table}}
    proven = 0
    above = 0
    for row in table:
        line, takt, optimum = lines[row["graph"]], int(row["cycle_time"]), int(row["optimal_stations_sewell"])
        assert len(line.times) == int(row["n"])
        answer = salbp1(line.times, line.predecessors, takt, most_nodes=1_000_000)
        check(line, takt, answer)
        assert answer.lower_bound <= optimum <= answer.stations
        assert not answer.proven or answer.stations == optimum == answer.lower_bound
        proven += answer.proven
        above += answer.stations - optimum
    assert len(table) == 203
    # Measured: 198 proven with so little work, all 203 with more, and 2 stations too many on the others.
    assert proven >= 195
    assert above <= 4


@pytest.mark.parametrize(("size", "count", "step", "least_proven"), [("small", 20, 7, 1.0), ("medium", 50, 15, 0.8)])
def test_ottos_instances_come_out_within_the_published_bounds(
    shared_data: Path, size: str, count: int, step: int, least_proven: float
) -> None:
    folder = shared_data / "salbp"
    table = [row for row in rows(folder / "otto_best_known.csv") if row["n"] == str(count)][::step]
    assert len(table) >= 30
    proven = 0
    for row in table:
        line = read_alb(folder / "otto" / size / f"{row['filename']}.alb")
        assert line.cycle_time is not None
        assert len(line.times) == count
        answer = salbp1(line.times, line.predecessors, line.cycle_time, most_nodes=1_000_000)
        check(line, line.cycle_time, answer)
        lower, upper = int(row["salome_LB"]), int(row["salome_UB"])
        assert answer.stations >= lower
        assert answer.lower_bound <= upper
        assert not answer.proven or lower <= answer.stations <= upper
        proven += answer.proven
    assert proven >= least_proven * len(table)


def test_ottos_instances_of_a_hundred_tasks_are_answered_no_worse_than_by_salome(
    shared_data: Path,
) -> None:
    folder = shared_data / "salbp"
    known = {row["filename"]: row for row in rows(folder / "otto_best_known.csv") if row["n"] == "100"}
    files = sorted((folder / "otto" / "large").glob("*.alb"))[::10]
    assert len(files) >= 10
    for file in files:
        line = read_alb(file)
        assert line.cycle_time is not None
        answer = salbp1(line.times, line.predecessors, line.cycle_time, most_nodes=1_000_000)
        check(line, line.cycle_time, answer)
        row = known[file.stem]
        assert int(row["salome_LB"]) <= answer.stations <= int(row["salome_UB"])
        assert answer.lower_bound <= int(row["salome_UB"])


def test_every_published_graph_survives_being_written_and_read_again(shared_data: Path, tmp_path: Path) -> None:
    for file in sorted((shared_data / "salbp" / "scholl").glob("*.IN2")):
        line = read_in2(file)
        (tmp_path / file.name).write_text(write_in2(line))
        assert read_in2(tmp_path / file.name) == line


def test_the_order_strength_of_ottos_files_is_what_they_state(shared_data: Path) -> None:
    for file in sorted((shared_data / "salbp" / "otto" / "small").glob("*.alb"))[::25]:
        text = file.read_text().lower()
        stated = text.split("<order strength>")[1].split()[0].replace(",", ".")
        assert read_alb(file).order_strength() == pytest.approx(float(stated), abs=5.1e-4)


def as_mixed_line(line: AssemblyLine, takt: int, stations: int) -> FitInputs:
    """Return the simple problem as a line of one model with one operator a station."""
    return FitInputs(
        models=("car", "guest"),
        guest="guest",
        tasks=tuple(
            LineTask(
                id=str(number),
                name="",
                zone="",
                operators=1,
                stations=(),
                time_s=(float(seconds), 0.0),
                predecessors=before,
                resident=True,
                line=1,
            )
            for number, (seconds, before) in enumerate(zip(line.times, line.predecessors, strict=True))
        ),
        stations=tuple(LineStation(f"S{number}", "line", 1, 1, ("left",)) for number in range(stations)),
        reach=(("left", ("left",)),),
        operators_per_zone=1,
        overload_allowance=0.0,
        level_stations=False,
        moves_worth_an_operator=10.0,
        resident_units_per_year=(3600.0, 0.0),
        units_per_year=(3600.0, 0.0),
        net_hours_per_year=float(takt),
        planning_availability=1.0,
        resident_time_scale=1.0,
        guest_time_scale=1.0,
        starts=24,
        evaluations=300_000,
        seed=1,
    )


@pytest.mark.parametrize(
    ("graph", "takt", "optimum"),
    [
        ("MERTENS", 7, 5),
        ("JACKSON", 10, 5),
        ("MITCHELL", 21, 5),
        ("HESKIA", 216, 5),
        ("SAWYER30", 54, 7),
        ("KILBRID", 110, 6),
    ],
)
def test_the_mixed_model_search_finds_the_published_optimum_of_simple_lines(
    shared_data: Path, graph: str, takt: int, optimum: int
) -> None:
    folder = shared_data / "salbp"
    published = {(row["graph"], int(row["cycle_time"])): row for row in rows(folder / "scholl_salbp1_best_known.csv")}
    assert int(published[graph, takt]["optimal_stations_sewell"]) == optimum
    inputs = as_mixed_line(read_in2(folder / "scholl" / f"{graph}.IN2"), takt, optimum + 2)
    result = evaluate(inputs)
    assert violations(inputs, result.after) == []
    assert result.after.operators_lower_bound <= optimum
    assert result.operators == optimum


def test_the_mixed_model_search_loses_at_most_one_percent_on_simple_lines(shared_data: Path) -> None:
    folder = shared_data / "salbp"
    gaps = []
    for row in rows(folder / "scholl_salbp1_best_known.csv")[::12]:
        optimum = int(row["optimal_stations_sewell"])
        inputs = as_mixed_line(read_in2(folder / "scholl" / f"{row['graph']}.IN2"), int(row["cycle_time"]), optimum + 3)
        result = evaluate(replace(inputs, evaluations=50_000))
        assert violations(inputs, result.after) == []
        assert result.after.operators_lower_bound <= optimum <= result.operators
        gaps.append(result.operators / optimum - 1)
    assert len(gaps) == 17
    assert sum(gaps) / len(gaps) <= 0.01


def plant_line(seed: int) -> FitInputs:
    """Return 440 work elements of two residents and a guest on 106 stations, takt 90 s before and 60 s after."""
    draw = random.Random(seed)
    zones = (
        (58, ("left", "right", "inside", "front", "rear", "roof")),
        (27, ("left", "right", "under", "front", "rear")),
        (21, ("left", "right", "inside", "front", "rear", "under")),
    )
    stations = [
        LineStation(f"{prefix}{number + 1:02d}", prefix, 3, 1, at)
        for prefix, (count, at) in zip("TCF", zones, strict=True)
        for number in range(count)
    ]
    tasks: list[LineTask] = []
    earliest: list[int] = []
    for number in range(440):
        place = number * len(stations) // 440
        at = stations[place].zones
        base = min(draw.lognormvariate(3.0, 0.6), 50.0)
        times = [base * draw.uniform(0.9, 1.1) if draw.random() > 0.1 else 0.0 for _ in range(2)]
        times.append(base * draw.uniform(0.85, 1.15) if draw.random() > 0.2 else 0.0)
        if not any(times):
            times[2] = base
        before = tuple(
            sorted(
                {draw.randrange(max(0, number - 25), number) for _ in range(draw.choice((0, 1, 1, 2)))}
                if number
                else ()
            )
        )
        low = max((earliest[earlier] for earlier in before), default=0)
        fixed: tuple[int, ...] = ()
        if draw.random() < 0.08:
            fixed = tuple(range(max(low, place - 1), max(low, place - 1) + draw.choice((1, 3))))
            fixed = tuple(station for station in fixed if station < len(stations))
        earliest.append(fixed[0] if fixed else low)
        tasks.append(
            LineTask(
                id=f"t{number}",
                name="",
                zone="" if fixed else draw.choice((*at, "")),
                operators=2 if draw.random() < 0.05 else 1,
                stations=fixed,
                time_s=tuple(times),
                predecessors=before,
                resident=times[0] + times[1] > 0,
                line=number + 2,
            )
        )
    return FitInputs(
        models=("sedan", "wagon", "guest"),
        guest="guest",
        tasks=tuple(tasks),
        stations=tuple(stations),
        reach=(
            ("left", ("left", "front", "rear")),
            ("right", ("right", "front", "rear")),
            ("front", ("front", "left", "right")),
            ("rear", ("rear", "left", "right")),
            ("inside", ("inside",)),
            ("under", ("under",)),
            ("roof", ("roof", "left", "right")),
        ),
        operators_per_zone=2,
        overload_allowance=0.1,
        level_stations=True,
        moves_worth_an_operator=10.0,
        resident_units_per_year=(60_000.0, 40_000.0, 0.0),
        units_per_year=(60_000.0, 40_000.0, 50_000.0),
        net_hours_per_year=4000.0,
        planning_availability=60.0 * 150_000 / 4000 / 3600,
        resident_time_scale=1.0,
        guest_time_scale=1.0,
        starts=24,
        evaluations=400_000,
        seed=seed,
    )


def test_a_line_of_a_plants_size_keeps_every_rule_and_comes_near_the_bound() -> None:
    inputs = plant_line(1)
    result = evaluate(inputs)
    assert violations(inputs, result.before) == []
    assert violations(inputs, result.after) == []
    assert result.before.takt_s == pytest.approx(90.0)
    assert result.takt_s == pytest.approx(60.0)
    assert result.before.operators <= 1.15 * result.before.operators_lower_bound
    assert result.operators <= 1.20 * result.after.operators_lower_bound
    assert result.operators > result.before.operators


def test_the_guest_in_place_of_residents_moves_few_of_their_tasks() -> None:
    # The takt stays: what the residents give up the guest takes.
    inputs = plant_line(2)
    tasks = tuple(
        replace(task, time_s=(task.time_s[0], task.time_s[1], max(task.time_s[:2]) if number % 7 else 20.0))
        for number, task in enumerate(inputs.tasks)
    )
    inputs = replace(
        inputs,
        tasks=tasks,
        resident_units_per_year=(90_000.0, 60_000.0, 0.0),
        units_per_year=(90_000.0, 60_000.0, 6_000.0),
        overload_allowance=0.5,
    )
    cheap = evaluate(replace(inputs, moves_worth_an_operator=1000.0))
    dear = evaluate(replace(inputs, moves_worth_an_operator=2.0))
    assert violations(inputs, dear.after) == []
    assert len(dear.moved_tasks) < len(cheap.moved_tasks)
    assert len(dear.moved_tasks) < 0.15 * dear.resident_tasks
    assert cheap.operators <= dear.operators


def sorting_s() -> float:
    """Return the processor time of a fixed piece of work, about a second: by it machines, busy or not, compare."""
    draw = random.Random(1)
    numbers = [draw.random() for _ in range(300_000)]
    began = time.process_time()
    for _ in range(15):
        sorted(numbers)
    return time.process_time() - began


def test_a_search_of_the_default_length_on_a_line_of_a_plants_size_takes_seconds() -> None:
    inputs = plant_line(3)
    inputs = replace(inputs, starts=DEFAULTS["starts"].default, evaluations=DEFAULTS["evaluations"].default)
    evaluate(replace(inputs, evaluations=10))
    before_s = sorting_s()
    began = time.process_time()
    evaluate(inputs)
    search_s = time.process_time() - began
    # Measured: 8.4 to 10.0 times, however busy the machine, which alone makes seconds differ by half.
    assert search_s < 15.0 * (before_s + sorting_s()) / 2.0
