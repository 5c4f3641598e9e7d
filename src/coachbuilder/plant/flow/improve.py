"""Where buffer places help most, and the cheapest set of changes that reaches a rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from coachbuilder.plant.flow.answer import Estimate
from coachbuilder.plant.flow.compare import Trials, trials_of
from coachbuilder.plant.flow.estimates import F8, chance_above, chances_best, estimate_of
from coachbuilder.plant.flow.plant import MovingLine, Plant, Station
from coachbuilder.plant.flow.sensitivity import with_cycle, with_failures, with_repairs, with_station
from coachbuilder.plant.flow.simulate import Engine

FIRST_REPLICATIONS = 10
"""Replications of an alternative before it can be dropped."""

DROPPED_AT = 1e-3
"""An alternative is dropped once it is the best with no more than this chance, over the number of alternatives."""

WHOLE_SEARCH = 300
"""Up to so many allocations are all looked at."""

STEPS = 12
"""Places are first laid in so many portions."""

EXCHANGES = 4
"""Exchanges between two buffers that are tried at a time, the most promising first."""

FINALISTS = 12
"""Allocations of a search between which the last replications decide."""

UNDECIDED_AT = 1e-3
"""A set of changes counts as reaching the rate, or not, once the other is less likely than this."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """Where more buffer places go."""

    places: dict[str, int]
    """More places by buffer."""
    throughput_per_hour: Estimate
    """Cars an hour with them."""
    gain_per_hour: Estimate
    """More cars an hour than without, paired."""
    over_even_per_hour: Estimate
    """More cars an hour than with the same places laid evenly, paired."""
    chance_best: float
    """How likely no other allocation that was looked at is better by more than ``tolerance_per_hour``."""
    tolerance_per_hour: float
    """Cars an hour that do not matter."""
    next_best: tuple[tuple[dict[str, int], float], ...]
    """The allocations that came closest, and how many fewer cars an hour they make."""
    looked_at: int
    """Allocations simulated."""
    all_looked_at: bool
    """Whether these were all there are."""
    replications: int
    """Independent runs of the answer."""


def allocate_buffers(
    plant: Plant,
    more_places: int,
    *,
    days: float,
    buffers: tuple[str, ...] | None = None,
    warm_up_h: float | None = None,
    tolerance: float = 0.001,
    confidence: float = 0.95,
    most_replications: int = 640,
    seed: int = 1,
    threads: int | None = None,
    engine: Engine | None = None,
) -> Allocation:
    """Find where more buffer places help most.

    Few allocations are all looked at. Otherwise places are laid in portions where they gain most, and exchanged
    between buffers, in ever smaller portions, as long as that helps. Every comparison is under the same luck. Those
    that may be best are then run for longer, and dropped as they fall behind, until one is likely enough the best:
    ranking and selection with common random numbers.

    Parameters
    ----------
    plant
        The plant as it is.
    more_places
        Places to lay.
    days, warm_up_h, seed, threads, engine
        As for :func:`~coachbuilder.plant.flow.simulate.simulate`.
    buffers
        Buffers that may get some; None means all.
    tolerance
        Share of the throughput that does not matter.
    confidence
        Chance of being best, within the tolerance, at which replications end.
    most_replications
        At which they end as well.

    Raises
    ------
    ValueError
        If an argument is out of its range, or there is no such buffer.

    Examples
    --------
    >>> from coachbuilder.plant.flow.plant import Time, serial_line
    >>> line = serial_line([Time.exponential(60.0), Time.exponential(60.0), Time(20.0), Time(20.0)], [0, 0, 0])
    >>> allocate_buffers(line, 2, days=20.0, warm_up_h=10.0).places
    {'b1': 2, 'b2': 0, 'b3': 0}
    """
    names = tuple(buffer.id for buffer in plant.buffers) if buffers is None else buffers
    unknown = set(names) - {buffer.id for buffer in plant.buffers}
    if unknown or not names:
        message = f"there is no buffer {', '.join(sorted(unknown))}" if unknown else "the plant has no buffers"
        raise ValueError(message)
    if more_places < 1:
        message = f"more_places must be 1 or more, got {more_places}"
        raise ValueError(message)
    even = _even(more_places, len(names))
    trials = trials_of(
        [plant, with_places(plant, names, even)],
        days=days,
        warm_up_h=warm_up_h,
        seed=seed,
        threads=threads,
        engine=engine,
    )
    search = _Search(plant, names, trials)
    count = math.comb(more_places + len(names) - 1, len(names) - 1)
    if count <= WHOLE_SEARCH:
        candidates = list(_all_allocations(more_places, len(names)))
    else:
        candidates = search.candidates(more_places)
    if even not in candidates:
        candidates.append(even)
    base = trials.rates_per_h(plant, FIRST_REPLICATIONS)
    tolerance_per_h = tolerance * float(base.mean())
    plants = [search.plant_of(allocation) for allocation in candidates]
    chosen, left, replications = select_best(trials, plants, tolerance_per_h, confidence, most_replications)
    best = trials.rates_per_h(plants[chosen], replications)
    behind = sorted(
        (float((best - trials.rates_per_h(plants[other], replications)).mean()), other)
        for other in left
        if other != chosen
    )
    rates = np.array([trials.rates_per_h(plants[row], replications) for row in left])
    chance = chances_best(rates, tolerance_per_h)[left.index(chosen)] if len(left) > 1 else 1.0
    return Allocation(
        places=dict(zip(names, candidates[chosen], strict=True)),
        throughput_per_hour=estimate_of(best),
        gain_per_hour=estimate_of(best - trials.rates_per_h(plant, replications)),
        over_even_per_hour=estimate_of(best - trials.rates_per_h(search.plant_of(even), replications)),
        chance_best=float(chance),
        tolerance_per_hour=tolerance_per_h,
        next_best=tuple((dict(zip(names, candidates[other], strict=True)), less) for less, other in behind[:5]),
        looked_at=len(search.plants),
        all_looked_at=count <= WHOLE_SEARCH,
        replications=replications,
    )


def select_best(
    trials: Trials, plants: Sequence[Plant], tolerance_per_h: float, confidence: float, most_replications: int
) -> tuple[int, list[int], int]:
    """Return the plant of the highest rate, the plants that were not dropped on the way, and the replications of these.

    All start with few replications; those that are hardly the best by paired differences are dropped, and the
    replications of the rest doubled, until one is the best, within the tolerance, at the confidence wanted.

    Parameters
    ----------
    trials
        Runs the plants.
    plants
        The alternatives.
    tolerance_per_h
        Cars an hour that do not matter.
    confidence
        Chance of being best that is wanted.
    most_replications
        At which the doubling ends.
    """
    left = list(range(len(plants)))
    replications = FIRST_REPLICATIONS
    while True:
        rates = np.array([trials.rates_per_h(plants[row], replications) for row in left])
        best = int(np.argmax(rates.mean(axis=1)))
        kept = [
            place
            for place in range(len(left))
            if place == best or chance_above(rates[place] - rates[best]) > DROPPED_AT / len(plants)
        ]
        chance = chances_best(rates, tolerance_per_h)[best]
        best_row = left[best]
        left = [left[place] for place in kept]
        if len(left) == 1 or chance >= confidence or 2 * replications > most_replications:
            return best_row, left, replications
        replications *= 2


def with_places(plant: Plant, names: Sequence[str], more: Sequence[int]) -> Plant:
    """Return the plant with more places in some buffers."""
    added = dict(zip(names, more, strict=True))
    return replace(
        plant,
        buffers=tuple(replace(buffer, places=buffer.places + added.get(buffer.id, 0)) for buffer in plant.buffers),
    )


def _even(places: int, count: int) -> tuple[int, ...]:
    """Return places laid evenly, what is left over in the middle."""
    each, over = divmod(places, count)
    first = (count - over) // 2
    return tuple(each + (first <= row < first + over) for row in range(count))


def _all_allocations(places: int, count: int) -> Iterator[tuple[int, ...]]:
    for bars in combinations(range(places + count - 1), count - 1):
        ends = (-1, *bars, places + count - 1)
        yield tuple(ends[row + 1] - ends[row] - 1 for row in range(count))


@dataclass(slots=True)
class _Search:
    """Greedy laying and local exchange."""

    plant: Plant
    names: tuple[str, ...]
    trials: Trials
    plants: dict[tuple[int, ...], Plant] = field(default_factory=dict)

    def plant_of(self, allocation: tuple[int, ...]) -> Plant:
        if allocation not in self.plants:
            self.plants[allocation] = with_places(self.plant, self.names, allocation)
        return self.plants[allocation]

    def rates(self, allocation: tuple[int, ...]) -> F8:
        return self.trials.rates_per_h(self.plant_of(allocation), FIRST_REPLICATIONS)

    def candidates(self, places: int) -> list[tuple[int, ...]]:
        """Return allocations of all places that may be best."""
        for start in (self._greedy(places), _even(places, len(self.names))):
            self._exchange(start, max(1, places // STEPS))
        whole = [allocation for allocation in self.plants if sum(allocation) == places]
        return sorted(whole, key=lambda allocation: -float(self.rates(allocation).mean()))[:FINALISTS]

    def _greedy(self, places: int) -> tuple[int, ...]:
        allocation = (0,) * len(self.names)
        while (left := places - sum(allocation)) > 0:
            step = min(left, max(1, places // STEPS))
            allocation = max(self._moved(allocation, step), key=lambda moved: float(self.rates(moved).mean()))
        return allocation

    def _moved(self, allocation: tuple[int, ...], step: int) -> list[tuple[int, ...]]:
        return [
            (*allocation[:row], allocation[row] + step, *allocation[row + 1 :])
            for row in range(len(allocation))
            if allocation[row] + step >= 0
        ]

    def _exchange(self, allocation: tuple[int, ...], step: int) -> None:
        """Move portions between buffers while that helps, then smaller ones."""
        while True:
            now = self.rates(allocation)
            gains = [(float((self.rates(more) - now).mean()), more) for more in self._moved(allocation, step)]
            losses = [(float((now - self.rates(less)).mean()), less) for less in self._moved(allocation, -step)]
            promising = sorted(
                (gain - loss, tuple(m + k - a for m, k, a in zip(more, less, allocation, strict=True)))
                for gain, more in gains
                for loss, less in losses
            )
            tried = [moved for _, moved in promising[::-1] if moved != allocation][:EXCHANGES]
            best = max(tried, key=lambda moved: float(self.rates(moved).mean()), default=allocation)
            if best != allocation and float((self.rates(best) - now).mean()) > 0.0:
                allocation = best
            elif step == 1:
                return
            else:
                step = max(1, step // 2)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that may be done to a plant."""

    id: str
    """Short name."""
    cost: float
    """What it costs, in any one currency."""
    at: str
    """Station or buffer that it changes."""
    places: int = 0
    """More places (buffers)."""
    less_cycle_s: float = 0.0
    """Shorter cycle time, s."""
    mtbf_factor: float = 1.0
    """Times to failure become so many times as long."""
    mttr_factor: float = 1.0
    """Repairs take so many times as long."""
    machines: int = 0
    """More machines side by side (stations)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The cheapest set of changes that reaches a rate."""

    changes: tuple[str, ...]
    """Changes to make; empty if none is needed or none suffice."""
    cost: float
    """What they cost together."""
    reaches: bool
    """Whether the rate is reached with them; false: not even with all changes."""
    throughput_per_hour: Estimate
    """Cars an hour with them, or with all of them where these do not suffice."""
    chance_reaches: float
    """How likely the rate behind the simulation with them is at least that wanted."""
    chance_right: float
    """At least how likely it is that they reach the rate and no cheaper set does; a bound, all doubts added up."""
    whole_search: bool
    """Whether every cheaper set was ruled out, on its own or with a larger set that fails; false: the search ended."""
    sets: int
    """Sets of changes simulated."""


def cheapest(
    plant: Plant,
    changes: Sequence[Change],
    rate_per_h: float,
    *,
    days: float,
    warm_up_h: float | None = None,
    most_sets: int = 400,
    most_replications: int = 640,
    seed: int = 1,
    threads: int | None = None,
    engine: Engine | None = None,
) -> Choice:
    """Find the cheapest set of changes with which a plant reaches a rate.

    A branch-and-bound search on sets. It takes it that no change makes the plant slower, so that a set fails if a
    larger one does: this holds for lines (Glasserman and Yao 1994), and is to be looked at in plants with loops or
    shared crews. Every set is run until it is clear whether it reaches the rate, under the same luck as the others.

    Parameters
    ----------
    plant
        The plant as it is.
    changes
        What may be done, each at most once.
    rate_per_h
        Cars an hour that are wanted.
    days, warm_up_h, seed, threads, engine
        As for :func:`~coachbuilder.plant.flow.simulate.simulate`.
    most_sets
        Sets after which the search ends with the best it has.
    most_replications
        Replications of a set at which it is decided by its mean.

    Raises
    ------
    ValueError
        If a change does not fit the plant.

    Examples
    --------
    >>> from coachbuilder.plant.flow.plant import Time, serial_line
    >>> line = serial_line([Time(50.0), Time(60.0)], [1])
    >>> faster = [Change("press", 10.0, "m1", less_cycle_s=10.0), Change("robot", 30.0, "m2", less_cycle_s=5.0)]
    >>> cheapest(line, faster, 62.0, days=1.0, warm_up_h=1.0).changes
    ('robot',)
    """
    everything = frozenset(range(len(changes)))
    trials = trials_of(
        [plant, changed(plant, changes)], days=days, warm_up_h=warm_up_h, seed=seed, threads=threads, engine=engine
    )
    search = _Cheapest(plant, tuple(changes), rate_per_h, trials, most_sets, most_replications)
    if not search.reaches(everything):
        rates = search.rates(everything)
        chance = chance_above(rates, rate_per_h)
        return Choice((), 0.0, False, estimate_of(rates), chance, 1.0 - chance, True, len(search.plants))
    search.start()
    search.explore(frozenset(), everything)
    chosen = search.best
    rates = search.rates(chosen)
    chance = chance_above(rates, rate_per_h)
    widest = [one for one in search.failing if not any(one < other for other in search.failing)]
    doubts = sum(search.doubt[failing] for failing in widest)
    return Choice(
        changes=tuple(changes[row].id for row in sorted(chosen)),
        cost=search.cost(chosen),
        reaches=True,
        throughput_per_hour=estimate_of(rates),
        chance_reaches=chance,
        chance_right=max(0.0, chance - doubts) if search.whole else 0.0,
        whole_search=search.whole,
        sets=len(search.plants),
    )


def changed(plant: Plant, changes: Sequence[Change]) -> Plant:
    """Return the plant with some changes made.

    Raises
    ------
    ValueError
        If a change does not fit the plant.
    """
    buffers = {buffer.id for buffer in plant.buffers}
    for change in changes:
        if change.at in buffers:
            plant = with_places(plant, (change.at,), (change.places,))
            continue
        try:
            station = plant.station(change.at)
        except KeyError:
            message = f"change {change.id}: there is no station or buffer {change.at!r}"
            raise ValueError(message) from None
        plant = with_station(plant, _changed_station(station, change))
    return plant


def _changed_station(station: Station | MovingLine, change: Change) -> Station | MovingLine:
    times = station.takt if isinstance(station, MovingLine) else station.cycle
    if change.less_cycle_s >= min(time.mean_s for time in times) or (
        change.machines and not isinstance(station, Station)
    ):
        message = f"change {change.id}: {station.id} cannot have it"
        raise ValueError(message)
    if change.less_cycle_s:
        station = with_cycle(station, change.less_cycle_s)
    if change.mttr_factor != 1.0:
        station = with_repairs(station, change.mttr_factor)
    if change.mtbf_factor != 1.0:
        station = with_failures(
            station, lambda failure: replace(failure, to_failure=failure.to_failure.scaled(change.mtbf_factor))
        )
    if change.machines and isinstance(station, Station):
        station = replace(station, machines=station.machines + change.machines)
    return station


@dataclass(slots=True)
class _Cheapest:
    """Branch and bound over sets of changes, each set simulated until it is clear whether it reaches the rate."""

    plant: Plant
    changes: tuple[Change, ...]
    rate_per_h: float
    trials: Trials
    most_sets: int
    most_replications: int
    best: frozenset[int] = frozenset()
    whole: bool = True
    plants: dict[frozenset[int], Plant] = field(default_factory=dict)
    replications: dict[frozenset[int], int] = field(default_factory=dict)
    doubt: dict[frozenset[int], float] = field(default_factory=dict)
    reaching: list[frozenset[int]] = field(default_factory=list)
    failing: list[frozenset[int]] = field(default_factory=list)

    def cost(self, chosen: frozenset[int]) -> float:
        return sum(self.changes[row].cost for row in chosen)

    def rates(self, chosen: frozenset[int]) -> F8:
        if chosen not in self.plants:
            self.plants[chosen] = changed(self.plant, [self.changes[row] for row in sorted(chosen)])
            self.replications[chosen] = FIRST_REPLICATIONS
        return self.trials.rates_per_h(self.plants[chosen], self.replications[chosen])

    def gain(self, row: int, beside: frozenset[int] = frozenset()) -> float:
        """Return how many more cars an hour one change brings beside others."""
        with_it, without = self.rates(beside | {row}), self.rates(beside)
        common = min(with_it.size, without.size)
        return float((with_it[:common] - without[:common]).mean())

    def reaches(self, chosen: frozenset[int]) -> bool:
        """Return whether a set reaches the rate; sets between those that are known are not simulated."""
        if any(known <= chosen for known in self.reaching):
            return True
        if any(chosen <= known for known in self.failing):
            return False
        while True:
            chance = chance_above(self.rates(chosen), self.rate_per_h)
            clear = min(chance, 1.0 - chance) < UNDECIDED_AT
            if clear or 2 * self.replications[chosen] > self.most_replications:
                break
            self.replications[chosen] *= 2
        self.doubt[chosen] = min(chance, 1.0 - chance)
        (self.reaching if chance >= 0.5 else self.failing).append(chosen)
        return chance >= 0.5

    def start(self) -> None:
        """Find a set that reaches the rate: by gain for cost, then without what is not needed."""
        chosen: frozenset[int] = frozenset()
        while not self.reaches(chosen):
            rest = [row for row in range(len(self.changes)) if row not in chosen]
            chosen |= {max(rest, key=lambda row: self.gain(row, chosen) / max(self.changes[row].cost, 1e-12))}
        for row in sorted(chosen, key=lambda row: -self.changes[row].cost):
            if self.reaches(chosen - {row}):
                chosen -= {row}
        self.best = chosen

    def explore(self, taken: frozenset[int], open_: frozenset[int]) -> None:
        """Look for a cheaper set that has all of ``taken`` and any of ``open_``."""
        left = self.cost(self.best) - self.cost(taken)
        if left <= 0.0:
            return
        if len(self.plants) >= self.most_sets:
            self.whole = False
            return
        if self.reaches(taken):
            self.best = taken
            return
        affordable = frozenset(row for row in open_ if self.changes[row].cost < left)
        if not affordable or not self.reaches(taken | affordable):
            return
        # With the strongest change the rate is soon reached, and without it soon out of reach.
        row = max(affordable, key=self.gain)
        self.explore(taken | {row}, affordable - {row})
        self.explore(taken, affordable - {row})
