"""The launch and the assembly line of a programme: what weeks, learning, conversion and overload do to the plant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from coachbuilder.plant.flow import FlowInputs, LineWork, engine, evaluate
from coachbuilder.plant.flow.engine import kernels, retimed, started
from coachbuilder.plant.flow.interface import Conversion, RampInputs, RampStep, Shop
from coachbuilder.plant.flow.launch import simulated
from coachbuilder.plant.flow.loads import Setting
from coachbuilder.plant.flow.plant import CarType, Plant, Source, Station, Time
from coachbuilder.plant.flow.ramp import reckoned, weeks_of, wright_factor
from coachbuilder.plant.flow.shops import evenly, plant_of
from coachbuilder.programme.sections.flow import Release, ShopKind
from shop_plants import plain_shop

HOURS = 5_200.0
WEEK_H = HOURS / 52.0
RAMP = RampInputs(
    weeks=20,
    pilot_weeks=2,
    pilot_units_per_week=10.0,
    learning_rate=0.8,
    learning_reference_units=20.0,
    initial_cycle_multiplier=1.0,
    plateau_cycle_multiplier=1.0,
    initial_first_pass_yield=1.0,
    steps=(RampStep(3, 0.5, 1.0),),
)


def shop(name: str, kind: ShopKind, **values: Any) -> Shop:
    cycle_time_s = () if kind is ShopKind.ASSEMBLY else (50.0, 50.0)
    own = {"name": name.title(), "passes": (True, True), "buffer_after": 5, "cycle_time_s": cycle_time_s}
    return plain_shop(name, kind, **own | values)


def inputs(guest: float = 78_000.0, residents: float = 200_000.0, **changes: Any) -> FlowInputs:
    plain = FlowInputs(
        models=("host", "guest"),
        guest_model="guest",
        planned_units_per_year=(residents, guest),
        shops=(
            shop("body", ShopKind.BODY, passes=(True, False)),
            shop("guest_body", ShopKind.BODY, passes=(False, True), cycle_time_s=(50.0, 200.0)),
            shop("assembly", ShopKind.ASSEMBLY, conveyor_places=10),
        ),
        assembly_takt_s=60.0,
        resident_only_takt_s=60.0,
        net_hours_per_day=20.0,
        working_days_per_year=260.0,
        release=Release.PUSH,
        ramp=RAMP,
        replications=2,
        days=10.0,
        warm_up_days=1.0,
        seed=1,
        launch_replications=2,
    )
    return replace(plain, **changes)


def with_ramp(plain: FlowInputs, **changes: Any) -> FlowInputs:
    return replace(plain, ramp=replace(plain.ramp, **changes))


def test_a_guest_with_nothing_to_learn_follows_the_planned_curve() -> None:
    ramp = evaluate(inputs()).ramp
    planned = [10.0] * 2 + [750.0] * 3 + [1500.0] * 15
    # Cars are counted when they leave: what a week begins with or leaves behind is a few cars of the last stages.
    assert ramp.guest_units == pytest.approx(planned, abs=12.0)
    assert ramp.guest_units.sum() == pytest.approx(sum(planned), abs=12.0)
    assert ramp.resident_units == pytest.approx([200_000.0 / 52.0] * 20, abs=3.0)
    assert ramp.guest_units_lost_total == 0.0
    assert ramp.resident_units_lost_total == 0.0
    assert ramp.limiting_shop == ("",) * 20
    assert ramp.weeks_to_rate == 4


def test_the_guests_weeks_are_those_of_wrights_curve() -> None:
    read = with_ramp(inputs(), initial_cycle_multiplier=1.5, initial_failure_multiplier=3.0)
    ramp = evaluate(read).ramp
    built = np.concatenate([[0.0], np.cumsum(ramp.guest_units)[:-1]])
    left = np.array([wright_factor(cars, 20.0, 0.8) for cars in built])
    np.testing.assert_allclose(ramp.cycle_multiplier, 1.0 + 0.5 * left)
    np.testing.assert_allclose(ramp.failure_multiplier, 1.0 + 2.0 * left)


def test_a_plant_that_is_too_slow_loses_exactly_what_it_does_not_build() -> None:
    # 60 cars an hour leave the line; 80 are wanted once the guest is at rate.
    shops = list(inputs().shops)
    shops[1] = replace(shops[1], cycle_time_s=(50.0, 50.0))
    ramp = evaluate(inputs(guest=156_000.0, residents=260_000.0, shops=tuple(shops))).ramp
    wanted = np.array([10.0] * 2 + [1500.0] * 3 + [3000.0] * 15) + 5000.0
    built = ramp.guest_units + ramp.resident_units
    np.testing.assert_allclose(built[6:], 60.0 * WEEK_H, atol=2.0)
    lost = ramp.guest_units_lost + ramp.resident_units_lost
    # What is neither built nor lost waits: at most a day's cars.
    waiting = np.cumsum(wanted - built - lost)
    assert waiting.min() > -20.0
    assert waiting.max() < 80.0 * 20.0 + 20.0
    assert set(ramp.limiting_shop[6:]) == {"assembly"}


def test_the_reckoning_for_draws_is_near_the_simulation() -> None:
    # Without buffers or failures in play the tightest shop is the plant: both must say the same.
    read = with_ramp(inputs(guest=100_000.0, residents=240_000.0), initial_cycle_multiplier=1.8)
    weeks = weeks_of(read, None)
    exact, quick = simulated(read, weeks, replications=2), reckoned(read, weeks, efficiency=1.0)
    assert exact.guest_units.sum() == pytest.approx(quick.guest_units.sum(), rel=0.02)
    assert exact.resident_units.sum() == pytest.approx(quick.resident_units.sum(), rel=0.02)


def test_failures_of_the_guests_own_shops_mature() -> None:
    shops = list(inputs().shops)
    shops[1] = replace(shops[1], cycle_time_s=(50.0, 225.0), mtbf_s=4_000.0, mttr_s=400.0)
    shops[0] = replace(shops[0], mtbf_s=4_000.0, mttr_s=400.0)
    read = with_ramp(inputs(shops=tuple(shops), launch_replications=8), learning_rate=1.0)
    mature = evaluate(read).ramp
    young = evaluate(with_ramp(read, initial_failure_multiplier=6.0)).ramp
    # At rate the guest's body line is at work 94 % of the time; with six times the failures it makes 1000 cars a week.
    assert young.guest_units[8:].mean() == pytest.approx(WEEK_H * 3600.0 / 225.0 / 1.6, rel=0.03)
    assert mature.guest_units[8:].mean() == pytest.approx(WEEK_H * 3600.0 / 225.0 / 1.1, rel=0.03)
    # The host's own body shop fails as before.
    assert young.resident_units[8:].mean() == pytest.approx(mature.resident_units[8:].mean(), rel=0.01)


def test_a_plant_that_shuts_builds_nothing_and_loses_the_plan() -> None:
    shut = Conversion("shut", "shut for two weeks", first_week=8, weeks=2, line_speed_share=0.0)
    running = Conversion("running", "converted in running production", first_week=4, weeks=8, line_speed_share=0.6)
    result = evaluate(with_ramp(inputs(), conversions=(shut, running)))
    ramp = result.ramp
    assert ramp.conversion == "shut for two weeks"
    assert ramp.guest_units[7:9].tolist() == ramp.resident_units[7:9].tolist() == [0.0, 0.0]
    assert ramp.resident_units_lost_total == pytest.approx(2 * 200_000.0 / 52.0)
    assert ramp.guest_units_lost_total == pytest.approx(2 * 1500.0)
    assert ramp.line_speed_share[7:9].tolist() == [0.0, 0.0]
    slow, none = result.ramp_alternatives
    assert (slow.conversion, none.conversion) == ("converted in running production", "")
    assert none.resident_units_lost_total == none.guest_units_lost_total == 0.0
    # 36 cars an hour for eight weeks, of which two have 46 wanted and six 53.5; half of a day may wait.
    missing = WEEK_H * (2 * (750.0 + 200_000.0 / 52.0) + 6 * (1500.0 + 200_000.0 / 52.0)) / WEEK_H - 8 * 3600.0
    assert slow.guest_units_lost_total + slow.resident_units_lost_total == pytest.approx(missing, rel=0.1)


def test_a_plant_that_is_shut_in_the_first_week_begins_in_the_second() -> None:
    shut = Conversion("shut", "shut", first_week=1, weeks=1, line_speed_share=0.0)
    ramp = evaluate(with_ramp(inputs(), conversions=(shut,))).ramp
    assert ramp.resident_units[0] == 0.0
    assert ramp.resident_units[1:] == pytest.approx([200_000.0 / 52.0] * 19, abs=3.0)


WORK = LineWork(work_s=((75.0, 75.0), (40.0, 40.0)), station_length_share=1.0, utility_workers=0, stops=True, order=())


def rate_with(work: LineWork | None) -> tuple[float, float, float]:
    result = evaluate(with_ramp(inputs(line=work), weeks=1))
    return result.jph, result.line_stop_s_per_car, result.overload_s_per_car


def test_overload_stops_the_line_for_as_long_as_it_lasts() -> None:
    jph, stop_s, overload_s = rate_with(WORK)
    assert jph == pytest.approx(3600.0 / 75.0, rel=1e-3)
    assert stop_s == pytest.approx(15.0, rel=1e-3)
    assert overload_s == pytest.approx(15.0, rel=1e-3)


def test_a_utility_worker_or_work_finished_elsewhere_keeps_the_line_moving() -> None:
    plain, _, _ = rate_with(None)
    assert plain == pytest.approx(60.0, rel=1e-3)
    helped, stop_s, overload_s = rate_with(replace(WORK, utility_workers=1))
    assert (helped, stop_s) == (pytest.approx(plain), 0.0)
    assert overload_s == pytest.approx(15.0, rel=1e-3)
    elsewhere, stop_s, _ = rate_with(replace(WORK, stops=False))
    assert (elsewhere, stop_s) == (pytest.approx(plain), 0.0)


def test_work_within_longer_stations_is_caught_up_on_the_next_car() -> None:
    # The guest's 75 s and the host's 45 s fill two takts; a station of 1.25 takts takes them one after the other.
    work = replace(WORK, work_s=((45.0, 75.0),), order=("host", "guest"))
    even = inputs(guest=100_000.0, residents=100_000.0)
    long = evaluate(with_ramp(replace(even, line=replace(work, station_length_share=1.25)), weeks=1))
    short = evaluate(with_ramp(replace(even, line=work), weeks=1))
    assert long.line_stop_s_per_car == 0.0
    # Of the 55.5 cars an hour 18 are guests, 15 s too long each.
    assert short.line_stop_s_per_car == pytest.approx(15.0 * short.models[1].jph / short.jph)


def test_the_order_of_the_day_is_the_order_of_release() -> None:
    one_shop = (shop("body", ShopKind.BODY), shop("assembly", ShopKind.ASSEMBLY, conveyor_places=4))
    read = inputs(shops=one_shop, guest=100_000.0, residents=200_000.0)
    work = replace(WORK, order=("host", "host", "guest"))
    plant = plant_of(read, Setting(read.planned_units_per_year, 60.0), work, filled=False).plant
    rows = engine.trace(plant, seed=1, replication=0, until_s=10_000.0, rows=10_000)
    body = rows[(rows[:, 4] == kernels.STARTED) & (rows[:, 1] == 0)]
    assert body[:6, 3].tolist() == [0.0, 0.0, 1.0, 0.0, 0.0, 1.0]


def test_stations_of_the_line_are_shared_out_over_its_segments_in_order() -> None:
    shops = (*inputs().shops[:2], shop("assembly", ShopKind.ASSEMBLY, stages=3, conveyor_places=11))
    read = inputs(shops=shops)
    work = replace(WORK, work_s=tuple((float(row), 0.0) for row in range(1, 8)))
    lines = plant_of(read, Setting(read.planned_units_per_year, 60.0), work).plant.stations[2:]
    assert [line.stations for line in lines] == [3, 4, 4]  # type: ignore[union-attr]
    rows = [row[0] for line in lines for row in line.work_s if row[0]]  # type: ignore[union-attr]
    assert rows == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]


def test_evenly_spread_rows_keep_their_shares_at_every_place() -> None:
    shares = (0.5, 0.3, 0.2)
    rows = evenly(shares, 200)
    for count in range(1, 201):
        for row, share in enumerate(shares):
            assert abs(rows[:count].count(row) - share * count) < 1.5


def paced(interval_s: float, cycle_s: float = 30.0, extra: bool = False) -> Plant:
    stations = (Station("a", (Time(cycle_s),)), *((Station("b", (Time(1.0),)),) if extra else ()))
    return Plant((CarType("car"),), stations, (Source("in", "a", interval=Time(interval_s)),))


def test_a_run_goes_on_with_other_figures_and_only_with_the_same_plant() -> None:
    state = started(engine.build(paced(60.0), seed=1, batches=1), 0)
    kernels.advance(state, 3600.0)
    assert state.sums.car[0, 1] == 59
    state = retimed(state, engine.build(paced(40.0, cycle_s=10.0), seed=1, batches=1))
    kernels.restart_sources(state, 3600.0)
    kernels.advance(state, 7200.0)
    # The car of 3600 s, and one every 40 s from 3620 s on.
    assert state.sums.car[0, 1] == 59 + 1 + 90
    with pytest.raises(ValueError, match="not in figures only"):
        retimed(state, engine.build(paced(60.0, extra=True), seed=1, batches=1))


def test_cars_that_wait_too_long_are_given_up_one_by_one() -> None:
    # One car in 30 s is wanted, one in 60 s is built: of 240 wanted in two hours half wait.
    state = started(engine.build(paced(30.0, cycle_s=60.0), seed=1, batches=1), 0)
    kernels.advance(state, 7200.0)
    dropped = np.zeros(1)
    kernels.drop_waiting(state, 7200.0 - 600.0, dropped)
    taken = int(state.sums.car[0, 0])
    # Of the 219 released before the last ten minutes all but those taken are given up.
    assert dropped[0] == 219 - taken
    kernels.drop_waiting(state, 7200.0 - 600.0, dropped)
    assert dropped[0] == 219 - taken
