"""The plant in one draw of the risk stage: what ``evaluate`` tells from long simulations, from one short one."""

from coachbuilder.plant.flow.drawn.run import evaluate_draw

__all__ = ["evaluate_draw"]
