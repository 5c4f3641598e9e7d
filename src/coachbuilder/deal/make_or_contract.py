"""Make or contract: the host's plant, an own plant, an old plant refitted; and starting with one to build later.

What a car costs is levelised: everything that a route makes the brand pay for building cars, over the cars built, both
valued on the decision day at the brand's rate, before tax. It is found from differences of deals: one that
gives its cars away, less one that gives them away and pays nothing, is the cost; one that sells them for one, less the
latter, the cars. The later plant is an option on the factor of
:class:`~coachbuilder.deal.real_option.DemandProcess`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.deal.cashflow import MONTHS_PER_YEAR, Calendar, discount_factors
from coachbuilder.deal.evaluate import evaluate
from coachbuilder.deal.interface import DealInputs, OwnPlant
from coachbuilder.deal.real_option import DemandProcess, FactorGrid, hermite_rule, stop_by_regression, stop_on_grid

if TYPE_CHECKING:
    from coachbuilder.deal.interface import DealResult
    from coachbuilder.programme.sections.routes import RoutesSection

Vector = NDArray[np.float64]

CONTRACT, OWN_PLANT, REFITTED_PLANT = "contract", "own plant", "refitted plant"
"""Names of the routes."""

VOLUMES = 48
"""Volumes at which a car's cost is told."""
LEAST_VOLUME_SHARE = 0.05
"""The smallest of them over the largest capacity."""
FACTORS = 33
"""Demand factors at which cash is worked out; between them it is interpolated."""
FACTOR_REACH = 4.0
"""They reach so many standard deviations of the last year's logarithm to each side."""
PATHS = 20_000
"""Simulated paths, beside the grid."""


_Cost = Callable[[float], float | None]
"""What building a car costs by volume; None where none is built."""
_Curve = tuple[str, _Cost, tuple[float | None, ...]]
"""Name of a route, its cost, and the cost at the volumes told."""


@dataclass(frozen=True, slots=True)
class RoutesInputs:
    """What else the brand could do than sign, and how unsure demand is."""

    process: DemandProcess
    """How demand moves around what is expected."""
    leaving_cost_cny: float
    """What leaving the contract for an own plant costs."""
    refitted_plant: OwnPlant | None
    """An old plant bought with its licence and refitted; price and refit are its investment."""
    seed: int
    """Seed of the simulated paths."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way to have the cars built."""

    name: str
    """'contract', 'own plant' or 'refitted plant'."""
    investment_cny: float
    """What the brand invests in plant and equipment for this route alone."""
    host_investment_cny: float
    """What the host invests."""
    start_month: float
    """Months from month 0 to the start of production."""
    capacity_units_per_year: float
    """Cars a year that it can build."""
    units: float
    """Cars sold within the horizon, on the programme's demand."""
    npv_cny: float
    """Net present value for the brand, on the programme's demand."""
    peak_cash_need_cny: float
    """Largest cumulated outflow of the brand."""
    unit_cost_cny: tuple[float | None, ...]
    """What building a car costs the brand, levelised, by volume; None beyond the capacity, or if it starts too late."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A volume at which two routes cost the same a car."""

    cheaper_below: str
    """Route that costs less just below it."""
    cheaper_above: str
    """Route that costs less just above it."""
    units_per_year: float
    """The volume, every year of production."""
    unit_cost_cny: float
    """What a car costs there."""


@dataclass(frozen=True, slots=True)
class Flexibility:
    """What it is worth to start under the contract and to build later, if demand turns out well."""

    plant: str
    """The plant that would be built."""
    years: tuple[int, ...]
    """Calendar years at whose beginning may be decided; the first is now."""
    value_cny: float
    """Value of the right to build, over keeping the contract for ever; found on the grid."""
    simulated_value_cny: float
    """The same by least-squares Monte Carlo."""
    simulated_error_cny: float
    """Its standard error."""
    best_fixed_value_cny: float
    """Value, over the contract for ever, of the best year to build if that year is fixed today; 0 if none is."""
    best_fixed_year: int | None
    """That year; None if the contract for ever is best."""
    option_value_cny: float
    """What deciding later is worth: the one less the other."""
    building_probability: float
    """Share of the simulated paths on which the plant is built."""
    building_probability_by_year: tuple[float, ...]
    """The same by year of the decision."""
    least_factor_by_year: tuple[float | None, ...]
    """Demand over what was expected from which on building is right, by year; None if it never is."""


@dataclass(frozen=True, slots=True)
class RoutesResult:
    """Make or contract."""

    volumes_units_per_year: Vector
    """Volumes at which a car's cost is told, shape (volumes,)."""
    routes: tuple[Route, ...]
    """The contract first."""
    crossings: tuple[Crossing, ...]
    """All volumes at which two routes cost the same, by pair and ascending, as far as the volumes told are apart."""
    best: str
    """The route with the highest value on the programme's demand."""
    flexibility: tuple[Flexibility, ...]
    """Building later, by plant; empty where the spread of demand is not given."""


def routes_inputs_from(section: RoutesSection, seed: int) -> RoutesInputs:
    """Take the routes from a programme.

    Parameters
    ----------
    section
        The routes section of programme.toml.
    seed
        Seed of the simulated paths.
    """
    refitted = section.refitted_plant
    return RoutesInputs(
        process=DemandProcess(section.demand_volatility_share.value, section.demand_reversion_per_year.value),
        leaving_cost_cny=section.leaving_cost_cny.value,
        refitted_plant=None
        if refitted is None
        else OwnPlant(
            investment_cny=refitted.investment_cny.value + refitted.licence_cny.value,
            construction_months=refitted.construction_months,
            capacity_units_per_year=refitted.capacity_units_per_year.value,
            later_months=refitted.later_months.value,
            ramp_months=refitted.ramp_months.value,
            labour_hours_share=refitted.labour_hours_share.value,
            fixed_cost_cny_per_year=refitted.fixed_cost_cny_per_year.value,
            useful_life_years=refitted.useful_life_years,
            residual_share=refitted.residual_share.value,
        ),
        seed=seed,
    )


def make_or_contract(inputs: DealInputs, result: DealResult, routes: RoutesInputs | None) -> RoutesResult:
    """Return the routes, where they cross, and what building later is worth.

    Parameters
    ----------
    inputs
        The deal.
    result
        The deal worked out.
    routes
        The other routes and the spread of demand; without them there are the contract and the own plant alone.
    """
    inputs = replace(inputs, with_break_even=False)
    plants = {OWN_PLANT: inputs.own_plant}
    if routes is not None and routes.refitted_plant is not None:
        plants[REFITTED_PLANT] = routes.refitted_plant
    capacity = {CONTRACT: inputs.contracted_capacity_units_per_year} | {
        name: plant.capacity_units_per_year for name, plant in plants.items()
    }
    largest = max(capacity.values())
    volumes = np.unique(
        np.concatenate([np.linspace(LEAST_VOLUME_SHARE * largest, largest, VOLUMES), list(capacity.values())])
    )

    def cost_of(deal: DealInputs, npv: Callable[[DealResult], float]) -> _Cost:
        return lambda units: _levelised(deal, units, npv)

    costs = {CONTRACT: cost_of(inputs, lambda found: found.brand.npv_cny)}
    for name, plant in plants.items():
        costs[name] = cost_of(replace(inputs, own_plant=plant), lambda found: found.own_plant.npv_cny)
    months = inputs.demand_units_by_month.size
    starts = {name: inputs.start_month + plant.later_months for name, plant in plants.items()}
    # What starts beyond the horizon builds no car that could cost something.
    most = {name: capacity[name] if starts.get(name, inputs.start_month) < months else 0.0 for name in costs}
    told = {
        name: tuple(cost(units) if units <= most[name] else None for units in volumes.tolist())
        for name, cost in costs.items()
    }
    found = [_contract_route(inputs, result, told[CONTRACT])]
    for name, plant in plants.items():
        own = evaluate(replace(inputs, own_plant=plant)).own_plant
        found.append(
            Route(
                name=name,
                investment_cny=plant.investment_cny,
                host_investment_cny=0.0,
                start_month=own.start_month,
                capacity_units_per_year=plant.capacity_units_per_year,
                units=own.units,
                npv_cny=own.npv_cny,
                peak_cash_need_cny=own.peak_cash_need_cny,
                unit_cost_cny=told[name],
            )
        )
    return RoutesResult(
        volumes_units_per_year=volumes,
        routes=tuple(found),
        crossings=tuple(
            crossing
            for one, other in combinations(costs, 2)
            for crossing in _crossings((one, costs[one], told[one]), (other, costs[other], told[other]), volumes)
        ),
        best=max(found, key=lambda route: route.npv_cny).name,
        flexibility=()
        if routes is None
        else tuple(flexibility(inputs, routes, name, plant) for name, plant in plants.items()),
    )


def flexibility(
    inputs: DealInputs, routes: RoutesInputs, name: str, plant: OwnPlant, paths: int = PATHS
) -> Flexibility:
    """Return what it is worth to start under the contract and to build a plant later.

    At the beginning of each calendar year the brand sees by what factor demand differs from what was expected, and may
    build; the contract then serves until the plant starts, and is left for a price. A year's cash is that of the deal
    at the year's factor, held for all years; development, tooling, the brand's fixed cost and the money bound in stock
    are the same either way and left out.

    Parameters
    ----------
    inputs
        The deal.
    routes
        Spread of demand and cost of leaving.
    name, plant
        The plant that may be built.
    paths
        Simulated paths, a multiple of 4.
    """
    calendar = Calendar.of(inputs)
    months = inputs.demand_units_by_month.size
    starts = calendar.first_months.astype(np.float64)
    dates = starts / MONTHS_PER_YEAR
    last_years = dates[-1] if routes.process.volatility_share > 0 else 0.0
    reach = FACTOR_REACH * routes.process.log_deviation(float(last_years))
    table = np.exp(np.linspace(-reach, reach, FACTORS)) if reach > 0 else np.array([1.0])
    # Investments of the brand are paid by then or needed anyway; the host's are what depreciation passed through is of.
    bare = replace(
        inputs,
        investments=tuple(item for item in inputs.investments if not item.paid_by_brand),
        brand_fixed_cost_cny_per_year=0.0,
        inventory_days=0.0,
        payable_days=0.0,
        fee_payable_days=0.0,
        own_plant=plant,
        with_break_even=False,
    )
    begins = np.maximum(inputs.start_month + plant.later_months, starts + plant.construction_months)
    possible = begins < months
    own = np.zeros((starts.size, FACTORS if reach > 0 else 1, starts.size))
    contract = np.empty((own.shape[1], months))
    for column, factor in enumerate(table.tolist()):
        deal = replace(bare, demand_units_by_month=factor * inputs.demand_units_by_month)
        contract[column] = evaluate(deal).brand.cash_cny_by_month
        without_host = replace(deal, investments=())
        for row in np.flatnonzero(possible).tolist():
            later = replace(plant, later_months=float(begins[row]) - inputs.start_month)
            own[row, column] = evaluate(replace(without_host, own_plant=later)).own_plant.cash_cny_by_year
    month_factors = discount_factors(months, inputs.brand_discount_rate)
    middles = ((calendar.first_months + calendar.last_months) // 2).astype(np.int64)
    year_factors = month_factors[middles]
    leaving = routes.leaving_cost_cny * (1 + inputs.brand_discount_rate) ** (-begins / MONTHS_PER_YEAR)
    # From the start of the plant on the contract's cash is forgone.
    kept = np.clip(np.arange(1, months + 1) - begins[:, None], 0.0, 1.0)
    forgone = np.stack([calendar.by_year(contract * share * month_factors) for share in kept])
    gain = own * year_factors - forgone  # by decision, factor and year

    grid = FactorGrid.of(routes.process, dates)
    reward = np.full(grid.factors.shape, -np.inf)
    for row in np.flatnonzero(possible).tolist():
        ahead = np.zeros(grid.factors.shape[1])
        for year in range(starts.size - 1, row - 1, -1):
            cash = np.interp(grid.factors[year], table, gain[row, :, year])
            ahead = cash + (grid.before(year, ahead) if year < starts.size - 1 else 0.0)
        reward[row] = ahead - leaving[row]
    value, stops = stop_on_grid(grid, reward)
    middle = grid.factors.shape[1] // 2
    fixed = _seen_today(grid, reward, possible, middle)
    best = int(np.argmax(fixed))
    decisions = int(possible.sum())  # the later the decision the later the plant: those possible come first
    path = routes.process.paths(dates, paths, routes.seed)
    realised = np.empty((decisions, paths))
    for row in range(decisions):
        by_year = (np.interp(path[year], table, gain[row, :, year]) for year in range(row, starts.size))
        realised[row] = sum(by_year, np.zeros(paths)) - leaving[row]
    simulated = stop_by_regression(path[:decisions], realised, known=False)
    best_value = max(float(fixed[best]), 0.0)
    return Flexibility(
        plant=name,
        years=calendar.years[:decisions],
        value_cny=value,
        simulated_value_cny=simulated.value,
        simulated_error_cny=simulated.error,
        best_fixed_value_cny=best_value,
        best_fixed_year=calendar.years[best] if fixed[best] > 0 else None,
        option_value_cny=max(value - best_value, 0.0),
        building_probability=float(simulated.stopped_share.sum()),
        building_probability_by_year=tuple(simulated.stopped_share.tolist()),
        least_factor_by_year=tuple(
            float(grid.factors[row, int(np.argmax(stops[row]))]) if stops[row].any() else None
            for row in range(decisions)
        ),
    )


def _seen_today(grid: FactorGrid, reward: Vector, possible: NDArray[np.bool_], middle: int) -> Vector:
    """Return the mean of each date's reward as seen today, -inf where it is forbidden."""
    means = np.full(possible.size, -np.inf)
    for row in np.flatnonzero(possible).tolist():
        seen = reward[row]
        for date in range(row - 1, -1, -1):
            seen = grid.before(date, seen)
        means[row] = seen[middle]
    return means


def _contract_route(inputs: DealInputs, result: DealResult, costs: tuple[float | None, ...]) -> Route:
    spent = {
        by_brand: sum(
            item.amount_cny
            for item in inputs.investments
            if item.paid_by_brand is by_brand and item.for_host_plant_only
        )
        for by_brand in (True, False)
    }
    return Route(
        name=CONTRACT,
        investment_cny=spent[True],
        host_investment_cny=spent[False],
        start_month=inputs.start_month,
        capacity_units_per_year=inputs.contracted_capacity_units_per_year,
        units=result.sales_units,
        npv_cny=result.brand.npv_cny,
        peak_cash_need_cny=result.brand.peak_cash_need_cny,
        unit_cost_cny=costs,
    )


def _levelised(inputs: DealInputs, units_per_year: float, npv: Callable[[DealResult], float]) -> float | None:
    """Return what building a car costs the brand by one route, levelised, before tax; None if none is built."""
    months = inputs.demand_units_by_month.size
    producing = np.clip(np.arange(1, months + 1) - inputs.start_month, 0.0, 1.0) / MONTHS_PER_YEAR
    # The host stands ready for all that is reserved, so that a floor is felt below it.
    ready = max(units_per_year, inputs.contracted_capacity_units_per_year)
    given_away = replace(
        inputs,
        demand_units_by_month=units_per_year * producing,
        guest_output_units_by_month=ready * producing,
        resident_units_lost_by_month=np.zeros(months),
        price_cny_by_month=np.zeros(months),
        value_added_tax_rate=0.0,
        sales_margin_share=0.0,
        credit_cny_per_car=0.0,
        parts_cost_by_item_cny=dict.fromkeys(inputs.parts_cost_by_item_cny, 0.0),
        logistics_cny=0.0,
        warranty_share=0.0,
        investments=tuple(item for item in inputs.investments if item.for_host_plant_only),
        brand_fixed_cost_cny_per_year=0.0,
        inventory_days=0.0,
        payable_days=0.0,
        fee_payable_days=0.0,
        brand_tax_rate=0.0,
        with_break_even=False,
    )
    free = replace(
        given_away,
        clauses=(),
        investments=(),
        wage_cny_per_h=0.0,
        energy_and_consumables_cny=0.0,
        rework_cny=0.0,
        own_plant=replace(inputs.own_plant, investment_cny=0.0, fixed_cost_cny_per_year=0.0),
    )
    # What else a car brings is in all three and falls out of the differences.
    nothing = npv(evaluate(free))
    cars = npv(evaluate(replace(free, price_cny_by_month=np.ones(months)))) - nothing
    return (nothing - npv(evaluate(given_away))) / cars if cars > 0 else None


def _crossings(one: _Curve, other: _Curve, volumes: Vector) -> list[Crossing]:
    from scipy.optimize import brentq

    def apart(units: float) -> float:
        first, second = one[1](units), other[1](units)
        return 0.0 if first is None or second is None else first - second

    found = []
    both = [
        (units, first - second)
        for units, first, second in zip(volumes.tolist(), one[2], other[2], strict=True)
        if first is not None and second is not None
    ]
    for (low, before), (high, after) in pairwise(both):
        if (before > 0) is not (after > 0):
            units = float(brentq(apart, low, high, xtol=1e-6 * high))
            below, above = (one[0], other[0]) if before <= 0 else (other[0], one[0])
            found.append(Crossing(below, above, units, one[1](units) or 0.0))
    return found


def lognormal_nodes(process: DemandProcess, years: float, count: int = 5) -> tuple[tuple[float, float], ...]:
    """Return factors on demand with their probabilities that stand for its spread after so many years.

    Parameters
    ----------
    process
        How demand moves.
    years
        After so many years.
    count
        Points of the Gauss-Hermite rule.

    Examples
    --------
    >>> nodes = lognormal_nodes(DemandProcess(0.3, 0.0), 4.0)
    >>> round(sum(factor * chance for factor, chance in nodes), 9)
    1.0
    """
    points, chances = hermite_rule(count)
    spread = process.log_deviation(years)
    factors = np.exp(spread * points - spread**2 / 2)
    mean = math.fsum((factors * chances).tolist())
    return tuple(zip((factors / mean).tolist(), chances.tolist(), strict=True))
