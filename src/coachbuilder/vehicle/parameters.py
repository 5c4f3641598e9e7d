"""From a car to the row of numbers that the kernels take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme.sections.vehicle import MotorType

if TYPE_CHECKING:
    from coachbuilder.vehicle.interface import VehicleInputs

GRAVITY_MPS2 = 9.80665
JOULES_PER_KWH = 3.6e6
LEAST_MISSED_W = 1.0
"""Power that may lack in a second of a trace without a word: rounding."""
INDUCTION_BREAKDOWN_RATIO = 2.5
"""Speed over base speed from which an induction machine's power falls with 1 / speed, its breakdown torque falling with
the square (Ehsani, Gao, Longo, Ebrahimi, Modern Electric, Hybrid Electric, and Fuel Cell Vehicles, 3rd ed., ch. 6)."""


def car_row(inputs: VehicleInputs) -> NDArray[np.float64]:
    """Return a car's parameters in the order of :class:`coachbuilder.vehicle.kernels.Car`, shape (PARAMETERS,)."""
    from coachbuilder.vehicle import kernels

    drive, road = inputs.powertrain, inputs.road_load
    peak_w = 1000.0 * drive.peak_kw
    peak_n = drive.peak_torque_nm * drive.gear_ratio / drive.wheel_radius_m
    mps_per_motor = drive.wheel_radius_m / drive.gear_ratio
    largest_mps = drive.largest_speed_per_min * math.pi / 30.0 * mps_per_motor
    base_mps = peak_w / peak_n
    induction = drive.motor_type is MotorType.INDUCTION
    weight = inputs.test_mass_kg * GRAVITY_MPS2
    front_n = weight * inputs.front_weight_share
    return np.array(
        kernels.Car(
            mass=inputs.test_mass_kg * (1.0 + inputs.rotating_mass_share),
            load_a=road.a_n + drive.drag_in_drive_n,
            load_b=road.b_n_per_mps,
            load_c=road.c_n_per_mps2,
            drag_n=drive.drag_in_drive_n,
            weight=weight,
            peak_w=peak_w,
            peak_n=peak_n,
            fall_mps=INDUCTION_BREAKDOWN_RATIO * base_mps if induction else 10.0 * largest_mps,
            largest_mps=largest_mps,
            gear_efficiency=drive.gear_efficiency,
            per_gear_efficiency=1.0 / drive.gear_efficiency,
            copper=drive.copper_loss_share * peak_w / peak_n**2,
            iron=drive.iron_loss_share * peak_w / largest_mps,
            inverter=drive.inverter_loss_share,
            weakening_w=0.0 if induction else drive.weakening_loss_share * peak_w,
            base_mps=base_mps,
            accessory_w=drive.accessory_w,
            regeneration=drive.regeneration_share,
            regeneration_w=1000.0 * drive.regeneration_limit_kw,
            fade_per_mps=3.6 / drive.regeneration_fade_kmh,
            grip_n=_grip_n(inputs, weight, front_n),
            front_n=front_n,
            front_share=drive.front_torque_share,
            transfer=inputs.load_transfer_share,
            friction=inputs.tyre_friction_coefficient,
            rise_s=drive.torque_rise_s,
            charge_as=3600.0 * inputs.pack.charge_ah,
            discharge_a=drive.largest_discharge_a,
            recharge_a=drive.largest_recharge_a,
            lowest_v=inputs.pack.lowest_v,
            highest_v=inputs.pack.highest_v,
        )
    )


def pack_rows(inputs: VehicleInputs) -> NDArray[np.float64]:
    """Return the pack's open-circuit voltage and resistance, shape (2, NODES)."""
    return np.array([inputs.pack.open_circuit_voltage_v, inputs.pack.resistance_ohm])


def trace_terms(speed_mps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean speed, its inverse (0 at rest) and mean speed times acceleration of each second, shape (3, n - 1)."""
    speed = 0.5 * (speed_mps[1:] + speed_mps[:-1])
    inverse = np.divide(1.0, speed, out=np.zeros_like(speed), where=speed > 0.0)
    return np.array([speed, inverse, np.diff(speed_mps) * speed])


def counted_terms(speed_mps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the different seconds of a trace and how often each comes, shape (4, m).

    With a pack at one state of charge the order of the seconds does not matter, and traces in steps of 0.1 mph repeat
    many of theirs.
    """
    terms, counts = np.unique(trace_terms(speed_mps), axis=1, return_counts=True)
    return np.ascontiguousarray(np.vstack([terms, counts]))


def _grip_n(inputs: VehicleInputs, weight: float, front_n: float) -> float:
    """Largest driving force of the driven axles' tyres, with the load that the force itself moves between them."""
    friction, share = inputs.tyre_friction_coefficient, inputs.powertrain.front_torque_share
    lean = friction * inputs.load_transfer_share
    if share >= 1.0:
        return friction * front_n / (1.0 + lean)
    if share <= 0.0:
        return min(friction * (weight - front_n) / (1.0 - lean), friction * weight) if lean < 1.0 else friction * weight
    return friction * weight
