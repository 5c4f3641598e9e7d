"""The work-content sheet: what is written comes back, Excel's sums are the plan's, and mistakes name their cell."""

from __future__ import annotations

import datetime as dt
import doctest
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.formula import Tokenizer

from coachbuilder.plan import Stages
from coachbuilder.plant.balance import FitResult, TaskPlace, assigned, violations
from coachbuilder.programme import InputError, Programme, load
from coachbuilder.programme import sheet as sheet_module
from coachbuilder.programme.sections.assembly import StationSection
from coachbuilder.programme.sheet import WORK_CONTENT, WorkContent, read_work_content, sheet_columns
from coachbuilder.programme.template import write_template
from coachbuilder.report import work_sheet, write_work_sheet

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Programme:
    """The template's programme with a short search, one task per kind of rule, and times that are no round numbers."""
    folder = tmp_path_factory.mktemp("programmes") / "small"
    write_template(folder)
    loaded = load(folder)
    first, second, *others = loaded.tasks
    tasks = (
        replace(first, time_s={model: round(seconds * 1.1234567, 7) for model, seconds in first.time_s.items()}),
        replace(second, height="low", ergonomic_points=0.75, other_station=(others[-1].id,)),
        *others,
    )
    fixed = [StationSection(id="T02", min_operators=3, lanes=1), StationSection(id="F02", lanes=2)]
    other_stations = [station for station in loaded.plant.assembly.station if station.id not in {"T02", "F02"}]
    segments = [
        segment.model_copy(update={"name": "=" + segment.name} if not place else {})
        for place, segment in enumerate(loaded.plant.assembly.segment)
    ]
    assembly = loaded.plant.assembly.model_copy(
        update={"evaluations": 4000, "starts": 4, "station": (*other_stations, *fixed), "segment": tuple(segments)}
    )
    scales = loaded.plant.tasks.model_copy(
        update={"guest_time_scale": replace(loaded.plant.tasks.guest_time_scale, value=1.07)}
    )
    return replace(loaded, tasks=tasks, plant=loaded.plant.model_copy(update={"assembly": assembly, "tasks": scales}))


@pytest.fixture(scope="module")
def stages(programme: Programme) -> Stages:
    return Stages(programme)


@pytest.fixture(scope="module")
def written(stages: Stages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sheets") / "work.xlsx"
    with pytest.MonkeyPatch.context() as patch:
        # Fewer ready-made rows make these tests quick.
        patch.setattr(work_sheet, "SPARE_ROWS", 8)
        write_work_sheet(stages.programme, stages.fit_inputs, stages.fit, path)
    return path


class Book:
    """A written sheet to make mistakes in."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.book = openpyxl.load_workbook(path)
        self.sheet = self.book[WORK_CONTENT]
        self.path = folder / "edited.xlsx"
        self.letters = {cell.value: cell.column_letter for cell in self.sheet[1]}
        self.rows = {cell.value: cell.row for cell in self.sheet[self.letters["Task"]] if cell.value}

    def cell(self, heading: str, row: int = 2) -> str:
        return f"{self.letters[heading]}{row}"

    def put(self, heading: str, value: object, row: int = 2) -> str:
        """Write a value; return its cell as an error names it."""
        self.sheet[self.cell(heading, row)] = value
        return f"{WORK_CONTENT}!{self.cell(heading, row)}"

    def read(self, stages: Stages) -> WorkContent:
        self.book.save(self.path)
        return read(self.path, stages)


def read(path: Path, stages: Stages) -> WorkContent:
    plant = stages.programme.plant
    return read_work_content(
        path,
        model_ids=[model.id for model in plant.model],
        stations=[station.id for station in stages.fit_inputs.stations],
        equipment=[item.id for item in plant.assembly.equipment],
        skills=[item.id for item in plant.assembly.skill],
        earlier=stages.programme.tasks,
    )


@pytest.fixture
def book(written: Path, tmp_path: Path) -> Book:
    return Book(written, tmp_path)


def told(book: Book, stages: Stages) -> dict[str, str]:
    """Return what was found by cell."""
    with pytest.raises(InputError) as raised:
        book.read(stages)
    assert all(problem.file == "edited.xlsx" and problem.expected for problem in raised.value.problems)
    return {problem.field: problem.found for problem in raised.value.problems}


# round trip


def places_of(content: WorkContent) -> list[TaskPlace]:
    return [TaskPlace(item.task, item.station, item.operators) for item in content.places]


def test_an_unchanged_sheet_gives_the_same_tasks_and_the_same_line(written: Path, stages: Stages) -> None:
    content = read(written, stages)
    assert sorted((replace(task, line=0) for task in content.tasks), key=lambda task: task.id) == sorted(
        (replace(task, line=0) for task in stages.programme.tasks), key=lambda task: task.id
    )
    assert content.remarks == ()
    assert content.takt_s == stages.fit.after.takt_s
    line, unplaced = assigned(stages.fit_inputs, places_of(content), stages.fit_inputs.units_per_year)
    planned = stages.fit.after
    assert unplaced == []
    assert line.assignment == planned.assignment
    assert (line.operators, line.stations_used, line.takt_s) == (
        planned.operators,
        planned.stations_used,
        planned.takt_s,
    )
    assert line.idle_share == pytest.approx(planned.idle_share, abs=1e-12)
    assert line.smoothness == pytest.approx(planned.smoothness, abs=1e-9)
    for ours, theirs in zip(line.stations, planned.stations, strict=True):
        assert ours.weighted_makespan_s == pytest.approx(theirs.weighted_makespan_s, abs=1e-6)
    assert violations(stages.fit_inputs, line) == []


def test_an_unchanged_sheet_keeps_the_plan(written: Path, stages: Stages) -> None:
    _, edited = stages.from_sheet(written)
    assert edited.violations == ()
    assert edited.unplaced == ()
    for line in (edited.line, edited.fit.before, edited.fit.after):
        assert line.assignment == stages.fit.after.assignment
        assert line.operators == stages.fit.operators
    assert edited.fit.moved_tasks == ()
    assert any("Nothing" in remark for remark in edited.remarks)


@pytest.fixture(scope="module")
def today(stages: Stages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Today's line, without the guest."""
    path = tmp_path_factory.mktemp("sheets") / "today.xlsx"
    write_work_sheet(stages.programme, stages.fit_inputs, stages.fit, path, today=True)
    return path


def test_an_unchanged_sheet_of_todays_line_gives_the_plan(today: Path, stages: Stages) -> None:
    _, edited = stages.from_sheet(today)
    assert edited.today
    assert edited.violations == ()
    assert edited.unplaced == ()
    assert edited.line.assignment == stages.fit.before.assignment
    assert edited.line.takt_s == stages.fit.before.takt_s
    assert edited.fit == stages.fit


def test_the_guest_is_taken_into_todays_line_as_it_was_edited(today: Path, stages: Stages, tmp_path: Path) -> None:
    book = Book(today, tmp_path)
    free = next(station for station in reversed(stages.fit.before.stations) if station.tasks)
    crew = {
        number for place in stages.fit.before.assignment if place.station == free.station for number in place.operators
    }
    only = next(place for place in reversed(stages.fit.before.assignment) if len(place.operators) == 1)
    book.put("Operator", max(crew) + 1, book.rows[only.task])
    book.book.save(book.path)
    edited_stages, edited = stages.from_sheet(book.path)
    inputs = edited_stages.fit_inputs
    assert edited.fit.before.assignment == edited.line.assignment
    assert edited.line.units_per_year[inputs.guest] == 0
    assert edited.fit.after.units_per_year[inputs.guest] > 0
    assert violations(inputs, edited.fit.after) == []
    assert edited.line.operators == stages.fit.before.operators + (1 if only.station == free.station else 0)


def test_an_edited_line_is_balanced_again_within_all_rules(book: Book, stages: Stages) -> None:
    """Work that takes a tenth of the time leaves operators over, though the edited line breaks no rule."""
    model = stages.fit_inputs.models[0]
    for row in range(2, 2 + len(stages.programme.tasks)):
        book.put(f"{model} (s)", 0.1 * book.sheet[book.cell(f"{model} (s)", row)].value, row)
    book.book.save(book.path)
    edited_stages, edited = stages.from_sheet(book.path)
    assert edited.violations == ()
    assert edited.fit.before.assignment == edited.line.assignment
    assert edited.fit.operators < edited.line.operators
    assert violations(edited_stages.fit_inputs, edited.fit.after) == []
    moved = {place.task: place.station for place in edited.fit.after.assignment}
    assert {move.task for move in edited.fit.moved_tasks} == {
        place.task for place in edited.line.assignment if moved[place.task] != place.station
    }
    assert edited.fit.trade_off[0].operators >= edited.fit.trade_off[-1].operators


def test_an_unchanged_sheet_of_another_takt_is_balanced_again(written: Path, stages: Stages) -> None:
    plant = stages.programme.plant
    availability = replace(plant.plant.planning_availability, value=0.9 * plant.plant.planning_availability.value)
    other = plant.plant.model_copy(update={"planning_availability": availability})
    _, edited = Stages(replace(stages.programme, plant=plant.model_copy(update={"plant": other}))).from_sheet(written)
    assert any("takt" in remark for remark in edited.remarks)
    assert edited.violations
    assert edited.fit.after.operators > edited.line.operators


def test_sheet_says_for_every_cell_what_tasks_csv_says(written: Path, stages: Stages) -> None:
    sheet = openpyxl.load_workbook(written)[WORK_CONTENT]
    letters = {cell.value: cell.column_letter for cell in sheet[1]}
    by_id = {task.id: task for task in stages.programme.tasks}
    place = {item.task: item for item in stages.fit.after.assignment}
    before = {item.task: item.station for item in stages.fit.before.assignment}
    seen = []
    for row in range(2, 2 + len(by_id)):
        task = by_id[sheet[f"{letters['Task']}{row}"].value]
        seen.append(task.id)
        assert sheet[f"{letters['Station before']}{row}"].value == before.get(task.id)
        for model, seconds in task.time_s.items():
            assert sheet[f"{letters[f'{model} (s)']}{row}"].value == seconds
        assert sheet[f"{letters['Station']}{row}"].value == place[task.id].station
        assert sheet[f"{letters['Operator']}{row}"].value == place[task.id].operators[0]
        assert (sheet[f"{letters['Predecessors']}{row}"].value or "") == ";".join(task.predecessors)
    assert seen == [item.task for item in stages.fit.after.assignment]
    moves = [[cell.value for cell in row] for row in openpyxl.load_workbook(written)["Moves"].iter_rows(min_row=2)]
    assert sorted((row[2], row[0], row[1], row[5]) for row in moves) == sorted(
        (move.task, move.from_station, move.to_station, move.says) for move in stages.fit.moved_tasks
    )


def test_edits_of_every_kind_come_back(book: Book, stages: Stages) -> None:
    row = next(row for row in range(2, 20) if book.sheet[book.cell("Crew", row)].value == 1)
    changed = book.sheet[book.cell("Task", row)].value
    model = stages.programme.plant.model[0].id
    other = stages.fit_inputs.stations[-1].id
    book.put("Station", other, row)
    book.put("Operator", 2, row)
    book.put(f"{model} (s)", 12.5, row)
    book.put("Name", "Fit the other part", row)
    book.put("Zone", None, row)
    last = 2 + len(stages.programme.tasks)
    new = {"Task": "new-one", "Name": "New", "Crew": 2, f"{model} (s)": 9, "Predecessors": f"{changed}; {changed}"}
    for heading, value in new.items():
        # Some rows below the last task stay empty.
        book.put(heading, value, last + 3)
    content = book.read(stages)
    task = next(task for task in content.tasks if task.id == changed)
    assert (task.name, task.zone, task.time_s[model], task.line) == ("Fit the other part", "", 12.5, row)
    place = next(place for place in content.places if place.task == changed)
    assert (place.station, place.operators, place.row) == (other, (2,), row)
    added = content.tasks[-1]
    assert (added.id, added.operators, added.predecessors, added.line) == ("new-one", 2, (changed,), last + 3)
    assert "new-one" not in {place.task for place in content.places}


def test_a_row_taken_out_is_a_task_less_and_its_followers_are_told(book: Book, stages: Stages) -> None:
    before = {name for task in stages.programme.tasks for name in task.predecessors}
    company = {name for task in stages.programme.tasks for name in (*task.same_station, *task.other_station)}
    alone = next(task.id for task in reversed(stages.programme.tasks) if task.id not in before | company)
    book.sheet.delete_rows(book.rows[alone])
    assert alone not in {task.id for task in book.read(stages).tasks}
    needed = next(task.id for task in stages.programme.tasks if task.id in before)
    book.rows = {cell.value: cell.row for cell in book.sheet[book.letters["Task"]] if cell.value}
    book.sheet.delete_rows(book.rows[needed])
    with pytest.raises(InputError) as raised:
        book.read(stages)
    assert {problem.found for problem in raised.value.problems} == {needed}
    for problem in raised.value.problems:
        assert problem.field.startswith(f"{WORK_CONTENT}!{book.letters['Predecessors']}")
        assert "taken out" in problem.hint


def test_columns_in_another_order_a_title_and_own_columns_do_no_harm(book: Book, stages: Stages) -> None:
    sheet = book.sheet
    wide = sheet.max_column
    for row in range(1, sheet.max_row + 1):
        values = [sheet.cell(row, place).value for place in range(1, wide + 1)]
        for place, value in enumerate([*reversed(values), "mine" if row == 1 else "a note"], start=1):
            sheet.cell(row, place).value = value
    sheet.insert_rows(1, 2)
    sheet["A1"] = "Line 2, walked on Tuesday"
    # Notes of one's own keep no row from being empty.
    content = book.read(stages)
    assert {task.id: task.time_s for task in content.tasks} == {task.id: task.time_s for task in stages.programme.tasks}
    assert [(item.task, item.station, item.operators) for item in content.places] == [
        (item.task, item.station, item.operators) for item in stages.fit.after.assignment
    ]
    assert any("mine" in remark for remark in content.remarks)


def test_hidden_rows_are_read_and_said(book: Book, stages: Stages) -> None:
    book.sheet.row_dimensions[5].hidden = True
    content = book.read(stages)
    assert len(content.tasks) == len(stages.programme.tasks)
    assert any("hidden" in remark and "5" in remark for remark in content.remarks)


def test_text_that_looks_like_a_formula_stays_text(stages: Stages, tmp_path: Path) -> None:
    tasks = (replace(stages.programme.tasks[0], name='=HYPERLINK("x")', area="@sum"), *stages.programme.tasks[1:])
    path = tmp_path / "work.xlsx"
    write_work_sheet(replace(stages.programme, tasks=tasks), stages.fit_inputs, stages.fit, path)
    cells = [cell for row in openpyxl.load_workbook(path)[WORK_CONTENT].iter_rows(min_row=2) for cell in row]
    assert [cell.data_type for cell in cells if cell.value in ('=HYPERLINK("x")', "@sum")] == ["s", "s"]
    assert read(path, stages).tasks[0].name == '=HYPERLINK("x")'


# Excel's own sums


class Text(str):
    """A text as a spreadsheet compares it: above every number."""

    __hash__ = str.__hash__

    def __gt__(self, other: object) -> bool:
        return not isinstance(other, str) or str.__gt__(self, other)


class Blank(float):
    """An empty cell as a spreadsheet compares it: equal to 0 and to an empty text."""

    __hash__ = float.__hash__

    def __eq__(self, other: object) -> bool:
        return other == "" or float.__eq__(self, other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other


def evaluated(book: Any, sheet: str, cell: str, known: dict[tuple[str, str], Any]) -> Any:
    """Compute one cell as a spreadsheet would, for the few functions that the sheet uses."""
    if (sheet, cell) not in known:
        value = book[sheet][cell].value
        known[sheet, cell] = (
            _formula(book, sheet, value, known) if isinstance(value, str) and value.startswith("=") else value
        )
    return known[sheet, cell]


def _formula(book: Any, sheet: str, formula: str, known: dict[tuple[str, str], Any]) -> Any:
    def reference(text: str) -> Any:
        place, _, area = text.rpartition("!")
        there = place.strip("'") or sheet
        cells = book[there][area.replace("$", "")]
        if not isinstance(cells, tuple):
            return evaluated(book, there, cells.coordinate, known)
        values = [evaluated(book, there, cell.coordinate, known) for row in cells for cell in row]
        return np.array([Blank() if v is None else Text(v) if isinstance(v, str) else v for v in values], dtype=object)

    def fits(values: Any, wanted: Any) -> Any:
        if isinstance(wanted, str) and wanted.startswith(">"):
            return np.array([isinstance(value, int | float) and value > float(wanted[1:]) for value in values])
        return np.array([value == wanted for value in values])

    def meets(*tests: Any) -> Any:
        return np.logical_and.reduce([fits(*pair) for pair in zip(tests[::2], tests[1::2], strict=True)])

    def numbers(values: Any) -> Any:
        return np.array([float(v) if isinstance(v, int | float | np.number | np.bool_) else 0.0 for v in values])

    def countifs(*tests: Any) -> Any:
        if isinstance(tests[-1], list):
            return np.array([meets(*tests[:-1], one).sum() for one in tests[-1]])
        return meets(*tests).sum()

    def product(*arrays: Any) -> float:
        return float(np.prod([numbers(np.atleast_1d(array)) for array in arrays], axis=0).sum())

    def looked_up(key: Any, table: Any, column: int, _: Any) -> Any:
        rows = table.reshape(-1, 5)
        return next(row[int(column) - 1] for row in rows if row[0] == key)

    names: dict[str, Callable[..., Any]] = {
        "REF": reference,
        "SUMIFS": lambda values, *tests: float((numbers(values) * meets(*tests)).sum()),
        "COUNTIFS": countifs,
        "COUNTIF": countifs,
        "SUMPRODUCT": product,
        "SUM": lambda values: float(numbers(values).sum()),
        "COUNT": lambda values: sum(isinstance(value, int | float) for value in values),
        "MAX": lambda *values: float(max(np.max(numbers(np.atleast_1d(value))) for value in values)),
        "IF": lambda test, yes, no: yes if test else no,
        "OR": lambda *tests: any(tests),
        "IFERROR": lambda value, _: value,
        "VLOOKUP": looked_up,
        "ISNUMBER": lambda values: np.array([isinstance(value, int | float) for value in values]),
    }
    python = ""
    for token in Tokenizer(formula).items:
        text = token.value
        if token.type == "OPERAND" and token.subtype == "RANGE":
            python += f"REF({text!r})"
        elif token.type == "OPERAND" and token.subtype == "LOGICAL":
            python += text.title()
        elif token.type == "ARRAY":
            python += "[" if token.subtype == "OPEN" else "]"
        elif token.type == "ARRAYROW":
            continue
        elif token.type == "OPERATOR-INFIX":
            python += {"=": "==", "<>": "!="}.get(text, text)
        else:
            python += text
    python = python.replace("--(", "1*(")
    return eval(python, {"__builtins__": {}}, names)


def test_sums_on_the_sheets_are_those_of_the_plan(written: Path, stages: Stages) -> None:
    book = openpyxl.load_workbook(written)
    known: dict[tuple[str, str], Any] = {}
    loads = {(load.station, load.operator): load for load in stages.fit.after.operator_loads if load.lane == 1}
    lanes = {station.id: station.lanes for station in stages.fit_inputs.stations}
    models = stages.fit_inputs.models
    compared = 0
    for row in range(2, book["Operators"].max_row + 1):
        station, number, *_ = (cell.value for cell in book["Operators"][row])
        load = loads.get((station, number))
        average = evaluated(book, "Operators", openpyxl.utils.get_column_letter(5 + len(models)) + str(row), known)
        assert average == pytest.approx(load.weighted_load_s * lanes[station] if load else 0.0)
        for place, model in enumerate(models, start=5):
            seconds = evaluated(book, "Operators", openpyxl.utils.get_column_letter(place) + str(row), known)
            assert seconds == pytest.approx(load.load_s[model] * lanes[station] if load else 0.0)
        compared += load is not None
    assert compared == len(loads)
    sums = {cell.value: cell.row for cell in book["Line"]["A"] if cell.value}
    planned = stages.fit.after
    assert evaluated(book, "Line", f"C{sums['Operators on a shift']}", known) == planned.operators
    assert evaluated(book, "Line", f"C{sums['Stations used']}", known) == planned.stations_used
    assert evaluated(book, "Line", f"C{sums['Idle share']}", known) == pytest.approx(planned.idle_share)
    assert evaluated(book, "Line", f"C{sums['Tasks']}", known) == len(stages.programme.tasks)


def test_sums_follow_an_edit(book: Book, stages: Stages) -> None:
    name = "Stations where an operator has too much work"
    sums = {cell.value: cell.row for cell in book.book["Line"]["A"] if cell.value}
    assert evaluated(book.book, "Line", f"C{sums[name]}", {}) == 0
    for model in stages.fit_inputs.models:
        book.put(f"{model} (s)", 1000.0)
    assert evaluated(book.book, "Line", f"C{sums[name]}", {}) == 1


# mistakes


def _time(stages: Stages) -> str:
    return f"{stages.fit_inputs.models[0]} (s)"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("abc", "'abc'"),
        ("12,5", "'12,5'"),
        ("12.5", "'12.5'"),
        (-3, "-3"),
        (True, "TRUE"),
        (dt.datetime(2021, 3, 5), "the date 2021-03-05 00:00:00"),
        (dt.time(0, 1, 30), "the time 00:01:30"),
        ("=30*1.1", "the formula =30*1.1 without a value"),
        ("#REF!", "the error #REF!"),
    ],
)
def test_what_is_no_time_is_told_with_its_cell(book: Book, stages: Stages, value: object, found: str) -> None:
    cell = book.put(_time(stages), value)
    assert told(book, stages) == {cell: found}


@pytest.mark.parametrize(
    ("heading", "value", "found"),
    [
        ("Station", "T1", "T1"),
        ("Station", None, "nothing"),
        ("Operator", None, "nothing"),
        ("Operator", 0, "0"),
        ("Operator", 1.5, "1.5"),
        ("Operator", "two", "'two'"),
        ("Operator", 17, "17"),
        ("Second operator", 2, "2"),
        ("Crew", 3, "3"),
        ("Zone", "middle", "middle"),
        ("Equipment", "crane", "crane"),
        ("Tied to station", "Z99", "Z99"),
        ("Height", "upside down", "upside down"),
        ("Skill", "welding", "welding"),
        ("Ergonomic points", "many", "'many'"),
        ("Predecessors", "no-such-task", "no-such-task"),
        ("Same station", "no-such-task", "no-such-task"),
        ("Name", None, "an empty cell"),
        ("Task", "two words", "two words"),
        ("Task", dt.datetime(2021, 5, 3), "the date 2021-05-03 00:00:00"),
    ],
)
def test_a_wrong_cell_is_told_where_it_stands(
    book: Book, stages: Stages, heading: str, value: object, found: str
) -> None:
    # A first task with a crew of one and no followers, so that nothing else can be wrong.
    needed = {name for task in stages.programme.tasks for name in (*task.predecessors, *task.other_station)}
    name = next(task.id for task in stages.programme.tasks if task.operators == 1 and task.id not in needed)
    cell = book.put(heading, value, book.rows[name])
    assert told(book, stages) == {cell: found}


def test_a_name_nearly_right_is_answered_with_the_closest(book: Book, stages: Stages) -> None:
    book.put("Station", stages.fit_inputs.stations[3].id.lower())
    book.put("Zone", "undr", 3)
    with pytest.raises(InputError) as raised:
        book.read(stages)
    hints = [problem.hint for problem in raised.value.problems]
    assert stages.fit_inputs.stations[3].id in hints[0]
    assert "under" in hints[1]


def test_several_tasks_in_a_cell_stand_in_lines_or_behind_semicolons(book: Book, stages: Stages) -> None:
    first, second = (task.id for task in stages.programme.tasks[:2])
    row = 2 + len(stages.programme.tasks)
    new = {"Task": "new", "Name": "New", f"{stages.fit_inputs.models[0]} (s)": 1, "Predecessors": f"{first}\n{second}"}
    for heading, value in new.items():
        book.put(heading, value, row)
    assert book.read(stages).tasks[-1].predecessors == (first, second)
    cell = book.put("Predecessors", f"{first}, {second}", row)
    with pytest.raises(InputError) as raised:
        book.read(stages)
    (problem,) = raised.value.problems
    assert problem.field == cell
    assert "semicolons" in problem.hint


def test_a_crew_of_two_needs_two_different_operators(book: Book, stages: Stages) -> None:
    first, second = 4, 6
    for row in (first, second):
        book.put("Crew", 2, row)
    missing = book.put("Second operator", None, first)
    same = book.put("Second operator", book.sheet[book.cell("Operator", second)].value, second)
    assert set(told(book, stages)) == {missing, same}


def test_a_task_twice_is_told_with_the_row_that_has_it(book: Book, stages: Stages) -> None:
    needed = {name for task in stages.programme.tasks for name in (*task.predecessors, *task.other_station)}
    name = next(task.id for task in reversed(stages.programme.tasks) if task.id not in needed)
    row = book.rows[name]
    cell = book.put("Task", book.sheet[book.cell("Task")].value, row)
    book.put("Predecessors", None, row)
    with pytest.raises(InputError) as raised:
        book.read(stages)
    (problem,) = raised.value.problems
    assert problem.field == cell
    assert "row 2" in problem.expected


def test_every_mistake_is_told_at_once_in_the_order_of_the_rows(book: Book, stages: Stages) -> None:
    cells = [
        book.put("Station", "nowhere", 3),
        book.put(_time(stages), "abc", 4),
        book.put("Zone", "middle", 5),
        book.put("Predecessors", "ghost", 6),
        book.put("Equipment", "ghost", 7),
    ]
    with pytest.raises(InputError) as raised:
        book.read(stages)
    assert [problem.field for problem in raised.value.problems] == cells


def test_a_task_without_time_is_told_over_all_its_times(book: Book, stages: Stages) -> None:
    models = stages.fit_inputs.models
    for model in models:
        book.put(f"{model} (s)", None)
    first, last = book.cell(f"{models[0]} (s)"), book.cell(f"{models[-1]} (s)")
    assert told(book, stages) == {f"{WORK_CONTENT}!{first}:{last}": "no time on any model"}


def test_merged_cells_are_told_with_their_range(book: Book, stages: Stages) -> None:
    area = f"{book.cell('Operator', 3)}:{book.cell('Operator', 5)}"
    book.sheet.merge_cells(area)
    assert told(book, stages)[f"{WORK_CONTENT}!{area}"] == "merged cells"


def test_a_renamed_and_a_missing_heading_are_told(book: Book, stages: Stages) -> None:
    book.put("Predecessors", "Predecesors", 1)
    book.sheet.delete_cols(openpyxl.utils.column_index_from_string(book.letters["Area"]))
    with pytest.raises(InputError) as raised:
        book.read(stages)
    found = {problem.found: problem.hint for problem in raised.value.problems}
    assert set(found) == {"no column Predecessors", "no column Area"}
    assert found["no column Predecessors"] == f"column {book.letters['Predecessors']} is called Predecesors"


def test_a_heading_twice_is_told(book: Book, stages: Stages) -> None:
    book.sheet.cell(1, book.sheet.max_column + 1).value = "Station"
    assert list(told(book, stages).values()) == ["the heading Station twice"]


def test_a_deleted_or_renamed_sheet_is_told(book: Book, stages: Stages) -> None:
    book.sheet.title = "Work contents"
    found = told(book, stages)
    assert list(found) == [f"sheet {WORK_CONTENT}"]
    assert "Work contents" in found[f"sheet {WORK_CONTENT}"]
    del book.book["Work contents"]
    assert list(told(book, stages)) == [f"sheet {WORK_CONTENT}"]


def test_other_sheets_may_go_and_an_empty_table_is_told(book: Book, stages: Stages) -> None:
    for name in book.book.sheetnames:
        if name != WORK_CONTENT:
            del book.book[name]
    assert book.read(stages).takt_s is None
    book.sheet.delete_rows(2, book.sheet.max_row)
    assert list(told(book, stages).values()) == ["a header alone"]


def _encrypted(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"))


def _damaged(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("[Content_Types].xml", "<Types")


def _cut(path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(path)
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (_encrypted, "protected by a password"),
        (lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "Excel 97 to 2003"),
        (lambda path: path.write_text("id,name\n"), "no .xlsx workbook"),
        (lambda path: path.write_bytes(b""), "an empty file"),
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: None, "nothing"),
        (_damaged, "a damaged workbook"),
        (_cut, "a damaged workbook"),
    ],
)
def test_a_file_that_is_no_workbook_is_refused(
    stages: Stages, tmp_path: Path, make: Callable[[Path], object], found: str
) -> None:
    path = tmp_path / "work.xlsx"
    make(path)
    with pytest.raises(InputError) as raised:
        read(path, stages)
    (problem,) = raised.value.problems
    assert found in problem.found


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 20),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=12),
    st.dates(dt.date(1901, 1, 1), dt.date(2100, 1, 1)),
    st.times().map(lambda time: time.replace(microsecond=0)),
    st.sampled_from(["=1/0", "=A1", "#N/A", "#REF!", "T01", "T1", "under", "2"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.tuples(st.integers(1, 24), st.integers(1, 60), VALUES), min_size=1, max_size=6))
def test_whatever_stands_in_a_cell_is_read_or_told_by_its_cell(
    written: Path, stages: Stages, tmp_path: Path, edits: list[tuple[int, int, object]]
) -> None:
    book = Book(written, tmp_path)
    for column, row, value in edits:
        book.sheet.cell(row, column).value = value  # type: ignore[assignment]
    try:
        content = book.read(stages)
    except InputError as error:
        for problem in error.problems:
            assert problem.file == "edited.xlsx"
            assert re.fullmatch(r"Work content!([A-Z]+\d+(:[A-Z]+\d+)?|\d+:\d+)|sheet Work content", problem.field)
    else:
        assert {place.task for place in content.places} <= {task.id for task in content.tasks}


# the line as a whole


def test_mistakes_that_only_the_whole_line_shows_are_told_by_cell_too(book: Book, stages: Stages) -> None:
    model = stages.fit_inputs.models[0]
    cell = book.put(f"{model} (s)", 50_000.0, 3)
    book.book.save(book.path)
    with pytest.raises(InputError) as raised:
        stages.from_sheet(book.path)
    assert [problem.field for problem in raised.value.problems] == [cell]
    assert raised.value.problems[0].file == "edited.xlsx"


def test_requirements_that_stop_the_line_are_told_by_cell(book: Book, stages: Stages) -> None:
    one, other = (task.id for task in stages.programme.tasks[-2:])
    cells = [book.put("Same station", other, book.rows[one]), book.put("Other station", one, book.rows[other])]
    book.book.save(book.path)
    with pytest.raises(InputError) as raised:
        stages.from_sheet(book.path)
    assert {problem.field for problem in raised.value.problems} >= set(cells)


def test_rules_that_an_edit_breaks_are_named(book: Book, stages: Stages) -> None:
    line = stages.fit.after
    crowd = line.assignment[0]
    tasks = {task.id: task for task in stages.programme.tasks}
    victim = next(place for place in line.assignment[5:] if tasks[place.task].predecessors)
    book.put("Station", crowd.station, book.rows[victim.task])
    book.put("Operator", 1, book.rows[victim.task])
    if tasks[victim.task].operators == 2:
        book.put("Second operator", 2, book.rows[victim.task])
    book.book.save(book.path)
    _, edited = stages.from_sheet(book.path)
    assert any(victim.task in rule or crowd.station in rule for rule in edited.violations)
    row = book.rows[victim.task]
    named = [rule for rule in edited.violations if victim.task in rule]
    assert all(re.search(rf"\(rows? [\d, ]*\b{row}\b", rule) for rule in named)
    assert edited.fit.takt_s == line.takt_s


def test_a_task_at_a_station_without_its_equipment_hides_no_other_broken_rule(book: Book, stages: Stages) -> None:
    line = stages.fit.after
    tied = next(task for task in stages.fit_inputs.tasks if task.stations)
    wrong = next(
        place.station
        for place in line.assignment
        if place.station not in {stages.fit_inputs.stations[number].id for number in tied.stations}
    )
    book.put("Station", wrong, book.rows[tied.id])
    full = line.assignment[-1]
    model = stages.fit_inputs.models[0]
    book.put(f"{model} (s)", 130.0, book.rows[full.task])
    for place in line.assignment:
        if place.station == line.assignment[-2].station:
            book.put("Station", full.station, book.rows[place.task])
            book.put("Operator", full.operators[0], book.rows[place.task])
            book.put("Second operator", None, book.rows[place.task])
            book.put("Crew", 1, book.rows[place.task])
    book.book.save(book.path)
    _, edited = stages.from_sheet(book.path)
    assert any(tied.id in rule and "may not be done" in rule for rule in edited.violations)
    assert any("takt" in rule for rule in edited.violations)


def test_a_task_without_a_place_leaves_the_rest_checked(book: Book, stages: Stages) -> None:
    row = 4
    name = book.sheet[book.cell("Task", row)].value
    for heading in ("Station", "Operator", "Second operator"):
        book.put(heading, None, row)
    book.book.save(book.path)
    _, edited = stages.from_sheet(book.path)
    assert edited.unplaced == (name,)
    assert not [rule for rule in edited.violations if name in rule]
    assert name in {place.task for place in edited.fit.after.assignment}


# the command


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coachbuilder.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("commands") / "small"
    write_template(folder)
    plant = (folder / "plant.toml").read_text("utf-8")
    short = re.sub(r"(?m)^\[assembly\]$", "[assembly]\nevaluations = 20000\nstarts = 4", plant)
    assert short != plant
    (folder / "plant.toml").write_text(short, "utf-8")
    yield folder


def test_the_command_writes_a_sheet_and_reads_it_back(folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "deep" / "work.xlsx"
    done = run("fit", folder, "--sheet", sheet, "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["sheet"] == str(sheet)
    again = run("fit", folder, "--from", sheet, "--json")
    assert again.returncode == 0, again.stderr
    found = json.loads(again.stdout)
    assert found["edited"]["line"]["assignment"] == printed["fit"]["after"]["assignment"]
    assert found["edited"]["violations"] == []
    told = run("fit", folder, "--from", sheet)
    assert "Rules that it breaks" in told.stdout and "none" in told.stdout


def test_the_command_ends_with_2_and_names_sheet_and_cell_as_the_manual_shows(folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "work.xlsx"
    assert run("fit", folder, "--sheet", sheet).returncode == 0
    book = openpyxl.load_workbook(sheet)
    for cell, value in {"A3": "T99", "H4": "abc", "I5": dt.datetime(2021, 3, 5), "N6": "trunk"}.items():
        book[WORK_CONTENT][cell] = value
    book.save(sheet)
    done = run("fit", folder, "--from", sheet)
    assert done.returncode == 2
    manual = (ROOT / "docs" / "work-content-sheet.md").read_text("utf-8")
    assert done.stderr in manual
    assert done.stderr.count("Work content!") == 4


def test_names_under_which_no_sheet_is_written_are_refused(folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "work.xlsx"
    for arguments in (
        ["--sheet", tmp_path / "work.csv"],
        ["--sheet", sheet, "--from", sheet],
        ["--from", tmp_path / "missing.xlsx"],
        ["--today"],
    ):
        done = run("fit", folder, *arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr


def test_examples_in_the_docstrings_run() -> None:
    outcome = doctest.testmod(sheet_module)
    assert outcome.attempted > 3
    assert outcome.failed == 0


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40).map(str.strip)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES.filter(bool), min_size=12, max_size=12), seconds=st.floats(0.001, 130.0))
def test_names_of_any_kind_and_times_of_any_precision_come_back(
    stages: Stages, tmp_path: Path, names: list[str], seconds: float
) -> None:
    model = stages.fit_inputs.models[0]
    tasks = [
        replace(task, name=name, area=name[::-1].strip(), time_s={**task.time_s, model: seconds})
        for task, name in zip(stages.programme.tasks, names, strict=False)
    ]
    tasks += stages.programme.tasks[len(tasks) :]
    path = tmp_path / "work.xlsx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work_sheet, "SPARE_ROWS", 0)
        write_work_sheet(replace(stages.programme, tasks=tuple(tasks)), stages.fit_inputs, stages.fit, path)
    content = read(path, stages)
    assert not content.edited
    found = {task.id: task for task in content.tasks}
    for task in tasks:
        assert " ".join(found[task.id].name.split()) == " ".join(task.name.split())
        assert found[task.id].time_s[model] == pytest.approx(task.time_s[model], rel=1e-15)


def test_every_column_is_explained() -> None:
    columns = sheet_columns(["a", "b"])
    assert len({column.heading for column in columns}) == len(columns)
    assert all(column.says for column in columns)


def test_result_of_a_sheet_is_a_fit_like_any_other(written: Path, stages: Stages) -> None:
    _, edited = stages.from_sheet(written)
    assert isinstance(edited.fit, FitResult)
    assert edited.fit.before.takt_s == edited.fit.after.takt_s
