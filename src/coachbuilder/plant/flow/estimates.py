"""Means with confidence over replications, and where a warm-up ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.answer import Estimate

F8 = NDArray[np.float64]

BATCH_MEANS = 10
"""Groups into which one long run is cut for a confidence interval; few and long, so that they hardly depend on each
other (Schmeiser 1982 finds 10 to 30 enough)."""


def half_width_95(standard_error: float, freedom: int) -> float:
    """Return the half width of a 95 % confidence interval by Student's t.

    Examples
    --------
    >>> round(half_width_95(1.0, 9), 3)
    2.262
    """
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975)) * standard_error


def estimate_of(values: F8, batches: F8 | None = None) -> Estimate:
    """Return the mean over replications with its confidence interval.

    Parameters
    ----------
    values
        (R,) one figure a replication.
    batches
        The same figure batch by batch; with a single replication the interval comes from these.

    Examples
    --------
    >>> round(estimate_of(np.array([1.0, 2.0, 3.0])).ci95, 3)
    2.484
    """
    mean = float(values.mean())
    if values.size == 1 and batches is not None and batches.size >= 2 * BATCH_MEANS:
        size = batches.size // BATCH_MEANS
        values = batches[batches.size - size * BATCH_MEANS :].reshape(BATCH_MEANS, size).mean(axis=1)
    if values.size < 2:
        return Estimate(mean, None, None)
    error = float(np.std(values, ddof=1)) / math.sqrt(values.size)
    return Estimate(mean, half_width_95(error, values.size - 1), error)


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and spread over replications of many figures at once."""

    count: int
    """Replications."""
    mean: F8
    """Mean of every figure."""
    squares: F8
    """Sum of squared deviations from it."""

    @classmethod
    def of(cls, values: F8) -> Moments:
        """Return those of ``values``, whose first axis is replications."""
        mean = values.mean(axis=0)
        return cls(values.shape[0], mean, ((values - mean) ** 2).sum(axis=0))

    def joined(self, other: Moments) -> Moments:
        """Return those of both together (Chan, Golub and LeVeque 1983).

        Examples
        --------
        >>> Moments.of(np.array([1.0, 2.0])).joined(Moments.of(np.array([6.0]))).mean.item()
        3.0
        """
        count = self.count + other.count
        apart = other.mean - self.mean
        return Moments(
            count,
            self.mean + apart * (other.count / count),
            self.squares + other.squares + apart**2 * (self.count * other.count / count),
        )

    def estimates(self, row: int, scale: float) -> list[Estimate]:
        """Return the figures of one row, each times ``scale``."""
        means = (self.mean[row] * scale).tolist()
        if self.count < 2:
            return [Estimate(mean, None, None) for mean in means]
        errors = np.sqrt(self.squares[row] / (self.count * (self.count - 1))) * scale
        factor = half_width_95(1.0, self.count - 1)
        return [Estimate(mean, factor * error, error) for mean, error in zip(means, errors.tolist(), strict=True)]


def mser(batches: F8) -> tuple[int, bool]:
    """Return how many batches to cut off by the marginal standard error rule, and whether that is at its limit.

    The cut ``d`` makes ``sum of (y - mean)² over the rest / (n - d)²`` least. With batches of five observations it is
    MSER-5 (White, Cobb and Spratt 2000). At most half of the run is cut; a minimum there says that the run found no
    steady state, or is too short to tell.

    Parameters
    ----------
    batches
        (n,) means of batches, averaged over replications.

    Examples
    --------
    >>> mser(np.array([0.0, 5.0, 9.0, 10.0, 9.0, 10.0, 9.0, 10.0, 9.0, 10.0]))
    (2, False)
    """
    count = batches.size
    limit = count // 2
    scores = [
        float(((rest := batches[cut:]) - rest.mean()) @ (rest - rest.mean())) / rest.size**2 for cut in range(limit + 1)
    ]
    # Rounding may make equal series differ in the last digit; the shorter cut is meant then.
    least = min(scores)
    cut = next(cut for cut, score in enumerate(scores) if score <= least * (1.0 + 1e-9) + 1e-300)
    return cut, 0 < cut == limit


def chance_above(values: F8, limit: float = 0.0) -> float:
    """Return how likely the mean behind some replications is above ``limit``, by Student's t.

    Examples
    --------
    >>> chance_above(np.array([1.0, -1.0])), round(chance_above(np.array([2.0, 3.0, 4.0])), 3)
    (0.5, 0.982)
    """
    from scipy.special import stdtr

    apart = float(values.mean()) - limit
    error = float(np.std(values, ddof=1)) / math.sqrt(values.size) if values.size > 1 else math.inf
    if error == 0.0:
        return 0.5 if apart == 0.0 else float(apart > 0.0)
    return float(stdtr(values.size - 1, apart / error)) if values.size > 1 else 0.5


DRAWS = 4000
"""Draws behind a probability of being best: it is right to about 0.01."""


def chances_best(values: F8, tolerance: float = 0.0) -> F8:
    """Return how likely each of several means is the largest, or falls short of it by no more than ``tolerance``.

    The means behind replications with common random numbers are drawn from their multivariate t distribution (the
    posterior without prior knowledge; Chick and Inoue 2001 rank systems in this way).

    Parameters
    ----------
    values
        (K, R) one figure for each alternative and replication, R at least 2.
    tolerance
        How much less does not matter.

    Examples
    --------
    >>> chances_best(np.array([[1.0, 2.0, 3.0], [2.0, 3.1, 4.0]])).round(2).tolist()
    [0.0, 1.0]
    """
    count = values.shape[1]
    means = values.mean(axis=1)
    apart = values - means[:, None]
    random = np.random.default_rng(1)
    normal = random.standard_normal((DRAWS, count)) / math.sqrt(count * (count - 1))
    wide = np.sqrt((count - 1) / random.chisquare(count - 1, DRAWS))
    drawn = means + (normal @ apart.T) * wide[:, None]
    return np.asarray((drawn >= drawn.max(axis=1, keepdims=True) - tolerance).mean(axis=0))
