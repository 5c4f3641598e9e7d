"""Clauses and claims in the report: one line where money goes from side to side, no column of nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coachbuilder.deal.interface import ClauseFlow
from coachbuilder.report import claims_words, deal_clauses, wording
from coachbuilder.risk.claims import ClaimsResult, ClaimValue, SideDecision

NOTHING = np.zeros(2)


class Deal:
    """As much of a deal as its table of clauses takes."""

    def __init__(self, *clauses: ClauseFlow) -> None:
        self.clauses = clauses


def flow(name: str, brand: list[float], host: list[float], outside: list[float] | None = None) -> ClauseFlow:
    given = NOTHING if outside is None else np.array(outside)
    return ClauseFlow(name, "fee per car", np.array(brand), np.array(host), given, NOTHING, NOTHING, -7e6, 6e6)


def test_money_from_side_to_side_is_told_once_with_both_values() -> None:
    rows = deal_clauses.clause_rows(Deal(flow("fee", [-1e6, -2e6], [1e6, 2e6])), "Brand", "Host")  # type: ignore[arg-type]
    assert rows == [["Fee per car", "1", "2", "−7", "6"]]


def test_what_a_side_bears_itself_and_what_is_no_cash_have_lines_of_their_own_and_names_stay_apart() -> None:
    deal = Deal(flow("first", [-1e6, 0.0], [1e6, 0.0], [-3e6, 0.0]), flow("second", [-1e6, -2e6], [1e6, 1e6]))
    rows = deal_clauses.clause_rows(deal, "Brand", "Host")  # type: ignore[arg-type]
    assert [row[0] for row in rows] == [
        "Fee per car (first)",
        "Fee per car (first): Brand, outside cash",
        "Fee per car (second): Brand",
        "Fee per car (second): Host",
    ]
    assert [row[-2:] for row in rows] == [["−7", "6"], ["", ""], ["−7", "6"], ["", ""]]
    assert rows[2][1:3] == ["−1", "−2"]
    assert rows[3][1:3] == ["1", "1"]


def claims(*values: ClaimValue, best: tuple[str, str, str] = ("neither", "neither", "neither")) -> ClaimsResult:
    decisions = tuple(
        SideDecision(side, (), chosen, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for side, chosen in zip(("brand", "host", "joint"), best, strict=True)
    )
    return ClaimsResult(("switch",), 0.5, 0.5, 0.5, "nothing", {}, decisions, values)


IDLE = ClaimValue("a", "judgement", "A.", 0.5, False, (), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
MOVING = replace(IDLE, evidence="b", joint_at_stake_cny=2e6)
FOR_HOST = replace(IDLE, evidence="c", host_value_cny=5e6)


def test_a_question_worth_something_to_one_side_alone_is_asked_and_an_idle_one_is_not() -> None:
    asked = claims_words.questions(claims(IDLE, MOVING, FOR_HOST))
    assert [item.evidence for item in asked] == ["b", "c"]
    assert [heading for heading, _ in claims_words.columns(asked, "Brand", "Host")][3:] == [
        "Worth to both", "Brand", "Host", "Moves both by"
    ]  # fmt: skip
    assert claims_words.amounts(FOR_HOST, asked)[2] == wording.money(5e6)


def test_columns_of_worth_are_left_out_where_no_answer_is_worth_anything() -> None:
    asked = claims_words.questions(claims(IDLE, MOVING))
    assert len(claims_words.columns(asked, "Brand", "Host")) == 4
    assert claims_words.amounts(MOVING, asked) == [wording.money(2e6)]


def test_one_sentence_says_what_all_would_decide_and_names_who_differs() -> None:
    assert claims_words.decided(claims(), "Brand", "Host") == (
        "Decided today by expected value, the two together would choose to do nothing, and so would either side alone."
    )
    apart = claims_words.decided(claims(best=("own plant", "contract", "contract")), "Brand", "Host")
    assert apart.endswith("choose the contract, Brand alone a plant of Brand's own and Host alone the contract.")


def test_a_sentence_is_typeset_with_dates_as_one_says_them_and_what_is_no_date_stays() -> None:
    assert wording.typeset("Known on 2021-03-26.") == "Known on 26 March 2021."
    assert wording.typeset("part 2021-13-45 of 12-2021-03-26") == "part 2021-13-45 of 12-2021-03-26"
