"""The work-content sheet: a workbook that an engineer takes to the line, edits, and has read back.

Its sums are Excel's own formulas, so that the effect of an edit shows while it is made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coachbuilder.programme.sections.assembly import Height, Zone
from coachbuilder.programme.sheet import (
    AVERAGE,
    BEFORE,
    FINGERPRINT,
    LARGEST_OPERATOR,
    LIMIT,
    LINE,
    OPERATOR,
    SECOND_OPERATOR,
    STATION,
    TAKT,
    TODAY,
    WHICH,
    WITH_GUEST,
    WORK,
    WORK_CONTENT,
    CellKind,
    SheetColumn,
    fingerprint,
    sheet_columns,
    task_cells,
)
from coachbuilder.programme.tasks import TIME_SUFFIX
from coachbuilder.report.cells import plain_cell
from coachbuilder.report.writing import write_whole

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from coachbuilder.plant.balance.interface import FitInputs, FitResult
    from coachbuilder.programme import Programme

INSTRUCTIONS, STATIONS, OPERATORS = "Instructions", "Stations", "Operators"
MOVES, CHARTS, LISTS = "Moves", "Yamazumi", "Lists"
SPARE_ROWS = 200
"""Rows below the last task that are made ready for new ones."""

_INK, _BLUE, _GREY, _PALE, _RED, _AMBER = "1C2530", "1F5A8C", "6B7680", "EEF1F4", "F6C7C3", "F9E3B4"
_WIDTHS = {
    "id": 24.0, "name": 42.0, "predecessors": 34.0, "equipment": 20.0, "area": 30.0, "same_station": 18.0,
    "other_station": 18.0, STATION: 10.0, OPERATOR: 10.0, SECOND_OPERATOR: 10.0, "operators": 8.0, "zone": 10.0,
    "station": 10.0,
}  # fmt: skip


def write_work_sheet(
    programme: Programme, inputs: FitInputs, fit: FitResult, path: Path, *, today: bool = False
) -> None:
    """Write a line as a work-content sheet.

    Parameters
    ----------
    programme
        The programme with the line's tasks.
    inputs
        What the line was balanced from.
    fit
        The line, and the one that it was made from.
    path
        Where the workbook shall stand.
    today
        True writes today's line, without the guest; false the line with the guest.

    Raises
    ------
    OSError
        If the file cannot be written; a file that stood there stays as it was.
    """
    from openpyxl import Workbook
    from openpyxl.packaging.custom import StringProperty

    book = Workbook()
    book.remove(book.active)
    writer = _Writer(book, programme, inputs, fit, today=today)
    writer.instructions()
    writer.work_content()
    writer.stations()
    writer.operators()
    writer.line_sums()
    writer.moves()
    writer.charts()
    writer.lists()
    book.active = 1
    book.calculation.fullCalcOnLoad = True
    book.properties.title = f"Work content: {programme.document.programme.title}"
    book.properties.creator = "Coachbuilder"
    places = [(place.task, place.station, place.operators) for place in (fit.before if today else fit.after).assignment]
    book.custom_doc_props.append(StringProperty(name=FINGERPRINT, value=fingerprint(programme.tasks, places)))
    write_whole(path, lambda temporary: book.save(temporary))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of a table, both ends included."""

    first: int
    last: int


class _Writer:
    """Fills one workbook."""

    def __init__(self, book: Workbook, programme: Programme, inputs: FitInputs, fit: FitResult, *, today: bool) -> None:
        from openpyxl.utils import get_column_letter

        self._book = book
        self._programme = programme
        self._inputs = inputs
        self._fit = fit
        self._today = today
        self._line = fit.before if today else fit.after
        self._models = inputs.models
        self._columns = sheet_columns(inputs.models)
        self._letters = {
            item.field: get_column_letter(position) for position, item in enumerate(self._columns, start=1)
        }
        self._task_rows = _Rows(2, 1 + len(programme.tasks) + SPARE_ROWS)
        self._crews = [
            (item.id, number)
            for item, crew in ((item, max(self._crew_of(item.id), item.min_operators)) for item in inputs.stations)
            # One more than the crew shows what another operator would do; the station's own sums count all.
            for number in range(1, max(crew, min(crew + 1, item.max_operators)) + 1)
        ]
        self._station_rows = _Rows(2, 1 + len(inputs.stations))
        self._operator_rows = _Rows(2, 1 + len(self._crews))

    def _crew_of(self, station: str) -> int:
        return max(
            (number for place in self._line.assignment if place.station == station for number in place.operators),
            default=0,
        )

    # the sheets

    def instructions(self) -> None:
        from openpyxl.styles import Alignment

        sheet = self._sheet(INSTRUCTIONS)
        sheet.column_dimensions["A"].width = 26
        sheet.column_dimensions["B"].width = 104
        guest = next(item.name for item in self._programme.plant.model if item.id == self._inputs.guest)
        rows: list[tuple[str, str]] = [
            ("Work content", f"{self._programme.document.programme.title}: "
             + (f"today's line, without {guest}." if self._today else f"the line with {guest} on it.")),
            ("", ""),
            ("What to do", f"Edit the sheet {WORK_CONTENT}: stations, operators, times, names, predecessors and so on. "
             "Delete a row to take a task out; write a new one below the last to bring one in. Save as .xlsx."),
            ("Read back", "coachbuilder fit PROGRAMME --from THIS_FILE.xlsx checks the line against every rule and "
             + (f"takes {guest} in from there. " if self._today else "balances it again from there. ")
             + "Mistakes are told by sheet and cell, all at once."),
            ("What Excel shows", f"The sheets {STATIONS}, {OPERATORS}, {CHARTS} and {LINE} add up what stands in "
             f"{WORK_CONTENT} and follow each edit at once. Red: more work than takt leaves, or more operators than "
             "there is room for. Amber: one model is above takt while the average is not."),
            ("What Excel cannot show", "Waiting of operators for each other within a station, zones, precedence, "
             "equipment. These are checked when the file is read back."),
            ("Order of rows", "Within a station tasks are begun in the order of the rows, as far as their predecessors "
             "allow. Across stations the row does not matter: the column Station decides. Sorting and filtering do no "
             "harm as long as rows stay whole; hidden rows are read too."),
            ("Crews", "Operators are numbered from 1 at each station; a number without tasks does not exist. A task of "
             "two has both of them. Numbers are closed up when the file is read back."),
            ("Blue headings", "are read back. Keep their words; their order does not matter."),
            ("Grey headings", "are computed and not read. Leave their formulas alone."),
            ("Other sheets", "are protected without a password and not read. Takt and mix come from the programme: to "
             "change them, change plant.toml or programme.toml. Columns of your own are welcome and not read."),
            ("", ""),
            ("Column", "What it holds"),
            *((item.heading, item.says) for item in self._columns),
        ]  # fmt: skip
        for row, (name, text) in enumerate(rows, start=1):
            self._text(sheet, row, 1, name).font = _font(bold=True, size=16 if row == 1 else 11)
            cell = self._text(sheet, row, 2, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if row == 1 or name == "Column":
                cell.font = _font(bold=True, size=12)
            sheet.cell(row, 1).alignment = Alignment(vertical="top")
            # Not every program fits the height to wrapped text when it opens a file.
            sheet.row_dimensions[row].height = 24 if row == 1 else 15.5 * max(1, math.ceil(len(text) / 100))
        self._protect(sheet)
        self._print(sheet, landscape=False)

    def work_content(self) -> None:
        sheet = self._sheet(WORK_CONTENT)
        self._head(sheet, [(item.heading, self._width(item), item.kind is CellKind.COMPUTED) for item in self._columns])
        self._explain(sheet)
        places = {place.task: place for place in self._line.assignment}
        before = {} if self._today else {place.task: place.station for place in self._fit.before.assignment}
        order = {place.task: number for number, place in enumerate(self._line.assignment)}
        tasks = sorted(self._programme.tasks, key=lambda task: order.get(task.id, len(order)))
        row = 1
        for row, task in enumerate(tasks, start=self._task_rows.first):
            place = places.get(task.id)
            cells: dict[str, object] = task_cells(task) | {BEFORE: before.get(task.id)}
            if place is not None:
                hands = (*place.operators, None)
                cells |= {STATION: place.station, OPERATOR: hands[0], SECOND_OPERATOR: hands[1]}
            self._task_row(sheet, row, cells)
        for spare in range(row + 1, self._task_rows.last + 1):
            self._task_row(sheet, spare, {})
        sheet.freeze_panes = f"{self._after('id')}2"
        sheet.auto_filter.ref = f"A1:{self._letters[self._columns[-1].field]}{row}"
        self._validate(sheet)
        self._mark_overload(sheet)
        self._print(sheet)
        # What a walk along the line needs; all columns on one page would be too small to read.
        sheet.print_area = f"A1:{self._letters[BEFORE]}{row}"

    def stations(self) -> None:
        sheet = self._sheet(STATIONS)
        models = [(f"Work {model} (s)", 12.0, True) for model in self._models]
        self._head(
            sheet,
            [
                ("Station", 10, False), ("Segment", 26, False), ("Lanes", 8, False), ("Room for operators", 11, False),
                ("Limit (s)", 10, True), ("Operators", 10, True), ("Tasks", 8, True), *models,
                ("Average work (s)", 12, True), ("Average an operator (s)", 12, True),
                ("Busiest operator (s)", 12, True), ("Idle share", 10, True),
                ("Longest stay as planned (s)", 14, False),
            ],
        )  # fmt: skip
        names = {item.id: item.name for item in self._programme.plant.assembly.segment}
        loads = {load.station: load for load in self._line.stations}
        at, first, second = (self._task_range(name) for name in (STATION, OPERATOR, SECOND_OPERATOR))
        numbers = "{" + ",".join(str(number) for number in range(1, LARGEST_OPERATOR + 1)) + "}"
        average = self._task_range(AVERAGE)
        busy = self._task_range(WORK)
        work = self._letter(8 + len(self._models))
        for row, station in enumerate(self._inputs.stations, start=self._station_rows.first):
            key = f"$A{row}"
            content = [
                f"=Line!{self._weight_letter(model)}${_FACTOR_ROW}*(SUMIFS({times},{at},{key})"
                f'+SUMIFS({times},{at},{key},{second},">0"))'
                for model, times in ((model, self._task_range(model + TIME_SUFFIX)) for model in self._models)
            ]
            values: list[object] = [
                station.id,
                names.get(station.segment, station.segment),
                station.lanes,
                station.max_operators,
                f"=C{row}*{LINE}!$B${_TAKT_ROW}",
                f"=MAX({station.min_operators},SUMPRODUCT(--((COUNTIFS({at},{key},{first},{numbers})"
                f"+COUNTIFS({at},{key},{second},{numbers}))>0)))",
                f"=COUNTIF({at},{key})",
                *content,
                f'=SUMIFS({average},{at},{key})+SUMIFS({average},{at},{key},{second},">0")',
                f'=IF(F{row}=0,"",{work}{row}/F{row})',
                f'=IF(F{row}=0,"",SUMPRODUCT(MAX(({at}={key})*{busy})))',
                f'=IF(F{row}=0,"",1-{work}{row}/(F{row}*E{row}))',
                loads[station.id].weighted_makespan_s or None,
            ]
            formats = ["@", "@", "0", "0", "0.0", "0", "0", *["0.0"] * (len(content) + 3), "0.0%", "0.0"]
            self._row(sheet, row, values, formats)
        last = self._station_rows.last
        each, top = (self._letter(9 + len(self._models) + step) for step in (0, 1))
        idle = self._letter(11 + len(self._models))
        self._mark(sheet, f"F2:F{last}", "$F2>$D2", _RED)
        self._mark(sheet, f"{each}2:{top}{last}", f"AND(ISNUMBER({each}2),{each}2>$E2+0.05)", _RED)
        self._bars(sheet, f"{idle}2:{idle}{last}", 1.0)
        self._dim(sheet, f"A2:{self._letter(12 + len(self._models))}{last}", "$F2=0")
        sheet.freeze_panes = "B2"
        self._finish(sheet, last)

    def operators(self) -> None:
        sheet = self._sheet(OPERATORS)
        models = [(f"{model} (s)", 12.0, True) for model in self._models]
        self._head(
            sheet,
            [
                ("Station", 10, False), ("Operator", 10, False), ("Tasks", 8, True), ("Limit (s)", 10, True), *models,
                ("Average (s)", 12, True), ("Longest model (s)", 12, True), ("Use of takt", 10, True),
                ("Idle share", 10, True),
            ],
        )  # fmt: skip
        at, first, second = (self._task_range(name) for name in (STATION, OPERATOR, SECOND_OPERATOR))
        average = self._operator_letter("average")
        longest, use = self._operator_letter("longest"), self._operator_letter("use")
        begin, end = self._letter(5), self._letter(4 + len(self._models))
        position = {station.id: row for row, station in enumerate(self._inputs.stations, self._station_rows.first)}
        for row, (station, number) in enumerate(self._crews, start=self._operator_rows.first):

            def summed(values: str, row: int = row) -> str:
                return f"(SUMIFS({values},{at},$A{row},{first},$B{row})+SUMIFS({values},{at},$A{row},{second},$B{row}))"

            values: list[object] = [
                station,
                number,
                f"=COUNTIFS({at},$A{row},{first},$B{row})+COUNTIFS({at},$A{row},{second},$B{row})",
                f"={STATIONS}!$E${position[station]}",
                *(
                    f"=Line!{self._weight_letter(model)}${_FACTOR_ROW}*{summed(self._task_range(model + TIME_SUFFIX))}"
                    for model in self._models
                ),
                f"={summed(self._task_range(AVERAGE))}",
                f"=MAX({begin}{row}:{end}{row})",
                f"={average}{row}/D{row}",
                f'=IF(C{row}=0,"",1-{average}{row}/D{row})',
            ]
            formats = ["@", "0", "0", "0.0", *["0.0"] * (len(self._models) + 2), "0%", "0.0%"]
            self._row(sheet, row, values, formats)
        last = self._operator_rows.last
        whole = f"A2:{self._operator_letter('idle')}{last}"
        self._mark(sheet, f"{average}2:{average}{last}", f"${average}2>$D2+0.05", _RED)
        over = f"AND({begin}2>$D2*(1+{LINE}!$B${_ALLOWANCE_ROW})+0.05)"
        self._mark(sheet, f"{begin}2:{end}{last} {longest}2:{longest}{last}", over, _RED)
        self._mark(sheet, f"{begin}2:{end}{last}", f"{begin}2>$D2+0.05", _AMBER)
        self._bars(sheet, f"{use}2:{use}{last}", 1.0)
        self._dim(sheet, whole, "$C2=0")
        sheet.freeze_panes = "C2"
        self._finish(sheet, last)

    def line_sums(self) -> None:
        sheet = self._sheet(LINE)
        allowance = self._inputs.overload_allowance
        placed = {place.task for place in self._line.assignment}
        at = self._task_range(STATION)
        ids = self._task_range("id")
        crew, lanes = self._station_range("F"), self._station_range("C")
        work = self._station_range(self._letter(8 + len(self._models)))
        busiest, limit = (self._station_range(letter) for letter in (self._letter(10 + len(self._models)), "E"))
        scales = [
            self._inputs.guest_time_scale if model == self._inputs.guest else self._inputs.resident_time_scale
            for model in self._models
        ]
        last = self._letter(1 + len(self._models))
        self._put(sheet, _TAKT_ROW, 1, TAKT).font = _font(bold=True)
        self._put(sheet, _TAKT_ROW, 2, self._line.takt_s).number_format = "0.00"
        self._put(sheet, _TAKT_ROW, 3, "from the programme")
        self._put(sheet, _ALLOWANCE_ROW, 1, "A model may exceed takt by").font = _font(bold=True)
        self._put(sheet, _WHICH_ROW, 1, WHICH).font = _font(bold=True)
        self._put(sheet, _WHICH_ROW, 2, TODAY if self._today else WITH_GUEST)
        # Infinite allowance: the average alone keeps takt; Excel has no infinity.
        self._put(sheet, _ALLOWANCE_ROW, 2, min(allowance, 1e6)).number_format = "0%"
        rows: list[tuple[str, Sequence[object], str]] = [
            ("Model", self._models, "@"),
            ("Cars a year", [self._line.units_per_year[model] for model in self._models], "#,##0"),
            (
                "Share of the cars",
                [
                    f"={self._weight_letter(model)}{_MODEL_ROW + 1}/SUM($B{_MODEL_ROW + 1}:${last}{_MODEL_ROW + 1})"
                    for model in self._models
                ],
                "0.0%",
            ),
            ("Factor on the times", scales, "0.000"),
            (
                "Weight in the average",
                [
                    f"={self._weight_letter(model)}{_MODEL_ROW + 2}*{self._weight_letter(model)}{_FACTOR_ROW}"
                    for model in self._models
                ],
                "0.0000",
            ),
        ]
        for row, (name, values, number_format) in enumerate(rows, start=_MODEL_ROW):
            self._put(sheet, row, 1, name).font = _font(bold=True)
            for place, value in enumerate(values, start=2):
                cell = self._put(sheet, row, place, value)
                cell.number_format = number_format
                if row == _MODEL_ROW:
                    cell.font = _font(bold=True)
        used = f"SUMPRODUCT({crew},{lanes})"
        sums: list[tuple[str, object, object, str]] = [
            ("", "As planned", "As on the sheet", "@"),
            ("Operators on a shift", self._line.operators, f"={used}", "#,##0"),
            ("Stations used", self._line.stations_used, f'=COUNTIF({crew},">0")', "#,##0"),
            (
                "Idle share",
                self._line.idle_share,
                f'=IF({used}=0,"",1-SUM({work})/({used}*$B${_TAKT_ROW}))',
                "0.0%",
            ),
            (
                "Work a car, average (h)",
                sum(self._line.mix[name] * hours for name, hours in self._line.work_hours_per_car.items()),
                f"=SUM({work})/3600",
                "0.00",
            ),
            ("Tasks", len(self._programme.tasks), f'=SUMPRODUCT(--({ids}<>""))', "#,##0"),
            (
                "Tasks without a station",
                len(self._programme.tasks) - len(placed),
                f'=SUMPRODUCT(({ids}<>"")*({at}=""))',
                "#,##0",
            ),
            (
                "Stations where an operator has too much work",
                None,
                f"=SUMPRODUCT(ISNUMBER({busiest})*({busiest}>{limit}+0.05))",
                "#,##0",
            ),
        ]
        for row, (name, planned, edited, number_format) in enumerate(sums, start=_SUMS_ROW):
            self._put(sheet, row, 1, name).font = _font(bold=True)
            for place, value in ((2, planned), (3, edited)):
                cell = self._put(sheet, row, place, value)
                cell.number_format = number_format
                if row == _SUMS_ROW:
                    cell.font = _font(bold=True)
        self._mark(sheet, f"C{_SUMS_ROW + 7}", f"$C{_SUMS_ROW + 7}>0", _RED)
        sheet.column_dimensions["A"].width = 36
        for place in range(2, 3 + len(self._models)):
            sheet.column_dimensions[self._letter(place)].width = 18
        self._protect(sheet)
        self._print(sheet, landscape=False)

    def moves(self) -> None:
        sheet = self._sheet(MOVES)
        headings = (("From", 10), ("To", 10), ("Task", 26), ("Name", 42), ("Average time (s)", 10), ("In words", 130))
        self._head(sheet, [(heading, width, False) for heading, width in headings])
        order = {station.station: place for place, station in enumerate(self._line.stations)}
        moves = sorted(self._fit.moved_tasks, key=lambda item: (order[item.from_station], order[item.to_station]))
        for row, move in enumerate(moves, start=2):
            values = (move.from_station, move.to_station, move.task, move.name, move.time_s, move.says)
            for place, value in enumerate(values, start=1):
                self._text(sheet, row, place, value).number_format = "0.0"
        sheet.freeze_panes = "A2"
        self._finish(sheet, 1 + len(moves))

    def charts(self) -> None:
        """Draw the yamazumi chart of each segment from the sheet with the operators."""
        from openpyxl.chart import BarChart, LineChart, Reference
        from openpyxl.chart.data_source import AxDataSource, MultiLevelStrRef

        sheet = self._sheet(CHARTS)
        operators = self._book[OPERATORS]
        average = 5 + len(self._models)
        segment_of = {station.id: station.segment for station in self._inputs.stations}
        names = {item.id: item.name for item in self._programme.plant.assembly.segment}
        row = 1
        first = self._operator_rows.first
        for number, (station, _) in enumerate(self._crews):
            last = self._operator_rows.first + number
            following = self._crews[number + 1][0] if number + 1 < len(self._crews) else None
            if following is not None and segment_of[following] == segment_of[station]:
                continue
            chart = BarChart()
            chart.type = "col"
            chart.title = f"{names.get(segment_of[station], segment_of[station])}: average work of each operator (s)"
            chart.add_data(Reference(operators, min_col=average, min_row=first, max_row=last), titles_from_data=False)
            labels = MultiLevelStrRef(f=f"{OPERATORS}!$A${first}:$B${last}")
            chart.series[0].cat = AxDataSource(multiLvlStrRef=labels)
            chart.series[0].graphicalProperties.solidFill = _BLUE
            limit = LineChart()
            limit.add_data(Reference(operators, min_col=4, min_row=first, max_row=last), titles_from_data=False)
            limit.series[0].graphicalProperties.line.solidFill = "B3261E"
            limit.series[0].smooth = False
            chart += limit
            chart.legend = None
            chart.gapWidth = 30
            chart.y_axis.scaling.min = 0
            # Without this newer Excels leave both axes out.
            chart.x_axis.delete = chart.y_axis.delete = False
            chart.height = 9
            chart.width = max(12.0, min(60.0, 4 + 0.42 * (last - first + 1)))
            sheet.add_chart(chart, f"A{row}")
            row += 20
            first = last + 1
        self._print(sheet)

    def lists(self) -> None:
        sheet = self._sheet(LISTS)
        self._head(sheet, [(heading, 24, False) for heading, _ in self._choices()])
        for place, (_, values) in enumerate(self._choices(), start=1):
            for row, value in enumerate(values, start=2):
                self._put(sheet, row, place, value)
        sheet.freeze_panes = "A2"
        self._protect(sheet)

    # pieces

    def _choices(self) -> list[tuple[str, list[str]]]:
        return [
            ("Stations", [station.id for station in self._inputs.stations]),
            ("Zones", [zone.value for zone in Zone]),
            ("Equipment", [item.id for item in self._programme.plant.assembly.equipment]),
            ("Heights", [height.value for height in Height]),
            ("Skills", [item.id for item in self._programme.plant.assembly.skill]),
        ]

    def _sheet(self, title: str) -> Worksheet:
        return self._book.create_sheet(title)

    def _letter(self, position: int) -> str:
        from openpyxl.utils import get_column_letter

        return str(get_column_letter(position))

    def _after(self, field: str) -> str:
        position = [item.field for item in self._columns].index(field) + 2
        return self._letter(position)

    def _weight_letter(self, model: str) -> str:
        return self._letter(2 + self._models.index(model))

    def _operator_letter(self, name: str) -> str:
        return self._letter(5 + len(self._models) + ("average", "longest", "use", "idle").index(name))

    def _task_range(self, field: str) -> str:
        letter, rows = self._letters[field], self._task_rows
        return f"'{WORK_CONTENT}'!${letter}${rows.first}:${letter}${rows.last}"

    def _operator_range(self, letter: str) -> str:
        rows = self._operator_rows
        return f"{OPERATORS}!${letter}${rows.first}:${letter}${rows.last}"

    def _station_range(self, letter: str) -> str:
        rows = self._station_rows
        return f"{STATIONS}!${letter}${rows.first}:${letter}${rows.last}"

    def _width(self, item: SheetColumn) -> float:
        return _WIDTHS.get(item.field, 11.0)

    def _put(self, sheet: Worksheet, row: int, place: int, value: object) -> Any:
        """Write a value; a formula of ours is a text that starts with an equals sign and is no name from a file."""
        cell = sheet.cell(row, place)
        cell.value = plain_cell(value)
        return cell

    def _text(self, sheet: Worksheet, row: int, place: int, value: object) -> Any:
        """Write what came from a file: a text that starts like a formula stays a text."""
        cell = sheet.cell(row, place)
        plain = plain_cell(value)
        cell.value = plain if plain != "" else None
        if isinstance(plain, str) and plain:
            cell.data_type = "s"
            if plain[:1] in {"=", "+", "-", "@", "\t", "\r"}:
                cell.quotePrefix = True
        return cell

    def _head(self, sheet: Worksheet, headings: Sequence[tuple[str, float, bool]]) -> None:
        from openpyxl.styles import Alignment, Border, PatternFill, Side

        for place, (text, width, computed) in enumerate(headings, start=1):
            cell = self._text(sheet, 1, place, text)
            cell.font = _font(bold=True, color="FFFFFF")
            cell.fill = PatternFill("solid", fgColor=_GREY if computed else _BLUE)
            cell.alignment = Alignment(horizontal="center", wrap_text=True, vertical="center")
            cell.border = Border(bottom=Side("thin", color=_INK))
            sheet.column_dimensions[self._letter(place)].width = width
        sheet.row_dimensions[1].height = 46

    def _row(self, sheet: Worksheet, row: int, values: Sequence[object], formats: Sequence[str]) -> None:
        for place, (value, number_format) in enumerate(zip(values, formats, strict=True), start=1):
            put = self._text if number_format == "@" else self._put
            put(sheet, row, place, value).number_format = number_format

    def _task_row(self, sheet: Worksheet, row: int, cells: Mapping[str, object]) -> None:
        from openpyxl.styles import Alignment, PatternFill

        letters = self._letters
        times = [letters[model + TIME_SUFFIX] for model in self._models]
        last = self._letter(1 + len(self._models))
        at, first, second = (self._task_range(name) for name in (STATION, OPERATOR, SECOND_OPERATOR))
        average = self._task_range(AVERAGE)
        own, number = f"${letters[STATION]}{row}", f"${letters[OPERATOR]}{row}"
        other = f"${letters[SECOND_OPERATOR]}{row}"

        def summed(who: str) -> str:
            return f"SUMIFS({average},{at},{own},{first},{who})+SUMIFS({average},{at},{own},{second},{who})"

        spans = f"{times[0]}{row}:{times[-1]}{row}"
        weights = f"{LINE}!$B${_MODEL_ROW + 4}:${last}${_MODEL_ROW + 4}"
        table = f"{STATIONS}!$A${self._station_rows.first}:$E${self._station_rows.last}"
        formulas = {
            AVERAGE: f'=IF(COUNT({spans})=0,"",SUMPRODUCT({spans},{weights}))',
            WORK: f'=IF(OR({own}="",{number}=""),0,MAX({summed(number)},IF({other}="",0,{summed(other)})))',
            LIMIT: f'=IF({own}="","",IFERROR(VLOOKUP({own},{table},5,FALSE),""))',
        }
        for place, item in enumerate(self._columns, start=1):
            if item.kind is CellKind.COMPUTED:
                if item.field in formulas:
                    cell = self._put(sheet, row, place, formulas[item.field])
                    cell.number_format = "0.0;-0.0;"
                else:
                    cell = self._text(sheet, row, place, cells.get(item.field))
                    cell.alignment = Alignment(horizontal="left", indent=1)
                cell.fill = PatternFill("solid", fgColor=_PALE)
            else:
                cell = self._text(sheet, row, place, cells.get(item.field))
                if item.kind is CellKind.TEXT:
                    # As text, so that Excel does not take a name such as 3-5 for a date.
                    cell.number_format = "@"
                elif item.field.endswith(TIME_SUFFIX):
                    cell.number_format = "0.0##"
                if item.field in {"predecessors", "same_station", "other_station"}:
                    cell.alignment = Alignment(horizontal="left", indent=1)
                elif item.kind is CellKind.NUMBER and not item.field.endswith(TIME_SUFFIX):
                    cell.alignment = Alignment(horizontal="center")

    def _explain(self, sheet: Worksheet) -> None:
        from openpyxl.comments import Comment

        for place, item in enumerate(self._columns, start=1):
            sheet.cell(1, place).comment = Comment(item.says, "Coachbuilder", height=110, width=260)

    def _validate(self, sheet: Worksheet) -> None:
        from openpyxl.worksheet.datavalidation import DataValidation

        choices = self._choices()

        def chosen(place: int) -> str:
            return f"={LISTS}!${self._letter(place)}$2:${self._letter(place)}${1 + len(choices[place - 1][1])}"

        def add(fields: Sequence[str], title: str, text: str, **rule: object) -> None:
            validation = DataValidation(allow_blank=True, showErrorMessage=True, errorTitle=title, error=text, **rule)
            for field in fields:
                letter = self._letters[field]
                validation.add(f"{letter}{self._task_rows.first}:{letter}{self._task_rows.last}")
            sheet.add_data_validation(validation)

        lists = (([STATION, "station"], 1), (["zone"], 2), (["equipment"], 3), (["height"], 4), (["skill"], 5))
        for fields, place in lists:
            title, values = choices[place - 1]
            if values:
                add(
                    fields,
                    title,
                    f"Not in the column {title} of the sheet {LISTS}.",
                    type="list",
                    formula1=chosen(place),
                )
        add(
            [OPERATOR, SECOND_OPERATOR], "Operator", f"A whole number from 1 to {LARGEST_OPERATOR}.",
            type="whole", operator="between", formula1="1", formula2=str(LARGEST_OPERATOR),
        )  # fmt: skip
        add(["operators"], "Crew", "1 or 2.", type="whole", operator="between", formula1="1", formula2="2")
        add(
            [*(model + TIME_SUFFIX for model in self._models), "ergonomic_points"], "Number", "A number, 0 or more.",
            type="decimal", operator="greaterThanOrEqual", formula1="0",
        )  # fmt: skip
        add(
            [AVERAGE, WORK, LIMIT, BEFORE], "Computed", "This column is computed and not read back.",
            type="custom", formula1="FALSE",
        )  # fmt: skip

    def _mark_overload(self, sheet: Worksheet) -> None:
        from openpyxl.formatting.rule import FormulaRule
        from openpyxl.styles import Border, Side

        letters, rows = self._letters, self._task_rows
        work, limit = letters[WORK], letters[LIMIT]
        over = f"AND(ISNUMBER(${work}2),ISNUMBER(${limit}2),${work}2>${limit}2+0.05)"
        self._mark(sheet, f"{letters[STATION]}2:{letters[OPERATOR]}{rows.last}", over, _RED)
        self._mark(sheet, f"{work}2:{work}{rows.last}", over, _RED)
        at, before = letters[STATION], letters[BEFORE]
        self._mark(sheet, f"{before}2:{before}{rows.last}", f'AND(${before}2<>"",${before}2<>${at}2)', _AMBER)
        line = Border(top=Side("thin", color=_GREY))
        sheet.conditional_formatting.add(
            f"A2:{letters[self._columns[-1].field]}{rows.last}",
            FormulaRule(formula=[f'AND(${at}2<>"",${at}2<>${at}1)'], border=line),
        )

    def _mark(self, sheet: Worksheet, area: str, formula: str, color: str) -> None:
        from openpyxl.formatting.rule import FormulaRule
        from openpyxl.styles import PatternFill

        fill = PatternFill("solid", start_color=color, end_color=color)
        sheet.conditional_formatting.add(area, FormulaRule(formula=[formula], fill=fill, stopIfTrue=True))

    def _dim(self, sheet: Worksheet, area: str, formula: str) -> None:
        from openpyxl.formatting.rule import FormulaRule
        from openpyxl.styles import Font

        sheet.conditional_formatting.add(area, FormulaRule(formula=[formula], font=Font(color="A9B1B8")))

    def _bars(self, sheet: Worksheet, area: str, most: float) -> None:
        from openpyxl.formatting.rule import DataBarRule

        rule = DataBarRule(start_type="num", start_value=0, end_type="num", end_value=most, color="9DBBD4")
        sheet.conditional_formatting.add(area, rule)

    def _finish(self, sheet: Worksheet, last: int) -> None:
        sheet.auto_filter.ref = f"A1:{self._letter(sheet.max_column)}{last}"
        self._protect(sheet)
        self._print(sheet)

    def _protect(self, sheet: Worksheet) -> None:
        """Keep a sheet that is not read from being edited by mistake; filters stay open, there is no password."""
        sheet.protection.sheet = True
        sheet.protection.autoFilter = False
        sheet.protection.sort = False
        sheet.protection.formatColumns = False

    def _print(self, sheet: Worksheet, *, landscape: bool = True) -> None:
        sheet.page_setup.orientation = "landscape" if landscape else "portrait"
        sheet.page_setup.paperSize = 9
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        if sheet.freeze_panes:
            sheet.print_title_rows = "1:1"
        sheet.page_margins.left = sheet.page_margins.right = 0.4
        sheet.page_margins.top, sheet.page_margins.bottom = 0.6, 0.8
        sheet.oddFooter.center.text = "&A, page &P of &N"


def _font(*, bold: bool = False, size: float = 11, color: str = _INK) -> Any:
    from openpyxl.styles import Font

    return Font(name="Calibri", bold=bold, size=size, color=color)


_TAKT_ROW, _ALLOWANCE_ROW, _WHICH_ROW, _MODEL_ROW, _SUMS_ROW = 1, 2, 3, 5, 12
_FACTOR_ROW = _MODEL_ROW + 3

__all__ = ["SPARE_ROWS", "write_work_sheet"]
