"""Contracts shaped like real ones: they load, price and say what they rest on."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest

from coachbuilder.programme import InputError, load
from coachbuilder.programme.presets import preset_names, read_preset

EXAMPLE = Path(__file__).parents[2] / "examples" / "phone-maker-ev"


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_takes_the_place_of_the_contract_and_brings_its_evidence(name: str) -> None:
    own, priced = load(EXAMPLE), load(EXAMPLE, preset=name)
    raw = read_preset(name)
    assert [clause.id for clause in priced.document.deal.clause] == [clause["id"] for clause in raw["clause"]]
    assert set(priced.evidence) - set(own.evidence) == set(raw["evidence"])
    inherited = {item.evidence for path, item in priced.assumptions.items() if path.startswith("deal.clause.")}
    assert inherited <= set(raw["evidence"])


def test_what_became_known_later_says_that_it_is_hindsight() -> None:
    early = load(EXAMPLE, preset="nio-jac-2021").evidence["preset-nio-jac-renewed"]
    assert early.date == dt.date(2021, 3, 26)
    assert "hindsight" in early.claim
    late = load(EXAMPLE, preset="nio-jac-2021", as_of=dt.date(2022, 6, 1)).evidence["preset-nio-jac-renewed"]
    assert late.date == dt.date(2021, 5, 24)
    assert "hindsight" not in late.claim


def written(folder: Path, change: Any) -> Path:
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("out"))
    file = folder / "programme.toml"
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def without_clauses(text: str, preset: str) -> str:
    start = text.index("[[deal.clause]]")
    end = text.index("[deal.host]")
    text = text[:start] + text[end:]
    return text.replace(
        '[deal]\nevidence = "deal-judgement"\n', f'[deal]\nevidence = "deal-judgement"\npreset = "{preset}"\n'
    )


def test_a_programme_can_name_a_preset_that_its_day_knows(tmp_path: Path) -> None:
    folder = written(tmp_path / "named", lambda text: without_clauses(text, "fisker-magna"))
    named = load(folder)
    assert [clause.id for clause in named.document.deal.clause] == ["fee", "warrants"]
    assert named.evidence["preset-fisker-magna-fee"].kind == "placeholder"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda text: without_clauses(text, "nio-jac-2021"), "evidence"),
        (lambda text: without_clauses(text, "nio-jac"), "deal.preset"),
        (lambda text: text.replace("[deal]\n", '[deal]\npreset = "xpeng-haima"\n'), "deal.preset"),
    ],
)
def test_unknown_later_and_doubled_presets_are_told(tmp_path: Path, change: Any, field: str) -> None:
    with pytest.raises(InputError) as caught:
        load(written(tmp_path / "wrong", change))
    assert any(field in f"{problem.field} {problem.expected}" for problem in caught.value.problems)
