"""A draw worked out the long way: on objects, from the moments at which each car left."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from coachbuilder.plant.flow import FlowInputs, engine, evaluate_draw
from coachbuilder.plant.flow.drawn.template import TAPER_SHARE
from coachbuilder.plant.flow.engine import kernels
from coachbuilder.plant.flow.interface import RampResult
from coachbuilder.plant.flow.loads import Setting, hours_per_year, stand_alone_rates
from coachbuilder.plant.flow.plant import Plant
from coachbuilder.plant.flow.ramp import reckoned, result_of, weeks_of
from coachbuilder.plant.flow.shops import plant_of
from coachbuilder.programme.sections.flow import Release


@dataclass(frozen=True, slots=True)
class Twin:
    """What a draw tells."""

    jph_by_model: tuple[float, ...]
    host_before_jph: float
    host_before_shop: str
    resident_units_lost_per_year: float
    ramp: RampResult


def departures(plant: Plant, seed: int, replication: int, until_s: float) -> NDArray[np.float64]:
    """Return (n, 2): when each car left, s, and its model."""
    rows = 4096
    while True:
        events = engine.trace(plant, seed=seed, replication=replication, until_s=until_s, rows=rows)
        if len(events) < rows:
            return np.asarray(events[events[:, 4] == kernels.LEFT][:, [0, 3]])
        rows *= 4


def tapered(moments_s: NDArray[np.float64], start_s: float, end_s: float) -> float:
    """Return cars a second: each car counts by how far inside the stretch it left, up to 1."""
    taper_s = TAPER_SHARE * (end_s - start_s)
    weights = np.clip(np.minimum(moments_s - start_s, end_s - moments_s) / taper_s, 0.0, 1.0)
    return float(weights.sum()) / (end_s - start_s - taper_s)


def setting_of(inputs: FlowInputs) -> Setting:
    """Return the plant with the guest as a draw has it."""
    return Setting(
        inputs.planned_units_per_year,
        inputs.assembly_takt_s + inputs.line_stop_s_per_car,
        guest_cycle_multiplier=inputs.ramp.plateau_cycle_multiplier,
    )


def rates_per_h(inputs: FlowInputs) -> NDArray[np.float64]:
    """Return (R, V) cars an hour of each run."""
    plant = plant_of(inputs, setting_of(inputs)).plant
    day_s = inputs.net_hours_per_day * 3600.0
    start_s = inputs.warm_up_days * day_s
    end_s = start_s + inputs.days * day_s
    rates = np.empty((inputs.replications, len(inputs.models)))
    for number in range(inputs.replications):
        left = departures(plant, inputs.seed, number, end_s)
        for model in range(len(inputs.models)):
            rates[number, model] = 3600.0 * tapered(left[left[:, 1] == model, 0], start_s, end_s)
    return rates * inputs.rate_correction


def twin_of(inputs: FlowInputs) -> Twin:
    """Return what a draw tells of some inputs."""
    guest = inputs.models.index(inputs.guest_model)
    planned, hours = inputs.planned_units_per_year, hours_per_year(inputs)
    by_model = rates_per_h(inputs).mean(axis=0)
    pushed = rates_per_h(replace(inputs, release=Release.PUSH)).mean(axis=0).sum()
    efficiency = pushed / min(stand_alone_rates(inputs, setting_of(inputs)).values())
    alone = tuple(0.0 if model == guest else units for model, units in enumerate(planned))
    before_jph, shop, before_units = 0.0, "", 0.0
    if any(alone):
        rates = stand_alone_rates(inputs, Setting(alone, inputs.resident_only_takt_s))
        shop = min(rates, key=rates.__getitem__)
        before_jph = efficiency * rates[shop]
        before_units = min(before_jph * hours, sum(alone))
    after_units = sum(min(by_model[model] * hours, units) for model, units in enumerate(alone))
    conversion = inputs.ramp.conversions[0] if inputs.ramp.conversions else None
    weeks = weeks_of(inputs, conversion)
    ramp = result_of(
        inputs,
        weeks,
        reckoned(inputs, weeks, efficiency=efficiency),
        conversion=conversion,
        resident_units_before=before_units,
        simulated=False,
    )
    return Twin(tuple(by_model.tolist()), before_jph, shop, max(0.0, before_units - after_units), ramp)


def assert_twin(inputs: FlowInputs) -> None:
    """Hold a draw against its twin."""
    found, expected = evaluate_draw(inputs), twin_of(inputs)
    assert [model.jph for model in found.models] == pytest.approx(expected.jph_by_model, rel=1e-9, abs=1e-9)
    assert found.jph == pytest.approx(sum(expected.jph_by_model), rel=1e-9)
    guest = inputs.models.index(inputs.guest_model)
    residents = sum(jph for model, jph in enumerate(expected.jph_by_model) if model != guest)
    assert found.resident_after.jph == pytest.approx(residents, rel=1e-9, abs=1e-9)
    assert found.resident_before.jph == pytest.approx(expected.host_before_jph, rel=1e-9)
    assert found.resident_before.bottleneck == expected.host_before_shop
    assert found.resident_units_lost_per_year == pytest.approx(expected.resident_units_lost_per_year, abs=1e-4)
    for field in fields(expected.ramp):
        own, other = getattr(found.ramp, field.name), getattr(expected.ramp, field.name)
        if isinstance(other, np.ndarray | float):
            np.testing.assert_allclose(own, other, rtol=1e-9, atol=1e-9, err_msg=field.name)
        else:
            assert own == other, field.name
