"""Reads the public car sequencing formats: CSPLib problem 1, and the folders of the ROADEF 2005 challenge.

A given order is read as well: the challenge's answer, a table with a header, or the JSON that the command prints.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise
from pathlib import Path

from coachbuilder.programme.errors import InputError, Problem, ProblemList, closest, shown
from coachbuilder.programme.loading import PROGRAMME_FILE, read_text

LARGEST_BYTES = 32 * 1024 * 1024
MOST_CARS = 20_000
"""Ten times the largest plants' days; a window is no longer either."""
MOST_OPTIONS = 1_000
MOST_DIGITS = 9
"""A whole number with more digits is a mistake in these files."""

HIGH, LOW, COLOUR = "high", "low", "colour"

CHALLENGE_OBJECTIVES = {
    "high_priority_level_and_easy_to_satisfy_ratio_constraints": HIGH,
    "high_priority_level_and_difficult_to_satisfy_ratio_constraints": HIGH,
    "low_priority_level_ratio_constraints": LOW,
    "paint_color_batches": COLOUR,
}
"""The challenge's names of the objectives."""

_VEHICLES, _RATIOS = "vehicles.txt", "ratios.txt"
_OBJECTIVES, _LIMIT = "optimization_objectives.txt", "paint_batch_limit.txt"
CHALLENGE_FILES = {
    _VEHICLES: ("Date", "SeqRank", "Ident", "Paint Color"),
    _RATIOS: ("Ratio", "Prio", "Ident"),
    _OBJECTIVES: ("rank", "objective name"),
    _LIMIT: ("limitation",),
}
"""The files of a challenge folder and the columns that they must have."""


class SequencingFormat(StrEnum):
    """Where a car sequencing day comes from."""

    PROGRAMME = "programme"
    """A programme folder of ours."""
    CSPLIB = "csplib"
    """A file of CSPLib problem 1."""
    CHALLENGE = "roadef2005"
    """A folder of the ROADEF 2005 challenge."""


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
    """Vehicle numbers: the column Ident, or 1 to n counted through the classes in the order of a CSPLib file."""
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
    source: SequencingFormat = SequencingFormat.CHALLENGE
    """The format that the day was read from."""
    classes: tuple[str, ...] = ()
    """Class number of each car in a CSPLib file."""
    objective_names: tuple[str, ...] = ()
    """The challenge's names of the objectives, in their order."""
    remarks: tuple[str, ...] = ()
    """What the reader left out, in words."""


def recognise(path: Path) -> SequencingFormat:
    """Tell a programme folder, a folder of the challenge and a CSPLib file apart.

    Raises
    ------
    InputError
        If there is nothing at ``path``, or a folder of neither kind.
    """
    name = str(path)
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        names = _names(path)
        if PROGRAMME_FILE in names.values():
            return SequencingFormat.PROGRAMME
        if any(file in names for file in CHALLENGE_FILES):
            return SequencingFormat.CHALLENGE
        expected = f"a programme folder with {PROGRAMME_FILE}, or a challenge folder with {_VEHICLES} and {_RATIOS}"
        raise InputError([Problem(name, "folder", "neither of its files", expected)])
    if not os.path.isfile(path):  # noqa: PTH113 - the same
        expected = "a programme folder, a folder of the ROADEF 2005 challenge or a CSPLib file"
        raise InputError([Problem(name, "file", "nothing", expected)])
    if path.name.lower() in {*CHALLENGE_FILES, PROGRAMME_FILE}:
        expected = "the folder that holds it"
        raise InputError([Problem(name, "file", f"the single file {path.name}", expected)])
    return SequencingFormat.CSPLIB


def _names(folder: Path) -> dict[str, str]:
    """Return the names in a folder by their lower-case form; an exact lower-case name comes before its variants."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError as error:
        raise InputError(
            [Problem(str(folder), "folder", error.strerror or "unreadable", "a folder that can be read")]
        ) from None
    return {name.lower(): name for name in names} | {name: name for name in names if name == name.lower()}


# ---------------------------------------------------------------------------------------------------- CSPLib


def read_csplib(path: Path, instance: str | None = None) -> CarSequencingDay:
    """Read a CSPLib file: cars, options and classes; p and q of each option; each class with its number of cars.

    Comments begin with % or #. A line that begins with a word is a title. A file may hold several instances, each
    below its title.

    Parameters
    ----------
    path
        A file with one instance or several.
    instance
        Title of the one to be read, or its number from 1; needed where the file holds several.

    Raises
    ------
    InputError
        If the file is missing, its numbers do not fit together, or it has no such instance.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "small.txt"
    ...     _ = file.write_text("3 1 2" + chr(10) + "1" + chr(10) + "2" + chr(10) + "0 2 1" + chr(10) + "1 1 0")
    ...     day = read_csplib(file)
    >>> day.cars, day.classes, day.options[0], day.rules[0].out_of
    (('1', '2', '3'), ('0', '0', '1'), (True,), 2)
    """
    problems = ProblemList(path.name)
    text = read_text(path, problems, LARGEST_BYTES)
    problems.raise_if_any()
    blocks = _blocks(text or "", problems)
    if not blocks:
        problems.add("header", "no line of numbers", "cars, options and classes; a line of p and a line of q")
    problems.raise_if_any()
    chosen = _chosen(blocks, instance, problems)
    return _csplib_day(chosen, problems)


@dataclass(frozen=True, slots=True)
class _Block:
    """One instance of a file: its title and its lines of numbers with their places."""

    title: str
    rows: tuple[tuple[int, tuple[int, ...]], ...]


def _blocks(text: str, problems: ProblemList) -> list[_Block]:
    """Cut a file into its instances: a title or a comment may stand before each, numbers follow."""
    found: list[_Block] = []
    title, wanted = "", 0
    rows: list[tuple[int, tuple[int, ...]]] = []
    for line, content in enumerate(text.splitlines(), start=1):
        words, comment = re.split(r"[%#]", content, maxsplit=1)[0].split(), content
        if not words or not _digits(words[0]):
            told = re.sub(r"^(problem|instance)\b[:\s]*", "", comment.strip("%#-=* \t\r\ufeff"), flags=re.IGNORECASE)
            if len(rows) < wanted and words:
                problems.add("number", words[0], "a whole number, 0 or more", line=line)
                rows.append((line, ()))
            elif told:
                title = " ".join(told.split())
            continue
        numbers = []
        for word in words:
            if _digits(word):
                numbers.append(int(word))
            else:
                problems.add("number", word, "a whole number, 0 or more", line=line)
        if len(rows) == wanted:
            if found and len(numbers) != 3 and len(problems) == 0:
                problems.add(
                    "classes",
                    f"another line of {len(numbers)} numbers",
                    f"no more than the {wanted - 3} classes of the header, or the next instance",
                    line=line,
                )
                return found
            rows, wanted = [], 3 + (numbers[2] if len(numbers) == 3 else 0)
            found.append(_Block(title, ()))
            title = ""
        rows.append((line, tuple(numbers)))
        found[-1] = _Block(found[-1].title, tuple(rows))
    return found


def _digits(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word.lstrip("0")) <= MOST_DIGITS


def _chosen(blocks: Sequence[_Block], instance: str | None, problems: ProblemList) -> _Block:
    if instance is None:
        if len(blocks) > 1:
            listed = ", ".join(block.title or str(number) for number, block in enumerate(blocks, start=1))
            expected = f"the title or number of one: {shown(listed, 400)}"
            problems.add("--instance", f"{len(blocks)} instances", expected, line=blocks[1].rows[0][0])
            problems.raise_if_any()
        return blocks[0]
    wanted = instance.strip().casefold()
    titles = [block.title.casefold() for block in blocks]
    # 19/71 finds the title '19/71 (Regin & Puget #4)', and 2 the second instance where none is called 2.
    for match in (titles, [title.split(" ")[0] for title in titles], [str(at + 1) for at in range(len(blocks))]):
        if wanted in match:
            return blocks[match.index(wanted)]
    known = [block.title or str(number) for number, block in enumerate(blocks, start=1)]
    problems.add("--instance", instance, f"one of {shown(', '.join(known), 400)}", hint=closest(instance, known))
    raise InputError(problems)


def _csplib_day(block: _Block, problems: ProblemList) -> CarSequencingDay:
    rows = block.rows
    first = rows[0][0]
    if len(rows[0][1]) != 3 or len(rows) < 3:
        problems.add(
            "header", f"{len(rows[0][1])} numbers and {len(rows)} lines",
            "three numbers: cars, options and classes; then a line of p and a line of q", line=first,
        )  # fmt: skip
        problems.raise_if_any()
    cars, options, classes = rows[0][1]
    if not 0 < cars <= MOST_CARS:
        problems.add("cars", cars, f"from 1 to {MOST_CARS} cars", line=first)
    if not 0 < options <= MOST_OPTIONS:
        problems.add("options", options, f"from 1 to {MOST_OPTIONS} options", line=first)
    problems.raise_if_any()
    for place, name in ((1, "p"), (2, "q")):
        if len(rows[place][1]) != options:
            problems.add(name, f"{len(rows[place][1])} numbers", f"{options}, one an option", line=rows[place][0])
    if len(rows) != 3 + classes:
        problems.add("classes", f"{len(rows) - 3} lines", f"{classes}, one a class, as in the header", line=first)
    seen: dict[int, int] = {}
    for line, numbers in rows[3:]:
        if len(numbers) != 2 + options or any(flag > 1 for flag in numbers[2:]):
            problems.add("class", " ".join(map(str, numbers)), f"class, cars, {options} times 0 or 1", line=line)
        elif numbers[0] in seen:
            problems.add("class", numbers[0], f"a class once; line {seen[numbers[0]]} has it", line=line)
        else:
            seen[numbers[0]] = line
    problems.raise_if_any()
    total = sum(numbers[1] for _, numbers in rows[3:])
    if total != cars:
        problems.add("cars", f"{total} cars in the classes", f"{cars} as in the header", line=first)
    ratios = list(zip(rows[1][1], rows[2][1], strict=True))
    for option, (at_most, out_of) in enumerate(ratios):
        if not 0 < at_most <= out_of <= MOST_CARS:
            expected = f"p from 1 to q, q at most {MOST_CARS}"
            problems.add(f"option {option}", f"{at_most} out of {out_of}", expected, line=rows[1][0])
    problems.raise_if_any()
    members = [numbers for _, numbers in rows[3:] for _ in range(numbers[1])]
    return CarSequencingDay(
        cars=tuple(str(number) for number in range(1, cars + 1)),
        colours=("",) * cars,
        options=tuple(tuple(bool(flag) for flag in numbers[2:]) for numbers in members),
        rules=tuple(
            RatioRule(str(option), at_most, out_of, high_priority=True)
            for option, (at_most, out_of) in enumerate(ratios)
        ),
        previous_colours=(),
        previous_options=(),
        objectives=(HIGH,),
        longest_batch=cars,
        short_windows=False,
        source=SequencingFormat.CSPLIB,
        classes=tuple(str(numbers[0]) for numbers in members),
    )


# ------------------------------------------------------------------------------------------- ROADEF challenge


@dataclass(frozen=True, slots=True)
class _Table:
    """A file of the challenge: its columns by name and its rows, each with its line."""

    file: str
    line: int
    places: dict[str, int]
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def cell(self, cells: Sequence[str], column: str) -> str:
        return cells[self.places[_key(column)]]


def read_roadef(folder: Path) -> CarSequencingDay:
    """Read a folder of the ROADEF 2005 challenge: vehicles, ratios, objectives and the paint batch limit.

    The cars of the day are those of the last date in vehicles.txt; those of earlier dates were built before. Where
    there are more than two dates and the first of them hold exactly one car less than the longest window, which is what
    the challenge's folders give of the days before, all later dates are ordered together as one day if they begin with
    rank 1, and a remark says so. Names of files and columns may be in any case; lines may end with semicolons.

    Parameters
    ----------
    folder
        The folder with the four files.

    Returns
    -------
    CarSequencingDay
        The cars of each date in the order of their ranks.

    Raises
    ------
    InputError
        With every mistake: a missing file or column, a rank, a vehicle, a rule or an objective twice, a rule without
        its column, a flag that is not 0 or 1, objectives whose ranks are not 1, 2, 3.
    """
    problems = ProblemList(str(folder))
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        problems.add("folder", "nothing", "a folder of the ROADEF 2005 challenge")
        problems.raise_if_any()
    names = _names(folder)
    tables = {
        file: _table(folder / names.get(file, file), columns, problems) for file, columns in CHALLENGE_FILES.items()
    }
    rules = _ratios(tables[_RATIOS], problems)
    objectives = _objectives(tables[_OBJECTIVES], problems)
    limit = _limit(tables[_LIMIT], problems)
    vehicles = tables[_VEHICLES]
    days, remarks = _vehicles(vehicles, rules, problems) if vehicles is not None else ([], ())
    problems.raise_if_any()
    earlier = _days_before(days, rules)
    before = [vehicle for day in days[:earlier] for vehicle in day]
    today = [vehicle for day in days[earlier:] for vehicle in day]
    if earlier < len(days) - 1:
        told = f"the last {len(days) - earlier} of {len(days)} dates are ordered together, {len(today)} cars"
        remarks = (*remarks, f"{_VEHICLES}: {told}; those before are just what the longest window looks back upon")
    return CarSequencingDay(
        cars=tuple(vehicle.ident for vehicle in today),
        colours=tuple(vehicle.colour for vehicle in today),
        options=tuple(vehicle.options for vehicle in today),
        rules=rules,
        previous_colours=tuple(vehicle.colour for vehicle in before),
        previous_options=tuple(vehicle.options for vehicle in before),
        objectives=tuple(CHALLENGE_OBJECTIVES[name] for name in objectives),
        longest_batch=limit,
        short_windows=True,
        source=SequencingFormat.CHALLENGE,
        objective_names=objectives,
        remarks=remarks,
    )


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()


def _table(path: Path, columns: Iterable[str], problems: ProblemList) -> _Table | None:
    """Return a file's rows, or note why they cannot be had: a missing file or column, a row of another length."""
    text = read_text(path, problems, LARGEST_BYTES)
    if text is None:
        return None
    lines = [
        (number, [cell.strip() for cell in line.split(";")])
        for number, line in enumerate(text.splitlines(), start=1)
        if line.replace(";", "").strip()
    ]
    if not lines:
        problems.add("file", "an empty file", "a header and rows", file=path.name)
        return None
    first, header = lines[0]
    while not header[-1]:
        header.pop()
    places: dict[str, int] = {}
    noted = len(problems)
    for place, name in enumerate(header):
        if not name or _key(name) in places:
            problems.add(
                "header", name or "a column without a name", "each column once, with its name", line=first,
                file=path.name,
            )  # fmt: skip
        places.setdefault(_key(name), place)
    for name in columns:
        if _key(name) not in places:
            problems.add(
                name, "no such column", f"the column {name}", line=first, file=path.name, hint=closest(name, header)
            )
    if len(problems) > noted:
        return None
    rows = []
    for number, cells in lines[1:]:
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if len(cells) == len(header):
            rows.append((number, tuple(cells)))
        else:
            problems.add("row", f"{len(cells)} cells", f"{len(header)} cells", line=number, file=path.name)
    return _Table(path.name, first, places, tuple(header), tuple(rows))


def _ratios(table: _Table | None, problems: ProblemList) -> tuple[RatioRule, ...]:
    if table is None:
        return ()
    rules: list[RatioRule] = []
    seen: dict[str, int] = {}
    for line, cells in table.rows:
        ratio, priority, name = (table.cell(cells, column) for column in ("Ratio", "Prio", "Ident"))
        parts = [part.strip() for part in ratio.split("/")]
        good = len(parts) == 2 and all(_digits(part) for part in parts)
        if not good or not 0 < int(parts[0]) <= int(parts[1]) <= MOST_CARS:
            expected = f"p/q with p from 1 to q, q at most {MOST_CARS}"
            problems.add("Ratio", ratio, expected, line=line, file=table.file)
            parts = ["1", "1"]
        if priority not in ("0", "1"):
            problems.add("Prio", priority, "1 for high priority or 0 for low", line=line, file=table.file)
        if not name:
            problems.add("Ident", "nothing", "the name of an option", line=line, file=table.file)
            continue
        if _key(name) in seen:
            problems.add("Ident", name, f"an option once; line {seen[_key(name)]} has it", line=line, file=table.file)
            continue
        seen[_key(name)] = line
        rules.append(RatioRule(name, int(parts[0]), int(parts[1]), priority == "1"))
    if len(rules) > MOST_OPTIONS:
        problems.add("rows", f"{len(rules)} rules", f"at most {MOST_OPTIONS}", file=table.file)
    return tuple(rules)


def _objectives(table: _Table | None, problems: ProblemList) -> tuple[str, ...]:
    """Return the challenge's names of the objectives by rank."""
    if table is None:
        return ()
    ranked: dict[int, str] = {}
    seen: dict[str, int] = {}
    for line, cells in table.rows:
        rank, told = table.cell(cells, "rank"), table.cell(cells, "objective name")
        name = _key(told)
        if name not in CHALLENGE_OBJECTIVES:
            problems.add(
                "objective name", told, f"one of {', '.join(CHALLENGE_OBJECTIVES)}", line=line,
                hint=closest(name, CHALLENGE_OBJECTIVES), file=table.file,
            )  # fmt: skip
        elif CHALLENGE_OBJECTIVES[name] in seen:
            expected = f"an objective once; line {seen[CHALLENGE_OBJECTIVES[name]]} has it"
            problems.add("objective name", told, expected, line=line, file=table.file)
        else:
            seen[CHALLENGE_OBJECTIVES[name]] = line
        if not _digits(rank) or not 1 <= int(rank) <= len(table.rows) or int(rank) in ranked:
            expected = f"each rank from 1 to {len(table.rows)} once"
            problems.add("rank", rank, expected, line=line, file=table.file)
        else:
            ranked[int(rank)] = name
    if not table.rows:
        problems.add("rows", "none", "at least one objective", file=table.file)
    return tuple(ranked[rank] for rank in sorted(ranked))


def _limit(table: _Table | None, problems: ProblemList) -> int:
    if table is None:
        return 1
    if len(table.rows) != 1:
        problems.add("limitation", f"{len(table.rows)} rows", "one row with the longest batch", file=table.file)
        return 1
    line, cells = table.rows[0]
    limit = table.cell(cells, "limitation")
    if not _digits(limit) or int(limit) < 1:
        problems.add("limitation", limit, "a whole number above 0", line=line, file=table.file)
        return 1
    return int(limit)


@dataclass(frozen=True, slots=True)
class _Vehicle:
    rank: int
    ident: str
    colour: str
    options: tuple[bool, ...]


def _vehicles(
    table: _Table, rules: Sequence[RatioRule], problems: ProblemList
) -> tuple[list[list[_Vehicle]], tuple[str, ...]]:
    """Return the vehicles day by day, the last day last, each day's in the order of its ranks; and remarks."""
    known = [_key(name) for name in CHALLENGE_FILES[_VEHICLES]]
    options = [name for name in table.header if _key(name) not in known]
    missing = [rule.id for rule in rules if _key(rule.id) not in {_key(name) for name in options}]
    for name in missing:
        problems.add(
            name, "no such column", f"a column for the option {name} of {_RATIOS}", line=table.line, file=table.file,
            hint=closest(name, options),
        )  # fmt: skip
    ruled = {_key(rule.id) for rule in rules}
    unruled = [name for name in options if _key(name) not in ruled]
    remarks = (f"{table.file}: no ratio for {', '.join(unruled)}; left out",) if unruled else ()
    present = [rule for rule in rules if rule.id not in missing]
    days: dict[str, list[_Vehicle]] = {}
    idents: dict[str, int] = {}
    ranks: dict[tuple[str, int], int] = {}
    last = ""
    for line, cells in table.rows:
        date, rank, ident, colour = (table.cell(cells, name) for name in CHALLENGE_FILES[_VEHICLES])
        flags = [table.cell(cells, rule.id) for rule in present]
        for rule, flag in zip(present, flags, strict=True):
            if flag not in ("0", "1"):
                problems.add(rule.id, flag or "nothing", "0 or 1", line=line, file=table.file)
        for name, value in (("Date", date), ("Ident", ident), ("Paint Color", colour)):
            if not value:
                problems.add(name, "nothing", "a value", line=line, file=table.file)
        if ident in idents:
            problems.add("Ident", ident, f"a car once; line {idents[ident]} has it", line=line, file=table.file)
        idents.setdefault(ident, line)
        if not _digits(rank):
            problems.add("SeqRank", rank or "nothing", "a whole number", line=line, file=table.file)
            rank = "0"
        elif (date, int(rank)) in ranks:
            expected = f"a rank once a day; line {ranks[date, int(rank)]} has it"
            problems.add("SeqRank", rank, expected, line=line, file=table.file)
        ranks.setdefault((date, int(rank)), line)
        if date in days and date != last:
            problems.add("Date", date, f"the cars of a day together; {last} stands between", line=line, file=table.file)
        last = date
        days.setdefault(date, []).append(_Vehicle(int(rank), ident, colour, tuple(flag == "1" for flag in flags)))
    for earlier, later in pairwise(days):
        at, then = _moment(earlier), _moment(later)
        # The first week of a year may begin in the year before, and may be told with that year.
        turn = at is not None and then is not None and at[0] == then[0] and at[1] >= 51 and then[1] == 1
        if at is not None and then is not None and at >= then and not turn:
            problems.add("Date", later, f"a day after {earlier}, which stands above", file=table.file)
    if not days:
        problems.add("rows", "none", "at least one car", file=table.file)
    ordered = [sorted(day, key=lambda vehicle: vehicle.rank) for day in days.values()]
    cars = sum(map(len, ordered[_days_before(ordered, rules) :]))
    if cars > MOST_CARS:
        problems.add("rows", f"{cars} cars to be ordered", f"at most {MOST_CARS}", file=table.file)
    return ordered, remarks


def _days_before(days: Sequence[Sequence[_Vehicle]], rules: Sequence[RatioRule]) -> int:
    """Return how many of the dates were built before.

    A folder gives of the days before just what the longest window can see, one car less than its length. Where the
    first dates hold just that, and the next one begins with its first rank, the others are days to be ordered together,
    not days before.
    """
    seen = max((rule.out_of for rule in rules), default=1) - 1
    for earlier, cars in enumerate(accumulate(map(len, days[:-1])), start=1):
        if cars == seen and days[earlier][0].rank <= 1:
            return earlier
    return max(len(days) - 1, 0)


def _moment(date: str) -> tuple[int, ...] | None:
    """Return a date such as 2003 38 3 (year, week, day) as numbers to be compared, or nothing if it is another text."""
    words = date.split()
    return tuple(int(word) for word in words) if len(words) == 3 and all(map(_digits, words)) else None


# ------------------------------------------------------------------------------------------------ given orders


def challenge_answer(order: Iterable[str]) -> str:
    """Return the challenge's answer: a line ``rank;vehicle`` for each car of the day, without a header.

    Examples
    --------
    >>> challenge_answer(["022033840092", "022033840172"]).split()
    ['1;022033840092', '2;022033840172']
    """
    return "".join(f"{rank};{car}\n" for rank, car in enumerate(order, start=1))


def read_answer(path: Path, cars: Sequence[str]) -> tuple[int, ...]:
    """Read a given order of the day's cars.

    Parameters
    ----------
    path
        The challenge's answer (``rank;vehicle`` a line), a vehicle a line, a table with a header that names the
        vehicle's column (``Ident``, ``vehicle`` or ``car``) and perhaps its rank (``SeqRank``, ``rank`` or ``place``),
        or a JSON object with ``order``. Cells are cut at semicolons, commas or tabs. Where dates are given, cars of
        earlier days are passed over.
    cars
        Vehicle numbers of the day.

    Returns
    -------
    tuple[int, ...]
        Position in ``cars`` of the car at each place.

    Raises
    ------
    InputError
        With every vehicle that is unknown, stands twice or is missing, and every rank that is taken twice.
    """
    problems = ProblemList(path.name)
    text = read_text(path, problems, LARGEST_BYTES)
    problems.raise_if_any()
    text = text or ""
    told = _json_order(text, problems) if text.lstrip().startswith("{") else _table_order(text, cars, problems)
    places = {car: place for place, car in enumerate(cars)}
    seen: dict[str, int | None] = {}
    for line, car in told:
        if car not in places:
            problems.add("order", car or "nothing", "a vehicle of the day", line=line, hint=closest(car, cars))
        elif car in seen:
            first = f"; line {seen[car]} has it" if seen[car] else ""
            problems.add("order", car, f"a vehicle once{first}", line=line)
        seen.setdefault(car, line)
    missing = [car for car in cars if car not in seen]
    if missing:
        names = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        problems.add("order", f"{len(missing)} cars of the day missing: {names}", "every car of the day")
    problems.raise_if_any()
    return tuple(places[car] for _, car in told)


_Told = list[tuple[int | None, str]]


def _json_order(text: str, problems: ProblemList) -> _Told:
    try:
        order = json.loads(text)["order"]
    except json.JSONDecodeError as error:
        problems.add("file", error.msg, "one JSON object", line=error.lineno)
    except (KeyError, RecursionError, ValueError):
        problems.add("order", "no such key", "the vehicle numbers in building order")
    else:
        if isinstance(order, list) and all(isinstance(car, str | int) for car in order):
            return [(None, str(car)) for car in order]
        problems.add("order", order, "a list of vehicle numbers")
    problems.raise_if_any()
    return []


def _table_order(text: str, cars: Iterable[str], problems: ProblemList) -> _Told:
    lines = [
        (number, [cell.strip().strip('"') for cell in re.split(r"[;,\t]", line.strip().rstrip(";"))])
        for number, line in enumerate(text.splitlines(), start=1)
        if line.replace(";", "").strip()
    ]
    if not lines:
        problems.add("file", "an empty file", "the vehicles in building order")
        problems.raise_if_any()
    header = {_key(name): place for place, name in enumerate(lines[0][1])}
    vehicle = next((header[name] for name in ("ident", "vehicle", "car") if name in header), None)
    rank = next((header[name] for name in ("seqrank", "rank", "place") if name in header), None)
    date = header.get("date") if vehicle is not None else None
    if vehicle is None:
        vehicle, rank = (0, None) if len(lines[0][1]) == 1 else (1, 0)
    else:
        lines = lines[1:]
    # A day may be several dates together: those whose cars are all of the day, and the last one, whatever it holds.
    dates = list(dict.fromkeys(_cell(cells, date) for _, cells in lines))
    known = {*cars}
    strange = {_cell(cells, date) for _, cells in lines if _cell(cells, vehicle) not in known} - {*dates[-1:]}
    ranked: list[tuple[int, int, int, str]] = []
    taken: dict[tuple[int, int], int] = {}
    for number, cells in lines:
        if len(cells) <= max(vehicle, rank or 0):
            problems.add("row", f"{len(cells)} cells", f"at least {max(vehicle, rank or 0) + 1} cells", line=number)
            continue
        car = cells[vehicle]
        if _cell(cells, date) in strange:
            continue
        day, place = dates.index(_cell(cells, date)), len(ranked) + 1
        if rank is not None:
            if not _digits(cells[rank]):
                problems.add("rank", cells[rank] or "nothing", "a whole number", line=number)
                continue
            place = int(cells[rank])
            if (day, place) in taken:
                problems.add("rank", place, f"a rank once; line {taken[day, place]} has it", line=number)
            taken.setdefault((day, place), number)
        ranked.append((day, place, number, car))
    if len({place for _, place, _, _ in ranked}) == len(ranked):
        # Ranks that go through all dates come before the dates.
        ranked.sort(key=lambda row: row[1])
    else:
        ranked.sort()
    return [(number, car) for _, _, number, car in ranked]


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


__all__ = [
    "CHALLENGE_OBJECTIVES",
    "CarSequencingDay",
    "InputError",
    "RatioRule",
    "SequencingFormat",
    "challenge_answer",
    "read_answer",
    "read_csplib",
    "read_roadef",
    "recognise",
]
