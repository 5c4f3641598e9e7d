"""From a programme's vehicle section, or from a coast-down test, to what the stage takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from coachbuilder.programme.errors import InputError, Problem
from coachbuilder.programme.sections.vehicle import Chemistry, DrivenAxle, MotorType
from coachbuilder.vehicle.battery import cell_voltage_v, pack_of
from coachbuilder.vehicle.interface import Charging, Climate, Powertrain, RoadLoad, VehicleInputs
from coachbuilder.vehicle.losses import typical_losses
from coachbuilder.vehicle.parameters import GRAVITY_MPS2

if TYPE_CHECKING:
    from coachbuilder.programme import Programme
    from coachbuilder.programme.sections.vehicle import BatterySection, VehicleSection
    from coachbuilder.vehicle.battery import Pack
    from coachbuilder.vehicle.losses import Losses

FILE = "programme.toml"
COAST_DOWN_KMH = (15.0, 145.0)
"""Speeds at which a road load has to resist. A coast-down ends at 15 km/h (SAE J2263), and the polynomial through it
may fall below 0 under that; no shipped trace is faster than 145 km/h."""
AIR_DENSITY_KG_PER_M3 = 1.2041
"""Dry air at 20 °C and 101.325 kPa."""
POUND_FORCE_N = 4.4482216152605
POUND_KG = 0.45359237
EPA_LOAD_KG = 300 * POUND_KG
"""Load in EPA's tests above the curb mass (40 CFR 86.129)."""
MPH_MPS = 0.44704
_FRONT_TORQUE_SHARE = {DrivenAxle.FRONT: 1.0, DrivenAxle.REAR: 0.0, DrivenAxle.ALL: 0.5}


def inputs_from(programme: Programme, *, cny_per_usd: float) -> VehicleInputs:
    """Take the car from a programme.

    Parameters
    ----------
    programme
        The programme.
    cny_per_usd
        Exchange rate for parts priced in USD.

    Raises
    ------
    InputError
        If numbers that are right one by one do not go together.
    """
    section = programme.document.vehicle
    _check(section)
    body, motor, battery, charging, use = (
        section.body,
        section.motor,
        section.battery,
        section.charging,
        section.use,
    )
    gross_kwh, peak_kw = battery.gross_kwh.value, motor.peak_kw.value
    curb_mass_kg = (
        body.glider_mass_kg.value + gross_kwh * battery.kg_per_kwh.value + peak_kw * motor.mass_kg_per_kw.value
    )
    test_mass_kg = curb_mass_kg + body.test_payload_kg.value
    pack = _pack(battery)
    return VehicleInputs(
        name=section.name,
        curb_mass_kg=curb_mass_kg,
        test_mass_kg=test_mass_kg,
        rotating_mass_share=body.rotating_mass_share.value,
        road_load=_road_load(section, test_mass_kg),
        front_weight_share=body.front_weight_share.value,
        load_transfer_share=body.centre_of_gravity_over_wheelbase.value,
        tyre_friction_coefficient=body.tyre_friction_coefficient.value,
        powertrain=Powertrain(
            motor_type=motor.type,
            peak_kw=peak_kw,
            peak_torque_nm=motor.peak_torque_nm.value,
            front_torque_share=_FRONT_TORQUE_SHARE[body.driven_axle]
            if body.front_torque_share is None
            else body.front_torque_share.value,
            gear_ratio=motor.gear_ratio.value,
            largest_speed_per_min=motor.largest_speed_per_min.value,
            wheel_radius_m=body.wheel_radius_m.value,
            torque_rise_s=motor.torque_rise_s.value,
            gear_efficiency=motor.gear_efficiency.value,
            copper_loss_share=motor.copper_loss_share.value,
            iron_loss_share=motor.iron_loss_share.value,
            weakening_loss_share=motor.weakening_loss_share.value,
            inverter_loss_share=motor.inverter_loss_share.value,
            drag_in_drive_n=motor.drag_in_drive_n.value,
            accessory_w=use.accessory_w.value,
            regeneration_share=use.regeneration_share.value,
            regeneration_limit_kw=use.regeneration_limit_kw.value,
            regeneration_fade_kmh=use.regeneration_fade_kmh.value,
            largest_discharge_a=battery.discharge_per_h.value * pack.charge_ah,
            largest_recharge_a=battery.recharge_per_h.value * pack.charge_ah,
        ),
        pack=pack,
        gross_kwh=gross_kwh,
        usable_kwh=gross_kwh * battery.usable_share.value,
        charging=Charging(
            ac_kw=charging.ac_kw.value,
            ac_efficiency=charging.ac_efficiency.value,
            dc_peak_kw=charging.dc_peak_kw.value,
            dc_current_a=charging.dc_current_a.value,
            taper_from_share=charging.taper_from_share.value,
            power_at_full_share=charging.power_at_full_share.value,
        ),
        climate=Climate(
            temperature_c=use.temperature_c.value,
            heating_w_per_k=use.heating_w_per_k.value,
            cooling_w_per_k=use.cooling_w_per_k.value,
        ),
        parts_cost_by_item_cny=_parts_cost(section, cny_per_usd),
        mass_per_kwh_kg=battery.kg_per_kwh.value * (1.0 + body.mass_compounding.value),
        targets=section.targets,
    )


def coast_down_road_load(a_lbf: float, b_lbf_per_mph: float, c_lbf_per_mph2: float) -> RoadLoad:
    """Return a road load from the coefficients of a US coast-down test.

    Parameters
    ----------
    a_lbf, b_lbf_per_mph, c_lbf_per_mph2
        Force in pounds as a polynomial of speed in miles an hour (EPA test-car list).

    Examples
    --------
    >>> round(coast_down_road_load(30.0, 0.0, 0.02).c_n_per_mps2, 4)
    0.4452
    """
    return RoadLoad(
        a_n=a_lbf * POUND_FORCE_N,
        b_n_per_mps=b_lbf_per_mph * POUND_FORCE_N / MPH_MPS,
        c_n_per_mps2=c_lbf_per_mph2 * POUND_FORCE_N / MPH_MPS**2,
    )


def generic_car(
    *,
    test_mass_kg: float,
    peak_kw: float = 150.0,
    usable_kwh: float = 70.0,
    road_load: RoadLoad | None = None,
    driven_axle: DrivenAxle = DrivenAxle.FRONT,
    motor_type: MotorType = MotorType.PERMANENT_MAGNET,
    losses: Losses | None = None,
    name: str = "generic car",
) -> VehicleInputs:
    """Return a battery-electric car of which little is known.

    Its pack is one of 96 NMC cells in series, its single gear turns the motor 9.5 times as fast as the wheels; peak
    torque follows peak power as in the specification sheets of ``tests/data/vehicle_acceleration.csv``, small motors
    having more for their power. Change single figures with ``dataclasses.replace``.

    Parameters
    ----------
    test_mass_kg
        Mass in the test.
    peak_kw
        Peak power of all motors.
    usable_kwh
        Energy that the driver can use.
    road_load
        Coast-down result; without it, a mid-size car's rolling resistance and drag.
    driven_axle
        Front, rear or all.
    motor_type
        Kind of machine.
    losses
        From the wheels to the wall; without them those of :func:`coachbuilder.vehicle.typical_losses`.
    name
        Its name.

    Raises
    ------
    InputError
        If mass, power or energy is not above 0, or the road load does not resist.

    Examples
    --------
    >>> generic_car(test_mass_kg=1800).usable_kwh
    70.0
    """
    figures = {"test_mass_kg": test_mass_kg, "peak_kw": peak_kw, "usable_kwh": usable_kwh}
    problems = [
        Problem("", f"{name}.{field}", f"{value:g}", "a number above 0")
        for field, value in figures.items()
        if not 0.0 < value < math.inf
    ]
    if road_load is not None:
        problems.extend(_road_load_problems(road_load, "", f"{name}.road_load"))
    if problems:
        raise InputError(problems)
    losses = losses or typical_losses(driven_axle=driven_axle)
    gear_ratio, wheel_radius_m, peak_torque_nm = 9.5, 0.34, 9.8 * peak_kw**0.72
    peak_n = peak_torque_nm * gear_ratio / wheel_radius_m
    gross_kwh = usable_kwh / 0.94
    pack = pack_of(
        Chemistry.NMC,
        gross_kwh=gross_kwh,
        series_cells=96.0,
        parallel_cells=1.0,
        cell_resistance_ohm=0.055 / gross_kwh,
        cell_lowest_v=2.5,
        cell_highest_v=4.25,
    )
    return VehicleInputs(
        name=name,
        curb_mass_kg=test_mass_kg - EPA_LOAD_KG,
        test_mass_kg=test_mass_kg,
        rotating_mass_share=0.03,
        road_load=road_load
        or RoadLoad(
            a_n=test_mass_kg * GRAVITY_MPS2 * 0.008,
            b_n_per_mps=0.0,
            c_n_per_mps2=0.5 * AIR_DENSITY_KG_PER_M3 * 0.24 * 2.3,
        ),
        front_weight_share=0.5,
        load_transfer_share=0.2,
        tyre_friction_coefficient=1.0,
        powertrain=Powertrain(
            motor_type=motor_type,
            peak_kw=peak_kw,
            peak_torque_nm=peak_torque_nm,
            front_torque_share=_FRONT_TORQUE_SHARE[driven_axle],
            gear_ratio=gear_ratio,
            largest_speed_per_min=16_000.0,
            wheel_radius_m=wheel_radius_m,
            torque_rise_s=0.3,
            gear_efficiency=losses.drive_efficiency,
            copper_loss_share=losses.copper_w_per_n2 * peak_n**2 / (1000.0 * peak_kw),
            iron_loss_share=0.0,
            weakening_loss_share=0.0,
            inverter_loss_share=0.0,
            drag_in_drive_n=losses.drag_in_drive_n,
            accessory_w=losses.accessory_w,
            regeneration_share=losses.regeneration_share,
            regeneration_limit_kw=100.0,
            regeneration_fade_kmh=10.0,
            largest_discharge_a=6.0 * pack.charge_ah,
            largest_recharge_a=3.0 * pack.charge_ah,
        ),
        pack=pack,
        gross_kwh=gross_kwh,
        usable_kwh=usable_kwh,
        charging=Charging(
            ac_kw=11.0,
            ac_efficiency=losses.ac_efficiency,
            dc_peak_kw=120.0,
            dc_current_a=400.0,
            taper_from_share=0.45,
            power_at_full_share=0.15,
        ),
        climate=Climate(temperature_c=21.0, heating_w_per_k=80.0, cooling_w_per_k=80.0),
        parts_cost_by_item_cny={},
    )


def _road_load(section: VehicleSection, test_mass_kg: float) -> RoadLoad:
    """Return the coast-down's road load where there is one, else that of tyres and air (SAE J1263's two terms)."""
    body, test = section.body, section.coast_down
    if test is not None:
        return RoadLoad(test.a_n.value, test.b_n_per_mps.value, test.c_n_per_mps2.value)
    return RoadLoad(
        a_n=test_mass_kg * GRAVITY_MPS2 * body.rolling_resistance_coefficient.value,
        b_n_per_mps=0.0,
        c_n_per_mps2=0.5 * AIR_DENSITY_KG_PER_M3 * body.drag_coefficient.value * body.frontal_area_m2.value,
    )


def _parts_cost(section: VehicleSection, cny_per_usd: float) -> dict[str, float]:
    parts = section.parts
    return {
        "battery_pack": section.battery.gross_kwh.value * parts.pack_usd_per_kwh.value * cny_per_usd,
        "electric_drive": section.motor.peak_kw.value * parts.drive_cny_per_kw.value,
        "body_and_chassis": section.body.glider_mass_kg.value * parts.body_cny_per_kg.value,
        "interior": parts.interior_cny.value,
        "electronics": parts.electronics_cny.value,
        "charging": parts.charging_cny.value,
        "thermal": parts.thermal_cny.value,
    }


def _pack(battery: BatterySection) -> Pack:
    return pack_of(
        battery.chemistry,
        gross_kwh=battery.gross_kwh.value,
        series_cells=battery.series_cells.value,
        parallel_cells=battery.parallel_cells.value,
        cell_resistance_ohm=battery.cell_resistance_ohm.value,
        cell_lowest_v=battery.cell_lowest_v.value,
        cell_highest_v=battery.cell_highest_v.value,
    )


def _road_load_problems(load: RoadLoad, file: str, field: str) -> list[Problem]:
    low, high = COAST_DOWN_KMH
    speed_kmh = np.linspace(low, high, 66)
    speed = speed_kmh / 3.6
    force = load.a_n + load.b_n_per_mps * speed + load.c_n_per_mps2 * speed**2
    place = int(force.argmin())
    # Not a number is neither above nor below 0.
    if force[place] > 0.0 and math.isfinite(force[place]):
        return []
    found = f"a force of {force[place]:.0f} N at {speed_kmh[place]:.0f} km/h"
    return [Problem(file, field, found, f"one above 0 from {low:g} to {high:g} km/h")]


def _check(section: VehicleSection) -> None:
    battery, motor, body = section.battery, section.motor, section.body
    problems = []
    if (body.driven_axle is DrivenAxle.ALL) != (body.front_torque_share is not None):
        problems.append(
            Problem(
                FILE,
                "vehicle.body.front_torque_share",
                f"{'nothing' if body.front_torque_share is None else 'a share'} with driven_axle = "
                f'"{body.driven_axle.value}"',
                'a share with driven_axle = "all", nothing with "front" or "rear"',
            )
        )
    cell_v = cell_voltage_v(battery.chemistry)
    middle_v, full_v = float(cell_v[len(cell_v) // 2]), float(cell_v[-1])
    if battery.cell_lowest_v.value >= middle_v:
        problems.append(
            Problem(
                FILE,
                "vehicle.battery.cell_lowest_v",
                f"{battery.cell_lowest_v.value:g}",
                f"less than the {middle_v:.2f} V of a half-full {battery.chemistry.value} cell",
            )
        )
    if battery.cell_highest_v.value <= full_v:
        problems.append(
            Problem(
                FILE,
                "vehicle.battery.cell_highest_v",
                f"{battery.cell_highest_v.value:g}",
                f"more than the {full_v:.2f} V of a full {battery.chemistry.value} cell at rest",
            )
        )
    if section.coast_down is not None:
        problems.extend(_road_load_problems(_road_load(section, 0.0), FILE, "vehicle.coast_down"))
    pack = _pack(battery)
    deliverable_kw = pack.voltage_v(0.5) ** 2 / (4 * pack.resistance(0.5)) / 1000
    if deliverable_kw < 0.25 * motor.peak_kw.value:
        problems.append(
            Problem(
                FILE,
                "vehicle.battery.cell_resistance_ohm",
                f"a pack that can give {deliverable_kw:.0f} kW at most",
                f"enough for a good part of the motor's {motor.peak_kw.value:.0f} kW",
                hint="voltage squared over four times the resistance is all that a pack can give",
            )
        )
    if problems:
        raise InputError(problems)
