"""Sobol' indices of a real plan whose value is a sum of cost assumptions, against what the slopes say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from coachbuilder.plan import Plan, Stages
from coachbuilder.programme.assumption import Assumption
from coachbuilder.programme.tree import map_assumptions
from coachbuilder.risk.evaluate import assessed
from coachbuilder.risk.examination import Sobol, _first_order, sobol
from coachbuilder.risk.runner import Runner

ELECTRONICS, DRIVE = "vehicle.parts.electronics_cny", "vehicle.parts.drive_cny_per_kw"
DEVELOPMENT, FEE = "deal.investment.development.amount_cny", "deal.clause.fee.tier.first.fee_cny_per_car"
COSTS = (DEVELOPMENT, FEE, DRIVE, ELECTRONICS)
TAX = ("brand.tax_rate", "host.tax_rate")
"""A tax on profits only would bend the sum."""

BRAND = "brand_npv_cny"
ROWS = 32


@pytest.fixture(scope="module")
def base(example_plan: Plan) -> Plan:
    """The example without income tax, all its numbers certain but four costs."""

    def certain(path: str, item: Assumption, _inherited: str) -> Assumption:
        return item if path in COSTS else replace(item, low=None, high=None, evidence="")

    programme = example_plan.programme.with_values(dict.fromkeys(TAX, 0.0))
    programme = replace(
        programme,
        document=map_assumptions(programme.document, certain),
        plant=map_assumptions(programme.plant, certain),
    )
    return replace(example_plan, programme=programme)


def slopes(base: Plan) -> dict[str, float]:
    """Return what the brand's value does for a step of each cost, from its two ends."""

    def value(values: dict[str, float]) -> float:
        found = Stages(base.programme.with_values(values), reuse=base).headline[BRAND]
        assert found is not None
        return found

    items = {path: base.programme.assumptions[path] for path in COSTS}
    found = {
        path: (value({path: item.high or 0.0}) - value({path: item.low or 0.0}))
        / ((item.high or 0.0) - (item.low or 0.0))
        for path, item in items.items()
    }
    middle = value({path: item.value for path, item in items.items()})
    step = sum(found[path] * ((item.low or 0.0) - item.value) for path, item in items.items())
    # The value is the sum that it is said to be: all four moved at once add what each adds alone.
    assert value({path: item.low or 0.0 for path, item in items.items()}) == pytest.approx(middle + step, rel=1e-12)
    return found


def variance(item: Assumption) -> float:
    """Return the variance of the distribution that is drawn from, by quadrature."""

    def moment(power: int) -> float:
        def density(score: float) -> float:
            return float(item.at_standard_normal(np.array([score]))[0] / item.value) ** power * float(norm.pdf(score))

        return float(sum(quad(density, *ends)[0] for ends in ((-12.0, 0.0), (0.0, 12.0))))

    return item.value**2 * (moment(2) - moment(1) ** 2)


def shares(base: Plan, by_slope: dict[str, float]) -> dict[str, float]:
    parts = {path: by_slope[path] ** 2 * variance(base.programme.assumptions[path]) for path in COSTS}
    return {path: part / sum(parts.values()) for path, part in parts.items()}


@pytest.fixture(scope="module")
def found(base: Plan) -> Sobol:
    with Runner(base) as runner:
        answers = assessed(runner, base, 60)
        return sobol(runner, base, answers, _first_order(base.programme, answers), ROWS)[0]


def test_a_plan_that_is_a_sum_of_costs_has_the_shares_of_its_slopes(base: Plan, found: Sobol) -> None:
    known = slopes(base)
    expected = shares(base, known)
    assert found.figure == BRAND
    assert {item.group for item in found.by_assumption} == set(COSTS)
    views = found.by_assumption + found.by_evidence + found.by_stage
    for item in views:
        share = sum(expected[path] for path in item.paths)
        assert item.first.share == pytest.approx(share, abs=0.02), item.group
        assert item.total.share == pytest.approx(share, abs=0.02), item.group
    assert {item.group: set(item.paths) for item in found.by_evidence}["teardown-bolt"] == {ELECTRONICS, DRIVE}
    assert {item.group: set(item.paths) for item in found.by_stage} == {
        "vehicle": {ELECTRONICS, DRIVE},
        "deal": {DEVELOPMENT, FEE},
    }
    # Any slope off by a fifth would be seen, but for the fee's, which does little; that by a half.
    for path in COSTS:
        off = shares(base, {**known, path: known[path] * (1.5 if path == FEE else 1.2)})
        assert any(abs(item.total.share - sum(off[member] for member in item.paths)) > 0.02 for item in views), path


def test_groups_of_the_same_members_share_their_plans(found: Sobol) -> None:
    # Four alone and two pairs, told as four, three and two groups.
    assert [len(view) for view in (found.by_assumption, found.by_evidence, found.by_stage)] == [4, 3, 2]
    assert found.plans == found.rows * (2 + 4 + 2)
