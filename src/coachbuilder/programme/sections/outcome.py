"""What became of claims, by which a replay is scored; no plan reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from pydantic import Field

from coachbuilder.programme.base import Section
from coachbuilder.programme.errors import Problem, closest
from coachbuilder.programme.evidence import Evidence


class OutcomeSection(Section):
    """What became of one claim of the register: hindsight, by which a replay is scored."""

    claim: str = Field(min_length=1)
    """Entry of the register that made the claim."""
    happened: bool
    """True if it came true."""
    date: dt.date
    """Day on which that was known beyond doubt; nothing before it sees the outcome."""
    evidence: str = Field(min_length=1)
    """Entry of the register that tells it."""


def outcome_problems(outcomes: Sequence[OutcomeSection], register: Mapping[str, Evidence], file: str) -> list[Problem]:
    """Return outcomes of unknown claims, told by unknown or later entries, or known before their claim was made."""
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, outcome in enumerate(outcomes, start=1):
        place = f"outcome.{number}"
        for field, name in (("claim", outcome.claim), ("evidence", outcome.evidence)):
            if name not in register:
                expected = "the name of an entry in the evidence register"
                problems.append(Problem(file, f"{place}.{field}", name, expected, hint=closest(name, register)))
        if outcome.claim in seen:
            problems.append(Problem(file, f"{place}.claim", outcome.claim, "one outcome for each claim"))
        seen.add(outcome.claim)
        if outcome.claim in register and outcome.date <= register[outcome.claim].date:
            made = register[outcome.claim].date
            problems.append(Problem(file, f"{place}.date", str(outcome.date), f"a day after the claim, made on {made}"))
        if outcome.evidence in register and register[outcome.evidence].date > outcome.date:
            told = register[outcome.evidence].date
            problems.append(
                Problem(file, f"{place}.evidence", outcome.evidence, f"an entry known by then; this is of {told}")
            )
    return problems
