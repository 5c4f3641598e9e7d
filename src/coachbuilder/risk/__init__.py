"""How sure the answer is: draws over the evidence, what drives it, what turns it."""

from coachbuilder.risk.evaluate import assess
from coachbuilder.risk.examine import Examination, examine
from coachbuilder.risk.interface import AssumptionInfluence, EvidenceInfluence, FigureSpread, RiskResult

__all__ = [
    "AssumptionInfluence",
    "EvidenceInfluence",
    "Examination",
    "FigureSpread",
    "RiskResult",
    "assess",
    "examine",
]
