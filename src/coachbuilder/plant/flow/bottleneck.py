"""Finds the station that limits a plant from where the time of its machines goes.

Three rules are known from lines of single machines. Here they look at stations, so that machines side by side count as
one, and at the ways between stations, so that any plant may be looked at:

- the largest **active share**: neither starved nor blocked nor off shift;
- the longest mean **active period** without interruption (Roser, Nakano and Tanaka 2001);
- **arrows** (Kuo, Lim and Meerkov 1996): of two neighbours, one points to the other if it is blocked more than that is
  starved, else the other way; the bottleneck is where no arrow points away, and of several the one whose neighbours
  wait longest.

The first is right where one station is the slowest by far. Between stations that are nearly equal, what matters is
which of them the others wait for; there the time for which the neighbours wait is added to the active share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coachbuilder.plant.flow.answer import Bottleneck, StationActivity
from coachbuilder.plant.flow.estimates import F8
from coachbuilder.plant.flow.plant import MovingLine, Plant
from coachbuilder.plant.flow.record import (
    ACTIVE,
    ACTIVE_COUNT,
    BLOCKED,
    DOWN,
    OFF,
    PLANNED,
    SET_UP,
    STOPPED,
    WORKING,
)
from coachbuilder.plant.flow.reduction import Totals, Ways, by_type, first_machines, names_of

CLOSE = 0.05
"""Stations whose active share is within this share of the largest are told apart by the time their neighbours wait."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who passes cars to whom."""

    before: tuple[tuple[int, ...], ...]
    """Stations that pass cars to each station, by their places in the plant."""
    behind: tuple[tuple[int, ...], ...]
    """Stations to which each passes cars."""


def find(plant: Plant, totals: Totals, cut: int) -> Bottleneck:
    """Return the bottleneck when ``cut`` batches do not count."""
    share = _active_shares(plant, totals, cut)
    first = first_machines(plant)
    neighbours = neighbours_of(plant)
    stations = _activities(plant, totals, cut, share, neighbours)
    active = np.array([station.active_share for station in stations])
    best = chosen(active, np.array([station.waited_for for station in stations]))
    others = np.delete(active, best)
    rows = slice(first[best], first[best + 1])
    periods = [station.active_period_s for station in stations]
    pointed = no_arrow_away(
        np.array([station.blocked for station in stations]),
        np.array([station.starved for station in stations]),
        neighbours,
    )
    return Bottleneck(
        machine=names_of(plant).machines[first[best] + int(np.argmax(share[rows]))],
        station=stations[best].station,
        margin=float(active[best] / others.max() - 1.0) if others.size and others.max() > 0.0 else 1.0,
        longest_active_period=stations[int(np.argmax(periods))].station,
        arrows="" if pointed is None else stations[pointed].station,
        stations=stations,
    )


def chosen(active_share: F8, waited_for: F8) -> int:
    """Return which station is the bottleneck.

    Examples
    --------
    >>> chosen(np.array([0.90, 0.88, 0.70]), np.array([0.05, 0.20, 0.30]))
    1
    """
    close = active_share >= (1.0 - CLOSE) * active_share.max()
    return int(np.argmax(np.where(close, active_share + waited_for, -1.0)))


def no_arrow_away(blocked: F8, starved: F8, neighbours: Neighbours) -> int | None:
    """Return the station from which no arrow points away; None if there is none.

    Examples
    --------
    >>> line = Neighbours(((), (0,), (1,)), ((1,), (2,), ()))
    >>> no_arrow_away(np.array([0.2, 0.1, 0.0]), np.array([0.0, 0.1, 0.3]), line)
    1
    """
    best, best_waits = None, -1.0
    for row, (before, behind) in enumerate(zip(neighbours.before, neighbours.behind, strict=True)):
        waits_before = [float(blocked[other] - starved[row]) for other in before]
        waits_behind = [float(starved[other] - blocked[row]) for other in behind]
        waits = sum(waits_before) + sum(waits_behind)
        if min([*waits_before, *waits_behind], default=0.0) >= 0.0 and waits > best_waits:
            best, best_waits = row, waits
    return best


def neighbours_of(plant: Plant) -> Neighbours:
    """Return who passes cars to whom; failing cars count as well."""
    ways = Ways.of(plant)
    row_of = {station.id: row for row, station in enumerate(plant.stations)}
    behind = [tuple({row_of[other.id]: None for other in ways.after(station)}) for station in plant.stations]
    before: list[list[int]] = [[] for _ in behind]
    for row, rows in enumerate(behind):
        for other in rows:
            before[other].append(row)
    return Neighbours(tuple(map(tuple, before)), tuple(behind))


def _active_shares(plant: Plant, totals: Totals, cut: int) -> F8:
    """Return (M,) shares of time on shift for which machines are active."""
    sums = totals.machine[-1] - totals.machine[cut]
    whole_s = totals.counted_s(cut) * totals.replications
    work_s = sums[:, WORKING].copy()
    finished = totals.finished[-1] - totals.finished[cut]
    for row, station in zip(first_machines(plant), plant.stations, strict=False):
        if isinstance(station, MovingLine):
            takt_s = np.array([time.mean_s for time in by_type(station.takt, len(plant.types))])
            work_s[row] = min(work_s[row], float(finished[row] @ takt_s))
    active_s = work_s + sums[:, [DOWN, SET_UP, PLANNED, STOPPED]].sum(axis=1)
    return np.asarray(active_s / np.maximum(whole_s - sums[:, OFF], 1e-9))


def _activities(
    plant: Plant, totals: Totals, cut: int, share: F8, neighbours: Neighbours
) -> tuple[StationActivity, ...]:
    sums = totals.machine[-1] - totals.machine[cut]
    whole_s = totals.counted_s(cut) * totals.replications
    on_s = np.maximum(whole_s - sums[:, OFF], 1e-9)
    not_starved_s = sums[:, [WORKING, DOWN, BLOCKED, SET_UP, PLANNED, OFF, STOPPED]].sum(axis=1)
    period_s = np.where(
        sums[:, ACTIVE_COUNT] > 0, sums[:, ACTIVE] / np.maximum(sums[:, ACTIVE_COUNT], 1), share * totals.counted_s(cut)
    )
    by_machine = np.stack([share, period_s, sums[:, BLOCKED] / on_s, np.maximum(whole_s - not_starved_s, 0.0) / on_s])
    first = first_machines(plant)
    rows = np.array([by_machine[:, first[row] : first[row + 1]].mean(axis=1) for row in range(len(plant.stations))])
    blocked, starved = rows[:, 2], rows[:, 3]
    return tuple(
        StationActivity(
            station=station.id,
            active_share=float(row[0]),
            active_period_s=float(row[1]),
            blocked=float(row[2]),
            starved=float(row[3]),
            waited_for=_mean([*blocked[list(before)], *starved[list(behind)]]),
        )
        for station, row, before, behind in zip(plant.stations, rows, neighbours.before, neighbours.behind, strict=True)
    )


def _mean(values: list[float]) -> float:
    return float(sum(values)) / len(values) if values else 0.0
