"""Nested demand: closed forms, limits, courses of prices, entrants, the brand's standing, draws."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.market.demand import (
    DemandInputs,
    Entrant,
    MarketSize,
    PriceStep,
    Rival,
    demand_by_year,
    evaluate_demand,
)
from coachbuilder.market.demand.logit import choice_shares, invert_shares
from coachbuilder.market.demand.nested import invert_nested_shares, nested_shares, utility_derivatives
from coachbuilder.programme.sections.market import Owner, RangeProcedure

OPEN = (MarketSize(2020, 1e6, 9e6, "2020"), MarketSize(2025, 3e6, 7e6, "2025"))
CLOSED = tuple(replace(item, outside_units=0.0) for item in OPEN)


def demand_inputs(**changes: Any) -> DemandInputs:
    inputs = DemandInputs(
        first_year=2020,
        horizon_years=6,
        snapshot_year=2020,
        range_procedure=RangeProcedure.CLTC,
        market=OPEN,
        market_growth_after_rate=0.05,
        rivals=(
            Rival("a", "A", Owner.OTHER, True, 250e3, 450.0, 100e3, 12),
            Rival("b", "B", Owner.HOST, True, 110e3, 400.0, 20e3, 6),
            Rival("petrol", "Petrol", Owner.OTHER, False, 120e3, None, 300e3, 12, is_electric=False),
        ),
        price_elasticity=3.0,
        range_elasticity=1.2,
        rival_price_change_rate=-0.03,
        rival_range_growth_rate=0.04,
        rival_entry_rate=0.1,
        guest_price_cny=150e3,
        guest_price_change_rate=-0.02,
        guest_range_km=480.0,
        guest_appeal_cny=5e3,
        nest_parameter=0.6,
    )
    return replace(inputs, **changes)


def electric_only(**changes: Any) -> DemandInputs:
    return demand_inputs(rivals=demand_inputs().rivals[:2], **changes)


markets = st.builds(
    lambda utility, inside, sigma: (np.array(utility), np.array(inside[: len(utility)]), sigma),
    st.lists(st.floats(-4, 4), min_size=2, max_size=7),
    st.lists(st.booleans(), min_size=7, max_size=7),
    st.floats(0, 0.9),
)

# ------------------------------------------------------------------------------------------------ closed forms


@given(markets)
def test_inversion_undoes_the_nested_shares(market: tuple[np.ndarray, np.ndarray, float]) -> None:
    utility, inside, sigma = market
    found = nested_shares(utility, inside, sigma)
    assert float(found.share.sum() + found.outside_share) == pytest.approx(1.0, abs=1e-12)
    assert invert_nested_shares(found.share, inside, sigma) == pytest.approx(utility, abs=1e-9)


def test_inversion_of_the_shares_of_a_market_is_exact_to_twelve_digits() -> None:
    share = np.array([0.02, 0.15, 0.31, 0.003, 0.11])
    inside = np.array([True, True, False, True, False])
    for sigma in (0.0, 0.3, 0.7, 0.95):
        back = nested_shares(invert_nested_shares(share, inside, sigma), inside, sigma).share
        assert np.max(np.abs(back / share - 1)) < 1e-12


@given(markets)
def test_nest_without_correlation_is_the_plain_logit(market: tuple[np.ndarray, np.ndarray, float]) -> None:
    utility, inside, _ = market
    plain, outside = choice_shares(utility)
    found = nested_shares(utility, inside, 0.0)
    assert found.share == pytest.approx(plain, rel=1e-12)
    assert float(found.outside_share) == pytest.approx(float(outside), rel=1e-12)
    assert invert_nested_shares(plain, inside, 0.0) == pytest.approx(invert_shares(plain), rel=1e-12)


@settings(max_examples=50)
@given(markets)
def test_derivatives_are_those_of_the_shares(market: tuple[np.ndarray, np.ndarray, float]) -> None:
    utility, inside, sigma = market
    slope = utility_derivatives(nested_shares(utility, inside, sigma), inside, sigma)
    step = 1e-5
    for good in range(utility.size):
        move = step * np.eye(utility.size)[good]
        up, down = (nested_shares(utility + sign * move, inside, sigma).share for sign in (1, -1))
        assert slope[:, good] == pytest.approx((np.log(up) - np.log(down)) / (2 * step), abs=1e-5)


def test_good_that_is_not_on_sale_leaves_the_others_as_they_are_without_it() -> None:
    utility = np.array([0.3, -0.2, -np.inf])
    inside = np.array([True, False, True])
    assert nested_shares(utility, inside, 0.5).share[:2] == pytest.approx(
        nested_shares(utility[:2], inside[:2], 0.5).share, rel=1e-14
    )
    nobody = nested_shares([-np.inf, 0.0], [True, False], 0.5)
    assert (nobody.nest_share, nobody.outside_share) == (0.0, 0.5)


@pytest.mark.parametrize("share", [[0.5, 0.5], [0.0, 0.3], [0.9, 0.3]])
def test_shares_that_leave_nothing_outside_cannot_be_inverted(share: list[float]) -> None:
    with pytest.raises(ValueError, match="above 0 and sum to less than 1"):
        invert_nested_shares(share, [True, True], 0.5)


@given(markets, st.floats(-4, 4))
def test_newcomer_to_the_nest_costs_its_cars_a_larger_part_than_those_outside(
    market: tuple[np.ndarray, np.ndarray, float], newcomer: float
) -> None:
    utility, inside, sigma = market
    before = nested_shares(utility, inside, sigma)
    after = nested_shares([*utility, newcomer], [*inside, True], sigma)
    kept = after.share[:-1] / before.share
    kept_outside = float(after.outside_share / before.outside_share)
    assert kept[~inside] == pytest.approx(kept_outside, rel=1e-9)
    assert np.all(kept[inside] <= kept_outside * (1 + 1e-9))
    if sigma > 0.05 and inside.any() and after.share_in_nest[-1] > 1e-6:
        assert np.all(kept[inside] < kept_outside)
        assert np.ptp(kept[inside]) < 1e-9


# --------------------------------------------------------------------------------------------- demand over years


def plain_logit_units(inputs: DemandInputs) -> list[float]:
    """Guest cars by year of the plain logit, written out once more from its textbook form."""
    found = []
    sold = [rival.units * 12 / rival.months_on_sale for rival in inputs.rivals]
    mean_price = sum(rival.price_cny * units for rival, units in zip(inputs.rivals, sold, strict=True)) / sum(sold)
    slope = inputs.price_elasticity / mean_price
    rest = inputs.market[0].units - sum(sold)
    constants = [
        math.log(units / rest) + slope * rival.price_cny - inputs.range_elasticity * math.log(rival.range_km)
        for rival, units in zip(inputs.rivals, sold, strict=True)
    ]
    guest = sum(constants) / len(constants) + slope * inputs.guest_appeal_cny
    first, last = inputs.market
    for year in range(inputs.first_year, inputs.first_year + inputs.horizon_years + 1):
        passed = min((year - first.year) / (last.year - first.year), 1.0)
        size = first.units * (last.units / first.units) ** passed
        size *= (1 + inputs.market_growth_after_rate) ** max(year - last.year, 0)
        past = year - inputs.snapshot_year
        factor = (1 + inputs.rival_price_change_rate) ** past
        gain = inputs.range_elasticity * math.log(1 + inputs.rival_range_growth_rate) * past
        weights = [
            math.exp(
                constant - slope * rival.price_cny * factor + inputs.range_elasticity * math.log(rival.range_km) + gain
            )
            for constant, rival in zip(constants, inputs.rivals, strict=True)
        ]
        others = math.exp(slope * mean_price * (1 - factor) + gain + math.log(1 + inputs.rival_entry_rate) * past)
        price = inputs.guest_price_cny * (1 + inputs.guest_price_change_rate) ** (year - inputs.first_year)
        own = math.exp(guest - slope * price + inputs.range_elasticity * math.log(inputs.guest_range_km))
        found.append(size * own / (own + sum(weights) + others))
    return found


@pytest.mark.parametrize("sigma", [0.0, 0.5, 0.9])
def test_closed_segment_is_the_plain_logit_at_any_nest_parameter(sigma: float) -> None:
    inputs = electric_only(market=CLOSED, nest_parameter=sigma)
    result = evaluate_demand(inputs)
    assert result.units_per_year == pytest.approx(plain_logit_units(inputs), rel=1e-12)
    assert set(result.conquest_units_per_year) == {0.0}


def test_open_market_without_correlation_is_the_plain_logit_over_all_buyers() -> None:
    inputs = electric_only(nest_parameter=0.0, horizon_years=0)
    wider = tuple(MarketSize(item.year, item.units + item.outside_units) for item in OPEN)
    assert evaluate_demand(inputs).units_per_year == pytest.approx(
        plain_logit_units(replace(inputs, market=wider)), rel=1e-12
    )


def test_as_the_nest_closes_the_guest_takes_its_buyers_from_electric_cars_alone() -> None:
    closed = evaluate_demand(electric_only(market=CLOSED)).units_per_year
    gaps, conquests = [], []
    for sigma in (0.0, 0.5, 0.9, 0.95, 0.999999):
        found = evaluate_demand(electric_only(nest_parameter=sigma))
        gaps.append(found.units_per_year[3] / closed[3] - 1)
        conquests.append(found.conquest_units_per_year[3])
    assert gaps == sorted(gaps, reverse=True)
    assert conquests == sorted(conquests, reverse=True)
    assert gaps[-1] == pytest.approx(0.0, abs=1e-5)
    assert conquests[-1] / closed[3] < 1e-5
    assert gaps[0] > 1e-3


def test_snapshot_agrees_with_the_textbook_inversion_over_all_goods() -> None:
    """One market, two ways: by levels as the stage does, and by Berry's formula with the guest put in by hand."""
    inputs = demand_inputs(horizon_years=0)
    sigma, (a, b, petrol) = inputs.nest_parameter, inputs.rivals
    sold = np.array([a.units, b.units * 2, petrol.units])
    buyers = OPEN[0].units + OPEN[0].outside_units
    share = np.array([*sold, OPEN[0].units - sold[:2].sum()]) / buyers
    inside = np.array([True, True, False, True])
    utility = invert_nested_shares(share, inside, sigma)
    mean_price = (a.price_cny * sold[0] + b.price_cny * sold[1]) / sold[:2].sum()
    slope = (1 - sigma) * inputs.price_elasticity / mean_price
    reach = (1 - sigma) * inputs.range_elasticity
    constant = [
        utility[place] + slope * rival.price_cny - reach * math.log(rival.range_km)
        for place, rival in enumerate((a, b))
    ]
    guest = sum(constant) / 2 + slope * (inputs.guest_appeal_cny - inputs.guest_price_cny)
    guest += reach * math.log(inputs.guest_range_km)
    found = nested_shares([guest, *utility], [True, *inside], sigma)
    result = evaluate_demand(inputs)
    assert result.units_per_year[0] == pytest.approx(buyers * found.share[0], rel=1e-12)
    for place, rival in enumerate(result.rivals):
        assert rival.units_per_year[0] == pytest.approx(buyers * found.share[place + 1], rel=1e-12)


def test_forecast_holds_without_the_guest_in_every_year() -> None:
    result = evaluate_demand(demand_inputs(guest_appeal_cny=-5e6))
    assert max(result.units_per_year) < 1e-20
    entering = Entrant("e", "E", Owner.OTHER, 2022, 4, 200e3, 600.0, 0.0, "a")
    inputs = demand_inputs(entrants=(entering,))
    with_guest = evaluate_demand(inputs)
    for year, units in enumerate(with_guest.units_per_year):
        electric = [rival for rival in with_guest.rivals if rival.is_electric]
        lost = sum(rival.units_lost_per_year[year] for rival in electric) + with_guest.outside_units_lost_per_year[year]
        assert lost + with_guest.conquest_units_per_year[year] == pytest.approx(units, rel=1e-9)
        segment = with_guest.market_units_per_year[year] + with_guest.conquest_units_per_year[year]
        assert with_guest.share[year] == pytest.approx(units / segment, rel=1e-9)


def test_every_buyer_of_the_guest_is_taken_from_somewhere() -> None:
    for inputs in (demand_inputs(), electric_only(), electric_only(market=CLOSED)):
        result = evaluate_demand(inputs)
        shares = [rival.diversion_share for rival in result.rivals]
        shares += [result.others_diversion_share, result.no_plug_diversion_share]
        assert sum(shares) == pytest.approx(1.0, abs=1e-9)
        assert min(shares) >= 0
        peak = result.years.index(result.peak_year)
        petrol = sum(rival.diversion_share for rival in result.rivals if not rival.is_electric)
        assert result.conquest_units_per_year[peak] == pytest.approx(
            (petrol + result.no_plug_diversion_share) * result.units_per_year[peak], rel=1e-9
        )


def test_electric_rivals_lose_a_larger_part_than_cars_without_a_plug() -> None:
    a, b, petrol = evaluate_demand(demand_inputs()).rivals
    parts = [
        rival.units_lost_per_year[2] / (rival.units_per_year[2] + rival.units_lost_per_year[2])
        for rival in (a, b, petrol)
    ]
    assert parts[0] == pytest.approx(parts[1], rel=1e-9)
    assert parts[0] > 3 * parts[2] > 0
    plain = [
        rival.units_lost_per_year[2] / (rival.units_per_year[2] + rival.units_lost_per_year[2])
        for rival in evaluate_demand(demand_inputs(nest_parameter=0.0)).rivals
    ]
    assert plain[0] == pytest.approx(plain[2], rel=1e-9)


def test_elasticities_are_those_of_the_units() -> None:
    inputs = demand_inputs(horizon_years=0, entrants=())
    result = evaluate_demand(inputs)
    step = 1e-5

    def moved(sign: int) -> Any:
        return evaluate_demand(replace(inputs, guest_price_cny=inputs.guest_price_cny * math.exp(sign * step)))

    up, down = moved(1), moved(-1)
    own = math.log(up.units_per_year[0] / down.units_per_year[0]) / (2 * step)
    assert result.price_elasticity[0] == pytest.approx(own, rel=1e-6)
    for told, above, below in zip(result.rivals, up.rivals, down.rivals, strict=True):
        cross = math.log(above.units_per_year[0] / below.units_per_year[0]) / (2 * step)
        assert told.elasticity_to_guest_price == pytest.approx(cross, rel=1e-5)
    farther, nearer = (
        evaluate_demand(replace(inputs, guest_range_km=inputs.guest_range_km * math.exp(sign * step))).units_per_year[0]
        for sign in (1, -1)
    )
    assert result.range_elasticity[0] == pytest.approx(math.log(farther / nearer) / (2 * step), rel=1e-6)


def test_a_rivals_price_moves_the_guest_as_the_guests_moves_the_rival() -> None:
    """In units per CNY the two cross effects are one: the choice derives from one surplus."""
    result = evaluate_demand(demand_inputs(horizon_years=0))
    for rival in result.rivals:
        by_rival = rival.guest_elasticity_to_price * result.units_per_year[0] / rival.price_cny[0]
        by_guest = rival.elasticity_to_guest_price * rival.units_per_year[0] / result.price_cny[0]
        assert by_rival == pytest.approx(by_guest, rel=1e-12)
        assert by_rival > 0


# ------------------------------------------------------------------------------- prices, entrants, standing, draws


def test_courses_of_price_go_by_rate_and_by_step() -> None:
    steps = (PriceStep(2022, price_cny=130e3), PriceStep(2024, change_rate=-0.1), PriceStep(2025, 100e3, 0.0))
    own = (PriceStep(2023, change_rate=0.0),)
    inputs = demand_inputs(guest_price_steps=steps)
    inputs = replace(inputs, rivals=(replace(inputs.rivals[0], price_steps=own), *inputs.rivals[1:]))
    result = evaluate_demand(inputs)
    assert result.price_cny == pytest.approx(
        (150e3, 147e3, 130e3, 130e3 * 0.98, 130e3 * 0.98 * 0.9, 100e3, 100e3), rel=1e-12
    )
    rival = result.rivals[0].price_cny
    assert rival == pytest.approx([250e3 * 0.97 ** min(year, 2) for year in range(7)], rel=1e-12)
    assert result.rivals[1].price_cny[6] == pytest.approx(110e3 * 0.97**6)


def test_entrant_like_a_rival_sells_as_that_rival_from_its_month_on() -> None:
    twin = Entrant("twin", "Twin", Owner.HOST, 2021, 7, 250e3, 450.0, 0.0, "a")
    still = demand_inputs(rival_price_change_rate=0.0, rival_range_growth_rate=0.0, entrants=(twin,))
    result = evaluate_demand(still)
    model, new = result.rivals[0], result.rivals[3]
    assert new.units_per_year[0] == 0.0
    assert new.units_per_year[1] == pytest.approx(model.units_per_year[1] / 2, rel=1e-12)
    assert new.units_per_year[2] == pytest.approx(model.units_per_year[2], rel=1e-12)
    assert (new.entry_year, model.entry_year) == (2021, None)
    without = evaluate_demand(replace(still, entrants=()))
    assert result.units_per_year[0] == without.units_per_year[0]
    assert result.units_per_year[2] < without.units_per_year[2]
    assert result.host_units_lost_per_year[2] > without.host_units_lost_per_year[2]
    liked = evaluate_demand(replace(still, entrants=(replace(twin, appeal_cny=20e3, price_cny=270e3),)))
    assert liked.rivals[3].units_per_year == pytest.approx(new.units_per_year, rel=1e-12)


def test_standing_is_worth_what_the_same_sum_of_appeal_is() -> None:
    known = evaluate_demand(demand_inputs(home_market_share=0.112, standing_cny_per_point=500.0))
    liked = evaluate_demand(demand_inputs(guest_appeal_cny=5e3 + 5600.0))
    assert known.brand_standing_cny == pytest.approx(5600.0)
    assert known.units_per_year == pytest.approx(liked.units_per_year, rel=1e-12)


def test_draws_in_one_pass_are_those_one_by_one() -> None:
    entrant = Entrant("e", "E", Owner.HOST, 2022, 4, 180e3, 600.0, 2e3, "", (PriceStep(2024, 150e3),))
    inputs = demand_inputs(entrants=(entrant,), guest_price_steps=(PriceStep(2023, change_rate=-0.05),))
    rng = np.random.default_rng(7)
    section = "market.demand."
    drawn = {
        f"{section}nest_parameter": rng.uniform(0, 0.9, 5),
        f"{section}price_elasticity": rng.uniform(2, 5, 5),
        f"{section}guest_price_path.0.change_rate": rng.uniform(-0.1, 0.0, 5),
        f"{section}rival.a.price_cny": rng.uniform(2e5, 3e5, 5),
        f"{section}rival.petrol.sold_units": rng.uniform(2e5, 4e5, 5),
        f"{section}entrant.e.appeal_cny": rng.uniform(-1e4, 1e4, 5),
        f"{section}market.2025.units": rng.uniform(2e6, 4e6, 5),
        f"{section}market.2025.outside_units": rng.uniform(5e6, 9e6, 5),
        "deal.cny_per_usd": rng.uniform(6, 7, 5),
    }
    ranges = rng.uniform(300, 600, 5)
    found = demand_by_year(inputs, drawn, guest_range_km=ranges)
    for draw in range(5):
        value = {name.removeprefix(section): float(values[draw]) for name, values in drawn.items()}
        a, b, petrol = inputs.rivals
        one = replace(
            inputs,
            nest_parameter=value["nest_parameter"],
            price_elasticity=value["price_elasticity"],
            guest_price_steps=(PriceStep(2023, change_rate=value["guest_price_path.0.change_rate"]),),
            rivals=(
                replace(a, price_cny=value["rival.a.price_cny"]),
                b,
                replace(petrol, units=value["rival.petrol.sold_units"]),
            ),
            entrants=(replace(entrant, appeal_cny=value["entrant.e.appeal_cny"]),),
            market=(OPEN[0], MarketSize(2025, value["market.2025.units"], value["market.2025.outside_units"], "2025")),
            guest_range_km=float(ranges[draw]),
        )
        expected = evaluate_demand(one)
        assert found.units_per_year[draw] == pytest.approx(expected.units_per_year, rel=1e-11)
        assert found.host_units_lost_per_year[draw] == pytest.approx(expected.host_units_lost_per_year, rel=1e-8)
        assert found.price_cny[draw] == pytest.approx(expected.price_cny, rel=1e-12)
    assert demand_by_year(inputs).units_per_year == pytest.approx(evaluate_demand(inputs).units_per_year, rel=1e-14)


def test_draw_whose_rivals_fill_the_segment_is_no_number_and_leaves_the_others_alone() -> None:
    inputs = demand_inputs()
    found = demand_by_year(inputs, {"market.demand.rival.a.sold_units": [100e3, 2e6]})
    assert np.isnan(found.units_per_year[1]).all()
    assert found.units_per_year[0] == pytest.approx(evaluate_demand(inputs).units_per_year, rel=1e-12)
