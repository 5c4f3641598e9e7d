"""A screening in words and as a table: for the terminal and for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from coachbuilder.report import wording

if TYPE_CHECKING:
    from coachbuilder.market.parties.screening import Match, ScreeningResult

COLUMNS = (
    "kind", "score", "supplier_line", "supplier_id", "supplier_name", "compared_supplier_name", "list_name", "entry_id",
    "entry_name", "compared_entry_name", "entry_kind", "start_date", "country", "identifiers", "why", "list_file",
    "list_line", "url", "decision",
)  # fmt: skip
"""Columns of the table that ``screening_table`` writes."""

NOTICE = (
    "Every match is for a human to decide: a hit may be another firm of a like name, and a firm that is not named here "
    "may be listed under a name that is not in the files, or owned by one that is."
)

_MOST_SHOWN = 40


def screening_table(result: ScreeningResult) -> str:
    """Return hits and near misses as csv, a row each.

    Parameters
    ----------
    result
        From :func:`coachbuilder.market.parties.screening.screen`.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for kind, matches in (("hit", result.hits), ("near miss", result.near_misses)):
        for item in matches:
            row = [
                kind, f"{item.score:.3f}", item.supplier_line, item.supplier_id, item.supplier_name,
                item.supplier_text, item.list_name, item.entry_id, item.entry_name, item.entry_text, item.entry_kind,
                "" if item.start_date is None else item.start_date.isoformat(), item.country.value,
                "; ".join(item.identifiers), item.why, item.list_file, item.list_line, item.url, item.decision,
            ]  # fmt: skip
            writer.writerow([_safe(cell) for cell in row])
    return out.getvalue()


def _safe(cell: object) -> object:
    """Return a cell that a spreadsheet does not take for a formula, for names come from others' files."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def screening_text(result: ScreeningResult) -> str:
    """Return a screening in lines for the terminal.

    Parameters
    ----------
    result
        From :func:`coachbuilder.market.parties.screening.screen`.
    """
    lines = [
        f"{wording.plural(result.suppliers, 'supplier')} against {wording.whole(result.entries)} entries"
        + ("" if result.as_of is None else f" in force on {wording.date(result.as_of)}")
        + f": {wording.plural(len(result.hits), 'hit')}, {len(result.near_misses)} near misses",
        NOTICE,
    ]
    for count, what in (
        (result.entries_not_in_force, "entries not in force on that day were left out"),
        (result.entries_without_name, "entries without a name were left out"),
        (result.near_misses_left_out, "more near misses, worse than the five told of their supplier, are left out"),
    ):
        if count:
            lines.append(f"{wording.whole(count)} {what}.")
    lines += [
        f"The same supplier more than once: lines {', '.join(map(str, repeated))}."
        for repeated in result.repeated_suppliers[:_MOST_SHOWN]
    ]
    lines += _listed(f"Hits (score {result.threshold:g} or more, or a common identifier)", result.hits)
    lines += _listed("Near misses", result.near_misses)
    return "\n".join(lines)


def _listed(title: str, matches: Sequence[Match]) -> list[str]:
    if not matches:
        return []
    lines = ["", title]
    for item in matches[:_MOST_SHOWN]:
        lines.append(
            f"  {item.score:.2f}  {item.supplier_name} (line {item.supplier_line})  ~  {item.entry_text}"
            + (f", alias of {item.entry_name}" if item.entry_text != item.entry_name else "")
        )
        since = "" if item.start_date is None else f", since {item.start_date.isoformat()}"
        lines.append(f"        {item.list_name}{since}; {item.list_file}:{item.list_line}")
        lines.append(f"        {item.why}; {item.decision}")
    if len(matches) > _MOST_SHOWN:
        lines.append(f"  and {len(matches) - _MOST_SHOWN} more; --json or --out has all of them")
    return lines
