"""The vehicle stage: energy over the drive cycles, ratings, performance, charging."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.vehicle.interface import CycleResult, EnergyBreakdown, TargetCheck, VehicleResult
from coachbuilder.vehicle.parameters import JOULES_PER_KWH, LEAST_MISSED_W, car_row, pack_rows
from coachbuilder.vehicle.performance import Performance, fast_charge, pack_limits, performance
from coachbuilder.vehicle.procedures import EPA_ADJUSTMENT, EPA_CITY_SHARE
from coachbuilder.vehicle.rating import rate
from coachbuilder.vehicle.temperature import at_temperature
from coachbuilder.vehicle.traces import Trace, trace

if TYPE_CHECKING:
    from coachbuilder.vehicle.interface import VehicleInputs

WLTC = "WLTC 3b"
CLTC = "CLTC-P"
CYCLES = ("UDDS", "HWFET", WLTC, CLTC)
"""Drive cycles that every car is driven through."""


def evaluate(inputs: VehicleInputs, *, quick: bool = False) -> VehicleResult:
    """Drive a car through its cycles and rate it.

    Parameters
    ----------
    inputs
        The car.
    quick
        Leave out the procedures that drive a full pack empty.

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
    cycles = tuple(cycle_energy(inputs, name) for name in CYCLES)
    udds, hwfet, wltc, cltc = cycles
    warnings = [missed_words(item) for item in cycles if item.trace_missed_s]
    city, highway, wltp_range, cltc_range = (_range_km(inputs.usable_kwh, item) for item in cycles)
    epa_range = epa_consumption = None
    if city is not None and highway is not None:
        epa_range = epa_label_range_km(inputs.usable_kwh, udds.battery_kwh_per_100km, hwfet.battery_kwh_per_100km)
        epa_consumption = (
            EPA_CITY_SHARE * udds.ac_kwh_per_100km + (1 - EPA_CITY_SHARE) * hwfet.ac_kwh_per_100km
        ) / EPA_ADJUSTMENT
    in_use = None
    if wltp_range is not None:
        in_use = _range_km(inputs.usable_kwh, cycle_energy(at_temperature(inputs, inputs.climate.temperature_c), WLTC))
    driven = performance(inputs)
    if driven.launch_grade is not None and driven.launch_grade <= 0:
        warnings.append("the car does not start on the level")
    if driven.zero_to_100_s is None:
        warnings.append("100 km/h is never reached")
    charged = fast_charge(inputs, 0.1, 0.8)
    if charged.minutes is None:
        warnings.append("the pack cannot be charged to 80 %: its cells are at their highest voltage before")
    ratings, words = ((), ()) if quick else rate(inputs)
    warnings.extend(words)
    parts_cost_cny = sum(inputs.parts_cost_by_item_cny.values())
    by_procedure = {"EPA": epa_range, "WLTP": wltp_range, "CLTC": cltc_range}
    return VehicleResult(
        name=inputs.name,
        curb_mass_kg=inputs.curb_mass_kg,
        gross_kwh=inputs.gross_kwh,
        usable_kwh=inputs.usable_kwh,
        cycles=cycles,
        epa_label_range_km=epa_range,
        epa_label_kwh_per_100km=epa_consumption,
        wltp_range_km=wltp_range,
        wltp_kwh_per_100km=None if wltp_range is None else wltc.ac_kwh_per_100km,
        cltc_range_km=cltc_range,
        cltc_kwh_per_100km=None if cltc_range is None else cltc.ac_kwh_per_100km,
        temperature_c=inputs.climate.temperature_c,
        range_in_use_km=in_use,
        zero_to_100_s=driven.zero_to_100_s,
        zero_to_60_mph_s=driven.zero_to_60_mph_s,
        eighty_to_120_s=driven.eighty_to_120_s,
        top_speed_kmh=driven.top_speed_kmh,
        launch_grade=driven.launch_grade,
        charge_10_80_min=charged.minutes,
        charge_peak_kw=charged.peak_kw,
        ac_charge_h=inputs.usable_kwh / (inputs.charging.ac_kw * inputs.charging.ac_efficiency),
        pack_voltage_v=inputs.pack.voltage_v(0.5),
        pack_limits=pack_limits(inputs),
        launch_grip_share=driven.launch_grip_share,
        regeneration_asked_share=max(item.regeneration_asked_kw for item in cycles)
        / inputs.powertrain.regeneration_limit_kw
        if inputs.powertrain.regeneration_limit_kw > 0
        else None,
        ratings=ratings,
        targets=_target_checks(inputs, by_procedure, driven, parts_cost_cny),
        mass_per_kwh_kg=inputs.mass_per_kwh_kg,
        parts_cost_cny=parts_cost_cny,
        parts_cost_by_item_cny=dict(inputs.parts_cost_by_item_cny),
        warnings=tuple(warnings),
    )


def missed_words(cycle: CycleResult) -> str:
    """Say that, and by how much, a car misses a trace."""
    return (
        f"{cycle.name}: cannot follow the trace for {cycle.trace_missed_s} s, up to {cycle.missing_kw:.0f} kW lack: "
        f"the limit is {cycle.missing_from}"
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


def cycle_energy(inputs: VehicleInputs, cycle: str | Trace, *, start_charge: float = 0.5) -> CycleResult:
    """Drive one trace.

    Parameters
    ----------
    inputs
        The car.
    cycle
        Name of a shipped trace, or a trace of one's own.
    start_charge
        State of charge at its start.

    Examples
    --------
    >>> from coachbuilder.vehicle import generic_car
    >>> cycle_energy(generic_car(test_mass_kg=1900), "US06").trace_missed_s
    0
    """
    from coachbuilder.vehicle import kernels

    driven = trace(cycle) if isinstance(cycle, str) else cycle
    speed = driven.speed_mps
    power_w, charge, missing_w = (np.empty(speed.size) for _ in range(3))
    sums = kernels.drive(speed, car_row(inputs), pack_rows(inputs), start_charge, power_w, charge, missing_w)
    distance_km = driven.distance_m / 1000
    per_100km = sums / JOULES_PER_KWH * 100 / distance_km
    consumption = float(per_100km[kernels.CELLS])
    missed = missing_w > LEAST_MISSED_W
    return CycleResult(
        name=driven.name,
        distance_km=distance_km,
        duration_s=speed.size - 1,
        battery_kwh_per_100km=consumption,
        terminal_kwh_per_100km=consumption - float(per_100km[kernels.BATTERY]),
        ac_kwh_per_100km=consumption / inputs.charging.ac_efficiency,
        regenerated_kwh_per_100km=float(per_100km[kernels.RETURNED]),
        regeneration_asked_kw=float(sums[kernels.ASKED_W]) / 1000,
        trace_missed_s=int(np.count_nonzero(missed)),
        missing_kw=float(missing_w.max()) / 1000 if missed.any() else 0.0,
        missing_from=_limits(sums) if missed.any() else "",
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
        state_of_charge=charge,
    )


def _limits(sums: NDArray[np.float64]) -> str:
    from coachbuilder.vehicle import kernels

    limits = (
        (kernels.LACKING_W, "motors or tyres"),
        (kernels.STARVED_W, "the pack"),
        (kernels.TOO_FAST_S, "the motors' speed"),
    )
    # Of a power that lacks by little more than rounding each part may be less than what counts.
    least = min(LEAST_MISSED_W, max(sums[place] for place, _ in limits) / 2)
    return ", and ".join(name for place, name in limits if sums[place] > least)


def _range_km(usable_kwh: float, cycle: CycleResult) -> float | None:
    """Return usable energy over consumption; None if the trace is missed, or if no energy is used on it."""
    if cycle.trace_missed_s or cycle.battery_kwh_per_100km <= 0:
        return None
    return 100 * usable_kwh / cycle.battery_kwh_per_100km


def _target_checks(
    inputs: VehicleInputs, range_km: dict[str, float | None], driven: Performance, parts_cost_cny: float
) -> tuple[TargetCheck, ...]:
    asked = inputs.targets
    if asked is None:
        return ()
    procedure = asked.range_procedure.value
    rows: tuple[tuple[str, float, float | None, bool], ...] = (
        (f"{procedure} range, km", asked.range_km.value, range_km[procedure], True),
        ("0-100 km/h, s", asked.zero_to_100_s.value, driven.zero_to_100_s, False),
        ("Top speed, km/h", asked.top_speed_kmh.value, driven.top_speed_kmh, True),
        ("Curb mass, kg", asked.curb_mass_kg.value, inputs.curb_mass_kg, False),
        ("Parts, CNY", asked.parts_cost_cny.value, parts_cost_cny, False),
    )
    return tuple(
        TargetCheck(
            name, target, reached, reached is not None and (reached >= target if at_least else reached <= target)
        )
        for name, target, reached, at_least in rows
    )
