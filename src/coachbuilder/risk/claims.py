"""What the programme is worth as a mixture over its switches, and which question is worth money to answer first.

A decision is taken now, by expected value: contract, own plant, or neither. To know more before it can only help; how
much it helps is the value of perfect information (Howard 1966), of all that is uncertain or of one claim.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme import InputError, Problem, Programme
from coachbuilder.programme.evidence import ClaimUpdate, joint_probability, updates_of
from coachbuilder.programme.sections.common import Otherwise

if TYPE_CHECKING:
    from collections.abc import Callable

    from coachbuilder.plan import Plan
    from coachbuilder.risk.draws import Draws

CONTRACT, OWN_PLANT, NEITHER = "contract", "own plant", "neither"
"""What a side may decide."""

SIDES = ("brand", "host", "joint")

DRIVERS = 3
"""Numbers of a claim that are named as those it matters by."""

CHANCE_SHARES = 10.8
"""Times the share of chance that a term must pass: one idle term in a thousand does (chi-squared, one degree)."""

FEWEST_DRAWS = 8
"""With fewer draws no value of a claim's numbers is told."""


@dataclass(frozen=True, slots=True)
class ClaimDraws:
    """What the value of information is reckoned from: draws that have a plan.

    Parameters
    ----------
    paths
        Paths of the drawn assumptions, in the order of the columns.
    z
        Standard normal scores, shape (draws, assumptions).
    brand_npv_cny, host_npv_cny
        Each side's value of the plan under the contract, by draw.
    own_plant_npv_cny
        The brand's value of building in a plant of its own, by draw.
    """

    paths: tuple[str, ...]
    z: NDArray[np.float64]
    brand_npv_cny: NDArray[np.float64]
    host_npv_cny: NDArray[np.float64]
    own_plant_npv_cny: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        drawn: Draws,
        brand_npv_cny: NDArray[np.float64],
        host_npv_cny: NDArray[np.float64],
        own_plant_npv_cny: NDArray[np.float64],
    ) -> ClaimDraws:
        """Return those of the draws that have all three values."""
        known = np.isfinite(brand_npv_cny) & np.isfinite(host_npv_cny) & np.isfinite(own_plant_npv_cny)
        return cls(drawn.paths, drawn.z[known], brand_npv_cny[known], host_npv_cny[known], own_plant_npv_cny[known])


@dataclass(frozen=True, slots=True)
class OptionValue:
    """What a side may decide, and what that is worth on average."""

    option: str
    """contract, own plant or neither."""
    expected_cny: float
    """Its expected value, the switches weighted."""


@dataclass(frozen=True, slots=True)
class SideDecision:
    """What one side would decide today, and the mixture over the switches if it goes ahead."""

    side: str
    """brand, host, or joint for the two together."""
    options: tuple[OptionValue, ...]
    """What it may decide."""
    best: str
    """The option of highest expected value."""
    best_expected_cny: float
    """That value."""
    perfect_information_cny: float
    """What it would be worth to know everything before deciding: no question is worth more."""
    mixture_expected_cny: float
    """Expected value of going for the contract: the plan where all switches are on, else what is done otherwise."""
    mixture_p10_cny: float
    """Exceeded in 90 of 100 cases of that mixture."""
    mixture_p50_cny: float
    """Its median."""
    mixture_p90_cny: float
    """Exceeded in 10 of 100."""


@dataclass(frozen=True, slots=True)
class ClaimValue:
    """What it is worth to know the truth behind one entry of the register before deciding."""

    evidence: str
    """Entry of the register."""
    kind: str
    """Kind of evidence."""
    claim: str
    """What is claimed."""
    probability: float
    """Probability of the claim."""
    is_switch: bool
    """True if the programme rests on it; then it is worth knowing whether it is true, else what its numbers are."""
    drivers: tuple[str, ...]
    """Paths of its numbers that go most with the joint value, strongest first."""
    brand_value_cny: float
    """Worth of the answer to the brand deciding alone."""
    host_value_cny: float
    """Worth of the answer to the host deciding alone."""
    joint_value_cny: float
    """Worth of the answer to the two deciding together."""
    brand_standard_error_cny: float
    """Standard error of the brand's worth: what the chance of the draws leaves open in it."""
    host_standard_error_cny: float
    """The same for the host's."""
    joint_standard_error_cny: float
    """The same for the worth to the two together."""
    joint_at_stake_cny: float
    """Standard deviation of the expected joint value that the answer would bring: how far it could move it at all."""


@dataclass(frozen=True, slots=True)
class ClaimsResult:
    """The programme as a mixture over its switches, and its questions by what their answers are worth."""

    switches: tuple[str, ...]
    """Entries that must all be true for the programme to go ahead."""
    probability: float
    """Probability that they are, taken as independent."""
    probability_least: float
    """The least that it can be, however they depend on each other (Fréchet)."""
    probability_most: float
    """The most that it can be."""
    otherwise: str
    """What the brand does if one of them is false."""
    updates: Mapping[str, tuple[ClaimUpdate, ...]]
    """How the probability of each switch came about, entry by entry in the order of their days."""
    decisions: tuple[SideDecision, ...]
    """Brand, host, joint."""
    claims: tuple[ClaimValue, ...]
    """Entries by what their answer is worth to the two together, then to the brand, then by what is at stake."""

    @property
    def next_question(self) -> ClaimValue | None:
        """The claim to look into first; None if nothing is left to know."""
        return self.claims[0] if self.claims and self.claims[0].joint_at_stake_cny > 0 else None


def two_point_information(if_true: Sequence[float], if_false: Sequence[float], probability: float) -> float:
    """Return what it is worth to learn whether a claim is true before choosing among options.

    ``P max(a) + (1 - P) max(b) - max(P a + (1 - P) b)`` over the options' values a if true and b if false.

    Parameters
    ----------
    if_true, if_false
        Value of each option in either case, in the same order.
    probability
        Probability that the claim is true.

    Examples
    --------
    >>> two_point_information([100.0, 0.0], [-60.0, 0.0], 0.5)
    30.0
    """
    true, false = np.asarray(if_true, dtype=float), np.asarray(if_false, dtype=float)
    informed = probability * true.max() + (1 - probability) * false.max()
    return max(0.0, float(informed - (probability * true + (1 - probability) * false).max()))


def normal_information(mean: float, standard_deviation: float) -> float:
    """Return what perfect knowledge of a normally distributed gain is worth when the other option gives 0.

    ``s (phi(u) - u Phi(-u))`` with ``u = |mean| / s``: the unit normal loss (Raiffa and Schlaifer 1961).

    Examples
    --------
    >>> round(normal_information(0.0, 1.0), 6)
    0.398942
    """
    if standard_deviation <= 0:
        return 0.0
    u = abs(mean) / standard_deviation
    density = math.exp(-u * u / 2) / math.sqrt(2 * math.pi)
    return standard_deviation * (density - u * math.erfc(u / math.sqrt(2)) / 2)


def partial_information(values: NDArray[np.float64], z: NDArray[np.float64]) -> float:
    """Return what perfect knowledge of some inputs is worth, from given draws (expected value of partial information).

    The expected value of each option given the inputs is estimated by regression on the draws (Strong, Oakley and
    Brennan 2014), here a sum of quadratics of single inputs: see :func:`conditional_means`.

    Parameters
    ----------
    values
        Value of each option by draw, shape (draws, options).
    z
        Standard normal scores of the inputs, independent of each other, shape (draws, inputs).
    """
    return _worth(values, conditional_means(values, z))


def _worth(values: NDArray[np.float64], moved: NDArray[np.float64]) -> float:
    expected = values.mean(axis=0)
    return max(0.0, float((expected + moved).max(axis=1).mean() - expected.max()))


def partial_information_error(values: NDArray[np.float64], z: NDArray[np.float64]) -> float:
    """Return the standard error of :func:`partial_information`.

    By the influence of each draw, to first order: through the mean over the draws, and through what its own distance
    from the regression does to means and slopes, at the option that is best at each point. What the regression cannot
    see, such as inputs that only act together, is not in it.

    Parameters
    ----------
    values
        Value of each option by draw, shape (draws, options).
    z
        Standard normal scores of the inputs, shape (draws, inputs).
    """
    shapes, weights = _regression(values, z)
    return _worth_error(values, shapes, weights)


def _worth_error(values: NDArray[np.float64], shapes: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    count = len(values)
    expected = values.mean(axis=0)
    fitted = expected + shapes @ weights
    best = int(expected.argmax())
    is_chosen = np.eye(values.shape[1])[fitted.argmax(axis=1)]
    often = is_chosen.mean(axis=0) - np.eye(values.shape[1])[best]
    # A draw's residual moves only the weights that are let in.
    slopes = np.where(weights != 0.0, shapes.T @ is_chosen / count, 0.0)
    told = fitted.max(axis=1) - fitted[:, best]
    influence = told - told.mean() + ((values - fitted) * (often + shapes @ slopes)).sum(axis=1)
    return float(influence.std() / math.sqrt(count))


def conditional_means(values: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each option's expected value given the inputs, less its mean, shape (draws, options).

    Each input adds a line and a parabola (Hermite polynomials of its score). Chance alone would give each a share
    ``(1 - share) / (n - 2)`` of the variance: that much is taken off, and a term within :data:`CHANCE_SHARES` of it
    is left out, for a claim of a hundred idle numbers would else look informed. Inputs that only act together are
    missed, and with fewer than :data:`FEWEST_DRAWS` draws nothing is found.
    """
    shapes, weights = _regression(values, z)
    return shapes @ weights


def _regression(values: NDArray[np.float64], z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lines and parabolas of the inputs, shape (draws, terms), and their weights, shape (terms, options)."""
    count = len(values)
    centred = values - values.mean(axis=0)
    if count < FEWEST_DRAWS or not z.shape[1]:
        return np.zeros((count, 0)), np.zeros((0, values.shape[1]))
    line = z - z.mean(axis=0)
    parabola = line**2 - (line**2).mean(axis=0)
    length = np.maximum((line**2).sum(axis=0), 1e-300)
    parabola -= (parabola * line).sum(axis=0) / length * line
    shapes = np.hstack([line, parabola])
    size = shapes.std(axis=0)
    shapes = shapes[:, size > 0] / size[size > 0]
    weight = shapes.T @ centred / count
    variance = centred.var(axis=0)
    share = np.minimum(weight**2 / np.where(variance > 0, variance, np.inf), 1.0)
    by_chance = (1 - share) / (count - 2)
    is_kept = share > CHANCE_SHARES * by_chance
    kept = np.where(is_kept, (share - by_chance) / np.where(is_kept, share, 1.0), 0.0)
    return shapes, weight * np.sqrt(kept)


def mixture_quantiles(
    values: Sequence[NDArray[np.float64]], weights: Sequence[float], quantiles: Sequence[float]
) -> tuple[float, ...]:
    """Return quantiles of a mixture of samples: the smallest value at or below which at least that weight lies.

    Parameters
    ----------
    values
        A sample for each part of the mixture.
    weights
        Weight of each part, summing to 1.
    quantiles
        Shares of the weight.

    Examples
    --------
    >>> mixture_quantiles([np.array([10.0, 20.0]), np.array([0.0])], [0.5, 0.5], [0.1, 0.6, 0.9])
    (0.0, 10.0, 20.0)
    """
    joined = np.concatenate(values)
    parts = zip(values, weights, strict=True)
    mass = np.concatenate([np.full(len(part), weight / len(part)) for part, weight in parts])
    order = np.argsort(joined, kind="stable")
    cumulated = np.cumsum(mass[order])
    places = np.searchsorted(cumulated, np.asarray(quantiles) - 1e-12)
    return tuple(float(joined[order][min(place, len(joined) - 1)]) for place in places)


def value_claims(programme: Programme, draws: ClaimDraws) -> ClaimsResult:
    """Return the mixture over the switches, each side's decision, and the questions by what an answer is worth.

    Whoever goes for the contract gets the plan's value if all switches are on; else the brand gets what the programme
    says it does otherwise, and the host nothing. A switch is a two-point claim. Any other claim is worth what perfect
    knowledge of its numbers is worth over the draws.

    Parameters
    ----------
    programme
        Its register gives the probabilities, its assumptions which claim each number rests on.
    draws
        Values by draw; those of an earlier day serve as long as no value has changed.

    Raises
    ------
    InputError
        If no draw has a plan.
    """
    if not len(draws.z):
        expected = "draws that have a plan: the ranges hold almost only values that do not go together"
        raise InputError([Problem("programme.toml", "ranges", "no draw with a plan", expected)])
    switches = programme.document.programme.switches
    otherwise = programme.document.programme.otherwise
    chances = {name: programme.standings[name].probability for name in switches}
    probability, least, most = joint_probability(list(chances.values()))
    sides = {side: _Side.of(side, draws, otherwise, probability) for side in SIDES}
    columns = {path: column for column, path in enumerate(draws.paths)}
    values = {side: sides[side].values for side in SIDES}
    together = np.hstack([values[side] for side in SIDES])
    ends = np.cumsum([values[side].shape[1] for side in SIDES])[:-1]
    found = []
    for name, entry in programme.evidence.items():
        paths = [path for path in programme.assumptions_by_evidence.get(name, ()) if path in columns]
        is_switch = name in chances
        if not paths and not is_switch:
            continue
        z = draws.z[:, [columns[path] for path in paths]]
        shapes, weights = _regression(together, z)
        by_side = dict(zip(SIDES, np.hsplit(weights, ends), strict=True))
        moved = {side: shapes @ by_side[side] for side in SIDES}
        worth = {side: _worth(values[side], moved[side]) for side in SIDES}
        error = {side: _worth_error(values[side], shapes, by_side[side]) for side in SIDES}
        stake = float(moved["joint"][:, 0].std())
        if is_switch:
            for side in SIDES:
                if sides[side].worth_of_switch(chances[name]) >= worth[side]:
                    worth[side] = sides[side].worth_of_switch(chances[name])
                    error[side] = sides[side].error_of_switch(chances[name])
            stake = max(stake, sides["joint"].stake_of_switch(chances[name]))
        found.append(
            ClaimValue(
                evidence=name,
                kind=entry.kind.value,
                claim=entry.claim,
                probability=programme.standings[name].probability,
                is_switch=is_switch,
                drivers=_drivers(draws, columns, paths),
                brand_value_cny=worth["brand"],
                host_value_cny=worth["host"],
                joint_value_cny=worth["joint"],
                brand_standard_error_cny=error["brand"],
                host_standard_error_cny=error["host"],
                joint_standard_error_cny=error["joint"],
                joint_at_stake_cny=stake,
            )
        )
    found.sort(key=lambda item: (-item.joint_value_cny, -item.brand_value_cny, -item.joint_at_stake_cny, item.evidence))
    return ClaimsResult(
        switches=switches,
        probability=probability,
        probability_least=least,
        probability_most=most,
        otherwise=otherwise.value,
        updates={name: updates_of(programme.evidence, name) for name in switches},
        decisions=tuple(sides[side].decision() for side in SIDES),
        claims=tuple(found),
    )


def draw_claims(
    base: Plan,
    programme: Programme,
    count: int,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 1,
) -> ClaimDraws:
    """Draw what :func:`value_claims` needs; the risk stage hands over its own draws instead.

    Parameters
    ----------
    base
        The plan at central values.
    programme
        Its programme, with the ranges over which to draw.
    count
        Number of draws.
    progress
        Told of the draws done and of all.
    workers
        Processes to run on; the draws do not depend on it.
    """
    from coachbuilder.plan import headline_names
    from coachbuilder.risk.draws import draw
    from coachbuilder.risk.runner import Points, Runner

    drawn = draw(programme, count, programme.seed)
    with Runner(replace(base, programme=programme), workers, progress) as runner:
        figures = runner.run(Points(drawn.paths, drawn.values), "")
    column = {name: number for number, name in enumerate(headline_names())}
    return ClaimDraws.of(
        drawn, *(figures[:, column[name]] for name in ("brand_npv_cny", "host_npv_cny", "own_plant_npv_cny"))
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """Options of one side by draw, where all switches are on and where one is off, and their mixture as of today."""

    side: str
    names: tuple[str, ...]
    on: NDArray[np.float64]
    off: NDArray[np.float64]
    probability: float

    @classmethod
    def of(cls, side: str, draws: ClaimDraws, otherwise: Otherwise, probability: float) -> _Side:
        nothing = np.zeros_like(draws.brand_npv_cny)
        if_off = draws.own_plant_npv_cny if otherwise is Otherwise.OWN_PLANT else nothing
        if side == "host":
            return cls(
                side,
                (CONTRACT, NEITHER),
                np.column_stack([draws.host_npv_cny, nothing]),
                np.column_stack([nothing, nothing]),
                probability,
            )
        contract = draws.brand_npv_cny if side == "brand" else draws.brand_npv_cny + draws.host_npv_cny
        own = draws.own_plant_npv_cny
        return cls(
            side,
            (CONTRACT, OWN_PLANT, NEITHER),
            np.column_stack([contract, own, nothing]),
            np.column_stack([if_off, own, nothing]),
            probability,
        )

    @property
    def values(self) -> NDArray[np.float64]:
        return self.probability * self.on + (1 - self.probability) * self.off

    def worth_of_switch(self, chance: float) -> float:
        """Return the worth of knowing one switch: if it is on, the others still stand at their chances."""
        rest = self.probability / chance if chance > 0 else 0.0
        on, off = self.on.mean(axis=0), self.off.mean(axis=0)
        return two_point_information(rest * on + (1 - rest) * off, off, chance)

    def error_of_switch(self, chance: float) -> float:
        """Return the standard error of that worth over the draws, the options taken as they are best on average."""
        rest = self.probability / chance if chance > 0 else 0.0
        if_true = rest * self.on + (1 - rest) * self.off
        told = chance * if_true + (1 - chance) * self.off
        best, knowing, denied = (int(each.mean(axis=0).argmax()) for each in (told, if_true, self.off))
        each_draw = chance * if_true[:, knowing] + (1 - chance) * self.off[:, denied] - told[:, best]
        return float(each_draw.std() / math.sqrt(len(each_draw)))

    def stake_of_switch(self, chance: float) -> float:
        rest = self.probability / chance if chance > 0 else 0.0
        gap = rest * (self.on[:, 0].mean() - self.off[:, 0].mean())
        return float(abs(gap) * math.sqrt(chance * (1 - chance)))

    def decision(self) -> SideDecision:
        expected = self.values.mean(axis=0)
        best = int(np.argmax(expected)) if expected.max() > 0 else len(self.names) - 1
        informed = self.probability * self.on.max(axis=1) + (1 - self.probability) * self.off.max(axis=1)
        low, middle, high = mixture_quantiles(
            [self.on[:, 0], self.off[:, 0]], [self.probability, 1 - self.probability], [0.1, 0.5, 0.9]
        )
        return SideDecision(
            side=self.side,
            options=tuple(OptionValue(name, float(value)) for name, value in zip(self.names, expected, strict=True)),
            best=self.names[best],
            best_expected_cny=float(expected[best]),
            perfect_information_cny=max(0.0, float(informed.mean() - expected[best])),
            mixture_expected_cny=float(expected[0]),
            mixture_p10_cny=low,
            mixture_p50_cny=middle,
            mixture_p90_cny=high,
        )


def _drivers(draws: ClaimDraws, columns: Mapping[str, int], paths: Sequence[str]) -> tuple[str, ...]:
    joint = draws.brand_npv_cny + draws.host_npv_cny
    centred = joint - joint.mean()

    def strength(path: str) -> float:
        return abs(float(draws.z[:, columns[path]] @ centred))

    return tuple(sorted(paths, key=lambda path: (-strength(path), path))[:DRIVERS])
