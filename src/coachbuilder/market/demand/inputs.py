"""Reads what demand takes out of a programme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from coachbuilder.market.demand.interface import DemandInputs, Entrant, MarketSize, PriceStep, Rival
from coachbuilder.programme.errors import InputError, Problem, closest
from coachbuilder.programme.sections.market import Nest

if TYPE_CHECKING:
    from coachbuilder.programme import Programme
    from coachbuilder.programme.sections.market import DemandSection, PriceYearSection

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
    problems = check(section, programme.as_of.year)
    if problems:
        raise InputError(problems)
    return DemandInputs(
        first_year=programme.as_of.year,
        horizon_years=programme.document.programme.horizon_years,
        snapshot_year=section.snapshot_year,
        range_procedure=section.range_procedure,
        market=tuple(
            MarketSize(item.year, item.units.value, item.outside_units.value, item.id) for item in section.market
        ),
        market_growth_after_rate=section.market_growth_after_rate.value,
        rivals=tuple(
            Rival(
                id=item.id,
                name=item.name,
                owner=item.owner,
                is_peer=item.peer,
                price_cny=item.price_cny.value,
                range_km=None if item.range_km is None else item.range_km.value,
                units=item.sold_units.value,
                months_on_sale=item.months_on_sale,
                is_electric=item.nest is Nest.ELECTRIC,
                price_steps=_steps(item.price_path),
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
        nest_parameter=section.nest_parameter.value,
        entrants=tuple(
            Entrant(
                id=item.id,
                name=item.name,
                owner=item.owner,
                year=item.year,
                first_month=item.first_month,
                price_cny=item.price_cny.value,
                range_km=item.range_km.value,
                appeal_cny=item.appeal_cny.value,
                against=item.against,
                price_steps=_steps(item.price_path),
            )
            for item in section.entrant
        ),
        guest_price_steps=_steps(section.guest_price_path),
        home_market_share=section.brand_standing.home_market_share.value,
        standing_cny_per_point=section.brand_standing.appeal_cny_per_point.value,
    )


def _steps(path: Sequence[PriceYearSection]) -> tuple[PriceStep, ...]:
    return tuple(
        PriceStep(
            item.year,
            None if item.price_cny is None else item.price_cny.value,
            None if item.change_rate is None else item.change_rate.value,
        )
        for item in path
    )


def check(section: DemandSection, first_year: int) -> list[Problem]:
    """Return what the schema cannot see: doubled names, years out of order, rivals that fill the segment.

    Parameters
    ----------
    section
        The demand section.
    first_year
        Year of ``as_of``, in which the guest's price is stated.
    """
    problems: list[Problem] = []

    def add(field: str, found: str, expected: str, hint: str = "") -> None:
        problems.append(Problem(FILE, f"{FIELD}.{field}" if field else FIELD, found, expected, hint=hint))

    seen: set[str] = set()
    for kind, items in (("rival", section.rival), ("entrant", section.entrant)):
        for item in items:
            if item.id in seen:
                add(f"{kind}.{item.id}", item.id, "an identifier used once")
            seen.add(item.id)
    electric = [rival.id for rival in section.rival if rival.nest is Nest.ELECTRIC]
    if not any(rival.peer and rival.nest is Nest.ELECTRIC for rival in section.rival):
        add(
            "rival",
            "no electric rival with peer = true" if section.rival else "no rival",
            "at least one car that the guest is measured against",
            "rivals stand in [[market.demand.rival]] or in the file that rivals_file names",
        )
    for entrant in section.entrant:
        field = f"entrant.{entrant.id}"
        if entrant.year <= section.snapshot_year:
            add(f"{field}.year", str(entrant.year), f"a year after the snapshot year {section.snapshot_year}")
        if entrant.against and entrant.against not in electric:
            add(f"{field}.against", entrant.against, "an electric rival's id", closest(entrant.against, electric))
        _check_course(f"{field}.price_path", entrant.price_path, entrant.year, add)
    for rival in section.rival:
        if rival.nest is Nest.ELECTRIC and rival.range_km is None:
            add(f"rival.{rival.id}.range_km", "nothing", "the range of an electric car", 'nest = "none" has none')
        elif rival.nest is Nest.NONE and rival.range_km is not None:
            add(f"rival.{rival.id}.range_km", "a range", "nothing for a car with nest = none, whose range nobody asks")
        _check_course(f"rival.{rival.id}.price_path", rival.price_path, section.snapshot_year, add)
    _check_course("guest_price_path", section.guest_price_path, first_year, add)
    years = [item.year for item in section.market]
    if any(later <= earlier for earlier, later in pairwise(years)):
        add("market", ", ".join(map(str, years)), "years in ascending order, each once")
    elif not years[0] <= section.snapshot_year <= years[-1]:
        add(
            "snapshot_year",
            str(section.snapshot_year),
            f"a year that the market table spans, {years[0]} to {years[-1]}",
        )
    else:
        _check_sales(section, add)
    return problems


Add = Callable[..., None]


def _check_course(field: str, path: Sequence[PriceYearSection], first_year: int, add: Add) -> None:
    year = first_year
    for place, item in enumerate(path):
        if item.year <= year:
            add(f"{field}.{place}.year", str(item.year), f"a year after {year}: years ascend")
        if item.price_cny is None and item.change_rate is None:
            add(f"{field}.{place}", "neither price_cny nor change_rate", "one of them, or both")
        year = max(year, item.year)


def _check_sales(section: DemandSection, add: Add) -> None:
    has_outside = [item.outside_units.value > 0 for item in section.market]
    if any(has_outside) and not all(has_outside):
        missing = section.market[has_outside.index(False)]
        add(f"market.{missing.id}.outside_units", "0 in some years only", "cars in every year of the table, or in none")
        return
    for nest, field, whose in ((Nest.ELECTRIC, "units", "segment's"), (Nest.NONE, "outside_units", "outside_units of")):
        rivals = [rival for rival in section.rival if rival.nest is nest]
        sold = sum(rival.sold_units.value * 12 / rival.months_on_sale for rival in rivals)
        size = _size_in(section, section.snapshot_year, field)
        if rivals and sold >= size:
            kind = "rivals" if nest is Nest.ELECTRIC else "rivals with nest = none"
            add(
                "rival",
                f"{sold:,.0f} cars sold by the {kind} together, as if on sale all of {section.snapshot_year}",
                f"less than the {whose} {size:,.0f}",
            )


def _size_in(section: DemandSection, year: int, field: str) -> float:
    after = next(item for item in section.market if item.year >= year)
    before = [item for item in section.market if item.year <= year][-1]
    first, last = (float(getattr(item, field).value) for item in (before, after))
    if after.year == before.year:
        return last
    passed = (year - before.year) / (after.year - before.year)
    return float(first ** (1 - passed) * last**passed)
