"""A slow, readable twin of the flow simulation: objects, queues and a heap instead of arrays and a winner tree.

It reads the same plant and the same random streams, and shares no code with the kernels.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
STARTED, FINISHED, LEFT, SCRAPPED, HELD = range(5)


def scramble(bits: int) -> int:
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


class Stream:
    """Uniform numbers of one machine for one purpose in one replication."""

    def __init__(self, key: int, purpose: int, replication: int) -> None:
        base = scramble((key + purpose * GOLDEN) & MASK)
        self.base = scramble(base ^ ((replication * 0xBF58476D1CE4E5B9 + GOLDEN) & MASK))
        self.taken = 0

    def uniform(self) -> float:
        self.taken += 1
        return (scramble((self.base + self.taken * GOLDEN) & MASK) >> 11) / 2**53

    def exponential(self) -> float:
        return -math.log(1.0 - self.uniform())


@dataclass
class Car:
    model: int
    serial: int
    tries: int = 0


@dataclass
class Machine:
    index: int
    cell: Cell
    service: Stream
    failure: Stream
    repair: Stream
    quality: Stream
    scrap: Stream
    state: str = "idle"
    car: Car | None = None
    to_failure: float = math.inf
    intervals: list[tuple[float, float, float, float]] = field(default_factory=list)
    held_from: float = 0.0
    blocked: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class Lane:
    index: int
    cell: Cell
    capacity: int
    ride: float
    priority: int
    weight: float
    source: bool
    interval: float
    mix: list[float]
    owed: list[float]
    cars: deque[tuple[Car, float]] = field(default_factory=deque)
    waiting: deque[Machine] = field(default_factory=deque)
    credit: float = 0.0
    release: float = 0.0
    armed: bool = False

    def ready(self, now: float) -> bool:
        if self.source:
            return self.release <= now
        if self.cars:
            return self.cars[0][1] <= now
        return self.capacity == 0 and bool(self.waiting)


@dataclass
class Cell:
    row: Any
    by_model: Any
    machines: list[Machine] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)

    def idle(self) -> Machine | None:
        return next((machine for machine in self.machines if machine.state == "idle"), None)


class Twin:
    """One run of a plant."""

    def __init__(self, network: Any, replication: int) -> None:
        self.now = 0.0
        self.heap: list[tuple[float, int]] = []
        self.trace: list[tuple[float, int, int, int]] = []
        self.serial = 0
        self.entered = self.left = self.scrapped = 0
        self.cells = [Cell(row, models) for row, models in zip(network.cell, network.cell_model, strict=True)]
        self.machines = [self._machine(index, row, replication) for index, row in enumerate(network.machine)]
        self.lanes = [self._lane(index, row, network.mix[index]) for index, row in enumerate(network.lane)]
        for lane, row in zip(self.lanes, network.lane, strict=True):
            for place in range(int(row["ready"] + row["riding"])):
                entry = -lane.ride
                if place >= row["ready"]:
                    entry *= 1.0 - (place + 1 - row["ready"]) / row["riding"]
                lane.cars.append((self._new_car(lane), entry + lane.ride))
            lane.release = lane.interval
            self._arm(lane)

    def _machine(self, index: int, row: Any, replication: int) -> Machine:
        cell = self.cells[row["cell"]]
        streams = [Stream(int(row["key"]), purpose, replication) for purpose in range(1, 6)]
        machine = Machine(index, cell, *streams)
        if cell.row["mtbf_s"] > 0:
            machine.to_failure = cell.row["mtbf_s"] * machine.failure.exponential()
        cell.machines.append(machine)
        return machine

    def _lane(self, index: int, row: Any, mix: Any) -> Lane:
        cell = self.cells[row["cell"]]
        lane = Lane(
            index=index,
            cell=cell,
            capacity=int(row["capacity"]),
            ride=float(row["ride_s"]),
            priority=int(row["priority"]),
            weight=float(row["weight"]),
            source=bool(row["source"]),
            interval=float(row["interval_s"]),
            mix=[float(share) for share in mix],
            owed=[0.0] * len(mix),
        )
        cell.lanes.append(lane)
        return lane

    def _new_car(self, lane: Lane) -> Car:
        chosen = None
        for model, share in enumerate(lane.mix):
            if share > 0:
                lane.owed[model] += share
                if chosen is None or lane.owed[model] > lane.owed[chosen] + 1e-12:
                    chosen = model
        assert chosen is not None
        lane.owed[chosen] -= 1.0
        self.serial += 1
        self.entered += 1
        return Car(chosen, self.serial - 1)

    def _arm(self, lane: Lane) -> None:
        if not lane.armed and (lane.source or lane.cars):
            lane.armed = True
            time = lane.release if lane.source else lane.cars[0][1]
            heapq.heappush(self.heap, (time, len(self.machines) + lane.index))

    def _note(self, machine: Machine, car: Car, code: int) -> None:
        self.trace.append((self.now, machine.index, car.serial, code))

    def run(self, until: float, max_events: int = 10**9) -> None:
        while self.heap and self.heap[0][0] <= until and max_events > 0:
            max_events -= 1
            self.now, index = heapq.heappop(self.heap)
            if index < len(self.machines):
                self._finish(self.machines[index])
            else:
                lane = self.lanes[index - len(self.machines)]
                lane.armed = False
                while (machine := lane.cell.idle()) is not None and self._pull(machine):
                    pass

    def _start(self, machine: Machine, car: Car) -> None:
        row = machine.cell.row
        work = float(machine.cell.by_model[car.model]["cycle_s"])
        if row["exponential"]:
            work *= machine.service.exponential()
        down, left = 0.0, work
        while machine.to_failure <= left:
            left -= machine.to_failure
            down += row["mttr_s"] * machine.repair.exponential()
            machine.to_failure = row["mtbf_s"] * machine.failure.exponential()
        machine.to_failure -= left
        machine.state, machine.car = "busy", car
        end = self.now + (work + down)
        machine.intervals.append((self.now, end, work, down))
        heapq.heappush(self.heap, (end, machine.index))
        self._note(machine, car, STARTED)

    def _serve(self, served: Lane) -> None:
        rivals = served.cell.lanes
        if len(rivals) > 1:
            for lane in rivals:
                if lane.priority == served.priority:
                    lane.credit = min(lane.credit + lane.weight, 2.0)
            served.credit = max(served.credit - 1.0, -2.0)

    def _choose(self, cell: Cell) -> Lane | None:
        ready = [lane for lane in cell.lanes if lane.ready(self.now)]
        first = min((lane.priority for lane in ready), default=0)
        chosen = None
        for lane in ready:
            if lane.priority == first and (
                chosen is None or lane.credit + lane.weight > chosen.credit + chosen.weight + 1e-12
            ):
                chosen = lane
        return chosen

    def _free(self, lane: Lane) -> Machine:
        machine = lane.waiting.popleft()
        machine.blocked.append((machine.held_from, self.now))
        machine.state = "idle"
        return machine

    def _pull(self, machine: Machine) -> bool:
        lane = self._choose(machine.cell)
        if lane is None:
            for waiting in machine.cell.lanes:
                self._arm(waiting)
            return False
        freed = None
        if lane.source:
            car = self._new_car(lane)
            lane.release += lane.interval
        elif lane.cars:
            car, _ = lane.cars.popleft()
            if lane.waiting:
                freed = self._free(lane)
                assert freed.car is not None
                lane.cars.append((freed.car, self.now + lane.ride))
        else:
            freed = self._free(lane)
            assert freed.car is not None
            car = freed.car
        self._serve(lane)
        self._start(machine, car)
        if freed is not None:
            freed.car = None
            self._pull(freed)
        return True

    def _finish(self, machine: Machine) -> None:
        car, cell = machine.car, machine.cell
        assert car is not None
        self._note(machine, car, FINISHED)
        target = int(cell.by_model[car.model]["next_lane"])
        gone = None
        if cell.row["fail_lane"] >= 0:
            share = cell.by_model[car.model]["pass_share"] if car.tries == 0 else cell.row["retest_share"]
            if cell.machines[0].quality.uniform() < share:
                car.tries = 0
            else:
                car.tries += 1
                target = int(cell.row["fail_lane"])
        elif cell.row["scrap_share"] > 0 and cell.machines[0].scrap.uniform() < cell.row["scrap_share"]:
            gone = SCRAPPED
        if gone is None and target < 0:
            gone = LEFT
        if gone is not None:
            self.left += gone == LEFT
            self.scrapped += gone == SCRAPPED
            self._note(machine, car, gone)
        else:
            lane = self.lanes[target]
            taker = lane.cell.idle()
            if taker is not None and lane.ride == 0:
                self._serve(lane)
                self._start(taker, car)
            elif len(lane.cars) < lane.capacity:
                lane.cars.append((car, self.now + lane.ride))
                if taker is not None:
                    self._arm(lane)
            else:
                machine.state, machine.held_from = "blocked", self.now
                lane.waiting.append(machine)
                self._note(machine, car, HELD)
                return
        machine.state, machine.car = "idle", None
        self._pull(machine)

    def inside(self) -> int:
        """Cars in the plant now."""
        held = sum(machine.car is not None for machine in self.machines)
        return held + sum(len(lane.cars) for lane in self.lanes)

    def shares(self, machine: Machine, start: float, end: float) -> tuple[float, float, float]:
        """Share of the time from start to end at work, in repair and blocked, pro rata within a job."""
        work = down = held = 0.0
        for begin, finish, working, broken in machine.intervals:
            overlap = max(0.0, min(finish, end) - max(begin, start)) / (finish - begin)
            work += overlap * working
            down += overlap * broken
        waits = [*machine.blocked]
        if machine.state == "blocked":
            waits.append((machine.held_from, math.inf))
        for begin, finish in waits:
            held += max(0.0, min(finish, end) - max(begin, start))
        return work / (end - start), down / (end - start), held / (end - start)
