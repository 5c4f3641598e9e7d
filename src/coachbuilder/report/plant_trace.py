"""Writes what happened in a run of a plant to a csv or parquet file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coachbuilder.plant.flow.tracing import EVENTS
from coachbuilder.programme.errors import InputError, Problem
from coachbuilder.report.writing import write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coachbuilder.plant.flow.tracing import Trace

COLUMNS = ("time_s", "machine", "car", "type", "event")
SUFFIXES = (".csv", ".parquet")


def require_trace_writer(path: Path) -> None:
    """Refuse early a kind of file that cannot be written here.

    Raises
    ------
    InputError
        If the file's ending is none of ``SUFFIXES``, or pyarrow is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        found = path.suffix or "no ending"
        raise InputError([Problem(str(path), "--trace", found, f"a name that ends with {' or '.join(SUFFIXES)}")])
    if path.suffix.lower() == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            hint = "pip install 'coachbuilder[parquet]', or write a .csv"
            raise InputError(
                [Problem(str(path), "--trace", "no pyarrow here", "pyarrow, which writes parquet", hint=hint)]
            ) from None


def write_trace(trace: Trace, path: Path) -> None:
    """Write a trace, whole or not at all.

    Parameters
    ----------
    trace
        The events.
    path
        A .csv or .parquet file; :func:`require_trace_writer` says whether it can be written.
    """
    write_whole(path, lambda temporary: (_csv if path.suffix.lower() == ".csv" else _parquet)(trace, temporary))


def _csv(trace: Trace, path: Path) -> None:
    columns = (
        [f"{time_s:.6f}" for time_s in trace.time_s.tolist()],
        _names(trace.machine, trace.machines),
        ["" if car < 0 else str(car) for car in trace.car.tolist()],
        _names(trace.type, trace.types),
        _names(trace.event, EVENTS),
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(zip(*columns, strict=True))


def _names(rows: NDArray[np.int64], names: Sequence[str]) -> list[str]:
    return ["" if row < 0 else names[row] for row in rows.tolist()]


def _parquet(trace: Trace, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def words(rows: NDArray[np.int64], names: Sequence[str]) -> pa.DictionaryArray:
        indices = pa.array(rows.astype(np.int32), mask=rows < 0)
        return pa.DictionaryArray.from_arrays(indices, pa.array(list(names)))

    columns = (
        pa.array(trace.time_s),
        words(trace.machine, trace.machines),
        pa.array(trace.car, mask=trace.car < 0),
        words(trace.type, trace.types),
        words(trace.event, EVENTS),
    )
    pq.write_table(pa.table(dict(zip(COLUMNS, columns, strict=True))), path)


__all__ = ["SUFFIXES", "require_trace_writer", "write_trace"]
