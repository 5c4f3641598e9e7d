"""Balances the line before and after the guest comes, and scales the answer to other rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.balance.bounds import operators_lower_bound
from coachbuilder.plant.balance.conflict import Case, Kind, problems_of, smallest_conflict
from coachbuilder.plant.balance.inputs import PLANT, places_of
from coachbuilder.plant.balance.interface import (
    FitInputs,
    FitResult,
    Labour,
    LineBalance,
    LineTask,
    OperatorLoad,
    StationLoad,
    TaskPlace,
    TradeOff,
)
from coachbuilder.plant.balance.moves import moved_tasks
from coachbuilder.plant.balance.prices import task_prices
from coachbuilder.plant.balance.rebalance import Assignment, candidates, curve
from coachbuilder.plant.balance.rules import violations
from coachbuilder.plant.balance.standing import standing_zones
from coachbuilder.plant.process import (
    SECONDS_PER_HOUR,
    joint_precedence,
    mean_over_mix,
    mix_shares,
    takt_s,
    topological_order,
)
from coachbuilder.programme.errors import InputError, Problem

LEVEL_WEIGHT = 0.004
"""What crowding costs in operators, per squared operator at a station; small enough never to buy an operator."""
STATION_WEIGHT = 0.02
"""What a station in use costs in operators where as few as possible are wanted."""
EVEN_SHARE = 0.25
"""Part of the evaluations spent on evening out the loads."""
CURVE_SHARE = 0.5
"""Evaluations spent on lines with few moves, over those of the main search."""
ATTEMPTS = 3
"""Searches, each from other starts, before a line counts as one that was not found."""
FORBIDDEN_MOVE = 1e3
BOUND_SLACK = 1e-6
"""What a bound in fractions of an operator may be above a whole number by rounding."""
SIMPLE_NODES = 100_000
"""Effort of the engine for the simple problem, whose answer is a start where the line is as simple."""
FULLNESS = 1.0
"""How strongly the search favours full operators, in operators per unit of squared use."""
GROUP_SHARE = 0.2
"""Part of the changes that move an operator with all tasks, or trade several at once."""
HOT, COLD = 0.05, 0.005
"""First and last temperature of the search, in operators."""

Integers = NDArray[np.int64]


def evaluate(inputs: FitInputs, *, again: bool = False) -> FitResult:
    """Balance the resident line, then the line with the guest, moving few resident tasks.

    Both lines are built by a priority rule from several starts and improved by simulated annealing that counts its
    evaluations. The order of wishes: every task placed, operators, moved tasks at the stated exchange rate, stations
    (level or few), and last the evenness of the operators' loads.

    Parameters
    ----------
    inputs
        Tasks, stations, rates and rules.
    again
        True balances today's line again though no model comes: somebody has edited it, or asks what moves would buy.

    Returns
    -------
    FitResult
        Both lines, and what moved between them.

    Raises
    ------
    InputError
        If the search finds no place for some task: the stations are exhausted.
    """
    after_takt = takt_s(sum(inputs.units_per_year), inputs.net_hours_per_year, inputs.planning_availability)
    resident_rate = sum(inputs.resident_units_per_year)
    before_takt = after_takt
    if resident_rate > 0:
        before_takt = takt_s(resident_rate, inputs.net_hours_per_year, inputs.planning_availability)
    remarks: tuple[str, ...] = ()
    evaluations = 0
    if inputs.today and resident_rate > 0:
        before, place_before, remarks = todays_line(inputs, before_takt)
    else:
        before, place_before, _ = _balance(inputs, inputs.resident_units_per_year, before_takt, {}, 0)
        evaluations = inputs.evaluations if place_before else 0
    trade_off: tuple[TradeOff, ...] = ()
    if inputs.units_per_year == inputs.resident_units_per_year and not remarks and not again:
        after = before
    else:
        evaluations += inputs.evaluations
        after, _, trade_off = _balance(inputs, inputs.units_per_year, after_takt, place_before, 1)
    moved = moved_tasks(inputs, before, after)
    return FitResult(
        guest=inputs.guest,
        before=before,
        after=after,
        takt_s=after.takt_s,
        stations=after.stations_used,
        operators=after.operators,
        operators_added=after.operators - before.operators,
        idle_share=after.idle_share,
        hours_per_car=dict(after.direct_hours_per_car),
        moved_tasks=moved,
        resident_tasks=len(place_before),
        guest_only_tasks=sum(not task.resident for task in inputs.tasks),
        resident_time_scale=inputs.resident_time_scale,
        guest_time_scale=inputs.guest_time_scale,
        net_hours_per_year=inputs.net_hours_per_year,
        planning_availability=inputs.planning_availability,
        evaluations=evaluations,
        trade_off=trade_off or (TradeOff(0, 0, 0.0, after.operators, after.stations_used),),
        remarks=remarks,
    )


def labour_at(
    result: FitResult,
    *,
    takt_s: float,
    resident_time_scale: float,
    guest_time_scale: float,
    planning_availability: float | None = None,
    mix: Mapping[str, float] | None = None,
    busy_share: float | None = None,
) -> Labour:
    """Scale the labour of a balanced line to another takt, other times or another mix, without balancing again.

    A first-order approximation: the idle share stays what the balanced line had, so that operators = work content of
    the mix / takt / (1 - idle share), not rounded. It is good for small changes; at rates far from the balanced one
    the idle share itself changes.

    Parameters
    ----------
    result
        A balanced line.
    takt_s
        Takt in seconds.
    resident_time_scale, guest_time_scale
        Factors on the times in the file, in place of those in ``result``.
    planning_availability
        Share of net shift time in which the line runs; that of ``result`` unless given.
    mix
        Share of the cars by model; that of ``result.after`` unless given.
    busy_share
        Share of the operators' time in which they work; that of ``result.after`` unless given.

    Returns
    -------
    Labour
        Operators and hours a car.
    """
    after = result.after
    shares = after.mix if mix is None else mix
    running = result.planning_availability if planning_availability is None else planning_availability
    busy = 1.0 - after.idle_share if busy_share is None else busy_share
    resident = resident_time_scale / result.resident_time_scale
    guest = guest_time_scale / result.guest_time_scale
    work = {
        model: hours * (guest if model == result.guest else resident)
        for model, hours in after.work_hours_per_car.items()
    }
    mean_work = sum(shares[model] * hours for model, hours in work.items())
    return Labour(
        operators=mean_work * SECONDS_PER_HOUR / takt_s / busy,
        direct_hours_per_car={model: hours / busy / running for model, hours in work.items()},
        work_hours_per_car=work,
        mean_direct_hours_per_car=mean_work / busy / running,
    )


@dataclass(frozen=True, slots=True)
class _Setting:
    """One balancing task in arrays; tasks in an order that respects the precedence graph."""

    positions: tuple[int, ...]
    models: tuple[int, ...]
    pinned: NDArray[np.bool_]
    slots: int
    line: Any


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one task is done: positions of its station and of its operators there, -1 for no second one."""

    station: int
    lead: int
    helper: int


def _balance(
    inputs: FitInputs, units: Sequence[float], takt: float, place_before: Mapping[int, _Place], stream: int
) -> tuple[LineBalance, dict[int, _Place], tuple[TradeOff, ...]]:
    """Balance the models in ``units``.

    Return the line, the place of each task in the order in which they begin, and, where tasks have a home, the
    trade-off between moves and operators.
    """
    setting = _setting(inputs, units, takt, place_before)
    if setting is None:
        return _empty(inputs, units, takt), {}, ()
    prices = task_prices(setting.line)
    bound = max(_bound(inputs, units, takt), math.ceil(prices.operators - BOUND_SLACK))
    setting = replace(setting, line=setting.line._replace(worth=prices.worth))
    trade_off: tuple[TradeOff, ...] = ()
    for attempt in range(ATTEMPTS):
        found = _search(inputs, setting, place_before, stream + 2 * attempt, bound)
        if place_before:
            found, trade_off = _rebalanced(inputs, setting, place_before, found, stream)
        if found.complete:
            break
        if not attempt:
            stopped = _stopped(inputs, units, takt, place_before)
            if stopped is not None:
                raise InputError([_exhausted(inputs, setting, found.station, takt), *stopped])
    if not found.complete:
        raise InputError([_exhausted(inputs, setting, found.station, takt)])
    balance = _described(inputs, units, takt, setting, found, bound)
    return balance, _places(setting, found), trade_off


def _stopped(
    inputs: FitInputs, units: Sequence[float], takt: float, place_before: Mapping[int, _Place]
) -> list[Problem] | None:
    """Return the requirements that cannot be kept together, one problem each; nothing where that is not proven.

    Where the work alone is too much for the room of the line, takt and room are told already.
    """
    home = {position: place.station for position, place in place_before.items()}
    case = Case(inputs, tuple(units), takt, home)
    conflict = smallest_conflict(case)
    if conflict is None:
        return None
    if {member.kind for member in conflict.members} <= {Kind.TAKT, Kind.PEAK, Kind.ROOM}:
        return []
    return problems_of(case, conflict)


def _bound(inputs: FitInputs, units: Sequence[float], takt: float) -> int:
    fixed_crews = sum(station.lanes * station.min_operators for station in inputs.stations)
    return max(operators_lower_bound(inputs, units, takt), fixed_crews)


def _places(setting: _Setting, found: Assignment) -> dict[int, _Place]:
    return {
        setting.positions[task]: _Place(int(found.station[task]), int(found.lead[task]), int(found.helper[task]))
        for task in found.order
        if found.station[task] >= 0
    }


def _rebalanced(
    inputs: FitInputs, setting: _Setting, place_before: Mapping[int, _Place], found: Assignment, stream: int
) -> tuple[Assignment, tuple[TradeOff, ...]]:
    """Look for lines with few moves too; return the best at the stated exchange rate, and what moves buy."""
    from coachbuilder.plant.balance import kernels

    line = setting.line
    size = (len(setting.positions), len(setting.models), len(inputs.stations), setting.slots)
    random_state = np.random.default_rng([inputs.seed, stream, 1]).integers(0, 2**63, 1).astype(np.uint64)
    state = kernels.empty_state(*size)
    kernels.take_over(*_today(setting, place_before), line, state)
    kernels.construct(-_tail_s(line), setting.pinned, True, setting.slots, line, state)

    def improve(evaluations: int, line: Any, start: Assignment) -> Assignment:
        state = _restored(start, line, size)
        return _annealed(evaluations, line._replace(smooth_weight=0.0), state, random_state)

    def cost(assignment: Assignment) -> float:
        return float(_restored(assignment, line, size).tally[kernels.COST])

    evaluations = int(inputs.evaluations * CURVE_SHARE)
    pool = candidates(line, _read(state), found, improve, evaluations)
    if not pool:
        return found, ()
    seconds = np.array(
        [mean_over_mix(inputs.tasks[position].time_s, inputs.resident_units_per_year) for position in setting.positions]
    )
    best = min((found, *pool), key=cost)
    if best is not found:
        best = _evened(int(inputs.evaluations * EVEN_SHARE), line, best, size, random_state)
    return best, curve(line, pool, seconds)


def _time_shares(line: Any) -> NDArray[np.float64]:
    """Return what each task is worth by its time alone."""
    shares: NDArray[np.float64] = np.column_stack([line.mean_s * line.lanes[0] / line.limit_s[0]] * 2)
    return shares


def _tail_s(line: Any) -> NDArray[np.float64]:
    """Return the positional weight: a task's own time and the time of all that follows it."""
    tail_s: NDArray[np.float64] = line.mean_s + line.precedes.astype(np.float64) @ line.mean_s
    return tail_s


def _annealed(evaluations: int, line: Any, state: Any, random_state: NDArray[np.uint64]) -> Assignment:
    """Return the cheapest assignment that the search finds from ``state``, which it uses up."""
    from coachbuilder.plant.balance import kernels

    found = Assignment(*(np.full(len(state.station), -1, dtype=np.int64) for _ in range(4)))
    arrays = (found.station, found.lead, found.helper, found.order)
    kernels.improve(evaluations, False, FULLNESS, GROUP_SHARE, HOT, COLD, random_state, line, state, *arrays)
    return found


def _evened(
    evaluations: int, line: Any, start: Assignment, size: tuple[int, int, int, int], random_state: NDArray[np.uint64]
) -> Assignment:
    """Return an assignment that costs no more than ``start`` and loads operators more evenly."""
    from coachbuilder.plant.balance import kernels

    state = _restored(start, line, size)
    found = Assignment(*(each.copy() for each in (start.station, start.lead, start.helper, start.order)))
    arrays = (found.station, found.lead, found.helper, found.order)
    # What is to be even is time.
    by_time = line._replace(worth=_time_shares(line))
    kernels.improve(evaluations, True, 0.0, 0.0, HOT, COLD, random_state, by_time, state, *arrays)
    return found


def _restored(assignment: Assignment, line: Any, size: tuple[int, int, int, int]) -> Any:
    """Return a state of the kernels that holds an assignment."""
    from coachbuilder.plant.balance import kernels

    state = kernels.empty_state(*size)
    kernels.restore(assignment.station, assignment.lead, assignment.helper, assignment.order, line, state)
    return state


def _read(state: Any) -> Assignment:
    """Return the assignment that a state of the kernels holds; tasks without a place stand last in its order."""
    order = [int(task) for s, count in enumerate(state.size) for task in state.seq[s, :count]]
    order += [int(task) for task in np.flatnonzero(state.station < 0)]
    return Assignment(state.station.copy(), state.lead.copy(), state.helper.copy(), np.array(order, dtype=np.int64))


def todays_line(inputs: FitInputs, takt: float) -> tuple[LineBalance, dict[int, _Place], tuple[str, ...]]:
    """Return the resident line as ``inputs.today`` has it, the place of each task, and what is to be said about it.

    A rule that it breaks is told, not mended. Resident tasks without a place today get one where there is room.
    """
    from coachbuilder.plant.balance import kernels

    units = inputs.resident_units_per_year
    setting = _setting(inputs, units, takt, {})
    if setting is None:
        return _empty(inputs, units, takt), {}, ()
    line = setting.line
    task_of = {inputs.tasks[position].id: task for task, position in enumerate(setting.positions)}
    station_of = {station.id: number for number, station in enumerate(inputs.stations)}
    known = [place for place in inputs.today if place.task in task_of]
    remarks: list[str] = []
    strangers = [place.task for place in inputs.today if place.task not in task_of]
    if strangers:
        remarks.append(f"Today's line has tasks of no resident model, left out: {_listed(strangers)}.")
    n = len(setting.positions)
    slots = max(setting.slots, max((number for place in known for number in place.operators), default=0))
    arrays = Assignment(*(np.full(n, -1, dtype=np.int64) for _ in range(4)))
    for place in known:
        task = task_of[place.task]
        arrays.station[task] = station_of[place.station]
        arrays.lead[task] = place.operators[0] - 1
        arrays.helper[task] = place.operators[1] - 1 if len(place.operators) > 1 else -1
    arrays.order[: len(known)] = [task_of[place.task] for place in known]
    state = _restored(arrays, line, (n, len(setting.models), len(inputs.stations), slots))
    missing = [inputs.tasks[setting.positions[task]].id for task in np.flatnonzero(arrays.station < 0)]
    if missing:
        kernels.construct(-_tail_s(line), setting.pinned, False, setting.slots, line, state)
        remarks.append(f"Today's line does not say where these are done; they got a place: {_listed(missing)}.")
    found = _read(state)
    crews: dict[str, set[int]] = {}
    for place in known:
        crews.setdefault(place.station, set()).update(place.operators)
    gaps = [station for station, crew in crews.items() if max(crew) != len(crew)]
    if gaps:
        remarks.append(f"Operators are numbered from 1 without gaps; today's are numbered anew at {_listed(gaps)}.")
    widened = replace(setting, slots=slots)
    balance = _described(inputs, units, takt, widened, found, 0)
    balance = replace(balance, operators_lower_bound=min(_bound(inputs, units, takt), balance.operators))
    remarks += [f"Today's line breaks a rule: {text}." for text in violations(inputs, balance)]
    return balance, _places(setting, found), tuple(remarks)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _setting(
    inputs: FitInputs, units: Sequence[float], takt: float, place_before: Mapping[int, _Place]
) -> _Setting | None:
    """Return the arrays that the kernels work on, or nothing if nothing is built."""
    from coachbuilder.plant.balance import kernels

    models = tuple(position for position, number in enumerate(units) if number > 0)
    kept = [any(task.time_s[model] > 0 for model in models) for task in inputs.tasks]
    joint = joint_precedence([task.predecessors for task in inputs.tasks], kept)
    positions = tuple(position for position in topological_order(joint) if kept[position])
    if not positions:
        return None
    index = {position: task for task, position in enumerate(positions)}
    tasks = [inputs.tasks[position] for position in positions]
    before = [sorted(index[earlier] for earlier in joint[position]) for position in positions]
    after: list[list[int]] = [[] for _ in positions]
    n, stations = len(positions), len(inputs.stations)
    precedes = np.zeros((n, n), dtype=np.bool_)
    for task, earlier_tasks in enumerate(before):
        for earlier in earlier_tasks:
            after[earlier].append(task)
            precedes[:, task] |= precedes[:, earlier]
            precedes[earlier, task] = True
    allowed = np.zeros((n, stations), dtype=np.bool_)
    for number, item in enumerate(tasks):
        allowed[number, places_of(item, inputs)] = True
    home = np.array(
        [place_before[position].station if position in place_before else -1 for position in positions], dtype=np.int64
    )
    for s, station in enumerate(inputs.stations):
        if station.frozen and place_before:
            allowed[home == s, :s] = False
            allowed[home == s, s + 1 :] = False
            allowed[home != s, s] = False
    together = _companies(tasks, index)
    first, last = _windows(allowed, before, after, together)
    total = sum(units)
    weight = np.array([units[model] / total for model in models], dtype=np.float64)
    time_s = np.array([[item.time_s[model] for model in models] for item in tasks], dtype=np.float64)
    bit = {zone: 1 << number for number, (zone, _) in enumerate(inputs.reach)}
    from_where = {zone: sum(bit[place] for place, reached in inputs.reach if zone in reached) for zone in bit}
    anywhere = sum(bit.values())
    lanes = np.array([station.lanes for station in inputs.stations], dtype=np.int64)
    before_ptr, before_idx = _packed(before)
    after_ptr, after_idx = _packed(after)
    together_ptr, together_idx = _packed(together)
    apart = _apart(tasks, index)
    apart_ptr, apart_idx = _packed(apart)
    names = {name: number for number, name in enumerate(dict.fromkeys(item.skill for item in tasks if item.skill))}
    skills = [1 << names[item.skill] if item.skill else 0 for item in tasks]
    points = (time_s > 0) @ weight * np.array([item.ergonomic_points for item in tasks], dtype=np.float64)
    most_points = inputs.ergonomic_limit_points_per_shift
    points_a_car = math.inf if most_points is None else most_points * inputs.shifts_per_year / total
    worth = inputs.moves_worth_an_operator
    line = kernels.Line(
        time_s=time_s,
        mean_s=time_s @ weight,
        worth=np.column_stack([time_s @ weight / takt] * 2),
        weight=weight,
        crew=np.array([item.operators for item in tasks], dtype=np.int64),
        precedes=precedes,
        before_ptr=before_ptr,
        before_idx=before_idx,
        after_ptr=after_ptr,
        after_idx=after_idx,
        allowed=allowed,
        first=first,
        last=last,
        home=home,
        limit_s=takt * lanes.astype(np.float64),
        max_operators=np.array([station.max_operators for station in inputs.stations], dtype=np.int64),
        lanes=lanes,
        reached_from=np.array([from_where.get(item.zone, anywhere) for item in tasks], dtype=np.int64),
        place_mask=np.array([sum(bit[zone] for zone in item.zones) for item in inputs.stations], dtype=np.int64),
        place_limit=inputs.operators_per_zone,
        peak=1.0 + float(inputs.overload_allowance),
        level_weight=LEVEL_WEIGHT if inputs.level_stations else 0.0,
        station_weight=0.0 if inputs.level_stations else STATION_WEIGHT,
        move_weight=1.0 / worth if worth > 0 else FORBIDDEN_MOVE,
        # The seconds of all tasks add up to less than one task, so that their number counts first.
        home_weight=1.0 + time_s @ weight / (1.0 + float((time_s @ weight).sum())),
        move_budget=len(tasks) if inputs.move_budget is None else inputs.move_budget,
        min_operators=np.array([station.min_operators for station in inputs.stations], dtype=np.int64),
        further=bool(any(together) or any(apart) or any(skills) or points.any()),
        together_ptr=together_ptr,
        together_idx=together_idx,
        apart_ptr=apart_ptr,
        apart_idx=apart_idx,
        skills=np.array(skills, dtype=np.int64),
        skills_per_operator=inputs.skills_per_operator or len(names),
        points=points,
        points_limit=lanes.astype(np.float64) * points_a_car,
        smooth_weight=float(inputs.model_smoothing),
    )
    return _Setting(
        positions=positions,
        models=models,
        pinned=np.array(
            [bool(item.stations or item.skill_stations or mates) for item, mates in zip(tasks, together, strict=True)],
            dtype=np.bool_,
        ),
        slots=max(station.max_operators for station in inputs.stations),
        line=line,
    )


def _companies(tasks: Sequence[LineTask], index: Mapping[int, int]) -> list[list[int]]:
    """Return for each task all those with which it must share a station, by way of others too."""
    company = [{number} for number in range(len(tasks))]
    for number, item in enumerate(tasks):
        for position in item.same_station:
            other = index.get(position)
            if other is not None and company[other] is not company[number]:
                joined = company[number] | company[other]
                for member in joined:
                    company[member] = joined
    return [sorted(members - {number}) for number, members in enumerate(company)]


def _apart(tasks: Sequence[LineTask], index: Mapping[int, int]) -> list[list[int]]:
    """Return for each task those with which it must not share a station, each pair from both sides."""
    pairs = {
        (number, index[position])
        for number, item in enumerate(tasks)
        for position in item.other_station
        if position in index
    }
    both = pairs | {(other, number) for number, other in pairs}
    return [sorted(other for one, other in both if one == number) for number in range(len(tasks))]


def _windows(
    allowed: NDArray[np.bool_],
    before: Sequence[Sequence[int]],
    after: Sequence[Sequence[int]],
    together: Sequence[Sequence[int]],
) -> tuple[Integers, Integers]:
    """Return the first and last station that fixed stations, company and the precedence graph leave to each task.

    Takes the stations out of ``allowed`` that a task's company rules out.
    """
    groups = {(number, *mates) for number, mates in enumerate(together) if mates and number < mates[0]}
    numbers = np.arange(allowed.shape[1])
    while True:
        first, last = _graph_windows(allowed, before, after)
        narrowed = False
        for group in groups:
            members = list(group)
            common = allowed[members].all(axis=0)
            common &= (numbers >= first[members].max()) & (numbers <= last[members].min())
            if (allowed[members] != common).any():
                allowed[members] = common
                narrowed = True
        if not narrowed:
            return first, last


def _graph_windows(
    allowed: NDArray[np.bool_], before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]
) -> tuple[Integers, Integers]:
    n, stations = allowed.shape
    first = np.zeros(n, dtype=np.int64)
    last = np.full(n, stations - 1, dtype=np.int64)
    numbers = np.arange(stations)
    for task in range(n):
        low = max((int(first[earlier]) for earlier in before[task]), default=0)
        open_stations = numbers[allowed[task] & (numbers >= low)]
        first[task] = open_stations[0] if len(open_stations) else low
    for task in reversed(range(n)):
        high = min((int(last[later]) for later in after[task]), default=stations - 1)
        open_stations = numbers[allowed[task] & (numbers <= high)]
        last[task] = open_stations[-1] if len(open_stations) else high
    return first, last


def _packed(lists: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
    pointer = np.zeros(len(lists) + 1, dtype=np.int64)
    pointer[1:] = np.cumsum([len(items) for items in lists])
    return pointer, np.array([item for items in lists for item in items], dtype=np.int64)


def _search(
    inputs: FitInputs, setting: _Setting, place_before: Mapping[int, _Place], stream: int, bound: int
) -> Assignment:
    """Build the line from several starts, the first of which is today's line; improve the best and even it out."""
    from coachbuilder.plant.balance import kernels

    line = setting.line
    n = len(setting.positions)
    size = (n, len(setting.models), len(inputs.stations), setting.slots)
    random = np.random.default_rng([inputs.seed, stream])
    tail_s = _tail_s(line)
    crew = bound / len(inputs.stations)
    best: Any = None
    for start in range(inputs.starts):
        noise = random.uniform(0.5, 1.5, n) if start else np.ones(n)
        urgency = line.last if start % 2 == 0 else np.zeros(n)
        soft = math.ceil(crew * (1.0 + 0.15 * (start % 4))) if inputs.level_stations else setting.slots
        state = kernels.empty_state(*size)
        if not start and place_before:
            kernels.take_over(*_today(setting, place_before), line, state)
        kernels.construct(urgency * 1e4 - tail_s * noise, setting.pinned, start % 3 != 2, soft, line, state)
        if best is None or state.tally[kernels.COST] < best.tally[kernels.COST]:
            best = state
    places = _simple_line(setting)
    if places is not None:
        state = kernels.empty_state(*size)
        order = np.argsort(places, kind="stable")
        alone = np.zeros(n, dtype=np.int64)
        kernels.take_over(order, places[order], alone, alone - 1, line, state)
        if state.tally[kernels.COST] < best.tally[kernels.COST]:
            best = state
    random_state = random.integers(0, 2**63, 1).astype(np.uint64)
    even = int(inputs.evaluations * EVEN_SHARE)
    # Evenness between models is no aim while operators are to be filled and emptied.
    filling = line._replace(smooth_weight=0.0)
    found = _annealed(inputs.evaluations - even, filling, best, random_state)
    return _evened(even, line, found, size, random_state)


def _simple_line(setting: _Setting) -> Integers | None:
    """Return the station of each task from the engine for the simple problem, nothing if this is another problem.

    Simple is a line of one model with one operator at each station, where every station may take every task.
    """
    from coachbuilder.plant.balance.simple import salbp1

    line = setting.line
    simple = (
        len(setting.models) == 1
        and not line.further
        and (line.min_operators == 0).all()
        and (line.max_operators == 1).all()
        and (line.lanes == 1).all()
        and (line.crew == 1).all()
        and line.allowed.all()
        and np.bitwise_and.reduce(line.reached_from) & np.bitwise_and.reduce(line.place_mask) != 0
    )
    if not simple:
        return None
    # Whole seconds stay as they are; others are rounded to the safe side, in milliseconds.
    per_s = 1 if (line.mean_s == np.rint(line.mean_s)).all() else 1000
    times = [math.ceil(seconds * per_s - BOUND_SLACK) for seconds in line.mean_s]
    before = [
        tuple(int(earlier) for earlier in line.before_idx[line.before_ptr[task] : line.before_ptr[task + 1]])
        for task in range(len(times))
    ]
    takt = math.floor(float(line.limit_s.min()) * per_s + BOUND_SLACK)
    if max(times) > takt:
        return None
    answer = salbp1(times, before, takt, most_nodes=SIMPLE_NODES)
    if answer.stations > line.lanes.size:
        return None
    return np.array(answer.assignment, dtype=np.int64) - 1


def _today(setting: _Setting, place_before: Mapping[int, _Place]) -> tuple[Integers, Integers, Integers, Integers]:
    """Return the tasks that can stay where they are as they begin, with their station and operators.

    What the rules forbid whoever works how long is left out: the station, its room, the precedence graph.
    """
    line = setting.line
    index = {position: task for task, position in enumerate(setting.positions)}
    rows: list[tuple[int, int, int, int]] = []
    for position, place in place_before.items():
        task = index.get(position)
        if task is None or not line.allowed[task, place.station]:
            continue
        if max(place.lead, place.helper) >= line.max_operators[place.station]:
            continue
        if (place.helper >= 0) != (line.crew[task] == 2):
            continue
        # Rows go station by station: whatever stands here already is done before this task.
        if not line.precedes[task, [other for other, _, _, _ in rows]].any():
            rows.append((task, place.station, place.lead, place.helper))
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 4)
    task_column, station_column, lead, helper = (np.ascontiguousarray(column) for column in table.T)
    return task_column, station_column, lead, helper


def _exhausted(inputs: FitInputs, setting: _Setting, station: Integers, takt: float) -> Problem:
    left = [inputs.tasks[setting.positions[task]] for task in np.flatnonzero(station < 0)]
    names = ", ".join(f"{task.id} (line {task.line})" for task in left[:5])
    more = f" and {len(left) - 5} more" if len(left) > 5 else ""
    room = sum(item.max_operators * item.lanes for item in inputs.stations)
    work = float(setting.line.mean_s @ setting.line.crew) / takt
    return Problem(
        PLANT,
        "assembly.segment",
        f"no station left for {names}{more}",
        f"room for every task: at takt {takt:.1f} s the work fills {work:.1f} operators, the line has room for {room}",
        hint="more operators at a station, more stations, parallel lanes, or a lower rate",
    )


def _described(
    inputs: FitInputs, units: Sequence[float], takt: float, setting: _Setting, found: Assignment, bound: int
) -> LineBalance:
    """Write an assignment out with loads, makespans, places and hours."""
    from coachbuilder.plant.balance import kernels

    line = setting.line
    lead, helper = found.lead, found.helper
    state = kernels.empty_state(len(setting.positions), len(setting.models), len(inputs.stations), setting.slots)
    kernels.restore(found.station, lead, helper, found.order, line, state)
    names = [inputs.models[model] for model in setting.models]
    stations: list[StationLoad] = []
    bars: list[OperatorLoad] = []
    assignment: list[TaskPlace] = []
    for s, item in enumerate(inputs.stations):
        tasks = [int(task) for task in state.seq[s, : state.size[s]]]
        kernels.makespans(s, line, state)
        makespan = state.makespan
        who = {task: tuple(int(k) for k in (lead[task], helper[task]) if k >= 0) for task in tasks}
        crew = sorted({k for hands in who.values() for k in hands})
        crew += [k for k in range(setting.slots) if k not in crew][: max(0, item.min_operators - len(crew))]
        number = {k: place + 1 for place, k in enumerate(crew)}
        zones = _standing(inputs, line, s, who, crew)
        ids = {task: inputs.tasks[setting.positions[task]].id for task in tasks}
        stations.append(
            StationLoad(
                station=item.id,
                segment=item.segment,
                lanes=item.lanes,
                operators=len(crew) * item.lanes,
                makespan_s={name: float(value) for name, value in zip(names, makespan, strict=True)},
                weighted_makespan_s=float(makespan @ line.weight),
                limit_s=takt * item.lanes,
                tasks=tuple(ids.values()),
            )
        )
        assignment.extend(TaskPlace(ids[task], item.id, tuple(number[k] for k in who[task])) for task in tasks)
        for lane in range(item.lanes):
            for k in crew:
                own = [task for task in tasks if k in who[task]]
                load = line.time_s[own].sum(axis=0) / item.lanes
                bars.append(
                    OperatorLoad(
                        station=item.id,
                        operator=lane * len(crew) + number[k],
                        lane=lane + 1,
                        zone=zones.get(k, "") if own else "",
                        load_s={name: float(value) for name, value in zip(names, load, strict=True)},
                        weighted_load_s=float(load @ line.weight),
                        tasks=tuple(ids[task] for task in own),
                    )
                )
    return _summed(inputs, units, takt, setting, bound, stations, bars, assignment)


def _standing(
    inputs: FitInputs, line: Any, s: int, who: Mapping[int, tuple[int, ...]], crew: Sequence[int]
) -> dict[int, str]:
    """Return a zone for each operator of a station."""
    zones = [zone for zone, _ in inputs.reach]
    fitting = {}
    for k in crew:
        mask = int(line.place_mask[s])
        for task, hands in who.items():
            if hands[0] == k:
                mask &= int(line.reached_from[task])
        fitting[k] = [zone for number, zone in enumerate(zones) if mask >> number & 1]
    return standing_zones(fitting, inputs.operators_per_zone)


def _summed(
    inputs: FitInputs,
    units: Sequence[float],
    takt: float,
    setting: _Setting,
    bound: int,
    stations: Sequence[StationLoad],
    bars: Sequence[OperatorLoad],
    assignment: Sequence[TaskPlace],
) -> LineBalance:
    by_model = dict(zip(inputs.models, units, strict=True))
    mix = mix_shares(by_model)
    operators = sum(item.operators for item in stations)
    content = setting.line.time_s.T @ setting.line.crew / SECONDS_PER_HOUR
    work = {inputs.models[model]: float(hours) for model, hours in zip(setting.models, content, strict=True)}
    mean_work = sum(mix[model] * hours for model, hours in work.items())
    manned = operators * takt / SECONDS_PER_HOUR
    paid = 1.0 / inputs.planning_availability
    loads = np.array([bar.weighted_load_s for bar in bars]) / takt
    return LineBalance(
        takt_s=takt,
        units_per_year=by_model,
        mix=mix,
        stations_total=len(inputs.stations),
        stations_used=sum(item.operators > 0 for item in stations),
        operators=operators,
        operators_lower_bound=bound,
        idle_share=max(0.0, 1.0 - mean_work / manned),
        smoothness=float(loads.std()),
        work_hours_per_car=work,
        direct_hours_per_car={model: hours / mean_work * manned * paid for model, hours in work.items()},
        mean_direct_hours_per_car=manned * paid,
        stations=tuple(stations),
        operator_loads=tuple(bars),
        assignment=tuple(assignment),
    )


def _empty(inputs: FitInputs, units: Sequence[float], takt: float) -> LineBalance:
    """Return the line on which nothing is done."""
    by_model = dict(zip(inputs.models, units, strict=True))
    nothing = {model: 0.0 for model, number in by_model.items() if number > 0}
    return LineBalance(
        takt_s=takt,
        units_per_year=by_model,
        mix=mix_shares(by_model),
        stations_total=len(inputs.stations),
        stations_used=0,
        operators=0,
        operators_lower_bound=0,
        idle_share=0.0,
        smoothness=0.0,
        work_hours_per_car=dict(nothing),
        direct_hours_per_car=dict(nothing),
        mean_direct_hours_per_car=0.0,
        stations=tuple(
            StationLoad(item.id, item.segment, item.lanes, 0, dict(nothing), 0.0, takt * item.lanes, ())
            for item in inputs.stations
        ),
        operator_loads=(),
        assignment=(),
    )
