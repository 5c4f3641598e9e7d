from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flow_oracle as oracle
from coachbuilder.plant.flow import FlowInputs, LineWork, engine, evaluate
from coachbuilder.plant.flow.loads import Setting
from coachbuilder.plant.flow.plant import Time, serial_line
from coachbuilder.plant.flow.shops import plant_of
from shop_plants import RAMP, plants

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


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
    result = evaluate(replace(inputs, ramp=replace(RAMP, weeks=4, pilot_weeks=1), launch_replications=1))
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
