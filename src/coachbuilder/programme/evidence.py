"""The evidence register: what is claimed, by whom, when, and how far it carries.

:data:`EVIDENCE_RULES` is the one table that turns a kind of evidence into a probability, a likelihood ratio and a
spread; the same table is printed in ``docs/reference/evidence.md``. :func:`standings` is the reckoning.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
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
    reliability
        Chance that a source of this kind, asked about a claim that somebody else has made, says rightly that it is
        true, and equally that it says rightly that it is false. Its odds are the likelihood ratio of a support.
    denial_reliability
        The same for a denial. Who denies is often a party to the matter, and has reasons of its own to do so.
    half_width_share
        Half of the 90 % interval of a number of this kind, as a fraction of the number.
    reason
        Why these figures.
    """

    probability: float
    reliability: float
    denial_reliability: float
    half_width_share: float
    reason: str

    @property
    def support_ratio(self) -> float:
        """How many times likelier such a source supports a claim if it is true than if it is false."""
        return self.reliability / (1 - self.reliability)

    @property
    def denial_ratio(self) -> float:
        """How many times likelier such a source denies a claim if it is false than if it is true."""
        return self.denial_reliability / (1 - self.denial_reliability)


EVIDENCE_RULES: Mapping[EvidenceKind, EvidenceRule] = {
    EvidenceKind.MEASURED: EvidenceRule(
        0.99, 0.99, 0.99, 0.02, "repeat tests of one car differ by about 1 % (EPA test-car list)"
    ),
    EvidenceKind.TYPE_APPROVAL: EvidenceRule(
        0.99, 0.99, 0.99, 0.03, "declared under penalty; conformity of production allows a few per cent"
    ),
    EvidenceKind.COMPANY_FILING: EvidenceRule(
        0.97,
        0.97,
        0.90,
        0.05,
        "false statements to an exchange are punished; rounding and definitions remain. A denial is weaker: 'not "
        "negotiating' can be true to the letter of a deal that is talked about, and talks may be kept secret",
    ),
    EvidenceKind.OFFICIAL_ANNOUNCEMENT: EvidenceRule(
        0.90,
        0.90,
        0.80,
        0.15,
        "believed as an intention; of 2,500 large mergers announced from 2013 to 2018 about one in ten was called off "
        "(McKinsey, Done deal?, 2019), and dates and amounts of announced programmes slip. A denial serves its author",
    ),
    EvidenceKind.SPECIFICATION_SHEET: EvidenceRule(
        0.95, 0.90, 0.70, 0.05, "a figure for sale, measured under the seller's best conditions"
    ),
    EvidenceKind.NAMED_PRESS: EvidenceRule(
        0.80,
        0.80,
        0.75,
        0.15,
        "somebody stands for it with a name; second hand. The best houses' merger reports came true in 63 to 80 % "
        "(Financial Times, Bloomberg; Ahern and Sosyura 2015)",
    ),
    EvidenceKind.UNNAMED_PRESS: EvidenceRule(
        1 / 3,
        2 / 3,
        0.60,
        0.30,
        "nobody stands for it; of 501 merger rumours in the press from 2000 to 2011, 167 were followed by a bid within "
        "a year (Ahern and Sosyura, Rumor Has It, Review of Financial Studies 28, 2015). A further report of its own "
        "origin is taken to double the odds: a judgement",
    ),
    EvidenceKind.ANALYST: EvidenceRule(
        0.65,
        0.65,
        0.60,
        0.20,
        "a forecast by someone paid to have one; of analysts' target prices 64 % are met at some time in the year and "
        "38 % at its end (Bradshaw, Brown and Huang 2013)",
    ),
    EvidenceKind.ANALOGY: EvidenceRule(
        0.65, 0.60, 0.60, 0.25, "true elsewhere; how far it carries over is the question"
    ),
    EvidenceKind.JUDGEMENT: EvidenceRule(
        0.60,
        0.60,
        0.55,
        0.30,
        "experts' intervals are far too narrow: finance directors' 80 % intervals held a third of the outcomes "
        "(Ben-David, Graham and Harvey, Managerial Miscalibration, 2013)",
    ),
    EvidenceKind.PLACEHOLDER: EvidenceRule(
        0.50, 0.50, 0.50, 0.50, "nobody has looked, so it speaks neither for nor against; stands until somebody does"
    ),
}

PLACEHOLDER_WIDTH = EVIDENCE_RULES[EvidenceKind.PLACEHOLDER].half_width_share
"""The widest spread that a kind of evidence gives: that of a number for which nobody has looked."""

SAME_REPORT_RHO = 0.5
"""Dependence of the sources behind one entry: 0 counts each in full, 1 counts them as one."""

SAME_ORIGIN_RHO = 0.9
"""Dependence of entries that name one origin: nearly one source, whoever prints it."""

LARGEST_RATIO = EVIDENCE_RULES[EvidenceKind.MEASURED].support_ratio
"""No entry moves the odds of another by more than a measurement would."""

LARGEST_LOG_ODDS = math.log(1e9)
"""No register makes certain."""


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
    origin: str = ""
    """Whose knowledge it goes back to, in a word; entries of one origin count little more than one. Empty: its own."""
    likelihood_ratio: float | None = Field(default=None, ge=1, le=99)
    """How many times likelier it would be said if what it supports is true (what it denies is false) than if not;
    the kind's unless told."""
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


@dataclass(frozen=True, slots=True)
class ClaimUpdate:
    """What one entry of the register made of the probability of a claim.

    Parameters
    ----------
    date
        When the entry became known.
    evidence
        The entry: the claim itself, or one that bears on it, directly or through another.
    before
        Probability of the claim before it; None for the claim itself, which nobody had made.
    after
        Probability of the claim with it.
    """

    date: dt.date
    evidence: str
    before: float | None
    after: float


def effective_sources(count: float, rho: float) -> float:
    """Return how many independent sources ``count`` dependent ones are worth: ``n / (1 + (n - 1) rho)``.

    The effective sample size of equally correlated observations (Kish's design effect). It never passes ``1 / rho``.

    Examples
    --------
    >>> effective_sources(3, 0.5), effective_sources(3, 0.0), effective_sources(3, 1.0)
    (1.5, 3.0, 1.0)
    """
    return count / (1 + (count - 1) * rho)


def joined_weight(weights: Iterable[float], rho: float) -> float:
    """Return the weight of dependent sources together, each a logarithm of a likelihood ratio of 0 or more.

    Equal weights count as :func:`effective_sources` of one. Unequal ones are counted in units of the strongest, so
    that a further source never lowers the sum and at ``rho = 1`` the strongest alone counts.

    Examples
    --------
    >>> joined_weight([2.0, 2.0], 0.5) == 2.0 * effective_sources(2, 0.5), joined_weight([2.0, 1.0], 1.0)
    (True, 2.0)
    """
    known = [weight for weight in weights if weight > 0]
    if not known:
        return 0.0
    strongest = max(known)
    return strongest * effective_sources(math.fsum(known) / strongest, rho)


def prior_probability(kind: EvidenceKind, sources_count: int, same_report_rho: float = SAME_REPORT_RHO) -> float:
    """Return the probability of a claim by its kind and its number of sources.

    The first source gives the kind's probability; what the further ones are worth in independent sources multiplies
    its odds by the kind's likelihood ratio to that power.

    Examples
    --------
    >>> round(prior_probability(EvidenceKind.UNNAMED_PRESS, 3), 3)
    0.414
    """
    rule = EVIDENCE_RULES[kind]
    further = effective_sources(sources_count, same_report_rho) - 1
    return _probability(_log_odds(rule.probability) + further * math.log(rule.support_ratio))


def standings(
    register: Mapping[str, Evidence],
    *,
    same_report_rho: float = SAME_REPORT_RHO,
    same_origin_rho: float = SAME_ORIGIN_RHO,
) -> dict[str, Standing]:
    """Return what every entry carries after support and denial, by Bayes' rule on the odds.

    The log odds of a claim are those of its kind, plus the weight of what supports it, less the weight of what denies
    it. The weight of an entry is the logarithm of its likelihood ratio, times the effective number of its sources;
    entries of one origin are joined by :func:`joined_weight`, those of the claim's own origin with the claim's own
    sources. What speaks against a backer by a factor ``u < 1`` on its odds changes its ratio ``r`` to
    ``1 + (r - 1) u``: a discredited source counts for nothing, not for the opposite, and one that is confirmed counts
    for no more than it said. The spread grows as the inverse
    of the probability that was lost and never past a placeholder's.

    Parameters
    ----------
    register
        Entries by identifier; links must have been checked with :func:`link_problems`.
    same_report_rho, same_origin_rho
        Dependence of the sources behind one entry, and of entries of one origin, 0 to 1.
    """
    backers: dict[str, list[tuple[str, bool]]] = {name: [] for name in register}
    for name, entry in register.items():
        for targets, is_support in ((entry.supports, True), (entry.denies, False)):
            for target in targets:
                if target in backers:
                    backers[target].append((name, is_support))
    update: dict[str, float] = {}

    def own_weight(name: str, *, is_support: bool) -> float:
        entry = register[name]
        rule = EVIDENCE_RULES[entry.kind]
        ratio = entry.likelihood_ratio or (rule.support_ratio if is_support else rule.denial_ratio)
        return math.log(ratio) * effective_sources(entry.sources_count, same_report_rho)

    def backing_weight(name: str, *, is_support: bool) -> float:
        trusted = math.exp(min(resolve(name), 0.0))
        stated = min(own_weight(name, is_support=is_support), math.log(LARGEST_RATIO))
        return math.log1p(math.expm1(stated) * trusted)

    def resolve(name: str) -> float:
        if name in update:
            return update[name]
        own = register[name].origin
        groups: dict[tuple[bool, str], list[float]] = {}
        for backer, is_support in sorted(backers[name]):
            # Without a name each entry is an origin of its own; a space keeps it apart from any name.
            origin = register[backer].origin or " " + backer
            groups.setdefault((is_support, origin), []).append(backing_weight(backer, is_support=is_support))
        said = math.log(EVIDENCE_RULES[register[name].kind].support_ratio) * effective_sources(
            register[name].sources_count, same_report_rho
        )
        echoes = groups.pop((True, own), []) if own else []
        parts = [joined_weight([said, *echoes], same_origin_rho) - said]
        parts += [
            (1 if is_support else -1) * joined_weight(weights, same_origin_rho)
            for (is_support, _), weights in groups.items()
        ]
        update[name] = math.fsum(parts)
        return update[name]

    result: dict[str, Standing] = {}
    for name, entry in register.items():
        rule = EVIDENCE_RULES[entry.kind]
        prior = prior_probability(entry.kind, entry.sources_count, same_report_rho)
        probability = _probability(_log_odds(prior) + resolve(name))
        width = min(rule.half_width_share * rule.probability / probability, PLACEHOLDER_WIDTH)
        result[name] = Standing(prior, probability, width)
    return result


def updates_of(register: Mapping[str, Evidence], claim: str) -> tuple[ClaimUpdate, ...]:
    """Return how the probability of a claim came about, entry by entry in the order in which they became known.

    Parameters
    ----------
    register
        Entries that are visible, links checked.
    claim
        Identifier of the claim.
    """
    bearing = {claim}
    grown = True
    while grown:
        more = {name for name, entry in register.items() if bearing & {*entry.supports, *entry.denies}} - bearing
        bearing |= more
        grown = bool(more)
    order = sorted(bearing, key=lambda name: (register[name].date, name != claim, name))
    known: dict[str, Evidence] = {}
    found: list[ClaimUpdate] = []
    for name in order:
        known[name] = register[name]
        if claim not in known:
            continue
        after = standings(known)[claim].probability
        found.append(ClaimUpdate(register[name].date, name, found[-1].after if found else None, after))
    return tuple(found)


def joint_probability(probabilities: Sequence[float]) -> tuple[float, float, float]:
    """Return the probability that several claims are all true: if they are independent, at least, and at most.

    The register gives each claim's probability alone. Their product supposes independence; whatever their dependence,
    the truth lies between Fréchet's bounds.

    Examples
    --------
    >>> joint_probability([0.5, 0.75])
    (0.375, 0.25, 0.5)
    """
    least = max(0.0, math.fsum(probabilities) - (len(probabilities) - 1))
    return math.prod(probabilities), least, min(probabilities, default=1.0)


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _probability(log_odds: float) -> float:
    bounded = min(max(log_odds, -LARGEST_LOG_ODDS), LARGEST_LOG_ODDS)
    return 1 / (1 + math.exp(-bounded))


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
