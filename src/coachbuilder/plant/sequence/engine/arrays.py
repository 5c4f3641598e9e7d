"""From the stage's inputs to the arrays that the kernels follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.interface import RulePriority, SequenceInputs, SequenceObjective

if TYPE_CHECKING:
    from coachbuilder.plant.sequence.engine.kernels import Day, State

EXCESS_WITHOUT_END = 1 << 20
"""More cars than any window has."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A day as the kernels take it."""

    day: Day
    """What does not change."""
    before: NDArray[np.uint8]
    """The end of the day before by rule, last car last, shape (rules, cars)."""
    short: bool
    """Whether windows cut short count."""
    rank: NDArray[np.int64]
    """Weights of high priority, low priority and colour changes in the objective; 0 where one is not ranked."""
    has: NDArray[np.uint8]
    """Options of each car, shape (cars, rules)."""


def problem_of(inputs: SequenceInputs, weights: dict[SequenceObjective, int]) -> Problem:
    """Return a day as arrays: rules of high priority first, rules that no objective asks for left out.

    Parameters
    ----------
    inputs
        The day.
    weights
        Weight of each objective, 0 where it is not asked for.
    """
    from coachbuilder.plant.sequence.engine.kernels import Day

    n = len(inputs.cars)
    high_wanted = weights[SequenceObjective.HIGH_PRIORITY] > 0
    low_wanted = weights[SequenceObjective.LOW_PRIORITY] > 0
    places = [at for at, rule in enumerate(inputs.rules) if rule.priority is RulePriority.HIGH and high_wanted]
    high = len(places)
    places += [at for at, rule in enumerate(inputs.rules) if rule.priority is RulePriority.LOW and low_wanted]
    rules = [inputs.rules[at] for at in places]
    has = np.ascontiguousarray(inputs.has_option.reshape(n, len(inputs.rules))[:, places], dtype=np.uint8)
    before = inputs.previous_has_option.reshape(-1, len(inputs.rules)) if inputs.rules else np.zeros((0, 0), np.bool_)
    longest = max((rule.out_of for rule in rules), default=1)
    before = before[:, places][max(0, len(before) - longest) :]
    coloured = weights[SequenceObjective.COLOUR_CHANGES] > 0 or inputs.longest_batch < n
    names = {name: number for number, name in enumerate(dict.fromkeys(inputs.colours))}
    colour = np.array([names[name] if coloured else 0 for name in inputs.colours], dtype=np.int64)
    previous = -1
    if coloured and inputs.previous_colour is not None:
        previous = names.get(inputs.previous_colour, len(names))
    _, kind = np.unique(np.column_stack([has, colour]), axis=0, return_inverse=True)
    kind = np.ascontiguousarray(kind.reshape(-1), dtype=np.int64)
    limited = inputs.earliest_place is not None or inputs.latest_place is not None
    if limited:
        # Two equal cars with other limits are not of one kind: to swap them may let a third one move.
        kind = np.arange(n, dtype=np.int64)
    _, by_high = np.unique(has[:, :high], axis=0, return_inverse=True)
    groupings = [colour, by_high.reshape(-1).astype(np.int64)]
    _, both = np.unique(np.column_stack(groupings), axis=0, return_inverse=True)
    groupings.append(both.reshape(-1).astype(np.int64))
    group_begin = np.zeros((len(groupings), n + 1), dtype=np.int64)
    group_cars = np.zeros((len(groupings), n), dtype=np.int64)
    for number, group in enumerate(groupings):
        counts = np.bincount(group, minlength=n) if n else np.zeros(0, dtype=np.int64)
        group_begin[number, 1:] = np.cumsum(counts)[:n]
        group_cars[number] = np.argsort(group, kind="stable")
    day = Day(
        at_most=np.array([rule.at_most for rule in rules], dtype=np.int64),
        out_of=np.array([rule.out_of for rule in rules], dtype=np.int64),
        weight=np.array([rule.weight for rule in rules], dtype=np.int64),
        high=high,
        most=1 if inputs.count_windows else EXCESS_WITHOUT_END,
        mask=_masks(has),
        colour=colour,
        previous_colour=previous,
        batch=inputs.longest_batch if coloured else n,
        crowded=np.bincount(colour, minlength=len(names) + 1) > inputs.longest_batch,
        kind=kind,
        first=min(inputs.frozen, n),
        earliest=_limit(inputs.earliest_place, n, 0, limited),
        latest=_limit(inputs.latest_place, n, n - 1, limited),
        group_of=np.array(groupings, dtype=np.int64),
        group_begin=group_begin,
        group_cars=group_cars,
    )
    rank = np.array(
        [
            weights[SequenceObjective.HIGH_PRIORITY],
            weights[SequenceObjective.LOW_PRIORITY],
            weights[SequenceObjective.COLOUR_CHANGES],
        ],
        dtype=np.int64,
    )
    return Problem(
        day=day,
        before=np.ascontiguousarray(before.T, dtype=np.uint8),
        short=inputs.short_windows,
        rank=rank,
        has=has,
    )


def state_of(problem: Problem, order: NDArray[np.int64], seed: int) -> State:
    """Return a state that follows ``order``, with a random generator of its own."""
    from coachbuilder.plant.sequence.engine.kernels import State, set_up

    n, rules = len(order), problem.day.out_of.size
    longest = int(problem.day.out_of.max(initial=1))
    width = n + longest
    state = State(
        order=order.astype(np.int64),
        place=np.zeros(n, dtype=np.int64),
        flag=np.zeros((rules, n), dtype=np.uint8),
        over=np.zeros((rules, width), dtype=np.int32),
        tint=np.zeros(n + 2, dtype=np.int64),
        gain=np.zeros((rules, n), dtype=np.int32),
        loss=np.zeros((rules, n), dtype=np.int32),
        broken=np.zeros(max(1, rules * width), dtype=np.int64),
        broken_at=np.zeros(max(1, rules * width), dtype=np.int64),
        totals=np.zeros(4, dtype=np.int64),
        new=np.zeros(n, dtype=np.int64),
        step_flag=np.zeros(n + 2 * longest, dtype=np.int32),
        change=np.zeros(n + 2 * longest, dtype=np.int32),
        step_gain=np.zeros(n + 2 * longest, dtype=np.int32),
        step_loss=np.zeros(n + 2 * longest, dtype=np.int32),
        random=np.array([seed], dtype=np.uint64),
    )
    set_up(problem.day, state, problem.before, problem.short)
    return state


def _masks(has: NDArray[np.uint8]) -> NDArray[np.uint64]:
    n, rules = has.shape
    masks = np.zeros((n, max(1, -(-rules // 64))), dtype=np.uint64)
    for rule in range(rules):
        masks[:, rule // 64] |= has[:, rule].astype(np.uint64) << np.uint64(rule % 64)
    return masks


def _limit(given: NDArray[np.int64] | None, n: int, otherwise: int, limited: bool) -> NDArray[np.int64]:
    if not limited:
        return np.zeros(0, dtype=np.int64)
    return np.full(n, otherwise, dtype=np.int64) if given is None else np.ascontiguousarray(given, dtype=np.int64)


__all__ = ["Problem", "problem_of", "state_of"]
