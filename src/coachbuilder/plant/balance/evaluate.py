"""Balances the line before and after the guest comes, and scales the answer to other rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.balance.bounds import operators_lower_bound
from coachbuilder.plant.balance.inputs import PLANT, places_of
from coachbuilder.plant.balance.interface import (
    FitInputs,
    FitResult,
    Labour,
    LineBalance,
    OperatorLoad,
    StationLoad,
    TaskPlace,
    TradeOff,
)
from coachbuilder.plant.balance.moves import moved_tasks
from coachbuilder.plant.process import SECONDS_PER_HOUR, joint_precedence, mix_shares, takt_s, topological_order
from coachbuilder.programme.errors import InputError, Problem

LEVEL_WEIGHT = 0.004
"""What crowding costs in operators, per squared operator at a station; small enough never to buy an operator."""
STATION_WEIGHT = 0.02
"""What a station in use costs in operators where as few as possible are wanted."""
EVEN_SHARE = 0.25
"""Part of the evaluations spent on evening out the loads."""
FORBIDDEN_MOVE = 1e3
FULLNESS = 1.0
"""How strongly the search favours full operators, in operators per unit of squared use."""
HOT, COLD = 0.2, 0.005
"""First and last temperature of the search, in operators."""

Integers = NDArray[np.int64]


def evaluate(inputs: FitInputs) -> FitResult:
    """Balance the resident line, then the line with the guest, moving few resident tasks.

    Both lines are built by a priority rule from several starts and improved by simulated annealing that counts its
    evaluations. The order of wishes: every task placed, operators, moved tasks at the stated exchange rate, stations
    (level or few), and last the evenness of the operators' loads.

    Parameters
    ----------
    inputs
        Tasks, stations, rates and rules.

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
    before, place_before = _balance(inputs, inputs.resident_units_per_year, before_takt, {}, 0)
    evaluations = inputs.evaluations if place_before else 0
    if inputs.units_per_year == inputs.resident_units_per_year:
        after = before
    else:
        evaluations += inputs.evaluations
        after, _ = _balance(inputs, inputs.units_per_year, after_takt, place_before, 1)
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
        trade_off=(
            TradeOff(
                moves_allowed=len(moved),
                moved_tasks=len(moved),
                moved_s=sum(move.time_s for move in moved),
                operators=after.operators,
                stations=after.stations_used,
            ),
        ),
    )


def labour_at(
    result: FitResult,
    *,
    takt_s: float,
    resident_time_scale: float,
    guest_time_scale: float,
    planning_availability: float | None = None,
    mix: Mapping[str, float] | None = None,
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

    Returns
    -------
    Labour
        Operators and hours a car.
    """
    after = result.after
    shares = after.mix if mix is None else mix
    running = result.planning_availability if planning_availability is None else planning_availability
    busy = 1.0 - after.idle_share
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


@dataclass(frozen=True, slots=True)
class _Assignment:
    """Station and operators of each task, and the order in which tasks begin."""

    station: Integers
    lead: Integers
    helper: Integers
    order: Integers


def _balance(
    inputs: FitInputs, units: Sequence[float], takt: float, place_before: Mapping[int, _Place], stream: int
) -> tuple[LineBalance, dict[int, _Place]]:
    """Balance the models in ``units``; return the line and the place of each task, in the order in which they begin."""
    setting = _setting(inputs, units, takt, place_before)
    if setting is None:
        return _empty(inputs, units, takt), {}
    bound = operators_lower_bound(inputs, units, takt)
    found = _search(inputs, setting, place_before, stream, bound)
    if (found.station < 0).any():
        raise InputError([_exhausted(inputs, setting, found.station, takt)])
    balance = _described(inputs, units, takt, setting, found, bound)
    places = {
        setting.positions[task]: _Place(int(found.station[task]), int(found.lead[task]), int(found.helper[task]))
        for task in found.order
    }
    return balance, places


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
    first, last = _windows(allowed, before, after)
    total = sum(units)
    weight = np.array([units[model] / total for model in models], dtype=np.float64)
    time_s = np.array([[item.time_s[model] for model in models] for item in tasks], dtype=np.float64)
    bit = {zone: 1 << number for number, (zone, _) in enumerate(inputs.reach)}
    from_where = {zone: sum(bit[place] for place, reached in inputs.reach if zone in reached) for zone in bit}
    anywhere = sum(bit.values())
    lanes = np.array([station.lanes for station in inputs.stations], dtype=np.int64)
    before_ptr, before_idx = _packed(before)
    after_ptr, after_idx = _packed(after)
    worth = inputs.moves_worth_an_operator
    line = kernels.Line(
        time_s=time_s,
        mean_s=time_s @ weight,
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
        home=np.array(
            [place_before[position].station if position in place_before else -1 for position in positions],
            dtype=np.int64,
        ),
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
    )
    return _Setting(
        positions=positions,
        models=models,
        pinned=np.array([bool(item.stations) for item in tasks], dtype=np.bool_),
        slots=max(station.max_operators for station in inputs.stations),
        line=line,
    )


def _windows(
    allowed: NDArray[np.bool_], before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]
) -> tuple[Integers, Integers]:
    """Return the first and last station that fixed stations and the precedence graph leave to each task."""
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
) -> _Assignment:
    """Build the line from several starts, the first of which is today's line; improve the best and even it out."""
    from coachbuilder.plant.balance import kernels

    line = setting.line
    n = len(setting.positions)
    size = (n, len(setting.models), len(inputs.stations), setting.slots)
    random = np.random.default_rng([inputs.seed, stream])
    # Positional weight: a task's own time and the time of all that follows it.
    tail_s = line.mean_s + line.precedes.astype(np.float64) @ line.mean_s
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
    found = _Assignment(*(np.full(n, -1, dtype=np.int64) for _ in range(4)))
    arrays = (found.station, found.lead, found.helper, found.order)
    random_state = random.integers(0, 2**63, 1).astype(np.uint64)
    even = int(inputs.evaluations * EVEN_SHARE)
    kernels.improve(inputs.evaluations - even, False, FULLNESS, HOT, COLD, random_state, line, best, *arrays)
    state = kernels.empty_state(*size)
    kernels.restore(*arrays, line, state)
    kernels.improve(even, True, 0.0, HOT, COLD, random_state, line, state, *arrays)
    return found


def _today(setting: _Setting, place_before: Mapping[int, _Place]) -> tuple[Integers, Integers, Integers, Integers]:
    """Return the tasks that have a place today as they begin, with their station and operators."""
    index = {position: task for task, position in enumerate(setting.positions)}
    rows = [
        (index[position], place.station, place.lead, place.helper)
        for position, place in place_before.items()
        if position in index
    ]
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 4)
    task, station, lead, helper = (np.ascontiguousarray(column) for column in table.T)
    return task, station, lead, helper


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
    inputs: FitInputs, units: Sequence[float], takt: float, setting: _Setting, found: _Assignment, bound: int
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
                        zone=zones[k],
                        load_s={name: float(value) for name, value in zip(names, load, strict=True)},
                        weighted_load_s=float(load @ line.weight),
                        tasks=tuple(ids[task] for task in own),
                    )
                )
    return _summed(inputs, units, takt, setting, bound, stations, bars, assignment)


def _standing(
    inputs: FitInputs, line: Any, s: int, who: Mapping[int, tuple[int, ...]], crew: Sequence[int]
) -> dict[int, str]:
    """Return a zone for each operator of a station: a matching of operators to places, found by augmenting paths."""
    zones = [zone for zone, _ in inputs.reach]
    fitting = {}
    for k in crew:
        mask = int(line.place_mask[s])
        for task, hands in who.items():
            if hands[0] == k:
                mask &= int(line.reached_from[task])
        fitting[k] = [zone for number, zone in enumerate(zones) if mask >> number & 1]
    taken: dict[str, list[int]] = {zone: [] for zone in zones}

    def place(k: int, seen: set[str]) -> bool:
        for zone in fitting[k]:
            if zone in seen:
                continue
            seen.add(zone)
            if len(taken[zone]) < inputs.operators_per_zone:
                taken[zone].append(k)
                return True
            for other in taken[zone]:
                if place(other, seen):
                    taken[zone][taken[zone].index(other)] = k
                    return True
        return False

    for k in sorted(crew, key=lambda k: len(fitting[k])):
        place(k, set())
    return {k: zone for zone, operators in taken.items() for k in operators}


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
