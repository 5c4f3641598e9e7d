"""The market section of programme.toml: who buys the car, and how the shares took the news."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

from pydantic import Field, FiniteFloat

from coachbuilder.programme.assumption import Assumption, Within
from coachbuilder.programme.base import EvidencedSection, NonNegative, Positive, Section, Share, default
from coachbuilder.programme.sections.common import IDENTIFIER

YearlyChange = Annotated[Assumption, Within(-0.5, 1.0)]
"""A yearly change: -0.5 halves, 1 doubles."""


class Owner(StrEnum):
    """Whose car a rival is."""

    OTHER = "other"
    HOST = "host"
    BRAND = "brand"


class Nest(StrEnum):
    """Which cars a rival is nearest to in the buyers' eyes."""

    ELECTRIC = "electric"
    NONE = "none"


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
    """Cars sold in the segment, all makes; of a later year what is forecast without the guest."""
    outside_units: NonNegative = default(0.0)
    """Cars outside the segment, without a plug, among which the segment's buyers choose as well; with 0 in all years
    the segment is closed and the guest takes its buyers from electric cars alone."""


class PriceYearSection(EvidencedSection):
    """A year from which a price, or its yearly change, is another."""

    year: int = Field(ge=1990, le=2100)
    """Calendar year from which it holds."""
    price_cny: Positive | None = None
    """Price in that year, value-added tax included, after subsidy; else what the change makes of the year before's."""
    change_rate: YearlyChange | None = None
    """Yearly change from that year on; else the one that held before."""


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
    range_km: Positive | None = None
    """Range in the snapshot year by range_procedure; nothing for a car without a plug."""
    sold_units: Positive
    """Cars sold in the snapshot year."""
    months_on_sale: int = Field(default=12, ge=1, le=12)
    """Months of the snapshot year in which it was on sale."""
    nest: Nest = Nest.ELECTRIC
    """electric for a car of the segment, none for one without a plug, whose sales are part of outside_units."""
    price_path: tuple[PriceYearSection, ...] = ()
    """Its own course of price after the snapshot year; rival_price_change_rate holds until the first of these years."""


class EntrantSection(EvidencedSection):
    """An electric car that comes later."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name, other than those of the rivals."""
    name: str = Field(min_length=1)
    """Name for people."""
    owner: Owner = Owner.OTHER
    """host if it is one of the host's own cars, brand if the brand's."""
    year: int = Field(ge=1990, le=2100)
    """Calendar year in which its sale begins, after the snapshot year."""
    first_month: int = Field(default=1, ge=1, le=12)
    """Month of that year in which it begins."""
    price_cny: Positive
    """Price in that year, value-added tax included, after subsidy."""
    range_km: Positive
    """Range in that year by range_procedure."""
    appeal_cny: Assumption = default(0.0)
    """What buyers pay more for it than for the car it is stated against, at equal price and range."""
    against: str = ""
    """Identifier of the rival that its appeal is stated against; the mean of the peers unless told."""
    price_path: tuple[PriceYearSection, ...] = ()
    """Its own course of price after that year; rival_price_change_rate holds until the first of these years."""


class BrandStandingSection(EvidencedSection):
    """What the brand's name in the market it comes from is worth to buyers of its car."""

    home_market_share: Share = default(0.0)
    """Share that the brand has of the market it comes from, such as phones."""
    appeal_cny_per_point: Assumption = default(0.0)
    """What buyers pay more for the guest per percentage point of that share, on top of guest_appeal_cny."""


class DemandSection(EvidencedSection):
    """Who buys the car: a nested logit over the guest, the rivals and all other cars of the segment and outside it."""

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
    """What buyers pay more for the guest than for a mean peer of equal price and range, the brand's standing aside."""
    guest_price_path: tuple[PriceYearSection, ...] = ()
    """The guest's course of price after the year of as_of; guest_price_change_rate holds until the first of these."""
    brand_standing: BrandStandingSection = BrandStandingSection()
    """What the brand's name is worth."""
    nest_parameter: Annotated[Assumption, Within(0.0, 0.95)] = default(0.0)
    """How much nearer electric cars are to each other than to cars without a plug: the correlation of tastes in the
    electric nest; 0 is the plain logit. It counts only where outside_units are told."""
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
    rival: tuple[RivalSection, ...] = ()
    """Cars told by name, here or in rivals_file; all others of the segment stand together without a name."""
    rivals_file: str = ""
    """Table of rivals, a csv file in the programme folder whose columns are named as the fields of a rival."""
    entrant: tuple[EntrantSection, ...] = ()
    """Cars that come later, told by name."""


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
