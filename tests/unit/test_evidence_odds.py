"""From evidence to probability: closed forms, properties, and calibration in worlds whose truth is known."""

from __future__ import annotations

import datetime as dt
import math
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachbuilder.programme.evidence import (
    EVIDENCE_RULES,
    LARGEST_RATIO,
    Evidence,
    EvidenceKind,
    effective_sources,
    joined_weight,
    joint_probability,
    prior_probability,
    standings,
    updates_of,
)

RUMOUR = EVIDENCE_RULES[EvidenceKind.UNNAMED_PRESS]
FILING = EVIDENCE_RULES[EvidenceKind.COMPANY_FILING]
KINDS = st.sampled_from([kind.value for kind in EvidenceKind])


def _entry(kind: str = "unnamed press sources", **more: object) -> Evidence:
    return Evidence.model_validate({"kind": kind, "claim": "c", "source": "s", "date": "2021-01-01", **more})


def _odds(probability: float) -> float:
    return probability / (1 - probability)


def _claim_odds(register: dict[str, Evidence], **rho: float) -> float:
    return _odds(standings(register, **rho)["claim"].probability)


def test_one_source_gives_the_probability_of_its_kind() -> None:
    for kind, rule in EVIDENCE_RULES.items():
        alone = standings({"claim": _entry(kind.value)})["claim"]
        assert alone.probability == pytest.approx(rule.probability, abs=1e-12)


def test_a_rumour_from_one_source_comes_true_as_often_as_those_of_the_study() -> None:
    assert RUMOUR.probability == pytest.approx(167 / 501, abs=0.001)


def test_an_independent_second_source_multiplies_the_odds_by_its_likelihood_ratio() -> None:
    register = {"claim": _entry(), "second": _entry(supports=["claim"], origin="another")}
    assert _claim_odds(register) == pytest.approx(_odds(1 / 3) * 2.0, rel=1e-12)


def test_two_identical_sources_are_one() -> None:
    register = {"claim": _entry(origin="one"), "echo": _entry(supports=["claim"], origin="one")}
    assert _claim_odds(register, same_origin_rho=1.0) == pytest.approx(_odds(1 / 3), rel=1e-12)
    backed = {"claim": _entry(), "a": _entry("analyst", supports=["claim"], origin="x")}
    twice = {**backed, "b": _entry("analyst", supports=["claim"], origin="x")}
    assert _claim_odds(twice, same_origin_rho=1.0) == pytest.approx(_claim_odds(backed), rel=1e-12)
    assert _claim_odds(twice, same_origin_rho=0.0) == pytest.approx(_claim_odds(backed) * 0.65 / 0.35, rel=1e-12)


@pytest.mark.parametrize(("rho", "effective"), [(0.0, 3.0), (0.5, 1.5), (1.0, 1.0)])
def test_three_sources_of_one_report_count_by_their_dependence(rho: float, effective: float) -> None:
    assert effective_sources(3, rho) == pytest.approx(effective, rel=1e-12)
    odds = _odds(prior_probability(EvidenceKind.UNNAMED_PRESS, 3, rho))
    assert odds == pytest.approx(0.5 * 2 ** (effective - 1), rel=1e-12)


def test_support_and_denial_commute_and_cancel() -> None:
    support = _entry("named press source", supports=["claim"])
    denial = _entry("named press source", denies=["claim"], likelihood_ratio=4)
    first = {"claim": _entry(), "support": support, "denial": denial}
    other = {"denial": denial, "support": support, "claim": _entry()}
    assert standings(first) == standings(other)
    assert _claim_odds(first) == pytest.approx(_odds(1 / 3), rel=1e-12)


def test_a_filing_that_denies_three_unnamed_sources_leaves_seven_in_a_hundred() -> None:
    register = {"claim": _entry(sources_count=3), "denial": _entry("company filing", denies=["claim"])}
    odds = 0.5 * math.sqrt(2) / (0.9 / 0.1)
    assert standings(register)["claim"].probability == pytest.approx(odds / (1 + odds), rel=1e-12)


def test_a_discredited_backer_counts_for_nothing_and_not_for_the_opposite() -> None:
    register: dict[str, Evidence] = {"claim": _entry(), "denial": _entry("company filing", denies=["claim"])}
    for number in range(6):
        register[f"proof-{number}"] = _entry("measured", denies=["denial"])
    assert 1 - 1e-6 < _claim_odds(register) / _odds(1 / 3) <= 1


def test_what_an_entry_states_of_itself_replaces_its_kind() -> None:
    register = {"claim": _entry(), "jump": _entry("measured", supports=["claim"], likelihood_ratio=1.5)}
    assert _claim_odds(register) == pytest.approx(_odds(1 / 3) * 1.5, rel=1e-12)


@st.composite
def _registers(draw: st.DrawFn) -> dict[str, Evidence]:
    register = {"claim": _entry(draw(KINDS), sources_count=draw(st.integers(1, 9)), origin=draw(ORIGINS))}
    for number in range(draw(st.integers(0, 7))):
        target = draw(st.sampled_from(sorted(register)))
        link = draw(st.sampled_from(["supports", "denies"]))
        register[f"e{number}"] = _entry(
            draw(KINDS), origin=draw(ORIGINS), sources_count=draw(st.integers(1, 4)), **{link: [target]}
        )
    return register


ORIGINS = st.sampled_from(["", "a", "b"])


@given(register=_registers(), kind=KINDS, origin=ORIGINS, count=st.integers(1, 5))
def test_a_further_support_never_lowers_and_a_further_denial_never_raises(
    register: dict[str, Evidence], kind: str, origin: str, count: int
) -> None:
    before = standings(register)["claim"].probability
    for link, sign in (("supports", 1), ("denies", -1)):
        more = {**register, "more": _entry(kind, origin=origin, sources_count=count, **{link: ["claim"]})}
        assert sign * (standings(more)["claim"].probability - before) >= -1e-12


@given(register=_registers(), order=st.randoms(use_true_random=False))
def test_the_order_of_the_register_does_not_matter_and_nothing_is_certain(
    register: dict[str, Evidence], order: random.Random
) -> None:
    names = list(register)
    order.shuffle(names)
    found = standings({name: register[name] for name in names})
    for name, standing in standings(register).items():
        assert found[name].probability == pytest.approx(standing.probability, rel=1e-12)
        assert 0 < standing.probability < 1
        assert 0 < standing.half_width_share <= 0.5


@given(weights=st.lists(st.floats(0, 5), min_size=1, max_size=6), rho=st.floats(0, 1), further=st.floats(0, 5))
def test_joined_weights_lie_between_the_strongest_and_the_sum_and_never_fall(
    weights: list[float], rho: float, further: float
) -> None:
    joined = joined_weight(weights, rho)
    assert max(weights) - 1e-9 <= joined <= math.fsum(weights) + 1e-9
    assert joined_weight([*weights, further], rho) >= joined - 1e-9
    assert joined_weight(weights, 1.0) == pytest.approx(max(weights), rel=1e-12)
    assert joined_weight(weights, 0.0) == pytest.approx(math.fsum(weights), rel=1e-12)


def test_no_entry_moves_another_by_more_than_a_measurement() -> None:
    register = {"claim": _entry(), "backer": _entry("measured", sources_count=100, supports=["claim"])}
    assert _claim_odds(register) == pytest.approx(_odds(1 / 3) * LARGEST_RATIO, rel=1e-9)


def test_a_confirmed_backer_gets_back_what_a_denial_took_and_no_more() -> None:
    backed = {"claim": _entry(), "backer": _entry("analyst", supports=["claim"])}
    confirmed = {**backed, "yes": _entry("measured", supports=["backer"])}
    assert _claim_odds(confirmed) == _claim_odds(backed)
    doubted = {**backed, "no": _entry("named press source", denies=["backer"])}
    assert _claim_odds(doubted) < _claim_odds({**doubted, "yes": confirmed["yes"]}) == _claim_odds(backed)


def test_updates_tell_who_moved_a_claim_in_the_order_of_their_days() -> None:
    register = {
        "denial": _entry("company filing", denies=["claim"], date="2021-01-03"),
        "claim": _entry(sources_count=3),
        "lie": _entry("measured", denies=["denial"], date="2021-01-05"),
        "other": _entry("measured", date="2021-01-04"),
    }
    found = updates_of(register, "claim")
    assert [(item.date, item.evidence) for item in found] == [
        (dt.date(2021, 1, 1), "claim"),
        (dt.date(2021, 1, 3), "denial"),
        (dt.date(2021, 1, 5), "lie"),
    ]
    assert found[0].before is None
    assert all(later.before == earlier.after for earlier, later in pairwise(found))
    assert found[-1].after == standings(register)["claim"].probability


@given(probabilities=st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_a_joint_probability_lies_within_its_bounds(probabilities: list[float]) -> None:
    joint, least, most = joint_probability(probabilities)
    assert least - 1e-12 <= joint <= most + 1e-12


def _worlds(count: int, copies: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truths and what the register makes of them, discounted and in full.

    A rumour is true as often as its kind says. Two independent sources speak rightly with their own reliability; three
    more go back to one origin: each repeats what the origin knows with probability ``copies``, else knows by itself.
    """
    generator = np.random.default_rng(seed)
    truth = generator.random(count) < RUMOUR.probability
    kinds = [EvidenceKind.ANALYST, EvidenceKind.ANALOGY, *3 * [EvidenceKind.NAMED_PRESS]]
    reliability = np.array([EVIDENCE_RULES[kind].reliability for kind in kinds])
    right = generator.random((count, 5)) < reliability
    repeats = generator.random((count, 2)) < copies
    right[:, 3:] = np.where(repeats, right[:, [2]], right[:, 3:])
    says_true = np.where(truth[:, None], right, ~right)
    known: dict[bytes, tuple[float, float]] = {}
    told = np.empty((count, 2))
    for number, row in enumerate(says_true):
        key = row.tobytes()
        if key not in known:
            register = {"claim": _entry()}
            for source, (kind, speaks_for) in enumerate(zip(kinds, row, strict=True)):
                # The world's sources are as reliable in denial as in support: their ratio is stated.
                ratio = EVIDENCE_RULES[kind].support_ratio
                link = "supports" if speaks_for else "denies"
                origin = "shared" if source >= 2 else f"own-{source}"
                register[f"s{source}"] = _entry(kind.value, origin=origin, likelihood_ratio=ratio, **{link: ["claim"]})
            known[key] = (
                standings(register, same_origin_rho=copies)["claim"].probability,
                standings(register, same_origin_rho=0.0)["claim"].probability,
            )
        told[number] = known[key]
    return truth.astype(float), told[:, 0], told[:, 1]


def _calibration_error(truth: np.ndarray, told: np.ndarray) -> float:
    """Return the mean distance between what was told and what came true, over ten bins (reliability diagram)."""
    bins = np.minimum((told * 10).astype(int), 9)
    errors = [abs(truth[bins == b].mean() - told[bins == b].mean()) * np.mean(bins == b) for b in set(bins.tolist())]
    return float(np.sum(errors))


def test_with_independent_sources_what_is_told_at_a_probability_comes_true_that_often() -> None:
    truth, told, _ = _worlds(20_000, 0.0, seed=1)
    assert _calibration_error(truth, told) < 0.01
    assert np.mean((told - truth) ** 2) == pytest.approx(np.mean(told * (1 - told)), abs=0.005)


@pytest.mark.parametrize("copies", [0.5, 0.9])
def test_with_shared_origins_the_discount_keeps_it_calibrated_and_counting_in_full_does_not(copies: float) -> None:
    truth, discounted, in_full = _worlds(20_000, copies, seed=2)
    assert _calibration_error(truth, discounted) < 0.04
    assert _calibration_error(truth, in_full) > 2 * _calibration_error(truth, discounted)
    assert np.mean((discounted - truth) ** 2) < np.mean((in_full - truth) ** 2)
