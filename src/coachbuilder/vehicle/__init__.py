"""What the car is: road load, drive cycles, losses, ratings, performance, charging, parts."""

from coachbuilder.vehicle.evaluate import CYCLES, cycle_energy, cycle_speed_mps, epa_label_range_km, evaluate
from coachbuilder.vehicle.inputs import coast_down_road_load, generic_car, inputs_from
from coachbuilder.vehicle.interface import (
    CycleResult,
    EnergyBreakdown,
    Powertrain,
    RoadLoad,
    VehicleInputs,
    VehicleResult,
)

__all__ = [
    "CYCLES",
    "CycleResult",
    "EnergyBreakdown",
    "Powertrain",
    "RoadLoad",
    "VehicleInputs",
    "VehicleResult",
    "coast_down_road_load",
    "cycle_energy",
    "cycle_speed_mps",
    "epa_label_range_km",
    "evaluate",
    "generic_car",
    "inputs_from",
]
