"""Tables in a worksheet: headings that carry units, numbers in the format of theirs, texts that stay texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from coachbuilder.programme.units import unit_of
from coachbuilder.report import wording

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_ILLEGAL = dict.fromkeys((*range(9), 11, 12, *range(14, 32)), " ")
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
    if unit.split(" ")[0] in {"CNY", "USD", "HKD"} or unit in {"cars", "1/year", "weeks", "operators", "stations"}:
        return "#,##0"
    return "#,##0.0" if unit in {"h", "s", "min", "km", "kg", "km/h", "jobs/h", "kW", "kWh", "kWh/100 km"} else "0.00"


@dataclass(frozen=True, slots=True)
class Number:
    """A number that does not look like the others of its column."""

    value: float | None
    number_format: str


def exact(value: float) -> Number:
    """Return a number as the programme file gives it, thousands apart."""
    return Number(value, "#,##0" if float(value).is_integer() else "General" if abs(value) < 1000 else "#,##0.00")


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
                own = value if isinstance(value, Number) else None
                cell = self._put(self._row, position, own.value if own else value)
                if isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
                    cell.number_format = own.number_format if own else item.number_format
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
            self._put(self._row, 1, wording.figure_name(name))
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


def rows_of(items: Iterable[Any], names: Sequence[str]) -> Iterable[list[object]]:
    """Yield a row for each item: its fields of these names."""
    for item in items:
        yield [getattr(item, name) for name in names]
