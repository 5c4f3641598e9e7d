"""From a programme's vehicle section, or from a coast-down test, to what the stage takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachbuilder.programme.errors import InputError, Problem
from coachbuilder.programme.sections.vehicle import DrivenAxle
from coachbuilder.vehicle.interface import Powertrain, RoadLoad, VehicleInputs

if TYPE_CHECKING:
    from coachbuilder.programme import Programme
    from coachbuilder.programme.sections.vehicle import VehicleSection

GRAVITY_MPS2 = 9.80665
AIR_DENSITY_KG_PER_M3 = 1.2041
"""Dry air at 20 °C and 101.325 kPa."""
POUND_FORCE_N = 4.4482216152605
POUND_KG = 0.45359237
MPH_MPS = 0.44704
HORSEPOWER_KW = 0.745699872


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
    return VehicleInputs(
        name=section.name,
        curb_mass_kg=curb_mass_kg,
        test_mass_kg=test_mass_kg,
        rotating_mass_share=body.rotating_mass_share.value,
        road_load=_road_load(section, test_mass_kg),
        driven_axle_weight_share=body.driven_axle_weight_share.value,
        load_transfer_share=body.centre_of_gravity_over_wheelbase.value
        * (1.0 if body.driven_axle is DrivenAxle.REAR else -1.0),
        tyre_friction_coefficient=body.tyre_friction_coefficient.value,
        powertrain=Powertrain(
            peak_kw=peak_kw,
            peak_torque_nm=motor.peak_torque_nm.value,
            gear_ratio=motor.gear_ratio.value,
            largest_speed_per_min=motor.largest_speed_per_min.value,
            wheel_radius_m=body.wheel_radius_m.value,
            gear_efficiency=motor.gear_efficiency.value,
            copper_loss_share=motor.copper_loss_share.value,
            iron_loss_share=motor.iron_loss_share.value,
            inverter_loss_share=motor.inverter_loss_share.value,
            accessory_w=use.accessory_w.value,
            regeneration_share=use.regeneration_share.value,
            regeneration_limit_kw=use.regeneration_limit_kw.value,
            regeneration_fade_kmh=use.regeneration_fade_kmh.value,
            open_circuit_voltage_v=battery.open_circuit_voltage_v.value,
            resistance_ohm=battery.resistance_ohm.value,
            ac_efficiency=charging.ac_efficiency.value,
        ),
        gross_kwh=gross_kwh,
        usable_kwh=gross_kwh * battery.usable_share.value,
        dc_peak_kw=charging.dc_peak_kw.value,
        taper_from_share=charging.taper_from_share.value,
        power_at_full_share=charging.power_at_full_share.value,
        cltc_over_wltp=section.rating.cltc_over_wltp.value,
        parts_cost_by_item_cny=_parts_cost(section, cny_per_usd),
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
    peak_kw: float,
    usable_kwh: float = 70.0,
    road_load: RoadLoad | None = None,
    name: str = "generic car",
) -> VehicleInputs:
    """Return a battery-electric car of which little is known, with one set of losses for all.

    The losses are those of a permanent-magnet drive with a single-speed gear, the same for every car: a drive twice as
    strong loses more in its windings at the same share of its torque and less in its iron at the same share of its
    power. They were chosen once over a coarse grid on half the makes of the 2022 test-car list.
    ``docs/validation.md`` tells how far they carry over the cars of the EPA test-car list.

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
    name
        Its name.
    """
    return VehicleInputs(
        name=name,
        curb_mass_kg=test_mass_kg - 300 * POUND_KG,
        test_mass_kg=test_mass_kg,
        rotating_mass_share=0.03,
        road_load=road_load
        or RoadLoad(
            a_n=test_mass_kg * GRAVITY_MPS2 * 0.008,
            b_n_per_mps=0.0,
            c_n_per_mps2=0.5 * AIR_DENSITY_KG_PER_M3 * 0.24 * 2.3,
        ),
        driven_axle_weight_share=0.5,
        load_transfer_share=0.2,
        tyre_friction_coefficient=1.0,
        powertrain=Powertrain(
            peak_kw=peak_kw,
            peak_torque_nm=2.0 * peak_kw,
            gear_ratio=9.5,
            largest_speed_per_min=16_000.0,
            wheel_radius_m=0.34,
            gear_efficiency=0.975,
            copper_loss_share=0.09 * (peak_kw / 150.0) ** 0.5,
            iron_loss_share=0.012 * (150.0 / peak_kw) ** 0.5,
            inverter_loss_share=0.025,
            accessory_w=200.0,
            regeneration_share=0.95,
            regeneration_limit_kw=0.5 * peak_kw,
            regeneration_fade_kmh=10.0,
            open_circuit_voltage_v=360.0,
            resistance_ohm=0.08,
            ac_efficiency=0.88,
        ),
        gross_kwh=usable_kwh / 0.94,
        usable_kwh=usable_kwh,
        dc_peak_kw=120.0,
        taper_from_share=0.45,
        power_at_full_share=0.15,
        cltc_over_wltp=1.15,
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


def _check(section: VehicleSection) -> None:
    battery, motor = section.battery, section.motor
    deliverable_kw = battery.open_circuit_voltage_v.value**2 / (4 * battery.resistance_ohm.value) / 1000
    problems = []
    if deliverable_kw < 0.25 * motor.peak_kw.value:
        problems.append(
            Problem(
                "programme.toml",
                "vehicle.battery.resistance_ohm",
                f"a pack that can give {deliverable_kw:.0f} kW at most",
                f"enough for a good part of the motor's {motor.peak_kw.value:.0f} kW",
                hint="voltage squared over four times the resistance is all that a pack can give",
            )
        )
    if problems:
        raise InputError(problems)
