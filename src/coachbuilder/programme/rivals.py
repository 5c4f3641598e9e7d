"""Rivals from a csv file: a row each, columns named as the fields of ``[[market.demand.rival]]``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from coachbuilder.programme.errors import ProblemList, closest
from coachbuilder.programme.sections.market import RivalSection

if TYPE_CHECKING:
    from coachbuilder.programme.schema import ProgrammeDocument

LARGEST_BYTES = 16 * 1024 * 1024
"""Thousands of cars fit into a hundredth of it."""

COLUMNS = ("id", "name", "price_cny", "sold_units")
OPTIONAL = ("range_km", "owner", "peer", "months_on_sale", "nest", "evidence")
_NUMBERS = frozenset({"price_cny", "range_km", "sold_units"})


def with_rivals_of_file(document: ProgrammeDocument, folder: Path, problems: ProblemList) -> ProgrammeDocument:
    """Return the document with the rivals of ``market.demand.rivals_file`` behind those that it names itself.

    Parameters
    ----------
    document
        What programme.toml holds.
    folder
        The programme folder.
    problems
        Where mistakes of the file are noted, by line and column.
    """
    demand = document.market.demand
    if not demand.rivals_file:
        return document
    known = [*(rival.id for rival in demand.rival), *(entrant.id for entrant in demand.entrant)]
    rivals = tuple(read_rivals(folder / demand.rivals_file, document.evidence, known, problems))
    demand = demand.model_copy(update={"rival": (*demand.rival, *rivals)})
    return document.model_copy(update={"market": document.market.model_copy(update={"demand": demand})})


def read_rivals(
    path: Path, register: Mapping[str, object], known: Iterable[str], problems: ProblemList
) -> Iterator[RivalSection]:
    """Yield the rivals of a csv file.

    Parameters
    ----------
    path
        The file. A number may be a range (``130000 to 175000``), an empty cell leaves a field at its default.
    register
        The evidence register, whose entries the column ``evidence`` names.
    known
        Identifiers that are taken.
    problems
        Where mistakes are noted, by line and column; the rows that have them are left out.
    """
    from coachbuilder.programme.loading import csv_records

    taken = set(known)
    for line, record in csv_records(path, COLUMNS, OPTIONAL, problems, LARGEST_BYTES):
        before = len(problems)
        evidence = record.get("evidence", "")
        if evidence and evidence not in register:
            expected, hint = "the name of an entry in the evidence register", closest(evidence, register)
            problems.add("evidence", evidence, expected, line=line, hint=hint, file=path.name)
        if record["id"] in taken:
            problems.add("id", record["id"], "an identifier used once", line=line, file=path.name)
        taken.add(record["id"])
        filled = {name: _cell(name, text) for name, text in record.items() if text or name in COLUMNS}
        try:
            rival = RivalSection.model_validate(filled)
        except ValidationError as error:
            _explain(error, path.name, line, problems)
        else:
            if len(problems) == before:
                yield rival


def _cell(name: str, text: str) -> object:
    if name not in _NUMBERS:
        return text
    try:
        return float(text.replace("_", ""))
    except ValueError:
        return text


def _explain(error: ValidationError, file: str, line: int, problems: ProblemList) -> None:
    for item in error.errors(include_url=False):
        context: Mapping[str, Any] = item.get("ctx", {})
        column = str(item["loc"][0])
        found, hint = str(context.get("found", item["input"])) or "an empty cell", ""
        if item["type"] == "assumption":
            expected = context["expected"]
        elif item["type"] == "enum":
            expected = f"one of {context['expected']}"
            hint = closest(found, _quoted(context["expected"]))
        else:
            message = str(item["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
            expected = message[:1].lower() + message[1:]
        problems.add(column, found, expected, line=line, hint=hint, file=file)


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)
