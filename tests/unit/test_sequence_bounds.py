"""Bounds and proofs against every order of small days: never above the optimum, and exact where they say so."""

from __future__ import annotations

import doctest
import importlib
import itertools
import sys
from typing import Any

import numpy as np
import pytest

from coachbuilder.plant import sequence
from coachbuilder.plant.sequence import SequenceInputs, SequenceRule, bounds, exact
from coachbuilder.plant.sequence.bounds import least_of_rule, lower_bounds
from coachbuilder.programme.errors import InputError
from coachbuilder.programme.sections.sequence import RulePriority, SequenceObjective

HIGH, LOW = RulePriority.HIGH, RulePriority.LOW


def fewest_by_trying(cars: int, wanted: int, rule: SequenceRule, before: list[bool], short: bool, count: bool) -> int:
    """Place the cars with the option in every way and count window by window."""
    best = 10**9
    for places in itertools.combinations(range(cars), wanted):
        line = [*before, *(at in places for at in range(cars))]
        start, total = len(before), 0
        first, last = (1 - rule.out_of, cars) if short else (0, cars - rule.out_of + 1)
        for begin in range(first, last):
            window = line[max(start + begin, 0 if short else start) : max(start + min(begin + rule.out_of, cars), 0)]
            over = max(0, sum(window) - rule.at_most)
            total += min(over, 1) if count else over
        best = min(best, total)
    return best


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("count", [True, False])
def test_no_order_has_less_than_the_bound_of_a_rule_and_most_bounds_are_reached(short: bool, count: bool) -> None:
    random = np.random.default_rng(7)
    reached = 0
    for _ in range(150):
        out_of, cars = int(random.integers(1, 7)), int(random.integers(1, 11))
        rule = SequenceRule("r", "r", int(random.integers(1, out_of + 1)), out_of, HIGH)
        wanted = int(random.integers(0, cars + 1))
        before = [bool(flag) for flag in random.integers(0, 2, int(random.integers(0, 8)))]
        flags = np.array([True] * wanted + [False] * (cars - wanted))
        least = least_of_rule(flags, rule, np.array(before, dtype=bool), short_windows=short, count_windows=count)
        best = fewest_by_trying(cars, wanted, rule, before, short, count)
        assert least <= best
        reached += least == best
    # Broken windows by a table, and the challenge's excess by disjoint windows, are exact; the excess of full windows
    # alone is a bound.
    assert reached == 150 if short or count else reached >= 135


def test_broken_windows_are_bounded_where_the_table_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LARGEST_TABLE", 0)
    random = np.random.default_rng(8)
    reached = 0
    for _ in range(80):
        out_of, cars = int(random.integers(2, 6)), int(random.integers(4, 11))
        rule = SequenceRule("r", "r", int(random.integers(1, out_of)), out_of, HIGH)
        wanted = int(random.integers(cars // 2, cars + 1))
        flags = np.array([True] * wanted + [False] * (cars - wanted))
        least = least_of_rule(flags, rule, np.zeros(0, dtype=bool), short_windows=False, count_windows=True)
        best = fewest_by_trying(cars, wanted, rule, [], False, True)
        assert least <= best
        reached += 0 < least == best
    assert reached >= 20


def day(random: np.random.Generator, cars: int, **changes: Any) -> SequenceInputs:
    rules = tuple(
        SequenceRule(f"r{at}", f"Rule {at}", p, q, priority)
        for at, (p, q, priority) in enumerate([(1, 2, HIGH), (1, 3, LOW), (2, 3, HIGH)])
    )
    colours = "".join(random.choice(list("rgb"), cars))
    values: dict[str, Any] = {
        "cars": tuple(str(place) for place in range(cars)),
        "models": ("suv",) * cars,
        "colours": tuple(colours),
        "has_option": random.integers(0, 2, (cars, 3)).astype(bool),
        "rules": rules,
        "previous_has_option": random.integers(0, 2, (2, 3)).astype(bool),
        "previous_colour": "g",
        "objectives": tuple(random.permutation(np.array(list(SequenceObjective), dtype=object))),
        "longest_batch": 3,
        "purge_cost_cny": 0.0,
        "evaluations": 0,
        "seed": 1,
    }
    return SequenceInputs(**(values | changes))


def every_order(inputs: SequenceInputs) -> list[sequence.SequenceCounts]:
    cars = range(len(inputs.cars))
    return [sequence.count(inputs, np.array(order)) for order in itertools.permutations(cars)]


CSPLIB = {
    "short_windows": False,
    "count_windows": True,
    "previous_colour": None,
    "previous_has_option": np.zeros((0, 3), dtype=bool),
    "objectives": (SequenceObjective.HIGH_PRIORITY,),
    "longest_batch": 6,
}


@pytest.mark.parametrize("changes", [{}, CSPLIB], ids=["challenge", "csplib"])
def test_the_exact_model_finds_and_proves_the_best_of_all_orders(changes: dict[str, Any]) -> None:
    random = np.random.default_rng(12)
    improved = 0
    for _ in range(6):
        inputs = day(random, 6, **changes)
        allowed = [counts for counts in every_order(inputs) if counts.batch_excess_cars == 0]
        if not allowed:
            continue
        best = min(counts.objective for counts in allowed)
        assert lower_bounds(inputs).objective <= best
        start = np.arange(6)
        proof = exact.prove(inputs, start, sequence.count(inputs, start), time_limit_s=30.0)
        assert (proof.proven, proof.lower_bound, proof.remark) == (True, best, "")
        if proof.order is None:
            assert sequence.count(inputs, start).objective == best
        else:
            improved += 1
            found = sequence.count(inputs, proof.order)
            assert (found.objective, found.batch_excess_cars) == (best, 0)
            assert sorted(proof.order.tolist()) == list(range(6))
    assert improved >= 2


def test_the_exact_model_keeps_frozen_cars_and_places() -> None:
    random = np.random.default_rng(3)
    inputs = day(
        random, 6, frozen=2, earliest_place=np.array([0, 0, 3, 0, 0, 0]), latest_place=np.array([5, 5, 5, 2, 5, 5])
    )
    cars = range(6)
    allowed = [
        order
        for order in itertools.permutations(cars)
        if order[:2] == (0, 1) and order.index(2) >= 3 and order.index(3) <= 2
    ]
    counted = [sequence.count(inputs, np.array(order)) for order in allowed]
    best = min(counts.objective for counts in counted if counts.batch_excess_cars == 0)
    start = np.array(allowed[0])
    proof = exact.prove(inputs, start, sequence.count(inputs, start), time_limit_s=30.0)
    assert (proof.proven, proof.lower_bound) == (True, best)
    if proof.order is not None:
        assert tuple(proof.order) in allowed


def test_an_order_at_the_bound_needs_no_model_but_one_that_breaks_the_batch_limit_does() -> None:
    inputs = day(np.random.default_rng(1), 4, colours=("r",) * 4, longest_batch=2, rules=(), previous_colour="r",
                 has_option=np.zeros((4, 0), dtype=bool), previous_has_option=np.zeros((0, 0), dtype=bool),
                 objectives=(SequenceObjective.COLOUR_CHANGES,))  # fmt: skip
    order = np.arange(4)
    counts = sequence.count(inputs, order)
    assert (counts.objective, counts.batch_excess_cars) == (0, 2)
    proof = exact.prove(inputs, order, counts, time_limit_s=10.0)
    assert (proof.proven, proof.order) == (False, None)
    assert "no order keeps the longest batch" in proof.remark


def test_a_day_too_large_for_the_exact_model_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "LARGEST_MODEL", 10)
    inputs = day(np.random.default_rng(5), 6)
    counts = sequence.count(inputs, np.arange(6))
    proof = exact.prove(inputs, np.arange(6), counts, time_limit_s=1.0)
    assert not proof.proven
    assert "too large for the exact model" in proof.remark


def test_without_ortools_the_extra_that_is_needed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ortools.sat.python.cp_model", None)
    inputs = day(np.random.default_rng(5), 6)
    with pytest.raises(InputError, match=r"coachbuilder\[exact\]"):
        exact.prove(inputs, np.arange(6), sequence.count(inputs, np.arange(6)), time_limit_s=1.0)


def test_where_a_broken_window_counts_once_the_objective_is_their_number() -> None:
    inputs = day(np.random.default_rng(9), 6, **CSPLIB)
    for counts in every_order(inputs)[::60]:
        of_high = [rule for rule in counts.rules if rule.priority is HIGH]
        assert counts.objective == sum(rule.violated_windows for rule in of_high)


def test_the_example_in_the_docstrings_runs() -> None:
    outcome = doctest.testmod(importlib.import_module("coachbuilder.plant.sequence.bounds"))
    assert outcome.attempted > 0
    assert outcome.failed == 0
