"""Contract forms against the newsvendor's closed forms, numeric integration and simulated demand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from coachbuilder.deal import coordination as co

CHAIN = co.Chain(margin_cny_per_car=30_000.0, building_cny_per_car=6_000.0, capacity_cny_per_car=4_000.0)
FEE = 12_000.0
NORMAL = co.NormalDemand(60_000.0, 15_000.0)
LOGNORMAL = co.LognormalDemand(55_000.0, 0.4)
EMPIRICAL = co.EmpiricalDemand.of(np.random.default_rng(5).gamma(9.0, 6_000.0, 4_001))
DEMANDS = {"normal": NORMAL, "lognormal": LOGNORMAL, "empirical": EMPIRICAL}
REFERENCES = {
    "normal": stats.norm(60_000.0, 15_000.0),
    "lognormal": stats.lognorm(0.4, scale=55_000.0),
}


@pytest.mark.parametrize("name", ["normal", "lognormal"])
@pytest.mark.parametrize("units", [12_000.0, 48_000.0, 60_000.0, 95_000.0, 150_000.0])
def test_expected_sales_are_the_integral_of_the_chance_to_sell_another_car(name: str, units: float) -> None:
    # E min(D, R) = R - integral of F up to R, F from scipy: neither the closed form nor its density is used.
    reference = REFERENCES[name]
    low = reference.ppf(1e-18) if name == "normal" else 0.0
    missed, _ = quad(reference.cdf, low, units, epsabs=0, epsrel=1e-12, limit=400)
    assert DEMANDS[name].expected_sales(units) == pytest.approx(units - missed, rel=1e-9)


@pytest.mark.parametrize("name", ["normal", "lognormal"])
def test_quantiles_and_probabilities_are_those_of_the_distribution(name: str) -> None:
    demand, reference = DEMANDS[name], REFERENCES[name]
    for probability in (0.01, 0.3, 0.5, 0.8, 0.99):
        assert demand.quantile(probability) == pytest.approx(reference.ppf(probability), rel=1e-12)
        assert demand.probability(demand.quantile(probability)) == pytest.approx(probability, rel=1e-12)
    assert demand.mean_units == pytest.approx(reference.mean(), rel=1e-12)


def test_empirical_demand_is_the_mean_over_its_numbers() -> None:
    demand = co.EmpiricalDemand.of([30.0, 10.0, 20.0, 40.0])
    assert demand.expected_sales(25.0) == (10 + 20 + 25 + 25) / 4
    assert [demand.quantile(share) for share in (0.1, 0.25, 0.26, 0.75, 0.99)] == [10.0, 10.0, 20.0, 30.0, 40.0]
    assert demand.probability(20.0) == 0.5
    with pytest.raises(ValueError, match="at least one number"):
        co.EmpiricalDemand.of([])


@pytest.mark.parametrize("name", ["normal", "lognormal"])
def test_a_deductible_reservation_fee_stops_at_the_published_quantile(name: str) -> None:
    found = co.deductible_reservation(CHAIN, DEMANDS[name], FEE, 5_000.0)
    p, w, r = 30_000.0, FEE, 5_000.0
    assert REFERENCES[name].cdf(found.reserved_units) == pytest.approx((p - w) / (p - w + r), rel=1e-9)


@pytest.mark.parametrize("name", ["normal", "lognormal"])
def test_full_take_or_pay_stops_at_the_published_quantile(name: str) -> None:
    found = co.take_or_pay(CHAIN, DEMANDS[name], FEE)
    assert REFERENCES[name].cdf(found.reserved_units) == pytest.approx((30_000.0 - FEE) / 30_000.0, rel=1e-9)


def test_a_full_floor_is_the_reservation_fee_and_a_fully_paid_one_is_take_or_pay() -> None:
    for paid in (0.3, 1.0):
        floor = co.take_or_pay_floor(CHAIN, LOGNORMAL, FEE, 1.0, paid)
        same = co.deductible_reservation(CHAIN, LOGNORMAL, FEE, paid * FEE)
        assert floor.reserved_units == pytest.approx(same.reserved_units, rel=1e-9)
        assert floor.brand_profit_cny == pytest.approx(same.brand_profit_cny, rel=1e-9)
        assert floor.host_profit_cny == pytest.approx(same.host_profit_cny, rel=1e-9)
    full = co.take_or_pay(CHAIN, LOGNORMAL, FEE)
    assert floor.reserved_units == pytest.approx(full.reserved_units, rel=1e-9)
    assert floor.brand_profit_cny == pytest.approx(full.brand_profit_cny, rel=1e-9)


Pay = Callable[[np.ndarray, float], np.ndarray]
"""What the brand pays the host by demand, at a number of places."""

FORMS: dict[str, tuple[Callable[[co.Demand], co.ContractOutcome], Pay, str]] = {
    "wholesale": (lambda d: co.wholesale(CHAIN, d, FEE), lambda d, r: FEE * np.minimum(d, r), "host"),
    "reservation": (
        lambda d: co.deductible_reservation(CHAIN, d, FEE, 5_000.0),
        lambda d, r: 5_000.0 * r + (FEE - 5_000.0) * np.minimum(d, r),
        "brand",
    ),
    "take or pay": (lambda d: co.take_or_pay(CHAIN, d, FEE), lambda d, r: FEE * r + 0 * d, "brand"),
    "floor": (
        lambda d: co.take_or_pay_floor(CHAIN, d, FEE, 0.7, 0.5),
        lambda d, r: FEE * np.minimum(d, r) + 0.5 * FEE * np.maximum(0.7 * r - d, 0.0),
        "brand",
    ),
    "cost sharing": (
        lambda d: co.cost_sharing(CHAIN, d, FEE, 0.4),
        lambda d, r: FEE * np.minimum(d, r) + 0.4 * 4_000.0 * r,
        "brand",
    ),
    "revenue sharing": (
        lambda d: co.revenue_sharing(CHAIN, d, 0.35),
        lambda d, r: (0.65 * 30_000.0 + 0.35 * 6_000.0) * np.minimum(d, r) + 0.35 * 4_000.0 * r,
        "brand",
    ),
}


def profits(demand: np.ndarray, places: float, pay: Pay) -> tuple[np.ndarray, np.ndarray]:
    """Return both sides' profits demand by demand, from who pays what: no closed form is used."""
    built = np.minimum(demand, places)
    paid = pay(demand, places)
    return 30_000.0 * built - paid, paid - 6_000.0 * built - 4_000.0 * places


@pytest.mark.parametrize("form", FORMS)
def test_mean_profits_agree_with_a_simulated_year(form: str) -> None:
    outcome_of, pay, _ = FORMS[form]
    outcome = outcome_of(LOGNORMAL)
    demand = LOGNORMAL.median_units * np.exp(0.4 * np.random.default_rng(11).standard_normal(400_000))
    both = profits(demand, outcome.reserved_units, pay)
    for simulated, told in zip(both, (outcome.brand_profit_cny, outcome.host_profit_cny), strict=True):
        error = float(simulated.std()) / math.sqrt(simulated.size)
        assert float(simulated.mean()) == pytest.approx(told, abs=4 * error)


@pytest.mark.parametrize("form", FORMS)
def test_on_listed_demands_profits_are_exact_and_no_other_number_of_places_pays_the_decider_more(form: str) -> None:
    outcome_of, pay, decider = FORMS[form]
    outcome = outcome_of(EMPIRICAL)
    brand, host = (float(side.mean()) for side in profits(EMPIRICAL.ascending_units, outcome.reserved_units, pay))
    assert outcome.brand_profit_cny == pytest.approx(brand, rel=1e-9)
    assert outcome.host_profit_cny == pytest.approx(host, rel=1e-9)
    side = 0 if decider == "brand" else 1
    best = (brand, host)[side]
    tried = np.linspace(0.0, float(EMPIRICAL.ascending_units[-1]) * 1.1, 800)
    assert max(float(profits(EMPIRICAL.ascending_units, units, pay)[side].mean()) for units in tried) <= best * (
        1 + 1e-12
    )


@pytest.mark.parametrize("name", DEMANDS)
def test_the_two_as_one_earn_the_most_that_any_number_of_places_earns(name: str) -> None:
    demand = DEMANDS[name]
    best = co.centralised(CHAIN, demand)
    other = minimize_scalar(
        lambda units: -(24_000.0 * demand.expected_sales(units) - 4_000.0 * units),
        bounds=(1_000.0, 300_000.0),
        method="bounded",
        options={"xatol": 1e-3},
    )
    assert best.chain_profit_cny == pytest.approx(-other.fun, rel=1e-9)
    assert best.chain_profit_cny >= -other.fun * (1 - 1e-12)


def test_the_coordinating_terms_coordinate() -> None:
    best = co.centralised(CHAIN, LOGNORMAL)
    reservation = co.deductible_reservation(CHAIN, LOGNORMAL, FEE, 5_000.0).coordinating_value
    fee = co.take_or_pay(CHAIN, LOGNORMAL, FEE).coordinating_value
    shared = co.cost_sharing(CHAIN, LOGNORMAL, FEE, 0.4).coordinating_value
    paid = co.take_or_pay_floor(CHAIN, LOGNORMAL, FEE, 0.7, 0.5).coordinating_value
    assert reservation is not None and fee is not None and shared is not None and paid is not None
    coordinated = [
        co.deductible_reservation(CHAIN, LOGNORMAL, FEE, reservation),
        co.take_or_pay(CHAIN, LOGNORMAL, fee),
        co.cost_sharing(CHAIN, LOGNORMAL, FEE, shared),
        co.take_or_pay_floor(CHAIN, LOGNORMAL, FEE, 0.7, paid),
        co.revenue_sharing(CHAIN, LOGNORMAL, 0.2),
        co.revenue_sharing(CHAIN, LOGNORMAL, 0.9),
    ]
    for outcome in coordinated:
        assert outcome.reserved_units == pytest.approx(best.reserved_units, rel=1e-9)
        assert outcome.chain_profit_cny == pytest.approx(best.chain_profit_cny, rel=1e-9)
        assert outcome.lost_cny == pytest.approx(0.0, abs=1e-9 * best.chain_profit_cny)
    # By hand: r = (p - w) k / (p - c - k), w = p k / (p - c), l = (p - w) / (p - c).
    assert reservation == pytest.approx(18_000 * 4_000 / 20_000, rel=1e-12)
    assert fee == pytest.approx(30_000 * 4_000 / 24_000, rel=1e-12)
    assert shared == pytest.approx(18_000 / 24_000, rel=1e-12)


def test_with_costs_shared_to_coordinate_the_host_wants_the_same_places() -> None:
    share = 18_000 / 24_000
    outcome = co.cost_sharing(CHAIN, LOGNORMAL, FEE, share)
    hosts_own = LOGNORMAL.quantile(co.critical_share(FEE - 6_000.0, (1 - share) * 4_000.0))
    assert outcome.reserved_units == pytest.approx(hosts_own, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    margin=st.floats(8_000.0, 60_000.0),
    fee=st.floats(1_000.0, 50_000.0),
    floor=st.floats(0.05, 1.0),
    paid=st.floats(0.05, 1.0),
    shared=st.floats(0.0, 1.0),
    spread=st.floats(0.05, 0.8),
)
def test_no_form_earns_more_than_the_two_as_one_and_the_parts_add_up(
    margin: float, fee: float, floor: float, paid: float, shared: float, spread: float
) -> None:
    chain = co.Chain(margin, 4_000.0, 2_500.0)
    result = co.compare(
        chain,
        co.LognormalDemand.of_mean(40_000.0, spread),
        fee_cny_per_car=fee,
        floor_share=floor,
        paid_share=paid,
        cost_paid_share=shared,
        deviation_share=spread,
    )
    best = result.outcomes[0].chain_profit_cny
    for outcome in result.outcomes[1:]:
        assert outcome.lost_cny >= -1e-9 * max(best, 1.0)
        assert outcome.brand_profit_cny + outcome.host_profit_cny == pytest.approx(
            outcome.chain_profit_cny, rel=1e-12, abs=1e-3
        )
        assert math.isfinite(outcome.reserved_units)
        assert 0 <= outcome.expected_sales_units <= outcome.reserved_units + 1e-6


def test_a_brand_that_pays_nothing_for_places_gets_what_the_host_builds_of_its_own() -> None:
    outcome = co.take_or_pay_floor(CHAIN, LOGNORMAL, FEE, 0.5, 0.0)
    assert outcome.reserved_units == co.wholesale(CHAIN, LOGNORMAL, FEE).reserved_units
    assert "without end" in outcome.note


def test_a_chain_that_cannot_earn_builds_nothing_and_free_places_are_refused() -> None:
    poor = co.Chain(9_000.0, 6_000.0, 4_000.0)
    assert co.centralised(poor, LOGNORMAL).reserved_units == 0.0
    assert co.coordinating_reservation(poor, FEE) is None
    with pytest.raises(ValueError, match="place above 0"):
        co.Chain(9_000.0, 6_000.0, 0.0)
