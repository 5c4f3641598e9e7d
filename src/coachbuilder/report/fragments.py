"""The pictures of every stage as pieces of HTML: a result goes in, a picture comes out.

The report and a live page both use them; the page's style sheet gives them their colours. Each picture is drawn for
several widths, and the style sheet shows the one that fits its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from coachbuilder.plant.balance.use import idle_share_by_model, segment_uses, station_uses
from coachbuilder.report import charts, order_words, wording
from coachbuilder.report.charts import Series
from coachbuilder.report.svg import Drawing

if TYPE_CHECKING:
    from coachbuilder.deal.interface import DealResult, PartyResult
    from coachbuilder.market.announcement.interface import AnnouncementResult, Comparison
    from coachbuilder.market.demand.interface import DemandResult
    from coachbuilder.plant.balance.interface import FitResult, LineBalance, MovedTask
    from coachbuilder.plant.flow.interface import FlowResult, RampResult
    from coachbuilder.plant.sequence.interface import SequenceResult
    from coachbuilder.plant.sequence.store.interface import StoreResult, StoreStep
    from coachbuilder.programme import Programme
    from coachbuilder.risk.interface import FigureSpread, RiskResult
    from coachbuilder.vehicle.interface import CycleResult, VehicleResult

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
    drawn = (draw(width).render(f"{identifier}-{name}", title, description, f"for-{name}") for name, width in widths)
    return Markup('<div class="fig {}" id="{}">{}</div>').format(
        "half" if half else "wide", identifier, Markup("").join(drawn)
    )


# vehicle

_LARGEST_TRACE = 460


def cycle(result: CycleResult) -> Markup:
    """Return speed and energy over one drive cycle."""
    step = max(1, -(-len(result.time_s) // _LARGEST_TRACE))
    keep = np.unique(np.append(np.arange(0, len(result.time_s), step), len(result.time_s) - 1))
    seconds = [float(value) for value in result.time_s[keep]]
    speed = (Series("", result.speed_kmh[keep].tolist(), "k0", seconds, area=True),)
    energy = (Series("", result.energy_kwh[keep].tolist(), "k1", seconds),)
    name = result.name.lower().replace(" ", "-").replace("(", "").replace(")", "")

    def draw(width: float) -> Drawing:
        height = 150.0 if width > 500 else 130.0
        return charts.panels(
            width,
            (
                charts.lines(width, speed, y_title="speed, km/h", x_title="", height=height, left=44),
                charts.lines(width, energy, y_title="energy from the cells, kWh", x_title="s", height=height, left=44),
            ),
            gap=0,
        )

    return picture(
        f"cycle-{name}",
        f"Speed and energy over the {result.name} cycle",
        f"{wording.number(result.distance_km)} km in {result.duration_s} s; "
        f"{wording.number(result.battery_kwh_per_100km)} kWh/100 km from the cells.",
        draw,
    )


_ENERGY_PARTS = (
    ("air", "aerodynamic_kwh_per_100km", "k0"),
    ("rolling", "rolling_kwh_per_100km", "k5"),
    ("brakes", "brake_kwh_per_100km", "k6"),
    ("motor, inverter, gear", "powertrain_kwh_per_100km", "k1"),
    ("accessories", "accessory_kwh_per_100km", "k3"),
    ("inside the pack", "battery_kwh_per_100km", "k2"),
)


def energy_breakdown(vehicle: VehicleResult) -> Markup:
    """Return where the energy from the cells goes, cycle by cycle."""
    rows = [
        (
            item.name,
            [
                (
                    getattr(item.energy, field),
                    color,
                    f"{item.name}, {name}: {wording.number(getattr(item.energy, field))} kWh/100 km",
                )
                for name, field, color in _ENERGY_PARTS
            ],
            f"{item.battery_kwh_per_100km:.1f}",
        )
        for item in vehicle.cycles
    ]
    return picture(
        "energy-breakdown",
        "Where the energy from the cells goes",
        "; ".join(
            f"{item.name}: {wording.number(item.battery_kwh_per_100km)} kWh/100 km from the cells"
            for item in vehicle.cycles
        ),
        lambda width: charts.stack_bars(width, rows, [(name, f"f-{color}") for name, _, color in _ENERGY_PARTS]),
        half=True,
    )


def parts_cost(vehicle: VehicleResult) -> Markup:
    """Return the cost of the parts, dearest first."""
    found = sorted(vehicle.parts_cost_by_item_cny.items(), key=lambda item: (-item[1], item[0]))
    items = [charts.Bar(wording.label(name), cost, wording.whole(cost), "brand") for name, cost in found]
    return picture(
        "parts-cost",
        "Parts cost by item",
        "; ".join(f"{bar.label}: CNY {bar.text}" for bar in items),
        lambda width: charts.bars(width, items),
        half=True,
    )


# demand


def demand_by_year(demand: DemandResult) -> Markup:
    """Return the guest cars wanted by year, and the host's own cars that they displace."""
    years = [str(year) for year in demand.years]
    series = [Series("guest cars wanted", list(demand.units_per_year), "brand")]
    lost = Series(
        "the host's own cars that buyers give up", [-units for units in demand.host_units_lost_per_year], "host"
    )
    if any(lost.values):
        series.append(lost)
    return picture(
        "demand-years",
        "Guest cars wanted by year",
        "; ".join(f"{year}: {wording.whole(units)}" for year, units in zip(years, demand.units_per_year, strict=True)),
        lambda width: charts.columns(width, years, series, y_title="cars a year"),
    )


def rivals(demand: DemandResult, guest: str, rows: int = 12) -> Markup:
    """Return the guest beside its rivals in the year of its peak."""
    index = demand.years.index(demand.peak_year)
    colors = {"host": "host", "brand": "brand"}
    found = [
        charts.Bar(
            rival.name,
            rival.units_per_year[index],
            wording.whole(rival.units_per_year[index]),
            colors.get(str(rival.owner), "k5"),
            f"{rival.name}: {wording.whole(rival.units_lost_per_year[index])} fewer because of the guest",
        )
        for rival in demand.rivals
    ]
    found.append(
        charts.Bar(guest, demand.peak_units_per_year, wording.whole(demand.peak_units_per_year), "brand", guest)
    )
    found.sort(key=lambda bar: (-bar.value, bar.label))
    shown = [bar for position, bar in enumerate(found) if position < rows or bar.label == guest]
    return picture(
        "rivals",
        f"The guest beside its rivals in {demand.peak_year}",
        "; ".join(f"{bar.label}: {bar.text}" for bar in shown),
        lambda width: charts.bars(width, shown),
        half=True,
    )


def segment(demand: DemandResult) -> Markup:
    """Return the guest's share of its segment by year."""
    series = (
        Series(
            "guest's share", [100 * share for share in demand.share], "brand", [float(year) for year in demand.years]
        ),
    )
    return picture(
        "segment",
        "Guest's share of the segment by year",
        "; ".join(
            f"{year}: {wording.percent(share, 1)}" for year, share in zip(demand.years, demand.share, strict=True)
        ),
        lambda width: charts.lines(
            width, series, y_title="% of the segment", x_title="year", height=240, whole_x=True, years=True
        ),
        half=True,
    )


# announcement


def abnormal_returns(announcement: AnnouncementResult) -> Markup:
    """Return every share's abnormal return with its interval, open where a price limit cut it."""
    spans = [
        charts.Span(
            f"{item.name}, {wording.short_date(item.date)}",
            item.low,
            item.abnormal_return,
            item.high,
            f"{item.abnormal_return * 100:+.1f} % (t {item.t_statistic:.2f})".replace("-", wording.MINUS)
            + (" limit" if item.bound else ""),
            "brand" if item.side == "brand" else "host",
            open_low=item.low is None,
            open_high=item.high is None,
        )
        for event in announcement.events
        for item in event.shares
    ]
    return picture(
        "abnormal-returns",
        "Abnormal returns with their intervals",
        "; ".join(f"{span.label}: {span.text}" for span in spans),
        lambda width: charts.dots(width, spans, title="abnormal return, %"),
    )


def market_beside_plan(
    comparison: Sequence[Comparison], names: Mapping[str, str], spreads: Mapping[str, FigureSpread | None]
) -> Markup:
    """Return what the market paid beside what the plan is worth, by side.

    Parameters
    ----------
    comparison
        Both values by side.
    names
        The companies' names by side.
    spreads
        Spread of each side's net present value, where there is one.
    """
    rows: list[charts.Span] = []
    for item in comparison:
        side = str(item.side)
        paid = f"{item.bound} {wording.money(item.implied_value_cny)}".strip()
        spread = spreads.get(side)
        rows.append(
            charts.Span(
                f"{names[side]}: the market paid",
                item.low_cny,
                item.implied_value_cny,
                item.high_cny,
                paid,
                side,
                open_low=item.low_cny is None,
                open_high=item.high_cny is None,
            )
        )
        rows.append(
            charts.Span(
                f"{names[side]}: the plan",
                spread.p10 if spread else None,
                item.npv_cny,
                spread.p90 if spread else None,
                wording.money(item.npv_cny),
                "joint",
                item.expected_value_cny,
            )
        )
    divisor, scale_name = wording.money_scale(
        *(value for row in rows for value in (row.low, row.middle, row.high)),
    )
    return picture(
        "market-beside-plan",
        "What the market paid beside what the plan is worth",
        "; ".join(f"{row.label}: {row.text}" for row in rows),
        lambda width: charts.ranges(width, rows, title=f"CNY {scale_name}".strip(), unit_divisor=divisor),
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


def yamazumi(
    line: LineBalance, fit: FitResult, programme: Programme, identifier: str, title: str, *, by_model: bool = False
) -> Markup:
    """Return one line's operators against takt; both lines of a fit share colours and scale.

    Parameters
    ----------
    line
        Either line of ``fit``.
    fit
        Both lines.
    programme
        Gives the names of segments and models.
    identifier, title
        Of the picture.
    by_model
        True draws every model's work beside the others'. Else each bar is the mix average of an operator's work, cut
        by what each model adds to it; the tick over it is the model that needs most time there.
    """
    segment_of = {station.station: station.segment for station in line.stations}
    bars = [
        (
            load.station,
            segment_of[load.station],
            load.load_s,
            load.load_s,
            f"{load.station}, operator {load.operator}" + (f" in {load.zone}" if load.zone else ""),
            load.weighted_load_s,
        )
        for load in line.operator_loads
    ]
    return _yamazumi(bars, line, fit, programme, identifier, title, by_model=by_model)


def station_yamazumi(
    line: LineBalance, fit: FitResult, programme: Programme, identifier: str, title: str, *, by_model: bool = False
) -> Markup:
    """Return one line's stations against takt: the work of an average operator of each, and how long a car stays busy.

    Parameters are those of :func:`yamazumi`; the tick over a bar is the longest stay of any model, waiting of the
    operators for each other included.
    """
    bars = [
        (
            use.station,
            use.segment,
            use.load_s,
            use.stay_s,
            f"{use.station}, {wording.plural(use.operators, 'operator')}, {wording.percent(use.idle_share)} idle",
            use.weighted_load_s,
        )
        for use in station_uses(line)
    ]
    return _yamazumi(bars, line, fit, programme, identifier, title, by_model=by_model)


def _yamazumi(
    bars: Sequence[tuple[str, str, Mapping[str, float], Mapping[str, float], str, float]],
    line: LineBalance,
    fit: FitResult,
    programme: Programme,
    identifier: str,
    title: str,
    *,
    by_model: bool,
) -> Markup:
    """Return a yamazumi chart of bars: station, segment, work and stay by model, name and average work."""
    colors = model_colors(fit.after.mix, fit.guest)
    names = {item.id: item.name for item in programme.plant.assembly.segment}
    notes = {
        names.get(use.segment, use.segment): f"{wording.plural(use.operators, 'operator')}, "
        f"{wording.percent(use.idle_share)} idle"
        for use in segment_uses(line)
    }
    built = [model for model in colors if line.mix.get(model)]
    posts = [
        charts.Post(
            station,
            names.get(segment, segment),
            [(load.get(model, 0.0), colors[model]) for model in built]
            if by_model
            else [(line.mix[model] * load.get(model, 0.0), colors[model]) for model in reversed(built)],
            None if by_model else max((stay[model] for model in built if model in stay), default=None),
            f"{name}: "
            + ", ".join(f"{model_name(programme, model)} {load.get(model, 0.0):.0f} s" for model in built)
            + f"; average {weighted:.0f} s",
            [stay.get(model, 0.0) for model in built] if by_model and stay is not load else (),
        )
        for station, segment, load, stay, name, weighted in bars
    ]
    peaks = [
        seconds
        for each in (fit.before, fit.after)
        for loads in ([load.load_s for load in each.operator_loads], [use.stay_s for use in station_uses(each)])
        for load in loads
        for model, seconds in load.items()
        if each.mix.get(model)
    ]
    top = max([*peaks, fit.before.takt_s, fit.after.takt_s], default=1.0) * 1.04
    return picture(
        identifier,
        title,
        f"{line.operators} operators at {line.stations_used} stations, takt {line.takt_s:.1f} s, idle "
        f"{wording.percent(line.idle_share)}.",
        lambda width: charts.yamazumi(
            width,
            posts,
            takt=line.takt_s,
            top=top,
            takt_text=f"takt {line.takt_s:.1f} s",
            notes=notes,
            side_by_side=by_model,
        ),
    )


def idle_by_model(line: LineBalance, programme: Programme) -> str:
    """Return in words how idle the operators are on each model."""
    return ", ".join(
        f"{model_name(programme, model)} {wording.percent(share)}" for model, share in idle_share_by_model(line).items()
    )


def trade_off(fit: FitResult) -> Markup:
    """Return operators against the resident tasks that may move."""
    points = fit.trade_off
    series = [
        Series(
            "operators with the guest",
            [float(point.operators) for point in points],
            "brand",
            [float(point.moved_tasks) for point in points],
        )
    ]
    return picture(
        "trade-off",
        "Operators against resident work elements moved",
        "; ".join(
            f"{wording.plural(point.moved_tasks, 'task')} moved: {wording.plural(point.operators, 'operator')}"
            for point in points
        ),
        lambda width: charts.lines(
            width,
            series,
            y_title="operators on a shift",
            x_title="resident work elements that change their station",
            whole_x=True,
            anchor_zero=False,
            dotted=True,
            references=[(float(fit.before.operators), f"{fit.before.operators} before the guest came")],
        ),
    )


def moves_by_station(fit: FitResult) -> list[dict[str, object]]:
    """Return for each station in line order what it gives away and what it takes over, in words."""
    order = [station.station for station in fit.after.stations]
    given: dict[str, list[MovedTask]] = {}
    taken: dict[str, list[MovedTask]] = {}
    for move in fit.moved_tasks:
        given.setdefault(move.from_station, []).append(move)
        taken.setdefault(move.to_station, []).append(move)
    return [
        {
            "station": station,
            "gives": sorted(given.get(station, []), key=lambda move: (order.index(move.to_station), move.task)),
            "takes": sorted(taken.get(station, []), key=lambda move: (order.index(move.from_station), move.task)),
        }
        for station in order
        if station in given or station in taken
    ]


# flow


# sequence

_PAINTS = ("white", "black", "grey", "silver", "blue", "red", "green", "beige", "brown", "yellow", "orange", "purple")
"""Paints that the style sheet knows as p0, p1 and so on; any other takes one of p12 to p15."""


def paint_classes(colours: Iterable[str]) -> dict[str, int]:
    """Return the number of the style sheet's paint for each colour of the programme, by its name.

    Examples
    --------
    >>> paint_classes(["hamilton-white", "gray", "sunset"])
    {'gray': 2, 'hamilton-white': 0, 'sunset': 12}
    """
    found: dict[str, int] = {}
    others = 0
    for colour in sorted(set(colours)):
        words = colour.lower().replace("gray", "grey")
        known = next((place for place, paint in enumerate(_PAINTS) if paint in words), None)
        if known is None:
            known = len(_PAINTS) + others % 4
            others += 1
        found[colour] = known
    return found


def build_order(day: SequenceResult, programme: Programme) -> Markup:
    """Return a day's build order: model, paint and broken rules car by car."""
    models = model_colors((model.id for model in programme.plant.model), programme.guest.id)
    paints = paint_classes(car.colour for car in day.order)
    cars = (
        [int(models[car.model][1:]) for car in day.order],
        [paints[car.colour] for car in day.order],
        [bool(car.broken) for car in day.order],
    )
    counts = day.counts
    return picture(
        "build-order",
        "A day's build order",
        f"{day.cars_per_day} cars; {counts.violated_windows} windows break a rule; "
        f"{counts.colour_changes} colour changes",
        lambda width: charts.strip(width, *cars, cell=9.0 if width > 700 else 7.0 if width > 400 else 6.0),
    )


def order_key(day: SequenceResult, programme: Programme) -> list[dict[str, str]]:
    """Return what the colours of the build order mean."""
    models = model_colors((model.id for model in programme.plant.model), programme.guest.id)
    names = {colour.id: colour.name for colour in programme.plant.sequence.colour}
    paints = paint_classes(car.colour for car in day.order)
    return [
        *(
            {
                "color": color,
                "label": model_name(programme, model) + (" (guest)" if model == programme.guest.id else ""),
            }
            for model, color in models.items()
            if model in day.cars_by_model
        ),
        *({"color": f"p{place}", "label": names.get(colour, colour)} for colour, place in paints.items()),
    ]


_SHOWN_OVER_ALLOWED = 2.5
"""The curve of work overload is shown up to so many times what the utility workers do: beyond it only rises."""
_WORST_STATIONS = 12


def overload_by_guest_share(day: SequenceResult) -> Markup:
    """Return work overload over the share of guest cars, with the shares from which on the line overloads."""
    load = day.load
    if load is None:
        return Markup("")
    allowed = load.utility_workers * load.takt_s
    points = [
        point
        for point in load.guest_shares
        if allowed == 0 or point.open_overload_s_per_car <= _SHOWN_OVER_ALLOWED * allowed
    ]
    shares = [100 * point.guest_share for point in points]

    def within(values: Iterable[float]) -> list[float | None]:
        return [value if allowed == 0 or value <= _SHOWN_OVER_ALLOWED * allowed else None for value in values]

    series = [
        Series("borders closed", within(point.closed_overload_s_per_car for point in points), "brand", shares),
        Series("borders open", within(point.open_overload_s_per_car for point in points), "host", shares),
        Series(
            "no order has less, closed",
            within(point.closed_lower_bound_s_per_car for point in points),
            "brand",
            shares,
            dashed=True,
        ),
        Series(
            "no order has less, open",
            within(point.open_lower_bound_s_per_car for point in points),
            "host",
            shares,
            dashed=True,
        ),
    ]
    answers = [answer for answer in load.answers if answer.utility_workers == load.utility_workers]
    planned = next((point.guest_share for point in load.guest_shares if point.guest_cars == load.guest_cars), None)
    marks = [
        (100 * answer.first_share, f"{answer.borders}: {wording.percent(answer.first_share)}")
        for answer in answers
        if answer.first_share is not None
    ]
    if planned is not None:
        marks.append((100 * planned, f"planned: {wording.percent(planned)}"))
    enough = [(allowed, wording.utility_workers(load.utility_workers))] if allowed > 0 else []
    return picture(
        "overload-curve",
        "Work overload over the share of guest cars",
        "; ".join(
            f"{wording.overload_question(answer)}: {wording.overload_answer(answer, day.cars_per_day)}"
            for answer in load.answers
        ),
        lambda width: charts.lines(
            width,
            series,
            y_title="work overload, seconds a car",
            x_title="guest cars, % of the day's cars",
            height=320,
            references=enough,
            upright=marks,
        ),
    )


def overloaded_stations(day: SequenceResult) -> Markup:
    """Return the stations with most work overload in the order found."""
    load = day.load
    worst = [item for item in load.stations if item.overload_s_per_day > 0][:_WORST_STATIONS] if load else []
    if not worst:
        return Markup("")
    items = [
        charts.Bar(
            item.station,
            item.overload_s_per_day,
            f"{wording.whole(item.overload_s_per_day)} s a day "
            f"({wording.whole(item.as_booked_overload_s_per_day)} as booked)",
            "brand",
        )
        for item in worst
    ]
    return picture(
        "overloaded-stations",
        "Work overload by station",
        "; ".join(f"{item.label}: {item.text}" for item in items),
        lambda width: charts.bars(width, items),
    )


def store_sizes(store: StoreResult) -> Markup:
    """Return what smaller and larger painted-body stores give in broken rules and colour changes."""
    names = [order_words.step_words(step, store.steps, short=True) for step in store.steps]
    series = [
        Series("colour changes", [step.objectives.colour_changes for step in store.steps], "k3"),
        Series("cars too many, high priority", [step.objectives.high_priority_excess for step in store.steps], "bad"),
        Series("cars too many, low priority", [step.objectives.low_priority_excess for step in store.steps], "k5"),
    ]
    overlay = []
    if store.disturbance is not None:
        overlay.append(
            Series(
                "high priority after paint repair",
                [step.disturbed.high_priority_excess if step.disturbed else None for step in store.steps],
                "ink",
                dashed=True,
            )
        )
    return picture(
        "store-sizes",
        "What a smaller or larger painted-body store gives",
        "; ".join(
            f"{order_words.step_words(step, store.steps)}: {order_words.objectives_words(step.objectives)}"
            for step in store.steps
        ),
        lambda width: charts.columns(
            width,
            names,
            series,
            y_title="a day",
            x_title="places (*: the plant's)" if store.lanes is None else "lanes × places (*: the plant's)",
            stacked=False,
            overlay=overlay,
        ),
    )


def store_step(step: StoreStep, steps: Sequence[StoreStep]) -> str:
    """Return the size of a store in words."""
    return order_words.step_words(step, steps)


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
        ("stopped by overload", "stopped_share", "k4"),
        ("without a car", "starved_share", "mute"),
    )
    rows = [(shop.name, [(getattr(shop, field), color, name) for name, field, color in parts]) for shop in flow.shops]
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
        Series("guest cars lost a week", result.guest_units_lost.tolist(), "bad", weeks, dashed=True),
    )
    return picture(
        "ramp-weeks",
        "Guest cars built, guest and resident cars lost by week",
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


# deal


def _years(deal: DealResult) -> list[str]:
    return [str(year) for year in deal.years]


def sales(deal: DealResult) -> Markup:
    """Return guest cars sold by year beside what is wanted and what the plant can build."""
    years = _years(deal)
    return picture(
        "sales",
        "Guest cars sold, wanted and possible by year",
        "; ".join(
            f"{year}: {wording.whole(units)} sold" for year, units in zip(years, deal.sales_units_by_year, strict=True)
        ),
        lambda width: charts.columns(
            width,
            years,
            [Series("sold", deal.sales_units_by_year.tolist(), "brand")],
            y_title="cars a year",
            overlay=(
                Series("wanted", deal.demand_units_by_year.tolist(), "k6", dashed=True),
                Series("the plant could build", deal.output_units_by_year.tolist(), "host"),
            ),
        ),
    )


def _scaled_series(label: str, values: Iterable[float], color: str, divisor: float, *, dashed: bool = False) -> Series:
    return Series(label, [float(value) / divisor for value in values], color, dashed=dashed)


def cash_flows(deal: DealResult, brand: str, host: str) -> Markup:
    """Return both sides' cash by year, and the same summed up."""
    years = _years(deal)
    parties = ((brand, deal.brand, "brand"), (host, deal.host, "host"))
    divisor, scale_name = wording.money_scale(
        *(float(value) for _, party, _ in parties for value in party.cumulative_cash_cny_by_year),
        *(float(value) for _, party, _ in parties for value in party.cash_cny_by_year),
    )
    flows = [_scaled_series(name, party.cash_cny_by_year, color, divisor) for name, party, color in parties]
    summed = [
        _scaled_series(f"{name}, summed up", party.cumulative_cash_cny_by_year, color, divisor)
        for name, party, color in parties
    ]
    return picture(
        "cash-flows",
        "Cash after tax by year, both sides",
        "; ".join(
            f"{year}: {brand} {wording.money(float(one))}, {host} {wording.money(float(other))}"
            for year, one, other in zip(years, deal.brand.cash_cny_by_year, deal.host.cash_cny_by_year, strict=True)
        ),
        lambda width: charts.columns(
            width,
            years,
            flows,
            y_title=f"CNY {scale_name} a year; lines: summed up",
            stacked=False,
            overlay=summed,
            height=300,
        ),
    )


def cash_lines(deal: DealResult, party: PartyResult, side: str, name: str) -> Markup:
    """Return what one side's cash is made of, year by year."""
    years = _years(deal)
    lines = [line for line in party.lines if np.any(line.cny_by_year)]
    divisor, scale_name = wording.money_scale(*(float(value) for line in lines for value in line.cny_by_year))
    series = [
        _scaled_series(line.name, line.cny_by_year, f"k{index % 8}" + (" mid" if index >= 8 else ""), divisor)
        for index, line in enumerate(lines)
    ]
    return picture(
        f"cash-lines-{side}",
        f"What {name}'s cash is made of",
        "Lines: " + "; ".join(line.name for line in lines) + ".",
        lambda width: charts.columns(width, years, series, y_title=f"CNY {scale_name} a year", height=320),
    )


def unit_cost(deal: DealResult) -> Markup:
    """Return what a car costs, item by item, beside what it brings in."""
    cost = deal.unit_cost
    steps = [
        charts.Bar(wording.label(name), value, wording.whole(value), "k5") for name, value in cost.items_cny.items()
    ]
    wholes = [
        charts.Bar("All costs", cost.total_cny, wording.whole(cost.total_cny), "joint"),
        charts.Bar("Net revenue", cost.net_revenue_cny, wording.whole(cost.net_revenue_cny), "good"),
        charts.Bar("Paid to the host", cost.transfer_to_host_cny, wording.whole(cost.transfer_to_host_cny), "host"),
    ]
    return picture(
        "unit-cost",
        "What a car costs, item by item",
        "; ".join(f"{bar.label}: CNY {bar.text}" for bar in (*steps, *wholes)),
        lambda width: charts.waterfall(width, steps, wholes),
    )


def own_plant(deal: DealResult, brand: str) -> Markup:
    """Return the brand's cash by year under the contract and with a plant of its own."""
    years = _years(deal)
    divisor, scale_name = wording.money_scale(
        *(float(value) for value in deal.brand.cash_cny_by_year),
        *(float(value) for value in deal.own_plant.cash_cny_by_year),
    )
    return picture(
        "own-plant",
        f"{brand}'s cash by year under the contract and with its own plant",
        "; ".join(
            f"{year}: {wording.money(float(one))} under the contract, {wording.money(float(other))} with its own plant"
            for year, one, other in zip(
                years, deal.brand.cash_cny_by_year, deal.own_plant.cash_cny_by_year, strict=True
            )
        ),
        lambda width: charts.columns(
            width,
            years,
            [
                _scaled_series("under the contract", deal.brand.cash_cny_by_year, "brand", divisor),
                _scaled_series("with its own plant", deal.own_plant.cash_cny_by_year, "own", divisor),
            ],
            y_title=f"CNY {scale_name} a year",
            stacked=False,
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
        (value, f"{name} {wording.fixed(value / divisor, 2 if divisor > 1 else 0)}")
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
    # An end at which there is no plan has no figure to draw.
    swings = [swing for swing in swings if swing[1] is not None and swing[2] is not None]
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
