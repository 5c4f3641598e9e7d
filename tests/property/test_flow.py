from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flow_oracle as oracle
from coachbuilder.plant.flow import FlowInputs, LineWork, engine, evaluate
from coachbuilder.plant.flow.interface import RampInputs, RampStep, Shop
from coachbuilder.plant.flow.loads import Setting
from coachbuilder.plant.flow.plant import Time, serial_line
from coachbuilder.plant.flow.shops import plant_of
from coachbuilder.programme.sections.flow import Release, ShopKind

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


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
    assembly = {**machines(), "parallel": 1, "conveyor_places": draw(st.integers(0, 7))}
    shops.append(_shop("assembly", ShopKind.ASSEMBLY, **assembly))
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


def _events(rows: object) -> np.ndarray:
    """Return starts, ends and exits of cars: who holds a car is told by the sums."""
    events = np.asarray(rows, dtype=np.float64).reshape(-1, 5)
    return np.asarray(events[(events[:, 4] != oracle.HELD) & (events[:, 4] < oracle.FAILED)])


def _work(draw: st.DrawFn) -> LineWork | None:
    if draw(st.booleans()):
        return None
    seconds = st.sampled_from([0.0, 30.0, 58.0, 61.0, 77.0])
    rows = draw(st.integers(1, 5))
    return LineWork(
        work_s=tuple(tuple(draw(seconds) for _ in range(3)) for _ in range(rows)),
        station_length_share=draw(st.sampled_from([1.0, 1.2])),
        utility_workers=draw(st.integers(0, 1)),
        stops=draw(st.booleans()),
        order=draw(st.sampled_from([(), ("h6", "guest", "h6", "goodcat")])),
    )


@settings(SLOW, max_examples=40)
@given(st.data(), plants())
def test_the_plant_of_the_shops_runs_as_the_oracle_says(data: st.DataObject, inputs: FlowInputs) -> None:
    setting = Setting(inputs.planned_units_per_year, inputs.assembly_takt_s, guest_cycle_multiplier=1.5)
    plant = plant_of(inputs, setting, _work(data.draw)).plant
    found = _events(engine.trace(plant, seed=inputs.seed, replication=1, until_s=6000.0, rows=20_000))
    expected = _events(oracle.trace(plant, seed=inputs.seed, replication=1, until_s=6000.0))
    np.testing.assert_array_equal(found[:, 1:], expected[:, 1:])
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=1e-9, atol=1e-9)


@settings(SLOW, max_examples=25)
@given(plants())
def test_cars_are_conserved_and_shares_fill_the_hour(inputs: FlowInputs) -> None:
    result = evaluate(replace(inputs, quick=True))
    assert result.cars_at_start + result.cars_in == result.cars_out + result.cars_scrapped + result.cars_inside
    for machine in result.machines:
        shares = (
            machine.working_share,
            machine.down_share,
            machine.blocked_share,
            machine.stopped_share,
            machine.starved_share,
        )
        assert sum(shares) == pytest.approx(1.0, abs=1e-9)
        assert min(shares) >= -1e-9
    for buffer in result.buffers:
        assert -1e-9 <= buffer.mean_level <= buffer.capacity + 1e-9
    for shop in result.shops:
        assert shop.mean_cars >= -1e-9


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
        plant = serial_line([Time.exponential(cycle) for cycle in cycles], places)
        trace = np.asarray(engine.trace(plant, seed=seed, replication=0, until_s=20_000.0, rows=50_000))
        return np.asarray(trace[trace[:, 4] == oracle.LEFT, 0])

    small, large = departures(buffers), departures(more)
    assert large.size >= small.size
    assert np.all(large[: small.size] <= small * (1 + 1e-12))
