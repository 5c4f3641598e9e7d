"""Reads a programme folder: every mistake is collected and told with file, line, field, found and expected."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from coachbuilder.programme.assumption import PLACEHOLDER, Assumption
from coachbuilder.programme.base import Section
from coachbuilder.programme.errors import InputError, ProblemList, closest
from coachbuilder.programme.evidence import PLACEHOLDER_WIDTH, Evidence, Standing, link_problems, spread, standings
from coachbuilder.programme.presets import with_preset
from coachbuilder.programme.programme import Programme
from coachbuilder.programme.sections.common import EARLIEST_DAY, LATEST_DAY, ModelRole
from coachbuilder.programme.sections.outcome import outcome_problems
from coachbuilder.programme.tree import map_assumptions, repeated_ids

if TYPE_CHECKING:
    from coachbuilder.programme.line import LinePlace
    from coachbuilder.programme.orders import Order
    from coachbuilder.programme.schema import PlantDocument
    from coachbuilder.programme.tasks import Task

PROGRAMME_FILE = "programme.toml"
PLANT_FILE = "plant.toml"
TASKS_FILE = "tasks.csv"
ORDERS_FILE = "orders.csv"
LINE_FILE = "line.csv"
LARGEST_TOML_BYTES = 4 * 1024 * 1024
"""A programme written by people is a few tens of kilobytes; more than this is some other file."""

Document = TypeVar("Document", bound=Section)


def load(folder: str | Path, *, as_of: dt.date | None = None, preset: str | None = None) -> Programme:
    """Read and validate a programme folder.

    Parameters
    ----------
    folder
        The folder with programme.toml, plant.toml, tasks.csv and, if there are such, orders.csv, line.csv and the file
        of rivals that programme.toml names. Where
        plant.toml names a database the orders are read from there, once.
    as_of
        Looks at the decision on another day than ``programme.as_of``: evidence dated later is hidden.
    preset
        Puts a contract shaped like a real one in place of the programme's own; see ``presets.preset_names``.

    Returns
    -------
    Programme
        With every assumption's evidence and 90 % interval filled in.

    Raises
    ------
    InputError
        With every problem that was found in any of the files.

    Examples
    --------
    >>> programme = load("examples/phone-maker-ev")  # doctest: +SKIP
    >>> programme.guest.name  # doctest: +SKIP
    """
    from coachbuilder.programme.line import read_line
    from coachbuilder.programme.rivals import with_rivals_of_file
    from coachbuilder.programme.schema import PlantDocument, ProgrammeDocument
    from coachbuilder.programme.tasks import read_tasks

    problems = ProblemList(PROGRAMME_FILE)
    folder = Path(folder)
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        problems.add(
            "folder", str(folder), "a programme folder", file=str(folder), hint="coachbuilder new NAME makes one"
        )
        problems.raise_if_any()
    document = _read_document(
        folder / PROGRAMME_FILE,
        ProgrammeDocument,
        problems,
        lambda content: with_preset(content, problems, preset, as_of),
    )
    plant = _read_document(folder / PLANT_FILE, PlantDocument, problems)
    if plant is not None:
        _check_models(plant, problems)
    model_ids = [model.id for model in plant.model] if plant is not None else _model_ids_in(folder / PLANT_FILE)
    tasks: tuple[Task, ...] = ()
    orders = None
    if not (folder / TASKS_FILE).is_file():
        found = "a folder" if (folder / TASKS_FILE).is_dir() else "nothing"
        problems.add("file", found, f"the file {TASKS_FILE}", file=TASKS_FILE)
    elif model_ids:
        tasks = read_tasks(folder / TASKS_FILE, model_ids, problems)
    line: tuple[LinePlace, ...] = ()
    if tasks and os.path.lexists(folder / LINE_FILE):
        line = read_line(folder / LINE_FILE, [task.id for task in tasks], problems)
    lines = _Lines(folder)
    if plant is not None:
        orders = _orders(plant, folder, lines, problems)
    if document is not None:
        document = with_rivals_of_file(document, folder, problems)
        problems.extend(link_problems(document.evidence, PROGRAMME_FILE))
        problems.extend(outcome_problems(document.outcome, document.evidence, PROGRAMME_FILE))
        for rests_on in document.programme.switches:
            if rests_on not in document.evidence:
                problems.add(
                    "programme.rests_on",
                    rests_on,
                    "the name of an entry in the evidence register",
                    hint=closest(rests_on, document.evidence),
                )
    if document is None or plant is None:
        problems.raise_if_any()
        message = "unreachable: a missing document is a problem"
        raise RuntimeError(message)
    if as_of is not None:
        if not EARLIEST_DAY <= as_of <= LATEST_DAY:
            problems.add(
                "--as-of", as_of.isoformat(), f"a day from {EARLIEST_DAY} to {LATEST_DAY}", file="command line"
            )
            problems.raise_if_any()
        document = document.model_copy(update={"programme": document.programme.model_copy(update={"as_of": as_of})})
    day = document.programme.as_of
    visible = {name: entry for name, entry in document.evidence.items() if entry.date <= day}
    hidden = tuple(name for name in document.evidence if name not in visible)
    standing = standings(visible) if not len(problems) else {}
    for rests_on in document.programme.switches:
        if rests_on in hidden:
            problems.add(
                "programme.rests_on",
                f"{rests_on}, dated {document.evidence[rests_on].date}",
                f"a claim known by {day}",
                hint="look at a later day, or name an earlier claim",
            )
    document = _with_evidence(document, PROGRAMME_FILE, document.evidence, standing, day, problems, lines)
    plant = _with_evidence(plant, PLANT_FILE, document.evidence, standing, day, problems, lines)
    problems.raise_if_any()
    return Programme(
        document=document,
        plant=plant,
        tasks=tasks,
        orders=orders,
        evidence=visible,
        hidden_evidence=hidden,
        standings=standing,
        folder=folder,
        line=line,
    )


def _orders(plant: PlantDocument, folder: Path, lines: _Lines, problems: ProblemList) -> tuple[Order, ...] | None:
    """Return the orders of the plant's database or of orders.csv; nothing where there is neither."""
    from coachbuilder.programme.orders import read_orders

    known = (
        [model.id for model in plant.model],
        [option.id for option in plant.sequence.option],
        [colour.id for colour in plant.sequence.colour],
    )
    database = plant.sequence.database
    in_file = os.path.lexists(folder / ORDERS_FILE)
    if database is not None and in_file:
        problems.add(
            "sequence.database",
            f"orders in a database and in {ORDERS_FILE}",
            "orders in one place",
            line=lines.find(PLANT_FILE, "sequence.database"),
            hint=f"take this table or {ORDERS_FILE} away",
            file=PLANT_FILE,
        )
        return None
    if database is not None:
        from coachbuilder.programme.database import PlantDatabase
        from coachbuilder.programme.order_database import read_order_database

        source = PlantDatabase(database, folder, lambda path: lines.find(PLANT_FILE, path))
        return read_order_database(source, *known, problems)
    return read_orders(folder / ORDERS_FILE, *known, problems) if in_file else None


def _read_document(
    path: Path,
    schema: type[Document],
    problems: ProblemList,
    change: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Document | None:
    raw = read_text(path, problems, LARGEST_TOML_BYTES)
    return None if raw is None else parse_document(raw, path.name, schema, problems, change)


def parse_document(
    raw: str,
    file: str,
    schema: type[Document],
    problems: ProblemList,
    change: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Document | None:
    """Return a TOML text as a typed document, or nothing where mistakes were noted.

    Parameters
    ----------
    raw
        The text.
    file
        Its name in messages.
    schema
        What it is to be.
    problems
        Where mistakes are noted.
    change
        What is done to the content before it is checked.
    """
    try:
        content = tomllib.loads(raw)
        if change is not None:
            content = change(content)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        problems.add(
            "syntax",
            str(error),
            "TOML",
            line=int(place.group(1)) if place else None,
            file=file,
        )
        return None
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits, tables nested thousands deep: no mistake of TOML, but no programme either.
        problems.add("syntax", str(error) or "tables nested too deep", "numbers and tables of a human size", file=file)
        return None
    try:
        document = schema.model_validate(content)
    except ValidationError as error:
        _explain(error, file, schema, raw, content, problems)
        return None
    finder = None
    for field, name, location in repeated_ids(document):
        finder = finder or LineFinder(raw)
        problems.add(field, name, "an identifier used once", line=finder.find(location), file=file)
    return document


def _model_ids_in(path: Path) -> list[str]:
    """Return the models of a plant file that has mistakes elsewhere, so that tasks.csv can be checked all the same."""
    try:
        models = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("model", [])
        return [model["id"] for model in models if isinstance(model["id"], str)]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # The mistake that keeps us from it has been noted when the document was read.
        return []


def read_text(path: Path, problems: ProblemList, largest_bytes: int) -> str | None:
    """Return a file's text, or note why it cannot be had: missing, a folder, too large, not UTF-8."""
    if not path.is_file():
        problems.add("file", "a folder" if path.is_dir() else "nothing", f"the file {path.name}", file=path.name)
        return None
    try:
        size = path.stat().st_size
        if size > largest_bytes:
            problems.add(
                "file", f"{size / 2**20:.1f} MiB", f"at most {largest_bytes / 2**20:g} MiB of text", file=path.name
            )
            return None
        data = path.read_bytes()
    except OSError as error:
        problems.add("file", error.strerror or "an unreadable file", "a file that can be read", file=path.name)
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.add(
            "encoding",
            f"byte 0x{data[error.start]:02x} at position {error.start}",
            "UTF-8 text",
            line=line,
            hint="save the file as UTF-8",
            file=path.name,
        )
        return None


def csv_records(
    path: Path, columns: Sequence[str], optional: Sequence[str], problems: ProblemList, largest_bytes: int
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the records of a csv file with a header, each with its line; mistakes are noted in ``problems``.

    Parameters
    ----------
    path
        The file.
    columns, optional
        Columns that it must have and may have, in any order.
    problems
        Where mistakes are noted: no text, another header, rows of another width.
    largest_bytes
        Size beyond which it is refused.
    """
    text = read_text(path, problems, largest_bytes)
    if text is None:
        return
    rows = _csv_rows(text, path.name, problems)
    named = f"the columns {', '.join(columns)}" + (f" and, if wanted, {', '.join(optional)}" if optional else "")
    first = next(rows, None)
    if first is None:
        if "\0" not in text:
            problems.add("file", "an empty file", named, file=path.name)
        return
    line, header = first[0], [cell.strip() for cell in first[1]]
    if len(set(header)) != len(header) or not set(columns) <= set(header) <= {*columns, *optional}:
        problems.add("header", ", ".join(header), f"{named}, each once", line=line, file=path.name)
        return
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            problems.add("row", f"{len(cells)} cells", f"{len(header)} cells", line=line, file=path.name)
            continue
        yield line, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


def _csv_rows(text: str, file: str, problems: ProblemList) -> Iterator[tuple[int, list[str]]]:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        problems.add("file", "a zero byte", "text", line=line, file=file)
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        problems.add("row", str(error), "comma-separated cells", line=reader.line_num, file=file)


def _explain(
    error: ValidationError, file: str, schema: type[Section], raw: str, content: object, problems: ProblemList
) -> None:
    finder = LineFinder(raw)
    for item in error.errors(include_url=False):
        location = [str(part) for part in item["loc"]]
        path = ".".join(_with_ids(item["loc"], content))
        line = finder.find(location)
        kind = item["type"]
        found: object = item["input"]
        context: Mapping[str, Any] = item.get("ctx", {})
        if kind in {"assumption", "unseen"}:
            problems.add(path, context["found"], context["expected"], line=line, file=file)
        elif kind == "extra_forbidden":
            allowed = _fields_at(schema, location[:-1])
            problems.add(
                path,
                f"the unknown key {location[-1]!r}",
                f"one of {', '.join(allowed)}" if len(allowed) <= 12 else "a key of this table",
                line=line,
                hint=closest(location[-1], allowed),
                file=file,
            )
        elif kind == "missing":
            what = f"the key {location[-1]!r}"
            problems.add(path, "nothing", what, line=finder.find(location[:-1]), file=file)
        elif kind == "union_tag_invalid":
            allowed = [tag.strip().strip("'") for tag in context["expected_tags"].split(",")]
            problems.add(
                f"{path}.{context['discriminator'].strip(chr(39))}",
                context["tag"],
                f"one of {context['expected_tags']}",
                line=line,
                hint=closest(context["tag"], allowed),
                file=file,
            )
        elif kind == "enum":
            hint = closest(found, re.findall(r"'([^']*)'", context["expected"])) if isinstance(found, str) else ""
            problems.add(path, found, f"one of {context['expected']}", line=line, hint=hint, file=file)
        else:
            message = item["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
            problems.add(path, found, message[:1].lower() + message[1:], line=line, file=file)


def _with_ids(location: Sequence[str | int], content: Any) -> Iterator[str]:
    """Yield the parts of a location, with the id of an item of a list in place of its number where it has one."""
    for part in location:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            content = None
        name = content.get("id") if isinstance(part, int) and isinstance(content, Mapping) else None
        yield name if isinstance(name, str) and name else str(part)


def _fields_at(schema: type[Section], location: Sequence[str]) -> list[str]:
    """Return the keys that a table of the schema allows, following types along the path."""
    current: Any = schema
    for part in location:
        if part.isdigit():
            continue
        fields = getattr(current, "model_fields", {})
        field = fields.get(part)
        if field is None:
            continue
        current = _section_of(field.annotation) or current
    return [field.alias or name for name, field in getattr(current, "model_fields", {}).items()]


def _section_of(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _section_of(argument)
        if found is not None:
            return found
    return None


class LineFinder:
    """Finds the line of a key in TOML text, as well as a reader's eye would."""

    _HEADER = re.compile(r"^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}")
    _KEY = re.compile(r"^\s*([A-Za-z0-9_$\"'.-]+)\s*=")
    _ID = re.compile(r"""^\s*id\s*=\s*["']([^"']+)["']""")

    def __init__(self, raw: str) -> None:
        self._lines: dict[tuple[str, ...], int] = {}
        self._by_id: dict[tuple[str, ...], tuple[str, ...]] = {}
        counts: dict[tuple[str, ...], int] = {}
        table: tuple[str, ...] = ()
        for number, text in enumerate(raw.splitlines(), start=1):
            header = self._HEADER.match(text)
            if header:
                names = tuple(part.strip().strip("\"'") for part in header.group(1).split("."))
                table = self._numbered(names, counts, new_item=text.lstrip().startswith("[["))
                self._lines.setdefault(table, number)
                if table[-1].isdigit():
                    self._lines.setdefault(table[:-1], number)
                continue
            named = self._ID.match(text)
            if named and table and table[-1].isdigit():
                self._by_id.setdefault((*table[:-1], named.group(1)), table)
            key = self._KEY.match(text)
            if key:
                names = tuple(part.strip("\"'") for part in key.group(1).split("."))
                self._lines.setdefault((*table, *names), number)

    @staticmethod
    def _numbered(names: Sequence[str], counts: dict[tuple[str, ...], int], *, new_item: bool) -> tuple[str, ...]:
        """Return the path of a table with the numbers of the items of lists; ``counts`` holds items by list."""
        path: tuple[str, ...] = ()
        for depth, name in enumerate(names, start=1):
            path = (*path, name)
            is_new = new_item and depth == len(names)
            if is_new:
                counts[path] = counts.get(path, 0) + 1
            if path in counts:
                path = (*path, str(counts[path] - 1))
        return path

    def find(self, location: Sequence[str]) -> int | None:
        """Return the line of the longest known beginning of ``location``; items of lists by number or by id."""
        wanted: tuple[str, ...] = ()
        for part in location:
            wanted = self._by_id.get((*wanted, part), (*wanted, part))
        while wanted:
            if wanted in self._lines:
                return self._lines[wanted]
            wanted = wanted[:-1]
        return None


class _Lines:
    """Line finders of the files of a folder, made when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._finders: dict[str, LineFinder] = {}

    def find(self, file: str, path: str) -> int | None:
        """Return the line where an assumption's path stands, if it can be told."""
        if file not in self._finders:
            self._finders[file] = LineFinder((self._folder / file).read_text(encoding="utf-8-sig"))
        return self._finders[file].find(path.split("."))


def _check_models(plant: PlantDocument, problems: ProblemList) -> None:
    guests = [model.id for model in plant.model if model.role is ModelRole.GUEST]
    if len(guests) != 1:
        problems.add(
            "model.role",
            f"{len(guests)} guests" + (f": {', '.join(guests)}" if guests else ""),
            "exactly one model with role 'guest'",
            file=PLANT_FILE,
        )
    for model in plant.model:
        has_rate = model.planned_units_per_year is not None
        if 0 < model.units_per_year < 1:
            problems.add(
                f"model.{model.id}.planned_units_per_year",
                f"{model.units_per_year:g}",
                "0, or one car a year or more",
                file=PLANT_FILE,
            )
        if has_rate is (model.role is ModelRole.GUEST):
            problems.add(
                f"model.{model.id}.planned_units_per_year",
                "a number" if has_rate else "nothing",
                "nothing for the guest: its rate comes from demand" if has_rate else "the host's planned cars a year",
                file=PLANT_FILE,
            )


def _with_evidence(
    section: Document,
    file: str,
    register: Mapping[str, Evidence],
    standing: Mapping[str, Standing],
    day: dt.date,
    problems: ProblemList,
    lines: _Lines,
) -> Document:
    """Fill in evidence, dated version and 90 % interval of every assumption below a document."""
    too_late: dict[tuple[str, dt.date], list[str]] = {}

    def settle(path: str, assumption: Assumption, inherited: str) -> Assumption:
        versions = []
        for version in (assumption, *assumption.earlier):
            name = version.evidence or inherited
            if name and name not in register:
                problems.add(
                    path,
                    name,
                    "evidence: the name of an entry in the evidence register",
                    line=lines.find(file, path),
                    hint=closest(name, register),
                    file=file,
                )
                return assumption
            known_since = register[name].date if name else dt.date.min
            versions.append((known_since, replace(version, evidence=name or PLACEHOLDER, earlier=(), path=path)))
        seen = [item for item in versions if item[0] <= day]
        if not seen:
            known_since, version = min(versions, key=lambda item: item[0])
            too_late.setdefault((version.evidence, known_since), []).append(path)
            return assumption
        chosen = max(seen, key=lambda item: item[0])[1]
        if chosen.stated_range:
            return chosen
        width = standing[chosen.evidence].half_width_share if chosen.evidence in standing else PLACEHOLDER_WIDTH
        low, high = spread(chosen.value, width, chosen.minimum, chosen.maximum)
        return replace(chosen, low=low, high=high)

    settled = map_assumptions(section, settle)
    for (name, known_since), paths in too_late.items():
        problems.add(
            paths[0],
            f"evidence {name!r}, dated {known_since}" + (f", here and for {len(paths) - 1} more" if paths[1:] else ""),
            f"evidence known by {day}",
            line=lines.find(file, paths[0]),
            hint="add an earlier version of the number, or look at a later day",
            file=file,
        )
    return settled


__all__ = ["LINE_FILE", "ORDERS_FILE", "PLANT_FILE", "PROGRAMME_FILE", "TASKS_FILE", "InputError", "load", "read_text"]
