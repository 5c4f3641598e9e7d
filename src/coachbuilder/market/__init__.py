"""Who buys the car, and what the news of it was worth: demand and announcement."""

from coachbuilder.market.announcement import (
    AnnouncementInputs,
    AnnouncementResult,
    Comparison,
    ImpliedValue,
    announcement_inputs_from,
    compare,
    evaluate_announcement,
)
from coachbuilder.market.demand import (
    DemandByYear,
    DemandInputs,
    DemandResult,
    demand_inputs_from,
    demand_of_draws,
    evaluate_demand,
)

__all__ = [
    "AnnouncementInputs",
    "AnnouncementResult",
    "Comparison",
    "DemandByYear",
    "DemandInputs",
    "DemandResult",
    "ImpliedValue",
    "announcement_inputs_from",
    "compare",
    "demand_inputs_from",
    "demand_of_draws",
    "evaluate_announcement",
    "evaluate_demand",
]
