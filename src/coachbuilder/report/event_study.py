"""An event study as tables of plain text below a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from coachbuilder.report import wording

if TYPE_CHECKING:
    from coachbuilder.market.announcement.study import LimitRun, ShareModel, StudyResult, StudyWindow


def event_study_text(result: StudyResult) -> str:
    """Return the study as text: the verdict, each share's model, each event's windows, what price limits hid.

    Parameters
    ----------
    result
        What the study found.
    """
    return "\n".join(_lines(result))


def _lines(result: StudyResult) -> Iterator[str]:
    yield result.verdict
    returns = "logarithmic" if result.is_continuous else "simple"
    yield f"\nExpected returns: {result.model}, {returns} returns"
    head = ("share", "market", "from", "to", "days", "constant", *result.factor_names, "residual s.d.", "limit days")
    yield from _table([head, *(_model_row(item, len(head) - 8) for item in result.shares)], left=4)
    for item in result.shares:
        if item.censored_coefficients is not None:
            told = ", ".join(wording.fixed(value, 5) for value in item.censored_coefficients)
            yield (
                f"{item.share} with its limit days censored: coefficients {told}, "
                f"residual s.d. {wording.percent(item.censored_residual_sd, 2)}"
            )
    if result.residual_correlation is not None:
        yield f"Mean correlation of the shares' residuals: {wording.fixed(result.residual_correlation, 2)}"
    for event in result.events:
        for window in event.windows:
            yield f"\nEvent of {event.date.isoformat()}, days {window.first} to {window.last}"
            yield from _window(window)
        for run in event.limit_runs:
            yield from _limit_run(run)


def _model_row(item: ShareModel, factors: int) -> tuple[str, ...]:
    numbers = [wording.fixed(value, 5) for value in item.coefficients] or [wording.NOTHING] * (factors + 1)
    return (
        item.share,
        item.market or wording.NOTHING,
        item.first_day.isoformat(),
        item.last_day.isoformat(),
        str(item.days),
        *numbers,
        wording.percent(item.residual_sd, 2),
        str(item.limit_days),
    )


def _window(window: StudyWindow) -> Iterator[str]:
    head = ("share", "from", "to", "days", "abnormal return", "standard error", "t", "p", "95 % interval")
    rows = [
        (
            item.share,
            item.first_date.isoformat(),
            item.last_date.isoformat(),
            f"{item.days}{' (cut)' if item.is_cut else ''}",
            f"{item.bound} {wording.percent(item.abnormal_return, 2)}".strip(),
            wording.percent(item.standard_error, 2),
            wording.fixed(item.t_statistic, 2),
            wording.fixed(item.p_value, 3),
            _interval(item.low, item.high),
        )
        for item in window.shares
    ]
    yield from _table([head, *rows], left=3)
    if window.tests:
        yield f"Mean {wording.percent(window.mean_abnormal_return, 2)}"
        tests = [
            (
                item.test,
                wording.fixed(item.statistic, 2),
                wording.fixed(item.p_value, 3),
                item.note or item.distribution,
            )
            for item in window.tests
        ]
        yield from _table([("test of the mean", "statistic", "p", "distribution"), *tests], left=1, last_left=True)
    yield window.note


def _limit_run(run: LimitRun) -> Iterator[str]:
    seen = run.to_first_free_close
    days = ", ".join(day.isoformat() for day in run.limit_days)
    yield f"\n{run.share} closed at its daily limit on {days}."
    if seen.bound:
        told = f"{seen.bound} {wording.percent(seen.abnormal_return, 2)}"
        yield f"  No close without limit before the next event or the end of the table: the abnormal return is {told}."
    else:
        yield (
            f"  Up to the first close without limit, {seen.last_date.isoformat()}: "
            f"{wording.percent(seen.abnormal_return, 2)}, t {wording.fixed(seen.t_statistic, 2)}, "
            f"p {wording.fixed(seen.p_value, 3)}."
        )
    if run.effect is not None:
        interval = _interval(run.effect_low, run.effect_high)
        told = f"{wording.percent(run.effect, 2)}, 95 % {interval}"
        yield f"  Censored regression, news of day 0 alone and later days as noise: {told}."
    elif run.effect_low is not None:
        yield f"  Censored regression: no estimate; at least {wording.percent(run.effect_low, 2)} with 95 %."
    elif run.effect_high is not None:
        yield f"  Censored regression: no estimate; at most {wording.percent(run.effect_high, 2)} with 95 %."
    if run.twin is not None:
        twin = run.twin
        yield (
            f"  By its twin {twin.twin} ({wording.percent(twin.twin_abnormal_return, 2)}, slope "
            f"{wording.fixed(twin.slope, 2)}) it would have done {wording.percent(twin.abnormal_return, 2)} "
            f"(s.e. {wording.percent(twin.standard_error, 2)}); with the limit's bound too "
            f"{wording.percent(twin.with_limit, 2)}, 95 % {_interval(twin.with_limit_low, twin.with_limit_high)}."
        )


def _interval(low: float | None, high: float | None) -> str:
    ends = ("open" if low is None else wording.percent(low, 2), "open" if high is None else wording.percent(high, 2))
    return " to ".join(ends)


def _table(rows: Sequence[tuple[str, ...]], *, left: int, last_left: bool = False) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            f"{cell:<{width}}" if column < left or (last_left and column == len(row) - 1) else f"{cell:>{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
