"""A CP-SAT model of every rule of a mixed-model line, written from the rules alone: the oracle of balancing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from coachbuilder.plant.balance import FitInputs, LineBalance


@dataclass(frozen=True, slots=True)
class ExactLine:
    """The model, and those of its variables that say who does what."""

    model: Any
    lead: dict[tuple[int, int, int], Any]
    """1 where a task at a station is led by this operator."""
    works: dict[tuple[int, int, int], Any]
    """1 where this operator leads the task or helps with it."""
    used: dict[tuple[int, int], Any]
    """1 where a station has this operator."""
    ends: dict[tuple[int, int], Any]
    """When a task ends on a model, in seconds after the car came to its station."""
    operators: Any
    """Operators of the line, those of every lane."""


def exact_line(inputs: FitInputs, roomy: Collection[int] = ()) -> ExactLine:
    """Return the model of the line with the guest; at the stations ``roomy`` there is room for everybody.

    Times, takt and points a shift must be whole and every task must be needed by a model that is built. The order of
    an operator's tasks may differ between models here, while the engine has one for all: the model's optimum is never
    above that of the engine's rules.
    """
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    tasks, stations = inputs.tasks, range(len(inputs.stations))
    numbers = range(len(tasks))
    units = [_whole(each) for each in inputs.units_per_year]
    built = [m for m, number in enumerate(units) if number]
    takt = _takt(inputs)
    limit = [station.lanes * takt for station in inputs.stations]
    # One model's work may exceed takt by the allowance; without end, it is bounded by the mean of the mix alone.
    peak = [
        int(min(each * (1 + inputs.overload_allowance), max(each * sum(units) // units[m] for m in built)) + 1e-6)
        for each in limit
    ]
    horizon = max(peak)
    everybody = sum(task.operators for task in tasks)
    room = [everybody if s in roomy else station.max_operators for s, station in enumerate(inputs.stations)]
    used = {(s, k): model.new_bool_var("") for s in stations for k in range(room[s])}
    here = [[model.new_bool_var("") for _ in stations] for _ in tasks]
    lead = {(t, s, k): model.new_bool_var("") for t in numbers for s, k in used}
    works = {key: model.new_bool_var("") if tasks[key[0]].operators > 1 else variable for key, variable in lead.items()}
    # Those who have a task stand in one zone; one of a fixed crew who has none needs no place at the car.
    stands = {(s, k, zone): model.new_bool_var("") for s, k in used for zone in inputs.stations[s].zones}
    for s, k in used:
        standing = sum(stands[s, k, zone] for zone in inputs.stations[s].zones)
        fixed = k < inputs.stations[s].min_operators
        model.add(standing <= used[s, k] if fixed else standing == used[s, k])
        if fixed:
            model.add(used[s, k] == 1)
        if k:
            model.add(used[s, k] <= used[s, k - 1])
    for s in stations:
        for zone in inputs.stations[s].zones if s not in roomy else ():
            model.add(sum(stands[s, k, zone] for k in range(room[s])) <= inputs.operators_per_zone)
    reach = dict(inputs.reach)
    for t, task in enumerate(tasks):
        model.add_exactly_one(here[t])
        for s, station in enumerate(inputs.stations):
            if (
                (task.stations and s not in task.stations)
                or (task.skill_stations and s not in task.skill_stations)
                or (task.height and station.heights and task.height not in station.heights)
            ):
                model.add(here[t][s] == 0)
            for other in task.same_station:
                model.add(here[t][s] == here[other][s])
            for other in task.other_station:
                model.add(here[t][s] + here[other][s] <= 1)
            slots = range(room[s])
            model.add(sum(lead[t, s, k] for k in slots) == here[t][s])
            if task.operators > 1:
                model.add(sum(works[t, s, k] for k in slots) == task.operators * here[t][s])
            for k in slots:
                model.add(works[t, s, k] <= sum(stands[s, k, zone] for zone in station.zones))
                if task.operators > 1:
                    model.add(lead[t, s, k] <= works[t, s, k])
                if task.zone:
                    good = [stands[s, k, zone] for zone in station.zones if task.zone in reach[zone]]
                    model.add(sum(good) >= lead[t, s, k])
    # Time: nobody does two things at once, a task begins when its predecessors at the station have ended.
    ends: dict[tuple[int, int], Any] = {}
    intervals: dict[tuple[int, int, int], list[Any]] = defaultdict(list)
    for t, task in enumerate(tasks):
        at = sum(s * here[t][s] for s in stations)
        for m in built:
            seconds = _whole(task.time_s[m])
            ends[t, m] = model.new_int_var(seconds, horizon, "")
            for s, k in used if seconds else ():
                interval = model.new_optional_fixed_size_interval_var(ends[t, m] - seconds, seconds, works[t, s, k], "")
                intervals[s, k, m].append(interval)
        for earlier in task.predecessors:
            for s in stations:
                model.add(sum(here[t][: s + 1]) <= sum(here[earlier][: s + 1]))
            at_earlier = sum(s * here[earlier][s] for s in stations)
            for m in built:
                begin = ends[t, m] - _whole(task.time_s[m])
                model.add(ends[earlier, m] + horizon * at_earlier <= begin + horizon * at)
    for group in intervals.values():
        model.add_no_overlap(group)
    for s in stations:
        last = {m: model.new_int_var(0, peak[s], "") for m in built}
        for m in built:
            for t in numbers:
                model.add(last[m] >= ends[t, m]).only_enforce_if(here[t][s])
        model.add(sum(units[m] * last[m] for m in built) <= limit[s] * sum(units))
        for k in range(room[s]):
            # Follows from the schedule; said here, it is counted without one.
            for m in built:
                model.add(sum(_whole(task.time_s[m]) * works[t, s, k] for t, task in enumerate(tasks)) <= last[m])
    for s, k in used:
        _limit_person(inputs, model, [works[t, s, k] for t in numbers], inputs.stations[s].lanes)
    operators = sum(inputs.stations[s].lanes * each for (s, _), each in used.items())
    work = sum(task.operators * units[m] * _whole(task.time_s[m]) for task in tasks for m in built)
    model.add(operators >= -(-work // (takt * sum(units))))
    return ExactLine(model, lead, works, used, ends, operators)


def _limit_person(inputs: FitInputs, model: Any, works: Sequence[Any], lanes: int) -> None:
    """Bound the ergonomic load and the skills of one operator, by the tasks that he or she works on."""
    cars = [units / inputs.shifts_per_year for units in inputs.units_per_year]
    if inputs.ergonomic_limit_points_per_shift is not None:
        points = [
            _whole(sum(cars[m] * task.ergonomic_points for m in range(len(cars)) if task.time_s[m]))
            for task in inputs.tasks
        ]
        most = int(lanes * inputs.ergonomic_limit_points_per_shift)
        model.add(sum(each * chosen for each, chosen in zip(points, works, strict=True)) <= most)
    if inputs.skills_per_operator:
        has = {skill: model.new_bool_var("") for skill in sorted({task.skill for task in inputs.tasks} - {""})}
        for task, chosen in zip(inputs.tasks, works, strict=True):
            if task.skill:
                model.add(chosen <= has[task.skill])
        model.add(sum(has.values()) <= inputs.skills_per_operator)


def keep_one_order(inputs: FitInputs, exact: ExactLine) -> None:
    """Let the tasks of an operator follow each other in one order on all models, as the engine has it."""
    tasks = inputs.tasks
    position = [exact.model.new_int_var(0, len(tasks), "") for _ in tasks]
    earlier: list[set[int]] = []
    for t, task in enumerate(tasks):
        earlier.append(set().union(task.predecessors, *(earlier[other] for other in task.predecessors)))
        for other in task.predecessors:
            exact.model.add(position[other] < position[t])
    for one, two in combinations(range(len(tasks)), 2):
        share = exact.model.new_bool_var("")
        for s, k in exact.used:
            exact.model.add(exact.works[one, s, k] + exact.works[two, s, k] <= 1 + share)
        first = exact.model.new_bool_var("")
        if one in earlier[two]:
            exact.model.add(first == 1)
        for a, b, chosen in ((one, two, first), (two, one, ~first)):
            exact.model.add(position[a] < position[b]).only_enforce_if(share, chosen)
            for m, units in enumerate(inputs.units_per_year):
                if units and tasks[a].time_s[m] and tasks[b].time_s[m]:
                    begin = exact.ends[b, m] - _whole(tasks[b].time_s[m])
                    exact.model.add(exact.ends[a, m] <= begin).only_enforce_if(share, chosen)


def fix(inputs: FitInputs, exact: ExactLine, balance: LineBalance) -> None:
    """Hold every task at its station and with its operators."""
    for variable, value in values_of(inputs, exact, balance).values():
        exact.model.add(variable == value)


def values_of(inputs: FitInputs, exact: ExactLine, balance: LineBalance) -> dict[int, tuple[Any, int]]:
    """Return the variables that say who does what, by their number in the model, each with its value in a line."""
    at = {place.task: place for place in balance.assignment}
    found = {}
    for t, s, k in exact.works:
        place = at[inputs.tasks[t].id]
        own = inputs.stations[s].id == place.station
        for variable, value in (
            (exact.works[t, s, k], own and k + 1 in place.operators),
            (exact.lead[t, s, k], own and k + 1 == place.operators[0]),
        ):
            found[variable.index] = (variable, int(value))
    return found


def fewest_operators(inputs: FitInputs, roomy: Collection[int] = ()) -> int | None:
    """Return the fewest operators of a small line with the guest; nothing if there is no line."""
    from ortools.sat.python import cp_model

    exact = exact_line(inputs, roomy)
    exact.model.minimize(exact.operators)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    status = solver.solve(exact.model)
    if status == cp_model.INFEASIBLE:
        return None
    assert status == cp_model.OPTIMAL
    return round(solver.objective_value)


def _takt(inputs: FitInputs) -> int:
    return _whole(inputs.net_hours_per_year * 3600 * inputs.planning_availability / sum(inputs.units_per_year))


def _whole(number: float) -> int:
    assert abs(number - round(number)) < 1e-9 * max(1.0, abs(number))
    return round(number)
