"""The recursion of departures against an event-by-event run of the same line, written from the rules alone."""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.plant.flow import engine
from coachbuilder.plant.flow import record as columns
from coachbuilder.plant.flow.engine import key_of
from coachbuilder.plant.flow.plant import (
    Batch,
    Blocking,
    Buffer,
    CarType,
    FailedCar,
    Failure,
    FailureClock,
    Maintenance,
    Plant,
    SetUp,
    Source,
    Station,
    Test,
    Time,
    TimeKind,
    Way,
    serial_line,
)
from coachbuilder.plant.flow.record import Records
from coachbuilder.plant.flow.recursion import record, why_not
from coachbuilder.plant.flow.streams import kernels as streams
from coachbuilder.plant.flow.streams.tables import quantiles

KINDS = {
    TimeKind.FIXED: streams.FIXED,
    TimeKind.EXPONENTIAL: streams.EXPONENTIAL,
    TimeKind.GAMMA: streams.GAMMA,
    TimeKind.LOGNORMAL: streams.LOGNORMAL,
    TimeKind.EMPIRICAL: streams.EMPIRICAL,
}


class Stream:
    """Draws of one time from one stream."""

    def __init__(self, time: Time, key: int, purpose: int, replication: int) -> None:
        self.values = np.array(time.values_s)
        if time.kind in (TimeKind.GAMMA, TimeKind.LOGNORMAL):
            self.values = quantiles(time.kind, time.cv).flatten()
        self.time = np.array([(KINDS[time.kind], time.mean_s, 0, len(self.values))], dtype=streams.TIME)
        self.varies = time.kind is not TimeKind.FIXED
        self.base = np.uint64(streams.stream(np.uint64(key), purpose, replication))

    def __call__(self, count: int) -> float:
        return float(streams.draw(self.time, self.values, 0, self.base, count))


@dataclass
class Job:
    """What one machine did with one car."""

    kind: int
    start: float
    set_up: float
    work: float
    down: float
    end: float
    left: float = math.inf


class Machine:
    def __init__(self, plant: Plant, row: int, seed: int, replication: int) -> None:
        station, kinds, name = plant.stations[row], len(plant.types), f"{plant.stations[row].id}.1"
        cycles = station.cycle * kinds if len(station.cycle) == 1 else station.cycle
        self.cycles = [Stream(time, key_of(seed, name), streams.SERVICE, replication) for time in cycles]
        self.draws = 0
        self.set_up, self.families = station.set_up, [item.family for item in plant.types]
        self.modes = []
        for failure in station.failures:
            key = key_of(seed, f"{name}|{failure.id}")
            to_failure = Stream(failure.to_failure, key, streams.TO_FAILURE, replication)
            to_repair = Stream(failure.to_repair, key, streams.TO_REPAIR, replication)
            self.modes.append([to_failure(0), 0, to_failure, to_repair, failure.car is FailedCar.RESTART])
        self.worked = 0.0
        self.jobs: list[Job] = []
        self.state = "idle"

    def start(self, kind: int, now: float) -> float:
        work, down, set_up = self.cycles[kind](self.draws), 0.0, 0.0
        self.draws += 1
        if self.set_up and self.jobs:
            before, after = self.families[self.jobs[-1].kind], self.families[kind]
            usual = 0.0 if before == after else self.set_up.time_s
            set_up = {pair[:2]: pair[2] for pair in self.set_up.pairs}.get((before, after), usual)
        target, full = self.worked + work, work
        while self.modes and (mode := min(self.modes, key=lambda each: each[0]))[0] <= target:
            down += mode[3](mode[1])
            mode[1] += 1
            if mode[4]:
                target = mode[0] + full
                work = target - self.worked
            mode[0] += mode[2](mode[1])
        self.worked = target
        self.jobs.append(Job(kind, now, set_up, work, down, now + (set_up + (work + down))))
        self.state = "busy"
        return self.jobs[-1].end


def types_of(plant: Plant):
    source = plant.sources[0]
    names = [item.id for item in plant.types]
    if source.order:
        while True:
            yield from (names.index(name) for name in source.order)
    shares = dict(source.shares) if source.shares else {item.id: item.share for item in plant.types}
    total = sum(shares.get(name, 0.0) for name in names)
    owed = [0.0] * len(names)
    while True:
        owed = [debt + shares.get(name, 0.0) / total for debt, name in zip(owed, names, strict=True)]
        best = next(kind for kind, debt in enumerate(owed) if debt > max(owed) - 1e-9 and shares.get(names[kind], 0.0))
        owed[best] -= 1.0
        yield best


def run_events(plant: Plant, seed: int, replication: int, until: float) -> list[list[Job]]:
    """Run the line event by event; jobs of every machine in their order."""
    machines = [Machine(plant, row, seed, replication) for row in range(len(plant.stations))]
    buffers = plant.buffers
    queues: list[deque[tuple[int, float]]] = [deque() for _ in machines]  # cars before each machine, at its head when
    source = plant.sources[0]
    interval = None
    if source.interval is not None:
        interval = Stream(source.interval, key_of(seed, f"source|{source.id}"), streams.INTERVAL, replication)
    kinds = types_of(plant)
    released, came = 0.0, 0
    events: list[tuple[float, int]] = []

    def release() -> None:
        nonlocal released
        released = math.inf if came == source.limit else released + (interval(came) if interval else 0.0)

    def take(row: int, now: float) -> None:
        """Let an idle machine take a car, and all before it that this sets free."""
        nonlocal came
        machine = machines[row]
        if machine.state != "idle":
            return
        if row == 0:
            if released > now:
                heapq.heappush(events, (released, row)) if released < math.inf else None
                return
            kind = next(kinds)
            came += 1
            release()
        else:
            before = machines[row - 1]
            if queues[row]:
                if queues[row][0][1] > now:
                    heapq.heappush(events, (queues[row][0][1], row))
                    return
                kind = queues[row].popleft()[0]
            elif before.state == "held" and buffers[row - 1].places == 0:
                kind = before.jobs[-1].kind
                before.jobs[-1].left = now
                before.state = "idle"
            else:
                return
        heapq.heappush(events, (machine.start(kind, now), row))
        if row > 0:
            pass_on(row - 1, now)
            take(row - 1, now)

    def pass_on(row: int, now: float) -> None:
        machine = machines[row]
        if machine.state != "held":
            return
        if row + 1 < len(machines):
            if len(queues[row + 1]) >= buffers[row].places:
                return
            queues[row + 1].append((machine.jobs[-1].kind, now + buffers[row].transport_s))
        machine.jobs[-1].left = now
        machine.state = "idle"

    release()
    take(0, 0.0)
    while events and events[0][0] <= until:
        now, row = heapq.heappop(events)
        machine = machines[row]
        if machine.state == "busy" and machine.jobs[-1].end == now:
            machine.state = "held"
            pass_on(row, now)
            if row + 1 < len(machines):
                take(row + 1, now)
        take(row, now)
    return [machine.jobs for machine in machines]


def run_recursion(plant: Plant, seed: int, replication: int, until: float) -> list[list[Job]]:
    """Run the line car by car: plain Python of the same recursion."""
    machines = [Machine(plant, row, seed, replication) for row in range(len(plant.stations))]
    source, released, kinds = plant.sources[0], 0.0, types_of(plant)
    interval = None
    if source.interval is not None:
        interval = Stream(source.interval, key_of(seed, f"source|{source.id}"), streams.INTERVAL, replication)
    for car in range(source.limit if source.limit is not None else 10**9):
        if released > until:
            break
        released += interval(car) if interval else 0.0
        arrived, kind = released, next(kinds)
        for row, machine in enumerate(machines):
            start = max(arrived, machine.jobs[-1].left if machine.jobs else 0.0)
            left = machine.start(kind, start)
            if row + 1 < len(machines):
                places, behind = plant.buffers[row].places, machines[row + 1].jobs
                if places == 0 and behind:
                    left = max(left, behind[-1].left)
                elif 0 < places <= car:
                    left = max(left, behind[car - places].start)
                arrived = left + plant.buffers[row].transport_s
            machine.jobs[-1].left = left
        if machines[0].jobs[-1].start > until:
            break
    return [machine.jobs for machine in machines]


@dataclass
class Told:
    """What a run leaves behind at one moment, counted from its jobs."""

    machine: np.ndarray
    finished: np.ndarray
    level: np.ndarray
    inside: float
    car: np.ndarray
    lead: np.ndarray
    inside_now: list[int] = field(default_factory=list)


def told(jobs: list[list[Job]], kinds: int, now: float) -> Told:
    machine = np.zeros((len(jobs), columns.MACHINE_SUMS))
    finished = np.zeros((len(jobs), kinds), dtype=int)
    for row, own in enumerate(jobs):
        ended = -1.0
        for job in own:
            if job.start > now:
                break
            done = min(job.end, now) - job.start
            set_up = min(done, job.set_up)
            share = (done - set_up) / (job.work + job.down)
            machine[row, columns.SET_UP] += set_up
            machine[row, columns.WORKING] += share * job.work
            machine[row, columns.DOWN] += share * job.down
            machine[row, columns.BLOCKED] += max(0.0, min(now, job.left) - job.end)
            machine[row, columns.ACTIVE] += done
            machine[row, columns.ACTIVE_COUNT] += job.start > ended
            finished[row, job.kind] += job.end <= now
            ended = job.end

    def between(entered: list[float], gone: list[float]) -> float:
        gone = gone + [math.inf] * (len(entered) - len(gone))
        return sum(min(now, off) - on for on, off in zip(entered, gone, strict=True) if on <= now)

    level = [
        between([job.left for job in before if job.left < math.inf], [job.start for job in behind])
        for before, behind in pairwise(jobs)
    ]
    car = np.zeros((kinds, columns.CAR_SUMS), dtype=int)
    lead = np.zeros(kinds)
    for job in jobs[0]:
        car[job.kind, columns.CAME_IN] += job.start <= now
    for first, job in zip(jobs[0], jobs[-1], strict=False):
        if job.left <= now:
            car[job.kind, columns.LEFT] += 1
            lead[job.kind] += job.left - first.start
    inside = between([job.start for job in jobs[0]], [job.left for job in jobs[-1]])
    return Told(machine, finished, np.array(level), inside, car, lead)


def assert_told(records: Records, run: int, jobs: list[list[Job]]) -> None:
    """Every array of one run is what its jobs say."""
    kinds = records.car.shape[2]
    near = {"rtol": 1e-9, "atol": 1e-5}
    for batch in range(records.batches + 1):
        now = records.start_s + batch * records.batch_s
        expected = told(jobs, kinds, now)
        np.testing.assert_allclose(records.machine[run, batch], expected.machine, **near)
        np.testing.assert_array_equal(records.finished[run, batch], expected.finished)
        np.testing.assert_allclose(records.level[run, batch], expected.level, **near)
        np.testing.assert_allclose(records.inside[run, batch], expected.inside, **near)
        np.testing.assert_array_equal(records.car[run, batch], expected.car)
        np.testing.assert_allclose(records.lead[run, batch], expected.lead, **near)
    out = np.zeros(records.out.shape[1:], dtype=int)
    bin_s = records.batch_s / columns.BINS_PER_BATCH
    edges = [records.start_s + bin_s * edge for edge in range(out.shape[0] + 1)]
    for job in jobs[-1]:
        for place, (low, high) in enumerate(pairwise(edges)):
            out[place, job.kind] += low < job.left <= high
    np.testing.assert_array_equal(records.out[run], out)
    last = records.car[run, -1]
    assert records.ended[run] == columns.COMPLETE
    np.testing.assert_array_equal(records.remaining[run], last[:, columns.CAME_IN] - last[:, columns.LEFT])
    assert records.events[run] == records.finished[run, -1].sum()


fixed_times = st.integers(1, 9).map(lambda tens: Time(10.0 * tens))
times = st.one_of(
    fixed_times,
    st.floats(5.0, 90.0).map(Time.exponential),
    st.tuples(st.floats(5.0, 90.0), st.floats(0.1, 1.5)).map(lambda pair: Time.gamma(*pair)),
    st.tuples(st.floats(5.0, 90.0), st.floats(0.1, 1.5)).map(lambda pair: Time.lognormal(*pair)),
    st.lists(st.floats(5.0, 90.0), min_size=1, max_size=3).map(Time.empirical),
)
repairs = st.floats(1.0, 500.0).map(lambda mean: Time.gamma(mean, 0.7))
exponential = st.floats(300.0, 3000.0).map(Time.exponential)


def modes(clock: FailureClock) -> st.SearchStrategy[tuple[Failure, ...]]:
    """Up to three ways to fail; work that starts anew could do so for ever if the times to failure were fixed."""
    resume = st.tuples(exponential | st.floats(500.0, 3000.0).map(Time), repairs, st.just(FailedCar.RESUME))
    restart = st.tuples(exponential, repairs, st.just(FailedCar.RESTART))
    one = resume | restart if clock is FailureClock.WORKING else resume
    return st.lists(one, max_size=3).map(
        lambda found: tuple(
            Failure(f"f{row}", to_failure, to_repair, clock, car)
            for row, (to_failure, to_repair, car) in enumerate(found)
        )
    )


@st.composite
def lines(draw: st.DrawFn, *, fixed: bool = False, fails: bool = True, any_time: bool = False) -> Plant:
    machines = draw(st.integers(1, 4))
    kinds = draw(st.integers(1, 3))
    types = tuple(CarType(f"t{kind}", "", "aba"[kind], draw(st.sampled_from([1.0, 2.0, 0.3]))) for kind in range(kinds))
    anything = fixed_times if fixed else times
    clocks = list(FailureClock) if any_time else [FailureClock.WORKING]
    stations = tuple(
        Station(
            f"s{row}",
            tuple(draw(anything) for _ in range(draw(st.sampled_from([1, kinds])))),
            ways=(Way((f"b{row}",)),) if row + 1 < machines else (),
            failures=draw(modes(draw(st.sampled_from(clocks)))) if fails else (),
            set_up=draw(st.sampled_from([None, None, SetUp(7.0), SetUp(7.0, (("a", "aba"[kinds - 2], 31.0),))])),
        )
        for row in range(machines)
    )
    buffers = []
    for row in range(machines - 1):
        places = draw(st.integers(1 if any_time else 0, 3))
        transport = draw(st.sampled_from([0.0, 20.0, 77.7])) if places else 0.0
        buffers.append(Buffer(f"b{row}", f"s{row + 1}", places, transport))
    source = Source(
        "source",
        "s0",
        order=tuple(draw(st.lists(st.sampled_from([item.id for item in types]), max_size=4))),
        interval=draw(st.none() | anything),
        limit=draw(st.sampled_from([None, None, 0, 1, 20])),
    )
    return Plant(types, stations, (source,), tuple(buffers))


@settings(max_examples=60, deadline=None)
@given(plant=lines(), seed=st.integers(0, 99), start=st.sampled_from([0.0, 300.0]))
def test_every_record_is_what_the_jobs_of_an_event_by_event_run_add_up_to(
    plant: Plant, seed: int, start: float
) -> None:
    records = record(plant, seed=seed, first=seed, replications=2, start_s=start, batch_s=600.0, batches=4)
    for run in range(2):
        jobs = run_events(plant, seed, seed + run, 20_000.0)
        assert_told(records, run, jobs)


@settings(max_examples=40, deadline=None)
@given(plant=lines(fixed=True, fails=False), seed=st.integers(0, 99))
def test_moments_at_which_much_happens_at_once_are_told_as_well(plant: Plant, seed: int) -> None:
    records = record(plant, seed=seed, first=0, replications=1, start_s=0.0, batch_s=100.0, batches=6)
    assert_told(records, 0, run_events(plant, seed, 0, 5_000.0))


@settings(max_examples=40, deadline=None)
@given(plant=lines(any_time=True), seed=st.integers(0, 99), start=st.sampled_from([0.0, 300.0]))
def test_the_event_calendar_records_the_same_failures_at_any_time_included(
    plant: Plant, seed: int, start: float
) -> None:
    grid = {"seed": seed, "first": 3, "replications": 2, "start_s": start, "batch_s": 700.0, "batches": 12}
    mine, theirs = record(plant, **grid), engine.record(plant, **grid)
    for name in ("out", "finished", "car", "ended", "remaining", "at_start", "stuck"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name), err_msg=name)
    compared = [column for column in range(columns.MACHINE_SUMS) if column != columns.ACTIVE]
    np.testing.assert_allclose(mine.machine[..., compared], theirs.machine[..., compared], rtol=1e-9, atol=1e-5)
    for name in ("level", "inside", "lead", "place", "carriers"):
        np.testing.assert_allclose(getattr(mine, name), getattr(theirs, name), rtol=1e-9, atol=1e-5, err_msg=name)


@settings(max_examples=40, deadline=None)
@given(plant=lines(), seed=st.integers(0, 99))
def test_the_recursion_and_the_events_agree_to_the_last_bit(plant: Plant, seed: int) -> None:
    for mine, theirs in zip(run_recursion(plant, seed, 0, 5e3), run_events(plant, seed, 0, 5e3), strict=True):
        common = [job for job in theirs if job.left < math.inf]
        assert common == mine[: len(common)]


@settings(max_examples=10, deadline=None)
@given(plant=lines(any_time=True), seed=st.integers(0, 99))
def test_a_run_is_the_same_alone_and_among_others(plant: Plant, seed: int) -> None:
    grid = {"start_s": 0.0, "batch_s": 900.0, "batches": 3}
    many = record(plant, seed=seed, first=0, replications=19, **grid)
    for run in (0, 7, 15, 16, 18):
        alone = record(plant, seed=seed, first=run, replications=1, **grid)
        for name in ("out", "machine", "finished", "level", "inside", "car", "lead", "remaining", "events"):
            np.testing.assert_array_equal(getattr(many, name)[run], getattr(alone, name)[0], err_msg=name)


def test_an_unreliable_line_fails_and_waits_as_often_as_event_by_event() -> None:
    failures = (Failure("f", Time.exponential(6000.0), Time.exponential(600.0)),)
    line = serial_line([Time(60.0)] * 10, [10] * 9, failures=[failures] * 10)
    records = record(line, seed=3, first=0, replications=17, start_s=0.0, batch_s=43_200.0, batches=4)
    for run in (0, 16):
        assert_told(records, run, run_events(line, 3, run, 260_000.0))
    shares = records.machine[:, -1, :, [columns.WORKING, columns.DOWN, columns.BLOCKED]] / 172_800.0
    assert np.all(shares.sum(axis=0) <= 1.0 + 1e-12)


def test_stations_may_stand_in_another_order_than_cars_pass_them() -> None:
    line = serial_line([Time(50.0), Time.exponential(60.0), Time(40.0)], [1, 2])
    turned = replace(line, stations=line.stations[::-1], buffers=line.buffers[::-1])
    grid = {"seed": 1, "first": 0, "replications": 2, "start_s": 0.0, "batch_s": 5000.0, "batches": 2}
    there, back = record(line, **grid), record(turned, **grid)
    np.testing.assert_array_equal(there.machine, back.machine[:, :, ::-1])
    np.testing.assert_array_equal(there.level, back.level[:, :, ::-1])


def _with(line: Plant, **changes: object) -> Plant:
    first, *others = line.stations
    return replace(line, stations=(replace(first, **changes), *others))


LINE = serial_line([Time(60.0)] * 2, [1])
MODE = Failure("f", Time(60.0), Time(60.0))
ANY_TIME = replace(MODE, clock=FailureClock.PLANT)


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (_with(LINE, machines=2), "2 machines"),
        (_with(LINE, maintenance=Maintenance(100.0, 10.0)), "planned maintenance"),
        (_with(LINE, batch=Batch(2)), "batches"),
        (_with(LINE, test=Test((0.9,), ("b1",))), "a test"),
        (_with(LINE, scrap_share=0.1), "scrap"),
        (_with(LINE, blocking=Blocking.BEFORE_SERVICE), "looks for a place"),
        (_with(LINE, failures=(replace(MODE, car=FailedCar.SCRAP),)), "costs the car"),
        (_with(LINE, failures=(replace(MODE, clock=FailureClock.PLANT, car=FailedCar.RESTART),)), "starts anew"),
        (
            replace(
                serial_line([Time(60.0)] * 2, [0]),
                stations=(LINE.stations[0], replace(LINE.stations[1], failures=(ANY_TIME,))),
            ),
            "no place before it",
        ),
        (_with(LINE, failures=(MODE, replace(ANY_TIME, id="g"))), "both in operation and at any time"),
        (_with(LINE, failures=(replace(MODE, crew="crew"),)), "crew"),
        (_with(LINE, ways=(Way(("b1",), ("car",)),)), "different ways"),
        (_with(LINE, ways=(Way(("elsewhere",)),)), "one chain"),
        (serial_line([Time(0.0)] * 2, [1]), "no station takes any time"),
        (replace(LINE, sources=LINE.sources * 2), "2 sources"),
        (replace(LINE, buffers=(replace(LINE.buffers[0], filled=("car",)),)), "at the start"),
        (replace(LINE, buffers=(replace(LINE.buffers[0], to="m1"),)), "one chain"),
    ],
)
def test_other_plants_are_refused_with_the_reason(plant: Plant, reason: str) -> None:
    assert reason in why_not(plant)
    with pytest.raises(ValueError, match="cannot do this plant"):
        record(plant, seed=1, first=0, replications=1, start_s=0.0, batch_s=1.0, batches=1)
