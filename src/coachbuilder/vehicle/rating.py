"""Drives a car through the official procedures, from a full pack to an empty one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.vehicle.interface import Rating
from coachbuilder.vehicle.parameters import JOULES_PER_KWH, LEAST_MISSED_W, car_row, pack_rows
from coachbuilder.vehicle.procedures import (
    MULTI_CYCLE_END_SHARE,
    MULTI_CYCLE_ORDER,
    MULTI_CYCLE_STEADY_KMH,
    SHORTENED_ORDER,
    SHORTENED_STEADY_KMH,
    UDDS_BAG_2_FROM_S,
    US06_CITY_S,
    FiveCycle,
    Rated,
    five_cycle_label,
    multi_cycle_test,
    two_cycle_label,
    wall_kwh_per_100km,
    wltp_shortened_test,
)
from coachbuilder.vehicle.temperature import at_temperature
from coachbuilder.vehicle.traces import Trace, trace

if TYPE_CHECKING:
    from coachbuilder.vehicle.interface import VehicleInputs

COLD_C, HOT_C = -6.7, 35.0
"""Temperatures of the cold FTP (20 °F) and of the SC03 (95 °F)."""
WLTC_CITY_S = 1022
"""Seconds of the WLTC's low and medium phases: they are the city cycle (UN GTR 15 annex 1: 589 s and 433 s)."""
LONGEST_S = 200_000
"""Longest steady phase that is driven."""
SHORT = "the pack is empty before its phases end"
LONG = f"the pack is not empty after {LONGEST_S} s"


@dataclass(frozen=True, slots=True)
class _Phase:
    name: str
    kwh: float
    km: float

    @property
    def kwh_per_100km(self) -> float:
        return 100.0 * self.kwh / self.km


class _Missed(Exception):  # noqa: N818 - not an error: a procedure that cannot be driven to its end
    """Why a procedure cannot be driven."""


def rate(inputs: VehicleInputs) -> tuple[tuple[Rating, ...], tuple[str, ...]]:
    """Drive a car through the official procedures; return the ratings, and a word on each that it cannot be driven to.

    The multi-cycle test of SAE J1634, its label, the five-cycle label, and the shortened WLTP test. Energies are those
    at the pack's terminals, as the procedures measure them.

    Parameters
    ----------
    inputs
        The car.

    Examples
    --------
    >>> from coachbuilder.vehicle import generic_car
    >>> [item.procedure for item in rate(generic_car(test_mass_kg=1900))[0]]
    ['EPA multi-cycle test, unadjusted', 'EPA label, two-cycle', 'EPA label, five-cycle', 'WLTP, shortened test']
    """
    found: list[Rating] = []
    words: list[str] = []
    for name, procedure in (("EPA multi-cycle test", _epa), ("shortened WLTP test", _wltp)):
        try:
            found.extend(procedure(inputs))
        except _Missed as missed:
            words.append(f"{name}: cannot be driven, {missed}")
    return tuple(found), tuple(words)


def _epa(inputs: VehicleInputs) -> list[Rating]:
    phases = _discharge(inputs, MULTI_CYCLE_ORDER, MULTI_CYCLE_STEADY_KMH)
    usable_kwh = sum(phase.kwh for phase in phases)
    city = [phase for phase in phases if phase.name == "UDDS"]
    highway = [phase.kwh_per_100km for phase in phases if phase.name == "HWFET"]
    unadjusted = multi_cycle_test(usable_kwh, [phase.kwh_per_100km for phase in city], city[0].kwh, highway)
    five_cycle = five_cycle_label(usable_kwh, _five_cycle(inputs))
    return [
        _rating(inputs, "EPA multi-cycle test, unadjusted", unadjusted, usable_kwh),
        _rating(inputs, "EPA label, two-cycle", two_cycle_label(unadjusted), usable_kwh),
        _rating(inputs, "EPA label, five-cycle", five_cycle, usable_kwh),
    ]


def _wltp(inputs: VehicleInputs) -> list[Rating]:
    phases = _discharge(inputs, SHORTENED_ORDER, SHORTENED_STEADY_KMH)
    usable_kwh = sum(phase.kwh for phase in phases)
    # The city cycle counts where it stands within a WLTC as well.
    city = [phase for phase in phases if phase.name in ("WLTC city", "city")]
    whole = [
        _Phase("WLTC", first.kwh + rest.kwh, first.km + rest.km)
        for first, rest in pairwise(phases)
        if first.name == "WLTC city"
    ]
    rated = wltp_shortened_test(
        usable_kwh,
        [run.kwh_per_100km for run in whole],
        whole[0].kwh,
        [run.kwh_per_100km for run in city],
        city[0].kwh,
    )
    return [_rating(inputs, "WLTP, shortened test", rated, usable_kwh)]


def _rating(inputs: VehicleInputs, procedure: str, rated: Rated, usable_kwh: float) -> Rating:
    recharged_kwh = inputs.usable_kwh / inputs.charging.ac_efficiency
    return Rating(
        procedure=procedure,
        city_range_km=rated.city_range_km,
        highway_range_km=rated.highway_range_km,
        range_km=rated.range_km,
        battery_kwh_per_100km=rated.battery_kwh_per_100km,
        wall_kwh_per_100km=wall_kwh_per_100km(rated.battery_kwh_per_100km, usable_kwh, recharged_kwh),
    )


def _segments(order: Sequence[str]) -> Iterator[tuple[str, NDArray[np.float64] | None]]:
    """Yield each phase's name and speeds; None for a steady one."""
    wltc = trace("WLTC 3b").speed_mps
    for name in order:
        if name == "steady":
            yield name, None
        elif name == "WLTC":
            yield "WLTC city", wltc[: WLTC_CITY_S + 1]
            yield "WLTC rest", wltc[WLTC_CITY_S:]
        elif name == "city":
            yield name, wltc[: WLTC_CITY_S + 1]
        else:
            yield name, trace(name).speed_mps


def _discharge(inputs: VehicleInputs, order: Sequence[str], steady_kmh: float) -> list[_Phase]:
    """Drive the phases from full to empty; the first steady one leaves a last one of the share that is allowed."""
    full = inputs.full_state_of_charge
    empty = full - inputs.usable_kwh / inputs.gross_kwh
    segments = list(_segments(order))
    steady = Trace("steady", np.full(LONGEST_S, steady_kmh / 3.6))
    cruise = _driven(inputs, Trace("steady", steady.speed_mps[:601]), 0.5 * (full + empty))
    cruise_kwh_per_km = cruise[0].kwh / cruise[0].km
    dynamic = [
        _driven(inputs, Trace(name, speeds), 0.5 * (full + empty))[0] for name, speeds in segments if speeds is not None
    ]
    spare_km = (inputs.usable_kwh - sum(phase.kwh for phase in dynamic)) / cruise_kwh_per_km
    whole_km = spare_km + sum(phase.km for phase in dynamic)
    last_km = min(0.9 * MULTI_CYCLE_END_SHARE * whole_km, 0.5 * spare_km)
    if spare_km <= 0.0:
        raise _Missed(SHORT)
    found: list[_Phase] = []
    soc = full
    for place, (name, speeds) in enumerate(segments):
        if speeds is not None:
            phase, soc = _driven(inputs, Trace(name, speeds), soc)
        elif place < len(segments) - 1:
            seconds = round((spare_km - last_km) / steady_kmh * 3600)
            phase, soc = _driven(inputs, Trace(name, steady.speed_mps[: seconds + 1]), soc)
        else:
            phase, soc = _driven(inputs, steady, soc, until=empty)
        if soc < empty - 1e-3 and place < len(segments) - 1:
            raise _Missed(SHORT)
        found.append(phase)
    return found


def _driven(
    inputs: VehicleInputs, driven: Trace, start: float, *, until: float | None = None, full_throttle: bool = False
) -> tuple[_Phase, float]:
    """Return energy at the terminals and distance of a phase, and the state of charge after it.

    ``until`` ends it at a state of charge; with ``full_throttle`` what the car lacks is allowed.
    """
    from coachbuilder.vehicle import kernels

    speed = driven.speed_mps
    if until is not None:
        # No more than the pack lasts: twice the seconds that its charge is good for at the first hour's rate.
        first = _driven(inputs, Trace(driven.name, speed[:601]), start)
        rate = max((start - first[1]) / 600.0, 1e-9)
        speed = speed[: min(speed.size, int(2.0 * max(start - until, 0.0) / rate) + 2)]
    power_w, charge, missing_w = (np.empty(speed.size) for _ in range(3))
    kernels.drive(speed, car_row(inputs), pack_rows(inputs), start, power_w, charge, missing_w)
    last = speed.size - 1
    if until is not None:
        below = np.flatnonzero(charge <= until)
        if below.size == 0:
            raise _Missed(LONG)
        last = max(int(below[0]), 1)
    missed = int(np.count_nonzero(missing_w[: last + 1] > LEAST_MISSED_W))
    if missed and not full_throttle:
        message = f"the trace of its {driven.name} is missed for {missed} s"
        raise _Missed(message)
    before = np.concatenate([[start], charge[:-1]])
    pack = inputs.pack
    nodes = np.linspace(0.0, 1.0, pack.open_circuit_voltage_v.size)
    voltage = np.interp(before, nodes, pack.open_circuit_voltage_v)
    resistance = np.interp(before, nodes, pack.resistance_ohm)
    terminal_w = power_w - resistance * (power_w / voltage) ** 2
    km = float(0.5 * (speed[1 : last + 1] + speed[:last]).sum()) / 1000.0
    return _Phase(driven.name, float(terminal_w[: last + 1].sum()) / JOULES_PER_KWH, km), float(charge[last])


def _five_cycle(inputs: VehicleInputs) -> FiveCycle:
    """Return energies over the five cycles at half charge; warming up after a cold start is not modelled."""

    def energy(car: VehicleInputs, *pieces: NDArray[np.float64]) -> float:
        # The US06 of a weak car is driven at full throttle as far as it goes (40 CFR 86.159-08), and so is a cold test.
        phases = [_driven(car, Trace("piece", piece), 0.5, full_throttle=True)[0] for piece in pieces]
        return 100.0 * sum(phase.kwh for phase in phases) / sum(phase.km for phase in phases)

    udds, us06 = trace("UDDS").speed_mps, trace("US06").speed_mps
    early, late = udds[: UDDS_BAG_2_FROM_S + 1], udds[UDDS_BAG_2_FROM_S:]
    city = [us06[begin : end + 1] for begin, end in US06_CITY_S]
    cold, hot = at_temperature(inputs, COLD_C), at_temperature(inputs, HOT_C)
    return FiveCycle(
        bag_1=energy(inputs, early),
        bag_2=energy(inputs, late),
        bag_3=energy(inputs, early),
        highway=energy(inputs, trace("HWFET").speed_mps),
        us06_city=energy(inputs, *city),
        us06_highway=energy(inputs, us06[US06_CITY_S[0][1] : US06_CITY_S[1][0] + 1]),
        hot=energy(hot, trace("SC03").speed_mps),
        cold_bag_1=energy(cold, early),
        cold_bag_2=energy(cold, late),
        cold_bag_3=energy(cold, early),
    )
