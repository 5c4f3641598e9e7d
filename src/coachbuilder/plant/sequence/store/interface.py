"""What the painted-body store takes and gives, and what fixed places cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RandomAccess:
    """A store of which any body can be taken.

    The body that is being released still has its place: the car built at place t, from 0, is among the first
    t + ``places`` painted. With 1 place the bodies leave as they came; so they do with none.
    """

    places: int
    """Bodies that it holds."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """A store of lanes side by side: a body enters any lane that is not full and leaves it first in, first out.

    The body that is being released still has its place. Lanes of one place each are a store of random access.
    """

    lanes: int
    """Lanes side by side."""
    places_per_lane: int
    """Bodies that a lane holds."""


Store = RandomAccess | Lanes
"""A painted-body store."""


@dataclass(frozen=True, slots=True)
class StoreInputs:
    """The store, what comes into it, and how long is searched."""

    store: Store
    """The store between paint and assembly."""
    painted_place: NDArray[np.int64] | None
    """Place of each car in the order in which the bodies come out of paint, shape (cars,), by which they are sorted;
    none where that order is still to be planned."""
    repaired_share: float
    """Share of the bodies that go to paint repair and come back later."""
    repair_delay_cars: int
    """Places by which they come back later."""
    evaluations: int
    """Changes that the search looks at for each size of the store."""


@dataclass(frozen=True, slots=True)
class WithdrawnCar:
    """A car that is not built today."""

    car: str
    """Order number."""
    model: str
    """Model."""
    colour: str
    """Colour."""
    reason: str
    """Why; empty if nobody said."""


@dataclass(frozen=True, slots=True)
class Objectives:
    """The objectives of a build order, or the difference of two."""

    high_priority_excess: int
    """Cars too many, summed over windows and rules of high priority."""
    low_priority_excess: int
    """The same for low priority."""
    colour_changes: int
    """Steps to another colour in paint, that from the day before included."""
    batch_excess_cars: int
    """Cars beyond the longest batch allowed."""
    objective: int
    """Weighted sum of the objectives."""

    def less(self, other: Objectives) -> Objectives:
        """Return this less the other, figure by figure."""
        return Objectives(
            self.high_priority_excess - other.high_priority_excess,
            self.low_priority_excess - other.low_priority_excess,
            self.colour_changes - other.colour_changes,
            self.batch_excess_cars - other.batch_excess_cars,
            self.objective - other.objective,
        )


@dataclass(frozen=True, slots=True)
class PlacedCar:
    """A car whose place is not free."""

    car: str
    """Order number."""
    model: str
    """Model."""
    colour: str
    """Colour."""
    position: int
    """Its place in the build order, from 1."""
    frozen: bool
    """True if it is frozen at the head."""
    earliest_place: int
    """First place, from 1, that it may take."""
    latest_place: int
    """Last place that it may take."""
    free_position: int
    """Its place in the free order."""
    reason: str
    """Why; empty if nobody said."""


@dataclass(frozen=True, slots=True)
class FixedPlacesResult:
    """What frozen, late and due cars cost: the build order against one in which every car may take any place."""

    cars: tuple[PlacedCar, ...]
    """The cars whose places are not free, in building order."""
    frozen_cars: int
    """Cars frozen at the head."""
    late_cars: int
    """Cars that may not be built before some place."""
    due_cars: int
    """Cars that may not be built after some place."""
    kept: Objectives
    """The build order, which keeps every place, before load counts where load ranks above a rule or the colours."""
    head_only: Objectives
    """The order if the frozen head alone is kept."""
    free: Objectives
    """The order if every car may take any place."""
    loss: Objectives
    """What the fixed places cost: kept less free."""
    loss_of_head: Objectives
    """The part of it that the frozen head costs: head only less free."""


@dataclass(frozen=True, slots=True)
class StoredCar:
    """A car on its way from paint through the store to assembly."""

    car: str
    """Order number."""
    model: str
    """Model."""
    colour: str
    """Colour."""
    painted_position: int
    """Place in the order of paint, from 1."""
    position: int
    """Place in the order of assembly, from 1."""
    lane: int | None
    """Lane that it takes, from 1; none in a store of random access."""


@dataclass(frozen=True, slots=True)
class StoreStep:
    """What a store of some size would give."""

    lanes: int | None
    """Lanes; none in a store of random access."""
    places: int
    """Bodies that it holds in all."""
    this_store: bool
    """True for the store of the plant."""
    objectives: Objectives
    """Rules counted in the order of assembly, colours in that of paint."""
    loss: Objectives
    """That less the same without limit on the store; its objective may be below 0 where cars stand outside their places
    or beyond the longest batch, as those count first."""
    cars_outside_places: int
    """Late and due cars that are not built within their places, because paint is too late; 0 where paint is planned."""
    most_bodies: int
    """Bodies in the store when it is fullest."""
    purge_cost_cny_per_day: float
    """Colour changes x cost of one."""
    disturbed: Objectives | None
    """The same after paint repair, put into the best order that this store allows; none without paint repair."""


@dataclass(frozen=True, slots=True)
class DisturbanceResult:
    """What is left of the planned order of assembly when bodies come back late from paint repair."""

    repaired_cars: int
    """Bodies that went to repair."""
    repair_delay_cars: int
    """Places by which they come back later."""
    as_delivered: Objectives
    """Built in the order in which paint delivers them, past the store."""
    nearest: Objectives
    """Built as near to the planned order as the store allows."""
    resequenced: Objectives
    """Built in the best order that the store allows."""
    loss_as_delivered: Objectives
    """As delivered less planned."""
    loss_nearest: Objectives
    """Nearest to the plan less planned."""
    loss_resequenced: Objectives
    """Resequenced less planned."""
    cars_in_place_share: float
    """Cars that the nearest order builds at their planned place, over all cars."""
    mean_displacement_cars: float
    """Places between a car's planned place and that of the nearest order, on average over all cars."""
    largest_delay_cars: int
    """Places by which the latest car of the nearest order comes after its planned one."""
    cars_outside_places: int
    """Late and due cars that the resequenced order does not build within their places, because paint is too late."""


@dataclass(frozen=True, slots=True)
class StoreResult:
    """Two orders, one for paint and one for assembly, and the store between them."""

    kind: str
    """Random access or lanes."""
    lanes: int | None
    """Lanes; none in a store of random access."""
    places: int
    """Bodies that it holds in all."""
    paint_given: bool
    """True if the order of paint was given, false if it was planned with that of assembly."""
    farthest_ahead_cars: int
    """Places by which a car can come before its place in paint, at most."""
    one_order: Objectives
    """Without a store: one order for both shops, before load counts where load ranks above a rule or the colours."""
    planned: Objectives
    """With this store."""
    unlimited: Objectives
    """Without limit on the store: each shop has its own order."""
    loss: Objectives
    """What this store leaves to be gained: planned less unlimited."""
    gain: Objectives
    """What this store brings: one order less planned."""
    cars: tuple[StoredCar, ...]
    """The cars in the order of assembly."""
    cars_outside_places: int
    """Late and due cars that are not built within their places, because paint is too late; 0 where paint is planned."""
    steps: tuple[StoreStep, ...]
    """What smaller and larger stores would give, smallest first."""
    disturbance: DisturbanceResult | None
    """Paint repair; none if no body goes there."""


__all__ = [
    "DisturbanceResult",
    "FixedPlacesResult",
    "Lanes",
    "Objectives",
    "PlacedCar",
    "RandomAccess",
    "Store",
    "StoreInputs",
    "StoreResult",
    "StoreStep",
    "StoredCar",
    "WithdrawnCar",
]
