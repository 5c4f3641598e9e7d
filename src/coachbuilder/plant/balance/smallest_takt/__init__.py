"""The simple assembly line balancing problem turned round: the smallest takt for the stations, or both free."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coachbuilder.plant.balance.interface import EfficiencyBalance, TaktBalance
from coachbuilder.plant.balance.smallest_takt.search import Budget, Line, TaktSearch


def salbp2(
    times: Sequence[int],
    predecessors: Sequence[Sequence[int]],
    stations: int,
    *,
    most_nodes: int | None = None,
    time_limit_s: float | None = None,
    memory_mb: int = 2048,
    progress: Callable[[TaktBalance], object] | None = None,
) -> TaktBalance:
    """Find the smallest takt for a number of stations (SALBP-2), with a lower bound and, where it can, a proof.

    Annealing of an assignment lowers the takt from above; from below, takts are tried with :func:`salbp1`, whose proof
    that one needs more stations lifts the bound to the next sum that tasks can have together (the bounds, and the
    search for a takt between them, are those of Scholl 1999, section 4.2).

    Parameters
    ----------
    times
        Whole task times, 0 or more.
    predecessors
        For each task the positions of its direct predecessors.
    stations
        Stations that there are, 1 or more; some may stay empty.
    most_nodes
        Work after which the search stops; 20 million unless this or a time limit is given.
    time_limit_s
        Seconds after which it stops. The answer then depends on the machine.
    memory_mb
        Memory that the search may fill.
    progress
        Called with every better answer.

    Raises
    ------
    ValueError
        If there is no task or no station, a time is negative, or the graph has a circle.

    Examples
    --------
    >>> answer = salbp2([4, 3, 3, 2], [(), (0,), (0,), (1, 2)], 2)
    >>> answer.takt, answer.proven, answer.assignment
    (7, True, (1, 1, 2, 2))
    """
    _require_stations(stations)
    budget = Budget(most_nodes, time_limit_s, memory_mb)
    search = TaktSearch(Line(times, predecessors), stations, budget, progress)
    while not search.done and not budget.spent():
        search.step()
    return search.answer()


def salbpe(
    times: Sequence[int],
    predecessors: Sequence[Sequence[int]],
    stations: tuple[int, int],
    *,
    most_nodes: int | None = None,
    time_limit_s: float | None = None,
    memory_mb: int = 2048,
) -> EfficiencyBalance:
    """Find the most efficient line (SALBP-E): the least product of stations and takt within a range of stations.

    Parameters
    ----------
    times, predecessors, most_nodes, time_limit_s, memory_mb
        As for :func:`salbp2`.
    stations
        Fewest and most stations that the line may have.

    Raises
    ------
    ValueError
        As for :func:`salbp2`, or if the range is empty.

    Examples
    --------
    >>> answer = salbpe([4, 3, 3, 2], [(), (0,), (0,), (1, 2)], (2, 4))
    >>> answer.stations, answer.takt, answer.proven, round(answer.efficiency, 3)
    (2, 7, True, 0.857)
    """
    fewest, most = stations
    _require_stations(fewest)
    if most < fewest:
        message = f"the range of stations is empty: {fewest} to {most}"
        raise ValueError(message)
    line = Line(times, predecessors)
    budget = Budget(most_nodes, time_limit_s, memory_mb)
    # More stations than tasks lengthen the line and shorten no station.
    searches = [TaktSearch(line, count, budget) for count in range(fewest, max(fewest, min(most, line.count)) + 1)]
    best = min(searches, key=lambda search: search.stations * search.upper)
    while True:
        product = best.stations * best.upper
        open_searches = [search for search in searches if search.stations * search.lower < product and not search.done]
        if not open_searches or budget.spent():
            break
        # Each number of stations gets its turn before any gets a long one.
        min(open_searches, key=lambda search: (search.steps, search.stations * search.lower)).step()
        best = min(searches, key=lambda search: search.stations * search.upper)
    lower = min(product, *(search.stations * search.lower for search in searches))
    return EfficiencyBalance(
        takt=best.upper,
        stations=best.stations,
        lower_bound=lower,
        proven=lower == product,
        efficiency=line.total / product if product else 1.0,
        assignment=best.assignment(),
        nodes=budget.nodes,
        memory_reached=budget.memory_reached,
    )


def _require_stations(stations: int) -> None:
    if stations < 1:
        message = f"a line has 1 station or more, not {stations}"
        raise ValueError(message)


__all__ = ["salbp2", "salbpe"]
