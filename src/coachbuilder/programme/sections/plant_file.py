"""The tables of a plant file: a plant to be simulated on its own, with plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, StrictBool, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from coachbuilder.programme.base import Section
from coachbuilder.programme.plain import Plain, wrong
from coachbuilder.programme.sections.common import IDENTIFIER

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
"""A type may be named after model and colour, a station of a chain after the chain and its number."""

LARGEST_TIME = 1e8
"""Seconds or minutes; more than three years."""

Duration = Annotated[float, Plain(1e-3, LARGEST_TIME)]
"""A time above 0; shorter ones would be simulated for ever."""

Wait = Annotated[float, Plain(0.0, LARGEST_TIME)]
"""A time of 0 or more."""

Share = Annotated[float, Plain(0.0, 1.0)]
"""A share."""

Weight = Annotated[float, Plain(0.0, 1e9)]
"""A share relative to the sum of all."""

PositiveWeight = Annotated[float, Plain(0.0, 1e9, above=True)]
"""A weight among others."""

Variation = Annotated[float, Plain(0.0, 10.0)]
"""Standard deviation over mean."""

Places = Annotated[int, Plain(0, 1_000_000, whole=True)]
"""Places for cars."""

Priority = Annotated[int, Plain(0, 1_000_000, whole=True)]
"""Lower numbers first."""

Identifier = Annotated[str, Field(pattern=IDENTIFIER)]
"""A short name."""

_LIST_OR_ONE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


def _listed(raw: object) -> object:
    if isinstance(raw, str):
        return [raw]
    if not isinstance(raw, list) or not all(isinstance(name, str) for name in raw):
        raise wrong(raw, "a name, or a list of names")
    return raw


Names = Annotated[tuple[str, ...], BeforeValidator(_listed), WithJsonSchema(_LIST_OR_ONE)]
"""One name, or a list of names."""


def _numbers(raw: object) -> object:
    return [raw] if isinstance(raw, int | float) and not isinstance(raw, bool) else raw


_NUMBERS_OR_ONE = WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]})

Lengths = Annotated[tuple[Duration, ...], BeforeValidator(_numbers), _NUMBERS_OR_ONE]
"""One number for all, or one each."""

Works = Annotated[tuple[Wait, ...], BeforeValidator(_numbers), _NUMBERS_OR_ONE]
"""One number for all, or one each; 0 is allowed."""


def _warm_up(raw: object) -> object:
    if isinstance(raw, str) and raw != "auto":
        raise wrong(raw, "'auto', or a number of hours from 0 to 100000")
    return None if raw == "auto" else raw


class TimeKind(StrEnum):
    """How a time varies."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"
    GAMMA = "gamma"
    LOGNORMAL = "lognormal"


class FailureClock(StrEnum):
    """What makes a machine age."""

    WORKING = "working"
    PLANT = "plant"


class FailedCar(StrEnum):
    """What a failure does to the car in work."""

    RESUME = "resume"
    RESTART = "restart"
    SCRAP = "scrap"


class Blocking(StrEnum):
    """When a machine looks for a place behind it."""

    AFTER_SERVICE = "after service"
    BEFORE_SERVICE = "before service"


class Pick(StrEnum):
    """Which buffer in front of a station is served."""

    SHARE = "share"
    OLDEST = "oldest"
    LONGEST = "longest"
    SAME = "same"
    SEQUENCE = "sequence"


class Choose(StrEnum):
    """Which buffer of several a car enters."""

    LEAST = "least"
    FIRST = "first"
    SHARE = "share"
    SAME = "same"


class EmptyPlace(StrEnum):
    """What a moving line does when no car is ready at its head."""

    GAP = "gap"
    WAIT = "wait"


class Day(StrEnum):
    """Days of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_TIME_FORMS = (
    "a plain number such as 60, or a table such as { exponential = 60 }, { gamma = 60, cv = 0.2 } or "
    "{ values = [55, 60, 70] }; a plant file knows no ranges and no evidence"
)
_OF_ASSUMPTIONS = frozenset({"value", "low", "high", "evidence", "if_false"})
_SHORT = ("fixed", "exponential", "gamma", "lognormal")


class PlainOrTable(Section):
    """A table for which a plain number, or a list of them, may stand."""

    plain_types: ClassVar[tuple[str, ...]] = ("number",)
    """What may stand for the table, as JSON Schema calls it."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        table = handler.resolve_ref_schema(handler(schema))
        return {"title": cls.__name__, "anyOf": [*({"type": name} for name in cls.plain_types), dict(table)]}


class TimeSection(PlainOrTable):
    """A time, in the unit that its key names: a plain number, or a table that says how it varies.

    A plain number is fixed, but exponential for failures and repairs.
    """

    mean: Duration | None = None
    """Mean; with ``kind`` and ``cv``. Instead one of the next four keys may give the mean and the kind at once."""
    fixed: Duration | None = None
    """Mean of a time that does not vary."""
    exponential: Duration | None = None
    """Mean of an exponential time."""
    gamma: Duration | None = None
    """Mean of a gamma time of coefficient of variation ``cv``."""
    lognormal: Duration | None = None
    """Mean of a lognormal time of coefficient of variation ``cv``."""
    values: tuple[Wait, ...] | None = None
    """Measured times, drawn with equal chance; their mean must be above 0."""
    kind: TimeKind | None = None
    """How a time of given ``mean`` varies."""
    cv: Variation | None = None
    """Standard deviation over mean, for gamma and lognormal times."""

    @model_validator(mode="before")
    @classmethod
    def from_plain(cls, raw: Any) -> Any:
        """Take a plain number for the table that it stands for."""
        if isinstance(raw, int | float):
            return {"mean": raw}
        if not isinstance(raw, Mapping) or _OF_ASSUMPTIONS & raw.keys():
            raise wrong(raw, _TIME_FORMS)
        return raw

    @model_validator(mode="after")
    def _is_one_time(self) -> Self:
        given = [name for name in ("mean", *_SHORT, "values") if getattr(self, name) is not None]
        if len(given) != 1 and (given or not self._may_lack_mean()):
            raise wrong(" and ".join(given) or "no time", "one of mean, fixed, exponential, gamma, lognormal, values")
        if self.kind is not None and given not in ([], ["mean"]):
            found = f"kind beside {given[0]}"
            raise wrong(found, "kind beside mean only")
        if self.values is not None and not sum(self.values) >= 1e-3 * max(len(self.values), 1):
            raise wrong("no values" if not self.values else "values of mean 0", "at least one value, of mean above 0")
        kind = self.told_kind()
        varied = kind in ("gamma", "lognormal")
        if self.cv is not None and not varied:
            found = f"cv {self.cv:g} of a time that is {kind}" if kind else f"cv {self.cv:g} without a kind"
            raise wrong(found, "cv with gamma and lognormal times only")
        if varied and not self.cv:
            raise wrong("no cv" if self.cv is None else "cv 0", f"a cv above 0 for a {kind} time")
        if kind == "gamma" and self.cv is not None and self.cv < 1e-3:
            found = f"cv {self.cv:g}"
            raise wrong(found, "a cv of 0.001 or more; below, the time is fixed")
        return self

    def _may_lack_mean(self) -> bool:
        return False

    def told_kind(self) -> str:
        """Return fixed, exponential, gamma, lognormal or empirical; an empty text where the file says nothing."""
        if self.values is not None:
            return "empirical"
        short = next((name for name in _SHORT if getattr(self, name) is not None), "")
        return short or (self.kind.value if self.kind is not None else "")

    def told_mean(self) -> float | None:
        """Return the mean, or nothing where only types have one."""
        if self.values is not None:
            return sum(self.values) / len(self.values)
        return next((getattr(self, name) for name in ("mean", *_SHORT) if getattr(self, name) is not None), None)


class TimeByTypeSection(TimeSection):
    """A time as above that may differ by type of car."""

    by_type: dict[str, TimeSection] = Field(default_factory=dict)
    """Times of types, models or colours that differ, by name. A plain number takes the kind and cv of the table around
    it. Types that are not named have the time of the table around, if it has one."""

    def _may_lack_mean(self) -> bool:
        return bool(self.by_type)


class ShareByTypeSection(PlainOrTable):
    """A share: a plain number, or a table by type of car."""

    share: Share | None = None
    """For all types that are not named."""
    by_type: dict[str, Share] = Field(default_factory=dict)
    """By type, model or colour."""

    @model_validator(mode="before")
    @classmethod
    def from_plain(cls, raw: Any) -> Any:
        """Take a plain number for the table that it stands for."""
        if isinstance(raw, int | float):
            return {"share": raw}
        if not isinstance(raw, Mapping) or _OF_ASSUMPTIONS & raw.keys():
            expected = "a plain number such as 0.9, or a table such as { share = 0.9, by_type = { suv = 0.85 } }"
            raise wrong(raw, f"{expected}; a plant file knows no ranges and no evidence")
        return raw


class WorkSection(PlainOrTable):
    """Work at the stations of a moving line, s: a number for all stations, a list of one for each, or a table."""

    plain_types: ClassVar[tuple[str, ...]] = ("number", "array")

    stations: Works = ()
    """For all types that are not named."""
    by_type: dict[str, Works] = Field(default_factory=dict)
    """By type, model or colour: one number for all stations, or a list of one for each."""

    @model_validator(mode="before")
    @classmethod
    def from_plain(cls, raw: Any) -> Any:
        """Take a plain number for the table that it stands for."""
        if isinstance(raw, int | float | list):
            return {"stations": raw}
        if not isinstance(raw, Mapping) or _OF_ASSUMPTIONS & raw.keys():
            expected = "a plain number such as 55, a list of one for each station, or { by_type = { suv = [..] } }"
            raise wrong(raw, f"{expected}; a plant file knows no ranges and no evidence")
        return raw


class HeadSection(Section):
    """What the plant is called."""

    name: str = ""
    """Name for people."""
    description: str = ""
    """A few sentences on it, and where its numbers come from."""


class PlantRunSection(Section):
    """How long is simulated; options of the command override it."""

    days: Annotated[float, Plain(0.001, 36_600.0)] = 30.0
    """Length of each run, days of 24 h on the plant's clock: without calendars this is working time. A warm-up that is
    given comes before it; one that is found is part of it."""
    replications: Annotated[int, Plain(1, 100_000, whole=True)] = 20
    """Independent runs."""
    warm_up_h: Annotated[
        Annotated[float, Plain(0.0, 100_000.0)] | None,
        BeforeValidator(_warm_up),
        WithJsonSchema({"anyOf": [{"const": "auto"}, {"type": "number", "minimum": 0}]}),
    ] = None
    """Hours at the start that do not count; ``"auto"``, as without it: found by MSER-5."""
    precision_share: Annotated[float, Plain(1e-4, 1.0)] | None = None
    """Runs are added until the half width of the rate's 95 % confidence interval is below this share of it."""
    seed: Annotated[int, Plain(0, 2**63 - 1, whole=True)] = 1
    """Seed of every random number."""


class CarTypeSection(Section):
    """A type of car, where types are not models times colours; without types, models and colours all cars are one."""

    id: Identifier
    """Short name."""
    model: Identifier | None = None
    """Model that it counts as; its own name unless told."""
    family: Identifier | None = None
    """Family, such as its colour: what set-ups and the rules named ``same`` look at; its own name unless told."""
    share: Weight = 1.0
    """Share of the cars, relative to the sum over all types."""


class CarModelSection(Section):
    """A model; every model in every colour is a type ``model-colour``, whose family is the colour."""

    id: Identifier
    """Short name."""
    share: Weight = 1.0
    """Share of the cars, relative to the sum over all models."""
    colours: dict[str, Weight] = Field(default_factory=dict)
    """Share of each colour in this model; without it those of the colours. A colour that is not named is not built."""


class CarColourSection(Section):
    """A colour."""

    id: Identifier
    """Short name."""
    share: Weight = 1.0
    """Share of the cars, relative to the sum over all colours."""


class PlantShopSection(Section):
    """The name of a shop; stations and lines say to which shop they belong."""

    id: Identifier
    """Short name."""
    name: str = Field(min_length=1)
    """Name for people."""


class FailureSection(Section):
    """One way in which machines fail, each by itself; micro-stops are failures with short repairs."""

    id: Identifier
    """Short name, unique in its station."""
    mtbf_min: TimeSection
    """Time from the end of a repair to the next failure, on its clock."""
    mttr_min: TimeSection
    """Time to repair once a crew is there."""
    clock: FailureClock = FailureClock.WORKING
    """working: it comes after so much work of the machine itself; plant: at any time, also while it stands."""
    car: FailedCar = FailedCar.RESUME
    """What happens to the car in work: its work goes on after the repair, starts anew, or the car is given up. On a
    line it goes on."""
    crew: str = ""
    """Repair crew that it needs; empty needs none."""


class MaintenanceSection(Section):
    """Planned work on each machine; it waits for the car in work to be passed on."""

    every_h: Annotated[float, Plain(1e-3, 1e6)]
    """Time from the end of one to when the next is due, on the plant's clock."""
    length_min: Annotated[float, Plain(1e-3, 1e6)]
    """How long it takes."""
    first_h: Annotated[float, Plain(0.0, 1e6)] | None = None
    """When the first is due; after ``every_h`` unless told."""


class SetUpPairSection(Section):
    """The set-up from one family to another."""

    before: str = Field(alias="from")
    """Family of the last car."""
    to: str
    """Family of the next."""
    time_s: Wait
    """Time."""


class SetUpSection(Section):
    """Time that a machine needs before a car of another family than its last one; it is no work, so nothing ages."""

    time_s: Wait = 0.0
    """Time unless told otherwise below."""
    pair: tuple[SetUpPairSection, ...] = ()
    """Pairs of families with a time of their own."""


class BatchSection(Section):
    """A machine that works on several cars at once, and passes them on one by one."""

    size: Annotated[int, Plain(1, 10_000, whole=True)]
    """Cars that it waits for."""
    same_family: StrictBool = False
    """Whether all must be of one family; it then starts with fewer where the family changes."""


class TestSection(Section):
    """A verdict on every car that is finished."""

    __test__ = False

    first_pass_yield: ShareByTypeSection
    """Share of cars that pass at the first try."""
    fail_to: Names = Field(min_length=1)
    """Where failing cars go: station, line, buffer or store; or several, see ``choose``."""
    buffer_after: Places | None = None
    """Places on that way, where ``fail_to`` names a station or line; 0 unless told."""
    transport_after_s: Wait = 0.0
    """Transport time on that way."""
    retest_yield: Share = 1.0
    """Share that passes at any later try."""
    choose: Choose | None = None
    """Which of ``fail_to``, as for ways."""


class WaySection(Section):
    """Where finished cars go, where types of car go different ways."""

    next: Names = ()
    """Station, line, buffer or store; or several of them, see ``choose``. Without it the cars leave the plant."""
    types: Names = ()
    """Types, models or colours that take it; empty: all that no other way of the station names."""
    choose: Choose | None = None
    """Which of several: the one with fewest cars (least), the first with a place (first), by shares (share), or one
    whose last car has the same family (same). least unless told, or as the store says."""
    buffer_after: Places | None = None
    """Places on this way, where ``next`` names a station or line; 0 unless told."""
    transport_after_s: Wait = 0.0
    """Transport time on this way."""


class StationSection(Section):
    """Equal machines side by side, or with ``stages`` a chain of such stations."""

    id: Identifier
    """Short name; the stations of a chain are ``id.1``, ``id.2`` and so on."""
    shop: str = ""
    """Shop that it counts to; its own unless told."""
    cycle_time_s: TimeByTypeSection
    """Time of a machine on a car, by type if need be."""
    machines: Annotated[int, Plain(1, 1_000, whole=True)] = 1
    """Machines side by side."""
    stages: Annotated[int, Plain(1, 5_000, whole=True)] = 1
    """Equal stations in series. Who names the chain means its first station as goal and load, its last as unload."""
    buffer_between: Places | None = None
    """Places between two stages; 0 unless told."""
    transport_between_s: Wait = 0.0
    """Transport time between two stages."""
    next: Names | None = None
    """Where all cars go: station, line, buffer or store, or several; without it, and without ways, cars leave."""
    choose: Choose | None = None
    """Which of several, as for ways."""
    buffer_after: Places | None = None
    """Places on the way to a station or line that ``next`` names; 0 unless told."""
    transport_after_s: Wait = 0.0
    """Transport time on that way."""
    way: tuple[WaySection, ...] = ()
    """Several ways instead of ``next``."""
    mtbf_min: TimeSection | None = None
    """Short form of one failure, named ``failure``: mean working time between failures of a machine."""
    mttr_min: TimeSection | None = None
    """Mean time to repair it."""
    failure: tuple[FailureSection, ...] = ()
    """How each machine fails."""
    maintenance: MaintenanceSection | None = None
    """Planned work."""
    set_up: SetUpSection | None = None
    """Set-ups between families."""
    batch: BatchSection | None = None
    """Several cars at once."""
    test: TestSection | None = None
    """Verdict and rework; in a chain at its end."""
    scrap_share: Share = 0.0
    """Share of its good cars that are given up; in a chain at its end."""
    blocking: Blocking = Blocking.AFTER_SERVICE
    """after service: a finished car waits in the machine for its way; before service: none is begun without a place."""
    pick: Pick = Pick.SHARE
    """Which buffer it serves among those of the lowest priority number: the one owed most by its share (share), whose
    head entered first (oldest), with most cars (longest), whose head has the family of the last car (same), or whose
    head was released into the plant first (sequence)."""
    lose_when_full: StrictBool = False
    """Gives a car up that finds no place behind the station."""
    calendar: str = ""
    """Its shifts; it always works unless told."""


class LineSection(Section):
    """A paced line, all of whose stations move and stop together."""

    id: Identifier
    """Short name."""
    shop: str = ""
    """Shop that it counts to; its own unless told."""
    stations: Annotated[int, Plain(1, 5_000, whole=True)]
    """Stations, one car each."""
    takt_s: TimeByTypeSection
    """Time between two moves, by type of the car that enters if need be."""
    next: Names | None = None
    """As for stations."""
    choose: Choose | None = None
    """As for stations."""
    buffer_after: Places | None = None
    """As for stations."""
    transport_after_s: Wait = 0.0
    """As for stations."""
    way: tuple[WaySection, ...] = ()
    """As for stations."""
    work_s: WorkSection | None = None
    """Work of each station on a car; without it there is no overload."""
    work_cv: Variation = 0.0
    """Coefficient of variation of the work (gamma)."""
    length_s: Lengths = ()
    """Length of the stations in line time: one number for all, or one each; one takt unless told."""
    utility_workers: Annotated[int, Plain(0, 100_000, whole=True)] = 0
    """Utility workers who take on overload."""
    stops: StrictBool = True
    """Whether overload that they cannot take on stops the line; false: it is finished elsewhere and only counted."""
    empty_place: EmptyPlace = EmptyPlace.GAP
    """What happens when no car is ready: the line moves on with an empty place (gap), or waits (wait)."""
    mtbf_min: TimeSection | None = None
    """Short form of one failure of the line as a whole, named ``failure``."""
    mttr_min: TimeSection | None = None
    """Mean time to repair it."""
    failure: tuple[FailureSection, ...] = ()
    """Failures of the line as a whole."""
    station_failure: tuple[FailureSection, ...] = ()
    """Failures of each of its stations, which stop the line."""
    test: TestSection | None = None
    """Verdict at its end."""
    pick: Pick = Pick.SHARE
    """As for stations."""
    calendar: str = ""
    """As for stations."""
    filled: Names = ()
    """Types of the cars on it at the start, foremost first, from the last station but one."""


class BufferSection(Section):
    """Places in front of a station or line, first in, first out; only needed where it has more than places."""

    id: Identifier
    """Short name, to be named in ``next``."""
    to: str
    """Station or line that it feeds."""
    places: Places
    """Cars that it holds; those in machines are not counted."""
    transport_s: Wait = 0.0
    """Time from entering to its head."""
    priority: Priority = 1
    """Buffers of lower number are served first."""
    share: PositiveWeight = 1.0
    """Weight by the rules named ``share``."""
    filled: Names = ()
    """Types of the cars in it at the start, head first."""
    riding: Names = ()
    """Types of the cars behind those that are on their way at the start, foremost first, evenly spaced over the
    transport time."""


class PlantStoreSection(Section):
    """A store of equal lanes, such as a painted-body store; its lanes are the buffers ``id.1``, ``id.2`` and so on."""

    id: Identifier
    """Short name, to be named in ``next``."""
    to: str
    """Station or line that it feeds; its ``pick`` says which lane is served."""
    lanes: Annotated[int, Plain(1, 1_000, whole=True)]
    """Lanes."""
    places: Annotated[int, Plain(1, 1_000_000, whole=True)]
    """Cars that a lane holds."""
    choose: Choose = Choose.LEAST
    """Which lane a car enters, unless its way says so."""
    transport_s: Wait = 0.0
    """Time from entering a lane to its head."""
    priority: Priority = 1
    """As for buffers."""


class SourceSection(Section):
    """Where cars come in. Without any, one that is always ready feeds the one station or line that nothing feeds."""

    id: Identifier
    """Short name."""
    to: str
    """Station or line that takes them."""
    shares: dict[str, Weight] = Field(default_factory=dict)
    """Shares of types, models or colours, kept as evenly as whole cars allow; those of the types unless told."""
    order: Names = ()
    """Types in the order of release, repeated; instead of shares."""
    interval_s: TimeSection | None = None
    """Time between releases; a car that is not taken at once waits outside. Without it a car is always ready."""
    limit: Annotated[int, Plain(1, 10**12, whole=True)] | None = None
    """Cars after which it is empty."""
    priority: Priority = 1
    """As for buffers."""
    share: PositiveWeight = 1.0
    """As for buffers."""


class CarrierSection(Section):
    """Skids or hangers: a car takes one where it is loaded, and frees it where it is unloaded."""

    id: Identifier
    """Short name."""
    carriers: Annotated[int, Plain(1, 1_000_000, whole=True)]
    """How many there are."""
    load: str
    """Station or line that takes a car only together with a carrier."""
    unload: str
    """Station or line that frees the carrier when its car goes on."""
    return_s: Wait = 0.0
    """Time of the empty carrier back to the load."""


class CrewSection(Section):
    """A repair crew; machines that find it busy wait in the order of their failures."""

    id: Identifier
    """Short name."""
    size: Annotated[int, Plain(1, 100_000, whole=True)]
    """Machines that it repairs at a time."""


class CalendarSection(Section):
    """Shifts, by the clock of a week or as plain windows.

    With any calendar the clock runs day and night, from Monday 0:00. What is off shift freezes as it is.
    """

    id: Identifier
    """Short name."""
    shifts: Names = ()
    """Shifts such as ``"06:00-14:00"``; one that passes midnight, ``"22:00-06:00"``, belongs to the day it starts."""
    days: tuple[Day, ...] = (Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI)
    """Days on which they are worked."""
    breaks: Names = ()
    """Times such as ``"09:00-09:15"`` at which work stands, each within a shift."""
    overtime: Names = ()
    """Work beyond them, such as ``"sat 06:00-12:00"``; without breaks."""
    windows_h: tuple[tuple[Annotated[float, Plain(0.0, 1e5)], Annotated[float, Plain(0.0, 1e5)]], ...] = ()
    """Instead: start and end of every working window, in order, h from the start of a period."""
    period_h: Annotated[float, Plain(1e-3, 1e5)] | None = None
    """Length of the period after which these windows repeat."""


class ChangeSection(Section):
    """Something that may be done to the plant, for ``--improve``: the cheapest of them that reach a rate are found."""

    id: Identifier
    """Short name."""
    cost: Annotated[float, Plain(0.0, 1e15, above=True)]
    """What it costs, in any one currency."""
    at: str
    """Station, line or buffer that it changes: one station of a chain, such as ``body.3``; a buffer made by ``next`` is
    named ``from>to``."""
    places: Places = 0
    """Buffers: more places."""
    less_cycle_s: Wait = 0.0
    """Stations and lines: shorter cycle time or takt."""
    mtbf_factor: Annotated[float, Plain(1e-3, 1e3)] = 1.0
    """Stations and lines: times to failure become so many times as long."""
    mttr_factor: Annotated[float, Plain(1e-3, 1e3)] = 1.0
    """Stations and lines: repairs take so many times as long."""
    machines: Annotated[int, Plain(0, 1_000, whole=True)] = 0
    """Stations: more machines side by side."""


class PlantFileDocument(Section):
    """A plant file.

    Conventions. The unit of a number is at the end of its key, and holds inside the key's table too. Stations, lines,
    buffers and stores share one room of names, and any of them may be named in ``next``: naming a station or line makes
    a buffer of ``buffer_after`` places on the way, called ``from>to``. Buffers named together are entered by one rule,
    and form one group; a buffer belongs to one group only. Where a type is asked for, a model or a colour means all its
    types; a type's own entry counts before its model's, and that before its colour's. Of things that happen at the
    same moment, those of stations come first, in the order of the file, then those of lines. Without a calendar the
    clock counts working time only.
    """

    schema_location: str = Field(default="", alias="$schema")
    """Where an editor finds the JSON Schema of this file."""
    plant: HeadSection = HeadSection()
    """What the plant is called."""
    run: PlantRunSection = PlantRunSection()
    """How long is simulated."""
    type: tuple[CarTypeSection, ...] = ()
    """Types of car."""
    model: tuple[CarModelSection, ...] = ()
    """Models."""
    colour: tuple[CarColourSection, ...] = ()
    """Colours."""
    shop: tuple[PlantShopSection, ...] = ()
    """Names of shops; if any are named, every shop that is spoken of must be."""
    station: tuple[StationSection, ...] = ()
    """Stations."""
    line: tuple[LineSection, ...] = ()
    """Moving lines."""
    buffer: tuple[BufferSection, ...] = ()
    """Buffers that need more than places."""
    store: tuple[PlantStoreSection, ...] = ()
    """Stores of several lanes."""
    source: tuple[SourceSection, ...] = ()
    """Where cars come in."""
    carrier: tuple[CarrierSection, ...] = ()
    """Skids or hangers."""
    crew: tuple[CrewSection, ...] = ()
    """Repair crews."""
    calendar: tuple[CalendarSection, ...] = ()
    """Shifts."""
    change: tuple[ChangeSection, ...] = ()
    """What may be done to the plant."""
