"""Steers the search for the fewest stations: both directions by turns, bounds made stronger, memory, limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.balance.interface import SimpleBalance
from coachbuilder.plant.balance.simple.graphs import closure_of, graph_of, simple_weights
from coachbuilder.plant.balance.simple.packing import chosen_weights, load_prices, must_be_apart
from coachbuilder.plant.process import topological_order

if TYPE_CHECKING:
    from coachbuilder.plant.balance.simple.kernels import Graph, Memory

Integers = NDArray[np.int64]

LEAN = 0.002
"""What a task still open is worth in stations to the order of the states: many small tasks left fill gaps."""
FIRST_LOADS = (1, 30, 1_000)
LOADS_FACTOR = 10
"""Loads tried of each state: at first few, for an answer at once; in the second turn the last of these; and where some
were left out and nothing was found, all begins again with more."""
SLICE_NODES = 300_000
"""Nodes that one direction gets before it is the other's turn."""
PRICED_AFTER_NODES = 2_500_000
PRICED_AGAIN_FACTOR = 8
"""When bounds by prices of loads are made, and when again if a better answer has narrowed the stations since."""
MOST_PRICED = 300
"""Tasks up to which loads are priced: the linear programme has a row for each."""
FIRST_STATES = 1 << 14
BYTES_A_STATE = 56
"""Of a state beside its bit set, with its part of the table."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a search ends without a proof."""

    most_nodes: int | None
    """Tasks put into loads; None for no limit."""
    time_limit_s: float | None
    """Seconds; None for no limit."""
    memory_mb: int
    """Memory for the states of both directions."""


@dataclass(slots=True)
class Side:
    """The search from one end of the line."""

    follows: NDArray[np.bool_]
    """Closure of the precedence graph as seen from this end."""
    graph: Graph
    """The kernels' arrays."""
    order: Integers
    """Task of each number in the kernels."""
    least: Integers
    """Stations at least from each task's on, its own included, as seen from this end."""
    memory: Memory | None = None
    """States met; None before the first turn."""
    most_loads: int = FIRST_LOADS[0]
    """Loads tried of a state."""
    full: bool = False
    """Whether the memory is full."""


class Engine:
    """A search under way; the arguments are those of :func:`coachbuilder.plant.balance.simple.salbp1`."""

    def __init__(
        self,
        times: Sequence[int],
        predecessors: Sequence[Sequence[int]],
        takt: int,
        limits: Limits,
        wanted: int | None = None,
        progress: Callable[[SimpleBalance], None] | None = None,
    ) -> None:
        self._started = time.monotonic()
        self._takt = takt
        self._limits = limits
        self._wanted = wanted
        self._progress = progress
        self._nodes = 0
        self._lower = 1
        self._proven = self._found = self._memory_reached = False
        self._price_at = PRICED_AFTER_NODES
        self._priced_for: int | None = None
        n = len(times)
        order = topological_order(predecessors)
        follows = closure_of(predecessors, order)
        self._time = np.array(times, dtype=np.int64)
        weight, capacity = simple_weights(self._time, self._takt)
        more, full = chosen_weights(self._time, self._takt, follows)
        self._weight = np.concatenate([weight, more], axis=1)
        self._capacity = np.concatenate([capacity, full])
        self._best = np.empty(n, dtype=np.int64)
        self._best[order] = np.arange(1, n + 1)
        self._upper = n if wanted is None else wanted
        sides = []
        for closure in (follows, np.ascontiguousarray(follows.T)):
            graph, numbered = self._graph(closure)
            least = np.empty(n, dtype=np.int64)
            least[numbered] = graph.tail
            sides.append(Side(closure, graph, numbered, least))
        self._sides = (sides[0], sides[1])
        self._raise_bound()

    def run(self) -> SimpleBalance:
        """Search until a proof or a limit."""
        while not self._over():
            if self._nodes >= self._price_at:
                self._price()
            for side in self._sides:
                if not self._over():
                    self._turn(side)
            if all(side.full for side in self._sides):
                self._start_again()
        return self.answer()

    def answer(self) -> SimpleBalance:
        """Return the best answer so far."""
        stations = int(self._best.max())
        lower = self._upper if self._proven else self._lower
        return SimpleBalance(
            stations=stations,
            lower_bound=lower,
            proven=stations == lower,
            assignment=tuple(int(station) for station in self._best),
            nodes=self._nodes,
            memory_reached=self._memory_reached,
        )

    def _over(self) -> bool:
        if self._proven or self._upper <= self._lower:
            self._proven = True
            return True
        if self._found and self._wanted is not None:
            return True
        return self._left_s() <= 0.0 or (self._limits.most_nodes is not None and self._nodes >= self._limits.most_nodes)

    def _left_s(self) -> float:
        if self._limits.time_limit_s is None:
            return float("inf")
        return self._limits.time_limit_s - (time.monotonic() - self._started)

    def _graph(self, follows: NDArray[np.bool_]) -> tuple[Graph, Integers]:
        return graph_of(self._time, follows, self._takt, self._weight, self._capacity)

    def _raise_bound(self) -> None:
        by_weight = int((-(-self._weight.sum(axis=0) // self._capacity)).max())
        self._lower = max(self._lower, by_weight, *(int(side.least.max()) for side in self._sides))

    def _turn(self, side: Side) -> None:
        """Search from one end for a while."""
        from coachbuilder.plant.balance.simple import kernels

        if side.full:
            return
        if side.memory is None:
            side.memory = _memory(FIRST_STATES, self._graph_words, len(self._time))
            kernels.begin(side.memory, self._lower)
        nodes = SLICE_NODES
        if self._limits.most_nodes is not None:
            nodes = min(nodes, self._limits.most_nodes - self._nodes)
        while nodes > 0 and not self._over():
            before = int(side.memory.tally[kernels.NODES])
            status = kernels.search(side.graph, side.memory, self._takt, self._upper, side.most_loads, LEAN, nodes)
            used = int(side.memory.tally[kernels.NODES]) - before
            self._nodes += used
            nodes -= used
            if status == kernels.IMPROVED:
                self._take(side)
            elif status == kernels.FULL:
                self._make_room(side)
                if side.full:
                    return
            elif status == kernels.EXHAUSTED:
                if not side.memory.tally[kernels.CUT]:
                    self._proven = True
                    return
                side.most_loads = next((loads for loads in FIRST_LOADS if loads > side.most_loads), 0) or (
                    side.most_loads * LOADS_FACTOR
                )
                kernels.begin(side.memory, self._lower)
            else:
                break
        if side.most_loads < FIRST_LOADS[-1]:
            side.most_loads = FIRST_LOADS[-1]
            kernels.begin(side.memory, self._lower)

    @property
    def _graph_words(self) -> int:
        return int(self._sides[0].graph.beats.shape[1])

    def _take(self, side: Side) -> None:
        """Take over a better answer."""
        from coachbuilder.plant.balance.simple import kernels

        memory = side.memory
        assert memory is not None
        state = int(memory.tally[kernels.BEST_STATE])
        stations = int(memory.stations[state])
        number = np.empty(len(self._time), dtype=np.int64)
        for station in range(stations, 0, -1):
            parent = int(memory.parent[state])
            load = memory.bits[state] & ~memory.bits[parent]
            tasks = np.flatnonzero(np.unpackbits(load.view(np.uint8), bitorder="little"))
            number[side.order[tasks]] = station if side is self._sides[0] else stations + 1 - station
            state = parent
        self._best, self._upper, self._found = number, stations, True
        if self._progress is not None:
            self._progress(self.answer())

    def _make_room(self, side: Side) -> None:
        from coachbuilder.plant.balance.simple import kernels

        memory = side.memory
        assert memory is not None
        room = 2 * memory.parent.shape[0]
        most = self._limits.memory_mb * 2**20 // 2 // (8 * self._graph_words + BYTES_A_STATE)
        # While it grows the old states stand beside the new ones.
        if 3 * room // 2 > most:
            side.full = self._memory_reached = True
            return
        grown = _memory(room, memory.bits.shape[1], len(self._time))
        for name in memory._fields:
            if name != "table":
                old = getattr(memory, name)
                getattr(grown, name)[: len(old)] = old
        kernels.rehash(grown)
        side.memory = grown

    def _start_again(self) -> None:
        """Forget all states: a search with a tenth of the loads of each state goes deeper before the memory is full."""
        from coachbuilder.plant.balance.simple import kernels

        for side in self._sides:
            assert side.memory is not None
            side.most_loads = max(1, side.most_loads // LOADS_FACTOR)
            kernels.begin(side.memory, self._lower)
            side.full = False

    def _price(self) -> None:
        """Make the bounds stronger by prices of loads, given that fewer stations than now are wanted."""
        self._price_at = PRICED_AGAIN_FACTOR * max(self._nodes, PRICED_AFTER_NODES)
        if len(self._time) > MOST_PRICED or self._priced_for == self._upper:
            return
        self._priced_for = self._upper
        tail, head = self._sides[0].least, self._sides[1].least
        apart = must_be_apart(self._time, self._takt, self._sides[0].follows, head, self._upper - tail)
        prices = load_prices(self._time, self._takt, apart, self._left_s)
        if prices is None:
            return
        self._weight = np.concatenate([self._weight, prices[0][:, None]], axis=1)
        self._capacity = np.append(self._capacity, prices[1])
        for side in self._sides:
            side.graph, side.order = self._graph(side.follows)
            side.least[side.order] = np.maximum(side.least[side.order], side.graph.tail)
        self._raise_bound()
        # A task whose first station lies behind its last one: nothing with fewer stations is left.
        if (tail + head > self._upper).any():
            self._proven = True


def _memory(room: int, words: int, levels: int) -> Memory:
    from coachbuilder.plant.balance.simple.kernels import TALLY, Memory

    return Memory(
        bits=np.empty((room, words), np.uint64),
        hashes=np.empty(room, np.uint64),
        parent=np.empty(room, np.int32),
        stations=np.empty(room, np.int32),
        bound=np.empty(room, np.int32),
        key=np.empty(room, np.float32),
        left=np.empty(room, np.int32),
        right=np.empty(room, np.int32),
        table=np.full(2 * room, -1, np.int32),
        root=np.full(levels + 2, -1, np.int32),
        tally=np.zeros(TALLY, np.int64),
    )


__all__ = ["Engine", "Limits"]
