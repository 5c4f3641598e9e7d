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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from coachbuilder.plan import Plan, Stages, evaluate, headline_names
from coachbuilder.plant import flow
from coachbuilder.programme import load
from coachbuilder.risk.draws import draw
from coachbuilder.risk.runner import Points, Runner

ROOT = Path(__file__).resolve().parent.parent
FEW = 10_000
STAGES = ("timing", "vehicle", "demand", "flow", "deal")


def stage_times(base: Plan, count: int) -> dict[str, tuple[float, float]]:
    """Return the median time of each stage of a draw before and now, ms; one after the other on the same draw."""
    drawn = draw(base.programme, count, 7)
    drawable = base.programme.drawable()
    rows: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in ("values", *STAGES)}

    def timed(name: str, now: int, work: Callable[[], object]) -> object:
        # Of the core, not of the clock: other programs disturb it less.
        start = time.process_time()
        result = work()
        rows[name][now].append(1000.0 * (time.process_time() - start))
        return result

    for number in range(count):
        values = drawn.values_of(number)
        slow = timed("values", 0, lambda values=values: base.programme.with_values(values))  # type: ignore[misc]
        stages = Stages(slow, reuse=base)  # type: ignore[arg-type]
        inputs = stages.flow_inputs
        timed("flow", 0, lambda inputs=inputs: flow.evaluate(inputs))  # type: ignore[misc]
        fast = timed("values", 1, lambda values=values: drawable.at(values))  # type: ignore[misc]
        stages = Stages(fast, reuse=base)  # type: ignore[arg-type]
        for name in STAGES:
            timed(name, 1, lambda name=name, stages=stages: getattr(stages, name))  # type: ignore[misc]
    return {
        name: (statistics.median(before) if before else float("nan"), statistics.median(after))
        for name, (before, after) in rows.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--plan", type=Path, help="A pickled plan of the example, to save its minute.")
    arguments = parser.parse_args()
    base = (
        pickle.loads(arguments.plan.read_bytes())
        if arguments.plan
        else evaluate(load(ROOT / "examples" / "phone-maker-ev"))
    )
    Stages(base.programme.drawable().at({}), reuse=base).headline  # noqa: B018
    times = stage_times(base, 200)
    names = headline_names()
    with Runner(replace(base), arguments.workers) as runner:
        few_drawn = draw(base.programme, FEW, base.programme.seed)
        runner.run(Points(few_drawn.paths, few_drawn.values[:200]), "")
        start = time.perf_counter()
        few = runner.run(Points(few_drawn.paths, few_drawn.values), "")
        few_s = time.perf_counter() - start
        start = time.perf_counter()
        parts = []
        for block in range(-(-arguments.many // 10_000)):
            size = min(10_000, arguments.many - 10_000 * block)
            drawn = draw(base.programme, size, 1000 + block)
            parts.append(runner.run(Points(drawn.paths, drawn.values), ""))
        many = np.concatenate(parts)
        many_s = time.perf_counter() - start
    lines = [
        f"# Draws: {dt.datetime.now(dt.UTC).date()}",
        "",
        f"`python benchmarks/risk.py --many {arguments.many}` on {platform.machine()}, {os.cpu_count()} cores, "
        f"{arguments.workers} processes, load {os.getloadavg()[0]:.1f} at the end; the example `phone-maker-ev`, "
        f"{len(few_drawn.paths)} uncertain assumptions.",
        "",
        f"10,000 draws: {few_s:.1f} s. {arguments.many:,} draws: {many_s:.0f} s, "
        f"{1000.0 * many_s * arguments.workers / arguments.many:.1f} ms of a process each.",
        "",
        "| stage of a draw | before, ms | now, ms |",
        "|---|---:|---:|",
        *(f"| {name} | {'' if np.isnan(old) else f'{old:.2f}'} | {new:.2f} |" for name, (old, new) in times.items()),
        "",
        "Before: sections rebuilt for every draw, the plant built, simulated and explained in full. A stage without a "
        "figure before is as it was. Medians of 200 draws on one core.",
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
