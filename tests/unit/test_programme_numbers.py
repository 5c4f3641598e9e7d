"""Assumptions, evidence and their spreads."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from coachbuilder.programme.assumption import Assumption
from coachbuilder.programme.base import Positive, Share
from coachbuilder.programme.evidence import (
    EVIDENCE_RULES,
    PLACEHOLDER_WIDTH,
    Evidence,
    EvidenceKind,
    link_problems,
    prior_probability,
    spread,
    standings,
)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    mass_kg: Positive
    loss_share: Share = Assumption(value=0.5)


def _entry(kind: str = "judgement", **more: object) -> Evidence:
    return Evidence.model_validate({"kind": kind, "claim": "c", "source": "s", "date": "2021-01-01", **more})


def test_a_plain_number_a_range_and_a_table_are_read_alike() -> None:
    plain = _Table.model_validate({"mass_kg": 1900}).mass_kg
    ranged = _Table.model_validate({"mass_kg": "1750 to 2050"}).mass_kg
    table = _Table.model_validate({"mass_kg": {"value": 1900, "low": 1750, "high": 2050, "evidence": "e"}}).mass_kg
    assert plain.value == ranged.value == table.value == 1900
    assert (ranged.low, ranged.high) == (table.low, table.high) == (1750, 2050)
    assert (plain.stated_range, ranged.stated_range, table.evidence) == (False, True, "e")


@pytest.mark.parametrize(
    "text", ["1 750 to 2 050", "1750..2050", "1_750 to 2_050", " 1.75e3 to 2.05e3 ", "1750 – 2050"]
)
def test_ranges_may_be_written_in_the_usual_ways(text: str) -> None:
    read = Assumption.parse(text)
    assert (read.low, read.high) == (1750, 2050)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (math.nan, "a finite number"),
        (math.inf, "a finite number"),
        ("heavy", "a number, or a range"),
        (True, "a number, or a range"),
        ("2050 to 1750", "a range with its lower end first"),
        ({"value": 1, "hihg": 2}, "only the keys"),
        ({"low": 1}, "both low and high"),
        ({"value": 5, "low": 1, "high": 2}, "low <= value <= high"),
        ({"evidence": "e"}, "a value, or low and high"),
        ([], "a list of at least one"),
        (-3, "a number above 0"),
    ],
)
def test_what_is_no_number_is_told_with_what_was_expected(raw: object, expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _Table.model_validate({"mass_kg": raw})
    (error,) = caught.value.errors()
    assert error["type"] == "assumption"
    assert expected in error["ctx"]["expected"]


def test_limits_hold_for_the_ends_of_a_range_too() -> None:
    with pytest.raises(ValidationError, match="from 0 to 1"):
        _Table.model_validate({"mass_kg": 1, "loss_share": "0.9 to 1.2"})


@given(low=st.floats(0.01, 100), first=st.floats(0, 50), second=st.floats(0, 50), positive=st.booleans())
def test_quantiles_of_a_spread_meet_its_ends_and_rise(low: float, first: float, second: float, positive: bool) -> None:
    item = Assumption(value=low + first, low=low, high=low + first + second, minimum=0.0 if positive else None)
    assert item.at_quantile(0.05) == pytest.approx(low, rel=1e-9)
    assert item.at_quantile(0.5) == pytest.approx(low + first, rel=1e-9)
    assert item.at_quantile(0.95) == pytest.approx(low + first + second, rel=1e-9)
    drawn = item.at_standard_normal(np.linspace(-4, 4, 50))
    assert np.all(np.diff(drawn) >= -1e-9)
    assert not positive or np.all(drawn >= 0)


def test_more_sources_raise_the_prior_and_never_to_certainty() -> None:
    priors = [prior_probability(EvidenceKind.UNNAMED_PRESS, count) for count in (1, 2, 3, 100)]
    assert priors[0] == EVIDENCE_RULES[EvidenceKind.UNNAMED_PRESS].probability
    assert priors == sorted(priors)
    assert priors[1] < priors[2] < 1


def test_a_filing_that_denies_three_unnamed_sources_lowers_what_they_carry_and_widens_their_numbers() -> None:
    rumour = _entry("unnamed press sources", sources_count=3)
    denial = _entry("company filing", denies=["rumour"])
    before = standings({"rumour": rumour})["rumour"]
    after = standings({"rumour": rumour, "denial": denial})["rumour"]
    odds = before.probability / (1 - before.probability) / EVIDENCE_RULES[EvidenceKind.COMPANY_FILING].denial_ratio
    assert after.probability == pytest.approx(odds / (1 + odds))
    assert after.half_width_share == PLACEHOLDER_WIDTH > before.half_width_share


def test_support_raises_and_a_denied_denial_gives_back() -> None:
    claim = _entry("analyst")
    alone = standings({"claim": claim})["claim"].probability
    supported = standings({"claim": claim, "more": _entry("measured", supports=["claim"])})["claim"]
    assert alone < supported.probability < 1
    assert supported.half_width_share < EVIDENCE_RULES[EvidenceKind.ANALYST].half_width_share
    denied = {"claim": claim, "no": _entry("named press source", denies=["claim"])}
    doubted = {**denied, "lie": _entry("measured", denies=["no"])}
    assert standings(denied)["claim"].probability < standings(doubted)["claim"].probability < alone


def test_links_to_unknown_entries_to_itself_and_in_a_circle_are_told() -> None:
    register = {
        "a": _entry(supports=["b", "a"]),
        "b": _entry(denies=["c"]),
        "c": _entry(supports=["a", "nobody"]),
    }
    told = [str(problem) for problem in link_problems(register, "programme.toml")]
    assert any("nobody" in text for text in told)
    assert any("another entry than the entry itself" in text for text in told)
    assert any("without a circle" in text for text in told)


def test_each_kind_has_a_rule_and_weaker_kinds_are_never_narrower_than_a_measurement() -> None:
    assert set(EVIDENCE_RULES) == set(EvidenceKind)
    measured = EVIDENCE_RULES[EvidenceKind.MEASURED]
    assert all(rule.half_width_share >= measured.half_width_share for rule in EVIDENCE_RULES.values())
    assert all(rule.probability <= measured.probability for rule in EVIDENCE_RULES.values())


@given(value=st.floats(0, 1), width=st.floats(0.01, 2))
def test_a_spread_stays_within_the_limits_and_holds_the_value(value: float, width: float) -> None:
    low, high = spread(value, width, 0.0, 1.0)
    assert 0 <= low <= value <= high <= 1
