"""The picture of the replay: it is well-formed, tells what the replay holds, and stays within its bounds."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coachbuilder.cli import app
from coachbuilder.report.jsonable import dumps
from coachbuilder.report.replay_chart import replay_document, replay_page, replay_svg, replay_text, write_replay
from coachbuilder.risk.claims import ClaimValue, OptionValue, SideDecision
from coachbuilder.risk.replay import ClaimPoint, ClaimScore, ReplayEntry, ReplayResult, ReplaySide, ReplayStep

DAYS = [dt.date(2021, 3, 26), dt.date(2021, 3, 29), dt.date(2021, 5, 11), dt.date(2024, 3, 28)]
CHANCES = [0.41, 0.07, 0.07, 0.0001]


def _result() -> ReplayResult:
    names = ["deal", "denial", "weather", "car"]
    entries = [
        ReplayEntry("deal", "unnamed press sources", "A deal <is> coming & soon", "Agency, page 1", (), ()),
        ReplayEntry("denial", "company filing", "No such talks. More follows.", "The host", (), ("deal",)),
        ReplayEntry("weather", "measured", "It rains", "A gauge", (), ()),
        ReplayEntry("car", "named press source", "The car is sold", "Press", (), ("deal",)),
    ]
    question = ClaimValue(
        "price", "judgement", "c", 0.6, False, ("market.demand.guest_price_cny",), 0, 0, 0, 0, 0, 0, 3e8
    )
    decision = SideDecision("joint", (OptionValue("neither", 0.0),), "neither", 0.0, 1e6, -1e9, -2e9, 0.0, 0.0)
    steps = []
    for number, (day, chance) in enumerate(zip(DAYS, CHANCES, strict=True)):
        before = CHANCES[number - 1] if number else None
        brand = ReplaySide(
            "brand", -7e9, -1e10, -3e9, -7e9 * chance, -1e10 * chance, -3e9 * chance, 2e10, -1e10, None, "at least"
        )
        host = ReplaySide("host", 1e8, -6e8, 4e8, 1e8 * chance, -6e8 * chance, 4e8 * chance, None, None, None, "")
        steps.append(
            ReplayStep(
                day, (entries[number],), chance, before, None if before is None else chance / before, DAYS[0],
                (brand, host), (decision,), (question,),
            )
        )  # fmt: skip
    points = tuple(ClaimPoint(day, chance, (name,)) for day, chance, name in zip(DAYS, CHANCES, names, strict=True))[:3]
    score = ClaimScore("deal", "A deal is coming", points, False, DAYS[3], "car", 0.0123, 0.0456, 0.168, 0.53)
    return ReplayResult(
        "A case", "Brand", "Host", ("deal",), DAYS[0], DAYS[3], tuple(steps), (score,), 0.0123, 0.0456, 1, 64
    )


def test_the_picture_is_well_formed_and_tells_every_day_the_outcome_and_the_score() -> None:
    root = ElementTree.fromstring(replay_svg(_result()))
    texts = [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]
    for told in (
        "26 Mar 2021",
        "29 Mar",
        "28 Mar 2024",
        "41 %",
        "7 %",
        "It did not happen.",
        "answered",
        "No such talks",
    ):
        assert told in texts, told
    assert any("0.0123" in text for text in texts)
    assert any(text.startswith("at least 20") for text in texts)


def test_every_word_begins_within_the_picture() -> None:
    root = ElementTree.fromstring(replay_svg(_result()))
    left, top, width, height = (float(number) for number in root.attrib["viewBox"].split())
    for node in root.iter("{http://www.w3.org/2000/svg}text"):
        assert left <= float(node.attrib["x"]) <= left + width
        assert top <= float(node.attrib["y"]) <= top + height


def test_before_the_outcome_no_verdict_is_drawn() -> None:
    result = _result()
    early = replace(
        result,
        steps=result.steps[:2],
        claims=(replace(result.claims[0], happened=None, known_on=None, brier=None, log_score=None),),
    )
    text = replay_svg(early)
    assert "happen" not in text.partition("</desc>")[2]
    assert "answered" not in text


def test_the_page_and_the_text_tell_the_same_and_the_document_is_json(tmp_path: Path) -> None:
    result = _result()
    page = replay_page(result)
    for day in ("26 Mar 2021", "28 Mar 2024"):
        assert day.replace(" ", "\u00a0") in page
    assert "0.0123" in page
    assert "how large: guest price" in page
    text = replay_text(result)
    assert [line[:10] for line in text.splitlines() if line[:2] == "20"] == [day.isoformat() for day in DAYS]
    assert '"brier": 0.0123' in dumps(replay_document(result, {}))
    write_replay(result, tmp_path / "r.svg")
    assert (tmp_path / "r.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("options", "told"),
    [(["--from", "soon"], "--from"), (["--to", "2021-3-1"], "--to"), (["--out", "replay.pdf"], "--out")],
)
def test_bad_options_are_told_before_anything_is_planned(example_folder: Path, options: list[str], told: str) -> None:
    found = CliRunner().invoke(app, ["replay", str(example_folder), *options])
    assert told in str(found.exception)


def test_a_long_name_of_a_side_is_told_whole() -> None:
    texts = [
        node.text or ""
        for node in ElementTree.fromstring(replay_svg(replace(_result(), host="Great Wall Motor"))).iter(
            "{http://www.w3.org/2000/svg}text"
        )
    ]
    assert {"Great Wall", "Motor"} <= set(texts)
