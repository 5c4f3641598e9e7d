"""The vehicle stage against type-approval energies and the regulation's own traces."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.vehicle import coast_down_road_load, cycle_energy, cycle_speed_mps, generic_car

MILE_KM = 1.609344
POUND_KG = 0.45359237
HORSEPOWER_KW = 0.745699872
CYCLE_OF_PROCEDURE = {"81": "UDDS", "84": "HWFET"}


def _errors(path: Path) -> np.ndarray:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        car = generic_car(
            test_mass_kg=float(row["etw"]) * POUND_KG,
            peak_kw=float(row["hp"]) * HORSEPOWER_KW,
            road_load=coast_down_road_load(float(row["A"]), float(row["B"]), float(row["C"])),
        )
        computed = cycle_energy(car, CYCLE_OF_PROCEDURE[row["pc"]]).ac_kwh_per_100km * MILE_KM
        found.append(computed / float(row["meas_ac_kwh_per_100mi_unadjusted"]) - 1)
    return np.array(found)


def test_wall_energy_of_the_test_car_list_is_within_five_percent_in_the_median(shared_data: Path) -> None:
    # Measured: median 4.8 %, p90 15.0 % over 114 tests of half the makes; the worst are cars with two-speed gears and
    # little regeneration in the test (Porsche Taycan).
    errors = np.abs(_errors(shared_data / "vehicle" / "epa_my2022_bev_udds_hwfet_dev.csv"))
    assert len(errors) == 114
    assert np.median(errors) < 0.050
    assert np.percentile(errors, 90) < 0.155


@pytest.mark.parametrize(
    ("name", "file", "factor"),
    [("UDDS", "udds_mph", 0.44704), ("HWFET", "hwfet_mph", 0.44704), ("WLTC 3b", "wltc_3b_mps", 1.0)],
)
def test_shipped_traces_are_the_regulations_figures(shared_data: Path, name: str, file: str, factor: float) -> None:
    rows = (shared_data / "vehicle" / "cycles" / f"{file}.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    official = np.array([float(row.split(",")[1]) for row in rows if row])
    assert cycle_speed_mps(name) == pytest.approx(official * factor, abs=0.006)
