"""Writes docs/reference from the code, so that it cannot drift: ``python docs/make_reference.py``.

With ``--check`` nothing is written; the exit status is 1 if a page is not what the code says.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
import types
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from coachbuilder.programme.assumption import Assumption
from coachbuilder.programme.evidence import (
    EVIDENCE_RULES,
    LARGEST_RATIO,
    SAME_ORIGIN_RHO,
    SAME_REPORT_RHO,
)
from coachbuilder.programme.schema import PlantDocument, ProgrammeDocument
from coachbuilder.programme.sections.plant_file import PlantFileDocument
from coachbuilder.programme.units import unit_of

REFERENCE = Path(__file__).resolve().parent / "reference"
NOTE = "*This page is written from the code by `python docs/make_reference.py`; do not edit it.*\n"


def evidence_page() -> str:
    """Return the table from kinds of evidence to probability and spread."""
    rows = "\n".join(
        f"| {kind.value} | {rule.probability:.2f} | {_ratio(rule.support_ratio)} | {_ratio(rule.denial_ratio)} | "
        f"±{100 * rule.half_width_share:.0f} % | {rule.reason} |"
        for kind, rule in EVIDENCE_RULES.items()
    )
    return f"""# Evidence: kinds, probabilities, spreads

{NOTE}
Every assumption names an entry of the evidence register. Where the file states no range of its own, the kind of
evidence gives one: the number w in the fifth column is half of the 90 % interval as a share of the value. A quantity
without an upper limit is spread by a factor (value / (1 + w) to value × (1 + w)). One between 0 and an upper limit,
such as a share, is as uncertain as its distance to the nearer of them: it is spread by that distance times w to each
side. Any other is spread by value × w to each side. All are cut at the field's limits.

| kind | probability, one source | odds × when it supports | odds ÷ when it denies | spread of a number | why |
|---|---|---|---|---|---|
{rows}

**From evidence to probability.** Bayes' rule on odds, o = P / (1 − P):

    log o(claim) = log o(kind, n sources) + Σ weight of what supports it − Σ weight of what denies it
    weight       = n_eff log(likelihood ratio)          n_eff = n / (1 + (n − 1) ρ)

A likelihood ratio says how many times likelier such a source speaks so if it is right than if it is wrong; it is the
odds of its reliability. A denial has one of its own, mostly lower: those who deny are often parties to the matter. A
company's filing against a rumour is strong, but companies deny true deals too. An entry may state its own
`likelihood_ratio`. No entry counts for more than a measurement ({LARGEST_RATIO:.0f}).

**Several sources.** The n sources behind one entry count as n_eff independent ones, with ρ = {SAME_REPORT_RHO:g}:
the first gives the kind's probability, the rest multiply its odds. Entries that name one `origin` are joined with
ρ = {SAME_ORIGIN_RHO:g}, for they go back to the same knowledge; unequal ones are counted in units of the strongest,
so that a weak echo never lowers what is known. An echo of the claim's own origin is joined with the claim's own
sources. ρ = 0 counts each source in full, ρ = 1 all of them as one. Both values of ρ are judgements.

**Backers that are doubted.** What speaks against a backer by a factor u < 1 on its odds changes its ratio r to
1 + (r − 1) u: a discredited source counts for nothing, not for the opposite. Support of a backer gives back what a
denial took from it, and no more: that a company was founded is no better proof of what it will do.

**Spread.** Numbers of a claim that lost probability spread wider by what was lost, at most as wide as a placeholder's.

**Several switches.** A programme may rest on several claims at once (`rests_on` a list). Their joint probability is the
product, as if they were independent.

**Dates.** Entries dated after `as_of` are hidden. An assumption may list dated versions of itself; the one with the
latest visible evidence is used. If none is visible the programme cannot be planned on that day, and it says so.

**If a claim is false**, the numbers that name it take their `if_false` value where the file gives one. The others
spread as placeholders do, and stand together at the likeliest point at which they do the side asked about as much harm
as in one case of twenty: one number alone goes to the worse end of its spread, several go part of the way, each in
proportion to the harm it does.
"""


def _ratio(ratio: float) -> str:
    return f"{ratio:.1f}".removesuffix(".0")


def programme_page() -> str:
    """Return the keys of programme.toml and plant.toml."""
    parts = ["# The programme folder\n", NOTE]
    for file, document in (("programme.toml", ProgrammeDocument), ("plant.toml", PlantDocument)):
        parts.append(f"\n## {file}\n")
        for path, section in _sections(document, ""):
            rows = [
                f"| `{field.alias or name}` | {_type_words(field.annotation, name)} | "
                f"{'required' if field.is_required() else 'optional'} | {_one_line(field.description)} |"
                for name, field in section.model_fields.items()
            ]
            title = f"`[{path}]`" if path else "top level"
            parts.append(f"\n### {title}\n\n{_one_line(section.__doc__)}\n")
            parts.append("\n| key | type | | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n")
    return "".join(parts)


def plant_file_page() -> str:
    """Return the keys of a plant file."""
    first, _, rest = (inspect.getdoc(PlantFileDocument) or "").partition("\n\n")
    parts = ["# The plant file\n", NOTE, f"\n{first} How it is written is told in [plant files](../plant-files.md).\n"]
    parts.append(f"\n{rest}\n")
    shown: set[type[BaseModel]] = set()
    for path, section in _sections(PlantFileDocument, "", shown):
        rows = [
            f"| `{field.alias or name}` | {_plain_words(field.annotation, name)} | {_default_words(field)} | "
            f"{_one_line(field.description)} |"
            for name, field in section.model_fields.items()
        ]
        names = path.replace("[", "").replace("]", "")
        title = f"`[[{names}]]`" if path.endswith("]") else f"`[{names}]`"
        about = " ".join((inspect.getdoc(section) or "").split())
        parts.append(f"\n## {title}\n\n{about}\n" if path else "\n## Top level\n")
        parts.append("\n| key | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n")
    return "".join(parts).replace("``", "`")


def _plain_words(annotation: Any, name: str) -> str:
    """Return the type of a key of a plant file in words."""
    choices = [item for item in typing.get_args(annotation) if item is not type(None)]
    if type(None) in typing.get_args(annotation):
        return _plain_words(choices[0], name)
    if typing.get_origin(annotation) is typing.Annotated:
        return _plain_words(choices[0], name)
    unit = unit_of(name) if unit_of(name) not in ("fraction", "cars", "stations") else ""
    if annotation is float:
        return f"number, {unit}" if unit else "number"
    if typing.get_origin(annotation) is tuple:
        inner = _plain_words(choices[0], name)
        return {"text": "name or list of names", f"number, {unit}": f"number or list, {unit}"}.get(
            inner, f"list of {inner}"
        )
    if typing.get_origin(annotation) is dict:
        return f"table by name: {_plain_words(choices[1], name)}"
    if isinstance(annotation, type) and hasattr(annotation, "from_plain"):
        return f"number or table, {unit}" if unit else "number or table"
    return _type_words(annotation, name)


def _default_words(field: Any) -> str:
    """Return what holds where a key is left out."""
    if field.is_required():
        return "required"
    value = getattr(field.default, "value", field.default)
    if value is True or value is False:
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value) if value and isinstance(value, int | str) else ""


def plan_page() -> str:
    """Return the keys of plan.json."""
    from coachbuilder.plan import Plan
    from coachbuilder.risk import RiskResult

    places = {
        "timing": "timing",
        "vehicle": "vehicle",
        "demand": "market.demand",
        "announcement": "market.announcement",
        "comparison": "market.comparison",
        "parties": "market.parties",
        "fit": "plant.fit",
        "sequence": "plant.sequence",
        "flow": "plant.flow",
        "deal": "deal",
        "alternatives": "alternatives",
        "register": "evidence",
        "assumptions": "assumptions",
    }
    hints = typing.get_type_hints(Plan, _stage_names())
    parts = ["# plan.json\n", NOTE, "\nAll that cannot be repeated (times, paths, versions) stands under `run`.\n"]
    seen: set[type] = set()
    for name, place in places.items():
        for kind in _dataclasses(hints[name]):
            parts.extend(_dataclass_tables(place, kind, seen))
    parts.extend(_dataclass_tables("risk", RiskResult, seen))
    return "".join(parts)


def _dataclass_tables(place: str, kind: type, seen: set[type]) -> Iterator[str]:
    if kind in seen:
        return
    seen.add(kind)
    described = _attribute_docstrings(kind)
    hints = typing.get_type_hints(kind, {**vars(sys.modules[kind.__module__]), **_stage_names()})
    yield f"\n## `{place}` ({kind.__name__})\n\n{_one_line(inspect.getdoc(kind))}\n\n"
    yield "| key | unit | meaning |\n|---|---|---|\n"
    for item in fields(kind):
        yield f"| `{item.name}` | {unit_of(item.name)} | {_one_line(described.get(item.name, ''))} |\n"
    for item in fields(kind):
        for inner in _dataclasses(hints[item.name]):
            yield from _dataclass_tables(f"{place}.{item.name}", inner, seen)


def _stage_names() -> dict[str, Any]:
    """Return what plan.py imports for its annotations alone."""
    from coachbuilder import deal, market, vehicle
    from coachbuilder.market import parties
    from coachbuilder.plant import balance, flow, sequence

    names: dict[str, Any] = dict(vars(sys.modules["coachbuilder.plan"]))
    for module in (vehicle, market, parties, balance, sequence, flow, deal):
        names.update({name: getattr(module, name) for name in module.__all__})
    return names


def _dataclasses(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and is_dataclass(annotation):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _dataclasses(argument)


def _attribute_docstrings(kind: type) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    body = tree.body[0].body  # type: ignore[attr-defined]
    found: dict[str, str] = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[field.target.id] = str(text.value.value)  # type: ignore[union-attr]
    if not found:
        for match in re.finditer(r"^(\w[\w, ]*)\n((?:    .+\n?)+)", inspect.getdoc(kind) or "", re.MULTILINE):
            for name in match.group(1).split(","):
                found[name.strip()] = match.group(2)
    return found


def _sections(
    section: type[BaseModel], path: str, shown: set[type[BaseModel]] | None = None
) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield sections with their paths; with ``shown`` each section once."""
    yield path, section
    for name, field in section.model_fields.items():
        for inner, is_list in _inner_sections(field.annotation, False):
            if shown is not None:
                if inner in shown:
                    continue
                shown.add(inner)
            here = f"{path}.{name}" if path else name
            here = here.replace("[", "").replace("]", "") if is_list else here
            yield from _sections(inner, f"[{here}]" if is_list else here, shown)


def _inner_sections(annotation: Any, is_list: bool) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, is_list
    for argument in typing.get_args(annotation):
        yield from _inner_sections(argument, is_list or typing.get_origin(annotation) is tuple)


def _type_words(annotation: Any, name: str) -> str:
    if annotation is Assumption or Assumption in typing.get_args(annotation):
        unit = unit_of(name)
        return f"assumption, {unit}" if unit else "assumption"
    kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    if type(None) in typing.get_args(annotation) and len(kinds) == 1 and Assumption in typing.get_args(kinds[0]):
        return _type_words(kinds[0], name)
    origin = typing.get_origin(annotation)
    if origin is tuple:
        return f"list of {_type_words(typing.get_args(annotation)[0], '')}"
    if origin in (typing.Union, types.UnionType) and type(None) not in typing.get_args(annotation):
        return " or ".join(_type_words(item, name) for item in typing.get_args(annotation))
    if origin is typing.Annotated:
        return _type_words(typing.get_args(annotation)[0], name)
    if origin is dict:
        return f"table of {_type_words(typing.get_args(annotation)[1], name)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    values = getattr(annotation, "__members__", None)
    if values:
        return " or ".join(f"'{member.value}'" for member in values.values())
    return {"str": "text", "int": "whole number", "bool": "true or false", "date": "date"}.get(
        getattr(annotation, "__name__", str(annotation)), str(annotation).replace("|", "or")
    )


def _one_line(text: str | None) -> str:
    first = (text or "").strip().split("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")


PAGES = {
    "evidence.md": evidence_page,
    "programme-folder.md": programme_page,
    "plant-file.md": plant_file_page,
    "plan-json.md": plan_page,
}


def main() -> int:
    """Write or check the pages."""
    stale = []
    for name, page in PAGES.items():
        path = REFERENCE / name
        text = page()
        if "--check" in sys.argv:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.stderr.write(f"not what the code says: {', '.join(stale)}; run python docs/make_reference.py\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
