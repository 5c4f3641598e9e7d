"""Reads tables of production lines with exponential cycle times and the throughput that theory gives them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from coachbuilder.programme.errors import ProblemList
from coachbuilder.programme.loading import csv_records

LARGEST_BYTES = 4 * 1024 * 1024
MOST_MACHINES = 1_000
MOST_PLACES = 1_000_000

COLUMNS = ("rates_per_time", "buffers", "throughput_exact")

_NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_WHOLE = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class ExactLine:
    """A saturated line of machines with exponential cycle times, blocked after service, and its exact throughput."""

    line: int
    """Line of the file."""
    rates_per_time: tuple[float, ...]
    """Rate of every machine, cars per unit of time."""
    buffers: tuple[int, ...]
    """Places between neighbours, those in the machines not counted."""
    throughput_per_time: float
    """Throughput by theory, cars per unit of time."""


def read_exact_lines(path: Path) -> tuple[ExactLine, ...]:
    """Read a csv table with the columns ``rates_per_time``, ``buffers`` and ``throughput_exact``, in any order.

    Rates and buffers stand in one cell each, with blanks between; a line of one machine has no buffers.

    Parameters
    ----------
    path
        The file, UTF-8.

    Raises
    ------
    InputError
        With every problem found, each with file, line and column.

    Examples
    --------
    >>> read_exact_lines(Path("lines.csv"))[0].buffers  # doctest: +SKIP
    (0, 0)
    """
    problems = ProblemList(path.name or str(path))
    lines = []
    for number, row in csv_records(path, COLUMNS, (), problems, LARGEST_BYTES):
        before = len(problems)
        rates = _rates(row["rates_per_time"], number, problems)
        buffers = _buffers(row["buffers"], len(rates) - 1 if rates else None, number, problems)
        throughput = _positive(row["throughput_exact"])
        if throughput is None:
            problems.add("throughput_exact", row["throughput_exact"] or "nothing", "a number above 0", line=number)
        elif len(problems) == before:
            lines.append(ExactLine(number, rates, buffers, throughput))
    if not lines and not len(problems):
        problems.add("rows", "none", "a row a line")
    problems.raise_if_any()
    return tuple(lines)


def _positive(text: str) -> float | None:
    value = float(text) if _NUMBER.fullmatch(text) else 0.0
    return value if 0.0 < value < math.inf else None


def _rates(text: str, line: int, problems: ProblemList) -> tuple[float, ...]:
    """Return the rates, or nothing and a problem."""
    parts = text.split()
    values = [value for part in parts if (value := _positive(part)) is not None]
    if 0 < len(values) == len(parts) <= MOST_MACHINES:
        return tuple(values)
    found = f"{len(parts)} numbers" if len(parts) > MOST_MACHINES else text or "nothing"
    expected = f"the rate of every machine, above 0, with blanks between, at most {MOST_MACHINES:,}"
    problems.add("rates_per_time", found, expected, line=line)
    return ()


def _buffers(text: str, needed: int | None, line: int, problems: ProblemList) -> tuple[int, ...]:
    parts = text.split()
    values = [int(part) for part in parts if _WHOLE.fullmatch(part) and int(part) <= MOST_PLACES]
    if len(values) < len(parts):
        expected = f"whole numbers of places, at most {MOST_PLACES:,} each, with blanks between"
        problems.add("buffers", text, expected, line=line)
    elif needed is not None and len(parts) != needed:
        expected = f"{needed}, one fewer than machines"
        problems.add("buffers", f"{len(parts)} numbers" if parts else "nothing", expected, line=line)
    return tuple(values)
