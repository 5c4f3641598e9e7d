"""Places of a day's cars in the build order: frozen, withdrawn, late and due cars, and the order of painted bodies.

The columns are optional, and so is every cell:

- ``status``: ``frozen``, its place at the head of the day is fixed; ``withdrawn``, not built today.
- ``reason``: why, for people.
- ``earliest_place``: a late car, for a body or a part that comes late: not before this place.
- ``latest_place``: a due car: not after this place.
- ``painted_place``: its place in the order in which the bodies come out of paint; all of today's cars, or none.

Places count from 1 over the cars that are built today, so withdrawn cars take none.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coachbuilder.programme.errors import ProblemList, closest

if TYPE_CHECKING:
    from coachbuilder.programme.orders import Order

PLACE_COLUMNS = ("status", "reason", "earliest_place", "latest_place", "painted_place")
"""Columns that a file of orders may have."""

FROZEN, WITHDRAWN = "frozen", "withdrawn"
STATUSES = (FROZEN, WITHDRAWN)

LARGEST_PLACE = 1_000_000
"""More than any plant builds in a day."""

LONGEST_LIST = 8
"""Lines that a message names before it only counts them."""


@dataclass(frozen=True, slots=True)
class Places:
    """What one line says on its car's place; see :class:`coachbuilder.programme.orders.Order`."""

    frozen: bool
    withdrawn: bool
    reason: str
    earliest_place: int | None
    latest_place: int | None
    painted_place: int | None


def places_in(
    row: Mapping[str, str | None], line: int, file: str, problems: ProblemList, *, previous_day: bool
) -> Places:
    """Read the cells on a car's place; mistakes are noted in ``problems``.

    Parameters
    ----------
    row
        Cells by column; a column that is not there, and a cell that is empty, say nothing.
    line, file
        Where the row stands.
    problems
        Where mistakes are noted.
    previous_day
        True for a car of the day before, which is built and has no place any more.

    Examples
    --------
    >>> problems = ProblemList("orders.csv")
    >>> places_in({"earliest_place": "12"}, 2, "orders.csv", problems, previous_day=False).earliest_place
    12
    """
    cells = {name: (row.get(name) or "").strip() for name in PLACE_COLUMNS}
    status = cells["status"]
    if status and status not in STATUSES:
        problems.add(
            "status",
            status,
            f"{' or '.join(STATUSES)}, or nothing",
            line=line,
            hint=closest(status, STATUSES),
            file=file,
        )
    if previous_day:
        for name in PLACE_COLUMNS:
            if cells[name] and name != "reason":
                problems.add(name, cells[name], "nothing: a car of the day before is built", line=line, file=file)
        return Places(False, False, cells["reason"], None, None, None)
    earliest, latest, painted = (
        _place(name, cells[name], line, file, problems) for name in ("earliest_place", "latest_place", "painted_place")
    )
    if earliest is not None and latest is not None and earliest > latest:
        problems.add("latest_place", str(latest), f"earliest_place, which is {earliest}, or more", line=line, file=file)
    return Places(status == FROZEN, status == WITHDRAWN, cells["reason"], earliest, latest, painted)


def check_places(
    orders: Sequence[Order], file: str, problems: ProblemList, *, place_of: Callable[[int], str] = "line {}".format
) -> None:
    """Note what only shows when all cars are taken together: places that cannot all be had.

    A car frozen behind one that is not; a late car beyond the day; more cars between two places than there are places,
    found by Hall's condition on the intervals; painted places that are given for some cars only, or twice.

    Parameters
    ----------
    orders
        Every line.
    file
        Its name in messages.
    problems
        Where mistakes are noted; nothing is checked if lines of it have mistakes in these columns already.
    place_of
        How a row's number is said in a sentence.
    """
    if any(problem.field in PLACE_COLUMNS and problem.file == file for problem in problems):
        return
    today = [order for order in orders if order.built_today]
    _check_painted(today, file, problems, place_of)
    before = len(problems)
    frozen = _check_frozen(today, file, problems, place_of)
    for order in today:
        if order.earliest_place is not None and order.earliest_place > len(today):
            problems.add(
                "earliest_place",
                str(order.earliest_place),
                f"at most {len(today)}, the cars built today",
                line=order.line,
                file=file,
            )
        elif not order.frozen and order.latest_place is not None and order.latest_place <= frozen:
            problems.add(
                "latest_place",
                str(order.latest_place),
                f"more than {frozen}: the places up to there are frozen for other cars",
                line=order.line,
                file=file,
            )
    if len(problems) > before:
        return
    windows = [
        (place, place)
        if order.frozen
        else (max(order.earliest_place or 1, frozen + 1), min(order.latest_place or len(today), len(today)))
        for place, order in enumerate(today, start=1)
    ]
    crowded = crowded_places(windows)
    if crowded is not None:
        first, last = crowded
        inside = [
            order
            for order, (earliest, latest) in zip(today, windows, strict=True)
            if first <= earliest and latest <= last
        ]
        told = [order for order in inside if order.earliest_place is not None or order.latest_place is not None]
        named = [place_of(order.line) for order in told[:LONGEST_LIST]]
        if len(told) > LONGEST_LIST:
            named.append(f"{len(told) - LONGEST_LIST} more")
        problems.add(
            "earliest_place, latest_place",
            f"{len(inside)} cars that must all be built "
            + (f"at place {first}" if first == last else f"at the places {first} to {last}"),
            "at most 1 car there" if first == last else f"at most {last - first + 1} cars there",
            line=told[0].line if told else None,
            hint=f"places are set in {', '.join(named)}" if len(told) > 1 else "",
            file=file,
        )


def crowded_places(windows: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Return places that more cars must share than there are, or ``None`` if every car can have one of its own.

    The earliest due car first is a matching of cars to places whenever there is one (Glover 1967, convex bipartite
    graphs). Where it fails, Hall's condition fails on an interval that ends at the place which was missed.

    Parameters
    ----------
    windows
        First and last place that each car may take, from 1; as many places as cars, no window beyond them.

    Examples
    --------
    >>> crowded_places([(1, 2), (1, 3), (2, 2)]) is None
    True
    >>> crowded_places([(2, 3), (2, 3), (2, 3), (1, 4)])
    (2, 3)
    """
    by_earliest = sorted(windows)
    waiting: list[int] = []
    coming = 0
    missed = None
    for place in range(1, len(windows) + 1):
        while coming < len(by_earliest) and by_earliest[coming][0] <= place:
            heapq.heappush(waiting, by_earliest[coming][1])
            coming += 1
        if waiting and (latest := heapq.heappop(waiting)) < place:
            missed = latest
            break
    if missed is None and (waiting or coming < len(by_earliest)):
        missed = len(windows)
    if missed is None:
        return None
    inside = sorted((earliest for earliest, latest in windows if latest <= missed), reverse=True)
    for count, first in enumerate(inside, start=1):
        if count > missed - first + 1:
            return first, missed
    message = "unreachable: a missed place has too many cars before it"
    raise RuntimeError(message)


def _check_frozen(today: Sequence[Order], file: str, problems: ProblemList, place_of: Callable[[int], str]) -> int:
    """Return how many cars are frozen; note those that are not at the head, or whose own places exclude theirs."""
    first_free: Order | None = None
    for place, order in enumerate(today, start=1):
        if not order.frozen:
            first_free = first_free or order
            continue
        if first_free is not None:
            problems.add(
                "status",
                FROZEN,
                f"frozen cars at the head of the day; the one in {place_of(first_free.line)} before it is not",
                line=order.line,
                file=file,
            )
            continue
        for name, given, fits in (
            ("earliest_place", order.earliest_place, (order.earliest_place or place) <= place),
            ("latest_place", order.latest_place, (order.latest_place or place) >= place),
        ):
            if not fits:
                problems.add(
                    name, str(given), f"a place that suits {place}, where it is frozen", line=order.line, file=file
                )
    return sum(order.frozen for order in today)


def _check_painted(today: Sequence[Order], file: str, problems: ProblemList, place_of: Callable[[int], str]) -> None:
    given = [order for order in today if order.painted_place is not None]
    if not given:
        return
    for order in today:
        if order.painted_place is None:
            problems.add(
                "painted_place",
                "an empty cell",
                f"a place for every car built today, as in {place_of(given[0].line)}",
                line=order.line,
                file=file,
            )
    seen: dict[int, int] = {}
    for order in given:
        place = order.painted_place or 0
        if place in seen:
            problems.add(
                "painted_place", str(place), f"a place once; {place_of(seen[place])} has it", line=order.line, file=file
            )
        seen.setdefault(place, order.line)


def _place(name: str, cell: str, line: int, file: str, problems: ProblemList) -> int | None:
    if not cell:
        return None
    if re.fullmatch(r"[0-9]{1,9}", cell) and 1 <= int(cell) <= LARGEST_PLACE:
        return int(cell)
    problems.add(name, cell, f"a whole number from 1 to {LARGEST_PLACE}, or nothing", line=line, file=file)
    return None


__all__ = ["PLACE_COLUMNS", "STATUSES", "Places", "check_places", "crowded_places", "places_in"]
