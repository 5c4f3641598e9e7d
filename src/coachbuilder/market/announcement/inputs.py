"""Reads what the announcement takes out of a programme, and hides what ``as_of`` cannot see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from coachbuilder.market.announcement.interface import (
    AnnouncementInputs,
    ListedShare,
    NewsEvent,
    Observation,
    TwinModel,
)
from coachbuilder.programme.errors import Problem, ProblemList, closest
from coachbuilder.programme.sections.market import Currency, LimitSide

if TYPE_CHECKING:
    from coachbuilder.market.announcement.prices import PriceTable
    from coachbuilder.programme import Programme
    from coachbuilder.programme.assumption import Assumption
    from coachbuilder.programme.evidence import Evidence
    from coachbuilder.programme.sections.market import AnnouncementSection, ListedShareSection, ObservationSection

FILE = "programme.toml"
FIELD = "market.announcement"


def announcement_inputs_from(programme: Programme, *, cny_per_usd: float, cny_per_hkd: float) -> AnnouncementInputs:
    """Return what the announcement takes; events, days and prices after ``as_of`` are left out.

    Shares with price files are read here, so that the evaluation itself reads none.

    Parameters
    ----------
    programme
        The programme.
    cny_per_usd, cny_per_hkd
        Exchange rates.

    Raises
    ------
    InputError
        With all that :func:`check` and the price files show.
    """
    section = programme.document.market.announcement
    problems = ProblemList(FILE)
    problems.extend(check(section, programme.document.evidence))
    problems.raise_if_any()
    rates = {Currency.CNY: 1.0, Currency.USD: cny_per_usd, Currency.HKD: cny_per_hkd}
    return _inputs(section, programme.as_of, rates, programme.folder, problems)


def _inputs(
    section: AnnouncementSection,
    as_of: dt.date,
    rates: Mapping[Currency, float],
    folder: Path,
    problems: ProblemList,
) -> AnnouncementInputs:
    events = tuple(
        NewsEvent(item.id, item.name, item.date, item.evidence, item.about_partnership)
        for item in sorted(section.event, key=lambda item: item.date)
        if item.date <= as_of
    )
    shares: list[ListedShare] = []
    observations: list[Observation] = []
    tables: dict[str, tuple[PriceTable, PriceTable]] = {}
    for item in section.share:
        if item.price_file:
            share, seen = _from_files(item, rates[item.currency], folder, events, as_of, problems, tables)
        else:
            share = _from_summary(item, rates[item.currency])
            seen = _observations(section, item, share, {event.id: event for event in events}, as_of)
        if share is not None:
            shares.append(share)
            observations.extend(seen)
    problems.raise_if_any()
    by_name = {share.id: share for share in shares}
    twins = {item.id: item for item in section.share if item.twin}
    shares = [
        replace(share, twin=twins[share.id].twin, twin_model=_twin_model(twins[share.id], by_name, tables, problems))
        if share.id in twins
        else share
        for share in shares
    ]
    problems.raise_if_any()
    return AnnouncementInputs(as_of=as_of, shares=tuple(shares), events=events, observations=tuple(observations))


def _twin_model(
    item: ListedShareSection,
    shares: Mapping[str, ListedShare],
    tables: Mapping[str, tuple[PriceTable, PriceTable]],
    problems: ProblemList,
) -> TwinModel | None:
    """Return how a share follows its twin: from both price files, or from the summary figures."""
    from coachbuilder.market.announcement.prices import twin_model_from

    if item.price_file and item.estimation_last_day is not None:
        own, other = (shares[item.id], *tables[item.id]), (shares[item.twin], *tables[item.twin])
        try:
            return twin_model_from(own, other, last_day=item.estimation_last_day)
        except ValueError as error:
            expected = "a twin that was traded on the same days"
            problems.add(f"{FIELD}.share.{item.id}.twin", f"{item.twin}: {error}", expected)
            return None
    return TwinModel(
        constant=0.0,
        slope=_value(item.twin_slope) or 0.0,
        residual_sd=_value(item.twin_residual_sd) or 0.0,
        days=item.twin_days or 0,
        twin_sd=shares[item.twin].residual_sd,
    )


def _from_summary(item: ListedShareSection, rate: float) -> ListedShare:
    return ListedShare(
        id=item.id,
        name=item.name,
        side=item.side,
        exchange=item.exchange,
        currency=item.currency,
        cny_per_currency=rate,
        previous_close=item.previous_close.value,
        shares_outstanding=item.shares_outstanding.value,
        daily_limit_share=item.daily_limit_share or None,
        alpha_per_day=_value(item.alpha_per_day) or 0.0,
        beta=_value(item.beta) or 0.0,
        residual_sd=_value(item.residual_sd) or 0.0,
        estimation_days=item.estimation_days,
        market_mean=_value(item.market_mean),
        market_sd=_value(item.market_sd),
    )


def _observations(
    section: AnnouncementSection,
    item: ListedShareSection,
    share: ListedShare,
    events: Mapping[str, NewsEvent],
    as_of: dt.date,
) -> list[Observation]:
    from coachbuilder.market.announcement.prices import limit_side

    found = []
    for seen in section.observation:
        event = events.get(seen.event)
        if seen.share != item.id or event is None or (seen.date or event.date) > as_of:
            continue
        move = seen.abnormal_return if seen.share_return is None else seen.share_return
        limit = None if seen.share_return is None else limit_side(seen.share_return, share.daily_limit_share)
        if seen.close_at_limit and limit is None:
            limit = LimitSide.UPPER if (move or 0.0) > 0 else LimitSide.LOWER
        found.append(
            Observation(
                event=seen.event,
                share=seen.share,
                date=seen.date or event.date,
                abnormal_return=seen.abnormal_return,
                share_return=seen.share_return,
                market_return=seen.market_return,
                previous_close=share.previous_close if seen.close_before is None else seen.close_before,
                limit=limit,
            )
        )
    return found


def _from_files(
    item: ListedShareSection,
    rate: float,
    folder: Path,
    events: tuple[NewsEvent, ...],
    as_of: dt.date,
    problems: ProblemList,
    tables: dict[str, tuple[PriceTable, PriceTable]],
) -> tuple[ListedShare | None, list[Observation]]:
    from coachbuilder.market.announcement.prices import market_model_from, observations_from, read_price_table

    own = read_price_table(folder / item.price_file, problems)
    market = read_price_table(folder / item.index_file, problems)
    if own is None or market is None or item.estimation_last_day is None:
        return None, []
    if not own.closes:
        problems.add("header", "the columns date and return", "the columns date and close", line=1, file=own.file)
        return None, []
    model = market_model_from(
        own, market, last_day=item.estimation_last_day, days=item.estimation_days, problems=problems
    )
    if model is None:
        return None, []
    tables[item.id] = own, market
    share = ListedShare(
        id=item.id,
        name=item.name,
        side=item.side,
        exchange=item.exchange,
        currency=item.currency,
        cny_per_currency=rate,
        previous_close=item.previous_close.value,
        shares_outstanding=item.shares_outstanding.value,
        daily_limit_share=item.daily_limit_share or None,
        alpha_per_day=model.alpha_per_day,
        beta=model.beta,
        residual_sd=model.residual_sd,
        estimation_days=model.days,
        market_mean=model.market_mean,
        market_sd=model.market_sd,
    )
    seen = observations_from(
        item.id,
        own,
        market,
        events=events,
        as_of=as_of,
        previous_close=share.previous_close,
        daily_limit_share=share.daily_limit_share,
        problems=problems,
    )
    return share, seen


def _value(assumption: Assumption | None) -> float | None:
    return None if assumption is None else assumption.value


def check(section: AnnouncementSection, register: Mapping[str, Evidence]) -> list[Problem]:
    """Return what the schema cannot see: unknown names, figures that are missing or contradict each other.

    Parameters
    ----------
    section
        The announcement's tables, later events included.
    register
        All entries of the evidence register.
    """
    problems = ProblemList(FILE)
    for kind, items in (("share", section.share), ("event", section.event)):
        seen: set[str] = set()
        for item in items:
            if item.id in seen:
                problems.add(f"{FIELD}.{kind}.{item.id}", item.id, "an identifier used once")
            seen.add(item.id)
    _check_events(section, register, problems)
    for share in section.share:
        _check_share(share, section, problems)
        _check_twin(share, section, problems)
    _check_observations(section, problems)
    return list(problems)


def _check_events(section: AnnouncementSection, register: Mapping[str, Evidence], problems: ProblemList) -> None:
    by_date: dict[dt.date, str] = {}
    for event in section.event:
        field = f"{FIELD}.event.{event.id}"
        if event.evidence not in register:
            problems.add(
                f"{field}.evidence",
                event.evidence,
                "the name of an entry in the evidence register",
                hint=closest(event.evidence, register),
            )
        if event.date in by_date:
            problems.add(
                f"{field}.date",
                f"{event.date.isoformat()}, the day of {by_date[event.date]} too",
                "a day of its own",
                hint="moves of one day cannot be told apart: make them one event",
            )
        by_date.setdefault(event.date, event.id)


def _check_share(share: ListedShareSection, section: AnnouncementSection, problems: ProblemList) -> None:
    field = f"{FIELD}.share.{share.id}"
    summary = ("alpha_per_day", "beta", "residual_sd", "market_mean", "market_sd")
    if share.price_file:
        if not share.index_file:
            problems.add(f"{field}.index_file", "nothing", "the market's table beside price_file")
        if share.estimation_last_day is None:
            problems.add(
                f"{field}.estimation_last_day", "nothing", "the estimation window's last day, beside price_file"
            )
        elif section.event and share.estimation_last_day >= min(event.date for event in section.event):
            problems.add(
                f"{field}.estimation_last_day", share.estimation_last_day.isoformat(), "a day before the first event"
            )
        for name in summary:
            if getattr(share, name) is not None:
                problems.add(f"{field}.{name}", "a figure beside price_file", "either price_file or summary figures")
    else:
        if share.residual_sd is None:
            problems.add(f"{field}.residual_sd", "nothing", "a number above 0, or price_file and index_file")
        for name in ("index_file", "estimation_last_day"):
            if getattr(share, name):
                problems.add(f"{field}.{name}", str(getattr(share, name)), "nothing without price_file")
        if (share.market_mean is None) != (share.market_sd is None):
            problems.add(f"{field}.market_mean", "one of market_mean and market_sd", "both, or neither")


def _check_twin(share: ListedShareSection, section: AnnouncementSection, problems: ProblemList) -> None:
    field = f"{FIELD}.share.{share.id}"
    figures = {"twin_slope": share.twin_slope, "twin_residual_sd": share.twin_residual_sd, "twin_days": share.twin_days}
    shares = {item.id: item for item in section.share}
    twin = shares.get(share.twin)
    if not share.twin:
        for name, value in figures.items():
            if value is not None:
                problems.add(f"{field}.{name}", "a figure without twin", "nothing, or the name of the twin")
        return
    if twin is None:
        problems.add(f"{field}.twin", share.twin, "a share of this section", hint=closest(share.twin, shares))
        return
    if twin is share or twin.side != share.side:
        problems.add(f"{field}.twin", share.twin, "another share of the same side")
    if twin.daily_limit_share or not share.daily_limit_share:
        problems.add(f"{field}.twin", share.twin, "a twin without daily_limit_share, of a share that has one")
    if bool(twin.price_file) != bool(share.price_file):
        problems.add(f"{field}.twin", share.twin, "a twin that has a price_file if the share has one, or neither")
    for name, value in figures.items():
        if share.price_file and value is not None:
            problems.add(f"{field}.{name}", "a figure beside price_file", "either price_file or summary figures")
        elif not share.price_file and value is None:
            problems.add(f"{field}.{name}", "nothing", "a figure beside twin, or price files of both shares")


def _check_observations(section: AnnouncementSection, problems: ProblemList) -> None:
    shares = {share.id: share for share in section.share}
    events = {event.id: event for event in section.event}
    days = sorted(event.date for event in section.event)
    seen: set[tuple[str, str, dt.date]] = set()
    for index, item in enumerate(section.observation):
        field = f"{FIELD}.observation.{index}"
        share, event = shares.get(item.share), events.get(item.event)
        if share is None:
            problems.add(f"{field}.share", item.share, "a share of this section", hint=closest(item.share, shares))
        else:
            _check_returns(item, share, field, problems)
        if event is None:
            problems.add(f"{field}.event", item.event, "an event of this section", hint=closest(item.event, events))
            continue
        day = item.date or event.date
        following = next((other for other in days if other > event.date), dt.date.max)
        if not event.date <= day < following:
            problems.add(
                f"{field}.date", day.isoformat(), f"a day from {event.date.isoformat()} on, before the next event"
            )
        if (item.event, item.share, day) in seen:
            problems.add(
                field, f"{item.event}, {item.share}, {day.isoformat()} again", "one observation a share and day"
            )
        seen.add((item.event, item.share, day))


def _check_returns(item: ObservationSection, share: ListedShareSection, field: str, problems: ProblemList) -> None:
    if share.price_file:
        problems.add(f"{field}.share", item.share, "a share without price_file, for the file tells its days")
    pair = (item.share_return is not None, item.market_return is not None)
    if (item.abnormal_return is not None) == any(pair) or (any(pair) and not all(pair)):
        problems.add(
            field,
            "abnormal_return, share_return and market_return mixed or missing",
            "either abnormal_return, or share_return and market_return",
        )
    if all(pair) and (share.alpha_per_day is None or share.beta is None) and not share.price_file:
        problems.add(
            f"{FIELD}.share.{share.id}.beta", "no alpha_per_day and beta", "both, for the observations give returns"
        )
    limit = share.daily_limit_share
    if item.close_at_limit and not limit:
        problems.add(f"{field}.close_at_limit", "true", f"false, for {share.id} has no daily_limit_share")
    if limit and item.share_return is not None and abs(item.share_return) > limit + 0.005:
        problems.add(f"{field}.share_return", item.share_return, f"a return within the daily limit of {limit:g}")
