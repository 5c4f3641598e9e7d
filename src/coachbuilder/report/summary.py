"""Plain sentences for the terminal: the plan's answers, and one stage's in short."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from coachbuilder.report import wording
from coachbuilder.report.order_words import objectives_words, step_words, store_words
from coachbuilder.report.parties_words import parties_lines

if TYPE_CHECKING:
    from coachbuilder.deal.interface import DealResult
    from coachbuilder.market.announcement.interface import AnnouncementResult
    from coachbuilder.market.demand.interface import DemandResult
    from coachbuilder.plan import Plan
    from coachbuilder.plant.balance.edited import EditedLine
    from coachbuilder.plant.balance.interface import FitResult, LineBalance
    from coachbuilder.plant.flow.interface import FlowResult
    from coachbuilder.plant.flow.validation import FlowValidation
    from coachbuilder.plant.sequence.interface import SequenceResult
    from coachbuilder.risk.interface import RiskResult
    from coachbuilder.vehicle.interface import CycleResult, VehicleResult
    from coachbuilder.vehicle.search import Design, SearchResult
    from coachbuilder.vehicle.validation import Validation


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that the plan answers, and the answer."""

    question: str
    """The question."""
    text: str
    """The answer in a sentence or two, with its range where draws were made."""


_WORST_STATIONS = 5


def answers(plan: Plan, risk: RiskResult | None) -> tuple[Answer, ...]:
    """Return the plan's answers in plain sentences.

    Parameters
    ----------
    plan
        The plan.
    risk
        Its spreads; None leaves the ranges out.
    """
    from coachbuilder.report.page import Claims, Spreads

    spreads = Spreads(risk)
    brand, host = plan.programme.document.brand.name, plan.programme.document.host.name

    def ranged(text: str, name: str, *, bare: bool = False) -> str:
        words = spreads.numbers(name) if bare else spreads.words(name)
        return f"{text} ({words})" if words else text

    fit, flow, deal = plan.fit, plan.flow, plan.deal
    possible = wording.whole(flow.guest_capacity_units_per_year)
    found = [
        Answer(
            "Can the host's plant build the car beside its own models?",
            f"{_added(fit.operators_added)} a shift, {wording.whole(fit.after.operators)} in all at "
            f"{wording.whole(fit.after.stations_used)} stations, takt {wording.fixed(fit.after.takt_s, 1)} s "
            f"instead of {wording.fixed(fit.before.takt_s, 1)} s; {len(fit.moved_tasks)} of {fit.resident_tasks} "
            "resident work elements move.",
        ),
        Answer(
            "At what rate, and from when?",
            f"{ranged(possible, 'guest_capacity_units_per_year', bare=True)} guest cars "
            f"a year for {wording.whole(plan.planned_guest_units_per_year)} planned; "
            f"{ranged(wording.number(flow.jph), 'plant_jph', bare=True)} cars an hour of all models; limited by "
            f"{flow.bottleneck_name.lower()}. Production for sale from "
            f"{wording.date(plan.timing.start_of_production_date)}.",
        ),
        Answer(
            "At what cost a car?",
            f"{ranged(wording.money(deal.unit_cost.total_cny), 'unit_cost_cny')}, against "
            f"{wording.money(deal.unit_cost.net_revenue_cny)} of net revenue.",
        ),
        Answer(
            "Who earns what?",
            f"{brand}: {ranged(wording.money(deal.brand.npv_cny), 'brand_npv_cny')}. "
            f"{host}: {ranged(wording.money(deal.host.npv_cny), 'host_npv_cny')}. "
            f"With an own plant instead {brand}: {ranged(wording.money(deal.own_plant.npv_cny), 'own_plant_npv_cny')}.",
        ),
    ]
    load = plan.sequence.load
    if load is not None:
        cars = plan.sequence.cars_per_day
        helped = [answer for answer in load.answers if answer.utility_workers == load.utility_workers]
        found.insert(
            1,
            Answer(
                "From which share of guest cars on does its line overload?",
                " ".join(
                    f"{wording.overload_question(answer)}: {wording.overload_answer(answer, cars)}."
                    for answer in helped
                )
                + f" Planned: {wording.percent(plan.fit.after.mix[plan.fit.guest])}, with "
                f"{wording.fixed(load.found.overload_s_per_car, 1)} s a car left for utility workers in the day's "
                f"order (borders {load.borders}).",
            ),
        )
    if plan.comparison:
        found.append(
            Answer(
                "Is that what the market paid for the news?",
                " ".join(
                    f"{brand if item.side == 'brand' else host}: {wording.typeset(item.sentence)}"
                    for item in plan.comparison
                ),
            )
        )
    claims = Claims.of(plan, risk)
    if claims.switch is not None:
        chance = wording.probability(claims.switch.probability)
        text = f"“{claims.switch.claim}” ({claims.switch.kind}; probability {chance})."
        if claims.worst is not None:
            left = claims.worst.joint_npv_if_false_cny
            text += f" Next “{claims.worst.claim}” ({claims.worst.kind}): if that is false "
            text += "no car is left as planned." if left is None else f"the two together have {wording.money(left)}."
        found.append(Answer("Which unproven claim does that rest on?", text))
    return tuple(found)


def stage_summary(name: str, result: Any) -> str:
    """Return one stage's result in a few lines.

    Parameters
    ----------
    name
        The command: vehicle, fit (edited for a line from a sheet), sequence, flow, market or deal.
    result
        What the stage answered; for market a mapping of demand and announcement.
    """
    writers: Mapping[str, Callable[[Any], Iterator[tuple[str, str]]]] = {
        "vehicle": _vehicle,
        "cycle": _cycle,
        "search": _search,
        "validation": _validation,
        "flow validation": _flow_validation,
        "fit": _fit,
        "edited": _edited,
        "sequence": _sequence,
        "flow": _flow,
        "market": _market,
        "parties": parties_lines,
        "deal": _deal,
    }
    lines = list(writers[name](result))
    widest = max(len(label) for label, _ in lines)
    return "\n".join(f"{label:<{widest}}  {text}" for label, text in lines)


def _added(operators: int) -> str:
    return f"Yes, with {abs(operators)} operators {'more' if operators >= 0 else 'fewer'}"


def _vehicle(car: VehicleResult) -> Iterator[tuple[str, str]]:
    yield "Car", car.name
    yield "Mass", wording.with_unit(car.curb_mass_kg, "kg", 4)
    yield (
        "Battery",
        f"{wording.with_unit(car.gross_kwh, 'kWh')} gross, {wording.with_unit(car.usable_kwh, 'kWh')} usable",
    )
    for cycle in car.cycles:
        yield (
            cycle.name,
            f"{wording.number(cycle.battery_kwh_per_100km)} kWh/100 km out of the battery, "
            f"{wording.number(cycle.ac_kwh_per_100km)} from the wall",
        )
    yield "EPA label range", wording.with_unit(car.epa_label_range_km, "km")
    yield "WLTP range", wording.with_unit(car.wltp_range_km, "km")
    yield "CLTC range", wording.with_unit(car.cltc_range_km, "km")
    yield f"Range at {wording.number(car.temperature_c)} °C", wording.with_unit(car.range_in_use_km, "km")
    for rating in car.ratings:
        yield (
            rating.procedure,
            f"{wording.with_unit(rating.range_km, 'km')}, {wording.number(rating.wall_kwh_per_100km)} kWh/100 km "
            "from the wall",
        )
    yield (
        "0 to 100 km/h",
        f"{wording.with_unit(car.zero_to_100_s, 's')}; to 60 mph {wording.with_unit(car.zero_to_60_mph_s, 's')}; "
        f"80 to 120 km/h {wording.with_unit(car.eighty_to_120_s, 's')}",
    )
    yield "Top speed", wording.with_unit(car.top_speed_kmh, "km/h")
    yield "Steepest start", wording.percent(car.launch_grade)
    yield (
        "Charge 10 to 80 %",
        f"{wording.with_unit(car.charge_10_80_min, 'min')}, up to {wording.with_unit(car.charge_peak_kw, 'kW')}; "
        f"from the wall {wording.with_unit(car.ac_charge_h, 'h')}",
    )
    for check in car.targets:
        verdict = "met" if check.met else "MISSED"
        yield (
            f"Target: {check.name}",
            f"{wording.measured(check.target)}, reached {wording.measured(check.reached)}: {verdict}",
        )
    yield "Parts", wording.money(car.parts_cost_cny)
    for warning in car.warnings:
        yield "Warning", warning


_TARGET_UNITS = {"range": "km", "0-100 km/h": "s", "top speed": "km/h", "curb mass": "kg", "parts cost": "CNY"}


def _search(found: SearchResult) -> Iterator[tuple[str, str]]:
    yield (
        "Asked for",
        ", ".join(
            f"{target} {wording.with_unit(value, _TARGET_UNITS.get(target, ''), 4)}"
            for target, value in found.targets.asked.items()
        ),
    )
    yield "The programme's car", _design(found.own)
    for miss in found.own_misses:
        yield "", f"misses {miss}"
    if found.cheapest is not None:
        yield "The cheapest car", _design(found.cheapest)
        saved = found.own.parts_cost_cny - found.cheapest.parts_cost_cny
        yield "", f"{wording.money(abs(saved))} {'less' if saved >= 0 else 'more'} than the programme's"
    if found.nearest is not None:
        yield "No car does it", str(found.nearest)
    yield "Looked at", f"{found.designs_evaluated:,} designs"
    yield "", ""
    yield "Range against cost", "the cheapest cars that meet the targets for acceleration and mass"
    for design in found.pareto:
        yield wording.with_unit(design.range_km, "km"), _design(design)


def _design(design: Design) -> str:
    return (
        f"{wording.money(design.parts_cost_cny)}: {wording.number(design.gross_kwh)} kWh {design.chemistry.value}, "
        f"{wording.number(design.peak_kw)} kW, gear {wording.number(design.gear_ratio)}, "
        f"{wording.with_unit(design.curb_mass_kg, 'kg', 4)}, {wording.with_unit(design.range_km, 'km')}, "
        f"0 to 100 km/h {wording.with_unit(design.zero_to_100_s, 's')}"
    )


def _cycle(driven: CycleResult) -> Iterator[tuple[str, str]]:
    yield "Trace", f"{driven.name}: {wording.number(driven.distance_km)} km in {wording.whole(driven.duration_s)} s"
    yield "Out of the cells", wording.with_unit(driven.battery_kwh_per_100km, "kWh/100 km")
    yield "At the battery", wording.with_unit(driven.terminal_kwh_per_100km, "kWh/100 km")
    yield "From the wall", wording.with_unit(driven.ac_kwh_per_100km, "kWh/100 km")
    yield "Given back", wording.with_unit(driven.regenerated_kwh_per_100km, "kWh/100 km")
    if driven.trace_missed_s:
        yield (
            "Warning",
            f"the car cannot follow the trace for {driven.trace_missed_s} s, up to "
            f"{wording.with_unit(driven.missing_kw, 'kW')} lack: the limit is {driven.missing_from}",
        )


def _validation(found: Validation) -> Iterator[tuple[str, str]]:
    yield "Cars", f"{found.cars}, {len(found.rows)} tests"
    yield (
        "Absolute error",
        f"median {wording.percent(found.median_abs_error, 1)}, 90 % within {wording.percent(found.p90_abs_error, 1)}",
    )
    yield "80 % interval", f"holds {wording.percent(found.coverage)} of the tests"
    yield "", ""
    yield "Car", f"{'cycle':6} {'measured':>9} {'predicted':>9} {'interval':>13} {'error':>7}  kWh/100 km from the wall"
    for row in found.rows:
        interval = f"{row.low_kwh_per_100km:.1f} to {row.high_kwh_per_100km:.1f}"
        kin = "" if row.sibling is None else f"  calibrated on {row.sibling}"
        yield (
            f"{row.make} {row.model} {row.vehicle_id}/{row.configuration}",
            f"{row.cycle:6} {row.measured_kwh_per_100km:9.2f} {row.predicted_kwh_per_100km:9.2f} {interval:>13} "
            f"{100 * row.error:+6.1f}%{kin}",
        )
    yield "", ""
    reasons: dict[str, list[int]] = {}
    for item in found.left_out:
        reasons.setdefault(item.why, []).append(item.row)
    for why, rows in sorted(reasons.items(), key=lambda item: -len(item[1])):
        yield (
            f"Left out: {wording.plural(len(rows), 'row')}",
            f"{why.removeprefix('left out: ')} (line {', '.join(map(str, rows))})",
        )


def _flow_validation(found: FlowValidation) -> Iterator[tuple[str, str]]:
    yield "Lines", f"{found.cases}, 95 % half widths at most {wording.percent(found.largest_half_width_share, 2)}"
    yield "Largest z-score", f"{found.max_abs_z:.2f}"
    yield (
        "Chi-square",
        f"{found.chi2:.1f} with {found.cases} degrees of freedom; chance of more by luck alone "
        f"{wording.percent(found.chi2_p, 1)}",
    )
    yield "", ""
    yield "File line", f"{'exact':>9} {'simulated':>10} {'half width':>11} {'z':>6}  rates; buffers"
    for row in found.rows:
        rates, buffers = (" ".join(f"{item:g}" for item in items) for items in (row.rates_per_time, row.buffers))
        yield (
            str(row.line),
            f"{row.throughput_exact:9.5f} {row.throughput:10.5f} {row.ci95:11.5f} {row.z:+6.2f}  {rates}; {buffers}",
        )


def _fit(fit: FitResult) -> Iterator[tuple[str, str]]:
    yield "Before the guest", _line(fit.before)
    yield "With the guest", _line(fit.after)
    hours = ", ".join(f"{model} {wording.number(value)}" for model, value in fit.hours_per_car.items())
    yield "Hours a car by model", hours
    yield "Resident work elements moved", f"{len(fit.moved_tasks)} of {fit.resident_tasks}"
    if fit.moved_tasks:
        yield "", "each in words: in the report, with --json, on the sheet Moves of --sheet"
    yield "Work elements of the guest alone", str(fit.guest_only_tasks)
    yield from _curve(fit)


def _line(line: LineBalance) -> str:
    return (
        f"takt {wording.fixed(line.takt_s, 1)} s, {line.stations_used} stations, {line.operators} operators "
        f"(at least {line.operators_lower_bound}), {wording.percent(line.idle_share)} idle, "
        f"{wording.number(line.mean_direct_hours_per_car)} h a car"
    )


def _curve(fit: FitResult) -> Iterator[tuple[str, str]]:
    """Say what fewer moves cost, and what the reader should know."""
    # More moves that change nothing are no point of their own.
    points = [
        point
        for place, point in enumerate(fit.trade_off)
        if not place or replace(point, moves_allowed=0) != replace(fit.trade_off[place - 1], moves_allowed=0)
    ]
    for place, point in enumerate(points):
        moved = wording.plural(point.moved_tasks, "task")
        yield (
            "Moves against operators" if not place else "",
            f"with {moved} moved ({wording.whole(point.moved_s)} s of work): "
            f"{wording.plural(point.operators, 'operator')} at {wording.plural(point.stations, 'station')}",
        )
    for place, remark in enumerate(fit.remarks):
        yield "Remarks" if not place else "", remark


_LONGEST_LIST = 20
"""Lines of a list that a terminal is asked to show; --json has all of them."""


def _edited(edited: EditedLine) -> Iterator[tuple[str, str]]:
    yield "Today's line as on the sheet" if edited.today else "The line as on the sheet", _line(edited.line)
    yield from _listed("Rules that it breaks", edited.violations or ("none",))
    yield from _listed("Tasks without a place", edited.unplaced)
    for place, remark in enumerate(edited.remarks):
        yield "About the sheet" if not place else "", remark
    fit = edited.fit
    yield "With the guest, from there" if edited.today else "Balanced again from there", _line(fit.after)
    yield "Tasks that move", f"{len(fit.moved_tasks)} of {fit.resident_tasks}"
    yield from _listed("", [move.says for move in fit.moved_tasks])
    yield from _curve(fit)


def _listed(label: str, items: Sequence[str]) -> Iterator[tuple[str, str]]:
    for place, item in enumerate(items[:_LONGEST_LIST]):
        yield label if not place else "", item
    if len(items) > _LONGEST_LIST:
        yield "", f"and {len(items) - _LONGEST_LIST} more; --json has all of them"


def _sequence(day: SequenceResult) -> Iterator[tuple[str, str]]:
    yield "Cars", f"{day.cars_per_day}: " + ", ".join(f"{count} {model}" for model, count in day.cars_by_model.items())
    for label, counts in (("As booked", day.as_booked), ("Sequenced", day.counts)):
        yield (
            label,
            f"{wording.whole(counts.high_priority_excess)} cars too many at high priority, "
            f"{wording.whole(counts.low_priority_excess)} at low, "
            f"{wording.whole(counts.colour_changes)} colour changes",
        )
    yield "Colour changes, at least", wording.whole(day.colour_changes_lower_bound)
    yield from _load(day)
    yield "Cars in the longest colour batch", f"{day.counts.longest_batch_cars} (limit {day.longest_batch})"
    for rule in day.counts.rules:
        yield (
            f"{rule.at_most} of {rule.out_of}: {rule.name}",
            f"{rule.cars} cars, {wording.percent(rule.utilisation)} of what the rule can take, "
            f"{rule.violated_windows} windows broken",
        )
    yield from _places_and_store(day)
    yield "First cars", ", ".join(f"{car.model} {car.colour}" for car in day.order[:8])


def _load(day: SequenceResult) -> Iterator[tuple[str, str]]:
    load = day.load
    if load is None:
        return
    yield "Work overload, as booked", wording.overload(load.as_booked)
    yield "Work overload, sequenced", wording.overload(load.found)
    least = f"{wording.fixed(load.overload_lower_bound_s_per_car, 1)} s a car (borders {load.borders})"
    yield "Work overload, at least", least
    worst = [item for item in load.stations if item.overload_s_per_day > 0][:_WORST_STATIONS]
    if worst:
        yield (
            "Stations with most of it",
            ", ".join(f"{item.station} {wording.whole(item.overload_s_per_day)} s a day" for item in worst),
        )
    levels = (load.as_booked.level_load, load.found.level_load, load.level_load_least)
    yield (
        "Product-rate variation",
        "{} as booked, {} sequenced, at least {} (squared cars)".format(*(wording.whole(value) for value in levels)),
    )
    for answer in load.answers:
        yield wording.overload_question(answer), wording.overload_answer(answer, day.cars_per_day)


def _places_and_store(day: SequenceResult) -> Iterator[tuple[str, str]]:
    withdrawn = [f"{car.car} {car.model}" + (f": {car.reason}" if car.reason else "") for car in day.withdrawn]
    yield from _listed("Withdrawn, not built today", withdrawn)
    if day.fixed_places is not None:
        places = day.fixed_places
        yield (
            "Places not free",
            f"{places.frozen_cars} frozen at the head, {places.late_cars} late, {places.due_cars} due; against the "
            f"free order they cost {objectives_words(places.loss)}, the head alone "
            f"{objectives_words(places.loss_of_head)}{_left_out(day)}",
        )
    if day.store is None:
        return
    store = day.store
    forward = f"a car can come {store.farthest_ahead_cars} places forward"
    yield "Painted-body store", f"{store_words(store)}; {forward}{_left_out(day)}"
    yield "  built as painted" if store.paint_given else "  one order for both shops", objectives_words(store.one_order)
    yield "  with the store", objectives_words(store.planned)
    for step in store.steps:
        outside = f"; {wording.plural(step.cars_outside_places, 'car')} outside their places"
        yield (
            f"  {step_words(step, store.steps)}",
            f"loses {objectives_words(step.loss)}{outside if step.cars_outside_places else ''}",
        )
    if store.disturbance is not None:
        repair = store.disturbance
        yield (
            "  after paint repair",
            f"{repair.repaired_cars} bodies {repair.repair_delay_cars} places late; as delivered "
            f"{objectives_words(repair.loss_as_delivered)} more than planned, nearest to the plan "
            f"{objectives_words(repair.loss_nearest)}, put in order {objectives_words(repair.loss_resequenced)}",
        )
    if store.cars_outside_places:
        yield "  cars outside their places", str(store.cars_outside_places)


def _left_out(day: SequenceResult) -> str:
    return "; in rules and colours alone, load left out" if day.load_ranked else ""


def _flow(flow: FlowResult) -> Iterator[tuple[str, str]]:
    error = "" if flow.jph_ci95 is None else f" ± {wording.fixed(flow.jph_ci95, 2)} (95 %)"
    yield "Cars an hour", f"{wording.fixed(flow.jph, 2)}{error}, {wording.fixed(flow.planned_jph, 2)} planned"
    yield "Bottleneck", flow.bottleneck_name
    yield (
        "Guest cars a year",
        f"{wording.whole(flow.guest_units_per_year)} built, "
        f"{wording.whole(flow.guest_capacity_units_per_year)} possible",
    )
    yield "Host's own cars lost a year", wording.whole(flow.resident_units_lost_per_year)
    weeks = flow.ramp.weeks_to_rate
    yield "Weeks to full rate", "not reached" if weeks is None else str(weeks)
    if flow.line_stop_s_per_car:
        yield (
            "Assembly stopped by overload",
            f"{wording.fixed(flow.line_stop_s_per_car, 1)} s a car in the segment that stops most",
        )
    launches = [(flow.ramp.conversion, flow.ramp.guest_units_first_year, flow.ramp.resident_units_lost_total)]
    launches += [
        (item.conversion, item.guest_units_first_year, item.resident_units_lost_total)
        for item in flow.ramp_alternatives
    ]
    for conversion, first_year, lost in launches:
        yield (
            f"Launch, {conversion or 'no conversion'}" if flow.ramp_alternatives else "Launch",
            f"{wording.whole(first_year)} guest cars in the first year, {wording.whole(lost)} of the host's lost",
        )


def _market(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    demand: DemandResult = result["demand"]
    announcement: AnnouncementResult = result["announcement"]
    for year, units, price in zip(demand.years, demand.units_per_year, demand.price_cny, strict=True):
        yield str(year), f"{wording.whole(units)} cars wanted at {wording.money(price)}"
    for value in announcement.implied_values:
        yield (
            f"Market paid, {value.side}",
            f"{value.bound} {wording.money(value.implied_value_cny)}".strip(),
        )
    yield "Announcement", announcement.verdict


def _deal(deal: DealResult) -> Iterator[tuple[str, str]]:
    for label, party in (("Brand", deal.brand), ("Host", deal.host)):
        note = f" ({party.irr_note})" if party.irr_note else ""
        rates = f"internal rate of return {wording.roots(party.irr_shares)}{note}"
        yield f"{label}, net present value", f"{wording.money(party.npv_cny)}; {rates}"
    yield "Both together", wording.money(deal.joint.npv_cny)
    yield from _clauses(deal)
    yield "Own plant instead, brand", wording.money(deal.own_plant.npv_cny)
    yield "Unit cost", wording.money(deal.unit_cost.total_cny)
    for name, value in deal.unit_cost.items_cny.items():
        yield f"  {name}", wording.money(value)
    if deal.break_even is not None:
        sides = (("brand", deal.break_even.brand_units_per_year), ("host", deal.break_even.host_units_per_year))
        for side, units in sides:
            yield f"Break-even, {side}", "none found" if units is None else f"{wording.whole(units)} cars a year"
        if deal.break_even.note:
            yield "Break-even", deal.break_even.note
    if deal.owed_if_nothing_sells_cny is not None:
        yield "Owed to the host if nothing sells", wording.money(deal.owed_if_nothing_sells_cny)


def _clauses(deal: DealResult) -> Iterator[tuple[str, str]]:
    for clause in deal.clauses:
        sides = f"brand {wording.money(clause.brand_value_cny)}, host {wording.money(clause.host_value_cny)}"
        yield f"  {clause.id} ({clause.kind})", sides
    if deal.leaving is not None:
        most, last = (float(owed) for owed in (deal.leaving.owed_cny.max(), deal.leaving.owed_cny[-1]))
        yield "Owed on leaving", f"at most {wording.money(most)}, {wording.money(last)} in the last month"


__all__ = ["Answer", "answers", "stage_summary"]
