"""Many draws of one car: what the risk stage asks of each, its traces driven all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.vehicle.batch import energies_kwh_per_100km, seconds
from coachbuilder.vehicle.evaluate import CYCLES, epa_label_range_km
from coachbuilder.vehicle.parameters import car_row, pack_rows
from coachbuilder.vehicle.performance import FULL_POWER_CHARGE, fast_charge

if TYPE_CHECKING:
    from coachbuilder.vehicle.interface import VehicleInputs

AGREED = 1e-8
"""How closely states of charge are worked out."""


@dataclass(frozen=True, slots=True)
class DrawnCar:
    """What the later stages and the risk stage take from a car; fields as in :class:`VehicleResult`."""

    epa_label_range_km: float | None
    """EPA label range; None if the car misses one of its traces."""
    wltp_range_km: float | None
    """WLTP range; likewise."""
    cltc_range_km: float | None
    """CLTC range; likewise."""
    zero_to_100_s: float | None
    """0-100 km/h; None if 100 km/h is not reached."""
    charge_10_80_min: float | None
    """Fast charge; None if the cells reach their highest voltage before."""
    parts_cost_cny: float
    """All parts."""
    parts_cost_by_item_cny: Mapping[str, float]
    """Parts by item."""


def evaluate_draws(inputs: Sequence[VehicleInputs]) -> list[DrawnCar]:
    """Return what :func:`coachbuilder.vehicle.evaluate` finds of each car, as far as a draw is asked for it.

    The traces are driven by the kernel of many cars, whose energies agree with those driven second by second to 1e-11.
    The threads of the processor are left to other draws.

    Parameters
    ----------
    inputs
        The cars.

    Examples
    --------
    >>> from coachbuilder.vehicle import generic_car
    >>> light, heavy = evaluate_draws([generic_car(test_mass_kg=1700), generic_car(test_mass_kg=2100)])
    >>> light.cltc_range_km > heavy.cltc_range_km
    True
    """
    if not inputs:
        return []
    rows = np.array([car_row(car) for car in inputs])
    packs = np.array([pack_rows(car) for car in inputs])
    found: dict[str, list[float | None]] = {}
    for cycle in CYCLES:
        kwh_per_100km, missed = energies_kwh_per_100km(rows, packs, cycle, threads=1, agreed=AGREED)
        found[cycle] = _or_none(kwh_per_100km, ~missed & (kwh_per_100km > 0.0))
    at_full_power = [(car.pack.voltage_v(FULL_POWER_CHARGE), car.pack.resistance(FULL_POWER_CHARGE)) for car in inputs]
    zero_to_100_s = seconds(np.hstack([rows, np.array(at_full_power)]), threads=1)[:, 0]
    udds, hwfet, wltc, cltc = (found[cycle] for cycle in CYCLES)
    cars = []
    for car, city, highway, time_s, wltp, china in zip(
        inputs, udds, hwfet, _or_none(zero_to_100_s, np.isfinite(zero_to_100_s)), wltc, cltc, strict=True
    ):
        label = city is not None and highway is not None
        cars.append(
            DrawnCar(
                epa_label_range_km=epa_label_range_km(car.usable_kwh, city, highway) if label else None,
                wltp_range_km=None if wltp is None else 100 * car.usable_kwh / wltp,
                cltc_range_km=None if china is None else 100 * car.usable_kwh / china,
                zero_to_100_s=time_s,
                charge_10_80_min=fast_charge(car, 0.1, 0.8).minutes,
                parts_cost_cny=sum(car.parts_cost_by_item_cny.values()),
                parts_cost_by_item_cny=car.parts_cost_by_item_cny,
            )
        )
    return cars


def _or_none(values: NDArray[np.float64], is_known: NDArray[np.bool_]) -> list[float | None]:
    return [value if known else None for value, known in zip(values.tolist(), is_known.tolist(), strict=True)]
