"""What the deal stage takes and what it answers; all vectors by month have shape (months,)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.deal.clauses import Clause

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Investment:
    """Money spent before and around the start of production."""

    id: str
    """Short name."""
    name: str
    """What it buys."""
    paid_by_brand: bool
    """True if the brand pays and owns it, false if the host does."""
    amount_cny: float
    """All of it."""
    starts_months_before: int
    """First month of spending, counted back from the start of production."""
    spread_months: int
    """Months over which it is spent evenly."""
    useful_life_years: int
    """Years of straight-line depreciation from the start of production."""
    for_host_plant_only: bool
    """True if an own plant instead would not need it."""


@dataclass(frozen=True, slots=True)
class OwnPlant:
    """The same programme with a plant of the brand's own."""

    investment_cny: float
    """Plant and equipment."""
    construction_months: int
    """Months over which it is spent evenly, up to the start of production."""
    capacity_units_per_year: float
    """Cars a year that it can build."""
    later_months: float
    """Months later than at the host until the start of production."""
    ramp_months: float
    """Months from there to full rate."""
    labour_hours_share: float
    """Labour hours a car over those at the host."""
    fixed_cost_cny_per_year: float
    """Fixed cost a year."""
    useful_life_years: int
    """Years of straight-line depreciation."""
    residual_share: float
    """Share of the investment that the plant is worth at the end of the horizon."""


@dataclass(frozen=True, slots=True)
class DealInputs:
    """All that the deal depends on; money in CNY, month 0 is the first whole month after the decision day."""

    first_year: int
    """Calendar year of month 0."""
    first_month: int
    """Calendar month of month 0, 1 to 12."""
    start_month: float
    """Months from month 0 to the start of production."""
    demand_units_by_month: Vector
    """Guest cars wanted, none before the start of production."""
    guest_output_units_by_month: Vector
    """Guest cars that the plant can build."""
    resident_units_lost_by_month: Vector
    """Resident cars displaced."""
    price_cny_by_month: Vector
    """Price that the buyer pays, tax included."""
    planned_units_per_year: float
    """Guest cars a year that the line is laid out for; the host stands ready for them at break-even."""
    contracted_capacity_units_per_year: float
    """Guest cars a year that the contract reserves."""
    value_added_tax_rate: float
    """Value-added tax."""
    sales_margin_share: float
    """Share of the price without tax that selling costs."""
    credit_cny_per_car: float
    """Emission credits a car in the decision year."""
    credit_change_rate: float
    """Yearly change of the credits."""
    backlog_share: float
    """Share of the buyers not served in a month who wait."""
    parts_cost_by_item_cny: dict[str, float]
    """Parts of a car by item, prices of the decision day."""
    pack_price_change_rate: float
    """Yearly change of the pack's price."""
    parts_price_change_rate: float
    """Yearly change of the other parts' prices."""
    assembly_hours_per_car: float
    """Direct hours of final assembly a guest car."""
    body_shop_hours: float
    """Direct hours in the body shop."""
    paint_shop_hours: float
    """Direct hours in the paint shop."""
    indirect_hours_share: float
    """Indirect hours per direct hour."""
    wage_cny_per_h: float
    """Cost of a paid hour."""
    wage_change_rate: float
    """Yearly change of it."""
    energy_and_consumables_cny: float
    """Energy, paint, fluids a car."""
    logistics_cny: float
    """Parts in and cars out, a car."""
    warranty_share: float
    """Warranty over the price without tax."""
    rework_cny: float
    """Cost of a car that fails its first test."""
    first_pass_yield: float
    """Share of cars that pass it."""
    investments: tuple[Investment, ...]
    """Money spent before and around the start of production."""
    clauses: tuple[Clause, ...]
    """The contract."""
    resident_contribution_cny_per_car: float
    """What the host loses with each displaced car."""
    host_fixed_cost_cny_per_year: float
    """Fixed cost of the host for the guest, from the start of production."""
    brand_fixed_cost_cny_per_year: float
    """Fixed cost of the brand's car business, from month 0."""
    brand_fixed_cost_change_rate: float
    """Yearly change of it."""
    inventory_days: float
    """Days of the brand's variable cost bound in stock."""
    payable_days: float
    """Days until suppliers are paid."""
    fee_payable_days: float
    """Days until the host is paid."""
    brand_discount_rate: float
    """Yearly after-tax discount rate."""
    host_discount_rate: float
    """Yearly after-tax discount rate."""
    brand_tax_rate: float
    """Corporate income tax."""
    host_tax_rate: float
    """Corporate income tax."""
    own_plant: OwnPlant
    """The same programme with a plant of the brand's own."""
    with_break_even: bool = True
    """False leaves out what a draw does not need: break-even volumes, what is owed if nothing sells, the clauses one by
    one, absorption of fixed cost and what leaving costs."""
    inflation_rate: float = 0.0
    """Yearly change of energy, logistics, rework and the fixed cost of plants."""
    credit_cny_per_car_by_month: Vector | None = None
    """Emission credits a car by month; None if they follow from ``credit_cny_per_car``."""
    subsidy_cny_per_car_by_month: Vector | None = None
    """What the state pays the brand a car; None for nothing."""
    parts_learning_items: tuple[str, ...] = ()
    """Parts whose cost falls with the cars built."""
    parts_learning_rate: float = 1.0
    """What they cost after each doubling, over before."""
    parts_learning_reference_units: float = 1_000.0
    """Cars up to which they cost what ``parts_cost_by_item_cny`` says."""
    brand_loss_carry_forward_years: int | None = None
    """Years for which the brand may set off losses; None for any."""
    host_loss_carry_forward_years: int | None = None
    """Years for which the host may set off losses; None for any."""
    host_plant_fixed_cost_cny_per_year: float = 0.0
    """Fixed cost a year of the host's plant without the guest; 0 if nobody has told."""
    resident_units_per_year: float = 0.0
    """Resident cars a year without the guest."""


@dataclass(frozen=True, slots=True)
class DealFigures:
    """Headline figures of many draws of a deal, shape (draws,) each; not a number where there is none."""

    brand_npv_cny: Vector
    """The brand's net present value."""
    host_npv_cny: Vector
    """The host's."""
    joint_npv_cny: Vector
    """Sum of the two."""
    own_plant_npv_cny: Vector
    """The brand's net present value with a plant of its own."""
    unit_cost_cny: Vector
    """What a car costs in the year of most sales; none where no car is sold."""


@dataclass(frozen=True, slots=True)
class CashLine:
    """One line of a side's cash flow."""

    name: str
    """What it is."""
    cny_by_year: Vector
    """Cash by calendar year, shape (years,); positive comes in."""


@dataclass(frozen=True, slots=True)
class PartyResult:
    """What one side gets out of the programme."""

    npv_cny: float
    """Net present value of its cash after tax, at its own discount rate."""
    irr_shares: tuple[float, ...]
    """All internal rates of return of the yearly cash flow, as fractions a year."""
    irr_note: str
    """What to make of them if they are not exactly one; else empty."""
    payback_year: int | None
    """Calendar year in which the cumulated cash turns positive for good; None if it never does."""
    peak_cash_need_cny: float
    """Largest cumulated outflow."""
    unused_tax_value_cny: float
    """Tax that the losses not yet set off at the end of the horizon would save; it is not in the value."""
    lines: tuple[CashLine, ...]
    """Cash by line; they add up to ``cash_cny_by_year``."""
    cash_cny_by_year: Vector
    """Cash after tax by calendar year, shape (years,)."""
    cumulative_cash_cny_by_year: Vector
    """The same summed up."""
    cash_cny_by_month: Vector
    """Cash after tax by month, shape (months,)."""
    mirr_share: float | None = None
    """Modified internal rate of return: outflows financed and inflows reinvested at the side's discount rate; None if
    the yearly cash flow never changes its sign."""
    mirr_note: str = ""
    """Why it is to be looked at instead of the internal rate; else empty."""
    payback_month: int | None = None
    """Month, from 1, by whose end the cumulated cash is positive for good; None if it never is."""
    peak_cash_month: int | None = None
    """Month, from 1, by whose end the cash need is largest; None if there is none."""
    outside_cash_npv_cny: float = 0.0
    """Part of the net present value that is no cash: shares given or got."""


@dataclass(frozen=True, slots=True)
class ClauseFlow:
    """What one clause does to both sides, by calendar year, before tax; positive is a gain. Shape (years,) each."""

    id: str
    """Short name."""
    kind: str
    """Kind of clause."""
    brand_cny_by_year: Vector
    """The brand's cash."""
    host_cny_by_year: Vector
    """The host's cash."""
    brand_outside_cny_by_year: Vector
    """What the brand gains outside cash."""
    host_outside_cny_by_year: Vector
    """What the host gains outside cash."""
    transfer_cny_by_month: Vector
    """What the brand pays the host by month, shape (months,)."""
    brand_value_cny: float
    """All of it for the brand, valued on the decision day at its rate."""
    host_value_cny: float
    """All of it for the host, at its own."""


@dataclass(frozen=True, slots=True)
class Absorption:
    """What the guest does to the host's fixed cost a car, by calendar year; shape (years,) each."""

    resident_units_before: Vector
    """Resident cars without the guest."""
    resident_units_after: Vector
    """Resident cars with it."""
    before_cny_per_car: Vector
    """The plant's fixed cost over the resident cars, without the guest."""
    all_cars_cny_per_car: Vector
    """Fixed cost of plant and guest over all cars, residents and guest alike."""
    left_to_residents_cny_per_car: Vector
    """What each resident car has to carry after what the guest brings: all fixed cost, depreciation for the guest
    included, less transfers over the guest's variable cost, over the resident cars left."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What it costs the brand to give notice at the end of a month; shape (months,) each, before tax.

    Amounts are those of the day on which they fall due; values are those of the decision day at the brand's rate.
    """

    clause: str
    """The clause that says so."""
    notice_months: int
    """Months from notice to the end."""
    sum_cny: Vector
    """The agreed sum."""
    undepreciated_cny: Vector
    """Share of what the host has not yet depreciated."""
    notice_cny: Vector
    """What the other clauses ask for from notice on, without a car taken."""
    owed_cny: Vector
    """All three."""
    brand_write_off_cny: Vector
    """The brand's own investments not yet depreciated at the end: lost, but spent already."""
    host_write_off_cny: Vector
    """The host's, less what the brand pays of it."""
    owed_value_cny: Vector
    """Value of what is owed."""
    continuing_value_cny: Vector
    """Value of the brand's cash after that month if nobody leaves, working capital left out."""
    option_value_cny: Vector
    """Value of leaving over going on, at least nil: what the right to leave then is worth if all goes as planned."""


@dataclass(frozen=True, slots=True)
class UnitCost:
    """What a car costs in the year of most sales, both sides together."""

    year: int | None
    """That year; None if nothing is ever sold."""
    items_cny: dict[str, float]
    """By item; investments are spread over all cars of the horizon, fixed cost over the year's."""
    total_cny: float
    """Sum of the items."""
    net_revenue_cny: float
    """What the brand gets for a car after tax on sales and selling cost, credits included."""
    transfer_to_host_cny: float
    """What the brand pays the host for a car in that year, all clauses together; no cost to the two as one."""


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Volume at which a side's net present value is nil, if the same number is wanted every year.

    The host stands ready for the planned volume, so that a take-or-pay floor is felt below it.
    """

    brand_units_per_year: float | None
    """For the brand; None if there is none up to the limit searched."""
    host_units_per_year: float | None
    """For the host; None if there is none up to the limit searched."""
    searched_to_units_per_year: float
    """Limit of the search."""
    note: str
    """Why a figure is missing; else empty."""


@dataclass(frozen=True, slots=True)
class OwnPlantResult:
    """The brand's programme with a plant of its own."""

    npv_cny: float
    """Net present value for the brand."""
    start_month: float
    """Months from month 0 to its start of production."""
    units: float
    """Cars sold within the horizon."""
    unit_conversion_cost_cny: float
    """Labour, energy, fixed cost and depreciation of the plant a car, in the year of most sales."""
    peak_cash_need_cny: float
    """Largest cumulated outflow."""
    advantage_over_contract_cny: float
    """Its value less the brand's value under the contract."""
    cash_cny_by_year: Vector
    """Cash after tax by calendar year, shape (years,)."""


@dataclass(frozen=True, slots=True)
class DealResult:
    """Who earns what."""

    years: tuple[int, ...]
    """Calendar years of the horizon."""
    sales_units_by_year: Vector
    """Guest cars sold, shape (years,)."""
    demand_units_by_year: Vector
    """Guest cars wanted, shape (years,)."""
    output_units_by_year: Vector
    """Guest cars that the plant could build, shape (years,)."""
    demand_lost_units: float
    """Buyers who were not served and did not wait."""
    sales_units: float
    """Guest cars sold within the horizon."""
    brand: PartyResult
    """The brand."""
    host: PartyResult
    """The host."""
    joint: PartyResult
    """Both as one; its value is the sum of theirs, each at its own discount rate."""
    transfers_cny_by_year: dict[str, Vector]
    """What the brand pays the host by clause, shape (years,) each."""
    unit_cost: UnitCost
    """What a car costs."""
    break_even: BreakEven | None
    """Break-even volumes; None where they were not asked for."""
    own_plant: OwnPlantResult
    """The same programme with a plant of the brand's own."""
    losses_cap_used_share: dict[str, float]
    """Share of its cap that each clause on losses pays out, by clause; only clauses with a cap above 0."""
    owed_if_nothing_sells_cny: float | None = None
    """What the brand would owe the host if the host stood ready and not one car were wanted, valued on the decision
    day at the brand's rate: take-or-pay, depreciation and losses up to their cap. None where it was not asked for."""
    clauses: tuple[ClauseFlow, ...] = ()
    """The clauses one by one; empty where they were not asked for."""
    absorption: Absorption | None = None
    """What the guest does to the host's fixed cost a car; None unless the plant's fixed cost is given and asked for."""
    leaving: Leaving | None = None
    """What leaving costs; None unless a clause says so and it was asked for."""
