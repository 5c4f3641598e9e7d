"""Options on demand: closed forms, the binomial lattice, the grid and least-squares Monte Carlo agree."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from coachbuilder.deal.real_option import (
    DemandProcess,
    FactorGrid,
    binomial,
    black_scholes,
    margrabe,
    stop_by_regression,
    stop_on_grid,
)

SPOT, STRIKE, RATE, YEARS = 36.0, 40.0, 0.06, 1.0
"""The first case of Longstaff and Schwartz (2001), table 1."""


def test_black_scholes_is_the_discounted_mean_of_the_payoff() -> None:
    def payoff(z: float) -> float:
        end = SPOT * math.exp((RATE - 0.03 - 0.5 * 0.3**2) * 2 + 0.3 * math.sqrt(2) * z)
        return max(end - STRIKE, 0.0) * norm.pdf(z)

    turn = (math.log(STRIKE / SPOT) - (RATE - 0.03 - 0.5 * 0.3**2) * 2) / (0.3 * math.sqrt(2))
    mean, _ = quad(payoff, turn, 40, epsabs=0, epsrel=1e-12, limit=200)
    call, put = black_scholes(SPOT, STRIKE, RATE, 0.3, 2.0, income_rate=0.03)
    assert call == pytest.approx(mean * math.exp(-2 * RATE), rel=1e-9)
    assert call - put == pytest.approx(SPOT * math.exp(-0.06) - STRIKE * math.exp(-2 * RATE), rel=1e-12)


@pytest.mark.parametrize(("volatility", "years", "european"), [(0.2, 1, 3.844), (0.4, 2, 7.700)])
def test_european_puts_are_the_published_ones(volatility: float, years: int, european: float) -> None:
    # Longstaff and Schwartz (2001), table 1, column of the closed form.
    assert round(black_scholes(SPOT, STRIKE, RATE, volatility, years)[1], 3) == european


def test_the_lattice_goes_to_black_scholes_and_an_american_call_without_income_is_a_european_one() -> None:
    call, put = black_scholes(SPOT, STRIKE, RATE, 0.3, YEARS)
    errors = []
    for steps in (100, 400, 1_600):
        european = binomial(SPOT, STRIKE, RATE, 0.3, YEARS, steps=steps, call=True, american=False)
        american = binomial(SPOT, STRIKE, RATE, 0.3, YEARS, steps=steps, call=True, american=True)
        assert american == pytest.approx(european, rel=1e-9)
        errors.append(abs(european - call))
    assert errors[-1] < 2e-3
    assert errors[-1] < errors[0] / 4
    assert binomial(SPOT, STRIKE, RATE, 0.3, YEARS, steps=1_600, call=False, american=False) == pytest.approx(
        put, abs=2e-3
    )


def test_an_american_put_is_the_published_one_on_the_lattice_and_on_paths() -> None:
    # Longstaff and Schwartz (2001), table 1: finite differences 4.478 for S = 36, sigma = 0.2, T = 1, 50 dates a year.
    lattice = binomial(SPOT, STRIKE, RATE, 0.2, YEARS, steps=1_000, call=False, american=True)
    assert lattice == pytest.approx(4.478, abs=0.01)
    dates = np.arange(1, 51) / 50
    log = DemandProcess(0.2, 0.0).paths(dates, 60_000, seed=3)
    prices = SPOT * log * np.exp(RATE * dates)[:, None]
    reward = np.exp(-RATE * dates)[:, None] * np.maximum(STRIKE - prices, 0.0)
    found = stop_by_regression(prices, reward, known=True)
    assert found.error < 0.02
    # A rule found by regression is a little worse than the best one, never better but for sampling.
    assert found.value == pytest.approx(4.478, abs=3 * found.error + 0.015)
    assert found.stopped_share.sum() <= 1


def test_an_exchange_at_one_date_is_margrabes_on_the_grid_and_on_paths() -> None:
    # The right to give 1 of what stays for 0.9 of what moves: the ratio of the two is the factor.
    exact = margrabe(0.9, 1.0, 0.35, 3.0)
    assert exact == pytest.approx(black_scholes(0.9, 1.0, 0.0, 0.35, 3.0)[0], rel=1e-12)
    process, dates = DemandProcess(0.35, 0.0), np.array([0.0, 1.0, 2.0, 3.0])
    grid = FactorGrid.of(process, dates)
    reward = np.full(grid.factors.shape, -np.inf)
    reward[-1] = 0.9 * grid.factors[-1] - 1.0
    value, stops = stop_on_grid(grid, reward)
    assert value == pytest.approx(exact, abs=2e-4)
    assert not stops[:-1].any()
    paths = process.paths(dates[1:], 80_000, seed=8)
    realised = np.vstack([np.full((2, paths.shape[1]), -1e3), 0.9 * paths[-1:] - 1.0])
    found = stop_by_regression(paths, realised, known=False)
    assert found.value == pytest.approx(exact, abs=3 * found.error)


def test_a_bermudan_option_is_the_same_on_the_grid_and_on_paths_whether_its_reward_is_known_or_regressed() -> None:
    # Building costs 1 and brings 1.1 of the factor, paid when demand is seen a year after stopping.
    process, dates = DemandProcess(0.4, 0.25), np.arange(6.0)
    grid = FactorGrid.of(process, dates)
    discount = 0.9**dates
    paid = discount[:, None] * 1.1 * grid.factors
    reward = np.full(grid.factors.shape, -np.inf)
    for date in range(5):
        reward[date] = grid.before(date, paid[date + 1]) - discount[date]
    value, _ = stop_on_grid(grid, reward)
    paths = process.paths(dates, 120_000, seed=21)
    realised = discount[1:, None] * 1.1 * paths[1:] - discount[:-1, None]
    found = stop_by_regression(paths[:-1], realised, known=False)
    assert found.value == pytest.approx(value, abs=3 * found.error + 0.001)
    assert value >= max(0.0, float(reward[:5].max(axis=0)[grid.factors.shape[1] // 2]))


def test_the_grid_keeps_means_and_variances_of_the_process() -> None:
    for process in (DemandProcess(0.3, 0.0), DemandProcess(0.3, 0.5)):
        dates = np.array([0.0, 1.0, 2.5])
        grid = FactorGrid.of(process, dates)
        for power in (1, 2):
            seen = grid.before(0, grid.before(1, grid.factors[2] ** power))
            exact = math.exp(0.5 * power * (power - 1) * process.variance(2.5))
            assert float(seen[seen.size // 2]) == pytest.approx(exact, rel=2e-3)
        paths = process.paths(dates, 200_000, seed=4)
        assert paths[0].tolist() == [1.0] * 200_000
        assert float(paths[2].mean()) == pytest.approx(1.0, abs=4 * paths[2].std() / math.sqrt(200_000))
        assert float(np.log(paths[2]).std()) == pytest.approx(process.log_deviation(2.5), rel=0.01)


def test_without_volatility_nothing_is_won_by_waiting() -> None:
    process, dates = DemandProcess(0.0, 0.0), np.arange(4.0)
    grid = FactorGrid.of(process, dates, points=5)
    rewards = np.array([-1.0, 0.7, 0.9, 0.2])
    value, _ = stop_on_grid(grid, np.repeat(rewards[:, None], 5, axis=1))
    assert value == 0.9
    assert stop_on_grid(grid, -np.ones((4, 5)))[0] == 0.0
    found = stop_by_regression(process.paths(dates, 64, seed=1), np.repeat(rewards[:, None], 64, axis=1), known=False)
    assert found.value == pytest.approx(0.9, rel=1e-12)


def test_too_few_steps_for_the_rate_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        binomial(100.0, 100.0, 0.5, 0.05, 1.0, steps=2, call=True, american=False)
