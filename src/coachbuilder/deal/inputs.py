"""From a programme's deal section to what the stage takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.deal.cashflow import DAYS_PER_MONTH
from coachbuilder.deal.clauses import FROM_TABLE, Clause, Terms
from coachbuilder.deal.interface import DealInputs, Investment, OwnPlant
from coachbuilder.deal.timing import Timing
from coachbuilder.programme.errors import InputError, Problem
from coachbuilder.programme.sections.deal import (
    DealSection,
    FeeClause,
    IndexationClause,
    LeavingClause,
    Payer,
    TakeOrPayClause,
    ToolingClause,
)

if TYPE_CHECKING:
    from coachbuilder.programme import Programme

Vector = NDArray[np.float64]


def inputs_from(
    programme: Programme,
    *,
    start_of_production: Timing,
    demand_units_by_month: Vector,
    guest_output_units_by_month: Vector,
    resident_units_lost_by_month: Vector,
    price_cny_by_year: Mapping[int, float],
    parts_cost_by_item_cny: Mapping[str, float],
    assembly_hours_per_car: float,
    first_pass_yield: float,
    planned_units_per_year: float,
    with_break_even: bool = True,
) -> DealInputs:
    """Take what the deal needs from a programme and from the stages before it.

    Parameters
    ----------
    programme
        The programme.
    start_of_production
        When production for sale starts.
    demand_units_by_month, guest_output_units_by_month, resident_units_lost_by_month
        Cars by month from the first whole month after the decision day, shape (12 x horizon_years,).
    price_cny_by_year
        Price that the buyer pays by calendar year, tax included; the last known year's holds afterwards.
    parts_cost_by_item_cny
        Parts of a car by item, in prices of the decision day.
    assembly_hours_per_car
        Direct hours of final assembly a guest car.
    first_pass_yield
        Share of guest cars that pass the first test, once launched.
    planned_units_per_year
        Guest cars a year that the line is laid out for.
    with_break_even
        False leaves out break-even volumes and what is owed if nothing sells.

    Raises
    ------
    InputError
        If ``check`` finds a mistake.
    """
    document = programme.document
    section = document.deal
    problems = check(section) + check_items(section, parts_cost_by_item_cny)
    if problems:
        raise InputError(problems)
    revenue, cost, own = section.revenue, section.unit_cost, section.own_plant
    months_since_year_0 = programme.as_of.year * 12 + programme.as_of.month
    month = months_since_year_0 + np.arange(demand_units_by_month.size)
    last = max(price_cny_by_year)
    days_to_month_0 = (_first_of_next_month(programme.as_of.year, programme.as_of.month) - programme.as_of).days
    return DealInputs(
        first_year=int(month[0] // 12),
        first_month=int(month[0] % 12) + 1,
        start_month=max(0.0, start_of_production.months_from_as_of - days_to_month_0 / DAYS_PER_MONTH),
        demand_units_by_month=demand_units_by_month,
        guest_output_units_by_month=guest_output_units_by_month,
        resident_units_lost_by_month=resident_units_lost_by_month,
        price_cny_by_month=_by_month(lambda year: price_cny_by_year[min(year, last)], month),
        planned_units_per_year=planned_units_per_year,
        contracted_capacity_units_per_year=section.contracted_capacity_units_per_year.value,
        value_added_tax_rate=revenue.value_added_tax_rate.value,
        sales_margin_share=revenue.sales_margin_share.value,
        credit_cny_per_car=revenue.credit_cny_per_car.value,
        credit_change_rate=revenue.credit_change_rate.value,
        backlog_share=revenue.backlog_share.value,
        parts_cost_by_item_cny=dict(parts_cost_by_item_cny),
        pack_price_change_rate=cost.pack_price_change_rate.value,
        parts_price_change_rate=cost.parts_price_change_rate.value,
        assembly_hours_per_car=assembly_hours_per_car,
        body_shop_hours=cost.body_shop_hours.value,
        paint_shop_hours=cost.paint_shop_hours.value,
        indirect_hours_share=cost.indirect_hours_share.value,
        wage_cny_per_h=cost.wage_cny_per_h.value,
        wage_change_rate=cost.wage_change_rate.value,
        energy_and_consumables_cny=cost.energy_and_consumables_cny.value,
        logistics_cny=cost.logistics_cny.value,
        warranty_share=cost.warranty_share.value,
        rework_cny=cost.rework_cny.value,
        first_pass_yield=first_pass_yield,
        investments=tuple(
            Investment(
                id=item.id,
                name=item.name,
                paid_by_brand=item.paid_by is Payer.BRAND,
                amount_cny=item.amount_cny.value,
                starts_months_before=item.starts_months_before,
                spread_months=item.spread_months,
                useful_life_years=item.useful_life_years,
                for_host_plant_only=item.for_host_plant_only,
            )
            for item in section.investment
        ),
        clauses=_clauses(section, programme.as_of, days_to_month_0 / DAYS_PER_MONTH),
        resident_contribution_cny_per_car=section.host.resident_contribution_cny_per_car.value,
        host_fixed_cost_cny_per_year=section.host.fixed_cost_cny_per_year.value,
        brand_fixed_cost_cny_per_year=section.brand.fixed_cost_cny_per_year.value,
        brand_fixed_cost_change_rate=section.brand.fixed_cost_change_rate.value,
        inventory_days=section.working_capital.inventory_days.value,
        payable_days=section.working_capital.payable_days.value,
        fee_payable_days=section.working_capital.fee_payable_days.value,
        brand_discount_rate=document.brand.discount_rate.value,
        host_discount_rate=document.host.discount_rate.value,
        brand_tax_rate=document.brand.tax_rate.value,
        host_tax_rate=document.host.tax_rate.value,
        own_plant=OwnPlant(
            investment_cny=own.investment_cny.value,
            construction_months=own.construction_months,
            capacity_units_per_year=own.capacity_units_per_year.value,
            later_months=own.later_months.value,
            ramp_months=own.ramp_months.value,
            labour_hours_share=own.labour_hours_share.value,
            fixed_cost_cny_per_year=own.fixed_cost_cny_per_year.value,
            useful_life_years=own.useful_life_years,
            residual_share=own.residual_share.value,
        ),
        with_break_even=with_break_even,
        inflation_rate=cost.inflation_rate.value,
        credit_cny_per_car_by_month=_credits(section, month),
        subsidy_cny_per_car_by_month=_subsidies(section, month),
        parts_learning_items=cost.parts_learning_items,
        parts_learning_rate=1.0 if cost.parts_learning_rate is None else cost.parts_learning_rate.value,
        parts_learning_reference_units=(
            1.0 if cost.parts_learning_reference_units is None else cost.parts_learning_reference_units.value
        ),
        brand_loss_carry_forward_years=section.brand.loss_carry_forward_years,
        host_loss_carry_forward_years=section.host.loss_carry_forward_years,
        host_plant_fixed_cost_cny_per_year=section.host.plant_fixed_cost_cny_per_year.value,
        resident_units_per_year=sum(programme.resident_units_per_year.values()),
    )


def _by_month(of_year: Callable[[int], float], month: NDArray[np.int64]) -> Vector:
    """Return by month what holds for its calendar year."""
    year = month // 12
    values: Vector = np.array([of_year(number) for number in range(int(year[0]), int(year[-1]) + 1)])[year - year[0]]
    return values


def _credits(section: DealSection, month: NDArray[np.int64]) -> Vector | None:
    """Return the emission credits a car by month if single years are given."""
    by_year = {item.year: item.credit_cny_per_car.value for item in section.revenue.credit_year}
    if not by_year:
        return None
    years = (np.arange(month.size) + 0.5) / 12
    revenue = section.revenue
    credit: Vector = revenue.credit_cny_per_car.value * (1 + revenue.credit_change_rate.value) ** years
    for year, value in by_year.items():
        credit[month // 12 == year] = value
    return credit


def _subsidies(section: DealSection, month: NDArray[np.int64]) -> Vector | None:
    """Return the subsidy a car by month if there is any."""
    by_year = {item.year: item.subsidy_cny_per_car.value for item in section.revenue.subsidy_year}
    return _by_month(lambda year: by_year.get(year, 0.0), month) if by_year else None


def floor_units_per_year(section: DealSection) -> float:
    """Return the cars a year that the brand must take or pay, 0 without such a clause.

    Parameters
    ----------
    section
        The deal.
    """
    shares = [clause.floor_share.value for clause in section.clause if isinstance(clause, TakeOrPayClause)]
    return max(shares, default=0.0) * section.contracted_capacity_units_per_year.value


def check(section: DealSection) -> list[Problem]:
    """Return the mistakes that the types cannot see: names used twice, tiers out of order, what is named and is not.

    Parameters
    ----------
    section
        The deal section of programme.toml.
    """
    problems = []
    for name, items in (("clause", section.clause), ("investment", section.investment)):
        ids = [item.id for item in items]
        problems += [
            _problem(f"{name}.id", twice, "an identifier used once")
            for twice in sorted({found for found in ids if ids.count(found) > 1})
        ]
    for name, years in (
        ("credit_year", [item.year for item in section.revenue.credit_year]),
        ("subsidy_year", [item.year for item in section.revenue.subsidy_year]),
    ):
        if len(set(years)) != len(years):
            problems.append(_problem(f"revenue.{name}.year", ", ".join(map(str, years)), "each year once"))
    has_fee = any(isinstance(clause, FeeClause) for clause in section.clause)
    for clause in section.clause:
        where = f"clause.{clause.id}"
        if isinstance(clause, TakeOrPayClause) and not has_fee:
            expected = "a clause 'fee per car' of whose first tier it is a share"
            problems.append(_problem(f"{where}.paid_share", "no fee per car", expected))
        if isinstance(clause, FeeClause):
            starts = [tier.from_units for tier in clause.tier]
            if starts[0] != 0 or starts != sorted(set(starts)):
                found = ", ".join(map(str, starts))
                problems.append(_problem(f"{where}.tier.from_units", found, "tiers that begin at 0 and rise"))
            currencies = sorted({tier.amount("fee_{}_per_car")[0] for tier in clause.tier})
            if len(currencies) > 1:
                problems.append(_problem(f"{where}.tier", " and ".join(currencies), "all tiers in one currency"))
        if isinstance(clause, ToolingClause):
            named = [item.id for item in section.investment]
            if clause.investment not in named:
                problems.append(_problem(f"{where}.investment", clause.investment, f"one of {', '.join(named)}"))
        if isinstance(clause, IndexationClause):
            path = [point.year for point in clause.index]
            if path != sorted(set(path)):
                problems.append(_problem(f"{where}.index.year", ", ".join(map(str, path)), "years that rise"))
    if sum(isinstance(clause, LeavingClause) for clause in section.clause) > 1:
        problems.append(_problem("clause.kind", "'cost of leaving' twice", "one such clause"))
    return problems


def check_items(section: DealSection, parts: Mapping[str, float]) -> list[Problem]:
    """Return the parts that clauses or learning name and the car does not have.

    Parameters
    ----------
    section
        The deal section of programme.toml.
    parts
        Parts of a car by item.
    """
    named = [("unit_cost.parts_learning_items", section.unit_cost.parts_learning_items)]
    named += [
        (f"clause.{clause.id}.items", clause.items) for clause in section.clause if isinstance(clause, IndexationClause)
    ]
    return [
        _problem(field, item, f"one of {', '.join(parts)}")
        for field, items in named
        for item in items
        if item not in parts
    ]


def _problem(field: str, found: str, expected: str) -> Problem:
    return Problem("programme.toml", f"deal.{field}", found, expected)


def _clauses(section: DealSection, as_of: dt.date, months_to_month_0: float) -> tuple[Clause, ...]:
    terms = Terms(section, as_of, months_to_month_0)
    return tuple(FROM_TABLE[clause.kind](clause, terms) for clause in section.clause)


def _first_of_next_month(year: int, month: int) -> dt.date:
    return dt.date(year + month // 12, month % 12 + 1, 1)
