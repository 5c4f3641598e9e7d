"""Drive-cycle traces: the official ones that are shipped, and a user's own."""

from __future__ import annotations

import csv
import io
import math
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
_UNIT_WORDS = {
    "kmh": "km/h", "kph": "km/h", "kmph": "km/h", "mph": "mph", "ms": "m/s", "mps": "m/s", "cycmps": "m/s",
}  # fmt: skip
_TIME_WORDS = ("time", "sec", "second", "seconds", "times", "timesecs", "testtime", "cycsecs", "t")
_SPEED_WORDS = ("speed", "velocity", "vehiclespeed", "targetspeed", "v", *_UNIT_WORDS)


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
}
"""The shipped traces. CLTC-P (GB/T 38146.1-2019) is not among them: its official trace could not be had."""


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
    file = resources.files("coachbuilder.vehicle") / "cycles" / f"{name.lower().replace(' ', '_')}.csv"
    rows = file.read_text(encoding="utf-8").splitlines()
    return _made(name, [float(row) for row in rows if row and not row.startswith("#")])


def read_trace(
    path: str | Path, *, unit: str | None = None, known_distance_km: float | None = None, name: str | None = None
) -> Trace:
    """Read a user's own trace: a csv file with a speed for every second.

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
    """
    path = Path(path)
    problems = ProblemList(path.name)
    text = read_text(path, problems, LARGEST_BYTES)
    if text is None:
        problems.raise_if_any()
    lines = [
        (number, line)
        for number, line in enumerate((text or "").lstrip("\ufeff").splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    header, rows = _cells(lines)
    found_unit, time_column, speed_column = _columns(header, rows, problems)
    if unit is not None and unit not in UNITS:
        problems.add("unit", unit, f"one of {', '.join(UNITS)}")
    chosen = unit or found_unit
    if chosen is None:
        problems.add("header", " ".join(header) or "none", "a unit of speed: km/h, mph or m/s, here or as an option")
    problems.raise_if_any()
    assert chosen is not None
    times, speeds, numbers = _numbers(rows, time_column, speed_column, problems)
    _check_rows(times, speeds, numbers, problems)
    problems.raise_if_any()
    made = _made(name or path.stem, [speed * UNITS[chosen] for speed in speeds])
    _check_trace(made, chosen, known_distance_km, problems)
    problems.raise_if_any()
    return made


def _made(name: str, speeds: Sequence[float]) -> Trace:
    speed = np.array(speeds, dtype=np.float64)
    speed.setflags(write=False)
    return Trace(name, speed)


def _cells(lines: Sequence[tuple[int, str]]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Split lines into a header, empty if there is none, and rows with their line numbers."""
    sample = "\n".join(line for _, line in lines[:5])
    separator = next((mark for mark in (";", "\t", ",") if mark in sample), ",")
    rows = []
    for number, line in lines:
        cells = [cell.strip() for cell in next(csv.reader(io.StringIO(line), delimiter=separator))]
        if separator != ",":
            cells = [cell.replace(",", ".") for cell in cells]
        rows.append((number, cells))
    if rows and not any(_is_number(cell) for cell in rows[0][1]):
        return rows[0][1], rows[1:]
    return [], rows


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _word(cell: str) -> str:
    return "".join(character for character in cell.lower() if character.isalnum())


def _columns(
    header: Sequence[str], rows: Sequence[tuple[int, list[str]]], problems: ProblemList
) -> tuple[str | None, int | None, int]:
    """Return the unit that the header tells, and the columns of time and speed."""
    width = max((len(cells) for _, cells in rows), default=0)
    words = [_word(cell) for cell in header]
    grade = next((place for place, word in enumerate(words) if "grade" in word or "slope" in word), None)
    if grade is not None:
        steep = [number for number, cells in rows if grade < len(cells) and cells[grade] not in ("", "0", "0.0")]
        if steep:
            problems.add(header[grade], "grades", "a level road: traces with grades are not driven", line=steep[0])
    # A word may stand alone or with its unit: "Target Speed, mph", "cycMps".
    speed_column = next(
        (i for i, word in enumerate(words) if any(key in word for key in _SPEED_WORDS if key != "v")), None
    )
    if speed_column is None and "v" in words:
        speed_column = words.index("v")
    time_column = next(
        (i for i, word in enumerate(words) if i != speed_column and any(word.startswith(key) for key in _TIME_WORDS)),
        None,
    )
    if time_column is None and "cycsecs" in words:
        time_column = words.index("cycsecs")
    if speed_column is None:
        speed_column = 0 if width <= 1 else 1
        time_column = None if width <= 1 else 0
    unit = None
    if words and speed_column < len(words):
        word = words[speed_column]
        unit = next((name for key, name in _UNIT_WORDS.items() if word.endswith(key)), None)
    return unit, time_column, speed_column


def _numbers(
    rows: Sequence[tuple[int, list[str]]], time_column: int | None, speed_column: int, problems: ProblemList
) -> tuple[list[float], list[float], list[int]]:
    times, speeds, numbers = [], [], []
    bad: list[tuple[int, str, str]] = []
    for place, (number, cells) in enumerate(rows):
        read = []
        for name, column in (("time", time_column), ("speed", speed_column)):
            if column is None:
                read.append(float(place))
                continue
            cell = cells[column] if column < len(cells) else ""
            value = float(cell) if _is_number(cell) else math.nan
            if not math.isfinite(value):
                bad.append((number, name, cell or "nothing"))
            read.append(value)
        times.append(read[0])
        speeds.append(read[1])
        numbers.append(number)
    _tell(problems, bad, "a number")
    return times, speeds, numbers


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
            official = trace(name).speed_mps
            if official.size == made.speed_mps.size and np.corrcoef(official, made.speed_mps)[0, 1] > ALIKE:
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


def _tell(problems: ProblemList, found: Sequence[tuple[int, str, str]], expected: str) -> None:
    for number, field, value in found[:TOLD]:
        problems.add(field, value, expected, line=number)
    if len(found) > TOLD:
        problems.add(found[TOLD][1], f"{len(found) - TOLD} more like these", expected)
