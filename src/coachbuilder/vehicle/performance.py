"""Acceleration, top speed, grades, and charging: the car at its limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.vehicle.interface import PackLimits
from coachbuilder.vehicle.parameters import car_row, pack_rows

if TYPE_CHECKING:
    from coachbuilder.vehicle.interface import VehicleInputs

FULL_POWER_CHARGE = 0.8
"""State of charge at which a car is taken to its limits."""
SPEED_STEPS = 200
CHARGE_STEPS = 140
MPH_60_MPS = 60 * 0.44704
STEEPEST_SINE = 0.9999
"""Of the slope above which no grade is told: 70 in rise over run."""


@dataclass(frozen=True, slots=True)
class Performance:
    """A car at full power."""

    zero_to_100_s: float | None
    """0-100 km/h; None if 100 km/h is not reached."""
    zero_to_60_mph_s: float | None
    """0-60 mph; None if 60 mph is not reached."""
    eighty_to_120_s: float | None
    """80-120 km/h; None if 120 km/h is not reached."""
    top_speed_kmh: float
    """Top speed on the level."""
    launch_grade: float | None
    """Steepest grade on which the car starts, rise over run; below 0 downhill only, None if it would climb a wall."""
    launch_grip_share: float | None
    """Grip of the driven axles over the force of the motors at standstill; None if no force outgrows it."""


@dataclass(frozen=True, slots=True)
class FastCharge:
    """A fast charge between two states of charge."""

    minutes: float | None
    """Duration; None if the cells reach their highest voltage before."""
    peak_kw: float
    """Largest power at the terminals."""
    state_of_charge: NDArray[np.float64]
    """Where the power is given, shape (CHARGE_STEPS,)."""
    power_kw: NDArray[np.float64]
    """Power at the terminals, shape (CHARGE_STEPS,)."""


def performance(inputs: VehicleInputs) -> Performance:
    """Take a car to its limits.

    A forward model: at every speed the force is the smallest of the motors' torque, their power, what the pack gives
    less losses, and what the tyres of each driven axle carry under the load that the force itself moves between the
    axles (Gillespie, Fundamentals of Vehicle Dynamics, ch. 2).

    Parameters
    ----------
    inputs
        The car.

    Examples
    --------
    >>> from coachbuilder.vehicle import generic_car
    >>> 6 < performance(generic_car(test_mass_kg=1800, peak_kw=150)).zero_to_100_s < 10
    True
    """
    from coachbuilder.vehicle import kernels

    row = car_row(inputs)
    car = kernels.car_of(row)
    voltage, resistance = inputs.pack.voltage_v(FULL_POWER_CHARGE), inputs.pack.resistance(FULL_POWER_CHARGE)
    targets = np.array([[0.0, 100 / 3.6], [0.0, MPH_60_MPS], [80 / 3.6, 120 / 3.6]])
    seconds = np.empty((1, len(targets)))
    kernels.performance_batch(np.append(row, [voltage, resistance])[None], targets, SPEED_STEPS, seconds)
    to_100, to_60_mph, to_120 = (float(item) if item >= 0 else None for item in seconds[0])
    force_n = kernels.driving_force_n(car, kernels.pack_power_w(car, voltage, resistance), 0.0)
    # A road load above the weight holds the car on any slope.
    over_weight = max((force_n - car.load_a) / car.weight, -STEEPEST_SINE)
    motor_n = car.peak_n * car.gear_efficiency
    return Performance(
        zero_to_100_s=to_100,
        zero_to_60_mph_s=to_60_mph,
        eighty_to_120_s=to_120,
        top_speed_kmh=3.6 * kernels.top_speed_mps(car, voltage, resistance),
        launch_grade=math.tan(math.asin(over_weight)) if over_weight < STEEPEST_SINE else None,
        launch_grip_share=car.grip_n / motor_n if math.isfinite(car.grip_n) else None,
    )


def fast_charge(inputs: VehicleInputs, from_share: float, to_share: float) -> FastCharge:
    """Charge between two states of charge, as the driver sees them, at a fast charger.

    The current is the smallest of what the charger's power gives, falling in a straight line from one state of charge
    on, of what the cable carries, and of what brings the cells to their highest voltage: the taper that chemistry and
    pack voltage make.

    Parameters
    ----------
    inputs
        The car.
    from_share, to_share
        States of charge from 0 to 1 of what is usable, the first the lower.

    Examples
    --------
    >>> from coachbuilder.vehicle import generic_car
    >>> 20 < fast_charge(generic_car(test_mass_kg=1800), 0.1, 0.8).minutes < 60
    True
    """
    from coachbuilder.vehicle import kernels

    charging = inputs.charging
    share = inputs.usable_kwh / inputs.gross_kwh
    empty = inputs.full_state_of_charge - share
    power_w = np.zeros(CHARGE_STEPS)
    begin, end = empty + share * from_share, empty + share * to_share
    seconds = kernels.charge_s(
        pack_rows(inputs), 3600.0 * inputs.pack.charge_ah, inputs.pack.highest_v, 1000.0 * charging.dc_peak_kw,
        charging.dc_current_a, charging.taper_from_share, charging.power_at_full_share, begin, end, CHARGE_STEPS,
        power_w,
    )  # fmt: skip
    return FastCharge(
        minutes=None if seconds < 0 else seconds / 60,
        peak_kw=float(power_w.max()) / 1000,
        state_of_charge=from_share + (np.arange(CHARGE_STEPS) + 0.5) * (to_share - from_share) / CHARGE_STEPS,
        power_kw=power_w / 1000,
    )


def pack_limits(inputs: VehicleInputs) -> PackLimits:
    """Return what the pack gives and takes at half charge, limit by limit."""
    pack, drive = inputs.pack, inputs.powertrain
    voltage, resistance = pack.voltage_v(0.5), pack.resistance(0.5)

    def power_kw(current_a: float) -> float:
        return current_a * (voltage - resistance * current_a) / 1000

    return PackLimits(
        discharge_current_kw=power_kw(drive.largest_discharge_a),
        discharge_voltage_kw=power_kw((voltage - pack.lowest_v) / resistance),
        recharge_current_kw=-power_kw(-drive.largest_recharge_a),
        recharge_voltage_kw=-power_kw((voltage - pack.highest_v) / resistance),
        cable_kw=-power_kw(-inputs.charging.dc_current_a),
    )
