"""Orders in an SQLite file: the same checks as orders.csv, one snapshot, and a build order that is never half."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from coachbuilder.plan import Stages
from coachbuilder.plant.sequence import SequenceResult
from coachbuilder.programme import InputError, Problem, Programme, load, order_database
from coachbuilder.programme.errors import shown
from coachbuilder.programme.orders import orders_fingerprint
from coachbuilder.programme.template import write_template
from coachbuilder.report import check_sequence_table, jsonable, versions, write_sequence

ROOT = Path(__file__).resolve().parents[2]
QUERY = "SELECT id, model, colour, options FROM cars WHERE built = 0 ORDER BY id"
PREVIOUS = "SELECT id, model, colour, options FROM cars WHERE built = 1 ORDER BY id"
CARS = [
    ("P1", "sedan", "white", "panoramic-roof", 1),
    ("P2", "guest", "black", "guest", 1),
    *((f"A{car:02}", ("sedan", "guest")[car % 3 == 0], ("white", "black", "red")[car % 3], "", 0) for car in range(20)),
]


def database_at(path: Path, cars: list[tuple[str, str, str, str, int]] = CARS) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE cars (id TEXT, model TEXT, colour TEXT, options TEXT, built INT)")
        connection.executemany("INSERT INTO cars VALUES (?, ?, ?, ?, ?)", cars)


def section_of(query: str = QUERY, previous: str = PREVIOUS, url: str = "sqlite:///orders.db", more: str = "") -> str:
    return f"\n[sequence.database]\nurl = '{url}'\nquery = '''{query}'''\nprevious_query = '''{previous}'''\n{more}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The template with an empty place for orders and a short search."""
    write_template(tmp_path / "car")
    plant = tmp_path / "car" / "plant.toml"
    plant.write_text(plant.read_text(encoding="utf-8").replace("300_000", "2_000"), encoding="utf-8")
    return tmp_path / "car"


def with_section(folder: Path, section: str) -> Path:
    with (folder / "plant.toml").open("a", encoding="utf-8") as file:
        file.write(section)
    return folder


@pytest.fixture
def programme(folder: Path) -> Path:
    """A programme whose orders are in a database, and which has a table for the build order."""
    database_at(folder / "orders.db")
    return with_section(folder, section_of(more="table = 'build'"))


@pytest.fixture
def sequenced(programme: Path) -> tuple[Programme, SequenceResult]:
    loaded = load(programme)
    return loaded, Stages(loaded).sequence


def problems_of(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as told:
        load(folder)
    return told.value.problems


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "orders.db")) as connection:
        return connection.execute(query).fetchall()


def tables(folder: Path) -> set[object]:
    return {name for (name,) in rows(folder, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coachbuilder.cli", *map(str, arguments)]
    environment = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=environment)


def test_a_database_gives_the_orders_that_the_same_rows_give_as_csv(folder: Path) -> None:
    lines = [
        f"{car},{'previous' if built else ''},{model},{colour},{options}" for car, model, colour, options, built in CARS
    ]
    (folder / "orders.csv").write_text("\n".join(["id,day,model,colour,options", *lines]) + "\n", encoding="utf-8")
    from_csv = load(folder).orders
    (folder / "orders.csv").unlink()
    database_at(folder / "orders.db")
    with_section(folder, section_of())
    from_database = load(folder).orders
    assert from_csv is not None
    assert from_database is not None
    assert [replace(order, line=0) for order in from_database] == [replace(order, line=0) for order in from_csv]
    assert orders_fingerprint(from_database) == orders_fingerprint(from_csv)


def test_one_query_with_the_column_day_tells_both_days(folder: Path) -> None:
    database_at(folder / "orders.db")
    day = "CASE built WHEN 1 THEN 'previous' ELSE 'today' END AS day"
    query = f"SELECT id, model, colour, options, {day} FROM cars ORDER BY built DESC, id"
    orders = load(with_section(folder, section_of(query, ""))).orders
    assert orders is not None
    assert [order.id for order in orders if order.previous_day] == ["P1", "P2"]
    assert len(orders) == len(CARS)


def test_the_optional_columns_of_orders_csv_may_be_there_too(folder: Path) -> None:
    database_at(folder / "orders.db")
    places = "CASE id WHEN 'A00' THEN 'frozen' WHEN 'A01' THEN 'withdrawn' END AS status, 19.0 - built AS latest_place"
    section = section_of(
        QUERY.replace("options", f"options, {places}").replace("built = 0", "built = 0 AND id < 'A09'")
    )
    orders = load(with_section(folder, section)).orders
    assert orders is not None
    today = {order.id: order for order in orders if not order.previous_day}
    assert [order.id for order in today.values() if order.frozen] == ["A00"]
    assert [order.id for order in today.values() if order.withdrawn] == ["A01"]
    assert {order.latest_place for order in today.values()} == {19}


def test_parameters_are_bound_and_not_pasted(folder: Path) -> None:
    database_at(folder / "orders.db", [*CARS, ("'; DROP TABLE cars; --", "sedan", "red", "", 7)])
    query = (
        r"SELECT id, model, colour, options FROM cars WHERE id = :name AND 'a\:b' <> :day AND built = :n ORDER BY id"
    )
    parameters = """parameters = { name = "'; DROP TABLE cars; --", day = 2026-11-25, n = 7 }"""
    orders = load(with_section(folder, section_of(query, "", more=parameters))).orders
    assert orders is not None
    assert [order.id for order in orders] == ["'; DROP TABLE cars; --"]


def test_numbers_are_read_as_a_person_would_write_them(folder: Path) -> None:
    database_at(folder / "orders.db")
    ids = "(SELECT 12 AS id UNION SELECT 13.0)"
    query = f"SELECT id, 'sedan' AS model, 'red' AS colour, NULL AS options FROM {ids} ORDER BY id"
    orders = load(with_section(folder, section_of(query, ""))).orders
    assert orders is not None
    assert [order.id for order in orders] == ["12", "13"]


def test_every_mistake_in_the_rows_is_told_with_query_row_and_order(folder: Path) -> None:
    bad = [
        ("A1", "sedan", "white", "", 0),
        ("A2", "sedna", "withe", "panoramic-rof", 0),
        (None, "sedan", "white", "", 0),
        ("P1", "sedan", "white", "", 0),
        ("P1", "sedan", "white", "", 1),
    ]
    database_at(folder / "orders.db", bad)  # type: ignore[arg-type]
    told = problems_of(with_section(folder, section_of(QUERY.replace("BY id", "BY rowid"))))
    assert {problem.file for problem in told} == {"plant.toml"}
    lines = (folder / "plant.toml").read_text(encoding="utf-8").splitlines()
    assert all(lines[(problem.line or 0) - 1].startswith("query =") for problem in told)
    assert [(problem.field.removeprefix("sequence.database."), problem.found) for problem in told] == [
        ("query, row 2 (order A2), model", "sedna"),
        ("query, row 2 (order A2), colour", "withe"),
        ("query, row 2 (order A2), options", "panoramic-rof"),
        ("query, row 3, id", "an empty cell"),
        ("query, row 4 (order P1), id", "P1"),
    ]
    assert told[0].hint == "did you mean sedan?"
    assert told[4].expected == "an order once; row 1 of previous_query has it"


@pytest.mark.parametrize(
    ("section", "field", "found"),
    [
        (section_of(url="sqlite:///nowhere.db"), "url", "nothing at nowhere.db"),
        (section_of(url="sqlite://"), "url", "no path"),
        (section_of(url="sqlite:///plant.toml"), "previous_query", "file is not a database"),
        (section_of(url="sqlite+aiosqlite:///orders.db"), "url", "driver"),
        (section_of(url="postgres://planner@h/plant"), "url", "unknown kind of database postgres"),
        (section_of(url="mysql+mysqldb://planner@h/plant"), "url", "whose driver is not installed"),
        (section_of(url="orders.db"), "url", "no database URL"),
        (section_of(QUERY.replace("cars", "carz")), "query", "no such table: carz"),
        (section_of(QUERY.replace(" colour,", "")), "query", "id, model, options"),
        (section_of(QUERY.replace("colour", "colour AS color")), "query", "id, model, color, options"),
        (section_of(QUERY.replace("options", "options, 'today' AS day")), "query", "id, model, colour, options, day"),
        (section_of(QUERY.replace("ORDER BY id", "")), "query", "a query without ORDER BY"),
        (section_of(QUERY.replace("= 0", "= :n")), "query", "the parameter :n"),
        (section_of(more="parameters = { n = 1 }"), "parameters", "n"),
        (section_of("DELETE FROM cars WHERE 'ORDER BY' > ''"), "query", "attempt to write a readonly database"),
        (section_of(QUERY + "; DROP TABLE cars"), "query", "one statement"),
        (
            section_of(QUERY.replace("options", "options, 'forzen' AS status")),
            "query, row 1 (order A00), status",
            "forzen",
        ),
        (section_of(QUERY.replace("options", "options, 3 AS earliest_plaec")), "query", "earliest_plaec"),
        (section_of(QUERY.replace("= 0", "= 9")), "query", "no order of today"),
        (section_of(QUERY.replace(" options", " x'00ff' AS options")), "query, row 1, options", "the type bytes"),
        (section_of(more="password_environment = 'PASSWORD'"), "password_environment", "PASSWORD"),
        (section_of(url="sqlite:///orders.db?timeout=soon"), "url", "that its driver refuses"),
        (section_of(QUERY.replace("= 0", "< :n"), more=f"parameters = {{ n = {2**70} }}"), "query", "too large"),
        (section_of(more="table = 'a.b.c'"), "table", "a.b.c"),
        (section_of(more=f"table = '{'t' * 60}'"), "table", "ttt"),
        (section_of(more="table = '%(run)s'"), "table", "%(run)s"),
        (section_of(more="tabel = 'build'"), "tabel", "the unknown key 'tabel'"),
    ],
)
def test_a_section_that_does_not_work_is_told_with_its_key(folder: Path, section: str, field: str, found: str) -> None:
    database_at(folder / "orders.db")
    before = rows(folder, "SELECT count(*) FROM cars")
    told = problems_of(with_section(folder, section))
    assert f"sequence.database.{field}" in [problem.field for problem in told]
    assert any(found in problem.found for problem in told)
    assert all(problem.line for problem in told)
    assert rows(folder, "SELECT count(*) FROM cars") == before
    assert not (folder / "nowhere.db").exists()


def test_orders_in_two_places_are_refused_with_both_named(programme: Path) -> None:
    (programme / "orders.csv").write_text("id,day,model,colour,options\nA1,,sedan,red,\n", encoding="utf-8")
    (told,) = problems_of(programme)
    assert told.field == "sequence.database"
    assert "orders.csv" in told.found


def test_a_result_without_end_is_refused_and_not_read_to_the_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_database, "LARGEST_ORDERS_BYTES", 100_000)
    database_at(folder / "orders.db")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    endless = f"{numbers} SELECT i AS id, '' AS model, '' AS colour, '' AS options FROM n"
    (told,) = problems_of(with_section(folder, section_of(f"{endless} -- ORDER BY", "")))
    assert "more than" in told.found


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_two_queries_see_one_snapshot(programme: Path, monkeypatch: pytest.MonkeyPatch, journal: str) -> None:
    rows(programme, f"PRAGMA journal_mode = {journal}")
    read = order_database._rows
    outcome: list[str] = []

    def read_and_change(*arguments: object, **options: object) -> object:
        found = read(*arguments, **options)  # type: ignore[arg-type]
        if not outcome:
            try:
                with closing(sqlite3.connect(programme / "orders.db", timeout=0)) as other, other:
                    other.execute("UPDATE cars SET built = 1 - built")
                outcome.append("changed")
            except sqlite3.OperationalError as error:
                outcome.append(str(error))
        return found

    before = load(programme).orders
    monkeypatch.setattr(order_database, "_rows", read_and_change)
    assert load(programme).orders == before
    # With a write-ahead log the other's change went through unseen; without one the other had to wait.
    assert outcome == ["changed" if journal == "WAL" else "database is locked"]


def test_a_programme_holds_neither_connection_nor_password(programme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANT_PASSWORD", "quite-secret")
    loaded = load(programme)
    again = pickle.loads(pickle.dumps(loaded))
    assert again.orders == loaded.orders
    assert b"quite-secret" not in pickle.dumps(loaded)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://planner:quite-secret@h/plant",
        "postgresql://planner@h/plant?password=quite-secret",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx;UID%3Dplanner;PWD%3Dquite-secret",
        "postgresql://planner:quite-secret@h:port/plant",
        "://planner:quite-secret@h",
    ],
)
def test_a_password_in_the_url_is_refused_and_not_repeated(folder: Path, url: str) -> None:
    with_section(folder, section_of(url=url))
    done = run("check", folder, "--json")
    assert done.returncode == 2
    assert "quite-secret" not in done.stdout + done.stderr
    (told,) = json.loads(done.stdout)["problems"]
    assert told["field"] == "sequence.database.url"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "\n[sequence]\ndatabase = 'postgresql://planner:quite-secret@h/plant'\n",
        "\n[[sequence.database]]\nurl = 'postgresql://planner:quite-secret@h/plant'\n",
        "\n[[sequence.database]]\npassword = 'quite-secret'\n",
        section_of(url="postgresql://planner@h/plant", more="password = 'quite-secret'"),
        section_of(url="postgresql://planner@h/plant", more="password_environment = 'quite-secret'"),
    ],
)
def test_a_password_in_a_wrong_place_is_not_repeated(folder: Path, text: str) -> None:
    plant = folder / "plant.toml"
    if text.startswith("\n[sequence]\n"):
        changed = plant.read_text(encoding="utf-8").replace("\n[sequence]\n", text)
        plant.write_text(changed, encoding="utf-8")
    else:
        with_section(folder, text)
    told = "\n".join(map(str, problems_of(folder)))
    assert "sequence.database" in told
    assert "quite-secret" not in told


def test_what_is_shown_of_a_text_has_no_password() -> None:
    assert shown("x postgresql://u:p@ss@h/d y") == "x postgresql://u:***@h/d y"
    assert shown({"password": "p@ss, word", "url": "a"}) == "{'password': ***, 'url': 'a'}"
    assert shown("host=h password=secret user=u") == "host=h password=*** user=u"
    assert shown("password_environment: PLANT") == "password_environment: PLANT"


def test_the_build_order_is_written_with_its_run(sequenced: tuple[Programme, SequenceResult]) -> None:
    loaded, result = sequenced
    check_sequence_table(loaded)
    assert tables(loaded.folder) == {"cars"}, "trying leaves nothing"
    first = write_sequence(loaded, result, versions())
    second = write_sequence(loaded, result, versions())
    assert first.id != second.id
    written = rows(
        loaded.folder, f"SELECT position, order_id, colour FROM build WHERE run = '{second.id}' ORDER BY position"
    )
    assert written == [(car.position, car.car, car.colour) for car in result.order]
    runs = rows(
        loaded.folder,
        "SELECT run, cars, seed, objective, orders_fingerprint, orders_changed FROM build_runs ORDER BY rowid",
    )
    print_of = orders_fingerprint(loaded.orders or ())
    assert runs == [(item.id, 20, loaded.seed, result.counts.objective, print_of, 0) for item in (first, second)]
    ((found, counts),) = rows(loaded.folder, "SELECT versions, counts FROM build_runs LIMIT 1")
    assert json.loads(str(found))["sqlalchemy"] == versions()["sqlalchemy"]
    assert json.loads(str(counts)) == jsonable(result.counts)


def test_a_failure_at_the_kth_car_leaves_nothing_of_the_run(sequenced: tuple[Programme, SequenceResult]) -> None:
    loaded, result = sequenced
    kept = write_sequence(loaded, result, {})
    rows(
        loaded.folder,
        "CREATE TRIGGER stop BEFORE INSERT ON build WHEN NEW.position = 13 BEGIN SELECT RAISE(ABORT, 'no 13'); END",
    )
    with pytest.raises(InputError) as told:
        write_sequence(loaded, result, {})
    assert told.value.problems[0].found == "no 13"
    assert rows(loaded.folder, "SELECT run, count(*) FROM build GROUP BY run") == [(kept.id, 20)]
    assert rows(loaded.folder, "SELECT run FROM build_runs") == [(kept.id,)]


def test_a_failure_in_the_first_run_leaves_not_even_the_tables(sequenced: tuple[Programme, SequenceResult]) -> None:
    loaded, result = sequenced
    twice = replace(result, order=(*result.order, replace(result.order[0], position=99)))
    with pytest.raises(InputError, match="UNIQUE"):
        write_sequence(loaded, twice, {})
    assert tables(loaded.folder) == {"cars"}


def test_a_killed_run_leaves_nothing(sequenced: tuple[Programme, SequenceResult]) -> None:
    loaded, result = sequenced
    kept = write_sequence(loaded, result, {})
    # A trigger that takes for ever at the 13th car holds the process in the middle of its transaction.
    rows(
        loaded.folder,
        "CREATE TRIGGER stop BEFORE INSERT ON build WHEN NEW.position = 13 BEGIN "
        "INSERT INTO cars SELECT i, '', '', '', 9 FROM "
        "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000000) SELECT i FROM n) "
        "WHERE i = 0; END",
    )
    command = [sys.executable, "-m", "coachbuilder.cli", "sequence", str(loaded.folder), "--write-back"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            patience = time.monotonic() + 60
            # The transaction that stays has begun once its journal stands beside the file and does not go.
            held = 0
            while held < 10 and time.monotonic() < patience and child.poll() is None:
                held = held + 1 if (loaded.folder / "orders.db-journal").exists() else 0
                time.sleep(0.1)
            assert held == 10
            seen = rows(loaded.folder, "SELECT run, count(*) FROM build GROUP BY run")
            assert seen == [(kept.id, 20)], "a reader sees nothing of the run under way"
        finally:
            child.kill()
    assert child.returncode == -signal.SIGKILL
    assert rows(loaded.folder, "SELECT run, count(*) FROM build GROUP BY run") == [(kept.id, 20)]
    assert rows(loaded.folder, "SELECT run FROM build_runs") == [(kept.id,)]
    assert rows(loaded.folder, "PRAGMA integrity_check") == [("ok",)]


def test_runs_side_by_side_do_not_mix(sequenced: tuple[Programme, SequenceResult]) -> None:
    loaded, result = sequenced
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(write_sequence(loaded, result, {}).id)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 6
    found = rows(loaded.folder, "SELECT run, count(*), min(position), max(position) FROM build GROUP BY run")
    assert sorted(found) == sorted((run_id, 20, 1, 20) for run_id in ids)


def test_orders_that_changed_meanwhile_are_not_sequenced_unless_told(
    sequenced: tuple[Programme, SequenceResult],
) -> None:
    loaded, result = sequenced
    with closing(sqlite3.connect(loaded.folder / "orders.db")) as other, other:
        other.execute("UPDATE cars SET colour = 'red' WHERE id = 'A01'")
    with pytest.raises(InputError) as told:
        write_sequence(loaded, result, {})
    assert "changed since they were read" in told.value.problems[0].found
    assert tables(loaded.folder) == {"cars"}
    assert write_sequence(loaded, result, {}, even_if_changed=True).orders_changed
    assert rows(loaded.folder, "SELECT orders_changed FROM build_runs") == [(1,)]


@pytest.mark.parametrize("table", ['say "x" ?1 :run; DROP TABLE cars; --', "Order", "select", "Bauplan é"])
def test_a_table_may_have_any_name(folder: Path, table: str) -> None:
    database_at(folder / "orders.db")
    loaded = load(with_section(folder, section_of(more=f"table = '{table}'")))
    written = write_sequence(loaded, Stages(loaded).sequence, {})
    assert written.table == table
    assert tables(folder) == {"cars", table, f"{table}_runs"}


def test_a_table_with_other_columns_is_refused_before_the_search(programme: Path) -> None:
    with closing(sqlite3.connect(programme / "orders.db")) as other, other:
        other.execute("CREATE TABLE build (run TEXT, place INT)")
    done = run("sequence", programme, "--write-back", "--json")
    assert done.returncode == 2, done.stderr
    (told,) = json.loads(done.stdout)["problems"]
    assert told["field"] == "sequence.database.table"
    assert "without position, order_id" in told["found"]


def test_a_table_of_the_plant_may_have_columns_of_its_own(sequenced: tuple[Programme, SequenceResult]) -> None:
    loaded, result = sequenced
    write_sequence(loaded, result, {})
    rows(loaded.folder, "ALTER TABLE build ADD COLUMN built_at TEXT")
    write_sequence(loaded, result, {})
    assert rows(loaded.folder, "SELECT count(*) FROM build") == [(40,)]


def test_writing_needs_a_table_and_a_database(folder: Path) -> None:
    with pytest.raises(InputError, match=r"sequence\.database"):
        check_sequence_table(load(folder))
    database_at(folder / "orders.db")
    with pytest.raises(InputError, match=r"sequence\.database\.table"):
        check_sequence_table(load(with_section(folder, section_of())))
    done = run("sequence", folder, "--even-if-changed")
    assert done.returncode == 2
    assert "--write-back" in done.stderr


def blocks(kind: str) -> Iterator[str]:
    page = (ROOT / "docs" / "orders-in-a-database.md").read_text(encoding="utf-8")
    yield from re.findall(rf"^```{kind}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def test_the_example_of_the_page_runs_as_it_is_written(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "orders.db")) as connection, connection:
        connection.executescript(next(blocks("sql")))
    with_section(folder, "\n" + next(blocks("toml")))
    done = run("sequence", folder, "--write-back", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert list(printed) == ["sequence", "run"]
    assert rows(folder, "SELECT DISTINCT run FROM build_sequence") == [(printed["run"]["id"],)]
    assert printed["run"]["cars"] == len(printed["sequence"]["order"])
    again = json.loads(run("sequence", folder, "--json").stdout)
    assert again["sequence"] == printed["sequence"]


def test_a_database_is_not_imported_where_none_is_named(folder: Path) -> None:
    code = (
        "import sys; from coachbuilder.programme import load; load(sys.argv[1]); sys.exit('sqlalchemy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder)], check=False).returncode == 0
