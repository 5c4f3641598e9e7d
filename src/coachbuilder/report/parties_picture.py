"""The standing of the parties over time as a picture."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from coachbuilder.programme.sections.parties import ListStatus
from coachbuilder.report import charts, wording
from coachbuilder.report.svg import SMALL_FONT_SIZE, Drawing, scale, shortened, text_width, thinned

if TYPE_CHECKING:
    from markupsafe import Markup

    from coachbuilder.market.parties import PartiesResult

_COLORS = {
    ListStatus.LISTED: "bad",
    ListStatus.ENJOINED: "k3",
    ListStatus.SETTLEMENT_FILED: "k1",
    ListStatus.REMOVED: "good",
}
_STEPS_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_MARGIN_DAYS = 10
_ROW = 46.0


def status_timeline(parties: PartiesResult) -> Markup:
    """Return where each party stood on each list, from its first day to the plan's, and what is known of later days.

    Parameters
    ----------
    parties
        The stage's answer, with at least one listing.
    """
    from coachbuilder.report.fragments import picture

    intervals = [item for listing in parties.listings for item in listing.intervals]
    first = min(item.start for item in intervals)
    known = [day for item in intervals for day in (item.start, item.end) if day is not None]
    last = max(parties.as_of, *known) + dt.timedelta(days=_MARGIN_DAYS)
    told = "; ".join(
        f"{listing.party_name}, {listing.list_name}: "
        + ", ".join(f"{item.status.value} from {wording.date(item.start)}" for item in listing.intervals)
        for listing in parties.listings
    )
    return picture(
        "status-timeline",
        "Standing on lists of authorities over time",
        told,
        lambda width: _drawn(parties, first, last, width),
    )


def _drawn(parties: PartiesResult, first: dt.date, last: dt.date, width: float) -> Drawing:
    used = {item.status for listing in parties.listings for item in listing.intervals}
    entries = [(status.value, f"f-{_COLORS[status]}") for status in ListStatus if status in used]
    above = charts.legend(Drawing(width, 0), entries, 6, 0, width - 6) + 6
    bottom = above + _ROW * len(parties.listings)
    drawing = Drawing(width, bottom + 26)
    charts.legend(drawing, entries, 6, 0, width - 6)
    place = scale(first.toordinal(), last.toordinal(), 6, width - 6)
    marks = _marks(first, last, width)
    texts = [wording.short_date(day) for day in marks]
    days = [float(day.toordinal()) for day in marks]
    shown = thinned(days, texts, place, SMALL_FONT_SIZE)
    for index, day in enumerate(days):
        drawing.line(place(day), above, place(day), bottom, "grid")
        if index in shown:
            half = text_width(texts[index], SMALL_FONT_SIZE) / 2
            drawing.text(min(max(place(day), half), width - half), bottom + 16, texts[index], "ts num", "middle")
    for row, listing in enumerate(parties.listings):
        top = above + _ROW * row
        label = f"{listing.party_name}: {listing.list_name}"
        drawing.text(6, top + 16, shortened(label, width - 12), "t halo")
        for item in listing.intervals:
            end = parties.as_of if item.end is None else item.end
            start_x, end_x = place(item.start.toordinal()), place(max(end, item.start).toordinal())
            title = f"{item.status.value} from {wording.date(item.start)}"
            title += "" if item.end is None else f" to {wording.date(item.end)}"
            drawing.rect(start_x, top + 24, max(end_x - start_x, 3), 14, f"f-{_COLORS[item.status]}", title)
    today = place(parties.as_of.toordinal())
    drawing.line(today, above, today, bottom, "l-ink")
    return drawing


def _marks(first: dt.date, last: dt.date, width: float) -> list[dt.date]:
    """Return firsts of months, so many as there is room for."""
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    room = max(2, int(width / 110))
    step = next((step for step in _STEPS_MONTHS if months / step <= room), _STEPS_MONTHS[-1])
    start = first.year * 12 + first.month
    start += -start % step
    days = [dt.date(number // 12, number % 12 + 1, 1) for number in range(start, last.year * 12 + last.month, step)]
    return [day for day in days if first <= day <= last] or [first]
