"""Design search: the cheapest car that meets targets, and what range costs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme.sections.vehicle import Chemistry, DrivenAxle, RangeProcedure
from coachbuilder.vehicle.batch import (
    ChemistryFigures,
    Family,
    Figures,
    LayoutFigures,
    Numbers,
    car_rows,
    family_of,
    measure,
    resized,
    top_speed_kmh,
    zero_to_100_s,
)
from coachbuilder.vehicle.performance import FULL_POWER_CHARGE

if TYPE_CHECKING:
    from coachbuilder.programme import Programme

FRONT_POINTS = 16
"""Ranges on the front that are asked for."""

_RANGE_MARGIN = 1e-7
"""Share by which a range target is overfulfilled: what batch and single car differ by, and more."""
_TIME_MARGIN = 1e-9
_ROOT_STEPS = 12
_GROSS_NODES = 8
_BISECTIONS = 24
_CLOUD = (25, 21, 13)
"""Designs by gross energy, peak power and gear ratio in a first look at the whole space."""
_ZOOM_NODES = 9
_ZOOMS = 16
_ZOOM = 0.55
_NEVER = 10.0
"""Shortfall of a car that never reaches 100 km/h, as a share."""
_TIE = 1e-4
"""Weight of cost among designs that miss alike."""


class Target(StrEnum):
    """What can be asked of a car."""

    RANGE = "range"
    ZERO_TO_100 = "0-100 km/h"
    CURB_MASS = "curb mass"
    PARTS_COST = "parts cost"


_UNITS = {Target.RANGE: "km", Target.ZERO_TO_100: "s", Target.CURB_MASS: "kg", Target.PARTS_COST: "CNY"}
_DIGITS = {Target.RANGE: 0, Target.ZERO_TO_100: 2, Target.CURB_MASS: 0, Target.PARTS_COST: 0}


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
    curb_mass_kg: float | None = None
    """Largest curb mass."""
    parts_cost_cny: float | None = None
    """Largest cost of parts."""

    def __post_init__(self) -> None:
        for name in ("range_km", "zero_to_100_s", "curb_mass_kg", "parts_cost_cny"):
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
        return cls(
            range_procedure=asked.range_procedure,
            range_km=asked.range_km.value,
            zero_to_100_s=asked.zero_to_100_s.value,
            curb_mass_kg=asked.curb_mass_kg.value,
            parts_cost_cny=asked.parts_cost_cny.value,
        )

    @property
    def asked(self) -> dict[Target, float]:
        """The targets that ask for something."""
        all_targets = {
            Target.RANGE: self.range_km,
            Target.ZERO_TO_100: self.zero_to_100_s,
            Target.CURB_MASS: self.curb_mass_kg,
            Target.PARTS_COST: self.parts_cost_cny,
        }
        return {name: asked for name, asked in all_targets.items() if asked is not None}

    def without(self, target: Target) -> Targets:
        """Return these targets without one."""
        names = {
            Target.RANGE: "range_km",
            Target.ZERO_TO_100: "zero_to_100_s",
            Target.CURB_MASS: "curb_mass_kg",
            Target.PARTS_COST: "parts_cost_cny",
        }
        return replace(self, **{names[target]: None})


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
        return {
            Target.RANGE: self.range_km,
            Target.ZERO_TO_100: self.zero_to_100_s,
            Target.CURB_MASS: self.curb_mass_kg,
            Target.PARTS_COST: self.parts_cost_cny,
        }[target]


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
        most = "at least" if self.target is Target.RANGE else "at most"
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
        _Search(family_of(programme, variant, cny_per_usd=cny_per_usd), space, targets.range_procedure, threads)
        for variant in _variants(programme, space, alternatives or {}, layouts or {})
    ]
    cheapest = _cheapest(searches, targets)
    own = _own(programme, targets, cny_per_usd, threads)
    return SearchResult(
        targets=targets,
        cheapest=cheapest,
        pareto=_pareto(searches, targets, cheapest, points),
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


@dataclass(frozen=True, slots=True)
class _Limits:
    """Targets as numbers; what is not asked for is infinite or 0."""

    range_km: float
    zero_to_100_s: float
    curb_mass_kg: float
    parts_cost_cny: float

    @classmethod
    def of(cls, targets: Targets) -> _Limits:
        asked = targets.asked
        return cls(
            range_km=asked.get(Target.RANGE, 0.0) * (1.0 + _RANGE_MARGIN),
            zero_to_100_s=asked.get(Target.ZERO_TO_100, math.inf) * (1.0 - _TIME_MARGIN),
            curb_mass_kg=asked.get(Target.CURB_MASS, math.inf),
            parts_cost_cny=asked.get(Target.PARTS_COST, math.inf),
        )


@dataclass(frozen=True, slots=True)
class _Effort:
    """How finely a cheapest design is sought."""

    gear_nodes: int = 13
    gear_halvings: int = 12
    power_nodes: int = 21
    power_halvings: int = 18


_FINE = _Effort()
_COARSE = _Effort(gear_nodes=9, gear_halvings=5, power_nodes=13, power_halvings=10)


@dataclass(frozen=True, slots=True)
class _Best:
    """The cheapest designs of several problems; cost is infinite where there is none. Arrays of one shape."""

    cost_cny: Numbers
    gross_kwh: Numbers
    peak_kw: Numbers
    gear_ratio: Numbers


@dataclass(slots=True)
class _Search:
    """Search among the cars of one family."""

    family: Family
    space: SearchSpace
    procedure: RangeProcedure
    threads: int | None
    evaluated: int = field(default=0)

    def measure(self, gross_kwh: Numbers, peak_kw: Numbers, gear_ratio: Numbers) -> Figures:
        self.evaluated += gross_kwh.size
        return measure(self.family, gross_kwh, peak_kw, gear_ratio, procedure=self.procedure, threads=self.threads)

    def designs(self, gross_kwh: Numbers, peak_kw: Numbers, gear_ratio: Numbers) -> Iterator[Design]:
        """Yield designs with all that is told of them."""
        figures = self.measure(gross_kwh, peak_kw, gear_ratio)
        rows = car_rows(self.family, gross_kwh, peak_kw, gear_ratio, state_of_charge=FULL_POWER_CHARGE)
        top_kmh = top_speed_kmh(rows)
        for at in range(gross_kwh.size):
            range_km, time_s = float(figures.range_km[at]), float(figures.zero_to_100_s[at])
            yield Design(
                chemistry=self.family.variant.chemistry,
                driven_axle=self.family.variant.driven_axle,
                gross_kwh=float(gross_kwh[at]),
                usable_kwh=float(gross_kwh[at]) * self.family.usable_share,
                peak_kw=float(peak_kw[at]),
                gear_ratio=float(gear_ratio[at]),
                curb_mass_kg=float(figures.curb_mass_kg[at]),
                range_km=None if math.isnan(range_km) else range_km,
                zero_to_100_s=time_s if math.isfinite(time_s) else None,
                top_speed_kmh=float(top_kmh[at]),
                parts_cost_cny=float(figures.parts_cost_cny[at]),
            )

    def cheapest(self, range_km: Numbers, limits: _Limits, effort: _Effort) -> _Best:
        """Return the cheapest design for each range, shape (k,); it meets the other limits too."""
        low, high = self.space.gear_ratio
        count = range_km.size

        def at(gear_ratio: Numbers) -> _Best:
            width = gear_ratio.shape[1]
            found = self._best_power(np.repeat(range_km, width), gear_ratio.ravel(), limits, effort)
            return _shaped(found, (count, width))

        return _refined(at, np.broadcast_to(np.linspace(low, high, effort.gear_nodes), (count, effort.gear_nodes)),
                        lambda best: best.gear_ratio, effort.gear_halvings)  # fmt: skip

    def cloud(self) -> tuple[Numbers, Numbers, Numbers]:
        """Return sizes over the whole space, each shape (n,)."""
        ranges = (self.space.gross_kwh, self.space.peak_kw, self.space.gear_ratio)
        return _box([low for low, _ in ranges], [high for _, high in ranges], _CLOUD)

    def _best_power(self, range_km: Numbers, gear_ratio: Numbers, limits: _Limits, effort: _Effort) -> _Best:
        low, high = self.space.peak_kw
        count = gear_ratio.size

        def at(peak_kw: Numbers) -> _Best:
            width = peak_kw.shape[1]
            power, gear = peak_kw.ravel(), np.repeat(gear_ratio, width)
            gross = self._least_gross(np.repeat(range_km, width), power, gear, limits)
            cost = self.family.parts_cost_cny(gross, power)
            fits = (self.family.curb_mass_kg(gross, power) <= limits.curb_mass_kg) & (cost <= limits.parts_cost_cny)
            return _shaped(_Best(np.where(fits, cost, np.inf), gross, power, gear), (count, width))

        return _refined(at, np.broadcast_to(np.linspace(low, high, effort.power_nodes), (count, effort.power_nodes)),
                        lambda best: best.peak_kw, effort.power_halvings)  # fmt: skip

    def _least_gross(self, range_km: Numbers, peak_kw: Numbers, gear_ratio: Numbers, limits: _Limits) -> Numbers:
        """Return the smallest pack with which range and acceleration are reached, shape (n,); NaN where none does."""
        gross = self._gross_for_range(range_km, peak_kw, gear_ratio)
        reachable = np.flatnonzero(self.family.curb_mass_kg(gross, peak_kw) <= limits.curb_mass_kg)
        meets = np.zeros(gross.size, dtype=np.bool_)
        meets[reachable] = self._drives(gross[reachable], peak_kw[reachable], gear_ratio[reachable], limits)
        # A pack too weak for the motors gains power with its energy: a larger one may still do.
        short = reachable[~meets[reachable]]
        gross[~meets] = np.nan
        if short.size:
            least = self._gross_for_range(range_km[short], peak_kw[short], gear_ratio[short])
            gross[short] = self._gross_for_power(least, peak_kw[short], gear_ratio[short], limits)
        return gross

    def _gross_for_range(self, range_km: Numbers, peak_kw: Numbers, gear_ratio: Numbers) -> Numbers:
        """Return the pack that just gives the range, by the Illinois variant of the false position."""
        least, most = self.space.gross_kwh
        low, high = np.full(range_km.size, least), np.full(range_km.size, most)

        def excess(gross: Numbers, at: NDArray[np.intp]) -> Numbers:
            figures = self.measure(gross, peak_kw[at], gear_ratio[at])
            return figures.undisturbed_range_km - range_km[at]

        every = np.arange(range_km.size)
        at_low = excess(low, every)
        found = np.where(at_low >= 0.0, low, np.nan)
        active = every[at_low < 0.0]
        at_high = np.zeros(range_km.size)
        at_high[active] = excess(high[active], active)
        active = active[at_high[active] >= 0.0]
        found[active] = high[active]
        side = np.zeros(range_km.size)
        for _ in range(_ROOT_STEPS):
            if not active.size:
                break
            below, above = at_low[active], at_high[active]
            gross = (low[active] * above - high[active] * below) / (above - below)
            value = excess(gross, active)
            enough = value >= 0.0
            over, under = active[enough], active[~enough]
            high[over], at_high[over] = gross[enough], value[enough]
            low[under], at_low[under] = gross[~enough], value[~enough]
            at_low[over[side[over] > 0]] *= 0.5
            at_high[under[side[under] < 0]] *= 0.5
            side[over], side[under] = 1.0, -1.0
            found[over] = high[over]
            near = (np.abs(value) < _RANGE_MARGIN * range_km[active]) & enough
            tight = high[active] - low[active] < 1e-9 * high[active]
            # From below, one step beyond the root settles it.
            active = active[~(near | tight)]
        return found

    def _gross_for_power(self, least: Numbers, peak_kw: Numbers, gear_ratio: Numbers, limits: _Limits) -> Numbers:
        """Return the smallest pack above ``least`` with which the car accelerates and drives; NaN where none does."""
        steps = np.linspace(0.0, 1.0, _GROSS_NODES + 1)[1:]
        nodes = least[:, None] + (self.space.gross_kwh[1] - least)[:, None] * steps
        power, gear = np.repeat(peak_kw, steps.size), np.repeat(gear_ratio, steps.size)
        meets = self._drives(nodes.ravel(), power, gear, limits).reshape(nodes.shape)
        found = np.flatnonzero(meets.any(axis=1))
        first = meets[found].argmax(axis=1)
        high = nodes[found, first]
        low = np.where(first > 0, nodes[found, np.maximum(first - 1, 0)], least[found])
        for _ in range(_BISECTIONS if found.size else 0):
            middle = 0.5 * (low + high)
            enough = self._drives(middle, peak_kw[found], gear_ratio[found], limits)
            high, low = np.where(enough, middle, high), np.where(enough, low, middle)
        gross = np.full(least.size, np.nan)
        gross[found] = high
        return gross

    def _drives(self, gross_kwh: Numbers, peak_kw: Numbers, gear_ratio: Numbers, limits: _Limits) -> NDArray[np.bool_]:
        """Tell which cars accelerate as asked and follow the traces; the second is looked at where the first holds."""
        time_s = zero_to_100_s(self.family, gross_kwh, peak_kw, gear_ratio, threads=self.threads)
        meets = time_s <= limits.zero_to_100_s
        quick = np.flatnonzero(meets)
        figures = self.measure(gross_kwh[quick], peak_kw[quick], gear_ratio[quick])
        meets[quick] = ~np.isnan(figures.range_km)
        return meets


def _refined(at, nodes, place, halvings):  # type: ignore[no-untyped-def]
    raise NotImplementedError
