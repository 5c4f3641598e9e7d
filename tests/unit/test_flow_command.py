"""coachbuilder flow on a plant file: what is asked of the simulation, what is printed, and how it ends."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import random
import re
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from coachbuilder.cli.root import _run
from coachbuilder.plant.flow.answer import (
    Bottleneck,
    BufferAnswer,
    Estimate,
    MachineAnswer,
    ModelAnswer,
    OeeAnswer,
    PlaceAnswer,
    PlantAnswer,
    ShopAnswer,
)
from coachbuilder.plant.flow.from_file import plant_from
from coachbuilder.plant.flow.tracing import EVENTS, Trace
from coachbuilder.programme import InputError
from coachbuilder.programme.plant_file import plant_file_from
from coachbuilder.report import plant_answer_document, plant_answer_view, write_trace

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "plant-files.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples" / "plants").glob("*.toml"))
SNIPPETS = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
PLANT = '[plant]\nname = "Small [plant]"\n[run]\ndays = 3\nseed = 5\n[[station]]\nid = "weld"\ncycle_time_s = 60\n'

Run = Callable[..., tuple[int, Any, str]]


def machine(name: str, **shares: float) -> MachineAnswer:
    spent = dict.fromkeys(("utilisation", "down", "blocked", "starved", "set_up", "planned", "off", "stopped"), 0.0)
    return MachineAnswer(
        id=f"{name}.1",
        station=name,
        shop="body",
        jph=Estimate(50.0, 0.5, 0.2),
        **{**spent, **shares},
        active_period_s=1234.0,
        active_share=shares.get("utilisation", 0.0),
    )


ANSWER = PlantAnswer(
    throughput_per_hour=Estimate(43.77, 0.05, 0.02),
    models=(
        ModelAnswer("suv", Estimate(30.0, 0.4, 0.2), 7200.0, 1, 1000, 950, 4, 7, 40, 0.9),
        ModelAnswer("sedan", Estimate(13.77, None, None), None, 0, 500, 470, 0, 0, 30, None),
    ),
    shops=(ShopAnswer("body", "Body shop", Estimate(43.8, 0.1, 0.05), (30.0, 13.8), 0.7, 0.1, 0.1, 0.1),),
    machines=(
        machine("weld", utilisation=0.7, down=0.1, blocked=0.15, starved=0.05),
        machine("paint", utilisation=0.6, set_up=0.3, off=0.1),
    ),
    buffers=(BufferAnswer("weld>paint", "paint", 10, 7.71, 0.04),),
    places=(PlaceAnswer("trim.1", 3.25, 2.0, 0.5), PlaceAnswer("trim.2", 0.0, 0.0, 0.0)),
    oee=(OeeAnswer("weld", 0.63, 0.9, 0.7, 1.0), OeeAnswer("paint", 0.5, 0.9, 0.6, 0.95)),
    bottleneck=Bottleneck("weld.1", "weld", 0.12, "weld", "paint", ()),
    work_in_progress_cars=Estimate(53.4, 3.2, 1.1),
    lead_time_s=Estimate(4428.0, 252.0, 90.0),
    scrapped_share=0.002,
    hourly_output=np.array([40.0, 44.0]),
    bin_s=3600.0,
    warm_up_s=7200.0,
    warm_up_rule="MSER-5",
    counted_s=2.5e6,
    replications=50,
    standstill="3 of 50 runs stand still for good, the first after 1.5 h: test, repair wait for each other's places",
    engine="event calendar",
    events=123456,
    conventions=("blocking after service", "the clock counts working time only"),
    remarks=("stopped after 50 replications",),
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the simulation was asked for, in place of simulating."""
    calls: list[dict[str, Any]] = []

    def simulate(plant: Any, **arguments: Any) -> PlantAnswer:
        progress = arguments.pop("progress")
        progress(1, 2)
        calls.append({"plant": plant, **arguments})
        return ANSWER

    module = types.ModuleType("coachbuilder.plant.flow.simulate")
    module.simulate = simulate  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return calls


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: exit status, the one JSON object if asked for, standard error."""

    def called(*arguments: str | Path) -> tuple[int, Any, str]:
        status = _run(["flow", *map(str, arguments)])
        printed = capsys.readouterr()
        return status, json.loads(printed.out) if "--json" in arguments else printed.out, printed.err

    return called


@pytest.fixture
def plant_file(tmp_path: Path) -> Path:
    file = tmp_path / "plant.toml"
    file.write_text(PLANT, encoding="utf-8")
    return file


def test_the_file_says_how_long_is_simulated_and_options_override_it(
    run: Run, plant_file: Path, asked: list[dict[str, Any]]
) -> None:
    assert run(plant_file)[0] == 0
    assert run(
        plant_file, "--days", "7", "--replications", "4", "--warm-up-hours", "0", "--precision", "0.01", "--seed", "9",
        "--threads", "1",
    )[0] == 0  # fmt: skip
    by_file, by_option = ({key: value for key, value in call.items() if key != "plant"} for call in asked)
    assert by_file == {
        "days": 3.0, "replications": 20, "warm_up_h": None, "seed": 5, "threads": None, "precision": None,
    }  # fmt: skip
    assert by_option == {
        "days": 7.0, "replications": 4, "warm_up_h": 0.0, "seed": 9, "threads": 1, "precision": 0.01,
    }  # fmt: skip
    assert asked[0]["plant"].stations[0].id == "weld"


def test_json_is_one_object_whose_keys_are_all_told_in_the_guide(
    run: Run, plant_file: Path, asked: list[dict[str, Any]]
) -> None:
    status, answer, error = run(plant_file, "--json", "--replications", "4")
    assert (status, error, len(asked)) == (0, "", 1)
    assert (answer["throughput_per_hour"], answer["ci95"]) == (43.77, 0.05)
    assert answer["settings"] == {
        "days": 3.0, "replications": 4, "warm_up_h": None, "precision_share": None, "seed": 5,
    }  # fmt: skip
    assert {"started", "command", "duration_s", "threads", "versions"} <= set(answer["run"])
    known = [key for key in answer if not key.endswith("_ci95")]
    assert [key for key in known if f"`{key}`" not in GUIDE] == []


def test_json_repeats_itself_but_for_what_stands_under_run(
    run: Run, plant_file: Path, asked: list[dict[str, Any]]
) -> None:
    first, second = (run(plant_file, "--json")[1] for _ in range(2))
    assert {**first, "run": None} == {**second, "run": None}


def test_the_document_has_every_field_of_the_answer() -> None:
    document = plant_answer_document(ANSWER, {}, {})
    told = {"throughput_per_hour", "work_in_progress_cars", "lead_time_s"}
    assert {item.name for item in dataclasses.fields(ANSWER)} <= set(document)
    for name, rows in (("machines", ANSWER.machines), ("oee", ANSWER.oee), ("places", ANSWER.places)):
        fields = {item.name for item in dataclasses.fields(rows[0])}
        assert all(fields <= set(row) for row in document[name])
    assert told <= set(document)
    weld = document["machines"][0]
    shares = ("utilisation", "blocked", "starved", "down", "set_up", "planned", "off", "stopped")
    assert sum(weld[name] for name in shares) == pytest.approx(1.0)
    assert (weld["jph"], weld["jph_ci95"]) == (50.0, 0.5)
    assert document["models"][0]["ci95"] == 0.4
    assert document["shops"][0]["jph_by_model"] == {"suv": 30.0, "sedan": 13.8}
    suv = document["conservation"]["suv"]
    assert suv["at_start"] + suv["in"] == suv["out"] + suv["given_up"] + suv["lost"] + suv["inside"]


def drawn(answer: PlantAnswer, title: str = "Small [plant]", more: dict[str, Any] | None = None) -> str:
    console = Console(width=140, file=io.StringIO())
    console.print(plant_answer_view(answer, title, more or {}))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().replace("\u00a0", " ")


def test_the_text_tells_rate_standstill_and_conventions_in_words() -> None:
    text = drawn(ANSWER)
    for words in (
        "Small [plant]",
        "43.77 ± 0.05 cars an hour (95 %), 50 runs of 28.94 days each",
        "Warm-up of 2 h cut off (MSER-5)",
        "Lead time: 1.23 ± 0.07 h",
        "Scrapped: 0.20 % of the cars",
        "Standstill: 3 of 50 runs stand still for good, the first after 1.5 h: test, repair wait",
        "cars a day",
        "stopped after 50 replications",
        "  the clock counts working time only",
        "Body shop",
        "set-up",
        "off shift",
    ):
        assert words in text, words
    assert "Bottleneck" not in text, "what stands still has none"
    assert "trim.1" in text
    assert "trim.2" not in text, "a place without overload is no news"
    assert "planned" not in text.split("Conventions")[0].split("Machines")[1], "a column of zeros is left out"


def test_the_text_tells_the_bottleneck_and_what_other_rules_say() -> None:
    text = drawn(dataclasses.replace(ANSWER, standstill=""))
    assert "Bottleneck: weld.1; active 12.0 % more of the time than any other station" in text
    assert "Other rules see it elsewhere: by arrows paint" in text


def test_the_text_of_a_plain_answer_leaves_out_what_there_is_none_of() -> None:
    plain = dataclasses.replace(
        ANSWER,
        models=ANSWER.models[1:],
        places=(),
        buffers=(),
        lead_time_s=None,
        standstill="",
        scrapped_share=0.0,
        bottleneck=Bottleneck("weld.1", "weld", 0.0, "weld", "", ()),
        throughput_per_hour=Estimate(43.77, None, None),
    )
    text = drawn(plain)
    for words in ("Standstill", "Lead time", "Scrapped", "Models", "Buffers", "Overload"):
        assert words not in text
    assert "43.77 cars an hour" in text
    assert "Bottleneck: weld.1, undecided" in text
    assert "Other rules" not in text


def test_of_many_machines_the_most_active_are_shown_and_the_rest_is_counted() -> None:
    many = tuple(machine(f"m{row}", utilisation=row / 100) for row in range(90))
    oee = tuple(OeeAnswer(item.station, 0.5, 0.5, 1.0, 1.0) for item in many)
    text = drawn(dataclasses.replace(ANSWER, machines=many, oee=oee))
    assert "m89.1" in text
    assert "m60.1" not in text
    assert "70 more: --json has all" in text


def test_check_reads_and_simulates_nothing(run: Run, plant_file: Path, asked: list[dict[str, Any]]) -> None:
    status, text, _ = run(plant_file, "--check")
    assert (status, asked) == (0, [])
    assert "no mistakes; 1 station, 1 machine, 1 type, 1 source" in text
    status, answer, _ = run(plant_file, "--check", "--json")
    assert (status, answer["problems"], answer["machines"]) == (0, [], 1)


def test_mistakes_of_the_file_end_with_2_and_are_one_json_object(run: Run, plant_file: Path) -> None:
    plant_file.write_text(PLANT + "machines = 0\n", encoding="utf-8")
    for option in ([], ["--check"]):
        status, answer, error = run(plant_file, "--json", *option)
        (problem,) = answer["problems"]
        assert (status, problem["file"], problem["line"]) == (2, "plant.toml", 9)
        assert "plant.toml:9: station.weld.machines: found 0; expected a whole number from 1 to 1000" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.toml"], "the file nowhere.toml"),
        (["FILE", "--as-of", "2021-03-29"], "not with a plant file"),
        (["FILE", "--trace-days", "2"], "not with no --trace"),
        (["FILE", "--check", "--days", "2"], "not with --check"),
        (["FILE", "--trace", "trace.xlsx"], "a name that ends with .csv or .parquet"),
        (["FILE", "--days", "-1"], "--days"),
        (["FILE", "--precision", "2"], "--precision"),
        (["FOLDER", "--days", "2"], "not with a programme folder"),
        (["FOLDER", "--check"], "not with a programme folder"),
        (["FOLDER", "--sensitivity"], "not with a programme folder"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_simulated(
    run: Run, plant_file: Path, asked: list[dict[str, Any]], arguments: list[str], words: str
) -> None:
    places = {"FILE": str(plant_file), "FOLDER": str(plant_file.parent)}
    status, _, error = run(*(places.get(argument, argument) for argument in arguments))
    assert (status, asked) == (2, [])
    assert words in " ".join(error.split())


def test_parquet_without_pyarrow_is_refused_with_the_way_to_get_it(
    run: Run, plant_file: Path, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    status, _, error = run(plant_file, "--trace", plant_file.with_name("trace.parquet"))
    assert (status, asked) == (2, [])
    assert "pip install 'coachbuilder[parquet]'" in error


def test_a_stopped_simulation_ends_with_130(run: Run, plant_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def simulate(*_: Any, **__: Any) -> PlantAnswer:
        raise KeyboardInterrupt

    module = types.ModuleType("coachbuilder.plant.flow.simulate")
    module.simulate = simulate  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert run(plant_file)[0] == 130


TRACE = Trace(
    time_s=np.array([0.0, 60.0, 61.25, 70.0]),
    machine=np.array([0, 0, 1, 1]),
    car=np.array([1, 1, -1, 2]),
    type=np.array([0, 0, -1, 1]),
    event=np.array([0, 1, 6, 0]),
    machines=("weld.1", "paint.1"),
    types=("suv", "sedan"),
    complete=True,
)
ROWS = [
    ("0.000000", "weld.1", "1", "suv", "started"),
    ("60.000000", "weld.1", "1", "suv", "finished"),
    ("61.250000", "paint.1", "", "", "failed"),
    ("70.000000", "paint.1", "2", "sedan", "started"),
]


def test_a_trace_is_written_with_names(tmp_path: Path) -> None:
    file = tmp_path / "new" / "trace.csv"
    write_trace(TRACE, file)
    with file.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["time_s", "machine", "car", "type", "event"]
    assert [tuple(row) for row in rows] == ROWS
    assert len(EVENTS) == 8


def test_a_trace_in_parquet_says_the_same_as_in_csv(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow, an optional extra")
    file = tmp_path / "trace.parquet"
    write_trace(TRACE, file)
    rows = parquet.read_table(file).to_pylist()
    assert [
        (f"{row['time_s']:.6f}", row["machine"], str(row["car"] or ""), row["type"] or "", row["event"]) for row in rows
    ] == ROWS


# With the true simulation.


def short_answer(text: str) -> PlantAnswer:
    """Return what a file answers in a run of a few hours."""
    from coachbuilder.plant.flow.simulate import simulate

    return simulate(plant_from(plant_file_from(text, "plant.toml")), days=0.4, warm_up_h=0.0, replications=2, threads=1)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_every_snippet_of_the_guide_runs(number: int) -> None:
    answer = short_answer(SNIPPETS[number])
    assert sum(model.cars_in for model in answer.models) > 0
    drawn(answer)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_runs(path: Path) -> None:
    answer = short_answer(path.read_text(encoding="utf-8"))
    assert sum(model.cars_in for model in answer.models) > 0
    assert bool(answer.standstill) is (path.stem == "rework-deadlock")
    drawn(answer)


def test_mutated_plants_that_are_read_are_simulated_too() -> None:
    luck = random.Random(4)
    texts = [*SNIPPETS, *(path.read_text(encoding="utf-8") for path in EXAMPLES)]
    simulated = 0
    for _ in range(60):
        text = luck.choice(texts)
        number = r"(?<== )\d+"
        mutated = re.sub(number, lambda found: luck.choice((found.group(), "1", "2", "30", "7000")), text)
        with contextlib.suppress(InputError):
            drawn(short_answer(mutated))
            simulated += 1
    assert simulated > 20


def test_the_smallest_plant_builds_a_car_a_minute(run: Run, plant_file: Path) -> None:
    status, answer, error = run(plant_file, "--json", "--warm-up-hours", "1", "--sensitivity")
    assert (status, error) == (0, "")
    assert answer["throughput_per_hour"] == pytest.approx(60.0)
    assert answer["sensitivity"]["stations"][0]["second_less_per_hour"]["mean"] == pytest.approx(60.0 / 59.0, rel=0.01)


def test_the_cheapest_change_that_reaches_the_rate_is_told(run: Run, plant_file: Path) -> None:
    changes = (
        '[[change]]\nid = "robot"\ncost = 9\nat = "weld"\nless_cycle_s = 10\n'
        '[[change]]\nid = "second"\ncost = 20\nat = "weld"\nmachines = 1\n'
    )
    plant_file.write_text(PLANT + changes, encoding="utf-8")
    status, answer, _ = run(plant_file, "--json", "--improve", "70")
    assert (status, answer["improvement"]["changes"], answer["improvement"]["cost"]) == (0, ["robot"], 9.0)
    status, text, _ = run(plant_file, "--improve", "500")
    assert "not even all changes reach the rate" in text
    plant_file.write_text(PLANT, encoding="utf-8")
    status, _, error = run(plant_file, "--improve", "70")
    assert (status, "[[change]] tables" in error) == (2, True)


def test_the_trace_of_a_plant_has_every_car(run: Run, plant_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    assert run(plant_file, "--trace", file, "--trace-days", "0.01")[0] == 0
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    left = [float(row["time_s"]) for row in rows if row["event"] == "left"]
    assert left == [60.0 * car for car in range(1, 15)]
    assert {row["machine"] for row in rows} == {"weld.1"}


def test_ctrl_c_ends_a_long_simulation_at_once_with_130(plant_file: Path) -> None:
    """The plant would run for ages on the event calendar; the kernels under way are not waited for."""
    plant_file.write_text(SNIPPETS[0] + "maintenance = { every_h = 1, length_min = 1 }\n", encoding="utf-8")
    arguments = ["flow", str(plant_file), "--days", "36600", "--replications", "100000"]
    child = subprocess.Popen(
        [sys.executable, "-m", "coachbuilder.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        time.sleep(6)
        assert child.poll() is None, child.communicate()
        child.send_signal(signal.SIGINT)
        _, error = child.communicate(timeout=20)
    finally:
        child.kill()
    assert (child.returncode, error.strip()) == (130, "stopped")
