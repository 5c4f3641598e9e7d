"""coachbuilder event-study: a wide table in, tables or one JSON object out, every mistake told by its name."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coachbuilder.cli.root import _run

Run = Callable[..., tuple[int, Any, str]]

FIRST = dt.date(2021, 1, 1)
EVENT = 60
"""Day of the news in the tables below; day 0 has no return."""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: exit status, the one JSON object if asked for, standard error."""

    def called(*arguments: str | Path) -> tuple[int, Any, str]:
        status = _run(["event-study", *map(str, arguments)])
        printed = capsys.readouterr()
        return status, json.loads(printed.out) if "--json" in arguments else printed.out, printed.err

    return called


def day(number: int) -> str:
    return (FIRST + dt.timedelta(days=number)).isoformat()


def write(file: Path, columns: dict[str, Sequence[float]]) -> Path:
    """Write a table; NaN becomes an empty cell."""
    lines = [",".join(["date", *columns])]
    for number, cells in enumerate(zip(*columns.values(), strict=True)):
        lines.append(",".join([day(number), *("" if math.isnan(cell) else repr(float(cell)) for cell in cells)]))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def prices(returns: np.ndarray) -> np.ndarray:
    return 10.0 * np.cumprod(1.0 + np.concatenate([[0.0], returns]))


def market_and_shares(shares: int, effect: float, *, days: int = 70, sd: float = 0.01) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(shares)
    market = rng.normal(0.0, 0.01, days)
    found = {"INDEX": prices(market)}
    for number in range(shares):
        returns = 1.1 * market + rng.normal(0.0, sd, days)
        returns[EVENT - 1] = 1.1 * market[EVENT - 1] + effect + 0.1 * returns[EVENT - 2]
        found[f"S{number}"] = prices(returns)
    return found


BASIC = ("--event", day(EVENT), "--estimation", "-50:-5", "--market", "INDEX")


def test_news_of_eight_percent_is_found_on_its_day(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "p.csv", market_and_shares(6, 0.08))
    status, answer, error = run(file, *BASIC, "--window", "0:0", "--window", "-1:1", "--json")
    assert (status, error) == (0, "")
    event = answer["events"][0]
    assert [(item["first"], item["last"]) for item in event["windows"]] == [(0, 0), (-1, 1)]
    first = event["windows"][0]
    assert first["mean_abnormal_return"] == pytest.approx(0.08, abs=0.012)
    assert all(item["is_significant"] for item in first["shares"])
    assert {item["days"] for item in event["windows"][1]["shares"]} == {3}
    p_values = {item["test"]: item["p_value"] for item in first["tests"]}
    assert len(p_values) == 10
    assert max(p_values.values()) < 0.05
    assert "Significant at 5 %: 12 of 12" in answer["verdict"]


def test_without_news_the_answer_says_that_nothing_is_significant(run: Run, tmp_path: Path) -> None:
    status, printed, _ = run(write(tmp_path / "p.csv", market_and_shares(2, 0.0)), *BASIC)
    assert status == 0
    assert printed.startswith("Nothing is significant at 5 %: 2 abnormal returns of single shares tested.")
    assert "2 shares: too few" in printed


@pytest.mark.parametrize(
    ("options", "coefficients"),
    [
        (("--model", "market-adjusted", "--market", "INDEX"), 0),
        (("--model", "mean-adjusted", "--share", "S0"), 1),
        (("--model", "factors", "--market", "INDEX", "--factor", "SIZE", "--factor", "VALUE"), 4),
        (("--model", "factors", "--factor", "SIZE", "--factor", "VALUE", "--risk-free", "CASH"), 3),
        (("--continuous", "--market", "INDEX"), 2),
    ],
)
def test_models_have_their_coefficients(run: Run, tmp_path: Path, options: tuple[str, ...], coefficients: int) -> None:
    rng = np.random.default_rng(2)
    columns = market_and_shares(1, 0.05)
    columns |= {name: rng.normal(0.0, 0.01, 71) for name in ("SIZE", "VALUE")} | {"CASH": np.full(71, 0.0001)}
    file = write(tmp_path / "p.csv", columns)
    arguments = ("--event", day(EVENT), "--estimation", "-50:-5", "--share", "S0", *options)
    status, answer, error = run(file, *arguments, "--json")
    assert (status, error) == (0, "")
    assert len(answer["shares"][0]["coefficients"]) == coefficients


def test_a_shut_exchange_moves_neither_share_nor_market(run: Run, tmp_path: Path) -> None:
    """One index, one share that follows it exactly but for noise of 0.1 %; its exchange is shut on three days."""
    rng = np.random.default_rng(4)
    market = rng.normal(0.0, 0.02, 70)
    share = prices(market + rng.normal(0.0, 0.001, 70))
    share[[20, 31, EVENT]] = math.nan
    file = write(tmp_path / "p.csv", {"INDEX": prices(market), "S": share})
    _, spanned, _ = run(file, *BASIC, "--json")
    assert spanned["shares"][0]["days"] == 46
    assert spanned["shares"][0]["residual_sd"] < 0.002
    # Day 0 is the share's first day after the date; its return spans two days, and so does the market's.
    seen = spanned["events"][0]["windows"][0]["shares"][0]
    assert seen["first_date"] == day(EVENT + 1)
    assert abs(seen["abnormal_return"]) < 0.01
    _, left_out, _ = run(file, *BASIC, "--gaps", "leave-out", "--json")
    # Days relative to the event are counted among those that have a return.
    assert left_out["events"][0]["windows"][0]["shares"][0]["first_date"] == day(EVENT + 2)


def test_windows_stop_before_the_next_event_and_after_the_one_before(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "p.csv", market_and_shares(1, 0.05))
    arguments = (*BASIC, "--event", day(EVENT + 2), "--event", day(EVENT + 3), "--window", "-2:2", "--json")
    _, answer, _ = run(file, *arguments)
    spans = [
        (item["first_date"], item["last_date"], item["is_cut"])
        for event in answer["events"]
        for item in event["windows"][0]["shares"]
    ]
    assert spans == [
        (day(EVENT - 2), day(EVENT + 1), True),
        (day(EVENT + 1), day(EVENT + 2), True),
        (day(EVENT + 3), day(EVENT + 5), True),
    ]


def limit_table(*, hidden: float = 0.04, free: bool = True) -> dict[str, np.ndarray]:
    """News of 10 % + hidden under a limit of 10 %; the twin shows all of it at once."""
    rng = np.random.default_rng(8)
    market, common = rng.normal(0.0, 0.005, 70), rng.normal(0.0, 0.015, 70)
    own = market + common + rng.normal(0.0, 0.003, 70)
    twin = market + common + rng.normal(0.0, 0.003, 70)
    own[EVENT - 1], twin[EVENT - 1] = 0.10, 0.10 + hidden
    own[EVENT] = hidden if free else 0.10
    if not free:
        own[EVENT + 1 :] = 0.10
    return {"INDEX": prices(market), "A": prices(own), "H": prices(twin)}


LIMITED = (*BASIC, "--limit", "A=0.1", "--twin", "A=H")


def test_limit_close_is_followed_to_the_first_free_one(run: Run, tmp_path: Path) -> None:
    _, answer, _ = run(write(tmp_path / "p.csv", limit_table()), *LIMITED, "--json")
    event = answer["events"][0]
    assert event["windows"][0]["shares"][0]["bound"] == "at least"
    assert event["windows"][0]["shares"][0]["high"] is None
    found = event["limit_runs"][0]
    assert found["limit_days"] == [day(EVENT)]
    assert found["to_first_free_close"]["last_date"] == day(EVENT + 1)
    assert found["to_first_free_close"]["bound"] == ""
    assert found["effect"] == pytest.approx(0.14, abs=0.02)
    assert found["effect_low"] < 0.14 < found["effect_high"]


def test_limit_close_before_another_event_stays_a_bound_and_the_twin_tells_more(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "p.csv", limit_table())
    status, answer, _ = run(file, *LIMITED, "--event", day(EVENT + 1), "--json")
    assert status == 0
    found = answer["events"][0]["limit_runs"][0]
    assert found["to_first_free_close"]["bound"] == "at least"
    assert found["effect"] is None
    assert 0.03 < found["effect_low"] < 0.10
    assert found["effect_high"] is None
    twin = found["twin"]
    assert twin["with_limit_low"] < 0.14 < twin["with_limit_high"]
    assert twin["with_limit_high"] - twin["with_limit_low"] < 0.035
    assert "A on " + day(EVENT) in answer["verdict"]
    _, printed, _ = run(file, *LIMITED, "--event", day(EVENT + 1))
    assert "A closed at its daily limit on" in printed
    assert "By its twin H" in printed


def test_limit_close_to_the_end_of_the_table_stays_a_bound(run: Run, tmp_path: Path) -> None:
    _, answer, _ = run(write(tmp_path / "p.csv", limit_table(free=False)), *LIMITED, "--json")
    found = answer["events"][0]["limit_runs"][0]
    assert len(found["limit_days"]) == 11
    assert found["to_first_free_close"]["bound"] == "at least"
    assert found["effect_high"] is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--event", "26.3.2021"), "--event: found 26.3.2021"),
        (("--event", "2031-03-26"), "--event: found 2031-03-26"),
        (("--event", day(EVENT)), "each day once"),
        (("--window", "1:-1"), "--window: found 1:-1"),
        (("--window", "one"), "--window: found one"),
        (("--limit", "10"), "--limit: found 10"),
        (("--limit", "B=0.1"), "--limit: found B"),
        (("--share", "INDX"), "did you mean INDEX?"),
        (("--market", "A=NONE"), "--market: found NONE"),
        (("--market", "H"), "one for all shares"),
        (("--twin", "A"), "SHARE=TWIN"),
        (("--twin", "A=H"), "a share with a limit and a twin without"),
        (("--factor", "H"), "--factor: found H"),
        (("--model", "factors"), "--factor: found none"),
        (("--estimation", "soon"), "--estimation: found soon"),
        (("--estimation", "-5:-50"), "the first day before the last"),
        (("--estimation", f"{day(3)}:-5"), "--estimation"),
        (("--estimation", "-200:-5"), "day -59 or later"),
        (("--estimation", f"500:{day(50)}"), "at most the 50 days"),
        (("--estimation", "-50:3"), "days before the windows of the first event"),
        (("--estimation", "-6:-5"), "2 days with a return in the estimation window"),
    ],
)
def test_mistakes_of_the_command_line_are_told_by_option(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    status, _, error = run(write(tmp_path / "p.csv", limit_table()), *BASIC, *arguments)
    assert status == 2
    assert expected in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "p.csv:1: header: found nothing"),
        ("day,A\n2021-01-01,1\n", "p.csv:1: header: found day, A"),
        ("date,A,A\n2021-01-01,1,1\n", "p.csv:1: header: found A twice"),
        ("date,A\n", "p.csv:1: date: found no day"),
        ("date,A\n2021-01-02,1\n2021-01-01,1\n", "p.csv:3: date: found 2021-01-01"),
        ("date,A\nMonday,1\n", "p.csv:2: date: found Monday"),
        ("date,INDEX,A\n2021-01-01,1,1\n2021-01-02,2,cheap\n", "p.csv:3: A: found cheap"),
        ("date,INDEX,A\n2021-01-01,1,1\n2021-01-02,-2,1\n", "p.csv:3: INDEX: found -2"),
        ("date,INDEX,A\n2021-01-01,1,1,9\n", "p.csv:2: row: found 4 cells"),
    ],
)
def test_mistakes_of_the_table_are_told_by_line_and_column(run: Run, tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    status, _, error = run(tmp_path / "p.csv", *BASIC)
    assert status == 2
    assert expected in error
    assert "Traceback" not in error


def test_missing_table_is_named(run: Run, tmp_path: Path) -> None:
    status, answer, error = run(tmp_path / "none.csv", *BASIC, "--json")
    assert status == 2
    assert "none.csv" in error
    assert answer["problems"][0]["file"] == "none.csv"


def test_share_that_only_repeats_its_index_is_refused(run: Run, tmp_path: Path) -> None:
    columns = market_and_shares(1, 0.0)
    status, _, error = run(write(tmp_path / "p.csv", columns | {"COPY": columns["INDEX"]}), *BASIC)
    assert status == 2
    assert "p.csv: COPY: found returns that the model explains wholly" in error


def test_window_of_limit_closes_alone_is_refused(run: Run, tmp_path: Path) -> None:
    columns = limit_table()
    columns["A"] = prices(np.tile([0.1, 0.1001, 0.0999], 24)[:70])
    status, _, error = run(write(tmp_path / "p.csv", columns), *LIMITED)
    assert status == 2
    assert "p.csv: A: found 0 closes without limit" in error


def test_twin_that_was_hardly_traded_on_the_same_days_is_refused(run: Run, tmp_path: Path) -> None:
    columns = limit_table()
    hardly = columns["H"].copy()
    hardly[10:55] = math.nan
    columns |= {"H": hardly, "OTHER": columns["INDEX"] * 1.01 ** np.sin(np.arange(71))}
    arguments = (*LIMITED, "--event", day(EVENT + 1), "--estimation", f"{day(1)}:{day(55)}")
    columns["A"][1:10] = math.nan
    status, _, error = run(write(tmp_path / "p.csv", columns), *arguments)
    assert status == 2
    assert "--twin A=H" in error
