"""How long a car binds each operator of a balanced line."""

from __future__ import annotations

from dataclasses import dataclass

from coachbuilder.plant.balance.interface import FitInputs, LineBalance
from coachbuilder.plant.process import joint_precedence


@dataclass(frozen=True, slots=True)
class OperatorOccupancy:
    """How long a car binds an operator."""

    station: str
    """Station."""
    number: int
    """Number within the crew at one place of the station, from 1."""
    time_s: tuple[float, ...]
    """From the beginning of the station's work on a car to the end of the operator's last task, waiting for colleagues
    included, in the order of the models; 0 on a model on which he or she has no task."""


def occupancy(inputs: FitInputs, line: LineBalance) -> tuple[OperatorOccupancy, ...]:
    """Return how long each model binds each operator, in line order.

    The tasks of a station are begun in the order of the assignment, each as soon as its predecessors at the station
    and those who do it are done; this is the schedule in which the balance keeps takt. The longest of a station's
    operators is its makespan. At parallel places the crews are alike and each is told once.

    Parameters
    ----------
    inputs
        What the line was balanced from.
    line
        The line.
    """
    kept = {place.task for place in line.assignment}
    before = joint_precedence([task.predecessors for task in inputs.tasks], [task.id in kept for task in inputs.tasks])
    position = {task.id: at for at, task in enumerate(inputs.tasks)}
    at_station: dict[str, list[tuple[int, tuple[int, ...]]]] = {}
    for place in line.assignment:
        at_station.setdefault(place.station, []).append((position[place.task], place.operators))
    found: list[OperatorOccupancy] = []
    for station in inputs.stations:
        tasks = at_station.get(station.id, [])
        crew = sorted({number for _, operators in tasks for number in operators})
        times: dict[int, list[float]] = {number: [] for number in crew}
        for model in range(len(inputs.models)):
            done: dict[int, float] = {}
            free = dict.fromkeys(crew, 0.0)
            for task, operators in tasks:
                end = max((done.get(earlier, 0.0) for earlier in before[task]), default=0.0)
                duration = inputs.tasks[task].time_s[model]
                if duration > 0:
                    end = max(end, *(free[number] for number in operators)) + duration
                    free.update(dict.fromkeys(operators, end))
                done[task] = end
            for number in crew:
                times[number].append(free[number])
        found.extend(OperatorOccupancy(station.id, number, tuple(times[number])) for number in crew)
    return tuple(found)


__all__ = ["OperatorOccupancy", "occupancy"]
