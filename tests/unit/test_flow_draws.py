"""A draw of the example tells what the objects say event by event, whatever is drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.plant.flow import FlowInputs, engine, evaluate, evaluate_draw, inputs_from
from coachbuilder.plant.flow.record import PASSED, TESTED
from coachbuilder.plant.flow.shops import plant_of
from coachbuilder.programme import Programme, load
from coachbuilder.programme.errors import InputError
from coachbuilder.programme.sections.flow import Release
from draw_twin import assert_twin, setting_of


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
def test_a_draw_tells_what_the_objects_say(programme: Programme, seed: int) -> None:
    assert_twin(quick_inputs(programme, seed))


@pytest.mark.parametrize("release", list(Release))
def test_a_draw_tells_it_under_every_rule_of_release_and_over_several_runs(
    programme: Programme, release: Release
) -> None:
    assert_twin(quick_inputs(programme, 20, release=release, replications=3))


def test_a_draw_tells_it_where_a_model_is_not_built(programme: Programme) -> None:
    inputs = quick_inputs(programme, 21)
    guest = inputs.models.index(inputs.guest_model)
    units = tuple(value if model in (guest, 0) else 0.0 for model, value in enumerate(inputs.planned_units_per_year))
    for planned in (units, tuple(value if model == guest else 0.0 for model, value in enumerate(units))):
        assert_twin(replace(inputs, planned_units_per_year=planned))


def test_the_first_tries_counted_are_those_of_the_run(programme: Programme) -> None:
    inputs = quick_inputs(programme, 22)
    day_s = inputs.net_hours_per_day * 3600.0
    records = engine.record(
        plant_of(inputs, setting_of(inputs)).plant,
        seed=inputs.seed,
        first=0,
        replications=1,
        start_s=inputs.warm_up_days * day_s,
        batch_s=inputs.days * day_s,
        batches=1,
    )
    counted = (records.car[0, -1] - records.car[0, 0]).sum(axis=0)
    assert evaluate_draw(inputs).first_pass_yield == pytest.approx(counted[PASSED] / counted[TESTED], rel=1e-12)


def test_a_plant_in_order_is_looked_at_once_but_its_hours_in_every_draw(programme: Programme) -> None:
    drawable = programme.drawable()

    def read(values: dict[str, float]) -> FlowInputs:
        drawn = drawable.at(values)
        return inputs_from(
            drawn,
            assembly_takt_s=80.0,
            resident_only_takt_s=100.0,
            resident_units_per_year=drawn.resident_units_per_year,
            guest_units_per_year=5e4,
            cheap=True,
        )

    read({})
    path = next(path for path in programme.assumptions if path.endswith("shifts.break_per_shift_min"))
    with pytest.raises(InputError, match="breaks shorter than the shift"):
        read({path: 1e4})


def test_inputs_that_are_not_quick_are_refused(programme: Programme) -> None:
    with pytest.raises(ValueError, match="quick"):
        evaluate_draw(quick_inputs(programme, 1, quick=False))


def test_quick_inputs_are_refused_by_the_long_simulation(programme: Programme) -> None:
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
