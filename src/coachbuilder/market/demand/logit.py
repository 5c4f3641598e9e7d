"""The multinomial logit: choice shares, their inversion, and the likelihood of choices.

The inversion of market shares into utilities is Berry's (RAND Journal of Economics 25, 1994, pages 242-262): with an
outside good of utility 0, the utility of a good is the logarithm of its share over the outside good's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def choice_shares(utility: ArrayLike, outside_utility: ArrayLike = 0.0) -> tuple[Floats, Floats]:
    """Return the share of every good and that of the outside good.

    Parameters
    ----------
    utility
        Utilities, goods along the last axis.
    outside_utility
        Utility of the outside good, of the shape that remains without the last axis.

    Returns
    -------
    shares, outside_share
        Of the shapes of ``utility`` and ``outside_utility``; together they sum to 1.

    Examples
    --------
    >>> shares, outside = choice_shares([0.0, np.log(2.0)])
    >>> shares.round(3).tolist(), round(float(outside), 3)
    ([0.25, 0.5], 0.25)
    """
    utilities = np.asarray(utility, dtype=float)
    outside = np.asarray(outside_utility, dtype=float)
    top = np.maximum(utilities.max(axis=-1), outside)
    weights = np.exp(utilities - top[..., None])
    outside_weight = np.exp(outside - top)
    total = weights.sum(axis=-1) + outside_weight
    return weights / total[..., None], outside_weight / total


def invert_shares(shares: ArrayLike) -> Floats:
    """Return the utilities, against an outside good of utility 0, that give these shares.

    Parameters
    ----------
    shares
        Shares above 0, goods along the last axis, summing to less than 1.

    Raises
    ------
    ValueError
        If a share is not above 0 or they leave nothing for the outside good.

    Examples
    --------
    >>> invert_shares([0.25, 0.5]).round(6).tolist()
    [0.0, 0.693147]
    """
    given = np.asarray(shares, dtype=float)
    outside = 1.0 - given.sum(axis=-1, keepdims=True)
    if not (np.all(given > 0) and np.all(outside > 0)):
        message = "shares must be above 0 and sum to less than 1"
        raise ValueError(message)
    utility: Floats = np.log(given) - np.log(outside)
    return utility


def log_likelihood(utility: ArrayLike, question: ArrayLike, is_chosen: ArrayLike, weight: ArrayLike = 1.0) -> float:
    """Return the log-likelihood of observed choices, each among the alternatives of its own question.

    Parameters
    ----------
    utility
        Utility of each alternative shown, shape (n,).
    question
        Choice question that it belongs to, shape (n,); alternatives of a question stand together.
    is_chosen
        1 for the alternative chosen, else 0, shape (n,).
    weight
        Weight of each alternative's question, shape (n,) or a number.

    Examples
    --------
    >>> round(log_likelihood([0.0, 0.0, 1.0, 1.0], [1, 1, 2, 2], [1, 0, 0, 1]), 6)
    -1.386294
    """
    utilities = np.asarray(utility, dtype=float)
    labels = np.asarray(question)
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))
    counts = np.diff(np.append(starts, labels.size))
    top = np.maximum.reduceat(utilities, starts)
    log_total = np.log(np.add.reduceat(np.exp(utilities - np.repeat(top, counts)), starts)) + top
    each = (utilities - np.repeat(log_total, counts)) * np.asarray(weight, dtype=float)
    return float(each[np.asarray(is_chosen).astype(bool)].sum())
