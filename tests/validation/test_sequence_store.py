"""The painted-body store against an exact solver, on days too large to try every order."""

from __future__ import annotations

import numpy as np
import pytest

from coachbuilder.plant.sequence import SequenceInputs, SequenceRule
from coachbuilder.plant.sequence.store import RandomAccess
from coachbuilder.plant.sequence.store.evaluate import evaluate as evaluate_store
from coachbuilder.plant.sequence.store.interface import StoreInputs
from coachbuilder.programme.sections.sequence import RulePriority, SequenceObjective

PLACES = 4


def day(seed: int) -> tuple[SequenceInputs, np.ndarray]:
    """A tight day of 20 cars, and their places in paint."""
    n = 20
    random = np.random.default_rng(seed)
    has = random.random((n, 3)) < [0.55, 0.4, 0.5]
    painted = np.random.default_rng(seed + 9).permutation(n)
    rules = [(1, 2, RulePriority.HIGH), (1, 3, RulePriority.HIGH), (2, 5, RulePriority.LOW)]
    return SequenceInputs(
        cars=tuple(str(car) for car in range(n)),
        models=("suv",) * n,
        colours=("red",) * n,
        has_option=has,
        rules=tuple(SequenceRule(str(at), "", p, q, level) for at, (p, q, level) in enumerate(rules)),
        previous_has_option=np.zeros((0, 3), dtype=bool),
        previous_colour=None,
        objectives=(SequenceObjective.HIGH_PRIORITY, SequenceObjective.LOW_PRIORITY),
        longest_batch=n,
        purge_cost_cny=0.0,
        evaluations=20_000,
        seed=1,
        store=StoreInputs(RandomAccess(PLACES), painted, 0.0, 0, 200_000),
    ), painted


def least(inputs: SequenceInputs, painted: np.ndarray) -> int:
    """The least objective by CP-SAT: which car stands where, none too far before its place in paint."""
    from ortools.sat.python import cp_model

    n = len(inputs.cars)
    model = cp_model.CpModel()
    at = {
        (car, place): model.new_bool_var("")
        for car in range(n)
        for place in range(n)
        if painted[car] <= place + PLACES - 1
    }
    for either in range(n):
        model.add_exactly_one(at[either, place] for place in range(n) if (either, place) in at)
        model.add_exactly_one(at[car, either] for car in range(n) if (car, either) in at)
    cost = []
    for number, rule in enumerate(inputs.rules):
        held = [
            sum(at[car, place] for car in range(n) if (car, place) in at and inputs.has_option[car, number])
            for place in range(n)
        ]
        for begin in range(1 - rule.out_of, n):
            excess = model.new_int_var(0, rule.out_of, "")
            model.add(excess >= sum(held[max(begin, 0) : begin + rule.out_of]) - rule.at_most)
            cost.append((1_000_000 if rule.priority is RulePriority.HIGH else 1_000) * excess)
    model.minimize(sum(cost))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return round(solver.objective_value)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_found_for_a_painted_order_is_as_good_as_the_exact_one(seed: int) -> None:
    inputs, painted = day(seed)
    result = evaluate_store(inputs, np.arange(20))
    assert result is not None
    assert result.planned.objective == least(inputs, painted)
