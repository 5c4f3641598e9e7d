"""The parties section of programme.toml: which lists of authorities name which party, and when."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from pydantic import Field

from coachbuilder.programme.base import EvidencedSection, Months, Section, Share
from coachbuilder.programme.sections.common import EARLIEST_DAY, IDENTIFIER, LATEST_DAY


class ListStatus(StrEnum):
    """Where a party stands on a list."""

    LISTED = "listed"
    ENJOINED = "enjoined"
    SETTLEMENT_FILED = "settlement filed"
    REMOVED = "removed"


class SupplierSection(Section):
    """A supplier whose standing is followed."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name; not brand or host."""
    name: str = Field(min_length=1)
    """The company's name."""
    supplies: str = ""
    """What it delivers."""


class ListEntrySection(Section):
    """A status from a day on, until the next entry of the listing or the day that ends it."""

    status: ListStatus
    """Where the party stands."""
    date: dt.date = Field(ge=EARLIEST_DAY, le=LATEST_DAY)
    """First day of it."""
    until: dt.date | None = Field(default=None, ge=EARLIEST_DAY, le=LATEST_DAY)
    """First day on which it no longer holds, where the authority has set one; the party is then off the list."""
    evidence: str = Field(min_length=1)
    """Entry of the register that tells it; a plan that looks at a day before the entry's date does not know it."""


class ListingSection(EvidencedSection):
    """A party on a list of an authority, with its history and with what the list does to it."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    party: str = Field(min_length=1)
    """brand, host or the id of a supplier."""
    list_name: str = Field(min_length=1)
    """Name of the list."""
    authority: str = Field(min_length=1)
    """Who keeps it."""
    closes_investors: tuple[str, ...] = ()
    """Investors, in words, who may not hold the party while it is listed."""
    closes_suppliers: tuple[str, ...] = ()
    """Suppliers, by id, who may not deliver to the party while it is listed."""
    cost_of_capital_surcharge_rate: Share | None = None
    """Brand and host: added to the yearly discount rate while the party is listed; 0.01 is one percentage point."""
    enjoined_share: Share | None = None
    """Share of the surcharge that stays while a court has stopped the listing, or a settlement is filed."""
    expected_months: Months | None = None
    """How long after as_of the listing, enjoined or not, is expected to go on."""
    entry: tuple[ListEntrySection, ...] = Field(min_length=1)
    """Its history."""


class PartiesSection(Section):
    """Which lists name the brand, the host or a supplier."""

    supplier: tuple[SupplierSection, ...] = ()
    """Suppliers whose standing is followed."""
    listing: tuple[ListingSection, ...] = ()
    """One table for each list that names one of them."""
