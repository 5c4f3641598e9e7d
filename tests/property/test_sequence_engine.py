"""The engine of the build order: what it follows equals a fresh count, whatever the moves."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from itertools import groupby, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.plant import sequence
from coachbuilder.plant.sequence.bounds import objective_weights
from coachbuilder.plant.sequence.engine import kernels, search
from coachbuilder.plant.sequence.engine.arrays import problem_of, state_of
from coachbuilder.plant.sequence.engine.start import starting_order
from coachbuilder.plant.sequence.interface import RulePriority, SequenceInputs, SequenceObjective, SequenceRule

FOLLOWED = ("place", "flag", "over", "tint", "gain", "loss", "totals")
THRESHOLD = -np.log((np.arange(64) + 0.5) / 64)
ALL_MOVES = range(15)


def _day(seed: int, *, cars: int, rules: int, windows: bool, limits: bool = False) -> SequenceInputs:
    """Draw a day: rules of any length, colours, the day before, a frozen head and places that a car may take."""
    random = np.random.default_rng(seed)
    out_of = random.integers(2, 12, rules)
    before = int(random.integers(0, 9))
    frozen = int(random.integers(0, cars // 3 + 1)) if limits else 0
    earliest = np.maximum(np.arange(cars) - random.integers(0, cars, cars), 0)
    latest = np.minimum(np.arange(cars) + random.integers(0, cars, cars), cars - 1)
    earliest[frozen:] = np.maximum(earliest[frozen:], frozen)
    colours = random.choice(list("rgbw"), cars, p=[0.4, 0.3, 0.2, 0.1])
    return SequenceInputs(
        cars=tuple(str(car) for car in range(cars)),
        models=("suv",) * cars,
        colours=tuple(str(colour) for colour in colours),
        has_option=random.random((cars, rules)) < random.uniform(0.1, 0.6, rules),
        rules=tuple(
            SequenceRule(
                str(rule),
                str(rule),
                int(random.integers(1, length)),
                int(length),
                random.choice(list(RulePriority)),
                int(random.integers(1, 4)),
            )
            for rule, length in enumerate(out_of)
        ),
        previous_has_option=random.random((before, rules)) < 0.4,
        previous_colour="r" if before else None,
        objectives=tuple(
            random.permutation(
                np.array(
                    [
                        SequenceObjective.HIGH_PRIORITY,
                        SequenceObjective.LOW_PRIORITY,
                        SequenceObjective.COLOUR_CHANGES,
                    ],
                    dtype=object,
                )
            )
        ),
        longest_batch=int(random.integers(min(2, cars), cars + 1)),
        purge_cost_cny=0.0,
        evaluations=3_000,
        seed=seed,
        short_windows=not windows,
        count_windows=windows,
        frozen=frozen,
        earliest_place=earliest if limits else None,
        latest_place=latest if limits else None,
    )


def _follow(inputs: SequenceInputs, heat: float, moves: range = ALL_MOVES) -> kernels.State:
    """Return the state after many moves of every kind."""
    problem = problem_of(inputs, objective_weights(inputs))
    start = starting_order(inputs, problem)
    state = state_of(problem, start, inputs.seed)
    best, least = start.copy(), np.array([(state.totals[:3] * problem.rank).sum()], dtype=np.int64)
    menu = np.resize(np.array(moves, dtype=np.uint8), 256)
    weight = np.array([3.0, 1.0, 2.0])
    kernels.search(problem.day, state, menu, weight, heat, 5.0, THRESHOLD, problem.rank, 4_000, -1, best, least)
    fresh = state_of(problem, state.order, 0)
    for name in FOLLOWED:
        np.testing.assert_array_equal(getattr(state, name), getattr(fresh, name), err_msg=name)
    assert set(state.broken[: state.totals[3]]) == set(fresh.broken[: fresh.totals[3]])
    assert int((state_of(problem, best, 0).totals[:3] * problem.rank).sum()) == least[0]
    return state


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    cars=st.integers(3, 60),
    rules=st.integers(0, 6),
    windows=st.booleans(),
    heat=st.sampled_from([0.0, 0.5, 20.0]),
)
def test_what_the_engine_follows_equals_a_fresh_count_after_random_moves_of_every_kind(
    seed: int, cars: int, rules: int, windows: bool, heat: float
) -> None:
    state = _follow(_day(seed, cars=cars, rules=rules, windows=windows), heat)
    assert sorted(state.order) == list(range(cars))


@pytest.mark.parametrize("move", ALL_MOVES)
def test_each_kind_of_move_alone_keeps_what_the_engine_follows_true(move: int) -> None:
    for seed in range(4):
        _follow(_day(seed, cars=50, rules=5, windows=False), 20.0, range(move, move + 1))


def test_more_rules_than_a_machine_word_has_bits_are_followed() -> None:
    _follow(_day(7, cars=40, rules=70, windows=False), 20.0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), cars=st.integers(4, 50))
def test_frozen_cars_stay_and_no_car_leaves_the_places_that_it_may_take(seed: int, cars: int) -> None:
    inputs = _day(seed, cars=cars, rules=3, windows=False, limits=True)
    found = search(inputs, target=-1)
    place = np.empty(cars, dtype=np.int64)
    place[found.order] = np.arange(cars)
    assert inputs.earliest_place is not None
    assert inputs.latest_place is not None
    np.testing.assert_array_equal(found.order[: inputs.frozen], np.arange(inputs.frozen))
    assert (place[inputs.frozen :] >= inputs.earliest_place[inputs.frozen :]).all()
    assert (place[inputs.frozen :] <= inputs.latest_place[inputs.frozen :]).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), cars=st.integers(2, 60), windows=st.booleans())
def test_the_objective_of_the_search_is_that_of_the_counting(seed: int, cars: int, windows: bool) -> None:
    inputs = _day(seed, cars=cars, rules=4, windows=windows)
    found = search(inputs)
    counts = sequence.count(inputs, found.order)
    assert counts.objective == found.objective
    objectives = [objective for _, objective in found.history]
    assert objectives == sorted(objectives, reverse=True)
    assert objectives[-1] == found.objective


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), cars=st.integers(6, 80))
def test_no_batch_is_too_long_where_every_colour_can_be_parted(seed: int, cars: int) -> None:
    inputs = replace(_day(seed, cars=cars, rules=2, windows=False), longest_batch=3)
    most = max(inputs.colours.count(colour) for colour in set(inputs.colours))
    found = search(inputs)
    # Between runs of 3 of the most frequent colour there must be one car of another.
    if most <= 3 * (cars - most + 1):
        assert sequence.count(inputs, found.order).batch_excess_cars == 0


def _can_keep_batches(colours: list[str], fixed: int, longest: int) -> bool:
    """Try every order of the colours behind a fixed head."""

    def follow(left: Counter[str], last: str, run: int) -> bool:
        if run > longest:
            return False
        return not left.total() or any(
            follow(left - Counter([colour]), colour, run + 1 if colour == last else 1) for colour in left
        )

    runs = [len(list(cars)) for _, cars in groupby(colours[:fixed])]
    if any(run > longest for run in runs):
        return False
    return follow(Counter(colours[fixed:]), colours[fixed - 1] if fixed else "", runs[-1] if fixed else 0)


@settings(max_examples=150, deadline=None)
@given(
    colours=st.lists(st.sampled_from("rgb"), min_size=1, max_size=9),
    longest=st.integers(1, 3),
    frozen=st.integers(0, 3),
    seed=st.integers(0, 2**31),
)
def test_the_order_to_begin_with_keeps_the_longest_batch_whenever_any_order_does(
    colours: list[str], longest: int, frozen: int, seed: int
) -> None:
    cars = len(colours)
    day = replace(
        _day(seed, cars=cars, rules=3, windows=False), colours=tuple(colours), longest_batch=longest,
        frozen=min(frozen, cars),
    )  # fmt: skip
    order = starting_order(day, problem_of(day, objective_weights(day)))
    kept = sequence.count(day, order).batch_excess_cars == 0
    assert kept == _can_keep_batches(colours, day.frozen, longest)


def _fewest_beyond_the_batch(day: SequenceInputs) -> int:
    """Count the cars beyond the longest batch in every order that keeps all places."""
    cars = len(day.cars)
    assert day.earliest_place is not None
    assert day.latest_place is not None
    least = cars
    for rest in permutations(range(day.frozen, cars)):
        order = [*range(day.frozen), *rest]
        if all(
            day.earliest_place[car] <= place <= day.latest_place[car]
            for place, car in enumerate(order[day.frozen :], start=day.frozen)
        ):
            runs = [len(list(same)) for _, same in groupby(day.colours[car] for car in order)]
            least = min(least, sum(max(0, run - day.longest_batch) for run in runs))
    return least


@pytest.mark.parametrize("seed", range(60))
def test_late_and_due_cars_do_not_lengthen_batches_more_than_they_must(seed: int) -> None:
    day = replace(_day(seed, cars=4 + seed % 3, rules=1, windows=False, limits=True), longest_batch=1 + seed % 2)
    order = starting_order(day, problem_of(day, objective_weights(day)))
    assert sequence.count(day, order).batch_excess_cars == _fewest_beyond_the_batch(day)


def test_the_same_seed_gives_the_same_order_and_another_seed_another() -> None:
    inputs = replace(_day(3, cars=80, rules=6, windows=False), evaluations=40_000)
    first, again = search(inputs, threads=2), search(inputs, threads=2)
    np.testing.assert_array_equal(first.order, again.order)
    assert first.evaluations == again.evaluations
    assert not np.array_equal(first.order, search(replace(inputs, seed=4)).order)


@pytest.mark.parametrize("seed", range(6))
def test_a_day_of_six_cars_with_weights_of_its_rules_is_at_the_least_of_all_its_orders(seed: int) -> None:
    random = np.random.default_rng(seed)
    inputs = replace(
        _day(seed, cars=6, rules=3, windows=False),
        has_option=random.random((6, 3)) < 0.6,
        rules=tuple(
            SequenceRule(str(rule), str(rule), 1, 2 + rule % 2, RulePriority.HIGH, weight)
            for rule, weight in enumerate(random.permutation([1, 3, 7]).tolist())
        ),
        longest_batch=6,
    )
    least = min(sequence.count(inputs, np.array(order)).objective for order in itertools.permutations(range(6)))
    assert search(inputs).objective == least
    counts = sequence.count(inputs, np.arange(6))
    by_hand = sum(rule.weight * item.excess for rule, item in zip(inputs.rules, counts.rules, strict=True))
    assert counts.high_priority_excess <= by_hand
    assert counts.objective == _weighted_by_hand(inputs, by_hand, counts.colour_changes)


def _weighted_by_hand(inputs: SequenceInputs, high: int, changes: int) -> int:
    values = {SequenceObjective.HIGH_PRIORITY: high, SequenceObjective.COLOUR_CHANGES: changes}
    return sum(
        weight * values.get(objective, 0)
        for weight, objective in zip((1_000_000, 1_000, 1), inputs.objectives, strict=True)
    )
