"""Which build orders a painted-body store can make of the order in which the bodies come out of paint."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.store.interface import Lanes, RandomAccess, Store

MOST_STATES = 1_000_000
"""States of the lanes that are looked at before it is left open whether an order can be reached."""


def bodies(store: Store) -> int:
    """Return how many bodies a store holds.

    Examples
    --------
    >>> bodies(RandomAccess(40)), bodies(Lanes(6, 10))
    (40, 60)
    """
    return store.places if isinstance(store, RandomAccess) else store.lanes * store.places_per_lane


def sizes(store: Store) -> tuple[int, int]:
    """Return lanes and places of each as the kernels take them: 0 lanes for random access, at least 1 place."""
    if isinstance(store, RandomAccess):
        return 0, max(1, store.places)
    return store.lanes, store.places_per_lane


def farthest_ahead(store: Store, cars: int) -> int:
    """Return by how many places a car can come before its place in paint, at most.

    All bodies but its own can stand in the store while it passes: places - 1 with random access, and in lanes all
    lanes but its own, (lanes - 1) x places of each.

    Parameters
    ----------
    store
        The store.
    cars
        Cars of the day.

    Examples
    --------
    >>> farthest_ahead(RandomAccess(40), 500), farthest_ahead(Lanes(6, 10), 500)
    (39, 50)
    """
    lanes, places = sizes(store)
    ahead = (lanes - 1) * places if lanes else places - 1
    return max(0, min(ahead, cars - 1))


def reachable(store: Store, painted_place: NDArray[np.int64], *, most_states: int = MOST_STATES) -> bool | None:
    """Tell whether a store can release the bodies in an order.

    Random access: the car built at place t, from 0, is among the first t + places painted; that is enough, as any body
    may stay as long as there is room (Boysen, Scholl and Wopperer 2012). Lanes: see :func:`lanes_for`.

    Parameters
    ----------
    store
        The store, empty at first.
    painted_place
        Place in the order of paint, from 0, of the car built at each place, shape (cars,).
    most_states
        Work for lanes.

    Returns
    -------
    bool or None
        ``None`` if the work for lanes did not suffice.

    Examples
    --------
    >>> reachable(RandomAccess(2), np.array([1, 0, 2])), reachable(RandomAccess(2), np.array([2, 0, 1]))
    (True, False)
    >>> reachable(Lanes(2, 2), np.array([2, 0, 1])), reachable(Lanes(2, 1), np.array([2, 0, 1]))
    (True, False)
    """
    if isinstance(store, RandomAccess):
        earliest = np.asarray(painted_place) - (max(1, store.places) - 1)
        return bool(np.all(earliest <= np.arange(len(painted_place))))
    try:
        return lanes_for(store, painted_place, most_states=most_states) is not None
    except OverflowError:
        return None


def lanes_for(
    store: Lanes, painted_place: NDArray[np.int64], *, most_states: int = MOST_STATES
) -> NDArray[np.int64] | None:
    """Return a lane for each car with which lanes release the bodies in an order, or ``None`` if there is none.

    A car enters no sooner than the release of a car painted with it or after it: later never hurts, as lanes only get
    emptier. It must leave its lane after those before it. The lane whose last car leaves latest before it is tried
    first; it suffices whenever no lane fills up (patience sorting). Otherwise all choices are tried, each state of the
    lanes once: what is in them, by when it leaves.

    Parameters
    ----------
    store
        The lanes, empty at first.
    painted_place
        Place in the order of paint, from 0, of the car built at each place, shape (cars,).
    most_states
        States of the lanes to look at.

    Returns
    -------
    NDArray or None
        Lane, from 0, of the car at each place of the order of assembly.

    Raises
    ------
    OverflowError
        If ``most_states`` do not suffice.

    Examples
    --------
    >>> lanes_for(Lanes(2, 2), np.array([1, 0, 2])).tolist()
    [1, 0, 0]
    >>> lanes_for(Lanes(2, 2), np.array([2, 1, 0])) is None
    True
    """
    from coachbuilder.plant.sequence.store import kernels

    n = len(painted_place)
    places = np.asarray(painted_place, dtype=np.int64)
    built = np.empty(n, dtype=np.int64)
    built[places] = np.arange(n)
    lane_of = np.zeros(n, dtype=np.int64)
    scratch = np.zeros((2, store.lanes), dtype=np.int64)
    # Cars are numbered as they are painted: ``places`` is then the order of assembly by car, ``built`` its inverse.
    if kernels.take_lanes(
        np.arange(n), places, np.arange(n), built, store.lanes, store.places_per_lane, scratch[0], scratch[1], lane_of
    ):
        return lane_of[places]
    found = _every_choice(store, places, built, most_states)
    return None if found is None else found[places]


def _every_choice(
    store: Lanes, places: NDArray[np.int64], built: NDArray[np.int64], most_states: int
) -> NDArray[np.int64] | None:
    """Try every choice of lanes, depth first; return the lane of each car as painted."""
    n = len(places)
    # The release before which each car enters: the first of a car painted with it or after it.
    entry = np.searchsorted(np.maximum.accumulate(places), np.arange(n), side="left")
    seen: set[tuple[int, tuple[tuple[int, ...], ...]]] = set()
    lane_of = np.full(n, -1, dtype=np.int64)
    start: tuple[tuple[int, ...], ...] = ((),) * store.lanes

    def choices(car: int, lanes: tuple[tuple[int, ...], ...]) -> list[int]:
        """Return the lanes that the car may enter, best last; one empty lane is as good as another."""
        mine = int(built[car])
        fit = [at for at, lane in enumerate(lanes) if lane and len(lane) < store.places_per_lane and lane[-1] < mine]
        empty = [at for at, lane in enumerate(lanes) if not lane]
        return [*empty[:1], *sorted(fit, key=lambda at: lanes[at][-1])]

    def found_by(car: int, lanes: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        """Return the lanes as the car finds them: those released before are gone."""
        return tuple(tuple(leaves for leaves in lane if leaves >= entry[car]) for lane in lanes)

    lanes = start
    # Each level: the lanes as its car finds them, and the choices not yet tried, best last.
    stack = [(lanes, choices(0, lanes))]
    while stack:
        lanes, left = stack[-1]
        car = len(stack) - 1
        if not left:
            stack.pop()
            continue
        lane = left.pop()
        lane_of[car] = lane
        if car == n - 1:
            return lane_of
        now = tuple((*held, int(built[car])) if at == lane else held for at, held in enumerate(lanes))
        now = found_by(car + 1, now)
        key = (car + 1, tuple(sorted(now)))
        if key in seen:
            continue
        if len(seen) >= most_states:
            message = f"whether the lanes can release this order is open after {most_states} states"
            raise OverflowError(message)
        seen.add(key)
        stack.append((now, choices(car + 1, now)))
    return None


__all__ = ["MOST_STATES", "bodies", "farthest_ahead", "lanes_for", "reachable", "sizes"]
