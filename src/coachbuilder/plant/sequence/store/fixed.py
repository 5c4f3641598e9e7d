"""What frozen, late and due cars cost against the free order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.interface import SequenceInputs
from coachbuilder.plant.sequence.store.interface import FixedPlacesResult, PlacedCar
from coachbuilder.plant.sequence.store.pair import Day, Pair


def has_fixed_places(inputs: SequenceInputs) -> bool:
    """Tell whether any car's place is not free."""
    return bool(inputs.frozen or inputs.earliest_place is not None or inputs.latest_place is not None)


def without_load(inputs: SequenceInputs, by_rules: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the better of two orders by rules and colours: that before load counted, or the day's.

    Load that ranks last leaves rules and colours no worse, and then it is the day's order. Load that ranks above one of
    them buys itself off with it; an order that paid for load cannot be compared with one searched without it.

    Parameters
    ----------
    inputs
        The day.
    by_rules
        The order found by rules and colours, shape (cars,).
    order
        What the search for load made of it, shape (cars,).
    """
    day = Day(inputs)
    return min((order, by_rules), key=lambda one: day.cost(Pair(one, one)))


def cost_of_places(
    inputs: SequenceInputs, order: NDArray[np.int64], by_rules: NDArray[np.int64] | None = None
) -> FixedPlacesResult | None:
    """Return what the fixed places cost in rules and colours, or ``None`` if every car may take any place.

    The day is searched again with the frozen head alone and without any fixed place, with the same work; an order that
    keeps more is one that keeps less, so the better of the found and the given is taken and no loss is below 0. Work
    overload and level load are left out of all three orders, wherever they rank: what places cost them is not told.

    Parameters
    ----------
    inputs
        The day with its frozen, late and due cars.
    order
        The order found for it, shape (cars,), with load at its rank: the cars' places are told of it.
    by_rules
        The order that is compared, see :func:`without_load`, shape (cars,); the same unless told.
    """
    if not has_fixed_places(inputs):
        return None
    day, n = Day(inputs), len(inputs.cars)
    compared = order if by_rules is None else by_rules
    without_places = replace(inputs, earliest_place=None, latest_place=None)
    head = _searched(without_places, compared) if inputs.frozen and _is_placed(inputs) else compared
    if not inputs.frozen:
        free = head = _searched(without_places, compared)
    else:
        free = _searched(replace(without_places, frozen=0), head)
    kept, head_only, none = (day.objectives(Pair(one, one)) for one in (compared, head, free))
    place_of, free_place_of = np.argsort(order), np.argsort(free)
    cars = tuple(
        PlacedCar(
            car=inputs.cars[car],
            model=inputs.models[car],
            colour=inputs.colours[car],
            position=int(place_of[car]) + 1,
            frozen=bool(car < inputs.frozen),
            earliest_place=int(car if car < inputs.frozen else max(day.earliest[car], inputs.frozen)) + 1,
            latest_place=int(car if car < inputs.frozen else min(day.latest[car], n - 1)) + 1,
            free_position=int(free_place_of[car]) + 1,
            reason=inputs.place_reasons[car] if inputs.place_reasons else "",
        )
        for car in order
        if car < inputs.frozen or day.earliest[car] > 0 or day.latest[car] < n - 1
    )
    return FixedPlacesResult(
        cars=cars,
        frozen_cars=inputs.frozen,
        late_cars=sum(not car.frozen and car.earliest_place > inputs.frozen + 1 for car in cars),
        due_cars=sum(not car.frozen and car.latest_place < n for car in cars),
        kept=kept,
        head_only=head_only,
        free=none,
        loss=kept.less(none),
        loss_of_head=head_only.less(none),
    )


def _is_placed(inputs: SequenceInputs) -> bool:
    return inputs.earliest_place is not None or inputs.latest_place is not None


def _searched(inputs: SequenceInputs, known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a better order than the known one, or that, counting cars beyond the longest batch first."""
    from coachbuilder.plant.sequence.engine import search

    day = Day(inputs)
    found = search(inputs).order
    return min((known, found), key=lambda order: day.cost(Pair(order, order)))


__all__ = ["cost_of_places", "has_fixed_places", "without_load"]
