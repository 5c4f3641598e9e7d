"""Demand by calendar year: a nested logit over the guest, its rivals, all other electric cars, and cars without a plug.

What is the outside good where the segment is electric cars? Two things, which are kept apart. The segment's cars
without a name are electric too and stand in the nest as one good. Outside it stand the cars without a plug that the
same buyers look at; the market table tells how many there are, and where it tells none the segment is closed, the
guest takes its buyers from electric cars alone, and the model is the plain logit within the segment.

On the nest's own scale the utility of an electric car is ``constant - sensitivity * price + range_elasticity *
ln(range)``. The table's forecast is that of a world without the guest: each year the split between electric cars and
those without a plug is moved to it, so that prices and ranges move buyers within a side, and only the guest moves
them between the sides. Later cars without a name change price and range as the rivals do, and gain by entry: ``n``
equally attractive cars together have the utility of one plus ``ln(n)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coachbuilder.market.demand.interface import (
    DemandByYear,
    DemandInputs,
    DemandResult,
    Entrant,
    PriceStep,
    Rival,
    RivalResult,
)
from coachbuilder.market.demand.logit import invert_shares
from coachbuilder.market.demand.nested import NestedShares, log_sum_exp, nested_shares, utility_derivatives
from coachbuilder.programme.sections.market import Owner

Floats = NDArray[np.float64]

MONTHS_PER_YEAR = 12
POINTS = 100


def evaluate_demand(inputs: DemandInputs) -> DemandResult:
    """Return who buys the guest, year by year.

    Parameters
    ----------
    inputs
        All that demand depends on; see :class:`DemandInputs`.

    Raises
    ------
    ValueError
        If the rivals' sales, as if on sale all year, leave nothing of their side of the market in the snapshot year.

    Examples
    --------
    >>> from coachbuilder.market.demand import MarketSize, Rival
    >>> from coachbuilder.programme.sections.market import RangeProcedure
    >>> twin = Rival("twin", "A car like the guest", Owner.OTHER, True, 200e3, 500.0, 50e3, 12)
    >>> inputs = DemandInputs(
    ...     first_year=2021, horizon_years=0, snapshot_year=2021, range_procedure=RangeProcedure.CLTC,
    ...     market=(MarketSize(2021, 100e3),), market_growth_after_rate=0.0, rivals=(twin,), price_elasticity=3.0,
    ...     range_elasticity=1.0, rival_price_change_rate=0.0, rival_range_growth_rate=0.0, rival_entry_rate=0.0,
    ...     guest_price_cny=200e3, guest_price_change_rate=0.0, guest_range_km=500.0, guest_appeal_cny=0.0,
    ... )
    >>> round(evaluate_demand(inputs).units_per_year[0])
    33333
    """
    world = _world(inputs, {}, None)
    named: list[Rival | Entrant] = [*inputs.rivals, *inputs.entrants]
    choice = world.choice
    buyers = world.buyers[:, None]
    units = world.buyers * choice.share[:, 0]
    rival_units = buyers * choice.share[:, 1:-1]
    rival_lost = buyers * world.lost[:, :-1]
    outside_lost = world.buyers * world.lost[:, -1]
    host_lost = rival_lost[:, world.is_host].sum(axis=1)
    conquest = units - outside_lost - rival_lost[:, world.in_nest[1:-1]].sum(axis=1)
    is_brand = np.array([car.owner is Owner.BRAND for car in named])
    peak = int(units.argmax())
    diverted = (
        np.append(rival_lost[peak], outside_lost[peak]) / units[peak] if units[peak] > 0 else np.zeros(len(named) + 1)
    )
    # On the nest's scale a textbook utility is (1 - sigma) as large, and so are its coefficients.
    slope = (1.0 - world.sigma) * utility_derivatives(choice, world.in_nest, world.sigma)
    to_own_price = -world.sensitivity * world.price * slope[:, 0, :]
    to_guest_price = -world.sensitivity * world.price[:, :1] * slope[:, :, 0]
    newcomers = [None] * len(inputs.rivals) + [entrant.year for entrant in inputs.entrants]
    electric = [*(rival.is_electric for rival in inputs.rivals), *(True for _ in inputs.entrants)]
    return DemandResult(
        years=tuple(world.years.tolist()),
        units_per_year=_tuple(units),
        share=_tuple(choice.share_in_nest[:, 0]),
        market_units_per_year=_tuple(world.segment),
        price_cny=_tuple(world.price[:, 0]),
        guest_range_km=inputs.guest_range_km,
        range_procedure=inputs.range_procedure,
        price_elasticity=_tuple(to_own_price[:, 0]),
        range_elasticity=_tuple(inputs.range_elasticity * slope[:, 0, 0]),
        nest_parameter=inputs.nest_parameter,
        price_sensitivity_per_cny=float(world.sensitivity),
        willingness_to_pay_cny_per_km=inputs.range_elasticity / (float(world.sensitivity) * inputs.guest_range_km),
        brand_standing_cny=POINTS * inputs.home_market_share * inputs.standing_cny_per_point,
        rivals=tuple(
            RivalResult(
                id=car.id,
                name=car.name,
                owner=car.owner,
                is_electric=electric[place],
                entry_year=newcomers[place],
                constant=float(world.constant[place]),
                snapshot_share=float(world.snapshot_share[place]),
                price_cny=_tuple(world.price[:, place + 1]),
                units_per_year=_tuple(rival_units[:, place]),
                units_lost_per_year=_tuple(rival_lost[:, place]),
                diversion_share=float(diverted[place]),
                elasticity_to_guest_price=float(to_guest_price[peak, place + 1]),
                guest_elasticity_to_price=float(to_own_price[peak, place + 1]),
            )
            for place, car in enumerate(named)
        ),
        outside_units_lost_per_year=_tuple(outside_lost),
        conquest_units_per_year=_tuple(np.maximum(conquest, 0.0) if world.is_open else np.zeros_like(units)),
        others_diversion_share=float(diverted[-1]),
        no_plug_diversion_share=max(1.0 - float(diverted.sum()), 0.0) if world.is_open and units[peak] > 0 else 0.0,
        brand_units_lost_per_year=_tuple(rival_lost[:, is_brand].sum(axis=1)),
        host_units_lost_per_year=_tuple(host_lost),
        host_loss_share=float(host_lost[peak] / units[peak]) if units[peak] > 0 else 0.0,
        peak_year=int(world.years[peak]),
        peak_units_per_year=float(units[peak]),
    )


def demand_by_year(
    inputs: DemandInputs, values: Mapping[str, ArrayLike] | None = None, *, guest_range_km: ArrayLike | None = None
) -> DemandByYear:
    """Return what the later stages take from demand, for many draws in one pass.

    Parameters
    ----------
    inputs
        All that demand depends on.
    values
        Drawn values by path in the programme file (``market.demand.rival.model-3.price_cny``), each of shape
        (draws,); what is not named stays as in ``inputs``, and paths that demand does not read are left alone.
    guest_range_km
        Drawn ranges of the guest by the rivals' procedure, shape (draws,). They are not taken from ``values``, for
        the range comes from the vehicle.

    Returns
    -------
    DemandByYear
        The figures of :func:`evaluate_demand` with a leading axis of draws, without one if nothing was drawn; not
        numbers for a draw in which the rivals' sales leave nothing of their side of the market.

    Examples
    --------
    >>> from coachbuilder.market.demand import MarketSize, Rival
    >>> from coachbuilder.programme.sections.market import RangeProcedure
    >>> twin = Rival("twin", "A car like the guest", Owner.OTHER, True, 200e3, 500.0, 50e3, 12)
    >>> inputs = DemandInputs(
    ...     first_year=2021, horizon_years=0, snapshot_year=2021, range_procedure=RangeProcedure.CLTC,
    ...     market=(MarketSize(2021, 100e3),), market_growth_after_rate=0.0, rivals=(twin,), price_elasticity=3.0,
    ...     range_elasticity=1.0, rival_price_change_rate=0.0, rival_range_growth_rate=0.0, rival_entry_rate=0.0,
    ...     guest_price_cny=200e3, guest_price_change_rate=0.0, guest_range_km=500.0, guest_appeal_cny=0.0,
    ... )
    >>> demand_by_year(inputs, {"market.demand.guest_price_cny": [200e3, 210e3]}).units_per_year.round()
    array([[33333.],
           [30087.]])
    """
    world = _world(inputs, values or {}, guest_range_km)
    host_lost = world.lost[..., :-1][..., world.is_host].sum(axis=-1)
    units = world.buyers * world.choice.share[..., 0]
    return DemandByYear(
        years=world.years,
        units_per_year=units,
        host_units_lost_per_year=world.buyers * host_lost,
        price_cny=np.broadcast_to(world.price[..., 0], units.shape),
    )


@dataclass(frozen=True, slots=True)
class _World:
    """All years of a market; leading axes of draws, then years, then goods: guest, named cars, all others electric."""

    years: NDArray[np.int64]
    segment: Floats
    """Electric cars a year without the guest."""
    buyers: Floats
    """These and the cars outside the segment."""
    price: Floats
    choice: NestedShares
    lost: Floats
    """What the named cars and the others lose to the guest, as share of all buyers."""
    in_nest: NDArray[np.bool_]
    is_host: NDArray[np.bool_]
    is_open: bool
    sensitivity: Floats
    sigma: Floats
    constant: Floats
    snapshot_share: Floats


@dataclass(frozen=True, slots=True)
class _Taste:
    """What is the same in all years; leading axes of draws."""

    sigma: Floats
    sensitivity: Floats
    """Utility lost per CNY on the nest's scale."""
    range_elasticity: Floats
    price: Floats
    """Of the rivals in the snapshot year, shape (..., rivals)."""
    log_range: Floats
    """Likewise; 0 for a car without a plug."""
    mean_price: Floats
    guest: Floats
    """The guest's constant."""
    constant: Floats
    """Of rivals and entrants; that of a car without a plug is on the textbook's scale."""
    snapshot_share: Floats


def _world(inputs: DemandInputs, values: Mapping[str, ArrayLike], guest_range_km: ArrayLike | None) -> _World:
    read = _Reader(values)
    years = np.arange(inputs.first_year, inputs.first_year + inputs.horizon_years + 1)
    taste = _taste(inputs, read)
    price = _prices(inputs, read, taste, years)
    gain = _gains(inputs, read, taste, years, guest_range_km)
    named = _places(taste.constant)
    # What the cars without a name lose by their price is counted from their price of the snapshot year on.
    constant = _goods([taste.guest, *named, taste.sensitivity * taste.mean_price])
    in_nest = np.array([True, *(rival.is_electric for rival in inputs.rivals), *(True for _ in inputs.entrants), True])
    dissimilarity = (1.0 - taste.sigma)[..., None]
    sensitivity = taste.sensitivity[..., None]
    on_textbook_scale = np.where(in_nest, 1.0, dissimilarity)[..., None, :]
    inner = constant[..., None, :] + gain - on_textbook_scale * sensitivity[..., None] * price
    utility = np.where(in_nest, dissimilarity[..., None], 1.0) * inner
    nameless = dissimilarity * sensitivity * (taste.mean_price[..., None] - price[..., -1])

    segment, outside = _segment(inputs, read, years), _outside(inputs, read, years)
    electric = dissimilarity * log_sum_exp(np.where(in_nest, inner, -np.inf)[..., 1:])
    no_plug = np.logaddexp(log_sum_exp(np.where(in_nest, -np.inf, utility)[..., 1:]), nameless)
    with np.errstate(divide="ignore"):
        to_forecast = electric + np.log(outside) - np.log(segment) - no_plug
    utility = np.where(in_nest, utility, utility + to_forecast[..., None])
    nameless = nameless + to_forecast
    sigma = taste.sigma[..., None]
    choice = nested_shares(utility, in_nest, sigma, nameless)
    without = nested_shares(utility[..., 1:], in_nest[1:], sigma, nameless)
    owners = [*(rival.owner for rival in inputs.rivals), *(entrant.owner for entrant in inputs.entrants)]
    return _World(
        years=years,
        segment=segment,
        buyers=segment + outside,
        price=price,
        choice=choice,
        lost=without.share - choice.share[..., 1:],
        in_nest=in_nest,
        is_host=np.array([owner is Owner.HOST for owner in owners]),
        is_open=bool(np.any(outside > 0)),
        sensitivity=taste.sensitivity,
        sigma=taste.sigma,
        constant=taste.constant,
        snapshot_share=taste.snapshot_share,
    )


def _taste(inputs: DemandInputs, read: _Reader) -> _Taste:
    """Return the constants with which the model gives the snapshot, level by level.

    Within either side of the market the choice is a plain logit against its cars without a name, which is inverted;
    the split between the sides is the table's.
    """
    rivals = inputs.rivals
    names = [f"rival.{rival.id}" for rival in rivals]
    price, reach_km, sold = np.broadcast_arrays(
        _goods([read(f"{name}.price_cny", rival.price_cny) for name, rival in zip(names, rivals, strict=True)]),
        _goods([read(f"{name}.range_km", rival.range_km or 1.0) for name, rival in zip(names, rivals, strict=True)]),
        _goods(
            [
                read(f"{name}.sold_units", rival.units) * MONTHS_PER_YEAR / rival.months_on_sale
                for name, rival in zip(names, rivals, strict=True)
            ]
        ),
    )
    electric = np.array([rival.is_electric for rival in rivals])
    sigma = read("nest_parameter", inputs.nest_parameter)
    reach = read("range_elasticity", inputs.range_elasticity)
    log_range = np.where(electric, np.log(reach_km), 0.0)
    mean_price = (price * sold * electric).sum(axis=-1) / (sold * electric).sum(axis=-1)
    sensitivity = read("price_elasticity", inputs.price_elasticity) / mean_price

    snapshot = np.array([inputs.snapshot_year])
    share = sold / np.where(electric, _segment(inputs, read, snapshot), _outside(inputs, read, snapshot))
    utility = np.empty(share.shape)
    for side in (electric, ~electric):
        if side.any():
            utility[..., side] = _inverted(share[..., side], drawn=read.is_drawing)
    scale = np.where(electric, 1.0, (1.0 - sigma)[..., None])
    constant = utility + scale * sensitivity[..., None] * price - reach[..., None] * log_range

    peer = constant[..., [rival.is_peer and rival.is_electric for rival in rivals]].mean(axis=-1)
    standing = read("brand_standing.home_market_share", inputs.home_market_share) * read(
        "brand_standing.appeal_cny_per_point", inputs.standing_cny_per_point
    )
    appeal = read("guest_appeal_cny", inputs.guest_appeal_cny) + POINTS * standing
    ids = [rival.id for rival in rivals]
    newcomers = [
        (constant[..., ids.index(entrant.against)] if entrant.against else peer)
        + sensitivity * read(f"entrant.{entrant.id}.appeal_cny", entrant.appeal_cny)
        for entrant in inputs.entrants
    ]
    return _Taste(
        sigma=sigma,
        sensitivity=sensitivity,
        range_elasticity=reach,
        price=price,
        log_range=log_range,
        mean_price=mean_price,
        guest=peer + sensitivity * appeal,
        constant=_goods([*_places(constant), *newcomers]),
        snapshot_share=_goods([*_places(share), *(np.zeros(()) for _ in newcomers)]),
    )


def _prices(inputs: DemandInputs, read: _Reader, taste: _Taste, years: NDArray[np.int64]) -> Floats:
    """Return the price of every good by year; that of the cars without a name is the rivals' mean."""
    rate = read("rival_price_change_rate", inputs.rival_price_change_rate)
    guest = _course(
        read("guest_price_cny", inputs.guest_price_cny),
        inputs.first_year,
        read("guest_price_change_rate", inputs.guest_price_change_rate),
        inputs.guest_price_steps,
        years,
        read,
        "guest_price_path",
    )
    rivals = [
        _course(start, inputs.snapshot_year, rate, rival.price_steps, years, read, f"rival.{rival.id}.price_path")
        for rival, start in zip(inputs.rivals, _places(taste.price), strict=True)
    ]
    entrants = [
        _course(
            read(f"entrant.{entrant.id}.price_cny", entrant.price_cny),
            entrant.year,
            rate,
            entrant.price_steps,
            years,
            read,
            f"entrant.{entrant.id}.price_path",
        )
        for entrant in inputs.entrants
    ]
    others = _course(taste.mean_price, inputs.snapshot_year, rate, (), years, read, "")
    return _goods([guest, *rivals, *entrants, others])


def _gains(
    inputs: DemandInputs,
    read: _Reader,
    taste: _Taste,
    years: NDArray[np.int64],
    guest_range_km: ArrayLike | None,
) -> Floats:
    """Return what range, time on sale and entry add to the utility of every good by year."""
    reach = taste.range_elasticity
    growth = np.log1p(read("rival_range_growth_rate", inputs.rival_range_growth_rate))
    elapsed = years - inputs.snapshot_year
    longer = (reach * growth)[..., None] * elapsed
    guest_range = np.asarray(inputs.guest_range_km if guest_range_km is None else guest_range_km, dtype=float)
    gains = [(reach * np.log(guest_range))[..., None]]
    for rival, log_range in zip(inputs.rivals, _places(taste.log_range), strict=True):
        gains.append((reach * log_range)[..., None] + longer if rival.is_electric else np.zeros(1))
    for entrant in inputs.entrants:
        log_range = np.log(read(f"entrant.{entrant.id}.range_km", entrant.range_km))
        log_range = log_range[..., None] + growth[..., None] * (years - entrant.year)
        gains.append(reach[..., None] * log_range + _on_sale(entrant.year, entrant.first_month, years))
    entry = np.log1p(read("rival_entry_rate", inputs.rival_entry_rate))
    gains.append(longer + entry[..., None] * elapsed)
    return _goods(gains)


def _inverted(share: Floats, *, drawn: bool) -> Floats:
    """Return the utilities behind shares; not numbers for a draw whose rivals leave nothing for the others."""
    if not drawn:
        return invert_shares(share)
    rest = 1.0 - share.sum(axis=-1, keepdims=True)
    utility: Floats = np.log(share) - np.log(np.where(rest > 0, rest, np.nan))
    return utility


class _Reader:
    """Gives the drawn value of a field of the demand section, or the one of the inputs."""

    def __init__(self, values: Mapping[str, ArrayLike]) -> None:
        self._values = values

    def __call__(self, path: str, otherwise: float) -> Floats:
        """Return what stands at ``market.demand.`` + path."""
        return np.asarray(self._values.get(f"market.demand.{path}", otherwise), dtype=float)

    @property
    def is_drawing(self) -> bool:
        """True if any value was drawn."""
        return bool(self._values)


def _course(
    start: Floats,
    first_year: int,
    rate: Floats,
    steps: Sequence[PriceStep],
    years: NDArray[np.int64],
    read: _Reader,
    path: str,
) -> Floats:
    """Return a price by year: at a yearly rate from its first year, from each step's year as the step says."""
    price = start[..., None] * (1.0 + rate)[..., None] ** (years - first_year)
    for place, step in enumerate(steps):
        before = start * (1.0 + rate) ** (step.year - 1 - first_year)
        if step.change_rate is not None:
            rate = read(f"{path}.{place}.change_rate", step.change_rate)
        start = before * (1.0 + rate) if step.price_cny is None else read(f"{path}.{place}.price_cny", step.price_cny)
        first_year = step.year
        later = start[..., None] * (1.0 + rate)[..., None] ** (years - first_year)
        price = np.where(years >= first_year, later, price)
    return price


def _on_sale(year: int, first_month: int, years: NDArray[np.int64]) -> Floats:
    """Return the logarithm of the part of each year in which a newcomer is on sale."""
    part = np.clip((years - year) + (MONTHS_PER_YEAR + 1 - first_month) / MONTHS_PER_YEAR, 0.0, 1.0)
    with np.errstate(divide="ignore"):
        on_sale: Floats = np.log(np.where(years < year, 0.0, part))
    return on_sale


def _segment(inputs: DemandInputs, read: _Reader, years: NDArray[np.int64]) -> Floats:
    """Return the segment's size in the given years; after the last of the table it grows at its rate."""
    units = _goods([read(f"market.{item.id or item.year}.units", item.units) for item in inputs.market])
    growth = read("market_growth_after_rate", inputs.market_growth_after_rate)
    later = np.maximum(years - inputs.market[-1].year, 0)
    size: Floats = _between(inputs, units, years) * (1.0 + growth)[..., None] ** later
    return size


def _outside(inputs: DemandInputs, read: _Reader, years: NDArray[np.int64]) -> Floats:
    """Return how many cars without a plug its buyers choose among; after the last year of the table it stays."""
    return _between(
        inputs,
        _goods([read(f"market.{item.id or item.year}.outside_units", item.outside_units) for item in inputs.market]),
        years,
    )


def _between(inputs: DemandInputs, units: Floats, years: NDArray[np.int64]) -> Floats:
    """Return what grows evenly between the years of the table and stays as it is before and after them.

    A product of powers, so that 0 stays 0 and a year of the table has its own figure.
    """
    known = np.array([item.year for item in inputs.market])
    last = len(known) - 1
    place = np.clip(np.searchsorted(known, years, side="right") - 1, 0, max(last - 1, 0))
    following = np.minimum(place + 1, last)
    span = np.maximum(known[following] - known[place], 1)
    passed = np.clip((years - known[place]) / span, 0.0, 1.0)
    grown: Floats = units[..., place] ** (1.0 - passed) * units[..., following] ** passed
    return grown


def _goods(items: Sequence[Floats]) -> Floats:
    """Return arrays side by side along a new last axis."""
    return np.stack(np.broadcast_arrays(*items), axis=-1)


def _places(goods: Floats) -> list[Floats]:
    """Return the arrays that stand side by side along the last axis."""
    return [goods[..., place] for place in range(goods.shape[-1])]


def _tuple(numbers: NDArray[np.floating[Any]]) -> tuple[float, ...]:
    return tuple(numbers.tolist())
