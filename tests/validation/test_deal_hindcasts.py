"""Contracts as they were carried out, worked out again from their clauses.

Every hindcast returns the rows of docs/validation.md: what, against what, what was found, how far off. ``HINDSIGHT``
lists what was put in that nobody could know beforehand. Nothing is fitted but where the list says so.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import deal_builder as builder
from coachbuilder.deal import evaluate, inputs_from, start_of_production, timing_inputs_from
from coachbuilder.deal.cashflow import transfers
from coachbuilder.deal.clauses import (
    Clause,
    Context,
    CostOfLeaving,
    DepreciationPassedThrough,
    FeePerCar,
    LossesRepaid,
)

Row = tuple[str, str, str, str]
EXAMPLE = Path(__file__).parents[2] / "examples" / "phone-maker-ev"

HINDSIGHT = (
    "NIO with JAC: cars delivered by year (11,348, 20,565, 43,728, 91,429: the brand's announcements), the host's "
    "losses of 2018 to 2020 (form 20-F), and the fees of 2019, from which the fee per car is taken; for the line with "
    "a fixed charge the fees of 2021 too.",
    "XPeng with Haima: the sum paid on leaving. The fee per car is not public, so that no sum of fees can be checked.",
    "Fisker with Magna: about 4,700 cars delivered and 10,142 built in 2023 (company and press, January 2024), "
    "revenue, cost of goods and write-down of stock (form 10-K). The fee per car is not public.",
    "Xiaomi: none for the dates; 136,854 cars, CNY 32.1 bn of revenue and 18.5 % of gross margin in "
    "2024 (annual results) for the contract that never was.",
)


def off(found: float, reported: float) -> float:
    return found / reported - 1


# ---------------------------------------------------------------- NIO with JAC

LOSSES_CNY_M = {2018: 126.425, 2019: 206.736, 2020: 65.384}
FEES_CNY_M = {2019: 440.812, 2020: 531.565, 2021: 715.118}
CARS = {2018: 11_348, 2019: 20_565, 2020: 43_728, 2021: 91_429}


def four_years(
    losses_cny_m: dict[int, float], fee_cny_per_car: float, charge_cny_m: float = 0.0, start: float = 3.0
) -> Context:
    """Return 2018 to 2021 month by month, production from April 2018, the host's losses after fees as given."""
    months = np.arange(48)
    running = np.where(months >= start, 1.0, 0.0)
    of_year = np.add.reduceat(running, np.arange(4) * 12)[months // 12]
    sales = running * np.array([CARS[2018 + month // 12] for month in months]) / of_year
    loss = running * np.array([losses_cny_m.get(2018 + month // 12, 0.0) for month in months]) * 1e6 / of_year
    return Context(
        sales_units=sales,
        output_units=running * 100_000 / 12,
        year_index=months // 12,
        first_months=np.arange(4) * 12,
        last_months=np.arange(4) * 12 + 11,
        start_month=start,
        contracted_capacity_units_per_year=100_000.0,
        host_depreciation_cny=running * charge_cny_m * 1e6 / 12,
        # The clause takes fees off the loss; the filings tell the loss after them.
        host_operating_result_cny=-loss - fee_cny_per_car * sales,
        first_year=2018,
    )


def paid_cny_m(clauses: tuple[Clause, ...], context: Context) -> dict[int, float]:
    by_month = sum(transfers(clauses, context).values())
    return {2018 + year: float(by_month[12 * year : 12 * year + 12].sum()) / 1e6 for year in range(4)}


def nio_jac_from_2019() -> dict[int, float]:
    """Return all fees by year: the fee per car of 2019, losses repaid within 36 months of April 2018.

    The window ends with March 2021; the loss of those three months is taken at the rate of 2020.
    """
    fee = (FEES_CNY_M[2019] - LOSSES_CNY_M[2019]) * 1e6 / CARS[2019]
    losses = {**LOSSES_CNY_M, 2021: LOSSES_CNY_M[2020]}
    clauses = (FeePerCar("fee", (0.0,), (fee,), 0.0), LossesRepaid("losses", 36, 1.0, 1e12))
    return paid_cny_m(clauses, four_years(losses, fee))


def nio_jac_fixed_charge() -> dict[int, float]:
    """Return all fees by year: a fixed charge and a fee per car, both drawn through 2019 and 2021."""
    fee = (FEES_CNY_M[2021] - FEES_CNY_M[2019]) * 1e6 / (CARS[2021] - CARS[2019])
    charge = FEES_CNY_M[2019] - fee * CARS[2019] / 1e6
    clauses = (FeePerCar("fee", (0.0,), (fee,), 0.0), DepreciationPassedThrough("charge", 1.0))
    return paid_cny_m(clauses, four_years({}, fee, charge))


def nio_jac() -> list[Row]:
    rows: list[Row] = []
    found, fixed = nio_jac_from_2019(), nio_jac_fixed_charge()
    reasons = {
        2019: "put in",
        2020: "",
        2021: "does not fit: the contract was renewed in May 2021 on other terms, whose figures are not public",
    }
    for year, reported in FEES_CNY_M.items():
        words = reasons[year]
        rows.append(
            (
                f"NIO to JAC, all fees of {year}: fee per car of 2019, losses repaid for 36 months",
                f"CNY {reported:.1f} m, {1e3 * reported / CARS[year]:.1f} k a car (form 20-F)",
                f"CNY {found[year]:.1f} m, {1e3 * found[year] / CARS[year]:.1f} k a car",
                f"{off(found[year], reported):+.1%}" + (f"; {words}" if words else ""),
            )
        )
    rows.append(
        (
            "NIO to JAC, all fees of 2020: a fixed charge and a fee per car through 2019 and 2021",
            f"CNY {FEES_CNY_M[2020]:.1f} m",
            f"CNY {fixed[2020]:.1f} m",
            f"{off(fixed[2020], FEES_CNY_M[2020]):+.1%}; two years of three are put in",
        )
    )
    return rows


def test_nio_jac_fees_of_2020_follow_from_the_fee_of_2019_and_the_losses_within_10_per_cent() -> None:
    found = nio_jac_from_2019()
    assert found[2019] == pytest.approx(FEES_CNY_M[2019], rel=1e-9)
    assert abs(off(found[2020], FEES_CNY_M[2020])) < 0.10
    # The renewal of 2021 is not in the old clauses: that this year does not fit is told, not mended.
    assert off(found[2021], FEES_CNY_M[2021]) > 0.25


def test_nio_jac_fees_of_2020_lie_on_the_line_through_2019_and_2021() -> None:
    assert nio_jac_fixed_charge()[2020] == pytest.approx(FEES_CNY_M[2020], rel=0.01)


# ---------------------------------------------------------------- XPeng with Haima

LEAVING_CNY_M = 132.9


def xpeng_haima_owed_cny_m() -> float:
    """Return what leaving costs at the end of 2021 under a fee per car, no other compensation and the sum agreed."""
    clauses = (FeePerCar("fee", (0.0,), (8_000.0,), 0.0), CostOfLeaving("exit", 0, LEAVING_CNY_M * 1e6, 0.0))
    found = evaluate(builder.deal(clauses=clauses, with_break_even=True)).leaving
    assert found is not None
    return float(found.owed_cny[35]) / 1e6


def xpeng_haima_without_cars_cny() -> float:
    """Return what the brand owes for a year in which it takes none of the 50,000 cars."""
    clauses = (FeePerCar("fee", (0.0,), (8_000.0,), 0.0),)
    inputs = builder.deal(clauses=clauses, demand_units_by_month=np.zeros(48), with_break_even=True)
    owed = evaluate(inputs).owed_if_nothing_sells_cny
    assert owed is not None
    return owed


def xpeng_haima() -> list[Row]:
    return [
        (
            "XPeng to Haima, owed for places of the 50,000 a year that are not used",
            "nothing: no other compensation than the fee per car (filings)",
            f"CNY {xpeng_haima_without_cars_cny():.0f}",
            "equal; the host bore all of the volume risk",
        ),
        (
            "XPeng to Haima, cost of leaving at the end of 2021",
            f"CNY {LEAVING_CNY_M} m (filings)",
            f"CNY {xpeng_haima_owed_cny_m():.1f} m",
            "put in: the clause adds nothing to the sum. Fees by year cannot be checked, the fee is not public",
        ),
    ]


def test_xpeng_owes_haima_nothing_for_places_and_the_sum_on_leaving() -> None:
    assert xpeng_haima_without_cars_cny() == 0.0
    assert xpeng_haima_owed_cny_m() == pytest.approx(LEAVING_CNY_M, rel=1e-9)


# ---------------------------------------------------------------- Fisker with Magna, 2023

FISKER_USD_M = {"revenue": 272.9, "cost of goods": 558.8, "write-down": 233.9, "stock": 406.5}
DELIVERED, BUILT = 4_700.0, 10_142.0


def fisker_gross_usd_m() -> float:
    """Return revenue less the cost of the cars in 2023 as the deal has it: cars are built when they are sold.

    The cost of a car is what the brand booked for those it delivered, write-downs left out. Money in USD.
    """
    cost_usd = (FISKER_USD_M["cost of goods"] - FISKER_USD_M["write-down"]) * 1e6 / DELIVERED
    months = 12
    result = evaluate(
        builder.deal(
            months,
            first_year=2023,
            start_month=0.0,
            demand_units_by_month=np.full(months, DELIVERED / 12),
            guest_output_units_by_month=np.full(months, BUILT / 12),
            resident_units_lost_by_month=np.zeros(months),
            price_cny_by_month=np.full(months, FISKER_USD_M["revenue"] * 1e6 / DELIVERED),
            value_added_tax_rate=0.0,
            sales_margin_share=0.0,
            credit_cny_per_car=0.0,
            warranty_share=0.0,
            logistics_cny=0.0,
            parts_cost_by_item_cny={"car": cost_usd},
            parts_price_change_rate=0.0,
            clauses=(),
            investments=(),
            brand_fixed_cost_cny_per_year=0.0,
        )
    )
    lines = {line.name: float(line.cny_by_year.sum()) / 1e6 for line in result.brand.lines}
    return lines["net revenue"] + lines["parts"]


def fisker_unsold_usd_m() -> float:
    """Return what the cars built and not delivered cost, at the cost of those delivered."""
    cost = (FISKER_USD_M["cost of goods"] - FISKER_USD_M["write-down"]) / DELIVERED
    return (BUILT - DELIVERED) * cost


def fisker_magna() -> list[Row]:
    reported = FISKER_USD_M["revenue"] - FISKER_USD_M["cost of goods"]
    found = fisker_gross_usd_m()
    stock, booked = fisker_unsold_usd_m(), FISKER_USD_M["stock"] + FISKER_USD_M["write-down"]
    return [
        (
            "Fisker's gross result of 2023, built by Magna",
            f"USD {reported:.1f} m (form 10-K)",
            f"USD {found:.1f} m",
            f"USD {found - reported:+.1f} m: does not fit. More than half of the cars built were not sold; here a car "
            "is built when it is sold, and no stock is ever written down",
        ),
        (
            "Fisker's stock at the end of 2023 before it was written down",
            f"USD {booked:.1f} m (form 10-K)",
            f"USD {stock:.1f} m: cars built less cars delivered, at the cost of those delivered",
            f"{off(stock, booked):+.1%}: does not fit. Parts in stock are in the brand's figure and not here",
        ),
    ]


def test_fiskers_gross_result_of_2023_comes_out_too_good_for_want_of_unsold_stock() -> None:
    """A known misfit: should the deal ever learn to hold stock, this is where it would show."""
    reported = FISKER_USD_M["revenue"] - FISKER_USD_M["cost of goods"]
    assert fisker_gross_usd_m() > reported + 200.0
    assert 0.5 < fisker_unsold_usd_m() / (FISKER_USD_M["stock"] + FISKER_USD_M["write-down"]) < 0.7


# ---------------------------------------------------------------- Xiaomi's own plant

FIRST_SALE = dt.date(2024, 3, 28)
XIAOMI = {"cars": 136_854.0, "revenue_cny": 32.1e9, "gross_margin": 0.185}


def xiaomi_start() -> tuple[dt.date, dt.date]:
    """Return the start of production at the host and in an own plant as the example has them on 26 March 2021."""
    from coachbuilder.programme import load

    programme = load(EXAMPLE)
    at_host = start_of_production(timing_inputs_from(programme)).start_of_production_date
    later = programme.document.deal.own_plant.later_months.value
    return at_host, at_host + dt.timedelta(days=round(later * 365.25 / 12))


def months_from_decision(day: dt.date) -> float:
    return (day - dt.date(2021, 3, 26)).days / (365.25 / 12)


def xiaomi_routes_cny(own_capacity_units_per_year: float) -> tuple[float, float]:
    """Return the brand's value under the contract that never was and with a plant of its own, with cars as they came.

    Price, cars and gross margin of 2024 are put in and held; all else is the example's: investments, fixed cost, the
    contract's clauses, the months by which an own plant comes later.
    """
    from coachbuilder.programme import load

    programme = load(EXAMPLE)
    price = XIAOMI["revenue_cny"] / XIAOMI["cars"] * 1.13
    start = start_of_production(timing_inputs_from(programme))
    months = 120
    producing = np.clip(np.arange(1, months + 1) - start.months_from_as_of, 0.0, 1.0)
    # From April to December.
    a_month = XIAOMI["cars"] / 9
    inputs = inputs_from(
        programme,
        start_of_production=start,
        demand_units_by_month=a_month * producing,
        guest_output_units_by_month=np.minimum(a_month, 90_000 / 12) * producing,
        resident_units_lost_by_month=np.zeros(months),
        price_cny_by_year=dict.fromkeys(range(2021, 2032), price),
        parts_cost_by_item_cny={"parts": price / 1.13 * (1 - XIAOMI["gross_margin"]) - 10_000.0},
        assembly_hours_per_car=7.0,
        first_pass_yield=0.9,
        planned_units_per_year=90_000.0,
        with_break_even=False,
    )
    inputs = replace(inputs, parts_price_change_rate=0.0, pack_price_change_rate=0.0)
    large = replace(inputs, own_plant=replace(inputs.own_plant, capacity_units_per_year=own_capacity_units_per_year))
    result = evaluate(large)
    return result.brand.npv_cny, result.own_plant.npv_cny


def xiaomi() -> list[Row]:
    at_host, own = xiaomi_start()
    predicted, happened = months_from_decision(own), months_from_decision(FIRST_SALE)
    contract, plant = xiaomi_routes_cny(150_000.0)
    _, small_plant = xiaomi_routes_cny(90_000.0)
    return [
        (
            "Xiaomi, months from the report of 26 March 2021 to the first car from a plant of its own",
            f"{happened:.1f} (on sale {FIRST_SALE}, at first under another maker's licence)",
            f"{predicted:.1f} by the example's assumptions of that day; at the host "
            f"{months_from_decision(at_host):.1f}",
            f"{off(predicted, happened):+.1%}",
        ),
        (
            "Xiaomi, first year's average price without tax",
            f"CNY {XIAOMI['revenue_cny'] / XIAOMI['cars'] / 1e3:.0f} k (annual results 2024)",
            f"CNY {149.9 / 1.13:.0f} k: the report said mass market",
            f"{off(149.9e3 / 1.13, XIAOMI['revenue_cny'] / XIAOMI['cars']):+.1%}: does not fit. Another class of car "
            "came",
        ),
        (
            "Xiaomi, the brand's value with a plant of its own and under the contract that never was (90,000 cars a "
            "year), with 2024's cars, price and margin held",
            "nothing: it never was",
            f"own plant of 150,000 a year CNY {plant / 1e6:.0f} m, of 90,000 a year CNY {small_plant / 1e6:.0f} m, "
            f"contract CNY {contract / 1e6:.0f} m",
            "told, not checked: the larger plant just makes up for its investment and the ten months it comes later; "
            "at the contract's capacity it does not",
        ),
    ]


def test_xiaomis_own_plant_came_about_when_the_assumptions_of_2021_said() -> None:
    _, own = xiaomi_start()
    assert abs(off(months_from_decision(own), months_from_decision(FIRST_SALE))) < 0.25


def test_only_the_larger_capacity_makes_up_for_what_an_own_plant_costs() -> None:
    contract, plant = xiaomi_routes_cny(150_000.0)
    same_contract, small_plant = xiaomi_routes_cny(90_000.0)
    assert same_contract == contract
    assert small_plant < contract
    # Level to within a tenth of the plant's investment of CNY 6 bn.
    assert abs(plant - contract) < 0.6e9
