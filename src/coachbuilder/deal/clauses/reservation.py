"""A fee for capacity held ready, deductible from the fees per car or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coachbuilder.deal.clauses.base import MONTHS_PER_YEAR, Clause, Context, LooksAt, Terms, Vector
from coachbuilder.programme.sections.deal import ReservationClause


@dataclass(frozen=True, slots=True)
class CapacityReservation(Clause):
    """The brand pays for every place reserved, and may take that off the fees of the cars it builds there.

    Paid by month from the start of production. The deduction runs with the cars of the calendar year: for each, up to
    the places paid so far, ``deductible_share`` of the reservation fee, and never more than the year's fees so far.
    What is not deducted by the end of a year is lost.

    Parameters
    ----------
    id
        Short name.
    fee_cny_per_car
        Fee for a place for one car.
    reserved_share
        Places over the contracted capacity.
    deductible_share
        Share of the fee that is taken off again for each car built: 1 deductible, 0 not.
    exchange_change_rate
        Yearly change of the exchange rate if the fee is agreed in another currency.
    """

    looks_at: ClassVar[LooksAt] = LooksAt.FEES

    id: str
    fee_cny_per_car: float
    reserved_share: float
    deductible_share: float
    exchange_change_rate: float = 0.0
    kind: str = "capacity reservation"

    @classmethod
    def of(cls, table: ReservationClause, terms: Terms) -> CapacityReservation:
        """Take the clause from its table."""
        return cls(
            table.id,
            terms.cny(table, "fee_{}_per_car"),
            table.reserved_share.value,
            table.deductible_share.value,
            terms.exchange_change_rate(table, "fee_{}_per_car"),
        )

    def transfers(self, context: Context) -> Vector:
        """Return the reservation fee less what is taken off, by month."""
        fee = self.fee_cny_per_car * (1 + self.exchange_change_rate) ** context.years_from_now()
        places = self.reserved_share * context.contracted_capacity_units_per_year / MONTHS_PER_YEAR
        paid = fee * places * context.in_production()
        paid = np.broadcast_to(paid, context.sales_units.shape)
        if context.fees_cny is None or not np.any(self.deductible_share):
            return paid.copy()
        cars = context.within_year(np.cumsum(context.sales_units, axis=-1))
        reserved = context.within_year(np.cumsum(places * context.in_production(), axis=-1))
        fees = context.within_year(np.cumsum(context.fees_cny, axis=-1))
        taken_off = np.minimum(self.deductible_share * fee * np.minimum(cars, reserved), fees)
        # A year's deductions begin again from nothing.
        before = np.concatenate([np.zeros((*taken_off.shape[:-1], 1)), taken_off[..., :-1]], axis=-1)
        before[..., context.first_months] = 0.0
        net: Vector = paid - (taken_off - before)
        return net
