"""The picture of a replay: who said what, what was believed, what it was worth, what to ask next, and what came of it.

The columns are the days on which the register changed. They stand side by side whatever time lies between them, for
what matters is often said within hours and answered after years; the time between is written out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from coachbuilder.report import wording
from coachbuilder.report.page import environment
from coachbuilder.report.svg import Drawing, coordinate, scale, shortened, wrapped
from coachbuilder.risk.replay import COIN_BRIER, COIN_LOG

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from coachbuilder.risk.claims import ClaimValue
    from coachbuilder.risk.replay import ClaimScore, ReplayEntry, ReplayResult, ReplaySide, ReplayStep

WIDTH = 1180.0
LEFT, RIGHT = 122.0, 14.0
"""Room for the names of the rows, and to the right of the last column."""

MINOR, LAST = 0.5, 1.4
"""Width of a column that moves no claim told of, and of the last, as shares of the others'."""

BILLION = 1e9
LINEAR_CNY = 0.2e9
"""Up to about here the axis of values is nearly linear, beyond it nearly logarithmic."""

DECADES_BN = (-100, -10, -1, 0, 1, 10, 100)
LEAST_CNY = 1e6
"""Expected values below it are not written out."""

MARGIN = 30.0
SMALL = 11.0
CARD_LINES = 8

STYLE = """
.rp-title { font: 600 25px var(--serif); fill: var(--ink); letter-spacing: -.01em; }
.rp-say { font: italic 400 15px var(--serif); fill: var(--soft); }
.rp-row { font: 600 13px var(--serif); fill: var(--ink); }
.rp-day { font: 600 13px var(--sans); fill: var(--ink); font-variant-numeric: tabular-nums; }
.rp-big { font: 600 27px var(--serif); fill: var(--ink); font-variant-numeric: lining-nums tabular-nums; }
.rp-verdict { font: 600 19px var(--serif); fill: var(--ink); }
.rp-back { fill: var(--paper); }
.rp-rule { stroke: var(--line); stroke-width: 1; fill: none; }
.rp-step { stroke: var(--ink); stroke-width: 2.5; fill: none; stroke-linejoin: miter; }
.rp-under { fill: var(--ink); opacity: .09; }
.rp-down { fill: var(--bad); } .rp-up { fill: var(--good); }
svg .c-brand { fill: var(--brand); } svg .c-host { fill: var(--host); } svg .c-bad { fill: var(--bad); }
.replay svg { min-width: 1060px; width: 100%; height: auto; display: block; }
svg .c-good { fill: var(--good); }
"""


@dataclass(frozen=True, slots=True)
class _Column:
    step: ReplayStep
    left: float
    right: float
    is_minor: bool
    entries: tuple[ReplayEntry, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    top: float
    bottom: float


def write_replay(result: ReplayResult, path: Path) -> None:
    """Write the picture as an .svg file that stands alone, or a page around it as an .html file.

    Parameters
    ----------
    result
        The replay.
    path
        Where it shall stand; its ending decides.

    Raises
    ------
    OSError
        If the file cannot be written; a file that stood there stays as it was.
    """
    from coachbuilder.report.document import write_text

    write_text(path, replay_svg(result) if path.suffix.lower() == ".svg" else replay_page(result))


def replay_svg(result: ReplayResult) -> str:
    """Return the picture as a file of its own, with its colours for light and dark."""
    drawing = replay_drawing(result)
    width, height = coordinate(drawing.width + 2 * MARGIN), coordinate(drawing.height + 2 * MARGIN)
    corner = coordinate(-MARGIN)
    body = str(drawing.render("replay", _title(result), _description(result)))
    start = body.index(">") + 1
    inner = f'viewBox="0 0 {coordinate(drawing.width)} {coordinate(drawing.height)}"'
    outer = f'viewBox="{corner} {corner} {width} {height}"'
    size = f'xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
    head = body[:start].replace("<svg", f"<svg {size}", 1).replace(inner, outer, 1)
    back = f'<rect class="rp-back" x="{corner}" y="{corner}" width="{width}" height="{height}"/>'
    return f"{head}<style><![CDATA[{_css()}]]></style>{back}{body[start:]}\n"


def replay_page(result: ReplayResult) -> str:
    """Return a page with the picture, the days as a table, and the scores."""
    picture = replay_drawing(result).render("replay", _title(result), _description(result))
    return (
        environment()
        .get_template("replay.html.j2")
        .render(
            result=result,
            picture=picture,
            css=Markup(_css()),
            title=_title(result),
            question=question_words,
            worth=worth_words,
            coin=(COIN_BRIER, COIN_LOG),
        )
    )


def _css() -> str:
    from importlib.resources import files

    own = (files("coachbuilder.report") / "templates" / "style.css").read_text(encoding="utf-8")
    return own + STYLE


def question_words(claim: ClaimValue) -> str:
    """Return the question behind a claim in a few words."""
    name = claim.evidence.replace("-", " ").replace("_", " ")
    if claim.is_switch:
        return f"is “{name}” true?"
    return f"how large: {wording.label(claim.drivers[0].rpartition('.')[2]).lower()}?" if claim.drivers else f"{name}?"


def worth_words(claim: ClaimValue) -> str:
    """Return what the answer is worth, or, where no answer alone would change the decision, how far it moves it."""
    if claim.joint_value_cny > 0:
        return f"worth {wording.money(claim.joint_value_cny)}"
    return f"moves {wording.money(claim.joint_at_stake_cny)}"


def replay_drawing(result: ReplayResult) -> Drawing:
    """Draw the replay.

    Parameters
    ----------
    result
        The replay, a step for each day.
    """
    told = {item.claim for item in result.claims}
    columns = _columns(result)
    cards = _Row(104, 268)
    belief = _Row(300, 484)
    rows = {"brand": _Row(536, 666), "host": _Row(708, 838)}
    asks = _Row(884, 968)
    drawing = Drawing(WIDTH, 1020)
    drawing.text(0, 26, shortened(_title(result), WIDTH, 27), "rp-title")
    drawing.text(0, 50, f"“{result.claims[0].text}”", "rp-say")
    for column in columns[1:]:
        drawing.line(column.left, cards.top - 18, column.left, asks.bottom, "rp-rule")
    _cards(drawing, columns, cards, told)
    _belief(drawing, columns, belief, result)
    for side, row in rows.items():
        _worth(drawing, columns, row, side, result.brand if side == "brand" else result.host)
    _questions(drawing, columns, asks, result)
    _footer(drawing, result, asks.bottom + 30)
    return drawing


def _columns(result: ReplayResult) -> list[_Column]:
    last = len(result.steps) - 1
    found = [(step, _bearing(result, step)) for step in result.steps]
    widths = [
        LAST if number == last else 1.0 if entries or not number else MINOR for number, (_, entries) in enumerate(found)
    ]
    unit = (WIDTH - LEFT - RIGHT) / sum(widths)
    columns, left = [], LEFT
    for (step, entries), width in zip(found, widths, strict=True):
        columns.append(_Column(step, left, left + unit * width, width == MINOR, entries))
        left += unit * width
    return columns


def _bearing(result: ReplayResult, step: ReplayStep) -> tuple[ReplayEntry, ...]:
    """Return the day's entries that bear on a claim told of, those on the switches first."""
    told = {item.claim for item in result.claims}
    ranked = [
        (min(_rank(entry, claim) for claim in result.switches), entry.evidence, entry)
        for entry in step.entries
        if entry.evidence in told or told & {*entry.supports, *entry.denies}
    ]
    return tuple(entry for _, _, entry in sorted(ranked, key=lambda item: item[:2]))


def _rank(entry: ReplayEntry, claim: str) -> int:
    return 0 if entry.evidence == claim else 1 if claim in entry.denies else 2 if claim in entry.supports else 3


def _row_name(drawing: Drawing, top: float, name: str, notes: Sequence[str], cls: str = "") -> None:
    drawing.text(0, top, name, f"rp-row {cls}".strip())
    for number, note in enumerate(notes):
        drawing.text(0, top + 17 + 14 * number, note, "ts soft")


def _cards(drawing: Drawing, columns: Sequence[_Column], row: _Row, told: set[str]) -> None:
    _row_name(drawing, row.top, "Who said it", ["green supports", "red denies"])
    before: _Column | None = None
    for column in columns:
        x, width = column.left + 8, column.right - column.left - 16
        day = column.step.date
        year = before is None or before.step.date.year != day.year
        day_words = f"{day.day} {wording.date(day).split()[1][:3]}" + (
            f" {day.year}" if year and not column.is_minor else ""
        )
        drawing.text(x, row.top - 6, day_words, "rp-day" if not column.is_minor else "ts soft")
        if before is not None and not column.is_minor:
            gap = _gap((day - before.step.date).days)
            drawing.text(x, row.top + 9, gap, "ts soft")
        before = column
        if column.is_minor:
            entry = column.step.entries[0]
            for number, line in enumerate(wrapped(entry.evidence.replace("-", " "), width, SMALL)[:4]):
                drawing.text(x, row.top + 32 + 14 * number, line, "ts soft")
            continue
        if not column.entries:
            continue
        entry = column.entries[0]
        color = "f-bad" if told & set(entry.denies) else "f-good" if told & set(entry.supports) else "f-ink"
        drawing.rect(column.left + 1, row.top + 20, 3.5, row.bottom - row.top - 20, color)
        kind = wrapped(entry.kind, width, SMALL)
        for number, line in enumerate(kind):
            drawing.text(x, row.top + 31 + 14 * number, line, "ts strong")
        room = CARD_LINES - len(kind)
        lines = wrapped(_first_sentence(entry.claim), width, SMALL)
        if len(lines) > room:
            lines = [*lines[: room - 1], shortened(f"{lines[room - 1]} …", width, SMALL)]
        for number, line in enumerate(lines):
            drawing.text(x, row.top + 34 + 14 * (len(kind) + number), line, "ts")
        drawing.text(x, row.bottom - 2, shortened(entry.source.partition(",")[0], width, SMALL), "ts soft")


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].rstrip(".")


def _gap(days: int) -> str:
    if days < 60:
        return f"{wording.plural(days, 'day')} later"
    months = round(days / 30.44)
    if months < 24:
        return f"{months} months later"
    return f"{days / 365.25:.1f} years later"


def _percent(probability: float) -> str:
    if 0 < probability < 0.01:
        text = f"{100 * probability:.1g}" if probability >= 1e-4 else "under 0.01"
        return f"{text} %"
    return f"{100 * probability:.0f} %"


def _belief(drawing: Drawing, columns: Sequence[_Column], row: _Row, result: ReplayResult) -> None:
    _row_name(drawing, row.top + 8, "Probability", ["that the deal", "exists"])
    place = scale(0.0, 0.6 if max(c.step.probability for c in columns) < 0.55 else 1.0, row.bottom, row.top)
    for share in (0.0, 0.25, 0.5) + (() if max(c.step.probability for c in columns) < 0.55 else (0.75, 1.0)):
        drawing.line(LEFT, place(share), WIDTH - RIGHT, place(share), "axis0" if share == 0 else "grid")
        drawing.text(LEFT - 8, place(share) + 4, f"{100 * share:.0f} %", "ts soft", "end")
    points: list[tuple[float, float]] = []
    for column in columns:
        y = place(column.step.probability)
        points += [(column.left, y), (column.right, y)]
    drawing.polygon([(columns[0].left, row.bottom), *points, (columns[-1].right, row.bottom)], "rp-under")
    drawing.polyline(points, "rp-step")
    for before, column in zip([None, *columns[:-1]], columns, strict=True):
        y = place(column.step.probability)
        drawing.circle(column.left, y, 4.5, "f-text dot")
        factor = column.step.odds_factor
        is_moved = factor is None or abs(factor - 1) > 1e-6
        if is_moved and not (column is columns[-1] and result.claims[0].happened is not None):
            drawing.text(column.left + 8, y - 9, _percent(column.step.probability), "rp-big")
        if before is not None and factor is not None and is_moved:
            down = factor < 1
            words = f"odds {'÷' if down else '×'} {wording.number(1 / factor if down else factor, 2)}"
            level = place(before.step.probability) + 14 if place(before.step.probability) + 30 < y else y - 38
            drawing.text(column.left + 8, level, words, f"ts {'c-bad' if down else 'c-good'} strong")
    _verdict(drawing, columns[-1], row, result.claims[0])


def _verdict(drawing: Drawing, column: _Column, row: _Row, score: ClaimScore) -> None:
    if score.happened is None or score.brier is None:
        return
    x, width = column.left + 12, column.right - column.left - 24
    drawing.circle(
        column.right - 10, row.bottom if not score.happened else row.top, 7, "f-bad" if not score.happened else "f-good"
    )
    drawing.text(x, row.top + 16, "It happened." if score.happened else "It did not happen.", "rp-verdict halo")
    days = (score.known_on - score.points[0].date).days if score.known_on else 0
    lines = [f"Score over {days:,} days"]
    lines.append(f"Brier {score.brier:.4f}, log {score.log_score:.4f}")
    lines.append(f"unmoved: {score.brier_unmoved:.2f}, {score.log_score_unmoved:.2f}")
    lines.append(f"a coin: {COIN_BRIER:.2f}, {COIN_LOG:.2f}")
    for number, line in enumerate(lines):
        drawing.text(
            x,
            row.top + 38 + 15 * number,
            shortened(line, width, SMALL),
            "ts" + (" soft halo" if number != 1 else " strong halo"),
        )


def _worth(drawing: Drawing, columns: Sequence[_Column], row: _Row, side: str, name: str) -> None:
    _row_name(drawing, row.top - 8, "Worth to", [])
    lines = wrapped(name, LEFT - 20, 13)
    shown = lines if len(lines) <= 2 else [lines[0], " ".join(lines[1:])]
    for number, line in enumerate(shown):
        drawing.text(0, row.top + 8 + 15 * number, shortened(line, LEFT - 20, 13), f"rp-row c-{side}")
    top = row.top + 15 * (len(shown) - 1)
    drawing.line(0, top + 28, 16, top + 28, f"l-{side} thick")
    drawing.text(20, top + 32, "plan × P", "ts")
    drawing.circle(8, top + 46, 4, f"l-{side} hollow")
    drawing.text(20, top + 50, "paid, 95 %", "ts")
    drawing.text(0, top + 70, "CNY bn,", "ts soft")
    drawing.text(0, top + 84, "compressed", "ts soft")
    sides = [next(item for item in column.step.sides if item.side == side) for column in columns]
    ends: list[float] = [0.0]
    for item in sides:
        ends += [item.expected_p10_cny, item.expected_p90_cny]
        ends += [v for v in (item.implied_value_cny, item.implied_low_cny, item.implied_high_cny) if v is not None]
    # What the market pays and what a plan is worth differ by orders of magnitude and in sign: asinh shows both.
    place = scale(math.asinh(min(ends) / LINEAR_CNY), math.asinh(max(ends) / LINEAR_CNY), row.bottom, row.top)

    def y(value_cny: float) -> float:
        return place(math.asinh(value_cny / LINEAR_CNY))

    for value in DECADES_BN:
        if min(ends) <= value * BILLION <= max(ends) or value == 0:
            drawing.line(LEFT, y(value * BILLION), WIDTH - RIGHT, y(value * BILLION), "grid" if value else "axis0")
            text = f"{value:g}".replace("-", "−")
            drawing.text(LEFT - 8, y(value * BILLION) + 4, text, "ts soft", "end")

    def steps(take: Callable[[ReplaySide], float]) -> list[tuple[float, float]]:
        pairs = zip(columns, sides, strict=True)
        return [(x, y(take(item))) for column, item in pairs for x in (column.left, column.right)]

    low, high = steps(lambda item: item.expected_p10_cny), steps(lambda item: item.expected_p90_cny)
    drawing.polygon([*low, *reversed(high)], f"f-{side} pale")
    drawing.polyline(steps(lambda item: item.expected_cny), f"l-{side} thick")
    previous: ReplaySide | None = None
    for column, item in zip(columns, sides, strict=True):
        if item.implied_value_cny is not None and not _same_market(previous, item):
            _market(drawing, column, item, y, row, side)
        if (previous is None or item.expected_cny != previous.expected_cny) and abs(item.expected_cny) >= LEAST_CNY:
            amount = wording.money(item.expected_cny).partition(wording.HARD_SPACE)[2]
            below = y(min(item.expected_p10_cny, item.expected_cny)) + 14
            drawing.text(column.left + 8, below, f"plan {amount}", f"ts c-{side} strong halo")
        previous = item


def _same_market(before: ReplaySide | None, item: ReplaySide) -> bool:
    return (
        before is not None
        and before.implied_value_cny == item.implied_value_cny
        and before.implied_low_cny == item.implied_low_cny
    )


def _market(
    drawing: Drawing, column: _Column, item: ReplaySide, y: Callable[[float], float], row: _Row, side: str
) -> None:
    x = column.right - 22
    value = item.implied_value_cny or 0.0
    low = item.implied_low_cny
    high = item.implied_high_cny
    top = row.top - 2 if high is None else y(high)
    bottom = row.bottom + 2 if low is None else y(low)
    drawing.line(x, top, x, bottom, f"l-{side} thin")
    for end, is_open, up in ((top, high is None, -1), (bottom, low is None, 1)):
        if is_open:
            drawing.polygon([(x - 4, end - 6 * up), (x + 4, end - 6 * up), (x, end)], f"f-{side}")
        else:
            drawing.line(x - 4, end, x + 4, end, f"l-{side} thin")
    drawing.circle(x, y(value), 4.5, f"l-{side} hollow")
    bound = f"{item.implied_bound} " if item.implied_bound in ("at least", "at most") else ""
    drawing.text(x - 9, y(value) - 5, f"{bound}{wording.fixed(value / BILLION, 1)}", f"ts c-{side} halo", "end")


def _questions(drawing: Drawing, columns: Sequence[_Column], row: _Row, result: ReplayResult) -> None:
    _row_name(drawing, row.top, "Next best question", ["what its answer", "is worth, or moves"])
    known = result.claims[0].known_on
    largest = max((item.joint_at_stake_cny for column in columns for item in column.step.questions), default=0.0)
    before: tuple[str, ...] = ()
    for column in columns:
        x, width = column.left + 8, column.right - column.left - 16
        if column.is_minor:
            continue
        if known is not None and column.step.date >= known:
            drawing.text(x, row.top, "answered", "t strong")
            continue
        asked = column.step.questions[:2]
        y = row.top
        for number, item in enumerate(asked):
            words = question_words(item)
            lines = wrapped(words, width, SMALL)[:2] if words not in before else ["same"]
            for line in lines:
                drawing.text(x, y, line, "ts strong" if number == 0 else "ts soft")
                y += 13
            length = width * item.joint_at_stake_cny / largest if largest else 0.0
            drawing.rect(x, y - 8, max(length, 1.0), 4, "f-ink" if number == 0 else "f-mute", radius=1)
            drawing.text(x, y + 10, worth_words(item), "ts soft")
            y += 28
        before = tuple(question_words(item) for item in asked)


def _footer(drawing: Drawing, result: ReplayResult, top: float) -> None:
    others = [item for item in result.claims[1:] if item.brier is not None]
    words = []
    for item in others:
        came = "came true" if item.happened else "did not come true"
        words.append(
            f"{item.claim.replace('-', ' ')} {came}, Brier {item.brier:.3f} (unmoved {item.brier_unmoved:.3f})"
        )
    if words:
        drawing.text(0, top, shortened("Also scored: " + "; ".join(words) + ".", WIDTH, SMALL), "ts")
    made = "one plan serves all" if result.plans == 1 else f"{result.plans} plans, one for each set of numbers"
    note = (
        f"Each day sees only what was known on it; {made}. Band: P10 to P90 over {result.draws:,} draws, times the "
        "probability. Paid: what the market put on the news. Columns are not to the scale of time."
    )
    drawing.text(0, top + 17, shortened(note, WIDTH, SMALL), "ts soft")


def _title(result: ReplayResult) -> str:
    return result.title


def _description(result: ReplayResult) -> str:
    steps = "; ".join(f"{wording.date(step.date)}: {_percent(step.probability)}" for step in result.steps)
    outcome = result.claims[0].happened
    ending = "" if outcome is None else f" In the end it {'happened' if outcome else 'did not happen'}."
    return f"Probability that the deal exists, day by day. {steps}.{ending}"


def replay_document(result: ReplayResult, run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the replay as one JSON object; its keys are the fields of the result."""
    from coachbuilder.report.jsonable import jsonable

    return {"replay": jsonable(result), "run": jsonable(run)}


def replay_text(result: ReplayResult) -> str:
    """Return the replay as lines for a terminal."""
    lines = [f"{result.title}, {result.first_date} to {result.last_date}", ""]
    for step in result.steps:
        bearing = _bearing(result, step) or step.entries[:1]
        said = ", ".join(entry.evidence for entry in bearing)
        rest = len(step.entries) - len(bearing)
        more = f" and {wording.plural(rest, 'entry', 'entries')} that bear on no claim scored" if rest else ""
        lines.append(f"{step.date}  {_percent(step.probability):>11}  {said}{more}")
        for side in step.sides:
            name = result.brand if side.side == "brand" else result.host
            paid = (
                "" if side.implied_value_cny is None else f"; the market paid {wording.money(side.implied_value_cny)}"
            )
            lines.append(f"    {name}: {wording.money(side.expected_cny)} expected{paid}")
        if step.questions:
            first = step.questions[0]
            lines.append(f"    ask first: {question_words(first)} ({worth_words(first)})")
    lines.append("")
    for item in result.claims:
        if item.brier is None or item.log_score is None:
            continue
        came = "came true" if item.happened else "did not come true"
        lines.append(
            f"{item.claim} {came} ({item.known_on}): Brier {item.brier:.4f}, log score {item.log_score:.4f}; "
            f"unmoved {item.brier_unmoved:.4f} and {item.log_score_unmoved:.4f}"
        )
    return "\n".join(lines).replace(wording.HARD_SPACE, " ")


__all__ = [
    "question_words",
    "replay_document",
    "replay_drawing",
    "replay_page",
    "replay_svg",
    "replay_text",
    "write_replay",
]
