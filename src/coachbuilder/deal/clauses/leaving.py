"""What leaving the contract costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coachbuilder.deal.clauses.base import Clause, Context, Terms, Vector
from coachbuilder.programme.sections.deal import LeavingClause


@dataclass(frozen=True, slots=True)
class CostOfLeaving(Clause):
    """The brand may leave with notice against a sum and a share of what the host has not yet written off.

    As long as nobody leaves it moves nothing; ``deal.leaving`` works out what leaving costs, month by month.

    Parameters
    ----------
    id
        Short name.
    notice_months
        Months from notice to the end; the host stands ready and all other clauses hold on, without a car taken.
    sum_cny
        Paid at the end.
    repaid_share
        Share of the host's investments not yet depreciated at the end that the brand pays.
    exchange_change_rate
        Yearly change of the exchange rate if the sum is agreed in another currency.
    """

    id: str
    notice_months: int
    sum_cny: float
    repaid_share: float
    exchange_change_rate: float = 0.0
    kind: str = "cost of leaving"

    @classmethod
    def of(cls, table: LeavingClause, terms: Terms) -> CostOfLeaving:
        """Take the clause from its table."""
        return cls(
            table.id,
            table.notice_months,
            terms.cny(table, "sum_{}"),
            table.repaid_share.value,
            terms.exchange_change_rate(table, "sum_{}"),
        )

    def transfers(self, context: Context) -> Vector:
        """Return nothing: nobody leaves in the plan."""
        return np.zeros(context.sales_units.shape)
