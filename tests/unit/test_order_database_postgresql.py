"""Orders in a real PostgreSQL, which is started here: one snapshot, never half a run, the password nowhere."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from coachbuilder.plan import Stages
from coachbuilder.programme import InputError, Problem, database, load, order_database
from coachbuilder.programme.template import write_template
from coachbuilder.report import check_sequence_table, write_sequence

psycopg = pytest.importorskip("psycopg", reason="needs psycopg, of the group test")

PASSWORD = "Zq7-quite:secret@%41/'s"
VARIABLE = "COACHBUILDER_TEST_DATABASE_PASSWORD"
QUERY = "SELECT id, model, colour, array_to_string(options, ';') AS options FROM cars WHERE built = :built ORDER BY id"
CARS = [
    ("P1", "sedan", "white", ["panoramic-roof"], False),
    ("P2", "guest", "black", ["guest"], True),
    *(
        (f"A{car:02}", ("sedan", "guest")[car % 3 == 0], ("white", "black", "red")[car % 3], [], False)
        for car in range(20)
    ),
]
CARS[0] = (*CARS[0][:4], True)


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of our own."""

    port: int
    folder: Path

    def url(self, user: str = "planner", name: str = "plant") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{name}"

    def ask(self, statement: str, *values: object, many: list[tuple[object, ...]] | None = None) -> list[Any]:
        """Run a statement as the superuser, over the socket that needs no password."""
        where: dict[str, Any] = {"host": str(self.folder), "port": self.port, "user": "postgres", "dbname": "plant"}
        with psycopg.connect(**where) as connection, connection.cursor() as cursor:
            if many is not None:
                cursor.executemany(statement, many)
            else:
                cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []


def _binaries() -> Path | None:
    """Folder of initdb and postgres: Debian's package keeps them off PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    return next((path for path in folders if (path / "initdb").exists() and (path / "postgres").exists()), None)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running() -> Iterator[Server]:
    binaries = _binaries()
    if binaries is None:
        pytest.skip("needs a PostgreSQL server: no initdb on PATH or under /usr/lib/postgresql")
    account: dict[str, Any] = {}
    # Short, for a socket's path has at most 107 bytes, and where another user may enter.
    folder = Path(tempfile.mkdtemp(prefix="coachbuilder-pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            # The server refuses to run as root.
            names = {entry.pw_name: entry for entry in pwd.getpwall()}
            user = names.get("postgres") or names.get("nobody")
            if user is None:
                pytest.skip("PostgreSQL does not run as root, and there is no other user to run it as")
            os.chown(folder, user.pw_uid, user.pw_gid)
            account = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(folder)}
        options: dict[str, Any] = {"env": environment, "cwd": folder, **account}
        data = folder / "data"
        made = subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--no-sync", "--auth-local=trust",
             "--auth-host=scram-sha-256"],
            capture_output=True, text=True, check=False, **options,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        server = Server(_free_port(), folder)
        command = [binaries / "postgres", "-D", data, "-p", str(server.port), "-k", folder, "-h", "127.0.0.1"]
        command += ["-c", "fsync=off"]
        with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log, **options) as process:
            try:
                patience = time.monotonic() + 30
                while True:
                    try:
                        where = {"host": str(folder), "port": server.port, "user": "postgres", "dbname": "postgres"}
                        with psycopg.connect(**where, autocommit=True) as connection:
                            connection.execute("CREATE DATABASE plant")
                        break
                    except psycopg.OperationalError:
                        assert process.poll() is None, (folder / "log").read_text()
                        assert time.monotonic() < patience, "the server does not answer"
                        time.sleep(0.05)
                server.ask(f"CREATE ROLE planner LOGIN PASSWORD '{PASSWORD.replace(chr(39), 2 * chr(39))}'")
                yield server
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with _running() as server:
        yield server


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server with the plant's orders and nothing else."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(VARIABLE, PASSWORD)
    running.ask("DROP SCHEMA public CASCADE")
    running.ask("CREATE SCHEMA public AUTHORIZATION planner")
    running.ask("CREATE TABLE cars (id text, model text, colour text, options text[], built boolean)")
    running.ask("INSERT INTO cars VALUES (%s, %s, %s, %s, %s)", many=CARS)
    running.ask("GRANT SELECT ON cars TO planner")
    return running


def programme_in(folder: Path, server: Server, **keys: str) -> Path:
    write_template(folder)
    plant = folder / "plant.toml"
    text = plant.read_text(encoding="utf-8").replace("300_000", "2_000")
    section = {
        "url": server.url(),
        "password_environment": VARIABLE,
        "query": QUERY.replace(":built", "false"),
        "previous_query": QUERY.replace(":built", "true"),
        "table": "public.build",
        **keys,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in section.items() if value]
    plant.write_text("\n".join([text, "[sequence.database]", *lines]), encoding="utf-8")
    return folder


@pytest.fixture
def programme(server: Server, tmp_path: Path) -> Path:
    return programme_in(tmp_path / "car", server)


def problems_of(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as told:
        load(folder)
    return told.value.problems


def start(*arguments: str | Path, password: str = PASSWORD) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "coachbuilder.cli", *map(str, arguments)]
    environment = {**os.environ, VARIABLE: password}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environment
    )


def wait(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    with child:
        out, error = child.communicate(timeout=240)
    return child.returncode, out, error


def test_orders_are_read_and_the_build_order_is_written(server: Server, programme: Path) -> None:
    status, out, error = wait(start("sequence", programme, "--write-back", "--json"))
    assert status == 0, error
    printed = json.loads(out)
    order = printed["sequence"]["order"]
    written = server.ask(
        "SELECT position, order_id, model, colour FROM build WHERE run = %s ORDER BY position", printed["run"]["id"]
    )
    assert written == [(car["position"], car["car"], car["model"], car["colour"]) for car in order]
    assert len(order) == 20
    ((run, cars, print_of),) = server.ask("SELECT run, cars, orders_fingerprint FROM build_runs")
    assert (run, cars, print_of) == (printed["run"]["id"], 20, printed["run"]["orders_fingerprint"])
    ((zone_kept,),) = server.ask("SELECT abs(extract(epoch FROM now() - written_at)) < 600 FROM build_runs")
    assert zone_kept


def test_the_password_is_in_no_output_and_no_file(server: Server, tmp_path: Path) -> None:
    # Long enough that no part of it is there by chance; wrong on the server, right, and absent.
    programme = programme_in(tmp_path / "car", server)
    out = tmp_path / "out"
    wrong = "Wr0ng-" + PASSWORD
    printed = []
    for password, status, arguments in (
        (wrong, 2, ("check", programme, "--json")),
        (wrong, 2, ("sequence", programme, "--write-back")),
        ("", 2, ("check", programme)),
        (PASSWORD, 0, ("sequence", programme, "--write-back")),
        (PASSWORD, 0, ("plan", programme, "--draws", "8", "--workers", "2", "--out", out, "--json")),
    ):
        found, output, error = wait(start(*arguments, password=password))
        assert found == status, error
        assert "Traceback" not in error
        printed.append(output + error)
    assert "password authentication failed" in printed[0]
    assert f"{VARIABLE}, which is empty" in printed[2]
    texts = [text.encode() for text in printed]
    files = [path for folder in (programme, out) for path in folder.rglob("*") if path.is_file()]
    assert {"plan.json", "report.html", "plan.xlsx"} <= {path.name for path in files}
    texts += [path.read_bytes() for path in files]
    assert not any(secret in text for secret in (b"quite:secret", b"quite%3Asecret") for text in texts)


def test_a_message_that_holds_the_password_is_not_shown(server: Server, tmp_path: Path) -> None:
    # The server repeats a text that it cannot take for a number.
    hidden = PASSWORD.replace("'", "''").replace(":", "\\:")
    query = QUERY.replace("built = :built", f"cast('{hidden}' AS int) = 1")
    (told,) = problems_of(programme_in(tmp_path / "car", server, query=query, previous_query=""))
    assert "message holds the password" in told.found
    assert "quite" not in str(told)


def test_two_queries_see_one_snapshot(server: Server, programme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = order_database._rows
    changes: list[list[Any]] = []

    def read_and_change(*arguments: Any, **options: Any) -> Any:
        found = read(*arguments, **options)
        if not changes:
            changes.append(server.ask("UPDATE cars SET built = NOT built, colour = 'red' RETURNING id"))
        return found

    before = load(programme).orders
    monkeypatch.setattr(order_database, "_rows", read_and_change)
    assert load(programme).orders == before
    assert len(changes[0]) == len(CARS), "the other's change went through meanwhile"
    assert load(programme).orders != before


def test_reading_can_change_nothing(server: Server, tmp_path: Path) -> None:
    server.ask("GRANT ALL ON cars TO planner")
    server.ask("CREATE FUNCTION take() RETURNS int LANGUAGE sql AS 'DELETE FROM cars RETURNING 1'")
    query = "SELECT id, model, colour, '' AS options FROM cars WHERE take() = 1 ORDER BY id"
    (told,) = problems_of(programme_in(tmp_path / "car", server, query=query, previous_query=""))
    assert "read-only transaction" in told.found
    assert server.ask("SELECT count(*) FROM cars") == [(len(CARS),)]


TODAY = QUERY.replace(":built", "false")


@pytest.mark.parametrize(
    ("keys", "field", "found"),
    [
        ({"url": "postgresql://planner@127.0.0.1:1/plant"}, "url", "refused"),
        ({"url": "another user"}, "url", "password authentication failed"),
        ({"url": "another database"}, "url", 'database "nowhere" does not exist'),
        ({"password_environment": "COACHBUILDER_NOT_SET"}, "password_environment", "NOT_SET, which is not set"),
        ({"query": TODAY.replace("cars", "carz")}, "query", 'relation "carz" does not exist'),
        ({"query": TODAY.replace("array_to_string(options, ';')", "options")}, "query, row 1, options", "type list"),
        ({"query": "SELECT 1 ORDER BY 1 LIMIT 'x'"}, "query", "invalid input syntax"),
        ({"query": "UPDATE cars SET id = 'ORDER BY'"}, "query", "syntax error"),
    ],
)
def test_what_does_not_work_is_told_with_its_key(
    server: Server, tmp_path: Path, keys: dict[str, str], field: str, found: str
) -> None:
    url = {"another user": server.url(user="nobody"), "another database": server.url(name="nowhere")}
    keys = {key: url.get(value, value) for key, value in keys.items()}
    told = problems_of(programme_in(tmp_path / "car", server, **keys))
    assert f"sequence.database.{field}" in [problem.field for problem in told]
    assert any(found in problem.found for problem in told), told


def test_a_server_that_says_nothing_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CONNECT_TIMEOUT_S", 2)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"postgresql://planner@127.0.0.1:{silent.getsockname()[1]}/plant"
        began = time.monotonic()
        (told,) = problems_of(programme_in(tmp_path / "car", server, url=url))
    assert "timeout" in told.found
    assert time.monotonic() - began < 20


def test_a_failure_at_the_kth_car_leaves_nothing_of_the_run(server: Server, programme: Path) -> None:
    loaded = load(programme)
    result = Stages(loaded).sequence
    check_sequence_table(loaded)
    assert server.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(1,)], "trying leaves nothing"
    twice = replace(result, order=(*result.order, replace(result.order[0], position=99)))
    with pytest.raises(InputError, match="unique"):
        write_sequence(loaded, twice, {})
    assert server.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(1,)]
    kept = write_sequence(loaded, result, {})
    server.ask("ALTER TABLE build ADD CHECK (position <> 13) NOT VALID")
    with pytest.raises(InputError, match="check constraint"):
        write_sequence(loaded, result, {})
    assert _written(server) == {kept.id: 20}


def _written(server: Server) -> dict[str, int]:
    """Cars by run, of every run that either table knows."""
    joined = "build_runs r FULL JOIN build b USING (run)"
    return dict(server.ask(f"SELECT run, count(b.run) FROM {joined} GROUP BY run"))


def _held(server: Server, held: bool) -> None:
    patience = time.monotonic() + 120
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'planner' AND wait_event = 'PgSleep'"
    while server.ask(waiting) != [(int(held),)]:
        assert time.monotonic() < patience
        time.sleep(0.05)


@pytest.mark.parametrize("end", ["process killed", "server connection cut"])
def test_a_run_cut_off_in_the_middle_leaves_nothing_and_is_seen_by_nobody(
    server: Server, programme: Path, end: str
) -> None:
    loaded = load(programme)
    kept = write_sequence(loaded, Stages(loaded).sequence, {})
    server.ask(
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'"
    )
    server.ask(
        "CREATE TRIGGER hold BEFORE INSERT ON build FOR EACH ROW WHEN (NEW.position = 13) EXECUTE FUNCTION hold()"
    )
    child = start("sequence", programme, "--write-back")
    try:
        _held(server, True)
        assert _written(server) == {kept.id: 20}, "a reader sees nothing of the run under way"
        if end == "process killed":
            child.kill()
            wait(child)
            # The server learns of it when it next speaks to the process; we cut its sleep short.
            server.ask("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        else:
            server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
            status, _, error = wait(child)
            assert status == 2
            assert "closed the connection" in error or "terminating connection" in error
            assert "Traceback" not in error
    finally:
        child.kill()
    _held(server, False)
    assert _written(server) == {kept.id: 20}


def test_runs_side_by_side_make_the_tables_once_and_do_not_mix(server: Server, programme: Path) -> None:
    loaded = load(programme)
    result = Stages(loaded).sequence
    ids: list[str] = []
    together = threading.Barrier(6)

    def write() -> None:
        together.wait()
        ids.append(write_sequence(loaded, result, {}).id)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 6
    found = server.ask("SELECT run, count(*), min(position), max(position) FROM build GROUP BY run")
    assert sorted(found) == sorted((run_id, 20, 1, 20) for run_id in ids)


def test_orders_that_changed_meanwhile_are_not_sequenced_unless_told(server: Server, programme: Path) -> None:
    loaded = load(programme)
    result = Stages(loaded).sequence
    server.ask("DELETE FROM cars WHERE id = 'A05'")
    with pytest.raises(InputError, match="changed since they were read"):
        write_sequence(loaded, result, {})
    assert server.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(1,)]
    assert write_sequence(loaded, result, {}, even_if_changed=True).orders_changed


def test_a_role_without_the_right_to_write_is_told_before_the_search(server: Server, programme: Path) -> None:
    server.ask("ALTER SCHEMA public OWNER TO postgres")
    server.ask("GRANT USAGE ON SCHEMA public TO planner")
    with pytest.raises(InputError, match="permission denied for schema public"):
        check_sequence_table(load(programme))


def test_a_table_may_have_any_name_and_a_percent_sign_in_a_query_is_one(server: Server, tmp_path: Path) -> None:
    table = "say 'x' :run; DROP TABLE cars; --"
    query = QUERY.replace("built = :built", "id LIKE 'A1%'")
    loaded = load(programme_in(tmp_path / "car", server, table=table, query=query))
    written = write_sequence(loaded, Stages(loaded).sequence, {})
    assert written.cars == 10
    found = server.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    assert [name for (name,) in found] == ["cars", table, f"{table}_runs"]


def test_the_example_of_the_page_runs(server: Server, tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "orders-in-a-database.md").read_text(encoding="utf-8")
    section = page.split("## PostgreSQL")[1].split("```toml\n")[1].split("```")[0]
    for shown, ours in (
        ("postgresql://planner@dbhost:5432/plant", server.url()),
        ("PLANT_DATABASE_PASSWORD", VARIABLE),
    ):
        assert shown in section
        section = section.replace(shown, ours)
    folder = tmp_path / "car"
    write_template(folder)
    with (folder / "plant.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + section)
    server.ask("DROP SCHEMA IF EXISTS planning CASCADE")
    server.ask("CREATE SCHEMA planning AUTHORIZATION planner")
    server.ask("CREATE TABLE orders (number int, model text, paint text, options text[], build_day date, built_as int)")
    server.ask("GRANT SELECT ON orders TO planner")
    days = "VALUES (7, current_date + 1, NULL), (8, current_date + 1, NULL), (5, current_date, 1), (6, current_date, 2)"
    server.ask(
        "INSERT INTO orders SELECT number, 'sedan', 'red', ARRAY['panoramic-roof'], day, place "
        f"FROM ({days}) AS known (number, day, place)"
    )
    loaded = load(folder)
    assert [(order.id, order.previous_day) for order in loaded.orders or ()] == [
        ("5", True), ("6", True), ("7", False), ("8", False)
    ]  # fmt: skip
    written = write_sequence(loaded, Stages(loaded).sequence, {})
    assert written.table == "planning.build_sequence"
    assert server.ask("SELECT order_id FROM planning.build_sequence ORDER BY order_id") == [("7",), ("8",)]
