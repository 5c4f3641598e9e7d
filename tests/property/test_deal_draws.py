"""Many draws at once give the figures of each alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deal_builder as builder
from coachbuilder.deal import DealFigures, DealInputs, draws, evaluate, evaluate_draws
from coachbuilder.deal.cashflow import DAYS_PER_MONTH, outstanding, sales_by_month, spending
from coachbuilder.deal.clauses import Clause, LossesRepaid, Tooling
from deal_strategies import deals, real

NAMES = [item.name for item in fields(DealFigures)]


def alone(inputs: DealInputs) -> list[float]:
    """Return what ``evaluate`` says; not a number where it says nothing."""
    try:
        result = evaluate(replace(inputs, with_break_even=False))
    except ArithmeticError:
        return [math.nan] * len(NAMES)
    cost = math.nan if result.unit_cost.year is None else result.unit_cost.total_cny
    values = (result.brand.npv_cny, result.host.npv_cny, result.joint.npv_cny, result.own_plant.npv_cny)
    return [*values, cost]


def assert_each_as_alone(inputs: Sequence[DealInputs]) -> None:
    found = evaluate_draws(inputs)
    for name, expected in zip(NAMES, zip(*map(alone, inputs), strict=True), strict=True):
        value = getattr(found, name)
        assert value.shape == (len(inputs),)
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-3, nan_ok=True), name


def drawn(value: Any, generator: np.random.Generator, moved_share: float = 1.0) -> Any:
    """Return the same with numbers and vectors moved, each by a factor of its own."""
    if isinstance(value, float):
        return value * float(generator.uniform(0.9, 1.1)) if generator.random() < moved_share else value
    if isinstance(value, np.ndarray):
        return value * generator.uniform(0.9, 1.1, value.shape) if generator.random() < moved_share else value
    if isinstance(value, tuple):
        return tuple(drawn(item, generator, moved_share) for item in value)
    if isinstance(value, dict):
        return {key: drawn(item, generator, moved_share) for key, item in value.items()}
    if is_dataclass(value):
        kind: Any = type(value)
        return kind(**{item.name: drawn(getattr(value, item.name), generator, moved_share) for item in fields(kind)})
    return value


def moved(raw: Any, generator: np.random.Generator) -> Any:
    """Return a section's table with every number moved by a factor of its own, by so little that it stays valid."""
    if isinstance(raw, dict):
        return {key: moved(item, generator) for key, item in raw.items()}
    if isinstance(raw, list):
        return [moved(item, generator) for item in raw]
    return raw * float(generator.uniform(0.96, 1.04)) if isinstance(raw, float) else raw


def test_draws_of_a_section_with_every_clause_are_those_one_by_one() -> None:
    generator = np.random.default_rng(11)
    inputs = [builder.inputs_of(moved(builder.SECTION, generator)) for _ in range(24)]
    assert len({deal.start_month for deal in inputs}) == 24
    assert_each_as_alone(inputs)
    assert np.isfinite(evaluate_draws(inputs).unit_cost_cny).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(deals(), st.integers(0, 2**32), st.sampled_from([0.1, 0.5, 1.0]))
def test_draws_are_those_one_by_one_whatever_the_contract(inputs: DealInputs, seed: int, moved_share: float) -> None:
    generator = np.random.default_rng(seed)
    learning = replace(inputs, parts_learning_items=("body",), parts_learning_rate=0.9)
    assert_each_as_alone([inputs, *(drawn(learning, generator, moved_share) for _ in range(5))])


@st.composite
def switched(draw: st.DrawFn, inputs: DealInputs) -> DealInputs:
    """Another structure: clauses left out, other years and months, vectors where there were none, one cost fewer."""
    months = inputs.demand_units_by_month.size
    vector = st.none() | real(0, 5_000).map(lambda amount: np.full(months, amount))
    clauses = draw(st.lists(st.sampled_from(inputs.clauses), unique_by=lambda clause: clause.id))

    def other(clause: Clause) -> Clause:
        return replace(clause, window_months=draw(st.integers(1, 60))) if isinstance(clause, LossesRepaid) else clause

    items = inputs.parts_cost_by_item_cny
    return replace(
        inputs,
        clauses=tuple(other(clause) for clause in clauses),
        investments=draw(st.sampled_from([inputs.investments, inputs.investments[:1], ()])),
        parts_cost_by_item_cny=draw(st.sampled_from([items, {"body": items["body"]}])),
        credit_cny_per_car_by_month=draw(vector),
        subsidy_cny_per_car_by_month=draw(vector),
        brand_loss_carry_forward_years=draw(st.none() | st.integers(1, 4)),
        host_loss_carry_forward_years=draw(st.none() | st.integers(1, 4)),
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(deals().flatmap(lambda inputs: st.lists(switched(inputs), min_size=2, max_size=4)), st.integers(0, 2**32))
def test_draws_of_several_structures_are_those_one_by_one(kinds: list[DealInputs], seed: int) -> None:
    generator = np.random.default_rng(seed)
    inputs = [drawn(kind, generator) for kind in kinds for _ in range(2)]
    assert_each_as_alone([inputs[number] for number in generator.permutation(len(inputs))])


def test_draws_at_the_edges_are_those_one_by_one() -> None:
    base = builder.inputs_of(builder.SECTION)
    months = base.demand_units_by_month.size
    nothing = np.zeros(months)
    by_id = {clause.id: clause for clause in base.clauses}

    def with_clause(name: str, **changes: Any) -> DealInputs:
        changed: Any = by_id[name]
        changed = replace(changed, **changes)
        return replace(base, clauses=tuple(changed if clause.id == name else clause for clause in base.clauses))

    edges = {
        "as it is": base,
        "no car is wanted": replace(base, demand_units_by_month=nothing),
        "less than a car is wanted": replace(base, demand_units_by_month=nothing + 1e-3),
        "no car can be built": replace(base, guest_output_units_by_month=nothing),
        "no capacity is contracted": replace(base, contracted_capacity_units_per_year=0.0),
        "the own plant builds nothing": replace(base, own_plant=replace(base.own_plant, capacity_units_per_year=0.0)),
        "the own plant needs no launch": replace(base, own_plant=replace(base.own_plant, ramp_months=0.0)),
        "production starts today": replace(base, start_month=0.0),
        "production starts after the horizon": replace(base, start_month=200.0),
        "no loss is repaid": with_clause("losses", cap_cny=0.0),
        "losses are repaid without limit": with_clause("losses", cap_cny=math.inf),
        "losses are repaid up to a yearly cap": with_clause("losses", cap_cny_per_year=3e6),
        "nothing is taken off": with_clause("places", deductible_share=0.0),
        "tooling is not paid back": with_clause("dies", repaid_units=math.inf),
        "fees in another currency": with_clause("fee", exchange_change_rate=0.03),
        "nothing is learnt": replace(base, parts_learning_rate=1.0),
        "paid at once": replace(base, fee_payable_days=0.0, payable_days=0.0),
        "paid after the horizon": replace(base, fee_payable_days=9_000.0, payable_days=9_000.0),
        "losses carried forward for a year": replace(base, brand_loss_carry_forward_years=1),
        "and for three": replace(base, brand_loss_carry_forward_years=3, host_loss_carry_forward_years=3),
        "earning nothing": replace(base, price_cny_by_month=nothing, brand_loss_carry_forward_years=3),
    }
    assert_each_as_alone(list(edges.values()))
    found = dict(zip(edges, evaluate_draws(list(edges.values())).unit_cost_cny, strict=True))
    without = {"no car is wanted", "less than a car is wanted", "no car can be built"}
    assert {name for name, cost in found.items() if math.isnan(cost)} == without


def test_a_draw_that_cannot_be_worked_out_leaves_the_others_alone() -> None:
    def repaid_over(units: float) -> DealInputs:
        base = builder.deal()
        return replace(base, clauses=(*base.clauses, Tooling("dies", 1e8, False, units, 0.1)))

    for impossible in (repaid_over(0.0), builder.deal(price_cny_by_month=np.full(builder.MONTHS, 1e308))):
        inputs = [repaid_over(5_000.0), impossible, repaid_over(9_000.0)]
        found = evaluate_draws(inputs)
        for name in NAMES:
            assert np.isfinite(getattr(found, name)).tolist() == [True, False, True]
        assert found.brand_npv_cny[[0, 2]] == pytest.approx([alone(inputs[0])[0], alone(inputs[2])[0]], rel=1e-9)
    assert np.isnan(evaluate_draws([repaid_over(0.0)] * 2).host_npv_cny).all()


def test_draws_of_one_structure_are_worked_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(stack: DealInputs) -> DealFigures:
        calls.append(len(stack.demand_units_by_month))
        return figures(stack)

    figures = draws.figures
    generator = np.random.default_rng(3)
    inputs = [drawn(builder.deal(), generator) for _ in range(8)]
    together = evaluate_draws(inputs)
    monkeypatch.setattr(draws, "figures", counted)
    monkeypatch.setattr(draws, "LARGEST_STACK", 3)
    assert evaluate_draws(inputs).joint_npv_cny == pytest.approx(together.joint_npv_cny, rel=1e-12)
    assert calls == [3, 3, 2]


def test_no_draws_give_no_figures() -> None:
    assert evaluate_draws([]).brand_npv_cny.shape == (0,)


def test_numbers_by_draw_stand_in_columns() -> None:
    # The helpers of the cash flow, by hand: a draw a row.
    start, days = np.array([[3.0], [4.0]]), np.array([[0.0], [1.5 * DAYS_PER_MONTH]])
    sold, lost = sales_by_month(
        np.array([[10.0, 10.0, 0.0], [4.0, 4.0, 4.0]]),
        np.array([[5.0, 10.0, 10.0], [9.0, 1.0, 9.0]]),
        np.array([[0.5], [1.0]]),
    )
    assert sold.tolist() == [[5.0, 10.0, 1.25], [4.0, 1.0, 7.0]]
    assert lost.tolist() == [3.75, 0.0]
    spent, worn = spending([builder.investment("tool", 60.0, before=2, spread=2, life=5)], start, 6)
    assert spent.tolist() == [[0, 30, 30, 0, 0, 0], [0, 0, 30, 30, 0, 0]]
    assert worn.tolist() == [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1]]
    owed = outstanding(np.array([100.0, 0.0, 0.0]), days)
    assert owed.tolist() == [[0.0, 0.0, 0.0], [100.0, 50.0, 0.0]]
