"""Lists of sanctioned and restricted parties as published, and a list of suppliers to be screened against them.

- the United States' Consolidated Screening List as csv (trade.gov): one row an entry, aliases in ``alt_names``;
- OpenSanctions exports ``targets.simple.csv``: one row a target, aliases in ``aliases``;
- suppliers: ``name`` and ``country``, with ``aliases``, ``identifiers`` and ``id`` where there are such.

Several values in a cell are separated by semicolons. Files may be UTF-8, with or without a mark, or UTF-16 with one;
cells may be separated by commas, semicolons or tabs.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coachbuilder.programme.errors import ProblemList, closest

LARGEST_BYTES = 1024 * 1024 * 1024
"""The largest OpenSanctions export has some hundred megabytes; more than this is some other file."""

LARGEST_CELL = 4 * 1024 * 1024
"""Letters in a cell: some entries have hundreds of addresses."""

MOST_PROBLEMS = 50
"""Mistakes that are told of one file before it is given up."""

CONSOLIDATED = "Consolidated Screening List"
OPEN_SANCTIONS = "OpenSanctions"

CONSOLIDATED_COLUMNS = ("source", "type", "name", "addresses", "start_date", "end_date", "alt_names")
"""Columns by which the Consolidated Screening List is known; it has about twenty more."""

OPEN_SANCTIONS_COLUMNS = ("id", "schema", "name", "aliases", "countries", "identifiers", "dataset")
"""Columns by which an OpenSanctions export is known."""

SUPPLIER_COLUMNS = ("name", "country")
SUPPLIER_FURTHER_COLUMNS = ("id", "aliases", "identifiers")

_DELIMITERS = (",", ";", "\t")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class ListedParty:
    """An entry of a published list."""

    format: str
    """Which format it was read from."""
    list_name: str
    """Which list it stands on, as the file names it."""
    id: str
    """Identifier in the file."""
    name: str
    """Primary name."""
    aliases: tuple[str, ...]
    """Other names."""
    kind: str
    """Entity, Individual, Vessel and so on, as the file says; may be empty."""
    countries: tuple[str, ...]
    """Countries of its addresses and nationalities, as the file writes them."""
    identifiers: tuple[str, ...]
    """Registration numbers and the like."""
    start_date: dt.date | None
    """First day of the entry, where the file tells it."""
    end_date: dt.date | None
    """Last day of it, where the file tells it."""
    url: str
    """Where the list is explained; may be empty."""
    file: str
    """Name of the file."""
    line: int
    """Line in it, from 1."""


@dataclass(frozen=True, slots=True)
class ScreenedParty:
    """A supplier to be screened."""

    id: str
    """Identifier of the supplier's own list; may be empty."""
    name: str
    """Its name."""
    country: str
    """Its country as written."""
    aliases: tuple[str, ...]
    """Other names that it goes by."""
    identifiers: tuple[str, ...]
    """Registration numbers and the like."""
    line: int
    """Line in the file, from 1."""


def read_suppliers(path: Path, problems: ProblemList) -> tuple[ScreenedParty, ...]:
    """Read a list of suppliers; mistakes are noted in ``problems``.

    Parameters
    ----------
    path
        The csv file.
    problems
        Where mistakes are noted, by line and column.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "suppliers.csv"
    ...     _ = file.write_text("name;country;aliases" + chr(10) + 'Works GmbH;DE;"Works; WKS"' + chr(10))
    ...     (supplier,) = read_suppliers(file, ProblemList("suppliers.csv"))
    >>> supplier.name, supplier.aliases
    ('Works GmbH', ('Works', 'WKS'))
    """
    table = _Table(path, problems)
    if not table.open(
        {"suppliers": SUPPLIER_COLUMNS}, allowed=frozenset({*SUPPLIER_COLUMNS, *SUPPLIER_FURTHER_COLUMNS})
    ):
        return ()
    found = []
    for line, row in table.rows():
        if not row["name"]:
            table.note("name", "an empty cell", "the supplier's name", line)
            continue
        found.append(
            ScreenedParty(
                id=row.get("id", ""),
                name=row["name"],
                country=row["country"],
                aliases=_several(row.get("aliases", "")),
                identifiers=_several(row.get("identifiers", "")),
                line=line,
            )
        )
    if not found and not len(problems):
        table.note("file", "a header alone", "at least one supplier")
    return tuple(found)


def read_screening_list(path: Path, problems: ProblemList) -> tuple[ListedParty, ...]:
    """Read a published list, of whichever known format it is; mistakes are noted in ``problems``.

    Parameters
    ----------
    path
        The csv file as published.
    problems
        Where mistakes are noted, by line and column.
    """
    table = _Table(path, problems)
    kind = table.open({CONSOLIDATED: CONSOLIDATED_COLUMNS, OPEN_SANCTIONS: OPEN_SANCTIONS_COLUMNS})
    if not kind:
        return ()
    read = _consolidated if kind == CONSOLIDATED else _open_sanctions
    found = tuple(read(table, line, row) for line, row in table.rows())
    if not found and not len(problems):
        table.note("file", "a header alone", "at least one entry")
    return found


def _consolidated(table: _Table, line: int, row: dict[str, str]) -> ListedParty:
    addresses = [item.rpartition(",")[2].strip() for item in _several(row["addresses"])]
    told = [code for name in ("nationalities", "citizenships") for code in _several(row.get(name, ""))]
    numbers = [part.strip() for item in _several(row.get("ids", "")) for part in item.split(",")]
    return ListedParty(
        format=CONSOLIDATED,
        list_name=row["source"],
        id=row.get("_id", "") or row.get("entity_number", ""),
        name=row["name"],
        aliases=_several(row["alt_names"]),
        kind=row["type"],
        countries=tuple(dict.fromkeys(code for code in (*addresses, *told) if re.fullmatch(r"[A-Z]{2}", code))),
        identifiers=tuple(number for number in numbers if sum(letter.isdigit() for letter in number) >= 4),
        start_date=table.date(row, "start_date", line),
        end_date=table.date(row, "end_date", line),
        url=row.get("source_list_url", ""),
        file=table.file,
        line=line,
    )


def _open_sanctions(table: _Table, line: int, row: dict[str, str]) -> ListedParty:
    # first_seen is when the collection began to show the target, not when an authority listed it: no date of the entry.
    return ListedParty(
        format=OPEN_SANCTIONS,
        list_name=row["dataset"],
        id=row["id"],
        name=row["name"],
        aliases=_several(row["aliases"]),
        kind=row["schema"],
        countries=_several(row["countries"]),
        identifiers=_several(row["identifiers"]),
        start_date=None,
        end_date=None,
        url="",
        file=table.file,
        line=line,
    )


def _several(cell: str) -> tuple[str, ...]:
    """Return the values of a cell, without those that say nothing or the same again."""
    return tuple(dict.fromkeys(text for part in cell.split(";") if (text := part.strip().strip('"'))))


class _Table:
    """A csv file whose encoding and separator are found out, read by column."""

    def __init__(self, path: Path, problems: ProblemList) -> None:
        self.file = path.name
        self._path = path
        self._problems = problems
        self._noted = 0
        self._text = ""
        self._delimiter = ","
        self._header: list[str] = []

    def note(self, field: str, found: object, expected: str, line: int | None = None, hint: str = "") -> None:
        """Note a mistake in this file."""
        self._noted += 1
        self._problems.add(field, found, expected, line=line, hint=hint, file=self.file)

    def open(self, kinds: dict[str, Sequence[str]], *, allowed: frozenset[str] | None = None) -> str:
        """Return which kind of table it is by its columns; empty if it is none of them, which is noted.

        Parameters
        ----------
        kinds
            Columns that each kind must have.
        allowed
            All columns that it may have; None leaves that open.
        """
        if not self._read():
            return ""
        first = self._text.lstrip("\r\n").split("\n", 1)[0]
        choices = []
        for delimiter in _DELIMITERS:
            header = [cell.strip() for cell in next(csv.reader([first.rstrip("\r")], delimiter=delimiter), [])]
            choices.append((delimiter, header))
            for kind, columns in kinds.items():
                if set(columns) <= set(header):
                    self._delimiter, self._header = delimiter, header
                    return kind if self._check_header(allowed) else ""
        _, header = max(choices, key=lambda item: len(item[1]))
        needed = " or ".join(f"the columns {', '.join(columns)} ({kind})" for kind, columns in kinds.items())
        missing = [name for columns in kinds.values() for name in columns if name not in header]
        hints = [hint for name in header if name and (hint := closest(name, missing))]
        self.note("header", ", ".join(header) or "an empty file", needed, 1, hints[0] if hints else "")
        return ""

    def _check_header(self, allowed: frozenset[str] | None) -> bool:
        before = self._noted
        for name in sorted({name for name in self._header if self._header.count(name) > 1}):
            self.note(name, "the column twice", "each column once", 1)
        for name in self._header:
            if allowed is not None and name not in allowed:
                expected = f"one of {', '.join(sorted(allowed))}"
                self.note("header", f"the unknown column {name!r}", expected, 1, closest(name, allowed))
        return self._noted == before

    def _read(self) -> bool:
        path = self._path
        if not path.is_file():
            self.note("file", "a folder" if path.is_dir() else "nothing", f"the file {path.name}")
            return False
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            self.note("file", f"{size / 2**20:.0f} MiB", f"at most {LARGEST_BYTES / 2**20:g} MiB of text")
            return False
        data = path.read_bytes()
        encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            found = f"byte 0x{data[error.start]:02x} at position {error.start}"
            self.note("encoding", found, "UTF-8 text", line, "save the file as UTF-8")
            return False
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            self.note("encoding", "a zero byte", "text", line, "UTF-16 without a mark? Save the file as UTF-8")
            return False
        self._text = text
        return True

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield each row by column, with its first line; rows of another width are noted."""
        before = csv.field_size_limit(LARGEST_CELL)
        try:
            yield from self._rows()
        finally:
            csv.field_size_limit(before)

    def _rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._delimiter, strict=True)
        line = 1
        is_header = True
        try:
            for cells in reader:
                here, line = line, reader.line_num + 1
                if not any(cell.strip() for cell in cells):
                    continue
                if is_header:
                    is_header = False
                    continue
                if len(cells) != len(self._header):
                    hint = "put text with a separator into double quotes" if len(cells) > len(self._header) else ""
                    expected = f"{len(self._header)} cells, as in the header"
                    self.note("row", f"{len(cells)} cells", expected, here, hint)
                    if self._noted >= MOST_PROBLEMS:
                        self.note(
                            "file", f"{self._noted} rows like this", "a file of another kind? The rest is not read"
                        )
                        return
                    continue
                yield here, {name: cell.strip() for name, cell in zip(self._header, cells, strict=True)}
        except csv.Error as error:
            self.note("row", str(error), "separated cells, text in double quotes", reader.line_num)

    def date(self, row: dict[str, str], column: str, line: int) -> dt.date | None:
        """Return the day in a cell; None of an empty one."""
        cell = row[column]
        if not cell:
            return None
        try:
            return dt.date.fromisoformat(cell)
        except ValueError:
            self.note(column, cell, "a date such as 2021-01-14, or nothing", line)
            return None
