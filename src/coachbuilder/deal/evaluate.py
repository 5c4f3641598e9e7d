"""The deal stage: both sides' cash flows under the contract, and the same programme with an own plant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coachbuilder.deal.cashflow import (
    DAYS_PER_MONTH,
    MONTHS_PER_YEAR,
    Calendar,
    party,
    present_value,
    sales_by_month,
    spending,
    transfers,
    yearly_tax,
)
from coachbuilder.deal.clauses import Context
from coachbuilder.deal.interface import (
    BreakEven,
    DealInputs,
    DealResult,
    Investment,
    OwnPlantResult,
    PartyResult,
    UnitCost,
)

Vector = NDArray[np.float64]

PACK = "battery_pack"
"""Item of the parts cost whose price changes by a rate of its own."""
BREAK_EVEN_LIMIT = 5.0
"""Break-even volumes are searched up to this multiple of the contracted capacity."""


@dataclass(frozen=True, slots=True)
class _PerCar:
    """Money a car by month, shape (months,) each."""

    net_revenue: Vector
    parts: dict[str, Vector]
    logistics: Vector
    warranty: Vector
    labour: dict[str, Vector]
    energy: Vector
    rework: Vector


def evaluate(inputs: DealInputs) -> DealResult:
    """Work out both sides' cash flows.

    The brand sells the cars, pays parts, logistics, warranty, its fixed cost and what the contract says; the host
    builds them: labour, energy, rework, its fixed cost and what displaced resident cars would have earned. Income tax
    is paid by calendar year after depreciation with losses carried forward; cash is discounted from the middle of each
    month.

    Parameters
    ----------
    inputs
        The deal.
    """
    calendar = Calendar.of(inputs)
    sales, lost = sales_by_month(inputs.demand_units_by_month, inputs.guest_output_units_by_month, inputs.backlog_share)
    per_car = _per_car(inputs)
    brand, host, paid = _contract(inputs, calendar, per_car, sales)
    joint_lines = {
        f"{side}: {line}": cash for side, lines in (("brand", brand), ("host", host)) for line, cash in lines.items()
    }
    brand_result = party(brand, inputs.brand_discount_rate, calendar)
    host_result = party(host, inputs.host_discount_rate, calendar)
    joint = party(joint_lines, inputs.brand_discount_rate, calendar, npv_cny=brand_result.npv_cny + host_result.npv_cny)
    return DealResult(
        years=calendar.years,
        sales_units_by_year=calendar.by_year(sales),
        demand_units_by_year=calendar.by_year(inputs.demand_units_by_month),
        output_units_by_year=calendar.by_year(inputs.guest_output_units_by_month),
        demand_lost_units=lost,
        sales_units=float(sales.sum()),
        brand=brand_result,
        host=host_result,
        joint=joint,
        transfers_cny_by_year={name: calendar.by_year(amount) for name, amount in paid.items()},
        unit_cost=_unit_cost(inputs, calendar, per_car, sales, paid),
        break_even=_break_even(inputs, calendar, per_car) if inputs.with_break_even else None,
        own_plant=_own_plant(inputs, calendar, per_car, brand_result),
    )


def _years_from_now(inputs: DealInputs) -> Vector:
    return (np.arange(inputs.demand_units_by_month.size) + 0.5) / MONTHS_PER_YEAR


def _per_car(inputs: DealInputs) -> _PerCar:
    years = _years_from_now(inputs)
    before_tax = inputs.price_cny_by_month / (1 + inputs.value_added_tax_rate)
    other = (1 + inputs.parts_price_change_rate) ** years
    pack = (1 + inputs.pack_price_change_rate) ** years
    wage = inputs.wage_cny_per_h * (1 + inputs.wage_change_rate) ** years
    direct = {
        "assembly labour": inputs.assembly_hours_per_car,
        "body shop labour": inputs.body_shop_hours,
        "paint shop labour": inputs.paint_shop_hours,
    }
    hours = {**direct, "indirect labour": inputs.indirect_hours_share * sum(direct.values())}
    ones = np.ones_like(years)
    return _PerCar(
        net_revenue=before_tax * (1 - inputs.sales_margin_share)
        + inputs.credit_cny_per_car * (1 + inputs.credit_change_rate) ** years,
        parts={name: cost * (pack if name == PACK else other) for name, cost in inputs.parts_cost_by_item_cny.items()},
        logistics=inputs.logistics_cny * ones,
        warranty=inputs.warranty_share * before_tax,
        labour={name: hour * wage for name, hour in hours.items()},
        energy=inputs.energy_and_consumables_cny * ones,
        rework=(1 - inputs.first_pass_yield) * inputs.rework_cny * ones,
    )


def _contract(
    inputs: DealInputs, calendar: Calendar, per_car: _PerCar, sales: Vector
) -> tuple[dict[str, Vector], dict[str, Vector], dict[str, Vector]]:
    months = sales.size
    in_production = np.clip(np.arange(1, months + 1) - inputs.start_month, 0.0, 1.0)
    brand_spent, brand_depreciation = _invest(inputs.investments, True, inputs.start_month, months)
    host_spent, host_depreciation = _invest(inputs.investments, False, inputs.start_month, months)
    host_costs = {
        "labour": -sales * sum(per_car.labour.values()),
        "energy and consumables": -sales * per_car.energy,
        "rework": -sales * per_car.rework,
        "fixed cost for the guest": -inputs.host_fixed_cost_cny_per_year / MONTHS_PER_YEAR * in_production,
        "displaced resident cars": -inputs.resident_contribution_cny_per_car * inputs.resident_units_lost_by_month,
    }
    # What clauses call the host's loss is that on the guest itself; displaced residents are the host's own matter.
    operating = sum(line for name, line in host_costs.items() if name != "displaced resident cars") - host_depreciation
    paid = transfers(
        inputs,
        Context(
            sales_units=sales,
            output_units=inputs.guest_output_units_by_month,
            year_index=calendar.year_index,
            start_month=inputs.start_month,
            contracted_capacity_units_per_year=inputs.contracted_capacity_units_per_year,
            host_depreciation_cny=host_depreciation,
            host_operating_result_cny=np.asarray(operating),
        ),
    )
    to_host = np.sum(list(paid.values()), axis=0) if paid else np.zeros(months)
    brand_costs = _brand_lines(inputs, per_car, sales)
    brand_lines = {**brand_costs, "paid to the host": -to_host}
    fee_days = inputs.fee_payable_days
    brand = _with_investment_and_tax(
        brand_lines,
        brand_spent,
        brand_depreciation,
        _brand_bound(inputs, brand_lines) - fee_days / DAYS_PER_MONTH * to_host,
        inputs.brand_tax_rate,
        calendar,
    )
    host = _with_investment_and_tax(
        {"received from the brand": to_host, **host_costs},
        host_spent,
        host_depreciation,
        fee_days / DAYS_PER_MONTH * to_host,
        inputs.host_tax_rate,
        calendar,
    )
    return brand, host, paid


def _brand_lines(inputs: DealInputs, per_car: _PerCar, sales: Vector) -> dict[str, Vector]:
    parts = np.sum(list(per_car.parts.values()), axis=0) if per_car.parts else np.zeros_like(sales)
    fixed = inputs.brand_fixed_cost_cny_per_year * (1 + inputs.brand_fixed_cost_change_rate) ** _years_from_now(inputs)
    return {
        "net revenue": sales * per_car.net_revenue,
        "parts": -sales * parts,
        "logistics": -sales * per_car.logistics,
        "warranty": -sales * per_car.warranty,
        "brand's fixed cost": -fixed / MONTHS_PER_YEAR,
    }


def _brand_bound(inputs: DealInputs, lines: Mapping[str, Vector]) -> Vector:
    """Return the money bound in stock less what suppliers are owed, by month."""
    variable = -(lines["parts"] + lines["logistics"])
    return (inputs.inventory_days * variable - inputs.payable_days * -lines["parts"]) / DAYS_PER_MONTH


def _invest(
    investments: tuple[Investment, ...], by_brand: bool, start_month: float, months: int
) -> tuple[Vector, Vector]:
    spent, depreciation = np.zeros(months), np.zeros(months)
    for item in investments:
        if item.paid_by_brand == by_brand:
            outlay, wear = spending(item, start_month, months)
            spent += outlay
            depreciation += wear
    return spent, depreciation


def _with_investment_and_tax(
    lines: Mapping[str, Vector],
    spent: Vector,
    depreciation: Vector,
    bound: Vector,
    tax_rate: float,
    calendar: Calendar,
) -> dict[str, Vector]:
    # The capital bound at the end of the horizon comes back with its last month.
    bound = bound.copy()
    bound[-1] = 0.0
    taxable = np.sum(list(lines.values()), axis=0) - depreciation
    return {
        **lines,
        "investment": -spent,
        "working capital": -np.diff(bound, prepend=0.0),
        "income tax": -yearly_tax(taxable, tax_rate, calendar),
    }


def _unit_cost(
    inputs: DealInputs, calendar: Calendar, per_car: _PerCar, sales: Vector, paid: Mapping[str, Vector]
) -> UnitCost:
    by_year = calendar.by_year(sales)
    total = float(sales.sum())
    if total <= 0:
        return UnitCost(None, {}, 0.0, 0.0, 0.0)
    best = int(np.argmax(by_year))
    weight = np.where(calendar.year_index == best, sales, 0.0) / by_year[best]

    def mean(vector: Vector) -> float:
        return float(np.dot(weight, vector))

    items = {name.replace("_", " "): mean(cost) for name, cost in per_car.parts.items()}
    items |= {name: mean(cost) for name, cost in per_car.labour.items()}
    items |= {
        "energy and consumables": mean(per_car.energy),
        "rework": mean(per_car.rework),
        "logistics": mean(per_car.logistics),
        "warranty": mean(per_car.warranty),
        "investments spread": sum(item.amount_cny for item in inputs.investments) / total,
    }
    to_host = sum(float(amount[calendar.year_index == best].sum()) for amount in paid.values())
    return UnitCost(
        year=calendar.years[best],
        items_cny=items,
        total_cny=sum(items.values()),
        net_revenue_cny=mean(per_car.net_revenue),
        transfer_to_host_cny=to_host / float(by_year[best]),
    )


def _break_even(inputs: DealInputs, calendar: Calendar, per_car: _PerCar) -> BreakEven:
    from scipy.optimize import brentq

    in_production = np.clip(np.arange(1, inputs.demand_units_by_month.size + 1) - inputs.start_month, 0.0, 1.0)
    limit = BREAK_EVEN_LIMIT * inputs.contracted_capacity_units_per_year

    def values(units_per_year: float) -> tuple[float, float]:
        sales = units_per_year / MONTHS_PER_YEAR * in_production
        flat = replace(inputs, guest_output_units_by_month=sales)
        brand, host, _ = _contract(flat, calendar, per_car, sales)
        return (
            present_value(np.sum(list(brand.values()), axis=0), inputs.brand_discount_rate),
            present_value(np.sum(list(host.values()), axis=0), inputs.host_discount_rate),
        )

    grid = np.linspace(0.0, limit, 26)
    on_grid = np.array([values(float(units)) for units in grid])
    found: list[float | None] = []
    notes = []
    for position, side in enumerate(("brand", "host")):
        turns = np.flatnonzero((on_grid[:-1, position] < 0) & (on_grid[1:, position] >= 0))
        if turns.size:
            low, high = float(grid[turns[0]]), float(grid[turns[0] + 1])
            found.append(float(brentq(lambda units, at=position: values(units)[at], low, high, xtol=0.5)))
        else:
            found.append(None)
            sign = "gains" if on_grid[0, position] >= 0 else "loses"
            notes.append(f"the {side} {sign} at every volume up to {limit:.0f} cars a year")
    return BreakEven(found[0], found[1], limit, "; ".join(notes))


def _own_plant(inputs: DealInputs, calendar: Calendar, per_car: _PerCar, contract: PartyResult) -> OwnPlantResult:
    own = inputs.own_plant
    months = inputs.demand_units_by_month.size
    start = inputs.start_month + own.later_months
    in_production = np.clip(np.arange(1, months + 1) - start, 0.0, 1.0)
    ramp = np.clip((np.arange(1, months + 1) - start) / max(own.ramp_months, 1.0), 0.0, 1.0)
    output = own.capacity_units_per_year / MONTHS_PER_YEAR * ramp
    sales, _ = sales_by_month(inputs.demand_units_by_month * in_production, output, inputs.backlog_share)
    plant = Investment("own-plant", "own plant", True, own.investment_cny, 24, 24, own.useful_life_years, False)
    kept = tuple(item for item in inputs.investments if item.paid_by_brand and not item.for_host_plant_only)
    spent, depreciation = _invest((*kept, plant), True, start, months)
    _, plant_depreciation = spending(plant, start, months)
    labour = own.labour_hours_share * np.sum(list(per_car.labour.values()), axis=0)
    fixed = own.fixed_cost_cny_per_year / MONTHS_PER_YEAR * in_production
    lines = _brand_lines(inputs, per_car, sales)
    bound = _brand_bound(inputs, lines)
    lines |= {
        "labour": -sales * labour,
        "energy and consumables": -sales * per_car.energy,
        "rework": -sales * per_car.rework,
        "plant's fixed cost": -fixed,
    }
    residual = np.zeros(months)
    residual[-1] = own.residual_share * own.investment_cny
    cash = _with_investment_and_tax(lines, spent, depreciation, bound, inputs.brand_tax_rate, calendar)
    total = np.sum(list(cash.values()), axis=0) + residual
    by_year = calendar.by_year(sales)
    best = int(np.argmax(by_year))
    in_best = calendar.year_index == best
    conversion = (
        float((sales * (labour + per_car.energy + per_car.rework) + fixed + plant_depreciation)[in_best].sum())
        / float(by_year[best])
        if by_year[best] > 0
        else 0.0
    )
    npv = present_value(total, inputs.brand_discount_rate)
    return OwnPlantResult(
        npv_cny=npv,
        start_month=start,
        units=float(sales.sum()),
        unit_conversion_cost_cny=conversion,
        peak_cash_need_cny=float(max(0.0, -np.cumsum(total).min())),
        advantage_over_contract_cny=npv - contract.npv_cny,
        cash_cny_by_year=calendar.by_year(total),
    )
