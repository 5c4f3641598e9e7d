"""Which plants the recursion can do."""

from __future__ import annotations

from coachbuilder.plant.flow.plant import Blocking, FailedCar, Failure, FailureClock, MovingLine, Plant, Station


def why_not(plant: Plant) -> str:
    """Return why a plant is no plain serial line that the recursion can do; empty if it is one.

    It can do one source, and stations of one machine each in one chain with one buffer between neighbours: any times,
    any number of types, set-ups, and failures without crews. The work goes on after a repair; on the working clock it
    may start anew. A machine that fails at any time has no other failures, and a place in the buffer before it.

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
    if all(time.mean_s == 0.0 for each in plant.stations if isinstance(each, Station) for time in each.cycle):
        return "no station takes any time"
    for buffer in plant.buffers:
        if buffer.filled or buffer.riding:
            return f"buffer {buffer.id}: it holds cars at the start"
    if not chain(plant):
        return "its stations do not stand in one chain with one buffer between neighbours"
    for buffer in plant.buffers:
        behind = plant.station(buffer.to)
        if buffer.places == 0 and any(failure.clock is FailureClock.PLANT for failure in behind.failures):
            return f"station {behind.id}: it fails at any time, and there is no place before it"
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
    if len({failure.clock for failure in station.failures}) > 1:
        # A failure on the plant's clock has to wait for a repair of one on the working clock, whose time is not kept.
        return "it fails both in operation and at any time"
    return next((f"failure {failure.id}: {why}" for failure in station.failures if (why := _failure(failure))), "")


def _failure(failure: Failure) -> str:
    if failure.car is FailedCar.SCRAP:
        return "it costs the car"
    if failure.car is FailedCar.RESTART and failure.clock is FailureClock.PLANT:
        return "it comes at any time, and the work starts anew"
    if failure.crew:
        return "it needs a crew"
    return "" if failure.to_failure.mean_s > 0.0 else "it never stops failing"
