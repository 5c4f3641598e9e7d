"""Plain serial lines by the recursion of departures: the event calendar's answer without its events."""

from __future__ import annotations

from coachbuilder.plant.flow.recursion.run import record
from coachbuilder.plant.flow.recursion.scope import why_not

__all__ = ["record", "why_not"]
