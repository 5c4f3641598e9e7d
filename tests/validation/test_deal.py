"""The deal against closed forms of the newsvendor and against contracts as they were really carried out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from coachbuilder.deal import TimingInputs, start_of_production
from coachbuilder.deal.cashflow import internal_rates, transfers
from coachbuilder.deal.clauses import (
    CapacityReservation,
    Clause,
    Context,
    DepreciationPassedThrough,
    FeePerCar,
    LossesRepaid,
    TakeOrPay,
)


def year_of(
    sales_units: float, reserved_units: float, operating_result_cny: float = 0.0, months: int = 12, start: float = 0.0
) -> Context:
    """Return a context of even months: sales, a host that can build what is reserved, no depreciation."""
    years = -(-months // 12)
    return Context(
        sales_units=np.full(months, sales_units / 12),
        output_units=np.full(months, reserved_units / 12),
        year_index=np.arange(months) // 12,
        first_months=np.arange(years) * 12,
        last_months=np.minimum(np.arange(years) * 12 + 11, months - 1),
        start_month=start,
        contracted_capacity_units_per_year=reserved_units,
        host_depreciation_cny=np.zeros(months),
        host_operating_result_cny=np.full(months, operating_result_cny / 12),
    )


# ---------------------------------------------------------------- newsvendor

MARGIN, FEE, RESERVATION = 30_000.0, 10_000.0, 5_000.0
DEMANDS = np.arange(0, 1_000) + 0.5
"""Equally likely, so that F(R) = R / 1000."""


def best_reservation(clauses: tuple[Clause, ...]) -> int:
    """Return the whole number of reserved cars with the best mean profit over all demands, by trying."""

    def profit(demand: float, reserved: int) -> float:
        context = year_of(min(demand, reserved), reserved)
        paid = sum(float(amount.sum()) for amount in transfers(clauses, context).values())
        return MARGIN * min(demand, reserved) - paid

    def mean(reserved: int) -> float:
        return float(np.mean([profit(float(demand), reserved) for demand in DEMANDS[::8]]))

    return _maximum(mean, 1, 1_000)


def _maximum(value: Callable[[int], float], low: int, high: int) -> int:
    """Return the argument of the maximum of a concave function of whole numbers."""
    while high - low > 2:
        third = (high - low) // 3
        one, other = low + third, high - third
        if value(one) < value(other):
            low = one
        else:
            high = other
    return max(range(low, high + 1), key=value)


def test_full_take_or_pay_reserves_the_newsvendor_quantile() -> None:
    # F(R*) = (p - w) / p: every place reserved costs the fee, used or not.
    clauses = (FeePerCar("fee", (0.0,), (FEE,), 0.0), TakeOrPay("floor", 1.0, FEE, 1))
    assert best_reservation(clauses) / 1_000 == pytest.approx((MARGIN - FEE) / MARGIN, abs=0.008)


def test_a_deductible_reservation_fee_reserves_the_newsvendor_quantile() -> None:
    # F(R*) = (p - w) / (p - w + r): the reservation fee is lost only for places that are not used.
    clauses = (FeePerCar("fee", (0.0,), (FEE,), 0.0), CapacityReservation("reservation", RESERVATION, 1.0, 1.0))
    quantile = (MARGIN - FEE) / (MARGIN - FEE + RESERVATION)
    assert best_reservation(clauses) / 1_000 == pytest.approx(quantile, abs=0.008)


def test_a_reservation_fee_that_is_not_deductible_reserves_less() -> None:
    # Every place costs r, used or not, and a car leaves p - w: F(R*) = (p - w - r) / (p - w).
    clauses = (FeePerCar("fee", (0.0,), (FEE,), 0.0), CapacityReservation("reservation", RESERVATION, 1.0, 0.0))
    quantile = (MARGIN - FEE - RESERVATION) / (MARGIN - FEE)
    assert best_reservation(clauses) / 1_000 == pytest.approx(quantile, abs=0.008)


def test_without_a_floor_everything_is_reserved() -> None:
    assert best_reservation((FeePerCar("fee", (0.0,), (FEE,), 0.0),)) >= 992


def test_deductible_reservation_costs_the_brand_what_the_formula_says() -> None:
    # Paid in advance for 800 places and taken off the fee of the 500 cars built: 800 r + 500 (w - r).
    context = year_of(500.0, 800.0)
    clauses = (FeePerCar("fee", (0.0,), (FEE,), 0.0), CapacityReservation("reservation", RESERVATION, 1.0, 1.0))
    paid = sum(float(amount.sum()) for amount in transfers(clauses, context).values())
    assert paid == pytest.approx(800 * RESERVATION + 500 * (FEE - RESERVATION), rel=1e-9)
    # A floor at that price comes to the same.
    floor = TakeOrPay("floor", 1.0, RESERVATION, 1)
    assert paid == pytest.approx(
        float(sum(clause.transfers(context).sum() for clause in (clauses[0], floor))), rel=1e-9
    )


def test_textbook_cash_flow_has_two_rates_of_return() -> None:
    rates, note = internal_rates(np.array([-1000.0, 2500.0, -1540.0]))
    assert rates == pytest.approx((0.1, 0.4), abs=1e-9)
    assert note


# ---------------------------------------------------------------- NIO built by JAC, 2018-2021

# Brand's filings: operating losses repaid and all fees, CNY m. Cars: the brand's own announcements of deliveries.
LOSSES_REPAID_CNY_M = {2018: 126.4, 2019: 206.7, 2020: 65.4}
ALL_FEES_CNY_M = {2019: 440.8, 2020: 531.6, 2021: 715.1}
CARS = {2019: 20_565, 2020: 43_728, 2021: 91_429}


def test_nio_jac_losses_are_repaid_for_36_months_from_april_2018_and_no_longer() -> None:
    """The host's losses are put in as the filing gives them, and as going on at the last rate after the window."""
    yearly = [*LOSSES_REPAID_CNY_M.values(), LOSSES_REPAID_CNY_M[2020]]
    by_month = np.repeat(yearly, 12) / 12
    by_month[:12] = np.where(np.arange(12) < 3, 0.0, LOSSES_REPAID_CNY_M[2018] / 9)
    context = year_of(0.0, 0.0, months=48, start=3.0)
    losing = Context(
        **{name: getattr(context, name) for name in Context.__slots__ if name != "host_operating_result_cny"},
        host_operating_result_cny=-by_month,
    )
    paid = LossesRepaid("losses", 36, 1.0, 1e9).transfers(losing)
    assert [float(paid[12 * year : 12 * year + 12].sum()) for year in range(3)] == pytest.approx(yearly[:3])
    # In 2021 the window has three months left.
    assert paid[36:].sum() == pytest.approx(65.4 / 4)
    assert np.flatnonzero(paid).tolist() == [11, 23, 35, 47]


def test_nio_jac_fees_of_2020_follow_from_those_of_2019_and_2021() -> None:
    """A charge that does not depend on volume and a fee per car, drawn through two years, tell the year between.

    The charge stands for depreciation passed through and losses repaid together: the filings do not part them by year.
    """
    fee = (ALL_FEES_CNY_M[2021] - ALL_FEES_CNY_M[2019]) * 1e6 / (CARS[2021] - CARS[2019])
    charge = ALL_FEES_CNY_M[2019] * 1e6 - fee * CARS[2019]
    per_car = {}
    for year, cars in CARS.items():
        plain = year_of(float(cars), 100_000.0)
        context = Context(
            **{name: getattr(plain, name) for name in Context.__slots__ if name != "host_depreciation_cny"},
            host_depreciation_cny=np.full(12, charge / 12),
        )
        clauses: tuple[Clause, ...] = (
            FeePerCar("fee", (0.0,), (fee,), 0.0),
            DepreciationPassedThrough("charge", 1.0),
        )
        per_car[year] = sum(float(clause.transfers(context).sum()) for clause in clauses) / cars
    assert per_car[2020] * CARS[2020] / 1e6 == pytest.approx(ALL_FEES_CNY_M[2020], rel=0.01)
    assert [round(cny / 1e3, 1) for cny in per_car.values()] == pytest.approx([21.4, 12.2, 7.8], abs=0.1)
    assert 3_000 < fee < 5_000


def test_xpeng_haima_pays_by_car_and_nothing_for_places_not_used() -> None:
    """50,000 places a year at a monthly fee per car and no other compensation: no car, no money."""
    fee = FeePerCar("fee", (0.0,), (10_000.0,), 0.0)
    assert fee.transfers(year_of(0.0, 50_000.0)).sum() == 0.0
    assert fee.transfers(year_of(16_608.0, 50_000.0)).sum() == pytest.approx(16_608.0 * 10_000.0)


# ---------------------------------------------------------------- when


def test_first_car_around_2023_is_within_reach_of_a_usual_development_time() -> None:
    """A car of an experienced maker takes 30 to 36 months from the contract: the report's 'around 2023' fits that."""
    for months in (30.0, 36.0):
        found = start_of_production(
            TimingInputs(dt.date(2021, 3, 26), 3.0, months, 0.1, 0.1, 3.0, dt.date(2022, 9, 30), 0.0)
        )
        assert dt.date(2023, 1, 1) <= found.start_of_production_date <= dt.date(2024, 3, 31)
