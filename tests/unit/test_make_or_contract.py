"""Make or contract: costs a car and crossings by hand, values of the routes, and building later."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.deal import DealInputs, evaluate
from coachbuilder.deal.alternatives import alternatives, coordination_in_best_year
from coachbuilder.deal.clauses import FeePerCar
from coachbuilder.deal.interface import OwnPlant
from coachbuilder.deal.make_or_contract import (
    CONTRACT,
    OWN_PLANT,
    REFITTED_PLANT,
    Flexibility,
    RoutesInputs,
    RoutesResult,
    flexibility,
    lognormal_nodes,
    make_or_contract,
)
from coachbuilder.deal.real_option import DemandProcess
from deal_builder import deal, investment, own_plant

REFITTED = own_plant(
    investment_cny=200e6, construction_months=12, capacity_units_per_year=14_000.0, later_months=2.0, residual_share=0.1
)


def routes(volatility: float = 0.3, reversion: float = 0.0, leaving: float = 5e6) -> RoutesInputs:
    return RoutesInputs(DemandProcess(volatility, reversion), leaving, REFITTED, seed=7)


def result_of(inputs: DealInputs, others: RoutesInputs | None = None) -> RoutesResult:
    return make_or_contract(inputs, evaluate(inputs), others)


def test_each_route_is_worth_what_the_deal_says_with_that_plant() -> None:
    inputs = deal()
    result = result_of(inputs, routes())
    contract, own, refitted = result.routes
    known = evaluate(inputs)
    assert [route.name for route in result.routes] == [CONTRACT, OWN_PLANT, REFITTED_PLANT]
    assert contract.npv_cny == known.brand.npv_cny
    assert own.npv_cny == known.own_plant.npv_cny
    assert refitted.npv_cny == evaluate(replace(inputs, own_plant=REFITTED)).own_plant.npv_cny
    assert result.best == max(result.routes, key=lambda route: route.npv_cny).name
    assert (contract.investment_cny, contract.host_investment_cny) == (0, 200e6)
    assert (contract.start_month, refitted.start_month) == (12.0, 14.0)


def test_under_a_plain_fee_a_car_costs_the_fee_at_every_volume() -> None:
    result = result_of(deal(clauses=(FeePerCar("fee", (0.0,), (9_000.0,), 0.0),)))
    told = [cost for cost in result.routes[0].unit_cost_cny if cost is not None]
    assert told == pytest.approx([9_000.0] * len(told), rel=1e-9)
    beyond = result.volumes_units_per_year > 15_000.0
    assert [cost is None for cost in result.routes[0].unit_cost_cny] == beyond.tolist()


def at_once(**changes: Any) -> OwnPlant:
    """Return a plant that runs at full rate from the start of production at the host on, for 1 % of its labour."""
    values = {"later_months": 0.0, "ramp_months": 1.0, "labour_hours_share": 0.01, "residual_share": 0.0}
    return own_plant(**(values | {"construction_months": 12, "capacity_units_per_year": 24_000.0} | changes))


def simple(plant: OwnPlant, *tiers: tuple[float, float]) -> DealInputs:
    """Return a deal with flat money, no energy, no rework, no discounting: costs can be told by hand."""
    return deal(
        clauses=(FeePerCar("fee", tuple(start for start, _ in tiers), tuple(fee for _, fee in tiers), 0.0),),
        investments=(investment("development", 300e6, host_only=False),),
        contracted_capacity_units_per_year=24_000.0,
        wage_cny_per_h=0.0,
        energy_and_consumables_cny=4_000.0,
        first_pass_yield=1.0,
        backlog_share=0.0,
        brand_discount_rate=0.0,
        own_plant=plant,
    )


def test_the_cost_of_an_own_plant_and_its_crossing_are_those_by_hand() -> None:
    # Three years of production: plant 60 m, fixed 10 m a year, 4,000 a car, and a month's sales at full rate.
    inputs = simple(at_once(investment_cny=60e6, fixed_cost_cny_per_year=10e6), (0.0, 9_000.0))
    result = result_of(inputs)
    own = result.routes[1].unit_cost_cny
    for units, cost in zip(result.volumes_units_per_year.tolist(), own, strict=True):
        assert cost == pytest.approx(4_000.0 + (60e6 + 3 * 10e6) / (3 * units), rel=1e-9)
    (crossing,) = result.crossings
    assert crossing.units_per_year == pytest.approx(90e6 / 3 / 5_000.0, rel=1e-6)
    assert crossing.unit_cost_cny == pytest.approx(9_000.0, rel=1e-6)
    assert (crossing.cheaper_below, crossing.cheaper_above) == (CONTRACT, OWN_PLANT)


def test_all_crossings_are_told_where_a_cheaper_tier_brings_the_contract_back() -> None:
    # Own: 4,000 + 40 m / v. Contract: 10,000 up to 8,000 cars, then 2,000 + 64 m / v. Equal at 6,667 and at 12,000.
    plant = at_once(investment_cny=60e6, fixed_cost_cny_per_year=20e6)
    result = result_of(simple(plant, (0.0, 10_000.0), (8_000.0, 2_000.0)))
    assert [item.units_per_year for item in result.crossings] == pytest.approx([40e6 / 6_000, 12_000.0], rel=1e-5)
    assert [item.cheaper_above for item in result.crossings] == [OWN_PLANT, CONTRACT]


def test_a_sure_demand_makes_flexibility_the_better_of_the_two_fixed_choices() -> None:
    # Without tax and discounting the gain of building at once is the own plant's value less the contract's.
    for fee in (4_000.0, 40_000.0):
        inputs = deal(
            clauses=(FeePerCar("fee", (0.0,), (fee,), 0.0),),
            investments=(investment("development", 300e6, host_only=False),),
            brand_tax_rate=0.0,
            brand_discount_rate=0.0,
        )
        plant = at_once(investment_cny=60e6, fixed_cost_cny_per_year=10e6)
        others = routes(volatility=0.0)
        found = flexibility(inputs, others, "plant", plant)
        known = evaluate(replace(inputs, own_plant=plant))
        gain = known.own_plant.npv_cny - known.brand.npv_cny - others.leaving_cost_cny
        assert found.value_cny == pytest.approx(max(gain, 0.0), rel=1e-9)
        assert found.best_fixed_value_cny == pytest.approx(found.value_cny, rel=1e-9)
        assert found.simulated_value_cny == pytest.approx(found.value_cny, rel=1e-9)
        assert found.option_value_cny == pytest.approx(0.0, abs=1e-6 * abs(gain))
        assert found.best_fixed_year == (2022 if gain > 0 else None)


def rich(volatility: float, reversion: float, paths: int = 40_000) -> Flexibility:
    """Return what a large cheap plant is worth where the host can build little and demand may grow."""
    months = 96
    producing = np.clip(np.arange(1, months + 1) - 12.0, 0.0, 1.0)
    inputs = deal(
        months=months,
        guest_output_units_by_month=1_200.0 * producing,
        demand_units_by_month=1_100.0 * producing,
    )
    plant = own_plant(
        investment_cny=700e6, capacity_units_per_year=40_000.0, construction_months=12, fixed_cost_cny_per_year=150e6
    )
    return flexibility(inputs, routes(volatility, reversion, 100e6), "plant", plant, paths)


@pytest.mark.parametrize("reversion", [0.0, 0.4])
def test_the_grid_and_the_simulated_paths_agree_and_waiting_is_worth_something(reversion: float) -> None:
    found = rich(0.35, reversion)
    assert found.simulated_value_cny == pytest.approx(
        found.value_cny, abs=3 * found.simulated_error_cny + 0.01 * found.value_cny
    )
    assert found.value_cny > found.best_fixed_value_cny
    assert found.option_value_cny > 0
    assert 0 < found.building_probability < 1
    assert found.building_probability == pytest.approx(sum(found.building_probability_by_year), rel=1e-12)
    assert len(found.years) == len(found.least_factor_by_year)


def test_demand_that_moves_more_makes_waiting_worth_more_here() -> None:
    values = [rich(volatility, 0.0, paths=400).option_value_cny for volatility in (0.05, 0.2, 0.4)]
    assert values == sorted(values)
    assert values[0] < values[-1]


@settings(max_examples=8, deadline=None)
@given(
    volatility=st.floats(0.05, 0.7),
    reversion=st.floats(0.0, 1.0),
    invested=st.floats(50e6, 900e6),
    leaving=st.floats(0.0, 300e6),
)
def test_an_option_is_never_worth_less_than_nothing(
    volatility: float, reversion: float, invested: float, leaving: float
) -> None:
    found = flexibility(
        deal(), routes(volatility, reversion, leaving), "plant", at_once(investment_cny=invested), paths=400
    )
    assert found.option_value_cny >= 0
    assert found.value_cny >= found.best_fixed_value_cny - 1e-6 * max(found.value_cny, 1.0)
    assert math.isfinite(found.simulated_value_cny)


def test_levels_of_demand_keep_its_mean_and_its_spread() -> None:
    process = DemandProcess(0.3, 0.2)
    nodes = lognormal_nodes(process, 3.0, count=9)
    assert sum(chance for _, chance in nodes) == pytest.approx(1.0, rel=1e-12)
    assert sum(factor * chance for factor, chance in nodes) == pytest.approx(1.0, rel=1e-12)
    second = sum(factor**2 * chance for factor, chance in nodes)
    assert second == pytest.approx(math.exp(process.variance(3.0)), rel=1e-6)


def test_without_a_routes_section_there_is_the_map_and_the_own_plant_alone() -> None:
    inputs = deal()
    result = alternatives(inputs, evaluate(inputs), None)
    assert result.zone is not None
    assert result.zone_under_demand_risk is None
    assert result.coordination is None
    assert result.routes.flexibility == ()
    assert len(result.routes.routes) == 2


def test_the_brands_alternative_is_its_best_other_route_or_nothing() -> None:
    inputs = deal()
    result = alternatives(inputs, evaluate(inputs), routes())
    best = max(result.routes.routes[1:], key=lambda route: route.npv_cny)
    assert best.npv_cny > 0
    assert result.brand_alternative == best.name
    assert result.brand_alternative_npv_cny == best.npv_cny
    assert result.zone is not None
    assert result.zone.brand_alternative_npv_cny == best.npv_cny
    poor = deal(price_cny_by_month=np.full(48, 120_000.0))
    nothing = alternatives(poor, evaluate(poor), routes())
    assert (nothing.brand_alternative, nothing.brand_alternative_npv_cny) == ("nothing", 0.0)


def test_the_chain_is_the_money_of_a_car_in_the_year_of_most_sales() -> None:
    inputs = deal()
    result = evaluate(inputs)
    found = coordination_in_best_year(inputs, result, routes(), 2.0)
    assert found is not None
    cost = result.unit_cost
    one_more = cost.total_cny - sum(
        cost.items_cny[name] for name in ("host's fixed cost", "brand's fixed cost", "investments spread")
    )
    assert found.chain.gain_cny_per_car == pytest.approx(cost.net_revenue_cny - one_more, rel=1e-12)
    # The host's line of 200 m over 5 years at 10 % costs 52.76 m a year, for 12,000 places with 20 m of fixed cost.
    assert found.chain.capacity_cny_per_car == pytest.approx((200e6 * 0.263797481 + 20e6) / 12_000, rel=1e-8)
    assert found.fee_cny_per_car == pytest.approx(9_000.0, rel=1e-6)
