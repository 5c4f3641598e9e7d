"""What changes on the line when the guest comes: each resident task that moves, in words."""

from __future__ import annotations

from coachbuilder.plant.balance.interface import FitInputs, LineBalance, LineTask, MovedTask, TaskPlace
from coachbuilder.plant.process import mean_over_mix


def moved_tasks(inputs: FitInputs, before: LineBalance, after: LineBalance) -> tuple[MovedTask, ...]:
    """Return the resident tasks that change their station between two lines, in the order of ``inputs.tasks``.

    Parameters
    ----------
    inputs
        Tasks and stations of both lines.
    before, after
        The line without and with the guest.

    Returns
    -------
    tuple of MovedTask
        Each with a sentence for the team leader.
    """
    place_before = {place.task: place for place in before.assignment}
    place_after = {place.task: place for place in after.assignment}
    names = {task.id: task.name or task.id for task in inputs.tasks}
    moved: list[MovedTask] = []
    for task in inputs.tasks:
        old, new = place_before.get(task.id), place_after.get(task.id)
        if old is None or new is None or old.station == new.station:
            continue
        seconds = mean_over_mix(task.time_s, inputs.resident_units_per_year)
        moved.append(
            MovedTask(
                task=task.id,
                name=task.name,
                from_station=old.station,
                to_station=new.station,
                time_s=seconds,
                from_operators=old.operators,
                to_operators=new.operators,
                says=_sentence(task, seconds, old, new, before, after, names),
            )
        )
    return tuple(moved)


def _sentence(
    task: LineTask,
    seconds: float,
    old: TaskPlace,
    new: TaskPlace,
    before: LineBalance,
    after: LineBalance,
    names: dict[str, str],
) -> str:
    """Return one move as an instruction: what, from whom, to whom, when in their work, and what it needs there."""
    ahead = [
        place.task
        for place in after.assignment[: after.assignment.index(new)]
        if place.station == new.station and set(place.operators) & set(new.operators)
    ]
    turn = f"after '{names[ahead[-1]]}'" if ahead else "as the first task"
    needs = [f"'{task.equipment}'"] if task.equipment else []
    needs += [f"the skill {task.skill}"] if task.skill else []
    needs += [f"the car at height {task.height}"] if task.height else []
    needed = f"; needs {' and '.join(needs)}" if needs else ""
    return (
        f"Take '{names[task.id]}' ({task.id}, {seconds:.1f} s) from {_who(old, before)} "
        f"and give it to {_who(new, after)}, {turn}{needed}."
    )


def _who(place: TaskPlace, line: LineBalance) -> str:
    """Return operators and station in words, with the zones where they stand."""
    zone = {bar.operator: bar.zone for bar in line.operator_loads if bar.station == place.station and bar.lane == 1}
    numbers = " and ".join(str(number) for number in place.operators)
    zones = dict.fromkeys(zone.get(number, "") for number in place.operators)
    stands = " and ".join(name for name in zones if name)
    noun = "operator" if len(place.operators) == 1 else "operators"
    return f"{noun} {numbers} at {place.station}" + (f" ({stands})" if stands else "")
