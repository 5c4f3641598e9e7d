"""The joint bound against every order of small days, and the published optima of over-constrained instances."""

from __future__ import annotations

import csv
import doctest
import importlib
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coachbuilder.formats.car_sequencing import read_csplib, read_roadef
from coachbuilder.plant import sequence
from coachbuilder.plant.sequence import SequenceInputs, SequenceRule
from coachbuilder.plant.sequence.bounds import lower_bounds, objective_weights
from coachbuilder.plant.sequence.joint import bound_with_colours, joint_bound, raised_bounds
from coachbuilder.programme.sections.sequence import RulePriority, SequenceObjective

HIGH, LOW = RulePriority.HIGH, RulePriority.LOW


def day(random: np.random.Generator, *, short: bool, count: bool) -> SequenceInputs:
    """Five cars; each rule as full as it can be without being broken, where no day before stands in the way."""
    cars, before = 5, int(random.integers(0, 2))
    rules = [(1, 2), (1, 2), (int(random.integers(1, 3)), 3)]
    has = np.zeros((cars, 3), dtype=bool)
    for at, (p, q) in enumerate(rules):
        has[random.permutation(cars)[: cars // q * p + min(cars % q, p)], at] = True
    return SequenceInputs(
        cars=tuple("abcde"),
        models=("suv",) * cars,
        colours=("r",) * cars,
        has_option=has,
        rules=tuple(SequenceRule(str(at), str(at), p, q, HIGH) for at, (p, q) in enumerate(rules)),
        previous_has_option=random.random((before, 3)) < 0.3,
        previous_colour=None,
        objectives=(SequenceObjective.HIGH_PRIORITY,),
        longest_batch=cars,
        purge_cost_cny=0.0,
        evaluations=0,
        seed=1,
        short_windows=short,
        count_windows=count,
    )


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("count", [True, False])
def test_no_order_costs_less_than_the_joint_bound_and_it_beats_the_rules_alone(short: bool, count: bool) -> None:
    random = np.random.default_rng(17)
    higher = 0
    for _ in range(6):
        inputs = day(random, short=short, count=count)
        counted = [sequence.count(inputs, np.array(order)) for order in itertools.permutations(range(5))]
        costs = np.array([[rule.violated_windows if count else rule.excess for rule in each.rules] for each in counted])
        alone = lower_bounds(inputs)
        for rules in ((0,), (0, 1), (1, 2), (0, 1, 2)):
            bound = joint_bound(inputs, rules)
            assert bound is not None
            best = int(costs[:, list(rules)].sum(axis=1).min())
            assert bound <= best + 1e-6
            higher += np.ceil(bound - 1e-6) > sum(alone.by_rule[at] for at in rules)
        raised = raised_bounds(inputs, alone, reached=10**12, time_limit_s=60.0)
        optimum = int(costs.sum(axis=1).min())
        assert alone.high_priority <= raised.high_priority <= optimum
        assert raised_bounds(inputs, raised, reached=10**12, time_limit_s=60.0) == raised
    assert higher >= 1


@pytest.mark.parametrize("first", [SequenceObjective.HIGH_PRIORITY, SequenceObjective.COLOUR_CHANGES])
def test_no_order_costs_less_than_the_bound_of_rules_and_colours(first: SequenceObjective) -> None:
    random = np.random.default_rng(23)
    higher = reached = 0
    objectives = (first, *(each for each in SequenceObjective if each is not first))
    for trial in range(8):
        plain = day(random, short=True, count=False)
        rules = (*plain.rules[:2], replace(plain.rules[2], priority=LOW))
        before = None if trial % 3 == 0 else str(random.choice(list("rgb")))
        inputs = replace(
            plain, rules=rules, colours=tuple(random.choice(list("rg"), 5)), previous_colour=before,
            objectives=objectives, longest_batch=int(random.integers(1, 6)),
        )  # fmt: skip
        counted = [sequence.count(inputs, np.array(order)) for order in itertools.permutations(range(5))]
        allowed = [counts for counts in counted if counts.batch_excess_cars == 0]
        if not allowed:
            continue
        weights = objective_weights(inputs)
        for chosen in ((0,), (2,), (0, 1)):
            bound = bound_with_colours(inputs, chosen)
            assert bound is not None
            of = SequenceObjective.LOW_PRIORITY if chosen == (2,) else SequenceObjective.HIGH_PRIORITY
            best = min(
                weights[of] * sum(counts.rules[at].excess for at in chosen)
                + weights[SequenceObjective.COLOUR_CHANGES] * counts.colour_changes
                for counts in allowed
            )
            assert bound <= best
            reached += bound == best
        optimum = min(counts.objective for counts in allowed)
        alone = lower_bounds(inputs)
        raised = raised_bounds(inputs, alone, reached=10**12, time_limit_s=60.0)
        assert alone.objective <= raised.objective <= optimum
        higher += raised.objective > alone.objective
    assert higher >= 2
    assert reached >= 8


def test_the_published_optimum_of_every_over_constrained_instance_is_proven(shared_data: Path) -> None:
    with (shared_data / "carseq" / "csplib_best_known.csv").open(encoding="utf-8") as file:
        best = {row["instance"]: int(row["best_known_violations"]) for row in csv.DictReader(file)}
    proven = {}
    for source in sorted((shared_data / "carseq" / "csplib").glob("p0*.txt")):
        name = source.read_text().split("Problem")[1].split()[0]
        inputs = sequence.inputs_of(read_csplib(source), evaluations=0, seed=0)
        raised = raised_bounds(inputs, lower_bounds(inputs), reached=max(best[name], 1), time_limit_s=60.0)
        proven[name] = raised.objective
    assert {name: value for name, value in proven.items() if value} == {
        name: best[name] for name in proven if best[name]
    }
    assert sorted(value for value in proven.values() if value) == [2, 2, 2, 3, 6]


def test_rules_of_the_challenge_are_bounded_together_across_days(shared_data: Path) -> None:
    folder = shared_data / "carseq" / "roadef2005" / "set_A" / "024_38_3_EP_RAF_ENP"
    inputs = sequence.inputs_of(read_roadef(folder), evaluations=0, seed=0)
    assert lower_bounds(inputs).high_priority == 0
    # The best answers of the challenge have 4, so that the bound may not lie above it.
    assert joint_bound(inputs, [0, 4]) == pytest.approx(4.0, abs=1e-3)


def test_windows_too_long_for_a_table_have_no_joint_bound() -> None:
    inputs = day(np.random.default_rng(1), short=True, count=False)
    long = (SequenceRule("long", "Long", 1, 229, HIGH), *inputs.rules[1:])
    assert joint_bound(replace(inputs, rules=long), [0, 1]) is None


def test_the_example_in_the_docstring_runs() -> None:
    outcome: Any = doctest.testmod(importlib.import_module("coachbuilder.plant.sequence.joint.bound"))
    assert outcome.attempted > 0
    assert outcome.failed == 0
