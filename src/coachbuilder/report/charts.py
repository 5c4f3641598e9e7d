"""Kinds of charts. They place what they are given and compute nothing but geometry.

Every function takes the width it draws for; :mod:`coachbuilder.report.fragments` draws each picture twice, for a
desk and for a phone, and the style sheet shows the one that fits.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    drawing: Drawing, frame: Frame, values: Sequence[float], title: str, count: int = 5, *, anchor_zero: bool = True
) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    if anchor_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    marks = ticks(low, high, count)
    place = scale(marks[0], marks[-1], frame.bottom, frame.top)
    for value, text in zip(marks, tick_texts(marks), strict=True):
        drawing.line(frame.left, place(value), frame.right, place(value), "axis0" if value == 0 else "grid")
        drawing.text(frame.left - 6, place(value) + 4, text, "ts num", "end")
    drawing.text(0, frame.top - 10, title, "ts soft")
    return marks[0], marks[-1]


def _axis_room(values: Sequence[float], count: int = 5) -> float:
    low, high = min([0.0, *values]), max([0.0, *values])
    return max(text_width(text, SMALL_FONT_SIZE) for text in tick_texts(ticks(low, high, count))) + 8


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


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
    """
    drawing = Drawing(width, height)
    everything = [value for item in series for value in _known(item.values)] + [value for value, _ in references]
    if band:
        everything += [*band[0], *band[1]]
    key = [(item.label, f"l-{item.color}{' dash' if item.dashed else ''}") for item in series if item.label]
    top = (legend(drawing, key, 0, 0, width) + 2 if len(key) > 1 else 0) + 24
    frame = Frame(_axis_room(everything), top, width - 8, height - 40)
    low, high = _value_axis(drawing, frame, everything, y_title, anchor_zero=anchor_zero)
    across = [float(x) for item in series for x in (item.x if item.x is not None else range(len(item.values)))]
    marks = ticks(min(across, default=0.0), max(across, default=1.0), 8 if width > 500 else 5, whole=whole_x)
    if min(across, default=0.0) > marks[0] and len(marks) > 2 and min(across) - marks[0] > 0.5 * (marks[1] - marks[0]):
        marks = marks[1:]
    place_x = scale(min(marks[0], min(across, default=0.0)), max(across, default=1.0), frame.left, frame.right)
    marks = [value for value in marks if value <= max(across, default=1.0) + 1e-9]
    place_y = scale(low, high, frame.bottom, frame.top)
    _x_axis(drawing, frame, marks, place_x, x_title)
    if band:
        xs = series[0].x if series[0].x is not None else range(len(series[0].values))
        there = [(place_x(x), place_y(y)) for x, y in zip(xs, band[1], strict=True)]
        back = [(place_x(x), place_y(y)) for x, y in zip(xs, band[0], strict=True)]
        drawing.polygon([*there, *reversed(back)], f"f-{band[2]} pale")
    for value, name in references:
        drawing.line(frame.left, place_y(value), frame.right, place_y(value), "l-ink dash")
        drawing.text(frame.right, place_y(value) - 5, name, "ts halo", "end")
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
            if len(run) == 1:
                drawing.circle(run[0][0], run[0][1], 3, f"f-{item.color}")
            drawing.polyline(run, f"l-{item.color}{' dash' if item.dashed else ''}")
    return drawing


def _x_axis(drawing: Drawing, frame: Frame, marks: Sequence[float], place: object, title: str) -> None:
    assert callable(place)  # noqa: S101
    texts = tick_texts(list(marks))
    for index in thinned(list(marks), texts, place, SMALL_FONT_SIZE):
        half = text_width(texts[index], SMALL_FONT_SIZE) / 2
        x = min(max(place(marks[index]), half), drawing.width - half)
        drawing.line(place(marks[index]), frame.bottom, place(marks[index]), frame.bottom + 4, "tick")
        drawing.text(x, frame.bottom + 16, texts[index], "ts num", "middle")
    drawing.text(frame.right, frame.bottom + 33, title, "ts soft", "end")


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
        if row.low is not None and row.high is not None:
            x, end = place(row.low / unit_divisor), place(row.high / unit_divisor)
            drawing.rect(x, middle - 6, max(end - x, 2), 12, f"f-{row.color} mid", row.text, radius=6)
        if row.mark is not None:
            drawing.circle(place(row.mark / unit_divisor), middle, 6.5, f"l-{row.color} hollow", row.text)
        if row.middle is not None:
            drawing.circle(place(row.middle / unit_divisor), middle, 4, f"f-{row.color} dot", row.text)
    return drawing


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
        drawing.text(0, y - 3 if narrow else y + 12, shortened(row.label, width if narrow else label_room - 6), "t")
        low, high = place(row.at_low / unit_divisor), place(row.at_high / unit_divisor)
        drawing.rect(origin, y, low - origin, 17, "f-low", row.low_text)
        drawing.rect(origin, y, high - origin, 17, "f-high", row.high_text)
    drawing.line(origin, top, origin, bottom, "l-ink")
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
    across = ticks(edges[0] / unit_divisor, edges[-1] / unit_divisor, 7 if width > 500 else 4)
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
        drawing.text(x, frame.bottom + 16, texts[index], "ts num", "middle")
    drawing.text(frame.right, frame.bottom + 33, title, "ts soft", "end")
    if edges[0] < 0 < edges[-1]:
        drawing.line(place(0), frame.top - 4, place(0), frame.bottom, "axis0")
    _marks(drawing, frame, [(place(value / unit_divisor), name) for value, name in marks])
    return drawing


def _marks(drawing: Drawing, frame: Frame, marks: Sequence[tuple[float, str]]) -> None:
    """Name upright lines on two rows, moved apart where names would touch."""
    free = [0.0, 0.0]
    for x, name in sorted(marks):
        inside = min(max(x, frame.left), frame.right)
        half = text_width(name, SMALL_FONT_SIZE) / 2
        row = 0 if inside - half >= free[0] else 1
        center = min(max(inside, half, free[row] + half), drawing.width - half)
        drawing.line(inside, 18.0 + 14 * row, inside, frame.bottom, "l-ink thin")
        drawing.text(center, 12 + 14 * row, name, "ts halo", "middle")
        free[row] = center + half + 6


def dots(
    width: float, rows: Sequence[Span], *, title: str, percent: bool = True, label_limit: float = 0.4
) -> Drawing:
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
        if row.low is not None and row.high is not None:
            drawing.line(place(row.low * factor), y, place(row.high * factor), y, f"l-{row.color}")
        if row.middle is not None:
            drawing.circle(place(row.middle * factor), y, 4.5, f"f-{row.color}")
        drawing.text(width, y + 4, row.text, "t num", "end")
    return drawing


@dataclass(frozen=True, slots=True)
class Post:
    """One operator's work content in a yamazumi chart."""

    station: str
    segment: str
    parts: Sequence[tuple[float, str]]
    """Seconds and colour class, from the bottom up."""
    peak: float | None
    """Seconds of the model that needs most time here; None where it is not known."""
    tip: str


def yamazumi(width: float, posts: Sequence[Post], *, takt: float, top: float, takt_text: str) -> Drawing:
    """Draw a yamazumi chart: one bar an operator, in rows by segment, each row against takt.

    Parameters
    ----------
    width
        Width in pixels; rows break where it ends.
    posts
        Operators in line order.
    takt
        Takt, s, drawn as a line.
    top
        Upper end of the scale, s: the same for two charts that are compared.
    takt_text
        What stands at the takt line.
    """
    left, bar_height = 34.0, 86.0
    usable = width - left - 2
    rows: list[tuple[str, list[Post]]] = []
    pitch = max(5.0, min(16.0, usable / max(_longest_segment(posts), 1)))
    per_row = max(1, int(usable / pitch))
    for post in posts:
        if not rows or rows[-1][0] != post.segment or len(rows[-1][1]) >= per_row:
            rows.append((post.segment, []))
        rows[-1][1].append(post)
    row_height = bar_height + 34
    drawing = Drawing(width, row_height * len(rows) + 4)
    for index, (segment, members) in enumerate(rows):
        base = row_height * index + 20 + bar_height
        place = scale(0.0, top, base, base - bar_height)
        name = segment if index == 0 or rows[index - 1][0] != segment else f"{segment}, continued"
        drawing.text(left, base - bar_height - 8, shortened(name, usable * 0.62), "ts strong")
        if index == 0:
            drawing.text(width, base - bar_height - 8, takt_text, "ts soft", "end")
        drawing.line(left, base, width, base, "axis0")
        drawing.text(left - 5, base + 4, "0", "ts num", "end")
        drawing.text(left - 5, place(takt) + 4, f"{takt:.0f}", "ts num", "end")
        for position, post in enumerate(members):
            x = left + position * pitch
            height = 0.0
            for seconds, color in post.parts:
                drawing.rect(
                    x + 0.5, place(height + seconds), pitch - 1, place(height) - place(height + seconds), f"f-{color}", post.tip
                )
                height += seconds
            if post.peak is not None:
                drawing.line(x + 0.5, place(post.peak), x + pitch - 0.5, place(post.peak), "l-ink thin")
        drawing.line(left, place(takt), width, place(takt), "l-bad")
    return drawing


def _longest_segment(posts: Sequence[Post]) -> int:
    longest = here = 0
    last = None
    for post in posts:
        here = here + 1 if post.segment == last else 1
        last = post.segment
        longest = max(longest, here)
    return longest


def strip(width: float, models: Sequence[int], paints: Sequence[int], marked: Sequence[bool], cell: float) -> Drawing:
    """Draw a build order, left to right and down: each car its model above, its paint below, a tick where it breaks a rule.

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

    name: str
    rate_text: str
    share_text: str
    bottleneck: bool = False
    after: str = ""
    """What stands between this shop and the next: a buffer with its places."""


def shops(width: float, items: Sequence[Shop], *, note: str) -> Drawing:
    """Draw the shops in the order in which a car passes them, across a desk and down a phone."""
    if width < 520:
        return _shops_down(width, items, note)
    count = max(len(items), 1)
    gap = min(92.0, max(58.0, width * 0.5 / count))
    box = (width - gap * (count - 1)) / count
    name_lines = max((len(wrapped(item.name, box - 14)) for item in items), default=1)
    height = 16.0 * name_lines + 58
    drawing = Drawing(width, height + 44)
    for index, item in enumerate(items):
        x = index * (box + gap)
        _shop_box(drawing, item, x, 20, box, height)
        if index < count - 1:
            middle = 20 + height / 2
            _arrow_right(drawing, x + box + 3, x + box + gap - 3, middle)
            if item.after:
                for row, text in enumerate(reversed(wrapped(item.after, gap - 4, SMALL_FONT_SIZE)[:3])):
                    drawing.text(x + box + gap / 2, middle - 10 - 13 * row, text, "ts", "middle")
    drawing.text(0, height + 40, shortened(note, width, SMALL_FONT_SIZE), "ts soft")
    return drawing


def _shops_down(width: float, items: Sequence[Shop], note: str) -> Drawing:
    box_height, gap = 62.0, 40.0
    lines_of_note = wrapped(note, width, SMALL_FONT_SIZE)
    drawing = Drawing(width, len(items) * (box_height + gap) - gap + 26 + 14 * len(lines_of_note) + 8)
    for index, item in enumerate(items):
        y = 18 + index * (box_height + gap)
        _shop_box(drawing, item, 0, y, width, box_height, flat=True)
        if index < len(items) - 1:
            end = y + box_height + gap - 3
            drawing.line(30, y + box_height + 2, 30, end - 8, "l-ink")
            drawing.polygon([(25, end - 8), (35, end - 8), (30, end)], "f-ink")
            if item.after:
                drawing.text(46, y + box_height + gap / 2 + 4, shortened(item.after, width - 50), "ts")
    base = 18 + len(items) * (box_height + gap) - gap + 18
    for row, text in enumerate(lines_of_note):
        drawing.text(0, base + 14 * row, text, "ts soft")
    return drawing


def _shop_box(drawing: Drawing, item: Shop, x: float, y: float, width: float, height: float, *, flat: bool = False) -> None:
    drawing.rect(x + 0.75, y, width - 1.5, height, "box hot" if item.bottleneck else "box", item.name, radius=6)
    if item.bottleneck:
        drawing.text(x + (8 if flat else width / 2), y - 6, "bottleneck", "ts bad strong", "start" if flat else "middle")
    if flat:
        drawing.text(x + 14, y + 26, shortened(item.name, width * 0.5), "t strong")
        drawing.text(x + width - 14, y + 26, item.rate_text, "t num", "end")
        drawing.text(x + width - 14, y + 46, item.share_text, "ts soft num", "end")
        return
    names = wrapped(item.name, width - 14)
    for row, text in enumerate(names):
        drawing.text(x + width / 2, y + 22 + 15 * row, text, "t strong", "middle")
    drawing.text(x + width / 2, y + height - 26, shortened(item.rate_text, width - 8), "t num", "middle")
    drawing.text(
        x + width / 2, y + height - 10, shortened(item.share_text, width - 6, SMALL_FONT_SIZE), "ts soft num", "middle"
    )


def _arrow_right(drawing: Drawing, x: float, end: float, y: float) -> None:
    drawing.line(x, y, end - 7, y, "l-ink")
    drawing.polygon([(end - 8, y - 5), (end, y), (end - 8, y + 5)], "f-ink")


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
    "bars",
    "columns",
    "dots",
    "histogram",
    "legend",
    "lines",
    "panels",
    "ranges",
    "shops",
    "strip",
    "tornado",
    "yamazumi",
]
