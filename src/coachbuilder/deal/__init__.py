"""Who earns what: timing, unit cost, contract clauses, both sides' cash flows, own plant instead."""

from coachbuilder.deal.alternatives import AlternativesResult
from coachbuilder.deal.draws import evaluate_draws
from coachbuilder.deal.evaluate import evaluate
from coachbuilder.deal.inputs import check, check_items, floor_units_per_year, inputs_from
from coachbuilder.deal.interface import DealFigures, DealInputs, DealResult, PartyResult
from coachbuilder.deal.timing import Timing, TimingInputs, start_of_production, timing_inputs_from

__all__ = [
    "AlternativesResult",
    "DealFigures",
    "DealInputs",
    "DealResult",
    "PartyResult",
    "Timing",
    "TimingInputs",
    "check",
    "check_items",
    "evaluate",
    "evaluate_draws",
    "floor_units_per_year",
    "inputs_from",
    "start_of_production",
    "timing_inputs_from",
]
