"""Claims in words: what would be decided today, and which questions are worth asking first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coachbuilder.report import wording

if TYPE_CHECKING:
    from coachbuilder.risk.claims import ClaimsResult, ClaimValue

MOST_QUESTIONS = 8
"""Questions that the page names."""


def decided(claims: ClaimsResult, brand: str, host: str) -> str:
    """Return what each side and the two together would choose today, in a sentence.

    Parameters
    ----------
    claims
        The claims.
    brand, host
        Names of the two sides.
    """
    chosen = {item.side: _choice(item.best, brand) for item in claims.decisions}
    both = f"Decided today by expected value, the two together would choose {chosen['joint']}"
    if chosen["brand"] == chosen["host"] == chosen["joint"]:
        return f"{both}, and so would either side alone."
    return f"{both}, {brand} alone {chosen['brand']} and {host} alone {chosen['host']}."


def _choice(option: str, brand: str) -> str:
    return {"contract": "the contract", "own plant": f"a plant of {brand}'s own"}.get(option, "to do nothing")


def questions(claims: ClaimsResult) -> tuple[ClaimValue, ...]:
    """Return the first questions of which an answer moves or is worth anything to anybody.

    Parameters
    ----------
    claims
        The claims, in the order of what their answers are worth.
    """
    told = [item for item in claims.claims if item.joint_at_stake_cny > 0 or is_worth_something(item)]
    return tuple(told[:MOST_QUESTIONS])


def is_worth_something(item: ClaimValue) -> bool:
    """Return whether an answer would change what anybody decides."""
    return max(item.joint_value_cny, item.brand_value_cny, item.host_value_cny) > 0


def columns(asked: Sequence[ClaimValue], brand: str, host: str) -> list[tuple[str, str]]:
    """Return heading and kind of the columns; those of worth only if some answer is worth anything."""
    worth = [("Worth to both", "n"), (brand, "n"), (host, "n")] if any(map(is_worth_something, asked)) else []
    return [("Claim", "wide"), ("Kind", ""), ("Probability", "n"), *worth, ("Moves both by", "n")]


def amounts(item: ClaimValue, asked: Sequence[ClaimValue]) -> list[str]:
    """Return the cells of a question that follow its probability."""
    values = (item.joint_value_cny, item.brand_value_cny, item.host_value_cny)
    worth = [wording.money(value) for value in values]
    return [*(worth if any(map(is_worth_something, asked)) else ()), wording.money(item.joint_at_stake_cny)]
