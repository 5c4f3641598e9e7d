"""Options on demand: closed forms, lattices and least-squares Monte Carlo.

Three ways to the same value, so that each checks the others: the closed forms of Black and Scholes (1973) and Margrabe
(1978), Journal of Finance 33, pages 177 to 186; backward induction on the binomial lattice of Cox, Ross and Rubinstein
(1979), Journal of Financial Economics 7, pages 229 to 263, and on a grid for a factor that may come back to its mean;
and regression over simulated paths: Longstaff and Schwartz (2001), Review of Financial Studies 14, pages 113 to 147.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

QUADRATURE_NODES = 24
"""Points of the Gauss-Hermite rule by which a step of the grid is taken."""
GRID_POINTS = 401
"""Points of the grid at each date."""
GRID_REACH = 5.0
"""The grid reaches so many standard deviations of the last date's logarithm to each side."""
DEGREE = 4
"""Degree of the polynomial that paths are regressed on."""


@dataclass(frozen=True, slots=True)
class DemandProcess:
    """A positive factor on demand whose mean is 1 at every date, seen from date 0.

    Its logarithm is a Brownian motion, or one pulled back at a rate (Ornstein and Uhlenbeck), less half its variance.

    Examples
    --------
    >>> DemandProcess(0.3, 0.0).variance(4.0)
    0.36
    """

    volatility_share: float
    """Standard deviation of a year's change of the logarithm, 0 or more."""
    reversion_per_year: float
    """Rate at which the logarithm comes back; 0 for a geometric Brownian motion."""

    def variance(self, years: float) -> float:
        """Return the variance of the logarithm after so many years."""
        rate = self.reversion_per_year
        grown = years if rate * years < 1e-9 else -math.expm1(-2 * rate * years) / (2 * rate)
        return self.volatility_share**2 * grown

    def log_deviation(self, years: float) -> float:
        """Return the standard deviation of the logarithm after so many years."""
        return math.sqrt(self.variance(years))

    def paths(self, dates_years: Vector, count: int, seed: int) -> Vector:
        """Return simulated factors, shape (dates, count); every path has a mirrored twin.

        Parameters
        ----------
        dates_years
            Dates in years from now, ascending from 0 or later, shape (dates,).
        count
            Number of paths, even.
        seed
            Seed of the draws.
        """
        rng = np.random.default_rng(seed)
        log = np.zeros(count)
        at = 0.0
        found = np.empty((dates_years.size, count))
        for row, date in enumerate(dates_years.tolist()):
            half = rng.standard_normal(count // 2)
            step = date - at
            log = log * math.exp(-self.reversion_per_year * step)
            log = log + self.log_deviation(step) * np.concatenate([half, -half])
            found[row] = np.exp(log - self.variance(date) / 2)
            at = date
        return found


@dataclass(frozen=True, slots=True)
class Stopping:
    """When to stop, found on some paths and valued on others."""

    value: float
    """Mean reward over the paths that did not find the rule: a lower bound but for sampling."""
    error: float
    """Its standard error."""
    stopped_share: Vector
    """Share of these paths that stop, by date, shape (dates,)."""


def black_scholes(
    spot: float, strike: float, rate: float, volatility: float, years: float, *, income_rate: float = 0.0
) -> tuple[float, float]:
    """Return the values of a European call and put.

    Parameters
    ----------
    spot, strike
        Price now, and price at which may be bought or sold.
    rate, income_rate
        Continuous rates of discount and of what the holder of the thing earns meanwhile.
    volatility
        Standard deviation of a year's logarithmic return, above 0.
    years
        Until it expires, above 0.

    Examples
    --------
    >>> call, put = black_scholes(100.0, 100.0, 0.05, 0.2, 1.0)
    >>> round(call, 4), round(put, 4)
    (10.4506, 5.5735)
    """
    forward, kept = spot * math.exp(-income_rate * years), strike * math.exp(-rate * years)
    return margrabe(forward, kept, volatility, years), margrabe(kept, forward, volatility, years)


def margrabe(got: float, given: float, volatility: float, years: float) -> float:
    """Return the value of the right to exchange one thing for another at a date.

    Parameters
    ----------
    got, given
        Present values of the two, income until the date taken off.
    volatility
        Standard deviation of a year's change of the logarithm of their ratio, above 0.
    years
        Until the date, above 0.
    """
    spread = volatility * math.sqrt(years)
    upper = math.log(got / given) / spread + spread / 2
    return got * _normal_below(upper) - given * _normal_below(upper - spread)


def binomial(
    spot: float,
    strike: float,
    rate: float,
    volatility: float,
    years: float,
    *,
    steps: int,
    call: bool,
    american: bool,
    income_rate: float = 0.0,
) -> float:
    """Return the value of an option on the lattice of Cox, Ross and Rubinstein.

    Parameters
    ----------
    spot, strike, rate, volatility, years, income_rate
        As in :func:`black_scholes`.
    steps
        Steps of the lattice.
    call
        True for the right to buy, false for the right to sell.
    american
        True if it may be used at any step.

    Raises
    ------
    ValueError
        If the steps are too long for the rate, so that a probability would leave 0 to 1.
    """
    step = years / steps
    up = math.exp(volatility * math.sqrt(step))
    chance = (math.exp((rate - income_rate) * step) - 1 / up) / (up - 1 / up)
    if not 0 <= chance <= 1:
        message = f"{steps} steps are too few for this rate and volatility"
        raise ValueError(message)
    sign = 1.0 if call else -1.0
    discount = math.exp(-rate * step)
    value = np.maximum(sign * (spot * up ** (2.0 * np.arange(steps + 1) - steps) - strike), 0.0)
    for left in range(steps - 1, -1, -1):
        value = discount * (chance * value[1:] + (1 - chance) * value[:-1])
        if american:
            value = np.maximum(value, sign * (spot * up ** (2.0 * np.arange(left + 1) - left) - strike))
    return float(value[0])


@dataclass(frozen=True, slots=True)
class FactorGrid:
    """A demand process on a grid: its factors by date and how one date's values look from the date before."""

    factors: Vector
    """Factors, shape (dates, points); the first date has 1 alone, repeated."""
    steps: tuple[Vector, ...]
    """Weights of the next date's points, shape (points, points) for each date but the last."""

    @classmethod
    def of(cls, process: DemandProcess, dates_years: Vector, points: int = GRID_POINTS) -> FactorGrid:
        """Return the grid; steps are taken by Gauss-Hermite quadrature and linear interpolation of the values.

        Parameters
        ----------
        process
            The process.
        dates_years
            Dates from 0 on, ascending, shape (dates,).
        points
            Points at each date.
        """
        nodes, weights = hermite_rule(QUADRATURE_NODES)
        place = np.linspace(-GRID_REACH, GRID_REACH, points)
        logs = [process.log_deviation(date) * place for date in dates_years.tolist()]
        steps = []
        for row, step in enumerate(np.diff(dates_years).tolist()):
            drawn = logs[row][:, None] * math.exp(-process.reversion_per_year * step)
            drawn = drawn + process.log_deviation(step) * nodes
            steps.append(_interpolation(logs[row + 1], drawn, weights))
        factors = [
            np.exp(log - process.variance(date) / 2) for log, date in zip(logs, dates_years.tolist(), strict=True)
        ]
        return cls(np.array(factors), tuple(steps))

    def before(self, date: int, values: Vector) -> Vector:
        """Return the mean of the values at date ``date`` + 1 as seen from each point of ``date``."""
        mean: Vector = self.steps[date] @ values
        return mean


def _interpolation(grid: Vector, drawn: Vector, weights: Vector) -> Vector:
    """Return the weights by which values on a grid make the mean over drawn places; shape (points, points)."""
    points = grid.size
    found = np.zeros((drawn.shape[0], points))
    width = (grid[-1] - grid[0]) / (points - 1)
    if width <= 0:
        found[:, points // 2] = 1.0
        return found
    at = np.clip((drawn - grid[0]) / width, 0.0, points - 1.0)
    low = np.minimum(at.astype(np.int64), points - 2)
    rest = at - low
    rows = np.broadcast_to(np.arange(drawn.shape[0])[:, None], drawn.shape)
    np.add.at(found, (rows, low), (1 - rest) * weights)
    np.add.at(found, (rows, low + 1), rest * weights)
    return found


def stop_on_grid(grid: FactorGrid, reward: Vector) -> tuple[float, Vector]:
    """Return the value of stopping once or never at the best date, and from which points stopping is better.

    Parameters
    ----------
    grid
        The process.
    reward
        Mean reward, valued at date 0, of stopping at each date and point, shape (dates, points); -inf forbids it.

    Returns
    -------
    tuple of float and array
        Value at date 0, and whether to stop, shape (dates, points).
    """
    stops = np.zeros(reward.shape, dtype=bool)
    value = np.zeros(reward.shape[1])
    for date in range(reward.shape[0] - 1, -1, -1):
        later = grid.before(date, value) if date < reward.shape[0] - 1 else value
        stops[date] = reward[date] > later
        value = np.maximum(reward[date], later)
    return float(value[value.size // 2]), stops


def stop_by_regression(state: Vector, reward: Vector, *, known: bool, degree: int = DEGREE) -> Stopping:
    """Return what stopping once or never at the best date is worth: Longstaff and Schwartz.

    One half of the paths finds the rule, the other half is valued with it, so that no path knows its own future.

    Parameters
    ----------
    state
        What is seen at each date, shape (dates, paths), all above 0; the mirrored twins of paths stand in the second
        half of them, as :meth:`DemandProcess.paths` leaves them.
    reward
        Reward, valued at date 0, of stopping at each date, shape (dates, paths).
    known
        True if the reward is known at its date, as that of an option is; false if it comes later, so that its mean
        must be found by regression too.
    degree
        Degree of the polynomial in the logarithm of the state.
    """
    dates, paths = state.shape
    twin = np.arange(paths) % (paths // 2)
    finders, valued = twin % 2 == 0, twin % 2 == 1
    log = np.log(state)
    spread = np.maximum(log.std(axis=1, keepdims=True), 1e-12)
    scaled = (log - log.mean(axis=1, keepdims=True)) / spread
    got = np.zeros(paths)
    stopped_at = np.full(paths, dates)
    for date in range(dates - 1, -1, -1):
        basis = np.vander(scaled[date], degree + 1)
        gain = reward[date] - got
        if known:
            # Where stopping pays nothing it is never better than going on; those paths only blur the fit.
            fitted = finders & (reward[date] > 0)
            if fitted.sum() <= 2 * degree:
                stop = np.zeros(paths, dtype=bool)
            else:
                later = basis @ _fit(basis[fitted], got[fitted])
                stop = (reward[date] > 0) & (reward[date] >= later)
        else:
            stop = basis @ _fit(basis[finders], gain[finders]) > 0
        got = np.where(stop, reward[date], got)
        stopped_at[stop] = date
    pairs = got[valued].reshape(2, -1).mean(axis=0)
    return Stopping(
        value=float(pairs.mean()),
        error=float(pairs.std(ddof=1)) / math.sqrt(pairs.size),
        stopped_share=np.bincount(stopped_at[valued], minlength=dates + 1)[:dates] / int(valued.sum()),
    )


def hermite_rule(count: int) -> tuple[Vector, Vector]:
    """Return points and probabilities that stand for a standard normal variable: the Gauss-Hermite rule.

    Parameters
    ----------
    count
        Number of points; polynomials up to degree 2 count - 1 have their exact mean.
    """
    from scipy.special import roots_hermitenorm

    points, weights = roots_hermitenorm(count)
    return np.asarray(points), np.asarray(weights / weights.sum())


def _fit(basis: Vector, wanted: Vector) -> Vector:
    solved: Vector = np.linalg.lstsq(basis, wanted, rcond=None)[0].astype(np.float64)
    return solved


def _normal_below(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2
