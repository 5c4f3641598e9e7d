"""In which order a day's cars are built: option rules, paint batches, and the search for an order that keeps them."""

from __future__ import annotations

from coachbuilder.plant.sequence.evaluate import count, evaluate
from coachbuilder.plant.sequence.inputs import check, inputs_from, inputs_of
from coachbuilder.plant.sequence.interface import (
    RuleCount,
    SequenceCounts,
    SequencedCar,
    SequenceInputs,
    SequenceResult,
    SequenceRule,
)
from coachbuilder.plant.sequence.load.interface import (
    Drift,
    GuestShareAnswer,
    GuestSharePoint,
    LineLoad,
    LineOperator,
    LoadResult,
    OrderLoad,
    StationOverload,
)

__all__ = [
    "Drift",
    "GuestShareAnswer",
    "GuestSharePoint",
    "LineLoad",
    "LineOperator",
    "LoadResult",
    "OrderLoad",
    "RuleCount",
    "SequenceCounts",
    "SequenceInputs",
    "SequenceResult",
    "SequenceRule",
    "SequencedCar",
    "StationOverload",
    "check",
    "count",
    "evaluate",
    "inputs_from",
    "inputs_of",
]
