"""The contract in the report: each clause for both sides, what leaving costs, what finance asks first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from coachbuilder.report import charts, wording
from coachbuilder.report.charts import Series
from coachbuilder.report.fragments import picture

if TYPE_CHECKING:
    from markupsafe import Markup

    from coachbuilder.deal.interface import DealResult

MILLION = 1e6


def _millions(values: Iterable[float]) -> list[str]:
    return [wording.whole(float(value) / MILLION) for value in values]


def clause_rows(deal: DealResult, brand: str, host: str) -> list[list[str]]:
    """Return every clause by year, CNY m: what the brand pays the host, and further lines for what is not paid.

    Where a clause costs a side something of its own, or brings it something outside cash, the sides have lines of
    their own. The values stand in the first line of a clause and are those of all its lines.
    """
    kinds = [clause.kind for clause in deal.clauses]
    rows = []
    for clause in deal.clauses:
        name = clause.kind[:1].upper() + clause.kind[1:]
        if kinds.count(clause.kind) > 1:
            name += f" ({clause.id})"
        if (clause.brand_cny_by_year == -clause.host_cny_by_year).all():
            lines = [(name, clause.host_cny_by_year)]
        else:
            lines = [(f"{name}: {brand}", clause.brand_cny_by_year), (f"{name}: {host}", clause.host_cny_by_year)]
        for side, outside in ((brand, clause.brand_outside_cny_by_year), (host, clause.host_outside_cny_by_year)):
            if outside.any():
                lines.append((f"{name}: {side}, outside cash", outside))
        values = [wording.whole(value / MILLION) for value in (clause.brand_value_cny, clause.host_value_cny)]
        rows += [[line, *_millions(cash), *("", "")] for line, cash in lines]
        rows[-len(lines)][-2:] = values
    return rows


def finance_rows(deal: DealResult, brand: str, host: str) -> list[list[str]]:
    """Return payback, peak and modified rate of both sides."""
    rows = []
    for name, party in ((brand, deal.brand), (host, deal.host), ("Both", deal.joint)):
        payback = "never" if party.payback_month is None else f"month {party.payback_month}"
        peak = "none" if party.peak_cash_month is None else f"month {party.peak_cash_month}"
        note = party.mirr_note.replace("no rate of return", "no internal rate of return")
        modified = wording.percent(party.mirr_share, 1) + (f" ({note})" if note else "")
        rows.append([name, payback, peak, modified, wording.money(party.outside_cash_npv_cny)])
    return rows


def absorption_rows(deal: DealResult) -> list[list[str]]:
    """Return what the guest does to the host's fixed cost a car, by year."""
    found = deal.absorption
    if found is None:
        return []
    columns = (
        found.resident_units_before,
        found.resident_units_after,
        found.before_cny_per_car,
        found.all_cars_cny_per_car,
        found.left_to_residents_cny_per_car,
    )
    return [
        [str(year), *(wording.whole(float(column[at])) for column in columns)] for at, year in enumerate(deal.years)
    ]


def leaving_rows(deal: DealResult) -> list[list[str]]:
    """Return what leaving costs, a line for every twelfth month and the last; CNY m."""
    found = deal.leaving
    if found is None:
        return []
    columns = (
        found.sum_cny,
        found.undepreciated_cny,
        found.notice_cny,
        found.owed_cny,
        found.brand_write_off_cny,
        found.host_write_off_cny,
        found.continuing_value_cny,
        found.option_value_cny,
    )
    months = range(11, len(found.owed_cny), 12)
    return [[str(month + 1), *_millions([float(column[month]) for column in columns])] for month in months]


def leaving(deal: DealResult) -> Markup:
    """Return what leaving costs by month of notice, beside what going on is worth."""
    found = deal.leaving
    assert found is not None
    months = [float(month) for month in range(1, len(found.owed_cny) + 1)]
    shown = (
        ("owed", found.owed_value_cny, "brand"),
        ("worth of going on", found.continuing_value_cny, "good"),
        ("worth of the right to leave", found.option_value_cny, "host"),
    )
    divisor, scale = wording.money_scale(*(float(value) for _, values, _ in shown for value in values))
    series = [
        Series(label, [float(value) / divisor for value in values], color, months) for label, values, color in shown
    ]
    return picture(
        "leaving",
        "What leaving the contract costs, by month of notice",
        f"At most {wording.money(float(found.owed_value_cny.max()))} in values of the decision day.",
        lambda width: charts.lines(
            width, series, y_title=f"CNY {scale}, value today", x_title="month of notice", whole_x=True
        ),
    )
