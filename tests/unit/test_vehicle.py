"""The vehicle stage: what it computes and what it says when a car cannot do it."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder import load
from coachbuilder.programme.errors import InputError
from coachbuilder.programme.sections.vehicle import Chemistry, MotorType
from coachbuilder.vehicle import (
    CYCLES,
    RoadLoad,
    VehicleInputs,
    at_temperature,
    cycle_energy,
    epa_label_range_km,
    evaluate,
    fast_charge,
    generic_car,
    kernels,
    performance,
    trace,
)
from coachbuilder.vehicle.battery import STATES_OF_CHARGE, cell_voltage_v, pack_of
from coachbuilder.vehicle.calibration import MeasuredCar, calibrate
from coachbuilder.vehicle.inputs import inputs_from
from coachbuilder.vehicle.parameters import car_row, counted_terms, pack_rows, trace_terms


@pytest.fixture
def car() -> VehicleInputs:
    return generic_car(test_mass_kg=1800, peak_kw=150, usable_kwh=60)


def _lossless(car: VehicleInputs, **changes: float) -> VehicleInputs:
    drive = dataclasses.replace(
        car.powertrain,
        gear_efficiency=1.0,
        copper_loss_share=0.0,
        iron_loss_share=0.0,
        inverter_loss_share=0.0,
        drag_in_drive_n=0.0,
        accessory_w=0.0,
        regeneration_share=1.0,
        regeneration_limit_kw=1e4,
        regeneration_fade_kmh=1e-6,
        peak_torque_nm=1e5,
        peak_kw=1e4,
        largest_speed_per_min=1e6,
        torque_rise_s=0.0,
        largest_discharge_a=1e9,
        largest_recharge_a=1e9,
    )
    return dataclasses.replace(
        _with_pack(car, resistance=1e-7),
        powertrain=dataclasses.replace(drive, **changes),
        tyre_friction_coefficient=50.0,
    )


def _with_pack(car: VehicleInputs, *, resistance: float) -> VehicleInputs:
    flat = np.full(STATES_OF_CHARGE, resistance)
    return dataclasses.replace(
        car, pack=dataclasses.replace(car.pack, resistance_ohm=flat, lowest_v=0.0, highest_v=1e4)
    )


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


def test_the_energised_drives_drag_is_a_constant_force_of_the_powertrain(car: VehicleInputs) -> None:
    ideal = _lossless(car)
    dragged = cycle_energy(_lossless(car, drag_in_drive_n=72.0), "HWFET")
    assert dragged.energy.powertrain_kwh_per_100km == pytest.approx(2.0, rel=1e-6)
    assert dragged.energy.rolling_kwh_per_100km == cycle_energy(ideal, "HWFET").energy.rolling_kwh_per_100km


def test_acceleration_under_constant_force_is_mass_times_speed_over_force(car: VehicleInputs) -> None:
    ideal = dataclasses.replace(
        _lossless(car, peak_torque_nm=500.0, gear_ratio=10.0, wheel_radius_m=0.5, peak_kw=1e5),
        road_load=RoadLoad(0.0, 0.0, 0.0),
        load_transfer_share=0.0,
    )
    expected = 1800 * 1.03 * (100 / 3.6) / (500 * 10 / 0.5)
    assert performance(ideal).zero_to_100_s == pytest.approx(expected, rel=1e-9)


def test_acceleration_at_constant_power_is_kinetic_energy_over_power(car: VehicleInputs) -> None:
    ideal = dataclasses.replace(
        _lossless(car, peak_torque_nm=1e7, peak_kw=100.0),
        road_load=RoadLoad(0.0, 0.0, 0.0),
        tyre_friction_coefficient=1e5,
        load_transfer_share=0.0,
    )
    expected = 0.5 * 1800 * 1.03 * (100 / 3.6) ** 2 / 1e5
    assert performance(ideal).zero_to_100_s == pytest.approx(expected, rel=1e-3)


def test_grip_limits_each_axle_under_the_load_that_the_force_moves(car: VehicleInputs) -> None:
    # Force balance by hand: F = mu (W share +- F h/L).
    weight, mu, lean = 1800 * 9.80665, 0.5, 0.5 * 0.2
    grippy = dataclasses.replace(_lossless(car), tyre_friction_coefficient=mu, road_load=RoadLoad(0.0, 0.0, 0.0))
    by_axle = {
        0.0: mu * 0.5 * weight / (1 - lean),
        1.0: mu * 0.5 * weight / (1 + lean),
        0.5: mu * weight,
    }
    for share, force_n in by_axle.items():
        driven = dataclasses.replace(
            grippy, powertrain=dataclasses.replace(grippy.powertrain, front_torque_share=share)
        )
        expected = 1800 * 1.03 * (100 / 3.6) / force_n
        assert performance(driven).zero_to_100_s == pytest.approx(expected, rel=1e-9), share


def test_a_torque_that_builds_up_costs_half_its_time(car: VehicleInputs) -> None:
    quick, slow = (
        dataclasses.replace(car, powertrain=dataclasses.replace(car.powertrain, torque_rise_s=rise))
        for rise in (0.0, 0.5)
    )
    lost = performance(slow).zero_to_100_s - performance(quick).zero_to_100_s
    assert lost == pytest.approx(0.25, abs=1e-9)


def test_an_induction_machine_loses_power_far_above_base_speed_and_none_below(car: VehicleInputs) -> None:
    magnets = dataclasses.replace(car, powertrain=dataclasses.replace(car.powertrain, largest_speed_per_min=1e5))
    induction = dataclasses.replace(
        magnets, powertrain=dataclasses.replace(magnets.powertrain, motor_type=MotorType.INDUCTION)
    )
    assert performance(induction).top_speed_kmh < 0.99 * performance(magnets).top_speed_kmh
    assert performance(induction).zero_to_60_mph_s == performance(magnets).zero_to_60_mph_s


def test_top_speed_is_where_power_meets_road_load(car: VehicleInputs) -> None:
    fast = dataclasses.replace(_lossless(car, peak_torque_nm=400.0, peak_kw=150.0), road_load=RoadLoad(150.0, 1.0, 0.5))
    v = performance(fast).top_speed_kmh / 3.6
    load = fast.road_load
    power = v * (load.a_n + load.b_n_per_mps * v + load.c_n_per_mps2 * v**2)
    assert power == pytest.approx(150e3, rel=1e-6)


def test_a_weak_pack_limits_power_to_what_its_current_and_voltage_give(car: VehicleInputs) -> None:
    weak = dataclasses.replace(car, powertrain=dataclasses.replace(car.powertrain, largest_discharge_a=150.0))
    v = performance(weak).top_speed_kmh / 3.6
    load = weak.road_load
    at_wheels = v * (load.a_n + weak.powertrain.drag_in_drive_n + load.b_n_per_mps * v + load.c_n_per_mps2 * v**2)
    assert at_wheels < 150.0 * weak.pack.voltage_v(0.8)
    assert performance(weak).zero_to_100_s > 1.5 * performance(car).zero_to_100_s


def test_charging_is_the_integral_over_the_smallest_of_power_cable_and_voltage(car: VehicleInputs) -> None:
    charging = dataclasses.replace(car.charging, dc_current_a=230.0)
    pack = dataclasses.replace(car.pack, highest_v=float(car.pack.open_circuit_voltage_v[-1]) + 1.0)
    car = dataclasses.replace(car, charging=charging, pack=pack)
    empty = 0.5 - 0.5 * car.usable_kwh / car.gross_kwh
    soc = empty + np.linspace(0.1, 0.8, 20_001) * car.usable_kwh / car.gross_kwh
    middle = 0.5 * (soc[1:] + soc[:-1])
    nodes = np.linspace(0, 1, STATES_OF_CHARGE)
    voltage = np.interp(middle, nodes, pack.open_circuit_voltage_v)
    resistance = np.interp(middle, nodes, pack.resistance_ohm)
    falling = (middle - charging.taper_from_share) / (1 - charging.taper_from_share)
    taper = 1 - (1 - charging.power_at_full_share) * np.clip(falling, 0.0, None)
    power_w = 1000 * charging.dc_peak_kw * taper
    by_power = (np.sqrt(voltage**2 + 4 * resistance * power_w) - voltage) / (2 * resistance)
    current = np.minimum.reduce([by_power, np.full_like(middle, 230.0), (pack.highest_v - voltage) / resistance])
    expected = float((np.diff(soc) * 3600 * pack.charge_ah / current).sum() / 60)
    assert fast_charge(car, 0.1, 0.8).minutes == pytest.approx(expected, rel=1e-3)


def test_cells_at_their_voltage_limit_take_no_charge_and_that_is_told(car: VehicleInputs) -> None:
    full = dataclasses.replace(car, pack=dataclasses.replace(car.pack, highest_v=car.pack.voltage_v(0.6)))
    result = evaluate(full, quick=True)
    assert result.charge_10_80_min is None
    assert any("cannot be charged" in text for text in result.warnings)


@pytest.mark.parametrize(("chemistry", "low", "high"), [(Chemistry.NMC, 3.60, 3.75), (Chemistry.LFP, 3.15, 3.30)])
def test_cell_voltages_rise_with_charge_and_lie_where_the_chemistry_puts_them(
    chemistry: Chemistry, low: float, high: float
) -> None:
    voltage = cell_voltage_v(chemistry)
    assert (np.diff(voltage) > 0).all()
    assert low < voltage.mean() < high


def test_a_pack_holds_the_energy_it_was_made_for() -> None:
    pack = pack_of(
        Chemistry.NMC, gross_kwh=80.0, series_cells=192, parallel_cells=1, cell_resistance_ohm=1e-3,
        cell_lowest_v=2.8, cell_highest_v=4.25,
    )  # fmt: skip
    voltage = pack.open_circuit_voltage_v
    assert pack.charge_ah * 0.5 * float((voltage[1:] + voltage[:-1]).mean()) == pytest.approx(80_000, rel=1e-9)


def test_cold_makes_a_car_use_more_in_every_part(car: VehicleInputs) -> None:
    warm, cold = cycle_energy(car, "UDDS"), cycle_energy(at_temperature(car, -7.0), "UDDS")
    for field in ("aerodynamic", "rolling", "accessory", "battery"):
        name = f"{field}_kwh_per_100km"
        assert getattr(cold.energy, name) > getattr(warm.energy, name), name


def test_state_of_charge_falls_by_the_charge_that_flowed(car: VehicleInputs) -> None:
    driven = cycle_energy(car, "WLTC 3b", start_charge=0.9)
    pack = car.pack
    before = np.interp(driven.state_of_charge[:-1], np.linspace(0, 1, STATES_OF_CHARGE), pack.open_circuit_voltage_v)
    charge_ah = float((1000 * driven.battery_power_kw[1:] / before).sum() / 3600)
    assert driven.state_of_charge[-1] == pytest.approx(0.9 - charge_ah / pack.charge_ah, rel=1e-9)


def _batch(cars: list[VehicleInputs], name: str, start: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three kernels on the same cars: second by second, relaxed, and at the charge of the start."""
    speed = trace(name).speed_mps
    rows = np.array([car_row(item) for item in cars])
    packs = np.array([pack_rows(item) for item in cars])
    one = np.empty((len(cars), kernels.BATCH))
    for place in range(len(cars)):
        power, charge, missing = (np.empty(speed.size) for _ in range(3))
        sums = kernels.drive(speed, rows[place], packs[place], start, power, charge, missing)
        one[place] = sums[kernels.CELLS], sums[kernels.CELLS] - sums[kernels.BATTERY], missing.sum(), charge[-1]
    many, fixed = np.empty_like(one), np.empty_like(one)
    kernels.drive_batch(trace_terms(speed), rows, packs, np.full(len(cars), start), kernels.AGREED, many)
    pinned = np.array([[item.pack.voltage_v(start), item.pack.resistance(start)] for item in cars])
    kernels.energy_batch(counted_terms(speed), np.hstack([rows, pinned]), fixed)
    return one, many, fixed


@pytest.mark.parametrize("name", ["UDDS", "HWFET", "WLTC 3b"])
def test_thousands_at_once_give_the_same_as_second_by_second(name: str) -> None:
    cars = [
        generic_car(test_mass_kg=mass, peak_kw=power, usable_kwh=kwh)
        for mass in (1200.0, 2600.0)
        for power in (25.0, 200.0)
        for kwh in (20.0, 90.0)
    ]
    one, many, fixed = _batch(cars, name, 0.7)
    assert many[:, [0, 1, 3]] == pytest.approx(one[:, [0, 1, 3]], rel=1e-6)
    assert many[:, 2] == pytest.approx(one[:, 2], rel=1e-6, abs=1.0)
    # At one state of charge: what the pack's voltage and resistance change over the trace is all that differs.
    assert fixed[:, 1] == pytest.approx(one[:, 1], rel=2e-3)
    assert fixed[:, 2] == pytest.approx(one[:, 2], rel=2e-2, abs=1e4)


def test_terms_of_a_trace_lie_row_by_row_as_simd_code_needs_them() -> None:
    # Column by column the same numbers took seven times as long.
    assert counted_terms(trace("UDDS").speed_mps).flags.c_contiguous
    assert trace_terms(trace("UDDS").speed_mps).flags.c_contiguous


def test_an_almost_empty_pack_gives_no_nan_in_any_kernel() -> None:
    for answer in _batch([generic_car(test_mass_kg=2500, peak_kw=300, usable_kwh=5)], "WLTC 3b", 0.05):
        assert np.isfinite(answer[:, :3]).all()
        assert answer[0, 2] > 0


_CUDA_TWIN = """
import numpy as np
from coachbuilder.vehicle import generic_car, kernels, trace
from coachbuilder.vehicle.calibration import MeasuredCar, calibrate
from coachbuilder.vehicle.inputs import inputs_from
from coachbuilder.vehicle.parameters import car_row, pack_rows, trace_terms

cars = [generic_car(test_mass_kg=mass) for mass in (1200.0, 1800.0, 2600.0)]
rows, packs = np.array([car_row(car) for car in cars]), np.array([pack_rows(car) for car in cars])
terms = trace_terms(trace("UDDS").speed_mps[:150])
start, here, there = np.full(3, 0.8), np.empty((3, kernels.BATCH)), np.empty((3, kernels.BATCH))
kernels.drive_batch(terms, rows, packs, start, kernels.AGREED, here)
kernels.cuda_drive_batch()[1, 4](terms, rows, packs, start, there)
assert np.allclose(here, there, rtol=1e-9, atol=1e-3), (here, there)

from coachbuilder.vehicle import batch

batch._driven = lambda cycle: (terms, 1.0)
wide = np.hstack([rows, np.zeros((3, 2))])
here, there = (batch.energies_kwh_per_100km(wide, packs, "UDDS", on_gpu=gpu) for gpu in (False, True))
assert np.allclose(here[0], there[0], rtol=1e-9), (here, there)
assert (here[1] == there[1]).all()
"""


def test_the_cuda_twin_gives_the_same_within_float_error_in_numbas_simulator() -> None:
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _CUDA_TWIN], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_label_range_is_seven_tenths_of_the_weighted_cycles() -> None:
    assert epa_label_range_km(60.0, 12.0, 15.0) == pytest.approx(0.7 * (0.55 * 500 + 0.45 * 400))


def test_a_car_that_cannot_follow_a_trace_says_so_and_gets_no_range() -> None:
    weak = evaluate(generic_car(test_mass_kg=2500, peak_kw=18, usable_kwh=60))
    assert weak.epa_label_range_km is None
    assert weak.wltp_range_km is None
    assert weak.cltc_range_km is None
    assert any("cannot follow" in text for text in weak.warnings)
    assert {cycle.missing_from for cycle in weak.cycles} == {"motors or tyres"}


def test_a_trace_above_the_motors_speed_limit_is_told_as_such(car: VehicleInputs) -> None:
    slow = dataclasses.replace(car, powertrain=dataclasses.replace(car.powertrain, largest_speed_per_min=7000.0))
    told = {cycle.name: cycle.missing_from for cycle in evaluate(slow, quick=True).cycles}
    assert told["HWFET"] == "the motors' speed"
    assert cycle_energy(car, "HWFET").missing_from == ""


def test_a_car_that_its_road_load_holds_says_so(car: VehicleInputs) -> None:
    held = dataclasses.replace(car, road_load=RoadLoad(1e5, 0.0, 0.4))
    result = evaluate(held, quick=True)
    assert result.launch_grade is not None
    assert result.launch_grade < 0
    assert "the car does not start on the level" in result.warnings


def test_a_car_that_never_reaches_100_kmh_says_so() -> None:
    crawler = generic_car(test_mass_kg=2500, peak_kw=8, usable_kwh=60)
    result = evaluate(crawler)
    assert result.zero_to_100_s is None
    assert result.top_speed_kmh < 100
    assert any("100 km/h" in text for text in result.warnings)


def test_a_pack_that_cannot_deliver_is_told_and_gives_no_nan(car: VehicleInputs) -> None:
    result = evaluate(_with_pack(car, resistance=2.0), quick=True)
    assert any(text.endswith("the limit is the pack") for text in result.warnings)
    for cycle in result.cycles:
        assert np.isfinite(cycle.battery_power_kw).all()


@settings(max_examples=40, deadline=None)
@given(mass=st.floats(1000, 3000), extra=st.floats(1, 500), power=st.floats(100, 400), drag=st.floats(0.2, 0.6))
def test_a_heavier_car_or_one_with_more_drag_never_uses_less(
    mass: float, extra: float, power: float, drag: float
) -> None:
    def consumption(test_mass_kg: float, c: float) -> list[float]:
        load = RoadLoad(test_mass_kg * 0.08, 0.0, c)
        heavy = generic_car(test_mass_kg=test_mass_kg, peak_kw=power, road_load=load)
        return [cycle_energy(heavy, name).battery_kwh_per_100km for name in CYCLES]

    light = consumption(mass, drag)
    assert all(a < b for a, b in zip(light, consumption(mass + extra, drag), strict=True))
    assert all(a < b for a, b in zip(light, consumption(mass, drag * 1.05), strict=True))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"test_mass_kg": 0.0}, "test_mass_kg: found 0; expected a number above 0"),
        ({"test_mass_kg": math.nan}, "test_mass_kg: found nan"),
        ({"peak_kw": -1.0}, "peak_kw: found -1"),
        ({"usable_kwh": math.inf}, "usable_kwh: found inf"),
        ({"road_load": RoadLoad(-500.0, 0.0, 0.0)}, "a force of -500 N at 15 km/h; expected one above 0"),
        ({"road_load": RoadLoad(100.0, math.nan, 0.4)}, "a force of nan N"),
    ],
)
def test_figures_that_are_no_cars_are_told(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        generic_car(**{"test_mass_kg": 1800.0, **change})


MEASURED = MeasuredCar("donor", 2000.0, RoadLoad(150.0, 1.0, 0.4), {"UDDS": (14.0,)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"energy_kwh_per_100km": {"UDDS": ()}}, "found no test"),
        ({"energy_kwh_per_100km": {"UDDS": (0.0,)}}, "an energy above 0"),
        ({"energy_kwh_per_100km": {"UDDS": (140.0,)}}, "is the unit kWh/100 km?"),
        ({"energy_kwh_per_100km": {"City": (14.0,)}}, "found City; expected one of UDDS"),
        ({"test_mass_kg": math.nan}, "donor.test_mass_kg: found nan"),
        ({"test_mass_kg": 1e7}, "cannot be driven over UDDS"),
        ({"road_load": RoadLoad(-500.0, 0.0, 0.0)}, "donor.road_load: found a force of -500 N"),
    ],
)
def test_a_measured_car_that_cannot_be_is_told(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        calibrate([dataclasses.replace(MEASURED, **change)])


def _numbers(found: object) -> Iterator[float]:
    if isinstance(found, float):
        yield found
    elif isinstance(found, np.ndarray):
        yield from found.astype(float).ravel()[[0, -1]].tolist()
        yield float(np.abs(found).max())
    elif dataclasses.is_dataclass(found):
        for field in dataclasses.fields(found):
            yield from _numbers(getattr(found, field.name))
    elif isinstance(found, tuple):
        for item in found:
            yield from _numbers(item)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_programme_of_any_numbers_gives_a_car_or_a_word_and_never_nan(data: st.DataObject) -> None:
    programme = load(Path(__file__).parents[2] / "examples" / "phone-maker-ev")
    own = {path: item for path, item in programme.assumptions.items() if path.startswith("vehicle.")}
    powers = data.draw(st.dictionaries(st.sampled_from(sorted(own)), st.floats(-6, 6), min_size=1, max_size=6))
    values = {}
    for path, power in powers.items():
        low, high = own[path].minimum, own[path].maximum
        value = own[path].value * 10**power
        values[path] = min(value if low is None else max(value, low), math.inf if high is None else high)
    # What a file is not believed beyond.
    for path, (least, most) in {
        "vehicle.battery.series_cells": (1.0, 1000.0),
        "vehicle.battery.parallel_cells": (1.0, 1000.0),
        "vehicle.use.temperature_c": (-60.0, 60.0),
        "vehicle.body.front_weight_share": (0.2, 0.8),
    }.items():
        if path in values:
            values[path] = min(max(values[path], least), most)
    try:
        result = evaluate(inputs_from(programme.with_values(values), cny_per_usd=7.0), quick=True)
    except InputError as error:
        assert all(problem.found and problem.expected for problem in error.problems)
        return
    assert all(map(math.isfinite, _numbers(result)))
    ranges = [result.epa_label_range_km, result.wltp_range_km, result.cltc_range_km, result.range_in_use_km]
    assert all(km is None or km > 0 for km in ranges)
    missed = any(cycle.trace_missed_s for cycle in result.cycles)
    assert missed == any("cannot follow" in text for text in result.warnings)
