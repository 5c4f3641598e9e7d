"""Bad input: each mistake names file, field, found and expected; several are told together; nothing is half-written."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coachbuilder.programme import InputError, load

Edit = Callable[[Path], None]


@pytest.fixture
def folder(tmp_path: Path, example_folder: Path) -> Path:
    """A copy of the example that a test may break."""
    copy = tmp_path / "programme"
    shutil.copytree(example_folder, copy, ignore=shutil.ignore_patterns("out"))
    return copy


def _substitute(file: str, pattern: str, replacement: str) -> Edit:
    def edit(folder: Path) -> None:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        changed, count = re.subn(pattern, replacement, text, count=1, flags=re.MULTILINE)
        assert count == 1, f"the example has nothing like {pattern} in {file}"
        path.write_text(changed, encoding="utf-8")

    return edit


def _append(file: str, text: str) -> Edit:
    def edit(folder: Path) -> None:
        with (folder / file).open("a", encoding="utf-8") as stream:
            stream.write(text)

    return edit


def _remove(file: str) -> Edit:
    return lambda folder: (folder / file).unlink()


def _bytes(file: str, data: bytes) -> Edit:
    return lambda folder: (folder / file).write_bytes((folder / file).read_bytes() + data) and None


def _tasks(folder: Path) -> list[list[str]]:
    with (folder / "tasks.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _write_tasks(folder: Path, rows: list[list[str]]) -> None:
    with (folder / "tasks.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _set_task_cell(row: int, column: str, value: str) -> Edit:
    def edit(folder: Path) -> None:
        rows = _tasks(folder)
        rows[row][rows[0].index(column)] = value
        _write_tasks(folder, rows)

    return edit


def _cycle(folder: Path) -> None:
    rows = _tasks(folder)
    column = rows[0].index("predecessors")
    later = next(cells for cells in rows[1:] if cells[column])
    earlier = next(cells for cells in rows[1:] if cells[0] == later[column].split(";")[0])
    earlier[column] = later[0]
    _write_tasks(folder, rows)


SINGLE_MISTAKES: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "an unknown key": (
        _substitute("programme.toml", r"^\[vehicle\]$", "[vehicle]\ncolour_of_badge = 3"),
        ("programme.toml", "vehicle.colour_of_badge", "unknown key"),
    ),
    "a misspelt key is told with the key that was meant": (
        _substitute("programme.toml", r"^horizon_years", "horizon_yaers"),
        ("programme.toml", "horizon_yaers", "did you mean horizon_years"),
    ),
    "a missing file": (_remove("plant.toml"), ("plant.toml", "nothing", "the file")),
    "missing tasks": (_remove("tasks.csv"), ("tasks.csv", "nothing", "the file")),
    "a circle in the precedence graph": (_cycle, ("tasks.csv", "predecessors")),
    "a negative time": (_set_task_cell(5, "h6_time_s", "-3"), ("tasks.csv:6", "h6_time_s", "-3")),
    "text where a time belongs": (_set_task_cell(7, "guest_time_s", "quick"), ("tasks.csv:8", "guest_time_s", "quick")),
    "a time that is not a number": (_set_task_cell(9, "h6_time_s", "nan"), ("tasks.csv:10", "h6_time_s", "nan")),
    "an unknown predecessor": (_set_task_cell(9, "predecessors", "NOBODY-1"), ("tasks.csv:10", "NOBODY-1")),
    "an unknown evidence name": (
        _substitute("programme.toml", r"^rests_on = .*$", 'rests_on = "press-partnerhsip"'),
        ("programme.toml", "rests_on", "press-partnerhsip", "did you mean press-partnership"),
    ),
    "text where a number belongs": (
        _substitute("plant.toml", r"^working_days_per_year = .*$", 'working_days_per_year = "many"'),
        ("plant.toml", "shifts.working_days_per_year", "many", "a number"),
    ),
    "a NaN": (
        _substitute("plant.toml", r"^working_days_per_year = .*$", "working_days_per_year = nan"),
        ("plant.toml", "shifts.working_days_per_year", "nan", "finite"),
    ),
    "broken TOML": (_append("programme.toml", "\n[broken\n"), ("programme.toml", "syntax", "TOML")),
    "a file that is not UTF-8": (_bytes("plant.toml", b"\n# \xff\xfe\n"), ("plant.toml", "0xff", "UTF-8")),
    "tasks that are not UTF-8": (_bytes("tasks.csv", b"\xff\xfe"), ("tasks.csv", "UTF-8")),
    "a huge file": (_bytes("programme.toml", b"# filler\n" * 600_000), ("programme.toml", "MiB", "at most")),
    "a task that no station may take within takt": (
        _set_task_cell(5, "h6_time_s", "900"),
        ("tasks.csv:6", "900"),
    ),
}


@pytest.mark.parametrize("name", SINGLE_MISTAKES)
def test_a_single_mistake_is_told_by_file_and_field(name: str, folder: Path) -> None:
    edit, expected = SINGLE_MISTAKES[name]
    edit(folder)
    status, out, err = _run("check", str(folder))
    assert status == 2, err
    assert "Traceback" not in err + out
    for text in expected:
        assert text in err, f"{text!r} is not in:\n{err}"


def test_several_mistakes_in_several_files_are_told_together(folder: Path) -> None:
    for name in ("an unknown key", "a negative time", "text where a number belongs", "an unknown predecessor"):
        SINGLE_MISTAKES[name][0](folder)
    with pytest.raises(InputError) as caught:
        load(folder)
    told = str(caught.value)
    for text in ("vehicle.colour_of_badge", "tasks.csv:6", "shifts.working_days_per_year"):
        assert text in told, told


def test_bad_input_writes_nothing_and_leaves_an_old_plan_alone(folder: Path) -> None:
    out = folder / "out"
    out.mkdir()
    (out / "plan.json").write_text("old")
    SINGLE_MISTAKES["a negative time"][0](folder)
    status, _, err = _run("plan", str(folder))
    assert status == 2, err
    assert [path.name for path in out.iterdir()] == ["plan.json"]
    assert (out / "plan.json").read_text() == "old"


def test_problems_are_one_json_object_when_json_is_asked_for(folder: Path) -> None:
    SINGLE_MISTAKES["a negative time"][0](folder)
    status, out, _ = _run("check", str(folder), "--json")
    (problem,) = json.loads(out)["problems"]
    assert status == 2
    assert (problem["file"], problem["line"], problem["field"]) == ("tasks.csv", 6, "h6_time_s")


@pytest.mark.parametrize(
    "arguments", [("plan",), ("plan", "nowhere"), ("check", "nowhere"), ("dance",), ("fit", "--x")]
)
def test_bad_arguments_end_with_status_2_and_no_traceback(arguments: tuple[str, ...]) -> None:
    status, out, err = _run(*arguments)
    assert status == 2
    assert "Traceback" not in out + err


def test_a_date_that_is_none_is_told(folder: Path) -> None:
    status, _, err = _run("check", str(folder), "--as-of", "29 March")
    assert status == 2
    assert "--as-of" in err


def _run(*arguments: str) -> tuple[int, str, str]:
    result = subprocess.run(
        [sys.executable, "-m", "coachbuilder.cli", *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    return result.returncode, result.stdout, result.stderr


def test_a_mistake_in_an_item_of_a_list_is_told_by_its_own_line(folder: Path) -> None:
    lines = (folder / "plant.toml").read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines, start=1) if line == 'id = "red"')
    lines[place + 1] = 'share = { value = 0.07, evidence = "nobody-knows" }'
    (folder / "plant.toml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(folder)
    (problem,) = caught.value.problems
    assert (problem.field, problem.line) == ("sequence.colour.red.share", place + 2)


def test_numbers_that_nobody_knew_yet_are_told_by_evidence_rather_than_one_by_one(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(folder, as_of=dt.date(2021, 3, 1))
    told = [problem.found for problem in caught.value.problems]
    assert len(told) < 60
    assert sum("flow-failures" in text for text in told) == 1
