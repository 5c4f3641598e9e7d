"""Keeps the finished part of a long run, so that a stopped run goes on from where it was."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from coachbuilder.plan import Plan


class Checkpoint:
    """Finished chunks of one set of plans, in a folder of their own.

    Parameters
    ----------
    folder
        Parent folder; made if missing.
    label
        What the set is, part of the folder's name.
    base
        The plan that the cases vary; another programme or other results start anew.
    cases
        Values by path of every case.
    """

    def __init__(self, folder: Path, label: str, base: Plan, cases: Sequence[Mapping[str, float]]) -> None:
        digest = hashlib.sha256()
        digest.update(base.programme.document.model_dump_json(fallback=repr).encode())
        digest.update(base.programme.plant.model_dump_json(fallback=repr).encode())
        digest.update(pickle.dumps((base.programme.tasks, base.programme.orders, dict(base.headline))))
        for values in cases:
            digest.update(repr(sorted(values.items())).encode())
        self._folder = folder / f".{label}-{digest.hexdigest()[:16]}"

    def read(self, start: int) -> NDArray[np.float64] | None:
        """Return the figures of the chunk that begins at case ``start``, if it was finished."""
        path = self._folder / f"{start}.npy"
        if not path.is_file():
            return None
        try:
            figures: NDArray[np.float64] = np.load(path, allow_pickle=False)
        except (OSError, ValueError):
            return None
        return figures

    def write(self, start: int, figures: NDArray[np.float64]) -> None:
        """Keep a finished chunk, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f"{start}.part"
        with partial.open("wb") as file:
            np.save(file, figures, allow_pickle=False)
        partial.replace(self._folder / f"{start}.npy")

    def remove(self) -> None:
        """Forget the chunks: the run is complete."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                path.unlink()
            self._folder.rmdir()
