"""Tooling owned by either side, repaid by the car and sold at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coachbuilder.deal.clauses.base import Clause, Context, Terms, Vector
from coachbuilder.programme.sections.deal import Payer, ToolingClause


@dataclass(frozen=True, slots=True)
class Tooling(Clause):
    """One of the investments is repaid by the car, and changes its owner at the end of the horizon.

    Who owns it until then is whoever pays for the investment. If that is the host, the brand pays it back over the
    first ``repaid_units`` cars. At the end the other side takes it over at ``residual_share`` of what it cost.

    Parameters
    ----------
    id
        Short name.
    amount_cny
        What the tooling cost.
    owned_by_brand
        True if the brand paid for it.
    repaid_units
        Cars over which the brand pays it back; infinite if it does not.
    residual_share
        Share of the amount for which the other side takes it over in the last month.
    """

    id: str
    amount_cny: float
    owned_by_brand: bool
    repaid_units: float
    residual_share: float
    kind: str = "tooling"

    @classmethod
    def of(cls, table: ToolingClause, terms: Terms) -> Tooling:
        """Take the clause from its table and the investment that it names."""
        item = next(item for item in terms.section.investment if item.id == table.investment)
        return cls(
            table.id,
            item.amount_cny.value,
            item.paid_by is Payer.BRAND,
            math.inf if table.repaid_units is None else table.repaid_units.value,
            table.residual_share.value,
        )

    def transfers(self, context: Context) -> Vector:
        """Return what is paid back by the car, and the price in the last month."""
        paid = np.zeros(context.sales_units.shape)
        if not self.owned_by_brand:
            repaid = np.minimum(np.cumsum(context.sales_units, axis=-1), self.repaid_units)
            repaid[..., 1:] -= repaid[..., :-1].copy()
            paid += self.amount_cny / self.repaid_units * repaid
        price = self.residual_share * self.amount_cny
        paid[..., -1:] += -price if self.owned_by_brand else price
        return paid
