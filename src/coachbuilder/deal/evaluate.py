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
    beside,
    both,
    discount_factors,
    increments,
    outstanding,
    party,
    present_value,
    sales_by_month,
    set_off,
    spending,
    transfers,
    weighted,
    yearly_tax,
)
from coachbuilder.deal.clauses import Beside, Context, CostOfLeaving, LossesRepaid
from coachbuilder.deal.interface import (
    Absorption,
    BreakEven,
    ClauseFlow,
    DealFigures,
    DealInputs,
    DealResult,
    Investment,
    Leaving,
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
    """Money a car by month, shape (..., months) each."""

    net_revenue: Vector
    parts_by_item: dict[str, Vector]
    parts: Vector
    logistics: Vector
    warranty: Vector
    labour_by_item: dict[str, Vector]
    labour: Vector
    energy: Vector
    rework: Vector
    subsidy: Vector | None
    host_fixed: Vector
    inflation: Vector


@dataclass(frozen=True, slots=True)
class _Contract:
    """Both sides under the contract; vectors have shape (..., months)."""

    brand: dict[str, Vector]
    """The brand's lines of cash."""
    host: dict[str, Vector]
    """The host's."""
    paid: dict[str, Vector]
    """What the brand pays by clause."""
    beside: dict[str, Beside]
    """What clauses do beside."""
    context: Context
    """What the clauses looked at."""
    depreciation: dict[str, Vector]
    """By side, shape (..., months)."""

    def outside(self, side: str, discount_rate: float) -> Vector | float:
        """Return the value of what a side gains outside cash."""
        gains = [getattr(item, f"{side}_outside_cny") for item in self.beside.values()]
        return sum((present_value(gain, discount_rate) for gain in gains if gain is not None), 0.0)

    def value(self, side: str, discount_rate: float) -> Vector:
        """Return a side's net present value, shape (...)."""
        lines: dict[str, Vector] = getattr(self, side)
        return present_value(_total(lines), discount_rate) + self.outside(side, discount_rate)


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
    contract = _contract(inputs, calendar, per_car, sales, inputs.guest_output_units_by_month)
    paid = contract.paid

    def result_of(side: str, lines: dict[str, Vector], discount_rate: float) -> PartyResult:
        return party(
            lines,
            discount_rate,
            calendar,
            npv_cny=float(contract.value(side, discount_rate)),
            unused_tax_value_cny=_unused_tax_value(inputs, calendar, contract, side),
            outside_cash_npv_cny=float(contract.outside(side, discount_rate)),
        )

    brand_result = result_of("brand", contract.brand, inputs.brand_discount_rate)
    host_result = result_of("host", contract.host, inputs.host_discount_rate)
    joint = both(brand_result, host_result, inputs.brand_discount_rate, calendar)
    detailed = inputs.with_break_even
    return DealResult(
        years=calendar.years,
        sales_units_by_year=calendar.by_year(sales),
        demand_units_by_year=calendar.by_year(inputs.demand_units_by_month),
        output_units_by_year=calendar.by_year(inputs.guest_output_units_by_month),
        demand_lost_units=float(lost),
        sales_units=float(sales.sum()),
        brand=brand_result,
        host=host_result,
        joint=joint,
        transfers_cny_by_year={name: calendar.by_year(amount) for name, amount in paid.items()},
        unit_cost=_unit_cost(inputs, calendar, per_car, sales, paid),
        break_even=_break_even(inputs, calendar, per_car) if detailed else None,
        own_plant=_own_plant(inputs, calendar, per_car, brand_result),
        losses_cap_used_share={
            clause.id: float(paid[clause.id].sum()) / clause.cap_cny
            for clause in inputs.clauses
            if isinstance(clause, LossesRepaid) and clause.cap_cny > 0
        },
        owed_if_nothing_sells_cny=_owed_if_nothing_sells(inputs, calendar, per_car) if detailed else None,
        clauses=_clause_flows(inputs, calendar, contract) if detailed else (),
        absorption=_absorption(inputs, calendar, per_car, contract, sales) if detailed else None,
        leaving=_leaving(inputs, calendar, per_car, contract) if detailed else None,
    )


def figures(stack: DealInputs) -> DealFigures:
    """Work out the values of many deals at once; not a number where there is none.

    Parameters
    ----------
    stack
        Deals of the same structure as one: vectors have shape (draws, months) or, where they are the same in all draws,
        (months,); numbers shape (draws, 1) or none. Demand and output have shape (draws, months).
    """
    calendar = Calendar.of(stack)
    sales, _ = sales_by_month(stack.demand_units_by_month, stack.guest_output_units_by_month, stack.backlog_share)
    per_car = _per_car(stack)
    contract = _contract(stack, calendar, per_car, sales, stack.guest_output_units_by_month)
    brand = contract.value("brand", stack.brand_discount_rate)
    host = contract.value("host", stack.host_discount_rate)
    own = _own_plant_flows(stack, calendar, per_car).value(stack.brand_discount_rate)
    best = _BestYear.of(calendar, sales)
    cost = sum(_unit_cost_items(stack, per_car, sales, best).values())
    known = np.isfinite(brand) & np.isfinite(host) & np.isfinite(own)
    return DealFigures(
        brand_npv_cny=np.where(known, brand, np.nan),
        host_npv_cny=np.where(known, host, np.nan),
        joint_npv_cny=np.where(known, brand + host, np.nan),
        own_plant_npv_cny=np.where(known, own, np.nan),
        unit_cost_cny=np.where(known & (best.all_units >= FEWEST_CARS), cost, np.nan),
    )


def _years_from_now(inputs: DealInputs) -> Vector:
    years: Vector = (np.arange(inputs.demand_units_by_month.shape[-1]) + 0.5) / MONTHS_PER_YEAR
    return years


def _in_production(inputs: DealInputs, later_months: float = 0.0) -> Vector:
    """Return the share of each month that lies after the start of production."""
    ends = np.arange(1, inputs.demand_units_by_month.shape[-1] + 1)
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
    inflation = (1 + inputs.inflation_rate) ** years
    credit = inputs.credit_cny_per_car_by_month
    if credit is None:
        credit = inputs.credit_cny_per_car * (1 + inputs.credit_change_rate) ** years
    return _PerCar(
        net_revenue=before_tax * (1 - inputs.sales_margin_share) + credit,
        parts_by_item=parts,
        parts=sum(parts.values(), np.zeros(years.size)),
        logistics=inputs.logistics_cny * inflation,
        warranty=inputs.warranty_share * before_tax,
        labour_by_item={name: hour * wage for name, hour in hours.items()},
        labour=sum(hours.values()) * wage,
        energy=inputs.energy_and_consumables_cny * inflation,
        rework=(1 - inputs.first_pass_yield) * inputs.rework_cny * inflation,
        subsidy=inputs.subsidy_cny_per_car_by_month,
        host_fixed=inputs.host_fixed_cost_cny_per_year / MONTHS_PER_YEAR * inflation,
        inflation=inflation,
    )


def _learning(inputs: DealInputs, sales: Vector) -> Vector | None:
    """Return what parts that learn cost over what they cost at first, by month; None if none do.

    Wright: the cost of the n-th car is that of the reference car times ``(n / reference)^log2(rate)``, taken at the
    middle of the month's cars.
    """
    if not inputs.parts_learning_items or np.all(np.equal(inputs.parts_learning_rate, 1.0)):
        return None
    made = np.cumsum(sales, axis=-1) - sales / 2
    exponent = np.log2(inputs.parts_learning_rate)
    share: Vector = np.maximum(made / inputs.parts_learning_reference_units, 1.0) ** exponent
    return share


def _parts(inputs: DealInputs, per_car: _PerCar, sales: Vector) -> Vector:
    """Return the parts of a car by month, learning included."""
    learnt = _learning(inputs, sales)
    if learnt is None:
        return per_car.parts
    specific = sum(per_car.parts_by_item[name] for name in inputs.parts_learning_items)
    parts: Vector = per_car.parts - specific * (1 - learnt)
    return parts


def _contract(
    inputs: DealInputs,
    calendar: Calendar,
    per_car: _PerCar,
    sales: Vector,
    output: Vector,
) -> _Contract:
    """Return both sides under the contract, shape (..., months) as ``sales``."""
    months = sales.shape[-1]
    by_brand = [item for item in inputs.investments if item.paid_by_brand]
    brand_spent, brand_depreciation = spending(by_brand, inputs.start_month, months)
    by_host = [item for item in inputs.investments if not item.paid_by_brand]
    host_spent, host_depreciation = spending(by_host, inputs.start_month, months)
    host_costs = {
        "labour": -sales * per_car.labour,
        "energy and consumables": -sales * per_car.energy,
        "rework": -sales * per_car.rework,
        "fixed cost for the guest": -per_car.host_fixed * _in_production(inputs),
        "displaced resident cars": -inputs.resident_contribution_cny_per_car * inputs.resident_units_lost_by_month,
    }
    # What clauses call the host's loss is that on the guest itself; displaced residents are the host's own matter.
    operating = _total(host_costs) - host_costs["displaced resident cars"] - host_depreciation
    context = _context(inputs, calendar, sales, output, host_depreciation, operating)
    aside = beside(inputs.clauses, context)
    brand_own = [item.brand_cost_cny for item in aside.values() if item.brand_cost_cny is not None]
    host_own = [item.host_cost_cny for item in aside.values() if item.host_cost_cny is not None]
    if host_own:
        host_costs["cost of what clauses ask for"] = -sum(host_own[1:], host_own[0])
        context = replace(context, host_operating_result_cny=operating + host_costs["cost of what clauses ask for"])
    paid = transfers(inputs.clauses, context)
    to_host = _total(paid) if paid else np.zeros(sales.shape)
    brand_lines = {**_brand_lines(inputs, per_car, sales), "paid to the host": -to_host}
    if brand_own:
        brand_lines["cost of what clauses ask for"] = -sum(brand_own[1:], brand_own[0])
    owed_to_host = outstanding(to_host, inputs.fee_payable_days)
    brand = _with_investment_and_tax(
        brand_lines,
        brand_spent,
        brand_depreciation,
        _brand_bound(inputs, brand_lines) - owed_to_host,
        inputs.brand_tax_rate,
        calendar,
        inputs.brand_loss_carry_forward_years,
    )
    host = _with_investment_and_tax(
        {"received from the brand": to_host, **host_costs},
        host_spent,
        host_depreciation,
        owed_to_host,
        inputs.host_tax_rate,
        calendar,
        inputs.host_loss_carry_forward_years,
    )
    return _Contract(brand, host, paid, aside, context, {"brand": brand_depreciation, "host": host_depreciation})


def _context(
    inputs: DealInputs,
    calendar: Calendar,
    sales: Vector,
    output: Vector,
    depreciation: Vector,
    operating: Vector,
    in_force: Vector | None = None,
) -> Context:
    return Context(
        sales_units=sales,
        output_units=output,
        year_index=calendar.year_index,
        first_months=calendar.first_months,
        last_months=calendar.last_months,
        start_month=inputs.start_month,
        contracted_capacity_units_per_year=inputs.contracted_capacity_units_per_year,
        host_depreciation_cny=depreciation,
        host_operating_result_cny=operating,
        first_year=inputs.first_year,
        parts_cost_by_item_cny=inputs.parts_cost_by_item_cny,
        in_force=in_force,
    )


def _owed_if_nothing_sells(inputs: DealInputs, calendar: Calendar, per_car: _PerCar) -> float:
    months = inputs.demand_units_by_month.size
    by_host = [item for item in inputs.investments if not item.paid_by_brand]
    _, depreciation = spending(by_host, inputs.start_month, months)
    fixed = per_car.host_fixed * _in_production(inputs)
    output = inputs.guest_output_units_by_month
    context = _context(inputs, calendar, np.zeros(months), output, depreciation, -fixed - depreciation)
    paid = transfers(inputs.clauses, context)
    return float(sum(paid.values(), np.zeros(months)) @ discount_factors(months, inputs.brand_discount_rate))


def _clause_flows(inputs: DealInputs, calendar: Calendar, contract: _Contract) -> tuple[ClauseFlow, ...]:
    months = inputs.demand_units_by_month.size
    nothing = np.zeros(months)
    brand_factors = discount_factors(months, inputs.brand_discount_rate)
    host_factors = discount_factors(months, inputs.host_discount_rate)
    flows = []
    for clause in inputs.clauses:
        paid = contract.paid[clause.id]
        aside = contract.beside.get(clause.id, Beside())
        brand = -paid if aside.brand_cost_cny is None else -paid - aside.brand_cost_cny
        host = paid if aside.host_cost_cny is None else paid - aside.host_cost_cny
        brand_outside = nothing if aside.brand_outside_cny is None else aside.brand_outside_cny
        host_outside = nothing if aside.host_outside_cny is None else aside.host_outside_cny
        flows.append(
            ClauseFlow(
                id=clause.id,
                kind=clause.kind,
                brand_cny_by_year=calendar.by_year(brand),
                host_cny_by_year=calendar.by_year(host),
                brand_outside_cny_by_year=calendar.by_year(brand_outside),
                host_outside_cny_by_year=calendar.by_year(host_outside),
                transfer_cny_by_month=paid,
                brand_value_cny=float((brand + brand_outside) @ brand_factors),
                host_value_cny=float((host + host_outside) @ host_factors),
            )
        )
    return tuple(flows)


def _absorption(
    inputs: DealInputs, calendar: Calendar, per_car: _PerCar, contract: _Contract, sales: Vector
) -> Absorption | None:
    if not inputs.host_plant_fixed_cost_cny_per_year or not inputs.resident_units_per_year:
        return None
    months = sales.size
    before = calendar.by_year(np.full(months, inputs.resident_units_per_year / MONTHS_PER_YEAR))
    after = np.maximum(before - calendar.by_year(inputs.resident_units_lost_by_month), 0.0)
    plant = calendar.by_year(inputs.host_plant_fixed_cost_cny_per_year / MONTHS_PER_YEAR * per_car.inflation)
    fixed = plant + calendar.by_year(per_car.host_fixed * _in_production(inputs))
    # What clauses see as the host's result is variable cost, fixed cost for the guest and depreciation, all negative.
    brought = calendar.by_year(_total(contract.paid) if contract.paid else np.zeros(months))
    left = plant - brought - calendar.by_year(contract.context.host_operating_result_cny)
    return Absorption(
        resident_units_before=before,
        resident_units_after=after,
        before_cny_per_car=plant / before,
        all_cars_cny_per_car=fixed / np.maximum(after + calendar.by_year(sales), FEWEST_CARS),
        left_to_residents_cny_per_car=left / np.maximum(after, FEWEST_CARS),
    )


def _leaving(inputs: DealInputs, calendar: Calendar, per_car: _PerCar, contract: _Contract) -> Leaving | None:
    """Return what leaving costs by month of notice; the months of notice are a leading axis for the clauses."""
    clause = next((clause for clause in inputs.clauses if isinstance(clause, CostOfLeaving)), None)
    if clause is None:
        return None
    months = inputs.demand_units_by_month.size
    month = np.arange(months)
    given, now = month[:, None], month[None, :]
    end = np.minimum(month + clause.notice_months, months - 1)
    in_force = (now <= given + clause.notice_months).astype(float)
    sales = np.where(now <= given, contract.context.sales_units, 0.0)
    output = contract.context.output_units * in_force
    left: dict[bool, Vector] = {}
    worn: dict[bool, Vector] = {}
    for by_brand in (True, False):
        own = [item for item in inputs.investments if item.paid_by_brand is by_brand]
        spent, worn[by_brand] = spending(own, inputs.start_month, months)
        left[by_brand] = (np.cumsum(spent) - np.cumsum(worn[by_brand]))[end]
    depreciation = worn[False] * in_force
    running = sales * (per_car.labour + per_car.energy + per_car.rework)
    operating = -running - (per_car.host_fixed * _in_production(inputs)) * in_force - depreciation
    context = _context(inputs, calendar, sales, output, depreciation, operating, in_force)
    due = np.where(now > given, sum(transfers(inputs.clauses, context).values(), np.zeros(sales.shape)), 0.0)
    factors = discount_factors(months, inputs.brand_discount_rate)
    at_end = factors[end]
    agreed = clause.sum_cny * (1 + clause.exchange_change_rate) ** ((end + 0.5) / MONTHS_PER_YEAR)
    undepreciated = clause.repaid_share * left[False]
    owed_value = (agreed + undepreciated) * at_end + due @ factors
    # Tax on what was earned before, and capital bound before, follow whether or not the brand leaves.
    cash = (_total(contract.brand) - contract.brand["income tax"] - contract.brand["working capital"]) * factors
    continuing = cash.sum() - np.cumsum(cash)
    return Leaving(
        clause=clause.id,
        notice_months=clause.notice_months,
        sum_cny=agreed,
        undepreciated_cny=undepreciated,
        notice_cny=due.sum(axis=1),
        owed_cny=agreed + undepreciated + due.sum(axis=1),
        brand_write_off_cny=left[True],
        host_write_off_cny=left[False] - undepreciated,
        owed_value_cny=owed_value,
        continuing_value_cny=continuing,
        option_value_cny=np.maximum(-owed_value - continuing, 0.0),
    )


def _brand_lines(inputs: DealInputs, per_car: _PerCar, sales: Vector) -> dict[str, Vector]:
    subsidies = {} if per_car.subsidy is None else {"subsidies": sales * per_car.subsidy}
    return {
        "net revenue": sales * per_car.net_revenue,
        **subsidies,
        "parts": -sales * _parts(inputs, per_car, sales),
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
    carry_forward_years: int | None,
) -> dict[str, Vector]:
    # The capital bound at the end of the horizon comes back with its last month.
    bound = bound.copy()
    bound[..., -1] = 0.0
    taxable = _total(lines) - depreciation
    return {
        **lines,
        "investment": -spent,
        "working capital": -increments(bound),
        "income tax": -yearly_tax(taxable, tax_rate, calendar, carry_forward_years),
    }


def _unused_tax_value(inputs: DealInputs, calendar: Calendar, contract: _Contract, side: str) -> float:
    """Return the tax that losses not set off within the horizon could still save."""
    lines: dict[str, Vector] = getattr(contract, side)
    rate: float = getattr(inputs, f"{side}_tax_rate")
    carry_forward_years: int | None = getattr(inputs, f"{side}_loss_carry_forward_years")
    depreciation = contract.depreciation[side]
    outside_income = ("investment", "working capital", "income tax")
    income = [cash for name, cash in lines.items() if name not in outside_income]
    if carry_forward_years is not None:
        _, left = set_off(calendar.by_year(sum(income[1:], income[0]) - depreciation), carry_forward_years)
        return rate * float(left)
    taxable = float(sum(income[1:], income[0]).sum()) - float(depreciation.sum())
    return max(0.0, -float(lines["income tax"].sum()) - rate * taxable)


@dataclass(frozen=True, slots=True)
class _BestYear:
    """The year of most sales."""

    index: NDArray[np.int64]
    """That year, from 0, shape (...)."""
    in_year: NDArray[np.bool_]
    """Whether a month belongs to it, shape (..., months)."""
    units: Vector
    """Cars sold in it, shape (...)."""
    all_units: Vector
    """Cars sold within the horizon, shape (...)."""
    weight: Vector
    """Share of each month in the year's sales, shape (..., months)."""

    @classmethod
    def of(cls, calendar: Calendar, sales: Vector) -> _BestYear:
        by_year = calendar.by_year(sales)
        index = np.argmax(by_year, axis=-1)
        in_year = calendar.year_index == index[..., None]
        units = by_year.max(axis=-1)
        return cls(index, in_year, units, sales.sum(axis=-1), np.where(in_year, sales, 0.0) / units[..., None])

    def mean(self, by_month: Vector) -> Vector:
        """Return the mean over the year's cars."""
        return weighted(by_month, self.weight)

    def per_car(self, by_month: Vector) -> Vector:
        """Return the year's sum over its cars."""
        return weighted(by_month, self.in_year.astype(np.float64)) / self.units


def _unit_cost(
    inputs: DealInputs, calendar: Calendar, per_car: _PerCar, sales: Vector, paid: Mapping[str, Vector]
) -> UnitCost:
    if sales.sum() < FEWEST_CARS:
        return UnitCost(None, {}, 0.0, 0.0, 0.0)
    best = _BestYear.of(calendar, sales)
    items = {name: float(cost) for name, cost in _unit_cost_items(inputs, per_car, sales, best).items()}
    revenue = per_car.net_revenue if per_car.subsidy is None else per_car.net_revenue + per_car.subsidy
    return UnitCost(
        year=calendar.years[int(best.index)],
        items_cny=items,
        total_cny=sum(items.values()),
        net_revenue_cny=float(best.mean(revenue)),
        transfer_to_host_cny=float(best.per_car(_total(paid))) if paid else 0.0,
    )


def _unit_cost_items(inputs: DealInputs, per_car: _PerCar, sales: Vector, best: _BestYear) -> dict[str, Vector]:
    """Return what a car costs in the year of most sales by item, shape (...) each."""
    learns = inputs.parts_learning_items
    learnt = _learning(inputs, sales)
    items = {
        name.replace("_", " "): best.mean(cost * learnt if learnt is not None and name in learns else cost)
        for name, cost in per_car.parts_by_item.items()
    }
    items |= {name: best.mean(cost) for name, cost in per_car.labour_by_item.items()}
    invested = sum(item.amount_cny for item in inputs.investments)
    return items | {
        "energy and consumables": best.mean(per_car.energy),
        "rework": best.mean(per_car.rework),
        "logistics": best.mean(per_car.logistics),
        "warranty": best.mean(per_car.warranty),
        "host's fixed cost": best.per_car(per_car.host_fixed * _in_production(inputs)),
        "brand's fixed cost": best.per_car(_brand_fixed_cost(inputs)),
        "investments spread": (invested / best.all_units[..., None])[..., 0],
    }


def _break_even(inputs: DealInputs, calendar: Calendar, per_car: _PerCar) -> BreakEven:
    in_production = _in_production(inputs) / MONTHS_PER_YEAR
    limit = BREAK_EVEN_LIMIT * inputs.contracted_capacity_units_per_year

    def values(units_per_year: Vector) -> Vector:
        """Return both sides' values, shape (2, volumes)."""
        sales = units_per_year[:, None] * in_production
        ready = np.maximum(sales, inputs.planned_units_per_year * in_production)
        contract = _contract(inputs, calendar, per_car, sales, ready)
        rates = {"brand": inputs.brand_discount_rate, "host": inputs.host_discount_rate}
        return np.array([contract.value(side, rate) for side, rate in rates.items()])

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


@dataclass(frozen=True, slots=True)
class _OwnPlantFlows:
    """The brand's programme with a plant of its own, shape (..., months)."""

    start_month: float
    """Months from month 0 to its start of production."""
    sales: Vector
    """Cars sold."""
    cash: Vector
    """Cash after tax."""
    labour: Vector
    """Labour a car."""
    fixed: Vector
    """Fixed cost of the plant."""
    depreciation: Vector
    """Depreciation of the plant."""

    def value(self, discount_rate: float) -> Vector:
        """Return the net present value, shape (...)."""
        return present_value(self.cash, discount_rate)


def _own_plant_flows(inputs: DealInputs, calendar: Calendar, per_car: _PerCar) -> _OwnPlantFlows:
    own = inputs.own_plant
    months = inputs.demand_units_by_month.shape[-1]
    start = inputs.start_month + own.later_months
    in_production = _in_production(inputs, own.later_months)
    ramp = np.minimum(np.maximum((np.arange(1, months + 1) - start) / np.maximum(own.ramp_months, 1.0), 0.0), 1.0)
    demand = inputs.demand_units_by_month * in_production
    output = np.broadcast_to(own.capacity_units_per_year / MONTHS_PER_YEAR * ramp, demand.shape)
    sales, _ = sales_by_month(demand, output, inputs.backlog_share)
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
    fixed = own.fixed_cost_cny_per_year / MONTHS_PER_YEAR * in_production * per_car.inflation
    lines = _brand_lines(inputs, per_car, sales)
    bound = _brand_bound(inputs, lines)
    lines |= {
        "labour": -sales * labour,
        "energy and consumables": -sales * per_car.energy,
        "rework": -sales * per_car.rework,
        "plant's fixed cost": -fixed,
    }
    cash = _with_investment_and_tax(
        lines,
        spent + plant_spent,
        depreciation + plant_depreciation,
        bound,
        inputs.brand_tax_rate,
        calendar,
        inputs.brand_loss_carry_forward_years,
    )
    total = _total(cash)
    total[..., -1:] += own.residual_share * own.investment_cny
    return _OwnPlantFlows(start, sales, total, labour, fixed, plant_depreciation)


def _own_plant(inputs: DealInputs, calendar: Calendar, per_car: _PerCar, contract: PartyResult) -> OwnPlantResult:
    flows = _own_plant_flows(inputs, calendar, per_car)
    conversion = 0.0
    if flows.sales.any():
        best = _BestYear.of(calendar, flows.sales)
        running = flows.sales * (flows.labour + per_car.energy + per_car.rework)
        conversion = float(best.per_car(running + flows.fixed + flows.depreciation))
    npv = float(flows.value(inputs.brand_discount_rate))
    return OwnPlantResult(
        npv_cny=npv,
        start_month=flows.start_month,
        units=float(flows.sales.sum()),
        unit_conversion_cost_cny=conversion,
        peak_cash_need_cny=float(max(0.0, -np.cumsum(flows.cash).min())),
        advantage_over_contract_cny=npv - contract.npv_cny,
        cash_cny_by_year=calendar.by_year(flows.cash),
    )
