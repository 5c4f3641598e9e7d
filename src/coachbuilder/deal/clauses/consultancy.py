"""Engineering that one side does for the other during development."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coachbuilder.deal.clauses.base import Beside, Clause, Context, Terms, Vector
from coachbuilder.programme.sections.deal import ConsultancyClause


@dataclass(frozen=True, slots=True)
class EngineeringConsultancy(Clause):
    """The host's engineers work on the brand's car: a fixed sum, days at a rate, and what they cost the host.

    Parameters
    ----------
    id
        Short name.
    fixed_sum_cny
        Paid in even parts.
    engineer_days
        Days worked.
    day_rate_cny
        Paid for each.
    cost_share
        What the work costs the host, over what it is paid.
    starts_months_before, spread_months
        First month, counted back from the start of production, and months over which it is spread evenly.
    exchange_change_rate
        Yearly change of the exchange rate if it is agreed in another currency.
    """

    id: str
    fixed_sum_cny: float
    engineer_days: float
    day_rate_cny: float
    cost_share: float
    starts_months_before: int
    spread_months: int
    exchange_change_rate: float = 0.0
    kind: str = "engineering consultancy"

    @classmethod
    def of(cls, table: ConsultancyClause, terms: Terms) -> EngineeringConsultancy:
        """Take the clause from its table."""
        return cls(
            table.id,
            terms.cny(table, "fixed_sum_{}"),
            table.engineer_days.value,
            terms.cny(table, "day_rate_{}"),
            table.cost_share.value,
            table.starts_months_before,
            table.spread_months,
            terms.exchange_change_rate(table, "fixed_sum_{}"),
        )

    def transfers(self, context: Context) -> Vector:
        """Return the payments by month; what would lie before month 0 is paid in month 0."""
        ends = np.arange(1.0, context.sales_units.shape[-1] + 1)
        first = context.start_month - self.starts_months_before
        done = np.minimum(np.maximum((ends - first) / self.spread_months, 0.0), 1.0)
        done[..., 1:] -= done[..., :-1].copy()
        amount = self.fixed_sum_cny + self.engineer_days * self.day_rate_cny
        paid = amount * done * (1 + self.exchange_change_rate) ** context.years_from_now()
        if context.in_force is not None:
            paid = paid * context.in_force
        return np.broadcast_to(paid, context.sales_units.shape).copy()

    def beside(self, context: Context) -> Beside:
        """Return what the work costs the host."""
        return Beside(host_cost_cny=self.cost_share * self.transfers(context))
