"""Runs replications of a serial line by the recursion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.engine.network import TimeRows, key_of, machine_names
from coachbuilder.plant.flow.plant import FailedCar, FailureClock, Plant, Source, Station, Time, TimeKind
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
    builder = Builder(plant, seed, stations, between)
    for begin in range(0, replications, kernels.LANES):
        part = slice(begin, begin + kernels.LANES)
        line, memory = builder.line()
        kernels.run_lanes(
            line,
            kernels.Lanes(
                failure=kernels.bases(line.mode["key"], streams.TO_FAILURE, first + begin),
                repair=kernels.bases(line.mode["key"], streams.TO_REPAIR, first + begin),
                failures=np.zeros((line.mode.size, kernels.LANES), np.int64),
                work=kernels.bases(line.machine["key"], streams.SERVICE, first + begin),
                interval=kernels.bases(np.array([line.source]), streams.INTERVAL, first + begin)[0],
                owed=np.zeros(kinds),
                cars=np.zeros(kinds, np.int64),
            ),
            memory,
            kernels.Stock(stock[part], out[part], remaining[part], float(start_s), batch_s / BINS_PER_BATCH),
        )
    return records_of(plant, stock, out, remaining, start_s, batch_s)


def records_of(
    plant: Plant, stock: F8, out: NDArray[np.int64], remaining: NDArray[np.int64], start_s: float, batch_s: float
) -> Records:
    """Return the records of replications whose ``Stock`` is given by its arrays."""
    from coachbuilder.plant.flow.recursion import kernels

    replications, points, _, _ = stock.shape
    batches, kinds = points - 1, len(plant.types)
    stations, between = chain(plant) or ((), ())
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


class Builder:
    """Turns a serial line into the arrays of the kernel."""

    def __init__(self, plant: Plant, seed: int, stations: tuple[int, ...], between: tuple[int, ...]) -> None:
        self.plant, self.seed = plant, seed
        self.stations = [station for row in stations if isinstance(station := plant.stations[row], Station)]
        self.buffers = [plant.buffers[row] for row in between]

    def line(self) -> tuple[Line, F8]:
        """Return the line and its memory, ready for a run."""
        from coachbuilder.plant.flow.recursion import kernels

        times = TimeRows()
        kinds = len(self.plant.types)
        machine = np.zeros(len(self.stations) + 1, kernels.MACHINE)
        cycle = np.zeros((len(self.stations), kinds), np.int64)
        work_s = np.zeros((len(self.stations), kinds))
        modes: list[tuple[int, int, int, int, int]] = []
        block = kernels.LEAD + kinds
        for row, station in enumerate(self.stations):
            here, (name,) = machine[row], machine_names(station)
            here["key"] = key_of(self.seed, name)
            for kind, time in enumerate(_by_type(station.cycle, kinds)):
                cycle[row, kind] = times.row(time)
                work_s[row, kind] = time.mean_s if _is_fixed(time) else -1.0
            restarts = any(failure.car is FailedCar.RESTART for failure in station.failures)
            here["varies"] = int(restarts or work_s[row].min() < 0.0)
            here["sets_up"] = int(station.set_up is not None)
            here["first_mode"] = here["first_any"] = len(modes)
            for failure in sorted(station.failures, key=lambda each: each.clock is FailureClock.PLANT):
                key = key_of(self.seed, f"{name}|{failure.id}")
                pair = times.row(failure.to_failure), times.row(failure.to_repair)
                modes.append((key, *pair, int(failure.car is FailedCar.RESTART), block))
                here["first_any"] += int(failure.clock is FailureClock.WORKING)
                block += 1
            here["last_mode"] = len(modes)
            if row > 0:
                here["places"], here["transport_s"] = self.buffers[row - 1].places, self.buffers[row - 1].transport_s
            here["block"], here["start"] = block, block + kernels.RING
            here["last_start"] = block + kernels.RING + max(int(here["places"]), 1) - 1
            here["room"] = here["start"] if here["places"] else block + kernels.LEFT
            here["job"] = here["last_start"] + 1
            block = int(here["job"]) + kinds
        machine[-1]["room"] = kernels.NOWHERE
        memory = _aligned(block, kernels.LANES)
        for row in range(len(self.stations)):
            memory[machine[row]["job"] : machine[row]["job"] + kinds] = work_s[row][:, np.newaxis]
        source = self.plant.sources[0]
        interval = -1 if source.interval is None else times.row(source.interval)
        mix, order = _release(self.plant, source)
        rows, values_s = times.arrays()
        line = kernels.Line(
            machine=machine,
            mode=np.array(modes, dtype=kernels.MODE),
            cycle=cycle,
            work_s=work_s,
            set_up_s=np.array([_set_ups(self.plant, station) for station in self.stations]),
            time=rows,
            value_s=values_s,
            mix=mix,
            order=order,
            interval=interval,
            source=np.uint64(key_of(self.seed, f"source|{source.id}")),
            limit=-1 if source.limit is None else source.limit,
        )
        return line, memory


def _by_type(cycle: tuple[Time, ...], kinds: int) -> tuple[Time, ...]:
    return cycle * kinds if len(cycle) == 1 else cycle


def _is_fixed(time: Time) -> bool:
    return time.kind is TimeKind.FIXED or (time.kind in (TimeKind.GAMMA, TimeKind.LOGNORMAL) and time.cv == 0.0)


def _set_ups(plant: Plant, station: Station) -> F8:
    """Return the set-up between every type and the next, s."""
    families = [item.family for item in plant.types]
    if station.set_up is None:
        return np.zeros((len(families), len(families)))
    told = {(before, after): time_s for before, after, time_s in station.set_up.pairs}
    usual_s = station.set_up.time_s
    return np.array(
        [[told.get((before, after), 0.0 if before == after else usual_s) for after in families] for before in families]
    )


def _release(plant: Plant, source: Source) -> tuple[F8, NDArray[np.int64]]:
    """Return the shares of the types, and their order if it is given."""
    row = {item.id: place for place, item in enumerate(plant.types)}
    order = np.array([row[name] for name in source.order], dtype=np.int64)
    shares = dict(source.shares) or {item.id: item.share for item in plant.types}
    mix = np.zeros(len(plant.types))
    for name, share in shares.items():
        mix[row[name]] = share / sum(shares.values())
    return mix, order


def _aligned(rows: int, lanes: int) -> F8:
    """Return zeros that begin at a cache line: vectors that cross lines take twice as long."""
    numbers = np.zeros(rows * lanes + _CACHE_LINE // 8)
    skip = (-numbers.ctypes.data % _CACHE_LINE) // 8
    return numbers[skip : skip + rows * lanes].reshape(rows, lanes)
