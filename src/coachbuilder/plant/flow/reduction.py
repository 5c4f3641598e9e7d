"""Turns what many replications leave behind into arrays of one replication's size, so that they need not be kept.

What a warm-up cuts off is not known before the last replication has run. So every sum is kept for all moments at which
the cut may lie, but added up over the replications; only a few small series are kept replication by replication.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.estimates import F8, Moments
from coachbuilder.plant.flow.plant import MovingLine, Plant, Station
from coachbuilder.plant.flow.record import BINS_PER_BATCH, BLOCKED, LEFT, STANDSTILL, Names, Records

I8 = NDArray[np.int64]
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Totals:
    """R runs of B batches; M machines, L buffers, V types, S shops, P stations of moving lines.

    What is told "from each moment" counts from there to the end of the run.
    """

    start_s: float
    """When counting starts, s."""
    batch_s: float
    """Length of a batch, s."""
    out: I8
    """(R, 5 B) cars that left in each bin."""
    inside: F8
    """(R, B + 1) integral of cars in the plant, car seconds."""
    left: I8
    """(R, B + 1, V) cars that left."""
    lead: F8
    """(R, B + 1, V) sum of their times in the plant, s."""
    cars: I8
    """(B + 1, V, 6) cars over all runs."""
    machine: F8
    """(B + 1, M, 9) sums of every machine over all runs."""
    finished: I8
    """(B + 1, M, V) cars finished over all runs."""
    finished_from: Moments
    """(B + 1, M) cars finished from each moment on."""
    level_from: Moments
    """(B + 1, L) car seconds in every buffer from each moment on."""
    shop_from: Moments
    """(B + 1, S) cars that left every shop from each moment on."""
    shop_types: F8
    """(B + 1, S, V) the same over all runs, from the start."""
    place: F8
    """(B + 1, P, 3) sums of stations of moving lines over all runs."""
    ended: I8
    """(R,) how each run ended."""
    stuck: I8
    """(R,) a station that stands still, -1 if none."""
    stuck_s: F8
    """(R,) when that was noticed, s."""
    held_at_end: F8
    """(M,) seconds for which each machine was blocked in the last batch of the first run that stands still."""
    at_start: I8
    """(V,) cars inside at the start over all runs."""
    remaining: I8
    """(V,) cars inside at the end over all runs."""
    events: int
    """Events over all runs."""

    @property
    def batches(self) -> int:
        """Batches of each run."""
        answer: int = self.inside.shape[1] - 1
        return answer

    @property
    def replications(self) -> int:
        """Runs."""
        answer: int = self.inside.shape[0]
        return answer

    def counted_s(self, cut: int) -> float:
        """Return the time that counts in each run when ``cut`` batches are cut off, s."""
        return (self.batches - cut) * self.batch_s

    def rates_per_h(self, cut: int) -> F8:
        """Return (R,) cars that leave an hour in each run."""
        return np.asarray(self.out[:, cut * BINS_PER_BATCH :].sum(axis=1) * (3600.0 / self.counted_s(cut)))

    def batch_rates_per_h(self) -> F8:
        """Return (R, B) cars that leave an hour in each batch of each run."""
        cars = self.out.reshape(self.replications, self.batches, BINS_PER_BATCH).sum(axis=2)
        return np.asarray(cars * (3600.0 / self.batch_s))


def joined(parts: list[Totals]) -> Totals:
    """Return the totals of all parts together, added in their order."""
    first = parts[0]
    if len(parts) == 1:
        return first
    stuck = next((part for part in parts if np.any(part.ended == STANDSTILL)), first)
    finished_from, level_from, shop_from = first.finished_from, first.level_from, first.shop_from
    for part in parts[1:]:
        finished_from = finished_from.joined(part.finished_from)
        level_from = level_from.joined(part.level_from)
        shop_from = shop_from.joined(part.shop_from)
    return Totals(
        start_s=first.start_s,
        batch_s=first.batch_s,
        out=np.concatenate([part.out for part in parts]),
        inside=np.concatenate([part.inside for part in parts]),
        left=np.concatenate([part.left for part in parts]),
        lead=np.concatenate([part.lead for part in parts]),
        cars=sum((part.cars for part in parts[1:]), first.cars),
        machine=sum((part.machine for part in parts[1:]), first.machine),
        finished=sum((part.finished for part in parts[1:]), first.finished),
        finished_from=finished_from,
        level_from=level_from,
        shop_from=shop_from,
        shop_types=sum((part.shop_types for part in parts[1:]), first.shop_types),
        place=sum((part.place for part in parts[1:]), first.place),
        ended=np.concatenate([part.ended for part in parts]),
        stuck=np.concatenate([part.stuck for part in parts]),
        stuck_s=np.concatenate([part.stuck_s for part in parts]),
        held_at_end=stuck.held_at_end,
        at_start=sum((part.at_start for part in parts[1:]), first.at_start),
        remaining=sum((part.remaining for part in parts[1:]), first.remaining),
        events=sum(part.events for part in parts),
    )


@dataclass(frozen=True, slots=True)
class Exits:
    """Which machines pass cars out of their shops."""

    shops: int
    """Number of shops."""
    machines: tuple[tuple[slice, int, F8], ...]
    """Rows of machines, their shop, and by type the share of the cars they finish that leaves it."""


def exits_of(plant: Plant) -> Exits:
    """Return which machines pass cars out of their shops."""
    ways = Ways.of(plant)
    shops = {shop: row for row, shop in enumerate(shops_of(plant))}
    first = first_machines(plant)
    machines = []
    for row, station in enumerate(plant.stations):
        shares = leaving_shares(plant, ways, station)
        if any(shares):
            machines.append((slice(first[row], first[row + 1]), shops[shop_of(station)], np.array(shares)))
    return Exits(len(shops), tuple(machines))


def reduced(records: Records, exits: Exits) -> Totals:
    """Return the totals of one portion of replications."""
    of_shop = np.zeros((records.replications, records.batches + 1, exits.shops, records.finished.shape[3]))
    for rows, shop, shares in exits.machines:
        of_shop[:, :, shop] += records.finished[:, :, rows].sum(axis=2) * shares
    stuck = np.flatnonzero(records.ended == STANDSTILL)
    blocked = records.machine[stuck[0], -2:, :, BLOCKED] if stuck.size else np.zeros((2, records.machine.shape[2]))
    return Totals(
        start_s=records.start_s,
        batch_s=records.batch_s,
        out=records.out.sum(axis=2),
        inside=records.inside,
        left=records.car[..., LEFT].copy(),
        lead=records.lead,
        cars=records.car.sum(axis=0),
        machine=records.machine.sum(axis=0),
        finished=records.finished.sum(axis=0),
        finished_from=_from_each_moment(records.finished.sum(axis=3).astype(np.float64)),
        level_from=_from_each_moment(records.level),
        shop_from=_from_each_moment(of_shop.sum(axis=3)),
        shop_types=of_shop.sum(axis=0),
        place=records.place.sum(axis=0),
        ended=records.ended,
        stuck=records.stuck,
        stuck_s=records.stuck_s,
        held_at_end=blocked[1] - blocked[0],
        at_start=records.at_start.sum(axis=0),
        remaining=records.remaining.sum(axis=0),
        events=int(records.events.sum()),
    )


def _from_each_moment(sums: F8) -> Moments:
    return Moments.of(sums[:, -1:] - sums)


def names_of(plant: Plant) -> Names:
    """Return what the rows of the plant's records are called."""
    machines: list[str] = []
    owners: list[int] = []
    places: list[str] = []
    for row, station in enumerate(plant.stations):
        if isinstance(station, MovingLine):
            machines.append(station.id)
            owners.append(row)
            places.extend(f"{station.id}.{place + 1}" for place in range(station.stations))
        else:
            machines.extend(f"{station.id}.{number + 1}" for number in range(station.machines))
            owners.extend([row] * station.machines)
    return Names(
        machines=tuple(machines),
        machine_station=tuple(owners),
        buffers=tuple(buffer.id for buffer in plant.buffers),
        types=tuple(item.id for item in plant.types),
        places=tuple(places),
        carriers=tuple(loop.id for loop in plant.carriers),
    )


def first_machines(plant: Plant) -> list[int]:
    """Return for every station the row of its first machine, and at last the number of machines."""
    first = [0]
    for station in plant.stations:
        first.append(first[-1] + (station.machines if isinstance(station, Station) else 1))
    return first


def shop_of(station: Station | MovingLine) -> str:
    """Return the shop that a station counts to."""
    return station.shop or station.id


def shops_of(plant: Plant) -> tuple[str, ...]:
    """Return the shops in the order of their first stations."""
    return tuple(dict.fromkeys(shop_of(station) for station in plant.stations))


@dataclass(frozen=True, slots=True)
class Ways:
    """Finds what stands behind buffers."""

    station_of: dict[str, Station | MovingLine]
    """Stations by name."""
    buffer_to: dict[str, str]
    """Station behind every buffer."""

    @classmethod
    def of(cls, plant: Plant) -> Ways:
        """Return those of a plant."""
        return cls(
            {station.id: station for station in plant.stations}, {buffer.id: buffer.to for buffer in plant.buffers}
        )

    def behind(self, buffers: Iterable[str]) -> list[Station | MovingLine]:
        """Return the stations behind some buffers."""
        return [self.station_of[self.buffer_to[name]] for name in buffers]

    def after(self, station: Station | MovingLine) -> list[Station | MovingLine]:
        """Return the stations to which a station passes cars, failing ones as well."""
        passed = [buffer for way in station.ways for buffer in way.to]
        return self.behind([*passed, *(station.test.fail_to if station.test else ())])

    def reached(self, stations: Iterable[Station | MovingLine]) -> set[str]:
        """Return some stations, and all to which their cars come."""
        waiting = list(stations)
        found: set[str] = set()
        while waiting:
            station = waiting.pop()
            if station.id not in found:
                found.add(station.id)
                waiting.extend(self.after(station))
        return found


def leaving_shares(plant: Plant, ways: Ways, station: Station | MovingLine) -> list[float]:
    """Return by type which share of the cars that a station finishes leaves its shop.

    Cars that fail a test or are scrapped there do not; the share that passes is the expected one.
    """
    passing = passing_shares(plant, ways, station)
    return [share if _leaves(ways, station, item.id) else 0.0 for item, share in zip(plant.types, passing, strict=True)]


def _leaves(ways: Ways, station: Station | MovingLine, car: str) -> bool:
    if not station.ways:
        return True
    way = next((way for way in station.ways if car in way.types), None)
    way = way or next((way for way in station.ways if not way.types), None)
    if way is None:
        return False
    return not way.to or any(shop_of(behind) != shop_of(station) for behind in ways.behind(way.to))


def passing_shares(plant: Plant, ways: Ways, station: Station | MovingLine) -> list[float]:
    """Return by type the expected share of the cars that a station finishes which are passed on as good."""
    kept = 1.0 - station.scrap_share if isinstance(station, Station) else 1.0
    test = station.test
    if test is None:
        return [kept] * len(plant.types)
    again = station.id in ways.reached(ways.behind(test.fail_to))
    shares = []
    for first in by_type(test.first_pass_yield, len(plant.types)):
        if again and test.retest_yield > 0.0:
            # Each car takes one first try, and 1 / retest_yield later ones if that fails.
            shares.append(kept / (1.0 + (1.0 - first) / test.retest_yield))
        else:
            shares.append(kept * first)
    return shares


def by_type(values: tuple[_Value, ...], types: int) -> tuple[_Value, ...]:
    """Return one value a type where a single one may hold for all."""
    return values * types if len(values) == 1 else values
