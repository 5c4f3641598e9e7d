"""Putting the guest on a line that runs: today's line, moves in words, budgets, what moves buy, what stops it."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coachbuilder.plant.balance import (
    FitInputs,
    FitResult,
    LineStation,
    LineTask,
    TaskPlace,
    TradeOff,
    evaluate,
    moving_violations,
    violations,
)
from coachbuilder.plant.balance.conflict import Case, Kind, Requirement, smallest_conflict
from coachbuilder.programme.errors import InputError, Problem, ProblemList
from coachbuilder.programme.line import LinePlace, read_line
from coachbuilder.programme.loading import load

fit: Any = import_module("coachbuilder.plant.balance.evaluate")
ZONES = ("left", "right", "front", "rear", "inside", "under", "roof")


def station(name: str, **changes: Any) -> LineStation:
    return replace(LineStation(id=name, segment="line", max_operators=2, lanes=1, zones=ZONES), **changes)


def task(name: str, resident_s: float, guest_s: float = 0.0, before: tuple[int, ...] = (), **changes: Any) -> LineTask:
    plain = LineTask(
        id=name,
        name=f"Do {name}",
        zone="",
        operators=1,
        stations=(),
        time_s=(resident_s, guest_s),
        predecessors=before,
        resident=resident_s > 0,
        line=2,
    )
    return replace(plain, **changes)


def line(*tasks: LineTask, stations: tuple[LineStation, ...], **changes: Any) -> FitInputs:
    """Return a line at takt 60 s before and with the guest, which is as frequent as the resident."""
    plain = FitInputs(
        models=("resident", "guest"),
        guest="guest",
        tasks=tasks,
        stations=stations,
        reach=tuple((zone, (zone,)) for zone in ZONES),
        operators_per_zone=2,
        overload_allowance=1.0,
        level_stations=True,
        moves_worth_an_operator=10.0,
        resident_units_per_year=(60.0, 0.0),
        units_per_year=(30.0, 30.0),
        net_hours_per_year=2.0,
        planning_availability=0.5,
        resident_time_scale=1.0,
        guest_time_scale=1.0,
        starts=6,
        evaluations=20_000,
        seed=7,
    )
    return replace(plain, **changes)


def at(result: FitResult, name: str) -> tuple[str, str]:
    """Return the station of a task before and after."""
    before, after = (
        next(place.station for place in each.assignment if place.task == name) for each in (result.before, result.after)
    )
    return before, after


# Today's line


def test_todays_line_is_taken_as_it_is_though_a_search_would_find_a_better_one() -> None:
    # Two tasks of 30 s would do with one operator; today three stations have one each.
    tasks = (task("a", 30, 30), task("b", 30, 30), task("c", 20, 20))
    today = (TaskPlace("a", "A", (1,)), TaskPlace("b", "B", (1,)), TaskPlace("c", "C", (1,)))
    inputs = line(*tasks, stations=tuple(map(station, "ABC")), today=today, moves_worth_an_operator=0.0)
    result = evaluate(inputs)
    assert result.before.assignment == today
    assert result.before.operators == 3
    assert result.remarks == ()
    assert result.moved_tasks == ()
    cheap = evaluate(replace(inputs, moves_worth_an_operator=1000.0))
    assert cheap.before.assignment == today
    assert cheap.operators == 2
    assert len(cheap.moved_tasks) == 1


def test_rules_that_todays_line_breaks_are_told_and_the_new_line_keeps_them() -> None:
    tasks = (
        task("long", 40, 40),
        task("too much", 40, 40),
        task("late", 10, 10, before=(3,)),
        task("early", 10, 10),
        task("low", 5, 5, height="low"),
    )
    today = (
        TaskPlace("long", "A", (1,)),
        TaskPlace("too much", "A", (1,)),
        TaskPlace("late", "A", (2,)),
        TaskPlace("early", "B", (1,)),
        TaskPlace("low", "B", (1,)),
    )
    stations = (station("A"), station("B", heights=("high",)), station("C", heights=("low",)))
    inputs = line(*tasks, stations=stations, today=today)
    result = evaluate(inputs)
    text = " ".join(result.remarks)
    assert all(remark.startswith("Today's line breaks a rule: ") for remark in result.remarks)
    assert "A takes 80.0 s" in text
    assert "late at A is begun before its predecessor early" in text
    assert "low needs the car at height low" in text
    assert violations(inputs, result.after) == []
    assert at(result, "low")[1] in {"A", "C"}
    assert result.before.operators == 3


def test_tasks_that_todays_line_does_not_know_get_a_place_and_those_of_the_guest_are_left_out() -> None:
    tasks = (task("a", 30, 30), task("b", 20, 20), task("g", 0, 10))
    today = (TaskPlace("a", "B", (1,)), TaskPlace("g", "A", (1,)))
    result = evaluate(line(*tasks, stations=(station("A"), station("B")), today=today))
    assert at(result, "a")[0] == "B"
    assert [place.task for place in result.before.assignment if place.task != "a"] == ["b"]
    assert "where these are done; they got a place: b." in result.remarks[1]
    assert "no resident model, left out: g." in result.remarks[0]


def test_more_operators_than_there_is_room_for_today_are_a_remark_not_a_failure() -> None:
    tasks = tuple(task(name, 50, 50) for name in "abc")
    today = tuple(TaskPlace(name, "A", (number + 1,)) for number, name in enumerate("abc"))
    inputs = line(*tasks, stations=(station("A"), station("B")), today=today)
    result = evaluate(inputs)
    assert result.before.operators == 3
    assert result.remarks == ("Today's line breaks a rule: A has room for 2 operators, not 3.",)
    assert violations(inputs, result.after) == []
    assert len(result.moved_tasks) == 1


# Moves


def test_a_move_names_task_time_both_operators_their_turn_and_what_it_needs() -> None:
    tasks = (
        task("a", 30, 30, station="A", stations=(0,)),
        task("b", 20, 20, zone="left", equipment="torque driver", skill="airbag"),
        task("c", 20, 20, station="B", stations=(1,)),
        task("g", 0, 60, station="A", stations=(0,)),
    )
    today = (TaskPlace("a", "A", (1,)), TaskPlace("b", "A", (1,)), TaskPlace("c", "B", (1,)))
    stations = (station("A", max_operators=1), station("B", max_operators=1))
    result = evaluate(line(*tasks, stations=stations, today=today))
    (move,) = result.moved_tasks
    assert (move.from_station, move.from_operators) == ("A", (1,))
    assert (move.to_station, move.to_operators) == ("B", (1,))
    start, turn = move.says.split("give it to operator 1 at B (left), ")
    assert start == "Take 'Do b' (b, 20.0 s) from operator 1 at A (left) and "
    assert turn in {
        "after 'Do c'; needs 'torque driver' and the skill airbag.",
        "as the first task; needs 'torque driver' and the skill airbag.",
    }


def crowded(**changes: Any) -> FitInputs:
    """Return a line on which 12 operators do two tasks of 20 s each, and a guest that adds five of 20 s in the mean.

    Without moves it takes 12 operators, with enough of them 29 x 20 s / 60 s: 10.
    """
    tasks = [task(f"t{number}", 20.0, 20.0) for number in range(24)]
    tasks += [task(f"g{number}", 0.0, 40.0) for number in range(5)]
    today = tuple(TaskPlace(f"t{number}", f"S{number // 2:02d}", (1,)) for number in range(24))
    stations = tuple(station(f"S{number:02d}") for number in range(14))
    return line(*tasks, stations=stations, today=today, **changes)


@pytest.mark.parametrize("budget", [0, 2, 5])
def test_a_move_budget_is_kept(budget: int) -> None:
    inputs = crowded(move_budget=budget, moves_worth_an_operator=1000.0)
    result = evaluate(inputs)
    assert len(result.moved_tasks) <= budget
    assert max(point.moves_allowed for point in result.trade_off) <= budget
    assert moving_violations(inputs, result.before, result.after) == []
    free = evaluate(replace(inputs, move_budget=None))
    assert free.operators <= result.operators
    assert len(moving_violations(replace(inputs, move_budget=0), free.before, free.after)) == 1 * bool(free.moved_tasks)


def test_frozen_stations_keep_their_tasks_and_take_no_others() -> None:
    inputs = crowded(moves_worth_an_operator=1000.0)
    frozen = ("S00", "S03", "S13")
    stations = tuple(replace(each, frozen=each.id in frozen) for each in inputs.stations)
    inputs = replace(inputs, stations=stations)
    result = evaluate(inputs)
    for name in frozen:
        before, after = (
            {place.task for place in each.assignment if place.station == name} for each in (result.before, result.after)
        )
        assert before == after
    assert moving_violations(inputs, result.before, result.after) == []


def test_every_point_of_the_trade_off_is_a_line_that_keeps_all_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = crowded(moves_worth_an_operator=1000.0)
    pools: list[Any] = []
    curve = fit.curve

    def caught(line: Any, pool: Any, seconds: Any) -> tuple[TradeOff, ...]:
        pools.append(pool)
        return curve(line, pool, seconds)

    monkeypatch.setattr(fit, "curve", caught)
    result = evaluate(inputs)
    (pool,) = pools
    setting = fit._setting(inputs, inputs.units_per_year, 60.0, fit.todays_line(inputs, 60.0)[1])
    assert setting is not None
    today = {place.task: place.station for place in inputs.today}
    counted = set()
    for each in pool:
        balance = fit._described(inputs, inputs.units_per_year, 60.0, setting, each, 0)
        assert violations(inputs, balance) == []
        moves = [place for place in balance.assignment if today.get(place.task, place.station) != place.station]
        seconds = 20.0 * len(moves)
        counted.add((len(moves), seconds, balance.operators, balance.stations_used))
    assert len(result.trade_off) >= 2
    for point in result.trade_off:
        assert (point.moved_tasks, point.moved_s, point.operators, point.stations) in counted
    assert (result.trade_off[0].moves_allowed, result.trade_off[0].operators) == (0, 12)
    assert result.trade_off[-1].operators == 10
    operators = np.array([point.operators for point in result.trade_off])
    assert (np.diff(operators) <= 0).all()


def test_evenness_between_models_narrows_the_spread_at_no_operator() -> None:
    draw = np.random.default_rng(3)
    tasks = [task(f"t{number}", *(float(x) for x in draw.uniform(5, 25, 2))) for number in range(30)]
    stations = tuple(station(f"S{number}") for number in range(8))
    inputs = line(*tasks, stations=stations, overload_allowance=0.3, resident_units_per_year=(0.0, 0.0))

    def spread(result: FitResult) -> float:
        return sum(abs(bar.load_s["resident"] - bar.load_s["guest"]) for bar in result.after.operator_loads)

    plain, smooth = evaluate(inputs), evaluate(replace(inputs, model_smoothing=20.0))
    assert smooth.operators <= plain.operators
    assert spread(smooth) < 0.7 * spread(plain)


def test_a_fixed_crew_stands_at_its_station_whatever_the_work() -> None:
    stations = (station("A", min_operators=2), station("B"))
    inputs = line(task("a", 10, 10), task("b", 10, 10), stations=stations)
    result = evaluate(inputs)
    assert result.operators == result.after.operators_lower_bound == 2
    assert [(bar.station, bar.operator) for bar in result.after.operator_loads] == [("A", 1), ("A", 2)]
    assert violations(inputs, result.after) == []


# What stops it


def test_what_stops_a_line_is_told_member_by_member() -> None:
    # Room for two operators of 60 s at B; what is tied to it takes 130 s.
    tasks = [task(f"t{number}", 43, 43, station="B", stations=(1,), line=number + 2) for number in range(3)]
    tasks.append(task("free", 5, 5, line=9))
    with pytest.raises(InputError, match="no station left") as caught:
        evaluate(line(*tasks, stations=(station("A"), station("B")), resident_units_per_year=(0.0, 0.0)))
    told = caught.value.problems[1:]
    assert {(each.file, each.field, each.line, each.found) for each in told} == {
        ("plant.toml", "model.planned_units_per_year", None, "takt 60.0 s at 60 cars a year"),
        ("tasks.csv", "station", 2, "t0 tied to B"),
        ("tasks.csv", "station", 3, "t1 tied to B"),
        ("tasks.csv", "station", 4, "t2 tied to B"),
        ("plant.toml", "assembly.segment.max_operators", None, "room for 2 operators at B, 2 in a zone"),
    }
    assert {each.hint for each in told} == {f"member {number} of 5 of one conflict" for number in range(1, 6)}
    assert {each.expected for each in told} == {
        "one of 5 requirements to give way, as no assignment keeps them together"
    }


def test_a_frozen_station_or_a_budget_that_stops_the_guest_is_named() -> None:
    today = (TaskPlace("a", "A", (1,)),)
    tasks = (task("a", 30, 30), task("g", 0, 30, station="A", stations=(0,)))
    frozen = line(*tasks, stations=(station("A", frozen=True), station("B")), today=today)
    with pytest.raises(InputError) as caught:
        evaluate(frozen)
    assert {each.found for each in caught.value.problems[1:]} == {"g tied to A", "A frozen"}
    # The equipment that a needs has gone to B since.
    tasks = (task("a", 30, 30, equipment="rig", stations=(1,)), task("g", 0, 30))
    kept = line(*tasks, stations=(station("A"), station("B")), today=today, move_budget=0)
    with pytest.raises(InputError) as caught:
        evaluate(kept)
    assert {each.found for each in caught.value.problems[1:]} == {"a tied to B", "at most 0 moved tasks"}


# line.csv


def read(folder: Path, text: str) -> tuple[tuple[LinePlace, ...], list[Problem]]:
    file = folder / "line.csv"
    file.write_text(text)
    problems = ProblemList("plant.toml")
    return read_line(file, ["seat", "roll"], problems), list(problems)


def test_line_csv_gives_task_station_and_operators_in_the_order_of_the_file(tmp_path: Path) -> None:
    places, problems = read(tmp_path, "operator,task,station,second_operator\n2,roll,E01,1\n\n1,seat,T02,\n")
    assert problems == []
    assert places == (LinePlace("roll", "E01", (2, 1), 2), LinePlace("seat", "T02", (1,), 4))


def test_every_mistake_in_line_csv_is_told_with_its_line(tmp_path: Path) -> None:
    _, problems = read(
        tmp_path,
        "task,station,operator,second_operator\nseats,T01,1,\nroll,,0,\nroll,T01,2,2\nseat,T01\nseat,T01,1.5,99\n",
    )
    assert {(each.file, each.line, each.field, each.found) for each in problems} == {
        ("line.csv", 2, "task", "seats"),
        ("line.csv", 3, "station", "an empty cell"),
        ("line.csv", 3, "operator", "0"),
        ("line.csv", 4, "task", "roll"),
        ("line.csv", 4, "second_operator", "2"),
        ("line.csv", 5, "row", "2 cells"),
        ("line.csv", 6, "operator", "1.5"),
        ("line.csv", 6, "second_operator", "99"),
    }
    assert next(each.hint for each in problems if each.line == 2) == "did you mean seat?"
    _, problems = read(tmp_path, "task,station\nseat,T01\n")
    assert [each.field for each in problems] == ["header"]
    _, problems = read(tmp_path, "")
    assert [each.found for each in problems] == ["an empty file"]


def test_a_programme_folder_may_hold_todays_line(tmp_path: Path, example_folder: Path) -> None:
    for name in ("programme.toml", "plant.toml", "tasks.csv"):
        (tmp_path / name).write_bytes((example_folder / name).read_bytes())
    assert load(tmp_path).line == ()
    first = load(tmp_path).tasks[0].id
    (tmp_path / "line.csv").write_text(f"task,station,operator\n{first},T01,1\n")
    assert load(tmp_path).line == (LinePlace(first, "T01", (1,), 2),)
    (tmp_path / "line.csv").write_text("task,station,operator\nnobody,T01,1\n")
    with pytest.raises(InputError, match=r"line\.csv:2: task: found nobody"):
        load(tmp_path)


def test_on_a_long_line_the_conflict_is_found_where_the_work_is() -> None:
    # 60 tasks on 40 stations; two ties against the precedence graph by way of tasks that may go anywhere.
    tasks = [task(f"t{number}", 20, 20, before=(number - 1,) if number % 5 else ()) for number in range(60)]
    tasks[11] = replace(tasks[11], station="S30", stations=(30,))
    tasks[14] = replace(tasks[14], station="S10", stations=(10,))
    inputs = line(*tasks, stations=tuple(station(f"S{number:02d}") for number in range(40)))
    conflict = smallest_conflict(Case(inputs, inputs.units_per_year, 60.0, {}))
    assert conflict is not None
    assert conflict.irreducible
    assert set(conflict.members) == {
        Requirement(Kind.STATION, 11),
        Requirement(Kind.STATION, 14),
        *(Requirement(Kind.BEFORE, later, later - 1) for later in (12, 13, 14)),
    }
    # Without one of the ties there is nothing to find.
    tasks[14] = replace(tasks[14], station="", stations=())
    free = replace(inputs, tasks=tuple(tasks))
    assert smallest_conflict(Case(free, free.units_per_year, 60.0, {})) is None


def test_a_budget_too_small_on_a_long_line_is_named_with_the_moves_that_it_forbids() -> None:
    tasks = [task(f"t{number}", 20, 20) for number in range(40)]
    for number in (3, 7, 9):
        tasks[number] = replace(tasks[number], station="S19", stations=(19,))
    stations = tuple(station(f"S{number:02d}") for number in range(20))
    inputs = line(*tasks, stations=stations, move_budget=1)
    home = {number: number // 3 for number in range(40)}
    conflict = smallest_conflict(Case(inputs, inputs.units_per_year, 60.0, home))
    assert conflict is not None
    assert {each.kind for each in conflict.members} == {Kind.BUDGET, Kind.STATION}
    assert len(conflict.members) == 3
