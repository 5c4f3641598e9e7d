"""The command line: thin; it reads arguments, calls the stages and prints what they answer."""

from __future__ import annotations

import datetime as dt
import json
import os
import shlex
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from coachbuilder.plan import Stages
    from coachbuilder.plant.sequence import SequenceResult
    from coachbuilder.programme import InputError, Programme

app = typer.Typer(
    name="coachbuilder",
    help="Can the host's plant build the brand's electric car, at what rate and cost, and which claim does it rest on?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

validate_app = typer.Typer(help="Compare a model with what was measured.", no_args_is_help=True)
app.add_typer(validate_app, name="validate")

STOPPED = 130
"""Exit status of a command that was stopped with Ctrl-C."""

_BESIDE: list[threading.Event] = []
"""Told by threads that simulate, for which the main one waits, or for Ctrl-C."""

_USAGE_ERROR: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""What a wrong command line raises: typer brings its own click from version 0.26 on."""

ProgrammeFolder = Annotated[Path, typer.Argument(metavar="PROGRAMME", help="The programme folder.", show_default=False)]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Look at the decision on this day; later evidence is hidden."),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; as many as cores unless told.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else there.")]


T = TypeVar("T")


class _StoppedWithAnswer(Exception):  # noqa: N818
    """Ctrl-C came, and what had been found by then was printed."""


class Calibrate(StrEnum):
    """What a car is calibrated on before it is predicted."""

    SIBLING = "sibling"


@app.command()
def plan(
    programme: ProgrammeFolder,
    out: Annotated[Path | None, typer.Option(help="Folder for what is written; PROGRAMME/out unless told.")] = None,
    draws: Annotated[
        int, typer.Option(min=2, max=10_000_000, help="Draws over the spreads of the assumptions.")
    ] = 1000,
    workers: Workers = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Draw on the workers of this Dask scheduler, such as tcp://host:8786."),
    ] = None,
    closer: Annotated[
        bool,
        typer.Option(
            "--closer", help="Tell in report.html and plan.xlsx what would have to be true, too; takes longer."
        ),
    ] = False,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Run all stages; write plan.json, report.html and plan.xlsx."""
    started = dt.datetime.now(dt.UTC)
    loaded = _load(programme, as_of)
    target = out or programme / "out"
    _require_folder(target, ("plan.json", "report.html", "plan.xlsx"))
    from coachbuilder.plan import evaluate
    from coachbuilder.report import answers, plan_document, run_details, write_plan, write_report, write_workbook
    from coachbuilder.risk import assess, examine

    with _progress() as show:
        base = evaluate(loaded, progress=lambda stage: show(stage, None))
        how: dict[str, Any] = {
            "draws": draws,
            "workers": _processes(workers),
            "progress": lambda done, all_of_them: show("risk", (done, all_of_them)),
            "checkpoint_folder": target,
            "scheduler": scheduler,
        }
        examination = examine(base, **how) if closer else None
        risk = examination.risk if examination is not None else assess(base, **how)
        show("report", None)
        run = run_details(started, programme, target, draws)
        document = plan_document(base, risk, run)
        write_plan(document, target / "plan.json")
        write_report(base, risk, target / "report.html", run, examination)
        write_workbook(base, risk, target / "plan.xlsx", run, examination)
    if as_json:
        _print_json(document)
        return
    for answer in answers(base, risk):
        typer.echo(f"{answer.question}\n  {answer.text}\n")
    typer.echo(f"Written: {target / 'plan.json'}, {target / 'report.html'}, {target / 'plan.xlsx'}")


@app.command()
def check(programme: ProgrammeFolder, as_of: AsOf = None, as_json: Json = False) -> None:
    """Read a programme and tell every mistake in it; nothing is computed or written."""
    from coachbuilder.plan import problems_of
    from coachbuilder.programme import InputError
    from coachbuilder.programme.assumption import PLACEHOLDER

    loaded = _load(programme, as_of)
    problems = problems_of(loaded)
    if problems:
        raise InputError(problems)
    placeholders = [path for path, item in loaded.assumptions.items() if loaded.evidence_kind(item) == PLACEHOLDER]
    if as_json:
        _print_json(
            {
                "problems": [],
                "assumptions": len(loaded.assumptions),
                "placeholders": placeholders,
                "evidence": len(loaded.evidence),
                "hidden_evidence": list(loaded.hidden_evidence),
                "tasks": len(loaded.tasks),
            }
        )
        return
    typer.echo(
        f"{programme}: no mistakes; {len(loaded.assumptions)} assumptions, {len(placeholders)} of them placeholders; "
        f"{len(loaded.evidence)} entries of evidence known by {loaded.as_of}, {len(loaded.hidden_evidence)} hidden; "
        f"{len(loaded.tasks)} tasks"
    )


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Folder to make.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Write a small complete programme to start from."""
    from coachbuilder.programme import InputError, Problem
    from coachbuilder.programme.template import write_template

    if not name.strip():
        raise InputError([Problem("command line", "NAME", "nothing", "the name of a folder to make")])
    written = write_template(Path(name))
    if as_json:
        _print_json({"folder": name, "files": [str(path) for path in written]})
        return
    typer.echo(f"Written: {', '.join(str(path) for path in written)}\nNext: coachbuilder plan {shlex.quote(name)}")


@app.command()
def vehicle(
    programme: ProgrammeFolder,
    search: Annotated[
        bool, typer.Option("--search", help="Find the cheapest car that reaches the programme's targets.")
    ] = False,
    cycle: Annotated[
        Path | None, typer.Option(help="Drive this trace instead: a csv file with a speed for every second.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Its unit of speed: km/h, mph or m/s; else its header tells.")
    ] = None,
    known_distance_km: Annotated[float | None, typer.Option(min=0.001, help="Its distance, to be checked.")] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """What is the car: energy, range, acceleration, charging, mass, parts cost."""
    if cycle is not None:
        from coachbuilder.vehicle.evaluate import cycle_energy
        from coachbuilder.vehicle.traces import read_trace

        trace = read_trace(cycle, unit=unit, known_distance_km=known_distance_km)
        _run_stage(programme, as_of, as_json, "cycle", lambda stages: cycle_energy(stages.vehicle_inputs, trace))
    elif search:
        _run_stage(programme, as_of, as_json, "search", lambda stages: stages.search_vehicle())
    else:
        _run_stage(programme, as_of, as_json, "vehicle", lambda stages: stages.vehicle)


@app.command()
def fit(
    programme: ProgrammeFolder,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE.xlsx", help="Write the line as a work-content sheet that can be edited in Excel."),
    ] = None,
    today: Annotated[bool, typer.Option("--today", help="Have --sheet write today's line, without the guest.")] = False,
    edited_sheet: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE.xlsx", help="Read an edited sheet; check its line and balance it again from there."
        ),
    ] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Can the host build it: stations, operators, hours a car, resident tasks that move."""
    from coachbuilder.plan import Stages
    from coachbuilder.programme import InputError, Problem
    from coachbuilder.report import jsonable, stage_summary, write_work_sheet

    if sheet is not None:
        _require_sheet(sheet, edited_sheet)
    elif today:
        expected = "--sheet too: --today tells which line is written"
        raise InputError([Problem("command line", "--today", "no --sheet", expected)])
    loaded = _load(programme, as_of)
    edited = None
    with _progress() as show:
        stages = Stages(loaded, progress=lambda stage: show(stage, None))
        if edited_sheet is None:
            result = stages.fit
        else:
            stages, edited = stages.from_sheet(edited_sheet)
            result = edited.fit
        if sheet is not None:
            show("work-content sheet", None)
            write_work_sheet(stages.programme, stages.fit_inputs, result, sheet, today=today)
    if as_json:
        printed = {"fit": jsonable(result)}
        if edited is not None:
            names = ("line", "today", "violations", "unplaced", "remarks")
            printed["edited"] = {name: jsonable(getattr(edited, name)) for name in names}
        if sheet is not None:
            printed["sheet"] = str(sheet)
        _print_json(printed)
        return
    typer.echo(stage_summary("fit", result) if edited is None else stage_summary("edited", edited))
    if sheet is not None:
        read_back = f"coachbuilder fit {shlex.quote(str(programme))} --from {shlex.quote(str(sheet))}"
        typer.echo(f"\nWritten: {sheet}\nRead back: {read_back}")


@app.command()
def balance(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An .alb or .IN2 file.", show_default=False)],
    takt: Annotated[int | None, typer.Option(min=1, help="Find the fewest stations for this takt.")] = None,
    stations: Annotated[int | None, typer.Option(min=1, help="Find the smallest takt for these stations.")] = None,
    time: Annotated[float, typer.Option(min=0.001, max=1e7, metavar="SECONDS", help="Time for the search.")] = 60.0,
    memory: Annotated[int, typer.Option(min=16, max=2**20, metavar="MB", help="Memory that it may fill.")] = 2048,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the answer to a .json file, or the line with its takt to an .alb or .IN2 file."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Balance a line of the literature's file formats: no programme needed."""
    from coachbuilder.formats.assembly_line import line_text, read_line
    from coachbuilder.plant.balance.simple_line import SimpleLineAnswer, answer_line
    from coachbuilder.report import dumps, simple_line_document, simple_line_text, write_text

    if out is not None:
        _require_file(out, (".json", ".alb", ".in2"))
    line = read_line(file)
    found: list[SimpleLineAnswer] = []
    stopped = False
    try:
        with _progress() as show:

            def better(answer: SimpleLineAnswer) -> None:
                found.append(answer)
                show(f"{answer.stations} stations, takt {answer.takt}, lower bound {answer.lower_bound}", None)

            answer_line(
                line, file.name, takt=takt, stations=stations, time_limit_s=time, memory_mb=memory, progress=better
            )
    except KeyboardInterrupt:
        if not found:
            raise
        stopped = True
    answer = found[-1]
    if out is not None:
        json_wanted = out.suffix.lower() == ".json"
        line = replace(line, cycle_time=answer.takt)
        write_text(out, dumps(simple_line_document(answer)) + "\n" if json_wanted else line_text(line, out.suffix))
    if as_json:
        _print_json(simple_line_document(answer))
    else:
        typer.echo(simple_line_text(answer))
    if stopped:
        raise _StoppedWithAnswer


@app.command()
def sequence(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="DIR_OR_FILE",
            help="A programme folder, a folder of the ROADEF 2005 challenge or a CSPLib file.",
            show_default=False,
        ),
    ],
    time: Annotated[
        float | None,
        typer.Option(min=0.001, max=1e7, metavar="SECONDS", help="Time for the search; 60 unless told."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**31 - 1, help="Seed of the search; 1 unless told.")] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Searches side by side; as many as cores unless told.")
    ] = None,
    prove: Annotated[
        float | None,
        typer.Option(
            min=0.001, max=1e7, metavar="SECONDS", help="Then prove, or bound, by an exact model for so long."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the order: the challenge's answer to a .txt file, a table to .csv, all to .json."),
    ] = None,
    check: Annotated[
        Path | None, typer.Option(metavar="ANSWER", help="Count this order instead of searching for one.")
    ] = None,
    instance: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which instance of a CSPLib file that holds several.")
    ] = None,
    write_back: Annotated[
        bool, typer.Option("--write-back", help="Write the order of a programme's cars into its plant's database.")
    ] = False,
    even_if_changed: Annotated[
        bool, typer.Option("--even-if-changed", help="Write it although the orders have changed meanwhile.")
    ] = False,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """In which order: a day's build sequence and its violations."""
    from coachbuilder.formats.car_sequencing import SequencingFormat, recognise

    kind = recognise(source)
    searching = {"--time": time, "--seed": seed, "--threads": threads}
    if kind is SequencingFormat.PROGRAMME:
        _refuse({**searching, "--prove": prove, "--check": check, "--instance": instance}, "a programme folder")
        if even_if_changed and not write_back:
            from coachbuilder.programme import InputError, Problem

            expected = "--write-back too: without it nothing is written"
            raise InputError([Problem("command line", "--even-if-changed", "no --write-back", expected)])
        _sequence_programme(source, as_of, as_json, out, write_back, even_if_changed)
        return
    writing = {"--write-back": write_back or None, "--even-if-changed": even_if_changed or None}
    _refuse({"--as-of": as_of, **writing}, "a file of the literature")
    if kind is SequencingFormat.CHALLENGE:
        _refuse({"--instance": instance}, "a folder of the challenge")
    if check is not None:
        unfit = {**searching, "--threads": None} if prove is not None else searching
        _refuse(unfit, "--check, which searches for nothing")
    if out is not None:
        _require_file(out, (".txt", ".csv", ".json"))
    _sequence_day(source, instance, (time, seed, threads, prove), out, check, as_json)


def _refuse(options: Mapping[str, object], what: str) -> None:
    """Refuse the options that were given but mean nothing here."""
    from coachbuilder.programme import InputError, Problem

    given = [
        Problem("command line", name, str(value), f"not with {what}")
        for name, value in options.items()
        if value is not None
    ]
    if given:
        raise InputError(given)


def _sequence_programme(
    folder: Path, as_of: str | None, as_json: bool, out: Path | None, write_back: bool, even_if_changed: bool
) -> None:
    from coachbuilder.report import sequence_file, write_text

    if out is not None:
        _require_file(out, (".csv", ".json"))
    if write_back:
        result = _sequence_written_back(folder, as_of, as_json, even_if_changed)
    else:
        result = _run_stage(folder, as_of, as_json, "sequence", lambda stages: stages.sequence)
    if out is not None:
        write_text(out, sequence_file(result, out.suffix.lower()))


def _sequence_day(
    source: Path,
    instance: str | None,
    limits: tuple[float | None, int | None, int | None, float | None],
    out: Path | None,
    given: Path | None,
    as_json: bool,
) -> None:
    from coachbuilder.formats.car_sequencing import SequencingFormat, read_answer, read_csplib, read_roadef
    from coachbuilder.plant.sequence.day import DayAnswer, answer_day, count_day
    from coachbuilder.report import (
        command_details,
        sequenced_day_document,
        sequenced_day_file,
        sequenced_day_text,
        write_text,
    )

    started = dt.datetime.now(dt.UTC)
    time_s, seed, threads, prove_s = limits
    day = read_roadef(source) if source.is_dir() else read_csplib(source, instance)
    found: list[DayAnswer] = []
    stopped = False
    try:
        with _progress() as show:

            def better(answer: DayAnswer) -> None:
                found[:] = [answer]
                name = "windows over" if day.source is SequencingFormat.CSPLIB else "weighted sum"
                show(f"{name} {answer.counts.objective}, lower bound {answer.lower_bound}", None)

            if given is None:
                answer = answer_day(
                    day, time_limit_s=time_s or 60.0, seed=1 if seed is None else seed, threads=threads,
                    prove_s=prove_s, progress=better,
                )  # fmt: skip
            else:
                order = read_answer(given, day.cars)
                better(count_day(day, order))
                answer = count_day(day, order, prove_s=prove_s, threads=threads)
    except KeyboardInterrupt:
        if not found:
            raise
        stopped = True
        answer = found[-1]
    run = command_details(started, source)
    if out is not None:
        write_text(out, sequenced_day_file(answer, out.suffix.lower(), run))
    if as_json:
        _print_json(sequenced_day_document(answer, run))
    else:
        typer.echo(sequenced_day_text(answer))
    if stopped:
        raise _StoppedWithAnswer


def _sequence_written_back(programme: Path, as_of: str | None, as_json: bool, even_if_changed: bool) -> SequenceResult:
    from coachbuilder.plan import Stages
    from coachbuilder.report import check_sequence_table, jsonable, stage_summary, write_sequence
    from coachbuilder.report import versions as versions_of

    loaded = _load(programme, as_of)
    check_sequence_table(loaded)
    with _progress() as show:
        result = Stages(loaded, progress=lambda stage: show(stage, None)).sequence
        show("writing the build order", None)
        versions = versions_of()
        run = write_sequence(loaded, result, versions, even_if_changed=even_if_changed)
    if as_json:
        _print_json({"sequence": jsonable(result), "run": jsonable(run) | {"versions": versions}})
        return result
    changed = "; the orders had changed since they were read" if run.orders_changed else ""
    typer.echo(f"{stage_summary('sequence', result)}\n\nWritten to {run.table}: run {run.id}, {run.cars} cars{changed}")
    return result


@app.command()
def flow(
    source: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="A plant file (.toml), or a programme folder.", show_default=False),
    ],
    days: Annotated[
        float | None, typer.Option(min=0.001, max=36_600, help="Length of each run; as the file says unless told.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Independent runs; as the file says unless told.")
    ] = None,
    warm_up_hours: Annotated[
        float | None,
        typer.Option(min=0, max=100_000, help="Time before each run that does not count; found by MSER-5 unless told."),
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(
            min=0.0001, max=0.9999, metavar="SHARE", help="Add runs until the rate's half width is below this share."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Seed; as the file says, else 1, unless told.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Runs side by side; as many as cores unless told.")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every event of the first run to a .csv or .parquet file.")
    ] = None,
    trace_days: Annotated[
        float | None, typer.Option(min=0.001, max=3_660, help="How long is traced; one day unless told.")
    ] = None,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Tell what a second, or a point of availability, is worth where.")
    ] = False,
    improve: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1e6,
            metavar="RATE",
            help="Find the cheapest of the file's changes to build so many cars an hour.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read a plant file and tell every mistake in it; nothing is simulated.")
    ] = False,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """At what rate: jobs per hour and bottleneck of a plant file, or a programme's with its launch ramp."""
    simulating = {
        "--days": days,
        "--replications": replications,
        "--warm-up-hours": warm_up_hours,
        "--precision": precision,
        "--seed": seed,
        "--threads": threads,
        "--trace": trace,
        "--trace-days": trace_days,
        "--sensitivity": sensitivity or None,
        "--improve": improve,
    }
    if os.path.isdir(source):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        _refuse({**simulating, "--check": check or None}, "a programme folder")
        _run_stage(source, as_of, as_json, "flow", lambda stages: stages.flow)
        return
    _refuse({"--as-of": as_of}, "a plant file")
    if check:
        _refuse(simulating, "--check, which simulates nothing")
        _check_plant(source, as_json)
        return
    if trace is None:
        _refuse({"--trace-days": trace_days}, "no --trace")
    settings = {
        "days": days,
        "replications": replications,
        "warm_up_h": warm_up_hours,
        "precision_share": precision,
        "seed": seed,
    }
    _simulate_plant(source, settings, threads, (trace, trace_days or 1.0), sensitivity, improve, as_json)


def _stoppable(work: Callable[[], T]) -> T:
    """Do long work in a thread beside, so that Ctrl-C need not wait for the kernels under way."""
    done = threading.Event()
    results: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            failed.append(error)
        done.set()

    _BESIDE.append(done)
    threading.Thread(target=run, daemon=True).start()
    while not done.wait(0.2):
        pass
    if failed:
        raise failed[0]
    return results[0]


def _check_plant(source: Path, as_json: bool) -> None:
    from coachbuilder.plant.flow.from_file import plant_from
    from coachbuilder.programme.plant_file import read_plant_file
    from coachbuilder.report import plant_size, plant_size_text

    file = read_plant_file(source)
    size = plant_size(plant_from(file))
    if as_json:
        _print_json({"problems": [], **size})
        return
    typer.echo(f"{source}: no mistakes; {plant_size_text(size)}")


def _simulate_plant(
    source: Path,
    told: dict[str, Any],
    threads: int | None,
    trace: tuple[Path | None, float],
    sensitivity: bool,
    improve: float | None,
    as_json: bool,
) -> None:
    from coachbuilder.plant.flow.from_file import changes_from, plant_from
    from coachbuilder.programme.plant_file import read_plant_file
    from coachbuilder.report import (
        command_details,
        jsonable,
        plant_answer_document,
        plant_answer_view,
        require_trace_writer,
        write_trace,
    )

    started = dt.datetime.now(dt.UTC)
    trace_file, trace_days = trace
    if trace_file is not None:
        require_trace_writer(trace_file)
        _require_folder(trace_file.parent, (trace_file.name,), "--trace")
    file = read_plant_file(source)
    plant = plant_from(file)
    settings = file.document.run.model_dump() | {name: value for name, value in told.items() if value is not None}
    limits = {
        "days": settings["days"],
        "warm_up_h": settings["warm_up_h"],
        "seed": settings["seed"],
        "threads": threads,
    }
    changes = changes_from(file, plant) if improve is not None else ()
    more: dict[str, Any] = {}
    with _progress() as show:
        show("compiling kernels (the first run only, about a minute)", None)
        from coachbuilder.plant.flow.simulate import simulate

        answer = _stoppable(
            lambda: simulate(
                plant,
                **limits,
                replications=settings["replications"],
                precision=settings["precision_share"],
                progress=lambda done, of_all: show("replications", (done, of_all)),
            )
        )
        if sensitivity:
            from coachbuilder.plant.flow.sensitivity import sensitivity as sensitivity_of

            more["sensitivity"] = _stoppable(
                lambda: sensitivity_of(
                    plant,
                    **limits,
                    replications=max(settings["replications"], 2),
                    progress=lambda done, of_all: show("sensitivity, stations", (done, of_all)),
                )
            )
        if improve is not None:
            from coachbuilder.plant.flow.improve import cheapest

            show("the cheapest changes", None)
            more["improvement"] = _stoppable(lambda: cheapest(plant, changes, improve, **limits))
        if trace_file is not None:
            from coachbuilder.plant.flow.tracing import traced

            show("trace", None)
            written = _stoppable(lambda: traced(plant, days=trace_days, seed=settings["seed"]))
            write_trace(written, trace_file)
            more["trace"] = {"file": str(trace_file), "events": len(written.time_s), "complete": written.complete}
    if as_json:
        duration_s = round((dt.datetime.now(dt.UTC) - started).total_seconds(), 3)
        run = command_details(started, source) | {"duration_s": duration_s, "threads": threads or os.cpu_count()}
        _print_json(plant_answer_document(answer, settings, run) | jsonable(more))
        return
    _print_view(plant_answer_view(answer, file.document.plant.name or source.stem, more))


@app.command()
def market(programme: ProgrammeFolder, as_of: AsOf = None, as_json: Json = False) -> None:
    """Who buys it, and what is the news worth."""
    _run_stage(
        programme,
        as_of,
        as_json,
        "market",
        lambda stages: {"demand": stages.demand, "announcement": stages.announcement},
    )


@app.command()
def deal(
    programme: ProgrammeFolder,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A contract shaped like a real one in place of the programme's own: nio-jac-2018, nio-jac-2021, "
            "xpeng-haima, fisker-magna.",
        ),
    ] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Who earns what: unit cost, cash flow, net present value of both sides."""
    _run_stage(programme, as_of, as_json, "deal", lambda stages: stages.deal, preset=preset)


@app.command()
def schema(
    out: Annotated[Path, typer.Option(help="Folder for the schema files.")] = Path("schema"), as_json: Json = False
) -> None:
    """Write the JSON Schemas of programme.toml, plant.toml and plant files, for editors."""
    from coachbuilder.programme.base import Section
    from coachbuilder.programme.schema import PlantDocument, ProgrammeDocument, json_schema
    from coachbuilder.programme.sections.plant_file import PlantFileDocument
    from coachbuilder.report import write_text

    documents: dict[str, type[Section]] = {
        "programme": ProgrammeDocument,
        "plant": PlantDocument,
        "plant-file": PlantFileDocument,
    }
    _require_folder(out, tuple(f"{name}.schema.json" for name in documents))
    written = []
    for name, document in documents.items():
        path = out / f"{name}.schema.json"
        write_text(path, json.dumps(json_schema(document), indent=1, ensure_ascii=False) + "\n")
        written.append(str(path))
    if as_json:
        _print_json({"files": written})
        return
    typer.echo(f"Written: {', '.join(written)}")


@validate_app.command("vehicle")
def validate_vehicle(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="EPA's test-car list, xlsx or csv as published.", show_default=False)
    ],
    calibrate: Annotated[
        Calibrate | None, typer.Option(help="Calibrate each car on another one of its manufacturer.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare the vehicle model with the electric cars of a test-car list, test by test."""
    from coachbuilder.formats.test_car_list import read_test_car_list
    from coachbuilder.report import jsonable, stage_summary
    from coachbuilder.vehicle.measured import interpret
    from coachbuilder.vehicle.validation import validate

    result = validate(interpret(read_test_car_list(data).electric_rows), on_sibling=calibrate is Calibrate.SIBLING)
    if as_json:
        _print_json(jsonable(result))
        return
    typer.echo(stage_summary("validation", result))


@validate_app.command("flow")
def validate_flow(
    lines: Annotated[
        Path,
        typer.Argument(
            metavar="CSV",
            help="Lines of machines with exponential cycle times: rates_per_time, buffers, throughput_exact.",
            show_default=False,
        ),
    ],
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of the simulation.")] = 1,
    half_width: Annotated[
        float,
        typer.Option(min=1e-4, max=0.1, help="Half width of each 95 % confidence interval to stay below, as a share."),
    ] = 0.002,
    as_json: Json = False,
) -> None:
    """Compare the simulation with lines whose throughput is known exactly."""
    from coachbuilder.formats.exact_lines import read_exact_lines
    from coachbuilder.plant.flow.validation import validate
    from coachbuilder.report import jsonable, stage_summary

    known = read_exact_lines(lines)
    with _progress() as show:
        result = validate(
            known,
            seed=seed,
            half_width=half_width,
            progress=lambda done, all_of_them: show("lines", (done, all_of_them)),
        )
    if as_json:
        _print_json(jsonable(result))
        return
    typer.echo(stage_summary("flow validation", result))


@app.command()
def versions(as_json: Json = False) -> None:
    """Print the versions that a bug report needs."""
    from coachbuilder.report import versions as versions_of

    found = versions_of()
    if as_json:
        _print_json(found)
        return
    for name, version in found.items():
        typer.echo(f"{name:12} {version}")


def main() -> None:
    """Run the command line; exit with 2 for bad input, 130 for Ctrl-C, 1 for a fault of ours."""
    status = _run(sys.argv[1:])
    if status == STOPPED and not all(done.is_set() for done in _BESIDE):
        # Kernels under way would hold the exit up until they are done.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    from coachbuilder.programme.errors import InputError

    as_json = "--json" in arguments
    try:
        result = app(args=arguments, prog_name="coachbuilder", standalone_mode=False)
    except InputError as error:
        _tell(error, as_json)
        return 2
    except _USAGE_ERROR as error:
        error.show()
        if as_json:
            _print_json({"problems": [{"field": "command line", "found": error.format_message()}]})
        return int(error.exit_code)
    except _StoppedWithAnswer:
        sys.stderr.write("stopped; this is the best that was found\n")
        return STOPPED
    except (KeyboardInterrupt, typer.Abort):
        result = STOPPED
    except BrokenPipeError:
        # The reader of our output has gone; point it elsewhere, so that closing it does not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A full disk, a name too long, a device gone: nothing that a look at our code would mend.
        sys.stderr.write(f"cannot go on: {error.strerror or error}: {error.filename or 'standard output'}\n")
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        return 2
    if result == STOPPED:
        kept = "; what was computed of the draws is kept, run the same command to go on" if "plan" in arguments else ""
        sys.stderr.write(f"stopped{kept}\n")
        if as_json:
            _print_json({"problems": [{"field": "command", "found": "stopped"}]})
    return result if isinstance(result, int) else 0


def _tell(error: InputError, as_json: bool) -> None:
    count = len(error.problems)
    sys.stderr.write(f"{count} problem{'s' if count > 1 else ''} in the input:\n")
    for problem in error.problems:
        sys.stderr.write(f"  {problem}\n")
    if as_json:
        _print_json({"problems": [asdict(problem) for problem in error.problems]})


def _load(folder: Path, as_of: str | None, preset: str | None = None) -> Programme:
    from coachbuilder.programme import InputError, Problem, load

    day = None
    if as_of is not None:
        try:
            day = dt.date.fromisoformat(as_of)
        except ValueError:
            raise InputError([Problem("command line", "--as-of", as_of, "a date such as 2021-03-29")]) from None
    return load(folder, as_of=day, preset=preset)


def _run_stage(
    folder: Path,
    as_of: str | None,
    as_json: bool,
    name: str,
    take: Callable[[Stages], T],
    *,
    preset: str | None = None,
) -> T:
    from coachbuilder.plan import Stages
    from coachbuilder.report import jsonable, stage_summary

    loaded = _load(folder, as_of, preset)
    with _progress() as show:
        result = take(Stages(loaded, progress=lambda stage: show(stage, None)))
    if as_json:
        _print_json({name: jsonable(result)})
    else:
        typer.echo(stage_summary(name, result))
    return result


def _processes(workers: int | None) -> int:
    return workers or os.cpu_count() or 1


def _require_folder(folder: Path, files: tuple[str, ...], option: str = "--out") -> None:
    """Refuse early what could not be written after minutes of work."""
    from coachbuilder.programme import InputError, Problem

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = "a file" if folder.is_file() else error.strerror or "no folder"
        raise InputError([Problem(str(folder), option, found, "a folder that can be written")]) from None
    if not os.access(folder, os.W_OK):
        raise InputError([Problem(str(folder), option, "no right to write", "a folder that can be written")])
    blocked = [name for name in files if (folder / name).is_dir()]
    if blocked:
        raise InputError([Problem(str(folder / name), option, "a folder", "a file, or nothing") for name in blocked])


def _require_sheet(sheet: Path, edited: Path | None) -> None:
    """Refuse a name under which no workbook is to be written."""
    from coachbuilder.programme import InputError, Problem

    if sheet.suffix.lower() != ".xlsx":
        raise InputError([Problem(str(sheet), "--sheet", sheet.suffix or "no ending", "a name that ends with .xlsx")])
    if edited is not None and edited.resolve() == sheet.resolve():
        expected = "another file: what was edited would be lost"
        raise InputError([Problem(str(sheet), "--sheet", "the same file as --from", expected)])
    _require_folder(sheet.parent, (sheet.name,), "--sheet")


def _require_file(file: Path, suffixes: tuple[str, ...]) -> None:
    """Refuse early a file that could not be written after the search, or is of no known kind."""
    from coachbuilder.programme import InputError, Problem

    if file.suffix.lower() not in suffixes:
        raise InputError([Problem(str(file), "--out", file.suffix or "no suffix", f"one of {', '.join(suffixes)}")])
    _require_folder(file.parent, (file.name,))


def _print_json(value: object) -> None:
    from coachbuilder.report import dumps

    sys.stdout.write(dumps(value) + "\n")


def _print_view(view: RenderableType) -> None:
    """Print what rich draws; where no terminal says how wide it is, wide enough for its tables."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 140)
    with console.capture() as drawn:
        console.print(view)
    typer.echo(drawn.get(), nl=False)


@contextmanager
def _progress() -> Iterator[Callable[[str, tuple[int, int] | None], None]]:
    """Show what is under way on standard error; silent where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _stage, _count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns: tuple[Any, ...] = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task("loading (the first run compiles kernels, some ten seconds)", total=None)

        def show(stage: str, count: tuple[int, int] | None) -> None:
            if count is None:
                display.update(task, description=stage, total=None)
            else:
                display.update(task, description=stage, completed=count[0], total=count[1])

        yield show
