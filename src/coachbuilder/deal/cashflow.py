"""Cash flows of both sides by month, and what they are worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.deal.clauses import Beside, Clause, Context, LooksAt
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
        months = inputs.demand_units_by_month.shape[-1]
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
        New buyers by month, shape (..., months).
    output_units
        Cars that the plant can build by month, shape (..., months).
    backlog_share
        Share of the buyers not served in a month who wait for the next.

    Examples
    --------
    >>> sold, lost = sales_by_month(np.array([10.0, 10.0, 0.0]), np.array([5.0, 10.0, 10.0]), 0.5)
    >>> sold.tolist(), lost
    ([5.0, 10.0, 1.25], 3.75)
    """
    # Plain numbers are faster than arrays of one.
    one = demand_units.ndim == 1
    smaller: Any = min if one else np.minimum
    new_by_month: Any = demand_units.tolist() if one else np.moveaxis(demand_units, -1, 0).copy()
    output_by_month: Any = output_units.tolist() if one else np.moveaxis(output_units, -1, 0).copy()
    waiting_share: Any = backlog_share if np.ndim(backlog_share) == 0 else np.squeeze(backlog_share, axis=-1)
    sold = []
    waiting: Any = 0.0
    lost: Any = 0.0
    for new, output in zip(new_by_month, output_by_month, strict=True):
        wanted = new + waiting
        served = smaller(wanted, output)
        unserved = wanted - served
        waiting = unserved * waiting_share
        lost = lost + (unserved - waiting)
        sold.append(served)
    return np.ascontiguousarray(np.moveaxis(np.array(sold), 0, -1)), lost


def spending(investments: Sequence[Investment], start_month: float, months: int) -> tuple[Vector, Vector]:
    """Return the spending on several investments and their depreciation by month, shape (..., months) each.

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
    since_start = np.arange(1.0, months + 1) - start_month
    spent = worn = np.zeros(months)
    for item in investments:
        spent = spent + item.amount_cny * _done(since_start + item.starts_months_before, item.spread_months)
        worn = worn + item.amount_cny * _done(since_start, item.useful_life_years * MONTHS_PER_YEAR)
    # Month 0 keeps all that the clock had on it before.
    return increments(spent), increments(worn)


def _done(months_since: Vector, months: int) -> Vector:
    """Return how much of what is spread evenly over some months is done so many months after its beginning."""
    done: Vector = np.minimum(np.maximum(months_since / months, 0.0), 1.0)
    return done


def increments(running: Vector) -> Vector:
    """Return what each month adds to a running sum; months are the last axis."""
    added = running.copy()
    added[..., 1:] -= running[..., :-1]
    return added


def yearly_tax(
    taxable_by_month: Vector, rate: float, calendar: Calendar, carry_forward_years: int | None = None
) -> Vector:
    """Return income tax by month: paid in the last month of a year, losses carried forward.

    Parameters
    ----------
    taxable_by_month
        Revenue less cost and depreciation, shape (..., months).
    rate
        Tax rate, fraction.
    calendar
        Months and years.
    carry_forward_years
        Years after that of the loss in which it may be set off; None for any.
    """
    income = calendar.by_year(taxable_by_month)
    tax = np.zeros(taxable_by_month.shape)
    if carry_forward_years is None or carry_forward_years >= income.shape[-1] - 1:
        # With losses carried forward without limit, all profit taxed so far is the highest sum of income so far.
        taxed = increments(np.maximum(np.maximum.accumulate(income.cumsum(axis=-1), axis=-1), 0.0))
    else:
        taxed, _ = set_off(income, carry_forward_years)
    tax[..., calendar.last_months] = rate * taxed
    return tax


def set_off(income: Vector, carry_forward_years: int) -> tuple[Vector, Vector]:
    """Return the income taxed by year and the losses that can still be set off after the last, oldest losses first.

    Parameters
    ----------
    income
        Taxable income by year, shape (..., years).
    carry_forward_years
        Years after that of the loss in which it may be set off.

    Examples
    --------
    >>> taxed, left = set_off(np.array([-10.0, -5.0, 4.0, 6.0]), 2)
    >>> taxed.tolist(), left.tolist()
    ([0.0, 0.0, 0.0, 1.0], 0.0)
    """
    if income.ndim == 1:
        return _set_off_one(income.tolist(), carry_forward_years)
    losses = np.maximum(-income, 0.0)
    taxed = np.maximum(income, 0.0)
    for year in range(1, income.shape[-1]):
        for loss_year in range(max(year - carry_forward_years, 0), year):
            used = np.minimum(losses[..., loss_year], taxed[..., year])
            losses[..., loss_year] -= used
            taxed[..., year] -= used
    # Of the last years' losses those count that next year's profit could still take.
    return taxed, losses[..., -carry_forward_years:].sum(axis=-1)


def _set_off_one(income: list[float], carry_forward_years: int) -> tuple[Vector, Vector]:
    """Do the same for a single course of years: a draw has no other, and plain numbers are faster than short arrays."""
    losses = [max(-each, 0.0) for each in income]
    taxed = [max(each, 0.0) for each in income]
    for year in range(1, len(income)):
        for loss_year in range(max(year - carry_forward_years, 0), year):
            used = min(losses[loss_year], taxed[year])
            losses[loss_year] -= used
            taxed[year] -= used
    return np.array(taxed), np.array(losses[-carry_forward_years:]).sum(axis=-1)


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
    behind = np.asarray(days / DAYS_PER_MONTH)
    owed = np.zeros(np.broadcast_shapes(flow_by_month.shape, behind.shape))
    reach = min(math.ceil(behind.max()), months)
    part = np.minimum(np.maximum(behind - np.arange(reach), 0.0), 1.0)
    for back in range(reach):
        owed[..., back:] += part[..., back : back + 1] * flow_by_month[..., : months - back]
    return owed


def discount_factors(months: int, discount_rate: float) -> Vector:
    """Return what cash in the middle of each month is worth on the decision day, shape (..., months).

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


def weighted(by_month: Vector, weights: Vector) -> Vector:
    """Return the sum over the months of amounts times weights, shape (...).

    Parameters
    ----------
    by_month
        Amounts, shape (..., months).
    weights
        Discount factors or shares, shape (..., months).
    """
    total: Vector = by_month @ weights if weights.ndim == 1 else np.einsum("...m,...m->...", by_month, weights)
    return total


def present_value(cash_by_month: Vector, discount_rate: float) -> Vector:
    """Return what cash by month is worth on the decision day, shape (...).

    Parameters
    ----------
    cash_by_month
        Cash, shape (..., months).
    discount_rate
        Yearly rate, fraction.
    """
    return weighted(cash_by_month, discount_factors(cash_by_month.shape[-1], discount_rate))


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
    npv_cny: float,
    unused_tax_value_cny: float,
    outside_cash_npv_cny: float = 0.0,
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
        Its net present value, all included.
    unused_tax_value_cny
        Tax that losses not yet set off would save.
    outside_cash_npv_cny
        Value of what is no cash; part of the net present value.
    """
    monthly = np.array(list(lines.values()))
    yearly = calendar.by_year(monthly)
    cash = monthly.sum(axis=0)
    return _result(
        tuple(CashLine(name, line) for name, line in zip(lines, yearly, strict=True)),
        cash,
        yearly.sum(axis=0),
        discount_rate,
        calendar,
        npv_cny=npv_cny,
        unused_tax_value_cny=unused_tax_value_cny,
        outside_cash_npv_cny=outside_cash_npv_cny,
    )


def both(brand: PartyResult, host: PartyResult, discount_rate: float, calendar: Calendar) -> PartyResult:
    """Return the two sides as one: lines and values add up.

    Parameters
    ----------
    brand, host
        The two sides, each valued at its own rate.
    discount_rate
        Yearly rate of the modified rate of return, fraction.
    calendar
        Months and years.
    """
    return _result(
        tuple(
            CashLine(f"{side}: {line.name}", line.cny_by_year)
            for side, party in (("brand", brand), ("host", host))
            for line in party.lines
        ),
        brand.cash_cny_by_month + host.cash_cny_by_month,
        brand.cash_cny_by_year + host.cash_cny_by_year,
        discount_rate,
        calendar,
        npv_cny=brand.npv_cny + host.npv_cny,
        unused_tax_value_cny=brand.unused_tax_value_cny + host.unused_tax_value_cny,
        outside_cash_npv_cny=brand.outside_cash_npv_cny + host.outside_cash_npv_cny,
    )


def _result(
    lines: tuple[CashLine, ...],
    cash: Vector,
    by_year: Vector,
    discount_rate: float,
    calendar: Calendar,
    *,
    npv_cny: float,
    unused_tax_value_cny: float,
    outside_cash_npv_cny: float,
) -> PartyResult:
    cumulative = np.cumsum(by_year)
    rates, note = internal_rates(by_year)
    running = np.cumsum(cash)
    lowest = int(np.argmin(running))
    return PartyResult(
        npv_cny=npv_cny,
        irr_shares=rates,
        irr_note=note,
        payback_year=_payback_year(cumulative, calendar.years),
        peak_cash_need_cny=float(max(0.0, -running[lowest])),
        unused_tax_value_cny=unused_tax_value_cny,
        lines=lines,
        cash_cny_by_year=by_year,
        cumulative_cash_cny_by_year=cumulative,
        cash_cny_by_month=cash,
        mirr_share=modified_rate(by_year, discount_rate, discount_rate),
        mirr_note="" if len(rates) == 1 else note,
        payback_month=_payback_month(running),
        peak_cash_month=lowest + 1 if running[lowest] < 0 else None,
        outside_cash_npv_cny=outside_cash_npv_cny,
    )


def modified_rate(cash_by_year: Vector, finance_rate: float, reinvestment_rate: float) -> float | None:
    """Return the modified internal rate of return; None if the cash flow never changes its sign.

    ``(future value of inflows at the reinvestment rate / present value of outflows at the finance rate)^(1 / n) - 1``.

    Parameters
    ----------
    cash_by_year
        Cash at the end of years 0, 1, ..., n, shape (n + 1,).
    finance_rate
        Yearly rate at which outflows are financed.
    reinvestment_rate
        Yearly rate at which inflows earn until the last year.

    Examples
    --------
    >>> round(modified_rate(np.array([-100.0, 60.0, 60.0]), 0.1, 0.1), 6)
    0.122497
    """
    years = np.arange(cash_by_year.size)
    out = -np.minimum(cash_by_year, 0.0) @ (1 + finance_rate) ** -years
    back = np.maximum(cash_by_year, 0.0) @ (1 + reinvestment_rate) ** (years[-1] - years)
    if out <= 0 or back <= 0 or years.size < 2:
        return None
    rate = float((back / out) ** (1 / years[-1]) - 1)
    return rate if math.isfinite(rate) else None


def _payback_month(running: Vector) -> int | None:
    below = np.flatnonzero(running < 0)
    if below.size == 0:
        return 1
    return int(below[-1]) + 2 if below[-1] + 1 < running.size else None


def _payback_year(cumulative: Vector, years: tuple[int, ...]) -> int | None:
    below = np.flatnonzero(cumulative < 0)
    if below.size == 0:
        return years[0]
    return years[int(below[-1]) + 1] if below[-1] + 1 < cumulative.size else None


def transfers(clauses: Sequence[Clause], context: Context) -> dict[str, Vector]:
    """Return what the brand pays the host by clause; a clause sees what those before it in order of look pay.

    Parameters
    ----------
    clauses
        The contract.
    context
        What clauses may look at, with the host's result before any transfer.
    """
    paid: dict[str, Vector] = {}
    waiting = [clause for clause in clauses if clause.looks_at is not LooksAt.PROGRAMME]
    for clause in clauses:
        if clause.looks_at is LooksAt.PROGRAMME:
            paid[clause.id] = clause.transfers(context)
    if not waiting:
        return paid
    fees = [paid[clause.id] for clause in clauses if clause.is_fee]
    context = replace(context, fees_cny=sum(fees[1:], fees[0]) if fees else None)
    for clause in sorted(waiting, key=lambda clause: clause.looks_at):
        if clause.looks_at is LooksAt.RESULT:
            result = sum(paid.values(), context.host_operating_result_cny)
            paid[clause.id] = clause.transfers(replace(context, host_operating_result_cny=result))
        else:
            paid[clause.id] = clause.transfers(context)
    return paid


def beside(clauses: Sequence[Clause], context: Context) -> dict[str, Beside]:
    """Return what clauses do beside moving cash between the sides, by clause; most do nothing.

    Parameters
    ----------
    clauses
        The contract.
    context
        What clauses may look at.
    """
    found = {clause.id: clause.beside(context) for clause in clauses}
    return {name: item for name, item in found.items() if item is not None}
