"""Shapley attribution against brute force, and the explained difference of two programmes."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachbuilder.plan import headline_names
from coachbuilder.programme import Programme, load
from coachbuilder.programme.assumption import Assumption
from coachbuilder.programme.tree import map_assumptions
from coachbuilder.risk.compare import CompareResult, attribute, compare, structural_differences
from coachbuilder.risk.runner import Points

PRICE, GROWTH = "market.demand.guest_price_cny", "market.demand.market_growth_after_rate"


def _game(players: int, seed: int) -> Any:
    """Return a function of sets with main effects and interactions of every order."""
    generator = np.random.default_rng(seed)
    worth = {bits: generator.normal(size=2) for bits in range(2**players)}
    return lambda made: worth[sum(1 << player for player in made)]


@given(players=st.integers(1, 5), seed=st.integers(0, 1000))
def test_exact_shares_are_the_mean_over_all_orders(players: int, seed: int) -> None:
    game = _game(players, seed)
    brute = np.zeros((players, 2))
    for order in permutations(range(players)):
        made: frozenset[int] = frozenset()
        for player in order:
            brute[player] += game(made | {player}) - game(made)
            made |= {player}
    found = attribute(players, game)
    assert found.is_exact
    assert found.evaluations == 2**players
    assert found.shares == pytest.approx(brute / math.factorial(players), abs=1e-9)


@given(players=st.integers(2, 6), seed=st.integers(0, 1000), orders=st.integers(1, 20))
def test_shares_sum_to_the_difference_exact_or_sampled(players: int, seed: int, orders: int) -> None:
    game = _game(players, seed)
    whole = game(frozenset(range(players))) - game(frozenset())
    for exact in (players, 1):
        assert attribute(players, game, orders=orders, exact=exact).shares.sum(axis=0) == pytest.approx(whole, abs=1e-9)


def test_sampled_orders_come_near_the_exact_shares_within_their_error_and_repeat() -> None:
    game = _game(6, 3)
    exact = attribute(6, game, exact=6).shares
    sampled = attribute(6, game, orders=400, seed=5, exact=1)
    assert not sampled.is_exact
    assert np.all(np.abs(sampled.shares - exact) < 4.5 * sampled.standard_error + 1e-12)
    assert np.array_equal(sampled.shares, attribute(6, game, orders=400, seed=5, exact=1).shares)


def test_equal_changes_get_equal_shares_and_an_idle_one_gets_nothing() -> None:
    found = attribute(4, lambda made: np.array([len(made - {3}) ** 2.0]))
    assert found.shares[:3].ravel() == pytest.approx([3.0, 3.0, 3.0], abs=1e-9)
    assert found.shares[3, 0] == pytest.approx(0, abs=1e-12)
    sampled = attribute(4, lambda made: np.array([len(made - {3}) ** 2.0]), exact=1, orders=6)
    assert sampled.shares[3, 0] == 0


@pytest.fixture(scope="module")
def programme(example_folder: Path) -> Programme:
    return load(example_folder)


def _headline(programme: Programme) -> dict[str, float | None]:
    values = {path: item.value for path, item in programme.assumptions.items()}
    brand = values[PRICE] * (1 + values[GROWTH]) + 1e3 * programme.document.programme.horizon_years
    return {
        "brand_npv_cny": brand,
        "host_npv_cny": 5.0,
        "joint_npv_cny": brand + 5.0,
        "own_plant_npv_cny": -brand,
        "weeks_to_rate_weeks": None,
    }


def _compare(before: Programme, after: Programme, **more: Any) -> tuple[CompareResult, list[Programme]]:
    planned: list[Programme] = []

    def plan(programme: Programme) -> Any:
        planned.append(programme)
        found = _headline(programme)
        found["joint_npv_cny"] = (found["joint_npv_cny"] or 0.0) + 100.0 * len(planned)
        return SimpleNamespace(programme=programme, headline=found)

    def quick(base: Any, points: Points) -> Any:
        figures = []
        for row in points.values:
            values = {path: value for path, value in zip(points.paths, row, strict=True) if not np.isnan(value)}
            headline = _headline(base.programme.with_values(values))
            figures.append([headline.get(name, math.nan) for name in headline_names()])
        return np.array(figures, dtype=float)

    return compare(before, after, plan=plan, quick=quick, **more), planned


def _sums(result: CompareResult) -> None:
    for figure in result.figures:
        total = math.fsum(term.shares[figure.name] for term in result.terms)
        assert total == pytest.approx(figure.difference, abs=1e-9 * max(1.0, abs(figure.before)))


def test_the_terms_of_every_figure_sum_to_its_difference(programme: Programme) -> None:
    price, growth = programme.assumptions[PRICE].value, programme.assumptions[GROWTH].value
    other = programme.with_values({PRICE: price * 1.1, GROWTH: growth + 0.1, "deal.cny_per_usd": 7.0})
    result, planned = _compare(programme, other)
    _sums(result)
    assert (result.full_plans, len(planned), result.structure, result.is_exact) == (2, 2, (), True)
    by_name = {term.name: term for term in result.terms}
    assert by_name["deal.cny_per_usd"].shares["brand_npv_cny"] == pytest.approx(0, abs=1e-9)
    # Of the product (1 + g) p the cross term is shared in halves.
    assert by_name[PRICE].shares["brand_npv_cny"] == pytest.approx(0.1 * price * (1 + growth + 0.05), rel=1e-9)
    assert by_name[GROWTH].shares["brand_npv_cny"] == pytest.approx(0.1 * price * 1.05, rel=1e-9)
    assert by_name["line"].shares["joint_npv_cny"] == pytest.approx(100.0, abs=1e-6)
    assert "weeks_to_rate_weeks" not in {figure.name for figure in result.figures}


def test_keeping_the_line_saves_the_second_plan_and_still_sums(programme: Programme) -> None:
    result, planned = _compare(programme, programme.with_values({PRICE: 2e5}), keep_line=True)
    _sums(result)
    assert len(planned) == result.full_plans == 1
    assert [term.name for term in result.terms] == [PRICE]


def test_what_differs_besides_values_is_changed_first_and_named(programme: Programme) -> None:
    header = programme.document.programme.model_copy(update={"horizon_years": 12})
    longer = replace(programme, document=programme.document.model_copy(update={"programme": header}))
    result, planned = _compare(programme, longer.with_values({PRICE: 2e5}))
    _sums(result)
    assert result.structure == ("programme.programme.horizon_years",)
    assert (result.full_plans, len(planned)) == (3, 3)
    structure = next(term for term in result.terms if term.name == "structure")
    assert structure.shares["brand_npv_cny"] == pytest.approx(2e3, abs=1e-6)


def test_a_denial_moves_the_weighted_values_and_nothing_else(programme: Programme) -> None:
    header = {"as_of": programme.as_of}
    later = load(programme.folder, as_of=dt.date(2021, 3, 29))
    document = later.document.model_copy(update={"programme": later.document.programme.model_copy(update=header)})
    result, _ = _compare(programme, replace(later, document=document), keep_line=True)
    _sums(result)
    assert result.structure == ()
    (term,) = result.terms
    assert term.name == "evidence"
    assert term.shares["brand_npv_cny"] == 0
    gap = later.partnership_probability - programme.partnership_probability
    brand = _headline(programme)["brand_npv_cny"] or 0.0
    assert term.shares["brand_expected_npv_cny"] == pytest.approx(gap * brand, rel=1e-9)


def test_a_wider_range_adds_nothing_and_is_named(programme: Programme) -> None:
    def widened(path: str, item: Assumption, _inherited: str) -> Assumption:
        return replace(item, high=3e5) if path == PRICE else item

    wider = replace(programme, document=map_assumptions(programme.document, widened))
    result, _ = _compare(programme, wider, keep_line=True)
    assert (result.only_spread, result.terms, result.structure) == ((PRICE,), (), ())


def test_a_programme_does_not_differ_from_itself(programme: Programme) -> None:
    assert structural_differences(programme, programme) == ()
    result, _ = _compare(programme, programme, keep_line=True)
    assert result.terms == ()
    assert all(figure.difference == 0 for figure in result.figures)


def test_many_changes_are_taken_together_by_table_and_sampled(programme: Programme) -> None:
    paths = [path for path, item in programme.assumptions.items() if not item.is_certain][:60]
    moved = programme.with_values({path: programme.assumptions[path].high or 0.0 for path in paths})
    result, _ = _compare(programme, moved, orders=6, keep_line=True)
    _sums(result)
    assert not result.is_exact or len(result.terms) <= 8
    assert sum(len(term.changes) for term in result.terms) == sum(
        programme.assumptions[path].high != programme.assumptions[path].value for path in paths
    )
