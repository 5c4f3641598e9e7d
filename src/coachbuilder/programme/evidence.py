"""The evidence register: what is claimed, by whom, when, and how far it carries.

:data:`EVIDENCE_RULES` is the one table that turns a kind of evidence into a probability and a spread; the same
table is printed in ``docs/reference/evidence.md``.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from coachbuilder.programme.base import Section
from coachbuilder.programme.errors import Problem, closest


class EvidenceKind(StrEnum):
    """Kinds of evidence."""

    MEASURED = "measured"
    TYPE_APPROVAL = "type approval"
    COMPANY_FILING = "company filing"
    OFFICIAL_ANNOUNCEMENT = "official announcement"
    SPECIFICATION_SHEET = "specification sheet"
    NAMED_PRESS = "named press source"
    UNNAMED_PRESS = "unnamed press sources"
    ANALYST = "analyst"
    ANALOGY = "analogy"
    JUDGEMENT = "judgement"
    PLACEHOLDER = "placeholder"


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """How far a kind of evidence carries when nothing else is said.

    Parameters
    ----------
    probability
        Chance that a claim of this kind is true as stated, from one source, before support and denial.
    half_width_share
        Half of the 90 % interval of a number of this kind, as a fraction of the number.
    reason
        Why these two figures.
    """

    probability: float
    half_width_share: float
    reason: str


EVIDENCE_RULES: Mapping[EvidenceKind, EvidenceRule] = {
    EvidenceKind.MEASURED: EvidenceRule(0.99, 0.02, "repeat tests of one car differ by about 1 % (EPA test-car list)"),
    EvidenceKind.TYPE_APPROVAL: EvidenceRule(
        0.99, 0.03, "declared under penalty; conformity of production allows a few per cent"
    ),
    EvidenceKind.COMPANY_FILING: EvidenceRule(
        0.97, 0.05, "false statements to an exchange are punished; rounding and definitions remain"
    ),
    EvidenceKind.OFFICIAL_ANNOUNCEMENT: EvidenceRule(
        0.90, 0.15, "believed as an intention; dates and amounts of announced car programmes slip"
    ),
    EvidenceKind.SPECIFICATION_SHEET: EvidenceRule(
        0.95, 0.05, "a figure for sale, measured under the seller's best conditions"
    ),
    EvidenceKind.NAMED_PRESS: EvidenceRule(0.80, 0.15, "somebody stands for it with a name; second hand"),
    EvidenceKind.UNNAMED_PRESS: EvidenceRule(
        0.50, 0.30, "nobody stands for it; about as often right as wrong on deals not yet signed"
    ),
    EvidenceKind.ANALYST: EvidenceRule(0.65, 0.20, "a forecast by someone paid to have one"),
    EvidenceKind.ANALOGY: EvidenceRule(0.65, 0.25, "true elsewhere; how far it carries over is the question"),
    EvidenceKind.JUDGEMENT: EvidenceRule(
        0.60, 0.30, "experts' 90 % intervals are commonly half as wide as they should be"
    ),
    EvidenceKind.PLACEHOLDER: EvidenceRule(0.50, 0.50, "nobody has looked; stands until somebody does"),
}

PLACEHOLDER_WIDTH = EVIDENCE_RULES[EvidenceKind.PLACEHOLDER].half_width_share
"""The widest spread that a kind of evidence gives: that of a number for which nobody has looked."""

SUPPORT_STRENGTH = 0.5
"""Share of a supporting entry's probability that counts: sources may share one origin."""

MORE_SOURCES_STRENGTH = 0.25
"""The same for every further source behind one entry: sources of one report are hardly independent."""


class Evidence(Section):
    """One entry of the register."""

    kind: EvidenceKind
    """What kind of evidence this is; decides probability and spread when nothing else is said."""
    claim: str = Field(min_length=1)
    """What is claimed, in a sentence."""
    source: str = Field(min_length=1)
    """Who says so: the publication, filing, data set or person, so that a reader can find it."""
    date: dt.date
    """When it became known; ``as_of`` hides later entries."""
    sources_count: int = Field(default=1, ge=1, le=100)
    """How many sources stand behind it (for unnamed press sources: as many as the report gives)."""
    supports: tuple[str, ...] = ()
    """Entries that this one makes more likely."""
    denies: tuple[str, ...] = ()
    """Entries that this one says are false."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an entry carries once support and denial have been counted.

    Parameters
    ----------
    prior
        Probability by its kind and number of sources alone.
    probability
        Probability after support and denial.
    half_width_share
        Half of the 90 % interval that it gives to a number without a stated range.
    """

    prior: float
    probability: float
    half_width_share: float


def prior_probability(kind: EvidenceKind, sources_count: int) -> float:
    """Return the probability of a claim by its kind and its number of sources.

    Each further source closes :data:`MORE_SOURCES_STRENGTH` times its own probability of the remaining doubt.

    Examples
    --------
    >>> round(prior_probability(EvidenceKind.UNNAMED_PRESS, 3), 3)
    0.617
    """
    probability = EVIDENCE_RULES[kind].probability
    doubt = (1 - probability) * (1 - MORE_SOURCES_STRENGTH * probability) ** (sources_count - 1)
    return 1 - doubt


def standings(register: Mapping[str, Evidence]) -> dict[str, Standing]:
    """Return what every entry carries after support and denial.

    A supporting entry of probability ``q`` closes ``SUPPORT_STRENGTH * q`` of the remaining doubt (noisy or); a
    denying entry of probability ``q`` leaves ``1 - q`` of the probability, for the claim stands only if its
    denial is wrong. The spread grows as the inverse of what was lost and never past a placeholder's.

    Parameters
    ----------
    register
        Entries by identifier; links must have been checked with :func:`link_problems`.
    """
    backers: dict[str, list[tuple[str, bool]]] = {name: [] for name in register}
    for name, entry in register.items():
        for target in entry.supports:
            if target in backers:
                backers[target].append((name, True))
        for target in entry.denies:
            if target in backers:
                backers[target].append((name, False))
    result: dict[str, Standing] = {}

    def resolve(name: str) -> Standing:
        known = result.get(name)
        if known is not None:
            return known
        entry = register[name]
        prior = prior_probability(entry.kind, entry.sources_count)
        probability = prior
        for backer, is_support in sorted(backers[name], key=lambda item: (not item[1], item[0])):
            strength = resolve(backer).probability
            if is_support:
                probability = 1 - (1 - probability) * (1 - SUPPORT_STRENGTH * strength)
            else:
                probability *= 1 - strength
        rule = EVIDENCE_RULES[entry.kind]
        width = min(rule.half_width_share * rule.probability / max(probability, 1e-9), PLACEHOLDER_WIDTH)
        result[name] = Standing(prior, probability, width)
        return result[name]

    for name in register:
        resolve(name)
    return result


def link_problems(register: Mapping[str, Evidence], file: str) -> list[Problem]:
    """Return the faults of the links: unknown names, an entry that backs itself, circles."""
    problems: list[Problem] = []
    for name, entry in register.items():
        for field, targets in (("supports", entry.supports), ("denies", entry.denies)):
            for target in targets:
                if target == name:
                    problems.append(
                        Problem(file, f"evidence.{name}.{field}", target, "another entry than the entry itself")
                    )
                elif target not in register:
                    problems.append(
                        Problem(
                            file,
                            f"evidence.{name}.{field}",
                            target,
                            "the name of an entry in the evidence register",
                            hint=closest(target, register),
                        )
                    )
    circle = _find_circle(register)
    if circle:
        problems.append(
            Problem(
                file,
                f"evidence.{circle[0]}",
                " -> ".join([*circle, circle[0]]),
                "supports and denies without a circle",
                hint="let the later entry speak of the earlier one only",
            )
        )
    return problems


def _find_circle(register: Mapping[str, Evidence]) -> list[str]:
    state: dict[str, int] = {}

    for start in register:
        if start in state:
            continue
        path: list[str] = []
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            name, position = stack.pop()
            if position == 0:
                state[name] = 1
                path.append(name)
            targets = [target for target in (*register[name].supports, *register[name].denies) if target in register]
            if position < len(targets):
                stack.append((name, position + 1))
                target = targets[position]
                if state.get(target) == 1:
                    if target != name:
                        return path[path.index(target) :]
                elif target not in state:
                    stack.append((target, 0))
            else:
                state[name] = 2
                path.pop()
    return []


def spread(value: float, half_width_share: float, minimum: float | None, maximum: float | None) -> tuple[float, float]:
    """Return the 90 % interval that a kind of evidence gives to a number without a stated range.

    A quantity without an upper limit is spread by a factor (``value / (1 + w)`` to ``value * (1 + w)``). One between 0
    and an upper limit is as uncertain as its distance to the nearer of them, so that an efficiency of 0.975 spreads
    like a loss of 0.025: by that distance times ``w`` to each side. Any other is spread by ``value * w`` to each side.
    All are cut at the field's limits.

    Examples
    --------
    >>> spread(100.0, 0.25, 0.0, None)
    (80.0, 125.0)
    >>> spread(0.75, 0.5, 0.0, 1.0)
    (0.625, 0.875)
    """
    reach = abs(value) * half_width_share
    if minimum is not None and minimum >= 0 and maximum is not None:
        reach = min(value - minimum, maximum - value) * half_width_share
    low, high = value - reach, value + reach
    if minimum is not None and minimum >= 0 and maximum is None:
        low, high = value / (1 + half_width_share), value * (1 + half_width_share)
    return max(low, -math.inf if minimum is None else minimum), min(high, math.inf if maximum is None else maximum)
