"""Lower bounds on what a few rules, or rules and colours, cost together.

Rules that could each be kept alone may get into each other's way, because of the cars that have several options. Only
those options are looked at, so that few kinds of cars remain; which of them stand in the latest places is a state, and
the cheapest order is a shortest path over states. The number of cars of each kind is left free but has a price
(Lagrangian relaxation), and the prices that give the highest bound are found by cutting planes within a box that grows
and shrinks. Since costs are whole, the bound may be rounded up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.bounds import SequenceBounds, objective_weights, weighted
from coachbuilder.plant.sequence.interface import RulePriority, SequenceInputs, SequenceObjective

MOST_STATES = 4_096
MOST_STEPS = 40_000_000
"""States x kinds x places of one shortest path: a tenth of a second."""
MOST_ROUNDS = 100
NARROW, FIRST, WIDE = 1e-3, 1.0, 50.0
"""Smallest, first and largest half width of the box around the best prices, in units of the largest cost."""
CLOSE = 1e-3
"""Prices that cannot raise the bound by more are not looked for."""
FORBIDDEN = 1e9
"""Cost of a car that would make a batch too long, in units of the largest cost."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class _Graph:
    """What the kernel takes, and how many cars of each kind the day has."""

    following: NDArray[np.int32]
    cost: NDArray[np.float64]
    at_the_end: NDArray[np.float64]
    start: int
    cars: NDArray[np.int64]


def joint_bound(inputs: SequenceInputs, rules: Sequence[int], *, until: Callable[[], bool] = _never) -> float | None:
    """Return a lower bound on the cost of some rules together, not rounded up.

    Parameters
    ----------
    inputs
        The cars and the rules.
    rules
        Positions in ``inputs.rules``.
    until
        Asked between two prices; once it says so, the best bound so far is returned.

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
    graph = _graph(inputs, rules)
    return None if graph is None else _best_prices(graph, len(inputs.cars), until)


def bound_with_colours(
    inputs: SequenceInputs, rules: Sequence[int], *, until: Callable[[], bool] = _never
) -> int | None:
    """Return a lower bound on the part of the weighted sum that some rules and the colour changes make together.

    The state also tells the colour of the latest car and, where the table stays small, how many cars of it stand in a
    row, so that batches are no longer than allowed.

    Parameters
    ----------
    inputs
        The cars, the rules and the objectives.
    rules
        Positions in ``inputs.rules``, all of one priority.
    until
        Asked between two prices; once it says so, the best bound so far is returned.

    Returns
    -------
    int or None
        None if the windows are too long for a table of states, or one of the objectives does not count.
    """
    weights = objective_weights(inputs)
    high = inputs.rules[rules[0]].priority is RulePriority.HIGH
    of_rules = weights[SequenceObjective.HIGH_PRIORITY if high else SequenceObjective.LOW_PRIORITY]
    of_change = weights[SequenceObjective.COLOUR_CHANGES]
    if not of_rules or not of_change:
        return None
    # Costs are whole multiples of the smaller weight, and so is the least of them.
    unit, largest = min(of_rules, of_change), max(of_rules, of_change)
    graph = _coloured(inputs, rules, of_rules / largest, of_change / largest)
    if graph is None:
        return None
    bound = _best_prices(graph, len(inputs.cars), until, close=0.3 * unit / largest)
    return unit * int(np.ceil(bound * largest / unit - 1e-4))


def _best_prices(graph: _Graph, places: int, until: Callable[[], bool], close: float = CLOSE) -> float:
    """Return the highest bound that prices for the kinds of cars give."""
    from scipy.optimize import linprog

    from coachbuilder.plant.sequence.joint import kernels

    states = len(graph.following)
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
    width = FIRST
    for _ in range(MOST_ROUNDS):
        if until():
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
        if bound > best + 1e-9:
            width = min(2 * width, WIDE) if bound - best > 0.5 * (allowed - best) else width
            best, centre = bound, price
        elif allowed - best > close:
            width = max(width / 2, NARROW * close)
        if allowed - best < close:
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
    """Return the bounds raised by what rules of one priority, and rules and colours, cost together.

    Sets of two and three rules raise the bounds of their objective; a set of one or two rules with the colour changes
    raises that of the weighted sum alone. Rules with weights of their own are left as they are.

    Parameters
    ----------
    inputs
        The cars and the rules.
    bounds
        Of each rule alone, and perhaps raised before.
    reached
        Weighted sum of an order that is known; a bound as high as that ends the work.
    time_limit_s
        Time after which the bounds found so far are returned.
    stop
        Once it is set, the best bounds so far are returned.
    """
    if not inputs.cars or any(rule.weight != 1 for rule in inputs.rules):
        return bounds
    started = time.monotonic()
    weights = objective_weights(inputs)
    coloured = weights[SequenceObjective.COLOUR_CHANGES] > 0 and len(set(inputs.colours)) > 1
    raised = bounds
    # Where colours count, half of the time is theirs.
    part = 0.5 if coloured else 1.0
    gains: dict[RulePriority, dict[tuple[int, ...], int]] = {priority: {} for priority in RulePriority}

    def over(of_the_time: float) -> bool:
        stopped = stop is not None and stop.is_set()
        return stopped or time.monotonic() - started > of_the_time * time_limit_s or raised.objective >= reached

    for priority, sizes in ((RulePriority.HIGH, (2, 3)), (RulePriority.LOW, (2,)), (RulePriority.LOW, (3,))):
        for rules in _sets(inputs, priority, sizes):
            if over(part):
                break
            bound = joint_bound(inputs, rules, until=lambda: over(part))
            gain = 0 if bound is None else int(np.ceil(bound - 1e-6)) - sum(bounds.by_rule[at] for at in rules)
            if gain > 0:
                gains[priority][rules] = gain
                raised = _with_gains(inputs, raised, gains)
    if not coloured:
        return raised
    for size in (1, 2):
        for priority in (RulePriority.HIGH, RulePriority.LOW):
            for rules in _sets(inputs, priority, (size,)):
                if over(1.0):
                    return raised
                together = bound_with_colours(inputs, rules, until=lambda: over(1.0))
                if together is not None:
                    others = _with_gains(inputs, bounds, gains, without=frozenset(rules), colours=False).objective
                    raised = replace(raised, objective=max(raised.objective, together + others))
    return raised


def _sets(inputs: SequenceInputs, priority: RulePriority, sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield sets of rules of a priority, the fullest ones first: they get into each other's way."""
    members = [at for at, rule in enumerate(inputs.rules) if rule.priority is priority]
    members.sort(key=lambda at: -_fullness(inputs, at))
    for size in sizes:
        for rules in sorted(combinations(range(len(members)), size), key=sum):
            yield tuple(sorted(members[at] for at in rules))


def _with_gains(
    inputs: SequenceInputs,
    bounds: SequenceBounds,
    gains: Mapping[RulePriority, Mapping[tuple[int, ...], int]],
    *,
    without: frozenset[int] = frozenset(),
    colours: bool = True,
) -> SequenceBounds:
    """Return the bounds from each rule alone and the gains of sets that share no rule, some rules left out."""
    least: dict[RulePriority, int] = {}
    for priority in RulePriority:
        alone = sum(
            cost
            for at, (cost, rule) in enumerate(zip(bounds.by_rule, inputs.rules, strict=True))
            if rule.priority is priority and at not in without
        )
        least[priority] = alone + _most_disjoint(
            {rules: gain for rules, gain in gains[priority].items() if not without.intersection(rules)}
        )
    high, low = least[RulePriority.HIGH], least[RulePriority.LOW]
    if not without:
        high, low = max(high, bounds.high_priority), max(low, bounds.low_priority)
    total = weighted(inputs, high, low, bounds.colour_changes if colours else 0)
    if not without:
        total = max(total, bounds.objective)
    return replace(bounds, high_priority=high, low_priority=low, objective=total)


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


def _coloured(inputs: SequenceInputs, rules: Sequence[int], of_rule: float, of_change: float) -> _Graph | None:
    """Return the same with the colour of the latest car, and how many of it stand in a row, in the state."""
    plain = _graph(inputs, rules)
    if plain is None:
        return None
    names = sorted(set(inputs.colours))
    options = inputs.has_option[:, list(rules)]
    _, which = np.unique(options, axis=0, return_inverse=True)
    colour = np.array([names.index(name) for name in inputs.colours])
    kinds, cars = np.unique(np.column_stack([colour, which.reshape(-1)]), axis=0, return_counts=True)
    states = len(plain.following)

    def size(longest: int) -> int:
        return (len(names) * longest + 1) * states

    def fits(longest: int) -> bool:
        return size(longest) <= MOST_STATES and size(longest) * len(kinds) * len(inputs.cars) <= MOST_STEPS

    # The limit is looked at only where it can be met, and in a table that stays small.
    limited = fits(inputs.longest_batch) and inputs.longest_batch < len(inputs.cars) and len(names) > 1
    longest = inputs.longest_batch if limited else 1
    if not fits(longest):
        return None
    first = size(longest) - states
    following = np.zeros((size(longest), len(kinds)), dtype=np.int64)
    cost = np.zeros((len(plain.cost), size(longest), len(kinds)))
    for number, (mine, kind) in enumerate(kinds):
        for run in range(len(names) * longest + 1):
            block = slice(run * states, (run + 1) * states)
            painted, row = divmod(run, longest)
            more = of_rule * plain.cost[:, :, kind]
            row = row + 1 if painted == mine and run < len(names) * longest else 0
            if run == len(names) * longest:
                changes = inputs.previous_colour not in (None, names[mine])
            else:
                changes = painted != mine
            if row == longest:
                # Without a limit the row is not counted; with one, this car would be one too many.
                more = more + (FORBIDDEN if limited else 0.0)
                row = longest - 1
            following[block, number] = (mine * longest + row) * states + plain.following[:, kind]
            cost[:, block, number] = more + of_change * changes
    at_the_end = np.tile(of_rule * plain.at_the_end, len(names) * longest + 1)
    return _Graph(following.astype(np.int32), cost, at_the_end, first + plain.start, cars.astype(np.int64))


def _ones(values: NDArray[np.int64]) -> NDArray[np.int64]:
    counted = np.zeros_like(values)
    while values.any():
        counted, values = counted + (values & 1), values >> 1
    return counted


def _cost(over: NDArray[np.int64], count_windows: bool) -> NDArray[np.int64]:
    return np.minimum(np.maximum(over, 0), 1) if count_windows else np.maximum(over, 0)


__all__ = ["bound_with_colours", "joint_bound", "raised_bounds"]
