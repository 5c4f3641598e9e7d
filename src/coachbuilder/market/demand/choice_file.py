"""Reads choices from a csv file with one row for each alternative that was shown."""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from coachbuilder.market.demand.choice import ChoiceData, choice_data
from coachbuilder.programme.errors import ProblemList, closest

MOST_PROBLEMS = 20
"""Mistakes told of one file: a wrong column has one in every row."""


@dataclass(frozen=True, slots=True)
class ChoiceColumns:
    """Which column holds what."""

    chosen: str
    """1 for the alternative chosen, else 0."""
    question: str
    """Label of the question; rows of a question stand together."""
    attributes: tuple[str, ...]
    """What buyers weigh."""
    price: str | None = None
    """Price of the alternative."""
    weights: str | None = None
    """Weight of the question."""
    respondent: str | None = None
    """Label of who answered; a question's label need then be unique for the respondent alone."""

    @property
    def all_of_them(self) -> tuple[str, ...]:
        """Every column that is read, in the order of the fields."""
        others = (self.price, self.weights, self.respondent)
        return (self.chosen, self.question, *self.attributes, *(name for name in others if name is not None))


def read_choices(path: Path, columns: ChoiceColumns) -> ChoiceData:
    """Return the choices of a csv file with a header; one that ends with .gz is unpacked.

    Parameters
    ----------
    path
        The file.
    columns
        Which of its columns are read; others are left alone.

    Raises
    ------
    InputError
        With the mistakes of the file by line and column, the first twenty at most.
    """
    problems = ProblemList(path.name)
    numeric = [name for name in (columns.chosen, *columns.attributes, columns.price, columns.weights) if name]
    labels: list[tuple[str, str]] = []
    numbers: list[list[float]] = []
    lines: list[int] = []
    try:
        with _opened(path) as file:
            reader = csv.reader(file, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            _check_header(header, columns, problems)
            problems.raise_if_any()
            place = {name: header.index(name) for name in columns.all_of_them}
            for cells in reader:
                if not any(cells):
                    continue
                line = reader.line_num
                if len(cells) != len(header):
                    problems.add("row", f"{len(cells)} cells", f"{len(header)} cells", line=line)
                else:
                    who = cells[place[columns.respondent]].strip() if columns.respondent else ""
                    labels.append((who, cells[place[columns.question]].strip()))
                    numbers.append(list(_numbers(cells, numeric, place, line, problems)))
                    lines.append(line)
                if len(problems) >= MOST_PROBLEMS:
                    problems.raise_if_any()
    except (FileNotFoundError, IsADirectoryError):
        problems.add("file", "a folder" if path.is_dir() else "nothing", f"the file {path.name}")
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "no file"
        problems.add("file", reason, "a csv file that can be read")
    except UnicodeDecodeError:
        problems.add("encoding", "bytes that are no UTF-8", "UTF-8 text", hint="save the file as UTF-8")
    except csv.Error as error:
        problems.add("row", str(error), "comma-separated cells")
    if not len(problems) and not lines:
        problems.add("file", "no rows", "a row for each alternative shown")
    problems.raise_if_any()
    table = dict(zip(numeric, np.array(numbers).T, strict=True))
    question = _question_numbers(labels, lines, columns, problems)
    _check_choices(question, labels, lines, table[columns.chosen], columns, problems)
    if columns.weights is not None:
        _check_weights(question, lines, table[columns.weights], columns.weights, problems)
    problems.raise_if_any()
    return choice_data(
        columns.attributes,
        np.column_stack([table[name] for name in columns.attributes]),
        question,
        table[columns.chosen],
        price=None if columns.price is None else table[columns.price],
        weight=None if columns.weights is None else table[columns.weights],
        respondent=None if columns.respondent is None else np.array([who for who, _ in labels]),
    )


def _opened(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _check_header(header: Sequence[str], columns: ChoiceColumns, problems: ProblemList) -> None:
    if not any(header):
        problems.add("header", "an empty first line", f"the columns {', '.join(columns.all_of_them)}", line=1)
        return
    for name in dict.fromkeys(columns.all_of_them):
        count = header.count(name)
        if count != 1:
            found = "no such column" if count == 0 else f"{count} columns of this name"
            problems.add(name, found, f"one of {', '.join(header)}", line=1, hint=closest(name, header))
    for name in dict.fromkeys(columns.all_of_them):
        if columns.all_of_them.count(name) > 1:
            problems.add(name, "named twice", "each column in one part only", file="command line")


def _numbers(
    cells: Sequence[str], names: Sequence[str], place: dict[str, int], line: int, problems: ProblemList
) -> Iterator[float]:
    for name in names:
        text = cells[place[name]]
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            problems.add(name, text.strip() or "an empty cell", "a number", line=line)
        yield number


def _question_numbers(
    labels: Sequence[tuple[str, str]], lines: Sequence[int], columns: ChoiceColumns, problems: ProblemList
) -> NDArray[np.int64]:
    """Return the question of each row as a number; a label that comes back later is a mistake."""
    seen: dict[tuple[str, str], int] = {}
    number, before = -1, None
    found = np.empty(len(labels), dtype=np.int64)
    for row, label in enumerate(labels):
        if label != before:
            number += 1
            if label in seen and len(problems) < MOST_PROBLEMS:
                problems.add(
                    columns.question,
                    f"{label[1]}, after line {lines[seen[label]]} once more",
                    "the rows of a question together",
                    line=lines[row],
                )
            before = label
        seen[label] = row
        found[row] = number
    return found


def _check_choices(
    question: NDArray[np.int64],
    labels: Sequence[tuple[str, str]],
    lines: Sequence[int],
    chosen: NDArray[np.float64],
    columns: ChoiceColumns,
    problems: ProblemList,
) -> None:
    for row in np.flatnonzero((chosen != 0) & (chosen != 1))[:MOST_PROBLEMS]:
        problems.add(columns.chosen, f"{chosen[row]:g}", "0 or 1", line=lines[row])
    if len(problems):
        return
    starts = np.flatnonzero(np.diff(question, prepend=-1))
    count = np.add.reduceat(chosen, starts)
    for place in np.flatnonzero(count != 1)[:MOST_PROBLEMS]:
        row = int(starts[place])
        problems.add(
            columns.chosen,
            f"{count[place]:g} alternatives chosen in question {labels[row][1]}",
            "one, marked 1",
            line=lines[row],
        )


def _check_weights(
    question: NDArray[np.int64], lines: Sequence[int], weight: NDArray[np.float64], name: str, problems: ProblemList
) -> None:
    starts = np.flatnonzero(np.diff(question, prepend=-1))
    differs = weight != weight[starts][question]
    for row in np.flatnonzero((weight <= 0) | differs)[:MOST_PROBLEMS]:
        expected = "the weight of the question's other rows" if differs[row] else "a weight above 0"
        problems.add(name, f"{weight[row]:g}", expected, line=lines[row])
