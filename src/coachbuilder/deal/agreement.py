"""The zone of agreement: for which fees per car and take-or-pay floors both sides gain.

The programme's own contract is varied in two directions: all fees per car, and with them what a car not taken costs,
by one factor; and the share of the contracted capacity that the brand agrees to take. All other clauses stay, and so
does what is built: the line is not laid out anew for another floor. Values are not linear in the fee, since losses are
carried forward for tax and repaid losses see what the fees pay; so every contract of the map is worked out in full.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.deal.clauses import Clause, FeePerCar, TakeOrPay
from coachbuilder.deal.evaluate import evaluate

if TYPE_CHECKING:
    from coachbuilder.deal.interface import DealInputs

Vector = NDArray[np.float64]

FEE_STEPS = 24
"""Steps of the map along the fee."""
FLOOR_STEPS = 10
"""Steps of the map along the floor, from nothing to all of the contracted capacity."""
BEYOND = 1.2
"""The map reaches so many times the highest fee of interest."""
_NARROWEST = 1e-9
"""Fees are solved to this share of the map's highest."""
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class ContractPoint:
    """One contract of the map, and what it is worth to either side."""

    fee_level_share: float
    """All fees over the programme's own."""
    fee_cny_per_car: float
    """Mean fee a car over the horizon."""
    floor_share: float
    """Share of the contracted capacity that the brand takes or pays."""
    brand_npv_cny: float
    """Net present value for the brand."""
    host_npv_cny: float
    """Net present value for the host."""
    joint_npv_cny: float
    """Sum of the two."""


@dataclass(frozen=True, slots=True)
class ZoneResult:
    """The map of contracts and what is to be read from it."""

    fee_level_shares: Vector
    """Fees of the map over the programme's own, shape (fees,)."""
    fee_cny_per_car: Vector
    """The same as mean fee a car over the horizon, shape (fees,)."""
    floor_shares: Vector
    """Floors of the map, shape (floors,)."""
    brand_npv_cny: Vector
    """Value for the brand, shape (floors, fees)."""
    host_npv_cny: Vector
    """Value for the host, shape (floors, fees)."""
    brand_alternative_npv_cny: float
    """What the brand can have without the host: the contract must bring it as much."""
    host_alternative_npv_cny: float
    """What the host can have without the brand."""
    brand_highest_fee_cny_per_car: tuple[float | None, ...]
    """Mean fee up to which the brand gains, by floor; None if it does at no fee, the map's end if at all."""
    host_least_fee_cny_per_car: tuple[float | None, ...]
    """Mean fee from which on the host gains, by floor; None if it does at no fee of the map."""
    programme: ContractPoint
    """The programme's own contract."""
    best_joint: ContractPoint
    """The contract of the map with the highest joint value; of equal ones the first, at the lowest floor and fee."""
    best_brand: ContractPoint
    """The contract of the map that is best for the brand."""
    best_host: ContractPoint
    """The contract of the map that is best for the host."""
    nash: ContractPoint | None
    """The contract with the largest product of both gains (Nash's bargaining solution); None if the zone is empty."""
    is_empty: bool
    """True if at no contract both gain."""
    losing_side: str
    """The side that gains nowhere: 'brand', 'host' or 'both'; 'neither' if each does, if not together; else empty."""
    adds_floor: bool
    """True if the programme has no take-or-pay, so that the map adds one that costs the first fee a car."""


def has_fee(inputs: DealInputs) -> bool:
    """Return whether there is a fee per car above nothing, without which there is no map.

    Parameters
    ----------
    inputs
        The deal.
    """
    return any(isinstance(clause, FeePerCar) and max(clause.fee_cny_per_car) > 0 for clause in inputs.clauses)


def with_terms(inputs: DealInputs, fee_level_share: float, floor_share: float) -> DealInputs:
    """Return the deal at other fees and another floor.

    Parameters
    ----------
    inputs
        The deal.
    fee_level_share
        Factor on every fee per car and on what a car not taken costs.
    floor_share
        Share of the contracted capacity that the brand takes or pays; a deal without such a clause gets one that
        costs the first tier's fee a car from the first year of production on.
    """
    clauses: list[Clause] = []
    first_fee = next((clause.fee_cny_per_car[0] for clause in inputs.clauses if isinstance(clause, FeePerCar)), 0.0)
    found = False
    for clause in inputs.clauses:
        if isinstance(clause, FeePerCar):
            fees = tuple(fee_level_share * fee for fee in clause.fee_cny_per_car)
            clauses.append(replace(clause, fee_cny_per_car=fees))
        elif isinstance(clause, TakeOrPay):
            found = True
            clauses.append(replace(clause, floor_share=floor_share, cny_per_car=fee_level_share * clause.cny_per_car))
        else:
            clauses.append(clause)
    if not found and floor_share > 0:
        clauses.append(TakeOrPay("floor-of-the-map", floor_share, fee_level_share * first_fee, 1))
    return replace(inputs, clauses=tuple(clauses), with_break_even=False)


def zone_of_agreement(
    inputs: DealInputs,
    *,
    brand_alternative_npv_cny: float = 0.0,
    host_alternative_npv_cny: float = 0.0,
    demand: tuple[tuple[float, float], ...] = ((1.0, 1.0),),
    fee_steps: int = FEE_STEPS,
    floor_steps: int = FLOOR_STEPS,
) -> ZoneResult | None:
    """Return the map of contracts; None if the contract has no fee per car or sells no car.

    The map reaches from no fee to somewhat beyond the highest fee at which either side turns, at most to the price of
    the car. Where a side turns is solved for on the map's cells; the Nash point is searched along the fee at every
    floor of the map.

    Parameters
    ----------
    inputs
        The deal.
    brand_alternative_npv_cny, host_alternative_npv_cny
        What the sides can have without each other; 0 is doing nothing.
    demand
        Factors on the demand of all months, each with its probability; values are means over them. Without spread a
        floor below what is sold is never felt.
    fee_steps, floor_steps
        Cells of the map; the programme's own floor is added to the others.
    """
    if not has_fee(inputs):
        return None
    own = evaluate(replace(inputs, with_break_even=False))
    fees = [clause.id for clause in inputs.clauses if isinstance(clause, FeePerCar)]
    paid = sum(float(own.transfers_cny_by_year[name].sum()) for name in fees)
    if paid <= 0:
        return None
    mean_fee = paid / own.sales_units
    own_floor = max((clause.floor_share for clause in inputs.clauses if isinstance(clause, TakeOrPay)), default=0.0)
    own_values = _mean_values(inputs, demand)
    alternative = (brand_alternative_npv_cny, host_alternative_npv_cny)

    def gains(level: float, floor: float) -> tuple[float, float]:
        brand, host = _mean_values(with_terms(inputs, level, floor), demand)
        return brand - alternative[0], host - alternative[1]

    def point(level: float, floor: float) -> ContractPoint:
        brand, host = gains(level, floor)
        brand, host = brand + alternative[0], host + alternative[1]
        return ContractPoint(level, level * mean_fee, floor, brand, host, brand + host)

    highest = float(inputs.price_cny_by_month.max()) / mean_fee
    levels = np.linspace(0.0, _reach(lambda level: gains(level, own_floor), highest), fee_steps + 1)
    floors = np.unique(np.append(np.arange(floor_steps + 1) / floor_steps, own_floor))
    gain = np.array([[gains(level, floor) for level in levels.tolist()] for floor in floors.tolist()])

    def ends(side: int) -> list[float | None]:
        def end(row: int, floor: float) -> float | None:
            return _turn(lambda level: gains(level, floor)[side], levels, gain[row, :, side], falls=side == 0)

        found = {row: end(row, float(floors[row])) for row in set(same_as)}
        return [found[row] for row in same_as]

    # Floors that are never felt have the values of the floor before them: they are solved once.
    same_as = [0]
    for row in range(1, floors.size):
        same_as.append(same_as[-1] if np.array_equal(gain[row], gain[row - 1]) else row)
    brand_ends, host_ends = ends(0), ends(1)
    distinct = sorted(set(same_as))
    nash = _nash(gains, floors[distinct], [brand_ends[row] for row in distinct], [host_ends[row] for row in distinct])
    value = gain + np.array(alternative)
    brand, host = value[..., 0], value[..., 1]

    def best(score: Vector) -> ContractPoint:
        row, column = np.unravel_index(int(np.argmax(score)), score.shape)
        return point(float(levels[column]), float(floors[row]))

    return ZoneResult(
        fee_level_shares=levels,
        fee_cny_per_car=levels * mean_fee,
        floor_shares=floors,
        brand_npv_cny=brand,
        host_npv_cny=host,
        brand_alternative_npv_cny=brand_alternative_npv_cny,
        host_alternative_npv_cny=host_alternative_npv_cny,
        brand_highest_fee_cny_per_car=tuple(None if end is None else end * mean_fee for end in brand_ends),
        host_least_fee_cny_per_car=tuple(None if end is None else end * mean_fee for end in host_ends),
        programme=ContractPoint(1.0, mean_fee, own_floor, *own_values, sum(own_values)),
        best_joint=best(brand + host),
        best_brand=best(brand),
        best_host=best(host),
        nash=None if nash is None else point(*nash),
        is_empty=nash is None,
        losing_side="" if nash is not None else _losing_side(gain),
        adds_floor=not any(isinstance(clause, TakeOrPay) for clause in inputs.clauses),
    )


def share_of_draws_in_which_both_gain(
    brand_npv_cny: Vector, host_npv_cny: Vector, brand_alternative_npv_cny: Vector | float = 0.0
) -> float:
    """Return the share of draws in which the contract leaves both sides better off than without it.

    Parameters
    ----------
    brand_npv_cny, host_npv_cny
        Values by draw, shape (draws,).
    brand_alternative_npv_cny
        What the brand can have without the host, by draw or in all of them.

    Examples
    --------
    >>> share_of_draws_in_which_both_gain(np.array([1.0, 2.0, -1.0, 3.0]), np.array([1.0, -1.0, 1.0, 2.0]))
    0.5
    """
    return float(np.mean((brand_npv_cny >= brand_alternative_npv_cny) & (host_npv_cny >= 0)))


def _mean_values(inputs: DealInputs, demand: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    """Return both sides' mean values over factors on the demand."""
    brand = host = 0.0
    for factor, probability in demand:
        wanted = factor * inputs.demand_units_by_month
        result = evaluate(replace(inputs, demand_units_by_month=wanted, with_break_even=False))
        brand += probability * result.brand.npv_cny
        host += probability * result.host.npv_cny
    return brand, host


def _reach(gains: Callable[[float], tuple[float, float]], highest: float) -> float:
    """Return the highest fee level of the map: beyond where both sides have turned, as far as the price allows."""
    reached = 1.0
    for side, wanted in ((0, False), (1, True)):
        level = 1.0
        # A side that starts on the wrong side of nil may turn further out.
        if (gains(0.0)[side] >= 0) is wanted:
            continue
        while (gains(level)[side] >= 0) is not wanted and level < highest:
            level *= 2
        low, high = 0.0, level
        for _ in range(12):
            middle = (low + high) / 2
            low, high = (low, middle) if (gains(middle)[side] >= 0) is wanted else (middle, high)
        reached = max(reached, high)
    return min(BEYOND * reached, max(highest, 1.0))


def _turn(gain: Callable[[float], float], levels: Vector, on_grid: Vector, *, falls: bool) -> float | None:
    """Return the fee level at which a side stops (or starts) to gain; values fall (or rise) along the map."""
    good = on_grid >= 0
    if not good.any():
        return None
    if falls:
        last = int(np.flatnonzero(good)[-1])
        if last == levels.size - 1:
            return float(levels[-1])
        low, high = float(levels[last]), float(levels[last + 1])
    else:
        first = int(np.flatnonzero(good)[0])
        if first == 0:
            return float(levels[0])
        low, high = float(levels[first - 1]), float(levels[first])
    from scipy.optimize import brentq

    return float(brentq(gain, low, high, xtol=_NARROWEST * float(levels[-1])))


def _nash(
    gains: Callable[[float, float], tuple[float, float]],
    floors: Vector,
    brand_ends: list[float | None],
    host_ends: list[float | None],
) -> tuple[float, float] | None:
    """Return fee level and floor with the largest product of gains, along the fees at which both gain."""
    best: tuple[float, float, float] | None = None
    for floor, highest, least in zip(floors.tolist(), brand_ends, host_ends, strict=True):
        if highest is None or least is None or least > highest:
            continue

        def product(level: float, floor: float = floor) -> float:
            brand, host = gains(level, floor)
            return max(brand, 0.0) * max(host, 0.0)

        level = _maximum(product, least, highest)
        found = product(level)
        # Floors that are never felt give the same product but for rounding: the lowest of them is told.
        if best is None or found > best[0] * (1 + 1e-9):
            best = (found, level, floor)
    return None if best is None else best[1:]


def _maximum(value: Callable[[float], float], low: float, high: float) -> float:
    """Return the argument of the maximum of a function with one peak: golden section."""
    inner, outer = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_inner, at_outer = value(inner), value(outer)
    while high - low > 1e-5 * max(high, 1e-9):
        if at_inner >= at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - _GOLDEN * (high - low)
            at_inner = value(inner)
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + _GOLDEN * (high - low)
            at_outer = value(outer)
    return (low + high) / 2


def _losing_side(gain: Vector) -> str:
    brand, host = (bool((gain[..., side] >= 0).any()) for side in (0, 1))
    if brand and host:
        return "neither"
    return "host" if brand else "brand" if host else "both"
