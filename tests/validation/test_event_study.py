"""The event study against published figures, closed forms, other implementations and simulations of known effects."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from coachbuilder.market.announcement.censored import bound_of_open_coefficient, censored_regression
from coachbuilder.market.announcement.event_study import (
    AbnormalReturns,
    ReturnModel,
    abnormal_returns,
    fit_market_model,
    prediction_error_factor,
    returns_of,
)
from coachbuilder.market.announcement.interface import TwinModel
from coachbuilder.market.announcement.significance import Significance, cumulated, significance_of
from coachbuilder.market.announcement.study import EstimationDays, StudyResult, StudySettings, Window, event_study
from coachbuilder.market.announcement.twin import fit_twin, twin_control
from coachbuilder.market.announcement.wide_prices import read_wide_prices
from coachbuilder.programme.errors import ProblemList
from coachbuilder.programme.loading import load
from coachbuilder.programme.sections.market import LimitSide

TEXTBOOK_PATELL = (2.54444, -2.94207, 0.32896, 8.40270, 6.30574)
"""As computed elsewhere from the textbook's formulas; the last one was rounded twice (6.3057349)."""
TEXTBOOK_BMP = (1.20428, -1.17518, 0.07638, 2.16689, 8.65454)

PRINTED_SIGN = (1.1338934, 0.3779645, 1.1338934, 1.8898224, 2.6457513)
"""The vignette's simple sign test; its generalised one counts the window's days otherwise."""


@pytest.fixture(scope="module")
def published(shared_data: Path) -> dict[str, Any]:
    text = (shared_data / "market" / "expected.json").read_text(encoding="utf-8")
    return dict(json.loads(text)["estudy2_vignette"])


def vignette_of(data: Path) -> AbnormalReturns:
    """Seven shares over five days of March 2020, the market model over the year before."""
    with (data / "market" / "estudy2" / "prices.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    days = np.array([dt.date.fromisoformat(row["date"]) for row in rows])
    returns = {
        name: returns_of([float(row[name] or "nan") for row in rows], is_continuous=True)
        for name in rows[0]
        if name != "date"
    }
    market = returns.pop("GSPC")
    shares = np.array(list(returns.values()))
    window = (days >= dt.date(2019, 4, 1)) & (days <= dt.date(2020, 3, 13))
    event = (days >= dt.date(2020, 3, 16)) & (days <= dt.date(2020, 3, 20))
    return abnormal_returns(shares[:, window], shares[:, event], market[window], market[event])


@pytest.fixture(scope="module")
def vignette(shared_data: Path) -> AbnormalReturns:
    return vignette_of(shared_data)


def found_by(name: str, abnormal: AbnormalReturns, window: slice) -> Significance:
    return next(item for item in significance_of(abnormal, window) if item.test == name)


def half_a_digit(printed: float) -> float:
    return 0.5001 * 10.0 ** -len(repr(printed).partition(".")[2])


@pytest.mark.parametrize(
    ("test", "key"),
    [
        ("cross-sectional", "t_test"),
        ("Brown-Warner 1980", "brown_warner_1980"),
        ("Brown-Warner 1985", "brown_warner_1985"),
        ("Wilcoxon", "wilcoxon"),
    ],
)
def test_vignette_is_reproduced_to_all_printed_digits(
    vignette: AbnormalReturns, published: dict[str, Any], test: str, key: str
) -> None:
    for day, printed in enumerate(published[key]):
        statistic = found_by(test, vignette, slice(day, day + 1)).statistic
        assert statistic == pytest.approx(printed, abs=half_a_digit(float(printed)))


def test_vignette_mean_abnormal_returns_agree_to_all_printed_digits(
    vignette: AbnormalReturns, published: dict[str, Any]
) -> None:
    for found, printed in zip(vignette.event.mean(axis=0), published["mean_ar"], strict=True):
        assert found == pytest.approx(printed, abs=half_a_digit(printed))


@pytest.mark.parametrize(
    ("test", "textbook"), [("Patell", TEXTBOOK_PATELL), ("BMP", TEXTBOOK_BMP), ("sign", PRINTED_SIGN)]
)
def test_standardised_and_sign_tests_have_the_textbook_values(
    vignette: AbnormalReturns, test: str, textbook: tuple[float, ...]
) -> None:
    for day, printed in enumerate(textbook):
        statistic = found_by(test, vignette, slice(day, day + 1)).statistic
        assert statistic == pytest.approx(printed, abs=1.1 * half_a_digit(printed))


def test_vignettes_own_patell_and_bmp_differ_by_its_conventions_and_nothing_else(
    vignette: AbnormalReturns, published: dict[str, Any], shared_data: Path
) -> None:
    """It divides residuals by n - 1 for n - 2, and takes the market's spread over days before a share was listed."""
    with (shared_data / "market" / "estudy2" / "prices.csv").open(encoding="utf-8") as file:
        index = {row["date"]: float(row["GSPC"]) for row in csv.DictReader(file)}
    days, market = list(index)[1:], returns_of(list(index.values()), is_continuous=True)[1:]
    window = market[[day <= "2020-03-13" for day in days]]
    event = market[[day in ("2020-03-16", "2020-03-17", "2020-03-18", "2020-03-19", "2020-03-20") for day in days]]
    away = (event - window.mean()) ** 2 / np.sum((window - window.mean()) ** 2)
    known = vignette.estimation_days[:, None]
    spread = np.nanstd(vignette.estimation, axis=1, ddof=1)[:, None] * np.sqrt(1 + 1 / known + away)
    standardised = vignette.event / spread
    patell = standardised.sum(axis=0) / math.sqrt(((known - 2) / (known - 4)).sum())
    assert patell == pytest.approx(published["patell"], abs=6e-8)
    bmp = stats.ttest_1samp(standardised, 0.0, axis=0).statistic
    assert bmp == pytest.approx(published["boehmer"], abs=6e-9)


@pytest.fixture(scope="module")
def example() -> AbnormalReturns:
    """Six shares, 50 and 5 days, three factors; some days missing."""
    rng = np.random.default_rng(11)
    factors = rng.normal(0.0, 0.01, (55, 3))
    returns = 0.001 + factors @ np.array([1.1, -0.3, 0.2]) + rng.normal(0.0, 0.02, (6, 55))
    returns[0, :7], returns[3, 20:24], returns[5, 52] = math.nan, math.nan, math.nan
    return abnormal_returns(returns[:, :50], returns[:, 50:], factors[:50], factors[50:], ReturnModel.FACTORS)


def test_one_factor_is_the_market_model_with_its_prediction_error() -> None:
    rng = np.random.default_rng(3)
    market, share = rng.normal(0.0, 0.01, 41), rng.normal(0.0, 0.03, 41)
    share[5] = math.nan
    model = fit_market_model(share[:40], market[:40])
    found = abnormal_returns(share[:40], share[40:], market[:40], market[40:])
    assert found.coefficients[0] == pytest.approx([model.alpha_per_day, model.beta], rel=1e-10)
    assert found.residual_sd[0] == pytest.approx(model.residual_sd, rel=1e-12)
    factor = prediction_error_factor(model.days, market[40], model.market_mean, model.market_sd)
    assert math.sqrt(found.error_shape[0, 0, 0]) == pytest.approx(factor, rel=1e-12)


def test_several_factors_are_least_squares_over_the_days_of_each_share(example: AbnormalReturns) -> None:
    rng = np.random.default_rng(11)
    factors = rng.normal(0.0, 0.01, (55, 3))
    returns = 0.001 + factors @ np.array([1.1, -0.3, 0.2]) + rng.normal(0.0, 0.02, (6, 55))
    regressors = np.column_stack([np.ones(43), factors[7:50]])
    coefficients, squares, *_ = np.linalg.lstsq(regressors, returns[0, 7:50], rcond=None)
    assert example.coefficients[0] == pytest.approx(coefficients, rel=1e-9)
    assert example.residual_sd[0] == pytest.approx(math.sqrt(squares[0] / (43 - 4)), rel=1e-10)
    assert example.estimation_days.tolist() == [43, 50, 50, 46, 50, 50]
    then = np.column_stack([np.ones(5), factors[50:]])
    shape = np.eye(5) + then @ np.linalg.inv(regressors.T @ regressors) @ then.T
    assert example.error_shape[0] == pytest.approx(shape, rel=1e-9)


def test_mean_adjusted_and_market_adjusted_returns_are_what_their_names_say() -> None:
    share, market = np.array([0.01, 0.03, 0.02, 0.0, 0.05]), np.array([0.0, 0.01, 0.0, 0.02, 0.04])
    mean = abnormal_returns(share[:4], share[4:], market[:4], market[4:], ReturnModel.MEAN_ADJUSTED)
    assert mean.event[0, 0] == pytest.approx(0.05 - 0.015)
    assert mean.error_shape[0, 0, 0] == pytest.approx(1.25)
    adjusted = abnormal_returns(share[:4], share[4:], market[:4], market[4:], ReturnModel.MARKET_ADJUSTED)
    assert adjusted.event[0, 0] == pytest.approx(0.05 - 0.04)
    assert adjusted.residual_sd[0] == pytest.approx(np.std([0.01, 0.02, 0.02, -0.02], ddof=1))
    assert adjusted.error_shape[0, 0, 0] == 1.0


def test_window_returns_add_up_and_skip_the_days_that_a_share_lacks(example: AbnormalReturns) -> None:
    total = cumulated(example, slice(0, 5))
    assert total.days.tolist() == [5, 5, 5, 5, 5, 4]
    assert total.value[1] == pytest.approx(example.event[1].sum())
    assert total.value[5] == pytest.approx(np.delete(example.event[5], 2).sum())
    kept = np.delete(np.delete(example.error_shape[5], 2, 0), 2, 1)
    assert total.standard_error[5] == pytest.approx(example.residual_sd[5] * math.sqrt(kept.sum()))


def test_error_of_a_window_counts_that_the_coefficients_err_the_same_way_every_day() -> None:
    """CAR of the mean-adjusted model: variance s²(L + L²/M)."""
    share = np.random.default_rng(5).normal(0.0, 0.02, 30)
    found = abnormal_returns(share[:20], share[20:], np.zeros(20), np.zeros(10), ReturnModel.MEAN_ADJUSTED)
    error = np.std(share[:20], ddof=1) * math.sqrt(10 + 10**2 / 20)
    assert cumulated(found, slice(0, 10)).standard_error[0] == pytest.approx(error, rel=1e-12)


def test_cross_sectional_bmp_and_wilcoxon_agree_with_the_one_sample_tests_of_scipy(
    example: AbnormalReturns,
) -> None:
    total = cumulated(example, slice(1, 4))
    for name, values in (("cross-sectional", total.value), ("BMP", total.value / total.standard_error)):
        oracle = stats.ttest_1samp(values, 0.0)
        found = found_by(name, example, slice(1, 4))
        assert (found.statistic, found.p_value) == pytest.approx((oracle.statistic, oracle.pvalue), rel=1e-10)
    assert found_by("Wilcoxon", example, slice(1, 4)).p_value == pytest.approx(stats.wilcoxon(total.value).pvalue)


def test_rank_statistic_of_the_largest_of_all_days_is_its_closed_form() -> None:
    """One share, T days in all, its largest on the event day: z = sqrt(3 (T - 1) / (T + 1))."""
    share = np.random.default_rng(7).normal(0.0, 0.01, 100)
    found = abnormal_returns(share, [0.5], np.zeros(100), [0.0], ReturnModel.MEAN_ADJUSTED)
    assert found_by("rank", found, slice(0, 1)).statistic == pytest.approx(math.sqrt(3 * 100 / 102), rel=1e-12)


def test_rank_test_agrees_with_a_count_of_days_below(example: AbnormalReturns) -> None:
    everything = np.concatenate([example.estimation, example.event], axis=1)
    days = everything.shape[1]
    by_day = []
    for day in range(days):
        away = []
        for share in everything:
            if math.isfinite(share[day]):
                seen = [value for value in share if math.isfinite(value)]
                away.append((1 + sum(value < share[day] for value in seen)) / (len(seen) + 1) - 0.5)
        by_day.append(sum(away) / math.sqrt(len(away)))
    spread = math.sqrt(sum(value**2 for value in by_day) / days)
    found = found_by("rank", example, slice(0, 3)).statistic
    assert found == pytest.approx(sum(by_day[50:53]) / spread / math.sqrt(3), rel=1e-10)


def test_sign_tests_have_exact_binomial_probabilities() -> None:
    rng = np.random.default_rng(9)
    before = rng.exponential(0.02, (6, 200)) - 0.02
    after = np.full((6, 1), 0.03)
    found = abnormal_returns(before, after, np.zeros(200), [0.0], ReturnModel.MEAN_ADJUSTED)
    assert found_by("sign", found, slice(0, 1)).p_value == pytest.approx(2 * 0.5**6)
    ups = float((found.estimation > 0).mean())
    assert ups < 0.45
    generalised = found_by("generalised sign", found, slice(0, 1))
    assert generalised.statistic == pytest.approx((6 - 6 * ups) / math.sqrt(6 * ups * (1 - ups)))
    assert generalised.p_value == pytest.approx(ups**6, rel=1e-9)


def test_correlated_shares_weaken_the_test_as_kolari_and_pynnonen_say() -> None:
    rng = np.random.default_rng(13)
    common = rng.normal(0.0, 0.01, 121)
    returns = common + rng.normal(0.0, 0.01, (10, 121))
    found = abnormal_returns(returns[:, :120], returns[:, 120:], np.zeros(120), [0.0], ReturnModel.MEAN_ADJUSTED)
    mean = (np.corrcoef(found.estimation).sum() - 10) / 90
    plain, weakened = (found_by(name, found, slice(0, 1)).statistic for name in ("BMP", "BMP, correlated shares"))
    assert plain is not None
    assert weakened == pytest.approx(plain * math.sqrt((1 - mean) / (1 + 9 * mean)), rel=1e-9)


def test_one_share_has_no_spread_across_shares_and_the_answer_says_so() -> None:
    share = np.random.default_rng(1).normal(0.0, 0.01, 60)
    found = abnormal_returns(share[:59], share[59:], np.zeros(59), [0.0], ReturnModel.MEAN_ADJUSTED)
    for name in ("cross-sectional", "BMP", "BMP, correlated shares"):
        item = found_by(name, found, slice(0, 1))
        assert item.p_value is None
        assert "two shares" in item.note
    assert found_by("Patell", found, slice(0, 1)).p_value is not None


@pytest.mark.parametrize(
    ("share", "market", "message"),
    [
        ([0.01, 0.02, math.nan, math.nan, math.nan, 0.03], [0.0, 0.01, 0.0, 0.0, 0.0, 0.02], "3 days"),
        ([0.01, 0.02, 0.01, 0.00, 0.02, 0.01], [0.01] * 6, "never moves"),
        ([0.01, 0.02, 0.01, 0.00, 0.02, 0.01], [0.01, 0.02, 0.01, 0.00, 0.02, 0.01], "no error"),
    ],
)
def test_window_that_cannot_be_fitted_is_refused(share: list[float], market: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        abnormal_returns(share, [0.0], market, [0.0])


# Price limits.

KNOWN = (0.001, 1.2, 0.06)
"""Constant, beta and effect of the news in the simulations of price limits."""


def limited(latent: np.ndarray, limit: float, *, carries_over: bool) -> tuple[np.ndarray, list[LimitSide | None]]:
    """What an exchange shows of the returns that are wanted; what a limit held back may come out on the next day."""
    seen, sides, left = [], [], 0.0
    for wanted in latent:
        wanted = wanted + left if carries_over else wanted
        shown = min(max(wanted, -limit), limit)
        left = wanted - shown
        seen.append(shown)
        sides.append(LimitSide.UPPER if wanted > limit else LimitSide.LOWER if wanted < -limit else None)
    return np.array(seen), sides


def simulated(seed: int, *, days: int = 4000, sd: float = 0.04) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    news = (np.arange(days) % 20 == 10).astype(float)
    regressors = np.column_stack([np.ones(days), rng.normal(0.0, 0.02, days), news])
    return regressors @ np.array(KNOWN) + rng.normal(0.0, sd, days), regressors


def test_without_limit_closes_the_censored_regression_is_least_squares() -> None:
    returns, regressors = simulated(21, days=150)
    fit = censored_regression(returns, regressors, [None] * 150)
    coefficients, squares, *_ = np.linalg.lstsq(regressors, returns, rcond=None)
    assert fit.coefficients == pytest.approx(coefficients, abs=1e-10)
    assert fit.residual_sd == pytest.approx(math.sqrt(squares[0] / 150), rel=1e-9)
    spread = fit.residual_sd**2 * np.linalg.inv(regressors.T @ regressors)
    assert fit.covariance == pytest.approx(spread, rel=1e-6, abs=1e-12)


def test_day_by_day_it_is_the_two_limit_tobit_that_a_general_optimiser_finds() -> None:
    from scipy.optimize import minimize

    latent, regressors = simulated(22, days=300)
    seen, sides = limited(latent, 0.05, carries_over=False)

    def loss(at: np.ndarray) -> float:
        mean, sd = regressors @ at[:3], math.exp(at[3])
        terms = (stats.norm.logpdf(seen, mean, sd), stats.norm.logsf(seen, mean, sd), stats.norm.logcdf(seen, mean, sd))
        return -float(sum(term[kind == side].sum() for side, term in enumerate(terms)))

    kind = np.array([{None: 0, LimitSide.UPPER: 1, LimitSide.LOWER: 2}[side] for side in sides])
    fit = censored_regression(seen, regressors, sides, carries_over=False)
    at_fit = np.append(fit.coefficients, math.log(fit.residual_sd))
    assert loss(at_fit) == pytest.approx(-fit.log_likelihood, rel=1e-9)
    oracle = minimize(loss, at_fit + 0.001, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-8, "maxfev": 600})
    assert at_fit == pytest.approx(oracle.x, abs=2e-5)


@pytest.mark.parametrize("carries_over", [False, True])
def test_censored_regression_finds_what_a_simulation_put_in_and_least_squares_does_not(carries_over: bool) -> None:
    latent, regressors = simulated(23)
    seen, sides = limited(latent, 0.08, carries_over=carries_over)
    fit = censored_regression(seen, regressors, sides, carries_over=carries_over)
    assert 0.04 < fit.limit_days / fit.days < 0.12
    assert np.all(np.abs(fit.coefficients - KNOWN) < 2.5 * fit.standard_errors)
    assert fit.residual_sd == pytest.approx(0.04, rel=0.02)
    plain = np.linalg.lstsq(regressors, seen, rcond=None)[0]
    assert np.all(plain[1:] < np.array(KNOWN[1:]) - 2.5 * fit.standard_errors[1:])


def test_a_limit_close_and_the_free_one_after_it_tell_their_sum_exactly() -> None:
    """News of 14 % under a limit of 10 %: +10 %, then the rest with the next day's own return."""
    returns = np.array([0.01, -0.01, 0.02, -0.02, 0.10, 0.05, 0.01, -0.01])
    sides = [None] * 4 + [LimitSide.UPPER] + [None] * 3
    news = np.zeros(8)
    news[4] = 1.0
    fit = censored_regression(returns, np.column_stack([np.ones(8), news]), sides)
    # The limit was passed almost surely, so that it says nothing more: the sum less two days' constant.
    constant = fit.coefficients[0]
    assert fit.coefficients[1] == pytest.approx(0.15 - 2 * constant, abs=1e-3)
    assert fit.standard_errors[1] == pytest.approx(fit.residual_sd * math.sqrt(2), rel=0.2)


def test_news_seen_only_at_the_limit_has_a_lower_bound_and_no_estimate() -> None:
    rng = np.random.default_rng(24)
    returns = np.append(rng.normal(0.0, 0.02, 120), 0.10)
    regressors = np.column_stack([np.ones(121), np.append(np.zeros(120), 1.0)])
    sides: list[LimitSide | None] = [None] * 120 + [LimitSide.UPPER]
    fit = censored_regression(returns, regressors, sides)
    assert fit.coefficients[1] == math.inf
    assert fit.coefficients[0] == pytest.approx(returns[:120].mean())
    bound = bound_of_open_coefficient(returns, regressors, sides, 1)
    # Known moments instead of estimated ones: the value that reaches the limit with the probability of the bound.
    fallen = math.exp(-0.5 * stats.chi2.ppf(0.90, 1))
    known = 0.10 - returns[:120].mean() + returns[:120].std() * stats.norm.ppf(fallen)
    assert bound == pytest.approx(known, abs=5e-4)
    with pytest.raises(ValueError, match="not open"):
        bound_of_open_coefficient(returns, regressors, sides, 0)


def test_bound_of_news_at_the_limit_covers_the_truth_as_often_as_it_says() -> None:
    """News of 9 % under a limit of 10 %, among those draws that reach it: too high a bound in at most 5 % of all."""
    rng = np.random.default_rng(25)
    draws = above = 0
    while draws < 100:
        returns = rng.normal(0.0, 0.02, 61)
        draws += 1
        if returns[60] + 0.09 < 0.10:
            continue
        returns[60] = 0.10
        regressors = np.column_stack([np.ones(61), np.append(np.zeros(60), 1.0)])
        above += bound_of_open_coefficient(returns, regressors, [None] * 60 + [LimitSide.UPPER], 1) > 0.09
    assert above <= 0.09 * draws


def test_all_days_at_the_limit_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="0 closes without limit"):
        censored_regression([0.1, 0.1, 0.1], np.ones((3, 1)), [LimitSide.UPPER] * 3)


def test_twin_without_limit_predicts_as_least_squares_would() -> None:
    rng = np.random.default_rng(26)
    twin = rng.normal(0.0, 0.04, 100)
    share = 0.8 * twin + rng.normal(0.0, 0.02, 100)
    model = fit_twin(share, twin, [None] * 100)
    oracle = stats.linregress(twin, share)
    assert (model.slope, model.constant) == pytest.approx((oracle.slope, oracle.intercept), abs=1e-9)
    found = twin_control(
        model, share="a", twin="h", twin_abnormal_return=0.09, days=1, bound=0.08, limit=LimitSide.UPPER
    )
    away = 1 + 1 / 100 + (0.09 - twin.mean()) ** 2 / (99 * twin.var(ddof=1))
    residual_sd = math.sqrt(np.sum((share - oracle.intercept - oracle.slope * twin) ** 2) / 98)
    assert found.standard_error == pytest.approx(residual_sd * math.sqrt(away), rel=2e-3)


@pytest.mark.parametrize("limit", list(LimitSide))
@pytest.mark.parametrize("bound", [0.02, 0.08, 0.40])
def test_twin_with_limit_is_the_truncated_normal_of_scipy(limit: LimitSide, bound: float) -> None:
    sign = 1.0 if limit is LimitSide.UPPER else -1.0
    model = TwinModel(0.0, 0.8, 0.03, 120, 0.04)
    found = twin_control(
        model, share="a", twin="h", twin_abnormal_return=sign * 0.08, days=1, bound=sign * bound, limit=limit
    )
    error = found.standard_error
    oracle = stats.truncnorm((bound - 0.064) / error, math.inf, 0.064, error)
    assert sign * found.with_limit == pytest.approx(oracle.mean(), rel=1e-5)
    ends = sorted(sign * float(value) for value in oracle.ppf([0.025, 0.975]))
    assert (found.with_limit_low, found.with_limit_high) == pytest.approx(ends, rel=1e-6)


def test_twin_finds_what_a_simulated_limit_hid() -> None:
    """Returns that a limit of 5 % hid: the twin's word is right on average and within its stated interval."""
    rng = np.random.default_rng(27)
    inside, errors = 0, []
    for _ in range(600):
        news = rng.normal(0.0, 0.03, 121)
        share, twin = news + rng.normal(0.0, 0.012, 121), news + rng.normal(0.0, 0.012, 121)
        seen, sides = limited(share, 0.05, carries_over=False)
        if sides[120] is not LimitSide.UPPER:
            continue
        # Days are cut one by one here, so that they are taken apart by days without return.
        apart = np.full(240, math.nan), np.full(240, math.nan)
        apart[0][::2], apart[1][::2] = seen[:120], twin[:120]
        model = fit_twin(*apart, [side for pair in zip(sides[:120], [None] * 120, strict=True) for side in pair])
        found = twin_control(
            model, share="a", twin="h", twin_abnormal_return=twin[120], days=1, bound=0.05, limit=LimitSide.UPPER
        )
        inside += found.with_limit_low <= share[120] <= found.with_limit_high
        errors.append(found.with_limit - share[120])
    assert len(errors) > 30
    assert inside >= 0.88 * len(errors)
    assert abs(np.mean(errors)) < 2.5 * np.std(errors) / math.sqrt(len(errors))


# Size and power: known effects in simulated returns.


def rejections(
    firms: int, effect: float, *, draws: int = 150, induced: float = 0.0, correlation: float = 0.0, seed: int = 31
) -> dict[str, float]:
    """Share of draws in which each test rejects at 5 %; errors of 1 to 4 % s.d. a day, one event day."""
    rng = np.random.default_rng(seed)
    found: dict[str, int] = {}
    for _ in range(draws):
        market = rng.normal(0.0, 0.01, 101)
        beta, sd = rng.uniform(0.5, 1.5, (firms, 1)), rng.uniform(0.01, 0.04, (firms, 1))
        errors = math.sqrt(1 - correlation) * rng.normal(size=(firms, 101)) + math.sqrt(correlation) * rng.normal(
            size=101
        )
        errors[:, 100] *= math.sqrt(1 + induced)
        returns = beta * market + sd * errors
        returns[:, 100] += effect
        abnormal = abnormal_returns(returns[:, :100], returns[:, 100:], market[:100], market[100:])
        for item in significance_of(abnormal, slice(0, 1)):
            found[item.test] = found.get(item.test, 0) + int(item.p_value is not None and item.p_value < 0.05)
    return {name: count / draws for name, count in found.items()}


def test_no_test_errs_much_more_often_than_it_says_and_all_find_a_large_effect() -> None:
    size, power = rejections(15, 0.0, draws=250), rejections(15, 0.03, draws=40)
    # Standard error of a rate of 5 % over 250 draws: 1.4 points. Exact tests of few signs err less often than 5 %.
    assert all(rate <= 0.095 for rate in size.values())
    assert all(size[name] >= 0.015 for name in ("cross-sectional", "Brown-Warner 1985", "Patell", "BMP", "rank"))
    assert all(rate >= 0.9 for rate in power.values())


def test_standardised_tests_find_a_small_effect_more_often_than_plain_ones() -> None:
    power = rejections(15, 0.01, draws=150)
    assert power["Patell"] > power["Brown-Warner 1980"] + 0.05
    assert power["BMP"] > power["cross-sectional"] + 0.05


def test_variance_that_the_event_raises_deceives_patell_and_not_bmp() -> None:
    size = rejections(15, 0.0, induced=1.0)
    assert size["Patell"] > 0.12
    assert size["Brown-Warner 1985"] > 0.12
    assert size["BMP"] < 0.1
    assert size["cross-sectional"] < 0.1


def test_firms_that_move_together_deceive_all_but_the_tests_made_for_them() -> None:
    size = rejections(15, 0.0, correlation=0.3)
    for name in ("BMP, correlated shares", "Brown-Warner 1985", "rank"):
        assert size[name] < 0.1
    for name in ("cross-sectional", "Patell", "BMP", "Brown-Warner 1980"):
        assert size[name] > 0.25


# The case.

CASE_DAYS = tuple(dt.date(2021, 3, day) for day in (26, 29, 30))


@pytest.fixture(scope="module")
def case(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """The three shares and their markets as one wide table, on the union of both exchanges' days."""
    folder = shared_data / "market" / "gwm_xiaomi_2021"
    columns: dict[str, dict[str, str]] = {}
    for name in ("601633_SS", "2333_HK", "1810_HK", "HSI"):
        with (folder / f"{name}.csv").open(encoding="utf-8") as file:
            columns[name] = {row["date"]: row["close"] for row in csv.DictReader(file)}
    level = 100.0
    columns["A_SHARES"] = {}
    with (folder / "ashare_ew_market.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            level *= 1.0 + float(row["ew_return"])
            columns["A_SHARES"][row["date"]] = repr(level)
    days = sorted(set().union(*columns.values()))
    lines = [",".join(["date", *columns])]
    lines += [",".join([day, *(column.get(day, "") for column in columns.values())]) for day in days]
    table_file = tmp_path_factory.mktemp("case") / "wide.csv"
    table_file.write_text("\n".join(lines), encoding="utf-8")
    problems = ProblemList("wide.csv")
    table = read_wide_prices(table_file, problems)
    problems.raise_if_any()
    assert table is not None
    settings = StudySettings(
        events=CASE_DAYS,
        estimation=EstimationDays(120, dt.date(2021, 2, 26)),
        windows=(Window(0, 0), Window(0, 1)),
        market="HSI",
        markets={"601633_SS": "A_SHARES"},
        limits={"601633_SS": 0.1},
        twins={"601633_SS": "2333_HK"},
    )
    return event_study(table, settings)


def test_case_on_a_wide_table_has_the_summary_figures_of_the_case(case: StudyResult) -> None:
    printed = {
        "601633_SS": (0.00837, 0.723, 0.0452, (0.0805, -0.0692, 0.0131)),
        "2333_HK": (0.00724, 1.190, 0.0445, (0.0780, -0.0484, 0.0351)),
        "1810_HK": (-0.00090, 1.184, 0.0338, (0.0451, -0.0130, 0.0129)),
    }
    for position, share in enumerate(case.shares):
        alpha, beta, residual_sd, abnormal = printed[share.share]
        assert (round(share.coefficients[0], 5), round(share.coefficients[1], 3)) == (alpha, beta)
        assert round(share.residual_sd, 4) == residual_sd
        found = [event.windows[0].shares[position].abnormal_return for event in case.events]
        assert tuple(round(value, 4) for value in found) == abnormal


def test_case_says_that_nothing_is_significant_and_does_not_test_three_shares_of_two_firms(case: StudyResult) -> None:
    assert case.significant_share_tests == 0
    assert case.mean_tests == 0
    assert case.verdict.startswith("Nothing is significant at 5 %")
    assert all("3 shares: too few" in window.note for event in case.events for window in event.windows)
    # The second day belongs to the denial: the report's two-day window is cut.
    assert all(item.is_cut and item.days == 1 for item in case.events[0].windows[1].shares)


def test_case_limit_close_is_a_bound_and_the_unlimited_twin_narrows_it(case: StudyResult) -> None:
    (found,) = case.events[0].limit_runs
    assert found.limit_days == (CASE_DAYS[0],)
    assert found.to_first_free_close.bound == "at least"
    assert found.effect is None
    assert found.effect_low is not None
    assert 0.0 < found.effect_low < found.to_first_free_close.abnormal_return
    twin = found.twin
    assert twin is not None
    # By the twin alone the limit hid nothing: what it says lies below what the limit showed.
    assert twin.abnormal_return < found.to_first_free_close.abnormal_return < twin.high
    assert found.to_first_free_close.abnormal_return < twin.with_limit < twin.high
    # The limit days of the window censored, the share was wilder than least squares says.
    assert case.shares[0].limit_days == 10
    assert case.shares[0].censored_residual_sd is not None
    assert case.shares[0].censored_residual_sd > 1.05 * case.shares[0].residual_sd


def test_twin_figures_of_the_example_are_those_of_the_price_files(case: StudyResult, example_folder: Path) -> None:
    share = next(item for item in load(example_folder).document.market.announcement.share if item.twin)
    twin = case.events[0].limit_runs[0].twin
    assert twin is not None
    assert share.twin_slope is not None
    assert share.twin_residual_sd is not None
    assert share.twin_slope.value == pytest.approx(twin.slope, abs=5e-4)
    days, twin_sd = share.twin_days, 0.04557
    assert days is not None
    error = twin.standard_error / math.sqrt(1 + 1 / days + (twin.twin_abnormal_return / twin_sd) ** 2 / (days - 1))
    assert share.twin_residual_sd.value == pytest.approx(error, abs=6e-5)
    slope_error = error / (twin_sd * math.sqrt(days - 1))
    assert share.twin_slope.high - share.twin_slope.low == pytest.approx(2 * 1.645 * slope_error, rel=0.02)
