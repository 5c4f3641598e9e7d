"""A small drawing surface: scalable pictures as text, coloured by the page's style sheet.

Colours are classes (``f-brand`` fills, ``l-brand`` strokes), so that one picture serves light, dark and print. Text
sizes are fixed by class too; :func:`text_width` errs on the wide side, so that what fits here fits in any font.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise

from markupsafe import Markup

FONT_SIZE = 12.0
SMALL_FONT_SIZE = 11.0
LARGEST_SCALE = 1.3
"""A picture grows at most so far beyond the size that it was drawn for."""

_NARROW = frozenset("iljtfI.,:;'|!()[]· ")
_WIDE = frozenset("mwMW%—@")


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Return an upper estimate of the width of ``text`` in drawing units."""
    units = 0.0
    for letter in text:
        if letter in _NARROW:
            units += 0.38
        elif letter in _WIDE:
            units += 0.96
        elif letter.isupper():
            units += 0.72
        else:
            units += 0.62
    return units * size


LONGEST = 400
"""No picture is wide enough for more letters in a row."""


def shortened(text: str, width: float, size: float = FONT_SIZE) -> str:
    """Return ``text``, cut with an ellipsis if it does not fit into ``width``."""
    if len(text) <= LONGEST and text_width(text, size) <= width:
        return text
    text = text[:LONGEST]
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip(" ,;.") + "…"


def wrapped(text: str, width: float, size: float = FONT_SIZE) -> list[str]:
    """Return ``text`` broken at spaces into lines that fit into ``width``."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, size) <= width:
            lines[-1] = joined
        else:
            lines.append(shortened(word, width, size))
    return lines


def coordinate(value: float) -> str:
    """Return a coordinate with as few letters as half a tenth of a unit needs."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


class Drawing:
    """Collects shapes and turns them into one SVG element.

    Parameters
    ----------
    width, height
        Size in drawing units; a unit is a CSS pixel at the size the picture is drawn for.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._parts: list[str] = []

    def rect(
        self, x: float, y: float, width: float, height: float, cls: str, title: str = "", radius: float = 0
    ) -> None:
        """Draw a rectangle; a negative size is drawn to the other side."""
        if width < 0:
            x, width = x + width, -width
        if height < 0:
            y, height = y + height, -height
        rounding = f' rx="{coordinate(radius)}"' if radius else ""
        self._add(
            f'<rect x="{coordinate(x)}" y="{coordinate(y)}" width="{coordinate(width)}" '
            f'height="{coordinate(height)}"{rounding} class="{cls}"',
            "rect",
            title,
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, cls: str) -> None:
        """Draw a straight line."""
        self._add(
            f'<path d="M{coordinate(x1)} {coordinate(y1)}L{coordinate(x2)} {coordinate(y2)}" class="{cls}"', "path", ""
        )

    def path(self, data: str, cls: str, title: str = "") -> None:
        """Draw a path from its data."""
        self._add(f'<path d="{data}" class="{cls}"', "path", title)

    def polyline(self, points: Sequence[tuple[float, float]], cls: str) -> None:
        """Draw a line through points."""
        if points:
            data = "M" + "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in points)
            self._add(f'<path d="{data}" class="{cls}"', "path", "")

    def polygon(self, points: Sequence[tuple[float, float]], cls: str, title: str = "") -> None:
        """Fill the area within points."""
        if points:
            data = "M" + "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in points) + "Z"
            self._add(f'<path d="{data}" class="{cls}"', "path", title)

    def circle(self, x: float, y: float, radius: float, cls: str, title: str = "") -> None:
        """Draw a dot."""
        self._add(
            f'<circle cx="{coordinate(x)}" cy="{coordinate(y)}" r="{coordinate(radius)}" class="{cls}"', "circle", title
        )

    def text(self, x: float, y: float, text: str, cls: str = "t", anchor: str = "start") -> None:
        """Write ``text`` with its baseline at ``y``; ``anchor`` is start, middle or end."""
        placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._parts.append(
            f'<text x="{coordinate(x)}" y="{coordinate(y)}" class="{cls}"{placed}>{escape(text, quote=False)}</text>'
        )

    def group(self, other: Drawing, down: float) -> None:
        """Take over another drawing's shapes, moved down."""
        self._parts.append(f'<g transform="translate(0 {coordinate(down)})">{"".join(other._parts)}</g>')

    def _add(self, start: str, tag: str, title: str) -> None:
        if title:
            self._parts.append(f"{start}><title>{escape(title, quote=False)}</title></{tag}>")
        else:
            self._parts.append(f"{start}/>")

    def render(self, identifier: str, title: str, description: str, cls: str = "") -> Markup:
        """Return the picture with a title and a description for those who cannot see it."""
        label = escape(identifier, quote=True)
        style = f"max-width:{coordinate(self.width * LARGEST_SCALE)}px"
        return Markup(
            f'<svg class="{cls}" viewBox="0 0 {coordinate(self.width)} {coordinate(self.height)}" style="{style}" '
            f'role="img" aria-labelledby="{label}-t {label}-d"><title id="{label}-t">{escape(title, quote=False)}'
            f'</title><desc id="{label}-d">{escape(description, quote=False)}</desc>{"".join(self._parts)}</svg>'
        )


def ticks(low: float, high: float, count: int = 5, *, whole: bool = False) -> list[float]:
    """Return about ``count`` round numbers that span ``low`` to ``high``, the ends included.

    Examples
    --------
    >>> ticks(0, 97, 5)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    if not high > low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    if whole:
        step = max(1.0, step if step == int(step) else float(math.ceil(step)))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) + 0.0 for index in range(first, last + 1)]


def tick_texts(values: Sequence[float]) -> list[str]:
    """Return ticks as texts with the same number of decimals."""
    if len(values) < 2:
        return [f"{value:g}" for value in values]
    step = values[1] - values[0]
    decimals = next((digits for digits in range(7) if abs(round(step, digits) - step) < abs(step) * 1e-6), 6)
    return [f"{value:,.{decimals}f}".replace("-", "−") for value in values]


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Return the map of ``low`` to ``start`` and ``high`` to ``end``."""
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def thinned(values: Sequence[float], texts: Sequence[str], place: Callable[[float], float], size: float) -> list[int]:
    """Return the positions of those labels along a horizontal axis that stay clear of each other."""
    if not values:
        return []
    widest = max(text_width(text, size) for text in texts) + 8
    for step in (1, 2, 3, 4, 5, 10, 20, 25, 50, 100):
        kept = list(range(0, len(values), step))
        if all(abs(place(values[b]) - place(values[a])) >= widest for a, b in pairwise(kept)):
            return kept
    return [0]
