"""At what rate the plant builds with the guest in it, what limits it, and how fast it can be launched."""

from __future__ import annotations

from coachbuilder.plant.flow.evaluate import evaluate
from coachbuilder.plant.flow.inputs import check, inputs_from
from coachbuilder.plant.flow.interface import FlowInputs, FlowResult, LineResult
from coachbuilder.plant.flow.line import simulate_line

__all__ = ["FlowInputs", "FlowResult", "LineResult", "check", "evaluate", "inputs_from", "simulate_line"]
