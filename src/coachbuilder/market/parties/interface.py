"""What the parties stage takes and what it answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from coachbuilder.programme.sections.parties import ListStatus


@dataclass(frozen=True, slots=True)
class StatusInterval:
    """A status of a party on a list, and how long it held."""

    status: ListStatus
    """Where the party stood."""
    start: dt.date
    """First day of it."""
    end: dt.date | None
    """First day on which it no longer held; None if no end is known."""
    evidence: str
    """Entry of the register that tells it."""

    def holds_on(self, day: dt.date) -> bool:
        """Return whether the status held on a day."""
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier whose standing is followed."""

    id: str
    """Short name."""
    name: str
    """The company's name."""
    supplies: str
    """What it delivers."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A party on a list, as it is known on the plan's day."""

    id: str
    """Short name."""
    party: str
    """brand, host or the id of a supplier."""
    list_name: str
    """Name of the list."""
    authority: str
    """Who keeps it."""
    intervals: tuple[StatusInterval, ...]
    """Its history in the order of time, what is already known of the days to come included."""
    closes_investors: tuple[str, ...]
    """Investors, in words, who may not hold the party while it is listed."""
    closes_suppliers: tuple[str, ...]
    """Suppliers, by id, who may not deliver to the party while it is listed."""
    surcharge_rate: float
    """Added to the yearly discount rate of the brand or the host while it is listed, fraction."""
    enjoined_share: float
    """Share of it that stays while the listing is stopped by a court or a settlement is filed."""
    expected_months: float
    """How long after the plan's day the listing is expected to go on."""


@dataclass(frozen=True, slots=True)
class PartiesInputs:
    """All that the standing of the parties depends on."""

    as_of: dt.date
    """The plan's day."""
    horizon_months: float
    """Months of cash flow after it."""
    brand_name: str
    """The brand's name."""
    host_name: str
    """The host's name."""
    brand_discount_rate: float
    """The brand's yearly discount rate without any listing, fraction."""
    host_discount_rate: float
    """The host's."""
    suppliers: tuple[Supplier, ...]
    """Suppliers that are followed."""
    listings: tuple[Listing, ...]
    """Listings that are known on the plan's day."""


@dataclass(frozen=True, slots=True)
class ListingStanding:
    """A listing on the plan's day, and what it does."""

    id: str
    """Short name."""
    party: str
    """brand, host or the id of a supplier."""
    party_name: str
    """The company's name."""
    list_name: str
    """Name of the list."""
    authority: str
    """Who keeps it."""
    status: ListStatus | None
    """Where the party stands on the plan's day; None if it is known that the listing begins later."""
    since: dt.date | None
    """Since when."""
    intervals: tuple[StatusInterval, ...]
    """The history that is known on the plan's day."""
    effect_share: float
    """Share of its full effect on the plan's day: 1 listed, 0 removed, the enjoined share between."""
    surcharge_now_rate: float
    """Added to the party's yearly discount rate on the plan's day, fraction."""
    surcharge_rate: float
    """The same as a weighted mean over the horizon, with which the deal reckons."""
    closed_investors: tuple[str, ...]
    """Investors who may not hold the party on the plan's day."""
    closed_suppliers: tuple[str, ...]
    """Suppliers, by id, who may not deliver to the party on the plan's day."""


@dataclass(frozen=True, slots=True)
class SideStanding:
    """What all listings together do to the brand's or the host's cost of capital."""

    name: str
    """The company's name."""
    status: ListStatus | None
    """Its gravest status on the plan's day; None if it stands on no list."""
    base_discount_rate: float
    """Yearly discount rate without any listing, fraction."""
    discount_rate_now: float
    """The same with the surcharges of the plan's day."""
    discount_rate: float
    """The flat yearly rate with which the deal reckons."""


@dataclass(frozen=True, slots=True)
class ClosedSupplier:
    """A supplier who may not deliver on the plan's day."""

    id: str
    """Short name."""
    name: str
    """The company's name."""
    supplies: str
    """What it delivers."""
    why: str
    """Which listing closes it."""


@dataclass(frozen=True, slots=True)
class PartiesResult:
    """How the parties stand with the authorities, and what that does to the programme."""

    as_of: dt.date
    """The plan's day."""
    horizon_months: float
    """Months over which the surcharges are averaged."""
    brand: SideStanding
    """The brand."""
    host: SideStanding
    """The host."""
    listings: tuple[ListingStanding, ...]
    """Every listing known on the plan's day."""
    closed_suppliers: tuple[ClosedSupplier, ...]
    """Suppliers who may not deliver."""
