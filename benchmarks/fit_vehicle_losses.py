"""Fit the losses of typical cars to a test-car list, and tell how they carry over to makes left out of the fit.

    python benchmarks/fit_vehicle_losses.py ../shared/data/vehicle/epa_test_car_list_2022_dev_makes.csv --write

``--write`` puts what is found into the package. Half a minute.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import norm
from scipy.stats import t as student_t

from coachbuilder.formats.test_car_list import read_test_car_list
from coachbuilder.vehicle.calibration import MeasuredCar, wall_energies
from coachbuilder.vehicle.losses import Constants, constants, typical_losses
from coachbuilder.vehicle.measured import MeasuredTest, interpret
from coachbuilder.vehicle.validation import measured_car, validate

PACKAGED = Path(__file__).parents[1] / "src" / "coachbuilder" / "vehicle" / "typical_losses.json"

# What is fitted: where the search begins, how far it may go, and how firmly a beginning is held (1 / standard
# deviation). Fixed are what the tests cannot tell apart: accessories, the charger's efficiency, regeneration of cars
# with one speed. One make alone builds two speeds, so that their effect is held near a judged one.
FITTED = {
    "drive_efficiency": (0.95, 0.80, 1.0, 0.0),
    "copper_w_per_n2": (2e-4, 0.0, 1e-2, 0.0),
    "european_drag_n": (20.0, 0.0, 200.0, 0.0),
    "all_wheel_drag_n": (10.0, 0.0, 100.0, 0.0),
    "geared_regeneration_loss": (0.25, 0.0, 0.9, 1.0),
}
FIXED = {"accessory_w": 250.0, "regeneration_share": 0.97, "ac_efficiency": 0.88}
ROBUST_SCALE = 0.03
"""Error from which a test's pull on the fit stops growing (soft L1)."""


@dataclass(frozen=True)
class Sample:
    cars: list[MeasuredCar]
    asked: list[tuple[int, str]]
    measured: NDArray[np.float64]
    make: NDArray[np.str_]
    rows: list[MeasuredTest]


def sample_of(tests: Sequence[MeasuredTest]) -> Sample:
    groups: dict[object, list[MeasuredTest]] = defaultdict(list)
    for test in tests:
        if test.cycle is not None:
            groups[test.car_key].append(test)
    cars, asked, measured, make, rows = [], [], [], [], []
    for place, group in enumerate(groups.values()):
        cars.append(measured_car(group))
        for test in group:
            asked.append((place, test.cycle))
            measured.append(test.energy_ac_kwh_per_100km)
            make.append(test.row.manufacturer)
            rows.append(test)
    return Sample(cars, asked, np.array(measured), np.array(make), rows)


def predicted(sample: Sample, fitted: Constants) -> NDArray[np.float64]:
    losses = [
        typical_losses(driven_axle=car.driven_axle, gears=car.gears, make=car.make, fitted=fitted)
        for car in sample.cars
    ]
    return wall_energies(sample.cars, losses, sample.asked)


def fit(sample: Sample, chosen: NDArray[np.bool_]) -> Constants:
    begin = np.array([item[0] for item in FITTED.values()])
    low, high = (np.array([item[place] for item in FITTED.values()]) / begin for place in (1, 2))
    held = np.array([item[3] for item in FITTED.values()])
    counts = {make: int(np.sum(sample.make[chosen] == make)) for make in set(sample.make[chosen])}
    weight = np.array([counts.get(make, 1) for make in sample.make]) ** -0.5

    def constants_at(point: NDArray[np.float64]) -> Constants:
        return replace(constants(), **dict(zip(FITTED, (point * begin).tolist(), strict=True)), **FIXED)

    def errors(point: NDArray[np.float64]) -> NDArray[np.float64]:
        error = np.log(predicted(sample, constants_at(point)) / sample.measured)
        return np.concatenate([(error * weight)[chosen] / ROBUST_SCALE, 0.3 * held * (point - 1.0)])

    found = least_squares(errors, np.ones(len(begin)), bounds=(low, high), loss="soft_l1", diff_step=1e-3)
    return constants_at(found.x)


def unseen_errors(sample: Sample) -> NDArray[np.float64]:
    """Relative error of every test, its make left out of the fit."""
    found = np.empty(len(sample.measured))
    for make in sorted(set(sample.make)):
        left = sample.make == make
        found[left] = predicted(sample, fit(sample, ~left))[left] / sample.measured[left] - 1
    return found


def few_makes(makes: int) -> float:
    """Widening of an interval whose spread is known from few makes: Student's t over the normal's quantile."""
    return float(student_t.ppf(0.9, makes - 1) / norm.ppf(0.9))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    tests = interpret(read_test_car_list(arguments.list).electric_rows)
    sample = sample_of(tests)
    everything = np.ones(len(sample.measured), dtype=bool)
    found = fit(sample, everything)
    inside = np.abs(predicted(sample, found) / sample.measured - 1)
    print(f"within the fit: median {np.median(inside):.4f}, p90 {np.percentile(inside, 90):.4f}")
    unseen = unseen_errors(sample)
    for make in sorted(set(sample.make)):
        left = sample.make == make
        print(f"  {make:32s} left out: {left.sum():3d} tests, mean error {unseen[left].mean():+.3f}")
    size = np.abs(unseen)
    print(f"each make left out of its own fit: median {np.median(size):.4f}, p90 {np.percentile(size, 90):.4f}")
    on_sibling = validate(tests, on_sibling=True)
    found = replace(
        found,
        unseen_log_width=float(np.percentile(np.abs(np.log1p(unseen)), 80)) * few_makes(len(set(sample.make))),
        sibling_log_width=float(np.percentile([abs(np.log1p(test.error)) for test in on_sibling.rows], 80)),
        fitted_on=f"{len(sample.cars)} cars, {len(sample.measured)} tests of {arguments.list.name}",
    )
    print(json.dumps(asdict(found), indent=2))
    if arguments.write:
        PACKAGED.write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
