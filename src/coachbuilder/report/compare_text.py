"""An explained difference as lines for a terminal, and as one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coachbuilder.programme.units import unit_of
from coachbuilder.report import wording

if TYPE_CHECKING:
    from coachbuilder.risk.compare import CompareResult

SHOWN = ("brand_npv_cny", "host_npv_cny", "joint_npv_cny", "brand_expected_npv_cny", "host_expected_npv_cny")
"""Figures that are explained on a terminal; the JSON object has all."""

LINES = 12
"""Terms written for each figure; the rest are summed up."""


def compare_document(result: CompareResult, run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the difference as one JSON object; its keys are the fields of the result."""
    from coachbuilder.report.jsonable import jsonable

    document = jsonable(result)
    for row, figure in zip(document["figures"], result.figures, strict=True):
        row["difference"] = figure.difference
    return {"compare": document, "run": jsonable(run)}


def compare_text(result: CompareResult) -> str:
    """Return the difference as lines for a terminal."""
    lines = [f"A: {result.before}", f"B: {result.after}"]
    if result.structure:
        places = ", ".join(result.structure[:6])
        rest = len(result.structure) - 6
        more = f" and {rest} more" if rest > 0 else ""
        lines.append(f"Not only values differ, but also {places}{more}; that is changed first.")
    by_name = {figure.name: figure for figure in result.figures}
    for name in SHOWN:
        figure = by_name.get(name)
        if figure is None:
            continue
        unit = unit_of(name)

        def told(value: float, unit: str = unit) -> str:
            return wording.with_unit(value, unit)

        lines += [
            "",
            f"{wording.figure_name(name)}: {told(figure.before)} in A, {told(figure.after)} in B, "
            f"difference {told(figure.difference)}",
        ]
        ranked = sorted(result.terms, key=lambda term: (-abs(term.shares[name]), term.name))
        moved = [term for term in ranked if term.shares[name] != 0.0]
        for term in moved[:LINES]:
            error = term.standard_errors[name]
            spread = f" ± {told(error)}" if error else ""
            lines.append(f"  {told(term.shares[name])}{spread}  {term.name}: {term.note}")
        rest_of_it = [term.shares[name] for term in moved[LINES:]]
        if rest_of_it:
            lines.append(f"  {told(sum(rest_of_it))}  {wording.plural(len(rest_of_it), 'more change')}")
    how = (
        "every combination was planned"
        if result.is_exact
        else "orders were sampled with a fixed seed, and ± is one standard error; the sum has none"
    )
    lines += [
        "",
        f"Shares are Shapley values: {how} ({wording.plural(result.evaluations, 'quick plan')}, "
        f"{wording.plural(result.full_plans, 'full plan')}). They sum to the difference.",
    ]
    if result.only_spread:
        lines.append(
            f"{wording.plural(len(result.only_spread), 'number')} with the same value have another range or evidence."
        )
    return "\n".join(lines).replace(wording.HARD_SPACE, " ")
