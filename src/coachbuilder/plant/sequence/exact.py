"""Proves how good a build order is: an integer model by classes of equal cars, solved by CP-SAT within a given time.

It needs ``ortools`` (the extra ``exact``). Small days are solved to the end; on larger ones it raises the lower bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.bounds import SequenceBounds, lower_bounds, objective_weights
from coachbuilder.plant.sequence.interface import RulePriority, SequenceCounts, SequenceInputs, SequenceObjective
from coachbuilder.programme.errors import InputError, Problem

T = TypeVar("T")

LARGEST_MODEL = 600_000
"""Classes x places; a larger model would not be solved in an hour, and its building alone takes minutes."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the exact model showed."""

    lower_bound: int
    """No order has a lower weighted sum."""
    order: NDArray[np.int64] | None
    """A better order than the one given, if one was found: position in ``inputs.cars`` of the car at each place."""
    proven: bool
    """Whether the best order now known is proven to be the best."""
    time_s: float
    """Seconds that it took."""
    remark: str
    """Why there is no proof, in words; empty where there is one."""


def prove(
    inputs: SequenceInputs,
    order: NDArray[np.int64],
    counts: SequenceCounts,
    *,
    time_limit_s: float,
    threads: int = 1,
    bounds: SequenceBounds | None = None,
) -> Proof:
    """Prove that no order is better than the one given, find a better one, or raise the lower bound.

    Cars with the same options, colour and places are one class, and the model says which class stands at which place.
    Next to the rules it holds what follows from them: cars with an option that the last ``k`` windows cannot take
    have to stand before them (Dincbas, Simonis and Van Hentenryck 1988; Regin and Puget 1997), and each rule's own
    bound.

    Parameters
    ----------
    inputs
        The cars and the rules.
    order
        Position in ``inputs.cars`` of the car at each place, shape (cars,); the solver starts from it.
    counts
        The order counted.
    time_limit_s
        Time after which it ends.
    threads
        Threads of the solver.
    bounds
        From :func:`lower_bounds`, if they are known already.

    Raises
    ------
    InputError
        If ortools is not installed.
    """
    started = time.monotonic()
    bounds = bounds or lower_bounds(inputs)
    keeps_batches = counts.batch_excess_cars == 0
    if keeps_batches and counts.objective <= bounds.objective:
        return Proof(bounds.objective, None, True, time.monotonic() - started, "")
    cp_model = _cp_model()
    classes = _classes(inputs)
    size = len(classes) * len(inputs.cars)
    if size > LARGEST_MODEL:
        remark = f"too large for the exact model: {len(classes)} classes x {len(inputs.cars)} places"
        return Proof(bounds.objective, None, False, time.monotonic() - started, remark)
    model: Any = cp_model.CpModel()
    try:
        at = _Model(model, cp_model.LinearExpr.sum, inputs, classes, bounds, order, started + time_limit_s)
    except TimeoutError:
        remark = "the time was over before the exact model was built"
        return Proof(bounds.objective, None, False, time.monotonic() - started, remark)
    solver: Any = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(started + time_limit_s - time.monotonic(), 0.01)
    solver.parameters.num_workers = threads
    solver.parameters.random_seed = inputs.seed & 0x7FFFFFFF
    solver.parameters.linearization_level = 2
    status = _solve(solver, model)
    known = {"optimal": cp_model.OPTIMAL, "feasible": cp_model.FEASIBLE, "infeasible": cp_model.INFEASIBLE}
    found = next((name for name, value in known.items() if status == value), "unknown")
    remark = "" if found == "optimal" else "the time was over before the exact model was solved"
    if found == "infeasible":
        remark = "no order keeps the longest batch, the frozen cars and the places"
    better, bound = None, bounds.objective
    if found in ("optimal", "feasible", "unknown"):
        # Where no order was found, that of the one given stands above what the solver can have shown.
        shown = int(np.ceil(solver.best_objective_bound - 1e-6))
        bound = max(bound, min(shown, counts.objective) if keeps_batches else shown)
    if found in ("optimal", "feasible") and (not keeps_batches or round(solver.objective_value) < counts.objective):
        better = at.order(solver)
    return Proof(bound, better, found == "optimal", time.monotonic() - started, remark)


def _cp_model() -> Any:
    """Import the solver, or tell that it is not installed."""
    try:
        return _beside(lambda: import_module("ortools.sat.python.cp_model"))
    except ImportError:
        expected = "ortools, which --prove needs: pip install 'coachbuilder[exact]'"
        raise InputError([Problem("command line", "--prove", "ortools is not installed", expected)]) from None


def _solve(solver: Any, model: Any) -> object:
    return _beside(lambda: solver.solve(model), stop=lambda: solver.stop_search())


def _beside(work: Callable[[], T], stop: Callable[[], None] = lambda: None) -> T:
    """Work in a thread, so that Ctrl-C reaches the caller: neither an import nor the solver is cut in the middle."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        try:
            while not wait([future], timeout=0.1).done:
                pass
        except KeyboardInterrupt:
            while not wait([future], timeout=0.1).done:
                stop()
            raise
        return future.result()


def _classes(inputs: SequenceInputs) -> list[list[int]]:
    """Return the positions of the cars of each class: equal options, colour and places; a frozen car is alone."""
    earliest, latest = inputs.earliest_place, inputs.latest_place
    found: dict[tuple[Any, ...], list[int]] = {}
    for car in range(len(inputs.cars)):
        key = (
            inputs.has_option[car].tobytes(),
            inputs.colours[car],
            0 if earliest is None else int(earliest[car]),
            -1 if latest is None else int(latest[car]),
            car if car < inputs.frozen else -1,
        )
        found.setdefault(key, []).append(car)
    return list(found.values())


class _Model:
    """The variables and constraints, with the given order as a hint."""

    def __init__(
        self,
        model: Any,
        total: Any,
        inputs: SequenceInputs,
        classes: Sequence[Sequence[int]],
        bounds: SequenceBounds,
        order: NDArray[np.int64],
        deadline: float,
    ) -> None:
        self.model, self.inputs, self.classes = model, inputs, classes
        self.sum = total
        self.deadline = deadline
        self.places = len(inputs.cars)
        self.stands = [self._flags() for _ in classes]
        self._every_car_once()
        weights = objective_weights(inputs)
        terms: dict[SequenceObjective, Any] = {
            SequenceObjective.HIGH_PRIORITY: 0,
            SequenceObjective.LOW_PRIORITY: 0,
            SequenceObjective.COLOUR_CHANGES: 0,
        }
        for place, rule in enumerate(inputs.rules):
            of = (
                SequenceObjective.HIGH_PRIORITY
                if rule.priority is RulePriority.HIGH
                else SequenceObjective.LOW_PRIORITY
            )
            if weights[of]:
                cost, constant = self._rule(place)
                model.add(cost + constant >= bounds.by_rule[place])
                terms[of] += rule.weight * (cost + constant)
        changes = self._colours(counted=bool(weights[SequenceObjective.COLOUR_CHANGES]))
        if weights[SequenceObjective.COLOUR_CHANGES]:
            model.add(changes >= bounds.colour_changes)
            terms[SequenceObjective.COLOUR_CHANGES] = changes
        for of, least in (
            (SequenceObjective.HIGH_PRIORITY, bounds.high_priority),
            (SequenceObjective.LOW_PRIORITY, bounds.low_priority),
        ):
            if weights[of]:
                model.add(terms[of] >= least)
        total_cost = sum(weights[of] * terms[of] for of in terms if weights[of])
        model.add(total_cost >= bounds.objective)
        model.minimize(total_cost)
        class_of = {car: number for number, cars in enumerate(classes) for car in cars}
        hint = [class_of[int(car)] for car in order]
        if not inputs.short_windows and inputs.previous_colour is None and not self._placed():
            self._one_direction()
            hint = hint[::-1] if hint[0] > hint[-1] else hint
        for place, hinted in enumerate(hint):
            for number in range(len(classes)):
                model.add_hint(self.stands[number][place], number == hinted)

    def order(self, solver: Any) -> NDArray[np.int64]:
        """Return the order of a solution; the cars of a class follow each other as they do in the inputs."""
        left = [list(cars) for cars in self.classes]
        found: list[int] = []
        for place in range(self.places):
            number = next(at for at, row in enumerate(self.stands) if solver.boolean_value(row[place]))
            found.append(left[number].pop(0))
        return np.array(found, dtype=np.int64)

    def _flags(self) -> list[Any]:
        """Return a variable for each place, or tell that the time is over."""
        if time.monotonic() > self.deadline:
            raise TimeoutError
        return [self.model.new_bool_var("") for _ in range(self.places)]

    def _told_by(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """Return for each place whether one of some classes stands there."""
        flags = self._flags()
        for at, flag in enumerate(flags):
            self.model.add(self.sum([row[at] for row in rows]) == flag)
        return flags

    def _placed(self) -> bool:
        inputs = self.inputs
        return inputs.frozen > 0 or inputs.earliest_place is not None or inputs.latest_place is not None

    def _every_car_once(self) -> None:
        for place in range(self.places):
            self.model.add_exactly_one(row[place] for row in self.stands)
        for row, cars in zip(self.stands, self.classes, strict=True):
            self.model.add(self.sum(row) == len(cars))
            first = cars[0]
            low = 0 if self.inputs.earliest_place is None else int(self.inputs.earliest_place[first])
            high = self.places - 1 if self.inputs.latest_place is None else int(self.inputs.latest_place[first])
            if first < self.inputs.frozen:
                low = high = first
            for place in (*range(low), *range(high + 1, self.places)):
                self.model.add(row[place] == 0)

    def _rule(self, place: int) -> tuple[Any, int]:
        """Add a rule's windows; return what they cost and what the day before costs by itself."""
        inputs, rule, model = self.inputs, self.inputs.rules[place], self.model
        holders = [
            row for row, cars in zip(self.stands, self.classes, strict=True) if inputs.has_option[cars[0]][place]
        ]
        wanted = int(inputs.has_option[:, place].sum())
        flags = self._told_by(holders)
        before = [bool(flag) for flag in inputs.previous_has_option[:, place]] if inputs.short_windows else []
        first = 1 - rule.out_of if inputs.short_windows else 0
        last = self.places if inputs.short_windows else self.places - rule.out_of + 1
        over: dict[int, Any] = {}
        constant = 0
        for begin in range(first, last):
            low, high = max(begin, 0), min(begin + rule.out_of, self.places)
            already = sum(before[len(before) + at] for at in range(begin, 0) if len(before) + at >= 0)
            most = min(high - low, wanted) + already - rule.at_most
            if most <= 0:
                continue
            if already > rule.at_most:
                # Too many already: a window that counts once is broken anyhow, else every further car is one too many.
                constant += 1 if inputs.count_windows else already - rule.at_most
                if not inputs.count_windows:
                    over[begin] = self.sum(flags[low:high])
                continue
            held = self.sum(flags[low:high]) + already - rule.at_most
            if inputs.count_windows:
                over[begin] = model.new_bool_var("")
                model.add(held <= most * over[begin])
            else:
                over[begin] = model.new_int_var(0, most, "")
                model.add(held <= over[begin])
        # What the last windows cannot take has to stand before them, and what the first cannot take after them.
        beyond = rule.out_of - rule.at_most if inputs.count_windows else 1
        for windows in range(1, self.places // rule.out_of + 1):
            needed, length = wanted - windows * rule.at_most, windows * rule.out_of
            for begins, rest in (
                (range(self.places - length, self.places, rule.out_of), flags[: self.places - length]),
                (range(0, length, rule.out_of), flags[length:]),
            ):
                if needed > 0:
                    slack = self.sum([over[at] for at in begins if at in over])
                    model.add(self.sum(rest) + beyond * slack >= needed)
        return self.sum(list(over.values())), constant

    def _colours(self, *, counted: bool) -> Any:
        inputs, model = self.inputs, self.model
        names = sorted(set(inputs.colours))
        if len(names) < 2 and inputs.longest_batch >= self.places:
            different = bool(inputs.previous_colour is not None and names and inputs.previous_colour != names[0])
            return int(different)
        painted = {
            name: self._told_by(
                [row for row, cars in zip(self.stands, self.classes, strict=True) if inputs.colours[cars[0]] == name]
            )
            for name in names
        }
        if inputs.longest_batch < self.places:
            for name, cars in ((name, inputs.colours.count(name)) for name in names):
                for begin in range(self.places - inputs.longest_batch) if cars > inputs.longest_batch else ():
                    model.add(self.sum(painted[name][begin : begin + inputs.longest_batch + 1]) <= inputs.longest_batch)
        if not counted:
            return 0
        changes = [model.new_bool_var("") for _ in range(1, self.places)]
        for at, change in enumerate(changes, start=1):
            for name in names:
                model.add(change >= painted[name][at] - painted[name][at - 1])
        begins = 0
        if inputs.previous_colour is not None:
            begins = 1 - painted[inputs.previous_colour][0] if inputs.previous_colour in painted else 1
        return begins + self.sum(changes)

    def _one_direction(self) -> None:
        """Let the class at the first place come no later than that at the last: a reversed order costs the same."""
        numbered = [
            sum(number * row[place] for number, row in enumerate(self.stands)) for place in (0, self.places - 1)
        ]
        self.model.add(numbered[0] <= numbered[1])


__all__ = ["Proof", "prove"]
