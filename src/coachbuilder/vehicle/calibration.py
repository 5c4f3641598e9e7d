"""Fits losses to cars that have been measured, and predicts the energy of others with an interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme.errors import InputError, Problem
from coachbuilder.programme.sections.vehicle import DrivenAxle
from coachbuilder.vehicle.inputs import generic_car
from coachbuilder.vehicle.interface import RoadLoad
from coachbuilder.vehicle.losses import Losses, constants, typical_losses
from coachbuilder.vehicle.parameters import JOULES_PER_KWH, car_row, counted_terms
from coachbuilder.vehicle.traces import trace

AMPLE_KW = 1000.0
"""Power at which no car of a test misses its trace: energies are predicted without its limits."""
LARGEST_MISSED_J = 1000.0
"""Energy that may lack on a trace at that power: rounding."""
TEST_SPREAD = 0.012
"""Standard deviation of a test's logarithm: repeated tests of one car differ by 0.9 % in the median."""
LARGEST_LOG_RATIO = math.log(2.5)
"""Measured over typical energy, or the inverse, above which no car is believed."""
STEPS = 6
"""Gauss-Newton steps of a fit; three suffice for the tests of one car."""


@dataclass(frozen=True, slots=True)
class MeasuredCar:
    """A car whose energy from the wall was measured on drive cycles."""

    name: str
    """Its name."""
    test_mass_kg: float
    """Mass in the tests."""
    road_load: RoadLoad
    """Coast-down result."""
    energy_kwh_per_100km: Mapping[str, tuple[float, ...]]
    """Energy from the wall by cycle; repeated tests each by itself. Empty for a car yet to be measured."""
    driven_axle: DrivenAxle = DrivenAxle.FRONT
    """Front, rear or all."""
    gears: int = 1
    """Speeds of the gearbox."""
    make: str | None = None
    """The car's make."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What measured cars tell about the losses of their kin, against those of typical cars."""

    drag_in_drive_n: float
    """Drag of the energised drive on top."""
    copper_factor: float
    """Winding loss over that of typical cars."""
    drive_loss_factor: float
    """1 - drive efficiency over that of typical cars."""
    cars: int
    """Cars that it rests on; 0: none, the losses of typical cars."""

    def losses(self, typical: Losses) -> Losses:
        """Return the losses of a car of this kin."""
        return replace(
            typical,
            drag_in_drive_n=typical.drag_in_drive_n + self.drag_in_drive_n,
            copper_w_per_n2=typical.copper_w_per_n2 * self.copper_factor,
            drive_efficiency=1.0 - (1.0 - typical.drive_efficiency) * self.drive_loss_factor,
        )


NONE = Calibration(0.0, 1.0, 1.0, 0)
"""No calibration."""

PRIOR_SPREAD = np.array([15.0, 0.5, 0.35])
"""Standard deviations between cars: drag (N) and the logarithms of the two factors. The errors on siblings of the 2022
list change by less than a tenth when any of them is halved or doubled."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Energy from the wall on a cycle."""

    cycle: str
    """The cycle."""
    wall_kwh_per_100km: float
    """The prediction."""
    low_kwh_per_100km: float
    """Lower end of the interval that holds 80 of 100."""
    high_kwh_per_100km: float
    """Upper end."""


def calibrate(cars: Sequence[MeasuredCar]) -> Calibration:
    """Fit loss parameters to measured cars: a donor platform, the host's own electric car.

    Drag of the energised drive, winding loss and drive loss are moved away from those of typical cars as far as the
    tests ask for and their spread between cars allows: the largest posterior density with normal errors, found by
    Gauss-Newton steps (Tarantola, Inverse Problem Theory, 2005, section 3.2).

    Parameters
    ----------
    cars
        At least one, each with at least one test.

    Raises
    ------
    InputError
        If there is no car, or one without a test, with an energy that is not above 0 or far from any car's, or with a
        mass or road load that is none.

    Examples
    --------
    >>> car = MeasuredCar("donor", 2000.0, RoadLoad(150.0, 1.0, 0.4), {"UDDS": (14.0,), "HWFET": (15.5,)})
    >>> calibrate([car]).cars
    1
    """
    _refuse(_problems(cars))
    measured = [
        (number, cycle, math.log(sum(values) / len(values)), len(values))
        for number, car in enumerate(cars)
        for cycle, values in car.energy_kwh_per_100km.items()
        if values
    ]
    asked = [(number, cycle) for number, cycle, _, _ in measured]
    target = np.array([item[2] for item in measured])
    weight = np.sqrt([item[3] for item in measured]) / TEST_SPREAD
    point = np.zeros(3)
    typical = _energies(cars, point, asked)
    _refuse(
        [
            Problem(
                "",
                f"{cars[number].name}.energy_kwh_per_100km.{cycle}",
                f"{math.exp(value):.3g}",
                f"an energy from the wall near the {energy:.1f} kWh/100 km of a typical car",
                hint="is the unit kWh/100 km?",
            )
            for (number, cycle), value, energy in zip(asked, target, typical, strict=True)
            if abs(value - math.log(energy)) > LARGEST_LOG_RATIO
        ]
    )
    for _ in range(STEPS):
        found = np.log(_energies(cars, point, asked))
        slope = np.empty((len(asked), 3))
        for place, width in enumerate(1e-3 * PRIOR_SPREAD):
            moved = point.copy()
            moved[place] += width
            slope[:, place] = (np.log(_energies(cars, moved, asked)) - found) / width
        system = np.vstack([slope * weight[:, None], np.diag(1.0 / PRIOR_SPREAD)])
        wanted = np.concatenate([(target - found) * weight, -point / PRIOR_SPREAD])
        point = point + np.linalg.lstsq(system, wanted, rcond=None)[0]
    return _at(point, len(cars))


def predict(car: MeasuredCar, cycles: Sequence[str], calibration: Calibration = NONE) -> tuple[Prediction, ...]:
    """Predict a car's energy from the wall.

    Parameters
    ----------
    car
        The car; its own tests are not looked at.
    cycles
        Names of shipped traces.
    calibration
        From its kin; without it the car is one of a make never seen.

    Raises
    ------
    InputError
        If a trace is not known, or mass or road load are no car's.

    Examples
    --------
    >>> car = MeasuredCar("new", 2000.0, RoadLoad(150.0, 1.0, 0.4), {})
    >>> 10 < predict(car, ["UDDS"])[0].wall_kwh_per_100km < 20
    True
    """
    energies = wall_energies([car], [calibration.losses(_typical(car))], [(0, cycle) for cycle in cycles])
    width = constants().sibling_log_width if calibration.cars else constants().unseen_log_width
    return tuple(
        Prediction(cycle, float(energy), float(energy) * math.exp(-width), float(energy) * math.exp(width))
        for cycle, energy in zip(cycles, energies, strict=True)
    )


def wall_energies(
    cars: Sequence[MeasuredCar], losses: Sequence[Losses], asked: Sequence[tuple[int, str]]
) -> NDArray[np.float64]:
    """Return energies from the wall, kWh/100 km, shape (len(asked),).

    Parameters
    ----------
    cars
        The cars.
    losses
        Of each of them.
    asked
        Place of a car and name of a shipped trace, for each energy.

    Examples
    --------
    >>> car = MeasuredCar("new", 2000.0, RoadLoad(150.0, 1.0, 0.4), {})
    >>> wall_energies([car], [typical_losses()], [(0, "UDDS"), (0, "HWFET")]).shape
    (2,)
    """
    from coachbuilder.vehicle import kernels

    rows = []
    for car, lost in zip(cars, losses, strict=True):
        inputs = generic_car(
            test_mass_kg=car.test_mass_kg,
            peak_kw=AMPLE_KW,
            road_load=car.road_load,
            driven_axle=car.driven_axle,
            losses=lost,
            name=car.name,
        )
        rows.append(np.append(car_row(inputs), [inputs.pack.voltage_v(0.5), inputs.pack.resistance(0.5)]))
    found = np.empty(len(asked))
    for cycle in {cycle for _, cycle in asked}:
        places = [place for place, item in enumerate(asked) if item[1] == cycle]
        out = np.empty((len(places), kernels.BATCH))
        terms, distance_m = _terms(cycle)
        kernels.energy_batch(terms, np.array([rows[asked[place][0]] for place in places]), out)
        _refuse(
            [
                Problem(
                    "", cars[asked[place][0]].name, f"a mass or road load that cannot be driven over {cycle}", "a car's"
                )
                for place, missed in zip(places, out[:, kernels.BATCH_MISSED_J], strict=True)
                if not missed < LARGEST_MISSED_J
            ]
        )
        joules = out[:, kernels.BATCH_CELLS_J] / [losses[asked[place][0]].ac_efficiency for place in places]
        found[places] = joules / JOULES_PER_KWH * 1e5 / distance_m
    return found


def _at(point: NDArray[np.float64], cars: int) -> Calibration:
    # A drive without losses at least; the prior keeps fits far from it.
    return Calibration(float(point[0]), math.exp(point[1]), min(math.exp(point[2]), 10.0), cars)


def _typical(car: MeasuredCar) -> Losses:
    return typical_losses(driven_axle=car.driven_axle, gears=car.gears, make=car.make)


def _energies(
    cars: Sequence[MeasuredCar], point: NDArray[np.float64], asked: Sequence[tuple[int, str]]
) -> NDArray[np.float64]:
    calibration = _at(point, len(cars))
    return wall_energies(cars, [calibration.losses(_typical(car)) for car in cars], asked)


@cache
def _terms(cycle: str) -> tuple[NDArray[np.float64], float]:
    driven = trace(cycle)
    return counted_terms(driven.speed_mps), driven.distance_m


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InputError(problems)


def _problems(cars: Sequence[MeasuredCar]) -> list[Problem]:
    if not cars:
        return [Problem("", "cars", "none", "at least one measured car")]
    found = []
    for car in cars:
        if not any(car.energy_kwh_per_100km.values()):
            found.append(Problem("", f"{car.name}.energy_kwh_per_100km", "no test", "at least one"))
        found.extend(
            Problem("", f"{car.name}.energy_kwh_per_100km.{cycle}", f"{value:g}", "an energy above 0")
            for cycle, values in car.energy_kwh_per_100km.items()
            for value in values
            if not (math.isfinite(value) and value > 0)
        )
    return found
