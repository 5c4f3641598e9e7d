"""Drive-cycle traces: the official ones that are shipped, and a user's own."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme.errors import InputError, Problem, ProblemList, closest
from coachbuilder.programme.loading import read_text

LARGEST_BYTES = 16 * 1024 * 1024
TOLD = 5
"""Problems of one kind that are told one by one; the rest is counted."""
FASTEST_KMH = 400.0
LARGEST_STEP_MPS = 10.0
"""Change of speed in a second beyond which a row is wrong, not fast."""
DISTANCE_TOLERANCE = 0.02
ALIKE = 0.999
"""Correlation with an official trace from which a trace of the same length is taken for it."""

UNITS: Mapping[str, float] = {"km/h": 1 / 3.6, "mph": 0.44704, "m/s": 1.0}
"""Metres a second of each unit of speed that a file may use."""
_UNIT_NAMES: Mapping[str, str] = {
    "km/h": "km/h", "kmh": "km/h", "kph": "km/h", "kmph": "km/h", "mph": "mph", "mi/h": "mph", "m/s": "m/s",
    "mps": "m/s",
}  # fmt: skip
_SPEED_NAMES = ("vehicle speed", "target speed", "speed", "velocity", "v")
_TIME_NAMES = ("time", "test time", "sec", "secs", "second", "seconds", "s", "t")
_JOINED = {"cycMps": ("v", "m/s"), "cycSecs": ("t", None)}
"""Column names that join what and unit: those of FASTSim's cycle files."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A drive cycle, one row a second."""

    name: str
    """Its name."""
    speed_mps: NDArray[np.float64]
    """Speed at every second from 0, shape (n,)."""

    @property
    def duration_s(self) -> int:
        """Duration."""
        return int(self.speed_mps.size - 1)

    @property
    def distance_m(self) -> float:
        """Distance, speed taken to change in a straight line within a second."""
        return float(0.5 * (self.speed_mps[1:] + self.speed_mps[:-1]).sum())

    @property
    def top_speed_mps(self) -> float:
        """Largest speed."""
        return float(self.speed_mps.max())

    @property
    def largest_acceleration_mps2(self) -> float:
        """Largest gain of speed in a second."""
        return float(np.diff(self.speed_mps).max())


@dataclass(frozen=True, slots=True)
class OfficialFigures:
    """What a regulation says of its trace."""

    duration_s: int
    """Duration."""
    distance_km: float
    """Distance."""
    top_speed_kmh: float
    """Top speed."""
    source: str
    """The regulation."""


OFFICIAL: Mapping[str, OfficialFigures] = {
    "UDDS": OfficialFigures(1369, 11.99, 91.25, "40 CFR part 86 appendix I (a)"),
    "HWFET": OfficialFigures(765, 16.51, 96.40, "40 CFR part 600 appendix I"),
    "US06": OfficialFigures(600, 12.89, 129.23, "40 CFR part 86 appendix I (g)"),
    "SC03": OfficialFigures(600, 5.76, 88.19, "40 CFR part 86 appendix I (h)"),
    "WLTC 3a": OfficialFigures(1800, 23.194, 131.3, "UN GTR 15 annex 1"),
    "WLTC 3b": OfficialFigures(1800, 23.266, 131.3, "UN GTR 15 annex 1"),
    "NEDC": OfficialFigures(1180, 11.01, 120.0, "UN R83 annex 4a"),
    "CLTC-P": OfficialFigures(1800, 14.48, 114.0, "GB/T 38146.1-2019"),
}
"""The shipped traces. That of CLTC-P was not taken from the standard itself but from a public copy of it; length,
distance, top speed, and of each of its three phases distance, top speed and largest acceleration (over two seconds) are
those that the standard tells."""


@cache
def trace(name: str) -> Trace:
    """Return a shipped trace.

    Parameters
    ----------
    name
        One of :data:`OFFICIAL`.

    Raises
    ------
    InputError
        If there is none of that name.

    Examples
    --------
    >>> round(trace("UDDS").distance_m / 1000, 2), trace("NEDC").duration_s
    (11.99, 1180)
    """
    if name not in OFFICIAL:
        hint = closest(name, OFFICIAL) or "a trace of your own is read from a 1 Hz csv file"
        raise InputError([Problem("drive cycles", "name", name, f"one of {', '.join(OFFICIAL)}", hint=hint)])
    file = (
        resources.files("coachbuilder.vehicle") / "cycles" / f"{name.lower().replace(' ', '_').replace('-', '_')}.csv"
    )
    rows = file.read_text(encoding="utf-8").splitlines()
    return _made(name, [float(row) for row in rows if row and not row.startswith("#")])


def read_trace(
    path: str | Path, *, unit: str | None = None, known_distance_km: float | None = None, name: str | None = None
) -> Trace:
    r"""Read a user's own trace: a csv file with a speed for every second.

    Columns are found by their names (time, speed, mph, km/h, m/s and the like), else the first is time and the second
    speed, or the only one speed. Separators are comma, semicolon or tab; with a semicolon a decimal comma is read. A
    trace that has the shape of an official one must have its distance too.

    Parameters
    ----------
    path
        The file.
    unit
        ``km/h``, ``mph`` or ``m/s``; without it the header has to tell.
    known_distance_km
        Distance of the trace where it is known: what differs by more than 2 % is told, with the unit that would fit.
    name
        Name of the trace; without it that of the file.

    Raises
    ------
    InputError
        With every problem found: gaps, negative or missing speeds, speeds in a wrong unit.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "own.csv").write_text("time_s,speed_kmh\n0,0\n1,3.6\n2,7.2\n")
    >>> round(read_trace(folder / "own.csv").distance_m, 6)
    2.0
    """
    path = Path(path)
    problems = ProblemList(path.name)
    text = read_text(path, problems, LARGEST_BYTES)
    problems.raise_if_any()
    lines = [
        (number, line)
        for number, line in enumerate((text or "").lstrip("\ufeff").splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        problems.add("rows", "none", "at least two, one a second")
    if unit is not None and unit not in UNITS:
        problems.add("unit", unit, f"one of {', '.join(UNITS)}")
    if known_distance_km is not None and not 0.0 < known_distance_km < math.inf:
        problems.add("known distance", f"{known_distance_km:g} km", "a distance above 0")
    problems.raise_if_any()
    header, rows = _cells(lines, problems)
    problems.raise_if_any()
    columns = _columns(header, rows, problems)
    if unit is not None and columns.unit is not None and unit != columns.unit:
        problems.add("unit", unit, f"{columns.unit}, which the header tells")
    chosen = unit or columns.unit
    if chosen is None:
        problems.add("header", " ".join(header) or "none", "a unit of speed: km/h, mph or m/s, here or as an option")
    problems.raise_if_any()
    times, speeds, numbers = _numbers(rows, columns, problems)
    _check_rows(times, speeds, numbers, problems)
    problems.raise_if_any()
    factor = UNITS[chosen or ""]
    made = _made(name or path.stem, [speed * factor for speed in speeds])
    _check_trace(made, chosen or "", known_distance_km, problems)
    problems.raise_if_any()
    return made


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where a file has its times and speeds."""

    time: int | None
    """None: rows are seconds."""
    speed: int
    unit: str | None
    """Unit that the header tells."""


def _made(name: str, speeds: Sequence[float]) -> Trace:
    speed = np.array(speeds, dtype=np.float64)
    speed.setflags(write=False)
    return Trace(name, speed)


def _cells(lines: Sequence[tuple[int, str]], problems: ProblemList) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Split lines into a header, empty if there is none, and rows with their line numbers."""
    sample = "\n".join(line for _, line in lines[:5])
    separator = next((mark for mark in (";", "\t", ",") if mark in sample), ",")
    rows = []
    for number, line in lines:
        try:
            cells = [cell.strip() for cell in next(csv.reader(io.StringIO(line), delimiter=separator))]
        except csv.Error as error:
            problems.add("row", str(error), "cells with separators between them", line=number)
            continue
        if separator != ",":
            cells = [cell.replace(",", ".") for cell in cells]
        rows.append((number, cells))
    if rows and not any(math.isfinite(_number(cell)) for cell in rows[0][1]):
        header, rows = rows[0][1], rows[1:]
    else:
        header = []
    width = len(header) or (len(rows[0][1]) if rows else 0)
    ragged = [(number, "row", f"{len(cells)} cells") for number, cells in rows if len(cells) != width]
    _tell(problems, ragged, f"{width} cells: with commas between cells a decimal comma cannot be read")
    return header, rows


def _number(cell: str) -> float:
    """Return a cell's number; NaN where there is none."""
    try:
        return float(cell) if "_" not in cell else math.nan
    except ValueError:
        return math.nan


def _what_and_unit(cell: str) -> tuple[str, str | None]:
    """Split a column's name into what it holds, in lower case, and the unit of speed at its end."""
    if cell in _JOINED:
        return _JOINED[cell]
    words = re.sub(r"[\[\](){},;:_\s]+", " ", cell).strip().lower()
    if words in _UNIT_NAMES:
        return "speed", _UNIT_NAMES[words]
    what, _, last = words.rpartition(" ")
    if last in _UNIT_NAMES:
        return what, _UNIT_NAMES[last]
    return (what if last in ("s", "sec", "secs", "seconds") and what else words), None


def _columns(header: Sequence[str], rows: Sequence[tuple[int, list[str]]], problems: ProblemList) -> _Columns:
    named = [_what_and_unit(cell) for cell in header]
    for place, (what, _) in enumerate(named):
        steep = [number for number, cells in rows if _number(cells[place]) != 0.0]
        if (what == "grade" or "grade" in header[place].lower()) and steep:
            problems.add(header[place], "grades", "a level road: traces with grades are not driven", line=steep[0])
    speeds = [place for key in _SPEED_NAMES for place, (what, _) in enumerate(named) if what == key]
    with_unit = [place for place in speeds if named[place][1] is not None]
    times = [place for key in _TIME_NAMES for place, (what, _) in enumerate(named) if what == key]
    if speeds:
        speed = (with_unit or speeds)[0]
        return _Columns(times[0] if times else None, speed, named[speed][1])
    width = len(rows[0][1]) if rows else 0
    if header and width > 2:
        problems.add("header", " ".join(header), "a column named speed, and one named time")
    return _Columns(0 if width > 1 else None, min(1, max(width - 1, 0)), named[min(1, width - 1)][1] if named else None)


def _numbers(
    rows: Sequence[tuple[int, list[str]]], columns: _Columns, problems: ProblemList
) -> tuple[list[float], list[float], list[int]]:
    bad: list[tuple[int, str, str]] = []

    def read(name: str, column: int) -> list[float]:
        found = [_number(cells[column]) for _, cells in rows]
        bad.extend(
            (number, name, cells[column] or "nothing")
            for value, (number, cells) in zip(found, rows, strict=True)
            if not math.isfinite(value)
        )
        return found

    speeds = read("speed", columns.speed)
    times = [float(place) for place in range(len(rows))] if columns.time is None else read("time", columns.time)
    _tell(problems, sorted(bad), "a number")
    return times, speeds, [number for number, _ in rows]


def _check_rows(times: list[float], speeds: list[float], numbers: list[int], problems: ProblemList) -> None:
    if len(speeds) < 2:
        problems.add("rows", str(len(speeds)), "at least two, one a second")
        return
    steps = [
        (numbers[i], "time", f"a step of {times[i] - times[i - 1]:g} s")
        for i in range(1, len(times))
        if math.isfinite(times[i] - times[i - 1]) and abs(times[i] - times[i - 1] - 1.0) > 1e-6
    ]
    if len(steps) == len(times) - 1 and len({item[2] for item in steps}) == 1:
        problems.add("time", f"{steps[0][2]} throughout", "a row a second: resample the trace to 1 Hz")
    else:
        _tell(problems, steps, "1 s: a trace has a row for every second, without gaps")
    _tell(
        problems,
        [(number, "speed", f"{speed:g}") for number, speed in zip(numbers, speeds, strict=True) if speed < 0],
        "a speed of 0 or more",
    )
    if max(speeds) <= 0:
        problems.add("speed", "0 throughout", "a car that moves")


def _check_trace(made: Trace, unit: str, known_distance_km: float | None, problems: ProblemList) -> None:
    distance_km = made.distance_m / 1000
    expected, whose = known_distance_km, "the distance that was told"
    if expected is None:
        for name, figures in OFFICIAL.items():
            if _alike(trace(name).speed_mps, made.speed_mps):
                expected, whose = figures.distance_km, f"the distance of {name}, whose shape the trace has"
                break
    if expected is not None and abs(distance_km / expected - 1) > DISTANCE_TOLERANCE:
        fits = [
            other
            for other, factor in UNITS.items()
            if abs(distance_km / UNITS[unit] * factor / expected - 1) <= DISTANCE_TOLERANCE
        ]
        hint = (
            f"read as {fits[0]} the distance would be {distance_km / UNITS[unit] * UNITS[fits[0]]:.2f} km"
            if fits
            else ""
        )
        problems.add("speed", f"{distance_km:.2f} km, read as {unit}", f"{expected:.2f} km, {whose}", hint=hint)
        return
    if 3.6 * made.top_speed_mps > FASTEST_KMH:
        problems.add(
            "speed",
            f"{3.6 * made.top_speed_mps:.0f} km/h, read as {unit}",
            f"at most {FASTEST_KMH:g} km/h",
            hint="is the unit right?",
        )
    jumps = np.flatnonzero(np.abs(np.diff(made.speed_mps)) > LARGEST_STEP_MPS)
    if jumps.size:
        problems.add(
            "speed",
            f"{np.diff(made.speed_mps)[jumps[0]]:+.1f} m/s within a second, at {jumps[0] + 1} s",
            f"changes of at most {LARGEST_STEP_MPS:g} m/s",
            hint="a gap, or a wrong unit?",
        )


def _alike(official: NDArray[np.float64], own: NDArray[np.float64]) -> bool:
    """Tell whether a trace has the shape of another, the first or the last row of which may be cut off."""
    if abs(official.size - own.size) > 1 or np.ptp(own) == 0.0:
        return False
    size = min(official.size, own.size)
    return any(
        np.corrcoef(one, other)[0, 1] > ALIKE
        for one, other in ((official[:size], own[:size]), (official[-size:], own[-size:]))
    )


def _tell(problems: ProblemList, found: Sequence[tuple[int, str, str]], expected: str) -> None:
    for number, field, value in found[:TOLD]:
        problems.add(field, value, expected, line=number)
    if len(found) > TOLD:
        problems.add(found[TOLD][1], f"{len(found) - TOLD} more like these", expected)
