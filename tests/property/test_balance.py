"""Line balancing on random lines, against a second count of every rule and against exact models of the same rules."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coachbuilder.formats.assembly_line import AssemblyLine, read_alb, read_in2, write_alb, write_in2
from coachbuilder.plant.balance import (
    FitInputs,
    FitResult,
    LineBalance,
    LineStation,
    LineTask,
    evaluate,
    labour_at,
    moving_violations,
    salbp1,
    violations,
)
from coachbuilder.plant.balance.bounds import operators_lower_bound, packing_bound
from coachbuilder.plant.balance.conflict import Case, Kind, Requirement, smallest_conflict
from coachbuilder.programme.errors import InputError
from exact_line import fewest_operators

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
SLOW = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
REACH = (
    ("left", ("left", "front", "rear")),
    ("right", ("right", "front", "rear")),
    ("front", ("front", "left", "right")),
    ("rear", ("rear", "left")),
    ("inside", ("inside",)),
    ("under", ("under",)),
    ("roof", ("roof", "left")),
)
ZONES = tuple(zone for zone, _ in REACH)


def random_line(seed: int, tasks: int, stations: int, **changes: Any) -> FitInputs:
    """Return a line of three models with every rule in play: zones, lanes, fixed tasks, pairs, missing tasks."""
    draw = random.Random(seed)
    takt = 60.0
    line = tuple(
        LineStation(
            id=f"S{number}",
            segment="line",
            max_operators=draw.choice((2, 3, 4)),
            lanes=draw.choice((1, 1, 1, 1, 2)),
            zones=ZONES if number % 3 else tuple(sorted({*draw.sample(ZONES, 3), "left", "under"})),
        )
        for number in range(stations)
    )
    elements = []
    for number in range(tasks):
        base = draw.uniform(2.0, 35.0)
        times = [0.0 if draw.random() < 0.25 else base * draw.uniform(0.8, 1.2) for _ in range(3)]
        if not any(times):
            times[2] = base
        position = number * stations // tasks
        fixed = tuple(range(max(0, position - 1), min(stations, position + 2))) if draw.random() < 0.1 else ()
        earlier = range(max(0, number - 8), number)
        elements.append(
            LineTask(
                id=f"t{number}",
                name="",
                zone="" if fixed else draw.choice((*ZONES, "", "left", "right")),
                operators=2 if draw.random() < 0.1 else 1,
                stations=fixed,
                time_s=tuple(times),
                predecessors=tuple(other for other in earlier if draw.random() < 0.15),
                resident=times[0] + times[1] > 0,
                line=number + 2,
            )
        )
    units, guest = (40.0, 20.0), 20.0
    plain = FitInputs(
        models=("sedan", "wagon", "guest"),
        guest="guest",
        tasks=tuple(elements),
        stations=line,
        reach=REACH,
        operators_per_zone=draw.choice((1, 2)),
        overload_allowance=draw.choice((0.0, 0.1, 0.5)),
        level_stations=draw.random() < 0.5,
        moves_worth_an_operator=draw.choice((0.0, 5.0, 1000.0)),
        resident_units_per_year=(*units, 0.0),
        units_per_year=(*units, guest),
        net_hours_per_year=2.0,
        planning_availability=takt * 80 / 7200,
        resident_time_scale=1.0,
        guest_time_scale=1.0,
        starts=6,
        evaluations=20_000,
        seed=seed,
    )
    return replace(plain, **changes)


HEIGHTS = ("low", "mid", "high")
SKILLS = ("weld", "high-voltage", "airbag")


def with_further_rules(inputs: FitInputs, seed: int, often: float = 0.2) -> FitInputs:
    """Return a line with heights, skills, ergonomic load, company of tasks, fixed crews and frozen stations as well."""
    draw = random.Random(seed + 1)
    count = len(inputs.tasks)
    trained = {
        skill: tuple(sorted(draw.sample(range(len(inputs.stations)), max(1, len(inputs.stations) * 2 // 3))))
        for skill in SKILLS
    }
    tasks = []
    for number, task in enumerate(inputs.tasks):
        skill = draw.choice(SKILLS) if draw.random() < often else ""
        near = range(max(0, number - 4), number)
        tasks.append(
            replace(
                task,
                height=draw.choice(HEIGHTS) if draw.random() < often else "",
                skill=skill,
                skill_stations=trained[skill] if skill == "weld" else (),
                ergonomic_points=float(draw.randint(1, 9)) if draw.random() < 0.5 else 0.0,
                same_station=tuple(other for other in near if draw.random() < often / 4),
                other_station=tuple(other for other in near if draw.random() < often / 4),
            )
        )
    stations = []
    for station in inputs.stations:
        least = draw.choice((0, 0, 0, 1, station.max_operators))
        heights = tuple(sorted(draw.sample(HEIGHTS, 2))) if draw.random() < 0.5 else ()
        stations.append(replace(station, heights=heights, min_operators=least, frozen=draw.random() < 0.1))
    assert len(tasks) == count
    return replace(
        inputs,
        tasks=tuple(tasks),
        stations=tuple(stations),
        skills_per_operator=draw.choice((0, 1, 2)),
        ergonomic_limit_points_per_shift=draw.choice((None, 300.0, 150.0)),
        shifts_per_year=4.0,
        move_budget=draw.choice((None, None, 3, 10)),
        model_smoothing=draw.choice((0.0, 1.0)),
        overload_allowance=draw.choice((0.0, 0.2, float("inf"))),
    )


def recount_further(inputs: FitInputs, balance: LineBalance) -> None:
    """Count the further rules again from the assignment alone."""
    at = {place.task: place for place in balance.assignment}
    line = {station.id: (number, station) for number, station in enumerate(inputs.stations)}
    carried: dict[tuple[str, int], float] = defaultdict(float)
    skills: dict[tuple[str, int], set[str]] = defaultdict(set)
    crews: dict[str, set[int]] = defaultdict(set)
    for task in inputs.tasks:
        if task.id not in at:
            continue
        place = at[task.id]
        number, station = line[place.station]
        assert not task.height or not station.heights or task.height in station.heights
        assert not task.skill_stations or number in task.skill_stations
        for other in task.same_station:
            assert inputs.tasks[other].id not in at or at[inputs.tasks[other].id].station == place.station
        for other in task.other_station:
            assert inputs.tasks[other].id not in at or at[inputs.tasks[other].id].station != place.station
        built = sum(
            units for model, units in balance.units_per_year.items() if task.time_s[inputs.models.index(model)] > 0
        )
        for who in place.operators:
            crews[place.station].add(who)
            carried[place.station, who] += task.ergonomic_points * built / inputs.shifts_per_year / station.lanes
            skills[place.station, who] |= {task.skill} - {""}
    if inputs.ergonomic_limit_points_per_shift is not None:
        assert all(points <= inputs.ergonomic_limit_points_per_shift * (1 + 1e-6) for points in carried.values())
    if inputs.skills_per_operator:
        assert all(len(needed) <= inputs.skills_per_operator for needed in skills.values())
    if balance.assignment:
        crew = {name: max(len(crews[name]), station.min_operators) for name, (_, station) in line.items()}
        assert balance.operators == sum(line[name][1].lanes * size for name, size in crew.items())
        assert balance.stations_used == sum(size > 0 for size in crew.values())


@given(seed=st.integers(0, 10**6), tasks=st.integers(1, 45), stations=st.integers(2, 14))
@settings(QUICK, max_examples=40)
def test_every_balanced_line_keeps_the_further_rules_too(seed: int, tasks: int, stations: int) -> None:
    inputs = with_further_rules(random_line(seed, tasks, stations), seed)
    try:
        result = evaluate(inputs)
    except InputError as error:
        assert "no station left" in str(error)
        return
    for balance in (result.before, result.after):
        recount_further(inputs, balance)
        assert violations(inputs, balance) == []
    assert moving_violations(inputs, result.before, result.after) == []
    before = {place.task: place.station for place in result.before.assignment}
    after = {place.task: place.station for place in result.after.assignment}
    if inputs.move_budget is not None:
        assert len(result.moved_tasks) <= inputs.move_budget
    frozen = {station.id for station in inputs.stations if station.frozen}
    for name, station in after.items() if before else ():
        if {station, before.get(name)} & frozen:
            assert before.get(name) == station
    check_moves(inputs, result)
    check_trade_off(result)


def check_trade_off(result: FitResult) -> None:
    """More moves allowed never take more operators, and the line chosen is no better than the curve."""
    curve = result.trade_off
    assert [point.moves_allowed for point in curve] == sorted({point.moves_allowed for point in curve})
    assert all(point.moved_tasks <= point.moves_allowed for point in curve)
    assert all(after.operators <= before.operators for before, after in pairwise(curve))
    assert curve[-1].operators <= result.operators
    assert all(point.operators >= result.after.operators_lower_bound for point in curve)


def recount(inputs: FitInputs, balance: LineBalance) -> None:
    """Count every rule again from the assignment alone; it shares no code with what is tested."""
    tasks = {task.id: task for task in inputs.tasks}
    line = {station.id: (number, station) for number, station in enumerate(inputs.stations)}
    cars = sum(balance.units_per_year.values())
    mix = {model: units / cars for model, units in balance.units_per_year.items() if units > 0}
    column = {model: inputs.models.index(model) for model in mix}
    needed = {task.id for task in inputs.tasks if any(task.time_s[place] > 0 for place in column.values())}
    assert sorted(place.task for place in balance.assignment) == sorted(needed)
    at = {place.task: line[place.station][0] for place in balance.assignment}
    begun = {place.task: number for number, place in enumerate(balance.assignment)}
    # Precedence on the whole graph, also through tasks that nobody needs.
    ancestors: dict[str, set[str]] = {}
    for task in inputs.tasks:
        ancestors[task.id] = set()
        for number in task.predecessors:
            ancestors[task.id] |= {inputs.tasks[number].id} | ancestors[inputs.tasks[number].id]
    for name in needed:
        for earlier in ancestors[name] & needed:
            assert at[earlier] <= at[name]
            assert begun[earlier] < begun[name]
    reach = dict(inputs.reach)
    crews: dict[str, set[int]] = defaultdict(set)
    leads: dict[tuple[str, int], list[str]] = defaultdict(list)
    by_station: dict[str, list[Any]] = defaultdict(list)
    for place in balance.assignment:
        task = tasks[place.task]
        assert not task.stations or at[task.id] in task.stations
        assert len(set(place.operators)) == len(place.operators) == task.operators
        crews[place.station] |= set(place.operators)
        leads[place.station, place.operators[0]].append(task.id)
        by_station[place.station].append(place)
    standing = {(bar.station, bar.operator): bar.zone for bar in balance.operator_loads if bar.lane == 1}
    for name, crew in crews.items():
        station = line[name][1]
        assert len(crew) <= station.max_operators
        assert crew == set(range(1, len(crew) + 1))
        where = [standing[name, number] for number in sorted(crew)]
        assert all(zone in station.zones for zone in where)
        assert all(where.count(zone) <= inputs.operators_per_zone for zone in where)
        for number in crew:
            for led in leads[name, number]:
                assert not tasks[led].zone or tasks[led].zone in reach[standing[name, number]]
    work_s = 0.0
    for name, places in by_station.items():
        limit = line[name][1].lanes * balance.takt_s
        mean = 0.0
        for model, share in mix.items():
            # Intervals: those who work together begin and end together, and nobody does two things at once.
            busy: dict[int, list[tuple[float, float]]] = defaultdict(list)
            ends: dict[str, float] = {}
            for place in places:
                seconds = tasks[place.task].time_s[column[model]]
                start = max((ends[other] for other in ancestors[place.task] if other in ends), default=0.0)
                if seconds > 0:
                    start = max([start, *(end for number in place.operators for _, end in busy[number])])
                    for number in place.operators:
                        busy[number].append((start, start + seconds))
                ends[place.task] = start + seconds
                work_s += share * seconds * len(place.operators)
            last = max(ends.values())
            assert last <= limit * (1 + inputs.overload_allowance) + 1e-4
            mean += share * last
        assert mean <= limit + 1e-4
    operators = sum(line[name][1].lanes * len(crew) for name, crew in crews.items())
    assert balance.operators == operators >= balance.operators_lower_bound
    assert balance.stations_used == len(crews)
    assert balance.idle_share == pytest.approx(1 - work_s / operators / balance.takt_s, abs=1e-9)
    net_hours = inputs.net_hours_per_year
    assert balance.mean_direct_hours_per_car == pytest.approx(operators * net_hours / cars)
    hours = sum(balance.units_per_year[model] * each for model, each in balance.direct_hours_per_car.items())
    assert hours == pytest.approx(operators * net_hours)


@given(seed=st.integers(0, 10**6), tasks=st.integers(1, 45), stations=st.integers(2, 14))
@QUICK
def test_every_balanced_line_keeps_every_rule(seed: int, tasks: int, stations: int) -> None:
    inputs = random_line(seed, tasks, stations)
    try:
        result = evaluate(inputs)
    except InputError as error:
        assert "no station left" in str(error)
        return
    for balance in (result.before, result.after):
        if sum(balance.units_per_year.values()) and balance.assignment:
            recount(inputs, balance)
        assert violations(inputs, balance) == []
    check_moves(inputs, result)


def check_moves(inputs: FitInputs, result: FitResult) -> None:
    before = {place.task: place.station for place in result.before.assignment}
    after = {place.task: place.station for place in result.after.assignment}
    moved = {(name, before[name], after[name]) for name in before if before[name] != after[name]}
    assert {(move.task, move.from_station, move.to_station) for move in result.moved_tasks} == moved
    assert len(result.moved_tasks) == len(moved)
    assert result.resident_tasks == len(before)
    assert result.operators_added == result.after.operators - result.before.operators
    labour = labour_at(
        result,
        takt_s=result.takt_s,
        resident_time_scale=inputs.resident_time_scale,
        guest_time_scale=inputs.guest_time_scale,
    )
    assert labour.direct_hours_per_car == pytest.approx(result.hours_per_car)


@given(seed=st.integers(0, 10**6))
@settings(QUICK, max_examples=8)
def test_the_same_inputs_give_the_same_line_bit_for_bit(seed: int) -> None:
    inputs = random_line(seed, 30, 20)
    assert evaluate(inputs) == evaluate(inputs)


@given(seed=st.integers(0, 10**6))
@settings(QUICK, max_examples=8)
def test_a_line_whose_takt_is_loose_moves_nothing_where_moves_are_forbidden(seed: int) -> None:
    inputs = random_line(
        seed, 20, 12, moves_worth_an_operator=0.0, units_per_year=(40.0, 20.0, 1e-3), overload_allowance=0.5
    )
    inputs = replace(inputs, tasks=tuple(replace(task, time_s=(*task.time_s[:2], 0.0)) for task in inputs.tasks))
    assert evaluate(inputs).moved_tasks == ()


# Against an exact model of the same rules


def whole_line(seed: int) -> FitInputs:
    """Return a small line in whole seconds, two models in equal shares, one lane, that an exact model can settle."""
    draw = random.Random(seed)
    count, stations = draw.randint(4, 9), draw.randint(2, 3)
    elements = []
    for number in range(count):
        times = [float(draw.choice((0, *range(5, 35)))) for _ in range(2)]
        if not any(times):
            times[0] = 20.0
        elements.append(
            LineTask(
                id=f"t{number}",
                name="",
                zone=draw.choice(("", "left", "right", "under")),
                operators=2 if draw.random() < 0.15 else 1,
                stations=(draw.randrange(stations),) if not number else (),
                time_s=tuple(times),
                predecessors=tuple(other for other in range(number) if draw.random() < 0.15),
                resident=times[0] > 0,
                line=2,
            )
        )
    return replace(
        random_line(seed, 1, 1),
        models=("resident", "guest"),
        tasks=tuple(elements),
        stations=tuple(
            LineStation(f"S{number}", "line", 2, 1, ("left", "right", "under")) for number in range(stations)
        ),
        operators_per_zone=1,
        overload_allowance=draw.choice((0.0, 0.2)),
        resident_units_per_year=(0.0, 0.0),
        units_per_year=(60.0, 60.0),
        planning_availability=1.0,
        starts=12,
        evaluations=60_000,
    )


def further_whole_line(seed: int) -> FitInputs:
    """Return such a line with the further rules, in whole points a shift."""
    inputs = with_further_rules(whole_line(seed), seed)
    return replace(
        inputs,
        tasks=tuple(replace(task, operators=1 if task.skill else task.operators) for task in inputs.tasks),
        ergonomic_limit_points_per_shift=random.Random(seed).choice((None, 400.0, 250.0)),
        overload_allowance=random.Random(seed + 2).choice((0.0, 0.2, float("inf"))),
        move_budget=None,
    )


def test_small_lines_with_the_further_rules_take_as_few_operators_as_an_exact_model_finds() -> None:
    above = []
    unsolved = 0
    for seed in range(40):
        inputs = further_whole_line(seed)
        fewest = fewest_operators(inputs)
        if fewest is None:
            with pytest.raises(InputError, match="no station left"):
                evaluate(inputs)
            unsolved += 1
            continue
        result = evaluate(inputs)
        recount_further(inputs, result.after)
        assert result.after.operators_lower_bound <= fewest
        above.append(result.operators - fewest)
    assert len(above) >= 20
    assert unsolved >= 5
    assert min(above) == 0
    assert max(above) <= 1
    assert sum(above) <= len(above) / 20


def under(inputs: FitInputs, members: Collection[Requirement]) -> tuple[FitInputs, set[int]]:
    """Return a line that need keep ``members`` alone, and the stations with room for everybody."""
    kinds = {each.kind for each in members}

    def mates(kind: Kind, task: int) -> tuple[int, ...]:
        return tuple(each.other for each in members if each.kind is kind and each.task == task)

    tasks = []
    for number, task in enumerate(inputs.tasks):
        own = {each.kind for each in members if each.task == number}
        tasks.append(
            replace(
                task,
                stations=task.stations if Kind.STATION in own else (),
                skill_stations=task.skill_stations if Kind.SKILL in own else (),
                height=task.height if Kind.HEIGHT in own else "",
                zone=task.zone if Kind.ZONE in own else "",
                ergonomic_points=task.ergonomic_points if Kind.POINTS in own else 0.0,
                same_station=mates(Kind.SAME, number),
                other_station=mates(Kind.OTHER, number),
                predecessors=mates(Kind.BEFORE, number),
            )
        )
    line = replace(
        inputs,
        tasks=tuple(tasks),
        net_hours_per_year=inputs.net_hours_per_year * (1.0 if Kind.TAKT in kinds else 1000.0),
        overload_allowance=inputs.overload_allowance if Kind.PEAK in kinds else 5.0,
        skills_per_operator=inputs.skills_per_operator if Kind.SKILLS in kinds else 0,
        ergonomic_limit_points_per_shift=inputs.ergonomic_limit_points_per_shift if Kind.LOAD in kinds else None,
    )
    kept = {each.station for each in members if each.kind is Kind.ROOM}
    return line, set(range(len(inputs.stations))) - kept


def test_what_stops_a_line_is_proven_and_none_of_it_can_be_spared_by_an_exact_model() -> None:
    kinds: set[Kind] = set()
    sizes: list[int] = []
    for seed in range(30):
        inputs = further_whole_line(seed)
        conflict = smallest_conflict(Case(inputs, inputs.units_per_year, 60.0, {}))
        if conflict is None:
            continue
        assert conflict.irreducible
        assert fewest_operators(*under(inputs, conflict.members)) is None
        for spared in conflict.members:
            rest = [each for each in conflict.members if each is not spared]
            assert fewest_operators(*under(inputs, rest)) is not None, (seed, spared)
        kinds |= {each.kind for each in conflict.members}
        sizes.append(len(conflict.members))
    assert len(sizes) >= 12
    assert max(sizes) >= 6
    assert kinds >= {Kind.TAKT, Kind.STATION, Kind.SAME, Kind.OTHER, Kind.BEFORE, Kind.HEIGHT, Kind.LOAD, Kind.ROOM}


def test_small_lines_take_as_few_operators_as_an_exact_model_finds() -> None:
    above = []
    sharper = 0
    for seed in range(80):
        inputs = whole_line(seed)
        fewest = fewest_operators(inputs)
        if fewest is None:
            with pytest.raises(InputError, match="no station left"):
                evaluate(inputs)
            continue
        result = evaluate(inputs)
        recount(inputs, result.after)
        assert result.after.operators_lower_bound <= fewest
        sharper += result.after.operators_lower_bound > operators_lower_bound(
            inputs, inputs.units_per_year, result.takt_s
        )
        above.append(result.operators - fewest)
    assert len(above) >= 50
    assert min(above) == 0
    # Prices of tasks bound some of these lines better than work and packing do.
    assert sharper >= 3
    # A search without proof: never more than one too many, and that in one line of twenty at most.
    assert max(above) <= 1
    assert sum(above) <= len(above) / 20


# The simple problem


@st.composite
def simple_lines(draw: st.DrawFn, most_tasks: int) -> tuple[list[int], list[tuple[int, ...]], int]:
    count = draw(st.integers(1, most_tasks))
    takt = draw(st.integers(5, 30))
    times = draw(st.lists(st.integers(0, takt), min_size=count, max_size=count))
    arcs = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=2 * count))
    labels = draw(st.permutations(range(count)))
    # Arcs follow a hidden order, so that task numbers say nothing about it.
    hidden = [labels.index(task) for task in range(count)]
    before = [tuple({a for a, b in arcs if b == task and hidden[a] < hidden[b]}) for task in range(count)]
    return times, before, takt


def check_simple(times: list[int], before: list[tuple[int, ...]], takt: int, answer: Any) -> None:
    loads: dict[int, int] = defaultdict(int)
    for task, station in enumerate(answer.assignment):
        loads[station] += times[task]
        assert all(answer.assignment[earlier] <= station for earlier in before[task])
    assert max(loads.values()) <= takt
    assert max(answer.assignment) == answer.stations
    assert min(answer.assignment) >= 1
    assert answer.lower_bound <= answer.stations


def by_trying_every_order(times: list[int], before: list[tuple[int, ...]], takt: int) -> int:
    """Return the fewest stations over all orders of the tasks, each filled station by station."""
    best = len(times)
    for order in permutations(range(len(times))):
        place = {task: number for number, task in enumerate(order)}
        if any(place[earlier] > place[task] for task in order for earlier in before[task]):
            continue
        stations, left = 1, takt
        for task in order:
            if times[task] > left:
                stations, left = stations + 1, takt
            left -= times[task]
        best = min(best, stations)
    return best


@given(problem=simple_lines(6))
@QUICK
def test_the_simple_problem_is_solved_as_by_trying_every_order(
    problem: tuple[list[int], list[tuple[int, ...]], int],
) -> None:
    times, before, takt = problem
    answer = salbp1(times, before, takt)
    check_simple(times, before, takt, answer)
    assert answer.proven
    assert answer.stations == by_trying_every_order(times, before, takt)


@given(problem=simple_lines(16))
@settings(SLOW, max_examples=40)
def test_the_simple_problem_is_solved_as_by_an_exact_model(
    problem: tuple[list[int], list[tuple[int, ...]], int],
) -> None:
    from ortools.sat.python import cp_model

    times, before, takt = problem
    answer = salbp1(times, before, takt)
    check_simple(times, before, takt, answer)
    assert answer.proven
    model = cp_model.CpModel()
    where = [[model.new_bool_var("") for _ in range(answer.stations)] for _ in times]
    last = model.new_int_var(0, answer.stations - 1, "")
    for task, row in enumerate(where):
        model.add_exactly_one(row)
        number = sum(station * chosen for station, chosen in enumerate(row))
        model.add(last >= number)
        for earlier in before[task]:
            model.add(sum(station * chosen for station, chosen in enumerate(where[earlier])) <= number)
    for station in range(answer.stations):
        model.add(sum(times[task] * where[task][station] for task in range(len(times))) <= takt)
    model.minimize(last)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    assert answer.stations == round(solver.objective_value) + 1


@given(problem=simple_lines(40), nodes=st.integers(1, 3000))
@QUICK
def test_a_search_cut_short_still_gives_a_valid_answer_and_a_true_bound(
    problem: tuple[list[int], list[tuple[int, ...]], int], nodes: int
) -> None:
    times, before, takt = problem
    answer = salbp1(times, before, takt, most_nodes=nodes)
    check_simple(times, before, takt, answer)
    longer = salbp1(times, before, takt, most_nodes=200_000)
    assert answer.lower_bound <= longer.stations <= answer.stations
    if answer.proven:
        assert longer.stations == answer.stations


@given(sizes=st.lists(st.integers(1, 10), max_size=7))
@QUICK
def test_the_packing_bound_never_exceeds_the_bins_needed(sizes: list[int]) -> None:
    needed = by_trying_every_order(sizes, [()] * len(sizes), 10) if sizes else 0
    assert packing_bound([size / 10 for size in sizes]) <= needed


@given(problem=simple_lines(12))
@settings(QUICK, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_survive_both_file_formats(
    problem: tuple[list[int], list[tuple[int, ...]], int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    times, before, takt = problem
    line = AssemblyLine(tuple(times), tuple(tuple(sorted(earlier)) for earlier in before), takt)
    folder = tmp_path_factory.mktemp("lines")
    (folder / "a.alb").write_text(write_alb(line))
    (folder / "a.IN2").write_text(write_in2(line))
    assert read_alb(folder / "a.alb") == line
    assert read_in2(folder / "a.IN2") == replace(line, cycle_time=None)
