"""What the market paid for the news: abnormal returns, price limits respected, and the value they imply."""

from coachbuilder.market.announcement.compare import compare
from coachbuilder.market.announcement.evaluate import evaluate_announcement
from coachbuilder.market.announcement.inputs import announcement_inputs_from
from coachbuilder.market.announcement.interface import (
    AnnouncementInputs,
    AnnouncementResult,
    Comparison,
    EventResult,
    ImpliedValue,
    ListedShare,
    NewsEvent,
    Observation,
    ShareEventResult,
)

__all__ = [
    "AnnouncementInputs",
    "AnnouncementResult",
    "Comparison",
    "EventResult",
    "ImpliedValue",
    "ListedShare",
    "NewsEvent",
    "Observation",
    "ShareEventResult",
    "announcement_inputs_from",
    "compare",
    "evaluate_announcement",
]
