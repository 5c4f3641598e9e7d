"""The workbook: every table of the plan as numbers that a spreadsheet can go on with, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coachbuilder.plant.balance.use import idle_share, station_uses
from coachbuilder.programme.units import unit_of
from coachbuilder.report import wording, workbook_claims, workbook_contract
from coachbuilder.report.cells import Column, Number, Sheet, column, exact, number_format, rows_of
from coachbuilder.report.order_words import step_words
from coachbuilder.report.writing import write_whole

if TYPE_CHECKING:
    from coachbuilder.plan import Plan
    from coachbuilder.risk.examination import Examination
    from coachbuilder.risk.interface import RiskResult


def write_workbook(
    plan: Plan, risk: RiskResult | None, path: Path, run: Mapping[str, Any], examination: Examination | None = None
) -> None:
    """Write the tables of a plan as an Excel workbook.

    Parameters
    ----------
    plan
        The plan.
    risk
        Its spreads; None leaves the sheet on risk empty but for a line that says so, and that on claims out.
    path
        Where the workbook shall stand.
    run
        All that cannot be repeated: times, versions, paths.
    examination
        A closer look at the same draws; None leaves out the sheet on what would have to be true.

    Raises
    ------
    OSError
        If the file cannot be written; a file that stood there stays as it was.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    left_out = _without_results(plan, risk)
    for title, fill in SHEETS:
        if title in left_out:
            continue
        fill(Sheet(book.create_sheet(title)), plan, risk, run)
        if title == "Claims" and examination is not None:
            workbook_claims.turning(Sheet(book.create_sheet("What turns it")), examination)
    book.properties.title = plan.programme.document.programme.title
    book.properties.creator = "Coachbuilder"
    write_whole(path, lambda temporary: book.save(temporary))


def _vehicle(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    car = plan.vehicle
    names = (
        "curb_mass_kg", "gross_kwh", "usable_kwh", "wltp_range_km", "wltp_kwh_per_100km", "epa_label_range_km",
        "epa_label_kwh_per_100km", "cltc_range_km", "cltc_kwh_per_100km", "range_in_use_km", "zero_to_100_s",
        "zero_to_60_mph_s", "eighty_to_120_s", "top_speed_kmh", "launch_grade", "charge_10_80_min", "charge_peak_kw",
        "ac_charge_h", "pack_voltage_v", "mass_per_kwh_kg", "parts_cost_cny", "warnings",
    )  # fmt: skip
    limits = (
        "discharge_current_kw", "discharge_voltage_kw", "recharge_current_kw", "recharge_voltage_kw", "cable_kw",
    )  # fmt: skip
    sheet.named(
        {name: getattr(car, name) for name in names}
        | {f"pack_{name}": getattr(car.pack_limits, name) for name in limits}
    )
    sheet.table(
        (
            Column("Procedure, driven from full to empty", width=44),
            Column("City range (km)", "#,##0"),
            Column("Highway range (km)", "#,##0"),
            Column("Range (km)", "#,##0"),
            Column("At the battery (kWh/100 km)", "0.00"),
            Column("From the wall (kWh/100 km)", "0.00"),
        ),
        rows_of(
            car.ratings,
            (
                "procedure", "city_range_km", "highway_range_km", "range_km", "battery_kwh_per_100km",
                "wall_kwh_per_100km",
            ),
        ),
        "Official procedures",
    )  # fmt: skip
    sheet.table(
        (
            Column("Target", width=44),
            Column("Asked for", "#,##0.0"),
            Column("Reached", "#,##0.0"),
            Column("Met", width=8),
        ),
        ((item.name, item.target, item.reached, "yes" if item.met else "no") for item in car.targets),
        "Targets",
    )
    sheet.table(
        (Column("Part", width=44), Column("Cost (CNY a car)", "#,##0", 20)),
        ((wording.label(name), cost) for name, cost in car.parts_cost_by_item_cny.items()),
        "Parts cost",
    )
    cycles = (
        "distance_km", "duration_s", "battery_kwh_per_100km", "ac_kwh_per_100km", "regenerated_kwh_per_100km",
        "trace_missed_s",
    )  # fmt: skip
    energy = (
        "aerodynamic_kwh_per_100km", "rolling_kwh_per_100km", "brake_kwh_per_100km", "powertrain_kwh_per_100km",
        "accessory_kwh_per_100km", "battery_kwh_per_100km",
    )  # fmt: skip
    sheet.table(
        (
            Column("Cycle", width=44),
            *(Column(wording.label(name, unit=True), "#,##0.00") for name in cycles),
            *(Column(f"Of it: {wording.label(name, unit=True)}", "0.00") for name in energy),
        ),
        (
            (item.name, *(getattr(item, name) for name in cycles), *(getattr(item.energy, name) for name in energy))
            for item in car.cycles
        ),
        "Drive cycles",
    )


def _demand(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    demand = plan.demand
    sheet.table(
        (
            Column("Year", "0", 8),
            Column("Segment (cars)", "#,##0"),
            Column("Guest wanted (cars)", "#,##0"),
            Column("Guest's share", "0.00%"),
            Column("Price with tax (CNY)", "#,##0"),
            Column("Price elasticity", "0.00"),
            Column("Range elasticity", "0.00"),
            Column("Host's own lost (cars)", "#,##0"),
            Column("All others lost (cars)", "#,##0"),
            Column("From outside the segment (cars)", "#,##0"),
        ),
        zip(
            demand.years,
            demand.market_units_per_year,
            demand.units_per_year,
            demand.share,
            demand.price_cny,
            demand.price_elasticity,
            demand.range_elasticity,
            demand.host_units_lost_per_year,
            demand.outside_units_lost_per_year,
            demand.conquest_units_per_year,
            strict=True,
        ),
    )
    years = tuple(Column(f"{year} (cars)", "#,##0") for year in demand.years)
    sheet.table(
        (Column("Rival", width=28), Column("Whose"), *years),
        ((item.name, item.owner, *item.units_per_year) for item in demand.rivals),
        "Rivals' sales with the guest on sale",
    )
    sheet.table(
        (Column("Rival", width=28), Column("Whose"), *years),
        ((item.name, item.owner, *item.units_lost_per_year) for item in demand.rivals),
        "Rivals' sales lost to the guest",
    )
    sheet.table(
        (
            Column("Rival", width=28),
            Column("Kind"),
            Column("Of the guest's buyers", "0.00%"),
            Column("Its elasticity to the guest's price", "0.0000"),
            Column("The guest's to its price", "0.0000"),
            *(Column(f"Price {year} (CNY)", "#,##0") for year in demand.years),
        ),
        (
            (
                item.name,
                "electric" if item.is_electric else "no plug",
                item.diversion_share,
                item.elasticity_to_guest_price,
                item.guest_elasticity_to_price,
                *item.price_cny,
            )
            for item in demand.rivals
        ),
        f"Who loses and who answers to whose price in {demand.peak_year}; prices by year",
    )


_LINES = (("before", "Before the guest came"), ("after", "With the guest"))


def _fit(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    fit = plan.fit
    models = tuple(fit.after.mix)
    sheet.table(
        (
            Column("Line", width=24),
            Column("Station", width=10),
            Column("Segment", width=28),
            Column("Operator", "0", 10),
            Column("Lane", "0", 8),
            Column("Zone", width=16),
            Column("Average load (s)", "0.0"),
            Column("Takt (s)", "0.0"),
            Column("Idle share", "0.0%", 10),
            *(Column(f"Load {model} (s)", "0.0") for model in models),
            Column("Work elements in order", width=60),
        ),
        (
            (
                title,
                load.station,
                segments[load.station],
                load.operator,
                load.lane,
                load.zone,
                load.weighted_load_s,
                line.takt_s,
                idle_share(load, line),
                *(load.load_s.get(model) if line.mix.get(model) else None for model in models),
                load.tasks,
            )
            for line, title in ((getattr(fit, name), title) for name, title in _LINES)
            for segments in ({item.station: item.segment for item in line.stations},)
            for load in line.operator_loads
        ),
    )
    sheet.table(
        (
            Column("Line", width=24),
            Column("Station", width=10),
            Column("Segment", width=28),
            Column("Operators", "0", 10),
            Column("Average work an operator (s)", "0.0"),
            Column("Takt (s)", "0.0"),
            Column("Idle share", "0.0%", 10),
            *(Column(f"Work an operator {model} (s)", "0.0") for model in models),
            *(Column(f"Stay {model} (s)", "0.0") for model in models),
        ),
        (
            (
                title,
                use.station,
                use.segment,
                use.operators,
                use.weighted_load_s,
                line.takt_s,
                use.idle_share,
                *(use.load_s.get(model) if line.mix.get(model) else None for model in models),
                *(use.stay_s.get(model) if line.mix.get(model) else None for model in models),
            )
            for line, title in ((getattr(fit, name), title) for name, title in _LINES)
            for use in station_uses(line)
        ),
        "By station, an average operator of each, seconds per takt",
    )
    names = (
        "takt_s", "stations_total", "stations_used", "operators", "operators_lower_bound", "idle_share", "smoothness",
        "mean_direct_hours_per_car",
    )  # fmt: skip
    sheet.table(
        (Column("Figure", width=34), *(Column(title, "#,##0.00") for _, title in _LINES)),
        ((wording.label(name, unit=True), getattr(fit.before, name), getattr(fit.after, name)) for name in names),
        "The two lines",
    )
    sheet.table(
        (
            Column("Model", width=24),
            Column("Cars a year before", "#,##0"),
            Column("Cars a year after", "#,##0"),
            Column("Pure work (h)", "0.00"),
            Column("Direct hours before (h)", "0.00"),
            Column("Direct hours after (h)", "0.00"),
        ),
        (
            (
                model,
                fit.before.units_per_year.get(model),
                fit.after.units_per_year.get(model),
                fit.after.work_hours_per_car.get(model),
                fit.before.direct_hours_per_car.get(model) if fit.before.units_per_year.get(model) else None,
                fit.after.direct_hours_per_car.get(model),
            )
            for model in models
        ),
        "Hours by model",
    )


def _moves(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    sheet.table(
        (
            Column("Work element", width=18),
            Column("Name", width=54),
            Column("From station"),
            Column("To station"),
            Column("Average time (s)", "0.0"),
            Column("In words", width=120),
        ),
        (
            (item.task, item.name, item.from_station, item.to_station, item.time_s, item.says)
            for item in sorted(plan.fit.moved_tasks, key=lambda item: (-item.time_s, item.task))
        ),
    )
    sheet.table(
        (
            Column("Tasks that may move", "#,##0", 18),
            Column("Tasks that do", "#,##0", 54),
            Column("Work moved (s)", "#,##0"),
            Column("Operators", "#,##0"),
            Column("Stations used", "#,##0"),
        ),
        rows_of(plan.fit.trade_off, ("moves_allowed", "moved_tasks", "moved_s", "operators", "stations")),
        "Operators against resident tasks moved",
    )
    for remark in plan.fit.remarks:
        sheet.say(remark)
    sheet.table(
        (Column("Work element", width=18), Column("Station", width=54), Column("Operators")),
        ((item.task, item.station, item.operators) for item in plan.fit.after.assignment),
        "Where every work element is done with the guest on the line",
    )


def _flow(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    flow = plan.flow
    shares = tuple(Column(text, "0.0%") for text in ("At work", "In repair", "Blocked", "Stopped", "Without a car"))
    share_names = ("working_share", "down_share", "blocked_share", "stopped_share", "starved_share")
    sheet.table(
        (
            Column("Shop", width=28),
            Column("Kind"),
            Column("Rate (cars/h)", "0.00"),
            Column("Rate alone (cars/h)", "0.00"),
            *shares,
            Column("Cars inside", "0.0"),
            Column("Busiest machine", width=20),
            Column("Bottleneck"),
        ),
        (
            (
                shop.name,
                shop.kind,
                shop.jph,
                shop.stand_alone_jph,
                *(getattr(shop, name) for name in share_names),
                shop.mean_cars,
                shop.busiest_machine,
                "yes" if shop.id == flow.bottleneck else "",
            )
            for shop in flow.shops
        ),
    )
    names = (
        "jph", "jph_ci95", "planned_jph", "guest_share", "guest_capacity_units_per_year", "guest_units_per_year",
        "bottleneck_name", "bottleneck_machine", "bottleneck_active_share", "overload_s_per_car",
        "line_stop_s_per_car", "work_in_progress_cars", "lead_time_h", "first_pass_yield", "scrapped_share",
        "resident_units_lost_per_year", "replications", "simulated_hours",
        "cars_at_start", "cars_in", "cars_out", "cars_scrapped", "cars_inside", "deadlock", "conventions",
    )  # fmt: skip
    sheet.named({name: getattr(flow, name) for name in names}, "The plant as a whole")
    sheet.table(
        (
            Column("The host's own cars", width=28),
            Column("Rate (cars/h)", "0.00"),
            Column("± 95 % (cars/h)", "0.00"),
            Column("Capacity (cars a year)", "#,##0"),
            Column("Output (cars a year)", "#,##0"),
            Column("Bottleneck"),
        ),
        (
            (title, item.jph, item.jph_ci95, item.capacity_units_per_year, item.units_per_year, item.bottleneck)
            for title, item in (("before", flow.resident_before), ("after", flow.resident_after))
        ),
        "The host's own output",
    )
    sheet.table(
        (
            Column("Model", width=28),
            Column("Rate (cars/h)", "0.00"),
            Column("± 95 % (cars/h)", "0.00"),
            Column("Planned (cars a year)", "#,##0"),
            Column("Capacity (cars a year)", "#,##0"),
            Column("Output (cars a year)", "#,##0"),
        ),
        rows_of(
            flow.models,
            ("id", "jph", "jph_ci95", "planned_units_per_year", "capacity_units_per_year", "units_per_year"),
        ),
        "Output by model",
    )
    sheet.table(
        (Column("Buffer", width=28), Column("From"), Column("To"), Column("Places", "0"), Column("Mean level", "0.0")),
        rows_of(flow.buffers, ("id", "from_shop", "to_shop", "capacity", "mean_level")),
        "Buffers",
    )
    sheet.table(
        (
            Column("Machine", width=28),
            Column("Shop"),
            Column("Rate (cars/h)", "0.00"),
            *shares,
            Column("Mean active period (s)", "0.0"),
        ),
        rows_of(flow.machines, ("id", "shop", "jph", *share_names, "active_period_s")),
        "Machines",
    )


def _ramp(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    ramp = plan.flow.ramp
    sheet.table(
        (
            Column("Week", "0", 8),
            Column("Guest (cars)", "#,##0.0"),
            Column("Residents (cars)", "#,##0.0"),
            Column("Residents lost (cars)", "#,##0.0"),
            Column("Guest lost (cars)", "#,##0.0"),
            Column("Guest first-pass yield", "0.0%"),
            Column("Guest cycle time (multiple)", "0.00"),
            Column("Failures of guest's shops (multiple)", "0.00"),
            Column("Line speed", "0.0%"),
            Column("Limited by", width=24),
        ),
        zip(
            ramp.week,
            ramp.guest_units,
            ramp.resident_units,
            ramp.resident_units_lost,
            ramp.guest_units_lost,
            ramp.first_pass_yield,
            ramp.cycle_multiplier,
            ramp.failure_multiplier,
            ramp.line_speed_share,
            ramp.limiting_shop,
            strict=True,
        ),
    )
    names = (
        "conversion", "start_of_production_week", "weeks_to_rate", "guest_units_first_year", "guest_units_lost_total",
        "resident_units_lost_total", "simulated",
    )  # fmt: skip
    sheet.named({name: getattr(ramp, name) for name in names}, "The launch")
    if plan.flow.ramp_alternatives:
        sheet.table(
            (
                Column("Converted otherwise", width=28),
                Column("Weeks to rate", "0"),
                Column("Guest, first year (cars)", "#,##0"),
                Column("Guest lost (cars)", "#,##0"),
                Column("Residents lost (cars)", "#,##0"),
            ),
            (
                (
                    item.conversion or "not at all",
                    item.weeks_to_rate,
                    item.guest_units_first_year,
                    item.guest_units_lost_total,
                    item.resident_units_lost_total,
                )
                for item in plan.flow.ramp_alternatives
            ),
            "Other ways to convert the plant",
        )


def _announcement(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    columns = (
        Column("News", width=40),
        Column("Share", width=26),
        Column("Side"),
        Column("Exchange"),
        Column("From", "yyyy-mm-dd"),
        Column("To", "yyyy-mm-dd"),
        Column("Days", "0", 8),
        Column("Abnormal return", "0.00%"),
        Column("Standard error", "0.00%"),
        Column("t", "0.00", 8),
        Column("p", "0.000", 8),
        Column("Significant"),
        Column("Limit"),
        Column("Interval from", "0.00%"),
        Column("Interval to", "0.00%"),
        Column("Market value (CNY)", "#,##0", 20),
        Column("Implied value (CNY)", "#,##0", 20),
        Column("Implied from (CNY)", "#,##0", 20),
        Column("Implied to (CNY)", "#,##0", 20),
    )
    names = (
        "name", "side", "exchange", "date", "last_date", "days", "abnormal_return", "standard_error", "t_statistic",
        "p_value", "is_significant", "bound", "low", "high", "market_value_cny", "implied_value_cny",
        "implied_low_cny", "implied_high_cny",
    )  # fmt: skip
    events = plan.announcement.events if plan.announcement else ()
    sheet.table(columns, ((event.name, *row) for event in events for row in rows_of(event.shares, names)))
    fields = (
        "side", "implied_value_cny", "low_cny", "high_cny", "bound", "npv_cny", "probability", "expected_value_cny",
        "difference_cny", "is_compatible", "believed_probability", "believed_npv_cny", "sentence",
    )  # fmt: skip
    sheet.table(
        tuple(column(name, 20 if name != "sentence" else 90) for name in fields),
        rows_of(plan.comparison, fields),
        "What the market paid beside what the plan is worth",
    )
    if plan.announcement:
        sheet.say(plan.announcement.verdict)


def _risk(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    columns = (
        Column("Figure", width=44),
        Column("Unit"),
        *(Column(text, "#,##0.00", 20) for text in ("Plan", "P10", "Median", "P90", "Mean")),
        Column("Above zero", "0.0%"),
        Column("Draws without it", "0"),
    )
    names = ("base", "p10", "p50", "p90", "mean")
    sheet.table(
        columns,
        (
            (
                wording.figure_name(item.name),
                unit_of(item.name),
                *(Number(getattr(item, name), number_format(unit_of(item.name))) for name in names),
                item.probability_positive,
                item.draws_without_figure,
            )
            for item in (risk.figures if risk else ())
        ),
    )
    if risk is None:
        sheet.say("No draws were asked for.")
        return
    single = (
        "draws", "seed", "partnership_probability", "both_gain_probability", "brand_expected_npv_cny",
        "host_expected_npv_cny",
    )  # fmt: skip
    sheet.named({name: getattr(risk, name) for name in single}, "All draws together")
    sides = tuple(f"{side}_npv_at_{end}_cny" for side in ("brand", "host") for end in ("low", "high"))
    shares = ("brand_variance_share", "host_variance_share", "joint_variance_share")
    sheet.table(
        (
            Column("Assumption", width=44),
            Column("Evidence", width=24),
            Column("Low (5 % point)"),
            Column("High (95 % point)"),
            *(column(name, 20) for name in sides),
            *(column(name) for name in shares),
        ),
        rows_of(risk.assumptions, ("path", "evidence", "low", "high", *sides, *shares)),
        "Assumptions by what they do to the joint value",
    )
    fields = (
        "evidence", "kind", "claim", "probability", "brand_npv_if_false_cny", "host_npv_if_false_cny",
        "joint_npv_if_false_cny", "turns_brand", "turns_host", "turns_joint", *shares, "is_switch", "assumptions",
    )  # fmt: skip
    wide = {"evidence": 44.0, "kind": 24.0, "claim": 60.0, "assumptions": 60.0}
    sheet.table(
        tuple(column(name, wide.get(name, 20)) for name in fields),
        rows_of(risk.evidence, fields),
        "Evidence by what the joint value loses if it is false",
    )


def _answers(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    from coachbuilder.report.summary import answers

    sheet.table(
        (Column("Question", width=46), Column("Answer", width=110)),
        ((answer.question, answer.text) for answer in answers(plan, risk)),
    )
    spreads = {item.name: item for item in risk.figures} if risk else {}
    sheet.table(
        (
            Column("Figure", width=46),
            Column("Plan", "#,##0.00", 20),
            Column("Unit", width=14),
            Column("P10", "#,##0.00", 20),
            Column("P50", "#,##0.00", 20),
            Column("P90", "#,##0.00", 20),
        ),
        (
            (
                wording.figure_name(name),
                Number(value, number_format(unit_of(name))),
                unit_of(name),
                *(
                    Number(end, number_format(unit_of(name)))
                    for end in (
                        (spreads[name].p10, spreads[name].p50, spreads[name].p90) if name in spreads else (None,) * 3
                    )
                ),
            )
            for name, value in plan.headline.items()
        ),
        "Headline figures",
    )


def _sequence(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    day = plan.sequence
    sheet.table(
        (
            Column("Place", "0", 8),
            Column("Order", width=14),
            Column("Model", width=14),
            Column("Colour", width=14),
            Column("Options with a rule", width=60),
            Column("Rules broken here", width=30),
        ),
        ((car.position, car.car, car.model, car.colour, car.options, car.broken) for car in day.order),
    )


def _rules(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    day = plan.sequence
    sheet.table(
        (
            Column("Rule", width=50),
            Column("At most", "0", 10),
            Column("Out of", "0", 10),
            Column("Priority", width=12),
            Column("Weight", "0", 10),
            Column("Cars", "#,##0", 10),
            Column("Of what the rule can take", "0%"),
            Column("Windows broken, as booked", "#,##0"),
            Column("Windows broken", "#,##0"),
            Column("Cars too many", "#,##0"),
        ),
        (
            (
                rule.name,
                rule.at_most,
                rule.out_of,
                rule.priority,
                rule.weight,
                rule.cars,
                rule.utilisation,
                booked.violated_windows,
                rule.violated_windows,
                rule.excess,
            )
            for rule, booked in zip(day.counts.rules, day.as_booked.rules, strict=True)
        ),
    )
    names = ("high_priority_excess", "low_priority_excess", "colour_changes", "longest_batch_cars", "objective")
    sheet.table(
        (Column("Figure", width=50), Column("As booked", "#,##0", 16), Column("Sequenced", "#,##0", 16)),
        ((wording.label(name), getattr(day.as_booked, name), getattr(day.counts, name)) for name in names),
        "Counts",
    )
    sheet.named(
        {
            name: getattr(day, name)
            for name in ("colour_changes_lower_bound", "longest_batch", "purge_cost_cny_per_day")
        },
        "Paint",
    )


def _load(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    load = plan.sequence.load
    names = (
        "guest_cars", "guest_share", "closed_overload_s_per_car", "open_overload_s_per_car",
        "closed_lower_bound_s_per_car", "open_lower_bound_s_per_car", "closed_calls_per_car", "open_calls_per_car",
        "closed_utility_workers", "open_utility_workers",
    )  # fmt: skip
    sheet.table(
        (
            Column("Guest cars a day", "#,##0", 12),
            Column("Share of the cars", "0.0%", 12),
            Column("Overload, borders closed (s a car)", "#,##0.0"),
            Column("Overload, borders open (s a car)", "#,##0.0"),
            Column("In every order at least, closed (s a car)", "#,##0.0"),
            Column("In every order at least, open (s a car)", "#,##0.0"),
            Column("Operators helped a car, closed", "#,##0.0"),
            Column("Operators helped a car, open", "#,##0.0"),
            Column("Utility workers in the mean, closed", "0.00"),
            Column("Utility workers in the mean, open", "0.00"),
        ),
        rows_of(load.guest_shares if load else (), names),
    )
    if load is None:
        return
    sheet.table(
        (
            Column("Borders", width=12),
            Column("Utility workers", "0.##", 12),
            Column("Overloads from so many guests on", "#,##0"),
            Column("Share of the cars", "0.0%"),
            Column("Does not from", "#,##0"),
            Column("Does not up to", "#,##0"),
            Column("In every order from", "#,##0"),
            Column("Least overload (s a car)", "#,##0.0"),
            Column("at so many guests", "#,##0"),
        ),
        rows_of(
            load.answers,
            (
                "borders", "utility_workers", "first_cars", "first_share", "free_from_cars", "free_to_cars",
                "unavoidable_cars", "least_overload_s_per_car", "least_cars",
            ),
        ),
        "From which share of guest cars on the line overloads",
    )  # fmt: skip
    figures = (
        "overload_s_per_day", "overload_s_per_car", "calls", "utility_workers", "utility_workers_peak", "level_load",
        "largest_distance_cars",
    )  # fmt: skip
    sheet.table(
        (Column("Figure", width=44), Column("As booked", "#,##0.00", 16), Column("Sequenced", "#,##0.00", 16)),
        (
            (wording.label(name, unit=True), getattr(load.as_booked, name), getattr(load.found, name))
            for name in figures
        ),
        f"The day, borders {load.borders}",
    )
    sheet.named(
        {name: getattr(load, name) for name in ("overload_lower_bound_s_per_day", "level_load_least", "takt_s")},
        "Bounds",
    )
    sheet.table(
        (Column("Station", width=12), Column("As booked (s a day)", "#,##0"), Column("Sequenced (s a day)", "#,##0")),
        rows_of(load.stations, ("station", "as_booked_overload_s_per_day", "overload_s_per_day")),
        "Work overload by station",
    )


_OBJECTIVES = ("high_priority_excess", "low_priority_excess", "colour_changes", "batch_excess_cars", "objective")


def _store(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    day = plan.sequence
    headings = [Column(wording.label(name), "#,##0", 16) for name in _OBJECTIVES]
    if day.store is None and day.fixed_places is None and not day.withdrawn:
        sheet.say("No car's place is fixed, none is withdrawn, and plant.toml has no [sequence.store].")
        return
    if day.withdrawn:
        columns = [Column("Withdrawn", width=14), Column("Model", width=14), Column("Colour", width=14)]
        sheet.table(
            (*columns, Column("Why", width=40)), ((car.car, car.model, car.colour, car.reason) for car in day.withdrawn)
        )
    if day.fixed_places is not None:
        places = day.fixed_places
        sheet.table(
            (
                Column("Order", width=14),
                Column("Model", width=14),
                Column("Colour", width=14),
                Column("Place", "0"),
                Column("Frozen"),
                Column("Earliest place", "0"),
                Column("Latest place", "0"),
                Column("Place in the free order", "0"),
                Column("Why", width=40),
            ),
            rows_of(
                places.cars,
                ("car", "model", "colour", "position", "frozen", "earliest_place", "latest_place", "free_position",
                 "reason"),
            ),
            "Cars whose places are not free",
        )  # fmt: skip
        compared = (
            ("The order", places.kept),
            ("The frozen head alone", places.head_only),
            ("The free order", places.free),
            ("Loss", places.loss),
            ("Of it by the frozen head", places.loss_of_head),
        )
        sheet.table(
            (Column("What fixed places cost", width=34), *headings),
            ((name, *(getattr(counts, item) for item in _OBJECTIVES)) for name, counts in compared),
            "Loss against the free order, in rules and colours",
        )
    if day.store is None:
        return
    store = day.store
    sheet.table(
        (
            Column("Size of the store", width=34),
            *headings,
            *(Column(f"Loss: {wording.label(name).lower()}", "#,##0", 16) for name in _OBJECTIVES),
            Column("Cars outside their places", "#,##0"),
            Column("Most bodies in it", "#,##0"),
            Column("Purges a day (CNY)", "#,##0"),
            Column("After repair: high priority", "#,##0"),
            Column("After repair: low priority", "#,##0"),
        ),
        (
            (
                step_words(step, store.steps),
                *(getattr(step.objectives, name) for name in _OBJECTIVES),
                *(getattr(step.loss, name) for name in _OBJECTIVES),
                step.cars_outside_places,
                step.most_bodies,
                step.purge_cost_cny_per_day,
                step.disturbed.high_priority_excess if step.disturbed else None,
                step.disturbed.low_priority_excess if step.disturbed else None,
            )
            for step in store.steps
        ),
        "Painted-body store, in rules and colours",
    )
    if store.disturbance is not None:
        repair = store.disturbance
        after = (
            ("Planned", store.planned),
            ("Built as delivered", repair.as_delivered),
            ("Nearest to the plan", repair.nearest),
            ("Put in order again", repair.resequenced),
            ("Loss as delivered", repair.loss_as_delivered),
            ("Loss nearest to the plan", repair.loss_nearest),
            ("Loss put in order again", repair.loss_resequenced),
        )
        sheet.table(
            (Column("After paint repair", width=34), *headings),
            ((name, *(getattr(counts, item) for item in _OBJECTIVES)) for name, counts in after),
            "Paint repair",
        )
        sheet.named(
            {
                name: getattr(repair, name)
                for name in (
                    "repaired_cars", "repair_delay_cars", "cars_in_place_share", "mean_displacement_cars",
                    "largest_delay_cars", "cars_outside_places",
                )
            },
            "Order nearest to the plan",
        )  # fmt: skip
    sheet.table(
        (
            Column("Place in assembly", "0"),
            Column("Place in paint", "0"),
            Column("Order", width=14),
            Column("Model", width=14),
            Column("Colour", width=14),
            Column("Lane", "0"),
        ),
        rows_of(store.cars, ("position", "painted_position", "car", "model", "colour", "lane")),
        "Paint and assembly",
    )


def _deal(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    deal = plan.deal
    names = (plan.programme.document.brand.name, plan.programme.document.host.name)
    years = tuple(Column(str(year), "#,##0", 16) for year in deal.years)
    for name, party in zip((*names, "Both together"), (deal.brand, deal.host, deal.joint), strict=True):
        rows = [(line.name, *line.cny_by_year) for line in party.lines]
        rows += [("Cash after tax", *party.cash_cny_by_year), ("Summed up", *party.cumulative_cash_cny_by_year)]
        sheet.table((Column(f"{name}: cash by year (CNY)", width=50), *years), rows, name)
        sheet.named(
            {
                "npv_cny": party.npv_cny,
                "irr_shares": party.irr_shares,
                "irr_note": party.irr_note,
                "payback_year": party.payback_year,
                "peak_cash_need_cny": party.peak_cash_need_cny,
                "unused_tax_value_cny": party.unused_tax_value_cny,
            },
            f"{name}: value",
        )
    paid = [(clause, *amount) for clause, amount in deal.transfers_cny_by_year.items()]
    sheet.table((Column("Clause (CNY)", width=50), *years), paid, f"Paid by {names[0]} to {names[1]}")
    sheet.table(
        (Column("Cars", width=50), *years),
        (
            ("Wanted", *deal.demand_units_by_year),
            ("Possible", *deal.output_units_by_year),
            ("Sold", *deal.sales_units_by_year),
        ),
        "Guest cars",
    )
    unit = deal.unit_cost
    sheet.table(
        (Column("Item", width=50), Column("CNY a car", "#,##0", 16)),
        (
            *((wording.label(name), value) for name, value in unit.items_cny.items()),
            ("All costs", unit.total_cny),
            ("Net revenue", unit.net_revenue_cny),
            ("Of it paid to the host", unit.transfer_to_host_cny),
        ),
        "A car's cost" if unit.year is None else f"A car's cost in {unit.year}",
    )
    own = deal.own_plant
    sheet.named(
        {
            name: getattr(own, name)
            for name in ("npv_cny", "start_month", "units", "peak_cash_need_cny", "advantage_over_contract_cny")
        },
        "The same programme with an own plant",
    )
    if deal.break_even is not None:
        sheet.named(
            {
                "brand_units_per_year": deal.break_even.brand_units_per_year,
                "host_units_per_year": deal.break_even.host_units_per_year,
                "note": deal.break_even.note,
            },
            "Break-even",
        )


def _run(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    rows = []
    for key, value in run.items():
        if isinstance(value, Mapping):
            rows += [(f"{wording.label(str(key))}: {name}", item) for name, item in value.items()]
        else:
            rows.append((wording.label(str(key), unit=True), value))
    sheet.table((Column("What", width=34), Column("Value", width=70)), rows)


def _assumptions(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    columns = (
        Column("Assumption", width=52),
        Column("Unit", width=14),
        Column("Value"),
        Column("Low (5 % point)"),
        Column("High (95 % point)"),
        Column("Range stated in the file", width=14),
        Column("Default of the format", width=14),
        Column("Evidence", width=30),
        Column("Kind of evidence", width=22),
        Column("Probability", "0.0%"),
        Column("Used by", width=38),
    )
    names = (
        "path", "unit", "value", "low", "high", "stated_range", "is_default", "evidence", "kind", "probability",
        "stages",
    )  # fmt: skip
    ordered = sorted(plan.assumptions, key=lambda item: (item.probability, item.kind, item.path))
    as_given = {"value", "low", "high"}
    sheet.table(
        columns,
        (
            [exact(getattr(item, name)) if name in as_given else getattr(item, name) for name in names]
            for item in ordered
        ),
    )


def _evidence(sheet: Sheet, plan: Plan, risk: RiskResult | None, run: Mapping[str, Any]) -> None:
    columns = (
        Column("Entry", width=28),
        Column("Kind", width=22),
        Column("Claim", width=70),
        Column("Source", width=50),
        Column("Known since", "yyyy-mm-dd", 14),
        Column("Sources", "0", 9),
        Column("Supports", width=24),
        Column("Denies", width=24),
        Column("Probability", "0.0%"),
        Column("Assumptions", "0", 13),
    )
    names = (
        "id", "kind", "claim", "source", "date", "sources_count", "supports", "denies", "probability",
        "assumptions_count",
    )  # fmt: skip
    sheet.table(columns, rows_of(sorted(plan.register, key=lambda item: (item.probability, item.id)), names))


Fill = Callable[[Sheet, "Plan", "RiskResult | None", Mapping[str, Any]], None]
SHEETS: tuple[tuple[str, Fill], ...] = (
    ("Answers", _answers),
    ("Vehicle", _vehicle),
    ("Demand", _demand),
    ("Fit", _fit),
    ("Moves", _moves),
    ("Sequence", _sequence),
    ("Rules", _rules),
    ("Load", _load),
    ("Store", _store),
    ("Flow", _flow),
    ("Ramp", _ramp),
    ("Parties", workbook_claims.parties),
    ("Deal", _deal),
    ("Clauses", workbook_contract.clauses),
    ("Agreement", workbook_contract.agreement),
    ("Routes", workbook_contract.routes),
    ("Announcement", _announcement),
    ("Risk", _risk),
    ("Claims", workbook_claims.claims),
    ("Evidence", _evidence),
    ("Assumptions", _assumptions),
    ("Run", _run),
)


def _without_results(plan: Plan, risk: RiskResult | None) -> frozenset[str]:
    """Return the sheets for which the plan has nothing to tell."""
    missing = {
        "Parties": plan.parties is None,
        "Clauses": not plan.deal.clauses,
        "Agreement": plan.alternatives is None,
        "Routes": plan.alternatives is None,
        "Claims": risk is None,
    }
    return frozenset(title for title, is_missing in missing.items() if is_missing)
