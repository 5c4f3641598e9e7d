"""Hot loops of the vehicle stage. Units: m, s, kg, N, W, J, V, A, ohm, A s; states of charge from 0 to 1.

The physics of one second stands in plain functions, compiled for the processor here and for a CUDA GPU in
:func:`cuda_drive_batch`: both run the same source.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import cuda as numba_cuda
from numba import njit
from numpy.typing import NDArray

cuda: Any = numba_cuda

_MATH = {"reassoc", "contract", "nsz", "arcp", "nnan", "ninf"}
"""Reordered sums and no special case for NaN: what SIMD code needs. Inputs are checked to be finite before."""

NODES = 33
"""States of charge at which a pack's voltage and resistance are given, equally spaced from 0 to 1."""
RELAXATIONS = 12
"""Most passes over a trace until the state of charge agrees with the current that it causes."""
AGREED = 3e-6
"""Largest change of a state of charge at which they agree."""


class Car(NamedTuple):
    """A car in a kernel: scalars, so that they stay in registers."""

    mass: float
    """Test mass with the inertia of what turns, kg."""
    load_a: float
    """Road load and drag of the energised drive at standstill, N."""
    load_b: float
    load_c: float
    drag_n: float
    """The drive's part of ``load_a``."""
    weight: float
    """Weight, N."""
    peak_w: float
    """Peak shaft power."""
    peak_n: float
    """Peak shaft torque as a force at the wheels, before losses."""
    fall_mps: float
    """Speed above which power falls with 1 / speed."""
    largest_mps: float
    """Speed at the motor's limit."""
    gear_efficiency: float
    per_gear_efficiency: float
    """Its inverse."""
    copper: float
    """Winding loss per wheel force squared, W / N2."""
    iron: float
    """Iron and bearing loss per speed, W / (m/s)."""
    inverter: float
    """Inverter loss over power passed."""
    weakening_w: float
    """Loss of field weakening far above base speed."""
    base_mps: float
    """Speed at which peak torque gives peak power."""
    accessory_w: float
    regeneration: float
    """Share of braking that the drive takes over."""
    regeneration_w: float
    """Largest braking power at the wheels taken over."""
    fade_per_mps: float
    """1 / speed below which regeneration fades."""
    grip_n: float
    """Largest driving force that the tyres carry at steady speed."""
    front_n: float
    """Weight on the front axle at standstill, N."""
    front_share: float
    """Share of peak torque at the front axle."""
    transfer: float
    """Height of the centre of gravity over the wheelbase."""
    friction: float
    rise_s: float
    """Time in which torque builds up from standstill."""
    charge_as: float
    """Charge of the pack from full to empty, A s."""
    discharge_a: float
    """Largest current out of the pack."""
    recharge_a: float
    """Largest current into the pack while driving."""
    lowest_v: float
    highest_v: float


PARAMETERS = len(Car._fields)

# Positions in the sums of a trace, J.
AERO, ROLLING, BRAKE, DRIVE, ACCESSORY, BATTERY, CELLS, RETURNED = 0, 1, 2, 3, 4, 5, 6, 7
# Behind them the largest braking power, W, that the drive would take over without its limits.
ASKED_W = 8
# Largest power that motors or tyres, and that the pack lacks; seconds above the motors' speed limit.
LACKING_W, STARVED_W, TOO_FAST_S = 9, 10, 11
SUMS = 12

# Columns that a batch answers with, for each car.
BATCH_CELLS_J, BATCH_TERMINAL_J, BATCH_MISSED_J, BATCH_END_CHARGE = 0, 1, 2, 3
BATCH = 4


@njit(cache=True, nogil=True)
def car_of(p: NDArray[np.float64]) -> Car:
    """Return a car from its row of parameters, shape (PARAMETERS,), in the order of Car's fields."""
    return Car(
        p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13], p[14], p[15],
        p[16], p[17], p[18], p[19], p[20], p[21], p[22], p[23], p[24], p[25], p[26], p[27], p[28], p[29], p[30], p[31],
    )  # fmt: skip


# Conditional expressions stand for min and max in these three: numba's CUDA target does not take the built-in ones.


def _shaft(car: Any, v: float, per_v: float, av: float) -> tuple[float, float, float]:
    """Return shaft power (W, negative when braking), and the powers at the wheels that lack and were wanted."""
    wheel = v * (car.load_a + v * (car.load_b + v * car.load_c)) + car.mass * av
    drive = wheel if wheel > 0.0 else 0.0
    brake = drive - wheel
    power = car.peak_w * car.fall_mps * per_v
    able = power if power < car.peak_w and v > 0.0 else car.peak_w
    torque = car.peak_n * v
    able = torque if torque < able else able
    fade = v * car.fade_per_mps
    taken = brake * car.regeneration * (fade if fade < 1.0 else 1.0)
    taken = taken if taken < car.regeneration_w else car.regeneration_w
    taken = taken if taken < able else able
    given = able * car.gear_efficiency
    given = drive if drive < given else given
    grip = car.grip_n * v
    given = given if given < grip else grip
    return given * car.per_gear_efficiency - taken * car.gear_efficiency, drive - given, wheel


def _drive_loss(car: Any, shaft: float, v: float, per_v: float) -> float:
    """Return the loss of motor and inverter, W."""
    force = shaft * per_v
    weak = 1.0 - car.base_mps * per_v
    weak = weak if weak > 0.0 and v > car.base_mps else 0.0
    loss = car.copper * force * force + car.iron * v + car.inverter * abs(shaft)
    return loss + car.weakening_w * weak * weak  # type: ignore[no-any-return]


def _current(car: Any, voltage: float, resistance: float, terminal: float) -> tuple[float, float]:
    """Return the current out of the pack, A, within its limits, and the power at its terminals that lacks, W.

    Open-circuit voltage U behind a resistance R: terminal power = U I - R I^2.
    """
    conductance = 1.0 / resistance
    radicand = voltage * voltage - 4.0 * resistance * terminal
    radicand = radicand if radicand > 0.0 else 0.0
    current = 0.5 * conductance * (voltage - math.sqrt(radicand))
    most = (voltage - car.lowest_v) * conductance
    most = most if most > 0.0 else 0.0
    most = most if most < car.discharge_a else car.discharge_a
    least = (voltage - car.highest_v) * conductance
    least = least if least < 0.0 else 0.0
    least = least if least > -car.recharge_a else -car.recharge_a
    current = current if current < most else most
    current = current if current > least else least
    # What lacks in discharge; power that the pack cannot take up goes to the brakes and lacks nowhere.
    lacking = terminal - current * (voltage - resistance * current)
    return current, lacking if lacking > 0.0 and terminal > 0.0 else 0.0


shaft_power = njit(cache=True, nogil=True, fastmath=_MATH, error_model="numpy")(_shaft)
drive_loss = njit(cache=True, nogil=True, fastmath=_MATH, error_model="numpy")(_drive_loss)
pack_current = njit(cache=True, nogil=True, fastmath=_MATH, error_model="numpy")(_current)


@njit(cache=True, nogil=True)
def drive(
    speed_mps: NDArray[np.float64],
    p: NDArray[np.float64],
    pack: NDArray[np.float64],
    start: float,
    power_w: NDArray[np.float64],
    charge: NDArray[np.float64],
    missing_w: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Follow a 1 Hz trace second by second; return the energy sums, shape (SUMS,), J.

    Parameters: speed_mps (n,); p (PARAMETERS,); pack (2, NODES) open-circuit voltage and resistance over the state of
    charge; start, state of charge before; filled for each second: power_w (n,) out of the cells, charge (n,) state of
    charge after it, missing_w (n,) power that the car or its pack lacks. Road load and power are taken at the mean
    speed of each second, so that the kinetic energy of a trace from standstill to standstill cancels exactly.
    """
    car = car_of(p)
    sums = np.zeros(SUMS)
    power_w[0] = 0.0
    missing_w[0] = 0.0
    charge[0] = start
    soc = start
    for i in range(1, speed_mps.size):
        v = 0.5 * (speed_mps[i - 1] + speed_mps[i])
        av = (speed_mps[i] - speed_mps[i - 1]) * v
        per_v = 1.0 / v if v > 0.0 else 0.0
        shaft, lacking, wheel = shaft_power(car, v, per_v, av)
        loss = drive_loss(car, shaft, v, per_v) if v > 0.0 else 0.0
        terminal = shaft + loss + car.accessory_w
        voltage, resistance = _pack_at(pack, soc)
        current, starved = pack_current(car, voltage, resistance, terminal)
        given = current * (voltage - resistance * current)
        cells = voltage * current
        soc -= current / car.charge_as
        taken = shaft / car.gear_efficiency if shaft < 0.0 else 0.0
        refused = max(given - terminal, 0.0) if terminal < 0.0 else 0.0
        at_wheel = shaft * car.gear_efficiency if shaft > 0.0 else taken
        braked = (taken - wheel if wheel < 0.0 else 0.0) + refused
        sums[AERO] += car.load_c * v * v * v
        sums[ROLLING] += v * (car.load_a - car.drag_n + car.load_b * v)
        sums[BRAKE] += braked
        sums[DRIVE] += loss + shaft - at_wheel + v * car.drag_n
        sums[ACCESSORY] += car.accessory_w
        sums[BATTERY] += resistance * current * current
        sums[CELLS] += cells
        sums[RETURNED] += max(-cells, 0.0)
        if wheel < 0.0:
            sums[ASKED_W] = max(sums[ASKED_W], -wheel * car.regeneration * min(1.0, v * car.fade_per_mps))
        over = v > car.largest_mps * (1.0 + 1e-9)
        power_w[i] = cells
        charge[i] = soc
        missing_w[i] = lacking + starved if not over else max(wheel, 1.0)
        sums[LACKING_W] = max(sums[LACKING_W], lacking)
        sums[STARVED_W] = max(sums[STARVED_W], starved)
        sums[TOO_FAST_S] += 1.0 if over else 0.0
    return sums


@njit(cache=True, nogil=True)
def _pack_at(pack: NDArray[np.float64], soc: float) -> tuple[float, float]:
    """Open-circuit voltage and resistance at a state of charge, in a straight line between the nodes."""
    at = soc * (NODES - 1)
    at = 0.0 if at < 0.0 else at
    low = int(at)
    low = NODES - 2 if low > NODES - 2 else low
    part = at - low
    return (
        pack[0, low] + part * (pack[0, low + 1] - pack[0, low]),
        pack[1, low] + part * (pack[1, low + 1] - pack[1, low]),
    )


@njit(cache=True, nogil=True, fastmath=_MATH, error_model="numpy")
def energy_batch(terms: NDArray[np.float64], cars: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Energies of many cars over one trace, their packs at one state of charge: the search's kernel.

    Parameters: terms (4, m), mean speed, its inverse, mean speed times acceleration, and seconds, for each kind of
    second with v > 0 or for one that stands for all seconds at rest; cars (n, PARAMETERS + 2), the last two the pack's
    open-circuit voltage and resistance; out (n, BATCH). Time is the inner loop, free of branches, so that it becomes
    SIMD code.
    """
    speed, per_speed, work, seconds = terms[0], terms[1], terms[2], terms[3]
    n = speed.size
    for d in range(cars.shape[0]):
        car = car_of(cars[d])
        voltage = cars[d, PARAMETERS]
        resistance = cars[d, PARAMETERS + 1]
        cells = 0.0
        at_terminals = 0.0
        missed = 0.0
        for i in range(n):
            v = speed[i]
            shaft, lacking, _ = shaft_power(car, v, per_speed[i], work[i])
            terminal = shaft + drive_loss(car, shaft, v, per_speed[i]) + car.accessory_w
            current, starved = pack_current(car, voltage, resistance, terminal)
            cells += current * seconds[i]
            at_terminals += current * current * seconds[i]
            missed += (lacking + starved) * seconds[i]
        out[d, BATCH_CELLS_J] = cells * voltage
        out[d, BATCH_TERMINAL_J] = cells * voltage - at_terminals * resistance
        out[d, BATCH_MISSED_J] = missed
        out[d, BATCH_END_CHARGE] = math.nan


@njit(cache=True, nogil=True, fastmath=_MATH, error_model="numpy")
def _terminals(car: Car, terms: NDArray[np.float64], terminal: NDArray[np.float64]) -> float:
    """Fill in the power at the pack's terminals of every second; return what the car lacks at the wheels, J."""
    missed = 0.0
    for i in range(terminal.size):
        shaft, lacking, _ = shaft_power(car, terms[0, i], terms[1, i], terms[2, i])
        terminal[i] = shaft + drive_loss(car, shaft, terms[0, i], terms[1, i]) + car.accessory_w
        missed += lacking
    return missed


@njit(cache=True, nogil=True, fastmath=_MATH, error_model="numpy")
def _currents(
    car: Car,
    terminal: NDArray[np.float64],
    voltage: NDArray[np.float64],
    resistance: NDArray[np.float64],
    current: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Fill in the current of every second; return energy out of the cells, its loss, and what the pack lacks, J."""
    cells = 0.0
    lost = 0.0
    missed = 0.0
    for i in range(terminal.size):
        amperes, starved = pack_current(car, voltage[i], resistance[i], terminal[i])
        current[i] = amperes
        cells += amperes * voltage[i]
        lost += amperes * amperes * resistance[i]
        missed += starved
    return cells, lost, missed


@njit(cache=True, nogil=True, fastmath=_MATH, error_model="numpy")
def _charges(
    car: Car,
    lines: NDArray[np.float64],
    start: float,
    current: NDArray[np.float64],
    soc: NDArray[np.float64],
    voltage: NDArray[np.float64],
    resistance: NDArray[np.float64],
) -> tuple[float, float]:
    """Add up a current to states of charge; return the last, and the largest change against those there before.

    ``soc`` and what is returned count nodes; lines (NODES - 1, 4): voltage and resistance between two nodes as
    intercept and slope.
    """
    change = 0.0
    at = start
    per_charge = (NODES - 1) / car.charge_as
    for i in range(current.size):
        change = max(change, abs(soc[i] - at))
        soc[i] = at
        low = min(max(int(at), 0), NODES - 2)
        voltage[i] = lines[low, 0] + lines[low, 1] * at
        resistance[i] = lines[low, 2] + lines[low, 3] * at
        at -= current[i] * per_charge
    return at, change


@njit(cache=True, nogil=True)
def drive_batch(
    terms: NDArray[np.float64],
    cars: NDArray[np.float64],
    packs: NDArray[np.float64],
    start: NDArray[np.float64],
    agreed: float,
    out: NDArray[np.float64],
) -> None:
    """Energies of many cars over one trace, their packs depending on the state of charge in every second.

    Parameters: terms (3, m) in the trace's order: mean speed, its inverse (0 at rest), mean speed times acceleration;
    cars (n, PARAMETERS); packs (n, 2, NODES); start (n,); out (n, BATCH). The state of charge of every second is
    guessed, the current that follows is added up to a better guess, until both agree within ``agreed``: the same answer
    as second by second (waveform relaxation; Lelarasmee, Ruehli and Sangiovanni-Vincentelli 1982), but each pass is
    SIMD code.
    """
    n = terms.shape[1]
    terminal = np.empty(n)
    current = np.empty(n)
    soc = np.empty(n)
    voltage = np.empty(n)
    resistance = np.empty(n)
    lines = np.empty((NODES - 1, 4))
    for d in range(cars.shape[0]):
        car = car_of(cars[d])
        for low in range(NODES - 1):
            for part in range(2):
                slope = packs[d, part, low + 1] - packs[d, part, low]
                lines[low, 2 * part] = packs[d, part, low] - slope * low
                lines[low, 2 * part + 1] = slope
        begin = start[d] * (NODES - 1)
        missed_at_wheels = _terminals(car, terms, terminal)
        first = 1.0 / _pack_at(packs[d], start[d])[0]
        for i in range(n):
            current[i] = terminal[i] * first
            soc[i] = begin
        cells = 0.0
        lost = 0.0
        missed = 0.0
        end, change = _charges(car, lines, begin, current, soc, voltage, resistance)
        for _ in range(RELAXATIONS):
            cells, lost, missed = _currents(car, terminal, voltage, resistance, current)
            end, change = _charges(car, lines, begin, current, soc, voltage, resistance)
            if change < agreed * (NODES - 1):
                break
        out[d, BATCH_CELLS_J] = cells
        out[d, BATCH_TERMINAL_J] = cells - lost
        out[d, BATCH_MISSED_J] = missed + missed_at_wheels
        out[d, BATCH_END_CHARGE] = end / (NODES - 1)


@njit(cache=True, nogil=True)
def pack_power_w(car: Car, voltage: float, resistance: float) -> float:
    """Largest power at the pack's terminals: current limit, voltage limit, or the peak of U I - R I^2."""
    current = min(min(car.discharge_a, max(voltage - car.lowest_v, 0.0) / resistance), voltage / (2.0 * resistance))
    return current * (voltage - resistance * current)


@njit(cache=True, nogil=True)
def driving_force_n(car: Car, power_w: float, v: float) -> float:
    """Largest driving force, N, at speed v (m/s): torque, motor power, pack power less losses, and grip.

    Each axle gives the smaller of its motor's force and its tyres' grip, whose load the force F itself moves: front
    weight - transfer F, rear weight + transfer F. The sum is a minimum of lines in F, all of slope below 1, so that
    the force that fits itself is the least of the four lines' fixed points.
    """
    if v > car.largest_mps:
        return 0.0
    force = car.peak_n
    if v > 0.0:
        per_v = 1.0 / v
        weak = max(0.0, 1.0 - car.base_mps * per_v)
        fixed = car.accessory_w + car.iron * v + car.weakening_w * weak * weak
        copper = car.copper * per_v * per_v
        through = 1.0 + car.inverter
        radicand = through * through + 4.0 * copper * max(power_w - fixed, 0.0)
        shaft = 2.0 * max(power_w - fixed, 0.0) / (through + math.sqrt(radicand))
        shaft = min(shaft, car.peak_w * min(1.0, car.fall_mps * per_v))
        force = min(force, shaft * per_v)
    force *= car.gear_efficiency
    front = force * car.front_share
    rear = force - front
    front_grip = car.friction * car.front_n
    rear_grip = car.friction * (car.weight - car.front_n)
    lean = car.friction * car.transfer
    found = min(min(force, car.friction * car.weight), (front_grip + rear) / (1.0 + lean))
    if lean < 1.0:
        found = min(found, (front + rear_grip) / (1.0 - lean))
    return found


@njit(cache=True, nogil=True)
def seconds_between(
    car: Car, voltage: float, resistance: float, from_mps: float, to_mps: float, steps: int, grade_n: float
) -> float:
    """Seconds from one speed to another at full power; negative if it is never reached.

    The integral of m dv / (force - road load - grade) by the midpoint rule over speed, and half the time in which
    torque builds up, which is what a force that rises in a straight line loses.
    """
    power = pack_power_w(car, voltage, resistance)
    width = (to_mps - from_mps) / steps
    total = 0.5 * car.rise_s
    for i in range(steps):
        v = from_mps + (i + 0.5) * width
        net = driving_force_n(car, power, v) - (car.load_a + car.load_b * v + car.load_c * v * v) - grade_n
        if net <= 0.0:
            return -1.0
        total += car.mass * width / net
    return total


@njit(cache=True, nogil=True)
def top_speed_mps(car: Car, voltage: float, resistance: float) -> float:
    """Speed, m/s, at which force meets road load or the motor's speed limit is reached; by bisection."""
    power = pack_power_w(car, voltage, resistance)
    low = 0.0
    high = car.largest_mps
    if driving_force_n(car, power, high) >= car.load_a + car.load_b * high + car.load_c * high * high:
        return high
    for _ in range(40):
        v = 0.5 * (low + high)
        if driving_force_n(car, power, v) > car.load_a + car.load_b * v + car.load_c * v * v:
            low = v
        else:
            high = v
    return low


@njit(cache=True, nogil=True)
def top_speed_batch(cars: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Top speeds, m/s, of many cars: cars (n, PARAMETERS + 2), the last two the pack's; out (n,)."""
    for d in range(cars.shape[0]):
        out[d] = top_speed_mps(car_of(cars[d]), cars[d, PARAMETERS], cars[d, PARAMETERS + 1])


@njit(cache=True, nogil=True)
def performance_batch(
    cars: NDArray[np.float64], targets_mps: NDArray[np.float64], steps: int, out: NDArray[np.float64]
) -> None:
    """Seconds from one speed to another for many cars.

    Parameters: cars (n, PARAMETERS + 2), the last two the pack's open-circuit voltage and resistance; targets_mps
    (k, 2), from and to; out (n, k), negative where the speed is never reached.
    """
    for d in range(cars.shape[0]):
        car = car_of(cars[d])
        voltage = cars[d, PARAMETERS]
        resistance = cars[d, PARAMETERS + 1]
        for j in range(targets_mps.shape[0]):
            out[d, j] = seconds_between(car, voltage, resistance, targets_mps[j, 0], targets_mps[j, 1], steps, 0.0)


@njit(cache=True, nogil=True)
def charge_s(
    pack: NDArray[np.float64],
    charge_as: float,
    highest_v: float,
    most_w: float,
    most_a: float,
    taper_from: float,
    full_share: float,
    begin: float,
    end: float,
    steps: int,
    power_w: NDArray[np.float64],
) -> float:
    """Seconds of a fast charge between two states of charge; power_w (steps,) is filled with power at the terminals.

    The smallest of four currents: the charger's power, falling in a straight line from one state of charge to a share
    at a full pack; the cable's current; and what brings the terminals to the cells' voltage limit. Negative if the
    pack takes none.
    """
    total = 0.0
    width = (end - begin) / steps
    for i in range(steps):
        soc = begin + (i + 0.5) * width
        voltage, resistance = _pack_at(pack, soc)
        share = 1.0
        if soc > taper_from and taper_from < 1.0:
            share = 1.0 - (1.0 - full_share) * (soc - taper_from) / (1.0 - taper_from)
        power = most_w * share
        current = (math.sqrt(voltage * voltage + 4.0 * resistance * power) - voltage) / (2.0 * resistance)
        current = min(min(current, most_a), (highest_v - voltage) / resistance)
        if current <= 0.0:
            return -1.0
        power_w[i] = current * (voltage + resistance * current)
        total += charge_as * width / current
    return total


CUDA_THREADS = 128
"""Threads of a block: one car each."""


def gpu_is_present() -> bool:
    """Tell whether numba finds a CUDA GPU and what it needs to compile for it."""
    return bool(cuda.is_available())


def cuda_drive_batch() -> Any:
    """Compile :func:`drive_batch` for a CUDA GPU from the same source, one car a thread, second by second.

    The kernel is launched as ``kernel[blocks, CUDA_THREADS](terms, cars, packs, start, out)`` with the arguments of
    :func:`drive_batch`. Raises what numba raises where there is no CUDA.
    """
    shaft_of = cuda.jit(device=True)(_shaft)
    loss_of = cuda.jit(device=True)(_drive_loss)
    current_of = cuda.jit(device=True)(_current)
    car_at = cuda.jit(device=True)(car_of.py_func)
    pack_at = cuda.jit(device=True)(_pack_at.py_func)

    @cuda.jit
    def drive_all(terms: Any, cars: Any, packs: Any, start: Any, out: Any) -> None:
        d = cuda.grid(1)
        if d < cars.shape[0]:
            car = car_at(cars[d])
            soc = start[d]
            cells = 0.0
            lost = 0.0
            missed = 0.0
            for i in range(terms.shape[1]):
                v = terms[0, i]
                per_v = terms[1, i]
                shaft, lacking, _ = shaft_of(car, v, per_v, terms[2, i])
                terminal = shaft + loss_of(car, shaft, v, per_v) + car.accessory_w
                voltage, resistance = pack_at(packs[d], soc)
                current, starved = current_of(car, voltage, resistance, terminal)
                cells += current * voltage
                lost += current * current * resistance
                missed += lacking + starved
                soc -= current / car.charge_as
            out[d, 0] = cells
            out[d, 1] = cells - lost
            out[d, 2] = missed
            out[d, 3] = soc

    return drive_all
