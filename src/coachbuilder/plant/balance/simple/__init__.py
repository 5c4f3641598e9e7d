"""The simple assembly line balancing problem: one model, one operator a station, fewest stations for a takt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coachbuilder.plant.balance.interface import SimpleBalance
from coachbuilder.plant.balance.simple.engine import Engine, Limits

MOST_NODES = 4_000_000
"""Work after which the search stops unless something else is told."""


def salbp1(
    times: Sequence[int],
    predecessors: Sequence[Sequence[int]],
    takt: int,
    *,
    most_nodes: int | None = None,
    time_limit_s: float | None = None,
    memory_mb: int = 2048,
    upper: int | None = None,
    progress: Callable[[SimpleBalance], None] | None = None,
) -> SimpleBalance:
    """Find the fewest stations, with a lower bound and, where it can, a proof.

    Branch, bound and remember (Sewell and Jacobson, INFORMS J. Computing 24 (2012) 433-442) from both ends of the
    line by turns: the best open state of each number of stations in turn is extended by all its maximal loads; sets of
    tasks met before, loads in which a task left out could stand in for another, and states whose bound is no better
    than the best answer are dropped. Bounds are LM1 to LM4 of Scholl (1999), dual feasible functions, and prices of the
    loads that precedence allows (:mod:`coachbuilder.plant.balance.simple.packing`).

    Parameters
    ----------
    times
        Whole task times, 0 or more.
    predecessors
        For each task the positions of its direct predecessors.
    takt
        Cycle time in the same unit, no shorter than any task.
    most_nodes
        Tasks put into loads after which the search stops; 4 million unless this or a time limit is given.
    time_limit_s
        Seconds after which it stops. The answer then depends on the machine.
    memory_mb
        Memory that it may fill. Where it does not suffice the answer says so, and the search starts again with fewer
        loads of each state.
    upper
        Only answers with fewer stations are looked for, and the first one found is taken.
    progress
        Called with every better answer.

    Returns
    -------
    SimpleBalance
        The best assignment found. If none has fewer stations than ``upper``, ``lower_bound`` is ``upper`` and the
        assignment is one task a station.

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
    if most_nodes is None and time_limit_s is None:
        most_nodes = MOST_NODES
    limits = Limits(most_nodes, time_limit_s, memory_mb)
    return Engine(times, predecessors, takt, limits, upper, progress).run()


__all__ = ["salbp1"]
