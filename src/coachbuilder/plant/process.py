"""Shared words of the plant: models and their mix, net working time, takt, the joint precedence graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coachbuilder.programme.sections.common import ShiftSection

SECONDS_PER_HOUR = 3600.0
MINUTES_PER_HOUR = 60.0


def net_hours_per_year(shifts: ShiftSection) -> float:
    """Return the hours a year in which the line is manned and meant to run: shifts less their breaks.

    Parameters
    ----------
    shifts
        The plant's working calendar.

    Returns
    -------
    float
        Hours a year; 0 or less if the breaks fill the shift.

    Examples
    --------
    >>> from coachbuilder.programme.sections.common import ShiftSection
    >>> net_hours_per_year(
    ...     ShiftSection.model_validate(
    ...         {"shifts_per_day": 2, "shift_length_h": 8, "break_per_shift_min": 30, "working_days_per_year": 250}
    ...     )
    ... )
    3750.0
    """
    net_shift_h = shifts.shift_length_h.value - shifts.break_per_shift_min.value / MINUTES_PER_HOUR
    return shifts.shifts_per_day * shifts.working_days_per_year.value * net_shift_h


def takt_s(units_per_year: float, net_hours_per_year: float, availability: float) -> float:
    """Return the takt: the time between two cars that leave the line while it runs.

    Parameters
    ----------
    units_per_year
        Cars to be built in a year, above 0.
    net_hours_per_year
        Net shift time, see :func:`net_hours_per_year`.
    availability
        Share of the net shift time in which the line is expected to run.

    Returns
    -------
    float
        Takt in seconds: net time x availability / rate.

    Raises
    ------
    ValueError
        If the rate is not above 0: a line without cars has no takt.

    Examples
    --------
    >>> takt_s(180_000, 3750, 0.9)
    67.5
    """
    if units_per_year <= 0:
        message = f"takt needs a rate above 0 cars a year, not {units_per_year:g}"
        raise ValueError(message)
    return net_hours_per_year * SECONDS_PER_HOUR * availability / units_per_year


def mix_shares(units_per_year: Mapping[str, float]) -> dict[str, float]:
    """Return each model's share of the cars built.

    Parameters
    ----------
    units_per_year
        Cars a year by model.

    Examples
    --------
    >>> mix_shares({"a": 3.0, "b": 1.0})
    {'a': 0.75, 'b': 0.25}
    """
    total = sum(units_per_year.values())
    return {model: units / total if total > 0 else 0.0 for model, units in units_per_year.items()}


def mean_over_mix(time_s: Sequence[float], units_per_year: Sequence[float]) -> float:
    """Return the average time of a task over the cars built, s; 0 where none is.

    Parameters
    ----------
    time_s
        Time on each model.
    units_per_year
        Cars a year of each model.

    Examples
    --------
    >>> mean_over_mix([40.0, 60.0], [3.0, 1.0])
    45.0
    """
    total = sum(units_per_year)
    return sum(s * units for s, units in zip(time_s, units_per_year, strict=True)) / total if total > 0 else 0.0


def joint_precedence(predecessors: Sequence[Sequence[int]], kept: Sequence[bool]) -> list[tuple[int, ...]]:
    """Return the precedence among the kept tasks; a path through tasks left out stays an arc.

    Models miss tasks. The joint graph of those built has every task that one of them needs, and whatever came
    before a missing task still comes before what followed it.

    Parameters
    ----------
    predecessors
        For each task the positions of its direct predecessors; the graph has no circle.
    kept
        For each task whether it is part of the joint graph.

    Returns
    -------
    list of tuple of int
        For each task its kept predecessors, in rising order; empty for a task that is not kept.

    Examples
    --------
    >>> joint_precedence([(), (0,), (1,)], [True, False, True])
    [(), (), (0,)]
    """
    carried: list[set[int]] = [set() for _ in predecessors]
    for task in topological_order(predecessors):
        for before in predecessors[task]:
            if kept[before]:
                carried[task].add(before)
            else:
                carried[task] |= carried[before]
    return [tuple(sorted(before)) if kept[task] else () for task, before in enumerate(carried)]


def topological_order(predecessors: Sequence[Sequence[int]]) -> list[int]:
    """Return an order of the tasks in which each stands behind its predecessors; the lowest number first.

    Parameters
    ----------
    predecessors
        For each task the positions of its direct predecessors.

    Raises
    ------
    ValueError
        If the graph has a circle.

    Examples
    --------
    >>> topological_order([(2,), (), (1,)])
    [1, 2, 0]
    """
    from heapq import heapify, heappop, heappush

    waiting = [len(set(before)) for before in predecessors]
    followers: list[list[int]] = [[] for _ in predecessors]
    for task, before in enumerate(predecessors):
        for earlier in set(before):
            followers[earlier].append(task)
    ready = [task for task, count in enumerate(waiting) if count == 0]
    heapify(ready)
    order: list[int] = []
    while ready:
        task = heappop(ready)
        order.append(task)
        for later in followers[task]:
            waiting[later] -= 1
            if waiting[later] == 0:
                heappush(ready, later)
    if len(order) < len(predecessors):
        message = "the precedence graph has a circle"
        raise ValueError(message)
    return order


__all__ = ["joint_precedence", "mean_over_mix", "mix_shares", "net_hours_per_year", "takt_s", "topological_order"]
