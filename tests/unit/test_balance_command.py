"""coachbuilder balance: the literature's files in, a table or one JSON object out, every mistake told by its name."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coachbuilder.cli.root import _run
from coachbuilder.formats.assembly_line import AssemblyLine, read_line, write_alb, write_in2
from coachbuilder.plant.balance import simple_line
from coachbuilder.plant.balance.simple_line import MOST_TASKS, SimpleLineAnswer, answer_line
from coachbuilder.programme.errors import InputError

LINE = AssemblyLine((4, 3, 3, 2), ((), (0,), (0,), (1, 2)), 6)
"""Three stations at takt 6: 4 | 3 3 | 2; the smallest takt is 7 for two stations and 5 for three."""

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: exit status, the one JSON object if asked for, standard error."""

    def called(*arguments: str | Path) -> tuple[int, Any, str]:
        status = _run(["balance", *map(str, arguments)])
        printed = capsys.readouterr()
        return status, json.loads(printed.out) if "--json" in arguments else printed.out, printed.err

    return called


@pytest.fixture
def alb(tmp_path: Path) -> Path:
    file = tmp_path / "line.alb"
    file.write_text(write_alb(LINE))
    return file


@pytest.fixture
def in2(tmp_path: Path) -> Path:
    file = tmp_path / "line.IN2"
    file.write_text(write_in2(LINE))
    return file


def test_the_takt_of_an_alb_file_is_the_default_and_the_answer_is_one_json_object(run: Run, alb: Path) -> None:
    status, answer, error = run(alb, "--json")
    assert (status, error) == (0, "")
    assert list(answer) == [
        "stations",
        "takt",
        "lower_bound",
        "proven",
        "gap",
        "memory_reached",
        "time_s",
        "assignment",
    ]
    assert answer.pop("time_s") >= 0
    assert answer == {
        "stations": 3,
        "takt": 6,
        "lower_bound": 3,
        "proven": True,
        "gap": 0.0,
        "memory_reached": False,
        "assignment": {"1": 1, "2": 2, "3": 2, "4": 3},
    }


@pytest.mark.parametrize(("stations", "takt"), [(1, 12), (2, 7), (3, 5), (4, 4)])
def test_the_smallest_takt_for_the_stations_is_found_and_bounded(run: Run, in2: Path, stations: int, takt: int) -> None:
    status, answer, _ = run(in2, "--stations", str(stations), "--json")
    assert status == 0
    assert (answer["stations"], answer["takt"], answer["lower_bound"]) == (stations, takt, takt)
    assert answer["proven"] is True
    loads: dict[int, int] = {}
    for task, station in answer["assignment"].items():
        loads[station] = loads.get(station, 0) + LINE.times[int(task) - 1]
    assert max(loads.values()) == takt
    assert set(loads) <= set(range(1, stations + 1))


def test_a_person_reads_a_table_of_stations_with_load_idle_time_and_tasks(run: Run, in2: Path) -> None:
    status, text, _ = run(in2, "--takt", "7")
    lines = text.splitlines()
    assert status == 0
    assert lines[0].startswith("2 stations at takt 7, proven to be the least (")
    assert [line.split() for line in lines[2:]] == [
        ["station", "load", "idle", "tasks"],
        ["1", "7", "0", *lines[3].split()[3:]],
        ["2", "5", "2", *lines[4].split()[3:]],
    ]
    assert sorted(lines[3].split()[3:] + lines[4].split()[3:]) == ["1", "2", "3", "4"]


def test_what_is_not_proven_names_the_bound_and_the_gap() -> None:
    from coachbuilder.report import simple_line_text

    open_answer = SimpleLineAnswer(
        stations=4, takt=10, lower_bound=3, proven=False, gap=1 / 3, time_s=2.0, assignment={"1": 1},
        memory_reached=True, takt_given=True, loads=(9, 8, 7, 6), tasks=((1,), (2,), (3,), (4,)),
    )  # fmt: skip
    assert simple_line_text(open_answer).splitlines()[:2] == [
        "4 stations at takt 10, not proven: 3 stations cannot be ruled out, gap 33.33 % (2.0 s)",
        "The search filled the memory that it was given and had to forget; --memory gives it more.",
    ]


def test_a_takt_of_any_size_is_understood(run: Run, in2: Path) -> None:
    status, answer, _ = run(in2, "--takt", "1" + "0" * 30, "--json")
    assert (status, answer["stations"], answer["takt"]) == (0, 1, 10**30)


@pytest.mark.parametrize("name", ["new/answer.json", "answer.JSON"])
def test_the_answer_is_written_where_told(run: Run, alb: Path, tmp_path: Path, name: str) -> None:
    status, answer, _ = run(alb, "--json", "--out", tmp_path / name)
    assert status == 0
    assert json.loads((tmp_path / name).read_text(encoding="utf-8")) == answer


def test_one_format_becomes_the_other_with_the_takt_of_the_answer(run: Run, in2: Path, tmp_path: Path) -> None:
    assert run(in2, "--stations", "2", "--out", tmp_path / "other.alb")[0] == 0
    written = read_line(tmp_path / "other.alb")
    assert (written.times, written.predecessors, written.cycle_time) == (LINE.times, LINE.predecessors, 7)
    assert run(tmp_path / "other.alb", "--out", tmp_path / "back.in2")[0] == 0
    assert (tmp_path / "back.in2").read_text() == in2.read_text()


@pytest.mark.parametrize(
    ("arguments", "field", "found", "expected"),
    [
        (["line.alb", "--takt", "3"], "--takt", "3", "4 or more, as task 1 lasts that long"),
        (["line.alb", "--stations", "5"], "--stations", "5 stations", "at most as many as tasks, 4"),
        (["line.alb", "--stations", "2", "--takt", "9"], "--stations", "both --takt and --stations", "one of them"),
        (["line.IN2"], "cycle time", "no takt", "--takt, or --stations"),
        (["open.alb"], "cycle time", "no takt", "--takt, or --stations"),
        (["short.alb"], "cycle time", "3", "4 or more, as task 1 lasts that long"),
        (["nowhere.alb"], "file", "nothing", "the file nowhere.alb"),
        (["."], "file", "a folder", "the file "),
        (["line.csv", "--takt", "6"], "file", "a name that ends in .csv", "an .alb or .IN2 file"),
        (["line", "--takt", "6"], "file", "a name that ends in nothing", "an .alb or .IN2 file"),
        (["empty.alb"], "<number of tasks>", "no such section", "the section"),
        (["empty.IN2", "--takt", "6"], "file", "an empty file", "the number of tasks"),
        (["text.IN2", "--takt", "6"], "number of tasks", "hello", "one whole number"),
        (["picture.alb", "--takt", "6"], "encoding", "byte 0xff", "UTF-8"),
        (["line.alb", "--out", "answer.pdf"], "--out", ".pdf", ".json, .alb, .in2"),
        (["line.alb", "--out", "folder.json"], "--out", "a folder", "a file"),
        (["line.alb", "--out", "line.alb/answer.json"], "--out", "", "a folder that can be written"),
    ],
)
def test_bad_input_is_told_with_its_place_and_ends_with_2(
    run: Run, tmp_path: Path, alb: Path, in2: Path, arguments: list[str], field: str, found: str, expected: str
) -> None:
    (tmp_path / "line.csv").write_text(alb.read_text())
    (tmp_path / "line").write_text(alb.read_text())
    (tmp_path / "empty.alb").write_text("")
    (tmp_path / "empty.IN2").write_text("")
    (tmp_path / "text.IN2").write_text("hello\nworld\n")
    (tmp_path / "picture.alb").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "open.alb").write_text(write_alb(AssemblyLine(LINE.times, LINE.predecessors)))
    (tmp_path / "short.alb").write_text(write_alb(AssemblyLine(LINE.times, LINE.predecessors, 3)))
    (tmp_path / "folder.json").mkdir()
    before = sorted(tmp_path.rglob("*"))
    placed = [str(tmp_path / word) if word[0] != "-" and not word.isdigit() else word for word in arguments]
    status, answer, error = run(*placed, "--json")
    assert status == 2
    problem = next(item for item in answer["problems"] if item["field"] == field)
    assert found in problem["found"]
    assert expected in problem["expected"]
    assert field in error
    assert "Traceback" not in error
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "option",
    [
        ["--takt", "soon"],
        ["--takt", "0"],
        ["--takt", "6.5"],
        ["--takt", "nan"],
        ["--stations", "-1"],
        ["--stations", "0"],
        ["--time", "0"],
        ["--time", "nan"],
        ["--time", "inf"],
        ["--time", "-5"],
        ["--memory", "0"],
        ["--memory", "much"],
        ["--speed", "1"],
    ],
)
def test_nonsense_options_end_with_2_and_name_the_option(run: Run, alb: Path, option: list[str]) -> None:
    status, answer, error = run(alb, *option, "--json")
    assert status == 2
    assert option[0] in answer["problems"][0]["found"]
    assert option[0] in error


def test_a_line_too_large_for_the_engine_is_refused_before_the_search() -> None:
    many = MOST_TASKS + 1
    with pytest.raises(InputError, match=f"found {many} tasks"):
        answer_line(AssemblyLine((1,) * many, ((),) * many), "many.alb", takt=5)


def test_better_answers_are_told_as_they_come_and_the_last_one_is_the_result() -> None:
    told: list[int] = []
    answer = answer_line(LINE, "line.alb", stations=2, progress=lambda better: told.append(better.takt))
    assert told
    assert told == sorted(told, reverse=True)
    assert told[-1] == answer.takt == 7
    assert answer.loads in ((7, 5), (5, 7))


@pytest.mark.parametrize("options", [["--takt", "10"], ["--stations", "5"]])
def test_ctrl_c_prints_the_best_so_far_and_ends_with_130(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    draw = random.Random(4)
    times = tuple(draw.randint(1, 10) for _ in range(40))
    (tmp_path / "wide.alb").write_text(write_alb(AssemblyLine(times, ((),) * 40)))
    whole = simple_line.answer_line

    def stopped(*arguments: Any, progress: Callable[[SimpleLineAnswer], None], **limits: Any) -> SimpleLineAnswer:
        def tell(answer: SimpleLineAnswer) -> None:
            progress(answer)
            raise KeyboardInterrupt

        return whole(*arguments, progress=tell, **limits)

    monkeypatch.setattr(simple_line, "answer_line", stopped)
    status, answer, error = run(tmp_path / "wide.alb", *options, "--json")
    assert status == 130
    assert error == "stopped; this is the best that was found\n"
    assert sorted(map(int, answer["assignment"])) == list(range(1, 41))
    assert answer["lower_bound"] <= answer["stations" if options[0] == "--takt" else "takt"]


def test_ctrl_c_before_any_answer_ends_with_130_too(run: Run, alb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(simple_line, "answer_line", stopped)
    status, answer, error = run(alb, "--json")
    assert (status, error) == (130, "stopped\n")
    assert answer == {"problems": [{"field": "command", "found": "stopped"}]}
