"""Looks closer at an answer: shares of its variance with intervals, where it turns, break-evens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plan import STAGES, Plan, headline_names
from coachbuilder.plant.balance import LineTable
from coachbuilder.programme import Programme
from coachbuilder.risk.evaluate import BRAND, HOST, SIDES, Assessed, assessed
from coachbuilder.risk.interface import RiskResult
from coachbuilder.risk.runner import Points, Progress, Runner
from coachbuilder.risk.sensitivity import GroupIndices, Index, additive_answer, design, first_order, groups_by, indices
from coachbuilder.risk.turning import nearest

F8 = NDArray[np.float64]

FOLLOWED_SHARE = 0.998
"""Share of the sum of squared swings whose assumptions the search for a turning point moves; the rest stay."""

ALONE = 12
"""Assumptions whose total index is asked for one by one; the rest are in the groups."""

SURFACE_STEPS = 13
"""Values of each assumption of a break-even surface."""

SURFACE_SCORES = 3.0
"""How far a surface reaches to each side, in standard normal scores."""


@dataclass(frozen=True, slots=True)
class FirstOrder:
    """First-order share of one assumption in the variance of the three values, from the draws."""

    path: str
    """The assumption."""
    evidence: str
    """Entry of the register that it names."""
    brand: Index
    """Share in the brand's net present value."""
    host: Index
    """Share in the host's."""
    joint: Index
    """Share in the joint value."""


@dataclass(frozen=True, slots=True)
class Sobol:
    """Indices of one figure from a design of their own."""

    figure: str
    """The figure."""
    by_assumption: tuple[GroupIndices, ...]
    """The assumptions with the largest first-order shares, one by one, and all others together."""
    by_evidence: tuple[GroupIndices, ...]
    """Assumptions that name one entry of the register, frozen together."""
    by_stage: tuple[GroupIndices, ...]
    """Assumptions that one stage is the first to read, frozen together."""
    rows: int
    """Rows of each matrix of the design."""
    plans: int
    """Plans that were run."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where one assumption stands at a turning point."""

    path: str
    """The assumption."""
    evidence: str
    """Entry of the register that it names."""
    value: float
    """Its central value."""
    value_there: float
    """Its value at the point."""
    score: float
    """How far that is from the centre, in standard deviations of its spread."""
    share: float
    """Share of the squared distance."""


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """The nearest point at which an answer turns."""

    question: str
    """'the brand gains', 'the host gains' or 'both gain'."""
    holds: bool
    """Whether it is so at central values: the point is then the nearest at which it is not."""
    beta: float | None
    """Distance in standard deviations; None if no such point was found within 8."""
    probability_beyond: float | None
    """Probability of the far side, to first order: the normal distribution beyond that distance."""
    draws_beyond_share: float
    """Share of the draws on the far side; it counts everything that the first order leaves out."""
    moves: tuple[Move, ...]
    """Assumptions by their share of the distance; those that stay at their value are left out."""
    brand_npv_cny: float | None
    """The brand's value there."""
    host_npv_cny: float | None
    """The host's value there."""
    plans: int
    """Plans that were run."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Both sides' values over two assumptions, all others at their central values."""

    x_path: str
    """The assumption along the first axis."""
    y_path: str
    """That along the second."""
    x: F8
    """(X,) its values."""
    y: F8
    """(Y,) those of the second."""
    brand_npv_cny: F8
    """(Y, X) the brand's value; not a number where there is no plan."""
    host_npv_cny: F8
    """(Y, X) the host's value."""
    brand_break_even_y: tuple[float | None, ...]
    """(X,) the smallest value of the second assumption at which the brand's value changes its sign; None if none."""
    host_break_even_y: tuple[float | None, ...]
    """(X,) the same for the host."""


@dataclass(frozen=True, slots=True)
class Examination:
    """How sure an answer is, where its spread comes from, and what would turn it."""

    risk: RiskResult
    """Spread, tornado and claims."""
    first_order: tuple[FirstOrder, ...]
    """First-order shares from the draws, largest in the joint value first."""
    sobol: tuple[Sobol, ...]
    """Indices of the three values; empty unless asked for."""
    turning_points: tuple[TurningPoint, ...]
    """What would have to be true."""
    surface: Surface | None
    """Break-evens over the two assumptions that the brand's value hangs on most; None with fewer than two."""
    lines: LineTable | None = None
    """Balances between which the line of each draw was interpolated, with the error of that; None where the line stays
    as the plan laid it out."""


def examine(
    base: Plan,
    *,
    draws: int = 1000,
    workers: int = 1,
    sobol_rows: int = 0,
    scheduler: str | None = None,
    table: Path | None = None,
    checkpoint_folder: Path | None = None,
    progress: Progress | None = None,
    lines: LineTable | None = None,
) -> Examination:
    """Look closer at a plan.

    Parameters
    ----------
    base
        The plan at central values.
    draws
        Number of draws, 2 or more.
    workers
        Processes to run on; the answer does not depend on it.
    sobol_rows
        Rows of each matrix of a Sobol' design, rounded up to a power of two; 0 leaves it out. About 50 times as many
        plans are run.
    scheduler
        Address of a Dask scheduler whose workers take the place of processes here.
    table
        Folder of Parquet files into which the draws go as they come.
    checkpoint_folder
        Where finished chunks of everything else are kept until all is done.
    progress
        Told of finished chunks.
    lines
        Balances between which the line of each draw is interpolated, see :func:`coachbuilder.risk.lines.line_table`.

    Raises
    ------
    InputError
        If no scheduler answers, or the table cannot be written.
    ValueError
        If ``draws`` is below 2.
    """
    if draws < 2:
        message = f"draws is {draws}; a spread needs 2 or more"
        raise ValueError(message)
    with Runner(base, workers, progress, checkpoint_folder, scheduler, table, lines) as runner:
        found = assessed(runner, base, draws)
        shares = _first_order(base.programme, found)
        turning_points = _turning_points(runner, base, found)
        return Examination(
            risk=found.result,
            first_order=shares,
            sobol=sobol(runner, base, found, shares, sobol_rows) if sobol_rows else (),
            turning_points=turning_points,
            surface=_surface(runner, base, turning_points, shares),
            lines=lines,
        )


def _first_order(programme: Programme, found: Assessed) -> tuple[FirstOrder, ...]:
    column = {name: number for number, name in enumerate(headline_names())}
    by_side = [first_order(found.drawn.z, found.outcome[:, column[side]], programme.seed) for side in SIDES]
    rows = [
        FirstOrder(path, programme.assumptions[path].evidence, *(side[number] for side in by_side))
        for number, path in enumerate(found.drawn.paths)
    ]
    return tuple(sorted(rows, key=lambda row: (-row.joint.share, row.path)))


def stage_of(base: Plan) -> dict[str, str]:
    """Return the first stage that reads each assumption, 'none' where none does.

    Parameters
    ----------
    base
        A plan with its trace.
    """
    owner = dict.fromkeys(base.programme.assumptions, "none")
    for stage in reversed(STAGES):
        owner |= dict.fromkeys(base.trace[stage], stage)
    return owner


def sobol(runner: Runner, base: Plan, found: Assessed, shares: Sequence[FirstOrder], rows: int) -> tuple[Sobol, ...]:
    """Return the indices of the three values by assumption, by evidence and by stage.

    Groups of the same members share their plans. What the draws show of each value's lines and parabolas stands beside
    the design: see :func:`coachbuilder.risk.sensitivity.indices`.

    Parameters
    ----------
    runner
        Who runs the plans.
    base
        The plan at central values, with its trace.
    found
        Its draws.
    shares
        First-order shares from them: the assumptions with the largest are looked at one by one.
    rows
        Rows of each matrix, rounded up to a power of two.
    """
    programme = base.programme
    paths = found.drawn.paths
    ranked = sorted(shares, key=lambda row: (-max(row.brand.share, row.host.share, row.joint.share), row.path))
    alone: dict[str, tuple[str, ...]] = {row.path: (row.path,) for row in ranked[:ALONE]}
    alone["all others"] = tuple(path for path in paths if path not in alone)
    views = [
        {name: members for name, members in groups.items() if members}
        for groups in (
            alone,
            groups_by({path: programme.assumptions[path].evidence for path in paths}, paths),
            groups_by(stage_of(base), paths),
        )
    ]
    sets = list(dict.fromkeys(members for groups in views for members in groups.values()))
    position = {path: number for number, path in enumerate(paths)}
    made = design(len(paths), [[position[path] for path in members] for members in sets], rows, programme.seed)
    figures = runner.run(_points(programme, paths, made.z), "sobol")
    column = {name: number for number, name in enumerate(headline_names())}
    answers = []
    for side in SIDES:
        like = additive_answer(found.drawn.z, found.outcome[:, column[side]])
        each = indices(
            figures[:, column[side]], made.rows, [""] * len(sets), sets, programme.seed, beside=like.on(made)
        )
        by_members = dict(zip(sets, each, strict=False))
        told = [
            tuple(replace(by_members[members], group=name) for name, members in groups.items()) if each else ()
            for groups in views
        ]
        answers.append(Sobol(side, told[0], told[1], told[2], made.rows, len(made.z)))
    return tuple(answers)


def _points(programme: Programme, paths: Sequence[str], z: F8) -> Points:
    items = [programme.assumptions[path] for path in paths]
    values = [item.at_standard_normal(z[:, number]) for number, item in enumerate(items)]
    return Points(tuple(paths), np.column_stack(values) if values else np.zeros((len(z), 0)))


def _turning_points(runner: Runner, base: Plan, found: Assessed) -> tuple[TurningPoint, ...]:
    programme = base.programme
    column = {name: number for number, name in enumerate(headline_names())}
    central = {side: base.headline[side] or 0.0 for side in SIDES}
    gains = {side: central[side] > 0.0 for side in SIDES}
    swings = np.nan_to_num(found.alone[:, 1] - found.alone[:, 0])[:, [column[BRAND], column[HOST]]]
    followed = sorted({path for side in range(2) for path in _followed(found.drawn.paths, swings[:, side])})

    def look(signs: Mapping[str, float], question: str, holds: bool) -> TurningPoint:
        def margins(z: F8) -> F8:
            figures = runner.run(_points(programme, followed, z), "")
            return np.stack([sign * figures[:, column[side]] for side, sign in signs.items()], axis=1)

        drawn = np.stack([sign * found.outcome[:, column[side]] for side, sign in signs.items()], axis=1)
        beyond = float(np.mean((drawn[np.isfinite(drawn).all(axis=1)] >= 0.0).all(axis=1)))
        point = nearest(margins, len(followed))
        if point is None:
            return TurningPoint(question, holds, None, None, beyond, (), None, None, 0)
        from scipy.special import ndtr

        there = _points(programme, followed, point.z[None])
        figures = runner.run(there, "")[0]
        squares = point.z**2 / max(float(point.z @ point.z), 1e-300)
        moves = [
            Move(
                path=path,
                evidence=programme.assumptions[path].evidence,
                value=programme.assumptions[path].value,
                value_there=float(there.values[0, number]),
                score=float(point.z[number]),
                share=float(squares[number]),
            )
            for number, path in enumerate(followed)
            if point.z[number] != 0.0
        ]
        return TurningPoint(
            question=question,
            holds=holds,
            beta=point.beta,
            probability_beyond=float(ndtr(-point.beta)),
            draws_beyond_share=beyond,
            moves=tuple(sorted(moves, key=lambda move: (-move.share, move.path))),
            brand_npv_cny=_told(figures[column[BRAND]]),
            host_npv_cny=_told(figures[column[HOST]]),
            plans=point.points,
        )

    brand = look({BRAND: -1.0 if gains[BRAND] else 1.0}, "the brand gains", gains[BRAND])
    host = look({HOST: -1.0 if gains[HOST] else 1.0}, "the host gains", gains[HOST])
    if gains[BRAND] and gains[HOST]:
        nearer = min((brand, host), key=lambda item: np.inf if item.beta is None else item.beta)
        both = replace(nearer, question="both gain", draws_beyond_share=1.0 - found.result.both_gain_probability)
    else:
        both = look({BRAND: 1.0, HOST: 1.0}, "both gain", False)
    return brand, host, both


def _told(figure: float) -> float | None:
    return float(figure) if np.isfinite(figure) else None


def _followed(paths: Sequence[str], swings: F8) -> list[str]:
    """Return the paths that together make up nearly all of the squared swings."""
    squares = swings**2
    order = np.argsort(-squares, kind="stable")
    total = np.cumsum(squares[order])
    if not total.size or total[-1] == 0.0:
        return []
    count = int(np.searchsorted(total, FOLLOWED_SHARE * total[-1])) + 1
    return [paths[row] for row in order[:count]]


def _surface(
    runner: Runner, base: Plan, turning_points: Sequence[TurningPoint], shares: Sequence[FirstOrder]
) -> Surface | None:
    """Return the surface over the two assumptions that move most on the way to where the brand's answer turns."""
    ranked = [move.path for move in turning_points[0].moves]
    ranked += [row.path for row in sorted(shares, key=lambda row: (-row.brand.share, row.path))]
    chosen = list(dict.fromkeys(ranked))[:2]
    return surface(runner, base, *chosen) if len(chosen) == 2 else None


def surface(runner: Runner, base: Plan, x_path: str, y_path: str) -> Surface:
    """Return both sides' values over two assumptions.

    Parameters
    ----------
    runner
        Who runs the plans.
    base
        The plan at central values.
    x_path, y_path
        The assumptions; each runs over its spread.
    """
    programme = base.programme
    scores = np.linspace(-SURFACE_SCORES, SURFACE_SCORES, SURFACE_STEPS)
    across, up = np.meshgrid(scores, scores)
    points = _points(programme, (x_path, y_path), np.column_stack([across.ravel(), up.ravel()]))
    figures = runner.run(points, "surface").reshape(SURFACE_STEPS, SURFACE_STEPS, -1)
    column = {name: number for number, name in enumerate(headline_names())}
    y = points.values[:, 1].reshape(across.shape)[:, 0]
    brand, host = figures[:, :, column[BRAND]], figures[:, :, column[HOST]]
    return Surface(
        x_path=x_path,
        y_path=y_path,
        x=points.values[:SURFACE_STEPS, 0].copy(),
        y=y.copy(),
        brand_npv_cny=brand,
        host_npv_cny=host,
        brand_break_even_y=tuple(_break_even(y, value) for value in brand.T),
        host_break_even_y=tuple(_break_even(y, value) for value in host.T),
    )


def _break_even(at: F8, value: F8) -> float | None:
    """Return where a value first changes its sign, between two points on a straight line."""
    turns = np.flatnonzero((value[:-1] > 0.0) != (value[1:] > 0.0))
    turns = turns[np.isfinite(value[turns]) & np.isfinite(value[turns + 1])]
    if not turns.size:
        return None
    row = int(turns[0])
    share = value[row] / (value[row] - value[row + 1])
    return float(at[row] + share * (at[row + 1] - at[row]))


__all__ = ["Examination", "FirstOrder", "Move", "Sobol", "Surface", "TurningPoint", "examine", "sobol", "surface"]
