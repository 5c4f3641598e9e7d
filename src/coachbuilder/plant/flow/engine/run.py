"""Runs the event calendar and hands on what it leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.engine.network import Network, build
from coachbuilder.plant.flow.plant import Plant
from coachbuilder.plant.flow.record import BINS_PER_BATCH, NOT_CONSERVED, Records

if TYPE_CHECKING:
    from coachbuilder.plant.flow.engine.kernels import State

MOST_EVENTS = 2_000_000_000
"""A run gives up after this many events: more than a day of computing."""


def started(
    network: Network, replication: int, *, start_s: float = 0.0, batch_s: float = np.inf, max_events: int = MOST_EVENTS
) -> State:
    """Return a run that has begun, to be taken on by ``kernels.advance``.

    Parameters
    ----------
    network
        Arrays of the plant.
    replication
        Number of the run; decides the luck of every stream.
    start_s, batch_s
        When counting starts, and how long a batch is, s.
    max_events
        Events after which the run gives up.
    """
    from coachbuilder.plant.flow.engine import kernels

    copied: Any = [
        type(part)._make([array.copy() for array in part]) for part in cast("tuple[Any, ...]", network.state)
    ]
    state = kernels.State._make(copied)
    clock = state.core.clock
    clock["start_s"] = start_s
    clock["next_bin_s"] = start_s
    clock["bin_s"] = batch_s / BINS_PER_BATCH
    clock["max_events"] = max_events
    kernels.begin(state, replication)
    return state


def retimed(state: State, network: Network) -> State:
    """Return a run that goes on with the figures of another plant of the same structure.

    Times of stations, lines and failures, yields, shares, the intervals of releases, work and station lengths are
    taken over; what is under way ends as it began. The state's own arrays are written to.

    Parameters
    ----------
    state
        A run that has begun.
    network
        Arrays of the other plant.

    Raises
    ------
    ValueError
        If the plants differ in more than figures.
    """
    other = network.state
    pairs = [
        (state.core.cell, other.core.cell, ("retest_share", "scrap_share", "work_time")),
        (state.core.cell_type, other.core.cell_type, ("fixed_s", "time", "pass_share")),
        (state.core.lane, other.core.lane, ("weight", "entry_weight", "interval")),
        (state.luck.mode, other.luck.mode, ("to_failure", "to_repair")),
        (state.luck.share, other.luck.share, ("share",)),
        (state.yard.place, other.yard.place, ("length_s",)),
    ]
    same = [
        (state.core.cell, other.core.cell, ("kind", "size", "judged", "direct", "works")),
        (state.core.cell_type, other.core.cell_type, ("group",)),
        (state.core.lane, other.core.lane, ("cell", "capacity", "source", "mix")),
    ]
    fits = all(own.shape == new.shape for own, new, _ in pairs) and all(
        np.array_equal(own[name], new[name]) for own, new, names in same for name in names
    )
    if not fits or state.yard.place_work_s.shape != other.yard.place_work_s.shape:
        message = "the plants differ in their stations, buffers, ways or sources, not in figures only"
        raise ValueError(message)
    for own, new, names in pairs:
        for name in names:
            own[name] = new[name]
    state.yard.place_work_s[:] = other.yard.place_work_s
    return state._replace(luck=state.luck._replace(time=other.luck.time, value_s=other.luck.value_s))


def record(
    plant: Plant,
    *,
    seed: int,
    first: int,
    replications: int,
    start_s: float,
    batch_s: float,
    batches: int,
    max_events: int = MOST_EVENTS,
) -> Records:
    """Run replications ``first`` to ``first + replications - 1`` of a plant, one after the other.

    Parameters
    ----------
    plant
        The plant.
    seed
        Seed of all streams.
    first, replications
        Number of the first run, and how many.
    start_s, batch_s, batches
        When counting starts, how long a batch is, s, and how many there are.
    max_events
        Events after which a run gives up.

    Raises
    ------
    ValueError
        If the plant's names do not agree.
    """
    from coachbuilder.plant.flow.engine import kernels

    network = build(plant, seed=seed, batches=batches)
    # Reckoned as the bins are, or rounding may leave the last one open.
    end_s = start_s + BINS_PER_BATCH * batches * (batch_s / BINS_PER_BATCH)
    arrays: dict[str, NDArray[Any]] = {}
    for row in range(replications):
        state = started(network, first + row, start_s=start_s, batch_s=batch_s, max_events=max_events)
        kernels.advance(state, end_s)
        conserved = kernels.count_remaining(state)
        # What a run leaves behind is little beside what it needs, such as the places of large buffers.
        for name, value in _left_behind(network, state, conserved).items():
            if row == 0:
                arrays[name] = np.empty((replications, *value.shape), value.dtype)
            arrays[name][row] = value
    return Records(start_s=start_s, batch_s=batch_s, **arrays)


def _left_behind(network: Network, state: State, conserved: bool) -> dict[str, NDArray[Any]]:
    """Return the arrays of ``Records`` for one run."""
    clock, snaps = state.core.clock[0], state.snaps
    return {
        "out": state.sums.out,
        "machine": snaps.snap_machine,
        "finished": snaps.snap_finished,
        "level": snaps.snap_level[:, network.buffer_row],
        "inside": snaps.snap_inside,
        "car": snaps.snap_car,
        "lead": snaps.snap_lead,
        "place": snaps.snap_place,
        "carriers": snaps.snap_carriers,
        "ended": np.asarray(clock["ended"] if conserved else NOT_CONSERVED, dtype=np.int64),
        "stuck": np.asarray(clock["stuck_cell"]),
        "stuck_s": np.asarray(clock["stuck_s"]),
        "at_start": state.opening.at_start,
        "remaining": state.opening.remaining,
        "events": np.asarray(clock["events"]),
    }


def trace(plant: Plant, *, seed: int, replication: int, until_s: float, rows: int) -> NDArray[np.float64]:
    """Return what happens in one run.

    Returns
    -------
    array
        (n, 5): time in s, row of the machine, number of the car, row of its type, code of what happens (see
        ``kernels``), in the order of events; at most ``rows``.
    """
    from coachbuilder.plant.flow.engine import kernels

    network = build(plant, seed=seed, batches=1, trace_rows=rows)
    state = started(network, replication, batch_s=until_s)
    kernels.advance(state, until_s)
    return state.sums.trace[: int(state.core.clock["trace_row"][0])]
