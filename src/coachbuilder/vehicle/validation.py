"""The vehicle model against measured cars: the error of every test, and whether the intervals hold it."""

from __future__ import annotations

import difflib
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from coachbuilder.formats.test_car_list import TestCarRow
from coachbuilder.programme.errors import InputError
from coachbuilder.programme.sections.vehicle import DrivenAxle
from coachbuilder.vehicle.calibration import NONE, Calibration, MeasuredCar, calibrate, predict
from coachbuilder.vehicle.interface import RoadLoad
from coachbuilder.vehicle.losses import is_european
from coachbuilder.vehicle.measured import CarKey, MeasuredTest

_Car = tuple[CarKey, tuple[float, ...]]
"""A vehicle and configuration with its weight and road load: lists without vehicles' numbers still tell cars apart."""
AXLES = {"front": DrivenAxle.FRONT, "rear": DrivenAxle.REAR, "all": DrivenAxle.ALL}


@dataclass(frozen=True, slots=True)
class TestError:
    """One test and its prediction."""

    row: int
    """Line of the test in its file."""
    make: str
    """Make."""
    model: str
    """Model."""
    vehicle_id: str
    """Test vehicle."""
    configuration: str
    """Its configuration."""
    cycle: str
    """Drive cycle."""
    measured_kwh_per_100km: float
    """Energy from the wall, unadjusted."""
    predicted_kwh_per_100km: float
    """Prediction."""
    low_kwh_per_100km: float
    """Lower end of its 80 % interval."""
    high_kwh_per_100km: float
    """Upper end."""
    error: float
    """Prediction over measurement, less 1."""
    sibling: str | None
    """Vehicle and configuration that it was calibrated on; None without."""
    said: str
    """How the row was read."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is not compared."""

    row: int
    """Line in the file."""
    name: str
    """Make and model."""
    why: str
    """The reason."""


@dataclass(frozen=True, slots=True)
class Validation:
    """The error table."""

    cars: int
    """Cars compared."""
    median_abs_error: float | None
    """Median of the absolute error over the tests; None where there is none."""
    p90_abs_error: float | None
    """Its 90th percentile."""
    coverage: float | None
    """Share of the tests within their 80 % interval."""
    rows: tuple[TestError, ...]
    """One a test row, each cycle by itself."""
    left_out: tuple[LeftOut, ...]
    """Rows not compared, with the reason."""


def validate(tests: Sequence[MeasuredTest], *, on_sibling: bool = False) -> Validation:
    """Predict every test and compare.

    Parameters
    ----------
    tests
        All electric rows of a test-car list, as :func:`coachbuilder.vehicle.measured.interpret` reads them.
    on_sibling
        Calibrate each car on one other car of its manufacturer, the one most like it in layout, name, mass, gearing
        and power. A car without one is left out.

    Examples
    --------
    >>> validate([]).cars
    0
    """
    left_out = [_left_out(test, test.said) for test in tests if test.cycle is None]
    groups: dict[_Car, list[MeasuredTest]] = defaultdict(list)
    for test in tests:
        if test.cycle is not None:
            groups[_car(test)].append(test)
    cars = {key: measured_car(group) for key, group in groups.items()}
    errors: list[TestError] = []
    compared = 0
    for key, group in groups.items():
        calibration, kin = NONE, None
        if on_sibling:
            kin = _sibling(key, groups)
            if kin is None:
                left_out.extend(
                    _left_out(test, "no other electric car of its manufacturer in the list") for test in group
                )
                continue
        try:
            if kin is not None:
                calibration = calibrate([cars[kin]])
            errors.extend(_errors(group, cars[key], calibration, kin))
        except InputError as error:
            why = "; ".join(f"{problem.found}, expected {problem.expected}" for problem in error.problems)
            left_out.extend(_left_out(test, f"cannot be predicted: {why}") for test in group)
            continue
        compared += 1
    errors.sort(key=lambda item: item.row)
    size = np.abs([item.error for item in errors])
    inside = [item.low_kwh_per_100km <= item.measured_kwh_per_100km <= item.high_kwh_per_100km for item in errors]
    return Validation(
        cars=compared,
        median_abs_error=median(size.tolist()) if errors else None,
        p90_abs_error=float(np.percentile(size, 90)) if errors else None,
        coverage=sum(inside) / len(inside) if errors else None,
        rows=tuple(errors),
        left_out=tuple(sorted(left_out, key=lambda item: item.row)),
    )


def measured_car(tests: Sequence[MeasuredTest]) -> MeasuredCar:
    """Return the car of a group of tests of one vehicle and configuration.

    Rated power is not taken: the list's column holds peak power for some cars and half-hour power for others.
    """
    row = tests[0].row
    energy: dict[str, list[float]] = defaultdict(list)
    for test in tests:
        if test.cycle is not None and test.energy_ac_kwh_per_100km is not None:
            energy[test.cycle].append(test.energy_ac_kwh_per_100km)
    assert row.test_weight_kg is not None and row.target_a_n is not None
    assert row.target_b_n_per_mps is not None and row.target_c_n_per_mps2 is not None
    return MeasuredCar(
        name=f"{row.make} {row.model}",
        test_mass_kg=row.test_weight_kg,
        road_load=RoadLoad(row.target_a_n, row.target_b_n_per_mps, row.target_c_n_per_mps2),
        energy_kwh_per_100km={cycle: tuple(values) for cycle, values in energy.items()},
        driven_axle=AXLES.get(row.drive, DrivenAxle.FRONT),
        gears=row.gears or 1,
        make=row.manufacturer if is_european(row.manufacturer) else row.make,
    )


def _errors(
    group: Sequence[MeasuredTest], car: MeasuredCar, calibration: Calibration, kin: _Car | None
) -> list[TestError]:
    cycles = sorted(car.energy_kwh_per_100km)
    predicted = {item.cycle: item for item in predict(car, cycles, calibration)}
    found = []
    for test in group:
        if test.cycle is None or test.energy_ac_kwh_per_100km is None:
            continue
        prediction, row, measured = predicted[test.cycle], test.row, test.energy_ac_kwh_per_100km
        found.append(
            TestError(
                row=row.row,
                make=row.make,
                model=row.model,
                vehicle_id=row.vehicle_id,
                configuration=row.configuration,
                cycle=test.cycle,
                measured_kwh_per_100km=measured,
                predicted_kwh_per_100km=prediction.wall_kwh_per_100km,
                low_kwh_per_100km=prediction.low_kwh_per_100km,
                high_kwh_per_100km=prediction.high_kwh_per_100km,
                error=prediction.wall_kwh_per_100km / measured - 1.0,
                sibling=None if kin is None else " ".join(kin[0][2:]),
                said=test.said + _not_told(row),
            )
        )
    return found


def _not_told(row: TestCarRow) -> str:
    """Say what a row leaves open and what is taken in its place."""
    drive = "" if row.drive in AXLES else "; which axles are driven is not told, taken: one"
    return drive + ("; the gearbox's speeds are not told, taken: one" if not row.gears else "")


def _sibling(key: _Car, groups: dict[_Car, list[MeasuredTest]]) -> _Car | None:
    maker = _maker(groups[key][0].row)
    kin = [other for other, tests in groups.items() if other != key and _maker(tests[0].row) == maker]
    return min(kin, key=lambda other: (_unlikeness(groups[key][0], groups[other][0]), other), default=None)


def _car(test: MeasuredTest) -> _Car:
    row = test.row
    figures = (row.test_weight_kg, row.target_a_n, row.target_b_n_per_mps, row.target_c_n_per_mps2)
    return test.car_key, tuple(figure or 0.0 for figure in figures)


def _maker(row: TestCarRow) -> str:
    return (row.manufacturer or row.make).casefold()


def _unlikeness(one: MeasuredTest, other: MeasuredTest) -> float:
    """How much two cars differ in what their losses go with; the weights are coarse on purpose."""
    a, b = one.row, other.row
    names = [item.model.casefold().split() for item in (a, b)]
    alike = difflib.SequenceMatcher(None, " ".join(names[0]), " ".join(names[1])).ratio()

    def ratio(first: float | None, second: float | None) -> float:
        return abs(math.log(first / second)) if first and second else 0.0

    return (
        (a.drive != b.drive)
        + (a.gears != b.gears)
        + (1.0 - alike)
        + 0.3 * (a.vehicle_id != b.vehicle_id)
        + ratio(a.test_weight_kg, b.test_weight_kg)
        + ratio(a.speed_ratio_per_min_per_mph, b.speed_ratio_per_min_per_mph)
        + 0.3 * ratio(a.rated_power_kw, b.rated_power_kw)
    )


def _left_out(test: MeasuredTest, why: str) -> LeftOut:
    return LeftOut(test.row.row, f"{test.row.make} {test.row.model}", why)
