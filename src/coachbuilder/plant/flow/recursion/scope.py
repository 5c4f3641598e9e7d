"""Which plants the recursion can do."""

from __future__ import annotations

from coachbuilder.plant.flow.plant import Blocking, FailedCar, Failure, FailureClock, MovingLine, Plant, Station


def why_not(plant: Plant) -> str:
    """Return why a plant is no plain serial line that the recursion can do; empty if it is one.

    It can do one source, and stations of one machine each in one chain with one buffer between neighbours: any times,
    any number of types, failures on the working clock after which the work goes on.

    Examples
    --------
    >>> from coachbuilder.plant.flow.plant import Time, serial_line
    >>> why_not(serial_line([Time(60.0), Time(50.0)], [3]))
    ''
    """
    if plant.carriers or plant.calendars:
        return "it has carriers" if plant.carriers else "it has shifts"
    if len(plant.sources) != 1:
        return f"it has {len(plant.sources)} sources"
    for station in plant.stations:
        reason = _reason(station)
        if reason:
            return f"station {station.id}: {reason}"
    for buffer in plant.buffers:
        if buffer.filled:
            return f"buffer {buffer.id}: it holds cars at the start"
    if not chain(plant):
        return "its stations do not stand in one chain with one buffer between neighbours"
    return ""


def chain(plant: Plant) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return stations and buffers in the order in which cars pass them, by their places in the plant.

    None if the plant is no chain from its source through all stations and buffers.
    """
    row = {station.id: place for place, station in enumerate(plant.stations)}
    buffers = {buffer.id: place for place, buffer in enumerate(plant.buffers)}
    stations, between = [row[plant.sources[0].to]], list[int]()
    while (behind := _behind(plant.stations[stations[-1]])) is not None:
        if behind not in buffers or row[plant.buffers[buffers[behind]].to] in stations:
            return None
        between.append(buffers[behind])
        stations.append(row[plant.buffers[between[-1]].to])
    if len(stations) != len(plant.stations) or len(between) != len(plant.buffers):
        return None
    return tuple(stations), tuple(between)


def _behind(station: Station | MovingLine) -> str | None:
    return station.ways[0].to[0] if station.ways and station.ways[0].to else None


def _reason(station: Station | MovingLine) -> str:
    if isinstance(station, MovingLine):
        return "it is a moving line"
    if station.machines != 1:
        return f"it has {station.machines} machines"
    told = (
        ("planned maintenance", station.maintenance),
        ("set-ups", station.set_up),
        ("batches", station.batch),
        ("a test", station.test),
        ("scrap", station.scrap_share),
        ("shifts", station.calendar),
        ("cars that are lost when there is no place", station.lose_when_full),
    )
    for name, has in told:
        if has:
            return f"it has {name}"
    if station.blocking is not Blocking.AFTER_SERVICE:
        return "it looks for a place before it starts"
    if len(station.ways) > 1 or any(way.types or len(way.to) > 1 for way in station.ways):
        return "its cars go different ways"
    return next((f"failure {failure.id}: {why}" for failure in station.failures if (why := _failure(failure))), "")


def _failure(failure: Failure) -> str:
    if failure.clock is not FailureClock.WORKING:
        return "it comes at any time"
    if failure.car is not FailedCar.RESUME:
        return "the work does not go on after the repair"
    if failure.crew:
        return "it needs a crew"
    return "" if failure.to_failure.mean_s > 0.0 else "it never stops failing"
