"""Simulates a plant: as many replications as asked for, or as many as a precision needs, on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np

from coachbuilder.plant.flow.answer import PlantAnswer
from coachbuilder.plant.flow.estimates import estimate_of, mser
from coachbuilder.plant.flow.plant import Plant
from coachbuilder.plant.flow.record import TOO_MANY_EVENTS, Records
from coachbuilder.plant.flow.reduction import Totals, exits_of, joined, reduced

Engine = Literal["event calendar", "recursion", "recursion on a GPU"]
Progress = Callable[[int, int], None]
"""Told how many replications are done, of how many."""

BATCHES = 50
"""Batches of a run; with calendars about as many, each of whole periods."""

FEWEST_PERIODS = 4
"""Whole periods of the calendars in a run below which batches do not follow them."""

PORTIONS = 16
"""Replications run in about so many portions, however many cores there are, so that sums are the same on any number."""

RECURSION_TOGETHER = 16
"""Replications that the recursion runs as one vector."""

GPU_TOGETHER = 4096
"""Replications that a GPU runs at once."""

PORTION_BYTES = 128_000_000
"""A portion leaves at most about so much behind before it is added up."""

FEWEST_FOR_PRECISION = 16
"""Replications before a precision may stop a simulation: with fewer the spread itself is not known well enough. Of
1,200 intervals stopped in this way 94 % held the known rate; with 10 it was 92.7 %."""

MOST_REPLICATIONS = 4096
"""Replications at which a simulation stops that does not reach its precision."""

HOUR_S = 3600.0
DAY_S = 86_400.0


class Recorder(Protocol):
    """What both engines are."""

    def __call__(
        self, plant: Plant, *, seed: int, first: int, replications: int, start_s: float, batch_s: float, batches: int
    ) -> Records:
        """Run some replications."""


@dataclass(frozen=True, slots=True)
class Runner:
    """An engine that is to run a plant."""

    name: Engine
    """Which."""
    record: Recorder
    """Runs replications."""
    together: int
    """Replications that it runs in the time of one."""


@dataclass(frozen=True, slots=True)
class Grid:
    """When a run counts."""

    start_s: float
    """When counting starts, s."""
    batch_s: float
    """Length of a batch, s."""
    batches: int
    """Batches."""


def simulate(
    plant: Plant,
    *,
    days: float,
    replications: int = 10,
    warm_up_h: float | None = None,
    seed: int = 1,
    threads: int | None = None,
    precision: float | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> PlantAnswer:
    """Simulate a plant; the answer is the same on any number of cores.

    Parameters
    ----------
    plant
        The plant.
    days
        Length of each run in days of 24 h, on the plant's clock: without calendars this is working time. A warm-up
        that is given comes before it; one that is found is part of it.
    replications
        Independent runs; with ``precision`` the fewest.
    warm_up_h
        Time at the start that does not count, h. None: runs start to count at once, and MSER-5 on their output says
        how much to cut off.
    seed
        Seed of all random streams.
    threads
        Threads to use; None takes one a core.
    precision
        Add replications until the 95 % half width of the throughput is below this share of it, at most
        ``MOST_REPLICATIONS``. A sequential rule in the manner of Chow and Robbins (1965) that foresees from the spread
        so far how many are needed.
    engine
        ``event calendar`` or ``recursion`` (plain lines only); None takes the faster one that can. ``recursion on a
        GPU`` is taken only if asked for.
    progress
        Told the replications done and those to be done.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the recursion is asked for a plant that is no plain line.
    RuntimeError
        If cars are lost or multiply, or a run does not come to its end: a fault of ours.

    Examples
    --------
    >>> from coachbuilder.plant.flow.plant import Time, serial_line
    >>> answer = simulate(serial_line([Time(60.0), Time(50.0)], [3]), days=1.0, replications=2, warm_up_h=1.0)
    >>> answer.throughput_per_hour.mean, answer.bottleneck.station
    (60.0, 'm1')
    """
    from coachbuilder.plant.flow.conclude import conclude

    if replications < 1:
        message = f"replications must be 1 or more, got {replications}"
        raise ValueError(message)
    if precision is not None and not 0.0 < precision < 1.0:
        message = f"precision must be a share between 0 and 1, got {precision}"
        raise ValueError(message)
    runner = runner_of(plant, engine)
    grid = grid_of(plant, days, warm_up_h)
    wanted = replications if precision is None else max(replications, FEWEST_FOR_PRECISION)
    parts: list[Totals] = []
    remarks: list[str] = []
    if warm_up_h is None and plant.calendars and grid.batches == BATCHES and grid.batch_s < _period_s(plant):
        remarks.append("the run has too few periods of the shifts for its rate to be that of whole periods")
    done = 0
    while True:
        parts.append(replicate(plant, grid, runner, seed, done, wanted - done, threads, progress))
        totals = joined(parts)
        parts = [totals]
        done = wanted
        cut, rule = warm_up_of(totals, warm_up_h)
        if precision is None:
            break
        share = _half_width_share(totals, cut)
        if share <= precision:
            remarks.append(f"stopped after {done} replications at a half width of {share:.3%}, below {precision:.3%}")
            break
        if done >= MOST_REPLICATIONS:
            remarks.append(
                f"stopped at the most replications, {done}, with a half width of {share:.3%} and not {precision:.3%}"
            )
            break
        needed = int(np.ceil(done * min((share / precision) ** 2, 4.0)))
        wanted = min(max(needed, done + 2), MOST_REPLICATIONS)
    return conclude(plant, totals, cut, warm_up_rule=rule, engine=runner.name, remarks=tuple(remarks))


def _half_width_share(totals: Totals, cut: int) -> float:
    estimate = estimate_of(totals.rates_per_h(cut))
    if estimate.ci95 is None or estimate.mean == 0.0:
        return 0.0
    return estimate.ci95 / estimate.mean


def runner_of(plant: Plant, engine: Engine | None = None) -> Runner:
    """Return the engine that is to run a plant.

    Raises
    ------
    ValueError
        If the recursion is asked for a plant that is no plain line, or there is no such engine.
    """
    if engine not in (None, *get_args(Engine)):
        message = f"the engines are 'event calendar', 'recursion' and 'recursion on a GPU', got {engine!r}"
        raise ValueError(message)
    if engine == "recursion on a GPU":
        from coachbuilder.plant.flow import recursion
        from coachbuilder.plant.flow.recursion.cuda import run

        refusal = recursion.why_not(plant) or run.why_no_device()
        if refusal:
            message = f"the recursion on a GPU cannot run this plant: {refusal}"
            raise ValueError(message)
        return Runner(engine, run.record, GPU_TOGETHER)
    if engine != "event calendar":
        from coachbuilder.plant.flow import recursion

        reason = recursion.why_not(plant)
        if not reason:
            return Runner("recursion", recursion.record, RECURSION_TOGETHER)
        if engine == "recursion":
            message = f"the recursion cannot run this plant: {reason}"
            raise ValueError(message)
    from coachbuilder.plant.flow.engine import record

    return Runner("event calendar", record, 1)


def grid_of(plant: Plant, days: float, warm_up_h: float | None) -> Grid:
    """Return the batches of a run; with calendars each is of whole periods if the run has enough of them.

    Raises
    ------
    ValueError
        If a time is out of its range.
    """
    if not days > 0.0 or (warm_up_h is not None and not warm_up_h >= 0.0):
        message = f"days must be above 0 and warm_up_h 0 or more, got {days} and {warm_up_h}"
        raise ValueError(message)
    length_s = days * DAY_S
    start_s = 0.0 if warm_up_h is None else warm_up_h * HOUR_S
    period_s = _period_s(plant)
    if period_s > 0.0 and length_s >= FEWEST_PERIODS * period_s and warm_up_h is None:
        periods = max(1, round(length_s / (BATCHES * period_s)))
        return Grid(start_s, periods * period_s, int(length_s / (periods * period_s)))
    return Grid(start_s, length_s / BATCHES, BATCHES)


def _period_s(plant: Plant) -> float:
    return max((calendar.period_s for calendar in plant.calendars), default=0.0)


def warm_up_of(totals: Totals, warm_up_h: float | None) -> tuple[int, str]:
    """Return how many batches to cut off, and the rule in words."""
    if warm_up_h is not None:
        return 0, "given"
    cut, at_limit = mser(totals.batch_rates_per_h().mean(axis=0))
    if at_limit:
        return cut, "MSER-5; no steady state found within half of the run, it may be too short"
    return cut, "MSER-5"


def replicate(
    plant: Plant,
    grid: Grid,
    runner: Runner,
    seed: int,
    first: int,
    replications: int,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Totals:
    """Run replications ``first`` and on in portions over the cores and return their totals.

    Raises
    ------
    RuntimeError
        If cars are lost or multiply, or a run does not come to its end: a fault of ours.
    """
    size = _portion_size(plant, grid, replications, runner.together)
    starts = range(first, first + replications, size)
    exits = exits_of(plant)

    def portion(start: int) -> Totals:
        count = min(size, first + replications - start)
        records = runner.record(
            plant,
            seed=seed,
            first=start,
            replications=count,
            start_s=grid.start_s,
            batch_s=grid.batch_s,
            batches=grid.batches,
        )
        if np.any(records.ended >= TOO_MANY_EVENTS):
            message = "the simulation lost count of its cars or did not come to its end; please report this plant"
            raise RuntimeError(message)
        return reduced(records, exits)

    workers = min(len(starts), threads or os.cpu_count() or 1)
    parts: list[Totals] = []
    with ThreadPoolExecutor(workers) as pool:
        for part in map(portion, starts) if workers == 1 else pool.map(portion, starts):
            parts.append(part)
            if progress is not None:
                progress(min(starts[len(parts) - 1] + size, first + replications), first + replications)
    return joined(parts)


def _portion_size(plant: Plant, grid: Grid, replications: int, together: int) -> int:
    machines = sum(getattr(station, "machines", 1) for station in plant.stations)
    types = len(plant.types)
    bytes_each = 8 * (grid.batches + 1) * (machines * (9 + types) + len(plant.buffers) + 10 * types)
    groups = min(-(-replications // (PORTIONS * together)), PORTION_BYTES // (bytes_each * together))
    return max(1, groups) * together
