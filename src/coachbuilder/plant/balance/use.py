"""How a balanced line uses its people: work and idle time by station, by segment and by model."""

from __future__ import annotations

from dataclasses import dataclass

from coachbuilder.plant.balance.interface import LineBalance, OperatorLoad


@dataclass(frozen=True, slots=True)
class StationUse:
    """One bar of the yamazumi chart by station: an average operator of the station."""

    station: str
    """Station."""
    segment: str
    """Segment of the line."""
    operators: int
    """Operators at all its lanes together."""
    load_s: dict[str, float]
    """Work of an average operator by model in seconds per takt."""
    weighted_load_s: float
    """The same over the mix."""
    stay_s: dict[str, float]
    """Time from the first task's start to the last one's end by model in seconds per takt, waiting included."""
    idle_share: float
    """Share of takt in which an average operator does no work element; negative where work exceeds takt."""


@dataclass(frozen=True, slots=True)
class SegmentUse:
    """A segment of the line."""

    segment: str
    """Segment."""
    stations: int
    """Stations with operators."""
    operators: int
    """Operators on one shift."""
    idle_share: float
    """Share of their time in which they do no work element."""


def idle_share(load: OperatorLoad, line: LineBalance) -> float:
    """Return the share of takt in which an operator does no work element; negative where work exceeds takt.

    Parameters
    ----------
    load
        An operator of the line.
    line
        The line.
    """
    return 1.0 - load.weighted_load_s / line.takt_s


def station_uses(line: LineBalance) -> tuple[StationUse, ...]:
    """Return how the stations with operators are used, in line order.

    Parameters
    ----------
    line
        A balanced line. Operators of parallel lanes count each, with their seconds per takt.
    """
    found: list[StationUse] = []
    for station in line.stations:
        loads = [load for load in line.operator_loads if load.station == station.station]
        if not loads:
            continue
        mean = {model: sum(load.load_s[model] for load in loads) / len(loads) for model in loads[0].load_s}
        weighted = sum(load.weighted_load_s for load in loads) / len(loads)
        found.append(
            StationUse(
                station=station.station,
                segment=station.segment,
                operators=station.operators,
                load_s=mean,
                weighted_load_s=weighted,
                stay_s={model: seconds / station.lanes for model, seconds in station.makespan_s.items()},
                idle_share=1.0 - weighted / line.takt_s,
            )
        )
    return tuple(found)


def segment_uses(line: LineBalance) -> tuple[SegmentUse, ...]:
    """Return how the segments with operators are used, in line order.

    Parameters
    ----------
    line
        A balanced line.
    """
    segment_of = {station.station: station.segment for station in line.stations}
    loads: dict[str, list[float]] = {}
    stations: dict[str, set[str]] = {}
    for load in line.operator_loads:
        segment = segment_of[load.station]
        loads.setdefault(segment, []).append(load.weighted_load_s)
        stations.setdefault(segment, set()).add(load.station)
    return tuple(
        SegmentUse(segment, len(stations[segment]), len(own), 1.0 - sum(own) / (len(own) * line.takt_s))
        for segment, own in loads.items()
    )


def idle_share_by_model(line: LineBalance) -> dict[str, float]:
    """Return the share of takt in which operators are idle while a car of each model is before them.

    Parameters
    ----------
    line
        A balanced line; models that it does not build are left out.
    """
    count = len(line.operator_loads)
    models = [model for model, share in line.mix.items() if share > 0]
    return {
        model: 1.0 - sum(load.load_s[model] for load in line.operator_loads) / (count * line.takt_s)
        for model in models
        if count
    }


__all__ = ["SegmentUse", "StationUse", "idle_share", "idle_share_by_model", "segment_uses", "station_uses"]
