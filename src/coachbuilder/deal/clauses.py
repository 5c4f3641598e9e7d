"""Contract clauses: each is one small type that says what the brand pays the host by month.

A new clause is a new class with a ``kind``, an ``id`` and ``transfers``; clauses add up, and those that depend on what
the host loses look at what the clauses before them already pay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


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


class Clause(Protocol):
    """What the brand pays the host under one clause."""

    @property
    def id(self) -> str:
        """Short name."""

    @property
    def kind(self) -> str:
        """Kind of clause."""

    def transfers(self, context: Context) -> Vector:
        """Return the payment by month, CNY; positive from brand to host."""


@dataclass(frozen=True, slots=True)
class FeePerCar:
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
    """

    id: str
    from_units: tuple[float, ...]
    fee_cny_per_car: tuple[float, ...]
    change_rate: float
    kind: str = "fee per car"

    def transfers(self, context: Context) -> Vector:
        """Return the fees by month: the tiers' fees between the first and the last car of the month."""
        sold = context.sales_units
        after = np.cumsum(sold, axis=-1)
        sold_before_year = (after - sold)[..., context.first_months][..., context.year_index]
        within_year = after - sold_before_year
        fees: Vector = self._fees(within_year) - self._fees(within_year - sold)
        return fees * (1 + self.change_rate) ** context.year_index

    def _fees(self, units: Vector) -> Vector:
        fees = np.zeros_like(units)
        ends = (*self.from_units[1:], np.inf)
        for start, end, fee in zip(self.from_units, ends, self.fee_cny_per_car, strict=True):
            fees += fee * np.minimum(np.maximum(units - start, 0.0), end - start)
        return fees


@dataclass(frozen=True, slots=True)
class DepreciationPassedThrough:
    """The brand pays a share of the depreciation of what the host invested for the guest."""

    id: str
    passed_share: float
    kind: str = "depreciation passed through"

    def transfers(self, context: Context) -> Vector:
        """Return the share of the host's depreciation by month."""
        return self.passed_share * context.host_depreciation_cny


@dataclass(frozen=True, slots=True)
class LossesRepaid:
    """The brand repays the host's operating losses on the guest, for a time and up to a cap.

    What counts is the loss of a calendar year after all that the other clauses pay for it; of the year in which the
    window ends it is the share that lies within.

    Parameters
    ----------
    id
        Short name.
    window_months
        Months from the start of production.
    repaid_share
        Share of the loss that is repaid.
    cap_cny
        All repayments together stop here.
    """

    id: str
    window_months: int
    repaid_share: float
    cap_cny: float
    kind: str = "losses repaid"

    def transfers(self, context: Context) -> Vector:
        """Return the repayments, due in the last month of each calendar year, stopping at the cap."""
        since_start = np.arange(1, context.sales_units.shape[-1] + 1) - context.start_month
        produced = np.minimum(np.maximum(since_start, 0.0), 1.0)
        after_window = np.minimum(np.maximum(since_start - self.window_months, 0.0), 1.0)
        # What falls due once a year belongs to all its months: a year counts by its share within the window.
        months = np.add.reduceat(produced, context.first_months)
        share = 1 - np.add.reduceat(after_window, context.first_months) / np.maximum(months, 1e-9)
        result = share * np.add.reduceat(context.host_operating_result_cny, context.first_months, axis=-1)
        loss = self.repaid_share * np.maximum(0.0, -result)
        paid = np.minimum(np.cumsum(loss, axis=-1), self.cap_cny)
        payment = np.zeros(context.sales_units.shape)
        payment[..., context.last_months] = np.concatenate([paid[..., :1], paid[..., 1:] - paid[..., :-1]], axis=-1)
        return payment


@dataclass(frozen=True, slots=True)
class TakeOrPay:
    """The brand pays for cars that it agreed to take, that the host could have built, and that it did not take."""

    id: str
    floor_share: float
    cny_per_car: float
    from_year_of_production: int
    kind: str = "take or pay"

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
