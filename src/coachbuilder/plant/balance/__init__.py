"""Line balancing: which station and which operator does which work element, before and after the guest comes."""

from __future__ import annotations

from coachbuilder.plant.balance.edited import EditedLine, assigned, balance_again
from coachbuilder.plant.balance.evaluate import evaluate, labour_at
from coachbuilder.plant.balance.inputs import check, inputs_from, smallest_takt_s, stations_of
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
from coachbuilder.plant.balance.occupancy import OperatorOccupancy, occupancy
from coachbuilder.plant.balance.rules import moving_violations, violations
from coachbuilder.plant.balance.simple import salbp1
from coachbuilder.plant.balance.smallest_takt import salbp2, salbpe
from coachbuilder.plant.balance.table import LineTable, line_table_of, takt_at_plan_times_s
from coachbuilder.plant.balance.use import SegmentUse, StationUse, idle_share_by_model, segment_uses, station_uses

__all__ = [
    "EditedLine",
    "EfficiencyBalance",
    "FitInputs",
    "FitResult",
    "Labour",
    "LineBalance",
    "LineStation",
    "LineTable",
    "LineTask",
    "MovedTask",
    "OperatorLoad",
    "OperatorOccupancy",
    "SegmentUse",
    "SimpleBalance",
    "StationLoad",
    "StationUse",
    "TaktBalance",
    "TaskPlace",
    "TradeOff",
    "assigned",
    "balance_again",
    "check",
    "evaluate",
    "idle_share_by_model",
    "inputs_from",
    "labour_at",
    "line_table_of",
    "moving_violations",
    "occupancy",
    "salbp1",
    "salbp2",
    "salbpe",
    "segment_uses",
    "smallest_takt_s",
    "station_uses",
    "stations_of",
    "takt_at_plan_times_s",
    "violations",
]
