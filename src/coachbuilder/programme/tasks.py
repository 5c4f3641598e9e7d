"""Reads tasks.csv: the work elements of every model, with every mistake told by line and column."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coachbuilder.programme.errors import ProblemList, closest
from coachbuilder.programme.loading import read_text
from coachbuilder.programme.sections.assembly import Height, Zone

LARGEST_TASKS_BYTES = 32 * 1024 * 1024
"""A line has some thousand work elements, a few hundred kilobytes; more than this is some other file."""

FIXED_COLUMNS = ("id", "name", "area", "zone", "predecessors", "station", "equipment", "operators")
"""Columns in front of the models' times."""

FURTHER_COLUMNS = ("height", "skill", "ergonomic_points", "same_station", "other_station")
"""Columns that a file may leave out."""

TIME_SUFFIX = "_time_s"
CREWS = {"1": 1, "2": 2}
ZONES = tuple(zone.value for zone in Zone)
HEIGHTS = tuple(height.value for height in Height)


@dataclass(frozen=True, slots=True)
class Task:
    """A work element: the smallest piece of work that goes to one station as a whole.

    Parameters
    ----------
    id
        Identifier.
    name
        Name that people on the line know.
    area
        Part of the car or shop, for grouping only.
    zone
        Zone of the car where it is done; empty for any.
    predecessors
        Tasks that must be finished before it starts.
    station
        The one station that must do it; empty if there is none.
    equipment
        Equipment that must stand at the station; empty if it needs none.
    operators
        Operators who do it together, 1 or 2; the time is how long they take, not the sum.
    time_s
        Seconds on each model; 0 where the model does not have it.
    line
        Line in the file, from 1.
    height
        Height or tilt of the car that it needs; empty for any.
    skill
        Skill that everyone who does it must have; empty for none.
    ergonomic_points
        Load on each operator who does it, each time it is done.
    same_station
        Tasks with which it must share a station.
    other_station
        Tasks with which it must not share a station.
    """

    id: str
    name: str
    area: str
    zone: str
    predecessors: tuple[str, ...]
    station: str
    equipment: str
    operators: int
    time_s: Mapping[str, float]
    line: int
    height: str = ""
    skill: str = ""
    ergonomic_points: float = 0.0
    same_station: tuple[str, ...] = ()
    other_station: tuple[str, ...] = ()


def read_tasks(path: Path, model_ids: Sequence[str], problems: ProblemList) -> tuple[Task, ...]:
    """Read the work elements; mistakes are noted in ``problems`` rather than raised.

    Parameters
    ----------
    path
        The csv file: a header, then one work element a line; several tasks in a cell are separated by semicolons.
        The columns of ``FURTHER_COLUMNS`` may be left out.
    model_ids
        Models of the plant; each has a column ``<id>_time_s``.
    problems
        Where mistakes are noted, under the file's own name.

    Returns
    -------
    tuple of Task
        Every line that could be read. If anything was noted the tuple is not to be used.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "tasks.csv"
    ...     header = "id,name,area,zone,predecessors,station,equipment,operators,sedan_time_s"
    ...     _ = file.write_text(header + chr(10) + "A1,Fit mat,trim,inside,,,,1,21.5" + chr(10))
    ...     problems = ProblemList("tasks.csv")
    ...     (task,) = read_tasks(file, ["sedan"], problems)
    >>> task.zone, dict(task.time_s), len(problems)
    ('inside', {'sedan': 21.5}, 0)
    """
    text = read_text(path, problems, LARGEST_TASKS_BYTES)
    if text is None:
        return ()
    reader = _Reader(path.name, tuple(model_ids), problems)
    return reader.read(reader.rows_of(text))


def read_task_rows(
    rows: Iterator[tuple[int, list[str]]], file: str, model_ids: Sequence[str], problems: ProblemList
) -> tuple[Task, ...]:
    """Read work elements from rows that stand elsewhere than in a csv file, by the same rules as :func:`read_tasks`.

    Parameters
    ----------
    rows
        The header and then one work element a row, each with its number.
    file
        Under which name mistakes are noted; their line is the row's number.
    model_ids
        Models of the plant.
    problems
        Where mistakes are noted.
    """
    return _Reader(file, tuple(model_ids), problems, counted="row").read(rows)


class _Reader:
    """One pass through a table of tasks."""

    def __init__(self, file: str, model_ids: tuple[str, ...], problems: ProblemList, *, counted: str = "line") -> None:
        self._file = file
        self._counted = counted
        self._models = model_ids
        self._columns = (*FIXED_COLUMNS, *(model + TIME_SUFFIX for model in model_ids))
        self._known = (*self._columns, *FURTHER_COLUMNS)
        self._problems = problems

    def _note(self, field: str, found: object, expected: str, line: int | None = None, hint: str = "") -> None:
        self._problems.add(field, found, expected, line=line, hint=hint, file=self._file)

    def read(self, rows: Iterator[tuple[int, list[str]]]) -> tuple[Task, ...]:
        header = next(rows, None)
        if header is None:
            self._note("file", "an empty file", f"a header with the columns {', '.join(self._columns)}")
            return ()
        places = self._places([name.strip() for name in header[1]], header[0])
        tasks: list[Task] = []
        first_line: dict[str, int] = {}
        width = len(header[1])
        for line, cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != width:
                hint = "put text with a comma into double quotes" if len(cells) > width else ""
                self._note("row", f"{len(cells)} cells", f"{width} cells, as in the header", line, hint)
                continue
            row = {name: cells[place].strip() for name, place in places.items()}
            if all(name in places for name in self._columns):
                task = self._task(row, line)
                if task.id in first_line:
                    earlier = f"{self._counted} {first_line[task.id]}"
                    self._note("id", task.id, f"an identifier used once; {earlier} has it", line)
                first_line.setdefault(task.id, line)
                tasks.append(task)
        if not tasks and not len(self._problems):
            self._note("file", "a header alone", "at least one work element")
        self._check_predecessors(tasks)
        self._check_company(tasks)
        return tuple(tasks)

    def rows_of(self, text: str) -> Iterator[tuple[int, list[str]]]:
        if "\0" in text:
            self._note("file", "a zero byte", "text", text.count("\n", 0, text.index("\0")) + 1)
            text = text.replace("\0", "")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        line = 0
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._note("row", str(error), "comma-separated cells", reader.line_num)
                return
            if row or line:
                yield line + 1, row
            line = reader.line_num

    def _places(self, header: list[str], line: int) -> dict[str, int]:
        places: dict[str, int] = {}
        missing = [name for name in self._columns if name not in header]
        for place, name in enumerate(header):
            if name not in self._known:
                self._note(
                    f"column {place + 1}",
                    f"the unknown column {name!r}",
                    f"one of {', '.join(self._known)}",
                    line,
                    closest(name, [*missing, *FURTHER_COLUMNS] if missing else self._known),
                )
            elif name in places:
                self._note(name, "the column twice", "each column once", line)
            else:
                places[name] = place
        for name in missing:
            self._note(name, "no such column", f"the column {name}", line)
        return places

    def _task(self, row: Mapping[str, str], line: int) -> Task:
        for name in ("id", "name"):
            if not row[name]:
                self._note(name, "an empty cell", "a text", line)
        if len(row["id"]) and (";" in row["id"] or " " in row["id"]):
            self._note("id", row["id"], "an identifier without spaces and semicolons", line)
        zone = row["zone"]
        if zone and zone not in ZONES:
            self._note("zone", zone, f"empty or one of {', '.join(ZONES)}", line, closest(zone, ZONES))
        height = row.get("height", "")
        if height and height not in HEIGHTS:
            self._note("height", height, f"empty or one of {', '.join(HEIGHTS)}", line, closest(height, HEIGHTS))
        before = len(self._problems)
        time_s = {model: self._time(row[model + TIME_SUFFIX], model + TIME_SUFFIX, line) for model in self._models}
        if len(self._problems) == before and not any(time_s.values()):
            columns = ", ".join(model + TIME_SUFFIX for model in self._models)
            self._note(columns, "no time on any model", "a time above 0 on at least one model", line)
        return Task(
            id=row["id"],
            name=row["name"],
            area=row["area"],
            zone=zone,
            predecessors=_several(row["predecessors"]),
            station=row["station"],
            equipment=row["equipment"],
            operators=self._operators(row["operators"], line),
            time_s=time_s,
            line=line,
            height=height,
            skill=row.get("skill", ""),
            ergonomic_points=self._points(row.get("ergonomic_points", ""), line),
            same_station=_several(row.get("same_station", "")),
            other_station=_several(row.get("other_station", "")),
        )

    def _time(self, cell: str, column: str, line: int) -> float:
        return self._number(cell, column, "a number of seconds, 0 or more", line)

    def _points(self, cell: str, line: int) -> float:
        return self._number(cell, "ergonomic_points", "a number of points, 0 or more", line)

    def _number(self, cell: str, column: str, expected: str, line: int) -> float:
        if not cell:
            return 0.0
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or number < 0 or "_" in cell:
            self._note(column, cell, expected, line)
            return 0.0
        return number

    def _operators(self, cell: str, line: int) -> int:
        if not cell:
            return 1
        if cell not in CREWS:
            self._note("operators", cell, f"a whole number from 1 to {len(CREWS)}", line)
            return 1
        return CREWS[cell]

    def _check_predecessors(self, tasks: Sequence[Task]) -> None:
        by_id = {task.id: task for task in tasks}
        for task in tasks:
            for name in task.predecessors:
                if name == task.id:
                    self._note("predecessors", name, "another work element than itself", task.line)
                elif name not in by_id:
                    hint = closest(name, by_id)
                    self._note("predecessors", name, "the id of a work element in this file", task.line, hint)
        circle = _find_circle(by_id)
        if circle:
            self._note(
                "predecessors",
                " -> ".join([*circle, circle[0]]),
                "a precedence graph without a circle",
                by_id[circle[0]].line,
                "take one of these predecessors out",
            )

    def _check_company(self, tasks: Sequence[Task]) -> None:
        by_id = {task.id: task for task in tasks}
        for task in tasks:
            for column, names in (("same_station", task.same_station), ("other_station", task.other_station)):
                for name in names:
                    if name == task.id:
                        self._note(column, name, "another work element than itself", task.line)
                    elif name not in by_id:
                        hint = closest(name, by_id)
                        self._note(column, name, "the id of a work element in this file", task.line, hint)


def _several(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in cell.split(";") if part.strip()))


def _find_circle(by_id: Mapping[str, Task]) -> list[str]:
    """Return the tasks of one circle, each before the next, or an empty list."""
    done: set[str] = set()
    for start in by_id:
        if start in done:
            continue
        path: list[str] = []
        on_path: dict[str, int] = {}
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            name, position = stack.pop()
            if position == 0:
                on_path[name] = len(path)
                path.append(name)
            before = by_id[name].predecessors
            while position < len(before) and (
                before[position] == name or before[position] not in by_id or before[position] in done
            ):
                position += 1
            if position == len(before):
                done.add(name)
                del on_path[name]
                path.pop()
                continue
            earlier = before[position]
            if earlier in on_path:
                return path[on_path[earlier] :][::-1]
            stack.append((name, position + 1))
            stack.append((earlier, 0))
    return []


__all__ = ["LARGEST_TASKS_BYTES", "Task", "read_task_rows", "read_tasks"]
