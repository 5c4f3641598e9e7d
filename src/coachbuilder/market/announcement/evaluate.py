"""From observations to abnormal returns, their tests and the value that they imply."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from coachbuilder.market.announcement.event_study import critical_t, prediction_error_factor, two_sided_p
from coachbuilder.market.announcement.interface import (
    SIGNIFICANCE,
    AnnouncementInputs,
    AnnouncementResult,
    EventResult,
    ImpliedValue,
    ListedShare,
    NewsEvent,
    Observation,
    ShareEventResult,
    TwinControl,
)
from coachbuilder.market.announcement.twin import twin_control
from coachbuilder.programme.sections.market import LimitSide, Side

BOUNDS = {LimitSide.UPPER: "at least", LimitSide.LOWER: "at most"}
OPEN = "open"
"""Bounds on both sides together: the sum is bounded on neither."""


def evaluate_announcement(inputs: AnnouncementInputs) -> AnnouncementResult:
    """Return abnormal returns by event and share, and the value of the news by side.

    Parameters
    ----------
    inputs
        Shares, events and observations up to ``as_of``; see :class:`AnnouncementInputs`.

    Examples
    --------
    >>> import datetime as dt
    >>> day = dt.date(2021, 3, 26)
    >>> share = ListedShare("a", "A share", Side.HOST, "Shanghai", "CNY", 1.0, 10.0, 1e9, 0.1, 0.0, 1.0, 0.02, 120)
    >>> event = NewsEvent("report", "A report", day, "press", True)
    >>> seen = Observation("report", "a", day, None, 0.0999, 0.0199, 10.0, LimitSide.UPPER)
    >>> result = evaluate_announcement(AnnouncementInputs(day, (share,), (event,), (seen,)))
    >>> value = result.implied_values[0]
    >>> round(value.implied_value_cny / 1e9, 6), value.bound, value.high_cny
    (0.8, 'at least', None)
    """
    events = sorted(inputs.events, key=lambda event: event.date)
    shares = {share.id: share for share in inputs.shares}
    results = []
    for position, event in enumerate(events):
        until = events[position + 1].date if position + 1 < len(events) else None
        seen = [
            item
            for item in inputs.observations
            if item.event == event.id and item.date <= inputs.as_of and (until is None or item.date < until)
        ]
        found = tuple(
            _share_event(share, _own(seen, share), shares, seen)
            for share in shares.values()
            if any(item.share == share.id for item in seen)
        )
        results.append(_event_result(event, found))
    tested = [item for result in results for item in result.shares]
    significant = sum(item.is_significant for item in tested)
    bounds = sum(bool(item.bound) for item in tested)
    return AnnouncementResult(
        as_of=inputs.as_of,
        events=tuple(results),
        implied_values=_over_events(results),
        tests=len(tested),
        significant=significant,
        limit_closes=bounds,
        verdict=_verdict(inputs, tested, significant, bounds),
    )


def abnormal_return(share: ListedShare, seen: Observation) -> float:
    """Return what the day brought beyond the market model."""
    if seen.abnormal_return is not None:
        return seen.abnormal_return
    return (seen.share_return or 0.0) - share.alpha_per_day - share.beta * (seen.market_return or 0.0)


def _own(seen: Sequence[Observation], share: ListedShare) -> list[Observation]:
    return sorted((item for item in seen if item.share == share.id), key=lambda item: item.date)


def _share_event(
    share: ListedShare,
    own: Sequence[Observation],
    shares: Mapping[str, ListedShare],
    seen: Sequence[Observation],
) -> ShareEventResult:
    counted = list(_up_to_first_free_close(own))
    total = math.fsum(abnormal_return(share, item) for item in counted)
    error = math.sqrt(math.fsum(_standard_error(share, item) ** 2 for item in counted))
    freedom = share.estimation_days - 2
    t_statistic = total / error
    p_value = two_sided_p(t_statistic, freedom)
    reach = critical_t(freedom, SIGNIFICANCE) * error
    last_limit = counted[-1].limit
    bound = "" if last_limit is None else BOUNDS[last_limit]
    low, high = _interval(total, reach, bound)
    market_value = counted[0].previous_close * share.shares_outstanding * share.cny_per_currency
    twin = _twin(share, counted, total, shares, seen)
    return ShareEventResult(
        share=share.id,
        name=share.name,
        side=share.side,
        exchange=share.exchange,
        date=counted[0].date,
        last_date=counted[-1].date,
        days=len(counted),
        abnormal_return=total,
        standard_error=error,
        t_statistic=t_statistic,
        degrees_of_freedom=freedom,
        p_value=p_value,
        is_significant=p_value < SIGNIFICANCE,
        margin=reach,
        bound=bound,
        low=low,
        high=high,
        limit_days=tuple(item.date for item in counted if item.limit is not None),
        market_value_cny=market_value,
        implied_value_cny=total * market_value,
        implied_low_cny=None if low is None else low * market_value,
        implied_high_cny=None if high is None else high * market_value,
        twin=twin,
        twin_implied_value_cny=None if twin is None else twin.with_limit * market_value,
    )


def _twin(
    share: ListedShare,
    counted: Sequence[Observation],
    bound: float,
    shares: Mapping[str, ListedShare],
    seen: Sequence[Observation],
) -> TwinControl | None:
    """Return what the twin says where the last day counted closed at a limit and the twin was seen on the same days."""
    limit = counted[-1].limit
    if limit is None or share.twin is None or share.twin_model is None:
        return None
    days = {item.date for item in counted}
    other = [item for item in _own(seen, shares[share.twin]) if item.date in days]
    if len(other) < len(counted):
        return None
    return twin_control(
        share.twin_model,
        share=share.id,
        twin=share.twin,
        twin_abnormal_return=math.fsum(abnormal_return(shares[share.twin], item) for item in other),
        days=len(counted),
        bound=bound,
        limit=limit,
    )


def _up_to_first_free_close(seen: Sequence[Observation]) -> Iterable[Observation]:
    for item in seen:
        yield item
        if item.limit is None:
            return


def _standard_error(share: ListedShare, seen: Observation) -> float:
    if seen.market_return is None or share.market_mean is None or share.market_sd is None:
        return share.residual_sd
    return share.residual_sd * prediction_error_factor(
        share.estimation_days, seen.market_return, share.market_mean, share.market_sd
    )


def _interval(value: float, reach: float, bound: str) -> tuple[float | None, float | None]:
    low = None if bound in ("at most", OPEN) else value - reach
    high = None if bound in ("at least", OPEN) else value + reach
    return low, high


def _joined(bounds: Iterable[str]) -> str:
    named = {bound for bound in bounds if bound}
    if len(named) > 1:
        return OPEN
    return named.pop() if named else ""


def _event_result(event: NewsEvent, found: tuple[ShareEventResult, ...]) -> EventResult:
    terms = [_Term.of(event, item, item.bound) for item in found]
    return EventResult(
        id=event.id,
        name=event.name,
        date=event.date,
        evidence=event.evidence,
        is_about_partnership=event.is_about_partnership,
        shares=found,
        implied_values=_by_side(terms),
    )


@dataclass(frozen=True, slots=True)
class _Term:
    """What one class of share adds to its side on one event."""

    event: str
    share: str
    side: Side
    value_cny: float
    reach_cny: float
    bound: str
    market_value_cny: float

    @classmethod
    def of(cls, event: NewsEvent | EventResult, item: ShareEventResult, bound: str) -> _Term:
        reach = item.margin * item.market_value_cny
        return cls(event.id, item.share, item.side, item.implied_value_cny, reach, bound, item.market_value_cny)


def _over_events(results: Sequence[EventResult]) -> tuple[ImpliedValue, ...]:
    """Sum over the events about the partnership.

    What a limit held back on one event comes out on the day of the next, so that the sum of both is no bound any
    more, although neither of them can be told alone.
    """
    terms = []
    for position, result in enumerate(results):
        if not result.is_about_partnership:
            continue
        following = results[position + 1] if position + 1 < len(results) else None
        goes_on = {item.share for item in following.shares} if following and following.is_about_partnership else set()
        terms += [_Term.of(result, item, "" if item.share in goes_on else item.bound) for item in result.shares]
    return _by_side(terms)


def _by_side(terms: Sequence[_Term]) -> tuple[ImpliedValue, ...]:
    values = []
    for side in Side:
        own = [term for term in terms if term.side is side]
        if not own:
            continue
        events = tuple(dict.fromkeys(term.event for term in own))
        # Classes of one firm share a day's surprise: errors add. Days are independent: squares add.
        by_event = [math.fsum(term.reach_cny for term in own if term.event == event) for event in events]
        total = math.fsum(term.value_cny for term in own)
        bound = _joined(term.bound for term in own)
        low, high = _interval(total, math.hypot(*by_event), bound)
        first_values = {term.share: term.market_value_cny for term in reversed(own)}
        values.append(
            ImpliedValue(
                side=side,
                events=events,
                shares=tuple(dict.fromkeys(term.share for term in own)),
                implied_value_cny=total,
                low_cny=low,
                high_cny=high,
                bound=bound,
                market_value_cny=math.fsum(first_values.values()),
            )
        )
    return tuple(values)


def _verdict(inputs: AnnouncementInputs, tested: Sequence[ShareEventResult], significant: int, bounds: int) -> str:
    if not tested:
        return f"No share is known to have moved on an event up to {inputs.as_of.isoformat()}."
    what = "abnormal return" if len(tested) == 1 else "abnormal returns"
    if significant == 0:
        text = f"Nothing is significant at 5 % ({len(tested)} {what} tested)."
    else:
        text = f"{significant} of {len(tested)} {what} {'is' if significant == 1 else 'are'} significant at 5 %."
    if bounds:
        names = ", ".join(f"{item.name} on {item.last_date.isoformat()}" for item in tested if item.bound)
        text += f" Closed at the daily limit, so that only a bound is known: {names}."
    names_of = {share.id: share.name for share in inputs.shares}
    for item in tested:
        if item.twin is not None:
            twin = item.twin
            text += (
                f" By its twin without limit, {names_of[twin.twin]}, {item.name} would have moved"
                f" {100 * twin.abnormal_return:+.1f} % (s.e. {100 * twin.standard_error:.1f} %);"
                f" with the limit at which it closed taken in as a bound {100 * twin.with_limit:+.1f} %"
                f" (95 %: {100 * twin.with_limit_low:+.1f} to {100 * twin.with_limit_high:+.1f} %)."
            )
    shares = {item.share for item in tested}
    if len(shares) > 1:
        firms = len({item.side for item in tested})
        text += f" {len(shares)} shares of {firms} firm{'s' if firms > 1 else ''} are too few for tests across firms."
    return text
