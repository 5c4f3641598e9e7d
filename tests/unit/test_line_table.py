"""Interpolation between balances: exact where labour is linear, and its error told where it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachbuilder.plant.balance import LineTable

UNITS, SCALES = (1e4, 3e4, 6e4), (0.9, 1.0, 1.2)


def table_of(busy: list[list[float]]) -> LineTable:
    return LineTable(UNITS, SCALES, tuple(tuple(row) for row in busy), 0.0).with_error()


@given(st.floats(1e4, 6e4), st.floats(0.9, 1.2))
def test_a_bilinear_busy_share_is_met_everywhere_without_error(units: float, scale: float) -> None:
    def busy(units: float, scale: float) -> float:
        return 0.5 + 2e-6 * units + 0.1 * scale - 1e-6 * units * scale

    table = table_of([[busy(unit, factor) for factor in SCALES] for unit in UNITS])
    assert table.busy_share_at(units, scale) == pytest.approx(busy(units, scale), rel=1e-12)
    assert table.hours_error_share == pytest.approx(0.0, abs=1e-12)


def test_the_error_is_that_of_the_balance_that_lies_farthest_off() -> None:
    busy = [[0.8, 0.8, 0.8], [0.8, 0.88, 0.8], [0.8, 0.8, 0.8]]
    assert table_of(busy).hours_error_share == pytest.approx(0.1)


def test_outside_the_balances_the_nearest_holds() -> None:
    table = table_of([[0.7, 0.75, 0.8], [0.8, 0.85, 0.9], [0.85, 0.9, 0.95]])
    assert table.busy_share_at(0.0, 0.5) == 0.7
    assert table.busy_share_at(1e6, 3.0) == 0.95
