"""CP-SAT and our search on the same car sequencing days, in one run, with the same cores and time.

    python benchmarks/sequence.py --set generated --time 60 --seeds 1 2 3
    python benchmarks/sequence.py --set csplib --only p0 --time 10
    python benchmarks/sequence.py --set roadef --time 600 --threads 2

CP-SAT gets the plain model: which class of equal cars stands at which place, a window's excess (or whether it is
broken), a change of colour between two places. Every order is counted again by the project's own full count. Tables go
to standard output and are added to benchmarks/results/sequence-<date>.md, the objective over time to an .svg beside it.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from sequence_generator import hard_day

from coachbuilder.formats.car_sequencing import CarSequencingDay, read_csplib, read_roadef
from coachbuilder.plant.sequence import SequenceInputs, count, inputs_of
from coachbuilder.plant.sequence.bounds import objective_weights
from coachbuilder.plant.sequence.day import answer_day, available_cores
from coachbuilder.programme.sections.sequence import RulePriority, SequenceObjective
from coachbuilder.report.svg import Drawing, scale, shortened, tick_texts, ticks

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("COACHBUILDER_DATA", ROOT.parent / "shared" / "data")) / "carseq"
LARGEST_PLAIN_MODEL = 3_000_000
"""Classes x places; building a larger plain model takes longer than the run."""

History = tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class Run:
    """One answer of one program."""

    objective: int | None
    history: History
    time_s: float
    remark: str = ""
    moves_per_second_and_core: float = 0.0


def days(
    chosen: Sequence[str], only: str, cars: Sequence[int], generator_seeds: Sequence[int]
) -> Iterator[tuple[str, CarSequencingDay]]:
    if "csplib" in chosen:
        for path in sorted((DATA / "csplib").glob("p*.txt")):
            if only in path.name:
                yield path.stem, read_csplib(path)
    if "roadef" in chosen:
        for folder in sorted((DATA / "roadef2005" / "set_A").iterdir()):
            if only in folder.name:
                yield folder.name, read_roadef(folder)
    if "generated" in chosen:
        for number in cars:
            for seed in generator_seeds:
                if only in (name := f"hard-{number}-{seed}"):
                    yield name, hard_day(seed, number)


def ours(day: CarSequencingDay, seconds: float, seed: int, threads: int) -> Run:
    answer = answer_day(day, time_limit_s=seconds, seed=seed, threads=threads)
    speed = (answer.evaluations or 0) / max(answer.time_s, 1e-9) / threads
    remark = "proven" if answer.proven else ""
    if answer.counts.batch_excess_cars:
        return Run(None, (), answer.time_s, "breaks the batch limit", speed)
    return Run(answer.counts.objective, answer.history, answer.time_s, remark, speed)


def cp_sat(inputs: SequenceInputs, seconds: float, seed: int, threads: int) -> Run:
    """Solve the plain model and count what it finds."""
    from ortools.sat.python import cp_model

    began = time.perf_counter()
    kinds: dict[tuple[bytes, str], list[int]] = {}
    for car in range(len(inputs.cars)):
        kinds.setdefault((inputs.has_option[car].tobytes(), inputs.colours[car]), []).append(car)
    places, classes = range(len(inputs.cars)), list(kinds.values())
    if len(classes) * len(places) > LARGEST_PLAIN_MODEL:
        return Run(None, (), 0.0, f"not built: {len(classes)} classes")
    model: Any = cp_model.CpModel()
    at = [[model.new_bool_var("") for _ in places] for _ in classes]
    for place in places:
        model.add_exactly_one(row[place] for row in at)
    for row, members in zip(at, classes, strict=True):
        model.add(sum(row) == len(members))
    weights = objective_weights(inputs)
    terms = []
    for number, rule in enumerate(inputs.rules):
        of = SequenceObjective.HIGH_PRIORITY if rule.priority is RulePriority.HIGH else SequenceObjective.LOW_PRIORITY
        if not weights[of]:
            continue
        held = [
            [row[place] for row, members in zip(at, classes, strict=True) if inputs.has_option[members[0]][number]]
            for place in places
        ]
        before = inputs.previous_has_option[:, number] if inputs.short_windows else np.zeros(0, dtype=bool)
        first, last = (1 - rule.out_of, len(places)) if inputs.short_windows else (0, len(places) - rule.out_of + 1)
        for begin in range(first, last):
            already = int(before[max(len(before) + begin, 0) :].sum()) if begin < 0 else 0
            window = [
                flag for place in range(max(begin, 0), min(begin + rule.out_of, len(places))) for flag in held[place]
            ]
            if inputs.count_windows:
                over = model.new_bool_var("")
                model.add(sum(window) + already <= rule.at_most + (rule.out_of - rule.at_most) * over)
            else:
                over = model.new_int_var(0, rule.out_of, "")
                model.add(sum(window) + already - rule.at_most <= over)
            terms.append(weights[of] * over)
    names = sorted(set(inputs.colours))
    painted = {
        name: [
            sum(row[place] for row, members in zip(at, classes, strict=True) if inputs.colours[members[0]] == name)
            for place in places
        ]
        for name in names
    }
    if inputs.longest_batch < len(places):
        for line in painted.values():
            for begin in range(len(places) - inputs.longest_batch):
                model.add(sum(line[begin : begin + inputs.longest_batch + 1]) <= inputs.longest_batch)
    if weights[SequenceObjective.COLOUR_CHANGES]:
        for place in places[1:]:
            change = model.new_bool_var("")
            for line in painted.values():
                model.add(change >= line[place] - line[place - 1])
            terms.append(weights[SequenceObjective.COLOUR_CHANGES] * change)
        if inputs.previous_colour is not None:
            begins = painted[inputs.previous_colour][0] if inputs.previous_colour in painted else 0
            terms.append(weights[SequenceObjective.COLOUR_CHANGES] * (1 - begins))
    model.minimize(sum(terms))
    history: list[tuple[float, int]] = []

    class Told(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            history.append((time.perf_counter() - began, round(self.objective_value)))

    solver: Any = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(seconds - (time.perf_counter() - began), 0.1)
    solver.parameters.num_workers = threads
    solver.parameters.random_seed = seed
    status = solver.solve(model, Told())
    taken = time.perf_counter() - began
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Run(None, (), taken, "no order found")
    left = [list(members) for members in classes]
    order = np.array(
        [left[next(k for k, row in enumerate(at) if solver.boolean_value(row[place]))].pop() for place in places]
    )
    counted = count(inputs, order).objective
    # An order that is not proven to be the best may leave a window's excess higher than it is.
    assert counted <= round(solver.objective_value)
    return Run(counted, tuple(history), taken, "proven" if status == cp_model.OPTIMAL else "")


COLUMNS, WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 3, 300, 190, 62, 26, 34
STYLE = """<style>
.t{font:12px sans-serif;fill:#222}.s{font:10px sans-serif;fill:#555}.axis{stroke:#bbb;fill:none}
.ours{stroke:#1f6f8b;fill:none;stroke-width:1.6}.cp{stroke:#c4572b;fill:none;stroke-width:1.6;stroke-dasharray:5 3}
</style><rect width="100%" height="100%" fill="#fff"/>"""


def short(value: float) -> str:
    """Return a number with three digits: 2.25 M, 36.1 k, 29."""
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    return f"{value / 1e3:.3g} k" if value >= 1e4 else f"{value:.3g}"


def plot(results: Sequence[tuple[str, Sequence[Run], Sequence[Run]]], seconds: float) -> str:
    """Draw the objective over time of each day: a step for each better order, both programs, logarithmic upwards."""
    rows = math.ceil(len(results) / COLUMNS)
    drawing = Drawing(COLUMNS * WIDTH, rows * HEIGHT + 24)
    drawing.polyline([(8, 12), (40, 12)], "ours")
    drawing.text(46, 16, "Coachbuilder")
    drawing.polyline([(150, 12), (182, 12)], "cp")
    drawing.text(188, 16, "CP-SAT, plain model")
    for number, (name, mine, theirs) in enumerate(results):
        left, top = number % COLUMNS * WIDTH + LEFT, number // COLUMNS * HEIGHT + 24 + TOP
        width, height = WIDTH - LEFT - 12, HEIGHT - TOP - BOTTOM
        values = [math.log10(1 + value) for run in (*mine, *theirs) for _, value in run.history]
        low, high = min(values, default=0.0), max(values, default=1.0)
        low, high = max(0.0, low - 0.05 * (high - low) - 0.01), high + 0.01
        across, up = scale(0.0, seconds, left, left + width), scale(low, high, top + height, top)
        drawing.text(left - LEFT + 8, top - 10, shortened(name, WIDTH - 20))
        drawing.polyline([(left, top), (left, top + height), (left + width, top + height)], "axis")
        marks = [mark for mark in ticks(0.0, seconds, 4) if mark <= seconds]
        for mark, text in zip(marks, tick_texts(marks), strict=True):
            drawing.text(across(mark), top + height + 14, f"{text} s", "s", "middle")
        for level in (high, (low + high) / 2, low):
            drawing.text(left - 4, up(level) + 4, short(10**level - 1), "s", "end")
        for runs, cls in ((theirs, "cp"), (mine, "ours")):
            for run in runs:
                points: list[tuple[float, float]] = []
                for at, value in run.history:
                    place = across(min(at, seconds))
                    if points:
                        points.append((place, points[-1][1]))
                    points.append((place, up(math.log10(1 + value))))
                if points:
                    drawing.polyline([*points, (across(seconds), points[-1][1])], cls)
    picture = str(
        drawing.render("sequence", "Objective over time", "Each day's weighted sum or broken windows over time")
    )
    head, rest = picture.split("<title", 1)
    return head.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + STYLE + "<title" + rest + "\n"


def told(runs: Sequence[Run]) -> str:
    """The best value, the mean if there are several, when the best was found, and what is to be said."""
    values = [run.objective for run in runs if run.objective is not None]
    remarks = ", ".join(sorted({run.remark for run in runs if run.remark}))
    if not values:
        return remarks or "-"
    reached = min((run.history[-1][0] for run in runs if run.objective == min(values) and run.history), default=0.0)
    mean = f", mean {sum(values) / len(values):.1f}" if len(values) > 1 else ""
    return f"{min(values)}{mean} after {reached:.1f} s{', ' if remarks else ''}{remarks}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs="*", choices=["csplib", "roadef", "generated"], default=["generated"])
    parser.add_argument("--only", default="", help="a part of the name")
    parser.add_argument("--time", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--cars", type=int, nargs="*", default=[200, 300, 400])
    parser.add_argument("--generator-seeds", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--without-cp-sat", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    today = datetime.date.today().isoformat()
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "numba", "ortools"))
    lines = [
        f"`--set {' '.join(options.set)} --time {options.time:g} --seeds {' '.join(map(str, options.seeds))}`, "
        f"{options.threads} threads on {os.cpu_count()} cores ({platform.processor() or platform.machine()}), load "
        f"{os.getloadavg()[0]:.1f} at the start; python {platform.python_version()}, {versions}. Best objective over "
        "the seeds, when it was found, and changes looked at per second and core. CSPLib and generated days: broken "
        "windows; challenge days: the weighted sum.",
        "",
        "| day | cars | Coachbuilder | million moves/s and core | CP-SAT, plain model |",
        "|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    results = []
    for name, day in days(options.set, options.only, options.cars, options.generator_seeds):
        mine = [ours(day, options.time, seed, options.threads) for seed in options.seeds]
        inputs = inputs_of(day, evaluations=0, seed=0)
        theirs = [] if options.without_cp_sat else [cp_sat(inputs, options.time, options.seeds[0], options.threads)]
        results.append((name, mine, theirs))
        speed = max(run.moves_per_second_and_core for run in mine) / 1e6
        lines.append(f"| {name} | {len(day.cars)} | {told(mine)} | {speed:.2f} | {told(theirs)} |")
        print(lines[-1], flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    picture = f"sequence-{today}-{'-'.join(options.set)}-{options.time:g}s.svg"
    (options.out / picture).write_text(plot(results, options.time))
    file = options.out / f"sequence-{today}.md"
    before = file.read_text() if file.exists() else f"# Car sequencing, {today}\n"
    file.write_text("\n".join([before, *lines, "", f"![Objective over time]({picture})", ""]))


if __name__ == "__main__":
    main()
