"""Reading tasks.csv: what comes out of a good file, and how each mistake in a bad one is told."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from coachbuilder.programme.errors import Problem, ProblemList
from coachbuilder.programme.tasks import LARGEST_TASKS_BYTES, Task, read_tasks

HEADER = "id,name,area,zone,predecessors,station,equipment,operators,wagon_time_s,guest_time_s"
GOOD = "fit-seat,Fit seat,trim,inside,,,,2,60,55"


def read(folder: Path, *lines: str, header: str = HEADER) -> tuple[tuple[Task, ...], list[Problem]]:
    """Return the tasks and the problems of a file with these lines."""
    return read_bytes(folder, "\n".join([header, *lines, ""]).encode())


def read_bytes(folder: Path, content: bytes) -> tuple[tuple[Task, ...], list[Problem]]:
    file = folder / "tasks.csv"
    file.write_bytes(content)
    problems = ProblemList("plant.toml")
    tasks = read_tasks(file, ["wagon", "guest"], problems)
    return tasks, list(problems)


def told(problems: list[Problem]) -> set[tuple[int | None, str, str]]:
    """Return line, field and what was found of each problem."""
    assert all(problem.file == "tasks.csv" and problem.expected for problem in problems)
    return {(problem.line, problem.field, problem.found) for problem in problems}


def test_a_good_file_gives_every_cell_with_its_line(tmp_path: Path) -> None:
    tasks, problems = read(
        tmp_path, GOOD, "", 'test,"Test, roll",end,under,fit-seat;bleed,E01,roller,,0,12.5', "bleed,Bleed,,,,,,,3,"
    )
    assert problems == []
    assert tasks[1] == Task(
        id="test",
        name="Test, roll",
        area="end",
        zone="under",
        predecessors=("fit-seat", "bleed"),
        station="E01",
        equipment="roller",
        operators=1,
        time_s={"wagon": 0.0, "guest": 12.5},
        line=4,
    )
    assert tasks[0].operators == 2
    assert tasks[2].time_s == {"wagon": 3.0, "guest": 0.0}


def test_a_byte_order_mark_windows_line_ends_and_another_column_order_are_read(tmp_path: Path) -> None:
    header = "guest_time_s,wagon_time_s,operators,equipment,station,predecessors,zone,area,name,id"
    text = f"{header}\r\n55,60,2,,,,inside,trim,Fit seat,fit-seat\r\n"
    tasks, problems = read_bytes(tmp_path, b"\xef\xbb\xbf" + text.encode())
    assert problems == []
    assert tasks[0].id == "fit-seat"
    assert tasks[0].time_s == {"wagon": 60.0, "guest": 55.0}


@pytest.mark.parametrize("cell", ["-3", "nan", "inf", "-inf", "1e999", "ten", "1_0", "12 s", "0x10", "3,5"])
def test_a_time_that_is_no_number_of_seconds_is_told_with_line_and_column(tmp_path: Path, cell: str) -> None:
    _, problems = read(tmp_path, GOOD, f'a,A,,,,,,,"{cell}",1')
    assert told(problems) == {(3, "wagon_time_s", cell)}


def test_a_task_without_time_on_any_model_is_told(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "a,A,,,,,,,0,")
    assert told(problems) == {(2, "wagon_time_s, guest_time_s", "no time on any model")}


@pytest.mark.parametrize("cell", ["0", "3", "-1", "1.5", "two", "٢", "0000000015", "1" + 400 * "0"])
def test_a_crew_other_than_one_or_two_is_told(tmp_path: Path, cell: str) -> None:
    _, problems = read(tmp_path, f"a,A,,,,,,{cell},1,1")
    assert [(problem.line, problem.field) for problem in problems] == [(2, "operators")]


def test_an_unknown_zone_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "a,A,,lefft,,,,,1,1")
    assert told(problems) == {(2, "zone", "lefft")}
    assert "left" in problems[0].hint


def test_missing_unknown_and_repeated_columns_are_told_together(tmp_path: Path) -> None:
    header = "id,name,area,zone,predecesors,station,station,operators,wagon_time_s,guest_time_s"
    _, problems = read(tmp_path, GOOD, header=header)
    found = told(problems)
    assert (1, "predecessors", "no such column") in found
    assert (1, "equipment", "no such column") in found
    assert (1, "station", "the column twice") in found
    unknown = next(problem for problem in problems if problem.field == "column 5")
    assert "'predecesors'" in unknown.found
    assert unknown.hint == "did you mean predecessors?"
    assert len(problems) == 4


def test_a_model_without_a_time_column_is_told(tmp_path: Path) -> None:
    _, problems = read(tmp_path, GOOD, header=HEADER.replace("guest_time_s", "gast_time_s"))
    assert (1, "guest_time_s", "no such column") in told(problems)


def test_an_identifier_used_twice_names_both_lines(tmp_path: Path) -> None:
    _, problems = read(tmp_path, GOOD, "b,B,,,,,,,1,1", GOOD)
    assert told(problems) == {(4, "id", "fit-seat")}
    assert "line 2" in problems[0].expected


@pytest.mark.parametrize("name", ["a b", "a;b"])
def test_an_identifier_that_predecessors_could_not_name_is_told(tmp_path: Path, name: str) -> None:
    _, problems = read(tmp_path, f"{name},A,,,,,,,1,1")
    assert told(problems) == {(2, "id", name)}


def test_an_empty_identifier_and_an_empty_name_are_told(tmp_path: Path) -> None:
    _, problems = read(tmp_path, ",A,,,,,,,1,1", "b,,,,,,,,1,1")
    assert told(problems) == {(2, "id", "an empty cell"), (3, "name", "an empty cell")}


def test_an_unknown_predecessor_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    _, problems = read(tmp_path, GOOD, "b,B,,,fit-saet,,,,1,1")
    assert told(problems) == {(3, "predecessors", "fit-saet")}
    assert problems[0].hint == "did you mean fit-seat?"


def test_a_task_that_precedes_itself_is_told(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "b,B,,,b,,,,1,1")
    assert told(problems) == {(2, "predecessors", "b")}


def test_a_circle_is_told_task_by_task(tmp_path: Path) -> None:
    _, problems = read(
        tmp_path, "z,Z,,,,,,,1,1", "a,A,,,c;z,,,,1,1", "b,B,,,a,,,,1,1", "c,C,,,b,,,,1,1", "d,D,,,c,,,,1,1"
    )
    assert len(problems) == 1
    circle = problems[0].found.split(" -> ")
    assert circle[0] == circle[-1]
    assert set(circle) == {"a", "b", "c"}
    # Each stands right before the next one in the file's own terms.
    assert {(earlier, later) for earlier, later in itertools.pairwise(circle)} == {
        ("a", "b"),
        ("b", "c"),
        ("c", "a"),
    }


def test_a_long_chain_that_bites_its_tail_is_found_without_deep_recursion(tmp_path: Path) -> None:
    lines = [f"t{number},T,,,t{(number + 1) % 5000},,,,1,1" for number in range(5000)]
    _, problems = read(tmp_path, *lines)
    assert [problem.field for problem in problems] == ["predecessors"]


def test_too_few_and_too_many_cells_are_told_by_line(tmp_path: Path) -> None:
    _, problems = read(tmp_path, GOOD, "a,A", GOOD + ",1,2")
    assert told(problems) == {(3, "row", "2 cells"), (4, "row", "12 cells")}


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    _, problems = read(
        tmp_path,
        "a,A,,,,,,,-1,1",
        "b,B,,attic,,,,7,1,1",
        "a,A,,,nobody,,,,1,x",
        "c",
        "d,D,,,e,,,,1,1",
        "e,E,,,d,,,,1,1",
    )
    assert {(line, field) for line, field, _ in told(problems)} == {
        (2, "wagon_time_s"),
        (3, "zone"),
        (3, "operators"),
        (4, "id"),
        (4, "predecessors"),
        (4, "guest_time_s"),
        (5, "row"),
        (7, "predecessors"),
    }


def test_bytes_that_are_not_utf8_are_told(tmp_path: Path) -> None:
    _, problems = read_bytes(tmp_path, f"{HEADER}\na,T\xfcr,,,,,,,1,1\n".encode("latin-1"))
    assert len(problems) == 1
    assert "UTF-8" in str(problems[0])


def test_a_zero_byte_is_told_with_its_line(tmp_path: Path) -> None:
    _, problems = read_bytes(tmp_path, f"{HEADER}\n{GOOD}\nb\0,B,,,,,,,1,1\n".encode())
    assert told(problems) == {(3, "file", "a zero byte")}


def test_an_empty_file_and_a_header_alone_are_told(tmp_path: Path) -> None:
    assert told(read_bytes(tmp_path, b"")[1]) == {(None, "file", "an empty file")}
    assert told(read(tmp_path)[1]) == {(None, "file", "a header alone")}


def test_an_open_quote_is_told(tmp_path: Path) -> None:
    _, problems = read(tmp_path, GOOD, 'b,"B,,,,,,,1,1')
    assert [problem.field for problem in problems] == ["row"]
    assert problems[0].line == 3


def test_a_cell_of_a_megabyte_is_told_rather_than_read(tmp_path: Path) -> None:
    _, problems = read(tmp_path, f"b,{'x' * 2**20},,,,,,,1,1")
    assert [problem.field for problem in problems] == ["row"]


def test_a_file_too_large_is_told_without_being_read(tmp_path: Path) -> None:
    file = tmp_path / "tasks.csv"
    with file.open("wb") as stream:
        stream.truncate(LARGEST_TASKS_BYTES + 1)
    problems = ProblemList("plant.toml")
    assert read_tasks(file, ["wagon", "guest"], problems) == ()
    (problem,) = problems
    assert problem.file == "tasks.csv"
    assert "MiB" in problem.expected


def test_a_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    problems = ProblemList("plant.toml")
    assert read_tasks(tmp_path / "tasks.csv", ["wagon", "guest"], problems) == ()
    assert [problem.file for problem in problems] == ["tasks.csv"]
