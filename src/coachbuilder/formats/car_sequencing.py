"""Reads the public car sequencing formats: CSPLib problem 1, and the folders of the ROADEF 2005 challenge."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coachbuilder.programme.errors import InputError, Problem, ProblemList
from coachbuilder.programme.loading import read_text

LARGEST_BYTES = 32 * 1024 * 1024
HIGH, LOW, COLOUR = "high", "low", "colour"

_ROADEF_OBJECTIVES = {
    "high_priority_level_and_easy_to_satisfy_ratio_constraints": HIGH,
    "high_priority_level_and_difficult_to_satisfy_ratio_constraints": HIGH,
    "low_priority_level_ratio_constraints": LOW,
    "paint_color_batches": COLOUR,
}


@dataclass(frozen=True, slots=True)
class RatioRule:
    """At most so many cars with an option in any so many consecutive ones."""

    id: str
    """Name in the file, or the option's number."""
    at_most: int
    """Cars with the option allowed in a window."""
    out_of: int
    """Cars in a window."""
    high_priority: bool
    """Whether the rule has high priority."""


@dataclass(frozen=True, slots=True)
class CarSequencingDay:
    """A day's cars in the order of the file, with the cars built the day before."""

    cars: tuple[str, ...]
    """Identifiers."""
    colours: tuple[str, ...]
    """Paint colour of each car; all the same where the format has none."""
    options: tuple[tuple[bool, ...], ...]
    """Which rules each car falls under."""
    rules: tuple[RatioRule, ...]
    """The rules."""
    previous_colours: tuple[str, ...]
    """Colours of the day before, last car last."""
    previous_options: tuple[tuple[bool, ...], ...]
    """Rules that each car of the day before falls under."""
    objectives: tuple[str, ...]
    """``high``, ``low`` and ``colour``, most important first."""
    longest_batch: int
    """Cars of one colour in a row; the number of cars where the format has no limit."""
    short_windows: bool
    """Whether windows cut short at the day's ends count (the challenge) or full ones alone (CSPLib)."""


def read_csplib(path: Path) -> CarSequencingDay:
    """Read a CSPLib file: cars, options and classes; p and q of each option; each class with its number of cars.

    Parameters
    ----------
    path
        A file with one instance; lines that begin with % are left out.

    Raises
    ------
    InputError
        If the file is missing or its numbers do not fit together.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "small.txt"
    ...     _ = file.write_text("3 1 2" + chr(10) + "1" + chr(10) + "2" + chr(10) + "0 2 1" + chr(10) + "1 1 0")
    ...     day = read_csplib(file)
    >>> day.cars, day.options[0], day.rules[0].out_of
    (('0.1', '0.2', '1.1'), (True,), 2)
    """
    problems = ProblemList(path.name)
    text = read_text(path, problems, LARGEST_BYTES)
    problems.raise_if_any()
    lines = [
        (number, line.split("%")[0].split())
        for number, line in enumerate((text or "").splitlines(), start=1)
        if line.split("%")[0].strip()
    ]
    numbers: list[list[int]] = []
    for line, words in lines:
        row = []
        for word in words:
            if word.isascii() and word.isdigit() and len(word) < 10:
                row.append(int(word))
            else:
                problems.add("number", word, "a whole number, 0 or more", line=line)
        numbers.append(row)
    problems.raise_if_any()
    if len(numbers) < 3 or len(numbers[0]) != 3:
        problems.add("header", f"{len(numbers)} lines", "cars, options and classes; a line of p and a line of q")
        problems.raise_if_any()
    cars, options, classes = numbers[0]
    for place, name in ((1, "p"), (2, "q")):
        if len(numbers[place]) != options:
            problems.add(name, f"{len(numbers[place])} numbers", f"{options}, one an option", line=lines[place][0])
    if len(numbers) != 3 + classes:
        problems.add("classes", f"{len(numbers) - 3} lines", f"{classes}, one a class")
    for (line, _), row_numbers in zip(lines[3:], numbers[3:], strict=True):
        if len(row_numbers) != 2 + options or any(flag > 1 for flag in row_numbers[2:]):
            problems.add("class", " ".join(map(str, row_numbers)), f"class, cars, {options} times 0 or 1", line=line)
    problems.raise_if_any()
    if sum(row[1] for row in numbers[3:]) != cars:
        problems.add("cars", f"{sum(row[1] for row in numbers[3:])} cars in the classes", f"{cars} as in the header")
    for option, (at_most, out_of) in enumerate(zip(numbers[1], numbers[2], strict=True)):
        if not 0 < at_most <= out_of:
            problems.add(f"option {option}", f"{at_most} out of {out_of}", "p from 1 to q", line=lines[1][0])
    problems.raise_if_any()
    members = [(f"{row[0]}.{number}", row[2:]) for row in numbers[3:] for number in range(1, row[1] + 1)]
    return CarSequencingDay(
        cars=tuple(name for name, _ in members),
        colours=("",) * cars,
        options=tuple(tuple(bool(flag) for flag in flags) for _, flags in members),
        rules=tuple(
            RatioRule(str(option), at_most, out_of, high_priority=True)
            for option, (at_most, out_of) in enumerate(zip(numbers[1], numbers[2], strict=True))
        ),
        previous_colours=(),
        previous_options=(),
        objectives=(HIGH,),
        longest_batch=cars,
        short_windows=False,
    )


def read_roadef(folder: Path) -> CarSequencingDay:
    """Read a folder of the ROADEF 2005 challenge: vehicles, ratios, objectives and the paint batch limit.

    The cars of the day are those of the last date in vehicles.txt; those of earlier dates were built before.

    Raises
    ------
    InputError
        If a file is missing or its columns do not fit together.
    """
    problems = ProblemList(str(folder))
    tables = {name: _table(folder / f"{name}.txt", problems) for name in _ROADEF_FILES}
    problems.raise_if_any()
    rules = _ratios(tables["ratios"], problems)
    objectives = _objectives(tables["optimization_objectives"], problems)
    limit = _limit(tables["paint_batch_limit"], problems)
    _, header, rows = tables["vehicles"]
    wanted = ["Date", "SeqRank", "Ident", "Paint Color"]
    places = {name: place for place, name in enumerate(header)}
    problems.extend(
        Problem("vehicles.txt", name, "no such column", f"the column {name}", 1)
        for name in [*wanted, *(rule.id for rule in rules)]
        if name not in places
    )
    problems.raise_if_any()
    read: list[tuple[str, int, str, str, tuple[bool, ...]]] = []
    seen: dict[str, int] = {}
    for line, cells in rows:
        flags = [cells[places[rule.id]] for rule in rules]
        rank, ident = cells[places["SeqRank"]], cells[places["Ident"]]
        if any(flag not in ("0", "1") for flag in flags):
            problems.add("options", ";".join(flags), "0 or 1", line=line, file="vehicles.txt")
        if not (rank.isascii() and rank.isdigit()):
            problems.add("SeqRank", rank, "a whole number", line=line, file="vehicles.txt")
            rank = "0"
        if ident in seen:
            problems.add("Ident", ident, f"a car once; line {seen[ident]} has it", line=line, file="vehicles.txt")
        seen.setdefault(ident, line)
        colour = cells[places["Paint Color"]]
        read.append((cells[places["Date"]], int(rank), ident, colour, tuple(flag == "1" for flag in flags)))
    if not read:
        problems.add("rows", "none", "at least one car", file="vehicles.txt")
    problems.raise_if_any()
    today = read[-1][0]
    earlier = [row for row in read if row[0] != today]
    cars = [row for row in read if row[0] == today]
    return CarSequencingDay(
        cars=tuple(row[2] for row in cars),
        colours=tuple(row[3] for row in cars),
        options=tuple(row[4] for row in cars),
        rules=rules,
        previous_colours=tuple(row[3] for row in earlier),
        previous_options=tuple(row[4] for row in earlier),
        objectives=objectives,
        longest_batch=limit,
        short_windows=True,
    )


_ROADEF_FILES = ("vehicles", "ratios", "optimization_objectives", "paint_batch_limit")
_Table = tuple[str, list[str], list[tuple[int, list[str]]]]


def _table(path: Path, problems: ProblemList) -> _Table:
    text = read_text(path, problems, LARGEST_BYTES)
    lines = [
        (number, [cell.strip() for cell in row])
        for number, row in enumerate(csv.reader((text or "").splitlines(), delimiter=";"), start=1)
        if any(cell.strip() for cell in row)
    ]
    if not lines:
        if text is not None:
            problems.add("file", "an empty file", "a header and rows", file=path.name)
        return path.name, [], []
    header = [cell for cell in lines[0][1] if cell]
    rows = []
    for number, cells in lines[1:]:
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if len(cells) != len(header):
            problems.add("row", f"{len(cells)} cells", f"{len(header)} cells", line=number, file=path.name)
        else:
            rows.append((number, cells))
    return path.name, header, rows


def _ratios(table: _Table, problems: ProblemList) -> tuple[RatioRule, ...]:
    rules = []
    for line, cells in table[2]:
        parts = cells[0].split("/")
        good = len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts)
        if not good or not 0 < int(parts[0]) <= int(parts[1]) or len(cells) != 3 or cells[1] not in ("0", "1"):
            problems.add("Ratio", ";".join(cells), "p/q;priority 0 or 1;name", line=line, file=table[0])
            continue
        rules.append(RatioRule(cells[2], int(parts[0]), int(parts[1]), cells[1] == "1"))
    return tuple(rules)


def _objectives(table: _Table, problems: ProblemList) -> tuple[str, ...]:
    ranked = []
    for line, cells in table[2]:
        if len(cells) != 2 or cells[1] not in _ROADEF_OBJECTIVES or not cells[0].isdigit():
            problems.add(
                "objective", ";".join(cells), f"rank;one of {', '.join(_ROADEF_OBJECTIVES)}", line=line, file=table[0]
            )
            continue
        ranked.append((int(cells[0]), _ROADEF_OBJECTIVES[cells[1]]))
    return tuple(name for _, name in sorted(ranked))


def _limit(table: _Table, problems: ProblemList) -> int:
    cells = table[2][0][1] if table[2] else [""]
    if not cells[0].isdigit() or int(cells[0]) < 1:
        problems.add("limitation", cells[0], "a whole number above 0", file=table[0])
        return 1
    return int(cells[0])


def write_roadef_answer(path: Path, order: Sequence[str]) -> None:
    """Write the challenge's answer: one vehicle number a line, in building order."""
    path.write_text("".join(f"{car}\n" for car in order), encoding="utf-8")


__all__ = ["CarSequencingDay", "InputError", "RatioRule", "read_csplib", "read_roadef", "write_roadef_answer"]
