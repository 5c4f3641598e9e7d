"""Reads a day's orders from the plant's own database, in one snapshot, under the same checks as orders.csv."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from coachbuilder.programme.database import FILE, SECTION, PlantDatabase
from coachbuilder.programme.errors import InputError, Problem, ProblemList, closest
from coachbuilder.programme.orders import COLUMNS, LARGEST_ORDERS_BYTES, Order, orders_of
from coachbuilder.programme.places import PLACE_COLUMNS

if TYPE_CHECKING:
    from sqlalchemy import Connection

DAY = "day"
QUERY, PREVIOUS_QUERY = "query", "previous_query"
ROW_BYTES = 64
"""Least size for which a row counts, so that rows without text come to an end too."""
ROWS_AT_ONCE = 1000
"""Rows that are fetched together."""

_ORDER_BY = re.compile(r"\border\s+by\b", re.IGNORECASE)


def read_order_database(
    database: PlantDatabase,
    model_ids: Sequence[str],
    option_ids: Sequence[str],
    colour_ids: Sequence[str],
    problems: ProblemList,
) -> tuple[Order, ...]:
    """Read a day's orders in one transaction; mistakes are noted in ``problems`` rather than raised.

    Parameters
    ----------
    database
        Where they are.
    model_ids, option_ids, colour_ids
        What the plant knows.
    problems
        Where mistakes are noted, with the key of plant.toml, the row of the query's result and the order.

    Returns
    -------
    tuple of Order
        Every row. If anything was noted the tuple is not to be used.

    Examples
    --------
    >>> import sqlite3
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from coachbuilder.programme.sections.database import DatabaseSection
    >>> query = "SELECT id, model, colour, options FROM cars ORDER BY id"
    >>> with TemporaryDirectory() as folder:
    ...     with sqlite3.connect(Path(folder) / "orders.db") as connection:
    ...         _ = connection.execute("CREATE TABLE cars AS SELECT 7 id, 'suv' model, 'red' colour, '' options")
    ...     connection.close()
    ...     section = DatabaseSection(url="sqlite:///orders.db", query=query)
    ...     read = read_order_database(PlantDatabase(section, Path(folder)), ["suv"], [], ["red"], ProblemList(""))
    >>> [order.id for order in read]
    ['7']
    """
    try:
        _check_queries(database)
        with database.transaction() as connection:
            return orders_in(connection, database, model_ids, option_ids, colour_ids)
    except InputError as error:
        problems.extend(error.problems)
        return ()


def orders_in(
    connection: Connection,
    database: PlantDatabase,
    model_ids: Sequence[str],
    option_ids: Sequence[str],
    colour_ids: Sequence[str],
) -> tuple[Order, ...]:
    """Return the orders that a transaction sees.

    Parameters
    ----------
    connection
        Within a transaction in which all queries see one snapshot.
    database
        What is asked, and how mistakes are told.
    model_ids, option_ids, colour_ids
        What the plant knows.

    Raises
    ------
    InputError
        With every mistake in what the queries gave.
    """
    problems = ProblemList(FILE)
    day = "previous" if database.section.previous_query else None
    rows: list[dict[str, str]] = []
    places: list[tuple[str, int]] = []
    for key in (PREVIOUS_QUERY, QUERY) if day else (QUERY,):
        found = _rows(connection, database, key, problems, split=day is not None)
        places.extend((key, number) for number in range(1, len(found) + 1))
        rows.extend({DAY: "previous" if key == PREVIOUS_QUERY else "", **row} for row in found)
    problems.raise_if_any()

    def place_of(number: int) -> str:
        key, row = places[number - 1]
        return f"row {row} of {key}"

    noted = ProblemList(FILE)
    orders = orders_of(enumerate(rows, start=1), model_ids, option_ids, colour_ids, noted, FILE, place_of=place_of)
    if len(noted):
        raise InputError([_located(problem, database, places, rows) for problem in noted])
    return orders


def _located(
    problem: Problem, database: PlantDatabase, places: Sequence[tuple[str, int]], rows: Sequence[dict[str, str]]
) -> Problem:
    """Return a problem of a row with the query, the row in its result and the order in its place."""
    if problem.line is None:
        return database.problem(QUERY, problem.found, problem.expected, problem.hint)
    key, row = places[problem.line - 1]
    order = rows[problem.line - 1]["id"]
    place = f", row {row}{f' (order {order})' if order else ''}, {problem.field}"
    return replace(database.problem(key, "", problem.expected, problem.hint, place), found=problem.found)


def _check_queries(database: PlantDatabase) -> None:
    """Refuse queries whose result has no order, and parameters that do not fit them."""
    from sqlalchemy import text

    section = database.section
    problems: list[Problem] = []
    used: set[str] = set()
    for key, query in ((QUERY, section.query), (PREVIOUS_QUERY, section.previous_query)):
        if not query:
            continue
        if not _ORDER_BY.search(query):
            # Without it a database may give the rows in another order each time, and the plan would not repeat.
            problems.append(database.problem(key, "a query without ORDER BY", "ORDER BY: the cars in a fixed order"))
        names = set(text(query).compile().params)
        used |= names
        problems.extend(
            database.problem(
                key,
                f"the parameter :{name}",
                f"a value for it in {SECTION}.parameters",
                closest(name, section.parameters) or r"write \: for a colon that begins no parameter",
            )
            for name in sorted(names - section.parameters.keys())
        )
    problems.extend(
        database.problem("parameters", name, "a parameter that a query names", closest(name, used))
        for name in sorted(section.parameters.keys() - used)
    )
    if problems:
        raise InputError(problems)


def _rows(
    connection: Connection, database: PlantDatabase, key: str, problems: ProblemList, *, split: bool
) -> list[dict[str, str]]:
    """Return a query's rows as text by column; mistakes in their form are noted."""
    from sqlalchemy import bindparam, text

    section = database.section
    query = text(section.query if key == QUERY else section.previous_query)
    names = query.compile().params
    query = query.bindparams(*(bindparam(name, section.parameters[name]) for name in names))
    rows: list[dict[str, str]] = []
    size = 0
    # With the statement, not the connection: what is written on it later is no cursor's matter.
    options = {"stream_results": True, "max_row_buffer": ROWS_AT_ONCE}
    with (
        database.telling(key, "a query that the database answers"),
        connection.execute(query, execution_options=options) as result,
    ):
        if not result.returns_rows:
            problems.extend([database.problem(key, "a statement that gives no rows", "a query")])
            return []
        header = list(result.keys())
        wanted = [column for column in COLUMNS if column != DAY]
        optional = [*([] if split else [DAY]), *PLACE_COLUMNS]
        if len(set(header)) != len(header) or not set(wanted) <= set(header) <= {*wanted, *optional}:
            strange = [name for name in header if name not in {*COLUMNS, *PLACE_COLUMNS}]
            hint = next((near for name in strange if (near := closest(name, set(wanted) - set(header)))), "")
            if split and DAY in header:
                hint = f"with {PREVIOUS_QUERY} the queries tell the day"
            named = f"the columns {', '.join(wanted)} and, if wanted, {', '.join(optional)}, each once"
            problems.extend([database.problem(key, ", ".join(header), named, hint)])
            return []
        for number, cells in enumerate(result, start=1):
            row = {}
            for name, value in zip(header, cells, strict=True):
                cell = _text(value)
                if cell is None:
                    place = f", row {number}, {name}"
                    found = f"a value of the type {type(value).__name__}"
                    hint = "options are one text with semicolons, 'a;b'" if name == "options" else ""
                    problems.extend([database.problem(key, found, "a text or a number", hint, place)])
                row[name] = cell or ""
            size += max(ROW_BYTES, sum(map(len, row.values())))
            if size > LARGEST_ORDERS_BYTES:
                found = f"more than {LARGEST_ORDERS_BYTES / 2**20:g} MiB in {number} rows"
                problems.extend([database.problem(key, found, "the cars of a day", "narrow it with WHERE")])
                return []
            rows.append(row)
    return rows


def _text(value: Any) -> str | None:
    """Return a cell as orders.csv would hold it; ``None`` if it has no such form."""
    if value is None:
        return ""
    if isinstance(value, str):
        return None if "\0" in value else value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)
    return str(value) if isinstance(value, int | UUID | dt.date) else None


__all__ = ["orders_in", "read_order_database"]
