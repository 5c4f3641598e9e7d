"""At what rate the plant builds with the guest in it, what limits it, and how fast it can be launched."""

from __future__ import annotations

from coachbuilder.plant.flow.drawn import evaluate_draw
from coachbuilder.plant.flow.evaluate import evaluate
from coachbuilder.plant.flow.inputs import check, inputs_from
from coachbuilder.plant.flow.interface import FlowInputs, FlowResult, LineWork

__all__ = ["FlowInputs", "FlowResult", "LineWork", "check", "evaluate", "evaluate_draw", "inputs_from"]
