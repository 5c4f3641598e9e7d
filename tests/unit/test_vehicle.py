"""The vehicle stage: what it computes and what it says when a car cannot do it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.vehicle import (
    CYCLES,
    RoadLoad,
    VehicleInputs,
    cycle_energy,
    cycle_speed_mps,
    epa_label_range_km,
    evaluate,
    generic_car,
)
from coachbuilder.vehicle.evaluate import charge_min


@pytest.fixture
def car() -> VehicleInputs:
    return generic_car(test_mass_kg=1800, peak_kw=150, usable_kwh=60)


def _lossless(car: VehicleInputs, **changes: float) -> VehicleInputs:
    drive = dataclasses.replace(
        car.powertrain,
        gear_efficiency=1.0,
        copper_loss_share=1e-12,
        iron_loss_share=1e-12,
        inverter_loss_share=1e-12,
        accessory_w=0.0,
        regeneration_share=1.0,
        regeneration_limit_kw=1e4,
        regeneration_fade_kmh=1e-6,
        resistance_ohm=1e-9,
        peak_torque_nm=1e5,
        peak_kw=1e4,
        largest_speed_per_min=1e6,
    )
    return dataclasses.replace(car, powertrain=dataclasses.replace(drive, **changes))


@pytest.mark.parametrize(
    ("name", "seconds", "distance_km", "top_kmh"),
    [("UDDS", 1369, 11.99, 91.25), ("HWFET", 765, 16.51, 96.4), ("WLTC 3b", 1800, 23.266, 131.3)],
)
def test_traces_have_their_official_length_distance_and_top_speed(
    name: str, seconds: int, distance_km: float, top_kmh: float
) -> None:
    speed = cycle_speed_mps(name)
    assert len(speed) - 1 == seconds
    assert speed.sum() / 1000 == pytest.approx(distance_km, rel=2e-3)
    assert speed.max() * 3.6 == pytest.approx(top_kmh, rel=1e-3)


def test_energy_out_of_the_cells_is_accounted_for_to_the_last_joule(car: VehicleInputs) -> None:
    for cycle in evaluate(car).cycles:
        parts = dataclasses.astuple(cycle.energy)
        assert sum(parts) == pytest.approx(cycle.battery_kwh_per_100km, rel=1e-9)
        assert min(parts) > 0
        assert cycle.energy_kwh[-1] * 100 / cycle.distance_km == pytest.approx(cycle.battery_kwh_per_100km, rel=1e-9)


def test_without_losses_only_road_load_remains_because_kinetic_energy_comes_back(car: VehicleInputs) -> None:
    ideal = _lossless(car)
    for name in CYCLES:
        cycle = cycle_energy(ideal, name)
        road = cycle.energy.aerodynamic_kwh_per_100km + cycle.energy.rolling_kwh_per_100km
        assert cycle.battery_kwh_per_100km == pytest.approx(road, rel=1e-6)


def test_rolling_energy_is_the_closed_form_of_a_constant_force(car: VehicleInputs) -> None:
    constant = dataclasses.replace(_lossless(car), road_load=RoadLoad(360.0, 0.0, 0.0))
    assert cycle_energy(constant, "UDDS").battery_kwh_per_100km == pytest.approx(10.0, rel=1e-6)


def test_acceleration_under_constant_force_is_mass_times_speed_over_force(car: VehicleInputs) -> None:
    ideal = dataclasses.replace(
        _lossless(car, peak_torque_nm=500.0, gear_ratio=10.0, wheel_radius_m=0.5, peak_kw=1e5),
        road_load=RoadLoad(0.0, 0.0, 0.0),
        tyre_friction_coefficient=50.0,
        load_transfer_share=0.0,
    )
    expected = 1800 * 1.03 * (100 / 3.6) / (500 * 10 / 0.5)
    assert evaluate(ideal).zero_to_100_s == pytest.approx(expected, rel=1e-9)


def test_acceleration_at_constant_power_is_kinetic_energy_over_power(car: VehicleInputs) -> None:
    ideal = dataclasses.replace(
        _lossless(car, peak_torque_nm=1e7, peak_kw=100.0),
        road_load=RoadLoad(0.0, 0.0, 0.0),
        tyre_friction_coefficient=1e4,
        load_transfer_share=0.0,
    )
    expected = 0.5 * 1800 * 1.03 * (100 / 3.6) ** 2 / 1e5
    assert evaluate(ideal).zero_to_100_s == pytest.approx(expected, rel=1e-3)


def test_top_speed_is_where_power_meets_road_load(car: VehicleInputs) -> None:
    fast = dataclasses.replace(car, powertrain=dataclasses.replace(car.powertrain, largest_speed_per_min=1e6))
    v = evaluate(fast).top_speed_kmh / 3.6
    load = fast.road_load
    power = v * (load.a_n + load.b_n_per_mps * v + load.c_n_per_mps2 * v**2)
    assert power == pytest.approx(150e3 * fast.powertrain.gear_efficiency, rel=1e-6)


def test_charging_time_is_the_integral_over_the_taper(car: VehicleInputs) -> None:
    charge = np.linspace(0.1, 0.8, 200_001)
    middle = 0.5 * (charge[1:] + charge[:-1])
    start, end = car.taper_from_share, car.power_at_full_share
    power = car.dc_peak_kw * np.where(middle < start, 1.0, 1 - (middle - start) / (1 - start) * (1 - end))
    expected = float((np.diff(charge) * car.usable_kwh / power).sum() * 60)
    assert charge_min(car, 0.1, 0.8) == pytest.approx(expected, rel=1e-8)


def test_label_range_is_seven_tenths_of_the_weighted_cycles() -> None:
    assert epa_label_range_km(60.0, 12.0, 15.0) == pytest.approx(0.7 * (0.55 * 500 + 0.45 * 400))


def test_a_car_that_cannot_follow_a_trace_says_so_and_gets_no_range() -> None:
    weak = evaluate(generic_car(test_mass_kg=2500, peak_kw=18, usable_kwh=60))
    assert weak.epa_label_range_km is None
    assert weak.wltp_range_km is None
    assert weak.cltc_range_estimate_km is None
    assert any("cannot follow" in text for text in weak.warnings)


def test_a_car_that_never_reaches_100_kmh_says_so() -> None:
    crawler = generic_car(test_mass_kg=2500, peak_kw=8, usable_kwh=60)
    result = evaluate(crawler)
    assert result.zero_to_100_s is None
    assert result.top_speed_kmh < 100
    assert any("100 km/h" in text for text in result.warnings)


def test_a_pack_that_cannot_deliver_is_told_and_gives_no_nan(car: VehicleInputs) -> None:
    tired = dataclasses.replace(car, powertrain=dataclasses.replace(car.powertrain, resistance_ohm=2.0))
    result = evaluate(tired)
    assert result.warnings
    for cycle in result.cycles:
        assert np.isfinite(cycle.battery_power_kw).all()


@settings(max_examples=40, deadline=None)
@given(mass=st.floats(1000, 3000), extra=st.floats(1, 500), power=st.floats(100, 400), drag=st.floats(0.2, 0.6))
def test_a_heavier_car_or_one_with_more_drag_never_uses_less(
    mass: float, extra: float, power: float, drag: float
) -> None:
    def consumption(test_mass_kg: float, c: float) -> list[float]:
        load = RoadLoad(test_mass_kg * 0.08, 0.0, c)
        result = evaluate(generic_car(test_mass_kg=test_mass_kg, peak_kw=power, road_load=load))
        return [cycle.battery_kwh_per_100km for cycle in result.cycles]

    light = consumption(mass, drag)
    assert all(a < b for a, b in zip(light, consumption(mass + extra, drag), strict=True))
    assert all(a < b for a, b in zip(light, consumption(mass, drag * 1.05), strict=True))
