"""A fee per car, by volume tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coachbuilder.deal.clauses.base import Clause, Context, Terms, Vector
from coachbuilder.programme.sections.deal import FeeClause


@dataclass(frozen=True, slots=True)
class FeePerCar(Clause):
    """A fee per car, by volume tier within a calendar year.

    Parameters
    ----------
    id
        Short name.
    from_units
        First car of the year of each tier, ascending from 0.
    fee_cny_per_car
        Fee of each tier.
    change_rate
        Yearly indexation.
    exchange_change_rate
        Yearly change of the exchange rate if the fee is agreed in another currency.
    """

    is_fee: ClassVar[bool] = True

    id: str
    from_units: tuple[float, ...]
    fee_cny_per_car: tuple[float, ...]
    change_rate: float
    kind: str = "fee per car"
    exchange_change_rate: float = 0.0

    @classmethod
    def of(cls, table: FeeClause, terms: Terms) -> FeePerCar:
        """Take the clause from its table."""
        return cls(
            table.id,
            tuple(float(tier.from_units) for tier in table.tier),
            tuple(terms.cny(tier, "fee_{}_per_car") for tier in table.tier),
            table.change_rate.value,
            exchange_change_rate=terms.exchange_change_rate(table.tier[0], "fee_{}_per_car"),
        )

    def transfers(self, context: Context) -> Vector:
        """Return the fees by month: the tiers' fees between the first and the last car of the month."""
        sold = context.sales_units
        after = np.cumsum(sold, axis=-1)
        sold_before_year = (after - sold)[..., context.first_months][..., context.year_index]
        within_year = after - sold_before_year
        fees: Vector = self._fees(within_year) - self._fees(within_year - sold)
        exchange = (1 + self.exchange_change_rate) ** context.years_from_now()
        return fees * (1 + self.change_rate) ** context.year_index * exchange

    def _fees(self, units: Vector) -> Vector:
        fees = np.zeros_like(units)
        ends = (*self.from_units[1:], np.inf)
        for start, end, fee in zip(self.from_units, ends, self.fee_cny_per_car, strict=True):
            fees += fee * np.minimum(np.maximum(units - start, 0.0), end - start)
        return fees
