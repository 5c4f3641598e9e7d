"""Market against published figures: event studies and choice models that others computed."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coachbuilder.market.announcement import AnnouncementInputs, ListedShare, NewsEvent, evaluate_announcement
from coachbuilder.market.announcement.event_study import cross_section_t, fit_market_model
from coachbuilder.market.announcement.prices import market_model_from, observations_from, read_price_table
from coachbuilder.market.demand.logit import log_likelihood
from coachbuilder.programme.errors import ProblemList
from coachbuilder.programme.sections.market import LimitSide, Side

DAYS = [dt.date(2021, 3, 26), dt.date(2021, 3, 29), dt.date(2021, 3, 30)]

# Printed figures of the case: alpha, beta, residual s.d., abnormal returns of the three days, t of the first.
CASE = {
    "601633_SS": (0.00837, 0.723, 0.0452, (0.0805, -0.0692, 0.0131), 1.78),
    "2333_HK": (0.00724, 1.190, 0.0445, (0.0780, -0.0484, 0.0351), 1.75),
    "1810_HK": (-0.00090, 1.184, 0.0338, (0.0451, -0.0130, 0.0129), 1.33),
}


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, Any]:
    return dict(json.loads((shared_data / "market" / "expected.json").read_text(encoding="utf-8")))


def case_inputs(shared_data: Path, folder: Path, name: str) -> AnnouncementInputs:
    """The announcement's inputs for one share, straight from its price table."""
    problems = ProblemList("prices")
    data = shared_data / "market" / "gwm_xiaomi_2021"
    share = read_price_table(data / f"{name}.csv", problems)
    if name.endswith("SS"):
        text = (data / "ashare_ew_market.csv").read_text(encoding="utf-8")
        (folder / "market.csv").write_text(text.replace("ew_return", "return"), encoding="utf-8")
        market = read_price_table(folder / "market.csv", problems)
    else:
        market = read_price_table(data / "HSI.csv", problems)
    problems.raise_if_any()
    assert share is not None
    assert market is not None
    model = market_model_from(share, market, last_day=dt.date(2021, 2, 26), days=120, problems=problems)
    assert model is not None
    limit = 0.1 if name.endswith("SS") else None
    events = [NewsEvent(day.isoformat(), "news", day, "x", True) for day in DAYS]
    seen = observations_from(
        name,
        share,
        market,
        events=events,
        as_of=DAYS[-1],
        previous_close=1.0,
        daily_limit_share=limit,
        problems=problems,
    )
    problems.raise_if_any()
    listed = ListedShare(
        name, name, Side.HOST, "X", "CNY", 1.0, 1.0, 1.0, limit, model.alpha_per_day, model.beta, model.residual_sd, 120
    )
    return AnnouncementInputs(DAYS[-1], (listed,), tuple(events), tuple(seen))


@pytest.mark.parametrize("name", sorted(CASE))
def test_case_is_reproduced_from_price_files_to_the_printed_digits(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    alpha, beta, residual_sd, returns, t_statistic = CASE[name]
    inputs = case_inputs(shared_data, tmp_path, name)
    model = inputs.shares[0]
    assert round(model.alpha_per_day, 5) == alpha
    assert round(model.beta, 3) == beta
    assert round(model.residual_sd, 4) == residual_sd
    result = evaluate_announcement(inputs)
    assert tuple(round(event.shares[0].abnormal_return, 4) for event in result.events) == returns
    assert round(result.events[0].shares[0].t_statistic, 2) == t_statistic
    assert result.significant == 0


def test_case_two_day_returns_are_the_published_ones(shared_data: Path, tmp_path: Path) -> None:
    for name, published in (("601633_SS", 0.011), ("2333_HK", 0.030), ("1810_HK", 0.032)):
        result = evaluate_announcement(case_inputs(shared_data, tmp_path, name))
        two_days = sum(event.shares[0].abnormal_return for event in result.events[:2])
        assert round(two_days, 3) == published


def test_case_flags_the_limit_close_in_shanghai_and_none_in_hong_kong(shared_data: Path, tmp_path: Path) -> None:
    shanghai = case_inputs(shared_data, tmp_path, "601633_SS")
    assert [item.limit for item in shanghai.observations] == [LimitSide.UPPER, None, None]
    assert evaluate_announcement(shanghai).events[0].shares[0].bound == "at least"
    for name in ("2333_HK", "1810_HK"):
        assert {item.limit for item in case_inputs(shared_data, tmp_path, name).observations} == {None}


def test_case_closes_agree_with_those_in_the_press(shared_data: Path, tmp_path: Path, expected: dict[str, Any]) -> None:
    for name, key in (("601633_SS", "601633"), ("2333_HK", "2333_HK"), ("1810_HK", "1810_HK")):
        change = expected["gwm_2021_03_26_closes"][key][1]
        found = case_inputs(shared_data, tmp_path, name).observations[0].share_return
        # The tables are adjusted for dividends and rounded, so that the last printed digit may differ by one.
        assert found == pytest.approx(change, abs=1.5e-4)


def test_estudy2_mean_abnormal_returns_and_t_agree_to_the_printed_digits(
    shared_data: Path, expected: dict[str, Any]
) -> None:
    with (shared_data / "market" / "estudy2" / "prices.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    dates = [dt.date.fromisoformat(row["date"]) for row in rows]
    prices = {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0] if name != "date"}
    returns = {name: np.diff(np.log(values), prepend=math.nan) for name, values in prices.items()}
    market = returns.pop("GSPC")
    window = np.array([dt.date(2019, 4, 1) <= day <= dt.date(2020, 3, 13) for day in dates])
    event = np.array([dt.date(2020, 3, 16) <= day <= dt.date(2020, 3, 20) for day in dates])
    abnormal = []
    for own in returns.values():
        model = fit_market_model(own[window], market[window])
        abnormal.append(own[event] - model.alpha_per_day - model.beta * market[event])
    published = expected["estudy2_vignette"]
    for day, (mean, t_statistic) in enumerate(zip(published["mean_ar"], published["t_test"], strict=True)):
        found_mean, found_t = cross_section_t([firm[day] for firm in abnormal])
        assert found_mean == pytest.approx(mean, abs=_half_a_digit(mean))
        assert found_t == pytest.approx(t_statistic, abs=_half_a_digit(t_statistic))


def _half_a_digit(printed: float) -> float:
    digits = len(repr(printed).partition(".")[2])
    return 0.5001 * 10.0**-digits


def test_logit_fitted_to_the_car_survey_has_the_published_likelihood_and_willingness_to_pay(
    shared_data: Path, expected: dict[str, Any]
) -> None:
    from scipy.optimize import minimize

    published = expected["logitr_cars_us"]
    with gzip.open(shared_data / "market" / "choice" / "cars_us.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in published["unweighted_wtp_kusd"] if name != "scalePar"]
    attributes = np.array([[float(row[name]) for name in names] + [-float(row["price"])] for row in rows])
    question = np.array([int(row["obsnum"]) for row in rows])
    chosen = np.array([int(row["choice"]) for row in rows])
    assert chosen.sum() == published["n"]
    starts = np.flatnonzero(np.diff(question, prepend=-1))
    of_row = np.repeat(np.arange(starts.size), np.diff(np.append(starts, question.size)))

    def loss(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        utility = attributes @ coefficients
        weight = np.exp(utility - np.maximum.reduceat(utility, starts)[of_row])
        probability = weight / np.add.reduceat(weight, starts)[of_row]
        return -log_likelihood(utility, question, chosen), -attributes.T @ (chosen - probability)

    scale = np.abs(attributes).max(axis=0)
    fit = minimize(
        lambda x: (lambda value, slope: (value, slope / scale))(*loss(x / scale)),
        np.zeros(attributes.shape[1]),
        jac=True,
        method="BFGS",
        options={"gtol": 1e-5},
    )
    coefficients = fit.x / scale
    assert -fit.fun == pytest.approx(published["ll_unweighted"], abs=1e-6)
    price = coefficients[-1]
    assert price == pytest.approx(published["unweighted_wtp_kusd"]["scalePar"], abs=1e-5)
    # The published run stopped a little before the optimum: its figures hold to two decimals.
    for name, coefficient in zip(names, coefficients[:-1], strict=True):
        assert coefficient / price == pytest.approx(published["unweighted_wtp_kusd"][name], abs=5e-3)


def test_weighted_likelihood_counts_each_question_by_its_weight(shared_data: Path) -> None:
    with gzip.open(shared_data / "market" / "choice" / "cars_us.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    question = np.array([int(row["obsnum"]) for row in rows])
    chosen = np.array([int(row["choice"]) for row in rows])
    weight = np.array([float(row["weights"]) for row in rows])
    # Without any taste each of three cars is as likely as the others.
    found = log_likelihood(np.zeros(len(rows)), question, chosen, weight)
    assert found == pytest.approx(-math.log(3) * weight[chosen == 1].sum(), rel=1e-12)
