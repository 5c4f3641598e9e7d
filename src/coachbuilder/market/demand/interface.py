"""What the demand stage takes and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme.sections.market import Owner, RangeProcedure


@dataclass(frozen=True, slots=True)
class PriceStep:
    """A year from which a price, or its yearly change, is another."""

    year: int
    """Calendar year from which it holds."""
    price_cny: float | None = None
    """Price in that year, value-added tax included, after subsidy; else what the change makes of the year before's."""
    change_rate: float | None = None
    """Yearly change from that year on, fraction; else the one that held before."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A car that buyers choose among, as it was in the snapshot year."""

    id: str
    """Short name."""
    name: str
    """Name for people."""
    owner: Owner
    """Whose car it is: the host's own, the brand's own or another company's."""
    is_peer: bool
    """True if the guest's appeal is stated against this car, among others."""
    price_cny: float
    """Price paid in the snapshot year, value-added tax included, after subsidy."""
    range_km: float | None
    """Range in the snapshot year, by the procedure of ``DemandInputs.range_procedure``; nothing without a plug."""
    units: float
    """Cars sold in the snapshot year."""
    months_on_sale: int
    """Months of the snapshot year in which it was on sale."""
    is_electric: bool = True
    """True if it is one of the segment's cars, in the electric nest; false if its sales count among those outside."""
    price_steps: tuple[PriceStep, ...] = ()
    """Its own course of price after the snapshot year, ascending."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """An electric car that comes later, as its maker tells it or the press."""

    id: str
    """Short name."""
    name: str
    """Name for people."""
    owner: Owner
    """Whose car it is."""
    year: int
    """Calendar year in which its sale begins."""
    first_month: int
    """Month of that year in which it begins, from 1 to 12."""
    price_cny: float
    """Price in that year, value-added tax included, after subsidy."""
    range_km: float
    """Range in that year, by the procedure of ``DemandInputs.range_procedure``."""
    appeal_cny: float
    """What buyers pay more for it than for the car it is stated against, at equal price and range."""
    against: str = ""
    """The rival that its appeal is stated against; empty for the mean of the peers."""
    price_steps: tuple[PriceStep, ...] = ()
    """Its own course of price after that year, ascending."""


@dataclass(frozen=True, slots=True)
class MarketSize:
    """How many cars the segment takes in a year, as forecast without the guest."""

    year: int
    """Calendar year."""
    units: float
    """Cars sold in the segment, all makes."""
    outside_units: float = 0.0
    """Cars outside the segment, without a plug, among which the same buyers choose; 0 closes the segment."""
    id: str = ""
    """Short name."""


@dataclass(frozen=True, slots=True)
class DemandInputs:
    """All that demand depends on."""

    first_year: int
    """First calendar year that is told."""
    horizon_years: int
    """Years told after the first."""
    snapshot_year: int
    """Year in which the rivals' sales, prices and ranges were observed."""
    range_procedure: RangeProcedure
    """Procedure by which the rivals' and the guest's ranges are stated."""
    market: tuple[MarketSize, ...]
    """Size of the segment in some years, ascending; the snapshot year lies within them."""
    market_growth_after_rate: float
    """Yearly growth after the last of these years, fraction."""
    rivals: tuple[Rival, ...]
    """Cars that are told by name; all others of the segment are the outside good."""
    price_elasticity: float
    """Own-price elasticity, as a positive number, of a car at the rivals' mean price with a negligible share."""
    range_elasticity: float
    """Elasticity of a car's demand to its own range, with a negligible share."""
    rival_price_change_rate: float
    """Yearly change of rivals' prices, those of the outside good included, fraction."""
    rival_range_growth_rate: float
    """Yearly growth of rivals' ranges, those of the outside good included, fraction."""
    rival_entry_rate: float
    """Yearly growth of the number of equally attractive cars in the outside good, fraction."""
    guest_price_cny: float
    """Guest's price in the first year, value-added tax included, after subsidy."""
    guest_price_change_rate: float
    """Yearly change of the guest's price, fraction."""
    guest_range_km: float
    """Guest's range by ``range_procedure``."""
    guest_appeal_cny: float
    """What buyers pay more for the guest than for a mean peer of equal price and range, the brand's standing aside."""
    nest_parameter: float = 0.0
    """Correlation of tastes among electric cars, from 0 (plain logit) to below 1."""
    entrants: tuple[Entrant, ...] = ()
    """Electric cars that come later."""
    guest_price_steps: tuple[PriceStep, ...] = ()
    """The guest's course of price after the first year, ascending."""
    home_market_share: float = 0.0
    """Share that the brand has of the market it comes from, such as phones."""
    standing_cny_per_point: float = 0.0
    """What buyers pay more for the guest per percentage point of that share."""


@dataclass(frozen=True, slots=True)
class RivalResult:
    """What the guest does to one rival."""

    id: str
    """Short name."""
    name: str
    """Name for people."""
    owner: Owner
    """Whose car it is."""
    is_electric: bool
    """True if it stands in the electric nest."""
    entry_year: int | None
    """Year in which it comes; nothing if it was on sale in the snapshot year."""
    constant: float
    """Appeal that price and range do not explain, against all cars without a name on its side of the market; a utility
    within that side."""
    snapshot_share: float
    """Share of its side of the market in the snapshot year, as if on sale all year; 0 for one that comes later."""
    price_cny: tuple[float, ...]
    """Its price by year, value-added tax included."""
    units_per_year: tuple[float, ...]
    """Cars sold by year with the guest on sale."""
    units_lost_per_year: tuple[float, ...]
    """Cars fewer by year because of the guest."""
    diversion_share: float
    """Share of the guest's buyers who would have bought this car, in the guest's peak year."""
    elasticity_to_guest_price: float
    """Per cent of this car's units per per cent of the guest's price, in that year."""
    guest_elasticity_to_price: float
    """Per cent of the guest's units per per cent of this car's price, in that year."""


@dataclass(frozen=True, slots=True)
class DemandByYear:
    """What the later stages take from demand, for many draws at once; axes are (draws, years), or (years,) for one."""

    years: NDArray[np.int64]
    """Calendar years, shape (years,)."""
    units_per_year: NDArray[np.float64]
    """Guest cars wanted."""
    host_units_lost_per_year: NDArray[np.float64]
    """The host's own cars lost to the guest."""
    price_cny: NDArray[np.float64]
    """Guest's price, value-added tax included."""

    def of_draw(self, row: int) -> DemandByYear:
        """Return one draw of many; axes are (years,)."""
        return DemandByYear(
            self.years, self.units_per_year[row], self.host_units_lost_per_year[row], self.price_cny[row]
        )


@dataclass(frozen=True, slots=True)
class DemandResult:
    """Who buys the guest."""

    years: tuple[int, ...]
    """Calendar years."""
    units_per_year: tuple[float, ...]
    """Guest cars wanted by year, as if on sale all year and never out of stock."""
    share: tuple[float, ...]
    """Guest's share of the segment by year, of those cars that buyers bring from outside it included."""
    market_units_per_year: tuple[float, ...]
    """Cars that the segment takes by year without the guest."""
    price_cny: tuple[float, ...]
    """Guest's price by year, value-added tax included."""
    guest_range_km: float
    """Guest's range by ``range_procedure``."""
    range_procedure: RangeProcedure
    """Procedure by which ranges are stated."""
    price_elasticity: tuple[float, ...]
    """Own-price elasticity of the guest by year: per cent of units per per cent of price; negative."""
    range_elasticity: tuple[float, ...]
    """Elasticity of the guest's units to its range by year."""
    nest_parameter: float
    """Correlation of tastes among electric cars; 0 is the plain logit."""
    price_sensitivity_per_cny: float
    """Utility lost per CNY of price, on the scale on which an electric car's choice within its nest is a logit."""
    willingness_to_pay_cny_per_km: float
    """What buyers pay for one more km at the guest's range."""
    brand_standing_cny: float
    """What buyers pay more for the guest because of the brand's standing in the market it comes from."""
    rivals: tuple[RivalResult, ...]
    """What happens to each rival."""
    outside_units_lost_per_year: tuple[float, ...]
    """Cars that all others of the segment sell fewer by year because of the guest."""
    conquest_units_per_year: tuple[float, ...]
    """Guest cars by year whose buyers would have bought a car outside the segment, named rivals there included."""
    others_diversion_share: float
    """Share of the guest's buyers who would have bought one of the segment's cars without a name, in the peak year."""
    no_plug_diversion_share: float
    """Share of them who would have bought a car outside the segment that has no name here."""
    brand_units_lost_per_year: tuple[float, ...]
    """Cars that the brand's own models among the rivals sell fewer by year because of the guest."""
    host_units_lost_per_year: tuple[float, ...]
    """Cars that the host's own models among the rivals sell fewer by year: cannibalism."""
    host_loss_share: float
    """Share of the guest's buyers who would have bought one of the host's own models, in the peak year."""
    peak_year: int
    """Year with the most guest cars wanted; the first of equals."""
    peak_units_per_year: float
    """Guest cars wanted in that year."""
