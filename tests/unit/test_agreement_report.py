"""The contract beside all others as it is written: the map, sentences, and the command's refusals."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.cli.root import _run
from coachbuilder.deal import AlternativesResult, DealInputs, evaluate
from coachbuilder.deal.agreement import zone_of_agreement
from coachbuilder.deal.alternatives import alternatives
from coachbuilder.deal.make_or_contract import RoutesInputs, make_or_contract
from coachbuilder.deal.real_option import DemandProcess
from coachbuilder.programme import InputError
from coachbuilder.report import dumps
from coachbuilder.report.agreement_chart import draw_zone, standalone_map, unit_cost_by_volume, zone_map
from coachbuilder.report.agreement_words import coordination_rows, routes_text, sentences, zone_text
from deal_builder import deal, own_plant

WIDTHS = (940.0, 580.0, 340.0)


def answer(inputs: DealInputs) -> AlternativesResult:
    refitted = own_plant(investment_cny=200e6, construction_months=12, capacity_units_per_year=14_000.0)
    return alternatives(inputs, evaluate(inputs), RoutesInputs(DemandProcess(0.3, 0.1), 5e6, refitted, 1))


@pytest.fixture(scope="module")
def gaining() -> AlternativesResult:
    return answer(deal())


@pytest.fixture(scope="module")
def losing() -> AlternativesResult:
    return answer(deal(price_cny_by_month=np.full(48, 140_000.0)))


def test_the_map_has_a_common_area_only_where_both_gain(
    gaining: AlternativesResult, losing: AlternativesResult
) -> None:
    assert gaining.zone is not None
    assert losing.zone is not None
    both = zone_of_agreement(deal(), floor_steps=2, fee_steps=6)
    assert both is not None
    assert not both.is_empty
    assert 'class="f-good mid"' in zone_map(both, "Brand", "Host")
    assert 'class="f-good mid"' not in zone_map(losing.zone, "Brand", "Host")
    assert "the programme's own" in zone_map(losing.zone, "Brand", "Host")


@pytest.mark.parametrize("width", WIDTHS)
def test_everything_drawn_lies_within_the_picture_and_names_every_contract_marked(
    width: float, gaining: AlternativesResult
) -> None:
    assert gaining.zone is not None
    drawing = draw_zone(width, gaining.zone, "Brand", "Host")
    text = str(drawing.render("map", "title", "description"))
    across = [float(x) for x in re.findall(r'(?:\bx|cx)="(-?[\d.]+)"', text)]
    down = [float(y) for y in re.findall(r'(?:\by|cy)="(-?[\d.]+)"', text)]
    assert min(across) >= 0
    assert max(across) <= width
    assert min(down) >= 0
    assert max(down) <= drawing.height
    assert text.count("<circle") == (2 if gaining.zone.nash is None else 3)


def test_the_map_alone_is_a_well_formed_picture_with_its_own_colours(gaining: AlternativesResult) -> None:
    text = standalone_map(gaining, "A & B", "Host")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "--brand" in text


def test_a_deal_without_a_map_is_refused_with_the_field(gaining: AlternativesResult) -> None:
    nothing = answer(deal(clauses=()))
    assert nothing.zone is None
    with pytest.raises(InputError) as refused:
        standalone_map(nothing, "Brand", "Host")
    assert refused.value.problems[0].field == "deal.clause"
    assert zone_text(None, "Brand", "Host").startswith("There is no map")


def test_the_sentences_say_who_loses_and_by_how_much(losing: AlternativesResult) -> None:
    text = dict(sentences(losing, "Brand", "Host"))["For which fees and take-or-pay floors do both sides gain?"]
    assert text.startswith("There is no fee and floor at which both gain. No fee is low enough for Brand: even with")
    assert "short" in text
    assert "no contract of this kind can make both gain" in text


def test_each_form_of_contract_has_its_row(gaining: AlternativesResult) -> None:
    assert gaining.coordination is not None
    rows = coordination_rows(gaining.coordination)
    assert [row[0] for row in rows][:2] == ["Both as one", "Fee per car alone"]
    assert len(rows) == 7
    assert dumps({"alternatives": gaining})


def test_a_plant_that_starts_beyond_the_horizon_has_no_cost_and_does_not_stop_the_rest() -> None:
    late = deal(own_plant=own_plant(later_months=40.0))
    result = make_or_contract(late, evaluate(late), None)
    assert set(result.routes[1].unit_cost_cny) == {None}
    assert result.crossings == ()
    assert "meet at no volume" in routes_text(result, "Brand")
    assert unit_cost_by_volume(result)
    never = deal(start_month=60.0, own_plant=own_plant())
    nothing = make_or_contract(never, evaluate(never), None)
    assert unit_cost_by_volume(nothing) == ""
    assert answer(never).routes.flexibility[0].value_cny == 0


def test_the_command_refuses_what_is_no_picture(
    tmp_path: Path, example_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["agree", str(example_folder), "--out", str(tmp_path / "map.png")]) == 2
    assert ".svg" in capsys.readouterr().err
    assert _run(["agree", str(tmp_path / "nowhere")]) == 2
