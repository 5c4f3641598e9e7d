"""Lets salbp1 be called with a limit that it does not know yet."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from coachbuilder.plant.balance.interface import SimpleBalance
from coachbuilder.plant.balance.simple import salbp1 as engine

_KNOWS_UPPER = "upper" in inspect.signature(engine).parameters


def salbp1(
    times: Sequence[int],
    predecessors: Sequence[Sequence[int]],
    takt: int,
    *,
    upper: int,
    most_nodes: int = 2**60,
    time_limit_s: float | None = None,
    memory_mb: int,
) -> SimpleBalance:
    """Look for an assignment with fewer than ``upper`` stations."""
    if _KNOWS_UPPER:
        return engine(
            times,
            predecessors,
            takt,
            most_nodes=most_nodes,
            time_limit_s=time_limit_s,
            memory_mb=memory_mb,
            upper=upper,
        )
    if time_limit_s is not None:
        time_limit_s = min(time_limit_s, most_nodes / 1_000_000)
    return engine(times, predecessors, takt, most_nodes=most_nodes, time_limit_s=time_limit_s, memory_mb=memory_mb)
