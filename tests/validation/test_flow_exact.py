"""The simulation of plants against answers that are known exactly: Markov chains, queues, closed networks.

Every case is one plant and one figure of it. The z-scores of all cases together must be
those of luck alone, for three seeds chosen beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from coachbuilder.formats.exact_lines import read_exact_lines
from coachbuilder.plant.flow import engine
from coachbuilder.plant.flow.plant import (
    Batch,
    Blocking,
    Buffer,
    Calendar,
    CarrierLoop,
    CarType,
    Crew,
    FailedCar,
    Failure,
    FailureClock,
    Maintenance,
    MovingLine,
    Plant,
    SetUp,
    Source,
    Station,
    Test,
    Time,
    Way,
    serial_line,
)
from coachbuilder.plant.flow.record import Records
from coachbuilder.plant.flow.validation import sample, validate

SEEDS = [11, 12, 13]
HALF_WIDTH = 0.002
WAITING_HALF_WIDTH = 0.01
"""Of mean numbers of waiting cars, which vary far more than rates."""

BOTH = (FailureClock.WORKING, FailureClock.PLANT)
Numbers = NDArray[np.float64]


# Exact answers -------------------------------------------------------------------------------------------------------

State = tuple[tuple[str, ...], tuple[bool, ...], tuple[int, ...]]
"""What every machine does (W at work, B blocked, S starved), whether it is up, and the level of every buffer."""


@dataclass(frozen=True)
class Line:
    """A saturated line with exponential times, blocked after service; rates per second, times in seconds."""

    rates: tuple[float, ...]
    buffers: tuple[int, ...]
    mtbf: tuple[float, ...] = ()
    mttr: tuple[float, ...] = ()
    clock: FailureClock = FailureClock.WORKING

    def plant(self) -> Plant:
        failures: list[tuple[Failure, ...]] = [
            (Failure("f", Time.exponential(up), Time.exponential(down), self.clock),)
            for up, down in zip(self.mtbf, self.mttr, strict=True)
        ]
        times = [Time.exponential(1.0 / rate) for rate in self.rates]
        return serial_line(times, list(self.buffers), failures=failures or None)

    def throughput(self) -> float:
        """Solve the Markov chain."""
        count = len(self.rates)
        does, levels = list("S" * count), [0] * (count - 1)
        self._pull(does, (True,) * count, levels, 0)
        start: State = (tuple(does), (True,) * count, tuple(levels))
        index = {start: 0}
        queue = [start]
        flows: list[tuple[int, int, float]] = []
        while queue:
            state = queue.pop()
            for after, rate in self._moves(state):
                if after not in index:
                    index[after] = len(index)
                    queue.append(after)
                flows.append((index[state], index[after], rate))
        chance = stationary(len(index), flows)
        return sum(
            float(chance[row]) * self.rates[-1] for (does, up, _), row in index.items() if does[-1] == "W" and up[-1]
        )

    def _moves(self, state: State) -> list[tuple[State, float]]:
        moves = []
        does, up, levels = state
        for place, now in enumerate(does):
            turned = (*up[:place], not up[place], *up[place + 1 :])
            if up[place] and now == "W":
                moves.append((self._finished(state, place), self.rates[place]))
            if up[place] and self.mtbf and (now == "W" or self.clock is FailureClock.PLANT):
                moves.append(((does, turned, levels), 1.0 / self.mtbf[place]))
            if not up[place]:
                after, places = list(does), list(levels)
                if now == "S":
                    self._pull(after, turned, places, place)
                moves.append(((tuple(after), turned, tuple(places)), 1.0 / self.mttr[place]))
        return moves

    def _finished(self, state: State, place: int) -> State:
        does, up, levels = list(state[0]), state[1], list(state[2])
        if place + 1 < len(does):
            if does[place + 1] == "S" and up[place + 1]:
                does[place + 1] = "W"
            elif levels[place] < self.buffers[place]:
                levels[place] += 1
            else:
                does[place] = "B"
                return tuple(does), up, tuple(levels)
        does[place] = "S"
        self._pull(does, up, levels, place)
        return tuple(does), up, tuple(levels)

    def _pull(self, does: list[str], up: tuple[bool, ...], levels: list[int], place: int) -> None:
        """A machine without a car takes one if it can, and so does the one that this frees."""
        if not up[place]:
            return
        if place == 0:
            does[0] = "W"
            return
        before = place - 1
        blocked = does[before] == "B"
        if levels[before] == 0 and not blocked:
            return
        does[place] = "W"
        if blocked:
            # Its car takes the place that comes free, or the machine itself.
            does[before] = "S"
            self._pull(does, up, levels, before)
        else:
            levels[before] -= 1


def stationary(size: int, flows: list[tuple[int, int, float]]) -> Numbers:
    """Return the long-run chances of the states of a Markov chain."""
    system = np.zeros((size, size))
    for here, there, rate in flows:
        system[there, here] += rate
        system[here, here] -= rate
    system[-1] = 1.0
    right = np.zeros(size)
    right[-1] = 1.0
    return np.linalg.solve(system, right)


def two_machines(
    rates: tuple[float, float], room: int, fails: tuple[float, float], repairs: tuple[float, float]
) -> float:
    """Return the throughput of the two-machine line of Gershwin and Berman (1981), failures during operation.

    The state is the cars between the machines (that in the second counted, 0 to ``room``) and which machines are up.
    The first machine is blocked at ``room``, the second starved at 0, and neither fails then.
    """
    flows = []

    def row(cars: int, first: int, second: int) -> int:
        return 4 * cars + 2 * first + second

    total = 0.0
    for cars in range(room + 1):
        for first in (0, 1):
            for second in (0, 1):
                here = row(cars, first, second)
                if first and cars < room:
                    flows.append((here, row(cars + 1, first, second), rates[0]))
                    flows.append((here, row(cars, 0, second), fails[0]))
                if second and cars > 0:
                    flows.append((here, row(cars - 1, first, second), rates[1]))
                    flows.append((here, row(cars, first, 0), fails[1]))
                if not first:
                    flows.append((here, row(cars, 1, second), repairs[0]))
                if not second:
                    flows.append((here, row(cars, first, 1), repairs[1]))
    chance = _on_reachable(flows, 4 * (room + 1), row(0, 1, 1))
    for cars in range(1, room + 1):
        for first in (0, 1):
            total += rates[1] * float(chance[row(cars, first, 1)])
    return total


def _on_reachable(flows: list[tuple[int, int, float]], size: int, start: int) -> Numbers:
    reached = {start}
    grown = True
    while grown:
        more = {there for here, there, _ in flows if here in reached} - reached
        reached |= more
        grown = bool(more)
    place = {state: number for number, state in enumerate(sorted(reached))}
    inner = [(place[here], place[there], rate) for here, there, rate in flows if here in reached]
    chance = np.zeros(size)
    chance[sorted(reached)] = stationary(len(reached), inner)
    return chance


def birth_and_death(births: list[float], deaths: list[float]) -> Numbers:
    """Return the chances of 0, 1, ... where births[n] leads from n to n + 1 and deaths[n] back."""
    weights = np.cumprod([1.0, *(up / down for up, down in zip(births, deaths, strict=True))])
    return np.asarray(weights / weights.sum())


def erlang_c(offered: float, servers: int) -> float:
    """Return the mean number that wait in an M/M/c queue."""
    terms = [offered**n / math.factorial(n) for n in range(servers)]
    last = offered**servers / math.factorial(servers) / (1.0 - offered / servers)
    return last / (sum(terms) + last) * offered / (servers - offered)


def buzen(cars: int, stations: list[tuple[float, int]], delay_s: float = 0.0) -> float:
    """Return the throughput of a closed cycle of ``cars`` (Gordon and Newell 1967; Buzen 1973).

    Stations are given by their mean time and their machines; a delay holds any number of cars.
    """
    constant = np.array([delay_s**n / math.factorial(n) for n in range(cars + 1)])
    for mean_s, machines in stations:
        own = np.cumprod([1.0, *(mean_s / min(n, machines) for n in range(1, cars + 1))])
        constant = np.array([sum(own[k] * constant[n - k] for k in range(n + 1)) for n in range(cars + 1)])
    return float(constant[cars - 1] / constant[cars])


# Cases ---------------------------------------------------------------------------------------------------------------


def rate(records: Records, counted_s: float) -> Numbers:
    """Cars that left a second."""
    return np.asarray(records.out.sum(axis=(1, 2)) / counted_s)


def waiting(*buffers: int) -> Callable[[Records, float], Numbers]:
    """Cars in some buffers on average."""

    def measure(records: Records, counted_s: float) -> Numbers:
        level = np.diff(records.level, axis=1)[:, 0]
        return np.asarray(level[:, list(buffers)].sum(axis=1) / counted_s)

    return measure


@dataclass(frozen=True)
class Case:
    """A plant and what is known of it; a second is about a cycle."""

    name: str
    plant: Plant
    exact: float
    measure: Callable[[Records, float], Numbers] = rate
    settle_s: float = 1_000.0

    @property
    def half_width(self) -> float:
        return HALF_WIDTH if self.measure is rate else WAITING_HALF_WIDTH


CAR = (CarType("car"),)
ALWAYS = (Source("source", "m1"),)
MANY = 1_000


def machine(name: str, mean_s: float, to: tuple[str, ...] = (), **values: object) -> Station:
    return replace(Station(name, (Time.exponential(mean_s),), (Way(to),)), **values)  # type: ignore[arg-type]


def _lines() -> list[Case]:
    lines = [
        Line((1.0, 1.0), (0,)),
        Line((1.0, 1.3), (1,)),
        Line((1.2, 1.0), (3,)),
        Line((1.0, 1.0), (5,)),
        Line((1.0, 1.0, 1.0), (0, 0)),
        Line((1.0, 0.8, 1.1), (1, 2)),
        Line((0.9, 1.4, 1.0), (5, 0)),
        Line((1.0, 1.0, 1.0, 1.0), (0, 0, 0)),
        Line((1.3, 1.0, 0.9, 1.2), (2, 0, 1)),
    ]
    for clock in BOTH:
        lines += [
            Line((1.0, 1.0), (0,), (10.0, 10.0), (3.0, 3.0), clock),
            Line((1.2, 1.0), (5,), (20.0, 8.0), (5.0, 2.0), clock),
            Line((1.0, 1.1, 0.9), (1, 2), (12.0, 15.0, 30.0), (2.0, 4.0, 3.0), clock),
            Line((1.0, 1.2, 1.0, 1.1), (1, 0, 1), (20.0, 10.0, 15.0, 30.0), (2.0, 1.0, 3.0, 4.0), clock),
        ]
    return [Case(f"chain {line}", line.plant(), line.throughput()) for line in lines]


def _gershwin() -> list[Case]:
    cases = []
    for places, rates, up, down in (
        (1, (1.0, 1.0), (20.0, 20.0), (4.0, 4.0)),
        (4, (1.1, 1.0), (12.0, 30.0), (3.0, 5.0)),
    ):
        plant = Line(rates, (places,), up, down).plant()
        fails, repairs = (1.0 / up[0], 1.0 / up[1]), (1.0 / down[0], 1.0 / down[1])
        # Blocked after service the first machine's own place counts as room, before service it does not.
        cases.append(Case(f"two machines {places}", plant, two_machines(rates, places + 2, fails, repairs)))
        before = replace(plant.stations[0], blocking=Blocking.BEFORE_SERVICE)  # type: ignore[arg-type]
        plant = replace(plant, stations=(before, *plant.stations[1:]))
        cases.append(Case(f"before service {places}", plant, two_machines(rates, places + 1, fails, repairs)))
    return cases


def _queues() -> list[Case]:
    cases = []
    # M/M/1/K: arrivals that find K cars are lost.
    for load, most in ((0.8, 1), (1.3, 4)):
        stations = (machine("m1", 1.0 / load, ("b",), lose_when_full=True), machine("m2", 1.0))
        plant = Plant(CAR, stations, ALWAYS, (Buffer("b", "m2", most - 1),))
        chance = birth_and_death([load] * most, [1.0] * most)
        cases.append(Case(f"M/M/1/{most}", plant, load * float(1.0 - chance[-1])))
    # Erlang's loss formula, B = 0.2105 for 2 erlang on 3.
    stations = (machine("m1", 0.5, ("b",), lose_when_full=True), machine("m2", 1.0, machines=3))
    chance = birth_and_death([2.0] * 3, [1.0, 2.0, 3.0])
    plant = Plant(CAR, stations, ALWAYS, (Buffer("b", "m2", 0),))
    cases.append(Case("M/M/3/3", plant, 2.0 * float(1.0 - chance[-1])))
    # Jackson: behind Poisson arrivals every station is a queue of its own (Burke 1956).
    poisson = (Source("source", "m1", interval=Time.exponential(2.0)),)
    buffers = (Buffer("b2", "m2", MANY), Buffer("b3", "m3", MANY))
    three = (machine("m1", 1.2, ("b2",)), machine("m2", 1.0, ("b3",)), machine("m3", 2.4, machines=2))
    tandem = Plant(CAR, three, poisson, buffers)
    cases.append(Case("tandem, M/M/1", tandem, 0.5, waiting(0)))
    cases.append(Case("tandem, M/M/2", tandem, erlang_c(1.2, 2), waiting(1)))
    # Pollaczek and Khinchine, gamma service.
    stations = (machine("m1", 2.0, ("b",)), Station("m2", (Time.gamma(1.0, 0.5),)))
    plant = Plant(CAR, stations, ALWAYS, (Buffer("b", "m2", MANY),))
    cases.append(Case("M/G/1", plant, 0.25 * 1.25 / (2.0 * 0.5), waiting(0)))
    stations = (machine("m1", 2.0, ("b",)), Station("m2", (Time.lognormal(1.0, 1.5),)))
    plant = Plant(CAR, stations, ALWAYS, (Buffer("b", "m2", MANY),))
    cases.append(Case("M/G/1 lognormal", plant, 0.25 * 3.25 / (2.0 * 0.5), waiting(0)))
    # Rework: 3 of 4 pass each time, so the load is 0.3 * 4 / 3.
    stations = (machine("m1", 1.0 / 0.3, ("b",)), machine("m2", 1.0, test=Test((0.75,), ("rework",), 0.75)))
    plant = Plant(CAR, stations, ALWAYS, (Buffer("b", "m2", MANY), Buffer("rework", "m2", MANY)))
    cases.append(Case("feedback", plant, 0.4 * 0.4 / 0.6, waiting(0, 1)))
    return cases


def _closed() -> list[Case]:
    cases = []
    for cars, machines, back_s in ((3, 1, 0.0), (6, 2, 0.0), (5, 1, 2.5)):
        stations = (machine("m1", 1.0, ("b2",)), machine("m2", 1.5, ("b3",), machines=machines), machine("m3", 0.8))
        buffers = (Buffer("b2", "m2", 9), Buffer("b3", "m3", 9))
        plant = Plant(CAR, stations, ALWAYS, buffers, (CarrierLoop("skids", cars, "m1", "m3", back_s),))
        exact = buzen(cars, [(1.0, 1), (1.5, machines), (0.8, 1)], back_s)
        cases.append(Case(f"closed {cars}", plant, exact))
    return cases


def _failing() -> list[Case]:
    """One station whose fixed job of 1 s fails at 0.2 a second and is repaired in 0.5 s."""
    rate_of, repair_s = 0.2, 0.5
    alive = math.exp(-rate_of)
    cases = []
    for clock in BOTH:
        # With one job at a time and no waiting both clocks come to the same but for failures during repair: none.
        for car, exact in (
            (FailedCar.RESUME, 1.0 / (1.0 + rate_of * repair_s)),
            (FailedCar.RESTART, 1.0 / ((1.0 / alive - 1.0) * (1.0 / rate_of + repair_s))),
            (FailedCar.SCRAP, alive / ((1.0 - alive) * (1.0 / rate_of + repair_s))),
        ):
            failure = Failure("f", Time.exponential(1.0 / rate_of), Time.exponential(repair_s), clock, car)
            station = Station("m1", (Time(1.0),), failures=(failure,))
            cases.append(Case(f"{clock} {car}", Plant(CAR, (station,), ALWAYS), exact))
    # Four machines and one crew: the machine repair model.
    failure = Failure("f", Time.exponential(5.0), Time.exponential(2.0), FailureClock.PLANT, crew="fitters")
    station = machine("m1", 1.0, machines=4, failures=(failure,))
    chance = birth_and_death([4 / 5, 3 / 5, 2 / 5, 1 / 5], [1 / 2] * 4)
    plant = Plant(CAR, (station,), ALWAYS, crews=(Crew("fitters", 1),))
    cases.append(Case("one crew", plant, float(sum((4 - down) * chance[down] for down in range(5)))))
    return cases


def cases() -> list[Case]:
    return [*_lines(), *_gershwin(), *_queues(), *_closed(), *_failing()]


def score(case: Case, seed: int) -> tuple[float, float]:
    """Return the z-score and the half width of the 95 % confidence interval, as a share."""

    def measured(first: int, replications: int, counted_s: float) -> Numbers:
        records = engine.record(
            case.plant,
            seed=seed,
            first=first,
            replications=replications,
            start_s=case.settle_s,
            batch_s=counted_s,
            batches=1,
        )
        return case.measure(records, counted_s)

    found = sample(measured, pilot_s=2_000.0, half_width=case.half_width)
    return (found.mean - case.exact) / found.standard_error, found.ci95 / found.mean


# Tests ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_z_scores_of_all_exact_cases_are_those_of_luck(seed: int) -> None:
    from scipy.stats import chi2

    found = {}
    for row, case in enumerate(cases()):
        found[case.name], share = score(case, 1_000 * seed + row)
        assert share < case.half_width, case.name
    worst = max(found, key=lambda name: abs(found[name]))
    assert abs(found[worst]) < 4.0, (worst, found[worst])
    scores = np.array(list(found.values()))
    assert chi2.sf(float((scores**2).sum()), scores.size) > 0.01, found


@pytest.mark.parametrize("seed", SEEDS)
def test_the_table_of_exact_lines_is_met_within_chance(shared_data: Path, seed: int) -> None:
    found = validate(read_exact_lines(shared_data / "flow" / "exact_exponential_lines.csv"), seed=seed)
    assert found.cases == 35
    assert found.largest_half_width_share < 0.002
    assert found.max_abs_z < 4.0
    assert found.chi2_p > 0.01


def test_a_simulation_of_other_rules_would_be_found_out() -> None:
    """Failures at any time instead of at work, or a place more, miss by many standard errors."""
    line = Line((1.0, 1.0), (0,), (10.0, 10.0), (3.0, 3.0))
    other = replace(line, clock=FailureClock.PLANT)
    right = Case("right", line.plant(), line.throughput())
    assert abs(score(right, 11)[0]) < 4.0
    assert abs(score(replace(right, exact=other.throughput()), 11)[0]) > 10.0
    assert abs(score(replace(right, exact=replace(line, buffers=(1,)).throughput()), 11)[0]) > 10.0


def leaving_s(plant: Plant, until_s: float) -> list[float]:
    """When cars leave."""
    trace = engine.trace(plant, seed=1, replication=0, until_s=until_s, rows=10_000)
    return [float(time) for time, _, _, _, code in trace if code == 2]


def test_fixed_plants_do_what_one_works_out_by_hand() -> None:
    two = (CarType("a", family="red"), CarType("b", family="blue"))
    painter = Station("m1", (Time(10.0), Time(20.0)), set_up=SetUp(5.0, (("red", "blue", 7.0),)))
    plant = Plant(two, (painter,), (Source("source", "m1", order=("a", "a", "b")),))
    assert leaving_s(plant, 120.0) == [10.0, 20.0, 47.0, 62.0, 72.0, 99.0, 114.0]
    oven = Station("m1", (Time(30.0),), batch=Batch(3))
    assert leaving_s(Plant(CAR, (oven,), ALWAYS), 60.0) == [30.0] * 3 + [60.0] * 3
    shift = Calendar("day", ((0.0, 25.0),), 100.0)
    worker = Station("m1", (Time(10.0),), calendar="day")
    assert leaving_s(Plant(CAR, (worker,), ALWAYS, calendars=(shift,)), 120.0) == [10.0, 20.0, 105.0, 115.0]
    # It stands still for maintenance once the car in work has been passed on.
    worker = Station("m1", (Time(10.0),), maintenance=Maintenance(15.0, 4.0))
    assert leaving_s(Plant(CAR, (worker,), ALWAYS), 60.0) == [10.0, 20.0, 34.0, 44.0, 58.0]
    line = MovingLine("m1", 3, (Time(60.0),))
    assert leaving_s(Plant(CAR, (line,), ALWAYS), 300.0) == [180.0, 240.0, 300.0]
    # A conveyor of 2 places and 25 s in front of a machine of 10 s passes on 2 cars in 25 s.
    stations = (Station("m1", (Time(1.0),), (Way(("b",)),)), Station("m2", (Time(10.0),)))
    plant = Plant(CAR, stations, ALWAYS, (Buffer("b", "m2", 2, 25.0),))
    assert leaving_s(plant, 90.0) == [36.0, 46.0, 61.0, 71.0, 86.0]


@pytest.mark.parametrize(("machines", "published"), [(3, 0.5641), (4, 0.5148)])
def test_markov_chains_give_the_rates_of_hillier_and_boling(machines: int, published: float) -> None:
    assert Line((1.0,) * machines, (0,) * (machines - 1)).throughput() == pytest.approx(published, abs=5e-5)


def test_exact_answers_agree_with_each_other() -> None:
    """The general chain, the two-machine chain, the closed form of M/M/1/K and Buzen's algorithm overlap."""
    up, down = (12.0, 30.0), (3.0, 5.0)
    line = Line((1.1, 1.0), (4,), up, down)
    fails, repairs = (1.0 / up[0], 1.0 / up[1]), (1.0 / down[0], 1.0 / down[1])
    assert line.throughput() == pytest.approx(two_machines((1.1, 1.0), 6, fails, repairs), rel=1e-9)
    pair = Line((1.1, 1.0), (4,)).throughput()
    chance = birth_and_death([1.1] * 6, [1.0] * 6)
    assert pair == pytest.approx(1.0 - float(chance[0]), rel=1e-9)
    # Two stations in a cycle of 6 cars are the same birth and death process.
    assert buzen(6, [(1.0 / 1.1, 1), (1.0, 1)]) == pytest.approx(pair, rel=1e-9)
    assert erlang_c(0.5, 1) == pytest.approx(0.5)
