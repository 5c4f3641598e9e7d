"""Opens the plant's own database: one connection, one transaction, and the password in no message.

SQLAlchemy is imported when a programme names a database, not before.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from coachbuilder.programme.errors import InputError, Problem, shown

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

    from coachbuilder.programme.sections.database import DatabaseSection

FILE = "plant.toml"
SECTION = "sequence.database"
CONNECT_TIMEOUT_S = 10
"""A server that has not answered by then is not there."""
LOCK_TIMEOUT_S = 30
"""Longest wait for another's transaction."""

SNAPSHOT_ISOLATION = {"postgresql": "REPEATABLE READ", "mysql": "REPEATABLE READ", "mariadb": "REPEATABLE READ"}
"""Isolation level in which all queries of a transaction see one snapshot; SERIALIZABLE where none is named."""

_TIMEOUT_ARGUMENT = {
    "psycopg": "connect_timeout",
    "psycopg2": "connect_timeout",
    "pymysql": "connect_timeout",
    "mysqldb": "connect_timeout",
    "pysqlite": "timeout",
    "oracledb": "tcp_connect_timeout",
    "pyodbc": "timeout",
}
_PACKAGES = {
    "psycopg": "coachbuilder[postgresql]",
    "pymysql": "pymysql",
    "MySQLdb": "mysqlclient",
    "oracledb": "oracledb",
    "pyodbc": "pyodbc",
}


class PlantDatabase:
    """The plant's database as plant.toml names it; holds neither a connection nor the password.

    Parameters
    ----------
    section
        Where it is and what is asked of it.
    folder
        The programme folder, to which the path of an SQLite file is relative.
    line_of
        Line of plant.toml where a dotted path stands, if it can be told.
    """

    def __init__(
        self, section: DatabaseSection, folder: Path, line_of: Callable[[str], int | None] = lambda _path: None
    ) -> None:
        self.section = section
        self._folder = folder
        self._line_of = line_of

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[Connection]:
        """Give a connection within one transaction, whose queries all see the same snapshot.

        Parameters
        ----------
        write
            True to commit at the end, unless an exception leaves the block; else the database is asked to allow no
            change.

        Raises
        ------
        InputError
            If the database cannot be reached or, at the end, does not commit.
        """
        engine = self._engine(write=write)
        connection = None
        try:
            # TypeError and ValueError: a driver that is given an option in the URL that it does not know.
            with self.telling("url", "a database that answers", also=(TypeError, ValueError)):
                connection = engine.connect()
                connection.begin()
                if engine.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
            yield connection
            if write:
                # If the connection breaks just now the server alone knows whether it has taken it.
                hint = "look into the table of runs: what was to be written stands there whole or not at all"
                with self.telling("table", "a database that takes the rows", hint):
                    connection.commit()
        finally:
            if connection is not None:
                # Rolls back what was not committed. Where that fails the connection is gone, and the server rolls back.
                with suppress(*_errors()):
                    connection.close()
            engine.dispose()

    @contextmanager
    def telling(
        self, field: str, expected: str, hint: str = "", *, also: tuple[type[Exception], ...] = ()
    ) -> Iterator[None]:
        """Turn what the database finds fault with into a problem of a key of the section.

        Parameters
        ----------
        field
            The key.
        expected, hint
            See :class:`coachbuilder.programme.errors.Problem`.
        also
            Further exceptions that are a fault of the input here.
        """
        try:
            yield
        except (*_errors(), *also) as error:
            raise InputError([self.problem(field, self._words(error), expected, hint)]) from None

    def problem(self, field: str, found: str, expected: str, hint: str = "", place: str = "") -> Problem:
        """Return a problem of a key of the section; ``place`` says where in its result."""
        path = f"{SECTION}.{field}"
        return Problem(FILE, path + place, shown(found, 200), expected, self._line_of(path), hint)

    def _words(self, error: BaseException) -> str:
        """Return the first line of a driver's message, or that it is not shown because it holds the password."""
        cause = getattr(error, "orig", None) or error
        text = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
        words = next((line.strip() for line in text.splitlines() if line.strip()), type(cause).__name__)
        password = os.environ.get(self.section.password_environment, "") if self.section.password_environment else ""
        if password and (password in text or quote(password, safe="") in text):
            return f"{type(cause).__name__}, whose message holds the password and is not shown"
        return words

    def _engine(self, *, write: bool) -> Engine:
        import sqlalchemy
        from sqlalchemy.exc import NoSuchModuleError
        from sqlalchemy.pool import NullPool

        url = self._url()
        try:
            driver = url.get_dialect().driver
            arguments: dict[str, Any] = {}
            name = _TIMEOUT_ARGUMENT.get(driver)
            if name is not None and name not in url.query:
                arguments[name] = LOCK_TIMEOUT_S if driver == "pysqlite" else CONNECT_TIMEOUT_S
            engine = sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=arguments, hide_parameters=True)
        except NoSuchModuleError:
            found, expected = f"the unknown kind of database {url.drivername}", "one that SQLAlchemy or a plugin knows"
            hint = "write postgresql" if url.drivername == "postgres" else "see SQLAlchemy's list of dialects"
            raise InputError([self.problem("url", found, expected, hint)]) from None
        except ImportError as error:
            package = _PACKAGES.get(error.name or "", error.name or url.drivername)
            found, hint = f"{url.drivername}, whose driver is not installed", f"pip install '{package}'"
            raise InputError([self.problem("url", found, "a database whose driver is installed", hint)]) from None
        except (sqlalchemy.exc.ArgumentError, TypeError, ValueError):
            # The message may repeat the URL, into which the password has been put.
            raise InputError([self.problem("url", "a URL that its driver refuses", "a complete URL")]) from None
        if engine.dialect.is_async:
            found, hint = f"the asynchronous driver {engine.dialect.driver}", "such as postgresql+psycopg"
            raise InputError([self.problem("url", found, "a driver that is not asynchronous", hint)])
        if engine.dialect.name == "sqlite":
            _begin_as_told(engine, write=write)
            return engine
        options: dict[str, Any] = {"isolation_level": SNAPSHOT_ISOLATION.get(engine.dialect.name, "SERIALIZABLE")}
        if engine.dialect.name == "postgresql":
            options["postgresql_readonly"] = not write
        return engine.execution_options(**options)

    def _url(self) -> URL:
        """Return the URL with the password from the environment and with an SQLite file's whole path."""
        from sqlalchemy import make_url

        url = make_url(self.section.url)
        if url.drivername == "postgresql":
            # SQLAlchemy 2.0 would take psycopg2.
            url = url.set(drivername="postgresql+psycopg")
        variable = self.section.password_environment
        if url.get_backend_name() == "sqlite":
            if variable:
                raise InputError([self.problem("password_environment", variable, "nothing: SQLite has no password")])
            return url.set(database=str(self._file(url.database)))
        if variable:
            password = os.environ.get(variable)
            if not password:
                found = f"{variable}, which is {'not set' if password is None else 'empty'}"
                expected = "a variable of the environment that holds the password"
                raise InputError([self.problem("password_environment", found, expected)])
            url = url.set(password=password)
        return url

    def _file(self, database: str | None) -> Path:
        if not database or database == ":memory:" or database.startswith("file:"):
            found = database or "no path"
            raise InputError([self.problem("url", found, "the path of an SQLite file, such as sqlite:///orders.db")])
        path = self._folder / database
        if not path.is_file():
            # SQLite would make an empty one.
            found = f"{'a folder' if path.is_dir() else 'nothing'} at {database}"
            raise InputError([self.problem("url", found, "an SQLite file; its path is relative to this folder")])
        return path.resolve()


def _errors() -> tuple[type[Exception], ...]:
    """Return what a database raises.

    Before Python 3.12 SQLite only warns of two statements at once; and it has its own way of refusing a parameter of
    more than 64 bits.
    """
    from sqlalchemy.exc import SQLAlchemyError

    return (SQLAlchemyError, sqlite3.Warning, OverflowError)


def _begin_as_told(engine: Engine, *, write: bool) -> None:
    """Have SQLite begin its transactions when told: by itself the driver begins none before a change.

    Reading keeps a snapshot (or keeps writers waiting, without a write-ahead log) from the first query on; writing
    keeps other writers out from the beginning.
    """
    from sqlalchemy import event

    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        if not write:
            connection.execute("PRAGMA query_only = ON")

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)


__all__ = ["FILE", "SECTION", "PlantDatabase"]
