"""The contract beside all others: zone of agreement, coordination, make or contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from coachbuilder.deal.agreement import FLOOR_STEPS, ZoneResult, zone_of_agreement
from coachbuilder.deal.cashflow import MONTHS_PER_YEAR
from coachbuilder.deal.clauses import DepreciationPassedThrough, FeePerCar, TakeOrPay
from coachbuilder.deal.coordination import Chain, CoordinationResult, LognormalDemand, compare
from coachbuilder.deal.evaluate import evaluate
from coachbuilder.deal.make_or_contract import RoutesInputs, RoutesResult, lognormal_nodes, make_or_contract

if TYPE_CHECKING:
    from coachbuilder.deal.interface import DealInputs, DealResult

BUILDING_ITEMS = frozenset(
    {"assembly labour", "body shop labour", "paint shop labour", "indirect labour", "energy and consumables", "rework"}
)
"""Items of the unit cost that the host bears with each car."""
FIXED_ITEMS = frozenset({"host's fixed cost", "brand's fixed cost", "investments spread"})
"""Items that do not change with one car more; all others are the brand's with each car."""
EXPECTED_FEE_STEPS, EXPECTED_FLOOR_STEPS = 12, FLOOR_STEPS // 2
"""Cells of the map over unsure demand: each contract is worked out at several demands."""


@dataclass(frozen=True, slots=True)
class AlternativesResult:
    """What other contracts and other routes would bring."""

    brand_alternative_npv_cny: float
    """What the brand can have without the host: its best other route, or 0 for doing nothing."""
    brand_alternative: str
    """That route, or 'nothing'."""
    brand_alternative_under_demand_risk_npv_cny: float
    """The same in the mean over unsure demand; 0 where its spread is not given."""
    zone: ZoneResult | None
    """For which fees and floors both gain, at the demand expected; None without a fee per car."""
    zone_under_demand_risk: ZoneResult | None
    """The same in the mean over unsure demand; None where its spread is not given either."""
    demand_factors: tuple[tuple[float, float], ...]
    """Factors on demand and their probabilities, of which that is the mean."""
    coordination: CoordinationResult | None
    """What coordination loses by form of contract, in the year of most sales; None where its spread is not given, or
    no car is sold, or the host's places cost nothing."""
    routes: RoutesResult
    """Make or contract."""


def alternatives(inputs: DealInputs, result: DealResult, routes: RoutesInputs | None) -> AlternativesResult:
    """Return what other contracts and other routes would bring.

    Parameters
    ----------
    inputs
        The deal.
    result
        The deal worked out.
    routes
        Other routes and the spread of demand; None where the programme does not give them.
    """
    inputs = replace(inputs, with_break_even=False)
    others = make_or_contract(inputs, result, routes)
    best = max(others.routes[1:], key=lambda route: route.npv_cny)
    alternative, name = (best.npv_cny, best.name) if best.npv_cny > 0 else (0.0, "nothing")
    years = (inputs.start_month + _months_to_best_year(result)) / MONTHS_PER_YEAR
    demand = () if routes is None else lognormal_nodes(routes.process, years)
    at_risk = max(0.0, *_mean_values(inputs, routes, demand)) if routes is not None else 0.0
    return AlternativesResult(
        brand_alternative_npv_cny=alternative,
        brand_alternative=name,
        brand_alternative_under_demand_risk_npv_cny=at_risk,
        zone=zone_of_agreement(inputs, brand_alternative_npv_cny=alternative),
        zone_under_demand_risk=None
        if routes is None
        else zone_of_agreement(
            inputs,
            brand_alternative_npv_cny=at_risk,
            demand=demand,
            fee_steps=EXPECTED_FEE_STEPS,
            floor_steps=EXPECTED_FLOOR_STEPS,
        ),
        demand_factors=demand,
        coordination=None if routes is None else coordination_in_best_year(inputs, result, routes, years),
        routes=others,
    )


def _mean_values(
    inputs: DealInputs, routes: RoutesInputs, demand: tuple[tuple[float, float], ...]
) -> tuple[float, ...]:
    """Return the mean value of each plant of the brand's own over factors on demand."""
    plants = [plant for plant in (inputs.own_plant, routes.refitted_plant) if plant is not None]
    means = []
    for plant in plants:
        deals = (
            (chance, replace(inputs, own_plant=plant, demand_units_by_month=factor * inputs.demand_units_by_month))
            for factor, chance in demand
        )
        means.append(sum(chance * evaluate(deal).own_plant.npv_cny for chance, deal in deals))
    return tuple(means)


def _months_to_best_year(result: DealResult) -> float:
    """Return the months from the first year with sales to the year of most."""
    sold = np.flatnonzero(result.sales_units_by_year > 0)
    first = int(sold[0]) if sold.size else 0
    return float(MONTHS_PER_YEAR * (int(np.argmax(result.sales_units_by_year)) - first))


def coordination_in_best_year(
    inputs: DealInputs, result: DealResult, routes: RoutesInputs, years: float
) -> CoordinationResult | None:
    """Return the forms of contract in the year of most sales, from that year's money a car.

    Parameters
    ----------
    inputs
        The deal.
    result
        The deal worked out.
    routes
        The spread of demand.
    years
        Years from now to that year, over which demand spreads.
    """
    cost = result.unit_cost
    if cost.year is None:
        return None
    building = sum(amount for name, amount in cost.items_cny.items() if name in BUILDING_ITEMS)
    brands = sum(amount for name, amount in cost.items_cny.items() if name not in BUILDING_ITEMS | FIXED_ITEMS)
    # What the host invests is charged as a level yearly sum over its useful life, at the host's rate.
    invested = sum(
        item.amount_cny * _annuity(inputs.host_discount_rate, item.useful_life_years)
        for item in inputs.investments
        if not item.paid_by_brand
    )
    place = (invested + inputs.host_fixed_cost_cny_per_year) / inputs.planned_units_per_year
    spread = routes.process.log_deviation(years)
    if place <= 0 or spread <= 0:
        return None
    best = int(np.argmax(result.sales_units_by_year))
    fees = [clause.id for clause in inputs.clauses if isinstance(clause, FeePerCar)]
    paid = sum(float(result.transfers_cny_by_year[name][best]) for name in fees)
    fee = paid / float(result.sales_units_by_year[best])
    floors = [clause for clause in inputs.clauses if isinstance(clause, TakeOrPay)]
    return compare(
        Chain(cost.net_revenue_cny - brands, building, place),
        LognormalDemand.of_mean(float(result.demand_units_by_year[best]), spread),
        fee_cny_per_car=fee,
        floor_share=floors[0].floor_share if floors else 0.0,
        paid_share=floors[0].cny_per_car / fee if floors and fee > 0 else 0.0,
        cost_paid_share=min(
            sum(clause.passed_share for clause in inputs.clauses if isinstance(clause, DepreciationPassedThrough)), 1.0
        ),
        deviation_share=spread,
    )


def _annuity(rate: float, years: int) -> float:
    """Return the level yearly payment for one invested, at the end of each year of its life."""
    return rate / (1 - (1 + rate) ** -years)
