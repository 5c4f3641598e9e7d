"""Shares of the variance, against functions whose shares are known and against scipy's estimators."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import qmc, sobol_indices, uniform

from coachbuilder.risk.sensitivity import additive_answer, design, first_order, groups_by, indices

F8 = NDArray[np.float64]
A, B = 7.0, 0.1


def ishigami(z: F8) -> F8:
    """Ishigami and Homma (1990): three numbers evenly spread from -pi to pi."""
    x = np.pi * (2.0 * ndtr(z) - 1.0)
    result: F8 = np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0])
    return result


PART_1 = 0.5 * (1.0 + B * np.pi**4 / 5.0) ** 2
PART_2 = A**2 / 8.0
PART_13 = B**2 * np.pi**8 * (1.0 / 18.0 - 1.0 / 50.0)
VARIANCE = PART_1 + PART_2 + PART_13
FIRST = np.array([PART_1, PART_2, 0.0]) / VARIANCE
TOTAL = np.array([PART_1 + PART_13, PART_2, PART_13]) / VARIANCE

WEIGHTS = np.array([1.0, 2.0, 3.0, 4.0, 0.0])


def linear(z: F8) -> F8:
    """Shares are the squared weights over their sum."""
    result: F8 = z @ WEIGHTS
    return result


def shares_of(function: Callable[[F8], F8], groups: list[list[int]], rows: int) -> tuple[F8, F8]:
    count = max(max(group) for group in groups) + 1
    made = design(count, groups, rows, seed=7)
    names = [str(group) for group in groups]
    found = indices(function(made.z), made.rows, names, [[name] for name in names])
    return np.array([item.first.share for item in found]), np.array([item.total.share for item in found])


def test_ishigami_to_two_hundredths() -> None:
    first, total = shares_of(ishigami, [[0], [1], [2]], 8192)
    assert first == pytest.approx(FIRST, abs=0.02)
    assert total == pytest.approx(TOTAL, abs=0.02)


def test_a_linear_answer_to_two_hundredths() -> None:
    known = WEIGHTS**2 / (WEIGHTS**2).sum()
    first, total = shares_of(linear, [[number] for number in range(5)], 4096)
    assert first == pytest.approx(known, abs=0.02)
    assert total == pytest.approx(known, abs=0.02)


def test_a_group_has_what_its_members_do_together() -> None:
    first, total = shares_of(ishigami, [[0, 2], [1], [0, 1, 2]], 8192)
    assert first == pytest.approx([1.0 - FIRST[1], FIRST[1], 1.0], abs=0.02)
    assert total == pytest.approx([1.0 - FIRST[1], FIRST[1], 1.0], abs=0.02)


def test_the_estimators_are_those_of_scipy() -> None:
    made = design(3, [[0], [1], [2]], 1024, seed=3)
    outcome = ishigami(made.z)
    table = outcome.reshape(5, 1024)
    own = indices(outcome, 1024, ["1", "2", "3"], [["1"], ["2"], ["3"]])
    func = {"f_A": table[:1], "f_B": table[1:2], "f_AB": table[2:][:, None, :]}
    other = sobol_indices(func=func, n=1024, dists=[uniform()] * 3)
    assert [item.first.share for item in own] == pytest.approx(other.first_order.ravel(), abs=1e-9)
    assert [item.total.share for item in own] == pytest.approx(other.total_order.ravel(), abs=1e-9)


def test_intervals_hold_the_known_shares_about_as_often_as_they_say() -> None:
    held = []
    for seed in range(40):
        made = design(5, [[number] for number in range(5)], 256, seed)
        rng = np.random.default_rng(seed)
        # Independent points: a Sobol' sequence is better than its bootstrap knows.
        a, b = rng.normal(size=(2, 256, 5))
        mixed = [np.where(np.arange(5) == number, b, a) for number in range(5)]
        found = indices(linear(np.concatenate([a, b, *mixed])), made.rows, list("abcde"), [[name] for name in "abcde"])
        known = WEIGHTS**2 / (WEIGHTS**2).sum()
        held += [item.total.low <= share <= item.total.high for item, share in zip(found[:4], known, strict=False)]
    assert 0.88 <= np.mean(held) <= 0.995


def test_rows_without_an_outcome_are_left_out_of_all_matrices() -> None:
    made = design(5, [[number] for number in range(5)], 4096, seed=1)
    outcome = linear(made.z)
    outcome[::500] = np.nan
    found = indices(outcome, made.rows, list("abcde"), [[name] for name in "abcde"])
    known = WEIGHTS**2 / (WEIGHTS**2).sum()
    assert [item.first.share for item in found] == pytest.approx(known, abs=0.03)


def test_an_answer_that_is_known_beside_makes_the_shares_surer_and_leaves_them_where_they_are() -> None:
    groups = [[0], [1], [2], [0, 1]]
    names = [str(group) for group in groups]
    rng = np.random.default_rng(3)
    z = rng.normal(size=(400, 3))

    def answer(z: F8) -> F8:
        """Shares in closed form: a line, a line with a bend, and a product, which no sum is like."""
        result: F8 = 3.0 * z[:, 0] + 2.0 * z[:, 1] + 0.5 * (z[:, 1] ** 2 - 1.0) + 0.3 * z[:, 0] * z[:, 2]
        return result

    variance = 9.0 + 4.5 + 0.09
    first = np.array([9.0, 4.5, 0.0, 13.5]) / variance
    total = np.array([9.09, 4.5, 0.09, 13.59]) / variance
    like = additive_answer(z, answer(z))
    off: dict[bool, list[F8]] = {True: [], False: []}
    for seed in range(30):
        made = design(3, groups, 64, seed)
        for is_beside in (True, False):
            beside = like.on(made) if is_beside else None
            found = indices(answer(made.z), made.rows, names, [[name] for name in names], beside=beside)
            shares = np.array([[item.first.share for item in found], [item.total.share for item in found]])
            off[is_beside].append(shares - [first, total])
    with_it, without = (np.array(off[is_beside]) for is_beside in (True, False))
    error = with_it.std(axis=0) / np.sqrt(len(with_it))
    assert (np.abs(with_it.mean(axis=0)) < 4.0 * error + 0.003).all()
    assert np.sqrt((with_it**2).mean()) < 0.5 * np.sqrt((without**2).mean())


def test_a_sum_lets_in_the_terms_that_count_and_no_others() -> None:
    z = np.random.default_rng(8).normal(size=(200, 60))
    found = additive_answer(z, 5.0 * z[:, 3] + z[:, 7] + 0.5 * (z[:, 9] ** 2 - 1.0))
    assert found.line[[3, 7]] == pytest.approx([5.0, 1.0], rel=1e-9)
    assert found.parabola[9] == pytest.approx(np.sqrt(0.5), rel=1e-9)
    assert np.count_nonzero(np.abs(found.line) > 1e-9) + np.count_nonzero(np.abs(found.parabola) > 1e-9) == 3


@pytest.mark.parametrize("count", [4000, 10_000])
def test_first_order_shares_from_given_draws(count: int) -> None:
    z = ndtri(qmc.LatinHypercube(d=5, rng=np.random.default_rng(5)).random(count))
    known = WEIGHTS**2 / (WEIGHTS**2).sum()
    assert [item.share for item in first_order(z, linear(z))] == pytest.approx(known, abs=0.02)
    assert [item.share for item in first_order(z[:, :3], ishigami(z))] == pytest.approx(FIRST, abs=0.02)


def test_chance_gives_no_share_on_average() -> None:
    rng = np.random.default_rng(11)
    found = first_order(rng.normal(size=(500, 60)), rng.normal(size=500))
    assert np.mean([item.share for item in found]) == pytest.approx(0.0, abs=0.004)
    assert np.mean([item.low <= 0.0 <= item.high for item in found]) > 0.7


def test_an_answer_that_never_varies_has_no_shares() -> None:
    assert indices(np.zeros(3 * 64), 64, ["a"], [["a"]]) == ()
    assert first_order(np.random.default_rng(1).normal(size=(64, 2)), np.ones(64))[0].share == 0.0


def test_groups_keep_the_order_of_their_paths() -> None:
    assert groups_by({"a": "x", "b": "y", "c": "x"}, ["b", "a", "c"]) == {"y": ("b",), "x": ("a", "c")}
