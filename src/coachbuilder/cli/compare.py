"""The command that explains the difference of two programmes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from coachbuilder.cli.root import AsOf, Json, Workers, _load, _print_json, _processes, _progress, app


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A programme folder.", show_default=False)],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another programme folder.", show_default=False)],
    keep_line: Annotated[
        bool, typer.Option("--keep-line", help="Leave the line as A laid it out; saves the full plan of B.")
    ] = False,
    orders: Annotated[
        int, typer.Option(min=2, max=10_000, help="Orders to walk where there are too many changes for all of them.")
    ] = 32,
    workers: Workers = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Explain the difference of two programmes, assumption by assumption, summing to the difference."""
    started = dt.datetime.now(dt.UTC)
    before, after = _load(first, as_of), _load(second, as_of)
    from coachbuilder.report.compare_text import compare_document, compare_text
    from coachbuilder.report.document import command_details
    from coachbuilder.risk.compare import compare as explain
    from coachbuilder.risk.planning import Planner

    with _progress() as show:
        result = explain(
            before,
            after,
            keep_line=keep_line,
            orders=orders,
            plan=Planner(lambda _, stage: show(stage, None)),
            workers=_processes(workers),
            progress=lambda done, every: show("combinations", (done, every)),
        )
    if as_json:
        _print_json(compare_document(result, command_details(started, first)))
        return
    typer.echo(compare_text(result))
