"""Plans paint and assembly with a painted-body store between them, and tells what smaller and larger stores give."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.interface import SequenceInputs, SequenceObjective
from coachbuilder.plant.sequence.store.interface import (
    DisturbanceResult,
    Lanes,
    Objectives,
    RandomAccess,
    Store,
    StoredCar,
    StoreInputs,
    StoreResult,
    StoreStep,
)
from coachbuilder.plant.sequence.store.pair import Day, Pair
from coachbuilder.plant.sequence.store.reach import bodies, farthest_ahead, sizes

REPAIR_STREAM = 3
"""Which of the seed's streams says which bodies go to paint repair."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A size of the store with the orders found for it."""

    store: Store
    pair: Pair
    told: StoreStep


def evaluate(inputs: SequenceInputs, order: NDArray[np.int64]) -> StoreResult | None:
    """Plan paint and assembly with the store between them, for its size and others.

    Parameters
    ----------
    inputs
        The day, with its store.
    order
        One order for both shops: position in ``inputs.cars`` of the car at each place, shape (cars,). Load is left out
        here, so it is that found by rules and colours (:func:`coachbuilder.plant.sequence.store.fixed.without_load`).

    Returns
    -------
    StoreResult or None
        None if the plant has no store, or the day no car. A larger store is never told worse than a smaller one: first
        by the cars outside their places, of which a given order of paint can leave some, then by the objectives.
    """
    described = inputs.store
    if described is None or not inputs.cars:
        return None
    day = Day(inputs)
    given = _paint_given(inputs, described)
    unlimited = _without_limit(day, order, given)
    one = Pair(order, order) if given is None else Pair(given, given)
    steps: list[_Step] = []
    best = one
    repaired = _repaired(inputs, described) if given is None else np.zeros(0, dtype=np.int64)
    for store in _ladder(described.store, len(order)):
        if farthest_ahead(store, len(order)) > 0:
            best = _plan(day, described, store, best, unlimited, given is not None)
        told = _told(day, described, store, best, day.objectives(best), repaired)
        steps.append(_Step(store, best, told))
    # The last step has no limit: what the way up to it found counts as well.
    without = steps[-1].told.objectives
    mine = next(step for step in steps if step.told.this_store)
    told_steps = tuple(_with_loss(step.told, without) for step in steps)
    lane_of = _lanes(day, mine)
    first, planned = day.objectives(one), mine.told.objectives
    painted_place = mine.pair.painted_place
    return StoreResult(
        kind="lanes" if isinstance(described.store, Lanes) else "random access",
        lanes=described.store.lanes if isinstance(described.store, Lanes) else None,
        places=bodies(described.store),
        paint_given=given is not None,
        farthest_ahead_cars=farthest_ahead(described.store, len(order)),
        one_order=first,
        planned=planned,
        unlimited=without,
        loss=planned.less(without),
        gain=first.less(planned),
        cars=tuple(
            StoredCar(
                car=inputs.cars[car],
                model=inputs.models[car],
                colour=inputs.colours[car],
                painted_position=int(painted_place[place]) + 1,
                position=place + 1,
                lane=None if lane_of is None else int(lane_of[car]) + 1,
            )
            for place, car in enumerate(mine.pair.build)
        ),
        cars_outside_places=day.outside_places(mine.pair.build),
        steps=told_steps,
        disturbance=_disturbance(day, described, mine, repaired) if len(repaired) else None,
    )


def _paint_given(inputs: SequenceInputs, described: StoreInputs) -> NDArray[np.int64] | None:
    """Return the given order of paint, frozen cars first: their bodies have left paint."""
    if described.painted_place is None:
        return None
    rest = np.arange(inputs.frozen, len(inputs.cars))
    by_place = rest[np.argsort(described.painted_place[rest], kind="stable")]
    return np.concatenate([np.arange(inputs.frozen), by_place])


def _ladder(store: Store, cars: int) -> list[Store]:
    """Return smaller and larger stores around one, smallest first, the last without limit."""
    if isinstance(store, RandomAccess):
        mine = max(1, store.places)
        around = (1, -(-mine // 4), -(-mine // 2), 2 * mine, 4 * mine)
        places = {mine, *(size for size in around if size < cars)}
        found: list[Store] = [store if size == mine else RandomAccess(size) for size in sorted(places)]
    else:
        lanes = {1, -(-store.lanes // 2), store.lanes, 2 * store.lanes}
        found = [Lanes(count, store.places_per_lane) for count in sorted(lanes)]
    if not isinstance(found[-1], RandomAccess) or found[-1].places < cars:
        found.append(RandomAccess(cars))
    return found


def _without_limit(day: Day, order: NDArray[np.int64], given: NDArray[np.int64] | None) -> Pair:
    """Return two orders that do not bind each other: the rules alone in assembly, the colours alone in paint."""
    build = _ruled(day, order)
    if given is not None:
        return Pair(given, build)
    return Pair(day.batched(len(build), build), build)


def _ruled(day: Day, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the best order found by the rules alone."""
    from coachbuilder.plant.sequence.engine import search

    inputs = day.inputs
    rules = tuple(item for item in inputs.objectives if item is not SequenceObjective.COLOUR_CHANGES)
    if not rules or not inputs.rules:
        return order
    alone = replace(inputs, objectives=rules, longest_batch=max(1, len(order)), store=None)
    counted = Day(alone)
    if counted.cost(Pair(order, order)) == 0:
        return order
    return min((order, search(alone).order), key=lambda found: counted.cost(Pair(found, found)))


def _plan(day: Day, described: StoreInputs, store: Store, smaller: Pair, unlimited: Pair, given: bool) -> Pair:
    """Return the best pair found for a store, no worse than that of a smaller one."""

    def improved(starts: list[Pair]) -> Pair:
        start = min((pair for pair in starts if day.accepts(store, pair)), key=day.cost)
        return day.improve(
            store, start, evaluations=described.evaluations, seed=day.inputs.seed, move_paint=not given,
            target=0 if given else day.least_cost(),
        )  # fmt: skip

    if given:
        paint = smaller.paint
        return improved([smaller, Pair(paint, day.follow(store, paint, unlimited.build))])
    largest = farthest_ahead(store, len(unlimited.build)) == len(unlimited.build) - 1
    found = improved([smaller, *_batched(day, store, unlimited.build), *([unlimited] if largest else [])])
    # The search changes the order of assembly under the batches; once more with batches made for it.
    return min(found, improved([found, *_batched(day, store, found.build)]), key=day.cost)


def _batched(day: Day, store: Store, build: NDArray[np.int64]) -> list[Pair]:
    """Return an order of assembly with colour batches that the store can turn into it; none if they are not found."""
    if isinstance(store, RandomAccess):
        return [Pair(day.batched(sizes(store)[1], build), build)]
    # Read backwards in time, lanes are lanes again: what they release is what they are given.
    wanted = day.batched(bodies(store), build)
    paint = day.follow(store, build[::-1].copy(), wanted[::-1].copy(), free=True)[::-1].copy()
    frozen = day.inputs.frozen
    return [Pair(paint, build)] if np.array_equal(paint[:frozen], build[:frozen]) else []


def _told(
    day: Day, described: StoreInputs, store: Store, pair: Pair, objectives: Objectives, repaired: NDArray[np.int64]
) -> StoreStep:
    from coachbuilder.plant.sequence.store import kernels

    disturbed = None
    if len(repaired):
        disturbed = day.objectives(Pair(pair.paint, _resequenced(day, described, store, pair, repaired)[1]))
    return StoreStep(
        lanes=store.lanes if isinstance(store, Lanes) else None,
        places=bodies(store),
        this_store=store == described.store,
        objectives=objectives,
        loss=objectives,
        cars_outside_places=day.outside_places(pair.build),
        most_bodies=int(kernels.most_bodies(pair.build, np.argsort(pair.paint))),
        purge_cost_cny_per_day=objectives.colour_changes * day.inputs.purge_cost_cny,
        disturbed=disturbed,
    )


def _with_loss(step: StoreStep, without: Objectives) -> StoreStep:
    return replace(step, loss=step.objectives.less(without))


def _lanes(day: Day, step: _Step) -> NDArray[np.int64] | None:
    """Return the lane of each car; none in a store of random access."""
    return day.lane_of(step.store, step.pair) if isinstance(step.store, Lanes) else None


def _repaired(inputs: SequenceInputs, described: StoreInputs) -> NDArray[np.int64]:
    """Return the cars whose bodies go to paint repair, drawn once from those that are not frozen."""
    random = np.random.default_rng([inputs.seed, REPAIR_STREAM])
    free = np.arange(inputs.frozen, len(inputs.cars))
    count = round(described.repaired_share * len(free)) if described.repair_delay_cars else 0
    return np.sort(random.permutation(free)[:count])


def delivered(paint: NDArray[np.int64], repaired: NDArray[np.int64], delay_cars: int) -> NDArray[np.int64]:
    """Return the order in which bodies reach the store if some come back late from repair; the others close up.

    Parameters
    ----------
    paint
        Car at each place of paint, shape (cars,).
    repaired
        Cars that go to repair.
    delay_cars
        Places of paint by which each comes back later: behind the body that far behind it.

    Examples
    --------
    >>> delivered(np.array([4, 3, 2, 1, 0]), np.array([3]), 2).tolist()
    [4, 2, 1, 3, 0]
    """
    late = np.isin(paint, repaired)
    return paint[np.argsort(np.arange(len(paint)) + late * (delay_cars + 0.5), kind="stable")]


def _resequenced(
    day: Day, described: StoreInputs, store: Store, pair: Pair, repaired: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of assembly nearest to the plan after paint repair, and the best by the rules."""
    paint = delivered(pair.paint, repaired, described.repair_delay_cars)
    nearest = day.follow(store, paint, pair.build)
    starts = [start for start in (Pair(paint, nearest), Pair(paint, paint)) if day.accepts(store, start)]
    # What is near to the plan uses the store up; what is built as delivered leaves it free. Both are worth a try.
    found = [
        day.improve(
            store, start, evaluations=described.evaluations // 4, seed=day.inputs.seed, move_paint=False,
            weigh_colours=False,
        )
        for start in starts
    ]  # fmt: skip
    return nearest, min(found, key=day.cost).build


def _disturbance(day: Day, described: StoreInputs, step: _Step, repaired: NDArray[np.int64]) -> DisturbanceResult:
    pair, planned = step.pair, step.told.objectives
    nearest, resequenced = _resequenced(day, described, step.store, pair, repaired)
    paint = delivered(pair.paint, repaired, described.repair_delay_cars)
    # Colours were painted as planned: what comes late changes the rules alone.
    counted = [day.objectives(Pair(pair.paint, build)) for build in (paint, nearest, resequenced)]
    delays = np.argsort(nearest) - np.argsort(pair.build)
    return DisturbanceResult(
        repaired_cars=len(repaired),
        repair_delay_cars=described.repair_delay_cars,
        as_delivered=counted[0],
        nearest=counted[1],
        resequenced=counted[2],
        loss_as_delivered=counted[0].less(planned),
        loss_nearest=counted[1].less(planned),
        loss_resequenced=counted[2].less(planned),
        cars_in_place_share=float((delays == 0).mean()),
        mean_displacement_cars=float(np.abs(delays).mean()),
        largest_delay_cars=int(delays.max()),
        cars_outside_places=day.outside_places(resequenced),
    )


__all__ = ["delivered", "evaluate"]
