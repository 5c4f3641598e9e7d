"""Line balancing: which station and which operator does which work element, before and after the guest comes."""

from __future__ import annotations

from coachbuilder.plant.balance.evaluate import evaluate, labour_at
from coachbuilder.plant.balance.inputs import check, inputs_from, smallest_takt_s
from coachbuilder.plant.balance.interface import (
    EfficiencyBalance,
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
    TaktBalance,
    TaskPlace,
    TradeOff,
)
from coachbuilder.plant.balance.rules import moving_violations, violations
from coachbuilder.plant.balance.simple import salbp1
from coachbuilder.plant.balance.smallest_takt import salbp2, salbpe

__all__ = [
    "EfficiencyBalance",
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
    "TaktBalance",
    "TaskPlace",
    "TradeOff",
    "check",
    "evaluate",
    "inputs_from",
    "labour_at",
    "moving_violations",
    "salbp1",
    "salbp2",
    "salbpe",
    "smallest_takt_s",
    "violations",
]
