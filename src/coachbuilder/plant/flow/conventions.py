"""The rules of a simulation in words: those that the plant at hand makes use of."""

from __future__ import annotations

from collections.abc import Iterator

from coachbuilder.plant.flow.plant import (
    Blocking,
    EmptyPlace,
    FailedCar,
    Failure,
    FailureClock,
    MovingLine,
    Plant,
    Station,
)

_CAR_WORDS = {
    FailedCar.RESUME: "its work goes on after the repair",
    FailedCar.RESTART: "its work starts anew after the repair",
    FailedCar.SCRAP: "it is given up when the repair ends",
}


def conventions(plant: Plant) -> tuple[str, ...]:
    """Return the conventions that hold for a plant, in words.

    Examples
    --------
    >>> from coachbuilder.plant.flow.plant import Time, serial_line
    >>> for line in conventions(serial_line([Time(60.0), Time(50.0)], [3])):
    ...     print(line)
    blocking after service: a machine finishes its car, and holds it while the way on is full
    a buffer counts its own places only, never the place in a machine before or behind it
    the clock counts working time only
    """
    return tuple(_told(plant))


def _told(plant: Plant) -> Iterator[str]:
    stations = [station for station in plant.stations if isinstance(station, Station)]
    lines = [station for station in plant.stations if isinstance(station, MovingLine)]
    yield from _blocking(stations)
    if plant.buffers:
        yield "a buffer counts its own places only, never the place in a machine before or behind it"
    if any(buffer.transport_s > 0.0 for buffer in plant.buffers):
        yield "a conveyor holds its places, and a car reaches its head no sooner than its transport time"
    yield from _failures(plant)
    if any(station.maintenance for station in stations):
        yield "planned maintenance waits for the car in work to be passed on"
    if any(station.set_up for station in stations):
        yield "a set-up comes before the work on a car; a machine does not age in it"
    if any(station.batch for station in stations):
        yield "a batch starts once it is complete, and its cars are passed on one by one"
    if any(station.test for station in plant.stations):
        yield "a test gives its verdict when the car is finished; shares that pass are chances, drawn car by car"
    yield from _moving_lines(lines)
    lossy = [station.id for station in stations if station.lose_when_full]
    if lossy:
        yield f"a car that finds no place behind {_listed(lossy)} is lost"
    yield from _sources(plant)
    if plant.carriers:
        yield "a car takes a carrier where it is loaded and keeps it until it goes on from where it is unloaded"
    if plant.calendars:
        yield "the clock runs day and night; what is off shift freezes as it is"
    else:
        yield "the clock counts working time only"


def _blocking(stations: list[Station]) -> Iterator[str]:
    before = [station.id for station in stations if station.blocking is Blocking.BEFORE_SERVICE]
    if len(before) < len(stations):
        where = f" (not {_listed(before)})" if before else ""
        yield f"blocking after service{where}: a machine finishes its car, and holds it while the way on is full"
    if before:
        where = f" ({_listed(before)})" if len(before) < len(stations) else ""
        yield f"blocking before service{where}: a machine takes a car only once it has a place behind it"


def _failures(plant: Plant) -> Iterator[str]:
    failures: list[Failure] = []
    for station in plant.stations:
        failures.extend(station.failures)
        if isinstance(station, MovingLine):
            failures.extend(station.station_failures)
    clocks = {failure.clock for failure in failures}
    if FailureClock.WORKING in clocks:
        some = " of some machines" if len(clocks) > 1 else ""
        yield f"failures{some} during operation: the time to a failure counts the machine's own work only"
    if FailureClock.PLANT in clocks:
        some = " of some machines" if len(clocks) > 1 else ""
        yield f"failures{some} at any time, also while the machine stands; its clock starts anew when the repair ends"
    fates = [fate for fate in FailedCar if any(failure.car is fate for failure in failures)]
    for fate in fates:
        where = "" if len(fates) == 1 else " at some failures"
        yield f"what happens to the car in work when a machine fails{where}: {_CAR_WORDS[fate]}"
    for crew in plant.crews:
        if any(failure.crew == crew.id for failure in failures):
            yield f"crew {crew.id} repairs {crew.size} at a time, in the order of failures; waiting counts as down"


def _moving_lines(lines: list[MovingLine]) -> Iterator[str]:
    if not lines:
        return
    yield "a moving line moves all its cars at once by one station each takt; what stops one station stops all"
    if any(line.empty_place is EmptyPlace.GAP for line in lines):
        yield "a moving line without a car at its head moves on with an empty place while any car is on it"
    if any(line.empty_place is EmptyPlace.WAIT for line in lines):
        waiting = [line.id for line in lines if line.empty_place is EmptyPlace.WAIT]
        yield f"{_listed(waiting)} waits while no car is at its head"
    if any(line.work_s for line in lines):
        yield (
            "work over a station's length is overload: utility workers take it on, the largest first; "
            "the largest of the rest stops the line, or is finished elsewhere where the line does not stop"
        )


def _sources(plant: Plant) -> Iterator[str]:
    paced = [source.id for source in plant.sources if source.interval is not None]
    if paced:
        yield f"cars come from {_listed(paced)} at their times, and wait outside while they are not taken"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
