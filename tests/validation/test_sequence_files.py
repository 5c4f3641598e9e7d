"""The command on public instances, its written answers recounted by a checker that shares no code with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sequence_checker
from coachbuilder.cli.root import _run
from coachbuilder.formats.car_sequencing import read_csplib, read_roadef
from coachbuilder.plant.sequence import inputs_of
from coachbuilder.plant.sequence.bounds import lower_bounds


def answered(
    source: Path, out: Path, seconds: float, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the printed answer, and the written one recounted."""
    status = _run(["sequence", str(source), "--time", str(seconds), "--seed", "1", "--out", str(out), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert status == 0
    recounted: dict[str, int] = sequence_checker.recount(source, sequence_checker.read_order(out))
    return answer, recounted


def test_every_challenge_day_is_counted_as_the_checker_counts_it(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = sorted((shared_data / "carseq" / "roadef2005" / "set_A").iterdir())
    assert len(folders) == 16
    for folder in folders:
        answer, recounted = answered(folder, tmp_path / f"{folder.name}.txt", 0.2, capsys)
        assert {name: answer[name] for name in recounted} == recounted, folder.name
        assert answer["lower_bound"] <= answer["objective"], folder.name
        assert answer["remarks"] == [], folder.name


def test_published_folders_hold_of_the_day_before_what_the_longest_window_can_see(shared_data: Path) -> None:
    """This tells the days before from days that are to be ordered together where a folder has more than two dates."""
    for folder in sorted((shared_data / "carseq" / "roadef2005" / "set_A").iterdir()):
        day = read_roadef(folder)
        assert len(day.previous_colours) == max(rule.out_of for rule in day.rules) - 1, folder.name


def test_csplib_files_are_counted_as_the_checker_counts_them(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for source in sorted((shared_data / "carseq" / "csplib").glob("p*.txt"))[::8]:
        answer, recounted = answered(source, tmp_path / source.name, 0.2, capsys)
        assert {name: answer[name] for name in recounted} == recounted, source.name


def test_a_published_answer_of_the_challenge_is_reached(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data / "carseq" / "roadef2005" / "set_A" / "064_38_2_EP_RAF_ENP_ch2"
    answer, recounted = answered(folder, tmp_path / "answer.txt", 2.0, capsys)
    # A published answer has 0 cars too many at high priority, 132 colour changes and 99 at low priority.
    assert recounted["objective"] <= 132_099
    assert answer["high_priority_excess"] == 0


def test_no_bound_lies_above_a_value_that_is_known_to_be_reached(shared_data: Path) -> None:
    # Every CSPLib instance but five is known to have an order without a violation.
    for source in sorted((shared_data / "carseq" / "csplib").glob("p*.txt")):
        assert lower_bounds(inputs_of(read_csplib(source), evaluations=0, seed=0)).objective == 0, source.name
    folder = shared_data / "carseq" / "roadef2005" / "set_A"
    day = inputs_of(read_roadef(folder / "064_38_2_EP_RAF_ENP_ch2"), evaluations=0, seed=0)
    assert lower_bounds(day).objective <= 132_099
