"""Choices: the published figures of the car survey, and closed forms of the estimator."""

from __future__ import annotations

import csv
import gzip
import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from coachbuilder.cli import app
from coachbuilder.market.demand.choice import (
    ChoiceData,
    ChoiceError,
    ChoiceFit,
    Space,
    choice_data,
    fit_choices,
)
from coachbuilder.market.demand.choice_file import ChoiceColumns, read_choices
from coachbuilder.market.demand.logit import log_likelihood
from coachbuilder.programme.errors import InputError

# ---------------------------------------------------------------------------------------- the published survey


@pytest.fixture(scope="module")
def survey_file(shared_data: Path) -> Path:
    return shared_data / "market" / "choice" / "cars_us.csv.gz"


@pytest.fixture(scope="module")
def published(shared_data: Path) -> dict[str, Any]:
    return dict(json.loads((shared_data / "market" / "expected.json").read_text(encoding="utf-8"))["logitr_cars_us"])


@pytest.fixture(scope="module")
def columns(published: dict[str, Any]) -> ChoiceColumns:
    names = tuple(name for name in published["unweighted_wtp_kusd"] if name != "scalePar")
    return ChoiceColumns("choice", "obsnum", names, price="price", weights="weights", respondent="id")


@pytest.fixture(scope="module")
def survey(survey_file: Path, columns: ChoiceColumns) -> ChoiceData:
    return read_choices(survey_file, columns)


@pytest.fixture(scope="module")
def unweighted(survey: ChoiceData) -> ChoiceFit:
    return fit_choices(replace(survey, weight=None), Space.WILLINGNESS_TO_PAY)


def test_likelihood_at_the_published_estimates_is_the_published_one_to_every_digit(
    survey_file: Path, published: dict[str, Any]
) -> None:
    with gzip.open(survey_file, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    worth = dict(published["unweighted_wtp_kusd"])
    scale = worth.pop("scalePar")
    utility = [scale * (sum(worth[name] * float(row[name]) for name in worth) - float(row["price"])) for row in rows]
    found = log_likelihood(utility, [int(row["obsnum"]) for row in rows], [int(row["choice"]) for row in rows])
    assert round(found, 7) == published["ll_unweighted"]


def test_optimum_is_the_published_one_or_a_little_better(
    survey: ChoiceData, unweighted: ChoiceFit, published: dict[str, Any]
) -> None:
    """The published runs stopped short of the optimum, by 7e-8 and 6e-6 in the log-likelihood."""
    weighted = fit_choices(survey)
    assert 0 <= unweighted.log_likelihood - published["ll_unweighted"] < 1e-7
    assert 0 <= weighted.log_likelihood - published["ll_weighted"] < 1e-5
    assert (unweighted.questions, unweighted.respondents) == (published["n"], 384)


def test_willingness_to_pay_is_the_published_one_as_far_as_that_run_went(
    unweighted: ChoiceFit, published: dict[str, Any]
) -> None:
    for item in unweighted.estimates:
        told = published["unweighted_wtp_kusd"]["scalePar" if item.name == "scale" else item.name]
        # Nothing differs by more than a thousandth of its own standard error.
        assert item.value == pytest.approx(told, abs=2e-4)
        assert abs(item.value - told) < 1e-3 * item.standard_error
    assert round(unweighted.estimates[0].value, 6) == pytest.approx(0.073878)


def test_survey_is_fitted_well_under_a_second(survey: ChoiceData) -> None:
    fit_choices(survey)
    started = time.process_time()
    fit_choices(survey)
    assert time.process_time() - started < 1.0


# ------------------------------------------------------------------------------------------------- closed forms


def drawn(seed: int = 1, questions: int = 400, respondents: int = 40) -> ChoiceData:
    """Choices with known tastes, three alternatives a question."""
    rng = np.random.default_rng(seed)
    rows = 3 * questions
    attributes = np.column_stack([rng.integers(0, 2, rows), rng.uniform(200, 600, rows) / 100])
    price = rng.uniform(10, 40, rows)
    utility = 0.1 * (attributes @ [3.0, 4.0] - price) + rng.gumbel(size=rows)
    question = np.repeat(np.arange(questions), 3)
    chosen = (utility.reshape(-1, 3) == utility.reshape(-1, 3).max(axis=1)[:, None]).ravel()
    return choice_data(
        ["fast", "range"],
        attributes,
        question,
        chosen,
        price=price,
        weight=np.repeat(rng.uniform(0.5, 2, questions), 3),
        respondent=question // (questions // respondents),
    )


def likelihood_of(data: ChoiceData, parameters: np.ndarray, space: Space) -> float:
    assert data.price is not None
    assert data.weight is not None
    if space is Space.PREFERENCE:
        utility = data.attributes @ parameters[:-1] + data.price * parameters[-1]
    else:
        utility = parameters[0] * (data.attributes @ parameters[1:] - data.price)
    return log_likelihood(utility, data.question, data.is_chosen, data.weight[data.question])


@pytest.mark.parametrize("space", list(Space))
def test_standard_errors_are_those_of_the_numeric_hessian(space: Space) -> None:
    data = drawn()
    fit = fit_choices(data, space)
    at = np.array([item.value for item in fit.estimates])
    step = 1e-4 * np.array([item.standard_error for item in fit.estimates]) * 50
    size = at.size
    hessian = np.empty((size, size))
    for row in range(size):
        for column in range(size):
            moves = [np.eye(size)[row] * step * a + np.eye(size)[column] * step * b for a in (1, -1) for b in (1, -1)]
            plus, mixed, also, minus = (likelihood_of(data, at + move, space) for move in moves)
            hessian[row, column] = (plus - mixed - also + minus) / (4 * step[row] * step[column])
    assert fit.covariance == pytest.approx(np.linalg.inv(-hessian), rel=1e-3, abs=1e-9)
    slope = [
        (likelihood_of(data, at + move, space) - likelihood_of(data, at - move, space)) / (2 * np.abs(move).sum())
        for move in np.diag(step)
    ]
    assert np.abs(slope * step).max() < 1e-6


def test_both_spaces_have_one_optimum_and_errors_by_the_delta_method() -> None:
    data = drawn()
    preference, worth = fit_choices(data), fit_choices(data, Space.WILLINGNESS_TO_PAY)
    assert preference.log_likelihood == worth.log_likelihood
    values = np.array([item.value for item in preference.estimates])
    price = values[-1]
    for place, item in enumerate(worth.estimates[1:]):
        assert item.value == pytest.approx(-values[place] / price, rel=1e-12)
        gradient = np.zeros(values.size)
        gradient[place], gradient[-1] = -1 / price, values[place] / price**2
        for covariance, error in (
            (preference.covariance, item.standard_error),
            (preference.robust_covariance, item.robust_error),
        ):
            assert error == pytest.approx(math.sqrt(gradient @ covariance @ gradient), rel=1e-6)
    assert worth.estimates[1:] == preference.willingness_to_pay


def test_estimates_lie_about_the_tastes_that_made_the_choices() -> None:
    data = replace(drawn(seed=3, questions=20_000, respondents=200), weight=None)
    fit = fit_choices(data, Space.WILLINGNESS_TO_PAY)
    for item, truth in zip(fit.estimates, (0.1, 3.0, 4.0), strict=True):
        assert abs(item.value - truth) < 3.5 * item.standard_error
        # Answers are independent here, so that both errors estimate the same thing.
        assert item.robust_error == pytest.approx(item.standard_error, rel=0.2)


def test_asking_everybody_twice_halves_the_variance_only_if_answers_are_taken_as_independent() -> None:
    once = replace(drawn(), weight=None)
    assert once.respondent is not None
    assert once.price is not None
    twice = ChoiceData(
        names=once.names,
        attributes=np.tile(once.attributes, (2, 1)),
        question=np.concatenate([once.question, once.question + once.questions_count]),
        is_chosen=np.tile(once.is_chosen, 2),
        price=np.tile(once.price, 2),
        respondent=np.tile(once.respondent, 2),
    )
    base, doubled = fit_choices(once), fit_choices(twice)
    assert doubled.covariance == pytest.approx(base.covariance / 2, rel=1e-6)
    assert doubled.robust_covariance == pytest.approx(base.robust_covariance, rel=1e-6)


def test_whole_weights_count_as_that_many_questions() -> None:
    base = replace(drawn(questions=60, respondents=6), respondent=None)
    assert base.price is not None
    times = np.tile([1, 2, 3], 20)
    rows = np.concatenate([np.tile(np.arange(3) + 3 * place, count) for place, count in enumerate(times)])
    spread_out = ChoiceData(
        names=base.names,
        attributes=base.attributes[rows],
        question=np.repeat(np.arange(times.sum()), 3),
        is_chosen=base.is_chosen[rows],
        price=base.price[rows],
    )
    weighted, repeated = fit_choices(replace(base, weight=times.astype(float))), fit_choices(spread_out)
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-12)
    assert [item.value for item in weighted.estimates] == pytest.approx(
        [item.value for item in repeated.estimates], rel=1e-9
    )
    assert weighted.covariance == pytest.approx(repeated.covariance, rel=1e-9)


def small(attributes: list[list[float]], chosen: list[int], price: list[float] | None = None) -> ChoiceData:
    question = np.repeat(np.arange(len(chosen) // 2), 2)
    return choice_data([f"a{place}" for place in range(len(attributes[0]))], attributes, question, chosen, price=price)


@pytest.mark.parametrize(
    ("attributes", "chosen", "message"),
    [
        ([[1.0], [0.0], [1.0], [0.0]], [1, 0, 1, 0], "without error"),
        ([[1.0], [1.0], [2.0], [2.0]], [1, 0, 0, 1], "do not vary within questions"),
        ([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0], [1.0, 2.0]], [1, 0, 1, 0], "a combination of others"),
    ],
)
def test_choices_that_tell_nothing_are_refused_with_the_reason(
    attributes: list[list[float]], chosen: list[int], message: str
) -> None:
    with pytest.raises(ChoiceError, match=message):
        fit_choices(small(attributes, chosen))


def test_willingness_to_pay_needs_a_price_that_buyers_dislike() -> None:
    attributes, chosen = [[1.0], [0.0], [1.0], [0.0], [0.0], [1.0]], [1, 0, 0, 1, 1, 0]
    with pytest.raises(ChoiceError, match="needs a price"):
        fit_choices(small(attributes, chosen), Space.WILLINGNESS_TO_PAY)
    prices = [10.0, 5.0, 5.0, 10.0, 5.0, 10.0, 12.0, 3.0, 1.0, 2.0]
    liked = small([*attributes, [1.0], [1.0], [0.0], [0.0]], [*chosen, 1, 0, 1, 0], prices)
    assert fit_choices(liked).willingness_to_pay == ()
    with pytest.raises(ChoiceError, match="like a higher price"):
        fit_choices(liked, Space.WILLINGNESS_TO_PAY)


# ------------------------------------------------------------------------------------------- file and command

GOOD = "who,q,pick,fast,price,w\na,1,1,1,20,1\na,1,0,0,10,1\na,2,0,1,30,2\na,2,1,0,10,2\nb,1,1,1,15,1\nb,1,0,0,14,1\n"
GOOD += "b,2,0,1,19,1\nb,2,1,0,22,1\n"
OPTIONS = ["--chosen", "pick", "--question", "q", "--attributes", "fast", "--price", "price", "--respondent", "who"]


def test_command_prints_the_fit_as_text_and_as_json(tmp_path: Path) -> None:
    file = tmp_path / "choices.csv"
    file.write_text(GOOD, encoding="utf-8")
    told = CliRunner().invoke(app, ["choice", str(file), *OPTIONS])
    assert told.exit_code == 0, told.output
    assert "4 questions of 2 respondents" in told.output
    printed = CliRunner().invoke(app, ["choice", str(file), *OPTIONS, "--weights", "w", "--json"])
    answer = json.loads(printed.output)
    fit = fit_choices(read_choices(file, ChoiceColumns("pick", "q", ("fast",), "price", "w", "who")))
    assert answer["log_likelihood"] == fit.log_likelihood
    assert answer["coefficients"]["price"]["value"] == fit.estimates[1].value
    assert answer["willingness_to_pay"]["fast"]["robust_error"] == fit.willingness_to_pay[0].robust_error


@pytest.mark.parametrize(
    ("change", "place", "expected"),
    [
        (("1,1,20", "1,fast,20"), "choices.csv:2: fast: found fast", "a number"),
        (("1,1,20", "2,1,20"), "choices.csv:2: pick: found 2", "0 or 1"),
        (("1,1,20", "0,1,20"), "choices.csv:2: pick: found 0 alternatives chosen in question 1", "one, marked 1"),
        (("b,2,0", "b,3,0"), "choices.csv:8: pick: found 0 alternatives", "one, marked 1"),
        (("a,2,0,1,30,2", "a,2,0,1,30,3"), "choices.csv:5: w: found 2", "the weight of the question's other rows"),
        (("a,2,0,1,30,2", "a,2,0,1,30"), "choices.csv:4: row: found 5 cells", "6 cells"),
        (("b,2,1", "a,1,1"), "choices.csv:9: q: found 1, after line 3", "the rows of a question together"),
        (("who,q,pick", "who,q,picked"), "choices.csv:1: pick: found no such column", "did you mean picked"),
        (("b,1,1,1,15,1", "b,1,1,1,15,-1"), "choices.csv:6: w: found -1", "a weight above 0"),
    ],
)
def test_mistakes_are_told_by_line_and_column(
    tmp_path: Path, change: tuple[str, str], place: str, expected: str
) -> None:
    file = tmp_path / "choices.csv"
    file.write_text(GOOD.replace(*change, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_choices(file, ChoiceColumns("pick", "q", ("fast",), "price", "w", "who"))
    told = "\n".join(map(str, caught.value.problems))
    assert any(place in line and expected in line for line in told.splitlines()), told


@pytest.mark.parametrize(
    "content", [None, b"", b"who,q\n", b"\xff\xfe\x00", b"q,pick,fast\n", b'q,pick,fast\n1,"1,2\n']
)
def test_files_that_hold_no_choices_are_refused_without_a_traceback(tmp_path: Path, content: bytes | None) -> None:
    for name in ("choices.csv", "choices.csv.gz"):
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(InputError):
            read_choices(file, ChoiceColumns("pick", "q", ("fast",)))


def test_command_tells_what_cannot_be_estimated(tmp_path: Path) -> None:
    file = tmp_path / "choices.csv"
    file.write_text("q,pick,fast\n1,1,1\n1,0,0\n2,1,1\n2,0,0\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["choice", str(file), *OPTIONS[:6]])
    assert isinstance(result.exception, InputError)
    assert "without error" in str(result.exception)
