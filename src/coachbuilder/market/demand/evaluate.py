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
    >>> demand_by_year(inputs, {"market.demand.price_elasticity": [2.5, 3.5]}).units_per_year.shape  # doctest: +SKIP
    (2, 11)
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


def _world(inputs: DemandInputs, values: Mapping[str, ArrayLike], guest_range_km: ArrayLike | None) -> _World:
    read = _Reader(values)
    years = np.arange(inputs.first_year, inputs.first_year + inputs.horizon_years + 1)
    snapshot = np.array([inputs.snapshot_year])
    sigma = read("nest_parameter", inputs.nest_parameter)
    reach = read("range_elasticity", inputs.range_elasticity)
    price_rate = read("rival_price_change_rate", inputs.rival_price_change_rate)
    range_rate = read("rival_range_growth_rate", inputs.rival_range_growth_rate)

    rivals = inputs.rivals
    electric = np.array([rival.is_electric for rival in rivals], dtype=bool)
    names = [f"rival.{rival.id}" for rival in rivals]
    price = _goods([read(f"{name}.price_cny", rival.price_cny) for name, rival in zip(names, rivals, strict=True)])
    log_range = np.log(
        _goods([read(f"{name}.range_km", rival.range_km or 1.0) for name, rival in zip(names, rivals, strict=True)])
    )
    sold = _goods(
        [
            read(f"{name}.sold_units", rival.units) * MONTHS_PER_YEAR / rival.months_on_sale
            for name, rival in zip(names, rivals, strict=True)
        ]
    )
    price, log_range, sold = np.broadcast_arrays(price, log_range, sold)
    segment_at, outside_at = _segment(inputs, read, snapshot), _outside(inputs, read, snapshot)
    weight = sold * electric
    mean_price = (price * weight).sum(axis=-1) / weight.sum(axis=-1)
    sensitivity = read("price_elasticity", inputs.price_elasticity) / mean_price

    # The inversion goes level by level: within either side the choice is a plain logit against its cars without name.
    side = np.where(electric, segment_at, outside_at)
    snapshot_share = sold / side
    mean_utility = np.empty(np.broadcast_shapes(sold.shape, side.shape))
    for one_side in (electric, ~electric):
        if one_side.any():
            mean_utility[..., one_side] = _inverted(snapshot_share[..., one_side], drawn=bool(values))
    # Cars without a plug stand alone beside the nest, on the textbook's scale.
    scale = np.where(electric, 1.0, 1.0 - sigma[..., None])
    constant = mean_utility + scale * sensitivity[..., None] * price
    constant = constant - np.where(electric, reach[..., None] * log_range, 0.0)

    peers = np.array([rival.is_peer and rival.is_electric for rival in rivals], dtype=bool)
    standing = read("brand_standing.home_market_share", inputs.home_market_share) * read(
        "brand_standing.appeal_cny_per_point", inputs.standing_cny_per_point
    )
    appeal = read("guest_appeal_cny", inputs.guest_appeal_cny) + POINTS * standing
    peer_constant = constant[..., peers].mean(axis=-1)
    places = {rival.id: place for place, rival in enumerate(rivals)}
    newcomers = []
    for entrant in inputs.entrants:
        base = constant[..., places[entrant.against]] if entrant.against else peer_constant
        newcomers.append(base + sensitivity * read(f"entrant.{entrant.id}.appeal_cny", entrant.appeal_cny))
    constant = _join(constant, newcomers)
    snapshot_share = _join(snapshot_share, [np.zeros(())] * len(newcomers))

    rival_prices = [
        _course(
            price[..., place], inputs.snapshot_year, price_rate, rival.price_steps, years, read, f"{name}.price_path"
        )
        for place, (name, rival) in enumerate(zip(names, rivals, strict=True))
    ]
    log_gain = np.log1p(range_rate)
    elapsed = years - inputs.snapshot_year
    range_gain = (reach * log_gain)[..., None] * elapsed
    appeals = [
        np.where(rival.is_electric, reach * log_range[..., place], 0.0)[..., None]
        + (range_gain if rival.is_electric else 0.0)
        for place, rival in enumerate(rivals)
    ]
    for entrant in inputs.entrants:
        name = f"entrant.{entrant.id}"
        start = read(f"{name}.price_cny", entrant.price_cny)
        rival_prices.append(
            _course(start, entrant.year, price_rate, entrant.price_steps, years, read, f"{name}.price_path")
        )
        log_reach = np.log(read(f"{name}.range_km", entrant.range_km))[..., None]
        log_reach = log_reach + log_gain[..., None] * (years - entrant.year)
        appeals.append(reach[..., None] * log_reach + _on_sale(entrant.year, entrant.first_month, years))
    guest_price = _course(
        read("guest_price_cny", inputs.guest_price_cny),
        inputs.first_year,
        read("guest_price_change_rate", inputs.guest_price_change_rate),
        inputs.guest_price_steps,
        years,
        read,
        "guest_price_path",
    )
    guest_range = np.asarray(inputs.guest_range_km if guest_range_km is None else guest_range_km, dtype=float)
    guest_appeal = reach * np.log(guest_range)
    factor = (1.0 + price_rate)[..., None] ** elapsed
    others_price = mean_price[..., None] * factor
    prices = _goods([guest_price, *rival_prices, others_price])
    others = range_gain + np.log1p(read("rival_entry_rate", inputs.rival_entry_rate))[..., None] * elapsed
    gains = _goods([guest_appeal[..., None], *appeals, others])
    constants = _goods(
        [
            peer_constant + sensitivity * appeal,
            *(constant[..., place] for place in range(constant.shape[-1])),
            # What the cars without a name lose by their price is told from their price of the snapshot year on.
            sensitivity * mean_price,
        ]
    )
    in_nest = np.array([True, *electric, *(True for _ in inputs.entrants), True], dtype=bool)
    textbook = np.where(in_nest, 1.0, 1.0 - sigma[..., None])[..., None, :]
    on_nest_scale = constants[..., None, :] + gains - textbook * sensitivity[..., None, None] * prices
    utility = np.where(in_nest, (1.0 - sigma)[..., None, None], 1.0) * on_nest_scale

    segment, outside = _segment(inputs, read, years), _outside(inputs, read, years)
    without = utility[..., 1:]
    inclusive = (1.0 - sigma)[..., None] * log_sum_exp(np.where(in_nest[1:], on_nest_scale[..., 1:], -np.inf))
    # Cars without a plug and without a name follow the rivals' prices; only the split among them depends on it.
    nameless = (1.0 - sigma)[..., None] * sensitivity[..., None] * (mean_price[..., None] - others_price)
    beside = np.where(in_nest[1:], -np.inf, without)
    outside_total = np.logaddexp(log_sum_exp(beside), nameless)
    with np.errstate(divide="ignore"):
        shift = inclusive + np.log(outside) - np.log(segment) - outside_total
    utility = np.where(in_nest, utility, utility + shift[..., None])
    nameless = nameless + shift
    choice = nested_shares(utility, in_nest, sigma[..., None], nameless)
    before = nested_shares(utility[..., 1:], in_nest[1:], sigma[..., None], nameless)
    owners = [*(rival.owner for rival in rivals), *(entrant.owner for entrant in inputs.entrants)]
    return _World(
        years=years,
        segment=segment,
        buyers=segment + outside,
        price=prices,
        choice=choice,
        lost=before.share - choice.share[..., 1:],
        in_nest=in_nest,
        is_host=np.array([owner is Owner.HOST for owner in owners]),
        is_open=bool(np.any(outside > 0)),
        sensitivity=sensitivity,
        sigma=sigma,
        constant=constant,
        snapshot_share=snapshot_share,
    )


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


def _join(first: Floats, more: Sequence[Floats]) -> Floats:
    """Return goods with more of them behind."""
    if not more:
        return first
    return _goods([*(first[..., place] for place in range(first.shape[-1])), *more])


def _tuple(numbers: NDArray[np.floating[Any]]) -> tuple[float, ...]:
    return tuple(numbers.tolist())
