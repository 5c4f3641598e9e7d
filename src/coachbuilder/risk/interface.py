"""What the risk stage answers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.risk.claims import ClaimsResult


@dataclass(frozen=True, slots=True)
class FigureSpread:
    """One answer of the plan with its spread over the draws."""

    name: str
    """Name of the figure, with its unit, as in the plan's headline figures."""
    base: float | None
    """Its value with every assumption at its central value; None where the plan has no such figure."""
    p10: float | None
    """Exceeded in 90 of 100 draws."""
    p50: float | None
    """Median over the draws."""
    p90: float | None
    """Exceeded in 10 of 100 draws."""
    mean: float | None
    """Mean over the draws."""
    probability_positive: float | None
    """Share of the draws in which it is above 0."""
    draws_without_figure: int
    """Draws in which the plan has no such figure (a programme that never starts has no break-even)."""


@dataclass(frozen=True, slots=True)
class AssumptionInfluence:
    """What one assumption does to the net present values."""

    path: str
    """Path of the assumption."""
    evidence: str
    """Entry of the register that it names."""
    low: float
    """5 % point of the assumption, in its own unit."""
    high: float
    """95 % point of the assumption, in its own unit."""
    brand_npv_at_low_cny: float | None
    """The brand's net present value with this assumption alone at its 5 % point; None if there is no plan there."""
    brand_npv_at_high_cny: float | None
    """The same at its 95 % point."""
    host_npv_at_low_cny: float | None
    """The host's net present value with this assumption alone at its 5 % point."""
    host_npv_at_high_cny: float | None
    """The same at its 95 % point."""
    brand_variance_share: float
    """Share of the variance of the brand's value over the draws that goes with it (squared correlation)."""
    host_variance_share: float
    """The same for the host's value."""
    joint_variance_share: float
    """The same for the joint value."""

    @property
    def joint_swing_cny(self) -> float:
        """Distance between the joint values at the two ends; endless if there is no plan at one of them."""
        values = (
            self.brand_npv_at_low_cny,
            self.host_npv_at_low_cny,
            self.brand_npv_at_high_cny,
            self.host_npv_at_high_cny,
        )
        if any(value is None for value in values):
            return math.inf
        brand_low, host_low, brand_high, host_high = (value or 0.0 for value in values)
        return abs(brand_high + host_high - brand_low - host_low)


@dataclass(frozen=True, slots=True)
class EvidenceInfluence:
    """What the answer does if one claim of the register is false."""

    evidence: str
    """Identifier of the entry."""
    kind: str
    """Kind of evidence."""
    claim: str
    """What is claimed."""
    probability: float
    """Probability of the claim after support and denial."""
    assumptions: tuple[str, ...]
    """Paths of the assumptions that name it."""
    brand_npv_if_false_cny: float | None
    """The brand's value when every assumption that names this entry moves against the brand (see `evidence.md`);
    None if no car or no plan is left."""
    host_npv_if_false_cny: float | None
    """The host's value when every assumption that names this entry moves against the host."""
    joint_npv_if_false_cny: float | None
    """The joint value when every assumption that names this entry moves against the two together."""
    turns_brand: bool
    """True if the brand's value changes its sign."""
    turns_host: bool
    """True if the host's value changes its sign."""
    turns_joint: bool
    """True if the joint value changes its sign."""
    brand_variance_share: float
    """Share of the variance of the brand's value that goes with its assumptions."""
    host_variance_share: float
    """The same for the host's value."""
    joint_variance_share: float
    """The same for the joint value."""
    is_switch: bool
    """True for the claim that the partnership exists: without it both sides earn nothing from the programme."""


@dataclass(frozen=True, slots=True)
class RiskResult:
    """How sure the answer is, and what it rests on."""

    draws: int
    """Number of draws."""
    seed: int
    """Seed of the draws."""
    partnership_probability: float
    """Probability of the claim that the partnership exists."""
    brand_expected_npv_cny: float
    """Mean of the brand's value over the draws, times that probability, plus what it does otherwise."""
    host_expected_npv_cny: float
    """Mean of the host's value over the draws, times that probability."""
    both_gain_probability: float
    """Share of the draws in which both sides' values are above 0, given that the partnership exists."""
    figures: tuple[FigureSpread, ...]
    """Spread of every headline figure."""
    assumptions: tuple[AssumptionInfluence, ...]
    """Assumptions by what they do to the joint value, strongest first."""
    evidence: tuple[EvidenceInfluence, ...]
    """Entries of the register by what the joint value loses if they are false, worst first."""
    brand_npv_cny: NDArray[np.float64]
    """The brand's value in every draw that has a plan."""
    host_npv_cny: NDArray[np.float64]
    """The host's value in every draw that has a plan."""
    claims: ClaimsResult
    """The programme as a mixture over its switches, and its questions by what their answers are worth."""
