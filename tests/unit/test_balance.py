"""Line balancing on lines small enough to see the answer, its inputs, and the field's file formats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coachbuilder.formats.assembly_line import AssemblyLine, read_alb, read_in2, write_alb, write_in2
from coachbuilder.plant.balance import (
    FitInputs,
    LineStation,
    LineTask,
    check,
    evaluate,
    inputs_from,
    labour_at,
    salbp1,
    smallest_takt_s,
    violations,
)
from coachbuilder.plant.balance.bounds import operators_lower_bound, packing_bound
from coachbuilder.plant.process import joint_precedence, mix_shares, net_hours_per_year, takt_s, topological_order
from coachbuilder.programme.errors import InputError, Problem
from coachbuilder.programme.programme import Programme
from coachbuilder.programme.sections.assembly import AssemblySection, TaskTimesSection
from coachbuilder.programme.sections.common import ModelSection, PlantSection, ShiftSection
from coachbuilder.programme.tasks import Task

REACH = (
    ("left", ("left", "front")),
    ("right", ("right", "front")),
    ("front", ("front",)),
    ("rear", ("rear",)),
    ("inside", ("inside",)),
    ("under", ("under",)),
    ("roof", ("roof",)),
)
ALL_ZONES = tuple(zone for zone, _ in REACH)


def station(name: str, *, room: int = 2, lanes: int = 1, zones: tuple[str, ...] = ALL_ZONES) -> LineStation:
    return LineStation(id=name, segment="line", max_operators=room, lanes=lanes, zones=zones)


def task(name: str, *time_s: float, before: tuple[int, ...] = (), **changes: Any) -> LineTask:
    """Return a work element; its times on the resident and on the guest, who has it only if told so."""
    times = time_s if len(time_s) == 2 else (*time_s, 0.0)
    plain = LineTask(
        id=name,
        name=f"Do {name}",
        zone="",
        operators=1,
        stations=(),
        time_s=times,
        predecessors=before,
        resident=times[0] > 0,
        line=2,
    )
    return replace(plain, **changes)


def line(*tasks: LineTask, stations: tuple[LineStation, ...], **changes: Any) -> FitInputs:
    """Return a line at takt 60 s for the residents and, with a guest as frequent as they, 60 s for both."""
    plain = FitInputs(
        models=("resident", "guest"),
        guest="guest",
        tasks=tasks,
        stations=stations,
        reach=REACH,
        operators_per_zone=2,
        overload_allowance=0.0,
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


# Lines whose answer can be seen


def test_work_that_fills_two_operators_exactly_takes_two() -> None:
    tasks = [task(f"t{number}", seconds, seconds) for number, seconds in enumerate((40, 20, 30, 30))]
    result = evaluate(line(*tasks, stations=(station("A"), station("B"))))
    assert result.operators == result.after.operators_lower_bound == 2
    assert result.idle_share == pytest.approx(0.0, abs=1e-12)
    assert [load.weighted_load_s for load in result.after.operator_loads] == pytest.approx([60, 60])
    assert violations(line(*tasks, stations=(station("A"), station("B"))), result.after) == []


def test_takt_in_the_mean_lets_one_model_exceed_it_only_by_the_allowance() -> None:
    # 70 s on one model and 50 s on the other are 60 s in the mean: one operator, if 70 s are allowed.
    tasks = (task("a", 35, 25), task("b", 35, 25))
    stations = (station("A"), station("B"))
    allowed = line(*tasks, stations=stations, overload_allowance=0.2, resident_units_per_year=(0.0, 0.0))
    assert evaluate(allowed).operators == 1
    strict = replace(allowed, overload_allowance=0.15)
    assert evaluate(strict).operators == 2


def test_two_operators_who_work_together_wait_for_each_other() -> None:
    # b needs both at once; a keeps one busy for 30 s before it, so that both are there until 60 s.
    tasks = (task("a", 30), task("b", 30, before=(0,), operators=2))
    result = evaluate(line(*tasks, stations=(station("A"),), units_per_year=(60.0, 0.0)))
    assert result.operators == 2
    assert result.after.stations[0].makespan_s == {"resident": pytest.approx(60.0)}
    together = {place.task: place.operators for place in result.after.assignment}
    assert set(together["b"]) == {1, 2}
    # 30 s + 2 x 30 s of work in 2 x 60 s.
    assert result.idle_share == pytest.approx(0.25)


def test_a_chain_too_long_for_takt_at_one_station_goes_to_two_though_two_operators_stand_at_the_first() -> None:
    tasks = (task("a", 40), task("b", 40, before=(0,)))
    result = evaluate(line(*tasks, stations=(station("A"), station("B")), units_per_year=(60.0, 0.0)))
    assert [place.station for place in result.after.assignment] == ["A", "B"]


def test_zones_that_one_operator_cannot_reach_take_two() -> None:
    stations = (station("A", zones=("left", "right", "under")),)
    one = line(task("a", 10, zone="left"), task("b", 10, zone="front"), stations=stations, units_per_year=(60.0, 0.0))
    assert evaluate(one).operators == 1
    two = line(task("a", 10, zone="left"), task("b", 10, zone="under"), stations=stations, units_per_year=(60.0, 0.0))
    result = evaluate(two)
    assert result.operators == result.after.operators_lower_bound == 2
    assert {load.zone for load in result.after.operator_loads} == {"left", "under"}


def test_no_more_operators_stand_in_a_zone_than_it_has_room_for() -> None:
    tasks = [task(f"t{number}", 50, zone="under") for number in range(2)]
    stations = (station("A"), station("B"))
    both = line(*tasks, stations=stations, units_per_year=(60.0, 0.0), level_stations=False)
    assert evaluate(both).stations == 1
    assert evaluate(replace(both, operators_per_zone=1)).stations == 2


def test_a_fixed_task_stays_at_its_station_and_parallel_lanes_take_a_task_longer_than_takt() -> None:
    stations = (station("A"), station("L", lanes=3), station("B"))
    tasks = (task("roll", 150, stations=(1,)), task("badge", 20, before=(0,)))
    result = evaluate(line(*tasks, stations=stations, units_per_year=(60.0, 0.0)))
    assert {place.task: place.station for place in result.after.assignment}["roll"] == "L"
    lanes = result.after.stations[1]
    assert (lanes.lanes, lanes.operators, lanes.limit_s) == (3, 3, pytest.approx(180.0))
    bars = [bar for bar in result.after.operator_loads if bar.station == "L"]
    assert [(bar.operator, bar.lane) for bar in bars] == [(1, 1), (2, 2), (3, 3)]
    # 150 s of every third car are 50 s per takt; the badge fits to them, so that nobody else is needed.
    assert result.operators == 3
    assert bars[0].weighted_load_s == pytest.approx((150 + 20) / 3)


def test_a_closed_station_gets_nothing() -> None:
    stations = (station("A", room=0), station("B"))
    result = evaluate(line(task("a", 10), stations=stations, units_per_year=(60.0, 0.0)))
    assert [load.operators for load in result.after.stations] == [0, 1]


def test_fewest_stations_leaves_empty_what_level_uses() -> None:
    tasks = [task(f"t{number}", 55) for number in range(6)]
    stations = tuple(station(name, room=3) for name in "ABCDEF")
    level = line(*tasks, stations=stations, units_per_year=(60.0, 0.0))
    assert evaluate(level).stations == 6
    assert evaluate(replace(level, level_stations=False)).stations == 2


def test_the_guests_own_work_is_placed_without_moving_a_resident_task_where_there_is_room() -> None:
    tasks = (task("a", 30, 30), task("b", 30, 30, before=(0,)), task("pack", 0, 40, before=(0,)))
    inputs = line(*tasks, stations=(station("A"), station("B"), station("C")))
    result = evaluate(inputs)
    assert result.moved_tasks == ()
    assert (result.before.operators, result.operators, result.operators_added) == (1, 2, 1)
    assert result.resident_tasks == 2
    assert result.guest_only_tasks == 1
    assert violations(inputs, result.before) == violations(inputs, result.after) == []


def test_a_move_is_counted_and_described_where_the_line_must_change() -> None:
    # Before: takt 120 s and both at A. After: takt 60 s, room for one operator a station, and A alone is too short.
    tasks = (task("a", 40, 40), task("b", 40, 40, before=(0,)))
    stations = (station("A", room=1), station("B", room=1))
    inputs = line(*tasks, stations=stations, resident_units_per_year=(30.0, 0.0))
    result = evaluate(inputs)
    before = {place.task: place.station for place in result.before.assignment}
    after = {place.task: place.station for place in result.after.assignment}
    assert len(set(before.values())) == 1
    (move,) = result.moved_tasks
    assert (move.from_station, move.to_station) == (before[move.task], after[move.task])
    assert move.from_station != move.to_station
    assert move.name == f"Do {move.task}"
    assert move.time_s == pytest.approx(40.0)
    assert result.before.takt_s == pytest.approx(2 * result.takt_s)


def test_moves_are_traded_for_operators_at_the_stated_rate() -> None:
    # Two tasks of the resident fill A and B by a half; the guest's work fits beside them or, if both stand together,
    # at the free station: either way the same operators. With moves free of charge the number of operators never rises.
    tasks = [task(f"t{number}", 35, 35) for number in range(8)] + [task("pack", 0, 25) for _ in range(4)]
    stations = tuple(station(name, room=1) for name in "ABCDEFGH")
    inputs = line(*tasks, stations=stations)
    dear = evaluate(replace(inputs, moves_worth_an_operator=0.0))
    assert dear.moved_tasks == ()
    assert evaluate(replace(inputs, moves_worth_an_operator=1000.0)).operators <= dear.operators


def test_the_line_before_is_the_resident_line_alone() -> None:
    tasks = [task(f"t{number}", 20.0 + number, 25.0 if number % 2 else 0.0) for number in range(9)]
    tasks.append(task("guest only", 0, 50))
    inputs = line(*tasks, stations=tuple(station(name) for name in "ABCDE"))
    alone = evaluate(replace(inputs, units_per_year=inputs.resident_units_per_year))
    both = evaluate(inputs)
    assert both.before == alone.before == alone.after
    assert alone.moved_tasks == ()
    assert alone.operators_added == 0
    assert alone.evaluations * 2 == both.evaluations == 2 * inputs.evaluations


def test_a_line_for_the_guest_alone_starts_from_nothing() -> None:
    inputs = line(
        task("a", 40, 30), stations=(station("A"),), resident_units_per_year=(0.0, 0.0), units_per_year=(0.0, 60.0)
    )
    result = evaluate(inputs)
    assert result.before.operators == 0
    assert result.before.idle_share == 0.0
    assert violations(inputs, result.before) == violations(inputs, result.after) == []
    assert result.hours_per_car == {"guest": pytest.approx(1 * 2.0 / 60)}
    assert result.moved_tasks == ()


def test_a_resident_that_goes_when_the_guest_comes_has_moved_nothing() -> None:
    inputs = line(task("a", 40, 0), task("b", 20, 30), stations=(station("A"),), units_per_year=(0.0, 60.0))
    result = evaluate(inputs)
    assert result.moved_tasks == ()
    assert [place.task for place in result.after.assignment] == ["b"]


def test_stations_that_run_out_are_told_with_task_takt_and_room() -> None:
    tasks = [task(f"t{number}", 50) for number in range(3)]
    with pytest.raises(InputError) as caught:
        evaluate(line(*tasks, stations=(station("A"),), units_per_year=(60.0, 0.0)))
    (problem,) = caught.value.problems
    assert "t" in problem.found
    assert "line 2" in problem.found
    assert "takt 60.0 s" in problem.expected
    assert "2.5 operators" in problem.expected
    assert problem.hint


def test_hours_a_car_are_operators_times_net_hours_over_cars() -> None:
    tasks = [task(f"t{number}", 20.0 + number, 30.0) for number in range(8)]
    inputs = line(*tasks, stations=tuple(station(name) for name in "ABCDE"), units_per_year=(20.0, 40.0))
    result = evaluate(inputs)
    yearly = result.operators * inputs.net_hours_per_year
    assert result.after.mean_direct_hours_per_car == pytest.approx(yearly / 60.0)
    assert sum(
        units * result.hours_per_car[model] for model, units in zip(inputs.models, inputs.units_per_year, strict=True)
    ) == pytest.approx(yearly)
    ratio = result.hours_per_car["guest"] / result.hours_per_car["resident"]
    assert ratio == pytest.approx(8 * 30.0 / sum(20.0 + number for number in range(8)))


# What bounds the operators


def test_tasks_of_which_no_two_can_be_done_by_one_operator_are_bounded_by_their_number() -> None:
    # 45 s of work at takt 60 s, but each stands at a station of its own.
    tasks = [task(f"t{number}", 15, stations=(number,)) for number in range(3)]
    apart = line(*tasks, stations=tuple(station(name) for name in "ABC"), units_per_year=(60.0, 0.0))
    assert operators_lower_bound(apart, apart.units_per_year, 60.0) == 1
    assert evaluate(apart).after.operators_lower_bound == 3


def test_an_operator_at_parallel_lanes_has_more_time_and_counts_as_often() -> None:
    # 110 s fit three lanes only, which count three operators; the short one joins them.
    tasks = (task("long", 110), task("short", 20, stations=(0,)))
    inputs = line(*tasks, stations=(station("L", lanes=3), station("B")), units_per_year=(60.0, 0.0))
    result = evaluate(inputs)
    assert result.operators == 3
    assert result.after.operators_lower_bound == 3


# Labour at another rate


def balanced() -> tuple[FitInputs, Any]:
    tasks = [task(f"t{number}", 20.0 + number, 30.0) for number in range(8)]
    inputs = line(*tasks, stations=tuple(station(name) for name in "ABCDE"), units_per_year=(20.0, 40.0))
    return inputs, evaluate(inputs)


def test_labour_at_the_balanced_point_is_the_balanced_labour() -> None:
    _, result = balanced()
    labour = labour_at(result, takt_s=result.takt_s, resident_time_scale=1.0, guest_time_scale=1.0)
    assert labour.operators == pytest.approx(result.operators)
    assert labour.direct_hours_per_car == pytest.approx(result.hours_per_car)
    assert labour.work_hours_per_car == pytest.approx(result.after.work_hours_per_car)
    assert labour.mean_direct_hours_per_car == pytest.approx(result.after.mean_direct_hours_per_car)


def test_labour_scales_with_takt_times_availability_and_mix() -> None:
    _, result = balanced()
    plain = labour_at(result, takt_s=60.0, resident_time_scale=1.0, guest_time_scale=1.0)
    slow = labour_at(result, takt_s=120.0, resident_time_scale=1.0, guest_time_scale=1.0)
    assert slow.operators == pytest.approx(plain.operators / 2)
    assert slow.direct_hours_per_car == pytest.approx(plain.direct_hours_per_car)
    harder = labour_at(result, takt_s=60.0, resident_time_scale=1.0, guest_time_scale=1.5)
    assert harder.direct_hours_per_car["guest"] == pytest.approx(1.5 * plain.direct_hours_per_car["guest"])
    assert harder.direct_hours_per_car["resident"] == pytest.approx(plain.direct_hours_per_car["resident"])
    stopping = labour_at(result, takt_s=60.0, resident_time_scale=1.0, guest_time_scale=1.0, planning_availability=0.25)
    assert stopping.mean_direct_hours_per_car == pytest.approx(2 * plain.mean_direct_hours_per_car)
    guests = labour_at(
        result, takt_s=60.0, resident_time_scale=1.0, guest_time_scale=1.0, mix={"resident": 0.0, "guest": 1.0}
    )
    assert guests.mean_direct_hours_per_car == pytest.approx(plain.direct_hours_per_car["guest"])


# What the rule check catches


def test_the_rule_check_reports_what_is_broken() -> None:
    tasks = (task("a", 40), task("b", 40, before=(0,)), task("c", 15, operators=2, stations=(1,)))
    stations = (station("A"), station("B"), station("C", zones=("under",), room=1))
    inputs = line(*tasks, stations=stations, units_per_year=(60.0, 0.0))
    good = evaluate(inputs).after
    assert violations(inputs, good) == []

    def broken(changed: FitInputs, **changes: Any) -> str:
        return "\n".join(violations(changed, replace(good, **changes)))

    places = list(good.assignment)
    assert "is not done" in broken(inputs, assignment=tuple(places[1:]))
    assert "is done 2 times" in broken(inputs, assignment=(*places, places[-1]))
    assert "operators stated" in broken(inputs, operators=good.operators + 1)
    assert "below the bound" in broken(inputs, operators_lower_bound=good.operators + 1)
    assert "stations stated" in broken(inputs, stations_used=9)
    assert "idle share" in broken(inputs, idle_share=0.999)
    assert "takt is 20.0 s" in broken(inputs, takt_s=20.0)
    assert "do not add up" in broken(inputs, direct_hours_per_car={"resident": 9.0})
    alone = tuple(replace(place, operators=(1,)) for place in places)
    assert "needs 2 operators" in broken(inputs, assignment=alone)
    pinned = replace(inputs, tasks=(replace(tasks[0], stations=(2,)), *tasks[1:]))
    assert "may not be done at" in broken(pinned)
    assert "predecessor" in broken(
        replace(inputs, tasks=(replace(tasks[0], predecessors=(1,)), replace(tasks[1], predecessors=()), tasks[2]))
    )
    crowded = replace(inputs, stations=tuple(replace(item, max_operators=1) for item in stations))
    assert "has room for 1" in broken(crowded)
    blind = replace(
        inputs,
        tasks=(replace(tasks[0], zone="roof"), *tasks[1:]),
        stations=tuple(replace(item, zones=("under",)) for item in stations),
    )
    assert "can stand nowhere" in broken(blind)
    tight = replace(inputs, operators_per_zone=1, stations=tuple(replace(item, zones=("under",)) for item in stations))
    assert "crowd into under" in broken(tight)


# Bounds


def test_the_packing_bound_counts_items_that_cannot_share_a_bin() -> None:
    assert packing_bound([]) == 0
    assert packing_bound([0.51] * 5) == 5
    assert packing_bound([0.7, 0.7, 0.35]) == 3
    assert packing_bound([0.5] * 5) == 3


def test_the_operators_bound_adds_zones_between_which_nobody_can_help() -> None:
    tasks = (task("a", 10, zone="under"), task("b", 10, zone="roof"), task("c", 10, zone="inside"))
    inputs = line(*tasks, stations=(station("A", room=3),))
    assert operators_lower_bound(inputs, (60.0, 0.0), 60.0) == 3
    assert operators_lower_bound(inputs, (0.0, 0.0), 60.0) == 0


def test_the_smallest_takt_is_the_longest_task_or_the_work_over_the_room() -> None:
    long = line(task("a", 90), task("b", 10), stations=(station("A"), station("B")), units_per_year=(60.0, 0.0))
    assert smallest_takt_s(long) == pytest.approx(90.0)
    lanes = replace(long, stations=(station("A", lanes=2), station("B")))
    assert smallest_takt_s(lanes) == pytest.approx(45.0)
    full = line(
        *[task(f"t{n}", 30) for n in range(8)], stations=(station("A"), station("B")), units_per_year=(60.0, 0.0)
    )
    assert smallest_takt_s(full) == pytest.approx(8 * 30 / 4)


# Takt, mix, precedence


def test_takt_is_net_time_times_availability_over_rate() -> None:
    shifts = ShiftSection.model_validate(
        {"shifts_per_day": 2, "shift_length_h": 10, "break_per_shift_min": 60, "working_days_per_year": 250}
    )
    assert net_hours_per_year(shifts) == pytest.approx(4500.0)
    assert takt_s(150_000, 4500.0, 0.95) == pytest.approx(102.6)
    with pytest.raises(ValueError, match="above 0"):
        takt_s(0.0, 4500.0, 0.95)


def test_the_mix_of_a_line_without_cars_is_zero_everywhere() -> None:
    assert mix_shares({"a": 0.0, "b": 0.0}) == {"a": 0.0, "b": 0.0}


def test_a_task_left_out_hands_its_precedence_on() -> None:
    # 0 -> 1 -> 3 and 2 -> 3; without 1 and 2 task 3 still follows 0.
    assert joint_precedence([(), (0,), (), (1, 2)], [True, False, False, True]) == [(), (), (), (0,)]


def test_a_circle_has_no_order() -> None:
    with pytest.raises(ValueError, match="circle"):
        topological_order([(1,), (0,)])


# From a programme to inputs


def programme(*tasks: Task, **changes: Any) -> Programme:
    """Return the parts of a programme that line balancing reads."""
    assembly: dict[str, Any] = {
        "overload_allowance": 0.0,
        "operators_per_zone": 2,
        "reach": {"left": ["front"]},
        "segment": [
            {
                "id": "trim",
                "name": "Trim",
                "prefix": "T",
                "stations": 3,
                "max_operators": 2,
                "zones": ["left", "inside"],
            },
            {"id": "end", "name": "End", "prefix": "E", "stations": 1, "max_operators": 1, "zones": ["under"]},
        ],
        "equipment": [{"id": "roller", "name": "Roller bench", "stations": ["E01"]}],
    } | changes
    models = [
        {
            "id": "wagon",
            "name": "Wagon",
            "role": "resident",
            "powertrain": "combustion",
            "planned_units_per_year": 60_000,
        },
        {"id": "guest", "name": "Guest", "role": "guest", "powertrain": "battery electric"},
    ]
    shifts = {"shifts_per_day": 2, "shift_length_h": 8, "break_per_shift_min": 0, "working_days_per_year": 250}
    plant = SimpleNamespace(
        plant=PlantSection.model_validate({"name": "Plant", "planning_availability": 0.9}),
        model=tuple(ModelSection.model_validate(model) for model in models),
        shifts=ShiftSection.model_validate(shifts),
        tasks=TaskTimesSection.model_validate({"time_scale": 1.1, "guest_time_scale": 1.2}),
        assembly=AssemblySection.model_validate(assembly),
    )
    whole = SimpleNamespace(plant=plant, tasks=tasks, guest=plant.model[1], residents=plant.model[:1], seed=5, line=())
    return cast("Programme", whole)


def element(name: str, wagon_s: float = 20.0, guest_s: float = 10.0, **changes: Any) -> Task:
    plain = Task(
        id=name,
        name=name,
        area="",
        zone="",
        predecessors=(),
        station="",
        equipment="",
        operators=1,
        time_s={"wagon": wagon_s, "guest": guest_s},
        line=2,
    )
    return replace(plain, **changes)


def fields(problems: list[Problem] | tuple[Problem, ...]) -> list[tuple[str, int | None, str, str]]:
    return [(problem.file, problem.line, problem.field, problem.found) for problem in problems]


def test_inputs_scale_times_and_write_the_stations_out() -> None:
    elements = (element("a", zone="front"), element("b", predecessors=("a",), equipment="roller"))
    special = [{"id": "T02", "max_operators": 4, "lanes": 2, "zones": ["roof"]}]
    inputs = inputs_from(
        programme(*elements, station=special), resident_units_per_year={"wagon": 60_000}, guest_units_per_year=20_000
    )
    assert [item.id for item in inputs.stations] == ["T01", "T02", "T03", "E01"]
    assert inputs.stations[1] == LineStation("T02", "trim", 4, 2, ("roof",))
    assert inputs.tasks[0].time_s == pytest.approx((22.0, 12.0))
    assert inputs.tasks[1].stations == (3,)
    assert inputs.tasks[1].predecessors == (0,)
    assert dict(inputs.reach)["left"] == ("left", "front")
    assert inputs.units_per_year == (60_000.0, 20_000.0)
    assert inputs.resident_units_per_year == (60_000.0, 0.0)
    assert inputs.net_hours_per_year == pytest.approx(4000.0)
    assert inputs.seed == 5
    assert check(programme(*elements, station=special)) == []


def test_unknown_stations_and_equipment_are_told_together_with_the_nearest_names() -> None:
    problems = check(
        programme(
            element("a", station="T04", line=3),
            element("b", equipment="rolller", line=4),
            element("c", station="T01", equipment="roller", line=5),
            equipment=[{"id": "roller", "name": "Bench", "stations": ["E02"]}],
            station=[{"id": "X01", "lanes": 2}],
        )
    )
    assert fields(problems) == [
        ("plant.toml", None, "assembly.station.id", "X01"),
        ("plant.toml", None, "assembly.equipment.roller.stations", "E02"),
        ("tasks.csv", 3, "station", "T04"),
        ("tasks.csv", 4, "equipment", "rolller"),
        ("tasks.csv", 5, "station", "T01"),
    ]
    assert "T01 to T03, E01" in problems[2].expected
    assert problems[3].hint == "did you mean roller?"


def test_names_used_twice_are_told() -> None:
    segment = {"id": "trim", "name": "Trim", "prefix": "T", "stations": 2, "max_operators": 1, "zones": ["left"]}
    bench = {"id": "roller", "name": "Bench", "stations": ["T01"]}
    problems = check(
        programme(
            element("a"),
            segment=[segment, segment],
            equipment=[bench, bench],
            station=[{"id": "T01"}, {"id": "T01", "lanes": 2}],
        )
    )
    assert {problem.field for problem in problems} == {
        "assembly.segment.id",
        "assembly.segment.prefix",
        "assembly.station.id",
        "assembly.equipment.id",
    }


def test_a_task_that_no_station_can_take_is_told_by_zone_or_by_crew() -> None:
    problems = check(
        programme(
            element("a", zone="rear", line=3),
            element("b", zone="under", operators=2, line=4),
            element("c", zone="left", station="E01", line=5),
        )
    )
    assert fields(problems) == [
        ("tasks.csv", 3, "zone", "rear"),
        ("tasks.csv", 4, "operators", "2"),
        ("tasks.csv", 5, "zone", "left"),
    ]


def test_a_fixed_station_before_its_predecessors_is_told_with_the_cause() -> None:
    problems = check(
        programme(
            element("roll", equipment="roller", line=3),
            element("between", predecessors=("roll",), line=4),
            element("seat", station="T01", predecessors=("between",), line=5),
        )
    )
    assert fields(problems) == [("tasks.csv", 5, "station", "seat at T01")]
    assert "not before E01" in problems[0].expected
    assert "roll" in problems[0].expected


def test_a_task_longer_than_takt_is_told_unless_a_station_with_lanes_may_take_it() -> None:
    # Takt at 60,000 cars a year: 4000 h x 0.9 = 216 s; 250 s x 1.1 exceed it.
    long = element("long", wagon_s=250.0, line=3)
    (problem,) = check(programme(long))
    assert (problem.file, problem.line, problem.field) == ("tasks.csv", 3, "wagon_time_s")
    assert problem.found == "275 s (long)"
    assert "takt is 216.0 s at 60,000 cars a year" in problem.expected
    assert check(programme(long, station=[{"id": "T02", "lanes": 2}])) == []
    pinned = replace(long, station="T01")
    assert len(check(programme(pinned, station=[{"id": "T02", "lanes": 2}]))) == 1
    assert check(programme(long, overload_allowance=0.3)) != [], "the mean may not exceed takt either"


def test_a_guests_task_that_is_too_long_at_the_rate_of_both_is_told_when_the_rate_is_known() -> None:
    guest = element("pack", wagon_s=0.0, guest_s=100.0)
    assert check(programme(guest)) == []
    with pytest.raises(InputError) as caught:
        inputs_from(programme(guest), resident_units_per_year={"wagon": 60_000}, guest_units_per_year=60_000)
    (problem,) = caught.value.problems
    assert problem.field == "guest_time_s"
    assert "108.0 s" in problem.expected


def test_a_plant_without_cars_is_told() -> None:
    with pytest.raises(InputError) as caught:
        inputs_from(programme(element("a")), resident_units_per_year={"wagon": 0.0}, guest_units_per_year=0.0)
    assert [problem.field for problem in caught.value.problems] == ["model.planned_units_per_year"]


# The simple problem


def test_the_simple_problem_refuses_what_has_no_answer() -> None:
    with pytest.raises(ValueError, match="takt"):
        salbp1([5, 11], [(), ()], 10)
    with pytest.raises(ValueError, match="takt"):
        salbp1([], [], 10)
    with pytest.raises(ValueError, match="takt"):
        salbp1([-1], [()], 10)
    with pytest.raises(ValueError, match="circle"):
        salbp1([1, 1], [(1,), (0,)], 10)


def test_tasks_that_take_no_time_are_placed_too() -> None:
    assert salbp1([0, 0], [(), (0,)], 10).stations == 1
    answer = salbp1([0, 10, 0, 10, 0], [(), (0,), (1,), (2,), (3,)], 10)
    assert (answer.stations, answer.proven) == (2, True)
    assert all(station in (1, 2) for station in answer.assignment)


def test_a_search_without_work_still_answers_and_claims_no_proof() -> None:
    answer = salbp1([6, 6, 6, 4, 4, 4], [()] * 6, 10, most_nodes=1)
    assert answer.stations >= answer.lower_bound == 3
    assert answer.proven == (answer.stations == 3)


# File formats


ALB = """<number of tasks>
3

<cycle time>
10

<order strength>
0,667

<task times>
1 4
2 5
3 6

<precedence relations>
1,2
1,3

<end>
"""
IN2 = "3\n4\n5\n6\n1,2\n1,3\n-1,-1\n"
KNOWN = AssemblyLine(times=(4, 5, 6), predecessors=((), (0,), (0,)), cycle_time=10)


def test_both_formats_read_and_write_the_same_line(tmp_path: Path) -> None:
    alb, in2 = tmp_path / "a.alb", tmp_path / "a.IN2"
    alb.write_text(ALB)
    in2.write_text(IN2)
    assert read_alb(alb) == KNOWN
    assert read_in2(in2) == replace(KNOWN, cycle_time=None)
    assert write_alb(KNOWN) == ALB
    assert write_in2(KNOWN) == IN2


def test_a_remark_in_an_old_code_page_behind_the_arcs_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "old.IN2"
    file.write_bytes(IN2.replace("\n", "\r\n").encode() + b"L\x94sung von 1961\r\n")
    assert read_in2(file).times == KNOWN.times


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", {("<number of tasks>", None), ("<task times>", None), ("<precedence relations>", None)}),
        (ALB.replace("2 5", "2 five"), {("task times", 12)}),
        (ALB.replace("2 5", "2 -5").replace("3 6", "1 6"), {("task times", 12), ("task times", 13)}),
        (ALB.replace("3 6\n", ""), {("task times", None)}),
        (ALB.replace("1,2", "1,4").replace("1,3", "0,3"), {("precedence", 16), ("precedence", 17)}),
        (ALB.replace("1,2", "2,2"), {("precedence", 16)}),
        (ALB.replace("1,2", "3,1"), {("precedence", None)}),
        (ALB.replace("1,2", "1,2,3"), {("precedence relations", 16)}),
        (ALB.replace("\n3\n", "\n0\n"), {("number of tasks", 2)}),
        (ALB.replace("\n3\n", "\n3\n4\n"), {("number of tasks", None)}),
        (ALB.replace("\n10\n", "\nten\n"), {("cycle time", 5)}),
        (ALB.replace("2 5", "2 " + "9" * 30), {("task times", 12)}),
        ("7\n" + ALB, {("file", 1)}),
        (ALB.replace("<order strength>", "<cycle time>"), {("<cycle time>", 7)}),
    ],
)
def test_a_bad_alb_file_is_told_by_section_and_line(
    tmp_path: Path, text: str, told: set[tuple[str, int | None]]
) -> None:
    file = tmp_path / "bad.alb"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read_alb(file)
    assert {(problem.field, problem.line) for problem in caught.value.problems} == told
    assert all(problem.file == "bad.alb" for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", {("file", None)}),
        ("three\n", {("number of tasks", 1)}),
        ("0\n-1,-1\n", {("number of tasks", 1)}),
        ("3\n4\n5\n", {("task times", None)}),
        ("3\n4\nx\n-6\n1,9\n-1,-1\n", {("task times", 3), ("task times", 4)}),
        ("2\n4\n5\n1,3\n-1,-1\n", {("precedence", 4)}),
        ("2\n4\n5\n1,2\n", {("arcs", 4)}),
        ("2\n4\n5\n1;x\n-1,-1\n", {("arcs", 4)}),
        ("2\n4\n5\n1,2\n2,1\n-1,-1\n", {("precedence", None)}),
        ("2\n4\n5\n" + "1,2\n", {("arcs", 4)}),
    ],
)
def test_a_bad_in2_file_is_told_by_line(tmp_path: Path, text: str, told: set[tuple[str, int | None]]) -> None:
    file = tmp_path / "bad.IN2"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read_in2(file)
    assert {(problem.field, problem.line) for problem in caught.value.problems} == told


@pytest.mark.parametrize("reader", [read_alb, read_in2])
def test_files_that_are_no_text_or_not_there_are_told(tmp_path: Path, reader: Any) -> None:
    (tmp_path / "bytes").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "huge").write_bytes(b"")
    with (tmp_path / "huge").open("wb") as stream:
        stream.truncate(33 * 2**20)
    for name in ("bytes", "huge", "absent", "."):
        with pytest.raises(InputError):
            reader(tmp_path / name)
