"""What a newcomer gets wrong first is told in words: a folder for a file, a file for a folder, nothing at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from coachbuilder.cli.root import _require_folder, new
from coachbuilder.market.demand.choice_file import ChoiceColumns, read_choices
from coachbuilder.programme import InputError, Problem, load
from coachbuilder.programme.template import write_template

COLUMNS = ChoiceColumns(chosen="chosen", question="question", attributes=("a",))


def told(act: Callable[[], object]) -> list[Problem]:
    with pytest.raises(InputError) as refused:
        act()
    return list(refused.value.problems)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.csv"
    path.write_text("", encoding="utf-8")
    return path


def test_a_file_where_a_folder_is_to_be_written_is_called_a_file(file: Path) -> None:
    for act in (lambda: _require_folder(file, ()), lambda: write_template(file)):
        (problem,) = told(act)
        assert problem.found == "a file"
        assert "folder" in problem.expected
    assert file.read_text(encoding="utf-8") == ""


def test_a_programme_without_a_name_is_written_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (problem,) = told(lambda: new(" "))
    assert (problem.field, problem.found) == ("NAME", "nothing")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_place_of_the_tasks_is_called_a_folder(tmp_path: Path) -> None:
    write_template(tmp_path / "car")
    (tmp_path / "car" / "tasks.csv").unlink()
    (tmp_path / "car" / "tasks.csv").mkdir()
    assert [problem.found for problem in told(lambda: load(tmp_path / "car"))] == ["a folder"]
    shutil.rmtree(tmp_path / "car" / "tasks.csv")
    assert [problem.found for problem in told(lambda: load(tmp_path / "car"))] == ["nothing"]


def test_an_unknown_contract_is_blamed_on_where_it_was_named(tmp_path: Path) -> None:
    write_template(tmp_path / "car")
    (problem,) = told(lambda: load(tmp_path / "car", preset="nio-jack-2018"))
    assert (problem.file, problem.field) == ("command line", "--preset")
    assert "nio-jac-2018" in problem.hint


def test_choices_that_are_missing_a_folder_or_empty_say_which(tmp_path: Path, file: Path) -> None:
    found = [told(lambda path=path: read_choices(path, COLUMNS)) for path in (tmp_path / "no.csv", tmp_path, file)]
    assert [[problem.found for problem in problems] for problems in found] == [
        ["nothing"], ["a folder"], ["an empty first line"]
    ]  # fmt: skip
    assert "chosen" in found[2][0].expected
