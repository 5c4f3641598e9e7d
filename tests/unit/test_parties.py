"""Standing on lists of authorities: status on any day, what is refused, and what reaches the deal's discount rates."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.cli.root import _run
from coachbuilder.market.parties import (
    Listing,
    PartiesInputs,
    PartiesResult,
    StatusInterval,
    Supplier,
    evaluate_parties,
    interval_on,
)
from coachbuilder.market.parties.effects import DAYS_PER_MONTH, time_weight
from coachbuilder.plan import Plan, Stages, evaluate, problems_of
from coachbuilder.programme import InputError, load
from coachbuilder.programme.sections.parties import ListStatus
from coachbuilder.programme.template import write_template
from coachbuilder.report import wording, write_report

DAY = dt.date(2021, 3, 26)
LISTED = StatusInterval(ListStatus.LISTED, dt.date(2021, 1, 14), None, "order")


def _listing(**changes: object) -> Listing:
    listing = Listing(
        id="list",
        party="brand",
        list_name="A list",
        authority="An authority",
        intervals=(LISTED,),
        closes_investors=("Investors",),
        closes_suppliers=("chips",),
        surcharge_rate=0.01,
        enjoined_share=0.4,
        expected_months=24.0,
    )
    return replace(listing, **changes)  # type: ignore[arg-type]


def _evaluate(*listings: Listing) -> PartiesResult:
    return evaluate_parties(
        PartiesInputs(
            as_of=DAY,
            horizon_months=120.0,
            brand_name="Brand",
            host_name="Host",
            brand_discount_rate=0.11,
            host_discount_rate=0.10,
            suppliers=(Supplier("chips", "Chips", "processors"), Supplier("glass", "Glass", "windows")),
            listings=listings,
        )
    )


# the case


@pytest.mark.parametrize(
    ("day", "status", "since"),
    [
        ("2021-03-26", ListStatus.ENJOINED, "2021-03-12"),
        ("2021-05-10", ListStatus.ENJOINED, "2021-03-12"),
        ("2021-05-11", ListStatus.SETTLEMENT_FILED, "2021-05-11"),
        ("2021-05-25", ListStatus.REMOVED, "2021-05-25"),
    ],
)
def test_the_brand_stands_on_the_military_list_as_the_court_record_says(
    example_folder: Path, day: str, status: ListStatus, since: str
) -> None:
    standing = Stages(load(example_folder, as_of=dt.date.fromisoformat(day))).parties
    assert standing is not None
    (listing,) = standing.listings
    assert (listing.status, listing.since) == (status, dt.date.fromisoformat(since))
    assert standing.brand.status is status
    assert all(item.start <= dt.date.fromisoformat(day) for item in listing.intervals)


def test_the_history_seen_from_the_end_tells_every_day(example_folder: Path) -> None:
    standing = Stages(load(example_folder, as_of=dt.date(2022, 1, 1))).parties
    assert standing is not None
    intervals = standing.listings[0].intervals
    assert interval_on(intervals, dt.date(2021, 1, 13)) is None
    last_days = {"listed": "2021-03-11", "enjoined": "2021-05-10", "settlement filed": "2021-05-24"}
    for status, last in last_days.items():
        day = dt.date.fromisoformat(last)
        on, after = interval_on(intervals, day), interval_on(intervals, day + dt.timedelta(days=1))
        assert on is not None
        assert after is not None
        assert (on.status.value, after.status.value != status) == (status, True)
    assert intervals[-1].end is None


def test_a_plan_does_not_know_entries_whose_evidence_is_dated_later(example_folder: Path) -> None:
    standing = Stages(load(example_folder)).parties
    assert standing is not None
    (listing,) = standing.listings
    assert [item.status.value for item in listing.intervals] == ["listed", "enjoined"]
    assert listing.intervals[-1].end is None


# effects


LISTED_TEMPLATE = """
[[parties.listing]]
id = "list"
party = "host"
list_name = "A list"
authority = "An authority"
evidence = "nobody-looked"
cost_of_capital_surcharge_rate = 0.01
expected_months = 24

[[parties.listing.entry]]
status = "listed"
date = 2025-06-01
evidence = "nobody-looked"
"""


@pytest.fixture(scope="module")
def listed_plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A small plan whose host is listed."""
    folder = tmp_path_factory.mktemp("listed") / "small"
    write_template(folder)
    with (folder / "programme.toml").open("a", encoding="utf-8") as file:
        file.write(LISTED_TEMPLATE)
    return evaluate(load(folder))


def test_status_reaches_the_deals_discount_rate_and_nothing_else_of_it(listed_plan: Plan) -> None:
    programme = listed_plan.programme
    with_it = Stages(programme, reuse=listed_plan).deal_inputs
    bare = replace(programme, document=programme.document.model_copy(update={"parties": None}))
    without = Stages(bare, reuse=listed_plan).deal_inputs
    changed = {
        item.name for item in fields(with_it) if not np.all(getattr(with_it, item.name) == getattr(without, item.name))
    }
    assert changed == {"host_discount_rate"}
    assert without.host_discount_rate == programme.document.host.discount_rate.value
    assert listed_plan.parties is not None
    assert with_it.host_discount_rate == listed_plan.parties.host.discount_rate > without.host_discount_rate
    assert Stages(bare).parties is None


def test_the_deals_trace_names_what_the_listing_rests_on(listed_plan: Plan) -> None:
    paths = {f"parties.listing.list.{name}" for name in ("cost_of_capital_surcharge_rate", "expected_months")}
    assert paths <= set(listed_plan.trace["parties"])
    assert paths <= set(listed_plan.trace["deal"])
    assert not paths & set(listed_plan.trace["demand"])
    reached = {"parties", "deal", "alternatives"}
    assert all(set(item.stages) == reached for item in listed_plan.assumptions if item.path in paths)


def test_without_a_listing_the_rates_are_the_programmes_own_to_the_last_bit() -> None:
    standing = _evaluate()
    assert (standing.brand.discount_rate, standing.host.discount_rate) == (0.11, 0.10)
    assert standing.brand.status is None
    assert standing.closed_suppliers == ()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 0.4), st.floats(1.0, 119.0))
def test_the_weight_of_a_time_is_that_of_an_annuity_summed_day_by_day(rate: float, month: float) -> None:
    steps = 4000
    width = 120.0 / steps
    ahead = [0.0]
    for step in range(steps - 1, -1, -1):
        ahead.append(ahead[-1] + (1 + rate) ** (-(step + 0.5) * width / 12) * width)
    still_to_come = ahead[::-1]
    middle = [(still_to_come[step] + still_to_come[step + 1]) / 2 for step in range(steps)]
    past = sum(value for step, value in enumerate(middle) if (step + 0.5) * width < month)
    assert time_weight(month, 120.0, rate) == pytest.approx(past / sum(middle), abs=2e-3)


def test_the_flat_rate_gives_an_even_flow_the_value_that_it_has_under_the_rate_that_changes() -> None:
    standing = _evaluate(_listing())
    months = [0.05 * step + 0.025 for step in range(2400)]

    def value(force_to: list[float]) -> float:
        return sum(math.exp(-item) for item in force_to)

    base, raised = math.log1p(0.11) / 12, math.log1p(0.12) / 12
    changing = value([raised * min(month, 24.0) + base * max(0.0, month - 24.0) for month in months])
    flat = value([math.log1p(standing.brand.discount_rate) / 12 * month for month in months])
    untouched = value([base * month for month in months])
    assert flat == pytest.approx(changing, rel=2e-4)
    assert abs(flat - changing) < 0.02 * (untouched - changing)


@pytest.mark.parametrize(
    ("status", "share"),
    [
        (ListStatus.LISTED, 1.0),
        (ListStatus.ENJOINED, 0.4),
        (ListStatus.SETTLEMENT_FILED, 0.4),
        (ListStatus.REMOVED, 0.0),
    ],
)
def test_a_status_leaves_its_share_of_the_surcharge(status: ListStatus, share: float) -> None:
    full = _evaluate(_listing()).listings[0]
    standing = _evaluate(_listing(intervals=(replace(LISTED, status=status),)))
    (listing,) = standing.listings
    assert listing.effect_share == share
    assert standing.brand.discount_rate_now == pytest.approx(0.11 + 0.01 * share)
    assert listing.surcharge_rate == pytest.approx(share * full.surcharge_rate)
    closed = status is ListStatus.LISTED
    assert listing.closed_investors == (("Investors",) if closed else ())
    assert [item.id for item in standing.closed_suppliers] == (["chips"] if closed else [])


def test_an_end_that_is_known_already_holds_before_the_expected_one() -> None:
    end = DAY + dt.timedelta(days=round(6 * DAYS_PER_MONTH))
    removed = StatusInterval(ListStatus.REMOVED, end, None, "order")
    sooner = _evaluate(_listing(intervals=(replace(LISTED, end=end), removed)))
    expected = _evaluate(_listing(expected_months=(end - DAY).days / DAYS_PER_MONTH))
    assert sooner.brand.discount_rate == pytest.approx(expected.brand.discount_rate, rel=1e-12)
    assert sooner.brand.discount_rate < _evaluate(_listing()).brand.discount_rate


def test_a_listing_that_is_known_to_begin_later_costs_nothing_before_it_begins() -> None:
    later = replace(LISTED, start=DAY + dt.timedelta(days=100))
    standing = _evaluate(_listing(intervals=(later,)))
    assert standing.listings[0].status is None
    assert standing.brand.discount_rate_now == 0.11
    assert 0.11 < standing.brand.discount_rate < _evaluate(_listing()).brand.discount_rate


def test_two_listings_add_up_and_each_stays_with_its_party() -> None:
    one, two = _listing(), _listing(id="two", list_name="Another", surcharge_rate=0.004)
    both = _evaluate(one, two, _listing(id="host", party="host", surcharge_rate=0.02))
    assert both.brand.discount_rate - 0.11 == pytest.approx(1.4 * (_evaluate(one).brand.discount_rate - 0.11))
    assert both.host.discount_rate_now == pytest.approx(0.12)


def test_a_listed_supplier_is_closed_and_says_which_list_names_it() -> None:
    standing = _evaluate(_listing(party="glass", surcharge_rate=0.0, closes_suppliers=()))
    (closed,) = standing.closed_suppliers
    assert (closed.id, closed.supplies) == ("glass", "windows")
    assert closed.why == "A list (An authority) names Glass"
    assert standing.brand.discount_rate == 0.11


@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 0.1), st.floats(0.0, 1.0), st.floats(0.0, 600.0))
def test_the_deals_rate_lies_between_the_rate_without_and_the_rate_while_it_is_listed(
    surcharge: float, enjoined: float, expected: float
) -> None:
    enjoined_interval = (replace(LISTED, status=ListStatus.ENJOINED),)
    terms = {"surcharge_rate": surcharge, "enjoined_share": enjoined, "expected_months": expected}
    stopped = _evaluate(_listing(intervals=enjoined_interval, **terms)).brand.discount_rate
    listed = _evaluate(_listing(**terms)).brand.discount_rate
    assert 0.11 <= stopped <= listed + 1e-15 <= 0.11 + surcharge + 2e-15


# what is written


def test_the_report_tells_the_standing_and_leaves_it_out_where_there_is_none(listed_plan: Plan, tmp_path: Path) -> None:
    write_report(listed_plan, None, tmp_path / "with.html", {"started": "", "versions": {}})
    write_report(replace(listed_plan, parties=None), None, tmp_path / "without.html", {"started": "", "versions": {}})
    page = (tmp_path / "with.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="parties">') : page.index('<section id="deal">')]
    assert "listed from 1 June 2025" in section
    assert "A list" in section
    assert listed_plan.parties is not None
    for rate in (listed_plan.parties.host.discount_rate_now, listed_plan.parties.host.discount_rate):
        assert wording.percent(rate, 2) in section
    assert "parties" in re.findall(r'href="#([a-z]+)"', page)
    assert 'id="parties"' not in (tmp_path / "without.html").read_text(encoding="utf-8")


def test_the_command_tells_the_standing_of_any_day(example_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["parties", str(example_folder), "--as-of", "2021-05-25", "--json"]) == 0
    (listing,) = json.loads(capsys.readouterr().out)["parties"]["listings"]
    assert listing["status"] == "removed"
    assert [item["start"] for item in listing["intervals"]] == ["2021-01-14", "2021-03-12", "2021-05-11", "2021-05-25"]
    assert _run(["parties", str(example_folder)]) == 0
    assert "enjoined since 12 March 2021" in capsys.readouterr().out


# what is refused


SUPPLIER = """
[[parties.supplier]]
id = "{id}"
name = "Chips"
"""
ENTRY = """
[[parties.listing.entry]]
status = "{}"
date = {}
evidence = "{}"
"""
LISTED_ENTRY = ENTRY.format("listed", "2021-01-14", "brand-listed")
ENJOINED_ENTRY = ENTRY.format("enjoined", "2021-03-12", "listing-enjoined")


@pytest.fixture
def folder(example_folder: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "programme"
    shutil.copytree(example_folder, copy, ignore=shutil.ignore_patterns("out"))
    return copy


def _replaced(folder: Path, old: str, new: str) -> list[str]:
    file = folder / "programme.toml"
    text = file.read_text(encoding="utf-8")
    assert old.strip() in text
    file.write_text(text.replace(old.strip(), new.strip(), 1), encoding="utf-8")
    try:
        return [str(item) for item in problems_of(load(folder))]
    except InputError as error:
        return [str(item) for item in error.problems]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            ENJOINED_ENTRY,
            ENTRY.format("removed", "2021-01-14", "listing-enjoined"),
            "listed of 2021-01-14 and removed of 2021-01-14; expected one status on a day",
        ),
        (
            ENJOINED_ENTRY,
            ENTRY.format("listed", "2021-03-12", "listing-enjoined"),
            "listed of 2021-01-14 and listed of 2021-03-12; expected enjoined or removed or settlement filed after",
        ),
        (
            LISTED_ENTRY,
            LISTED_ENTRY.replace("evidence =", "until = 2021-04-01\nevidence ="),
            "expected intervals that do not overlap: the first is said to last until 2021-04-01",
        ),
        (
            LISTED_ENTRY,
            LISTED_ENTRY.replace("evidence =", "until = 2021-02-01\nevidence ="),
            "expected listed after removed: these contradict each other",
        ),
        (
            LISTED_ENTRY,
            LISTED_ENTRY.replace("evidence =", "until = 2021-01-14\nevidence ="),
            "expected a day after 2021-01-14",
        ),
        (LISTED_ENTRY, "", "found enjoined of 2021-03-12; expected listed as the first status"),
        (
            LISTED_ENTRY,
            LISTED_ENTRY.replace('"brand-listed"', '"brand-lised"'),
            "did you mean brand-listed",
        ),
        (
            LISTED_ENTRY,
            LISTED_ENTRY.replace('"brand-listed"', '"brand-removed"'),
            "expected evidence in the order of the entries",
        ),
        ('party = "brand"\nlist_name', 'party = "brnd"\nlist_name', "did you mean brand"),
        (
            'party = "brand"\nlist_name',
            'party = "brand"\ncloses_suppliers = ["chips"]\nlist_name',
            "expected the id of a supplier",
        ),
        (
            "[[parties.listing]]\n",
            SUPPLIER.format(id="host") + "\n[[parties.listing]]\n",
            "expected another name: it stands for a side",
        ),
        (
            'party = "brand"\nlist_name',
            'party = "chips"\nlist_name',
            "expected one of brand, host",
        ),
        (
            'expected_months = { value = 12, low = 3, high = 36, evidence = "listing-outlook" }',
            "",
            "expected a number beside cost_of_capital_surcharge_rate",
        ),
        (
            "cost_of_capital_surcharge_rate =",
            "# cost_of_capital_surcharge_rate =",
            "expected nothing without cost_of_capital_surcharge_rate",
        ),
    ],
)
def test_histories_and_numbers_that_contradict_themselves_are_refused_by_name(
    folder: Path, old: str, new: str, said: str
) -> None:
    problems = _replaced(folder, old, new)
    assert any(said in problem and "parties." in problem for problem in problems), problems


def test_the_same_list_twice_for_a_party_is_refused(folder: Path) -> None:
    text = (folder / "programme.toml").read_text(encoding="utf-8")
    start = text.index("[[parties.listing]]")
    block = text[start : text.index("# ----", start)]
    problems = _replaced(folder, block, block + block.replace('"military-list"', '"again"'))
    assert any("each list once for a party; military-list has it" in item for item in problems)


def test_a_surcharge_for_a_supplier_is_refused(folder: Path) -> None:
    new = SUPPLIER.format(id="chips") + '\n[[parties.listing]]\nid = "military-list"\nparty = "chips"'
    problems = _replaced(folder, '[[parties.listing]]\nid = "military-list"\nparty = "brand"', new)
    assert any("discounts with the rates of brand and host alone" in item for item in problems)
