"""Runs many plans: draws over the spreads, one assumption at a time, one claim at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plan import Plan, headline_names
from coachbuilder.programme import Programme
from coachbuilder.programme.evidence import EVIDENCE_RULES, EvidenceKind, spread
from coachbuilder.risk.claims import ClaimDraws, value_claims
from coachbuilder.risk.draws import Draws, draw
from coachbuilder.risk.interface import AssumptionInfluence, EvidenceInfluence, FigureSpread, RiskResult
from coachbuilder.risk.runner import Points, Progress, Runner

BRAND = "brand_npv_cny"
HOST = "host_npv_cny"
JOINT = "joint_npv_cny"
OWN = "own_plant_npv_cny"
SIDES = (BRAND, HOST, JOINT)

NO_PLAN = 1e15
"""Stands for the harm of an end at which there is no plan, CNY."""


def assess(
    base: Plan,
    *,
    draws: int = 1000,
    workers: int = 1,
    progress: Progress | None = None,
    checkpoint_folder: Path | None = None,
    scheduler: str | None = None,
) -> RiskResult:
    """Answer how sure a plan is and which assumption and which claim it rests on.

    Three sets of plans are run, each without balancing and sequencing again: ``draws`` Latin hypercube draws over
    all spreads; every assumption alone at its 5 % and 95 % point; and every entry of the register taken as false.
    If a claim is false, each number that names it takes its ``if_false`` value where the file gives one, else the
    end of a placeholder's spread that is worse for the side asked about.

    Parameters
    ----------
    base
        The plan at central values.
    draws
        Number of draws, 2 or more.
    workers
        Processes to run on; the answer does not depend on it.
    progress
        Told of every finished chunk.
    checkpoint_folder
        Where finished chunks are kept, so that a stopped run goes on; they are removed when all is done.
    scheduler
        Address of a Dask scheduler whose workers take the place of processes here.

    Raises
    ------
    InputError
        If no scheduler answers.
    ValueError
        If ``draws`` is below 2.
    """
    if draws < 2:
        message = f"draws is {draws}; a spread needs 2 or more"
        raise ValueError(message)
    with Runner(base, workers, progress, checkpoint_folder, scheduler) as runner:
        return assessed(runner, base, draws).result


@dataclass(frozen=True, slots=True)
class Assessed:
    """An answer and the plans that it rests on.

    Parameters
    ----------
    result
        The answer.
    drawn
        The draws.
    outcome
        (draws, figures) headline figures of every draw; not a number is none.
    alone
        (assumptions, 2, figures) the same with one assumption alone at its 5 % and its 95 % point, in the order of
        ``drawn.paths``.
    """

    result: RiskResult
    drawn: Draws
    outcome: NDArray[np.float64]
    alone: NDArray[np.float64]


def assessed(runner: Runner, base: Plan, draws: int) -> Assessed:
    """Answer what :func:`assess` answers with workers that are there already, and keep the plans behind it.

    Parameters
    ----------
    runner
        Who runs the plans.
    base
        The plan at central values.
    draws
        Number of draws, 2 or more.
    """
    programme = base.programme
    drawn = draw(programme, draws, programme.seed)
    ends = _ends(programme)
    column = {name: index for index, name in enumerate(headline_names())}
    names = [name for name in base.programme.evidence if programme.assumptions_by_evidence.get(name)]
    outcome = runner.run(Points(drawn.paths, drawn.values), "draws")
    at_ends = runner.run(Points.of([{path: value} for path, pair in ends.items() for value in pair]), "ends")
    alone = at_ends.reshape(len(ends), 2, outcome.shape[1])
    slopes = {
        side: dict(zip(ends, _slopes(alone[:, 0, column[side]], alone[:, 1, column[side]]), strict=True))
        for side in SIDES
    }
    false_cases = [_values_if_false(programme, name, slopes[side], ends) for side in SIDES for name in names]
    second = runner.run(Points.of(false_cases), "claims")
    if_false = {
        name: {side: _known(second[number * len(names) + position, column[side]]) for number, side in enumerate(SIDES)}
        for position, name in enumerate(names)
    }
    known = np.isfinite(outcome[:, column[JOINT]])
    shares = {side: _variance_shares(drawn, outcome[:, column[side]]) for side in SIDES}
    claims = value_claims(programme, ClaimDraws.of(drawn, *(outcome[:, column[name]] for name in (BRAND, HOST, OWN))))
    result = RiskResult(
        draws=draws,
        seed=programme.seed,
        partnership_probability=claims.probability,
        brand_expected_npv_cny=claims.decisions[0].mixture_expected_cny,
        host_expected_npv_cny=claims.decisions[1].mixture_expected_cny,
        both_gain_probability=float(np.mean((outcome[:, column[BRAND]] > 0) & (outcome[:, column[HOST]] > 0))),
        figures=tuple(_figure(name, base.headline[name], outcome[:, index]) for name, index in column.items()),
        assumptions=_rank_assumptions(programme, ends, alone, column, shares),
        evidence=_rank_evidence(base, if_false, shares),
        brand_npv_cny=outcome[known, column[BRAND]],
        host_npv_cny=outcome[known, column[HOST]],
        claims=claims,
    )
    return Assessed(result, drawn, outcome, alone)


def _ends(programme: Programme) -> dict[str, tuple[float, float]]:
    return {
        path: (item.low, item.high)
        for path, item in programme.assumptions.items()
        if item.low is not None and item.high is not None and not item.is_certain
    }


def _values_if_false(
    programme: Programme, evidence: str, slopes: Mapping[str, float], ends: Mapping[str, tuple[float, float]]
) -> dict[str, float]:
    """Return the values that the numbers of a false claim take, worst for the side whose slopes are given.

    A number without a value for that case spreads as if nobody had looked. All of them together stand at the likeliest
    point at which they do as much harm as in one case of twenty (the design point of first-order reliability): each
    moves in proportion to the harm it does, so that one number alone goes to its end and many go part of the way.
    """
    width = EVIDENCE_RULES[EvidenceKind.PLACEHOLDER].half_width_share
    values: dict[str, float] = {}
    worst: dict[str, float] = {}
    harm: dict[str, float] = {}
    for path in programme.assumptions_by_evidence[evidence]:
        item = programme.assumptions[path]
        if item.if_false is not None:
            values[path] = item.if_false
            continue
        if path not in ends:
            continue
        low, high = spread(item.value, width, item.minimum, item.maximum)
        low, high = min(low, ends[path][0]), max(high, ends[path][1])
        slope = slopes.get(path, 0.0) / (ends[path][1] - ends[path][0])
        worst[path] = low if slope > 0 else high
        harm[path] = abs(slope * (worst[path] - item.value))
    norm = math.sqrt(sum(value * value for value in harm.values()))
    for path, value in worst.items():
        central = programme.assumptions[path].value
        share = harm[path] / norm if norm > 0 else 0.0
        values[path] = central + share * (value - central)
    return values


def _slopes(at_low: NDArray[np.float64], at_high: NDArray[np.float64]) -> list[float]:
    """Return what the way from the low to the high end does; an end without a plan outweighs every other harm."""
    found = np.nan_to_num(at_high) - np.nan_to_num(at_low)
    no_plan_low, no_plan_high = ~np.isfinite(at_low), ~np.isfinite(at_high)
    found[no_plan_low & ~no_plan_high] = NO_PLAN
    found[no_plan_high & ~no_plan_low] = -NO_PLAN
    found[no_plan_low & no_plan_high] = 0.0
    return [float(value) for value in found]


def _known(figure: float) -> float | None:
    return float(figure) if math.isfinite(figure) else None


def _variance_shares(drawn: Draws, outcome: NDArray[np.float64]) -> dict[str, float]:
    """Return each assumption's squared correlation with the outcome, less what chance alone would give.

    With independent inputs the squared correlation is the first-order share of the variance of a linear answer;
    chance adds ``(1 - share) / (n - 2)``, which is taken off and the rest cut at 0.
    """
    known = np.isfinite(outcome)
    outcome = outcome[known]
    count = len(outcome)
    spread_of_outcome = outcome.std() if count else 0.0
    if count < 4 or spread_of_outcome == 0 or not drawn.paths:
        return dict.fromkeys(drawn.paths, 0.0)
    z = drawn.z[known] - drawn.z[known].mean(axis=0)
    correlation = (z * (outcome - outcome.mean())[:, None]).mean(axis=0) / (z.std(axis=0) * spread_of_outcome)
    squared = correlation**2
    return dict(zip(drawn.paths, np.clip(squared - (1 - squared) / (count - 2), 0, 1).tolist(), strict=True))


def _figure(name: str, base: float | None, outcome: NDArray[np.float64]) -> FigureSpread:
    known = outcome[np.isfinite(outcome)]
    missing = len(outcome) - len(known)
    if not len(known):
        return FigureSpread(name, base, None, None, None, None, None, missing)
    p10, p50, p90 = (float(value) for value in np.percentile(known, [10, 50, 90]))
    return FigureSpread(name, base, p10, p50, p90, float(known.mean()), float((known > 0).mean()), missing)


def _rank_assumptions(
    programme: Programme,
    ends: Mapping[str, tuple[float, float]],
    alone: NDArray[np.float64],
    column: Mapping[str, int],
    shares: Mapping[str, Mapping[str, float]],
) -> tuple[AssumptionInfluence, ...]:
    found = [
        AssumptionInfluence(
            path=path,
            evidence=programme.assumptions[path].evidence,
            low=low,
            high=high,
            brand_npv_at_low_cny=_known(alone[number, 0, column[BRAND]]),
            brand_npv_at_high_cny=_known(alone[number, 1, column[BRAND]]),
            host_npv_at_low_cny=_known(alone[number, 0, column[HOST]]),
            host_npv_at_high_cny=_known(alone[number, 1, column[HOST]]),
            brand_variance_share=shares[BRAND][path],
            host_variance_share=shares[HOST][path],
            joint_variance_share=shares[JOINT][path],
        )
        for number, (path, (low, high)) in enumerate(ends.items())
    ]
    return tuple(sorted(found, key=lambda item: (-item.joint_swing_cny, item.path)))


def _rank_evidence(
    base: Plan, if_false: Mapping[str, Mapping[str, float | None]], shares: Mapping[str, Mapping[str, float]]
) -> tuple[EvidenceInfluence, ...]:
    programme = base.programme
    central = {side: base.headline[side] or 0.0 for side in SIDES}
    switches = programme.document.programme.switches

    def share(paths: Sequence[str], side: str) -> float:
        return min(1.0, sum(shares[side].get(path, 0.0) for path in paths))

    found = []
    for name, entry in programme.evidence.items():
        paths = programme.assumptions_by_evidence.get(name, ())
        is_switch = name in switches
        if not paths and not is_switch:
            continue
        value: dict[str, float | None] = dict.fromkeys(SIDES, 0.0) if is_switch else dict(if_false[name])
        # Without a plan a side is left with nothing, as without the partnership.
        turned = {side: (central[side] > 0) != ((value[side] or 0.0) > 0) for side in SIDES}
        found.append(
            EvidenceInfluence(
                evidence=name,
                kind=entry.kind.value,
                claim=entry.claim,
                probability=programme.standings[name].probability,
                assumptions=paths,
                brand_npv_if_false_cny=value[BRAND],
                host_npv_if_false_cny=value[HOST],
                joint_npv_if_false_cny=value[JOINT],
                turns_brand=turned[BRAND],
                turns_host=turned[HOST],
                turns_joint=turned[JOINT],
                brand_variance_share=share(paths, BRAND),
                host_variance_share=share(paths, HOST),
                joint_variance_share=share(paths, JOINT),
                is_switch=is_switch,
            )
        )
    return tuple(
        sorted(
            found,
            key=lambda item: (
                not item.is_switch,
                item.joint_npv_if_false_cny is not None,
                (item.joint_npv_if_false_cny or 0.0) - central[JOINT],
                item.evidence,
            ),
        )
    )
