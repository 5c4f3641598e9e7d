"""Draws of the example's plant: what they tell is what its objects say, whatever is drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.plant.flow import FlowInputs, evaluate, evaluate_draw, inputs_from
from coachbuilder.programme import Programme, load
from coachbuilder.programme.sections.flow import Release
from draw_twin import assert_twin


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


@pytest.mark.parametrize("seed", range(12))
def test_a_draw_tells_what_the_objects_of_the_plant_say(programme: Programme, seed: int) -> None:
    inputs = quick_inputs(programme, seed)
    assert_twin(evaluate_draw(inputs), inputs)


@pytest.mark.parametrize("release", list(Release))
def test_so_it_does_under_every_rule_of_release_and_over_several_runs(programme: Programme, release: Release) -> None:
    inputs = quick_inputs(programme, 20, release=release, replications=3)
    assert_twin(evaluate_draw(inputs), inputs)


def test_so_it_does_where_a_model_is_not_built(programme: Programme) -> None:
    inputs = quick_inputs(programme, 21)
    guest = inputs.models.index(inputs.guest_model)
    units = tuple(value if model in (guest, 0) else 0.0 for model, value in enumerate(inputs.planned_units_per_year))
    for planned in (units, tuple(value if model == guest else 0.0 for model, value in enumerate(units))):
        fewer = replace(inputs, planned_units_per_year=planned)
        assert_twin(evaluate_draw(fewer), fewer)


def test_inputs_that_are_not_quick_are_refused(programme: Programme) -> None:
    with pytest.raises(ValueError, match="quick"):
        evaluate_draw(quick_inputs(programme, 1, quick=False))
    with pytest.raises(ValueError, match="evaluate_draw"):
        evaluate(quick_inputs(programme, 1))


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
