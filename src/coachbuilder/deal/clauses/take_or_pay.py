"""Payment for cars agreed and not taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coachbuilder.deal.clauses.base import Clause, Context, Terms, Vector
from coachbuilder.programme.sections.deal import FeeClause, TakeOrPayClause


@dataclass(frozen=True, slots=True)
class TakeOrPay(Clause):
    """The brand pays for cars that it agreed to take, that the host could have built, and that it did not take."""

    id: str
    floor_share: float
    cny_per_car: float
    from_year_of_production: int
    kind: str = "take or pay"

    @classmethod
    def of(cls, table: TakeOrPayClause, terms: Terms) -> TakeOrPay:
        """Take the clause from its table: what is paid is a share of the first tier's fee."""
        fee = next(
            (
                terms.cny(clause.tier[0], "fee_{}_per_car")
                for clause in terms.section.clause
                if isinstance(clause, FeeClause)
            ),
            0.0,
        )
        return cls(table.id, table.floor_share.value, table.paid_share.value * fee, table.from_year_of_production)

    def transfers(self, context: Context) -> Vector:
        """Return the payments, due in the last month of each calendar year of production."""
        first = context.start_month + 12 * (self.from_year_of_production - 1)
        ends = np.arange(1, context.sales_units.shape[-1] + 1)
        months_bound = np.minimum(np.maximum(ends - first, 0.0), 1.0)
        floor = self.floor_share * context.contracted_capacity_units_per_year / 12
        # The host is owed nothing for cars that it could not have built.
        untaken = months_bound * (np.minimum(floor, context.output_units) - context.sales_units)
        short = np.add.reduceat(untaken, context.first_months, axis=-1)
        payment = np.zeros(context.sales_units.shape)
        payment[..., context.last_months] = self.cny_per_car * np.maximum(0.0, short)
        return payment
