"""The report: one HTML file with everything in it, written whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from coachbuilder.report import order_words, wording
from coachbuilder.report.writing import write_whole

if TYPE_CHECKING:
    from jinja2 import Environment

    from coachbuilder.deal.interface import PartyResult
    from coachbuilder.plan import Plan, RegisteredAssumption, RegisterEntry
    from coachbuilder.risk.examination import Examination
    from coachbuilder.risk.interface import EvidenceInfluence, FigureSpread, RiskResult

WEAK_KINDS = frozenset({"placeholder"})
"""Kinds of evidence that are marked: nobody has looked yet."""


def write_report(
    plan: Plan, risk: RiskResult | None, path: Path, run: Mapping[str, Any], examination: Examination | None = None
) -> None:
    """Write the report of a plan.

    Parameters
    ----------
    plan
        The plan.
    risk
        Its spreads and what it rests on; None leaves the ranges and the risk section out.
    path
        Where the HTML file shall stand.
    run
        All that cannot be repeated: times, versions, paths.
    examination
        A closer look at the same draws; None leaves out what would have to be true.

    Raises
    ------
    OSError
        If the file cannot be written; a file that stood there stays as it was.
    """
    text = report_html(plan, risk, run, examination)

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_whole(path, write)


def report_html(
    plan: Plan, risk: RiskResult | None, run: Mapping[str, Any], examination: Examination | None = None
) -> str:
    """Return the report of a plan as one HTML text."""
    from coachbuilder.report import agreement_chart, agreement_words, demand_parts, fragments

    register = Register.of(plan)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            plan=plan,
            risk=risk,
            examination=examination,
            run=dict(run),
            register=register,
            spreads=Spreads(risk),
            claims=Claims.of(plan, risk),
            pictures=fragments,
            agreement_chart=agreement_chart,
            agreement_words=agreement_words,
            demand_parts=demand_parts,
            css=style_sheet(),
            script=_text("script.js"),
        )
    )


def environment() -> Environment:
    """Return the template environment: everything escaped, unknown names refused, the words of :mod:`wording`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from coachbuilder.report import claims_words, deal_clauses, examination_words
    from coachbuilder.report.parties_picture import status_timeline

    made = Environment(
        loader=PackageLoader("coachbuilder.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        number=wording.number,
        whole=wording.whole,
        fixed=wording.fixed,
        percent=wording.percent,
        probability=wording.probability,
        money=wording.money,
        with_unit=wording.with_unit,
        date=wording.date,
        short_date=wording.short_date,
        label=wording.label,
        figure_name=wording.figure_name,
        typeset=wording.typeset,
        measured=wording.measured,
        breakable=_breakable,
        plural=wording.plural,
        overload_question=wording.overload_question,
        overload_answer=wording.overload_answer,
        roots=wording.roots,
        objectives=order_words.objectives_words,
        store_words=order_words.store_words,
        figure=lambda value, name: wording.figure(name, value),
    )
    made.globals.update(
        money_range=wording.money_range,
        open_money_range=wording.open_money_range,
        range_with_unit=wording.range_with_unit,
        year_columns=lambda years: [(str(year), "n year") for year in years],
        cash_rows=_cash_rows,
        status_timeline=status_timeline,
        contract=deal_clauses,
        claims_words=claims_words,
        examination_words=examination_words,
        zip=zip,
    )
    return made


def _breakable(path: str) -> Markup:
    """Return the path of an assumption that may be broken where its words end."""
    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(path))))


def _cash_rows(party: PartyResult) -> list[list[str]]:
    """Return one side's cash by line and year in millions, its whole last."""
    lines = [(line.name, line.cny_by_year) for line in party.lines]
    lines.append(("Cash after tax", party.cash_cny_by_year))
    lines.append(("Summed up", party.cumulative_cash_cny_by_year))
    return [[name, *(wording.whole(float(value) / 1e6) for value in values)] for name, values in lines]


def style_sheet() -> str:
    """Return the style sheet of the page, for a picture that stands alone."""
    return _text("style.css")


def _text(name: str) -> str:
    from importlib.resources import files

    return (files("coachbuilder.report") / "templates" / name).read_text(encoding="utf-8")


class Spreads:
    """Finds the spread of a headline figure and puts it into words.

    Parameters
    ----------
    risk
        The risk stage's answer; without one every spread is empty.
    """

    def __init__(self, risk: RiskResult | None) -> None:
        self._by_name: dict[str, FigureSpread] = {item.name: item for item in risk.figures} if risk else {}

    def __getitem__(self, name: str) -> FigureSpread | None:
        return self._by_name.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def words(self, name: str) -> str:
        """Return the range from P10 to P90 with its unit, or an empty text."""
        from coachbuilder.programme.units import unit_of

        spread = self._by_name.get(name)
        if spread is None or spread.p10 is None or spread.p90 is None:
            return ""
        return wording.range_with_unit(spread.p10, spread.p90, unit_of(name))

    def numbers(self, name: str) -> str:
        """Return the range from P10 to P90 without its unit, for a sentence that has said it; or an empty text."""
        spread = self._by_name.get(name)
        if spread is None or spread.p10 is None or spread.p90 is None:
            return ""
        return wording.range_with_unit(spread.p10, spread.p90, "")


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims on which the answer rests.

    Parameters
    ----------
    switch
        The entry of the register that says that there is a partnership.
    worst
        The other claim that costs the two together most if it is false; None without a risk stage.
    """

    switch: RegisterEntry | None
    worst: EvidenceInfluence | None

    @classmethod
    def of(cls, plan: Plan, risk: RiskResult | None) -> Claims:
        """Return the claims of a plan; those that turn an answer come before those that do not."""
        named = plan.programme.document.programme.switches
        switch = next((entry for entry in plan.register if entry.id == named[0]), None)
        others = [item for item in (risk.evidence if risk else ()) if item.evidence not in named]
        turning = [item for item in others if item.turns_joint or item.turns_brand or item.turns_host]
        return cls(switch, next(iter(turning or others), None))


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """A link from a section to a line of the register."""

    number: int
    name: str
    weak: bool


@dataclass(frozen=True, slots=True)
class TraceGroup:
    """Links under one heading."""

    name: str
    entries: tuple[TraceEntry, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """What a section rests on."""

    count: int
    placeholders: int
    groups: tuple[TraceGroup, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """The assumptions in the order in which they are printed, weakest evidence first, with a number for each."""

    lines: tuple[tuple[int, RegisteredAssumption], ...]
    numbers: Mapping[str, int]
    trace: Mapping[str, tuple[str, ...]]
    kinds: tuple[str, ...]
    names: Mapping[str, str]

    @classmethod
    def of(cls, plan: Plan) -> Register:
        """Return the register of a plan."""
        ordered = sorted(plan.assumptions, key=lambda item: (item.probability, item.kind, item.path))
        lines = tuple(enumerate(ordered, start=1))
        return cls(
            lines,
            {item.path: number for number, item in lines},
            plan.trace,
            tuple(sorted({item.kind for item in ordered})),
            {item.path: wording.path_label(item.path) for item in ordered},
        )

    def of_stage(self, stage: str) -> Trace | None:
        """Return what a stage rests on, in groups by the table of the programme file; None if it is not traced."""
        paths = self.trace.get(stage)
        if not paths:
            return None
        by_number = dict(self.lines)
        groups: dict[str, list[TraceEntry]] = {}
        placeholders = 0
        for path in sorted(paths):
            number = self.numbers.get(path)
            if number is None:
                continue
            weak = by_number[number].kind in WEAK_KINDS
            placeholders += weak
            table, _, name = path.rpartition(".")
            groups.setdefault(table, []).append(TraceEntry(number, name.replace("_", " "), weak))
        found = tuple(TraceGroup(name, tuple(entries)) for name, entries in groups.items())
        return Trace(sum(len(group.entries) for group in found), placeholders, found)
