"""Line balancing: which station and which operator does which work element, before and after the guest comes."""

from __future__ import annotations

from coachbuilder.plant.balance.evaluate import evaluate, labour_at
from coachbuilder.plant.balance.inputs import check, inputs_from, smallest_takt_s
from coachbuilder.plant.balance.interface import (
    FitInputs,
    FitResult,
    Labour,
    LineBalance,
    LineStation,
    LineTask,
    MovedTask,
    OperatorLoad,
    SimpleBalance,
    StationLoad,
    TaskPlace,
)
from coachbuilder.plant.balance.rules import violations
from coachbuilder.plant.balance.simple import salbp1

__all__ = [
    "FitInputs",
    "FitResult",
    "Labour",
    "LineBalance",
    "LineStation",
    "LineTask",
    "MovedTask",
    "OperatorLoad",
    "SimpleBalance",
    "StationLoad",
    "TaskPlace",
    "check",
    "evaluate",
    "inputs_from",
    "labour_at",
    "salbp1",
    "smallest_takt_s",
    "violations",
]
