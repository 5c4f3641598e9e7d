"""Cash flows of both sides by month, and what they are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.deal.clauses import Context, LossesRepaid
from coachbuilder.deal.interface import CashLine, DealInputs, Investment, PartyResult

Vector = NDArray[np.float64]

MONTHS_PER_YEAR = 12
DAYS_PER_MONTH = 365.25 / 12
SMALLEST_RATE = -0.99
"""Rates of return at or below this are not told: nearly all is lost."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Months of the horizon and their calendar years.

    Parameters
    ----------
    years
        Calendar years touched, ascending.
    year_index
        Calendar year of each month, from 0, shape (months,).
    """

    years: tuple[int, ...]
    year_index: NDArray[np.int64]

    @classmethod
    def of(cls, inputs: DealInputs) -> Calendar:
        """Return the calendar of a deal."""
        month = inputs.first_month - 1 + np.arange(inputs.demand_units_by_month.size)
        index = month // MONTHS_PER_YEAR
        return cls(tuple(inputs.first_year + int(year) for year in range(int(index[-1]) + 1)), index)

    def by_year(self, monthly: Vector) -> Vector:
        """Return the sums by calendar year."""
        return np.bincount(self.year_index, monthly, len(self.years))


def sales_by_month(demand_units: Vector, output_units: Vector, backlog_share: float) -> tuple[Vector, float]:
    """Return cars sold by month and all demand lost: the smaller of demand with backlog and output.

    Parameters
    ----------
    demand_units
        New buyers by month.
    output_units
        Cars that the plant can build by month.
    backlog_share
        Share of the buyers not served in a month who wait for the next.

    Examples
    --------
    >>> sold, lost = sales_by_month(np.array([10.0, 10.0, 0.0]), np.array([5.0, 10.0, 10.0]), 0.5)
    >>> sold.tolist(), lost
    ([5.0, 10.0, 1.25], 3.75)
    """
    sold = np.empty_like(demand_units)
    waiting = lost = 0.0
    for month, (new, output) in enumerate(zip(demand_units.tolist(), output_units.tolist(), strict=True)):
        wanted = new + waiting
        served = min(wanted, output)
        sold[month] = served
        waiting = (wanted - served) * backlog_share
        lost += (wanted - served) - waiting
    return sold, lost


def spending(investment: Investment, start_month: float, months: int) -> tuple[Vector, Vector]:
    """Return an investment's spending and depreciation by month.

    What would have been spent before month 0 is spent in month 0. Depreciation runs in a straight line from the
    start of production over the useful life, as far as the horizon reaches.

    Parameters
    ----------
    investment
        What is bought.
    start_month
        Months from month 0 to the start of production.
    months
        Length of the horizon.
    """
    first = start_month - investment.starts_months_before
    spent = _evenly(investment.amount_cny, first, first + investment.spread_months, months)
    spent[0] += investment.amount_cny * min(1.0, max(0.0, -first / investment.spread_months))
    life = investment.useful_life_years * MONTHS_PER_YEAR
    return spent, _evenly(investment.amount_cny, start_month, start_month + life, months)


def _evenly(amount: float, start: float, end: float, months: int) -> Vector:
    """Return ``amount`` spread evenly from month ``start`` to ``end``, cut to the horizon."""
    edges = np.clip(np.arange(months + 1), start, end)
    return amount * np.diff(edges) / (end - start)


def yearly_tax(taxable_by_month: Vector, rate: float, calendar: Calendar) -> Vector:
    """Return income tax by month: paid in the last month of a year, losses carried forward without limit of time.

    Parameters
    ----------
    taxable_by_month
        Revenue less cost and depreciation, shape (months,).
    rate
        Tax rate, fraction.
    calendar
        Months and years.
    """
    tax = np.zeros(taxable_by_month.size)
    last_month = np.append(np.flatnonzero(np.diff(calendar.year_index)), taxable_by_month.size - 1)
    carried = 0.0
    for month, income in zip(last_month.tolist(), calendar.by_year(taxable_by_month).tolist(), strict=True):
        base = income + carried
        carried = min(base, 0.0)
        tax[month] = rate * max(base, 0.0)
    return tax


def present_value(cash_by_month: Vector, discount_rate: float) -> float:
    """Return the net present value on the decision day of cash in the middle of each month.

    Parameters
    ----------
    cash_by_month
        Cash, shape (months,).
    discount_rate
        Yearly rate, fraction.
    """
    time_years = (np.arange(cash_by_month.size) + 0.5) / MONTHS_PER_YEAR
    return float(np.dot(cash_by_month, (1 + discount_rate) ** -time_years))


def internal_rates(cash_by_year: Vector) -> tuple[tuple[float, ...], str]:
    """Return all internal rates of return of a yearly cash flow, and a note unless there is exactly one.

    The rates are the real roots of the net present value as a polynomial in 1 / (1 + rate).

    Parameters
    ----------
    cash_by_year
        Cash at the end of years 0, 1, ..., shape (years,).

    Examples
    --------
    >>> rates, note = internal_rates(np.array([-1000.0, 2500.0, -1540.0]))
    >>> [round(rate, 9) for rate in rates]
    [0.1, 0.4]
    """
    cash = np.trim_zeros(cash_by_year)
    if cash.size < 2 or not (cash.min() < 0 < cash.max()):
        return (), "no rate of return: the cash flow never changes its sign"
    roots = np.roots(cash[::-1])
    real = roots[np.abs(roots.imag) < 1e-7 * np.maximum(1.0, np.abs(roots))].real
    rates = sorted(1 / root - 1 for root in real.tolist() if root > 0)
    found: list[float] = []
    for rate in rates:
        if rate > SMALLEST_RATE and not any(abs(rate - other) < 1e-9 for other in found):
            found.append(rate)
    if not found:
        return (), "no rate of return: the present value has the same sign at every rate"
    if len(found) > 1:
        return tuple(found), "several rates of return: the cash flow changes its sign more than once; use the NPV"
    return tuple(found), ""


def party(
    lines: Mapping[str, Vector], discount_rate: float, calendar: Calendar, npv_cny: float | None = None
) -> PartyResult:
    """Return what a side gets out of its lines of cash.

    Parameters
    ----------
    lines
        Cash by month by line; positive comes in.
    discount_rate
        Yearly rate, fraction.
    calendar
        Months and years.
    npv_cny
        Net present value if it is not that of the lines at ``discount_rate``: the joint value is a sum of two.
    """
    cash = np.sum(list(lines.values()), axis=0)
    by_year = calendar.by_year(cash)
    cumulative = np.cumsum(by_year)
    rates, note = internal_rates(by_year)
    return PartyResult(
        npv_cny=present_value(cash, discount_rate) if npv_cny is None else npv_cny,
        irr_shares=rates,
        irr_note=note,
        payback_year=_payback_year(cumulative, calendar.years),
        peak_cash_need_cny=float(max(0.0, -np.cumsum(cash).min())),
        lines=tuple(CashLine(name, calendar.by_year(line)) for name, line in lines.items()),
        cash_cny_by_year=by_year,
        cumulative_cash_cny_by_year=cumulative,
        cash_cny_by_month=cash,
    )


def _payback_year(cumulative: Vector, years: tuple[int, ...]) -> int | None:
    below = np.flatnonzero(cumulative < 0)
    if below.size == 0:
        return years[0]
    return years[int(below[-1]) + 1] if below[-1] + 1 < cumulative.size else None


def transfers(inputs: DealInputs, context: Context) -> dict[str, Vector]:
    """Return what the brand pays the host by clause; clauses on losses see what the others pay.

    Parameters
    ----------
    inputs
        The deal.
    context
        What clauses may look at, with the host's result before any transfer.
    """
    from dataclasses import replace

    paid: dict[str, Vector] = {}
    result = context.host_operating_result_cny
    for clause in sorted(inputs.clauses, key=lambda item: isinstance(item, LossesRepaid)):
        amount = clause.transfers(replace(context, host_operating_result_cny=result))
        paid[clause.id] = amount
        result = result + amount
    return paid
