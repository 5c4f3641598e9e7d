"""Random numbers addressed by (key, purpose, replication, count), and times drawn from them.

The n-th draw of a stream is the same whatever else draws, so a changed machine leaves the luck of the others alone, and
every engine and every order of events sees the same luck. A draw that needs several uniform numbers takes them from a
sub-stream of its own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

F8 = NDArray[np.float64]
Records = NDArray[Any]

SERVICE, TO_FAILURE, TO_REPAIR, QUALITY, SCRAP, INTERVAL, WORK = 1, 2, 3, 4, 5, 6, 7
"""Purposes of streams."""

FIXED, EXPONENTIAL, GAMMA, LOGNORMAL, EMPIRICAL = 0, 1, 2, 3, 4
"""Kinds of times."""

TIME = np.dtype(
    [
        ("kind", np.int64),
        ("mean_s", np.float64),
        ("shape", np.float64),  # gamma: 1 / cv^2; lognormal: standard deviation of the logarithm
        ("first", np.int64),  # empirical: its values are values_s[first:last]
        ("last", np.int64),
    ]
)
"""One time that may vary."""

KERNEL: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
"""How kernels without arrays of their own are compiled: counting references to arrays would take most of the time."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_TO_UNIT = 2.0**-53
_HALF = 2.0**-54


@njit(forceinline=True, **KERNEL)
def mixed(bits: np.uint64) -> np.uint64:
    """Scramble 64 bits (the finaliser of SplitMix64: Steele, Lea and Flood 2014)."""
    bits = (bits ^ (bits >> _S30)) * _MIX_1
    bits = (bits ^ (bits >> _S27)) * _MIX_2
    return bits ^ (bits >> _S31)


@njit(forceinline=True, **KERNEL)
def stream(key: np.uint64, purpose: int, replication: int) -> np.uint64:
    """Return the base of one stream in one replication."""
    base = mixed(key + np.uint64(purpose) * _GOLDEN)
    base_of_run: np.uint64 = mixed(base ^ (np.uint64(replication) * _MIX_1 + _GOLDEN))
    return base_of_run


@njit(forceinline=True, **KERNEL)
def uniform(base: np.uint64, count: int) -> float:
    """Return draw ``count`` of a stream: uniform on [0, 1) with 53 bits."""
    return np.float64(mixed(base + np.uint64(count + 1) * _GOLDEN) >> _S11) * _TO_UNIT


@njit(forceinline=True, **KERNEL)
def exponential(base: np.uint64, count: int) -> float:
    """Return draw ``count`` of a stream: exponential with mean 1."""
    return -math.log(1.0 - uniform(base, count))


@njit(**KERNEL)
def _normal(base: np.uint64, pair: int) -> float:
    """Return a standard normal number from uniforms 2 * pair and 2 * pair + 1 (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(uniform(base, 2 * pair) + _HALF))
    return radius * math.cos(2.0 * math.pi * uniform(base, 2 * pair + 1))


@njit(**KERNEL)
def gamma(shape: float, base: np.uint64, count: int) -> float:
    """Return draw ``count`` of a stream: gamma with mean 1 (Marsaglia and Tsang 2000)."""
    own = mixed(base + np.uint64(count + 1) * _GOLDEN)
    boost = 1.0
    above = shape
    if shape < 1.0:
        boost = (uniform(own, 0) + _HALF) ** (1.0 / shape)
        above = shape + 1.0
    depth = above - 1.0 / 3.0
    width = 1.0 / math.sqrt(9.0 * depth)
    trial = 1
    while True:
        # Each trial takes three uniforms of the sub-stream: 3 * trial and the two behind it.
        radius = math.sqrt(-2.0 * math.log(uniform(own, 3 * trial) + _HALF))
        normal = radius * math.cos(2.0 * math.pi * uniform(own, 3 * trial + 1))
        cube = (1.0 + width * normal) ** 3
        if cube > 0.0:
            chance = math.log(uniform(own, 3 * trial + 2) + _HALF)
            if chance < 0.5 * normal * normal + depth * (1.0 - cube + math.log(cube)):
                return boost * depth * cube / shape
        trial += 1


@njit(**KERNEL)
def lognormal(sigma: float, base: np.uint64, count: int) -> float:
    """Return draw ``count`` of a stream: lognormal with mean 1 and given deviation of the logarithm."""
    own = mixed(base + np.uint64(count + 1) * _GOLDEN)
    return math.exp(sigma * _normal(own, 0) - 0.5 * sigma * sigma)


@njit(**KERNEL)
def _varied(times: Records, values_s: F8, row: int, base: np.uint64, count: int) -> float:
    kind = times[row].kind
    if kind == GAMMA:
        answer: float = times[row].mean_s * gamma(times[row].shape, base, count)
        return answer
    if kind == LOGNORMAL:
        answer = times[row].mean_s * lognormal(times[row].shape, base, count)
        return answer
    size = times[row].last - times[row].first
    answer = values_s[times[row].first + int(uniform(base, count) * size)]
    return answer


@njit(forceinline=True, **KERNEL)
def draw(times: Records, values_s: F8, row: int, base: np.uint64, count: int) -> float:
    """Return draw ``count`` of a time.

    Parameters
    ----------
    times
        (T,) of TIME.
    values_s
        Values of the empirical ones, s.
    row
        Which time.
    base
        Base of the stream, see ``stream``.
    count
        Number of the draw, from 0.
    """
    kind = times[row].kind
    if kind == FIXED:
        answer: float = times[row].mean_s
        return answer
    if kind == EXPONENTIAL:
        answer = times[row].mean_s * exponential(base, count)
        return answer
    answer = _varied(times, values_s, row, base, count)
    return answer
