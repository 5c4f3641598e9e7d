"""Estimation of a logit from observed choices: what buyers of a survey, or of a market, are ready to pay for what.

A respondent sees the alternatives of a question and chooses one. In preference space the utility of an alternative is
``coefficients @ attributes``. In willingness-to-pay space it is ``scale * (worth @ attributes - price)``, so that the
estimated numbers are money; both have the same likelihood (Train and Weeks, in Applications of Simulation Methods in
Environmental and Resource Economics, 2005). The log-likelihood is concave in preference space (McFadden 1974), so that
one optimum is the optimum; gradient and Hessian are analytic in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LARGEST_GAIN = 1e-12
"""At the optimum another Newton step would raise the log-likelihood by less than this."""
MOST_STEPS = 200
FLAT = 1e-5
"""Curvature at the optimum over that at equal chances below which the choices are certain: no finite optimum."""


class Space(StrEnum):
    """What the estimated numbers are."""

    PREFERENCE = "preference"
    WILLINGNESS_TO_PAY = "wtp"


@dataclass(frozen=True, slots=True)
class ChoiceData:
    """Choices made among alternatives; rows are alternatives shown.

    Parameters
    ----------
    names
        Names of the attributes.
    attributes
        Shape (rows, attributes).
    question
        Number of the question that a row belongs to, from 0 on, rows of a question together, shape (rows,).
    is_chosen
        True for the alternative chosen, one a question, shape (rows,).
    price
        Price of each alternative, shape (rows,); needed for willingness to pay.
    weight
        Weight of each question, shape (questions,).
    respondent
        Number of the respondent who answered it, shape (questions,); errors may go together within one.
    """

    names: tuple[str, ...]
    attributes: Floats
    question: NDArray[np.int64]
    is_chosen: NDArray[np.bool_]
    price: Floats | None = None
    weight: Floats | None = None
    respondent: NDArray[np.int64] | None = None

    @property
    def questions_count(self) -> int:
        """How many questions were answered."""
        return int(self.question[-1]) + 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimated number."""

    name: str
    """Attribute, or ``price`` or ``scale``."""
    value: float
    """The estimate."""
    standard_error: float
    """From the inverse of the Hessian."""
    robust_error: float
    """From the sandwich of Hessian and scores, summed by respondent where they are told; valid where tastes differ
    among respondents or weights are used."""

    @property
    def z(self) -> float:
        """The estimate over its robust error."""
        return self.value / self.robust_error if self.robust_error > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class ChoiceFit:
    """A logit fitted to choices."""

    space: Space
    """What ``estimates`` are."""
    estimates: tuple[Estimate, ...]
    """Coefficients by attribute and that of the price last; in willingness-to-pay space the scale first."""
    willingness_to_pay: tuple[Estimate, ...]
    """What one unit of each attribute is worth in units of the price; empty without a price."""
    log_likelihood: float
    """Weighted log-likelihood at the optimum."""
    null_log_likelihood: float
    """That of equal chances within each question."""
    mcfadden_r2: float
    """1 less the ratio of the two."""
    questions: int
    """Questions answered."""
    respondents: int | None
    """Respondents, if they are told."""
    steps: int
    """Steps of the optimiser."""
    covariance: Floats
    """Of ``estimates``, from the Hessian."""
    robust_covariance: Floats
    """Of ``estimates``, from the sandwich."""


class ChoiceError(ValueError):
    """Choices from which no estimate can be had; the message says why."""


def fit_choices(data: ChoiceData, space: Space = Space.PREFERENCE) -> ChoiceFit:
    """Return the logit of greatest likelihood.

    Parameters
    ----------
    data
        The choices.
    space
        Whether the estimates are coefficients or willingness to pay. The optimum is the same; in either space the
        willingness to pay is told, with errors that are first-order equal.

    Raises
    ------
    ChoiceError
        If attributes are constant within all questions or combinations of others, or if they tell the choices apart
        without error, so that no finite optimum exists; or if willingness to pay is asked without a price, or with
        one that buyers like.

    Examples
    --------
    Of four buyers three take the car of the longer range; the odds are 3, whose logarithm is 1.0986:

    >>> data = ChoiceData(
    ...     names=("long_range",),
    ...     attributes=np.array([[1.0], [0.0]] * 4),
    ...     question=np.repeat(np.arange(4), 2),
    ...     is_chosen=np.array([1, 0, 1, 0, 1, 0, 0, 1], dtype=bool),
    ... )
    >>> round(fit_choices(data).estimates[0].value, 4)
    1.0986
    """
    if space is Space.WILLINGNESS_TO_PAY and data.price is None:
        message = "willingness to pay needs a price"
        raise ChoiceError(message)
    model = _Model(data)
    coefficients, steps = model.maximise()
    names = list(data.names) if data.price is None else [*data.names, "price"]
    matrices = model.covariances(coefficients, Space.PREFERENCE)
    estimates = _estimates(names, coefficients, *matrices)
    paid: tuple[Estimate, ...] = ()
    if data.price is not None:
        scale = -float(coefficients[-1])
        if scale > 0:
            worth = np.concatenate([[scale], coefficients[:-1] / scale])
            in_money = model.covariances(worth, Space.WILLINGNESS_TO_PAY)
            told = _estimates(["scale", *data.names], worth, *in_money)
            paid = told[1:]
            if space is Space.WILLINGNESS_TO_PAY:
                estimates, matrices = told, in_money
        elif space is Space.WILLINGNESS_TO_PAY:
            message = f"buyers like a higher price (coefficient {-scale:.4g}), so that nothing is worth money to them"
            raise ChoiceError(message)
    likelihood = model.log_likelihood(coefficients)
    null = model.log_likelihood(np.zeros_like(coefficients))
    return ChoiceFit(
        space=space,
        estimates=estimates,
        willingness_to_pay=paid,
        log_likelihood=likelihood,
        null_log_likelihood=null,
        mcfadden_r2=1.0 - likelihood / null,
        questions=data.questions_count,
        respondents=None if data.respondent is None else int(np.unique(data.respondent).size),
        steps=steps,
        covariance=matrices[0],
        robust_covariance=matrices[1],
    )


def _estimates(
    names: Sequence[str], values: Floats, covariance: Floats, robust_covariance: Floats
) -> tuple[Estimate, ...]:
    return tuple(
        Estimate(name, float(value), float(error), float(robust))
        for name, value, error, robust in zip(
            names, values, np.sqrt(np.diag(covariance)), np.sqrt(np.diag(robust_covariance)), strict=True
        )
    )


class _Model:
    """The likelihood of a set of choices, with its derivatives, in either space."""

    def __init__(self, data: ChoiceData) -> None:
        self._attributes = data.attributes
        self._price = data.price
        self._design = data.attributes if data.price is None else np.column_stack([data.attributes, data.price])
        self._chosen = data.is_chosen.astype(float)
        self._of_row = data.question
        self._starts = np.flatnonzero(np.diff(data.question, prepend=-1))
        weight = np.ones(data.questions_count) if data.weight is None else data.weight
        self._row_weight = weight[data.question]
        self._weight = weight
        self._respondent = data.respondent

    def log_likelihood(self, coefficients: Floats) -> float:
        """Return the weighted log-likelihood at coefficients of preference space."""
        return self._likelihood(self._design @ coefficients)[0]

    def maximise(self) -> tuple[Floats, int]:
        """Return the coefficients of greatest likelihood and the steps that it took."""
        from scipy.optimize import minimize

        within = self._design - self._mean_within(self._design, 1.0 / self._counts()[self._of_row])
        spread = np.sqrt((within**2 * self._row_weight[:, None]).sum(axis=0) / self._row_weight.sum())
        within = within / np.where(spread > 0, spread, 1.0)
        if np.any(spread == 0) or np.linalg.matrix_rank(within.T @ within, hermitian=True) < len(spread):
            message = "attributes that do not vary within questions, or of which one is a combination of others"
            raise ChoiceError(message)
        design = self._design / spread
        total = self._weight.sum()

        def loss(scaled: Floats) -> tuple[float, Floats]:
            likelihood, probability = self._likelihood(design @ scaled)
            residual = self._row_weight * (self._chosen - probability)
            return -likelihood / total, -(design.T @ residual) / total

        def curvature(scaled: Floats) -> Floats:
            probability = self._likelihood(design @ scaled)[1]
            information: Floats = self._information(design, probability) / total
            return information

        separated = "attributes that tell the choices apart without error, so that no finite optimum exists"
        try:
            found = minimize(
                loss,
                np.zeros(len(spread)),
                jac=True,
                hess=curvature,
                method="trust-exact",
                options={"gtol": 1e-9, "maxiter": MOST_STEPS},
            )
            # The last step is Newton's, for what is left is below what the optimiser sees in the likelihood itself.
            last: Floats = curvature(found.x)
            scaled: Floats = found.x - np.linalg.solve(last, loss(found.x)[1])
            slope = loss(scaled)[1]
            gain = float(slope @ np.linalg.solve(last, slope)) * total
            flattened = np.linalg.eigvals(np.linalg.solve(curvature(np.zeros(len(spread))), last)).real.min()
        except np.linalg.LinAlgError:
            raise ChoiceError(separated) from None
        if not gain < LARGEST_GAIN or flattened < FLAT:
            raise ChoiceError(separated)
        return scaled / spread, int(found.nit)

    def covariances(self, parameters: Floats, space: Space) -> tuple[Floats, Floats]:
        """Return the covariance of estimates from the Hessian and from the sandwich.

        The sandwich is that of Huber and White; sums of scores over a respondent allow for answers that go together,
        without a correction for few of them.
        """
        if space is Space.PREFERENCE:
            slope = self._design
            probability = self._likelihood(self._design @ parameters)[1]
            hessian = self._information(slope, probability)
        else:
            assert self._price is not None
            scale, worth = parameters[0], parameters[1:]
            net = self._attributes @ worth - self._price
            slope = np.column_stack([net, scale * self._attributes])
            probability = self._likelihood(scale * net)[1]
            hessian = self._information(slope, probability)
            residual = self._row_weight * (self._chosen - probability)
            mixed = self._attributes.T @ residual
            hessian[0, 1:] -= mixed
            hessian[1:, 0] -= mixed
        each = slope * (self._row_weight * (self._chosen - probability))[:, None]
        scores = np.add.reduceat(each, self._starts, axis=0)
        if self._respondent is not None:
            _, number = np.unique(self._respondent, return_inverse=True)
            summed = np.zeros((int(number.max()) + 1, scores.shape[1]))
            np.add.at(summed, number, scores)
            scores = summed
        inverse: Floats = np.linalg.inv(hessian).astype(np.float64)
        robust: Floats = inverse @ (scores.T @ scores) @ inverse
        return inverse, robust

    def _counts(self) -> Floats:
        return np.diff(np.append(self._starts, len(self._of_row))).astype(float)

    def _likelihood(self, utility: Floats) -> tuple[float, Floats]:
        """Return the weighted log-likelihood and each alternative's probability."""
        top = np.maximum.reduceat(utility, self._starts)
        shifted = utility - top[self._of_row]
        odds = np.exp(shifted)
        total = np.add.reduceat(odds, self._starts)
        log_probability = shifted - np.log(total)[self._of_row]
        likelihood = (self._row_weight * self._chosen * log_probability).sum()
        return float(likelihood), odds / total[self._of_row]

    def _mean_within(self, design: Floats, probability: Floats) -> Floats:
        """Return, for each row, the mean of its question's rows."""
        means: Floats = np.add.reduceat(design * probability[:, None], self._starts, axis=0)[self._of_row]
        return means

    def _information(self, slope: Floats, probability: Floats) -> Floats:
        """Return the weighted sum over questions of the covariance of the slopes within them."""
        deviation = slope - self._mean_within(slope, probability)
        information: Floats = deviation.T @ (deviation * (self._row_weight * probability)[:, None])
        return information


def choice_data(
    names: Sequence[str],
    attributes: ArrayLike,
    question: ArrayLike,
    is_chosen: ArrayLike,
    *,
    price: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    respondent: ArrayLike | None = None,
) -> ChoiceData:
    """Return choices from plain columns, one row an alternative; rows of a question stand together.

    Parameters
    ----------
    names
        Names of the attributes.
    attributes
        Shape (rows, attributes).
    question
        Any label of the question of each row.
    is_chosen
        1 for the alternative chosen, else 0.
    price, weight, respondent
        Columns of the same length; weight and respondent of a question are those of its first row.

    Raises
    ------
    ChoiceError
        If a question has no choice, or more than one.

    Examples
    --------
    >>> choice_data(["range_km"], [[300], [400]], ["q", "q"], [0, 1]).questions_count
    1
    """
    labels = np.asarray(question)
    first = np.concatenate([[True], labels[1:] != labels[:-1]])
    starts = np.flatnonzero(first)
    number = np.cumsum(first) - 1
    chosen = np.asarray(is_chosen).astype(bool)
    choices = np.add.reduceat(chosen.astype(int), starts)
    if np.any(choices != 1):
        place = int(np.flatnonzero(choices != 1)[0])
        message = f"question {labels[starts[place]]} has {choices[place]} alternatives chosen, not one"
        raise ChoiceError(message)
    people = None if respondent is None else np.unique(np.asarray(respondent), return_inverse=True)[1][starts]
    return ChoiceData(
        names=tuple(names),
        attributes=np.asarray(attributes, dtype=float),
        question=number.astype(np.int64),
        is_chosen=chosen,
        price=None if price is None else np.asarray(price, dtype=float),
        weight=None if weight is None else np.asarray(weight, dtype=float)[starts],
        respondent=None if people is None else people.astype(np.int64),
    )
