"""Reads price tables and turns them into a market model and observations.

A table is a csv file with a header: ``date`` (year-month-day, ascending) and ``close``, or, for a market, ``date``
and ``return`` (a fraction). Other columns are left alone.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from coachbuilder.market.announcement.event_study import MarketModel, fit_market_model
from coachbuilder.market.announcement.interface import ListedShare, NewsEvent, Observation, TwinModel
from coachbuilder.programme.errors import ProblemList
from coachbuilder.programme.loading import read_text
from coachbuilder.programme.sections.market import LimitSide

LARGEST_TABLE_BYTES = 16 * 1024 * 1024
"""Daily prices of a century are under 2 MB."""

FEWEST_DAYS = 3
"""A line through fewer has no error."""

SMALLEST_MOVE = 1e-9
"""Returns that differ by less do not differ."""

LIMIT_TOLERANCE = 0.001
"""Limit prices are rounded to a tick and adjusted later: a close this near the limit is at it."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Daily figures of a share or a market."""

    file: str
    """Where they come from."""
    dates: tuple[dt.date, ...]
    """Trading days, ascending."""
    closes: tuple[float, ...]
    """Closes; empty where the table gives returns."""
    returns: tuple[float, ...]
    """Return of each day on the day before; the first is NaN where the table gives closes."""

    def position(self, day: dt.date) -> int | None:
        """Return where ``day`` stands, or None if it was no trading day."""
        index = bisect_left(self.dates, day)
        return index if index < len(self.dates) and self.dates[index] == day else None

    def return_on(self, day: dt.date) -> float | None:
        """Return the return of ``day``, or None if there is none."""
        index = self.position(day)
        if index is None or math.isnan(self.returns[index]):
            return None
        return self.returns[index]

    def return_over(self, after: dt.date, until: dt.date) -> float | None:
        """Return the return from the close of ``after`` to that of ``until``, or None if ``until`` was no trading day.

        Where it was shut on ``after`` its last close before that stands.
        """
        end, start = self.position(until), bisect_right(self.dates, after) - 1
        if end is None or start < 0 or end <= start:
            return None
        if self.closes:
            return self.closes[end] / self.closes[start] - 1.0
        return math.prod(1.0 + value for value in self.returns[start + 1 : end + 1]) - 1.0


def read_price_table(path: Path, problems: ProblemList) -> PriceTable | None:
    """Return a price table, or note what is wrong with it.

    Parameters
    ----------
    path
        The csv file.
    problems
        Collects a missing file, missing columns, text where a number belongs, days out of order.
    """
    text = read_text(path, problems, LARGEST_TABLE_BYTES)
    if text is None:
        return None
    before = len(problems)
    rows = list(csv.reader(text.splitlines()))
    header = [name.strip().lower() for name in rows[0]] if rows else []
    column = next((name for name in ("close", "return") if name in header), None)
    if "date" not in header or column is None:
        problems.add(
            "header", ", ".join(header), "the columns date and close, or date and return", line=1, file=path.name
        )
        return None
    date_at, number_at = header.index("date"), header.index(column)
    dates: list[dt.date] = []
    numbers: list[float] = []
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        day = _date(row[date_at] if date_at < len(row) else "")
        number = _number(row[number_at] if number_at < len(row) else "", column)
        if day is None:
            problems.add("date", _cell(row, date_at), "a day such as 2021-03-26", line=line, file=path.name)
        elif dates and day <= dates[-1]:
            problems.add("date", day.isoformat(), f"a day after {dates[-1].isoformat()}", line=line, file=path.name)
        if number is None:
            expected = "a number above 0" if column == "close" else "a number above -1"
            problems.add(column, _cell(row, number_at), expected, line=line, file=path.name)
        if day is not None and number is not None:
            dates.append(day)
            numbers.append(number)
    if len(problems) > before:
        return None
    if column == "return":
        return PriceTable(path.name, tuple(dates), (), tuple(numbers))
    returns = (math.nan, *(later / earlier - 1 for earlier, later in pairwise(numbers)))
    return PriceTable(path.name, tuple(dates), tuple(numbers), returns[: len(numbers)])


def market_model_from(
    share: PriceTable, market: PriceTable, *, last_day: dt.date, days: int, problems: ProblemList
) -> MarketModel | None:
    """Fit the market model over the last ``days`` days up to ``last_day`` on which both have a return."""
    end = bisect_right(share.dates, last_day)
    pairs = []
    for index in range(end - 1, 0, -1):
        other = market.return_over(share.dates[index - 1], share.dates[index])
        if other is not None:
            pairs.append((share.returns[index], other))
        if len(pairs) == days:
            break
    if len(pairs) < days:
        problems.add(
            "date",
            f"{len(pairs)} days with returns in both tables up to {last_day.isoformat()}",
            f"{days} days, as estimation_days says",
            file=share.file,
        )
        return None
    own_returns, market_returns = zip(*reversed(pairs), strict=True)
    if days < FEWEST_DAYS or max(market_returns) - min(market_returns) < SMALLEST_MOVE:
        found = f"{days} days on which the market moved by {max(market_returns) - min(market_returns):.2g} at most"
        problems.add("close", found, f"{FEWEST_DAYS} days or more and a market that moves", file=market.file)
        return None
    model = fit_market_model(own_returns, market_returns)
    if model.residual_sd <= 0.0:
        found = "a share that moves exactly with the market, or not at all"
        problems.add("close", found, "prices of a share, not those of the index", file=share.file)
        return None
    return model


def twin_model_from(
    own: tuple[ListedShare, PriceTable, PriceTable],
    twin: tuple[ListedShare, PriceTable, PriceTable],
    *,
    last_day: dt.date,
) -> TwinModel:
    """Regress a share's abnormal returns on its twin's, over the estimation window.

    Parameters
    ----------
    own, twin
        Each with its prices and its market.
    last_day
        Last day of the estimation window.
    """
    from coachbuilder.market.announcement.twin import fit_twin, on_common_days

    own_days, twin_days = _abnormal_by_day(*own, last_day), _abnormal_by_day(*twin, last_day)
    days = sorted({*own_days, *twin_days})
    sides = [limit_side(own[1].return_on(day) or 0.0, own[0].daily_limit_share) for day in days]
    by_day = [np.array([found.get(day, math.nan) for day in days]) for found in (own_days, twin_days)]
    return fit_twin(*on_common_days(by_day[0], by_day[1], sides))


def _abnormal_by_day(
    share: ListedShare, prices: PriceTable, market: PriceTable, last_day: dt.date
) -> dict[dt.date, float]:
    end = bisect_right(prices.dates, last_day)
    found: dict[dt.date, float] = {}
    for index in range(end - 1, 0, -1):
        day = prices.dates[index]
        other = market.return_over(prices.dates[index - 1], day)
        if other is not None and len(found) < share.estimation_days:
            found[day] = prices.returns[index] - share.alpha_per_day - share.beta * other
    return found


def observations_from(
    share_id: str,
    share: PriceTable,
    market: PriceTable,
    *,
    events: Sequence[NewsEvent],
    as_of: dt.date,
    previous_close: float,
    daily_limit_share: float | None,
    problems: ProblemList,
) -> list[Observation]:
    """Return the days of each event: its first trading day, and those after it while closes are at the limit.

    Parameters
    ----------
    share_id
        Share whose table it is.
    share, market
        Price tables.
    events
        Events by date, later ones than ``as_of`` left out.
    as_of
        Later days are not looked at.
    previous_close
        Close before the first event, in the share's currency; tables may be adjusted for dividends.
    daily_limit_share
        Exchange's limit; None if there is none.
    problems
        Collects days on which the market has no return.
    """
    found: list[Observation] = []
    scale: float | None = None
    for position, event in enumerate(events):
        until = events[position + 1].date if position + 1 < len(events) else dt.date.max
        index = bisect_left(share.dates, event.date)
        while index < len(share.dates) and share.dates[index] < until and share.dates[index] <= as_of:
            day, own = share.dates[index], share.returns[index]
            other = market.return_over(share.dates[index - 1], day) if index else None
            if other is None:
                problems.add(
                    "date", f"nothing for {day.isoformat()}", "a return on the day of an event", file=market.file
                )
                break
            before = share.closes[index - 1]
            scale = previous_close / before if scale is None else scale
            limit = limit_side(own, daily_limit_share)
            found.append(Observation(event.id, share_id, day, None, own, other, before * scale, limit))
            if limit is None:
                break
            index += 1
    return found


def limit_side(share_return: float, daily_limit_share: float | None) -> LimitSide | None:
    """Return the limit at which a day with this return closed, if any.

    Examples
    --------
    >>> limit_side(0.0999, 0.1)
    <LimitSide.UPPER: 'upper'>
    >>> limit_side(0.0999, None) is None
    True
    """
    if not daily_limit_share or abs(share_return) < daily_limit_share - LIMIT_TOLERANCE:
        return None
    return LimitSide.UPPER if share_return > 0 else LimitSide.LOWER


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def _number(text: str, column: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    floor = 0.0 if column == "close" else -1.0
    return number if math.isfinite(number) and number > floor else None


def _cell(row: Sequence[str], index: int) -> str:
    return (row[index].strip() if index < len(row) else "") or "nothing"
