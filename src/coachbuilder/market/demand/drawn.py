"""Demand in many draws of one programme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.market.demand.evaluate import demand_by_year
from coachbuilder.market.demand.inputs import FIELD, demand_inputs_from

if TYPE_CHECKING:
    from coachbuilder.market.demand.interface import DemandByYear
    from coachbuilder.programme import Programme

RATIO = f"{FIELD}.guest_range_ratio"


def demand_of_draws(
    programme: Programme, values: Mapping[str, NDArray[np.float64]], *, range_km: NDArray[np.float64]
) -> DemandByYear:
    """Return demand in many draws of a programme.

    Parameters
    ----------
    programme
        The programme from which the draws start.
    values
        Drawn values by path, shape (draws,) each.
    range_km
        Guest's range on the CLTC cycle in each draw, as the vehicle stage estimates it, shape (draws,).

    Returns
    -------
    DemandByYear
        Axes are (draws, years); not numbers for a draw whose figures do not go together.

    Raises
    ------
    InputError
        If the programme's own figures do not go together.
    """
    # Draws differ from the programme in the range too: whatever stands for it is not read.
    inputs = demand_inputs_from(programme, range_km=1.0)
    ratio = values.get(RATIO, np.array(programme.document.market.demand.guest_range_ratio.value))
    return demand_by_year(inputs, values, guest_range_km=range_km * ratio)
