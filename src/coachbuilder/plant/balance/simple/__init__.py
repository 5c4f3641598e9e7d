"""The simple assembly line balancing problem: one model, one operator a station, fewest stations for a takt."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.balance.interface import SimpleBalance
from coachbuilder.plant.balance.simple.graphs import closure_of, graph_of, simple_weights
from coachbuilder.plant.balance.simple.packing import chosen_weights, packing_weights
from coachbuilder.plant.process import topological_order

if TYPE_CHECKING:
    from coachbuilder.plant.balance.simple.kernels import Graph, Memory

LEAN = 0.002
FIRST_LOADS = 1_000
LOADS_FACTOR = 10
SLICE_NODES = 300_000
FIRST_STATES = 1 << 14


def salbp1(
    times: Sequence[int],
    predecessors: Sequence[Sequence[int]],
    takt: int,
    *,
    most_nodes: int = 4_000_000,
    time_limit_s: float | None = None,
    memory_mb: int = 2048,
) -> SimpleBalance:
    """Find the fewest stations, with a lower bound and, where it can, a proof."""
    if not len(times) or min(times) < 0 or max(times) > takt:
        message = f"times must be from 0 to the takt {takt}, found {min(times, default=0)} to {max(times, default=0)}"
        raise ValueError(message)
    return _Engine(times, predecessors, takt, most_nodes, time_limit_s, memory_mb).run()


class _Side:
    """The search from one end of the line."""

    def __init__(self, engine: _Engine, times, follows, weight, capacity) -> None:
        self.graph, self.order = graph_of(times, follows, engine.takt, weight, capacity)
        self.memory = None
        self.most_loads = FIRST_LOADS
        self.done = False


class _Engine:
    def __init__(self, times, predecessors, takt, most_nodes, time_limit_s, memory_mb):
        self.started = time.monotonic()
        self.limit = time_limit_s
        self.most_nodes = most_nodes
        self.takt = takt
        self.n = len(times)
        self.words = max(1, -(-self.n // 64))
        self.most_states = max(1024, memory_mb * 2**20 // 2 // (8 * self.words + 60))
        order = topological_order(predecessors)
        follows = closure_of(predecessors, order)
        t = np.array(times, dtype=np.int64)
        weight, capacity = simple_weights(t, takt)
        more, full = chosen_weights(t, takt, follows, order)
        weight, capacity = np.concatenate([weight, more], axis=1), np.concatenate([capacity, full])
        self.follows, self.t, self.weight, self.capacity = follows, t, weight, capacity
        self.packed = False
        self.sides = [_Side(self, t, follows, weight, capacity), _Side(self, t, follows.T.copy(), weight, capacity)]
        self.lower = max(1, int((-(-weight.sum(axis=0) // capacity)).max()), max(int(s.graph.tail.max()) for s in self.sides))
        self.best = np.empty(self.n, dtype=np.int64)
        self.best[order] = np.arange(1, self.n + 1)
        self.upper = self.n
        self.nodes = 0
        self.memory_reached = False

    def out(self):
        if self.limit is not None:
            return time.monotonic() - self.started > self.limit
        return self.nodes >= self.most_nodes

    def run(self):
        from coachbuilder.plant.balance.simple import kernels

        proven = self.upper <= self.lower
        slice_nodes = SLICE_NODES
        while not proven and not self.out():
            if not self.packed and self.nodes > 6 * SLICE_NODES:
                self.pack()
                if self.upper <= self.lower:
                    proven = True
                    break
            for number, side in enumerate(self.sides):
                if self.slice(side, number, slice_nodes):
                    proven = True
                    break
                if self.upper <= self.lower:
                    proven = True
                    break
                if self.out():
                    break
            if all(s.done for s in self.sides):
                break
        return SimpleBalance(
            stations=self.upper, lower_bound=self.upper if proven else self.lower, proven=proven,
            assignment=tuple(int(x) for x in self.best), nodes=self.nodes)

    def pack(self):
        self.packed = True
        if self.n > 400:
            return
        found = packing_weights(self.t, self.takt)
        if found is None:
            return
        w, c = found
        self.weight = np.concatenate([self.weight, w[:, None]], axis=1)
        self.capacity = np.append(self.capacity, c)
        for side, f in zip(self.sides, (self.follows, self.follows.T.copy())):
            side.graph, side.order = graph_of(self.t, f, self.takt, self.weight, self.capacity)
        self.lower = max([self.lower, int((-(-self.weight.sum(axis=0) // self.capacity)).max())] + [int(s.graph.tail.max()) for s in self.sides])

    def slice(self, side, number, nodes):
        """Search a while; return whether it is proven."""
        from coachbuilder.plant.balance.simple import kernels

        if side.done:
            return False
        if side.memory is None:
            side.memory = _memory(FIRST_STATES, self.words, self.n)
            kernels.begin(side.memory, self.lower)
        goal = side.memory.tally[kernels.NODES] + nodes
        while True:
            before = int(side.memory.tally[kernels.NODES])
            status = kernels.search(side.graph, side.memory, self.takt, self.upper, side.most_loads, LEAN, goal - before)
            self.nodes += int(side.memory.tally[kernels.NODES]) - before
            if status == kernels.IMPROVED:
                self.take(side, number)
                if self.upper <= self.lower:
                    return True
            elif status == kernels.FULL:
                size = side.memory.parent.shape[0]
                if 2 * size > self.most_states:
                    self.memory_reached = True
                    side.done = True
                    return False
                side.memory = _grown(side.memory, 2 * size)
            elif status == kernels.EXHAUSTED:
                if not side.memory.tally[kernels.CUT]:
                    return True
                side.most_loads *= LOADS_FACTOR
                kernels.begin(side.memory, self.lower)
                return False
            else:
                return False

    def take(self, side, number):
        from coachbuilder.plant.balance.simple import kernels
        memory = side.memory
        state = int(memory.tally[kernels.BEST_STATE])
        stations = int(memory.stations[state])
        found = np.zeros(self.n, dtype=np.int64)
        level = stations
        while level > 0:
            parent = int(memory.parent[state])
            new = memory.bits[state] & ~memory.bits[parent]
            tasks = np.flatnonzero(np.unpackbits(new.view(np.uint8), bitorder="little")[: self.n])
            found[side.order[tasks]] = level if number == 0 else stations + 1 - level
            state = parent
            level -= 1
        self.best = found
        self.upper = stations


def _memory(room, words, levels):
    from coachbuilder.plant.balance.simple.kernels import TALLY, Memory
    slots = 1
    while slots < 2 * room:
        slots *= 2
    return Memory(
        bits=np.empty((room, words), np.uint64), hashes=np.empty(room, np.uint64), parent=np.empty(room, np.int32),
        stations=np.empty(room, np.int32), bound=np.empty(room, np.int32), key=np.empty(room, np.float32),
        left=np.empty(room, np.int32), right=np.empty(room, np.int32), table=np.full(slots, -1, np.int32),
        root=np.full(levels + 2, -1, np.int32), tally=np.zeros(TALLY, np.int64))


def _grown(memory, room):
    from coachbuilder.plant.balance.simple import kernels
    new = _memory(room, memory.bits.shape[1], memory.root.shape[0] - 2)
    size = memory.parent.shape[0]
    for name in ("bits", "hashes", "parent", "stations", "bound", "key", "left", "right"):
        getattr(new, name)[:size] = getattr(memory, name)
    new.root[:] = memory.root
    new.tally[:] = memory.tally
    kernels.rehash(new)
    return new


__all__ = ["salbp1"]
