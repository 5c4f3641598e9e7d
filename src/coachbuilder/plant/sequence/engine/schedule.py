"""What the search is after, one leg after the other: objectives, moves and temperature."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.bounds import objective_weights
from coachbuilder.plant.sequence.interface import SequenceInputs, SequenceObjective

COLUMN = {
    SequenceObjective.HIGH_PRIORITY: 0,
    SequenceObjective.LOW_PRIORITY: 1,
    SequenceObjective.COLOUR_CHANGES: 2,
}
"""Where an objective's weight stands in the arrays of the kernels."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of the search."""

    share: float
    """Part of the whole search."""
    objectives: tuple[SequenceObjective, ...]
    """Objectives that count, most important first."""
    weight: NDArray[np.float64]
    """Weight of high priority, low priority and colour changes when a change is judged, shape (3,)."""
    hot: float
    """Temperature at its begin, in units of the least weight."""
    cold: float
    """Temperature at its end."""
    slack: float
    """What rules of low priority are trusted to win back."""
    menu: NDArray[np.uint8]
    """Moves in their proportions, shape (256,)."""
    from_best: bool
    """Whether it begins with the best order of all threads."""
    ends_at_none: bool
    """Whether there is nothing left to do once the objectives are at 0."""

    def heat(self, part: float) -> float:
        """Return the temperature at a part of the leg, from 0 to 1."""
        return float(self.hot * (self.cold / self.hot) ** min(max(part, 0.0), 1.0))


def legs_of(inputs: SequenceInputs, length: float, reached: Callable[[], int]) -> Iterator[Leg]:
    """Yield the legs of a search; their shares sum to 1.

    Parameters
    ----------
    inputs
        The day.
    length
        About how many million changes one thread will look at.
    reached
        Tells the least objective so far.
    """
    weights = objective_weights(inputs)
    ranked = tuple(sorted((name for name in weights if weights[name] > 0), key=lambda name: -weights[name]))
    if not ranked:
        return
    if len(ranked) == 1:
        yield from _single(ranked, length)
        return
    two = ranked[:2]
    # A good order soon, for whoever stops the search early.
    yield _leg(0.02, ranked, (400.0, 20.0, 1.0)[3 - len(ranked) :], 0.3, 0.1)
    colours = SequenceObjective.COLOUR_CHANGES
    if colours == two[1]:
        # Colours are in order or in chaos: what is warm for rules melts every batch.
        yield _leg(0.25, two, (100.0, 1.0), 0.16, 0.08, from_best=True)
        if reached() >= weights[two[0]]:
            yield _leg(0.08, two, (3.0, 1.0), 0.5, 0.1)
        else:
            yield _leg(0.08, two, (100.0, 1.0), 0.12, 0.06, from_best=True)
        yield _leg(0.12, two, (100.0, 1.0), 0.12, 0.06, from_best=True)
    elif colours == two[0]:
        yield _leg(0.45, two, (100.0, 1.0), 1.0, 0.1, from_best=True)
    else:
        yield _leg(0.12, two[:1], (1.0,), 0.5, 0.1, menu=_PLAIN, ends_at_none=True)
        yield _leg(0.33, two, (100.0, 1.0), 1.0, 0.1, from_best=True)
    if len(ranked) == 2:
        cold = 0.06 if colours == two[1] else 0.1
        yield _leg(0.53, two, (100.0, 1.0), 2 * cold, cold, from_best=True)
        return
    yield _leg(0.32, ranked, (400.0, 20.0, 1.0), 3.0, 0.15, from_best=True)
    yield _leg(0.21, ranked, (400.0, 20.0, 1.0), 1.0, 0.12, from_best=True)


def _single(ranked: tuple[SequenceObjective, ...], length: float) -> Iterator[Leg]:
    """Yield legs for one objective: each twice as long as the one before, from the best order."""
    legs = max(1, int(np.log2(max(length / SHORTEST_LEG, 1.0)) + 1))
    shares = 2.0 ** np.arange(legs)
    for share in shares / shares.sum():
        yield _leg(float(share), ranked, (1.0,), HOT, COLD, menu=_PLAIN, from_best=True, ends_at_none=True)


SHORTEST_LEG, HOT, COLD = 2.0, 0.15, 0.08
"""Shortest leg of a search for one objective in millions of changes; its first and last temperature."""


def _leg(
    share: float,
    objectives: tuple[SequenceObjective, ...],
    by_rank: tuple[float, ...],
    hot: float,
    cold: float,
    *,
    menu: NDArray[np.uint8] | None = None,
    from_best: bool = False,
    ends_at_none: bool = False,
) -> Leg:
    weight = np.zeros(3)
    for objective, each in zip(objectives, by_rank, strict=True):
        weight[COLUMN[objective]] = each
    return Leg(
        share=share, objectives=objectives, weight=weight, hot=hot, cold=cold, slack=3.0,
        menu=_COLOURED if menu is None else menu, from_best=from_best, ends_at_none=ends_at_none,
    )  # fmt: skip


def _menu(parts: Mapping[int, float]) -> NDArray[np.uint8]:
    """Return the moves, by their number in the kernels, in these proportions; shape (256,)."""
    ends = np.rint(np.cumsum(list(parts.values())) / sum(parts.values()) * 256).astype(np.int64)
    return np.repeat(np.array(list(parts), dtype=np.uint8), np.diff(ends, prepend=0))


_COLOURED = _menu({0: 5, 1: 5, 2: 20, 3: 20, 4: 5, 5: 5, 6: 1, 7: 5, 8: 15, 9: 5, 10: 20, 11: 2, 12: 1})
_PLAIN = _menu({0: 10, 1: 20, 4: 5, 5: 5, 8: 70, 9: 10, 11: 2})

__all__ = ["COLUMN", "Leg", "legs_of"]
