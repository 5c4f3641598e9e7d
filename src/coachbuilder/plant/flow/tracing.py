"""What happens to every car in one run of a plant, event by event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.plant import Plant

EVENTS = ("started", "finished", "left", "given up", "held", "lost", "failed", "repaired")
"""What may happen, by the engine's code."""

MOST_ROWS = 5_000_000
"""Events that a trace holds at most: 200 MB."""

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Trace:
    """Events of one run in their order; N of them."""

    time_s: NDArray[np.float64]
    """(N,) when, s."""
    machine: NDArray[np.int64]
    """(N,) machine, as a place in ``machines``."""
    car: NDArray[np.int64]
    """(N,) number of the car, in the order of release; -1 where none is concerned."""
    type: NDArray[np.int64]
    """(N,) type of car, as a place in ``types``; -1 where none is concerned."""
    event: NDArray[np.int64]
    """(N,) what happens, as a place in ``EVENTS``."""
    machines: tuple[str, ...]
    """Names of machines."""
    types: tuple[str, ...]
    """Names of types."""
    complete: bool
    """False if the run had more events than fit."""


def traced(plant: Plant, *, days: float, seed: int = 1, rows: int = MOST_ROWS) -> Trace:
    """Return the events of the first run of a simulation, from an empty plant on.

    Parameters
    ----------
    plant
        The plant.
    days
        How long, in days of 24 h on the plant's clock.
    seed
        Seed of the simulation whose first run it is.
    rows
        Events after which it ends.
    """
    from coachbuilder.plant.flow.engine import machine_names, trace

    raw = trace(plant, seed=seed, replication=0, until_s=days * DAY_S, rows=rows)
    machine, car, kind, event = (raw[:, column].astype(np.int64) for column in range(1, 5))
    return Trace(
        time_s=raw[:, 0],
        machine=machine,
        car=car,
        type=kind,
        event=event,
        machines=tuple(name for station in plant.stations for name in machine_names(station)),
        types=tuple(item.id for item in plant.types),
        complete=len(raw) < rows,
    )


__all__ = ["EVENTS", "MOST_ROWS", "Trace", "traced"]
