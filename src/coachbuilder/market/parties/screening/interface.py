"""What a screening answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

DECISION = "open: for a human to decide"
"""What stands beside every match; nothing here decides."""


class Agreement(StrEnum):
    """How what is known of both sides compares."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WordPair:
    """A word of the supplier's name and the word of the listed name that it was taken for."""

    supplier: str
    """The supplier's word."""
    listed: str
    """The listed party's."""
    similarity: float
    """1 if they are the same, else the Jaro-Winkler similarity."""


@dataclass(frozen=True, slots=True)
class Match:
    """A supplier beside an entry of a list that it may be: for a human to decide."""

    supplier_line: int
    """Line of the supplier in its file."""
    supplier_id: str
    """The supplier's identifier; may be empty."""
    supplier_name: str
    """The supplier's name."""
    supplier_text: str
    """Which of its names was compared."""
    supplier_alias: bool
    """True if that is an alias."""
    list_file: str
    """File of the list."""
    list_line: int
    """Line of the entry in it."""
    list_name: str
    """The list."""
    entry_id: str
    """The entry's identifier."""
    entry_name: str
    """The entry's primary name."""
    entry_text: str
    """Which of its names was compared."""
    entry_alias: bool
    """True if that is an alias."""
    entry_kind: str
    """Entity, Individual, Vessel and so on, as the list says."""
    start_date: dt.date | None
    """Since when it is listed, where the list tells it."""
    url: str
    """Where the list is explained; may be empty."""
    score: float
    """Agreement of the names, 0 to 1, less what contradicts it."""
    threshold: float
    """Score from which a match is a hit."""
    agree: tuple[WordPair, ...]
    """Words that agree, the rarest first."""
    supplier_only: tuple[str, ...]
    """The supplier's words that the listed name does not have, the rarest first."""
    entry_only: tuple[str, ...]
    """The listed name's words that the supplier does not have."""
    country: Agreement
    """Whether the countries agree: no part of the score."""
    identifiers: tuple[str, ...]
    """Identifiers that both have; one of them makes a match a hit, whatever the names."""
    why: str
    """All that in a sentence."""
    decision: str = DECISION
    """Who decides."""


@dataclass(frozen=True, slots=True)
class ScreeningResult:
    """Suppliers beside the entries of lists that they may be."""

    as_of: dt.date | None
    """Entries not in force on this day are left out; None leaves none out."""
    threshold: float
    """Score from which a match is a hit."""
    near_threshold: float
    """Agreement of the names, contradictions not counted, from which a match is a near miss."""
    suppliers: int
    """Suppliers screened."""
    entries: int
    """Entries that they were compared with."""
    entries_not_in_force: int
    """Entries left out because they begin after or end before the day."""
    entries_without_name: int
    """Entries left out because no name of theirs has a letter or a digit."""
    hits: tuple[Match, ...]
    """Matches at or above the threshold, and those with a common identifier; by supplier, best first."""
    near_misses: tuple[Match, ...]
    """Matches below it, at most :data:`coachbuilder.market.parties.screening.match.MOST_NEAR_MISSES` a supplier."""
    near_misses_left_out: int
    """Further ones that are not told."""
    repeated_suppliers: tuple[tuple[int, ...], ...]
    """Lines of suppliers that have the same name, written in the same or another way, in the same country."""
