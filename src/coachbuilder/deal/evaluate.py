"""The deal stage: both sides' cash flows under the contract, and the same programme with an own plant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.deal.cashflow import (
    DAYS_PER_MONTH,
    MONTHS_PER_YEAR,
    Calendar,
    discount_factors,
    increments,
    outstanding,
    party,
    sales_by_month,
    spending,
    transfers,
    yearly_tax,
)
from coachbuilder.deal.clauses import Context, LossesRepaid
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
FEWEST_CARS = 1.0
"""With fewer sold over the horizon a car has no cost to speak of."""

BREAK_EVEN_LIMIT = 5.0
"""Break-even volumes are searched up to this multiple of the contracted capacity."""
BREAK_EVEN_STEPS = 25
"""Steps into which the search cuts its interval."""
BREAK_EVEN_LOOKS = 2
"""How often it looks closer."""

_Cell = tuple[float, float, float, float]
"""Two neighbouring volumes and the values there."""


@dataclass(frozen=True, slots=True)
class _PerCar:
    """Money a car by month, shape (months,) each."""

    net_revenue: Vector
    parts_by_item: dict[str, Vector]
    parts: Vector
    logistics: float
    warranty: Vector
    labour_by_item: dict[str, Vector]
    labour: Vector
    energy: float
    rework: float


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
    brand, host, paid = _contract(inputs, calendar, per_car, sales, inputs.guest_output_units_by_month)
    joint_lines = {
        f"{side}: {line}": cash for side, lines in (("brand", brand), ("host", host)) for line, cash in lines.items()
    }
    brand_unused = _unused_tax_value(inputs, brand, inputs.brand_tax_rate, paid_by_brand=True)
    host_unused = _unused_tax_value(inputs, host, inputs.host_tax_rate, paid_by_brand=False)
    brand_result = party(brand, inputs.brand_discount_rate, calendar, unused_tax_value_cny=brand_unused)
    host_result = party(host, inputs.host_discount_rate, calendar, unused_tax_value_cny=host_unused)
    joint = party(
        joint_lines,
        inputs.brand_discount_rate,
        calendar,
        unused_tax_value_cny=brand_unused + host_unused,
        npv_cny=brand_result.npv_cny + host_result.npv_cny,
    )
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
        losses_cap_used_share={
            clause.id: float(paid[clause.id].sum()) / clause.cap_cny
            for clause in inputs.clauses
            if isinstance(clause, LossesRepaid) and clause.cap_cny > 0
        },
        owed_if_nothing_sells_cny=_owed_if_nothing_sells(inputs, calendar) if inputs.with_break_even else None,
    )


def _years_from_now(inputs: DealInputs) -> Vector:
    years: Vector = (np.arange(inputs.demand_units_by_month.size) + 0.5) / MONTHS_PER_YEAR
    return years


def _in_production(inputs: DealInputs, later_months: float = 0.0) -> Vector:
    """Return the share of each month that lies after the start of production."""
    ends = np.arange(1, inputs.demand_units_by_month.size + 1)
    share: Vector = np.minimum(np.maximum(ends - (inputs.start_month + later_months), 0.0), 1.0)
    return share


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
    parts = {name: cost * (pack if name == PACK else other) for name, cost in inputs.parts_cost_by_item_cny.items()}
    return _PerCar(
        net_revenue=before_tax * (1 - inputs.sales_margin_share)
        + inputs.credit_cny_per_car * (1 + inputs.credit_change_rate) ** years,
        parts_by_item=parts,
        parts=sum(parts.values(), np.zeros(years.size)),
        logistics=inputs.logistics_cny,
        warranty=inputs.warranty_share * before_tax,
        labour_by_item={name: hour * wage for name, hour in hours.items()},
        labour=sum(hours.values()) * wage,
        energy=inputs.energy_and_consumables_cny,
        rework=(1 - inputs.first_pass_yield) * inputs.rework_cny,
    )


def _contract(
    inputs: DealInputs, calendar: Calendar, per_car: _PerCar, sales: Vector, output: Vector
) -> tuple[dict[str, Vector], dict[str, Vector], dict[str, Vector]]:
    """Return the brand's and the host's lines of cash and what is paid by clause, shape (..., months) as ``sales``."""
    months = sales.shape[-1]
    in_production = _in_production(inputs)
    by_brand = [item for item in inputs.investments if item.paid_by_brand]
    brand_spent, brand_depreciation = spending(by_brand, inputs.start_month, months)
    by_host = [item for item in inputs.investments if not item.paid_by_brand]
    host_spent, host_depreciation = spending(by_host, inputs.start_month, months)
    host_costs = {
        "labour": -sales * per_car.labour,
        "energy and consumables": -sales * per_car.energy,
        "rework": -sales * per_car.rework,
        "fixed cost for the guest": -inputs.host_fixed_cost_cny_per_year / MONTHS_PER_YEAR * in_production,
        "displaced resident cars": -inputs.resident_contribution_cny_per_car * inputs.resident_units_lost_by_month,
    }
    # What clauses call the host's loss is that on the guest itself; displaced residents are the host's own matter.
    operating = _total(host_costs) - host_costs["displaced resident cars"] - host_depreciation
    paid = _paid(inputs, calendar, sales, output, host_depreciation, operating)
    to_host = _total(paid) if paid else np.zeros(sales.shape)
    brand_costs = _brand_lines(inputs, per_car, sales)
    brand_lines = {**brand_costs, "paid to the host": -to_host}
    owed_to_host = outstanding(to_host, inputs.fee_payable_days)
    brand = _with_investment_and_tax(
        brand_lines,
        brand_spent,
        brand_depreciation,
        _brand_bound(inputs, brand_lines) - owed_to_host,
        inputs.brand_tax_rate,
        calendar,
    )
    host = _with_investment_and_tax(
        {"received from the brand": to_host, **host_costs},
        host_spent,
        host_depreciation,
        owed_to_host,
        inputs.host_tax_rate,
        calendar,
    )
    return brand, host, paid


def _paid(
    inputs: DealInputs, calendar: Calendar, sales: Vector, output: Vector, depreciation: Vector, operating: Vector
) -> dict[str, Vector]:
    context = Context(
        sales_units=sales,
        output_units=output,
        year_index=calendar.year_index,
        first_months=calendar.first_months,
        last_months=calendar.last_months,
        start_month=inputs.start_month,
        contracted_capacity_units_per_year=inputs.contracted_capacity_units_per_year,
        host_depreciation_cny=depreciation,
        host_operating_result_cny=operating,
    )
    return transfers(inputs.clauses, context)


def _owed_if_nothing_sells(inputs: DealInputs, calendar: Calendar) -> float:
    months = inputs.demand_units_by_month.size
    by_host = [item for item in inputs.investments if not item.paid_by_brand]
    _, depreciation = spending(by_host, inputs.start_month, months)
    fixed = inputs.host_fixed_cost_cny_per_year / MONTHS_PER_YEAR * _in_production(inputs)
    output = inputs.guest_output_units_by_month
    paid = _paid(inputs, calendar, np.zeros(months), output, depreciation, -fixed - depreciation)
    return float(sum(paid.values(), np.zeros(months)) @ discount_factors(months, inputs.brand_discount_rate))


def _brand_lines(inputs: DealInputs, per_car: _PerCar, sales: Vector) -> dict[str, Vector]:
    return {
        "net revenue": sales * per_car.net_revenue,
        "parts": -sales * per_car.parts,
        "logistics": -sales * per_car.logistics,
        "warranty": -sales * per_car.warranty,
        "brand's fixed cost": -_brand_fixed_cost(inputs),
    }


def _brand_fixed_cost(inputs: DealInputs) -> Vector:
    change = (1 + inputs.brand_fixed_cost_change_rate) ** _years_from_now(inputs)
    return inputs.brand_fixed_cost_cny_per_year / MONTHS_PER_YEAR * change


def _brand_bound(inputs: DealInputs, lines: Mapping[str, Vector]) -> Vector:
    """Return the money bound in stock less what suppliers are owed, by month."""
    stock = inputs.inventory_days / DAYS_PER_MONTH * -(lines["parts"] + lines["logistics"])
    return stock - outstanding(-lines["parts"], inputs.payable_days)


def _total(lines: Mapping[str, Vector]) -> Vector:
    first, *others = lines.values()
    total: Vector = sum(others, first)
    return total


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
    bound[..., -1] = 0.0
    taxable = _total(lines) - depreciation
    return {
        **lines,
        "investment": -spent,
        "working capital": -increments(bound),
        "income tax": -yearly_tax(taxable, tax_rate, calendar),
    }


def _unused_tax_value(inputs: DealInputs, lines: Mapping[str, Vector], rate: float, *, paid_by_brand: bool) -> float:
    """Return the tax that losses not set off within the horizon would save."""
    own = [item for item in inputs.investments if item.paid_by_brand is paid_by_brand]
    _, depreciation = spending(own, inputs.start_month, inputs.demand_units_by_month.size)
    outside_income = ("investment", "working capital", "income tax")
    income = sum(float(cash.sum()) for name, cash in lines.items() if name not in outside_income)
    return max(0.0, -float(lines["income tax"].sum()) - rate * (income - float(depreciation.sum())))


def _unit_cost(
    inputs: DealInputs, calendar: Calendar, per_car: _PerCar, sales: Vector, paid: Mapping[str, Vector]
) -> UnitCost:
    by_year = calendar.by_year(sales)
    total = float(sales.sum())
    if total < FEWEST_CARS:
        return UnitCost(None, {}, 0.0, 0.0, 0.0)
    best = int(np.argmax(by_year))
    weight = np.where(calendar.year_index == best, sales, 0.0) / by_year[best]

    def mean(vector: Vector) -> float:
        return float(np.dot(weight, vector))

    brand_fixed = float(calendar.by_year(_brand_fixed_cost(inputs))[best])
    host_fixed = inputs.host_fixed_cost_cny_per_year / MONTHS_PER_YEAR
    items = {name.replace("_", " "): mean(cost) for name, cost in per_car.parts_by_item.items()}
    items |= {name: mean(cost) for name, cost in per_car.labour_by_item.items()}
    items |= {
        "energy and consumables": per_car.energy,
        "rework": per_car.rework,
        "logistics": per_car.logistics,
        "warranty": mean(per_car.warranty),
        "host's fixed cost": host_fixed * float(calendar.by_year(_in_production(inputs))[best] / by_year[best]),
        "brand's fixed cost": brand_fixed / float(by_year[best]),
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
    months = inputs.demand_units_by_month.size
    in_production = _in_production(inputs) / MONTHS_PER_YEAR
    factors = [discount_factors(months, rate) for rate in (inputs.brand_discount_rate, inputs.host_discount_rate)]
    limit = BREAK_EVEN_LIMIT * inputs.contracted_capacity_units_per_year

    def values(units_per_year: Vector) -> Vector:
        """Return both sides' values, shape (2, volumes)."""
        sales = units_per_year[:, None] * in_production
        ready = np.maximum(sales, inputs.planned_units_per_year * in_production)
        brand, host, _ = _contract(inputs, calendar, per_car, sales, ready)
        return np.array([_total(side) @ factor for side, factor in zip((brand, host), factors, strict=True)])

    # The values are piecewise linear in the volume: looking closer twice leaves hardly ever a bend in the last cell.
    volume = np.linspace(0.0, limit, BREAK_EVEN_STEPS + 1)
    cells = [_first_turn(volume, value) for value in values(volume)]
    for _ in range(BREAK_EVEN_LOOKS):
        volumes = [np.linspace(*cell[:2], BREAK_EVEN_STEPS + 1) for cell in cells if cell is not None]
        if volumes:
            looked = np.split(values(np.concatenate(volumes)), len(volumes), axis=1)
            closer = iter(zip(volumes, looked, strict=True))
            for side, cell in enumerate(cells):
                if cell is not None:
                    volume, value = next(closer)
                    cells[side] = _first_turn(volume, value[side]) or cell
    found = [None if cell is None else _zero(cell) for cell in cells]
    looked_at = values(np.linspace(0.0, limit, BREAK_EVEN_STEPS + 1))
    notes = [
        f"the {name} {_at_every_volume(looked_at[side])} up to {limit:.0f} cars a year"
        for side, name in enumerate(("brand", "host"))
        if cells[side] is None
    ]
    return BreakEven(found[0], found[1], limit, "; ".join(notes))


def _at_every_volume(value: Vector) -> str:
    if np.all(value >= 0):
        return "gains at every volume"
    return "loses at every volume" if np.all(value < 0) else "gains at small volumes alone, of those"


def _first_turn(volume: Vector, value: Vector) -> _Cell | None:
    """Return the first two neighbouring volumes between which the value rises through nil, and both values."""
    turns = np.flatnonzero((value[:-1] < 0) & (value[1:] >= 0))
    if not turns.size:
        return None
    at = int(turns[0])
    return float(volume[at]), float(volume[at + 1]), float(value[at]), float(value[at + 1])


def _zero(cell: _Cell) -> float:
    low, high, below, above = cell
    return low + (high - low) * below / (below - above)


def _own_plant(inputs: DealInputs, calendar: Calendar, per_car: _PerCar, contract: PartyResult) -> OwnPlantResult:
    own = inputs.own_plant
    months = inputs.demand_units_by_month.size
    start = inputs.start_month + own.later_months
    in_production = _in_production(inputs, own.later_months)
    ramp = np.minimum(np.maximum((np.arange(1, months + 1) - start) / max(own.ramp_months, 1.0), 0.0), 1.0)
    output = own.capacity_units_per_year / MONTHS_PER_YEAR * ramp
    sales, _ = sales_by_month(inputs.demand_units_by_month * in_production, output, inputs.backlog_share)
    plant = Investment(
        id="own-plant",
        name="own plant",
        paid_by_brand=True,
        amount_cny=own.investment_cny,
        starts_months_before=own.construction_months,
        spread_months=own.construction_months,
        useful_life_years=own.useful_life_years,
        for_host_plant_only=False,
    )
    # Whoever pays for it under the contract: here it is the brand's.
    needed_anyway = [item for item in inputs.investments if not item.for_host_plant_only]
    spent, depreciation = spending(needed_anyway, start, months)
    plant_spent, plant_depreciation = spending([plant], start, months)
    labour = own.labour_hours_share * per_car.labour
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
    cash = _with_investment_and_tax(
        lines, spent + plant_spent, depreciation + plant_depreciation, bound, inputs.brand_tax_rate, calendar
    )
    total = _total(cash) + residual
    by_year = calendar.by_year(sales)
    best = int(np.argmax(by_year))
    in_best = calendar.year_index == best
    conversion = (
        float((sales * (labour + per_car.energy + per_car.rework) + fixed + plant_depreciation)[in_best].sum())
        / float(by_year[best])
        if by_year[best] > 0
        else 0.0
    )
    npv = float(total @ discount_factors(months, inputs.brand_discount_rate))
    return OwnPlantResult(
        npv_cny=npv,
        start_month=start,
        units=float(sales.sum()),
        unit_conversion_cost_cny=conversion,
        peak_cash_need_cny=float(max(0.0, -np.cumsum(total).min())),
        advantage_over_contract_cny=npv - contract.npv_cny,
        cash_cny_by_year=calendar.by_year(total),
    )
