"""What is wrong with a plant as a whole: stations that no car reaches, types without a way, loops without an end.

Sets of types are whole numbers with one bit for each type, so that a plant of thousands of stations and hundreds of
types is checked in a moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from coachbuilder.plant.flow.plant import Blocking, Choose, FailedCar, FailureClock, MovingLine, Plant, Station, Test

MOST_NAMES = 8
"""Names that a message lists before it only counts them."""


MOST_ON_CLOCK = 60
"""Failures on the plant's clock, and maintenance, of one machine or line."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a plant."""

    room: str
    """station (lines too), buffer or carrier."""
    id: str
    """Which."""
    key: str
    """Which property, as a plant file calls it."""
    found: str
    """What is there."""
    expected: str
    """What may be there."""
    hint: str = ""
    """What to do."""


def findings(plant: Plant) -> list[Finding]:
    """Return what is wrong with a plant whose names are all known.

    Parameters
    ----------
    plant
        The plant.

    Examples
    --------
    >>> from coachbuilder.plant.flow.plant import Buffer, CarType, Source, Station, Time, Way
    >>> loop = Station("weld", (Time(60.0),), (Way(("back",)),))
    >>> plant = Plant((CarType("car"),), (loop,), (Source("source", "weld"),), (Buffer("back", "weld", 3),))
    >>> [finding.found for finding in findings(plant)]
    ['a loop without an end: weld; car never leaves it']
    """
    checks = _Checks(plant)
    found = [*checks.rules(), *checks.groups(), *checks.ways()]
    return found or [*checks.reach(), *checks.carriers()]


class _Checks:
    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.stations = {station.id: station for station in plant.stations}
        self.buffers = {buffer.id: buffer for buffer in plant.buffers}
        self.bit = {item.id: 1 << row for row, item in enumerate(plant.types)}
        self.all_types = (1 << len(plant.types)) - 1
        self.way_types = {station.id: self._way_types(station) for station in plant.stations}

    def _way_types(self, station: Station | MovingLine) -> list[int]:
        """Return the types that take each way of a station."""
        named = [self._mask(way.types) for way in station.ways]
        others = self.all_types
        for types in named:
            others &= ~types
        return [types if way.types else others for way, types in zip(station.ways, named, strict=True)]

    def _mask(self, types: tuple[str, ...]) -> int:
        mask = 0
        for name in types:
            mask |= self.bit[name]
        return mask

    def _names(self, mask: int) -> str:
        return _listing([item.id for row, item in enumerate(self.plant.types) if mask >> row & 1])

    def rules(self) -> Iterator[Finding]:
        """Yield what contradicts itself at one station."""
        for station in self.plant.stations:
            yield from self._alarm_clocks(station)
            if isinstance(station, MovingLine):
                yield from self._failed_cars(station)
            if isinstance(station, MovingLine) or station.blocking is Blocking.AFTER_SERVICE:
                continue
            if station.test is not None:
                yield Finding("station", station.id, "blocking", "before service with a test", _AFTER, _WHY_TEST)
            if station.batch is not None:
                yield Finding("station", station.id, "blocking", "before service with a batch", _AFTER)
            if station.lose_when_full:
                yield Finding("station", station.id, "blocking", "before service with lose_when_full", _AFTER)
            for way in station.ways:
                if len(way.to) > 1:
                    found = f"before service into {len(way.to)} buffers"
                    yield Finding("station", station.id, "blocking", found, f"{_AFTER}, or one buffer behind it")
                elif way.to and self.buffers[way.to[0]].places == 0:
                    found = f"before service into {way.to[0]}, which has no places"
                    yield Finding("station", station.id, "blocking", found, f"{_AFTER}, or places behind it")

    @staticmethod
    def _failed_cars(line: MovingLine) -> Iterator[Finding]:
        for key, failures in (("failure", line.failures), ("station_failure", line.station_failures)):
            for failure in failures:
                if failure.car is not FailedCar.RESUME:
                    found = f"{failure.id} with car {failure.car.value}"
                    hint = "a test at its end, or a station behind it, may give cars up"
                    yield Finding("station", line.id, key, found, f"car {FailedCar.RESUME.value} on a line", hint)

    def _alarm_clocks(self, station: Station | MovingLine) -> Iterator[Finding]:
        on_clock = sum(failure.clock is FailureClock.PLANT for failure in station.failures)
        if isinstance(station, MovingLine):
            of_places = sum(failure.clock is FailureClock.PLANT for failure in station.station_failures)
            on_clock += station.stations * of_places
        else:
            on_clock += station.maintenance is not None
        if on_clock > MOST_ON_CLOCK:
            found = f"{on_clock} failures on the plant's clock and maintenance"
            hint = "failures on the working clock are not limited"
            yield Finding("station", station.id, "failure", found, f"at most {MOST_ON_CLOCK} of them", hint)

    def groups(self) -> Iterator[Finding]:
        """Yield buffers that stand in two groups, groups of two rules, and buffers that nothing enters."""
        group_of: dict[str, tuple[tuple[str, ...], Choose]] = {}
        for station in self.plant.stations:
            lists = [("next", way.to, way.choose) for way in station.ways]
            if station.test is not None:
                lists.append(("fail_to", station.test.fail_to, station.test.choose))
            for key, to, choose in lists:
                for name in to:
                    group, rule = group_of.setdefault(name, (to, choose))
                    if group != to:
                        order = "in another order" if set(group) == set(to) else "in another group"
                        expected = f"it with {_listing(group)} only, in this order, as another way has it"
                        yield Finding("station", station.id, key, f"{name} {order}: {_listing(to)}", expected)
                        break
                    if rule is not choose and len(to) > 1:
                        found = f"{choose.value} among {_listing(to)}"
                        yield Finding("station", station.id, "choose", found, f"{rule.value}, as another way to them")
                        break
        for buffer in self.plant.buffers:
            if buffer.id not in group_of and not buffer.filled and not buffer.riding:
                yield Finding("buffer", buffer.id, "id", "a buffer that no station names", "its name in next of one")

    def ways(self) -> Iterator[Finding]:
        """Yield types with two ways out of a station."""
        for station in self.plant.stations:
            seen = 0
            for types in self.way_types[station.id]:
                if seen & types:
                    found = f"two ways for {self._names(seen & types)}"
                    yield Finding("station", station.id, "way", found, "one way for every type")
                seen |= types

    def reach(self) -> Iterator[Finding]:
        """Yield stations that no car reaches, types without a way, and loops without an end."""
        start: dict[str, int] = {}
        for source in self.plant.sources:
            if source.order:
                types = self._mask(source.order)
            else:
                shares = source.shares or tuple((item.id, item.share) for item in self.plant.types)
                types = self._mask(tuple(name for name, share in shares if share > 0))
            start[source.to] = start.get(source.to, 0) | types
        for buffer in self.plant.buffers:
            start[buffer.to] = start.get(buffer.to, 0) | self._mask((*buffer.filled, *buffer.riding))
        for station in self.plant.stations:
            if isinstance(station, MovingLine):
                start[station.id] = start.get(station.id, 0) | self._mask(station.filled)
        reached = self._reached(start)
        all_have_ways = True
        for station in self.plant.stations:
            types = reached.get(station.id, 0)
            lost = types & ~self._any(self.way_types[station.id]) if station.ways else 0
            if not types:
                yield Finding("station", station.id, "id", "a station that no car reaches", _REACHED)
            elif lost:
                all_have_ways = False
                found = f"no way for {self._names(lost)}"
                yield Finding("station", station.id, "way", found, "a way for every type that comes here")
        if all_have_ways:
            yield from self._endless(reached)

    def _endless(self, reached: Mapping[str, int]) -> Iterator[Finding]:
        leaving = self._leaving()
        stuck = [name for name in self.stations if reached.get(name, 0) & ~leaving[name]]
        if stuck:
            types = self._names(self._any([reached[name] & ~leaving[name] for name in stuck]))
            found = f"a loop without an end: {_listing(stuck)}; {types} never leaves it"
            yield Finding("station", stuck[0], "next", found, "a way on which every car leaves in the end")
            return
        for station in self.plant.stations:
            test = station.test
            if test is None or test.retest_yield > 0.0:
                continue
            # Cars that failed once never pass here: can they leave without?
            without = self._leaving(station.id)
            failing = reached.get(station.id, 0) & self._failing(test)
            for name in test.fail_to:
                if failing & ~without[self.buffers[name].to]:
                    found = f"retest yield 0 in a loop by {self.buffers[name].to}"
                    yield Finding("station", station.id, "test", found, "a retest_yield above 0, or another way out")
                    break

    def _failing(self, test: Test) -> int:
        """Return the types that may fail at a test."""
        again = self.all_types if test.retest_yield < 1.0 else 0
        return again | self._any([1 << row for row, share in enumerate(test.first_pass_yield) if share < 1.0])

    def _passing(self, station: Station | MovingLine) -> int:
        """Return the types of which good cars may leave a station by its ways."""
        if isinstance(station, Station) and station.scrap_share >= 1.0:
            return 0
        if station.test is None or station.test.retest_yield > 0.0:
            return self.all_types
        return self._any([1 << row for row, share in enumerate(station.test.first_pass_yield) if share > 0.0])

    @staticmethod
    def _any(masks: list[int]) -> int:
        joined = 0
        for mask in masks:
            joined |= mask
        return joined

    def _steps(self, station: Station | MovingLine) -> Iterator[tuple[str, int]]:
        """Yield where cars may go from a station, an empty name for out of the plant, and the types that may."""
        passing = self._passing(station)
        if not station.ways:
            yield "", passing
        for way, types in zip(station.ways, self.way_types[station.id], strict=True):
            if not way.to:
                yield "", passing & types
            for name in way.to:
                yield self.buffers[name].to, passing & types
        if station.test is not None:
            for name in station.test.fail_to:
                yield self.buffers[name].to, self._failing(station.test)

    def _reached(self, start: Mapping[str, int]) -> dict[str, int]:
        """Return the types that reach each station, from where they start."""
        reached = dict(start)
        open_ = list(start)
        while open_:
            name = open_.pop()
            for to, types in self._steps(self.stations[name]):
                new = reached[name] & types & ~reached.get(to, 0)
                if to and new:
                    reached[to] = reached.get(to, 0) | new
                    open_.append(to)
        return reached

    def _leaving(self, never_passing: str = "") -> dict[str, int]:
        """Return the types that may leave the plant from each station in the end."""
        before: dict[str, list[tuple[str, int]]] = {name: [] for name in self.stations}
        leaving = dict.fromkeys(self.stations, 0)
        for station in self.plant.stations:
            if _gives_up(station):
                leaving[station.id] = self.all_types
            for to, types in self._steps(station):
                if station.id == never_passing and (station.test is None or not self._is_failing_way(station.test, to)):
                    continue
                if to:
                    before[to].append((station.id, types))
                else:
                    leaving[station.id] |= types
        open_ = [name for name, types in leaving.items() if types]
        while open_:
            name = open_.pop()
            for origin, types in before[name]:
                new = leaving[name] & types & ~leaving[origin]
                if new:
                    leaving[origin] |= new
                    open_.append(origin)
        return leaving

    def _is_failing_way(self, test: Test, to: str) -> bool:
        return any(self.buffers[name].to == to for name in test.fail_to)

    def carriers(self) -> Iterator[Finding]:
        """Yield loops whose carriers nobody frees, and stations that serve two loops."""
        loads: dict[str, str] = {}
        unloads: dict[str, str] = {}
        for loop in self.plant.carriers:
            for key, name, taken in (("load", loop.load, loads), ("unload", loop.unload, unloads)):
                other = taken.setdefault(name, loop.id)
                if other != loop.id:
                    found = f"{name}, where {other} has its {key}"
                    yield Finding("carrier", loop.id, key, found, "a station of its own")
            if not self._reached({loop.load: self.all_types}).get(loop.unload):
                found = f"{loop.unload}, which no car reaches from {loop.load}"
                yield Finding("carrier", loop.id, "unload", found, "a station behind the load")


def _gives_up(station: Station | MovingLine) -> bool:
    """Return whether cars may be scrapped at a station."""
    if isinstance(station, MovingLine):
        return False
    return station.scrap_share > 0.0 or any(failure.car is FailedCar.SCRAP for failure in station.failures)


def _listing(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


_AFTER = "after service"
_WHY_TEST = "whether a car passes is not known before its service"
_REACHED = "a way to it: its name in next of another station, or in to of a source"

__all__ = ["Finding", "findings"]
