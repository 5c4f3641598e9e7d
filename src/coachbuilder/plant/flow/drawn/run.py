"""The plant in one draw of the risk stage.

Draws differ in figures only, so that the arrays of the event calendar are built once for a structure and new figures
are written into them; the launch is reckoned in a kernel, and what nobody asks of a draw is not worked out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.drawn.template import Runs, Template, template_of
from coachbuilder.plant.flow.estimates import estimate_of
from coachbuilder.plant.flow.interface import FlowInputs, FlowResult, HostOutput, ModelRate, RampResult
from coachbuilder.plant.flow.loads import hours_per_year
from coachbuilder.plant.flow.ramp import RATE_REACHED, WEEKS_PER_YEAR
from coachbuilder.programme.sections.flow import Release

F8 = NDArray[np.float64]


def evaluate_draw(inputs: FlowInputs) -> FlowResult:
    """Rate the plant with the guest from a short simulation, and reckon the rest from that.

    The host without the guest and the launch are what the tightest shop allows, times the share of that figure which
    the simulated plant reached. Cars that leave near the beginning and the end of the simulation count in parts, so
    that rates move with the figures without steps; see ``kernels.cars_per_s``.

    Left empty is what explains a plant rather than rates it: shops, machines, buffers, the bottleneck, work in
    progress, lead time, counts of cars and conventions.

    Parameters
    ----------
    inputs
        Quick inputs.

    Raises
    ------
    ValueError
        If the inputs are not quick.
    RuntimeError
        If cars are lost or multiply, or a run does not come to its end: a fault of ours.
    """
    if not inputs.quick:
        message = "a draw takes quick inputs"
        raise ValueError(message)
    models = range(len(inputs.models))
    guest = inputs.models.index(inputs.guest_model)
    planned = inputs.planned_units_per_year
    to_jph = inputs.rate_correction * 3600.0
    template = template_of(inputs, inputs.release)
    runs = template.run(inputs)
    rates = runs.cars_per_s * to_jph
    pushed = rates
    if inputs.release is not Release.PUSH:
        pushed = template_of(inputs, Release.PUSH).run(inputs).cars_per_s * to_jph
    efficiency = float(pushed.sum()) / inputs.replications / runs.tightest_per_h
    hours = hours_per_year(inputs)
    before = HostOutput(0.0, None, 0.0, 0.0, "")
    if runs.alone_shop >= 0:
        residents = sum(units for model, units in enumerate(planned) if model != guest)
        capacity = efficiency * runs.alone_per_h * hours
        shop = inputs.shops[runs.alone_shop].id
        before = HostOutput(efficiency * runs.alone_per_h, None, capacity, min(capacity, residents), shop)
    results = tuple(_model_rate(inputs, rates[:, model], model, hours) for model in models)
    everything = rates.sum(axis=1)
    by_residents = everything - rates[:, guest]
    after = HostOutput(
        jph=_mean(by_residents),
        jph_ci95=_ci95(by_residents),
        capacity_units_per_year=_mean(by_residents) * hours,
        units_per_year=sum(result.units_per_year for model, result in enumerate(results) if model != guest),
        bottleneck="",
    )
    jph = _mean(everything)
    return FlowResult(
        jph=jph,
        jph_ci95=_ci95(everything),
        planned_jph=sum(planned) / hours,
        models=results,
        guest_share=results[guest].jph / jph if jph > 0.0 else 0.0,
        guest_capacity_units_per_year=results[guest].capacity_units_per_year,
        guest_units_per_year=results[guest].units_per_year,
        shops=(),
        machines=(),
        buffers=(),
        bottleneck="",
        bottleneck_name="",
        bottleneck_machine="",
        bottleneck_active_share=0.0,
        overload_s_per_car=0.0,
        line_stop_s_per_car=0.0,
        work_in_progress_cars=0.0,
        lead_time_h=None,
        first_pass_yield=runs.passed / runs.tested if runs.tested else None,
        scrapped_share=0.0,
        resident_before=before,
        resident_after=after,
        resident_units_lost_per_year=max(0.0, before.units_per_year - after.units_per_year),
        ramp=_launched(inputs, template, runs, efficiency, before.units_per_year),
        ramp_alternatives=(),
        deadlock="",
        cars_at_start=0,
        cars_in=0,
        cars_out=0,
        cars_scrapped=0,
        cars_inside=0,
        simulated_hours=inputs.days * inputs.net_hours_per_day * inputs.replications,
        replications=inputs.replications,
        conventions=(),
    )


def _mean(rates: F8) -> float:
    return float(rates.sum()) / rates.size


def _ci95(rates: F8) -> float | None:
    return estimate_of(rates).ci95 if rates.size > 1 else None


def _model_rate(inputs: FlowInputs, rates: F8, model: int, hours: float) -> ModelRate:
    jph = _mean(rates)
    planned = inputs.planned_units_per_year[model]
    return ModelRate(
        id=inputs.models[model],
        jph=jph,
        jph_ci95=_ci95(rates),
        planned_units_per_year=planned,
        capacity_units_per_year=jph * hours,
        units_per_year=min(planned, jph * hours),
    )


def _launched(
    inputs: FlowInputs, template: Template, runs: Runs, efficiency: float, resident_units_before: float
) -> RampResult:
    """Return the planned launch as it is reckoned; see ``ramp.reckoned`` and ``ramp.result_of``."""
    from coachbuilder.plant.flow.drawn import kernels

    ramp = inputs.ramp
    guest = inputs.models.index(inputs.guest_model)
    conversion = ramp.conversions[0] if ramp.conversions else None
    converting = (0.0, 0.0, 1.0)
    if conversion is not None:
        last = conversion.first_week + conversion.weeks
        converting = (conversion.first_week, last, conversion.line_speed_share)
    mature = next((shop.first_pass_yield[guest] for shop in inputs.shops if shop.rework and shop.passes[guest]), -1.0)
    planned_week = inputs.planned_units_per_year[guest] / WEEKS_PER_YEAR
    learning = np.array(
        [
            ramp.pilot_units_per_week if planned_week > 0.0 else 0.0,
            ramp.learning_reference_units,
            ramp.learning_rate,
            ramp.plateau_cycle_multiplier,
            ramp.initial_cycle_multiplier - ramp.plateau_cycle_multiplier,
            mature,
            ramp.initial_first_pass_yield,
            ramp.initial_failure_multiplier,
        ]
    )
    steps = [(step.weeks, step.guest_rate_share, step.line_speed_share) for step in ramp.steps]
    course = np.empty((kernels.WEEK_ROWS, ramp.weeks))
    kernels.launch(
        template.shops,
        runs.figures,
        runs.load,
        np.array(inputs.planned_units_per_year),
        inputs.assembly_takt_s,
        efficiency * hours_per_year(inputs) / WEEKS_PER_YEAR * 3600.0,
        resident_units_before / WEEKS_PER_YEAR,
        learning,
        ramp.pilot_weeks,
        np.array(steps, dtype=np.float64).reshape(-1, 3),
        np.array(converting),
        course,
    )
    production = course[kernels.GUEST, ramp.pilot_weeks :]
    reached = np.flatnonzero(production >= RATE_REACHED * planned_week) if planned_week > 0.0 else np.array([])
    first_year = production[:WEEKS_PER_YEAR]
    missing = WEEKS_PER_YEAR - first_year.size
    names = (*(shop.id for shop in inputs.shops), "")
    return RampResult(
        week=np.arange(1, ramp.weeks + 1),
        guest_units=course[kernels.GUEST],
        resident_units=course[kernels.RESIDENT],
        resident_units_lost=course[kernels.RESIDENT_LOST],
        guest_units_lost=course[kernels.GUEST_LOST],
        first_pass_yield=course[kernels.YIELD],
        cycle_multiplier=course[kernels.CYCLE],
        failure_multiplier=course[kernels.FAILURES],
        line_speed_share=course[kernels.SPEED],
        # No limit is -1: the last name, which is empty.
        limiting_shop=tuple([names[row] for row in course[kernels.LIMIT].astype(np.int64).tolist()]),
        start_of_production_week=ramp.pilot_weeks + 1,
        weeks_to_rate=int(reached[0]) + 1 if reached.size else None,
        guest_units_first_year=float(first_year.sum()) + missing * (float(first_year[-1]) if first_year.size else 0.0),
        resident_units_lost_total=float(course[kernels.RESIDENT_LOST].sum()),
        guest_units_lost_total=float(course[kernels.GUEST_LOST].sum()),
        conversion="" if conversion is None else conversion.name,
        simulated=False,
    )
