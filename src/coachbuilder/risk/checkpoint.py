"""Keeps the finished part of a long run, so that a stopped run goes on from where it was."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from coachbuilder.plan import Plan
    from coachbuilder.plant.balance import LineTable
    from coachbuilder.risk.runner import Points


LINES = ".lines-"
"""How the name of the file begins in which finished balances of a plan's lines are kept; readers of Parquet skip it."""


def fingerprint_of(base: Plan, lines: LineTable | None = None) -> str:
    """Return what tells a plan from every other: its files, its values, its results, and how draws take its line."""
    digest = hashlib.sha256()
    digest.update(base.programme.document.model_dump_json(fallback=repr).encode())
    digest.update(base.programme.plant.model_dump_json(fallback=repr).encode())
    digest.update(pickle.dumps((base.programme.tasks, base.programme.orders, dict(base.headline))))
    if lines is not None:
        digest.update(repr(lines).encode())
    return digest.hexdigest()[:16]


def digest_of(points: Points) -> str:
    """Return what tells points from all others."""
    digest = hashlib.sha256("|".join(points.paths).encode())
    digest.update(np.ascontiguousarray(points.values).tobytes())
    return digest.hexdigest()[:24]


class Checkpoint:
    """Finished chunks of one set of plans, in a folder of their own.

    A chunk is known by its points, so that a longer run of the same draws finds those of a shorter one.

    Parameters
    ----------
    folder
        Parent folder; made if missing.
    label
        What the set is, part of the folder's name.
    base
        The plan that the points vary; another programme or other results start anew.
    lines
        Balances between which the line of each point is interpolated.
    """

    def __init__(self, folder: Path, label: str, base: Plan, lines: LineTable | None = None) -> None:
        self._folder = folder / f".{label}-{fingerprint_of(base, lines)}"

    def _file(self, points: Points) -> Path:
        return self._folder / f"{digest_of(points)}.npy"

    def read(self, points: Points, chunk: range) -> NDArray[np.float64] | None:
        """Return the figures of a chunk, if it was finished."""
        path = self._file(points.part(chunk))
        if not path.is_file():
            return None
        try:
            figures: NDArray[np.float64] = np.load(path, allow_pickle=False)
        except (OSError, ValueError):
            return None
        return figures

    def write(self, points: Points, chunk: range, figures: NDArray[np.float64]) -> None:
        """Keep a finished chunk, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._file(points.part(chunk))
        partial = path.with_suffix(".part")
        with partial.open("wb") as file:
            np.save(file, figures, allow_pickle=False)
        partial.replace(path)

    def remove(self) -> None:
        """Forget the chunks: the run is complete."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                path.unlink()
            self._folder.rmdir()
