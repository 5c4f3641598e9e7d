"""How the objectives of a build order and the painted-body store read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachbuilder.report import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coachbuilder.plant.sequence.store.interface import Objectives, StoreResult, StoreStep


def objectives_words(counts: Objectives) -> str:
    """Return the objectives of an order, or the difference of two, in words; those that are 0 are left out.

    Examples
    --------
    >>> from coachbuilder.plant.sequence.store.interface import Objectives
    >>> objectives_words(Objectives(2, 0, 1, 0, 2_001_000)).replace(wording.HARD_SPACE, " ")
    '2 cars too many at high priority and 1 colour change'
    >>> objectives_words(Objectives(0, 0, 0, 0, 0))
    'nothing'
    """
    told = [
        (counts.high_priority_excess, "car too many at high priority", "cars too many at high priority"),
        (counts.low_priority_excess, "car too many at low priority", "cars too many at low priority"),
        (counts.colour_changes, "colour change", "colour changes"),
        (counts.batch_excess_cars, "car beyond the longest batch", "cars beyond the longest batch"),
    ]
    parts = [wording.typeset(wording.plural(count, one, many)) for count, one, many in told if count]
    if not parts:
        return "nothing"
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def store_words(store: StoreResult) -> str:
    """Return what the store is, such as '6 lanes of 10 places each'."""
    if store.lanes is None:
        return f"{wording.plural(store.places, 'place')} with random access"
    return f"{wording.plural(store.lanes, 'lane')} of {wording.plural(store.places // store.lanes, 'place')} each"


def step_words(step: StoreStep, steps: Sequence[StoreStep], *, short: bool = False) -> str:
    """Return the size of a store among others, that of the plant marked.

    Parameters
    ----------
    step
        The size.
    steps
        All of them; the last is without limit.
    short
        True under a column of a picture.
    """
    if step is steps[-1] and not step.this_store:
        return "no limit"
    if step.lanes is None:
        size = "none" if step.places <= 1 else f"{step.places:,}" if short else wording.plural(step.places, "place")
    else:
        size = (
            f"{step.lanes}×{step.places // step.lanes}"
            if short
            else (f"{wording.plural(step.lanes, 'lane')} of {step.places // step.lanes}")
        )
    if not step.this_store:
        return size
    return f"{size}*" if short else f"{size} (the plant's)"


__all__ = ["objectives_words", "step_words", "store_words"]
