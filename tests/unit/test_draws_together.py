"""Draws that are worked out together are the draws that are worked out one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.market import demand_of_draws
from coachbuilder.plan import Plan, Stages, _together, evaluate_draws, headline_names
from coachbuilder.risk.draws import draw
from coachbuilder.vehicle import DrawnCar, evaluate, generic_car
from coachbuilder.vehicle import evaluate_draws as evaluate_cars

FIELDS = tuple(field.name for field in dataclasses.fields(DrawnCar))

_cars = st.builds(
    generic_car,
    test_mass_kg=st.floats(900.0, 3000.0),
    peak_kw=st.floats(15.0, 400.0),
    usable_kwh=st.floats(10.0, 120.0),
)


@given(cars=st.lists(_cars, min_size=1, max_size=4))
@settings(max_examples=40)
def test_cars_driven_together_are_the_cars_driven_alone(cars: list) -> None:
    for car, drawn in zip(cars, evaluate_cars(cars), strict=True):
        alone = evaluate(car, quick=True)
        for name in FIELDS:
            expected = getattr(alone, name)
            assert getattr(drawn, name) == (None if expected is None else pytest.approx(expected, rel=1e-9)), name


def test_a_car_that_misses_a_trace_has_no_range_beside_one_that_follows_it() -> None:
    weak, strong = evaluate_cars([generic_car(test_mass_kg=2500, peak_kw=12), generic_car(test_mass_kg=1500)])
    assert weak.cltc_range_km is weak.epa_label_range_km is weak.wltp_range_km is weak.zero_to_100_s is None
    assert strong.cltc_range_km and strong.epa_label_range_km and strong.wltp_range_km and strong.zero_to_100_s


def assert_same(figures: np.ndarray, expected: np.ndarray) -> None:
    """A value is a difference of sums of 1e10 CNY and more: it has to agree to 1 CNY."""
    for column, name in enumerate(headline_names()):
        within = 1.0 if name.endswith("npv_cny") else 0.0
        assert figures[:, column] == pytest.approx(expected[:, column], rel=1e-9, abs=within, nan_ok=True), name


def _one_by_one(base: Plan, paths: Sequence[str], values: np.ndarray) -> np.ndarray:
    rows = []
    for row in values:
        programme = base.programme.with_values(dict(zip(paths, row.tolist(), strict=True)))
        headline = Stages(programme, reuse=base).headline
        rows.append([np.nan if headline[name] is None else headline[name] for name in headline_names()])
    return np.array(rows)


def test_every_figure_of_a_draw_is_that_of_the_draw_alone(example_plan: Plan) -> None:
    drawn = draw(example_plan.programme, 12, seed=4)
    together = evaluate_draws(example_plan, drawn.paths, drawn.values)
    alone = _one_by_one(example_plan, drawn.paths, drawn.values)
    assert_same(together, alone)


def test_draws_do_not_depend_on_their_neighbours(example_plan: Plan) -> None:
    drawn = draw(example_plan.programme, 6, seed=11)
    together = evaluate_draws(example_plan, drawn.paths, drawn.values)
    order = np.array([3, 0, 5, 1])
    assert_same(evaluate_draws(example_plan, drawn.paths, drawn.values[order]), together[order])


def test_a_draw_whose_figures_do_not_go_together_leaves_the_others_alone(example_plan: Plan) -> None:
    drawn = draw(example_plan.programme, 4, seed=5)
    paths = list(drawn.paths)
    rival = next(path for path in example_plan.programme.assumptions if path.endswith("sold_units"))
    values = drawn.values.copy()
    if rival not in paths:
        own = example_plan.programme.assumptions[rival].value
        paths.append(rival)
        values = np.hstack([values, np.full((4, 1), own)])
    clean = evaluate_draws(example_plan, paths, values)
    values[1, paths.index("vehicle.battery.cell_resistance_ohm")] *= 1e3
    values[2, paths.index(rival)] = 1e9
    figures = evaluate_draws(example_plan, paths, values)
    assert np.isnan(figures[[1, 2]]).all()
    assert np.array_equal(figures[[0, 3]], clean[[0, 3]], equal_nan=True)
    assert np.isfinite(clean[:, :5]).all()


def test_work_is_left_between_two_draws_when_it_is_stopped(example_plan: Plan) -> None:
    drawn = draw(example_plan.programme, 3, seed=5)
    asked = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) > 4

    with pytest.raises(RuntimeError, match="stopped"):
        evaluate_draws(example_plan, drawn.paths, drawn.values, stopped=stopped)
    assert len(asked) == 5


@given(bad=st.sets(st.integers(0, 11)), count=st.integers(1, 12))
def test_only_those_that_fail_are_left_out(bad: set[int], count: int) -> None:
    def inverse(numbers: Sequence[int]) -> list[float]:
        return [1 / (number not in bad) for number in numbers]

    found = _together(inverse, {number: number for number in range(count)})
    assert found == {number: 1.0 for number in range(count) if number not in bad}


def test_demand_of_draws_takes_the_drawn_range_ratio(example_plan: Plan) -> None:
    programme = example_plan.programme
    range_km = np.array([400.0, 400.0])
    longer = demand_of_draws(
        programme, {"market.demand.guest_range_ratio": np.array([0.8, 0.9])}, range_km=range_km
    ).units_per_year
    by_range = demand_of_draws(
        programme.with_values({"market.demand.guest_range_ratio": 1.0}), {}, range_km=np.array([320.0, 360.0])
    ).units_per_year
    assert longer == pytest.approx(by_range, rel=1e-12)
    assert (longer[1] > longer[0]).all()


def test_a_setter_moves_its_paths_and_puts_the_others_back(example_plan: Plan) -> None:
    programme = example_plan.programme
    first, second = [path for path, item in programme.assumptions.items() if not item.is_certain][:2]
    drawable = programme.drawable()
    drawable.at({first: 2.0 * programme.assumptions[first].value})
    moved = drawable.setter([second])([3.0])
    expected = programme.with_values({second: 3.0})
    assert {path: item.value for path, item in moved.assumptions.items()} == {
        path: item.value for path, item in expected.assumptions.items()
    }
    with pytest.raises(KeyError):
        drawable.setter(["vehicle.no_such_number"])
