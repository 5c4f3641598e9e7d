"""What a draw works out many times over: rows of cars spread evenly, and the reckoned weeks of the launch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

KERNEL: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}

IN_TAKTS, RESIDENT, GUEST, LEARNS, VISITS, VISITS_PER_FAILURE, MATURES, REPAIR_PER_WORK = range(8)
"""Columns of the loads of a week; see ``ramp.WeeklyLoad``."""
LOAD_COLUMNS = 8

GUEST_SHARE, RESIDENT_SHARE, CYCLE, YIELD, FAILURES, LIMIT = range(6)
"""Rows of what becomes of the weeks; the limit is the row of the limiting load, -1 if none limits."""
WEEK_ROWS = 6


@njit(**KERNEL)
def spread(shares: F8, total: float, kinds: I8, count: int, rows: I8, at: int) -> int:
    """Write so many kinds of cars, each as often as its share says and spread evenly; see ``shops.evenly``.

    Parameters
    ----------
    shares
        (K,) share of every kind.
    total
        Sum of the shares.
    kinds
        (K,) what is written for each.
    count
        Cars to be written.
    rows
        Where they are written, from ``at`` on.
    at
        First place.

    Returns
    -------
    int
        Place behind the last car.
    """
    owed = np.zeros(shares.size)
    for _ in range(count):
        best = 0
        for kind in range(shares.size):
            owed[kind] += shares[kind] / total
            if owed[kind] > owed[best]:
                best = kind
        owed[best] -= 1.0
        rows[at] = kinds[best]
        at += 1
    return at


@njit(**KERNEL)
def launch(
    loads: F8,
    units: F8,
    speed_share: F8,
    takt_s: float,
    effective_s: float,
    learning: F8,
    tested: bool,
    weeks: F8,
) -> None:
    """Reckon the launch week by week; see ``ramp.reckoned`` and ``ramp.shares_built``.

    Parameters
    ----------
    loads
        (L, LOAD_COLUMNS) what the cars of a week ask of every shop.
    units, speed_share
        (W,) guest cars wanted, and the speed of the line; 0 shuts the plant.
    takt_s
        Takt of the assembly line at full speed, s.
    effective_s
        Net working time of a week times the efficiency of the plant, s.
    learning
        Units at which learning starts, share left at each doubling, cycle multiplier at the plateau and its first
        excess, mature first-pass yield and the first one, first failure multiplier.
    tested
        Whether the guest is tested.
    weeks
        (WEEK_ROWS, W) filled with what becomes of the weeks.
    """
    reference, rate, plateau, excess, mature, first_yield, first_failures = learning
    slope = math.log2(rate)
    count = loads.shape[0]
    by_guest, by_residents = np.empty(count), np.empty(count)
    built = 0.0
    for week in range(units.size):
        left = (max(built, reference) / reference) ** slope
        cycle = plateau + left * excess
        passed = mature - left * (mature - first_yield) if tested else 1.0
        failures = 1.0 + left * (first_failures - 1.0)
        weeks[CYCLE, week] = cycle
        weeks[YIELD, week] = passed
        weeks[FAILURES, week] = failures
        weeks[LIMIT, week] = -1.0
        weeks[GUEST_SHARE, week] = 0.0
        weeks[RESIDENT_SHARE, week] = 0.0
        if speed_share[week] <= 0.0:
            continue
        takt = takt_s / speed_share[week]
        for row in range(count):
            asked = units[week] * loads[row, GUEST]
            asked *= loads[row, VISITS] + (1.0 - passed) * loads[row, VISITS_PER_FAILURE]
            if loads[row, LEARNS] > 0.0:
                asked *= cycle
            if loads[row, MATURES] > 0.0:
                repair = loads[row, REPAIR_PER_WORK]
                asked *= (1.0 + failures * repair) / (1.0 + repair)
            scale = takt if loads[row, IN_TAKTS] > 0.0 else 1.0
            by_guest[row] = asked * scale
            by_residents[row] = loads[row, RESIDENT] * scale
        guest = resident = 1.0
        limit = -1
        for row in range(count):
            if by_residents[row] == 0.0 and by_guest[row] * guest > effective_s:
                guest, limit = effective_s / by_guest[row], row
            elif by_guest[row] == 0.0 and by_residents[row] * resident > effective_s:
                resident, limit = effective_s / by_residents[row], row
        for row in range(count):
            if by_guest[row] == 0.0 or by_residents[row] == 0.0:
                continue
            if guest * by_guest[row] + resident * by_residents[row] <= effective_s:
                continue
            limit = row
            even = effective_s / (by_guest[row] + by_residents[row])
            if even <= min(guest, resident):
                guest = resident = even
            elif guest < resident:
                resident = (effective_s - guest * by_guest[row]) / by_residents[row]
            else:
                guest = (effective_s - resident * by_residents[row]) / by_guest[row]
        weeks[GUEST_SHARE, week] = guest
        weeks[RESIDENT_SHARE, week] = resident
        weeks[LIMIT, week] = limit
        built += guest * units[week]
