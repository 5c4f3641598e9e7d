"""A twin listing without price limit as control: what it says a share at its limit would have done.

Two classes of one firm's share on two exchanges share their news. Over the estimation window the abnormal returns of
the limited share are regressed on those of the twin (days at the limit censored, see ``censored.py``); on the event day
the twin's abnormal return then predicts the other's. What the limit showed is a bound on the same figure: both together
are the prediction's normal distribution cut off at the bound.

The slope is that of ordinary days. Where the twin has much noise of its own it is under 1 although news that concern
the firm pass on whole, so that for one large piece of news the prediction errs towards no effect.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from coachbuilder.market.announcement.censored import censored_regression
from coachbuilder.market.announcement.event_study import FloatArray, critical_t
from coachbuilder.market.announcement.interface import SIGNIFICANCE, TwinControl, TwinModel
from coachbuilder.programme.sections.market import LimitSide


def fit_twin(share: ArrayLike, twin: ArrayLike, limits: Sequence[LimitSide | None]) -> TwinModel:
    """Regress a share's abnormal returns on its twin's.

    Parameters
    ----------
    share, twin
        Abnormal returns of the same days, shape (days,); NaN where there is none.
    limits
        Limit at which the share closed on each of them.

    Raises
    ------
    ValueError
        If the days are too few.

    Examples
    --------
    >>> model = fit_twin([0.01, -0.01, 0.021, -0.021], [0.01, -0.01, 0.02, -0.02], [None] * 4)
    >>> round(model.slope, 3), model.days
    (1.04, 4)
    """
    own, other = np.asarray(share, dtype=float), np.asarray(twin, dtype=float)
    own = np.where(np.isfinite(other), own, np.nan)
    fit = censored_regression(own, np.column_stack([np.ones(own.size), np.nan_to_num(other)]), limits)
    seen = other[np.isfinite(own)]
    correction = math.sqrt(fit.days / (fit.days - 2))
    return TwinModel(
        constant=float(fit.coefficients[0]),
        slope=float(fit.coefficients[1]),
        residual_sd=fit.residual_sd * correction,
        days=fit.days,
        twin_sd=float(seen.std(ddof=1)),
    )


def twin_control(
    model: TwinModel, *, share: str, twin: str, twin_abnormal_return: float, days: int, bound: float, limit: LimitSide
) -> TwinControl:
    """Return what a twin's abnormal return says about a share that closed at its limit.

    Parameters
    ----------
    model
        How the one follows the other.
    share, twin
        Their names.
    twin_abnormal_return
        The twin's, cumulated over the days that the share is cumulated over.
    days
        How many days those are.
    bound
        The abnormal return that the share showed, a bound.
    limit
        Limit of its last close.

    Examples
    --------
    >>> model = TwinModel(0.0, 0.8, 0.03, 120, 0.04)
    >>> found = twin_control(model, share="a", twin="h", twin_abnormal_return=0.08, days=1, bound=0.08,
    ...                      limit=LimitSide.UPPER)
    >>> round(found.abnormal_return, 4), round(found.standard_error, 4), round(found.with_limit, 4)
    (0.064, 0.0306, 0.0994)
    """
    from scipy.special import log_ndtr, ndtri, ndtri_exp

    mean = days * model.constant + model.slope * twin_abnormal_return
    leverage = days**2 / model.days + twin_abnormal_return**2 / ((model.days - 1) * model.twin_sd**2)
    error = model.residual_sd * math.sqrt(days + leverage)
    reach = critical_t(model.days - 2, SIGNIFICANCE) * error
    sign = 1.0 if limit is LimitSide.UPPER else -1.0
    # Beyond the bound, counted outwards: log of what is left of the prediction there.
    beyond = sign * (mean - bound) / error
    left = float(log_ndtr(beyond))
    with_limit = mean + sign * error * math.exp(-0.5 * beyond**2 - 0.5 * math.log(2.0 * math.pi) - left)

    def outwards(share_beyond: float) -> float:
        # The point beyond which this share of what is left lies.
        point = math.log(share_beyond) + left
        return mean - sign * error * float(ndtri(math.exp(point)) if point > -30.0 else ndtri_exp(point))

    ends = sorted((outwards(1.0 - SIGNIFICANCE / 2.0), outwards(SIGNIFICANCE / 2.0)))
    return TwinControl(
        share=share,
        twin=twin,
        slope=model.slope,
        twin_abnormal_return=twin_abnormal_return,
        abnormal_return=mean,
        standard_error=error,
        low=mean - reach,
        high=mean + reach,
        with_limit=with_limit,
        with_limit_low=ends[0],
        with_limit_high=ends[1],
    )


def on_common_days(
    own: FloatArray, twin: FloatArray, limits: Sequence[LimitSide | None]
) -> tuple[list[float], list[float], list[LimitSide | None]]:
    """Return both shares' returns from one day that they have in common to the next, and the limits of those days.

    Parameters
    ----------
    own, twin
        Abnormal returns on all days of either exchange, NaN where it was shut.
    limits
        Limit at which the share closed on each of them.

    Examples
    --------
    >>> nan = math.nan
    >>> on_common_days(np.array([0.01, 0.02, 0.03, 0.04]), np.array([0.05, 0.06, nan, 0.07]), [None] * 4)
    ([0.02, 0.07], [0.06, 0.07], [None, None])
    """
    found: tuple[list[float], list[float], list[LimitSide | None]] = ([], [], [])
    sums = [0.0, 0.0]
    has_begun = False
    for row, pair in enumerate(zip(own, twin, strict=True)):
        sums = [total + (value if math.isfinite(value) else 0.0) for total, value in zip(sums, pair, strict=True)]
        if not all(map(math.isfinite, pair)):
            continue
        if has_begun:
            for values, total in zip(found[:2], sums, strict=True):
                values.append(float(total))
            found[2].append(limits[row])
        # Before the first common day the two may have begun on different days.
        has_begun = True
        sums = [0.0, 0.0]
    return found
