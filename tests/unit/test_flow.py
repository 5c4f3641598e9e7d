from __future__ import annotations

import tomllib
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from coachbuilder.plant.flow import FlowInputs, check, evaluate, evaluate_draw, inputs_from
from coachbuilder.plant.flow.loads import Setting, own_rates, stand_alone_rates
from coachbuilder.plant.flow.ramp import wright_factor
from coachbuilder.programme.errors import InputError
from coachbuilder.programme.sections.common import ModelSection, ShiftSection
from coachbuilder.programme.sections.flow import FlowSection

PLANT = """
[[shop]]
id = "body"
name = "Body shop"
kind = "body"
models = ["h6", "goodcat"]
stages = 3
buffer_between = 3
buffer_after = 15
cycle_time_s = 57
mtbf_min = 400
mttr_min = 9

[[shop]]
id = "guest_body"
name = "Body line of the guest"
kind = "body"
models = ["guest"]
stages = 2
buffer_between = 2
buffer_after = 10
cycle_time_s = 138
mtbf_min = 300
mttr_min = 11

[[shop]]
id = "paint"
name = "Paint shop"
kind = "paint"
stages = 2
buffer_between = 8
buffer_after = 10
conveyor_places = 60
cycle_time_s = 54
mtbf_min = 480
mttr_min = 12

[[shop]]
id = "store"
name = "Painted-body store"
kind = "store"
buffer_after = 60
cycle_time_s = 45

[[shop]]
id = "assembly"
name = "Final assembly"
kind = "assembly"
stages = 2
buffer_between = 6
buffer_after = 8
conveyor_places = 40
mtbf_min = 240
mttr_min = 4

[[shop]]
id = "end_of_line"
name = "End-of-line test"
kind = "test"
parallel = 5
buffer_after = 150
cycle_time_s = 200
first_pass_yield = 0.9
retest_yield = 0.95
rework = "rework"
by_model = [{ id = "guest", cycle_time_s = 240, first_pass_yield = 0.8 }]

[[shop]]
id = "rework"
name = "Rework bays"
kind = "rework"
parallel = 10
buffer_after = 20
distribution = "exponential"
cycle_time_s = 2100
scrap_share = 0.01
rejoin = "end_of_line"

[ramp]
weeks = 60
pilot_weeks = 4
pilot_units_per_week = 20
learning_rate = 0.8
learning_reference_units = 100
initial_cycle_multiplier = 1.6
plateau_cycle_multiplier = 1.0
initial_first_pass_yield = 0.6
step = [
  { id = "slow", weeks = 4, guest_rate_share = 0.2, line_speed_share = 0.9 },
  { id = "middle", weeks = 8, guest_rate_share = 0.6, line_speed_share = 1.0 },
]

[run]
replications = 8
launch_replications = 1
days = 5
warm_up_days = 1
draw_h = 12
draw_warm_up_h = 2
"""

MODELS = ("h6", "goodcat", "guest")
HOURS = 18.0 * 280.0
RESIDENTS = {"h6": 150_000.0, "goodcat": 60_000.0}


def programme(text: str = PLANT) -> Any:
    models = tuple(
        ModelSection.model_validate(
            {
                "id": name,
                "name": name,
                "role": "guest" if name == "guest" else "resident",
                "powertrain": "battery electric" if name != "h6" else "combustion",
            }
        )
        for name in MODELS
    )
    shifts = ShiftSection.model_validate(
        {"shifts_per_day": 2, "shift_length_h": 10, "break_per_shift_min": 60, "working_days_per_year": 280}
    )
    flow = FlowSection.model_validate(tomllib.loads(text))
    return SimpleNamespace(
        plant=SimpleNamespace(flow=flow, shifts=shifts, model=models), guest=models[-1], residents=models[:-1], seed=1
    )


def inputs(text: str = PLANT, guest: float = 70_000.0, **changes: Any) -> FlowInputs:
    read = inputs_from(
        programme(text),
        assembly_takt_s=0.95 * HOURS * 3600.0 / (210_000.0 + guest),
        resident_units_per_year=RESIDENTS,
        guest_units_per_year=guest,
        resident_only_takt_s=0.95 * HOURS * 3600.0 / 210_000.0,
    )
    return replace(read, **changes)


def changed(shop: str, old: str, new: str, text: str = PLANT) -> str:
    head, tail = text.split(f'id = "{shop}"\n', 1)
    assert old in tail
    return f'{head}id = "{shop}"\n{tail.replace(old, new, 1)}'


def test_inputs_are_read_in_seconds_and_net_hours() -> None:
    read = inputs()
    assert read.net_hours_per_day == 18.0
    assert read.planned_units_per_year == (150_000.0, 60_000.0, 70_000.0)
    body, test = read.shops[0], read.shops[5]
    assert (body.mtbf_s, body.mttr_s) == (24_000.0, 540.0)
    assert body.passes == (True, True, False)
    assert test.cycle_time_s == (200.0, 200.0, 240.0)
    assert test.first_pass_yield == (0.9, 0.9, 0.8)


def test_cheap_inputs_take_the_short_runs() -> None:
    read = inputs_from(
        programme(),
        assembly_takt_s=60.0,
        resident_units_per_year=RESIDENTS,
        guest_units_per_year=1000.0,
        resident_only_takt_s=70.0,
        cheap=True,
    )
    assert (read.quick, read.replications) == (True, 1)
    assert read.days * read.net_hours_per_day == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("shop", "old", "new", "field"),
    [
        ("body", '["h6", "goodcat"]', '["h6", "goodcatt"]', "flow.shop.body.models"),
        ("body", "mttr_min = 9", "", "flow.shop.body.mttr_min"),
        ("body", "cycle_time_s = 57", "", "flow.shop.body.cycle_time_s"),
        ("assembly", "mttr_min = 4", "mttr_min = 4\ncycle_time_s = 60", "flow.shop.assembly.cycle_time_s"),
        ("end_of_line", 'rework = "rework"', 'rework = "rewrok"', "flow.shop.end_of_line.rework"),
        ("end_of_line", "retest_yield = 0.95", "", "flow.shop.end_of_line.retest_yield"),
        ("end_of_line", "first_pass_yield = 0.9", "", "flow.shop.end_of_line.first_pass_yield"),
        ("end_of_line", 'id = "guest"', 'id = "gest"', "flow.shop.end_of_line.by_model.gest"),
        ("end_of_line", "parallel = 5", "parallel = 5\nconveyor_places = 4", "flow.shop.end_of_line.conveyor_places"),
        ("rework", 'rejoin = "end_of_line"', 'rejoin = "guest_body"', "flow.shop.rework.rejoin"),
        ("store", 'kind = "store"', 'kind = "store"\nrejoin = "body"', "flow.shop.store.rejoin"),
        ("paint", 'kind = "paint"', 'kind = "paint"\nmodels = ["h6", "goodcat"]', ""),
        ("store", 'name = "Painted', 'models = ["h6"]\nname = "Painted', ""),
    ],
)
def test_a_plant_that_cannot_be_is_named_by_field(shop: str, old: str, new: str, field: str) -> None:
    problems = check(programme(changed(shop, old, new)))
    if not field:
        assert problems == []
        return
    assert field in [problem.field for problem in problems]
    assert {problem.file for problem in problems} == {"plant.toml"}


def test_several_mistakes_are_reported_together() -> None:
    text = changed("body", "mttr_min = 9", "")
    text = changed("paint", "cycle_time_s = 54", "", text)
    text = changed("end_of_line", "retest_yield = 0.95", "", text)
    with pytest.raises(InputError) as caught:
        inputs(text)
    assert len(caught.value.problems) == 3


def test_a_plant_without_anything_to_build_is_refused() -> None:
    with pytest.raises(InputError, match="at least one model"):
        inputs_from(
            programme(),
            assembly_takt_s=60.0,
            resident_units_per_year={"h6": 0.0, "goodcat": 0.0},
            guest_units_per_year=0.0,
            resident_only_takt_s=60.0,
        )


def test_the_example_of_this_file_is_without_fault() -> None:
    assert check(programme()) == []


def test_answers_repeat_and_another_seed_changes_them() -> None:
    first, second = evaluate(inputs()), evaluate(inputs())
    assert first.jph == second.jph
    assert first.machines == second.machines
    np.testing.assert_array_equal(first.ramp.guest_units, second.ramp.guest_units)
    assert evaluate(inputs(seed=2)).jph != first.jph


def test_the_mix_that_leaves_is_the_mix_that_is_wanted() -> None:
    result = evaluate(inputs(replications=16))
    assert result.guest_share == pytest.approx(70.0 / 280.0, rel=0.01)
    h6, goodcat, _ = result.models
    assert h6.jph / goodcat.jph == pytest.approx(150.0 / 60.0, rel=0.01)


def test_a_slow_guest_body_line_starves_the_guest_and_not_the_residents() -> None:
    slow = evaluate(inputs(changed("guest_body", "cycle_time_s = 138", "cycle_time_s = 400"), replications=24))
    assert slow.models[2].jph == pytest.approx(3600.0 / 400.0 / (1.0 + 11.0 / 300.0), rel=0.03)
    assert slow.resident_after.jph > 1.1 * evaluate(inputs()).resident_after.jph


def test_the_slowest_shop_is_the_bottleneck() -> None:
    assert evaluate(inputs()).bottleneck == "assembly"
    slow_paint = evaluate(inputs(changed("paint", "cycle_time_s = 54", "cycle_time_s = 75")))
    assert slow_paint.bottleneck == "paint"
    assert slow_paint.bottleneck_name == "Paint shop"
    assert slow_paint.jph == pytest.approx(own_rate(slow_paint, "paint"), rel=0.04)
    assert slow_paint.jph < own_rate(slow_paint, "paint")


def own_rate(result: Any, shop: str) -> float:
    return float(next(item.stand_alone_jph for item in result.shops if item.id == shop))


def test_paced_release_holds_the_planned_rate_and_no_more() -> None:
    from coachbuilder.programme.sections.flow import Release

    wanted = inputs(release=Release.PACED, planned_units_per_year=(75_000.0, 30_000.0, 20_000.0), days=20.0)
    result = evaluate(wanted)
    assert result.jph == pytest.approx(125_000.0 / HOURS, rel=0.01)
    assert evaluate(replace(wanted, release=Release.PUSH)).jph > 1.5 * result.jph


def test_without_a_guest_before_and_after_are_the_same_plant() -> None:
    read = inputs(guest=0.0)
    result = evaluate(replace(read, resident_only_takt_s=read.assembly_takt_s))
    assert result.resident_before == result.resident_after
    assert result.guest_share == 0.0
    assert result.guest_units_per_year == 0.0
    assert result.ramp.weeks_to_rate is None
    assert "guest_body" not in {shop.id for shop in result.shops}


def test_a_guest_that_overloads_paint_costs_the_host_its_own_cars() -> None:
    text = changed("paint", "cycle_time_s = 54", "cycle_time_s = 72")
    result = evaluate(inputs(text))
    assert result.resident_before.units_per_year == pytest.approx(210_000.0, rel=0.02)
    assert result.resident_units_lost_per_year > 20_000.0
    assert result.resident_after.bottleneck == "paint"


def test_first_pass_yield_is_the_mix_of_the_models() -> None:
    result = evaluate(inputs(replications=16))
    assert result.first_pass_yield == pytest.approx((210.0 * 0.9 + 70.0 * 0.8) / 280.0, abs=0.004)
    failed = 1.0 - result.first_pass_yield
    assert result.scrapped_share == pytest.approx(failed * 0.01, rel=0.4)


def test_rework_without_return_ships_the_car() -> None:
    text = changed("rework", 'rejoin = "end_of_line"', "")
    text = changed("end_of_line", "retest_yield = 0.95", "", text)
    result = evaluate(inputs(text))
    tests = next(shop for shop in result.shops if shop.id == "end_of_line")
    assembled = next(shop for shop in result.shops if shop.id == "assembly")
    assert tests.jph == pytest.approx(assembled.jph, rel=0.01)


def test_a_rework_loop_that_locks_up_is_told_and_does_not_hang() -> None:
    text = changed("end_of_line", "first_pass_yield = 0.9", "first_pass_yield = 0.3")
    text = changed("end_of_line", "buffer_after = 150", "buffer_after = 0", text)
    text = changed("end_of_line", "parallel = 5", "parallel = 1", text)
    text = changed("end_of_line", "retest_yield = 0.95", "retest_yield = 0.2", text)
    text = changed("rework", "parallel = 10", "parallel = 1", text)
    text = changed("rework", "buffer_after = 20", "buffer_after = 0", text)
    result = evaluate(inputs(text))
    assert "8 of 8 runs stand still" in result.deadlock
    assert "end_of_line.1, rework.1 wait for each other's places" in result.deadlock
    assert result.cars_at_start + result.cars_in == result.cars_out + result.cars_scrapped + result.cars_inside
    assert evaluate(inputs()).deadlock == ""


def test_intervals_shrink_with_more_runs_and_vanish_with_one() -> None:
    few, many = evaluate(inputs(replications=4)), evaluate(inputs(replications=24))
    assert few.jph_ci95 is not None
    assert many.jph_ci95 is not None
    assert many.jph_ci95 < few.jph_ci95
    assert evaluate(inputs(replications=1)).jph_ci95 is None


def test_quick_runs_agree_with_long_ones() -> None:
    full = evaluate(inputs(replications=16, days=10.0))
    quick = evaluate_draw(inputs(quick=True, replications=16, days=1.0))
    assert quick.jph == pytest.approx(full.jph, rel=0.01)
    assert quick.resident_before.jph == pytest.approx(full.resident_before.jph, rel=0.015)
    assert quick.resident_before.jph_ci95 is None


def test_rate_correction_scales_every_rate() -> None:
    plain, scaled = evaluate_draw(inputs(quick=True)), evaluate_draw(inputs(quick=True, rate_correction=0.9))
    assert scaled.jph == pytest.approx(0.9 * plain.jph)
    assert scaled.guest_capacity_units_per_year == pytest.approx(0.9 * plain.guest_capacity_units_per_year)
    assert scaled.resident_before.jph == pytest.approx(0.9 * plain.resident_before.jph)


def test_wright_curve_leaves_the_same_share_at_each_doubling() -> None:
    assert wright_factor(50.0, 100.0, 0.8) == 1.0
    assert [wright_factor(100.0 * 2**k, 100.0, 0.8) for k in range(4)] == pytest.approx([0.8**k for k in range(4)])


def test_the_launch_starts_with_pilots_and_reaches_the_rate() -> None:
    ramp = evaluate(inputs()).ramp
    assert ramp.week.tolist() == list(range(1, 61))
    assert ramp.guest_units[:4] == pytest.approx([20.0] * 4, abs=2.0)
    assert ramp.start_of_production_week == 5
    assert ramp.weeks_to_rate is not None
    planned_week = 70_000.0 / 52.0
    first = ramp.start_of_production_week + ramp.weeks_to_rate - 2
    assert ramp.guest_units[first] >= 0.9 * planned_week > ramp.guest_units[first - 1]
    assert np.all(np.diff(ramp.cycle_multiplier) <= 0.0)
    assert np.all(np.diff(ramp.first_pass_yield) >= 0.0)
    assert np.all(np.cumsum(ramp.guest_units) <= 4 * 20.0 + 56 * planned_week)
    assert ramp.simulated
    assert ramp.resident_units_lost.sum() == pytest.approx(ramp.resident_units_lost_total)


def test_a_harder_launch_loses_more_resident_cars() -> None:
    easy = evaluate(inputs()).ramp
    hard = evaluate(inputs(PLANT.replace("initial_cycle_multiplier = 1.6", "initial_cycle_multiplier = 3.0"))).ramp
    assert hard.resident_units_lost_total > easy.resident_units_lost_total
    assert hard.guest_units_first_year < easy.guest_units_first_year


def test_stand_alone_rates_count_failures_mix_and_rework() -> None:
    read = inputs()
    setting = Setting(read.planned_units_per_year, read.assembly_takt_s)
    rates, own = stand_alone_rates(read, setting), own_rates(read, setting)
    assert own["guest_body"] == pytest.approx(3600.0 / 138.0 / (1.0 + 11.0 / 300.0))
    assert rates["guest_body"] == pytest.approx(own["guest_body"] * 280.0 / 70.0)
    assert own["rework"] == pytest.approx(10.0 * 3600.0 / 2100.0)
    # A car that fails is mended 1 / (1 - 0.99 x 0.05) times on average before it passes or is given up.
    failing = (210.0 * 0.1 + 70.0 * 0.2) / 280.0
    assert rates["rework"] == pytest.approx(own["rework"] / (failing / (1.0 - 0.99 * 0.05)))


def test_a_result_holds_no_number_that_is_not_finite() -> None:
    from coachbuilder.report.jsonable import jsonable

    told = jsonable(evaluate(inputs()))
    assert told["ramp"]["week"][0] == 1
    assert {machine["shop"] for machine in told["machines"]} == {shop["id"] for shop in told["shops"]}


def test_every_number_of_the_section_changes_some_answer() -> None:
    from coachbuilder.programme.tree import iterate_assumptions, map_assumptions
    from coachbuilder.report.jsonable import dumps

    plain = programme(PLANT.replace("weeks = 60", "weeks = 14"))

    def told(flow: FlowSection) -> str:
        plain.plant.flow = flow
        read = inputs_from(
            plain,
            assembly_takt_s=60.0,
            resident_units_per_year=RESIDENTS,
            guest_units_per_year=70_000.0,
            resident_only_takt_s=80.0,
        )
        return dumps(evaluate(replace(read, replications=2, days=2.0)))

    flow = plain.plant.flow
    base = told(flow)
    paths = [path for path, _ in iterate_assumptions(flow)]
    assert len(paths) > 25
    dead = [
        path
        for path in paths
        if told(
            map_assumptions(
                flow,
                lambda where, number, _evidence, path=path: (
                    replace(number, value=number.value * 0.93) if where == path else number
                ),
            )
        )
        == base
    ]
    assert dead == []
