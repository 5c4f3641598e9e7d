"""Writes a small complete programme to start from."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path

from coachbuilder.programme.errors import InputError, Problem
from coachbuilder.programme.loading import PLANT_FILE, PROGRAMME_FILE, TASKS_FILE

FILES = (PROGRAMME_FILE, PLANT_FILE, TASKS_FILE)


def write_template(folder: Path) -> tuple[Path, ...]:
    """Write the three files of a small programme, every number of it a placeholder.

    Parameters
    ----------
    folder
        The folder to make; its name becomes the programme's id.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    InputError
        If the folder holds one of the files already, or cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     [path.name for path in write_template(Path(place) / "my-car")]
    ['programme.toml', 'plant.toml', 'tasks.csv']
    """
    present = [name for name in FILES if os.path.lexists(folder / name)]
    if present:
        raise InputError(
            [
                Problem(
                    str(folder / name), "file", "a file that is there already", "a new folder", hint="take another name"
                )
                for name in present
            ]
        )
    if folder.is_file():
        raise InputError([Problem(str(folder), "NAME", "a file", "a folder to make", hint="take another name")])
    identifier = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name).strip("-_") or "programme"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            text = (files(__package__) / name).read_text(encoding="utf-8")
            (folder / name).write_text(text.replace("PROGRAMME-ID", identifier), encoding="utf-8")
    except OSError as error:
        raise InputError(
            [Problem(str(folder), "NAME", error.strerror or "no folder", "a folder that can be written")]
        ) from None
    return tuple(folder / name for name in FILES)


__all__ = ["FILES", "write_template"]
