"""The search for a build order: anytime, seeded, on several threads, stopped by work, by time or from outside."""

from __future__ import annotations

from coachbuilder.plant.sequence.engine.search import Found, Improvement, search

__all__ = ["Found", "Improvement", "search"]
