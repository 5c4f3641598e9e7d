"""How well one measured sibling can tell a car's energy: what limits it, and what other ways to calibrate would give.

    python benchmarks/vehicle_siblings.py ../shared/data/vehicle/epa_test_car_list_2022_dev_makes.csv

Every car is predicted by losses to whose fit its make added nothing. The other ways move charger efficiency, drag,
winding loss, drive loss and regeneration by a Gaussian prior, in a straight line about typical losses, and let a car
differ from its sibling by a share of its own: two thousand settings, from no shrinkage at all to strong shrinkage. Ten
seconds.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from fit_vehicle_losses import Sample, fit, sample_of
from numpy.typing import NDArray

from coachbuilder.formats.test_car_list import read_test_car_list
from coachbuilder.vehicle.calibration import PRIOR_SPREAD, TEST_SPREAD, wall_energies
from coachbuilder.vehicle.losses import Constants, Losses, typical_losses
from coachbuilder.vehicle.measured import interpret
from coachbuilder.vehicle.validation import validate

CYCLES = ("UDDS", "HWFET")
STEP = np.array([0.01, 5.0, 0.1, 0.1, 0.02])
"""Width of the slopes: logarithm of the charger's efficiency, drag (N), logarithms of winding and drive loss, and share
of braking."""
SPREADS = ((0.0, 0.02, 0.03, 0.05), (0.0, 7.0, 15.0), (0.0, 0.5, 1.0, 2.0), (0.0, 0.35, 1.0), (0.0, 0.05, 0.1))
"""Standard deviations between makes that are tried for each of them."""
SHIPPED = np.array([0.0, *PRIOR_SPREAD, 0.0])
"""Those that ``calibrate`` has."""
OWN = (0.0, 0.01, 0.015, 0.02, 0.025)
"""Standard deviations that are tried for a car's own difference from its sibling, common to its cycles."""
GOALS = (0.012, 0.04)

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Cars:
    """Cars by number, cycles in the order of CYCLES."""

    make: NDArray[np.str_]
    vehicle: list[str]
    excess: Numbers
    """Logarithm of measured over typical energy, shape (cars, 2); the mean of repeated tests."""
    tests: Numbers
    """Tests, shape (cars, 2)."""
    slope: Numbers
    """Slopes of the logarithm of energy, shape (cars, 2, 5)."""
    sibling: NDArray[np.int_]
    """The car that ``coachbuilder validate vehicle --calibrate sibling`` chooses."""
    car_of_test: NDArray[np.int_]
    cycle_of_test: NDArray[np.int_]
    excess_of_test: Numbers

    def errors(self, predicted: Numbers) -> Numbers:
        """Return the relative error of every test; predicted: excess (cars, 2)."""
        return np.expm1(predicted[self.car_of_test, self.cycle_of_test] - self.excess_of_test)


def moved(losses: Losses, point: Numbers) -> Losses:
    charger, drag_n, copper, drive, regeneration = point.tolist()
    return replace(
        losses,
        ac_efficiency=losses.ac_efficiency * math.exp(-charger),
        drag_in_drive_n=losses.drag_in_drive_n + drag_n,
        copper_w_per_n2=losses.copper_w_per_n2 * math.exp(copper),
        drive_efficiency=1.0 - (1.0 - losses.drive_efficiency) * math.exp(drive),
        regeneration_share=losses.regeneration_share - regeneration,
    )


def cars_of(sample: Sample, siblings: dict[tuple[str, str], str]) -> Cars:
    count = len(sample.cars)
    car = np.array([place for place, _ in sample.asked])
    cycle = np.array([CYCLES.index(name) for _, name in sample.asked])
    first = [int(np.flatnonzero(car == place)[0]) for place in range(count)]
    row = [sample.rows[place].row for place in first]
    make = sample.make[first]
    fitted = {name: fit(sample, sample.make != name) for name in sorted(set(make))}

    def energies(place: int, point: Numbers) -> Numbers:
        one = sample.cars[place]
        found: Constants = fitted[make[place]]
        losses = typical_losses(driven_axle=one.driven_axle, gears=one.gears, make=one.make, fitted=found)
        return np.log(wall_energies([one], [moved(losses, point)], [(0, name) for name in CYCLES]))

    typical = np.array([energies(place, np.zeros(STEP.size)) for place in range(count)])
    slope = np.array(
        [
            [(energies(place, step) - energies(place, -step)) / (2 * step.max()) for step in np.diag(STEP)]
            for place in range(count)
        ]
    ).transpose(0, 2, 1)
    excess_of_test = np.log(sample.measured) - typical[car, cycle]
    tests = np.zeros((count, 2))
    excess = np.zeros((count, 2))
    np.add.at(tests, (car, cycle), 1.0)
    np.add.at(excess, (car, cycle), excess_of_test)
    names = [f"{one.vehicle_id} {one.configuration}" for one in row]
    sibling = np.array([names.index(siblings[one.vehicle_id, one.configuration]) for one in row])
    vehicle = [one.vehicle_id for one in row]
    return Cars(make, vehicle, excess / tests, tests, slope, sibling, car, cycle, excess_of_test)


def calibrated(cars: Cars, spread: Numbers, own: float, sibling: NDArray[np.int_]) -> Numbers:
    """Return each car's excess as its sibling tells it."""
    found = np.empty_like(cars.excess)
    covariance = np.diag(spread**2)
    for place, kin in enumerate(sibling):
        slope = cars.slope[kin]
        noise = np.diag(TEST_SPREAD**2 / cars.tests[kin]) + own**2
        gain = covariance @ slope.T @ np.linalg.inv(slope @ covariance @ slope.T + noise)
        found[place] = cars.slope[place] @ gain @ cars.excess[kin]
    return found


def settings() -> Iterator[tuple[Numbers, float]]:
    for spread in product(*SPREADS):
        if any(spread[1:]):
            for own in OWN:
                yield np.array(spread), own


def told(errors: Numbers) -> str:
    size = 100 * np.abs(errors)
    return f"{np.median(size):.2f} % | {np.percentile(size, 90):.2f} % | {size.size}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=Path)
    tests = interpret(read_test_car_list(parser.parse_args().list).electric_rows)
    shipped = validate(tests, on_sibling=True)
    chosen = {(row.vehicle_id, row.configuration): row.sibling or "" for row in shipped.rows}
    cars = cars_of(sample_of(tests), chosen)
    place = np.arange(len(cars.make))
    kin = [np.flatnonzero((cars.make == make) & (place != car)) for car, make in enumerate(cars.make)]

    print("| calibrated on | median error | 90 % within | tests |\n|---|---|---|---|")
    print(f"| the sibling, as shipped | {told(np.array([row.error for row in shipped.rows]))} |")
    every = [cars.errors(calibrated(cars, spread, own, cars.sibling)) for spread, own in settings()]
    sizes = np.abs(np.array(every))
    usual = cars.errors(calibrated(cars, SHIPPED, 0.0, cars.sibling))
    print(f"| the sibling, its make left out of the typical losses | {told(usual)} |")
    same = np.array([cars.vehicle[car] == cars.vehicle[other] for car, other in enumerate(cars.sibling)])
    print(f"| - of them: the same test vehicle with other wheels or weight | {told(usual[same[cars.car_of_test]])} |")
    print(f"| - of them: another test vehicle | {told(usual[~same[cars.car_of_test]])} |")
    drawn = np.random.default_rng(0)
    any_kin = [
        cars.errors(calibrated(cars, SHIPPED, 0.0, np.array([drawn.choice(other) for other in kin])))
        for _ in range(100)
    ]
    print(f"| any other car of the manufacturer, drawn a hundred times | {told(np.concatenate(any_kin))} |")
    apart = np.abs(cars.excess[:, None, :] - cars.excess[None, :, :]).sum(axis=2)
    best = np.array([other[np.argmin(apart[car, other])] for car, other in enumerate(kin)])
    print(f"| the sibling that turns out nearest, chosen by the answer | {told(cars.errors(cars.excess[best]))} |")

    median, p90 = np.median(sizes, axis=1), np.percentile(sizes, 90, axis=1)
    both = int(np.sum((median <= GOALS[0]) & (p90 <= GOALS[1])))
    print(
        f"\n{len(every)} other settings: median error {100 * median.min():.2f} to {100 * median.max():.2f} %, ", end=""
    )
    print(f"90 % within {100 * p90.min():.2f} to {100 * p90.max():.2f} %; {both} meet both goals.")
    make = cars.make[cars.car_of_test]
    nested = np.empty(make.size)
    for name in sorted(set(make)):
        weight = np.array([0.0 if other == name else 1.0 / np.sum(make == other) for other in make])
        pick = int(np.argmin(np.minimum(sizes, 0.05) @ weight))
        nested[make == name] = every[pick][make == name]
    print("\nEach make by the setting that is best on the other makes: median and 90 % are ", end="")
    print(told(nested).replace(" | ", ", ") + " tests.")
    generator = np.random.default_rng(0)
    names = sorted(set(make))
    draws = []
    for _ in range(2000):
        size = np.abs(np.concatenate([usual[make == names[pick]] for pick in generator.integers(len(names), size=8)]))
        draws.append((np.median(size), np.percentile(size, 90)))
    low, high = 100 * np.percentile(draws, [10, 90], axis=0)
    print(f"\nMakes drawn anew (80 of 100 draws): median {low[0]:.1f} to {high[0]:.1f} %, ", end="")
    print(f"90 % within {low[1]:.1f} to {high[1]:.1f} %.")


if __name__ == "__main__":
    main()
