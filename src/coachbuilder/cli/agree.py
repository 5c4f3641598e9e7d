"""Command agree: the contract beside all others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coachbuilder.cli.root import AsOf, Json, ProgrammeFolder, _load, _print_json, _progress, _require_file, app


@app.command()
def agree(
    programme: ProgrammeFolder,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw the map of contracts into an .svg file.")
    ] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Where both sides gain: zone of agreement, what coordination loses, make or contract."""
    from coachbuilder.plan import Stages
    from coachbuilder.report import jsonable, write_text
    from coachbuilder.report.agreement_chart import standalone_map
    from coachbuilder.report.agreement_words import sentences

    loaded = _load(programme, as_of)
    if out is not None:
        _require_file(out, (".svg",))
    with _progress() as show:
        result = Stages(loaded, progress=lambda stage: show(stage, None)).alternatives
    assert result is not None
    brand, host = loaded.document.brand.name, loaded.document.host.name
    if out is not None:
        write_text(out, standalone_map(result, brand, host))
    if as_json:
        _print_json({"alternatives": jsonable(result)})
        return
    for question, text in sentences(result, brand, host):
        typer.echo(f"{question}\n  {text}\n")
    if out is not None:
        typer.echo(f"Written: {out}")
