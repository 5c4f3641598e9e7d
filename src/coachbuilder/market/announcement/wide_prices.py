"""Reads a wide price table: a column ``date`` and one column a share, index or factor.

Days ascend; an empty cell (or NA, NaN) is a day on which that exchange was shut or the share halted. Columns are read
only when they are asked for, so that a table may hold others.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coachbuilder.market.announcement.event_study import FloatArray
from coachbuilder.market.announcement.prices import LARGEST_TABLE_BYTES
from coachbuilder.programme.errors import ProblemList, closest
from coachbuilder.programme.loading import read_text

NO_PRICE = frozenset({"", "na", "nan", "n/a", "null"})
"""Cells that stand for a day without price."""


@dataclass(frozen=True, slots=True)
class WidePrices:
    """A table as it stands in its file."""

    file: str
    """Its name."""
    dates: tuple[dt.date, ...]
    """Days, ascending."""
    lines: tuple[int, ...]
    """Line of each day in the file."""
    cells: dict[str, tuple[str, ...]]
    """Text of each column."""

    def prices(self, column: str, problems: ProblemList) -> FloatArray:
        """Return a column of prices, NaN where there is none; what is no number above 0 is noted."""
        return self._numbers(column, problems, "a price above 0, or nothing", 0.0)

    def returns(self, column: str, problems: ProblemList) -> FloatArray:
        """Return a column of returns, fractions; what is no number above -1 is noted."""
        return self._numbers(column, problems, "a return as a fraction above -1, or nothing", -1.0)

    def _numbers(self, column: str, problems: ProblemList, expected: str, above: float) -> FloatArray:
        found = np.full(len(self.dates), math.nan)
        for position, text in enumerate(self.cells[column]):
            if text.lower() in NO_PRICE:
                continue
            try:
                number = float(text)
            except ValueError:
                number = math.nan
            if math.isfinite(number) and number > above:
                found[position] = number
            else:
                problems.add(column, text, expected, line=self.lines[position], file=self.file)
        return found


def read_wide_prices(path: Path, problems: ProblemList) -> WidePrices | None:
    """Return a wide table, or note what is wrong with its shape.

    Parameters
    ----------
    path
        The csv file.
    problems
        Collects a missing file, a header without ``date``, columns named twice, days that are no days or do not ascend.
    """
    text = read_text(path, problems, LARGEST_TABLE_BYTES)
    if text is None:
        return None
    before = len(problems)
    rows = [(line, row) for line, row in enumerate(csv.reader(text.splitlines()), start=1) if any(map(str.strip, row))]
    header = [name.strip() for name in rows[0][1]] if rows else []
    date_at = next((position for position, name in enumerate(header) if name.lower() == "date"), None)
    if date_at is None or len(header) < 2:
        expected = "a column date and one column a share"
        problems.add("header", ", ".join(header) or "nothing", expected, line=1, file=path.name)
        return None
    for name in sorted({name for name in header if name and header.count(name) > 1}):
        problems.add("header", f"{name} twice", "names of columns used once", line=1, file=path.name)
    dates: list[dt.date] = []
    for line, row in rows[1:]:
        cell = row[date_at].strip() if date_at < len(row) else ""
        try:
            day = dt.date.fromisoformat(cell[:10])
        except ValueError:
            problems.add("date", cell or "nothing", "a day such as 2021-03-26", line=line, file=path.name)
            continue
        if dates and day <= dates[-1]:
            problems.add("date", day.isoformat(), f"a day after {dates[-1].isoformat()}", line=line, file=path.name)
        if len(row) > len(header):
            problems.add("row", f"{len(row)} cells", f"{len(header)}, as the header has", line=line, file=path.name)
        dates.append(day)
    if not dates and len(problems) == before:
        problems.add("date", "no day", "one line a day below the header", line=1, file=path.name)
    if len(problems) > before:
        return None
    cells = {
        name: tuple(row[position].strip() if position < len(row) else "" for _, row in rows[1:])
        for position, name in enumerate(header)
        if position != date_at and name
    }
    return WidePrices(path.name, tuple(dates), tuple(line for line, _ in rows[1:]), cells)


def check_columns(table: WidePrices, named: Iterable[tuple[str, str]], problems: ProblemList) -> None:
    """Note columns that are asked for but not there.

    Parameters
    ----------
    table
        The table.
    named
        Pairs of the option and the column that it names.
    problems
        Collects them.
    """
    for option, column in named:
        if column not in table.cells:
            known = ", ".join(table.cells)
            hint = closest(column, table.cells)
            problems.add(option, column, f"a column of {table.file}: {known}", hint=hint)
