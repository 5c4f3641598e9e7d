"""Lets salbp1 be called with limits that it does not know yet."""

from __future__ import annotations

import inspect
from typing import Any

from coachbuilder.plant.balance.interface import SimpleBalance
from coachbuilder.plant.balance.simple import salbp1 as engine

KNOWN = set(inspect.signature(engine).parameters)


def salbp1(times: Any, predecessors: Any, takt: int, **limits: Any) -> SimpleBalance:
    """Call the engine with the limits that it knows."""
    if "time_limit_s" not in KNOWN and limits.get("time_limit_s") is not None:
        limits["most_nodes"] = min(limits.get("most_nodes", 2**60), int(8e6 * limits["time_limit_s"]) + 1)
    return engine(times, predecessors, takt, **{name: value for name, value in limits.items() if name in KNOWN})
