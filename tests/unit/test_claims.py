"""The value of information against textbook cases, and mixtures over switches against their closed forms."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm, qmc

from coachbuilder.plan import Plan
from coachbuilder.programme import InputError, Programme, load
from coachbuilder.programme.evidence import Evidence, standings
from coachbuilder.programme.sections.common import Otherwise
from coachbuilder.report.page import report_html
from coachbuilder.risk import RiskResult
from coachbuilder.risk.claims import (
    ClaimDraws,
    mixture_quantiles,
    normal_information,
    partial_information,
    partial_information_error,
    two_point_information,
    value_claims,
)

VALUES = st.floats(-1e3, 1e3)


def test_the_textbook_oil_wildcatter_pays_the_value_of_perfect_information() -> None:
    # Raiffa, Decision Analysis (1968), chapter 3: drill or not; dry -70, wet 50, soaking 200 thousand dollars at 0.5,
    # 0.3, 0.2. Expected 20, informed 55. Wet and soaking together are the one point of the claim that there is oil.
    oil = (0.3 * 50 + 0.2 * 200) / 0.5
    assert two_point_information([oil, 0.0], [-70.0, 0.0], 0.5) == pytest.approx(55 - 20, abs=1e-9)


@given(a=VALUES, b=VALUES, c=VALUES, d=VALUES, chance=st.floats(0, 1))
def test_two_point_information_is_never_negative_nor_more_than_the_larger_regret(
    a: float, b: float, c: float, d: float, chance: float
) -> None:
    worth = two_point_information([a, b], [c, d], chance)
    assert 0 <= worth <= max(abs(a - b), abs(c - d)) + 1e-9
    if (a - b) * (c - d) >= 0:
        assert worth == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (-1.5, 2.0), (3.0, 2.0)])
def test_normal_information_is_the_unit_normal_loss(mean: float, sd: float) -> None:
    loss, _ = quad(lambda x: max(x, 0.0) * norm.pdf(x, mean, sd), mean - 12 * sd, mean + 12 * sd, points=[0.0])
    assert normal_information(mean, sd) == pytest.approx(loss - max(mean, 0.0), abs=1e-9)


@pytest.mark.parametrize("mean", [0.0, -2.0, 1.0])
def test_partial_information_of_a_linear_gain_meets_its_closed_form(mean: float) -> None:
    z = norm.ppf(qmc.LatinHypercube(d=4, rng=np.random.default_rng(2)).random(40_000))
    gain = mean + z @ np.array([2.0, 1.0, 3.0, 0.0])
    values = np.column_stack([gain, np.zeros(len(gain))])
    for inputs, sd in (([0], 2.0), ([0, 1], np.sqrt(5.0)), ([0, 1, 2], np.sqrt(14.0)), ([3], 0.0)):
        assert partial_information(values, z[:, inputs]) == pytest.approx(normal_information(mean, sd), abs=0.03)


@pytest.mark.parametrize(("mean", "slope", "noise"), [(-1.0, 2.0, 3.0), (0.5, 1.0, 1.0), (0.0, 2.0, 0.0)])
def test_the_error_told_of_a_worth_is_that_by_which_it_misses_its_closed_form(
    mean: float, slope: float, noise: float
) -> None:
    exact = normal_information(mean, slope)
    misses = []
    told = []
    for seed in range(200):
        z = np.random.default_rng(seed).normal(size=(500, 2))
        gain = mean + slope * z[:, 0] + noise * z[:, 1]
        values = np.column_stack([gain, np.zeros(len(gain))])
        misses.append(partial_information(values, z[:, [0]]) - exact)
        told.append(partial_information_error(values, z[:, [0]]))
    missed = np.sqrt(np.mean(np.square(misses)))
    assert np.mean(told) == pytest.approx(missed, rel=0.2)
    assert np.mean(np.abs(misses) < 2.0 * np.array(told)) > 0.9


def test_a_hundred_idle_inputs_are_worth_next_to_nothing() -> None:
    z = norm.ppf(qmc.LatinHypercube(d=101, rng=np.random.default_rng(4)).random(400))
    values = np.column_stack([z[:, 0], np.zeros(len(z))])
    assert partial_information(values, z[:, 1:]) < 0.05 * partial_information(values, z[:, [0]])


def test_partial_information_sees_a_gain_that_is_large_at_both_ends() -> None:
    z = norm.ppf(qmc.LatinHypercube(d=2, rng=np.random.default_rng(3)).random(4000))
    values = np.column_stack([z[:, 0] ** 2 - 1, np.zeros(len(z))])
    exact = 2 * norm.pdf(1)  # E[max(z^2 - 1, 0)] = 2 phi(1)
    assert partial_information(values, z[:, [0]]) == pytest.approx(exact, abs=0.02)
    assert partial_information(values, z[:, [1]]) == pytest.approx(0, abs=0.02)


@given(weight=st.floats(0.05, 0.95), seed=st.integers(0, 50))
def test_mixture_quantiles_split_the_weight(weight: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    parts = [generator.normal(size=40), generator.normal(2, 3, size=25)]
    for share in (0.1, 0.5, 0.9):
        (found,) = mixture_quantiles(parts, [weight, 1 - weight], [share])

        def below(x: float, strictly: bool) -> float:
            return sum(
                w * float(np.mean(part < x if strictly else part <= x))
                for w, part in zip([weight, 1 - weight], parts, strict=True)
            )

        assert below(found, False) >= share - 1e-9
        assert below(found, True) <= share + 1e-9


@dataclass(frozen=True)
class _Case:
    """As much of a programme as the value of its claims asks for."""

    document: Any
    evidence: dict[str, Evidence]
    assumptions_by_evidence: dict[str, tuple[str, ...]]

    @property
    def standings(self) -> Any:
        return standings(self.evidence)


def _case(switches: tuple[str, ...] = ("deal",), otherwise: Otherwise = Otherwise.NOTHING) -> _Case:
    def entry(kind: str, day: int) -> Evidence:
        date = dt.date(2021, 1, day)
        return Evidence.model_validate({"kind": kind, "claim": "c", "source": "s", "date": date})

    return _Case(
        SimpleNamespace(programme=SimpleNamespace(switches=switches, otherwise=otherwise)),
        {
            "deal": entry("unnamed press sources", 1),
            "listing": entry("analyst", 2),
            "price": entry("judgement", 3),
            "wage": entry("judgement", 4),
        },
        {"price": ("price_cny",), "wage": ("wage_cny",)},
    )


def _draws(contract: float, own: float, host: float = 0.0, count: int = 2000) -> ClaimDraws:
    z = norm.ppf(qmc.LatinHypercube(d=2, rng=np.random.default_rng(1)).random(count))
    swing = 3.0 * z[:, 0] + 0.5 * z[:, 1]
    swing -= swing.mean()
    return ClaimDraws(("price_cny", "wage_cny"), z, contract + swing, host + 0 * swing, own + 0 * swing)


def test_a_switch_is_worth_what_the_two_point_form_says_and_the_mixture_weighs_both_cases() -> None:
    result = value_claims(_case(otherwise=Otherwise.OWN_PLANT), _draws(8.0, -2.0))
    chance = 1 / 3
    brand = result.decisions[0]
    assert result.probability == pytest.approx(chance)
    assert brand.mixture_expected_cny == pytest.approx(chance * 8 - (1 - chance) * 2, abs=1e-9)
    assert brand.best == "contract"
    deal = next(item for item in result.claims if item.evidence == "deal")
    assert deal.brand_value_cny == pytest.approx(
        two_point_information([8.0, -2.0, 0.0], [-2.0, -2.0, 0.0], chance), abs=1e-9
    )
    assert brand.mixture_p10_cny == pytest.approx(-2.0)
    assert result.next_question is not None
    assert result.next_question.evidence == "deal"


def test_a_switch_that_costs_nothing_when_off_is_worth_nothing_and_the_price_is_asked_first() -> None:
    result = value_claims(_case(), _draws(-1.0, -5.0))
    by_name = {item.evidence: item for item in result.claims}
    assert by_name["deal"].joint_value_cny == pytest.approx(0, abs=1e-9)
    assert result.decisions[0].best == "neither"
    assert result.next_question is not None
    assert result.next_question.evidence == "price"
    assert by_name["price"].joint_value_cny == pytest.approx(normal_information(-1 / 3, 1.0), abs=0.02)
    assert by_name["price"].joint_value_cny > by_name["wage"].joint_value_cny >= 0
    for item in result.claims:
        assert item.joint_value_cny <= result.decisions[2].perfect_information_cny + 0.02


def test_several_switches_multiply_and_each_is_asked_alone() -> None:
    both = value_claims(_case(("deal", "listing"), Otherwise.OWN_PLANT), _draws(8.0, -2.0))
    assert both.probability == pytest.approx(0.65 / 3)
    assert both.probability_least <= both.probability <= both.probability_most
    listing = next(item for item in both.claims if item.evidence == "listing")
    on = np.array([8 / 3 - 2 * 2 / 3, -2.0, 0.0])
    assert listing.brand_value_cny == pytest.approx(two_point_information(on, [-2.0, -2.0, 0.0], 0.65), abs=1e-9)


def test_the_host_decides_on_its_own_value_and_draws_without_a_plan_are_left_out() -> None:
    draws = _draws(-1.0, -5.0, host=2.0)
    result = value_claims(_case(), draws)
    assert (result.decisions[1].best, result.decisions[1].best_expected_cny) == ("contract", pytest.approx(2 / 3))
    broken = draws.brand_npv_cny.copy()
    broken[:10] = np.nan
    drawn = SimpleNamespace(paths=draws.paths, z=draws.z)
    kept = ClaimDraws.of(drawn, broken, draws.host_npv_cny, draws.own_plant_npv_cny)  # type: ignore[arg-type]
    assert len(kept.z) == len(kept.host_npv_cny) == len(draws.z) - 10
    assert value_claims(_case(), replace(kept)).decisions[0].best == "neither"


def test_a_programme_may_rest_on_several_claims_and_wrong_ones_are_told(example_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(example_folder, folder, ignore=shutil.ignore_patterns("out"))
    file = folder / "programme.toml"
    text = file.read_text(encoding="utf-8")

    def rests_on(names: str) -> Programme:
        file.write_text(text.replace('rests_on = "press-partnership"', f"rests_on = {names}"), encoding="utf-8")
        return load(folder)

    both = rests_on('["press-partnership", "listing-enjoined"]')
    assert both.document.programme.switches == ("press-partnership", "listing-enjoined")
    alone = rests_on('"press-partnership"').partnership_probability
    assert both.partnership_probability == pytest.approx(alone * 0.9)
    for names, told in (
        ('["press-partnership", "nobody"]', "nobody"),
        ('["host-denial"]', "host-denial"),
        ("[]", "[]"),
    ):
        with pytest.raises(InputError) as caught:
            rests_on(names)
        assert any("rests_on" in problem.field and told in problem.found for problem in caught.value.problems), names


def test_the_risk_stage_tells_the_mixture_and_the_questions(example_risk: RiskResult, example_plan: Plan) -> None:
    claims = example_risk.claims
    assert claims.probability == example_risk.partnership_probability
    assert example_risk.brand_expected_npv_cny == pytest.approx(claims.probability * example_risk.brand_npv_cny.mean())
    assert [item.side for item in claims.decisions] == ["brand", "host", "joint"]
    for item in claims.decisions:
        assert item.mixture_p10_cny <= item.mixture_p50_cny <= item.mixture_p90_cny
        assert item.perfect_information_cny >= 0
    keys = [(-item.joint_value_cny, -item.brand_value_cny, -item.joint_at_stake_cny) for item in claims.claims]
    assert keys == sorted(keys)
    (updates,) = claims.updates.values()
    assert updates[-1].after == example_plan.programme.partnership_probability
    page = report_html(
        example_plan, example_risk, {"started": "2026-01-01T00:00:00+00:00", "versions": {"coachbuilder": "test"}}
    )
    assert "What to find out first" in page
    assert claims.claims[0].claim in page
