"""How often each rule finds the bottleneck of generated lines.

    python benchmarks/flow_bottleneck.py                  # everything, some minutes
    python benchmarks/flow_bottleneck.py --lines 20 --no-truth

Lines have 5 to 15 unreliable machines with random cycle times, failures, repairs, variability and buffers; a machine's
times are drawn from ``MEASURED`` gamma ones, which is faster than drawing gamma ones. In lines of the kinds ``cycle``
and ``failures`` one machine has an effective cycle time (cycle time over availability) 8 to 15 % longer than the next:
by a long cycle, or by much time in repair. Lines ``close`` have no such machine, less reliable ones and smaller
buffers; there the bottleneck is where a shorter cycle is worth most, a numerical derivative with common random numbers.
Tables go to standard output and, with --write, to benchmarks/results/flow-bottleneck-<date>.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from coachbuilder.plant.flow.answer import Bottleneck
from coachbuilder.plant.flow.compare import Trials
from coachbuilder.plant.flow.plant import Failure, Plant, Station, Time, serial_line
from coachbuilder.plant.flow.simulate import HOUR_S, simulate

RESULTS = Path(__file__).parent / "results"
KINDS = ("cycle", "failures", "close")
WARM_UP_H = 24.0
MEASURED = 200
SHORTER = 0.97
"""The derivative shortens a cycle to this share."""


@dataclass(frozen=True)
class GeneratedLine:
    """A line and the machine that was made its bottleneck; None in lines ``close``."""

    plant: Plant
    bottleneck: str | None


def generated(kind: str, seed: int) -> GeneratedLine:
    """Return a random line; see the head of this file."""
    random = np.random.default_rng([seed, KINDS.index(kind)])
    count = int(random.integers(5, 16))
    effective_s = 60.0 * random.uniform(0.8, 1.0, count)
    availability = random.uniform(0.75 if kind == "close" else 0.85, 0.98, count)
    slowest = int(random.integers(count))
    if kind != "close":
        effective_s[slowest] = np.delete(effective_s, slowest).max() * random.uniform(1.08, 1.15)
    if kind == "failures":
        availability[slowest] = random.uniform(0.70, 0.80)
    repair_s = random.uniform(120.0, 900.0 if kind == "close" else 600.0, count)
    up_s = repair_s * availability / (1.0 - availability)
    variation = random.uniform(0.0, 0.5, count)
    places = random.integers(1 if kind == "close" else 3, 16, count - 1)
    plant = serial_line(
        [
            measured_times(random, float(effective * share), float(cv))
            for effective, share, cv in zip(effective_s, availability, variation, strict=True)
        ],
        places.tolist(),
        failures=[
            (Failure("stop", Time.exponential(float(up)), Time.exponential(float(repair))),)
            for up, repair in zip(up_s, repair_s, strict=True)
        ],
    )
    return GeneratedLine(plant, None if kind == "close" else plant.stations[slowest].id)


def measured_times(random: np.random.Generator, mean_s: float, cv: float) -> Time:
    """Return a time that is one of many gamma ones, of exactly this mean."""
    values = random.gamma(1.0 / cv**2, cv**2, MEASURED)
    return Time.empirical((values * (mean_s / values.mean())).tolist())


RULES: dict[str, Callable[[Bottleneck], str]] = {
    "as answered": lambda found: found.station,
    "active share": lambda found: max(found.stations, key=lambda station: station.active_share).station,
    "active period": lambda found: found.longest_active_period,
    "arrows": lambda found: found.arrows,
    "share and neighbours' waits": lambda found: (
        max(found.stations, key=lambda station: station.active_share + station.waited_for).station
    ),
}


def gains(plant: Plant, replications: int, days: float) -> dict[str, float]:
    """Return how many more cars an hour a shorter cycle of each machine brings."""
    trials = Trials(WARM_UP_H * HOUR_S, days * 24.0 * HOUR_S, seed=2)
    base = trials.rates_per_h(plant, replications)
    found = {}
    for row, station in enumerate(plant.stations):
        assert isinstance(station, Station)
        shorter = replace(station, cycle=(station.cycle[0].scaled(SHORTER),))
        variant = replace(plant, stations=(*plant.stations[:row], shorter, *plant.stations[row + 1 :]))
        found[station.id] = float((trials.rates_per_h(variant, replications) - base).mean())
    return found


def measured(kind: str, lines: int, days: float, replications: int, truth: bool) -> str:
    planted: Counter[str] = Counter()
    true: Counter[str] = Counter()
    regret: Counter[str] = Counter()
    for seed in range(lines):
        line = generated(kind, seed)
        answer = simulate(line.plant, days=days, replications=replications, warm_up_h=WARM_UP_H)
        worth = gains(line.plant, 32, 20.0) if truth else {}
        for rule, of in RULES.items():
            found = of(answer.bottleneck)
            planted[rule] += found == line.bottleneck
            if truth:
                true[rule] += worth.get(found, 0.0) == max(worth.values())
                regret[rule] += 1.0 - worth.get(found, 0.0) / max(worth.values())
        if truth:
            true["as made"] += line.bottleneck is not None and worth[line.bottleneck] == max(worth.values())
    rows = [
        f"\n### Lines `{kind}`: {lines} lines, {replications} runs of {days:g} days each\n",
        "| rule | finds the machine made slowest | finds where speed matters most | worth lost by it |",
        "|---|---|---|---|",
    ]
    for rule in RULES:
        made = "" if kind == "close" else str(planted[rule])
        most = f"{true[rule]} | {regret[rule] / lines:.1%}" if truth else " | "
        rows.append(f"| {rule} | {made} | {most} |")
    if truth and kind != "close":
        rows.append(f"\nSpeed matters most at the machine made slowest in {true['as made']} of {lines} lines.")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--days", type=float, default=20.0)
    parser.add_argument("--replications", type=int, default=10)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--no-truth", action="store_true", help="leave the derivatives out")
    parser.add_argument("--write", action="store_true", help="write the tables to benchmarks/results")
    arguments = parser.parse_args()
    head = (
        f"# Which rule finds the bottleneck\n\n{datetime.datetime.now(tz=datetime.UTC).date()}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores. `python benchmarks/flow_bottleneck.py --write`\n"
    )
    parts = [head]
    for kind in arguments.kinds:
        parts.append(measured(kind, arguments.lines, arguments.days, arguments.replications, not arguments.no_truth))
        print(parts[-1], flush=True)
    if not arguments.write:
        return
    RESULTS.mkdir(exist_ok=True)
    name = f"flow-bottleneck-{datetime.datetime.now(tz=datetime.UTC).date()}.md"
    (RESULTS / name).write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
