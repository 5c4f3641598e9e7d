"""Slides the decision day through the case: what the register gave each claim, day by day, and how well that did.

Each step sees only what was known on its day. The plan is made once for each set of numbers that the programme shows:
a day on which only probabilities change takes over the plan and the draws of the day before.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme import InputError, Problem, Programme
from coachbuilder.programme.assumption import Assumption
from coachbuilder.programme.evidence import updates_of
from coachbuilder.programme.tree import map_assumptions
from coachbuilder.risk.claims import ClaimDraws, ClaimValue, SideDecision, draw_claims, value_claims

if TYPE_CHECKING:
    from coachbuilder.market import ImpliedValue
    from coachbuilder.plan import Plan

QUESTIONS = 3
"""Questions told for each day."""

COIN_BRIER, COIN_LOG = 0.25, math.log(2)
"""Scores of whoever always says one half."""

NEVER_CERTAIN = 1e-12
"""The log score is taken of nothing smaller."""


@dataclass(frozen=True, slots=True)
class ReplayEntry:
    """An entry of the register that became known on a day."""

    evidence: str
    """Its name."""
    kind: str
    """Kind of evidence."""
    claim: str
    """What it says."""
    source: str
    """Who says so."""
    supports: tuple[str, ...]
    """Entries that it makes more likely."""
    denies: tuple[str, ...]
    """Entries that it says are false."""


@dataclass(frozen=True, slots=True)
class ReplaySide:
    """One side on one day."""

    side: str
    """brand or host."""
    npv_mean_cny: float
    """Mean of its value over the draws, if the programme goes ahead."""
    npv_p10_cny: float
    """Exceeded in 90 of 100 draws."""
    npv_p90_cny: float
    """Exceeded in 10 of 100."""
    expected_cny: float
    """Its expected value: the mean weighted with the probability, plus what is done otherwise."""
    expected_p10_cny: float
    """The same with the value at its P10."""
    expected_p90_cny: float
    """The same with the value at its P90."""
    implied_value_cny: float | None
    """What the market had paid for the news by that day; None if no share is known to have moved."""
    implied_low_cny: float | None
    """Lower end of its 95 % interval; None if open or unknown."""
    implied_high_cny: float | None
    """Upper end; None if open or unknown."""
    implied_bound: str
    """'at least', 'at most' or 'open' where price limits leave only a bound; else empty."""


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """What was known and believed from one day on until the next."""

    date: dt.date
    """First day."""
    entries: tuple[ReplayEntry, ...]
    """What became known on it."""
    probability: float
    """Probability that the programme goes ahead: that all its switches are on."""
    probability_before: float | None
    """The same on the day before; None on the first."""
    odds_factor: float | None
    """By how much the day multiplied the odds of that; None on the first."""
    plan_date: dt.date
    """Day for which the plan was made whose numbers hold."""
    sides: tuple[ReplaySide, ...]
    """Brand and host."""
    decisions: tuple[SideDecision, ...]
    """What each side would decide on that day."""
    questions: tuple[ClaimValue, ...]
    """Questions whose answers are worth most, best first."""


@dataclass(frozen=True, slots=True)
class ClaimPoint:
    """The probability of a claim from one day on."""

    date: dt.date
    """First day."""
    probability: float
    """Probability from then on."""
    by: tuple[str, ...]
    """Entries that moved it."""


@dataclass(frozen=True, slots=True)
class ClaimScore:
    """One claim through time, and how well its probability did if its outcome is known."""

    claim: str
    """Entry of the register."""
    text: str
    """What it claims."""
    points: tuple[ClaimPoint, ...]
    """Its probability as a step curve, up to the outcome."""
    happened: bool | None
    """What became of it; None if that is not known by the end of the replay."""
    known_on: dt.date | None
    """When that was known."""
    told_by: str
    """Entry that tells it; empty if not known."""
    brier: float | None
    """Mean over the days of the squared distance between probability and outcome: 0 is perfect, 0.25 a coin's."""
    log_score: float | None
    """Mean over the days of minus the natural logarithm of the probability given to what happened: 0 is perfect."""
    brier_unmoved: float | None
    """Brier score of whoever had kept the first probability: what the updates were worth."""
    log_score_unmoved: float | None
    """Log score of the same."""


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """The case day by day."""

    title: str
    """Title of the programme."""
    brand: str
    """Name of the brand."""
    host: str
    """Name of the host."""
    switches: tuple[str, ...]
    """Claims on which the programme rests."""
    first_date: dt.date
    """First day."""
    last_date: dt.date
    """Last day."""
    steps: tuple[ReplayStep, ...]
    """A step for each day on which the register changed."""
    claims: tuple[ClaimScore, ...]
    """The switches, then every other claim with an outcome."""
    brier: float | None
    """Mean Brier score of the claims with an outcome, each of the same weight."""
    log_score: float | None
    """Mean log score of the same."""
    plans: int
    """Plans that were made: one for each set of numbers that the programme showed."""
    draws: int
    """Draws over the spreads of each."""


class Valuation:
    """Makes plans and draws for days, each once for what the programme shows on it.

    Parameters
    ----------
    draws
        Draws over the spreads.
    plan
        What makes a plan; a :class:`coachbuilder.risk.planning.Planner` unless told.
    draw
        What draws around a plan; :func:`coachbuilder.risk.claims.draw_claims` unless told.
    """

    def __init__(
        self,
        draws: int = 400,
        plan: Callable[[Programme], Plan] | None = None,
        draw: Callable[[Plan, Programme, int], ClaimDraws] | None = None,
    ) -> None:
        from coachbuilder.risk.planning import Planner

        self.draws = draws
        self._plan = plan or Planner()
        self._draw = draw or draw_claims
        self._plans: dict[str, tuple[dt.date, Plan]] = {}
        self._drawn: dict[str, ClaimDraws] = {}

    @property
    def plans(self) -> int:
        """Plans made so far."""
        return len(self._plans)

    def of(self, programme: Programme) -> tuple[dt.date, ClaimDraws]:
        """Return the day for which the plan was made, and its draws."""
        numbers = fingerprint(programme, with_ranges=False)
        if numbers not in self._plans:
            self._plans[numbers] = (programme.as_of, self._plan(programme))
        day, plan = self._plans[numbers]
        spreads = fingerprint(programme, with_ranges=True)
        if spreads not in self._drawn:
            # The ranges are today's, the calendar that of the plan.
            document = programme.document.model_copy(update={"programme": plan.programme.document.programme})
            self._drawn[spreads] = self._draw(plan, replace(programme, document=document), self.draws)
        return day, self._drawn[spreads]


def fingerprint(programme: Programme, *, with_ranges: bool) -> str:
    """Return a mark of the numbers that a programme shows, whatever the day and whatever the register makes of them.

    Parameters
    ----------
    programme
        The programme as of some day.
    with_ranges
        True marks the 90 % intervals too: a denial widens those of numbers without a stated range.
    """

    def bare(_path: str, item: Assumption, _inherited: str) -> Assumption:
        ends = (item.low, item.high) if with_ranges else (None, None)
        return replace(item, low=ends[0], high=ends[1], evidence="", stated_range=False, earlier=())

    digest = hashlib.sha256()
    header = programme.document.programme.model_dump(mode="json", exclude={"as_of", "rests_on", "otherwise"})
    document = map_assumptions(programme.document, bare)
    plant = map_assumptions(programme.plant, bare)
    digest.update(repr(sorted(header.items())).encode())
    digest.update(document.model_dump_json(exclude={"programme", "evidence", "outcome"}, fallback=repr).encode())
    digest.update(plant.model_dump_json(fallback=repr).encode())
    digest.update(repr((programme.tasks, programme.orders, programme.line)).encode())
    return digest.hexdigest()


def replay(
    folder: Path,
    *,
    first_date: dt.date | None = None,
    last_date: dt.date | None = None,
    valuation: Valuation | None = None,
    progress: Callable[[str, tuple[int, int] | None], None] | None = None,
) -> ReplayResult:
    """Replay a programme over the days on which its register changes.

    Parameters
    ----------
    folder
        The programme folder.
    first_date
        First day; unless told, that on which the last of its switches was claimed. Before that there is no programme.
    last_date
        Last day; unless told, that of the last outcome, or of the last entry where no outcome is stated.
    valuation
        What makes plans and draws.
    progress
        Told of the steps done and of all.

    Raises
    ------
    InputError
        If the programme has mistakes, or on a day of the range no plan.
    """
    from coachbuilder.plan import Stages
    from coachbuilder.programme import load

    whole = load(folder)
    document = whole.document
    register = document.evidence
    switches = document.programme.switches
    claimed = max(register[name].date for name in switches)
    end = max(item.date for item in document.outcome or register.values())
    first = first_date or claimed
    last = last_date or end
    problems = []
    if first < claimed:
        expected = f"{claimed} or later: before it nobody had claimed what the programme rests on"
        problems.append(Problem("command line", "--from", str(first), expected))
    elif first > last and last_date is None:
        problems.append(
            Problem("command line", "--from", str(first), f"{last} or earlier: nothing is known of later days")
        )
    if last < max(first, claimed) and last_date is not None:
        problems.append(Problem("command line", "--to", str(last), f"{max(first, claimed)} or later"))
    if problems:
        raise InputError(problems)
    days = sorted({first, *(entry.date for entry in register.values() if first < entry.date <= last)})
    valuation = valuation or Valuation()
    steps: list[ReplayStep] = []
    for number, day in enumerate(days):
        if progress:
            progress(day.isoformat(), (number, len(days)))
        programme = load(folder, as_of=day)
        plan_date, drawn = valuation.of(programme)
        paid = {item.side.value: item for item in Stages(programme).announcement.implied_values}
        steps.append(_step(programme, plan_date, drawn, paid, steps[-1] if steps else None))
    scores = _scores(load(folder, as_of=last), last)
    known = [item for item in scores if item.brier is not None]
    return ReplayResult(
        title=document.programme.title,
        brand=document.brand.name,
        host=document.host.name,
        switches=switches,
        first_date=first,
        last_date=last,
        steps=tuple(steps),
        claims=scores,
        brier=_mean([item.brier for item in known]),
        log_score=_mean([item.log_score for item in known]),
        plans=valuation.plans,
        draws=valuation.draws,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return math.fsum(found) / len(found) if found else None


def _step(
    programme: Programme,
    plan_date: dt.date,
    drawn: ClaimDraws,
    paid: dict[str, ImpliedValue],
    before: ReplayStep | None,
) -> ReplayStep:
    claims = value_claims(programme, drawn)
    since = before.date if before else dt.date.min
    first = before is None
    entries = tuple(
        ReplayEntry(name, entry.kind.value, entry.claim, entry.source, entry.supports, entry.denies)
        for name, entry in programme.evidence.items()
        if (entry.date == programme.as_of if first else since < entry.date <= programme.as_of)
    )
    values = {"brand": drawn.brand_npv_cny, "host": drawn.host_npv_cny}
    expected = {item.side: item.mixture_expected_cny for item in claims.decisions}
    return ReplayStep(
        date=programme.as_of,
        entries=entries,
        probability=claims.probability,
        probability_before=before.probability if before else None,
        odds_factor=_odds(claims.probability) / _odds(before.probability) if before else None,
        plan_date=plan_date,
        sides=tuple(
            _side(side, value, claims.probability, expected[side], paid.get(side)) for side, value in values.items()
        ),
        decisions=claims.decisions,
        questions=claims.claims[:QUESTIONS],
    )


def _odds(probability: float) -> float:
    return probability / (1 - probability)


def _side(
    side: str, values: NDArray[np.float64], probability: float, expected: float, paid: ImpliedValue | None
) -> ReplaySide:
    low, high = (float(value) for value in np.percentile(values, [10, 90]))
    mean = float(values.mean())
    return ReplaySide(
        side=side,
        npv_mean_cny=mean,
        npv_p10_cny=low,
        npv_p90_cny=high,
        expected_cny=expected,
        expected_p10_cny=expected + probability * (low - mean),
        expected_p90_cny=expected + probability * (high - mean),
        implied_value_cny=paid.implied_value_cny if paid else None,
        implied_low_cny=paid.low_cny if paid else None,
        implied_high_cny=paid.high_cny if paid else None,
        implied_bound=paid.bound if paid else "",
    )


def _scores(programme: Programme, last: dt.date) -> tuple[ClaimScore, ...]:
    """Score the claims as the register stood at the end; what each day knew of them is in the dates of the entries."""
    outcomes = {item.claim: item for item in programme.document.outcome if item.date <= last}
    names = dict.fromkeys([*programme.document.programme.switches, *outcomes])
    found = []
    for name in names:
        outcome = outcomes.get(name)
        end = outcome.date if outcome else last
        moved: dict[dt.date, ClaimPoint] = {}
        for update in updates_of(programme.evidence, name):
            if update.date > end or (outcome is not None and update.date == end):
                continue
            earlier = moved.get(update.date)
            by = (*(earlier.by if earlier else ()), update.evidence)
            moved[update.date] = ClaimPoint(update.date, update.after, by)
        points = tuple(moved.values())
        scores = brier_and_log(points, end, happened=outcome.happened) if outcome else (None, None)
        unmoved = brier_and_log(points[:1], end, happened=outcome.happened) if outcome else (None, None)
        found.append(
            ClaimScore(
                claim=name,
                text=programme.evidence[name].claim,
                points=points,
                happened=outcome.happened if outcome else None,
                known_on=outcome.date if outcome else None,
                told_by=outcome.evidence if outcome else "",
                brier=scores[0],
                log_score=scores[1],
                brier_unmoved=unmoved[0],
                log_score_unmoved=unmoved[1],
            )
        )
    return tuple(found)


def brier_and_log(points: Sequence[ClaimPoint], end: dt.date, *, happened: bool) -> tuple[float, float]:
    """Return the Brier and the log score of a step curve, averaged over the days from its first to ``end``.

    Brier (1950) in its form for one event, ``(P - o)^2``; the logarithmic score (Good 1952), ``-ln`` of the
    probability that was given to what happened. Both are proper: only the true belief does best.

    Parameters
    ----------
    points
        Probability from each day on, in order.
    end
        Day on which the outcome is known; it is not scored itself.
    happened
        The outcome.

    Examples
    --------
    >>> day = dt.date(2021, 1, 1)
    >>> steps = [ClaimPoint(day, 0.5, ()), ClaimPoint(dt.date(2021, 1, 2), 0.0, ())]
    >>> brier_and_log(steps, dt.date(2021, 1, 3), happened=False)[0]
    0.125
    """
    brier, logarithm, days = 0.0, 0.0, 0
    ends = [*(point.date for point in points[1:]), end]
    for point, until in zip(points, ends, strict=True):
        length = (until - point.date).days
        given = point.probability if happened else 1 - point.probability
        brier += length * (1 - given) ** 2
        logarithm -= length * math.log(max(given, NEVER_CERTAIN))
        days += length
    return brier / days, logarithm / days
