"""Who loses buyers to the guest, and what answers to which price: the part of the report about the choice itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachbuilder.report import charts, wording
from coachbuilder.report.fragments import picture

if TYPE_CHECKING:
    from markupsafe import Markup

    from coachbuilder.market.demand.interface import DemandResult

OTHERS = "other electric cars"
OTHERS_IF_CLOSED = "all other cars of the segment"
NO_PLUG = "other cars without a plug"
COLORS = {"host": "host", "brand": "brand"}
MOST_NAMED = 12


def who_loses(demand: DemandResult) -> Markup:
    """Return where the guest's buyers come from in its peak year."""
    named = sorted(demand.rivals, key=lambda rival: -rival.diversion_share)[:MOST_NAMED]
    parts = [
        (f"{rival.name}{'' if rival.is_electric else ' (no plug)'}", rival.diversion_share, str(rival.owner))
        for rival in named
        if rival.diversion_share > 0
    ]
    is_open = demand.no_plug_diversion_share > 0
    parts.append((OTHERS if is_open else OTHERS_IF_CLOSED, demand.others_diversion_share, ""))
    if is_open:
        parts.append((NO_PLUG, demand.no_plug_diversion_share, ""))
    parts.sort(key=lambda part: -part[1])
    shown = [
        charts.Bar(label, 100 * share, wording.percent(share, 1), COLORS.get(owner, "k5"), label)
        for label, share, owner in parts
    ]
    return picture(
        "who-loses",
        f"What the guest's buyers of {demand.peak_year} would have bought without it",
        "; ".join(f"{bar.label}: {bar.text}" for bar in shown),
        lambda width: charts.bars(width, shown),
    )


def choice_facts(demand: DemandResult) -> list[tuple[str, str, str]]:
    """Return what rules the choice: name, figure, note."""
    peak = demand.years.index(demand.peak_year)
    is_open = demand.no_plug_diversion_share > 0
    nest = (
        "0 is the plain logit, near 1 buyers choose among electric cars alone"
        if is_open
        else "without effect: no cars outside the segment are told"
    )
    return [
        ("Nest parameter of electric cars", wording.fixed(demand.nest_parameter, 2), nest),
        (
            "Cars sold if its own price rises by 1 %",
            f"{wording.fixed(demand.price_elasticity[peak], 2)} %",
            f"in {demand.peak_year}",
        ),
        (
            "Cars sold if its own range rises by 1 %",
            f"{wording.fixed(demand.range_elasticity[peak], 2)} %",
            f"in {demand.peak_year}",
        ),
        ("Worth of one more kilometre", wording.money(demand.willingness_to_pay_cny_per_km), "at the guest's range"),
        (
            "Worth of the brand's name",
            wording.money(demand.brand_standing_cny),
            "by its share of the market it is from",
        ),
        (
            "Buyers from outside the segment",
            wording.whole(demand.conquest_units_per_year[peak]),
            f"guest cars in {demand.peak_year} that would have been cars without a plug",
        ),
    ]


def rival_rows(demand: DemandResult) -> list[list[str]]:
    """Return the cars told by name: price, what they lose, how they and the guest answer to each other's prices."""
    peak = demand.years.index(demand.peak_year)
    return [
        [
            rival.name,
            ("electric" if rival.is_electric else "no plug")
            + (f", from {rival.entry_year}" if rival.entry_year else ""),
            wording.whole(rival.price_cny[peak]),
            wording.whole(rival.units_per_year[peak]),
            wording.whole(rival.units_lost_per_year[peak]),
            wording.percent(rival.diversion_share, 1),
            wording.fixed(rival.elasticity_to_guest_price, 3),
            wording.fixed(rival.guest_elasticity_to_price, 3),
        ]
        for rival in demand.rivals
    ]


RIVAL_COLUMNS = (
    ("Car", ""),
    ("Kind", ""),
    ("Price with tax, CNY", "n"),
    ("Cars", "n"),
    ("Lost to the guest", "n"),
    ("Of the guest's buyers", "n"),
    ("Its elasticity to the guest's price", "n"),
    ("The guest's to its price", "n"),
)
"""Heading and kind of the columns of :func:`rival_rows`."""
