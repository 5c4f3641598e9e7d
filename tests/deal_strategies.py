"""Deals made by hypothesis: all ten kinds of clauses, in any order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

import deal_builder as builder
from coachbuilder.deal import DealInputs
from coachbuilder.deal.clauses import (
    CapacityReservation,
    Clause,
    CostOfLeaving,
    DepreciationPassedThrough,
    EngineeringConsultancy,
    FeePerCar,
    Indexation,
    LossesRepaid,
    Milestone,
    SharesOnMilestones,
    TakeOrPay,
    Tooling,
)
from coachbuilder.programme.sections.deal import MilestoneEvent


def real(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


MILESTONES = st.tuples(
    st.builds(Milestone, st.just(MilestoneEvent.DATE), real(0, 0.4), real(-5, 60)),
    st.builds(Milestone, st.just(MilestoneEvent.START), real(0, 0.3), real(-20, 20)),
    st.builds(Milestone, st.just(MilestoneEvent.VOLUME), real(0, 0.3), real(1, 60_000)),
)
CONTRACTS: st.SearchStrategy[tuple[Clause, ...]] = st.tuples(
    st.builds(
        FeePerCar,
        st.just("fee"),
        st.just((0.0, 5_000.0)),
        st.tuples(real(0, 2e4), real(0, 2e4)),
        real(-0.1, 0.1),
        exchange_change_rate=real(-0.1, 0.1),
    ),
    st.builds(DepreciationPassedThrough, st.just("depreciation"), real(0, 1)),
    st.builds(
        LossesRepaid, st.just("losses"), st.integers(1, 60), real(0, 1), real(0, 5e8), cap_cny_per_year=real(0, 2e8)
    ),
    st.builds(TakeOrPay, st.just("floor"), real(0, 1), real(0, 1e4), st.integers(1, 3)),
    st.builds(CapacityReservation, st.just("places"), real(0, 5e3), real(0, 1), real(0, 1)),
    st.builds(
        SharesOnMilestones, st.just("shares"), real(1, 1e7), real(0, 100), real(0, 100), real(-0.3, 0.3), MILESTONES
    ),
    st.builds(Tooling, st.just("dies"), real(1e6, 5e8), st.booleans(), real(1e3, 1e5) | st.just(math.inf), real(0, 1)),
    st.builds(
        EngineeringConsultancy,
        st.just("help"),
        real(0, 1e8),
        real(0, 1e4),
        real(0, 5e3),
        real(0, 2),
        st.integers(0, 40),
        st.integers(1, 40),
    ),
    st.builds(
        Indexation,
        st.just("metal"),
        real(0, 1),
        real(10, 200),
        real(0, 0.3),
        st.just((2022, 2024)),
        st.tuples(real(10, 200), real(10, 200)),
        st.sampled_from([(), ("body",)]),
        st.booleans(),
    ),
    st.builds(CostOfLeaving, st.just("exit"), st.integers(0, 30), real(0, 1e9), real(0, 1)),
).flatmap(lambda clauses: st.permutations(list(clauses)).map(tuple))


@st.composite
def deals(draw: st.DrawFn) -> DealInputs:
    months = draw(st.integers(13, 50))
    start = draw(real(0, 24))
    producing = np.clip(np.arange(1, months + 1) - start, 0.0, 1.0)
    cars = st.lists(real(0, 3_000), min_size=months, max_size=months)
    changes: dict[str, Any] = {
        "start_month": start,
        "first_month": draw(st.integers(1, 12)),
        "demand_units_by_month": np.array(draw(cars)) * producing,
        "guest_output_units_by_month": np.array(draw(cars)) * producing,
        "clauses": draw(CONTRACTS),
        "with_break_even": True,
        "brand_loss_carry_forward_years": draw(st.none() | st.integers(1, 5)),
    }
    inputs = builder.deal(months, **changes)
    assert isinstance(inputs, DealInputs)
    return inputs
