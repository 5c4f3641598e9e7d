"""The simple assembly line balancing problem turned round: the smallest takt for the stations, or both free."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any

from coachbuilder.plant.balance.interface import SimpleBalance, TaktBalance
from coachbuilder.plant.balance.smallest_takt._shim import salbp1


def salbp2(
    times: Sequence[int],
    predecessors: Sequence[Sequence[int]],
    stations: int,
    *,
    most_nodes: int = 20_000_000,
    time_limit_s: float | None = None,
    memory_mb: int = 2048,
    progress: Callable[[TaktBalance], None] | None = None,
) -> TaktBalance:
    upper = sum(times)
    lower = max(max(times), -(-upper // stations))
    best = tuple(1 for _ in times)
    nodes = 0
    while lower < upper:
        middle = (lower + upper - 1) // 2
        found = salbp1(times, predecessors, middle, most_nodes=most_nodes)
        nodes += found.nodes
        if found.stations <= stations:
            best, upper = found.assignment, middle
        elif found.lower_bound > stations:
            lower = middle + 1
        else:
            break
    return TaktBalance(upper, stations, lower, lower == upper, best, nodes)
