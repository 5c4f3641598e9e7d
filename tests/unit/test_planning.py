"""Plans to draw around, and the points drawn around them for the claims and a comparison."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from coachbuilder.plan import Plan, Stages
from coachbuilder.programme import Programme
from coachbuilder.risk.claims import draw_claims
from coachbuilder.risk.compare import compare
from coachbuilder.risk.draws import draw
from coachbuilder.risk.planning import Planner

FEE, GUEST_TIMES = "deal.clause.fee.tier.first.fee_cny_per_car", "tasks.guest_time_scale"


def test_a_line_that_is_known_is_taken_over_and_any_other_is_laid_out_anew(
    example_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: Counter[str] = Counter()
    # The long stages are stood in for: each tells that it ran.
    for stage, result in (
        ("balance", example_plan.fit),
        ("sequence", example_plan.sequence),
        ("flow", example_plan.flow),
    ):

        def run(_inputs: Any, stage: str = stage, result: Any = result) -> Any:
            ran[stage] += 1
            return result

        monkeypatch.setattr(f"coachbuilder.plant.{stage}.evaluate", run)
    programme = example_plan.programme
    told: list[str] = []
    planner = Planner(lambda _, stage: told.append(stage))

    def counted(programme: Programme) -> tuple[Plan, dict[str, int]]:
        ran.clear()
        return planner(programme), dict(ran)

    plan, first = counted(programme)
    assert first == {"balance": 1, "sequence": 1, "flow": 1}
    assert plan.headline == example_plan.headline
    assert plan.alternatives is None
    assert "alternatives" not in told
    dearer, again = counted(programme.with_values({FEE: 20_000.0}))
    assert not again
    assert dearer.fit is plan.fit
    assert dearer.headline["brand_npv_cny"] < plan.headline["brand_npv_cny"]  # type: ignore[operator]
    _, slower = counted(programme.with_values({GUEST_TIMES: 1.1 * programme.assumptions[GUEST_TIMES].value}))
    assert (slower["balance"], slower["sequence"]) == (1, 1)


def test_claims_are_valued_at_the_draws_of_the_programme(example_plan: Plan) -> None:
    programme = example_plan.programme
    found = draw_claims(example_plan, programme, 9)
    drawn = draw(programme, 9, programme.seed)
    for number in (0, 8):
        headline = Stages(programme.with_values(drawn.values_of(number)), reuse=example_plan).headline
        assert found.brand_npv_cny[number] == pytest.approx(headline["brand_npv_cny"], rel=1e-9)
        assert found.host_npv_cny[number] == pytest.approx(headline["host_npv_cny"], rel=1e-9)
        assert found.own_plant_npv_cny[number] == pytest.approx(headline["own_plant_npv_cny"], rel=1e-9)


def test_a_comparison_of_real_plans_sums_to_what_two_draws_differ_by(example_plan: Plan) -> None:
    programme = example_plan.programme
    other = programme.with_values({FEE: 20_000.0, "deal.cny_per_usd": 7.0})
    result = compare(programme, other, keep_line=True, plan=lambda _: example_plan)
    before, after = (Stages(seen, reuse=example_plan).headline for seen in (programme, other))
    assert result.evaluations == 4
    for name in ("brand_npv_cny", "host_npv_cny"):
        difference = (after[name] or 0.0) - (before[name] or 0.0)
        assert sum(term.shares[name] for term in result.terms) == pytest.approx(difference, rel=1e-9)
