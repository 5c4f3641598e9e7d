"""What no build order can beat: the least that each rule alone costs, the fewest colour changes, and their sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.interface import RulePriority, SequenceInputs, SequenceObjective, SequenceRule
from coachbuilder.plant.sequence.load.interface import LOAD_OBJECTIVES

WEIGHTS = (1_000_000, 1_000, 1)
"""Weight of the first, second and third objective: the weighted sum of the ROADEF 2005 challenge."""

LARGEST_TABLE = 20_000_000
"""Steps of the exact count of broken windows; beyond it the bound by disjoint windows alone counts."""


@dataclass(frozen=True, slots=True)
class SequenceBounds:
    """What no build order of the day can beat, objective by objective."""

    by_rule: tuple[int, ...]
    """Least excess of each rule alone, or its fewest broken windows where each window counts once."""
    high_priority: int
    """The same over the rules of high priority, by their weights."""
    low_priority: int
    """The same over the rules of low priority, by their weights."""
    colour_changes: int
    """Fewest colour changes under the batch limit."""
    objective: int
    """Weighted sum of those objectives that count."""


def lower_bounds(inputs: SequenceInputs) -> SequenceBounds:
    """Return what no order of the day's cars can beat.

    Each rule is taken alone, and so are the colours: no order can do better on any of them, and so not on their
    weighted sum either. Frozen cars and places that a car may not take are left out: they only make an order worse.

    Parameters
    ----------
    inputs
        The cars and the rules.

    Examples
    --------
    >>> import numpy as np
    >>> from coachbuilder.plant.sequence.interface import SequenceRule
    >>> inputs = SequenceInputs(
    ...     cars=("a", "b", "c", "d"), models=("suv",) * 4, colours=("red", "blue", "red", "blue"),
    ...     has_option=np.array([[True], [True], [True], [False]]),
    ...     rules=(SequenceRule("roof", "Panoramic roof", 1, 2, RulePriority.HIGH),),
    ...     previous_has_option=np.zeros((0, 1), dtype=bool), previous_colour=None,
    ...     objectives=(SequenceObjective.HIGH_PRIORITY, SequenceObjective.COLOUR_CHANGES),
    ...     longest_batch=10, purge_cost_cny=30.0, evaluations=0, seed=1,
    ... )  # fmt: skip
    >>> lower_bounds(inputs).objective
    1001000
    """
    by_rule = tuple(
        least_of_rule(
            inputs.has_option[:, place], rule, inputs.previous_has_option[:, place],
            short_windows=inputs.short_windows, count_windows=inputs.count_windows,
        )
        for place, rule in enumerate(inputs.rules)
    )  # fmt: skip
    high, low = (
        sum(rule.weight * least for least, rule in zip(by_rule, inputs.rules, strict=True) if rule.priority is priority)
        for priority in (RulePriority.HIGH, RulePriority.LOW)
    )
    changes = fewest_colour_changes(inputs)
    return SequenceBounds(
        by_rule=by_rule,
        high_priority=high,
        low_priority=low,
        colour_changes=changes,
        objective=weighted(inputs, high, low, changes),
    )


def objective_weights(inputs: SequenceInputs) -> dict[SequenceObjective, int]:
    """Return the weight of each objective, 0 for those that do not count.

    They are the challenge's 10^6, 10^3 and 1 by rank among rules and colours; load has no weight. Where each window
    counts once and nothing else does, as in CSPLib, the objective is that number itself.
    """
    alone = inputs.count_windows and len(inputs.objectives) == 1
    rules_and_colours = [objective for objective in inputs.objectives if objective not in LOAD_OBJECTIVES]
    ranked = dict(zip(rules_and_colours, (1,) if alone else WEIGHTS, strict=False))
    return {objective: ranked.get(objective, 0) for objective in SequenceObjective}


def weighted(inputs: SequenceInputs, high_priority: int, low_priority: int, colour_changes: int) -> int:
    """Return the weighted sum of the objectives."""
    weights = objective_weights(inputs)
    return (
        weights[SequenceObjective.HIGH_PRIORITY] * high_priority
        + weights[SequenceObjective.LOW_PRIORITY] * low_priority
        + weights[SequenceObjective.COLOUR_CHANGES] * colour_changes
    )


def least_of_rule(
    has: NDArray[np.bool_],
    rule: SequenceRule,
    before: NDArray[np.bool_],
    *,
    short_windows: bool,
    count_windows: bool,
) -> int:
    """Return a lower bound on what a rule costs if only its own cars are looked at.

    Windows that follow each other without overlapping share the day's cars: what they cannot hold is too many. This is
    summed over the ``out_of`` ways to cut the day into such windows, so that every window counts once. For the excess
    it is exact in every case tried against all orders of small days; for broken windows a table over the last
    ``out_of - 1`` cars is exact and is used where it is small.

    Parameters
    ----------
    has
        Which car of the day has the option, shape (cars,), in any order.
    rule
        The rule.
    before
        The same of the day before, last car last, shape (previous cars,).
    short_windows
        Whether windows cut short at the day's end and those that begin on the day before count.
    count_windows
        Whether a window with too many counts once rather than by its cars too many.

    Examples
    --------
    >>> rule = SequenceRule("roof", "Roof", 1, 3, RulePriority.HIGH)
    >>> flags, before = np.array([True] * 4 + [False] * 4), np.zeros(0, dtype=bool)
    >>> least_of_rule(flags, rule, before, short_windows=True, count_windows=False)
    2
    """
    cars, wanted = len(has), int(np.count_nonzero(has))
    reach = rule.out_of - 1
    tail = [bool(flag) for flag in before[max(len(before) - reach, 0) :]] if short_windows else []
    if count_windows and (1 << min(reach, 40)) * (wanted + 1) * (cars + reach) <= LARGEST_TABLE:
        return _fewest_broken_windows(cars, wanted, rule, tail, short_windows=short_windows)
    held = [0] * (reach + 1)
    for back in range(1, reach + 1):
        held[back] = held[back - 1] + (back <= len(tail) and tail[-back])
    return sum(
        _least_of_disjoint_windows(cars, wanted, rule, held, end, short_windows, count_windows)
        for end in range(rule.out_of)
    )


def _least_of_disjoint_windows(
    cars: int, wanted: int, rule: SequenceRule, held: Sequence[int], end: int, short_windows: bool, count_windows: bool
) -> int:
    """Return the least cost of every ``out_of``-th window, the first of which ends at place ``end``."""
    cost, room = 0, 0
    more: list[int] = []
    while end - rule.out_of + 1 < cars:
        begin = end - rule.out_of + 1
        length = min(end, cars - 1) - max(begin, 0) + 1
        already = held[-begin] if begin < 0 else 0
        if not short_windows and (begin < 0 or end >= cars):
            room += length  # It does not count: what stands at the day's ends is free there.
        else:
            cost += min(max(0, already - rule.at_most), 1 if count_windows else already)
            free = min(length, max(0, rule.at_most - already))
            if count_windows and already > rule.at_most:
                free = length
            room += free
            more.append(length - free)
        end += rule.out_of
    need = wanted - room
    if need <= 0:
        return cost
    if not count_windows:
        return cost + need
    for extra in sorted(more, reverse=True):
        if need <= 0:
            break
        need -= extra
        cost += 1
    return cost


def _fewest_broken_windows(
    cars: int, wanted: int, rule: SequenceRule, tail: Sequence[bool], *, short_windows: bool
) -> int:
    """Return the fewest broken windows exactly, from a table over the flags of the last ``out_of - 1`` cars."""
    reach = rule.out_of - 1
    states = 1 << reach
    state = 0
    for held in tail:
        state = (state << 1 | held) & (states - 1)
    never = cars + reach + 1
    cost: NDArray[np.int64] = np.full((states, wanted + 1), never)
    cost[state, 0] = 0
    # The latest car stands in a state's lowest bit. Two states lead to it; they differ in the car that leaves.
    after = np.arange(states)
    sources = (after >> 1, after >> 1 | states >> 1)
    ones = np.array([int(value).bit_count() for value in range(states)])
    for place in range(cars + (reach if short_windows else 0)):
        counts = short_windows or place >= reach
        choices = []
        for flag in (0, 1) if place < cars else (0,):
            came = np.minimum.reduce([cost[of] + counts * (ones[of] + flag > rule.at_most)[:, None] for of in sources])
            if flag:
                came = np.hstack([np.full((states, 1), never), came[:, :-1]])
            if reach:
                came[after & 1 != flag] = never
            choices.append(came)
        cost = np.minimum.reduce(choices)
    return int(cost[:, wanted].min())


def fewest_colour_changes(inputs: SequenceInputs) -> int:
    """Return the fewest colour changes: every colour needs its batches, the first may go on with the last colour.

    Examples
    --------
    A day of 3 red and 1 blue car in batches of at most 2 has two red batches, one blue one, and two changes.
    """
    needed = {colour: -(-cars // inputs.longest_batch) for colour, cars in Counter(inputs.colours).items()}
    if not needed:
        return 0
    between_days = inputs.previous_colour is not None and inputs.previous_colour not in needed
    return sum(needed.values()) - 1 + between_days


__all__ = [
    "SequenceBounds",
    "fewest_colour_changes",
    "least_of_rule",
    "lower_bounds",
    "objective_weights",
    "weighted",
]
