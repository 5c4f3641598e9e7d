"""What a draw works out in numbers: what cars ask of the shops, the plant's figures, its cars at the start, the launch.

Each function has a twin that works on objects, named in its docstring; the tests hold the two against each other.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from coachbuilder.plant.flow.ramp import WEEKS_PER_YEAR
from coachbuilder.plant.flow.shops import FILL_SLOPE

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Flags = NDArray[np.bool_]
Records = NDArray[Any]

KERNEL: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}

MTBF_S, MTTR_S, RETEST_YIELD, SCRAP_SHARE, BY_MODEL = range(5)
"""Columns of the figures of a shop; from the last on V cycle times, s, and V first-pass yields. An MTBF of 0: never."""

TAKT_S, RESIDENT_TAKT_S, GUEST_CYCLE, HOURS_PER_YEAR = range(4)
"""What a draw says of the whole plant: takt with line stops and takt for the residents alone, s, the guest's cycle
multiplier for good, net working hours of a year."""

TIME, VISITS, FURTHER, PASSED = range(4)
"""Rows of the loads: plant time of a visit (s, or takts), visits of a car that passes, further ones of a car that fails
at first, share that passes at first; see ``loads.Load``."""
LOAD_ROWS = 4

PILOT_UNITS, REFERENCE, RATE, PLATEAU, EXCESS, MATURE_YIELD, FIRST_YIELD, FIRST_FAILURES = range(8)
"""Figures of the launch: guest cars in a pilot week, units at which learning starts, share left at each doubling, cycle
multiplier at the plateau and its first excess, first-pass yields (below 0: the guest is not tested), and failure
multiplier at first."""

SPEED, CYCLE, YIELD, FAILURES, LIMIT, GUEST, RESIDENT, RESIDENT_LOST, GUEST_LOST = range(9)
"""Rows of what becomes of the weeks; the limit is the row of the limiting shop, -1 if none limits."""
WEEK_ROWS = 9


class Shops(NamedTuple):
    """What draws do not change about S shops and V models."""

    guest: int
    """Model that is the guest."""
    passes: Flags
    """(S, V) whether a model passes."""
    is_rework: Flags
    """(S,) whether only failed cars come."""
    in_takts: Flags
    """(S,) whether the takt of the line holds there."""
    learns: Flags
    """(S,) whether work on the guest is learnt."""
    is_guests_own: Flags
    """(S,) whether the guest alone passes."""
    parallel: I8
    """(S,) machines side by side."""
    test: I8
    """(T, 3) shops that test with rework, their rework shops, and where their cars rejoin; -1 behind the test."""


class Wiring(NamedTuple):
    """Where the figures of the shops stand in the event calendar: N stations, L lanes."""

    station_shop: I8
    """(N,) shop of each station."""
    is_fixed: Flags
    """(N, V) whether the cycle time is fixed."""
    tests: I8
    """Stations that test."""
    scraps: I8
    """Stations that give cars up."""
    mode_shop: I8
    """Shop of each kind of failure."""
    paced: I8
    """Lanes that release at intervals."""
    source_models: Flags
    """(sources, V) what each source releases."""
    lane_models: Flags
    """(L, V) what goes through each buffer."""
    owner: I8
    """(L,) a number for each cell and priority, from 0."""
    way: I8
    """(W, 4) buffers: lane, shop before it, places that fill if that shop is faster, cars on its conveyor."""
    line: I8
    """(K, 3) moving lines: station, machine, cars at the start."""
    line_models: Flags
    """(K, V) what each line builds."""


@njit(**KERNEL)
def ask(shops: Shops, figures: F8, load: F8) -> None:
    """Fill (LOAD_ROWS, S, V) with what cars ask of every shop; see ``loads.loads_of``."""
    count, models = shops.passes.shape
    for shop in range(count):
        repair = figures[shop, MTTR_S] / figures[shop, MTBF_S] if figures[shop, MTBF_S] > 0.0 else 0.0
        stretch = (1.0 + repair) / shops.parallel[shop]
        for model in range(models):
            time_s = 1.0 if shops.in_takts[shop] else figures[shop, BY_MODEL + model]
            load[TIME, shop, model] = time_s * stretch
            load[VISITS, shop, model] = 1.0 if shops.passes[shop, model] and not shops.is_rework[shop] else 0.0
            load[FURTHER, shop, model] = 0.0
            load[PASSED, shop, model] = 1.0
    for row in range(shops.test.shape[0]):
        test, rework, rejoin = shops.test[row, 0], shops.test[row, 1], shops.test[row, 2]
        kept = 1.0 - figures[rework, SCRAP_SHARE]
        repairs = 1.0 / (1.0 - kept * (1.0 - figures[test, RETEST_YIELD])) if rejoin >= 0 else 1.0
        for shop in range(count):
            in_loop = rejoin >= 0 and not shops.is_rework[shop] and rejoin <= shop <= test
            if shop != rework and not in_loop:
                continue
            for model in range(models):
                if shops.passes[test, model]:
                    load[FURTHER, shop, model] = repairs * (1.0 if shop == rework else kept)
                    load[PASSED, shop, model] = figures[test, BY_MODEL + models + model]


@njit(**KERNEL)
def stand_alone(shops: Shops, load: F8, units: F8, takt_s: float, guest_cycle: float, rates: F8) -> int:
    """Fill (S,) with the cars an hour each shop alone would allow, infinite if none needs it; return the tightest shop.

    See ``loads.stand_alone_rates``.
    """
    total = units.sum()
    tightest = 0
    for shop in range(rates.size):
        scale = takt_s if shops.in_takts[shop] else 1.0
        seconds = 0.0
        for model in range(units.size):
            time_s = load[TIME, shop, model] * scale
            if model == shops.guest and shops.learns[shop]:
                time_s *= guest_cycle
            failed = 1.0 - load[PASSED, shop, model]
            seconds += units[model] * (load[VISITS, shop, model] + failed * load[FURTHER, shop, model]) * time_s
        rates[shop] = 3600.0 * total / seconds if seconds > 0.0 else np.inf
        if rates[shop] < rates[tightest]:
            tightest = shop
    return tightest


@njit(**KERNEL)
def _cycle_s(shops: Shops, figures: F8, whole: F8, shop: int, model: int) -> float:
    """Return the cycle time of a machine, or the takt of a line, s; see ``shops.cycle_times_s``."""
    time_s: float = whole[TAKT_S] if shops.in_takts[shop] else figures[shop, BY_MODEL + model]
    return time_s * whole[GUEST_CYCLE] if model == shops.guest and shops.learns[shop] else time_s


@njit(**KERNEL)
def write(
    shops: Shops,
    wiring: Wiring,
    figures: F8,
    whole: F8,
    units: F8,
    shares: F8,
    cells: Records,
    cell_types: Records,
    lanes: Records,
    times: Records,
    source_shares: Records,
) -> None:
    """Write the figures of a draw into the arrays of the event calendar; see ``shops.plant_of``."""
    models = units.size
    row = 0
    for station in range(wiring.station_shop.size):
        for model in range(models):
            cycle_s = _cycle_s(shops, figures, whole, wiring.station_shop[station], model)
            cell_types[station, model].fixed_s = cycle_s if wiring.is_fixed[station, model] else -1.0
            times[row].mean_s = cycle_s
            row += 1
    for shop in wiring.mode_shop:
        times[row].mean_s = figures[shop, MTBF_S]
        times[row + 1].mean_s = figures[shop, MTTR_S]
        row += 2
    for lane in wiring.paced:
        released = 0.0
        for model in range(models):
            if wiring.source_models[lanes[lane].mix, model]:
                released += shares[model]
        times[row].mean_s = 3600.0 / (released * units.sum() / whole[HOURS_PER_YEAR])
        row += 1
    for station in wiring.tests:
        shop = wiring.station_shop[station]
        for model in range(models):
            cell_types[station, model].pass_share = figures[shop, BY_MODEL + models + model]
        cells[station].retest_share = figures[shop, RETEST_YIELD]
    for station in wiring.scraps:
        cells[station].scrap_share = figures[wiring.station_shop[station], SCRAP_SHARE]
    for source in range(wiring.source_models.shape[0]):
        released = 0.0
        for model in range(models):
            if wiring.source_models[source, model]:
                released += shares[model]
        for model in range(models):
            if wiring.source_models[source, model]:
                source_shares[source, model].share = shares[model] / released
    count = lanes.size
    weight = np.empty(count)
    by_owner, by_group = np.zeros(count), np.zeros(count)
    for lane in range(count):
        weight[lane] = 1.0 if lanes[lane].source == 1 else 0.0
        for model in range(models):
            if wiring.lane_models[lane, model]:
                weight[lane] += shares[model]
        by_owner[wiring.owner[lane]] += weight[lane]
        if lanes[lane].source == 0:
            by_group[lanes[lane].group] += weight[lane]
    for lane in range(count):
        lanes[lane].weight = weight[lane] / by_owner[wiring.owner[lane]]
        if lanes[lane].source == 0:
            lanes[lane].entry_weight = weight[lane] / by_group[lanes[lane].group]


@njit(**KERNEL)
def _spread(shares: F8, among: Flags, count: int, lane: int, filled: I8, at: int) -> int:
    """Write so many cars, each model as often as its share says and spread evenly; see ``shops.evenly``."""
    total = 0.0
    for model in range(shares.size):
        if among[model]:
            total += shares[model]
    owed = np.zeros(shares.size)
    for _ in range(count):
        best = -1
        for model in range(shares.size):
            if among[model]:
                owed[model] += shares[model] / total
                if best < 0 or owed[model] > owed[best]:
                    best = model
        owed[best] -= 1.0
        filled[at, 0] = lane
        filled[at, 1] = best
        at += 1
    return at


@njit(**KERNEL)
def fill(
    shops: Shops,
    wiring: Wiring,
    figures: F8,
    whole: F8,
    shares: F8,
    rates: F8,
    lanes: Records,
    machines: Records,
    filled: I8,
    entered_s: F8,
) -> int:
    """Write where the cars inside at the start stand and when they entered there; return how many there are.

    See ``shops.plant_of`` and ``shops.fill_share``.
    """
    at = 0
    for row in range(wiring.way.shape[0]):
        lane, shop = wiring.way[row, 0], wiring.way[row, 1]
        stock_places, riding = wiring.way[row, 2], wiring.way[row, 3]
        ready = 0
        if stock_places > 0:
            before, behind = rates[: shop + 1].min(), rates[shop + 1 :].min()
            ready = int(stock_places * min(max(FILL_SLOPE * (before / behind - 1.0), 0.0), 1.0))
        ride_s = 0.0
        if riding > 0:
            seconds, among = 0.0, 0.0
            for model in range(shares.size):
                if wiring.lane_models[lane, model]:
                    seconds += _cycle_s(shops, figures, whole, shop, model) * shares[model]
                    among += shares[model]
            ride_s = riding * (seconds / among) / shops.parallel[shop]
            lanes[lane].ride_s = ride_s
        end = _spread(shares, wiring.lane_models[lane], ready + riding, lane, filled, at)
        for place in range(at, end):
            # Heads first: the first of those that ride has arrived just now.
            rides = place - at - ready + 1
            entered_s[place] = -ride_s if rides <= 0 else ride_s * (rides / riding - 1.0)
        at = end
    for row in range(wiring.line.shape[0]):
        station, machine, count = wiring.line[row, 0], wiring.line[row, 1], wiring.line[row, 2]
        end = _spread(shares, wiring.line_models[row], count, -1 - machine, filled, at)
        entered_s[at:end] = 0.0
        if end > at:
            shop = wiring.station_shop[station]
            machines[machine].takt_s = _cycle_s(shops, figures, whole, shop, filled[end - 1, 1])
        at = end
    return at


@njit(**KERNEL)
def prepare(
    shops: Shops,
    wiring: Wiring,
    figures: F8,
    whole: F8,
    units: F8,
    load: F8,
    cells: Records,
    cell_types: Records,
    lanes: Records,
    machines: Records,
    times: Records,
    source_shares: Records,
    filled: I8,
    entered_s: F8,
) -> tuple[int, float, float, int]:
    """Make the arrays of the event calendar ready for a draw.

    Parameters
    ----------
    shops, wiring
        What draws do not change.
    figures
        (S, BY_MODEL + 2 V) figures of the shops.
    whole
        Figures of the whole plant.
    units
        (V,) cars a year planned.
    load
        (LOAD_ROWS, S, V), filled.
    cells, cell_types, lanes, machines, times, source_shares, filled, entered_s
        Arrays of the event calendar, written to.

    Returns
    -------
    tuple
        Cars inside at the start, cars an hour that the tightest shop could do alone, the same for the residents
        alone, and the shop that is the tightest then; 0 and -1 without residents.
    """
    shares = units / units.sum()
    rates = np.empty(figures.shape[0])
    ask(shops, figures, load)
    shop = stand_alone(shops, load, units, whole[TAKT_S], whole[GUEST_CYCLE], rates)
    tightest = rates[shop]
    write(shops, wiring, figures, whole, units, shares, cells, cell_types, lanes, times, source_shares)
    rows = fill(shops, wiring, figures, whole, shares, rates, lanes, machines, filled, entered_s)
    residents = units.copy()
    residents[shops.guest] = 0.0
    if residents.sum() <= 0.0:
        return rows, tightest, 0.0, -1
    shop = stand_alone(shops, load, residents, whole[RESIDENT_TAKT_S], 1.0, rates)
    return rows, tightest, rates[shop], shop


@njit(**KERNEL)
def cars_per_s(moments_s: F8, car: I8, left_s: F8, column: int, rates: F8) -> None:
    """Fill (V,) with the cars that left a second, those in the first and the last part of a run counted in parts.

    A car that leaves ``x`` of the way through the first part counts ``x``, one in the last part what is left of it,
    those between count whole: the mean over all stretches that begin in the first part and are as long. It moves with
    the moments at which cars leave, without steps, and is right on average in every plant that has settled.

    Parameters
    ----------
    moments_s
        Start and end of the first part, start and end of the last one, which is as long, s.
    car, left_s
        (4, V, columns) cars and (4, V) sum of the moments at which they left, up to each moment; see ``observed`` of
        the event calendar.
    column
        Column of the cars that left.
    """
    part_s = moments_s[1] - moments_s[0]
    for model in range(rates.size):
        weighted = 0.0
        for first, sign in ((0, -1.0), (2, 1.0)):
            # Integral over the part of the cars that have left, from the moments at which they did.
            here, there = car[first, model, column], car[first + 1, model, column]
            moments = left_s[first + 1, model] - left_s[first, model]
            weighted += sign * (there * moments_s[first + 1] - here * moments_s[first] - moments)
        rates[model] = weighted / (part_s * (moments_s[2] - moments_s[0]))


@njit(**KERNEL)
def launch(
    shops: Shops,
    figures: F8,
    load: F8,
    units: F8,
    takt_s: float,
    effective_s: float,
    residents_before: float,
    learning: F8,
    pilot_weeks: int,
    steps: F8,
    conversion: F8,
    weeks: F8,
) -> None:
    """Reckon the launch week by week; see ``ramp.weeks_of``, ``ramp.reckoned`` and ``ramp.shares_built``.

    Parameters
    ----------
    shops, figures, load
        Shops, their figures, and what cars ask of them.
    units
        (V,) cars a year planned.
    takt_s
        Takt of the assembly line at full speed, s.
    effective_s
        Net working time of a week times the efficiency of the plant, s.
    residents_before
        Resident cars a week without the guest.
    learning
        Figures of the launch, see above.
    pilot_weeks
        Weeks of pilot builds.
    steps
        (n, 3) weeks, guest rate share and line speed share of the steps behind them.
    conversion
        First week, week behind the last, and line speed share of the conversion.
    weeks
        (WEEK_ROWS, W) filled with what becomes of the weeks.
    """
    count = figures.shape[0]
    guest_units, resident_units = (
        units[shops.guest] / WEEKS_PER_YEAR,
        (units.sum() - units[shops.guest]) / WEEKS_PER_YEAR,
    )
    by_guest, by_residents, own_repair = np.empty(count), np.empty(count), np.zeros(count)
    residents_s = np.zeros(count)
    for shop in range(count):
        for model in range(units.size):
            if model != shops.guest:
                failed = 1.0 - load[PASSED, shop, model]
                visits = units[model] * (load[VISITS, shop, model] + failed * load[FURTHER, shop, model])
                residents_s[shop] += visits * load[TIME, shop, model]
        residents_s[shop] /= WEEKS_PER_YEAR
        if shops.is_guests_own[shop] and figures[shop, MTBF_S] > 0.0:
            own_repair[shop] = figures[shop, MTTR_S] / figures[shop, MTBF_S]
    slope = math.log2(learning[RATE])
    built = 0.0
    step, step_ends = -1, pilot_weeks
    for week in range(weeks.shape[1]):
        while week >= step_ends and step < steps.shape[0]:
            step += 1
            step_ends += int(steps[step, 0]) if step < steps.shape[0] else weeks.shape[1]
        wanted, speed = guest_units, 1.0
        if week < pilot_weeks:
            wanted = learning[PILOT_UNITS]
        elif step < steps.shape[0]:
            wanted, speed = guest_units * steps[step, 1], steps[step, 2]
        if conversion[0] <= week + 1 < conversion[1]:
            speed *= conversion[2]
        left = (max(built, learning[REFERENCE]) / learning[REFERENCE]) ** slope
        cycle = learning[PLATEAU] + left * learning[EXCESS]
        mature = learning[MATURE_YIELD]
        passed = mature - left * (mature - learning[FIRST_YIELD]) if mature >= 0.0 else 1.0
        failures = 1.0 + left * (learning[FIRST_FAILURES] - 1.0)
        guest, resident, limit = 0.0, 0.0, -1
        if speed > 0.0:
            for row in range(count):
                visits = load[VISITS, row, shops.guest] + (1.0 - passed) * load[FURTHER, row, shops.guest]
                asked = wanted * load[TIME, row, shops.guest] * visits
                if shops.learns[row]:
                    asked *= cycle
                if own_repair[row] > 0.0:
                    asked *= (1.0 + failures * own_repair[row]) / (1.0 + own_repair[row])
                scale = takt_s / speed if shops.in_takts[row] else 1.0
                by_guest[row] = asked * scale
                by_residents[row] = residents_s[row] * scale
            guest, resident, limit = _shares_built(by_guest, by_residents, effective_s)
        weeks[SPEED, week] = speed
        weeks[CYCLE, week] = cycle
        weeks[YIELD, week] = passed
        weeks[FAILURES, week] = failures
        weeks[LIMIT, week] = limit
        weeks[GUEST, week] = guest * wanted
        weeks[RESIDENT, week] = resident * resident_units
        missed = (1.0 - resident) * resident_units
        weeks[RESIDENT_LOST, week] = max(residents_before - resident_units + missed, 0.0)
        weeks[GUEST_LOST, week] = (1.0 - guest) * wanted
        built += guest * wanted


@njit(**KERNEL)
def _shares_built(by_guest: F8, by_residents: F8, effective_s: float) -> tuple[float, float, int]:
    """Return the shares of a week's guest and resident cars that can be built, and the shop that limits them most."""
    guest = resident = 1.0
    limit = -1
    for row in range(by_guest.size):
        if by_residents[row] == 0.0 and by_guest[row] * guest > effective_s:
            guest, limit = effective_s / by_guest[row], row
        elif by_guest[row] == 0.0 and by_residents[row] * resident > effective_s:
            resident, limit = effective_s / by_residents[row], row
    for row in range(by_guest.size):
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
    return guest, resident, limit
