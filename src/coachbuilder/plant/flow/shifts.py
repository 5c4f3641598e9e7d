"""Shifts of a plant file as working windows of a week."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coachbuilder.programme.sections.plant_file import Day

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coachbuilder.programme.sections.plant_file import CalendarSection

DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN
WEEK_S = WEEK_MIN * 60.0

_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")

Windows = tuple[tuple[float, float], ...]
Wrong = tuple[str, str, str]
"""Key, found, expected."""


def windows_of(section: CalendarSection) -> tuple[Windows, float, list[Wrong]]:
    """Return the working windows of a calendar, s, the length of their period, s, and what is wrong with it.

    Parameters
    ----------
    section
        The calendar of the file. The week begins on Monday at 0:00.

    Examples
    --------
    >>> from coachbuilder.programme.sections.plant_file import CalendarSection, Day
    >>> late = CalendarSection(id="late", shifts=("22:00-06:00",), days=(Day.SUN,), breaks=("02:00-03:00",))
    >>> windows_of(late)[0]
    ((0.0, 7200.0), (10800.0, 21600.0), (597600.0, 604800.0))
    """
    if section.windows_h or section.period_h is not None:
        return _plain_windows(section)
    wrong: list[Wrong] = []
    shifts = _spans(section.shifts, "shifts", wrong)
    breaks = _spans(section.breaks, "breaks", wrong)
    if not section.shifts and not section.overtime:
        wrong.append(("shifts", "nothing", "shifts, overtime or windows_h"))
    parts = _without_breaks(shifts, breaks, wrong)
    worked: list[tuple[int, int, str]] = []
    days = [list(Day).index(day) for day in dict.fromkeys(section.days)]
    for text, (start, end) in parts:
        worked.extend((day * DAY_MIN + start, day * DAY_MIN + end, text) for day in days)
    for text in section.overtime:
        name, _, span = text.strip().partition(" ")
        if name not in list(Day):
            wrong.append(("overtime", text, "a day and its time, such as 'sat 06:00-12:00'"))
            continue
        for _, (start, end) in _spans((span,), "overtime", wrong):
            day = list(Day).index(Day(name))
            worked.append((day * DAY_MIN + start, day * DAY_MIN + end, text))
    windows: list[list[int]] = []
    last = ""
    for start, end, text in sorted(_wrapped(worked)):
        if windows and start < windows[-1][1]:
            key = "overtime" if text in section.overtime or last in section.overtime else "shifts"
            wrong.append((key, f"{last} and {text}, which overlap", "times that do not overlap"))
            break
        if windows and start == windows[-1][1]:
            windows[-1][1] = end
        else:
            windows.append([start, end])
        last = text
    if not windows and not wrong:
        wrong.append(("shifts", "breaks as long as the shifts", "some working time"))
    return tuple((start * 60.0, end * 60.0) for start, end in windows), WEEK_S, wrong


def _plain_windows(section: CalendarSection) -> tuple[Windows, float, list[Wrong]]:
    wrong: list[Wrong] = [
        (key, f"{key} beside windows_h", "shifts of a week, or windows_h with period_h")
        for key in ("shifts", "breaks", "overtime")
        if getattr(section, key)
    ]
    if section.period_h is None:
        wrong.append(("windows_h", "windows without period_h", "period_h too: when they repeat"))
    if not section.windows_h:
        wrong.append(("period_h", "a period without windows_h", "windows_h too"))
    period_h = section.period_h or 1e9
    before = 0.0
    for start, end in section.windows_h:
        found = f"{start:g} to {end:g}"
        if not start < end:
            wrong.append(("windows_h", found, "a start before its end"))
        elif start < before:
            wrong.append(
                ("windows_h", found, f"windows in order that do not overlap; the one before ends at {before:g}")
            )
        elif end > period_h:
            wrong.append(("windows_h", found, f"windows within the period of {period_h:g} h"))
        before = max(before, end)
    windows: list[tuple[float, float]] = []
    for start, end in section.windows_h:
        if windows and start == windows[-1][1] / 3600.0:
            windows[-1] = (windows[-1][0], end * 3600.0)
        else:
            windows.append((start * 3600.0, end * 3600.0))
    return tuple(windows), period_h * 3600.0, wrong


def _spans(texts: Iterable[str], key: str, wrong: list[Wrong]) -> list[tuple[str, tuple[int, int]]]:
    """Return start and end of times of a day, min from 0:00; the end of one that passes midnight is beyond a day."""
    spans = []
    for text in texts:
        match = _SPAN.fullmatch(text.strip())
        hours = [int(number) for number in match.groups()] if match else []
        clock = [hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]] if hours else []
        if not clock or max(hours[1], hours[3]) > 59 or clock[0] >= DAY_MIN or clock[1] > DAY_MIN:
            wrong.append((key, text or "an empty text", "a time such as '06:00-14:00'"))
            continue
        start, end = clock
        if start == end:
            wrong.append((key, text, "an end other than the start; a whole day is '00:00-24:00'"))
            continue
        spans.append((text, (start, end if end > start else end + DAY_MIN)))
    return spans


def _without_breaks(
    shifts: list[tuple[str, tuple[int, int]]], breaks: list[tuple[str, tuple[int, int]]], wrong: list[Wrong]
) -> list[tuple[str, tuple[int, int]]]:
    """Return the parts of shifts between their breaks; a break of a night shift may lie behind midnight."""
    parts = []
    used = set()
    for text, (start, end) in shifts:
        inside = []
        for name, (first, last) in breaks:
            for shift in (0, DAY_MIN):
                if start <= first + shift and last + shift <= end:
                    inside.append((first + shift, last + shift))
                    used.add(name)
        at = start
        for first, last in sorted(inside):
            if first > at:
                parts.append((text, (at, first)))
            at = max(at, last)
        if at < end:
            parts.append((text, (at, end)))
    for name, _ in breaks:
        if name not in used and shifts:
            wrong.append(("breaks", name, "a time within one of the shifts"))
    return parts


def _wrapped(worked: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return the windows with what passes the end of the week put at its beginning."""
    split = []
    for start, end, text in worked:
        if start >= WEEK_MIN:
            split.append((start - WEEK_MIN, end - WEEK_MIN, text))
            continue
        split.append((start, min(end, WEEK_MIN), text))
        if end > WEEK_MIN:
            split.append((0, end - WEEK_MIN, text))
    return split


__all__ = ["WEEK_S", "windows_of"]
