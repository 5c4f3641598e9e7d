"""coachbuilder event-study: how shares took news, on a table of prices, without a programme."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coachbuilder.cli.root import Json, _print_json, app

if TYPE_CHECKING:
    from coachbuilder.market.announcement.study import EstimationDays, Window
    from coachbuilder.programme.errors import ProblemList

COMMAND_LINE = "command line"


class Model(StrEnum):
    """Models of expected returns."""

    MARKET = "market"
    MARKET_ADJUSTED = "market-adjusted"
    MEAN_ADJUSTED = "mean-adjusted"
    FACTORS = "factors"


class Gaps(StrEnum):
    """What becomes of returns over days without price."""

    SPAN = "span"
    LEAVE_OUT = "leave-out"


@app.command("event-study")
def event_study(
    prices: Annotated[
        Path,
        typer.Argument(
            metavar="PRICES.csv", help="A table: date, then one column a share or index.", show_default=False
        ),
    ],
    event: Annotated[
        list[str], typer.Option(metavar="DATE", help="Day on which the news became known; again for more events.")
    ],
    estimation: Annotated[
        str,
        typer.Option(
            metavar="FIRST:LAST",
            help="Estimation window: two dates, days relative to the first event (-140:-21), or 120:2021-02-26 for "
            "120 days up to a date.",
        ),
    ],
    market: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="The market's prices; SHARE=COLUMN for one share.")
    ] = None,
    window: Annotated[
        list[str] | None,
        typer.Option(metavar="FIRST:LAST", help="Event days to cumulate, such as -1:1; 0:0 unless told."),
    ] = None,
    model: Annotated[Model, typer.Option(help="What returns are expected.")] = Model.MARKET,
    share: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Shares to study; all other columns unless told.")
    ] = None,
    factor: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Returns that the model factors regresses on.")
    ] = None,
    risk_free: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Risk-free returns, taken off shares and market.")
    ] = None,
    limit: Annotated[
        list[str] | None, typer.Option(metavar="SHARE", help="Daily price limit, such as 0.1; SHARE=0.1 for one share.")
    ] = None,
    twin: Annotated[
        list[str] | None,
        typer.Option(metavar="SHARE=TWIN", help="The same firm's share without limit, as control of one with."),
    ] = None,
    continuous: Annotated[bool, typer.Option("--continuous", help="Logarithmic returns.")] = False,
    gaps: Annotated[Gaps, typer.Option(help="Returns over days without price.")] = Gaps.SPAN,
    as_json: Json = False,
) -> None:
    """How did shares take the news: abnormal returns, tests, price limits."""
    from coachbuilder.market.announcement.event_study import ReturnModel
    from coachbuilder.market.announcement.study import StudySettings, Window
    from coachbuilder.market.announcement.study import event_study as study
    from coachbuilder.market.announcement.wide_prices import read_wide_prices
    from coachbuilder.programme.errors import ProblemList
    from coachbuilder.report import event_study_text, jsonable

    problems = ProblemList(COMMAND_LINE)
    for_all, by_share = _named(market or (), "--market", problems)
    limit_for_all, limits = _named(limit or (), "--limit", problems)
    twin_for_all, twins = _named(twin or (), "--twin", problems)
    if twin_for_all is not None:
        problems.add("--twin", twin_for_all, "SHARE=TWIN, both columns of the table")
    days = [found for text in event if (found := _day(text, "--event", problems)) is not None]
    over = [span for text in window or () if (span := _window(text, problems)) is not None]
    estimated = _estimation(estimation, problems)
    largest = {name: _share_of(text, problems) for name, text in limits.items()}
    largest_for_all = None if limit_for_all is None else _share_of(limit_for_all, problems)
    table = read_wide_prices(prices, problems)
    problems.raise_if_any()
    assert table is not None
    assert estimated is not None
    result = study(
        table,
        StudySettings(
            events=tuple(sorted(days)),
            estimation=estimated,
            windows=tuple(dict.fromkeys(over)) or (Window(0, 0),),
            model=ReturnModel(model),
            market=for_all,
            markets=by_share,
            shares=tuple(dict.fromkeys(share or ())),
            factors=tuple(dict.fromkeys(factor or ())),
            risk_free=risk_free,
            limit=largest_for_all,
            limits=largest,
            twins=twins,
            is_continuous=continuous,
            spans_gaps=gaps is Gaps.SPAN,
        ),
    )
    if as_json:
        _print_json(jsonable(result))
        return
    typer.echo(event_study_text(result))


def _named(texts: Sequence[str], option: str, problems: ProblemList) -> tuple[str | None, dict[str, str]]:
    """Return what is said for all shares, and what for one by SHARE=VALUE."""
    for_all: str | None = None
    by_share: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not equals:
            if for_all is not None:
                problems.add(option, f"{for_all} and {text}", "one for all shares; SHARE=VALUE for one of them")
            for_all = text
        elif not name or not value or name in by_share:
            problems.add(option, text, "SHARE=VALUE, each share once")
        else:
            by_share[name] = value
    return for_all, by_share


def _day(text: str, option: str, problems: ProblemList) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        problems.add(option, text, "a date such as 2021-03-26")
        return None


def _window(text: str, problems: ProblemList) -> Window | None:
    from coachbuilder.market.announcement.study import Window

    first, _, last = text.partition(":")
    try:
        found = Window(int(first), int(last))
    except ValueError:
        found = Window(1, 0)
    if not -LONGEST_WINDOW <= found.first <= found.last <= LONGEST_WINDOW:
        problems.add("--window", text, f"two days such as -1:1, at most {LONGEST_WINDOW} from the event")
        return None
    return found


LONGEST_WINDOW = 250
"""A year of trading days."""


def _estimation(text: str, problems: ProblemList) -> EstimationDays | None:
    from coachbuilder.market.announcement.study import EstimationDays

    found: list[dt.date | int] = []
    for part in text.split(":"):
        try:
            found.append(int(part) if part.lstrip("-").isdigit() else dt.date.fromisoformat(part))
        except ValueError:
            break
    if len(found) != 2 or (isinstance(found[0], dt.date) and not isinstance(found[1], dt.date)):
        expected = "two dates, two days relative to the first event, or a number of days and a date, with : between"
        problems.add("--estimation", text, expected)
        return None
    if type(found[0]) is type(found[1]) and found[0] > found[1]:  # type: ignore[operator]
        problems.add("--estimation", text, "the first day before the last")
        return None
    return EstimationDays(found[0], found[1])


def _share_of(text: str, problems: ProblemList) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1.0:
        problems.add("--limit", text, "a fraction such as 0.1; 0 for none")
        return 0.0
    return value
