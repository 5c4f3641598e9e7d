"""What the sequence stage takes and gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.load.interface import Borders, Drift, LineLoad, LoadResult
from coachbuilder.plant.sequence.store.interface import FixedPlacesResult, StoreInputs, StoreResult, WithdrawnCar
from coachbuilder.programme.sections.sequence import RulePriority, SequenceObjective

NO_DRIFT = Drift(
    borders=Borders.CLOSED, station_length_share=1.0, upstream_share=0.0, downstream_share=0.0, utility_workers=0.0
)
"""Operators who never leave a car later than a takt after it came."""


@dataclass(frozen=True, slots=True)
class SequenceRule:
    """At most so many cars with an option among any so many consecutive ones."""

    id: str
    """Option."""
    name: str
    """Name for people."""
    at_most: int
    """Cars with the option allowed in a window."""
    out_of: int
    """Cars in a window."""
    priority: RulePriority
    """High or low."""
    weight: int = 1
    """What a car too many counts among the rules of its priority."""


@dataclass(frozen=True, slots=True)
class SequenceInputs:
    """A day's cars in the order in which they were booked, and the rules of their build order."""

    cars: tuple[str, ...]
    """Order numbers."""
    models: tuple[str, ...]
    """Model of each car."""
    colours: tuple[str, ...]
    """Colour of each car."""
    has_option: NDArray[np.bool_]
    """Which car has which option, shape (cars, rules)."""
    rules: tuple[SequenceRule, ...]
    """The rules, one an option."""
    previous_has_option: NDArray[np.bool_]
    """The end of the day before, last car last, shape (previous cars, rules)."""
    previous_colour: str | None
    """Colour of the last car of the day before; none where the guns start clean."""
    objectives: tuple[SequenceObjective, ...]
    """What counts most first; rules and colours have the weights 10^6, 10^3 and 1 among themselves."""
    longest_batch: int
    """Cars of one colour in a row within the day."""
    purge_cost_cny: float
    """Cost of one colour change."""
    evaluations: int
    """Changes that the search looks at."""
    seed: int
    """Seed of the search."""
    short_windows: bool = True
    """Whether the windows cut short at the day's end, and those that begin on the day before, count too."""
    count_windows: bool = False
    """Whether a window with too many counts once, rather than by its cars too many."""
    frozen: int = 0
    """Cars at the head of ``cars`` that keep their places."""
    earliest_place: NDArray[np.int64] | None = None
    """Earliest place, from 0, that each car may take, shape (cars,); none where every car may take any."""
    latest_place: NDArray[np.int64] | None = None
    """Latest place, from 0, that each car may take, shape (cars,); none where every car may take any."""
    drift: Drift = NO_DRIFT
    """How far operators may drift along the line."""
    line: LineLoad | None = None
    """The balanced line; none where it is not known, and then nothing is said about load."""
    place_reasons: tuple[str, ...] = ()
    """Why each car is frozen, late or due, empty where nobody said; none at all where no car is."""
    withdrawn: tuple[WithdrawnCar, ...] = ()
    """Cars that are not built today; they are not among ``cars``."""
    store: StoreInputs | None = None
    """The painted-body store; none where both shops work in one order."""


@dataclass(frozen=True, slots=True)
class SequencedCar:
    """A car at its place in the build order."""

    position: int
    """Place, from 1."""
    car: str
    """Order number."""
    model: str
    """Model."""
    colour: str
    """Colour."""
    options: tuple[str, ...]
    """Options with a rule."""
    broken: tuple[str, ...]
    """Rules that the cars up to this one, as many as the rule looks at, break."""


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How a build order keeps one rule."""

    rule: str
    """Option."""
    name: str
    """Name for people."""
    at_most: int
    """Cars allowed in a window."""
    out_of: int
    """Cars in a window."""
    priority: RulePriority
    """High or low."""
    cars: int
    """Cars of the day with the option."""
    utilisation: float
    """Cars with the option over the most that the day can take without breaking the rule; above 1 it must break."""
    violated_windows: int
    """Windows with too many."""
    excess: int
    """Cars too many, summed over the windows."""
    weight: int = 1
    """What a car too many counts among the rules of its priority."""


@dataclass(frozen=True, slots=True)
class SequenceCounts:
    """A build order counted against the rules."""

    rules: tuple[RuleCount, ...]
    """Each rule."""
    violated_windows: int
    """Windows with too many, over all rules."""
    high_priority_excess: int
    """Cars too many, summed over windows and rules of high priority."""
    low_priority_excess: int
    """The same for low priority."""
    colour_changes: int
    """Steps to another colour, that from the day before included."""
    longest_batch_cars: int
    """Cars of one colour in the longest run."""
    batch_excess_cars: int
    """Cars beyond the longest batch allowed, summed over the runs; 0 if the hard limit is kept."""
    objective: int
    """Weighted sum of the objectives for rules and colours."""


@dataclass(frozen=True, slots=True)
class SequenceResult:
    """A day's build order."""

    cars_per_day: int
    """Cars to be built."""
    cars_by_model: dict[str, int]
    """The same by model."""
    order: tuple[SequencedCar, ...]
    """The build order."""
    counts: SequenceCounts
    """The build order counted."""
    as_booked: SequenceCounts
    """The cars in the order in which they were booked, counted, for comparison."""
    longest_batch: int
    """Cars of one colour in a row allowed."""
    colour_changes_lower_bound: int
    """No order has fewer colour changes under the batch limit."""
    purge_cost_cny_per_day: float
    """Colour changes x cost of one."""
    evaluations: int
    """Changes that the search looked at."""
    load: LoadResult | None = None
    """The order on the line that was balanced; none where the line is not known."""
    load_ranked: bool = False
    """True if load is among the objectives; what fixed places cost and what a store brings leave it out."""
    withdrawn: tuple[WithdrawnCar, ...] = ()
    """Cars that are not built today."""
    fixed_places: FixedPlacesResult | None = None
    """What frozen, late and due cars cost; none if every car may take any place."""
    store: StoreResult | None = None
    """Two orders with the painted-body store between them; none where the plant tells of no store."""


__all__ = [
    "RuleCount",
    "RulePriority",
    "SequenceCounts",
    "SequenceInputs",
    "SequenceObjective",
    "SequenceResult",
    "SequenceRule",
    "SequencedCar",
]
