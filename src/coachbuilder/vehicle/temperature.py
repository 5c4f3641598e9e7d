"""The car on a colder or a warmer road."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coachbuilder.vehicle.battery import temperature_factor
from coachbuilder.vehicle.interface import RoadLoad

if TYPE_CHECKING:
    from coachbuilder.vehicle.interface import VehicleInputs

CABIN_C = 21.0
ROAD_LOAD_C = 20.0
ROLLING_PER_K = 0.008
"""Fall of a car tyre's rolling resistance per degree (ISO 28580:2018, clause on temperature correction)."""


def at_temperature(inputs: VehicleInputs, temperature_c: float) -> VehicleInputs:
    """Return the car on a road of another temperature, its cabin heated or cooled.

    Cold air is denser (ideal gas), cold tyres roll harder (ISO 28580: 0.8 % a degree), cold cells resist more, and the
    climate load joins the accessories. Tests and road loads are taken to be at 20 °C.

    Parameters
    ----------
    inputs
        The car.
    temperature_c
        Of road and air.
    """
    climate, road, drive = inputs.climate, inputs.road_load, inputs.powertrain
    load_w = climate.heating_w_per_k * max(0.0, CABIN_C - temperature_c) + climate.cooling_w_per_k * max(
        0.0, temperature_c - CABIN_C
    )
    rolling = 1.0 / max(0.3, 1.0 + ROLLING_PER_K * (temperature_c - ROAD_LOAD_C))
    air = (ROAD_LOAD_C + 273.15) / (temperature_c + 273.15)
    return replace(
        inputs,
        road_load=RoadLoad(road.a_n * rolling, road.b_n_per_mps * rolling, road.c_n_per_mps2 * air),
        powertrain=replace(drive, accessory_w=drive.accessory_w + load_w),
        pack=replace(inputs.pack, resistance_ohm=inputs.pack.resistance_ohm * temperature_factor(temperature_c)),
    )
