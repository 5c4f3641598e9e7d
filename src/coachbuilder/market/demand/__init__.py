"""How many cars are bought a year at a price and a range, among rivals and an outside good."""

from coachbuilder.market.demand.drawn import demand_of_draws
from coachbuilder.market.demand.evaluate import demand_by_year, evaluate_demand
from coachbuilder.market.demand.inputs import demand_inputs_from
from coachbuilder.market.demand.interface import (
    DemandByYear,
    DemandInputs,
    DemandResult,
    Entrant,
    MarketSize,
    PriceStep,
    Rival,
    RivalResult,
)

__all__ = [
    "DemandByYear",
    "DemandInputs",
    "DemandResult",
    "Entrant",
    "MarketSize",
    "PriceStep",
    "Rival",
    "RivalResult",
    "demand_by_year",
    "demand_inputs_from",
    "demand_of_draws",
    "evaluate_demand",
]
