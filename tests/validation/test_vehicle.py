"""The vehicle stage against type-approval energies, published ranges and acceleration times, and official traces."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.formats.test_car_list import read_test_car_list
from coachbuilder.vehicle.measured import MeasuredTest, interpret
from coachbuilder.vehicle.validation import Validation, validate

LIST = "vehicle/epa_test_car_list_2022_dev_makes.csv"


def fit_module() -> types.ModuleType:
    """Return benchmarks/fit_vehicle_losses.py: its fit is tested, not copied."""
    path = Path(__file__).parents[2] / "benchmarks" / "fit_vehicle_losses.py"
    spec = importlib.util.spec_from_file_location("fit_vehicle_losses", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tests_2022(shared_data: Path) -> tuple[MeasuredTest, ...]:
    return interpret(read_test_car_list(shared_data / LIST).electric_rows)


def _assert_counts(found: Validation) -> None:
    assert len(found.rows) == 114
    assert found.cars == 53


def test_wall_energy_of_makes_left_out_of_the_fit_is_within_four_percent_in_the_median(
    tests_2022: tuple[MeasuredTest, ...],
) -> None:
    # Measured: median 2.5 %, p90 6.6 % with each of eight makes predicted by a fit to the other seven.
    fit = fit_module()
    sample = fit.sample_of(tests_2022)
    errors = np.abs(fit.unseen_errors(sample))
    assert len(errors) == 114
    assert np.median(errors) < 0.04
    assert np.percentile(errors, 90) < 0.10


def test_the_packaged_losses_are_those_that_the_fit_finds(tests_2022: tuple[MeasuredTest, ...]) -> None:
    from coachbuilder.vehicle.losses import constants

    fit = fit_module()
    sample = fit.sample_of(tests_2022)
    found = fit.fit(sample, np.ones(len(sample.measured), dtype=bool))
    for name in fit.FITTED:
        assert getattr(constants(), name) == pytest.approx(getattr(found, name), rel=0.02), name


def test_a_sibling_brings_the_error_below_the_peers(tests_2022: tuple[MeasuredTest, ...]) -> None:
    # Measured: median 1.4 %, p90 4.6 %; FASTSim 2 on the same work 1.6 % and 5.2 %. The goal of 1.2 % and 4 % is
    # missed: docs/validation.md.
    found = validate(tests_2022, on_sibling=True)
    _assert_counts(found)
    assert found.median_abs_error is not None
    assert found.median_abs_error < 0.015
    assert found.p90_abs_error is not None
    assert found.p90_abs_error < 0.050


def test_eighty_percent_intervals_hold_about_eighty_percent(tests_2022: tuple[MeasuredTest, ...]) -> None:
    from coachbuilder.vehicle.losses import constants

    on_sibling = validate(tests_2022, on_sibling=True)
    assert on_sibling.coverage is not None
    assert 0.75 <= on_sibling.coverage <= 0.85
    fit = fit_module()
    unseen = np.abs(np.log1p(fit.unseen_errors(fit.sample_of(tests_2022))))
    # Widened on purpose for the small number of makes, so that at least the share asked for lies within.
    assert 0.78 <= float(np.mean(unseen <= constants().unseen_log_width)) <= 0.90


def test_every_electric_row_is_compared_or_left_out_with_a_reason(tests_2022: tuple[MeasuredTest, ...]) -> None:
    found = validate(tests_2022)
    _assert_counts(found)
    assert len(found.rows) + len(found.left_out) == len(tests_2022) == 146
    assert all(item.why for item in found.left_out)
