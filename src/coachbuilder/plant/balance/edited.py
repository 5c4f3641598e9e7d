"""A line as somebody has assigned it by hand: its loads, the rules that it breaks, and what balancing makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from coachbuilder.plant.balance.bounds import operators_lower_bound
from coachbuilder.plant.balance.evaluate import evaluate
from coachbuilder.plant.balance.interface import (
    FitInputs,
    FitResult,
    LineBalance,
    LineStation,
    LineTask,
    OperatorLoad,
    StationLoad,
    TaskPlace,
)
from coachbuilder.plant.balance.rules import violations
from coachbuilder.plant.balance.standing import standing_zones
from coachbuilder.plant.process import SECONDS_PER_HOUR, joint_precedence, mix_shares, topological_order
from coachbuilder.plant.process import takt_s as takt_of

TAKT_TOLERANCE_S = 0.05
"""Takts that are printed alike count as alike."""


@dataclass(frozen=True, slots=True)
class EditedLine:
    """A line assigned by hand, and what balancing makes of it."""

    line: LineBalance
    """The line as assigned."""
    today: bool
    """True if it is today's line, without the guest; false if the guest is on it."""
    violations: tuple[str, ...]
    """Rules that it breaks, in words; empty for a line that keeps them all."""
    unplaced: tuple[str, ...]
    """Tasks that have no place on it and are left out of its sums."""
    remarks: tuple[str, ...]
    """What else should be known."""
    fit: FitResult
    """``before`` is the line as assigned; ``after`` takes the guest in from there, or, where the guest is on the line
    already, is that line balanced again at the same takt."""


def balance_again(
    inputs: FitInputs,
    places: Sequence[TaskPlace],
    remarks: Sequence[str] = (),
    *,
    today: bool = False,
    takt_s: float | None = None,
    edited: bool = True,
    known: FitResult | None = None,
) -> EditedLine:
    """Check a line that was assigned by hand and balance from there.

    Parameters
    ----------
    inputs
        Tasks, stations and rates, with the guest.
    places
        Where tasks are done; at each station in the wished working order. Tasks may be missing.
    remarks
        What is to be told with the result.
    today
        True if it is today's line, into which the guest is still to be taken.
    takt_s
        Takt in seconds for which the assignment was made, where that is known; another one is told.
    edited
        False if nobody has changed the assignment since it was balanced: a line with the guest then stays as it is,
        unless takt has changed or a rule is broken.
    known
        What balancing has made of these very places before, if it has.

    Returns
    -------
    EditedLine
        The line, the rules that it breaks, and the new balance.

    Raises
    ------
    InputError
        If balancing finds no line.
    """
    units = inputs.resident_units_per_year if today else inputs.units_per_year
    line, unplaced = assigned(inputs, places, units)
    done = {place.task for place in line.assignment}
    broken = _broken(_only(inputs, [task.id in done for task in inputs.tasks]), line)
    told = list(remarks)
    other_takt = takt_s is not None and abs(takt_s - line.takt_s) > TAKT_TOLERANCE_S
    if other_takt:
        told.append(f"The sheet was made for a takt of {takt_s:.1f} s; the programme now has {line.takt_s:.1f} s.")
    if not edited:
        told.append("Nothing on the sheet was changed since it was written.")
    # With the guest on the line all of its work is work of today: what moves is counted from the line as assigned.
    start = replace(inputs, today=line.assignment, resident_units_per_year=units)
    fit = known or evaluate(start, again=edited or other_takt)
    # What is to be said about the line as assigned stands in this result already.
    own = tuple(remark for remark in fit.remarks if not remark.startswith("Today's line"))
    return EditedLine(
        line=line,
        today=today,
        violations=tuple(broken),
        unplaced=tuple(unplaced),
        remarks=tuple(told),
        fit=replace(fit, remarks=own),
    )


def _broken(inputs: FitInputs, line: LineBalance) -> list[str]:
    """Return every rule that a line breaks; a task at a wrong station keeps none of the other rules from being told."""
    anywhere = tuple(replace(task, stations=(), skill_stations=(), height="") for task in inputs.tasks)
    found = (*violations(inputs, line), *violations(replace(inputs, tasks=anywhere), line))
    return list(dict.fromkeys(found))


def assigned(
    inputs: FitInputs, places: Sequence[TaskPlace], units_per_year: Sequence[float]
) -> tuple[LineBalance, list[str]]:
    """Return the line that an assignment gives, whatever rules it breaks, and the tasks that have no place on it.

    Parameters
    ----------
    inputs
        Tasks, stations and rates, with the guest.
    places
        Where tasks are done. Within a station they are begun in this order as far as their predecessors allow.
    units_per_year
        Cars a year by model, in the order of ``inputs.models``.

    Notes
    -----
    Each task begins when its predecessors at the station and all its operators are ready; the makespan of a model is
    when its last task ends. Tasks of models that are not built are left out.
    """
    # A line without cars has the takt of the line with the guest.
    total = sum(units_per_year) or sum(inputs.units_per_year)
    takt = takt_of(total, inputs.net_hours_per_year, inputs.planning_availability)
    built = [position for position, units in enumerate(units_per_year) if units > 0]
    wanted = {task.id for task in inputs.tasks if any(task.time_s[model] > 0 for model in built)}
    place_of = {place.task: place for place in places if place.task in wanted}
    unplaced = [task.id for task in inputs.tasks if task.id in wanted and task.id not in place_of]
    by_id = {task.id: task for task in inputs.tasks}
    before = _before(inputs, place_of)
    mix = mix_shares(dict(zip(inputs.models, units_per_year, strict=True)))
    shares = {inputs.models[model]: mix[inputs.models[model]] for model in built}
    stations: list[StationLoad] = []
    bars: list[OperatorLoad] = []
    assignment: list[TaskPlace] = []
    for station in inputs.stations:
        own = [place for place in place_of.values() if place.station == station.id]
        # Rows decide among the tasks that their predecessors leave free; crews are numbered without gaps.
        own = [own[number] for number in topological_order(_within(own, before))]
        crew = sorted({number for place in own for number in place.operators})
        number_of = {number: position for position, number in enumerate(crew, start=1)}
        own = [replace(place, operators=tuple(number_of[number] for number in place.operators)) for place in own]
        assignment += own
        makespan = {
            model: _makespan(own, before, {place.task: _time(by_id[place.task], model, inputs) for place in own})
            for model in shares
        }
        stations.append(
            StationLoad(
                station=station.id,
                segment=station.segment,
                lanes=station.lanes,
                operators=max(len(crew), station.min_operators) * station.lanes,
                makespan_s=makespan,
                weighted_makespan_s=sum(share * makespan[model] for model, share in shares.items()),
                limit_s=takt * station.lanes,
                tasks=tuple(place.task for place in own),
            )
        )
        bars += _bars(inputs, station, own, by_id, shares, max(len(crew), station.min_operators))
    operators = sum(item.operators for item in stations)
    work = {
        model: sum(by_id[name].operators * _time(by_id[name], model, inputs) for name in place_of) / SECONDS_PER_HOUR
        for model in shares
    }
    mean_work = sum(share * work[model] for model, share in shares.items())
    manned = operators * takt / SECONDS_PER_HOUR
    paid = 1.0 / inputs.planning_availability
    uses = [bar.weighted_load_s / takt for bar in bars]
    mean_use = sum(uses) / len(uses) if uses else 0.0
    line = LineBalance(
        takt_s=takt,
        units_per_year=dict(zip(inputs.models, units_per_year, strict=True)),
        mix=mix,
        stations_total=len(inputs.stations),
        stations_used=sum(item.operators > 0 for item in stations),
        operators=operators,
        operators_lower_bound=min(operators, operators_lower_bound(inputs, units_per_year, takt)),
        idle_share=max(0.0, 1.0 - mean_work / manned) if manned > 0 else 0.0,
        smoothness=math.sqrt(sum((use - mean_use) ** 2 for use in uses) / len(uses)) if uses else 0.0,
        work_hours_per_car=work,
        direct_hours_per_car={
            model: hours / mean_work * manned * paid if mean_work > 0 else 0.0 for model, hours in work.items()
        },
        mean_direct_hours_per_car=manned * paid,
        stations=tuple(stations),
        operator_loads=tuple(bars),
        assignment=tuple(assignment),
    )
    return line, unplaced


def _time(task: LineTask, model: str, inputs: FitInputs) -> float:
    return task.time_s[inputs.models.index(model)]


def _before(inputs: FitInputs, place_of: Mapping[str, TaskPlace]) -> dict[str, list[str]]:
    """Return for each task on the line those that must be finished before it, through tasks that are not on it."""
    joint = joint_precedence(
        [task.predecessors for task in inputs.tasks], [task.id in place_of for task in inputs.tasks]
    )
    return {
        task.id: [inputs.tasks[earlier].id for earlier in joint[position]] for position, task in enumerate(inputs.tasks)
    }


def _within(own: Sequence[TaskPlace], before: Mapping[str, Sequence[str]]) -> list[list[int]]:
    """Return the precedence among the tasks of one station, by their positions in ``own``."""
    position = {place.task: number for number, place in enumerate(own)}
    return [[position[earlier] for earlier in before[place.task] if earlier in position] for place in own]


def _makespan(own: Sequence[TaskPlace], before: Mapping[str, Sequence[str]], time_s: Mapping[str, float]) -> float:
    done: dict[str, float] = {}
    free: dict[int, float] = {}
    for place in own:
        begin = max((done.get(earlier, 0.0) for earlier in before[place.task]), default=0.0)
        seconds = time_s[place.task]
        if seconds > 0:
            begin = max(begin, *(free.get(number, 0.0) for number in place.operators)) + seconds
            free.update(dict.fromkeys(place.operators, begin))
        done[place.task] = begin
    return max(done.values(), default=0.0)


def _bars(
    inputs: FitInputs,
    station: LineStation,
    own: Sequence[TaskPlace],
    by_id: Mapping[str, LineTask],
    shares: Mapping[str, float],
    crew: int,
) -> list[OperatorLoad]:
    zones = _standing(inputs, station, own, by_id, crew)
    bars: list[OperatorLoad] = []
    for lane in range(station.lanes):
        for number in range(1, crew + 1):
            tasks = [place.task for place in own if number in place.operators]
            load = {model: sum(_time(by_id[name], model, inputs) for name in tasks) / station.lanes for model in shares}
            bars.append(
                OperatorLoad(
                    station=station.id,
                    operator=lane * crew + number,
                    lane=lane + 1,
                    zone=zones.get(number, ""),
                    load_s=load,
                    weighted_load_s=sum(share * load[model] for model, share in shares.items()),
                    tasks=tuple(tasks),
                )
            )
    return bars


def _standing(
    inputs: FitInputs, station: LineStation, own: Sequence[TaskPlace], by_id: Mapping[str, LineTask], crew: int
) -> dict[int, str]:
    """Return a zone for each operator as far as there are enough."""
    reach = dict(inputs.reach)
    fitting: dict[int, list[str]] = {}
    for number in range(1, crew + 1):
        led = [by_id[place.task] for place in own if place.operators[0] == number]
        fitting[number] = [
            zone for zone in station.zones if all(not task.zone or task.zone in reach[zone] for task in led)
        ]
    return standing_zones(fitting, inputs.operators_per_zone)


def _only(inputs: FitInputs, kept: Sequence[bool]) -> FitInputs:
    """Return the inputs with some tasks left out; precedence through them stays."""
    if all(kept):
        return inputs
    joint = joint_precedence([task.predecessors for task in inputs.tasks], kept)
    new = {old: number for number, old in enumerate(position for position, keep in enumerate(kept) if keep)}

    def renumbered(positions: Sequence[int]) -> tuple[int, ...]:
        return tuple(new[position] for position in positions if position in new)

    tasks = tuple(
        replace(
            task,
            predecessors=renumbered(joint[position]),
            same_station=renumbered(task.same_station),
            other_station=renumbered(task.other_station),
        )
        for position, task in enumerate(inputs.tasks)
        if kept[position]
    )
    return replace(inputs, tasks=tasks)


__all__ = ["EditedLine", "assigned", "balance_again"]
