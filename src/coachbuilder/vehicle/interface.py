"""What the vehicle stage takes and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme.sections.vehicle import MotorType, TargetsSection
from coachbuilder.vehicle.battery import Pack


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
    """Limits and losses from the wheels to the pack; shares are fractions of 1. Several motors count as one."""

    motor_type: MotorType
    """Kind of machine."""
    peak_kw: float
    """Peak shaft power of all motors."""
    peak_torque_nm: float
    """Peak shaft torque of all motors."""
    front_torque_share: float
    """Share of it at the front axle: 1 with front-wheel drive, 0 with rear-wheel drive."""
    gear_ratio: float
    """Motor turns per wheel turn."""
    largest_speed_per_min: float
    """Motor speed limit, turns a minute."""
    wheel_radius_m: float
    """Dynamic radius of the driven wheels."""
    torque_rise_s: float
    """Time in which torque builds up when the driver asks for all of it."""
    gear_efficiency: float
    """Efficiency of the reduction gear."""
    copper_loss_share: float
    """Winding loss at peak torque over peak power."""
    iron_loss_share: float
    """Iron and bearing loss at the speed limit over peak power."""
    weakening_loss_share: float
    """Loss of field weakening far above base speed over peak power; permanent magnets only."""
    inverter_loss_share: float
    """Inverter loss over the power passed."""
    drag_in_drive_n: float
    """Drag at the wheels of the energised drive, which a coast-down in neutral does not see."""
    accessory_w: float
    """Electric load beside driving, without heating and cooling of the cabin."""
    regeneration_share: float
    """Share of braking at the wheels taken over by the drive."""
    regeneration_limit_kw: float
    """Largest braking power at the wheels given back."""
    regeneration_fade_kmh: float
    """Speed below which regeneration fades to none."""
    largest_discharge_a: float
    """Largest current out of the pack."""
    largest_recharge_a: float
    """Largest current into the pack while driving."""


@dataclass(frozen=True, slots=True)
class Charging:
    """Charging from the wall and from a fast charger."""

    ac_kw: float
    """Power of the on-board charger at the wall."""
    ac_efficiency: float
    """Energy into the cells over energy from the wall."""
    dc_peak_kw: float
    """Largest power of a fast charge."""
    dc_current_a: float
    """Largest current of cable and sockets."""
    taper_from_share: float
    """State of charge from which the power falls."""
    power_at_full_share: float
    """Power at a full pack over peak."""


@dataclass(frozen=True, slots=True)
class Climate:
    """What heating and cooling take, and how warm it is where the car is driven."""

    temperature_c: float
    """Mean temperature of the customers' roads."""
    heating_w_per_k: float
    """Electric load of heating per degree below the cabin's 21 °C."""
    cooling_w_per_k: float
    """Electric load of cooling per degree above it."""


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
    front_weight_share: float
    """Weight on the front axle at standstill, as a share."""
    load_transfer_share: float
    """Height of the centre of gravity over the wheelbase."""
    tyre_friction_coefficient: float
    """Largest force of a tyre over the weight on it."""
    powertrain: Powertrain
    """Limits and losses."""
    pack: Pack
    """Voltage and resistance of the pack."""
    gross_kwh: float
    """Energy of all cells."""
    usable_kwh: float
    """Energy that the driver can use."""
    charging: Charging
    """Charging."""
    climate: Climate
    """Heating, cooling and weather."""
    parts_cost_by_item_cny: dict[str, float]
    """Parts cost by item."""
    mass_per_kwh_kg: float = 0.0
    """Mass that one more kWh of pack brings, with the body that carries it."""
    targets: TargetsSection | None = None
    """What the car has to reach."""

    @property
    def full_state_of_charge(self) -> float:
        """State of charge that the driver sees as full; what is not usable lies half above and half below."""
        return 0.5 + 0.5 * self.usable_kwh / self.gross_kwh


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
    """The trace's name."""
    distance_km: float
    """Distance."""
    duration_s: int
    """Duration."""
    battery_kwh_per_100km: float
    """Energy out of the cells, what was given back taken off."""
    terminal_kwh_per_100km: float
    """Energy at the pack's terminals: what a test measures as energy at the battery."""
    ac_kwh_per_100km: float
    """Energy from the wall to put it back."""
    regenerated_kwh_per_100km: float
    """Energy given back to the cells."""
    regeneration_asked_kw: float
    """Largest braking power that the driven axle would take over without its limit."""
    trace_missed_s: int
    """Seconds in which the car cannot follow the trace or the pack cannot deliver."""
    missing_kw: float
    """Largest power that lacks for it; 0 if none."""
    missing_from: str
    """What does not give that power: motors or tyres, the pack, the motors' speed limit; empty if nothing lacks."""
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
    state_of_charge: NDArray[np.float64]
    """State of charge, shape (n,)."""


@dataclass(frozen=True, slots=True)
class PackLimits:
    """What the pack gives and takes at half charge, limit by limit; the smallest of each counts."""

    discharge_current_kw: float
    """Power out at the largest current."""
    discharge_voltage_kw: float
    """Power out at the lowest voltage."""
    recharge_current_kw: float
    """Braking power in at the largest current."""
    recharge_voltage_kw: float
    """Power in at the highest voltage."""
    cable_kw: float
    """Power in at the largest current of a fast charger's cable."""


@dataclass(frozen=True, slots=True)
class Rating:
    """Range and consumption by an official procedure."""

    procedure: str
    """Name of the procedure."""
    city_range_km: float
    """Range in its city part."""
    highway_range_km: float | None
    """Range in its highway part; None where it has none."""
    range_km: float
    """The range that is told to buyers."""
    battery_kwh_per_100km: float
    """Energy at the battery."""
    wall_kwh_per_100km: float
    """Energy from the wall, as told to buyers."""


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """A target and what the car reaches."""

    name: str
    """What is asked for."""
    target: float
    """The figure asked for."""
    reached: float | None
    """The car's figure; None if it has none."""
    met: bool
    """Whether it is reached."""


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
    cltc_range_km: float | None
    """CLTC range; None if the trace is missed."""
    cltc_kwh_per_100km: float | None
    """CLTC consumption from the wall; None if the trace is missed."""
    temperature_c: float
    """Mean temperature of the customers' roads."""
    range_in_use_km: float | None
    """Range on the WLTP trace at the mean temperature of the customers' roads, with heating or cooling; None if the
    trace is missed."""
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
    charge_10_80_min: float | None
    """Fast charge from 10 to 80 %; None if the pack cannot be charged to there at its voltage limit."""
    charge_peak_kw: float
    """Largest power of that charge."""
    ac_charge_h: float
    """Charge from empty to full from the wall."""
    pack_voltage_v: float
    """Open-circuit voltage at half charge."""
    pack_limits: PackLimits
    """What the pack gives and takes."""
    launch_grip_share: float | None
    """Grip of the driven axles over the force of the motors at standstill; below 1 the tyres limit the launch. None if
    the load moved to the axle outgrows every force."""
    regeneration_asked_share: float | None
    """Largest braking power of the cycles that regeneration is asked for over its limit; above 1 the brakes take the
    rest. None if the limit is 0."""
    ratings: tuple[Rating, ...]
    """Official procedures driven from a full pack to an empty one; empty in a quick evaluation."""
    targets: tuple[TargetCheck, ...]
    """What the car has to reach."""
    mass_per_kwh_kg: float
    """Mass that one more kWh of pack brings, with the body that carries it."""
    parts_cost_cny: float
    """All parts."""
    parts_cost_by_item_cny: dict[str, float]
    """By item."""
    warnings: tuple[str, ...]
    """What the car cannot do."""
