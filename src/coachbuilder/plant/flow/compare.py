"""Compares variants of a plant under the same luck."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from coachbuilder.plant.flow.answer import Estimate
from coachbuilder.plant.flow.estimates import F8, chance_above, estimate_of
from coachbuilder.plant.flow.plant import Plant
from coachbuilder.plant.flow.record import STANDSTILL
from coachbuilder.plant.flow.simulate import (
    HOUR_S,
    Engine,
    Grid,
    Progress,
    grid_of,
    replicate,
    runner_of,
    warm_up_of,
)


@dataclass(slots=True)
class Trials:
    """Runs many variants of a plant under the same luck, and remembers what it has run.

    Parameters
    ----------
    start_s
        Warm-up, s.
    length_s
        Time that counts in each run, s.
    """

    start_s: float
    length_s: float
    seed: int
    threads: int | None = None
    engine: Engine | None = None
    _known: dict[int, tuple[Plant, F8]] = field(default_factory=dict)

    def rates_per_h(self, plant: Plant, replications: int) -> F8:
        """Return (replications,) cars that leave an hour; replication r has the same luck in every plant."""
        return self._known_rates(plant, replications, self.threads)

    def all_rates_per_h(self, plants: Sequence[Plant], replications: int) -> F8:
        """Return (plants, replications) the same for several plants, with the cores shared between them."""
        workers = self.threads or os.cpu_count() or 1
        with ThreadPoolExecutor(workers) as pool:
            return np.array(list(pool.map(lambda plant: self._known_rates(plant, replications, 1), plants)))

    def _known_rates(self, plant: Plant, replications: int, threads: int | None) -> F8:
        known = self._known.get(id(plant))
        rates = known[1] if known is not None else np.zeros(0)
        if rates.size < replications:
            runner = runner_of(plant, self.engine)
            missing = replications - rates.size
            grid = Grid(self.start_s, self.length_s, 1)
            totals = replicate(plant, grid, runner, self.seed, rates.size, missing, threads)
            rates = np.concatenate([rates, totals.rates_per_h(0)])
            # The plant is kept as well, so that its id stays its own.
            self._known[id(plant)] = (plant, rates)
        return rates[:replications]


def trials_of(
    plants: list[Plant],
    *,
    days: float,
    warm_up_h: float | None,
    seed: int,
    threads: int | None = None,
    engine: Engine | None = None,
    pilots: int = 16,
) -> Trials:
    """Return trials of ``days`` each; a warm-up that is not given is the longest that MSER-5 finds in pilot runs.

    Parameters
    ----------
    plants
        Plants that the pilot runs are made of.
    days
        Length of each run in days of 24 h; a warm-up that is found is part of it.
    warm_up_h
        Warm-up, h; None finds it.
    pilots
        Pilot runs of each plant.
    """
    longest_s = 0.0 if warm_up_h is None else warm_up_h * HOUR_S
    length_s = grid_of(plants[0], days, warm_up_h).batch_s * grid_of(plants[0], days, warm_up_h).batches
    if warm_up_h is None:
        for plant in plants:
            grid = grid_of(plant, days, None)
            totals = replicate(plant, grid, runner_of(plant, engine), seed, 0, pilots, threads)
            longest_s = max(longest_s, warm_up_of(totals, None)[0] * grid.batch_s)
        length_s -= longest_s
    return Trials(longest_s, length_s, seed, threads, engine)


@dataclass(frozen=True, slots=True)
class VariantAnswer:
    """One variant beside the plant as it is."""

    name: str
    """Its name."""
    throughput_per_hour: Estimate
    """Cars that leave an hour."""
    difference_per_hour: Estimate
    """More cars an hour than the plant as it is, with the interval of paired differences."""
    chance_better: float
    """How likely its true rate is the higher one."""
    luck_removed: float
    """Share of the variance of the difference that the common luck takes away; 0 would be that of separate runs."""
    stands_still: bool
    """Whether some of its runs stand still for good."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Variants of a plant under the same luck."""

    throughput_per_hour: Estimate
    """Cars that leave the plant as it is an hour."""
    variants: tuple[VariantAnswer, ...]
    """The variants in the order in which they were given."""
    warm_up_s: float
    """Time cut off, the same for all, s."""
    warm_up_rule: str
    """How it was found."""
    counted_s: float
    """Time that counts in each run, s."""
    replications: int
    """Independent runs of each."""


def compare(
    plant: Plant,
    variants: dict[str, Plant],
    *,
    days: float,
    replications: int = 32,
    warm_up_h: float | None = None,
    seed: int = 1,
    threads: int | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare variants with the plant as it is, replication by replication with common random numbers.

    Machines, sources and failures draw from streams named after them, so that what a variant leaves alone has the same
    luck in it; the difference is then known far better than either rate (Law 2015, section 11.2). Intervals hold for
    each difference on its own.

    Parameters
    ----------
    plant
        The plant as it is.
    variants
        Variants by name; stations and buffers that mean the same must have the same names.
    days, warm_up_h, seed, threads, engine
        As for :func:`~coachbuilder.plant.flow.simulate.simulate`; a warm-up that is not given is the longest that
        MSER-5 finds in any of them.
    replications
        Independent runs of each, at least 2.
    progress
        Told the plants done and those to be done.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> from coachbuilder.plant.flow.plant import Time, serial_line
    >>> slow, fast = (serial_line([Time(60.0), Time(cycle)], [3]) for cycle in (90.0, 80.0))
    >>> compare(slow, {"fast": fast}, days=1.0, warm_up_h=1.0, replications=2).variants[0].difference_per_hour.mean
    5.0
    """
    if replications < 2:
        message = f"replications must be 2 or more, got {replications}"
        raise ValueError(message)
    plants = [plant, *variants.values()]
    all_totals = []
    for done, variant in enumerate(plants):
        runner = runner_of(variant, engine)
        grid = grid_of(plant, days, warm_up_h)
        all_totals.append(replicate(variant, grid, runner, seed, 0, replications, threads))
        if progress is not None:
            progress(done + 1, len(plants))
    cut, rule = max(warm_up_of(totals, warm_up_h) for totals in all_totals)
    base = all_totals[0].rates_per_h(cut)
    answers = []
    for name, totals in zip(variants, all_totals[1:], strict=True):
        rates = totals.rates_per_h(cut)
        apart = rates - base
        separate = float(np.var(rates) + np.var(base))
        answers.append(
            VariantAnswer(
                name=name,
                throughput_per_hour=estimate_of(rates),
                difference_per_hour=estimate_of(apart),
                chance_better=chance_above(apart),
                luck_removed=1.0 - float(np.var(apart)) / separate if separate > 0.0 else 0.0,
                stands_still=bool(np.any(totals.ended == STANDSTILL)),
            )
        )
    return Comparison(
        throughput_per_hour=estimate_of(base),
        variants=tuple(answers),
        warm_up_s=all_totals[0].start_s + cut * all_totals[0].batch_s,
        warm_up_rule=rule,
        counted_s=all_totals[0].counted_s(cut),
        replications=replications,
    )
