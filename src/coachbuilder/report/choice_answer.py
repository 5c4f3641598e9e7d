"""A logit fitted to choices, as JSON values and as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coachbuilder.market.demand.choice import ChoiceFit, Estimate

HEADINGS = ("estimate", "std. error", "robust error", "z (robust)")


def choice_document(fit: ChoiceFit) -> dict[str, Any]:
    """Return the fit as one JSON object."""
    return {
        "log_likelihood": fit.log_likelihood,
        "null_log_likelihood": fit.null_log_likelihood,
        "mcfadden_r2": fit.mcfadden_r2,
        "questions": fit.questions,
        "respondents": fit.respondents,
        "steps": fit.steps,
        "coefficients": _values(fit.estimates),
        "willingness_to_pay": _values(fit.willingness_to_pay),
        "covariance": fit.covariance.tolist(),
        "robust_covariance": fit.robust_covariance.tolist(),
    }


def choice_text(fit: ChoiceFit, price: str | None) -> str:
    """Return the fit as tables below a sentence.

    Parameters
    ----------
    fit
        The fit.
    price
        Name of the price's column, whose unit the willingness to pay has.
    """
    people = "" if fit.respondents is None else f" of {fit.respondents:,} respondents"
    told = [
        f"{fit.questions:,} questions{people}; log-likelihood {fit.log_likelihood:.7f}, "
        f"{fit.null_log_likelihood:.4f} at equal chances, McFadden's R2 {fit.mcfadden_r2:.4f}; {fit.steps} steps",
        _table("coefficient", fit.estimates),
    ]
    if fit.willingness_to_pay:
        told.append(_table(f"willingness to pay, in units of {price}", fit.willingness_to_pay))
    elif price is not None:
        told.append(f"Buyers like a higher {price}: no willingness to pay can be told.")
    return "\n\n".join(told)


def _values(estimates: Sequence[Estimate]) -> dict[str, dict[str, float]]:
    return {
        item.name: {"value": item.value, "standard_error": item.standard_error, "robust_error": item.robust_error}
        for item in estimates
    }


def _table(title: str, estimates: Sequence[Estimate]) -> str:
    width = max(len(title), *(len(item.name) for item in estimates))
    rows = [f"{title:<{width}}" + "".join(f"{name:>14}" for name in HEADINGS)]
    rows += [
        f"{item.name:<{width}}{item.value:>14.7f}{item.standard_error:>14.7f}{item.robust_error:>14.7f}{item.z:>14.2f}"
        for item in estimates
    ]
    return "\n".join(rows)
