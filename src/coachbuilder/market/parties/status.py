"""The status of a party on a list as dated intervals: made from entries, checked, asked for any day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from coachbuilder.market.parties.interface import StatusInterval
from coachbuilder.programme.errors import Problem, closest
from coachbuilder.programme.sections.parties import ListStatus

if TYPE_CHECKING:
    from coachbuilder.programme.evidence import Evidence
    from coachbuilder.programme.sections.parties import ListEntrySection, ListingSection, PartiesSection

FILE = "programme.toml"
SIDES = ("brand", "host")

FOLLOWS: Mapping[ListStatus | None, frozenset[ListStatus]] = {
    None: frozenset({ListStatus.LISTED}),
    ListStatus.LISTED: frozenset({ListStatus.ENJOINED, ListStatus.SETTLEMENT_FILED, ListStatus.REMOVED}),
    ListStatus.ENJOINED: frozenset({ListStatus.LISTED, ListStatus.SETTLEMENT_FILED, ListStatus.REMOVED}),
    ListStatus.SETTLEMENT_FILED: frozenset({ListStatus.LISTED, ListStatus.ENJOINED, ListStatus.REMOVED}),
    ListStatus.REMOVED: frozenset({ListStatus.LISTED}),
}
"""What may come after what; nothing comes before a first listing."""

_GRAVITY = (ListStatus.REMOVED, ListStatus.SETTLEMENT_FILED, ListStatus.ENJOINED, ListStatus.LISTED)


def intervals_of(
    entries: Sequence[ListEntrySection], register: Mapping[str, Evidence], as_of: dt.date
) -> tuple[StatusInterval, ...]:
    """Return the history that is known on a day, in the order of time.

    An entry is known from the date of its evidence on, which may lie before the day on which it takes effect. After a
    set end the party is off the list. What was not yet known leaves no trace: the status before it is then without end.

    Parameters
    ----------
    entries
        Entries of one listing, checked with :func:`check`.
    register
        All entries of the evidence register.
    as_of
        The day from which it is looked at.
    """
    known = sorted((item for item in entries if register[item.evidence].date <= as_of), key=lambda item: item.date)
    found: list[StatusInterval] = []
    for item, following in zip(known, [*known[1:], None], strict=True):
        next_day = None if following is None else following.date
        end = next_day if item.until is None else item.until
        found.append(StatusInterval(item.status, item.date, end, item.evidence))
        if item.until is not None and item.until != next_day:
            found.append(StatusInterval(ListStatus.REMOVED, item.until, next_day, item.evidence))
    return tuple(found)


def interval_on(intervals: Sequence[StatusInterval], day: dt.date) -> StatusInterval | None:
    """Return the interval that holds on a day; None before the first.

    Examples
    --------
    >>> listed = StatusInterval(ListStatus.LISTED, dt.date(2021, 1, 14), dt.date(2021, 3, 12), "order")
    >>> interval_on([listed], dt.date(2021, 3, 11)).status.value, interval_on([listed], dt.date(2021, 3, 12))
    ('listed', None)
    """
    return next((item for item in intervals if item.holds_on(day)), None)


def gravest(statuses: Sequence[ListStatus]) -> ListStatus | None:
    """Return the gravest of several statuses; None of none."""
    return max(statuses, key=_GRAVITY.index, default=None)


def check(section: PartiesSection, register: Mapping[str, Evidence]) -> list[Problem]:
    """Return what the schema cannot see: unknown names, overlaps, contradictions, numbers without their companions.

    Parameters
    ----------
    section
        The parties section, entries that ``as_of`` cannot see included.
    register
        All entries of the evidence register.
    """
    suppliers = [item.id for item in section.supplier]
    problems = [
        Problem(FILE, f"parties.supplier.{name}.id", name, "another name: it stands for a side")
        for name in suppliers
        if name in SIDES
    ]
    first: dict[tuple[str, str], str] = {}
    for listing in section.listing:
        field = f"parties.listing.{listing.id}"
        if listing.party not in (*SIDES, *suppliers):
            allowed = ", ".join((*SIDES, *suppliers))
            hint = closest(listing.party, (*SIDES, *suppliers))
            problems.append(Problem(FILE, f"{field}.party", listing.party, f"one of {allowed}", hint=hint))
        key = (listing.party, listing.list_name.casefold())
        if key in first:
            expected = f"each list once for a party; {first[key]} has it"
            hint = "give one listing all its entries"
            problems.append(Problem(FILE, f"{field}.list_name", listing.list_name, expected, hint=hint))
        first.setdefault(key, listing.id)
        problems += [
            Problem(FILE, f"{field}.closes_suppliers", name, "the id of a supplier", hint=closest(name, suppliers))
            for name in listing.closes_suppliers
            if name not in suppliers
        ]
        problems += _numbers(listing, field)
        problems += _history(listing, field, register)
    return problems


def _numbers(listing: ListingSection, field: str) -> Iterator[Problem]:
    surcharge = listing.cost_of_capital_surcharge_rate
    if surcharge is not None and listing.party not in SIDES:
        expected = "nothing: the programme discounts with the rates of brand and host alone"
        yield Problem(FILE, f"{field}.cost_of_capital_surcharge_rate", "a number for a supplier", expected)
    stopped = {ListStatus.ENJOINED, ListStatus.SETTLEMENT_FILED} & {item.status for item in listing.entry}
    for name, needed in (("expected_months", True), ("enjoined_share", bool(stopped))):
        given = getattr(listing, name) is not None
        if given and surcharge is None:
            expected = "nothing without cost_of_capital_surcharge_rate"
            yield Problem(FILE, f"{field}.{name}", "a number", expected)
        elif surcharge is not None and needed and not given:
            yield Problem(FILE, f"{field}.{name}", "nothing", "a number beside cost_of_capital_surcharge_rate")
        elif surcharge is not None and given and not needed:
            expected = "nothing: the listing was never enjoined and no settlement is filed"
            yield Problem(FILE, f"{field}.{name}", "a number", expected)


def _history(listing: ListingSection, field: str, register: Mapping[str, Evidence]) -> Iterator[Problem]:
    for item in listing.entry:
        named = f"{field}.entry, {item.status.value} of {item.date}"
        if item.evidence not in register:
            expected = "the name of an entry in the evidence register"
            yield Problem(FILE, f"{named}: evidence", item.evidence, expected, hint=closest(item.evidence, register))
        if item.until is not None and item.until <= item.date:
            yield Problem(FILE, f"{named}: until", item.until.isoformat(), f"a day after {item.date}")
    ordered = sorted(listing.entry, key=lambda item: item.date)
    if ordered[0].status is not ListStatus.LISTED:
        found = f"{ordered[0].status.value} of {ordered[0].date}"
        yield Problem(FILE, f"{field}.entry", found, "listed as the first status: what was never listed cannot be so")
    for before, after in pairwise(ordered):
        pair = f"{before.status.value} of {before.date} and {after.status.value} of {after.date}"
        if before.date == after.date:
            yield Problem(FILE, f"{field}.entry", pair, "one status on a day: these contradict each other")
            continue
        if before.until is not None and before.until > after.date:
            expected = f"intervals that do not overlap: the first is said to last until {before.until}"
            yield Problem(FILE, f"{field}.entry", pair, expected)
        status = before.status
        if before.until is not None and before.until < after.date:
            status = ListStatus.REMOVED
        if after.status not in FOLLOWS[status]:
            allowed = " or ".join(sorted(item.value for item in FOLLOWS[status]))
            yield Problem(FILE, f"{field}.entry", pair, f"{allowed} after {status.value}: these contradict each other")
        dates = [register[item.evidence].date for item in (before, after) if item.evidence in register]
        if len(dates) == 2 and dates[0] > dates[1]:
            expected = "evidence in the order of the entries: the later status was known before the earlier one"
            yield Problem(FILE, f"{field}.entry", pair, expected)
