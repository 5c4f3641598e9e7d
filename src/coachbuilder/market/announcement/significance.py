"""Tests of abnormal returns across shares, for one day or for a window of days, in one table.

Sources, by test:

- **cross-sectional**: Brown and Warner, Measuring security price performance (Journal of Financial Economics 8, 1980);
  MacKinlay 1997, section 5. Takes its error from the event days alone, so that it stands a variance that the event
  raises, but needs many shares.
- **Brown-Warner 1980**: error from the estimation window, shares independent of each other.
- **Brown-Warner 1985**: the same with the 'crude dependence adjustment': the error is that of the mean of all shares
  over the estimation window, so that shares may move together (Using daily stock returns, Journal of Financial
  Economics 14, 1985).
- **Patell**: standardised by each share's own error of prediction (Corporate forecasts of earnings per share and stock
  price behavior, Journal of Accounting Research 14, 1976). For windows in the exact form of Campbell, Lo and MacKinlay
  (The Econometrics of Financial Markets, 1997, equation 4.4.22): the errors of the coefficients, which are the same on
  all days, count.
- **BMP**: standardised returns, but their spread taken across shares on the event days (Boehmer, Musumeci and Poulsen,
  Event-study methodology under conditions of event-induced variance, Journal of Financial Economics 30, 1991).
- **BMP, correlated shares**: the same divided by what the mean correlation of the shares' residuals adds (Kolari and
  Pynnönen, Event study testing with cross-sectional correlation of abnormal returns, Review of Financial Studies 23,
  2010): for events that fall on the same day for all shares.
- **rank**: Corrado, A nonparametric test for abnormal security-price performance in event studies (Journal of Financial
  Economics 23, 1989), with ranks as a share of the days of each share (Corrado and Zivney 1992), and for windows as in
  Cowan 1992: standardised daily sums, divided by the root of the number of days.
- **sign**: as many ups as downs; exact binomial probability.
- **generalised sign**: as many ups as the estimation window has (Cowan, Nonparametric event study tests, Review of
  Quantitative Finance and Accounting 2, 1992); exact binomial probability.
- **Wilcoxon**: signed ranks of the abnormal returns of the shares, exact for few shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.market.announcement.event_study import AbnormalReturns, FloatArray

FEWEST_SHARES = 2
"""A spread across shares needs them."""

FEWEST_COMMON_DAYS = 3
"""A correlation over fewer says nothing."""


@dataclass(frozen=True, slots=True)
class Significance:
    """What one test says."""

    test: str
    """Name of the test."""
    statistic: float | None
    """Its statistic; None if it cannot be computed."""
    p_value: float | None
    """Two-sided probability, without any effect, of one at least as far from what is expected."""
    distribution: str
    """Distribution that the probability comes from."""
    note: str = ""
    """Why it cannot be computed."""


@dataclass(frozen=True, slots=True)
class Cumulated:
    """Abnormal returns cumulated over a window, share by share; shares without any day in it are NaN."""

    value: FloatArray
    """Cumulated abnormal return, shape (shares,)."""
    standard_error: FloatArray
    """Its standard error, from the share's own estimation window."""
    days: NDArray[np.int64]
    """Days counted."""


def cumulated(abnormal: AbnormalReturns, window: slice) -> Cumulated:
    """Return each share's cumulated abnormal return over some of the event days, with its error of prediction.

    Parameters
    ----------
    abnormal
        Abnormal returns.
    window
        Which columns of ``abnormal.event``.

    Examples
    --------
    >>> from coachbuilder.market.announcement.event_study import abnormal_returns
    >>> before, market = [0.01, 0.03, 0.02, 0.04, 0.02], [0.0, 0.01, 0.02, 0.03, 0.01]
    >>> found = abnormal_returns(before, [0.05, 0.04], market, [0.0, 0.0])
    >>> total = cumulated(found, slice(0, 2))
    >>> round(float(total.value[0]), 4), int(total.days[0])
    (0.0646, 2)
    """
    seen = abnormal.event[:, window]
    is_seen = np.isfinite(seen)
    days = is_seen.sum(axis=1)
    weight = is_seen.astype(float)
    shape = np.einsum("nl,nlm,nm->n", weight, abnormal.error_shape[:, window, window], weight)
    has_any = days > 0
    value = np.where(has_any, np.nansum(seen, axis=1), np.nan)
    return Cumulated(value, np.where(has_any, abnormal.residual_sd * np.sqrt(shape), np.nan), days)


def significance_of(abnormal: AbnormalReturns, window: slice) -> tuple[Significance, ...]:
    """Return all tests of the shares' mean abnormal return over a window of event days.

    Parameters
    ----------
    abnormal
        Abnormal returns.
    window
        Which columns of ``abnormal.event``; one of them is the test of a single day.

    Examples
    --------
    >>> from coachbuilder.market.announcement.event_study import abnormal_returns
    >>> market = np.sin(np.arange(40.0)) / 100
    >>> shares = np.stack([market + np.cos((2 + k) * np.arange(40.0)) / 50 for k in range(4)])
    >>> found = abnormal_returns(shares, [[0.05], [0.06], [0.05], [0.07]], market, [0.0])
    >>> tests = significance_of(found, slice(0, 1))
    >>> [item.test for item in tests if item.p_value is not None and item.p_value < 0.05][:3]
    ['cross-sectional', 'Brown-Warner 1980', 'Brown-Warner 1985']
    """
    return tuple(test(abnormal, window) for test in _TESTS)


def _cross_sectional(abnormal: AbnormalReturns, window: slice) -> Significance:
    values = _known(cumulated(abnormal, window).value)
    return _student_of_mean("cross-sectional", values)


def _brown_warner_1980(abnormal: AbnormalReturns, window: slice) -> Significance:
    total = cumulated(abnormal, window)
    taken = total.days > 0
    if not taken.any():
        return _nothing("Brown-Warner 1980")
    variance = np.nanvar(abnormal.estimation[taken], axis=1, ddof=1) * total.days[taken]
    statistic = float(total.value[taken].sum()) / math.sqrt(float(variance.sum()))
    return _student("Brown-Warner 1980", statistic, float(abnormal.estimation_days[taken].mean()) - 1.0)


def _brown_warner_1985(abnormal: AbnormalReturns, window: slice) -> Significance:
    seen, before = abnormal.event[:, window], abnormal.estimation
    means = _mean_over_shares(seen)
    means_before = _known(_mean_over_shares(before))
    days = int(np.isfinite(means).sum())
    if not days:
        return _nothing("Brown-Warner 1985")
    error = float(means_before.std(ddof=1)) * math.sqrt(days)
    return _student("Brown-Warner 1985", float(np.nansum(means)) / error, means_before.size - 1.0)


def _patell(abnormal: AbnormalReturns, window: slice) -> Significance:
    standardised, freedom = _standardised(abnormal, window)
    if not standardised.size:
        return _nothing("Patell")
    variance = float((freedom / (freedom - 2.0)).sum())
    return _normal("Patell", float(standardised.sum()) / math.sqrt(variance))


def _bmp(abnormal: AbnormalReturns, window: slice) -> Significance:
    return _student_of_mean("BMP", _standardised(abnormal, window)[0])


def _bmp_correlated(abnormal: AbnormalReturns, window: slice) -> Significance:
    name = "BMP, correlated shares"
    found = _bmp(abnormal, window)
    if found.statistic is None:
        return Significance(name, None, None, found.distribution, found.note)
    taken = cumulated(abnormal, window).days > 0
    count = int(taken.sum())
    mean = mean_correlation(abnormal.estimation[taken])
    if mean is None or not -1.0 / (count - 1) < mean < 1.0:
        return Significance(name, None, None, f"t({count - 1})", "the shares have too few days in common")
    shrink = math.sqrt((1.0 - mean) / (1.0 + (count - 1) * mean))
    return _student(name, found.statistic * shrink, count - 1.0)


def _rank(abnormal: AbnormalReturns, window: slice) -> Significance:
    from scipy.stats import rankdata

    everything = np.concatenate([abnormal.estimation, abnormal.event], axis=1)
    is_seen = np.isfinite(everything)
    ranks = rankdata(np.where(is_seen, everything, np.inf), axis=1)
    away = np.where(is_seen, ranks / (is_seen.sum(axis=1, keepdims=True) + 1.0) - 0.5, 0.0)
    shares = is_seen.sum(axis=0)
    by_day = away.sum(axis=0) / np.sqrt(np.maximum(shares, 1))
    spread = math.sqrt(float((by_day[shares > 0] ** 2).mean()))
    first = abnormal.estimation.shape[1]
    counted = by_day[first:][window][shares[first:][window] > 0]
    if not counted.size:
        return _nothing("rank")
    return _normal("rank", float(counted.sum()) / (spread * math.sqrt(counted.size)))


def _sign(abnormal: AbnormalReturns, window: slice) -> Significance:
    return _binomial("sign", _known(cumulated(abnormal, window).value), 0.5)


def _generalised_sign(abnormal: AbnormalReturns, window: slice) -> Significance:
    total = cumulated(abnormal, window)
    before = abnormal.estimation[total.days > 0]
    if not before.size:
        return _nothing("generalised sign")
    ups = (before > 0).sum(axis=1) / np.isfinite(before).sum(axis=1)
    return _binomial("generalised sign", _known(total.value), float(ups.mean()))


def _wilcoxon(abnormal: AbnormalReturns, window: slice) -> Significance:
    from scipy.stats import rankdata, wilcoxon

    values = _known(cumulated(abnormal, window).value)
    if values.size < FEWEST_SHARES or not values.any():
        return Significance("Wilcoxon", None, None, "signed ranks", "needs two shares or more that moved")
    statistic = float(rankdata(np.abs(values))[values > 0].sum())
    return Significance("Wilcoxon", statistic, float(wilcoxon(values).pvalue), "signed ranks")


_TESTS: tuple[Callable[[AbnormalReturns, slice], Significance], ...] = (
    _cross_sectional,
    _brown_warner_1980,
    _brown_warner_1985,
    _patell,
    _bmp,
    _bmp_correlated,
    _rank,
    _sign,
    _generalised_sign,
    _wilcoxon,
)


def mean_correlation(residuals: FloatArray) -> float | None:
    """Return the mean correlation of the shares' residuals with each other over the days that pairs have in common.

    Parameters
    ----------
    residuals
        Shape (shares, days), NaN where there is none; two shares or more.

    Examples
    --------
    >>> round(mean_correlation(np.array([[0.01, -0.01, 0.02, -0.02], [0.01, -0.01, 0.02, -0.02]])), 6)
    1.0
    """
    is_seen = np.isfinite(residuals)
    seen, known = is_seen.astype(float), np.where(is_seen, residuals, 0.0)
    pairs = np.triu_indices(residuals.shape[0], 1)
    # Sums over the days that a pair has in common: entry (i, j) sums share i's over days of share j.
    days, sums = seen @ seen.T, known @ seen.T
    if not pairs[0].size or days[pairs].min() < FEWEST_COMMON_DAYS:
        return None
    squares = known**2 @ seen.T - sums**2 / days
    products = known @ known.T - sums * sums.T / days
    return float((products[pairs] / np.sqrt(squares[pairs] * squares.T[pairs])).mean())


def _standardised(abnormal: AbnormalReturns, window: slice) -> tuple[FloatArray, NDArray[np.int64]]:
    total = cumulated(abnormal, window)
    taken = total.days > 0
    return total.value[taken] / total.standard_error[taken], abnormal.degrees_of_freedom[taken]


def _known(values: FloatArray) -> FloatArray:
    return np.asarray(values[np.isfinite(values)])


def _mean_over_shares(values: FloatArray) -> FloatArray:
    shares = np.isfinite(values).sum(axis=0)
    return np.where(shares > 0, np.nansum(values, axis=0) / np.maximum(shares, 1), np.nan)


def _student_of_mean(name: str, values: FloatArray) -> Significance:
    if values.size < FEWEST_SHARES:
        return Significance(name, None, None, "t", "needs two shares or more: one has no spread across shares")
    spread = float(values.std(ddof=1))
    if spread <= 0.0:
        return Significance(name, None, None, "t", "the shares do not differ")
    return _student(name, float(values.mean()) / spread * math.sqrt(values.size), values.size - 1.0)


def _student(name: str, statistic: float, freedom: float) -> Significance:
    from scipy.special import stdtr

    return Significance(name, statistic, float(2.0 * stdtr(freedom, -abs(statistic))), f"t({freedom:g})")


def _normal(name: str, statistic: float) -> Significance:
    return Significance(name, statistic, math.erfc(abs(statistic) / math.sqrt(2.0)), "normal")


def _binomial(name: str, values: FloatArray, share_up: float) -> Significance:
    from scipy.stats import binomtest

    distribution = f"binomial({values.size}, {share_up:.3g})"
    if not values.size or not 0.0 < share_up < 1.0:
        return Significance(name, None, None, distribution, "no share moved")
    ups = int((values > 0).sum())
    statistic = (ups - values.size * share_up) / math.sqrt(values.size * share_up * (1.0 - share_up))
    return Significance(name, statistic, float(binomtest(ups, values.size, share_up).pvalue), distribution)


def _nothing(name: str) -> Significance:
    return Significance(name, None, None, "", "no share has a return in the window")
