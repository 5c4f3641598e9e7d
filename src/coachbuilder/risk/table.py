"""Draws in Parquet as they come: a folder of files, each whole, that any reader of Parquet takes for one table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plan import headline_names
from coachbuilder.programme.errors import InputError, Problem
from coachbuilder.risk.checkpoint import LINES, digest_of, fingerprint_of

if TYPE_CHECKING:
    from coachbuilder.plan import Plan
    from coachbuilder.plant.balance import LineTable
    from coachbuilder.risk.runner import Points

PLAN, POINTS = b"coachbuilder.plan", b"coachbuilder.points"
"""Keys in the files under which stand what tells the plan and the points from all others."""


def parquet_for(folder: Path) -> Any:
    """Return what reads and writes Parquet.

    Parameters
    ----------
    folder
        Where the files are to go.

    Raises
    ------
    InputError
        If pyarrow is not installed.
    """
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        hint = 'pip install "coachbuilder[parquet]"'
        raise InputError([Problem("", "--out", str(folder), "pyarrow to be installed", hint=hint)]) from None
    return parquet


class Table:
    """A folder of Parquet files: number of the draw, every drawn assumption, every headline figure.

    A stopped run goes on from the files that are there, a longer run adds to those of a shorter one.

    Parameters
    ----------
    folder
        The folder; made if missing.
    base
        The plan that the draws vary.
    lines
        Balances between which the line of each draw is interpolated.

    Raises
    ------
    InputError
        If the folder holds something else, or pyarrow is not installed.
    """

    def __init__(self, folder: Path, base: Plan, lines: LineTable | None = None) -> None:
        self._parquet = parquet_for(folder)
        self._folder = folder
        self._plan = fingerprint_of(base, lines).encode()
        if folder.exists() and not folder.is_dir():
            raise InputError([Problem("", "--out", f"{folder}, a file", "a folder, or nothing")])
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix == ".part" or path.name.startswith(LINES):
                continue
            found = self._keys(path).get(PLAN)
            if found != self._plan:
                what = "draws of another plan" if found else path.name
                raise InputError([Problem("", "--out", f"{folder} with {what} in it", "a folder of its own")])

    def _file(self, chunk: range) -> Path:
        return self._folder / f"draws-{chunk.start:09d}.parquet"

    def _keys(self, path: Path) -> dict[bytes, bytes]:
        if not path.is_file():
            return {}
        try:
            return dict(self._parquet.read_schema(path).metadata or {})
        except (OSError, ValueError):
            return {}

    def read(self, points: Points, chunk: range) -> NDArray[np.float64] | None:
        """Return the figures of a chunk, if it was finished."""
        path = self._file(chunk)
        if self._keys(path).get(POINTS) != digest_of(points.part(chunk)).encode():
            return None
        kept = self._parquet.read_table(path, columns=list(headline_names()))
        return np.column_stack([column.to_numpy() for column in kept.columns])

    def write(self, points: Points, chunk: range, figures: NDArray[np.float64]) -> None:
        """Keep a finished chunk, whole or not at all."""
        import pyarrow

        arrow: Any = pyarrow
        part = points.part(chunk)
        columns: dict[str, NDArray[Any]] = {"draw": np.arange(chunk.start, chunk.stop)}
        columns |= {path: part.values[:, number] for number, path in enumerate(part.paths)}
        columns |= {name: figures[:, number] for number, name in enumerate(headline_names())}
        keys = {PLAN: self._plan, POINTS: digest_of(part).encode()}
        table = arrow.table({name: np.ascontiguousarray(values) for name, values in columns.items()})
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._file(chunk)
        partial = path.with_suffix(".part")
        self._parquet.write_table(table.replace_schema_metadata(keys), partial)
        partial.replace(path)

    def finish(self, chunks: Iterable[range]) -> None:
        """Take away the files of an earlier, longer run of the same plan, so that the table is this run's."""
        own = {self._file(chunk) for chunk in chunks}
        for path in self._folder.glob("draws-*.parquet"):
            if path not in own:
                path.unlink()
