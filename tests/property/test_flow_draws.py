"""Draws of any plant: what the objects say event by event, the same whatever ran before, and without steps."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from coachbuilder.plant.flow import FlowInputs, FlowResult, evaluate_draw
from coachbuilder.plant.flow.drawn import template
from coachbuilder.plant.flow.drawn.kernels import cars_per_s
from coachbuilder.programme.sections.flow import Release, ShopKind
from draw_twin import assert_twin, tapered
from shop_plants import RAMP, plain_shop, plants

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def drawn(inputs: FlowInputs, seed: int) -> FlowInputs:
    """Return the plant with other figures."""
    rng = np.random.default_rng(seed)

    def moved(value: float) -> float:
        return value * float(rng.uniform(0.8, 1.25))

    shops = tuple(
        replace(
            shop,
            cycle_time_s=tuple(moved(value) for value in shop.cycle_time_s),
            mtbf_s=None if shop.mtbf_s is None else moved(shop.mtbf_s),
            mttr_s=None if shop.mttr_s is None else moved(shop.mttr_s),
            first_pass_yield=tuple(min(1.0, moved(value)) for value in shop.first_pass_yield),
            scrap_share=moved(shop.scrap_share),
        )
        for shop in inputs.shops
    )
    return replace(
        inputs,
        shops=shops,
        planned_units_per_year=tuple(moved(units) for units in inputs.planned_units_per_year),
        assembly_takt_s=moved(inputs.assembly_takt_s),
        line_stop_s_per_car=float(rng.uniform(0.0, 3.0)),
        net_hours_per_day=moved(8.0),
        ramp=replace(RAMP, plateau_cycle_multiplier=float(rng.uniform(1.0, 1.2))),
        rate_correction=moved(1.0),
        quick=True,
    )


def figures_of(result: FlowResult) -> list[object]:
    """Return all that a draw tells, to be compared bit by bit."""
    ramp = [getattr(result.ramp, field.name) for field in fields(result.ramp)]
    told = [value.tolist() if isinstance(value, np.ndarray) else value for value in ramp]
    return [*told, *(getattr(result, field.name) for field in fields(result) if field.name != "ramp")]


@settings(FEW)
@given(plants(), st.integers(0, 10_000))
def test_a_draw_tells_what_the_objects_say(inputs: FlowInputs, seed: int) -> None:
    inputs = drawn(inputs, seed)
    assert_twin(inputs)


@settings(FEW, max_examples=12)
@given(plants(), plants(), st.data())
def test_draws_tell_the_same_in_any_order(one: FlowInputs, other: FlowInputs, data: st.DataObject) -> None:
    draws = [drawn(plant, seed) for plant in (one, other) for seed in range(4)]
    alone = []
    for inputs in draws:
        template._templates.clear()
        alone.append(figures_of(evaluate_draw(inputs)))
    order = data.draw(st.lists(st.integers(0, len(draws) - 1), min_size=8, max_size=24))
    for number in order:
        assert figures_of(evaluate_draw(draws[number])) == alone[number]


moments = st.lists(st.floats(0.0, 3600.0), max_size=30)


@given(moments, st.floats(0.0, 1000.0), st.floats(100.0, 2000.0))
def test_a_rate_is_the_mean_over_stretches_that_begin_in_its_first_part(
    times: list[float], start_s: float, length_s: float
) -> None:
    left = np.array(times)
    end_s = start_s + length_s
    taper_s = template.TAPER_SHARE * length_s
    own = rate_of(left, start_s, end_s)
    assert own == pytest.approx(tapered(left, start_s, end_s), rel=1e-9, abs=1e-9)
    begins = start_s + taper_s * (np.arange(2000) + 0.5) / 2000
    counts = [np.count_nonzero((left > begin) & (left <= begin + length_s - taper_s)) for begin in begins]
    assert own * (length_s - taper_s) == pytest.approx(np.mean(counts), abs=(len(times) + 1) / 1000)


def rate_of(left: NDArray[np.float64], start_s: float, end_s: float) -> float:
    taper_s = template.TAPER_SHARE * (end_s - start_s)
    until = np.array([start_s, start_s + taper_s, end_s - taper_s, end_s])
    gone = left[:, None] <= until
    rates = np.empty(1)
    cars_per_s(until, gone.sum(axis=0)[:, None, None], (left[:, None] * gone).sum(axis=0)[:, None], 0, rates)
    return float(rates[0])


@pytest.mark.parametrize("hours", [4.0, 14.0])
def test_a_rate_follows_a_takt_without_steps(hours: float) -> None:
    # Nothing fails: the line makes one car in each takt, and the rate has to be that of the takt.
    takts_s = np.linspace(60.0, 66.0, 301)
    inputs = replace(small_plant(), days=hours / 8.0, replications=1)
    rates = np.array([evaluate_draw(replace(inputs, assembly_takt_s=float(takt))).jph for takt in takts_s])
    exact = 3600.0 / takts_s
    # Counted in whole cars it would be off by up to one in the stretch, and stand on a few steps.
    assert np.abs(rates / exact - 1.0).max() < 0.02 / (hours * 60.0)
    assert np.all(np.diff(rates) < 0.0)


@pytest.mark.parametrize("fails", ["body", "assembly"])
def test_a_short_run_is_right_on_average(fails: str) -> None:
    shops = tuple(
        replace(shop, mtbf_s=3000.0, mttr_s=600.0) if shop.id == fails else shop for shop in small_plant().shops
    )
    inputs = replace(small_plant(), shops=shops, planned_units_per_year=(60_000.0, 25_000.0, 40_000.0))
    short = evaluate_draw(replace(inputs, days=0.5, replications=1000))
    long = evaluate_draw(replace(inputs, days=250.0, replications=4))
    assert short.jph_ci95 is not None and long.jph_ci95 is not None
    assert short.jph == pytest.approx(long.jph, abs=1.5 * (short.jph_ci95 + long.jph_ci95))
    assert short.jph_ci95 < 0.01 * short.jph
    for own, other in zip(short.models, long.models, strict=True):
        assert own.jph == pytest.approx(other.jph, rel=0.01)


def small_plant() -> FlowInputs:
    """Return a plant whose assembly line limits it, without failures."""
    fast = {"cycle_time_s": (30.0,) * 3, "buffer_after": 3}
    return FlowInputs(
        models=("h6", "goodcat", "guest"),
        guest_model="guest",
        planned_units_per_year=(60_000.0, 25_000.0, 40_000.0),
        shops=(
            plain_shop("body", ShopKind.BODY, **{**fast, "cycle_time_s": (50.0,) * 3}),
            plain_shop("paint", ShopKind.PAINT, **fast, conveyor_places=10),
            plain_shop("assembly", ShopKind.ASSEMBLY, conveyor_places=8, buffer_after=3),
            plain_shop("test", ShopKind.TEST, **fast, rework="rework", first_pass_yield=(1.0,) * 3),
            plain_shop("rework", ShopKind.REWORK, **fast),
        ),
        assembly_takt_s=60.0,
        resident_only_takt_s=90.0,
        net_hours_per_day=8.0,
        working_days_per_year=250.0,
        release=Release.PUSH,
        ramp=RAMP,
        replications=1,
        days=1.0,
        warm_up_days=0.5,
        seed=7,
        quick=True,
    )
