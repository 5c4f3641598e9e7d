"""The painted-body store on random days: what it releases, what a larger one is worth, and what stays where it is."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.plant.sequence import SequenceInputs, SequenceRule
from coachbuilder.plant.sequence.store import Lanes, RandomAccess, Store, farthest_ahead, reachable
from coachbuilder.plant.sequence.store.evaluate import delivered
from coachbuilder.plant.sequence.store.evaluate import evaluate as evaluate_store
from coachbuilder.plant.sequence.store.interface import StoreInputs
from coachbuilder.plant.sequence.store.pair import Day, Pair
from coachbuilder.programme.places import crowded_places
from coachbuilder.programme.sections.sequence import RulePriority, SequenceObjective

SEEDS = st.integers(0, 2**32 - 1)
STORES = st.one_of(
    st.integers(0, 9).map(RandomAccess), st.tuples(st.integers(1, 4), st.integers(1, 4)).map(lambda of: Lanes(*of))
)


def random_day(random: np.random.Generator, **changes: Any) -> SequenceInputs:
    n, rules = int(random.integers(3, 30)), int(random.integers(1, 4))
    at_most = random.integers(1, 3, rules)
    values: dict[str, Any] = {
        "cars": tuple(str(place) for place in range(n)),
        "models": ("suv",) * n,
        "colours": tuple(random.choice(list("rgb"), n)),
        "has_option": random.integers(0, 2, (n, rules)).astype(bool),
        "rules": tuple(
            SequenceRule(str(at), "", int(p), int(p + random.integers(1, 5)), random.choice(list(RulePriority)))
            for at, p in enumerate(at_most)
        ),
        "previous_has_option": random.integers(0, 2, (int(random.integers(0, 5)), rules)).astype(bool),
        "previous_colour": random.choice([None, "r", "x"]),
        "objectives": tuple(random.permutation(list(SequenceObjective))),
        "longest_batch": int(random.integers(1, 6)),
        "purge_cost_cny": 1.0,
        "evaluations": 100,
        "seed": int(random.integers(0, 1000)),
        "short_windows": bool(random.integers(0, 2)),
        "count_windows": bool(random.integers(0, 2)),
    }
    return SequenceInputs(**(values | changes))


def in_places(random: np.random.Generator, n: int) -> tuple[dict[str, Any], np.ndarray]:
    """A frozen head with late and due cars, and an order that keeps them all."""
    frozen = int(random.integers(0, n // 2 + 1))
    order = np.concatenate([np.arange(frozen), frozen + random.permutation(n - frozen)])
    place = np.argsort(order)
    earliest = np.where(random.integers(0, 3, n) == 0, np.maximum(place - random.integers(0, 4, n), 0), 0)
    latest = np.where(random.integers(0, 3, n) == 0, np.minimum(place + random.integers(0, 4, n), n - 1), n - 1)
    return {"frozen": frozen, "earliest_place": earliest, "latest_place": latest}, order


@settings(max_examples=60, deadline=None)
@given(SEEDS, STORES)
def test_the_search_keeps_its_count_true_releases_what_the_store_can_and_never_gets_worse(seed: int, of: Store) -> None:
    random = np.random.default_rng(seed)
    n = len(random_day(np.random.default_rng(seed)).cars)
    fixed, order = in_places(random, n)
    inputs = random_day(np.random.default_rng(seed), **fixed)
    day, start = Day(inputs), Pair(order, order)
    for move_paint in (True, False):
        found = day.improve(of, start, evaluations=3_000, seed=seed % 1000, move_paint=move_paint)
        # The search tells its best by its own running count; afresh it is no worse than the start.
        assert day.cost(found) <= day.cost(start)
        assert day.accepts(of, found)
        assert reachable(of, found.painted_place) is True
        assert sorted(found.paint) == sorted(found.build) == list(range(n))
        assert found.build[: inputs.frozen].tolist() == list(range(inputs.frozen))
        assert found.paint[: inputs.frozen].tolist() == list(range(inputs.frozen))
        assert day.outside_places(found.build) == 0
        if not move_paint:
            assert found.paint.tolist() == order.tolist()


@settings(max_examples=40, deadline=None)
@given(SEEDS, STORES)
def test_the_running_cost_of_the_search_is_the_cost_counted_afresh(seed: int, of: Store) -> None:
    from coachbuilder.plant.sequence.store import kernels
    from coachbuilder.plant.sequence.store.reach import sizes

    random = np.random.default_rng(seed)
    n = len(random_day(np.random.default_rng(seed)).cars)
    fixed, order = in_places(random, n)
    day = Day(random_day(np.random.default_rng(seed), **fixed))
    paint, build = order.copy(), order.copy()
    told, _ = kernels.search(
        order.copy(), order.copy(), day.has, day.previous, day.at_most, day.out_of, day.weight,
        day.inputs.short_windows, day.inputs.count_windows, day.colour, day.previous_colour, day.inputs.longest_batch,
        day.change_weight, day.earliest, day.latest, day.inputs.frozen, *sizes(of), True, 0, 3_000,
        np.array([2e5, 1.0]), np.array([seed], dtype=np.uint64), day._window, paint, build,
    )  # fmt: skip
    assert told == day.cost(Pair(paint, build))


@settings(max_examples=30, deadline=None)
@given(SEEDS, STORES)
def test_a_larger_store_is_never_worse_and_none_is_one_order(seed: int, of: Store) -> None:
    random = np.random.default_rng(seed)
    given_paint = bool(random.integers(0, 2))
    inputs = random_day(random)
    n = len(inputs.cars)
    painted = random.permutation(n) if given_paint else None
    described = StoreInputs(of, painted, 0.2, 3, 500)
    order = random.permutation(n)
    inputs = replace(inputs, store=described)
    result = evaluate_store(inputs, order)
    assert result is not None
    costs = [
        (step.objectives.batch_excess_cars if not given_paint else 0, step.objectives.objective)
        for step in result.steps
    ]
    assert costs == sorted(costs, reverse=True)
    assert result.steps[0].objectives == result.one_order
    assert sum(step.this_store for step in result.steps) == 1
    assert result.steps[-1].loss.objective == 0
    assert [step.places for step in result.steps if step.lanes is None] == sorted(
        step.places for step in result.steps if step.lanes is None
    )
    places = np.array([car.painted_position for car in result.cars]) - 1
    assert reachable(of, places) is True
    if given_paint:
        assert places.tolist() == np.argsort(np.argsort(painted))[[int(car.car) for car in result.cars]].tolist()


@settings(max_examples=60, deadline=None)
@given(SEEDS, STORES)
def test_what_follows_a_plan_can_be_released_and_is_the_plan_where_the_store_can_make_it(seed: int, of: Store) -> None:
    random = np.random.default_rng(seed)
    inputs = random_day(random)
    n = len(inputs.cars)
    day = Day(inputs)
    plan, repaired = random.permutation(n), random.permutation(n)[: n // 5]
    paint = delivered(plan, repaired, int(random.integers(1, 8)))
    build = day.follow(of, paint, plan)
    assert sorted(build) == list(range(n))
    assert reachable(of, np.argsort(paint)[build]) is True
    if day.accepts(of, Pair(paint, plan)):
        assert build.tolist() == plan.tolist()


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 12), st.booleans())
def test_colour_batches_for_an_order_can_be_undone_by_the_store(seed: int, places: int, frozen: bool) -> None:
    random = np.random.default_rng(seed)
    inputs = random_day(random)
    n = len(inputs.cars)
    held = int(random.integers(0, n)) if frozen else 0
    build = np.concatenate([np.arange(held), held + random.permutation(n - held)])
    day = Day(random_day(np.random.default_rng(seed), frozen=held))
    paint = day.batched(places, build)
    assert sorted(paint) == list(range(n))
    assert paint[:held].tolist() == list(range(held))
    assert reachable(RandomAccess(places), np.argsort(paint)[build]) is True


def played(of: Lanes, n: int, random: np.random.Generator) -> np.ndarray:
    """An order that lanes have released: bodies enter and leave at random."""
    lanes: list[list[int]] = [[] for _ in range(of.lanes)]
    entered, order = 0, []
    while len(order) < n:
        lane = lanes[int(random.integers(of.lanes))]
        if entered < n and len(lane) < of.places_per_lane and random.integers(0, 3):
            lane.append(entered)
            entered += 1
        elif lane:
            order.append(lane.pop(0))
    return np.array(order)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 4), st.integers(1, 4))
def test_what_lanes_release_more_or_longer_ones_release_too(seed: int, lanes: int, places: int) -> None:
    painted = played(Lanes(lanes, places), 20, np.random.default_rng(seed))
    assert reachable(Lanes(lanes, places), painted)
    assert reachable(Lanes(lanes + 1, places), painted)
    assert reachable(Lanes(lanes, places + 1), painted)
    assert reachable(RandomAccess(lanes * places), painted)
    assert (painted - np.arange(20)).max() <= farthest_ahead(Lanes(lanes, places), 20)


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(7)), st.integers(1, 5))
def test_lanes_of_one_place_are_a_store_of_random_access(order: list[int], lanes: int) -> None:
    painted = np.array(order)
    assert reachable(Lanes(lanes, 1), painted) == reachable(RandomAccess(lanes), painted)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(st.tuples(st.integers(1, n), st.integers(1, n)), min_size=n, max_size=n)
    )
)
def test_places_are_crowded_exactly_where_no_car_by_car_assignment_exists(windows: list[tuple[int, int]]) -> None:
    windows = [(min(pair), max(pair)) for pair in windows]
    possible = any(
        all(first <= place <= last for place, (first, last) in zip(places, windows, strict=True))
        for places in itertools.permutations(range(1, len(windows) + 1))
    )
    crowded = crowded_places(windows)
    assert (crowded is None) is possible
    if crowded is not None:
        inside = [pair for pair in windows if crowded[0] <= pair[0] and pair[1] <= crowded[1]]
        assert len(inside) > crowded[1] - crowded[0] + 1


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(2, 4), st.integers(1, 4))
def test_lanes_followed_as_far_as_a_change_reaches_are_those_given_afresh(seed: int, lanes: int, places: int) -> None:
    from coachbuilder.plant.sequence.store import kernels

    random = np.random.default_rng(seed)
    n = int(random.integers(2, 40))
    paint = random.permutation(n)
    day = Day(random_day(random, cars=("",) * n, models=("",) * n, colours=("r",) * n, has_option=np.zeros((n, 0)),
                         rules=(), previous_has_option=np.zeros((0, 0))))  # fmt: skip
    build = day.follow(Lanes(lanes, places), paint, paint[np.argsort(np.arange(n) + random.uniform(0, 6, n))])
    paint_place, build_place = np.argsort(paint), np.argsort(build)
    of_car = [np.zeros(n, dtype=np.int32) for _ in range(4)]
    of_lane = [np.zeros((n, lanes), dtype=np.int32) for _ in range(4)]
    lane_at, time_at, new_lane, new_time = of_car
    held_at, tail_at, new_held, new_tail = of_lane

    def again(start: int, last_entry: int) -> bool:
        fits, _ = kernels.retake_lanes(
            paint, build, paint_place, build_place, places, start, last_entry, lane_at, time_at, held_at,
            tail_at, new_lane, new_time, new_held, new_tail,
        )  # fmt: skip
        return bool(fits)

    def afresh() -> np.ndarray | None:
        lane_of = np.zeros(n, dtype=np.int64)
        scratch = np.zeros((2, lanes), dtype=np.int64)
        fits = kernels.take_lanes(paint, build, paint_place, build_place, lanes, places, *scratch, lane_of)
        return lane_of[paint] if fits else None

    if not again(0, n - 1):
        build, build_place = paint.copy(), paint_place.copy()
        assert again(0, n - 1)
    for _ in range(40):
        low, high = sorted(random.choice(n, 2, replace=False).tolist())
        if random.integers(0, 4):
            high = min(high, low + int(random.integers(1, 6)))
        in_paint, ends_alone = bool(random.integers(0, 2)), bool(random.integers(0, 2))
        order, place = (paint, paint_place) if in_paint else (build, build_place)
        before = order.copy()
        if ends_alone:
            order[[low, high]] = order[[high, low]]
        else:
            order[low : high + 1] = np.roll(order[low : high + 1], int(random.integers(1, high - low + 1)))
        place[order] = np.arange(n)
        if in_paint:
            fits = again(low, high)
        else:
            fits = again(*kernels.touched(build, paint_place, time_at, low, high, ends_alone))
        fresh = afresh()
        assert fits is (fresh is not None)
        if fresh is not None:
            assert lane_at.tolist() == fresh.tolist()
        else:
            order[:] = before
            place[order] = np.arange(n)


def test_a_smaller_store_that_seems_better_tells_which_cars_it_builds_outside_their_places() -> None:
    # The due car comes last out of paint: only a store that holds all the others lets it through in time.
    random = np.random.default_rng(5)
    day = random_day(random)
    n = len(day.cars)
    latest = np.full(n, n - 1)
    latest[-1] = 0
    day = replace(day, latest_place=latest, store=StoreInputs(RandomAccess(n), np.arange(n), 0.0, 0, 500))
    result = evaluate_store(day, np.roll(np.arange(n), 1))
    assert result is not None
    assert [step.cars_outside_places for step in result.steps] == [int(step.places < n) for step in result.steps]
    assert result.cars_outside_places == 0
