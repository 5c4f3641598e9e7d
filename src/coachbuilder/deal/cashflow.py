"""Cash flows of both sides by month, and what they are worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from coachbuilder.deal.clauses import Clause, Context, LossesRepaid
from coachbuilder.deal.interface import CashLine, DealInputs, Investment, PartyResult

Vector = NDArray[np.float64]

MONTHS_PER_YEAR = 12
DAYS_PER_MONTH = 365.25 / 12
NEGLIGIBLE_SHARE = 1e-12
"""Cash of the first and the last years counts for nothing if it is no more than this share of the largest."""
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
    first_months
        First month of each year within the horizon, shape (years,).
    last_months
        Last month of each year within the horizon, shape (years,).
    """

    years: tuple[int, ...]
    year_index: NDArray[np.int64]
    first_months: NDArray[np.int64]
    last_months: NDArray[np.int64]

    @classmethod
    def of(cls, inputs: DealInputs) -> Calendar:
        """Return the calendar of a deal."""
        months = inputs.demand_units_by_month.size
        index = (inputs.first_month - 1 + np.arange(months)) // MONTHS_PER_YEAR
        years = tuple(inputs.first_year + year for year in range(int(index[-1]) + 1))
        first = np.maximum(np.arange(len(years)) * MONTHS_PER_YEAR - (inputs.first_month - 1), 0)
        return cls(years, index, first, np.append(first[1:], months) - 1)

    def by_year(self, monthly: Vector) -> Vector:
        """Return the sums by calendar year; months are the last axis."""
        sums: Vector = np.add.reduceat(monthly, self.first_months, axis=-1)
        return sums


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
    sold = []
    waiting = lost = 0.0
    for new, output in zip(demand_units.tolist(), output_units.tolist(), strict=True):
        wanted = new + waiting
        if wanted > output:
            waiting = (wanted - output) * backlog_share
            lost += wanted - output - waiting
            sold.append(output)
        else:
            waiting = 0.0
            sold.append(wanted)
    return np.array(sold), lost


def spending(investments: Sequence[Investment], start_month: float, months: int) -> tuple[Vector, Vector]:
    """Return the spending on several investments and their depreciation by month, shape (months,) each.

    What would have been spent before month 0 is spent in month 0. Depreciation runs in a straight line from the
    start of production over the useful life, as far as the horizon reaches.

    Parameters
    ----------
    investments
        What is bought.
    start_month
        Months from month 0 to the start of production.
    months
        Length of the horizon.

    Examples
    --------
    >>> tool = Investment("tool", "tool", True, 60.0, 2, 2, 5, True)
    >>> spent, depreciation = spending([tool], 3.0, 6)
    >>> spent.tolist(), depreciation.tolist()
    ([0.0, 30.0, 30.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    """
    amount = np.array([item.amount_cny for item in investments])
    spread = np.array([float(item.spread_months) for item in investments])
    life = np.array([float(item.useful_life_years * MONTHS_PER_YEAR) for item in investments])
    first = start_month - np.array([float(item.starts_months_before) for item in investments])
    end = np.arange(1.0, months + 1)
    spent = _done(amount, first, spread, end)
    worn = _done(amount, np.full(amount.size, start_month), life, end)
    # Month 0 keeps all that the clock had on it before.
    return increments(spent), increments(worn)


def _done(amount: Vector, first: Vector, months: Vector, end: Vector) -> Vector:
    """Return how much of all amounts, each spread evenly over its months, is done by the end of each month."""
    share = np.minimum(np.maximum((end - first[:, None]) / months[:, None], 0.0), 1.0)
    done: Vector = amount @ share
    return done


def increments(running: Vector) -> Vector:
    """Return what each month adds to a running sum; months are the last axis."""
    added = running.copy()
    added[..., 1:] -= running[..., :-1]
    return added


def yearly_tax(taxable_by_month: Vector, rate: float, calendar: Calendar) -> Vector:
    """Return income tax by month: paid in the last month of a year, losses carried forward without limit of time.

    Parameters
    ----------
    taxable_by_month
        Revenue less cost and depreciation, shape (..., months).
    rate
        Tax rate, fraction.
    calendar
        Months and years.
    """
    # With losses carried forward without limit, all profit taxed so far is the highest sum of income so far.
    income = calendar.by_year(taxable_by_month).cumsum(axis=-1)
    taxed = np.maximum(np.maximum.accumulate(income, axis=-1), 0.0)
    tax = np.zeros(taxable_by_month.shape)
    tax[..., calendar.last_months] = rate * increments(taxed)
    return tax


def outstanding(flow_by_month: Vector, days: float) -> Vector:
    """Return what is owed at the end of each month if every payment follows its cause by ``days``.

    Parameters
    ----------
    flow_by_month
        What falls due by month, evenly within it, shape (..., months).
    days
        Days from cause to payment.

    Examples
    --------
    >>> outstanding(np.array([100.0, 0.0, 0.0]), 1.5 * DAYS_PER_MONTH).tolist()
    [100.0, 50.0, 0.0]
    """
    months = flow_by_month.shape[-1]
    behind = days / DAYS_PER_MONTH
    owed = np.zeros(flow_by_month.shape)
    for back in range(min(math.ceil(behind), months)):
        owed[..., back:] += min(behind - back, 1.0) * flow_by_month[..., : months - back]
    return owed


def discount_factors(months: int, discount_rate: float) -> Vector:
    """Return what cash in the middle of each month is worth on the decision day, shape (months,).

    Parameters
    ----------
    months
        Length of the horizon.
    discount_rate
        Yearly rate, fraction.

    Examples
    --------
    >>> round(float(discount_factors(12, 0.21)[5]) * 1.21 ** (5.5 / 12), 12)
    1.0
    """
    factors: Vector = (1 + discount_rate) ** (-(np.arange(months) + 0.5) / MONTHS_PER_YEAR)
    return factors


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
    # What is nothing beside the rest would only spoil the polynomial's leading coefficients.
    largest = float(np.abs(cash_by_year).max())
    cash = [value / largest for value in cash_by_year.tolist() if largest > 0]
    while cash and abs(cash[-1]) <= NEGLIGIBLE_SHARE:
        cash.pop()
    while cash and abs(cash[0]) <= NEGLIGIBLE_SHARE:
        cash.pop(0)
    signs = [value > 0 for value in cash if value != 0]
    changes = sum(one != other for one, other in pairwise(signs))
    if changes == 0:
        return (), "no rate of return: the cash flow never changes its sign"
    factors = [_only_root(cash)] if changes == 1 else _positive_roots(cash)
    found: list[float] = []
    for rate in sorted(1 / factor - 1 for factor in factors):
        # A double root comes out as two that differ by rounding.
        if rate > SMALLEST_RATE and not (found and rate - found[-1] < 1e-6 * (1 + rate)):
            found.append(rate)
    if not found:
        return (), "no rate of return: the present value has the same sign at every rate that is not a near-total loss"
    if len(found) > 1:
        return tuple(found), "several rates of return: the cash flow changes its sign more than once; use the NPV"
    return tuple(found), ""


def _positive_roots(coefficients: list[float]) -> list[float]:
    """Return the positive real roots of a polynomial, coefficients in rising order, double ones perhaps twice."""
    roots = np.roots(coefficients[::-1])
    real: list[float] = roots.real[(roots.real > 0) & (np.abs(roots.imag) < 1e-6 * np.abs(roots))].tolist()
    return real


def _only_root(coefficients: list[float]) -> float:
    """Return the positive root of a polynomial whose coefficients change sign once: Newton kept within a bracket."""
    rising = coefficients[-1] > 0
    falling_order = coefficients[::-1]
    low, high, at = 0.0, math.inf, 1.0
    for _ in range(200):
        value = slope = 0.0
        for coefficient in falling_order:
            slope = slope * at + value
            value = value * at + coefficient
        if value == 0:
            break
        if (value > 0) == rising:
            high = at
        else:
            low = at
        step = at - value / slope if slope else math.inf
        if not low < step < high:
            step = 2 * at if math.isinf(high) else (low + high) / 2
        if abs(step - at) <= 1e-15 * at:
            break
        at = step
    return at


def party(
    lines: Mapping[str, Vector],
    discount_rate: float,
    calendar: Calendar,
    *,
    unused_tax_value_cny: float,
    npv_cny: float | None = None,
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
    unused_tax_value_cny
        Tax that losses not yet set off would save.
    npv_cny
        Net present value if it is not that of the lines at ``discount_rate``: the joint value is a sum of two.
    """
    monthly = np.array(list(lines.values()))
    yearly = calendar.by_year(monthly)
    cash, by_year = monthly.sum(axis=0), yearly.sum(axis=0)
    cumulative = np.cumsum(by_year)
    rates, note = internal_rates(by_year)
    return PartyResult(
        npv_cny=float(cash @ discount_factors(cash.size, discount_rate)) if npv_cny is None else npv_cny,
        irr_shares=rates,
        irr_note=note,
        payback_year=_payback_year(cumulative, calendar.years),
        peak_cash_need_cny=float(max(0.0, -np.cumsum(cash).min())),
        unused_tax_value_cny=unused_tax_value_cny,
        lines=tuple(CashLine(name, line) for name, line in zip(lines, yearly, strict=True)),
        cash_cny_by_year=by_year,
        cumulative_cash_cny_by_year=cumulative,
        cash_cny_by_month=cash,
    )


def _payback_year(cumulative: Vector, years: tuple[int, ...]) -> int | None:
    below = np.flatnonzero(cumulative < 0)
    if below.size == 0:
        return years[0]
    return years[int(below[-1]) + 1] if below[-1] + 1 < cumulative.size else None


def transfers(clauses: Sequence[Clause], context: Context) -> dict[str, Vector]:
    """Return what the brand pays the host by clause; clauses on losses see what the others pay.

    Parameters
    ----------
    clauses
        The contract.
    context
        What clauses may look at, with the host's result before any transfer.
    """
    paid = {clause.id: clause.transfers(context) for clause in clauses if not isinstance(clause, LossesRepaid)}
    for clause in clauses:
        if isinstance(clause, LossesRepaid):
            result = sum(paid.values(), context.host_operating_result_cny)
            paid[clause.id] = clause.transfers(replace(context, host_operating_result_cny=result))
    return paid
