"""The event study's arithmetic: market model, prediction error, tests.

Sources: MacKinlay, Event studies in economics and finance (Journal of Economic Literature 35, 1997, pages 13-39) for
the market model and the variance of its prediction error; the cross-sectional t as in Brown and Warner (Journal of
Financial Economics 8, 1980).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


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
