"""Lines of 20 to 60 tasks with every rule in play, against a CP-SAT model of the same rules.

The model stops at a deterministic time, one thread a line, so that what it proves does not depend on the machine. It
proves its bound first without the rule that an operator's tasks keep one order on all models (a relaxation that it
settles sooner), then with it.
"""

from __future__ import annotations

import random
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

import exact_line as oracle
from coachbuilder.plant.balance import FitInputs, LineBalance, LineStation, LineTask, evaluate, violations
from coachbuilder.programme.errors import InputError

MOST_DETERMINISTIC_TIME = 1.0
"""A few seconds on an idle core."""
REACH = (
    ("left", ("left", "front", "rear")),
    ("right", ("right", "front", "rear")),
    ("front", ("front", "left", "right")),
    ("rear", ("rear", "left")),
    ("inside", ("inside",)),
    ("under", ("under",)),
)
ZONES = tuple(zone for zone, _ in REACH)
HEIGHTS = ("low", "mid", "high")
SKILLS = ("weld", "high-voltage", "airbag")


def drawn_line(seed: int, tasks: int, models: int) -> FitInputs:
    """Return a line in whole seconds and points, takt 60 s, of two or three models in unequal shares."""
    draw = random.Random(seed * 1009 + tasks)
    stations = tuple(
        LineStation(
            f"S{number}",
            "line",
            max_operators=draw.choice((2, 3, 3)),
            lanes=1,
            zones=tuple(sorted(draw.sample(ZONES, 5))),
            heights=tuple(sorted(draw.sample(HEIGHTS, 2))) if draw.random() < 0.3 else (),
            min_operators=draw.choice((0, 0, 0, 0, 1)),
        )
        for number in range(round(tasks / 7))
    )
    trained = tuple(sorted(draw.sample(range(len(stations)), max(2, len(stations) * 2 // 3))))
    elements = []
    for number in range(tasks):
        base = min(max(draw.lognormvariate(2.6, 0.5), 4.0), 40.0)
        times = [0.0 if draw.random() < 0.2 else float(round(base * draw.uniform(0.9, 1.1))) for _ in range(models)]
        if not any(times):
            times[0] = float(round(base))
        place = number * len(stations) // tasks
        near = range(max(0, place - 1), min(len(stations), place + 2))
        fixed = tuple(sorted(draw.sample(near, draw.choice((1, 2))))) if draw.random() < 0.07 else ()
        skill = draw.choice(SKILLS) if draw.random() < 0.15 else ""
        just_before = range(max(0, number - 4), number)
        elements.append(
            LineTask(
                id=f"t{number}",
                name="",
                zone="" if fixed else draw.choice((*stations[place].zones, "", "")),
                operators=2 if draw.random() < 0.08 else 1,
                stations=fixed,
                time_s=tuple(times),
                predecessors=tuple(other for other in range(max(0, number - 8), number) if draw.random() < 0.15),
                resident=any(times[:-1]),
                line=number + 2,
                height=draw.choice(HEIGHTS) if draw.random() < 0.1 else "",
                skill=skill,
                skill_stations=trained if skill == "weld" else (),
                ergonomic_points=float(draw.randint(1, 9)) if draw.random() < 0.5 else 0.0,
                same_station=(draw.choice(just_before),) if number and draw.random() < 0.05 else (),
                other_station=(draw.choice(just_before),) if number and draw.random() < 0.05 else (),
            )
        )
    units = (30.0, 20.0, 10.0) if models == 3 else (40.0, 20.0)
    return FitInputs(
        models=("sedan", "wagon", "guest")[3 - models :],
        guest="guest",
        tasks=tuple(elements),
        stations=stations,
        reach=REACH,
        operators_per_zone=draw.choice((1, 2)),
        overload_allowance=draw.choice((0.0, 0.1, 0.2)),
        level_stations=draw.random() < 0.5,
        moves_worth_an_operator=10.0,
        resident_units_per_year=(0.0,) * models,
        units_per_year=units,
        net_hours_per_year=1.0,
        planning_availability=1.0,
        resident_time_scale=1.0,
        guest_time_scale=1.0,
        starts=24,
        evaluations=2_000_000,
        seed=seed,
        skills_per_operator=draw.choice((1, 2)),
        ergonomic_limit_points_per_shift=draw.choice((900.0, 1200.0)),
        shifts_per_year=1.0,
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """A line as balanced, and what the exact model knows of it."""

    inputs: FitInputs
    line: LineBalance
    bound: int
    """Operators that the model proves necessary."""
    fewest: int
    """Operators of the best line known, of the model with one order on all models or of the engine."""


def solved(inputs: FitInputs, line: LineBalance | None, one_order: bool) -> tuple[Any, Any]:
    """Return the exact model's solver and status; it starts from ``line``."""
    from ortools.sat.python import cp_model

    exact = oracle.exact_line(inputs)
    if one_order:
        oracle.keep_one_order(inputs, exact)
    exact.model.minimize(exact.operators)
    if line is not None:
        for variable, value in oracle.values_of(inputs, exact, line).values():
            exact.model.add_hint(variable, value)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = MOST_DETERMINISTIC_TIME
    return solver, solver.solve(exact.model)


def compared(inputs: FitInputs, line: LineBalance) -> Compared:
    """Return what the exact model knows of a line, first without one order on all models, then with it."""
    solver, _ = solved(inputs, line, one_order=False)
    bound = round(solver.best_objective_bound)
    if bound >= line.operators:
        return Compared(inputs, line, bound, line.operators)
    solver, status = solved(inputs, line, one_order=True)
    bound = max(bound, round(solver.best_objective_bound))
    known = round(solver.objective_value) if solver.status_name(status) in FOUND else line.operators
    return Compared(inputs, line, bound, min(known, line.operators))


FOUND = ("OPTIMAL", "FEASIBLE")
STATED = re.compile(" states? | stated|add up to the mean")
LINES = ((1, 20, 2), (2, 28, 3), (2, 36, 2), (1, 44, 3), (1, 52, 2), (1, 60, 3))
"""Seed, tasks and models: of each size the first seed, from 1 on, whose line exists at all."""
NO_LINES = ((1, 28, 3), (1, 36, 2))
"""Seeds that give a line which cannot be built."""


@pytest.fixture(scope="module")
def lines() -> list[Compared]:
    drawn = [drawn_line(*each) for each in LINES]
    balanced = [evaluate(inputs).after for inputs in drawn]
    with ThreadPoolExecutor(2) as two:
        return list(two.map(compared, drawn, balanced))


def test_the_lines_have_every_rule_in_play(lines: list[Compared]) -> None:
    tasks = [task for each in lines for task in each.inputs.tasks]
    stations = [station for each in lines for station in each.inputs.stations]
    assert [len(each.inputs.tasks) for each in lines] == [20, 28, 36, 44, 52, 60]
    assert {len(each.inputs.models) for each in lines} == {2, 3}
    for rule in ("zone", "stations", "height", "skill", "skill_stations", "ergonomic_points"):
        assert sum(bool(getattr(task, rule)) for task in tasks) >= 5, rule
    assert sum(bool(task.same_station) for task in tasks) >= 5
    assert sum(bool(task.other_station) for task in tasks) >= 5
    assert sum(task.operators == 2 for task in tasks) >= 5
    assert any(station.heights for station in stations)
    assert any(station.min_operators for station in stations)
    assert max(crew.operators for each in lines for crew in each.line.stations) == 3
    assert {each.inputs.overload_allowance > 0 for each in lines} == {True, False}


def test_every_line_keeps_the_rules_of_the_exact_model(lines: list[Compared]) -> None:
    from ortools.sat.python import cp_model

    for each in lines:
        assert violations(each.inputs, each.line) == []
        exact = oracle.exact_line(each.inputs)
        oracle.keep_one_order(each.inputs, exact)
        oracle.fix(each.inputs, exact, each.line)
        exact.model.add(exact.operators == each.line.operators)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        assert solver.status_name(solver.solve(exact.model)) in FOUND


def test_no_line_has_fewer_operators_than_the_exact_model_proves_necessary(lines: list[Compared]) -> None:
    for each in lines:
        assert each.line.operators >= each.bound
        assert each.line.operators_lower_bound <= each.fewest


def test_where_the_exact_model_proves_the_fewest_operators_the_line_is_near_them(lines: list[Compared]) -> None:
    proven = [each for each in lines if each.fewest == each.bound]
    above = [each.line.operators - each.bound for each in proven]
    # Measured: the lines of 20, 28 and 36 tasks are settled, and the engine has their fewest operators.
    assert len(proven) >= 3
    assert max(above) <= 1
    assert sum(above) <= 1


@pytest.mark.xfail(
    strict=True,
    reason="on the line of 52 tasks the search stays at 19 operators; other seeds of the search find 14, and 20",
)
def test_no_line_has_more_than_one_operator_above_the_best_line_known(lines: list[Compared]) -> None:
    assert max(each.line.operators - each.fewest for each in lines) <= 1


def test_most_lines_have_at_most_one_operator_above_the_best_line_known(lines: list[Compared]) -> None:
    assert sum(each.line.operators - each.fewest <= 1 for each in lines) >= len(lines) - 1


@pytest.mark.parametrize(("seed", "tasks", "models"), NO_LINES)
def test_a_line_that_is_refused_is_proven_impossible_by_the_exact_model(seed: int, tasks: int, models: int) -> None:
    inputs = drawn_line(seed, tasks, models)
    with pytest.raises(InputError, match="no station left"):
        evaluate(replace(inputs, evaluations=100_000))
    solver, status = solved(inputs, None, one_order=True)
    assert solver.status_name(status) == "INFEASIBLE"


def test_the_exact_model_refuses_lines_changed_so_that_they_break_a_rule(lines: list[Compared]) -> None:
    from ortools.sat.python import cp_model

    draw = random.Random(1)
    refused = 0
    agreed = 0
    for each in lines[:4]:
        for _ in range(15):
            # One task goes to another operator's work, where it is begun last.
            moved, other = draw.sample(each.line.assignment, 2)
            task = next(task for task in each.inputs.tasks if task.id == moved.task)
            if len(other.operators) != task.operators:
                continue
            rest = [place for place in each.line.assignment if place is not moved]
            last = max(number for number, place in enumerate(rest) if place.station == other.station)
            there = replace(moved, station=other.station, operators=other.operators)
            changed = replace(each.line, assignment=(*rest[: last + 1], there, *rest[last + 1 :]), operator_loads=())
            # What the line states of itself is that of the line before the change.
            broken = [text for text in violations(each.inputs, changed) if not STATED.search(text)]
            exact = oracle.exact_line(each.inputs)
            oracle.keep_one_order(each.inputs, exact)
            oracle.fix(each.inputs, exact, changed)
            solver = cp_model.CpSolver()
            solver.parameters.num_workers = 1
            if solver.status_name(solver.solve(exact.model)) in FOUND:
                # Another order of the tasks than the one tried may be the one that keeps the rules.
                agreed += not broken
            else:
                assert broken
                refused += 1
    assert refused >= 20
    assert agreed >= 1
