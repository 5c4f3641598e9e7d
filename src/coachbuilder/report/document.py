"""plan.json: the plan as one JSON object, and how files are written whole or not at all."""

from __future__ import annotations

import datetime as dt
import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coachbuilder.report.jsonable import dumps, jsonable
from coachbuilder.report.writing import write_whole

if TYPE_CHECKING:
    from coachbuilder.plan import Plan
    from coachbuilder.risk import RiskResult

PACKAGES = (
    "coachbuilder",
    "numpy",
    "numba",
    "scipy",
    "pydantic",
    "typer",
    "rich",
    "jinja2",
    "openpyxl",
    "sqlalchemy",
    "rapidfuzz",
)


def versions() -> dict[str, str]:
    """Return the versions of Python, the machine's system and the packages that a plan is computed with."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def run_details(started: dt.datetime, programme: Path, out: Path, draws: int) -> dict[str, Any]:
    """Return all of a run that cannot be repeated: times, paths, versions; it stands under ``run``.

    Parameters
    ----------
    started
        When the command began, with its time zone.
    programme, out
        Folders as the user gave them.
    draws
        Number of draws asked for.
    """
    now = dt.datetime.now(dt.UTC)
    return {
        "started": started.isoformat(timespec="seconds"),
        "duration_s": round((now - started).total_seconds(), 3),
        "programme_folder": str(programme),
        "out_folder": str(out),
        "command": " ".join(["coachbuilder", *sys.argv[1:]]),
        "draws": draws,
        "cores": os.cpu_count(),
        "versions": versions(),
    }


def command_details(started: dt.datetime, source: Path) -> dict[str, Any]:
    """Return what cannot be repeated of a command that answers a single file.

    Parameters
    ----------
    started
        When the command began, with its time zone.
    source
        The file or folder as the user gave it.
    """
    return {
        "started": started.isoformat(timespec="seconds"),
        "source": str(source),
        "command": " ".join(["coachbuilder", *sys.argv[1:]]),
        "cores": os.cpu_count(),
        "versions": versions(),
    }


def plan_document(plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan as one JSON object; its keys are the fields of the results.

    Parameters
    ----------
    plan
        All stages.
    risk
        Its spread, or ``None`` where no draws were asked for.
    run
        What cannot be repeated, from :func:`run_details`.
    """
    header = plan.programme.document.programme
    return {
        "programme": jsonable(header.model_dump()) | {"guest": plan.programme.guest.id},
        "headline": jsonable(plan.headline),
        "timing": jsonable(plan.timing),
        "vehicle": jsonable(plan.vehicle),
        "market": {
            "demand": jsonable(plan.demand),
            "announcement": jsonable(plan.announcement),
            "comparison": jsonable(plan.comparison),
            "parties": jsonable(plan.parties),
        },
        "plant": {
            "fit": jsonable(plan.fit),
            "sequence": jsonable(plan.sequence),
            "flow": jsonable(plan.flow),
        },
        "deal": jsonable(plan.deal),
        "alternatives": jsonable(plan.alternatives),
        "risk": jsonable(risk),
        "assumptions": jsonable(plan.assumptions),
        "evidence": jsonable(plan.register),
        "hidden_evidence": jsonable(plan.hidden_evidence),
        "trace": jsonable(plan.trace),
        "run": jsonable(run),
    }


def write_plan(document: Mapping[str, Any], path: Path) -> None:
    """Write plan.json."""
    write_text(path, dumps(document) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all: beside its place first, then moved there."""

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_whole(path, write)
