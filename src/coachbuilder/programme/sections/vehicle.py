"""The vehicle section of programme.toml: what the car is made of, and what its parts cost."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from coachbuilder.programme.assumption import Assumption, Within
from coachbuilder.programme.base import EvidencedSection, NonNegative, Positive, PositiveShare, Section, Share


class Chemistry(StrEnum):
    """Cathode of the cells."""

    LFP = "LFP"
    NMC = "NMC"


class DrivenAxle(StrEnum):
    """Axle that the motor drives."""

    FRONT = "front"
    REAR = "rear"


class BodySection(EvidencedSection):
    """Masses and what the road and the air resist."""

    glider_mass_kg: Positive
    """The car without pack and electric drive."""
    test_payload_kg: NonNegative
    """Driver and load in the tests."""
    rotating_mass_share: NonNegative
    """Inertia of wheels and drive as a share of the test mass."""
    frontal_area_m2: Positive
    """Frontal area."""
    drag_coefficient: Positive
    """Aerodynamic drag coefficient."""
    rolling_resistance_coefficient: Positive
    """Rolling resistance over weight."""
    wheel_radius_m: Positive
    """Dynamic radius of the driven wheels."""
    driven_axle: DrivenAxle
    """Axle that the motor drives; accelerating loads the rear one and relieves the front one."""
    driven_axle_weight_share: PositiveShare
    """Weight on the driven axle at standstill."""
    centre_of_gravity_over_wheelbase: NonNegative
    """Height of the centre of gravity over the wheelbase; moves load between the axles when the car speeds up."""
    tyre_friction_coefficient: Positive
    """Largest force of a tyre over the weight on it."""


class CoastDownSection(EvidencedSection):
    """What a coast-down test found: force = A + B v + C v², the car rolling in neutral."""

    a_n: NonNegative
    """Force at standstill."""
    b_n_per_mps: Assumption
    """Force per speed; some tests find it below 0."""
    c_n_per_mps2: NonNegative
    """Force per speed squared."""


class MotorSection(EvidencedSection):
    """The electric drive."""

    peak_kw: Positive
    """Peak power at the shaft."""
    peak_torque_nm: Positive
    """Peak torque at the shaft."""
    gear_ratio: Positive
    """Motor turns per wheel turn."""
    largest_speed_per_min: Positive
    """Motor speed limit, turns a minute."""
    mass_kg_per_kw: Positive
    """Mass of motor, inverter and gear per peak power."""
    gear_efficiency: PositiveShare
    """Efficiency of the reduction gear."""
    copper_loss_share: PositiveShare
    """Loss in the windings at peak torque over peak power; it falls with the square of torque."""
    iron_loss_share: PositiveShare
    """Loss in the iron and bearings at the motor's speed limit over peak power; it falls with speed."""
    inverter_loss_share: PositiveShare
    """Loss in the inverter over the power that it passes."""


class BatterySection(EvidencedSection):
    """The pack; gross and usable energy are kept apart."""

    chemistry: Chemistry
    """Cathode of the cells."""
    gross_kwh: Positive
    """Energy of all cells from full to empty."""
    usable_share: PositiveShare
    """Share of it that the car lets the driver use."""
    kg_per_kwh: Positive
    """Mass of the pack per gross energy, housing and cooling included."""
    open_circuit_voltage_v: Annotated[Assumption, Within(0.0, above=True, smallest=10.0, largest=5000.0)]
    """Open-circuit voltage of the pack at half charge."""
    resistance_ohm: Positive
    """Internal resistance of the pack at half charge."""


class ChargingSection(EvidencedSection):
    """Charging from the wall and from a fast charger."""

    ac_efficiency: PositiveShare
    """Energy into the cells over energy from the wall in a test's overnight charge."""
    dc_peak_kw: Positive
    """Largest power that the pack takes."""
    taper_from_share: PositiveShare
    """State of charge from which the power falls."""
    power_at_full_share: PositiveShare
    """Power at a full pack, to which it falls in a straight line, over peak power."""


class UseSection(EvidencedSection):
    """What is lost beside driving, and how much braking is given back."""

    accessory_w: NonNegative
    """Electric load of controls, pumps and lamps in the test."""
    regeneration_share: Share
    """Share of braking at the wheels that the driven axle takes over."""
    regeneration_limit_kw: NonNegative
    """Largest braking power at the wheels that is given back."""
    regeneration_fade_kmh: Positive
    """Speed below which regeneration fades to none at standstill."""


class RatingSection(EvidencedSection):
    """What official procedures leave open."""

    cltc_over_wltp: Positive
    """CLTC range over WLTP range of comparable cars: the CLTC trace is not at hand, so its range is an estimate."""


class PartsSection(EvidencedSection):
    """What bought parts cost at the start of production, in prices of the decision day."""

    pack_usd_per_kwh: Positive
    """Pack price per gross energy."""
    drive_cny_per_kw: Positive
    """Motor, inverter and gear per peak power."""
    body_cny_per_kg: Positive
    """Body and chassis per mass of the glider."""
    interior_cny: Positive
    """Interior, seats, trim."""
    electronics_cny: Positive
    """Computers, screens, sensors, wiring."""
    charging_cny: Positive
    """On-board charger, converter, sockets."""
    thermal_cny: Positive
    """Heat pump, cooling, heating."""


class VehicleSection(Section):
    """The car."""

    name: str = Field(min_length=1)
    """The car's name."""
    body: BodySection
    """Masses and what the road and the air resist."""
    coast_down: CoastDownSection | None = None
    """A coast-down test, where there is one: its road load takes the place of rolling resistance and drag."""
    motor: MotorSection
    """The electric drive."""
    battery: BatterySection
    """The pack."""
    charging: ChargingSection
    """Charging."""
    use: UseSection
    """What is lost beside driving."""
    rating: RatingSection
    """What official procedures leave open."""
    parts: PartsSection
    """What bought parts cost."""
