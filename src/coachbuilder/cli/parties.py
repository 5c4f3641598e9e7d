"""``coachbuilder parties``: how brand, host and suppliers stand on lists of authorities."""

from __future__ import annotations

from coachbuilder.cli.root import AsOf, Json, ProgrammeFolder, _run_stage, app


@app.command()
def parties(programme: ProgrammeFolder, as_of: AsOf = None, as_json: Json = False) -> None:
    """Who stands on which sanction list on the day, and what that does to discount rates and suppliers."""
    _run_stage(programme, as_of, as_json, "parties", lambda stages: stages.parties)
