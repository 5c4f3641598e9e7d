"""What one second less and one point more availability are worth, station by station."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from coachbuilder.plant.flow.answer import Estimate
from coachbuilder.plant.flow.compare import trials_of
from coachbuilder.plant.flow.estimates import F8, chances_best, estimate_of
from coachbuilder.plant.flow.plant import Failure, MovingLine, Plant, Station, Time
from coachbuilder.plant.flow.simulate import Engine, Progress

LARGEST_STEP = 0.1
"""A cycle is shortened by one second, or by this share where it is shorter than ten seconds."""

POINT = 0.01
"""One point of availability."""


@dataclass(frozen=True, slots=True)
class StationSensitivity:
    """What a station's improvement is worth."""

    station: str
    """Station."""
    second_less_per_hour: Estimate
    """More cars an hour for one second less cycle time, of all types and machines of the station."""
    point_more_per_hour: Estimate | None
    """More cars an hour for one point more availability by shorter repairs; None if nothing fails there."""
    chance_first: float
    """How likely a second is worth most at this station."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What improvements are worth, the station where a second is worth most first."""

    throughput_per_hour: Estimate
    """Cars an hour of the plant as it is."""
    stations: tuple[StationSensitivity, ...]
    """By station."""
    warm_up_s: float
    """Time cut off, s."""
    counted_s: float
    """Time that counts in each run, s."""
    replications: int
    """Independent runs of every plant."""


def sensitivity(
    plant: Plant,
    *,
    days: float,
    replications: int = 32,
    warm_up_h: float | None = None,
    stations: tuple[str, ...] | None = None,
    seed: int = 1,
    threads: int | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Return what a second less cycle time and a point more availability are worth at every station.

    Each is a difference of two plants under the same luck (see :func:`~coachbuilder.plant.flow.compare.compare`).

    Parameters
    ----------
    plant
        The plant.
    days, warm_up_h, seed, threads, engine
        As for :func:`~coachbuilder.plant.flow.simulate.simulate`.
    replications
        Independent runs of every plant, at least 2.
    stations
        Those to look at; None means all.
    progress
        Told the stations done and those to be done.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    KeyError
        If there is no such station.

    Examples
    --------
    >>> from coachbuilder.plant.flow.plant import Time, serial_line
    >>> line = serial_line([Time(50.0), Time(60.0)], [3])
    >>> first = sensitivity(line, days=1.0, warm_up_h=1.0, replications=2).stations[0]
    >>> first.station, first.second_less_per_hour.mean, first.point_more_per_hour
    ('m2', 1.0, None)
    """
    if replications < 2:
        message = f"replications must be 2 or more, got {replications}"
        raise ValueError(message)
    named = tuple(station.id for station in plant.stations) if stations is None else stations
    trials = trials_of([plant], days=days, warm_up_h=warm_up_h, seed=seed, threads=threads, engine=engine)
    base = trials.rates_per_h(plant, replications)
    gains: list[F8] = []
    points: list[Estimate | None] = []
    for done, name in enumerate(named):
        faster, step_s = _faster(plant.station(name))
        steadier, step = _steadier(plant.station(name))
        variants = [with_station(plant, station) for station in ((faster, steadier) if step > 0.0 else (faster,))]
        more = trials.all_rates_per_h(variants, replications) - base
        gains.append(more[0] / step_s)
        points.append(estimate_of(more[1] * (POINT / step)) if step > 0.0 else None)
        if progress is not None:
            progress(done + 1, len(named))
    chances = chances_best(np.array(gains))
    answers = [
        StationSensitivity(name, estimate_of(gain), point, float(chance))
        for name, gain, point, chance in zip(named, gains, points, chances, strict=True)
    ]
    return Sensitivity(
        throughput_per_hour=estimate_of(base),
        stations=tuple(sorted(answers, key=lambda answer: -answer.second_less_per_hour.mean)),
        warm_up_s=trials.start_s,
        counted_s=trials.length_s,
        replications=replications,
    )


def with_station(plant: Plant, changed: Station | MovingLine) -> Plant:
    """Return the plant with one station put in the place of that of its name."""
    return replace(
        plant, stations=tuple(changed if station.id == changed.id else station for station in plant.stations)
    )


def with_cycle(station: Station | MovingLine, less_s: float) -> Station | MovingLine:
    """Return a station all of whose mean cycle times, or takts, are shorter by so many seconds."""
    if isinstance(station, MovingLine):
        return replace(station, takt=tuple(_shorter(time, less_s) for time in station.takt))
    return replace(station, cycle=tuple(_shorter(time, less_s) for time in station.cycle))


def with_failures(station: Station | MovingLine, change: Callable[[Failure], Failure]) -> Station | MovingLine:
    """Return a station with every way in which it fails changed."""
    failures = tuple(change(failure) for failure in station.failures)
    if isinstance(station, MovingLine):
        places = tuple(change(failure) for failure in station.station_failures)
        return replace(station, failures=failures, station_failures=places)
    return replace(station, failures=failures)


def with_repairs(station: Station | MovingLine, factor: float) -> Station | MovingLine:
    """Return a station all of whose repairs take ``factor`` times as long."""
    return with_failures(station, lambda failure: replace(failure, to_repair=failure.to_repair.scaled(factor)))


def down_per_up(station: Station | MovingLine) -> float:
    """Return the time in repair for each unit of time up, waits for crews left out."""
    ratio = sum(failure.to_repair.mean_s / failure.to_failure.mean_s for failure in station.failures)
    if isinstance(station, MovingLine):
        places = sum(failure.to_repair.mean_s / failure.to_failure.mean_s for failure in station.station_failures)
        ratio += places * station.stations
    return ratio


def _shorter(time: Time, less_s: float) -> Time:
    return time.scaled((time.mean_s - less_s) / time.mean_s) if time.mean_s > 0.0 else time


def _faster(station: Station | MovingLine) -> tuple[Station | MovingLine, float]:
    times = station.takt if isinstance(station, MovingLine) else station.cycle
    step_s = min([1.0, *(LARGEST_STEP * time.mean_s for time in times if time.mean_s > 0.0)])
    return with_cycle(station, step_s), step_s


def _steadier(station: Station | MovingLine) -> tuple[Station | MovingLine, float]:
    """Return the station with a point more availability, or with half of what it lacks if that is less."""
    ratio = down_per_up(station)
    availability = 1.0 / (1.0 + ratio)
    step = min(POINT, 0.5 * (1.0 - availability))
    if step <= 0.0:
        return station, 0.0
    return with_repairs(station, (1.0 / (availability + step) - 1.0) / ratio), step
