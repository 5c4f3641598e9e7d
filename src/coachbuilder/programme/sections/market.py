"""The market section of programme.toml: who buys the car, and how the shares took the news."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

from pydantic import Field, FiniteFloat

from coachbuilder.programme.assumption import Assumption, Within
from coachbuilder.programme.base import EvidencedSection, NonNegative, Positive, Section
from coachbuilder.programme.sections.common import IDENTIFIER

YearlyChange = Annotated[Assumption, Within(-0.5, 1.0)]
"""A yearly change: -0.5 halves, 1 doubles."""


class Owner(StrEnum):
    """Whose car a rival is."""

    OTHER = "other"
    HOST = "host"
    BRAND = "brand"


class RangeProcedure(StrEnum):
    """How a range is measured."""

    CLTC = "CLTC"
    NEDC = "NEDC"
    WLTP = "WLTP"
    EPA = "EPA"


class Side(StrEnum):
    """One of the two sides of the deal."""

    BRAND = "brand"
    HOST = "host"


class Currency(StrEnum):
    """Currency of a share's price."""

    CNY = "CNY"
    HKD = "HKD"
    USD = "USD"


class LimitSide(StrEnum):
    """Which daily limit a close was at."""

    UPPER = "upper"
    LOWER = "lower"


class MarketYearSection(EvidencedSection):
    """Size of the segment in one year; between two years it grows evenly."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name, such as the year."""
    year: int = Field(ge=1990, le=2100)
    """Calendar year."""
    units: Positive
    """Cars sold in the segment, all makes."""


class RivalSection(EvidencedSection):
    """A car that the guest's buyers might buy instead."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    name: str = Field(min_length=1)
    """Name for people."""
    owner: Owner = Owner.OTHER
    """host if it is one of the host's own cars, brand if the brand's; losses of the host's cars are cannibalism."""
    peer: bool = True
    """True if guest_appeal_cny is stated against this car, among others."""
    price_cny: Positive
    """Price paid in the snapshot year, value-added tax included, after subsidy."""
    range_km: Positive
    """Range in the snapshot year by range_procedure."""
    sold_units: Positive
    """Cars sold in the snapshot year."""
    months_on_sale: int = Field(default=12, ge=1, le=12)
    """Months of the snapshot year in which it was on sale."""


class DemandSection(EvidencedSection):
    """Who buys the car: a logit over the guest, the rivals and all other cars of the segment."""

    snapshot_year: int = Field(ge=1990, le=2100)
    """Year of the rivals' sales, prices and ranges."""
    range_procedure: RangeProcedure
    """Procedure by which the rivals' ranges are stated."""
    guest_range_ratio: Positive
    """Guest's range by range_procedure over its CLTC range."""
    guest_price_cny: Positive
    """Guest's price in the year of as_of, value-added tax included, after subsidy."""
    guest_price_change_rate: YearlyChange
    """Yearly change of the guest's price."""
    guest_appeal_cny: Assumption
    """What buyers pay more for the guest than for a mean peer of equal price and range."""
    price_elasticity: Positive
    """Own-price elasticity, as a positive number, of a car at the rivals' mean price."""
    range_elasticity: NonNegative
    """Elasticity of a car's demand to its own range."""
    rival_price_change_rate: YearlyChange
    """Yearly change of the rivals' prices, all other cars of the segment included."""
    rival_range_growth_rate: YearlyChange
    """Yearly growth of the rivals' ranges, all other cars of the segment included."""
    rival_entry_rate: YearlyChange
    """Yearly growth of the number of other cars in the segment that are as attractive as those of today."""
    market_growth_after_rate: YearlyChange
    """Yearly growth of the segment after the last year of the market table."""
    market: tuple[MarketYearSection, ...] = Field(min_length=1)
    """Size of the segment; the snapshot year is among the years that the table spans."""
    rival: tuple[RivalSection, ...] = Field(min_length=1)
    """Cars told by name; all others of the segment are the outside good."""


class ListedShareSection(EvidencedSection):
    """A class of share on one exchange, with the market model of its estimation window.

    Either the window's summary figures stand here, or price_file and index_file from which they are computed.
    """

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    name: str = Field(min_length=1)
    """Name for people."""
    side: Side
    """Which side's share it is."""
    exchange: str = Field(min_length=1)
    """Where it is traded."""
    currency: Currency
    """Currency of its price."""
    previous_close: Positive
    """Close on the day before the first event, in its currency."""
    shares_outstanding: Positive
    """Shares of this class alone."""
    daily_limit_share: float | None = Field(default=None, ge=0, lt=1)
    """Largest move that the exchange allows in a day; 0 or nothing if there is no limit."""
    estimation_days: int = Field(ge=5, le=2000)
    """Trading days of the estimation window."""
    alpha_per_day: Assumption | None = None
    """Market model's constant."""
    beta: Assumption | None = None
    """Market model's slope."""
    residual_sd: Positive | None = None
    """Standard deviation of the market model's residuals, fraction a day."""
    market_mean: Assumption | None = None
    """Market's mean return in the window; with market_sd it widens the error of days on which the market moved far."""
    market_sd: Positive | None = None
    """Market's standard deviation in the window."""
    price_file: str = ""
    """Table of the share's prices, relative to the programme folder: columns date and close."""
    index_file: str = ""
    """Table of the market: columns date and close, or date and return."""
    estimation_last_day: dt.date | None = None
    """With price files: last day of the estimation window."""
    twin: str = ""
    """Same firm's share on an exchange without daily limit: tells what this one would have done beyond its limit."""
    twin_slope: Assumption | None = None
    """By how much this share's abnormal returns follow the twin's; from the price files if both shares have them."""
    twin_residual_sd: Positive | None = None
    """Standard deviation of what the twin leaves unexplained, fraction a day."""
    twin_days: int | None = Field(default=None, ge=5, le=2000)
    """Days on which both were traded, from which twin_slope was estimated."""


class NewsEventSection(Section):
    """A day on which something became known; hidden from a plan that looks at an earlier day."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    name: str = Field(min_length=1)
    """What happened."""
    date: dt.date
    """First trading day that knew it."""
    evidence: str = Field(min_length=1)
    """Entry of the register that tells it."""
    about_partnership: bool = True
    """True if its move counts towards what the market paid for the partnership."""


class ObservationSection(Section):
    """A share on a day of an event: plain numbers, for they were seen; their error is the residual's."""

    event: str = Field(min_length=1)
    """Event."""
    share: str = Field(min_length=1)
    """Share."""
    date: dt.date | None = None
    """Trading day, if it is a later one than the event's own."""
    abnormal_return: FiniteFloat | None = Field(default=None, gt=-1, lt=10)
    """Abnormal return, fraction; or else share_return and market_return."""
    share_return: FiniteFloat | None = Field(default=None, gt=-1, lt=10)
    """The share's return, fraction."""
    market_return: FiniteFloat | None = Field(default=None, gt=-1, lt=10)
    """The market's return on that day, fraction."""
    close_before: FiniteFloat | None = Field(default=None, gt=0)
    """Close of the day before, if it is not the share's previous_close."""
    close_at_limit: bool = False
    """True if the day closed at the exchange's limit, so that what was seen is a bound."""


class AnnouncementSection(Section):
    """How the shares took the news."""

    share: tuple[ListedShareSection, ...] = ()
    """Listed shares of both sides, each class by itself."""
    event: tuple[NewsEventSection, ...] = ()
    """Events."""
    observation: tuple[ObservationSection, ...] = ()
    """What was seen, for the shares without price files."""


class MarketSection(Section):
    """Who buys the car, and what the news of it was worth."""

    demand: DemandSection
    """Who buys it."""
    announcement: AnnouncementSection = AnnouncementSection()
    """What the market paid for the news."""
