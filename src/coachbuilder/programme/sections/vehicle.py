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
    """Axle that the motors drive."""

    FRONT = "front"
    REAR = "rear"
    ALL = "all"


class MotorType(StrEnum):
    """Kind of electric machine."""

    PERMANENT_MAGNET = "permanent_magnet"
    INDUCTION = "induction"


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
    front_torque_share: Share | None = None
    """Share of the motors' torque at the front axle; with all-wheel drive only."""
    front_weight_share: Annotated[Assumption, Within(0.0, 1.0, above=True, smallest=0.2, largest=0.8)]
    """Weight on the front axle at standstill."""
    centre_of_gravity_over_wheelbase: NonNegative
    """Height of the centre of gravity over the wheelbase; moves load between the axles when the car speeds up."""
    tyre_friction_coefficient: Positive
    """Largest force of a tyre over the weight on it."""
    mass_compounding: Annotated[Assumption, Within(0.0, largest=2.0)]
    """Mass that the body must gain for each mass that pack and drive gain: structure, brakes, tyres."""


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

    type: MotorType
    """Kind of machine; an induction machine loses power far above its base speed, magnets cost field weakening."""
    peak_kw: Positive
    """Peak power at the shaft, of all motors."""
    peak_torque_nm: Positive
    """Peak torque at the shaft, of all motors."""
    gear_ratio: Positive
    """Motor turns per wheel turn."""
    largest_speed_per_min: Positive
    """Motor speed limit, turns a minute."""
    torque_rise_s: Annotated[Assumption, Within(0.0, largest=5.0)]
    """Time in which torque builds up when the driver asks for all of it."""
    mass_kg_per_kw: Positive
    """Mass of motor, inverter and gear per peak power."""
    gear_efficiency: PositiveShare
    """Efficiency of the reduction gear."""
    copper_loss_share: PositiveShare
    """Loss in the windings at peak torque over peak power; it falls with the square of torque."""
    iron_loss_share: PositiveShare
    """Loss in the iron and bearings at the motor's speed limit over peak power; it falls with speed."""
    weakening_loss_share: Share
    """Loss of field weakening far above base speed over peak power; with permanent magnets only."""
    inverter_loss_share: PositiveShare
    """Loss in the inverter over the power that it passes."""
    drag_in_drive_n: NonNegative
    """Drag at the wheels of the energised drive that a coast-down in neutral does not see."""


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
    series_cells: Annotated[Assumption, Within(1.0, largest=1000.0)]
    """Cells in series."""
    parallel_cells: Annotated[Assumption, Within(1.0, largest=1000.0)]
    """Cells side by side."""
    cell_resistance_ohm: Annotated[Assumption, Within(0.0, above=True, smallest=1e-5, largest=1.0)]
    """One cell's resistance at half charge and 25 °C, its part of connectors and fuses with it."""
    cell_lowest_v: Annotated[Assumption, Within(0.0, above=True, smallest=1.0, largest=5.0)]
    """Voltage below which the pack is not pulled under load."""
    cell_highest_v: Annotated[Assumption, Within(0.0, above=True, smallest=1.0, largest=5.0)]
    """Voltage above which the pack is not pushed when it takes power."""
    discharge_per_h: Positive
    """Largest current out of the pack over its charge (C-rate)."""
    recharge_per_h: Positive
    """Largest current into the pack while driving over its charge (C-rate)."""


class ChargingSection(EvidencedSection):
    """Charging from the wall and from a fast charger."""

    ac_kw: Positive
    """Power of the on-board charger at the wall."""
    ac_efficiency: PositiveShare
    """Energy into the cells over energy from the wall in a test's overnight charge."""
    dc_peak_kw: Positive
    """Largest power that the pack takes."""
    dc_current_a: Positive
    """Largest current of cable and sockets."""
    taper_from_share: PositiveShare
    """State of charge from which the power falls."""
    power_at_full_share: PositiveShare
    """Power at a full pack, to which it falls in a straight line, over peak power."""


class UseSection(EvidencedSection):
    """What is lost beside driving, how much braking is given back, and the weather."""

    accessory_w: NonNegative
    """Electric load of controls, pumps and lamps in the test, without heating and cooling of the cabin."""
    regeneration_share: Share
    """Share of braking at the wheels that the drive takes over."""
    regeneration_limit_kw: NonNegative
    """Largest braking power at the wheels that is given back."""
    regeneration_fade_kmh: Positive
    """Speed below which regeneration fades to none at standstill."""
    heating_w_per_k: NonNegative
    """Electric load of heating per degree that the road is colder than the cabin's 21 °C."""
    cooling_w_per_k: NonNegative
    """Electric load of cooling per degree that it is warmer."""
    temperature_c: Annotated[Assumption, Within(-60.0, 60.0)]
    """Mean temperature of the customers' roads."""


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


class RangeProcedure(StrEnum):
    """Procedure by which a range is meant."""

    EPA = "EPA"
    WLTP = "WLTP"
    CLTC = "CLTC"


class TargetsSection(EvidencedSection):
    """What the car has to reach."""

    range_procedure: RangeProcedure
    """Procedure by which the range is meant."""
    range_km: Positive
    """Smallest range."""
    zero_to_100_s: Positive
    """Longest time from standstill to 100 km/h."""
    top_speed_kmh: Positive
    """Smallest top speed."""
    curb_mass_kg: Positive
    """Largest curb mass."""
    parts_cost_cny: Positive
    """Largest cost of parts."""


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
    parts: PartsSection
    """What bought parts cost."""
    targets: TargetsSection | None = None
    """What the car has to reach, where that is laid down."""
