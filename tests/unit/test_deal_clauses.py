"""Clauses, taxes and rates of return against sums worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import deal_builder as builder
from coachbuilder.deal import evaluate
from coachbuilder.deal.cashflow import Calendar, modified_rate, set_off, transfers, yearly_tax
from coachbuilder.deal.clauses import (
    CapacityReservation,
    Clause,
    Context,
    CostOfLeaving,
    DepreciationPassedThrough,
    EngineeringConsultancy,
    FeePerCar,
    Indexation,
    LossesRepaid,
    Milestone,
    SharesOnMilestones,
    TakeOrPay,
    Tooling,
)
from coachbuilder.programme.sections.deal import DealSection, MilestoneEvent

EXACT = {"rel": 1e-9, "abs": 1e-9}


def context(**changes: Any) -> Context:
    """Two calendar years from January 2022, production from month 6 on, 100 cars a month."""
    producing = np.clip(np.arange(1, 25) - 6.0, 0.0, 1.0)
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
        "first_year": 2022,
        "parts_cost_by_item_cny": {"battery_pack": 50_000.0, "body": 20_000.0},
    }
    return Context(**(values | changes))


FEE = FeePerCar("fee", (0.0,), (1_000.0,), 0.0)


def paid(clause: Clause, **changes: Any) -> np.ndarray:
    return transfers((FEE, clause), context(**changes))[clause.id]


# ---------------------------------------------------------------- reservation


def test_reservation_not_deductible_is_paid_for_every_place() -> None:
    # 0.5 x 2,400 places a year at 300: 30,000 a month from the start of production on.
    assert paid(CapacityReservation("places", 300.0, 0.5, 0.0)).tolist() == pytest.approx(
        [0.0] * 6 + [30_000.0] * 18, **EXACT
    )


def test_reservation_deductible_costs_only_the_places_not_used() -> None:
    # 200 places a month, 100 cars a month: half of what is paid comes off the fees.
    assert paid(CapacityReservation("places", 300.0, 1.0, 1.0))[6:].tolist() == pytest.approx([30_000.0] * 18, **EXACT)
    # 50 places a month only: each is used, all comes off.
    assert paid(CapacityReservation("places", 300.0, 0.25, 1.0)).tolist() == pytest.approx([0.0] * 24, abs=1e-9)


def test_no_more_is_taken_off_than_the_fees_of_the_year() -> None:
    # Fees are 1,000 a car, the reservation 4,000 a place: what is left of a year is 4,000 x places - 1,000 x cars.
    net = paid(CapacityReservation("places", 4_000.0, 1.0, 1.0))
    assert net[12:].sum() == pytest.approx(4_000.0 * 2_400 - 1_000.0 * 1_200, **EXACT)
    assert net[:12].sum() == pytest.approx(4_000.0 * 1_200 - 1_000.0 * 600, **EXACT)


def test_cars_beyond_the_places_of_a_year_take_nothing_off_the_next() -> None:
    sales = np.zeros(24)
    sales[11] = 5_000.0
    net = paid(CapacityReservation("places", 300.0, 1.0, 1.0), sales_units=sales)
    assert net[:12].sum() == pytest.approx(0.0, abs=1e-9)
    assert net[12:].sum() == pytest.approx(300.0 * 2_400, **EXACT)


# ---------------------------------------------------------------- shares


def warrants(**changes: Any) -> SharesOnMilestones:
    values: dict[str, Any] = {
        "id": "warrants",
        "shares_count": 1_000.0,
        "price_cny": 20.0,
        "strike_cny": 5.0,
        "price_change_rate": 0.0,
        "milestones": (
            Milestone(MilestoneEvent.DATE, 0.333, 2.4),
            Milestone(MilestoneEvent.START, 0.333, 1.0),
            Milestone(MilestoneEvent.VOLUME, 0.334, 1_000.0),
        ),
    }
    return SharesOnMilestones(**(values | changes))


def test_shares_vest_on_day_start_and_volume() -> None:
    # The thousandth car is built in the tenth month of production.
    vested = warrants().vested_shares(context())
    assert {int(month): float(vested[month]) for month in np.flatnonzero(vested)} == pytest.approx(
        {2: 333.0, 7: 333.0, 15: 334.0}
    )


def test_shares_are_worth_price_less_strike_and_the_strike_is_cash() -> None:
    clause = warrants(counted_share=0.4)
    aside = clause.beside(context())
    assert aside.host_outside_cny is not None
    assert aside.brand_outside_cny is not None
    assert aside.host_outside_cny.sum() == pytest.approx(15_000.0, **EXACT)
    assert aside.brand_outside_cny.sum() == pytest.approx(-6_000.0, **EXACT)
    assert clause.transfers(context()).sum() == pytest.approx(-5_000.0, **EXACT)


def test_shares_below_the_strike_are_not_taken() -> None:
    clause = warrants(price_cny=4.0)
    assert clause.beside(context()).host_outside_cny.tolist() == [0.0] * 24  # type: ignore[union-attr]
    assert clause.transfers(context()).tolist() == [0.0] * 24


def test_price_of_a_share_follows_its_own_change_and_the_exchange_rate() -> None:
    clause = warrants(
        strike_cny=0.0,
        price_change_rate=0.1,
        exchange_change_rate=0.05,
        milestones=(Milestone(MilestoneEvent.DATE, 1.0, 17.0),),
    )
    value = clause.beside(context()).host_outside_cny
    assert value is not None
    assert value[17] == pytest.approx(20_000.0 * (1.1 * 1.05) ** (17.5 / 12), **EXACT)


def test_shares_move_value_outside_cash_and_leave_the_cash_alone() -> None:
    given = replace(warrants(), strike_cny=0.0, shares_count=1e6)
    plain, with_shares = evaluate(builder.deal()), evaluate(builder.deal(clauses=(*builder.deal().clauses, given)))
    assert with_shares.brand.cash_cny_by_month == pytest.approx(plain.brand.cash_cny_by_month, rel=1e-12, abs=1e-6)
    # Vesting in months 2, 13 and 12, the thousandth car being built in the first month of production.
    parts = {2: 333e3, 13: 333e3, 12: 334e3}
    for side, sign, rate in (("brand", -1, 0.12), ("host", 1, 0.10)):
        value = sum(20.0 * count / (1 + rate) ** ((month + 0.5) / 12) for month, count in parts.items())
        before, after = getattr(plain, side), getattr(with_shares, side)
        assert after.outside_cash_npv_cny == pytest.approx(sign * value, rel=1e-9)
        assert after.npv_cny - before.npv_cny == pytest.approx(sign * value, rel=1e-6)


# ---------------------------------------------------------------- tooling, consultancy, indexation


def test_tooling_of_the_host_is_repaid_by_the_car_and_bought_at_the_end() -> None:
    clause = Tooling("dies", 6e6, False, 1_500.0, 0.1)
    flow = clause.transfers(context())
    assert flow[6:21].tolist() == pytest.approx([4e5] * 15, **EXACT)
    assert flow[21:].tolist() == pytest.approx([0.0, 0.0, 6e5], **EXACT)


def test_tooling_of_the_brand_is_sold_to_the_host_at_the_end() -> None:
    flow = Tooling("dies", 6e6, True, math.inf, 0.2).transfers(context())
    assert flow.tolist() == pytest.approx([0.0] * 23 + [-1.2e6], **EXACT)


def test_consultancy_is_paid_over_its_months_and_costs_the_host_its_share() -> None:
    clause = EngineeringConsultancy("help", 5e6, 1_000.0, 1_000.0, 0.75, 4, 3)
    flow = clause.transfers(context())
    assert np.flatnonzero(flow).tolist() == [2, 3, 4]
    assert flow[2:5].tolist() == pytest.approx([2e6] * 3, **EXACT)
    assert clause.beside(context()).host_cost_cny.sum() == pytest.approx(4.5e6, **EXACT)  # type: ignore[union-attr]


def test_fees_follow_the_index_outside_the_band_only() -> None:
    # 2022: +8 % lies 3 % beyond a band of 5 %; 2023: -20 % lies 15 % below it. Fees are 100,000 a month.
    clause = Indexation("steel", 0.5, 100.0, 0.05, (2022, 2023), (108.0, 80.0))
    flow = paid(clause)
    assert flow[6:12].tolist() == pytest.approx([0.5 * 0.03 * 1e5] * 6, **EXACT)
    assert flow[12:].tolist() == pytest.approx([-0.5 * 0.15 * 1e5] * 12, **EXACT)
    assert paid(replace(clause, index_values=(104.0, 96.0))).tolist() == [0.0] * 24


def test_parts_follow_the_index_and_the_host_may_be_the_one_who_pays() -> None:
    clause = Indexation("cells", 0.2, 100.0, 0.0, (2021, 2023), (100.0, 150.0), ("battery_pack",), False)
    flow = paid(clause)
    assert flow[:12].tolist() == [0.0] * 12
    assert flow[12:].tolist() == pytest.approx([-0.2 * 0.5 * 100 * 50_000.0] * 12, **EXACT)


def test_fees_in_another_currency_follow_the_exchange_rate() -> None:
    flow = replace(FEE, exchange_change_rate=0.1).transfers(context())
    assert flow[18] == pytest.approx(1e5 * 1.1 ** (18.5 / 12), **EXACT)


# ---------------------------------------------------------------- losses, depreciation, tiers


def test_losses_stop_at_the_cap_of_the_year_and_at_that_of_all() -> None:
    clause = LossesRepaid("losses", 36, 1.0, 7e6, cap_cny_per_year=5e6)
    assert clause.transfers(context())[[11, 23]].tolist() == pytest.approx([5e6, 2e6], **EXACT)


def test_depreciation_passed_through_adds_up_to_the_investment() -> None:
    line = builder.investment("line", 200e6, by_brand=False, life=2)
    result = evaluate(
        builder.deal(clauses=(DepreciationPassedThrough("wear", 1.0),), investments=(line,), with_break_even=True)
    )
    assert result.clauses[0].host_cny_by_year.tolist() == pytest.approx([0.0, 100e6, 100e6, 0.0], **EXACT)


def test_fees_of_a_year_are_the_sum_over_its_tiers() -> None:
    fee = FeePerCar("fee", (0.0, 500.0, 900.0), (3.0, 2.0, 1.0), 0.0).transfers(context())
    assert fee[:12].sum() == pytest.approx(500 * 3 + 100 * 2, **EXACT)
    assert fee[12:].sum() == pytest.approx(500 * 3 + 400 * 2 + 300 * 1, **EXACT)


def test_value_of_a_level_charge_is_the_annuity() -> None:
    """48 equal payments in the middle of each month: a geometric series."""
    fixed = evaluate(
        builder.deal(
            start_month=0.0,
            clauses=(),
            investments=(),
            demand_units_by_month=np.zeros(48),
            resident_units_lost_by_month=np.zeros(48),
            host_fixed_cost_cny_per_year=12e6,
        )
    ).host
    month = 1.10 ** (1 / 12)
    assert fixed.npv_cny == pytest.approx(-1e6 * math.sqrt(month) * (1 - month**-48) / (month - 1), rel=1e-9)


ALL: tuple[Clause, ...] = (
    FeePerCar("fee", (0.0, 6_000.0), (3_000.0, 2_500.0), 0.02),
    DepreciationPassedThrough("depreciation", 0.8),
    LossesRepaid("losses", 18, 1.0, 20e6),
    TakeOrPay("floor", 0.9, 5_000.0, 1),
    CapacityReservation("places", 500.0, 0.9, 0.5),
    warrants(shares_count=1e5),
    Tooling("dies", 200e6, False, 50_000.0, 0.1),
    EngineeringConsultancy("help", 5e6, 1_000.0, 1_000.0, 0.75, 8, 6),
    Indexation("steel", 0.5, 100.0, 0.02, (2022, 2024), (90.0, 120.0)),
    CostOfLeaving("exit", 6, 30e6, 0.5),
)


def test_every_clause_keeps_the_axes_before_the_months() -> None:
    many = np.linspace(0.0, 300.0, 7)[:, None] * np.clip(np.arange(1, 25) - 6.0, 0.0, 1.0)
    stacked = transfers(ALL, context(sales_units=many, host_operating_result_cny=np.broadcast_to(-1e6, many.shape)))
    for row, sales in enumerate(many):
        single = transfers(ALL, context(sales_units=sales, host_operating_result_cny=np.full(24, -1e6)))
        for name, flow in single.items():
            assert stacked[name].shape in (many.shape, (24,))
            assert np.broadcast_to(stacked[name], many.shape)[row] == pytest.approx(flow, **EXACT), name


# ---------------------------------------------------------------- leaving


def leaving_deal(**changes: Any) -> Any:
    line = builder.investment("line", 60e6, by_brand=False, before=10, spread=10, life=5)
    own = builder.investment("own", 120e6, by_brand=True, before=10, spread=10, life=5)
    return builder.deal(
        clauses=(
            FEE,
            TakeOrPay("floor", 0.8, 400.0, 1),
            CostOfLeaving("exit", 6, 30e6, 0.5),
        ),
        investments=(line, own),
        with_break_even=True,
        **changes,
    )


def test_what_leaving_costs_is_the_sum_the_notice_and_what_is_not_yet_worn() -> None:
    found = evaluate(leaving_deal()).leaving
    assert found is not None
    # Notice at the end of month 23: twelve months of production are over, the end is that of month 29.
    # The host's 60 m have worn for 18 of 60 months, half of the rest is paid; so have the brand's 120 m.
    # In the six months of notice 0.8 x 15,000 / 2 cars are agreed and none taken.
    assert found.sum_cny[23] == pytest.approx(30e6, **EXACT)
    assert found.undepreciated_cny[23] == pytest.approx(0.5 * 60e6 * 42 / 60, **EXACT)
    assert found.notice_cny[23] == pytest.approx(6 * 1_000 * 400.0, **EXACT)
    assert found.owed_cny[23] == pytest.approx(30e6 + 21e6 + 2.4e6, **EXACT)
    assert found.brand_write_off_cny[23] == pytest.approx(84e6, **EXACT)
    assert found.host_write_off_cny[23] == pytest.approx(21e6, **EXACT)
    end, settled = 1.12 ** -(29.5 / 12), 1.12 ** -(35.5 / 12)
    assert found.owed_value_cny[23] == pytest.approx(51e6 * end + 2.4e6 * settled, **EXACT)


def test_the_right_to_leave_is_worth_something_only_where_going_on_is_worse() -> None:
    good = evaluate(leaving_deal())
    assert good.leaving is not None
    assert good.leaving.option_value_cny.max() == 0.0
    bad = evaluate(leaving_deal(price_cny_by_month=np.full(48, 60_000.0)))
    assert bad.leaving is not None
    months = np.arange(48)
    # No tax is ever paid; what is bound in stock and owed comes back by itself.
    inputs = leaving_deal(price_cny_by_month=np.full(48, 60_000.0), payable_days=0.0, inventory_days=0.0)
    bad = evaluate(replace(inputs, fee_payable_days=0.0))
    assert bad.leaving is not None
    cash = bad.brand.cash_cny_by_month / 1.12 ** ((months + 0.5) / 12)
    expected = -bad.leaving.owed_value_cny[20] - cash[21:].sum()
    assert expected > 0
    assert bad.leaving.option_value_cny[20] == pytest.approx(expected, **EXACT)


# ---------------------------------------------------------------- finance


@pytest.mark.parametrize(
    ("cash", "finance", "reinvest", "rate", "digits"),
    [
        # Published with numpy-financial's mirr and in the manual of a well-known spreadsheet.
        ([-4500.0, -800, 800, 800, 600, 600, 800, 800, 700, 3000], 0.08, 0.055, 0.0666, 4),
        ([-120000.0, 39000, 30000, 21000, 37000, 46000], 0.10, 0.12, 0.126094, 6),
    ],
)
def test_modified_rate_is_the_published_one(
    cash: list[float], finance: float, reinvest: float, rate: float, digits: int
) -> None:
    found = modified_rate(np.array(cash), finance, reinvest)
    assert found is not None
    assert round(found, digits) == rate


def test_modified_rate_by_hand_and_none_without_a_change_of_sign() -> None:
    # 1,000 out now and 1,540 out in two years; 2,500 in after one, worth 2,750 a year later at 10 %.
    found = modified_rate(np.array([-1000.0, 2500.0, -1540.0]), 0.1, 0.1)
    assert found == pytest.approx(math.sqrt(2750.0 / (1000.0 + 1540.0 / 1.21)) - 1, rel=1e-9)
    assert modified_rate(np.array([-1.0, -2.0]), 0.1, 0.1) is None


def test_several_rates_bring_the_modified_one_with_its_reason() -> None:
    party = evaluate(builder.deal(resident_units_lost_by_month=np.where(np.arange(48) > 44, 1e5, 0.0))).host
    assert (len(party.irr_shares) != 1) == bool(party.mirr_note)
    assert party.mirr_note == party.irr_note


def test_losses_expire_after_their_years_oldest_first() -> None:
    # The loss of 100 in year 0 may be used in years 1 and 2; that of 30 in year 1 in years 2 and 3.
    income = np.array([-100.0, -30.0, 60.0, 50.0, 40.0])
    taxed, left = set_off(income, 2)
    assert taxed.tolist() == pytest.approx([0.0, 0.0, 0.0, 20.0, 40.0], **EXACT)
    assert float(left) == 0.0
    taxed, left = set_off(np.array([10.0, -5.0, 3.0, -7.0]), 1)
    assert taxed.tolist() == pytest.approx([10.0, 0.0, 0.0, 0.0], **EXACT)
    assert float(left) == pytest.approx(7.0)


def test_losses_without_expiry_within_the_horizon_are_taxed_as_without_a_limit() -> None:
    calendar = Calendar.of(builder.deal(48))
    taxable = np.repeat([-100.0, 60.0, -10.0, 90.0], 12) / 12
    unlimited = yearly_tax(taxable, 0.25, calendar)
    assert yearly_tax(taxable, 0.25, calendar, 3) == pytest.approx(unlimited, **EXACT)
    assert yearly_tax(taxable, 0.25, calendar, 2).sum() == pytest.approx(0.25 * 80.0, **EXACT)


def test_subsidies_and_credits_by_year_come_in_with_the_cars_of_their_year() -> None:
    subsidy = np.where(np.arange(48) // 12 == 1, 9_000.0, 0.0)
    credit = np.where(np.arange(48) // 12 == 2, 500.0, 0.0)
    plain = evaluate(builder.deal(credit_cny_per_car=0.0))
    result = evaluate(builder.deal(subsidy_cny_per_car_by_month=subsidy, credit_cny_per_car_by_month=credit))
    lines = {line.name: line.cny_by_year for line in result.brand.lines}
    before = {line.name: line.cny_by_year for line in plain.brand.lines}
    assert lines["subsidies"].tolist() == pytest.approx([0.0, 108e6, 0.0, 0.0], **EXACT)
    assert (lines["net revenue"] - before["net revenue"]).tolist() == pytest.approx([0.0, 0.0, 6e6, 0.0], abs=1e-3)


def test_parts_made_for_the_guest_learn_by_wrights_law() -> None:
    # 80 % after each doubling beyond 1,000 cars; the second month of production has its middle at car 1,500.
    inputs = builder.deal(
        parts_price_change_rate=0.0,
        pack_price_change_rate=0.0,
        parts_learning_items=("body",),
        parts_learning_rate=0.8,
        parts_learning_reference_units=1_000.0,
        payable_days=0.0,
        inventory_days=0.0,
    )
    plain = evaluate(replace(inputs, parts_learning_items=()))
    saved = evaluate(inputs).brand.cash_cny_by_month - plain.brand.cash_cny_by_month
    assert saved[12] == pytest.approx(0.0, abs=1e-3)
    assert saved[13] == pytest.approx(1_000 * 20_000.0 * (1 - 1.5 ** math.log2(0.8)), rel=1e-6)


def test_inflation_lifts_what_has_no_rate_of_its_own() -> None:
    lines = {line.name: line.cny_by_year for line in evaluate(builder.deal(inflation_rate=0.1)).host.lines}
    expected = -sum(20e6 / 12 * 1.1 ** ((month + 0.5) / 12) for month in range(12, 24))
    assert lines["fixed cost for the guest"][1] == pytest.approx(expected, rel=1e-9)
    assert lines["energy and consumables"][1] == pytest.approx(expected * 12_000 * 1_500.0 / 20e6, rel=1e-9)


def test_fixed_cost_a_resident_car_before_and_after_by_hand() -> None:
    inputs = builder.deal(
        with_break_even=True,
        clauses=(FeePerCar("fee", (0.0,), (9_000.0,), 0.0),),
        wage_change_rate=0.0,
        host_plant_fixed_cost_cny_per_year=480e6,
        resident_units_per_year=60_000.0,
    )
    found = evaluate(inputs).absorption
    assert found is not None
    assert found.before_cny_per_car.tolist() == pytest.approx([8_000.0] * 4, **EXACT)
    # 600 residents a year give way to 12,000 guests; the guest's own fixed cost is 20 m.
    assert found.all_cars_cny_per_car[1] == pytest.approx(500e6 / (59_400 + 12_000), **EXACT)
    # A guest car costs (7 + 3 + 2.5) x 1.5 x 60 + 1,500 + 80 = 2,705; the line of 200 m wears over five years.
    brought = 12_000 * (9_000.0 - 2_705.0)
    assert found.left_to_residents_cny_per_car[1] == pytest.approx((500e6 + 40e6 - brought) / 59_400, **EXACT)


def test_payback_and_peak_are_told_by_month() -> None:
    party = evaluate(builder.deal()).brand
    running = np.cumsum(party.cash_cny_by_month)
    assert party.peak_cash_month is not None
    assert running[party.peak_cash_month - 1] == pytest.approx(-party.peak_cash_need_cny)
    assert party.payback_month is not None
    assert running[party.payback_month - 2] < 0 <= running[party.payback_month - 1 :].min()


# ---------------------------------------------------------------- tables


def section(**clause: Any) -> None:
    raw = dict(builder.SECTION)
    raw["clause"] = [clause]
    DealSection.model_validate(raw)


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        ({"kind": "cost of leaving", "id": "x", "notice_months": 1, "repaid_share": 0.0}, "one of sum_cny"),
        (
            {"kind": "cost of leaving", "id": "x", "notice_months": 1, "repaid_share": 0, "sum_cny": 1, "sum_usd": 1},
            "one of sum_cny",
        ),
        (
            {
                "kind": "shares on milestones",
                "id": "x",
                "shares_count": 1,
                "price_usd": 1,
                "strike_cny": 1,
                "price_change_rate": 0,
                "milestone": [{"id": "a", "event": "start of production", "vested_share": 1.0}],
            },
            "amounts of a table in one currency",
        ),
        (
            {
                "kind": "shares on milestones",
                "id": "x",
                "shares_count": 1,
                "price_usd": 1,
                "strike_usd": 1,
                "price_change_rate": 0,
                "milestone": [{"id": "a", "event": "cars built", "vested_share": 1.0}],
            },
            "units, which the event needs",
        ),
    ],
)
def test_mistakes_in_tables_say_what_is_expected(clause: dict[str, Any], found: str) -> None:
    with pytest.raises(ValueError, match=found):
        section(**clause)
