"""The deal section of programme.toml: timing, costs, investments, contract clauses, and the own plant instead."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from coachbuilder.programme.assumption import Assumption, Within
from coachbuilder.programme.base import (
    EvidencedSection,
    Months,
    NonNegative,
    Positive,
    PositiveMonths,
    PositiveShare,
    Share,
    default,
)
from coachbuilder.programme.sections.common import EARLIEST_DAY, IDENTIFIER, LATEST_DAY

YearlyChange = Annotated[Assumption, Within(-0.5, 0.5)]
"""A yearly change of a price: -0.05 falls by a twentieth."""


class Payer(StrEnum):
    """Which side pays."""

    BRAND = "brand"
    HOST = "host"


SLACK = 1e-9
"""Shares that add up to 1 may miss it by rounding."""

CURRENCIES = ("cny", "usd", "hkd")
"""Currencies in which a clause may be agreed."""


def _mistake(found: str, expected: str) -> PydanticCustomError:
    return PydanticCustomError("assumption", "{expected}", {"found": found, "expected": expected})


class MoneySection(EvidencedSection):
    """A table with amounts that are given in one of several currencies."""

    amounts: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        for name in self.amounts:
            given = [currency for currency in CURRENCIES if getattr(self, name.format(currency)) is not None]
            if len(given) != 1:
                fields = [name.format(currency) for currency in CURRENCIES]
                found = " and ".join(name.format(currency) for currency in given) or f"no {fields[0]}"
                raise _mistake(found, "one of " + ", ".join(fields))
        currencies = {self.amount(name)[0] for name in self.amounts}
        if len(currencies) > 1:
            raise _mistake(" and ".join(sorted(currencies)), "amounts of a table in one currency")
        return self

    def amount(self, name: str) -> tuple[str, Assumption]:
        """Return the currency and the number of an amount; in its name ``{}`` stands for the currency."""
        for currency in CURRENCIES:
            number = getattr(self, name.format(currency))
            if isinstance(number, Assumption):
                return currency, number
        raise KeyError(name)


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


class CreditYearSection(EvidencedSection):
    """Emission credits of a calendar year."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    year: int = Field(ge=1990, le=2100)
    """Calendar year."""
    credit_cny_per_car: NonNegative
    """Credits earned per car in that year."""


class SubsidyYearSection(EvidencedSection):
    """Subsidy of a calendar year."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    year: int = Field(ge=1990, le=2100)
    """Calendar year."""
    subsidy_cny_per_car: NonNegative
    """What the state pays the brand per car in that year; the price in the market section is what the buyer pays."""


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
    credit_year: tuple[CreditYearSection, ...] = ()
    """Credits of single calendar years, instead of what follows from the decision year's."""
    subsidy_year: tuple[SubsidyYearSection, ...] = ()
    """Subsidies by calendar year; none in years that are not listed."""


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
    inflation_rate: YearlyChange = default(0.0)
    """Yearly change of energy, logistics, rework and the fixed cost of plants."""
    parts_learning_items: tuple[str, ...] = ()
    """Parts made for the guest alone, whose cost falls with the cars built; none unless named."""
    parts_learning_rate: PositiveShare = default(1.0)
    """What they cost after each doubling of the cars built, over before (Wright); 1 is no learning."""
    parts_learning_reference_units: Positive = default(1_000.0)
    """Cars up to which the parts cost what the vehicle section says."""


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


class FeeTierSection(MoneySection):
    """Fee for the cars of a year above a volume."""

    amounts = ("fee_{}_per_car",)

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    from_units: int = Field(ge=0)
    """First car of the calendar year to which it applies, counted from 0."""
    fee_cny_per_car: NonNegative | None = None
    """Fee for each of these cars, in CNY."""
    fee_usd_per_car: NonNegative | None = None
    """The same in USD."""
    fee_hkd_per_car: NonNegative | None = None
    """The same in HKD."""


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
    cap_cny_per_year: NonNegative | None = None
    """The repayment of each calendar year stops here; no such cap unless given."""


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


class ReservationClause(MoneySection):
    """The brand pays for capacity held ready, deductible from the fees per car or not."""

    amounts = ("fee_{}_per_car",)

    kind: Literal["capacity reservation"]
    """capacity reservation"""
    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    fee_cny_per_car: NonNegative | None = None
    """Fee for a place for one car, paid by month from the start of production, in CNY."""
    fee_usd_per_car: NonNegative | None = None
    """The same in USD."""
    fee_hkd_per_car: NonNegative | None = None
    """The same in HKD."""
    reserved_share: Share
    """Places reserved over the contracted capacity."""
    deductible_share: Share
    """Share of the fee that is taken off the fees per car for each car built: 1 is deductible, 0 is not."""


class MilestoneEvent(StrEnum):
    """What shares wait for."""

    DATE = "date"
    START = "start of production"
    VOLUME = "cars built"


class MilestoneSection(EvidencedSection):
    """When a part of the shares vests."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    event: MilestoneEvent
    """What is waited for."""
    vested_share: Share
    """Share of all shares that vests then."""
    date: dt.date | None = Field(default=None, ge=EARLIEST_DAY, le=LATEST_DAY)
    """The day, for a date."""
    months_after: Annotated[Assumption, Within(smallest=-120.0, largest=360.0)] = default(0.0)
    """Months after the start of production, for that; negative is before."""
    units: Positive | None = None
    """Cars built since the start of production, for a volume."""

    @model_validator(mode="after")
    def _what_it_waits_for(self) -> Self:
        needed = {MilestoneEvent.DATE: "date", MilestoneEvent.VOLUME: "units"}.get(self.event)
        if needed is not None and getattr(self, needed) is None:
            found = f"no {needed}"
            raise _mistake(found, f"{needed}, which the event needs")
        return self


class SharesClause(MoneySection):
    """The host gets shares or warrants of the brand, vesting on milestones."""

    amounts = ("price_{}", "strike_{}")

    kind: Literal["shares on milestones"]
    """shares on milestones"""
    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    shares_count: Positive
    """Shares, if all vest."""
    price_cny: NonNegative | None = None
    """Price of a share on the decision day, in CNY."""
    price_usd: NonNegative | None = None
    """The same in USD."""
    price_hkd: NonNegative | None = None
    """The same in HKD."""
    strike_cny: NonNegative | None = None
    """What the host pays for a share, in CNY; 0 for shares given."""
    strike_usd: NonNegative | None = None
    """The same in USD."""
    strike_hkd: NonNegative | None = None
    """The same in HKD."""
    price_change_rate: YearlyChange
    """Yearly change of the price."""
    counted_share: Share = default(1.0)
    """Share of the value given that counts as a cost of the brand: 1 is all, as its owners bear it by dilution."""
    milestone: tuple[MilestoneSection, ...] = Field(min_length=1)
    """When which part vests; all parts together 1 at most."""

    @model_validator(mode="after")
    def _no_more_than_all(self) -> Self:
        vested = sum(part.vested_share.value for part in self.milestone)
        if vested > 1 + SLACK:
            found = f"milestones that vest {vested:g} in all"
            raise _mistake(found, "1 at most")
        return self


class ToolingClause(EvidencedSection):
    """One of the investments is repaid by the car or sold to the other side at the end of the horizon."""

    kind: Literal["tooling"]
    """tooling"""
    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    investment: str = Field(pattern=IDENTIFIER)
    """The investment, by its id; who pays for it owns it."""
    repaid_units: Positive | None = None
    """Cars over which the brand pays back what is the host's; not at all unless given."""
    residual_share: Share
    """Share of the amount for which the other side takes it over in the last month of the horizon."""


class ConsultancyClause(MoneySection):
    """The host's engineers work on the brand's car."""

    amounts = ("fixed_sum_{}", "day_rate_{}")

    kind: Literal["engineering consultancy"]
    """engineering consultancy"""
    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    fixed_sum_cny: NonNegative | None = None
    """Paid in even parts, in CNY."""
    fixed_sum_usd: NonNegative | None = None
    """The same in USD."""
    fixed_sum_hkd: NonNegative | None = None
    """The same in HKD."""
    engineer_days: NonNegative
    """Days worked beside."""
    day_rate_cny: NonNegative | None = None
    """Paid for each of these days, in CNY."""
    day_rate_usd: NonNegative | None = None
    """The same in USD."""
    day_rate_hkd: NonNegative | None = None
    """The same in HKD."""
    cost_share: NonNegative
    """What the work costs the host, over what it is paid."""
    starts_months_before: int = Field(ge=0, le=120)
    """First month, counted back from the start of production."""
    spread_months: int = Field(ge=1, le=120)
    """Months over which it is spread evenly."""


class IndexPointSection(EvidencedSection):
    """An index in a calendar year."""

    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    year: int = Field(ge=1990, le=2100)
    """Calendar year from which it holds."""
    value: Positive
    """The index."""


class IndexationClause(EvidencedSection):
    """A share of the fees, or of what some parts cost, follows the price of a metal or of batteries."""

    kind: Literal["indexation"]
    """indexation"""
    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    indexed_share: Share
    """Share that follows the index."""
    items: tuple[str, ...] = ()
    """Parts that follow, by name as in the unit cost; the fees per car unless given."""
    paid_by: Payer = Payer.BRAND
    """Which side pays when the index is above its base; below it the other pays."""
    base_value: Positive
    """Index that the contract starts from."""
    band_share: Share
    """Move on either side of the base that changes nothing."""
    index: tuple[IndexPointSection, ...] = Field(min_length=1)
    """Path of the index by calendar year, ascending."""


class LeavingClause(MoneySection):
    """What the brand owes if it leaves the contract."""

    amounts = ("sum_{}",)

    kind: Literal["cost of leaving"]
    """cost of leaving"""
    id: str = Field(pattern=IDENTIFIER)
    """Short name."""
    notice_months: int = Field(ge=0, le=120)
    """Months from notice to the end, in which the other clauses hold on without a car taken."""
    sum_cny: NonNegative | None = None
    """Paid at the end, in CNY."""
    sum_usd: NonNegative | None = None
    """The same in USD."""
    sum_hkd: NonNegative | None = None
    """The same in HKD."""
    repaid_share: Share
    """Share of what the host has not yet depreciated that the brand pays."""


Clause = Annotated[
    FeeClause
    | DepreciationClause
    | LossClause
    | TakeOrPayClause
    | ReservationClause
    | SharesClause
    | ToolingClause
    | ConsultancyClause
    | IndexationClause
    | LeavingClause,
    Field(discriminator="kind"),
]


class HostEconomicsSection(EvidencedSection):
    """What the guest does to the host's own business."""

    resident_contribution_cny_per_car: NonNegative
    """What the host earns on a resident car before fixed costs; lost with each car that the guest displaces."""
    fixed_cost_cny_per_year: NonNegative
    """Fixed cost a year that the host has for the guest alone: maintenance, supervision, space."""
    plant_fixed_cost_cny_per_year: NonNegative = default(0.0)
    """Fixed cost a year of the plant as it is without the guest; tells what each car has to carry of it."""
    loss_carry_forward_years: int | None = Field(default=None, ge=1, le=30)
    """Years for which losses may be set off against later profits; without limit unless given."""


class BrandEconomicsSection(EvidencedSection):
    """Fixed costs of the brand's car business."""

    fixed_cost_cny_per_year: NonNegative
    """Engineering, software, administration a year, from the decision day on."""
    fixed_cost_change_rate: YearlyChange
    """Yearly change of it."""
    loss_carry_forward_years: int | None = Field(default=None, ge=1, le=30)
    """Years for which losses may be set off against later profits; without limit unless given."""


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
    cny_per_usd_change_rate: YearlyChange = default(0.0)
    """Yearly change of what a USD costs, felt by clauses agreed in it."""
    cny_per_hkd_change_rate: YearlyChange = default(0.0)
    """Yearly change of what a HKD costs, felt by clauses agreed in it."""
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
    preset: str | None = None
    """A contract shaped like a real one in place of clauses: nio-jac-2018, nio-jac-2021, xpeng-haima, fisker-magna."""
    clause: tuple[Clause, ...] = Field(min_length=1)
    """The contract; clauses add up. Left out where a preset is named."""
    host: HostEconomicsSection
    """What the guest does to the host's own business."""
    brand: BrandEconomicsSection
    """Fixed costs of the brand's car business."""
    working_capital: WorkingCapitalSection
    """Money bound between paying and being paid."""
    own_plant: OwnPlantSection
    """The same programme with a plant of the brand's own."""
