"""Explains the difference between two programmes' figures, assumption by assumption, summing to the difference.

The share of each is its Shapley value (Shapley 1953): what it adds on average over all orders in which the changes
could be made. Any order's steps sum to the whole difference, and so does their average.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme import InputError, Problem, Programme
from coachbuilder.programme.assumption import Assumption
from coachbuilder.programme.sections.common import Otherwise
from coachbuilder.programme.tree import map_assumptions

if TYPE_CHECKING:
    from coachbuilder.plan import Plan
    from coachbuilder.programme.base import Section
    from coachbuilder.risk.runner import Points

EXACT = 8
"""Up to so many changes every combination is planned; with more, orders are sampled."""

SINGLE = 24
"""Up to so many changed assumptions each counts alone; with more they are taken together by table."""

WEIGHTED = {"brand_npv_cny": "brand_expected_npv_cny", "host_npv_cny": "host_expected_npv_cny"}
"""Figures that are told weighted with the probability too, and what they are then called."""

OWN_PLANT = "own_plant_npv_cny"

EVIDENCE, STRUCTURE, LINE = "evidence", "structure", "line"
"""Names of the terms that are no assumption."""

Value = Callable[[frozenset[int]], NDArray[np.float64]]
"""The figures when a set of the changes is made."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """What each change adds to each figure.

    Parameters
    ----------
    shares
        Shape (changes, figures); the columns sum to the difference that all changes make together.
    standard_error
        Of the shares, same shape; 0 where every combination was looked at.
    is_exact
        True if every combination was looked at.
    evaluations
        Combinations that were looked at.
    """

    shares: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    is_exact: bool
    evaluations: int


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One assumption at its two values."""

    path: str
    """Where it stands."""
    before: float
    """Value in the first programme."""
    after: float
    """Value in the second."""


@dataclass(frozen=True, slots=True)
class CompareTerm:
    """One part of the difference."""

    name: str
    """Path of an assumption, of a table of them, or 'evidence', 'structure', 'line'."""
    note: str
    """What it is, in words."""
    changes: tuple[ValueChange, ...]
    """The values that changed."""
    shares: Mapping[str, float]
    """What it adds to each figure."""
    standard_errors: Mapping[str, float]
    """Standard error of each where orders were sampled, else 0; the sum over the terms has none."""


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One figure of both programmes."""

    name: str
    """Its name, with its unit."""
    before: float
    """In the first programme."""
    after: float
    """In the second."""

    @property
    def difference(self) -> float:
        """The second less the first."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class CompareResult:
    """The difference between two programmes, explained."""

    before: str
    """Title of the first programme."""
    after: str
    """Title of the second."""
    figures: tuple[ComparedFigure, ...]
    """Figures that both programmes have."""
    terms: tuple[CompareTerm, ...]
    """Parts of the difference, those that move the joint value most first; for each figure they sum to it."""
    is_exact: bool
    """True if every combination of the changes was planned; else orders were sampled with a fixed seed."""
    evaluations: int
    """Quick plans that were made, one for each combination of values that was looked at."""
    full_plans: int
    """Full plans that were made."""
    structure: tuple[str, ...]
    """What differs besides values, by place."""
    only_spread: tuple[str, ...]
    """Assumptions whose ranges or evidence differ but not their values: they add nothing to these figures."""


def attribute(players: int, value: Value, *, orders: int = 32, seed: int = 1, exact: int = EXACT) -> Attribution:
    """Return the Shapley value of each change.

    With up to ``exact`` changes all combinations are valued. With more, ``orders`` orders of the changes are walked,
    each together with its reverse; each walk's steps sum to the whole difference, so that their mean does too.

    Parameters
    ----------
    players
        Number of changes.
    value
        Figures for a set of changes; asked once for each set.
    orders
        Orders to walk where not all combinations are valued; rounded up to an even number.
    seed
        Seed of the orders.
    exact
        Largest number of changes of which all combinations are valued.

    Examples
    --------
    >>> found = attribute(2, lambda made: np.array([10.0 * (0 in made) + 4.0 * ({0, 1} <= made)]))
    >>> found.shares.ravel().tolist()
    [12.0, 2.0]
    """
    asked = combinations_asked(players, orders=orders, seed=seed, exact=exact)
    known = {made: np.asarray(value(made), dtype=float) for made in asked}
    ask = known.__getitem__
    everyone = frozenset(range(players))
    total = ask(everyone) - ask(frozenset())
    shares = np.zeros((players, len(total)))
    error = np.zeros_like(shares)
    if players <= exact:
        for player in range(players):
            others = sorted(everyone - {player})
            for size in range(players):
                weight = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
                for earlier in combinations(others, size):
                    without = frozenset(earlier)
                    shares[player] += weight * (ask(without | {player}) - ask(without))
        return Attribution(shares, error, True, len(known))
    walks = _walks(players, orders, seed)
    walked = np.zeros((len(walks), players, len(total)))
    for pair, order in enumerate(walks):
        for way in (order, order[::-1]):
            made: frozenset[int] = frozenset()
            for player in way:
                following = made | {player}
                walked[pair, player] += (ask(following) - ask(made)) / 2
                made = following
    shares = walked.mean(axis=0)
    if len(walks) > 1:
        error = walked.std(axis=0, ddof=1) / math.sqrt(len(walks))
    return Attribution(shares, error, False, len(known))


def combinations_asked(
    players: int, *, orders: int = 32, seed: int = 1, exact: int = EXACT
) -> tuple[frozenset[int], ...]:
    """Return the sets of changes whose value :func:`attribute` asks for, given the same arguments; none twice.

    Examples
    --------
    >>> [sorted(made) for made in combinations_asked(2)]
    [[], [0], [1], [0, 1]]
    """
    if players <= exact:
        sizes = range(players + 1)
        return tuple(frozenset(made) for size in sizes for made in combinations(range(players), size))
    ways = [way for order in _walks(players, orders, seed) for way in (order, order[::-1])]
    return tuple(dict.fromkeys(frozenset(way[:size]) for way in ways for size in range(players + 1)))


def _walks(players: int, orders: int, seed: int) -> list[list[int]]:
    generator = np.random.default_rng(seed)
    return [generator.permutation(players).tolist() for _ in range(max(1, (orders + 1) // 2))]


def compare(
    before: Programme,
    after: Programme,
    *,
    keep_line: bool = False,
    orders: int = 32,
    plan: Callable[[Programme], Plan] | None = None,
    quick: Callable[[Plan, Points], NDArray[np.float64]] | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> CompareResult:
    """Explain the difference of the headline figures of two programmes.

    Where only values differ, each combination is planned on the first programme's line (as draws are); what laying
    the line out anew adds is a term of its own. Where more differs, that is changed first, by a full plan of the
    second programme at the first one's values.

    Parameters
    ----------
    before, after
        The programmes.
    keep_line
        True leaves the line as the first programme laid it out, and saves the full plan of the second.
    orders
        Orders to walk where there are too many changes for all combinations.
    plan, quick
        What makes a full plan, and the headline figures of many points on its line; a
        :class:`coachbuilder.risk.planning.Planner` and a :class:`coachbuilder.risk.runner.Runner` unless told.
    workers
        Processes for the points; the answer does not depend on it.
    progress
        Told of the points done and of all.

    Raises
    ------
    InputError
        If one of the programmes, or a combination of their values, has no plan.
    """
    from coachbuilder.plan import headline_names
    from coachbuilder.risk.planning import Planner
    from coachbuilder.risk.runner import Points, Runner

    make = plan or Planner()
    structure = structural_differences(before, after)
    bridge = (
        after.with_values({path: item.value for path, item in before.assumptions.items() if path in after.assumptions})
        if structure
        else before
    )
    changed = [
        ValueChange(path, item.value, after.assumptions[path].value)
        for path, item in bridge.assumptions.items()
        if path in after.assumptions and item.value != after.assumptions[path].value
    ]
    groups = _groups(changed)
    first = make(before)
    base = make(bridge) if structure else first
    chances = (_Chance.of(before), _Chance.of(after))
    players = [*groups, EVIDENCE] if chances[0] != chances[1] else [*groups]

    def weighted(headline: Mapping[str, float | None], chance: _Chance) -> dict[str, float | None]:
        return dict(headline) | chance.weighted(headline)

    names = [
        name
        for name, figure in weighted(first.headline, chances[0]).items()
        if figure is not None and _is_number(figure)
    ]

    def figures(headline: Mapping[str, float | None], chance: _Chance) -> NDArray[np.float64]:
        found = weighted(headline, chance)
        return np.array([math.nan if found[name] is None else found[name] for name in names], dtype=float)

    # What the register says moves no plan: combinations that differ in it alone share theirs.
    def planned_with(made: frozenset[int]) -> frozenset[int]:
        return frozenset(number for number in made if players[number] in groups)

    asked = combinations_asked(len(players), orders=orders, seed=before.seed)
    sets = list(dict.fromkeys(planned_with(made) for made in asked))
    points = Points.of(
        [{item.path: item.after for number in sorted(made) for item in groups[players[number]]} for made in sets]
    )
    if quick is not None:
        table = quick(base, points)
    else:
        with Runner(base, workers, progress) as runner:
            table = runner.run(points, "")
    for made, row in zip(sets, table, strict=True):
        if not np.isfinite(row).any():
            changes = ", ".join(players[number] for number in sorted(made)) or "nothing"
            expected = "values of B that have a plan on the line of A, whichever of them are changed"
            raise InputError([Problem("command line", "A, B", f"no plan with B's {changes} in A", expected)])
    headlines = {
        made: {
            name: None if math.isnan(figure) else float(figure)
            for name, figure in zip(headline_names(), row, strict=True)
        }
        for made, row in zip(sets, table, strict=True)
    }

    def value(made: frozenset[int]) -> NDArray[np.float64]:
        return figures(headlines[planned_with(made)], chances[any(players[number] == EVIDENCE for number in made)])

    found = attribute(len(players), value, orders=orders, seed=before.seed)
    quick_before, quick_after = value(frozenset()), value(frozenset(range(len(players))))
    start, middle = figures(first.headline, chances[0]), figures(base.headline, chances[0])
    end = quick_after + (middle - quick_before) if keep_line else figures(make(after).headline, chances[1])
    terms = [
        _Term(
            name,
            _note(name, groups, chances),
            tuple(groups.get(name, ())),
            found.shares[row],
            found.standard_error[row],
        )
        for row, name in enumerate(players)
    ]
    nothing = np.zeros(len(names))
    if structure:
        terms.append(_Term(STRUCTURE, "what differs besides values, changed first", (), middle - start, nothing))
    if not keep_line:
        relaid = (quick_before - middle) + (end - quick_after)
        terms.append(_Term(LINE, "the line laid out anew for the second programme", (), relaid, nothing))
    usable = np.isfinite(start) & np.isfinite(end)
    for term in terms:
        usable &= np.isfinite(term.shares)
    kept = [number for number, is_usable in enumerate(usable) if is_usable]
    if not kept:
        raise InputError([Problem("command line", "A, B", "no figure that both have", "two programmes with a plan")])
    order = names.index("joint_npv_cny") if "joint_npv_cny" in names else 0
    return CompareResult(
        before=before.document.programme.title,
        after=after.document.programme.title,
        figures=tuple(ComparedFigure(names[number], float(start[number]), float(end[number])) for number in kept),
        terms=tuple(
            CompareTerm(
                term.name,
                term.note,
                term.changes,
                {names[number]: float(term.shares[number]) for number in kept},
                {names[number]: float(term.error[number]) for number in kept},
            )
            for term in sorted(terms, key=lambda item: (-abs(np.nan_to_num(item.shares[order])), item.name))
        ),
        is_exact=found.is_exact,
        evaluations=len(sets),
        full_plans=1 + bool(structure) + (not keep_line),
        structure=structure,
        only_spread=tuple(
            path
            for path, item in before.assumptions.items()
            if path in after.assumptions and _differs_in_spread_only(item, after.assumptions[path])
        ),
    )


def structural_differences(before: Programme, after: Programme) -> tuple[str, ...]:
    """Return the places at which two programmes differ besides the values, ranges and evidence of their numbers."""
    found: list[str] = []
    for label, first, second in (
        ("programme", before.document, after.document),
        ("plant", before.plant, after.plant),
    ):
        _differences(_bare(first), _bare(second), label, found)
    found += [name for name in ("tasks", "orders", "line") if getattr(before, name) != getattr(after, name)]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Term:
    name: str
    note: str
    changes: tuple[ValueChange, ...]
    shares: NDArray[np.float64]
    error: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Chance:
    """What the register gives the programme, and what the brand does otherwise."""

    probability: float
    otherwise: Otherwise

    @classmethod
    def of(cls, programme: Programme) -> _Chance:
        return cls(programme.partnership_probability, programme.document.programme.otherwise)

    def weighted(self, headline: Mapping[str, float | None]) -> dict[str, float | None]:
        found: dict[str, float | None] = {}
        for name, told in WEIGHTED.items():
            value, own = headline.get(name), headline.get(OWN_PLANT)
            has_fallback = self.otherwise is Otherwise.OWN_PLANT and name == "brand_npv_cny"
            fallback = own if has_fallback else 0.0
            if value is None or fallback is None:
                found[told] = None
            else:
                found[told] = self.probability * value + (1 - self.probability) * fallback
        return found


def _is_number(figure: float) -> bool:
    return math.isfinite(figure)


def _groups(changed: Sequence[ValueChange]) -> dict[str, list[ValueChange]]:
    if len(changed) <= SINGLE:
        return {item.path: [item] for item in changed}
    groups: dict[str, list[ValueChange]] = {}
    for item in changed:
        groups.setdefault(item.path.rpartition(".")[0], []).append(item)
    return groups


def _note(name: str, groups: Mapping[str, Sequence[ValueChange]], chances: tuple[_Chance, _Chance]) -> str:
    if name == EVIDENCE:
        before, after = chances
        note = f"probability {before.probability:.3f} to {after.probability:.3f}"
        return note if before.otherwise is after.otherwise else f"{note}, otherwise {after.otherwise.value}"
    items = groups[name]
    if len(items) == 1:
        return f"{items[0].before:g} to {items[0].after:g}"
    return f"{len(items)} values"


def _differs_in_spread_only(first: Assumption, second: Assumption) -> bool:
    return first.value == second.value and (first.low, first.high, first.evidence) != (
        second.low,
        second.high,
        second.evidence,
    )


def _bare(document: Section) -> Any:
    """Return a document without what its numbers are, what the register says and what a person reads."""

    def blank(_path: str, item: Assumption, _inherited: str) -> Assumption:
        return replace(
            item, value=0.0, low=None, high=None, evidence="", if_false=None, stated_range=False, is_default=False,
            earlier=(), minimum=None, maximum=None,
        )  # fmt: skip

    bare = map_assumptions(document, blank)
    data = json.loads(bare.model_dump_json(exclude={"evidence", "outcome", "schema_location"}, fallback=repr))
    for name in ("rests_on", "otherwise", "title", "description", "id"):
        data.get("programme", {}).pop(name, None)
    return data


def _differences(first: Any, second: Any, place: str, found: list[str]) -> None:
    if isinstance(first, dict) and isinstance(second, dict):
        for key in [*first, *(key for key in second if key not in first)]:
            if key not in first or key not in second:
                found.append(f"{place}.{key}")
            elif key != "evidence":
                _differences(first[key], second[key], f"{place}.{key}", found)
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for number, pair in enumerate(zip(first, second, strict=True)):
            _differences(*pair, f"{place}.{number}", found)
    elif first != second:
        found.append(place)
