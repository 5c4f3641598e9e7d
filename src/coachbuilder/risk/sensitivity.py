"""Which assumption, claim or stage the spread of the answer comes from: shares of the variance (Sobol' indices).

The first-order index of a group of assumptions is the share of the variance that would go if the group were known, the
total index the share that would stay if all the others were known. Groups are frozen together, so that what their
members do only together is counted in the group (Sobol' 1993; Saltelli et al. 2010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from coachbuilder.risk.claims import CHANCE_SHARES

F8 = NDArray[np.float64]

RESAMPLES = 500
"""Bootstrap samples behind an interval."""

LEVEL = 0.95
"""Confidence of the intervals."""

DEGREE = 8
"""Highest degree of the polynomials that a first-order index from given draws is fitted with."""

DRAWS_PER_TERM = 100
"""Draws for each function of a score: with fewer their chance would drown small shares."""

MOST_BLOCKS = 2000
"""Blocks of consecutive draws that the bootstrap resamples where there are more draws than that."""

FEWEST_DRAWS = 32
"""Draws below which no index is told."""

DRAWS_PER_SUM_TERM = 4
"""Draws for each term of a sum that stands in for the answer."""


@dataclass(frozen=True, slots=True)
class Index:
    """Share of a variance, with its interval."""

    share: float
    """Estimate; it may fall a little outside 0 to 1 by chance."""
    low: float
    """Lower end of its 95 % bootstrap interval."""
    high: float
    """Upper end."""


@dataclass(frozen=True, slots=True)
class GroupIndices:
    """What one group of assumptions does to one figure."""

    group: str
    """Name of the group; the path of an assumption that stands alone."""
    paths: tuple[str, ...]
    """Its assumptions."""
    first: Index
    """First-order index."""
    total: Index
    """Total index."""


@dataclass(frozen=True, slots=True)
class Design:
    """Points of a Sobol' design: two independent matrices and, for each group, the first with the group of the second.

    Parameters
    ----------
    z
        (rows x (2 + groups), assumptions) standard normal scores: A, B, then A with the group's columns of B.
    rows
        Rows of each matrix.
    columns
        Columns of every group.
    """

    z: F8
    rows: int
    columns: tuple[tuple[int, ...], ...]


def design(assumptions: int, groups: Sequence[Sequence[int]], rows: int, seed: int) -> Design:
    """Return a design over standard normal scores, from a scrambled Sobol' sequence.

    Parameters
    ----------
    assumptions
        Columns.
    groups
        Columns of every group; groups may overlap, each is looked at by itself.
    rows
        Rows of each of the two matrices; rounded up to a power of two.
    seed
        Seed of the scrambling.
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    power = max(1, int(np.ceil(np.log2(max(rows, 2)))))
    rows = 2**power
    points = qmc.Sobol(d=2 * assumptions, scramble=True, rng=np.random.default_rng([seed, 1])).random_base2(power)
    z = ndtri(np.clip(points, 1e-12, 1 - 1e-12))
    first, second = z[:, :assumptions], z[:, assumptions:]
    parts = [first, second]
    for columns in groups:
        mixed = first.copy()
        mixed[:, list(columns)] = second[:, list(columns)]
        parts.append(mixed)
    return Design(np.concatenate(parts), rows, tuple(tuple(columns) for columns in groups))


@dataclass(frozen=True, slots=True)
class AdditiveAnswer:
    """A sum of lines and parabolas of single scores, whose shares are known.

    Parameters
    ----------
    line, parabola
        (assumptions,) weights of each score and of its square, both scaled to unit variance.
    """

    line: F8
    parabola: F8

    def at(self, z: F8) -> F8:
        """Return the sum at each point, 0 on average."""
        return np.asarray(z @ self.line + _parabola(z) @ self.parabola)

    def variance_of(self, columns: Sequence[int]) -> float:
        """Return what some assumptions add to its variance."""
        return float((self.line[list(columns)] ** 2 + self.parabola[list(columns)] ** 2).sum())

    def on(self, made: Design) -> KnownAnswer:
        """Return it at the points of a design, with what is known of it."""
        groups = [self.variance_of(columns) for columns in made.columns]
        return KnownAnswer(self.at(made.z), np.array([0.0, self.variance_of(range(self.line.size)), *groups, *groups]))


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """An answer at the points of a design whose variances need no estimate.

    Parameters
    ----------
    outcome
        (rows x (2 + groups),) the answer.
    expected
        (2 + 2 x groups,) its mean, its variance, and what of that every group has alone and in all.
    """

    outcome: F8
    expected: F8


def additive_answer(z: F8, outcome: F8) -> AdditiveAnswer:
    """Return the sum of lines and parabolas that comes closest to an outcome over given draws.

    Terms are let in while they go with what the others leave over, by more than chance would; at most one for every
    :data:`DRAWS_PER_SUM_TERM` draws.

    Parameters
    ----------
    z
        (draws, assumptions) independent standard normal scores.
    outcome
        (draws,) outcome; draws without one are left out.
    """
    known = np.isfinite(outcome)
    y, scores = outcome[known], z[known]
    size = scores.shape[1]
    weights = np.zeros(2 * size)
    if y.size >= FEWEST_DRAWS and y.std() > 0.0:
        y = y - y.mean()
        terms = np.hstack([scores, _parabola(scores)])
        terms -= terms.mean(axis=0)
        lengths = np.linalg.norm(terms, axis=0)
        chosen: list[int] = []
        left = y
        while (room := y.size // DRAWS_PER_SUM_TERM - len(chosen)) > 0 and np.linalg.norm(left) > 1e-9 * y.std():
            share = (terms.T @ left / (lengths * np.linalg.norm(left))) ** 2
            share[chosen] = 0.0
            new = np.flatnonzero(share > CHANCE_SHARES * (1.0 - share) / (y.size - 2))
            if not new.size:
                break
            chosen += new[np.argsort(-share[new], kind="stable")][:room].tolist()
            found = np.linalg.lstsq(terms[:, chosen], y, rcond=None)[0]
            left = y - terms[:, chosen] @ found
        if chosen:
            weights[chosen] = found
    return AdditiveAnswer(weights[:size], weights[size:])


def _parabola(z: F8) -> F8:
    return np.asarray((z**2 - 1.0) / np.sqrt(2.0))


def indices(
    outcome: F8,
    rows: int,
    names: Sequence[str],
    paths: Sequence[Sequence[str]],
    seed: int = 0,
    beside: KnownAnswer | None = None,
) -> tuple[GroupIndices, ...]:
    """Return the indices of every group from the outcome of a design.

    First order by Saltelli et al. (2010, table 2, formula b), total by Jansen (1999), both on the outcome less its
    mean. Rows in which a point has no outcome are left out of all matrices.

    Where an answer is given whose variances are known, they are estimated too, from the same points, and what that
    misses is taken off as far as it goes with what the outcome misses (a control variate): on average next to nothing
    changes, but the more alike the two answers are, the less is left to chance.

    Parameters
    ----------
    outcome
        (rows x (2 + groups),) outcome at the points of :func:`design`.
    rows
        Rows of each matrix.
    names
        Names of the groups.
    paths
        Assumptions of the groups.
    seed
        Seed of the bootstrap.
    beside
        An answer much like this one at the same points, see :meth:`AdditiveAnswer.on`.
    """
    table = outcome.reshape(-1, rows)
    is_known = np.isfinite(table).all(axis=0)
    table = table[:, is_known]
    count = table.shape[1]
    if count < FEWEST_DRAWS:
        return ()
    weights = _weights(count, [seed, 2])
    terms = _terms(table, 0.5 * float(table[0].mean() + table[1].mean()))
    means, again = terms.mean(axis=1), weights @ _blocks(terms.T)
    if means[1] <= 0.0:
        return ()
    if beside is not None:
        other = beside.outcome.reshape(-1, rows)[:, is_known]
        own = _terms(table, 0.5 * float((table[:2] - other[:2]).mean(axis=1).sum()))
        other = _terms(other, 0.0)
        centred = other - other.mean(axis=1, keepdims=True)
        square = (centred**2).sum(axis=1)
        # The share of its misses that least varies what is left: 1 where the answers are one, 0 where it tells nothing.
        taken = (own * centred).sum(axis=1) / np.where(square > 0.0, square, np.inf)
        left, known = own - taken[:, None] * other, taken * beside.expected
        means, again = left.mean(axis=1) + known, weights @ _blocks(left.T) + known
    variance, variance_again = means[1] - means[0] ** 2, again[:, 1] - again[:, 0] ** 2
    pairs = [_index(float(means[row] / variance), again[:, row] / variance_again) for row in range(2, len(means))]
    groups = zip(names, paths, pairs[: len(names)], pairs[len(names) :], strict=True)
    return tuple(GroupIndices(name, tuple(members), first, total) for name, members, first, total in groups)


def _terms(table: F8, mean: float) -> F8:
    """Return, row by row, what averages to the mean, the variance, every group's first-order and its total part."""
    a, b, mixed = table[0] - mean, table[1] - mean, table[2:] - mean
    return np.vstack([0.5 * (a + b), 0.5 * (a**2 + b**2), b * (mixed - a), 0.5 * (a - mixed) ** 2])


def _weights(count: int, seed: list[int]) -> F8:
    """Return (RESAMPLES, blocks) how much each block counts in each sample of the bootstrap."""
    blocks = _blocks(np.empty(count)).size
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1.0 / blocks), RESAMPLES)
    return np.asarray(drawn / blocks)


def _blocks(terms: F8) -> F8:
    """Return the means of blocks of consecutive draws; of a last block that is not full nothing is kept."""
    size = -(-terms.shape[0] // MOST_BLOCKS)
    whole = terms[: terms.shape[0] // size * size]
    return np.asarray(whole.reshape(-1, size, *terms.shape[1:]).mean(axis=1))


def _index(share: float, again: F8) -> Index:
    low, high = np.quantile(again, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Index(share, float(low), float(high))


def first_order(z: F8, outcome: F8, seed: int = 0) -> list[Index]:
    """Return the first-order index of every column from draws that are there already.

    The outcome is regressed on each score by itself: on the score, which is all that a linear answer needs, and on
    Legendre polynomials of its rank, made orthonormal over the draws (a polynomial chaos expansion in one variable at a
    time, Sudret 2008). The squared correlations of a column add up to its index. Chance gives each of them
    ``(1 - share) / n`` on average, which is taken off. The interval is that of the bootstrap.

    Parameters
    ----------
    z
        (draws, assumptions) independent standard normal scores.
    outcome
        (draws,) outcome; draws without one are left out.
    seed
        Seed of the bootstrap.
    """
    known = np.isfinite(outcome)
    y, scores = outcome[known], z[known]
    count = y.size
    if count < FEWEST_DRAWS or y.std() == 0.0:
        return [Index(0.0, 0.0, 0.0)] * z.shape[1]
    y = (y - y.mean()) / y.std()
    weights = _weights(count, [seed, 3])
    means = weights @ _blocks(y)
    spread_again = weights @ _blocks(y**2) - means**2
    size = min(DEGREE + 1, max(1, count // DRAWS_PER_TERM))
    found = []
    for column in range(z.shape[1]):
        basis = _basis(scores[:, column], size)
        terms = basis * y[:, None]
        share = _without_chance(float((terms.mean(axis=0) ** 2).sum()), size, count)
        again = ((weights @ _blocks(terms) - (weights @ _blocks(basis)) * means[:, None]) ** 2).sum(
            axis=1
        ) / spread_again
        # A resample carries the chance of the draws and its own.
        found.append(_index(share, _without_chance(_without_chance(again, size, count), size, count)))
    return found


_Share = TypeVar("_Share", float, F8)


def _without_chance(share: _Share, size: int, count: int) -> _Share:
    return share - size * (1.0 - share) / count


def _basis(score: F8, size: int) -> F8:
    """Return (draws, size) functions of a standard normal score, orthonormal over the draws."""
    from scipy.special import ndtr

    vander: Any = np.polynomial.legendre.legvander
    legendre = vander(2.0 * ndtr(score) - 1.0, DEGREE)
    # The first polynomial says hardly more than the score itself.
    columns = np.column_stack([score, legendre[:, 2:], legendre[:, 1]])[:, :size]
    orthogonal, _ = np.linalg.qr(columns - columns.mean(axis=0))
    return np.asarray(orthogonal * np.sqrt(score.size))


def groups_by(owner: Mapping[str, str], paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the paths of each owner, in the order in which owners first appear.

    Parameters
    ----------
    owner
        Owner of each path: its evidence, its stage.
    paths
        The paths.

    Examples
    --------
    >>> groups_by({"a": "x", "b": "y", "c": "x"}, ["a", "b", "c"])
    {'x': ('a', 'c'), 'y': ('b',)}
    """
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(owner[path], []).append(path)
    return {name: tuple(members) for name, members in found.items()}
