"""Simulates the plant with and without the guest and says what it means."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.interface import (
    BufferResult,
    FlowInputs,
    FlowResult,
    HostOutput,
    MachineResult,
    ModelRate,
    ShopResult,
)
from coachbuilder.plant.flow.loads import Setting, hours_per_year, own_rates, stand_alone_rates
from coachbuilder.plant.flow.network import PlantNetwork, build
from coachbuilder.plant.flow.ramp import launch
from coachbuilder.plant.flow.simulation import Runs, half_width_95, run
from coachbuilder.programme.sections.flow import Release


@dataclass(frozen=True, slots=True)
class _Case:
    """One plant, simulated."""

    inputs: FlowInputs
    setting: Setting
    plant: PlantNetwork
    runs: Runs
    machines: tuple[MachineResult, ...]
    busiest: MachineResult

    @property
    def counted_h(self) -> float:
        return self.runs.counted_s / 3600.0

    def rates(self, models: list[int]) -> NDArray[np.float64]:
        """Return jobs per hour of some models together, by replication."""
        cars = self.runs.cars[:, models, 3].sum(axis=1)
        return np.asarray(cars * (self.inputs.rate_correction / self.counted_h))


def evaluate(inputs: FlowInputs) -> FlowResult:
    """Simulate the plant with the guest, without it, and tell the launch between the two.

    Both simulations use the same random streams machine by machine, so that their difference is the guest's doing and
    not luck's.

    Parameters
    ----------
    inputs
        The plant and what is asked of it.

    Returns
    -------
    FlowResult
        Rates with confidence intervals, where the time goes, the bottleneck, the host's own output before and after,
        and the launch.

    Examples
    --------
    >>> from coachbuilder.plant.flow import evaluate, inputs_from
    >>> evaluate(inputs_from(programme, assembly_takt_s=60.0, ...)).bottleneck  # doctest: +SKIP
    'paint'
    """
    guest = inputs.models.index(inputs.guest_model)
    residents = [model for model in range(len(inputs.models)) if model != guest]
    planned = inputs.planned_units_per_year
    with_guest = _simulate(
        inputs,
        Setting(planned, inputs.assembly_takt_s, guest_cycle_multiplier=inputs.ramp.plateau_cycle_multiplier),
    )
    alone = tuple(0.0 if model == guest else units for model, units in enumerate(planned))
    efficiency = _efficiency(with_guest)
    if not any(alone):
        before = HostOutput(0.0, None, 0.0, 0.0, "")
    elif inputs.quick:
        before = _host_output_without_run(inputs, Setting(alone, inputs.resident_only_takt_s), efficiency)
    else:
        before = _host_output(inputs, _simulate(inputs, Setting(alone, inputs.resident_only_takt_s)), residents)
    after = _host_output(inputs, with_guest, residents)
    return _result(inputs, with_guest, before, after, efficiency)


def _simulate(inputs: FlowInputs, setting: Setting) -> _Case:
    plant = build(inputs, setting)
    day_s = inputs.net_hours_per_day * 3600.0
    runs = run(
        plant.network,
        replications=inputs.replications,
        warm_up_s=inputs.warm_up_days * day_s,
        counted_s=inputs.days * day_s,
    )
    shares = runs.machine[:, :3] / runs.counted_s
    machines = tuple(
        MachineResult(
            id=name,
            shop=plant.shops[shop].id,
            jph=finished * 3600.0 / runs.counted_s,
            working_share=working,
            down_share=down,
            blocked_share=blocked,
            starved_share=max(0.0, 1.0 - working - down - blocked),
            active_period_s=active,
        )
        for name, shop, (working, down, blocked), (active, finished) in zip(
            plant.machine_names, plant.machine_shop, shares.tolist(), runs.machine[:, 3:].tolist(), strict=True
        )
    )
    busiest = max(machines, key=lambda machine: machine.working_share + machine.down_share)
    return _Case(inputs, setting, plant, runs, machines, busiest)


def _host_output(inputs: FlowInputs, case: _Case, residents: list[int]) -> HostOutput:
    rates = case.rates(residents)
    hours = hours_per_year(inputs)
    built = sum(
        min(float(case.rates([model]).mean()) * hours, inputs.planned_units_per_year[model]) for model in residents
    )
    return HostOutput(
        jph=float(rates.mean()),
        jph_ci95=half_width_95(rates),
        capacity_units_per_year=float(rates.mean()) * hours,
        units_per_year=built,
        bottleneck=case.busiest.shop,
    )


def _host_output_without_run(inputs: FlowInputs, setting: Setting, efficiency: float) -> HostOutput:
    """Return the host's output without the guest from the efficiency of the plant that was simulated."""
    rates = stand_alone_rates(inputs, setting)
    shop = min(rates, key=rates.__getitem__)
    capacity = efficiency * rates[shop] * hours_per_year(inputs)
    return HostOutput(
        jph=efficiency * rates[shop],
        jph_ci95=None,
        capacity_units_per_year=capacity,
        units_per_year=min(capacity, sum(setting.units_per_year)),
        bottleneck=shop,
    )


def _efficiency(case: _Case) -> float:
    """Return the simulated rate at full push over what the tightest shop could do alone."""
    if case.inputs.release is not Release.PUSH:
        case = _simulate(replace(case.inputs, release=Release.PUSH), case.setting)
    everything = list(range(len(case.inputs.models)))
    return float(case.rates(everything).mean()) / min(stand_alone_rates(case.inputs, case.setting).values())


def _result(inputs: FlowInputs, case: _Case, before: HostOutput, after: HostOutput, efficiency: float) -> FlowResult:
    runs = case.runs
    guest = inputs.models.index(inputs.guest_model)
    hours = hours_per_year(inputs)
    rates = case.rates(list(range(len(inputs.models))))
    models = tuple(_model_rate(inputs, case, model) for model in range(len(inputs.models)))
    jph = float(rates.mean())
    left = int(runs.cars[:, :, 3].sum())
    tested = int(runs.cars[:, :, 4].sum())
    buffers = tuple(
        BufferResult(name, before_shop, behind, places, float(runs.lane[row]) / runs.counted_s)
        for name, before_shop, behind, places, row in case.plant.buffers
    )
    shops = _shop_results(case, buffers)
    return FlowResult(
        jph=jph,
        jph_ci95=half_width_95(rates),
        planned_jph=sum(inputs.planned_units_per_year) / hours,
        models=models,
        guest_share=models[guest].jph / jph if jph > 0.0 else 0.0,
        guest_capacity_units_per_year=models[guest].capacity_units_per_year,
        guest_units_per_year=models[guest].units_per_year,
        shops=shops,
        machines=case.machines,
        buffers=buffers,
        bottleneck=case.busiest.shop,
        bottleneck_name=next(shop.name for shop in shops if shop.id == case.busiest.shop),
        bottleneck_machine=case.busiest.id,
        bottleneck_active_share=case.busiest.working_share + case.busiest.down_share,
        work_in_progress_cars=float(runs.totals[:, 0].mean()) / runs.counted_s,
        lead_time_h=float(runs.totals[:, 1].sum()) / left / 3600.0 if left else None,
        first_pass_yield=int(runs.cars[:, :, 5].sum()) / tested if tested else None,
        scrapped_share=float(runs.totals[:, 2].sum()) / left if left else 0.0,
        resident_before=before,
        resident_after=after,
        resident_units_lost_per_year=max(0.0, before.units_per_year - after.units_per_year),
        ramp=launch(inputs, efficiency=efficiency, resident_units_before=before.units_per_year),
        deadlock=_deadlock(case),
        cars_at_start=int(runs.ends[:, 2].sum()),
        cars_in=int(runs.cars[:, :, 0].sum() - runs.ends[:, 2].sum()),
        cars_out=int(runs.cars[:, :, 1].sum()),
        cars_scrapped=int(runs.cars[:, :, 2].sum()),
        cars_inside=int((runs.cars[:, :, 0] - runs.cars[:, :, 1] - runs.cars[:, :, 2]).sum()),
        simulated_hours=case.counted_h * inputs.replications,
        replications=inputs.replications,
    )


def _model_rate(inputs: FlowInputs, case: _Case, model: int) -> ModelRate:
    rates = case.rates([model])
    capacity = float(rates.mean()) * hours_per_year(inputs)
    planned = inputs.planned_units_per_year[model]
    return ModelRate(
        id=inputs.models[model],
        jph=float(rates.mean()),
        jph_ci95=half_width_95(rates),
        planned_units_per_year=planned,
        capacity_units_per_year=capacity,
        units_per_year=min(planned, capacity),
    )


def _shop_results(case: _Case, buffers: tuple[BufferResult, ...]) -> tuple[ShopResult, ...]:
    alone = own_rates(case.inputs, case.setting)
    results = []
    for index, shop in enumerate(case.plant.shops):
        rows = [row for row, owner in enumerate(case.plant.machine_shop) if owner == index]
        machines = [case.machines[row] for row in rows]
        count = len(machines)
        working = sum(machine.working_share for machine in machines)
        down = sum(machine.down_share for machine in machines)
        blocked = sum(machine.blocked_share for machine in machines)
        results.append(
            ShopResult(
                id=shop.id,
                name=shop.name,
                kind=shop.kind,
                jph=sum(case.machines[row].jph for row in rows if case.plant.last_stage[row]),
                stand_alone_jph=alone[shop.id],
                working_share=working / count,
                down_share=down / count,
                blocked_share=blocked / count,
                starved_share=max(0.0, 1.0 - (working + down + blocked) / count),
                busiest_machine=max(machines, key=lambda machine: machine.working_share + machine.down_share).id,
                mean_cars=working
                + down
                + blocked
                + sum(buffer.mean_level for buffer in buffers if buffer.from_shop == shop.id),
            )
        )
    return tuple(results)


def _deadlock(case: _Case) -> str:
    stuck = np.flatnonzero(case.runs.ends[:, 0] == 1)
    if not stuck.size:
        return ""
    run_index = int(stuck[0])
    shop = case.plant.shops[case.plant.cell_shop[int(case.runs.ends[run_index, 1])]]
    day_s = case.inputs.net_hours_per_day * 3600.0
    return (
        f"{stuck.size} of {case.inputs.replications} runs stand still for good, the first on day "
        f"{case.runs.stuck_s[run_index] / day_s:.1f}: {shop.name} and the shops of its rework loop wait for each "
        "other's places; more places in front of rework, more rework, or a higher first-pass yield would free them"
    )
