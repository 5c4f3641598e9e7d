"""The tasks and assembly sections of plant.toml: time scales, segments of the line, equipment, rules of work."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from coachbuilder.programme.base import EvidencedSection, NonNegative, Positive, Section, Share, default
from coachbuilder.programme.sections.common import IDENTIFIER


class Zone(StrEnum):
    """Where at the car a work element is done, or an operator stands."""

    LEFT = "left"
    RIGHT = "right"
    FRONT = "front"
    REAR = "rear"
    INSIDE = "inside"
    UNDER = "under"
    ROOF = "roof"


class StationUse(StrEnum):
    """How operators are spread along the line where their number leaves a choice."""

    LEVEL = "level"
    FEWEST = "fewest"


class Height(StrEnum):
    """How the car passes a station: how high it hangs or stands, or turned on its side."""

    LOW = "low"
    MID = "mid"
    HIGH = "high"
    TILTED = "tilted"


class TaktRule(StrEnum):
    """For whom takt is kept at a station."""

    AVERAGE = "average"
    PEAK = "peak"
    ALLOWANCE = "allowance"


class Borders(StrEnum):
    """Whether an operator may leave the station with a car that is not finished, or to meet the next one."""

    CLOSED = "closed"
    OPEN = "open"


class TaskTimesSection(EvidencedSection):
    """How the times in tasks.csv are to be taken."""

    time_scale: Positive
    """Factor on every time of the resident models."""
    guest_time_scale: Positive
    """Factor on every time of the guest, whose work nobody has timed on this line yet."""


class SegmentSection(Section):
    """A stretch of the line with stations of one kind, in the order in which a car passes them."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    name: str = Field(min_length=1)
    """Name for people."""
    prefix: str = Field(pattern=r"^[A-Za-z]{1,4}$")
    """Station identifiers are this and a number of two digits or more: T01, T02."""
    stations: int = Field(ge=1, le=500)
    """Stations in the segment."""
    max_operators: int = Field(ge=1, le=16)
    """Operators for whom there is room at a station."""
    zones: tuple[Zone, ...] = Field(min_length=1)
    """Zones of the car in which an operator may stand."""
    heights: tuple[Height, ...] = ()
    """How the car passes the segment; a task that needs a height is done only where the car has it. Empty: any."""


class StationSection(Section):
    """A single station that differs from its segment."""

    id: str = Field(pattern=IDENTIFIER)
    """Station."""
    max_operators: int | None = Field(default=None, ge=0, le=16)
    """Operators for whom there is room at one place of it; 0 closes the station."""
    min_operators: int = Field(default=0, ge=0, le=16)
    """Operators who stand at one place of it whatever the work; as many as max_operators make a fixed crew."""
    lanes: int = Field(default=1, ge=1, le=12)
    """Equal places side by side: cars alternate between them, so that each may stay lanes x takt."""
    zones: tuple[Zone, ...] | None = None
    """Zones of the car in which an operator may stand."""
    heights: tuple[Height, ...] | None = None
    """How the car passes the station."""


class EquipmentSection(Section):
    """Equipment that stands at fixed stations; a task that needs it can be done only there."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name, as in the column equipment of tasks.csv."""
    name: str = Field(min_length=1)
    """Name for people."""
    stations: tuple[str, ...] = Field(min_length=1)
    """Stations where it stands."""


class SkillSection(Section):
    """A skill that some tasks need, such as work under high voltage; everyone who does such a task must have it."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name, as in the column skill of tasks.csv."""
    name: str = Field(min_length=1)
    """Name for people."""
    stations: tuple[str, ...] = ()
    """Stations where operators with this skill work; empty for every station."""


class AssemblySection(EvidencedSection):
    """The final assembly line: its stations, and the rules of work on it."""

    overload_allowance: Share
    """How far one model's work may exceed takt while the mix average stays within it; 0 keeps takt on every model."""
    takt_rule: TaktRule = TaktRule.ALLOWANCE
    """allowance keeps takt in the mix average and each model within overload_allowance, peak keeps it for each model,
    average for the mix average alone."""
    operators_per_zone: int = Field(ge=1, le=8)
    """Operators who may stand in one zone of a car at the same time."""
    station_use: StationUse = StationUse.LEVEL
    """level spreads operators evenly along the line, fewest leaves as many stations empty as possible."""
    moves_worth_an_operator: int = Field(default=10, ge=0, le=1000)
    """Resident work elements that the host moves to another station to save one operator."""
    move_budget: int | None = Field(default=None, ge=0, le=100_000)
    """Most resident work elements that may move to another station; none for no limit."""
    frozen_stations: tuple[str, ...] = ()
    """Stations that no work element leaves or comes to when the guest comes."""
    skills_per_operator: int = Field(default=0, ge=0, le=32)
    """Different skills that the work of one operator may need; 0 for no limit."""
    ergonomic_limit_points_per_shift: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    """Most that the work of one operator may add up to over a shift, in the points of the column ergonomic_points."""
    model_smoothing: float = Field(default=0.0, ge=0.0, le=1000.0)
    """How much evening out an operator's work between the models counts beside evening it out between operators."""
    borders: Borders = Borders.CLOSED
    """open lets operators drift out of their station, closed does not; for the work overload of a build order."""
    station_length_share: Positive = default(1.15)
    """How long a car is within a station, over the takt (of parallel lanes: over lanes x takt); above 1 an operator can
    stay with a car longer than the takt and catch up on the next one."""
    upstream_drift_share: Share = default(0.1)
    """With open borders: how far before the station an operator may begin, over the takt."""
    downstream_drift_share: Share = default(0.1)
    """With open borders: how far behind the station an operator may end, over the takt."""
    utility_workers: NonNegative = default(1.0)
    """Utility workers on a shift, who do what operators have to leave when a car leaves their station."""
    starts: int = Field(default=24, ge=1, le=10_000)
    """Constructions tried before the search."""
    evaluations: int = Field(default=1_000_000, ge=0, le=1_000_000_000)
    """Changes that the search looks at on each line."""
    reach: dict[Zone, tuple[Zone, ...]] = Field(default_factory=dict)
    """For an operator who stands in a zone, the other zones in which he or she can work too."""
    segment: tuple[SegmentSection, ...] = Field(min_length=1)
    """Segments in the order in which a car passes them."""
    station: tuple[StationSection, ...] = ()
    """Stations that differ from their segment."""
    equipment: tuple[EquipmentSection, ...] = ()
    """Equipment at fixed stations."""
    skill: tuple[SkillSection, ...] = ()
    """Skills that tasks may need."""
