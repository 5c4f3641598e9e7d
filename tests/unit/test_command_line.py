"""The command line: one JSON object where asked for, exit statuses, a template that runs, pages that are current."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coachbuilder.plan import problems_of
from coachbuilder.programme import InputError, load
from coachbuilder.programme.schema import PlantDocument, ProgrammeDocument, json_schema
from coachbuilder.programme.template import write_template

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str | Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coachbuilder.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programmes") / "my-car"
    write_template(folder)
    return folder


def test_the_template_is_a_programme_without_mistakes_that_names_its_folder(template: Path) -> None:
    programme = load(template)
    assert problems_of(programme) == []
    assert programme.document.programme.id == "my-car"
    assert all(item.evidence in programme.evidence for item in programme.assumptions.values())


def test_a_template_is_never_written_over_a_programme(template: Path) -> None:
    with pytest.raises(InputError, match="there already"):
        write_template(template)
    done = run("new", template, "--json")
    assert done.returncode == 2
    assert len(json.loads(done.stdout)["problems"]) == 3


@pytest.mark.parametrize("stage", ["vehicle", "fit", "sequence", "flow", "market", "deal"])
def test_a_stage_alone_prints_one_json_object_and_nothing_else(template: Path, stage: str) -> None:
    done = run(stage, template, "--json")
    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)) == [stage]


def test_a_plan_writes_its_three_files_and_prints_what_it_wrote(template: Path, tmp_path: Path) -> None:
    done = run("plan", template, "--out", tmp_path / "out", "--draws", "40", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed == json.loads((tmp_path / "out" / "plan.json").read_text(encoding="utf-8"))
    deal = printed["deal"]
    assert deal["joint"]["npv_cny"] == pytest.approx(deal["brand"]["npv_cny"] + deal["host"]["npv_cny"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["plan.json", "plan.xlsx", "report.html"]
    again = run("plan", template, "--out", tmp_path / "again", "--draws", "40", "--json", "--workers", "1")
    repeated = json.loads(again.stdout)
    del printed["run"], repeated["run"]
    assert repeated == printed


def test_ctrl_c_ends_with_130_and_leaves_no_file_half_written(template: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "coachbuilder.cli",
        "plan",
        str(template),
        "--out",
        str(tmp_path),
        "--draws",
        "50000",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0) as child:
        patience = time.monotonic() + 200
        while not list(tmp_path.rglob("*.npy")) and time.monotonic() < patience:
            time.sleep(0.05)
        os.killpg(child.pid, signal.SIGINT)
        _, error = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Traceback" not in error
    assert not list(tmp_path.glob("plan.*"))
    assert list(tmp_path.rglob("*.npy"))


def test_a_wrong_command_line_ends_with_2_and_says_why() -> None:
    for arguments in (
        ["plan"],
        ["plan", "x", "--draws", "1"],
        ["plan", "x", "--as-of", "soon"],
        ["fly"],
        ["check", "nowhere"],
    ):
        done = run(*arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
        assert done.stderr.strip()


def test_schemas_for_editors_are_written_and_name_units(tmp_path: Path) -> None:
    done = run("schema", "--out", tmp_path, "--json")
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["files"]) == 3
    written = json.loads((tmp_path / "plant.schema.json").read_text(encoding="utf-8"))
    assert written == json_schema(PlantDocument)
    shift = written["$defs"]["ShiftSection"]["properties"]["shift_length_h"]
    assert shift["unit"] == "h"
    assert "Assumption" in json_schema(ProgrammeDocument)["$defs"]


def test_reference_pages_are_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_help_does_not_wait_for_the_kernels() -> None:
    code = "import sys, coachbuilder.cli, coachbuilder; sys.exit('numba' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
