"""From the programme to places that are not free, withdrawn cars and the painted-body store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.store.interface import Lanes, RandomAccess, Store, StoreInputs, WithdrawnCar
from coachbuilder.programme.errors import Problem
from coachbuilder.programme.sections.store import StoreKind, StoreSection

if TYPE_CHECKING:
    from coachbuilder.programme.orders import Order

FILE = "plant.toml"

_FIELDS = {StoreKind.RANDOM_ACCESS: ("places",), StoreKind.LANES: ("lanes", "places_per_lane")}


class FixedPlaces(TypedDict):
    """The fields of the sequence's inputs that say which places are not free."""

    frozen: int
    earliest_place: NDArray[np.int64] | None
    latest_place: NDArray[np.int64] | None
    place_reasons: tuple[str, ...]


def check_store(section: StoreSection | None, orders: Sequence[Order]) -> list[Problem]:
    """Return the mistakes in the store's table that single fields do not show."""
    found: list[Problem] = []
    if section is None:
        painted = next((order for order in orders if order.painted_place is not None), None)
        if painted is not None:
            found.append(
                Problem(
                    FILE,
                    "sequence.store",
                    "no such table",
                    "the store that turns the order of paint (painted_place) into that of assembly",
                )
            )
        return found
    for kind, names in _FIELDS.items():
        for name in names:
            value = getattr(section, name)
            if (value is None) is (kind is section.kind):
                found.append(
                    Problem(
                        FILE,
                        f"sequence.store.{name}",
                        "nothing" if value is None else str(value),
                        f"a number, as kind is {section.kind.value!r}"
                        if value is None
                        else f"nothing, as kind is {section.kind.value!r}",
                    )
                )
    return found


def places_of(today: Sequence[Order]) -> FixedPlaces:
    """Return the places that are not free; from 0, where the orders count from 1.

    Parameters
    ----------
    today
        The cars that are built today; frozen cars stand at the head.
    """
    n = len(today)
    earliest = np.array([(order.earliest_place or 1) - 1 for order in today], dtype=np.int64)
    latest = np.array([min(order.latest_place or n, n) - 1 for order in today], dtype=np.int64)
    frozen = sum(order.frozen for order in today)
    is_late = bool((earliest > 0).any())
    is_due = bool((latest < n - 1).any())
    return FixedPlaces(
        frozen=frozen,
        earliest_place=earliest if is_late else None,
        latest_place=latest if is_due else None,
        place_reasons=tuple(order.reason for order in today) if frozen or is_late or is_due else (),
    )


def withdrawn_of(orders: Sequence[Order]) -> tuple[WithdrawnCar, ...]:
    """Return the cars that are not built today."""
    return tuple(WithdrawnCar(order.id, order.model, order.colour, order.reason) for order in orders if order.withdrawn)


def store_of(section: StoreSection) -> Store:
    """Return the store that a table describes."""
    if section.kind is StoreKind.LANES:
        return Lanes(section.lanes or 1, section.places_per_lane or 1)
    return RandomAccess(section.places or 0)


def store_inputs_from(section: StoreSection | None, today: Sequence[Order]) -> StoreInputs | None:
    """Return the store and what comes into it, or ``None`` without a store.

    Parameters
    ----------
    section
        The table of plant.toml.
    today
        The cars that are built today; either all of them have a painted place or none.
    """
    if section is None:
        return None
    painted = [order.painted_place for order in today]
    return StoreInputs(
        store=store_of(section),
        painted_place=np.array(painted, dtype=np.int64) if painted and painted[0] is not None else None,
        repaired_share=section.repaired_share.value,
        repair_delay_cars=round(section.repair_delay_cars.value),
        evaluations=section.evaluations,
    )


__all__ = ["FixedPlaces", "check_store", "places_of", "store_inputs_from", "store_of", "withdrawn_of"]
