"""From a programme to the inputs of line balancing, with what is wrong about tasks and stations told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from coachbuilder.plant.balance.interface import FitInputs, LineStation, LineTask, TaskPlace
from coachbuilder.plant.process import net_hours_per_year, takt_s, topological_order
from coachbuilder.programme.errors import InputError, Problem, closest, shown
from coachbuilder.programme.sections.assembly import StationUse, TaktRule, Zone

if TYPE_CHECKING:
    from coachbuilder.programme import Programme
    from coachbuilder.programme.sections.assembly import AssemblySection
    from coachbuilder.programme.tasks import Task

TASKS = "tasks.csv"
PLANT = "plant.toml"
LINE = "line.csv"


def inputs_from(
    programme: Programme, *, resident_units_per_year: Mapping[str, float], guest_units_per_year: float
) -> FitInputs:
    """Take what line balancing needs from a programme and from the planned rates.

    Parameters
    ----------
    programme
        The programme.
    resident_units_per_year
        Cars a year of every resident model, before and after alike.
    guest_units_per_year
        Cars a year of the guest; 0 leaves it out.

    Returns
    -------
    FitInputs
        Times scaled, stations written out.

    Raises
    ------
    InputError
        If tasks and stations do not fit each other, or a task is longer than takt and no station may take it.
    """
    problems = _layout_problems(programme)
    residents = [model.id for model in programme.residents]
    rates = [resident_units_per_year[model] for model in residents]
    if sum(rates) + guest_units_per_year <= 0:
        problems.append(Problem(PLANT, "model.planned_units_per_year", "0 cars a year", "a rate above 0 on some model"))
    if problems:
        raise InputError(problems)
    inputs = _inputs(programme, resident_units_per_year, guest_units_per_year)
    problems = _time_problems(inputs)
    if problems:
        raise InputError(problems)
    return inputs


def check(programme: Programme) -> list[Problem]:
    """Return what line balancing would refuse at the residents' own rate, without balancing anything.

    Parameters
    ----------
    programme
        The programme.

    Returns
    -------
    list of Problem
        Unknown stations and equipment, fixed stations against the precedence graph, crews too large, tasks too long.
    """
    problems = _layout_problems(programme)
    if problems:
        return problems
    residents = {model.id: model.units_per_year for model in programme.residents}
    if sum(residents.values()) <= 0:
        return []
    return _time_problems(_inputs(programme, residents, 0.0), only_built=False)


def smallest_takt_s(inputs: FitInputs) -> float:
    """Return the shortest takt at which every task still fits somewhere and the line has room for the work.

    It is a lower limit: whether a line can be balanced at it, only balancing tells.

    Parameters
    ----------
    inputs
        Inputs of line balancing at any takt.

    Returns
    -------
    float
        Seconds; no rate above net time x availability / this can be built.
    """
    built = [position for position, units in enumerate(inputs.units_per_year) if units > 0]
    total = sum(inputs.units_per_year)
    shortest = 0.0
    work_s = 0.0
    for task in inputs.tasks:
        lanes = max((inputs.stations[place].lanes for place in places_of(task, inputs)), default=1)
        mean_s = sum(inputs.units_per_year[position] * task.time_s[position] for position in built) / total
        longest = max((task.time_s[position] for position in built), default=0.0)
        shortest = max(shortest, mean_s / lanes, longest / (1.0 + inputs.overload_allowance) / lanes)
        work_s += task.operators * mean_s
    room = sum(station.max_operators * station.lanes for station in inputs.stations)
    return max(shortest, work_s / room)


def stations_of(programme: Programme) -> tuple[LineStation, ...]:
    """Return the stations of the line in the order in which a car passes them.

    Parameters
    ----------
    programme
        The programme; nothing but its segments and stations counts.
    """
    return _stations(programme.plant.assembly)


def places_of(task: LineTask, inputs: FitInputs) -> list[int]:
    """Return the positions of the stations that have all that ``task`` needs, and room for its crew."""
    reach = dict(inputs.reach)
    candidates = task.stations or range(len(inputs.stations))
    return [
        place
        for place in candidates
        if inputs.stations[place].max_operators >= task.operators
        and (not task.zone or any(task.zone in reach[zone] for zone in inputs.stations[place].zones))
        and (not task.skill_stations or place in task.skill_stations)
        and (not task.height or not inputs.stations[place].heights or task.height in inputs.stations[place].heights)
    ]


def _inputs(programme: Programme, resident_units: Mapping[str, float], guest_units: float) -> FitInputs:
    plant = programme.plant
    assembly = plant.assembly
    models = tuple(model.id for model in plant.model)
    guest = programme.guest.id
    resident_scale = plant.tasks.time_scale.value
    guest_scale = plant.tasks.guest_time_scale.value
    scales = [guest_scale if model == guest else resident_scale for model in models]
    stations = _stations(assembly)
    place_of = {station.id: place for place, station in enumerate(stations)}
    equipment = {item.id: tuple(place_of[name] for name in item.stations) for item in assembly.equipment}
    named = {item.id: item.name for item in assembly.equipment}
    with_skill = {item.id: tuple(sorted(place_of[name] for name in item.stations)) for item in assembly.skill}
    position_of = {task.id: position for position, task in enumerate(programme.tasks)}
    tasks = tuple(
        LineTask(
            id=task.id,
            name=task.name,
            zone=task.zone,
            operators=task.operators,
            stations=_fixed(task, place_of, equipment),
            time_s=tuple(task.time_s[model] * scale for model, scale in zip(models, scales, strict=True)),
            predecessors=tuple(position_of[name] for name in task.predecessors),
            resident=any(task.time_s[model] > 0 for model in models if model != guest),
            line=task.line,
            station=task.station,
            equipment=named.get(task.equipment, ""),
            height=task.height,
            skill=task.skill,
            skill_stations=with_skill.get(task.skill, ()),
            ergonomic_points=task.ergonomic_points,
            same_station=tuple(position_of[name] for name in task.same_station),
            other_station=tuple(position_of[name] for name in task.other_station),
        )
        for task in programme.tasks
    )
    residents = tuple(0.0 if model == guest else float(resident_units[model]) for model in models)
    everybody = tuple(
        float(guest_units) if model == guest else units for model, units in zip(models, residents, strict=True)
    )
    return FitInputs(
        models=models,
        guest=guest,
        tasks=tasks,
        stations=stations,
        reach=tuple(
            (zone.value, tuple(dict.fromkeys((zone.value, *(other.value for other in assembly.reach.get(zone, ()))))))
            for zone in Zone
        ),
        operators_per_zone=assembly.operators_per_zone,
        overload_allowance=_allowance(assembly, residents, everybody),
        level_stations=assembly.station_use is StationUse.LEVEL,
        moves_worth_an_operator=float(assembly.moves_worth_an_operator),
        resident_units_per_year=residents,
        units_per_year=everybody,
        net_hours_per_year=net_hours_per_year(plant.shifts),
        planning_availability=plant.plant.planning_availability.value,
        resident_time_scale=resident_scale,
        guest_time_scale=guest_scale,
        starts=assembly.starts,
        evaluations=assembly.evaluations,
        seed=programme.seed,
        today=tuple(TaskPlace(place.task, place.station, place.operators) for place in programme.line),
        move_budget=assembly.move_budget,
        skills_per_operator=assembly.skills_per_operator,
        ergonomic_limit_points_per_shift=assembly.ergonomic_limit_points_per_shift,
        shifts_per_year=plant.shifts.shifts_per_day * plant.shifts.working_days_per_year.value,
        model_smoothing=assembly.model_smoothing,
    )


def _allowance(assembly: AssemblySection, *mixes: Sequence[float]) -> float:
    """Return how far one model may exceed takt: nothing for peak, any amount where the average alone counts.

    While the average is within takt, no model can take more than takt over its share of the cars.
    """
    if assembly.takt_rule is TaktRule.PEAK:
        return 0.0
    if assembly.takt_rule is TaktRule.ALLOWANCE:
        return assembly.overload_allowance.value
    shares = [units / sum(mix) for mix in mixes for units in mix if units > 0]
    return 1.0 / min(shares) if shares else 0.0


def _stations(assembly: AssemblySection) -> tuple[LineStation, ...]:
    special = {station.id: station for station in assembly.station}
    stations: list[LineStation] = []
    for segment in assembly.segment:
        for number in range(1, segment.stations + 1):
            identifier = f"{segment.prefix}{number:02d}"
            own = special.get(identifier)
            zones = segment.zones if own is None or own.zones is None else own.zones
            heights = segment.heights if own is None or own.heights is None else own.heights
            room = segment.max_operators if own is None or own.max_operators is None else own.max_operators
            stations.append(
                LineStation(
                    id=identifier,
                    segment=segment.id,
                    max_operators=room,
                    lanes=1 if own is None else own.lanes,
                    zones=tuple(zone.value for zone in zones),
                    heights=tuple(height.value for height in heights),
                    min_operators=0 if own is None else own.min_operators,
                    frozen=identifier in assembly.frozen_stations,
                )
            )
    return tuple(stations)


def _fixed(task: Task, place_of: Mapping[str, int], equipment: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    if task.station:
        return (place_of[task.station],)
    return tuple(sorted(equipment[task.equipment])) if task.equipment else ()


def _layout_problems(programme: Programme) -> list[Problem]:
    """Return what is wrong with segments, stations, equipment, and the tasks that name them."""
    assembly = programme.plant.assembly
    problems: list[Problem] = []
    for kind, names in (
        ("assembly.segment.id", [segment.id for segment in assembly.segment]),
        ("assembly.segment.prefix", [segment.prefix for segment in assembly.segment]),
        ("assembly.station.id", [station.id for station in assembly.station]),
        ("assembly.equipment.id", [item.id for item in assembly.equipment]),
        ("assembly.skill.id", [item.id for item in assembly.skill]),
    ):
        repeated = sorted({name for name in names if names.count(name) > 1})
        problems.extend(Problem(PLANT, kind, name, "a name used once") for name in repeated)
    stations = _stations(assembly)
    place_of = {station.id: place for place, station in enumerate(stations)}
    equipment = {item.id: item.stations for item in assembly.equipment}
    span = ", ".join(
        f"{segment.prefix}01 to {segment.prefix}{segment.stations:02d}"
        if segment.stations > 1
        else f"{segment.prefix}01"
        for segment in assembly.segment
    )
    named = [("assembly.station.id", station.id) for station in assembly.station]
    named += [(f"assembly.equipment.{item.id}.stations", name) for item in assembly.equipment for name in item.stations]
    named += [(f"assembly.skill.{item.id}.stations", name) for item in assembly.skill for name in item.stations]
    named += [("assembly.frozen_stations", name) for name in assembly.frozen_stations]
    problems.extend(
        Problem(PLANT, field, name, f"a station: {span}", hint=closest(name, place_of))
        for field, name in named
        if name not in place_of
    )
    problems.extend(
        Problem(LINE, "station", place.station, f"a station: {span}", place.line, closest(place.station, place_of))
        for place in programme.line
        if place.station not in place_of
    )
    for station in stations:
        if station.min_operators > station.max_operators:
            found, expected = str(station.min_operators), f"at most max_operators, {station.max_operators}"
            problems.append(Problem(PLANT, f"assembly.station.{station.id}.min_operators", found, expected))
    skills = {item.id: item.stations for item in assembly.skill}
    for task in programme.tasks:
        if task.skill and task.skill not in skills:
            hint = closest(task.skill, skills) or "add it under assembly.skill in plant.toml"
            problems.append(Problem(TASKS, "skill", task.skill, "a skill of the plant", task.line, hint))
        if task.station and task.station not in place_of:
            hint = closest(task.station, place_of)
            problems.append(Problem(TASKS, "station", task.station, f"a station: {span}", task.line, hint))
        if task.equipment and task.equipment not in equipment:
            hint = closest(task.equipment, equipment) or "add it under assembly.equipment in plant.toml"
            expected = "equipment that some station has"
            problems.append(Problem(TASKS, "equipment", task.equipment, expected, task.line, hint))
        elif task.equipment and task.station and task.station not in equipment[task.equipment]:
            at = ", ".join(equipment[task.equipment])
            expected = f"one of {at}, where {task.equipment} stands"
            problems.append(Problem(TASKS, "station", task.station, expected, task.line))
    if not problems:
        problems = _place_problems(programme, stations, place_of, equipment)
    return problems


def _place_problems(
    programme: Programme,
    stations: Sequence[LineStation],
    place_of: Mapping[str, int],
    equipment: Mapping[str, Sequence[str]],
) -> list[Problem]:
    """Return the tasks that no station can take, and fixed stations that stand against the precedence graph."""
    assembly = programme.plant.assembly
    numbers = {name: [place_of[station] for station in at] for name, at in equipment.items()}
    with_skill = {item.id: [place_of[station] for station in item.stations] for item in assembly.skill}
    problems: list[Problem] = []
    choices: list[list[int]] = []
    for task in programme.tasks:
        fixed = _fixed(task, place_of, numbers)
        candidates = fixed or range(len(stations))
        reached = {
            zone.value
            for zone in Zone
            if not task.zone or task.zone == zone or task.zone in assembly.reach.get(zone, ())
        }
        with_zone = [place for place in candidates if reached.intersection(stations[place].zones)]
        at_height = [
            place
            for place in with_zone
            if not task.height or not stations[place].heights or task.height in stations[place].heights
        ]
        skilled = [place for place in at_height if not with_skill.get(task.skill) or place in with_skill[task.skill]]
        with_room = [place for place in skilled if stations[place].max_operators >= task.operators]
        where = f"at {_names(stations, fixed)}" if fixed else "at any station"
        if not with_zone:
            expected = f"a zone that an operator {where} can reach"
            problems.append(Problem(TASKS, "zone", task.zone, expected, task.line))
        elif not at_height:
            expected = f"a height that the car has {where}"
            problems.append(Problem(TASKS, "height", task.height, expected, task.line))
        elif not skilled:
            names = _names(stations, with_skill[task.skill])
            expected = f"a skill to be found {where}: {task.skill} works at {names}"
            problems.append(Problem(TASKS, "skill", task.skill, expected, task.line))
        elif not with_room:
            room = max(stations[place].max_operators for place in skilled)
            expected = f"at most {room}, the room for operators {where}"
            problems.append(Problem(TASKS, "operators", str(task.operators), expected, task.line))
        choices.append(with_room)
    if problems:
        return problems
    position_of = {task.id: position for position, task in enumerate(programme.tasks)}
    predecessors = [[position_of[name] for name in task.predecessors] for task in programme.tasks]
    earliest = [0] * len(choices)
    source = list(range(len(choices)))
    for position in topological_order(predecessors):
        for before in predecessors[position]:
            if earliest[before] > earliest[position]:
                earliest[position] = earliest[before]
                source[position] = source[before]
        later = [place for place in choices[position] if place >= earliest[position]]
        if not later:
            task, cause = programme.tasks[position], programme.tasks[source[position]]
            problems.append(
                Problem(
                    TASKS,
                    "station" if task.station else "equipment" if task.equipment else "zone",
                    f"{task.id} at {_names(stations, choices[position])}",
                    f"a station not before {stations[earliest[position]].id}, where its predecessor {cause.id} is done",
                    task.line,
                    "move the equipment, or take the precedence out",
                )
            )
            continue
        if min(later) > earliest[position]:
            earliest[position] = min(later)
            source[position] = position
    return problems


def _names(stations: Sequence[LineStation], places: Sequence[int]) -> str:
    names = [stations[place].id for place in places]
    return ", ".join(names) if len(names) <= 4 else f"{names[0]} to {names[-1]}"


def _time_problems(inputs: FitInputs, *, only_built: bool = True) -> list[Problem]:
    """Return the tasks that are longer than takt allows at every station that may take them."""
    total = sum(inputs.units_per_year)
    if inputs.net_hours_per_year <= 0:
        return [
            Problem(PLANT, "shifts.break_per_shift_min", "breaks as long as the shift", "breaks shorter than a shift")
        ]
    takt = takt_s(total, inputs.net_hours_per_year, inputs.planning_availability)
    problems: list[Problem] = []
    for task in inputs.tasks:
        built = [position for position, units in enumerate(inputs.units_per_year) if units > 0 or not only_built]
        longest = max(built, key=lambda position: task.time_s[position])
        mean = sum(units * seconds for units, seconds in zip(inputs.units_per_year, task.time_s, strict=True)) / total
        if max(task.time_s[longest] - takt * (1.0 + inputs.overload_allowance), mean - takt) <= 1e-6:
            continue  # one lane is enough
        lanes = max(inputs.stations[place].lanes for place in places_of(task, inputs))
        limit = takt * lanes
        peak = limit * (1.0 + inputs.overload_allowance)
        most = max(task.time_s[longest] - peak, mean - limit)
        if most <= 1e-6:
            continue
        at = shown(_names(inputs.stations, task.stations)) if task.stations else "every station"
        more = f" with {lanes} lanes" if lanes > 1 else ""
        if task.time_s[longest] > peak:
            found, expected = task.time_s[longest], f"at most {peak:.1f} s"
        else:
            found, expected = mean, f"a mix average of at most {limit:.1f} s"
        problems.append(
            Problem(
                TASKS,
                f"{inputs.models[longest]}_time_s",
                f"{found:.6g} s ({task.id})",
                f"{expected}: takt is {takt:.1f} s at {total:,.0f} cars a year, and {at}{more} has no more",
                task.line,
                "split the task, give a station parallel lanes, or plan a lower rate",
            )
        )
    return problems
