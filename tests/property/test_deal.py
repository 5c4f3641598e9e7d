"""The deal against a plain twin, and what must hold for every programme."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deal_builder as builder
from coachbuilder.deal import DealInputs, evaluate
from coachbuilder.deal.cashflow import internal_rates, set_off
from coachbuilder.deal.clauses import Clause, DepreciationPassedThrough, FeePerCar, LossesRepaid, TakeOrPay
from coachbuilder.deal.interface import Investment, OwnPlant

FEW = settings(max_examples=80, deadline=None, derandomize=True)
MONTH_DAYS = 365.25 / 12


# ---------------------------------------------------------------- the twin: month by month, no arrays


def within(start: float, end: float, month: int) -> float:
    """Return the part of a month that lies between two points of time."""
    return max(0.0, min(end, month + 1) - max(start, month))


def twin(inputs: DealInputs) -> tuple[float, float]:
    """Return the brand's and the host's value, from the contract's words and with lists only."""
    months = len(inputs.demand_units_by_month)
    start = inputs.start_month
    year_of = [(inputs.first_month - 1 + month) // 12 for month in range(months)]
    ends_year = [month == months - 1 or year_of[month + 1] != year_of[month] for month in range(months)]
    sales, waiting = [], 0.0
    for wanted, could in zip(inputs.demand_units_by_month, inputs.guest_output_units_by_month, strict=True):
        sales.append(min(wanted + waiting, could))
        waiting = (wanted + waiting - sales[-1]) * inputs.backlog_share

    def money(side: bool) -> tuple[list[float], list[float]]:
        spent, worn = [0.0] * months, [0.0] * months
        for item in inputs.investments:
            if item.paid_by_brand != side:
                continue
            first = start - item.starts_months_before
            life = 12 * item.useful_life_years
            for month in range(-item.starts_months_before - 1, months):
                part = item.amount_cny * within(first, first + item.spread_months, month) / item.spread_months
                spent[max(month, 0)] += part
                if month >= 0:
                    worn[month] += item.amount_cny * within(start, start + life, month) / life
        return spent, worn

    brand_spent, brand_worn = money(True)
    host_spent, host_worn = money(False)
    hours = inputs.assembly_hours_per_car + inputs.body_shop_hours + inputs.paint_shop_hours
    hours *= 1 + inputs.indirect_hours_share

    def grown(month: int, rate: float) -> float:
        return (1 + rate) ** ((month + 0.5) / 12)

    host_running, host_loss = [], []
    for month, cars in enumerate(sales):
        car = hours * inputs.wage_cny_per_h * grown(month, inputs.wage_change_rate)
        car += inputs.energy_and_consumables_cny + (1 - inputs.first_pass_yield) * inputs.rework_cny
        fixed = inputs.host_fixed_cost_cny_per_year / 12 * within(start, math.inf, month)
        displaced = inputs.resident_contribution_cny_per_car * inputs.resident_units_lost_by_month[month]
        host_running.append(-cars * car - fixed - displaced)
        host_loss.append(cars * car + fixed + host_worn[month])

    paid = [0.0] * months
    for clause in inputs.clauses:
        for month, cars in enumerate(sales):
            if isinstance(clause, FeePerCar):
                made = sum(sales[other] for other in range(month) if year_of[other] == year_of[month])
                fee = 0.0
                for at, tier in enumerate(clause.from_units):
                    end = clause.from_units[at + 1] if at + 1 < len(clause.from_units) else math.inf
                    fee += clause.fee_cny_per_car[at] * max(0.0, min(end, made + cars) - max(tier, made))
                paid[month] += fee * (1 + clause.change_rate) ** year_of[month]
            elif isinstance(clause, DepreciationPassedThrough):
                paid[month] += clause.passed_share * host_worn[month]
            elif isinstance(clause, TakeOrPay) and ends_year[month]:
                short = 0.0
                for other in range(months):
                    if year_of[other] == year_of[month]:
                        bound = within(start + 12 * (clause.from_year_of_production - 1), math.inf, other)
                        agreed = clause.floor_share * inputs.contracted_capacity_units_per_year / 12
                        agreed = min(agreed, inputs.guest_output_units_by_month[other])
                        short += bound * (agreed - sales[other])
                paid[month] += clause.cny_per_car * max(0.0, short)
    for clause in inputs.clauses:
        if isinstance(clause, LossesRepaid):
            left = clause.cap_cny
            loss = inside = produced = 0.0
            for month in range(months):
                loss += host_loss[month] - paid[month]
                inside += within(start, start + clause.window_months, month)
                produced += within(start, math.inf, month)
                if ends_year[month]:
                    part = inside / produced if produced > 0 else 0.0
                    repaid = min(left, clause.repaid_share * part * max(0.0, loss))
                    left -= repaid
                    paid[month] += repaid
                    loss = inside = produced = 0.0

    def owed(flow: list[float], days: float, month: int) -> float:
        total, reach = 0.0, days / MONTH_DAYS
        for other in range(month, -1, -1):
            total += min(max(reach - (month - other), 0.0), 1.0) * flow[other]
        return total

    parts, brand_running = [], []
    for month, cars in enumerate(sales):
        price = inputs.price_cny_by_month[month] / (1 + inputs.value_added_tax_rate)
        car = sum(
            cost
            * grown(month, inputs.pack_price_change_rate if name == "battery_pack" else inputs.parts_price_change_rate)
            for name, cost in inputs.parts_cost_by_item_cny.items()
        )
        parts.append(cars * car)
        credit = inputs.credit_cny_per_car * grown(month, inputs.credit_change_rate)
        margin = price * (1 - inputs.sales_margin_share - inputs.warranty_share) + credit - inputs.logistics_cny
        fixed = inputs.brand_fixed_cost_cny_per_year / 12 * grown(month, inputs.brand_fixed_cost_change_rate)
        brand_running.append(cars * margin - parts[-1] - fixed)

    def worth(running: list[float], spent: list[float], worn: list[float], bound: list[float], side: str) -> float:
        tax_rate, rate = getattr(inputs, f"{side}_tax_rate"), getattr(inputs, f"{side}_discount_rate")
        value, carried, income, before = 0.0, 0.0, 0.0, 0.0
        for month in range(months):
            income += running[month] - worn[month]
            cash = running[month] - spent[month] + before - bound[month]
            before = bound[month]
            if ends_year[month]:
                base = income + carried
                carried, income = min(base, 0.0), 0.0
                cash -= tax_rate * max(base, 0.0)
            value += cash / (1 + rate) ** ((month + 0.5) / 12)
        return value

    host_bound = [owed(paid, inputs.fee_payable_days, month) for month in range(months - 1)] + [0.0]
    brand_bound = [0.0] * months
    for month in range(months - 1):
        stock = inputs.inventory_days / MONTH_DAYS * (parts[month] + sales[month] * inputs.logistics_cny)
        brand_bound[month] = stock - owed(parts, inputs.payable_days, month) - host_bound[month]
    return (
        worth([a - b for a, b in zip(brand_running, paid, strict=True)], brand_spent, brand_worn, brand_bound, "brand"),
        worth([a + b for a, b in zip(host_running, paid, strict=True)], host_spent, host_worn, host_bound, "host"),
    )


# ---------------------------------------------------------------- programmes


def real(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


CLAUSES = st.tuples(
    st.builds(
        FeePerCar,
        st.just("fee"),
        st.just((0.0, 5_000.0, 9_000.0)),
        st.tuples(real(0, 2e4), real(0, 2e4), real(0, 2e4)),
        real(-0.1, 0.1),
    ),
    st.builds(DepreciationPassedThrough, st.just("depreciation"), real(0, 1)),
    st.builds(LossesRepaid, st.just("losses"), st.integers(1, 60), real(0, 1), real(0, 5e8)),
    st.builds(TakeOrPay, st.just("floor"), real(0, 1), real(0, 1e4), st.integers(1, 3)),
)
INVESTMENTS = st.lists(
    st.builds(
        Investment,
        id=st.just("item"),
        name=st.just("item"),
        paid_by_brand=st.booleans(),
        amount_cny=real(1e6, 1e9),
        starts_months_before=st.integers(0, 40),
        spread_months=st.integers(1, 40),
        useful_life_years=st.integers(1, 12),
        for_host_plant_only=st.booleans(),
    ),
    max_size=3,
).map(tuple)


@st.composite
def programmes(draw: st.DrawFn) -> DealInputs:
    months = draw(st.integers(13, 50))
    start = draw(real(0, 24))
    cars = st.lists(real(0, 3_000), min_size=months, max_size=months)
    producing = np.clip(np.arange(1, months + 1) - start, 0.0, 1.0)
    changes: dict[str, Any] = {
        "start_month": start,
        "first_month": draw(st.integers(1, 12)),
        "demand_units_by_month": np.array(draw(cars)) * producing,
        "guest_output_units_by_month": np.array(draw(cars)) * producing,
        "resident_units_lost_by_month": np.array(draw(cars)) * producing,
        "clauses": draw(CLAUSES),
        "investments": draw(INVESTMENTS),
        "inventory_days": draw(real(0, 90)),
        "payable_days": draw(real(0, 150)),
        "fee_payable_days": draw(real(0, 150)),
        "backlog_share": draw(real(0, 1)),
        "wage_change_rate": draw(real(-0.1, 0.1)),
        "pack_price_change_rate": draw(real(-0.3, 0.1)),
        "credit_change_rate": draw(real(-0.5, 0.1)),
    }
    inputs = builder.deal(months, **changes)
    assert isinstance(inputs, DealInputs)
    return inputs


@FEW
@given(programmes())
def test_both_values_are_those_of_the_plain_twin(inputs: DealInputs) -> None:
    result = evaluate(inputs)
    brand, host = twin(inputs)
    assert result.brand.npv_cny == pytest.approx(brand, rel=1e-9, abs=1.0)
    assert result.host.npv_cny == pytest.approx(host, rel=1e-9, abs=1.0)


@FEW
@given(programmes(), real(0.01, 50.0))
def test_value_grows_in_proportion_with_the_programme(inputs: DealInputs, scale: float) -> None:
    def scaled_clause(clause: Clause) -> Clause:
        if isinstance(clause, FeePerCar):
            return replace(clause, from_units=tuple(units * scale for units in clause.from_units))
        return replace(clause, cap_cny=clause.cap_cny * scale) if isinstance(clause, LossesRepaid) else clause

    own = inputs.own_plant
    larger = replace(
        inputs,
        demand_units_by_month=inputs.demand_units_by_month * scale,
        guest_output_units_by_month=inputs.guest_output_units_by_month * scale,
        resident_units_lost_by_month=inputs.resident_units_lost_by_month * scale,
        contracted_capacity_units_per_year=inputs.contracted_capacity_units_per_year * scale,
        investments=tuple(replace(item, amount_cny=item.amount_cny * scale) for item in inputs.investments),
        clauses=tuple(scaled_clause(clause) for clause in inputs.clauses),
        host_fixed_cost_cny_per_year=inputs.host_fixed_cost_cny_per_year * scale,
        brand_fixed_cost_cny_per_year=inputs.brand_fixed_cost_cny_per_year * scale,
        own_plant=replace(
            own,
            investment_cny=own.investment_cny * scale,
            capacity_units_per_year=own.capacity_units_per_year * scale,
            fixed_cost_cny_per_year=own.fixed_cost_cny_per_year * scale,
        ),
    )
    one, other = evaluate(inputs), evaluate(larger)
    for read in ("brand.npv_cny", "host.npv_cny", "own_plant.npv_cny", "brand.peak_cash_need_cny"):
        part, name = read.split(".")
        before, after = getattr(getattr(one, part), name), getattr(getattr(other, part), name)
        assert after == pytest.approx(scale * before, rel=1e-9, abs=1.0)


@FEW
@given(programmes(), real(1.0, 5_000.0))
def test_a_higher_fee_moves_value_from_brand_to_host_and_leaves_the_sum(inputs: DealInputs, more: float) -> None:
    # Without tax and at one discount rate there is nothing that the two would value differently; without repaid losses
    # the fee is the only clause that its level moves.
    alike = replace(
        inputs,
        brand_tax_rate=0.0,
        host_tax_rate=0.0,
        host_discount_rate=inputs.brand_discount_rate,
        clauses=tuple(clause for clause in inputs.clauses if not isinstance(clause, LossesRepaid)),
    )
    fee = alike.clauses[0]
    assert isinstance(fee, FeePerCar)
    higher = replace(fee, fee_cny_per_car=tuple(cny + more for cny in fee.fee_cny_per_car))
    one, other = evaluate(alike), evaluate(replace(alike, clauses=(higher, *alike.clauses[1:])))
    moved = other.host.npv_cny - one.host.npv_cny
    assert moved == pytest.approx(one.brand.npv_cny - other.brand.npv_cny, rel=1e-6, abs=1.0)
    assert moved > 0 or one.sales_units < 1
    assert other.joint.npv_cny == pytest.approx(one.joint.npv_cny, rel=1e-9, abs=1.0)


@FEW
@given(programmes())
def test_lines_add_up_and_no_car_is_sold_that_was_not_wanted_or_built(inputs: DealInputs) -> None:
    result = evaluate(inputs)
    for party in (result.brand, result.host, result.joint):
        total = np.sum([line.cny_by_year for line in party.lines], axis=0)
        assert total == pytest.approx(party.cash_cny_by_year, rel=1e-9, abs=1.0)
        assert party.cash_cny_by_month.sum() == pytest.approx(party.cumulative_cash_cny_by_year[-1], rel=1e-9, abs=1.0)
    bound = [line for line in result.joint.lines if line.name.endswith("working capital")]
    assert sum(line.cny_by_year.sum() for line in bound) == pytest.approx(0.0, abs=1.0)
    assert result.sales_units <= inputs.demand_units_by_month.sum() * (1 + 1e-12)
    assert (result.sales_units_by_year <= result.output_units_by_year * (1 + 1e-12) + 1e-9).all()


ANY = real(0, 1e12)
RATE = real(-0.5, 0.5)
SHARE = real(0, 1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data(), st.integers(1, 40), st.booleans())
def test_extreme_numbers_give_finite_figures(data: st.DataObject, months: int, with_break_even: bool) -> None:
    vectors = ("demand_units_by_month", "guest_output_units_by_month", "resident_units_lost_by_month")
    changes: dict[str, Any] = {name: np.full(months, data.draw(ANY)) for name in (*vectors, "price_cny_by_month")}
    base = builder.deal(months)
    for field in fields(DealInputs):
        if field.type != "float":
            continue
        if field.name.endswith("_rate"):
            strategy = real(1e-9, 1) if "discount" in field.name or "tax" in field.name else RATE
        elif field.name.endswith(("_share", "yield")):
            strategy = SHARE
        else:
            strategy = real(0, 400) if field.name == "start_month" else ANY
        changes[field.name] = data.draw(strategy)
    changes["investments"] = data.draw(INVESTMENTS)
    changes["clauses"] = data.draw(CLAUSES)
    changes["own_plant"] = OwnPlant(
        data.draw(ANY),
        24,
        data.draw(ANY),
        data.draw(real(0, 500)),
        data.draw(real(1e-9, 1e6)),
        2.0,
        data.draw(ANY),
        8,
        1.0,
    )
    result = evaluate(replace(base, **changes, with_break_even=with_break_even))

    def walk(value: Any, name: str) -> None:
        if is_dataclass(value):
            for field in fields(value):
                walk(getattr(value, field.name), f"{name}.{field.name}")
        elif isinstance(value, dict | tuple):
            for item in value.values() if isinstance(value, dict) else value:
                walk(item, name)
        elif isinstance(value, np.ndarray | float):
            assert np.isfinite(value).all(), name

    walk(result, "deal")


@FEW
@given(st.lists(real(-1e3, 1e3), min_size=2, max_size=12))
def test_every_rate_of_return_makes_the_value_nil_and_none_is_missed(cash: list[float]) -> None:
    flow = np.round(cash, 3)
    rates, _ = internal_rates(flow)
    factor = 1 / (1 + np.geomspace(0.02, 1e4, 2_000))
    values = [float(np.polynomial.polynomial.polyval(1 / (1 + rate), flow)) for rate in rates]
    for rate, value in zip(rates, values, strict=True):
        slack = np.abs(flow * (1 / (1 + rate)) ** np.arange(flow.size)).max()
        assert abs(value) <= 1e-6 * slack
    # Between two neighbouring rates of a fine grid the value changes its sign only where a rate was found.
    rate_grid = 1 / factor - 1
    on_grid = np.polynomial.polynomial.polyval(factor, flow)
    for at in np.flatnonzero(on_grid[:-1] * on_grid[1:] < 0):
        assert any(rate_grid[at] - 1e-6 <= rate <= rate_grid[at + 1] + 1e-6 for rate in rates)


@FEW
@given(st.lists(st.lists(real(-100.0, 100.0), min_size=6, max_size=6), min_size=1, max_size=4), st.integers(1, 7))
def test_losses_of_one_course_are_set_off_as_those_of_many_at_once(courses: list[list[float]], years: int) -> None:
    taxed, left = set_off(np.array(courses), years)
    for row, course in enumerate(courses):
        alone = set_off(np.array(course), years)
        assert alone[0].tolist() == taxed[row].tolist()
        assert float(alone[1]) == pytest.approx(float(left[row]), rel=1e-15, abs=1e-12)
