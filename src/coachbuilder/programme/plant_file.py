"""Reads a plant file: a plant to be simulated without any programme, with every mistake told by line and field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coachbuilder.programme.errors import ProblemList
from coachbuilder.programme.loading import LARGEST_TOML_BYTES, LineFinder, parse_document, read_text
from coachbuilder.programme.sections.plant_file import PlantFileDocument

_OF_PROGRAMMES = re.compile(r"^\s*\[(shifts|assembly|sequence|flow|evidence|programme)[\].]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PlantFile:
    """A plant file as read.

    Parameters
    ----------
    name
        Name of the file, for messages.
    document
        What it holds.
    lines
        Finds the line of a key.
    """

    name: str
    document: PlantFileDocument
    lines: LineFinder

    def line_of(self, place: Sequence[str]) -> int | None:
        """Return the line of a key, such as ``("station", "weld", "next")``, or of the nearest table around it."""
        return self.lines.find(place)


def read_plant_file(path: str | Path) -> PlantFile:
    """Read and validate a plant file by itself; what its tables say of one another is checked where it is translated.

    Parameters
    ----------
    path
        The TOML file.

    Raises
    ------
    InputError
        With every problem that was found.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "plant.toml"
    ...     _ = file.write_text("[[station]]" + chr(10) + "id = 'weld'" + chr(10) + "cycle_time_s = 60" + chr(10))
    ...     read_plant_file(file).document.station[0].cycle_time_s.mean
    60.0
    """
    path = Path(path)
    problems = ProblemList(path.name)
    raw = read_text(path, problems, LARGEST_TOML_BYTES)
    problems.raise_if_any()
    assert raw is not None
    return plant_file_from(raw, path.name)


def plant_file_from(raw: str, name: str) -> PlantFile:
    """Return the plant file of a TOML text.

    Parameters
    ----------
    raw
        The text.
    name
        Its name in messages.

    Raises
    ------
    InputError
        With every problem that was found.
    """
    problems = ProblemList(name)
    document = parse_document(raw, name, PlantFileDocument, problems)
    if len(problems) and _OF_PROGRAMMES.search(raw):
        problems = ProblemList(name)
        problems.add(
            "file", "a file of a programme", "a plant file", hint="name the programme's folder to simulate its plant"
        )
    problems.raise_if_any()
    assert document is not None
    return PlantFile(name, document, LineFinder(raw))


__all__ = ["PlantFile", "plant_file_from", "read_plant_file"]
