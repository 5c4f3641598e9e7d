"""The command that looks closer at how sure a plan is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from coachbuilder.cli.root import (
    AsOf,
    Json,
    ProgrammeFolder,
    Workers,
    _load,
    _print_json,
    _processes,
    _progress,
    _require_folder,
    app,
)

SOBOL_ROWS = 512


@app.command()
def risk(
    programme: ProgrammeFolder,
    draws: Annotated[
        int, typer.Option(min=2, max=10_000_000, help="Draws over the spreads of the assumptions.")
    ] = 1000,
    workers: Workers = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run on the workers of this Dask scheduler, such as tcp://host:8786."),
    ] = None,
    sobol: Annotated[
        bool, typer.Option("--sobol", help="Total indices from a design of its own; some 45,000 plans more.")
    ] = False,
    lines: Annotated[
        bool,
        typer.Option(
            "--lines/--no-lines",
            help="Lay out each draw's line for its own demand, between balances that take about a minute; or keep the "
            "plan's line.",
        ),
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER.parquet",
            help="Folder of Parquet files for the draws, written as they come; a stopped or longer run goes on there.",
            show_default=False,
        ),
    ] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """How sure the answer is: its spread, where that comes from, what would have to be true for another answer."""
    started = dt.datetime.now(dt.UTC)
    loaded = _load(programme, as_of)
    if out is not None:
        from coachbuilder.risk.table import parquet_for

        _require_folder(out, ())
        parquet_for(out)
    from coachbuilder.plan import evaluate
    from coachbuilder.report import command_details, jsonable
    from coachbuilder.report.examination_words import examination_answers
    from coachbuilder.risk import examine
    from coachbuilder.risk.lines import line_table

    with _progress() as show:
        base = evaluate(loaded, progress=lambda stage: show(stage, None))
        processes = _processes(workers)
        table = None
        if lines:
            table = line_table(
                base,
                workers=processes,
                progress=lambda done, all_of_them: show("lines", (done, all_of_them)),
                folder=out,
            )
        found = examine(
            base,
            draws=draws,
            workers=processes,
            sobol_rows=SOBOL_ROWS if sobol else 0,
            scheduler=scheduler,
            table=out,
            progress=lambda done, all_of_them: show("risk", (done, all_of_them)),
            lines=table,
        )
    if as_json:
        run = command_details(started, programme)
        run["duration_s"] = round((dt.datetime.now(dt.UTC) - started).total_seconds(), 3)
        _print_json({"examination": jsonable(found), "run": run})
        return
    for answer in examination_answers(found):
        typer.echo(f"{answer.question}\n  {answer.text}\n")
    if out is not None:
        typer.echo(f"Written: {out}")
