"""The common ground of every table in a programme folder."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from coachbuilder.programme.assumption import Assumption, Within

Positive = Annotated[Assumption, Within(0.0, above=True)]
"""An assumption above 0."""

NonNegative = Annotated[Assumption, Within(0.0)]
"""An assumption of 0 or more."""

Share = Annotated[Assumption, Within(0.0, 1.0)]
"""An assumption from 0 to 1."""

PositiveShare = Annotated[Assumption, Within(0.0, 1.0, above=True)]
"""An assumption above 0 and at most 1."""


class Section(BaseModel):
    """A table of a programme file: unknown keys refused, frozen, the text under a field is its manual."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, arbitrary_types_allowed=True)


class EvidencedSection(Section):
    """A table whose plain numbers may share one evidence entry."""

    evidence: str = ""
    """Entry of the register that the numbers of this table name when they name none themselves."""


Months = Annotated[Assumption, Within(0.0, largest=600.0)]
"""A time of 0 to 600 months."""

PositiveMonths = Annotated[Assumption, Within(0.0, above=True, largest=600.0)]
"""A time above 0 and up to 600 months."""


def default(value: float) -> Assumption:
    """Return the default of a field: an assumption that rests on nothing yet, listed in the report as placeholder."""
    return Assumption(value=value, is_default=True)
