"""Depreciation of the host's investments, passed through."""

from __future__ import annotations

from dataclasses import dataclass

from coachbuilder.deal.clauses.base import Clause, Context, Terms, Vector
from coachbuilder.programme.sections.deal import DepreciationClause


@dataclass(frozen=True, slots=True)
class DepreciationPassedThrough(Clause):
    """The brand pays a share of the depreciation of what the host invested for the guest."""

    id: str
    passed_share: float
    kind: str = "depreciation passed through"

    @classmethod
    def of(cls, table: DepreciationClause, terms: Terms) -> DepreciationPassedThrough:
        """Take the clause from its table."""
        return cls(table.id, table.passed_share.value)

    def transfers(self, context: Context) -> Vector:
        """Return the share of the host's depreciation by month."""
        return self.passed_share * context.host_depreciation_cny
