"""How many cars are bought a year at a price and a range, among rivals and an outside good."""

from coachbuilder.market.demand.evaluate import evaluate_demand
from coachbuilder.market.demand.inputs import demand_inputs_from
from coachbuilder.market.demand.interface import DemandInputs, DemandResult, MarketSize, Rival, RivalResult

__all__ = [
    "DemandInputs",
    "DemandResult",
    "MarketSize",
    "Rival",
    "RivalResult",
    "demand_inputs_from",
    "evaluate_demand",
]
