"""Reads the plant out of a programme."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import ref

from coachbuilder.plant.flow.interface import Conversion, FlowInputs, LineWork, RampInputs, RampStep, Shop
from coachbuilder.programme.errors import Problem, ProblemList, closest
from coachbuilder.programme.sections.common import ShiftSection
from coachbuilder.programme.sections.flow import Distribution, FlowSection, RampSection, ShopKind, ShopSection

if TYPE_CHECKING:
    from coachbuilder.programme import Programme
    from coachbuilder.programme.assumption import Assumption

FILE = "plant.toml"

_sound: list[tuple[ref[FlowSection], tuple[str, ...]]] = []
"""The section and the models that were found sound last, if any were."""


def inputs_from(
    programme: Programme,
    *,
    assembly_takt_s: float,
    resident_units_per_year: Mapping[str, float],
    guest_units_per_year: float,
    resident_only_takt_s: float,
    line: LineWork | None = None,
    resident_only_line: LineWork | None = None,
    line_stop_s_per_car: float = 0.0,
    cheap: bool = False,
    rate_correction: float = 1.0,
) -> FlowInputs:
    """Return the inputs of the flow stage.

    Parameters
    ----------
    programme
        The programme.
    assembly_takt_s
        Takt of the balanced assembly line with the guest, s.
    resident_units_per_year
        Cars a year of each resident model.
    guest_units_per_year
        Guest cars a year that are wanted.
    resident_only_takt_s
        Takt of the line for the residents alone, s.
    line, resident_only_line
        Work on the assembly line with the guest and for the residents alone; None leaves overload out.
    line_stop_s_per_car
        For cheap runs: by how much overload lengthens the mean takt, s.
    cheap
        True takes the short runs meant for one draw of the risk stage.
    rate_correction
        Factor on the simulated rates. A short run carries the luck of its seed, the same in every draw; the rate of the
        long runs over that of the short ones, both at the central values, takes it out.

    Raises
    ------
    InputError
        If the plant file says something that cannot be; all of it at once.
    """
    problems = ProblemList(FILE)
    flow, shifts, guest = programme.plant.flow, programme.plant.shifts, programme.guest.id
    net_hours = _net_hours_per_day(shifts)
    models = tuple(model.id for model in programme.plant.model)
    # Draws change values in place, and of these the check looks at the hours alone.
    known = bool(_sound) and _sound[0][0]() is flow and _sound[0][1] == models
    if net_hours <= 0.0 or not cheap or not known:
        problems.extend(check(programme))
        problems.raise_if_any()
        _sound[:] = [(ref(flow), models)]
    units = tuple(guest_units_per_year if model == guest else resident_units_per_year[model] for model in models)
    if sum(units) <= 0.0:
        problems.add("model", "0 cars a year of every model", "at least one model with cars to build")
        problems.raise_if_any()
    ramp, run = flow.ramp, flow.run
    return FlowInputs(
        models=models,
        guest_model=guest,
        planned_units_per_year=units,
        shops=tuple(_shop(shop, models) for shop in flow.shop),
        assembly_takt_s=assembly_takt_s,
        resident_only_takt_s=resident_only_takt_s,
        net_hours_per_day=net_hours,
        working_days_per_year=shifts.working_days_per_year.value,
        release=run.release,
        ramp=RampInputs(
            weeks=ramp.weeks,
            pilot_weeks=ramp.pilot_weeks,
            pilot_units_per_week=ramp.pilot_units_per_week.value,
            learning_rate=ramp.learning_rate.value,
            learning_reference_units=ramp.learning_reference_units.value,
            initial_cycle_multiplier=ramp.initial_cycle_multiplier.value,
            plateau_cycle_multiplier=ramp.plateau_cycle_multiplier.value,
            initial_first_pass_yield=ramp.initial_first_pass_yield.value,
            steps=tuple(
                RampStep(step.weeks, step.guest_rate_share.value, step.line_speed_share.value) for step in ramp.step
            ),
            initial_failure_multiplier=ramp.initial_failure_multiplier.value,
            conversions=tuple(
                Conversion(
                    id=item.id,
                    name=item.name,
                    first_week=item.first_week,
                    weeks=item.weeks,
                    line_speed_share=0.0 if item.line_speed_share is None else item.line_speed_share.value,
                )
                for item in ramp.conversion
            ),
        ),
        replications=run.draw_replications if cheap else run.replications,
        days=run.draw_h / net_hours if cheap else float(run.days),
        warm_up_days=run.draw_warm_up_h / net_hours if cheap else float(run.warm_up_days),
        seed=programme.seed,
        launch_replications=run.launch_replications,
        line=_stopping(flow, line),
        resident_only_line=_stopping(flow, resident_only_line),
        line_stop_s_per_car=line_stop_s_per_car,
        quick=cheap,
        rate_correction=rate_correction,
    )


def _stopping(flow: FlowSection, line: LineWork | None) -> LineWork | None:
    return None if line is None else replace(line, stops=line.stops and flow.overload_stops_line)


def _shop(shop: ShopSection, models: tuple[str, ...]) -> Shop:
    cycles, yields = {}, {}
    for item in shop.by_model:
        if item.cycle_time_s is not None:
            cycles[item.id] = item.cycle_time_s.value
        if item.first_pass_yield is not None:
            yields[item.id] = item.first_pass_yield.value
    return Shop(
        id=shop.id,
        name=shop.name,
        kind=shop.kind,
        passes=tuple([model in shop.models for model in models]) if shop.models else (True,) * len(models),
        stages=shop.stages,
        parallel=shop.parallel,
        buffer_between=shop.buffer_between,
        buffer_after=shop.buffer_after,
        conveyor_places=shop.conveyor_places,
        exponential=shop.distribution is Distribution.EXPONENTIAL,
        cycle_time_s=_by_model(shop.cycle_time_s, cycles, models),
        mtbf_s=None if shop.mtbf_min is None else shop.mtbf_min.value * 60.0,
        mttr_s=None if shop.mttr_min is None else shop.mttr_min.value * 60.0,
        first_pass_yield=_by_model(shop.first_pass_yield, yields, models),
        retest_yield=1.0 if shop.retest_yield is None else shop.retest_yield.value,
        rework=shop.rework,
        rejoin=shop.rejoin,
        scrap_share=0.0 if shop.scrap_share is None else shop.scrap_share.value,
    )


def _by_model(common: Assumption | None, special: dict[str, float], models: tuple[str, ...]) -> tuple[float, ...]:
    if common is None:
        return ()
    value = common.value
    if not special:
        return (value,) * len(models)
    return tuple([special.get(model, value) for model in models])


def check(programme: Programme) -> list[Problem]:
    """Return what is wrong with the flow section beyond what its schema can see.

    Parameters
    ----------
    programme
        The programme.
    """
    problems = ProblemList(FILE)
    models = [model.id for model in programme.plant.model]
    shops = programme.plant.flow.shop
    by_id = {shop.id: shop for shop in shops}
    for name, count in Counter(shop.id for shop in shops).items():
        if count > 1:
            problems.add(f"flow.shop.{name}.id", f"{count} shops named {name}", "a name of its own for every shop")
    for shop in shops:
        _check_models(shop, models, problems)
        _check_times(shop, problems)
        _check_rework(shop, by_id, problems)
    _check_ways(shops, models, problems)
    _check_conversions(programme.plant.flow.ramp, problems)
    shifts = programme.plant.shifts
    if _net_hours_per_day(shifts) <= 0.0:
        problems.add("shifts.break_per_shift_min", shifts.break_per_shift_min.value, "breaks shorter than the shift")
    return list(problems)


def _net_hours_per_day(shifts: ShiftSection) -> float:
    return shifts.shifts_per_day * (shifts.shift_length_h.value - shifts.break_per_shift_min.value / 60.0)


def _check_conversions(ramp: RampSection, problems: ProblemList) -> None:
    for item in ramp.conversion:
        if item.first_week + item.weeks - 1 > ramp.weeks:
            problems.add(
                f"flow.ramp.conversion.{item.id}.weeks",
                f"weeks {item.first_week} to {item.first_week + item.weeks - 1}",
                f"weeks that end by {ramp.weeks}, the last week of the launch",
            )


def _check_models(shop: ShopSection, models: list[str], problems: ProblemList) -> None:
    where = f"flow.shop.{shop.id}"
    for model in shop.models:
        if model not in models:
            problems.add(f"{where}.models", model, _one_of(models), hint=closest(model, models))
    passing = shop.models or tuple(models)
    for item in shop.by_model:
        if item.id not in passing:
            problems.add(f"{where}.by_model.{item.id}", item.id, "a model that passes here: " + _one_of(passing))
        if item.cycle_time_s is None and item.first_pass_yield is None:
            problems.add(f"{where}.by_model.{item.id}", "no number", "cycle_time_s or first_pass_yield")
    for name, count in Counter(item.id for item in shop.by_model).items():
        if count > 1:
            problems.add(f"{where}.by_model.{name}", f"{count} tables", "one table for each model")


def _check_times(shop: ShopSection, problems: ProblemList) -> None:
    where = f"flow.shop.{shop.id}"
    if shop.kind is ShopKind.ASSEMBLY:
        if shop.parallel > 1:
            problems.add(
                f"{where}.parallel",
                shop.parallel,
                "1: assembly is one moving line; two lines are two shops of their own",
            )
        if shop.cycle_time_s is not None:
            problems.add(f"{where}.cycle_time_s", shop.cycle_time_s.value, "nothing: the line's takt holds here")
        for item in shop.by_model:
            if item.cycle_time_s is not None:
                problems.add(
                    f"{where}.by_model.{item.id}.cycle_time_s", item.cycle_time_s.value, "nothing: the takt holds"
                )
    elif shop.cycle_time_s is None:
        problems.add(f"{where}.cycle_time_s", "nothing", "the cycle time of one machine, in seconds")
    if (shop.mtbf_min is None) != (shop.mttr_min is None):
        missing = "mtbf_min" if shop.mtbf_min is None else "mttr_min"
        problems.add(f"{where}.{missing}", "nothing", "both mtbf_min and mttr_min, or neither")


def _check_rework(shop: ShopSection, by_id: Mapping[str, ShopSection], problems: ProblemList) -> None:
    where = f"flow.shop.{shop.id}"
    reworks = [other.id for other in by_id.values() if other.kind is ShopKind.REWORK]
    if shop.kind is ShopKind.TEST:
        if shop.first_pass_yield is None:
            problems.add(f"{where}.first_pass_yield", "nothing", "the share of cars that pass at the first try")
        if shop.rework not in reworks:
            problems.add(
                f"{where}.rework",
                shop.rework or "nothing",
                "a shop of kind rework: " + _one_of(reworks),
                hint=closest(shop.rework, reworks),
            )
        elif bool(by_id[shop.rework].rejoin) != (shop.retest_yield is not None):
            problems.add(
                f"{where}.retest_yield",
                "nothing" if shop.retest_yield is None else shop.retest_yield.value,
                "a share if the cars of its rework shop come back (rejoin), else nothing",
            )
    else:
        if shop.rework:
            problems.add(f"{where}.rework", shop.rework, "nothing: only a test has a rework shop")
        if shop.first_pass_yield is not None or any(item.first_pass_yield is not None for item in shop.by_model):
            problems.add(f"{where}.first_pass_yield", "a number", "nothing: only a test has a first-pass yield")
        if shop.retest_yield is not None:
            problems.add(f"{where}.retest_yield", shop.retest_yield.value, "nothing: only a test has one")
    if shop.kind is ShopKind.REWORK:
        _check_rework_shop(shop, by_id, problems)
        return
    for name, given in (("rejoin", shop.rejoin), ("scrap_share", shop.scrap_share)):
        if given:
            problems.add(f"{where}.{name}", given, "nothing: only a rework shop has one")


def _check_rework_shop(shop: ShopSection, by_id: Mapping[str, ShopSection], problems: ProblemList) -> None:
    where = f"flow.shop.{shop.id}"
    tests = [other for other in by_id.values() if other.rework == shop.id]
    if len(tests) != 1:
        problems.add(where, f"{len(tests)} tests that send cars here", "exactly one")
        return
    if shop.conveyor_places:
        problems.add(f"{where}.conveyor_places", shop.conveyor_places, "nothing: use buffer_after")
    if shop.models:
        problems.add(f"{where}.models", ", ".join(shop.models), "nothing: the models of its test come here")
    if not shop.rejoin:
        return
    order = list(by_id)
    allowed = [
        name
        for name in order[: order.index(tests[0].id) + 1]
        if by_id[name].kind is not ShopKind.REWORK
        and (not by_id[name].models or set(by_id[name].models) >= set(tests[0].models or by_id[name].models))
        and (not by_id[name].models or tests[0].models)
    ]
    if shop.rejoin not in allowed:
        problems.add(
            f"{where}.rejoin",
            shop.rejoin,
            "a shop up to its test that all its models pass: " + _one_of(allowed),
            hint=closest(shop.rejoin, allowed),
        )


def _check_ways(shops: tuple[ShopSection, ...], models: list[str], problems: ProblemList) -> None:
    if not any(shop.kind is ShopKind.ASSEMBLY for shop in shops):
        problems.add("flow.shop", "no shop of kind assembly", "the assembly line, whose takt the plan works out")
    last = set()
    for model in models:
        route = [
            shop for shop in shops if shop.kind is not ShopKind.REWORK and (not shop.models or model in shop.models)
        ]
        if not any(shop.kind is ShopKind.ASSEMBLY for shop in route):
            problems.add("flow.shop", f"no assembly for {model}", "a way through the plant for every model")
        if route:
            last.add(route[-1].id)
    for shop in shops:
        if shop.id in last and shop.conveyor_places:
            problems.add(
                f"flow.shop.{shop.id}.conveyor_places", shop.conveyor_places, "nothing: cars leave the plant here"
            )


def _one_of(names: Iterable[str]) -> str:
    return ", ".join(names) or "(there is none)"
