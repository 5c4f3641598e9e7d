"""Makes plans to draw around: without what draws do not read, and without working out again what is known.

Balance, build order and long simulation take nearly all of a plan's time. They are taken over wherever their inputs
are the same to the last digit, as on a day on which only prices or wages became known.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from coachbuilder.plan import Plan, Stages
from coachbuilder.programme import Programme


class Planner:
    """Makes plans, each without other contracts and routes; figures are those of :func:`coachbuilder.plan.evaluate`.

    Parameters
    ----------
    progress
        Told of each programme and the stage that it has come to.
    """

    def __init__(self, progress: Callable[[Programme, str], None] | None = None) -> None:
        self._progress = progress
        self._known: dict[tuple[bytes, ...], Any] = {}

    def __call__(self, programme: Programme) -> Plan:
        """Return the plan of a programme.

        Parameters
        ----------
        programme
            The programme.

        Raises
        ------
        InputError
            If it has none.
        """
        tell = self._progress
        stages = Stages(programme, progress=None if tell is None else lambda stage: tell(programme, stage))
        # Draws never ask for them.
        stages.know("alternatives", None)
        line = (b"fit", pickle.dumps(stages.fit_inputs))
        self._take_over(stages, "fit", line)
        # A build order loads the balanced line too, which follows from the inputs of the balance.
        self._take_over(stages, "sequence", (b"sequence", *line, pickle.dumps(stages.sequence_inputs)))
        self._take_over(stages, "flow", (b"flow", pickle.dumps(stages.flow_inputs)))
        return stages.plan()

    def _take_over(self, stages: Stages, name: str, key: tuple[bytes, ...]) -> None:
        if key in self._known:
            stages.know(name, self._known[key])
        else:
            self._known[key] = getattr(stages, name)
