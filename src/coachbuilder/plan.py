"""The one place where the stages meet: a programme becomes a plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from coachbuilder.programme import Programme


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One entry of the evidence register as the plan sees it on its day."""

    id: str
    """Identifier in the programme file."""
    kind: str
    """Kind of evidence."""
    claim: str
    """What is claimed."""
    source: str
    """Who says so."""
    date: dt.date
    """When it became known."""
    sources_count: int
    """How many sources stand behind it."""
    supports: tuple[str, ...]
    """Entries that it makes more likely."""
    denies: tuple[str, ...]
    """Entries that it says are false."""
    probability: float
    """Probability after support and denial."""
    assumptions_count: int
    """How many assumptions name it."""


@dataclass(frozen=True, slots=True)
class RegisteredAssumption:
    """One assumption as the plan used it."""

    path: str
    """Where it stands in the programme file."""
    unit: str
    """Its unit; empty for a pure number."""
    value: float
    """Central value."""
    low: float
    """5 % point."""
    high: float
    """95 % point."""
    stated_range: bool
    """True if the file gives the range, false if the kind of evidence does."""
    is_default: bool
    """True if the file is silent and the format's default stands in."""
    evidence: str
    """Entry of the register that it names; 'placeholder' where nobody has named any."""
    kind: str
    """Kind of that evidence."""
    probability: float
    """Probability of that evidence."""
    stages: tuple[str, ...]
    """Stages of the plan whose figures depend on it, upstream ones included."""
