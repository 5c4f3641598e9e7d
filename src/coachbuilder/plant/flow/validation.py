"""The simulation against lines whose throughput is known exactly."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.formats.exact_lines import ExactLine
from coachbuilder.plant.flow.plant import Plant, Time, serial_line
from coachbuilder.plant.flow.record import Records

REPLICATIONS = 200
"""Runs of every line: enough that a mean over its standard error is all but normal (Student's t with 199 degrees)."""

PILOT_REPLICATIONS = 50
PILOT_CARS = 2_000
"""Cars that the slowest machine could make in a pilot run, from which the length of the runs is foreseen."""

MARGIN = 0.8
"""Runs are made so long that the half width is foreseen to be this share of what is wanted."""

WARM_UP = 2.0
"""A warm-up lasts so many times the square of the cars that fit into the line, in cycles of the slowest machine.

A balanced line, the slowest to settle, forgets its start with a time constant of 1 / pi^2 of that square (spectral gap
of a birth and death chain): after 2 it is out by about e^-20."""

TRIES = 8
"""Times that runs are made anew, and longer, because the half width was too large after all."""


@dataclass(frozen=True, slots=True)
class LineCheck:
    """One line, simulated."""

    line: int
    """Line in its file."""
    rates_per_time: tuple[float, ...]
    """Rate of every machine, cars per unit of time."""
    buffers: tuple[int, ...]
    """Places between neighbours."""
    throughput_exact: float
    """By theory, cars per unit of time."""
    throughput: float
    """By simulation, mean over the replications."""
    ci95: float
    """Half width of its 95 % confidence interval."""
    half_width_share: float
    """The same as a share of it."""
    standard_error: float
    """Standard error over the replications."""
    error: float
    """Simulation over theory, less 1."""
    z: float
    """Simulation less theory, over the standard error."""
    replications: int
    """Independent runs."""
    counted_time: float
    """Time that counts in each of them, in the file's unit."""
    warm_up_time: float
    """Time before it that does not."""


@dataclass(frozen=True, slots=True)
class FlowValidation:
    """All lines of a file, simulated."""

    cases: int
    """Lines compared."""
    max_abs_z: float
    """Largest z-score without its sign."""
    chi2: float
    """Sum of the squares of the z-scores; chi-square with one degree of freedom a line if the simulation is right."""
    chi2_p: float
    """Chance of a larger sum by luck alone; below 1 % speaks against the simulation, or against the table."""
    largest_half_width_share: float
    """Widest 95 % confidence interval: half of it as a share of the throughput."""
    seed: int
    """Seed."""
    rows: tuple[LineCheck, ...]
    """One a line."""


def validate(
    lines: Sequence[ExactLine],
    *,
    seed: int = 1,
    half_width: float = 0.002,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FlowValidation:
    """Simulate every line until its throughput is known well enough, and compare with theory.

    A pilot foresees how long the runs must be; the runs that count are others, all of one length fixed beforehand, so
    that the confidence interval does not decide when to stop.

    Parameters
    ----------
    lines
        Lines with their exact throughput.
    seed
        Seed; every line draws from streams of its own.
    half_width
        Half width of the 95 % confidence interval of every throughput to be stayed below, as a share of it.
    threads
        Threads to use; None takes one a core. The answer does not depend on it.
    progress
        Told how many lines are done, of how many.

    Raises
    ------
    ValueError
        If there are no lines, or the half width is not between 0 and 1.

    Examples
    --------
    >>> found = validate([ExactLine(2, (1.0, 1.0), (0,), 2.0 / 3.0)], half_width=0.02, threads=1)
    >>> found.cases, found.max_abs_z < 4.0
    (1, True)
    """
    if not lines or not 0.0 < half_width < 1.0:
        message = f"needs lines and a half width between 0 and 1, got {len(lines)} lines and {half_width}"
        raise ValueError(message)

    def check(number: int) -> LineCheck:
        # Lines with the streams of one seed would share their luck, and their z-scores would not be independent.
        return _check(lines[number], seed * 1_000_003 + number, half_width)

    rows: list[LineCheck] = []
    pool = ThreadPoolExecutor(threads or os.cpu_count() or 1)
    try:
        for row in pool.map(check, range(len(lines))):
            rows.append(row)
            if progress is not None:
                progress(len(rows), len(lines))
    finally:
        pool.shutdown(cancel_futures=True)
    from scipy.special import chdtrc

    scores = np.array([row.z for row in rows])
    chi2 = float(np.sum(scores**2))
    return FlowValidation(
        cases=len(rows),
        max_abs_z=float(np.abs(scores).max()),
        chi2=chi2,
        chi2_p=float(chdtrc(len(rows), chi2)),
        largest_half_width_share=max(row.half_width_share for row in rows),
        seed=seed,
        rows=tuple(rows),
    )


def _record(
    plant: Plant, *, seed: int, first: int, replications: int, start_s: float, batch_s: float, batches: int
) -> Records:
    """Run the simulation that a plant of this kind gets."""
    from coachbuilder.plant.flow.engine import record

    return record(
        plant,
        seed=seed,
        first=first,
        replications=replications,
        start_s=start_s,
        batch_s=batch_s,
        batches=batches,
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of independent runs."""

    values: NDArray[np.float64]
    """One a run."""
    counted_s: float
    """Time that counted in each, s."""

    @property
    def mean(self) -> float:
        """Mean."""
        return float(self.values.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of the mean."""
        return float(self.values.std(ddof=1)) / math.sqrt(self.values.size)

    @property
    def ci95(self) -> float:
        """Half width of the 95 % confidence interval of the mean (Student's t)."""
        from scipy.special import stdtrit

        return float(stdtrit(self.values.size - 1, 0.975)) * self.standard_error


def sample(measure: Callable[[int, int, float], NDArray[np.float64]], *, pilot_s: float, half_width: float) -> Sample:
    """Measure a figure of the simulation in independent runs so long that its mean is known well enough.

    A pilot foresees how long the runs must be; those that count are others, all of one length. Were it too short after
    all, which is rare, all runs are made anew and longer: no run is kept because of what it gave.

    Parameters
    ----------
    measure
        Returns the figure of each run, given the number of the first run, how many runs, and how long each counts, s.
    pilot_s
        How long the runs of the pilot count, s.
    half_width
        Half width of the 95 % confidence interval to stay below, as a share of the mean.
    """
    found = Sample(measure(0, PILOT_REPLICATIONS, pilot_s), pilot_s)
    share = found.ci95 / found.mean * math.sqrt(PILOT_REPLICATIONS / REPLICATIONS)
    first = PILOT_REPLICATIONS
    for _ in range(TRIES):
        counted_s = math.ceil(found.counted_s * max((share / (MARGIN * half_width)) ** 2, 1.0))
        found = Sample(measure(first, REPLICATIONS, counted_s), counted_s)
        first += REPLICATIONS
        share = found.ci95 / found.mean
        if share < half_width:
            break
    return found


def _check(line: ExactLine, seed: int, half_width: float) -> LineCheck:
    # One unit of time of the file is so long that the slowest machine's cycle is a minute of the simulation.
    unit_s = 60.0 * min(line.rates_per_time)
    plant = serial_line([Time.exponential(unit_s / rate) for rate in line.rates_per_time], list(line.buffers))
    room = len(line.rates_per_time) + sum(line.buffers)
    warm_up_s = WARM_UP * room**2 * 60.0

    def rates(first: int, replications: int, counted_s: float) -> NDArray[np.float64]:
        records = _record(
            plant,
            seed=seed,
            first=first,
            replications=replications,
            start_s=warm_up_s,
            batch_s=counted_s,
            batches=1,
        )
        rates: NDArray[np.float64] = records.out.sum(axis=(1, 2)) / (counted_s / unit_s)
        return rates

    # A correlation lasts as long as the warm-up's time constant; runs much shorter than it say little of longer ones.
    found = sample(rates, pilot_s=max(PILOT_CARS * 60.0, warm_up_s), half_width=half_width)
    mean, error = found.mean, found.standard_error
    return LineCheck(
        line=line.line,
        rates_per_time=line.rates_per_time,
        buffers=line.buffers,
        throughput_exact=line.throughput_per_time,
        throughput=mean,
        ci95=found.ci95,
        half_width_share=found.ci95 / mean,
        standard_error=error,
        error=mean / line.throughput_per_time - 1.0,
        z=(mean - line.throughput_per_time) / error,
        replications=found.values.size,
        counted_time=found.counted_s / unit_s,
        warm_up_time=warm_up_s / unit_s,
    )
