"""The plan joins the stages: figures move with what they depend on and nothing else; the trace tells what that is."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coachbuilder import deal
from coachbuilder.plan import STAGES, Plan, Stages, evaluate
from coachbuilder.plant.flow.loads import Setting, own_rates
from coachbuilder.programme import Programme, load
from coachbuilder.report import dumps, plan_document


@pytest.fixture(scope="module")
def base(example_plan: Plan) -> Plan:
    return example_plan


@pytest.fixture(scope="module")
def programme(base: Plan) -> Programme:
    return base.programme


def _results(programme: Programme, base: Plan) -> dict[str, Any]:
    """Every stage at draw length, and what balance, sequence, other routes and announcement would take."""
    draw = Stages(programme, reuse=base)
    whole = Stages(programme)
    return {
        "timing": draw.timing,
        "vehicle": whole.vehicle,
        "demand": draw.demand,
        "fit": whole.fit_inputs,
        "sequence": whole.sequence_inputs,
        # A draw leaves out what explains a plant rather than rates it, such as what each shop could do.
        "flow": (draw.flow, own_rates(draw.flow_inputs, Setting(draw.flow_inputs.planned_units_per_year, 60.0))),
        "parties": draw.parties,
        # A draw leaves out what leaving costs and what the residents carry.
        "deal": deal.evaluate(dataclasses.replace(draw.deal_inputs, with_break_even=True)),
        "alternatives": whole.routes_inputs,
        "announcement": whole.announcement,
    }


def _same(one: Any, other: Any) -> bool:
    """Whether two results are equal in every figure; what holds arrays cannot be compared as a whole."""
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return type(one) is type(other) and all(_same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    try:
        return bool(one == other)
    except ValueError:
        return len(one) == len(other) and all(map(_same, one, other))


NUDGES = (0.03, 0.3)
"""Shares by which an assumption is moved. The second is for shares of a day's cars: less than a car changes nothing."""


def _nudged(programme: Programme, path: str, share: float) -> Programme:
    item = programme.assumptions[path]
    step = share * abs(item.value) or 0.01
    up = item.value + step
    return programme.with_values({path: up if item.maximum is None or up <= item.maximum else item.value - step})


def test_each_assumption_changes_some_figure_and_only_figures_whose_trace_names_it(
    programme: Programme, base: Plan
) -> None:
    before = _results(programme, base)
    idle, leaking = [], []
    for path in programme.assumptions:
        changed: set[str] = set()
        for share in NUDGES:
            after = _results(_nudged(programme, path, share), base)
            changed = {stage for stage in STAGES if not _same(after[stage], before[stage])}
            if changed:
                break
        if not changed:
            idle.append(path)
        leaking += [(path, stage) for stage in changed if path not in base.trace[stage]]
    assert not leaking
    assert not idle


def test_the_same_programme_and_seed_give_the_same_plan(programme: Programme, base: Plan) -> None:
    assert dumps(plan_document(evaluate(programme), None, {})) == dumps(plan_document(base, None, {}))


def test_joint_value_is_the_sum_of_both_sides(base: Plan) -> None:
    assert base.deal.joint.npv_cny == pytest.approx(base.deal.brand.npv_cny + base.deal.host.npv_cny, rel=1e-12)


def test_every_assumption_names_known_evidence_or_is_a_placeholder(programme: Programme, base: Plan) -> None:
    assert {item.path for item in base.assumptions} == set(programme.assumptions)
    for item in base.assumptions:
        assert item.evidence in programme.evidence or item.kind == "placeholder"
        assert item.low <= item.value <= item.high
    probabilities = [item.probability for item in base.assumptions]
    assert probabilities == sorted(probabilities)


def test_nothing_later_than_the_decision_day_is_seen(base: Plan) -> None:
    assert all(entry.date <= base.programme.as_of for entry in base.register)
    assert base.programme.as_of == dt.date(2021, 3, 26)
    assert base.hidden_evidence


def test_the_denial_lowers_the_probability_of_the_partnership(example_folder: Path, programme: Programme) -> None:
    denied = load(example_folder, as_of=dt.date(2021, 3, 29))
    founded = load(example_folder, as_of=dt.date(2021, 3, 30))
    chances = [item.partnership_probability for item in (programme, denied, founded)]
    assert chances[0] > 0.4
    assert chances[1] < 0.1
    assert chances[2] < chances[1]
    assert len(founded.hidden_evidence) < len(denied.hidden_evidence) < len(programme.hidden_evidence)


def test_later_events_enter_the_event_window_only_when_known(example_folder: Path) -> None:
    def last_day(day: dt.date) -> dt.date:
        return max(item.date for item in Stages(load(example_folder, as_of=day)).announcement.events)

    assert last_day(dt.date(2021, 3, 26)) == dt.date(2021, 3, 26)
    assert last_day(dt.date(2021, 3, 29)) == dt.date(2021, 3, 29)
    assert last_day(dt.date(2021, 3, 30)) == dt.date(2021, 3, 30)


def test_months_hold_what_weeks_of_the_launch_made(base: Plan) -> None:
    inputs = Stages(base.programme).deal_inputs
    assert np.all(inputs.guest_output_units_by_month >= 0)
    assert np.all(inputs.demand_units_by_month >= 0)


def test_a_plan_with_other_values_keeps_the_line_as_it_was_laid_out(programme: Programme, base: Plan) -> None:
    other = evaluate(programme.with_values({"deal.cny_per_usd": 7.5}), reuse=base)
    assert other.fit is base.fit
    assert other.deal.brand.npv_cny != base.deal.brand.npv_cny


def test_an_unknown_path_is_refused(programme: Programme) -> None:
    with pytest.raises(KeyError, match=r"vehicle\.wings"):
        programme.with_values({"vehicle.wings": 2.0})
