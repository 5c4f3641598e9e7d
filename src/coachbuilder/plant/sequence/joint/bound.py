"""A lower bound on what a few rules cost together: the day's mix of cars priced until no order of any mix is cheaper.

Rules that could each be kept alone may get into each other's way, because of the cars that have several options. Only
those options are looked at, so that few kinds of cars remain; which of them stand in the latest places is a state, and
the cheapest order is a shortest path over states. The number of cars of each kind is left free but has a price
(Lagrangian relaxation), and the prices that give the highest bound are found by cutting planes within a box that grows
and shrinks. Since costs are whole, the bound may be rounded up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.bounds import SequenceBounds, weighted
from coachbuilder.plant.sequence.interface import RulePriority, SequenceInputs

MOST_STATES = 4_096
MOST_STEPS = 40_000_000
"""States x kinds x places of one shortest path: a tenth of a second."""
MOST_ROUNDS = 80
NARROW, WIDE = 1e-3, 50.0
"""Smallest and largest half width of the box around the best prices, in cars too many."""
CLOSE = 1e-3
LARGEST_SET = 3
"""Rules taken together."""


@dataclass(frozen=True, slots=True)
class _Graph:
    """What the kernel takes, and how many cars of each kind the day has."""

    following: NDArray[np.int32]
    cost: NDArray[np.float64]
    at_the_end: NDArray[np.float64]
    start: int
    cars: NDArray[np.int64]


def joint_bound(inputs: SequenceInputs, rules: Sequence[int], *, stop: threading.Event | None = None) -> float | None:
    """Return a lower bound on the cost of some rules together, not rounded up.

    Parameters
    ----------
    inputs
        The cars and the rules.
    rules
        Positions in ``inputs.rules``.
    stop
        Once it is set, the best bound so far is returned.

    Returns
    -------
    float or None
        Excess, or broken windows where they count once; None if the windows are too long for a table of states.

    Examples
    --------
    Three of five cars have a roof and three a hook, and no two in a row may have either. Alone, each option can take
    every other place. Both would need the same three places, but only one car has both:

    >>> from coachbuilder.plant.sequence.interface import SequenceRule
    >>> inputs = SequenceInputs(
    ...     cars=tuple("abcde"), models=("suv",) * 5, colours=("red",) * 5,
    ...     has_option=np.array([[1, 1], [1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool),
    ...     rules=(
    ...         SequenceRule("roof", "Roof", 1, 2, RulePriority.HIGH),
    ...         SequenceRule("hook", "Hook", 1, 2, RulePriority.HIGH),
    ...     ),
    ...     previous_has_option=np.zeros((0, 2), dtype=bool), previous_colour=None, objectives=(),
    ...     longest_batch=5, purge_cost_cny=0.0, evaluations=0, seed=1,
    ... )  # fmt: skip
    >>> joint_bound(inputs, [0]), joint_bound(inputs, [1]), round(joint_bound(inputs, [0, 1]), 3)
    (0.0, 0.0, 1.0)
    """
    from scipy.optimize import linprog

    from coachbuilder.plant.sequence.joint import kernels

    if not inputs.cars:
        return 0.0
    graph = _graph(inputs, rules)
    if graph is None:
        return None
    places, states = len(inputs.cars), len(graph.following)
    came_from = np.zeros((places, states), dtype=np.int32)
    came_by = np.zeros((places, states), dtype=np.int16)

    def priced(price: NDArray[np.float64]) -> tuple[float, NDArray[np.int64], float]:
        """Return the bound that these prices give, the mix of the cheapest order and what its rules cost."""
        used: NDArray[np.int64] = np.zeros(len(price), dtype=np.int64)
        least = float(
            kernels.cheapest_order(
                graph.following, graph.cost, graph.at_the_end, graph.start, price, places, came_from, came_by, used
            )
        )
        return least + float(price @ graph.cars), used, least + float(price @ used)

    centre = np.zeros(len(graph.cars))
    best, mix, paid = priced(centre)
    mixes, costs = [mix], [paid]
    width = 1.0
    for _ in range(MOST_ROUNDS):
        if stop is not None and stop.is_set():
            break
        # No prices within the box can do better than the orders known so far allow.
        found = linprog(
            np.append(-graph.cars.astype(float), -1.0),
            A_ub=np.column_stack([np.array(mixes, dtype=float), np.ones(len(mixes))]),
            b_ub=np.array(costs),
            bounds=[*((value - width, value + width) for value in centre), (None, None)],
            method="highs",
        )
        if not found.success:
            break
        allowed = -float(found.fun)
        price = np.asarray(found.x[:-1], dtype=np.float64)
        bound, mix, paid = priced(price)
        mixes.append(mix)
        costs.append(paid)
        if bound > best + 1e-6:
            width = min(2 * width, WIDE) if bound - best > 0.5 * (allowed - best) else width
            best, centre = bound, price
        elif allowed - best > CLOSE:
            width = max(width / 2, NARROW)
        if allowed - best < CLOSE:
            if width >= WIDE:
                break
            width = min(4 * width, WIDE)
    return best


def raised_bounds(
    inputs: SequenceInputs,
    bounds: SequenceBounds,
    *,
    reached: int,
    time_limit_s: float,
    stop: threading.Event | None = None,
) -> SequenceBounds:
    """Return the bounds raised by what sets of two and three rules of one priority cost together.

    Parameters
    ----------
    inputs
        The cars and the rules.
    bounds
        Of each rule alone, and perhaps raised before.
    reached
        Weighted sum of an order that is known; a bound as high as that ends the work.
    time_limit_s
        Time after which no further set is looked at.
    stop
        Once it is set, the best bounds so far are returned.
    """
    started = time.monotonic()
    high, low = bounds.high_priority, bounds.low_priority
    raised = bounds
    for priority in (RulePriority.HIGH, RulePriority.LOW):
        members = [at for at, rule in enumerate(inputs.rules) if rule.priority is priority]
        # The fullest rules are those that get into each other's way.
        members.sort(key=lambda at: -_fullness(inputs, at))
        alone = sum(bounds.by_rule[at] for at in members)
        gains: dict[tuple[int, ...], int] = {}
        for size in range(2, LARGEST_SET + 1):
            for rules in sorted(combinations(range(len(members)), size), key=sum):
                stopped = stop is not None and stop.is_set()
                if stopped or time.monotonic() - started > time_limit_s or raised.objective >= reached:
                    break
                chosen = tuple(sorted(members[at] for at in rules))
                bound = joint_bound(inputs, chosen, stop=stop)
                if bound is None:
                    continue
                gain = int(np.ceil(bound - 1e-6)) - sum(bounds.by_rule[at] for at in chosen)
                if gain <= 0:
                    continue
                gains[chosen] = gain
                more = _most_disjoint(gains)
                if priority is RulePriority.HIGH:
                    high = max(high, alone + more)
                else:
                    low = max(low, alone + more)
                raised = replace(
                    bounds, high_priority=high, low_priority=low,
                    objective=weighted(inputs, high, low, bounds.colour_changes),
                )  # fmt: skip
    return raised


def _fullness(inputs: SequenceInputs, at: int) -> float:
    rule = inputs.rules[at]
    return float(np.count_nonzero(inputs.has_option[:, at])) * rule.out_of / (rule.at_most * max(1, len(inputs.cars)))


def _most_disjoint(gains: dict[tuple[int, ...], int]) -> int:
    """Return a sum of gains of sets that share no rule, the largest first."""
    taken: set[int] = set()
    total = 0
    for rules, gain in sorted(gains.items(), key=lambda item: (-item[1], len(item[0]), item[0])):
        if not taken.intersection(rules):
            taken.update(rules)
            total += gain
    return total


def _graph(inputs: SequenceInputs, rules: Sequence[int]) -> _Graph | None:
    """Return the states, what a car of each kind costs in each, and the cars of each kind."""
    reaches = [inputs.rules[at].out_of - 1 for at in rules]
    if sum(reaches) > MOST_STATES.bit_length() - 1:
        return None
    kinds, cars = np.unique(inputs.has_option[:, list(rules)], axis=0, return_counts=True)
    states = 1 << sum(reaches)
    if states * len(kinds) * len(inputs.cars) > MOST_STEPS:
        return None
    every = np.arange(states)
    following = np.zeros((states, len(kinds)), dtype=np.int64)
    # Without windows cut short, the first places end no window; where the rules differ in length, they differ in place.
    differing = 1 if inputs.short_windows else max(reaches) + 1
    cost = np.zeros((differing, states, len(kinds)))
    at_the_end = np.zeros(states)
    start, shift = 0, 0
    for column, (at, reach) in enumerate(zip(rules, reaches, strict=True)):
        rule = inputs.rules[at]
        # The latest car stands in the lowest bit of the rule's part of the state.
        part = every >> shift & ((1 << reach) - 1)
        flags = kinds[:, column].astype(np.int64)
        following |= ((part[:, None] << 1 | flags[None, :]) & ((1 << reach) - 1)) << shift
        held = _ones(part)[:, None] + flags[None, :]
        over = _cost(held - rule.at_most, inputs.count_windows)
        for place in range(differing):
            if inputs.short_windows or place >= reach:
                cost[place] += over
        if inputs.short_windows:
            for length in range(1, reach + 1):
                at_the_end += _cost(_ones(part & ((1 << length) - 1)) - rule.at_most, inputs.count_windows)
            state = 0
            for flag in inputs.previous_has_option[max(0, len(inputs.previous_has_option) - reach) :, at].tolist():
                state = state << 1 | int(flag)
            start |= state << shift
        shift += reach
    return _Graph(following.astype(np.int32), cost, at_the_end, start, cars.astype(np.int64))


def _ones(values: NDArray[np.int64]) -> NDArray[np.int64]:
    counted = np.zeros_like(values)
    while values.any():
        counted, values = counted + (values & 1), values >> 1
    return counted


def _cost(over: NDArray[np.int64], count_windows: bool) -> NDArray[np.int64]:
    return np.minimum(np.maximum(over, 0), 1) if count_windows else np.maximum(over, 0)


__all__ = ["joint_bound", "raised_bounds"]
