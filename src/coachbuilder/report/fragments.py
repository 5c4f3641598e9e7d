"""The pictures of every stage as pieces of HTML: a result goes in, a picture comes out.

The report and a live page both use them; the page's style sheet gives them their colours. Each picture is drawn for
several widths, and the style sheet shows the one that fits its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from coachbuilder.report import charts, wording
from coachbuilder.report.charts import Series
from coachbuilder.report.svg import Drawing

if TYPE_CHECKING:
    from coachbuilder.plant.balance.interface import FitResult, LineBalance
    from coachbuilder.plant.flow.interface import FlowResult, RampResult
    from coachbuilder.programme import Programme
    from coachbuilder.risk.interface import FigureSpread, RiskResult

PHONE_WIDTH, TABLET_WIDTH, DESK_WIDTH, HALF_WIDTH = 340.0, 580.0, 940.0, 450.0
"""Widths in pixels that pictures are drawn for."""


def picture(
    identifier: str, title: str, description: str, draw: Callable[[float], Drawing], *, half: bool = False
) -> Markup:
    """Return one picture in all its widths.

    Parameters
    ----------
    identifier
        Name of the picture, unique on its page.
    title, description
        Read out to those who cannot see it.
    draw
        Draws it for a width in pixels.
    half
        True if it stands beside another one on a desk.
    """
    widths = (
        (("desk", HALF_WIDTH), ("phone", PHONE_WIDTH))
        if half
        else (("desk", DESK_WIDTH), ("tablet", TABLET_WIDTH), ("phone", PHONE_WIDTH))
    )
    drawn = (
        draw(width).render(f"{identifier}-{name}", title, description, f"for-{name}") for name, width in widths
    )
    return Markup('<div class="fig {}" id="{}">{}</div>').format(
        "half" if half else "wide", identifier, Markup("").join(drawn)
    )


# fit


def model_colors(models: Iterable[str], guest: str) -> dict[str, str]:
    """Return the colour class of each model: the guest's first, then the residents' in their order."""
    residents = [model for model in models if model != guest]
    return {guest: "m0"} | {model: f"m{1 + index % 7}" for index, model in enumerate(residents)}


def model_name(programme: Programme, model: str) -> str:
    """Return a model's name on the badge."""
    return next((item.name for item in programme.plant.model if item.id == model), model)


def model_key(programme: Programme, fit: FitResult) -> list[dict[str, str]]:
    """Return names and colours of the models for a key."""
    colors = model_colors(fit.after.mix, fit.guest)
    return [
        {"label": model_name(programme, model) + (" (guest)" if model == fit.guest else ""), "color": color}
        for model, color in colors.items()
    ]


def yamazumi(line: LineBalance, fit: FitResult, identifier: str, title: str) -> Markup:
    """Return one line's operators against takt; both lines of a fit share colours and scale.

    Each bar is the mix average of an operator's work, cut by what each model adds to it; the tick over it is the
    model that needs most time there.
    """
    colors = model_colors(fit.after.mix, fit.guest)
    segment_of = {station.station: station.segment for station in line.stations}
    posts = [
        charts.Post(
            load.station,
            segment_of[load.station],
            [(line.mix.get(model, 0.0) * load.load_s.get(model, 0.0), colors[model]) for model in reversed(colors)],
            max((seconds for model, seconds in load.load_s.items() if line.mix.get(model)), default=None),
            f"{load.station}, operator {load.operator}"
            + (f" in {load.zone}" if load.zone else "")
            + ": "
            + ", ".join(f"{model} {seconds:.0f} s" for model, seconds in load.load_s.items() if line.mix.get(model))
            + f"; average {load.weighted_load_s:.0f} s",
        )
        for load in line.operator_loads
    ]
    peaks = [
        seconds
        for each in (fit.before, fit.after)
        for load in each.operator_loads
        for model, seconds in load.load_s.items()
        if each.mix.get(model)
    ]
    top = max([*peaks, fit.before.takt_s, fit.after.takt_s], default=1.0) * 1.04
    return picture(
        identifier,
        title,
        f"{line.operators} operators at {line.stations_used} stations, takt {line.takt_s:.1f} s, idle "
        f"{wording.percent(line.idle_share)}.",
        lambda width: charts.yamazumi(
            width, posts, takt=line.takt_s, top=top, takt_text=f"takt {line.takt_s:.1f} s"
        ),
    )


# flow


def plant_diagram(flow: FlowResult) -> Markup:
    """Return the shops with their rates, the places between them, and the bottleneck marked."""
    rework_of: dict[str, str] = {}
    kinds = {shop.id: shop.kind for shop in flow.shops}
    ways: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for buffer in flow.buffers:
        if buffer.from_shop != buffer.to_shop:
            ways.setdefault((buffer.from_shop, buffer.to_shop), []).append((buffer.capacity, buffer.mean_level))
    for start, end in ways:
        if kinds.get(end) == "rework":
            rework_of.setdefault(end, start)
    boxes = [
        charts.Shop(
            shop.id,
            shop.name,
            (
                f"{wording.number(shop.jph)} cars/h",
                f"alone {wording.number(shop.stand_alone_jph)}",
                f"busy {wording.percent(shop.working_share)}",
            ),
            hot=shop.id == flow.bottleneck,
            beside=rework_of.get(shop.id, ""),
        )
        for shop in flow.shops
    ]
    arrows = [
        charts.Way(start, end, "" if len(items) > 1 or not items[0][0] else f"{items[0][0]} places")
        for (start, end), items in ways.items()
    ]
    description = "; ".join(
        f"{shop.name}: {wording.number(shop.jph)} cars an hour, {wording.number(shop.stand_alone_jph)} alone"
        for shop in flow.shops
    )
    return picture(
        "plant",
        f"Shops of the plant; bottleneck {flow.bottleneck_name}",
        description,
        lambda width: charts.shops(width, boxes, arrows),
    )


def shop_time(flow: FlowResult) -> Markup:
    """Return where the time of each shop's machines goes."""
    parts = (
        ("at work", "working_share", "k0"),
        ("in repair", "down_share", "bad"),
        ("blocked", "blocked_share", "k3"),
        ("without a car", "starved_share", "mute"),
    )
    rows = [
        (shop.name, [(getattr(shop, field), color, name) for name, field, color in parts]) for shop in flow.shops
    ]
    return picture(
        "shop-time",
        "Where the machines' time goes, by shop",
        "; ".join(f"{shop.name}: {wording.percent(shop.working_share)} at work" for shop in flow.shops),
        lambda width: charts.share_bars(width, rows, [(name, f"f-{color}") for name, _, color in parts]),
    )


def ramp(result: RampResult) -> Markup:
    """Return cars built week by week from the first pilot build."""
    weeks = [float(week) for week in result.week]
    series = (
        Series("guest cars a week", result.guest_units.tolist(), "brand", weeks, area=True),
        Series("the host's own cars lost a week", result.resident_units_lost.tolist(), "host", weeks),
    )
    return picture(
        "ramp-weeks",
        "Guest cars built and resident cars lost by week",
        f"{len(weeks)} weeks; production starts in week {result.start_of_production_week}.",
        lambda width: charts.lines(
            width, series, y_title="cars a week", x_title="weeks from the first pilot build", whole_x=True
        ),
    )


def ramp_quality(result: RampResult) -> Markup:
    """Return the guest's first-pass yield and the line's speed week by week."""
    weeks = [float(week) for week in result.week]
    series = (
        Series("guest first-pass yield", (100 * result.first_pass_yield).tolist(), "good", weeks),
        Series("line speed", (100 * result.line_speed_share).tolist(), "joint", weeks, dashed=True),
    )
    return picture(
        "ramp-quality",
        "First-pass yield and line speed by week",
        f"{len(weeks)} weeks.",
        lambda width: charts.lines(
            width, series, y_title="%", x_title="weeks from the first pilot build", height=190, whole_x=True
        ),
    )


# risk


def spread_of(risk: RiskResult, name: str) -> FigureSpread | None:
    """Return the spread of one headline figure, or None if the risk stage has none of that name."""
    return next((item for item in risk.figures if item.name == name), None)


def value_ranges(risk: RiskResult, rows: Sequence[tuple[str, str, str]], identifier: str = "value-ranges") -> Markup:
    """Return the ranges of several values on one axis.

    Parameters
    ----------
    rows
        For each row what it is called, the name of its headline figure and its colour.
    """
    found = [(name, spread_of(risk, figure), color) for name, figure, color in rows]
    spreads = [(name, item, color) for name, item, color in found if item is not None]
    divisor, scale_name = wording.money_scale(*(v for _, item, _ in spreads for v in (item.p10, item.p90, item.base)))
    spans = [
        charts.Span(
            name,
            item.p10,
            item.p50,
            item.p90,
            f"{name}: {wording.money_range(item.p10, item.p90)}, median {wording.money(item.p50)}",
            color,
            item.base,
        )
        for name, item, color in spreads
    ]
    title = f"CNY {scale_name}".strip()
    return picture(
        identifier,
        "Net present values with their ranges",
        "; ".join(span.text for span in spans),
        lambda width: charts.ranges(width, spans, title=title, unit_divisor=divisor),
    )


def npv_histogram(values: np.ndarray, spread: FigureSpread, *, who: str, color: str) -> Markup:
    """Return how often one side's net present value fell where over the draws."""
    low, high = np.percentile(values, [0.5, 99.5])
    kept = np.clip(values, low, high)
    counts, edges = np.histogram(kept, bins=min(48, max(8, int(np.sqrt(len(values))))))
    divisor, scale_name = wording.money_scale(float(low), float(high))
    marks = [
        (value, f"{name} {wording.number(value / divisor)}")
        for name, value in (("P10", spread.p10), ("median", spread.p50), ("P90", spread.p90))
        if value is not None
    ]
    return picture(
        f"histogram-{color}",
        f"Net present value of {who} over the draws",
        f"P10 {wording.money(spread.p10)}, median {wording.money(spread.p50)}, P90 {wording.money(spread.p90)}; "
        f"above 0 in {wording.probability(spread.probability_positive)} of the draws.",
        lambda width: charts.histogram(
            width,
            counts.tolist(),
            edges.tolist(),
            color=color,
            title=f"CNY {scale_name}".strip(),
            marks=marks,
            unit_divisor=divisor,
        ),
        half=True,
    )


def tornado(risk: RiskResult, side: str, base: float, names: Mapping[str, str], rows: int = 15) -> Markup:
    """Return the assumptions that move one side's value most.

    Parameters
    ----------
    side
        ``brand`` or ``host``.
    base
        The plan's own value for that side, CNY.
    names
        What to call each assumption, by path.
    rows
        How many assumptions to show.
    """
    swings = [
        (
            item,
            getattr(item, f"{side}_npv_at_low_cny"),
            getattr(item, f"{side}_npv_at_high_cny"),
        )
        for item in risk.assumptions
    ]
    swings.sort(key=lambda swing: (-abs(swing[2] - swing[1]), swing[0].path))
    shown = [
        charts.Swing(
            names.get(item.path, item.path),
            low,
            high,
            f"{item.path} at {wording.number(item.low, 4)}: {wording.money(low)}",
            f"{item.path} at {wording.number(item.high, 4)}: {wording.money(high)}",
        )
        for item, low, high in swings[:rows]
    ]
    divisor, scale_name = wording.money_scale(base, *(v for swing in shown for v in (swing.at_low, swing.at_high)))
    return picture(
        f"tornado-{side}",
        f"What moves the {side}'s net present value most",
        "; ".join(f"{swing.low_text}, {swing.high_text}" for swing in shown[:5]),
        lambda width: charts.tornado(
            width, shown, base=base, title=f"NPV, CNY {scale_name}".strip(), unit_divisor=divisor
        ),
    )
