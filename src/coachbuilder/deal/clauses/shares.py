"""Shares or warrants of the brand for the host, vesting on milestones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coachbuilder.deal.clauses.base import MONTHS_PER_YEAR, Beside, Clause, Context, Terms, Vector
from coachbuilder.programme.sections.deal import MilestoneEvent, SharesClause

DAYS_PER_MONTH = 365.25 / MONTHS_PER_YEAR


@dataclass(frozen=True, slots=True)
class Milestone:
    """When a part of the shares vests.

    Parameters
    ----------
    event
        What is waited for.
    vested_share
        Share of all shares that vests then.
    at
        Months from month 0 for a date, months after the start of production, or cars built since it.
    """

    event: MilestoneEvent
    vested_share: float
    at: float


@dataclass(frozen=True, slots=True)
class SharesOnMilestones(Clause):
    """The host gets shares of the brand at a strike price, part by part.

    A part whose price is above the strike when it vests is taken at once: the strike is cash from host to brand. The
    difference is the host's gain outside cash and, by dilution, the loss of the brand's owners; of it ``counted_share``
    is taken off the brand's value. A part under water is worth nothing here: the time value of a warrant is left out.

    Parameters
    ----------
    id
        Short name.
    shares_count
        Shares, if all vest.
    price_cny, strike_cny
        Price of a share on the decision day, and what the host pays for one.
    price_change_rate
        Yearly change of the price, in its own currency.
    milestones
        When which part vests.
    counted_share
        Share of the value given that counts as the brand's cost.
    exchange_change_rate
        Yearly change of the exchange rate.
    """

    id: str
    shares_count: float
    price_cny: float
    strike_cny: float
    price_change_rate: float
    milestones: tuple[Milestone, ...]
    counted_share: float = 1.0
    exchange_change_rate: float = 0.0
    kind: str = "shares on milestones"

    @classmethod
    def of(cls, table: SharesClause, terms: Terms) -> SharesOnMilestones:
        """Take the clause from its table."""
        milestones, left = [], 1.0
        for part in table.milestone:
            if part.event is MilestoneEvent.DATE:
                assert part.date is not None
                at = (part.date - terms.as_of).days / DAYS_PER_MONTH - terms.months_to_month_0
            elif part.event is MilestoneEvent.START:
                assert part.months_after is not None
                at = part.months_after.value
            else:
                assert part.units is not None
                at = part.units.value
            # Parts drawn one by one could add up to more than there is.
            vested = min(part.vested_share.value, left)
            left -= vested
            milestones.append(Milestone(part.event, vested, at))
        return cls(
            table.id,
            table.shares_count.value,
            terms.cny(table, "price_{}"),
            terms.cny(table, "strike_{}"),
            table.price_change_rate.value,
            tuple(milestones),
            table.counted_share.value,
            terms.exchange_change_rate(table, "price_{}"),
        )

    def vested_shares(self, context: Context) -> Vector:
        """Return how many shares vest in each month."""
        vested: Vector = np.zeros_like(context.sales_units)
        for part in self.milestones:
            if part.event is MilestoneEvent.VOLUME:
                reached = np.cumsum(context.sales_units, axis=-1) >= part.at
                first = reached.copy()
                first[..., 1:] &= ~reached[..., :-1]
                vested += self.shares_count * part.vested_share * first
            else:
                at = part.at + (context.start_month if part.event is MilestoneEvent.START else 0.0)
                then = np.arange(vested.shape[-1]) == np.maximum(np.floor(at), 0.0)
                in_force = 1.0 if context.in_force is None else context.in_force
                vested += self.shares_count * part.vested_share * in_force * then
        return vested

    def transfers(self, context: Context) -> Vector:
        """Return the strike that the host pays, by month; negative, since it goes to the brand."""
        price, strike = self._prices(context)
        paid: Vector = -self.vested_shares(context) * strike * (price > strike)
        return paid

    def beside(self, context: Context) -> Beside:
        """Return what the shares are worth to the host above the strike, and what they cost the brand's owners."""
        price, strike = self._prices(context)
        value = self.vested_shares(context) * np.maximum(price - strike, 0.0)
        return Beside(brand_outside_cny=-self.counted_share * value, host_outside_cny=value)

    def _prices(self, context: Context) -> tuple[Vector, Vector]:
        exchange = (1 + self.exchange_change_rate) ** context.years_from_now()
        return (
            self.price_cny * (1 + self.price_change_rate) ** context.years_from_now() * exchange,
            self.strike_cny * exchange,
        )
