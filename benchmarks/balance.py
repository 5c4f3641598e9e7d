"""Balance the literature's lines with Coachbuilder, OR-Tools CP-SAT and DIDP's CABS in one run, one thread each.

    python -m pip install --group bench --group test
    python benchmarks/balance.py --set mixed --time 60

Sets: mixed (25 hard lines of three kinds), scholl (Scholl's, fewest stations), otto-verylarge (Otto's of 1,000 tasks),
salbp2 (Scholl's graphs, smallest takt for the stations; DIDP has no published model of it and sits out). Every engine
answers every instance in a process of its own; the time limit covers all from the line in memory to the answer, but
neither imports nor the compilation of kernels. Every assignment is counted again here, and what breaks a rule, or
claims a bound or a proof that the best known value denies, is reported as wrong. Progress and lines go to standard
error, tables to standard output and, added to what stands there, to benchmarks/results/balance-<date>.md. The data are
those of ../shared/data/salbp (COACHBUILDER_DATA may point elsewhere).
"""

from __future__ import annotations

import argparse
import csv
import datetime
import fnmatch
import importlib.metadata
import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from coachbuilder.formats.assembly_line import AssemblyLine, read_alb, read_in2

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("COACHBUILDER_DATA", ROOT.parent / "shared" / "data")) / "salbp"
SOLVE = "--solve-one"
"""Given to the child process, which reads one job and answers one line."""
GRACE_S = 60.0
"""Time beyond the limit after which a child is ended: imports, kernels, steps that do not look at the clock."""

# The 25 of the mixed set. Scholl's: those that a plain beam search with memory leaves open after a million nodes.
HARD_SCHOLL = (
    *(("ARC111", takt) for takt in (5755, 5785, 7520, 11570)),
    *(("BARTHOL2", takt) for takt in (84, 85, 87, 91, 97, 99, 101)),
    *(("MUKHERJE", takt) for takt in (176, 192, 201)),
    ("TONGE70", 220),
)
OPEN_OTTO_100 = (51, 71, 126, 141, 221, 276, 361, 501)
"""Otto's of 100 tasks that SALOME left open: all kinds of graph and all order strengths among them."""
OPEN_OTTO_1000 = (206, 336)
"""Otto's of 1,000 tasks that SALOME left open: one with four tasks to a station, one with two."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A line with its question."""

    name: str
    file: str
    takt: int | None
    """Takt for which the fewest stations are sought; None if the smallest takt is."""
    stations: int | None
    """Stations for which the smallest takt is sought."""
    known_lower: int = 0
    """No answer can be below it, as published."""
    known_upper: int | None = None
    """An answer as good as this is published."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an engine answered."""

    value: int | None
    """Stations or takt found; None if nothing was."""
    bound: int
    proven: bool
    time_s: float
    wrong: str = ""
    """What is wrong with it."""

    @property
    def gap(self) -> float | None:
        return None if self.value is None else (self.value - self.bound) / max(1, self.bound)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------------- the instances


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def scholl() -> list[Instance]:
    return [
        Instance(
            f"{row['graph']} {row['cycle_time']}",
            f"scholl/{row['graph']}.IN2",
            int(row["cycle_time"]),
            None,
            int(row["optimal_stations_sewell"]),
            int(row["optimal_stations_sewell"]),
        )
        for row in rows("scholl_salbp1_best_known.csv")
    ]


def otto(count: int) -> list[Instance]:
    folder = {20: "small", 50: "medium", 100: "large", 1000: "verylarge"}[count]
    found = []
    for row in rows("otto_best_known.csv"):
        file = f"otto/{folder}/{row['filename']}.alb"
        if row["n"] == str(count) and (DATA / file).is_file():
            takt = read_alb(DATA / file).cycle_time
            lower, upper = int(row["salome_LB"]), int(row["salome_UB"])
            found.append(Instance(row["filename"].removeprefix("instance_"), file, takt, None, lower, upper))
    return found


def mixed() -> list[Instance]:
    by_name = {item.name: item for item in scholl()}
    hundred = {item.name: item for item in otto(100)}
    thousand = {item.name: item for item in otto(1000)}
    return [
        *(by_name[f"{graph} {takt}"] for graph, takt in HARD_SCHOLL),
        *(hundred[f"n=100_{number}"] for number in OPEN_OTTO_100),
        *(thousand[f"n=1000_{number}"] for number in OPEN_OTTO_1000),
    ]


def salbp2() -> list[Instance]:
    return [
        Instance(f"{row['graph']} {row['stations']}", f"scholl/{row['graph']}.IN2", None, int(row["stations"]))
        for row in rows("scholl_salbp2_range.csv")
    ]


SETS: dict[str, Callable[[], list[Instance]]] = {
    "mixed": mixed,
    "scholl": scholl,
    "otto-large": lambda: otto(100),
    "otto-verylarge": lambda: otto(1000),
    "salbp2": salbp2,
}


def line_of(instance: Instance) -> AssemblyLine:
    read = read_in2 if instance.file.endswith(".IN2") else read_alb
    return read(DATA / instance.file)


# --------------------------------------------------------------------------------------------------------- the engines

Answer = tuple[Sequence[int] | None, int]
"""Assignment from station 1, if one was found, and lower bound on stations or takt."""


def coachbuilder_engine(line: AssemblyLine, instance: Instance, limit_s: float, memory_mb: int) -> Answer:
    """Answer with this project's engine."""
    from coachbuilder.plant.balance import salbp1, salbp2

    if instance.takt is not None:
        found = salbp1(line.times, line.predecessors, instance.takt, time_limit_s=limit_s, memory_mb=memory_mb)
        return found.assignment, found.lower_bound
    balanced = salbp2(
        line.times, line.predecessors, instance.stations or 1, time_limit_s=limit_s,
        memory_mb=memory_mb,
    )  # fmt: skip
    return balanced.assignment, balanced.lower_bound


def warm_coachbuilder() -> None:
    """Let the kernels compile on a line of both questions that no bound answers at once."""
    times, before = [5, 4, 3, 7, 2, 6, 4, 3, 5, 4] * 3, [() if task < 3 else (task - 3,) for task in range(30)]
    tiny = AssemblyLine(tuple(times), tuple(before))
    coachbuilder_engine(tiny, Instance("", "", 9, None), 2.0, 256)
    coachbuilder_engine(tiny, Instance("", "", None, 14), 2.0, 256)


def orders(line: AssemblyLine) -> tuple[list[int], list[int], list[int]]:
    """Return a precedence order, and the work before and behind every task, direct or not."""
    n = len(line.times)
    followers: list[list[int]] = [[] for _ in range(n)]
    for task, before in enumerate(line.predecessors):
        for earlier in before:
            followers[earlier].append(task)
    waiting = [len(before) for before in line.predecessors]
    order = [task for task in range(n) if not waiting[task]]
    for task in order:
        for later in followers[task]:
            waiting[later] -= 1
            if not waiting[later]:
                order.append(later)
    head, tail = [0] * n, [0] * n
    for sums, links, sequence in ((head, line.predecessors, order), (tail, followers, order[::-1])):
        reach = [0] * n
        for task in sequence:
            for other in links[task]:
                reach[task] |= reach[other] | 1 << other
            mask = reach[task]
            while mask:
                low = mask & -mask
                sums[task] += line.times[low.bit_length() - 1]
                mask ^= low
    return order, head, tail


def greedy(line: AssemblyLine, takt: int, order: Sequence[int], tail: Sequence[int]) -> list[int]:
    """Return stations from 0: station by station the task that fits with most work behind it (Helgeson and Birnie)."""
    station, left, now = [-1] * len(order), takt, 0
    waiting = set(order)
    while waiting:
        fitting = [
            task
            for task in waiting
            if line.times[task] <= left and all(station[earlier] >= 0 for earlier in line.predecessors[task])
        ]
        if not fitting:
            now, left = now + 1, takt
            continue
        best = max(fitting, key=lambda task: (line.times[task] + tail[task], -task))
        station[best] = now
        left -= line.times[best]
        waiting.remove(best)
    return station


def cp_sat_engine(line: AssemblyLine, instance: Instance, limit_s: float, memory_mb: int) -> Answer:
    """Answer with OR-Tools CP-SAT, one worker.

    Fewest stations: a station number for every task within its window, at the stations a cumulative resource of the
    takt's height. Smallest takt: booleans of task and station, the takt above every station's load. Both get the
    greedy answer as hint and upper bound.
    """
    from ortools.sat.python import cp_model

    started = time.monotonic()
    model = cp_model.CpModel()
    order, head, tail = orders(line)
    n = len(line.times)
    if instance.takt is not None:
        number = fewest_stations_model(model, line, instance.takt, order, head, tail)
    else:
        number = smallest_takt_model(model, line, instance.stations or 1, order, tail)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = max(0.1, limit_s - (time.monotonic() - started))
    solver.parameters.max_memory_in_mb = memory_mb
    status = solver.solve(model)
    bound = max(1, math.ceil(solver.best_objective_bound - 1e-6))
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, bound
    return [solver.value(number[task]) + 1 for task in range(n)], bound


def fewest_stations_model(
    model: Any, line: AssemblyLine, takt: int, order: Sequence[int], head: Sequence[int], tail: Sequence[int]
) -> list[Any]:
    """Fill the model; return the station of every task, from 0."""
    n = len(line.times)
    first = greedy(line, takt, order, tail)
    most = max(first) + 1
    number = []
    for task in range(n):
        earliest = max(0, -(-(head[task] + line.times[task]) // takt) - 1)
        latest = most - max(1, -(-(tail[task] + line.times[task]) // takt))
        number.append(model.new_int_var(earliest, latest, f"s{task}"))
    for task, before in enumerate(line.predecessors):
        for earlier in before:
            model.add(number[earlier] <= number[task])
    model.add_cumulative(
        [model.new_fixed_size_interval_var(number[task], 1, f"i{task}") for task in range(n)], line.times, takt
    )
    stations = model.new_int_var(max(1, -(-sum(line.times) // takt)), most, "stations")
    for task in range(n):
        model.add(number[task] + max(1, -(-(tail[task] + line.times[task]) // takt)) <= stations)
        model.add_hint(number[task], first[task])
    model.minimize(stations)
    return number


def smallest_takt_model(
    model: Any, line: AssemblyLine, stations: int, order: Sequence[int], tail: Sequence[int]
) -> list[Any]:
    """Fill the model; return the station of every task, from 0."""
    n, total = len(line.times), sum(line.times)
    least = max(max(line.times), -(-total // stations))
    low, most = least, total
    while low < most:
        middle = (low + most) // 2
        if max(greedy(line, middle, order, tail)) < stations:
            most = middle
        else:
            low = middle + 1
    first = greedy(line, most, order, tail)
    place = [[model.new_bool_var(f"x{task},{at}") for at in range(stations)] for task in range(n)]
    number = [model.new_int_var(0, stations - 1, f"s{task}") for task in range(n)]
    takt = model.new_int_var(least, most, "takt")
    model.add_hint(takt, most)
    for task in range(n):
        model.add_exactly_one(place[task])
        model.add(sum(at * place[task][at] for at in range(stations)) == number[task])
        model.add_hint(number[task], first[task])
        for at in range(stations):
            model.add_hint(place[task][at], int(first[task] == at))
        for earlier in line.predecessors[task]:
            model.add(number[earlier] <= number[task])
    for at in range(stations):
        model.add(sum(line.times[task] * place[task][at] for task in range(n)) <= takt)
    model.minimize(takt)
    return number


def didp_engine(line: AssemblyLine, instance: Instance, limit_s: float, _: int) -> Answer:
    """Answer with DIDP's complete anytime beam search on the model of Kuroiwa and Beck (2023), one thread.

    State: tasks not done, time left at the open station (more is better). A station is opened when no task fits.
    Bounds on the stations still needed: LM1 to LM3 of Scholl (1999), what the open station can still take counted.
    """
    import didppy as dp

    takt = instance.takt
    if takt is None:
        message = "no model"
        raise ValueError(message)
    started = time.monotonic()
    n = len(line.times)
    model = dp.Model(maximize=False, float_cost=False)
    task_type = model.add_object_type(number=n)
    undone = model.add_set_var(object_type=task_type, target=list(range(n)))
    left = model.add_int_resource_var(target=0, less_is_better=False)
    times = model.add_int_table(list(line.times))
    before = [model.create_set_const(object_type=task_type, value=list(items)) for items in line.predecessors]
    large = model.add_int_table([2 if 2 * time > takt else 1 if 2 * time == takt else 0 for time in line.times])
    sixths = model.add_int_table(
        [
            0 if 3 * time < takt else 2 if 3 * time == takt
            else 3 if 3 * time < 2 * takt else 4 if 3 * time == 2 * takt else 6
            for time in line.times
        ]
    )  # fmt: skip
    model.add_base_case([undone.is_empty()])
    none_fits = []
    for task in range(n):
        fits = [undone.contains(task), left >= times[task], (undone & before[task]).is_empty()]
        model.add_transition(
            dp.Transition(
                name=str(task),
                cost=dp.IntExpr.state_cost(),
                effects=[(undone, undone.remove(task)), (left, left - times[task])],
                preconditions=fits,
            )
        )
        none_fits.append(~undone.contains(task) | (times[task] > left) | ~(undone & before[task]).is_empty())
    model.add_transition(
        dp.Transition(
            name="open", cost=dp.IntExpr.state_cost() + 1, effects=[(left, takt)], preconditions=none_fits
        ),
        forced=True,
    )  # fmt: skip
    model.add_dual_bound(math.ceil((times[undone] - left) / takt))
    model.add_dual_bound((large[undone] + 1) // 2 - (2 * left >= takt).if_then_else(1, 0))
    model.add_dual_bound((sixths[undone] + 5) // 6 - (3 * left >= takt).if_then_else(1, 0))
    solver = dp.CABS(model, time_limit=max(0.1, limit_s - (time.monotonic() - started)), quiet=True, threads=1)
    solution = solver.search()
    bound = 1 if solution.best_bound is None else int(solution.best_bound)
    if solution.cost is None:
        return None, bound
    station, assignment = 0, [0] * n
    for step in solution.transitions:
        if step.name == "open":
            station += 1
        else:
            assignment[int(step.name)] = station
    return assignment, bound


@dataclass(frozen=True, slots=True)
class Engine:
    """One of those compared."""

    title: str
    answer: Callable[[AssemblyLine, Instance, float, int], Answer]
    package: str
    finds_takt: bool


ENGINES = {
    "coachbuilder": Engine("Coachbuilder", coachbuilder_engine, "coachbuilder", True),
    "cp-sat": Engine("CP-SAT", cp_sat_engine, "ortools", True),
    "didp": Engine("DIDP CABS", didp_engine, "didppy", False),
}


# ---------------------------------------------------------------------------------------------------------- one answer


def serve() -> None:
    """Read a job from standard input, answer it, print one line."""
    job = json.load(sys.stdin)
    instance, engine = Instance(**job["instance"]), job["engine"]
    limit = job["memory_mb"] * 2**20
    line = line_of(instance)
    if engine == "coachbuilder":
        warm_coachbuilder()
    # A search that outgrows the machine ends with an error of its own, not with the machine.
    resource.setrlimit(resource.RLIMIT_AS, (2 * limit, 2 * limit))
    started = time.monotonic()
    assignment, bound = ENGINES[engine].answer(line, instance, job["limit_s"], job["memory_mb"])
    answer = {"assignment": assignment and [int(at) for at in assignment], "bound": int(bound)}
    print(json.dumps({**answer, "time_s": time.monotonic() - started}))


def ask(engine: str, instance: Instance, limit_s: float, memory_mb: int) -> Outcome:
    """Let a process of its own answer, and count again what it says."""
    job = {"engine": engine, "instance": asdict(instance), "limit_s": limit_s, "memory_mb": memory_mb}
    single = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
    try:
        done = subprocess.run(
            [sys.executable, __file__, SOLVE],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=limit_s + GRACE_S,
            check=True,
            env=os.environ | single,
        )
        answer = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return Outcome(None, 1, False, limit_s + GRACE_S, "did not end")
    except (subprocess.CalledProcessError, IndexError, ValueError) as error:
        last = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        return Outcome(None, 1, False, limit_s, f"failed: {last[-1][:80] if last else error}")
    return counted(instance, line_of(instance), answer)


def counted(instance: Instance, line: AssemblyLine, answer: dict[str, Any]) -> Outcome:
    """Count an answer again: every task once, precedence, loads, and what is published of the instance."""
    bound, spent, assignment = answer["bound"], answer["time_s"], answer["assignment"]
    wrong = []
    if instance.known_upper is not None and bound > instance.known_upper:
        wrong.append(f"bound {bound} above the published {instance.known_upper}")
    if assignment is None:
        return Outcome(None, bound, False, spent, "; ".join(wrong))
    loads: dict[int, int] = {}
    for task, station in enumerate(assignment):
        loads[station] = loads.get(station, 0) + line.times[task]
        if any(assignment[earlier] > station for earlier in line.predecessors[task]):
            wrong.append(f"task {task + 1} before its predecessor")
    if len(assignment) != len(line.times) or min(assignment) < 1:
        wrong.append("not every task has a station")
    if instance.takt is not None:
        value = max(assignment)
        if max(loads.values()) > instance.takt:
            wrong.append(f"load {max(loads.values())}")
    else:
        value = max(loads.values())
        if max(assignment) > (instance.stations or 0):
            wrong.append(f"{max(assignment)} stations")
    if value < max(bound, instance.known_lower):
        wrong.append(f"{value} below a bound")
    return Outcome(value, bound, value == bound, spent, "; ".join(wrong[:3]))


# ----------------------------------------------------------------------------------------------------------- the tables

Results = dict[tuple[str, str], Outcome]
"""Outcome by engine and instance's name."""


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'|'.join('---' for _ in head)}|",
        *(f"| {' | '.join(row)} |" for row in body),
        "",
    ]


def shown(outcome: Outcome) -> str:
    if outcome.wrong:
        return f"WRONG: {outcome.wrong}"
    if outcome.value is None:
        return f"none; ≥ {outcome.bound} ({outcome.time_s:.1f} s)"
    text = f"**{outcome.value}**" if outcome.proven else f"{outcome.bound} to {outcome.value}"
    return f"{text} ({outcome.time_s:.1f} s)"


def per_instance(instances: Sequence[Instance], names: Sequence[str], results: Results) -> list[str]:
    def known(item: Instance) -> str:
        if item.known_upper is None:
            return ""
        low, high = item.known_lower, item.known_upper
        return str(high) if low == high else f"{low} to {high}"

    return table(
        ("instance", "published", *(ENGINES[name].title for name in names)),
        ((item.name, known(item), *(shown(results[name, item.name]) for name in names)) for item in instances),
    )


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def totals(instances: Sequence[Instance], names: Sequence[str], results: Results) -> list[str]:
    body = []
    for name in names:
        mine = [(item, results[name, item.name]) for item in instances]
        sound = [(item, outcome) for item, outcome in mine if not outcome.wrong]
        solved = [(item, outcome) for item, outcome in sound if outcome.value is not None]
        proven = [outcome for _, outcome in sound if outcome.proven]
        known = [(o.value or 0, item.known_lower, item.known_upper) for item, o in solved if item.known_upper]
        still_open = [(value, high) for value, low, high in known if low < high]
        body.append(
            (
                ENGINES[name].title,
                f"{len(proven)} of {len(instances)}",
                str(len(sound) - len(solved)),
                str(len(mine) - len(sound)),
                f"{mean([outcome.time_s for outcome in proven]):.2f} s" if proven else "",
                f"{100 * mean([outcome.gap or 0.0 for _, outcome in solved]):.3f} %" if solved else "",
                f"{100 * mean([value / high - 1 for value, _, high in known]):+.3f} %" if known else "",
                f"{sum(value > high for value, _, high in known)} of {len(known)}" if known else "",
                f"{sum(value < high for value, high in still_open)} of {len(still_open)}" if still_open else "",
            )
        )
    return table(
        (
            "engine",
            "proven",
            "no answer",
            "wrong",
            "mean time of the proven",
            "mean gap to the own bound, of the answered",
            "mean over the published best, of the answered",
            "above it",
            "below it where it is open",
        ),
        body,
    )


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def heading(arguments: argparse.Namespace, names: Sequence[str], count: int, date: datetime.datetime) -> list[str]:
    versions = ", ".join(
        f"{ENGINES[name].title} ({ENGINES[name].package} {importlib.metadata.version(ENGINES[name].package)})"
        for name in names
    )
    pattern = f", those like {arguments.instances}" if arguments.instances else ""
    return [
        f"## {arguments.set}{pattern}: {count} instances, {arguments.time:g} s each, {date:%Y-%m-%d %H:%M} UTC",
        "",
        f"{os.cpu_count()} cores ({processor()}), one thread an engine, memory {arguments.memory} MB. "
        f"python {platform.python_version()}, numba {importlib.metadata.version('numba')}; {versions}. "
        "Bold: proven. Where it is open: lower bound to value found.",
        "",
    ]


def chosen(arguments: argparse.Namespace) -> list[Instance]:
    found = SETS[arguments.set]()
    if arguments.instances:
        patterns = [item.strip() for item in arguments.instances.split(",")]
        found = [item for item in found if any(fnmatch.fnmatch(item.name, pattern) for pattern in patterns)]
    return found[:: arguments.every]


def answers(arguments: argparse.Namespace, names: Sequence[str], instances: Sequence[Instance]) -> Iterator[Any]:
    for position, item in enumerate(instances, start=1):
        for name in names:
            outcome = ask(name, item, arguments.time, arguments.memory)
            say(f"{position:>4} of {len(instances)}  {item.name:<16} {ENGINES[name].title:<13} {shown(outcome)}")
            yield (name, item.name), outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, default="mixed")
    parser.add_argument("--time", type=float, default=60.0, metavar="SECONDS", help="for each engine and instance")
    parser.add_argument("--only", metavar="ENGINE,...", help=f"of {', '.join(ENGINES)}")
    parser.add_argument("--instances", metavar="PATTERN,...", help="names such as 'BARTHOL2 *'; all unless told")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="take every K-th instance only")
    parser.add_argument("--memory", type=int, default=4096, metavar="MB", help="for each engine")
    parser.add_argument("--no-file", action="store_true", help="write no file to benchmarks/results")
    arguments = parser.parse_args()
    instances = chosen(arguments)
    names = arguments.only.split(",") if arguments.only else list(ENGINES)
    unknown = [name for name in names if name not in ENGINES]
    if unknown or not instances:
        parser.error(f"no engine {', '.join(unknown)}" if unknown else "no such instance")
    if arguments.set == "salbp2":
        names = [name for name in names if ENGINES[name].finds_takt]
    date = datetime.datetime.now(tz=datetime.UTC)
    results = dict(answers(arguments, names, instances))
    lines = [
        *heading(arguments, names, len(instances), date),
        *totals(instances, names, results),
        *per_instance(instances, names, results),
    ]
    print("\n".join(lines))
    if not arguments.no_file:
        to = ROOT / "benchmarks" / "results" / f"balance-{date:%Y-%m-%d}.md"
        to.parent.mkdir(exist_ok=True)
        before = to.read_text(encoding="utf-8") if to.exists() else f"# Simple lines, {date:%Y-%m-%d}\n\n"
        to.write_text(before.rstrip() + "\n\n" + "\n".join(lines).rstrip() + "\n", encoding="utf-8")
        say(f"written: {to}")


if __name__ == "__main__":
    serve() if SOLVE in sys.argv else main()
