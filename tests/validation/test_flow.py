"""The flow simulation against answers that come from elsewhere."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.plant.flow import simulate_line

UNIT_S = 60.0
"""One unit of time of the exact solutions, in seconds of the simulation."""


@dataclass(frozen=True)
class Line:
    """A saturated line with exponential cycle times; rates per unit of time."""

    rates: tuple[float, ...]
    buffers: tuple[int, ...]
    mtbf: tuple[float, ...] = ()
    mttr: tuple[float, ...] = ()


def z_score(line: Line, exact: float, seed: int, replications: int = 100, units: float = 3000.0) -> float:
    result = simulate_line(
        [UNIT_S / rate for rate in line.rates],
        line.buffers,
        hours=units * UNIT_S / 3600.0,
        warm_up_h=200.0 * UNIT_S / 3600.0,
        exponential=True,
        mtbf_s=[UNIT_S * value for value in line.mtbf] or None,
        mttr_s=[UNIT_S * value for value in line.mttr] or None,
        replications=replications,
        seed=seed,
    )
    assert result.standard_error_per_h is not None
    return (result.throughput_per_h - exact * 3600.0 / UNIT_S) / result.standard_error_per_h


def exact_throughput(line: Line) -> float:
    """Solve the Markov chain of a line: blocking after service, failures during operation.

    A state holds for every machine W (at work), D (in repair), B (blocked) or S (starved), and every buffer's level.
    """
    count = len(line.rates)
    levels = tuple(0 for _ in line.buffers)
    start = (("W",) + ("S",) * (count - 1), levels)
    index = {start: 0}
    queue = [start]
    flows: list[tuple[int, int, float]] = []
    while queue:
        state = queue.pop()
        for after, rate in _moves(line, state):
            if after not in index:
                index[after] = len(index)
                queue.append(after)
            flows.append((index[state], index[after], rate))
    generator = np.zeros((len(index), len(index)))
    for here, there, rate in flows:
        generator[here, there] += rate
        generator[here, here] -= rate
    system = np.vstack([generator.T, np.ones(len(index))])
    right = np.append(np.zeros(len(index)), 1.0)
    probability = np.linalg.lstsq(system, right, rcond=None)[0]
    return sum(probability[place] * line.rates[-1] for (states, _), place in index.items() if states[-1] == "W")


def _moves(
    line: Line, state: tuple[tuple[str, ...], tuple[int, ...]]
) -> list[tuple[tuple[tuple[str, ...], tuple[int, ...]], float]]:
    moves = []
    machines, levels = state
    for place, status in enumerate(machines):
        if status == "W":
            moves.append((_finished(line, list(machines), list(levels), place), line.rates[place]))
            if line.mtbf:
                broken = (*machines[:place], "D", *machines[place + 1 :])
                moves.append(((broken, levels), 1.0 / line.mtbf[place]))
        elif status == "D":
            mended = (*machines[:place], "W", *machines[place + 1 :])
            moves.append(((mended, levels), 1.0 / line.mttr[place]))
    return moves


def _finished(
    line: Line, machines: list[str], levels: list[int], place: int
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    if place < len(machines) - 1:
        if machines[place + 1] == "S":
            machines[place + 1] = "W"
        elif levels[place] < line.buffers[place]:
            levels[place] += 1
        else:
            machines[place] = "B"
            return tuple(machines), tuple(levels)
    while True:
        if place == 0:
            machines[0] = "W"
            break
        if levels[place - 1] > 0:
            machines[place] = "W"
            if machines[place - 1] != "B":
                levels[place - 1] -= 1
                break
        elif machines[place - 1] == "B":
            machines[place] = "W"
        else:
            machines[place] = "S"
            break
        place -= 1
    return tuple(machines), tuple(levels)


def exact_cases(folder: Path) -> list[tuple[Line, float]]:
    with (folder / "flow" / "exact_exponential_lines.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    return [
        (
            Line(
                tuple(float(text) for text in row["rates_per_time"].split()),
                tuple(int(text) for text in row["buffers"].split()),
            ),
            float(row["throughput_exact"]),
        )
        for row in rows
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_exact_exponential_lines_are_met_within_chance(shared_data: Path, seed: int) -> None:
    from scipy.stats import chi2

    scores = np.array([z_score(line, exact, seed) for line, exact in exact_cases(shared_data)])
    assert scores.size == 35
    assert np.abs(scores).max() < 4.0
    assert chi2.sf(float((scores**2).sum()), scores.size) > 0.01


@pytest.mark.parametrize(
    ("machines", "published"),
    [(3, 0.5641), (4, 0.5148)],
)
def test_hillier_and_boling_lines_without_buffers(machines: int, published: float) -> None:
    line = Line((1.0,) * machines, (0,) * (machines - 1))
    assert exact_throughput(line) == pytest.approx(published, abs=5e-5)
    assert abs(z_score(line, exact_throughput(line), seed=4)) < 4.0


@pytest.mark.parametrize(("first", "second", "places"), [(1.0, 1.0, 0), (1.0, 1.3, 2), (1.7, 1.0, 5)])
def test_two_machines_meet_the_closed_form(first: float, second: float, places: int) -> None:
    """The second machine sees a queue of at most places + 2 cars, the blocked one counted (M/M/1/K)."""
    ratio = first / second
    empty = 1.0 / sum(ratio**cars for cars in range(places + 3))
    exact = second * (1.0 - empty)
    line = Line((first, second), (places,))
    assert exact_throughput(line) == pytest.approx(exact, rel=1e-9)
    assert abs(z_score(line, exact, seed=5)) < 4.0


@pytest.mark.parametrize(
    "line",
    [
        Line((1.0, 1.0), (0,), (10.0, 10.0), (3.0, 3.0)),
        Line((1.2, 1.0), (3,), (20.0, 8.0), (5.0, 2.0)),
        Line((1.0, 1.1, 0.9), (1, 2), (12.0, 15.0, 30.0), (2.0, 4.0, 3.0)),
    ],
    ids=["no buffer", "two machines", "three machines"],
)
def test_lines_that_fail_meet_their_markov_chain(line: Line) -> None:
    exact = exact_throughput(line)
    score = z_score(line, exact, seed=6, units=6000.0)
    assert abs(score) < 4.0
    # The check can tell: failures at any time instead of during operation would miss by far more.
    assert exact < exact_throughput(Line(line.rates, line.buffers))


def test_single_machine_that_fails_has_the_textbook_availability() -> None:
    line = simulate_line([60.0], [], hours=2000.0, mtbf_s=[3000.0], mttr_s=[600.0], replications=20)
    assert line.ci95_per_h is not None
    assert line.throughput_per_h == pytest.approx(60.0 / 1.2, abs=2.0 * line.ci95_per_h)


def test_ten_unreliable_machines_give_the_rate_that_other_simulators_give() -> None:
    """60 s, MTBF 6,000 s and MTTR 600 s exponential, buffers of 10: 43.77 an hour in a process-based simulator."""
    line = simulate_line(
        [60.0] * 10, [10] * 9, hours=720.0, warm_up_h=48.0, mtbf_s=[6000.0] * 10, mttr_s=[600.0] * 10, replications=60
    )
    assert line.ci95_per_h is not None
    assert line.ci95_per_h / line.throughput_per_h < 0.005
    assert line.throughput_per_h == pytest.approx(43.77, abs=2.0 * line.ci95_per_h)


def test_cars_in_the_line_follow_littles_law() -> None:
    line = simulate_line([60.0, 70.0, 50.0], [3, 2], hours=4000.0, warm_up_h=10.0, exponential=True, replications=4)
    assert line.lead_time_s is not None
    assert line.work_in_progress_cars == pytest.approx(line.throughput_per_h * line.lead_time_s / 3600.0, rel=2e-3)


def test_confidence_intervals_cover_the_truth_as_often_as_they_say() -> None:
    from scipy.stats import binom

    covered = 0
    runs = 200
    for seed in range(runs):
        line = simulate_line(
            [60.0, 60.0], [0], hours=20.0, warm_up_h=1.0, exponential=True, replications=8, seed=seed, threads=1
        )
        assert line.ci95_per_h is not None
        covered += math.isclose(line.throughput_per_h, 40.0, abs_tol=line.ci95_per_h)
    low, high = binom.ppf([0.0005, 0.9995], runs, 0.95)
    assert low <= covered <= high


def _sequence_is_sorted(values: Sequence[float]) -> bool:
    return all(later >= earlier for earlier, later in pairwise(values))


def test_more_places_approach_the_slowest_machine() -> None:
    rates = [
        simulate_line([60.0] * 3, [places] * 2, hours=2000.0, exponential=True, seed=9).throughput_per_h
        for places in (0, 1, 2, 4, 8, 16, 64)
    ]
    assert _sequence_is_sorted(rates)
    assert rates[-1] > 57.0
