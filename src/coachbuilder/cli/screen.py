"""``coachbuilder screen``: a supplier list against published lists of restricted parties."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from coachbuilder.cli.root import Json, _print_json, _progress, _require_file, app


@app.command()
def screen(
    suppliers: Annotated[
        Path,
        typer.Argument(
            metavar="SUPPLIERS.csv",
            help="Columns name and country; id, aliases and identifiers if wanted.",
            show_default=False,
        ),
    ],
    lists: Annotated[
        list[Path],
        typer.Option(
            "--list",
            metavar="LIST.csv",
            help="The US Consolidated Screening List or an OpenSanctions targets.simple.csv, as published; repeatable.",
            show_default=False,
        ),
    ],
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Leave out entries not in force on this day.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Score from which a match is a hit; lower finds more.")
    ] = 0.85,
    out: Annotated[Path | None, typer.Option(help="Write hits and near misses to a .csv file.")] = None,
    as_json: Json = False,
) -> None:
    """Screen suppliers against published sanction lists; every match is for a human to decide."""
    from coachbuilder.formats.screening_lists import read_screening_list, read_suppliers
    from coachbuilder.market.parties.screening import screen as screen_suppliers
    from coachbuilder.programme import InputError, Problem
    from coachbuilder.programme.errors import ProblemList
    from coachbuilder.report import command_details, jsonable, write_text
    from coachbuilder.report.screening_words import NOTICE, screening_table, screening_text

    started = dt.datetime.now(dt.UTC)
    if out is not None:
        _require_file(out, (".csv",))
        if out.resolve() in {path.resolve() for path in (suppliers, *lists)}:
            raise InputError([Problem(str(out), "--out", "a file that is read", "another file")])
    day = None
    if as_of is not None:
        try:
            day = dt.date.fromisoformat(as_of)
        except ValueError:
            raise InputError([Problem("command line", "--as-of", as_of, "a date such as 2021-03-29")]) from None
    problems = ProblemList(suppliers.name)
    with _progress() as show:
        show("reading", None)
        parties = read_suppliers(suppliers, problems)
        listed = [entry for path in lists for entry in read_screening_list(path, problems)]
        problems.raise_if_any()
        result = screen_suppliers(
            parties,
            listed,
            as_of=day,
            threshold=threshold,
            near_threshold=min(threshold, 0.6),
            file=suppliers.name,
            progress=lambda done, all_of_them: show("names", (done, all_of_them)),
        )
    if out is not None:
        write_text(out, screening_table(result))
    if as_json:
        run = command_details(started, suppliers) | {"lists": [str(path) for path in lists]}
        _print_json({"screening": jsonable(result), "notice": NOTICE, "run": run})
        return
    typer.echo(screening_text(result))
    if out is not None:
        typer.echo(f"\nWritten: {out}")
