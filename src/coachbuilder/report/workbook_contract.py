"""Sheets of the workbook about the contract: its clauses, the contracts beside it, and the other routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coachbuilder.report import wording
from coachbuilder.report.cells import Column, Number, Sheet, rows_of

if TYPE_CHECKING:
    from coachbuilder.deal.agreement import ContractPoint, ZoneResult
    from coachbuilder.deal.alternatives import AlternativesResult
    from coachbuilder.deal.coordination import CoordinationResult
    from coachbuilder.deal.interface import DealResult
    from coachbuilder.deal.make_or_contract import RoutesResult
    from coachbuilder.plan import Plan
    from coachbuilder.risk.interface import RiskResult

ROUTE_TABLES: Mapping[str, str] = {
    "contract": "deal.clause",
    "own plant": "deal.own_plant",
    "refitted plant": "routes.refitted_plant",
}
"""Table of the programme file that tells of each route."""

EXPECTED, UNSURE = "Demand as expected", "Mean over unsure demand"
"""Names of the two maps of contracts."""

_EVIDENCE = (Column("Evidence", width=40), Column("Kinds of evidence", width=40))


def evidence_of(plan: Plan, table: str) -> tuple[list[str], list[str]]:
    """Return the entries that the assumptions of one table of the programme file name, and the kinds of these.

    Parameters
    ----------
    plan
        The plan.
    table
        Path of the table, such as ``deal.clause.fee``.
    """
    named = [item for item in plan.assumptions if item.path.startswith(f"{table}.")]
    return sorted({item.evidence for item in named}), sorted({item.kind for item in named})


def clauses(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    """Write what every clause brings or costs either side."""
    deal = plan.deal
    brand, host = plan.programme.document.brand.name, plan.programme.document.host.name
    sheet.table(
        (
            Column("Clause", width=26),
            Column("Kind", width=28),
            Column(f"Value to {brand} (CNY)", "#,##0", 20),
            Column(f"Value to {host} (CNY)", "#,##0", 20),
            *_EVIDENCE,
        ),
        (
            (
                item.id,
                item.kind,
                item.brand_value_cny,
                item.host_value_cny,
                *evidence_of(plan, f"deal.clause.{item.id}"),
            )
            for item in deal.clauses
        ),
    )
    sheet.say(
        "Before tax; positive is a gain. Values are those of the decision day at each side's own rate, with what lies "
        "outside cash, such as shares."
    )
    years = tuple(Column(str(year), "#,##0", 16) for year in deal.years)
    sheet.table(
        (Column("Clause", width=26), Column("Side (CNY)", width=28), Column("What", width=20), *years),
        _clause_years(deal, brand, host),
        "Every clause by year, CNY before tax",
    )
    sheet.table(
        (
            Column("Side", width=26),
            Column("Paid back in month", "0"),
            Column("Cash need largest in month", "0"),
            Column("Modified rate of return", "0.0%"),
            Column("Value outside cash (CNY)", "#,##0", 20),
            Column("Note", width=40),
        ),
        (
            (
                name,
                party.payback_month,
                party.peak_cash_month,
                party.mirr_share,
                party.outside_cash_npv_cny,
                party.mirr_note,
            )
            for name, party in ((brand, deal.brand), (host, deal.host), ("Both together", deal.joint))
        ),
        "By month, counted from the first whole month after the decision day",
    )
    if deal.absorption is not None:
        _absorption(sheet, deal)
    if deal.leaving is not None:
        _leaving(sheet, deal)


def _clause_years(deal: DealResult, brand: str, host: str) -> Iterator[Sequence[object]]:
    for item in deal.clauses:
        for side, cash, outside in (
            (brand, item.brand_cny_by_year, item.brand_outside_cny_by_year),
            (host, item.host_cny_by_year, item.host_outside_cny_by_year),
        ):
            yield item.id, side, "cash", *cash
            if outside.any():
                yield item.id, side, "outside cash", *outside


def _absorption(sheet: Sheet, deal: DealResult) -> None:
    found = deal.absorption
    assert found is not None
    sheet.table(
        (
            Column("Year", "0", 26),
            Column("Resident cars before", "#,##0"),
            Column("Resident cars after", "#,##0"),
            Column("Fixed cost before (CNY per resident car)", "#,##0"),
            Column("All fixed cost (CNY per car of all)", "#,##0"),
            Column("Left to residents (CNY per resident car)", "#,##0"),
        ),
        zip(
            deal.years,
            found.resident_units_before,
            found.resident_units_after,
            found.before_cny_per_car,
            found.all_cars_cny_per_car,
            found.left_to_residents_cny_per_car,
            strict=True,
        ),
        "What the guest does to the host's fixed cost a car",
    )


def _leaving(sheet: Sheet, deal: DealResult) -> None:
    found = deal.leaving
    assert found is not None
    names = (
        "sum_cny", "undepreciated_cny", "notice_cny", "owed_cny", "brand_write_off_cny", "host_write_off_cny",
        "owed_value_cny", "continuing_value_cny", "option_value_cny",
    )  # fmt: skip
    headings = (
        "Sum", "Not written off by the host", "Other clauses during notice", "Owed", "Brand writes off",
        "Host writes off", "Value of what is owed", "Value of going on", "Value of the right to leave",
    )  # fmt: skip
    sheet.table(
        (Column("Notice given in month", "0", 26), *(Column(f"{heading} (CNY)", "#,##0", 18) for heading in headings)),
        (
            (month, *amounts)
            for month, amounts in enumerate(zip(*(getattr(found, name) for name in names), strict=True), start=1)
        ),
        f"What leaving costs by clause {found.clause}, with {wording.plural(found.notice_months, 'month')} of notice",
    )


def agreement(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    """Write for which fees and floors both sides gain."""
    from coachbuilder.report.agreement_words import zone_text

    other = plan.alternatives
    assert other is not None
    brand, host = plan.programme.document.brand.name, plan.programme.document.host.name
    maps = [(name, zone) for name, zone in ((EXPECTED, other.zone), (UNSURE, other.zone_under_demand_risk)) if zone]
    values = (
        Column(f"NPV {brand} (CNY)", "#,##0", 20),
        Column(f"NPV {host} (CNY)", "#,##0", 20),
        Column("NPV of both (CNY)", "#,##0", 20),
    )
    terms = (
        Column("Fees over the programme's", "0.000"),
        Column("Mean fee (CNY per car)", "#,##0"),
        Column("Take-or-pay floor", "0.0%"),
    )
    sheet.table(
        (Column("Contract", width=44), Column("Map", width=26), *terms, *values),
        ((title, name, *_point(point)) for name, zone in maps for title, point in _marked(zone, brand, host)),
    )
    for name, zone in maps:
        sheet.say(f"{name}: {zone_text(zone, brand, host)}")
    if not maps:
        sheet.say(zone_text(None, brand, host))
    _without_each_other(sheet, other, maps)
    sheet.table(
        (
            Column("Map", width=44),
            Column("Take-or-pay floor", "0.0%"),
            Column(f"{brand} gains up to a mean fee of (CNY per car)", "#,##0"),
            Column(f"{host} gains from a mean fee of (CNY per car)", "#,##0"),
        ),
        (
            (name, *row)
            for name, zone in maps
            for row in zip(
                zone.floor_shares, zone.brand_highest_fee_cny_per_car, zone.host_least_fee_cny_per_car, strict=True
            )
        ),
        "Where either side turns, by floor; empty where it gains at no fee of the map, the end of the map where at all",
    )
    sheet.table(
        (Column("Map", width=44), Column("Take-or-pay floor", "0.0%"), *terms[:2], *values[:2]),
        (
            (name, floor, level, fee, zone.brand_npv_cny[row, across], zone.host_npv_cny[row, across])
            for name, zone in maps
            for row, floor in enumerate(zone.floor_shares)
            for across, (level, fee) in enumerate(zip(zone.fee_level_shares, zone.fee_cny_per_car, strict=True))
        ),
        "Every contract of the map",
    )
    if other.coordination is not None:
        _coordination(sheet, other.coordination, brand, host)


def _marked(zone: ZoneResult, brand: str, host: str) -> Iterator[tuple[str, ContractPoint]]:
    yield "The programme's own", zone.programme
    if zone.nash is not None:
        yield "Bargaining on equal terms (Nash)", zone.nash
    yield "Best for both together", zone.best_joint
    yield f"Best for {brand}", zone.best_brand
    yield f"Best for {host}", zone.best_host


def _point(point: ContractPoint) -> tuple[float, ...]:
    return (
        point.fee_level_share,
        point.fee_cny_per_car,
        point.floor_share,
        point.brand_npv_cny,
        point.host_npv_cny,
        point.joint_npv_cny,
    )


def _without_each_other(sheet: Sheet, other: AlternativesResult, maps: Sequence[tuple[str, ZoneResult]]) -> None:
    sheet.table(
        (
            Column("Map", width=44),
            Column("Brand has without the host (CNY)", "#,##0", 20),
            Column("Host has without the brand (CNY)", "#,##0", 20),
            Column("Some contract makes both gain"),
            Column("Side that gains nowhere"),
            Column("Floor added by the map"),
        ),
        (
            (
                name,
                zone.brand_alternative_npv_cny,
                zone.host_alternative_npv_cny,
                "no" if zone.is_empty else "yes",
                zone.losing_side,
                "yes" if zone.adds_floor else "no",
            )
            for name, zone in maps
        ),
        f"What a contract is measured against; the brand's best other route is {other.brand_alternative}",
    )
    if other.demand_factors:
        sheet.table(
            (Column("Demand over what is expected", "0.000", 44), Column("Probability", "0.0%")),
            other.demand_factors,
            "Unsure demand",
        )


def _coordination(sheet: Sheet, found: CoordinationResult, brand: str, host: str) -> None:
    sheet.table(
        (
            Column("Form of contract", width=44),
            Column("Places decided by"),
            Column("Places (cars a year)", "#,##0"),
            Column("Enough with a probability of", "0.0%"),
            Column("Cars sold in the mean (cars a year)", "#,##0"),
            Column(f"{brand} (CNY a year)", "#,##0", 20),
            Column(f"{host} (CNY a year)", "#,##0", 20),
            Column("Both (CNY a year)", "#,##0", 20),
            Column("Lost (CNY a year)", "#,##0", 20),
            Column("Coordinates by", width=18),
            Column("at", "#,##0"),
            Column("Note", width=50),
        ),
        (
            (
                item.form,
                item.decided_by,
                item.reserved_units,
                item.service_share,
                item.expected_sales_units,
                item.brand_profit_cny if item.terms else None,
                item.host_profit_cny if item.terms else None,
                item.chain_profit_cny,
                item.lost_cny,
                item.coordinating_term,
                Number(item.coordinating_value, "0.0%" if item.coordinating_term.endswith("share") else "#,##0"),
                item.note,
            )
            for item in found.outcomes
        ),
        "What is lost because the two are not one, in the year of most sales before what is fixed",
    )
    sheet.named(
        {name: getattr(found.chain, name) for name in ("margin_cny_per_car", "building_cny_per_car")}
        | {"place_cny_per_year": found.chain.capacity_cny_per_car}
        | {name: getattr(found, name) for name in ("fee_cny_per_car", "mean_demand_units", "deviation_share")},
        "From which that is worked out",
    )


def routes(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    """Write make or contract: the routes, their crossings, the cost by volume, and building later."""
    assert plan.alternatives is not None
    found = plan.alternatives.routes
    brand, host = plan.programme.document.brand.name, plan.programme.document.host.name
    names = (
        "investment_cny", "host_investment_cny", "start_month", "capacity_units_per_year", "units",
        "peak_cash_need_cny", "npv_cny",
    )  # fmt: skip
    sheet.table(
        (
            Column("Route", width=34),
            Column(f"{brand} invests (CNY)", "#,##0", 20),
            Column(f"{host} invests (CNY)", "#,##0", 20),
            Column("Months to the start of production", "0.0"),
            Column("Capacity (cars a year)", "#,##0"),
            Column("Cars sold (cars)", "#,##0"),
            Column(f"Peak cash need of {brand} (CNY)", "#,##0", 20),
            Column(f"NPV {brand} (CNY)", "#,##0", 20),
            Column("Best"),
            *_EVIDENCE,
        ),
        (
            (
                item.name,
                *(getattr(item, name) for name in names),
                "yes" if item.name == found.best else "",
                *evidence_of(plan, ROUTE_TABLES[item.name]),
            )
            for item in found.routes
        ),
    )
    if found.crossings:
        sheet.table(
            (
                Column("Costs less below", width=34),
                Column("Costs less above", width=20),
                Column("Cars a year", "#,##0"),
                Column("A car there (CNY)", "#,##0"),
            ),
            rows_of(found.crossings, ("cheaper_below", "cheaper_above", "units_per_year", "unit_cost_cny")),
            "Volumes at which two routes cost the same a car",
        )
    else:
        sheet.say("Two routes cost the same a car at no volume that both can build.")
    sheet.table(
        (Column("Cars a year", "#,##0", 34), *(Column(f"{item.name} (CNY per car)", "#,##0") for item in found.routes)),
        (
            (volume, *(item.unit_cost_cny[row] for item in found.routes))
            for row, volume in enumerate(found.volumes_units_per_year)
        ),
        f"What building a car costs {brand}, levelised; empty beyond what a route can build",
    )
    if found.flexibility:
        _flexibility(sheet, found)


def _flexibility(sheet: Sheet, found: RoutesResult) -> None:
    names = (
        "value_cny", "simulated_value_cny", "simulated_error_cny", "best_fixed_value_cny", "best_fixed_year",
        "option_value_cny", "building_probability",
    )  # fmt: skip
    sheet.table(
        (
            Column("Built later", width=34),
            Column("Right to build, on the grid (CNY)", "#,##0", 20),
            Column("The same, simulated (CNY)", "#,##0", 20),
            Column("Its standard error (CNY)", "#,##0"),
            Column("Best year fixed today (CNY)", "#,##0"),
            Column("That year", "0"),
            Column("Deciding later (CNY)", "#,##0", 20),
            Column("Built on", "0.0%"),
        ),
        ((item.plant, *(getattr(item, name) for name in names)) for item in found.flexibility),
        "What it is worth to start under the contract and to build later, over the contract for ever",
    )
    sheet.table(
        (
            Column("Built later", width=34),
            Column("Decided at the beginning of", "0"),
            Column("Right from a demand over the expected of", "0.00"),
            Column("Built on", "0.0%"),
        ),
        (
            (item.plant, *row)
            for item in found.flexibility
            for row in zip(item.years, item.least_factor_by_year, item.building_probability_by_year, strict=True)
        ),
        "Building later, by year; empty where it is right at no demand",
    )
