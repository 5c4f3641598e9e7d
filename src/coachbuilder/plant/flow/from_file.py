"""A plant file as a plant: names resolved, short forms written out, and everything checked that one table alone hides.

Every mistake is told with the field and the line in the file, all of them at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from coachbuilder.plant.flow import plant as of
from coachbuilder.plant.flow.checks import findings
from coachbuilder.plant.flow.shifts import windows_of
from coachbuilder.programme.errors import ProblemList, closest
from coachbuilder.programme.plant_file import PlantFile, read_plant_file

if TYPE_CHECKING:
    from pathlib import Path

    from coachbuilder.plant.flow.improve import Change
    from coachbuilder.programme.sections import plant_file as told

MOST_STATIONS = 20_000
"""Stations of a plant, those of chains and lines counted one by one; a car plant has some hundred."""

MOST_MACHINES = 50_000
"""Machines of a plant."""

MOST_TYPES = 1_000
"""Types of car; a plant has some ten models in some ten colours."""

MOST_CELLS = 1_000_000
"""Entries of tables such as machines times types: some hundred megabytes of statistics."""

MOST_PLACES = 1_000_000
"""Places of all buffers together."""

Place = tuple[str, ...]
"""Where something stands in the file, such as ``("station", "weld", "next")``."""


def read_plant(path: str | Path) -> of.Plant:
    """Return the plant of a file.

    Parameters
    ----------
    path
        A TOML file; docs/plant-files.md tells how it is written.

    Raises
    ------
    InputError
        With every problem that was found.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "plant.toml"
    ...     _ = file.write_text("[[station]]" + chr(10) + "id = 'weld'" + chr(10) + "cycle_time_s = 60" + chr(10))
    ...     read_plant(file).stations[0].cycle
    (Time(mean_s=60.0, kind=<TimeKind.FIXED: 'fixed'>, cv=0.0, values_s=()),)
    """
    return plant_from(read_plant_file(path))


def plant_from(file: PlantFile) -> of.Plant:
    """Return the plant that a file describes.

    Parameters
    ----------
    file
        The file as read.

    Raises
    ------
    InputError
        With every problem that was found.
    """
    return _Translator(file).plant()


def changes_from(file: PlantFile, plant: of.Plant) -> tuple[Change, ...]:
    """Return the changes that a file offers.

    Parameters
    ----------
    file
        The file as read.
    plant
        Its plant.

    Raises
    ------
    InputError
        With every problem that was found; also if the file offers none.
    """
    problems = ProblemList(file.name)
    stations = {station.id: station for station in plant.stations}
    buffers = {buffer.id for buffer in plant.buffers}
    for section in file.document.change:
        place = ("change", section.id)
        tell = _teller(problems, file, place)
        of_station = {
            "less_cycle_s": section.less_cycle_s > 0.0,
            "mtbf_factor": section.mtbf_factor != 1.0,
            "mttr_factor": section.mttr_factor != 1.0,
            "machines": section.machines > 0,
        }
        station = stations.get(section.at)
        if station is None and section.at not in buffers:
            hint = closest(section.at, [*stations, *buffers])
            tell("at", section.at or "an empty name", "a station, line or buffer; of a chain one station", hint)
        elif not section.places and not any(of_station.values()):
            tell("at", "a change of nothing", "places, less_cycle_s, mtbf_factor, mttr_factor or machines")
        elif station is None:
            for key, given in of_station.items():
                if given:
                    tell(key, f"{key} at a buffer", "places at a buffer")
        else:
            times = station.takt if isinstance(station, of.MovingLine) else station.cycle
            shortest_s = min(time.mean_s for time in times)
            if section.places:
                tell("places", "places at a station", "them at a buffer")
            if section.less_cycle_s >= shortest_s:
                tell("less_cycle_s", section.less_cycle_s, f"less than {shortest_s:g}, its cycle time")
            if section.machines and isinstance(station, of.MovingLine):
                tell("machines", "machines at a moving line", "them at a station")
    if not file.document.change:
        problems.add("change", "nothing", "[[change]] tables: what may be done, where, and what it costs")
    problems.raise_if_any()
    from coachbuilder.plant.flow.improve import Change

    return tuple(Change(**section.model_dump()) for section in file.document.change)


def _teller(problems: ProblemList, file: PlantFile, place: Place) -> Callable[..., None]:
    def tell(key: str, found: object, expected: str, hint: str = "") -> None:
        here = (*place, key)
        problems.add(".".join(here), found, expected, line=file.line_of(here), hint=hint)

    return tell


@dataclass(frozen=True, slots=True)
class _Route:
    """What a way says, wherever it stands."""

    place: Place
    key: str
    origin: str
    names: tuple[str, ...]
    choose: told.Choose | None
    places: int | None
    transport_s: float


class _Translator:
    """Translates one file; what is wrong is noted on the way and raised at the end."""

    def __init__(self, file: PlantFile) -> None:
        self.file = file
        self.document = file.document
        self.problems = ProblemList(file.name)
        self.origin: dict[tuple[str, str], Place] = {}
        self.buffers: dict[str, of.Buffer] = {}
        self.lanes: dict[str, tuple[str, ...]] = {}
        self.entry: dict[str, str] = {}
        self.last: dict[str, str] = {}
        self.types: tuple[of.CarType, ...] = ()
        self.known: dict[str, tuple[int, ...]] = {}

    def tell(self, place: Place, found: object, expected: str, hint: str = "") -> None:
        self.problems.add(".".join(place), found, expected, line=self.file.line_of(place), hint=hint)

    def plant(self) -> of.Plant:
        document = self.document
        self._check_size()
        self.problems.raise_if_any()
        self.types = tuple(self._car_types())
        self.known = self._types_by_name()
        self._name_everything()
        for buffer in document.buffer:
            self._add_buffer(buffer)
        for store in document.store:
            self._add_store(store)
        stations: list[of.Station | of.MovingLine] = []
        for section in document.station:
            stations.extend(self._chain(section))
        stations.extend(self._line(section) for section in document.line)
        calendars = tuple(self._calendar(section) for section in document.calendar)
        carriers = tuple(self._carrier(section) for section in document.carrier)
        sources = tuple(self._source(section) for section in document.source)
        if not document.source:
            sources = tuple(self._saturated(stations))
        self.problems.raise_if_any()
        plant = of.Plant(
            types=self.types,
            stations=tuple(stations),
            sources=sources,
            buffers=tuple(self.buffers.values()),
            carriers=carriers,
            crews=tuple(of.Crew(crew.id, crew.size) for crew in document.crew),
            calendars=calendars,
            shop_names={shop.id: shop.name for shop in document.shop},
        )
        for finding in findings(plant):
            place = self.origin.get((finding.room, finding.id), (finding.room, finding.id))
            key = () if place[-1] in ("buffer_after", "next", "fail_to") else (finding.key,)
            self.tell((*place, *key), finding.found, finding.expected, finding.hint)
        self.problems.raise_if_any()
        return plant

    def _check_size(self) -> None:
        """Note what is larger than any plant, before it is written out."""
        document = self.document
        if not document.station and not document.line:
            self.tell(("station",), "no station and no line", "at least one [[station]] or [[line]]")
        types = len(document.type) + max(len(document.model), 1) * max(len(document.colour), 1)
        machines = sum(item.stages * item.machines for item in document.station) + len(document.line)
        for key, what, count, most in (
            (
                "station",
                "stations",
                sum(item.stages for item in document.station) + sum(item.stations for item in document.line),
                MOST_STATIONS,
            ),
            ("station", "machines", machines, MOST_MACHINES),
            ("type", "types of car", types, MOST_TYPES),
            ("type", "machines times types", machines * types, MOST_CELLS),
            ("line", "stations of lines times types", sum(item.stations for item in document.line) * types, MOST_CELLS),
            ("station", "set-up times", self._set_up_cells(types), MOST_CELLS),
            ("buffer", "places of buffers", self._places(), MOST_PLACES),
            ("store", "lanes", sum(item.lanes for item in document.store), MOST_STATIONS),
            ("carrier", "carriers", sum(item.carriers for item in document.carrier), MOST_PLACES),
        ):
            if count > most:
                self.tell((key,), f"{count:,} {what} in all", f"at most {most:,}")

    def _set_up_cells(self, types: int) -> int:
        families = len(self.document.colour) or types
        return sum(item.stages * families**2 for item in self.document.station if item.set_up is not None)

    def _places(self) -> int:
        document = self.document
        ways: list[told.StationSection | told.LineSection] = [*document.station, *document.line]
        tests = [item.test for item in ways if item.test is not None]
        own = [way for item in ways for way in item.way]
        return (
            sum(item.places for item in document.buffer)
            + sum(item.lanes * item.places for item in document.store)
            + sum((item.stages - 1) * (item.buffer_between or 0) for item in document.station)
            + sum((item.buffer_after or 0) * len(item.next or ()) for item in (*ways, *own))
            + sum((test.buffer_after or 0) * len(test.fail_to) for test in tests)
        )

    # Types.

    def _car_types(self) -> Iterator[of.CarType]:
        document = self.document
        if document.type and (document.model or document.colour):
            other = "model" if document.model else "colour"
            self.tell((other,), f"[[type]] and [[{other}]]", "types, or models and colours, not both")
        if document.type:
            for item in document.type:
                yield of.CarType(item.id, item.model or item.id, item.family or item.id, item.share)
            return
        colours = {colour.id: colour.share for colour in document.colour}
        if colours and not any(colours.values()):
            self.tell(("colour",), "shares that are all 0", "a share above 0")
        if document.model and not any(model.share for model in document.model):
            self.tell(("model",), "shares that are all 0", "a share above 0")
        seen: dict[str, str] = {}
        for model in document.model:
            place = ("model", model.id, "colours")
            for name in model.colours:
                if name not in colours:
                    self.tell((*place, name), name, "the id of a [[colour]]", closest(name, colours))
            shares = model.colours or colours
            whole = sum(shares.values())
            if model.colours and whole <= 0:
                self.tell(place, "shares that are all 0", "a share above 0")
                continue
            if not shares:
                yield of.CarType(model.id, model.id, model.id, model.share)
            for colour, share in shares.items():
                name = f"{model.id}-{colour}"
                if name in seen:
                    self.tell(("model", model.id), f"the type {name}", f"a name that model {seen[name]} does not make")
                seen[name] = model.id
                if share > 0:
                    yield of.CarType(name, model.id, colour, model.share * share / whole)
        if not document.model:
            if not colours:
                yield of.CarType("car", "car", "car")
            for colour, share in colours.items():
                yield of.CarType(colour, "car", colour, share)

    def _types_by_name(self) -> dict[str, tuple[int, ...]]:
        """Return the types that a name means: a type, else all of a model, else all of a family."""
        named: dict[str, tuple[int, ...]] = {}
        for names in (
            [item.id for item in self.types],
            [item.model for item in self.types],
            [item.family for item in self.types],
        ):
            room: dict[str, list[int]] = {}
            for index, name in enumerate(names):
                room.setdefault(name, []).append(index)
            for name, indices in room.items():
                named.setdefault(name, tuple(indices))
        return named

    def _types(self, names: Iterable[str], place: Place) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield the names with the types that they mean, those of fewest types last; unknown ones are noted."""
        known = self.known
        found = []
        for name in names:
            if name in known:
                found.append((name, known[name]))
            else:
                self.tell(place, name, "a type, model or colour", closest(name, known))
        models = {item.model for item in self.types}
        ids = {item.id for item in self.types}
        return iter(sorted(found, key=lambda item: (item[0] in ids) * 2 + (item[0] in models)))

    # Names.

    def _name_everything(self) -> None:
        document = self.document
        seen: dict[str, str] = {}
        rooms = (
            ("station", document.station),
            ("line", document.line),
            ("buffer", document.buffer),
            ("store", document.store),
        )
        for room, items in rooms:
            for item in items:
                if item.id in seen and seen[item.id] != room:
                    self.tell(
                        (room, item.id, "id"), item.id, f"a name that no {seen[item.id]} has: both may stand in next"
                    )
                seen.setdefault(item.id, room)
        for station in document.station:
            stages = self._stage_names(station)
            self.entry[station.id], self.last[station.id] = stages[0], stages[-1]
            for name in stages:
                self.origin["station", name] = ("station", station.id)
                self.entry[name] = self.last[name] = name
        for line in document.line:
            self.origin["station", line.id] = ("line", line.id)
            self.entry[line.id] = self.last[line.id] = line.id
        for buffer in document.buffer:
            self.origin["buffer", buffer.id] = ("buffer", buffer.id)
            self.lanes[buffer.id] = (buffer.id,)
        for store in document.store:
            names = tuple(f"{store.id}.{number}" for number in range(1, store.lanes + 1))
            self.lanes[store.id] = names
            for name in names:
                self.origin["buffer", name] = ("store", store.id)
                self.lanes[name] = (name,)

    @staticmethod
    def _stage_names(station: told.StationSection) -> list[str]:
        if station.stages == 1:
            return [station.id]
        return [f"{station.id}.{number}" for number in range(1, station.stages + 1)]

    def _goal(self, name: str, place: Place, *, last: bool = False) -> str:
        """Return the station that a name means as a goal, or as the end of something; unknown ones are noted."""
        known = self.last if last else self.entry
        if name not in known:
            self.tell(place, name or "an empty name", "the id of a station or line", closest(name, known))
            return ""
        return known[name]

    # Buffers.

    def _add_buffer(self, section: told.BufferSection) -> None:
        place = ("buffer", section.id)
        filled = self._at_start(section.filled, (*place, "filled"))
        riding = self._at_start(section.riding, (*place, "riding"))
        if len(filled) + len(riding) > section.places:
            key = "riding" if riding else "filled"
            self.tell((*place, key), f"{len(filled) + len(riding)} cars", f"at most {section.places}, its places")
        if riding and section.transport_s == 0.0:
            self.tell(
                (*place, "riding"), f"{len(riding)} cars", "none, or a transport_s: without it no car is on its way"
            )
        if section.transport_s > 0 and section.places == 0:
            self.tell((*place, "transport_s"), section.transport_s, "0, or places above 0: cars ride on places")
        self.buffers[section.id] = of.Buffer(
            id=section.id,
            to=self._goal(section.to, (*place, "to")),
            places=section.places,
            transport_s=section.transport_s,
            priority=section.priority,
            share=section.share,
            filled=filled,
            riding=riding,
        )

    def _at_start(self, names: tuple[str, ...], place: Place) -> tuple[str, ...]:
        """Return the types of cars that stand somewhere at the start."""
        found = []
        known = self.known
        for name in names:
            if len(known.get(name, ())) == 1:
                found.append(self.types[known[name][0]].id)
            else:
                expected = "one type: this name means several" if name in known else "a type"
                self.tell(place, name, expected, "" if name in known else closest(name, known))
        return tuple(found)

    def _add_store(self, section: told.PlantStoreSection) -> None:
        goal = self._goal(section.to, ("store", section.id, "to"))
        for name in self.lanes[section.id]:
            self.buffers[name] = of.Buffer(name, goal, section.places, section.transport_s, priority=section.priority)

    def _unnamed(self, route: _Route, goal: str) -> str:
        """Return the buffer on the way from a station to another."""
        name = f"{route.origin}>{goal}"
        made = of.Buffer(name, goal, route.places or 0, route.transport_s)
        if self.buffers.setdefault(name, made) != made:
            place = (*route.place, "buffer_after")
            other = self.buffers[name]
            self.tell(
                place,
                f"{made.places} places, transport {made.transport_s:g} s",
                f"{other.places} places, transport {other.transport_s:g} s, as another way from there to {goal} says",
                "give the two ways a [[buffer]] each",
            )
        self.origin.setdefault(("buffer", name), (*route.place, route.key))
        return name

    def _route(self, route: _Route) -> tuple[tuple[str, ...], of.Choose]:
        """Return the buffers that a way names and the rule among them; mistakes are noted."""
        place = (*route.place, route.key)
        buffers: list[str] = []
        makes_buffers = False
        for name in route.names:
            if name in self.lanes:
                buffers.extend(self.lanes[name])
            elif name in self.entry:
                buffers.append(self._unnamed(route, self.entry[name]))
                makes_buffers = True
            else:
                hint = closest(name, [*self.entry, *self.lanes])
                self.tell(place, name or "an empty name", "the id of a station, line, buffer or store", hint)
        if len(set(buffers)) < len(buffers):
            self.tell(place, ", ".join(route.names), "every name once")
        if not makes_buffers and (route.places is not None or route.transport_s > 0) and route.names:
            key = "buffer_after" if route.places is not None else "transport_after_s"
            self.tell((*route.place, key), "a value", "nothing: next names buffers, which have places of their own")
        elif not route.names and (route.places or route.transport_s > 0):
            self.tell((*route.place, "buffer_after"), "a buffer", "nothing: its cars leave the plant")
        if makes_buffers and route.transport_s > 0 and not route.places:
            found = f"{route.transport_s:g} with {route.places or 0} places"
            self.tell((*route.place, "transport_after_s"), found, "0, or buffer_after above 0: cars ride on places")
        choose = route.choose
        if choose is None and len(route.names) == 1:
            choose = next((store.choose for store in self.document.store if store.id == route.names[0]), None)
        return tuple(buffers), of.Choose(choose.value) if choose is not None else of.Choose.LEAST

    # Stations and lines.

    def _chain(self, section: told.StationSection) -> Iterator[of.Station]:
        """Yield the station, or the stations of a chain, with the buffers between them."""
        place = ("station", section.id)
        names = self._stage_names(section)
        is_chain = section.stages > 1
        for key, given in (
            ("batch", section.batch is not None),
            ("lose_when_full", section.lose_when_full),
        ):
            if given and is_chain:
                self.tell((*place, key), f"{key} in a chain of {section.stages} stages", "a station of its own for it")
        if not is_chain:
            for key, given in (
                ("buffer_between", section.buffer_between is not None),
                ("transport_between_s", section.transport_between_s > 0),
            ):
                if given:
                    self.tell((*place, key), "a value", "stages above 1, between which it lies")
        if section.transport_between_s > 0 and is_chain and not section.buffer_between:
            found = f"{section.transport_between_s:g} with 0 places"
            self.tell((*place, "transport_between_s"), found, "0, or buffer_between above 0: cars ride on places")
        shop = self._shop(section.shop, place) or (section.id if is_chain else "")
        common = of.Station(
            id=section.id,
            cycle=self._cycle(section.cycle_time_s, (*place, "cycle_time_s")),
            shop=shop,
            machines=section.machines,
            failures=self._failures(section, place),
            maintenance=self._maintenance(section.maintenance),
            set_up=self._set_up(section.set_up, place),
            batch=of.Batch(section.batch.size, section.batch.same_family) if section.batch else None,
            blocking=of.Blocking(section.blocking.value),
            pick=of.Pick(section.pick.value),
            lose_when_full=section.lose_when_full,
            calendar=self._calendar_name(section.calendar, place),
        )
        for name, following in pairwise(names):
            buffer = f"{name}>{following}"
            self.buffers[buffer] = of.Buffer(
                buffer, following, section.buffer_between or 0, section.transport_between_s
            )
            self.origin["buffer", buffer] = (*place, "buffer_between")
            yield replace(common, id=name, ways=(of.Way((buffer,)),))
        yield replace(
            common,
            id=names[-1],
            ways=self._ways(section, place, names[-1]),
            test=self._test(section.test, place, names[-1]),
            scrap_share=section.scrap_share,
        )

    def _line(self, section: told.LineSection) -> of.MovingLine:
        place = ("line", section.id)
        if len(section.length_s) not in (0, 1, section.stations):
            self._wrong_count((*place, "length_s"), len(section.length_s), section.stations)
        for key, given in (
            ("work_cv", section.work_cv > 0),
            ("utility_workers", section.utility_workers > 0),
            ("length_s", bool(section.length_s)),
        ):
            if given and section.work_s is None:
                self.tell((*place, key), "a value", "work_s too: without work there is no overload")
        if len(section.filled) >= section.stations and section.filled:
            self.tell(
                (*place, "filled"),
                f"{len(section.filled)} cars",
                f"at most {section.stations - 1}: the last place is empty",
            )
        return of.MovingLine(
            id=section.id,
            stations=section.stations,
            takt=self._cycle(section.takt_s, (*place, "takt_s")),
            ways=self._ways(section, place, section.id),
            shop=self._shop(section.shop, place),
            work_s=self._work(section, (*place, "work_s")),
            work_cv=section.work_cv,
            length_s=section.length_s,
            utility_workers=section.utility_workers,
            stops=section.stops,
            empty_place=of.EmptyPlace(section.empty_place.value),
            failures=self._failures(section, place),
            station_failures=self._listed_failures(section.station_failure, (*place, "station_failure")),
            test=self._test(section.test, place, section.id),
            pick=of.Pick(section.pick.value),
            calendar=self._calendar_name(section.calendar, place),
            filled=self._at_start(section.filled, (*place, "filled")),
        )

    def _ways(self, section: told.StationSection | told.LineSection, place: Place, origin: str) -> tuple[of.Way, ...]:
        if section.way:
            for key, given in (
                ("next", section.next is not None),
                ("choose", section.choose is not None),
                ("buffer_after", section.buffer_after is not None),
                ("transport_after_s", section.transport_after_s > 0),
            ):
                if given:
                    self.tell((*place, key), f"{key} beside ways", "it in the [[way]] tables, or no ways")
            return tuple(self._types_way(way, (*place, "way", str(row)), origin) for row, way in enumerate(section.way))
        to, choose = self._route(
            _Route(
                place,
                "next",
                origin,
                section.next or (),
                section.choose,
                section.buffer_after,
                section.transport_after_s,
            )
        )
        return (of.Way(to, (), choose),) if to else ()

    def _types_way(self, way: told.WaySection, place: Place, origin: str) -> of.Way:
        to, choose = self._route(
            _Route(place, "next", origin, way.next, way.choose, way.buffer_after, way.transport_after_s)
        )
        indices = sorted({index for _, found in self._types(way.types, (*place, "types")) for index in found})
        return of.Way(to, tuple(self.types[index].id for index in indices), choose)

    def _test(self, section: told.TestSection | None, place: Place, origin: str) -> of.Test | None:
        if section is None:
            return None
        place = (*place, "test")
        to, choose = self._route(
            _Route(
                place,
                "fail_to",
                origin,
                section.fail_to,
                section.choose,
                section.buffer_after,
                section.transport_after_s,
            )
        )
        here = (*place, "first_pass_yield")
        shares = [section.first_pass_yield.share] * len(self.types)
        for name, found in self._types(section.first_pass_yield.by_type, (*here, "by_type")):
            for index in found:
                shares[index] = section.first_pass_yield.by_type[name]
        self._tell_missing(shares, here, "a share")
        return of.Test(tuple(share or 0.0 for share in shares), to, section.retest_yield, choose)

    def _cycle(self, section: told.TimeByTypeSection, place: Place) -> tuple[of.Time, ...]:
        mean = section.told_mean()
        around = _time(section, 1.0 if mean is None else mean, of.TimeKind.FIXED)
        if not section.by_type:
            return (around,)
        times: list[of.Time | None] = [None if mean is None else around] * len(self.types)
        for name, found in self._types(section.by_type, (*place, "by_type")):
            own = section.by_type[name]
            own_mean = own.told_mean() or 0.0
            if own.told_kind() or around.kind is of.TimeKind.FIXED:
                time = _time(own, own_mean, of.TimeKind.FIXED)
            elif around.kind is of.TimeKind.EMPIRICAL:
                time = around.scaled(own_mean / around.mean_s)
            else:
                time = replace(around, mean_s=own_mean)
            for index in found:
                times[index] = time
        self._tell_missing(times, place, "a time")
        return tuple(time for time in times if time is not None)

    def _tell_missing(self, by_type: Sequence[object], place: Place, what: str) -> None:
        missing = [item.id for item, given in zip(self.types, by_type, strict=True) if given is None]
        if missing:
            self.tell(place, f"nothing for {_listing(missing)}", f"{what} for every type, or one for all others")

    def _work(self, line: told.LineSection, place: Place) -> tuple[tuple[float, ...], ...]:
        section = line.work_s
        if section is None:
            return ()
        columns: list[tuple[float, ...] | None] = [None] * len(self.types)
        if section.stations or not section.by_type:
            columns = [self._column(section.stations, line.stations, place)] * len(self.types)
        for name, found in self._types(section.by_type, (*place, "by_type")):
            column = self._column(section.by_type[name], line.stations, (*place, "by_type", name))
            for index in found:
                columns[index] = column
        self._tell_missing(columns, place, "work")
        given = [column or (0.0,) * line.stations for column in columns]
        return tuple(zip(*given, strict=True))

    def _column(self, works: tuple[float, ...], stations: int, place: Place) -> tuple[float, ...]:
        if len(works) == 1:
            return works * stations
        if len(works) != stations:
            self._wrong_count(place, len(works), stations)
            return (0.0,) * stations
        return works

    def _wrong_count(self, place: Place, found: int, stations: int) -> None:
        self.tell(place, f"{found} numbers", f"one number for all, or {stations}, one for each station")

    def _failures(self, section: told.StationSection | told.LineSection, place: Place) -> tuple[of.Failure, ...]:
        short: tuple[of.Failure, ...] = ()
        if (section.mtbf_min is None) != (section.mttr_min is None):
            given, missing = ("mtbf_min", "mttr_min") if section.mttr_min is None else ("mttr_min", "mtbf_min")
            self.tell((*place, given), f"{given} without {missing}", "both, or neither")
        elif section.mtbf_min is not None and section.mttr_min is not None:
            short = (of.Failure("failure", _minutes(section.mtbf_min), _minutes(section.mttr_min)),)
            if any(item.id == "failure" for item in section.failure):
                self.tell(
                    (*place, "failure", "failure", "id"), "failure", "another name: mtbf_min makes one of that name"
                )
        return (*short, *self._listed_failures(section.failure, (*place, "failure")))

    def _listed_failures(self, sections: Iterable[told.FailureSection], place: Place) -> tuple[of.Failure, ...]:
        crews = {crew.id for crew in self.document.crew}
        made = []
        for section in sections:
            if section.crew and section.crew not in crews:
                self.tell(
                    (*place, section.id, "crew"), section.crew, "the id of a [[crew]]", closest(section.crew, crews)
                )
            made.append(
                of.Failure(
                    section.id,
                    _minutes(section.mtbf_min),
                    _minutes(section.mttr_min),
                    of.FailureClock(section.clock.value),
                    of.FailedCar(section.car.value),
                    section.crew,
                )
            )
        return tuple(made)

    @staticmethod
    def _maintenance(section: told.MaintenanceSection | None) -> of.Maintenance | None:
        if section is None:
            return None
        first_s = None if section.first_h is None else section.first_h * 3600.0
        return of.Maintenance(section.every_h * 3600.0, section.length_min * 60.0, first_s)

    def _set_up(self, section: told.SetUpSection | None, place: Place) -> of.SetUp | None:
        if section is None:
            return None
        families = {item.family for item in self.types}
        place = (*place, "set_up", "pair")
        seen = set()
        for pair in section.pair:
            for name in (pair.before, pair.to):
                if name not in families:
                    expected = "a family: a colour, or the family of a type"
                    self.tell(place, name, expected, closest(name, families))
            if (pair.before, pair.to) in seen:
                self.tell(place, f"{pair.before} to {pair.to} twice", "every pair once")
            seen.add((pair.before, pair.to))
        return of.SetUp(section.time_s, tuple((pair.before, pair.to, pair.time_s) for pair in section.pair))

    def _shop(self, name: str, place: Place) -> str:
        shops = {shop.id for shop in self.document.shop}
        if name and shops and name not in shops:
            self.tell((*place, "shop"), name, "the id of a [[shop]]", closest(name, shops))
        return name

    def _calendar_name(self, name: str, place: Place) -> str:
        known = [calendar.id for calendar in self.document.calendar]
        if name and name not in known:
            self.tell((*place, "calendar"), name, "the id of a [[calendar]]", closest(name, known))
        return name

    # What stands beside stations.

    def _calendar(self, section: told.CalendarSection) -> of.Calendar:
        windows, period_s, wrong = windows_of(section)
        for key, found, expected in wrong:
            self.tell(("calendar", section.id, key), found, expected)
        return of.Calendar(section.id, windows, period_s)

    def _carrier(self, section: told.CarrierSection) -> of.CarrierLoop:
        place = ("carrier", section.id)
        self.origin["carrier", section.id] = place
        load = self._goal(section.load, (*place, "load"))
        unload = self._goal(section.unload, (*place, "unload"), last=True)
        return of.CarrierLoop(section.id, section.carriers, load, unload, section.return_s)

    def _source(self, section: told.SourceSection) -> of.Source:
        place = ("source", section.id)
        self.origin["source", section.id] = place
        weights = [0.0] * len(self.types)
        for name, found in self._types(section.shares, (*place, "shares")):
            whole = sum(self.types[index].share for index in found)
            for index in found:
                part = self.types[index].share / whole if whole > 0 else 1.0 / len(found)
                weights[index] = section.shares[name] * part
        known = self.known
        order = []
        for name in section.order:
            if len(known.get(name, ())) == 1:
                order.append(self.types[known[name][0]].id)
            else:
                expected = "one type: this name means several" if name in known else "a type"
                self.tell((*place, "order"), name, expected, "" if name in known else closest(name, known))
        if section.order and section.shares:
            self.tell((*place, "order"), "an order and shares", "one of them")
        if section.shares and not any(weights):
            self.tell((*place, "shares"), "shares that are all 0", "a share above 0")
        if not section.shares and not section.order and not any(item.share for item in self.types):
            self.tell((*place, "shares"), "nothing, and shares of the types that are all 0", "a share above 0")
        if order:
            counts = Counter(order)
            weights = [float(counts[item.id]) for item in self.types]
        interval = section.interval_s
        return of.Source(
            id=section.id,
            to=self._goal(section.to, (*place, "to")),
            shares=tuple((item.id, weight) for item, weight in zip(self.types, weights, strict=True) if weight > 0),
            order=tuple(order),
            interval=None if interval is None else _time(interval, interval.told_mean() or 0.0, of.TimeKind.FIXED),
            limit=section.limit,
            priority=section.priority,
            share=section.share,
        )

    def _saturated(self, stations: Sequence[of.Station | of.MovingLine]) -> Iterator[of.Source]:
        """Yield the source of a plant whose file names none."""
        fed = {buffer.to for buffer in self.buffers.values()}
        free = [station.id for station in stations if station.id not in fed]
        if len(free) == 1:
            if not any(item.share for item in self.types) and not len(self.problems):
                self.tell(("type",), "shares that are all 0", "a share above 0")
            yield of.Source("source", free[0])
        elif not free:
            self.tell(("source",), "no station that nothing feeds", "a [[source]] that says where cars come in")
        elif not len(self.problems):
            # With a mistyped name in next its goal looks unfed too; that has been told already.
            expected = "one such station, or a [[source]] for each place where cars come in"
            self.tell(("source",), f"{len(free)} stations that nothing feeds: {_listing(free)}", expected)


def _time(section: told.TimeSection, mean: float, plain: of.TimeKind, unit_s: float = 1.0) -> of.Time:
    """Return a time of a file; ``plain`` is the kind of one that tells none."""
    if section.values is not None:
        return of.Time.empirical([value * unit_s for value in section.values])
    kind = of.TimeKind(section.told_kind() or plain.value)
    cv = 1.0 if kind is of.TimeKind.EXPONENTIAL else section.cv or 0.0
    return of.Time(mean * unit_s, kind, cv)


def _minutes(section: told.TimeSection) -> of.Time:
    """Return a time to failure or of a repair."""
    return _time(section, section.told_mean() or 0.0, of.TimeKind.EXPONENTIAL, 60.0)


def _listing(names: Sequence[str], most: int = 8) -> str:
    """Return names in a sentence, of many only the first."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


__all__ = ["changes_from", "plant_from", "read_plant"]
