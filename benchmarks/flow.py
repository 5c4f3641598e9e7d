"""Simulate one unreliable line with our two engines and with other simulators, in one run.

    python benchmarks/flow.py                      # prints the tables, about eight minutes
    python benchmarks/flow.py --write              # and writes benchmarks/results/flow-<date>.md
    python benchmarks/flow.py --only simpy recursion --seconds 1 --rounds 1

The line: ten machines of 60 s, which fail after 6,000 s of their own work on average and take 600 s to repair (both
exponential), buffers of ten places between them, never starved at its head nor blocked at its end, empty at the start;
30 days a replication, of which the first two do not count for the rate. Our engines keep all statistics (states of
machines, active periods, levels, lead times) at the end of each of 30 batches; the others what they keep by default.

Each round runs every simulator in turn, with new replications until the seconds are used; the best round counts for the
speed (in seconds of a core, which other programs on the machine disturb less than those of the clock), and all
replications for the rate. The ratio to SimPy is told of the best rounds, and as the median over the rounds.
A station operation is one car finished by one machine. Simulators that are not installed are left out: simpy, ciw and
salabim come with the dependency group ``bench``; simantha and simprocesd, whose last releases are old, with
``pip install simantha simprocesd``.

What several cores give is measured on what ``simulate`` calls, the same replications on one thread and on several in
turn: by the shortest time of each, and as the median over the pairs.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata, util
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import stdtrit

from coachbuilder.plant.flow import engine, recursion
from coachbuilder.plant.flow.plant import Failure, FailureClock, Plant, Time, serial_line
from coachbuilder.plant.flow.record import BINS_PER_BATCH, Records
from coachbuilder.plant.flow.recursion.cuda import run as on_gpu
from coachbuilder.plant.flow.simulate import Engine, Grid, replicate, runner_of

ROOT = Path(__file__).parents[1]
MACHINES, CYCLE_S, MTBF_S, MTTR_S, PLACES = 10, 60.0, 6000.0, 600.0, 10
DAY_S = 86_400.0
DAYS, WARM_UP_DAYS = 30, 2
ENDS_S, WARM_UP_S = DAYS * DAY_S, WARM_UP_DAYS * DAY_S
COUNTED_H = (ENDS_S - WARM_UP_S) / 3600.0

Answer = tuple[list[float], int]
"""Cars an hour of each replication, and station operations of all."""


def line(clock: FailureClock = FailureClock.WORKING) -> Plant:
    failure = Failure("failure", Time.exponential(MTBF_S), Time.exponential(MTTR_S), clock)
    return serial_line([Time(CYCLE_S)] * MACHINES, [PLACES] * (MACHINES - 1), failures=[(failure,)] * MACHINES)


def answer_of(records: Records) -> Answer:
    counted = records.out[:, WARM_UP_DAYS * BINS_PER_BATCH :].sum(axis=(1, 2)) / COUNTED_H
    return counted.tolist(), int(records.finished[:, -1].sum())


def by_ours(
    record: Callable[..., Records], replications: int, clock: FailureClock = FailureClock.WORKING
) -> Callable[[int], Answer]:
    """One of our engines by its ``record``: the recursion, on a GPU or not, or the event calendar."""

    def run(first: int) -> Answer:
        return answer_of(
            record(
                line(clock),
                seed=1,
                first=first * replications,
                replications=replications,
                start_s=0.0,
                batch_s=DAY_S,
                batches=DAYS,
            )
        )

    return run


class Repairs:
    """Failures of one machine on its working clock, as an addition to each job."""

    def __init__(self, numbers: random.Random) -> None:
        self.numbers = numbers
        self.to_failure = numbers.expovariate(1.0 / MTBF_S)

    def job_s(self) -> float:
        self.to_failure -= CYCLE_S
        total = CYCLE_S
        while self.to_failure <= 0.0:
            total += self.numbers.expovariate(1.0 / MTTR_S)
            self.to_failure += self.numbers.expovariate(1.0 / MTBF_S)
        return total


def by_simpy(seed: int) -> Answer:
    """SimPy: one process a machine, stores between them, a job as one timeout."""
    import simpy

    environment = simpy.Environment()
    stores = [simpy.Store(environment, PLACES) for _ in range(MACHINES - 1)]
    finished, left = [0] * MACHINES, [0]

    def machine(row: int) -> Any:
        repairs = Repairs(random.Random(seed * MACHINES + row))
        before, after = stores[row - 1] if row else None, stores[row] if row < MACHINES - 1 else None
        car = None
        while True:
            if before is not None:
                car = yield before.get()
            yield environment.timeout(repairs.job_s())
            finished[row] += 1
            if after is not None:
                yield after.put(car)
            elif environment.now > WARM_UP_S:
                left[0] += 1

    for row in range(MACHINES):
        environment.process(machine(row))
    environment.run(until=ENDS_S)
    return [left[0] / COUNTED_H], sum(finished)


def by_salabim(seed: int) -> Answer:
    """salabim: one component a machine, stores between them, cars as components."""
    import salabim

    salabim.yieldless(False)
    environment = salabim.Environment(trace=False, random_seed=seed)
    stores = [salabim.Store(capacity=PLACES) for _ in range(MACHINES - 1)]
    finished, left = [0] * MACHINES, [0]

    class Machine(salabim.Component):  # type: ignore[misc]
        def setup(self, row: int) -> None:
            self.row = row
            self.repairs = Repairs(random.Random(seed * MACHINES + row))

        def process(self) -> Any:
            before, after = stores[self.row - 1] if self.row else None, stores[self.row : self.row + 1]
            while True:
                if before is None:
                    car = salabim.Component()
                else:
                    car = yield self.from_store(before)
                    car = self.from_store_item()
                yield self.hold(self.repairs.job_s())
                finished[self.row] += 1
                if after:
                    yield self.to_store(after[0], car)
                elif environment.now() > WARM_UP_S:
                    left[0] += 1

    for row in range(MACHINES):
        Machine(row=row)
    environment.run(till=ENDS_S)
    return [left[0] / COUNTED_H], sum(finished)


def by_ciw(seed: int) -> Answer:
    """Ciw: a node a machine; a car comes every 60 s and is turned away where one waits already."""
    import ciw

    class Job(ciw.dists.Distribution):  # type: ignore[misc]
        def __init__(self, row: int) -> None:
            super().__init__()
            self.repairs = Repairs(random.Random(seed * MACHINES + row))

        def sample(self, t: float | None = None, ind: Any = None) -> float:
            return self.repairs.job_s()

    routing = np.eye(MACHINES, k=1).tolist()
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Deterministic(CYCLE_S), *[None] * (MACHINES - 1)],
        service_distributions=[Job(row) for row in range(MACHINES)],
        routing=routing,
        number_of_servers=[1] * MACHINES,
        queue_capacities=[1, *[PLACES] * (MACHINES - 1)],
    )
    ciw.seed(seed)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(ENDS_S)
    records = [record for record in simulation.get_all_records(only=["service"]) if record.exit_date <= ENDS_S]
    left = sum(record.node == MACHINES and record.exit_date > WARM_UP_S for record in records)
    return [left / COUNTED_H], len(records)


def by_simprocesd(seed: int) -> Answer:
    """SimPROCESD: processors and buffers; repairs offset the cycle time of the job."""
    from simprocesd.model import System
    from simprocesd.model.factory_floor import Buffer, PartProcessor, Sink, Source

    system = System()
    upstream: Any = Source()
    machines = []
    for row in range(MACHINES):
        repairs = Repairs(random.Random(seed * MACHINES + row))
        machine = PartProcessor(f"m{row}", [upstream], cycle_time=0.0)
        machine.add_receive_part_callback(
            lambda device, _, repairs=repairs: device.offset_next_cycle_time(repairs.job_s())
        )
        machines.append(machine)
        upstream = Buffer(f"b{row}", [machine], capacity=PLACES) if row < MACHINES - 1 else machine
    sink = Sink(upstream=[upstream])
    system.simulate(WARM_UP_S, print_summary=False)
    before = sink.received_parts_count
    system.simulate(ENDS_S - WARM_UP_S, print_summary=False)
    finished = sum(len(system.simulation_data["produced_part"][machine.name]) for machine in machines)
    return [(sink.received_parts_count - before) / COUNTED_H], finished


def by_simantha(seed: int) -> Answer:
    """simantha: whole seconds; a machine fails at any time, also idle, and loses the car in it."""
    import simantha

    random.seed(seed)
    degradation = [[1.0 - 1.0 / MTBF_S, 1.0 / MTBF_S], [0.0, 1.0]]
    repair = {"geometric": 1.0 / MTTR_S}
    source, sink = simantha.Source(), simantha.Sink()
    machines = [
        simantha.Machine(f"m{row}", cycle_time=int(CYCLE_S), degradation_matrix=degradation, cm_distribution=repair)
        for row in range(MACHINES)
    ]
    buffers = [simantha.Buffer(f"b{row}", capacity=PLACES) for row in range(MACHINES - 1)]
    chain = [source, *(each for pair in zip(machines, buffers, strict=False) for each in pair), machines[-1], sink]
    for row, each in enumerate(chain):
        before, behind = chain[row - 1 : row] if row else [], chain[row + 1 : row + 2]
        if each is source:
            each.define_routing(downstream=behind)
        elif each is sink:
            each.define_routing(upstream=before)
        else:
            each.define_routing(upstream=before, downstream=behind)
    system = simantha.System([source, sink, *machines, *buffers])
    system.simulate(int(WARM_UP_S), int(ENDS_S - WARM_UP_S), verbose=False, collect_data=False)
    counted = sum(machine.parts_made for machine in machines)
    # It counts after the warm-up only, but has simulated all of it.
    return [machines[-1].parts_made / COUNTED_H], int(counted * ENDS_S / (ENDS_S - WARM_UP_S))


@dataclass
class Contender:
    """One row of the table."""

    name: str
    package: str
    run: Callable[[int], Answer]
    remark: str = "fails during operation"
    rates: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    """Station operations a second of a core, in each round."""
    next_seed: int = 0

    def measure(self, seconds: float) -> None:
        operations, began, began_cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - began < seconds:
            rates, done = self.run(self.next_seed)
            self.next_seed += 1
            self.rates += rates
            operations += done
        self.speeds.append(operations / (time.process_time() - began_cpu))


def contenders() -> list[Contender]:
    any_time = "fails at any time"
    ours = [
        Contender("recursion, 1 replication", "", by_ours(recursion.record, 1)),
        Contender("recursion, 16 replications", "", by_ours(recursion.record, 16)),
        Contender("recursion, any time, 16", "", by_ours(recursion.record, 16, FailureClock.PLANT), any_time),
        Contender("event calendar, 1 replication", "", by_ours(engine.record, 1)),
        Contender("event calendar, 4 replications", "", by_ours(engine.record, 4)),
        Contender("event calendar, any time, 4", "", by_ours(engine.record, 4, FailureClock.PLANT), any_time),
    ]
    peers = [
        Contender("SimPy", "simpy", by_simpy),
        Contender("salabim", "salabim", by_salabim, remark="fails during operation; generators (not yieldless)"),
        Contender("Ciw", "ciw", by_ciw, remark="fails during operation; repairs are part of the service time"),
        Contender(
            "SimPROCESD", "simprocesd", by_simprocesd, remark="fails during operation; repairs offset the cycle time"
        ),
        Contender(
            "simantha",
            "simantha",
            by_simantha,
            remark="whole seconds; fails at any time and loses the car in work: another line",
        ),
    ]
    if not on_gpu.why_no_device():
        ours.append(
            Contender(
                "recursion on a GPU, 4,096 replications", "", by_ours(on_gpu.record, 4096), remark="a GPU and one core"
            )
        )
    return ours + [peer for peer in peers if util.find_spec(peer.package) is not None]


FIRST_CALL = """
import sys, time
from coachbuilder.plant.flow import {module}
from coachbuilder.plant.flow.plant import Failure, Time, serial_line
failure = Failure("failure", Time.exponential(6000.0), Time.exponential(600.0))
line = serial_line([Time(60.0)] * 2, [10], failures=[(failure,)] * 2)
began = time.perf_counter()
{module}.record(line, seed=1, first=0, replications=1, start_s=0.0, batch_s=3600.0, batches=2)
print(time.perf_counter() - began)
"""


def compile_times() -> list[str]:
    """First call of each engine in a new process, without and with compiled kernels on disk."""
    rows = []
    for module in ("recursion", "engine"):
        taken = []
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(2):
                environment = {**os.environ, "NUMBA_CACHE_DIR": folder, "PYTHONPATH": os.pathsep.join(sys.path)}
                done = subprocess.run(
                    [sys.executable, "-c", FIRST_CALL.format(module=module)],
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=True,
                )
                taken.append(float(done.stdout))
        name = "recursion" if module == "recursion" else "event calendar"
        rows.append(f"| {name} | {taken[0]:.1f} | {taken[1]:.2f} |")
    return rows


def cores_table(threads: int, pairs: int) -> list[str]:
    """What ``threads`` threads gain on ``replicate``, one and several in turn."""
    grid = Grid(start_s=WARM_UP_S, batch_s=DAY_S, batches=DAYS - WARM_UP_DAYS)
    rows = []
    works: list[tuple[Engine, int]] = [("recursion", 1024), ("event calendar", 64)]
    for name, replications in works:
        taken = np.empty((pairs, 2))
        runner = runner_of(line(), name)
        for pair in taken:
            for column, workers in enumerate((1, threads)):
                began = time.perf_counter()
                replicate(line(), grid, runner, 1, 0, replications, workers)
                pair[column] = time.perf_counter() - began
        one, several = taken.min(axis=0)
        rows.append(
            f"| {name} | {replications} | {one:.2f} | {several:.2f} | {one / several:.2f} "
            f"| {np.median(taken[:, 0] / taken[:, 1]):.2f} |"
        )
    return rows


def interval(rates: Sequence[float]) -> str:
    if len(rates) < 2:
        return f"{rates[0]:.2f}"
    half = stdtrit(len(rates) - 1, 0.975) * np.std(rates, ddof=1) / math.sqrt(len(rates))
    return f"{np.mean(rates):.2f} ± {half:.2f}"


def short(value: float) -> str:
    return f"{value / 1e6:.3g} M" if value >= 1e6 else f"{value / 1e3:.3g} k"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="time of each simulator in each round")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=20, help="of the same work on one thread and on several")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[], help="parts of names")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    today = datetime.date.today().isoformat()
    chosen = [
        each
        for each in contenders()
        if not options.only or any(part.lower() in each.name.lower() for part in options.only)
    ]
    load = os.getloadavg()[0]
    compiled = compile_times()
    for each in chosen:
        if not each.package:
            each.run(0)
    for _ in range(options.rounds):
        for each in chosen:
            each.measure(options.seconds)
    simpy_speeds = next((np.array(each.speeds) for each in chosen if each.package == "simpy"), np.array([math.nan]))
    cores = cores_table(options.threads, options.pairs) if options.pairs else []
    packages = ["numpy", "numba", *(each.package for each in chosen if each.package)]
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    lines = [
        f"# Simulation of an unreliable line, {today}",
        "",
        f"`python benchmarks/flow.py --seconds {options.seconds:g} --rounds {options.rounds} --threads "
        f"{options.threads}`, {os.cpu_count()} cores ({platform.processor() or platform.machine()}), load {load:.1f} "
        f"at the start; python {platform.python_version()}, {versions}.",
        "",
        f"{MACHINES} machines of {CYCLE_S:g} s, MTBF {MTBF_S:g} s of their own work, MTTR {MTTR_S:g} s (exponential), "
        f"buffers of {PLACES}, {DAYS} days a replication, the first {WARM_UP_DAYS} not counted for the rate. Our rows "
        "keep all statistics at the end of each of 30 batches. Speed: best of the rounds, seconds of a core; cars an "
        "hour: all replications, with 95 % confidence interval.",
        "",
        "| simulator | cars an hour | replications | operations/s and core | times SimPy, best | median | remarks |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.name} | {interval(each.rates)} | {len(each.rates)} | {short(max(each.speeds))} | "
        f"{max(each.speeds) / simpy_speeds.max():,.2f} | {np.median(each.speeds / simpy_speeds):,.2f} | {each.remark} |"
        for each in chosen
    ]
    if cores:
        lines += [
            "",
            f"| engine | replications | one thread, s | {options.threads} threads, s | gain, shortest | median |",
            "|---|---|---|---|---|---|",
            *cores,
        ]
    lines += [
        "",
        "| first call in a new process, s | nothing compiled before | compiled before |",
        "|---|---|---|",
        *compiled,
    ]
    print("\n".join(lines))
    if options.write:
        (ROOT / "benchmarks" / "results" / f"flow-{today}.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
