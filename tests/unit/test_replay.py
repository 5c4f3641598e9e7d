"""The replay: no hindsight before its date, plans made once for each set of numbers, scores in closed form."""

from __future__ import annotations

import datetime as dt
import math
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from coachbuilder.programme import InputError, Programme, load
from coachbuilder.risk.claims import ClaimDraws
from coachbuilder.risk.replay import ClaimPoint, ReplayResult, Valuation, brier_and_log, fingerprint, replay

PRICE = "market.demand.guest_price_cny"
MARCH_26, MARCH_29, MARCH_30 = (dt.date(2021, 3, day) for day in (26, 29, 30))


def _valuation() -> tuple[Valuation, list[Programme], list[Programme]]:
    """Return a stand-in for plans and draws, whose values depend on the price, and what it was asked for."""
    planned: list[Programme] = []
    drawn: list[Programme] = []

    def plan(programme: Programme) -> Any:
        planned.append(programme)
        return SimpleNamespace(programme=programme)

    def draw(base: Any, programme: Programme, count: int) -> ClaimDraws:
        drawn.append(programme)
        z = np.random.default_rng(1).normal(size=(count, 1))
        price = base.programme.assumptions[PRICE].value
        value = 1e5 * (price - 1.6e5) + 1e9 * z[:, 0]
        return ClaimDraws((PRICE,), z, value, value / 10, value - 1e9)

    return Valuation(64, plan, draw), planned, drawn


@pytest.fixture(scope="module")
def case(example_folder: Path) -> ReplayResult:
    return replay(example_folder, valuation=_valuation()[0])


def _changed(example_folder: Path, folder: Path, *changes: tuple[str, str]) -> Path:
    """Copy the example with each pattern, which must occur, replaced."""
    shutil.copytree(example_folder, folder, ignore=shutil.ignore_patterns("out"))
    file = folder / "programme.toml"
    text = file.read_text(encoding="utf-8")
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE | re.DOTALL)
        assert count, pattern
    file.write_text(text, encoding="utf-8")
    return folder


def test_the_steps_are_the_days_on_which_the_register_changed_up_to_the_outcome(case: ReplayResult) -> None:
    days = [step.date for step in case.steps]
    assert days[:3] == [MARCH_26, MARCH_29, MARCH_30]
    assert days[-1] == dt.date(2024, 3, 28)
    assert days == sorted(set(days))
    assert [entry.evidence for entry in case.steps[1].entries] == ["host-denial"]
    assert (case.plans, case.first_date) == (1, MARCH_26)


def test_each_step_says_what_a_load_on_its_day_says(case: ReplayResult, example_folder: Path) -> None:
    for step in case.steps[:4]:
        assert step.probability == load(example_folder, as_of=step.date).partnership_probability
    falling = [step.probability for step in case.steps]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] > 0.4 > 0.1 > falling[1]


def test_a_day_on_which_only_probabilities_change_keeps_its_plan(example_folder: Path) -> None:
    valuation, planned, drawn = _valuation()
    result = replay(example_folder, last_date=dt.date(2021, 5, 25), valuation=valuation)
    assert len(planned) == 1
    assert len({fingerprint(item, with_ranges=True) for item in drawn}) == len(drawn)
    assert len(drawn) < len(result.steps)
    assert {step.plan_date for step in result.steps} == {MARCH_26}
    for step in result.steps:
        brand = step.sides[0]
        assert brand.expected_cny == pytest.approx(step.probability * brand.npv_mean_cny, rel=1e-12)
        assert brand.expected_p10_cny <= brand.expected_cny <= brand.expected_p90_cny


def test_a_number_with_a_later_version_makes_a_new_plan_from_its_day_on(example_folder: Path, tmp_path: Path) -> None:
    later = '[{ value = 149_900, evidence = "press-mass-market" }, { value = 170_000, evidence = "own-car-company" }]'
    folder = _changed(example_folder, tmp_path / "case", (r"^guest_price_cny = .*?$", f"guest_price_cny = {later}"))
    valuation, planned, _ = _valuation()
    result = replay(folder, last_date=MARCH_30, valuation=valuation)
    assert [item.as_of for item in planned] == [MARCH_26, MARCH_30]
    assert [step.plan_date for step in result.steps] == [MARCH_26, MARCH_26, MARCH_30]
    assert result.steps[2].sides[0].npv_mean_cny > result.steps[1].sides[0].npv_mean_cny


def test_hindsight_never_reaches_an_earlier_day(case: ReplayResult, example_folder: Path, tmp_path: Path) -> None:
    turned = _changed(
        example_folder,
        tmp_path / "turned",
        (r"happened = false\ndate = 2024-03-28", "happened = true\ndate = 2024-03-28"),
        (r'^denies = \["press-partnership", "press-first-car-2023"\]', 'supports = ["press-partnership"]'),
    )
    other = replay(turned, valuation=_valuation()[0])
    before = [step for step in case.steps if step.date < dt.date(2021, 11, 27)]
    assert other.steps[: len(before)] == tuple(before)
    assert other.steps[-1].probability > case.steps[-1].probability
    assert other.brier is not None
    assert case.brier is not None
    assert other.brier > case.brier


def test_the_plan_of_the_day_of_the_report_does_not_see_what_came_later(example_folder: Path, tmp_path: Path) -> None:
    first = load(example_folder)
    stripped = _changed(
        example_folder,
        tmp_path / "stripped",
        (r"^# What came later: .*?(?=^# -----)", ""),
        (r"^# -----[^\n]*what became of the claims.*", ""),
    )
    other = load(stripped)
    assert len(first.hidden_evidence) > len(other.hidden_evidence)
    assert first.assumptions == other.assumptions
    assert dict(first.standings) == dict(other.standings)
    assert dict(first.evidence) == dict(other.evidence)
    assert not {"first-car-on-sale", "own-plant-beijing"} & set(first.evidence)


def test_scores_meet_their_closed_form() -> None:
    day = dt.date(2021, 1, 1)
    points = [ClaimPoint(day, 0.4, ()), ClaimPoint(day + dt.timedelta(3), 0.1, ())]
    brier, log = brier_and_log(points, day + dt.timedelta(4), happened=False)
    assert brier == pytest.approx((3 * 0.16 + 0.01) / 4, abs=1e-12)
    assert log == pytest.approx(-(3 * math.log(0.6) + math.log(0.9)) / 4, abs=1e-12)
    brier, log = brier_and_log(points, day + dt.timedelta(4), happened=True)
    assert brier == pytest.approx((3 * 0.36 + 0.81) / 4, abs=1e-12)
    assert log == pytest.approx(-(3 * math.log(0.4) + math.log(0.1)) / 4, abs=1e-12)


def test_updating_beats_keeping_the_first_belief_on_the_case(case: ReplayResult) -> None:
    partnership = case.claims[0]
    assert (partnership.claim, partnership.happened) == ("press-partnership", False)
    assert partnership.brier is not None
    assert partnership.brier_unmoved is not None
    assert partnership.brier < partnership.brier_unmoved
    assert all(point.date < dt.date(2024, 3, 28) for point in partnership.points)
    assert {item.claim for item in case.claims} == {"press-partnership", "press-news-next-week", "own-car-company"}


def test_before_an_outcome_is_known_nothing_is_scored(example_folder: Path) -> None:
    early = replay(example_folder, last_date=MARCH_30, valuation=_valuation()[0])
    assert [item.claim for item in early.claims] == ["press-partnership"]
    assert (early.claims[0].happened, early.claims[0].brier, early.brier) == (None, None, None)


@pytest.mark.parametrize(
    ("pattern", "new", "told"),
    [
        (r'^claim = "press-news-next-week"$', 'claim = "press-news"', "outcome.2.claim"),
        (r'^evidence = "first-car-on-sale"$', 'evidence = "first-car"', "outcome.1.evidence"),
        (r"^date = 2021-04-05$", "date = 2021-03-26", "outcome.2.date"),
        (r'^evidence = "own-company-registered"$', 'evidence = "own-plant-beijing"', "outcome.3.evidence"),
        (r'^claim = "own-car-company"$', 'claim = "press-partnership"', "outcome.3.claim"),
    ],
)
def test_a_wrong_outcome_is_told_with_its_place(
    example_folder: Path, tmp_path: Path, pattern: str, new: str, told: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(_changed(example_folder, tmp_path / "wrong", (pattern, new)))
    assert told in [problem.field for problem in caught.value.problems]


def test_a_range_that_ends_before_the_claim_is_refused(example_folder: Path) -> None:
    with pytest.raises(InputError, match="--to"):
        replay(example_folder, last_date=dt.date(2021, 3, 1), valuation=_valuation()[0])
