"""What the standing of the parties does to the programme: cost of capital, closed investors and suppliers."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from coachbuilder.market.parties.interface import (
    ClosedSupplier,
    Listing,
    ListingStanding,
    PartiesInputs,
    PartiesResult,
    SideStanding,
    Supplier,
)
from coachbuilder.market.parties.status import check, gravest, interval_on, intervals_of
from coachbuilder.programme.errors import InputError
from coachbuilder.programme.sections.parties import ListStatus

if TYPE_CHECKING:
    from coachbuilder.programme import Programme
    from coachbuilder.programme.assumption import Assumption

DAYS_PER_MONTH = 365.25 / 12


def parties_inputs_from(programme: Programme, *, known: PartiesResult | None = None) -> PartiesInputs | None:
    """Return what the stage takes; None for a programme without a parties section.

    Parameters
    ----------
    programme
        The programme. Entries whose evidence is dated after its ``as_of`` are left out.
    known
        The result for the same programme at other values: what happened when is taken from there.

    Raises
    ------
    InputError
        With all that :func:`coachbuilder.market.parties.status.check` finds.
    """
    document = programme.document
    section = document.parties
    if section is None:
        return None
    if known is None:
        problems = check(section, document.evidence)
        if problems:
            raise InputError(problems)
        history = {item.id: intervals_of(item.entry, document.evidence, programme.as_of) for item in section.listing}
    else:
        history = {item.id: item.intervals for item in known.listings}
    listings = []
    for item in section.listing:
        intervals = history.get(item.id)
        if not intervals:
            continue
        listings.append(
            Listing(
                id=item.id,
                party=item.party,
                list_name=item.list_name,
                authority=item.authority,
                intervals=intervals,
                closes_investors=item.closes_investors,
                closes_suppliers=item.closes_suppliers,
                surcharge_rate=_value(item.cost_of_capital_surcharge_rate),
                enjoined_share=_value(item.enjoined_share),
                expected_months=_value(item.expected_months),
            )
        )
    return PartiesInputs(
        as_of=programme.as_of,
        horizon_months=12.0 * document.programme.horizon_years,
        brand_name=document.brand.name,
        host_name=document.host.name,
        brand_discount_rate=document.brand.discount_rate.value,
        host_discount_rate=document.host.discount_rate.value,
        suppliers=tuple(Supplier(item.id, item.name, item.supplies) for item in section.supplier),
        listings=tuple(listings),
    )


def _value(assumption: Assumption | None) -> float:
    return 0.0 if assumption is None else assumption.value


def evaluate_parties(inputs: PartiesInputs) -> PartiesResult:
    r"""Return how the parties stand on the plan's day, and what that does.

    While a party is listed its surcharge is added to its discount rate; while the listing is enjoined or a settlement
    is filed, a share of it. That goes on for ``expected_months`` after the plan's day, or to an end that is known
    already. The deal reckons with one rate a side. It gets the one at which an even cash flow over the horizon is
    worth as much as under the rate that changes, to first order in the surcharges:

    .. math:: r' = r + \sum_i s_i \int_0^{\min(E_i, H)} a_i(t) G(t) \, dt \Big/ \int_0^H G(t) \, dt, \qquad
        G(t) = \int_t^H (1 + r)^{-u} \, du

    with H the horizon, s the surcharge of listing i, E how long it is expected to go on and a the share in force: each
    month counts by the present value of what flows after it. (From the first-order change of an annuity's value by its
    rate in each month.) Money that flows earlier than evenly is discounted a little too much, later money too little.

    Investors and suppliers are closed while the party is listed; a court that stops the listing opens them again. A
    supplier that is listed itself is closed too.

    Parameters
    ----------
    inputs
        From :func:`parties_inputs_from`.
    """
    names = {"brand": inputs.brand_name, "host": inputs.host_name} | {item.id: item.name for item in inputs.suppliers}
    standings = tuple(_standing(item, names[item.party], inputs) for item in inputs.listings)
    return PartiesResult(
        as_of=inputs.as_of,
        horizon_months=inputs.horizon_months,
        brand=_side("brand", inputs.brand_name, inputs.brand_discount_rate, standings),
        host=_side("host", inputs.host_name, inputs.host_discount_rate, standings),
        listings=standings,
        closed_suppliers=tuple(
            ClosedSupplier(supplier.id, supplier.name, supplier.supplies, why)
            for supplier in inputs.suppliers
            for why in _closed_by(supplier.id, standings)[:1]
        ),
    )


def time_weight(month: float, horizon_months: float, discount_rate: float) -> float:
    r"""Return the weight of the time from the plan's day to a month in a flat rate for an even cash flow.

    The quotient of :func:`evaluate_parties` with a share of 1 up to that month, in closed form.

    Parameters
    ----------
    month
        From 0 to the horizon.
    horizon_months
        Months of cash flow.
    discount_rate
        Yearly, fraction, above 0.

    Examples
    --------
    >>> round(time_weight(12, 120, 0.11), 3), time_weight(120, 120, 0.11)
    (0.222, 1.0)
    """
    force = math.log1p(discount_rate) / 12

    def weighed(to_month: float) -> float:
        return -math.expm1(-force * to_month) / force - to_month * math.exp(-force * horizon_months)

    return weighed(month) / weighed(horizon_months)


def _standing(listing: Listing, name: str, inputs: PartiesInputs) -> ListingStanding:
    now = interval_on(listing.intervals, inputs.as_of)
    listed = now is not None and now.status is ListStatus.LISTED
    share = 0.0 if now is None else _effect_share(listing, now.status)
    last = min(listing.expected_months, inputs.horizon_months)
    rate = inputs.host_discount_rate if listing.party == "host" else inputs.brand_discount_rate
    weight = 0.0
    for item in listing.intervals:
        start = max(0.0, _months(inputs.as_of, item.start))
        end = min(_months(inputs.as_of, item.end), last)
        if end > start:
            past = (time_weight(month, inputs.horizon_months, rate) for month in (end, start))
            weight += _effect_share(listing, item.status) * (next(past) - next(past))
    return ListingStanding(
        id=listing.id,
        party=listing.party,
        party_name=name,
        list_name=listing.list_name,
        authority=listing.authority,
        status=None if now is None else now.status,
        since=None if now is None else now.start,
        intervals=listing.intervals,
        effect_share=share,
        surcharge_now_rate=listing.surcharge_rate * share,
        surcharge_rate=listing.surcharge_rate * weight,
        closed_investors=listing.closes_investors if listed else (),
        closed_suppliers=listing.closes_suppliers if listed else (),
    )


def _effect_share(listing: Listing, status: ListStatus) -> float:
    if status is ListStatus.LISTED:
        return 1.0
    return 0.0 if status is ListStatus.REMOVED else listing.enjoined_share


def _months(as_of: dt.date, day: dt.date | None) -> float:
    return math.inf if day is None else (day - as_of).days / DAYS_PER_MONTH


def _side(party: str, name: str, rate: float, standings: tuple[ListingStanding, ...]) -> SideStanding:
    own = [item for item in standings if item.party == party]
    return SideStanding(
        name=name,
        status=gravest([item.status for item in own if item.status is not None]),
        base_discount_rate=rate,
        discount_rate_now=rate + sum(item.surcharge_now_rate for item in own),
        discount_rate=rate + sum(item.surcharge_rate for item in own),
    )


def _closed_by(supplier: str, standings: tuple[ListingStanding, ...]) -> list[str]:
    return [
        f"{item.list_name} ({item.authority}) names {item.party_name}"
        for item in standings
        if supplier in item.closed_suppliers or (item.party == supplier and item.status is ListStatus.LISTED)
    ]
