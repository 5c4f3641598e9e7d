"""Work overload and level load: what holds for any line and order, against twins without the kernels' code."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from coachbuilder.plant.sequence import SequenceInputs, SequenceRule, count
from coachbuilder.plant.sequence.load import kernels
from coachbuilder.plant.sequence.load.interface import Borders, Drift, LineLoad, LineOperator
from coachbuilder.plant.sequence.load.level import due_date_order, least_variation, product_rate_variation
from coachbuilder.plant.sequence.load.overload import Operators, lower_bound, operators_of, overload_of
from coachbuilder.plant.sequence.load.search import improve, models_of
from coachbuilder.programme.sections.sequence import RulePriority, SequenceObjective

SEEDS = st.integers(0, 2**32 - 1)
TAKT_S = 60.0


def pick(random: np.random.Generator, choices: list[Any]) -> Any:
    """Return one of them as it is: numpy's own choice would make a text of it."""
    return choices[int(random.integers(len(choices)))]


def some_line(random: np.random.Generator, models: int, *, most_s: float = 90.0, lanes: bool = True) -> LineLoad:
    operators: list[LineOperator] = []
    for station in range(int(random.integers(1, 6))):
        places = int(random.integers(1, 4)) if lanes else 1
        for number in range(int(random.integers(1, 3))):
            work = tuple(float(s) * places for s in random.integers(0, 2 * int(most_s) + 1, models) / 2)
            operators += [
                LineOperator(f"S{station}", number + 1, station, places, lane, work) for lane in range(places)
            ]
    return LineLoad(TAKT_S, tuple(f"m{at}" for at in range(models)), (1 / models,) * models, "m0", tuple(operators))


def some_drift(random: np.random.Generator) -> Drift:
    length = float(random.choice([1.0, 1.1, 1.25, 1.5]))
    up, down = (float(share) for share in random.choice([0.0, 0.1, 0.3], 2))
    return Drift(pick(random, list(Borders)), length, up, down, 0.0)


def by_the_clock(line: LineLoad, drift: Drift, borders: Borders, models: NDArray[np.int64]) -> tuple[float, float]:
    """Return seconds left over and done, from the times of a clock rather than from places along the line."""
    up, down = (drift.upstream_share, drift.downstream_share) if borders is Borders.OPEN else (0.0, 0.0)
    left_over = done = 0.0
    for operator in line.operators:
        stay = TAKT_S * operator.lanes
        free_at = operator.lane * TAKT_S
        for turn in range(operator.lane, len(models), operator.lanes):
            comes_in = turn * TAKT_S
            begins = max(free_at, comes_in - up * stay)
            leaves = comes_in + (drift.station_length_share + down) * stay
            wanted = operator.work_s[models[turn]]
            worked = min(wanted, leaves - begins)
            done += worked
            left_over += wanted - worked
            free_at = begins + worked
    return left_over, done


def total_s(line: LineLoad, drift: Drift, borders: Borders, models: NDArray[np.int64]) -> float:
    return overload_of(operators_of(line, drift, borders), models).total_s


@settings(max_examples=80, deadline=None)
@given(SEEDS)
def test_overload_is_what_a_simulation_by_the_clock_leaves_over_and_work_is_conserved(seed: int) -> None:
    random = np.random.default_rng(seed)
    line, drift = some_line(random, 3), some_drift(random)
    models = random.integers(0, 3, int(random.integers(1, 40)))
    for borders in Borders:
        left_over, done = by_the_clock(line, drift, borders, models)
        found = total_s(line, drift, borders, models)
        assert abs(found - left_over) < 1e-3
        asked_for = sum(
            operator.work_s[model] for operator in line.operators for model in models[operator.lane :: operator.lanes]
        )
        assert abs(done + found - asked_for) < 1e-3


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_nobody_is_overloaded_whom_no_car_binds_longer_than_the_takt(seed: int) -> None:
    random = np.random.default_rng(seed)
    line, drift = some_line(random, 3, most_s=TAKT_S), some_drift(random)
    models = random.integers(0, 3, 30)
    assert total_s(line, drift, Borders.CLOSED, models) == 0
    assert total_s(line, drift, Borders.OPEN, models) == 0


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_longer_stations_and_opener_borders_never_leave_more_over(seed: int) -> None:
    random = np.random.default_rng(seed)
    line, drift = some_line(random, 3), some_drift(random)
    models = random.integers(0, 3, 40)
    steps = [
        total_s(line, dataclasses.replace(drift, station_length_share=length), drift.borders, models)
        for length in (1.0, 1.1, 1.2, 1.4, 2.0)
    ]
    assert steps == sorted(steps, reverse=True)
    assert total_s(line, drift, Borders.OPEN, models) <= total_s(line, drift, Borders.CLOSED, models)
    for field in ("upstream_share", "downstream_share"):
        wider = dataclasses.replace(drift, **{field: 0.5})
        assert total_s(line, wider, Borders.OPEN, models) <= total_s(line, drift, Borders.OPEN, models)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_no_order_is_below_the_lower_bound(seed: int) -> None:
    random = np.random.default_rng(seed)
    line, drift = some_line(random, 3), some_drift(random)
    models = random.integers(0, 3, int(random.integers(1, 30)))
    operators = operators_of(line, drift, drift.borders)
    bound = int(lower_bound(operators, np.bincount(models, minlength=3)[None, :])[0])
    orders = [random.permutation(models) for _ in range(20)] + [np.sort(models), due_date_order(np.bincount(models))]
    assert all(overload_of(operators, order).total >= bound for order in orders)


class Followed:
    """The state that the search carries from move to move."""

    def __init__(self, operators: Operators, kind: NDArray[np.int64]) -> None:
        count, n = len(operators.cycle), len(kind)
        self.how = (operators.downstream, operators.upstream, operators.lanes, operators.lane)
        self.operators = operators
        self.kind = kind
        self.position = np.zeros((count, n), dtype=np.int64)
        self.overload = np.zeros(count, dtype=np.int64)
        self.place = np.zeros(n, dtype=np.int64)
        self.rest = np.zeros(count + 1, dtype=np.int64)
        self.total = int(
            kernels.simulate(kind, operators.work, operators.cycle, *self.how, self.position, self.overload, self.place)
        )
        kernels.fill_rest(self.overload, self.rest)


@settings(max_examples=80, deadline=None)
@given(SEEDS)
def test_incremental_overload_and_level_load_equal_a_fresh_count_after_any_moves(seed: int) -> None:
    random = np.random.default_rng(seed)
    line, drift = some_line(random, 3), some_drift(random)
    operators = operators_of(line, drift, drift.borders)
    n = int(random.integers(3, 40))
    old = random.integers(0, 3, n)
    cars = np.bincount(old, minlength=3)
    state = Followed(operators, old)
    made = np.zeros((3, n), dtype=np.int64)
    level = int(kernels.level_total(old, cars, made))
    for _ in range(25):
        low, high = sorted(random.choice(n, 2, replace=False).tolist())
        new = old.copy()
        if random.integers(0, 2):
            new[low], new[high] = old[high], old[low]
            ranges = np.array([[low, low], [high, high]])
        else:
            new[low : high + 1] = np.roll(old[low : high + 1], int(random.choice([-1, 1])))
            ranges = np.array([[low, high], [-1, -1]])
        fresh = Followed(operators, new.copy())
        told = kernels.overload_delta(
            old, new, operators.work, operators.cycle, *state.how, state.position, ranges, state.rest, state.place
        )
        exact = fresh.total - state.total
        assert told == exact or 0 < told <= exact
        applied = kernels.overload_apply(
            old, new, operators.work, operators.cycle, *state.how, state.position, ranges, state.overload, state.rest,
            state.place,
        )  # fmt: skip
        assert applied == exact
        state.total += int(applied)
        for name in ("position", "overload", "place", "rest"):
            assert np.array_equal(getattr(state, name), getattr(fresh, name)), name
        level += int(kernels.level_delta(old, new, cars, made, low, high, True))
        again = np.zeros_like(made)
        assert level == int(kernels.level_total(new, cars, again))
        assert np.array_equal(made, again)
        old = new


def some_day(random: np.random.Generator, n: int) -> SequenceInputs:
    line = some_line(random, 3)
    rules = int(random.integers(0, 3))
    objectives = random.permutation(np.array(list(SequenceObjective), dtype=object))
    kept = [SequenceObjective(goal) for goal in objectives[: int(random.integers(1, 6))]]
    return SequenceInputs(
        cars=tuple(f"c{at}" for at in range(n)),
        models=tuple(random.choice(line.models, n).tolist()),
        colours=tuple(random.choice(["red", "blue"], n).tolist()),
        has_option=random.integers(0, 2, (n, rules)).astype(bool),
        rules=tuple(
            SequenceRule(f"r{at}", "", 1, int(random.integers(2, 5)), pick(random, list(RulePriority)))
            for at in range(rules)
        ),
        previous_has_option=random.integers(0, 2, (3, rules)).astype(bool),
        previous_colour=pick(random, ["red", "blue", "green", None]),
        objectives=tuple(kept),
        longest_batch=int(random.integers(1, 6)),
        purge_cost_cny=0.0,
        evaluations=20_000,
        seed=1,
        drift=some_drift(random),
        line=line,
    )


def cost_vector(inputs: SequenceInputs, order: NDArray[np.int64]) -> list[float]:
    """Judge an order by its objectives from the first on, and the hard limit on batches before all."""
    counts = count(inputs, order)
    model, models = models_of(inputs)
    assert inputs.line is not None
    value = {
        SequenceObjective.HIGH_PRIORITY: counts.high_priority_excess,
        SequenceObjective.LOW_PRIORITY: counts.low_priority_excess,
        SequenceObjective.COLOUR_CHANGES: counts.colour_changes,
        SequenceObjective.WORK_OVERLOAD: round(
            by_the_clock(inputs.line, inputs.drift, inputs.drift.borders, model[order])[0], 3
        ),
        SequenceObjective.LEVEL_LOAD: round(product_rate_variation(model[order][:, None] == np.arange(len(models))), 1),
    }
    return [counts.batch_excess_cars, *(value[goal] for goal in inputs.objectives)]


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_the_search_makes_no_order_worse_and_moves_no_car_from_where_it_must_stand(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 30))
    free = some_day(random, n)
    start = np.arange(n)
    frozen = int(random.integers(0, n + 1))
    inputs = dataclasses.replace(
        free,
        frozen=frozen,
        earliest_place=np.maximum(start - random.integers(0, 8, n), 0),
        latest_place=np.minimum(start + random.integers(0, 8, n), n - 1),
    )
    assert inputs.earliest_place is not None
    assert inputs.latest_place is not None
    for day in (free, inputs):
        order, _ = improve(day, start)
        assert sorted(order.tolist()) == start.tolist()
        assert cost_vector(day, order) <= cost_vector(day, start)
        assert np.array_equal(order, improve(day, start)[0])
    place_of = np.argsort(order)
    assert np.array_equal(order[:frozen], start[:frozen])
    assert np.all(place_of >= inputs.earliest_place)
    assert np.all(place_of <= inputs.latest_place)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4))
def test_no_order_of_models_is_more_level_than_the_least(cars: list[int]) -> None:
    random = np.random.default_rng(sum(cars))
    models = np.repeat(np.arange(len(cars)), cars)
    least = least_variation(cars)
    for order in (due_date_order(cars), *(random.permutation(models) for _ in range(20))):
        assert product_rate_variation(order[:, None] == np.arange(len(cars))) >= least - 1e-9
