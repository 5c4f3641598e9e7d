"""Suppliers screened against published lists of restricted parties; every match is for a human to decide."""

from coachbuilder.market.parties.screening.interface import DECISION, Agreement, Match, ScreeningResult, WordPair
from coachbuilder.market.parties.screening.match import NEAR_THRESHOLD, THRESHOLD, screen

__all__ = ["DECISION", "NEAR_THRESHOLD", "THRESHOLD", "Agreement", "Match", "ScreeningResult", "WordPair", "screen"]
