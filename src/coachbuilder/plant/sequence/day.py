"""Answers a day of the literature's file formats: a build order and how good it is known to be."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coachbuilder.formats.car_sequencing import CarSequencingDay
from coachbuilder.plant.sequence.bounds import SequenceBounds, lower_bounds, objective_weights
from coachbuilder.plant.sequence.evaluate import count
from coachbuilder.plant.sequence.inputs import inputs_of
from coachbuilder.plant.sequence.interface import SequenceCounts, SequenceInputs, SequenceObjective
from coachbuilder.plant.sequence.joint import raised_bounds

TELLING_S = 0.2
"""Least time between two orders that are told."""
BOUNDING_SHARE, MOST_BOUNDING_S = 0.05, 3.0
"""Part of the time of a search, and most seconds, in which one thread beside it bounds the rules together."""
PROOF_SHARE = 0.25
"""Part of the time of a proof for these bounds; the exact model has the rest."""


@dataclass(frozen=True, slots=True)
class DayObjective:
    """One of the objectives, most important first."""

    name: str
    """Its name in the file."""
    objective: SequenceObjective
    """Which one it is."""
    value: int
    """What the order has."""
    lower_bound: int
    """No order has less."""
    weight: int
    """Its weight in the weighted sum."""


@dataclass(frozen=True, slots=True)
class DayAnswer:
    """A build order of a day, counted, and how good it is known to be."""

    day: CarSequencingDay
    """The day."""
    order: tuple[int, ...]
    """Position in ``day.cars`` of the car at each place."""
    counts: SequenceCounts
    """The order counted."""
    objectives: tuple[DayObjective, ...]
    """The objectives by rank."""
    lower_bounds_by_rule: tuple[int, ...]
    """Least excess of each rule, or its fewest broken windows for a CSPLib file."""
    lower_bound: int
    """No order has a lower weighted sum."""
    proven: bool
    """Whether no order is better."""
    gap: float
    """Part of the weighted sum that lies above the lower bound, from 0 to 1; 1 if the order breaks the batch limit."""
    time_s: float
    """Duration of the search, and of the proof if one was asked for."""
    evaluations: int | None
    """Changes that the search looked at; none while it still goes on."""
    seed: int
    """Seed of the search."""
    threads: int
    """Threads of the search."""
    history: tuple[tuple[float, int], ...]
    """Seconds and weighted sum of each improvement."""
    remark: str
    """What the proof did not show, in words; empty where none was asked for or nothing is missing."""


def available_cores() -> int:
    """Return how many cores this process may use."""
    told = getattr(os, "process_cpu_count", None)  # from Python 3.13 on
    if told is not None:
        return int(told() or 1)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def answer_day(
    day: CarSequencingDay,
    *,
    time_limit_s: float = 60.0,
    seed: int = 1,
    threads: int | None = None,
    prove_s: float | None = None,
    progress: Callable[[DayAnswer], None] | None = None,
) -> DayAnswer:
    """Find a build order of a day within a time; it stops earlier at an order that is proven to be the best.

    Parameters
    ----------
    day
        As read by :mod:`coachbuilder.formats.car_sequencing`.
    time_limit_s
        Time after which the search ends.
    seed
        Seed of the search.
    threads
        Threads of the search; as many as cores unless told.
    prove_s
        Time for bounds on the rules together and then for the exact model, after the search; none unless told.
    progress
        Called with better answers as they come, a few times a second at most, the first one early; then with what the
        search found.

    Raises
    ------
    InputError
        If a proof is asked for that needs the exact model, and ortools is not installed.

    Examples
    --------
    >>> from coachbuilder.formats.car_sequencing import RatioRule
    >>> day = CarSequencingDay(
    ...     cars=("a", "b", "c"), colours=("red", "blue", "red"), options=((True,), (False,), (True,)),
    ...     rules=(RatioRule("roof", 1, 2, True),), previous_colours=(), previous_options=(),
    ...     objectives=("high", "colour"), longest_batch=10, short_windows=True,
    ... )  # fmt: skip
    >>> answer = answer_day(day, time_limit_s=0.1, threads=1)
    >>> answer.counts.high_priority_excess, answer.counts.colour_changes
    (0, 2)
    """
    from coachbuilder.plant.sequence.engine import search

    inputs = inputs_of(day, evaluations=0, seed=seed)
    threads = threads or available_cores()
    bounds = lower_bounds(inputs)
    _compile_kernels()
    started = time.monotonic()
    history: list[tuple[float, int]] = []
    best: list[tuple[int, int]] = []
    known = [bounds]
    latest: list[NDArray[np.int64]] = []
    told_at: list[float] = []
    stop, done = threading.Event(), threading.Event()

    def answer(order: NDArray[np.int64], evaluations: int | None) -> DayAnswer:
        return replace(
            _answer(day, inputs, order, known[-1], known[-1].objective, False),
            time_s=time.monotonic() - started, evaluations=evaluations, seed=seed, threads=threads,
            history=tuple(history),
        )  # fmt: skip

    def note(order: NDArray[np.int64]) -> None:
        counts = count(inputs, order)
        reached = (counts.batch_excess_cars, counts.objective)
        if not best or reached < best[-1]:
            best.append(reached)
            history.append((round(time.monotonic() - started, 3), counts.objective))
        if reached[0] == 0 and reached[1] <= known[-1].objective:
            stop.set()

    def tell(order: NDArray[np.int64], *, now: bool = False) -> None:
        """Count and tell a better order, but not each of the hundreds that come in the first second."""
        latest[:] = [order]
        if now or not told_at or time.monotonic() - told_at[-1] >= TELLING_S:
            note(order)
            if progress is not None:
                progress(answer(order, None))
            told_at[:] = [time.monotonic()]

    def raise_bounds() -> None:
        """Bound the rules together once half of the time is over, and end the search if that proves its order."""
        if done.wait(time_limit_s / 2) or not best:
            return
        for_bounds = min(MOST_BOUNDING_S, BOUNDING_SHARE * time_limit_s)
        known.append(raised_bounds(inputs, bounds, reached=best[-1][1], time_limit_s=for_bounds, stop=done))
        if best[-1][0] == 0 and best[-1][1] <= known[-1].objective:
            stop.set()

    bounding = threading.Thread(target=raise_bounds, daemon=True)
    bounding.start()
    try:
        found = search(
            inputs, time_limit_s=time_limit_s, threads=threads, target=bounds.objective,
            progress=lambda better: tell(better.order), stop=stop,
        )  # fmt: skip
    except KeyboardInterrupt:
        stop.set()
        if latest:
            tell(latest[-1], now=True)
        raise
    finally:
        done.set()
        bounding.join()
    order = np.asarray(found.order, dtype=np.int64)
    note(order)
    if found.history and found.history[-1][1] == best[-1][1]:
        history[:] = [(round(at, 3), value) for at, value in found.history]
    result = answer(order, found.evaluations)
    if progress is not None:
        progress(result)
    if prove_s is None or result.proven:
        return result
    return _proven(result, inputs, known[-1], prove_s, threads)


def count_day(
    day: CarSequencingDay, order: Sequence[int], *, prove_s: float | None = None, threads: int | None = None
) -> DayAnswer:
    """Count a given order of a day; nothing is searched for.

    Parameters
    ----------
    day
        As read by :mod:`coachbuilder.formats.car_sequencing`.
    order
        Position in ``day.cars`` of the car at each place.
    prove_s
        Time for bounds on the rules together and then for the exact model; none unless told.
    threads
        Its threads; as many as cores unless told.
    """
    inputs = inputs_of(day, evaluations=0, seed=0)
    bounds = lower_bounds(inputs)
    result = _answer(day, inputs, np.array(order, dtype=np.int64), bounds, bounds.objective, False)
    if prove_s is None or result.proven:
        return result
    return _proven(result, inputs, bounds, prove_s, threads or available_cores())


def _proven(
    found: DayAnswer, inputs: SequenceInputs, bounds: SequenceBounds, prove_s: float, threads: int
) -> DayAnswer:
    """Return the answer with what bounds on the rules together, and then the exact model, show of it."""
    from coachbuilder.plant.sequence.exact import prove

    started = time.monotonic()
    order = np.array(found.order, dtype=np.int64)
    raised = raised_bounds(inputs, bounds, reached=found.counts.objective, time_limit_s=PROOF_SHARE * prove_s)
    left_s = prove_s - (time.monotonic() - started)
    proof = prove(inputs, order, found.counts, time_limit_s=left_s, threads=threads, bounds=raised)
    time_s = found.time_s + time.monotonic() - started
    order = order if proof.order is None else proof.order
    told = _answer(found.day, inputs, order, raised, proof.lower_bound, proof.proven)
    history = found.history
    if proof.order is not None:
        history = (*history, (round(time_s, 3), told.counts.objective))
    return replace(
        told, time_s=time_s, evaluations=found.evaluations, seed=found.seed, threads=found.threads, history=history,
        remark=proof.remark,
    )  # fmt: skip


def _compile_kernels() -> None:
    """Search a tiny day first: the time limit is one for the search, not for the compiler on the first run."""
    from coachbuilder.formats.car_sequencing import RatioRule
    from coachbuilder.plant.sequence.engine import search

    for short in (True, False):
        tiny = CarSequencingDay(
            cars=tuple("abcdef"),
            colours=tuple("rrbbrb"),
            options=((True,), (True,), (True,), (False,), (False,), (True,)),
            rules=(RatioRule("roof", 1, 2, True),),
            previous_colours=("r",) if short else (),
            previous_options=((True,),) if short else (),
            objectives=("high", "colour"),
            longest_batch=6,
            short_windows=short,
        )
        search(inputs_of(tiny, evaluations=1_000, seed=1), target=-1)


def _answer(
    day: CarSequencingDay,
    inputs: SequenceInputs,
    order: NDArray[np.int64],
    bounds: SequenceBounds,
    lower_bound: int,
    proven: bool,
) -> DayAnswer:
    """Return an order counted and compared with the bounds; what belongs to a search is left empty."""
    counts = count(inputs, order)
    weights = objective_weights(inputs)
    high, low = counts.high_priority_excess, counts.low_priority_excess
    values = {
        SequenceObjective.HIGH_PRIORITY: (
            counts.violated_windows if inputs.count_windows else high,
            bounds.high_priority,
        ),
        SequenceObjective.LOW_PRIORITY: (low, bounds.low_priority),
        SequenceObjective.COLOUR_CHANGES: (counts.colour_changes, bounds.colour_changes),
    }
    names = day.objective_names or tuple(objective.value for objective in inputs.objectives)
    # An order that breaks the batch limit is not allowed: to reach the bound with it proves nothing.
    kept = counts.batch_excess_cars == 0
    reached = kept and counts.objective <= lower_bound
    part_above = max(0, counts.objective - lower_bound) / max(1, counts.objective)
    return DayAnswer(
        day=day,
        order=tuple(int(car) for car in order),
        counts=counts,
        objectives=tuple(
            DayObjective(name, objective, *values[objective], weights[objective])
            for name, objective in zip(names, inputs.objectives, strict=True)
        ),
        lower_bounds_by_rule=bounds.by_rule,
        lower_bound=lower_bound,
        proven=reached or (kept and proven),
        gap=0.0 if reached or (kept and proven) else part_above if kept else 1.0,
        time_s=0.0,
        evaluations=0,
        seed=inputs.seed,
        threads=0,
        history=(),
        remark="",
    )


__all__ = ["DayAnswer", "DayObjective", "answer_day", "available_cores", "count_day"]
