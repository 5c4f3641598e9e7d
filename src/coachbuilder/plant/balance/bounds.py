"""Lower bounds on the operators of a line: no assignment under the same rules has fewer."""

from __future__ import annotations

import math
from collections.abc import Sequence

from coachbuilder.plant.balance.inputs import places_of
from coachbuilder.plant.balance.interface import FitInputs, LineTask

_SLACK = 1e-9

Piece = tuple[LineTask, float, list[int]]
"""A task, its time over the limit, and the stations that may take it."""


def operators_lower_bound(inputs: FitInputs, units_per_year: Sequence[float], takt_s: float) -> int:
    """Return a lower bound on the operators that the models in ``units_per_year`` need at a takt.

    The largest of: work over takt; bin-packing bounds (Martello and Toth 1990, L2) on the tasks that only stations
    without parallel lanes may take; either for all tasks together or summed over groups of zones between which no
    operator can help out. Taken for the mix average and for each model against its own limit.

    Parameters
    ----------
    inputs
        Tasks, stations and rules.
    units_per_year
        Cars a year by model.
    takt_s
        Takt in seconds, above 0.
    """
    total = sum(units_per_year)
    if total <= 0:
        return 0
    shares = [units / total for units in units_per_year]
    scales = [(shares, takt_s)]
    for position, share in enumerate(shares):
        if share > 0:
            only = [1.0 if other == position else 0.0 for other in range(len(shares))]
            scales.append((only, takt_s * (1.0 + inputs.overload_allowance)))
    groups = _zone_groups(inputs)
    places = [places_of(task, inputs) for task in inputs.tasks]
    best = 0
    for weights, limit_s in scales:
        pieces = [
            (task, sum(weight * seconds for weight, seconds in zip(weights, task.time_s, strict=True)) / limit_s, at)
            for task, at in zip(inputs.tasks, places, strict=True)
        ]
        pieces = [piece for piece in pieces if piece[1] > 0]
        best = max(best, _bound(pieces, inputs), _grouped_bound(pieces, inputs, groups))
    return best


def _bound(pieces: Sequence[Piece], inputs: FitInputs) -> int:
    """Bound by all the work, and by packing what single lanes must take plus what parallel lanes must take."""
    every = math.ceil(sum(task.operators * size for task, size, _ in pieces) - _SLACK)
    single: list[float] = []
    fixed: dict[int, float] = {}
    elsewhere = 0.0
    for task, size, places in pieces:
        if all(inputs.stations[place].lanes == 1 for place in places):
            single.extend([size] * task.operators)
        elif all(inputs.stations[place].lanes > 1 for place in places):
            if len(places) == 1:
                fixed[places[0]] = fixed.get(places[0], 0.0) + task.operators * size
            else:
                elsewhere += task.operators * size
    lanes = sum(
        inputs.stations[place].lanes * math.ceil(work / inputs.stations[place].lanes - _SLACK)
        for place, work in fixed.items()
    )
    return max(every, packing_bound(single) + max(lanes, math.ceil(elsewhere - _SLACK)))


def _grouped_bound(pieces: Sequence[Piece], inputs: FitInputs, groups: Sequence[frozenset[str]]) -> int:
    """Sum the bounds over groups of zones; only the operator who must stand there counts."""
    total = 0
    for zones in groups:
        total += packing_bound(
            [
                size
                for task, size, places in pieces
                if task.zone in zones and all(inputs.stations[place].lanes == 1 for place in places)
            ]
        )
    return total


def _zone_groups(inputs: FitInputs) -> list[frozenset[str]]:
    """Return the zones in groups such that no operator can work in two of them."""
    groups: list[set[str]] = []
    for _, reached in inputs.reach:
        joined = set(reached)
        apart = []
        for group in groups:
            if group & joined:
                joined |= group
            else:
                apart.append(group)
        groups = [*apart, joined]
    return [frozenset(group) for group in groups]


def packing_bound(sizes: Sequence[float]) -> int:
    """Return the Martello-Toth bound L2 on the bins of size 1 that items need.

    Parameters
    ----------
    sizes
        Sizes as shares of a bin; an item above 1 counts as a bin by itself.

    Examples
    --------
    >>> packing_bound([0.6, 0.6, 0.6])
    3
    >>> packing_bound([0.5, 0.5, 0.25])
    2
    """
    items = sorted(size for size in sizes if size > 0)
    best = math.ceil(sum(items) - _SLACK)
    for least in [0.0, *(size for size in dict.fromkeys(items) if size <= 0.5)]:
        large = [size for size in items if size > 1.0 - least + _SLACK]
        middle = [size for size in items if 0.5 + _SLACK < size <= 1.0 - least + _SLACK]
        small = sum(size for size in items if least <= size <= 0.5 + _SLACK)
        left_over = len(middle) - sum(middle)
        best = max(best, len(large) + len(middle) + max(0, math.ceil(small - left_over - _SLACK)))
    return best
