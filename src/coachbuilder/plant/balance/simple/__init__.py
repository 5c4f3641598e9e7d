"""The simple assembly line balancing problem: one model, one operator a station, fewest stations for a takt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.balance.interface import SimpleBalance
from coachbuilder.plant.process import topological_order

FIRST_WIDTH = 8
WIDTH_FACTOR = 8
LOADS_PER_STATE = 2_000
MEMORY_BYTES = 400 * 2**20


def salbp1(
    times: Sequence[int],
    predecessors: Sequence[Sequence[int]],
    takt: int,
    *,
    most_nodes: int = 4_000_000,
) -> SimpleBalance:
    """Find the fewest stations, with a lower bound and, where it can, a proof.

    Beam search over the stations, forward and backward by turns, with memory of task sets, maximal loads and
    Jackson dominance, and a beam that grows until nothing was cut: then the answer is proven (the scheme of complete
    anytime beam search, Zhang 1998, on the states of Hoffmann 1963). Bounds are LM1 to LM3 of Scholl (1999).

    Parameters
    ----------
    times
        Whole task times, 0 or more.
    predecessors
        For each task the positions of its direct predecessors.
    takt
        Cycle time in the same unit, no shorter than any task.
    most_nodes
        Work after which the search stops.

    Returns
    -------
    SimpleBalance
        The best assignment found.

    Raises
    ------
    ValueError
        If there is no task, a time is negative or longer than the takt, or the graph has a circle.

    Examples
    --------
    >>> answer = salbp1([4, 3, 3, 2], [(), (0,), (0,), (1, 2)], 6)
    >>> answer.stations, answer.proven, answer.assignment
    (3, True, (1, 2, 2, 3))
    """
    if not len(times) or min(times) < 0 or max(times) > takt:
        message = f"times must be from 0 to the takt {takt}, found {min(times, default=0)} to {max(times, default=0)}"
        raise ValueError(message)
    order = topological_order(predecessors)
    forward = _graph(times, predecessors, order)
    followers: list[list[int]] = [[] for _ in times]
    for task, earlier_tasks in enumerate(predecessors):
        for earlier in set(earlier_tasks):
            followers[earlier].append(task)
    backward = _graph(times, followers, order[::-1])
    lower = _lower_bound(times, takt)
    best, stations, proven, nodes = _search((forward, backward), lower, takt, len(times), most_nodes)
    return SimpleBalance(
        stations=stations,
        lower_bound=stations if proven else lower,
        proven=proven,
        assignment=tuple(int(station) for station in best),
        nodes=nodes,
    )


def _search(
    graphs: Sequence[dict[str, Any]], lower: int, takt: int, n: int, most_nodes: int
) -> tuple[NDArray[np.int64], int, bool, int]:
    from coachbuilder.plant.balance.simple import kernels

    best: NDArray[np.int64] = np.empty(n, dtype=np.int64)
    best[graphs[0]["order"]] = np.arange(1, n + 1)
    stations, nodes, width = n, 0, 1
    loads = 50
    while stations > lower and nodes < most_nodes:
        for direction, graph in enumerate(graphs):
            if stations <= lower or nodes >= most_nodes:
                break
            out = np.zeros(n, dtype=np.int64)
            found, used, status = kernels.beam_search(
                **graph["arrays"], takt=takt, width=width, most_loads=loads, most_nodes=most_nodes - nodes,
                upper=stations, stations_out=out,
            )  # fmt: skip
            nodes += int(used)
            if found < stations:
                stations = int(found)
                numbers = out + 1 if direction == 0 else stations - out
                best = np.empty(n, dtype=np.int64)
                best[graph["order"]] = numbers
            elif status == kernels.COMPLETE:
                return best, stations, True, nodes
        words = (n + 63) // 64
        width = max(FIRST_WIDTH, width * WIDTH_FACTOR)
        width = min(width, max(FIRST_WIDTH, MEMORY_BYTES // (8 * (words + 1) * (stations + 4))))
        loads = LOADS_PER_STATE if width < LOADS_PER_STATE else 100 * LOADS_PER_STATE
    return best, stations, stations == lower, nodes


def _lower_bound(times: Sequence[int], takt: int) -> int:
    """Return the largest of LM1, LM2 and LM3 over all tasks; at least one station."""
    total = -(-sum(times) // takt)
    large = sum(2 * time > takt for time in times)
    half = sum(2 * time == takt for time in times)
    sixths = sum(
        6 if 3 * time > 2 * takt else 4 if 3 * time == 2 * takt else 3 if 3 * time > takt else 2
        for time in times
        if 3 * time >= takt
    )
    return max(1, total, large + -(-half // 2), -(-sixths // 6))


def _graph(times: Sequence[int], predecessors: Sequence[Sequence[int]], order: Sequence[int]) -> dict[str, Any]:
    """Return the kernel's arrays with the tasks in ``order``."""
    place = {task: index for index, task in enumerate(order)}
    before = [sorted({place[earlier] for earlier in predecessors[task]}) for task in order]
    after: list[list[int]] = [[] for _ in order]
    for task, earlier_tasks in enumerate(before):
        for earlier in earlier_tasks:
            after[earlier].append(task)
    ordered = np.array([times[task] for task in order], dtype=np.int64)
    reach = np.zeros((len(order), len(order)), dtype=np.bool_)
    for task in reversed(range(len(order))):
        for later in after[task]:
            reach[task] |= reach[later]
            reach[task, later] = True
    tail = ordered + reach.astype(np.float64) @ ordered
    return {
        "order": np.array(order, dtype=np.int64),
        "arrays": {
            "times": ordered,
            "before_ptr": _pointer(before),
            "before_idx": np.array([item for items in before for item in items], dtype=np.int64),
            "after_ptr": _pointer(after),
            "after_idx": np.array([item for items in after for item in items], dtype=np.int64),
            "tail": tail,
            "by_time": np.argsort(-ordered, kind="stable"),
            "by_tail": np.argsort(-tail, kind="stable"),
        },
    }


def _pointer(lists: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    pointer = np.zeros(len(lists) + 1, dtype=np.int64)
    pointer[1:] = np.cumsum([len(items) for items in lists])
    return pointer


__all__ = ["salbp1"]
