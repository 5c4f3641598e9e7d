"""The last phase of the search: work overload and level load at their ranks among the objectives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.bounds import WEIGHTS
from coachbuilder.plant.sequence.interface import RulePriority, SequenceInputs, SequenceObjective
from coachbuilder.plant.sequence.load.interface import LOAD_OBJECTIVES
from coachbuilder.plant.sequence.load.level import due_date_order
from coachbuilder.plant.sequence.load.overload import Operators, operators_of

EVALUATIONS_PER_LOAD = 8
"""Changes of the search for rules and colours that are given up for one of the search for load, which takes longer."""

NOWHERE = -1
"""Rank of an objective that does not count."""


def has_load(inputs: SequenceInputs) -> bool:
    """Tell whether load is among the objectives."""
    return any(objective in LOAD_OBJECTIVES for objective in inputs.objectives)


def improve(inputs: SequenceInputs, order: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Improve an order with every objective at its rank.

    Objectives are compared one after the other, the first that differs decides. Rules and colours that follow each
    other without a load between them keep the weights that they have among themselves.

    Parameters
    ----------
    inputs
        The day, with the line if work overload is among the objectives.
    order
        Position in ``inputs.cars`` of the car at each place, shape (cars,): what the search for rules and colours
        found.

    Returns
    -------
    tuple of numpy.ndarray and int
        The order, no worse than before, and the changes looked at.

    Raises
    ------
    ValueError
        If work overload counts and there is no line, or if windows are counted once, which this search does not know.
    """
    from coachbuilder.plant.sequence.load import kernels

    if not has_load(inputs) or len(order) < 2:
        return order, 0
    if SequenceObjective.WORK_OVERLOAD in inputs.objectives and inputs.line is None:
        message = "work overload is among the objectives, but there is no line"
        raise ValueError(message)
    if inputs.count_windows:
        message = "work overload and level load do not go together with windows that count once"
        raise ValueError(message)
    day = _Day(inputs)
    starts = [order]
    free = inputs.frozen == 0 and inputs.earliest_place is None and inputs.latest_place is None
    if free and inputs.objectives[0] in LOAD_OBJECTIVES:
        starts.append(day.levelled(order))
    evaluations = inputs.evaluations // EVALUATIONS_PER_LOAD // len(starts)
    best, best_cost, done = order, None, 0
    for start in starts:
        found = start.copy()
        cost = np.zeros(day.parts, dtype=np.int64)
        arguments: Any = (found, *day.arguments(evaluations, inputs.seed), cost)
        done += int(kernels.improve(*arguments))
        if best_cost is None or tuple(cost) < best_cost:
            best, best_cost = found, tuple(cost)
    return best, done


class _Day:
    """The inputs as the kernel takes them."""

    def __init__(self, inputs: SequenceInputs) -> None:
        n, rules = len(inputs.cars), inputs.rules
        rank = _parts(inputs.objectives)
        self.parts = 1 + max(part for part, _ in rank.values())
        priority = {
            RulePriority.HIGH: SequenceObjective.HIGH_PRIORITY,
            RulePriority.LOW: SequenceObjective.LOW_PRIORITY,
        }
        self._rule_weight = np.zeros((self.parts, len(rules)), dtype=np.int64)
        for place, rule in enumerate(rules):
            part, weight = rank.get(priority[rule.priority], (0, 0))
            self._rule_weight[part, place] += weight * rule.weight
        self._change_weight = np.zeros(self.parts, dtype=np.int64)
        part, weight = rank.get(SequenceObjective.COLOUR_CHANGES, (0, 0))
        self._change_weight[part] += weight
        names = sorted(set(inputs.colours))
        self._has: NDArray[np.uint8] = np.ascontiguousarray(inputs.has_option, dtype=np.uint8).reshape(n, len(rules))
        self._previous: NDArray[np.uint8] = (
            np.ascontiguousarray(inputs.previous_has_option, dtype=np.uint8).reshape(-1, len(rules))
            if len(rules)
            else np.zeros((0, 0), dtype=np.uint8)
        )
        self._at_most = np.array([rule.at_most for rule in rules], dtype=np.int64)
        self._out_of = np.array([rule.out_of for rule in rules], dtype=np.int64)
        self._colour = np.array([names.index(colour) for colour in inputs.colours], dtype=np.int64)
        known = inputs.previous_colour in names
        self._previous_colour = names.index(str(inputs.previous_colour)) if known else len(names)
        if inputs.previous_colour is None:
            self._previous_colour = -1
        self._window: NDArray[np.int64] = np.zeros((len(rules), n + int(self._out_of.max(initial=1))), dtype=np.int64)
        self._model, models = models_of(inputs)
        self._cars = np.bincount(self._model, minlength=len(models)).astype(np.int64)
        self._overload_part = rank.get(SequenceObjective.WORK_OVERLOAD, (NOWHERE, 0))[0]
        self._level_part = rank.get(SequenceObjective.LEVEL_LOAD, (NOWHERE, 0))[0]
        self._operators = _none(len(models))
        if inputs.line is not None and self._overload_part != NOWHERE:
            self._operators = operators_of(inputs.line, inputs.drift, inputs.drift.borders)
        self._earliest = np.zeros(n, dtype=np.int64) if inputs.earliest_place is None else inputs.earliest_place
        self._latest = np.full(n, n - 1, dtype=np.int64) if inputs.latest_place is None else inputs.latest_place
        self._inputs = inputs

    def levelled(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the cars of an order with their models spread evenly, cars of one model as they followed before."""
        waiting = [list(order[self._model[order] == model])[::-1] for model in range(len(self._cars))]
        return np.array([waiting[model].pop() for model in due_date_order(self._cars.tolist())], dtype=np.int64)

    def arguments(self, evaluations: int, seed: int) -> tuple[Any, ...]:
        """Return what the kernel takes between the order and where it writes its answer."""
        return (
            self._has, self._previous, self._at_most, self._out_of, self._rule_weight, self._inputs.short_windows,
            self._colour, self._previous_colour, self._inputs.longest_batch, self._change_weight, self._window,
            *load_arguments(self._model, self._cars, self._operators, self._overload_part, self._level_part),
            self._earliest, self._latest, self._inputs.frozen, evaluations, np.array([seed], dtype=np.uint64),
        )  # fmt: skip


def load_arguments(
    model: NDArray[np.int64], cars: NDArray[np.int64], operators: Operators, overload_part: int, level_part: int
) -> tuple[Any, ...]:
    """Return the kernel's arguments from the models to the ranks of overload and level load."""
    return (
        model, cars, operators.work, operators.cycle, operators.downstream, operators.upstream, operators.lanes,
        operators.lane, overload_part, level_part,
    )  # fmt: skip


def models_of(inputs: SequenceInputs) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return each car's model as a number, and the models: those of the line, without one those of the day."""
    models = tuple(sorted(set(inputs.models))) if inputs.line is None else inputs.line.models
    number = {model: place for place, model in enumerate(models)}
    return np.array([number[model] for model in inputs.models], dtype=np.int64), models


def _parts(objectives: tuple[SequenceObjective, ...]) -> dict[SequenceObjective, tuple[int, int]]:
    """Return part and weight of each objective; part 0 is the hard limit on colour batches.

    Examples
    --------
    >>> from coachbuilder.programme.sections.sequence import SequenceObjective as Goal
    >>> list(_parts((Goal.HIGH_PRIORITY, Goal.COLOUR_CHANGES, Goal.WORK_OVERLOAD, Goal.LOW_PRIORITY)).values())
    [(1, 1000000), (1, 1000), (2, 1), (3, 1)]
    """
    found: dict[SequenceObjective, tuple[int, int]] = {}
    part, after_load = 0, True
    ranked = [objective for objective in objectives if objective not in LOAD_OBJECTIVES]
    weight = dict(zip(ranked, WEIGHTS, strict=False))
    for objective in objectives:
        is_load = objective in LOAD_OBJECTIVES
        if is_load or after_load:
            part += 1
        after_load = is_load
        found[objective] = (part, 1 if is_load else weight[objective])
    return found


def _none(models: int) -> Operators:
    nothing = np.zeros(0, dtype=np.int64)
    return Operators((), np.zeros((0, models), dtype=np.int64), nothing, nothing, nothing, nothing, nothing)


__all__ = ["has_load", "improve", "load_arguments", "models_of"]
