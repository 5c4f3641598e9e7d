"""The report says what the results say, in words a reader can trust, and is written whole or not at all."""

from __future__ import annotations

import doctest
import importlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from markupsafe import escape

from coachbuilder.plan import Plan
from coachbuilder.plant.balance import idle_share_by_model, segment_uses, station_uses
from coachbuilder.programme.units import unit_of
from coachbuilder.report import cells, charts, fragments, stage_summary, wording, workbook, write_report, write_workbook
from coachbuilder.report.svg import Drawing, shortened, text_width, tick_texts, ticks, wrapped
from coachbuilder.report.writing import write_whole
from coachbuilder.risk import RiskResult
from coachbuilder.risk.examination import Examination, Move, TurningPoint

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "src" / "coachbuilder" / "report" / "templates"


RUN = {"started": "2026-01-01T00:00:00+00:00", "versions": {"coachbuilder": "test"}}


@pytest.fixture(scope="module")
def page(example_plan: Plan, example_risk: RiskResult, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("out") / "report.html"
    write_report(example_plan, example_risk, path, RUN)
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def book(example_plan: Plan, example_risk: RiskResult, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("out") / "plan.xlsx"
    write_workbook(example_plan, example_risk, path, RUN)
    return openpyxl.load_workbook(path)


def _titled(plan: Plan, title: str) -> Plan:
    document = plan.programme.document
    header = document.programme.model_copy(update={"title": title})
    return replace(plan, programme=replace(plan.programme, document=document.model_copy(update={"programme": header})))


# words


@pytest.mark.parametrize("name", ["wording", "svg", "fragments", "cells"])
def test_examples_in_the_docstrings_run(name: str) -> None:
    module = importlib.import_module(f"coachbuilder.report.{name}")
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_numbers_keep_their_significant_digits_and_use_a_true_minus() -> None:
    assert wording.number(0.000123456) == "0.000123"
    assert wording.number(-98765.4, 4) == "−98,770"
    assert wording.number(999.96, 3) == "1,000"


def test_certainty_is_not_claimed_by_rounding() -> None:
    assert wording.probability(0.9999).startswith("over")
    assert wording.probability(0.0001).startswith("under")
    assert wording.probability(1.0) == wording.percent(1.0)


def test_missing_figures_read_as_a_dash_everywhere() -> None:
    for text in (
        wording.number(None),
        wording.money(None),
        wording.percent(None),
        wording.money_range(None, 1.0),
        wording.with_unit(None, "km"),
        wording.range_with_unit(1.0, None, "CNY"),
        wording.figure("host_npv_cny", None),
    ):
        assert text == wording.NOTHING


def test_both_ends_of_a_money_range_share_one_scale() -> None:
    text = wording.money_range(-4.0e6, 2.0e9)
    assert text.count("bn") == 1
    assert "m" not in text.replace("bn", "")


def test_unit_of_money_per_thing_is_said_once() -> None:
    assert wording.range_with_unit(9000.0, 12000.0, "CNY per car").count("CNY") == 1


# pictures


def test_ticks_span_the_values_with_round_steps() -> None:
    for low, high in ((0.0, 0.07), (-3.2e9, 8.1e9), (5.0, 5.0), (0.0, 1.0)):
        found = ticks(low, high, 5)
        assert found[0] <= low and found[-1] >= high
        assert len(set(tick_texts(found))) == len(found)


def test_shortened_and_wrapped_texts_fit() -> None:
    long = "Evaporative emission canister bracket, left-hand side of the rear floor"
    assert text_width(shortened(long, 120.0)) <= 120.0
    assert all(text_width(line) <= 90.0 for line in wrapped(long, 90.0))


def test_pictures_escape_what_they_are_told() -> None:
    drawing = Drawing(100, 20)
    drawing.text(0, 10, "<script>alert(1)</script> & more")
    drawing.rect(0, 0, 10, 10, "f-ink", "tip <b>")
    text = drawing.render('a"b', "title <x>", "more </svg>")
    assert "<script" not in text and "<b>" not in text and "<x>" not in text
    assert text.count("</svg>") == 1


@pytest.mark.parametrize("width", [340.0, 580.0, 940.0])
def test_charts_of_nothing_still_draw(width: float) -> None:
    assert charts.lines(width, [charts.Series("a", [], "brand")], y_title="y", x_title="x").height > 0
    assert charts.columns(width, [], [charts.Series("a", [], "brand")], y_title="y").height > 0
    assert charts.bars(width, []).height > 0
    assert charts.strip(width, [], [], [], 8.0).height > 0
    assert charts.tornado(width, [], base=1.0, title="t", unit_divisor=1.0).height > 0


def test_stacked_columns_pile_up_to_their_sum() -> None:
    drawing = charts.columns(
        500, ["2021"], [charts.Series("a", [3.0], "brand"), charts.Series("b", [4.0], "host")], y_title="y", height=240
    )
    heights = [
        float(value)
        for value in re.findall(r'height="([\d.]+)" class="f-(?:brand|host)"><title>', "".join(drawing._parts))
    ]
    assert len(heights) == 2
    assert heights[0] / heights[1] == pytest.approx(3 / 4, rel=0.01)


# the page


def test_no_figure_is_typed_into_the_templates() -> None:
    names = re.compile(r"\b(?:P10|P90|R&amp;D)\b|10–80 %|0–100 km/h|kWh/100 km|<h[1-6]|</h[1-6]>|&#\d+;")
    for path in sorted(TEMPLATES.glob("*.html.j2")):
        text = path.read_text("utf-8")
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", text, flags=re.DOTALL)
        text = re.sub(r"<[^>]*>", " ", names.sub(" ", text))
        assert not re.search(r"\d", text), f"{path.name}: {re.findall(r'.{0,30}[0-9].{0,30}', text)}"


def test_texts_inside_template_expressions_hold_no_figures() -> None:
    for path in sorted(TEMPLATES.glob("*.html.j2")):
        for expression in re.findall(r"\{\{.*?\}\}|\{%.*?%\}", path.read_text("utf-8"), flags=re.DOTALL):
            for text in re.findall(r'"([^"]*)"', expression):
                known = text in {"P10", "P90", "P10 to P90"} or re.fullmatch(r"[\w.\-]+\.j2|[a-z][a-z0-9_]*", text)
                known = known or any(
                    unit in text for unit in ("10–80 %", "0–100 km/h", "80–120 km/h", "0–60 mph", "kWh/100 km")
                )
                assert known or not re.search(r"\d", text), f"{path.name}: {text}"


def test_page_refers_to_nothing_outside_itself(page: str) -> None:
    allowed = re.compile(r"http://www\.w3\.org/(?:2000/svg|1999/xlink)")
    without = allowed.sub("", page)
    assert not re.search(
        r"""(?:src|href|srcset|action|data|poster)\s*=\s*["']?\s*(?:https?:)?//""", without, re.IGNORECASE
    )
    assert not re.search(r"url\(|@import|@font-face|<link|<iframe|<object|<embed|fetch\(|XMLHttpRequest", without)
    assert "<script src" not in without


def test_page_has_every_section_and_answers_first(page: str) -> None:
    order = re.findall(r'<section id="([a-z]+)"', page)
    assert order == [
        "answers", "vehicle", "demand", "fit", "sequence", "flow", "ramp", "parties", "deal", "alternatives",
        "announcement", "risk", "evidence", "assumptions", "run",
    ]  # fmt: skip


def test_every_link_within_the_page_has_its_target_and_ids_are_unique(page: str) -> None:
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))
    for target in set(re.findall(r'href="#([^"]+)"', page)):
        assert target in identifiers


def test_every_picture_has_a_title_and_a_description(page: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) > 30
    for text in pictures:
        found = re.match(r'<svg[^>]*role="img" aria-labelledby="(\S+) (\S+)"', text)
        assert found
        assert re.search(rf'<title id="{re.escape(found.group(1))}">[^<]+</title>', text)
        assert re.search(rf'<desc id="{re.escape(found.group(2))}">[^<]+</desc>', text)


def test_page_is_small_enough_to_mail(page: str) -> None:
    assert len(page.encode()) < 3_000_000


def test_page_without_risk_has_no_ranges_and_no_risk_section(example_plan: Plan, tmp_path: Path) -> None:
    write_report(example_plan, None, tmp_path / "report.html", RUN)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert 'id="risk"' not in text
    assert "P10" not in text.split("<footer>")[0]


def test_page_and_workbook_tell_what_would_have_to_be_true_only_after_a_closer_look(
    example_plan: Plan, example_risk: RiskResult, page: str, book: Any, tmp_path: Path
) -> None:
    move = Move("market.demand.guest_price_cny", "press-mass-market", 149_900.0, 172_000.0, 0.8, 1.0)
    point = TurningPoint("the brand gains", False, 1.39, 0.08, 0.02, (move,), 12.0, 34.0, 100)
    found = Examination(example_risk, (), (), (point,), None)
    write_report(example_plan, example_risk, tmp_path / "report.html", RUN, found)
    closer = (tmp_path / "report.html").read_text("utf-8")
    told = "What would have to be true for the brand to gain?"
    assert told in closer and "At least 1.39 standard deviations away" in closer
    assert told not in page
    write_workbook(example_plan, example_risk, tmp_path / "plan.xlsx", RUN, found)
    names = openpyxl.load_workbook(tmp_path / "plan.xlsx", read_only=True).sheetnames
    assert set(names) - set(book.sheetnames) == {"What turns it"}


def test_text_from_the_programme_is_escaped(example_plan: Plan, example_risk: RiskResult, tmp_path: Path) -> None:
    plan = _titled(example_plan, "A <script>alert('x')</script> & Co")
    write_report(plan, example_risk, tmp_path / "report.html", RUN)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_figures_in_the_sentences_follow_the_results(
    example_plan: Plan, example_risk: RiskResult, tmp_path: Path
) -> None:
    flow = replace(example_plan.flow, jph=37.93, bottleneck_name="Paint shop of another plant")
    risk = replace(example_risk, both_gain_probability=0.123)
    write_report(replace(example_plan, flow=flow), risk, tmp_path / "report.html", RUN)
    text = (tmp_path / "report.html").read_text("utf-8")
    before = wording.number(example_plan.flow.jph)
    assert "<b>37.9 cars an hour</b>" in text
    assert f"<b>{before} cars an hour</b>" not in text
    assert "Paint shop of another plant" in text
    assert wording.probability(0.123) in text


# fit


LINES = pytest.mark.parametrize("name", ["before", "after"])


@LINES
def test_idle_shares_of_segments_and_models_add_up_to_that_of_the_line(example_plan: Plan, name: str) -> None:
    line = getattr(example_plan.fit, name)
    segments = segment_uses(line)
    assert sum(use.operators for use in segments) == line.operators
    assert sum(use.stations for use in segments) == line.stations_used
    mean = sum(use.operators * use.idle_share for use in segments) / line.operators
    assert mean == pytest.approx(line.idle_share)
    by_model = idle_share_by_model(line)
    assert set(by_model) == {model for model, share in line.mix.items() if share > 0}
    assert sum(line.mix[model] * share for model, share in by_model.items()) == pytest.approx(line.idle_share)
    stations = station_uses(line)
    mean = sum(use.operators * use.idle_share for use in stations) / line.operators
    assert mean == pytest.approx(line.idle_share)
    for use in stations:
        assert all(use.stay_s[model] >= use.load_s[model] - 1e-6 for model in by_model)


@LINES
def test_yamazumi_charts_have_a_bar_for_every_operator_and_station_and_a_part_for_every_model(
    example_plan: Plan, name: str
) -> None:
    line, fit, programme = getattr(example_plan.fit, name), example_plan.fit, example_plan.programme
    models = sum(share > 0 for share in line.mix.values())
    for draw, bars in ((fragments.yamazumi, line.operators), (fragments.station_yamazumi, line.stations_used)):
        weighted = str(draw(line, fit, programme, "a", "A"))
        by_model = str(draw(line, fit, programme, "b", "B", by_model=True))
        for text in (weighted, by_model):
            desk = text.split("</svg>")[0]
            assert desk.count('class="hit"') == bars
            assert f"takt {line.takt_s:.1f} s" in desk
        assert "f-mute" in weighted
        # Every bar of every model that has work is a closed path of its own.
        desk = by_model.split("</svg>")[0]
        drawn = sum(len(re.findall("z", data)) for data in re.findall(r'd="([^"]+)" class="f-m\d"', desk))
        loads = [load.load_s for load in line.operator_loads]
        worked = sum(seconds > 0.1 for load in loads for model, seconds in load.items() if line.mix[model])
        assert drawn >= worked if bars == line.operators else drawn <= bars * models
        assert drawn > bars


def test_every_move_is_told_where_the_task_goes_from_and_where_it_goes_to(example_plan: Plan, page: str) -> None:
    fit = example_plan.fit
    groups = fragments.moves_by_station(fit)
    order = [station.station for station in fit.after.stations]
    assert [order.index(str(group["station"])) for group in groups] == sorted(
        order.index(str(group["station"])) for group in groups
    )
    for side, field in (("gives", "from_station"), ("takes", "to_station")):
        told = [(group["station"], move.task) for group in groups for move in group[side]]  # type: ignore[attr-defined]
        assert sorted(told) == sorted((getattr(move, field), move.task) for move in fit.moved_tasks)
    for move in fit.moved_tasks:
        assert page.count(str(escape(move.says))) == 2


def test_what_moves_buy_stands_in_page_workbook_and_terminal(example_plan: Plan, page: str, book: Any) -> None:
    curve = example_plan.fit.trade_off
    assert len(curve) > 1
    assert curve[-1].operators <= curve[0].operators
    rows = [[cell.value for cell in row] for row in book["Moves"].iter_rows()]
    summary = stage_summary("fit", example_plan.fit)
    for point in curve:
        written = [
            point.moves_allowed,
            point.moved_tasks,
            pytest.approx(point.moved_s),
            point.operators,
            point.stations,
        ]
        assert any(row[:5] == written for row in rows)
        assert f"{wording.plural(point.moved_tasks, 'task')} moved" in summary
        assert re.search(rf"{wording.whole(point.moved_s)}</td><td class=\"n\">{point.operators}</td>", page)
    assert 'id="trade-off"' in page
    says = [row[5] for row in rows if isinstance(row[5], str)]
    assert set(says) >= {move.says for move in example_plan.fit.moved_tasks}


def test_where_guests_overload_the_line_stands_in_page_workbook_and_terminal(
    example_plan: Plan, page: str, book: Any
) -> None:
    day = example_plan.sequence
    assert day.load is not None
    summary = stage_summary("sequence", day)
    rows = [[cell.value for cell in row] for row in book["Load"].iter_rows()]
    for answer in day.load.answers:
        said = wording.overload_answer(answer, day.cars_per_day)
        assert said in summary
        assert said in page
        assert any(row[:3] == [answer.borders.value, answer.utility_workers, answer.first_cars] for row in rows)
    for point in day.load.guest_shares:
        figures = [point.guest_cars, point.guest_share, point.closed_overload_s_per_car, point.open_overload_s_per_car]
        assert any(row[:4] == [pytest.approx(figure) for figure in figures] for row in rows)
    worst = day.load.stations[0]
    assert f"{worst.station} {wording.whole(worst.overload_s_per_day)} s a day" in summary
    assert 'id="overload-curve"' in page
    assert 'id="overloaded-stations"' in page


def test_a_line_that_built_nothing_before_has_a_page_too(example_plan: Plan, tmp_path: Path) -> None:
    fit = example_plan.fit
    nothing = dict.fromkeys(fit.after.mix, 0.0)
    stations = tuple(
        replace(station, operators=0, makespan_s={}, weighted_makespan_s=0.0, tasks=())
        for station in fit.before.stations
    )
    before = replace(
        fit.before,
        units_per_year=nothing,
        mix=nothing,
        stations_used=0,
        operators=0,
        operators_lower_bound=0,
        stations=stations,
        operator_loads=(),
        assignment=(),
    )
    plan = replace(example_plan, fit=replace(fit, before=before, moved_tasks=(), trade_off=()))
    write_report(plan, None, tmp_path / "report.html", RUN)
    write_workbook(plan, None, tmp_path / "plan.xlsx", RUN)
    assert "No resident work element changes its station" in (tmp_path / "report.html").read_text("utf-8")
    assert stage_summary("fit", plan.fit)


def test_remarks_on_the_line_are_printed(example_plan: Plan, tmp_path: Path) -> None:
    fit = replace(example_plan.fit, remarks=("Today's line breaks a rule: T01 <is> full.",))
    write_report(replace(example_plan, fit=fit), None, tmp_path / "report.html", RUN)
    assert "T01 &lt;is&gt; full." in (tmp_path / "report.html").read_text("utf-8")
    assert "T01 <is> full." in stage_summary("fit", fit)


# files


def test_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("before", "utf-8")

    def fail(temporary: Path) -> None:
        temporary.write_text("half", "utf-8")
        message = "disk full"
        raise OSError(message)

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert path.read_text("utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


# the workbook


def test_workbook_has_its_sheets_in_order_with_frozen_headings(book: Any) -> None:
    assert book.sheetnames == [
        "Answers", "Vehicle", "Demand", "Fit", "Moves", "Sequence", "Rules", "Load", "Store", "Flow", "Ramp",
        "Parties", "Deal", "Clauses", "Agreement", "Routes", "Announcement", "Risk", "Claims", "Evidence",
        "Assumptions", "Run",
    ]  # fmt: skip
    for sheet in book:
        assert sheet.freeze_panes == "B2"
        assert sheet.cell(1, 1).value
        assert all(dimension.width >= 8 for dimension in sheet.column_dimensions.values())


def test_sheets_without_results_are_left_out(example_plan: Plan, tmp_path: Path) -> None:
    deal = replace(example_plan.deal, clauses=())
    write_workbook(replace(example_plan, parties=None, alternatives=None, deal=deal), None, tmp_path / "a.xlsx", RUN)
    names = openpyxl.load_workbook(tmp_path / "a.xlsx", read_only=True).sheetnames
    assert {name for name, _ in workbook.SHEETS} - set(names) == {
        "Parties", "Clauses", "Agreement", "Routes", "Claims"
    }  # fmt: skip


def test_workbook_holds_no_formula_and_texts_that_look_like_one_stay_texts(example_plan: Plan, tmp_path: Path) -> None:
    entry = replace(example_plan.register[0], claim="=1+1", source="@SUM(A1)")
    plan = replace(example_plan, register=(entry, *example_plan.register[1:]))
    write_workbook(plan, None, tmp_path / "plan.xlsx", RUN)
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    looks_like_one = 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                if isinstance(cell.value, str) and cell.value[:1] in {"=", "+", "-", "@"}:
                    looks_like_one += 1
                    assert cell.data_type == "s"
                    assert cell.quotePrefix
    assert looks_like_one == 2


def test_numbers_in_the_workbook_are_numbers(book: Any) -> None:
    sheet = book["Assumptions"]
    heads = [cell.value for cell in sheet[1]]
    values = [row[heads.index("Value")].value for row in sheet.iter_rows(min_row=2)]
    assert values and all(isinstance(value, int | float) for value in values)


def test_each_headline_figure_stands_in_the_format_of_its_unit(book: Any, example_plan: Plan) -> None:
    rows = {row[0].value: row[1] for row in book["Answers"].iter_rows(min_row=9)}
    for name, value in example_plan.headline.items():
        cell = rows[wording.figure_name(name)]
        assert cell.value == pytest.approx(value, rel=1e-12)
        assert cell.number_format == workbook.number_format(unit_of(name))


def test_ends_of_a_range_keep_the_same_decimals() -> None:
    assert wording.range_with_unit(8.996, 9.93, "") == "9.00 to 9.93"
    assert wording.range_with_unit(-0.5, 0.25, "") == "−0.50 to 0.25"
    assert wording.range_with_unit(0.125, 120.0, "") == "0.125 to 120"
    assert wording.range_with_unit(0.0, 0.0, "") == "0 to 0"


def test_cells_take_what_results_hold() -> None:
    assert cells.plain_cell(np.int64(3)) == 3
    assert cells.plain_cell("a\x00b") == "a b"
    assert cells.plain_cell(None) is None
