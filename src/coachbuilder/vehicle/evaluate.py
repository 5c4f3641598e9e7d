"""The vehicle stage: energy over the drive cycles, ratings, performance, charging."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.vehicle.inputs import GRAVITY_MPS2
from coachbuilder.vehicle.interface import CycleResult, EnergyBreakdown, VehicleInputs, VehicleResult

if TYPE_CHECKING:
    from collections.abc import Mapping

CYCLES = ("UDDS", "HWFET", "WLTC 3b")
"""Drive cycles that every car is driven through."""

JOULES_PER_KWH = 3.6e6
EPA_ADJUSTMENT = 0.7
"""Factor from two-cycle range to label range (40 CFR 600.210-12; SAE J1634)."""
EPA_CITY_SHARE = 0.55
"""Share of city driving in the label's combined figure (40 CFR 600.210-12)."""


@cache
def cycle_speed_mps(name: str) -> NDArray[np.float64]:
    """Return a drive cycle's speed at every second, m/s, shape (n,).

    Parameters
    ----------
    name
        One of :data:`CYCLES`.

    Examples
    --------
    >>> round(float(cycle_speed_mps("UDDS").sum() / 1000), 2)
    11.99
    """
    file = resources.files("coachbuilder.vehicle") / "cycles" / f"{name.lower().replace(' ', '_')}.csv"
    rows = file.read_text(encoding="utf-8").splitlines()
    speed = np.array([float(row) for row in rows if row and row[0].isdigit()])
    speed.setflags(write=False)
    return speed


def evaluate(inputs: VehicleInputs) -> VehicleResult:
    """Drive a car through its cycles and rate it.

    Parameters
    ----------
    inputs
        The car.

    Returns
    -------
    VehicleResult
        A figure that the car cannot reach is ``None``, and ``warnings`` say why.

    Examples
    --------
    >>> from coachbuilder.vehicle import generic_car
    >>> 250 < evaluate(generic_car(test_mass_kg=1900, peak_kw=150, usable_kwh=55)).epa_label_range_km < 450
    True
    """
    from coachbuilder.vehicle import kernels

    parameters = _parameters(inputs)
    cycles = tuple(_drive(name, parameters, inputs.powertrain.ac_efficiency) for name in CYCLES)
    udds, hwfet, wltc = cycles
    warnings = [
        f"{item.name}: cannot follow the trace for {item.trace_missed_s} s" for item in cycles if item.trace_missed_s
    ]
    epa_range = epa_consumption = wltp_range = wltp_consumption = None
    if not udds.trace_missed_s and not hwfet.trace_missed_s:
        epa_range = epa_label_range_km(inputs.usable_kwh, udds.battery_kwh_per_100km, hwfet.battery_kwh_per_100km)
        epa_consumption = (
            EPA_CITY_SHARE * udds.ac_kwh_per_100km + (1 - EPA_CITY_SHARE) * hwfet.ac_kwh_per_100km
        ) / EPA_ADJUSTMENT
    if not wltc.trace_missed_s and wltc.battery_kwh_per_100km > 0:
        wltp_range = 100 * inputs.usable_kwh / wltc.battery_kwh_per_100km
        wltp_consumption = wltc.ac_kwh_per_100km
    seconds = kernels.seconds_to(parameters, 100 / 3.6, 0.02)
    if seconds < 0:
        warnings.append("100 km/h is never reached")
    return VehicleResult(
        name=inputs.name,
        curb_mass_kg=inputs.curb_mass_kg,
        gross_kwh=inputs.gross_kwh,
        usable_kwh=inputs.usable_kwh,
        cycles=cycles,
        epa_label_range_km=epa_range,
        epa_label_kwh_per_100km=epa_consumption,
        wltp_range_km=wltp_range,
        wltp_kwh_per_100km=wltp_consumption,
        cltc_range_estimate_km=None if wltp_range is None else wltp_range * inputs.cltc_over_wltp,
        zero_to_100_s=None if seconds < 0 else seconds,
        top_speed_kmh=3.6 * kernels.top_speed_mps(parameters),
        charge_10_80_min=charge_min(inputs, 0.1, 0.8),
        launch_grip_share=_launch_grip_share(inputs),
        regeneration_asked_share=max(item.regeneration_asked_kw for item in cycles)
        / inputs.powertrain.regeneration_limit_kw
        if inputs.powertrain.regeneration_limit_kw > 0
        else None,
        parts_cost_cny=sum(inputs.parts_cost_by_item_cny.values()),
        parts_cost_by_item_cny=dict(inputs.parts_cost_by_item_cny),
        warnings=tuple(warnings),
    )


def epa_label_range_km(usable_kwh: float, udds_kwh_per_100km: float, hwfet_kwh_per_100km: float) -> float:
    """Return the label range by EPA's two-cycle method.

    Usable energy over consumption gives a range on each cycle; 55 % of the city range and 45 % of the highway range,
    times 0.7, is the label (SAE J1634; 40 CFR 600.210-12).

    Parameters
    ----------
    usable_kwh
        Energy out of a full pack.
    udds_kwh_per_100km, hwfet_kwh_per_100km
        Energy out of the cells on the two cycles.

    Examples
    --------
    >>> round(epa_label_range_km(50.0, 12.5, 12.5), 6)
    280.0
    """
    city = 100 * usable_kwh / udds_kwh_per_100km
    highway = 100 * usable_kwh / hwfet_kwh_per_100km
    return EPA_ADJUSTMENT * (EPA_CITY_SHARE * city + (1 - EPA_CITY_SHARE) * highway)


def charge_min(inputs: VehicleInputs, from_share: float, to_share: float) -> float:
    """Return the minutes of a fast charge between two states of charge.

    Power is at its peak up to the taper point and falls in a straight line to its share at a full pack; over that
    line the time is the usable energy times the logarithm of the power ratio over the slope.

    Parameters
    ----------
    inputs
        The car.
    from_share, to_share
        States of charge, 0 to 1, the first the lower.
    """
    start, end = inputs.taper_from_share, inputs.power_at_full_share
    level = max(0.0, min(to_share, start) - from_share)
    begin = max(from_share, start)
    if to_share <= begin:
        falling = 0.0
    elif end == 1.0 or start == 1.0:
        falling = to_share - begin
    else:
        slope = (1 - end) / (1 - start)
        falling = math.log((1 - slope * (begin - start)) / (1 - slope * (to_share - start))) / slope
    return 60 * inputs.usable_kwh * (level + falling) / inputs.dc_peak_kw


def cycle_energy(inputs: VehicleInputs, name: str) -> CycleResult:
    """Return one cycle alone.

    Parameters
    ----------
    inputs
        The car.
    name
        One of :data:`CYCLES`.
    """
    return _drive(name, _parameters(inputs), inputs.powertrain.ac_efficiency)


def _drive(name: str, parameters: NDArray[np.float64], ac_efficiency: float) -> CycleResult:
    from coachbuilder.vehicle import kernels

    speed = cycle_speed_mps(name)
    power_w = np.empty(speed.size)
    sums, missed = kernels.drive_cycle(speed, parameters, power_w)
    distance_km = float(0.5 * (speed[1:] + speed[:-1]).sum() / 1000)
    per_100km = sums / JOULES_PER_KWH * 100 / distance_km
    consumption = float(per_100km[kernels.CELLS])
    return CycleResult(
        name=name,
        distance_km=distance_km,
        duration_s=speed.size - 1,
        battery_kwh_per_100km=consumption,
        ac_kwh_per_100km=consumption / ac_efficiency,
        regenerated_kwh_per_100km=float(per_100km[kernels.RETURNED]),
        regeneration_asked_kw=float(sums[kernels.ASKED_W]) / 1000,
        trace_missed_s=int(missed),
        energy=EnergyBreakdown(
            aerodynamic_kwh_per_100km=float(per_100km[kernels.AERO]),
            rolling_kwh_per_100km=float(per_100km[kernels.ROLLING]),
            brake_kwh_per_100km=float(per_100km[kernels.BRAKE]),
            powertrain_kwh_per_100km=float(per_100km[kernels.DRIVE]),
            accessory_kwh_per_100km=float(per_100km[kernels.ACCESSORY]),
            battery_kwh_per_100km=float(per_100km[kernels.BATTERY]),
        ),
        time_s=np.arange(speed.size),
        speed_kmh=3.6 * speed,
        battery_power_kw=power_w / 1000,
        energy_kwh=np.cumsum(power_w) / JOULES_PER_KWH,
    )


def _launch_grip_share(inputs: VehicleInputs) -> float | None:
    """Return the driven axle's grip, with the load that the launch moves to it or from it, over the motor's force."""
    drive = inputs.powertrain
    force_n = drive.peak_torque_nm * drive.gear_ratio / drive.wheel_radius_m * drive.gear_efficiency
    lever = 1 - inputs.tyre_friction_coefficient * inputs.load_transfer_share
    if lever <= 0:
        return None
    weight_n = inputs.test_mass_kg * GRAVITY_MPS2 * inputs.driven_axle_weight_share
    return inputs.tyre_friction_coefficient * weight_n / lever / force_n


def _parameters(inputs: VehicleInputs) -> NDArray[np.float64]:
    from coachbuilder.vehicle import kernels as k

    drive, road = inputs.powertrain, inputs.road_load
    values: Mapping[int, float] = {
        k.MASS: inputs.test_mass_kg,
        k.INERTIA: inputs.rotating_mass_share,
        k.LOAD_A: road.a_n,
        k.LOAD_B: road.b_n_per_mps,
        k.LOAD_C: road.c_n_per_mps2,
        k.PEAK_W: 1000 * drive.peak_kw,
        k.PEAK_NM: drive.peak_torque_nm,
        k.GEAR: drive.gear_ratio,
        k.SPEED_LIMIT: drive.largest_speed_per_min * math.pi / 30,
        k.RADIUS: drive.wheel_radius_m,
        k.GEAR_EFFICIENCY: drive.gear_efficiency,
        k.COPPER: drive.copper_loss_share,
        k.IRON: drive.iron_loss_share,
        k.INVERTER: drive.inverter_loss_share,
        k.ACCESSORY_W: drive.accessory_w,
        k.REGENERATION: drive.regeneration_share,
        k.REGENERATION_W: 1000 * drive.regeneration_limit_kw,
        k.FADE_MPS: drive.regeneration_fade_kmh / 3.6,
        k.VOLTAGE: drive.open_circuit_voltage_v,
        k.RESISTANCE: drive.resistance_ohm,
        k.AXLE_SHARE: inputs.driven_axle_weight_share,
        k.TRANSFER: inputs.load_transfer_share,
        k.FRICTION: inputs.tyre_friction_coefficient,
    }
    parameters = np.empty(k.PARAMETERS)
    for position, value in values.items():
        parameters[position] = value
    return parameters
