"""Reads what demand takes out of a programme."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from coachbuilder.market.demand.interface import DemandInputs, MarketSize, Rival
from coachbuilder.programme.errors import InputError, Problem

if TYPE_CHECKING:
    from coachbuilder.programme import Programme
    from coachbuilder.programme.sections.market import DemandSection

FILE = "programme.toml"
FIELD = "market.demand"


def demand_inputs_from(programme: Programme, *, range_km: float) -> DemandInputs:
    """Return what demand takes.

    Parameters
    ----------
    programme
        The programme.
    range_km
        Guest's range on the CLTC cycle, as the vehicle stage estimates it; ``guest_range_ratio`` turns it into the
        procedure by which the rivals' ranges are stated.

    Raises
    ------
    InputError
        With all that :func:`check` finds.
    """
    section = programme.document.market.demand
    problems = check(section)
    if problems:
        raise InputError(problems)
    return DemandInputs(
        first_year=programme.as_of.year,
        horizon_years=programme.document.programme.horizon_years,
        snapshot_year=section.snapshot_year,
        range_procedure=section.range_procedure,
        market=tuple(MarketSize(item.year, item.units.value) for item in section.market),
        market_growth_after_rate=section.market_growth_after_rate.value,
        rivals=tuple(
            Rival(
                id=item.id,
                name=item.name,
                owner=item.owner,
                is_peer=item.peer,
                price_cny=item.price_cny.value,
                range_km=item.range_km.value,
                units=item.sold_units.value,
                months_on_sale=item.months_on_sale,
            )
            for item in section.rival
        ),
        price_elasticity=section.price_elasticity.value,
        range_elasticity=section.range_elasticity.value,
        rival_price_change_rate=section.rival_price_change_rate.value,
        rival_range_growth_rate=section.rival_range_growth_rate.value,
        rival_entry_rate=section.rival_entry_rate.value,
        guest_price_cny=section.guest_price_cny.value,
        guest_price_change_rate=section.guest_price_change_rate.value,
        guest_range_km=range_km * section.guest_range_ratio.value,
        guest_appeal_cny=section.guest_appeal_cny.value,
    )


def check(section: DemandSection) -> list[Problem]:
    """Return what the schema cannot see: doubled names, years out of order, rivals that fill the segment."""
    problems: list[Problem] = []
    seen: set[str] = set()
    for rival in section.rival:
        if rival.id in seen:
            problems.append(Problem(FILE, f"{FIELD}.rival.{rival.id}", rival.id, "an identifier used once"))
        seen.add(rival.id)
    if not any(rival.peer for rival in section.rival):
        problems.append(
            Problem(
                FILE,
                f"{FIELD}.rival",
                "no rival with peer = true",
                "at least one car that the guest is measured against",
            )
        )
    years = [item.year for item in section.market]
    if any(later <= earlier for earlier, later in pairwise(years)):
        problems.append(
            Problem(FILE, f"{FIELD}.market", ", ".join(map(str, years)), "years in ascending order, each once")
        )
    elif not years[0] <= section.snapshot_year <= years[-1]:
        problems.append(
            Problem(
                FILE,
                f"{FIELD}.snapshot_year",
                str(section.snapshot_year),
                f"a year that the market table spans, {years[0]} to {years[-1]}",
            )
        )
    else:
        problems.extend(_check_sales(section))
    return problems


def _check_sales(section: DemandSection) -> list[Problem]:
    sold = sum(rival.sold_units.value * 12 / rival.months_on_sale for rival in section.rival)
    size = _size_in(section, section.snapshot_year)
    if sold < size:
        return []
    return [
        Problem(
            FILE,
            f"{FIELD}.rival",
            f"{sold:,.0f} cars sold by the rivals together, as if on sale all of {section.snapshot_year}",
            f"less than the segment's {size:,.0f}",
        )
    ]


def _size_in(section: DemandSection, year: int) -> float:
    after = next(item for item in section.market if item.year >= year)
    before = [item for item in section.market if item.year <= year][-1]
    if after.year == before.year:
        return after.units.value
    passed = (year - before.year) / (after.year - before.year)
    return float(before.units.value ** (1 - passed) * after.units.value**passed)
