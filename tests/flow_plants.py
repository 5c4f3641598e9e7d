"""Random small plants over all that a plant may have, for properties of the flow simulation.

Times are small whole numbers in half of the plants, so that many things happen at the same moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hypothesis import strategies as st

from coachbuilder.plant.flow.plant import (
    Batch,
    Blocking,
    Buffer,
    Calendar,
    CarrierLoop,
    CarType,
    Choose,
    Crew,
    EmptyPlace,
    FailedCar,
    Failure,
    FailureClock,
    Maintenance,
    MovingLine,
    Pick,
    Plant,
    SetUp,
    Source,
    Station,
    Test,
    Time,
    Way,
)

UNTIL_S = 1500.0
"""Long enough for some hundred events."""

CALENDARS = (
    Calendar("early", ((0.0, 200.0), (230.0, 400.0)), 500.0),
    Calendar("late", ((100.0, 300.0),), 300.0),
    Calendar("always", ((0.0, 60.0), (60.0, 120.0)), 120.0),
)


@dataclass(frozen=True)
class _Draw:
    """What the parts of one plant share."""

    draw: st.DrawFn
    whole: bool
    rules: dict[tuple[str, ...], Choose]
    """Rule of each group of buffers."""
    types: tuple[CarType, ...]
    crews: tuple[Crew, ...]
    calendars: tuple[Calendar, ...]

    def chance(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == 1

    def rule(self, group: tuple[str, ...]) -> Choose:
        """Return the rule by which a car enters a group, one for all that feed it."""
        if group not in self.rules:
            self.rules[group] = self.draw(st.sampled_from(list(Choose)))
        return self.rules[group]

    def seconds(self, low: int, high: int) -> float:
        if self.whole:
            return float(self.draw(st.integers(low, high)))
        # Sums of round values would meet each other but for rounding, and their order would be a matter of taste.
        return self.draw(st.floats(low, high, allow_nan=False)) + math.sqrt(self.draw(st.integers(2, 10_000))) / 1_000

    def time(self, low: int, high: int) -> Time:
        mean = self.seconds(low, high)
        if self.whole:
            if self.draw(st.booleans()):
                return Time(mean)
            return Time.empirical([self.seconds(low, high) for _ in range(self.draw(st.integers(1, 3)))])
        kind = self.draw(st.integers(0, 2))
        if kind == 0:
            return Time.exponential(mean)
        if kind == 1:
            return Time.gamma(mean, self.draw(st.sampled_from([0.3, 1.4])))
        return Time.lognormal(mean, self.draw(st.sampled_from([0.2, 1.0])))

    def times(self, low: int, high: int) -> tuple[Time, ...]:
        number = self.draw(st.sampled_from([1, len(self.types)]))
        return tuple(self.time(low, high) for _ in range(number))


def _failures(parts: _Draw, line: bool) -> tuple[Failure, ...]:
    failures = []
    for number in range(parts.draw(st.sampled_from([0, 0, 1, 2]))):
        car = FailedCar.RESUME if line else parts.draw(st.sampled_from(list(FailedCar)))
        # A job that is restarted at every failure must be able to end between two of them.
        to_failure = parts.time(60, 400)
        if car is FailedCar.RESTART:
            to_failure = parts.time(100, 400) if parts.whole else Time.exponential(parts.seconds(100, 400))
        failures.append(
            Failure(
                id=f"f{number + 1}",
                to_failure=to_failure,
                to_repair=parts.time(1, 40),
                clock=parts.draw(st.sampled_from(list(FailureClock))),
                car=car,
                crew=parts.draw(st.sampled_from(["", *(crew.id for crew in parts.crews)])),
            )
        )
    return tuple(failures)


def _ways(parts: _Draw, targets: list[tuple[str, ...]]) -> tuple[Way, ...]:
    """Ways to groups of buffers; an empty group leaves the plant."""
    if len(targets) > 1 and len(parts.types) > 1 and parts.draw(st.booleans()):
        some = parts.draw(st.sampled_from(parts.types)).id
        return (Way(targets[0], (some,), parts.rule(targets[0])), Way(targets[1], (), parts.rule(targets[1])))
    return (Way(targets[0], (), parts.rule(targets[0])),)


def _test(parts: _Draw, fail_to: tuple[str, ...]) -> Test:
    share = st.sampled_from([0.3, 0.8, 1.0])
    number = parts.draw(st.sampled_from([1, len(parts.types)]))
    return Test(
        tuple(parts.draw(share) for _ in range(number)),
        fail_to,
        parts.draw(st.sampled_from([0.5, 1.0])),
        parts.rule(fail_to),
    )


def _station(parts: _Draw, name: str, ways: tuple[Way, ...], test: Test | None, before: bool) -> Station:
    draw = parts.draw
    batch = None
    if not before and parts.chance(6):
        batch = Batch(draw(st.integers(2, 3)), draw(st.booleans()))
    set_up = None
    if parts.chance(4) and (batch is None or batch.same_family):
        families = sorted({item.family for item in parts.types})
        with_pair = len(families) == 2 and draw(st.booleans())
        pairs = ((families[0], families[-1], parts.seconds(0, 9)),) if with_pair else ()
        set_up = SetUp(parts.seconds(0, 12), pairs)
    maintenance = None
    if parts.chance(5):
        first = parts.seconds(0, 100) if draw(st.booleans()) else None
        maintenance = Maintenance(parts.seconds(50, 300), parts.seconds(5, 40), first)
    return Station(
        id=name,
        cycle=parts.times(2, 20),
        ways=ways,
        machines=draw(st.sampled_from([1, 1, 2, 3])),
        failures=_failures(parts, line=False),
        maintenance=maintenance,
        set_up=set_up,
        batch=batch,
        test=test,
        scrap_share=draw(st.sampled_from([0.0, 0.0, 0.2])),
        blocking=Blocking.BEFORE_SERVICE if before else Blocking.AFTER_SERVICE,
        pick=draw(st.sampled_from(list(Pick))),
        lose_when_full=not before and parts.chance(6),
        calendar=draw(st.sampled_from(["", "", *(item.id for item in parts.calendars)])),
    )


def _line(parts: _Draw, name: str, ways: tuple[Way, ...], test: Test | None) -> MovingLine:
    draw = parts.draw
    stations = draw(st.integers(1, 4))
    work: tuple[tuple[float, ...], ...] = ()
    length: tuple[float, ...] = ()
    cv = 0.0
    if draw(st.booleans()):
        work = tuple(tuple(parts.seconds(4, 16) for _ in parts.types) for _ in range(stations))
        cv = 0.0 if parts.whole else draw(st.sampled_from([0.0, 0.3]))
        length = tuple(parts.seconds(8, 20) for _ in range(draw(st.sampled_from([0, 1, stations]))))
    return MovingLine(
        id=name,
        stations=stations,
        takt=parts.times(8, 14),
        ways=ways,
        work_s=work,
        work_cv=cv,
        length_s=length,
        utility_workers=draw(st.integers(0, 2)),
        stops=draw(st.booleans()),
        empty_place=draw(st.sampled_from(list(EmptyPlace))),
        failures=_failures(parts, line=True),
        station_failures=_failures(parts, line=True) if parts.chance(3) else (),
        test=test,
        pick=draw(st.sampled_from(list(Pick))),
        calendar=draw(st.sampled_from(["", "", *(item.id for item in parts.calendars)])),
        filled=tuple(draw(st.lists(st.sampled_from([item.id for item in parts.types]), max_size=stations - 1)))
        if parts.chance(3)
        else (),
    )


def _buffers(parts: _Draw, name: str, station: str, reserve: bool) -> list[Buffer]:
    draw = parts.draw
    buffers = []
    for number in range(1 if reserve else draw(st.sampled_from([1, 1, 2, 3]))):
        places = draw(st.integers(int(reserve), 4))
        transport = parts.seconds(1, 15) if places and parts.chance(3) else 0.0
        kinds = [item.id for item in parts.types]
        filled = draw(st.lists(st.sampled_from(kinds), max_size=places)) if parts.chance(3) else []
        free = places - len(filled) if transport else 0
        riding = draw(st.lists(st.sampled_from(kinds), max_size=free)) if free and parts.chance(3) else []
        buffers.append(
            Buffer(
                id=f"{name}{'abc'[number]}",
                to=station,
                places=places,
                transport_s=transport,
                priority=draw(st.sampled_from([1, 1, 2])),
                share=draw(st.sampled_from([1.0, 1.0, 2.0, 0.5])),
                filled=tuple(filled),
                riding=tuple(riding),
            )
        )
    return buffers


def _source(parts: _Draw, number: int, station: str) -> Source:
    draw = parts.draw
    kinds = [item.id for item in parts.types]
    shares: tuple[tuple[str, float], ...] = ()
    order: tuple[str, ...] = ()
    if parts.chance(3):
        shares = tuple((kind, draw(st.sampled_from([1.0, 2.0, 0.3]))) for kind in draw(st.permutations(kinds)))
    if parts.chance(3):
        order = tuple(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4)))
    return Source(
        id=f"source{number}",
        to=station,
        shares=shares,
        order=order,
        interval=parts.time(4, 25) if draw(st.booleans()) else None,
        limit=draw(st.sampled_from([None, None, None, 12])),
        priority=draw(st.sampled_from([1, 1, 2])),
        share=draw(st.sampled_from([1.0, 2.0])),
    )


@st.composite
def plants(draw: st.DrawFn) -> Plant:
    """Return a plant of one to six stations or lines; cars flow onward, and back through failed tests."""
    types = tuple(
        CarType(
            f"t{number + 1}",
            family=draw(st.sampled_from(["red", "blue"])),
            share=draw(st.sampled_from([1.0, 1.0, 2.0, 0.7])),
        )
        for number in range(draw(st.integers(1, 3)))
    )
    crews = tuple(Crew(f"crew{number + 1}", draw(st.integers(1, 2))) for number in range(draw(st.integers(0, 2))))
    calendars = CALENDARS if draw(st.integers(1, 4)) == 1 else ()
    parts = _Draw(draw, draw(st.booleans()), {}, types, crews, calendars)
    count = draw(st.integers(1, 6))
    names = [f"s{number + 1}" for number in range(count)]
    # Every station but the first has a group of buffers in front, which only stations of one kind of blocking feed;
    # now and then a group is spread over two stations, as at the entries of parallel lines.
    reserve = [parts.chance(6) for _ in range(count)]
    buffers: list[Buffer] = []
    groups: list[tuple[str, ...]] = [()]
    for number in range(1, count):
        own = _buffers(parts, f"b{number + 1}", names[number], reserve[number])
        buffers += own
        groups.append(tuple(draw(st.permutations([buffer.id for buffer in own]))))
    for number in range(1, count - 1):
        apart = groups[number - 1] != groups[number]
        if apart and not reserve[number] and not reserve[number + 1] and parts.chance(6):
            groups[number] = groups[number + 1] = (*groups[number], *groups[number + 1])
    rework: tuple[str, ...] = ()
    if parts.chance(2):
        own = _buffers(parts, "rework", names[draw(st.integers(0, count - 1))], reserve=False)
        buffers += own
        rework = tuple(buffer.id for buffer in own)
    stations: list[Station | MovingLine] = []
    for number, name in enumerate(names):
        onward = [groups[later] for later in range(number + 1, count)]
        before = bool(onward) and reserve[number + 1]
        onward = [group for later, group in enumerate(onward, number + 1) if reserve[later] == before]
        targets = [*onward[:1], *draw(st.permutations([*onward[1:], ()]))][:2]
        if targets[:1] == targets[1:]:
            targets = targets[:1]
        ways = _ways(parts, targets)
        test = _test(parts, rework) if rework and parts.chance(3) else None
        if not before and parts.chance(4):
            stations.append(_line(parts, name, ways, test))
        else:
            stations.append(_station(parts, name, ways, test, before))
    sources = [_source(parts, 1, names[0])]
    if parts.chance(3):
        sources.append(_source(parts, 2, names[draw(st.integers(0, count - 1))]))
    carriers: list[CarrierLoop] = []
    for number in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        load = draw(st.integers(0, count - 1))
        unload = draw(st.integers(load, count - 1))
        if any(names[load] == loop.load or names[unload] == loop.unload for loop in carriers):
            continue
        carriers.append(
            CarrierLoop(
                f"loop{number + 1}",
                draw(st.integers(1, 6)),
                names[load],
                names[unload],
                parts.seconds(1, 20) if draw(st.booleans()) else 0.0,
            )
        )
    return Plant(
        types=types,
        stations=tuple(stations),
        sources=tuple(sources),
        buffers=tuple(buffers),
        carriers=tuple(carriers),
        crews=crews,
        calendars=calendars,
    )
