"""Many designs at once: the programme's car with other sizes of pack, drive and gear, on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme.assumption import Assumption
from coachbuilder.programme.errors import InputError, Problem
from coachbuilder.programme.sections.vehicle import Chemistry, DrivenAxle, RangeProcedure
from coachbuilder.vehicle.evaluate import CLTC, WLTC
from coachbuilder.vehicle.inputs import inputs_from
from coachbuilder.vehicle.parameters import JOULES_PER_KWH, LEAST_MISSED_W, car_row, pack_rows, trace_terms
from coachbuilder.vehicle.performance import FULL_POWER_CHARGE, SPEED_STEPS
from coachbuilder.vehicle.procedures import EPA_ADJUSTMENT, EPA_CITY_SHARE
from coachbuilder.vehicle.traces import trace

if TYPE_CHECKING:
    from coachbuilder.programme import Programme
    from coachbuilder.vehicle.interface import VehicleInputs

START_CHARGE = 0.5
"""State of charge at the start of a trace, as in :func:`coachbuilder.vehicle.cycle_energy`."""
ZERO_TO_100_MPS = ((0.0, 100 / 3.6),)
SLICE = 1024
"""Most designs that a thread takes at once."""
LEAST_SLICE = 128
"""Fewest designs for which a second thread is worth its start."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChemistryFigures:
    """A pack of another chemistry than the programme's, of the same gross energy as the programme's."""

    kg_per_kwh: float
    """Mass of the pack per gross energy."""
    pack_usd_per_kwh: float
    """Its price per gross energy."""
    usable_share: float
    """Share of gross energy that the driver can use."""
    series_cells: float
    """Cells in series."""
    parallel_cells: float
    """Cells side by side."""
    cell_resistance_ohm: float
    """One cell's resistance at half charge and 25 °C."""
    cell_lowest_v: float
    """Voltage below which a cell is not pulled."""
    cell_highest_v: float
    """Voltage above which a cell is not pushed."""
    discharge_per_h: float
    """Largest current out of the pack over its charge."""
    recharge_per_h: float
    """Largest current into the pack while driving over its charge."""


@dataclass(frozen=True, slots=True)
class LayoutFigures:
    """Driven axles other than the programme's."""

    front_torque_share: float | None
    """Share of the torque at the front axle with all-wheel drive; None else."""
    front_weight_share: float
    """Weight on the front axle at standstill."""
    drag_in_drive_n: float
    """Drag at the wheels of the energised drive."""
    mass_kg_per_kw: float
    """Mass of motors, inverters and gears per peak power."""
    drive_cny_per_kw: float
    """Their price per peak power."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What a design chooses from a list; without figures the programme's own hold."""

    chemistry: Chemistry
    """Cathode of the cells."""
    driven_axle: DrivenAxle
    """Axle that the motors drive."""
    chemistry_figures: ChemistryFigures | None = None
    """The pack's."""
    layout_figures: LayoutFigures | None = None
    """The driven axles'."""


@dataclass(frozen=True, slots=True)
class Family:
    """Cars that differ in the sizes of pack, drive and gear only; mass and cost are straight lines in them."""

    variant: Variant
    """Their chemistry and driven axle."""
    inputs: VehicleInputs
    """The one with the programme's sizes."""
    row: Numbers
    """Its parameters, shape (PARAMETERS,)."""
    pack: Numbers
    """Its open-circuit voltage and resistance, shape (2, NODES)."""
    kg_per_kwh: float
    """Curb mass per gross energy, what carries it with it."""
    kg_per_kw: float
    """Curb mass per peak power, what carries it with it."""
    cny_per_kwh: float
    """Parts cost per gross energy, what carries it with it."""
    cny_per_kw: float
    """Parts cost per peak power, what carries it with it."""

    @property
    def usable_share(self) -> float:
        """Usable over gross energy."""
        return self.inputs.usable_kwh / self.inputs.gross_kwh

    def curb_mass_kg(self, gross_kwh: Numbers, peak_kw: Numbers) -> Numbers:
        """Return the mass of cars of these sizes, ready to drive and empty."""
        more_kwh, more_kw = self._more(gross_kwh, peak_kw)
        return self.inputs.curb_mass_kg + self.kg_per_kwh * more_kwh + self.kg_per_kw * more_kw

    def parts_cost_cny(self, gross_kwh: Numbers, peak_kw: Numbers) -> Numbers:
        """Return the cost of all parts of cars of these sizes."""
        more_kwh, more_kw = self._more(gross_kwh, peak_kw)
        own = sum(self.inputs.parts_cost_by_item_cny.values())
        return own + self.cny_per_kwh * more_kwh + self.cny_per_kw * more_kw

    def _more(self, gross_kwh: Numbers, peak_kw: Numbers) -> tuple[Numbers, Numbers]:
        return gross_kwh - self.inputs.gross_kwh, peak_kw - self.inputs.powertrain.peak_kw


@dataclass(frozen=True, slots=True)
class Figures:
    """What designs are; arrays of shape (n,)."""

    curb_mass_kg: Numbers
    """Ready to drive, empty."""
    parts_cost_cny: Numbers
    """All parts."""
    range_km: Numbers
    """By the procedure asked for; NaN if a trace is missed."""
    undisturbed_range_km: Numbers
    """The same without regard to a missed trace: smooth."""
    zero_to_100_s: Numbers
    """Infinite if 100 km/h is not reached."""
    top_speed_kmh: Numbers
    """On the level."""


def family_of(programme: Programme, variant: Variant, *, cny_per_usd: float) -> Family:
    """Return the cars that a programme's car becomes with other sizes.

    Parameters
    ----------
    programme
        The programme.
    variant
        Chemistry and driven axle.
    cny_per_usd
        Exchange rate for parts priced in USD.

    Raises
    ------
    InputError
        If the car's numbers do not go together.
    """

    def sized(times_kwh: float, times_kw: float) -> VehicleInputs:
        section = programme.document.vehicle
        changed = resized(
            programme,
            variant,
            gross_kwh=times_kwh * section.battery.gross_kwh.value,
            peak_kw=times_kw * section.motor.peak_kw.value,
            gear_ratio=section.motor.gear_ratio.value,
        )
        return inputs_from(changed, cny_per_usd=cny_per_usd)

    own, more_kwh, more_of_both = sized(1.0, 1.0), sized(2.0, 1.0), sized(2.0, 2.0)

    def cost(inputs: VehicleInputs) -> float:
        return sum(inputs.parts_cost_by_item_cny.values())

    return Family(
        variant=variant,
        inputs=own,
        row=car_row(own),
        pack=pack_rows(own),
        kg_per_kwh=(more_kwh.curb_mass_kg - own.curb_mass_kg) / own.gross_kwh,
        kg_per_kw=(more_of_both.curb_mass_kg - more_kwh.curb_mass_kg) / own.powertrain.peak_kw,
        cny_per_kwh=(cost(more_kwh) - cost(own)) / own.gross_kwh,
        cny_per_kw=(cost(more_of_both) - cost(more_kwh)) / own.powertrain.peak_kw,
    )


def resized(
    programme: Programme, variant: Variant, *, gross_kwh: float, peak_kw: float, gear_ratio: float
) -> Programme:
    """Put a design back into its programme.

    Peak torque follows peak power; a larger pack has larger cells, of less resistance; the body gains mass with what it
    carries; a coast-down's rolling part follows the mass in the test.

    Parameters
    ----------
    programme
        The programme.
    variant
        Chemistry and driven axle.
    gross_kwh
        Energy of all cells.
    peak_kw
        Peak power of all motors.
    gear_ratio
        Motor turns per wheel turn.
    """
    section = programme.document.vehicle
    body, motor, battery, test = section.body, section.motor, section.battery, section.coast_down
    cells, layout = variant.chemistry_figures, variant.layout_figures
    kg_per_kwh = battery.kg_per_kwh.value if cells is None else cells.kg_per_kwh
    kg_per_kw = motor.mass_kg_per_kw.value if layout is None else layout.mass_kg_per_kw
    carried_kg = battery.gross_kwh.value * battery.kg_per_kwh.value + motor.peak_kw.value * motor.mass_kg_per_kw.value
    more_kg = gross_kwh * kg_per_kwh + peak_kw * kg_per_kw - carried_kg
    glider_kg = body.glider_mass_kg.value
    compounding = body.mass_compounding.value
    cell_ohm = battery.cell_resistance_ohm.value if cells is None else cells.cell_resistance_ohm
    values = {
        "vehicle.battery.gross_kwh": gross_kwh,
        "vehicle.battery.cell_resistance_ohm": cell_ohm * battery.gross_kwh.value / gross_kwh,
        "vehicle.motor.peak_kw": peak_kw,
        "vehicle.motor.peak_torque_nm": motor.peak_torque_nm.value * peak_kw / motor.peak_kw.value,
        "vehicle.motor.gear_ratio": gear_ratio,
        "vehicle.body.glider_mass_kg": glider_kg + compounding * more_kg,
    }
    if test is not None:
        own_kg = glider_kg + carried_kg + body.test_payload_kg.value
        heavier = 1.0 + (1.0 + compounding) * more_kg / own_kg
        values["vehicle.coast_down.a_n"] = heavier * test.a_n.value
        values["vehicle.coast_down.b_n_per_mps"] = heavier * test.b_n_per_mps.value
    if cells is not None:
        for name in ("kg_per_kwh", "usable_share", "series_cells", "parallel_cells"):
            values[f"vehicle.battery.{name}"] = getattr(cells, name)
        for name in ("cell_lowest_v", "cell_highest_v", "discharge_per_h", "recharge_per_h"):
            values[f"vehicle.battery.{name}"] = getattr(cells, name)
        values["vehicle.parts.pack_usd_per_kwh"] = cells.pack_usd_per_kwh
    if layout is not None:
        values["vehicle.body.front_weight_share"] = layout.front_weight_share
        values["vehicle.motor.drag_in_drive_n"] = layout.drag_in_drive_n
        values["vehicle.motor.mass_kg_per_kw"] = layout.mass_kg_per_kw
        values["vehicle.parts.drive_cny_per_kw"] = layout.drive_cny_per_kw
    return _with_variant(programme.with_values(values), variant)


def car_rows(
    family: Family,
    gross_kwh: Numbers,
    peak_kw: Numbers,
    gear_ratio: Numbers,
    *,
    state_of_charge: float = START_CHARGE,
) -> Numbers:
    """Return the kernels' parameters of many designs.

    Parameters
    ----------
    family
        What they share.
    gross_kwh, peak_kw, gear_ratio
        Their sizes, shape (n,).
    state_of_charge
        At which the pack's voltage and resistance in the last two columns hold.

    Returns
    -------
    numpy.ndarray
        Shape (n, PARAMETERS + 2).
    """
    from coachbuilder.vehicle import kernels

    own = kernels.Car(*family.row)
    inputs = family.inputs
    kwh = gross_kwh / inputs.gross_kwh
    kw = peak_kw / inputs.powertrain.peak_kw
    gear = gear_ratio / inputs.powertrain.gear_ratio
    payload_kg = inputs.test_mass_kg - inputs.curb_mass_kg
    kg = (family.curb_mass_kg(gross_kwh, peak_kw) + payload_kg) / inputs.test_mass_kg
    changed = {
        "mass": own.mass * kg,
        "load_a": (own.load_a - own.drag_n) * kg + own.drag_n,
        "load_b": own.load_b * kg,
        "weight": own.weight * kg,
        "peak_w": own.peak_w * kw,
        "peak_n": own.peak_n * kw * gear,
        "fall_mps": own.fall_mps / gear,
        "largest_mps": own.largest_mps / gear,
        "copper": own.copper / (kw * gear * gear),
        "iron": own.iron * kw * gear,
        "weakening_w": own.weakening_w * kw,
        "base_mps": own.base_mps / gear,
        "grip_n": own.grip_n * kg,
        "front_n": own.front_n * kg,
        "charge_as": own.charge_as * kwh,
        "discharge_a": own.discharge_a * kwh,
        "recharge_a": own.recharge_a * kwh,
    }
    rows = np.empty((gross_kwh.size, kernels.PARAMETERS + 2))
    rows[:, :-2] = family.row
    for name, column in changed.items():
        rows[:, kernels.Car._fields.index(name)] = column
    rows[:, -2] = inputs.pack.voltage_v(state_of_charge)
    rows[:, -1] = inputs.pack.resistance(state_of_charge) / kwh
    return rows


def packs(family: Family, gross_kwh: Numbers) -> Numbers:
    """Return open-circuit voltage and resistance over the state of charge of many designs, shape (n, 2, NODES)."""
    rows = np.repeat(family.pack[None], gross_kwh.size, axis=0)
    rows[:, 1] *= (family.inputs.gross_kwh / gross_kwh)[:, None]
    return rows


def energies_kwh_per_100km(
    rows: Numbers,
    packs: Numbers,
    cycle: str,
    *,
    threads: int | None = None,
    on_gpu: bool = False,
    agreed: float | None = None,
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Drive many cars over one trace.

    Parameters
    ----------
    rows
        Of :func:`car_rows`.
    packs
        Of :func:`packs`.
    cycle
        Name of a shipped trace.
    threads
        Threads; all cores if left out. The answer does not depend on it.
    on_gpu
        Use a CUDA GPU; its answer is the same within float error.
    agreed
        States of charge are worked out to within this; energies are then some hundred times closer. A search is
        content with the kernel's own.

    Returns
    -------
    tuple
        Energy out of the cells, shape (n,), and whether the car misses the trace, shape (n,).

    Raises
    ------
    InputError
        If ``on_gpu`` is asked for and there is none.
    """
    from coachbuilder.vehicle import kernels

    terms, distance_km = _driven(cycle)
    charge = np.full(len(rows), START_CHARGE)
    within = kernels.AGREED if agreed is None else agreed
    out = np.empty((len(rows), kernels.BATCH))
    cars = np.ascontiguousarray(rows[:, : kernels.PARAMETERS])
    if on_gpu:
        blocks = -(-len(cars) // kernels.CUDA_THREADS)
        _gpu_kernel()[blocks, kernels.CUDA_THREADS](terms, cars, packs, charge, out)
    else:
        in_slices(
            lambda part: kernels.drive_batch(terms, cars[part], packs[part], charge[part], within, out[part]),
            len(rows),
            threads,
        )
    largest_mps = rows[:, kernels.Car._fields.index("largest_mps")]
    missed = (out[:, kernels.BATCH_MISSED_J] > LEAST_MISSED_W) | (largest_mps * (1.0 + 1e-9) < terms[0].max())
    return out[:, kernels.BATCH_CELLS_J] / JOULES_PER_KWH * 100 / distance_km, missed


def seconds(
    rows: Numbers, from_to_mps: Sequence[tuple[float, float]] = ZERO_TO_100_MPS, *, threads: int | None = None
) -> Numbers:
    """Take many cars from one speed to another at full power.

    Parameters
    ----------
    rows
        Of :func:`car_rows` at the state of charge at which the cars are taken to their limits.
    from_to_mps
        The speeds, k pairs.
    threads
        Threads; all cores if left out. The answer does not depend on it.

    Returns
    -------
    numpy.ndarray
        Shape (n, k); infinite where a speed is not reached.
    """
    from coachbuilder.vehicle import kernels

    speeds = np.array(from_to_mps)
    out = np.empty((len(rows), len(speeds)))
    in_slices(lambda part: kernels.performance_batch(rows[part], speeds, SPEED_STEPS, out[part]), len(rows), threads)
    return np.where(out < 0.0, np.inf, out)


def top_speed_kmh(rows: Numbers) -> Numbers:
    """Return top speeds on the level; rows (n, PARAMETERS + 2) at the charge of full power."""
    from coachbuilder.vehicle import kernels

    found = np.empty(len(rows))
    kernels.top_speed_batch(rows, found)
    return 3.6 * found


def measure(
    family: Family,
    gross_kwh: Numbers,
    peak_kw: Numbers,
    gear_ratio: Numbers,
    *,
    procedure: RangeProcedure,
    threads: int | None = None,
    on_gpu: bool = False,
) -> Figures:
    """Return what many designs are, as :func:`coachbuilder.vehicle.evaluate` would find one by one.

    Parameters
    ----------
    family
        What they share.
    gross_kwh, peak_kw, gear_ratio
        Their sizes, shape (n,).
    procedure
        By which the range is meant.
    threads
        Threads; all cores if left out. The answer does not depend on it.
    on_gpu
        Drive the traces on a CUDA GPU; the answer is the same within float error.

    Raises
    ------
    InputError
        If ``on_gpu`` is asked for and there is none.
    """
    count = gross_kwh.size
    range_km, time_s, top_kmh = np.empty(count), np.empty(count), np.empty(count)
    missed = np.empty(count, dtype=np.bool_)

    def fill(part: slice) -> None:
        sizes = gross_kwh[part], peak_kw[part], gear_ratio[part]
        if not on_gpu:
            range_km[part], missed[part] = _range_km(family, *sizes, procedure)
        rows = car_rows(family, *sizes, state_of_charge=FULL_POWER_CHARGE)
        time_s[part] = seconds(rows, threads=1)[:, 0]
        top_kmh[part] = top_speed_kmh(rows)

    if on_gpu:
        range_km, missed = _range_km(family, gross_kwh, peak_kw, gear_ratio, procedure, on_gpu=True)
    in_slices(fill, count, threads)
    return Figures(
        curb_mass_kg=family.curb_mass_kg(gross_kwh, peak_kw),
        parts_cost_cny=family.parts_cost_cny(gross_kwh, peak_kw),
        range_km=np.where(missed, np.nan, range_km),
        undisturbed_range_km=range_km,
        zero_to_100_s=time_s,
        top_speed_kmh=top_kmh,
    )


def in_slices(work: Callable[[slice], None], count: int, threads: int | None) -> None:
    """Call ``work`` with slices of ``range(count)``, on several threads where that is worth it."""
    workers = min(threads or cores(), count // LEAST_SLICE)
    if workers <= 1:
        for start in range(0, count, SLICE):
            work(slice(start, min(start + SLICE, count)))
        return
    size = min(SLICE, -(-count // workers))
    parts = [slice(start, min(start + size, count)) for start in range(0, count, size)]
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(work, parts):
            pass


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _range_km(
    family: Family,
    gross_kwh: Numbers,
    peak_kw: Numbers,
    gear_ratio: Numbers,
    procedure: RangeProcedure,
    *,
    on_gpu: bool = False,
) -> tuple[Numbers, NDArray[np.bool_]]:
    rows, cells = car_rows(family, gross_kwh, peak_kw, gear_ratio), packs(family, gross_kwh)
    usable_kwh = gross_kwh * family.usable_share
    if procedure is RangeProcedure.EPA:
        city, missed_city = energies_kwh_per_100km(rows, cells, "UDDS", threads=1, on_gpu=on_gpu)
        highway, missed_highway = energies_kwh_per_100km(rows, cells, "HWFET", threads=1, on_gpu=on_gpu)
        harmonic = EPA_CITY_SHARE / city + (1 - EPA_CITY_SHARE) / highway
        return EPA_ADJUSTMENT * 100 * usable_kwh * harmonic, missed_city | missed_highway
    cycle = CLTC if procedure is RangeProcedure.CLTC else WLTC
    mixed, missed = energies_kwh_per_100km(rows, cells, cycle, threads=1, on_gpu=on_gpu)
    return 100 * usable_kwh / mixed, missed


@cache
def _gpu_kernel() -> Any:
    from coachbuilder.vehicle import kernels

    if not kernels.gpu_is_present():
        raise InputError([Problem("", "on_gpu", "no CUDA GPU", "one that numba can use, or the processor's cores")])
    return kernels.cuda_drive_batch()


@cache
def _driven(cycle: str) -> tuple[Numbers, float]:
    driven = trace(cycle)
    return trace_terms(driven.speed_mps), driven.distance_m / 1000


def _with_variant(programme: Programme, variant: Variant) -> Programme:
    section = programme.document.vehicle
    body, battery = section.body, section.battery
    layout = variant.layout_figures
    if battery.chemistry is not variant.chemistry:
        battery = battery.model_copy(update={"chemistry": variant.chemistry})
    if layout is not None:
        share = layout.front_torque_share
        body = body.model_copy(
            update={
                "driven_axle": variant.driven_axle,
                "front_torque_share": None
                if share is None
                else Assumption(value=share, evidence=body.evidence, path="vehicle.body.front_torque_share"),
            }
        )
    if body is section.body and battery is section.battery:
        return programme
    vehicle = section.model_copy(update={"body": body, "battery": battery})
    return replace(programme, document=programme.document.model_copy(update={"vehicle": vehicle}))
