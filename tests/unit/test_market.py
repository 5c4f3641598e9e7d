"""Market: demand and announcement on inputs made by hand."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coachbuilder.market import announcement_inputs_from, compare, demand_inputs_from, evaluate_announcement
from coachbuilder.market.announcement import (
    AnnouncementInputs,
    ImpliedValue,
    ListedShare,
    NewsEvent,
    Observation,
)
from coachbuilder.market.demand import DemandInputs, MarketSize, Rival, evaluate_demand
from coachbuilder.programme import InputError
from coachbuilder.programme.evidence import Evidence
from coachbuilder.programme.sections.market import LimitSide, MarketSection, Owner, RangeProcedure, Side

REPORT = dt.date(2021, 3, 26)
DENIAL = dt.date(2021, 3, 29)
OWN = dt.date(2021, 3, 30)


def demand_inputs(**changes: Any) -> DemandInputs:
    inputs = DemandInputs(
        first_year=2021,
        horizon_years=4,
        snapshot_year=2020,
        range_procedure=RangeProcedure.NEDC,
        market=(MarketSize(2020, 1_000_000.0), MarketSize(2025, 3_000_000.0)),
        market_growth_after_rate=0.05,
        rivals=(
            Rival("a", "A", Owner.OTHER, True, 250e3, 450.0, 100e3, 12),
            Rival("b", "B", Owner.HOST, True, 110e3, 400.0, 20e3, 6),
            Rival("c", "C", Owner.BRAND, False, 150e3, 500.0, 50e3, 12),
        ),
        price_elasticity=3.0,
        range_elasticity=1.2,
        rival_price_change_rate=-0.03,
        rival_range_growth_rate=0.04,
        rival_entry_rate=0.1,
        guest_price_cny=150e3,
        guest_price_change_rate=-0.02,
        guest_range_km=480.0,
        guest_appeal_cny=0.0,
    )
    return replace(inputs, **changes)


def still(inputs: DemandInputs, **changes: Any) -> DemandInputs:
    """The same market as if it stood still."""
    return replace(
        inputs,
        rival_price_change_rate=0.0,
        rival_range_growth_rate=0.0,
        rival_entry_rate=0.0,
        guest_price_change_rate=0.0,
        first_year=2020,
        **changes,
    )


def test_demand_of_two_goods_is_the_closed_form_of_the_binary_logit() -> None:
    twin = Rival("twin", "Twin", Owner.OTHER, True, 200e3, 500.0, 40e3, 12)
    inputs = still(demand_inputs(), rivals=(twin,), guest_price_cny=190e3, guest_range_km=550.0, horizon_years=0)
    sensitivity = 3.0 / 200e3
    odds = 0.04 / 0.96
    guest = odds * math.exp(sensitivity * 10e3 + 1.2 * math.log(550 / 500))
    result = evaluate_demand(inputs)
    assert result.share[0] == pytest.approx(guest / (1 + odds + guest), rel=1e-12)
    assert result.units_per_year[0] == pytest.approx(1e6 * guest / (1 + odds + guest), rel=1e-12)
    assert result.price_sensitivity_per_cny == pytest.approx(sensitivity)


def test_without_the_guest_the_snapshot_is_reproduced_exactly() -> None:
    inputs = still(demand_inputs(), horizon_years=0)
    result = evaluate_demand(inputs)
    for rival, found in zip(inputs.rivals, result.rivals, strict=True):
        full_year = rival.units * 12 / rival.months_on_sale
        assert found.units_per_year[0] + found.units_lost_per_year[0] == pytest.approx(full_year, rel=1e-12)
        assert found.snapshot_share == pytest.approx(full_year / 1e6, rel=1e-12)


def test_elasticities_agree_with_a_one_per_mille_change_of_price_and_range() -> None:
    inputs = demand_inputs()
    result = evaluate_demand(inputs)
    step = 1e-6
    dearer = evaluate_demand(replace(inputs, guest_price_cny=inputs.guest_price_cny * (1 + step)))
    farther = evaluate_demand(replace(inputs, guest_range_km=inputs.guest_range_km * (1 + step)))
    for year in range(len(result.years)):
        base = result.units_per_year[year]
        by_price = (dearer.units_per_year[year] / base - 1) / step
        by_range = (farther.units_per_year[year] / base - 1) / step
        assert by_price == pytest.approx(result.price_elasticity[year], rel=1e-5)
        assert by_range == pytest.approx(result.range_elasticity[year], rel=1e-5)


def test_willingness_to_pay_buys_a_kilometre_at_equal_demand() -> None:
    inputs = demand_inputs(horizon_years=0)
    result = evaluate_demand(inputs)
    step = 1e-3
    paid = inputs.guest_price_cny + step * result.willingness_to_pay_cny_per_km
    moved = evaluate_demand(replace(inputs, guest_range_km=inputs.guest_range_km + step, guest_price_cny=paid))
    assert moved.units_per_year[0] == pytest.approx(result.units_per_year[0], rel=1e-9)


def test_appeal_is_worth_its_amount_of_price() -> None:
    dearer = demand_inputs(guest_appeal_cny=10e3, guest_price_cny=160e3, guest_price_change_rate=0.0)
    plain = demand_inputs(guest_price_change_rate=0.0)
    assert evaluate_demand(dearer).units_per_year == pytest.approx(evaluate_demand(plain).units_per_year, rel=1e-12)


def test_guest_without_appeal_of_its_own_has_the_mean_constant_of_the_peers_alone() -> None:
    inputs = still(demand_inputs(), horizon_years=0)
    result = evaluate_demand(inputs)
    market = result.market_units_per_year[0]
    outside = 1 - result.share[0] - sum(rival.units_per_year[0] for rival in result.rivals) / market
    utility = math.log(result.share[0] / outside)
    sensitivity = result.price_sensitivity_per_cny
    constant = utility + sensitivity * inputs.guest_price_cny - inputs.range_elasticity * math.log(480.0)
    peers = [found.constant for rival, found in zip(inputs.rivals, result.rivals, strict=True) if rival.is_peer]
    assert len(peers) == 2
    assert constant == pytest.approx(sum(peers) / 2, rel=1e-12)


def test_buyers_come_from_rivals_and_the_outside_good_and_the_hosts_own_are_flagged() -> None:
    result = evaluate_demand(demand_inputs())
    for year in range(len(result.years)):
        lost = sum(rival.units_lost_per_year[year] for rival in result.rivals)
        assert lost + result.outside_units_lost_per_year[year] == pytest.approx(result.units_per_year[year], rel=1e-9)
    host = next(rival for rival in result.rivals if rival.owner is Owner.HOST)
    assert result.host_units_lost_per_year == host.units_lost_per_year
    peak = result.years.index(result.peak_year)
    assert result.host_loss_share == pytest.approx(host.units_lost_per_year[peak] / result.peak_units_per_year)


def test_entry_of_equal_cars_thins_every_share_as_more_outside_goods_would() -> None:
    inputs = replace(still(demand_inputs(), horizon_years=1), rival_entry_rate=1.0)
    result = evaluate_demand(inputs)
    share = [rival.snapshot_share for rival in result.rivals]
    outside = 1 - sum(share)
    doubled = [item / (sum(share) + 2 * outside) for item in share]
    for rival, expected in zip(result.rivals, doubled, strict=True):
        without = rival.units_per_year[1] + rival.units_lost_per_year[1]
        assert without / result.market_units_per_year[1] == pytest.approx(expected, rel=1e-12)


def test_prices_and_ranges_that_move_alike_for_all_leave_a_mean_priced_rivals_share_alone() -> None:
    rival = Rival("only", "Only", Owner.OTHER, True, 200e3, 450.0, 100e3, 12)
    result = evaluate_demand(demand_inputs(rivals=(rival,), rival_entry_rate=0.0))
    for year, market in enumerate(result.market_units_per_year):
        found = result.rivals[0]
        without = found.units_per_year[year] + found.units_lost_per_year[year]
        assert without / market == pytest.approx(0.1, rel=1e-12)


def test_market_grows_evenly_between_the_years_and_by_its_rate_after_them() -> None:
    result = evaluate_demand(demand_inputs(first_year=2020, horizon_years=7))
    factor = 3 ** (1 / 5)
    expected = [1e6 * factor**year for year in range(6)] + [3e6 * 1.05, 3e6 * 1.05**2]
    assert result.market_units_per_year == pytest.approx(expected, rel=1e-12)
    assert result.years == tuple(range(2020, 2028))


def test_guest_price_starts_in_the_first_year_and_then_changes_yearly() -> None:
    result = evaluate_demand(demand_inputs())
    assert result.price_cny == pytest.approx([150e3 * 0.98**year for year in range(5)])


def share(**changes: Any) -> ListedShare:
    plain = ListedShare(
        id="a",
        name="A share",
        side=Side.HOST,
        exchange="Shanghai",
        currency="CNY",
        cny_per_currency=1.0,
        previous_close=10.0,
        shares_outstanding=1e9,
        daily_limit_share=0.1,
        alpha_per_day=0.001,
        beta=1.2,
        residual_sd=0.02,
        estimation_days=120,
    )
    return replace(plain, **changes)


def event(name: str, date: dt.date, *, counts: bool = True) -> NewsEvent:
    return NewsEvent(name, name, date, "register-entry", counts)


def seen(
    event_id: str, share_id: str, date: dt.date, abnormal: float, *, close: float = 10.0, limit: LimitSide | None = None
) -> Observation:
    return Observation(event_id, share_id, date, abnormal, None, None, close, limit)


def inputs_of(
    shares: list[ListedShare], events: list[NewsEvent], observations: list[Observation], as_of: dt.date = OWN
) -> AnnouncementInputs:
    return AnnouncementInputs(as_of, tuple(shares), tuple(events), tuple(observations))


def test_abnormal_return_is_what_the_market_model_does_not_expect() -> None:
    day = Observation("report", "a", REPORT, None, 0.05, 0.01, 10.0, None)
    result = evaluate_announcement(inputs_of([share()], [event("report", REPORT)], [day]))
    found = result.events[0].shares[0]
    assert found.abnormal_return == pytest.approx(0.05 - 0.001 - 0.012)
    assert found.t_statistic == pytest.approx(0.037 / 0.02)
    assert found.implied_value_cny == pytest.approx(0.037 * 10e9)


def test_prediction_error_widens_with_the_markets_distance_from_its_mean() -> None:
    far = Observation("report", "a", REPORT, None, 0.05, 0.03, 10.0, None)
    known = share(market_mean=0.001, market_sd=0.01)
    found = evaluate_announcement(inputs_of([known], [event("report", REPORT)], [far])).events[0].shares[0]
    expected = 0.02 * math.sqrt(1 + 1 / 120 + 0.029**2 / (119 * 0.01**2))
    assert found.standard_error == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("limit", "move", "bound", "open_end"),
    [(LimitSide.UPPER, 0.09, "at least", "high"), (LimitSide.LOWER, -0.09, "at most", "low")],
)
def test_limit_close_is_a_bound_with_an_interval_open_on_its_side(
    limit: LimitSide, move: float, bound: str, open_end: str
) -> None:
    day = seen("report", "a", REPORT, move, limit=limit)
    result = evaluate_announcement(inputs_of([share()], [event("report", REPORT)], [day]))
    found = result.events[0].shares[0]
    assert found.bound == bound
    assert getattr(found, open_end) is None
    assert getattr(found, "low" if open_end == "high" else "high") is not None
    assert getattr(result.implied_values[0], f"{open_end}_cny") is None
    assert result.limit_closes == 1
    assert "only a bound is known" in result.verdict


def test_cumulation_runs_to_the_first_close_without_limit() -> None:
    days = [REPORT, DENIAL, OWN, dt.date(2021, 3, 31)]
    observations = [
        seen("report", "a", days[0], 0.09, limit=LimitSide.UPPER),
        seen("report", "a", days[1], 0.09, limit=LimitSide.UPPER),
        seen("report", "a", days[2], 0.02),
        seen("report", "a", days[3], 0.50),
    ]
    result = evaluate_announcement(inputs_of([share()], [event("report", REPORT)], observations, dt.date(2021, 4, 1)))
    found = result.events[0].shares[0]
    assert (found.days, found.last_date, found.bound) == (3, OWN, "")
    assert found.abnormal_return == pytest.approx(0.20)
    assert found.standard_error == pytest.approx(0.02 * math.sqrt(3))
    assert found.limit_days == (REPORT, DENIAL)


def test_cumulation_never_enters_the_day_of_another_event() -> None:
    observations = [
        seen("report", "a", REPORT, 0.09, limit=LimitSide.UPPER),
        seen("report", "a", DENIAL, 0.05),
        seen("denial", "a", DENIAL, -0.06, close=11.0),
    ]
    events = [event("report", REPORT), event("denial", DENIAL)]
    result = evaluate_announcement(inputs_of([share()], events, observations))
    report = result.events[0].shares[0]
    assert (report.days, report.bound, report.abnormal_return) == (1, "at least", 0.09)
    # What the limit held back on the first day came out on the second: the sum is no bound.
    total = result.implied_values[0]
    assert total.bound == ""
    assert total.implied_value_cny == pytest.approx(0.09 * 10e9 - 0.06 * 11e9)
    assert total.events == ("report", "denial")


def test_news_about_something_else_is_shown_but_not_counted() -> None:
    observations = [
        seen("report", "a", REPORT, 0.09, limit=LimitSide.UPPER),
        seen("own", "a", DENIAL, 0.30, close=11.0),
    ]
    events = [event("report", REPORT), event("own", DENIAL, counts=False)]
    result = evaluate_announcement(inputs_of([share()], events, observations))
    assert result.implied_values[0].events == ("report",)
    assert result.implied_values[0].bound == "at least"
    assert result.events[1].shares[0].abnormal_return == 0.30


def test_classes_of_one_firm_add_their_own_numbers_of_shares_and_their_errors() -> None:
    mainland = share()
    island = share(
        id="h",
        previous_close=8.0,
        shares_outstanding=5e8,
        currency="HKD",
        cny_per_currency=0.85,
        daily_limit_share=None,
    )
    observations = [seen("report", "a", REPORT, 0.05), seen("report", "h", REPORT, 0.04, close=8.0)]
    result = evaluate_announcement(inputs_of([mainland, island], [event("report", REPORT)], observations))
    value = result.implied_values[0]
    assert value.shares == ("a", "h")
    assert value.implied_value_cny == pytest.approx(0.05 * 10e9 + 0.04 * 8 * 5e8 * 0.85)
    assert value.market_value_cny == pytest.approx(10e9 + 8 * 5e8 * 0.85)
    margins = [item.margin * item.market_value_cny for item in result.events[0].shares]
    assert value.high_cny is not None
    assert value.high_cny - value.implied_value_cny == pytest.approx(sum(margins))


def test_opposite_limits_of_two_classes_leave_both_sides_open() -> None:
    observations = [
        seen("report", "a", REPORT, 0.09, limit=LimitSide.UPPER),
        seen("report", "b", REPORT, -0.09, limit=LimitSide.LOWER),
    ]
    result = evaluate_announcement(inputs_of([share(), share(id="b")], [event("report", REPORT)], observations))
    value = result.implied_values[0]
    assert (value.bound, value.low_cny, value.high_cny) == ("open", None, None)


def test_verdict_says_plainly_that_nothing_is_significant() -> None:
    quiet = evaluate_announcement(
        inputs_of([share()], [event("report", REPORT)], [seen("report", "a", REPORT, 0.0395)])
    )
    assert quiet.verdict.startswith("Nothing is significant at 5 %")
    loud = evaluate_announcement(inputs_of([share()], [event("report", REPORT)], [seen("report", "a", REPORT, 0.0397)]))
    assert loud.verdict.startswith("1 of 1 abnormal return is significant")
    assert loud.events[0].shares[0].is_significant


def test_days_after_as_of_are_not_looked_at() -> None:
    observations = [seen("report", "a", REPORT, 0.09, limit=LimitSide.UPPER), seen("report", "a", DENIAL, 0.05)]
    result = evaluate_announcement(inputs_of([share()], [event("report", REPORT)], observations, as_of=REPORT))
    assert result.events[0].shares[0].days == 1


def implied(value: float, low: float | None, high: float | None, bound: str = "") -> ImpliedValue:
    return ImpliedValue(Side.HOST, ("report",), ("a",), value, low, high, bound, 100e9)


def test_comparison_names_the_probability_that_would_justify_the_market() -> None:
    found = compare(implied(3e9, 1e9, 5e9), npv_cny=4e9, probability=0.1)
    assert found.believed_probability == pytest.approx(0.75)
    assert found.believed_npv_cny == pytest.approx(30e9)
    assert found.expected_value_cny == pytest.approx(0.4e9)
    assert not found.is_compatible


@pytest.mark.parametrize("npv_cny", [1e9, -1e9, 0.0])
def test_comparison_says_when_no_probability_would_do(npv_cny: float) -> None:
    found = compare(implied(3e9, 1e9, 5e9), npv_cny=npv_cny, probability=0.5)
    assert found.believed_probability is None
    assert "an NPV of CNY 6.0 bn" in found.sentence


def test_comparison_with_a_bound_is_open_above() -> None:
    found = compare(implied(3e9, 1e9, None, "at least"), npv_cny=900e9, probability=0.9)
    assert found.is_compatible
    assert "paid at least CNY 3.0 bn" in found.sentence


def test_comparison_with_probability_zero_names_no_npv() -> None:
    found = compare(implied(3e9, 1e9, 5e9), npv_cny=-1e9, probability=0.0)
    assert found.believed_npv_cny is None
    assert "no probability and no NPV" in found.sentence


# ------------------------------------------------------------------------------------------ from a programme


def section(**announcement: Any) -> dict[str, Any]:
    return {
        "demand": {
            "snapshot_year": 2020,
            "range_procedure": "NEDC",
            "guest_range_ratio": 0.5,
            "guest_price_cny": 150000,
            "guest_price_change_rate": -0.02,
            "guest_appeal_cny": 0,
            "price_elasticity": 3,
            "range_elasticity": 1,
            "rival_price_change_rate": 0,
            "rival_range_growth_rate": 0,
            "rival_entry_rate": 0,
            "market_growth_after_rate": 0,
            "market": [{"id": "m0", "year": 2020, "units": 1000000}, {"id": "m5", "year": 2025, "units": 4000000}],
            "rival": [{"id": "r", "name": "R", "price_cny": 150000, "range_km": 400, "sold_units": 50000}],
        },
        "announcement": {
            "share": [share_table()],
            "event": [event_table("report", REPORT), event_table("denial", DENIAL)],
            "observation": [
                {"event": "report", "share": "a", "share_return": 0.0999, "market_return": 0.01},
                {"event": "denial", "share": "a", "abnormal_return": -0.05, "close_before": 11.0},
            ],
            **announcement,
        },
    }


def share_table(**changes: Any) -> dict[str, Any]:
    table = {
        "id": "a",
        "name": "A",
        "side": "host",
        "exchange": "Hong Kong",
        "currency": "HKD",
        "previous_close": 10,
        "shares_outstanding": 1e9,
        "daily_limit_share": 0.1,
        "estimation_days": 120,
        "alpha_per_day": 0.001,
        "beta": 1.2,
        "residual_sd": 0.02,
    }
    return {key: value for key, value in {**table, **changes}.items() if value is not None}


def event_table(name: str, date: dt.date, **changes: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "date": date, "evidence": "press", **changes}


def programme(tables: dict[str, Any], as_of: dt.date = OWN, folder: Path | None = None) -> Any:
    press = Evidence(kind="unnamed press sources", claim="It is so.", source="Press", date=REPORT)
    return SimpleNamespace(
        as_of=as_of,
        folder=folder or Path(),
        document=SimpleNamespace(
            programme=SimpleNamespace(as_of=as_of, horizon_years=10),
            market=MarketSection.model_validate(tables),
            evidence={"press": press},
        ),
    )


def announced(tables: dict[str, Any], **keywords: Any) -> AnnouncementInputs:
    return announcement_inputs_from(programme(tables, **keywords), cny_per_usd=6.5, cny_per_hkd=0.84)


def test_demand_inputs_turn_the_cltc_range_into_the_rivals_procedure() -> None:
    inputs = demand_inputs_from(programme(section()), range_km=500.0)
    assert inputs.guest_range_km == 250.0
    assert (inputs.first_year, inputs.horizon_years) == (2021, 10)
    assert inputs.rivals[0].units == 50000.0


def test_announcement_inputs_hide_what_as_of_cannot_see() -> None:
    early = announced(section(), as_of=REPORT)
    assert [item.id for item in early.events] == ["report"]
    assert {item.event for item in early.observations} == {"report"}
    assert announced(section(), as_of=dt.date(2021, 3, 25)).observations == ()
    assert len(announced(section()).observations) == 2


def test_announcement_inputs_flag_a_limit_close_that_the_return_shows() -> None:
    inputs = announced(section())
    assert [item.limit for item in inputs.observations] == [LimitSide.UPPER, None]
    assert [item.previous_close for item in inputs.observations] == [10.0, 11.0]
    assert inputs.shares[0].cny_per_currency == 0.84


def problems_of(tables: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        announced(tables)
    return "\n".join(str(problem) for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("tables", "place", "expected"),
    [
        ({"event": [event_table("report", REPORT, evidence="pres")]}, "event.report.evidence", "did you mean press"),
        (
            {"event": [event_table("report", REPORT), event_table("denial", REPORT)]},
            "event.denial.date",
            "a day of its own",
        ),
        ({"share": [share_table(), share_table()]}, "share.a", "an identifier used once"),
        ({"share": [share_table(residual_sd=None)]}, "share.a.residual_sd", "a number above 0"),
        ({"share": [share_table(market_mean=0.0)]}, "share.a.market_mean", "both, or neither"),
        ({"share": [share_table(beta=None)]}, "share.a.beta", "for the observations give returns"),
        ({"share": [share_table(price_file="a.csv")]}, "share.a.beta", "either price_file or summary figures"),
        (
            {"observation": [{"event": "report", "share": "b", "abnormal_return": 0.1}]},
            "observation.0.share",
            "a share of this section",
        ),
        (
            {"observation": [{"event": "report", "share": "a", "abnormal_return": 0.1, "share_return": 0.1}]},
            "observation.0",
            "either abnormal_return",
        ),
        (
            {"observation": [{"event": "report", "share": "a", "share_return": 0.3, "market_return": 0.0}]},
            "observation.0.share_return",
            "within the daily limit of 0.1",
        ),
        (
            {"observation": [{"event": "report", "share": "a", "abnormal_return": 0.1, "date": DENIAL}]},
            "observation.0.date",
            "before the next event",
        ),
        (
            {
                "share": [share_table(daily_limit_share=None)],
                "observation": [{"event": "report", "share": "a", "abnormal_return": 0.1, "close_at_limit": True}],
            },
            "observation.0.close_at_limit",
            "has no daily_limit_share",
        ),
    ],
)
def test_announcement_names_each_mistake(tables: dict[str, Any], place: str, expected: str) -> None:
    told = problems_of(section(**tables))
    assert any(place in line and expected in line for line in told.splitlines()), told


def test_announcement_tells_several_mistakes_together() -> None:
    told = problems_of(
        section(
            share=[share_table(residual_sd=None)],
            event=[event_table("report", REPORT, evidence="nobody")],
            observation=[{"event": "reports", "share": "a", "abnormal_return": 0.1}],
        )
    )
    assert len(told.splitlines()) == 3


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"snapshot_year": 2019}, "a year that the market table spans, 2020 to 2025"),
        ({"market": [{"id": "x", "year": 2020, "units": 1}, {"id": "y", "year": 2020, "units": 2}]}, "ascending order"),
        ({"market": [{"id": "x", "year": 2020, "units": 40000}]}, "less than the segment's 40,000"),
        (
            {
                "rival": [
                    {"id": "r", "name": "R", "peer": False, "price_cny": 1, "range_km": 1, "sold_units": 1},
                ]
            },
            "at least one car that the guest is measured against",
        ),
    ],
)
def test_demand_names_each_mistake(change: dict[str, Any], expected: str) -> None:
    tables = section()
    tables["demand"].update(change)
    with pytest.raises(InputError, match=expected):
        demand_inputs_from(programme(tables), range_km=500.0)


# ------------------------------------------------------------------------------------------------ price files


def write_prices(folder: Path, *, flat_days: int = 40) -> None:
    """A share that follows the market with slope 2, jumps to its limit on the report and on after it."""
    day = dt.date(2021, 1, 4)
    index, own = 100.0, 50.0
    share_rows, index_rows = [f"{day},{own}"], [f"{day},{index}"]
    moves = [((0.01 if count % 2 else -0.008), None) for count in range(flat_days)]
    moves += [(0.0, 0.1), (0.0, 0.1), (0.0, 0.03)]
    for market, fixed in moves:
        day += dt.timedelta(days=1)
        index *= 1 + market
        own *= 1 + (2 * market if fixed is None else fixed)
        share_rows.append(f"{day},{own!r}")
        index_rows.append(f"{day},{index!r}")
    (folder / "share.csv").write_text("date,close\n" + "\n".join(share_rows), encoding="utf-8")
    (folder / "index.csv").write_text("date,close\n" + "\n".join(index_rows), encoding="utf-8")


def price_section(**changes: Any) -> dict[str, Any]:
    table = share_table(
        alpha_per_day=None,
        beta=None,
        residual_sd=None,
        price_file="share.csv",
        index_file="index.csv",
        estimation_days=30,
        estimation_last_day=dt.date(2021, 2, 10),
    )
    first = dt.date(2021, 1, 4) + dt.timedelta(days=41)
    return section(share=[{**table, **changes}], event=[event_table("report", first)], observation=[])


def test_price_files_give_the_market_model_and_cumulate_over_limit_closes(tmp_path: Path) -> None:
    write_prices(tmp_path)
    inputs = announced(price_section(), folder=tmp_path)
    assert inputs.shares[0].beta == pytest.approx(2.0)
    assert inputs.shares[0].alpha_per_day == pytest.approx(0.0, abs=1e-12)
    assert [item.limit for item in inputs.observations] == [LimitSide.UPPER, LimitSide.UPPER, None]
    assert inputs.observations[0].previous_close == pytest.approx(10.0)
    assert inputs.observations[1].previous_close == pytest.approx(11.0)


def test_price_files_are_not_read_past_as_of(tmp_path: Path) -> None:
    write_prices(tmp_path)
    first = dt.date(2021, 1, 4) + dt.timedelta(days=41)
    inputs = announced(price_section(), folder=tmp_path, as_of=first)
    assert [item.date for item in inputs.observations] == [first]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("day,close\n2021-01-04,1\n", "share.csv:1: header"),
        ("date,close\n2021-01-04,one\n", "share.csv:2: close: found one; expected a number above 0"),
        ("date,close\n2021-01-04,nan\n", "share.csv:2: close: found nan"),
        ("date,close\n2021-01-04,1\n2021-01-04,2\n", "share.csv:3: date: found 2021-01-04; expected a day after"),
        ("date,close\nsoon,1\n", "share.csv:2: date: found soon"),
        ("date,close\n2021-01-04,1\n2021-01-05,2\n", "expected 30 days, as estimation_days says"),
    ],
)
def test_price_files_name_line_and_column_of_a_mistake(tmp_path: Path, text: str, expected: str) -> None:
    write_prices(tmp_path)
    (tmp_path / "share.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        announced(price_section(), folder=tmp_path)
    assert expected in str(caught.value)


def test_missing_price_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        announced(price_section(), folder=tmp_path)
    assert "share.csv" in str(caught.value)
    assert "index.csv" in str(caught.value)
