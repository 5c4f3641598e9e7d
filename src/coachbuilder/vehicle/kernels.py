"""Hot loops of the vehicle stage. Units: m, s, kg, N, W, J, V, ohm."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

GRAVITY_MPS2 = 9.80665

# Positions in the parameter vector of every kernel here.
MASS, INERTIA, LOAD_A, LOAD_B, LOAD_C = 0, 1, 2, 3, 4
PEAK_W, PEAK_NM, GEAR, SPEED_LIMIT, RADIUS = 5, 6, 7, 8, 9
GEAR_EFFICIENCY, COPPER, IRON, INVERTER, ACCESSORY_W = 10, 11, 12, 13, 14
REGENERATION, REGENERATION_W, FADE_MPS = 15, 16, 17
VOLTAGE, RESISTANCE = 18, 19
AXLE_SHARE, TRANSFER, FRICTION = 20, 21, 22
PARAMETERS = 23

# Positions in the sums of a cycle, J.
AERO, ROLLING, BRAKE, DRIVE, ACCESSORY, BATTERY, CELLS, RETURNED = 0, 1, 2, 3, 4, 5, 6, 7
# Behind them the largest braking power, W, that the driven axle would take over without its limit.
ASKED_W = 8
SUMS = 9


@njit(cache=True, nogil=True)
def drive_loss_w(p: NDArray[np.float64], shaft_w: float, shaft_speed: float) -> float:
    """Loss of motor and inverter, W, at a shaft power (W, negative when braking) and speed (rad/s)."""
    torque = shaft_w / max(shaft_speed, 1.0)
    loss = p[COPPER] * p[PEAK_W] * (torque / p[PEAK_NM]) ** 2
    loss += p[IRON] * p[PEAK_W] * shaft_speed / p[SPEED_LIMIT]
    return loss + p[INVERTER] * abs(shaft_w)  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def cell_power_w(p: NDArray[np.float64], terminal_w: float) -> tuple[float, bool]:
    """Power out of the cells, W, for a power at the pack's terminals; the second value is false if it cannot be had.

    Open-circuit voltage U behind a resistance R: terminal power = U I - R I^2, power out of the cells = U I.
    """
    root = p[VOLTAGE] ** 2 - 4.0 * p[RESISTANCE] * terminal_w
    if root < 0.0:
        return p[VOLTAGE] ** 2 / (2.0 * p[RESISTANCE]), False
    return p[VOLTAGE] * (p[VOLTAGE] - math.sqrt(root)) / (2.0 * p[RESISTANCE]), True


@njit(cache=True, nogil=True)
def drive_cycle(
    speed_mps: NDArray[np.float64], p: NDArray[np.float64], power_w: NDArray[np.float64]
) -> tuple[NDArray[np.float64], int]:
    """Follow a 1 Hz trace; return the energy sums (J) and the seconds missed.

    Parameters: speed_mps (n,), p (PARAMETERS,), power_w (n,) filled with the power out of the cells in the second
    before. Road load and power are taken at the mean speed of each second, so that the kinetic energy of a cycle
    from standstill to standstill cancels exactly.
    """
    sums = np.zeros(SUMS)
    missed = 0
    power_w[0] = 0.0
    for i in range(1, speed_mps.size):
        v = 0.5 * (speed_mps[i - 1] + speed_mps[i])
        acceleration = speed_mps[i] - speed_mps[i - 1]
        air = p[LOAD_C] * v * v * v
        rolling = (p[LOAD_A] * v + p[LOAD_B] * v * v) if v > 0.0 else 0.0
        wheel = air + rolling + p[MASS] * (1.0 + p[INERTIA]) * acceleration * v
        shaft_speed = v / p[RADIUS] * p[GEAR]
        brake = 0.0
        if wheel >= 0.0:
            shaft = wheel / p[GEAR_EFFICIENCY]
            limit = min(p[PEAK_W], p[PEAK_NM] * max(shaft_speed, 1e-9))
            grip = p[FRICTION] * p[MASS] * GRAVITY_MPS2 * p[AXLE_SHARE] * v
            if shaft > limit * (1.0 + 1e-9) or wheel > grip * (1.0 + 1e-9) or shaft_speed > p[SPEED_LIMIT]:
                missed += 1
        else:
            fade = min(1.0, v / p[FADE_MPS])
            asked = -wheel * p[REGENERATION] * fade
            sums[ASKED_W] = max(sums[ASKED_W], asked)
            taken = min(asked, p[REGENERATION_W])
            taken = min(taken, p[PEAK_W], p[PEAK_NM] * shaft_speed)
            brake = -wheel - taken
            shaft = -taken * p[GEAR_EFFICIENCY]
        loss = drive_loss_w(p, shaft, shaft_speed) if v > 0.0 else 0.0
        terminal = shaft + loss + p[ACCESSORY_W]
        cells, possible = cell_power_w(p, terminal)
        if not possible:
            missed += 1
        power_w[i] = cells
        sums[AERO] += air
        sums[ROLLING] += rolling
        sums[BRAKE] += brake
        sums[DRIVE] += loss + (shaft - wheel if wheel >= 0.0 else shaft - (wheel + brake))
        sums[ACCESSORY] += p[ACCESSORY_W]
        sums[BATTERY] += cells - terminal
        sums[CELLS] += cells
        if cells < 0.0:
            sums[RETURNED] -= cells
    return sums, missed


@njit(cache=True, nogil=True)
def wheel_force_n(p: NDArray[np.float64], v: float) -> float:
    """Largest driving force, N, at speed v (m/s): torque, power and grip with load transfer, before road load."""
    shaft_speed = v / p[RADIUS] * p[GEAR]
    if shaft_speed > p[SPEED_LIMIT]:
        return 0.0
    force = p[PEAK_NM] * p[GEAR] / p[RADIUS] * p[GEAR_EFFICIENCY]
    battery_w = min(p[PEAK_W], p[VOLTAGE] ** 2 / (4.0 * p[RESISTANCE]))
    if v > 0.0:
        force = min(force, battery_w * p[GEAR_EFFICIENCY] / v)
    # Friction on the driven axle, whose load grows by the transfer share of the driving force.
    lever = 1.0 - p[FRICTION] * p[TRANSFER]
    if lever > 0.0:
        force = min(force, p[FRICTION] * p[MASS] * GRAVITY_MPS2 * p[AXLE_SHARE] / lever)
    return force  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def seconds_to(p: NDArray[np.float64], target_mps: float, step_mps: float) -> float:
    """Seconds from standstill to a speed at full power; negative if it is never reached.

    The integral of m dv / (force - road load) by the midpoint rule over speed.
    """
    steps = max(1, math.ceil(target_mps / step_mps))
    width = target_mps / steps
    total = 0.0
    for i in range(steps):
        v = (i + 0.5) * width
        net = wheel_force_n(p, v) - (p[LOAD_A] + p[LOAD_B] * v + p[LOAD_C] * v * v)
        if net <= 0.0:
            return -1.0
        total += p[MASS] * (1.0 + p[INERTIA]) * width / net
    return total


@njit(cache=True, nogil=True)
def top_speed_mps(p: NDArray[np.float64]) -> float:
    """Speed, m/s, at which force meets road load or the motor's speed limit is reached; by bisection."""
    low = 0.0
    high = p[SPEED_LIMIT] / p[GEAR] * p[RADIUS]
    if wheel_force_n(p, high) >= p[LOAD_A] + p[LOAD_B] * high + p[LOAD_C] * high * high:
        return high  # type: ignore[no-any-return]
    for _ in range(60):
        v = 0.5 * (low + high)
        if wheel_force_n(p, v) > p[LOAD_A] + p[LOAD_B] * v + p[LOAD_C] * v * v:
            low = v
        else:
            high = v
    return low
