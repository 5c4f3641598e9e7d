"""EPA's test car list: what the reader makes of the file, and what its electric figures are taken for."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from coachbuilder.formats.test_car_list import (
    MPS_PER_MPH,
    N_PER_LBF,
    TestCarList,
    TestCarRow,
    read_test_car_list,
)
from coachbuilder.programme.errors import InputError
from coachbuilder.vehicle.measured import (
    EPA_ADJUSTMENT,
    KM_PER_MILE,
    KWH_PER_GALLON_EQUIVALENT,
    READINGS,
    MeasuredTest,
    Treatment,
    interpret,
    wheel_work_kwh_per_100km,
)
from coachbuilder.vehicle.validation import validate

# A list of two tests on electricity and one on petrol, as EPA writes it: title case header, quotes where needed.
CELLS = {
    "Model Year": "2022",
    "Vehicle Manufacturer Name": "Coach, Inc.",
    "Represented Test Veh Make": "Citroën",
    "Represented Test Veh Model": "Model",
    "Test Vehicle ID": "V1",
    "Test Veh Configuration #": "0",
    "Test Veh Displacement (L)": "0.001",
    "Actual Tested Testgroup": "G",
    "Vehicle Type": "Car",
    "Rated Horsepower": "200",
    "# of Cylinders and Rotors": "",
    "# of Gears": "1",
    "Tested Transmission Type": "Automatic",
    "Drive System Code": "A",
    "Axle Ratio": "9.05",
    "N/V Ratio": "110.0",
    "Equivalent Test Weight (lbs.)": "4250",
    "Test Number": "T1",
    "Test Originator": "MFR",
    "Test Procedure Cd": "81",
    "Test Procedure Description": "Charge Depleting UDDS",
    "Test Fuel Type Cd": "62",
    "Test Fuel Type Description": "Electricity",
    "RND_ADJ_FE": "163.0",
    "FE_UNIT": "MPG",
    "Target Coef A (lbf)": "30",
    "Target Coef B (lbf/mph)": "0.3",
    "Target Coef C (lbf/mph**2)": "0.0195",
    "Set Coef A (lbf)": "10",
    "Set Coef B (lbf/mph)": "-0.1",
    "Set Coef C (lbf/mph**2)": "",
}


def _write(path: Path, rows: Sequence[dict[str, str]], *, encoding: str = "utf-8", before: str = "") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        file.write(before)
        writer = csv.writer(file)
        writer.writerow(rows[0])
        writer.writerows(row.values() for row in rows)
    return path


def _small(path: Path, **options: str) -> Path:
    highway = {**CELLS, "Test Procedure Cd": "84", "RND_ADJ_FE": "136.1", "Drive System Code": "x"}
    petrol = {**CELLS, "Test Fuel Type Cd": "61", "RND_ADJ_FE": "no number"}
    return _write(path, [CELLS, petrol, highway], **options)


def _without(column: str) -> dict[str, str]:
    return {name: cell for name, cell in CELLS.items() if name != column}


@pytest.fixture(scope="module")
def published(shared_data: Path) -> Path:
    path = shared_data / "vehicle" / "epa_test_car_list_2022_dev_makes.csv"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    return path


@pytest.fixture(scope="module")
def cars(published: Path) -> TestCarList:
    return read_test_car_list(published)


@pytest.fixture(scope="module")
def used(cars: TestCarList) -> tuple[MeasuredTest, ...]:
    return tuple(test for test in interpret(cars.electric_rows) if test.treatment is not Treatment.LEFT_OUT)


@pytest.fixture
def row(tmp_path: Path) -> TestCarRow:
    return read_test_car_list(_small(tmp_path / "small.csv")).electric_rows[0]


# The reader


def test_cells_come_in_si_units(tmp_path: Path) -> None:
    cars = read_test_car_list(_small(tmp_path / "small.csv"))
    first, second = cars.electric_rows
    assert (cars.path_name, cars.model_years, cars.other_rows) == ("small.csv", (2022,), 1)
    assert (first.row, second.row) == (2, 4)
    assert (first.manufacturer, first.make, first.test_group) == ("Coach, Inc.", "Citroën", "G")
    assert first.rated_power_kw == pytest.approx(149.14, abs=0.01)
    assert first.test_weight_kg == pytest.approx(1927.77, abs=0.01)
    assert first.target_a_n == pytest.approx(133.447, abs=0.001)
    assert first.target_b_n_per_mps == pytest.approx(0.3 * N_PER_LBF / MPS_PER_MPH)
    assert first.target_c_n_per_mps2 == pytest.approx(0.0195 * N_PER_LBF / MPS_PER_MPH**2)
    assert first.set_b_n_per_mps is not None
    assert first.set_b_n_per_mps < 0
    assert first.set_c_n_per_mps2 is None
    assert first.cylinders is None
    assert (first.gears, first.axle_ratio, first.speed_ratio_per_min_per_mph) == (1, 9.05, 110.0)
    assert (first.drive, second.drive, second.drive_code) == ("all", "unknown", "x")


@pytest.mark.parametrize(
    ("code", "drive"), [("F", "front"), ("R", "rear"), ("4", "all"), ("A", "all"), ("P", "all"), ("", "unknown")]
)
def test_drive_codes(tmp_path: Path, code: str, drive: str) -> None:
    path = _write(tmp_path / "drive.csv", [{**CELLS, "Drive System Code": code}])
    assert read_test_car_list(path).electric_rows[0].drive == drive


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
def test_text_encodings(tmp_path: Path, encoding: str) -> None:
    cars = read_test_car_list(_small(tmp_path / "small.csv", encoding=encoding))
    assert cars.electric_rows[0].make == "Citroën"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    with (tmp_path / "list.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=separator).writerows([CELLS, CELLS.values()])
    assert read_test_car_list(tmp_path / "list.csv").electric_rows[0].manufacturer == "Coach, Inc."


def test_a_row_that_is_cut_off_is_told_and_a_footnote_is_none(tmp_path: Path) -> None:
    path = _small(tmp_path / "small.csv")
    with path.open("a", encoding="utf-8") as file:
        file.write("as of June\r\n2022,Coach,Citroën\r\n")
    with pytest.raises(InputError, match=r"^small.csv:6: row: found 3 cells; expected 31 cells \(cut off\?\)"):
        read_test_car_list(path)


def test_a_list_without_an_electric_car_is_told(tmp_path: Path) -> None:
    path = _write(tmp_path / "petrol.csv", [{**CELLS, "Test Fuel Type Cd": "61"}])
    with pytest.raises(
        InputError, match=r"Test Fuel Type Cd: found none in 1 rows; expected at least one electric car"
    ):
        read_test_car_list(path)


def test_header_further_down_in_other_case_and_with_line_breaks(tmp_path: Path) -> None:
    odd = {name.upper().replace(" ", " \n", 1): cell for name, cell in CELLS.items()}
    path = _write(tmp_path / "odd.csv", [odd], before="Test car list,,\r\n\r\nas of June\r\n")
    cars = read_test_car_list(path)
    assert cars.electric_rows[0].fuel_economy == 163.0
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[cars.electric_rows[0].row - 1].startswith("2022,")


def test_published_list(cars: TestCarList) -> None:
    assert (len(cars.electric_rows), cars.other_rows, cars.model_years) == (146, 2913, (2022,))
    assert Counter(row.drive for row in cars.electric_rows) == {"all": 104, "rear": 26, "front": 16}


def test_workbook_reads_as_the_text_does(published: Path, cars: TestCarList, tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.create_sheet("Notes").append(["What the columns mean"])
    sheet = book.create_sheet("List")
    with published.open(encoding="utf-8", newline="") as file:
        for line in csv.reader(file):
            sheet.append(line)
    book.save(tmp_path / "list.xlsx")
    assert replace(read_test_car_list(tmp_path / "list.xlsx"), path_name=cars.path_name) == cars


def test_workbook_with_numbers_and_a_title(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["Test car list"])
    sheet.append([])
    sheet.append([name.replace(" ", "\n", 1) for name in CELLS])
    sheet.append([float(cell) if cell.replace(".", "").isdigit() else cell or None for cell in CELLS.values()])
    book.save(tmp_path / "typed.xlsx")
    text = read_test_car_list(_write(tmp_path / "typed.csv", [CELLS])).electric_rows[0]
    assert read_test_car_list(tmp_path / "typed.xlsx").electric_rows[0] == replace(text, row=4)


def test_missing_columns_are_told_together_with_the_nearest(tmp_path: Path) -> None:
    names = {"RND_ADJ_FE": "RND_ADJ_FUEL", "Rated Horsepower": "Rated Horse power", "Model Year": "When"}
    path = _write(tmp_path / "bad.csv", [{names.get(name, name): cell for name, cell in CELLS.items()}])
    with pytest.raises(InputError) as caught:
        read_test_car_list(path)
    problems = {problem.field: problem for problem in caught.value.problems}
    assert set(problems) == set(names)
    assert "'RND_ADJ_FUEL'" in problems["RND_ADJ_FE"].hint
    assert "'Rated Horse power'" in problems["Rated Horsepower"].hint
    assert all(problem.line == 1 for problem in problems.values())


def test_columns_nothing_hangs_on_may_be_missing(tmp_path: Path) -> None:
    path = _write(tmp_path / "short.csv", [_without("Set Coef A (lbf)"), _without("Set Coef A (lbf)")])
    assert read_test_car_list(path).electric_rows[0].set_a_n is None


def test_bad_cells_are_told_together_with_line_and_column(tmp_path: Path) -> None:
    bad = {**CELLS, "RND_ADJ_FE": "12,5", "# of Gears": "1.5", "Model Year": "22", "Target Coef A (lbf)": "nan"}
    petrol = {**bad, "Test Fuel Type Cd": "61"}
    with pytest.raises(InputError) as caught:
        read_test_car_list(_write(tmp_path / "bad.csv", [petrol, CELLS, bad]))
    assert {(problem.line, problem.field) for problem in caught.value.problems} == {
        (4, "RND_ADJ_FE"),
        (4, "# of Gears"),
        (4, "Model Year"),
        (4, "Target Coef A (lbf)"),
    }


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("empty.csv", b"", "an empty file"),
        ("blank.csv", b"\r\n,,\r\n", "no filled cell"),
        ("other.csv", b"a,b\r\n1,2\r\n", "no such column"),
        ("binary.csv", bytes(range(256)) * 4, "bytes that are no text"),
        ("without_mark.csv", "a,b\r\n1,2\r\n".encode("utf-16-le"), "bytes that are no text"),
        ("old.xls", b"\xd0\xcf\x11\xe0", "no .xlsx workbook"),
        ("broken.xlsx", b"PK\x03\x04 and no more", "not a zip file"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, data: bytes, found: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=found):
        read_test_car_list(tmp_path / name)


def test_no_file_no_rows_and_a_column_twice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found nothing"):
        read_test_car_list(tmp_path / "none.csv")
    (tmp_path / "header.csv").write_text(",".join(CELLS), encoding="utf-8")
    with pytest.raises(InputError, match="a row a test"):
        read_test_car_list(tmp_path / "header.csv")
    (tmp_path / "twice.csv").write_text(",".join([*CELLS, "FE_UNIT"]) + "\r\n2022", encoding="utf-8")
    with pytest.raises(InputError, match="2 columns of this name"):
        read_test_car_list(tmp_path / "twice.csv")


# What the figures mean


def test_agrees_with_every_row_put_right_by_hand(shared_data: Path, used: tuple[MeasuredTest, ...]) -> None:
    units = {"MPGe": Treatment.MILES_PER_GALLON_EQUIVALENT, "kWh/100mi": Treatment.KWH_PER_100_MILES}
    with (shared_data / "vehicle" / "epa_my2022_bev_udds_hwfet_dev.csv").open(encoding="utf-8", newline="") as file:
        known = {
            (row["make"], row["vid"], row["cfg"], row["pc"], float(row["fe"])): (
                units[row["unit_of_RND_ADJ_FE_inferred"]],
                float(row["meas_ac_kwh_per_100mi_unadjusted"]),
            )
            for row in csv.DictReader(file)
        }
    read = {
        (*test.car_key[::2], test.car_key[3], test.row.procedure_code, test.row.fuel_economy): test for test in used
    }
    assert len(used) == 114
    assert set(read) == set(known)
    for key, test in read.items():
        treatment, energy = known[key]
        assert test.treatment is treatment, test.said
        assert test.energy_ac_kwh_per_100km == pytest.approx(energy / KM_PER_MILE, rel=1e-6)
        assert test.cycle == {"81": "UDDS", "84": "HWFET"}[test.row.procedure_code]


def test_every_row_has_a_treatment_and_a_reason(cars: TestCarList) -> None:
    tests = interpret(cars.electric_rows)
    assert [test.row for test in tests] == list(cars.electric_rows)
    left_out = [test for test in tests if test.treatment is Treatment.LEFT_OUT]
    assert Counter(test.row.procedure_code for test in left_out) == {"2": 8, "3": 8, "86": 8, "95": 8}
    assert all(test.energy_ac_kwh_per_100km is test.cycle is test.probability is None for test in left_out)
    said = {test.row.procedure_code: test.said for test in left_out}
    assert "-7 °C" in said["86"]
    assert "35 °C" in said["95"]
    assert "nor has it a figure" in said["2"]
    assert all(test.said for test in tests)


def test_the_reason_gives_both_units(used: tuple[MeasuredTest, ...]) -> None:
    test = next(test for test in used if test.row.make == "KIA" and test.row.fuel_economy == 26.2)
    assert test.said == (
        "the unit column says MPG, but the figure 26.2 is kWh/100 mi: 26.2 kWh/100 mi from the wall, 1.26 times the "
        "work at the wheels of its road load; as MPGe it would be 128.6 kWh/100 mi, 6.19 times that work"
    )


def _written(test: MeasuredTest, reading: int, waste: float = 1.0) -> TestCarRow:
    """Return a test's row with its energy written in one of the four ways, to one decimal as the list does."""
    assert test.energy_ac_kwh_per_100km is not None
    kwh = waste * test.energy_ac_kwh_per_100km * KM_PER_MILE
    miles = 100 * KWH_PER_GALLON_EQUIVALENT / kwh
    figure = (miles, kwh, EPA_ADJUSTMENT * miles, kwh / EPA_ADJUSTMENT)[reading]
    return replace(test.row, fuel_economy=round(figure, 1))


def test_all_four_ways_to_write_a_figure_are_told_apart(used: tuple[MeasuredTest, ...]) -> None:
    alone = together = units_alone = units_together = 0
    for place, treatment in enumerate(READINGS):
        rows = [_written(test, place) for test in used]
        by_itself = [interpret([row])[0].treatment for row in rows]
        with_others = [test.treatment for test in interpret(rows)]
        same_unit = (READINGS[place % 2], READINGS[place % 2 + 2])
        alone += by_itself.count(treatment)
        together += with_others.count(treatment)
        units_alone += sum(found in same_unit for found in by_itself)
        units_together += sum(found in same_unit for found in with_others)
    assert units_alone == units_together == 4 * 114
    # Measured: 438 of 456 (96.1 %) alone, all 456 with the vehicle's other tests.
    assert alone >= 438
    assert together == 4 * 114


@pytest.mark.parametrize(("rest", "odd"), [(0, 1), (0, 2), (0, 3), (1, 0), (1, 2), (1, 3), (2, 0), (3, 1)])
def test_one_test_written_otherwise_than_the_vehicles_others(
    used: tuple[MeasuredTest, ...], rest: int, odd: int
) -> None:
    right = 0
    for place, test in enumerate(used):
        others = [other for other in used[:place] + used[place + 1 :] if other.car_key[:3] == test.car_key[:3]]
        mixed = [_written(test, odd), *(_written(other, rest) for other in others)]
        right += interpret(mixed)[0].treatment is READINGS[odd]
    # Measured: 112 to 114 of 114.
    assert right >= 112


@pytest.mark.parametrize(("waste", "least"), [(0.85, 114), (0.9, 114), (1.1, 110), (1.15, 108)])
def test_results_of_cars_that_waste_less_or_more_stay_results(
    used: tuple[MeasuredTest, ...], waste: float, least: int
) -> None:
    for place in (0, 1):
        tests = interpret([_written(test, place, waste) for test in used])
        assert sum(test.treatment is READINGS[place] for test in tests) >= least


def _car(row: TestCarRow, kg: float, a: float, b: float, c: float, figures: tuple[float, float]) -> list[TestCarRow]:
    """Return both tests of a car with a road load in pounds and miles an hour."""
    return [
        replace(
            row,
            test_weight_kg=kg,
            target_a_n=a * N_PER_LBF,
            target_b_n_per_mps=b * N_PER_LBF / MPS_PER_MPH,
            target_c_n_per_mps2=c * N_PER_LBF / MPS_PER_MPH**2,
            procedure_code=code,
            fuel_economy=figure,
        )
        for code, figure in zip(("81", "84"), figures, strict=True)
    ]


@pytest.mark.parametrize(
    ("kg", "load", "miles"),
    [
        pytest.param(4300, (95, 1.0, 0.055), (49.0, 47.0), id="large truck"),
        pytest.param(3175, (40.12, 0.3314, 0.03574), (104.3, 85.7), id="F-150 Lightning, label over 0.7"),
        pytest.param(1500, (24, 0.1, 0.0155), (210.0, 185.0), id="very efficient car"),
        pytest.param(1900, (30, 0.3, 0.0195), (163.0, 136.0), id="common car"),
    ],
)
def test_large_and_small_cars_in_all_four_ways(
    row: TestCarRow, kg: float, load: tuple[float, float, float], miles: tuple[float, float]
) -> None:
    kwh = tuple(round(100 * KWH_PER_GALLON_EQUIVALENT / figure, 1) for figure in miles)
    ways = (
        miles,
        kwh,
        tuple(round(EPA_ADJUSTMENT * figure, 1) for figure in miles),
        tuple(round(figure / EPA_ADJUSTMENT, 1) for figure in kwh),
    )
    for treatment, (city, highway) in zip(READINGS, ways, strict=True):
        tests = interpret(_car(row, kg, *load, (city, highway)))
        assert [test.energy_ac_kwh_per_100km for test in tests] == pytest.approx(
            [100 * KWH_PER_GALLON_EQUIVALENT / figure / KM_PER_MILE for figure in miles], rel=0.01
        )
        assert [test.treatment for test in tests] == [treatment] * 2


def test_units_that_coincide_are_said_to_be_harmless(row: TestCarRow) -> None:
    tests = interpret(_car(row, 3000, 75, 0.6, 0.038, (58.06, 58.06)))[1]
    assert tests.treatment is Treatment.MILES_PER_GALLON_EQUIVALENT
    assert "read as kWh/100 mi it is the same within 3 %" in tests.said
    assert tests.probability == pytest.approx(1, abs=0.01)


def test_a_column_that_says_kwh_is_heard(row: TestCarRow) -> None:
    for unit, taken in (("MPG", Treatment.MILES_PER_GALLON_EQUIVALENT), ("kWh/100 miles", Treatment.KWH_PER_100_MILES)):
        test = interpret(
            [replace(part, fuel_economy_unit=unit) for part in _car(row, 3000, 75, 0.6, 0.038, (58.06, 58.06))]
        )
        assert test[1].treatment is taken
        assert f"the unit column says {unit}, and the figure" in test[1].said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fuel_economy": None}, "no figure is given"),
        ({"fuel_economy": 0.0}, "no figure is given"),
        ({"fuel_economy": 9999.9}, "no plausible energy"),
        ({"fuel_economy": 2.0}, "no plausible energy"),
        ({"test_weight_kg": None}, "no test weight"),
        ({"test_weight_kg": 40.0}, "no car's"),
        ({"target_b_n_per_mps": None}, "coast-down is missing"),
        ({"target_a_n": 0.0, "target_b_n_per_mps": 0.0, "target_c_n_per_mps2": 0.0}, "no resistance"),
        ({"cylinders": 2, "displacement_l": 0.647}, "an engine of 2 cylinders"),
        ({"procedure_code": "77", "procedure": "Something"}, "procedure 77 (Something) is neither"),
        ({"procedure_code": ""}, "procedure without a code"),
        ({"procedure_code": "83"}, "US06"),
    ],
)
def test_rows_left_out(row: TestCarRow, change: dict[str, float | str | None], said: str) -> None:
    (test,) = interpret([replace(row, **change)])
    assert test.treatment is Treatment.LEFT_OUT
    assert said in test.said


def test_power_and_drive_are_not_needed(row: TestCarRow) -> None:
    (test,) = interpret([replace(row, rated_power_kw=None, drive="unknown", gears=None, axle_ratio=None)])
    assert test.treatment is Treatment.MILES_PER_GALLON_EQUIVALENT
    assert test.car_key == ("Citroën", 2022, "V1", "0")


def test_work_at_the_wheels_grows_by_the_road_load(row: TestCarRow) -> None:
    assert row.target_a_n is not None
    lighter = wheel_work_kwh_per_100km(row, "HWFET")
    heavier = wheel_work_kwh_per_100km(replace(row, target_a_n=row.target_a_n + 36), "HWFET")
    assert lighter is not None
    assert heavier is not None
    # 36 N over 100 km is 1 kWh.
    assert heavier[1] - lighter[1] == pytest.approx(1.0)
    assert lighter[1] < lighter[0] < heavier[0] < lighter[0] + 1.0


def test_a_sibling_is_of_the_same_make_where_the_list_names_no_manufacturer(row: TestCarRow) -> None:
    rows = [
        replace(row, manufacturer="", make=make, vehicle_id=vehicle)
        for make, vehicle in (("One", "A"), ("One", "B"), ("Two", "C"))
    ]
    found = validate(interpret(rows), on_sibling=True)
    assert {item.vehicle_id: item.sibling for item in found.rows} == {"A": "B 0", "B": "A 0"}
    assert [item.name for item in found.left_out] == ["Two Model"]


def test_cars_of_a_list_without_vehicle_numbers_are_told_apart_by_their_road_load(row: TestCarRow) -> None:
    assert row.target_a_n is not None
    light = replace(row, vehicle_id="", configuration="")
    found = validate(interpret([light, replace(light, target_a_n=2.0 * row.target_a_n, fuel_economy=130.0)]))
    assert found.cars == 2
    assert found.rows[0].predicted_kwh_per_100km < found.rows[1].predicted_kwh_per_100km


def test_what_a_row_does_not_tell_is_said_with_what_is_taken(row: TestCarRow) -> None:
    (test,) = validate(interpret([replace(row, drive="unknown", gears=None)])).rows
    assert "which axles are driven is not told, taken: one" in test.said
    assert "the gearbox's speeds are not told, taken: one" in test.said


def test_a_road_load_that_does_not_resist_at_every_speed_leaves_the_car_out(row: TestCarRow) -> None:
    (test,) = interpret([replace(row, target_a_n=-60.0, target_b_n_per_mps=8.0, target_c_n_per_mps2=0.35)])
    found = validate([test])
    assert found.cars == 0
    assert "a force of -" in found.left_out[0].why


def test_no_rows_give_no_tests() -> None:
    assert interpret([]) == ()
