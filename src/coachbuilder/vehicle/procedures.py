"""The official procedures for range and consumption of battery-electric cars, as functions of measured energies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coachbuilder.programme.errors import InputError, Problem

EPA_ADJUSTMENT = 0.7
"""Factor from unadjusted to label range (40 CFR 600.210-12 (d)(3); SAE J1634)."""
EPA_CITY_SHARE = 0.55
"""Share of city driving in the label's combined figure (40 CFR 600.210-12)."""
KWH_PER_GALLON_EQUIVALENT = 33.705
"""Energy of a gallon of petrol (40 CFR 600.002, miles per gallon equivalent)."""
KM_PER_MILE = 1.609344

MULTI_CYCLE_ORDER = ("UDDS", "HWFET", "UDDS", "steady", "UDDS", "HWFET", "UDDS", "steady")
"""Phases of SAE J1634's multi-cycle range and consumption test; the last drives the pack empty."""
MULTI_CYCLE_STEADY_KMH = 65 * KM_PER_MILE
MULTI_CYCLE_END_SHARE = 0.2
"""Largest share of the whole distance that the last phase may have: it sets the length of the first steady phase."""

SHORTENED_ORDER = ("WLTC", "city", "steady", "WLTC", "city", "steady")
"""Phases of the shortened test: two dynamic segments, each before a steady one (UN GTR 15 annex 8 section 3.4.4.2)."""
SHORTENED_STEADY_KMH = 100.0
"""Speed of the steady segments of class 3b cars (the same, section 3.4.4.2.1.2)."""

US06_CITY_S = ((0, 130), (495, 600))
"""Seconds of the US06 that are its city part; the rest is highway (40 CFR 86.159-08; 600.114-12)."""
UDDS_BAG_2_FROM_S = 505
"""Second of the UDDS from which its driving counts as stabilised (40 CFR 86.115-78): bag 2; before it bags 1 and 3."""

FIVE_CYCLE_DYNAMOMETER = 0.905
"""What a dynamometer leaves out, wind and rough roads (40 CFR 600.114-12)."""


@dataclass(frozen=True, slots=True)
class Rated:
    """Ranges and consumption by a procedure."""

    city_range_km: float
    """Range in the city."""
    highway_range_km: float | None
    """Range on the highway; None where the procedure has none."""
    range_km: float
    """Range that the procedure tells."""
    battery_kwh_per_100km: float
    """Energy at the battery that belongs to it."""


@dataclass(frozen=True, slots=True)
class FiveCycle:
    """Energies at the battery over the five cycles, kWh/100 km."""

    bag_1: float
    """First 505 s of the UDDS after a cold start, 24 °C."""
    bag_2: float
    """The rest of the UDDS, 24 °C."""
    bag_3: float
    """First 505 s after a hot start, 24 °C."""
    highway: float
    """HWFET."""
    us06_city: float
    """City part of the US06."""
    us06_highway: float
    """Highway part of the US06."""
    hot: float
    """SC03 at 35 °C with the air conditioning on."""
    cold_bag_1: float
    """As bag 1 at -7 °C, the cabin heated."""
    cold_bag_2: float
    """As bag 2 at -7 °C."""
    cold_bag_3: float
    """As bag 3 at -7 °C."""


def multi_cycle_test(
    usable_kwh: float, udds_kwh_per_100km: Sequence[float], first_udds_kwh: float, hwfet_kwh_per_100km: Sequence[float]
) -> Rated:
    """Return the ranges of SAE J1634's multi-cycle test, unadjusted.

    The first of the four city phases weighs with its share of the usable energy, the others share the rest alike; the
    two highway phases weigh the same. Combined is 55 % city and 45 % highway.

    Parameters
    ----------
    usable_kwh
        Energy at the battery over the whole test.
    udds_kwh_per_100km
        Energy at the battery in each city phase.
    first_udds_kwh
        Energy at the battery over the first of them.
    hwfet_kwh_per_100km
        Energy at the battery in each highway phase.

    Raises
    ------
    InputError
        If an energy is not above 0.

    Examples
    --------
    >>> multi_cycle_test(60.0, [12.0] * 4, 1.44, [15.0] * 2).city_range_km
    500.0
    """
    _require(usable_kwh, *udds_kwh_per_100km, first_udds_kwh, *hwfet_kwh_per_100km)
    first = first_udds_kwh / usable_kwh
    rest = (1.0 - first) / (len(udds_kwh_per_100km) - 1)
    city = first * udds_kwh_per_100km[0] + rest * sum(udds_kwh_per_100km[1:])
    highway = sum(hwfet_kwh_per_100km) / len(hwfet_kwh_per_100km)
    return _combined(100.0 * usable_kwh / city, 100.0 * usable_kwh / highway, usable_kwh)


def two_cycle_label(unadjusted: Rated) -> Rated:
    """Return the label of 40 CFR 600.210-12 from unadjusted ranges: 0.7 of each.

    Examples
    --------
    >>> two_cycle_label(multi_cycle_test(60.0, [12.0] * 4, 1.44, [12.0] * 2)).range_km
    350.0
    """
    highway = unadjusted.highway_range_km
    return Rated(
        city_range_km=EPA_ADJUSTMENT * unadjusted.city_range_km,
        highway_range_km=None if highway is None else EPA_ADJUSTMENT * highway,
        range_km=EPA_ADJUSTMENT * unadjusted.range_km,
        battery_kwh_per_100km=unadjusted.battery_kwh_per_100km / EPA_ADJUSTMENT,
    )


def five_cycle_label(usable_kwh: float, energy: FiveCycle) -> Rated:
    """Return the label by the five-cycle calculation.

    40 CFR 600.114-12 (a) and (b), its fuel per distance read as energy per distance; what a start takes is what bag 1
    takes above bag 3 over 3.6 miles, at 24 °C for 76 % of the starts and at -7 °C for 24 %. For electric cars the
    regulation leaves the details to EPA's approval; that the usable energy is that of the warm test is our choice.

    Parameters
    ----------
    usable_kwh
        Energy at the battery from full to empty.
    energy
        Over the five cycles.

    Raises
    ------
    InputError
        If an energy is not above 0.

    Examples
    --------
    >>> even = FiveCycle(*[12.0] * 10)
    >>> round(five_cycle_label(60.0, even).city_range_km, 1)
    452.5
    """
    e = energy
    _require(
        usable_kwh, e.bag_1, e.bag_2, e.bag_3, e.highway, e.us06_city, e.us06_highway, e.hot, e.cold_bag_1,
        e.cold_bag_2, e.cold_bag_3,
    )  # fmt: skip
    start = 3.6 * (0.76 * (e.bag_1 - e.bag_3) + 0.24 * (e.cold_bag_1 - e.cold_bag_3))
    cooling = e.hot - (0.61 * e.bag_3 + 0.39 * e.bag_2)
    city_running = (
        0.82 * (0.48 * e.bag_2 + 0.41 * e.bag_3 + 0.11 * e.us06_city)
        + 0.18 * (0.5 * e.cold_bag_2 + 0.5 * e.cold_bag_3)
        + 0.133 * 1.083 * cooling
    )
    highway_running = 1.007 * (0.79 * e.us06_highway + 0.21 * e.highway) + 0.133 * 0.377 * cooling
    city = (0.33 * start / 4.1 + city_running) / FIVE_CYCLE_DYNAMOMETER
    highway = (0.33 * start / 60.0 + highway_running) / FIVE_CYCLE_DYNAMOMETER
    return _combined(100.0 * usable_kwh / city, 100.0 * usable_kwh / highway, usable_kwh)


def wltp_shortened_test(
    usable_kwh: float,
    wltc_kwh_per_100km: Sequence[float],
    first_wltc_kwh: float,
    city_kwh_per_100km: Sequence[float],
    first_city_kwh: float,
) -> Rated:
    """Return the ranges of the shortened WLTP test.

    UN GTR 15 annex 8 section 4.4.2.1: consumption of the cycle is that of its first run, weighted with its share of the
    usable energy, and of its second; of the city cycle the first run weighs so, the other three share the rest alike.

    Parameters
    ----------
    usable_kwh
        Energy at the battery over all segments.
    wltc_kwh_per_100km
        Of the two runs of the whole cycle.
    first_wltc_kwh
        Over the first of them.
    city_kwh_per_100km
        Of the four runs of the city cycle, those within the whole cycles with them, in their order.
    first_city_kwh
        Over the first of them.

    Raises
    ------
    InputError
        If an energy is not above 0.

    Examples
    --------
    >>> round(wltp_shortened_test(60.0, [15.0, 15.0], 3.49, [12.0] * 4, 1.0).range_km, 6)
    400.0
    """
    _require(usable_kwh, *wltc_kwh_per_100km, first_wltc_kwh, *city_kwh_per_100km, first_city_kwh)
    first = first_wltc_kwh / usable_kwh
    whole = first * wltc_kwh_per_100km[0] + (1.0 - first) * wltc_kwh_per_100km[1]
    first_city = first_city_kwh / usable_kwh
    rest = (1.0 - first_city) / (len(city_kwh_per_100km) - 1)
    city = first_city * city_kwh_per_100km[0] + rest * sum(city_kwh_per_100km[1:])
    return Rated(
        city_range_km=100.0 * usable_kwh / city,
        highway_range_km=None,
        range_km=100.0 * usable_kwh / whole,
        battery_kwh_per_100km=whole,
    )


def wall_kwh_per_100km(battery_kwh_per_100km: float, usable_kwh: float, recharged_kwh: float) -> float:
    """Return energy from the wall per distance: that at the battery times what a recharge takes over the usable energy.

    SAE J1634 and UN GTR 15 annex 8 section 4.3 alike.

    Examples
    --------
    >>> wall_kwh_per_100km(15.0, 60.0, 68.0)
    17.0
    """
    _require(usable_kwh, recharged_kwh)
    return battery_kwh_per_100km * recharged_kwh / usable_kwh


def miles_per_gallon_equivalent(kwh_per_100km: float) -> float:
    """Return EPA's miles per gallon equivalent.

    Examples
    --------
    >>> round(miles_per_gallon_equivalent(20.94), 1)
    100.0
    """
    _require(kwh_per_100km)
    return KWH_PER_GALLON_EQUIVALENT / (kwh_per_100km / 100.0 * KM_PER_MILE)


def _combined(city_km: float, highway_km: float, usable_kwh: float) -> Rated:
    combined = EPA_CITY_SHARE * city_km + (1.0 - EPA_CITY_SHARE) * highway_km
    # The label's consumption weighs energies, not ranges.
    consumption = (
        EPA_CITY_SHARE * 100.0 * usable_kwh / city_km + (1.0 - EPA_CITY_SHARE) * 100.0 * usable_kwh / highway_km
    )
    return Rated(city_km, highway_km, combined, consumption)


def _require(*energies: float) -> None:
    bad = [energy for energy in energies if not energy > 0.0]
    if bad:
        raise InputError([Problem("procedure", "energy", f"{energy:g}", "an energy above 0") for energy in bad])
