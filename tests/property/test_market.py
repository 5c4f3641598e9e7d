"""Market: what holds whatever the numbers are."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.market.announcement import (
    AnnouncementInputs,
    ListedShare,
    NewsEvent,
    Observation,
    compare,
    evaluate_announcement,
)
from coachbuilder.market.announcement.event_study import critical_t, fit_market_model, two_sided_p
from coachbuilder.market.demand import DemandInputs, MarketSize, Rival, evaluate_demand
from coachbuilder.market.demand.logit import choice_shares, invert_shares, log_likelihood
from coachbuilder.programme.sections.market import LimitSide, Owner, RangeProcedure, Side

DAY = dt.date(2021, 3, 26)

rivals = st.lists(
    st.builds(
        lambda price, reach, units, months, owner: Rival("r", "R", owner, True, price, reach, units, months),
        st.floats(5e4, 5e5),
        st.floats(100, 900),
        st.floats(100, 8e3),
        st.integers(1, 12),
        st.sampled_from(list(Owner)),
    ),
    min_size=1,
    max_size=8,
)
demands = st.builds(
    lambda cars, elasticity, reach, change, growth, entry, price, appeal, guest_range: DemandInputs(
        first_year=2021,
        horizon_years=6,
        snapshot_year=2020,
        range_procedure=RangeProcedure.CLTC,
        market=(MarketSize(2020, 1e6), MarketSize(2024, 2e6)),
        market_growth_after_rate=0.02,
        rivals=tuple(cars),
        price_elasticity=elasticity,
        range_elasticity=reach,
        rival_price_change_rate=change,
        rival_range_growth_rate=growth,
        rival_entry_rate=entry,
        guest_price_cny=price,
        guest_price_change_rate=change,
        guest_range_km=guest_range,
        guest_appeal_cny=appeal,
    ),
    rivals,
    st.floats(0.5, 8),
    st.floats(0, 3),
    st.floats(-0.1, 0.1),
    st.floats(-0.05, 0.1),
    st.floats(-0.1, 0.4),
    st.floats(5e4, 4e5),
    st.floats(-5e4, 5e4),
    st.floats(150, 900),
)


@given(demands)
def test_shares_stay_within_the_market_and_every_buyer_is_taken_from_somebody(inputs: DemandInputs) -> None:
    result = evaluate_demand(inputs)
    for year, market in enumerate(result.market_units_per_year):
        units = result.units_per_year[year]
        assert 0 <= units <= market
        lost = sum(rival.units_lost_per_year[year] for rival in result.rivals)
        assert lost + result.outside_units_lost_per_year[year] == pytest.approx(units, rel=1e-6, abs=1e-6)
        assert 0 <= result.host_units_lost_per_year[year] <= units * (1 + 1e-9)


@given(demands, st.floats(1.01, 1.5))
def test_a_dearer_guest_sells_less_and_a_farther_one_no_less(inputs: DemandInputs, factor: float) -> None:
    from dataclasses import replace

    base = evaluate_demand(inputs)
    dearer = evaluate_demand(replace(inputs, guest_price_cny=inputs.guest_price_cny * factor))
    farther = evaluate_demand(replace(inputs, guest_range_km=inputs.guest_range_km * factor))
    for plain, less, more in zip(base.units_per_year, dearer.units_per_year, farther.units_per_year, strict=True):
        assert less <= plain
        assert more >= plain * (1 - 1e-12)


@given(demands)
def test_without_the_guest_the_snapshot_comes_back_whatever_the_taste(inputs: DemandInputs) -> None:
    from dataclasses import replace

    result = evaluate_demand(replace(inputs, first_year=2020, horizon_years=0))
    for rival, found in zip(inputs.rivals, result.rivals, strict=True):
        without = found.units_per_year[0] + found.units_lost_per_year[0]
        assert without == pytest.approx(rival.units * 12 / rival.months_on_sale, rel=1e-9)


@given(demands)
def test_same_inputs_same_demand_bit_for_bit(inputs: DemandInputs) -> None:
    assert evaluate_demand(inputs) == evaluate_demand(inputs)


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=20))
def test_inversion_undoes_the_choice_shares(utility: list[float]) -> None:
    shares, outside = choice_shares(utility)
    assert float(shares.sum() + outside) == pytest.approx(1.0)
    if shares.min() > 1e-12 and outside > 1e-4:
        assert invert_shares(shares) == pytest.approx(np.array(utility), abs=1e-6)


@given(st.lists(st.floats(-500, 500), min_size=2, max_size=6), st.floats(-300, 300))
def test_likelihood_does_not_change_when_all_utilities_of_a_question_move(utility: list[float], shift: float) -> None:
    question = [1] * len(utility)
    chosen = [1] + [0] * (len(utility) - 1)
    moved = log_likelihood([value + shift for value in utility], question, chosen)
    assert moved == pytest.approx(log_likelihood(utility, question, chosen), rel=1e-9, abs=1e-9)


@given(st.floats(-0.05, 0.05), st.floats(-3, 3), st.integers(5, 60), st.integers(0, 2**32 - 1))
def test_market_model_recovers_an_exact_line(alpha: float, beta: float, days: int, seed: int) -> None:
    market = np.random.default_rng(seed).normal(0, 0.02, days)
    model = fit_market_model(alpha + beta * market, market)
    assert (model.alpha_per_day, model.beta) == pytest.approx((alpha, beta), abs=1e-9)
    assert model.residual_sd == pytest.approx(0, abs=1e-9)


@given(st.integers(3, 500), st.floats(0.001, 0.5))
def test_critical_value_has_its_level_as_p_value(freedom: int, level: float) -> None:
    assert two_sided_p(critical_t(freedom, level), freedom) == pytest.approx(level, rel=1e-6)


observations = st.tuples(st.floats(-0.2, 0.2), st.sampled_from([None, LimitSide.UPPER, LimitSide.LOWER]))


@settings(max_examples=200)
@given(st.lists(observations, min_size=1, max_size=4), st.floats(1e8, 1e11), st.floats(0.005, 0.1))
def test_an_interval_holds_its_value_and_is_open_only_where_a_limit_says_so(
    seen: list[tuple[float, LimitSide | None]], number: float, error: float
) -> None:
    shares = tuple(
        ListedShare(str(place), "S", Side.BRAND, "X", "CNY", 1.0, 10.0, number, 0.2, 0.0, 0.0, error, 100)
        for place in range(len(seen))
    )
    days = tuple(
        Observation("e", str(place), DAY, move, None, None, 10.0, limit) for place, (move, limit) in enumerate(seen)
    )
    event = NewsEvent("e", "E", DAY, "x", True)
    result = evaluate_announcement(AnnouncementInputs(DAY, shares, (event,), days))
    value = result.implied_values[0]
    limits = {limit for _, limit in seen if limit is not None}
    assert (value.high_cny is None) == (LimitSide.UPPER in limits)
    assert (value.low_cny is None) == (LimitSide.LOWER in limits)
    assert value.low_cny is None or value.low_cny <= value.implied_value_cny
    assert value.high_cny is None or value.high_cny >= value.implied_value_cny
    assert value.implied_value_cny == pytest.approx(math.fsum(move for move, _ in seen) * 10 * number, rel=1e-9, abs=1)


@given(st.floats(-1e11, 1e11), st.floats(-1e11, 1e11), st.floats(0, 1))
def test_what_is_to_be_believed_justifies_the_market(paid: float, npv: float, probability: float) -> None:
    from coachbuilder.market.announcement import ImpliedValue

    value = ImpliedValue(Side.HOST, ("e",), ("s",), paid, paid - 1e9, paid + 1e9, "", 1e12)
    found = compare(value, npv_cny=npv, probability=probability)
    if found.believed_probability is not None:
        assert found.believed_probability * npv == pytest.approx(paid, rel=1e-9, abs=1e-3)
    if found.believed_npv_cny is not None and math.isfinite(found.believed_npv_cny):
        assert found.believed_npv_cny * probability == pytest.approx(paid, rel=1e-9, abs=1e-3)
