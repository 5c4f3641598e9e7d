"""The answer to a plant file, as JSON values and as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coachbuilder.report import wording
from coachbuilder.report.jsonable import jsonable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from coachbuilder.plant.flow.answer import Estimate, MachineAnswer, PlantAnswer
    from coachbuilder.plant.flow.improve import Choice
    from coachbuilder.plant.flow.plant import Plant
    from coachbuilder.plant.flow.sensitivity import Sensitivity

MOST_ROWS = 20
"""Rows of a table in a terminal; ``--json`` has all."""

HOUR_S = 3600.0

_SHARES = ("utilisation", "blocked", "starved", "down", "set_up", "planned", "off", "stopped")


def plant_size(plant: Plant) -> dict[str, int]:
    """Return how large a plant is, in counts."""
    from coachbuilder.plant.flow.plant import Station

    stations = [item for item in plant.stations if isinstance(item, Station)]
    return {
        "stations": len(stations),
        "machines": sum(item.machines for item in stations),
        "moving lines": len(plant.stations) - len(stations),
        "buffers": len(plant.buffers),
        "places": sum(item.places for item in plant.buffers),
        "types": len(plant.types),
        "sources": len(plant.sources),
        "carriers": sum(item.carriers for item in plant.carriers),
    }


def plant_size_text(size: Mapping[str, int]) -> str:
    """Return the counts of :func:`plant_size` in a sentence."""
    counts = [wording.plural(count, name[:-1], name) for name, count in size.items() if count]
    return ", ".join(counts).replace(wording.HARD_SPACE, " ")


def plant_answer_document(answer: PlantAnswer, settings: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer as one JSON object.

    Parameters
    ----------
    answer
        The answer.
    settings
        What was asked: days, replications, seed and the like; with the plant file it gives the same answer again.
    run
        What cannot be repeated: when, how long, with which versions.
    """
    return {
        "throughput_per_hour": jsonable(answer.throughput_per_hour.mean),
        "ci95": jsonable(answer.throughput_per_hour.ci95),
        "standard_error": jsonable(answer.throughput_per_hour.standard_error),
        "models": [
            {"id": model.id, **_flat(model.throughput_per_hour, "throughput_per_hour")}
            | {"lead_time_s": jsonable(model.lead_time_s), "first_pass_yield": jsonable(model.first_pass_yield)}
            for model in answer.models
        ],
        "machines": [
            {"id": machine.id, "station": machine.station, "shop": machine.shop}
            | {name: jsonable(getattr(machine, name)) for name in _SHARES}
            | _flat(machine.jph, "jph")
            | {"active_period_s": jsonable(machine.active_period_s), "active_share": jsonable(machine.active_share)}
            for machine in answer.machines
        ],
        "buffers": jsonable(answer.buffers),
        "shops": [
            {**jsonable(shop), **_flat(shop.jph, "jph")}
            | {"jph_by_model": dict(zip((model.id for model in answer.models), shop.jph_by_model, strict=True))}
            for shop in answer.shops
        ],
        "places": jsonable(answer.places),
        "oee": jsonable(answer.oee),
        "bottleneck": jsonable(answer.bottleneck),
        **_flat(answer.work_in_progress_cars, "work_in_progress_cars"),
        **_flat(answer.lead_time_s, "lead_time_s"),
        "scrapped_share": jsonable(answer.scrapped_share),
        "conservation": {
            model.id: {
                "at_start": model.cars_at_start,
                "in": model.cars_in,
                "out": model.cars_out,
                "given_up": model.cars_given_up,
                "lost": model.cars_lost,
                "inside": model.cars_inside,
            }
            for model in answer.models
        },
        "standstill": answer.standstill,
        "warm_up_s": jsonable(answer.warm_up_s),
        "warm_up_rule": answer.warm_up_rule,
        "counted_s": jsonable(answer.counted_s),
        "replications": answer.replications,
        "engine": answer.engine,
        "events": answer.events,
        "conventions": list(answer.conventions),
        "remarks": list(answer.remarks),
        "hourly_output": jsonable(answer.hourly_output),
        "bin_s": jsonable(answer.bin_s),
        "settings": jsonable(settings),
        "run": jsonable(run),
    }


def _flat(estimate: Estimate | None, name: str) -> dict[str, Any]:
    """Return an estimate under its name, with its interval beside it."""
    if estimate is None:
        return {name: None, f"{name}_ci95": None}
    key = "ci95" if name == "throughput_per_hour" else f"{name}_ci95"
    return {name: jsonable(estimate.mean), key: jsonable(estimate.ci95)}


def plant_answer_view(answer: PlantAnswer, title: str, more: Mapping[str, Any]) -> RenderableType:
    """Return the answer as tables and sentences, to be printed by rich.

    Parameters
    ----------
    answer
        The answer.
    title
        Name of the plant.
    more
        What was asked for besides: sensitivity, improvement, trace (file, events, complete).
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [Text(title, style="bold"), Text("\n".join(_head(answer)))]
    if answer.standstill:
        parts.append(Text(f"\nStandstill: {answer.standstill}.", style="bold red"))
    for table in _tables(answer):
        parts.extend([Text(""), table])
    if "sensitivity" in more:
        parts.extend([Text(""), _sensitivity(more["sensitivity"])])
    if "improvement" in more:
        parts.append(Text(f"\n{_improvement(more['improvement'])}"))
    if "trace" in more:
        cut = "" if more["trace"]["complete"] else "; the run had more than fit"
        parts.append(Text(f"\nWritten: {more['trace']['file']}, {more['trace']['events']:,} events{cut}"))
    parts.append(Text("\n" + "\n".join(["Conventions", *(f"  {line}" for line in answer.conventions)])))
    return Group(*parts)


def _head(answer: PlantAnswer) -> Iterator[str]:
    rate = answer.throughput_per_hour
    runs = wording.plural(answer.replications, "run")
    yield f"{_estimate(rate, 2)} cars an hour (95 %), {runs} of {_span(answer.counted_s)} each"
    yield f"Warm-up of {_span(answer.warm_up_s)} cut off ({answer.warm_up_rule})"
    if any(machine.off > 0.0 for machine in answer.machines):
        yield f"Hours of the plant's clock, day and night: {wording.fixed(24 * rate.mean, 1)} cars a day on average"
    if not answer.standstill:
        yield from _bottleneck(answer)
    yield f"Work in progress: {_estimate(answer.work_in_progress_cars, 1)} cars"
    if answer.lead_time_s is not None:
        lead = answer.lead_time_s
        error = "" if lead.ci95 is None else f" ± {wording.fixed(lead.ci95 / HOUR_S, 2)}"
        yield f"Lead time: {wording.fixed(lead.mean / HOUR_S, 2)}{error} h"
    if answer.scrapped_share > 0.0:
        yield f"Scrapped: {wording.percent(answer.scrapped_share, 2)} of the cars"
    yield f"Computed by the {answer.engine}, {answer.events:,} events"
    yield from answer.remarks


def _bottleneck(answer: PlantAnswer) -> Iterator[str]:
    neck = answer.bottleneck
    if neck.margin > 0.0:
        more = wording.percent(neck.margin, 1)
        yield f"Bottleneck: {neck.machine}; active {more} more of the time than any other station"
    else:
        yield f"Bottleneck: {neck.machine or 'none'}, undecided: other stations are as active"
    rules = (("longest active period", neck.longest_active_period), ("arrows", neck.arrows))
    others = [f"by {rule} {station}" for rule, station in rules if station not in ("", neck.station)]
    if others:
        yield f"Other rules see it elsewhere: {', '.join(others)}"


def _tables(answer: PlantAnswer) -> Iterator[RenderableType]:
    if len(answer.models) > 1 or any(model.first_pass_yield is not None for model in answer.models):
        yield _table(
            "Models",
            ("model", "cars an hour", "first pass", "lead time, h", "in", "out", "scrapped", "lost", "inside"),
            [
                (
                    model.id,
                    _estimate(model.throughput_per_hour, 2),
                    wording.percent(model.first_pass_yield, 1),
                    _hours(model.lead_time_s),
                    *(f"{count:,}" for count in (model.cars_in, model.cars_out, model.cars_given_up)),
                    *(f"{count:,}" for count in (model.cars_lost, model.cars_inside)),
                )
                for model in answer.models
            ],
        )
    if len(answer.shops) < len(answer.oee):
        yield _table(
            "Shops",
            ("shop", "cars an hour", "at work", "blocked", "starved", "down"),
            [
                (
                    shop.name or shop.id,
                    _estimate(shop.jph, 2),
                    *(
                        wording.percent(getattr(shop, name), 1)
                        for name in ("utilisation", "blocked", "starved", "down")
                    ),
                )
                for shop in answer.shops
            ],
        )
    yield _machine_table(answer)
    if answer.buffers:
        fullest = sorted(answer.buffers, key=lambda buffer: -buffer.mean_level)
        yield _table(
            "Buffers, those with most cars first",
            ("buffer", "in front of", "cars", "places"),
            [
                (buffer.id, buffer.to, _plus_minus(buffer.mean_level, buffer.ci95, 2), f"{buffer.places:,}")
                for buffer in fullest
            ],
        )
    overloaded = [place for place in answer.places if place.overload_s_per_car >= 0.005]
    overloaded.sort(key=lambda place: -place.overload_s_per_car)
    if overloaded:
        yield _table(
            "Overload, s a car",
            ("station", "overload", "by utility workers", "line stopped"),
            [
                (
                    place.id,
                    wording.fixed(place.overload_s_per_car, 2),
                    wording.fixed(place.utility_s_per_car, 2),
                    wording.fixed(place.stop_s_per_car, 2),
                )
                for place in overloaded
            ],
        )


def _machine_table(answer: PlantAnswer) -> RenderableType:
    names = {
        "utilisation": "at work",
        "blocked": "blocked",
        "starved": "starved",
        "down": "down",
        "set_up": "set-up",
        "planned": "planned",
        "off": "off shift",
        "stopped": "stopped",
    }
    always = ("utilisation", "blocked", "starved", "down")
    shown = [
        name for name in names if name in always or any(getattr(machine, name) > 0.0 for machine in answer.machines)
    ]

    def row(machine: MachineAnswer) -> tuple[str, ...]:
        shares = (wording.percent(getattr(machine, name), 1) for name in shown)
        period = wording.fixed(machine.active_period_s, 0)
        return (
            machine.id,
            wording.fixed(machine.jph.mean, 2),
            *shares,
            period,
            wording.percent(oee[machine.station], 1),
        )

    oee = {station.station: station.oee for station in answer.oee}

    by_activity = sorted(answer.machines, key=lambda machine: -machine.active_share)
    chosen = answer.machines if len(answer.machines) <= MOST_ROWS else by_activity
    title = "Machines" if len(answer.machines) <= MOST_ROWS else "Machines, the most active first"
    headings = ("machine", "cars an hour", *(names[name] for name in shown), "active period, s", "OEE")
    return _table(title, headings, [row(machine) for machine in chosen])


def _sensitivity(found: Sensitivity) -> RenderableType:
    return _table(
        "What is worth how many cars an hour",
        ("station", "one second less", "one point of availability more", "a second is worth most here"),
        [
            (
                item.station,
                _estimate(item.second_less_per_hour, 3),
                wording.NOTHING if item.point_more_per_hour is None else _estimate(item.point_more_per_hour, 3),
                wording.probability(item.chance_first),
            )
            for item in found.stations
        ],
    )


def _improvement(choice: Choice) -> str:
    rate = f"{_estimate(choice.throughput_per_hour, 2)} cars an hour"
    if not choice.reaches:
        return f"Improvement: not even all changes reach the rate; they make {rate}"
    if not choice.changes:
        return f"Improvement: none is needed, the plant makes {rate}"
    search = "" if choice.whole_search else "; the search ended before all cheaper sets were ruled out"
    return (
        f"Improvement: {', '.join(choice.changes)}, cost {wording.number(choice.cost, 6)}, make {rate}; "
        f"{wording.probability(choice.chance_right)} likely that no cheaper set does{search}"
    )


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> RenderableType:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    left_out = len(rows) - MOST_ROWS
    caption = Text(f"{left_out:,} more: --json has all") if left_out > 0 else None
    table = Table(
        box=SIMPLE_HEAD,
        title=Text(title),
        title_justify="left",
        caption=caption,
        caption_justify="left",
        pad_edge=False,
    )
    for column, heading in enumerate(headings):
        table.add_column(Text(heading), justify="right" if column else "left")
    for row in rows[:MOST_ROWS]:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _estimate(estimate: Estimate, decimals: int) -> str:
    return _plus_minus(estimate.mean, estimate.ci95, decimals)


def _plus_minus(mean: float, ci95: float | None, decimals: int) -> str:
    error = "" if ci95 is None else f" ± {wording.fixed(ci95, decimals)}"
    return f"{wording.fixed(mean, decimals)}{error}"


def _hours(time_s: float | None) -> str:
    return wording.fixed(None if time_s is None else time_s / HOUR_S, 2)


def _span(time_s: float) -> str:
    """Return a long time in the unit that suits it.

    Examples
    --------
    >>> _span(7200.0), _span(30 * 86400.0)
    ('2 h', '30 days')
    """
    if time_s >= 2 * 24 * HOUR_S:
        return f"{time_s / (24 * HOUR_S):.4g} days"
    return f"{time_s / HOUR_S:.3g} h"


__all__ = ["plant_answer_document", "plant_answer_view", "plant_size", "plant_size_text"]
