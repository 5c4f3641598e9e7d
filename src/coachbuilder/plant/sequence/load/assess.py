"""Counts the load of a build order, beside that of the cars as booked, and over the guest's share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.interface import SequenceInputs
from coachbuilder.plant.sequence.load.guest_share import guest_shares
from coachbuilder.plant.sequence.load.interface import LineLoad, LoadResult, OrderLoad, StationOverload
from coachbuilder.plant.sequence.load.level import distances, least_variation
from coachbuilder.plant.sequence.load.overload import TICKS_PER_S, Operators, Overload, lower_bound, operators_of
from coachbuilder.plant.sequence.load.overload import overload_of as follow
from coachbuilder.plant.sequence.load.search import models_of


def assess(inputs: SequenceInputs, order: NDArray[np.int64]) -> LoadResult | None:
    """Count the load of a build order.

    Parameters
    ----------
    inputs
        The day and the line.
    order
        Position in ``inputs.cars`` of the car at each place, shape (cars,).

    Returns
    -------
    LoadResult or None
        None where the line is not known or there is no car.
    """
    line = inputs.line
    if line is None or not inputs.cars:
        return None
    model, models = models_of(inputs)
    cars = np.bincount(model, minlength=len(models)).astype(np.int64)
    operators = operators_of(line, inputs.drift, inputs.drift.borders)
    found, booked = follow(operators, model[order]), follow(operators, model)
    shares = guest_shares(line, inputs.drift, cars.tolist(), inputs.seed)
    bound_s = int(lower_bound(operators, cars[None, :])[0]) / TICKS_PER_S
    return LoadResult(
        borders=inputs.drift.borders,
        takt_s=line.takt_s,
        guest_cars=int(cars[models.index(line.guest)]),
        utility_workers=inputs.drift.utility_workers,
        found=_load(line, operators, found, model[order]),
        as_booked=_load(line, operators, booked, model),
        overload_lower_bound_s_per_day=bound_s,
        overload_lower_bound_s_per_car=bound_s / len(model),
        level_load_least=least_variation(cars.tolist()),
        stations=_stations(operators, found, booked),
        guest_shares=shares.points,
        answers=shares.answers,
        evaluations=shares.evaluations,
    )


def _load(line: LineLoad, operators: Operators, overload: Overload, models: NDArray[np.int64]) -> OrderLoad:
    per_car = overload.total_s / len(models)
    ahead = distances(models[:, None] == np.arange(len(line.models)))
    return OrderLoad(
        overload_s_per_day=overload.total_s,
        overload_s_per_car=per_car,
        calls=overload.calls,
        utility_workers=per_car / line.takt_s,
        utility_workers_peak=_peak(operators, overload.at_place),
        level_load=float((ahead**2).sum()),
        largest_distance_cars=float(np.abs(ahead).max()),
    )


def _peak(operators: Operators, at_place: NDArray[np.int64]) -> int:
    """Return how many operators are overloaded in one takt, at most: a car comes to a station its place later."""
    n = at_place.shape[1]
    calls = np.zeros(n + max((item.place for item in operators.of), default=0), dtype=np.int64)
    for row, item in enumerate(operators.of):
        calls[item.place : item.place + n] += at_place[row] > 0
    return int(calls.max(initial=0))


def _stations(operators: Operators, found: Overload, booked: Overload) -> tuple[StationOverload, ...]:
    sums: dict[str, list[int]] = {}
    for row, item in enumerate(operators.of):
        both = sums.setdefault(item.station, [0, 0])
        both[0] += int(found.by_operator[row])
        both[1] += int(booked.by_operator[row])
    return tuple(
        StationOverload(station, of_found / TICKS_PER_S, of_booked / TICKS_PER_S)
        for station, (of_found, of_booked) in sorted(sums.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
        if of_found or of_booked
    )


__all__ = ["assess"]
