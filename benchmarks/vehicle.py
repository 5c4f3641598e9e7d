"""Measure the vehicle stage and NREL's FASTSim 2.1.5 on the same cars and drive cycles in one run.

    python -m pip install --group bench
    python benchmarks/vehicle.py

FASTSim runs in a child process, so that it may live in another environment than Coachbuilder (it wants numpy 2.0):

    python benchmarks/vehicle.py --fastsim-python ~/fastsim-environment/bin/python

Tables go to standard output and to benchmarks/results/vehicle-<date>.md, progress to standard error. Five minutes; both
processes are held on one core. Measured cars are those of ../shared/data/vehicle (COACHBUILDER_DATA may point
elsewhere) and of tests/data/vehicle_*.csv; what a file is absent for is left out.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import math
import os
import platform
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

SERVE = "--serve"
"""Given to the child process, whose interpreter need not have Coachbuilder."""

if SERVE not in sys.argv:
    import numba
    from fit_vehicle_losses import Sample, sample_of, unseen_errors

    from coachbuilder.formats.test_car_list import read_test_car_list
    from coachbuilder.programme.sections.vehicle import Chemistry, DrivenAxle, MotorType
    from coachbuilder.vehicle import kernels
    from coachbuilder.vehicle.battery import STATES_OF_CHARGE, Pack
    from coachbuilder.vehicle.evaluate import cycle_energy, epa_label_range_km
    from coachbuilder.vehicle.inputs import POUND_KG, coast_down_road_load, generic_car
    from coachbuilder.vehicle.interface import Powertrain, RoadLoad, VehicleInputs
    from coachbuilder.vehicle.losses import typical_losses
    from coachbuilder.vehicle.measured import MeasuredTest, interpret
    from coachbuilder.vehicle.parameters import car_row, counted_terms, pack_rows, trace_terms
    from coachbuilder.vehicle.performance import performance
    from coachbuilder.vehicle.traces import trace
    from coachbuilder.vehicle.validation import validate

    FRONT_WEIGHT = {DrivenAxle.FRONT: 0.58, DrivenAxle.REAR: 0.48, DrivenAxle.ALL: 0.50}
    """Weight on the front axle that cars of these layouts typically have."""

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("COACHBUILDER_DATA", ROOT.parent / "shared" / "data"))
TEST_CAR_LIST = DATA / "vehicle" / "epa_test_car_list_2022_dev_makes.csv"
OMEGA = DATA / "vehicle" / "omega_my2022_bev_dev.csv"
ACCELERATION = ROOT / "tests" / "data" / "vehicle_acceleration.csv"
USABLE_ENERGY = ROOT / "tests" / "data" / "vehicle_usable_energy.csv"

CYCLES = ("UDDS", "HWFET", "US06", "WLTC 3b")
CORES_OF_FASTSIM = ("rust", "python")
SAME_CARS = (17, 19, 22, 34, 43, 44, 51, 52, 58, 59, 65, 69)
"""Lines of FASTSim's vehicle table that are driven with equal parameters: small and large, front and rear."""
BOLT = 17
MOTOR_EFFICIENCY = 0.92
"""Of motor and inverter at every power, where both sides are given the same."""
SAME_WITHIN = 0.005
CHARGE_EFFICIENCY = 0.86
"""From the wall to the pack, FASTSim's own figure for every electric car."""
BETTER_CHARGER = 0.9
WINDOWED = "label range, charge window"
ON_BOARD_KG = 100.0
"""Driver and luggage in the makers' acceleration tests."""
LEAST_RATED_KW, USUAL_KW = 60.0, 150.0
"""A rated power below the first is no peak power (one Kia has 28 kW): FASTSim is given the second."""
MEASURED_KWH = 75.0
"""Pack of the measured cars, of which the list tells nothing; it does not matter to FASTSim's energy."""
BATCHED_GOAL, DRIVE_BATCH_GOAL = 500_000.0, 50_000.0

GRAVITY_MPS2, AIR_KG_PER_M3 = 9.81, 1.2
"""FASTSim's."""
POUND_FORCE_N, MPH_MPS, M_PER_MILE, KM_PER_MILE = 4.4482216152605, 0.44704, 1609.344, 1.609344

Numbers = NDArray[np.float64]
Lines = list[str]


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------------------------- FASTSim, in the child


@dataclass(frozen=True)
class Simulator:
    """FASTSim's modules and what the last requests need again."""

    fastsim: Any
    cycles: dict[str, Any]

    def vehicle(self, selection: int, changed: dict[str, Any]) -> Any:
        """A car of FASTSim's table with some of its figures changed."""
        car = self.fastsim.vehicle.Vehicle.from_vehdb(selection)
        if "mc_max_kw" in changed and "mc_eff_map" not in changed:
            # Its efficiency depends on the motor's size.
            car.mc_eff_map = None
        for name, value in changed.items():
            setattr(car, name, np.array(value) if isinstance(value, list) else value)
        car.set_derived()
        return car

    def answer(self, asked: dict[str, Any]) -> Any:
        do: Callable[..., Any] = getattr(self, "do_" + asked.pop("do"))
        return do(**asked)

    def do_versions(self) -> dict[str, str]:
        return {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "fastsim": self.fastsim.__version__ if hasattr(self.fastsim, "__version__") else _version("fastsim"),
        }

    def do_cycle(self, name: str, speed_mps: list[float]) -> None:
        speed = np.array(speed_mps)
        self.cycles[name] = self.fastsim.cycle.Cycle.from_dict(
            {"time_s": np.arange(speed.size, dtype=float), "mps": speed}
        )

    def do_cars(self) -> list[dict[str, Any]]:
        """The battery-electric cars of the table: what tells a car apart and the published figures."""
        table = self.fastsim.vehicle.DEFAULT_VEHDF
        found = []
        for line in table[table["veh_pt_type"] == "BEV"]["selection"].astype(int).tolist():
            car = self.vehicle(line, {})
            figures = {
                name: float(getattr(car, name))
                for name in (
                    "veh_kg", "drag_coef", "frontal_area_m2", "wheel_rr_coef", "wheel_inertia_kg_m2", "num_wheels",
                    "wheel_radius_m", "wheel_coef_of_fric", "drive_axle_weight_frac", "veh_cg_m", "wheel_base_m",
                    "mc_max_kw", "ess_max_kw", "ess_max_kwh", "min_soc", "max_soc", "trans_eff", "aux_kw", "max_regen",
                    "val0_to60_mph", "val_range_miles",
                )
            }  # fmt: skip
            found.append({"selection": line, "name": car.scenario_name, **figures})
        return found

    def do_energy(
        self, selection: int, changed: dict[str, Any], cycle: str, charge: float | None, core: str = "rust"
    ) -> dict[str, float]:
        """Energy out of the pack, J, and the largest miss of the trace, m/s."""
        car, driven = self.vehicle(selection, changed), self.cycles[cycle]
        if core == "rust":
            run = self.fastsim.simdrive.RustSimDrive(driven.to_rust(), car.to_rust())
        else:
            run = self.fastsim.simdrive.SimDrive(driven, car)
        run.sim_drive(charge)
        return {"joules": 1e3 * run.ess_dischg_kj, "missed_mps": run.trace_miss_speed_mps}

    def do_coast_down(
        self, selection: int, changed: dict[str, Any], a_lbf: float, b_lbf: float, c_lbf: float
    ) -> list[float]:
        """Drag coefficient and rolling resistance by FASTSim's own fit of its two terms to a coast-down's three."""
        from fastsim.auxiliaries import abc_to_drag_coeffs

        return [float(item) for item in abc_to_drag_coeffs(self.vehicle(selection, changed), a_lbf, b_lbf, c_lbf)]

    def do_label(self, selection: int, changed: dict[str, Any]) -> dict[str, float]:
        """0-60 mph and label range as FASTSim's label test finds them."""
        from fastsim.simdrivelabel import get_label_fe

        found = get_label_fe(self.vehicle(selection, changed).to_rust(), use_rust=True)
        return {"zero_to_60_mph_s": float(found["netAccel"]), "range_miles": float(found["netRangeMiles"])}

    def do_acceleration(self, selection: int, changed: dict[str, Any], to_mps: float) -> float:
        """Seconds from standstill to a speed, by the label test's trace: as fast as the car can in steps of 0.1 s."""
        seconds = np.arange(0, 300, 0.1)
        speed = np.append([0.0], np.full(seconds.size - 1, 90 * MPH_MPS))
        cycle = self.fastsim.cycle.Cycle.from_dict({"time_s": seconds, "mps": speed})
        run = self.fastsim.simdrive.RustSimDrive(cycle.to_rust(), self.vehicle(selection, changed).to_rust())
        self.fastsim.simdrive.run_simdrive_for_accel_test(run)
        reached = np.array(run.mps_ach)
        return float(np.interp(to_mps, reached, seconds)) if reached.max() >= to_mps else math.nan

    def do_speed(self, what: str, cycle: str, seconds: float) -> float:
        """Runs a second of the best of three shares of some seconds."""
        driven, simdrive = self.cycles[cycle], self.fastsim.simdrive
        car = self.vehicle(BOLT, {})
        if what == "python":
            run = simdrive.SimDrive(driven, car)
            return runs_per_s(run.sim_drive, seconds)
        fast_cycle, fast_car = driven.to_rust(), car.to_rust()
        if what == "rust":
            run = simdrive.RustSimDrive(fast_cycle, fast_car)
            return runs_per_s(run.sim_drive, seconds)
        if what == "rust, simulation built":
            return runs_per_s(lambda: simdrive.RustSimDrive(fast_cycle, fast_car).sim_drive(), seconds)

        def from_the_table() -> None:
            simdrive.RustSimDrive(fast_cycle, self.vehicle(BOLT, {"mc_max_kw": 150.0}).to_rust()).sim_drive()

        return runs_per_s(from_the_table, seconds)


def runs_per_s(do: Callable[[], object], seconds: float, runs: int = 1, shares: int = 3) -> float:
    """Runs a second, the best of three shares; ``do`` makes some runs each time."""
    best = 0.0
    for _ in range(shares):
        times, begin = 0, time.perf_counter()
        while True:
            do()
            times += 1
            passed = time.perf_counter() - begin
            if passed >= seconds / shares:
                break
        best = max(best, times * runs / passed)
    return best


def _version(package: str) -> str:
    from importlib import metadata

    return metadata.version(package)


def serve() -> None:
    """Answer requests, one a line of JSON, until standard input ends."""
    # FASTSim prints: what it says goes to standard error, the answers to the standard output that was.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import logging

    import fastsim

    logging.disable(logging.CRITICAL)
    simulator = Simulator(fastsim, {})
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = {"answer": simulator.answer(json.loads(line))}
        except Exception as error:  # noqa: BLE001 - told to the parent, which stops
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


class FastSim:
    """FASTSim in its process."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, "-W", "ignore", str(Path(__file__).resolve()), SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to: IO[str] = self._process.stdin
        self._from: IO[str] = self._process.stdout
        try:
            self.versions: dict[str, str] = self.ask("versions")
        except OSError:
            message = f"{python} does not run FASTSim: give one that does by --fastsim-python"
            raise SystemExit(message) from None
        for cycle in CYCLES:
            self.ask("cycle", name=cycle, speed_mps=trace(cycle).speed_mps.tolist())

    def ask(self, do: str, **asked: Any) -> Any:
        print(json.dumps({"do": do, **asked}), file=self._to, flush=True)
        line = self._from.readline()
        if not line:
            message = "FASTSim's process ended"
            raise OSError(message)
        found = json.loads(line)
        if "error" in found:
            raise RuntimeError(found["error"])
        return found["answer"]

    def close(self) -> None:
        self._to.close()
        self._process.wait(timeout=30)


# ------------------------------------------------------------------------------------------------------------- tables


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Lines:
    return [
        "| " + " | ".join(columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]


def percent(share: float, digits: int = 2) -> str:
    return f"{100 * share:+.{digits}f} %"


def size(errors: Numbers) -> tuple[str, str, str]:
    """Median and 90th percentile of the absolute error, and mean error."""
    absolute = np.abs(errors)
    return (
        f"{100 * np.median(absolute):.2f} %",
        f"{100 * np.percentile(absolute, 90):.2f} %",
        percent(float(errors.mean()), 1),
    )


# --------------------------------------------------------------------------------------- part 1: the same parameters


def same_car(car: dict[str, Any], fade_kmh: float) -> VehicleInputs:
    """Coachbuilder's car with the parameters that FASTSim drives: no loss but of drive and accessories."""
    mass, volts = car["veh_kg"], 400.0
    efficiency = MOTOR_EFFICIENCY * car["trans_eff"]
    begun = from_table(car)
    nodes = np.ones(STATES_OF_CHARGE)
    pack = Pack(Chemistry.NMC, 96, 1e3 * car["ess_max_kwh"] / volts, volts * nodes, 1e-6 * nodes, 0.0, 1e6)
    return replace(
        begun,
        test_mass_kg=mass,
        pack=pack,
        powertrain=replace(
            begun.powertrain,
            # FASTSim's limit is behind its motor, ours before all losses of the drive.
            peak_kw=car["mc_max_kw"] / MOTOR_EFFICIENCY,
            peak_torque_nm=1e5,
            largest_speed_per_min=1e5,
            gear_efficiency=efficiency,
            copper_loss_share=0.0,
            drag_in_drive_n=0.0,
            accessory_w=1e3 * car["aux_kw"],
            regeneration_share=car["max_regen"],
            regeneration_limit_kw=min(car["mc_max_kw"], car["ess_max_kw"] / MOTOR_EFFICIENCY) * car["trans_eff"],
            regeneration_fade_kmh=fade_kmh,
            largest_discharge_a=1e3 * car["ess_max_kw"] / volts,
            largest_recharge_a=1e3 * car["ess_max_kw"] / volts,
        ),
    )


def batches_apart(inputs: VehicleInputs, cycle: str, joules: float) -> float:
    """How far the two kernels for many cars are from the energy that one car's found."""
    speed = np.array(trace(cycle).speed_mps)
    row, pack, out = car_row(inputs), pack_rows(inputs), np.empty((2, kernels.BATCH))
    kernels.drive_batch(trace_terms(speed), row[None], pack[None], np.array([0.5]), kernels.AGREED, out[:1])
    half = np.append(row, [inputs.pack.voltage_v(0.5), inputs.pack.resistance(0.5)])
    kernels.energy_batch(counted_terms(speed), half[None], out[1:])
    return float(np.max(np.abs(out[:, kernels.BATCH_CELLS_J] / joules - 1)))


def same_parameters(simulator: FastSim, cars: dict[int, dict[str, Any]]) -> Lines:
    say("part 1: the same parameters")
    # Torque follows at once, as in Coachbuilder's cycles.
    flat = {"mc_eff_map": [MOTOR_EFFICIENCY] * 11, "ess_round_trip_eff": 1.0, "mc_sec_to_peak_pwr": 0.01}
    # Without fade at low speed on both sides, and with each side's own: FASTSim's gives up half of the braking power at
    # 8.5 km/h in an S-shaped curve, ours falls in a straight line from 10 km/h to standstill.
    kinds: tuple[tuple[dict[str, float], float], ...] = (({"regen_a": 0.0}, 1e-6), ({}, 10.0))
    rows, differences, faded, apart = [], [], [], []
    for selection in SAME_CARS:
        car = cars[selection]
        for cycle in CYCLES:
            distance_m = trace(cycle).distance_m
            energies = []
            for changed, fade_kmh in kinds:
                theirs = simulator.ask("energy", selection=selection, changed=flat | changed, cycle=cycle, charge=0.5)
                ours = cycle_energy(same_car(car, fade_kmh), cycle)
                energies.append((theirs, theirs["joules"] / distance_m / 3.6, 10 * ours.battery_kwh_per_100km, ours))
            (run, first, second, result), (_, first_faded, second_faded, _) = energies
            difference = second / first - 1
            followed = run["missed_mps"] < 0.01 and not result.trace_missed_s
            if followed:
                differences.append(difference)
                faded.append(second_faded / first_faded - 1)
                apart.append(batches_apart(same_car(car, 1e-6), cycle, 3.6 * second * distance_m))
            rows.append(
                (
                    car["name"], cycle, f"{first:.3f}", f"{second:.3f}", f"{100 * difference:+.4f} %",
                    percent(second_faded / first_faded - 1),
                    "" if followed else f"FASTSim {run['missed_mps']:.2f} m/s, ours {result.trace_missed_s} s",
                )
            )  # fmt: skip
    largest, largest_faded = (float(np.max(np.abs(item))) for item in (differences, faded))
    ours_apart = max(apart)
    both = [
        [
            simulator.ask("energy", selection=BOLT, changed=flat, cycle=cycle, charge=0.5, core=core)["joules"]
            for core in CORES_OF_FASTSIM
        ]
        for cycle in CYCLES
    ]
    cores = max(abs(rust / slow - 1) for rust, slow in both)
    return [
        "## 1. The same parameters, the same energy",
        "",
        "Alike are mass, rotating inertia, drag, rolling resistance, accessories, gear efficiency, a motor of "
        f"{MOTOR_EFFICIENCY:g} at every power whose torque follows at once, a pack without loss, regeneration, and the "
        "limits of motor, pack and tyres. Energy out of the pack.",
        "",
        *table(
            (
                "Car of FASTSim's table", "Cycle", "FASTSim, Wh/km", "Coachbuilder, Wh/km", "difference",
                "each with its own fade of regeneration", "trace missed",
            ),
            rows,
        ),
        f"Largest difference where both follow the trace ({len(differences)} of {len(rows)} runs): "
        f"**{100 * largest:.4f} %**; goal {100 * SAME_WITHIN:g} %: {'met' if largest <= SAME_WITHIN else 'NOT MET'}. "
        f"Each with its own fade of regeneration at low speed: up to {100 * largest_faded:.2f} %.",
        f"FASTSim's Rust core and Python core agree {'to twelve digits' if cores < 1e-12 else f'within {cores:.0e}'} "
        "(2017 Bolt).",
        "Coachbuilder's kernels.drive_batch and kernels.energy_batch agree with kernels.drive within "
        f"{ours_apart:.0e} of the energy on all of these runs in which the trace is followed.",
        "Where a trace is missed FASTSim slows down and goes less far, while Coachbuilder takes the trace's speeds and "
        "tells what power lacks: those runs are not compared.",
        "",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------- part 2: measured cars


def measured_cars(simulator: FastSim) -> Lines:
    if not TEST_CAR_LIST.exists():
        say(f"part 2 is left out: {TEST_CAR_LIST} is absent")
        return ["## 2. Measured cars", "", f"Left out: {TEST_CAR_LIST.name} is absent.", ""]
    say("part 2: measured cars")
    tests = interpret(read_test_car_list(TEST_CAR_LIST).electric_rows)
    sample = sample_of(tests)
    say("  Coachbuilder, each make left out of its own fit")
    unseen = unseen_errors(sample)
    shipped, on_sibling = validate(tests), validate(tests, on_sibling=True)
    say("  FASTSim")
    theirs, missed = _fastsim_wall(simulator, sample)
    errors = theirs / sample.measured - 1
    better = theirs * CHARGE_EFFICIENCY / BETTER_CHARGER / sample.measured - 1
    scaled = _one_factor(sample, theirs) / sample.measured - 1
    sibling = {item.row: item.sibling for item in on_sibling.rows}
    place_of_row = {test.row.row: place for place, test in enumerate(sample.rows)}
    taught = _on_sibling(sample, theirs, sibling)
    ours_taught = np.array([item.error for item in on_sibling.rows])
    order = [place_of_row[item.row] for item in on_sibling.rows]
    known = np.array([item.error for item in shipped.rows])
    cycles = np.array([cycle for _, cycle in sample.asked])
    ours_cycles = np.array([item.cycle for item in shipped.rows])
    rows: tuple[tuple[str, Numbers, NDArray[np.str_]], ...] = (
        (f"FASTSim as its user sets it up (charger {CHARGE_EFFICIENCY:g})", errors, cycles),
        (f"the same with a charger of {BETTER_CHARGER:g}", better, cycles),
        ("FASTSim, one factor fitted to the other makes", scaled, cycles),
        ("Coachbuilder, each make left out of its own fit", unseen, cycles),
        ("Coachbuilder as shipped: fitted to these very makes", known, ours_cycles),
        ("FASTSim, scaled per cycle on a sibling", taught[order], cycles[order]),
        ("Coachbuilder, calibrated on the same sibling", ours_taught, cycles[order]),
    )
    return [
        "## 2. Measured cars",
        "",
        f"{len(sample.measured)} tests of {len(sample.cars)} cars of {len(set(sample.make))} manufacturers, EPA's "
        "test-car list of model year 2022; unadjusted energy from the wall. FASTSim is set up from the same columns: "
        "target coast-down by its own abc_to_drag_coeffs, test weight, rated power, the losses of its Bolt.",
        f"Misses of a trace by FASTSim: {missed}.",
        "",
        *table(
            ("", "tests", "median error", "p90", "mean", "mean UDDS", "mean HWFET"),
            (
                (
                    name,
                    str(error.size),
                    *size(error),
                    *(percent(float(error[which == cycle].mean()), 1) for cycle in ("UDDS", "HWFET")),
                )
                for name, error, which in rows
            ),
        ),
    ]


def _fastsim_wall(simulator: FastSim, sample: Sample) -> tuple[Numbers, int]:
    """FASTSim's energy from the wall for every test, kWh/100 km, and how many runs missed their trace."""
    missed = 0
    first: dict[int, MeasuredTest] = {}
    for (place, _), test in zip(sample.asked, sample.rows, strict=True):
        first.setdefault(place, test)
    energies: dict[tuple[int, str], float] = {}
    for place, test in first.items():
        row, car = test.row, sample.cars[place]
        power = row.rated_power_kw or 0.0
        power = power if power >= LEAST_RATED_KW else USUAL_KW
        changed = {
            "veh_override_kg": car.test_mass_kg,
            "mc_max_kw": power,
            "ess_max_kw": 1.1 * power,
            "ess_max_kwh": MEASURED_KWH,
        }
        load = car.road_load
        drag, rolling = simulator.ask(
            "coast_down",
            selection=BOLT,
            changed=changed,
            a_lbf=load.a_n / POUND_FORCE_N,
            b_lbf=load.b_n_per_mps * MPH_MPS / POUND_FORCE_N,
            c_lbf=load.c_n_per_mps2 * MPH_MPS**2 / POUND_FORCE_N,
        )
        changed |= {"drag_coef": drag, "wheel_rr_coef": rolling}
        for cycle in ("UDDS", "HWFET"):
            run = simulator.ask("energy", selection=BOLT, changed=changed, cycle=cycle, charge=None)
            if run["missed_mps"] > 0.01:
                missed += 1
                say(f"  FASTSim: {car.name} ({power:.0f} kW) misses {cycle} by {run['missed_mps']:.2f} m/s")
            energies[place, cycle] = run["joules"] / 3.6e6 * 1e5 / trace(cycle).distance_m / CHARGE_EFFICIENCY
    return np.array([energies[item] for item in sample.asked]), missed


def _one_factor(sample: Sample, predicted: Numbers) -> Numbers:
    """Scale by one factor for all cars and both cycles, fitted to the other makes, each of which weighs alike."""
    away = np.log(sample.measured / predicted)
    by_make = {make: float(away[sample.make == make].mean()) for make in set(sample.make)}
    factor = {
        make: math.exp(sum(value for other, value in by_make.items() if other != make) / (len(by_make) - 1))
        for make in by_make
    }
    return np.asarray(predicted * np.array([factor[make] for make in sample.make]), dtype=np.float64)


def _on_sibling(sample: Sample, predicted: Numbers, sibling: dict[int, str | None]) -> Numbers:
    """Error of FASTSim scaled on a sibling's tests of the same cycle; of its other tests where it has none."""
    ratios: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for test, (_, cycle), ratio in zip(sample.rows, sample.asked, sample.measured / predicted, strict=True):
        name = f"{test.row.vehicle_id} {test.row.configuration}"
        maker = test.row.manufacturer.casefold()
        ratios[maker, name, cycle].append(ratio)
        ratios[maker, name, ""].append(ratio)
    found = np.full(len(sample.rows), np.nan)
    for place, (test, (_, cycle)) in enumerate(zip(sample.rows, sample.asked, strict=True)):
        kin = sibling.get(test.row.row)
        if kin is not None:
            maker = test.row.manufacturer.casefold()
            told = ratios.get((maker, kin, cycle)) or ratios[maker, kin, ""]
            found[place] = predicted[place] * float(np.mean(told)) / sample.measured[place] - 1
    return found


# -------------------------------------------------------------------------------- part 3: acceleration and label range


def from_table(car: dict[str, Any], *, make: str | None = None) -> VehicleInputs:
    """A car of FASTSim's table as Coachbuilder's, what the table does not tell being a typical car's."""
    mass = car["veh_kg"]
    # In the table the sign of the centre of gravity's height tells the driven axle.
    axle = DrivenAxle.FRONT if car["veh_cg_m"] > 0 else DrivenAxle.REAR
    share = car["drive_axle_weight_frac"]
    begun = generic_car(
        test_mass_kg=mass,
        peak_kw=car["mc_max_kw"],
        usable_kwh=car["ess_max_kwh"],
        road_load=RoadLoad(
            a_n=mass * GRAVITY_MPS2 * car["wheel_rr_coef"],
            b_n_per_mps=0.0,
            c_n_per_mps2=0.5 * AIR_KG_PER_M3 * car["drag_coef"] * car["frontal_area_m2"],
        ),
        driven_axle=axle,
        losses=typical_losses(driven_axle=axle, make=make),
        name=car["name"],
    )
    return replace(
        begun,
        rotating_mass_share=car["num_wheels"] * car["wheel_inertia_kg_m2"] / car["wheel_radius_m"] ** 2 / mass,
        front_weight_share=share if axle is DrivenAxle.FRONT else 1.0 - share,
        load_transfer_share=abs(car["veh_cg_m"]) / car["wheel_base_m"],
        tyre_friction_coefficient=car["wheel_coef_of_fric"],
        powertrain=replace(
            begun.powertrain,
            largest_discharge_a=1e3 * car["ess_max_kw"] / begun.pack.voltage_v(0.8),
        ),
    )


def label_range_miles(inputs: VehicleInputs) -> float:
    """EPA label range by the two-cycle method."""
    city, highway = (cycle_energy(inputs, cycle).battery_kwh_per_100km for cycle in ("UDDS", "HWFET"))
    return epa_label_range_km(inputs.usable_kwh, city, highway) / KM_PER_MILE


def make_of(name: str) -> str:
    """Make of a car of the table: the first word that is no year."""
    return next(word for word in name.split() if not word.isdigit())


@dataclass(frozen=True)
class Outcome:
    """Published and found 0-60 mph (s) and label range (miles); NaN where there is none."""

    name: str
    zero_to_60_mph_s: tuple[float, float, float]
    """Published, FASTSim's, Coachbuilder's."""
    range_miles: tuple[float, float, float]
    """The same, all of the pack's energy taken as usable."""
    usable_share: float = math.nan
    """Share of it between the smallest and the largest charge of FASTSim's table."""


def outcomes_tables(outcomes: Sequence[Outcome]) -> Lines:
    """A table of the cars and one of the errors."""
    rows, errors = [], defaultdict[str, list[tuple[float, float]]](list)
    for item in outcomes:
        row = [item.name]
        told_miles, *miles = item.range_miles
        for name, (told, *found), digits in (
            ("0-60 mph", item.zero_to_60_mph_s, 1),
            ("label range", item.range_miles, 0),
            (WINDOWED, (told_miles, *(each * item.usable_share for each in miles)), 0),
        ):
            known = told > 0
            if known:
                errors[name].append((found[0] / told - 1, found[1] / told - 1))
            if name != WINDOWED:
                row.append(f"{told:.{digits}f}" if known else "")
            row += [f"{each:.{digits}f}" + (f" ({percent(each / told - 1, 0)})" if known else "") for each in found]
        rows.append(row)
    sides = [
        (name, side, str(len(pairs)), *size(found))
        for name, pairs in errors.items()
        for side, found in zip(("FASTSim", "Coachbuilder"), np.array(pairs).T, strict=True)
    ]
    return [
        *table(
            (
                "Car", "0-60 mph, s", "FASTSim", "Coachbuilder", "label, mi", "FASTSim", "Coachbuilder",
                "within charge window: FASTSim", "Coachbuilder",
            ),
            rows,
        ),
        *table(("", "", "cars", "median error", "p90", "mean"), sides),
    ]  # fmt: skip


def acceleration_and_range(simulator: FastSim, cars: dict[int, dict[str, Any]]) -> Lines:
    say("part 3: acceleration and label range")
    outcomes = []
    for selection, car in cars.items():
        if not (car["val0_to60_mph"] > 0 or car["val_range_miles"] > 0):
            continue
        theirs = simulator.ask("label", selection=selection, changed={})
        inputs = from_table(car, make=make_of(car["name"]))
        outcomes.append(outcome(car["name"], (car["val0_to60_mph"], car["val_range_miles"]), theirs, inputs))
        outcomes[-1] = replace(outcomes[-1], usable_share=car["max_soc"] - car["min_soc"])
    return [
        "## 3. Acceleration and label range",
        "",
        "The cars of FASTSim's table with a published 0-60 mph or range, driven with the table's inputs. The table "
        "tells neither torque nor gear: FASTSim has a time to peak power in their place, Coachbuilder takes a typical "
        "car's 2 Nm/kW. FASTSim's label counts all of the table's pack as usable; the range within the table's "
        "smallest and largest charge stands beside it.",
        "",
        *outcomes_tables(outcomes),
        *specified_cars(simulator),
    ]


def outcome(name: str, told: tuple[float, float], theirs: dict[str, float], inputs: VehicleInputs) -> Outcome:
    seconds = performance(inputs).zero_to_60_mph_s
    return Outcome(
        name,
        (told[0], theirs["zero_to_60_mph_s"], math.nan if seconds is None else seconds),
        (told[1], theirs["range_miles"], label_range_miles(inputs)),
    )


def specified_acceleration(simulator: FastSim) -> list[Outcome]:
    """Cars as their makers' sheets give them, driver and luggage on board, 0-100 km/h or 0-60 mph."""
    outcomes = []
    for row in rows_of(ACCELERATION):
        if row["left_out"]:
            continue
        axle = DrivenAxle(row["driven_axle"])
        mass, peak_kw = float(row["curb_mass_kg"]) + ON_BOARD_KG, float(row["peak_kw"])
        begun = generic_car(
            test_mass_kg=mass,
            peak_kw=peak_kw,
            driven_axle=axle,
            motor_type=MotorType.INDUCTION if row["motor_type"] == "induction" else MotorType.PERMANENT_MAGNET,
        )
        drive = begun.powertrain
        sheet = replace(
            drive,
            peak_torque_nm=float(row["peak_torque_nm"] or drive.peak_torque_nm),
            gear_ratio=float(row["gear_ratio"] or drive.gear_ratio),
            wheel_radius_m=float(row["wheel_radius_m"] or drive.wheel_radius_m),
        )
        # The winding loss that was fitted goes with the force at the wheels, so that its share follows peak force.
        force = peak_force_n(sheet) / peak_force_n(drive)
        inputs = replace(
            begun,
            front_weight_share=FRONT_WEIGHT[axle],
            # Peak power is published as what the pack gives too.
            pack=replace(begun.pack, resistance_ohm=0.01 * begun.pack.resistance_ohm, lowest_v=0.0),
            powertrain=replace(sheet, copper_loss_share=drive.copper_loss_share * force**2, largest_discharge_a=1e5),
        )
        driven = {DrivenAxle.FRONT: FRONT_WEIGHT[axle], DrivenAxle.REAR: 1 - FRONT_WEIGHT[axle]}.get(axle, 1.0)
        changed = {
            "veh_override_kg": mass,
            "mc_max_kw": peak_kw,
            "ess_max_kw": 1.1 * peak_kw,
            "frontal_area_m2": 1.0,
            "drag_coef": 2 * inputs.road_load.c_n_per_mps2 / AIR_KG_PER_M3,
            "wheel_rr_coef": inputs.road_load.a_n / mass / GRAVITY_MPS2,
            "wheel_radius_m": sheet.wheel_radius_m,
            "drive_axle_weight_frac": driven,
            # FASTSim tells the axle by the sign.
            "veh_cg_m": 0.53 if axle is DrivenAxle.FRONT else -0.53,
        }
        found, kmh = performance(inputs), row["zero_to_100_kmh_s"]
        ours = found.zero_to_100_s if kmh else found.zero_to_60_mph_s
        to_mps = 100 / 3.6 if kmh else 60 * MPH_MPS
        theirs = simulator.ask("acceleration", selection=BOLT, changed=changed, to_mps=to_mps)
        told = float(kmh or row["zero_to_60_mph_s"])
        outcomes.append(Outcome(row["name"], (told, theirs, math.nan if ours is None else ours), (math.nan,) * 3))
    return outcomes


def peak_force_n(drive: Powertrain) -> float:
    return drive.peak_torque_nm * drive.gear_ratio / drive.wheel_radius_m


def labelled_range(simulator: FastSim) -> list[Outcome]:
    """Cars of EPA's OMEGA table whose usable energy is known, from their target coast-down."""
    tested = {row["vehicle_name"]: row for row in rows_of(OMEGA)}
    outcomes = []
    for row in rows_of(USABLE_ENERGY):
        if not row["usable_kwh"]:
            continue
        car, axle, usable_kwh = tested[row["omega_name"]], DrivenAxle(row["driven_axle"]), float(row["usable_kwh"])
        a, b, c = (float(car[f"target_coef_{letter}"]) for letter in "abc")
        mass, power = float(car["etw_lbs"]) * POUND_KG, float(car["total_emachine_kw"])
        inputs = generic_car(
            test_mass_kg=mass,
            # Ample: motors limit no car on the label's two cycles.
            peak_kw=1000.0,
            usable_kwh=usable_kwh,
            road_load=coast_down_road_load(a, b, c),
            driven_axle=axle,
            losses=typical_losses(driven_axle=axle, gears=int(row["gears"]), make=row["make"]),
        )
        changed = {
            "veh_override_kg": mass,
            "mc_max_kw": power,
            "ess_max_kw": 1.1 * power,
            "ess_max_kwh": usable_kwh,
        }
        drag, rolling = simulator.ask("coast_down", selection=BOLT, changed=changed, a_lbf=a, b_lbf=b, c_lbf=c)
        theirs = simulator.ask("label", selection=BOLT, changed=changed | {"drag_coef": drag, "wheel_rr_coef": rolling})
        told = float(car["onroad_charge_depleting_range_mi"])
        outcomes.append(
            Outcome(row["omega_name"], (math.nan,) * 3, (told, theirs["range_miles"], label_range_miles(inputs)))
        )
    return outcomes


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def specified_cars(simulator: FastSim) -> Lines:
    """Cars that FASTSim's authors did not choose, both sides given the same columns."""
    lines = []
    for words, find, files in (
        (
            f"Cars as their makers' sheets give them ({ACCELERATION.name}): mass and {ON_BOARD_KG:g} kg, power, "
            "torque, gear, wheels, driven axle; those that the file itself leaves out are not driven. FASTSim takes no "
            "torque; its time to peak power and its tyres' grip are its Bolt's, its drag and rolling resistance "
            "Coachbuilder's typical ones. 0-100 km/h; where that is not published, 0-60 mph.",
            specified_acceleration,
            (ACCELERATION,),
        ),
        (
            f"EPA label range of model year 2022 ({OMEGA.name}), mi, where usable energy is known "
            f"({USABLE_ENERGY.name}). Coachbuilder's losses were fitted to energies of the same makes and year.",
            labelled_range,
            (OMEGA, USABLE_ENERGY),
        ),
    ):
        absent = [file.name for file in files if not file.exists()]
        if absent:
            say(f"  left out, absent: {', '.join(absent)}")
            lines += [f"Left out, {' and '.join(absent)} absent: {words}", ""]
            continue
        say(f"  {files[-1].name}")
        lines += [words, "", *figures_table(find(simulator))]
    return lines


def figures_table(outcomes: Sequence[Outcome]) -> Lines:
    """Cars of which one figure is published, and the errors."""
    rows, errors = [], []
    for item in outcomes:
        digits, figures = (1, item.zero_to_60_mph_s) if item.zero_to_60_mph_s[0] > 0 else (0, item.range_miles)
        told, *found = figures
        errors.append([value / told - 1 for value in found])
        rows.append(
            (
                item.name,
                f"{told:.{digits}f}",
                *(f"{value:.{digits}f} ({percent(error, 0)})" for value, error in zip(found, errors[-1], strict=True)),
            )
        )
    sides = [
        (side, str(found.size), *size(found), percent(float(found[np.abs(found).argmax()]), 0))
        for side, found in zip(("FASTSim", "Coachbuilder"), np.array(errors).T, strict=True)
    ]
    return [
        *table(("Car", "published", "FASTSim", "Coachbuilder"), rows),
        *table(("", "cars", "median error", "p90", "mean", "worst"), sides),
    ]


# ------------------------------------------------------------------------------------------------------ part 4: speed


@dataclass(frozen=True)
class Contender:
    """Something that drives the UDDS over and over."""

    name: str
    measure: Callable[[], float]
    """Runs a second."""


def varied_cars(count: int) -> tuple[Numbers, Numbers, Numbers]:
    """Rows, packs, and voltage and resistance at half charge of many cars, no two alike."""
    rows, packs, halves = [], [], []
    for draw in np.random.default_rng(1).uniform(size=(count, 4)).tolist():
        inputs = generic_car(
            test_mass_kg=1300 + 1200 * draw[0],
            peak_kw=80 + 220 * draw[1],
            usable_kwh=40 + 60 * draw[2],
            driven_axle=(DrivenAxle.FRONT, DrivenAxle.REAR, DrivenAxle.ALL)[int(3 * draw[3])],
        )
        rows.append(car_row(inputs))
        packs.append(pack_rows(inputs))
        halves.append([inputs.pack.voltage_v(0.5), inputs.pack.resistance(0.5)])
    return np.array(rows), np.array(packs), np.array(halves)


def contenders(simulator: FastSim, cars: dict[int, dict[str, Any]], seconds: float) -> list[Contender]:
    cycle = "UDDS"
    speed = np.array(trace(cycle).speed_mps)
    bolt = from_table(cars[BOLT])
    row, pack = car_row(bolt), pack_rows(bolt)
    power, charge, missing = (np.empty(speed.size) for _ in range(3))
    rows, packs, halves = varied_cars(2048)
    with_half = np.hstack([rows, halves])
    counted, terms = counted_terms(speed), trace_terms(speed)
    start, out = np.full(len(rows), 0.5), np.empty((len(rows), kernels.BATCH))

    def theirs(what: str) -> Callable[[], float]:
        return lambda: float(simulator.ask("speed", what=what, cycle=cycle, seconds=seconds))

    def ours(do: Callable[[], object], runs: int = 1) -> Callable[[], float]:
        do()
        return lambda: runs_per_s(do, seconds, runs)

    return [
        Contender("FASTSim, Rust core, simulation built before", theirs("rust")),
        Contender("FASTSim, Rust core, simulation built each time", theirs("rust, simulation built")),
        Contender("FASTSim, Rust core, car taken from its table each time", theirs("rust, car built")),
        Contender("FASTSim, Python core", theirs("python")),
        Contender("Coachbuilder, cycle_energy: one car with all its results", ours(lambda: cycle_energy(bolt, cycle))),
        Contender(
            "Coachbuilder, kernels.drive: one car second by second",
            ours(lambda: kernels.drive(speed, row, pack, 0.5, power, charge, missing)),
        ),
        Contender(
            "Coachbuilder, kernels.drive_batch: 2,048 cars, pack by state of charge",
            ours(lambda: kernels.drive_batch(terms, rows, packs, start, kernels.AGREED, out), len(rows)),
        ),
        Contender(
            "Coachbuilder, kernels.energy_batch: 2,048 cars, pack at half charge",
            ours(lambda: kernels.energy_batch(counted, with_half, out), len(rows)),
        ),
    ]


def speeds(simulator: FastSim, cars: dict[int, dict[str, Any]], rounds: int, seconds: float) -> Lines:
    say("part 4: speed")
    field = contenders(simulator, cars, seconds)
    measured = np.empty((rounds, len(field)))
    for turn in range(rounds):
        for place, contender in enumerate(field):
            measured[turn, place] = contender.measure()
        say(f"  round {turn + 1} of {rounds}")
    ratios = measured / measured[:, :1]
    rows = []
    for place, contender in enumerate(field):
        found, ratio = measured[:, place], ratios[:, place]
        rows.append(
            (
                contender.name,
                f"{np.median(found):,.4g}" if np.median(found) < 100 else f"{np.median(found):,.0f}",
                " - ".join(f"{item:,.4g}" if item < 100 else f"{item:,.0f}" for item in (found.min(), found.max())),
                f"{np.median(ratio):,.3g}" if np.median(ratio) < 100 else f"{np.median(ratio):,.0f}",
            )
        )
    goals = (
        ("kernels.drive_batch", measured[:, -2], DRIVE_BATCH_GOAL),
        ("kernels.energy_batch", measured[:, -1], BATCHED_GOAL),
    )
    return [
        "## 4. Speed",
        "",
        f"UDDS runs a second on one core, warm; a round's figure is the best of three shares of {seconds:g} s; the "
        f"{len(field)} take turns within a round, {rounds} rounds. The ratio is the median of the rounds' ratios.",
        "",
        *table(("", "runs/s, median", "least - most", "over FASTSim's Rust core"), rows),
        *(
            f"- {name}: {np.median(found):,.0f} a second and core, best round {found.max():,.0f}; goal {goal:,.0f}: "
            f"{'met' if np.median(found) >= goal else 'NOT MET in the median'}"
            for name, found, goal in goals
        ),
        "",
    ]


# ------------------------------------------------------------------------------------------------------------- the run


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def heading(simulator: FastSim, date: datetime.date) -> Lines:
    theirs = simulator.versions
    return [
        f"# The vehicle stage beside FASTSim, {date.isoformat()}",
        "",
        f"{os.cpu_count()} cores ({processor()}), both processes on one of them. Coachbuilder: python "
        f"{platform.python_version()}, numpy {np.__version__}, numba {numba.__version__}. FASTSim {theirs['fastsim']}: "
        f"python {theirs['python']}, numpy {theirs['numpy']}.",
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fastsim-python", default=sys.executable, help="interpreter that has FASTSim 2.1.5")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of part 4")
    parser.add_argument("--seconds", type=float, default=1.5, help="time of each contender in a round")
    parser.add_argument("--no-file", action="store_true", help="write no file to benchmarks/results")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    simulator = FastSim(arguments.fastsim_python)
    cars = {car["selection"]: car for car in simulator.ask("cars")}
    date = datetime.datetime.now(tz=datetime.UTC).date()
    lines = heading(simulator, date)
    parts: tuple[Callable[[], Lines], ...] = (
        lambda: same_parameters(simulator, cars),
        lambda: measured_cars(simulator),
        lambda: acceleration_and_range(simulator, cars),
        lambda: speeds(simulator, cars, arguments.rounds, arguments.seconds),
    )
    print("\n".join(lines))
    for part in parts:
        found = part()
        print("\n".join(found), flush=True)
        lines += found
    simulator.close()
    if not arguments.no_file:
        to = ROOT / "benchmarks" / "results" / f"vehicle-{date.isoformat()}.md"
        to.parent.mkdir(exist_ok=True)
        to.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
        say(f"written: {to}")


if __name__ == "__main__":
    serve() if SERVE in sys.argv else main()
