"""Contracts shaped like real ones, that a programme can name instead of clauses of its own."""

from __future__ import annotations

import copy
import datetime as dt
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any

from coachbuilder.programme.errors import closest

if TYPE_CHECKING:
    from coachbuilder.programme.errors import ProblemList

_FOLDER = "contracts"


def preset_names() -> tuple[str, ...]:
    """Return the names of the presets.

    Examples
    --------
    >>> preset_names()
    ('fisker-magna', 'nio-jac-2018', 'nio-jac-2021', 'xpeng-haima')
    """
    files = resources.files("coachbuilder.programme").joinpath(_FOLDER).iterdir()
    return tuple(sorted(item.name.removesuffix(".toml") for item in files if item.name.endswith(".toml")))


def read_preset(name: str) -> dict[str, Any]:
    """Return a preset as its TOML file says: title, clauses, evidence.

    Parameters
    ----------
    name
        One of :func:`preset_names`.
    """
    file = resources.files("coachbuilder.programme").joinpath(_FOLDER, f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def with_preset(
    content: dict[str, Any], problems: ProblemList, what_if: str | None = None, day: dt.date | None = None
) -> dict[str, Any]:
    """Return what programme.toml holds with the preset that it names in place of clauses, if it names any.

    Parameters
    ----------
    content
        The file as TOML says.
    problems
        Where mistakes are noted.
    what_if
        A preset that takes the place of the programme's own contract. Evidence that is younger than the programme's
        day is then used all the same, and says that it is hindsight.
    day
        The programme's day if it is not the one in the file.
    """
    deal, register = content.get("deal"), content.get("evidence")
    if not isinstance(deal, dict) or not isinstance(register, dict):
        return content
    name = what_if or deal.get("preset")
    if name is None:
        return content
    if name not in preset_names():
        known = ", ".join(preset_names())
        hint = closest(str(name), preset_names())
        if what_if is None:
            problems.add("deal.preset", name, f"one of {known}", hint=hint)
        else:
            problems.add("--preset", name, f"one of {known}", hint=hint, file="command line")
        return content
    if what_if is None and deal.get("clause"):
        problems.add("deal.preset", f"{name} and clauses beside", "a preset or clauses, not both")
        return content
    preset = copy.deepcopy(read_preset(name))
    as_of = day or content.get("programme", {}).get("as_of")
    if what_if is not None and isinstance(as_of, dt.date):
        for entry in preset["evidence"].values():
            if entry["date"] > as_of:
                entry["claim"] += f" Known since {entry['date']}: hindsight on {as_of}."
                entry["date"] = as_of
    return {
        **content,
        "deal": {**deal, "preset": name, "clause": preset["clause"]},
        "evidence": {**preset["evidence"], **register},
    }
