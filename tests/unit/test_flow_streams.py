"""Random streams and the times drawn from them, against SciPy's distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from coachbuilder.plant.flow.engine.network import TimeRows, key_of
from coachbuilder.plant.flow.plant import Time, TimeKind
from coachbuilder.plant.flow.streams import kernels as streams
from coachbuilder.plant.flow.streams.tables import OCTAVES, PARTS, quantiles

VARYING = [
    Time.exponential(1.0),
    *(make(1.0, cv) for make in (Time.gamma, Time.lognormal) for cv in (0.02, 0.3, 1.0, 2.5)),
]
"""Times with mean 1."""


def draws(time: Time, number: int, *, seed: int = 1) -> NDArray[np.float64]:
    rows = TimeRows()
    row = rows.row(time)
    times, values_s = rows.arrays()
    base = np.uint64(streams.stream(np.uint64(key_of(seed, "weld.1")), streams.SERVICE, 0))
    return np.array([streams.draw(times, values_s, row, base, count) for count in range(number)])


def distribution(time: Time) -> stats.rv_continuous:
    if time.kind is TimeKind.EXPONENTIAL:
        return stats.expon()
    if time.kind is TimeKind.GAMMA:
        return stats.gamma(1.0 / time.cv**2, scale=time.cv**2)
    deviation = math.sqrt(math.log1p(time.cv**2))
    return stats.lognorm(deviation, scale=math.exp(-0.5 * deviation**2))


@pytest.mark.parametrize("time", VARYING, ids=str)
def test_draws_have_their_distribution(time: Time) -> None:
    assert stats.kstest(draws(time, 20_000), distribution(time).cdf).pvalue > 1e-3


@pytest.mark.parametrize("time", VARYING[1:], ids=str)
def test_tables_are_quantiles_to_two_millionths_and_rise(time: Time) -> None:
    """In the middle of the parts, where the error is largest, from one in a million to its opposite."""
    below, above = quantiles(time.kind, time.cv)
    chances = np.exp2(np.repeat(np.arange(-OCTAVES - 1, -1), PARTS)) * (
        1.0 + (np.tile(np.arange(PARTS), OCTAVES) + 0.5) / PARTS
    )
    middle = np.array([1.0, 0.5, 0.25, 0.125])
    usual = chances > 1e-6
    expected = distribution(time)
    np.testing.assert_allclose((below @ middle)[usual], expected.ppf(chances[usual]), rtol=2e-6)
    np.testing.assert_allclose((above @ middle)[usual], expected.isf(chances[usual]), rtol=2e-6)
    if time.cv <= 1.0:
        np.testing.assert_allclose((below @ middle)[usual], expected.ppf(chances[usual]), rtol=2e-8)
    steps = np.linspace(0.0, 1.0, 9)[:, np.newaxis] ** np.arange(4)
    # But for rounding where parts meet.
    assert np.diff((below @ steps.T).ravel()).min() >= -1e-15
    assert np.diff((above @ steps.T).ravel()).max() <= 1e-15 * above.max()
    assert below[-1].sum() == pytest.approx(above[-1].sum(), rel=1e-12)


def test_a_longer_draw_of_one_spread_is_a_longer_draw_of_another() -> None:
    """One uniform number a draw, used in one direction."""
    one = draws(Time.gamma(60.0, 0.1), 2_000)
    for other in (Time.gamma(60.0, 1.5), Time.lognormal(20.0, 0.4), Time.exponential(5.0)):
        np.testing.assert_array_equal(np.argsort(one), np.argsort(draws(other, 2_000)))


def test_draws_of_different_streams_are_independent() -> None:
    one, other = (draws(Time.exponential(1.0), 20_000, seed=seed) for seed in (1, 2))
    assert abs(np.corrcoef(one, other)[0, 1]) < 4.0 / math.sqrt(20_000)
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 4.0 / math.sqrt(20_000)
