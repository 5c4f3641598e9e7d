"""Measure the host's line balancing on the example programme and on generated lines of a plant's size.

    python benchmarks/line.py                       # everything, about a quarter of an hour
    python benchmarks/line.py --tasks 400 --seeds 1 --seconds 5 20

Two searches with different seeds run on two threads and the better one counts. How many changes a search looks at in so
many seconds is measured first, on the same line and machine, so that the search itself still stops on work done. Each
line is balanced from nothing, for all models. Tables go to standard output and to benchmarks/results/line-<date>.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
from line_generator import generated_line

import coachbuilder
from coachbuilder.plan import Stages
from coachbuilder.plant.balance import FitInputs, LineBalance, evaluate, violations
from coachbuilder.programme.errors import InputError

ROOT = Path(__file__).parents[1]
PROBE = 100_000
"""Changes from which the speed of the search is measured."""


def lines(tasks: Sequence[int], seeds: Sequence[int]) -> Iterator[tuple[str, FitInputs]]:
    inputs = Stages(coachbuilder.load(ROOT / "examples" / "phone-maker-ev")).fit_inputs
    yield "example programme", inputs
    for count in tasks:
        for seed in seeds:
            yield f"generated, {count} tasks, seed {seed}", generated_line(seed, count)


def balanced(inputs: FitInputs, evaluations: int, seed: int) -> LineBalance:
    nothing = tuple(0.0 for _ in inputs.models)
    return evaluate(
        replace(inputs, resident_units_per_year=nothing, evaluations=evaluations, seed=inputs.seed + seed)
    ).after


def first_answer(inputs: FitInputs) -> LineBalance:
    """Balance with as short a search as gives every task a place."""
    for evaluations in (0, 10_000, 100_000):
        try:
            return balanced(inputs, evaluations, 0)
        except InputError:
            continue
    return balanced(inputs, 1_000_000, 0)


def best_of_two(inputs: FitInputs, evaluations: int) -> LineBalance:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda seed: balanced(inputs, evaluations, seed), (0, 1)))
    return min(both, key=lambda balance: balance.operators)


def row(name: str, inputs: FitInputs, seconds: Sequence[float]) -> str:
    began = time.perf_counter()
    first = first_answer(inputs)
    first_s = time.perf_counter() - began
    began = time.perf_counter()
    best_of_two(inputs, PROBE)
    fixed_s = time.perf_counter() - began
    began = time.perf_counter()
    best_of_two(inputs, 3 * PROBE)
    per_change_s = max(time.perf_counter() - began - fixed_s, 1e-2) / (2 * PROBE)
    cells = [name, f"{len(inputs.tasks)}", f"{first_s:.1f}", f"{first.operators}"]
    bound = first.operators_lower_bound
    work = sum(
        task.operators * float(np.dot(inputs.units_per_year, task.time_s)) / sum(inputs.units_per_year)
        for task in inputs.tasks
    )
    cells += [f"{work / first.takt_s:.1f}", f"{bound}"]
    for allowed in seconds:
        evaluations = int(max(allowed - fixed_s, 0.1 * allowed) / per_change_s)
        began = time.perf_counter()
        answer = best_of_two(inputs, evaluations)
        taken = time.perf_counter() - began
        assert violations(inputs, answer) == []
        bound = max(bound, answer.operators_lower_bound)
        cells.append(f"{answer.operators} ({100 * (answer.operators / bound - 1):.1f} %) in {taken:.0f} s")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, nargs="*", default=[400, 700, 1000, 1500])
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--seconds", type=float, nargs="*", default=[5.0, 20.0, 60.0])
    options = parser.parse_args()
    today = datetime.date.today().isoformat()
    rows = [
        f"# Line balancing of a plant's size, {today}",
        "",
        f"{os.cpu_count()} cores ({platform.processor() or platform.machine()}), load {os.getloadavg()[0]:.1f} at the "
        f"start; python {platform.python_version()}, numpy {np.__version__}, numba {numba.__version__}. Operators, gap "
        "to the lower bound, and the seconds taken.",
        "",
        "| line | tasks | first answer, s | its operators | work over takt | lower bound | "
        + " | ".join(f"within {allowed:g} s" for allowed in options.seconds)
        + " |",
        "|---" * (6 + len(options.seconds)) + "|",
    ]
    print("\n".join(rows), flush=True)
    warm = generated_line(1, 60)
    balanced(warm, 1000, 0)
    for name, inputs in lines(options.tasks, options.seeds):
        rows.append(row(name, inputs, options.seconds))
        print(rows[-1], flush=True)
    (ROOT / "benchmarks" / "results" / f"line-{today}.md").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
