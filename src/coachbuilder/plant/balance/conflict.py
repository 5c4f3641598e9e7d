"""What stops a line: the requirements that no assignment keeps together, none of which can be spared.

An exact model (mixed-integer, solved by HiGHS) of the line under some of its requirements tells whether an assignment
exists; QuickXplain (Junker 2004) asks it about ever smaller groups until every member is needed. Two models answer: one
of tasks and stations alone, whose "no" holds for any line, and for short lines one of every rule, the schedule of each
station included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.balance.inputs import LINE, PLANT, TASKS
from coachbuilder.plant.balance.interface import FitInputs, LineTask
from coachbuilder.plant.process import joint_precedence
from coachbuilder.programme.errors import Problem

MOST_NODES = 5_000
"""Nodes of the search tree after which a model counts as undecided."""
LARGEST_MODEL = 20_000
"""Pairs of task and station in a model; a larger one is not built."""
MOST_TASKS_IN_DETAIL = 12
"""Tasks up to which the schedule of each station is part of the model."""
MOST_STATIONS_IN_DETAIL = 12
"""The same for stations."""
LARGEST_DETAIL = 400
"""Triples of task, station and operator in such a model."""
MOST_ROOMS_TOLD = 8
"""Stations whose room is told one by one; more are told together."""
SLACK_S = 1e-6

Answer = bool | None
"""Whether an assignment exists; nothing if the model cannot tell."""


class Kind(Enum):
    """What a requirement speaks of."""

    TAKT = "takt"
    PEAK = "takt of every model"
    STATION = "station"
    HEIGHT = "height"
    SKILL = "skill"
    SAME = "same_station"
    OTHER = "other_station"
    FROZEN = "frozen station"
    BUDGET = "move budget"
    ZONE = "zone"
    SKILLS = "skills per operator"
    LOAD = "ergonomic load limit"
    POINTS = "ergonomic load"
    BEFORE = "predecessor"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that an assignment must keep; positions of tasks and stations, -1 where it has none."""

    kind: Kind
    task: int = -1
    other: int = -1
    station: int = -1


@dataclass(frozen=True, slots=True)
class Conflict:
    """Requirements that no assignment keeps together."""

    members: tuple[Requirement, ...]
    """The requirements."""
    irreducible: bool
    """True if it is proven that an assignment exists once any one of them is given up."""


@dataclass(frozen=True, slots=True)
class Case:
    """A line at one rate, in which a task may have a home."""

    inputs: FitInputs
    units: tuple[float, ...]
    """Cars a year by model."""
    takt_s: float
    """Takt."""
    home: Mapping[int, int]
    """Station by task where it is done today; empty where nothing is."""
    only: frozenset[int] | None = None
    """Tasks that are looked at; nothing for all that a built model has."""

    @property
    def models(self) -> list[int]:
        """Models that are built."""
        return [model for model, number in enumerate(self.units) if number > 0]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each model that is built."""
        units = np.array([self.units[model] for model in self.models])
        shares: NDArray[np.float64] = units / units.sum()
        return shares

    @property
    def tasks(self) -> list[int]:
        """Tasks that a built model has."""
        return [position for position, task in enumerate(self.inputs.tasks) if self._kept(position, task)]

    def _kept(self, position: int, task: LineTask) -> bool:
        return (self.only is None or position in self.only) and any(task.time_s[model] > 0 for model in self.models)

    def arcs(self) -> list[tuple[int, int]]:
        """Return the direct arcs of the joint precedence graph; a path through tasks left out stays an arc."""
        kept = [self._kept(position, task) for position, task in enumerate(self.inputs.tasks)]
        joint = joint_precedence([task.predecessors for task in self.inputs.tasks], kept)
        return [(earlier, later) for later, before in enumerate(joint) for earlier in before]

    def mean_s(self, task: int) -> float:
        """Return the average duration of a task over the mix."""
        times = self.inputs.tasks[task].time_s
        return float(sum(share * times[model] for share, model in zip(self.shares, self.models, strict=True)))

    def points(self, task: int) -> float:
        """Return the ergonomic points of a task a shift on one lane."""
        item = self.inputs.tasks[task]
        cars = sum(self.units[model] for model in self.models if item.time_s[model] > 0)
        return item.ergonomic_points * cars / self.inputs.shifts_per_year


def requirements(case: Case) -> list[Requirement]:
    """Return all that an assignment of a line must keep, but that every task is done."""
    inputs = case.inputs
    kept = set(case.tasks)
    found = [Requirement(Kind.TAKT)]
    if math.isfinite(inputs.overload_allowance) and len(case.models) > 1:
        found.append(Requirement(Kind.PEAK))
    for task in case.tasks:
        item = inputs.tasks[task]
        found += [Requirement(Kind.STATION, task)] if item.stations else []
        found += [Requirement(Kind.SKILL, task)] if item.skill_stations else []
        found += [Requirement(Kind.HEIGHT, task)] if item.height else []
        found += [Requirement(Kind.ZONE, task)] if item.zone else []
        found += [Requirement(Kind.SAME, task, other) for other in item.same_station if other in kept]
        found += [Requirement(Kind.OTHER, task, other) for other in item.other_station if other in kept]
    if case.home:
        found += [Requirement(Kind.FROZEN, station=s) for s, each in enumerate(inputs.stations) if each.frozen]
        found += [Requirement(Kind.BUDGET)] if inputs.move_budget is not None else []
    found += [Requirement(Kind.SKILLS)] if inputs.skills_per_operator else []
    if inputs.ergonomic_limit_points_per_shift is not None:
        found.append(Requirement(Kind.LOAD))
        found += [Requirement(Kind.POINTS, task) for task in case.tasks if case.points(task) > 0]
    found += [Requirement(Kind.BEFORE, later, earlier) for earlier, later in case.arcs()]
    found += [Requirement(Kind.ROOM, station=s) for s in range(len(inputs.stations))]
    order = list(Kind)
    return sorted(found, key=lambda each: order.index(each.kind))


def smallest_conflict(case: Case) -> Conflict | None:
    """Return requirements that no assignment keeps together and none of which can be spared.

    A long line is not looked at as a whole, but where its work is seen to be too much for the stations that may take
    it: if not even some of the tasks can be assigned, neither can all.

    Parameters
    ----------
    case
        A line for which no assignment was found.

    Returns
    -------
    Conflict or None
        Nothing if the models cannot prove within their limits that there is no assignment.
    """
    for part, stations in _parts(case):

        def refuted(active: Sequence[Requirement], part: Case = part) -> bool:
            return _stations_alone(part, active) is False or _in_detail(part, active) is False

        everything = requirements(part)
        near = [each for each in everything if each.kind is not Kind.ROOM or each.station in stations]
        start = next((some for some in (near, everything) if refuted(some)), None)
        if start is None:
            continue
        members = _explained(refuted, start)
        without = ([each for each in members if each is not left_out] for left_out in members)
        return Conflict(tuple(members), all(_exists(part, rest) for rest in without))
    return None


def _parts(case: Case) -> Iterator[tuple[Case, set[int]]]:
    """Yield parts of a line that may be impossible by themselves, with the stations where room may be short."""
    everywhere = set(range(len(case.inputs.stations)))
    if len(case.tasks) <= MOST_TASKS_IN_DETAIL:
        yield case, everywhere
        return
    for tasks, stations in _tight(case):
        yield replace(case, only=frozenset(tasks)), stations
    yield case, everywhere


def _tight(case: Case) -> Iterator[tuple[set[int], set[int]]]:
    """Yield tasks that together are too much for the stations that their requirements leave to them.

    Stations are narrowed by the precedence graph, and whatever did so joins the tasks.
    """
    inputs = case.inputs
    model = _Model(case, requirements(case), bare=True)
    open_stations = {task: set(left) for task, left in model.allowed.items()}
    causes: dict[int, set[int]] = {task: {task} for task in case.tasks}
    for task, left in open_stations.items():
        if not left:
            yield {task}, set()
            return
    arcs = case.arcs()
    pairs = [(task, inputs.tasks[task].same_station) for task in case.tasks]
    mates = [(task, other) for task, others in pairs for other in others if other in open_stations]
    changed = True
    while changed:
        changed = False
        for earlier, later in arcs:
            lowest, highest = min(open_stations[earlier]), max(open_stations[later])
            for one, two, left in (
                (earlier, later, {s for s in open_stations[later] if s >= lowest}),
                (later, earlier, {s for s in open_stations[earlier] if s <= highest}),
            ):
                changed = _narrow(one, two, left, open_stations, causes) or changed
                if not left:
                    yield causes[two], set()
                    return
        for one, two in (*mates, *((two, one) for one, two in mates)):
            left = open_stations[two] & open_stations[one]
            changed = _narrow(one, two, left, open_stations, causes) or changed
            if not left:
                yield causes[two], set()
                return
    budget = inputs.move_budget
    if budget is not None and case.home:
        forced = [task for task, left in open_stations.items() if case.home.get(task, -1) not in {-1, *left}]
        if len(forced) > budget:
            yield set().union(*(causes[task] for task in forced[: budget + 1])), set()
    groups = {frozenset(left) for left in open_stations.values()}
    spans = sorted({(min(group), max(group)) for group in groups}, key=lambda span: span[1] - span[0])
    groups |= {frozenset(range(first, last + 1)) for first, last in spans}
    for group in sorted(groups, key=lambda each: (len(each), sorted(each))):
        inside = [task for task, left in open_stations.items() if left <= group]
        if model.too_much(inside, group):
            yield set().union(*(causes[task] for task in inside)), set(group)


def _narrow(
    one: int, two: int, left: set[int], open_stations: dict[int, set[int]], causes: dict[int, set[int]]
) -> bool:
    """Leave ``left`` to task ``two`` because of task ``one``; return whether that is less than before."""
    if left == open_stations[two]:
        return False
    open_stations[two] = left
    causes[two] = causes[two] | causes[one]
    return True


def _explained(refuted: Callable[[Sequence[Requirement]], bool], everything: list[Requirement]) -> list[Requirement]:
    """Return a part of ``everything`` that is refuted, no member of which can be left out (QuickXplain)."""

    def narrowed(background: list[Requirement], fresh: bool, rest: list[Requirement]) -> list[Requirement]:
        if fresh and refuted(background):
            return []
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        from_second = narrowed([*background, *first], bool(first), second)
        from_first = narrowed([*background, *from_second], bool(from_second), first)
        return [*from_first, *from_second]

    if refuted([]):
        return []
    return narrowed([], False, everything)


@dataclass(slots=True)
class _Rows:
    """Rows of a linear model, gathered one by one: low <= sum of factor x variable <= high."""

    factors: list[float]
    rows: list[int]
    columns: list[int]
    low: list[float]
    high: list[float]

    def add(self, terms: Sequence[tuple[int, float]], low: float, high: float) -> None:
        """Add a row."""
        for column, factor in terms:
            self.factors.append(factor)
            self.rows.append(len(self.low))
            self.columns.append(column)
        self.low.append(low)
        self.high.append(high)


def _solved(rows: _Rows, whole: Sequence[bool], high: Sequence[float]) -> Answer:
    """Return whether the model has a solution; variables are 0 or more."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    count = len(whole)
    if not count:
        return all(low <= 0 <= up for low, up in zip(rows.low, rows.high, strict=True))
    if any(low > up for low, up in zip(rows.low, rows.high, strict=True)):
        return False
    constraints = []
    if rows.low:
        matrix = coo_array((rows.factors, (rows.rows, rows.columns)), shape=(len(rows.low), count)).tocsr()
        constraints.append(LinearConstraint(matrix, rows.low, rows.high))
    result = milp(
        np.zeros(count),
        integrality=np.array(whole, dtype=np.int64),
        bounds=Bounds(np.zeros(count), np.array(high)),
        constraints=constraints,
        options={"node_limit": MOST_NODES},
    )
    if result.status == 2:
        return False
    return True if result.x is not None else None


class _Model:
    """Tasks to stations, with what both models share."""

    def __init__(
        self,
        case: Case,
        active: Sequence[Requirement],
        *,
        bare: bool = False,
        places: Sequence[int] | None = None,
    ) -> None:
        self.case = case
        self.inputs = case.inputs
        self.active = set(active)
        self.kinds = {each.kind for each in active}
        self.tasks = case.tasks
        self.places: Sequence[int] = range(len(case.inputs.stations)) if places is None else places
        self.roomy = {s for s in self.places if Requirement(Kind.ROOM, station=s) not in self.active}
        self.limit_s = [
            case.takt_s * item.lanes if Kind.TAKT in self.kinds else math.inf for item in case.inputs.stations
        ]
        peak = 1.0 + case.inputs.overload_allowance if Kind.PEAK in self.kinds else math.inf
        self.peak_s = [limit * peak for limit in self.limit_s]
        if len(case.models) == 1:
            self.peak_s = [min(each, limit) for each, limit in zip(self.peak_s, self.limit_s, strict=True)]
        most = case.inputs.ergonomic_limit_points_per_shift
        self.most_points = most if most is not None and Kind.LOAD in self.kinds else math.inf
        self.rows = _Rows([], [], [], [], [])
        self.whole: list[bool] = []
        self.high: list[float] = []
        self.allowed = {task: self._allowed(task) for task in self.tasks}
        self.at = {(task, s): self.variable() for task in self.tasks for s in self.places if s in self.allowed[task]}
        self._share_rules()

    def points(self, task: int) -> float:
        """Return the ergonomic points of a task a shift on one lane, if they are a requirement in force."""
        return self.case.points(task) if Requirement(Kind.POINTS, task) in self.active else 0.0

    def variable(self, high: float = 1.0, whole: bool = True) -> int:
        """Add a variable and return its column."""
        self.whole.append(whole)
        self.high.append(high)
        return len(self.whole) - 1

    def _allowed(self, task: int) -> set[int]:
        """Return the stations that the requirements in force leave to one task by itself."""
        inputs, item = self.inputs, self.inputs.tasks[task]
        home = self.case.home.get(task, -1)
        reach = dict(inputs.reach)
        frozen = {each.station for each in self.active if each.kind is Kind.FROZEN}
        active = {each.kind for each in self.active if each.task == task}
        left: set[int] = set()
        for s in self.places:
            station = inputs.stations[s]
            if Kind.STATION in active and s not in item.stations:
                continue
            if Kind.SKILL in active and s not in item.skill_stations:
                continue
            if Kind.HEIGHT in active and station.heights and item.height not in station.heights:
                continue
            if Kind.ZONE in active and not any(item.zone in reach[zone] for zone in station.zones):
                continue
            if (s in frozen or home in frozen) and s != home:
                continue
            if s not in self.roomy and item.operators > station.max_operators:
                continue
            if any(item.time_s[model] > self.peak_s[s] + SLACK_S for model in self.case.models):
                continue
            if self.case.mean_s(task) > self.limit_s[s] + SLACK_S:
                continue
            if self.points(task) / station.lanes > self.most_points + SLACK_S:
                continue
            left.add(s)
        return left

    def _share_rules(self) -> None:
        for task in self.tasks:
            self.rows.add([(self.at[task, s], 1.0) for s in self.allowed[task]], 1.0, 1.0)
        for each in self.active:
            if each.kind is Kind.BEFORE:
                for s in self.places[:-1]:
                    later = [(self.at[each.task, place], 1.0) for place in self.allowed[each.task] if place > s]
                    earlier = [(self.at[each.other, place], -1.0) for place in self.allowed[each.other] if place > s]
                    if earlier:
                        self.rows.add([*later, *earlier], 0.0, math.inf)
            elif each.kind is Kind.SAME:
                for s in self.allowed[each.task] | self.allowed[each.other]:
                    pair = [(each.task, 1.0), (each.other, -1.0)]
                    self.rows.add([(self.at[t, s], sign) for t, sign in pair if (t, s) in self.at], 0.0, 0.0)
            elif each.kind is Kind.OTHER:
                for s in self.allowed[each.task] & self.allowed[each.other]:
                    self.rows.add([(self.at[each.task, s], 1.0), (self.at[each.other, s], 1.0)], 0.0, 1.0)
        budget = self.inputs.move_budget
        if Kind.BUDGET in self.kinds and budget is not None:
            with_home = [task for task in self.tasks if task in self.case.home]
            stay = [
                (self.at[task, self.case.home[task]], 1.0)
                for task in with_home
                if (task, self.case.home[task]) in self.at
            ]
            self.rows.add(stay, float(len(with_home) - budget), math.inf)
        for s in self.places:
            self._capacity(s)

    def too_much(self, tasks: Sequence[int], stations: Collection[int]) -> bool:
        """Return whether tasks are more work, or load, than all operators of some stations may take."""
        room = {s: self.inputs.stations[s].max_operators for s in stations}
        crew = {task: self.inputs.tasks[task].operators for task in tasks}

        def over(amount: Callable[[int], float], most: Callable[[int], float]) -> bool:
            # Seconds of rounding for each station, as in the model.
            space = sum(room[s] * most(s) + SLACK_S for s in stations if room[s])
            return sum(crew[task] * amount(task) for task in tasks) > space + SLACK_S

        by_model = (
            over(lambda task, model=model: self.inputs.tasks[task].time_s[model], lambda s: self.peak_s[s])  # type: ignore[misc]
            for model in self.case.models
        )
        lanes = [station.lanes for station in self.inputs.stations]
        return (
            over(self.case.mean_s, lambda s: self.limit_s[s])
            or any(by_model)
            or over(self.points, lambda s: self.most_points * lanes[s])
        )

    def _capacity(self, s: int) -> None:
        """All operators of a station together have so much time, and may carry so much."""
        station = self.inputs.stations[s]
        if s in self.roomy:
            return
        here = [task for task in self.tasks if s in self.allowed[task]]
        crew = {task: float(self.inputs.tasks[task].operators) for task in here}

        def row(amount: Callable[[int], float], most: float) -> None:
            if math.isfinite(most):
                terms = [(self.at[task, s], crew[task] * amount(task)) for task in here]
                self.rows.add(terms, -math.inf, most * station.max_operators + SLACK_S)

        row(self.case.mean_s, self.limit_s[s])
        for model in self.case.models:
            row(lambda task, model=model: self.inputs.tasks[task].time_s[model], self.peak_s[s])  # type: ignore[misc]
        row(self.points, self.most_points * station.lanes)


def _stations_alone(case: Case, active: Sequence[Requirement]) -> Answer:
    """Return false if not even work, room and stations fit together; else nothing is known."""
    if len(case.tasks) * len(case.inputs.stations) > LARGEST_MODEL:
        return None
    model = _Model(case, active)
    if not all(model.allowed.values()):
        return False
    return False if _solved(model.rows, model.whole, model.high) is False else None


def _exists(case: Case, active: Sequence[Requirement]) -> bool:
    """Return whether an assignment is found, at a few stations of a long line."""
    if len(case.tasks) > MOST_TASKS_IN_DETAIL:
        return False
    model = _Model(case, active, bare=True)
    profiles = [
        (s in model.roomy, frozenset(task for task in case.tasks if s in model.allowed[task])) for s in model.places
    ]
    last = len(profiles) - 1
    places = [s for s in range(last + 1) if s in {0, last} or not profiles[s - 1] == profiles[s] == profiles[s + 1]]
    if len(model.places) <= MOST_STATIONS_IN_DETAIL or len(places) > MOST_STATIONS_IN_DETAIL:
        places = list(model.places)
    return _in_detail(case, active, places) is True


def _in_detail(case: Case, active: Sequence[Requirement], places: Sequence[int] | None = None) -> Answer:
    """Return whether an assignment, at some stations, keeps all rules, the order of work at each included."""
    if len(case.tasks) > MOST_TASKS_IN_DETAIL:
        return None
    if places is None:
        # What no task may use plays no part.
        left = _Model(case, active, bare=True).allowed.values()
        places = sorted(set().union(*left))
    if len(places) > MOST_STATIONS_IN_DETAIL:
        return None
    model = _Model(case, active, places=places)
    if not all(model.allowed.values()):
        return False
    if sum(case.inputs.stations[s].max_operators for _, s in model.at if s not in model.roomy) > LARGEST_DETAIL:
        return None
    _add_operators(model)
    return _solved(model.rows, model.whole, model.high)


def _add_operators(model: _Model) -> None:
    """Add who does what from which zone, and when.

    Where room is no requirement, everyone who does a task does nothing else.
    """
    inputs, rows, case = model.inputs, model.rows, model.case
    reach = dict(inputs.reach)
    hands: dict[tuple[int, int, int], list[int]] = {}
    for s in model.places:
        if s in model.roomy or not any(s in left for left in model.allowed.values()):
            continue
        station = inputs.stations[s]
        slots = range(station.max_operators)
        stands = {(k, zone): model.variable() for k in slots for zone in station.zones}
        for k in slots:
            rows.add([(stands[k, zone], 1.0) for zone in station.zones], 0.0, 1.0)
        for zone in station.zones:
            rows.add([(stands[k, zone], 1.0) for k in slots], 0.0, float(inputs.operators_per_zone))
        for task in model.tasks:
            if s not in model.allowed[task]:
                continue
            item = inputs.tasks[task]
            bound = Requirement(Kind.ZONE, task) in model.active
            good = [zone for zone in station.zones if not bound or item.zone in reach[zone]]
            for turn in range(item.operators):
                who = [model.variable() for _ in slots]
                rows.add([*((each, 1.0) for each in who), (model.at[task, s], -1.0)], 0.0, 0.0)
                for k in slots:
                    hands.setdefault((task, s, k), []).append(who[k])
                    zones = good if turn == 0 else station.zones
                    rows.add([(who[k], 1.0), *((stands[k, zone], -1.0) for zone in zones)], -math.inf, 0.0)
            for k in slots:
                rows.add([(each, 1.0) for each in hands[task, s, k]], 0.0, 1.0)
        for k in slots:
            _add_person(model, s, hands, k)
    if Kind.TAKT in model.kinds:
        _add_schedule(model, hands, case)


def _add_person(model: _Model, s: int, hands: Mapping[tuple[int, int, int], list[int]], k: int) -> None:
    """Add what one operator may be asked for."""
    inputs, rows = model.inputs, model.rows
    own = [(task, each) for task in model.tasks for each in hands.get((task, s, k), ())]
    if math.isfinite(model.limit_s[s]):
        rows.add([(each, model.case.mean_s(task)) for task, each in own], -math.inf, model.limit_s[s] + SLACK_S)
    if math.isfinite(model.most_points):
        most = model.most_points * inputs.stations[s].lanes
        rows.add([(each, model.points(task)) for task, each in own], -math.inf, most + SLACK_S)
    if Kind.SKILLS in model.kinds:
        needs: dict[str, int] = {}
        for task, each in own:
            skill = inputs.tasks[task].skill
            if skill:
                column = needs.setdefault(skill, -1)
                if column < 0:
                    column = needs[skill] = model.variable()
                rows.add([(each, 1.0), (column, -1.0)], -math.inf, 0.0)
        rows.add([(column, 1.0) for column in needs.values()], 0.0, float(inputs.skills_per_operator))


def _add_schedule(model: _Model, hands: Mapping[tuple[int, int, int], list[int]], case: Case) -> None:
    """Add when each task begins on each model: one order for all models, makespans within takt."""
    rows, tasks, inputs = model.rows, model.tasks, model.inputs
    longest = max(model.limit_s)
    horizon = {
        m: sum(inputs.tasks[task].time_s[m] for task in tasks) if math.isinf(max(model.peak_s)) else max(model.peak_s)
        for m in case.models
    }
    begin = {(task, m): model.variable(horizon[m], whole=False) for task in tasks for m in case.models}
    for s in model.places:
        ends = [
            (m, share, model.variable(min(model.peak_s[s], horizon[m]) + SLACK_S, whole=False))
            for m, share in zip(case.models, case.shares, strict=True)
        ]
        for m, _, end in ends:
            for task in tasks:
                if s in model.allowed[task]:
                    much = horizon[m] + inputs.tasks[task].time_s[m]
                    terms = [(end, 1.0), (begin[task, m], -1.0), (model.at[task, s], -much)]
                    rows.add(terms, inputs.tasks[task].time_s[m] - much, math.inf)
        rows.add([(end, float(share)) for _, share, end in ends], -math.inf, min(model.limit_s[s], longest) + SLACK_S)
    arcs = {(each.other, each.task) for each in model.active if each.kind is Kind.BEFORE}
    ahead = _closure(arcs, tasks)
    for earlier, later in arcs:
        for m in case.models:
            seconds = inputs.tasks[earlier].time_s[m]
            much = horizon[m] + seconds
            for s in model.allowed[earlier] & model.allowed[later]:
                terms = [(begin[later, m], 1.0), (begin[earlier, m], -1.0)]
                terms += [(model.at[earlier, s], -much), (model.at[later, s], -much)]
                rows.add(terms, seconds - 2 * much, math.inf)
    for index, one in enumerate(tasks):
        for two in tasks[index + 1 :]:
            places = [key for key in hands if key[0] == one and (two, *key[1:]) in hands]
            if not places:
                continue
            if (one, two) in ahead:
                orders = [(one, two, -1)]
            elif (two, one) in ahead:
                orders = [(two, one, -1)]
            else:
                choice = model.variable()
                orders = [(one, two, choice), (two, one, choice)]
            for turn, (first, second, column) in enumerate(orders):
                for m in case.models:
                    if not inputs.tasks[first].time_s[m] or not inputs.tasks[second].time_s[m]:
                        continue
                    seconds = inputs.tasks[first].time_s[m]
                    much = horizon[m] + seconds
                    for _, s, k in places:
                        terms = [(begin[second, m], 1.0), (begin[first, m], -1.0)]
                        terms += [(each, -much) for task in (first, second) for each in hands[task, s, k]]
                        low = seconds - 2 * much
                        if column >= 0:
                            # choice = 1: first before second.
                            terms.append((column, -much if turn == 0 else much))
                            low -= much if turn == 0 else 0.0
                        rows.add(terms, low, math.inf)


def _closure(arcs: set[tuple[int, int]], tasks: Sequence[int]) -> set[tuple[int, int]]:
    after: dict[int, set[int]] = {task: set() for task in tasks}
    for earlier, later in arcs:
        after[earlier].add(later)
    found: set[tuple[int, int]] = set()
    for task in tasks:
        stack = [task]
        while stack:
            for later in after[stack.pop()]:
                if (task, later) not in found:
                    found.add((task, later))
                    stack.append(later)
    return found


def problems_of(case: Case, conflict: Conflict) -> list[Problem]:
    """Return one problem for each member of a conflict, each saying that they belong together."""
    members = list(conflict.members)
    rooms = [each.station for each in members if each.kind is Kind.ROOM]
    together = len(rooms) > MOST_ROOMS_TOLD
    count = len(members) - (len(rooms) - 1 if together else 0)
    needed = "" if conflict.irreducible else "; perhaps not all of them are needed"
    expected = f"one of {count} requirements to give way, as no assignment keeps them together{needed}"
    if count == 1:
        expected = "this requirement to give way, as no assignment keeps it"
    told: list[Problem] = []
    for each in members:
        if each.kind is Kind.ROOM and together:
            if each.station != rooms[0]:
                continue
            names = f"{case.inputs.stations[rooms[0]].id} to {case.inputs.stations[rooms[-1]].id}"
            file, field, found, line = PLANT, "assembly.segment.max_operators", f"the room at {names}", None
        else:
            file, field, found, line = _told(case, each)
        hint = f"member {len(told) + 1} of {count} of one conflict" if count > 1 else ""
        told.append(Problem(file, field, found, expected, line, hint))
    return told


def _told(case: Case, each: Requirement) -> tuple[str, str, str, int | None]:
    """Return file, field, what stands there, and the line."""
    inputs = case.inputs
    task: LineTask | None = inputs.tasks[each.task] if each.task >= 0 else None
    if task is not None:
        other = inputs.tasks[each.other].id if each.other >= 0 else ""
        at = ", ".join(inputs.stations[s].id for s in task.stations[:4]) + (" ..." if len(task.stations) > 4 else "")
        tied = "station" if task.station else "equipment"
        field, found = {
            Kind.STATION: (tied, f"{task.id} tied to {at}"),
            Kind.HEIGHT: ("height", f"{task.id} at height {task.height}"),
            Kind.SKILL: ("skill", f"{task.id} with skill {task.skill}"),
            Kind.SAME: ("same_station", f"{task.id} at one station with {other}"),
            Kind.OTHER: ("other_station", f"{task.id} not at one station with {other}"),
            Kind.ZONE: ("zone", f"{task.id} in zone {task.zone}"),
            Kind.POINTS: ("ergonomic_points", f"{task.id} with {case.points(each.task):.1f} points a shift"),
            Kind.BEFORE: ("predecessors", f"{task.id} after {other}"),
        }[each.kind]
        return TASKS, field, found, task.line
    station = inputs.stations[each.station] if each.station >= 0 else None
    if station is not None and each.kind is Kind.FROZEN:
        return PLANT, "assembly.frozen_stations", f"{station.id} frozen", None
    if station is not None:
        found = f"room for {station.max_operators} operators at {station.id}, {inputs.operators_per_zone} in a zone"
        return PLANT, "assembly.segment.max_operators", found, None
    total = sum(case.units)
    field, found = {
        Kind.TAKT: ("model.planned_units_per_year", f"takt {case.takt_s:.1f} s at {total:,.0f} cars a year"),
        Kind.PEAK: (
            "assembly.overload_allowance",
            f"no model more than {inputs.overload_allowance:.0%} above takt {case.takt_s:.1f} s",
        ),
        Kind.BUDGET: ("assembly.move_budget", f"at most {inputs.move_budget} moved tasks"),
        Kind.SKILLS: ("assembly.skills_per_operator", f"at most {inputs.skills_per_operator} skills an operator"),
        Kind.LOAD: (
            "assembly.ergonomic_limit_points_per_shift",
            f"at most {inputs.ergonomic_limit_points_per_shift or 0.0:g} points a shift",
        ),
    }[each.kind]
    return (LINE if each.kind is Kind.BUDGET and inputs.today else PLANT), field, found, None
