"""What coordination loses under each form of contract: newsvendor models in closed form.

One year is looked at. Demand D has distribution F. A car brings the brand a margin p before anything is paid to the
host; the host spends c to build it; a place of capacity costs k a year, whether used or not. With R places the chain
sells S(R) = E min(D, R) cars and earns (p - c) S(R) - k R, most at F(R) = (p - c - k) / (p - c). Every contract here
leaves the side that decides on R with a S(R) - b R, so that it stops at F(R) = (a - b) / a; what the chain then misses
is the loss of coordination. Sources: the newsvendor (Arrow, Harris and Marschak 1951); double marginalisation
(Spengler 1950); supply contracts: Cachon (2003), Handbooks in Operations Research 11, chapter 6; revenue sharing:
Cachon and Lariviere (2005), Management Science 51, pages 30 to 44.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

_FINEST = 1e-13
"""Floors are solved to this share of the reserved capacity."""


class Demand(Protocol):
    """A year's demand, in cars."""

    @property
    def mean_units(self) -> float:
        """Mean."""

    def probability(self, units: float) -> float:
        """Return the probability that no more than ``units`` are wanted."""

    def quantile(self, probability: float) -> float:
        """Return the smallest number of cars that suffices with ``probability``; in [0, 1)."""

    def expected_sales(self, units: float) -> float:
        """Return the mean of the smaller of demand and ``units``."""


@dataclass(frozen=True, slots=True)
class NormalDemand:
    """Normally distributed demand; its tail below 0 counts as returns, as the textbook has it.

    Examples
    --------
    >>> round(NormalDemand(1000.0, 100.0).expected_sales(1000.0), 3)
    960.106
    """

    mean_units: float
    """Mean."""
    deviation_units: float
    """Standard deviation, above 0."""

    def probability(self, units: float) -> float:
        """Return the probability that no more than ``units`` are wanted."""
        return _normal_below((units - self.mean_units) / self.deviation_units)

    def quantile(self, probability: float) -> float:
        """Return the number of cars that suffices with ``probability``."""
        return self.mean_units + self.deviation_units * _normal_quantile(probability)

    def expected_sales(self, units: float) -> float:
        """Return mu - sigma (phi(z) - z (1 - Phi(z))) with z = (units - mu) / sigma."""
        z = (units - self.mean_units) / self.deviation_units
        density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return self.mean_units - self.deviation_units * (density - z * _normal_below(-z))


@dataclass(frozen=True, slots=True)
class LognormalDemand:
    """Demand whose logarithm is normally distributed.

    Examples
    --------
    >>> round(LognormalDemand.of_mean(1000.0, 0.3).mean_units, 9)
    1000.0
    """

    median_units: float
    """Median."""
    log_deviation: float
    """Standard deviation of the logarithm, above 0."""

    @classmethod
    def of_mean(cls, mean_units: float, log_deviation: float) -> LognormalDemand:
        """Return the distribution with this mean."""
        return cls(mean_units * math.exp(-(log_deviation**2) / 2), log_deviation)

    @property
    def mean_units(self) -> float:
        """Mean."""
        return self.median_units * math.exp(self.log_deviation**2 / 2)

    def probability(self, units: float) -> float:
        """Return the probability that no more than ``units`` are wanted."""
        return 0.0 if units <= 0 else _normal_below(math.log(units / self.median_units) / self.log_deviation)

    def quantile(self, probability: float) -> float:
        """Return the number of cars that suffices with ``probability``."""
        return self.median_units * math.exp(self.log_deviation * _normal_quantile(probability))

    def expected_sales(self, units: float) -> float:
        """Return mu Phi(z - s) + units (1 - Phi(z)) with z = ln(units / median) / s."""
        if units <= 0:
            return min(units, 0.0)
        z = math.log(units / self.median_units) / self.log_deviation
        return self.mean_units * _normal_below(z - self.log_deviation) + units * _normal_below(-z)


@dataclass(frozen=True, slots=True)
class EmpiricalDemand:
    """Demand that is one of several equally likely numbers, such as draws.

    Examples
    --------
    >>> EmpiricalDemand.of([300.0, 100.0, 200.0]).expected_sales(150.0)
    133.33333333333334
    """

    ascending_units: Vector
    """The numbers, ascending, shape (n,)."""

    @classmethod
    def of(cls, units: Vector | list[float]) -> EmpiricalDemand:
        """Return the distribution of these numbers.

        Raises
        ------
        ValueError
            If there are none.
        """
        ascending = np.sort(np.asarray(units, dtype=np.float64))
        if not ascending.size:
            message = "demand needs at least one number"
            raise ValueError(message)
        return cls(ascending)

    @property
    def mean_units(self) -> float:
        """Mean."""
        return float(self.ascending_units.mean())

    def probability(self, units: float) -> float:
        """Return the share of the numbers that are no larger than ``units``."""
        return float(np.searchsorted(self.ascending_units, units, side="right")) / self.ascending_units.size

    def quantile(self, probability: float) -> float:
        """Return the smallest of the numbers that suffices with ``probability``."""
        # Rounding of a probability that is a whole number of parts must not lead to the next number.
        place = math.ceil(probability * self.ascending_units.size - 1e-9) - 1
        return float(self.ascending_units[min(max(place, 0), self.ascending_units.size - 1)])

    def expected_sales(self, units: float) -> float:
        """Return the mean of the smaller of each number and ``units``."""
        return float(np.minimum(self.ascending_units, units).mean())


@dataclass(frozen=True, slots=True)
class Chain:
    """The two sides' money a car and a place of capacity, for one year.

    Raises
    ------
    ValueError
        If building costs less than nothing, or a place nothing at all: free places need no contract.
    """

    margin_cny_per_car: float
    """p: what a car brings the brand before anything is paid to the host."""
    building_cny_per_car: float
    """c: what the host spends to build it."""
    capacity_cny_per_car: float
    """k: what a place costs the host a year, used or not."""

    def __post_init__(self) -> None:
        if self.building_cny_per_car < 0 or self.capacity_cny_per_car <= 0:
            message = "the cost of building must be 0 or more and that of a place above 0"
            raise ValueError(message)

    @property
    def gain_cny_per_car(self) -> float:
        """What the chain gains by a car once the place is there."""
        return self.margin_cny_per_car - self.building_cny_per_car


@dataclass(frozen=True, slots=True)
class ContractOutcome:
    """What a form of contract makes of a chain."""

    form: str
    """Name of the form."""
    decided_by: str
    """'brand', 'host' or 'both as one': who decides how many places there are."""
    terms: dict[str, float]
    """Its terms by name."""
    reserved_units: float
    """Places that whoever decides wants."""
    service_share: float
    """Probability that all demand is met."""
    expected_sales_units: float
    """Mean of the cars sold."""
    brand_profit_cny: float
    """Mean of what the brand earns."""
    host_profit_cny: float
    """Mean of what the host earns."""
    chain_profit_cny: float
    """Mean of what both earn."""
    lost_cny: float
    """What the chain earns less than if both were one."""
    coordinating_term: str
    """The term that would coordinate the chain, with the others as they are; empty where there is none."""
    coordinating_value: float | None
    """Its value; None if no value coordinates."""
    note: str
    """What is to be known about it; else empty."""


@dataclass(frozen=True, slots=True)
class CoordinationResult:
    """The forms of contract beside the two as one."""

    chain: Chain
    """Money a car and a place."""
    mean_demand_units: float
    """Mean of the year's demand."""
    deviation_share: float
    """Spread of the demand: standard deviation of its logarithm, or over its mean where it is not lognormal."""
    fee_cny_per_car: float
    """The fee at which the forms are compared."""
    outcomes: tuple[ContractOutcome, ...]
    """The two as one first, then form by form."""


def _normal_below(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2


def _normal_quantile(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


def critical_share(worth_cny: float, cost_cny: float) -> float:
    """Return the probability up to which another place pays: (a - b) / a, 0 if it never does.

    Parameters
    ----------
    worth_cny
        a: what the decider gains by a place that is used, its cost not yet taken off.
    cost_cny
        b: what a place costs it either way.

    Examples
    --------
    >>> critical_share(20_000.0, 5_000.0)
    0.75
    """
    if worth_cny <= 0 or cost_cny >= worth_cny:
        return 0.0
    return (worth_cny - cost_cny) / worth_cny


def centralised(chain: Chain, demand: Demand) -> ContractOutcome:
    """Return what the two earn as one: F(R) = (p - c - k) / (p - c).

    Parameters
    ----------
    chain
        Money a car and a place.
    demand
        The year's demand.
    """
    reserved = _reserved(demand, chain.gain_cny_per_car, chain.capacity_cny_per_car)
    profit = _chain_profit(chain, demand, reserved)
    return ContractOutcome(
        form="both as one",
        decided_by="both as one",
        terms={},
        reserved_units=reserved,
        service_share=demand.probability(reserved) if reserved > 0 else 0.0,
        expected_sales_units=_sold(demand, reserved),
        brand_profit_cny=0.0,
        host_profit_cny=0.0,
        chain_profit_cny=profit,
        lost_cny=0.0,
        coordinating_term="",
        coordinating_value=None,
        note="" if reserved > 0 else "no place pays: a car brings less than it costs",
    )


def wholesale(chain: Chain, demand: Demand, fee_cny_per_car: float) -> ContractOutcome:
    """Return what a fee per car alone does: the host builds places at its own risk, F(R) = (w - c - k) / (w - c).

    Only w = p coordinates, and leaves the brand nothing.

    Parameters
    ----------
    chain
        Money a car and a place.
    demand
        The year's demand.
    fee_cny_per_car
        w: fee for a car built.

    Examples
    --------
    >>> chain = Chain(20_000.0, 5_000.0, 3_000.0)
    >>> found = wholesale(chain, LognormalDemand(50_000.0, 0.4), 12_000.0)
    >>> round(found.service_share, 12) == round(4 / 7, 12)
    True
    """
    reserved = _reserved(demand, fee_cny_per_car - chain.building_cny_per_car, chain.capacity_cny_per_car)
    return _outcome(
        chain,
        demand,
        "fee per car alone",
        "host",
        {"fee": fee_cny_per_car},
        reserved,
        (chain.margin_cny_per_car - fee_cny_per_car) * _sold(demand, reserved),
        ("fee", chain.margin_cny_per_car),
        "a fee that coordinates leaves the brand nothing",
    )


def deductible_reservation(
    chain: Chain, demand: Demand, fee_cny_per_car: float, reservation_cny_per_car: float
) -> ContractOutcome:
    """Return what a reservation fee does that counts towards the fee: F(R) = (p - w) / (p - w + r).

    Parameters
    ----------
    chain
        Money a car and a place.
    demand
        The year's demand.
    fee_cny_per_car
        w: fee for a car built.
    reservation_cny_per_car
        r: paid for each place reserved, and taken off the fee of the car built there.

    Examples
    --------
    >>> chain = Chain(30_000.0, 5_000.0, 3_000.0)
    >>> found = deductible_reservation(chain, NormalDemand(50_000.0, 9_000.0), 10_000.0, 5_000.0)
    >>> round(found.service_share, 12)
    0.8
    """
    kept = chain.margin_cny_per_car - fee_cny_per_car
    reserved = _reserved(demand, kept + reservation_cny_per_car, reservation_cny_per_car)
    sold = _sold(demand, reserved)
    return _outcome(
        chain,
        demand,
        "deductible reservation fee",
        "brand",
        {"fee": fee_cny_per_car, "reservation fee": reservation_cny_per_car},
        reserved,
        kept * sold - reservation_cny_per_car * (reserved - sold),
        ("reservation fee", coordinating_reservation(chain, fee_cny_per_car)),
        _unbounded(reserved),
    )


def take_or_pay(chain: Chain, demand: Demand, fee_cny_per_car: float) -> ContractOutcome:
    """Return what full take-or-pay does: the fee is owed for every place, F(R) = (p - w) / p.

    Parameters
    ----------
    chain
        Money a car and a place.
    demand
        The year's demand.
    fee_cny_per_car
        w: fee for every place, used or not.
    """
    margin = chain.margin_cny_per_car
    reserved = _reserved(demand, margin, fee_cny_per_car)
    gain, capacity = chain.gain_cny_per_car, chain.capacity_cny_per_car
    return _outcome(
        chain,
        demand,
        "full take-or-pay",
        "brand",
        {"fee": fee_cny_per_car},
        reserved,
        margin * _sold(demand, reserved) - fee_cny_per_car * _finite(reserved),
        ("fee", margin * capacity / gain if gain > 0 else None),
        _unbounded(reserved),
    )


def take_or_pay_floor(
    chain: Chain, demand: Demand, fee_cny_per_car: float, floor_share: float, paid_share: float
) -> ContractOutcome:
    """Return what take-or-pay on a part of the reservation does.

    The brand pays w for a car built and s w for each car that it takes less than a share q of the R places:
    (p - w) (1 - F(R)) = s w q F(q R). With q = 1 that is the deductible reservation fee s w, with s = 1 besides full
    take-or-pay. There is no closed form for q < 1; the left side falls and the right side rises in R, so that there
    is one root.

    Parameters
    ----------
    chain
        Money a car and a place.
    demand
        The year's demand.
    fee_cny_per_car
        w: fee for a car built.
    floor_share
        q: share of the reserved places that is agreed.
    paid_share
        s: share of the fee paid for each car not taken.
    """
    kept, missing = chain.margin_cny_per_car - fee_cny_per_car, paid_share * fee_cny_per_car
    reserved = _floor_reserved(demand, kept, missing * floor_share, floor_share)
    bound = floor_share * _finite(reserved)
    wanted = _coordinating_paid_share(chain, demand, fee_cny_per_car, floor_share)
    return _outcome(
        chain,
        demand,
        "take-or-pay on a floor",
        "brand",
        {"fee": fee_cny_per_car, "floor share": floor_share, "paid share": paid_share},
        reserved,
        kept * _sold(demand, reserved) - missing * (bound - _sold(demand, bound)),
        ("paid share", wanted),
        _unbounded(reserved) or ("more than the fee would have to be paid" if wanted and wanted > 1 else ""),
    )


def cost_sharing(chain: Chain, demand: Demand, fee_cny_per_car: float, paid_share: float) -> ContractOutcome:
    """Return what sharing the cost of the places does: F(R) = (p - w - l k) / (p - w).

    Parameters
    ----------
    chain
        Money a car and a place.
    demand
        The year's demand.
    fee_cny_per_car
        w: fee for a car built.
    paid_share
        l: share of the places' cost that the brand pays, such as depreciation passed through.
    """
    kept, paid = chain.margin_cny_per_car - fee_cny_per_car, paid_share * chain.capacity_cny_per_car
    reserved = _reserved(demand, kept, paid)
    gain = chain.gain_cny_per_car
    share = kept / gain if gain > 0 else -1.0
    return _outcome(
        chain,
        demand,
        "capacity cost shared",
        "brand",
        {"fee": fee_cny_per_car, "paid share": paid_share},
        reserved,
        kept * _sold(demand, reserved) - paid * _finite(reserved),
        ("paid share", share if 0 <= share <= 1 else None),
        _unbounded(reserved),
    )


def revenue_sharing(chain: Chain, demand: Demand, kept_share: float) -> ContractOutcome:
    """Return what sharing revenue and cost in one ratio does: it coordinates, whatever the ratio.

    The brand keeps a share m of the margin and pays m c for a car built and m k for a place: its profit is m times
    the chain's, and both want what the two as one want.

    Parameters
    ----------
    chain
        Money a car and a place.
    demand
        The year's demand.
    kept_share
        m: share of the margin that the brand keeps.
    """
    gain = kept_share * chain.gain_cny_per_car
    place = kept_share * chain.capacity_cny_per_car
    reserved = _reserved(demand, gain, place)
    return _outcome(
        chain,
        demand,
        "revenue and cost shared",
        "brand",
        {
            "kept share": kept_share,
            "fee": kept_share * chain.building_cny_per_car,
            "fee per place": place,
        },
        reserved,
        gain * _sold(demand, reserved) - place * _finite(reserved),
        ("kept share", kept_share),
        "coordinates at every share; the share splits the profit",
    )


def coordinating_reservation(chain: Chain, fee_cny_per_car: float) -> float | None:
    """Return the deductible reservation fee that coordinates: r = (p - w) k / (p - c - k); None if there is none.

    Parameters
    ----------
    chain
        Money a car and a place.
    fee_cny_per_car
        w: fee for a car built.

    Examples
    --------
    >>> coordinating_reservation(Chain(30_000.0, 6_000.0, 4_000.0), 10_000.0)
    4000.0
    """
    left = chain.gain_cny_per_car - chain.capacity_cny_per_car
    kept = chain.margin_cny_per_car - fee_cny_per_car
    return kept * chain.capacity_cny_per_car / left if left > 0 and kept > 0 else None


def compare(
    chain: Chain,
    demand: Demand,
    *,
    fee_cny_per_car: float,
    floor_share: float,
    paid_share: float,
    cost_paid_share: float,
    deviation_share: float,
) -> CoordinationResult:
    """Return all forms at one fee, the two as one first.

    The reservation fee compared is the one that coordinates, where there is one, or else what a car not taken costs
    under take-or-pay; revenue is shared so that the brand keeps what the fee would leave it of a car.

    Parameters
    ----------
    chain
        Money a car and a place.
    demand
        The year's demand.
    fee_cny_per_car
        Fee for a car built.
    floor_share, paid_share
        Take-or-pay: share of the places agreed, and of the fee paid for each car not taken.
    cost_paid_share
        Share of the places' cost that the brand pays where it is shared.
    deviation_share
        Spread of the demand, told with the result.
    """
    reservation = coordinating_reservation(chain, fee_cny_per_car)
    gain = chain.gain_cny_per_car
    kept = min(max((chain.margin_cny_per_car - fee_cny_per_car) / gain, 0.0), 1.0) if gain > 0 else 0.0
    forms = (
        centralised(chain, demand),
        wholesale(chain, demand, fee_cny_per_car),
        take_or_pay_floor(chain, demand, fee_cny_per_car, floor_share, paid_share),
        take_or_pay(chain, demand, fee_cny_per_car),
        deductible_reservation(
            chain, demand, fee_cny_per_car, paid_share * fee_cny_per_car if reservation is None else reservation
        ),
        cost_sharing(chain, demand, fee_cny_per_car, cost_paid_share),
        revenue_sharing(chain, demand, kept),
    )
    return CoordinationResult(chain, demand.mean_units, deviation_share, fee_cny_per_car, forms)


def _reserved(demand: Demand, worth_cny: float, cost_cny: float) -> float:
    """Return the places that a decider with a S(R) - b R wants; infinitely many if they cost it nothing."""
    share = critical_share(worth_cny, cost_cny)
    if share >= 1:
        return math.inf
    return max(demand.quantile(share), 0.0) if share > 0 else 0.0


def _floor_reserved(demand: Demand, kept: float, missing: float, floor_share: float) -> float:
    if kept <= 0:
        return 0.0
    if missing <= 0:
        return math.inf

    def slope(units: float) -> float:
        return kept * (1 - demand.probability(units)) - missing * demand.probability(floor_share * units)

    # At the quantile where the floor is surely missed too, the next place costs more than it can bring.
    low, high = 0.0, max(demand.quantile(0.5), 1.0)
    while slope(high) > 0:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if high - low <= _FINEST * high:
            break
        if slope(middle) > 0:
            low = middle
        else:
            high = middle
    return high


def _coordinating_paid_share(chain: Chain, demand: Demand, fee_cny_per_car: float, floor_share: float) -> float | None:
    """Return the share of the fee at which a floor makes the brand want what the two as one want."""
    wanted = _reserved(demand, chain.gain_cny_per_car, chain.capacity_cny_per_car)
    kept = chain.margin_cny_per_car - fee_cny_per_car
    if not 0 < wanted < math.inf or kept <= 0 or fee_cny_per_car <= 0:
        return None
    felt = fee_cny_per_car * floor_share * demand.probability(floor_share * wanted)
    return kept * (1 - demand.probability(wanted)) / felt if felt > 0 else None


def _finite(units: float) -> float:
    return 0.0 if math.isinf(units) else units


def _sold(demand: Demand, reserved: float) -> float:
    return demand.mean_units if math.isinf(reserved) else demand.expected_sales(reserved) if reserved > 0 else 0.0


def _chain_profit(chain: Chain, demand: Demand, reserved: float) -> float:
    return chain.gain_cny_per_car * _sold(demand, reserved) - chain.capacity_cny_per_car * _finite(reserved)


def _unbounded(reserved: float) -> str:
    return "the brand pays nothing for a place: it wants without end" if math.isinf(reserved) else ""


def _outcome(
    chain: Chain,
    demand: Demand,
    form: str,
    decided_by: str,
    terms: dict[str, float],
    reserved: float,
    brand_profit: float,
    coordinating: tuple[str, float | None],
    note: str,
) -> ContractOutcome:
    if math.isinf(reserved):
        # Nobody builds without end: what the host would build of its own is what there is.
        fee = terms.get("fee", 0.0)
        reserved = _reserved(demand, fee - chain.building_cny_per_car, chain.capacity_cny_per_car)
        brand_profit = (chain.margin_cny_per_car - fee) * _sold(demand, _finite(reserved))
        note = f"{note}; the host builds what pays it"
        reserved = _finite(reserved)
    best = _chain_profit(chain, demand, _reserved(demand, chain.gain_cny_per_car, chain.capacity_cny_per_car))
    profit = _chain_profit(chain, demand, reserved)
    return ContractOutcome(
        form=form,
        decided_by=decided_by,
        terms=terms,
        reserved_units=reserved,
        service_share=demand.probability(reserved) if reserved > 0 else 0.0,
        expected_sales_units=_sold(demand, reserved),
        brand_profit_cny=brand_profit,
        host_profit_cny=profit - brand_profit,
        chain_profit_cny=profit,
        lost_cny=best - profit,
        coordinating_term=coordinating[0] if coordinating[1] is not None else "",
        coordinating_value=coordinating[1],
        note=note,
    )
