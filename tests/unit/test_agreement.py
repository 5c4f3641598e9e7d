"""The zone of agreement: contracts worked out one by one, bargaining with transferable value, empty zones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.deal import DealInputs, evaluate
from coachbuilder.deal.agreement import share_of_draws_in_which_both_gain, with_terms, zone_of_agreement
from coachbuilder.deal.clauses import Clause, FeePerCar, LossesRepaid, TakeOrPay
from deal_builder import deal

FEE = FeePerCar("fee", (0.0, 6_000.0), (10_000.0, 8_000.0), 0.0)
FLOOR = TakeOrPay("floor", 0.5, 4_000.0, 1)


def contract(*clauses: Clause, **changes: Any) -> DealInputs:
    return deal(clauses=clauses or (FEE, FLOOR), **changes)


def without_friction(**changes: Any) -> DealInputs:
    """Return a deal in which money is worth the same on either side: no tax, one discount rate."""
    rates = {"brand_tax_rate": 0.0, "host_tax_rate": 0.0, "brand_discount_rate": 0.1, "host_discount_rate": 0.1}
    return contract(**(rates | changes))


def test_every_contract_of_the_map_is_that_contract_worked_out() -> None:
    inputs = contract()
    zone = zone_of_agreement(inputs, fee_steps=4, floor_steps=4)
    assert zone is not None
    for row, column in ((0, 0), (1, 3), (3, 2), (4, 4)):
        level, floor = float(zone.fee_level_shares[column]), float(zone.floor_shares[row])
        clauses = (
            FeePerCar("fee", (0.0, 6_000.0), (10_000.0 * level, 8_000.0 * level), 0.0),
            TakeOrPay("floor", floor, 4_000.0 * level, 1),
        )
        there = evaluate(replace(inputs, clauses=clauses))
        assert zone.brand_npv_cny[row, column] == pytest.approx(there.brand.npv_cny, rel=1e-12)
        assert zone.host_npv_cny[row, column] == pytest.approx(there.host.npv_cny, rel=1e-12)
    own = evaluate(inputs)
    assert zone.programme.brand_npv_cny == own.brand.npv_cny
    assert zone.programme.floor_share == 0.5
    paid = float(own.transfers_cny_by_year["fee"].sum())
    assert zone.programme.fee_cny_per_car == pytest.approx(paid / own.sales_units, rel=1e-12)


def test_without_tax_the_host_turns_where_a_straight_line_through_two_fees_does() -> None:
    inputs = without_friction()
    zone = zone_of_agreement(inputs, floor_steps=2)
    assert zone is not None
    nothing, all_of_it = (evaluate(with_terms(inputs, level, 0.5)).host.npv_cny for level in (0.0, 1.0))
    level = -nothing / (all_of_it - nothing)
    assert level > 0
    assert zone.host_least_fee_cny_per_car[1] == pytest.approx(level * zone.programme.fee_cny_per_car, rel=1e-8)
    at_turn = evaluate(with_terms(inputs, level, 0.5))
    assert at_turn.host.npv_cny == pytest.approx(0.0, abs=1e-6 * abs(nothing))


@pytest.mark.parametrize("alternative", [0.0, 50e6])
def test_bargaining_over_money_of_equal_worth_splits_the_gain_in_halves(alternative: float) -> None:
    # Nash: with transferable value both gain the same over what they can have without each other.
    zone = zone_of_agreement(without_friction(), brand_alternative_npv_cny=alternative, floor_steps=3)
    assert zone is not None
    assert not zone.is_empty
    assert zone.losing_side == ""
    assert zone.nash is not None
    half = (zone.nash.joint_npv_cny - alternative) / 2
    assert zone.nash.host_npv_cny == pytest.approx(half, rel=1e-4)
    assert zone.nash.brand_npv_cny - alternative == pytest.approx(half, rel=1e-4)


def test_money_of_equal_worth_makes_the_joint_value_the_same_at_every_contract() -> None:
    zone = zone_of_agreement(without_friction(), floor_steps=2)
    assert zone is not None
    joint = zone.brand_npv_cny + zone.host_npv_cny
    assert np.ptp(joint) <= 1e-9 * abs(joint).max()


def test_tax_and_discount_rates_make_some_contracts_worth_more_to_the_two_together() -> None:
    zone = zone_of_agreement(contract(), floor_steps=4)
    assert zone is not None
    joint = zone.brand_npv_cny + zone.host_npv_cny
    assert zone.best_joint.joint_npv_cny == pytest.approx(float(joint.max()), rel=1e-12)
    assert zone.best_joint.joint_npv_cny > zone.programme.joint_npv_cny
    assert zone.best_brand.brand_npv_cny == pytest.approx(float(zone.brand_npv_cny.max()), rel=1e-12)
    assert zone.best_host.host_npv_cny == pytest.approx(float(zone.host_npv_cny.max()), rel=1e-12)


def test_an_empty_zone_names_the_side_that_loses_everywhere() -> None:
    poor = contract(price_cny_by_month=np.full(48, 140_000.0))
    zone = zone_of_agreement(poor, floor_steps=2)
    assert zone is not None
    assert zone.is_empty
    assert zone.nash is None
    assert zone.losing_side == "brand"
    assert zone.best_brand.brand_npv_cny < 0
    assert zone.best_brand.fee_cny_per_car == 0.0
    assert set(zone.brand_highest_fee_cny_per_car) == {None}


def test_a_zone_is_empty_without_a_side_that_always_loses_where_the_two_together_lose() -> None:
    lean = without_friction()
    zone = zone_of_agreement(lean, floor_steps=2)
    assert zone is not None
    at_no_fee = float(zone.brand_npv_cny[0, 0])
    # An alternative that the brand would give up at no fee, but for less than the host needs.
    zone = zone_of_agreement(lean, brand_alternative_npv_cny=at_no_fee - 1e6, floor_steps=2)
    assert zone is not None
    assert zone.is_empty
    assert zone.losing_side == "neither"


def test_more_demand_uncertainty_makes_a_floor_felt_that_the_middle_never_feels() -> None:
    inputs = contract(demand_units_by_month=contract().demand_units_by_month * 0.8)
    spread = ((0.4, 0.5), (1.6, 0.5))
    certain = zone_of_agreement(inputs, fee_steps=2, floor_steps=2)
    mean = zone_of_agreement(inputs, demand=spread, fee_steps=2, floor_steps=2)
    assert certain is not None
    assert mean is not None
    # Half of 15,000 cars lies below what is sold at 0.8, above what is sold at 0.4 of it.
    assert certain.host_npv_cny[1, 1] == certain.host_npv_cny[0, 1]
    assert mean.host_npv_cny[1, 1] > mean.host_npv_cny[0, 1]
    by_hand = [
        evaluate(replace(inputs, demand_units_by_month=factor * inputs.demand_units_by_month)).host.npv_cny
        for factor, _ in spread
    ]
    assert mean.programme.host_npv_cny == pytest.approx(sum(by_hand) / 2, rel=1e-12)


def test_a_contract_without_take_or_pay_gets_one_for_the_map_that_costs_the_first_fee() -> None:
    zone = zone_of_agreement(contract(FEE), fee_steps=2, floor_steps=2)
    assert zone is not None
    assert zone.adds_floor
    assert zone.programme.floor_share == 0.0
    added = evaluate(contract(FEE, TakeOrPay("mine", 1.0, 10_000.0, 1)))
    same = evaluate(with_terms(contract(FEE), 1.0, 1.0))
    assert same.host.npv_cny == added.host.npv_cny


def test_without_a_fee_per_car_or_a_car_there_is_no_map() -> None:
    assert zone_of_agreement(contract(LossesRepaid("losses", 36, 0.9, 40e6))) is None
    assert zone_of_agreement(contract(FeePerCar("fee", (0.0,), (0.0,), 0.0))) is None
    assert zone_of_agreement(contract(demand_units_by_month=np.zeros(48))) is None


@settings(max_examples=12, deadline=None)
@given(
    fee=st.floats(2_000.0, 30_000.0),
    repaid=st.floats(0.0, 1.0),
    cap=st.floats(0.0, 200e6),
    price=st.floats(150_000.0, 260_000.0),
)
def test_a_higher_fee_never_helps_the_brand_and_never_harms_the_host(
    fee: float, repaid: float, cap: float, price: float
) -> None:
    inputs = contract(
        FeePerCar("fee", (0.0,), (fee,), 0.0),
        FLOOR,
        LossesRepaid("losses", 30, repaid, cap),
        price_cny_by_month=np.full(48, price),
    )
    zone = zone_of_agreement(inputs, fee_steps=6, floor_steps=2)
    assert zone is not None
    assert np.all(np.diff(zone.brand_npv_cny, axis=1) <= 1e-3)
    assert np.all(np.diff(zone.host_npv_cny, axis=1) >= -1e-3)
    both = (zone.brand_npv_cny >= 0) & (zone.host_npv_cny >= 0)
    assert not (zone.is_empty and both.any())


def test_the_share_of_draws_counts_those_in_which_neither_would_rather_not() -> None:
    brand, host = np.array([5.0, 5.0, -1.0, 5.0]), np.array([1.0, -1.0, 1.0, 0.0])
    assert share_of_draws_in_which_both_gain(brand, host) == 0.5
    assert share_of_draws_in_which_both_gain(brand, host, np.array([6.0, 0.0, 0.0, 0.0])) == 0.25
