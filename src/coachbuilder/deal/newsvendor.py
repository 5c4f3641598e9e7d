"""How much capacity a brand reserves: closed forms of the newsvendor against which the contract is tested."""

from __future__ import annotations

from collections.abc import Callable


def deductible_reservation_quantile(margin_cny: float, fee_cny: float, reservation_fee_cny: float) -> float:
    """Return the quantile of demand at which the brand's reservation under a deductible fee is best.

    The brand earns ``margin - fee`` on each car and gives up ``reservation fee`` for each reserved place that it does
    not use: F(R*) = (p - w) / (p - w + r).

    Parameters
    ----------
    margin_cny
        Margin a car before the fee, p.
    fee_cny
        Fee a car, w, below the margin.
    reservation_fee_cny
        Fee for a reserved place that is taken off the fee of a car built on it, r.

    Examples
    --------
    >>> deductible_reservation_quantile(30_000.0, 10_000.0, 5_000.0)
    0.8
    """
    gain = margin_cny - fee_cny
    return gain / (gain + reservation_fee_cny)


def take_or_pay_quantile(margin_cny: float, fee_cny: float) -> float:
    """Return the same where every reserved place is paid in full: F(R*) = (p - w) / p.

    Parameters
    ----------
    margin_cny
        Margin a car before the fee, p.
    fee_cny
        Fee a car, w, paid for every place reserved, used or not.

    Examples
    --------
    >>> take_or_pay_quantile(30_000.0, 10_000.0)
    0.6666666666666666
    """
    return (margin_cny - fee_cny) / margin_cny


def best_reservation(
    profit_cny: Callable[[float, float], float], demands: list[float], reservations: list[float]
) -> float:
    """Return the reservation with the best mean profit over equally likely demands.

    Parameters
    ----------
    profit_cny
        Profit for a demand and a reservation.
    demands
        Equally likely demands.
    reservations
        Reservations to choose from.
    """
    return max(reservations, key=lambda reserved: sum(profit_cny(demand, reserved) for demand in demands))
