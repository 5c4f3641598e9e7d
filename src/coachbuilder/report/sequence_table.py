"""Writes a build order into the plant's own database: the run and its cars in one transaction, never half."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from coachbuilder.programme.database import SECTION, PlantDatabase
from coachbuilder.programme.errors import InputError, Problem, closest
from coachbuilder.programme.order_database import orders_in
from coachbuilder.programme.orders import orders_fingerprint
from coachbuilder.report.jsonable import jsonable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from coachbuilder.plant.sequence import SequenceResult
    from coachbuilder.programme import Programme

Answer = TypeVar("Answer")

RUNS_SUFFIX = "_runs"
"""What the table of runs adds to the name of the table of cars."""


@dataclass(frozen=True, slots=True)
class WrittenRun:
    """A build order that stands in the plant's database."""

    id: str
    """Identity of the run, in the column run of both tables."""
    written_at: dt.datetime
    """When."""
    table: str
    """Table of the cars, one row a car."""
    runs_table: str
    """Table of the runs, one row a run."""
    cars: int
    """Cars written."""
    orders_fingerprint: str
    """Fingerprint of the orders that were sequenced."""
    orders_changed: bool
    """Whether the orders had changed by then, and it was told to write all the same."""


def check_sequence_table(programme: Programme) -> None:
    """Try whether a build order could be written, and undo it: a fault is to be told before the search.

    Raises
    ------
    InputError
        If plant.toml names no table, or the database does not have or allow tables with the right columns.
    """
    database = _database(programme)

    def attempt() -> None:
        with database.transaction(write=True) as connection:
            _tables(connection, database)
            connection.rollback()

    _twice(attempt)


def write_sequence(
    programme: Programme, result: SequenceResult, versions: Mapping[str, str], *, even_if_changed: bool = False
) -> WrittenRun:
    """Write a build order with its run: whole or not at all.

    The orders are read again within the same transaction. A reader sees either nothing of the run or all of it.

    Parameters
    ----------
    programme
        As it was sequenced.
    result
        Its build order.
    versions
        Versions of what computed it, by package.
    even_if_changed
        True to write although the orders in the database are no longer those that were sequenced.

    Raises
    ------
    InputError
        If the orders have changed meanwhile, or the database does not take the rows; then nothing was written.
    """
    database = _database(programme)
    fingerprint = orders_fingerprint(programme.orders or ())
    now = dt.datetime.now(dt.UTC)
    run = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    changed = _twice(lambda: _write(programme, result, versions, run, now, fingerprint, even_if_changed))
    table = database.section.table
    return WrittenRun(run, now, table, table + RUNS_SUFFIX, len(result.order), fingerprint, changed)


class _NotMadeError(InputError):
    """The tables could not be made, perhaps because another run has just made them."""


def _twice(attempt: Callable[[], Answer]) -> Answer:
    """Try again where another run may have made the tables between our look and our attempt."""
    try:
        return attempt()
    except _NotMadeError:
        return attempt()


def _write(
    programme: Programme,
    result: SequenceResult,
    versions: Mapping[str, str],
    run: str,
    now: dt.datetime,
    fingerprint: str,
    even_if_changed: bool,
) -> bool:
    """Write in one transaction; return whether the orders had changed."""
    database = _database(programme)
    with database.transaction(write=True) as connection:
        changed = _fingerprint_now(connection, database, programme) != fingerprint
        if changed and not even_if_changed:
            found, expected = "orders that changed since they were read", "the orders that were sequenced"
            hint = "run it again, or add --even-if-changed; nothing was written"
            raise InputError([database.problem("query", found, expected, hint)])
        runs, cars = _tables(connection, database)
        with database.telling("table", "a database that takes the rows", "nothing was written"):
            connection.execute(
                runs.insert(), _run_row(programme, result, versions, run, now, fingerprint, changed=changed)
            )
            rows = [
                {
                    "run": run,
                    "position": car.position,
                    "order_id": car.car,
                    "model": car.model,
                    "colour": car.colour,
                    "options": ";".join(car.options),
                    "broken": ";".join(car.broken),
                }
                for car in result.order
            ]
            if rows:
                connection.execute(cars.insert(), rows)
    return changed


def _run_row(
    programme: Programme,
    result: SequenceResult,
    versions: Mapping[str, str],
    run: str,
    now: dt.datetime,
    fingerprint: str,
    *,
    changed: bool,
) -> dict[str, Any]:
    counts = result.counts
    return {
        "run": run,
        "written_at": now,
        "programme": programme.document.programme.id,
        "seed": programme.seed,
        "cars": len(result.order),
        "high_priority_excess": counts.high_priority_excess,
        "low_priority_excess": counts.low_priority_excess,
        "colour_changes": counts.colour_changes,
        "violated_windows": counts.violated_windows,
        "objective": counts.objective,
        "objectives": json.dumps(jsonable(programme.plant.sequence.objectives)),
        "counts": json.dumps(jsonable(counts), ensure_ascii=False),
        "versions": json.dumps(dict(versions)),
        "orders_fingerprint": fingerprint,
        "orders_changed": changed,
    }


def _fingerprint_now(connection: Connection, database: PlantDatabase, programme: Programme) -> str:
    """Return the fingerprint of the orders as they now stand; empty if they no longer are such."""
    plant = programme.plant
    try:
        orders = orders_in(
            connection,
            database,
            [model.id for model in plant.model],
            [option.id for option in plant.sequence.option],
            [colour.id for colour in plant.sequence.colour],
        )
    except InputError:
        return ""
    return orders_fingerprint(orders)


def _database(programme: Programme) -> PlantDatabase:
    section = programme.plant.sequence.database
    if section is None or not section.table:
        missing = SECTION if section is None else f"{SECTION}.table"
        expected = "the database and the table to which the build order is written"
        raise InputError([Problem("plant.toml", missing, "nothing", expected)])
    return PlantDatabase(section, programme.folder)


def _tables(connection: Connection, database: PlantDatabase) -> tuple[Table, Table]:
    """Return the tables of the runs and of the cars; make them if they are not there, check them if they are."""
    import sqlalchemy as sa
    from sqlalchemy.sql import quoted_name

    schema, name = database.section.table_names
    # Always in quotes: what plant.toml says is a name, whatever is in it.
    metadata = sa.MetaData(schema=None if schema is None else quoted_name(schema, True))
    runs = sa.Table(
        quoted_name(name + RUNS_SUFFIX, True),
        metadata,
        sa.Column("run", sa.String(40), primary_key=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("cars", sa.Integer, nullable=False),
        sa.Column("high_priority_excess", sa.BigInteger, nullable=False),
        sa.Column("low_priority_excess", sa.BigInteger, nullable=False),
        sa.Column("colour_changes", sa.BigInteger, nullable=False),
        sa.Column("violated_windows", sa.BigInteger, nullable=False),
        sa.Column("objective", sa.BigInteger, nullable=False),
        sa.Column("objectives", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("versions", sa.Text, nullable=False),
        sa.Column("orders_fingerprint", sa.String(64), nullable=False),
        sa.Column("orders_changed", sa.Boolean, nullable=False),
    )
    cars = sa.Table(
        quoted_name(name, True),
        metadata,
        sa.Column("run", sa.String(40), sa.ForeignKey(runs.c.run), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("order_id", sa.String(255), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("colour", sa.Text, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("broken", sa.Text, nullable=False),
        sa.UniqueConstraint("run", "order_id"),
    )
    with database.telling("table", "tables that can be looked at"):
        _check_columns(connection, database, (runs, cars))
    try:
        with database.telling("table", "a table, or the right to make one"):
            metadata.create_all(connection)
    except InputError as error:
        raise _NotMadeError(error.problems) from None
    return runs, cars


def _check_columns(connection: Connection, database: PlantDatabase, tables: tuple[Table, ...]) -> None:
    """Refuse a table that is there without the columns that are written; further columns may have their defaults."""
    import sqlalchemy as sa

    inspector = sa.inspect(connection)
    problems = []
    for table in tables:
        if not inspector.has_table(table.name, schema=table.schema):
            continue
        there = [column["name"] for column in inspector.get_columns(table.name, schema=table.schema)]
        wanted = [column.name for column in table.columns]
        missing = [name for name in wanted if name not in there]
        if missing:
            found = f"the table {table.name} without {', '.join(missing)}"
            expected = f"the columns {', '.join(wanted)}, or no table of that name"
            problems.append(database.problem("table", found, expected, closest(missing[0], there)))
    if problems:
        raise InputError(problems)


__all__ = ["WrittenRun", "check_sequence_table", "write_sequence"]
