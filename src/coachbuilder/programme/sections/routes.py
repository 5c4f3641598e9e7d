"""The routes section of programme.toml: what else the brand could do than sign, and how unsure demand is."""

from __future__ import annotations

from typing import Annotated

from coachbuilder.programme.assumption import Assumption, Within
from coachbuilder.programme.base import EvidencedSection, NonNegative
from coachbuilder.programme.sections.deal import OwnPlantSection


class RefittedPlantSection(OwnPlantSection):
    """An old plant bought with its licence and refitted; ``investment_cny`` is the refit and the new platform."""

    licence_cny: NonNegative
    """Price of the plant's owner, whose licence to build cars comes with it; spent with the investment."""


class RoutesSection(EvidencedSection):
    """Make or contract: the other routes, and what waiting for demand is worth."""

    demand_volatility_share: Annotated[Assumption, Within(0.0, above=True, largest=2.0)]
    """Standard deviation of a year's change of the logarithm of demand."""
    demand_reversion_per_year: Annotated[Assumption, Within(0.0, largest=50.0)]
    """Rate at which demand comes back to what was expected; 0 lets every change last."""
    leaving_cost_cny: NonNegative
    """What leaving the contract for a plant of its own costs the brand."""
    refitted_plant: RefittedPlantSection | None = None
    """An old plant bought with its licence and refitted."""
