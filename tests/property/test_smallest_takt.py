"""The simple problem in its three forms against all assignments of small lines."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.plant.balance import salbp1, salbp2, salbpe
from coachbuilder.plant.balance.smallest_takt.search import Line, smallest_takt_bound

QUICK = settings(max_examples=60, deadline=None, derandomize=True)

Graph = tuple[list[int], list[tuple[int, ...]]]


@st.composite
def small_lines(draw: st.DrawFn, most_tasks: int = 8) -> Graph:
    """Return times, zero and equal ones among them, and direct predecessors, with arcs that others imply."""
    count = draw(st.integers(1, most_tasks))
    largest = draw(st.sampled_from((1, 5, 30, 1000)))
    times = draw(st.lists(st.integers(0, largest), min_size=count, max_size=count))
    arcs = draw(st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=2 * count))
    before = [tuple(sorted({a for a, b in arcs if b == task and a < task})) for task in range(count)]
    names = draw(st.permutations(range(count)))
    place = {old: new for new, old in enumerate(names)}
    return [times[old] for old in names], [tuple(place[item] for item in before[old]) for old in names]


def smallest_takts(times: list[int], before: list[tuple[int, ...]]) -> list[int]:
    """Return the smallest takt for 1, 2, ... stations: dynamic programming over all sets closed under precedence."""
    n = len(times)
    needed = [sum(1 << earlier for earlier in items) for items in before]
    closed = [
        members for members in range(1 << n) if all(needed[t] & ~members == 0 for t in range(n) if members >> t & 1)
    ]
    work = {members: sum(times[t] for t in range(n) if members >> t & 1) for members in closed}

    @cache
    def takt(members: int, stations: int) -> int:
        if stations == 1:
            return work[members]
        inner = (part for part in closed if part & ~members == 0)
        return min(max(takt(part, stations - 1), work[members] - work[part]) for part in inner)

    return [takt(closed[-1], stations) for stations in range(1, n + 1)]


def largest_load(times: list[int], before: list[tuple[int, ...]], assignment: tuple[int, ...], stations: int) -> int:
    """Count an assignment again: every task at one of the stations, none ahead of a predecessor."""
    assert len(assignment) == len(times)
    assert all(1 <= station <= stations for station in assignment)
    assert all(assignment[earlier] <= assignment[task] for task, items in enumerate(before) for earlier in items)
    return max(sum(t for t, at in zip(times, assignment, strict=True) if at == k) for k in range(1, stations + 1))


@QUICK
@given(small_lines())
def test_the_smallest_takt_is_that_of_all_assignments(line: Graph) -> None:
    times, before = line
    for stations, takt in enumerate(smallest_takts(times, before), start=1):
        answer = salbp2(times, before, stations)
        assert (answer.takt, answer.lower_bound, answer.proven) == (takt, takt, True)
        assert largest_load(times, before, answer.assignment, stations) == takt
        assert smallest_takt_bound(times, stations) <= takt


@QUICK
@given(small_lines())
def test_the_fewest_stations_are_those_of_all_assignments(line: Graph) -> None:
    times, before = line
    takts = smallest_takts(times, before)
    for takt in {*takts, takts[0] + 1, max(times) + 1} - {0}:
        fewest = next(stations for stations, smallest in enumerate(takts, start=1) if smallest <= takt)
        answer = salbp1(times, before, takt)
        assert (answer.stations, answer.lower_bound, answer.proven) == (fewest, fewest, True)
        assert largest_load(times, before, answer.assignment, fewest) <= takt


@QUICK
@given(small_lines(7), st.integers(1, 7), st.integers(0, 7))
def test_the_most_efficient_line_is_that_of_all_assignments(line: Graph, fewest: int, more: int) -> None:
    times, before = line
    takts = smallest_takts(times, before)
    products = [stations * takts[min(stations, len(takts)) - 1] for stations in range(fewest, fewest + more + 1)]
    answer = salbpe(times, before, (fewest, fewest + more))
    assert fewest <= answer.stations <= fewest + more
    assert answer.stations * answer.takt == answer.lower_bound == min(products)
    assert answer.proven
    assert largest_load(times, before, answer.assignment, answer.stations) == answer.takt
    assert answer.efficiency == pytest.approx(sum(times) / min(products) if min(products) else 1.0)


@QUICK
@given(small_lines(), st.integers(0, 4000))
def test_sums_that_tasks_can_have_are_all_of_them_and_no_others(line: Graph, asked: int) -> None:
    times, before = line
    sums = {0}
    for time in times:
        sums |= {known + time for known in sums}
    least = min(asked, sum(times))
    found = Line(times, before)
    assert found.sum_from(least) == min(item for item in sums if item >= least)
    assert found.sum_to(asked) == max(item for item in sums if item <= asked)


def wide_line(seed: int, tasks: int) -> Graph:
    draw = random.Random(seed)
    times = [draw.randint(1, 99) for _ in range(tasks)]
    before = [tuple(sorted(draw.sample(range(max(0, t - 12), t), min(t, draw.randint(0, 2))))) for t in range(tasks)]
    return times, before


@pytest.mark.parametrize("nodes", [1, 30_000, 600_000])
def test_a_search_cut_short_is_sound_and_comes_out_the_same_every_time(nodes: int) -> None:
    times, before = wide_line(nodes, 45)
    answer = salbp2(times, before, 11, most_nodes=nodes)
    assert smallest_takt_bound(times, 11) <= answer.lower_bound <= answer.takt
    assert answer.proven == (answer.lower_bound == answer.takt)
    assert largest_load(times, before, answer.assignment, 11) == answer.takt
    assert salbp2(times, before, 11, most_nodes=nodes) == answer


def test_a_line_read_backwards_has_the_same_smallest_takt() -> None:
    times, before = wide_line(3, 30)
    after = [tuple(task for task, items in enumerate(before) if earlier in items) for earlier in range(30)]
    there, back = (salbp2(times, graph, 7) for graph in (before, after))
    assert there.proven
    assert back.proven
    assert there.takt == back.takt


def test_a_time_limit_is_kept_and_better_takts_are_told_on_the_way() -> None:
    import time

    times, before = wide_line(8, 120)
    salbp2(times[:20], before[:20], 5)
    told: list[int] = []
    started = time.monotonic()
    answer = salbp2(times, before, 29, time_limit_s=1.0, progress=lambda better: told.append(better.takt))
    assert time.monotonic() - started < 10
    assert told == sorted(told, reverse=True)
    assert told[-1] == answer.takt < told[0]


@pytest.mark.parametrize(
    ("times", "before", "stations"),
    [([], [], 1), ([3], [()], 0), ([3, -1], [(), ()], 1), ([1, 1], [(1,), (0,)], 1)],
)
def test_what_is_no_line_is_refused(times: list[int], before: list[tuple[int, ...]], stations: int) -> None:
    with pytest.raises(ValueError, match=r"task|station|circle"):
        salbp2(times, before, stations)
    with pytest.raises(ValueError, match=r"task|station|circle"):
        salbpe(times, before, (stations, stations + 1))


def test_an_empty_range_of_stations_is_refused() -> None:
    with pytest.raises(ValueError, match="range of stations is empty: 4 to 3"):
        salbpe([1, 2], [(), ()], (4, 3))


def test_more_stations_than_tasks_leave_the_takt_at_the_longest_task() -> None:
    answer = salbp2([4, 9, 1], [(), (0,), (1,)], 12)
    assert (answer.takt, answer.proven, answer.stations) == (9, True, 12)


def test_times_too_large_to_count_their_sums_are_answered_too() -> None:
    times = [10**12 + 7 * task for task in range(12)]
    answer = salbp2(times, [()] * 12, 5)
    assert answer.lower_bound <= answer.takt
    assert largest_load(times, [()] * 12, answer.assignment, 5) == answer.takt
    assert answer.takt < 4 * 10**12
