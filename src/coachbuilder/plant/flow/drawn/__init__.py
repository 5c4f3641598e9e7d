"""The plant in one draw of the risk stage: what ``evaluate`` does for quick inputs, ten times as fast."""

from coachbuilder.plant.flow.drawn.run import evaluate_draw

__all__ = ["evaluate_draw"]
