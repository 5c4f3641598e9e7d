"""Rivals from a csv file: the same as in programme.toml, and mistakes by line and column."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from coachbuilder.market import demand_inputs_from, evaluate_demand
from coachbuilder.programme import InputError, load

HEADER = "id,name,owner,peer,nest,price_cny,range_km,sold_units,months_on_sale,evidence\n"
TWIN = "aion-twin,Aion twin,,,,150000,460,40000,,rival-lists-recalled\n"


@pytest.fixture
def folder(example_folder: Path, tmp_path: Path) -> Path:
    """The example, whose rivals a file rivals.csv joins."""
    copy = tmp_path / "programme"
    shutil.copytree(example_folder, copy, ignore=shutil.ignore_patterns("out"))
    file = copy / "programme.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("[market.demand]\n", '[market.demand]\nrivals_file = "rivals.csv"\n'), encoding="utf-8"
    )
    return copy


def without_rivals(folder: Path) -> None:
    file = folder / "programme.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"\[\[market\.demand\.rival\]\]\n(?:[a-z_]+ = .*\n)+", "", text), encoding="utf-8")


def mistakes(folder: Path, rows: str) -> list[str]:
    (folder / "rivals.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(folder)
    return [str(problem) for problem in caught.value.problems]


def test_rivals_of_a_file_are_those_of_the_programme_file(example_folder: Path, folder: Path) -> None:
    written = load(example_folder)
    rows = [HEADER]
    for rival in written.document.market.demand.rival:
        reach = "" if rival.range_km is None else f"{rival.range_km.value:g}"
        rows.append(
            f"{rival.id},{rival.name},{rival.owner},{rival.peer},{rival.nest},{rival.price_cny.value!r},{reach},"
            f"{rival.sold_units.value!r},{rival.months_on_sale},rival-lists-recalled\n"
        )
    without_rivals(folder)
    (folder / "rivals.csv").write_text("".join(rows), encoding="utf-8")
    from_file = load(folder)
    assert evaluate_demand(demand_inputs_from(from_file, range_km=420.0)) == evaluate_demand(
        demand_inputs_from(written, range_km=420.0)
    )
    path = "market.demand.rival.aion-s.price_cny"
    assert from_file.assumptions[path].evidence == "rival-lists-recalled"
    assert from_file.with_values({path: 1e5}).assumptions[path].value == 1e5


def test_rivals_of_both_places_stand_together_and_a_range_is_an_interval(folder: Path) -> None:
    (folder / "rivals.csv").write_text(HEADER + TWIN.replace("150000", "140000 to 180000"), encoding="utf-8")
    loaded = load(folder)
    rivals = loaded.document.market.demand.rival
    assert (len(rivals), rivals[-1].id) == (10, "aion-twin")
    price = rivals[-1].price_cny
    assert (price.low, price.value, price.high) == (140e3, 160e3, 180e3)


def test_mistakes_are_told_by_line_and_column_all_at_once(folder: Path) -> None:
    rows = HEADER + TWIN
    rows += "x,X,nobody,maybe,electrics,-5,far,1,13,rival-lists\n"
    rows += "aion-s,Again,,,,150000,460,1000,,\n"
    rows += "y,,,,,,460,1000,,\n"
    told = mistakes(folder, rows)
    for expected in (
        "rivals.csv:3: owner: found nobody; expected one of",
        "rivals.csv:3: peer: found maybe",
        "rivals.csv:3: nest: found electrics; expected one of 'electric' or 'none' (did you mean electric?)",
        "rivals.csv:3: price_cny: found -5; expected a number above 0",
        "rivals.csv:3: range_km: found far; expected a number, or a range",
        "rivals.csv:3: months_on_sale: found 13",
        "rivals.csv:3: evidence: found rival-lists; expected the name of an entry",
        "rivals.csv:4: id: found aion-s; expected an identifier used once",
        "rivals.csv:5: name: found an empty cell",
        "rivals.csv:5: price_cny: found an empty cell",
    ):
        assert any(line.startswith(expected) for line in told), (expected, told)
    assert len(told) == 10


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("id,name\n", "rivals.csv:1: header: found id, name; expected the columns id, name, price_cny, sold_units"),
        (HEADER + "a,b\n", "rivals.csv:2: row: found 2 cells; expected 10 cells"),
        ("", "rivals.csv: file: found an empty file"),
    ],
)
def test_files_of_another_form_are_refused(folder: Path, rows: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in mistakes(folder, rows))


def test_file_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(InputError, match=r"rivals\.csv: file: found nothing; expected the file rivals\.csv"):
        load(folder)


def test_programme_without_any_rival_is_told_where_they_may_stand(folder: Path) -> None:
    without_rivals(folder)
    (folder / "rivals.csv").write_text(HEADER, encoding="utf-8")
    with pytest.raises(InputError, match="or in the file that rivals_file names"):
        demand_inputs_from(load(folder), range_km=420.0)


# --------------------------------------------------------------------- what the programme file says of the market


def planned(folder: Path, added: str, old: str = "", new: str = "") -> Path:
    """The example's folder with tables added before the announcement, or a text replaced."""
    file = folder / "programme.toml"
    text = file.read_text(encoding="utf-8").replace('rivals_file = "rivals.csv"\n', "")
    mark = "# ---------------------------------------------------------------- market: how the shares took the news\n"
    assert text.count(mark) == 1
    text = text.replace(mark, added + mark)
    assert old in text
    file.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return folder


NEWCOMER = """
[[market.demand.entrant]]
id = "newcomer"
name = "A newcomer"
evidence = "market-judgement"
owner = "host"
year = 2023
first_month = 7
price_cny = "150000 to 170000"
range_km = 600
appeal_cny = 5_000
against = "aion-s"

[[market.demand.entrant.price_path]]
year = 2025
change_rate = -0.1

[[market.demand.guest_price_path]]
year = 2024
price_cny = { value = 120_000, low = 110_000, high = 125_000, evidence = "market-judgement" }
"""


def test_entrants_and_courses_of_price_come_from_the_programme_file(folder: Path) -> None:
    loaded = load(planned(folder, NEWCOMER))
    result = evaluate_demand(demand_inputs_from(loaded, range_km=420.0))
    newcomer = result.rivals[-1]
    assert (newcomer.name, newcomer.entry_year) == ("A newcomer", 2023)
    assert newcomer.units_per_year[:2] == (0.0, 0.0)
    assert newcomer.units_per_year[3] > newcomer.units_per_year[2] > 0
    assert newcomer.price_cny[2] == pytest.approx(160e3)
    assert newcomer.price_cny[5] == pytest.approx(160e3 * 0.97 * 0.9 * 0.9)
    assert result.price_cny[2:5] == pytest.approx((149.9e3 * 0.97**2, 120e3, 120e3 * 0.97))
    assert loaded.assumptions["market.demand.guest_price_path.0.price_cny"].low == 110e3
    assert loaded.assumptions["market.demand.entrant.newcomer.price_path.0.change_rate"].evidence == "market-judgement"
    cheaper = loaded.with_values({"market.demand.guest_price_path.0.price_cny": 100e3})
    assert evaluate_demand(demand_inputs_from(cheaper, range_km=420.0)).units_per_year[3] > result.units_per_year[3]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("year = 2023\n", "year = 2020\n", "entrant.newcomer.year: found 2020; expected a year after the snapshot"),
        ('against = "aion-s"', 'against = "aion"', r"newcomer.against: found aion; .*\(did you mean aion-s\?\)"),
        ('against = "aion-s"', 'against = "h6"', "newcomer.against: found h6; expected an electric rival's id"),
        ("year = 2025\nchange", "year = 2022\nchange", "price_path.0.year: found 2022; expected a year after 2023"),
        ("change_rate = -0.1\n", "", "price_path.0: found neither price_cny nor change_rate"),
        ('id = "newcomer"', 'id = "p7"', "entrant.p7: found p7; expected an identifier used once"),
        ("range_km = { value = 460,", "# {", "rival.aion-s.range_km: found nothing; expected the range of an electric"),
        ('nest = "none"\n', 'nest = "none"\nrange_km = 700\n', "rival.h6.range_km: found a range; expected nothing"),
        (
            "value = 18_000_000, low = 17_500_000",
            "value = 300_000, low = 200_000",
            "less than the outside_units of 300",
        ),
        (
            "value = 16_000_000, low = 14_000_000",
            "value = 0, low = 0",
            "2025.outside_units: found 0 in some years only",
        ),
    ],
)
def test_what_does_not_fit_together_is_told_with_its_field(folder: Path, old: str, new: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        demand_inputs_from(load(planned(folder, NEWCOMER, old, new)), range_km=420.0)
