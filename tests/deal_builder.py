"""A small deal for the tests: 4 years from January of year 2022, production from month 12 on."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import numpy as np

from coachbuilder.deal import DealInputs, inputs_from, start_of_production, timing_inputs_from
from coachbuilder.deal.clauses import FeePerCar
from coachbuilder.deal.interface import Investment, OwnPlant
from coachbuilder.programme.assumption import Assumption
from coachbuilder.programme.sections.deal import DealSection

MONTHS = 48


def investment(
    id: str,  # noqa: A002
    amount_cny: float,
    *,
    by_brand: bool = True,
    before: int = 10,
    spread: int = 10,
    life: int = 5,
    host_only: bool = True,
) -> Investment:
    return Investment(id, id, by_brand, amount_cny, before, spread, life, host_only)


def own_plant(**changes: Any) -> OwnPlant:
    values: dict[str, Any] = {
        "investment_cny": 500e6,
        "construction_months": 24,
        "capacity_units_per_year": 24_000.0,
        "later_months": 6.0,
        "ramp_months": 6.0,
        "labour_hours_share": 1.1,
        "fixed_cost_cny_per_year": 30e6,
        "useful_life_years": 10,
        "residual_share": 0.3,
    }
    return OwnPlant(**(values | changes))


def deal(months: int = MONTHS, **changes: Any) -> DealInputs:
    """Return a deal of 1,000 cars a month from the start of production at month 12."""
    start = changes.get("start_month", 12.0)
    producing = np.clip(np.arange(1, months + 1) - start, 0.0, 1.0)
    values: dict[str, Any] = {
        "first_year": 2022,
        "first_month": 1,
        "start_month": start,
        "demand_units_by_month": 1_000.0 * producing,
        "guest_output_units_by_month": 1_200.0 * producing,
        "resident_units_lost_by_month": 50.0 * producing,
        "price_cny_by_month": np.full(months, 200_000.0),
        "planned_units_per_year": 12_000.0,
        "contracted_capacity_units_per_year": 15_000.0,
        "value_added_tax_rate": 0.13,
        "sales_margin_share": 0.08,
        "credit_cny_per_car": 2_000.0,
        "credit_change_rate": -0.1,
        "backlog_share": 0.5,
        "parts_cost_by_item_cny": {"battery_pack": 50_000.0, "body": 20_000.0, "electronics": 40_000.0},
        "pack_price_change_rate": -0.06,
        "parts_price_change_rate": -0.02,
        "assembly_hours_per_car": 7.0,
        "body_shop_hours": 3.0,
        "paint_shop_hours": 2.5,
        "indirect_hours_share": 0.5,
        "wage_cny_per_h": 60.0,
        "wage_change_rate": 0.05,
        "energy_and_consumables_cny": 1_500.0,
        "logistics_cny": 3_000.0,
        "warranty_share": 0.02,
        "rework_cny": 800.0,
        "first_pass_yield": 0.9,
        "investments": (
            investment("development", 300e6, host_only=False),
            investment("line", 200e6, by_brand=False),
        ),
        "clauses": (FeePerCar("fee", (0.0, 6_000.0), (10_000.0, 8_000.0), 0.0),),
        "resident_contribution_cny_per_car": 9_000.0,
        "host_fixed_cost_cny_per_year": 20e6,
        "brand_fixed_cost_cny_per_year": 60e6,
        "brand_fixed_cost_change_rate": 0.03,
        "inventory_days": 30.0,
        "payable_days": 60.0,
        "fee_payable_days": 45.0,
        "brand_discount_rate": 0.12,
        "host_discount_rate": 0.10,
        "brand_tax_rate": 0.15,
        "host_tax_rate": 0.25,
        "own_plant": own_plant(),
        "with_break_even": False,
    }
    return DealInputs(**(values | changes))


SECTION: dict[str, Any] = {
    "cny_per_usd": 6.5,
    "cny_per_hkd": 0.84,
    "cny_per_usd_change_rate": 0.01,
    "cny_per_hkd_change_rate": 0.02,
    "contracted_capacity_units_per_year": 80_000.0,
    "timing": {
        "decision_months": 4.0,
        "development_months": 28.0,
        "brand_skill_saving_share": 0.1,
        "host_consultancy_saving_share": 0.08,
        "host_inexperience_months": 3.0,
        "licence_date": dt.date(2022, 9, 1),
        "licence_delay_months": 3.0,
    },
    "revenue": {
        "value_added_tax_rate": 0.13,
        "sales_margin_share": 0.08,
        "credit_cny_per_car": 3_000.0,
        "credit_change_rate": -0.2,
        "backlog_share": 0.6,
        "credit_year": [{"id": "second", "year": 2024, "credit_cny_per_car": 2_500.0}],
        "subsidy_year": [{"id": "last", "year": 2025, "subsidy_cny_per_car": 4_000.0}],
    },
    "unit_cost": {
        "pack_price_change_rate": -0.07,
        "parts_price_change_rate": -0.02,
        "wage_cny_per_h": 65.0,
        "wage_change_rate": 0.06,
        "body_shop_hours": 2.5,
        "paint_shop_hours": 2.0,
        "indirect_hours_share": 0.6,
        "energy_and_consumables_cny": 1_500.0,
        "logistics_cny": 4_000.0,
        "warranty_share": 0.02,
        "rework_cny": 900.0,
        "inflation_rate": 0.02,
        "parts_learning_items": ["body"],
        "parts_learning_rate": 0.95,
        "parts_learning_reference_units": 10_000.0,
    },
    "investment": [
        {
            "id": "development",
            "name": "Development",
            "paid_by": "brand",
            "amount_cny": 3e9,
            "starts_months_before": 30,
            "spread_months": 36,
            "useful_life_years": 5,
            "for_host_plant_only": False,
        },
        {
            "id": "line",
            "name": "Body line",
            "paid_by": "host",
            "amount_cny": 7e8,
            "starts_months_before": 18,
            "spread_months": 18,
            "useful_life_years": 8,
        },
    ],
    "clause": [
        {
            "kind": "fee per car",
            "id": "fee",
            "change_rate": 0.01,
            "tier": [
                {"id": "first", "from_units": 0, "fee_cny_per_car": 4_000.0},
                {"id": "second", "from_units": 40_000, "fee_cny_per_car": 3_500.0},
            ],
        },
        {"kind": "depreciation passed through", "id": "depreciation", "passed_share": 0.8},
        {"kind": "losses repaid", "id": "losses", "window_months": 36, "repaid_share": 0.9, "cap_cny": 40e6},
        {"kind": "take or pay", "id": "floor", "floor_share": 0.9, "paid_share": 0.5, "from_year_of_production": 1},
        {
            "kind": "capacity reservation",
            "id": "places",
            "fee_usd_per_car": 60.0,
            "reserved_share": 0.6,
            "deductible_share": 0.5,
        },
        {
            "kind": "shares on milestones",
            "id": "warrants",
            "shares_count": 1e6,
            "price_hkd": 25.0,
            "strike_hkd": 10.0,
            "price_change_rate": 0.05,
            "counted_share": 0.9,
            "milestone": [
                {
                    "id": "signed",
                    "event": "date",
                    "date": dt.date(2022, 1, 1),
                    "vested_share": 0.3,
                },
                {"id": "start", "event": "start of production", "vested_share": 0.3, "months_after": 3.9},
                {"id": "cars", "event": "cars built", "vested_share": 0.35, "units": 40_000.0},
            ],
        },
        {"kind": "tooling", "id": "dies", "investment": "line", "repaid_units": 90_000.0, "residual_share": 0.1},
        {
            "kind": "engineering consultancy",
            "id": "help",
            "fixed_sum_cny": 50e6,
            "engineer_days": 9_000.0,
            "day_rate_cny": 3_000.0,
            "cost_share": 0.8,
            "starts_months_before": 20,
            "spread_months": 12,
        },
        {
            "kind": "indexation",
            "id": "steel",
            "indexed_share": 0.3,
            "base_value": 100.0,
            "band_share": 0.05,
            "items": ["body"],
            "index": [{"id": "one", "year": 2023, "value": 110.0}, {"id": "two", "year": 2026, "value": 80.0}],
        },
        {"kind": "cost of leaving", "id": "exit", "notice_months": 12, "sum_cny": 130e6, "repaid_share": 0.5},
    ],
    "host": {
        "resident_contribution_cny_per_car": 9_000.0,
        "fixed_cost_cny_per_year": 150e6,
        "plant_fixed_cost_cny_per_year": 900e6,
    },
    "brand": {"fixed_cost_cny_per_year": 600e6, "fixed_cost_change_rate": 0.03},
    "working_capital": {"inventory_days": 30.0, "payable_days": 75.0, "fee_payable_days": 45.0},
    "own_plant": {
        "investment_cny": 4e9,
        "construction_months": 24,
        "capacity_units_per_year": 80_000.0,
        "later_months": 10.0,
        "ramp_months": 9.0,
        "labour_hours_share": 1.05,
        "fixed_cost_cny_per_year": 400e6,
        "useful_life_years": 12,
        "residual_share": 0.3,
    },
}
"""A deal section in which every assumption is felt."""


def programme(raw: dict[str, Any]) -> Any:
    rates = SimpleNamespace(discount_rate=Assumption(0.11), tax_rate=Assumption(0.15))
    document = SimpleNamespace(deal=DealSection.model_validate(raw), brand=rates, host=rates)
    return SimpleNamespace(
        as_of=dt.date(2021, 3, 26), document=document, resident_units_per_year={"suv": 150_000.0, "hatch": 60_000.0}
    )


def inputs_of(raw: dict[str, Any]) -> DealInputs:
    source = programme(raw)
    start = start_of_production(timing_inputs_from(source))
    producing = np.clip(np.arange(1, 121) - start.months_from_as_of, 0.0, 1.0)
    return inputs_from(
        source,
        start_of_production=start,
        demand_units_by_month=np.where(np.arange(120) % 12 < 3, 12_000.0, 3_000.0) * producing,
        guest_output_units_by_month=6_500.0 * np.clip((np.arange(1, 121) - start.months_from_as_of) / 6, 0.0, 1.0),
        resident_units_lost_by_month=50.0 * producing,
        price_cny_by_year={2021: 200_000.0, 2025: 180_000.0, **dict.fromkeys((2022, 2023, 2024), 190_000.0)},
        parts_cost_by_item_cny={"battery_pack": 50_000.0, "body": 60_000.0},
        assembly_hours_per_car=7.0,
        first_pass_yield=0.9,
        planned_units_per_year=78_000.0,
    )
