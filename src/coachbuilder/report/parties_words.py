"""The standing of the parties in lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from coachbuilder.report import wording

if TYPE_CHECKING:
    from coachbuilder.market.parties import PartiesResult


def parties_lines(result: PartiesResult | None) -> Iterator[tuple[str, str]]:
    """Yield a label and a text for each line.

    Parameters
    ----------
    result
        The stage's answer; None for a programme without a parties section.
    """
    if result is None:
        yield "Lists", "the programme has no parties section"
        return
    for item in result.listings:
        now = "begins later" if item.status is None or item.since is None else (
            f"{item.status.value} since {wording.date(item.since)}"
        )  # fmt: skip
        yield item.party_name, f"{now}: {item.list_name}, {item.authority}"
        for past in item.intervals:
            end = "" if past.end is None else f" to {wording.date(past.end)}"
            yield "", f"{past.status.value} from {wording.date(past.start)}{end} ({past.evidence})"
        for investors in item.closed_investors:
            yield "  closed", investors
    if not result.listings:
        yield "Lists", f"no listing is known on {wording.date(result.as_of)}"
    for side in (result.brand, result.host):
        yield (
            f"Discount rate, {side.name}",
            f"{wording.percent(side.base_discount_rate, 2)}; {wording.percent(side.discount_rate_now, 2)} with its "
            f"listings on that day, {wording.percent(side.discount_rate, 2)} in the deal",
        )
    for supplier in result.closed_suppliers:
        what = f" ({supplier.supplies})" if supplier.supplies else ""
        yield "Closed supplier", f"{supplier.name}{what}: {supplier.why}"
