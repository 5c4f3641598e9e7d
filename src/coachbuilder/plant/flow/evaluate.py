"""Simulates the plant with and without the guest and says what it means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.answer import MachineAnswer, PlantAnswer
from coachbuilder.plant.flow.conclude import conclude
from coachbuilder.plant.flow.estimates import estimate_of
from coachbuilder.plant.flow.interface import (
    BufferResult,
    Conversion,
    FlowInputs,
    FlowResult,
    HostOutput,
    LineWork,
    MachineResult,
    ModelRate,
    RampAlternative,
    RampResult,
    ShopResult,
)
from coachbuilder.plant.flow.launch import simulated
from coachbuilder.plant.flow.loads import Setting, hours_per_year, own_rates
from coachbuilder.plant.flow.plant import MovingLine
from coachbuilder.plant.flow.ramp import result_of, weeks_of
from coachbuilder.plant.flow.record import PASSED, TESTED
from coachbuilder.plant.flow.shops import ShopsPlant, plant_of
from coachbuilder.plant.flow.simulate import BATCHES, Grid, replicate, runner_of


@dataclass(frozen=True, slots=True)
class _Case:
    """One plant, simulated."""

    inputs: FlowInputs
    setting: Setting
    made: ShopsPlant
    answer: PlantAnswer
    cars_per_h: NDArray[np.float64]
    """(R, V) cars that left an hour."""
    first_pass_yield: float | None
    """Share of cars that passed the test at the first try; None if none was tested."""

    @property
    def bottleneck_shop(self) -> str:
        station = self.made.plant.station(self.answer.bottleneck.station)
        return station.shop

    def rates(self, models: list[int]) -> NDArray[np.float64]:
        """Return jobs per hour of some models together, by replication."""
        return np.asarray(self.cars_per_h[:, models].sum(axis=1))


def evaluate(inputs: FlowInputs) -> FlowResult:
    """Simulate the plant with the guest, without it, and the launch between the two.

    All simulations use the same random streams machine by machine, so that their difference is the guest's doing and
    not luck's.

    Parameters
    ----------
    inputs
        The plant and what is asked of it; not quick.

    Returns
    -------
    FlowResult
        Rates with confidence intervals, where the time goes, the bottleneck, the host's own output before and after,
        and the launch.

    Raises
    ------
    ValueError
        If the inputs are quick: these are a draw's, see ``evaluate_draw``.

    Examples
    --------
    >>> from coachbuilder.plant.flow import evaluate, inputs_from
    >>> evaluate(inputs_from(programme, assembly_takt_s=60.0, ...)).bottleneck  # doctest: +SKIP
    'paint'
    """
    if inputs.quick:
        message = "quick inputs are for evaluate_draw"
        raise ValueError(message)
    guest = inputs.models.index(inputs.guest_model)
    residents = [model for model in range(len(inputs.models)) if model != guest]
    planned = inputs.planned_units_per_year
    plateau = inputs.ramp.plateau_cycle_multiplier
    with_guest = _simulate(
        inputs, Setting(planned, inputs.assembly_takt_s, guest_cycle_multiplier=plateau), inputs.line
    )
    alone = tuple(0.0 if model == guest else units for model, units in enumerate(planned))
    without = Setting(alone, inputs.resident_only_takt_s)
    if any(alone):
        before = _host_output(inputs, _simulate(inputs, without, inputs.resident_only_line), residents)
    else:
        before = HostOutput(0.0, None, 0.0, 0.0, "")
    after = _host_output(inputs, with_guest, residents)
    return _result(inputs, with_guest, before, after, _launches(inputs, before.units_per_year))


def _simulate(inputs: FlowInputs, setting: Setting, work: LineWork | None) -> _Case:
    made = plant_of(inputs, setting, work)
    day_s = inputs.net_hours_per_day * 3600.0
    grid = Grid(inputs.warm_up_days * day_s, inputs.days * day_s / BATCHES, BATCHES)
    runner = runner_of(made.plant, "event calendar")
    totals = replicate(made.plant, grid, runner, inputs.seed, 0, inputs.replications)
    answer = conclude(made.plant, totals, 0, warm_up_rule="given", engine=runner.name)
    cars = (totals.left[:, -1] - totals.left[:, 0]).astype(np.float64) * (3600.0 / totals.counted_s(0))
    counted = (totals.cars[-1] - totals.cars[0]).sum(axis=0)
    passed = float(counted[PASSED] / counted[TESTED]) if counted[TESTED] else None
    return _Case(inputs, setting, made, answer, cars, passed)


def _launches(inputs: FlowInputs, resident_units_before: float) -> tuple[RampResult, tuple[RampAlternative, ...]]:
    """Return the planned launch, and what other ways to convert the plant would make of it."""

    def launch(conversion: Conversion | None) -> RampResult:
        weeks = weeks_of(inputs, conversion)
        return result_of(
            inputs,
            weeks,
            simulated(inputs, weeks, replications=inputs.launch_replications),
            conversion=conversion,
            resident_units_before=resident_units_before,
            simulated=True,
        )

    ways = inputs.ramp.conversions
    planned = launch(ways[0] if ways else None)
    if not ways:
        return planned, ()
    others = [launch(way) for way in (*ways[1:], None)]
    return planned, tuple(
        RampAlternative(
            conversion=other.conversion,
            weeks_to_rate=other.weeks_to_rate,
            guest_units_first_year=other.guest_units_first_year,
            resident_units_lost_total=other.resident_units_lost_total,
            guest_units_lost_total=other.guest_units_lost_total,
        )
        for other in others
    )


def _host_output(inputs: FlowInputs, case: _Case, residents: list[int]) -> HostOutput:
    rates = case.rates(residents)
    hours = hours_per_year(inputs)
    built = sum(
        min(float(case.rates([model]).mean()) * hours, inputs.planned_units_per_year[model]) for model in residents
    )
    return HostOutput(
        jph=float(rates.mean()),
        jph_ci95=estimate_of(rates).ci95,
        capacity_units_per_year=float(rates.mean()) * hours,
        units_per_year=built,
        bottleneck=case.bottleneck_shop,
    )


def _result(
    inputs: FlowInputs,
    case: _Case,
    before: HostOutput,
    after: HostOutput,
    launches: tuple[RampResult, tuple[RampAlternative, ...]],
) -> FlowResult:
    answer, made = case.answer, case.made
    guest = inputs.models.index(inputs.guest_model)
    hours = hours_per_year(inputs)
    rates = case.rates(list(range(len(inputs.models))))
    models = tuple(_model_rate(inputs, case, model) for model in range(len(inputs.models)))
    jph = float(rates.mean())
    buffers = tuple(
        BufferResult(item.id, before_shop, behind, item.places, item.mean_level)
        for item, (before_shop, behind) in zip(answer.buffers, made.ends, strict=True)
    )
    machines = tuple(_machine_result(case, machine) for machine in answer.machines)
    stops_s = dict.fromkeys((item.id.rpartition(".")[0] for item in answer.places), 0.0)
    for item in answer.places:
        stops_s[item.id.rpartition(".")[0]] += item.stop_s_per_car
    bottleneck = case.bottleneck_shop
    active = next(item for item in answer.bottleneck.stations if item.station == answer.bottleneck.station)
    ramp, alternatives = launches
    return FlowResult(
        jph=jph,
        jph_ci95=estimate_of(rates).ci95,
        planned_jph=sum(inputs.planned_units_per_year) / hours,
        models=models,
        guest_share=models[guest].jph / jph if jph > 0.0 else 0.0,
        guest_capacity_units_per_year=models[guest].capacity_units_per_year,
        guest_units_per_year=models[guest].units_per_year,
        shops=_shop_results(case, machines, buffers),
        machines=machines,
        buffers=buffers,
        bottleneck=bottleneck,
        bottleneck_name=made.plant.shop_names[bottleneck],
        bottleneck_machine=answer.bottleneck.machine,
        bottleneck_active_share=active.active_share,
        overload_s_per_car=sum(item.overload_s_per_car for item in answer.places),
        line_stop_s_per_car=max(stops_s.values(), default=0.0),
        work_in_progress_cars=answer.work_in_progress_cars.mean,
        lead_time_h=None if answer.lead_time_s is None else answer.lead_time_s.mean / 3600.0,
        first_pass_yield=case.first_pass_yield,
        scrapped_share=answer.scrapped_share,
        resident_before=before,
        resident_after=after,
        resident_units_lost_per_year=max(0.0, before.units_per_year - after.units_per_year),
        ramp=ramp,
        ramp_alternatives=alternatives,
        deadlock=answer.standstill,
        cars_at_start=sum(item.cars_at_start for item in answer.models),
        cars_in=sum(item.cars_in for item in answer.models),
        cars_out=sum(item.cars_out for item in answer.models),
        cars_scrapped=sum(item.cars_given_up for item in answer.models),
        cars_inside=sum(item.cars_inside for item in answer.models),
        simulated_hours=answer.counted_s / 3600.0 * inputs.replications,
        replications=inputs.replications,
        conventions=answer.conventions,
    )


def _model_rate(inputs: FlowInputs, case: _Case, model: int) -> ModelRate:
    rates = case.rates([model])
    capacity = float(rates.mean()) * hours_per_year(inputs)
    planned = inputs.planned_units_per_year[model]
    return ModelRate(
        id=inputs.models[model],
        jph=float(rates.mean()),
        jph_ci95=estimate_of(rates).ci95,
        planned_units_per_year=planned,
        capacity_units_per_year=capacity,
        units_per_year=min(planned, capacity),
    )


def _machine_result(case: _Case, machine: MachineAnswer) -> MachineResult:
    working, starved = machine.utilisation, machine.starved
    if isinstance(case.made.plant.station(machine.station), MovingLine):
        # A line moves on with empty places; they count as places without a car.
        active = next(item for item in case.answer.bottleneck.stations if item.station == machine.station).active_share
        working = max(0.0, active - machine.down - machine.stopped)
        starved = max(0.0, 1.0 - working - machine.down - machine.blocked - machine.stopped)
    return MachineResult(
        id=machine.id,
        shop=machine.shop,
        jph=machine.jph.mean,
        working_share=working,
        down_share=machine.down,
        blocked_share=machine.blocked,
        stopped_share=machine.stopped,
        starved_share=starved,
        active_period_s=machine.active_period_s,
    )


def _shop_results(
    case: _Case, machines: tuple[MachineResult, ...], buffers: tuple[BufferResult, ...]
) -> tuple[ShopResult, ...]:
    alone = own_rates(case.inputs, case.setting)
    on_lines = _cars_on_lines(case, machines, buffers)
    station_of = {item.id: item.station for item in case.answer.machines}
    results = []
    for shop in case.made.shops:
        own = [machine for machine in machines if machine.shop == shop.id]
        last = f"{shop.id}.{shop.stages}"
        count = len(own)
        inside = on_lines.get(shop.id, 0.0)
        if not inside:
            inside = sum(machine.working_share + machine.down_share + machine.blocked_share for machine in own)
        results.append(
            ShopResult(
                id=shop.id,
                name=shop.name,
                kind=shop.kind,
                jph=sum(machine.jph for machine in own if station_of[machine.id] == last),
                stand_alone_jph=alone[shop.id],
                working_share=sum(machine.working_share for machine in own) / count,
                down_share=sum(machine.down_share for machine in own) / count,
                blocked_share=sum(machine.blocked_share for machine in own) / count,
                stopped_share=sum(machine.stopped_share for machine in own) / count,
                starved_share=sum(machine.starved_share for machine in own) / count,
                busiest_machine=max(own, key=_busy).id,
                mean_cars=inside + sum(buffer.mean_level for buffer in buffers if buffer.from_shop == shop.id),
            )
        )
    return tuple(results)


def _busy(machine: MachineResult) -> float:
    return machine.working_share + machine.down_share + machine.stopped_share


def _cars_on_lines(
    case: _Case, machines: tuple[MachineResult, ...], buffers: tuple[BufferResult, ...]
) -> dict[str, float]:
    """Return the cars on the moving lines of every shop: those that are neither in machines nor in buffers.

    Among several such shops they are shared out by places times cars an hour.
    """
    lines = {item.id: item for item in case.made.plant.stations if isinstance(item, MovingLine)}
    elsewhere = sum(buffer.mean_level for buffer in buffers) + sum(
        machine.working_share + machine.down_share + machine.blocked_share
        for machine in machines
        if machine.id not in lines
    )
    weights: dict[str, float] = {}
    for machine in machines:
        if machine.id in lines:
            weights[machine.shop] = weights.get(machine.shop, 0.0) + lines[machine.id].stations * machine.jph
    total = sum(weights.values())
    left = max(0.0, case.answer.work_in_progress_cars.mean - elsewhere)
    return {shop: left * weight / total for shop, weight in weights.items()} if total > 0.0 else {}
