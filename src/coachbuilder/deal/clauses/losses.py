"""Operating losses of the host on the guest, repaid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coachbuilder.deal.clauses.base import Clause, Context, LooksAt, Terms, Vector
from coachbuilder.programme.sections.deal import LossClause


@dataclass(frozen=True, slots=True)
class LossesRepaid(Clause):
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
    cap_cny_per_year
        The repayment of each calendar year stops here.
    """

    looks_at: ClassVar[LooksAt] = LooksAt.RESULT

    id: str
    window_months: int
    repaid_share: float
    cap_cny: float
    kind: str = "losses repaid"
    cap_cny_per_year: float = math.inf

    @classmethod
    def of(cls, table: LossClause, terms: Terms) -> LossesRepaid:
        """Take the clause from its table."""
        yearly = table.cap_cny_per_year
        return cls(
            table.id,
            table.window_months,
            table.repaid_share.value,
            table.cap_cny.value,
            cap_cny_per_year=math.inf if yearly is None else yearly.value,
        )

    def transfers(self, context: Context) -> Vector:
        """Return the repayments, due in the last month of each calendar year, stopping at the caps."""
        since_start = np.arange(1, context.sales_units.shape[-1] + 1) - context.start_month
        produced = np.minimum(np.maximum(since_start, 0.0), 1.0)
        after_window = np.minimum(np.maximum(since_start - self.window_months, 0.0), 1.0)
        # What falls due once a year belongs to all its months: a year counts by its share within the window.
        months = np.add.reduceat(produced, context.first_months, axis=-1)
        share = 1 - np.add.reduceat(after_window, context.first_months, axis=-1) / np.maximum(months, 1e-9)
        result = share * np.add.reduceat(context.host_operating_result_cny, context.first_months, axis=-1)
        loss = np.minimum(self.repaid_share * np.maximum(0.0, -result), self.cap_cny_per_year)
        paid = np.minimum(np.cumsum(loss, axis=-1), self.cap_cny)
        payment = np.zeros(context.sales_units.shape)
        payment[..., context.last_months] = np.concatenate([paid[..., :1], paid[..., 1:] - paid[..., :-1]], axis=-1)
        return payment
