"""The optional parts of the template: a newcomer who takes all the # away has a programme that is worked out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from coachbuilder.deal import evaluate, inputs_from
from coachbuilder.deal.make_or_contract import make_or_contract, routes_inputs_from
from coachbuilder.market.parties import PartiesResult
from coachbuilder.plan import Stages, problems_of
from coachbuilder.programme import Programme, load
from coachbuilder.programme.sections.deal import Clause
from coachbuilder.programme.template import write_template
from deal_builder import deal

OPTIONAL = re.compile(r"(?m)^( *)#(?=\S)")
"""What stands before an optional line; before words for people there is a blank behind it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("programmes") / "all-of-it"
    write_template(made)
    text = (made / "programme.toml").read_text(encoding="utf-8")
    assert OPTIONAL.search(text)
    (made / "programme.toml").write_text(OPTIONAL.sub(r"\1", text), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def programme(folder: Path) -> Programme:
    return load(folder)


def test_all_optional_parts_together_have_no_mistake(programme: Programme) -> None:
    assert problems_of(programme) == []
    assert all(item.evidence in programme.evidence for item in programme.assumptions.values())


def test_the_template_leads_to_every_kind_of_clause_to_routes_targets_and_parties(programme: Programme) -> None:
    document = programme.document
    kinds = {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(get_args(Clause)[0])}
    assert len(kinds) >= 10
    assert {clause.kind for clause in document.deal.clause} == kinds
    assert document.routes is not None
    assert document.routes.refitted_plant is not None
    assert document.vehicle.targets is not None
    parties = Stages(programme).parties
    assert isinstance(parties, PartiesResult)
    assert parties.brand.discount_rate > parties.brand.base_discount_rate


def test_its_contract_and_routes_are_worked_out(programme: Programme) -> None:
    months = 12 * programme.document.programme.horizon_years
    cars = np.where(np.arange(months) >= 36, 1_200.0, 0.0)
    inputs = inputs_from(
        programme,
        start_of_production=Stages(programme).timing,
        demand_units_by_month=cars,
        guest_output_units_by_month=1.1 * cars,
        resident_units_lost_by_month=0.0 * cars,
        price_cny_by_year=dict.fromkeys(range(2026, 2036), 130000.0),
        parts_cost_by_item_cny={"body_and_chassis": 25_000.0, "interior": 7_000.0, "battery_pack": 30_000.0},
        assembly_hours_per_car=8.0,
        first_pass_yield=0.9,
        planned_units_per_year=14_400.0,
    )
    result = evaluate(inputs)
    assert {flow.kind for flow in result.clauses} == {clause.kind for clause in programme.document.deal.clause}
    assert result.leaving is not None
    assert result.absorption is not None
    assert programme.document.routes is not None
    found = make_or_contract(inputs, result, routes_inputs_from(programme.document.routes, 1))
    assert [route.name for route in found.routes] == ["contract", "own plant", "refitted plant"]
    assert [item.plant for item in found.flexibility] == ["own plant", "refitted plant"]


def test_parts_that_get_cheaper_leave_what_building_a_car_costs_as_it_is() -> None:
    plain = deal()
    learning = replace(
        plain, parts_learning_items=("body",), parts_learning_rate=0.9, parts_learning_reference_units=1_000.0
    )
    costs = [make_or_contract(item, evaluate(item), None).routes[0].unit_cost_cny for item in (plain, learning)]
    assert costs[0] == costs[1]
