"""Lines with exact throughput: the table is read with all its mistakes, and a wrong figure in it is found."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from coachbuilder.formats.exact_lines import ExactLine, read_exact_lines
from coachbuilder.plant.flow.validation import validate
from coachbuilder.programme.errors import InputError
from coachbuilder.report import stage_summary

HEADER = "rates_per_time,buffers,throughput_exact\n"
TWO = ExactLine(2, (1.0, 1.0), (0,), 2.0 / 3.0)
THREE = ExactLine(3, (1.0, 1.0, 1.0), (0, 0), 22.0 / 39.0)
"""Hillier and Boling (1967): 0.5641."""


def write(folder: Path, text: str) -> Path:
    path = folder / "lines.csv"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(folder: Path, text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(InputError) as caught:
        read_exact_lines(write(folder, text))
    assert {problem.file for problem in caught.value.problems} == {"lines.csv"}
    assert all(problem.expected for problem in caught.value.problems)
    return [(problem.line, problem.field, problem.found) for problem in caught.value.problems]


def test_lines_are_read_whatever_the_order_of_columns(tmp_path: Path) -> None:
    text = "throughput_exact,rates_per_time,buffers\n0.5641,1.0  1 .9e0,0 2\n\n2.5e-1,0.25,\n"
    assert read_exact_lines(write(tmp_path, text)) == (
        ExactLine(2, (1.0, 1.0, 0.9), (0, 2), 0.5641),
        ExactLine(4, (0.25,), (), 0.25),
    )


def test_every_mistake_is_told_with_its_line_and_column(tmp_path: Path) -> None:
    rows = ["1.0 -1.0,0,0.5", "1.0 1.0,,0.5", "1.0 1.0,0 1,0.5", "1.0 1.0,x,0.5", ",,0.5", "1.0,,nan", "2.0,,", "1,2"]
    rows += ["1e999 1,0,0.5", "1 1,1.5,0.5", "1 1,-1,0.5"]
    assert problems_of(tmp_path, HEADER + "\n".join(rows)) == [
        (2, "rates_per_time", "1.0 -1.0"),
        (3, "buffers", "nothing"),
        (4, "buffers", "2 numbers"),
        (5, "buffers", "x"),
        (6, "rates_per_time", "nothing"),
        (7, "throughput_exact", "nan"),
        (8, "throughput_exact", "nothing"),
        (9, "row", "2 cells"),
        (10, "rates_per_time", "1e999 1"),
        (11, "buffers", "1.5"),
        (12, "buffers", "-1"),
    ]


def test_a_table_without_lines_or_columns_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, HEADER) == [(None, "rows", "none")]
    assert problems_of(tmp_path, "rates,buffers,throughput_exact\n1,,1\n")[0][1] == "header"
    assert problems_of(tmp_path, "")[0][1] == "file"
    with pytest.raises(InputError, match=r"nothing\.csv"):
        read_exact_lines(tmp_path / "nothing.csv")


def test_right_figures_pass_and_a_wrong_one_is_found() -> None:
    good = validate([TWO, THREE, ExactLine(4, (0.5,), (), 0.5)], seed=11, half_width=0.005)
    assert good.cases == 3
    assert good.max_abs_z < 4.0
    assert good.chi2_p > 0.01
    assert good.largest_half_width_share < 0.005
    assert good.chi2 == pytest.approx(sum(row.z**2 for row in good.rows))
    bad = validate([TWO, replace(THREE, throughput_per_time=0.5641 * 1.02)], seed=11, half_width=0.005)
    assert bad.max_abs_z > 4.0
    assert bad.chi2_p < 0.01
    text = stage_summary("flow validation", bad)
    assert "z-score" in text
    assert f"{bad.rows[1].z:+.2f}" in text


def test_the_answer_depends_on_the_seed_and_not_on_threads() -> None:
    one, two = (validate([TWO, THREE], seed=12, half_width=0.02, threads=threads) for threads in (1, 2))
    assert one == two
    other = validate([TWO, THREE], seed=13, half_width=0.02)
    assert other.rows[0].throughput != one.rows[0].throughput


def test_lines_of_one_table_do_not_share_their_luck() -> None:
    """Otherwise their z-scores would not be independent, and the chi-square test would not hold."""
    found = validate([TWO, TWO], seed=1, half_width=0.02)
    assert found.rows[0].throughput != found.rows[1].throughput


def test_z_scores_are_normal_where_the_simulation_is_a_poisson_process() -> None:
    """Single machines, whose throughput is their rate: z-scores have mean 0 and deviation 1."""
    found = validate([ExactLine(row, (1.0,), (), 1.0) for row in range(50)], seed=11, half_width=0.02)
    assert_allclose(sum(row.z for row in found.rows) / 50, 0.0, atol=0.5)
    assert 0.01 < found.chi2_p < 0.99


def test_the_command_answers_in_json_and_refuses_bad_tables_without_a_traceback(tmp_path: Path) -> None:
    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "coachbuilder.cli", "validate", "flow", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)

    good = write(tmp_path, HEADER + "1.0 1.0,1,0.75\n0.5,,0.5\n")
    done = run(good, "--json", "--seed", "11", "--half-width", "0.01")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["cases"] == 2
    assert answer["max_abs_z"] == max(abs(row["z"]) for row in answer["rows"])
    assert 0.0 <= answer["chi2_p"] <= 1.0
    bad = write(tmp_path, HEADER + "1.0 1.0,1\n1.0 zero,1,0.5\n")
    done = run(bad, "--json")
    assert done.returncode == 2
    assert [item["line"] for item in json.loads(done.stdout)["problems"]] == [2, 3]
    assert "Traceback" not in done.stderr
