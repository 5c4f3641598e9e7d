"""Lines between balances: exact where the balance is known, never cheaper for more work, and no balance made twice."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachbuilder.plan import Plan, Stages
from coachbuilder.plant.balance import (
    FitInputs,
    LineStation,
    LineTable,
    LineTask,
    evaluate,
    labour_at,
    line_table_of,
    takt_at_plan_times_s,
)
from coachbuilder.programme import InputError, Problem
from coachbuilder.report.examination_words import _lines
from coachbuilder.risk import lines
from coachbuilder.risk.draws import draw

TASKS, TASK_S = 120, 5.0


def line_of_equal_tasks(takt_s: float) -> FitInputs:
    """Return a line of 120 tasks of 5 s that any operator may do."""
    tasks = tuple(
        LineTask(f"t{number}", "", "", 1, (), (TASK_S, TASK_S), (), resident=True, line=2) for number in range(TASKS)
    )
    return FitInputs(
        models=("resident", "guest"),
        guest="guest",
        tasks=tasks,
        stations=tuple(LineStation(f"S{number}", "line", 2, 1, ("inside",)) for number in range(20)),
        reach=(("inside", ("inside",)),),
        operators_per_zone=2,
        overload_allowance=0.0,
        level_stations=True,
        moves_worth_an_operator=10.0,
        resident_units_per_year=(0.0, 0.0),
        units_per_year=(0.0, 3600.0 / takt_s),
        net_hours_per_year=2.0,
        planning_availability=0.5,
        resident_time_scale=1.0,
        guest_time_scale=1.0,
        starts=4,
        evaluations=20_000,
        seed=7,
    )


def busy_share(takt_s: float) -> float:
    return 1.0 - evaluate(line_of_equal_tasks(takt_s)).after.idle_share


def test_between_balances_of_many_equal_tasks_the_table_is_exact_and_tells_where_it_is_not() -> None:
    balances = [(takt_s, busy_share(takt_s)) for takt_s in (20.0, 30.0, 60.0)]
    # At 25 s five tasks fill each of 24 operators; at 27.5 s they leave each of them 2.5 s.
    table = line_table_of((40.0, busy_share(40.0)), balances, [(25.0, busy_share(25.0)), (27.5, busy_share(27.5))])
    assert [table.busy_share_at(takt_s) for takt_s in (20.0, 25.0, 50.0, 60.0)] == pytest.approx([1.0] * 4)
    assert table.check_error_share == pytest.approx((0.0, 25.0 / 27.5 - 1.0), abs=1e-9)
    assert table.error_worst_share == pytest.approx(2.5 / 27.5)
    assert table.error_median_share == pytest.approx(0.5 * 2.5 / 27.5)


shares = st.floats(0.3, 1.0)
points = st.lists(st.tuples(st.floats(50.0, 130.0), shares), max_size=12)


@given(shares, points, st.floats(40.0, 140.0), st.floats(1.0, 1.5))
def test_neither_operators_nor_hours_fall_when_work_takes_longer(
    own: float, balances: list[tuple[float, float]], takt_s: float, longer: float
) -> None:
    table = line_table_of((80.0, own), balances)
    assert table.busy_share_at(80.0) == pytest.approx(own, rel=1e-12)
    # Operators for one second of work a car, which takes longer: as if takt were shorter.
    before, after = (factor / table.busy_share_at(takt_s / factor) for factor in (1.0, longer))
    assert after >= before * (1.0 - 1e-12)


def hours(base: Plan, table: LineTable, guest_time_scale: float) -> float:
    """Return hours a guest car at the plan's own volume."""
    fit, units = base.fit, base.fit.after.units_per_year
    scales = {"resident_time_scale": fit.resident_time_scale, "guest_time_scale": guest_time_scale}
    takt_s = takt_at_plan_times_s(fit, takt_s=fit.takt_s, units_per_year=units, **scales)
    labour = labour_at(fit, takt_s=fit.takt_s, busy_share=table.busy_share_at(takt_s), **scales)
    return labour.direct_hours_per_car[fit.guest]


def whole_operators(inputs: FitInputs) -> SimpleNamespace:
    """Balance work that can be cut at will: as many operators as it fills, the last one in part."""
    total = sum(inputs.units_per_year)
    takt_s = inputs.net_hours_per_year * inputs.planning_availability * 3600.0 / total
    work_s = sum(
        units / total * task.time_s[model] * task.operators
        for task in inputs.tasks
        for model, units in enumerate(inputs.units_per_year)
    )
    operators = math.ceil(work_s / takt_s)
    return SimpleNamespace(after=SimpleNamespace(idle_share=1.0 - work_s / takt_s / operators))


@pytest.fixture(scope="module")
def table(example_plan: Plan) -> LineTable:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "balanced", whole_operators)
        return lines.line_table(example_plan)


def test_a_draw_takes_from_the_table_its_own_balance_within_a_percent_of_the_error_told(
    example_plan: Plan, table: LineTable
) -> None:
    assert len(table.takt_s) == 1 + len(lines.BALANCE_QUANTILES)
    assert len(table.check_takt_s) == len(lines.CHECK_QUANTILES)
    assert table.error_worst_share is not None and table.beyond_share <= 0.025
    programme = example_plan.programme.drawable()
    drawn = draw(example_plan.programme, 40, seed=11)
    own_takt_s = example_plan.fit.takt_s
    # The plan's line is a true one, all others of this test are full: between it and its neighbours all is off.
    apart = [takt_s for takt_s in table.takt_s if takt_s != own_takt_s]
    left, right = max(t for t in apart if t < own_takt_s), min(t for t in apart if t > own_takt_s)
    compared = 0
    for number in range(40):
        stages = Stages(programme.at(drawn.values_of(number)), reuse=example_plan, lines=table)
        takt_s = stages.line_takt_s
        if takt_s > table.takt_s[0] and not left < takt_s < right:
            own = 1.0 - whole_operators(stages.fit_inputs).after.idle_share
            assert own / table.busy_share_at(takt_s) == pytest.approx(1.0, abs=table.error_worst_share + 0.01)
            compared += 1
    assert compared > 20


def test_at_the_plans_own_values_the_table_changes_no_figure(example_plan: Plan, table: LineTable) -> None:
    programme = example_plan.programme.drawable().at({})
    kept = Stages(programme, reuse=example_plan).headline
    assert Stages(programme, reuse=example_plan, lines=table).headline == pytest.approx(kept, rel=1e-9)


def test_hours_of_a_guest_car_rise_with_its_work_times(example_plan: Plan, table: LineTable) -> None:
    told = [hours(example_plan, table, 0.9 + 0.01 * step) for step in range(40)]
    assert told == sorted(told)
    fit = example_plan.fit
    assert hours(example_plan, table, fit.guest_time_scale) == pytest.approx(fit.hours_per_car[fit.guest], rel=1e-9)


def test_a_stopped_run_balances_no_line_twice_and_ends_at_the_same_table(
    example_plan: Plan, table: LineTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StopError(Exception):
        pass

    made: list[int] = []

    def counted(inputs: FitInputs) -> SimpleNamespace:
        made.append(len(made))
        return whole_operators(inputs)

    def stop(done: int, _: int) -> None:
        if done == 5:
            raise StopError

    monkeypatch.setattr(lines, "balanced", counted)
    with pytest.raises(StopError):
        lines.line_table(example_plan, progress=stop, folder=tmp_path)
    assert len(made) == 5
    wanted = len(lines.BALANCE_QUANTILES) + len(lines.CHECK_QUANTILES)
    assert lines.line_table(example_plan, folder=tmp_path) == table
    assert len(made) == wanted
    assert lines.line_table(example_plan, folder=tmp_path) == table
    assert len(made) == wanted


def test_lines_that_cannot_be_balanced_are_left_out_and_counted(
    example_plan: Plan, table: LineTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_slow(inputs: FitInputs) -> SimpleNamespace:
        if sum(inputs.units_per_year) > 225_000:
            raise InputError([Problem("plant.toml", "assembly.segment", "no station left", "room")])
        return whole_operators(inputs)

    monkeypatch.setattr(lines, "balanced", only_slow)
    found = lines.line_table(example_plan)
    assert found.unbalanced == len(table.takt_s) + len(table.check_takt_s) - len(found.takt_s) - len(found.check_takt_s)
    assert found.unbalanced > 0 and found.beyond_share > table.beyond_share
    assert "could not be balanced" in _lines(found)


def test_the_answer_tells_the_error(table: LineTable) -> None:
    text = _lines(line_table_of((80.0, 0.9), [(100.0, 0.8)], [(90.0, 0.8)], beyond_share=0.02))
    assert "2\N{NO-BREAK SPACE}balances" in text and "5.3" in text and "11.1" in text and "2.0" in text
    assert "draw" in _lines(table)
