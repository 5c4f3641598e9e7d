"""Reads line.csv: who does which work element at which station today, with every mistake told by line and column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coachbuilder.programme.errors import ProblemList, closest
from coachbuilder.programme.loading import csv_records

LARGEST_LINE_BYTES = 32 * 1024 * 1024
"""A line has some thousand work elements, a hundred kilobytes; more than this is some other file."""

COLUMNS = ("task", "station", "operator")
SECOND = "second_operator"
MOST_OPERATORS = 16
"""Operators at one place of a station, as in plant.toml."""


@dataclass(frozen=True, slots=True)
class LinePlace:
    """Where a work element is done today.

    Parameters
    ----------
    task
        Identifier in tasks.csv.
    station
        Station.
    operators
        Who does it, numbered from 1 at each place of the station; the first stands where the task's zone can be
        reached.
    line
        Line in the file, from 1.
    """

    task: str
    station: str
    operators: tuple[int, ...]
    line: int


def read_line(path: Path, task_ids: Sequence[str], problems: ProblemList) -> tuple[LinePlace, ...]:
    """Read today's assignment; mistakes are noted in ``problems`` rather than raised.

    Parameters
    ----------
    path
        The csv file with the columns task, station, operator and, if there are such, second_operator. The tasks of a
        station stand in working order.
    task_ids
        Work elements of tasks.csv.
    problems
        Where mistakes are noted, under the file's own name.

    Returns
    -------
    tuple of LinePlace
        Every line in the order of the file. If anything was noted the tuple is not to be used.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "line.csv"
    ...     _ = file.write_text("task,station,operator" + chr(10) + "A1,T01,2" + chr(10))
    ...     problems = ProblemList("line.csv")
    ...     (place,) = read_line(file, ["A1"], problems)
    >>> place.station, place.operators, len(problems)
    ('T01', (2,), 0)
    """
    known = set(task_ids)
    places: list[LinePlace] = []
    seen: dict[str, int] = {}
    for line, row in csv_records(path, COLUMNS, (SECOND,), problems, LARGEST_LINE_BYTES):
        task = row["task"]
        if task not in known:
            problems.add(
                "task",
                task or "an empty cell",
                "the id of a work element in tasks.csv",
                line=line,
                hint=closest(task, known),
                file=path.name,
            )
        elif task in seen:
            problems.add("task", task, f"a work element once; line {seen[task]} has it", line=line, file=path.name)
        seen.setdefault(task, line)
        if not row["station"]:
            problems.add("station", "an empty cell", "a station", line=line, file=path.name)
        operators = _operators(row, line, path.name, problems)
        places.append(LinePlace(task, row["station"], operators, line))
    return tuple(places)


def _operators(row: dict[str, str], line: int, file: str, problems: ProblemList) -> tuple[int, ...]:
    numbers: list[int] = []
    for column in ("operator", SECOND):
        cell = row.get(column, "")
        if not cell and column == SECOND:
            continue
        number = int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= 3 else 0
        if not 1 <= number <= MOST_OPERATORS or number in numbers:
            other = " other than the first" if number in numbers else ""
            expected = f"a whole number from 1 to {MOST_OPERATORS}{other}"
            problems.add(column, cell or "an empty cell", expected, line=line, file=file)
        numbers.append(number)
    return tuple(numbers)


__all__ = ["LARGEST_LINE_BYTES", "LinePlace", "read_line"]
