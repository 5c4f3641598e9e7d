"""The section of plant.toml that names the plant's own database."""

from __future__ import annotations

import datetime as dt
import re

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from coachbuilder.programme.base import Section

LONGEST_NAME_BYTES = 55
"""PostgreSQL cuts names after 63 bytes; the name of the table of runs is a few longer."""

_PASSWORD_KEY = re.compile(r"pass(word|wd|phrase)?|pwd|secret|token", re.IGNORECASE)
_PASSWORD_INSIDE = re.compile(r"\b(password|passwd|pwd)\s*=", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


class DatabaseSection(Section):
    """The plant's own database, where it holds the day's orders; then there is no orders.csv."""

    url: str = Field(min_length=1)
    """SQLAlchemy URL without a password, such as 'sqlite:///orders.db' (relative to this folder) or
    'postgresql://planner@dbhost/plant'."""
    password_environment: str = ""
    """Name of the environment variable that holds the password, in capitals; empty where none is needed."""
    query: str = Field(min_length=1)
    """SELECT with ORDER BY whose columns are those of orders.csv; without the column day all cars are today's."""
    previous_query: str = ""
    """The same for the cars built the day before, in building order, the last one last; then neither query has day."""
    parameters: dict[str, str | int | float | dt.date] = Field(default_factory=dict)
    """Values of the parameters that the queries name as :parameter."""
    table: str = ""
    """Table, or schema.table, to which --write-back writes the build order; beside it stands one with '_runs' added."""

    @field_validator("url")
    @classmethod
    def _without_password(cls, url: str) -> str:
        """Refuse a password where every reader of the file sees it; the message does not repeat it."""
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        expected = "a database URL such as 'sqlite:///orders.db' or 'postgresql://planner@dbhost/plant'"
        try:
            parts = make_url(url)
        except (ArgumentError, ValueError):
            # ValueError: a port that is no number. The text may hold a password, so it is not shown.
            raise _unseen(expected, "a text that is no database URL") from None
        in_query = [
            text
            for key, value in parts.query.items()
            for text in ((value,) if isinstance(value, str) else value)
            if _PASSWORD_KEY.fullmatch(key) or key == "sslpassword" or _PASSWORD_INSIDE.search(text)
        ]
        if parts.password is not None or in_query:
            expected = "no password here: password_environment names the variable of the environment that holds it"
            raise _unseen(expected, "a password in the URL")
        return url

    @field_validator("password_environment")
    @classmethod
    def _a_variable(cls, name: str) -> str:
        if name and not _VARIABLE.fullmatch(name):
            # Whoever takes this for the password itself shall not see it on a screen or in a log.
            expected = "the name of an environment variable: A to Z, 0 to 9 and _"
            raise _unseen(expected, "a text that is no such name")
        return name

    @field_validator("table")
    @classmethod
    def _a_table(cls, table: str) -> str:
        names = table.split(".")
        fit = all(name.strip() and name.isprintable() and len(name.encode()) <= LONGEST_NAME_BYTES for name in names)
        # SQLAlchemy may take a percent sign in a name for the place of a value.
        if table and not (fit and len(names) <= 2 and "%" not in table):
            message = f"a table's name, or schema.table, each of at most {LONGEST_NAME_BYTES} bytes and without %"
            raise ValueError(message)
        return table

    @property
    def table_names(self) -> tuple[str | None, str]:
        """Schema, if one is named, and table."""
        schema, _, name = self.table.rpartition(".")
        return schema or None, name


def _unseen(expected: str, found: str) -> PydanticCustomError:
    """Return the error of a value that must not be shown."""
    return PydanticCustomError("unseen", "{expected}", {"found": found, "expected": expected})


__all__ = ["DatabaseSection"]
