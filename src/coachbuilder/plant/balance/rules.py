"""Recounts every rule of a balanced line from its inputs alone: an independent check, written to be read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from coachbuilder.plant.balance.interface import FitInputs, LineBalance, LineTask, StationLoad, TaskPlace
from coachbuilder.plant.process import joint_precedence

TOLERANCE_S = 1e-4


def violations(inputs: FitInputs, balance: LineBalance) -> list[str]:
    """Return every rule that a line breaks, in words; an empty list for a line that keeps them all.

    Parameters
    ----------
    inputs
        What the line was balanced from.
    balance
        Either line of the result.

    Notes
    -----
    Nothing is taken from the balance but its takt, its rates and its assignment; loads, makespans and counts are
    computed again and compared with what it states.
    """
    units = [balance.units_per_year[model] for model in inputs.models]
    built = [position for position, number in enumerate(units) if number > 0]
    kept = [any(task.time_s[model] > 0 for model in built) for task in inputs.tasks]
    found = _task_rules(inputs, balance, kept)
    wanted = {task.id for task, keep in zip(inputs.tasks, kept, strict=True) if keep}
    if sorted(place.task for place in balance.assignment) != sorted(wanted):
        return found
    joint = joint_precedence([task.predecessors for task in inputs.tasks], kept)
    by_id = {task.id: task for task in inputs.tasks}
    found += _company_rules(inputs, balance)
    before = {
        task.id: [inputs.tasks[earlier].id for earlier in joint[position]] for position, task in enumerate(inputs.tasks)
    }
    order = {place.task: number for number, place in enumerate(balance.assignment)}
    for place in balance.assignment:
        for earlier in before[place.task]:
            if order[earlier] > order[place.task]:
                found.append(f"{place.task} at {place.station} is begun before its predecessor {earlier}")
    total = sum(units)
    shares = {inputs.models[model]: units[model] / total for model in built}
    operators = 0
    for station in balance.stations:
        places = [place for place in balance.assignment if place.station == station.station]
        found += _crew_rules(inputs, by_id, station, places)
        found += _takt_rules(inputs, by_id, before, station, places, shares, balance.takt_s)
        found += _person_rules(inputs, by_id, station, places, shares, total)
        crew = max(len({number for place in places for number in place.operators}), _fixed_crew(inputs, station))
        operators += station.lanes * crew if any(kept) else 0
    if operators != balance.operators or operators != sum(station.operators for station in balance.stations):
        found.append(f"{balance.operators} operators stated, {operators} counted")
    used = {place.station for place in balance.assignment}
    used |= {station.station for station in balance.stations if any(kept) and _fixed_crew(inputs, station)}
    if len(used) != balance.stations_used:
        found.append(f"{balance.stations_used} stations stated, {len(used)} counted")
    if balance.operators < balance.operators_lower_bound:
        found.append(f"{balance.operators} operators are below the bound {balance.operators_lower_bound}")
    return found + _load_rules(inputs, by_id, balance, shares)


def moving_violations(inputs: FitInputs, before: LineBalance, after: LineBalance) -> list[str]:
    """Return every rule of rebalancing that the step from one line to the other breaks, in words.

    Parameters
    ----------
    inputs
        What both lines were balanced from.
    before, after
        The line without and with the guest.
    """
    old = {place.task: place.station for place in before.assignment}
    new = {place.task: place.station for place in after.assignment}
    moved = [name for name, station in old.items() if new.get(name, station) != station]
    found: list[str] = []
    if inputs.move_budget is not None and len(moved) > inputs.move_budget:
        found.append(f"{len(moved)} tasks move, at most {inputs.move_budget} may")
    for station in inputs.stations if old else ():
        if station.frozen:
            found += [f"{name} leaves {station.id}, which is frozen" for name in moved if old[name] == station.id]
            found += [
                f"{name} comes to {station.id}, which is frozen"
                for name, at in new.items()
                if at == station.id and old.get(name) != station.id
            ]
    return found


def _task_rules(inputs: FitInputs, balance: LineBalance, kept: Sequence[bool]) -> list[str]:
    """Every task once, at a station that may take it, by as many different operators as it needs."""
    found: list[str] = []
    wanted = {task.id for task, keep in zip(inputs.tasks, kept, strict=True) if keep}
    placed = [place.task for place in balance.assignment]
    found += [f"{name} is not done" for name in sorted(wanted - set(placed))]
    found += [f"{name} is done, though no model has it" for name in sorted(set(placed) - wanted)]
    found += [f"{name} is done {placed.count(name)} times" for name in sorted(set(placed)) if placed.count(name) > 1]
    if [station.station for station in balance.stations] != [station.id for station in inputs.stations]:
        found.append("the stations are not those of the line, in its order")
    numbers = {station.id: number for number, station in enumerate(inputs.stations)}
    by_id = {task.id: task for task in inputs.tasks}
    last = 0
    for place in balance.assignment:
        task = by_id.get(place.task)
        if task is None:
            continue
        number = numbers[place.station]
        if number < last:
            found.append(f"{task.id} stands out of line order")
        last = max(last, number)
        if task.stations and number not in task.stations:
            found.append(f"{task.id} may not be done at {place.station}")
        if task.skill_stations and number not in task.skill_stations:
            found.append(f"{task.id} needs the skill {task.skill}, which does not work at {place.station}")
        heights = inputs.stations[number].heights
        if task.height and heights and task.height not in heights:
            found.append(
                f"{task.id} needs the car at height {task.height}, at {place.station} it is {', '.join(heights)}"
            )
        if len(set(place.operators)) != task.operators:
            found.append(f"{task.id} needs {task.operators} operators, not {len(set(place.operators))}")
    return found


def _crew_rules(
    inputs: FitInputs, by_id: dict[str, LineTask], station: StationLoad, places: Sequence[TaskPlace]
) -> list[str]:
    """Room for the crew, and a zone for each operator from which all that he or she leads can be reached."""
    line_station = next(item for item in inputs.stations if item.id == station.station)
    crew = sorted({number for place in places for number in place.operators})
    found: list[str] = []
    if len(crew) > line_station.max_operators:
        found.append(f"{station.station} has room for {line_station.max_operators} operators, not {len(crew)}")
    reach = dict(inputs.reach)
    choices: dict[int, set[str]] = {}
    for number in crew:
        led = [by_id[place.task] for place in places if place.operators[0] == number]
        choices[number] = {
            zone for zone in line_station.zones if all(not task.zone or task.zone in reach[zone] for task in led)
        }
        if not choices[number]:
            found.append(f"operator {number} at {station.station} can stand nowhere to reach all tasks")
    for size in range(1, len(crew) + 1):
        for group in combinations(crew, size):
            room = set().union(*(choices[number] for number in group))
            if room and size > inputs.operators_per_zone * len(room):
                found.append(f"{size} operators at {station.station} crowd into {', '.join(sorted(room))}")
    return found


def _fixed_crew(inputs: FitInputs, station: StationLoad) -> int:
    return next(item.min_operators for item in inputs.stations if item.id == station.station)


def _company_rules(inputs: FitInputs, balance: LineBalance) -> list[str]:
    """Tasks that must share a station do, and those that must not do not."""
    at = {place.task: place.station for place in balance.assignment}
    found: list[str] = []
    for task in inputs.tasks:
        if task.id not in at:
            continue
        here = at[task.id]
        found += [
            f"{task.id} at {here} must share a station with {other}, which is at {at[other]}"
            for other in (inputs.tasks[position].id for position in task.same_station)
            if at.get(other, here) != here
        ]
        found += [
            f"{task.id} must not share {here} with {other}"
            for other in (inputs.tasks[position].id for position in task.other_station)
            if at.get(other) == here
        ]
    return found


def _person_rules(
    inputs: FitInputs,
    by_id: dict[str, LineTask],
    station: StationLoad,
    places: Sequence[TaskPlace],
    shares: dict[str, float],
    units_per_year: float,
) -> list[str]:
    """No operator needs too many skills or carries too much over a shift."""
    lanes = next(item.lanes for item in inputs.stations if item.id == station.station)
    found: list[str] = []
    for number in sorted({number for place in places for number in place.operators}):
        own = [by_id[place.task] for place in places if number in place.operators]
        skills = sorted({task.skill for task in own if task.skill})
        if inputs.skills_per_operator and len(skills) > inputs.skills_per_operator:
            found.append(
                f"operator {number} at {station.station} needs {len(skills)} skills ({', '.join(skills)}), "
                f"at most {inputs.skills_per_operator} are allowed"
            )
        points = 0.0
        for model, share in shares.items():
            cars_per_shift = share * units_per_year / inputs.shifts_per_year / lanes
            position = inputs.models.index(model)
            points += cars_per_shift * sum(task.ergonomic_points for task in own if task.time_s[position] > 0)
        most = inputs.ergonomic_limit_points_per_shift
        if most is not None and points > most + TOLERANCE_S:
            found.append(
                f"operator {number} at {station.station} carries {points:.1f} points a shift, "
                f"at most {most:g} are allowed"
            )
    return found


def _takt_rules(
    inputs: FitInputs,
    by_id: dict[str, LineTask],
    before: dict[str, list[str]],
    station: StationLoad,
    places: Sequence[TaskPlace],
    shares: dict[str, float],
    takt_s: float,
) -> list[str]:
    """Play a station's schedule through by model: takt in the mean, and each model within the allowance."""
    lanes = next(item.lanes for item in inputs.stations if item.id == station.station)
    limit = takt_s * lanes
    found: list[str] = []
    mean = 0.0
    for model, share in shares.items():
        position = inputs.models.index(model)
        done: dict[str, float] = {}
        free: dict[int, float] = {}
        for place in places:
            begin = max((done.get(earlier, 0.0) for earlier in before[place.task]), default=0.0)
            duration = by_id[place.task].time_s[position]
            if duration > 0:
                begin = max(begin, *(free.get(number, 0.0) for number in place.operators)) + duration
                free.update(dict.fromkeys(place.operators, begin))
            done[place.task] = begin
        makespan = max(done.values(), default=0.0)
        mean += share * makespan
        if makespan > limit * (1 + inputs.overload_allowance) + TOLERANCE_S:
            found.append(f"{station.station} takes {makespan:.1f} s on {model}, takt is {limit:.1f} s")
        if abs(makespan - station.makespan_s[model]) > TOLERANCE_S:
            found.append(
                f"{station.station} states {station.makespan_s[model]:.3f} s on {model}, it is {makespan:.3f} s"
            )
    if mean > limit + TOLERANCE_S:
        found.append(f"{station.station} takes {mean:.1f} s in the mean, takt is {limit:.1f} s")
    return found


def _load_rules(
    inputs: FitInputs, by_id: dict[str, LineTask], balance: LineBalance, shares: dict[str, float]
) -> list[str]:
    """Bars, hours and idle share state what the assignment gives."""
    found: list[str] = []
    lanes = {station.id: station.lanes for station in inputs.stations}
    crews = {station.station: station.operators // station.lanes for station in balance.stations}
    where = {place.task: place for place in balance.assignment}
    for bar in balance.operator_loads:
        number = (bar.operator - 1) % crews[bar.station] + 1
        own = {name for name, place in where.items() if place.station == bar.station and number in place.operators}
        if own != set(bar.tasks):
            found.append(f"operator {bar.operator} at {bar.station} states other tasks than assigned")
            continue
        for model, stated in bar.load_s.items():
            load = sum(by_id[name].time_s[inputs.models.index(model)] for name in own) / lanes[bar.station]
            if abs(load - stated) > TOLERANCE_S:
                found.append(
                    f"operator {bar.operator} at {bar.station} states {stated:.3f} s on {model}, not {load:.3f}"
                )
    work_s = sum(
        share * by_id[name].operators * by_id[name].time_s[inputs.models.index(model)]
        for name in where
        for model, share in shares.items()
    )
    manned_s = balance.operators * balance.takt_s
    idle = max(0.0, 1.0 - work_s / manned_s) if manned_s > 0 else 0.0
    if abs(idle - balance.idle_share) > 1e-9:
        found.append(f"idle share {balance.idle_share:.6f} stated, {idle:.6f} counted")
    hours = sum(shares[model] * hours for model, hours in balance.direct_hours_per_car.items())
    if abs(hours - balance.mean_direct_hours_per_car) > 1e-9 * max(1.0, hours):
        found.append("hours by model do not add up to the mean")
    return found
