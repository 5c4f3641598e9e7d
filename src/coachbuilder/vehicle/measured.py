"""Reads what the electric rows of EPA's test car list mean: unit, adjusted or not, energy from the wall.

The list's unit column says MPG for every electric row, also where the figure is kWh/100 mi, and some rows hold the
label's adjusted figure in place of the test result. The car's own road load tells them apart: the energy from the wall
is a narrow multiple of the work at the wheels over the same trace.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from coachbuilder.formats.test_car_list import TestCarRow
from coachbuilder.vehicle.parameters import JOULES_PER_KWH
from coachbuilder.vehicle.procedures import EPA_ADJUSTMENT, KM_PER_MILE, KWH_PER_GALLON_EQUIVALENT
from coachbuilder.vehicle.traces import trace

CYCLE_OF_PROCEDURE = {"81": "UDDS", "84": "HWFET"}
"""The procedures that are read: charge-depleting tests at 20-30 °C whose trace is one cycle."""

ROTATING_MASS_FACTOR = 1.03
"""Inertia of a car with its wheels and drive over its mass."""
REGENERATED_SHARE = 0.6
"""Share of the braking work taken off the work at the wheels: with it both cycles have the same reference, and all 114
tests of model year 2022 that were looked at scatter least about it."""

REFERENCE_RATIO = {"UDDS": 1.31, "HWFET": 1.30}
"""Energy from the wall over work at the wheels: geometric mean of 57 tests each, model year 2022, eleven makes."""
LOG_SPREAD = {"UDDS": 0.11, "HWFET": 0.07}
"""Standard deviation of its logarithm between cars: 0.097 and 0.057 among the 57, widened for makes not among
them."""
CORRELATION = 0.8
"""Correlation of that logarithm between two tests of a car; 0.85 between the cycles of the 114."""
LARGEST_RATIO = 2.2
"""More energy than this for the work at the wheels is no result of a test: the most wasteful of the 114 took 1.74."""

LEAST_WEIGHT_KG = 450.0
"""Equivalent test weights begin at 1,000 lb (40 CFR 86.129)."""
UNIT_TRUSTED = 0.85
"""How often the figure is in the unit that its column says, before the physics is looked at."""
ADJUSTED_SHARE = 0.06
"""How often a figure is an adjusted one, before the physics is looked at: an adjusted reading must fit clearly better
to be taken."""
SAME_KIND = 0.97
"""How often two tests of one vehicle are written in the same way."""
OTHER_CONFIGURATION_WEIGHT = 0.5
"""Weight of a test of another configuration of the vehicle among the tests that speak for a row."""
SAME_ENERGY = 0.03
"""Readings whose energies differ by less than this share need no telling apart."""
SURE = 0.9
"""A reading less probable than this is said to be uncertain."""


class Treatment(StrEnum):
    """What a row's figure is taken for."""

    MILES_PER_GALLON_EQUIVALENT = "miles per gallon equivalent"
    KWH_PER_100_MILES = "kWh per 100 miles"
    ADJUSTED_MILES_PER_GALLON_EQUIVALENT = "adjusted miles per gallon equivalent"
    ADJUSTED_KWH_PER_100_MILES = "adjusted kWh per 100 miles"
    LEFT_OUT = "left out"


READINGS = tuple(treatment for treatment in Treatment if treatment is not Treatment.LEFT_OUT)
"""The treatments under which a row is used."""

CarKey = tuple[str, int, str, str]


@dataclass(frozen=True, slots=True)
class MeasuredTest:
    """A row of the list and what was made of it."""

    row: TestCarRow
    """The row."""
    car_key: CarKey
    """Make, model year, vehicle and configuration: tests with one key are tests of one car."""
    treatment: Treatment
    """What the figure was taken for."""
    said: str
    """What was done and why, as a sentence without its full stop."""
    cycle: str | None
    """UDDS or HWFET; ``None`` if left out."""
    energy_ac_kwh_per_100km: float | None
    """Unadjusted energy from the wall; ``None`` if left out."""
    wall_over_wheel_work: float | None
    """That energy over the work at the wheels; ``None`` if left out."""
    probability: float | None
    """Probability of the energy, that of other readings within 3 % counted in; ``None`` if left out."""


def interpret(rows: Sequence[TestCarRow]) -> tuple[MeasuredTest, ...]:
    """Tell what each electric row measured.

    Each figure is read four ways: MPGe or kWh/100 mi, the test's result or the label's adjusted value (MPGe times
    0.7, consumption over 0.7). The reading is taken that is most probable by the energy from the wall over the work at
    the wheels on the same trace with the car's own road load, and by how the other tests of the vehicle read.

    Parameters
    ----------
    rows
        Electric rows of one list or several.

    Returns
    -------
    tuple of MeasuredTest
        One for each row, in the same order; repeated tests stay apart.

    Examples
    --------
    >>> from pathlib import Path
    >>> from coachbuilder.formats.test_car_list import read_test_car_list
    >>> tests = interpret(read_test_car_list(Path("22-testcar.xlsx")).electric_rows)  # doctest: +SKIP
    >>> tests[0].treatment, round(tests[0].energy_ac_kwh_per_100km, 2)  # doctest: +SKIP
    (<Treatment.MILES_PER_GALLON_EQUIVALENT: 'miles per gallon equivalent'>, 14.32)
    """
    figures = [_figure(row) for row in rows]
    vehicles: dict[tuple[str, int, str], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if isinstance(figures[place], _Figure):
            vehicles[_key(row)[:3]].append(place)
    tests = []
    for place, (row, figure) in enumerate(zip(rows, figures, strict=True)):
        if isinstance(figure, str):
            tests.append(_left_out(row, figure))
            continue
        relatives = [
            (other, 1.0 if rows[index].configuration == row.configuration else OTHER_CONFIGURATION_WEIGHT)
            for index in vehicles[_key(row)[:3]]
            if index != place and isinstance(other := figures[index], _Figure)
        ]
        tests.append(_read(row, figure, relatives))
    return tuple(tests)


def wheel_work_kwh_per_100km(row: TestCarRow, cycle: str) -> tuple[float, float] | None:
    """Return the work at the wheels over a trace, less what braking gives back, and the road load's part of it.

    Parameters
    ----------
    row
        A row with test weight and target coast-down.
    cycle
        Name of the trace.

    Returns
    -------
    tuple of float or None
        ``None`` if weight or coast-down is missing, or if the road load does not resist.

    Examples
    --------
    >>> work, road_load = wheel_work_kwh_per_100km(row, "HWFET")  # doctest: +SKIP
    """
    a, b, c, mass = row.target_a_n, row.target_b_n_per_mps, row.target_c_n_per_mps2, row.test_weight_kg
    if a is None or b is None or c is None or not mass:
        return None
    mean, change, distance_m = _trace(cycle)
    resistance = (a + b * mean + c * mean**2) * mean
    power = resistance + ROTATING_MASS_FACTOR * mass * change * mean
    work = float(np.maximum(power, 0).sum() + REGENERATED_SHARE * np.minimum(power, 0).sum())
    per_100km = 1e5 / distance_m / JOULES_PER_KWH
    road_load = float(resistance.sum())
    return (work * per_100km, road_load * per_100km) if road_load > 0 and work > 0 else None


@cache
def _trace(cycle: str) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    speed = trace(cycle).speed_mps
    mean = 0.5 * (speed[1:] + speed[:-1])
    return mean, np.diff(speed), float(mean.sum())


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure with the four ways to read it; arrays are in the order of READINGS."""

    cycle: str
    energies: NDArray[np.float64]
    """kWh/100 km from the wall."""
    ratios: NDArray[np.float64]
    """Energy from the wall over work at the wheels."""
    prior: NDArray[np.float64]
    """Probabilities before the physics."""
    away: NDArray[np.float64]
    """Logarithm of the ratio over the reference, in spreads."""
    possible: NDArray[np.bool_]
    """Whether the ratio is possible at all."""

    def alone(self) -> NDArray[np.float64]:
        """Return the probabilities by this figure."""
        return _normalised(np.log(self.prior) - 0.5 * self.away**2, self.possible)

    def word_of(self, other: _Figure) -> NDArray[np.float64]:
        """Return the logarithm of the other figure's likelihood for each way to read this one."""
        written = SAME_KIND * np.eye(len(READINGS)) + (1 - SAME_KIND) * other.prior
        left = other.away[np.newaxis, :] - CORRELATION * self.away[:, np.newaxis]
        exponent = np.log(written) - 0.5 * left**2 / (1 - CORRELATION**2)
        return _log_sum(np.where(other.possible, exponent, -np.inf))


def _log_sum(exponent: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = exponent.max(axis=1)
    total = np.exp(exponent - largest[:, np.newaxis]).sum(axis=1)
    return np.asarray(largest + np.log(total), dtype=np.float64)


def _normalised(exponent: NDArray[np.float64], possible: NDArray[np.bool_]) -> NDArray[np.float64]:
    weight = np.where(possible, np.exp(exponent - exponent[possible].max()), 0.0)
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _figure(row: TestCarRow) -> _Figure | str:
    """Return the readings of a row's figure, or why the row is left out."""
    cycle = CYCLE_OF_PROCEDURE.get(row.procedure_code.lstrip("0"))
    if cycle is None:
        none = "" if row.fuel_economy else "; nor has it a figure"
        return _other_procedure(row) + none
    if not row.fuel_economy:
        return "no figure is given"
    if _has_engine(row):
        return (
            f"an engine of {row.cylinders} cylinders and {row.displacement_l:g} l is on board: "
            "the electricity need not be all the energy it was driven with"
        )
    if not row.test_weight_kg:
        return "no test weight is given, so the figure cannot be set against the work at the wheels"
    if row.test_weight_kg < LEAST_WEIGHT_KG:
        return f"a test weight of {row.test_weight_kg:.0f} kg is no car's"
    if None in (row.target_a_n, row.target_b_n_per_mps, row.target_c_n_per_mps2):
        return "the target coast-down is missing, so the figure cannot be set against the work at the wheels"
    works = wheel_work_kwh_per_100km(row, cycle)
    if works is None:
        return "the target coast-down gives no resistance over the cycle"
    work, road_load = works
    figure = row.fuel_economy
    miles, kwh = 100 * KWH_PER_GALLON_EQUIVALENT / figure, figure
    energies = np.array([miles, kwh, EPA_ADJUSTMENT * miles, EPA_ADJUSTMENT * kwh]) / KM_PER_MILE
    ratios = energies / work
    away = np.log(ratios / REFERENCE_RATIO[cycle]) / LOG_SPREAD[cycle]
    # Less energy from the wall than the road load takes would make a car of more than 100 % efficiency.
    possible = (energies >= road_load) & (ratios <= LARGEST_RATIO)
    if not possible.any():
        return _implausible(row, ratios, work, road_load)
    return _Figure(cycle, energies, ratios, _prior(row.fuel_economy_unit), away, possible)


def _prior(unit: str) -> NDArray[np.float64]:
    name = unit.casefold().replace(" ", "")
    miles = UNIT_TRUSTED if name.startswith("mpg") else 1 - UNIT_TRUSTED if "kwh" in name else 0.5
    units = np.array([miles, 1 - miles])
    return np.concatenate([(1 - ADJUSTED_SHARE) * units, ADJUSTED_SHARE * units])


def _has_engine(row: TestCarRow) -> bool:
    """Tell an engine from the stand-ins that electric rows have in its columns (0.001 l, 99.999 l)."""
    return bool(row.cylinders and row.cylinders >= 2 and row.displacement_l and 0.2 <= row.displacement_l <= 20)


def _read(row: TestCarRow, figure: _Figure, relatives: Sequence[tuple[_Figure, float]]) -> MeasuredTest:
    alone = figure.alone()
    belief = alone
    if relatives:
        # Their mean and not their sum: cars waste alike in all their tests, so many tests say little more than one.
        weights = sum(weight for _, weight in relatives)
        word = np.sum([weight * figure.word_of(other) for other, weight in relatives], axis=0) / weights
        own = np.log(figure.prior) - 0.5 * figure.away**2
        belief = _normalised(own + word, figure.possible)
    best = int(belief.argmax())
    energy = float(figure.energies[best])
    same = np.abs(figure.energies / energy - 1) < SAME_ENERGY
    probability = float(belief[same].sum())
    return MeasuredTest(
        row=row,
        car_key=_key(row),
        treatment=READINGS[best],
        said=_said(row, figure, best, int(alone.argmax()), probability, len(relatives)),
        cycle=figure.cycle,
        energy_ac_kwh_per_100km=energy,
        wall_over_wheel_work=float(figure.ratios[best]),
        probability=probability,
    )


_NAMES = ("MPGe", "kWh/100 mi", "MPGe adjusted for the label", "kWh/100 mi adjusted for the label")


def _said(row: TestCarRow, figure: _Figure, best: int, alone: int, probability: float, relatives: int) -> str:
    unit = row.fuel_economy_unit
    column = f"the unit column says {unit}" if unit else "the unit column is empty"
    as_printed = bool(unit) and ("kwh" in unit.casefold()) == (best % 2 == 1) and best < 2
    taken = "and" if as_printed else "but" if unit else "and"
    parts = [
        f"{column}, {taken} the figure {row.fuel_economy:g} is {_NAMES[best]}: {_in_words(figure, best)}",
    ]
    if best >= 2:
        parts.append(f"as a result not adjusted {_would_be(figure, best - 2)}")
    elif best == 1:
        parts.append(f"as MPGe {_would_be(figure, 0)}")
    near = [
        place
        for place in range(len(READINGS))
        if place != best
        and figure.possible[place]
        and abs(figure.energies[place] / figure.energies[best] - 1) < SAME_ENERGY
    ]
    parts.extend(
        f"read as {_NAMES[place]} it is the same within {100 * SAME_ENERGY:.0f} %, so it matters little"
        for place in near
    )
    if alone != best:
        parts.append(f"by itself it would be taken for {_NAMES[alone]}; the vehicle's other tests decide")
    if probability < SURE:
        by = f"with {relatives} more of the vehicle's tests" if relatives else "no other test of the vehicle to go by"
        parts.append(f"uncertain: {100 * probability:.0f} %, {by}")
    return "; ".join(parts)


def _in_words(figure: _Figure, place: int) -> str:
    return (
        f"{KM_PER_MILE * figure.energies[place]:.1f} kWh/100 mi from the wall, "
        f"{figure.ratios[place]:.2f} times the work at the wheels of its road load"
    )


def _would_be(figure: _Figure, place: int) -> str:
    return (
        f"it would be {KM_PER_MILE * figure.energies[place]:.1f} kWh/100 mi, {figure.ratios[place]:.2f} times that work"
    )


def _implausible(row: TestCarRow, ratios: NDArray[np.float64], work: float, road_load: float) -> str:
    ways = ", ".join(f"as {name} {ratio:.2f}" for name, ratio in zip(_NAMES, ratios, strict=True))
    least = math.floor(100 * road_load / work) / 100
    return (
        f"the figure {row.fuel_economy:g} is no plausible energy for its road load: over the work at the wheels it is "
        f"{ways}, and {least:.2f} (the road load alone) to {LARGEST_RATIO:g} is possible"
    )


_OTHER_PROCEDURES = {
    "2": "is the FTP, the UDDS with its first 505 s driven again warm, and no charge-depleting test",
    "3": "is a single highway cycle and no charge-depleting test",
    "11": "is the FTP at -7 °C",
    "21": "is the FTP, the UDDS with its first 505 s driven again warm, and no charge-depleting test",
    "31": "is the FTP, the UDDS with its first 505 s driven again warm, and no charge-depleting test",
    "83": "is the US06, whose trace is neither the UDDS nor the HWFET",
    "85": "is the SC03 at 35 °C with the air conditioning on",
    "86": "is the charge-depleting FTP at -7 °C (20 °F), not at 20-30 °C",
    "90": "is the US06, whose trace is neither the UDDS nor the HWFET",
    "95": "is the SC03 at 35 °C with the air conditioning on",
}


def _other_procedure(row: TestCarRow) -> str:
    name = f"procedure {row.procedure_code or 'without a code'}"
    if row.procedure:
        name += f" ({row.procedure})"
    why = _OTHER_PROCEDURES.get(row.procedure_code.lstrip("0"))
    return f"{name} {why or 'is neither the charge-depleting UDDS (81) nor the charge-depleting HWFET (84)'}"


def _left_out(row: TestCarRow, why: str) -> MeasuredTest:
    return MeasuredTest(row, _key(row), Treatment.LEFT_OUT, f"left out: {why}", None, None, None, None)


def _key(row: TestCarRow) -> CarKey:
    return (row.make, row.model_year, row.vehicle_id, row.configuration)


__all__ = ["CarKey", "MeasuredTest", "Treatment", "interpret", "wheel_work_kwh_per_100km"]
