"""How long a draw takes, stage by stage, and how far 10,000 draws are from many more.

Run ``python benchmarks/risk.py --many 100000``; it writes ``benchmarks/results/risk-<date>.md``. The spread of 10,000
draws is held against that of ``--many`` draws of another seed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import pickle
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from coachbuilder import deal, market, vehicle
from coachbuilder.plan import Drawn, Plan, Stages, evaluate, evaluate_draws, headline_names
from coachbuilder.programme import load
from coachbuilder.risk.draws import draw
from coachbuilder.risk.runner import Points, Runner

if TYPE_CHECKING:
    from coachbuilder.deal import DealInputs
    from coachbuilder.plant.flow import FlowResult

ROOT = Path(__file__).resolve().parent.parent
FEW = 10_000
BLOCK = 10_000
Result = TypeVar("Result")


def stage_times(base: Plan, count: int, rounds: int) -> tuple[dict[str, float], float, float]:
    """Return what the stages of a draw take, ms of a core, and a whole draw alone and together with others.

    The same draws, in turn, ``rounds`` times; medians.
    """
    drawn = draw(base.programme, count, 7)
    rows = drawn.values.tolist()
    rounds_ms: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], Result]) -> Result:
        # Of the core, not of the clock: other programs disturb it less.
        start = time.process_time()
        result = work()
        rounds_ms.setdefault(name, []).append(1000.0 * (time.process_time() - start) / count)
        return result

    def each(work: Callable[[Stages], Result], cars: Sequence[Drawn] = ()) -> list[Result]:
        move_to = base.programme.drawable().setter(drawn.paths)
        return [
            work(Stages(move_to(row), reuse=base, drawn=cars[number] if cars else None))
            for number, row in enumerate(rows)
        ]

    def pair(stages: Stages) -> tuple[FlowResult, DealInputs]:
        return stages.flow, stages.deal_inputs

    for _ in range(rounds):
        timed("setting the values, twice", lambda: (each(id), each(id)))
        inputs = timed("vehicle: inputs", lambda: each(lambda stages: stages.vehicle_inputs))
        cars = timed("vehicle", lambda inputs=inputs: vehicle.evaluate_draws(inputs))  # type: ignore[misc]
        reach = np.array([car.cltc_range_km for car in cars], dtype=float)
        columns = {path: drawn.values[:, column] for column, path in enumerate(drawn.paths)}
        demand = timed(
            "demand",
            lambda columns=columns, reach=reach: market.demand_of_draws(base.programme, columns, range_km=reach),  # type: ignore[misc]
        )
        known = [Drawn(car, demand.of_draw(row)) for row, car in enumerate(cars)]
        timed("flow, inputs with it", lambda known=known: each(lambda stages: stages.flow, known))  # type: ignore[misc]
        pairs = timed("flow and the deal's inputs", lambda known=known: each(pair, known))  # type: ignore[misc]
        timed("deal", lambda pairs=pairs: deal.evaluate_draws([item for _, item in pairs]))  # type: ignore[misc]
        timed("together", lambda: evaluate_draws(base, drawn.paths, drawn.values))
        timed("alone", lambda: each(lambda stages: stages.headline))
    found = {name: statistics.median(times) for name, times in rounds_ms.items()}
    alone, together = found.pop("alone"), found.pop("together")
    values = found["setting the values, twice"] / 2.0
    both = found.pop("flow and the deal's inputs")
    found["deal: inputs"] = both - found["flow, inputs with it"]
    for name in ("vehicle: inputs", "flow, inputs with it"):
        found[name] -= values
    return found, alone, together


def figures_of(runner: Runner, base: Plan, many: int, folder: Path | None) -> np.ndarray:
    """Return the figures of many draws, block by block; blocks that the folder holds are taken from there."""
    parts = []
    for block in range(-(-many // BLOCK)):
        size = min(BLOCK, many - BLOCK * block)
        kept = None if folder is None else folder / f"{1000 + block}-{size}.npy"
        if kept is None or not kept.exists():
            drawn = draw(base.programme, size, 1000 + block)
            parts.append(runner.run(Points(drawn.paths, drawn.values), ""))
            if kept is not None:
                np.save(kept, parts[-1])
        else:
            parts.append(np.load(kept))
    return np.concatenate(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, help="Folder for finished blocks, so that a stopped run goes on.")
    parser.add_argument("--plan", type=Path, help="A pickled plan of the example, to save its minute.")
    arguments = parser.parse_args()
    base = (
        pickle.loads(arguments.plan.read_bytes())
        if arguments.plan
        else evaluate(load(ROOT / "examples" / "phone-maker-ev"))
    )
    warm = draw(base.programme, 3, 1)
    evaluate_draws(base, warm.paths, warm.values)
    times, alone, together = stage_times(base, 200, 5)
    names = headline_names()
    few_drawn = draw(base.programme, FEW, base.programme.seed)
    start = time.perf_counter()
    with Runner(replace(base), arguments.workers) as runner:
        runner.run(Points(few_drawn.paths, few_drawn.values), "")
        few_s = time.perf_counter() - start
        start = time.perf_counter()
        few = runner.run(Points(few_drawn.paths, few_drawn.values), "")
        warm_s = time.perf_counter() - start
        start = time.perf_counter()
        many = figures_of(runner, base, arguments.many, arguments.keep)
        many_s = time.perf_counter() - start
    lines = [
        f"# Draws: {dt.datetime.now(dt.UTC).date()}",
        "",
        f"`python benchmarks/risk.py --many {arguments.many}` on {platform.machine()}, {os.cpu_count()} cores, "
        f"{arguments.workers} processes, load {os.getloadavg()[0]:.1f} at the end; the example `phone-maker-ev`, "
        f"{len(few_drawn.paths)} uncertain assumptions.",
        "",
        f"10,000 draws: {few_s:.1f} s with the start of the processes, {warm_s:.1f} s once they run. "
        f"{arguments.many:,} draws: {many_s:.0f} s, {1000.0 * many_s * arguments.workers / arguments.many:.2f} ms of a "
        "process each (blocks kept from an earlier run take none).",
        "",
        f"A draw: {alone:.2f} ms of a core alone, {together:.2f} ms together with others, {alone / together:.1f} times "
        "(the same 200 draws in turn in one process, medians of 5 rounds).",
        "",
        "| part of a draw | ms |",
        "|---|---:|",
        *(f"| {name} | {value:.3f} |" for name, value in times.items()),
        "",
        f"Distance of P10, P50 and P90 of 10,000 draws from those of {arguments.many:,} others, in % of P90 - P10:",
        "",
        "| figure | P10 | P50 | P90 |",
        "|---|---:|---:|---:|",
    ]
    worst = 0.0
    for column, name in enumerate(names):
        ours, theirs = (np.nanpercentile(table[:, column], [10, 50, 90]) for table in (few, many))
        width = theirs[2] - theirs[0]
        if width <= 0.0:
            lines.append(f"| {name} | no spread | | |")
            continue
        off = 100.0 * np.abs(ours - theirs) / width
        worst = max(worst, float(off.max()))
        lines.append(f"| {name} | " + " | ".join(f"{value:.2f}" for value in off) + " |")
    lines += ["", f"Worst: {worst:.2f} %."]
    target = ROOT / "benchmarks" / "results" / f"risk-{dt.datetime.now(dt.UTC).date()}.md"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(target.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
