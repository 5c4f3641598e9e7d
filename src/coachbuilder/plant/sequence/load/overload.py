"""Work overload of a build order: operators drifting in their stations, and what they cannot do there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.load.interface import Borders, Drift, LineLoad, LineOperator

TICKS_PER_S = 1_000_000
"""Times are counted in whole microseconds, so that sums do not depend on their order."""


@dataclass(frozen=True, slots=True)
class Operators:
    """Those operators whom some order may overload, as the kernels take them; times in microseconds."""

    of: tuple[LineOperator, ...]
    """Who they are."""
    work: NDArray[np.int64]
    """How long a car of each model binds them, shape (operators, models)."""
    cycle: NDArray[np.int64]
    """Time between two of their cars, shape (operators,)."""
    downstream: NDArray[np.int64]
    """How far downstream of the station's upstream border they may get."""
    upstream: NDArray[np.int64]
    """How far upstream, 0 or less."""
    lanes: NDArray[np.int64]
    """They take every so many-th car."""
    lane: NDArray[np.int64]
    """From which place on."""


def operators_of(line: LineLoad, drift: Drift, borders: Borders) -> Operators:
    """Return the operators whom some order may overload, those with most work beyond the takt first.

    An operator whom no car binds longer than the takt, and no longer than the station is, always begins at the border
    of the station and is left out.

    Parameters
    ----------
    line
        The balanced line.
    drift
        How far operators may drift.
    borders
        Whether they may leave their station.
    """
    takt = line.takt_s * TICKS_PER_S
    is_open = borders is Borders.OPEN
    length = drift.station_length_share + (drift.downstream_share if is_open else 0.0)
    reach = drift.upstream_share if is_open else 0.0
    lanes = np.array([item.lanes for item in line.operators], dtype=np.int64)
    cycle = np.rint(takt * lanes).astype(np.int64)
    downstream = np.rint(takt * length * lanes).astype(np.int64)
    upstream = -np.rint(takt * reach * lanes).astype(np.int64)
    work = np.array([item.work_s for item in line.operators], dtype=np.float64).reshape(-1, len(line.models))
    ticks = np.rint(work * TICKS_PER_S).astype(np.int64)
    beyond = np.maximum(ticks - cycle[:, None], 0) @ np.array(line.mix)
    kept = np.array(
        [at for at in np.argsort(-beyond, kind="stable") if ticks[at].max(initial=0) > min(cycle[at], downstream[at])],
        dtype=np.int64,
    )
    return Operators(
        of=tuple(line.operators[at] for at in kept),
        work=np.ascontiguousarray(ticks[kept]),
        cycle=cycle[kept],
        downstream=downstream[kept],
        upstream=upstream[kept],
        lanes=lanes[kept],
        lane=np.array([line.operators[at].lane for at in kept], dtype=np.int64),
    )


@dataclass(frozen=True, slots=True)
class Overload:
    """What the operators cannot do of an order; times in microseconds."""

    total: int
    """Sum over all operators."""
    by_operator: NDArray[np.int64]
    """The same by operator, shape (operators,)."""
    at_place: NDArray[np.int64]
    """By operator and place, shape (operators, cars)."""

    @property
    def calls(self) -> int:
        """Cars that operators cannot finish, counted for each operator."""
        return int((self.at_place > 0).sum())

    @property
    def total_s(self) -> float:
        """The sum in seconds."""
        return self.total / TICKS_PER_S


def overload_of(operators: Operators, models: NDArray[np.int64]) -> Overload:
    """Follow every operator through a build order.

    The standard model of mixed-model sequencing (Bard, Dar-El and Shtub 1992, International Journal of Production
    Research 30: 2431-2454; Boysen, Fliedner and Scholl 2009, European Journal of Operational Research 192: 349-373).
    Cars come every cycle c. An operator who begins a car s behind the upstream border and is bound for p may work until
    the downstream border l; what is then left, w = max(0, s + p - l), is done by a utility worker at his or her side.
    The operator goes back to the next car, which is c upstream, in no time, and waits for it at the upstream border at
    the latest: s' = max(-u, s + p - w - c), with u = 0 for closed borders. Everybody begins the day at the border.

    Parameters
    ----------
    operators
        Those whom some order may overload.
    models
        Model of the car at each place, shape (cars,).
    """
    from coachbuilder.plant.sequence.load import kernels

    count, n = len(operators.cycle), len(models)
    position = np.zeros((count, n), dtype=np.int64)
    by_operator = np.zeros(count, dtype=np.int64)
    place = np.zeros(n, dtype=np.int64)
    at_place = np.zeros((count, n), dtype=np.int64)
    kind = np.ascontiguousarray(models, dtype=np.int64)
    total = kernels.simulate(
        kind, operators.work, operators.cycle, operators.downstream, operators.upstream, operators.lanes,
        operators.lane, position, by_operator, place,
    )  # fmt: skip
    kernels.overload_at(kind, operators.work, operators.downstream, operators.lanes, operators.lane, position, at_place)
    return Overload(int(total), by_operator, at_place)


def lower_bound(operators: Operators, cars: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what no order can have less of, in microseconds.

    A car longer than all the room between the borders is overload by itself. And the work beyond the cycle of the
    longer cars has to be caught up on the shorter ones; one of those gives back at most its own time below the cycle
    and at most the room to drift, so that very short cars do not help as much as the mean suggests. What is not
    caught up, less the drift at which the day may end, is overload.

    Parameters
    ----------
    operators
        Those whom some order may overload.
    cars
        Cars of each model, shape (days, models).

    Returns
    -------
    numpy.ndarray
        For each day, shape (days,).
    """
    room = np.maximum(operators.downstream - operators.cycle, 0)
    drift = np.maximum(operators.downstream - operators.cycle - operators.upstream, 0)
    beyond = operators.work - operators.cycle[:, None]
    alone = np.maximum(operators.work - (operators.downstream - operators.upstream)[:, None], 0)
    balance = np.where(beyond > 0, beyond, -np.minimum(-beyond, drift[:, None]))
    groups: dict[tuple[str, int], list[int]] = {}
    for at, item in enumerate(operators.of):
        groups.setdefault((item.station, item.number), []).append(at)
    bound: NDArray[np.int64] = np.zeros(len(cars), dtype=np.int64)
    for places in groups.values():
        # The lanes of one station share the day's cars, in whichever way.
        first = places[0]
        left = cars @ balance[first] - np.minimum(len(places), cars.sum(axis=1)) * room[first]
        bound += np.maximum(np.maximum(left, cars @ alone[first]), 0)
    return bound


__all__ = ["TICKS_PER_S", "Operators", "Overload", "lower_bound", "operators_of", "overload_of"]
