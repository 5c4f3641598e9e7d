"""What the vehicle stage takes and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RoadLoad:
    """Resistance at steady speed on a level road: ``a + b v + c v²``."""

    a_n: float
    """Constant part, mostly rolling."""
    b_n_per_mps: float
    """Part that grows with speed."""
    c_n_per_mps2: float
    """Part that grows with its square, mostly air."""


@dataclass(frozen=True, slots=True)
class Powertrain:
    """Limits and losses from the wheels to the wall; shares are fractions of 1."""

    peak_kw: float
    """Peak shaft power of the motor."""
    peak_torque_nm: float
    """Peak shaft torque."""
    gear_ratio: float
    """Motor turns per wheel turn."""
    largest_speed_per_min: float
    """Motor speed limit, turns a minute."""
    wheel_radius_m: float
    """Dynamic radius of the driven wheels."""
    gear_efficiency: float
    """Efficiency of the reduction gear."""
    copper_loss_share: float
    """Winding loss at peak torque over peak power."""
    iron_loss_share: float
    """Iron and bearing loss at the speed limit over peak power."""
    inverter_loss_share: float
    """Inverter loss over the power passed."""
    accessory_w: float
    """Electric load beside driving."""
    regeneration_share: float
    """Share of braking at the wheels taken over by the driven axle."""
    regeneration_limit_kw: float
    """Largest braking power at the wheels given back."""
    regeneration_fade_kmh: float
    """Speed below which regeneration fades to none."""
    open_circuit_voltage_v: float
    """Open-circuit voltage of the pack at half charge."""
    resistance_ohm: float
    """Internal resistance of the pack."""
    ac_efficiency: float
    """Energy into the cells over energy from the wall."""


@dataclass(frozen=True, slots=True)
class VehicleInputs:
    """A car as the stage sees it."""

    name: str
    """The car's name."""
    curb_mass_kg: float
    """Car ready to drive, empty."""
    test_mass_kg: float
    """Mass in the tests: curb mass and payload."""
    rotating_mass_share: float
    """Inertia of wheels and drive over test mass."""
    road_load: RoadLoad
    """Resistance at steady speed."""
    driven_axle_weight_share: float
    """Weight on the driven axle at standstill, as a share."""
    load_transfer_share: float
    """Height of the centre of gravity over the wheelbase; positive if speeding up loads the driven axle."""
    tyre_friction_coefficient: float
    """Largest force of a tyre over the weight on it."""
    powertrain: Powertrain
    """Limits and losses."""
    gross_kwh: float
    """Energy of all cells."""
    usable_kwh: float
    """Energy that the driver can use."""
    dc_peak_kw: float
    """Largest power of a fast charge."""
    taper_from_share: float
    """State of charge from which it falls."""
    power_at_full_share: float
    """Power at a full pack over peak."""
    cltc_over_wltp: float
    """CLTC range over WLTP range of comparable cars."""
    parts_cost_by_item_cny: dict[str, float]
    """Parts cost by item."""


@dataclass(frozen=True, slots=True)
class EnergyBreakdown:
    """Where the energy from the cells goes over a cycle; the parts add up to the consumption."""

    aerodynamic_kwh_per_100km: float
    """Air resistance (the part of the road load that grows with the square of speed)."""
    rolling_kwh_per_100km: float
    """Rolling and drag of the drive (the rest of the road load)."""
    brake_kwh_per_100km: float
    """Turned into heat by the brakes."""
    powertrain_kwh_per_100km: float
    """Gear, motor and inverter."""
    accessory_kwh_per_100km: float
    """Loads beside driving."""
    battery_kwh_per_100km: float
    """Inside the pack."""


@dataclass(frozen=True, slots=True)
class CycleResult:
    """One drive cycle."""

    name: str
    """UDDS, HWFET or WLTC 3b."""
    distance_km: float
    """Distance."""
    duration_s: int
    """Duration."""
    battery_kwh_per_100km: float
    """Energy out of the cells, what was given back taken off."""
    ac_kwh_per_100km: float
    """Energy from the wall to put it back."""
    regenerated_kwh_per_100km: float
    """Energy given back to the cells."""
    regeneration_asked_kw: float
    """Largest braking power that the driven axle would take over without its limit."""
    trace_missed_s: int
    """Seconds in which the car cannot follow the trace or the pack cannot deliver."""
    energy: EnergyBreakdown
    """Where the energy goes."""
    time_s: NDArray[np.int64]
    """Seconds from the start, shape (n,)."""
    speed_kmh: NDArray[np.float64]
    """Speed at these times, shape (n,)."""
    battery_power_kw: NDArray[np.float64]
    """Power out of the cells in the second before, shape (n,)."""
    energy_kwh: NDArray[np.float64]
    """Energy out of the cells so far, shape (n,)."""


@dataclass(frozen=True, slots=True)
class VehicleResult:
    """What the car is."""

    name: str
    """The car's name."""
    curb_mass_kg: float
    """Car ready to drive, empty."""
    gross_kwh: float
    """Energy of all cells."""
    usable_kwh: float
    """Energy that the driver can use."""
    cycles: tuple[CycleResult, ...]
    """The drive cycles."""
    epa_label_range_km: float | None
    """EPA two-cycle label range; None if a trace is missed."""
    epa_label_kwh_per_100km: float | None
    """EPA label consumption from the wall; None if a trace is missed."""
    wltp_range_km: float | None
    """WLTP range; None if the trace is missed."""
    wltp_kwh_per_100km: float | None
    """WLTP consumption from the wall; None if the trace is missed."""
    cltc_range_estimate_km: float | None
    """CLTC range as an estimate from WLTP, not measured on its trace."""
    zero_to_100_s: float | None
    """0-100 km/h; None if 100 km/h is not reached."""
    top_speed_kmh: float
    """Top speed on the level."""
    charge_10_80_min: float
    """Fast charge from 10 to 80 %."""
    launch_grip_share: float | None
    """Grip of the driven axle over the force of the motor at standstill; below 1 the tyres limit the launch. None if
    the load moved to the axle outgrows every force."""
    regeneration_asked_share: float | None
    """Largest braking power of the cycles that regeneration is asked for over its limit; above 1 the brakes take the
    rest. None if the limit is 0."""
    parts_cost_cny: float
    """All parts."""
    parts_cost_by_item_cny: dict[str, float]
    """By item."""
    warnings: tuple[str, ...]
    """What the car cannot do."""
