"""What all contract clauses have in common.

A clause is one small type in a file of its own. It says what the brand pays the host by month and, if that is not all,
what it costs either side with third parties and what changes hands outside cash.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from coachbuilder.programme.sections.deal import DealSection, MoneySection

Vector = NDArray[np.float64]

MONTHS_PER_YEAR = 12


class LooksAt(IntEnum):
    """What a clause has to know of the others; they are worked out in this order."""

    PROGRAMME = 0
    """Nothing: cars, months and investments are enough."""
    FEES = 1
    """The fees per car."""
    RESULT = 2
    """What the host earns after all others."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a clause may look at; vectors have months as last axis, and all clauses keep the axes before it."""

    sales_units: Vector
    """Guest cars built and sold."""
    output_units: Vector
    """Guest cars that the plant could build."""
    year_index: NDArray[np.int64]
    """Calendar year of each month, from 0."""
    first_months: NDArray[np.int64]
    """First month of each calendar year."""
    last_months: NDArray[np.int64]
    """Last month of each calendar year."""
    start_month: float
    """Months from month 0 to the start of production."""
    contracted_capacity_units_per_year: float
    """Guest cars a year that the contract reserves."""
    host_depreciation_cny: Vector
    """Depreciation of the host's investments for the guest."""
    host_operating_result_cny: Vector
    """What the host earns on the guest before this clause: transfers so far less cost and depreciation."""
    fees_cny: Vector | None = None
    """Fees per car of all clauses; None until they are worked out."""
    first_year: int = 0
    """Calendar year of month 0."""
    parts_cost_by_item_cny: Mapping[str, float] = field(default_factory=dict)
    """Parts of a car by item, prices of the decision day."""
    in_force: Vector | None = None
    """Share of each month in which the contract is in force; None if that is all of them."""

    def in_production(self) -> Vector:
        """Return the share of each month after the start of production in which the contract is in force."""
        ends = np.arange(1, self.sales_units.shape[-1] + 1)
        share: Vector = np.minimum(np.maximum(ends - self.start_month, 0.0), 1.0)
        return share if self.in_force is None else share * self.in_force

    def years_from_now(self) -> Vector:
        """Return years from month 0 to the middle of each month, shape (months,)."""
        years: Vector = (np.arange(self.sales_units.shape[-1]) + 0.5) / MONTHS_PER_YEAR
        return years

    def within_year(self, running: Vector) -> Vector:
        """Return a running sum by month as it runs from the first month of each calendar year."""
        before = np.concatenate([np.zeros((*running.shape[:-1], 1)), running[..., :-1]], axis=-1)
        since: Vector = running - before[..., self.first_months][..., self.year_index]
        return since


@dataclass(frozen=True, slots=True)
class Beside:
    """What a clause does beside moving cash between the two sides; shape (..., months) each, None for nothing."""

    brand_cost_cny: Vector | None = None
    """What the brand spends with third parties to do its part."""
    host_cost_cny: Vector | None = None
    """What the host spends with third parties to do its part."""
    brand_outside_cny: Vector | None = None
    """What the brand gains outside cash; a cost is negative."""
    host_outside_cny: Vector | None = None
    """What the host gains outside cash."""


class Clause(ABC):
    """One clause of the contract."""

    __slots__ = ()

    looks_at: ClassVar[LooksAt] = LooksAt.PROGRAMME
    """What it has to know of the other clauses."""
    is_fee: ClassVar[bool] = False
    """True if what it moves counts as fee per car for other clauses."""

    id: str
    """Short name."""
    kind: str
    """Kind of clause."""

    @abstractmethod
    def transfers(self, context: Context) -> Vector:
        """Return the payment by month, CNY; positive from brand to host."""

    def beside(self, context: Context) -> Beside | None:
        """Return what the clause does beside; None for nothing, as with most."""
        return None


@dataclass(frozen=True, slots=True)
class Terms:
    """What turns a table of the programme into a clause: exchange rates and the deal around it.

    Parameters
    ----------
    section
        The deal section.
    as_of
        The decision day.
    months_to_month_0
        Months from the decision day to month 0.
    """

    section: DealSection
    as_of: dt.date
    months_to_month_0: float

    def cny(self, table: MoneySection, name: str) -> float:
        """Return an amount of a table in CNY at the exchange rate of the decision day.

        Parameters
        ----------
        table
            The clause's table.
        name
            The field's name with ``{}`` where the currency stands.
        """
        currency, amount = table.amount(name)
        return amount.value * self._rate(currency)

    def exchange_change_rate(self, table: MoneySection, name: str) -> float:
        """Return the yearly change of what a unit of the amount's currency costs in CNY."""
        currency, _ = table.amount(name)
        changes = {"usd": self.section.cny_per_usd_change_rate, "hkd": self.section.cny_per_hkd_change_rate}
        change = changes.get(currency)
        return 0.0 if change is None else change.value

    def _rate(self, currency: str) -> float:
        rates = {"usd": self.section.cny_per_usd, "hkd": self.section.cny_per_hkd}
        rate = rates.get(currency)
        return 1.0 if rate is None else rate.value
