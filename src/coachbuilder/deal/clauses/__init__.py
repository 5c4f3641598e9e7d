"""Contract clauses that compose: each is one small type in a file of its own.

A new clause is a new file with a subclass of ``Clause``, a table for it in ``programme.sections.deal``, and a line in
``FROM_TABLE``. Clauses add up; those that depend on the fees or on what the host loses look at what the others pay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from coachbuilder.deal.clauses.base import Beside, Clause, Context, LooksAt, Terms, Vector
from coachbuilder.deal.clauses.consultancy import EngineeringConsultancy
from coachbuilder.deal.clauses.depreciation import DepreciationPassedThrough
from coachbuilder.deal.clauses.fee_per_car import FeePerCar
from coachbuilder.deal.clauses.indexation import Indexation
from coachbuilder.deal.clauses.leaving import CostOfLeaving
from coachbuilder.deal.clauses.losses import LossesRepaid
from coachbuilder.deal.clauses.reservation import CapacityReservation
from coachbuilder.deal.clauses.shares import Milestone, SharesOnMilestones
from coachbuilder.deal.clauses.take_or_pay import TakeOrPay
from coachbuilder.deal.clauses.tooling import Tooling

FROM_TABLE: Mapping[str, Callable[[Any, Terms], Clause]] = {
    "fee per car": FeePerCar.of,
    "depreciation passed through": DepreciationPassedThrough.of,
    "losses repaid": LossesRepaid.of,
    "take or pay": TakeOrPay.of,
    "capacity reservation": CapacityReservation.of,
    "shares on milestones": SharesOnMilestones.of,
    "tooling": Tooling.of,
    "engineering consultancy": EngineeringConsultancy.of,
    "indexation": Indexation.of,
    "cost of leaving": CostOfLeaving.of,
}
"""How each kind of clause is taken from its table of the programme."""

__all__ = [
    "FROM_TABLE",
    "Beside",
    "CapacityReservation",
    "Clause",
    "Context",
    "CostOfLeaving",
    "DepreciationPassedThrough",
    "EngineeringConsultancy",
    "FeePerCar",
    "Indexation",
    "LooksAt",
    "LossesRepaid",
    "Milestone",
    "SharesOnMilestones",
    "TakeOrPay",
    "Terms",
    "Tooling",
    "Vector",
]
