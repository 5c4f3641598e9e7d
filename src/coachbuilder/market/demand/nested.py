"""The nested logit with one nest: choice shares, their inversion, and elasticities, all in closed form.

Goods of the nest (electric cars) are nearer to each other than to the goods outside it and to the outside good, whose
utility is 0 unless told. The nest parameter ``sigma`` is the correlation of tastes within the nest: 0 is the plain
logit, towards 1 buyers only choose among the cars of the nest. With ``s`` the share of all buyers and ``s_in_nest``
that of the nest's buyers, the inversion is Berry's (RAND Journal of Economics 25, 1994, equation 28)::

    utility_j = ln s_j - ln s_outside - sigma ln s_j_in_nest
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NestedShares:
    """Who chooses what; goods along the last axis."""

    share: Floats
    """Share of all buyers, by good."""
    share_in_nest: Floats
    """Share of the nest's buyers, by good; 0 for goods outside the nest."""
    nest_share: Floats
    """Share of all buyers who choose within the nest."""
    outside_share: Floats
    """Share of the outside good."""


def nested_shares(
    utility: ArrayLike, in_nest: ArrayLike, sigma: ArrayLike, outside_utility: ArrayLike = 0.0
) -> NestedShares:
    """Return the shares of goods in a nest, beside it, and of the outside good.

    Parameters
    ----------
    utility
        Utilities, goods along the last axis; minus infinity for a good that is not on sale.
    in_nest
        True for the goods of the nest, shape (goods,).
    sigma
        Nest parameter, from 0 to below 1; of the shape of ``utility`` without its last axis, or one that fits it.
    outside_utility
        Utility of the outside good, of such a shape too; minus infinity if there is none.

    Examples
    --------
    Two equal cars, as attractive as the outside good each; the plain logit would give each a third:

    >>> found = nested_shares([0.0, 0.0], [True, True], 0.5)
    >>> found.share.round(4).tolist(), round(float(found.outside_share), 4)
    ([0.2929, 0.2929], 0.4142)
    """
    utilities = np.asarray(utility, dtype=float)
    is_inside = np.asarray(in_nest, dtype=bool)
    dissimilarity = 1.0 - np.asarray(sigma, dtype=float)
    outside = np.asarray(outside_utility, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.where(is_inside, utilities / dissimilarity[..., None], -np.inf)
        log_sum = log_sum_exp(inner)
        in_nest_share = np.where(is_inside, np.exp(inner - _finite(log_sum)[..., None]), 0.0)
        inclusive = dissimilarity * log_sum
        beside = np.where(is_inside, -np.inf, utilities)
        top = _finite(np.maximum(np.maximum(inclusive, outside), beside.max(axis=-1)))
        nest_weight, outside_weight = np.exp(inclusive - top), np.exp(outside - top)
        beside_weight = np.exp(beside - top[..., None])
    total = nest_weight + outside_weight + beside_weight.sum(axis=-1)
    nest_share = nest_weight / total
    return NestedShares(
        share=np.where(is_inside, in_nest_share * nest_share[..., None], beside_weight / total[..., None]),
        share_in_nest=in_nest_share,
        nest_share=nest_share,
        outside_share=outside_weight / total,
    )


def invert_nested_shares(share: ArrayLike, in_nest: ArrayLike, sigma: ArrayLike) -> Floats:
    """Return the utilities, against an outside good of utility 0, that give these shares.

    Parameters
    ----------
    share
        Shares of all buyers, above 0, goods along the last axis, summing to less than 1.
    in_nest
        True for the goods of the nest, shape (goods,).
    sigma
        Nest parameter, from 0 to below 1, of the shape of ``share`` without its last axis, or one that fits it.

    Raises
    ------
    ValueError
        If a share is not above 0 or they leave nothing for the outside good.

    Examples
    --------
    >>> invert_nested_shares([0.25, 0.25, 0.25], [True, True, False], 0.5).round(4).tolist()
    [0.3466, 0.3466, 0.0]
    """
    given = np.asarray(share, dtype=float)
    is_inside = np.asarray(in_nest, dtype=bool)
    outside = 1.0 - given.sum(axis=-1, keepdims=True)
    if not (np.all(given > 0) and np.all(outside > 0)):
        message = "shares must be above 0 and sum to less than 1"
        raise ValueError(message)
    nest = np.where(is_inside, given, 0.0).sum(axis=-1, keepdims=True)
    in_nest_share = np.where(is_inside, given / np.where(nest > 0, nest, 1.0), 1.0)
    utility: Floats = (
        np.log(given) - np.log(outside) - np.asarray(sigma, dtype=float)[..., None] * np.log(in_nest_share)
    )
    return utility


def utility_derivatives(shares: NestedShares, in_nest: ArrayLike, sigma: ArrayLike) -> Floats:
    """Return by how much the logarithm of each good's share rises with each good's utility.

    Times a utility's derivative by a logarithm it is an elasticity: that to a price is ``-sensitivity * price`` times
    it, that to a range ``range_coefficient`` times it.

    Parameters
    ----------
    shares
        The shares at which it is taken.
    in_nest
        True for the goods of the nest, shape (goods,).
    sigma
        Nest parameter, of the shape of ``shares.nest_share``, or one that fits it.

    Returns
    -------
    Floats
        Of shape (..., goods, goods): the share of the first of these axes, by the utility of the second.

    Examples
    --------
    In the plain logit a rival's share falls by the share of the good that becomes better:

    >>> found = nested_shares([0.0, 0.0], [True, True], 0.0)
    >>> utility_derivatives(found, [True, True], 0.0).round(4).tolist()
    [[0.6667, -0.3333], [-0.3333, 0.6667]]
    """
    is_inside = np.asarray(in_nest, dtype=bool)
    correlation = np.asarray(sigma, dtype=float)[..., None]
    goods = is_inside.size
    own = np.where(is_inside, 1.0 / (1.0 - correlation), 1.0)
    same_nest = np.outer(is_inside, is_inside)
    by_nest = correlation / (1.0 - correlation) * shares.share_in_nest
    slope: Floats = np.eye(goods) * own[..., None] - same_nest * by_nest[..., None, :] - shares.share[..., None, :]
    return slope


def log_sum_exp(values: Floats) -> Floats:
    """Return the logarithm of the sum of exponentials along the last axis; minus infinity for nothing but those.

    Examples
    --------
    >>> round(float(log_sum_exp(np.array([0.0, 0.0, -np.inf]))), 6)
    0.693147
    """
    top = _finite(values.max(axis=-1))
    with np.errstate(divide="ignore"):
        total: Floats = top + np.log(np.exp(values - top[..., None]).sum(axis=-1))
    return total


def _finite(values: Floats) -> Floats:
    """Return the values with 0 for minus infinity: what is subtracted before an exponential is taken."""
    return np.where(np.isneginf(values), 0.0, values)
