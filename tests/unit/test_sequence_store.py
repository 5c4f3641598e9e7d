"""Fixed places and the painted-body store: what can be reached, what is found, and what is told as bad input."""

from __future__ import annotations

import doctest
import importlib
import itertools
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from coachbuilder.plant.sequence import SequenceInputs, SequenceRule
from coachbuilder.plant.sequence.store import Lanes, RandomAccess, Store, farthest_ahead, lanes_for, reachable
from coachbuilder.plant.sequence.store.evaluate import delivered
from coachbuilder.plant.sequence.store.evaluate import evaluate as evaluate_store
from coachbuilder.plant.sequence.store.fixed import cost_of_places
from coachbuilder.plant.sequence.store.inputs import check_store, places_of, store_inputs_from, withdrawn_of
from coachbuilder.plant.sequence.store.interface import StoreInputs, WithdrawnCar
from coachbuilder.plant.sequence.store.pair import Day, Pair
from coachbuilder.programme.errors import ProblemList
from coachbuilder.programme.orders import Order, read_orders
from coachbuilder.programme.sections.sequence import RulePriority, SequenceObjective
from coachbuilder.programme.sections.store import StoreSection

HIGH, LOW = RulePriority.HIGH, RulePriority.LOW
STORES: list[Store] = [
    *(RandomAccess(places) for places in (0, 1, 2, 3, 9)),
    *(Lanes(lanes, places) for lanes in (1, 2, 3) for places in (1, 2, 3)),
]


def day(n: int, seed: int = 0, colours: str = "rgb", **changes: Any) -> SequenceInputs:
    """A random day of cars with two rules."""
    random = np.random.default_rng(seed)
    values: dict[str, Any] = {
        "cars": tuple(f"car{place}" for place in range(n)),
        "models": ("suv",) * n,
        "colours": tuple(random.choice(list(colours), n)),
        "has_option": random.integers(0, 2, (n, 2)).astype(bool),
        "rules": (SequenceRule("r0", "Rule 0", 1, 2, HIGH), SequenceRule("r1", "Rule 1", 1, 3, LOW)),
        "previous_has_option": np.zeros((0, 2), dtype=bool),
        "previous_colour": None,
        "objectives": (
            SequenceObjective.HIGH_PRIORITY,
            SequenceObjective.COLOUR_CHANGES,
            SequenceObjective.LOW_PRIORITY,
        ),
        "longest_batch": 100,
        "purge_cost_cny": 90.0,
        "evaluations": 20_000,
        "seed": 3,
    }
    return SequenceInputs(**(values | changes))


def store(of: Store, **changes: Any) -> StoreInputs:
    values: dict[str, Any] = {
        "store": of,
        "painted_place": None,
        "repaired_share": 0.0,
        "repair_delay_cars": 0,
        "evaluations": 20_000,
    }
    return StoreInputs(**(values | changes))


def released(of: Store, n: int) -> set[tuple[int, ...]]:
    """Every order in which a store can release n bodies: the store itself, step by step, with all that it may do."""
    orders: set[tuple[int, ...]] = set()
    seen: set[object] = set()
    waiting = [(0, ((),) * (of.lanes if isinstance(of, Lanes) else max(1, of.places)), ())]
    room = of.places_per_lane if isinstance(of, Lanes) else 1
    while waiting:
        state = waiting.pop()
        if state in seen:
            continue
        seen.add(state)
        entered, lanes, order = state
        if len(order) == n:
            orders.add(order)
        for at, lane in enumerate(lanes):
            if entered < n and len(lane) < room:
                waiting.append((entered + 1, (*lanes[:at], (*lane, entered), *lanes[at + 1 :]), order))
            if lane:
                waiting.append((entered, (*lanes[:at], lane[1:], *lanes[at + 1 :]), (*order, lane[0])))
    return orders


@pytest.mark.parametrize("name", ["reach", "evaluate"])
def test_examples_in_the_docstrings_run(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"coachbuilder.plant.sequence.store.{name}"))
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize("module", ["programme.places", "report.order_words"])
def test_examples_beside_the_store_run(module: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"coachbuilder.{module}"))
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize("of", STORES, ids=str)
def test_the_orders_that_can_be_reached_are_those_of_the_store_played_step_by_step(of: Store) -> None:
    n = 6 if isinstance(of, Lanes) else 5
    orders = released(of, n)
    for order in itertools.permutations(range(n)):
        assert reachable(of, np.array(order)) is (order in orders), order
    ahead = max(painted - place for order in orders for place, painted in enumerate(order))
    assert ahead == farthest_ahead(of, n)


def test_a_store_of_random_access_releases_as_many_orders_as_there_are_choices() -> None:
    # At each release one of three bodies, and of fewer as the last ones leave.
    assert len(released(RandomAccess(3), 6)) == 3**4 * 2 * 1


@pytest.mark.parametrize("of", [RandomAccess(0), RandomAccess(1), Lanes(1, 5)], ids=str)
def test_a_store_without_choice_gives_the_painted_order(of: Store) -> None:
    inputs = day(12, painted := 4)
    result = evaluate_store(replace(inputs, store=store(of)), np.random.default_rng(painted).permutation(12))
    assert result is not None
    assert result.farthest_ahead_cars == 0
    assert result.planned == result.one_order
    assert [car.painted_position for car in result.cars] == [car.position for car in result.cars]


def test_the_lanes_given_release_the_order_first_in_first_out_and_hold_no_more_than_they_can() -> None:
    random = np.random.default_rng(7)
    of, found = Lanes(3, 2), 0
    for _ in range(400):
        order = np.argsort(np.arange(9) + random.uniform(0, 7, 9))
        lanes = lanes_for(of, order)
        if lanes is None:
            continue
        found += 1
        lane_of = dict(zip(order.tolist(), lanes.tolist(), strict=True))
        held: list[list[int]] = [[] for _ in range(of.lanes)]
        entered = 0
        for body in order.tolist():
            while entered <= body:
                held[lane_of[entered]].append(entered)
                assert len(held[lane_of[entered]]) <= of.places_per_lane
                entered += 1
            assert held[lane_of[body]].pop(0) == body
    assert 50 < found < 400


def test_the_simple_rule_for_lanes_misses_orders_that_trying_every_choice_finds() -> None:
    from coachbuilder.plant.sequence.store import kernels

    def simple(order: tuple[int, ...]) -> bool:
        places = np.array(order)
        scratch = np.zeros((2, 3), dtype=np.int64)
        return bool(
            kernels.take_lanes(
                np.arange(6), places, np.arange(6), np.argsort(places), 3, 2, *scratch, np.zeros(6, dtype=np.int64)
            )
        )

    orders = released(Lanes(3, 2), 6)
    simply = {order for order in itertools.permutations(range(6)) if simple(order)}
    assert simply < orders


def test_lanes_that_look_alike_again_but_hold_other_bodies_are_followed_on() -> None:
    from coachbuilder.plant.sequence.store import kernels

    # Place of assembly of each body as painted. If the fourth and fifth change places in paint they change lanes, and
    # when the ninth enters every lane has its old count and last body; not so any more when the last one enters.
    built = np.array([2, 1, 4, 7, 5, 9, 0, 8, 3, 6])
    n = len(built)

    def arrays() -> list[np.ndarray]:
        return [np.zeros(shape, dtype=np.int32) for shape in (n, n, (n, 3), (n, 3))]

    def take(paint: np.ndarray, start: int, last_entry: int, known: list[np.ndarray]) -> list[np.ndarray]:
        fits, _ = kernels.retake_lanes(
            paint, np.argsort(built), np.argsort(paint), built, 3, start, last_entry, *known, *arrays()
        )
        assert fits
        return known

    swapped = np.array([0, 1, 2, 4, 3, 5, 6, 7, 8, 9])
    before = take(np.arange(n), 0, n - 1, arrays())
    ninth = [before[2][8].tolist(), before[3][8].tolist()]
    fresh = take(swapped, 0, n - 1, arrays())
    assert ninth == [fresh[2][8].tolist(), fresh[3][8].tolist()]
    assert before[2][9].tolist() != fresh[2][9].tolist()
    followed = take(swapped, 3, 4, before)
    assert [item.tolist() for item in followed[:3]] == [item.tolist() for item in fresh[:3]]


def test_work_for_lanes_that_does_not_suffice_leaves_the_question_open() -> None:
    missed = next(
        order for order in released(Lanes(3, 2), 6) if reachable(Lanes(3, 2), np.array(order), most_states=0) is None
    )
    assert reachable(Lanes(3, 2), np.array(missed)) is True


@pytest.mark.parametrize("of", [RandomAccess(2), RandomAccess(3), Lanes(2, 2), Lanes(3, 2)], ids=str)
def test_with_paint_given_the_best_reachable_order_of_small_days_is_found(of: Store) -> None:
    orders = sorted(released(of, 6))
    for seed in range(6):
        painted = np.random.default_rng(seed).permutation(6)
        inputs = day(6, seed, store=store(of, painted_place=np.argsort(painted)))
        counted = Day(inputs)
        best = min(counted.objectives(Pair(painted, painted[list(order)])).objective for order in orders)
        result = evaluate_store(inputs, np.arange(6))
        assert result is not None
        assert result.paint_given
        assert result.planned.objective == best


@pytest.mark.parametrize("of", [RandomAccess(2), Lanes(2, 2)], ids=str)
def test_of_small_days_the_best_pair_of_orders_is_found(of: Store) -> None:
    orders = [np.array(order) for order in released(of, 5)]
    for seed in range(4):
        inputs = day(5, seed, store=store(of), colours="rg")
        counted = Day(inputs)
        pairs = [np.array(paint) for paint in itertools.permutations(range(5))]
        best = min(counted.objectives(Pair(paint, paint[order])).objective for paint in pairs for order in orders)
        one = min(pairs, key=lambda order: counted.cost(Pair(order, order)))
        result = evaluate_store(inputs, one)
        assert result is not None
        assert result.planned.objective == best


def test_counting_agrees_with_that_of_the_build_order() -> None:
    from coachbuilder.plant import sequence

    random = np.random.default_rng(3)
    for seed in range(10):
        n = 15
        inputs = day(
            n,
            seed,
            longest_batch=2,
            previous_colour="r" if seed % 2 else "x",
            previous_has_option=random.integers(0, 2, (4, 2)).astype(bool),
            short_windows=bool(seed % 3),
        )
        order = random.permutation(n)
        mine, known = Day(inputs).objectives(Pair(order, order)), sequence.count(inputs, order)
        assert mine.objective == known.objective
        assert mine.high_priority_excess == known.high_priority_excess
        assert mine.low_priority_excess == known.low_priority_excess
        assert mine.colour_changes == known.colour_changes
        assert mine.batch_excess_cars == known.batch_excess_cars


def test_the_least_cost_is_a_bound_that_a_store_without_limit_reaches_without_rules() -> None:
    inputs = day(20, 1, rules=(), has_option=np.zeros((20, 0), dtype=bool), longest_batch=4, colours="rgb")
    inputs = replace(inputs, previous_has_option=np.zeros((0, 0), dtype=bool), store=store(RandomAccess(20)))
    result = evaluate_store(inputs, np.arange(20))
    assert result is not None
    assert result.planned.objective == Day(inputs).least_cost()
    assert result.planned.batch_excess_cars == 0


def test_bodies_from_repair_come_back_behind_as_many_as_told_and_the_others_close_up() -> None:
    paint = np.array([5, 4, 3, 2, 1, 0])
    assert delivered(paint, np.array([5]), 2).tolist() == [4, 3, 5, 2, 1, 0]
    assert delivered(paint, np.array([0]), 9).tolist() == paint.tolist()


def test_paint_repair_costs_nothing_that_the_store_holds_and_less_the_better_it_is_used() -> None:
    inputs = day(40, 5, store=store(RandomAccess(12), repaired_share=0.1, repair_delay_cars=6))
    result = evaluate_store(inputs, np.arange(40))
    assert result is not None
    assert result.disturbance is not None
    repair = result.disturbance
    assert repair.repaired_cars == 4
    assert repair.resequenced.objective <= min(repair.nearest.objective, repair.as_delivered.objective)
    assert repair.loss_nearest.objective == repair.nearest.objective - result.planned.objective
    assert repair.nearest.colour_changes == result.planned.colour_changes
    assert evaluate_store(inputs, np.arange(40)) == result


def test_a_planned_order_that_the_store_can_still_make_after_repair_is_built_as_planned() -> None:
    # Paint and assembly in one order, one body three places late, a store of four: it is waited for.
    inputs = day(10, 2)
    counted = Day(inputs)
    plan = np.arange(10)
    late = delivered(plan, np.array([2]), 3)
    assert counted.follow(RandomAccess(4), late, plan).tolist() == plan.tolist()
    assert counted.follow(RandomAccess(3), late, plan).tolist() != plan.tolist()
    assert counted.follow(Lanes(2, 4), late, plan).tolist() == plan.tolist()


def test_frozen_cars_keep_their_places_and_late_and_due_cars_theirs() -> None:
    n = 24
    earliest, latest = np.zeros(n, dtype=np.int64), np.full(n, n - 1, dtype=np.int64)
    earliest[[5, 6]], latest[[20, 21]] = 15, 6
    inputs = day(n, 8, frozen=3, earliest_place=earliest, latest_place=latest)
    order = np.array([0, 1, 2, 20, 21, *(car for car in range(3, 20) if car not in (5, 6)), 5, 6, 22, 23])
    for of in (RandomAccess(6), Lanes(3, 4)):
        result = evaluate_store(replace(inputs, store=store(of, repaired_share=0.1, repair_delay_cars=4)), order)
        assert result is not None
        place = {car.car: car.position - 1 for car in result.cars}
        assert [place[f"car{car}"] for car in range(3)] == [0, 1, 2]
        assert min(place["car5"], place["car6"]) >= 15
        assert max(place["car20"], place["car21"]) <= 6
        assert result.cars_outside_places == 0


def test_a_due_car_that_paint_delivers_too_late_is_told_rather_than_built_on_time() -> None:
    n = 10
    latest = np.full(n, n - 1, dtype=np.int64)
    latest[9] = 0
    inputs = day(n, 1, latest_place=latest, store=store(RandomAccess(3), painted_place=np.arange(n)))
    result = evaluate_store(inputs, np.arange(n))
    assert result is not None
    assert result.cars_outside_places == 1
    assert next(car.position for car in result.cars if car.car == "car9") == 8


def test_painted_places_are_sorted_and_frozen_cars_have_left_paint() -> None:
    places = np.array([90, 80, 50, 10, 30])
    inputs = day(5, 1, frozen=2, store=store(RandomAccess(1), painted_place=places))
    result = evaluate_store(inputs, np.arange(5))
    assert result is not None
    assert [car.car for car in result.cars] == ["car0", "car1", "car3", "car4", "car2"]


def test_a_day_without_cars_and_a_plant_without_a_store_have_no_store_to_tell_of() -> None:
    assert evaluate_store(day(3), np.arange(3)) is None
    assert evaluate_store(day(0, store=store(RandomAccess(3))), np.arange(0)) is None


@pytest.mark.parametrize("n", [1, 2])
def test_a_day_with_hardly_any_car_passes_the_store(n: int) -> None:
    for of in STORES:
        result = evaluate_store(day(n, store=store(of, repaired_share=1.0, repair_delay_cars=3)), np.arange(n))
        assert result is not None
        assert len(result.cars) == n


# ------------------------------------------------------------ what orders.csv says of places

HEADER = "id,day,model,colour,options,status,reason,earliest_place,latest_place,painted_place\n"


def read(tmp_path: Path, rows: str, header: str = HEADER) -> tuple[tuple[Order, ...], list[tuple[int | None, str]]]:
    file = tmp_path / "orders.csv"
    file.write_text(header + rows, encoding="utf-8")
    problems = ProblemList("orders.csv")
    orders = read_orders(file, ["suv"], ["roof"], ["red"], problems)
    return orders, [(problem.line, problem.field) for problem in problems]


def test_places_of_a_day_are_read(tmp_path: Path) -> None:
    orders, told = read(
        tmp_path,
        "A0,previous,suv,red,,,,,,\n"
        "A1,,suv,red,,frozen,on the line,,,\n"
        "A2,,suv,red,,withdrawn,no battery,,,\n"
        "A3,,suv,red,,,body late,3,,\n"
        "A4,,suv,red,,,customer waits,,2,\n",
    )
    assert told == []
    assert [order.built_today for order in orders] == [False, True, False, True, True]
    today = [order for order in orders if order.built_today]
    places = places_of(today)
    assert places["frozen"] == 1
    assert places["earliest_place"] is not None
    assert places["earliest_place"].tolist() == [0, 2, 0]
    assert places["latest_place"] is not None
    assert places["latest_place"].tolist() == [2, 2, 1]
    assert places["place_reasons"] == ("on the line", "body late", "customer waits")
    assert [(car.car, car.reason) for car in withdrawn_of(orders)] == [("A2", "no battery")]


def test_a_file_without_the_columns_stays_valid_and_fixes_nothing(tmp_path: Path) -> None:
    orders, told = read(tmp_path, "A1,,suv,red,\nA2,,suv,red,\n", "id,day,model,colour,options\n")
    assert told == []
    assert places_of(orders) == {"frozen": 0, "earliest_place": None, "latest_place": None, "place_reasons": ()}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("A1,,suv,red,,forzen,,,,\n", [(2, "status")]),
        ("A1,previous,suv,red,,frozen,,2,,\nA2,,suv,red,,,,,,\n", [(2, "status"), (2, "earliest_place")]),
        ("A1,,suv,red,,,,0,,\nA2,,suv,red,,,,soon,-1,1.5\n", [
            (2, "earliest_place"), (3, "earliest_place"), (3, "latest_place"), (3, "painted_place"),
        ]),
        ("A1,,suv,red,,,,2,1,\nA2,,suv,red,,,,,,\n", [(2, "latest_place")]),
        ("A1,,suv,red,,,,3,,\nA2,,suv,red,,,,,,\n", [(2, "earliest_place")]),
        ("A1,,suv,red,,,,,,\nA2,,suv,red,,frozen,,,,\n", [(3, "status")]),
        ("A1,,suv,red,,frozen,,2,,\nA2,,suv,red,,frozen,,,1,\n", [(2, "earliest_place"), (3, "latest_place")]),
        ("A1,,suv,red,,frozen,,,,\nA2,,suv,red,,,,,1,\n", [(3, "latest_place")]),
        ("A1,,suv,red,,withdrawn,,,,\n", [(None, "file")]),
        ("A1,,suv,red,,,,,,1\nA2,,suv,red,,,,,,\nA3,,suv,red,,,,,,1\n", [(3, "painted_place"), (4, "painted_place")]),
    ],
)  # fmt: skip
def test_places_that_make_no_sense_are_told_by_line_and_column(
    tmp_path: Path, rows: str, expected: list[tuple[int | None, str]]
) -> None:
    assert read(tmp_path, rows)[1] == expected


def test_more_due_cars_than_places_are_told_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    rows = [("A1", "", ""), ("A2", "2", "3"), ("A3", "2", "3"), ("A4", "", ""), ("A5", "3", "3")]
    text = HEADER + "".join(f"{name},,suv,red,,,,{first},{last},\n" for name, first, last in rows)
    file.write_text(text, encoding="utf-8")
    problems = ProblemList("orders.csv")
    read_orders(file, ["suv"], [], ["red"], problems)
    (problem,) = problems
    assert (problem.line, problem.field) == (3, "earliest_place, latest_place")
    assert problem.found == "3 cars that must all be built at the places 2 to 3"
    assert problem.hint == "places are set in line 3, line 4, line 6"


def test_late_cars_that_leave_the_first_places_without_a_car_are_told(tmp_path: Path) -> None:
    assert read(tmp_path, "A1,,suv,red,,,,2,,\nA2,,suv,red,,,,2,,\n")[1] == [(2, "earliest_place, latest_place")]


def test_a_withdrawn_car_takes_no_place(tmp_path: Path) -> None:
    # Two cars are built: a third place is beyond the day.
    rows = "A1,,suv,red,,withdrawn,,,,\nA2,,suv,red,,,,,,\nA3,,suv,red,,,,3,,\n"
    assert read(tmp_path, rows)[1] == [(4, "earliest_place")]


@pytest.mark.parametrize(
    ("table", "fields"),
    [
        ({"kind": "random access"}, ["sequence.store.places"]),
        ({"kind": "lanes", "lanes": 3}, ["sequence.store.places_per_lane"]),
        (
            {"kind": "lanes", "lanes": 3, "places_per_lane": 4, "places": 12},
            ["sequence.store.places"],
        ),
        ({"kind": "random access", "places": 0}, []),
    ],
)
def test_a_store_s_table_says_what_its_kind_needs_and_no_more(table: dict[str, Any], fields: list[str]) -> None:
    assert [problem.field for problem in check_store(StoreSection(**table), ())] == fields


def test_a_painted_order_without_a_store_is_told(tmp_path: Path) -> None:
    orders, told = read(tmp_path, "A1,,suv,red,,,,,,7\n")
    assert told == []
    assert [problem.field for problem in check_store(None, orders)] == ["sequence.store"]
    inputs = store_inputs_from(StoreSection(kind="random access", places=2), orders)
    assert inputs is not None
    assert inputs.painted_place is not None
    assert inputs.painted_place.tolist() == [7]


# ------------------------------------------------------------ what fixed places cost


def every_order(inputs: SequenceInputs, **_: Any) -> Any:
    """Stands in for the search: the best of all orders that keep the places."""
    n = len(inputs.cars)
    counted = Day(inputs)
    orders = (np.array([*range(inputs.frozen), *rest]) for rest in itertools.permutations(range(inputs.frozen, n)))
    best = min(
        (order for order in orders if counted.outside_places(order) == 0),
        key=lambda order: counted.cost(Pair(order, order)),
    )
    return SimpleNamespace(order=best, evaluations=1)


def test_the_loss_of_fixed_places_is_that_between_the_best_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coachbuilder.plant.sequence.engine.search", every_order)
    losses = []
    for seed in range(8):
        earliest, latest = np.zeros(6, dtype=np.int64), np.full(6, 5, dtype=np.int64)
        earliest[2], latest[5] = 4, 2
        inputs = day(6, seed, frozen=2, earliest_place=earliest, latest_place=latest, place_reasons=("why",) * 6)
        kept = every_order(inputs).order
        result = cost_of_places(inputs, kept)
        assert result is not None
        orders = [np.array(order) for order in itertools.permutations(range(6))]
        counted = [(order.tolist(), Day(inputs).objectives(Pair(order, order)).objective) for order in orders]
        assert result.free.objective == min(cost for _, cost in counted)
        assert result.head_only.objective == min(cost for order, cost in counted if order[:2] == [0, 1])
        assert result.kept.objective == min(
            cost for order, cost in counted if order[:2] == [0, 1] and order.index(2) >= 4 and order.index(5) <= 2
        )
        assert result.loss.objective == result.kept.objective - result.free.objective
        assert (result.frozen_cars, result.late_cars, result.due_cars) == (2, 1, 1)
        assert [(car.car, car.frozen) for car in result.cars[:2]] == [("car0", True), ("car1", True)]
        by_car = {car.car: car for car in result.cars}
        assert set(by_car) == {"car0", "car1", "car2", "car5"}
        assert (by_car["car2"].earliest_place, by_car["car2"].latest_place) == (5, 6)
        assert (by_car["car5"].earliest_place, by_car["car5"].latest_place) == (3, 3)
        assert by_car["car2"].reason == "why"
        losses.append(result.loss.objective)
    assert max(losses) > 0


def test_evaluate_keeps_every_place_and_tells_the_true_loss_of_small_days() -> None:
    from coachbuilder.plant import sequence

    for seed in range(5):
        earliest, latest = np.zeros(7, dtype=np.int64), np.full(7, 6, dtype=np.int64)
        earliest[3], latest[6] = 5, 2
        inputs = day(7, seed, frozen=1, earliest_place=earliest, latest_place=latest, evaluations=30_000)
        result = sequence.evaluate(inputs)
        place = {car.car: car.position for car in result.order}
        assert place["car0"] == 1
        assert place["car3"] >= 6
        assert place["car6"] <= 3
        free = replace(inputs, frozen=0, earliest_place=None, latest_place=None)
        kept, best = (
            Day(inputs).objectives(Pair(order, order)).objective
            for order in (every_order(inputs).order, every_order(free).order)
        )
        assert result.fixed_places is not None
        assert result.fixed_places.kept.objective == result.counts.objective == kept
        assert result.fixed_places.free.objective == best
        assert result.fixed_places.loss.objective == kept - best


def test_load_that_ranks_first_is_not_told_as_a_cost_of_places_nor_as_a_gain_of_the_store() -> None:
    from coachbuilder.plant import sequence

    paid = []
    for seed in range(4):
        latest = np.full(7, 6, dtype=np.int64)
        latest[6] = 2
        first = (SequenceObjective.LEVEL_LOAD, SequenceObjective.HIGH_PRIORITY, SequenceObjective.COLOUR_CHANGES)
        inputs = day(
            7, seed, models=tuple("aaabbbb"), objectives=first, frozen=1, latest_place=latest, evaluations=30_000,
            store=store(RandomAccess(1)),
        )  # fmt: skip
        result = sequence.evaluate(inputs)
        kept, best = (
            Day(inputs).objectives(Pair(order, order)).objective
            for order in (every_order(inputs).order, every_order(replace(inputs, frozen=0, latest_place=None)).order)
        )
        assert result.load_ranked
        assert result.fixed_places is not None
        assert result.fixed_places.kept.objective == kept
        assert result.fixed_places.loss.objective == kept - best
        assert result.store is not None
        assert result.store.one_order.objective == kept
        assert result.store.gain.objective == 0  # one place is no store
        place = {car.car: car.position for car in result.order}
        assert [car.position for car in result.fixed_places.cars] == [
            place[car.car] for car in result.fixed_places.cars
        ]
        paid.append(result.counts.objective - kept)
    assert min(paid) >= 0
    assert max(paid) > 0


def test_a_search_that_finds_less_with_more_freedom_is_told_no_loss_below_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "coachbuilder.plant.sequence.engine.search", lambda inputs: SimpleNamespace(order=np.arange(8)[::-1])
    )
    inputs = day(8, 3, frozen=1, latest_place=np.array([7] * 7 + [4]))
    order = every_order(day(8, 3)).order
    start = np.concatenate([[0], order[order > 0]])
    result = cost_of_places(inputs, start)
    assert result is not None
    assert result.loss.objective >= 0
    assert result.loss_of_head.objective >= 0


def test_a_day_without_fixed_places_costs_nothing() -> None:
    assert cost_of_places(day(5), np.arange(5)) is None


def test_report_and_summary_tell_fixed_places_withdrawn_cars_and_the_store(
    monkeypatch: pytest.MonkeyPatch, example_folder: Path
) -> None:
    from coachbuilder.plant import sequence
    from coachbuilder.programme import load
    from coachbuilder.report import fragments
    from coachbuilder.report.page import environment
    from coachbuilder.report.summary import stage_summary
    from coachbuilder.report.wording import HARD_SPACE

    monkeypatch.setattr("coachbuilder.plant.sequence.engine.search", every_order)
    programme = load(example_folder)
    for of in (RandomAccess(3), Lanes(2, 3)):
        inputs = day(
            7,
            1,
            models=("h6",) * 7,
            frozen=1,
            latest_place=np.array([6] * 6 + [2]),
            place_reasons=("on the line", *[""] * 5, "customer <waits>"),
            withdrawn=(WithdrawnCar("gone", "h6", "r", "no battery"),),
            store=store(of, repaired_share=0.3, repair_delay_cars=2),
        )
        order = every_order(inputs).order
        whole = sequence.evaluate(replace(day(7, 1), models=("h6",) * 7))
        told = replace(
            whole,
            withdrawn=inputs.withdrawn,
            fixed_places=cost_of_places(inputs, order),
            store=evaluate_store(inputs, order),
        )
        page = (
            environment()
            .get_template("sequence_store.html.j2")
            .render(day=told, plan=SimpleNamespace(programme=programme), pictures=fragments)
        )
        for text in ("no battery", "customer &lt;waits&gt;", "painted-body store", "Size of the store", "paint repair"):
            assert text in page
        text = stage_summary("sequence", told)
        for words in ("gone h6: no battery", "1 frozen at the head, 0 late, 1 due", "  after paint repair", "no limit"):
            assert words in text
        assert ("2 lanes" if isinstance(of, Lanes) else "with random access") in text.replace(HARD_SPACE, " ")


ORDERS = (
    "id,day,model,colour,options,status,reason,earliest_place,latest_place,painted_place\n"
    "P1,previous,h6,red,tow-bar,,,,,\n"
    "A1,,h6,white,,frozen,on the line,,,40\n"
    "A2,,guest,red,guest;battery-lift,,,,,31\n"
    "A3,,h6,white,panoramic-roof,withdrawn,no seats,,,\n"
    "A4,,h6_hev,red,hybrid,,battery late,4,,12\n"
    "A5,,h6,black,,,,,3,33\n"
    "A6,,goodcat,white,battery-lift,,,,,10\n"
)


@pytest.fixture
def folder(tmp_path: Path, example_folder: Path) -> Path:
    """A copy of the example with a day's orders."""
    copy = tmp_path / "programme"
    shutil.copytree(example_folder, copy, ignore=shutil.ignore_patterns("out"))
    (copy / "orders.csv").write_text(ORDERS, encoding="utf-8")
    return copy


def test_a_programme_s_orders_and_store_become_inputs(folder: Path) -> None:
    from coachbuilder.plant import sequence
    from coachbuilder.programme import load

    inputs = sequence.inputs_from(load(folder), cars_per_day={})
    assert inputs.cars == ("A1", "A2", "A4", "A5", "A6")
    assert inputs.frozen == 1
    assert inputs.earliest_place is not None
    assert inputs.earliest_place.tolist() == [0, 0, 3, 0, 0]
    assert inputs.latest_place is not None
    assert inputs.latest_place.tolist() == [4, 4, 4, 2, 4]
    assert inputs.withdrawn == (WithdrawnCar("A3", "h6", "white", "no seats"),)
    assert inputs.store is not None
    assert inputs.store.store == RandomAccess(120)
    assert inputs.store.painted_place is not None
    assert inputs.store.painted_place.tolist() == [40, 31, 12, 33, 10]
    assert inputs.store.repaired_share == 0.08
    assert inputs.store.repair_delay_cars == 60


def test_a_painted_order_without_a_store_in_the_programme_is_told_as_bad_input(folder: Path) -> None:
    from coachbuilder.plant import sequence
    from coachbuilder.programme import InputError, load

    plant = folder / "plant.toml"
    text = plant.read_text(encoding="utf-8")
    begin = text.index("[sequence.store]")
    plant.write_text(text[:begin] + text[text.index("[[sequence.option]]") :], encoding="utf-8")
    with pytest.raises(InputError) as told:
        sequence.inputs_from(load(folder), cars_per_day={})
    assert [(problem.file, problem.field) for problem in told.value.problems] == [("plant.toml", "sequence.store")]


def test_places_that_cannot_be_had_keep_a_programme_from_being_loaded(folder: Path) -> None:
    from coachbuilder.programme import InputError, load

    orders = folder / "orders.csv"
    orders.write_text(ORDERS.replace("A6,,goodcat,white,battery-lift,,,,,10", "A6,,guest,red,guest,,,,1,10"))
    with pytest.raises(InputError, match=r"orders\.csv:8: latest_place: found 1; expected more than 1"):
        load(folder)
