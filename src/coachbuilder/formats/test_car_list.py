"""Reads EPA's annual test car list (.csv or .xlsx): the electric rows in full, the others counted."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from coachbuilder.programme.errors import InputError, ProblemList

LARGEST_BYTES = 32 * 1024 * 1024
LARGEST_UNPACKED_BYTES = 512 * 1024 * 1024
"""A year's list unpacks to some 20 MiB; more than this is made to fill the memory."""
LARGEST_HEADER_ROW = 40
"""Rows in which the header is looked for."""

ELECTRICITY = "62"
"""Code of electricity in the column Test Fuel Type Cd."""

KG_PER_LB = 0.45359237
N_PER_LBF = 4.4482216152605
MPS_PER_MPH = 0.44704
KW_PER_HP = 0.745699871582

Drive = Literal["front", "rear", "all", "unknown"]

_DRIVES: dict[str, Drive] = {"F": "front", "R": "rear", "4": "all", "A": "all", "P": "all"}

_REQUIRED = (
    "Model Year",
    "Represented Test Veh Make",
    "Represented Test Veh Model",
    "Test Vehicle ID",
    "Test Veh Configuration #",
    "Rated Horsepower",
    "Drive System Code",
    "Equivalent Test Weight (lbs.)",
    "N/V Ratio",
    "Test Procedure Cd",
    "Test Fuel Type Cd",
    "RND_ADJ_FE",
    "FE_UNIT",
    "Target Coef A (lbf)",
    "Target Coef B (lbf/mph)",
    "Target Coef C (lbf/mph**2)",
)
_OPTIONAL = (
    "Vehicle Manufacturer Name",
    "Test Veh Displacement (L)",
    "Actual Tested Testgroup",
    "Vehicle Type",
    "# of Cylinders and Rotors",
    "# of Gears",
    "Tested Transmission Type",
    "Axle Ratio",
    "Test Number",
    "Test Originator",
    "Test Procedure Description",
    "Test Fuel Type Description",
    "Set Coef A (lbf)",
    "Set Coef B (lbf/mph)",
    "Set Coef C (lbf/mph**2)",
)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?")


@dataclass(frozen=True, slots=True)
class TestCarRow:
    """One test of one car, as the list has it; blank texts are empty, blank numbers ``None``."""

    # Keeps pytest from taking the class for a group of tests.
    __test__ = False

    row: int
    """Line in the file, or row in the sheet, counted from 1."""
    model_year: int
    """Model year."""
    manufacturer: str
    """Who answers for the car."""
    make: str
    """Make of the car that the test stands for."""
    model: str
    """Its model."""
    vehicle_id: str
    """Test vehicle."""
    configuration: str
    """Number of the test vehicle's configuration: weight and road load differ between them."""
    test_group: str
    """Test group."""
    vehicle_type: str
    """Car, Truck or Both."""
    displacement_l: float | None
    """Engine displacement; electric cars have a stand-in such as 0.001 or 99.999."""
    cylinders: int | None
    """Cylinders or rotors of the engine."""
    rated_power_kw: float | None
    """Rated power; ``None`` also for 0."""
    gears: int | None
    """Number of gears."""
    transmission: str
    """Type of transmission."""
    drive_code: str
    """Drive as printed: F, R, 4, A or P."""
    drive: Drive
    """Driven axles."""
    axle_ratio: float | None
    """Turns going into the axle per wheel turn; ``None`` also for 0. Many makers give 1 and not the reduction."""
    speed_ratio_per_min_per_mph: float | None
    """Engine or motor turns a minute per mph (N/V); ``None`` also for 0."""
    test_weight_kg: float | None
    """Equivalent test weight."""
    test_number: str
    """Number of the test."""
    originator: str
    """MFR or EPA: who drove the test."""
    procedure_code: str
    """Test procedure: 81 is the charge-depleting UDDS, 84 the charge-depleting highway cycle."""
    procedure: str
    """Its description."""
    fuel_code: str
    """Test fuel; 62 is electricity."""
    fuel: str
    """Its description."""
    fuel_economy: float | None
    """The figure of the column RND_ADJ_FE, whatever its unit."""
    fuel_economy_unit: str
    """Unit as printed; for electric rows it is not to be trusted."""
    target_a_n: float | None
    """Target coast-down, constant part."""
    target_b_n_per_mps: float | None
    """Target coast-down, part that grows with speed."""
    target_c_n_per_mps2: float | None
    """Target coast-down, part that grows with its square."""
    set_a_n: float | None
    """Dynamometer setting, constant part."""
    set_b_n_per_mps: float | None
    """Dynamometer setting, part that grows with speed."""
    set_c_n_per_mps2: float | None
    """Dynamometer setting, part that grows with its square."""


@dataclass(frozen=True, slots=True)
class TestCarList:
    """The electric rows of a list."""

    __test__ = False

    path_name: str
    """Name of the file."""
    model_years: tuple[int, ...]
    """Model years of all rows, rising."""
    electric_rows: tuple[TestCarRow, ...]
    """Tests on electricity, in the order of the file."""
    other_rows: int
    """Tests on other fuels; only counted."""


def read_test_car_list(path: Path) -> TestCarList:
    """Read a test car list as EPA publishes it, .csv or .xlsx.

    The header may stand some rows down; its names are compared without case, line breaks and extra blanks. Numbers
    are checked in electric rows alone.

    Parameters
    ----------
    path
        The file; UTF-8, UTF-16 or Latin-1 text with commas, semicolons or tabs between cells, or a workbook.

    Raises
    ------
    InputError
        With every problem found: no such file, missing columns, cells that should hold a number.

    Examples
    --------
    >>> cars = read_test_car_list(Path("22-testcar.xlsx"))  # doctest: +SKIP
    >>> cars.electric_rows[0].fuel_economy, cars.electric_rows[0].fuel_economy_unit  # doctest: +SKIP
    (146.3, 'MPG')
    """
    problems = ProblemList(path.name or str(path))
    data = _data(path, problems)
    if data.startswith(b"PK\x03\x04"):
        tables = _sheets(data, problems)
    elif path.suffix.lower() in (".xlsx", ".xlsm", ".xls"):
        problems.add("file", "no .xlsx workbook", "a workbook saved as .xlsx, or a .csv file")
        tables = []
    else:
        tables = [_lines(data, problems)]
    problems.raise_if_any()
    # A workbook may open with notes: the list is the sheet whose header fits best.
    table, header = max(
        ((table, _header_row(table)) for table in tables), key=lambda found: _known(found[0][found[1]][1])
    )
    places = _places(table[header], problems)
    problems.raise_if_any()
    if len(table) == header + 1:
        problems.add("rows", "none", "a row a test", line=table[header][0])
        problems.raise_if_any()
    return _translate(table[header:], places, problems)


_Table = list[tuple[int, list[str]]]


def _data(path: Path, problems: ProblemList) -> bytes:
    if not path.is_file():
        problems.add("file", "a folder" if path.is_dir() else "nothing", f"the file {problems.file}")
        problems.raise_if_any()
    try:
        size = path.stat().st_size
        if size <= LARGEST_BYTES:
            data = path.read_bytes()
            if data:
                return data
            problems.add("file", "an empty file", "a header and rows")
        else:
            problems.add("file", f"{size / 2**20:.1f} MiB", f"at most {LARGEST_BYTES / 2**20:g} MiB")
    except OSError as error:
        problems.add("file", error.strerror or "an unreadable file", "a file that can be read")
    raise InputError(problems)


def _lines(data: bytes, problems: ProblemList) -> _Table:
    text = _text(data)
    if "\0" in text:
        problems.add("file", "bytes that are no text", "a list as .csv, in UTF-8, UTF-16 or Latin-1, or as .xlsx")
        return []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    table: _Table = []
    line = 1
    try:
        for cells in reader:
            table.append((line, [_tidy(cell) for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        problems.add("syntax", str(error), "comma-separated text", line=line)
    return _filled(table, problems)


def _text(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    # Latin-1 takes every byte; the list's accents and signs are the only thing that is not ASCII.
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _separator(text: str) -> str:
    """Return what stands between the cells: the mark that splits some early line into most known names."""
    lines = text.splitlines()[:LARGEST_HEADER_ROW]

    def names(mark: str) -> int:
        return max((_known([_tidy(cell.strip('"')) for cell in line.split(mark)]) for line in lines), default=0)

    return max(",;\t", key=names)


def _sheets(data: bytes, problems: ProblemList) -> list[_Table]:
    from openpyxl import load_workbook

    tables: list[_Table] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > LARGEST_UNPACKED_BYTES:
            most = f"at most {LARGEST_UNPACKED_BYTES / 2**20:g} MiB"
            problems.add("file", f"{unpacked / 2**20:.0f} MiB when unpacked", most)
            return tables
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            for sheet in book.worksheets:
                # The size that a workbook states for its sheet can be wrong; without it all rows are read.
                sheet.reset_dimensions()
                rows = enumerate(sheet.iter_rows(values_only=True), start=1)
                tables.append([(number, [_cell_text(value) for value in cells]) for number, cells in rows])
        finally:
            book.close()
    except Exception as error:  # noqa: BLE001 - openpyxl lets errors of many kinds through for a damaged workbook
        problems.add("file", str(error) or type(error).__name__, "an .xlsx workbook that can be read")
        return tables
    full = [[item for item in table if any(item[1])] for table in tables]
    if not any(full):
        problems.add("file", "no filled cell", "a header and rows")
    return [table for table in full if table]


def _filled(table: _Table, problems: ProblemList) -> _Table:
    full = [item for item in table if any(item[1])]
    if not full and not len(problems):
        problems.add("file", "no filled cell", "a header and rows")
    return full


def _cell_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return _tidy(str(value))


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _name(header: str) -> str:
    return header.casefold()


_KNOWN = {_name(header) for header in (*_REQUIRED, *_OPTIONAL)}


def _known(cells: Sequence[str]) -> int:
    return len({_name(cell) for cell in cells} & _KNOWN)


def _header_row(table: _Table) -> int:
    return max(range(min(len(table), LARGEST_HEADER_ROW)), key=lambda place: (_known(table[place][1]), -place))


def _places(header: tuple[int, list[str]], problems: ProblemList) -> dict[str, int]:
    line, cells = header
    columns: dict[str, list[int]] = {}
    for place, cell in enumerate(cells):
        columns.setdefault(_name(cell), []).append(place)
    spare = {name: cells[found[0]] for name, found in columns.items() if name not in _KNOWN}
    places = {}
    for column in (*_REQUIRED, *_OPTIONAL):
        found = columns.get(_name(column), [])
        if len(found) > 1:
            problems.add(column, f"{len(found)} columns of this name", "one", line=line)
        elif found:
            places[column] = found[0]
        elif column in _REQUIRED:
            near = get_close_matches(_name(column), spare, n=1)
            hint = f"the nearest in the header is {spare[near[0]]!r}" if near else ""
            problems.add(column, "no such column", f"the column {column}", line=line, hint=hint)
    return places


def _translate(table: _Table, places: dict[str, int], problems: ProblemList) -> TestCarList:
    width = len(table[0][1])
    years: set[int] = set()
    rows: list[TestCarRow] = []
    others = 0
    for line, cells in table[1:]:
        row = _Cells(line, cells, places, problems)
        year = row.text("Model Year")
        is_test = year.isascii() and year.isdigit() and len(year) == 4
        if is_test:
            years.add(int(year))
        if is_test and len(cells) <= places["Test Fuel Type Cd"]:
            problems.add("row", f"{len(cells)} cells", f"{width} cells", line=line, hint="cut off?")
            continue
        if row.text("Test Fuel Type Cd").lstrip("0") != ELECTRICITY:
            others += 1
            continue
        if any(cells[width:]):
            problems.add("row", f"{len(cells)} cells", f"{width} cells", line=line)
            continue
        rows.append(_row(row))
    if not rows and not len(problems):
        found = f"none in {others} rows"
        problems.add("Test Fuel Type Cd", found, f"at least one electric car: a row with code {ELECTRICITY}")
    problems.raise_if_any()
    return TestCarList(problems.file, tuple(sorted(years)), tuple(rows), others)


def _row(row: _Cells) -> TestCarRow:
    drive_code = row.text("Drive System Code")
    target = tuple(row.road_load("Target"))
    dynamometer = tuple(row.road_load("Set"))
    weight_lb = row.number("Equivalent Test Weight (lbs.)", 0, 100_000)
    power_hp = row.number("Rated Horsepower", 0, 100_000)
    return TestCarRow(
        row=row.line,
        model_year=row.year(),
        manufacturer=row.text("Vehicle Manufacturer Name"),
        make=row.text("Represented Test Veh Make"),
        model=row.text("Represented Test Veh Model"),
        vehicle_id=row.text("Test Vehicle ID"),
        configuration=row.text("Test Veh Configuration #"),
        test_group=row.text("Actual Tested Testgroup"),
        vehicle_type=row.text("Vehicle Type"),
        displacement_l=row.number("Test Veh Displacement (L)", 0, 1_000),
        cylinders=row.count("# of Cylinders and Rotors"),
        rated_power_kw=power_hp * KW_PER_HP if power_hp else None,
        gears=row.count("# of Gears"),
        transmission=row.text("Tested Transmission Type"),
        drive_code=drive_code,
        drive=_DRIVES.get(drive_code.upper(), "unknown"),
        axle_ratio=row.number("Axle Ratio", 0, 1_000) or None,
        speed_ratio_per_min_per_mph=row.number("N/V Ratio", 0, 100_000) or None,
        test_weight_kg=None if weight_lb is None else weight_lb * KG_PER_LB,
        test_number=row.text("Test Number"),
        originator=row.text("Test Originator"),
        procedure_code=row.text("Test Procedure Cd"),
        procedure=row.text("Test Procedure Description"),
        fuel_code=row.text("Test Fuel Type Cd"),
        fuel=row.text("Test Fuel Type Description"),
        fuel_economy=row.number("RND_ADJ_FE", 0, 1_000_000),
        fuel_economy_unit=row.text("FE_UNIT"),
        target_a_n=target[0],
        target_b_n_per_mps=target[1],
        target_c_n_per_mps2=target[2],
        set_a_n=dynamometer[0],
        set_b_n_per_mps=dynamometer[1],
        set_c_n_per_mps2=dynamometer[2],
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """A row's cells by column; notes what is no number."""

    line: int
    cells: list[str]
    places: dict[str, int]
    problems: ProblemList

    def text(self, column: str) -> str:
        place = self.places.get(column, -1)
        return self.cells[place] if 0 <= place < len(self.cells) else ""

    def number(self, column: str, smallest: float, largest: float) -> float | None:
        text = self.text(column)
        if not text:
            return None
        value = float(text) if _NUMBER.fullmatch(text) else None
        if value is None or not smallest <= value <= largest:
            expected = f"a number from {smallest:g} to {largest:g}, or nothing"
            self.problems.add(column, text, expected, line=self.line)
            return None
        return value

    def count(self, column: str) -> int | None:
        value = self.number(column, 0, 100)
        if value is not None and not value.is_integer():
            self.problems.add(column, self.text(column), "a whole number, or nothing", line=self.line)
        return None if value is None else int(value)

    def year(self) -> int:
        text = self.text("Model Year")
        if text.isascii() and text.isdigit() and len(text) == 4:
            return int(text)
        self.problems.add("Model Year", text or "nothing", "a year of four digits", line=self.line)
        return 0

    def road_load(self, kind: str) -> Iterator[float | None]:
        """Yield A, B and C in newtons and metres a second."""
        for order, unit in enumerate(("A (lbf)", "B (lbf/mph)", "C (lbf/mph**2)")):
            value = self.number(f"{kind} Coef {unit}", -10_000, 10_000)
            yield None if value is None else value * N_PER_LBF / MPS_PER_MPH**order


__all__ = ["Drive", "TestCarList", "TestCarRow", "read_test_car_list"]
