"""A whole event study on a wide table of prices: several shares, events, exchanges and price limits.

Conventions:

- every share has its own calendar: the days on which it and its market have a price. A return runs from one of them to
  the next, the market's over the same days, so that a day on which one exchange is shut moves neither;
- day 0 of an event is a share's first day of its own on or after the event's date;
- a window never reaches the day of another event: it is cut before the next one and after the one before;
- a limit close is a bound, so that cumulation over it goes on to the first close without limit.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from coachbuilder.market.announcement.censored import bound_of_open_coefficient, censored_regression
from coachbuilder.market.announcement.event_study import (
    AbnormalReturns,
    FloatArray,
    ReturnModel,
    abnormal_returns,
    critical_t,
    estimation_faults,
    two_sided_p,
)
from coachbuilder.market.announcement.interface import SIGNIFICANCE, TwinControl
from coachbuilder.market.announcement.prices import limit_side
from coachbuilder.market.announcement.significance import (
    Significance,
    cumulated,
    mean_correlation,
    significance_of,
)
from coachbuilder.market.announcement.twin import fit_twin, on_common_days, twin_control
from coachbuilder.market.announcement.wide_prices import WidePrices, check_columns
from coachbuilder.programme.errors import InputError, Problem, ProblemList
from coachbuilder.programme.sections.market import LimitSide

FEWEST_SHARES_TO_TEST = 5
"""With fewer, and those on the same days, tests across shares are noise: they are not made."""

NORMAL_REACH = 1.959963984540054
"""Standard errors on either side of a 95 % interval of a normal distribution."""


class Window(NamedTuple):
    """Event days from first to last, both counted, day 0 being the event's own."""

    first: int
    """First day."""
    last: int
    """Last day."""


class EstimationDays(NamedTuple):
    """Estimation window by dates, by days relative to the first event, or so many days up to a date."""

    first: dt.date | int
    """First day: a date; a day relative to the first event; or, where ``last`` is a date, a number of days."""
    last: dt.date | int
    """Last day: a date or a day relative to the first event."""


@dataclass(frozen=True, slots=True)
class StudySettings:
    """What is asked of a table."""

    events: tuple[dt.date, ...]
    """Days on which something became known."""
    estimation: EstimationDays
    """Estimation window."""
    windows: tuple[Window, ...] = (Window(0, 0),)
    """Windows around each event."""
    model: ReturnModel = ReturnModel.MARKET
    """Model of expected returns."""
    market: str | None = None
    """Column of the market's prices, for all shares that have none of their own."""
    markets: Mapping[str, str] = field(default_factory=dict)
    """Column of the market by share."""
    shares: tuple[str, ...] = ()
    """Columns to be studied; all that are nothing else if empty."""
    factors: tuple[str, ...] = ()
    """Columns of returns that the model regresses on too."""
    risk_free: str | None = None
    """Column of the risk-free return, taken off the shares' and the market's."""
    limit: float | None = None
    """Daily price limit of all shares that have none of their own, fraction."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Daily price limit by share; 0 for none."""
    twins: Mapping[str, str] = field(default_factory=dict)
    """Share with a limit and its twin without."""
    is_continuous: bool = False
    """True for logarithmic returns."""
    spans_gaps: bool = True
    """True if a return after days without price counts, over the same days of the market; False if it is left out."""


@dataclass(frozen=True, slots=True)
class ShareModel:
    """A share's model of expected returns."""

    share: str
    """Column of the share."""
    market: str | None
    """Column of its market."""
    first_day: dt.date
    """First day of its estimation window."""
    last_day: dt.date
    """Last day of it."""
    days: int
    """Days with a return in it."""
    coefficients: tuple[float, ...]
    """Constant, then one a factor; none for the market-adjusted model."""
    residual_sd: float
    """Standard deviation of a day's abnormal return."""
    limit_days: int
    """Days of the window that closed at the price limit."""
    censored_coefficients: tuple[float, ...] | None
    """The same by the censored regression; None where no day closed at a limit or nothing is regressed."""
    censored_residual_sd: float | None
    """Its standard deviation, by the same degrees of freedom."""


@dataclass(frozen=True, slots=True)
class ShareWindow:
    """A share's abnormal return over a window."""

    share: str
    """Column of the share."""
    first_date: dt.date
    """First day counted."""
    last_date: dt.date
    """Last day counted."""
    days: int
    """Days counted; fewer than the window has where another event cuts it."""
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
    low: float | None
    """Lower end of the 95 % interval; None where a limit leaves it open."""
    high: float | None
    """Upper end; None where a limit leaves it open."""
    bound: str
    """'at least' or 'at most' where the last day counted closed at a limit, else empty."""
    is_cut: bool
    """True if another event, or the end of the table, cut the window."""


@dataclass(frozen=True, slots=True)
class StudyWindow:
    """All shares over one window of one event."""

    first: int
    """First day."""
    last: int
    """Last day."""
    shares: tuple[ShareWindow, ...]
    """Share by share."""
    mean_abnormal_return: float
    """Mean over the shares."""
    tests: tuple[Significance, ...]
    """Tests of that mean; empty for fewer than five shares."""
    note: str
    """What to mind about them."""


@dataclass(frozen=True, slots=True)
class LimitRun:
    """A share whose day 0 closed at its price limit."""

    share: str
    """Column of the share."""
    limit_days: tuple[dt.date, ...]
    """Days at the limit, from day 0 on."""
    to_first_free_close: ShareWindow
    """Cumulated up to the first close without limit, unless another event or the end of the table came before."""
    effect: float | None
    """Effect of day 0's news by the censored regression, for which later days are noise around the model; None where
    only a bound is known."""
    effect_low: float | None
    """Lower end of its 95 % interval (one-sided where only a bound is known); None if open."""
    effect_high: float | None
    """Upper end; None if open."""
    twin: TwinControl | None
    """What a twin listing without limit says; None if there is none."""


@dataclass(frozen=True, slots=True)
class StudyEvent:
    """One event."""

    date: dt.date
    """Date given."""
    windows: tuple[StudyWindow, ...]
    """Window by window."""
    limit_runs: tuple[LimitRun, ...]
    """Shares that closed at their limit on day 0."""
    missing: tuple[str, ...]
    """Shares without a day of their own before the next event."""


@dataclass(frozen=True, slots=True)
class StudyResult:
    """What the study found."""

    file: str
    """Name of the table."""
    model: ReturnModel
    """Model of expected returns."""
    factor_names: tuple[str, ...]
    """Names of the coefficients after the constant."""
    is_continuous: bool
    """True for logarithmic returns."""
    shares: tuple[ShareModel, ...]
    """Each share's model."""
    residual_correlation: float | None
    """Mean correlation of the shares' residuals; None for one share."""
    events: tuple[StudyEvent, ...]
    """Event by event."""
    share_tests: int
    """Abnormal returns of single shares that were tested."""
    significant_share_tests: int
    """How many of them are significant at 5 %."""
    mean_tests: int
    """Tests of means over shares."""
    significant_mean_tests: int
    """How many of them are significant at 5 %."""
    verdict: str
    """The same in words."""


def event_study(table: WidePrices, settings: StudySettings) -> StudyResult:
    """Study how shares took events.

    Parameters
    ----------
    table
        Prices; see :func:`coachbuilder.market.announcement.wide_prices.read_wide_prices`.
    settings
        What is asked.

    Raises
    ------
    InputError
        With every column, day or window that does not do.
    """
    problems = ProblemList(table.file)
    shares = _shares(table, settings, problems)
    problems.raise_if_any()
    own = [_OwnDays.of(table, share, settings, problems) for share in shares]
    problems.raise_if_any()
    studied = _Study(table, settings, own, problems)
    problems.raise_if_any()
    return studied.result()


def _shares(table: WidePrices, settings: StudySettings, problems: ProblemList) -> tuple[str, ...]:
    """Return the columns to be studied, after a check of all names."""
    named = [("--share", share) for share in settings.shares]
    named += [("--market", column) for column in (settings.market, *settings.markets.values()) if column]
    named += [("--market", share) for share in settings.markets]
    named += [("--factor", column) for column in settings.factors]
    named += [("--risk-free", settings.risk_free)] if settings.risk_free else []
    named += [("--limit", share) for share in settings.limits]
    named += [("--twin", name) for pair in settings.twins.items() for name in pair]
    check_columns(table, named, problems)
    others = {settings.market, settings.risk_free, *settings.markets.values(), *settings.factors}
    shares = settings.shares or tuple(name for name in table.cells if name not in others)
    if not shares:
        problems.add("header", "no column beside the market", "one column a share", line=1)
    _check_models(shares, settings, problems)
    for share, twin in settings.twins.items():
        pair = f"{share}={twin}"
        if share == twin or not {share, twin} <= set(shares):
            problems.add("--twin", pair, "two of the shares that are studied")
        elif _limit(settings, twin) or not _limit(settings, share):
            problems.add("--twin", pair, "a share with a limit and a twin without", hint="--limit SHARE=0 for none")
    days = sorted(settings.events)
    for earlier, later in pairwise(days):
        if earlier == later:
            problems.add("--event", later.isoformat(), "each day once: moves of one day cannot be told apart")
    for window in settings.windows:
        if window.first > window.last:
            problems.add("--window", f"{window.first}:{window.last}", "the first day before the last")
    return shares


def _check_models(shares: Sequence[str], settings: StudySettings, problems: ProblemList) -> None:
    needs_market = settings.model in (ReturnModel.MARKET, ReturnModel.MARKET_ADJUSTED)
    without = [share for share in shares if not (settings.markets.get(share) or settings.market)]
    if needs_market and without:
        hint = "or --market SHARE=COLUMN for one share"
        problems.add("--market", f"none for {', '.join(without)}", "a column of the market's prices", hint=hint)
    if settings.model is ReturnModel.FACTORS and not settings.factors:
        problems.add("--factor", "none", "one or more columns of returns, for the model says factors")
    if settings.model is not ReturnModel.FACTORS and settings.factors:
        problems.add("--factor", ", ".join(settings.factors), f"none, or the model factors for {settings.model}")
    if settings.model is ReturnModel.FACTORS and 0 < len(without) < len(shares):
        problems.add("--market", f"none for {', '.join(without)}", "a market for every share or for none")


def _limit(settings: StudySettings, share: str) -> float | None:
    return settings.limits.get(share, settings.limit) or None


@dataclass(frozen=True, slots=True)
class _OwnDays:
    """A share on the days of its own calendar; arrays over all days of the table, NaN on others."""

    share: str
    market: str | None
    limit: float | None
    rows: tuple[int, ...]
    dates: tuple[dt.date, ...]
    returns: FloatArray
    factors: FloatArray
    limits: tuple[LimitSide | None, ...]

    @classmethod
    def of(cls, table: WidePrices, share: str, settings: StudySettings, problems: ProblemList) -> _OwnDays:
        before = len(problems)
        market = settings.markets.get(share) or settings.market
        prices = table.prices(share, problems)
        levels = table.prices(market, problems) if market else np.ones(len(table.dates))
        columns = [table.returns(name, problems) for name in settings.factors]
        risk_free = table.returns(settings.risk_free, problems) if settings.risk_free else None
        if len(problems) > before:
            empty = np.empty(0)
            return cls(share, market, None, (), (), empty, empty, ())
        has_price = np.isfinite(prices) & np.isfinite(levels)
        priced = np.flatnonzero(has_price)
        count = len(table.dates)
        limit = _limit(settings, share)
        own = np.full(count, math.nan)
        factors = np.full((count, int(market is not None) + len(columns)), math.nan)
        sides: list[LimitSide | None] = [None] * count
        for before_row, row in pairwise(priced):
            if not settings.spans_gaps and row != before_row + 1:
                continue
            span = slice(before_row + 1, row + 1)
            ratio = prices[row] / prices[before_row]
            free = 0.0 if risk_free is None else _over(risk_free[span], settings.is_continuous)
            own[row] = (math.log(ratio) if settings.is_continuous else ratio - 1.0) - free
            sides[row] = limit_side(ratio - 1.0, limit)
            told = [_over(column[span], settings.is_continuous) for column in columns]
            if market is not None:
                moved = levels[row] / levels[before_row]
                told.insert(0, (math.log(moved) if settings.is_continuous else moved - 1.0) - free)
            factors[row] = told
        rows = tuple(int(row) for row in np.flatnonzero(np.isfinite(own) & np.isfinite(factors).all(axis=1)))
        dates = tuple(table.dates[row] for row in rows)
        return cls(share, market, limit, rows, dates, own, factors, tuple(sides))

    def position(self, day: dt.date) -> int | None:
        """Return which of the share's days is the first on or after ``day``."""
        found = bisect_left(self.dates, day)
        return found if found < len(self.dates) else None


def _over(returns: FloatArray, is_continuous: bool) -> float:
    """Return what returns of days in a row come to; the last of them must be there."""
    if not math.isfinite(returns[-1]):
        return math.nan
    known = returns[np.isfinite(returns)]
    if is_continuous:
        return float(np.log1p(known).sum())
    return float(np.prod(1.0 + known) - 1.0)


class _Study:
    """Holds what all events share: the estimation windows."""

    def __init__(
        self, table: WidePrices, settings: StudySettings, own: Sequence[_OwnDays], problems: ProblemList
    ) -> None:
        self.table, self.settings, self.own = table, settings, own
        self.days = sorted(settings.events)
        self.estimation = np.full((len(own), len(table.dates)), math.nan)
        self.factors = np.stack([item.factors for item in own])
        for day in self.days:
            if all(item.position(day) is None for item in own):
                problems.add("--event", day.isoformat(), f"a day of the table, up to {table.dates[-1].isoformat()}")
        for position, item in enumerate(own):
            rows = self._estimation_rows(item, problems)
            self.estimation[position, rows] = item.returns[rows]
        if len(problems):
            return
        for position, text in estimation_faults(self.estimation, self.factors, settings.model):
            problems.add(own[position].share, text, "an estimation window that the model can be fitted to")

    def _estimation_rows(self, item: _OwnDays, problems: ProblemList) -> list[int]:
        first, last = self.settings.estimation
        event = item.position(self.days[0])
        latest = min(0, *(window.first for window in self.settings.windows))
        if event is None or event + latest < 0:
            day = self.days[0].isoformat()
            found = f"no price from {day} on" if event is None else f"{event} returns before {day}"
            problems.add(item.share, found, "prices before the first event and on it")
            return []
        first_event_row = event + latest
        told = f"{first}:{last}"
        if isinstance(last, dt.date):
            end = bisect_right(item.dates, last)
            start = bisect_left(item.dates, first) if isinstance(first, dt.date) else end - first
            if not isinstance(first, dt.date) and (first < 1 or start < 0):
                problems.add("--estimation", told, f"at most the {end} days that {item.share} has up to {last}")
                return []
        elif isinstance(first, dt.date):
            expected = "two dates, two days relative to the event, or a number of days and a date"
            problems.add("--estimation", told, expected)
            return []
        else:
            start, end = event + first, event + last + 1
            if start < 0:
                problems.add("--estimation", told, f"day {-event} or later for {item.share}, whose first day it is")
                return []
        if end > first_event_row:
            problems.add("--estimation", told, f"days before the windows of the first event ({item.share})")
            return []
        return list(item.rows[start:end])

    def result(self) -> StudyResult:
        events = tuple(self._event(position) for position in range(len(self.days)))
        everything = self._abnormal([[] for _ in self.own])
        windows = [window for event in events for window in event.windows]
        share_tests = [item for window in windows for item in window.shares]
        mean_tests = [item for window in windows for item in window.tests if item.p_value is not None]
        names = tuple(name for name in ("market" if self.own[0].market else "", *self.settings.factors) if name)
        if self.settings.model in (ReturnModel.MEAN_ADJUSTED, ReturnModel.MARKET_ADJUSTED):
            names = ()
        found = sum(item.is_significant for item in share_tests)
        found_means = sum(item.p_value is not None and item.p_value < SIGNIFICANCE for item in mean_tests)
        return StudyResult(
            file=self.table.file,
            model=self.settings.model,
            factor_names=names,
            is_continuous=self.settings.is_continuous,
            shares=tuple(self._share_model(position, everything) for position in range(len(self.own))),
            residual_correlation=mean_correlation(everything.estimation) if len(self.own) > 1 else None,
            events=events,
            share_tests=len(share_tests),
            significant_share_tests=found,
            mean_tests=len(mean_tests),
            significant_mean_tests=found_means,
            verdict=_verdict(len(share_tests), found, len(mean_tests), found_means, events),
        )

    def _abnormal(self, rows: Sequence[Sequence[int | None]], shares: Sequence[int] | None = None) -> AbnormalReturns:
        """Return abnormal returns on given rows of the table, one list a share; None is a day that is not counted."""
        taken = range(len(self.own)) if shares is None else shares
        width = max((len(item) for item in rows), default=0)
        event = np.full((len(taken), width), math.nan)
        factors = np.full((len(taken), width, self.factors.shape[2]), math.nan)
        for line, (position, days) in enumerate(zip(taken, rows, strict=True)):
            for column, row in enumerate(days):
                if row is not None:
                    event[line, column] = self.own[position].returns[row]
                    factors[line, column] = self.factors[position, row]
        chosen = list(taken)
        return abnormal_returns(self.estimation[chosen], event, self.factors[chosen], factors, self.settings.model)

    def _share_model(self, position: int, everything: AbnormalReturns) -> ShareModel:
        item = self.own[position]
        rows = [row for row in item.rows if math.isfinite(self.estimation[position, row])]
        sides = [item.limits[row] for row in rows]
        limit_days = sum(side is not None for side in sides)
        censored: tuple[float, ...] | None = None
        censored_sd = None
        if limit_days and self.settings.model is not ReturnModel.MARKET_ADJUSTED:
            with self._told(item.share):
                fit = censored_regression(item.returns[rows], self._regressors(position, rows), sides)
            censored = tuple(float(value) for value in fit.coefficients)
            censored_sd = fit.residual_sd * math.sqrt(fit.days / (fit.days - len(fit.coefficients)))
        return ShareModel(
            share=item.share,
            market=item.market,
            first_day=self.table.dates[rows[0]],
            last_day=self.table.dates[rows[-1]],
            days=int(everything.estimation_days[position]),
            coefficients=tuple(float(value) for value in everything.coefficients[position]),
            residual_sd=float(everything.residual_sd[position]),
            limit_days=limit_days,
            censored_coefficients=censored,
            censored_residual_sd=censored_sd,
        )

    @contextmanager
    def _told(self, field_name: str) -> Iterator[None]:
        """Turn what a regression refuses into a problem of the table."""
        try:
            yield
        except ValueError as error:
            expected = "an estimation window with enough closes without limit"
            raise InputError([Problem(self.table.file, field_name, str(error), expected)]) from None

    def _regressors(self, position: int, rows: Sequence[int]) -> FloatArray:
        factors = self.factors[position, list(rows)]
        if self.settings.model is ReturnModel.MEAN_ADJUSTED:
            factors = factors[:, :0]
        return np.column_stack([np.ones(len(rows)), factors])

    def _event(self, number: int) -> StudyEvent:
        day = self.days[number]
        following = self.days[number + 1] if number + 1 < len(self.days) else None
        missing = tuple(item.share for item in self.own if self._zero(item, day, following) is None)
        return StudyEvent(
            date=day,
            windows=tuple(
                window for asked in self.settings.windows for window in self._window(asked, number, following)
            ),
            limit_runs=tuple(self._limit_runs(day, following)),
            missing=missing,
        )

    def _zero(self, item: _OwnDays, day: dt.date, following: dt.date | None) -> int | None:
        position = item.position(day)
        if position is None or (following is not None and item.dates[position] >= following):
            return None
        return position

    def _rows(self, item: _OwnDays, asked: Window, number: int, following: dt.date | None) -> list[int | None]:
        """Return the rows of a window, None for days that another event or the end of the table takes."""
        zero = self._zero(item, self.days[number], following)
        if zero is None:
            return [None] * (asked.last - asked.first + 1)
        before = self.days[number - 1] if number else None
        start = item.position(before) if before is not None else None
        lowest = 0 if start is None else start + 1
        end = item.position(following) if following is not None else None
        highest = len(item.rows) if end is None else end
        return [
            item.rows[zero + day] if lowest <= zero + day < highest else None
            for day in range(asked.first, asked.last + 1)
        ]

    def _window(self, asked: Window, number: int, following: dt.date | None) -> Iterator[StudyWindow]:
        rows = [self._rows(item, asked, number, following) for item in self.own]
        abnormal = self._abnormal(rows)
        everything = slice(0, asked.last - asked.first + 1)
        shares = tuple(
            self._share_window(position, days, abnormal, position)
            for position, days in enumerate(rows)
            if any(row is not None for row in days)
        )
        if not shares:
            return
        tests = significance_of(abnormal, everything) if len(shares) >= FEWEST_SHARES_TO_TEST else ()
        mean = math.fsum(item.abnormal_return for item in shares) / len(shares)
        yield StudyWindow(asked.first, asked.last, shares, mean, tests, _note(len(shares)))

    def _share_window(
        self, position: int, days: Sequence[int | None], abnormal: AbnormalReturns, line: int
    ) -> ShareWindow:
        item = self.own[position]
        total = cumulated(abnormal, slice(0, len(days)))
        value, error = float(total.value[line]), float(total.standard_error[line])
        freedom = int(abnormal.degrees_of_freedom[line])
        counted = [row for row in days if row is not None]
        limit = item.limits[counted[-1]]
        reach = critical_t(freedom, SIGNIFICANCE) * error
        p_value = two_sided_p(value / error, freedom)
        return ShareWindow(
            share=item.share,
            first_date=self.table.dates[counted[0]],
            last_date=self.table.dates[counted[-1]],
            days=len(counted),
            abnormal_return=value,
            standard_error=error,
            t_statistic=value / error,
            degrees_of_freedom=freedom,
            p_value=p_value,
            is_significant=p_value < SIGNIFICANCE,
            low=None if limit is LimitSide.LOWER else value - reach,
            high=None if limit is LimitSide.UPPER else value + reach,
            bound={None: "", LimitSide.UPPER: "at least", LimitSide.LOWER: "at most"}[limit],
            is_cut=len(counted) < len(days),
        )

    def _limit_runs(self, day: dt.date, following: dt.date | None) -> Iterator[LimitRun]:
        for position, item in enumerate(self.own):
            zero = self._zero(item, day, following)
            if zero is None or item.limits[item.rows[zero]] is None:
                continue
            rows: list[int] = []
            for row, date in zip(item.rows[zero:], item.dates[zero:], strict=True):
                if following is not None and date >= following:
                    break
                rows.append(row)
                if item.limits[row] is None:
                    break
            found = self._share_window(position, rows, self._abnormal([rows], [position]), 0)
            effect, low, high = self._effect(position, rows)
            at_limit = tuple(self.table.dates[row] for row in rows if item.limits[row] is not None)
            yield LimitRun(item.share, at_limit, found, effect, low, high, self._twin(position, rows, found))

    def _effect(self, position: int, rows: Sequence[int]) -> tuple[float | None, float | None, float | None]:
        """Return the effect of day 0's news by the censored regression over a run, with its interval."""
        item = self.own[position]
        if self.settings.model is ReturnModel.MARKET_ADJUSTED:
            return None, None, None
        before = [row for row in item.rows if math.isfinite(self.estimation[position, row])]
        taken = [*before, *rows]
        # A day without return between the window and the event keeps a limit close of the one from meeting the other.
        returns = np.concatenate([item.returns[before], [math.nan], item.returns[list(rows)]])
        regressors = self._regressors(position, taken)
        apart = np.insert(regressors, len(before), 0.0, axis=0)
        news = np.zeros(len(returns))
        news[len(before) + 1] = 1.0
        columns = np.column_stack([apart, news])
        sides = [*(item.limits[row] for row in before), None, *(item.limits[row] for row in rows)]
        with self._told(item.share):
            fit = censored_regression(returns, columns, sides)
        effect = float(fit.coefficients[-1])
        if math.isinf(effect):
            bound = bound_of_open_coefficient(returns, columns, sides, columns.shape[1] - 1)
            return (None, bound, None) if effect > 0 else (None, None, bound)
        reach = NORMAL_REACH * float(fit.standard_errors[-1])
        return effect, effect - reach, effect + reach

    def _twin(self, position: int, rows: Sequence[int], found: ShareWindow) -> TwinControl | None:
        item = self.own[position]
        name = self.settings.twins.get(item.share)
        last = item.limits[rows[-1]]
        if name is None or last is None:
            return None
        other = next(place for place, own in enumerate(self.own) if own.share == name)
        residuals = self._abnormal([[], []], [position, other]).estimation
        own, twin, sides = on_common_days(residuals[0], residuals[1], item.limits)
        with self._told(f"--twin {item.share}={name}"):
            model = fit_twin(own, twin, sides)
        first, end = self.table.dates[rows[0]], self.table.dates[rows[-1]]
        days = zip(self.own[other].rows, self.own[other].dates, strict=True)
        twin_rows = [row for row, date in days if first <= date <= end]
        if not twin_rows:
            return None
        seen = float(cumulated(self._abnormal([twin_rows], [other]), slice(0, len(twin_rows))).value[0])
        return twin_control(
            model,
            share=item.share,
            twin=name,
            twin_abnormal_return=seen,
            days=len(rows),
            bound=found.abnormal_return,
            limit=last,
        )


def _note(shares: int) -> str:
    if shares < FEWEST_SHARES_TO_TEST:
        count = "One share: there" if shares == 1 else f"{shares} shares: too few, and on the same days, so that there"
        return f"{count} is nothing to test across shares; each stands by its own t."
    return (
        "The shares' days are the same, so that their errors move together: "
        "trust 'BMP, correlated shares' before the others, for it stands that and a variance that the event raises; "
        "Brown-Warner 1985 and rank stand the first alone."
    )


def _verdict(share_tests: int, found: int, mean_tests: int, found_means: int, events: Sequence[StudyEvent]) -> str:
    if not found and not found_means:
        text = f"Nothing is significant at 5 %: {_count(share_tests, 'abnormal return')} of single shares tested"
        text += f", and {_count(mean_tests, 'test')} of means over shares." if mean_tests else "."
    else:
        text = f"Significant at 5 %: {found} of {_count(share_tests, 'abnormal return')} of single shares"
        text += f", {found_means} of {_count(mean_tests, 'test')} of means over shares." if mean_tests else "."
        if share_tests > 1:
            text += f" By chance alone {SIGNIFICANCE * share_tests:.1f} of the former would be."
    runs = [run for event in events for run in event.limit_runs]
    held = [run for run in runs if run.to_first_free_close.bound]
    if held:
        names = ", ".join(f"{run.share} on {run.to_first_free_close.last_date.isoformat()}" for run in held)
        text += f" Closed at the daily limit, so that only a bound is known: {names}."
    missing = [f"{share} on {event.date.isoformat()}" for event in events for share in event.missing]
    if missing:
        text += f" Without a price of their own: {', '.join(missing)}."
    return text


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
