"""Bounds of the simple line hold on every load, counted one by one; limits of the search do what they say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.plant.balance.simple import salbp1
from coachbuilder.plant.balance.simple.graphs import closure_of, graph_of, simple_weights
from coachbuilder.plant.balance.simple.packing import dual_feasible_weights, load_prices, must_be_apart

Line = tuple[list[int], list[tuple[int, ...]], int]


@st.composite
def lines(draw: st.DrawFn) -> Line:
    count = draw(st.integers(1, 8))
    takt = draw(st.integers(1, 40))
    times = draw(st.lists(st.integers(0, takt), min_size=count, max_size=count))
    before = [
        tuple(sorted(draw(st.sets(st.integers(0, task - 1), max_size=3)))) if task else () for task in range(count)
    ]
    return times, before, takt


def loads(times: Sequence[int], follows: np.ndarray, takt: int) -> list[list[int]]:
    """Every set of tasks that one station can do: short enough, with whatever comes between two of them."""
    found = []
    for size in range(1, len(times) + 1):
        for load in combinations(range(len(times)), size):
            between = {
                task
                for first in load
                for last in load
                for task in range(len(times))
                if follows[first, task] and follows[task, last]
            }
            if sum(times[task] for task in load) <= takt and between <= set(load):
                found.append(list(load))
    return found


@settings(deadline=None, max_examples=60)
@given(lines())
def test_no_load_weighs_more_than_a_station_in_any_bound(line: Line) -> None:
    times, before, takt = np.array(line[0]), line[1], line[2]
    follows = closure_of(before, range(len(before)))
    count = len(times)
    apart = must_be_apart(times, takt, follows, np.ones(count, dtype=np.int64), np.full(count, count))
    prices = load_prices(times, takt, apart, lambda: 60.0)
    assert prices is not None
    for weight, capacity in (simple_weights(times, takt), dual_feasible_weights(times, takt)):
        for load in loads(line[0], follows, takt):
            assert (weight[load].sum(axis=0) <= capacity).all()
    for load in loads(line[0], follows, takt):
        assert prices[0][load].sum() <= prices[1]
        assert not apart[np.ix_(load, load)].any()


@settings(deadline=None, max_examples=60)
@given(lines())
def test_tails_never_promise_more_stations_than_the_tasks_behind_need(line: Line) -> None:
    times, before, takt = np.array(line[0]), line[1], line[2]
    follows = closure_of(before, range(len(before)))
    weight, capacity = simple_weights(times, takt)
    graph, order = graph_of(times, follows, takt, weight, capacity)
    for number, task in enumerate(order):
        kept = [int(task), *np.flatnonzero(follows[task]).tolist()]
        place = {other: index for index, other in enumerate(kept)}
        part = [tuple(place[earlier] for earlier in before[other] if earlier in place) for other in kept]
        alone = salbp1([line[0][other] for other in kept], part, takt)
        assert alone.proven
        assert graph.tail[number] <= alone.stations


@settings(deadline=None, max_examples=60)
@given(lines())
def test_asked_for_fewer_than_the_optimum_it_says_that_there_is_no_such_line(line: Line) -> None:
    best = salbp1(*line)
    assert best.proven
    enough = salbp1(*line, upper=best.stations + 1)
    assert enough.stations <= best.stations
    if best.stations > 1:
        none = salbp1(*line, upper=best.stations)
        assert none.lower_bound == best.stations
        assert none.stations >= best.stations


def test_a_full_memory_is_told_and_the_answer_keeps_all_rules() -> None:
    random = np.random.default_rng(4)
    times = random.integers(300, 700, 1000).tolist()
    before = [tuple({int(random.integers(max(0, task - 40), task))}) if task > 20 else () for task in range(1000)]
    answer = salbp1(times, before, 1000, most_nodes=1_500_000, memory_mb=4)
    assert answer.memory_reached
    assert answer.lower_bound <= answer.stations == max(answer.assignment)
    work = np.bincount(answer.assignment, weights=times)
    assert work.max() <= 1000
    assert all(
        answer.assignment[earlier] <= answer.assignment[task] for task in range(1000) for earlier in before[task]
    )
    assert not salbp1(times, before, 1000, most_nodes=300_000).memory_reached


def test_the_same_work_gives_the_same_answer() -> None:
    random = np.random.default_rng(5)
    times = random.integers(200, 600, 120).tolist()
    before = [tuple({int(random.integers(max(0, task - 9), task))}) if task > 5 else () for task in range(120)]
    first, again = (salbp1(times, before, 1000, most_nodes=400_000) for _ in range(2))
    assert first == again
