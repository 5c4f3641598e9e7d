"""Design search: the cheapest car that meets targets, and what range costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from coachbuilder.programme.sections.vehicle import Chemistry, DrivenAxle, RangeProcedure
from coachbuilder.vehicle.batch import (
    ChemistryFigures,
    Family,
    Figures,
    LayoutFigures,
    Numbers,
    Variant,
    car_rows,
    family_of,
    measure,
    resized,
    top_speed_kmh,
)
from coachbuilder.vehicle.performance import FULL_POWER_CHARGE

if TYPE_CHECKING:
    from coachbuilder.programme import Programme

FRONT_POINTS = 16
"""Ranges on the front that are asked for."""

_GRID = (25, 21, 13)
"""Designs by gross energy, peak power and gear ratio in a first look at the whole space."""
_ZOOM_NODES = (7, 7, 7)
_ZOOMS = 16
_ZOOM = 0.55
"""The box around the best design so far shrinks by this; it still holds the neighbours of the last grid's best."""
_NEVER = 10.0
"""Shortfall of a car that never reaches 100 km/h, as a share."""
_MISSED_CNY = 1e9
"""More than any car costs: a design that misses a target ranks behind all that miss none."""


class Target(StrEnum):
    """What can be asked of a car."""

    RANGE = "range"
    ZERO_TO_100 = "0-100 km/h"
    TOP_SPEED = "top speed"
    CURB_MASS = "curb mass"
    PARTS_COST = "parts cost"


_FIELDS = {
    Target.RANGE: "range_km",
    Target.ZERO_TO_100: "zero_to_100_s",
    Target.TOP_SPEED: "top_speed_kmh",
    Target.CURB_MASS: "curb_mass_kg",
    Target.PARTS_COST: "parts_cost_cny",
}
"""What holds a target and what a design reaches of it, in every table here."""
_AT_LEAST = frozenset({Target.RANGE, Target.TOP_SPEED})
_UNITS = {
    Target.RANGE: "km", Target.ZERO_TO_100: "s", Target.TOP_SPEED: "km/h", Target.CURB_MASS: "kg",
    Target.PARTS_COST: "CNY",
}  # fmt: skip
_DIGITS = {target: 2 if target is Target.ZERO_TO_100 else 0 for target in Target}


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """What may be chosen."""

    gross_kwh: tuple[float, float]
    """Smallest and largest energy of all cells."""
    peak_kw: tuple[float, float]
    """Smallest and largest peak power of all motors; peak torque follows it."""
    gear_ratio: tuple[float, float]
    """Fewest and most motor turns per wheel turn."""
    chemistries: tuple[Chemistry, ...] = ()
    """Chemistries; without any, the programme's."""
    driven_axles: tuple[DrivenAxle, ...] = ()
    """Driven axles; without any, the programme's."""

    def __post_init__(self) -> None:
        for name in ("gross_kwh", "peak_kw", "gear_ratio"):
            low, high = getattr(self, name)
            if not (0.0 < low <= high < math.inf):
                message = f"{name}: found {low:g} to {high:g}; expected two numbers above 0, the smaller one first"
                raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Targets:
    """What the car has to reach; None asks for nothing."""

    range_procedure: RangeProcedure
    """Procedure by which the range is meant."""
    range_km: float | None = None
    """Smallest range."""
    zero_to_100_s: float | None = None
    """Longest time from standstill to 100 km/h."""
    top_speed_kmh: float | None = None
    """Smallest top speed."""
    curb_mass_kg: float | None = None
    """Largest curb mass."""
    parts_cost_cny: float | None = None
    """Largest cost of parts."""

    def __post_init__(self) -> None:
        for name in _FIELDS.values():
            asked = getattr(self, name)
            if asked is not None and not 0.0 < asked < math.inf:
                message = f"{name}: found {asked:g}; expected a number above 0"
                raise ValueError(message)

    @classmethod
    def of(cls, programme: Programme) -> Targets | None:
        """Return the targets that a programme lays down; None if it lays down none."""
        asked = programme.document.vehicle.targets
        if asked is None:
            return None
        return cls(asked.range_procedure, *(getattr(asked, name).value for name in _FIELDS.values()))

    @property
    def asked(self) -> dict[Target, float]:
        """The targets that ask for something."""
        return {target: getattr(self, name) for target, name in _FIELDS.items() if getattr(self, name) is not None}

    def without(self, *targets: Target) -> Targets:
        """Return these targets without some."""
        kept = {name: None if target in targets else getattr(self, name) for target, name in _FIELDS.items()}
        return Targets(self.range_procedure, **kept)


@dataclass(frozen=True, slots=True)
class Design:
    """A car of the search, and what it is."""

    chemistry: Chemistry
    """Cathode of the cells."""
    driven_axle: DrivenAxle
    """Axle that the motors drive."""
    gross_kwh: float
    """Energy of all cells."""
    usable_kwh: float
    """Energy that the driver can use."""
    peak_kw: float
    """Peak power of all motors."""
    gear_ratio: float
    """Motor turns per wheel turn."""
    curb_mass_kg: float
    """Ready to drive, empty."""
    range_km: float | None
    """By the targets' procedure; None if the car misses a trace."""
    zero_to_100_s: float | None
    """0-100 km/h; None if 100 km/h is not reached."""
    top_speed_kmh: float
    """Top speed on the level."""
    parts_cost_cny: float
    """All parts."""

    def reached(self, target: Target) -> float | None:
        """Return the design's figure for a target."""
        found: float | None = getattr(self, _FIELDS[target])
        return found


@dataclass(frozen=True, slots=True)
class Miss:
    """A target that a design misses."""

    target: Target
    """Which."""
    asked: float
    """The figure asked for."""
    reached: float | None
    """The design's figure; None if it has none."""

    @property
    def share(self) -> float:
        """By how much of what is asked for; infinite if the design has no figure."""
        return math.inf if self.reached is None else abs(self.reached / self.asked - 1.0)

    def __str__(self) -> str:
        unit, digits = _UNITS[self.target], _DIGITS[self.target]
        most = "at least" if self.target in _AT_LEAST else "at most"
        asked = f"{most} {self.asked:,.{digits}f} {unit} asked"
        if self.reached is None:
            return f"{self.target}: not reached, {asked}"
        return f"{self.target}: {self.reached:,.{digits}f} {unit}, {asked} ({100 * self.share:.1f} % off)"


@dataclass(frozen=True, slots=True)
class NearMiss:
    """What stands in the way where no design meets all targets."""

    design: Design
    """The design whose misses, as shares of what is asked for, add up to least."""
    misses: tuple[Miss, ...]
    """Which targets it misses."""
    without: Mapping[Target, Design | None]
    """The cheapest design if this target alone were given up; None if there is none even then."""

    @property
    def in_the_way(self) -> tuple[Target, ...]:
        """Targets each of which alone, given up, lets a design meet the others."""
        return tuple(target for target, design in self.without.items() if design is not None)

    def __str__(self) -> str:
        sentences = [f"No design meets all targets. The nearest misses {'; '.join(map(str, self.misses))}."]
        for target, design in self.without.items():
            if design is not None:
                digits, unit, reached = _DIGITS[target], _UNITS[target], design.reached(target)
                figure = "" if reached is None or target is Target.PARTS_COST else f", {reached:,.{digits}f} {unit}"
                sentences.append(f"Without the target for {target}: {design.parts_cost_cny:,.0f} CNY{figure}.")
        if not self.in_the_way:
            sentences.append("Giving up one target alone does not help.")
        return " ".join(sentences)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found."""

    targets: Targets
    """What was asked."""
    cheapest: Design | None
    """The cheapest design that meets all targets; None if there is none."""
    pareto: tuple[Design, ...]
    """Cheapest designs for rising ranges among those that meet the targets for acceleration and mass: no design has
    more range for less."""
    own: Design
    """The programme's own car."""
    own_misses: tuple[Miss, ...]
    """Which targets it misses."""
    nearest: NearMiss | None
    """What stands in the way; None where a design meets all targets."""
    designs_evaluated: int
    """Designs looked at."""


def space_around(programme: Programme) -> SearchSpace:
    """Return a space around the programme's own car: half to twice its pack, drive and gear.

    Parameters
    ----------
    programme
        The programme.
    """
    section = programme.document.vehicle

    def around(value: float) -> tuple[float, float]:
        return 0.5 * value, 2.0 * value

    return SearchSpace(
        gross_kwh=around(section.battery.gross_kwh.value),
        peak_kw=around(section.motor.peak_kw.value),
        gear_ratio=around(section.motor.gear_ratio.value),
    )


def search(
    programme: Programme,
    space: SearchSpace,
    targets: Targets,
    *,
    cny_per_usd: float,
    alternatives: Mapping[Chemistry, ChemistryFigures] | None = None,
    layouts: Mapping[DrivenAxle, LayoutFigures] | None = None,
    points: int = FRONT_POINTS,
    threads: int | None = None,
    on_gpu: bool = False,
) -> SearchResult:
    """Find the cheapest car that meets targets, and what range costs.

    Every design is the programme's car with another pack, drive and gear; its body gains mass with what it carries.
    Cost rises with energy and power, so that for each power and gear ratio the smallest pack that meets the targets is
    the cheapest; the best power is then searched for each gear ratio, and the best gear ratio among them.

    Parameters
    ----------
    programme
        The programme.
    space
        What may be chosen.
    targets
        What the car has to reach.
    cny_per_usd
        Exchange rate for parts priced in USD.
    alternatives
        Figures of the packs of other chemistries than the programme's.
    layouts
        Figures of other driven axles than the programme's.
    points
        Ranges on the front, at least 2.
    threads
        Threads; all cores if left out. The answer does not depend on it.
    on_gpu
        Drive the traces on a CUDA GPU. Energies are the same within float error, so that designs of equal worth may
        be told apart otherwise than by the processor.

    Raises
    ------
    ValueError
        If the space names a chemistry or a driven axle without figures.
    InputError
        If the car's numbers do not go together.

    Examples
    --------
    >>> from coachbuilder import load
    >>> programme = load("examples/phone-maker-ev")  # doctest: +SKIP
    >>> space = SearchSpace(gross_kwh=(40, 90), peak_kw=(80, 220), gear_ratio=(8, 12))
    >>> targets = Targets(RangeProcedure.CLTC, range_km=480, zero_to_100_s=9.0)
    >>> search(programme, space, targets, cny_per_usd=7.1).cheapest.gross_kwh  # doctest: +SKIP
    65.3
    """
    if points < 2:
        message = f"points: found {points}; expected at least 2"
        raise ValueError(message)
    searches = [
        _Search(family_of(programme, variant, cny_per_usd=cny_per_usd), space, targets.range_procedure, threads, on_gpu)
        for variant in _variants(programme, space, alternatives or {}, layouts or {})
    ]
    cheapest = _cheapest(searches, targets)
    section = programme.document.vehicle
    own_variant = Variant(section.battery.chemistry, section.body.driven_axle)
    own_family = family_of(programme, own_variant, cny_per_usd=cny_per_usd)
    plain = _Search(own_family, space, targets.range_procedure, threads, on_gpu)
    own = _own(programme, plain)
    return SearchResult(
        targets=targets,
        cheapest=cheapest,
        pareto=_pareto(searches, targets, points),
        own=own,
        own_misses=_misses(own, targets),
        nearest=_near_miss(searches, targets) if cheapest is None else None,
        designs_evaluated=1 + sum(item.evaluated for item in searches),
    )


def put_back(
    programme: Programme,
    design: Design,
    *,
    alternatives: Mapping[Chemistry, ChemistryFigures] | None = None,
    layouts: Mapping[DrivenAxle, LayoutFigures] | None = None,
) -> Programme:
    """Return the programme with a design of its search as its car.

    Parameters
    ----------
    programme
        The programme that was searched.
    design
        The design.
    alternatives, layouts
        As given to :func:`search`.
    """
    return resized(
        programme,
        _variant(programme, design.chemistry, design.driven_axle, alternatives or {}, layouts or {}),
        gross_kwh=design.gross_kwh,
        peak_kw=design.peak_kw,
        gear_ratio=design.gear_ratio,
    )


@dataclass(slots=True)
class _Search:
    """Search among the cars of one family."""

    family: Family
    space: SearchSpace
    procedure: RangeProcedure
    threads: int | None
    on_gpu: bool
    evaluated: int = 0
    grid: tuple[Numbers, Figures] | None = None
    """Sizes, shape (n, 3), and figures of a first look at the whole space."""

    def measure(self, sizes: Numbers) -> Figures:
        """Measure designs; sizes (n, 3): gross energy, peak power, gear ratio."""
        self.evaluated += len(sizes)
        gross, power, gear = (np.ascontiguousarray(column) for column in sizes.T)
        return measure(
            self.family, gross, power, gear, procedure=self.procedure, threads=self.threads, on_gpu=self.on_gpu
        )

    def first_look(self) -> tuple[Numbers, Figures]:
        """Return the grid over the whole space."""
        if self.grid is None:
            box = np.array([self.space.gross_kwh, self.space.peak_kw, self.space.gear_ratio])
            sizes = _nodes(box, _GRID)
            self.grid = sizes, self.measure(sizes)
        return self.grid

    def best(self, targets: Targets) -> Design:
        """Return the cheapest design that meets the targets, or the one that misses them least.

        A grid over the whole space, then ever smaller ones around the best design so far.
        """
        box = np.array([self.space.gross_kwh, self.space.peak_kw, self.space.gear_ratio])
        sizes, figures = self.first_look()
        scores = _scores(figures, targets)
        best, score = sizes[scores.argmin()], scores.min()
        half = 1.1 * (box[:, 1] - box[:, 0]) / (np.array(_GRID) - 1)
        for _ in range(_ZOOMS):
            around = np.clip(np.stack([best - half, best + half], axis=1), box[:, :1], box[:, 1:])
            sizes = _nodes(around, _ZOOM_NODES)
            scores = _scores(self.measure(sizes), targets)
            if scores.min() < score:
                best, score = sizes[scores.argmin()], scores.min()
            half *= _ZOOM
        return self.design(best)

    def design(self, size: Numbers) -> Design:
        """Return a design with all that is told of it."""
        figures = self.measure(size[None])
        gross, power, gear = (size[place : place + 1] for place in range(3))
        rows = car_rows(self.family, gross, power, gear, state_of_charge=FULL_POWER_CHARGE)
        range_km, time_s = float(figures.range_km[0]), float(figures.zero_to_100_s[0])
        return Design(
            chemistry=self.family.variant.chemistry,
            driven_axle=self.family.variant.driven_axle,
            gross_kwh=float(gross[0]),
            usable_kwh=float(gross[0]) * self.family.usable_share,
            peak_kw=float(power[0]),
            gear_ratio=float(gear[0]),
            curb_mass_kg=float(figures.curb_mass_kg[0]),
            range_km=None if math.isnan(range_km) else range_km,
            zero_to_100_s=time_s if math.isfinite(time_s) else None,
            top_speed_kmh=float(top_speed_kmh(rows)[0]),
            parts_cost_cny=float(figures.parts_cost_cny[0]),
        )

    def longest_range_km(self, targets: Targets) -> float | None:
        """Return the longest range on the first grid among designs that meet the targets for time and mass."""
        _, figures = self.first_look()
        meets = _short(figures, targets.without(Target.RANGE, Target.PARTS_COST)) <= 0.0
        ranges = figures.range_km[meets & ~np.isnan(figures.range_km)]
        return float(ranges.max()) if ranges.size else None


def _nodes(box: Numbers, counts: tuple[int, int, int]) -> Numbers:
    """Return a grid over a box, shape (n, 3)."""
    axes = [np.linspace(low, high, count) for (low, high), count in zip(box, counts, strict=True)]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)


def _short(figures: Figures, targets: Targets) -> Numbers:
    """Return by how much designs miss targets, as shares of what is asked for, added up; 0 where they meet all."""
    # A car that misses a trace has no range at all, whatever is asked for.
    total = np.where(np.isnan(figures.range_km), 1.0, 0.0)
    for target, asked in targets.asked.items():
        name = "undisturbed_range_km" if target is Target.RANGE else _FIELDS[target]
        ratio = getattr(figures, name) / asked
        total += np.clip(1.0 - np.nan_to_num(ratio) if target in _AT_LEAST else ratio - 1.0, 0.0, _NEVER)
    return total


def _scores(figures: Figures, targets: Targets) -> Numbers:
    """Return what is to be smallest: cost where all targets are met, else more, growing with the misses."""
    short = _short(figures, targets)
    return np.where(short > 0.0, _MISSED_CNY * (1.0 + short) + figures.parts_cost_cny, figures.parts_cost_cny)


def _variants(
    programme: Programme,
    space: SearchSpace,
    alternatives: Mapping[Chemistry, ChemistryFigures],
    layouts: Mapping[DrivenAxle, LayoutFigures],
) -> list[Variant]:
    section = programme.document.vehicle
    chemistries = space.chemistries or (section.battery.chemistry,)
    axles = space.driven_axles or (section.body.driven_axle,)
    return [_variant(programme, chemistry, axle, alternatives, layouts) for chemistry in chemistries for axle in axles]


def _variant(
    programme: Programme,
    chemistry: Chemistry,
    driven_axle: DrivenAxle,
    alternatives: Mapping[Chemistry, ChemistryFigures],
    layouts: Mapping[DrivenAxle, LayoutFigures],
) -> Variant:
    section = programme.document.vehicle
    cells = layout = None
    if chemistry is not section.battery.chemistry:
        cells = alternatives.get(chemistry)
        if cells is None:
            message = f"chemistries: found {chemistry}; expected the programme's, or one with figures in alternatives"
            raise ValueError(message)
    if driven_axle is not section.body.driven_axle:
        layout = layouts.get(driven_axle)
        if layout is None:
            message = f"driven_axles: found {driven_axle}; expected the programme's, or one with figures in layouts"
            raise ValueError(message)
    return Variant(chemistry, driven_axle, cells, layout)


def _cheapest(searches: Sequence[_Search], targets: Targets) -> Design | None:
    found = [design for design in (item.best(targets) for item in searches) if not _misses(design, targets)]
    return min(found, key=lambda design: design.parts_cost_cny, default=None)


def _own(programme: Programme, plain: _Search) -> Design:
    section = programme.document.vehicle
    size = np.array([section.battery.gross_kwh.value, section.motor.peak_kw.value, section.motor.gear_ratio.value])
    return plain.design(size)


def _misses(design: Design, targets: Targets) -> tuple[Miss, ...]:
    found = []
    for target, asked in targets.asked.items():
        reached = design.reached(target)
        enough = reached is not None and (reached >= asked if target in _AT_LEAST else reached <= asked)
        if not enough:
            found.append(Miss(target, asked, reached))
    if design.range_km is None and Target.RANGE not in targets.asked:
        found.append(Miss(Target.RANGE, 0.0, None))
    return tuple(found)


def _pareto(searches: Sequence[_Search], targets: Targets, points: int) -> tuple[Design, ...]:
    """Return the cheapest designs for rising ranges; what another beats in range and cost is left out."""
    free = targets.without(Target.RANGE, Target.PARTS_COST)
    longest = [km for km in (item.longest_range_km(targets) for item in searches) if km is not None]
    start = _cheapest(searches, free)
    if start is None or start.range_km is None or not longest:
        return ()
    found = [start]
    for range_km in np.linspace(start.range_km, max(longest), points)[1:]:
        design = _cheapest(searches, replace(free, range_km=float(range_km)))
        if design is not None:
            found.append(design)
    front: list[Design] = []
    for design in sorted(found, key=lambda item: (item.parts_cost_cny, -(item.range_km or 0.0))):
        if not front or (design.range_km or 0.0) > (front[-1].range_km or 0.0):
            front.append(design)
    return tuple(front)


def _near_miss(searches: Sequence[_Search], targets: Targets) -> NearMiss:
    designs = [item.best(targets) for item in searches]
    nearest = min(designs, key=lambda design: sum(min(miss.share, _NEVER) for miss in _misses(design, targets)))
    return NearMiss(
        design=nearest,
        misses=_misses(nearest, targets),
        without={target: _cheapest(searches, targets.without(target)) for target in targets.asked},
    )
