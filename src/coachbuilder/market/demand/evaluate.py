"""Demand by calendar year: a logit over the guest, its rivals and all other cars of the segment.

Utility of a car is ``constant - sensitivity * price + range_elasticity * ln(range)``; that of the outside good, all
other cars of the segment together, is 0 in the snapshot year. The rivals' constants are what makes the model give
the snapshot's sales exactly. In later years the outside good changes its price and range as the rivals do, and grows
by the cars that enter the market: ``n`` equally attractive cars together have the utility of one plus ``ln(n)``.

Own-price elasticity of the logit is ``-sensitivity * price * (1 - share)``, that to range
``range_elasticity * (1 - share)`` (Train, Discrete Choice Methods with Simulation, section 3.6).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.market.demand.interface import DemandInputs, DemandResult, MarketSize, RivalResult
from coachbuilder.market.demand.logit import choice_shares, invert_shares
from coachbuilder.programme.sections.market import Owner

Floats = NDArray[np.float64]

MONTHS_PER_YEAR = 12


def evaluate_demand(inputs: DemandInputs) -> DemandResult:
    """Return who buys the guest, year by year.

    Parameters
    ----------
    inputs
        All that demand depends on; see :class:`DemandInputs`.

    Raises
    ------
    ValueError
        If the rivals' sales, as if on sale all year, leave nothing of the segment's snapshot year.

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
    rivals = inputs.rivals
    price = np.array([rival.price_cny for rival in rivals])
    log_range = np.log([rival.range_km for rival in rivals])
    full_year_units = np.array([rival.units * MONTHS_PER_YEAR / rival.months_on_sale for rival in rivals])
    years = np.arange(inputs.first_year, inputs.first_year + inputs.horizon_years + 1)

    mean_price = float(price @ full_year_units / full_year_units.sum())
    sensitivity = inputs.price_elasticity / mean_price
    snapshot_share = full_year_units / float(market_units(inputs, np.array([inputs.snapshot_year]))[0])
    constant = invert_shares(snapshot_share) + sensitivity * price - inputs.range_elasticity * log_range
    guest_constant = float(constant[_peers(inputs)].mean()) + sensitivity * inputs.guest_appeal_cny

    elapsed = years - inputs.snapshot_year
    rival_price_factor = (1.0 + inputs.rival_price_change_rate) ** elapsed
    range_gain = inputs.range_elasticity * math.log1p(inputs.rival_range_growth_rate) * elapsed
    utility = np.empty((len(years), len(rivals) + 1))
    utility[:, 1:] = constant + inputs.range_elasticity * log_range - sensitivity * np.outer(rival_price_factor, price)
    utility[:, 1:] += range_gain[:, None]
    outside = sensitivity * mean_price * (1.0 - rival_price_factor) + range_gain
    outside += math.log1p(inputs.rival_entry_rate) * elapsed
    guest_price = inputs.guest_price_cny * (1.0 + inputs.guest_price_change_rate) ** (years - inputs.first_year)
    utility[:, 0] = guest_constant + inputs.range_elasticity * math.log(inputs.guest_range_km)
    utility[:, 0] -= sensitivity * guest_price

    market = market_units(inputs, years)
    shares, outside_share = choice_shares(utility, outside)
    without, outside_without = choice_shares(utility[:, 1:], outside)
    guest_share = shares[:, 0]
    units = market * guest_share
    rival_units = market[:, None] * shares[:, 1:]
    rival_lost = market[:, None] * (without - shares[:, 1:])
    is_host = np.array([rival.owner is Owner.HOST for rival in rivals])
    host_lost = rival_lost[:, is_host].sum(axis=1)
    peak = int(units.argmax())
    return DemandResult(
        years=tuple(years.tolist()),
        units_per_year=_tuple(units),
        share=_tuple(guest_share),
        market_units_per_year=_tuple(market),
        price_cny=_tuple(guest_price),
        guest_range_km=inputs.guest_range_km,
        range_procedure=inputs.range_procedure,
        price_elasticity=_tuple(-sensitivity * guest_price * (1.0 - guest_share)),
        range_elasticity=_tuple(inputs.range_elasticity * (1.0 - guest_share)),
        price_sensitivity_per_cny=sensitivity,
        willingness_to_pay_cny_per_km=inputs.range_elasticity / (sensitivity * inputs.guest_range_km),
        rivals=tuple(
            RivalResult(
                id=rival.id,
                name=rival.name,
                owner=rival.owner,
                constant=rival_constant,
                snapshot_share=rival_share,
                units_per_year=tuple(sold),
                units_lost_per_year=tuple(lost),
            )
            for rival, rival_constant, rival_share, sold, lost in zip(
                rivals,
                constant.tolist(),
                snapshot_share.tolist(),
                rival_units.T.tolist(),
                rival_lost.T.tolist(),
                strict=True,
            )
        ),
        outside_units_lost_per_year=_tuple(market * (outside_without - outside_share)),
        host_units_lost_per_year=_tuple(host_lost),
        host_loss_share=float(host_lost[peak] / units[peak]) if units[peak] > 0 else 0.0,
        peak_year=int(years[peak]),
        peak_units_per_year=float(units[peak]),
    )


def market_units(inputs: DemandInputs, years: NDArray[np.int64]) -> Floats:
    """Return the segment's size in the given calendar years.

    Between two years of the table it grows evenly, after the last at ``market_growth_after_rate``; before the first
    it is the first.

    Parameters
    ----------
    inputs
        Of which the market's part is read.
    years
        Calendar years, any shape.
    """
    table: tuple[MarketSize, ...] = inputs.market
    known = np.array([item.year for item in table], dtype=float)
    log_units = np.interp(years, known, np.log([item.units for item in table]))
    later = np.maximum(years - table[-1].year, 0)
    grown: Floats = np.exp(log_units + math.log1p(inputs.market_growth_after_rate) * later)
    return grown


def _peers(inputs: DemandInputs) -> NDArray[np.bool_]:
    return np.array([rival.is_peer for rival in inputs.rivals])


def _tuple(numbers: NDArray[np.floating[Any]]) -> tuple[float, ...]:
    return tuple(numbers.tolist())
