"""Reads a work-content sheet back: the work elements and who does them, with every mistake told by sheet and cell."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from coachbuilder.programme.errors import InputError, Problem, ProblemList, closest, shown
from coachbuilder.programme.loading import TASKS_FILE
from coachbuilder.programme.tasks import FURTHER_COLUMNS, TIME_SUFFIX, Task, read_task_rows

WORK_CONTENT = "Work content"
"""The sheet that is read; all others explain it or sum it up."""
LINE = "Line"
"""The sheet with takt and mix, from which the sums are made."""
TAKT = "Takt (s)"
"""What stands before the takt on that sheet."""
WHICH, TODAY, WITH_GUEST = "Which line", "today's line, without the guest", "the line with the guest"
"""What stands there on which line the workbook holds."""
FINGERPRINT = "coachbuilder-work-content"
"""Property of the workbook that tells what was written into it."""

LARGEST_BYTES = 32 * 1024 * 1024
LARGEST_UNPACKED_BYTES = 64 * 1024 * 1024
"""1,500 work elements unpack to some 3 MiB; more than this is made to fill the memory, or some other file."""
LARGEST_ROW = 20_000
LARGEST_HEADER_ROW = 20
"""Rows in which the header is looked for: an engineer may put a title over it."""
LARGEST_OPERATOR = 16
"""No station has room for more."""

STATION, OPERATOR, SECOND_OPERATOR = "@station", "@operator", "@second_operator"
"""Where a work element is done: columns that tasks.csv does not have."""
AVERAGE, WORK, LIMIT, BEFORE = "@average", "@work", "@limit", "@before"
"""Columns that are computed; they are not read."""

_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


class CellKind(Enum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    COMPUTED = "computed"


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A column of the work-content sheet."""

    field: str
    """Column of tasks.csv, or one of the constants above."""
    heading: str
    """What stands over it."""
    kind: CellKind
    """What its cells hold."""
    says: str
    """What an engineer should know about it."""


_COLUMNS: Mapping[str, tuple[str, CellKind, str]] = {
    STATION: (
        "Station",
        CellKind.TEXT,
        "Where the task is done. Change it to move the task. Empty with an empty operator: no place yet.",
    ),
    OPERATOR: (
        "Operator",
        CellKind.NUMBER,
        "Who does it at that station: 1, 2, ... Everybody with the same station and number is one person; at a "
        "station with parallel lanes every lane has the same crew.",
    ),
    SECOND_OPERATOR: (
        "Second operator",
        CellKind.NUMBER,
        "The other person, for a task with a crew of 2; else empty.",
    ),
    "id": ("Task", CellKind.TEXT, "Identifier, used once, without spaces and semicolons."),
    "name": ("Name", CellKind.TEXT, "Name that people on the line know."),
    "area": ("Area", CellKind.TEXT, "Part of the car or shop, for grouping only."),
    "zone": ("Zone", CellKind.TEXT, "Zone of the car where it is done; empty for any."),
    "predecessors": (
        "Predecessors",
        CellKind.TEXT,
        "Tasks that must be finished before it starts, separated by semicolons.",
    ),
    "station": (
        "Tied to station",
        CellKind.TEXT,
        "The one station that must do it, whatever the plan; empty if there is none.",
    ),
    "equipment": ("Equipment", CellKind.TEXT, "Equipment that must stand at the station; empty if it needs none."),
    "operators": ("Crew", CellKind.NUMBER, "Operators who do it together, 1 or 2; the time is how long they take."),
    "height": ("Height", CellKind.TEXT, "Height or tilt of the car that it needs; empty for any."),
    "skill": ("Skill", CellKind.TEXT, "Skill that everyone who does it must have; empty for none."),
    "ergonomic_points": (
        "Ergonomic points",
        CellKind.NUMBER,
        "Load on each operator who does it, each time it is done; empty or 0 for none.",
    ),
    "same_station": (
        "Same station",
        CellKind.TEXT,
        "Tasks with which it must share a station, separated by semicolons.",
    ),
    "other_station": (
        "Other station",
        CellKind.TEXT,
        "Tasks with which it must not share a station, separated by semicolons.",
    ),
    AVERAGE: ("Average (s)", CellKind.COMPUTED, "Computed: the time averaged over the mix of the sheet Line."),
    WORK: (
        "Operator's work (s)",
        CellKind.COMPUTED,
        "Computed: all work of the task's operator, the busier one of two, averaged over the mix; red above the limit.",
    ),
    LIMIT: ("Limit (s)", CellKind.COMPUTED, "Computed: takt, times the parallel lanes of the station."),
    BEFORE: (
        "Station before",
        CellKind.COMPUTED,
        "Not read: where the task was done on the line that this one was made from; amber where it has moved.",
    ),
}

_LEADING = (STATION, OPERATOR, SECOND_OPERATOR, "id", "name", "zone", "operators")
_LISTS = frozenset({"predecessors", "same_station", "other_station"})
"""Columns that name several tasks."""
_COMPUTED = (AVERAGE, WORK, LIMIT, BEFORE)
_TRAILING = ("predecessors", "equipment", "station", *FURTHER_COLUMNS, "area")


def sheet_columns(model_ids: Sequence[str]) -> tuple[SheetColumn, ...]:
    """Return the columns of the work-content sheet in their order.

    Parameters
    ----------
    model_ids
        Models of the plant; each has a column with its times.

    Examples
    --------
    >>> [column.heading for column in sheet_columns(["sedan"])][:8]
    ['Station', 'Operator', 'Second operator', 'Task', 'Name', 'Zone', 'Crew', 'sedan (s)']
    """
    times = tuple(model + TIME_SUFFIX for model in model_ids)
    columns = []
    for field in (*_LEADING, *times, *_COMPUTED, *_TRAILING):
        if field in times:
            model = field.removesuffix(TIME_SUFFIX)
            says = f"Seconds on {model} as in {TASKS_FILE}; 0 or empty where {model} does not have the task."
            columns.append(SheetColumn(field, f"{model} (s)", CellKind.NUMBER, says))
        else:
            columns.append(SheetColumn(field, *_COLUMNS[field]))
    return tuple(columns)


def task_cells(task: Task) -> dict[str, str | int | float]:
    """Return what stands in the row of a work element, by the columns of tasks.csv.

    Parameters
    ----------
    task
        A work element.

    Examples
    --------
    >>> task = Task("A1", "Fit mat", "trim", "inside", ("A0", "B2"), "", "", 1, {"sedan": 21.5}, 2)
    >>> cells = task_cells(task)
    >>> cells["predecessors"], cells["sedan_time_s"]
    ('A0;B2', 21.5)
    """
    cells: dict[str, str | int | float] = {
        "id": task.id,
        "name": task.name,
        "area": task.area,
        "zone": task.zone,
        "predecessors": ";".join(task.predecessors),
        "station": task.station,
        "equipment": task.equipment,
        "operators": task.operators,
        "height": task.height,
        "skill": task.skill,
        "ergonomic_points": task.ergonomic_points or "",
        "same_station": ";".join(task.same_station),
        "other_station": ";".join(task.other_station),
    }
    cells.update({model + TIME_SUFFIX: seconds for model, seconds in task.time_s.items()})
    return cells


def fingerprint(tasks: Iterable[Task], places: Iterable[tuple[str, str, tuple[int, ...]]]) -> str:
    """Return a short text that changes with any task or place, but not with the order of stations.

    Parameters
    ----------
    tasks
        Work elements.
    places
        Task, station and operators, at each station in working order.

    Examples
    --------
    >>> one, other = ("A1", "T01", (1,)), ("A2", "T02", (1,))
    >>> fingerprint([], [one, other]) == fingerprint([], [other, one])
    True
    >>> fingerprint([], [one]) == fingerprint([], [("A1", "T01", (2,))])
    False
    """

    def kept(value: str | float) -> str:
        # A workbook keeps 15 digits of a number, and not every kind of blank.
        return f"{value:.15g}" if isinstance(value, float) else " ".join(str(value).split())

    told = sorted(repr({name: kept(value) for name, value in task_cells(task).items()}) for task in tasks)
    stations: dict[str, list[str]] = {}
    for task_id, station, operators in places:
        stations.setdefault(station, []).append(f"{task_id} {operators}")
    return hashlib.sha256(repr((told, sorted(stations.items()))).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class SheetPlace:
    """Where the sheet has a work element done."""

    task: str
    """Task."""
    station: str
    """Station."""
    operators: tuple[int, ...]
    """Who does it, numbered from 1 within a lane of the station."""
    row: int
    """Row of the sheet."""


@dataclass(frozen=True, slots=True)
class WorkContent:
    """What a work-content sheet holds."""

    file: str
    """Name of the workbook."""
    tasks: tuple[Task, ...]
    """Work elements in the order of the rows; their line is the row."""
    places: tuple[SheetPlace, ...]
    """Where they are done, in the order of the rows; a task without a place is left out."""
    takt_s: float | None
    """Takt for which the sums on the sheets were made; nothing if the sheet Line does not tell it."""
    today: bool
    """True if it holds today's line, false if it holds the line with the guest."""
    fingerprint: str
    """Of tasks and places, see :func:`fingerprint`."""
    edited: bool
    """False if tasks and places are those that were written into the workbook."""
    remarks: tuple[str, ...]
    """What is no mistake but should be known, such as hidden rows."""
    letters: Mapping[str, str]
    """Letter of each column, by its field."""

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return problems that were found in the tasks, with sheet and cell instead of file and line."""
        return [_located(problem, self.file, self.letters) for problem in problems]

    def with_rows(self, text: str) -> str:
        """Return a sentence about tasks with the rows of the tasks that it names.

        Parameters
        ----------
        text
            A sentence with identifiers of tasks.
        """
        row_of = {task.id: task.line for task in self.tasks}
        rows = dict.fromkeys(row_of[word] for word in re.split(r"[\s,:;()']+", text) if word in row_of)
        if not rows:
            return text
        noun = "row" if len(rows) == 1 else "rows"
        return f"{text} ({noun} {', '.join(str(row) for row in rows)})"


def read_work_content(
    path: Path,
    *,
    model_ids: Sequence[str],
    stations: Sequence[str],
    equipment: Sequence[str],
    skills: Sequence[str] = (),
    earlier: Sequence[Task] = (),
) -> WorkContent:
    """Read a work-content sheet that ``coachbuilder fit --sheet`` wrote and an engineer edited.

    Parameters
    ----------
    path
        The workbook.
    model_ids
        Models of the plant.
    stations
        Stations of the line.
    equipment
        Equipment that stands at some station.
    skills
        Skills of the plant.
    earlier
        Tasks of the programme: a task that names one of them whose row is gone is told so.

    Returns
    -------
    WorkContent
        Tasks, their places, and remarks.

    Raises
    ------
    InputError
        With every mistake in the workbook, by sheet and cell.
    """
    book, values = _opened(path)
    reader = _SheetReader(path.name, model_ids, stations, equipment, skills, earlier)
    return reader.read(book, values)


def _opened(path: Path) -> tuple[Any, Any]:
    """Return the workbook twice: with its formulas, and with the values that Excel computed for them."""
    if not path.is_file():
        raise _refused(path, "a folder" if path.is_dir() else "nothing", f"the file {path.name}")
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST_BYTES else b""
    except OSError as error:
        raise _refused(path, error.strerror or "an unreadable file", "a file that can be read") from None
    if size > LARGEST_BYTES:
        raise _refused(path, f"{size / 2**20:.1f} MiB", f"at most {LARGEST_BYTES / 2**20:g} MiB")
    if data.startswith(_OLE2) and _ENCRYPTED in data:
        hint = "take the password off and save it again"
        raise _refused(path, "a workbook protected by a password", "a workbook without one", hint)
    if not data.startswith(b"PK"):
        found = "a workbook of Excel 97 to 2003" if data.startswith(_OLE2) else "no .xlsx workbook"
        raise _refused(path, found if data else "an empty file", "an .xlsx workbook", "save it as .xlsx")
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked <= LARGEST_UNPACKED_BYTES:
            # What openpyxl does not keep, such as a later Excel's extensions, is nothing that is read here.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return load_workbook(io.BytesIO(data)), load_workbook(io.BytesIO(data), data_only=True)
    except Exception as error:  # noqa: BLE001 - openpyxl lets errors of many kinds through for a damaged workbook
        found = f"a damaged workbook: {error or type(error).__name__}"
        hint = "open it in Excel and save it again as .xlsx"
        raise _refused(path, found, "an .xlsx workbook that can be read", hint) from None
    raise _refused(
        path,
        f"{unpacked / 2**20:.0f} MiB when unpacked",
        f"at most {LARGEST_UNPACKED_BYTES / 2**20:g} MiB",
        "clear the rows and columns below and beside the table",
    )


def _refused(path: Path, found: str, expected: str, hint: str = "") -> InputError:
    return InputError([Problem(path.name, "file", shown(found), expected, hint=hint)])


class _SheetReader:
    """One pass through a workbook."""

    def __init__(
        self,
        file: str,
        model_ids: Sequence[str],
        stations: Sequence[str],
        equipment: Sequence[str],
        skills: Sequence[str],
        earlier: Sequence[Task],
    ) -> None:
        self._file = file
        self._models = model_ids
        self._stations = stations
        self._equipment = equipment
        self._skills = skills
        self._earlier = {task.id: task for task in earlier}
        self._columns = {item.field: item for item in sheet_columns(model_ids)}
        self._read_columns = {name: item for name, item in self._columns.items() if item.kind is not CellKind.COMPUTED}
        self._places: dict[str, int] = {}
        self._letters: dict[str, str] = {}
        self._noted: list[tuple[int, int, Problem]] = []
        self._remarks: list[str] = []

    def read(self, book: Any, values: Any) -> WorkContent:
        sheet, computed = self._sheets(book, values)
        if sheet.max_row > LARGEST_ROW:
            self._note_sheet(
                f"{sheet.max_row:,} rows", f"at most {LARGEST_ROW:,}", "delete the formatted rows below the last task"
            )
            self._raise_if_any()
        header_row = self._header_row(computed)
        self._find_columns(sheet, computed, header_row)
        self._check_merged(sheet, header_row)
        rows: list[tuple[int, list[str]]] = []
        places: list[SheetPlace] = []
        hidden: list[int] = []
        task_columns = [name for name in self._read_columns if not name.startswith("@")]
        for row in range(header_row + 1, sheet.max_row + 1):
            cells = {
                name: self._cell(sheet.cell(row, place), computed.cell(row, place), name)
                for name, place in self._places.items()
            }
            if not any(cells.values()):
                continue
            if sheet.row_dimensions[row].hidden:
                hidden.append(row)
            rows.append((row, [cells.get(name, "") for name in task_columns]))
            place = self._place(cells, row)
            if place is not None:
                places.append(place)
        problems = ProblemList(self._file)
        tasks = read_task_rows(iter([(header_row, task_columns), *rows]), self._file, self._models, problems)
        self._take_over(problems)
        self._check_names(tasks)
        self._raise_if_any()
        self._say_hidden(hidden)
        if _on_line_sheet(values, WHICH) not in {TODAY, WITH_GUEST}:
            self._remarks.append(f"The sheet {LINE} does not tell which line this is; taken for {WITH_GUEST}.")
        takt = _on_line_sheet(values, TAKT)
        print_of = fingerprint(tasks, [(item.task, item.station, item.operators) for item in places])
        return WorkContent(
            file=self._file,
            tasks=tasks,
            places=tuple(places),
            takt_s=float(takt) if isinstance(takt, int | float) else None,
            today=_on_line_sheet(values, WHICH) == TODAY,
            fingerprint=print_of,
            edited=_stated(book) != print_of,
            remarks=tuple(self._remarks),
            letters=dict(self._letters),
        )

    def _note(self, row: int, field: str, found: object, expected: str, hint: str = "") -> None:
        column = self._places[field]
        cell = f"{WORK_CONTENT}!{self._letters[field]}{row}"
        self._noted.append((row, column, Problem(self._file, cell, shown(found), expected, hint=hint)))

    def _note_sheet(self, found: str, expected: str, hint: str = "") -> None:
        self._noted.append((0, 0, Problem(self._file, f"sheet {WORK_CONTENT}", shown(found), expected, hint=hint)))

    def _raise_if_any(self) -> None:
        if self._noted:
            raise InputError(item[2] for item in sorted(self._noted, key=lambda item: item[:2]))

    def _sheets(self, book: Any, values: Any) -> tuple[Any, Any]:
        wanted = WORK_CONTENT.casefold()
        found = [sheet for sheet in book.worksheets if sheet.title.strip().casefold() == wanted]
        if not found:
            names = [sheet.title for sheet in book.worksheets]
            self._note_sheet(
                f"no such sheet; there is {', '.join(names)}" if names else "no sheet with cells",
                f"the sheet {WORK_CONTENT}",
                closest(WORK_CONTENT, names),
            )
            self._raise_if_any()
        return found[0], values[found[0].title]

    def _header_row(self, sheet: Any) -> int:
        """Return the row that has most of the headings."""
        known = {_tidy(item.heading) for item in self._columns.values()}
        last = min(sheet.max_row, LARGEST_HEADER_ROW)
        counts = [
            len(known & {_tidy(cell) for cell in cells}) for cells in sheet.iter_rows(max_row=last, values_only=True)
        ]
        best = max(range(len(counts)), key=lambda place: (counts[place], -place))
        if counts[best] < 3:
            headings = ", ".join(item.heading for item in self._read_columns.values())
            self._note_sheet("no header", f"a row with the headings {headings}")
            self._raise_if_any()
        return best + 1

    def _find_columns(self, sheet: Any, computed: Any, header_row: int) -> None:
        from openpyxl.utils import get_column_letter

        by_heading = {_tidy(item.heading): item for item in self._columns.values()}
        strange: dict[str, str] = {}
        for place in range(1, sheet.max_column + 1):
            value = computed.cell(header_row, place).value
            text = _tidy(value)
            letter = get_column_letter(place)
            item = by_heading.get(text)
            if item is None:
                if text:
                    strange[shown(str(value))] = letter
            elif item.field in self._letters:
                cell = f"{WORK_CONTENT}!{letter}{header_row}"
                found = f"the heading {item.heading} twice"
                expected = f"it once; column {self._letters[item.field]} has it"
                self._noted.append((header_row, place, Problem(self._file, cell, found, expected)))
            else:
                self._letters[item.field] = letter
                if item.kind is not CellKind.COMPUTED:
                    self._places[item.field] = place
        missing = [item for item in self._read_columns.values() if item.field not in self._places]
        for item in missing:
            near = closest(item.heading, strange)
            named = {f"did you mean {name}?": f"column {letter} is called {name}" for name, letter in strange.items()}
            cell = f"{WORK_CONTENT}!{header_row}:{header_row}"
            problem = Problem(
                self._file, cell, f"no column {item.heading}", f"the heading {item.heading}", hint=named.get(near, near)
            )
            self._noted.append((header_row, 0, problem))
        if missing:
            # Rows without all their columns would only give mistakes that follow from these.
            self._raise_if_any()
        if strange:
            named_columns = [f"{name} ({letter})" for name, letter in strange.items()]
            self._remarks.append(f"Columns of your own are not read: {_listed(named_columns)}.")

    def _check_merged(self, sheet: Any, header_row: int) -> None:
        own = {place: name for name, place in self._places.items()}
        for area in sheet.merged_cells.ranges:
            if area.max_row < header_row:
                continue
            touched = [place for place in range(area.min_col, area.max_col + 1) if place in own]
            if touched:
                cell = f"{WORK_CONTENT}!{area.coord}"
                problem = Problem(self._file, cell, "merged cells", "a value in every cell", hint="unmerge them")
                self._noted.append((area.min_row, touched[0], problem))

    def _cell(self, cell: Any, computed: Any, field: str) -> str:
        """Return a cell as a text that tasks.csv could hold; note what it cannot hold."""
        item = self._columns[field]
        value = computed.value
        if cell.data_type == "f" and value is None:
            self._note(
                cell.row,
                field,
                f"the formula {getattr(cell.value, 'text', cell.value)} without a value",
                _expected(field),
                "let Excel compute it and save the file, or write the value",
            )
        elif computed.data_type == "e":
            self._note(cell.row, field, f"the error {value}", _expected(field))
        elif isinstance(value, dt.date | dt.time | dt.timedelta):
            hint = "Excel took it for a date: format the cell as a number and write it again"
            kind = "time" if isinstance(value, dt.time | dt.timedelta) else "date"
            self._note(cell.row, field, f"the {kind} {value}", _expected(field), hint)
        elif isinstance(value, bool):
            self._note(cell.row, field, str(value).upper(), _expected(field))
        elif isinstance(value, int | float):
            return _number_text(value)
        else:
            text = "" if value is None else str(value).strip()
            if field in _LISTS:
                # Lines within a cell are as good as semicolons: no identifier holds a line break.
                text = ";".join(text.splitlines())
            if not text or item.kind is CellKind.TEXT:
                return " ".join(text.splitlines())
            hint = "it is a text: convert it to a number" if _NUMBER.fullmatch(text) else ""
            self._note(cell.row, field, repr(text), _expected(field), hint)
        # A mistake is told already; a value that is well formed keeps its row from being told again.
        return "1" if item.kind is CellKind.NUMBER else ""

    def _place(self, cells: Mapping[str, str], row: int) -> SheetPlace | None:
        station = cells[STATION]
        before = len(self._noted)
        if station and station not in self._stations:
            span = f"{self._stations[0]} to {self._stations[-1]}" if self._stations else "no station"
            self._note(row, STATION, station, f"a station of the line: {span}", closest(station, self._stations))
        crew = {"": 1, "1": 1, "2": 2}.get(cells["operators"], 0)
        numbers = {name: cells[name] for name in (OPERATOR, SECOND_OPERATOR)}
        for name, text in numbers.items():
            if text and text not in _OPERATORS:
                self._note(row, name, text, _expected(name))
        if len(self._noted) > before:
            return None
        first, second = numbers[OPERATOR], numbers[SECOND_OPERATOR]
        if station and not first:
            self._note(row, OPERATOR, "nothing", "the operator at the station", "or leave the station empty too")
        elif first and not station:
            self._note(row, STATION, "nothing", "the station of the operator", "or leave the operator empty too")
        elif second and (crew == 1 or not first):
            expected = "nothing: the crew is 1" if crew == 1 else "nothing without a first operator"
            self._note(row, SECOND_OPERATOR, second, expected)
        elif station and crew == 2 and not second:
            self._note(row, SECOND_OPERATOR, "nothing", "the second operator: the crew is 2")
        elif second and second == first:
            self._note(row, SECOND_OPERATOR, second, f"another operator than {first}")
        if not station or len(self._noted) > before:
            return None
        return SheetPlace(cells["id"], station, tuple(int(text) for text in (first, second) if text), row)

    def _take_over(self, problems: Iterable[Problem]) -> None:
        """Take over what the rows' own reader found, but for cells that are told already."""
        told = {problem.field for _, _, problem in self._noted}
        for problem in problems:
            located = _located(problem, self._file, self._letters)
            if located.field not in told:
                hint = self._hint(problem)
                if hint:
                    located = replace(located, hint=hint)
                column = self._places.get(problem.field, 0)
                self._noted.append((problem.line or 0, column, located))

    def _hint(self, problem: Problem) -> str:
        """Return what to do about a name in a list of tasks that no row has, if more can be said than the closest."""
        if problem.field not in _LISTS:
            return ""
        gone = self._earlier.get(problem.found)
        if gone is None:
            return "separate tasks with semicolons" if "," in problem.found else ""
        if problem.field == "predecessors" and gone.predecessors:
            return f"its row was taken out: put in what came before it, {';'.join(gone.predecessors)}, or nothing"
        return "its row was taken out: take it out here too"

    def _check_names(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            if task.station and task.station not in self._stations:
                hint = closest(task.station, self._stations)
                self._note(task.line, "station", task.station, "a station of the line, or nothing", hint)
            if task.equipment and task.equipment not in self._equipment:
                hint = closest(task.equipment, self._equipment) or "add it under assembly.equipment in plant.toml"
                self._note(task.line, "equipment", task.equipment, "equipment that some station has", hint)
            if task.skill and task.skill not in self._skills:
                hint = closest(task.skill, self._skills) or "add it under assembly.skill in plant.toml"
                self._note(task.line, "skill", task.skill, "a skill of the plant", hint)

    def _say_hidden(self, hidden: Sequence[int]) -> None:
        if hidden:
            rows = _listed([str(row) for row in hidden])
            self._remarks.append(f"{len(hidden)} hidden rows are read like the others: {rows}.")


_NUMBER = re.compile(r"[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d{1,3})?")
_OPERATORS = frozenset(str(number) for number in range(1, LARGEST_OPERATOR + 1))


def _expected(field: str) -> str:
    if field.endswith(TIME_SUFFIX):
        return "a number of seconds, 0 or more"
    if field in {OPERATOR, SECOND_OPERATOR}:
        return f"a whole number from 1 to {LARGEST_OPERATOR}"
    if field == "ergonomic_points":
        return "a number of points, 0 or more"
    return "1 or 2" if field == "operators" else "a text"


def _located(problem: Problem, file: str, letters: Mapping[str, str]) -> Problem:
    """Return a problem of a task's line with the cell in its place."""
    if problem.line is None or problem.file not in {file, TASKS_FILE}:
        return problem
    fields = [letters[name] for name in problem.field.split(", ") if name in letters]
    if not fields:
        cell = f"{WORK_CONTENT}!{problem.line}:{problem.line} {problem.field}"
    else:
        cells = dict.fromkeys((f"{fields[0]}{problem.line}", f"{fields[-1]}{problem.line}"))
        cell = f"{WORK_CONTENT}!{':'.join(cells)}"
    return replace(problem, file=file, field=cell, line=None)


def _on_line_sheet(values: Any, name: str) -> Any:
    """Return what stands beside a name on the sheet Line; nothing if it is not there."""
    for sheet in values.worksheets:
        if sheet.title.strip().casefold() == LINE.casefold():
            rows = sheet.iter_rows(max_row=LARGEST_HEADER_ROW, min_col=1, max_col=2, values_only=True)
            return next((value for label, value in rows if _tidy(label) == _tidy(name)), None)
    return None


def _number_text(value: float) -> str:
    """Return a number as tasks.csv could hold it: whole ones without a point."""
    try:
        number = float(value)
    except OverflowError:
        return "inf"
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _stated(book: Any) -> str:
    """Return the fingerprint that was written into a workbook; empty if it is lost."""
    return next((str(item.value) for item in book.custom_doc_props.props if item.name == FINGERPRINT), "")


def _tidy(value: object) -> str:
    return "" if value is None else " ".join(str(value).split()).casefold()


def _listed(names: Sequence[str], most: int = 12) -> str:
    text = ", ".join(names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most} more"


__all__ = [
    "AVERAGE",
    "BEFORE",
    "FINGERPRINT",
    "LARGEST_OPERATOR",
    "LIMIT",
    "LINE",
    "OPERATOR",
    "SECOND_OPERATOR",
    "STATION",
    "TAKT",
    "TODAY",
    "WHICH",
    "WITH_GUEST",
    "WORK",
    "WORK_CONTENT",
    "CellKind",
    "SheetColumn",
    "SheetPlace",
    "WorkContent",
    "fingerprint",
    "read_work_content",
    "sheet_columns",
    "task_cells",
]
