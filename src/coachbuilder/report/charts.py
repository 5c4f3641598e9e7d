"""Kinds of charts. They place what they are given and compute nothing but geometry.

Every function takes the width it draws for; :mod:`coachbuilder.report.fragments` draws each picture twice, for a
desk and for a phone, and the style sheet shows the one that fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from coachbuilder.report.svg import (
    FONT_SIZE,
    SMALL_FONT_SIZE,
    Drawing,
    coordinate,
    scale,
    shortened,
    text_width,
    thinned,
    tick_texts,
    ticks,
    wrapped,
)


@dataclass(frozen=True, slots=True)
class Series:
    """Values with a name and a colour class (``brand``, ``host``, ``k1``)."""

    label: str
    values: Sequence[float | None]
    color: str
    x: Sequence[float] | None = None
    """Positions; None counts from 0."""
    dashed: bool = False
    area: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One horizontal bar."""

    label: str
    value: float
    text: str
    color: str = "ink"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A range with its middle, one row of a range chart."""

    label: str
    low: float | None
    middle: float | None
    high: float | None
    text: str
    color: str = "ink"
    mark: float | None = None
    """A second point, such as the value with every assumption at its centre."""
    open_low: bool = False
    """True if the range has no lower end: an arrow points there."""
    open_high: bool = False
    """True if it has no upper end."""


@dataclass(frozen=True, slots=True)
class Swing:
    """One row of a tornado: the answer with an assumption at either end of its range."""

    label: str
    at_low: float
    at_high: float
    low_text: str
    high_text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The rectangle that data is drawn into."""

    left: float
    top: float
    right: float
    bottom: float


def legend(drawing: Drawing, entries: Sequence[tuple[str, str]], x: float, y: float, width: float) -> float:
    """Write a legend from ``y`` downwards and return the height it took."""
    row_height = 18.0
    here, line = x, 0
    for label, cls in entries:
        shown = shortened(label, width - 20, SMALL_FONT_SIZE)
        needed = 16 + text_width(shown, SMALL_FONT_SIZE) + 14
        if here > x and here + needed > x + width + 14:
            here, line = x, line + 1
        top = y + line * row_height
        if cls.startswith("l-"):
            drawing.line(here, top + 6, here + 12, top + 6, cls)
        else:
            drawing.rect(here, top + 1, 10, 10, cls, radius=2)
        drawing.text(here + 16, top + 10, shown, "ts")
        here += needed
    return (line + 1) * row_height if entries else 0.0


def _value_axis(
    drawing: Drawing,
    frame: Frame,
    values: Sequence[float],
    title: str,
    count: int = 5,
    *,
    anchor_zero: bool = True,
    title_above: float = 0.0,
) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    if anchor_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    marks = ticks(low, high, count)
    place = scale(marks[0], marks[-1], frame.bottom, frame.top)
    for value, text in zip(marks, tick_texts(marks), strict=True):
        drawing.line(frame.left, place(value), frame.right, place(value), "axis0" if value == 0 else "grid")
        drawing.text(frame.left - 6, place(value) + 4, text, "ts num", "end")
    drawing.text(0, frame.top - 10 - title_above, title, "ts soft")
    return marks[0], marks[-1]


def _axis_room(values: Sequence[float], count: int = 5) -> float:
    low, high = min([0.0, *values]), max([0.0, *values])
    return max(text_width(text, SMALL_FONT_SIZE) for text in tick_texts(ticks(low, high, count))) + 8


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


UPRIGHT_ROOM = 34.0
"""Room above a chart for the names of upright lines."""


def lines(
    width: float,
    series: Sequence[Series],
    *,
    y_title: str,
    x_title: str,
    height: float = 260,
    references: Sequence[tuple[float, str]] = (),
    whole_x: bool = False,
    anchor_zero: bool = True,
    band: tuple[Sequence[float], Sequence[float], str] | None = None,
    years: bool = False,
    left: float = 0.0,
    dotted: bool = False,
    upright: Sequence[tuple[float, str]] = (),
) -> Drawing:
    """Draw lines over a common horizontal axis.

    Parameters
    ----------
    width, height
        Size in pixels.
    series
        Lines; a missing value breaks the line.
    y_title, x_title
        What the axes measure, with units.
    references
        Horizontal lines with their names.
    whole_x
        True where the horizontal axis counts whole things.
    anchor_zero
        True if the vertical axis must show 0.
    band
        Lower ends, upper ends and colour of a shaded band over the first series' positions.
    years
        True where the horizontal axis counts calendar years, which are written without a comma.
    left
        Least room for the figures of the vertical axis, so that charts below each other line up.
    dotted
        True draws a dot at every value.
    upright
        Named positions on the horizontal axis, marked by upright lines.
    """
    drawing = Drawing(width, height)
    everything = [value for item in series for value in _known(item.values)] + [value for value, _ in references]
    if band:
        everything += [*band[0], *band[1]]
    key = [(item.label, f"l-{item.color}{' dash' if item.dashed else ''}") for item in series if item.label]
    top = (legend(drawing, key, 0, 0, width) + 2 if len(key) > 1 else 0) + 24
    names_room = UPRIGHT_ROOM if upright else 0.0
    top += names_room
    frame = Frame(max(left, _axis_room(everything)), top, width - 8, height - (40 if x_title else 24))
    low, high = _value_axis(drawing, frame, everything, y_title, anchor_zero=anchor_zero, title_above=names_room)
    across = [float(x) for item in series for x in (item.x if item.x is not None else range(len(item.values)))]
    marks = ticks(min(across, default=0.0), max(across, default=1.0), 8 if width > 500 else 5, whole=whole_x)
    if min(across, default=0.0) > marks[0] and len(marks) > 2 and min(across) - marks[0] > 0.5 * (marks[1] - marks[0]):
        marks = marks[1:]
    place_x = scale(min(marks[0], min(across, default=0.0)), max(across, default=1.0), frame.left, frame.right)
    marks = [value for value in marks if value <= max(across, default=1.0) + 1e-9]
    place_y = scale(low, high, frame.bottom, frame.top)
    texts = [f"{value:.0f}" for value in marks] if years else tick_texts(marks)
    _x_axis(drawing, frame, marks, texts, place_x, x_title)
    if band:
        xs = series[0].x if series[0].x is not None else range(len(series[0].values))
        there = [(place_x(x), place_y(y)) for x, y in zip(xs, band[1], strict=True)]
        back = [(place_x(x), place_y(y)) for x, y in zip(xs, band[0], strict=True)]
        drawing.polygon([*there, *reversed(back)], f"f-{band[2]} pale")
    for value, _ in references:
        drawing.line(frame.left, place_y(value), frame.right, place_y(value), "l-ink dash")
    for item in series:
        xs = item.x if item.x is not None else [float(index) for index in range(len(item.values))]
        runs: list[list[tuple[float, float]]] = [[]]
        for x, y in zip(xs, item.values, strict=True):
            if y is None:
                runs.append([])
            else:
                runs[-1].append((place_x(x), place_y(y)))
        for run in runs:
            if item.area and run:
                base = place_y(max(low, min(0.0, high)))
                drawing.polygon([(run[0][0], base), *run, (run[-1][0], base)], f"f-{item.color} pale")
            for point in run if dotted or len(run) == 1 else ():
                drawing.circle(*point, 3, f"f-{item.color}")
            drawing.polyline(run, f"l-{item.color}{' dash' if item.dashed else ''}")
    for value, name in references:
        drawing.text(frame.right, place_y(value) - 5, name, "ts halo", "end")
    _marks(drawing, frame, [(place_x(value), name) for value, name in upright], frame.top - names_room)
    return drawing


def _x_axis(
    drawing: Drawing,
    frame: Frame,
    marks: Sequence[float],
    texts: Sequence[str],
    place: Callable[[float], float],
    title: str,
) -> None:
    for index in thinned(list(marks), texts, place, SMALL_FONT_SIZE):
        half = text_width(texts[index], SMALL_FONT_SIZE) / 2
        x = min(max(place(marks[index]), half), drawing.width - half)
        drawing.line(place(marks[index]), frame.bottom, place(marks[index]), frame.bottom + 4, "tick")
        drawing.text(x, frame.bottom + 19, texts[index], "ts num", "middle")
    drawing.text(frame.right, frame.bottom + 35, title, "ts soft", "end")


def columns(
    width: float,
    categories: Sequence[str],
    series: Sequence[Series],
    *,
    y_title: str,
    x_title: str = "",
    height: float = 260,
    stacked: bool = True,
    overlay: Sequence[Series] = (),
    reference: tuple[float, str] | None = None,
) -> Drawing:
    """Draw upright bars, stacked or side by side, with lines over them.

    Stacked bars pile up from 0 upwards where positive and downwards where negative.
    """
    drawing = Drawing(width, height)
    count = len(categories)
    extremes: list[float] = [0.0]
    for index in range(count):
        here = [float(item.values[index] or 0.0) for item in series]
        extremes += (
            [sum(value for value in here if value > 0), sum(value for value in here if value < 0)] if stacked else here
        )
    extremes += [value for item in overlay for value in _known(item.values)]
    if reference:
        extremes.append(reference[0])
    key = [(item.label, f"f-{item.color}") for item in series] + [
        (item.label, f"l-{item.color}{' dash' if item.dashed else ''}") for item in overlay
    ]
    top = (legend(drawing, key, 0, 0, width) + 2 if len(key) > 1 else 0) + 24
    frame = Frame(_axis_room(extremes), top, width - 4, height - (40 if x_title else 24))
    low, high = _value_axis(drawing, frame, extremes, y_title)
    place_y = scale(low, high, frame.bottom, frame.top)
    slot = (frame.right - frame.left) / max(count, 1)
    inner = min(slot * 0.72, 64.0)
    centers = [frame.left + slot * (index + 0.5) for index in range(count)]
    for index, center in enumerate(centers):
        up = down = 0.0
        each = inner if stacked else inner / max(len(series), 1)
        for position, item in enumerate(series):
            value = item.values[index]
            if not value:
                continue
            tip = f"{item.label}, {categories[index]}" if item.label else categories[index]
            if stacked:
                start = up if value > 0 else down
                end = start + value
                up, down = (end, down) if value > 0 else (up, end)
                x = center - inner / 2
            else:
                start, end = 0.0, value
                x = center - inner / 2 + position * each
            drawing.rect(x, place_y(start), each, place_y(end) - place_y(start), f"f-{item.color}", tip)
    drawing.line(frame.left, place_y(0), frame.right, place_y(0), "axis0")
    for item in overlay:
        points = [(centers[i], place_y(y)) for i, y in enumerate(item.values) if y is not None]
        drawing.polyline(points, f"l-{item.color} thick{' dash' if item.dashed else ''}")
        for x, y in points:
            drawing.circle(x, y, 2.5, f"f-{item.color}")
    if reference:
        drawing.line(frame.left, place_y(reference[0]), frame.right, place_y(reference[0]), "l-ink dash")
        drawing.text(frame.right, place_y(reference[0]) - 5, reference[1], "ts halo", "end")
    for index in thinned(centers, list(categories), lambda x: x, SMALL_FONT_SIZE):
        drawing.text(centers[index], frame.bottom + 16, categories[index], "ts num", "middle")
    if x_title:
        drawing.text(frame.right, frame.bottom + 33, x_title, "ts soft", "end")
    return drawing


def bars(width: float, items: Sequence[Bar], *, label_width: float | None = None) -> Drawing:
    """Draw horizontal bars with their names before and their figures behind; negative ones point left."""
    value_room = max((text_width(item.text) for item in items), default=0.0) + 8
    wanted = max((text_width(item.label) for item in items), default=0.0) + 10
    above = width < 400 and wanted > width * 0.36
    room = 0.0 if above else min(wanted, label_width or width * 0.42)
    step = 40.0 if above else 26.0
    drawing = Drawing(width, step * len(items) + 6)
    low = min([0.0, *(item.value for item in items)])
    high = max([0.0, *(item.value for item in items)])
    left_value_room = value_room if low < 0 and low < -0.6 * (high or 1) else 0.0
    place = scale(low, high if high > low else low + 1, room + left_value_room, width - value_room)
    drawing.line(place(0), 0, place(0), drawing.height, "axis0")
    for index, item in enumerate(items):
        top = index * step + 3
        if above:
            drawing.text(0, top + 11, shortened(item.label, width), "t")
            top += 16
        else:
            drawing.text(0, top + 14, shortened(item.label, room - 8), "t")
        drawing.rect(
            place(0), top + 2, place(item.value) - place(0), 16, f"f-{item.color}", item.note or item.label, radius=1
        )
        drawing.text(max(place(item.value), place(0)) + 6, top + 14, item.text, "t num")
    return drawing


def share_bars(
    width: float, rows: Sequence[tuple[str, Sequence[tuple[float, str, str]]]], key: Sequence[tuple[str, str]]
) -> Drawing:
    """Draw each row as a bar of full length cut into shares, each part with its colour and name."""
    narrow = width < 480
    room = 12.0 if narrow else min(max((text_width(name) for name, _ in rows), default=0.0) + 12, width * 0.3)
    step = 40.0 if narrow else 26.0
    probe = Drawing(width, 0)
    top = legend(probe, key, 0, 0, width) + 8
    drawing = Drawing(width, top + step * len(rows) + 22)
    legend(drawing, key, 0, 0, width)
    place = scale(0.0, 1.0, room, width - 16)
    for index, (name, parts) in enumerate(rows):
        y = top + step * index + (16 if narrow else 3)
        drawing.text(0, y - 4 if narrow else y + 13, shortened(name, width if narrow else room - 8), "t")
        start = 0.0
        for share, color, what in parts:
            if share > 0:
                tip = f"{name}, {what}: {100 * share:.1f} %"
                drawing.rect(place(start), y, place(start + share) - place(start), 18, f"f-{color}", tip)
            start += share
    bottom = top + step * len(rows) + 2
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        drawing.line(place(share), bottom, place(share), bottom + 4, "tick")
        drawing.text(place(share), bottom + 16, f"{100 * share:.0f} %", "ts num", "middle")
    return drawing


def stack_bars(
    width: float,
    rows: Sequence[tuple[str, Sequence[tuple[float, str, str]], str]],
    key: Sequence[tuple[str, str]],
) -> Drawing:
    """Draw each row as parts one after the other, with the whole's figure behind; parts below 0 are left out.

    Parameters
    ----------
    rows
        Name, parts (value, colour, what a pointer shows) and the text behind the bar.
    key
        Names and classes of the parts.
    """
    narrow = width < 480
    value_room = max((text_width(text) for _, _, text in rows), default=0.0) + 10
    room = 0.0 if narrow else min(max((text_width(name) for name, _, _ in rows), default=0.0) + 12, width * 0.3)
    step = 42.0 if narrow else 30.0
    top = legend(Drawing(width, 0), key, 0, 0, width) + 8
    drawing = Drawing(width, top + step * len(rows) + 4)
    legend(drawing, key, 0, 0, width)
    longest = max((sum(max(value, 0.0) for value, _, _ in parts) for _, parts, _ in rows), default=0.0) or 1.0
    place = scale(0.0, longest, room, width - value_room)
    for index, (name, parts, text) in enumerate(rows):
        y = top + step * index + (16 if narrow else 3)
        drawing.text(0, y - 4 if narrow else y + 14, shortened(name, width if narrow else room - 8), "t")
        start = 0.0
        for value, color, tip in parts:
            if value > 0:
                drawing.rect(place(start), y, place(start + value) - place(start), 20, f"f-{color}", tip)
                start += value
        drawing.text(place(start) + 7, y + 14, text, "t num")
    return drawing


def waterfall(width: float, steps: Sequence[Bar], wholes: Sequence[Bar]) -> Drawing:
    """Draw steps that start where the one before ended, then whole bars from 0, names before and figures behind."""
    items = [*steps, *wholes]
    value_room = max((text_width(item.text) for item in items), default=0.0) + 8
    wanted = 1.08 * max((text_width(item.label) for item in items), default=0.0) + 10
    above = width < 480
    room = 0.0 if above else min(wanted, width * 0.4)
    step = 40.0 if above else 27.0
    drawing = Drawing(width, step * len(items) + 14)
    ends = [0.0]
    for item in steps:
        ends.append(ends[-1] + item.value)
    low, high = min([*ends, *(item.value for item in wholes)]), max([*ends, *(item.value for item in wholes)])
    place = scale(min(low, 0.0), high if high > low else low + 1, room, width - value_room)
    drawing.line(place(0), 0, place(0), drawing.height, "axis0")
    for index, item in enumerate(items):
        top = index * step + (3 if index < len(steps) else 11)
        if above:
            drawing.text(0, top + 11, shortened(item.label, width), "t" if index < len(steps) else "t strong")
            top += 16
        else:
            cls = "t" if index < len(steps) else "t strong"
            drawing.text(0, top + 14, shortened(item.label, (room - 8) / 1.08), cls)
        start, end = (ends[index], ends[index + 1]) if index < len(steps) else (0.0, item.value)
        drawing.rect(place(start), top + 2, place(end) - place(start), 17, f"f-{item.color}", item.note or item.label)
        if index < len(steps) - 1:
            drawing.line(place(end), top + 2, place(end), top + step + 2, "tick")
        drawing.text(max(place(start), place(end)) + 6, top + 14, item.text, "t num")
    return drawing


def ranges(width: float, rows: Sequence[Span], *, title: str, unit_divisor: float = 1.0) -> Drawing:
    """Draw ranges on one axis: a bar from low to high, a dot in the middle, a ring where the plan itself stands."""
    label_room = 0.0 if width < 480 else min(max(text_width(row.label) for row in rows) + 12, width * 0.32)
    step = 46.0 if not label_room else 34.0
    drawing = Drawing(width, step * len(rows) + 44)
    values = [
        value / unit_divisor for row in rows for value in (row.low, row.middle, row.high, row.mark) if value is not None
    ]
    marks = ticks(min([0.0, *values]), max([0.0, *values]), 6 if width > 500 else 4)
    place = scale(marks[0], marks[-1], label_room + 14, width - 14)
    bottom = step * len(rows) + 4
    texts = tick_texts(marks)
    shown = thinned(marks, texts, place, SMALL_FONT_SIZE)
    for index, value in enumerate(marks):
        drawing.line(place(value), 4, place(value), bottom, "axis0" if value == 0 else "grid")
        if index in shown:
            drawing.text(place(value), bottom + 14, texts[index], "ts num", "middle")
    drawing.text(width - 4, bottom + 32, title, "ts soft", "end")
    for index, row in enumerate(rows):
        middle = step * index + (step / 2 if label_room else step - 12)
        if label_room:
            drawing.text(0, middle + 4, shortened(row.label, label_room - 8), "t strong")
        else:
            drawing.text(0, middle - 14, shortened(row.label, width), "t strong halo")
        low = marks[0] * unit_divisor if row.open_low else row.low
        high = marks[-1] * unit_divisor if row.open_high else row.high
        if low is not None and high is not None:
            x, end = place(low / unit_divisor), place(high / unit_divisor)
            drawing.rect(x, middle - 6, max(end - x, 2), 12, f"f-{row.color} mid", row.text, radius=6)
            _open_ends(drawing, row, x, end, middle)
        if row.mark is not None:
            drawing.circle(place(row.mark / unit_divisor), middle, 6.5, f"l-{row.color} hollow", row.text)
        if row.middle is not None:
            drawing.circle(place(row.middle / unit_divisor), middle, 4, f"f-{row.color} dot", row.text)
    return drawing


def _open_ends(drawing: Drawing, row: Span, start: float, end: float, y: float) -> None:
    if row.open_low:
        drawing.polygon([(start + 8, y - 5), (start, y), (start + 8, y + 5)], f"f-{row.color}")
    if row.open_high:
        drawing.polygon([(end - 8, y - 5), (end, y), (end - 8, y + 5)], f"f-{row.color}")


def tornado(width: float, rows: Sequence[Swing], *, base: float, title: str, unit_divisor: float) -> Drawing:
    """Draw swings around the plan's own value, the widest at the top."""
    narrow = width < 480
    label_room = 0.0 if narrow else min(max((text_width(row.label) for row in rows), default=0.0) + 10, width * 0.44)
    step = 40.0 if narrow else 25.0
    drawing = Drawing(width, step * len(rows) + 62)
    values = [base / unit_divisor, *(v / unit_divisor for row in rows for v in (row.at_low, row.at_high))]
    marks = ticks(min(values), max(values), 5 if not narrow else 4)
    place = scale(marks[0], marks[-1], label_room + 16, width - 16)
    legend(drawing, [("assumption at its low end", "f-low"), ("at its high end", "f-high")], label_room, 0, width)
    top = 22.0
    bottom = top + step * len(rows)
    texts = tick_texts(marks)
    shown = thinned(marks, texts, place, SMALL_FONT_SIZE)
    for index, value in enumerate(marks):
        drawing.line(place(value), top, place(value), bottom, "axis0" if value == 0 else "grid")
        if index in shown:
            drawing.text(place(value), bottom + 14, texts[index], "ts num", "middle")
    drawing.text(width - 4, bottom + 32, title, "ts soft", "end")
    origin = place(base / unit_divisor)
    for index, row in enumerate(rows):
        y = top + step * index + (16 if narrow else 4)
        low, high = place(row.at_low / unit_divisor), place(row.at_high / unit_divisor)
        drawing.rect(origin, y, low - origin, 17, "f-low", row.low_text)
        drawing.rect(origin, y, high - origin, 17, "f-high", row.high_text)
    drawing.line(origin, top, origin, bottom, "l-ink")
    for index, row in enumerate(rows):
        y = top + step * index + (13 if narrow else 16)
        drawing.text(0, y, shortened(row.label, width if narrow else label_room - 6), "t halo")
    return drawing


def histogram(
    width: float,
    counts: Sequence[int],
    edges: Sequence[float],
    *,
    color: str,
    title: str,
    marks: Sequence[tuple[float, str]],
    height: float = 190,
    unit_divisor: float = 1.0,
) -> Drawing:
    """Draw how often values fell where, with named marks; bars below 0 are paler."""
    drawing = Drawing(width, height)
    frame = Frame(10, 40, width - 10, height - 38)
    across = ticks(edges[0] / unit_divisor, edges[-1] / unit_divisor, 8)
    place = scale(edges[0] / unit_divisor, edges[-1] / unit_divisor, frame.left, frame.right)
    top = max(counts, default=1) or 1
    for index, count in enumerate(counts):
        left, right = edges[index] / unit_divisor, edges[index + 1] / unit_divisor
        size = (frame.bottom - frame.top) * count / top
        cls = f"f-{color}" + (" mid" if right <= 0 else "")
        drawing.rect(place(left) + 0.5, frame.bottom - size, max(place(right) - place(left) - 1, 0.5), size, cls)
    drawing.line(frame.left, frame.bottom, frame.right, frame.bottom, "axis0")
    within = [value for value in across if edges[0] / unit_divisor <= value <= edges[-1] / unit_divisor]
    texts = tick_texts(within)
    for index in thinned(within, texts, place, SMALL_FONT_SIZE):
        half = text_width(texts[index], SMALL_FONT_SIZE) / 2
        x = min(max(place(within[index]), half), width - half)
        drawing.line(place(within[index]), frame.bottom, place(within[index]), frame.bottom + 4, "tick")
        drawing.text(x, frame.bottom + 19, texts[index], "ts num", "middle")
    drawing.text(frame.right, frame.bottom + 35, title, "ts soft", "end")
    if edges[0] < 0 < edges[-1]:
        drawing.line(place(0), frame.top - 4, place(0), frame.bottom, "axis0")
    _marks(drawing, frame, [(place(value / unit_divisor), name) for value, name in marks])
    return drawing


def _marks(drawing: Drawing, frame: Frame, marks: Sequence[tuple[float, str]], top: float = 0.0) -> None:
    """Name upright lines on two rows from ``top`` on, moved apart where names would touch."""
    free = [0.0, 0.0]
    for x, name in sorted(marks):
        inside = min(max(x, frame.left), frame.right)
        half = text_width(name, SMALL_FONT_SIZE) / 2
        row = 0 if inside - half >= free[0] else 1
        center = min(max(inside, half, free[row] + half), drawing.width - half)
        drawing.line(inside, top + 18.0 + 14 * row, inside, frame.bottom, "l-ink thin")
        drawing.text(center, top + 12 + 14 * row, name, "ts halo", "middle")
        free[row] = center + half + 6


def dots(width: float, rows: Sequence[Span], *, title: str, percent: bool = True, label_limit: float = 0.4) -> Drawing:
    """Draw estimates with their intervals around 0, one a row, the figure at the right."""
    value_room = max((text_width(row.text) for row in rows), default=0.0) + 10
    narrow = width < 480
    label_room = 0.0 if narrow else min(max(text_width(row.label) for row in rows) + 12, width * label_limit)
    step = 42.0 if narrow else 28.0
    factor = 100.0 if percent else 1.0
    drawing = Drawing(width, step * len(rows) + 42)
    values = [v * factor for row in rows for v in (row.low, row.middle, row.high) if v is not None]
    marks = ticks(min([0.0, *values]), max([0.0, *values]), 6 if not narrow else 4)
    place = scale(marks[0], marks[-1], label_room + 12, width - value_room - 4)
    bottom = step * len(rows) + 2
    texts = tick_texts(marks)
    shown = thinned(marks, texts, place, SMALL_FONT_SIZE)
    for index, value in enumerate(marks):
        drawing.line(place(value), 2, place(value), bottom, "axis0" if value == 0 else "grid")
        if index in shown:
            drawing.text(place(value), bottom + 14, texts[index], "ts num", "middle")
    drawing.text(width - value_room, bottom + 32, title, "ts soft", "end")
    for index, row in enumerate(rows):
        y = step * index + (step - 10 if narrow else step / 2)
        drawing.text(0, y - 13 if narrow else y + 4, shortened(row.label, width if narrow else label_room - 8), "t")
        low = marks[0] / factor if row.open_low else row.low
        high = marks[-1] / factor if row.open_high else row.high
        if low is not None and high is not None:
            drawing.line(place(low * factor), y, place(high * factor), y, f"l-{row.color}")
            _open_ends(drawing, row, place(low * factor), place(high * factor), y)
        if row.middle is not None:
            drawing.circle(place(row.middle * factor), y, 4.5, f"f-{row.color}")
        drawing.text(width, y + 4, row.text, "t num", "end")
    return drawing


@dataclass(frozen=True, slots=True)
class Post:
    """One bar, or one group of bars, of a yamazumi chart."""

    station: str
    segment: str
    """Segment, whose name stands over its row."""
    parts: Sequence[tuple[float, str]]
    """Seconds and colour class: stacked from the bottom up, or side by side."""
    peak: float | None
    """Seconds of the model that needs most time here; None where it is not known."""
    tip: str
    ticks: Sequence[float] = ()
    """For parts side by side the seconds at which each has a tick; may be empty."""


def yamazumi(
    width: float,
    posts: Sequence[Post],
    *,
    takt: float,
    top: float,
    takt_text: str,
    notes: Mapping[str, str],
    side_by_side: bool = False,
) -> Drawing:
    """Draw a yamazumi chart in rows by segment, each row against takt, with the idle time between work and takt.

    Parameters
    ----------
    width
        Width in pixels; rows break where it ends.
    posts
        Bars in line order.
    takt
        Takt, s, drawn as a line.
    top
        Upper end of the scale, s: the same for two charts that are compared.
    takt_text
        What the takt line is called.
    notes
        For each segment what is written behind its name.
    side_by_side
        True draws the parts of a post beside each other, each against takt; they are stacked otherwise.
    """
    left, bar_height = 34.0, 86.0
    usable = width - left - 2
    rows: list[tuple[str, list[Post]]] = []
    parts = max((len(post.parts) for post in posts), default=1) if side_by_side else 1
    gap = 4.0 if side_by_side else 1.0
    narrowest, widest = (3.0 * parts + gap, 7.0 * parts + gap) if side_by_side else (5.0, 16.0)
    pitch = max(narrowest, min(widest, usable / max(_longest_segment(posts), 1)))
    per_row = max(1, int(usable / pitch))
    for post in posts:
        if not rows or rows[-1][0] != post.segment or len(rows[-1][1]) >= per_row:
            rows.append((post.segment, []))
        rows[-1][1].append(post)
    row_height = bar_height + 50
    drawing = Drawing(width, row_height * len(rows) + 20)
    paths: dict[str, list[str]] = {}
    bar = (pitch - gap) / parts
    _yamazumi_key(drawing, left, width, takt_text, side_by_side=side_by_side)
    for index, (segment, members) in enumerate(rows):
        base = row_height * index + 36 + bar_height
        place = scale(0.0, top, base, base - bar_height)
        new = index == 0 or rows[index - 1][0] != segment
        note = f": {notes[segment]}" if new else ", continued"
        # Bold letters are a little wider than the estimate takes them.
        name = shortened(segment, usable / 1.08 - text_width(note, SMALL_FONT_SIZE), SMALL_FONT_SIZE)
        drawing.text(left, base - bar_height - 8, name + note, "ts strong")
        drawing.line(left, base, width, base, "axis0")
        drawing.text(left - 5, base + 4, "0", "ts num", "end")
        drawing.text(left - 5, place(takt) + 4, f"{takt:.0f}", "ts num", "end")
        for position, post in enumerate(members):
            x = left + position * pitch + gap / 2
            height = 0.0
            for number, (seconds, color) in enumerate(post.parts):
                across = x + number * bar if side_by_side else x
                start = 0.0 if side_by_side else height
                _block(paths, f"f-{color}", across, place(start), bar, place(start) - place(start + seconds))
                height += seconds
            for number, seconds in enumerate(post.ticks):
                tick = f"M{coordinate(x + number * bar)} {coordinate(place(seconds))}h{coordinate(bar)}"
                paths.setdefault("l-ink thin", []).append(tick)
            if not side_by_side:
                _block(paths, "f-mute", x, place(height), bar, place(height) - place(takt))
            if post.peak is not None:
                tick = f"M{coordinate(x)} {coordinate(place(post.peak))}h{coordinate(pitch - gap)}"
                paths.setdefault("l-ink thin", []).append(tick)
            if width > 900:
                drawing.rect(x, base - bar_height, pitch - gap, bar_height, "hit", post.tip)
        _station_names(drawing, members, left, pitch, base + 14)
        paths.setdefault("l-bad", []).append(f"M{coordinate(left)} {coordinate(place(takt))}H{coordinate(width)}")
    for cls in sorted(paths, key=lambda name: (name == "l-bad", name == "l-ink thin")):
        drawing.path("".join(paths[cls]), cls)
    return drawing


def _yamazumi_key(drawing: Drawing, left: float, width: float, takt_text: str, *, side_by_side: bool) -> None:
    drawing.line(left, 8, left + 14, 8, "l-bad")
    drawing.text(left + 20, 12, takt_text, "ts soft")
    x = left + 20 + text_width(takt_text, SMALL_FONT_SIZE) + 16
    if not side_by_side and x + 14 + text_width("idle", SMALL_FONT_SIZE) < width:
        drawing.rect(x, 3, 10, 10, "f-mute", radius=2)
        drawing.text(x + 14, 12, "idle", "ts soft")


def _block(paths: dict[str, list[str]], cls: str, x: float, y: float, width: float, height: float) -> None:
    """Add a rectangle that stands on ``y`` to the path of its class; nothing if it is too low to be seen."""
    if height > 0.05:
        size = coordinate(width)
        paths.setdefault(cls, []).append(f"M{coordinate(x)} {coordinate(y)}h{size}v-{coordinate(height)}h-{size}z")


def _station_names(drawing: Drawing, members: Sequence[Post], left: float, pitch: float, y: float) -> None:
    """Write the stations below their bars as far as there is room."""
    free = left
    start = 0
    for position, post in enumerate(members):
        if position + 1 < len(members) and members[position + 1].station == post.station:
            continue
        half = text_width(post.station, SMALL_FONT_SIZE) / 2
        middle = min(max(left + (start + position + 1) * pitch / 2, left + half), drawing.width - half)
        if middle - half >= free:
            drawing.text(middle, y, post.station, "ts soft", "middle")
            free = middle + half + 5
        start = position + 1


def _longest_segment(posts: Sequence[Post]) -> int:
    longest = here = 0
    last = None
    for post in posts:
        here = here + 1 if post.segment == last else 1
        last = post.segment
        longest = max(longest, here)
    return longest


def strip(width: float, models: Sequence[int], paints: Sequence[int], marked: Sequence[bool], cell: float) -> Drawing:
    """Draw a build order, left to right and down: a car has its model above, its paint below, a tick at a broken rule.

    Parameters
    ----------
    width
        Width in pixels.
    models, paints
        Number of the model and of the paint of each car, for the classes ``m0`` ... and ``p0`` ...
    marked
        True for a car at which a rule is broken.
    cell
        Width of a car in pixels.
    """
    left = 40.0
    per_row = max(1, int((width - left) / cell))
    per_row -= per_row % 10 if per_row > 20 else 0
    count = len(models)
    row_height = 26.0
    rows = (count + per_row - 1) // per_row
    drawing = Drawing(width, rows * row_height + 4)
    paths: dict[str, list[str]] = {}
    size = coordinate(cell - 1)
    for index in range(count):
        x = left + (index % per_row) * cell
        y = (index // per_row) * row_height + 2
        paths.setdefault(f"m{models[index]}", []).append(f"M{coordinate(x)} {coordinate(y + 4)}h{size}v9h-{size}z")
        paths.setdefault(f"p{paints[index]}", []).append(f"M{coordinate(x)} {coordinate(y + 14)}h{size}v7h-{size}z")
        if marked[index]:
            paths.setdefault("bad", []).append(f"M{coordinate(x)} {coordinate(y)}h{size}v3h-{size}z")
    for cls, data in paths.items():
        drawing.path("".join(data), f"f-{cls}")
    for row in range(rows):
        drawing.text(left - 6, row * row_height + 16, f"{row * per_row + 1:,}", "ts num", "end")
    return drawing


@dataclass(frozen=True, slots=True)
class Shop:
    """A box in the picture of the plant."""

    id: str
    name: str
    texts: tuple[str, ...]
    """Lines below the name."""
    hot: bool = False
    """True for the bottleneck."""
    beside: str = ""
    """Rework: the shop that it stands under; empty for shops on the main way."""


@dataclass(frozen=True, slots=True)
class Way:
    """An arrow between two boxes and what stands on it."""

    start: str
    end: str
    text: str


def _layers(items: Sequence[Shop], ways: Sequence[Way]) -> list[list[Shop]]:
    main = [item for item in items if not item.beside]
    rank = {item.id: 0 for item in main}
    for _ in main:
        for way in ways:
            if way.start in rank and way.end in rank and way.start != way.end:
                rank[way.end] = min(max(rank[way.end], rank[way.start] + 1), len(main) - 1)
    layers: list[list[Shop]] = [[] for _ in range(max(rank.values(), default=0) + 1)]
    for item in main:
        layers[rank[item.id]].append(item)
    return [layer for layer in layers if layer]


def shops(width: float, items: Sequence[Shop], ways: Sequence[Way]) -> Drawing:
    """Draw the shops in the order in which a car passes them: across a desk, down a phone."""
    layers = _layers(items, ways)
    return _shops_down(width, layers, items, ways) if width < 520 else _shops_across(width, layers, items, ways)


def _shops_across(
    width: float, layers: Sequence[Sequence[Shop]], items: Sequence[Shop], ways: Sequence[Way]
) -> Drawing:
    count = max(len(layers), 1)
    gap = min(86.0, max(54.0, width * 0.42 / count))
    box = min((width - gap * (count - 1)) / count, 170.0)
    left = (width - box * count - gap * (count - 1)) / 2
    height = _box_height(items, box)
    between = 34.0
    tallest = max(len(layer) for layer in layers)
    reworks = [item for item in items if item.beside]
    main_height = tallest * height + (tallest - 1) * between
    drawing = Drawing(width, 22 + main_height + (height + 46 if reworks else 0) + 6)
    places: dict[str, tuple[float, float]] = {}
    for column, layer in enumerate(layers):
        used = len(layer) * height + (len(layer) - 1) * between
        for row, item in enumerate(layer):
            places[item.id] = (left + column * (box + gap), 20 + (main_height - used) / 2 + row * (height + between))
    for item in reworks:
        if item.beside in places:
            places[item.id] = (places[item.beside][0], 20 + main_height + 46)
    for way in ways:
        if way.start not in places or way.end not in places or way.start == way.end:
            continue
        (x1, y1), (x2, y2) = places[way.start], places[way.end]
        if x2 > x1 + box:
            _arrow_across(drawing, x1 + box + 2, y1 + height / 2, x2 - 2, y2 + height / 2, way.text, gap)
        elif y2 > y1:
            _arrow_upright(drawing, x1 + box * 0.3, y1 + height + 2, y2 - 2)
            drawing.text(x1 + box * 0.3 - 8, (y1 + height + y2) / 2 + 4, way.text, "ts", "end")
        else:
            _arrow_upright(drawing, x1 + box * 0.7, y1 - 2, y2 + height + 2)
            if x1 + box * 0.7 + 8 + text_width(way.text, SMALL_FONT_SIZE) < width:
                drawing.text(x1 + box * 0.7 + 8, (y2 + height + y1) / 2 + 4, way.text, "ts")
    for item in items:
        if item.id in places:
            _shop_box(drawing, item, *places[item.id], box, height)
    return drawing


def _shops_down(width: float, layers: Sequence[Sequence[Shop]], items: Sequence[Shop], ways: Sequence[Way]) -> Drawing:
    gap, side = 44.0, 34.0
    rows: list[list[Shop]] = [
        [*layer, *(item for item in items if item.beside in {other.id for other in layer})] for layer in layers
    ]
    most = max(len(row) for row in rows)
    height = _box_height(items, (width - side * (most - 1)) / most)
    drawing = Drawing(width, 20 + len(rows) * (height + gap) - gap + 6)
    places: dict[str, tuple[float, float, float]] = {}
    for index, row in enumerate(rows):
        box = (width - side * (len(row) - 1)) / len(row)
        for position, item in enumerate(row):
            places[item.id] = (position * (box + side), 18 + index * (height + gap), box)
    for way in ways:
        if way.start not in places or way.end not in places or way.start == way.end:
            continue
        (x1, y1, w1), (x2, y2, w2) = places[way.start], places[way.end]
        if y2 > y1:
            inside = min(max(x1 + w1 / 2, x2 + 12), x2 + w2 - 12)
            _arrow_upright(drawing, inside, y1 + height + 2, y2 - 2)
            room = width - inside - 12
            drawing.text(inside + 10, (y1 + height + y2) / 2 + 2, shortened(way.text, room, SMALL_FONT_SIZE), "ts")
        elif x2 > x1:
            _arrow_across(drawing, x1 + w1 + 2, y1 + height * 0.35, x2 - 2, y1 + height * 0.35, "", side)
        else:
            _arrow_across(drawing, x1 - 2, y1 + height * 0.65, x2 + w2 + 2, y1 + height * 0.65, "", side)
    for item in items:
        if item.id in places:
            x, y, box = places[item.id]
            _shop_box(drawing, item, x, y, box, height)
    return drawing


def _box_height(items: Sequence[Shop], box: float) -> float:
    names = max((len(_name_lines(item, box)) for item in items), default=1)
    return 14.0 + 15 * names + 15 * max((len(item.texts) for item in items), default=0) + 4


def _name_lines(item: Shop, box: float) -> list[str]:
    return wrapped(item.name, (box - 12) / 1.08)


def _shop_box(drawing: Drawing, item: Shop, x: float, y: float, width: float, height: float) -> None:
    drawing.rect(x + 0.75, y, width - 1.5, height, "box hot" if item.hot else "box", item.name, radius=5)
    if item.hot:
        drawing.text(x + 4, y - 6, "bottleneck", "ts bad strong")
    names = _name_lines(item, width)
    spare = height - 18 - 15 * len(names) - 15 * len(item.texts)
    for row, text in enumerate(names):
        drawing.text(x + width / 2, y + 20 + spare / 2 + 15 * row, text, "t strong", "middle")
    for row, text in enumerate(item.texts):
        baseline = y + height - 9 - 15 * (len(item.texts) - 1 - row)
        fitted = shortened(text, width - 8, SMALL_FONT_SIZE)
        drawing.text(x + width / 2, baseline, fitted, "ts num" + ("" if row == 0 else " soft"), "middle")


def _arrow_across(drawing: Drawing, x: float, y: float, end_x: float, end_y: float, text: str, gap: float) -> None:
    toward = 1.0 if end_x > x else -1.0
    if abs(end_y - y) < 1:
        points = [(x, y), (end_x - 6 * toward, end_y)]
    else:
        turn = end_x - 13 * toward
        points = [(x, y), (turn, y), (turn, end_y), (end_x - 6 * toward, end_y)]
    drawing.polyline(points, "l-ink")
    drawing.polygon([(end_x - 8 * toward, end_y - 4.5), (end_x, end_y), (end_x - 8 * toward, end_y + 4.5)], "f-text")
    if text:
        parts = wrapped(text, gap - 16, SMALL_FONT_SIZE)[:3]
        for row, part in enumerate(parts):
            drawing.text(x + (gap - 12) / 2, y - 7 - 13 * (len(parts) - 1 - row), part, "ts", "middle")


def _arrow_upright(drawing: Drawing, x: float, y: float, end: float) -> None:
    toward = 1.0 if end > y else -1.0
    drawing.line(x, y, x, end - 6 * toward, "l-ink")
    drawing.polygon([(x - 4.5, end - 8 * toward), (x + 4.5, end - 8 * toward), (x, end)], "f-text")


def panels(width: float, parts: Sequence[Drawing], gap: float = 10) -> Drawing:
    """Put drawings of one width below each other into one picture."""
    total = sum(part.height for part in parts) + gap * (len(parts) - 1)
    whole = Drawing(width, total)
    y = 0.0
    for part in parts:
        whole.group(part, y)
        y += part.height + gap
    return whole


__all__ = [
    "FONT_SIZE",
    "Bar",
    "Post",
    "Series",
    "Shop",
    "Span",
    "Swing",
    "Way",
    "bars",
    "columns",
    "dots",
    "histogram",
    "legend",
    "lines",
    "panels",
    "ranges",
    "share_bars",
    "shops",
    "stack_bars",
    "strip",
    "tornado",
    "waterfall",
    "yamazumi",
]
