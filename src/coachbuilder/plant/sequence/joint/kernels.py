"""The cheapest order of any mix of cars, where each kind of car has a price: shortest path over the latest cars."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

NEVER = 1e18


@njit(cache=True, nogil=True)
def cheapest_order(
    following: NDArray[np.int32],
    cost: NDArray[np.float64],
    at_the_end: NDArray[np.float64],
    start: int,
    price: NDArray[np.float64],
    places: int,
    came_from: NDArray[np.int32],
    came_by: NDArray[np.int16],
    used: NDArray[np.int64],
) -> float:
    """Return the least of what the rules cost less the prices of the cars, over all orders of any cars.

    Parameters
    ----------
    following
        State after a car of each kind, shape (states, kinds); a state is the options of the latest cars.
    cost
        What a car of each kind breaks in each state, shape (places that differ, states, kinds); the last one holds for
        all later places.
    at_the_end
        What the windows cut short at the day's end cost in each state, shape (states,).
    start
        State after the day before.
    price
        Price of a car of each kind, shape (kinds,).
    places
        Places of the day.
    came_from, came_by
        Working space, shape (places, states): state before, and kind of the car.
    used
        Filled with the cars of each kind in that order, shape (kinds,).
    """
    states, kinds = following.shape
    least = np.full(states, NEVER)
    least[start] = 0.0
    for place in range(places):
        at = min(place, cost.shape[0] - 1)
        after = np.full(states, NEVER)
        for state in range(states):
            so_far = least[state]
            if so_far >= NEVER:
                continue
            for kind in range(kinds):
                reached = so_far + cost[at, state, kind] - price[kind]
                to = following[state, kind]
                if reached < after[to]:
                    after[to] = reached
                    came_from[place, to] = state
                    came_by[place, to] = kind
        least = after
    best, last = NEVER, 0
    for state in range(states):
        if least[state] < NEVER and least[state] + at_the_end[state] < best:
            best, last = least[state] + at_the_end[state], state
    used[:] = 0
    for place in range(places - 1, -1, -1):
        used[came_by[place, last]] += 1
        last = came_from[place, last]
    return best
