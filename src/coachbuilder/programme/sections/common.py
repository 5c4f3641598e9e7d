"""Sections that describe the programme itself, its two parties and what the plant's stages share."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from coachbuilder.programme.base import EvidencedSection, NonNegative, Positive, PositiveShare, Section

EARLIEST_DAY, LATEST_DAY = dt.date(1990, 1, 1), dt.date(2100, 12, 31)
"""Days that a programme may speak of."""

IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


class Otherwise(StrEnum):
    """What the brand does when a claim on which the programme rests is false."""

    NOTHING = "nothing"
    OWN_PLANT = "own plant"


class ProgrammeSection(Section):
    """The programme: one vehicle, one brand, one host plant, one deal, one market."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name, used in file names."""
    title: str = Field(min_length=1)
    """What the report is headed with."""
    description: str = ""
    """A few sentences on the programme."""
    as_of: dt.date = Field(ge=EARLIEST_DAY, le=LATEST_DAY)
    """The day on which the decision is looked at; later evidence is hidden."""
    rests_on: str | Annotated[tuple[str, ...], Field(min_length=1)]
    """Switches: the entry of the register that claims that the partnership exists at all, or several entries that must
    all be true for the programme to go ahead; the first is that of the partnership."""
    otherwise: Otherwise = Otherwise.NOTHING
    """What the brand does if a switch is off: nothing, or build in a plant of its own; the host does nothing."""
    horizon_years: int = Field(default=10, ge=1, le=30)
    """Years of cash flow after the decision day."""
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    """Seed of every random draw in the plan."""

    @property
    def switches(self) -> tuple[str, ...]:
        """Entries that must all be true for the programme to go ahead, that of the partnership first."""
        return (self.rests_on,) if isinstance(self.rests_on, str) else self.rests_on


class PartySection(EvidencedSection):
    """One of the two sides."""

    name: str = Field(min_length=1)
    """The company's name."""
    description: str = ""
    """What it brings."""
    discount_rate: PositiveShare
    """Yearly after-tax discount rate of this side."""
    tax_rate: PositiveShare
    """Corporate income tax rate."""


class ModelRole(StrEnum):
    """Whose car it is."""

    RESIDENT = "resident"
    GUEST = "guest"


class Powertrain(StrEnum):
    """What drives the car; decides which work elements it has."""

    COMBUSTION = "combustion"
    HYBRID = "hybrid"
    BATTERY_ELECTRIC = "battery electric"


class ModelSection(EvidencedSection):
    """A model built in the plant."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name; the column ``<id>_time_s`` of tasks.csv holds its times."""
    name: str = Field(min_length=1)
    """Name on the badge."""
    role: ModelRole
    """Resident or guest; exactly one model is the guest."""
    powertrain: Powertrain
    """What drives it."""
    planned_units_per_year: NonNegative | None = None
    """Residents: cars a year that the host plans to build. The guest has none here: its rate comes from demand."""

    @property
    def units_per_year(self) -> float:
        """Planned cars a year; 0 for the guest."""
        return 0.0 if self.planned_units_per_year is None else self.planned_units_per_year.value


class ShiftSection(EvidencedSection):
    """When the plant works."""

    shifts_per_day: int = Field(ge=1, le=4)
    """Shifts a day."""
    shift_length_h: Positive
    """Length of a shift with its breaks."""
    break_per_shift_min: NonNegative
    """Breaks in a shift, when the line stands."""
    working_days_per_year: Positive
    """Days a year on which the plant works."""


class PlantSection(EvidencedSection):
    """The host's plant as a whole."""

    name: str = Field(min_length=1)
    """Name of the plant."""
    description: str = ""
    """What is built there."""
    planning_availability: PositiveShare
    """Share of net shift time in which the assembly line is expected to run; takt is net time times this over rate."""
