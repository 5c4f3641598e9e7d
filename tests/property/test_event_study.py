"""What holds of the event study's tests whatever the returns are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.market.announcement.censored import censored_regression
from coachbuilder.market.announcement.event_study import AbnormalReturns, ReturnModel, abnormal_returns
from coachbuilder.market.announcement.significance import significance_of
from coachbuilder.programme.sections.market import LimitSide


@st.composite
def studies(draw: st.DrawFn) -> AbnormalReturns:
    """Abnormal returns of 2 to 8 shares over 30 and 3 days, some days missing, by any model."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shares = draw(st.integers(2, 8))
    factors = rng.normal(0.0, 0.01, (33, 2))
    returns = factors.sum(axis=1) + rng.normal(0.0, rng.uniform(0.005, 0.05, (shares, 1)), (shares, 33))
    returns[rng.random((shares, 33)) < draw(st.sampled_from([0.0, 0.1]))] = np.nan
    model = draw(st.sampled_from(list(ReturnModel)))
    return abnormal_returns(returns[:, :30], returns[:, 30:], factors[:30], factors[30:], model)


@given(studies(), st.floats(0.01, 100.0))
@settings(max_examples=25, deadline=None)
def test_no_test_depends_on_the_unit_of_returns(abnormal: AbnormalReturns, unit: float) -> None:
    scaled = replace(
        abnormal,
        estimation=abnormal.estimation * unit,
        event=abnormal.event * unit,
        residual_sd=abnormal.residual_sd * unit,
    )
    for one, other in zip(*(significance_of(item, slice(0, 3)) for item in (abnormal, scaled)), strict=True):
        assert (one.statistic, one.p_value) == pytest.approx((other.statistic, other.p_value), rel=1e-9, abs=1e-12)


@given(studies())
@settings(max_examples=25, deadline=None)
def test_falls_are_tested_as_rises_are(abnormal: AbnormalReturns) -> None:
    turned = replace(abnormal, estimation=-abnormal.estimation, event=-abnormal.event)
    for one, other in zip(*(significance_of(item, slice(0, 2)) for item in (abnormal, turned)), strict=True):
        assert one.p_value == pytest.approx(other.p_value, rel=1e-6, abs=1e-12)
        if one.test != "Wilcoxon" and one.statistic is not None:
            assert one.statistic == pytest.approx(-other.statistic, rel=1e-6, abs=1e-9)


@given(studies(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_shares_does_not_matter(abnormal: AbnormalReturns, random: object) -> None:
    order = list(range(len(abnormal.residual_sd)))
    random.shuffle(order)  # type: ignore[attr-defined]
    names = (
        "coefficients",
        "estimation",
        "event",
        "residual_sd",
        "estimation_days",
        "degrees_of_freedom",
        "error_shape",
    )
    mixed = replace(abnormal, **{name: getattr(abnormal, name)[order] for name in names})
    for one, other in zip(*(significance_of(item, slice(0, 3)) for item in (abnormal, mixed)), strict=True):
        assert (one.statistic, one.p_value) == pytest.approx((other.statistic, other.p_value), rel=1e-9, abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_censored_regression_turns_with_its_returns(seed: int, carries_over: bool) -> None:
    """Falls at the lower limit are rises at the upper one, seen in a mirror."""
    rng = np.random.default_rng(seed)
    wanted = rng.normal(0.0, 0.05, 80)
    returns = np.clip(wanted, -0.08, 0.08)
    sides = [LimitSide.UPPER if value > 0.08 else LimitSide.LOWER if value < -0.08 else None for value in wanted]
    mirror = {None: None, LimitSide.UPPER: LimitSide.LOWER, LimitSide.LOWER: LimitSide.UPPER}
    columns = np.column_stack([np.ones(80), rng.normal(0.0, 0.01, 80)])
    one = censored_regression(returns, columns, sides, carries_over=carries_over)
    other = censored_regression(-returns, columns, [mirror[side] for side in sides], carries_over=carries_over)
    assert one.coefficients == pytest.approx(-other.coefficients, rel=1e-6, abs=1e-9)
    assert one.residual_sd == pytest.approx(other.residual_sd, rel=1e-8)
