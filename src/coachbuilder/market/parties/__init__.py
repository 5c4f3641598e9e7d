"""How brand, host and suppliers stand with the authorities, over time; and suppliers screened against public lists."""

from coachbuilder.market.parties.effects import evaluate_parties, parties_inputs_from
from coachbuilder.market.parties.interface import (
    ClosedSupplier,
    Listing,
    ListingStanding,
    PartiesInputs,
    PartiesResult,
    SideStanding,
    StatusInterval,
    Supplier,
)
from coachbuilder.market.parties.status import interval_on, intervals_of

__all__ = [
    "ClosedSupplier",
    "Listing",
    "ListingStanding",
    "PartiesInputs",
    "PartiesResult",
    "SideStanding",
    "StatusInterval",
    "Supplier",
    "evaluate_parties",
    "interval_on",
    "intervals_of",
    "parties_inputs_from",
]
