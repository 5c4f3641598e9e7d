"""Finds a build order and counts it against the rules."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.bounds import WEIGHTS, fewest_colour_changes, weighted
from coachbuilder.plant.sequence.interface import (
    RuleCount,
    RulePriority,
    SequenceCounts,
    SequencedCar,
    SequenceInputs,
    SequenceResult,
)
from coachbuilder.plant.sequence.load.assess import assess
from coachbuilder.plant.sequence.load.search import has_load, improve


def evaluate(inputs: SequenceInputs) -> SequenceResult:
    """Find a build order by the search of :mod:`coachbuilder.plant.sequence.engine`, on one thread.

    Parameters
    ----------
    inputs
        The cars, the rules and the work allowed.

    Returns
    -------
    SequenceResult
        The best order found, counted; the same inputs give the same order.

    Raises
    ------
    ValueError
        If work overload counts and there is no line, or load and windows that count once.

    Examples
    --------
    >>> import numpy as np
    >>> from coachbuilder.plant.sequence.interface import SequenceObjective, SequenceRule
    >>> found = evaluate(
    ...     SequenceInputs(
    ...         cars=("a", "b", "c", "d"), models=("suv",) * 4, colours=("red", "blue", "red", "blue"),
    ...         has_option=np.array([[True], [True], [False], [False]]),
    ...         rules=(SequenceRule("roof", "Panoramic roof", 1, 2, RulePriority.HIGH),),
    ...         previous_has_option=np.zeros((0, 1), dtype=bool), previous_colour=None,
    ...         objectives=(SequenceObjective.HIGH_PRIORITY, SequenceObjective.COLOUR_CHANGES),
    ...         longest_batch=10, purge_cost_cny=30.0, evaluations=1000, seed=1,
    ...     )
    ... )  # fmt: skip
    >>> found.counts.high_priority_excess, found.counts.colour_changes
    (0, 1)
    """
    from coachbuilder.plant.sequence.engine import search
    from coachbuilder.plant.sequence.store.evaluate import evaluate as evaluate_store
    from coachbuilder.plant.sequence.store.fixed import cost_of_places, without_load

    booked = np.arange(len(inputs.cars), dtype=np.int64)
    found = search(inputs)
    order, evaluations_for_load = improve(inputs, found.order)
    by_rules = without_load(inputs, found.order, order)
    counts = count(inputs, order)
    return SequenceResult(
        cars_per_day=len(inputs.cars),
        cars_by_model=dict(sorted(Counter(inputs.models).items())),
        order=_cars(inputs, order),
        counts=counts,
        as_booked=count(inputs, booked),
        longest_batch=inputs.longest_batch,
        colour_changes_lower_bound=fewest_colour_changes(inputs),
        purge_cost_cny_per_day=counts.colour_changes * inputs.purge_cost_cny,
        evaluations=found.evaluations + evaluations_for_load,
        load=assess(inputs, order),
        load_ranked=has_load(inputs),
        withdrawn=inputs.withdrawn,
        fixed_places=cost_of_places(inputs, order, by_rules),
        store=evaluate_store(inputs, by_rules),
    )


def count(inputs: SequenceInputs, order: NDArray[np.int64]) -> SequenceCounts:
    """Count a build order against the rules.

    A window's excess is what it holds beyond the rule. Windows reach back into the day before and those cut short at
    the day's end count too, unless ``inputs.short_windows`` is false; then full windows within the day count alone. The
    objective is the challenge's weighted sum; with ``inputs.count_windows`` a broken window counts once in it.

    Parameters
    ----------
    inputs
        The cars and the rules.
    order
        Position of each car in ``inputs.cars``, shape (cars,), in building order.
    """
    from coachbuilder.plant.sequence import kernels

    n, count_of_rules = len(inputs.cars), len(inputs.rules)
    has = np.ascontiguousarray(inputs.has_option, dtype=np.uint8).reshape(n, count_of_rules)
    previous = np.zeros((0, count_of_rules), dtype=np.uint8)
    if count_of_rules:
        previous = np.ascontiguousarray(inputs.previous_has_option, dtype=np.uint8).reshape(-1, count_of_rules)
    at_most = np.array([rule.at_most for rule in inputs.rules], dtype=np.int64)
    out_of = np.array([rule.out_of for rule in inputs.rules], dtype=np.int64)
    window = np.zeros((count_of_rules, n + int(out_of.max(initial=1))), dtype=np.int64)
    violated = np.zeros(len(inputs.rules), dtype=np.int64)
    excess = np.zeros(len(inputs.rules), dtype=np.int64)
    kernels.count_rules(order, has, previous, at_most, out_of, inputs.short_windows, window, violated, excess)
    rules = tuple(
        RuleCount(
            rule=rule.id,
            name=rule.name,
            at_most=rule.at_most,
            out_of=rule.out_of,
            priority=rule.priority,
            cars=(cars := int(has[:, place].sum())),
            utilisation=cars / most if (most := _most_cars(len(inputs.cars), rule.at_most, rule.out_of)) else 0.0,
            violated_windows=int(violated[place]),
            excess=int(excess[place]),
            weight=rule.weight,
        )
        for place, rule in enumerate(inputs.rules)
    )
    colours = [inputs.colours[car] for car in order]
    changes = (
        sum(
            mine != before
            for before, mine in zip([inputs.previous_colour or colours[0], *colours], colours, strict=False)
        )
        if colours
        else 0
    )
    runs = _runs(colours)
    high = sum(item.excess for item in rules if item.priority is RulePriority.HIGH)
    low = sum(item.excess for item in rules if item.priority is RulePriority.LOW)
    counted = {
        priority: sum(
            rule.weight * (item.violated_windows if inputs.count_windows else item.excess)
            for rule, item in zip(inputs.rules, rules, strict=True)
            if item.priority is priority
        )
        for priority in RulePriority
    }
    return SequenceCounts(
        rules=rules,
        violated_windows=int(violated.sum()),
        high_priority_excess=high,
        low_priority_excess=low,
        colour_changes=changes,
        longest_batch_cars=max(runs, default=0),
        batch_excess_cars=sum(max(0, run - inputs.longest_batch) for run in runs),
        objective=weighted(inputs, counted[RulePriority.HIGH], counted[RulePriority.LOW], changes),
    )


def _most_cars(cars: int, at_most: int, out_of: int) -> int:
    """Return how many cars with an option a day can take: p in every full window, and p or fewer in the rest."""
    return cars // out_of * at_most + min(cars % out_of, at_most)


def _runs(colours: list[str]) -> list[int]:
    runs: list[int] = []
    for place, colour in enumerate(colours):
        if place and colours[place - 1] == colour:
            runs[-1] += 1
        else:
            runs.append(1)
    return runs


def _cars(inputs: SequenceInputs, order: NDArray[np.int64]) -> tuple[SequencedCar, ...]:
    """Return the cars in building order with the rules that break at each."""
    before = inputs.previous_has_option
    has = np.vstack([before.reshape(len(before), len(inputs.rules)), inputs.has_option[order]]).astype(np.int64)
    total = np.vstack([np.zeros((1, len(inputs.rules)), dtype=np.int64), np.cumsum(has, axis=0)])
    ends = np.arange(len(before) + 1, len(has) + 1)
    broken = np.zeros((len(order), len(inputs.rules)), dtype=np.bool_)
    for place, rule in enumerate(inputs.rules):
        begins = ends - rule.out_of
        held = total[ends, place] - total[np.maximum(begins, 0), place]
        whole = (begins >= len(before)) | inputs.short_windows
        broken[:, place] = (held > rule.at_most) & whole
    return tuple(
        SequencedCar(
            position=place + 1,
            car=inputs.cars[car],
            model=inputs.models[car],
            colour=inputs.colours[car],
            options=tuple(rule.id for rule, has in zip(inputs.rules, inputs.has_option[car], strict=True) if has),
            broken=tuple(rule.id for rule, breaks in zip(inputs.rules, broken[place], strict=True) if breaks),
        )
        for place, car in enumerate(order)
    )


__all__ = ["WEIGHTS", "count", "evaluate"]
