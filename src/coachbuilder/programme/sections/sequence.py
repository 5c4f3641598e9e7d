"""The sequence section of plant.toml: options and their rules, colours, what the search is asked for."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from coachbuilder.programme.base import EvidencedSection, NonNegative, Share, default
from coachbuilder.programme.sections.common import IDENTIFIER
from coachbuilder.programme.sections.database import DatabaseSection
from coachbuilder.programme.sections.store import StoreSection


class RulePriority(StrEnum):
    """How much a broken rule hurts: high stops the line, low costs helpers."""

    HIGH = "high"
    LOW = "low"


class SequenceObjective(StrEnum):
    """What a build order is judged by."""

    HIGH_PRIORITY = "high priority rules"
    LOW_PRIORITY = "low priority rules"
    COLOUR_CHANGES = "colour changes"
    WORK_OVERLOAD = "work overload"
    LEVEL_LOAD = "level load"


class OptionSection(EvidencedSection):
    """An option of the car whose work the line can take only so often."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name, as in the column options of orders.csv."""
    name: str = Field(min_length=1)
    """Name for people."""
    at_most: int = Field(ge=1, le=1000)
    """Cars with the option among any ``out_of`` consecutive ones."""
    out_of: int = Field(ge=2, le=1000)
    """Length of the window of consecutive cars."""
    priority: RulePriority = RulePriority.HIGH
    """How much a broken rule hurts."""
    weight: int = Field(default=1, ge=1, le=100)
    """What a car too many counts among the rules of the same priority."""
    rates: dict[str, Share] = Field(default_factory=dict)
    """Share of each model's cars that have the option; a model that is not named has none."""


class ColourSection(EvidencedSection):
    """A colour of the paint shop."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name, as in the column colour of orders.csv."""
    name: str = Field(min_length=1)
    """Name for people."""
    share: NonNegative
    """Share of the cars; the shares of all colours are taken relative to their sum."""


class SequenceSection(EvidencedSection):
    """A day's build order: its rules and how long it is searched for."""

    longest_batch: int = Field(ge=1, le=10_000)
    """Cars of one colour in a row after which the spray guns must be purged."""
    purge_cost_cny: NonNegative = default(0.0)
    """Paint, solvent and time of one purge."""
    objectives: tuple[SequenceObjective, ...] = (
        SequenceObjective.HIGH_PRIORITY,
        SequenceObjective.COLOUR_CHANGES,
        SequenceObjective.LOW_PRIORITY,
        SequenceObjective.WORK_OVERLOAD,
    )
    """What counts most first; one that is not named does not count."""
    evaluations: int = Field(default=2_000_000, ge=0, le=10_000_000_000)
    """Changes that the search looks at."""
    store: StoreSection | None = None
    """The painted-body store between paint and assembly."""
    option: tuple[OptionSection, ...] = ()
    """Options with a rule."""
    colour: tuple[ColourSection, ...] = Field(min_length=1)
    """Colours."""
    database: DatabaseSection | None = None
    """The plant's database, where the orders live there."""
