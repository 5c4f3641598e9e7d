"""What work overload and level load take and give."""

from __future__ import annotations

from dataclasses import dataclass

from coachbuilder.programme.sections.assembly import Borders
from coachbuilder.programme.sections.sequence import SequenceObjective

LOAD_OBJECTIVES = frozenset({SequenceObjective.WORK_OVERLOAD, SequenceObjective.LEVEL_LOAD})
"""Objectives that the search for rules and colours does not know, and that have no weight in its sum."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far operators may drift along the line, as shares of the time between two of their cars, and who helps."""

    borders: Borders
    """Whether operators may leave their station, in the day's figures and the search."""
    station_length_share: float
    """How long a car is within a station; 1 is the takt (of parallel places, so many takts)."""
    upstream_share: float
    """With open borders: how far before the station an operator may begin."""
    downstream_share: float
    """With open borders: how far behind the station an operator may end."""
    utility_workers: float
    """Utility workers on a shift, who do what operators have to leave."""


@dataclass(frozen=True, slots=True)
class LineOperator:
    """An operator of the balanced line, or one of the same number at a parallel place."""

    station: str
    """Station."""
    number: int
    """Number within the crew, from 1."""
    place: int
    """Place of the station along the line, from 0: so many takts after the first one a car comes to it."""
    lanes: int
    """Equal places of the station: the operator takes every so many-th car."""
    lane: int
    """Which of them, from 0: of the cars of the day the one at this place comes first."""
    work_s: tuple[float, ...]
    """How long a car of each model binds the operator: until the last task ends, waiting for colleagues included."""


@dataclass(frozen=True, slots=True)
class LineLoad:
    """The balanced line as a build order loads it."""

    takt_s: float
    """Time between two cars."""
    models: tuple[str, ...]
    """Models in the order of every time tuple."""
    mix: tuple[float, ...]
    """Share of each model in the cars that the line was balanced for."""
    guest: str
    """The guest among them."""
    operators: tuple[LineOperator, ...]
    """Every operator in line order."""


@dataclass(frozen=True, slots=True)
class StationOverload:
    """A station at which work is left over."""

    station: str
    """Station."""
    overload_s_per_day: float
    """Work left for utility workers in the order found."""
    as_booked_overload_s_per_day: float
    """The same in the order in which the cars were booked."""


@dataclass(frozen=True, slots=True)
class OrderLoad:
    """A build order as the line and its suppliers feel it."""

    overload_s_per_day: float
    """Work that the operators cannot do within their borders, over all operators."""
    overload_s_per_car: float
    """The same for a mean car."""
    calls: int
    """How often somebody has to be helped: cars, counted for each operator who cannot finish them."""
    utility_workers: float
    """Utility workers at work in the mean: overload a car / takt."""
    utility_workers_peak: int
    """Operators who have to be helped in the same takt, at most."""
    level_load: float
    """Product-rate variation: squared cars ahead of or behind the even rate, summed over places and models."""
    largest_distance_cars: float
    """Cars of one model ahead of or behind the even rate, at most."""


@dataclass(frozen=True, slots=True)
class GuestSharePoint:
    """What the line has left over at one share of guest cars, the cars a day unchanged."""

    guest_cars: int
    """Guest cars of the day."""
    guest_share: float
    """Their share of the day's cars."""
    closed_overload_s_per_car: float
    """Overload of the best order found, borders closed."""
    open_overload_s_per_car: float
    """The same with open borders."""
    closed_lower_bound_s_per_car: float
    """No order has less, borders closed."""
    open_lower_bound_s_per_car: float
    """No order has less, open borders."""
    closed_calls_per_car: float
    """Operators who have to be helped with a mean car, borders closed."""
    open_calls_per_car: float
    """The same with open borders."""
    closed_utility_workers: float
    """Utility workers at work in the mean, borders closed."""
    open_utility_workers: float
    """The same with open borders."""


@dataclass(frozen=True, slots=True)
class GuestShareAnswer:
    """From which share of guest cars on the line overloads.

    It does where the overload is more than its utility workers do in a day, each a takt of work a car; without any,
    where there is overload at all.
    """

    borders: Borders
    """Which borders the answer is for."""
    utility_workers: float
    """How many utility workers."""
    first_cars: int | None
    """Fewest guest cars that overload the line, above the range that does not; nothing if there is no such range, or
    it has no end."""
    first_share: float | None
    """Their share of the day's cars."""
    free_from_cars: int | None
    """Fewest guest cars in the lowest range found that does not; nothing if there is none. Above 0 the line needs its
    guests."""
    free_from_share: float | None
    """Their share of the day's cars."""
    free_to_cars: int | None
    """Most guest cars in that range."""
    unavoidable_cars: int | None
    """From so many guest cars on every order overloads the line: proven; nothing if not even guests alone must."""
    unavoidable_share: float | None
    """Their share of the day's cars."""
    least_cars: int
    """Guest cars at which the least overload was found."""
    least_share: float
    """Their share of the day's cars."""
    least_overload_s_per_car: float
    """That overload."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """A day's build order on the line that was balanced."""

    borders: Borders
    """Borders for which the day's figures hold."""
    takt_s: float
    """Time between two cars."""
    guest_cars: int
    """Guest cars of the day."""
    utility_workers: float
    """Utility workers on a shift."""
    found: OrderLoad
    """The order found."""
    as_booked: OrderLoad
    """The cars in the order in which they were booked."""
    overload_lower_bound_s_per_day: float
    """No order of the day's cars has less overload."""
    overload_lower_bound_s_per_car: float
    """The same for a mean car."""
    level_load_least: float
    """Least product-rate variation of any order of the day's models; a lower bound where the day is long."""
    stations: tuple[StationOverload, ...]
    """Stations with overload in either order, most of the order found first."""
    guest_shares: tuple[GuestSharePoint, ...]
    """Overload over the share of guest cars."""
    answers: tuple[GuestShareAnswer, ...]
    """From which share of guest cars on the line overloads: borders closed and open, without utility workers and with
    those there are."""
    evaluations: int
    """Changes that the searches for load looked at."""


__all__ = [
    "LOAD_OBJECTIVES",
    "Borders",
    "Drift",
    "GuestShareAnswer",
    "GuestSharePoint",
    "LineLoad",
    "LineOperator",
    "LoadResult",
    "OrderLoad",
    "StationOverload",
]
