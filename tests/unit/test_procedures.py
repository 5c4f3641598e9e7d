"""The official procedures: their formulas against worked values and closed forms, and a car driven through them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachbuilder.programme.errors import InputError
from coachbuilder.vehicle import generic_car
from coachbuilder.vehicle.procedures import (
    FiveCycle,
    five_cycle_label,
    miles_per_gallon_equivalent,
    multi_cycle_test,
    two_cycle_label,
    wall_kwh_per_100km,
    wltp_shortened_test,
)
from coachbuilder.vehicle.rating import rate


def test_the_first_city_phase_weighs_with_its_share_of_the_usable_energy() -> None:
    # K1 = 1.8 / 60 = 0.03; K2..K4 = 0.97 / 3: 0.03 x 15 + 0.97 x 12 = 12.09.
    found = multi_cycle_test(60.0, [15.0, 12.0, 12.0, 12.0], 1.8, [15.0, 16.0])
    assert found.city_range_km == pytest.approx(6000 / 12.09)
    assert found.highway_range_km == pytest.approx(6000 / 15.5)
    assert found.range_km == pytest.approx(0.55 * 6000 / 12.09 + 0.45 * 6000 / 15.5)


def test_the_label_is_seven_tenths_of_the_unadjusted_range() -> None:
    unadjusted = multi_cycle_test(60.0, [12.0] * 4, 1.44, [15.0] * 2)
    label = two_cycle_label(unadjusted)
    assert label.range_km == pytest.approx(0.7 * unadjusted.range_km)
    assert label.battery_kwh_per_100km == pytest.approx(unadjusted.battery_kwh_per_100km / 0.7)


def test_five_even_cycles_lose_to_the_dynamometer_factor_alone() -> None:
    # City: 0.82 (0.48 + 0.41 + 0.11) + 0.18 = 1; highway: 1.007 (0.79 + 0.21) = 1.007. No start, no cooling.
    found = five_cycle_label(60.0, FiveCycle(*[12.0] * 10))
    assert found.city_range_km == pytest.approx(0.905 * 500.0)
    assert found.highway_range_km == pytest.approx(0.905 * 500.0 / 1.007)


def test_a_cold_start_costs_what_bag_one_takes_above_bag_three() -> None:
    even = FiveCycle(*[12.0] * 10)
    cold = dataclasses.replace(even, cold_bag_1=32.0)
    more = 6000 / five_cycle_label(60.0, cold).city_range_km - 6000 / five_cycle_label(60.0, even).city_range_km
    assert more == pytest.approx(0.33 * 0.24 * 3.6 * 20.0 / 4.1 / 0.905)


def test_cooling_weighs_with_the_share_of_hot_days() -> None:
    even = FiveCycle(*[12.0] * 10)
    hot = dataclasses.replace(even, hot=15.0)
    found, plain = five_cycle_label(60.0, hot), five_cycle_label(60.0, even)
    assert 6000 / found.city_range_km - 6000 / plain.city_range_km == pytest.approx(0.133 * 1.083 * 3.0 / 0.905)
    assert found.highway_range_km is not None
    assert plain.highway_range_km is not None
    assert 6000 / found.highway_range_km - 6000 / plain.highway_range_km == pytest.approx(0.133 * 0.377 * 3.0 / 0.905)


def test_the_shortened_test_weighs_the_first_run_with_its_share() -> None:
    # K1 = 3.6 / 60 = 0.06.
    found = wltp_shortened_test(60.0, [16.0, 15.0], 3.6, [13.0, 12.0, 12.0, 12.0], 1.2)
    assert found.range_km == pytest.approx(6000 / (0.06 * 16.0 + 0.94 * 15.0))
    assert found.city_range_km == pytest.approx(6000 / (0.02 * 13.0 + 0.98 * 12.0))


def test_wall_energy_and_miles_per_gallon_are_the_definitions() -> None:
    assert wall_kwh_per_100km(15.0, 75.0, 85.0) == pytest.approx(17.0)
    # 26 kWh/100 mi is 130 MPGe (33.705 / 0.26).
    assert miles_per_gallon_equivalent(26.0 / 1.609344) == pytest.approx(129.63, abs=0.01)


@given(scale=st.floats(0.1, 10.0), energy=st.floats(8.0, 30.0), usable=st.floats(10.0, 200.0))
def test_ranges_fall_with_energy_and_rise_with_the_pack_in_proportion(
    scale: float, energy: float, usable: float
) -> None:
    once = five_cycle_label(usable, FiveCycle(*[energy] * 10))
    assert five_cycle_label(usable, FiveCycle(*[energy * scale] * 10)).range_km == pytest.approx(once.range_km / scale)
    assert five_cycle_label(usable * scale, FiveCycle(*[energy] * 10)).range_km == pytest.approx(once.range_km * scale)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan")])
def test_an_energy_that_is_not_above_zero_is_refused(bad: float) -> None:
    with pytest.raises(InputError, match="an energy above 0"):
        multi_cycle_test(bad, [12.0] * 4, 1.4, [15.0] * 2)


def test_driven_procedures_agree_with_usable_energy_over_consumption() -> None:
    from coachbuilder.vehicle import evaluate

    result = evaluate(generic_car(test_mass_kg=1900, peak_kw=200, usable_kwh=75))
    rated = {item.procedure: item for item in result.ratings}
    assert rated["EPA label, two-cycle"].range_km == pytest.approx(result.epa_label_range_km, rel=0.02)
    assert rated["WLTP, shortened test"].range_km == pytest.approx(result.wltp_range_km, rel=0.02)
    label = rated["EPA label, two-cycle"]
    assert label.wall_kwh_per_100km == pytest.approx(result.epa_label_kwh_per_100km, rel=0.02)
    assert label.wall_kwh_per_100km > label.battery_kwh_per_100km


def test_the_five_cycle_label_falls_with_the_climate_load_and_the_two_cycle_label_does_not() -> None:
    car = generic_car(test_mass_kg=1900, peak_kw=200)
    thirsty = dataclasses.replace(car, climate=dataclasses.replace(car.climate, heating_w_per_k=160.0))
    plain, cold = ({item.procedure: item.range_km for item in rate(one)[0]} for one in (car, thirsty))
    assert cold["EPA label, five-cycle"] < plain["EPA label, five-cycle"]
    assert cold["EPA label, two-cycle"] == plain["EPA label, two-cycle"]


def test_a_pack_too_small_for_a_procedure_is_told() -> None:
    car = generic_car(test_mass_kg=1500, peak_kw=120, usable_kwh=6.0)
    strong = dataclasses.replace(
        car,
        powertrain=dataclasses.replace(car.powertrain, largest_discharge_a=1e4),
        pack=dataclasses.replace(car.pack, lowest_v=0.0, resistance_ohm=0.01 * car.pack.resistance_ohm),
    )
    found, words = rate(strong)
    assert not found
    assert all("the pack is empty before its phases end" in text for text in words)


def test_a_car_too_weak_for_a_procedure_is_told_with_the_trace() -> None:
    found, words = rate(generic_car(test_mass_kg=2500, peak_kw=18))
    assert not found
    assert any("UDDS is missed for" in text for text in words)
