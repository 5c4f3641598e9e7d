"""The command that replays a case over the days on which its register changes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from coachbuilder.cli.root import Json, ProgrammeFolder, Workers, _print_json, _processes, _progress, _require_file, app


@app.command()
def replay(
    programme: ProgrammeFolder,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day; that of the claim it rests on unless told.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Last day; that of the last outcome unless told.")
    ] = None,
    draws: Annotated[int, typer.Option(min=8, max=1_000_000, help="Draws over the spreads of each plan.")] = 400,
    workers: Workers = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the picture to an .svg file, or a page to an .html file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What was known, believed and worth day by day, and how well it did."""
    started = dt.datetime.now(dt.UTC)
    days = (_date(first, "--from"), _date(last, "--to"))
    if out is not None:
        _require_file(out, (".svg", ".html"))
    from coachbuilder.report.document import command_details
    from coachbuilder.report.replay_chart import replay_document, replay_text, write_replay
    from coachbuilder.risk.claims import draw_claims
    from coachbuilder.risk.planning import Planner
    from coachbuilder.risk.replay import Valuation
    from coachbuilder.risk.replay import replay as replay_case

    processes = _processes(workers)
    with _progress() as show:
        valuation = Valuation(
            draws,
            Planner(lambda seen, stage: show(f"{seen.as_of}: {stage}", None)),
            lambda base, seen, count: draw_claims(
                base, seen, count, lambda done, every: show(f"{seen.as_of}: draws", (done, every)), processes
            ),
        )
        result = replay_case(programme, first_date=days[0], last_date=days[1], valuation=valuation, progress=show)
        if out is not None:
            write_replay(result, out)
    if as_json:
        _print_json(replay_document(result, command_details(started, programme)))
        return
    typer.echo(replay_text(result))
    if out is not None:
        typer.echo(f"\nWritten: {out}")


def _date(text: str | None, option: str) -> dt.date | None:
    from coachbuilder.programme import InputError, Problem

    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError([Problem("command line", option, text, "a date such as 2021-03-29")]) from None
