"""Draws, rankings and their independence of workers and interruptions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coachbuilder.plan import Plan
from coachbuilder.report import dumps
from coachbuilder.risk import assess
from coachbuilder.risk import evaluate as risk_evaluate
from coachbuilder.risk.draws import draw
from coachbuilder.risk.runner import CHUNK


@pytest.fixture(scope="module")
def base(example_plan: Plan) -> Plan:
    return example_plan


def test_draws_hit_each_slice_of_each_spread_once(base: Plan) -> None:
    from scipy.special import ndtr

    drawn = draw(base.programme, 64, seed=3)
    slices = np.floor(ndtr(drawn.z) * 64).astype(int)
    assert all(sorted(column) == list(range(64)) for column in slices.T)
    assert np.array_equal(drawn.values, draw(base.programme, 64, seed=3).values)
    assert not np.array_equal(drawn.values, draw(base.programme, 64, seed=4).values)


def test_a_tenth_of_the_draws_lies_beyond_each_end_of_a_range(base: Plan) -> None:
    drawn = draw(base.programme, 1000, seed=1)
    for column, path in enumerate(drawn.paths):
        item = base.programme.assumptions[path]
        assert item.low is not None and item.high is not None
        at_limit = item.low in (item.minimum, item.value) or item.high in (item.maximum, item.value)
        within = np.mean((drawn.values[:, column] >= item.low) & (drawn.values[:, column] <= item.high))
        assert within == pytest.approx(0.9, abs=0.011) or (at_limit and within > 0.9), path


def test_the_answer_does_not_depend_on_the_number_of_workers(base: Plan) -> None:
    assert dumps(assess(base, draws=60, workers=1)) == dumps(assess(base, draws=60, workers=2))


def test_a_stopped_run_goes_on_and_gives_the_same_answer(base: Plan, tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    calls = []

    def stop_later(done: int, all_of_them: int) -> None:
        calls.append(done)
        if done >= 2 * CHUNK:
            raise StopError

    with pytest.raises(StopError):
        assess(base, draws=120, progress=stop_later, checkpoint_folder=tmp_path)
    kept = list(tmp_path.rglob("*.npy"))
    assert len(kept) == 2
    resumed: list[int] = []
    again = assess(base, draws=120, progress=lambda done, _: resumed.append(done), checkpoint_folder=tmp_path)
    assert resumed[0] == 2 * CHUNK
    assert dumps(again) == dumps(assess(base, draws=120))
    assert not list(tmp_path.iterdir())


def test_every_claim_that_a_number_names_is_ranked_and_the_switch_comes_first(base: Plan) -> None:
    result = assess(base, draws=20)
    named = {name for name, paths in base.programme.assumptions_by_evidence.items() if name in base.programme.evidence}
    assert {item.evidence for item in result.evidence} == named | {base.programme.document.programme.rests_on}
    assert result.evidence[0].is_switch
    assert result.evidence[0].joint_npv_if_false_cny == 0


def test_a_false_claim_never_helps_the_side_that_is_asked(base: Plan) -> None:
    result = assess(base, draws=20)
    for item in result.evidence[1:]:
        assert item.joint_npv_if_false_cny <= base.deal.joint.npv_cny + 0.02 * abs(base.deal.joint.npv_cny), (
            item.evidence
        )


def test_variance_shares_find_the_weights_of_a_linear_answer(base: Plan) -> None:
    drawn = draw(base.programme, 4000, seed=5)
    outcome = 3 * drawn.z[:, 0] + 4 * drawn.z[:, 1]
    shares = risk_evaluate._variance_shares(drawn, outcome)
    assert shares[drawn.paths[0]] == pytest.approx(9 / 25, abs=0.02)
    assert shares[drawn.paths[1]] == pytest.approx(16 / 25, abs=0.02)
    assert shares[drawn.paths[2]] == pytest.approx(0, abs=0.01)


def test_fewer_than_two_draws_are_refused(base: Plan) -> None:
    with pytest.raises(ValueError, match="2 or more"):
        assess(base, draws=1)
