"""``coachbuilder choice``: what buyers of a survey are ready to pay for what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coachbuilder.cli.root import Json, _print_json, app


@app.command()
def choice(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv", help="Choices, one row an alternative shown; .csv or .csv.gz.", show_default=False
        ),
    ],
    chosen: Annotated[str, typer.Option(metavar="COLUMN", help="1 for the alternative chosen, else 0.")],
    question: Annotated[str, typer.Option(metavar="COLUMN", help="Label of the question; its rows stand together.")],
    attributes: Annotated[str, typer.Option(metavar="A,B,C", help="Columns that buyers weigh.")],
    price: Annotated[str | None, typer.Option(metavar="COLUMN", help="Price; tells willingness to pay.")] = None,
    weights: Annotated[str | None, typer.Option(metavar="COLUMN", help="Weight of the question.")] = None,
    respondent: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Who answered: robust errors then go by respondent.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fit a logit to choices of a survey: coefficients, willingness to pay, errors, likelihood."""
    from coachbuilder.market.demand.choice import ChoiceError, fit_choices
    from coachbuilder.market.demand.choice_file import ChoiceColumns, read_choices
    from coachbuilder.programme import InputError, Problem
    from coachbuilder.report.choice_answer import choice_document, choice_text

    names = tuple(name.strip() for name in attributes.split(",") if name.strip())
    if not names:
        raise InputError([Problem("command line", "--attributes", "no column", "names of columns, such as hev,opCost")])
    data = read_choices(file, ChoiceColumns(chosen, question, names, price, weights, respondent))
    try:
        fit = fit_choices(data)
    except ChoiceError as error:
        expected = "choices from which each attribute's weight can be told"
        raise InputError([Problem(file.name, "--attributes", str(error), expected)]) from None
    if as_json:
        _print_json(choice_document(fit))
    else:
        typer.echo(choice_text(fit, price))
