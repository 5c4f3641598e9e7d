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
    known = {"upper": upper} if _KNOWS_UPPER else {}
    return engine(
        times, predecessors, takt, most_nodes=most_nodes, time_limit_s=time_limit_s, memory_mb=memory_mb, **known
    )
