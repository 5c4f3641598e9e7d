from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coachbuilder.plant.flow import FlowInputs, evaluate, kernels, simulate_line
from coachbuilder.plant.flow.interface import RampInputs, RampStep, Shop
from coachbuilder.plant.flow.line import line_network
from coachbuilder.plant.flow.loads import Setting
from coachbuilder.plant.flow.network import build
from coachbuilder.programme.sections.flow import Release, ShopKind

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def _twin_module() -> ModuleType:
    name = "flow_twin"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent.parent / "flow_twin.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


twin = _twin_module()

RAMP = RampInputs(
    weeks=60,
    pilot_weeks=4,
    pilot_units_per_week=20.0,
    learning_rate=0.8,
    learning_reference_units=100.0,
    initial_cycle_multiplier=1.6,
    plateau_cycle_multiplier=1.0,
    initial_first_pass_yield=0.6,
    steps=(RampStep(4, 0.3, 0.9), RampStep(6, 0.7, 1.0)),
)


def _shop(shop_id: str, kind: ShopKind, **values: object) -> Shop:
    plain = Shop(
        id=shop_id,
        name=shop_id,
        kind=kind,
        passes=(True, True, True),
        stages=1,
        parallel=1,
        buffer_between=0,
        buffer_after=0,
        conveyor_places=0,
        exponential=False,
        cycle_time_s=() if kind is ShopKind.ASSEMBLY else (60.0, 60.0, 60.0),
        mtbf_s=None,
        mttr_s=None,
        first_pass_yield=(),
        retest_yield=1.0,
        rework="",
        rejoin="",
        scrap_share=0.0,
    )
    return replace(plain, **values)  # type: ignore[arg-type]


@st.composite
def plants(draw: st.DrawFn) -> FlowInputs:
    """Small plants with everything that the network knows: merges, conveyors, parallel machines, a rework loop."""
    cycle = st.sampled_from([40.0, 60.0, 60.0, 75.0, 90.5])

    def machines() -> dict[str, object]:
        fails = draw(st.booleans())
        return {
            "stages": draw(st.integers(1, 3)),
            "parallel": draw(st.integers(1, 3)),
            "buffer_between": draw(st.integers(0, 2)),
            "buffer_after": draw(st.integers(0, 4)),
            "exponential": draw(st.booleans()),
            "mtbf_s": draw(st.sampled_from([300.0, 2000.0])) if fails else None,
            "mttr_s": draw(st.sampled_from([60.0, 500.0])) if fails else None,
        }

    def times() -> tuple[float, ...]:
        return tuple(draw(cycle) for _ in range(3))

    own_line = draw(st.booleans())
    shops = [_shop("body", ShopKind.BODY, **machines(), cycle_time_s=times(), passes=(True, True, not own_line))]
    if own_line:
        shops.append(
            _shop("guest_body", ShopKind.BODY, **machines(), cycle_time_s=times(), passes=(False, False, True))
        )
    shops.append(
        _shop("paint", ShopKind.PAINT, **machines(), cycle_time_s=times(), conveyor_places=draw(st.integers(0, 6)))
    )
    shops.append(_shop("assembly", ShopKind.ASSEMBLY, **machines()))
    rejoin = draw(st.sampled_from(["", "test", "assembly"]))
    shops.append(
        _shop(
            "test",
            ShopKind.TEST,
            **machines(),
            cycle_time_s=times(),
            rework="rework",
            first_pass_yield=tuple(draw(st.sampled_from([0.4, 0.9, 1.0])) for _ in range(3)),
            retest_yield=draw(st.sampled_from([0.6, 1.0])) if rejoin else 1.0,
        )
    )
    shops.append(
        _shop(
            "rework",
            ShopKind.REWORK,
            **machines(),
            cycle_time_s=times(),
            rejoin=rejoin,
            scrap_share=draw(st.sampled_from([0.0, 0.2])),
        )
    )
    return FlowInputs(
        models=("h6", "goodcat", "guest"),
        guest_model="guest",
        planned_units_per_year=(60_000.0, draw(st.sampled_from([0.0, 25_000.0])), 40_000.0),
        shops=tuple(shops),
        assembly_takt_s=draw(cycle),
        resident_only_takt_s=90.0,
        net_hours_per_day=8.0,
        working_days_per_year=250.0,
        release=draw(st.sampled_from(list(Release))),
        ramp=RAMP,
        replications=2,
        days=1.0,
        warm_up_days=0.2,
        seed=draw(st.integers(0, 1000)),
    )


def _traced(network: kernels.Network, until_s: float, rows: int = 20_000) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    trace = np.zeros((rows, 4))
    machines, lanes, tally, clock = kernels.run_once(network, 0, 0.0, until_s, 10**7, trace)
    return trace[: int(clock["trace_row"][0])], (machines, lanes, tally, clock)


@SLOW
@given(plants())
def test_kernel_and_twin_agree_event_for_event(inputs: FlowInputs) -> None:
    network = build(inputs, Setting(inputs.planned_units_per_year, inputs.assembly_takt_s)).network
    until_s = 4 * 3600.0
    trace, (machines, lanes, tally, clock) = _traced(network, until_s)
    slow = twin.Twin(network, 0)
    slow.run(until_s)
    expected = np.array(slow.trace).reshape(-1, 4)[: trace.shape[0]]
    assert trace.shape[0] > 20
    assert len(slow.trace) == trace.shape[0]
    np.testing.assert_array_equal(trace[:, 1:], expected[:, 1:])
    np.testing.assert_allclose(trace[:, 0], expected[:, 0], rtol=1e-12)
    assert int(tally["cars_in"].sum()) == slow.entered
    assert int(tally["cars_out"].sum()) == slow.left
    assert int(tally["cars_scrapped"].sum()) == slow.scrapped
    assert int(clock["inside"][0]) == slow.inside()
    assert [len(lane.cars) for lane in slow.lanes] == lanes["count"].tolist()
    shares = [slow.shares(machine, 0.0, until_s) for machine in slow.machines]
    found = np.stack([machines[name] / until_s for name in ("working_s", "down_s", "blocked_s")], axis=1)
    np.testing.assert_allclose(found, np.array(shares), atol=1e-9)


@SLOW
@given(plants())
def test_time_shares_after_a_warm_up_agree_with_the_twin(inputs: FlowInputs) -> None:
    network = build(inputs, Setting(inputs.planned_units_per_year, inputs.assembly_takt_s)).network
    warm_s, end_s = 2000.0, 9000.0
    machines, *_ = kernels.run_once(network, 3, warm_s, end_s - warm_s, 10**7, np.zeros((0, 4)))
    slow = twin.Twin(network, 3)
    slow.run(end_s)
    shares = [slow.shares(machine, warm_s, end_s) for machine in slow.machines]
    found = np.stack([machines[name] / (end_s - warm_s) for name in ("working_s", "down_s", "blocked_s")], axis=1)
    np.testing.assert_allclose(found, np.array(shares), atol=1e-9)


@settings(SLOW, max_examples=25)
@given(plants())
def test_cars_are_conserved_and_shares_fill_the_hour(inputs: FlowInputs) -> None:
    result = evaluate(inputs)
    assert result.cars_at_start + result.cars_in == result.cars_out + result.cars_scrapped + result.cars_inside
    for machine in result.machines:
        total = machine.working_share + machine.down_share + machine.blocked_share + machine.starved_share
        assert total == pytest.approx(1.0, abs=1e-9)
        assert min(machine.working_share, machine.down_share, machine.blocked_share) >= -1e-9
    for buffer in result.buffers:
        assert -1e-9 <= buffer.mean_level <= buffer.capacity + 1e-9


@settings(SLOW, max_examples=40)
@given(
    st.lists(st.floats(10.0, 200.0), min_size=2, max_size=5).flatmap(
        lambda cycles: st.tuples(
            st.just(cycles),
            st.lists(st.integers(0, 4), min_size=len(cycles) - 1, max_size=len(cycles) - 1),
            st.integers(0, len(cycles) - 2),
        )
    ),
    st.integers(0, 100),
)
def test_another_place_never_slows_a_serial_line(line: tuple[list[float], list[int], int], seed: int) -> None:
    cycles, buffers, where = line
    more = [places + (index == where) for index, places in enumerate(buffers)]

    def departures(places: list[int]) -> np.ndarray:
        trace, _ = _traced(line_network(cycles, places, exponential=True, seed=seed), 20_000.0)
        return trace[trace[:, 3] == kernels.LEFT, 0]

    small, large = departures(buffers), departures(more)
    assert large.size >= small.size
    assert np.all(large[: small.size] <= small * (1 + 1e-12))


@settings(SLOW, max_examples=30)
@given(
    st.lists(st.floats(20.0, 200.0), min_size=2, max_size=4),
    st.integers(0, 3),
    st.booleans(),
    st.booleans(),
)
def test_serial_line_follows_the_departure_recursion(
    cycles: list[float], places: int, exponential: bool, fails: bool
) -> None:
    """D(j, n) = max(D(j, n-1) free, D(j-1, n) arrived) + service, and no earlier than the place ahead is free."""
    count = len(cycles)
    network = line_network(
        cycles,
        [places] * (count - 1),
        exponential=exponential,
        mtbf_s=[400.0] * count if fails else None,
        mttr_s=[100.0] * count if fails else None,
        seed=5,
    )
    trace, _ = _traced(network, 10_000.0)
    simulated = trace[trace[:, 3] == kernels.LEFT, 0]
    service = [_service_times(network, machine, simulated.size + 50) for machine in range(count)]
    left = np.zeros((count, simulated.size))
    for car in range(simulated.size):
        arrived = 0.0
        for machine in range(count):
            free = left[machine, car - 1] if car else 0.0
            done = max(arrived, free) + service[machine][car]
            if machine < count - 1 and car > places:
                # The car must find a place: machine + 1 must have let go of the car places + 1 ahead.
                done = max(done, left[machine + 1, car - 1 - places])
            left[machine, car] = arrived = done
    np.testing.assert_allclose(simulated, left[-1], rtol=1e-10)


def _service_times(network: kernels.Network, machine: int, count: int) -> list[float]:
    cell = network.cell[machine]
    key = int(network.machine["key"][machine])
    service, failure, repair = (twin.Stream(key, purpose, 0) for purpose in (1, 2, 3))
    mean = float(network.cell_model["cycle_s"][machine, 0])
    left = cell["mtbf_s"] * failure.exponential() if cell["mtbf_s"] > 0 else np.inf
    times = []
    for _ in range(count):
        work = mean * (service.exponential() if cell["exponential"] else 1.0)
        down, rest = 0.0, work
        while left <= rest:
            rest -= left
            down += cell["mttr_s"] * repair.exponential()
            left = cell["mtbf_s"] * failure.exponential()
        left -= rest
        times.append(work + down)
    return times


@settings(SLOW, max_examples=15)
@given(st.integers(0, 10_000))
def test_a_changed_machine_leaves_the_luck_of_the_others_alone(seed: int) -> None:
    def starts(cycle_s: float) -> np.ndarray:
        trace, _ = _traced(line_network([60.0, cycle_s], [100_000], exponential=True, seed=seed), 5_000.0)
        return trace[(trace[:, 3] == kernels.FINISHED) & (trace[:, 1] == 0), 0]

    np.testing.assert_array_equal(starts(50.0), starts(70.0))


def test_answers_do_not_depend_on_threads() -> None:
    def line(threads: int) -> float:
        return simulate_line([60.0] * 3, [1, 1], hours=100.0, exponential=True, replications=20, threads=threads)

    one, four = line(1), line(4)
    np.testing.assert_array_equal(one.working_share, four.working_share)
    assert one.throughput_per_h == four.throughput_per_h
