"""Fees or parts that follow the price of a metal or of batteries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coachbuilder.deal.clauses.base import Clause, Context, LooksAt, Terms, Vector
from coachbuilder.programme.sections.deal import IndexationClause, Payer


@dataclass(frozen=True, slots=True)
class Indexation(Clause):
    """A share of the fees, or of what some parts cost, follows an index outside a dead band.

    With the index ``i`` over its base ``b`` and the band ``d``, the move is ``i / b - 1`` less ``d`` above the band,
    plus ``d`` below it, and nil within. What is paid is ``indexed_share`` x move x (fees of the month, or cars x parts
    at the prices of the decision day). Above the base one side pays, below it the other. What suppliers charge is
    another matter: that changes by the rates of the unit cost.

    Parameters
    ----------
    id
        Short name.
    indexed_share
        Share that follows.
    base_value, band_share
        Index that the contract starts from, and the move on either side that changes nothing.
    years, index_values
        Index by calendar year, ascending; between them the earlier one holds, before the first the first.
    items
        Parts that follow, by name; the fees if empty.
    paid_by_brand
        True if it is the brand that pays when the index is above its base.
    """

    looks_at: ClassVar[LooksAt] = LooksAt.FEES

    id: str
    indexed_share: float
    base_value: float
    band_share: float
    years: tuple[int, ...]
    index_values: tuple[float, ...]
    items: tuple[str, ...] = ()
    paid_by_brand: bool = True
    kind: str = "indexation"

    @classmethod
    def of(cls, table: IndexationClause, terms: Terms) -> Indexation:
        """Take the clause from its table."""
        return cls(
            table.id,
            table.indexed_share.value,
            table.base_value.value,
            table.band_share.value,
            tuple(point.year for point in table.index),
            tuple(point.value.value for point in table.index),
            table.items,
            table.paid_by is Payer.BRAND,
        )

    def moves(self, context: Context) -> Vector:
        """Return the move of the index beyond the band by month, shape (..., months)."""
        year = context.first_year + context.year_index
        index: Vector = self.index_values[0] + np.zeros(year.size)
        for since, value in zip(self.years[1:], self.index_values[1:], strict=True):
            index = np.where(year >= since, value, index)
        move = index / self.base_value - 1
        beyond: Vector = np.sign(move) * np.maximum(np.abs(move) - self.band_share, 0.0)
        return beyond

    def transfers(self, context: Context) -> Vector:
        """Return the payments by month."""
        if self.items:
            basis = context.sales_units * sum(context.parts_cost_by_item_cny[name] for name in self.items)
        else:
            basis = np.zeros(context.sales_units.shape) if context.fees_cny is None else context.fees_cny
        paid: Vector = (1.0 if self.paid_by_brand else -1.0) * self.indexed_share * self.moves(context) * basis
        return paid
