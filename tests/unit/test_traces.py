"""Drive-cycle traces: the official figures of those shipped, and what is said of a user's bad file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.programme.errors import InputError
from coachbuilder.vehicle.traces import OFFICIAL, UNITS, read_trace, trace

SHARED = {
    "UDDS": ("udds_mph", "mph", 0),
    "HWFET": ("hwfet_mph", "mph", 0),
    "US06": ("us06_mph", "mph", 0),
    "SC03": ("sc03_mph", "mph", 0),
    "WLTC 3a": ("wltc_3a_mps", "m/s", 0),
    "WLTC 3b": ("wltc_3b_mps", "m/s", 0),
    "NEDC": ("nedc_kmh", "km/h", 1),
}
"""File, unit, and seconds by which its rows come later than ours."""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "own.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.mark.parametrize("name", OFFICIAL)
def test_traces_have_their_official_length_distance_and_top_speed(name: str) -> None:
    shipped, official = trace(name), OFFICIAL[name]
    assert shipped.duration_s == official.duration_s
    assert shipped.distance_m / 1000 == pytest.approx(official.distance_km, rel=2e-3)
    assert shipped.top_speed_mps * 3.6 == pytest.approx(official.top_speed_kmh, rel=1e-3)
    assert shipped.speed_mps[0] == shipped.speed_mps[-1] == 0


def test_cltc_has_the_phases_and_the_accelerations_of_its_standard() -> None:
    # GB/T 38146.1-2019: phases of 674 s, 693 s and 433 s; accelerations over two seconds.
    kmh = 3.6 * trace("CLTC-P").speed_mps
    acceleration = (kmh[2:] - kmh[:-2]) / 7.2
    for begin, end, km, top, gain, loss in (
        (0, 674, 2.45, 48.1, 1.47, -1.42),
        (674, 1367, 5.91, 71.2, 1.44, -1.47),
        (1367, 1800, 6.12, 114.0, 1.06, -1.46),
    ):
        assert kmh[begin:end].sum() / 3600 == pytest.approx(km, abs=0.006)
        assert kmh[begin:end].max() == pytest.approx(top, abs=0.05)
        assert acceleration[begin : end - 2].max() == pytest.approx(gain, abs=0.006)
        assert acceleration[begin : end - 2].min() == pytest.approx(loss, abs=0.006)


@pytest.mark.parametrize("name", SHARED)
def test_shipped_traces_are_the_regulations_figures(shared_data: Path, name: str) -> None:
    file, unit, late = SHARED[name]
    rows = (shared_data / "vehicle" / "cycles" / f"{file}.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    official = np.array([float(row.split(",")[1]) for row in rows if row]) * UNITS[unit]
    assert trace(name).speed_mps[late:] == pytest.approx(official, abs=0.006)


def test_an_unknown_trace_is_told_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"UDSS.*UDDS.*did you mean UDDS"):
        trace("UDSS")


@pytest.mark.parametrize("unit", UNITS)
def test_a_users_file_is_read_in_every_unit_that_its_header_tells(write: Write, unit: str) -> None:
    rows = "".join(f"{i},{v / UNITS[unit]:.6f}\n" for i, v in enumerate(trace("HWFET").speed_mps))
    found = read_trace(write(f"time_s,speed [{unit}]\n{rows}"))
    assert found.name == "own"
    assert found.speed_mps == pytest.approx(trace("HWFET").speed_mps, abs=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff# logged\nTest Time, secs;Target Speed, mph\n0;0\n1;2,5\n2;5\n",
        "cycSecs\tcycMps\tcycGrade\n0\t0\t0\n1\t1.1176\t0\n2\t2.2352\t0\n",
        "speed_mph\n0\n2.5\n5\n",
        "temperature_c,time_s,speed_mph\n20,0,0\n20,1,2.5\n20,2,5\n",
        "time_s,time_ms,speed_mph,torque_nm\n0,0,0,9\n1,1000,2.5,9\n2,2000,5,9\n",
        "t,engine speed rpm,vehicle speed mph,accel_ms2\n0,800,0,1\n1,900,2.5,1\n2,950,5,1\n",
        "t,speed_mph,grade\n0,0,0.00\n1,2.5,0.00\n2,5,0.00\n",
    ],
)
def test_separators_decimal_commas_and_columns_are_found(write: Write, text: str) -> None:
    assert read_trace(write(text)).speed_mps == pytest.approx([0, 1.1176, 2.2352])


def test_a_file_without_header_needs_the_unit_told(write: Write) -> None:
    assert read_trace(write("0,0\n1,3.6\n"), unit="km/h").speed_mps == pytest.approx([0, 1])
    with pytest.raises(InputError, match="a unit of speed"):
        read_trace(write("0,0\n1,3.6\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found none; expected at least two"),
        ("time_s,speed_kmh\n0,0\n1,2,5\n2,5,0\n", "own.csv:3: row: found 3 cells"),
        ("time_s,speed_kmh\n0,0\n1,1_0\n2,0\n", "found 1_0; expected a number"),
        ("time_s,speed_kmh\n0,0\n1," + "9" * 200_000 + "\n", "field larger than field limit"),
        ("t,speed_kmh\n0,0\n", "at least two"),
        ("t,speed_kmh\n0,0\n1,5\n4,9\n5,0\n", "own.csv:4: time: found a step of 3 s"),
        ("t,speed_kmh\n0,0\n0.1,5\n0.2,9\n", "a step of 0.1 s throughout"),
        ("t,speed_kmh\n0,0\n1,-5\n2,0\n", "own.csv:3: speed: found -5"),
        ("t,speed_kmh\n0,0\n1,fast\n2,0\n", "own.csv:3: speed: found fast"),
        ("t,speed_kmh\n0,0\n1,\n2,0\n", "found nothing; expected a number"),
        ("t,speed_kmh\n0,0\n1,nan\n2,0\n", "found nan"),
        ("t,speed_kmh\n0,0\n1,0\n", "a car that moves"),
        ("t,speed_kmh\n0,0\n1,90\n2,0\n", "within a second"),
        ("t,speed_mps,grade\n0,0,0\n1,1,0.02\n", "a level road"),
        ("t,speed_mps\n0,0\n" + "".join(f"{i},{5 * i}\n" for i in range(1, 30)), "is the unit right"),
    ],
)
def test_a_bad_file_is_told_with_line_and_what_was_expected(write: Write, text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_trace(write(text))
    assert words in str(caught.value)


def test_many_problems_are_told_together_and_counted_beyond_the_first(write: Write) -> None:
    rows = "".join(f"{2 * i if i > 9 else i},-1\n" for i in range(20))
    with pytest.raises(InputError) as caught:
        read_trace(write(f"t,speed_kmh\n{rows}"))
    assert "more like these" in str(caught.value)
    assert {problem.field for problem in caught.value.problems} == {"time", "speed"}


def test_a_wrong_unit_is_caught_by_the_known_distance(write: Write) -> None:
    rows = "".join(f"{i},{v / UNITS['mph']:.4f}\n" for i, v in enumerate(trace("WLTC 3b").speed_mps[:900]))
    km = float(trace("WLTC 3b").speed_mps[:900].sum()) / 1000
    with pytest.raises(InputError, match="read as mph the distance would be"):
        read_trace(write(f"t,speed_kmh\n{rows}"), known_distance_km=km)


def test_a_wrong_unit_is_caught_by_the_shape_of_an_official_trace(write: Write) -> None:
    rows = "".join(f"{i},{v / UNITS['mph']:.4f}\n" for i, v in enumerate(trace("UDDS").speed_mps))
    with pytest.raises(InputError, match=r"whose shape the trace has.*read as mph the distance would be 11.99 km"):
        read_trace(write(f"t,speed_kmh\n{rows}"))


@pytest.mark.parametrize("name", ["NEDC", "WLTC 3b"])
def test_a_row_cut_off_does_not_hide_the_shape_of_an_official_trace(write: Write, name: str) -> None:
    rows = "".join(f"{i},{3.6 * v:.4f}\n" for i, v in enumerate(trace(name).speed_mps[1:]))
    with pytest.raises(InputError, match=r"read as km/h the distance would be"):
        read_trace(write(f"t,speed_mph\n{rows}"))


def test_a_unit_that_contradicts_the_header_and_a_distance_of_nothing_are_told(write: Write) -> None:
    path = write("t,speed_mph\n0,0\n1,5\n")
    with pytest.raises(InputError, match="which the header tells"):
        read_trace(path, unit="km/h")
    with pytest.raises(InputError, match="a distance above 0"):
        read_trace(path, known_distance_km=0.0)
