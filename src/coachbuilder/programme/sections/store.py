"""The table of plant.toml for the painted-body store, where bodies are put in order between paint and assembly."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from coachbuilder.programme.assumption import Assumption, Within
from coachbuilder.programme.base import EvidencedSection, Share, default

RepairDelay = Annotated[Assumption, Within(0.0, largest=100_000.0)]
"""Places of paint by which a body comes back later."""


class StoreKind(StrEnum):
    """How bodies can be taken out of a store."""

    RANDOM_ACCESS = "random access"
    LANES = "lanes"


class StoreSection(EvidencedSection):
    """The painted-body store as far as the order of a day goes; without it paint and assembly work in one order."""

    kind: StoreKind
    """random access: any body can be taken; lanes: first in, first out in each."""
    places: int | None = Field(default=None, ge=0, le=100_000)
    """Random access: bodies that it holds, the one that is being released included."""
    lanes: int | None = Field(default=None, ge=1, le=200)
    """Lanes: lanes side by side."""
    places_per_lane: int | None = Field(default=None, ge=1, le=10_000)
    """Lanes: bodies that a lane holds, the one that is being released included."""
    repaired_share: Share = default(0.0)
    """Share of the bodies that go to paint repair and come back late; with 0 the order of paint is delivered."""
    repair_delay_cars: RepairDelay = default(0.0)
    """Bodies that overtake one in repair, before the store."""
    evaluations: int = Field(default=500_000, ge=0, le=50_000_000)
    """Changes that the search looks at for each size of the store."""
