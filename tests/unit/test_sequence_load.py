"""Work overload, level load and the guest's share: closed forms, exact optima, and what the stage says of them."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from coachbuilder.plant import sequence
from coachbuilder.plant.sequence import Drift, LineLoad, LineOperator, SequenceInputs, SequenceRule
from coachbuilder.plant.sequence.load import level
from coachbuilder.plant.sequence.load.guest_share import days_by_guests, guest_shares
from coachbuilder.plant.sequence.load.interface import Borders
from coachbuilder.plant.sequence.load.level import (
    due_date_order,
    least_variation,
    levelled_order,
    product_rate_variation,
)
from coachbuilder.plant.sequence.load.overload import lower_bound, operators_of, overload_of
from coachbuilder.plant.sequence.load.search import improve, models_of
from coachbuilder.programme.sections.sequence import RulePriority, SequenceObjective

if TYPE_CHECKING:
    from coachbuilder.plan import Plan

CLOSED = Drift(Borders.CLOSED, 1.15, 0.1, 0.1, 1.0)
OVERLOAD, LEVEL = SequenceObjective.WORK_OVERLOAD, SequenceObjective.LEVEL_LOAD


def one_operator(*work_s: float, lanes: int = 1) -> LineLoad:
    models = tuple("abcdef"[: len(work_s)])
    crew = tuple(LineOperator("T01", 1, 0, lanes, lane, work_s) for lane in range(lanes))
    return LineLoad(60.0, models, (1 / len(work_s),) * len(work_s), models[-1], crew)


def day(models: str, line: LineLoad, **changes: Any) -> SequenceInputs:
    values: dict[str, Any] = {
        "cars": tuple(f"{at:03d}" for at in range(len(models))),
        "models": tuple(models),
        "colours": ("white",) * len(models),
        "has_option": np.zeros((len(models), 0), dtype=bool),
        "rules": (),
        "previous_has_option": np.zeros((0, 0), dtype=bool),
        "previous_colour": None,
        "objectives": (OVERLOAD,),
        "longest_batch": 1000,
        "purge_cost_cny": 0.0,
        "evaluations": 200_000,
        "seed": 1,
        "drift": CLOSED,
        "line": line,
    }
    return SequenceInputs(**(values | changes))


def overload_s(line: LineLoad, models: str, drift: Drift = CLOSED) -> float:
    numbers = np.array([line.models.index(model) for model in models])
    return overload_of(operators_of(line, drift, drift.borders), numbers).total_s


@pytest.mark.parametrize("name", ["level", "overload", "search", "guest_share"])
def test_examples_run(name: str) -> None:
    tried = doctest.testmod(importlib.import_module(f"coachbuilder.plant.sequence.load.{name}"))
    assert tried.failed == 0


def test_drift_by_hand() -> None:
    """Takt 60, station 69: b (66 s) drifts 6 a car, a (50 s) brings back 10; what ends behind 69 is left over."""
    line = one_operator(50.0, 66.0)
    assert overload_s(line, "b") == 0
    assert overload_s(line, "bb") == pytest.approx(3)  # begins at 6, would end at 72
    assert overload_s(line, "bbb") == pytest.approx(9)  # begins at 9 each time from then on
    assert overload_s(line, "babab") == 0
    assert overload_s(line, "bbab") == pytest.approx(3)
    # Open: he may end at 75 and begin 6 before the station, where a car's 10 s less take him.
    opened = dataclasses.replace(CLOSED, borders=Borders.OPEN)
    assert overload_s(line, "bb", opened) == 0
    assert overload_s(line, "bbb", opened) == pytest.approx(3)
    assert overload_s(line, "abbb", opened) == 0
    assert overload_s(line, "aabbbb", opened) == pytest.approx(3)  # two short cars take him no further than one


def test_parallel_places_take_every_other_car() -> None:
    """Two places: each car stays 120 s, and the cars of one place alone follow each other there."""
    line = one_operator(100.0, 132.0, lanes=2)
    assert overload_s(line, "bbaa") == 0
    assert overload_s(line, "baba") == pytest.approx(6)


@pytest.mark.parametrize(("long_s", "short_s"), [(66.0, 57.0), (69.0, 50.0), (64.0, 59.0), (68.0, 55.0)])
def test_a_rule_one_in_so_many_keeps_a_station_free_of_overload(long_s: float, short_s: float) -> None:
    """Closed form (Golle, Boysen and Rothlauf 2010): a long car needs as many short ones as bring its drift back."""
    line = one_operator(short_s, long_s)
    drift = dataclasses.replace(CLOSED, station_length_share=long_s / 60)
    needed = math.ceil((long_s - 60) / (60 - short_s))
    assert overload_s(line, ("b" + "a" * needed) * 20, drift) == 0
    assert overload_s(line, ("b" + "a" * (needed - 1)) * 20, drift) > 0


def by_cp_sat(inputs: SequenceInputs) -> int:
    """Return the least overload of a small day in milliseconds, proven by another solver."""
    from ortools.sat.python import cp_model

    line, drift = inputs.line, inputs.drift
    assert line is not None
    n = len(inputs.cars)
    cars = [inputs.models.count(model) for model in line.models]
    model = cp_model.CpModel()
    built = [[model.new_bool_var("") for _ in line.models] for _ in range(n)]
    for turn in range(n):
        model.add_exactly_one(built[turn])
    for at, number in enumerate(cars):
        model.add(sum(built[turn][at] for turn in range(n)) == number)
    takt = round(line.takt_s * 1000)
    is_open = drift.borders is Borders.OPEN
    down = round(takt * (drift.station_length_share + is_open * drift.downstream_share))
    up = -round(takt * is_open * drift.upstream_share)
    left_over = []
    for operator in line.operators:
        work = [round(s * 1000) for s in operator.work_s]
        begin: Any = 0
        for turn in range(n):
            over = model.new_int_var(0, 10**7, "")
            following = model.new_int_var(up, 10**7, "")
            end = begin + sum(work[at] * built[turn][at] for at in range(len(work)))
            model.add(end - over <= down)
            model.add(following >= end - over - takt)
            left_over.append(over)
            begin = following
    model.minimize(sum(left_over))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return round(solver.objective_value)


def test_the_search_finds_the_proven_least_overload_of_small_days() -> None:
    random = np.random.default_rng(5)
    for _ in range(6):
        n = int(random.integers(6, 10))
        operators = tuple(
            LineOperator(f"S{at}", 1, at, 1, 0, tuple(random.integers(80, 145, 3) / 2)) for at in range(3)
        )
        line = LineLoad(60.0, ("a", "b", "c"), (0.3, 0.3, 0.4), "c", operators)
        drift = dataclasses.replace(CLOSED, borders=list(Borders)[int(random.integers(2))])
        inputs = day("".join(random.choice(list("abc"), n)), line, drift=drift, evaluations=1_000_000)
        order, _ = improve(inputs, np.arange(n))
        least = by_cp_sat(inputs)
        assert overload_s(line, "".join(inputs.models[car] for car in order), drift) == pytest.approx(least / 1000)
        numbers, _ = models_of(inputs)
        bound = lower_bound(operators_of(line, drift, drift.borders), np.bincount(numbers, minlength=3)[None, :])
        assert bound[0] / 1e6 <= least / 1000 + 1e-6


def test_load_keeps_its_rank_among_the_objectives_in_small_days() -> None:
    """Against all orders of six cars: rules, colours, overload and level load in any order of rank."""
    random = np.random.default_rng(6)
    line = one_operator(50.0, 58.0, 67.0)
    reached = 0
    for trial in range(12):
        objectives = tuple(random.permutation(np.array(list(SequenceObjective), dtype=object)).tolist())
        inputs = day(
            "".join(random.choice(list("abc"), 6)),
            line,
            colours=tuple(random.choice(["red", "blue"], 6).tolist()),
            has_option=random.integers(0, 2, (6, 2)).astype(bool),
            rules=(
                SequenceRule("r0", "", 1, 2, RulePriority.HIGH),
                SequenceRule("r1", "", 1, 3, RulePriority.LOW),
            ),
            previous_has_option=np.zeros((0, 2), dtype=bool),
            objectives=objectives,
            longest_batch=2,
            seed=trial,
        )
        start = np.arange(6)
        every = [cost_vector(inputs, np.array(order)) for order in itertools.permutations(range(6))]
        found = cost_vector(inputs, improve(inputs, start)[0])
        assert min(every) <= found <= cost_vector(inputs, start)
        reached += found == min(every)
    assert reached >= 8  # a local search: it may stop short, but seldom


def cost_vector(inputs: SequenceInputs, order: NDArray[np.int64]) -> list[float]:
    counts = sequence.count(inputs, order)
    models, names = models_of(inputs)
    assert inputs.line is not None
    value = {
        SequenceObjective.HIGH_PRIORITY: counts.high_priority_excess,
        SequenceObjective.LOW_PRIORITY: counts.low_priority_excess,
        SequenceObjective.COLOUR_CHANGES: counts.colour_changes,
        OVERLOAD: overload_s(inputs.line, "".join(inputs.models[car] for car in order), inputs.drift),
        LEVEL: round(product_rate_variation(models[order][:, None] == np.arange(len(names))), 2),
    }
    return [counts.batch_excess_cars, *(value[goal] for goal in inputs.objectives)]


@pytest.mark.parametrize("cars", [(1,), (2, 1), (3, 3), (4, 2, 1), (3, 2, 2), (5, 2), (2, 2, 2, 1)])
def test_the_levelled_order_is_the_most_level_of_all(cars: tuple[int, ...]) -> None:
    def variation(order: tuple[int, ...]) -> float:
        """Count place by place, from the definition."""
        return sum(
            (order[:place].count(model) - place * number / len(order)) ** 2
            for place in range(1, len(order) + 1)
            for model, number in enumerate(cars)
        )

    everything = [model for model, number in enumerate(cars) for _ in range(number)]
    least = min(variation(order) for order in set(itertools.permutations(everything)))
    found = levelled_order(cars)
    assert np.bincount(found, minlength=len(cars)).tolist() == list(cars)
    assert variation(tuple(found.tolist())) == pytest.approx(least)
    assert least_variation(cars) == pytest.approx(least)
    assert product_rate_variation(found[:, None] == np.arange(len(cars))) == pytest.approx(least)


def test_of_a_long_day_the_least_is_a_lower_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    cars = [50, 33, 33, 7]
    exact = least_variation(cars)
    monkeypatch.setattr(level, "MOST_CARS_EXACT", 0)
    bound = least_variation(cars)
    assert 0.6 * exact < bound < exact
    assert exact <= product_rate_variation(due_date_order(cars)[:, None] == np.arange(4)) <= 1.05 * exact


def test_level_load_alone_comes_close_to_the_most_level_order() -> None:
    models = "a" * 40 + "b" * 25 + "c" * 15
    inputs = day(models, one_operator(50.0, 55.0, 60.0), objectives=(LEVEL,), evaluations=2_000_000)
    numbers, _ = models_of(inputs)
    order, _ = improve(inputs, np.arange(len(models)))
    reached = product_rate_variation(numbers[order][:, None] == np.arange(3))
    assert reached <= 1.02 * least_variation([40, 25, 15])


def test_options_can_be_levelled_like_models() -> None:
    member = np.array([[1, 0], [1, 1], [0, 0], [0, 1]], dtype=bool)
    # First option after 1, 2, 3, 4 cars: 1, 2, 2, 2 beside 0.5, 1, 1.5, 2; second: 0, 1, 1, 2 beside the same.
    assert product_rate_variation(member) == pytest.approx(0.25 + 1 + 0.25 + 0.25 + 0.25)


def test_the_stage_lowers_overload_without_harm_to_what_counts_more() -> None:
    line = one_operator(50.0, 66.0)
    models = "b" * 12 + "a" * 12
    colours = ("red", "blue") * 12
    plain = dataclasses.replace(
        day(models, line, colours=colours), objectives=(SequenceObjective.COLOUR_CHANGES,), previous_colour="red"
    )
    loaded = dataclasses.replace(plain, objectives=(SequenceObjective.COLOUR_CHANGES, OVERLOAD))
    before, after = sequence.evaluate(plain), sequence.evaluate(loaded)
    assert before.counts.colour_changes == after.counts.colour_changes == 1
    assert before.load is not None
    assert after.load is not None
    assert after.load.found.overload_s_per_day == 0 < after.load.as_booked.overload_s_per_day
    assert after.load.as_booked.overload_s_per_day == pytest.approx(11 * 6 - 3)
    assert [item.station for item in after.load.stations] == ["T01"]
    assert after.load.as_booked.calls == 11
    assert after.load.as_booked.utility_workers == pytest.approx(63 / 24 / 60)


def test_without_a_line_nothing_is_said_of_load_and_overload_cannot_count() -> None:
    inputs = dataclasses.replace(day("ab", one_operator(50.0, 66.0)), line=None)
    with pytest.raises(ValueError, match="there is no line"):
        sequence.evaluate(inputs)
    assert sequence.evaluate(dataclasses.replace(inputs, objectives=(LEVEL,))).load is None
    counted_once = dataclasses.replace(inputs, objectives=(LEVEL,), count_windows=True)
    with pytest.raises(ValueError, match="windows that count once"):
        improve(counted_once, np.arange(2))


def test_where_overload_sets_in_is_found_to_a_car() -> None:
    """One operator, 40 cars: b after b is too much, a after b brings all back: half of the cars may be b, not more."""
    line = one_operator(50.0, 66.0)
    found = guest_shares(line, CLOSED, [30, 10], seed=1)
    strict, _, helped, _ = found.answers
    assert (strict.free_from_cars, strict.free_to_cars, strict.first_cars) == (0, 20, 21)
    assert strict.first_share == pytest.approx(21 / 40)
    # Drift of 6 a guest, at most 9 of it brought back by a resident, 9 left at the day's end: 6 g - 9 (40 - g) > 9.
    assert strict.unavoidable_cars == 25
    # One utility worker does 60 s a car, more than anybody has to leave; 40 guests leave 6 s a car, less the 9 s.
    assert helped.first_cars is None
    assert helped.free_to_cars == 40
    last = found.points[-1]
    assert last.closed_overload_s_per_car == pytest.approx((40 * 6 - 9) / 40)
    assert last.closed_lower_bound_s_per_car == pytest.approx(last.closed_overload_s_per_car)
    assert [point.guest_cars for point in found.points] == list(range(0, 41, 2))
    assert found.points == guest_shares(line, CLOSED, [30, 10], seed=1).points


def test_a_line_that_needs_its_guests_says_so() -> None:
    """Residents of 62 s overload without the guest's 40 s between them, and guests alone never do."""
    line = one_operator(62.0, 40.0)
    strict = guest_shares(line, CLOSED, [20, 20], seed=1).answers[0]
    assert strict.free_to_cars == 40
    assert strict.first_cars is None
    assert strict.free_from_cars is not None
    assert 0 < strict.free_from_cars <= 8  # four residents drift 8 of the 9 s: one guest in five brings that back
    always = guest_shares(one_operator(70.0, 70.0), CLOSED, [5, 5], seed=1).answers[0]
    assert (always.free_to_cars, always.first_cars, always.unavoidable_cars) == (None, None, 0)


def test_the_day_keeps_its_cars_and_its_residents_their_shares() -> None:
    line = LineLoad(60.0, ("a", "b", "guest"), (0.5, 0.3, 0.2), "guest", ())
    days = days_by_guests(line, [60, 30, 10])
    assert days.sum(axis=1).tolist() == [100] * 101
    assert days[:, 2].tolist() == list(range(101))
    assert days[10].tolist() == [60, 30, 10]
    assert np.all(np.abs(days[:, 0] - 2 * days[:, 1]) <= 3)
    only_guests = days_by_guests(line, [0, 0, 8])
    assert only_guests[0].tolist() == [5, 3, 0]


def test_the_line_of_the_plan_is_the_one_that_was_balanced(example_plan: Plan) -> None:
    """Each station's longest operator is its makespan; nobody is bound for less than the work of the yamazumi chart."""
    from coachbuilder.plan import Stages
    from coachbuilder.plant import balance

    line = example_plan.fit.after
    inputs = Stages(example_plan.programme).fit_inputs
    bound = balance.occupancy(inputs, line)
    lanes = {station.station: station.lanes for station in line.stations}
    for station in line.stations:
        crew = [item.time_s for item in bound if item.station == station.station]
        for at, model in enumerate(inputs.models):
            longest = max((times[at] for times in crew), default=0.0)
            assert longest == pytest.approx(station.makespan_s[model])
    times = {(item.station, item.number): item.time_s for item in bound}
    for bar in line.operator_loads:
        if bar.tasks and bar.lane == 1:
            held = times[bar.station, bar.operator]
            for at, model in enumerate(inputs.models):
                assert held[at] >= bar.load_s[model] * lanes[bar.station] - 1e-9


def test_the_example_tells_from_which_share_of_guests_its_line_overloads(example_plan: Plan) -> None:
    from coachbuilder.report import stage_summary

    load = example_plan.sequence.load
    assert load is not None
    assert 0 < load.overload_lower_bound_s_per_day <= load.found.overload_s_per_day < load.as_booked.overload_s_per_day
    assert load.level_load_least <= load.found.level_load < load.as_booked.level_load
    assert sum(item.overload_s_per_day for item in load.stations) == pytest.approx(load.found.overload_s_per_day)
    helped = {answer.borders: answer for answer in load.answers if answer.utility_workers == load.utility_workers}
    closed, opened = helped[Borders.CLOSED], helped[Borders.OPEN]
    planned = example_plan.fit.after.mix[example_plan.fit.guest]
    assert closed.first_share is not None
    assert opened.first_share is not None
    assert closed.unavoidable_share is not None
    assert planned < closed.first_share <= closed.unavoidable_share
    assert closed.first_share <= opened.first_share
    for point in load.guest_shares:
        assert point.closed_lower_bound_s_per_car <= point.closed_overload_s_per_car + 1e-9
        assert point.open_lower_bound_s_per_car <= point.open_overload_s_per_car + 1e-9
        assert point.open_overload_s_per_car <= point.closed_overload_s_per_car
    said = stage_summary("sequence", example_plan.sequence)
    assert f"overloads from {closed.first_share:.0%} guests on" in said.replace("\u00a0%", "%")
    assert any(path.startswith("assembly.station_length_share") for path in example_plan.trace["sequence"]), (
        "the figures rest on it"
    )


def test_the_drift_of_a_programme_is_read(example_folder: Path) -> None:
    from coachbuilder.plan import Stages
    from coachbuilder.programme import load

    programme = load(example_folder)
    assembly = programme.plant.assembly
    drift = Stages(programme).sequence_inputs.drift
    assert drift == Drift(
        assembly.borders,
        assembly.station_length_share.value,
        assembly.upstream_drift_share.value,
        assembly.downstream_drift_share.value,
        assembly.utility_workers.value,
    )
