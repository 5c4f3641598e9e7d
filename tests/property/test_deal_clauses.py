"""What must hold for every contract, whatever its clauses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.deal import DealInputs, evaluate
from coachbuilder.deal.cashflow import set_off, transfers
from coachbuilder.deal.clauses import (
    CapacityReservation,
    Context,
    FeePerCar,
    LossesRepaid,
)
from deal_strategies import deals, real

FEW = settings(max_examples=30, deadline=None, derandomize=True)


@FEW
@given(deals())
def test_cash_between_the_two_cancels_and_years_are_the_sums_of_their_months(inputs: DealInputs) -> None:
    result = evaluate(inputs)
    year = (inputs.first_month - 1 + np.arange(inputs.demand_units_by_month.size)) // 12
    for clause in result.clauses:
        by_year = np.bincount(year, weights=clause.transfer_cny_by_month)
        own = 0.0
        if clause.kind == "engineering consultancy":
            own = by_year - clause.host_cny_by_year
        assert clause.brand_cny_by_year == pytest.approx(-by_year, rel=1e-9, abs=1e-3)
        assert clause.brand_cny_by_year + clause.host_cny_by_year + own == pytest.approx(
            np.zeros(by_year.size), abs=1e-3
        )
        assert result.transfers_cny_by_year[clause.id] == pytest.approx(by_year, rel=1e-9, abs=1e-3)
    lines = {line.name: line.cny_by_year for line in result.joint.lines}
    assert lines["brand: paid to the host"] + lines["host: received from the brand"] == pytest.approx(
        np.zeros(len(result.years)), abs=1e-3
    )
    for party in (result.brand, result.host):
        assert np.bincount(year, weights=party.cash_cny_by_month) == pytest.approx(
            party.cash_cny_by_year, rel=1e-9, abs=1e-2
        )


@FEW
@given(deals())
def test_repayments_pass_neither_cap_nor_loss(inputs: DealInputs) -> None:
    result = evaluate(inputs)
    clause = next(clause for clause in inputs.clauses if isinstance(clause, LossesRepaid))
    repaid = result.transfers_cny_by_year["losses"]
    lines = {line.name: line.cny_by_year for line in result.host.lines}
    others = sum(paid for name, paid in result.transfers_cny_by_year.items() if name != "losses")
    costs = sum(
        lines.get(name, 0.0)
        for name in (
            "labour",
            "energy and consumables",
            "rework",
            "fixed cost for the guest",
            "cost of what clauses ask for",
        )
    )
    # Depreciation is a loss too: the host's line of 200 m wears over five years from the start.
    ends = np.arange(1, inputs.demand_units_by_month.size + 1) - inputs.start_month
    worn = 200e6 * np.clip(ends / 60, 0.0, 1.0)
    worn[1:] -= worn[:-1].copy()
    year = (inputs.first_month - 1 + np.arange(worn.size)) // 12
    loss = np.maximum(-(others + costs - np.bincount(year, weights=worn)), 0.0)
    assert (repaid >= 0).all()
    assert repaid.sum() <= clause.cap_cny * (1 + 1e-12)
    assert (repaid <= clause.cap_cny_per_year * (1 + 1e-12)).all()
    assert (repaid <= loss * (1 + 1e-9) + 1e-3).all()


@FEW
@given(deals(), st.randoms(use_true_random=False))
def test_the_order_of_the_clauses_does_not_matter(inputs: DealInputs, random: Any) -> None:
    shuffled = list(inputs.clauses)
    random.shuffle(shuffled)
    one, other = evaluate(inputs), evaluate(replace(inputs, clauses=tuple(shuffled)))
    assert other.brand.npv_cny == pytest.approx(one.brand.npv_cny, rel=1e-9, abs=1e-2)
    assert other.host.npv_cny == pytest.approx(one.host.npv_cny, rel=1e-9, abs=1e-2)


@FEW
@given(deals())
def test_shares_move_the_joint_value_only_by_rates_and_what_is_counted(inputs: DealInputs) -> None:
    alike = replace(inputs, host_discount_rate=inputs.brand_discount_rate)
    result = evaluate(alike)
    assert result.joint.outside_cash_npv_cny == pytest.approx(0.0, abs=1e-3)
    assert result.host.outside_cash_npv_cny >= 0


@FEW
@given(real(0, 5e3), real(0, 1), st.lists(real(0, 400), min_size=24, max_size=24))
def test_a_reservation_costs_no_less_than_nothing_and_no_more_than_its_fee(
    fee: float, deductible: float, cars: list[float]
) -> None:
    sales = np.array(cars)
    context = Context(
        sales_units=sales,
        output_units=np.full(24, 400.0),
        year_index=np.arange(24) // 12,
        first_months=np.array([0, 12]),
        last_months=np.array([11, 23]),
        start_month=0.0,
        contracted_capacity_units_per_year=2_400.0,
        host_depreciation_cny=np.zeros(24),
        host_operating_result_cny=np.zeros(24),
    )
    per_car = FeePerCar("fee", (0.0,), (2_000.0,), 0.0)
    paid = transfers((per_car, CapacityReservation("places", fee, 1.0, deductible)), context)["places"]
    for year in (slice(0, 12), slice(12, 24)):
        used = min(sales[year].sum(), 2_400.0)
        largest = min(deductible * fee * used, 2_000.0 * sales[year].sum())
        assert paid[year].sum() >= fee * 2_400 - largest - 1e-6
        assert paid[year].sum() <= fee * 2_400 + 1e-6


@FEW
@given(st.lists(real(-1e3, 1e3), min_size=2, max_size=12), st.integers(1, 12))
def test_losses_set_off_are_neither_made_nor_used_twice(income: list[float], years: int) -> None:
    flow = np.array(income)
    taxed, left = set_off(flow, years)
    losses, profits = -flow[flow < 0].sum(), flow[flow > 0].sum()
    assert (taxed >= 0).all()
    used = profits - taxed.sum()
    assert -1e-9 <= used <= losses + 1e-9
    assert float(left) <= losses - used + 1e-9
    # A longer time for losses never makes for more tax.
    assert set_off(flow, years + 1)[0].sum() <= taxed.sum() + 1e-9
