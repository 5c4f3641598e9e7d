"""A draw's plant is the quick plant: every figure that both tell agrees, whatever is drawn."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.plant.flow import FlowInputs, evaluate, evaluate_draw, inputs_from
from coachbuilder.programme import Programme, load
from coachbuilder.programme.sections.flow import Release

EXPLAINS = {
    "shops", "machines", "buffers", "bottleneck", "bottleneck_name", "bottleneck_machine", "bottleneck_active_share",
    "overload_s_per_car", "line_stop_s_per_car", "work_in_progress_cars", "lead_time_h", "scrapped_share", "deadlock",
    "conventions", "ramp_alternatives", "cars_at_start", "cars_in", "cars_out", "cars_scrapped", "cars_inside",
}  # fmt: skip
"""What explains a plant rather than rates it, and is left out of a draw."""


@pytest.fixture(scope="module")
def programme(example_folder: Path) -> Programme:
    return load(example_folder)


def quick_inputs(programme: Programme, seed: int, **changes: object) -> FlowInputs:
    rng = np.random.default_rng(seed)
    values = {
        path: float(item.at_standard_normal(rng.normal(size=1))[0])
        for path, item in programme.assumptions.items()
        if not item.is_certain
    }
    drawn = programme.with_values(values)
    inputs = inputs_from(
        drawn,
        assembly_takt_s=float(rng.uniform(60.0, 110.0)),
        resident_only_takt_s=float(rng.uniform(90.0, 130.0)),
        resident_units_per_year=drawn.resident_units_per_year,
        guest_units_per_year=float(rng.uniform(2e4, 1e5)),
        line_stop_s_per_car=float(rng.uniform(0.0, 3.0)),
        cheap=True,
        rate_correction=float(rng.uniform(0.95, 1.05)),
    )
    return replace(inputs, **changes)  # type: ignore[arg-type]


def assert_same(own: object, other: object, name: str) -> None:
    if is_dataclass(own):
        for field in fields(own):
            if field.name not in EXPLAINS:
                assert_same(getattr(own, field.name), getattr(other, field.name), f"{name}.{field.name}")
    elif isinstance(own, tuple):
        assert isinstance(other, tuple) and len(own) == len(other), name
        for number, (left, right) in enumerate(zip(own, other, strict=True)):
            assert_same(left, right, f"{name}[{number}]")
    elif isinstance(own, np.ndarray | float):
        assert np.allclose(own, other, rtol=1e-9, atol=1e-9), name  # type: ignore[arg-type]
    else:
        assert own == other, name


@pytest.mark.parametrize("seed", range(12))
def test_a_draw_gives_the_figures_of_the_quick_plant(programme: Programme, seed: int) -> None:
    inputs = quick_inputs(programme, seed)
    assert_same(evaluate(inputs), evaluate_draw(inputs), "flow")


@pytest.mark.parametrize("release", list(Release))
def test_a_draw_gives_them_under_every_rule_of_release_and_over_several_runs(
    programme: Programme, release: Release
) -> None:
    inputs = quick_inputs(programme, 20, release=release, replications=3)
    assert_same(evaluate(inputs), evaluate_draw(inputs), "flow")


def test_a_draw_gives_them_where_a_model_is_not_built(programme: Programme) -> None:
    inputs = quick_inputs(programme, 21)
    guest = inputs.models.index(inputs.guest_model)
    units = tuple(value if model in (guest, 0) else 0.0 for model, value in enumerate(inputs.planned_units_per_year))
    for planned in (units, tuple(value if model == guest else 0.0 for model, value in enumerate(units))):
        fewer = replace(inputs, planned_units_per_year=planned)
        assert_same(evaluate(fewer), evaluate_draw(fewer), "flow")


def test_what_was_drawn_before_leaves_no_trace(programme: Programme) -> None:
    first, second = quick_inputs(programme, 30), quick_inputs(programme, 31)
    alone = evaluate_draw(first)
    evaluate_draw(second)
    assert_same(alone, evaluate_draw(first), "flow")


def test_inputs_that_are_not_quick_are_refused(programme: Programme) -> None:
    with pytest.raises(ValueError, match="quick"):
        evaluate_draw(quick_inputs(programme, 1, quick=False))


def test_a_drawable_programme_takes_values_and_gives_them_back(programme: Programme) -> None:
    drawable = programme.drawable()
    paths = [path for path, item in programme.assumptions.items() if not item.is_certain][:3]
    values = {path: programme.assumptions[path].value * 1.01 for path in paths[:2]}
    moved = drawable.at(values)
    expected = programme.with_values(values)
    assert {path: item.value for path, item in moved.assumptions.items()} == {
        path: item.value for path, item in expected.assumptions.items()
    }
    assert {path: item.value for path, item in drawable.at({}).assumptions.items()} == {
        path: item.value for path, item in programme.assumptions.items()
    }
    with pytest.raises(KeyError):
        drawable.at({"vehicle.no_such_number": 1.0})
