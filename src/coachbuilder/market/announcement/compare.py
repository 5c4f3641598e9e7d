"""What the market paid beside what the plan is worth."""

from __future__ import annotations

from coachbuilder.market.announcement.interface import Comparison, ImpliedValue

BILLION, MILLION = 1e9, 1e6


def compare(implied: ImpliedValue, *, npv_cny: float, probability: float) -> Comparison:
    """Put the market's value of the news beside the plan's, and say what would justify the market.

    Before the news the partnership is taken to have been worth nothing to anybody, so that the move pays for the
    whole of it.

    Parameters
    ----------
    implied
        What the market paid on one side.
    npv_cny
        Net present value of the plan to that side, if it is carried out.
    probability
        Probability that the evidence gives the partnership.

    Examples
    --------
    >>> from coachbuilder.programme.sections.market import Side
    >>> paid = ImpliedValue(Side.BRAND, ("report",), ("h",), 3e9, -1e9, 7e9, "", 500e9)
    >>> found = compare(paid, npv_cny=4e9, probability=0.5)
    >>> found.believed_probability, found.believed_npv_cny, found.is_compatible
    (0.75, 6000000000.0, True)
    """
    paid = implied.implied_value_cny
    expected = npv_cny * probability
    believed = paid / npv_cny if npv_cny else None
    believed_probability = believed if believed is not None and 0.0 <= believed <= 1.0 else None
    believed_npv = paid / probability if probability > 0 else None
    fits = (implied.low_cny is None or implied.low_cny <= expected) and (
        implied.high_cny is None or expected <= implied.high_cny
    )
    return Comparison(
        side=implied.side,
        implied_value_cny=paid,
        low_cny=implied.low_cny,
        high_cny=implied.high_cny,
        bound=implied.bound,
        npv_cny=npv_cny,
        probability=probability,
        expected_value_cny=expected,
        difference_cny=paid - expected,
        is_compatible=fits,
        believed_probability=believed_probability,
        believed_npv_cny=believed_npv,
        sentence=_sentence(implied, npv_cny, probability, believed_probability, believed_npv, fits),
    )


def _sentence(
    implied: ImpliedValue,
    npv_cny: float,
    probability: float,
    believed_probability: float | None,
    believed_npv: float | None,
    fits: bool,
) -> str:
    bound = f"{implied.bound} " if implied.bound in ("at least", "at most") else ""
    paid = f"The market paid {bound}{_money(implied.implied_value_cny)} (95 %: {_interval(implied)})"
    worth = f"the plan is worth {_money(npv_cny)} to the {implied.side}"
    worth += f", {_money(npv_cny * probability)} at a probability of {probability:.2f}"
    beliefs = []
    if believed_probability is not None:
        beliefs.append(f"a probability of {believed_probability:.2f}")
    if believed_npv is not None:
        beliefs.append(f"an NPV of {_money(believed_npv)}")
    if not beliefs:
        ending = "no probability and no NPV would justify the market"
    else:
        ending = f"you would have to believe in {' or in '.join(beliefs)}"
        if believed_probability is None and npv_cny:
            ending += ", for no probability would do"
    tail = "The two agree within the interval." if fits else "The two differ by more than the interval."
    return f"{paid}; {worth}; {ending}. {tail}"


def _interval(implied: ImpliedValue) -> str:
    if implied.low_cny is None and implied.high_cny is None:
        return "open on both sides"
    if implied.high_cny is None and implied.low_cny is not None:
        return f"from {_money(implied.low_cny)}, open above"
    if implied.low_cny is None and implied.high_cny is not None:
        return f"up to {_money(implied.high_cny)}, open below"
    return f"{_money(implied.low_cny or 0.0)} to {_money(implied.high_cny or 0.0)}"


def _money(amount_cny: float) -> str:
    if abs(amount_cny) < BILLION:
        return f"CNY {amount_cny / MILLION:,.0f} m"
    return f"CNY {amount_cny / BILLION:,.1f} bn"
