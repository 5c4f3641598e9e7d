"""Random numbers addressed by (key, purpose, replication, count), and times drawn from them.

The n-th draw of a stream is the same whatever else draws, so a changed machine leaves the luck of the others alone, and
every engine and every order of events sees the same luck. Every draw takes one uniform number, and is the longer the
larger that is; gamma and lognormal times are looked up in ``tables``.
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
        ("first", np.int64),  # empirical: its values are values_s[first:last]; gamma, lognormal: so is its table
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
_MOST = (1 << 53) - 1
_SHARE_BITS = 47
"""Bits of a number behind the five that tell the part of its octave, see ``tables``."""
_SHARE_MASK = (1 << _SHARE_BITS) - 1
_TO_SHARE = 2.0**-_SHARE_BITS
_FIRST_CUBIC = 1023 << 5
_CUBICS = 53 * 32


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
    return float(mixed(base + np.uint64(count + 1) * _GOLDEN) >> _S11) * _TO_UNIT


@njit(forceinline=True, **KERNEL)
def exponential(base: np.uint64, count: int) -> float:
    """Return draw ``count`` of a stream: exponential with mean 1."""
    return -math.log(1.0 - uniform(base, count))


@njit(forceinline=True, **KERNEL)
def tabled(values_s: F8, first: int, base: np.uint64, count: int) -> float:
    """Return draw ``count`` of a stream, of a table of quantiles (see ``tables``) that begins at ``first``."""
    number = np.int64(mixed(base + np.uint64(count + 1) * _GOLDEN) >> _S11)
    side = number >> 52
    if side == 1:
        number = _MOST - number
    # The chance in units of 2^-54: odd, below 2^53, so that it is kept exactly.
    bits = np.float64(2 * number + 1).view(np.int64)
    cubic = first + 4 * (side * _CUBICS + (bits >> _SHARE_BITS) - _FIRST_CUBIC)
    share = np.float64(bits & _SHARE_MASK) * _TO_SHARE
    answer: float = values_s[cubic] + share * (
        values_s[cubic + 1] + share * (values_s[cubic + 2] + share * values_s[cubic + 3])
    )
    return answer


@njit(forceinline=True, **KERNEL)
def draw(times: Records, values_s: F8, row: int, base: np.uint64, count: int) -> float:
    """Return draw ``count`` of a time.

    Parameters
    ----------
    times
        (T,) of TIME.
    values_s
        Values of the empirical ones, s, and tables of the gamma and lognormal ones.
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
    if kind == EMPIRICAL:
        size = times[row].last - times[row].first
        answer = values_s[times[row].first + int(uniform(base, count) * size)]
        return answer
    answer = times[row].mean_s * tabled(values_s, times[row].first, base, count)
    return answer
