"""The sheets on clauses, contracts, routes, claims and parties hold what the results say, cell by cell."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import openpyxl
import pytest

from coachbuilder.deal import evaluate
from coachbuilder.deal.agreement import ZoneResult
from coachbuilder.deal.alternatives import AlternativesResult, alternatives
from coachbuilder.deal.clauses import CostOfLeaving, FeePerCar, TakeOrPay
from coachbuilder.deal.make_or_contract import RoutesInputs
from coachbuilder.deal.real_option import DemandProcess
from coachbuilder.market.parties.interface import (
    ClosedSupplier,
    ListingStanding,
    PartiesResult,
    SideStanding,
    StatusInterval,
)
from coachbuilder.programme.evidence import ClaimUpdate
from coachbuilder.programme.sections.parties import ListStatus
from coachbuilder.report import workbook_claims, workbook_contract
from coachbuilder.report.cells import Sheet
from coachbuilder.report.examination_words import move_rows
from coachbuilder.risk.claims import ClaimsResult, ClaimValue, OptionValue, SideDecision
from coachbuilder.risk.examination import Move, TurningPoint
from deal_builder import deal, own_plant

DAY = dt.date(2021, 3, 26)
Fill = Callable[[Sheet, Any, Any, Mapping[str, Any]], None]


def _number(path: str, evidence: str, kind: str) -> SimpleNamespace:
    return SimpleNamespace(path=path, evidence=evidence, kind=kind)


@pytest.fixture(scope="module")
def plan() -> SimpleNamespace:
    inputs = deal(
        clauses=(
            FeePerCar("fee", (0.0, 12_000.0), (12_000.0, 9_000.0), 0.02),
            TakeOrPay("floor", 0.9, 6_000.0, 2),
            CostOfLeaving("leaving", 6, 20e6, 0.5),
        ),
        with_break_even=True,
    )
    result = evaluate(inputs)
    refitted = own_plant(investment_cny=200e6, construction_months=12, capacity_units_per_year=14_000.0)
    document = SimpleNamespace(brand=SimpleNamespace(name="Maker"), host=SimpleNamespace(name="Builder"))
    return SimpleNamespace(
        programme=SimpleNamespace(document=document),
        deal=result,
        alternatives=alternatives(inputs, result, RoutesInputs(DemandProcess(0.3, 0.1), 5e6, refitted, 1)),
        assumptions=(
            _number("deal.clause.fee.change_rate", "a-filing", "company filing"),
            _number("deal.clause.fee.tier.first.fee_cny_per_car", "a-guess", "judgement"),
            _number("deal.clause.fee-not-this.sum_cny", "another", "placeholder"),
            _number("deal.own_plant.investment_cny", "a-plant", "named press source"),
        ),
        register=(
            SimpleNamespace(id="rumour", kind="unnamed press sources", claim="They build together."),
            SimpleNamespace(id="denial", kind="company filing", claim="They do not."),
        ),
        parties=_parties(),
    )


def _parties() -> PartiesResult:
    intervals = (
        StatusInterval(ListStatus.LISTED, dt.date(2021, 1, 14), dt.date(2021, 3, 12), "denial"),
        StatusInterval(ListStatus.ENJOINED, dt.date(2021, 3, 12), None, "rumour"),
    )
    return PartiesResult(
        DAY,
        120.0,
        SideStanding("Maker", ListStatus.ENJOINED, 0.11, 0.1128, 0.1106),
        SideStanding("Builder", None, 0.10, 0.10, 0.10),
        (
            ListingStanding(
                "list", "brand", "Maker", "A list", "An authority", ListStatus.ENJOINED, dt.date(2021, 3, 12),
                intervals, 0.35, 0.0028, 0.0006, ("Investors of a country",), ("cells",),
            ),
        ),
        (ClosedSupplier("cells", "Cell maker", "cells", "A list"),),
    )  # fmt: skip


def _risk() -> SimpleNamespace:
    options = (OptionValue("contract", -2e9), OptionValue("neither", 0.0))
    decisions = tuple(
        SideDecision(side, options, "neither", 0.0, 1.0e7, -2e9, -9e9, -1.0, 3.0e8)
        for side in ("brand", "host", "joint")
    )
    values = (
        ClaimValue(
            "rumour", "unnamed press sources", "They build together.", 0.4, True, (), 1.0, 2.0, 3.0, 0.1, 0.2, 0.3, 4.0
        ),
        ClaimValue(
            "denial", "company filing", "They do not.", 0.9, False, ("a.b", "a.c"), 5.0, 6.0, 7.0, 0.5, 0.6, 0.7, 8.0
        ),
    )
    updates = {"rumour": (ClaimUpdate(DAY, "rumour", None, 0.5), ClaimUpdate(DAY, "denial", 0.5, 0.4))}
    if_false = SimpleNamespace(
        evidence="denial", brand_npv_if_false_cny=-11.0, host_npv_if_false_cny=-12.0, joint_npv_if_false_cny=None,
        turns_brand=True, turns_host=False, turns_joint=True,
    )  # fmt: skip
    claims = ClaimsResult(("rumour",), 0.4, 0.4, 0.4, "nothing", updates, decisions, values)
    return SimpleNamespace(claims=claims, evidence=(if_false,))


def written(fill: Fill, plan: object, risk: object = None) -> list[tuple[Any, ...]]:
    """Return the rows of a sheet as they are read back from a saved workbook."""
    book = openpyxl.Workbook()
    assert book.active is not None
    fill(Sheet(book.active), plan, risk, {})
    file = io.BytesIO()
    book.save(file)
    sheet = openpyxl.load_workbook(file).active
    assert sheet is not None
    assert sheet.freeze_panes == "B2"
    return list(sheet.iter_rows(values_only=True))


def table(rows: Sequence[tuple[Any, ...]], first_heading: str) -> list[dict[str, Any]]:
    """Return the table whose first heading this is, a mapping a row."""
    top = next(at for at, row in enumerate(rows) if row[0] == first_heading and row[1] is not None)
    found = []
    for row in rows[top + 1 :]:
        if row[1] is None and row[2] is None:
            break
        found.append(dict(zip(rows[top], row, strict=True)))
    return found


def column(found: Sequence[Mapping[str, Any]], heading: str) -> list[Any]:
    return [row[heading] for row in found]


def test_every_clause_has_its_years_for_both_sides_and_they_cancel(plan: SimpleNamespace) -> None:
    rows = written(workbook_contract.clauses, plan)
    by_year = [row for row in rows if row[2] in {"cash", "outside cash"}]
    assert len(by_year) == 2 * len(plan.deal.clauses) > 0
    for clause in plan.deal.clauses:
        brand, host = ([*row[3 : 3 + len(plan.deal.years)]] for row in by_year if row[0] == clause.id)
        assert brand == pytest.approx(clause.brand_cny_by_year.tolist(), rel=1e-12)
        assert host == pytest.approx([-value for value in brand], rel=1e-12)
    assert sum(abs(value) for value in by_year[0][3:7]) > 0


def test_clauses_tell_their_value_and_the_evidence_of_their_own_numbers_alone(plan: SimpleNamespace) -> None:
    found = table(written(workbook_contract.clauses, plan), "Clause")
    assert column(found, "Value to Maker (CNY)") == pytest.approx([item.brand_value_cny for item in plan.deal.clauses])
    assert column(found, "Value to Builder (CNY)") == pytest.approx([item.host_value_cny for item in plan.deal.clauses])
    assert found[0]["Evidence"] == "a-filing, a-guess"
    assert found[0]["Kinds of evidence"] == "company filing, judgement"
    assert not found[1]["Evidence"]


def test_leaving_is_told_for_every_month(plan: SimpleNamespace) -> None:
    found = table(written(workbook_contract.clauses, plan), "Notice given in month")
    assert column(found, "Notice given in month") == list(range(1, plan.deal.leaving.owed_cny.size + 1))
    assert column(found, "Owed (CNY)") == pytest.approx(plan.deal.leaving.owed_cny.tolist())


def test_map_holds_both_sides_values_at_every_fee_and_floor(plan: SimpleNamespace) -> None:
    rows = written(workbook_contract.agreement, plan)
    contracts = [row for row in rows if row[0] in {workbook_contract.EXPECTED, workbook_contract.UNSURE}]
    zones: list[ZoneResult] = [plan.alternatives.zone, plan.alternatives.zone_under_demand_risk]
    for name, zone in zip((workbook_contract.EXPECTED, workbook_contract.UNSURE), zones, strict=True):
        # Tables of what either side has without the other and of the ends by floor come before that of the map.
        listed = [row for row in contracts if row[0] == name][1 + zone.floor_shares.size :]
        assert len(listed) == zone.brand_npv_cny.size
        values = np.array([row[1:6] for row in listed], dtype=float)
        assert values[:, 3] == pytest.approx(zone.brand_npv_cny.ravel())
        assert values[:, 4] == pytest.approx(zone.host_npv_cny.ravel())
        assert values[: zone.fee_cny_per_car.size, 2] == pytest.approx(zone.fee_cny_per_car)
        assert values[:: zone.fee_cny_per_car.size, 0] == pytest.approx(zone.floor_shares)


def test_marked_contracts_are_the_programmes_own_the_bargaining_point_and_the_best(plan: SimpleNamespace) -> None:
    found = table(written(workbook_contract.agreement, plan), "Contract")
    of_map = {row["Contract"]: row for row in found if row["Map"] == workbook_contract.EXPECTED}
    zone: ZoneResult = plan.alternatives.zone
    assert zone.nash is not None
    for title, point in (
        ("The programme's own", zone.programme),
        ("Bargaining on equal terms (Nash)", zone.nash),
        ("Best for both together", zone.best_joint),
        ("Best for Maker", zone.best_brand),
        ("Best for Builder", zone.best_host),
    ):
        row = of_map[title]
        assert row["Mean fee (CNY per car)"] == pytest.approx(point.fee_cny_per_car)
        assert row["Take-or-pay floor"] == pytest.approx(point.floor_share)
        assert row["NPV Maker (CNY)"] == pytest.approx(point.brand_npv_cny)
        assert row["NPV Builder (CNY)"] == pytest.approx(point.host_npv_cny)
        assert row["NPV of both (CNY)"] == pytest.approx(point.joint_npv_cny)


def test_an_empty_zone_has_no_bargaining_point_and_a_deal_without_fees_no_map(plan: SimpleNamespace) -> None:
    other: AlternativesResult = plan.alternatives
    assert other.zone is not None
    without_nash = replace(other, zone=replace(other.zone, nash=None), zone_under_demand_risk=None)
    found = table(
        written(workbook_contract.agreement, SimpleNamespace(**vars(plan) | {"alternatives": without_nash})), "Contract"
    )
    assert [row["Contract"] for row in found] == [
        "The programme's own", "Best for both together", "Best for Maker", "Best for Builder"
    ]  # fmt: skip
    nothing = replace(other, zone=None, zone_under_demand_risk=None)
    rows = written(workbook_contract.agreement, SimpleNamespace(**vars(plan) | {"alternatives": nothing}))
    assert table(rows, "Contract") == []
    assert any(str(row[0]).startswith("There is no map") for row in rows)


def test_routes_their_crossings_and_costs_by_volume_are_those_of_the_result(plan: SimpleNamespace) -> None:
    found = plan.alternatives.routes
    rows = written(workbook_contract.routes, plan)
    listed = table(rows, "Route")
    assert column(listed, "Route") == [route.name for route in found.routes]
    assert column(listed, "NPV Maker (CNY)") == pytest.approx([route.npv_cny for route in found.routes])
    assert [row["Route"] for row in listed if row["Best"] == "yes"] == [found.best]
    assert listed[1]["Evidence"] == "a-plant"
    crossings = table(rows, "Costs less below")
    assert found.crossings
    assert column(crossings, "Cars a year") == pytest.approx([item.units_per_year for item in found.crossings])
    assert column(crossings, "A car there (CNY)") == pytest.approx([item.unit_cost_cny for item in found.crossings])
    by_volume = table(rows, "Cars a year")
    assert column(by_volume, "Cars a year") == pytest.approx(found.volumes_units_per_year.tolist())
    for route in found.routes:
        assert column(by_volume, f"{route.name} (CNY per car)") == [
            None if cost is None else pytest.approx(cost) for cost in route.unit_cost_cny
        ]


def test_claims_have_probability_worth_and_what_is_left_if_false(plan: SimpleNamespace) -> None:
    rows = written(workbook_claims.claims, plan, _risk())
    rumour, denial = table(rows, "Evidence")
    assert (rumour["Programme rests on it"], rumour["Probability"]) == ("yes", 0.4)
    assert rumour["NPV Maker if false (CNY)"] is None
    assert [denial[f"Answer worth to {who} (CNY)"] for who in ("both", "Maker", "Builder")] == [7.0, 5.0, 6.0]
    assert denial["Answer moves both by (CNY)"] == 8.0
    assert (denial["NPV Maker if false (CNY)"], denial["NPV of both if false (CNY)"]) == (-11.0, None)
    assert denial["Turns if false"] == "brand, both"
    assert denial["Numbers that it matters by"] == "a.b, a.c"
    first, second = table(rows, "Claim on which the programme rests")
    assert (first["Probability before"], first["Probability after"]) == (None, 0.5)
    assert (second["Entry"], second["What it says"], second["Probability after"]) == ("denial", "They do not.", 0.4)
    assert second["Known on"] == dt.datetime.combine(DAY, dt.time())
    assert [row[2] for row in rows if row[0] == "both together" and row[1] == "contract"] == [-2e9]


def test_parties_have_every_dated_status_and_what_it_does_to_their_rates(plan: SimpleNamespace) -> None:
    rows = written(workbook_claims.parties, plan)
    statuses = table(rows, "Party")
    assert [(row["Status"], row["To"] is None, row["Kind of evidence"]) for row in statuses] == [
        ("listed", False, "company filing"), ("enjoined", True, "unnamed press sources")
    ]  # fmt: skip
    rates = [row[2:5] for row in rows if row[0] in {"Maker", "Builder"} and isinstance(row[2], float)]
    assert rates == [(0.11, 0.1128, 0.1106), (0.10, 0.10, 0.10)]
    assert any(row[7] == "Investors of a country" for row in rows)
    assert ("Cell maker", "cells", "A list") in [row[:3] for row in rows]


def test_an_empty_list_of_listings_says_so(plan: SimpleNamespace) -> None:
    parties = replace(_parties(), listings=(), closed_suppliers=())
    rows = written(workbook_claims.parties, SimpleNamespace(**vars(plan) | {"parties": parties}))
    assert "No listing is known on 2021-03-26." in [row[0] for row in rows]


def _turning_points() -> SimpleNamespace:
    move = Move("market.demand.guest_price_cny", "rumour", 150_000.0, 172_000.0, 0.8, 0.995)
    small = Move("brand.discount_rate", "denial", 0.11, 0.1099, -0.02, 0.005)
    near = TurningPoint("the brand gains", False, 1.39, 0.08, 0.02, (move, small), 12.0, 34.0, 100)
    none = TurningPoint("both gain", True, None, None, 0.0, (), None, None, 50)
    return SimpleNamespace(turning_points=(near, none))


def test_what_would_have_to_be_true_is_told_answer_by_answer_and_assumption_by_assumption() -> None:
    rows = written(lambda sheet, found, *_: workbook_claims.turning(sheet, found), _turning_points())
    near, none = table(rows, "What would have to be true")
    assert near["What would have to be true"] == "What would have to be true for the brand to gain?"
    assert (near["Standard deviations away"], near["Draws beyond"], near["Holds in the plan"]) == (1.39, 0.02, "no")
    assert (near["NPV of the brand there (CNY)"], near["NPV of the host there (CNY)"]) == (12.0, 34.0)
    assert (none["Standard deviations away"], none["Holds in the plan"]) == (None, "yes")
    moves = table(rows, "Question")
    assert [(row["Assumption"], row["Value"], row["Value there"], row["Unit"]) for row in moves] == [
        ("market.demand.guest_price_cny", 150_000, 172_000, "CNY"),
        ("brand.discount_rate", 0.11, 0.1099, "fraction"),
    ]
    assert column(moves, "Evidence") == ["rumour", "denial"]


def test_the_page_names_the_moves_that_are_not_negligible() -> None:
    near, none = _turning_points().turning_points
    assert [row[0] for row in move_rows(near)] == ["market · demand · guest price"]
    assert move_rows(none) == []
