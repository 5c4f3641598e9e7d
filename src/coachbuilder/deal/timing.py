"""When production for sale may start."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coachbuilder.programme import Programme

DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class TimingInputs:
    """What the start of production waits for; months count from the decision day."""

    as_of: dt.date
    """The decision day."""
    decision_months: float
    """Until the contract is signed."""
    development_months: float
    """From the contract to the start of production, both sides experienced."""
    brand_skill_saving_share: float
    """Share of it that the brand's hardware skill saves."""
    host_consultancy_saving_share: float
    """Share of the rest that the host's consultancy saves."""
    host_inexperience_months: float
    """Added because the host has never built for another company."""
    licence_date: dt.date
    """Day on which licence and homologation are expected."""
    licence_delay_months: float
    """How much later they come."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When production for sale starts, and what holds it."""

    start_of_production_date: dt.date
    """The first day of production for sale."""
    months_from_as_of: float
    """Months from the decision day to it."""
    technical_months: float
    """Months until car and line are ready."""
    licence_months: float
    """Months until licence and homologation are there."""
    waits_for: str
    """'development' or 'licence', whichever comes last."""


def timing_inputs_from(programme: Programme) -> TimingInputs:
    """Take the timing assumptions from a programme.

    Parameters
    ----------
    programme
        The programme.
    """
    section = programme.document.deal.timing
    return TimingInputs(
        as_of=programme.as_of,
        decision_months=section.decision_months.value,
        development_months=section.development_months.value,
        brand_skill_saving_share=section.brand_skill_saving_share.value,
        host_consultancy_saving_share=section.host_consultancy_saving_share.value,
        host_inexperience_months=section.host_inexperience_months.value,
        licence_date=section.licence_date,
        licence_delay_months=section.licence_delay_months.value,
    )


def start_of_production(inputs: TimingInputs) -> Timing:
    """Return the start of production: the later of development and licence.

    The brand's skill and the host's consultancy shorten development one after the other; the host's inexperience
    lengthens it by months of its own.

    Parameters
    ----------
    inputs
        What it waits for.

    Examples
    --------
    >>> day = dt.date(2021, 3, 26)
    >>> start_of_production(TimingInputs(day, 3, 30, 0.1, 0.1, 2, dt.date(2021, 1, 1), 0)).technical_months
    29.3
    """
    kept = (1 - inputs.brand_skill_saving_share) * (1 - inputs.host_consultancy_saving_share)
    technical = inputs.decision_months + inputs.development_months * kept + inputs.host_inexperience_months
    licence = (inputs.licence_date - inputs.as_of).days / DAYS_PER_MONTH + inputs.licence_delay_months
    months = max(technical, licence, 0.0)
    return Timing(
        start_of_production_date=inputs.as_of + dt.timedelta(days=round(months * DAYS_PER_MONTH)),
        months_from_as_of=months,
        technical_months=technical,
        licence_months=licence,
        waits_for="licence" if licence > technical else "development",
    )
