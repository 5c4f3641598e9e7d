"""Answers a file of the simple problem: the fewest stations for a takt, or the smallest takt for the stations."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from coachbuilder.formats.assembly_line import AssemblyLine
from coachbuilder.plant.balance.interface import SimpleBalance, TaktBalance
from coachbuilder.plant.balance.simple import salbp1
from coachbuilder.plant.balance.smallest_takt import salbp2
from coachbuilder.programme.errors import ProblemList

MOST_TASKS = 3_000


@dataclass(frozen=True, slots=True)
class SimpleLineAnswer:
    """A balanced simple line, and how good it is known to be."""

    stations: int
    """Stations: fewest found, or as many as were to be had."""
    takt: int
    """Takt in the file's unit of time: as given, or the smallest found."""
    lower_bound: int
    """No assignment has fewer stations or, where the stations were given, a smaller takt."""
    proven: bool
    """True if no assignment is better."""
    gap: float
    """What was found over the lower bound, less 1."""
    time_s: float
    """Duration of the search."""
    assignment: dict[str, int]
    """Station by task, both numbered from 1."""
    memory_reached: bool
    """Whether the search ran out of the memory that it may fill."""
    takt_given: bool
    """True if stations were sought for a takt, false if a takt was sought for stations."""
    loads: tuple[int, ...]
    """Work of each station."""
    tasks: tuple[tuple[int, ...], ...]
    """Tasks of each station, numbered from 1."""


def answer_line(
    line: AssemblyLine,
    file: str,
    *,
    takt: int | None = None,
    stations: int | None = None,
    time_limit_s: float = 60.0,
    memory_mb: int = 2048,
    progress: Callable[[SimpleLineAnswer], None] | None = None,
) -> SimpleLineAnswer:
    """Balance the line of a file.

    Parameters
    ----------
    line
        Tasks and precedence; its cycle time is the takt if neither ``takt`` nor ``stations`` is given.
    file
        Its name, for the errors.
    takt
        Takt for which the fewest stations are sought.
    stations
        Stations for which the smallest takt is sought.
    time_limit_s
        Time after which the search ends.
    memory_mb
        Memory that the search may fill.
    progress
        Called with every better answer, the first one early.

    Raises
    ------
    InputError
        If there is neither takt nor stations, or both, a task is longer than the takt, there are more stations than
        tasks, or the line is too large.

    Examples
    --------
    >>> answer_line(AssemblyLine((4, 3, 3, 2), ((), (0,), (0,), (1, 2)), 6), "small.alb").assignment
    {'1': 1, '2': 2, '3': 2, '4': 3}
    """
    given = takt if takt is not None else None if stations is not None else line.cycle_time
    _check(line, file, takt, stations, given)
    _compile_kernels(smallest_takt=given is None)
    started = time.monotonic()

    told: list[SimpleLineAnswer] = []

    def tell(found: SimpleBalance | TaktBalance) -> None:
        told.append(_answer(line, found, given, time.monotonic() - started))
        if progress is not None:
            progress(told[-1])

    if given is None and stations is not None:
        tell(
            salbp2(
                line.times, line.predecessors, stations, time_limit_s=time_limit_s, memory_mb=memory_mb, progress=tell
            )
        )
        return told[-1]
    # A takt beyond all the work changes nothing but may exceed what a machine's whole number holds.
    searched = max(1, min(given or 0, sum(line.times)))
    tell(salbp1(line.times, line.predecessors, searched, time_limit_s=time_limit_s, memory_mb=memory_mb, progress=tell))
    return told[-1]


def _compile_kernels(*, smallest_takt: bool) -> None:
    """Answer a tiny line first: the time limit is one for the search, not for the compiler on the first run."""
    times, predecessors = (4, 3, 3, 2, 4, 3), ((), (0,), (0,), (1, 2), (), (4,))
    salbp1(times, predecessors, 6, most_nodes=1_000)
    if smallest_takt:
        salbp2(times, predecessors, 3, most_nodes=1_000)


def _check(line: AssemblyLine, file: str, takt: int | None, stations: int | None, given: int | None) -> None:
    problems = ProblemList(file)
    count = len(line.times)
    if count > MOST_TASKS:
        problems.add("number of tasks", f"{count} tasks", f"at most {MOST_TASKS}")
    if takt is not None and stations is not None:
        problems.add("--stations", "both --takt and --stations", "one of them; the other one is the answer")
    if stations is not None and stations > count:
        problems.add("--stations", f"{stations} stations", f"at most as many as tasks, {count}")
    if given is None and stations is None:
        problems.add("cycle time", "no takt", "--takt, or --stations to find the smallest takt")
    if given is not None and given < max(line.times):
        longest = max(range(count), key=lambda task: line.times[task])
        problems.add(
            "--takt" if takt is not None else "cycle time", given, f"{line.times[longest]} or more, as task "
            f"{longest + 1} lasts that long",
        )  # fmt: skip
    problems.raise_if_any()


def _answer(
    line: AssemblyLine, found: SimpleBalance | TaktBalance, takt: int | None, time_s: float
) -> SimpleLineAnswer:
    tasks: list[list[int]] = [[] for _ in range(found.stations)]
    for task, station in enumerate(found.assignment, start=1):
        tasks[station - 1].append(task)
    reached = found.takt if isinstance(found, TaktBalance) else found.stations
    return SimpleLineAnswer(
        stations=found.stations,
        takt=found.takt if isinstance(found, TaktBalance) else takt or 0,
        lower_bound=found.lower_bound,
        proven=found.proven,
        gap=(reached - found.lower_bound) / max(1, found.lower_bound),
        time_s=time_s,
        assignment={str(task): station for task, station in enumerate(found.assignment, start=1)},
        memory_reached=found.memory_reached,
        takt_given=takt is not None,
        loads=tuple(sum(line.times[task - 1] for task in at) for at in tasks),
        tasks=tuple(tuple(at) for at in tasks),
    )


__all__ = ["SimpleLineAnswer", "answer_line"]
