"""Runs replications of a serial line by the recursion."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.network import key_of
from coachbuilder.plant.flow.plant import Plant, Source, Station, Time, TimeKind
from coachbuilder.plant.flow.record import (
    BINS_PER_BATCH,
    CAME_IN,
    CAR_SUMS,
    COMPLETE,
    LEFT,
    MACHINE_SUMS,
    NOT_CONSERVED,
    Records,
)
from coachbuilder.plant.flow.recursion.scope import chain, why_not

if TYPE_CHECKING:
    from coachbuilder.plant.flow.recursion.kernels import Line

F8 = NDArray[np.float64]

_CACHE_LINE = 64


def record(
    plant: Plant, *, seed: int, first: int, replications: int, start_s: float, batch_s: float, batches: int
) -> Records:
    """Run replications of a plain serial line and return what they leave behind.

    Parameters
    ----------
    plant
        The line; see ``why_not``.
    seed
        Seed of all random streams.
    first
        Number of the first replication.
    replications
        Independent runs; multiples of 16 go fastest.
    start_s
        When counting starts, s.
    batch_s
        Length of a batch, s.
    batches
        Batches of each run.

    Raises
    ------
    ValueError
        If the recursion cannot do this plant.

    Examples
    --------
    >>> from coachbuilder.plant.flow.plant import Time, serial_line
    >>> line = serial_line([Time(60.0), Time(50.0)], [3])
    >>> records = record(line, seed=1, first=0, replications=1, start_s=0.0, batch_s=3600.0, batches=2)
    >>> records.out.sum(axis=1).tolist()
    [[119]]
    """
    reason = why_not(plant)
    if reason:
        message = f"the recursion cannot do this plant: {reason}"
        raise ValueError(message)
    from coachbuilder.plant.flow.recursion import kernels
    from coachbuilder.plant.flow.streams import kernels as streams

    machines, kinds = len(plant.stations), len(plant.types)
    stations, between = chain(plant) or ((), ())
    stock = np.zeros((replications, batches + 1, machines, kernels.COUNTS + 2 * kinds))
    out = np.zeros((replications, BINS_PER_BATCH * batches, kinds), np.int64)
    remaining = np.zeros((replications, kinds), np.int64)
    builder = _Builder(plant, seed, stations, between)
    for begin in range(0, replications, kernels.LANES):
        part = slice(begin, begin + kernels.LANES)
        line, memory = builder.line()
        kernels.run_lanes(
            line,
            memory,
            kernels.bases(line.mode["key"], streams.TO_FAILURE, first + begin),
            kernels.bases(line.mode["key"], streams.TO_REPAIR, first + begin),
            kernels.bases(line.machine["key"], streams.SERVICE, first + begin),
            kernels.bases(np.array([line.source]), streams.INTERVAL, first + begin),
            stock[part],
            out[part],
            remaining[part],
            float(start_s),
            batch_s / BINS_PER_BATCH,
        )
    finished = stock[..., kernels.COUNTS : kernels.COUNTS + kinds].astype(np.int64)
    car = np.zeros((replications, batches + 1, kinds, CAR_SUMS), np.int64)
    car[..., CAME_IN] = finished[:, :, 0] + (stock[:, :, 0, kernels.HAS_CAR, np.newaxis] == np.arange(kinds))
    car[..., LEFT] = finished[:, :, -1]
    lost = (car[:, -1, :, CAME_IN] != car[:, -1, :, LEFT] + remaining).any(axis=1)
    came_s, left_s = stock[..., kernels.CAME_S], stock[..., kernels.LEFT_S]
    return Records(
        start_s=start_s,
        batch_s=batch_s,
        out=np.diff(out, axis=1, prepend=car[:, :1, :, LEFT]),
        machine=_in_order_of_plant(stock[..., :MACHINE_SUMS], stations),
        finished=_in_order_of_plant(finished, stations),
        level=_in_order_of_plant(came_s[..., 1:] - left_s[..., :-1], between),
        inside=left_s[..., -1] - came_s[..., 0],
        car=car,
        lead=stock[:, :, -1, kernels.COUNTS + kinds :].copy(),
        place=np.zeros((replications, batches + 1, 0, 3)),
        carriers=np.zeros((replications, batches + 1, 0)),
        ended=np.where(lost, NOT_CONSERVED, COMPLETE),
        stuck=np.full(replications, -1),
        stuck_s=np.zeros(replications),
        at_start=np.zeros((replications, kinds), np.int64),
        remaining=remaining,
        events=finished[:, -1].sum(axis=(1, 2)),
    )


def _in_order_of_plant(sums: NDArray[Any], rows: tuple[int, ...]) -> NDArray[Any]:
    """Return sums of machines or buffers in the order of the plant; they come in that of the chain."""
    moved = np.empty_like(sums)
    moved[:, :, list(rows)] = sums
    return moved


class _Builder:
    """Turns a serial line into the arrays of the kernel."""

    def __init__(self, plant: Plant, seed: int, stations: tuple[int, ...], between: tuple[int, ...]) -> None:
        self.plant, self.seed = plant, seed
        self.stations = [plant.stations[row] for row in stations]
        self.buffers = [plant.buffers[row] for row in between]
        self.times: list[tuple[int, float, float, int, int]] = []
        self.values: list[float] = []

    def line(self) -> tuple[Line, F8]:
        """Return the line and its memory, ready for a run."""
        from coachbuilder.plant.flow.recursion import kernels
        from coachbuilder.plant.flow.streams.kernels import TIME

        self.times, self.values = [], []
        kinds = len(self.plant.types)
        machine = np.zeros(len(self.stations) + 1, kernels.MACHINE)
        cycle = np.zeros((len(self.stations), kinds), np.int64)
        modes: list[tuple[int, int, int, int, int]] = []
        work: list[tuple[int, float]] = []
        block = kernels.LEAD + kinds
        for row, station in enumerate(self.stations):
            assert isinstance(station, Station)
            here, name = machine[row], f"{station.id}.1"
            cycles = station.cycle * kinds if len(station.cycle) == 1 else station.cycle
            cycle[row] = [self._time(time) for time in cycles]
            here["key"] = key_of(self.seed, name)
            here["varies"] = int(any(self.times[time][0] for time in cycle[row]))
            here["first_mode"] = len(modes)
            for failure in station.failures:
                key = key_of(self.seed, f"{name}|{failure.id}")
                pair = failure.to_failure, failure.to_repair
                exponential = int(all(time.kind is TimeKind.EXPONENTIAL for time in pair))
                modes.append((key, self._time(pair[0]), self._time(pair[1]), exponential, block))
                block += 1
            here["last_mode"] = len(modes)
            if row > 0:
                here["places"], here["transport_s"] = self.buffers[row - 1].places, self.buffers[row - 1].transport_s
            here["block"], here["start"] = block, block + kernels.RING
            here["last_start"] = block + kernels.RING + max(int(here["places"]), 1) - 1
            here["room"] = here["start"] if here["places"] else block + kernels.LEFT
            here["job"] = here["last_start"] + 1
            work.extend((int(here["job"]) + kind, time.mean_s) for kind, time in enumerate(cycles))
            block = int(here["job"]) + kinds
        machine[-1]["room"] = kernels.NOWHERE
        memory = _aligned(block, kernels.LANES)
        for place, work_s in work:
            memory[place] = work_s
        source = self.plant.sources[0]
        shares, order = _release(self.plant, source)
        line = kernels.Line(
            machine=machine,
            mode=np.array(modes, dtype=kernels.MODE),
            cycle=cycle,
            work_s=np.array([self.times[time][1] for time in cycle.flat]).reshape(cycle.shape),
            interval=-1 if source.interval is None else self._time(source.interval),
            source=np.uint64(key_of(self.seed, f"source|{source.id}")),
            limit=-1 if source.limit is None else source.limit,
            mix=shares,
            order=order,
            time=np.array(self.times, dtype=TIME),
            value_s=np.array(self.values, dtype=np.float64),
        )
        return line, memory

    def _time(self, time: Time) -> int:
        """Return the row of a time."""
        from coachbuilder.plant.flow.streams import kernels

        kind = {
            TimeKind.FIXED: kernels.FIXED,
            TimeKind.EXPONENTIAL: kernels.EXPONENTIAL,
            TimeKind.GAMMA: kernels.GAMMA,
            TimeKind.LOGNORMAL: kernels.LOGNORMAL,
            TimeKind.EMPIRICAL: kernels.EMPIRICAL,
        }[time.kind]
        shape = 0.0
        if kind in (kernels.GAMMA, kernels.LOGNORMAL):
            if time.cv == 0.0:
                kind = kernels.FIXED
            else:
                shape = 1.0 / time.cv**2 if kind == kernels.GAMMA else math.sqrt(math.log(1.0 + time.cv**2))
        first = len(self.values)
        self.values.extend(time.values_s)
        self.times.append((kind, time.mean_s, shape, first, len(self.values)))
        return len(self.times) - 1


def _release(plant: Plant, source: Source) -> tuple[F8, NDArray[np.int64]]:
    """Return the shares of the types, and their order if it is given."""
    row = {item.id: place for place, item in enumerate(plant.types)}
    order = np.array([row[name] for name in source.order], dtype=np.int64)
    shares = np.array([item.share for item in plant.types])
    if source.shares:
        shares[:] = 0.0
        for name, share in source.shares:
            shares[row[name]] = share
    return shares / sum(shares.tolist()), order


def _aligned(rows: int, lanes: int) -> F8:
    """Return zeros that begin at a cache line: vectors that cross lines take twice as long."""
    numbers = np.zeros(rows * lanes + _CACHE_LINE // 8)
    skip = (-numbers.ctypes.data % _CACHE_LINE) // 8
    return numbers[skip : skip + rows * lanes].reshape(rows, lanes)
