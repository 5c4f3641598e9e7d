"""The deal: a programme worked out by hand, clause by clause, timing, and what the section's numbers do."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

import deal_builder as builder
from coachbuilder.deal import (
    DealInputs,
    TimingInputs,
    check,
    evaluate,
    start_of_production,
    timing_inputs_from,
)
from coachbuilder.deal.cashflow import (
    DAYS_PER_MONTH,
    Calendar,
    internal_rates,
    outstanding,
    sales_by_month,
    spending,
    yearly_tax,
)
from coachbuilder.deal.clauses import Context, DepreciationPassedThrough, FeePerCar, LossesRepaid, TakeOrPay
from coachbuilder.programme.assumption import Assumption
from coachbuilder.programme.errors import InputError
from coachbuilder.programme.sections.deal import DealSection

deal, investment, own_plant, SECTION = builder.deal, builder.investment, builder.own_plant, builder.SECTION
programme, inputs_of = builder.programme, builder.inputs_of


def by_name(party: Any) -> dict[str, list[float]]:
    return {line.name: line.cny_by_year.tolist() for line in party.lines}


# ---------------------------------------------------------------- a programme worked out by hand


def two_years_by_hand() -> DealInputs:
    """100 cars a month for two calendar years from today on, no price ever changing."""
    months = 24
    return deal(
        months,
        start_month=0.0,
        demand_units_by_month=np.full(months, 100.0),
        guest_output_units_by_month=np.full(months, 100.0),
        resident_units_lost_by_month=np.full(months, 10.0),
        price_cny_by_month=np.full(months, 226_000.0),
        sales_margin_share=0.1,
        credit_cny_per_car=1_000.0,
        credit_change_rate=0.0,
        parts_cost_by_item_cny={"battery_pack": 50_000.0, "body": 70_000.0},
        pack_price_change_rate=0.0,
        parts_price_change_rate=0.0,
        assembly_hours_per_car=6.0,
        body_shop_hours=2.0,
        paint_shop_hours=2.0,
        indirect_hours_share=0.5,
        wage_cny_per_h=60.0,
        wage_change_rate=0.0,
        energy_and_consumables_cny=1_100.0,
        logistics_cny=3_000.0,
        warranty_share=0.02,
        rework_cny=1_000.0,
        first_pass_yield=0.9,
        investments=(
            investment("tools", 24e6, before=0, spread=12, life=2),
            investment("line", 12e6, by_brand=False, before=10, spread=10, life=4),
        ),
        clauses=(FeePerCar("fee", (0.0, 600.0), (10_000.0, 8_000.0), 0.0),),
        resident_contribution_cny_per_car=5_000.0,
        host_fixed_cost_cny_per_year=1.2e6,
        brand_fixed_cost_cny_per_year=20e6,
        brand_fixed_cost_change_rate=0.0,
        inventory_days=DAYS_PER_MONTH,
        payable_days=2 * DAYS_PER_MONTH,
        fee_payable_days=DAYS_PER_MONTH,
        brand_discount_rate=0.10,
        host_discount_rate=0.08,
        brand_tax_rate=0.25,
        host_tax_rate=0.25,
    )


def test_lines_of_both_sides_are_those_worked_out_by_hand() -> None:
    result = evaluate(two_years_by_hand())
    # A car: 226,000 / 1.13 = 200,000 without tax; 180,000 after selling; 181,000 with the credit. 1,200 cars a year.
    # Fees of a year: 600 x 10,000 + 600 x 8,000 = 10.8 m. Labour (6 + 2 + 2) x 1.5 x 60 = 900 a car.
    # Brand's profit 217.2 - 144 - 3.6 - 4.8 - 20 - 10.8 - 12 (depreciation) = 22.0 m, a quarter of it tax.
    # Host's profit 10.8 - 1.08 - 1.32 - 0.12 - 1.2 - 0.6 - 3 (depreciation) = 3.48 m.
    # Working capital at the end of month 11: stock 12.3 m, owed for parts 24 m, owed to the host 0.8 m.
    brand = {
        "net revenue": [217.2, 217.2],
        "parts": [-144.0, -144.0],
        "logistics": [-3.6, -3.6],
        "warranty": [-4.8, -4.8],
        "brand's fixed cost": [-20.0, -20.0],
        "paid to the host": [-10.8, -10.8],
        "investment": [-24.0, 0.0],
        "working capital": [12.5, -12.5],
        "income tax": [-5.5, -5.5],
    }
    host = {
        "received from the brand": [10.8, 10.8],
        "labour": [-1.08, -1.08],
        "energy and consumables": [-1.32, -1.32],
        "rework": [-0.12, -0.12],
        "fixed cost for the guest": [-1.2, -1.2],
        "displaced resident cars": [-0.6, -0.6],
        "investment": [-12.0, 0.0],
        "working capital": [-0.8, 0.8],
        "income tax": [-0.87, -0.87],
    }
    for party, expected in ((result.brand, brand), (result.host, host)):
        assert by_name(party).keys() == expected.keys()
        for name, millions in expected.items():
            assert by_name(party)[name] == pytest.approx([value * 1e6 for value in millions], abs=1e-3), name
    assert result.years == (2022, 2023)
    assert result.sales_units_by_year.tolist() == pytest.approx([1_200.0, 1_200.0])


def test_values_of_both_sides_are_those_worked_out_by_hand() -> None:
    result = evaluate(two_years_by_hand())
    brand_npv = host_npv = 0.0
    brand_bound = host_bound = 0.0
    for month in range(24):
        fee = 1.0e6 if month % 12 < 6 else 0.8e6
        year_end = month % 12 == 11
        brand_now = 12.3e6 - (12e6 if month == 0 else 24e6) - fee if month < 23 else 0.0
        host_now = fee if month < 23 else 0.0
        brand = 18.1e6 - 12e6 - 0.3e6 - 0.4e6 - 20e6 / 12 - fee - (2e6 if month < 12 else 0.0)
        host = fee - 0.21e6 - 0.1e6 - 0.05e6 - (12e6 if month == 0 else 0.0)
        brand += brand_bound - brand_now - (5.5e6 if year_end else 0.0)
        host += host_bound - host_now - (0.87e6 if year_end else 0.0)
        brand_bound, host_bound = brand_now, host_now
        brand_npv += brand / 1.10 ** ((month + 0.5) / 12)
        host_npv += host / 1.08 ** ((month + 0.5) / 12)
    assert result.brand.npv_cny == pytest.approx(brand_npv, rel=1e-12)
    assert result.host.npv_cny == pytest.approx(host_npv, rel=1e-12)
    assert result.joint.npv_cny == result.brand.npv_cny + result.host.npv_cny
    # The host puts in 12 m at once and gets back 10.8 - 4.32 - 0.8 - 0.87 = 4.81 m in the first year, 6.41 m in the
    # second.
    assert result.host.cash_cny_by_year.tolist() == pytest.approx([-7.19e6, 6.41e6])
    assert result.host.payback_year is None
    assert result.host.irr_shares == pytest.approx((6.41 / 7.19 - 1,))
    assert result.brand.payback_year == 2022
    # In its worst month the host has spent 12 m, its running cost, and is owed the fee.
    assert result.host.peak_cash_need_cny == pytest.approx(12.36e6)


def test_unit_cost_is_the_one_worked_out_by_hand() -> None:
    cost = evaluate(two_years_by_hand()).unit_cost
    assert cost.year == 2022
    assert cost.items_cny == pytest.approx(
        {
            "battery pack": 50_000.0,
            "body": 70_000.0,
            "assembly labour": 360.0,
            "body shop labour": 120.0,
            "paint shop labour": 120.0,
            "indirect labour": 300.0,
            "energy and consumables": 1_100.0,
            "rework": 100.0,
            "logistics": 3_000.0,
            "warranty": 4_000.0,
            "host's fixed cost": 1_000.0,
            "brand's fixed cost": 20e6 / 1_200,
            "investments spread": 36e6 / 2_400,
        }
    )
    assert cost.total_cny == pytest.approx(sum(cost.items_cny.values()))
    assert cost.net_revenue_cny == pytest.approx(181_000.0)
    assert cost.transfer_to_host_cny == pytest.approx(9_000.0)


def test_nothing_sold_gives_no_unit_cost_instead_of_a_division_by_nil() -> None:
    result = evaluate(deal(demand_units_by_month=np.zeros(48)))
    assert result.sales_units == 0
    assert result.unit_cost.year is None
    assert result.own_plant.unit_conversion_cost_cny == 0.0


# ---------------------------------------------------------------- cash


def test_irr_tells_both_roots_and_says_so() -> None:
    rates, note = internal_rates(np.array([-1000.0, 2500.0, -1540.0]))
    assert rates == pytest.approx((0.10, 0.40), abs=1e-9)
    assert "several rates" in note


@pytest.mark.parametrize(
    ("cash", "rates", "note"),
    [
        ([-100.0, 110.0], (0.10,), ""),
        ([0.0, -100.0, 0.0, 121.0, 0.0], (0.10,), ""),
        ([-100.0, 20.0], (-0.80,), ""),
        ([-100.0, 0.1], (), "near-total loss"),
        ([100.0, -110.0], (0.10,), ""),
        ([-100.0, -5.0], (), "never changes its sign"),
        ([0.0, 0.0], (), "never changes its sign"),
        ([-100.0, 210.0, -112.0], (), "the same sign at every rate"),
        ([-100.0, 220.0, -121.0], (0.10,), ""),
        ([-1e9, 1.1e9, 1e-9], (0.10,), ""),
    ],
)
def test_irr_of_simple_cash_flows(cash: list[float], rates: tuple[float, ...], note: str) -> None:
    found, said = internal_rates(np.array(cash))
    assert found == pytest.approx(rates, abs=1e-6)
    assert (note in said) if note else not said


def test_tax_carries_losses_forward() -> None:
    calendar = Calendar.of(deal(36))
    taxable = np.repeat([-100.0, 60.0, 90.0], 12) / 12
    tax = yearly_tax(taxable, 0.2, calendar)
    assert calendar.by_year(tax).tolist() == pytest.approx([0.0, 0.0, 10.0])
    assert np.flatnonzero(tax).tolist() == [35]


def test_calendar_of_a_decision_in_march_has_a_short_first_and_last_year() -> None:
    calendar = Calendar.of(deal(24, first_year=2021, first_month=4))
    assert calendar.years == (2021, 2022, 2023)
    assert calendar.by_year(np.ones(24)).tolist() == [9.0, 12.0, 3.0]
    assert calendar.last_months.tolist() == [8, 20, 23]


def test_spending_before_the_decision_falls_on_the_first_month() -> None:
    spent, worn = spending([investment("tool", 120.0, before=6, spread=12, life=1)], 3.0, 24)
    assert spent.tolist()[:10] == pytest.approx([40.0, *[10.0] * 8, 0.0])
    assert worn.tolist()[2:5] == pytest.approx([0.0, 10.0, 10.0])
    assert worn.sum() == pytest.approx(120.0)


def test_what_is_owed_is_the_flow_of_the_last_days() -> None:
    flow = np.array([1.0, 2.0, 4.0, 0.0])
    assert outstanding(flow, 0.0).tolist() == [0.0] * 4
    assert outstanding(flow, 2.5 * DAYS_PER_MONTH).tolist() == pytest.approx([1.0, 3.0, 6.5, 5.0])


def test_buyers_who_wait_are_served_later_and_the_others_are_lost() -> None:
    sold, lost = sales_by_month(np.array([10.0, 10.0, 0.0, 0.0]), np.array([0.0, 12.0, 12.0, 12.0]), 0.5)
    assert sold.tolist() == [0.0, 12.0, 1.5, 0.0]
    assert lost == 6.5


# ---------------------------------------------------------------- clauses


def context(**changes: Any) -> Context:
    """Two calendar years, production from month 6 on, 100 cars a month, a loss of 1 m a month."""
    producing = np.clip(np.arange(1, 25) - changes.get("start_month", 6.0), 0.0, 1.0)
    values: dict[str, Any] = {
        "sales_units": 100.0 * producing,
        "output_units": 200.0 * producing,
        "year_index": np.arange(24) // 12,
        "first_months": np.array([0, 12]),
        "last_months": np.array([11, 23]),
        "start_month": 6.0,
        "contracted_capacity_units_per_year": 2_400.0,
        "host_depreciation_cny": 3e5 * producing,
        "host_operating_result_cny": -1e6 * producing,
    }
    return Context(**(values | changes))


def test_fee_tiers_begin_again_every_calendar_year() -> None:
    fee = FeePerCar("fee", (0.0, 250.0, 1_100.0), (10.0, 8.0, 5.0), 0.0).transfers(context())
    assert fee[:6].sum() == 0
    assert fee[6:12].tolist() == pytest.approx([1_000.0, 1_000.0, 900.0, 800.0, 800.0, 800.0])
    assert fee[12:15].tolist() == pytest.approx([1_000.0, 1_000.0, 900.0])
    assert fee[23] == pytest.approx(500.0)


def test_fee_is_indexed_by_calendar_year() -> None:
    fee = FeePerCar("fee", (0.0,), (10.0,), 0.1).transfers(context())
    assert fee[[6, 11, 12, 23]].tolist() == pytest.approx([1_000.0, 1_000.0, 1_100.0, 1_100.0])


def test_depreciation_is_passed_through_by_its_share() -> None:
    paid = DepreciationPassedThrough("wear", 0.4).transfers(context())
    assert paid.sum() == pytest.approx(0.4 * 18 * 3e5)


@pytest.mark.parametrize(
    ("start_month", "window_months", "expected_months"), [(6.0, 12, 12.0), (6.25, 12, 12.0), (6.0, 36, 18.0)]
)
def test_losses_are_repaid_within_the_window_only(
    start_month: float, window_months: int, expected_months: float
) -> None:
    clause = LossesRepaid("losses", window_months, 0.5, math.inf)
    paid = clause.transfers(context(start_month=start_month))
    assert paid.sum() == pytest.approx(0.5e6 * expected_months)
    assert set(np.flatnonzero(paid).tolist()) <= {11, 23}


def test_a_good_month_makes_up_for_a_bad_one_of_the_same_year() -> None:
    result = np.zeros(24)
    result[[0, 5, 20]] = [-5e6, 4e6, 9e6]
    paid = LossesRepaid("losses", 36, 1.0, math.inf).transfers(
        context(start_month=0.0, host_operating_result_cny=result)
    )
    assert paid[[11, 23]].tolist() == [1e6, 0.0]


def test_losses_are_repaid_up_to_the_cap_and_profits_are_not_taken() -> None:
    paid = LossesRepaid("losses", 36, 1.0, 7.5e6).transfers(context())
    assert paid[[11, 23]].tolist() == [6e6, 1.5e6]
    assert paid.sum() == 7.5e6
    earning = context(host_operating_result_cny=np.full(24, 1e6))
    assert LossesRepaid("losses", 36, 1.0, 1e9).transfers(earning).tolist() == [0.0] * 24


def test_losses_repaid_see_what_the_other_clauses_pay_wherever_they_stand() -> None:
    fee = FeePerCar("fee", (0.0,), (1_000.0,), 0.0)
    losses = LossesRepaid("losses", 600, 1.0, 1e12)
    for clauses in ((fee, losses), (losses, fee)):
        result = evaluate(deal(clauses=clauses))
        host = by_name(result.host)
        own = sum(np.array(host[name]) for name in ("labour", "energy and consumables", "rework"))
        own = own + np.array(host["fixed cost for the guest"]) - np.array([0.0, 40e6, 40e6, 40e6])
        paid = np.array(host["received from the brand"])
        assert paid == pytest.approx(np.maximum(-own, 0.0), rel=1e-9)
        assert result.transfers_cny_by_year["losses"][1] > 0


def test_take_or_pay_pays_for_cars_that_could_have_been_built_and_were_not_taken() -> None:
    # Floor 0.75 x 2,400 = 1,800 a year or 150 a month; 100 are taken, 200 could be built.
    clause = TakeOrPay("floor", 0.75, 7.0, 1)
    assert clause.transfers(context())[[11, 23]].tolist() == pytest.approx([6 * 50 * 7.0, 12 * 50 * 7.0])
    assert np.flatnonzero(clause.transfers(context())).tolist() == [11, 23]
    # The host could build 120 only: no more than these are owed.
    assert clause.transfers(context(output_units=np.full(24, 120.0)))[23] == pytest.approx(12 * 20 * 7.0)
    assert TakeOrPay("floor", 0.4, 7.0, 1).transfers(context()).tolist() == [0.0] * 24


def test_take_or_pay_binds_from_its_year_of_production_on() -> None:
    late = TakeOrPay("floor", 0.75, 7.0, 2).transfers(context())
    assert late[[11, 23]].tolist() == pytest.approx([0.0, 6 * 50 * 7.0])


def test_cars_above_the_floor_in_one_month_make_up_for_another_of_the_year() -> None:
    sales = np.where(np.arange(24) % 2 == 0, 0.0, 200.0)
    paid = TakeOrPay("floor", 0.5, 7.0, 1).transfers(
        context(start_month=0.0, sales_units=sales, output_units=sales + 200)
    )
    assert paid.tolist() == [0.0] * 24


ALL_CLAUSES = (
    FeePerCar("fee", (0.0, 6_000.0), (3_000.0, 2_500.0), 0.02),
    DepreciationPassedThrough("depreciation", 0.8),
    LossesRepaid("losses", 18, 1.0, 20e6),
    TakeOrPay("floor", 0.9, 5_000.0, 1),
)


def test_transfers_cancel_in_the_joint_cash_flow_before_tax() -> None:
    def joint_before_tax(inputs: DealInputs) -> np.ndarray:
        result = evaluate(inputs)
        taxes = sum(np.array(line.cny_by_year) for line in result.joint.lines if line.name.endswith("income tax"))
        return result.joint.cash_cny_by_year - taxes

    with_clauses, without = deal(clauses=ALL_CLAUSES), deal(clauses=())
    assert joint_before_tax(with_clauses) == pytest.approx(joint_before_tax(without), rel=1e-12, abs=1e-3)
    paid = evaluate(with_clauses).transfers_cny_by_year
    assert all(amount.sum() > 1e6 for amount in paid.values())


def test_what_the_brand_pays_is_what_the_host_gets_and_the_sum_of_the_clauses() -> None:
    result = evaluate(deal(clauses=ALL_CLAUSES))
    paid = sum(result.transfers_cny_by_year.values())
    assert by_name(result.host)["received from the brand"] == pytest.approx(paid.tolist())
    assert by_name(result.brand)["paid to the host"] == pytest.approx((-paid).tolist())


def test_what_is_owed_if_nothing_sells_is_the_one_worked_out_by_hand() -> None:
    """Production for months 12 to 47; the host's 200 m wear off over 60 months, 80 % of it passed through."""
    owed = evaluate(deal(clauses=ALL_CLAUSES, with_break_even=True)).owed_if_nothing_sells_cny
    floor = 0.9 * 15_000 * 5_000.0
    wear = 200e6 / 5
    # A year costs the host 20 m of fixed cost and the 8 m of wear that are not passed through; the floor brings 67.5 m.
    expected = sum(0.8 * wear / 12 / 1.12 ** ((month + 0.5) / 12) for month in range(12, 48))
    expected += sum(floor / 1.12 ** ((month + 0.5) / 12) for month in (23, 35, 47))
    assert owed == pytest.approx(expected)
    without_floor = evaluate(deal(clauses=ALL_CLAUSES[:3], with_break_even=True)).owed_if_nothing_sells_cny
    expected -= sum(floor / 1.12 ** ((month + 0.5) / 12) for month in (23, 35, 47))
    # Now the loss of 28 m is repaid up to the cap of 20 m at the end of the first year.
    assert without_floor == pytest.approx(expected + 20e6 / 1.12 ** (23.5 / 12))


# ---------------------------------------------------------------- break-even and own plant


FEE = FeePerCar("fee", (0.0, 6_000.0), (10_000.0, 8_000.0), 0.0)


@pytest.mark.parametrize(
    "clauses", [(FEE,), (FEE, DepreciationPassedThrough("wear", 0.2), TakeOrPay("floor", 0.5, 1_000.0, 1))]
)
def test_break_even_volume_gives_a_value_of_nil(clauses: tuple[Any, ...]) -> None:
    inputs = deal(120, clauses=clauses, with_break_even=True)
    found = evaluate(inputs).break_even
    assert found is not None
    producing = np.clip(np.arange(1, 121) - inputs.start_month, 0.0, 1.0) / 12
    for side, volume in (("brand", found.brand_units_per_year), ("host", found.host_units_per_year)):
        assert volume is not None
        value = []
        for units in (volume, volume + 100.0):
            sales = units * producing
            ready = np.maximum(sales, inputs.planned_units_per_year * producing)
            flat = replace(inputs, demand_units_by_month=sales, guest_output_units_by_month=ready)
            value.append(getattr(evaluate(replace(flat, with_break_even=False)), side).npv_cny)
        # Nil to within what a tenth of a car is worth.
        assert abs(value[0]) < abs(value[1] - value[0]) / 1_000


def test_break_even_says_why_there_is_none() -> None:
    found = evaluate(deal(price_cny_by_month=np.full(48, 100_000.0), with_break_even=True)).break_even
    assert found is not None
    assert found.brand_units_per_year is None
    assert "the brand loses at every volume up to 75000 cars a year" in found.note
    free = evaluate(deal(brand_fixed_cost_cny_per_year=0.0, investments=(), with_break_even=True)).break_even
    assert free is not None
    assert "the brand gains at every volume" in free.note


def test_own_plant_like_the_hosts_is_worth_what_both_are_worth_as_one() -> None:
    inputs = deal(
        start_month=12.0,
        clauses=(),
        resident_units_lost_by_month=np.zeros(48),
        host_fixed_cost_cny_per_year=20e6,
        investments=(investment("development", 300e6, host_only=False), investment("move", 1e6)),
        guest_output_units_by_month=2_000.0 * (np.arange(48) >= 12),
        own_plant=own_plant(
            investment_cny=200e6,
            construction_months=10,
            capacity_units_per_year=24_000.0,
            later_months=0.0,
            ramp_months=1.0,
            labour_hours_share=1.0,
            fixed_cost_cny_per_year=20e6,
            useful_life_years=5,
            residual_share=0.0,
        ),
    )
    as_one = replace(
        inputs, investments=(investment("development", 300e6), investment("line", 200e6)), brand_tax_rate=0.0
    )
    joint = evaluate(replace(as_one, host_tax_rate=0.0, host_discount_rate=as_one.brand_discount_rate)).joint
    own = evaluate(replace(inputs, brand_tax_rate=0.0)).own_plant
    assert own.npv_cny == pytest.approx(joint.npv_cny, rel=1e-12)
    assert own.cash_cny_by_year == pytest.approx(joint.cash_cny_by_year)
    assert own.units == pytest.approx(36_000.0)


def test_own_plant_pays_what_is_needed_anyway_whoever_pays_it_under_the_contract() -> None:
    ours = deal(investments=(investment("development", 300e6, host_only=False),))
    theirs = deal(investments=(investment("development", 300e6, by_brand=False, host_only=False),))
    assert evaluate(ours).own_plant.npv_cny == evaluate(theirs).own_plant.npv_cny
    assert evaluate(ours).own_plant.npv_cny < evaluate(deal(investments=())).own_plant.npv_cny - 100e6


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        ({"investment_cny": 600e6}, -1),
        ({"later_months": 12.0}, -1),
        ({"ramp_months": 12.0}, -1),
        ({"labour_hours_share": 1.3}, -1),
        ({"fixed_cost_cny_per_year": 40e6}, -1),
        ({"residual_share": 0.5}, 1),
        ({"construction_months": 12}, 1),
        ({"capacity_units_per_year": 8_000.0}, -1),
        ({"useful_life_years": 5}, 1),
    ],
)
def test_own_plant_moves_the_right_way(change: dict[str, Any], sign: int) -> None:
    base = evaluate(deal(72)).own_plant
    other = evaluate(deal(72, own_plant=own_plant(**change))).own_plant
    assert (other.npv_cny - base.npv_cny) * sign > 0
    assert other.advantage_over_contract_cny - base.advantage_over_contract_cny == pytest.approx(
        other.npv_cny - base.npv_cny
    )


# ---------------------------------------------------------------- timing


def timing(**changes: Any) -> TimingInputs:
    values: dict[str, Any] = {
        "as_of": dt.date(2021, 3, 26),
        "decision_months": 3.0,
        "development_months": 30.0,
        "brand_skill_saving_share": 0.1,
        "host_consultancy_saving_share": 0.1,
        "host_inexperience_months": 2.0,
        "licence_date": dt.date(2022, 6, 1),
        "licence_delay_months": 3.0,
    }
    return TimingInputs(**(values | changes))


@pytest.mark.parametrize(
    ("change", "months"),
    [
        ({}, 0.0),
        ({"brand_skill_saving_share": 0.2}, -2.7),
        ({"host_consultancy_saving_share": 0.2}, -2.7),
        ({"host_inexperience_months": 5.0}, 3.0),
        ({"decision_months": 4.5}, 1.5),
        ({"development_months": 40.0}, 8.1),
        ({"licence_delay_months": 4.0}, 0.0),
    ],
)
def test_skill_and_consultancy_bring_the_start_forward_and_inexperience_puts_it_off(
    change: dict[str, float], months: float
) -> None:
    # 3 + 30 x 0.9 x 0.9 + 2 = 29.3 months.
    found = start_of_production(timing(**change))
    assert found.months_from_as_of == pytest.approx(29.3 + months)
    assert found.waits_for == "development"
    days = (found.start_of_production_date - dt.date(2021, 3, 26)).days
    assert days == pytest.approx((29.3 + months) * DAYS_PER_MONTH, abs=0.51)


def test_a_late_licence_holds_the_start() -> None:
    found = start_of_production(timing(licence_date=dt.date(2024, 1, 1), licence_delay_months=6.0))
    assert found.waits_for == "licence"
    assert found.months_from_as_of == pytest.approx(
        (dt.date(2024, 1, 1) - dt.date(2021, 3, 26)).days / DAYS_PER_MONTH + 6
    )
    assert found.technical_months == pytest.approx(29.3)


# ---------------------------------------------------------------- from the section


def test_month_0_is_the_first_whole_month_after_the_decision_and_the_last_price_holds_on() -> None:
    inputs = inputs_of(SECTION)
    assert (inputs.first_year, inputs.first_month) == (2021, 4)
    assert inputs.price_cny_by_month[[0, 8, 9, 45, 119]].tolist() == [200e3, 200e3, 190e3, 180e3, 180e3]
    start = start_of_production(timing_inputs_from(programme(SECTION)))
    assert inputs.start_month == pytest.approx(start.months_from_as_of - 6 / DAYS_PER_MONTH)


def assumption_paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in assumption_paths(item, (*path, key))]
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in assumption_paths(item, (*path, at))]
    return [path] if isinstance(value, float) else []


def changed(raw: Any, path: tuple[Any, ...], factor: float) -> Any:
    if not path:
        return raw * factor
    copy = dict(raw) if isinstance(raw, dict) else list(raw)
    copy[path[0]] = changed(copy[path[0]], path[1:], factor)
    return copy


def fingerprint(raw: dict[str, Any]) -> list[float]:
    result = evaluate(inputs_of(raw))
    own = result.own_plant
    owed = result.owed_if_nothing_sells_cny
    assert owed is not None
    assert result.leaving is not None
    assert result.absorption is not None
    figures = [result.brand.npv_cny, result.host.npv_cny, own.npv_cny, result.unit_cost.total_cny, owed]
    return [*figures, result.leaving.owed_value_cny.sum(), result.absorption.before_cny_per_car.sum()]


LATE_LICENCE = changed(SECTION, ("timing", "licence_delay_months"), 20.0)


@pytest.mark.parametrize(
    "path",
    assumption_paths(SECTION),
    ids=lambda path: ".".join(map(str, path)),
)
def test_every_assumption_of_the_section_moves_a_figure(path: tuple[Any, ...]) -> None:
    base = LATE_LICENCE if path == ("timing", "licence_delay_months") else SECTION
    # Shares vest in whole months: their milestones are felt when moved far enough.
    factor = {"months_after": 1.03, "units": 1.5}.get(path[-1], 1.01)
    before, after = fingerprint(base), fingerprint(changed(base, path, factor))
    assert max(abs(one - two) / abs(one) for one, two in zip(before, after, strict=True)) > 1e-9


def test_the_test_section_holds_every_assumption_of_the_schema_as_a_float() -> None:
    section = DealSection.model_validate(SECTION)

    def count(value: Any) -> int:
        if isinstance(value, Assumption):
            return 1
        if isinstance(value, tuple):
            return sum(count(item) for item in value)
        if hasattr(type(value), "model_fields"):
            return sum(count(getattr(value, name)) for name in type(value).model_fields)
        return 0

    assert count(section) == len(assumption_paths(SECTION))


def test_mistakes_are_told_together() -> None:
    raw = dict(SECTION)
    raw["clause"] = [
        {"kind": "take or pay", "id": "floor", "floor_share": 0.5, "paid_share": 0.5},
        {"kind": "depreciation passed through", "id": "floor", "passed_share": 1.0},
    ]
    found = check(DealSection.model_validate(raw))
    assert {(problem.field, problem.found) for problem in found} == {
        ("deal.clause.id", "floor"),
        ("deal.clause.floor.paid_share", "no fee per car"),
    }
    raw["clause"] = [
        {
            "kind": "fee per car",
            "id": "fee",
            "change_rate": 0.0,
            "tier": [
                {"id": "a", "from_units": 100, "fee_cny_per_car": 1.0},
                {"id": "b", "from_units": 50, "fee_cny_per_car": 1.0},
            ],
        }
    ]
    raw["investment"] = [dict(raw["investment"][0]), dict(raw["investment"][0])]
    with pytest.raises(InputError) as caught:
        inputs_of(raw)
    assert {problem.field for problem in caught.value.problems} == {
        "deal.clause.fee.tier.from_units",
        "deal.investment.id",
    }


def test_no_figure_of_a_result_is_nan_or_infinite() -> None:
    def walk(value: Any) -> None:
        if is_dataclass(value):
            for field in fields(value):
                walk(getattr(value, field.name))
        elif isinstance(value, dict):
            for item in value.values():
                walk(item)
        elif isinstance(value, tuple):
            for item in value:
                walk(item)
        elif isinstance(value, np.ndarray | float):
            assert np.isfinite(value).all()

    walk(evaluate(deal(clauses=ALL_CLAUSES, with_break_even=True)))
