"""The cars of a day as orders.csv or a database tells them, with every mistake told by line and column."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from coachbuilder.programme.errors import ProblemList, closest
from coachbuilder.programme.loading import csv_records
from coachbuilder.programme.places import PLACE_COLUMNS, check_places, places_in

LARGEST_ORDERS_BYTES = 32 * 1024 * 1024
"""A day has some thousand cars, a hundred kilobytes; more than this is some other file."""

MOST_CARS_PER_DAY = 20_000
"""Ten times the largest plants."""

COLUMNS = ("id", "day", "model", "colour", "options")
DAYS = ("previous", "today")


@dataclass(frozen=True, slots=True)
class Order:
    """A car that is to be built.

    Parameters
    ----------
    id
        Order number.
    previous_day
        True for a car already built the day before: it keeps its place and counts in the windows of the first cars.
    model
        Model.
    colour
        Colour.
    options
        Options with a rule that it has.
    line
        Line in the file, or row of the query's result, from 1.
    frozen
        True for a car at the head of the day whose place is fixed.
    withdrawn
        True for a car that is not built today.
    reason
        Why it is frozen, withdrawn, late or due; empty if nobody said.
    earliest_place, latest_place
        First and last place, from 1 among the cars built today, that it may take; ``None`` where it may take any.
    painted_place
        Its place, from 1, in the order in which the bodies come out of paint; ``None`` where that is not given.
    """

    id: str
    previous_day: bool
    model: str
    colour: str
    options: tuple[str, ...]
    line: int
    frozen: bool = False
    withdrawn: bool = False
    reason: str = ""
    earliest_place: int | None = None
    latest_place: int | None = None
    painted_place: int | None = None

    @property
    def built_today(self) -> bool:
        """True unless it was built the day before or is withdrawn."""
        return not (self.previous_day or self.withdrawn)


def read_orders(
    path: Path,
    model_ids: Sequence[str],
    option_ids: Sequence[str],
    colour_ids: Sequence[str],
    problems: ProblemList,
) -> tuple[Order, ...]:
    """Read a day's orders; mistakes are noted in ``problems`` rather than raised.

    Parameters
    ----------
    path
        The csv file with the columns id, day (``previous`` or ``today``; empty is today), model, colour and options,
        which are separated by semicolons. Cars of the previous day stand in the order in which they were built. It
        may have the columns of :mod:`coachbuilder.programme.places`: status, reason, earliest_place, latest_place and
        painted_place.
    model_ids, option_ids, colour_ids
        What the plant knows.
    problems
        Where mistakes are noted, under the file's own name.

    Returns
    -------
    tuple of Order
        Every line. If anything was noted the tuple is not to be used.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "orders.csv"
    ...     _ = file.write_text("id,day,model,colour,options" + chr(10) + "A1,today,suv,red,roof;tow" + chr(10))
    ...     problems = ProblemList("orders.csv")
    ...     (order,) = read_orders(file, ["suv"], ["roof", "tow"], ["red"], problems)
    >>> order.options, len(problems)
    (('roof', 'tow'), 0)
    """
    rows = csv_records(path, COLUMNS, PLACE_COLUMNS, problems, LARGEST_ORDERS_BYTES)
    return orders_of(rows, model_ids, option_ids, colour_ids, problems, path.name)


def orders_of(
    rows: Iterable[tuple[int, dict[str, str]]],
    model_ids: Sequence[str],
    option_ids: Sequence[str],
    colour_ids: Sequence[str],
    problems: ProblemList,
    file: str,
    *,
    place_of: Callable[[int], str] = "line {}".format,
) -> tuple[Order, ...]:
    """Return a day's orders from rows of text, wherever they were read; mistakes are noted in ``problems``.

    Parameters
    ----------
    rows
        Each row's number and its cells by column; those of :mod:`coachbuilder.programme.places` may be left out.
    model_ids, option_ids, colour_ids
        What the plant knows.
    problems
        Where mistakes are noted, under ``file`` with the row's number as line.
    file
        Name of the file.
    place_of
        How a row's number is said in a sentence.

    Examples
    --------
    >>> row = {"id": "A1", "day": "", "model": "suv", "colour": "red", "options": ""}
    >>> problems = ProblemList("orders.csv")
    >>> _ = orders_of([(2, row), (3, row)], ["suv"], [], ["red"], problems, "orders.csv")
    >>> print(*problems)
    orders.csv:3: id: found A1; expected an order once; line 2 has it
    """
    orders: list[Order] = []
    seen: dict[str, int] = {}
    before = len(problems)
    for line, row in rows:
        order = _order(row, line, (model_ids, colour_ids, option_ids), file, problems)
        if order.id and order.id in seen:
            problems.add("id", order.id, f"an order once; {place_of(seen[order.id])} has it", line=line, file=file)
        seen.setdefault(order.id, line)
        orders.append(order)
    cars = sum(order.built_today for order in orders)
    if not cars and len(problems) == before:
        problems.add("file", "no order of today", "at least one order to be built today", file=file)
    if cars > MOST_CARS_PER_DAY:
        problems.add("file", f"{cars} orders of today", f"at most {MOST_CARS_PER_DAY}", file=file)
    check_places(orders, file, problems, place_of=place_of)
    return tuple(orders)


def orders_fingerprint(orders: Iterable[Order]) -> str:
    """Return a text that tells two lists of orders apart, wherever in a file or a result they stand.

    Parameters
    ----------
    orders
        In their order, which counts.

    Examples
    --------
    >>> from dataclasses import replace
    >>> order = Order("A1", False, "suv", "red", ("roof",), 2)
    >>> orders_fingerprint([order]) == orders_fingerprint([replace(order, line=9)])
    True
    >>> orders_fingerprint([order]) == orders_fingerprint([replace(order, colour="blue")])
    False
    """
    digest = hashlib.sha256()
    for order in orders:
        cells = {name: value for name, value in asdict(order).items() if name != "line"}
        digest.update(json.dumps(cells, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def _order(row: dict[str, str], line: int, known: tuple[Sequence[str], ...], file: str, problems: ProblemList) -> Order:
    if not row["id"]:
        problems.add("id", "an empty cell", "an order number", line=line, file=file)
    if row["day"] and row["day"] not in DAYS:
        problems.add("day", row["day"], f"one of {', '.join(DAYS)}, or nothing for today", line=line, file=file)
    options = tuple(dict.fromkeys(part.strip() for part in row["options"].split(";") if part.strip()))
    cells = [("model", row["model"]), ("colour", row["colour"]), *(("options", option) for option in options)]
    allowed = dict(zip(("model", "colour", "options"), known, strict=True))
    for column, found in cells:
        if found not in allowed[column]:
            problems.add(
                column,
                found or "an empty cell",
                f"one of {', '.join(allowed[column]) or 'none: plant.toml has none'}",
                line=line,
                hint=closest(found, allowed[column]),
                file=file,
            )
    previous_day = row["day"] == "previous"
    places = places_in(row, line, file, problems, previous_day=previous_day)
    return Order(
        row["id"],
        previous_day,
        row["model"],
        row["colour"],
        options,
        line,
        frozen=places.frozen,
        withdrawn=places.withdrawn,
        reason=places.reason,
        earliest_place=places.earliest_place,
        latest_place=places.latest_place,
        painted_place=places.painted_place,
    )


__all__ = [
    "COLUMNS",
    "LARGEST_ORDERS_BYTES",
    "MOST_CARS_PER_DAY",
    "Order",
    "orders_fingerprint",
    "orders_of",
    "read_orders",
]
