"""Level load: how evenly models come along the line, and the orders in which they come most evenly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_CARS_EXACT = 1000
"""Cars of a day up to which the most even order is found exactly: the assignment takes the cube of them."""


def product_rate_variation(member: NDArray[np.bool_]) -> float:
    """Return the squared distance of cumulative production from the even rate, summed over places and classes.

    Parameters
    ----------
    member
        Which car in building order belongs to which class, shape (cars, classes): models, or options.

    Returns
    -------
    float
        Squared cars: the sum over places k and classes i of (x_ik - k r_i)², where x_ik are the cars of the class up
        to place k and r_i is its share of the day (Miltenburg 1989, Management Science 35: 192-207).

    Examples
    --------
    >>> product_rate_variation(np.array([[True, False], [False, True]]))
    0.5
    """
    cars = len(member)
    if cars == 0:
        return 0.0
    return float((distances(member) ** 2).sum())


def distances(member: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return cars ahead of the even rate, shape (cars, classes); see :func:`product_rate_variation`."""
    made = np.cumsum(member, axis=0)
    places = np.arange(1, len(member) + 1)[:, None]
    return np.asarray(made - places * made[-1] / len(member), dtype=np.float64)


def due_date_order(cars: Sequence[int]) -> NDArray[np.int64]:
    """Return an even order of models by the due dates of their cars.

    The j-th of a model's d cars is due at (2j - 1) n / 2d; earliest first (Inman and Bulfin 1991, Management Science
    37: 901-904). It is close to the least product-rate variation, and fast.

    Parameters
    ----------
    cars
        Cars of each model.

    Returns
    -------
    numpy.ndarray
        Model at each place, shape (sum of cars,).

    Examples
    --------
    >>> due_date_order([2, 1]).tolist()
    [0, 1, 0]
    """
    models = np.repeat(np.arange(len(cars), dtype=np.int64), cars)
    due = np.concatenate([(np.arange(count) + 0.5) / count for count in cars if count] or [np.zeros(0)])
    return models[np.lexsort((models, due))]


def levelled_order(cars: Sequence[int]) -> NDArray[np.int64]:
    """Return the order of models with the least product-rate variation.

    An assignment of copies of models to places; a copy away from its ideal place costs what it adds to the variation
    (Kubiak and Sethi 1991, Management Science 37: 121-122). Exact; it takes about the cube of the cars.

    Parameters
    ----------
    cars
        Cars of each model.

    Returns
    -------
    numpy.ndarray
        Model at each place, shape (sum of cars,).

    Examples
    --------
    >>> levelled_order([2, 1]).tolist()
    [0, 1, 0]
    """
    from scipy.optimize import linear_sum_assignment

    n = int(sum(cars))
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    cost = np.zeros((n, n))
    model = np.repeat(np.arange(len(cars), dtype=np.int64), cars)
    place = np.arange(1, n + 1, dtype=np.float64)
    row = 0
    for count in cars:
        for copy in range(1, count + 1):
            even = place * count / n
            # What the variation gains at each place if the copy is built by then rather than not yet. It falls as the
            # even rate grows, so that the best place is the first at which it is no longer above 0.
            gain = (copy - even) ** 2 - (copy - 1 - even) ** 2
            ahead = np.maximum(gain, 0.0)
            behind = np.maximum(-gain, 0.0)
            too_early = np.concatenate([np.cumsum(ahead[::-1])[::-1], [0.0]])
            too_late = np.concatenate([[0.0], np.cumsum(behind)])
            cost[row] = too_early[:-1] + too_late[:-1]
            row += 1
    rows, places = linear_sum_assignment(cost)
    order = np.zeros(n, dtype=np.int64)
    order[places] = model[rows]
    return order


def least_variation(cars: Sequence[int]) -> float:
    """Return the least product-rate variation of any order; of more than ``MOST_CARS_EXACT`` cars a lower bound.

    The bound takes at each place and for each model the whole number of cars nearest to the even rate.

    Parameters
    ----------
    cars
        Cars of each model.

    Examples
    --------
    >>> round(least_variation([2, 1]), 6)
    0.444444
    """
    n = int(sum(cars))
    if n == 0:
        return 0.0
    if n <= MOST_CARS_EXACT:
        return product_rate_variation(levelled_order(cars)[:, None] == np.arange(len(cars)))
    even = np.arange(1, n + 1)[:, None] * np.asarray(cars) / n
    return float(((even - np.rint(even)) ** 2).sum())


__all__ = [
    "MOST_CARS_EXACT",
    "distances",
    "due_date_order",
    "least_variation",
    "levelled_order",
    "product_rate_variation",
]
