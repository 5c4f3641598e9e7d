"""Where buffer places help most, and the cheapest set of changes that reaches a rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from coachbuilder.plant.flow.answer import Estimate
from coachbuilder.plant.flow.bottleneck import find
from coachbuilder.plant.flow.compare import Trials, trials_of
from coachbuilder.plant.flow.estimates import F8, chance_above, chances_best, estimate_of
from coachbuilder.plant.flow.plant import MovingLine, Plant, Station
from coachbuilder.plant.flow.sensitivity import with_cycle, with_failures, with_repairs, with_station
from coachbuilder.plant.flow.simulate import Engine, Grid, replicate, runner_of

FIRST_REPLICATIONS = 16
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

MOST_BUFFERS = 20
"""A search looks at so many buffers: those at which most time is lost on both sides."""

FEWEST_TOLD = 32
"""Fresh replications from which a rate is told."""

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
    """Independent runs of the allocations that came closest. Rates and gains are told from as many that the choice has
    not seen, or it would look better than it is."""


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
        search.narrow()
        candidates = search.candidates(more_places)
    if even not in candidates:
        candidates.append(even)
    tolerance_per_h = tolerance * float(trials.rates_per_h(plant, FIRST_REPLICATIONS).mean())
    plants = [search.plant_of(allocation) for allocation in candidates]
    # Those that a search has found were lucky in its own replications.
    seen = 0 if count <= WHOLE_SEARCH else FIRST_REPLICATIONS
    selection = select_best(
        trials, plants, tolerance_per_h, seen=seen, confidence=confidence, most_replications=most_replications
    )
    place = selection.left.index(selection.best)
    less = selection.rates_per_h[place].mean() - selection.rates_per_h.mean(axis=1)
    behind = [(candidates[row], float(less[at])) for at, row in enumerate(selection.left) if at != place]
    told = max(FEWEST_TOLD, selection.rates_per_h.shape[1])
    used = seen + selection.rates_per_h.shape[1]
    best, base, spread = (
        trials.rates_per_h(item, used + told)[used:] for item in (plants[selection.best], plant, search.plant_of(even))
    )
    return Allocation(
        places=dict(zip(names, candidates[selection.best], strict=True)),
        throughput_per_hour=estimate_of(best),
        gain_per_hour=estimate_of(best - base),
        over_even_per_hour=estimate_of(best - spread),
        chance_best=selection.chance,
        tolerance_per_hour=tolerance_per_h,
        next_best=tuple(
            (dict(zip(names, other, strict=True)), lost) for other, lost in sorted(behind, key=lambda one: one[1])[:5]
        ),
        looked_at=len(search.plants),
        all_looked_at=count <= WHOLE_SEARCH,
        replications=selection.rates_per_h.shape[1],
    )


@dataclass(frozen=True, slots=True)
class Selection:
    """The best of several plants."""

    best: int
    """Which."""
    chance: float
    """How likely no other is better by more than the tolerance."""
    left: list[int]
    """Those that were not dropped on the way."""
    rates_per_h: F8
    """(left, replications) their rates, cars an hour."""


def select_best(
    trials: Trials,
    plants: Sequence[Plant],
    tolerance_per_h: float,
    *,
    seen: int = 0,
    confidence: float = 0.95,
    most_replications: int = 640,
) -> Selection:
    """Return the plant of the highest rate.

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
    seen
        Replications that do not count, because the alternatives were chosen by them.
    confidence
        Chance of being best that is wanted.
    most_replications
        At which the doubling ends.
    """
    left = list(range(len(plants)))
    replications = FIRST_REPLICATIONS
    while True:
        rates = trials.all_rates_per_h([plants[row] for row in left], seen + replications)[:, seen:]
        best = int(np.argmax(rates.mean(axis=1)))
        chance = float(chances_best(rates, tolerance_per_h)[best])
        kept = [
            place
            for place in range(len(left))
            if place == best or chance_above(rates[place] - rates[best]) > DROPPED_AT / len(plants)
        ]
        best_row, left, rates = left[best], [left[place] for place in kept], rates[kept]
        if len(left) == 1 or chance >= confidence or 2 * replications > most_replications:
            return Selection(best_row, chance, left, rates)
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
    open: tuple[int, ...] = ()
    plants: dict[tuple[int, ...], Plant] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.open = tuple(range(len(self.names)))

    def plant_of(self, allocation: tuple[int, ...]) -> Plant:
        if allocation not in self.plants:
            self.plants[allocation] = with_places(self.plant, self.names, allocation)
        return self.plants[allocation]

    def rates(self, allocation: tuple[int, ...]) -> F8:
        return self.trials.rates_per_h(self.plant_of(allocation), FIRST_REPLICATIONS)

    def narrow(self) -> None:
        """Leave to the search the buffers at which most time is lost on both sides.

        More places turn a wait before a buffer and a wait behind it into work, so that both are needed.
        """
        if len(self.names) <= MOST_BUFFERS:
            return
        grid = Grid(self.trials.start_s, self.trials.length_s, 1)
        runner = runner_of(self.plant, self.trials.engine)
        totals = replicate(self.plant, grid, runner, self.trials.seed, 0, FIRST_REPLICATIONS, self.trials.threads)
        waits = {item.station: item for item in find(self.plant, totals, 0).stations}
        lost = {}
        for buffer in self.plant.buffers:
            before = [
                waits[station.id].blocked
                for station in self.plant.stations
                if any(buffer.id in way.to for way in station.ways)
                or (station.test and buffer.id in station.test.fail_to)
            ]
            lost[buffer.id] = max(before, default=0.0) * waits[buffer.to].starved
        first = sorted(range(len(self.names)), key=lambda row: -lost[self.names[row]])[:MOST_BUFFERS]
        self.open = tuple(sorted(first))

    def candidates(self, places: int) -> list[tuple[int, ...]]:
        """Return allocations of all places that may be best."""
        for start in (self._greedy(places), self._even(places)):
            self._exchange(start, max(1, places // STEPS))
        whole = [allocation for allocation in self.plants if sum(allocation) == places]
        return sorted(whole, key=lambda allocation: -float(self.rates(allocation).mean()))[:FINALISTS]

    def _even(self, places: int) -> tuple[int, ...]:
        allocation = [0] * len(self.names)
        for row, more in zip(self.open, _even(places, len(self.open)), strict=True):
            allocation[row] = more
        return tuple(allocation)

    def _greedy(self, places: int) -> tuple[int, ...]:
        allocation = (0,) * len(self.names)
        while (left := places - sum(allocation)) > 0:
            step = min(left, max(1, places // STEPS))
            allocation = self._fastest(self._moved(allocation, step))
        return allocation

    def _run(self, allocations: list[tuple[int, ...]]) -> None:
        self.trials.all_rates_per_h([self.plant_of(allocation) for allocation in allocations], FIRST_REPLICATIONS)

    def _fastest(self, allocations: list[tuple[int, ...]]) -> tuple[int, ...]:
        self._run(allocations)
        return max(allocations, key=lambda allocation: float(self.rates(allocation).mean()))

    def _moved(self, allocation: tuple[int, ...], step: int) -> list[tuple[int, ...]]:
        return [
            (*allocation[:row], allocation[row] + step, *allocation[row + 1 :])
            for row in self.open
            if allocation[row] + step >= 0
        ]

    def _exchange(self, allocation: tuple[int, ...], step: int) -> None:
        """Move portions between buffers while that helps, then smaller ones."""
        while True:
            now = self.rates(allocation)
            more_here, less_here = self._moved(allocation, step), self._moved(allocation, -step)
            self._run(more_here + less_here)
            gains = [(float((self.rates(more) - now).mean()), more) for more in more_here]
            losses = [(float((now - self.rates(less)).mean()), less) for less in less_here]
            promising = sorted(
                (gain - loss, tuple(m + k - a for m, k, a in zip(more, less, allocation, strict=True)))
                for gain, more in gains
                for loss, less in losses
            )
            tried = [moved for _, moved in promising[::-1] if moved != allocation][:EXCHANGES]
            best = self._fastest(tried) if tried else allocation
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
        If a change does not fit the plant, costs less than nothing, or has the name of another.

    Examples
    --------
    >>> from coachbuilder.plant.flow.plant import Time, serial_line
    >>> line = serial_line([Time(50.0), Time(60.0)], [1])
    >>> faster = [Change("press", 10.0, "m1", less_cycle_s=10.0), Change("robot", 30.0, "m2", less_cycle_s=5.0)]
    >>> cheapest(line, faster, 62.0, days=1.0, warm_up_h=1.0).changes
    ('robot',)
    """
    names = [change.id for change in changes]
    for change in changes:
        if change.cost < 0.0 or names.count(change.id) > 1:
            message = f"change {change.id}: it costs less than nothing, or another has its name"
            raise ValueError(message)
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
    # The runs that chose it may have been lucky; it is told from others.
    used = search.rates(chosen).size
    rates = trials.rates_per_h(search.plants[chosen], used + max(used, FEWEST_TOLD))[used:]
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
        of_station = change.less_cycle_s, change.mtbf_factor - 1.0, change.mttr_factor - 1.0, change.machines
        if change.at in buffers:
            if any(of_station) or change.places < 1:
                message = f"change {change.id}: buffer {change.at} can only have more places"
                raise ValueError(message)
            plant = with_places(plant, (change.at,), (change.places,))
            continue
        try:
            station = plant.station(change.at)
        except KeyError:
            message = f"change {change.id}: there is no station or buffer {change.at!r}"
            raise ValueError(message) from None
        if change.places or not any(of_station):
            message = f"change {change.id}: a station can have a shorter cycle, other failures or more machines"
            raise ValueError(message)
        plant = with_station(plant, _changed_station(station, change))
    return plant


def _changed_station(station: Station | MovingLine, change: Change) -> Station | MovingLine:
    times = station.takt if isinstance(station, MovingLine) else station.cycle
    if change.less_cycle_s >= min(time.mean_s for time in times):
        message = f"change {change.id}: {station.id} has no cycle of more than {change.less_cycle_s:g} s"
        raise ValueError(message)
    if change.machines and isinstance(station, MovingLine):
        message = f"change {change.id}: {station.id} is a moving line and has no machines side by side"
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
