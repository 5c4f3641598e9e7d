"""A closer look at an answer in words: what would have to be true, and where its spread comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from coachbuilder.programme.units import unit_of
from coachbuilder.report.summary import Answer
from coachbuilder.report.wording import (
    figure_name,
    fixed,
    money,
    path_label,
    percent,
    plural,
    probability,
    with_unit,
)

if TYPE_CHECKING:
    from coachbuilder.plant.balance import LineTable
    from coachbuilder.risk.examination import Examination, Sobol, Surface, TurningPoint

NAMED = 5
"""Assumptions that are named one by one."""

NEGLIGIBLE_SHARE = 0.01
"""Shares below this are not told."""

TO_BE_TRUE = {"the brand gains": "the brand to gain", "the host gains": "the host to gain", "both gain": "both to gain"}
"""Answers as they are asked for."""


def examination_answers(found: Examination) -> tuple[Answer, ...]:
    """Return what a closer look tells, question by question.

    Parameters
    ----------
    found
        The closer look.
    """
    return tuple(_answers(found))


def _answers(found: Examination) -> Iterator[Answer]:
    risk = found.risk
    spread = {item.name: item for item in risk.figures}
    for side, name in (("brand", "brand_npv_cny"), ("host", "host_npv_cny")):
        item = spread[name]
        yield Answer(
            f"What is it worth to the {side}?",
            f"{money(item.p50)} in the middle of {plural(risk.draws, 'draw')}, from {money(item.p10)} to "
            f"{money(item.p90)} in eight of ten; above 0 in {percent(item.probability_positive)}",
        )
    if found.lines is not None:
        yield Answer("How is the line of each draw laid out?", _lines(found.lines))
    for point in found.turning_points:
        yield turning_answer(point)
    yield Answer("Where does the spread of the joint value come from?", _first_order(found))
    for indices in found.sobol:
        yield Answer(f"And with what they do together: {figure_name(indices.figure)}?", _sobol(indices))
    if found.surface is not None:
        yield Answer("Where does the brand break even?", _surface(found.surface))


def _lines(table: LineTable) -> str:
    text = f"for its own demand and work times, between {plural(len(table.takt_s), 'balance')}"
    worst, median, kept = table.error_worst_share, table.error_median_share, table.kept_error_worst_share
    if worst is not None and median is not None and kept is not None:
        text += (
            f"; hours a car are off by {percent(median, 1)} in the middle and {percent(worst, 1)} at most for "
            f"{plural(len(table.check_takt_s), 'draw')} whose own line was balanced (the plan's line kept would be off "
            f"by up to {percent(kept, 1)})"
        )
    if table.beyond_share > 0:
        text += f"; {percent(table.beyond_share, 1)} of the draws lie beyond the balances and take the outermost"
    if table.unbalanced:
        text += f"; {plural(table.unbalanced, 'line')} could not be balanced"
    return text


def turning_answer(point: TurningPoint) -> Answer:
    """Return what would have to be true for an answer to turn.

    Parameters
    ----------
    point
        The nearest point at which it turns.
    """
    question = f"What would have to be true for {TO_BE_TRUE[point.question]}?"
    if point.holds:
        question = f"What would undo that {point.question}?"
    if point.beta is None:
        return Answer(question, "nothing within 8 standard deviations of all that is assumed")
    named = [
        f"{path_label(move.path)} {_value(move.path, move.value_there)} instead of {_value(move.path, move.value)}"
        for move in point.moves[:NAMED]
    ]
    rest = max(0.0, 1.0 - sum(move.share for move in point.moves[:NAMED]))
    others = f"; {percent(rest)} of the way are small moves of others" if rest >= NEGLIGIBLE_SHARE else ""
    return Answer(
        question,
        f"at least {fixed(point.beta, 2)} standard deviations away: {'; '.join(named)}{others}. Beyond "
        f"lie {probability(point.draws_beyond_share)} of the draws ({probability(point.probability_beyond)} to first "
        "order)",
    )


def move_rows(point: TurningPoint) -> list[list[str]]:
    """Return the assumptions that move most on the way to a turning point, a row each.

    Parameters
    ----------
    point
        The nearest point at which an answer turns.
    """
    return [
        [
            path_label(move.path),
            _value(move.path, move.value),
            _value(move.path, move.value_there),
            fixed(move.score, 2),
            percent(move.share, 1),
        ]
        for move in point.moves
        if move.share >= NEGLIGIBLE_SHARE
    ]


def _value(path: str, value: float) -> str:
    return with_unit(value, unit_of(path))


def _first_order(found: Examination) -> str:
    named = [
        f"{path_label(row.path)} {percent(row.joint.share)} ({percent(max(0.0, row.joint.low))} to "
        f"{percent(row.joint.high)})"
        for row in found.first_order[:NAMED]
        if row.joint.share >= NEGLIGIBLE_SHARE
    ]
    alone = sum(row.joint.share for row in found.first_order)
    return f"{'; '.join(named)}; all assumptions one by one make up {percent(alone)}"


def _sobol(item: Sobol) -> str:
    parts = []
    for name, groups in (("stage", item.by_stage), ("evidence", item.by_evidence), ("assumption", item.by_assumption)):
        ranked = sorted(groups, key=lambda group: -group.total.share)[:NAMED]
        listed = ", ".join(
            f"{path_label(group.group) if name == 'assumption' and len(group.paths) == 1 else group.group} "
            f"{percent(group.total.share)}"
            for group in ranked
            if group.total.share >= NEGLIGIBLE_SHARE
        )
        parts.append(f"by {name} {listed or 'nothing above 1 %'}")
    return f"{'; '.join(parts)} (total indices, {plural(item.plans, 'plan')})"


def _surface(surface: Surface) -> str:
    x, y = path_label(surface.x_path), path_label(surface.y_path)
    pairs = [
        f"{_value(surface.y_path, there)} at {_value(surface.x_path, float(value))}"
        for value, there in zip(surface.x, surface.brand_break_even_y, strict=True)
        if there is not None
    ]
    if not pairs:
        return f"nowhere, as far as {x} and {y} alone are looked at"
    return f"{y} over {x}: {'; '.join(pairs)}"
