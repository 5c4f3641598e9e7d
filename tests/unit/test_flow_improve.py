"""Where buffer places help most and which changes reach a rate, against exact solutions of short exponential lines."""

from __future__ import annotations

from functools import cache
from itertools import chain, combinations, product

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from coachbuilder.plant.flow import improve
from coachbuilder.plant.flow.improve import Change, allocate_buffers, changed, cheapest
from coachbuilder.plant.flow.plant import CarType, Failure, MovingLine, Plant, Source, Station, Time, serial_line


@cache
def exact_rate_per_h(cycle_s: tuple[float, ...], places: tuple[int, ...]) -> float:
    """Solve the Markov chain of a saturated exponential line with blocking after service.

    Coordinate j of a state counts the cars that machine j has finished and machine j + 1 has not.
    """
    start = (0,) * len(places)
    index = {start: 0}
    waiting = [start]
    rows, columns, rates = [], [], []
    while waiting:
        state = waiting.pop()
        for machine, working in enumerate(_working(state, places)):
            if working:
                after = list(state)
                if machine > 0:
                    after[machine - 1] -= 1
                if machine < len(places):
                    after[machine] += 1
                moved = tuple(after)
                if moved not in index:
                    index[moved] = len(index)
                    waiting.append(moved)
                rows += [index[moved], index[state]]
                columns += [index[state], index[state]]
                rates += [1.0 / cycle_s[machine], -1.0 / cycle_s[machine]]
    count = len(index)
    # One balance follows from the others; the probabilities add up to 1 in its place.
    kept = [k for k in range(len(rows)) if rows[k] != count - 1]
    matrix = coo_array(
        (
            np.append([rates[k] for k in kept], np.ones(count)),
            (
                np.append([rows[k] for k in kept], np.full(count, count - 1)),
                np.append([columns[k] for k in kept], np.arange(count)),
            ),
        ),
        shape=(count, count),
    ).tocsc()
    right = np.zeros(count)
    right[-1] = 1.0
    chance = spsolve(matrix, right)
    busy = sum(chance[place] for state, place in index.items() if state[-1] > 0)
    return float(busy) * 3600.0 / cycle_s[-1]


def _working(state: tuple[int, ...], places: tuple[int, ...]) -> list[bool]:
    working = [False] * (len(places) + 1)
    held_behind = False
    for machine in range(len(places), -1, -1):
        room = machine == len(places) or state[machine] < places[machine] + 1 + (not held_behind)
        working[machine] = room and (machine == 0 or state[machine - 1] > 0)
        held_behind = not room
    return working


def line_of(cycle_s: tuple[float, ...], places: tuple[int, ...]) -> Plant:
    return serial_line([Time.exponential(cycle) for cycle in cycle_s], list(places))


def best_allocation(cycle_s: tuple[float, ...], more: int) -> tuple[tuple[int, ...], float]:
    rates = {
        places: exact_rate_per_h(cycle_s, places)
        for places in product(range(more + 1), repeat=len(cycle_s) - 1)
        if sum(places) == more
    }
    best = max(rates, key=rates.__getitem__)
    return best, rates[best]


def test_the_exact_solution_gives_the_published_rates() -> None:
    for places in range(4):
        assert exact_rate_per_h((3600.0, 3600.0), (places,)) == pytest.approx((places + 2) / (places + 3))
    # Hillier and Boling (1967), three and four machines without buffers.
    assert exact_rate_per_h((3600.0,) * 3, (0, 0)) == pytest.approx(0.5641, abs=5e-5)
    assert exact_rate_per_h((3600.0,) * 4, (0, 0, 0)) == pytest.approx(0.5148, abs=5e-5)


LINES = [
    ((60.0, 60.0, 60.0, 60.0), 6),
    ((60.0, 60.0, 60.0, 60.0), 7),
    ((60.0, 48.0, 66.0, 54.0), 6),
    ((50.0, 70.0, 55.0, 65.0), 5),
]


@pytest.mark.parametrize(("cycle_s", "more"), LINES)
def test_places_go_where_the_exact_solution_has_them_or_as_good(cycle_s: tuple[float, ...], more: int) -> None:
    best, best_rate = best_allocation(cycle_s, more)
    answer = allocate_buffers(line_of(cycle_s, (0, 0, 0)), more, days=30.0, warm_up_h=5.0, tolerance=0.002)
    chosen = tuple(answer.places.values())
    assert answer.all_looked_at
    assert answer.chance_best >= 0.95
    assert exact_rate_per_h(cycle_s, chosen) >= best_rate * 0.998
    assert answer.throughput_per_hour.mean == pytest.approx(exact_rate_per_h(cycle_s, chosen), rel=0.005)
    assert chosen == best or exact_rate_per_h(cycle_s, chosen) < best_rate


def test_a_place_too_many_for_an_even_share_goes_to_the_middle_of_a_balanced_line() -> None:
    # Conway, Maxwell, McClain and Thomas (1988): evenly, and what is left over at the centre.
    assert best_allocation((60.0,) * 4, 7)[0] == (2, 3, 2)
    answer = allocate_buffers(line_of((60.0,) * 4, (0, 0, 0)), 7, days=60.0, warm_up_h=5.0, tolerance=0.0005)
    assert tuple(answer.places.values()) == (2, 3, 2)


@pytest.mark.parametrize(("cycle_s", "more"), [*LINES[1:], ((60.0, 55.0, 66.0, 50.0, 60.0), 8)])
def test_the_search_among_many_allocations_comes_as_near(
    monkeypatch: pytest.MonkeyPatch, cycle_s: tuple[float, ...], more: int
) -> None:
    monkeypatch.setattr(improve, "WHOLE_SEARCH", 0)
    best_rate = best_allocation(cycle_s, more)[1]
    line = line_of(cycle_s, (0,) * (len(cycle_s) - 1))
    answer = allocate_buffers(line, more, days=30.0, warm_up_h=5.0)
    assert not answer.all_looked_at
    assert sum(answer.places.values()) == more
    assert exact_rate_per_h(cycle_s, tuple(answer.places.values())) >= best_rate * 0.997


def test_a_search_among_many_buffers_is_narrowed_to_those_where_time_is_lost_on_both_sides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(improve, "WHOLE_SEARCH", 0)
    monkeypatch.setattr(improve, "MOST_BUFFERS", 2)
    cycle_s = (60.0, 60.0, 60.0, 20.0, 20.0)
    answer = allocate_buffers(line_of(cycle_s, (0, 0, 0, 0)), 4, days=10.0, warm_up_h=5.0)
    assert [name for name, places in answer.places.items() if places] == ["b1", "b2"]
    best_rate = best_allocation(cycle_s, 4)[1]
    assert exact_rate_per_h(cycle_s, tuple(answer.places.values())) >= best_rate * 0.99


def test_the_gain_is_told_against_the_line_as_it_is_and_against_an_even_share() -> None:
    cycle_s = (60.0, 60.0, 30.0, 30.0)
    answer = allocate_buffers(line_of(cycle_s, (0, 0, 0)), 3, days=30.0, warm_up_h=5.0)
    chosen = tuple(answer.places.values())
    exact_gain = exact_rate_per_h(cycle_s, chosen) - exact_rate_per_h(cycle_s, (0, 0, 0))
    exact_over_even = exact_rate_per_h(cycle_s, chosen) - exact_rate_per_h(cycle_s, (1, 1, 1))
    for estimate, exact in ((answer.gain_per_hour, exact_gain), (answer.over_even_per_hour, exact_over_even)):
        assert estimate.ci95 is not None
        assert abs(estimate.mean - exact) <= 2.0 * estimate.ci95
    assert exact_over_even > 0.5


def test_only_the_buffers_named_get_places() -> None:
    answer = allocate_buffers(line_of((60.0,) * 4, (1, 1, 1)), 2, days=5.0, warm_up_h=5.0, buffers=("b1", "b3"))
    assert set(answer.places) == {"b1", "b3"}
    with pytest.raises(ValueError, match="b9"):
        allocate_buffers(line_of((60.0,) * 3, (1, 1)), 2, days=5.0, buffers=("b9",))


# Sets of changes

CYCLE_S, PLACES = (60.0, 64.0, 58.0), (0, 0)
CHANGES = (
    Change("store 1", 7.0, "b1", places=2),
    Change("store 2", 6.0, "b2", places=2),
    Change("weld", 11.0, "m1", less_cycle_s=6.0),
    Change("glue", 13.0, "m2", less_cycle_s=9.0),
    Change("lift", 5.0, "m3", less_cycle_s=4.0),
)


def exact_with(chosen: tuple[Change, ...]) -> float:
    cycle_s, places = list(CYCLE_S), list(PLACES)
    for change in chosen:
        if change.places:
            places[int(change.at[1:]) - 1] += change.places
        cycle_s[int(change.at[1:]) - 1] -= change.less_cycle_s
    return exact_rate_per_h(tuple(cycle_s), tuple(places))


@pytest.mark.parametrize("rate_per_h", [36.0, 40.0, 43.0, 46.0])
def test_the_cheapest_set_is_that_of_the_exact_solution(rate_per_h: float) -> None:
    sets = list(chain.from_iterable(combinations(CHANGES, size) for size in range(len(CHANGES) + 1)))
    exact = {chosen: exact_with(chosen) for chosen in sets}
    # No set may lie so near the rate that no simulation of this length can tell.
    assert min(abs(rate - rate_per_h) for rate in exact.values()) > 0.03
    cheapest_exact = min(
        (chosen for chosen in sets if exact[chosen] >= rate_per_h), key=lambda chosen: sum(item.cost for item in chosen)
    )
    answer = cheapest(line_of(CYCLE_S, PLACES), CHANGES, rate_per_h, days=30.0, warm_up_h=5.0)
    assert answer.reaches
    assert answer.whole_search
    assert answer.cost == sum(item.cost for item in cheapest_exact)
    assert set(answer.changes) == {item.id for item in cheapest_exact}
    assert answer.chance_right > 0.9
    assert answer.sets <= len(sets)


def test_a_rate_out_of_reach_is_told_as_such() -> None:
    answer = cheapest(line_of(CYCLE_S, PLACES), CHANGES, 60.0, days=5.0, warm_up_h=5.0)
    assert not answer.reaches
    assert answer.changes == ()
    assert answer.throughput_per_hour.mean == pytest.approx(exact_with(CHANGES), rel=0.02)


def test_nothing_is_changed_where_nothing_need_be() -> None:
    answer = cheapest(line_of(CYCLE_S, PLACES), CHANGES, 20.0, days=5.0, warm_up_h=5.0)
    assert (answer.changes, answer.cost, answer.reaches) == ((), 0.0, True)


def test_every_kind_of_change_is_made_where_it_belongs() -> None:
    failure = Failure("stop", Time.exponential(1000.0), Time.exponential(100.0))
    line = MovingLine("line", 4, (Time(60.0), Time(70.0)), station_failures=(failure,))
    station = Station("m", (Time.gamma(60.0, 0.3),), failures=(failure,))
    plant = Plant((CarType("a"), CarType("b")), (station, line), (Source("source", "m"),))
    after = changed(
        plant,
        [
            Change("robot", 1.0, "m", less_cycle_s=6.0, mtbf_factor=2.0, mttr_factor=0.5, machines=1),
            Change("speed", 1.0, "line", less_cycle_s=10.0, mtbf_factor=3.0),
        ],
    )
    changed_station, changed_line = after.stations
    assert isinstance(changed_station, Station)
    assert isinstance(changed_line, MovingLine)
    assert changed_station.cycle == (Time.gamma(54.0, 0.3),)
    assert changed_station.machines == 2
    assert changed_station.failures[0].to_failure == Time.exponential(2000.0)
    assert changed_station.failures[0].to_repair == Time.exponential(50.0)
    assert changed_line.takt == (Time(50.0), Time(60.0))
    assert changed_line.station_failures[0].to_failure == Time.exponential(3000.0)


@pytest.mark.parametrize(
    "change",
    [
        Change("nowhere", 1.0, "m9"),
        Change("no room", 1.0, "m1", places=1),
        Change("no work", 1.0, "b1", less_cycle_s=1.0),
        Change("nothing", 1.0, "m1"),
        Change("too fast", 1.0, "m1", less_cycle_s=60.0),
    ],
)
def test_a_change_that_does_not_fit_is_named(change: Change) -> None:
    with pytest.raises(ValueError, match=change.id):
        changed(line_of(CYCLE_S, PLACES), [change])


def test_changes_of_one_name_or_of_negative_cost_are_refused() -> None:
    for changes in ([CHANGES[0], CHANGES[0]], [Change("gift", -1.0, "m1", machines=1)]):
        with pytest.raises(ValueError, match=changes[0].id):
            cheapest(line_of(CYCLE_S, PLACES), changes, 40.0, days=1.0)


def test_a_machine_side_by_side_is_worth_its_cost_only_where_it_is_needed() -> None:
    # The second machine is the slowest: a second one beside it, or both others faster, of which only the first helps.
    line = line_of((30.0, 80.0, 30.0), (4, 4))
    changes = [
        Change("first faster", 1.0, "m1", less_cycle_s=10.0),
        Change("last faster", 1.0, "m3", less_cycle_s=10.0),
        Change("beside it", 20.0, "m2", machines=1),
    ]
    answer = cheapest(line, changes, 60.0, days=5.0, warm_up_h=5.0)
    assert answer.changes == ("beside it",)
    assert answer.chance_right > 0.99
