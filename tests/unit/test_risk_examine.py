"""A closer look at the real case, and runs that are stopped, lengthened or lose a worker."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coachbuilder.plan import Plan, Stages, evaluate, headline_names
from coachbuilder.programme import InputError
from coachbuilder.report.examination_words import examination_answers
from coachbuilder.risk import Examination, examine
from coachbuilder.risk.draws import BLOCK, draw
from coachbuilder.risk.examine import stage_of
from coachbuilder.risk.runner import Points, Runner, chunks_of, evaluate_points


@pytest.fixture(scope="module")
def base(example_plan: Plan) -> Plan:
    return example_plan


@pytest.fixture(scope="module")
def found(base: Plan) -> Examination:
    return examine(base, draws=100)


def test_a_draw_set_in_place_is_the_plan_that_evaluate_makes(base: Plan) -> None:
    drawn = draw(base.programme, 3, seed=9)
    figures = evaluate_points(base, Points(drawn.paths, drawn.values))
    for row in range(3):
        plan = evaluate(base.programme.with_values(drawn.values_of(row)), reuse=base)
        expected = [np.nan if plan.headline[name] is None else plan.headline[name] for name in headline_names()]
        assert figures[row] == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_at_the_turning_points_the_answer_has_turned(base: Plan, found: Examination) -> None:
    for point in found.turning_points:
        assert point.beta is not None and point.beta > 0.0
        assert sum(move.share for move in point.moves) == pytest.approx(1.0)
        assert sum(move.score**2 for move in point.moves) == pytest.approx(point.beta**2)
        values = {move.path: move.value_there for move in point.moves}
        there = Stages(base.programme.with_values(values), reuse=base).headline
        brand, host = there["brand_npv_cny"], there["host_npv_cny"]
        assert brand == pytest.approx(point.brand_npv_cny) and host == pytest.approx(point.host_npv_cny)
        gains = {"the brand gains": brand > -1e6, "the host gains": host > 1e6}
        gains["both gain"] = gains["the brand gains"] and host > -1e6
        assert gains[point.question] != point.holds, point.question


def test_a_surface_holds_the_plan_in_its_middle(base: Plan, found: Examination) -> None:
    surface = found.surface
    assert surface is not None
    middle = len(surface.x) // 2
    assert surface.brand_npv_cny[middle, middle] == pytest.approx(
        Stages(base.programme, reuse=base).headline["brand_npv_cny"], rel=1e-9
    )
    for x, y in zip(surface.x, surface.brand_break_even_y, strict=True):
        if y is not None:
            there = Stages(base.programme.with_values({surface.x_path: float(x), surface.y_path: y}), reuse=base)
            assert abs(there.headline["brand_npv_cny"] or 0.0) < 0.1 * np.ptp(surface.brand_npv_cny)


def test_every_assumption_has_a_share_and_one_stage(base: Plan, found: Examination) -> None:
    assert len(found.first_order) == sum(not item.is_certain for item in base.programme.assumptions.values())
    owners = stage_of(base)
    assert owners["vehicle.battery.gross_kwh"] == "vehicle"
    assert owners["deal.clause.fee.change_rate"] == "deal"
    assert found.sobol == ()


def test_the_words_name_each_question(found: Examination) -> None:
    told = examination_answers(found)
    assert len({answer.question for answer in told}) == len(told) >= 6
    assert all(answer.text and "None" not in answer.text and "nan" not in answer.text for answer in told)


def test_a_long_run_begins_with_the_draws_of_a_shorter_one(base: Plan) -> None:
    longer, shorter = draw(base.programme, 2 * BLOCK, 3), draw(base.programme, BLOCK + 7, 3)
    assert np.array_equal(longer.values[: BLOCK + 7], shorter.values)


def test_parts_of_a_set_depend_on_its_size_only_and_leave_nothing_out() -> None:
    for count in (1, 49, 50, 51, 604, 10_000, 123_457):
        assert [row for part in chunks_of(count) for row in part] == list(range(count))


def test_draws_stay_in_parquet_and_a_longer_run_goes_on_from_them(base: Plan, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    folder = tmp_path / "draws.parquet"
    drawn = draw(base.programme, 40, 1)
    points = Points(drawn.paths, drawn.values)
    table: Any = parquet
    with Runner(base, table=folder) as runner:
        figures = runner.run(points, "draws")
    read = table.read_table(folder)
    assert read.column("draw").to_pylist() == list(range(40))
    assert np.array_equal(read.column("brand_npv_cny").to_numpy(), figures[:, 0])
    assert np.array_equal(read.column(drawn.paths[3]).to_numpy(), drawn.values[:, 3])
    seen: list[int] = []
    with Runner(base, progress=lambda done, _: seen.append(done), table=folder) as runner:
        again = runner.run(points, "draws")
    assert seen == [40] and np.array_equal(again, figures, equal_nan=True)
    with pytest.raises(InputError, match="draws of another plan"):
        Runner(replace(base, headline={**base.headline, "brand_npv_cny": 0.0}), table=folder)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"notes\.txt"):
        Runner(base, table=folder)


def test_a_worker_that_is_killed_costs_nothing_but_time(base: Plan) -> None:
    drawn = draw(base.programme, 110, 2)
    points = Points(drawn.paths, drawn.values)
    killed: list[int] = []

    def kill_one(done: int, _all: int) -> None:
        if done and not killed:
            assert runner._pool is not None
            killed.append(next(iter(runner._pool._processes)))
            os.kill(killed[0], signal.SIGKILL)

    with Runner(base, 2, kill_one) as runner:
        figures = runner.run(points, "")
    assert killed
    assert np.array_equal(figures, evaluate_points(base, points), equal_nan=True)


def test_a_scheduler_that_does_not_answer_is_told(base: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("coachbuilder.risk.runner.CONNECT_S", 0.2)
    with pytest.raises(InputError, match="--scheduler"):
        Runner(base, scheduler="tcp://127.0.0.1:9")
