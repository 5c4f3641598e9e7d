"""The event study's arithmetic: expected returns, abnormal returns and the variance of their error.

What is tested on them stands in ``significance.py``.

Sources: MacKinlay, Event studies in economics and finance (Journal of Economic Literature 35, 1997, pages 13-39) for
the models of expected returns and the variance of their prediction error; Fama and French, Common risk factors in the
returns on stocks and bonds (Journal of Financial Economics 33, 1993) for several factors; the cross-sectional t as in
Brown and Warner (Journal of Financial Economics 8, 1980).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

SMALLEST_SHARE_OF_COLUMN = 1e-8
"""A factor whose part not explained by the others is smaller than this share of it adds nothing."""


class ReturnModel(StrEnum):
    """What a share's return is expected to be."""

    MARKET = "market"
    """alpha + beta times the market's, by least squares."""
    MARKET_ADJUSTED = "market-adjusted"
    """The market's."""
    MEAN_ADJUSTED = "mean-adjusted"
    """Its own mean."""
    FACTORS = "factors"
    """A constant and several factors, by least squares."""


@dataclass(frozen=True, slots=True)
class MarketModel:
    """Least-squares line of a share's returns over the market's, in an estimation window."""

    alpha_per_day: float
    """Constant."""
    beta: float
    """Slope."""
    residual_sd: float
    """Standard deviation of the residuals, with ``days - 2`` degrees of freedom."""
    days: int
    """Days of the window."""
    market_mean: float
    """Market's mean return in the window."""
    market_sd: float
    """Market's standard deviation in the window, with ``days - 1`` degrees of freedom."""


def fit_market_model(share_returns: ArrayLike, market_returns: ArrayLike) -> MarketModel:
    """Fit the market model by least squares; days on which either return is missing (NaN) are left out.

    Parameters
    ----------
    share_returns, market_returns
        Returns of the same days, shape (n,), fractions.

    Raises
    ------
    ValueError
        If fewer than three days are left or the market never moved.

    Examples
    --------
    >>> model = fit_market_model([0.01, 0.03, 0.02, 0.04], [0.00, 0.01, 0.02, 0.03])
    >>> round(model.alpha_per_day, 6), round(model.beta, 6), model.days
    (0.013, 0.8, 4)
    """
    share, market = np.asarray(share_returns, dtype=float), np.asarray(market_returns, dtype=float)
    is_complete = np.isfinite(share) & np.isfinite(market)
    share, market = share[is_complete], market[is_complete]
    days = int(share.size)
    spread = market - market.mean() if days else market
    squares = float(spread @ spread)
    if days < 3 or squares <= 0:
        message = "the market model needs three days or more and a market that moves"
        raise ValueError(message)
    beta = float(spread @ share) / squares
    alpha = float(share.mean()) - beta * float(market.mean())
    residuals = share - alpha - beta * market
    return MarketModel(
        alpha_per_day=alpha,
        beta=beta,
        residual_sd=math.sqrt(float(residuals @ residuals) / (days - 2)),
        days=days,
        market_mean=float(market.mean()),
        market_sd=math.sqrt(squares / (days - 1)),
    )


def prediction_error_factor(days: int, market_return: float, market_mean: float, market_sd: float) -> float:
    """Return by how much a prediction's standard error exceeds the residual's, for alpha and beta are estimates.

    Parameters
    ----------
    days
        Days of the estimation window.
    market_return
        Market's return on the day that is predicted.
    market_mean, market_sd
        Of the market's returns in the window.

    Examples
    --------
    >>> round(prediction_error_factor(100, 0.01, 0.01, 0.02), 6)
    1.004988
    """
    distance = (market_return - market_mean) ** 2 / ((days - 1) * market_sd**2)
    return math.sqrt(1.0 + 1.0 / days + distance)


@dataclass(frozen=True, slots=True)
class AbnormalReturns:
    """Abnormal returns of several shares, in the estimation window and around the event.

    Days on which a share has no return are NaN.
    """

    model: ReturnModel
    """Model of expected returns."""
    coefficients: FloatArray
    """Fitted coefficients, constant first, shape (shares, coefficients); none for the market-adjusted model."""
    estimation: FloatArray
    """Residuals in the estimation window, shape (shares, days)."""
    event: FloatArray
    """Abnormal returns around the event, shape (shares, event days)."""
    residual_sd: FloatArray
    """Standard deviation of each share's residuals, by its degrees of freedom."""
    estimation_days: NDArray[np.int64]
    """Days of the estimation window on which each share has a return."""
    degrees_of_freedom: NDArray[np.int64]
    """Those days less the coefficients fitted (the market-adjusted model: less one, for the mean)."""
    error_shape: FloatArray
    """Covariance of a share's errors of prediction over its residual variance, shape (shares, event days, event days):
    the unit matrix and what the estimation of the coefficients adds."""


def abnormal_returns(
    estimation_returns: ArrayLike,
    event_returns: ArrayLike,
    estimation_factors: ArrayLike,
    event_factors: ArrayLike,
    model: ReturnModel = ReturnModel.MARKET,
) -> AbnormalReturns:
    """Fit a model of expected returns to each share, and return what the event days brought beyond it.

    The covariance of the errors of prediction is ``s² (I + X* (X'X)⁻¹ X*')``, with X of the estimation window and X*
    of the event (MacKinlay 1997, equation 8, in matrix form).

    Parameters
    ----------
    estimation_returns, event_returns
        Returns, fractions, shapes (shares, days) and (shares, event days); NaN where a share has none.
    estimation_factors, event_factors
        Factors on the same days, the market's return first: shape (days, factors), or (shares, days, factors) where
        each share has its own. All but the first are left alone unless ``model`` says factors.
    model
        Model of expected returns.

    Raises
    ------
    ValueError
        If a share has too few days, never moves beyond the model, or the factors tell the same thing twice.

    Examples
    --------
    >>> market = np.array([[0.0], [0.01], [0.02], [0.03], [0.00], [0.01]])
    >>> share = np.array([[0.01, 0.03, 0.02, 0.04, 0.02, 0.02]])
    >>> found = abnormal_returns(share, [[0.05]], market, [[0.01]])
    >>> [round(float(value), 4) for value in found.coefficients[0]], round(float(found.event[0, 0]), 4)
    ([0.0154, 0.6829], 0.0278)
    """
    estimation, event = (
        np.atleast_2d(np.asarray(estimation_returns, float)),
        np.atleast_2d(np.asarray(event_returns, float)),
    )
    shares, days, event_days = estimation.shape[0], estimation.shape[1], event.shape[1]
    factors = _for_each_share(estimation_factors, shares, days)
    factors_then = _for_each_share(event_factors, shares, event_days)
    faults = estimation_faults(estimation, factors, model)
    if faults:
        raise ValueError("; ".join(f"share {position}: {text}" for position, text in faults))
    unit = np.broadcast_to(np.eye(event_days), (shares, event_days, event_days))
    if model is ReturnModel.MARKET_ADJUSTED:
        residuals, beyond = estimation - factors[:, :, 0], event - factors_then[:, :, 0]
        count = np.isfinite(residuals).sum(axis=1)
        return AbnormalReturns(
            model=model,
            coefficients=np.empty((shares, 0)),
            estimation=residuals,
            event=beyond,
            residual_sd=np.nanstd(residuals, axis=1, ddof=1),
            estimation_days=count,
            degrees_of_freedom=count - 1,
            error_shape=unit.copy(),
        )
    regressors, regressors_then = _regressors(factors, model), _regressors(factors_then, model)
    is_complete = np.isfinite(estimation) & np.isfinite(regressors).all(axis=2)
    orthogonal, triangle = np.linalg.qr(np.where(is_complete[:, :, None], regressors, 0.0))
    returns = np.where(is_complete, estimation, 0.0)
    coefficients = np.linalg.solve(triangle, np.einsum("nmk,nm->nk", orthogonal, returns)[:, :, None])[:, :, 0]
    residuals = np.where(is_complete, estimation - np.einsum("nmk,nk->nm", regressors, coefficients), np.nan)
    count = is_complete.sum(axis=1)
    freedom = count - regressors.shape[2]
    known_then = np.where(np.isfinite(regressors_then), regressors_then, 0.0)
    reach = np.linalg.solve(np.swapaxes(triangle, 1, 2), np.swapaxes(known_then, 1, 2))
    return AbnormalReturns(
        model=model,
        coefficients=coefficients,
        estimation=residuals,
        event=event - np.einsum("nlk,nk->nl", regressors_then, coefficients),
        residual_sd=np.sqrt(np.nansum(residuals**2, axis=1) / freedom),
        estimation_days=count,
        degrees_of_freedom=freedom,
        error_shape=unit + np.einsum("nkl,nkm->nlm", reach, reach),
    )


def estimation_faults(
    estimation_returns: FloatArray, estimation_factors: FloatArray, model: ReturnModel
) -> list[tuple[int, str]]:
    """Return the shares whose estimation window does not do, and why.

    Parameters
    ----------
    estimation_returns
        Shape (shares, days).
    estimation_factors
        Shape (shares, days, factors).
    model
        Model of expected returns.
    """
    faults = []
    for position, (returns, factors) in enumerate(zip(estimation_returns, estimation_factors, strict=True)):
        regressors = _regressors(factors[None], model)[0]
        is_complete = np.isfinite(returns) & np.isfinite(regressors).all(axis=1)
        needed = regressors.shape[1] + 3
        if is_complete.sum() < needed:
            faults.append(
                (position, f"{is_complete.sum()} days with a return in the estimation window, {needed} needed")
            )
            continue
        regressors, returns = regressors[is_complete], returns[is_complete]
        diagonal = np.abs(np.diag(np.linalg.qr(regressors, mode="r")))
        if (diagonal < SMALLEST_SHARE_OF_COLUMN * np.linalg.norm(regressors, axis=0)).any():
            faults.append((position, "a factor that never moves or follows from the others"))
            continue
        fitted = regressors @ np.linalg.lstsq(regressors, returns, rcond=None)[0]
        if np.linalg.norm(returns - fitted) <= SMALLEST_SHARE_OF_COLUMN * np.linalg.norm(returns):
            faults.append((position, "returns that the model explains wholly, so that they have no error"))
    return faults


def _for_each_share(factors: ArrayLike, shares: int, days: int) -> FloatArray:
    given = np.asarray(factors, dtype=float)
    if given.ndim == 1:
        given = given[:, None]
    return np.broadcast_to(given, (shares, days, given.shape[-1]))


def _regressors(factors: FloatArray, model: ReturnModel) -> FloatArray:
    """Return the columns that a model regresses on, constant first; for the market-adjusted one the market alone."""
    if model is ReturnModel.MARKET_ADJUSTED:
        return factors[:, :, :1]
    taken = {ReturnModel.MEAN_ADJUSTED: 0, ReturnModel.MARKET: 1}.get(model, factors.shape[2])
    return np.concatenate([np.ones((*factors.shape[:2], 1)), factors[:, :, :taken]], axis=2)


def returns_of(prices: Sequence[float] | FloatArray, *, is_continuous: bool) -> FloatArray:
    """Return the returns between prices that follow on each other, simple or continuous (logarithmic).

    Parameters
    ----------
    prices
        Prices, shape (n,) with n of 1 or more; NaN where there is none.
    is_continuous
        True for the logarithm of the ratio, False for the ratio less one.

    Examples
    --------
    >>> [round(float(value), 6) for value in returns_of([100.0, 110.0], is_continuous=False)]
    [nan, 0.1]
    """
    given = np.asarray(prices, dtype=float)
    ratio = np.concatenate([[np.nan], given[1:] / given[:-1]])
    return np.asarray(np.log(ratio) if is_continuous else ratio - 1.0)


def cross_section_t(abnormal_returns: ArrayLike) -> tuple[float, float]:
    """Return the mean abnormal return of several firms on a day and its cross-sectional t statistic.

    Parameters
    ----------
    abnormal_returns
        One a firm, shape (n,), n of 2 or more.

    Examples
    --------
    >>> mean, t = cross_section_t([0.01, 0.03])
    >>> round(mean, 6), round(t, 6)
    (0.02, 2.0)
    """
    returns = np.asarray(abnormal_returns, dtype=float)
    mean = float(returns.mean())
    return mean, mean / (float(returns.std(ddof=1)) / math.sqrt(returns.size))


def two_sided_p(t_statistic: float, degrees_of_freedom: int) -> float:
    """Return the probability, without any effect, of a t statistic at least as far from 0.

    Examples
    --------
    >>> round(two_sided_p(1.96, 1_000_000), 4)
    0.05
    """
    from scipy.special import stdtr

    return float(2.0 * stdtr(degrees_of_freedom, -abs(t_statistic)))


def critical_t(degrees_of_freedom: int, level: float) -> float:
    """Return the t statistic beyond which, on both sides together, lies ``level`` of the distribution.

    Examples
    --------
    >>> round(critical_t(118, 0.05), 4)
    1.9803
    """
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, 1.0 - level / 2.0))
