"""Labour on the line at any takt and any work times, between balances that were made."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coachbuilder.plant.balance.interface import FitResult


@dataclass(frozen=True, slots=True)
class LineTable:
    """Work that an operator of a balanced line does in a takt, over takts.

    Parameters
    ----------
    takt_s
        Takts of the balances, ascending, in seconds at the work times of the plan: a line whose work all takes 1.1
        times as long is, at a takt of 88 s, the line at 80 s.
    work_s
        Work that an average operator does in each takt, s; it never falls from one takt to a longer one.
    check_takt_s
        Takts of lines that were balanced to see how far off the table is, and that it does not hold.
    check_error_share
        Hours a car from the table over those of each such line, less 1.
    kept_error_share
        The same of hours at the busy share of the plan's own line.
    error_median_share, error_worst_share
        Median and largest size of ``check_error_share``; None if nothing was checked.
    kept_error_worst_share
        Largest size of ``kept_error_share``.
    beyond_share
        Share of draws whose takt is shorter or longer than all of the table's.
    unbalanced
        Lines asked for that could not be balanced; the table and the check go without them.
    """

    takt_s: tuple[float, ...]
    work_s: tuple[float, ...]
    check_takt_s: tuple[float, ...] = ()
    check_error_share: tuple[float, ...] = ()
    kept_error_share: tuple[float, ...] = ()
    error_median_share: float | None = None
    error_worst_share: float | None = None
    kept_error_worst_share: float | None = None
    beyond_share: float = 0.0
    unbalanced: int = 0

    def busy_share_at(self, takt_s: float) -> float:
        """Return the share of an operator's time that is work; beyond the balances that of the outermost.

        Between two balances the work in a takt is interpolated. It never falls with takt, as a line that keeps a takt
        keeps a longer one: so neither operators nor hours a car fall when work takes longer.

        Parameters
        ----------
        takt_s
            Takt at the work times of the plan, s; see :func:`takt_at_plan_times_s`.

        Examples
        --------
        >>> table = LineTable((80.0, 100.0), (72.0, 80.0))
        >>> [round(table.busy_share_at(takt_s), 3) for takt_s in (60.0, 90.0, 100.0, 120.0)]
        [0.9, 0.844, 0.8, 0.8]
        """
        if takt_s <= self.takt_s[0]:
            return self.work_s[0] / self.takt_s[0]
        if takt_s >= self.takt_s[-1]:
            return self.work_s[-1] / self.takt_s[-1]
        place = bisect_right(self.takt_s, takt_s)
        left, right = self.takt_s[place - 1], self.takt_s[place]
        share = (takt_s - left) / (right - left)
        return ((1.0 - share) * self.work_s[place - 1] + share * self.work_s[place]) / takt_s


def line_table_of(
    plan: tuple[float, float],
    balances: Sequence[tuple[float, float]],
    checks: Sequence[tuple[float, float]] = (),
    *,
    beyond_share: float = 0.0,
    unbalanced: int = 0,
) -> LineTable:
    """Put a table together from balances, and check it against others.

    Parameters
    ----------
    plan
        Takt in s and busy share of the plan's own line, which the table meets.
    balances
        The same of other lines, at the work times of the plan.
    checks
        The same of lines that the table is held against.
    beyond_share, unbalanced
        See :class:`LineTable`.

    Examples
    --------
    >>> table = line_table_of((80.0, 0.9), [(100.0, 0.8)], [(90.0, 0.8)])
    >>> round(table.error_worst_share, 3), round(table.kept_error_worst_share, 3)
    (0.053, 0.111)
    """
    own_takt_s, own_work_s = plan[0], plan[0] * plan[1]
    at = {own_takt_s: own_work_s}
    most = 0.0
    for takt_s, busy in sorted(balances):
        # A search that found less than the line of a shorter takt holds is held to that line, and the plan's own line
        # is the plan's answer, whatever else was found.
        most = max(most, takt_s * busy)
        if takt_s != own_takt_s:
            at[takt_s] = min(most, own_work_s) if takt_s < own_takt_s else max(most, own_work_s)
    takts = sorted(at)
    table = LineTable(tuple(takts), tuple(at[takt_s] for takt_s in takts))
    errors = [busy / table.busy_share_at(takt_s) - 1.0 for takt_s, busy in checks]
    kept = [busy / plan[1] - 1.0 for _, busy in checks]
    sizes = [abs(error) for error in errors]
    return LineTable(
        takt_s=table.takt_s,
        work_s=table.work_s,
        check_takt_s=tuple(takt_s for takt_s, _ in checks),
        check_error_share=tuple(errors),
        kept_error_share=tuple(kept),
        error_median_share=statistics.median(sizes) if sizes else None,
        error_worst_share=max(sizes, default=None),
        kept_error_worst_share=max((abs(error) for error in kept), default=None),
        beyond_share=beyond_share,
        unbalanced=unbalanced,
    )


def takt_at_plan_times_s(
    result: FitResult,
    *,
    takt_s: float,
    resident_time_scale: float,
    guest_time_scale: float,
    units_per_year: Mapping[str, float],
) -> float:
    """Return the takt at which the line of ``result`` would have as much work in a takt as one with other times.

    A line is the same if takt and all times are longer by one factor. Where residents and guest have different
    factors, that of the work of an average car stands for them.

    Parameters
    ----------
    result
        The line of the plan.
    takt_s
        Takt of the other line, s.
    resident_time_scale, guest_time_scale
        Its factors on the times in the file.
    units_per_year
        Its cars a year by model.
    """
    plain = scaled = 0.0
    for model, hours in result.after.work_hours_per_car.items():
        work = units_per_year.get(model, 0.0) * hours
        plain += work
        if model == result.guest:
            scaled += work * guest_time_scale / result.guest_time_scale
        else:
            scaled += work * resident_time_scale / result.resident_time_scale
    return takt_s * plain / scaled if scaled > 0 else takt_s
