"""Sheets of the workbook about what is believed and who stands where: claims and parties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coachbuilder.programme.units import unit_of
from coachbuilder.report.cells import Column, Number, Sheet, exact, rows_of

if TYPE_CHECKING:
    from coachbuilder.plan import Plan
    from coachbuilder.risk.examination import Examination
    from coachbuilder.risk.interface import RiskResult


def claims(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    """Write what is claimed, how likely it is and why, and what it is worth to know."""
    assert risk is not None
    found = risk.claims
    brand, host = plan.programme.document.brand.name, plan.programme.document.host.name
    if_false = {item.evidence: item for item in risk.evidence}
    worth = ("joint_value_cny", "brand_value_cny", "host_value_cny", "joint_at_stake_cny")
    left = ("brand_npv_if_false_cny", "host_npv_if_false_cny", "joint_npv_if_false_cny")
    turns = (("brand", "turns_brand"), ("host", "turns_host"), ("both", "turns_joint"))
    sheet.table(
        (
            Column("Evidence", width=32),
            Column("Kind of evidence", width=24),
            Column("Claim", width=60),
            Column("Probability", "0.0%"),
            Column("Programme rests on it"),
            *(Column(f"Answer worth to {who} (CNY)", "#,##0", 20) for who in ("both", brand, host)),
            Column("Answer moves both by (CNY)", "#,##0", 20),
            *(Column(f"NPV {who} if false (CNY)", "#,##0", 20) for who in (brand, host)),
            Column("NPV of both if false (CNY)", "#,##0", 20),
            Column("Turns if false", width=20),
            Column("Numbers that it matters by", width=60),
        ),
        (
            (
                item.evidence,
                item.kind,
                item.claim,
                item.probability,
                "yes" if item.is_switch else "",
                *(getattr(item, name) for name in worth),
                *(getattr(if_false.get(item.evidence), name, None) for name in left),
                [who for who, name in turns if getattr(if_false.get(item.evidence), name, False)],
                item.drivers,
            )
            for item in found.claims
        ),
    )
    register = {entry.id: entry for entry in plan.register}
    sheet.table(
        (
            Column("Claim on which the programme rests", width=32),
            Column("Entry", width=24),
            Column("What it says", width=60),
            Column("Kind of evidence"),
            Column("Known on", "yyyy-mm-dd"),
            Column("Probability before", "0.0%"),
            Column("Probability after", "0.0%"),
        ),
        (
            (
                name,
                update.evidence,
                register[update.evidence].claim,
                register[update.evidence].kind,
                update.date,
                update.before,
                update.after,
            )
            for name, updates in found.updates.items()
            for update in updates
        ),
        "How its probability came about, entry by entry",
    )
    sheet.named(
        {name: getattr(found, name) for name in ("switches", "probability", "probability_least", "probability_most")}
        | {"otherwise": found.otherwise},
        "All of these claims together",
        {
            "probability": "if they are independent",
            "probability_least": "however they depend on each other",
            "probability_most": "however they depend on each other",
            "otherwise": "what the brand does if one is false",
        },
    )
    sides = {"brand": brand, "host": host, "joint": "both together"}
    sheet.table(
        (
            Column("Side", width=32),
            Column("Option", width=24),
            Column("Expected value (CNY)", "#,##0", 20),
            Column("Best"),
        ),
        (
            (sides[item.side], option.option, option.expected_cny, "yes" if option.option == item.best else "")
            for item in found.decisions
            for option in item.options
        ),
        "What would be decided today, the claims weighted",
    )
    mixture = ("mixture_expected_cny", "mixture_p10_cny", "mixture_p50_cny", "mixture_p90_cny")
    sheet.table(
        (
            Column("Side", width=32),
            *(Column(f"{text} (CNY)", "#,##0", 20) for text in ("Expected", "P10", "Median", "P90")),
            Column("To know everything is worth (CNY)", "#,##0", 20),
        ),
        (
            (sides[item.side], *(getattr(item, name) for name in mixture), item.perfect_information_cny)
            for item in found.decisions
        ),
        "Going for the contract: the plan if all of these claims are true, else what is done otherwise",
    )


def turning(sheet: Sheet, found: Examination) -> None:
    """Write what would have to be true for each answer to turn."""
    from coachbuilder.report.examination_words import turning_answer

    told = [(turning_answer(point), point) for point in found.turning_points]
    sheet.table(
        (
            Column("What would have to be true", width=52),
            Column("Holds in the plan", width=14),
            Column("Standard deviations away", "0.00"),
            Column("Probability beyond, to first order", "0.0%"),
            Column("Draws beyond", "0.0%"),
            Column("NPV of the brand there (CNY)", "#,##0", 20),
            Column("NPV of the host there (CNY)", "#,##0", 20),
            Column("In words", width=110),
        ),
        (
            (
                answer.question,
                "yes" if point.holds else "no",
                point.beta,
                point.probability_beyond,
                point.draws_beyond_share,
                point.brand_npv_cny,
                point.host_npv_cny,
                answer.text,
            )
            for answer, point in told
        ),
    )
    sheet.table(
        (
            Column("Question", width=52),
            Column("Assumption", width=52),
            Column("Unit"),
            Column("Value"),
            Column("Value there"),
            Column("Standard deviations from it", "0.00"),
            Column("Share of the squared distance", "0.0%"),
            Column("Evidence", width=30),
        ),
        (
            (
                answer.question,
                move.path,
                unit_of(move.path),
                exact(move.value),
                Number(move.value_there, "#,##0" if abs(move.value_there) >= 1000 else "0.0000"),
                move.score,
                move.share,
                move.evidence,
            )
            for answer, point in told
            for move in point.moves
        ),
        "The way there, assumption by assumption",
    )


def parties(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    """Write the dated standing of every party on lists of authorities, and what it does to the rates."""
    found = plan.parties
    assert found is not None
    kinds = {entry.id: entry.kind for entry in plan.register}
    sheet.table(
        (
            Column("Party", width=32),
            Column("List", width=60),
            Column("Authority", width=34),
            Column("Status", width=18),
            Column("From", "yyyy-mm-dd"),
            Column("To", "yyyy-mm-dd"),
            Column("Evidence", width=30),
            Column("Kind of evidence", width=24),
        ),
        (
            (
                item.party_name,
                item.list_name,
                item.authority,
                past.status,
                past.start,
                past.end,
                past.evidence,
                kinds.get(past.evidence),
            )
            for item in found.listings
            for past in item.intervals
        ),
    )
    if not found.listings:
        sheet.say(f"No listing is known on {found.as_of.isoformat()}.")
    sheet.table(
        (
            Column("Party", width=32),
            Column("Gravest status"),
            Column("Discount rate without any listing", "0.00%"),
            Column("On the plan's day", "0.00%"),
            Column("In the deal", "0.00%"),
        ),
        rows_of(
            (found.brand, found.host), ("name", "status", "base_discount_rate", "discount_rate_now", "discount_rate")
        ),
        f"Yearly discount rates on {found.as_of.isoformat()}; the deal's is flat over "
        f"{found.horizon_months:g} months and does the same",
    )
    sheet.table(
        (
            Column("Party", width=32),
            Column("List", width=60),
            Column("Status on the plan's day"),
            Column("Since", "yyyy-mm-dd"),
            Column("Share of its full effect", "0.0%"),
            Column("Added to the rate on that day", "0.00%"),
            Column("Added in the deal", "0.00%"),
            Column("Investors that may not hold it", width=44),
            Column("Suppliers that may not deliver to it", width=44),
        ),
        rows_of(
            found.listings,
            (
                "party_name", "list_name", "status", "since", "effect_share", "surcharge_now_rate", "surcharge_rate",
                "closed_investors", "closed_suppliers",
            ),
        ),
        "What each listing does",
    )  # fmt: skip
    if found.closed_suppliers:
        sheet.table(
            (Column("Supplier", width=32), Column("Supplies", width=60), Column("Closed by", width=60)),
            rows_of(found.closed_suppliers, ("name", "supplies", "why")),
            "Suppliers that may not deliver",
        )
