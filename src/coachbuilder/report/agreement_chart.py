"""The map of contracts and the unit cost by volume, drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from coachbuilder.report import charts, wording
from coachbuilder.report.agreement_words import ROUTE_NAMES, crossing_text, zone_text
from coachbuilder.report.fragments import DESK_WIDTH, picture
from coachbuilder.report.svg import SMALL_FONT_SIZE, Drawing, scale, text_width, thinned, tick_texts, ticks

if TYPE_CHECKING:
    from coachbuilder.deal.agreement import ContractPoint, ZoneResult
    from coachbuilder.deal.alternatives import AlternativesResult
    from coachbuilder.deal.make_or_contract import RoutesResult

ROUTE_COLORS = {"contract": "brand", "own plant": "own", "refitted plant": "k2"}
"""Colour class of each route."""
HIGHEST_COST_DRAWN = 5.0
"""Costs above so many times the least of all are not drawn: at few cars they grow without end."""
_CONTOURS = 4


def zone_map(zone: ZoneResult, brand: str, host: str, identifier: str = "zone-map") -> Markup:
    """Return the map of contracts: where either side gains, the programme's own point, the bargaining point.

    Parameters
    ----------
    zone
        The map.
    brand, host
        Names of the two sides.
    identifier
        Name of the picture, unique on its page.
    """
    return picture(
        identifier,
        "For which fees and floors both sides gain",
        zone_text(zone, brand, host),
        lambda width: draw_zone(width, zone, brand, host),
    )


def standalone_map(result: AlternativesResult, brand: str, host: str) -> str:
    """Return the map as the text of one .svg file with the page's style sheet in it.

    Parameters
    ----------
    result
        The contract beside all others.
    brand, host
        Names of the two sides.

    Raises
    ------
    InputError
        If there is no map.
    """
    from coachbuilder.programme import InputError, Problem
    from coachbuilder.report.page import style_sheet

    zone = result.zone
    if zone is None:
        expected = "a clause 'fee per car' above 0 and cars sold: without them there is no map"
        raise InputError([Problem("programme.toml", "deal.clause", "no fee per car", expected)])
    drawing = draw_zone(DESK_WIDTH, zone, brand, host)
    text = drawing.render("zone-map", "For which fees and floors both sides gain", zone_text(zone, brand, host))
    opened = f'<svg xmlns="http://www.w3.org/2000/svg" width="{DESK_WIDTH:.0f}" height="{drawing.height:.0f}" '
    style = f"<style>{style_sheet()} svg {{ background: var(--paper); }}</style>"
    start, _, rest = str(text).partition("</title>")
    return start.replace("<svg ", opened, 1) + "</title>" + style + rest + "\n"


def draw_zone(width: float, zone: ZoneResult, brand: str, host: str) -> Drawing:
    """Draw the map: fees across, floors upwards."""
    fees, floors = zone.fee_cny_per_car.tolist(), zone.floor_shares.tolist()
    drawing = Drawing(width, 460 if width > 520 else 420)
    points = _points(zone)
    key = [(f"{brand} gains", "f-brand mid"), (f"{host} gains", "f-host mid")]
    if not zone.is_empty:
        key.append(("both gain", "f-good mid"))
    key += [(f"value to {brand}", "l-brand dash"), (f"value to {host}", "l-host dash")]
    key += [(name, cls) for name, cls, _ in points]
    top = charts.legend(drawing, key, 0, 0, width) + 30
    frame = charts.Frame(48, top, width - 10, drawing.height - 42)
    place_x = scale(fees[0], fees[-1], frame.left, frame.right)
    place_y = scale(floors[0], floors[-1], frame.bottom, frame.top)
    _areas(drawing, frame, zone, place_x, place_y)
    _axes(drawing, frame, (fees[-1], floors[-1]), place_x, place_y)
    taken: list[tuple[float, float]] = []
    for color, values in (("brand", zone.brand_npv_cny.tolist()), ("host", zone.host_npv_cny.tolist())):
        _contours(drawing, frame, values, (fees, floors), place_x, place_y, color, taken)
    for edge, color in ((zone.brand_highest_fee_cny_per_car, "brand"), (zone.host_least_fee_cny_per_car, "host")):
        known = [
            (place_x(fee), place_y(floor))
            for fee, floor in zip(edge, floors, strict=True)
            if fee is not None and fees[0] < fee < fees[-1]
        ]
        drawing.polyline(known, f"l-{color} thick")
    for name, cls, point in points:
        title = f"{name}: CNY {wording.whole(point.fee_cny_per_car)} a car, floor {wording.percent(point.floor_share)}"
        title += f", {brand} {wording.money(point.brand_npv_cny)}, {host} {wording.money(point.host_npv_cny)}"
        drawing.circle(place_x(point.fee_cny_per_car), place_y(point.floor_share), 6, f"{cls} dot", title)
    return drawing


def _points(zone: ZoneResult) -> list[tuple[str, str, ContractPoint]]:
    found = [
        ("highest joint value", "f-own", zone.best_joint),
        ("the programme's own", "f-text", zone.programme),
    ]
    if zone.nash is not None:
        found.insert(1, ("bargaining on equal terms", "f-good", zone.nash))
    return found


def _areas(
    drawing: Drawing,
    frame: charts.Frame,
    zone: ZoneResult,
    place_x: Callable[[float], float],
    place_y: Callable[[float], float],
) -> None:
    """Fill where either side gains, and where both do."""
    floors = zone.floor_shares.tolist()
    brand = [None if fee is None else place_x(fee) for fee in zone.brand_highest_fee_cny_per_car]
    host = [None if fee is None else place_x(fee) for fee in zone.host_least_fee_cny_per_car]
    for row in range(len(floors) - 1):
        low, high = place_y(floors[row]), place_y(floors[row + 1])
        ends, starts = (brand[row], brand[row + 1]), (host[row], host[row + 1])
        if ends[0] is not None and ends[1] is not None:
            corners = [(frame.left, low), (ends[0], low), (ends[1], high), (frame.left, high)]
            drawing.polygon(corners, "f-brand pale")
        if starts[0] is not None and starts[1] is not None:
            corners = [(starts[0], low), (frame.right, low), (frame.right, high), (starts[1], high)]
            drawing.polygon(corners, "f-host pale")
        if None in ends or None in starts:
            continue
        left, right = [value or 0.0 for value in starts], [value or 0.0 for value in ends]
        if left[0] <= right[0] and left[1] <= right[1]:
            corners = [(left[0], low), (right[0], low), (right[1], high), (left[1], high)]
            drawing.polygon(corners, "hollow")
            drawing.polygon(corners, "f-good mid")


def _axes(
    drawing: Drawing,
    frame: charts.Frame,
    ends: tuple[float, float],
    place_x: Callable[[float], float],
    place_y: Callable[[float], float],
) -> None:
    across = [value for value in ticks(0.0, ends[0], 8 if drawing.width > 520 else 5) if value <= ends[0]]
    texts = tick_texts(across)
    for index in thinned(across, texts, place_x, SMALL_FONT_SIZE):
        x = place_x(across[index])
        drawing.line(x, frame.bottom, x, frame.bottom + 4, "tick")
        drawing.text(
            min(x, drawing.width - text_width(texts[index]) / 2), frame.bottom + 19, texts[index], "ts num", "middle"
        )
    drawing.text(frame.right, frame.bottom + 36, "mean fee, CNY a car", "ts soft", "end")
    for value in ticks(0.0, ends[1], 5):
        drawing.line(frame.left, place_y(value), frame.right, place_y(value), "axis0" if value == 0 else "grid")
        drawing.text(frame.left - 6, place_y(value) + 4, wording.percent(value), "ts num", "end")
    drawing.text(0, frame.top - 12, "floor, share of the contracted capacity", "ts soft")
    drawing.line(frame.left, frame.top, frame.left, frame.bottom, "axis0")


def _contours(
    drawing: Drawing,
    frame: charts.Frame,
    values: Sequence[Sequence[float]],
    axes: tuple[Sequence[float], Sequence[float]],
    place_x: Callable[[float], float],
    place_y: Callable[[float], float],
    color: str,
    taken: list[tuple[float, float]],
) -> None:
    """Draw lines of equal value; along the fee values rise or fall, so that each floor has one place a line."""
    fees, floors = axes
    everything = [value for row in values for value in row]
    scaled, name = wording.money_scale(*everything)
    for level in ticks(min(everything) / scaled, max(everything) / scaled, _CONTOURS):
        line = []
        for floor, row in zip(floors, values, strict=True):
            at = _crossing(fees, row, level * scaled)
            if at is not None:
                line.append((place_x(at), place_y(floor)))
        # The line of nothing is the edge of the area, drawn heavier.
        if len(line) < 2 or level == 0:
            continue
        drawing.polyline(line, f"l-{color} dash thin")
        text = f"{level:g} {name}".replace("-", wording.MINUS).strip()
        x, y = line[len(line) * 3 // 4] if color == "brand" else line[len(line) // 4]
        half = text_width(text, SMALL_FONT_SIZE) / 2
        x = min(max(x, frame.left + half), frame.right - half)
        while any(abs(x - other) < 2 * half and abs(y - there) < 14 for other, there in taken):
            y += 15
        taken.append((x, y))
        drawing.text(x, y, text, "ts halo", "middle")


def _crossing(fees: Sequence[float], row: Sequence[float], level: float) -> float | None:
    for index in range(len(row) - 1):
        one, other = row[index], row[index + 1]
        if min(one, other) <= level <= max(one, other) and one != other:
            return fees[index] + (level - one) / (other - one) * (fees[index + 1] - fees[index])
    return None


def unit_cost_by_volume(routes: RoutesResult) -> Markup:
    """Return what building a car costs the brand by volume and route, with the volumes at which routes cross.

    Parameters
    ----------
    routes
        Make or contract.
    """
    volumes = routes.volumes_units_per_year.tolist()
    least = min((cost for route in routes.routes for cost in route.unit_cost_cny if cost is not None), default=None)
    if least is None:
        return Markup("")
    series = [
        charts.Series(
            ROUTE_NAMES[route.name],
            [None if cost is None or cost > HIGHEST_COST_DRAWN * least else cost / 1e3 for cost in route.unit_cost_cny],
            ROUTE_COLORS[route.name],
            x=volumes,
        )
        for route in routes.routes
    ]
    upright = [(item.units_per_year, wording.whole(item.units_per_year)) for item in routes.crossings]
    return picture(
        "unit-cost-by-volume",
        "What building a car costs by volume",
        " ".join(crossing_text(item) for item in routes.crossings) or "The routes do not cross.",
        lambda width: charts.lines(
            width,
            series,
            y_title="CNY thousand a car",
            x_title="cars a year",
            height=300,
            upright=upright,
        ),
    )
