"""The contract beside all others, in sentences and table rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachbuilder.report import wording

if TYPE_CHECKING:
    from coachbuilder.deal.agreement import ContractPoint, ZoneResult
    from coachbuilder.deal.alternatives import AlternativesResult
    from coachbuilder.deal.coordination import ContractOutcome, CoordinationResult
    from coachbuilder.deal.make_or_contract import Crossing, Flexibility, Route, RoutesResult

ROUTE_NAMES = {"contract": "the contract", "own plant": "a plant of its own", "refitted plant": "a refitted plant"}
"""Routes as they stand within a sentence."""


def sentences(result: AlternativesResult, brand: str, host: str) -> list[tuple[str, str]]:
    """Return questions with their answers in plain sentences.

    Parameters
    ----------
    result
        The contract beside all others.
    brand, host
        Names of the two sides.
    """
    found = [("For which fees and take-or-pay floors do both sides gain?", zone_text(result.zone, brand, host))]
    if result.zone_under_demand_risk is not None:
        found.append(("And if demand may turn out otherwise?", zone_text(result.zone_under_demand_risk, brand, host)))
    if result.coordination is not None:
        found.append(("What is lost because the two are not one?", coordination_text(result.coordination, brand, host)))
    found.append(("Make or contract?", routes_text(result.routes, brand)))
    if result.routes.flexibility:
        found.append(
            (
                "What is it worth to start under the contract and to build later?",
                " ".join(flexibility_text(item, brand) for item in result.routes.flexibility),
            )
        )
    return found


def zone_text(zone: ZoneResult | None, brand: str, host: str) -> str:
    """Return what the map of contracts says."""
    if zone is None:
        return "There is no map: the contract has no fee per car, or no car is sold."
    if zone.is_empty:
        return _empty_text(zone, brand, host)
    row = _row_of(zone, zone.programme.floor_share)
    least, highest = zone.host_least_fee_cny_per_car[row], zone.brand_highest_fee_cny_per_car[row]
    floor = wording.percent(float(zone.floor_shares[row]))
    if least is None or highest is None or least > highest:
        text = f"At a floor of {floor} at none, but at others."
    else:
        text = f"At a floor of {floor} of the contracted capacity, at a mean fee of {wording.money(least)} to "
        text += f"{wording.money(highest)} a car."
    text += f" The programme's own is {wording.money(zone.programme.fee_cny_per_car)} at a floor of "
    text += f"{wording.percent(zone.programme.floor_share)}: {_worth(zone.programme, brand, host)}."
    if zone.nash is not None:
        text += f" Bargaining on equal terms ends at {_terms(zone.nash)}: {_worth(zone.nash, brand, host)}."
    return f"{text} {_best_joint_text(zone)}"


def _empty_text(zone: ZoneResult, brand: str, host: str) -> str:
    best = zone.best_joint
    needed = [fee for fee in zone.host_least_fee_cny_per_car if fee is not None]
    hosts_least = (
        f"{host} needs a mean fee of at least {wording.money(min(needed))} a car."
        if needed
        else f"{host} gains at no fee of the map, {_short(zone.best_host.host_npv_cny, 0.0)} at best."
    )
    allowed = [fee for fee in zone.brand_highest_fee_cny_per_car if fee is not None]
    against = (
        ""
        if zone.brand_alternative_npv_cny <= 0
        else f", measured against the {wording.money(zone.brand_alternative_npv_cny)} that it can have without {host}"
    )
    brands_most = (
        f"{brand} can pay at most {wording.money(max(allowed))} a car{against}."
        if allowed
        else f"No fee is low enough for {brand}: even with {_terms(zone.best_brand)} it is "
        f"{_short(zone.best_brand.brand_npv_cny, zone.brand_alternative_npv_cny)}{against}."
    )
    together = (
        f"The two together lose {wording.money(-best.joint_npv_cny)} even at the contract best for both, "
        f"{_terms(best)}: no contract of this kind can make both gain."
        if best.joint_npv_cny < 0
        else f"The two together could gain {wording.money(best.joint_npv_cny)} at {_terms(best)}, but no fee and floor "
        "splits it so that both do."
    )
    return f"There is no fee and floor at which both gain. {brands_most} {hosts_least} {together}"


def _short(value: float, wanted: float) -> str:
    return f"{wording.money(wanted - value)} short"


def _best_joint_text(zone: ZoneResult) -> str:
    best = zone.best_joint
    more = best.joint_npv_cny - zone.programme.joint_npv_cny
    return (
        f"The highest joint value of the map, {wording.money(best.joint_npv_cny)}, stands at {_terms(best)}, "
        f"{wording.money(more)} more than the programme's own contract brings: the two differ in tax and in discount "
        "rate alone, since the same is built."
    )


def _terms(point: ContractPoint) -> str:
    fee = "no fee" if point.fee_cny_per_car == 0 else f"{wording.money(point.fee_cny_per_car)} a car"
    floor = "no floor" if point.floor_share == 0 else f"a floor of {wording.percent(point.floor_share)}"
    return f"{fee} and {floor}"


def _worth(point: ContractPoint, brand: str, host: str) -> str:
    return f"{wording.money(point.brand_npv_cny)} for {brand}, {wording.money(point.host_npv_cny)} for {host}"


def _row_of(zone: ZoneResult, floor_share: float) -> int:
    return min(range(len(zone.floor_shares)), key=lambda row: abs(float(zone.floor_shares[row]) - floor_share))


def coordination_text(result: CoordinationResult, brand: str, host: str) -> str:
    """Return what the forms of contract lose."""
    best, *forms = result.outcomes
    if best.reserved_units <= 0:
        return "Nothing: even as one the two would reserve no place in the year of most sales."
    worst = max(forms, key=lambda item: item.lost_cny)
    text = (
        f"As one they would hold {wording.whole(best.reserved_units)} places a year for a mean demand of "
        f"{wording.whole(result.mean_demand_units)} and earn {wording.money(best.chain_profit_cny)} a year before "
        f"what is fixed. At the programme's fee of {wording.money(result.fee_cny_per_car)} a car most is lost under "
        f"{worst.form}: {wording.money(worst.lost_cny)} a year."
    )
    for item in forms:
        if item.form == "deductible reservation fee" and item.coordinating_value is not None:
            text += (
                f" A deductible reservation fee of {wording.money(item.coordinating_value)} a place loses nothing "
                f"and leaves {brand} {wording.money(item.brand_profit_cny)} and {host} "
                f"{wording.money(item.host_profit_cny)}."
            )
    return text


def coordination_rows(result: CoordinationResult) -> list[list[str]]:
    """Return one row a form of contract."""
    return [
        [
            _capital(item.form),
            item.decided_by,
            wording.whole(item.reserved_units),
            wording.percent(item.service_share),
            wording.whole(item.brand_profit_cny / 1e6) if item.terms else wording.NOTHING,
            wording.whole(item.host_profit_cny / 1e6) if item.terms else wording.NOTHING,
            wording.whole(item.chain_profit_cny / 1e6),
            wording.whole(item.lost_cny / 1e6),
            _coordinating(item),
        ]
        for item in result.outcomes
    ]


def _coordinating(item: ContractOutcome) -> str:
    if item.coordinating_value is None:
        return item.note or wording.NOTHING
    share = item.coordinating_term.endswith("share")
    value = wording.percent(item.coordinating_value) if share else wording.money(item.coordinating_value)
    return f"{item.coordinating_term} {value}{f' ({item.note})' if item.note else ''}"


def routes_text(result: RoutesResult, brand: str) -> str:
    """Return which route is best and where they cross."""
    worth = ", ".join(
        f"{wording.money(route.npv_cny)} with {ROUTE_NAMES[route.name]}"
        for route in sorted(result.routes, key=lambda route: -route.npv_cny)
    )
    text = f"On the programme's demand {brand} earns {worth}."
    if result.crossings:
        return f"{text} " + " ".join(crossing_text(item) for item in result.crossings)
    return f"{text} The costs of building a car by these routes meet at no volume that two of them can build."


def crossing_text(item: Crossing) -> str:
    """Return one crossing in a sentence."""
    return (
        f"Up to {wording.whole(item.units_per_year)} cars a year a car costs less with "
        f"{ROUTE_NAMES[item.cheaper_below]}, above with {ROUTE_NAMES[item.cheaper_above]}; there it costs "
        f"{wording.money(item.unit_cost_cny)} either way."
    )


def route_rows(result: RoutesResult) -> list[list[str]]:
    """Return one row a route."""
    return [
        [
            _capital(route.name),
            wording.money(route.investment_cny),
            wording.money(route.host_investment_cny) if route.host_investment_cny else wording.NOTHING,
            wording.fixed(route.start_month, 1),
            wording.whole(route.capacity_units_per_year),
            wording.whole(route.units),
            wording.money(_last_cost(route)),
            wording.money(route.peak_cash_need_cny),
            wording.money(route.npv_cny),
        ]
        for route in result.routes
    ]


def _last_cost(route: Route) -> float | None:
    return next((cost for cost in reversed(route.unit_cost_cny) if cost is not None), None)


def flexibility_text(item: Flexibility, brand: str) -> str:
    """Return what building one plant later is worth."""
    name = ROUTE_NAMES[item.plant]
    if item.value_cny <= 0:
        return f"To add {name} later is worth nothing: on no path of demand is it right to build."
    fixed = (
        "keeping the contract for ever"
        if item.best_fixed_year is None
        else f"fixing today to build in {item.best_fixed_year} ({wording.money(item.best_fixed_value_cny)} over the "
        "contract for ever)"
    )
    return (
        f"With {name} {wording.money(item.option_value_cny)} over {fixed}; {brand} would build on "
        f"{wording.probability(item.building_probability)} of the paths. By simulation the right is worth "
        f"{wording.money(item.simulated_value_cny)} ± {wording.money(1.96 * item.simulated_error_cny)} in all, on the "
        f"grid {wording.money(item.value_cny)}."
    )


def flexibility_rows(item: Flexibility) -> list[list[str]]:
    """Return one row a year of decision."""
    return [
        [
            str(year),
            wording.NOTHING if least is None else f"{wording.fixed(least, 2)} × expected",
            wording.percent(chance, 1),
        ]
        for year, least, chance in zip(
            item.years, item.least_factor_by_year, item.building_probability_by_year, strict=True
        )
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
