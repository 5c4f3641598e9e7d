"""The workbook: every table of the plan as numbers that a spreadsheet can go on with, written whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coachbuilder.programme.units import unit_of
from coachbuilder.report import wording
from coachbuilder.report.writing import write_whole

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from coachbuilder.plan import Plan
    from coachbuilder.risk.interface import RiskResult

_ILLEGAL = {code: " " for code in (*range(9), 11, 12, *range(14, 32))}
_LONGEST_TEXT = 32_767


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what stands over it, how its numbers look, how wide it is."""

    heading: str
    number_format: str = "General"
    width: float = 14.0


def column(name: str, width: float = 14.0) -> Column:
    """Return a column for a field whose name carries its unit.

    Examples
    --------
    >>> column("brand_npv_cny").heading
    'Brand NPV (CNY)'
    """
    return Column(wording.label(name, unit=True), number_format(unit_of(name)), width)


def number_format(unit: str) -> str:
    """Return how numbers of a unit look in a cell.

    Examples
    --------
    >>> number_format("CNY"), number_format("fraction")
    ('#,##0', '0.0%')
    """
    if unit == "fraction":
        return "0.0%"
    if unit.split(" ")[0] in {"CNY", "USD", "HKD"} or unit in {"cars", "weeks", "operators", "stations"}:
        return "#,##0"
    return "#,##0.00" if unit in {"h", "s", "km/h", "jobs/h", "kW", "kWh"} else "General"


def write_workbook(plan: Plan, risk: RiskResult | None, path: Path, run: Mapping[str, Any]) -> None:
    """Write the tables of a plan as an Excel workbook.

    Parameters
    ----------
    plan
        The plan.
    risk
        Its spreads; None leaves the risk sheets empty but for a line that says so.
    path
        Where the workbook shall stand.
    run
        All that cannot be repeated: times, versions, paths.

    Raises
    ------
    OSError
        If the file cannot be written; a file that stood there stays as it was.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for title, fill in SHEETS:
        fill(Sheet(book.create_sheet(title)), plan, risk, run)
    book.properties.title = plan.programme.document.programme.title
    book.properties.creator = "Coachbuilder"
    write_whole(path, lambda temporary: book.save(temporary))


class Sheet:
    """Writes tables into a worksheet, one below the other; the first one's heading stays in sight.

    Parameters
    ----------
    sheet
        An empty worksheet.
    """

    def __init__(self, sheet: Worksheet) -> None:
        self._sheet = sheet
        self._row = 0

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[object]], title: str = "") -> None:
        """Write a table with a heading, two rows below what stands there."""
        from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
        from openpyxl.utils import get_column_letter

        first = self._row == 0
        if not first:
            self._row += 1
        if title and not first:
            self._row += 1
            self._put(self._row, 1, title).font = Font(bold=True, size=12)
        self._row += 1
        for position, item in enumerate(columns, start=1):
            cell = self._put(self._row, position, item.heading)
            cell.font = Font(bold=True, color="FFFFFF")
            cell.fill = PatternFill("solid", fgColor="1F5A8C")
            cell.alignment = Alignment(wrap_text=True, vertical="center")
            cell.border = Border(bottom=Side("thin", color="1C2530"))
            dimension = self._sheet.column_dimensions[get_column_letter(position)]
            dimension.width = max(item.width, dimension.width if not first else 0)
        if first:
            self._sheet.freeze_panes = f"B{self._row + 1}"
            self._sheet.sheet_view.zoomScale = 100
        for row in rows:
            self._row += 1
            for position, (item, value) in enumerate(zip(columns, row, strict=True), start=1):
                cell = self._put(self._row, position, value)
                if isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
                    cell.number_format = item.number_format
                elif item.width > 40:
                    cell.alignment = Alignment(wrap_text=True, vertical="top")

    def named(self, values: Mapping[str, object], title: str = "", extra: Mapping[str, str] | None = None) -> None:
        """Write names with their values and units, each number in the format of its own unit."""
        self.table(
            (Column("Figure", width=44), Column("Value", width=20), Column("Unit", width=16), Column("Note", width=40)),
            (),
            title,
        )
        for name, value in values.items():
            self._row += 1
            unit = unit_of(name)
            self._put(self._row, 1, wording.label(name))
            cell = self._put(self._row, 2, value)
            if isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
                cell.number_format = number_format(unit)
            self._put(self._row, 3, "" if unit == "fraction" else unit)
            self._put(self._row, 4, (extra or {}).get(name, ""))

    def say(self, text: str) -> None:
        """Write one line of text."""
        self._row += 2 if self._row else 1
        self._put(self._row, 1, text)

    def _put(self, row: int, position: int, value: object) -> Any:
        cell = self._sheet.cell(row, position)
        plain = plain_cell(value)
        cell.value = plain
        if isinstance(plain, str):
            # A text that starts like a formula stays text: its type is set, and the quote mark keeps it so when edited.
            cell.data_type = "s"
            if plain[:1] in {"=", "+", "-", "@", "\t", "\r"}:
                cell.quotePrefix = True
        return cell


def plain_cell(value: object) -> str | int | float | bool | dt.date | None:
    """Return a value as a cell can hold it.

    Examples
    --------
    >>> plain_cell(np.float64(1.5)), plain_cell(("a", "b"))
    (1.5, 'a, b')
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, np.integer | int):
        return int(value)
    if isinstance(value, np.floating | float):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, tuple | list):
        return ", ".join(str(plain_cell(item)) for item in value)
    return str(value).translate(_ILLEGAL)[:_LONGEST_TEXT]


def _rows(items: Iterable[object], names: Sequence[str]) -> Iterable[list[object]]:
    for item in items:
        yield [getattr(item, name) for name in names]


def _run(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    rows = [(wording.label(str(key), unit=True), value if isinstance(value, int | float | str) else str(value)) for key, value in run.items()]
    sheet.table((Column("What", width=30), Column("Value", width=70)), rows)


def _assumptions(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    columns = (
        Column("Assumption", width=52),
        Column("Unit", width=14),
        Column("Value"),
        Column("Low (5 % point)"),
        Column("High (95 % point)"),
        Column("Range stated in the file", width=14),
        Column("Default of the format", width=14),
        Column("Evidence", width=30),
        Column("Kind of evidence", width=22),
        Column("Probability", "0.0%"),
        Column("Used by", width=38),
    )
    names = (
        "path", "unit", "value", "low", "high", "stated_range", "is_default", "evidence", "kind", "probability", "stages",
    )  # fmt: skip
    ordered = sorted(plan.assumptions, key=lambda item: (item.probability, item.kind, item.path))
    sheet.table(columns, _rows(ordered, names))


def _evidence(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    columns = (
        Column("Entry", width=28),
        Column("Kind", width=22),
        Column("Claim", width=70),
        Column("Source", width=50),
        Column("Known since", "yyyy-mm-dd", 14),
        Column("Sources", "0", 9),
        Column("Supports", width=24),
        Column("Denies", width=24),
        Column("Probability", "0.0%"),
        Column("Assumptions", "0", 13),
    )
    names = (
        "id", "kind", "claim", "source", "date", "sources_count", "supports", "denies", "probability", "assumptions_count",
    )  # fmt: skip
    sheet.table(columns, _rows(sorted(plan.register, key=lambda item: (item.probability, item.id)), names))


Fill = Callable[[Sheet, "Plan", "RiskResult | None", Mapping[str, Any]], None]
SHEETS: tuple[tuple[str, Fill], ...] = ()
