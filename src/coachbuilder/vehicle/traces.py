"""Drive-cycle traces. (First cut; the reader of a user's own traces is to follow.)"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Trace:
    """A 1 Hz trace."""

    name: str
    """Its name."""
    speed_mps: NDArray[np.float64]
    """Speed at every second, shape (n,)."""

    @property
    def distance_m(self) -> float:
        """Distance."""
        return float(0.5 * (self.speed_mps[1:] + self.speed_mps[:-1]).sum())


@cache
def trace(name: str) -> Trace:
    """Return a shipped trace."""
    file = resources.files("coachbuilder.vehicle") / "cycles" / f"{name.lower().replace(' ', '_')}.csv"
    rows = file.read_text(encoding="utf-8").splitlines()
    speed = np.array([float(row) for row in rows if row and row[0].isdigit()])
    speed.setflags(write=False)
    return Trace(name, speed)
