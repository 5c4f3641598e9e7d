"""Balances over the takts of the draws, between which the line of each draw is interpolated, and the error of that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plan import FEWEST_GUESTS_PER_YEAR, Plan, Stages
from coachbuilder.plant.balance import FitInputs, LineTable, line_table_of
from coachbuilder.plant.balance import evaluate as balanced
from coachbuilder.plant.process import takt_s
from coachbuilder.programme.errors import InputError
from coachbuilder.risk.checkpoint import LINES, fingerprint_of
from coachbuilder.risk.draws import draw

RESIDENT_SCALE, GUEST_SCALE = "tasks.time_scale", "tasks.guest_time_scale"
"""Paths of the factors on the work times."""

LOOKED_AT = 200
"""Draws whose takts tell where balances are wanted."""

BALANCE_QUANTILES = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
"""Quantiles of those takts at which the line is balanced: most balances where most draws are."""

CHECK_QUANTILES = (0.05, 0.25, 0.35, 0.55, 0.75, 0.95)
"""Quantiles at which a draw's own line is balanced, to see how far off the table is."""

LEAST_APART = 0.002
"""Share of a takt by which balances differ at least."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What the draws looked at need: values by path, takt at the plan's work times, guest cars a year."""

    values: list[Mapping[str, float]]
    takt_s: NDArray[np.float64]
    guest_units_per_year: NDArray[np.float64]


def line_table(
    base: Plan,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    folder: Path | None = None,
) -> LineTable:
    """Balance the line at the takts of the draws and return the table that draws interpolate in, with its error.

    Parameters
    ----------
    base
        The plan at central values. Its residents' line is that of today in every balance.
    workers
        Processes to balance on; the table does not depend on it.
    progress
        Told of finished balances.
    folder
        Where finished balances are kept, so that none is made twice for a plan; made if missing.
    """
    plain = LineTable((base.fit.after.takt_s,), (base.fit.after.takt_s * (1.0 - base.fit.after.idle_share),))
    look = _look(base, plain)
    wanted, checked = _places(look, base)
    lines = [_line_at(base, float(takt), look) for takt in wanted] + [
        _line_of(base, look.values[row], plain) for row in checked
    ]
    takts = [*map(float, wanted), *(float(look.takt_s[row]) for row in checked)]
    shares = _busy_shares(base, lines, workers, progress, folder)
    found = list(zip(takts, shares, strict=True))
    known, checks = (
        [(takt, share) for takt, share in part if share is not None]
        for part in (found[: len(wanted)], found[len(wanted) :])
    )
    ends = sorted([base.fit.after.takt_s, *(takt for takt, _ in known)])
    beyond = float(np.mean((look.takt_s < ends[0]) | (look.takt_s > ends[-1]))) if look.takt_s.size else 0.0
    own = (base.fit.after.takt_s, 1.0 - base.fit.after.idle_share)
    return line_table_of(own, known, checks, beyond_share=beyond, unbalanced=shares.count(None))


def _look(base: Plan, plain: LineTable) -> _Look:
    """Return the draws that have a plan."""
    programme = base.programme.drawable()
    drawn = draw(base.programme, LOOKED_AT, base.programme.seed)
    rows: list[tuple[Mapping[str, float], float, float]] = []
    for number in range(LOOKED_AT if drawn.paths else 0):
        values = drawn.values_of(number)
        stages = Stages(programme.at(values), reuse=base, lines=plain)
        try:
            rows.append((values, stages.line_takt_s, stages.planned_guest_units_per_year))
        except (InputError, ArithmeticError):
            continue
    takts, units = (np.array([row[column] for row in rows], dtype=np.float64) for column in (1, 2))
    return _Look([row[0] for row in rows], takts, units)


def _places(look: _Look, base: Plan) -> tuple[list[float], list[int]]:
    """Return the takts at which to balance, and the draws whose own lines are to be balanced."""
    if not look.takt_s.size:
        return [], []
    own = base.fit.after.takt_s
    wanted: list[float] = []
    for takt in np.quantile(look.takt_s, BALANCE_QUANTILES):
        if all(abs(takt / other - 1.0) > LEAST_APART for other in (own, *wanted)):
            wanted.append(float(takt))
    order = np.argsort(look.takt_s, kind="stable")
    checked = dict.fromkeys(int(order[int(share * len(order))]) for share in CHECK_QUANTILES)
    return wanted, list(checked) if wanted else []


def _line_at(base: Plan, takt: float, look: _Look) -> FitInputs | None:
    """Return the line at a takt: with as many guest cars as draws of that takt have, the rest by its work times."""
    logs = np.log(look.takt_s)
    slope, level = np.polyfit(logs, look.guest_units_per_year, 1)
    low, high = np.quantile(look.guest_units_per_year, (0.05, 0.95))
    volume = max(float(np.clip(slope * np.log(takt) + level, low, high)), FEWEST_GUESTS_PER_YEAR)
    fit = base.fit
    total = sum(base.programme.resident_units_per_year.values()) + volume
    longer = takt_s(total, fit.net_hours_per_year, fit.planning_availability) / takt
    scales = {RESIDENT_SCALE: longer * fit.resident_time_scale, GUEST_SCALE: longer * fit.guest_time_scale}
    stages = Stages(base.programme.with_values(scales))
    # What follows from demand is overridden: the point says how many cars the line is laid out for.
    stages.know("planned_guest_units_per_year", volume)
    return _inputs_of(stages, base)


def _line_of(base: Plan, values: Mapping[str, float], plain: LineTable) -> FitInputs | None:
    """Return the line of a draw."""
    return _inputs_of(Stages(base.programme.drawable().at(values), reuse=base, lines=plain), base)


def _inputs_of(stages: Stages, base: Plan) -> FitInputs | None:
    """Return what a balance takes, the residents where the plan has them; None where some task fits no station."""
    try:
        return replace(stages.fit_inputs, today=base.fit.before.assignment)
    except InputError:
        return None


def _busy_shares(
    base: Plan,
    lines: Sequence[FitInputs | None],
    workers: int,
    progress: Callable[[int, int], None] | None,
    folder: Path | None,
) -> list[float | None]:
    """Return the busy share of each line, None where there is none; balance those that are not kept already."""
    kept = _Kept(folder, base)
    names = ["" if line is None else hashlib.sha256(repr(line).encode()).hexdigest()[:24] for line in lines]
    todo = {name: line for name, line in zip(names, lines, strict=True) if line is not None and name not in kept.shares}
    done = len(lines) - len(todo)
    if progress is not None:
        progress(done, len(lines))
    for name, share in _balanced(todo, workers):
        kept.add(name, share)
        done += 1
        if progress is not None:
            progress(done, len(lines))
    return [kept.shares[name] if name else None for name in names]


def _balanced(todo: Mapping[str, FitInputs], workers: int) -> Iterator[tuple[str, float | None]]:
    if workers <= 1 or len(todo) <= 1:
        for name, line in todo.items():
            yield name, _busy_share(line)
        return
    pool = ProcessPoolExecutor(min(workers, len(todo)), mp_context=get_context("spawn"))
    finished = False
    try:
        names = {pool.submit(_busy_share, line): name for name, line in todo.items()}
        for future in as_completed(names):
            yield names[future], future.result()
        finished = True
    finally:
        pool.shutdown(wait=finished, cancel_futures=True)


def _busy_share(inputs: FitInputs) -> float | None:
    try:
        return 1.0 - balanced(inputs).after.idle_share
    except InputError:
        return None


class _Kept:
    """Busy shares of finished balances by what was balanced, in one file of a plan."""

    def __init__(self, folder: Path | None, base: Plan) -> None:
        self._path = None if folder is None else folder / f"{LINES}{fingerprint_of(base)}.json"
        self.shares: dict[str, float | None] = {}
        if self._path is not None and self._path.is_file():
            try:
                self.shares = dict(json.loads(self._path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                self.shares = {}

    def add(self, name: str, share: float | None) -> None:
        """Keep one more, the file whole at any time."""
        self.shares[name] = share
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".part")
        partial.write_text(json.dumps(self.shares), encoding="utf-8")
        partial.replace(self._path)
