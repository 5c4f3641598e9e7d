"""What would have to be true: the nearest point at which the answer turns, in units of each assumption's spread.

In standard normal scores the distance of that point is the reliability index of Hasofer and Lind (1974), and the point
the likeliest of all at which the answer is another. It is found as the least distance under linearised conditions, step
by step, with a line search on a merit function (the improved HL-RF algorithm: Zhang and Der Kiureghian 1995), here for
one condition or several at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

F8 = NDArray[np.float64]

Margins = Callable[[F8], F8]
"""Takes (points, scores) and returns (points, conditions): 0 or more where a condition holds."""

FARTHEST = 8.0
"""Distance beyond which nothing is looked for: one draw in 10^15 lies there."""

MOST_STEPS = 15
STEP = 0.25
"""Half of the step of central differences, in scores: wide enough to see over the whole cars of a simulated plant."""

LEAST_GAIN = 1e-3
"""Share of its merit that a step must gain for the search to go on."""

SHARES = (1.0, 0.5, 0.25, 0.1, 0.03)
"""Parts of a step that the line search looks at."""

TOLERANCE = 1e-3
"""How far a condition may be missed at the point told, as a share of by how much it is missed or kept at the centre."""

ROUNDING = 1e-9
"""What of that is told as nothing missed; more is allowed only if no such point lies on the way."""

CLOSE = 1e-3
"""Steps shorter than this, in scores, end the search."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest point found at which all conditions hold."""

    z: F8
    """(scores,) the point."""
    beta: float
    """Its distance from the centre."""
    points: int
    """Points that were looked at."""


def nearest(margins: Margins, scores: int) -> Nearest | None:
    """Return the nearest point at which all conditions hold; None if none is found within ``FARTHEST``.

    Parameters
    ----------
    margins
        The conditions; not a number where there is no answer.
    scores
        Number of scores.

    Examples
    --------
    >>> found = nearest(lambda z: z[:, :1] + z[:, 1:] - 2.0, 2)
    >>> round(found.beta**2, 6), [round(float(score), 6) for score in found.z]
    (2.0, [1.0, 1.0])
    """
    looked_at = 0

    def look(points: F8) -> F8:
        nonlocal looked_at
        looked_at += points.shape[0]
        return margins(points)

    z = np.zeros(scores)
    value = look(z[None])[0]
    if not np.isfinite(value).all():
        return None
    if (value >= 0.0).all():
        return Nearest(z, 0.0, looked_at)
    scale = np.maximum(np.abs(value), np.abs(value).max() * 1e-6)
    penalty = 0.0
    for _ in range(MOST_STEPS):
        slopes = _slopes(look, z, value)
        target = _least_distance(z, value, slopes)
        if target is None:
            return None
        size = np.linalg.norm(target)
        if size > FARTHEST:
            target = target * (FARTHEST / size)
        step = target - z
        # More than the multiplier of the worst condition, or the merit would rather not meet it.
        steepest = np.linalg.norm(slopes * (1.0 / scale)[:, None], axis=1).max()
        penalty = max(penalty, 2.0 * (float(np.linalg.norm(target)) + 1.0) / max(float(steepest), 1e-12))
        tried = z + np.outer(SHARES, step)
        values = look(tried)
        lacks = np.maximum(-values / scale, 0.0).sum(axis=1)
        merit = np.where(np.isfinite(lacks), 0.5 * (tried**2).sum(axis=1) + penalty * lacks, np.inf)
        now = 0.5 * float(z @ z) + penalty * float(np.maximum(-value / scale, 0.0).sum())
        best = int(merit.argmin())
        if not merit[best] < now:
            break
        moved = float(np.linalg.norm(tried[best] - z))
        z, value = tried[best], values[best]
        if moved < CLOSE or now - float(merit[best]) < LEAST_GAIN * now:
            break
    for missed in (ROUNDING, TOLERANCE):
        point = _on_the_edge(look, z, missed * scale)
        if point is not None:
            return Nearest(point, float(np.linalg.norm(point)), looked_at)
    return None


def _slopes(look: Margins, z: F8, value: F8) -> F8:
    """Return (conditions, scores) central differences; one-sided next to a point without an answer."""
    count = z.size
    moved = np.concatenate([z + STEP * np.eye(count), z - STEP * np.eye(count)])
    values = look(moved)
    above, below = values[:count], values[count:]
    slopes = (above - below) / (2.0 * STEP)
    slopes = np.where(np.isfinite(slopes), slopes, (above - value) / STEP)
    slopes = np.where(np.isfinite(slopes), slopes, (value - below) / STEP)
    return np.asarray(np.nan_to_num(slopes).T)


def _least_distance(z: F8, value: F8, slopes: F8) -> F8 | None:
    """Return the point nearest to the centre at which the linearised conditions hold; None if there is none.

    Every set of conditions that may be met without slack is tried: there are few of them.
    """
    need = slopes @ z - value
    found: list[F8] = []
    for size in range(need.size + 1):
        for rows in map(list, combinations(range(need.size), size)):
            active = slopes[rows]
            point = np.linalg.pinv(active) @ need[rows] if rows else np.zeros(z.size)
            slack = slopes @ point - need
            if (slack >= -1e-9 * np.maximum(np.abs(need), 1.0)).all():
                found.append(point)
    return min(found, key=lambda point: float(np.linalg.norm(point))) if found else None


def _on_the_edge(look: Margins, z: F8, missed: F8) -> F8 | None:
    """Return the first point on the ray through ``z`` at which the conditions hold."""
    size = float(np.linalg.norm(z))
    if size == 0.0:
        return None
    ends = np.unique([*np.linspace(0.5, 1.2, 15), min(1.5, FARTHEST / size)])
    ends = ends[ends * size <= FARTHEST * (1.0 + 1e-12)]
    edge = None
    for _ in range(5):
        holds = (look(np.outer(ends, z)) >= -missed).all(axis=1)
        if not holds.any():
            break
        first = int(holds.argmax())
        edge = ends[first]
        if first == 0:
            break
        ends = np.linspace(ends[first - 1], edge, 12)
    return None if edge is None else np.asarray(edge * z)
