"""The flow section of plant.toml: shops, buffers, failures, the launch, and how long is simulated."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from coachbuilder.programme.assumption import Assumption, Within
from coachbuilder.programme.base import EvidencedSection, NonNegative, Positive, PositiveShare, Section, Share, default
from coachbuilder.programme.sections.common import IDENTIFIER

CycleTime = Annotated[Assumption, Within(0.0, above=True, smallest=0.5, largest=1e6)]
"""Time of a machine on a car; shorter ones would be simulated for ever."""

RepairTime = Annotated[Assumption, Within(0.0, above=True, smallest=0.1, largest=1e7)]
"""Time between failures, or of a repair."""

CycleMultiple = Annotated[Assumption, Within(0.0, above=True, smallest=0.1, largest=100.0)]
"""Cycle time over the planned one."""


class ShopKind(StrEnum):
    """What is done in a shop."""

    BODY = "body"
    PAINT = "paint"
    STORE = "store"
    ASSEMBLY = "assembly"
    TEST = "test"
    REWORK = "rework"


class Distribution(StrEnum):
    """How the cycle time of a machine varies."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"


class Release(StrEnum):
    """What lets a new body into the plant."""

    PUSH = "push"
    PACED = "paced"


class ShopModelSection(EvidencedSection):
    """What one model needs in a shop that differs from the others."""

    id: str = Field(pattern=IDENTIFIER)
    """Model."""
    cycle_time_s: CycleTime | None = None
    """Cycle time of this model."""
    first_pass_yield: PositiveShare | None = None
    """Share of this model's cars that pass at the first try."""


class ShopSection(EvidencedSection):
    """A shop: equal stages in series, each of one or more equal machines side by side, and its ways out."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    name: str = Field(min_length=1)
    """Name for people."""
    kind: ShopKind
    """body, paint, store, assembly, test or rework."""
    models: tuple[str, ...] = ()
    """Models that pass; empty means all. Shops stand in the order in which a car passes them."""
    stages: int = Field(default=1, ge=1, le=500)
    """Stages in series."""
    parallel: int = Field(default=1, ge=1, le=500)
    """Machines side by side at every stage."""
    buffer_between: int = Field(default=0, ge=0, le=100_000)
    """Places between two stages; the machines' own places are not counted."""
    buffer_after: int = Field(ge=0, le=100_000)
    """Places on every way out: to the next shop, and from a test to its rework shop."""
    conveyor_places: int = Field(default=0, ge=0, le=100_000)
    """Places on the conveyors behind the last stage; a car rides through them one cycle time a place. In assembly:
    places on the moving line in all, shared out evenly over its stages."""
    distribution: Distribution = Distribution.FIXED
    """Whether the cycle time is fixed or exponential."""
    cycle_time_s: CycleTime | None = None
    """Cycle time of one machine for all models; assembly shops have the line's takt and give none."""
    mtbf_min: RepairTime | None = None
    """Mean working time of a machine between failures; without it, and mttr_min, it never fails."""
    mttr_min: RepairTime | None = None
    """Mean time to repair."""
    first_pass_yield: PositiveShare | None = None
    """Tests: share of cars that pass at the first try."""
    retest_yield: PositiveShare | None = None
    """Tests whose reworked cars come back: share of them that pass the next try."""
    rework: str = ""
    """Tests: the rework shop to which failing cars go."""
    rejoin: str = ""
    """Rework shops: the shop where its cars go on, such as the test; empty means behind the test."""
    scrap_share: Share | None = None
    """Rework shops: share of its cars that are given up."""
    by_model: tuple[ShopModelSection, ...] = ()
    """Models that differ."""


class RampStepSection(EvidencedSection):
    """A step of the planned launch curve after the pilot."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    weeks: int = Field(ge=1, le=520)
    """How long it lasts."""
    guest_rate_share: PositiveShare
    """Guest cars released, as a share of the planned weekly rate."""
    line_speed_share: PositiveShare
    """Speed of the assembly line, as a share of full speed."""


class ConversionSection(EvidencedSection):
    """Weeks in which the host converts its plant for the guest: it shuts, or converts in running production."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    name: str = Field(min_length=1)
    """Name for people."""
    first_week: int = Field(ge=1, le=520)
    """Its first week, counted from the first pilot build, from 1."""
    weeks: int = Field(ge=1, le=520)
    """How long it takes."""
    line_speed_share: PositiveShare | None = None
    """Speed of the assembly line meanwhile, as a share of full speed; without it the plant is shut."""


class RampSection(EvidencedSection):
    """How the guest is launched beside the residents."""

    weeks: int = Field(ge=1, le=520)
    """Weeks that are told, pilot weeks included."""
    pilot_weeks: int = Field(ge=0, le=260)
    """Weeks of pilot builds before the start of production."""
    pilot_units_per_week: NonNegative
    """Guest cars built in a pilot week."""
    learning_rate: PositiveShare
    """Share of the excess over the plateau that is left at each doubling of guest cars built (Wright's curve)."""
    learning_reference_units: Positive
    """Guest cars built when the initial figures hold."""
    initial_cycle_multiplier: CycleMultiple
    """Guest cycle time in body and assembly at first, as a multiple of the planned one."""
    plateau_cycle_multiplier: CycleMultiple
    """The multiple that remains for good."""
    initial_first_pass_yield: PositiveShare
    """Guest's first-pass yield at first; it approaches the test's own figure along the same curve."""
    initial_failure_multiplier: CycleMultiple = default(1.0)
    """Failures of shops that only the guest passes at first, as a multiple of the mature ones."""
    conversion: tuple[ConversionSection, ...] = ()
    """Ways to convert the plant for the guest: the first is planned, the others and none are told beside it."""
    step: tuple[RampStepSection, ...]
    """Launch curve after the pilot; full rate and speed hold afterwards."""


class FlowRunSection(Section):
    """How long is simulated."""

    release: Release = Release.PUSH
    """push: body shops start a car whenever they can, in the planned mix; paced: at the planned rate at most."""
    replications: int = Field(default=20, ge=1, le=10_000)
    """Independent runs for the plan."""
    days: int = Field(default=10, ge=1, le=3_660)
    """Days that count in each run."""
    warm_up_days: int = Field(default=1, ge=0, le=366)
    """Days before them that do not count."""
    launch_replications: int = Field(default=8, ge=1, le=10_000)
    """Independent runs of the launch, each through all its weeks."""
    draw_replications: int = Field(default=1, ge=1, le=10_000)
    """Independent runs for one draw of the risk stage."""
    draw_h: int = Field(default=18, ge=1, le=87_600)
    """Net working hours that count in each of these."""
    draw_warm_up_h: int = Field(default=3, ge=0, le=8_760)
    """Net working hours before them that do not count."""


class FlowSection(Section):
    """Shops, buffers, failures and the launch ramp."""

    shop: tuple[ShopSection, ...]
    """Shops in the order in which a car passes them."""
    ramp: RampSection
    """The launch."""
    run: FlowRunSection = FlowRunSection()
    """How long is simulated."""
    overload_stops_line: bool = True
    """Whether work that neither operators nor utility workers finish within a station stops the assembly line (andon);
    false: it is finished behind the line."""
