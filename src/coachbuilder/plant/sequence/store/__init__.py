"""Fixed places, and the painted-body store between paint and assembly: which orders it can make, and the best."""

from __future__ import annotations

from coachbuilder.plant.sequence.store.interface import Lanes, RandomAccess, Store, StoreInputs, StoreResult
from coachbuilder.plant.sequence.store.reach import farthest_ahead, lanes_for, reachable

__all__ = [
    "Lanes",
    "RandomAccess",
    "Store",
    "StoreInputs",
    "StoreResult",
    "farthest_ahead",
    "lanes_for",
    "reachable",
]
