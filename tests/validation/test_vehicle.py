"""The vehicle stage against type-approval energies, published ranges and acceleration times, and official traces."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.formats.test_car_list import read_test_car_list
from coachbuilder.programme.sections.vehicle import DrivenAxle, MotorType
from coachbuilder.vehicle import coast_down_road_load, evaluate, generic_car, performance, typical_losses
from coachbuilder.vehicle.inputs import POUND_KG
from coachbuilder.vehicle.measured import MeasuredTest, interpret
from coachbuilder.vehicle.validation import Validation, validate

DATA = Path(__file__).parents[1] / "data"
MILE_KM = 1.609344
DRIVER_AND_LUGGAGE_KG = 100.0
FRONT_WEIGHT = {"front": 0.58, "rear": 0.48, "all": 0.50}
"""Weight on the front axle that cars of these layouts typically have; their sheets do not tell it."""

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


@dataclass(frozen=True)
class Compared:
    """Predictions against published figures."""

    against: str
    names: tuple[str, ...]
    errors: np.ndarray

    @property
    def worst(self) -> str:
        return self.names[int(np.abs(self.errors).argmax())]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def acceleration() -> tuple[Compared, tuple[tuple[str, str], ...]]:
    """0-100 km/h or 0-60 mph of cars as their sheets give them, with the stage's own defaults; and those left out."""
    names, errors, left_out = [], [], []
    for row in _rows(DATA / "vehicle_acceleration.csv"):
        if row["left_out"]:
            left_out.append((row["name"], row["left_out"]))
            continue
        car = generic_car(
            test_mass_kg=float(row["curb_mass_kg"]) + DRIVER_AND_LUGGAGE_KG,
            peak_kw=float(row["peak_kw"]),
            driven_axle=DrivenAxle(row["driven_axle"]),
            motor_type=MotorType.INDUCTION if row["motor_type"] == "induction" else MotorType.PERMANENT_MAGNET,
        )
        drive = car.powertrain
        ratio = float(row["gear_ratio"] or drive.gear_ratio)
        radius_m, torque_nm = float(row["wheel_radius_m"]), float(row["peak_torque_nm"])
        force = torque_nm * ratio / radius_m / (drive.peak_torque_nm * drive.gear_ratio / drive.wheel_radius_m)
        car = dataclasses.replace(
            car,
            front_weight_share=FRONT_WEIGHT[row["driven_axle"]],
            powertrain=dataclasses.replace(
                drive,
                peak_torque_nm=torque_nm,
                gear_ratio=ratio,
                wheel_radius_m=radius_m,
                copper_loss_share=drive.copper_loss_share * force**2,
                # Peak power is published as what the pack gives too.
                largest_discharge_a=1e5,
            ),
            pack=dataclasses.replace(car.pack, resistance_ohm=0.01 * car.pack.resistance_ohm, lowest_v=0.0),
        )
        found = performance(car)
        published, reached = row["zero_to_100_kmh_s"], found.zero_to_100_s
        if not published:
            published, reached = row["zero_to_60_mph_s"], found.zero_to_60_mph_s
        assert reached is not None
        names.append(row["name"])
        errors.append(reached / float(published) - 1)
    against = f"{len(names)} cars: specification sheets, and FASTSim's own vehicle table"
    return Compared(against, tuple(names), np.array(errors)), tuple(left_out)


def label_ranges(omega: Path) -> tuple[Compared, tuple[tuple[str, str], ...]]:
    """EPA label ranges of cars whose usable energy is known; and those left out, each with the reason."""
    cars = {row["vehicle_name"]: row for row in _rows(omega)}
    names, errors, left_out = [], [], []
    for row in _rows(DATA / "vehicle_usable_energy.csv"):
        if not row["usable_kwh"]:
            left_out.append((row["omega_name"], row["source"]))
            continue
        car = cars[row["omega_name"]]
        axle = DrivenAxle(row["driven_axle"])
        result = evaluate(
            generic_car(
                test_mass_kg=float(car["etw_lbs"]) * POUND_KG,
                peak_kw=1000.0,
                usable_kwh=float(row["usable_kwh"]),
                road_load=coast_down_road_load(*(float(car[f"target_coef_{name}"]) for name in "abc")),
                driven_axle=axle,
                losses=typical_losses(driven_axle=axle, gears=int(row["gears"]), make=row["make"]),
            ),
            quick=True,
        )
        assert result.epa_label_range_km is not None
        names.append(row["omega_name"])
        errors.append(result.epa_label_range_km / MILE_KM / float(car["onroad_charge_depleting_range_mi"]) - 1)
    against = f"{len(names)} labels of model year 2022 (US EPA OMEGA), usable energy from specification sheets"
    return Compared(against, tuple(names), np.array(errors)), tuple(left_out)


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
    # Measured: median 1.4 %, p90 4.6 %; FASTSim 2 scaled on the same siblings 1.7 % and 4.7 %. The goal of 1.2 % and
    # 4 % is missed: docs/validation.md.
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


def test_acceleration_is_within_six_percent_of_the_sheets_in_the_median_and_twenty_at_worst() -> None:
    # Measured: median 4.7 %, worst 17 % over 51 cars, nothing fitted to them.
    found, left_out = acceleration()
    assert len(found.errors) == 51
    assert all(why for _, why in left_out)
    assert np.median(np.abs(found.errors)) < 0.06
    assert np.abs(found.errors).max() < 0.20


def test_label_range_is_within_four_percent_in_the_median_where_usable_energy_is_known(shared_data: Path) -> None:
    # Measured: median 2.7 % over 36 cars; 12 Teslas are left out, whose usable energy is not published.
    found, left_out = label_ranges(shared_data / "vehicle" / "omega_my2022_bev_dev.csv")
    assert len(found.errors) == 36
    assert all(why for _, why in left_out)
    assert np.median(np.abs(found.errors)) < 0.04
