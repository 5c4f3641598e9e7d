"""Statistics of a simulated plant: where the warm-up ends, how sure a rate is, and what the records add up to."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, t

from coachbuilder.plant.flow import simulate as simulation
from coachbuilder.plant.flow.answer import PlantAnswer
from coachbuilder.plant.flow.compare import compare
from coachbuilder.plant.flow.conclude import conclude
from coachbuilder.plant.flow.conventions import conventions
from coachbuilder.plant.flow.engine import machine_names
from coachbuilder.plant.flow.estimates import Moments, chance_above, chances_best, estimate_of, mser
from coachbuilder.plant.flow.plant import (
    Buffer,
    Calendar,
    CarType,
    FailedCar,
    Failure,
    FailureClock,
    MovingLine,
    Plant,
    Source,
    Station,
    Test,
    Time,
    Way,
    serial_line,
)
from coachbuilder.plant.flow.record import COMPLETE, NOT_CONSERVED, STANDSTILL, Records
from coachbuilder.plant.flow.recursion import kernels as recursion_kernels
from coachbuilder.plant.flow.reduction import Totals, exits_of, joined, names_of, reduced
from coachbuilder.plant.flow.sensitivity import sensitivity
from coachbuilder.plant.flow.simulate import grid_of, simulate

DAY_S = 86_400.0


def exponential_pair(places: int, second_s: float = 60.0) -> Plant:
    return serial_line([Time.exponential(60.0), Time.exponential(second_s)], [places])


def pair_rate_per_h(places: int, second_s: float = 60.0) -> float:
    """Two exponential machines, blocking after service: the second is an M/M/1 queue of at most ``places + 2`` cars."""
    ratio = second_s / 60.0
    states = places + 3
    idle = 1.0 / states if ratio == 1.0 else (1.0 - ratio) / (1.0 - ratio**states)
    return 3600.0 / second_s * (1.0 - idle)


def unreliable_line(machines: int = 6, places: int = 5) -> Plant:
    failure = (Failure("stop", Time.exponential(3000.0), Time.exponential(300.0)),)
    return serial_line([Time(60.0)] * machines, [places] * (machines - 1), failures=[failure] * machines)


# The end of the warm-up


def test_mser_makes_the_marginal_error_least_as_counted_by_hand() -> None:
    # Nothing cut: 8 / 4² = 0.5; one cut: (24 / 9) / 3² = 0.30; two cut: 2 / 2² = 0.5.
    assert mser(np.array([1.0, 3.0, 3.0, 5.0])) == (1, False)


def test_mser_cuts_a_known_transient_and_little_of_what_is_steady() -> None:
    random = np.random.default_rng(5)
    moments = np.arange(50)
    cuts = [mser(60.0 * (1.0 - np.exp(-(moments + 1) / 4.0)) + random.normal(0.0, 0.5, 50))[0] for _ in range(100)]
    # The transient is below the noise after 4 ln(60 / 0.5) = 19 batches, and above three times the noise before 15.
    assert min(cuts) >= 14
    assert np.mean(cuts) < 24
    steady = [mser(random.normal(60.0, 0.5, 50))[0] for _ in range(100)]
    assert np.median(steady) <= 3


def test_mser_tells_that_a_trend_has_no_steady_state() -> None:
    assert mser(np.arange(50.0)) == (25, True)


def test_mser_cuts_nothing_off_a_constant_series() -> None:
    assert mser(np.full(50, 59.999999999)) == (0, False)


def test_the_warm_up_of_an_empty_line_is_cut_off_and_told() -> None:
    line = serial_line([Time(60.0)] * 40, [2] * 39, transport_s=[120.0] * 39)
    answer = simulate(line, days=1.0, replications=1)
    # The first car leaves after 40 × 60 + 39 × 120 s = 1.97 h.
    assert 1.9 * 3600 <= answer.warm_up_s <= 3.0 * 3600
    assert answer.warm_up_rule == "MSER-5"
    assert answer.throughput_per_hour.mean == pytest.approx(60.0, rel=0.005)
    assert answer.warm_up_s + answer.counted_s == pytest.approx(DAY_S)


def test_batches_follow_the_shifts_so_that_the_shifts_do_not_look_like_a_transient() -> None:
    plant = replace(exponential_pair(2), calendars=(Calendar("week", ((0.0, 5 * DAY_S),), 7 * DAY_S),))
    assert grid_of(plant, 365.0, None).batch_s == 7 * DAY_S
    assert grid_of(plant, 365.0, None).batches == 52
    assert grid_of(plant, 3650.0, None).batch_s == 70 * DAY_S
    assert grid_of(plant, 30.0, None).batches == 4
    assert grid_of(plant, 20.0, None).batch_s == pytest.approx(0.4 * DAY_S)


# Confidence


def covered(rates: list[PlantAnswer], exact: float) -> int:
    return sum(
        abs(answer.throughput_per_hour.mean - exact) <= (answer.throughput_per_hour.ci95 or 0.0) for answer in rates
    )


@pytest.mark.parametrize("warm_up_h", [5.0, None])
def test_intervals_hold_the_known_rate_as_often_as_they_say(warm_up_h: float | None) -> None:
    plant = exponential_pair(3)
    answers = [simulate(plant, days=3.0, replications=10, warm_up_h=warm_up_h, seed=seed) for seed in range(200)]
    low, high = binom.ppf([0.001, 0.999], 200, 0.95)
    assert low <= covered(answers, pair_rate_per_h(3)) <= high


def test_intervals_from_one_long_run_hold_the_known_rate_nearly_as_often() -> None:
    plant = exponential_pair(1, 66.0)
    answers = [simulate(plant, days=20.0, replications=1, warm_up_h=5.0, seed=seed) for seed in range(200)]
    assert covered(answers, pair_rate_per_h(1, 66.0)) >= binom.ppf(0.001, 200, 0.93)
    assert answers[0].machines[0].jph.ci95 is None


def test_replications_are_added_until_the_precision_is_reached() -> None:
    answer = simulate(exponential_pair(3), days=2.0, replications=2, warm_up_h=2.0, precision=0.004)
    assert answer.throughput_per_hour.ci95 is not None
    assert answer.throughput_per_hour.ci95 <= 0.004 * answer.throughput_per_hour.mean
    assert answer.replications >= simulation.FEWEST_FOR_PRECISION
    assert f"stopped after {answer.replications} replications" in answer.remarks[0]


def test_the_most_replications_end_a_simulation_that_does_not_reach_its_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(simulation, "MOST_REPLICATIONS", 30)
    answer = simulate(exponential_pair(3), days=0.2, warm_up_h=0.0, precision=1e-5)
    assert answer.replications == 30
    assert "most replications" in answer.remarks[0]


def test_portions_are_as_many_replications_as_the_recursion_runs_at_once() -> None:
    assert simulation.runner_of(exponential_pair(1)).together == recursion_kernels.LANES
    assert simulation.runner_of(small_plant()).together == 1


def test_replications_run_in_rounds_are_those_run_at_once() -> None:
    plant = exponential_pair(2)
    rounds = simulate(plant, days=1.0, warm_up_h=1.0, precision=0.01)
    at_once = simulate(plant, days=1.0, warm_up_h=1.0, replications=rounds.replications)
    assert rounds.throughput_per_hour == at_once.throughput_per_hour


def test_the_answer_does_not_depend_on_the_number_of_threads() -> None:
    one, two = (simulate(unreliable_line(), days=1.0, replications=23, threads=threads) for threads in (1, 2))
    for item in fields(PlantAnswer):
        if item.name == "hourly_output":
            assert np.array_equal(one.hourly_output, two.hourly_output)
        else:
            assert getattr(one, item.name) == getattr(two, item.name)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.data())
def test_moments_of_parts_joined_are_those_of_the_whole(values: list[float], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(values) - 1))
    array = np.array(values)[:, None]
    both = Moments.of(array[:cut]).joined(Moments.of(array[cut:]))
    assert both.mean == pytest.approx(array.mean(axis=0), abs=1e-9)
    assert both.squares == pytest.approx(Moments.of(array).squares, abs=1e-6)


def test_students_interval_is_the_published_one() -> None:
    values = np.array([1.2, 0.9, 1.4, 1.1, 1.3])
    low, high = t.interval(0.95, 4, values.mean(), values.std(ddof=1) / np.sqrt(5))
    assert estimate_of(values).ci95 == pytest.approx((high - low) / 2)


def test_the_chance_of_being_best_of_two_is_that_of_the_paired_t_test() -> None:
    random = np.random.default_rng(3)
    luck = random.normal(0.0, 5.0, 12)
    values = np.array([60.0 + luck + random.normal(0.0, 0.3, 12), 60.1 + luck + random.normal(0.0, 0.3, 12)])
    assert chances_best(values)[1] == pytest.approx(chance_above(values[1] - values[0]), abs=0.02)


# The same luck


def test_paired_differences_vary_far_less_than_those_of_separate_runs() -> None:
    line = unreliable_line()
    faster = replace(
        line, stations=(*line.stations[:3], replace(line.stations[3], cycle=(Time(58.0),)), *line.stations[4:])
    )
    roomier = replace(line, buffers=(replace(line.buffers[0], places=6), *line.buffers[1:]))
    answer = compare(line, {"faster": faster, "roomier": roomier}, days=5.0, warm_up_h=5.0, replications=20)
    for variant in answer.variants:
        assert variant.luck_removed > 0.9
        assert variant.chance_better > 0.95


def test_the_difference_holds_the_known_one() -> None:
    answer = compare(
        exponential_pair(2), {"third": exponential_pair(3)}, days=30.0, warm_up_h=5.0, replications=30, seed=4
    )
    exact = pair_rate_per_h(3) - pair_rate_per_h(2)
    difference = answer.variants[0].difference_per_hour
    assert difference.ci95 is not None
    assert difference.ci95 < 0.15
    assert abs(difference.mean - exact) < 1.7 * difference.ci95


def test_a_plant_does_not_differ_from_itself() -> None:
    same = compare(exponential_pair(2), {"same": exponential_pair(2)}, days=1.0, replications=5).variants[0]
    assert (same.difference_per_hour.mean, same.difference_per_hour.ci95, same.chance_better) == (0.0, 0.0, 0.5)


def test_a_second_is_worth_what_the_known_rate_says() -> None:
    answer = sensitivity(exponential_pair(2, 66.0), days=60.0, replications=20, warm_up_h=5.0)
    exact = pair_rate_per_h(2, 65.0) - pair_rate_per_h(2, 66.0)
    gain = next(item for item in answer.stations if item.station == "m2").second_less_per_hour
    assert gain.ci95 is not None
    assert gain.ci95 < 0.1 * exact
    assert abs(gain.mean - exact) < 1.7 * gain.ci95
    assert answer.stations[0].station == "m2"
    assert answer.stations[0].chance_first > 0.99


def test_a_point_of_availability_is_worth_a_point_of_the_rate_of_a_lone_machine() -> None:
    failure = (Failure("stop", Time.exponential(5400.0), Time.exponential(600.0)),)
    answer = sensitivity(serial_line([Time(60.0)], [], failures=[failure]), days=60.0, warm_up_h=5.0)
    point = answer.stations[0].point_more_per_hour
    assert point is not None
    assert point.mean == pytest.approx(0.6, rel=0.05)


# What the records add up to


def small_plant() -> Plant:
    """Two body machines feed a paint booth whose test sends cars to repair, which sends them back."""
    return Plant(
        types=(CarType("a.red", "a"), CarType("a.blue", "a"), CarType("b", "b")),
        stations=(
            Station("weld", (Time(100.0),), (Way(("to_paint",)),), shop="body", machines=2),
            Station(
                "booth",
                (Time(40.0), Time(50.0), Time(60.0)),
                (Way(()),),
                shop="paint",
                test=Test((0.8,), ("to_repair",), retest_yield=1.0),
            ),
            Station("repair", (Time(200.0),), (Way(("to_paint",)),), shop="paint"),
        ),
        sources=(Source("source", "weld"),),
        buffers=(Buffer("to_paint", "booth", 3), Buffer("to_repair", "repair", 2)),
        shop_names={"body": "Body shop"},
    )


def small_records(replications: int = 2, ended: int = COMPLETE) -> Records:
    """Two batches of an hour; every replication is the same but for one more car in the second half of each."""
    machine = np.zeros((replications, 3, 4, 9))
    # weld.1 works, weld.2 is blocked half of the time, the booth is in repair for a tenth, repair is starved.
    machine[:, 1:, 0, 0] = [3600.0, 7200.0]
    machine[:, 1:, 1, 0] = machine[:, 1:, 1, 2] = [1800.0, 3600.0]
    machine[:, 1:, 2, 0] = [2400.0, 4800.0]
    machine[:, 1:, 2, 1] = [360.0, 720.0]
    machine[:, 1:, 2, 7:] = [[1200.0, 4.0], [2400.0, 8.0]]
    finished = np.zeros((replications, 3, 4, 3), dtype=np.int64)
    finished[:, 1:, 0, 0] = [36, 72]
    finished[:, 1:, 1, 2] = [18, 36]
    finished[:, 1:, 2] = [[30, 10, 20], [60, 20, 40]]
    car = np.zeros((replications, 3, 3, 6), dtype=np.int64)
    car[:, 1:, 0, 1] = [20, 40 + 1]
    car[:, 1:, 2, 1] = [30, 60]
    car[:, 1:, 0, 4:] = [[25, 20], [50, 40]]
    out = np.zeros((replications, 10, 3), dtype=np.int64)
    out[:, :, 0] = 4
    out[:, :, 2] = 6
    out[:, 9, 0] += 1
    lead = np.zeros((replications, 3, 3))
    lead[:, 1:, 0] = [2000.0, 4100.0]
    ends = np.full(replications, ended)
    level = np.zeros((replications, 3, 2))
    level[:, 1:, 0] = [3600.0, 7200.0]
    return Records(
        start_s=0.0,
        batch_s=3600.0,
        out=out,
        machine=machine,
        finished=finished,
        level=level,
        inside=np.broadcast_to([0.0, 7200.0, 14400.0], (replications, 3)).copy(),
        car=car,
        lead=lead,
        place=np.zeros((replications, 3, 0, 3)),
        carriers=np.zeros((replications, 3, 0)),
        ended=ends,
        stuck=np.full(replications, 1 if ended == STANDSTILL else -1),
        stuck_s=np.full(replications, 5400.0),
        at_start=np.zeros((replications, 3), dtype=np.int64),
        remaining=np.ones((replications, 3), dtype=np.int64),
        events=np.full(replications, 10),
    )


def small_answer(cut: int, ended: int = COMPLETE) -> PlantAnswer:
    exits = exits_of(small_plant())
    totals = joined([reduced(small_records(2, ended), exits), reduced(small_records(1, ended), exits)])
    return conclude(small_plant(), totals, cut, warm_up_rule="given", engine="event calendar")


def test_rates_levels_and_lead_times_count_from_the_cut_on() -> None:
    answer = small_answer(cut=1)
    assert answer.throughput_per_hour.mean == pytest.approx(51.0)
    assert answer.counted_s == 3600.0
    assert answer.models[0].throughput_per_hour.mean == pytest.approx(21.0)
    assert answer.models[0].lead_time_s == pytest.approx(2100.0 / 21)
    assert answer.models[0].first_pass_yield == pytest.approx(0.8)
    assert answer.models[0].cars_out == 3 * 41
    assert answer.models[0].cars_inside == 3 * 2
    assert answer.work_in_progress_cars.mean == pytest.approx(2.0)
    assert answer.buffers[0].mean_level == pytest.approx(1.0)
    assert answer.hourly_output[:2].tolist() == pytest.approx([50.0, 50.0])
    assert small_answer(cut=0).throughput_per_hour.mean == pytest.approx(50.5)


def test_shares_of_time_add_up_and_active_periods_are_those_that_ended() -> None:
    answer = small_answer(cut=0)
    for machine in answer.machines:
        shares = [machine.utilisation, machine.down, machine.blocked, machine.starved]
        assert sum(shares) == pytest.approx(1.0)
    booth = answer.machines[2]
    assert (booth.down, booth.starved) == (pytest.approx(0.1), pytest.approx(0.9 - 2.0 / 3.0))
    assert booth.active_period_s == pytest.approx(300.0)
    assert answer.machines[0].active_period_s == pytest.approx(7200.0)


def test_oee_is_availability_times_performance_times_quality_as_counted_by_hand() -> None:
    booth = small_answer(cut=0).oee[1]
    # 30 × 40 + 10 × 50 + 20 × 60 s of ideal work in 3,240 s that are not down; 20 of 60 tries an hour passed at first.
    assert booth.availability == pytest.approx(0.9)
    assert booth.performance == pytest.approx(2900.0 / 3240.0)
    assert booth.quality == pytest.approx(20.0 / 60.0)
    assert booth.oee == pytest.approx(0.9 * 2900.0 / 3240.0 / 3.0)
    weld = small_answer(cut=0).oee[0]
    assert weld.performance == pytest.approx(54 * 100.0 / 7200.0)


def test_a_shop_counts_the_cars_that_go_out_of_it() -> None:
    body, paint = small_answer(cut=0).shops
    assert (body.name, body.jph.mean) == ("Body shop", pytest.approx(54.0))
    assert body.jph_by_model == (pytest.approx(36.0), pytest.approx(18.0))
    # A car takes 1 + 0.2 tries on average, and repair sends its cars back into the shop.
    assert paint.jph.mean == pytest.approx(60.0 / 1.2)
    assert body.utilisation == pytest.approx(0.75)


def test_rows_are_called_as_the_engine_calls_them() -> None:
    plant = replace(small_plant(), stations=(*small_plant().stations, MovingLine("line", 3, (Time(60.0),))))
    names = names_of(plant)
    assert names.machines == tuple(name for station in plant.stations for name in machine_names(station))
    assert names.machine_station == (0, 0, 1, 2, 3)
    assert names.places == ("line.1", "line.2", "line.3")


def test_a_simulated_plant_keeps_its_cars_and_its_time() -> None:
    plant = replace(small_plant(), buffers=(Buffer("to_paint", "booth", 3), Buffer("to_repair", "repair", 30)))
    answer = simulate(plant, days=3.0, replications=4)
    assert answer.standstill == ""
    for model in answer.models:
        cars_gone = model.cars_out + model.cars_given_up + model.cars_lost
        assert model.cars_at_start + model.cars_in == cars_gone + model.cars_inside
    for machine in answer.machines:
        assert machine.utilisation + machine.down + machine.blocked + machine.starved == pytest.approx(1.0)
    # All cars go out through the paint shop, whose own count rests on expected shares.
    assert answer.shops[-1].jph.mean == pytest.approx(answer.throughput_per_hour.mean, rel=0.01)
    assert sum(model.throughput_per_hour.mean for model in answer.models) == pytest.approx(
        answer.throughput_per_hour.mean
    )
    # Little's law over the whole plant.
    assert answer.lead_time_s is not None
    cars_inside = answer.throughput_per_hour.mean * answer.lead_time_s.mean / 3600.0
    assert answer.work_in_progress_cars.mean == pytest.approx(cars_inside, rel=0.01)


def test_a_standstill_names_the_stations_that_wait_for_each_other() -> None:
    told = small_answer(cut=0, ended=STANDSTILL).standstill
    assert "3 of 3 runs stand still for good, the first after 1.5 h" in told
    assert "booth, repair wait for each other" in told
    assert small_answer(cut=0).standstill == ""


def test_lost_cars_are_a_fault_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Records:
        return small_records(1, NOT_CONSERVED)

    monkeypatch.setattr(simulation, "runner_of", lambda *_: simulation.Runner("event calendar", broken, 1))
    with pytest.raises(RuntimeError, match="lost count"):
        simulate(small_plant(), days=1.0, replications=1)


def test_totals_are_small_whatever_the_number_of_replications() -> None:
    few, many = (reduced(small_records(count), exits_of(small_plant())) for count in (1, 50))
    for name in ("machine", "finished", "place", "shop_types"):
        assert getattr(few, name).shape == getattr(many, name).shape
    assert isinstance(few, Totals)


@pytest.mark.parametrize(
    "arguments",
    [{"replications": 0}, {"days": 0.0}, {"warm_up_h": -1.0}, {"precision": 1.5}, {"engine": "steam"}],
)
def test_arguments_out_of_range_are_named(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments)).split("_")[0]):
        simulate(exponential_pair(1), **{"days": 1.0, **arguments})  # type: ignore[arg-type]


# Conventions


def test_conventions_are_those_of_the_plant_at_hand() -> None:
    plain = conventions(exponential_pair(2))
    assert any("blocking after service" in line for line in plain)
    assert not any("failures" in line or "moving line" in line for line in plain)
    assert plain[-1] == "the clock counts working time only"
    failure = Failure("stop", Time(1.0), Time(1.0), FailureClock.PLANT, FailedCar.SCRAP)
    line = MovingLine("assembly", 3, (Time(60.0),), failures=(failure,))
    plant = Plant(
        (CarType("car"),),
        (line,),
        (Source("source", "assembly", interval=Time(60.0)),),
        calendars=(Calendar("day", ((0.0, 100.0),), 200.0),),
    )
    told = " | ".join(conventions(plant))
    for words in ("at any time", "given up", "empty place", "come from source", "day and night"):
        assert words in told
    assert "during operation" not in told
