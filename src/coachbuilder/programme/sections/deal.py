"""The deal section of programme.toml: timing, costs, investments, contract clauses, and the own plant instead."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from coachbuilder.programme.assumption import Assumption, Within
from coachbuilder.programme.base import EvidencedSection, Months, NonNegative, Positive, PositiveMonths, Share
from coachbuilder.programme.sections.common import EARLIEST_DAY, IDENTIFIER, LATEST_DAY

YearlyChange = Annotated[Assumption, Within(-0.5, 0.5)]
"""A yearly change of a price: -0.05 falls by a twentieth."""


class Payer(StrEnum):
    """Which side pays."""

    BRAND = "brand"
    HOST = "host"


class TimingSection(EvidencedSection):
    """How long it takes until cars for sale are built; months from the decision day."""

    decision_months: Months
    """From the decision day to a signed contract."""
    development_months: PositiveMonths
    """From the contract to the start of production, both sides as experienced as any."""
    brand_skill_saving_share: Share
    """Share of the development time that the brand's hardware skill saves."""
    host_consultancy_saving_share: Share
    """Share of what is left that the host's engineering consultancy saves."""
    host_inexperience_months: Months
    """Added because the host has never built for another company."""
    licence_date: dt.date = Field(ge=EARLIEST_DAY, le=LATEST_DAY)
    """Day on which licence and homologation are expected; no car is built for sale before it."""
    licence_delay_months: Months
    """How much later than that they come."""


class RevenueSection(EvidencedSection):
    """What is taken off the price that the buyer pays."""

    value_added_tax_rate: Share
    """Value-added tax; the price in the market section includes it."""
    sales_margin_share: Share
    """Share of the price without tax that selling costs: stores, delivery, commissions."""
    credit_cny_per_car: NonNegative
    """Emission credits earned per car in the decision year."""
    credit_change_rate: YearlyChange
    """Yearly change of the credits."""
    backlog_share: Share
    """Share of the buyers not served in a month who wait for the next."""


class UnitCostSection(EvidencedSection):
    """What a car costs beside its parts, in prices of the decision day."""

    pack_price_change_rate: YearlyChange
    """Yearly change of the battery pack's price."""
    parts_price_change_rate: YearlyChange
    """Yearly change of all other parts' prices."""
    wage_cny_per_h: Positive
    """Cost of an operator's paid hour, all charges included."""
    wage_change_rate: YearlyChange
    """Yearly change of it."""
    body_shop_hours: NonNegative
    """Labour in stamping and body shop a car."""
    paint_shop_hours: NonNegative
    """Labour in the paint shop a car."""
    indirect_hours_share: NonNegative
    """Indirect hours (logistics, maintenance, quality, team leaders) per direct hour of all shops."""
    energy_and_consumables_cny: NonNegative
    """Energy, paint, fluids a car."""
    logistics_cny: NonNegative
    """Parts in and cars out, a car."""
    warranty_share: Share
    """Warranty cost as a share of the price without tax."""
    rework_cny: NonNegative
    """Cost of a car that fails its first test."""


class InvestmentSection(EvidencedSection):
    """Money spent before and around the start of production."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    name: str = Field(min_length=1)
    """What it buys."""
    paid_by: Payer
    """Which side pays and owns it."""
    amount_cny: Positive
    """All of it."""
    starts_months_before: int = Field(ge=0, le=120)
    """First month of spending, counted back from the start of production."""
    spread_months: int = Field(ge=1, le=120)
    """Months over which it is spent evenly."""
    useful_life_years: int = Field(ge=1, le=40)
    """Years over which it is depreciated in a straight line from the start of production."""
    for_host_plant_only: bool = True
    """True if an own plant instead would not need it; development and launch are needed either way."""


class FeeTierSection(EvidencedSection):
    """Fee for the cars of a year above a volume."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    from_units: int = Field(ge=0)
    """First car of the calendar year to which it applies, counted from 0."""
    fee_cny_per_car: NonNegative
    """Fee for each of these cars."""


class FeeClause(EvidencedSection):
    """The brand pays the host a fee per car, by volume tier within a calendar year."""

    kind: Literal["fee per car"]
    """fee per car"""
    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    tier: tuple[FeeTierSection, ...] = Field(min_length=1)
    """Tiers, the first from 0."""
    change_rate: YearlyChange
    """Yearly indexation of the fees."""


class DepreciationClause(EvidencedSection):
    """The brand pays the depreciation of what the host invested for the guest."""

    kind: Literal["depreciation passed through"]
    """depreciation passed through"""
    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    passed_share: Share
    """Share of the host's depreciation on its investments listed here."""


class LossClause(EvidencedSection):
    """The brand repays the host's operating losses on the guest for a time and up to a cap."""

    kind: Literal["losses repaid"]
    """losses repaid"""
    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    window_months: int = Field(ge=1, le=360)
    """Months from the start of production."""
    repaid_share: Share
    """Share of each calendar year's loss within the window that is repaid, at the end of the year."""
    cap_cny: NonNegative
    """All repayments together stop here."""


class TakeOrPayClause(EvidencedSection):
    """The brand pays for cars that it agreed to take and did not."""

    kind: Literal["take or pay"]
    """take or pay"""
    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    floor_share: Share
    """Share of the contracted capacity that is agreed, a year."""
    paid_share: Share
    """Share of the first tier's fee paid for each car not taken."""
    from_year_of_production: int = Field(default=2, ge=1, le=30)
    """First year of production to which it applies; 1 is the twelve months from the start."""


Clause = Annotated[
    FeeClause | DepreciationClause | LossClause | TakeOrPayClause,
    Field(discriminator="kind"),
]


class HostEconomicsSection(EvidencedSection):
    """What the guest does to the host's own business."""

    resident_contribution_cny_per_car: NonNegative
    """What the host earns on a resident car before fixed costs; lost with each car that the guest displaces."""
    fixed_cost_cny_per_year: NonNegative
    """Fixed cost a year that the host has for the guest alone: maintenance, supervision, space."""


class BrandEconomicsSection(EvidencedSection):
    """Fixed costs of the brand's car business."""

    fixed_cost_cny_per_year: NonNegative
    """Engineering, software, administration a year, from the decision day on."""
    fixed_cost_change_rate: YearlyChange
    """Yearly change of it."""


class WorkingCapitalSection(EvidencedSection):
    """Money bound between paying and being paid."""

    inventory_days: NonNegative
    """Days of cost in parts and finished cars."""
    payable_days: NonNegative
    """Days until suppliers are paid."""
    fee_payable_days: NonNegative
    """Days until the host is paid."""


class OwnPlantSection(EvidencedSection):
    """The same programme with a plant of the brand's own."""

    investment_cny: Positive
    """Plant and equipment."""
    construction_months: int = Field(ge=1, le=120)
    """Months over which it is spent evenly, up to the start of production."""
    capacity_units_per_year: Positive
    """Cars a year that it can build."""
    later_months: Months
    """Months later than at the host until the start of production, building and licence included."""
    ramp_months: Positive
    """Months from the start of production to full rate, in a straight line."""
    labour_hours_share: Positive
    """Labour hours a car over those at the host, once launched."""
    fixed_cost_cny_per_year: NonNegative
    """Fixed cost of the plant a year."""
    useful_life_years: int = Field(ge=1, le=40)
    """Years over which it is depreciated in a straight line."""
    residual_share: Share
    """Share of the investment that the plant is worth at the end of the horizon."""


class DealSection(EvidencedSection):
    """Who pays what, and who earns what."""

    cny_per_usd: Positive
    """Exchange rate."""
    cny_per_hkd: Positive
    """Exchange rate."""
    contracted_capacity_units_per_year: Positive
    """Guest cars a year for which the contract reserves the host's lines."""
    timing: TimingSection
    """How long it takes."""
    revenue: RevenueSection
    """What is taken off the price."""
    unit_cost: UnitCostSection
    """What a car costs beside its parts."""
    investment: tuple[InvestmentSection, ...] = Field(min_length=1)
    """Money spent before and around the start of production."""
    clause: tuple[Clause, ...] = Field(min_length=1)
    """The contract; clauses add up."""
    host: HostEconomicsSection
    """What the guest does to the host's own business."""
    brand: BrandEconomicsSection
    """Fixed costs of the brand's car business."""
    working_capital: WorkingCapitalSection
    """Money bound between paying and being paid."""
    own_plant: OwnPlantSection
    """The same programme with a plant of the brand's own."""
