"""What line balancing takes and gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineStation:
    """A station of the final assembly line."""

    id: str
    """Identifier: the segment's prefix and a number, such as T01."""
    segment: str
    """Segment of the line it belongs to."""
    max_operators: int
    """Operators for whom there is room at one place of the station."""
    lanes: int
    """Equal places side by side; cars alternate between them and stay lanes x takt."""
    zones: tuple[str, ...]
    """Zones of the car in which an operator may stand here."""
    heights: tuple[str, ...] = ()
    """Heights and tilts at which the car passes; empty for any that a task may need."""
    min_operators: int = 0
    """Operators who stand at each place whatever the work; with the same max_operators a fixed crew."""
    frozen: bool = False
    """True if no task may leave it or come to it when the guest comes."""


@dataclass(frozen=True, slots=True)
class LineTask:
    """A work element with the times that count on this line."""

    id: str
    """Identifier in tasks.csv."""
    name: str
    """Name for people."""
    zone: str
    """Zone of the car where it is done; empty for any."""
    operators: int
    """Operators who do it together, 1 or 2."""
    stations: tuple[int, ...]
    """Positions of the stations that may take it; empty for all."""
    time_s: tuple[float, ...]
    """Duration on each model, in the order of the models; 0 where the model does not have it."""
    predecessors: tuple[int, ...]
    """Positions of its direct predecessors among all tasks."""
    resident: bool
    """True if a resident model has it."""
    line: int
    """Line in tasks.csv."""
    station: str = ""
    """The one station that tasks.csv ties it to; empty for none. ``stations`` already respects it."""
    equipment: str = ""
    """Equipment that it needs, by name; ``stations`` already respects it."""
    height: str = ""
    """Height or tilt of the car that it needs; empty for any."""
    skill: str = ""
    """Skill that everyone who does it must have; empty for none."""
    skill_stations: tuple[int, ...] = ()
    """Positions of the stations where those with the skill work; empty for all."""
    ergonomic_points: float = 0.0
    """Load on each operator who does it, each time it is done."""
    same_station: tuple[int, ...] = ()
    """Positions of the tasks with which it must share a station."""
    other_station: tuple[int, ...] = ()
    """Positions of the tasks with which it must not share a station."""


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """Where a task is done."""

    task: str
    """Task."""
    station: str
    """Station."""
    operators: tuple[int, ...]
    """Who does it, numbered from 1 within the lane; the first stands where the task's zone can be reached."""


@dataclass(frozen=True, slots=True)
class FitInputs:
    """All that line balancing needs."""

    models: tuple[str, ...]
    """Models in the order of every time tuple."""
    guest: str
    """The guest among them."""
    tasks: tuple[LineTask, ...]
    """Work elements of all models, times already scaled."""
    stations: tuple[LineStation, ...]
    """Stations in the order in which a car passes them."""
    reach: tuple[tuple[str, tuple[str, ...]], ...]
    """For each zone the zones that an operator who stands in it can work in, its own included."""
    operators_per_zone: int
    """Operators who may stand in one zone of one car at the same time."""
    overload_allowance: float
    """How far one model's work may exceed takt while the mix average stays within it.

    0 keeps takt on every model; where the average alone counts it is so large that it never binds.
    """
    level_stations: bool
    """True spreads operators evenly along the line; false uses as few stations as possible."""
    moves_worth_an_operator: float
    """Resident tasks that may be moved to another station to save one operator."""
    resident_units_per_year: tuple[float, ...]
    """Cars a year by model before the guest came; 0 for the guest."""
    units_per_year: tuple[float, ...]
    """Cars a year by model with the guest."""
    net_hours_per_year: float
    """Net shift time."""
    planning_availability: float
    """Share of the net shift time in which the line is expected to run."""
    resident_time_scale: float
    """Factor already in the times of the residents."""
    guest_time_scale: float
    """Factor already in the times of the guest."""
    starts: int
    """Constructions tried before the search."""
    evaluations: int
    """Changes that the search looks at on each line."""
    seed: int
    """Seed of the search."""
    today: tuple[TaskPlace, ...] = ()
    """Today's assignment of resident tasks where it is known, at each station in working order; empty computes it."""
    move_budget: int | None = None
    """Most resident tasks that may change their station; nothing for no limit."""
    skills_per_operator: int = 0
    """Different skills that one operator may need; 0 for no limit."""
    ergonomic_limit_points_per_shift: float | None = None
    """Most that the tasks of one operator may add up to over a shift; nothing for no limit."""
    shifts_per_year: float = 1.0
    """Shifts in a year, to turn points a car into points a shift."""
    model_smoothing: float = 0.0
    """Weight of evening out between the models of an operator beside evening out between operators."""


@dataclass(frozen=True, slots=True)
class OperatorLoad:
    """One bar of the yamazumi chart."""

    station: str
    """Station."""
    operator: int
    """Number at the station, from 1; the crews of parallel lanes are numbered through."""
    lane: int
    """Parallel place at which the operator works, from 1."""
    zone: str
    """Zone of the car in which the operator stands; empty for one of a fixed crew who has no task."""
    load_s: dict[str, float]
    """Work by model in seconds per takt (a lane's cars come every lanes x takt)."""
    weighted_load_s: float
    """Mix average of the work in seconds per takt."""
    tasks: tuple[str, ...]
    """Tasks in working order."""


@dataclass(frozen=True, slots=True)
class StationLoad:
    """A station with its crew."""

    station: str
    """Station."""
    segment: str
    """Segment of the line."""
    lanes: int
    """Equal places side by side."""
    operators: int
    """Operators at all its lanes together."""
    makespan_s: dict[str, float]
    """Time from the first task's start to the last one's end by model, waiting for each other included."""
    weighted_makespan_s: float
    """Mix average of the makespan."""
    limit_s: float
    """What the mix average may be: lanes x takt."""
    tasks: tuple[str, ...]
    """Tasks in the order in which they are begun."""


@dataclass(frozen=True, slots=True)
class LineBalance:
    """A balanced line."""

    takt_s: float
    """Time between two cars; for a line without cars the takt of the line with the guest."""
    units_per_year: dict[str, float]
    """Cars a year by model."""
    mix: dict[str, float]
    """Share of the cars by model."""
    stations_total: int
    """Stations that the line has."""
    stations_used: int
    """Stations at which somebody works."""
    operators: int
    """Operators on one shift."""
    operators_lower_bound: int
    """No assignment under the same rules has fewer operators."""
    idle_share: float
    """Share of the operators' time, the line running, in which they do no work element."""
    smoothness: float
    """Standard deviation of the operators' weighted load over takt."""
    work_hours_per_car: dict[str, float]
    """Pure work content by model."""
    direct_hours_per_car: dict[str, float]
    """Net hours of direct operators by model, idle time and line stops shared in proportion to the work content."""
    mean_direct_hours_per_car: float
    """The same over the mix: operators x net hours a year / cars a year."""
    stations: tuple[StationLoad, ...]
    """Every station in line order, also those where nobody works."""
    operator_loads: tuple[OperatorLoad, ...]
    """Every operator in line order."""
    assignment: tuple[TaskPlace, ...]
    """Every task, station by station, in the order in which it is begun."""


@dataclass(frozen=True, slots=True)
class MovedTask:
    """A resident work element that changes its station."""

    task: str
    """Task."""
    name: str
    """Name for people."""
    from_station: str
    """Station before the guest came."""
    to_station: str
    """Station with the guest on the line."""
    time_s: float
    """Average duration over the resident mix: the work moved."""
    from_operators: tuple[int, ...] = ()
    """Who does it before, numbered as in :class:`TaskPlace`."""
    to_operators: tuple[int, ...] = ()
    """Who does it afterwards."""
    says: str = ""
    """The move as a sentence that a team leader can follow."""


@dataclass(frozen=True, slots=True)
class TradeOff:
    """What the line with the guest takes if only so many resident tasks may move."""

    moves_allowed: int
    """Most resident tasks that may change their station."""
    moved_tasks: int
    """Resident tasks that do."""
    moved_s: float
    """Their average duration over the resident mix, in all."""
    operators: int
    """Operators with the guest."""
    stations: int
    """Stations used with the guest."""


@dataclass(frozen=True, slots=True)
class FitResult:
    """The line before and after the guest came."""

    guest: str
    """The guest model."""
    before: LineBalance
    """The plain resident line, at the takt of the resident rate."""
    after: LineBalance
    """The line with residents and guest, at the takt of both."""
    takt_s: float
    """Takt with the guest."""
    stations: int
    """Stations used with the guest."""
    operators: int
    """Operators with the guest."""
    operators_added: int
    """Operators more than before."""
    idle_share: float
    """Idle share with the guest."""
    hours_per_car: dict[str, float]
    """Direct hours a car by model with the guest."""
    moved_tasks: tuple[MovedTask, ...]
    """Resident work elements that change their station."""
    resident_tasks: int
    """Resident work elements in all."""
    guest_only_tasks: int
    """Work elements that only the guest has."""
    resident_time_scale: float
    """Factor in the residents' times."""
    guest_time_scale: float
    """Factor in the guest's times."""
    net_hours_per_year: float
    """Net shift time."""
    planning_availability: float
    """Share of the net shift time in which the line is expected to run."""
    evaluations: int
    """Changes that the searches for both lines looked at; the trade-off takes up to as many again as one of them."""
    trade_off: tuple[TradeOff, ...] = ()
    """Operators by the number of moves allowed, from the fewest moves found to those of the best line found."""
    remarks: tuple[str, ...] = ()
    """What the reader should know: above all, rules that today's line breaks."""


@dataclass(frozen=True, slots=True)
class Labour:
    """Direct labour at another takt or with other times, to first order."""

    operators: float
    """Operators on one shift, not rounded."""
    direct_hours_per_car: dict[str, float]
    """Net hours of direct operators by model."""
    work_hours_per_car: dict[str, float]
    """Pure work content by model."""
    mean_direct_hours_per_car: float
    """Average over the mix."""


@dataclass(frozen=True, slots=True)
class SimpleBalance:
    """An answer to the simple assembly line balancing problem: fewest stations for a takt."""

    stations: int
    """Stations of the best assignment found."""
    lower_bound: int
    """No assignment has fewer."""
    proven: bool
    """True if the assignment is optimal."""
    assignment: tuple[int, ...]
    """Station of each task, from 1."""
    nodes: int
    """Tasks put into loads by the search."""
    memory_reached: bool = False
    """Whether the search ran out of the memory that it may fill, and forgot states."""


@dataclass(frozen=True, slots=True)
class TaktBalance:
    """An answer to the simple problem turned round: the smallest takt for a number of stations (SALBP-2)."""

    takt: int
    """Largest station load of the best assignment found."""
    stations: int
    """Stations that were to be had."""
    lower_bound: int
    """No assignment to these stations has a smaller takt."""
    proven: bool
    """True if the takt is the smallest."""
    assignment: tuple[int, ...]
    """Station of each task, from 1."""
    nodes: int
    """Tasks put into loads by the search, and as much again for its other work."""
    memory_reached: bool = False
    """Whether a search ran out of the memory that it may fill, and forgot states."""


@dataclass(frozen=True, slots=True)
class EfficiencyBalance:
    """An answer to the simple problem with both free: the least stations x takt in a range of stations (SALBP-E)."""

    takt: int
    """Largest station load of the best assignment found."""
    stations: int
    """Stations of that assignment."""
    lower_bound: int
    """No assignment to a number of stations in the range has a smaller product of stations and takt."""
    proven: bool
    """True if the product is the smallest."""
    efficiency: float
    """Share of stations x takt that is work."""
    assignment: tuple[int, ...]
    """Station of each task, from 1."""
    nodes: int
    """Tasks put into loads by the search, and as much again for its other work."""
    memory_reached: bool = False
    """Whether a search ran out of the memory that it may fill, and forgot states."""
