"""What the demand stage takes and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from coachbuilder.programme.sections.market import Owner, RangeProcedure


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
    range_km: float
    """Range in the snapshot year, by the procedure of ``DemandInputs.range_procedure``."""
    units: float
    """Cars sold in the snapshot year."""
    months_on_sale: int
    """Months of the snapshot year in which it was on sale."""


@dataclass(frozen=True, slots=True)
class MarketSize:
    """How many cars the segment takes in a year."""

    year: int
    """Calendar year."""
    units: float
    """Cars sold in the segment, all makes."""


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
    """What buyers pay more for the guest than for a mean peer of equal price and range."""


@dataclass(frozen=True, slots=True)
class RivalResult:
    """What the guest does to one rival."""

    id: str
    """Short name."""
    name: str
    """Name for people."""
    owner: Owner
    """Whose car it is."""
    constant: float
    """Appeal that price and range do not explain, against the outside good; a utility."""
    snapshot_share: float
    """Share of the segment in the snapshot year, as if on sale all year."""
    units_per_year: tuple[float, ...]
    """Cars sold by year with the guest on sale."""
    units_lost_per_year: tuple[float, ...]
    """Cars fewer by year because of the guest."""


@dataclass(frozen=True, slots=True)
class DemandResult:
    """Who buys the guest."""

    years: tuple[int, ...]
    """Calendar years."""
    units_per_year: tuple[float, ...]
    """Guest cars wanted by year, as if on sale all year and never out of stock."""
    share: tuple[float, ...]
    """Guest's share of the segment by year."""
    market_units_per_year: tuple[float, ...]
    """Cars that the segment takes by year."""
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
    price_sensitivity_per_cny: float
    """Utility lost per CNY of price."""
    willingness_to_pay_cny_per_km: float
    """What buyers pay for one more km at the guest's range."""
    rivals: tuple[RivalResult, ...]
    """What happens to each rival."""
    outside_units_lost_per_year: tuple[float, ...]
    """Cars that all others of the segment sell fewer by year because of the guest."""
    host_units_lost_per_year: tuple[float, ...]
    """Cars that the host's own models among the rivals sell fewer by year: cannibalism."""
    host_loss_share: float
    """Share of the guest's buyers who would have bought one of the host's own models, in the peak year."""
    peak_year: int
    """Year with the most guest cars wanted; the first of equals."""
    peak_units_per_year: float
    """Guest cars wanted in that year."""
