"""A plant to be simulated: stations, moving lines, buffers, ways between them, and the rules by which cars move.

The rules, the same in the engine, its twin in the tests and the printed conventions:

- The **clock** counts seconds from the start of the run. Without calendars it counts working time only; with them it
  runs day and night, and what is off shift freezes as it is.
- A **station** has one or more equal machines side by side. An idle machine takes the head of one of the buffers in
  front of its station; a car that comes to an idle machine through an empty buffer without transport time starts at
  once. A machine that has finished a car passes it on, or holds it (**blocking after service**) until the way is free;
  machines held at one group of buffers are freed in the order in which they came. With **blocking before service** a
  machine takes a car only once it has a place in the buffer behind it.
- A **buffer** stands in front of one station or line, keeps the order of its cars and counts its own places only, never
  those in the machines beside it. With a transport time a car reaches its head that long after entering.
- Buffers that a way names together form one group (the lanes of a painted-body store, the entries of parallel lines);
  a buffer belongs to one group. The group's rule chooses the buffer a car enters, the station's rule the one served.
- **Failures on the working clock** of a machine come after so much work of its own; **failures on the plant's clock**
  come at any time, also while it stands. A machine that is down cannot fail; a failure on the plant's clock that falls
  into a repair is repaired after it. Its clock starts anew when the repair ends.
- **Maintenance** waits for the car in work to be passed on.
- A **moving line** moves all its cars at once by one station each takt. What stops one station stops all. Its worker at
  each station ends a car at ``end = start + work``, counted from its coming; what reaches over the station's length is
  overload, which utility workers take on, the largest first, as far as they go, so that there ``end = length``. The
  largest of the rest stops the line for as long, while all work on: each starts his next car at
  ``max(0, end - stop - takt)``, never before it comes; no rest is left, as none is larger than the stop. Where the line
  does not stop, others do the rest (``end = length``). Buffers feed it at its first station.
- Every machine, source and failure draws from **streams of its own**, named after it: a changed machine leaves the
  luck of the others alone.
- Of things that happen at the same moment, those of stations in the order of the plant come first, then cars that
  reach the head of a buffer, then failures on the plant's clock and maintenance, then carriers, then shifts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class TimeKind(StrEnum):
    """How a time varies."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"
    GAMMA = "gamma"
    LOGNORMAL = "lognormal"
    EMPIRICAL = "empirical"


@dataclass(frozen=True, slots=True)
class Time:
    """A time that may vary.

    Parameters
    ----------
    mean_s
        Its mean, s.
    kind
        Its distribution.
    cv
        Standard deviation over mean, for gamma and lognormal.
    values_s
        For empirical: values drawn with equal chance, s; ``mean_s`` is then their mean.

    Examples
    --------
    >>> Time(60.0).kind.value, Time.exponential(600.0).cv, Time.empirical([50.0, 70.0]).mean_s
    ('fixed', 1.0, 60.0)
    """

    mean_s: float
    kind: TimeKind = TimeKind.FIXED
    cv: float = 0.0
    values_s: tuple[float, ...] = ()

    @classmethod
    def exponential(cls, mean_s: float) -> Time:
        """Return an exponential time."""
        return cls(mean_s, TimeKind.EXPONENTIAL, 1.0)

    @classmethod
    def gamma(cls, mean_s: float, cv: float) -> Time:
        """Return a gamma time of given mean and coefficient of variation."""
        return cls(mean_s, TimeKind.GAMMA, cv)

    @classmethod
    def lognormal(cls, mean_s: float, cv: float) -> Time:
        """Return a lognormal time of given mean and coefficient of variation."""
        return cls(mean_s, TimeKind.LOGNORMAL, cv)

    @classmethod
    def empirical(cls, values_s: list[float] | tuple[float, ...]) -> Time:
        """Return a time that is one of the values, each with equal chance."""
        values = tuple(values_s)
        return cls(sum(values) / len(values), TimeKind.EMPIRICAL, 0.0, values)

    def scaled(self, factor: float) -> Time:
        """Return the same distribution, stretched."""
        return Time(self.mean_s * factor, self.kind, self.cv, tuple(value * factor for value in self.values_s))


class FailureClock(StrEnum):
    """What makes a machine age."""

    WORKING = "working"
    """Failures during operation: its own work."""
    PLANT = "plant"
    """Failures at any time: the plant's clock."""


class FailedCar(StrEnum):
    """What a failure does to the car in work."""

    RESUME = "resume"
    """Its work goes on after the repair."""
    RESTART = "restart"
    """Its work starts anew after the repair."""
    SCRAP = "scrap"
    """It is given up when the repair ends."""


class Blocking(StrEnum):
    """When a machine looks for a place behind it."""

    AFTER_SERVICE = "after service"
    BEFORE_SERVICE = "before service"


class Pick(StrEnum):
    """Which of the ready buffers in front of a station is served; among buffers of the lowest priority number."""

    SHARE = "share"
    """The one owed most by its share (see ``Buffer.share``), so that shares are kept while none is empty."""
    OLDEST = "oldest"
    """The one whose head entered it first."""
    LONGEST = "longest"
    """The one with most cars."""
    SAME = "same"
    """One whose head has the family (see ``CarType``) of the machine's last car; else the one with most cars."""
    SEQUENCE = "sequence"
    """The one whose head was released into the plant first: restores the order of release."""


class Choose(StrEnum):
    """Which buffer of a group a car enters; one with a free place."""

    LEAST = "least"
    """The one with fewest cars; of equal ones the first named."""
    FIRST = "first"
    """The first named."""
    SHARE = "share"
    """The one owed most by its share."""
    SAME = "same"
    """One whose last car has the same family; else an empty one; else the one with fewest cars."""


@dataclass(frozen=True, slots=True)
class CarType:
    """What a car is as the plant sees it.

    Parameters
    ----------
    id
        Short name.
    model
        Model it counts as; several types may be one model in several colours.
    family
        What set-ups and the rules named ``same`` look at, such as its colour.
    share
        Share in what sources release that have no shares of their own.
    """

    id: str
    model: str = ""
    family: str = ""
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which each machine of a station fails; micro-stops are failures with short repairs."""

    id: str
    """Short name, unique in its station."""
    to_failure: Time
    """Time to the next failure on its clock."""
    to_repair: Time
    """Time to repair once a crew is there."""
    clock: FailureClock = FailureClock.WORKING
    """Whether it fails during operation or at any time."""
    car: FailedCar = FailedCar.RESUME
    """What happens to the car in work."""
    crew: str = ""
    """Repair crew that it needs; empty needs none."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Planned work on each machine of a station."""

    every_s: float
    """Time from the end of one to when the next is due, on the plant's clock."""
    length_s: float
    """How long it takes."""
    first_s: float | None = None
    """When the first is due; None means after ``every_s``."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """Time that a machine needs before a car of another family than its last one."""

    time_s: float = 0.0
    """Time unless told otherwise below, s."""
    pairs: tuple[tuple[str, str, float], ...] = ()
    """From family, to family, time in s."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A machine that works on several cars at once, and passes them on one by one."""

    size: int
    """Cars that it waits for."""
    same_family: bool = False
    """Whether all must have one family: cars at the head of one buffer are then taken until the family changes, and
    the machine starts with fewer."""


@dataclass(frozen=True, slots=True)
class Test:
    """A verdict on every car that is finished."""

    __test__ = False

    first_pass_yield: tuple[float, ...]
    """Share of cars that pass at the first try, by type."""
    fail_to: tuple[str, ...]
    """Buffers that failing cars enter."""
    retest_yield: float = 1.0
    """Share that passes at any later try."""
    choose: Choose = Choose.LEAST
    """Which of ``fail_to``."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where finished cars go."""

    to: tuple[str, ...]
    """Buffers, one group; empty: cars leave the plant."""
    types: tuple[str, ...] = ()
    """Types that take it; empty: all that no other way of the station names."""
    choose: Choose = Choose.LEAST
    """Which buffer of the group."""


@dataclass(frozen=True, slots=True)
class Station:
    """Equal machines side by side."""

    id: str
    """Short name."""
    cycle: tuple[Time, ...]
    """Cycle time by type; one entry holds for all."""
    ways: tuple[Way, ...] = ()
    """Where its cars go; none: they leave the plant."""
    shop: str = ""
    """Shop that it counts to; empty: its own."""
    machines: int = 1
    """Machines side by side."""
    failures: tuple[Failure, ...] = ()
    """How each of them fails."""
    maintenance: Maintenance | None = None
    """Planned work."""
    set_up: SetUp | None = None
    """Set-ups between families."""
    batch: Batch | None = None
    """Several cars at once."""
    test: Test | None = None
    """Verdict and rework."""
    scrap_share: float = 0.0
    """Share of its good cars that are given up."""
    blocking: Blocking = Blocking.AFTER_SERVICE
    """When it looks for a place behind it."""
    pick: Pick = Pick.SHARE
    """Which buffer it serves."""
    lose_when_full: bool = False
    """True gives a car up that finds no place behind the station: an open arrival process."""
    calendar: str = ""
    """Shifts; empty: always."""


class EmptyPlace(StrEnum):
    """What a moving line does when no car is ready at its head."""

    GAP = "gap"
    """It moves on with an empty place, as long as any car is on it."""
    WAIT = "wait"
    """It waits."""


@dataclass(frozen=True, slots=True)
class MovingLine:
    """A paced line, all of whose stations move and stop together."""

    id: str
    """Short name."""
    stations: int
    """Stations, one car each."""
    takt: tuple[Time, ...]
    """Time between two moves by type of the car that enters; one entry holds for all."""
    ways: tuple[Way, ...] = ()
    """Where its cars go; none: they leave the plant."""
    shop: str = ""
    """Shop that it counts to; empty: its own."""
    work_s: tuple[tuple[float, ...], ...] = ()
    """Work of every station (rows) on every type (columns), s; empty: no overload."""
    work_cv: float = 0.0
    """Coefficient of variation of the work (gamma)."""
    length_s: tuple[float, ...] = ()
    """Length of every station in line time, s; one entry holds for all; empty: one takt."""
    utility_workers: int = 0
    """Utility workers who take on overload."""
    stops: bool = True
    """Whether what they cannot take on stops the line; false: it is finished elsewhere and only counted."""
    empty_place: EmptyPlace = EmptyPlace.GAP
    """What happens when no car is ready."""
    failures: tuple[Failure, ...] = ()
    """Failures of the line as a whole; work goes on after them."""
    station_failures: tuple[Failure, ...] = ()
    """Failures of each of its stations, which stop the line."""
    test: Test | None = None
    """Verdict at its end."""
    pick: Pick = Pick.SHARE
    """Which buffer it serves."""
    calendar: str = ""
    """Shifts; empty: always."""
    filled: tuple[str, ...] = ()
    """Types of the cars on it at the start, foremost first, side by side from the last station but one; at most one
    fewer than its stations."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """Places in front of a station or line, first in, first out."""

    id: str
    """Short name."""
    to: str
    """Station or line that it feeds."""
    places: int
    """Cars that it holds."""
    transport_s: float = 0.0
    """Time from entering to its head, s; needs at least one place."""
    priority: int = 1
    """Buffers of lower number are served first."""
    share: float = 1.0
    """Weight among buffers of one priority, or of one group, by the rules named ``share``."""
    filled: tuple[str, ...] = ()
    """Types of the cars in it at the start, head first; those have been riding for long enough."""
    riding: tuple[str, ...] = ()
    """Types of the cars behind those that are on their way at the start, foremost first, evenly spaced over the
    transport time."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where cars come into the plant; a car is inside once the station takes it."""

    id: str
    """Short name."""
    to: str
    """Station or line that takes them."""
    shares: tuple[tuple[str, float], ...] = ()
    """Types and their shares, kept as evenly as whole cars allow; empty: those of the types."""
    order: tuple[str, ...] = ()
    """Types in the order of release, repeated; overrides the shares."""
    interval: Time | None = None
    """Time between releases; a car that is not taken at once waits outside. None: always ready."""
    limit: int | None = None
    """Cars after which it is empty."""
    priority: int = 1
    """As for buffers."""
    share: float = 1.0
    """As for buffers."""


@dataclass(frozen=True, slots=True)
class CarrierLoop:
    """Skids or hangers: a car takes one where it is loaded, and frees it where it is unloaded."""

    id: str
    """Short name."""
    carriers: int
    """How many there are."""
    load: str
    """Station or line that takes a car only together with a carrier."""
    unload: str
    """Station or line that frees the carrier when its car goes on."""
    return_s: float = 0.0
    """Time of the empty carrier back to the load, s."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Repair crew: so many machines at a time; the others wait in the order of their failures."""

    id: str
    """Short name."""
    size: int
    """Machines that it repairs at a time."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Shifts: when stations work, repeated."""

    id: str
    """Short name."""
    windows_s: tuple[tuple[float, float], ...]
    """Start and end of every working window within the period, in order, s."""
    period_s: float
    """Length of the period, s, such as a week."""


@dataclass(frozen=True, slots=True)
class Plant:
    """A plant; stations and lines stand in the order in which simultaneous events are served."""

    types: tuple[CarType, ...]
    """Types of car."""
    stations: tuple[Station | MovingLine, ...]
    """Stations and moving lines."""
    sources: tuple[Source, ...]
    """Where cars come in."""
    buffers: tuple[Buffer, ...] = ()
    """Buffers."""
    carriers: tuple[CarrierLoop, ...] = ()
    """Carriers."""
    crews: tuple[Crew, ...] = ()
    """Repair crews."""
    calendars: tuple[Calendar, ...] = ()
    """Shifts."""
    shop_names: dict[str, str] = field(default_factory=dict)
    """Names of shops for people."""

    def station(self, name: str) -> Station | MovingLine:
        """Return a station or line by its name; raise KeyError if there is none."""
        for station in self.stations:
            if station.id == name:
                return station
        raise KeyError(name)

    def models(self) -> tuple[str, ...]:
        """Return the models in the order of their types."""
        return tuple(dict.fromkeys(item.model or item.id for item in self.types))


def serial_line(
    cycle: list[Time],
    places: list[int],
    *,
    failures: list[tuple[Failure, ...]] | None = None,
    transport_s: list[float] | None = None,
) -> Plant:
    """Return a plain line: never starved at its head, never blocked at its end, one type of car.

    Parameters
    ----------
    cycle
        Cycle time of each machine.
    places
        Places between neighbours, one fewer than machines.
    failures
        How each machine fails; None: none does.
    transport_s
        Transport time of every buffer, s; None: none.

    Raises
    ------
    ValueError
        If the lengths do not fit.

    Examples
    --------
    >>> len(serial_line([Time(60.0), Time(50.0)], [3]).buffers)
    1
    """
    count = len(cycle)
    if count == 0 or len(places) != count - 1:
        message = f"a line of {count} machines needs {max(count - 1, 0)} buffers, got {len(places)}"
        raise ValueError(message)
    stations = tuple(
        Station(
            id=f"m{row + 1}",
            cycle=(time,),
            ways=(Way((f"b{row + 1}",)),) if row + 1 < count else (),
            failures=failures[row] if failures else (),
        )
        for row, time in enumerate(cycle)
    )
    buffers = tuple(
        Buffer(f"b{row + 1}", f"m{row + 2}", number, transport_s[row] if transport_s else 0.0)
        for row, number in enumerate(places)
    )
    return Plant((CarType("car", "car"),), stations, (Source("source", "m1"),), buffers)
