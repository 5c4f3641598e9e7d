"""What the car is: road load, drive cycles, losses, ratings, performance, charging, parts."""

from coachbuilder.vehicle.calibration import Calibration, MeasuredCar, Prediction, calibrate, predict
from coachbuilder.vehicle.drawn import DrawnCar, evaluate_draws
from coachbuilder.vehicle.evaluate import CYCLES, cycle_energy, epa_label_range_km, evaluate
from coachbuilder.vehicle.inputs import coast_down_road_load, generic_car, inputs_from
from coachbuilder.vehicle.interface import (
    CycleResult,
    EnergyBreakdown,
    Powertrain,
    Rating,
    RoadLoad,
    VehicleInputs,
    VehicleResult,
)
from coachbuilder.vehicle.losses import Losses, typical_losses
from coachbuilder.vehicle.performance import fast_charge, performance
from coachbuilder.vehicle.temperature import at_temperature
from coachbuilder.vehicle.traces import Trace, trace

__all__ = [
    "CYCLES",
    "Calibration",
    "CycleResult",
    "DrawnCar",
    "EnergyBreakdown",
    "Losses",
    "MeasuredCar",
    "Powertrain",
    "Prediction",
    "Rating",
    "RoadLoad",
    "Trace",
    "VehicleInputs",
    "VehicleResult",
    "at_temperature",
    "calibrate",
    "coast_down_road_load",
    "cycle_energy",
    "epa_label_range_km",
    "evaluate",
    "evaluate_draws",
    "fast_charge",
    "generic_car",
    "inputs_from",
    "performance",
    "predict",
    "trace",
    "typical_losses",
]
