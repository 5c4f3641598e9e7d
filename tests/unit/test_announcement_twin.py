"""A twin listing in the plan's announcement: from summary figures, from price files, and what must not be said."""

from __future__ import annotations

import datetime as dt
import math
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from coachbuilder.market.announcement import AnnouncementInputs, announcement_inputs_from, evaluate_announcement
from coachbuilder.market.announcement.prices import PriceTable, market_model_from
from coachbuilder.programme.errors import InputError, ProblemList
from coachbuilder.programme.evidence import Evidence
from coachbuilder.programme.sections.market import AnnouncementSection

REPORT, DENIAL = dt.date(2021, 3, 26), dt.date(2021, 3, 29)
FIRST = dt.date(2020, 12, 1)

SUMMARY = {"alpha_per_day": 0.0, "beta": 1.0, "residual_sd": 0.04}


def listed(name: str, **changes: Any) -> dict[str, Any]:
    plain = {
        "id": name,
        "name": f"{name} share",
        "side": "host",
        "exchange": "X",
        "currency": "CNY",
        "previous_close": 10,
        "shares_outstanding": 1e9,
        "estimation_days": 60,
        **SUMMARY,
    }
    return {key: value for key, value in {**plain, **changes}.items() if value is not None}


TWINNED = {"daily_limit_share": 0.1, "twin": "h", "twin_slope": 0.8, "twin_residual_sd": 0.02, "twin_days": 58}


def announced(tables: dict[str, Any], folder: Path | None = None) -> AnnouncementInputs:
    press = Evidence(kind="unnamed press sources", claim="It is so.", source="Press", date=REPORT)
    document = SimpleNamespace(
        market=SimpleNamespace(announcement=AnnouncementSection.model_validate(tables)), evidence={"press": press}
    )
    programme: Any = SimpleNamespace(as_of=dt.date(2021, 3, 31), folder=folder or Path(), document=document)
    return announcement_inputs_from(programme, cny_per_usd=6.5, cny_per_hkd=0.84)


def tables(*shares: dict[str, Any], **observed: float) -> dict[str, Any]:
    events = [{"id": "report", "name": "Report", "date": REPORT, "evidence": "press"}]
    return {
        "share": list(shares),
        "event": events,
        "observation": [
            {"event": "report", "share": name, "share_return": value, "market_return": 0.0}
            for name, value in observed.items()
        ],
    }


def test_twin_tells_in_the_plan_what_lies_beyond_the_limit() -> None:
    result = evaluate_announcement(announced(tables(listed("a", **TWINNED), listed("h"), a=0.10, h=0.15)))
    limited, free = result.events[0].shares
    assert free.twin is None
    assert limited.twin is not None
    assert limited.twin.abnormal_return == pytest.approx(0.8 * 0.15)
    leverage = 1 / 58 + 0.15**2 / (57 * 0.04**2)
    assert limited.twin.standard_error == pytest.approx(0.02 * math.sqrt(1 + leverage))
    assert limited.twin.with_limit > 0.12
    assert limited.twin_implied_value_cny == pytest.approx(limited.twin.with_limit * 10e9)
    assert "By its twin without limit, h share, a share would have moved +12.0 %" in result.verdict
    assert "2 shares of 1 firm are too few for tests across firms." in result.verdict


def test_twin_has_nothing_to_say_about_a_day_below_the_limit() -> None:
    result = evaluate_announcement(announced(tables(listed("a", **TWINNED), listed("h"), a=0.09, h=0.15)))
    assert all(item.twin is None for item in result.events[0].shares)


def test_twin_that_was_not_seen_on_the_day_says_nothing() -> None:
    result = evaluate_announcement(announced(tables(listed("a", **TWINNED), listed("h"), a=0.10)))
    assert result.events[0].shares[0].twin is None
    assert result.events[0].shares[0].bound == "at least"


@pytest.mark.parametrize(
    ("changes", "twin", "place", "expected"),
    [
        ({"twin": "hh"}, {}, "share.a.twin", "did you mean h?"),
        ({"twin": "a"}, {}, "share.a.twin", "another share of the same side"),
        ({}, {"side": "brand"}, "share.a.twin", "another share of the same side"),
        ({}, {"daily_limit_share": 0.1}, "share.a.twin", "a twin without daily_limit_share"),
        ({"daily_limit_share": None}, {}, "share.a.twin", "of a share that has one"),
        ({"twin_slope": None}, {}, "share.a.twin_slope", "a figure beside twin"),
        ({"twin": None}, {}, "share.a.twin_days", "nothing, or the name of the twin"),
        ({}, {"price_file": "h.csv"}, "share.a.twin", "or neither"),
    ],
)
def test_mistakes_about_twins_are_named(
    changes: dict[str, Any], twin: dict[str, Any], place: str, expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        announced(tables(listed("a", **{**TWINNED, **changes}), listed("h", **twin)))
    assert any(place in str(problem) and expected in str(problem) for problem in caught.value.problems)


def write(file: Path, days: list[dt.date], returns: np.ndarray) -> None:
    closes = 10.0 * np.cumprod(1.0 + returns)
    rows = [f"{day},{close!r}" for day, close in zip(days, map(float, closes), strict=True)]
    file.write_text("\n".join(["date,close", *rows]) + "\n", encoding="utf-8")


def from_files(folder: Path, shut: int | None = None) -> dict[str, Any]:
    """News of both shares with a slope of 0.8; the twin's exchange may be shut on one day."""
    days = [FIRST + dt.timedelta(days=count) for count in range((REPORT - FIRST).days + 1)]
    rng = np.random.default_rng(6)
    market = rng.normal(0.0, 0.01, len(days))
    news = rng.normal(0.0, 0.02, len(days))
    twin, own = market + news, market + 0.8 * news + rng.normal(0.0, 0.002, len(days))
    own[-1], twin[-1] = 0.10, 0.15
    write(folder / "index.csv", days, market)
    write(folder / "a.csv", days, own)
    if shut is not None:
        twin[shut + 1] = (1.0 + twin[shut]) * (1.0 + twin[shut + 1]) - 1.0
        days, twin = days[:shut] + days[shut + 1 :], np.delete(twin, shut)
    write(folder / "h.csv", days, twin)
    files = dict.fromkeys(SUMMARY) | {"index_file": "index.csv", "estimation_last_day": REPORT - dt.timedelta(days=5)}
    figures = dict.fromkeys(("twin_slope", "twin_residual_sd", "twin_days"))
    return tables(
        listed("a", **{**TWINNED, **figures, **files, "price_file": "a.csv"}),
        listed("h", **files, price_file="h.csv"),
    )


@pytest.mark.parametrize("shut", [None, 80])
def test_price_files_of_both_shares_give_the_twins_slope_also_when_its_exchange_was_shut(
    tmp_path: Path, shut: int | None
) -> None:
    inputs = announced(from_files(tmp_path, shut), tmp_path)
    model = inputs.shares[0].twin_model
    assert model is not None
    assert model.slope == pytest.approx(0.8, abs=0.03)
    assert model.residual_sd == pytest.approx(0.002, rel=0.35)
    assert model.days == 59 - (shut is not None)
    twin = evaluate_announcement(inputs).events[0].shares[0].twin
    assert twin is not None
    assert twin.twin_abnormal_return == pytest.approx(0.15, abs=0.02)


def test_market_return_covers_the_days_on_which_the_share_was_not_traded() -> None:
    """A share that follows its market exactly, but for noise, and was halted for two days while the market fell."""
    days = tuple(FIRST + dt.timedelta(days=count) for count in range(31))
    market = np.random.default_rng(2).normal(0.0, 0.01, 31)
    market[15:17] = -0.2
    levels = np.cumprod(1.0 + market)
    noise = 1.0 + 1e-4 * np.sin(np.arange(31.0))
    kept = [count for count in range(31) if count not in (15, 16)]
    closes = tuple(float(levels[count] * noise[count]) for count in kept)
    returns = (math.nan, *(later / earlier - 1 for earlier, later in pairwise(closes)))
    share = PriceTable("a.csv", tuple(days[count] for count in kept), closes, returns)
    for index in (
        PriceTable("i.csv", days, tuple(map(float, levels)), (math.nan, *map(float, market[1:]))),
        PriceTable("r.csv", days, (), tuple(map(float, market))),
    ):
        problems = ProblemList("x")
        model = market_model_from(share, index, last_day=days[-1], days=28, problems=problems)
        assert model is not None
        assert model.beta == pytest.approx(1.0, abs=2e-3)
        assert model.residual_sd < 3e-4
