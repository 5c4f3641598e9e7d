"""What the announcement stage takes and what it answers.

Conventions:

- an **abnormal return** is the day's return less what the market model (alpha + beta times the market's return)
  expects;
- a **limit close** is a bound: at the upper limit the true abnormal return is at least the one seen, at the lower
  limit at most. Days are cumulated up to the first close without limit, and never into the day of another event;
- **intervals** are two-sided 95 % Student intervals; on the side that a limit leaves open they have no end (None);
- the classes of share of one firm move together on a day: their errors are added, not pooled. Errors of different
  days are independent.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from coachbuilder.programme.sections.market import LimitSide, Side

SIGNIFICANCE = 0.05
"""Level of the two-sided tests; the intervals have one less this."""


@dataclass(frozen=True, slots=True)
class TwinModel:
    """How a share's abnormal returns follow those of its twin."""

    constant: float
    """Constant; near 0, for both are residuals."""
    slope: float
    """Slope."""
    residual_sd: float
    """Standard deviation of what the twin does not explain, by ``days - 2``."""
    days: int
    """Days on which both have a return."""
    twin_sd: float
    """Standard deviation of the twin's abnormal returns on them, by ``days - 1``."""


@dataclass(frozen=True, slots=True)
class ListedShare:
    """A class of share on one exchange."""

    id: str
    """Short name."""
    name: str
    """Name for people."""
    side: Side
    """Which side's share it is."""
    exchange: str
    """Where it is traded."""
    currency: str
    """Currency of its price."""
    cny_per_currency: float
    """CNY for one unit of that currency."""
    previous_close: float
    """Close on the day before the first event, in its currency."""
    shares_outstanding: float
    """Shares of this class, those of other classes not counted."""
    daily_limit_share: float | None
    """Largest move that the exchange allows in a day, fraction; None if there is no limit."""
    alpha_per_day: float
    """Market model's constant; 0 where observations are abnormal returns already."""
    beta: float
    """Market model's slope; 0 where observations are abnormal returns already."""
    residual_sd: float
    """Standard deviation of its residuals, fraction a day."""
    estimation_days: int
    """Days of the estimation window."""
    market_mean: float | None = None
    """Market's mean return in the estimation window; None if not known."""
    market_sd: float | None = None
    """Market's standard deviation in that window, by ``estimation_days - 1``; None if not known."""
    twin: str | None = None
    """The same firm's share on an exchange without limit; None if there is none."""
    twin_model: TwinModel | None = None
    """How this share's abnormal returns follow its twin's."""


@dataclass(frozen=True, slots=True)
class NewsEvent:
    """A day on which something became known."""

    id: str
    """Short name."""
    name: str
    """What happened."""
    date: dt.date
    """First trading day that knew it."""
    evidence: str
    """Entry of the register that tells it."""
    is_about_partnership: bool
    """True if its move counts towards what the market paid for the partnership."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One share on one day of an event."""

    event: str
    """Event."""
    share: str
    """Share."""
    date: dt.date
    """Trading day."""
    abnormal_return: float | None
    """Abnormal return, if it is given as such."""
    share_return: float | None
    """The share's return, from which the abnormal return is computed otherwise."""
    market_return: float | None
    """The market's return on that day."""
    previous_close: float
    """Close of the day before, in the share's currency."""
    limit: LimitSide | None
    """Limit at which the day closed, if any."""


@dataclass(frozen=True, slots=True)
class AnnouncementInputs:
    """All that the announcement's answer depends on; nothing in it is later than ``as_of``."""

    as_of: dt.date
    """The day that looks back."""
    shares: tuple[ListedShare, ...]
    """Shares."""
    events: tuple[NewsEvent, ...]
    """Events by date."""
    observations: tuple[Observation, ...]
    """What was seen."""


@dataclass(frozen=True, slots=True)
class TwinControl:
    """What a twin listing without limit says about a share that closed at its limit."""

    share: str
    """Share that closed at its limit."""
    twin: str
    """The same firm's share on another exchange."""
    slope: float
    """By how much the share's abnormal return follows the twin's."""
    twin_abnormal_return: float
    """What the twin did on the same days."""
    abnormal_return: float
    """What the share would have done by that."""
    standard_error: float
    """Its standard error."""
    low: float
    """Lower end of its 95 % interval."""
    high: float
    """Upper end."""
    with_limit: float
    """The same given also that the share would have gone beyond its limit: mean of what is left of the distribution."""
    with_limit_low: float
    """Lower end of the 95 % interval of what is left."""
    with_limit_high: float
    """Upper end."""


@dataclass(frozen=True, slots=True)
class ShareEventResult:
    """What one share did on one event."""

    share: str
    """Share."""
    name: str
    """Name for people."""
    side: Side
    """Which side's share it is."""
    exchange: str
    """Where it is traded."""
    date: dt.date
    """First day counted."""
    last_date: dt.date
    """Last day counted: the first close without limit, if it was reached before another event and before ``as_of``."""
    days: int
    """Days cumulated."""
    abnormal_return: float
    """Cumulated abnormal return, fraction; a bound where ``bound`` says so."""
    standard_error: float
    """Its standard error."""
    t_statistic: float
    """The one over the other."""
    degrees_of_freedom: int
    """Of the t distribution."""
    p_value: float
    """Two-sided probability of so large a return without news."""
    is_significant: bool
    """True if that is below 5 %."""
    margin: float
    """Half of the two-sided 95 % interval around the abnormal return."""
    bound: str
    """'at least' or 'at most' where the last day counted closed at a limit, else empty."""
    low: float | None
    """Lower end of the 95 % interval; None if open."""
    high: float | None
    """Upper end; None if open."""
    limit_days: tuple[dt.date, ...]
    """Days that closed at a limit."""
    market_value_cny: float
    """Value of the class at the close before."""
    implied_value_cny: float
    """Value that the abnormal return put on the news."""
    implied_low_cny: float | None
    """Lower end of its 95 % interval; None if open."""
    implied_high_cny: float | None
    """Upper end; None if open."""
    twin: TwinControl | None = None
    """What a twin listing without limit says; None where no limit hid anything, or there is no twin."""
    twin_implied_value_cny: float | None = None
    """Value that the abnormal return by the twin, and by the limit's bound, put on the news."""


@dataclass(frozen=True, slots=True)
class ImpliedValue:
    """What the market paid for the news on one side, all classes of share together."""

    side: Side
    """brand or host."""
    events: tuple[str, ...]
    """Events counted."""
    shares: tuple[str, ...]
    """Classes of share counted, each with its own number of shares."""
    implied_value_cny: float
    """Change of value beyond the market's."""
    low_cny: float | None
    """Lower end of the 95 % interval; None if a limit close leaves it open."""
    high_cny: float | None
    """Upper end; None if a limit close leaves it open."""
    bound: str
    """'at least', 'at most', or 'open' where limits leave both sides open; empty where it is no bound."""
    market_value_cny: float
    """Value of the classes counted, before the first event."""


@dataclass(frozen=True, slots=True)
class EventResult:
    """What one event did to the shares."""

    id: str
    """Short name."""
    name: str
    """What happened."""
    date: dt.date
    """First trading day that knew it."""
    evidence: str
    """Entry of the register that tells it."""
    is_about_partnership: bool
    """True if it counts towards what the market paid for the partnership."""
    shares: tuple[ShareEventResult, ...]
    """Share by share."""
    implied_values: tuple[ImpliedValue, ...]
    """Side by side."""


@dataclass(frozen=True, slots=True)
class AnnouncementResult:
    """What the market paid for the news."""

    as_of: dt.date
    """The day that looks back."""
    events: tuple[EventResult, ...]
    """Event by event."""
    implied_values: tuple[ImpliedValue, ...]
    """By side, summed over the events about the partnership."""
    tests: int
    """Abnormal returns that were tested."""
    significant: int
    """How many of them are significant at 5 %."""
    limit_closes: int
    """How many of them are bounds because of a limit close."""
    verdict: str
    """The same in a sentence."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The market's value of the news beside the plan's."""

    side: Side
    """brand or host."""
    implied_value_cny: float
    """What the market paid."""
    low_cny: float | None
    """Lower end of its 95 % interval; None if open."""
    high_cny: float | None
    """Upper end; None if open."""
    bound: str
    """'at least', 'at most', or 'open' where limits leave both sides open; empty where it is no bound."""
    npv_cny: float
    """What the plan is worth to that side if it is carried out."""
    probability: float
    """Probability that the evidence gives the news."""
    expected_value_cny: float
    """The one times the other."""
    difference_cny: float
    """What the market paid beyond that."""
    is_compatible: bool
    """True if the expected value lies within the interval."""
    believed_probability: float | None
    """Probability that would justify the market at the plan's NPV; None if no probability does."""
    believed_npv_cny: float | None
    """NPV that would justify the market at the evidence's probability; None if that is 0."""
    sentence: str
    """The market paid X; the plan is worth Y; you would have to believe Z."""
