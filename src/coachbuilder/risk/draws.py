"""Draws over the assumptions of a programme: Latin hypercube points through each assumption's spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme import Programme

BLOCK = 5000
"""Draws of one hypercube."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Drawn values of every uncertain assumption.

    Parameters
    ----------
    paths
        Paths of the assumptions, in the order of the columns.
    z
        Standard normal scores, shape (draws, assumptions).
    values
        Values of the assumptions in their own units, shape (draws, assumptions).
    """

    paths: tuple[str, ...]
    z: NDArray[np.float64]
    values: NDArray[np.float64]

    def values_of(self, draw: int) -> dict[str, float]:
        """Return one draw as values by path."""
        return dict(zip(self.paths, self.values[draw].tolist(), strict=True))


def draw(programme: Programme, count: int, seed: int) -> Draws:
    """Draw ``count`` points of the joint spread, assumptions independent of each other.

    Latin hypercube (McKay, Beckman and Conover 1979): each assumption's spread is cut into ``count`` slices of
    equal probability and each slice is hit once. ``BLOCK`` draws and more come in blocks of that size, each a
    hypercube of its own, so that a draw depends on the seed and its number alone and a longer run goes on from a
    shorter one.

    Parameters
    ----------
    programme
        Assumptions with their 90 % intervals.
    count
        Number of draws, 1 or more.
    seed
        Seed of the points; the same seed gives the same draws.
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    uncertain = {path: item for path, item in programme.assumptions.items() if not item.is_certain}
    if not uncertain:
        return Draws((), np.zeros((count, 0)), np.zeros((count, 0)))
    if count < BLOCK:
        points = qmc.LatinHypercube(d=len(uncertain), rng=np.random.default_rng(seed)).random(count)
    else:
        blocks = [
            qmc.LatinHypercube(d=len(uncertain), rng=np.random.default_rng([seed, block])).random(BLOCK)
            for block in range(-(-count // BLOCK))
        ]
        points = np.concatenate(blocks)[:count]
    z = ndtri(np.clip(points, 1e-12, 1 - 1e-12))
    values = np.column_stack([item.at_standard_normal(z[:, column]) for column, item in enumerate(uncertain.values())])
    return Draws(tuple(uncertain), z, values)
