"""coachbuilder sequence: the literature's files in, an order out, recounted by an independent checker."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sequence_checker
from coachbuilder.cli.root import _run
from coachbuilder.plant.sequence import day as day_module
from coachbuilder.plant.sequence.bounds import SequenceBounds
from coachbuilder.plant.sequence.day import DayAnswer, answer_day, available_cores, count_day

VEHICLES = "Date;SeqRank;Ident;Paint Color;HPRC1;LPRC1\n" + "".join(
    f"{date};{rank};{date[-1]}{rank:03};{1 + rank * rank % 3};{int(rank % 4 == 0)};{int(rank % 3 == 0)}\n"
    for date, ranks in (("2003 38 3", range(90, 96)), ("2003 38 4", range(1, 25)))
    for rank in ranks
)
FILES = {
    "vehicles.txt": VEHICLES,
    "ratios.txt": "Ratio;Prio;Ident;\n1/5;1;HPRC1;\n1/3;0;LPRC1;\n",
    "optimization_objectives.txt": "rank;objective name;\n"
    "1;high_priority_level_and_difficult_to_satisfy_ratio_constraints;\n"
    "2;paint_color_batches;\n3;low_priority_level_ratio_constraints;\n",
    "paint_batch_limit.txt": "limitation;\n6;\n",
}  # fmt: skip
CSPLIB = "% Problem made up\n10 2 3\n1 2\n2 5\n0 4 1 0\n1 2 1 1\n7 4 0 1\n"
"""Six of ten cars under 1/2 stand beside each other at least once; six under 2/5 are two too many for two windows."""

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: exit status, the one JSON object if asked for, standard error."""

    def called(*arguments: str | Path) -> tuple[int, Any, str]:
        status = _run(["sequence", *map(str, arguments)])
        printed = capsys.readouterr()
        return status, json.loads(printed.out) if "--json" in arguments else printed.out, printed.err

    return called


@pytest.fixture
def challenge(tmp_path: Path) -> Path:
    folder = tmp_path / "025_38_1_EP_RAF_ENP"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def csplib(tmp_path: Path) -> Path:
    file = tmp_path / "p01.txt"
    file.write_text(CSPLIB)
    return file


def test_a_challenge_folder_is_answered_with_its_objectives_by_name(run: Run, challenge: Path) -> None:
    status, answer, error = run(challenge, "--time", "0.3", "--seed", "2", "--threads", "1", "--json")
    assert (status, error) == (0, "")
    assert answer["format"] == "roadef2005"
    recounted = sequence_checker.recount(challenge, answer["order"])
    assert {name: answer[name] for name in recounted} == recounted
    by_name = answer["objectives"]
    assert [(item["rank"], item["weight"]) for item in by_name.values()] == [(1, 10**6), (2, 10**3), (3, 1)]
    assert by_name["paint_color_batches"]["value"] == answer["colour_changes"]
    assert by_name["low_priority_level_ratio_constraints"]["value"] == answer["low_priority_excess"]
    assert answer["objective"] == sum(item["value"] * item["weight"] for item in by_name.values())
    bounds = answer["lower_bounds"]
    assert all(answer[name] >= least for name, least in bounds.items())
    # Rules and colours together may be bounded higher than each alone.
    assert answer["lower_bound"] >= sum(item["lower_bound"] * item["weight"] for item in by_name.values())
    assert answer["batch_excess_cars"] == 0
    assert (answer["seed"], answer["threads"], answer["cars"]) == (2, 1, 24)
    assert answer["run"]["time_s"] == answer["time_s"]
    assert answer["run"]["history"][-1][1] == answer["objective"]
    assert answer["evaluations"] > 0


def test_a_csplib_file_is_answered_with_its_violations(run: Run, csplib: Path) -> None:
    status, answer, _ = run(csplib, "--time", "0.3", "--threads", "1", "--json")
    assert status == 0
    recounted = sequence_checker.recount(csplib, [str(vehicle) for vehicle in answer["order"]])
    assert {name: answer[name] for name in recounted} == recounted
    assert answer["violations"] == sum(answer["violations_by_option"].values()) > 0
    assert answer["order_classes"] == [
        {**dict.fromkeys(range(1, 5), 0), 5: 1, 6: 1}.get(car, 7) for car in answer["order"]
    ]
    assert answer["time_s"] < 30


def test_every_key_of_the_answers_is_told_in_the_manual(run: Run, challenge: Path, csplib: Path) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "sequencing-files.md").read_text(encoding="utf-8")
    for source in (challenge, csplib):
        answer = run(source, "--time", "0.1", "--json")[1]
        assert [key for key in answer if f"`{key}`" not in manual] == []


def test_the_exact_model_proves_a_small_day(run: Run, csplib: Path, challenge: Path) -> None:
    for source in (csplib, challenge):
        status, answer, _ = run(source, "--time", "0.2", "--threads", "1", "--prove", "30", "--json")
        assert (status, answer["proven"], answer["gap"], answer["remarks"]) == (0, True, 0.0, [])
        assert answer["lower_bound"] == answer["objective"]
    status, text, _ = run(csplib, "--time", "0.2", "--threads", "1", "--prove", "30")
    assert f"10 cars: {run(csplib, '--time', '0.2', '--json')[1]['violations']} windows with too many, proven" in text


def test_the_answer_is_written_and_counted_again(run: Run, challenge: Path, csplib: Path, tmp_path: Path) -> None:
    for source in (challenge, csplib):
        for name in ("answer.txt", "new/answer.csv", "answer.JSON"):
            out = tmp_path / source.stem / name
            status, answer, _ = run(source, "--time", "0.1", "--threads", "1", "--out", out, "--json")
            assert status == 0
            status, again, _ = run(source, "--check", out, "--json")
            assert status == 0
            assert again["order"] == answer["order"]
            assert again["objective"] == answer["objective"]
            assert (again["evaluations"], again["time_s"]) == (0, 0.0)
            if out.suffix == ".txt":
                recounted = sequence_checker.recount(source, sequence_checker.read_order(out))
                assert {name: again[name] for name in recounted} == recounted
                assert out.read_text().splitlines()[0] == f"1;{answer['order'][0]}"
            if out.suffix == ".csv":
                with out.open(encoding="utf-8", newline="") as file:
                    assert [row["vehicle"] for row in csv.DictReader(file)] == [str(car) for car in answer["order"]]


def test_a_given_order_is_proven_or_bettered(run: Run, csplib: Path, tmp_path: Path) -> None:
    answer = tmp_path / "answer.txt"
    answer.write_text("".join(f"{car}\n" for car in range(1, 11)))
    before = run(csplib, "--check", answer, "--json")[1]
    after = run(csplib, "--check", answer, "--prove", "30", "--threads", "1", "--json")[1]
    assert before["order"] == list(range(1, 11))
    assert not before["proven"]
    assert after["proven"]
    assert after["violations"] < before["violations"]


def test_a_person_reads_objectives_rules_and_the_order(run: Run, challenge: Path, csplib: Path) -> None:
    status, text, _ = run(challenge, "--time", "0.1", "--threads", "1")
    assert status == 0
    assert text.startswith("24 cars: weighted sum ")
    assert "2. colour changes: " in text
    assert "HPRC1 (high)" in text
    assert len(text.splitlines()[-1].split()) == 24
    text = run(csplib, "--time", "0.1", "--threads", "1")[1]
    assert text.splitlines()[0].startswith("10 cars: ")
    assert sorted(text.splitlines()[-1].split()) == ["0"] * 4 + ["1"] * 2 + ["7"] * 4


def test_one_of_several_instances_is_chosen(run: Run, csplib: Path) -> None:
    csplib.write_text(CSPLIB + "% Problem 60-01\n3 1 1\n1\n2\n0 3 1\n")
    status, answer, _ = run(csplib, "--instance", "60-01", "--time", "0.1", "--json")
    assert (status, answer["violations"], answer["proven"]) == (0, 2, True)
    status, answer, _ = run(csplib, "--json")
    assert (status, answer["problems"][0]["field"]) == (2, "--instance")


def test_a_programme_writes_its_sequence_too(run: Run, example_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "order.csv"
    status, answer, _ = run(example_folder, "--out", out, "--json")
    assert status == 0
    with out.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["vehicle"] for row in written] == [car["car"] for car in answer["sequence"]["order"]]


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        (["nowhere"], ["file"]),
        (["empty"], ["folder"]),
        (["p01.txt", "--as-of", "2021-01-01"], ["--as-of"]),
        (["p01.txt", "--instance", "60-01"], ["--instance"]),
        (["p01.txt", "--out", "answer.pdf"], ["--out"]),
        (["p01.txt", "--check", "nowhere.txt"], ["file"]),
        (["p01.txt", "--check", "p01.txt", "--time", "3", "--seed", "0"], ["--time", "--seed"]),
        (["p01.txt", "--check", "short.txt"], ["order"]),
        (["challenge", "--instance", "1"], ["--instance"]),
        (["challenge"], ["file"]),
        (
            ["programme", "--time", "3", "--seed", "0", "--threads", "1", "--prove", "3", "--instance", "x"],
            ["--time", "--seed", "--threads", "--prove", "--instance"],
        ),
        (["programme", "--out", "answer.txt"], ["--out"]),
    ],
)
def test_what_does_not_fit_is_told_and_ends_with_2(
    run: Run, tmp_path: Path, csplib: Path, arguments: list[str], fields: list[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "programme").mkdir()
    (tmp_path / "programme" / "programme.toml").touch()
    (tmp_path / "challenge").mkdir()
    for name, text in FILES.items():
        if name != "ratios.txt":
            (tmp_path / "challenge" / name).write_text(text)
    (tmp_path / "short.txt").write_text("1;1\n2;2\n")
    before = sorted(tmp_path.rglob("*"))
    paths = {"nowhere", "empty", "programme", "challenge"}
    placed = [str(tmp_path / word) if word in paths or "." in word else word for word in arguments]
    status, answer, error = run(*placed, "--json")
    assert status == 2
    assert [problem["field"] for problem in answer["problems"]] == fields
    assert "Traceback" not in error
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("moment", ["search", "proof"])
def test_ctrl_c_prints_the_best_so_far_and_ends_with_130(
    run: Run, csplib: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    whole = day_module.answer_day

    def stopped(*arguments: Any, progress: Callable[[DayAnswer], None], **limits: Any) -> DayAnswer:
        def tell(answer: DayAnswer) -> None:
            progress(answer)
            if moment == "search":
                raise KeyboardInterrupt

        return whole(*arguments, progress=tell, **limits)

    def stop_proof(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(day_module, "answer_day", stopped)
    monkeypatch.setattr(day_module, "_proven", stop_proof)
    # Without bounds nothing is proven by the search alone.
    monkeypatch.setattr(day_module, "lower_bounds", lambda inputs: SequenceBounds((0, 0), 0, 0, 0, 0))
    monkeypatch.setattr(day_module, "raised_bounds", lambda inputs, bounds, **_: bounds)
    out = tmp_path / "answer.txt"
    status, answer, error = run(csplib, "--time", "0.2", "--prove", "9", "--out", out, "--json")
    assert status == 130
    assert error == "stopped; this is the best that was found\n"
    assert sorted(answer["order"]) == list(range(1, 11))
    assert (answer["evaluations"] is None) == (moment == "search")
    assert sequence_checker.read_order(out) == [str(car) for car in answer["order"]]


def test_an_order_that_breaks_the_batch_limit_is_never_called_proven(challenge: Path) -> None:
    from coachbuilder.formats.car_sequencing import read_roadef

    day = replace(
        read_roadef(challenge), rules=(), options=((),) * 24, previous_options=((),) * 6, objectives=("colour",)
    )
    day = replace(day, objective_names=(), longest_batch=2)
    by_colour = sorted(range(24), key=lambda car: (day.colours[car] != day.previous_colours[-1], day.colours[car]))
    answer = count_day(day, by_colour)
    assert answer.counts.batch_excess_cars > 0
    assert answer.counts.objective < answer.lower_bound
    assert not answer.proven


def test_a_batch_limit_that_no_order_keeps_is_told_first(run: Run, challenge: Path) -> None:
    rows = [line.split(";") for line in VEHICLES.splitlines()]
    one_colour = [";".join([*row[:3], "4" if place else row[3], *row[4:]]) for place, row in enumerate(rows)]
    (challenge / "vehicles.txt").write_text("\n".join(one_colour))
    assert "not allowed: 18 cars beyond the longest batch of 6" in run(challenge, "--time", "0.1")[1].splitlines()[0]
    answer = run(challenge, "--time", "0.1", "--json")[1]
    assert (answer["batch_excess_cars"], answer["proven"], answer["gap"]) == (18, False, 1.0)


def test_better_answers_are_told_as_they_come_and_the_threads_are_the_cores(csplib: Path) -> None:
    from coachbuilder.formats.car_sequencing import read_csplib

    told: list[int] = []
    answer = answer_day(
        read_csplib(csplib), time_limit_s=0.2, progress=lambda better: told.append(better.counts.objective)
    )
    assert told == sorted(told, reverse=True)
    assert told[-1] == answer.counts.objective == answer.history[-1][1]
    assert answer.threads == available_cores() >= 1
