"""The smallest takt against what is published of the fewest stations, and against an exact model."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from coachbuilder.formats.assembly_line import AssemblyLine, read_in2
from coachbuilder.plant.balance import TaktBalance, salbp2, salbpe


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "salbp"


def published(folder: Path) -> dict[str, list[tuple[int, int]]]:
    """Return pairs of takt and fewest stations by graph, as published."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    with (folder / "scholl_salbp1_best_known.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            found[row["graph"]].append((int(row["cycle_time"]), int(row["optimal_stations_sewell"])))
    return found


def check(line: AssemblyLine, answer: TaktBalance) -> None:
    """Count the answer again: every task once, precedence kept, the takt that of the largest load."""
    loads = [0] * (answer.stations + 1)
    for task, station in enumerate(answer.assignment):
        assert 1 <= station <= answer.stations
        loads[station] += line.times[task]
        assert all(answer.assignment[earlier] <= station for earlier in line.predecessors[task])
    assert max(loads) == answer.takt
    assert answer.lower_bound <= answer.takt
    assert answer.proven == (answer.lower_bound == answer.takt)


def test_smallest_takts_agree_with_the_published_fewest_stations(folder: Path) -> None:
    """Where m stations are the fewest for a takt, m allow it and m - 1 do not: no smallest takt may say otherwise."""
    answers = 0
    proven = 0
    for graph, pairs in sorted(published(folder).items()):
        line = read_in2(folder / "scholl" / f"{graph}.IN2")
        counts = sorted({stations - fewer for _, stations in pairs for fewer in (0, 1)} - {0})
        for stations in counts[:: max(1, len(counts) // 3)]:
            answer = salbp2(line.times, line.predecessors, stations, most_nodes=2_000_000)
            check(line, answer)
            answers += 1
            proven += answer.proven
            for takt, fewest in pairs:
                if fewest <= stations:
                    assert answer.lower_bound <= takt, (graph, stations, takt)
                else:
                    assert answer.takt > takt, (graph, stations, takt)
    assert answers >= 60
    assert proven >= 0.8 * answers


def exact_takt(line: AssemblyLine, stations: int) -> int:
    """Return the smallest takt by CP-SAT: stations as boolean rows, the takt above each station's load."""
    cp_model: Any = pytest.importorskip("ortools.sat.python.cp_model")
    model = cp_model.CpModel()
    n = len(line.times)
    at = [[model.new_bool_var("") for _ in range(stations)] for _ in range(n)]
    by = [[sum(at[task][: last + 1]) for last in range(stations)] for task in range(n)]
    takt = model.new_int_var(max(line.times), sum(line.times), "takt")
    for task in range(n):
        model.add_exactly_one(at[task])
        for earlier in line.predecessors[task]:
            for last in range(stations - 1):
                model.add(by[earlier][last] >= by[task][last])
    for station in range(stations):
        model.add(sum(line.times[task] * at[task][station] for task in range(n)) <= takt)
    model.minimize(takt)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = 60
    assert solver.solve(model) == cp_model.OPTIMAL
    return int(solver.objective_value)


@pytest.mark.parametrize(
    ("graph", "stations"),
    [
        ("MERTENS", 4),
        ("BOWMAN8", 5),
        ("JAESCHKE", 5),
        ("JACKSON", 4),
        ("MANSOOR", 3),
        ("MITCHELL", 5),
        ("ROSZIEG", 6),
        ("HESKIA", 4),
        ("BUXEY", 8),
        ("SAWYER30", 9),
        ("GUNTHER", 7),
        ("LUTZ1", 9),
    ],
)
def test_smallest_takts_are_those_of_an_exact_model(folder: Path, graph: str, stations: int) -> None:
    line = read_in2(folder / "scholl" / f"{graph}.IN2")
    answer = salbp2(line.times, line.predecessors, stations)
    check(line, answer)
    assert answer.proven
    assert answer.takt == exact_takt(line, stations)


def test_the_most_efficient_line_is_the_best_of_its_smallest_takts(folder: Path) -> None:
    line = read_in2(folder / "scholl" / "SAWYER30.IN2")
    each = [salbp2(line.times, line.predecessors, stations) for stations in range(7, 12)]
    assert all(answer.proven for answer in each)
    best = salbpe(line.times, line.predecessors, (7, 11))
    assert best.proven
    assert best.stations * best.takt == min(answer.stations * answer.takt for answer in each)


def test_large_graphs_come_out_near_their_bound_soon(folder: Path) -> None:
    """A tenth of the published pairs of graph and stations: most are proven, the mean gap is small."""
    with (folder / "scholl_salbp2_range.csv").open(newline="") as stream:
        pairs = [(row["graph"], int(row["stations"])) for row in csv.DictReader(stream)]
    assert len(pairs) == 219
    gaps = []
    for graph, stations in pairs[4::10]:
        line = read_in2(folder / "scholl" / f"{graph}.IN2")
        answer = salbp2(line.times, line.predecessors, stations, most_nodes=3_000_000)
        check(line, answer)
        gaps.append(answer.takt / answer.lower_bound - 1)
    assert sum(gaps) / len(gaps) <= 0.005
    assert sum(gap == 0 for gap in gaps) >= 0.7 * len(gaps)
