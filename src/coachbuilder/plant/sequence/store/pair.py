"""Two orders of a day, one for paint and one for assembly, and the search for both with a store between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.sequence.bounds import fewest_colour_changes, objective_weights
from coachbuilder.plant.sequence.interface import RulePriority, SequenceInputs, SequenceObjective
from coachbuilder.plant.sequence.store.interface import Objectives, Store
from coachbuilder.plant.sequence.store.reach import sizes

WARMEST, COLDEST = 0.2, 0.12
"""First and last temperature of the search in units of the least weight: it may step back on the last objective."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An order of paint and one of assembly."""

    paint: NDArray[np.int64]
    """Position in ``inputs.cars`` of the car at each place of paint, shape (cars,)."""
    build: NDArray[np.int64]
    """The same for assembly."""

    @property
    def painted_place(self) -> NDArray[np.int64]:
        """Place in paint, from 0, of the car at each place of assembly, shape (cars,)."""
        return np.argsort(self.paint)[self.build]


class Day:
    """A day's cars and rules as the kernels take them.

    Parameters
    ----------
    inputs
        The day. Its frozen cars keep their places in both orders; its earliest and latest places are those of assembly.
    """

    def __init__(self, inputs: SequenceInputs) -> None:
        n, rules = len(inputs.cars), inputs.rules
        weights = objective_weights(inputs)
        high, low = weights[SequenceObjective.HIGH_PRIORITY], weights[SequenceObjective.LOW_PRIORITY]
        names = sorted({*inputs.colours, *([inputs.previous_colour] if inputs.previous_colour is not None else [])})
        self.inputs = inputs
        self.has = np.ascontiguousarray(inputs.has_option, dtype=np.uint8).reshape(n, len(rules))
        self.previous = np.ascontiguousarray(inputs.previous_has_option, dtype=np.uint8).reshape(-1, len(rules) or 1)
        self.at_most = np.array([rule.at_most for rule in rules], dtype=np.int64)
        self.out_of = np.array([rule.out_of for rule in rules], dtype=np.int64)
        self.is_high = np.array([rule.priority is RulePriority.HIGH for rule in rules], dtype=np.bool_)
        self.weight: NDArray[np.int64] = np.where(self.is_high, high, low).astype(np.int64)
        self.weight *= np.array([rule.weight for rule in rules], dtype=np.int64)
        self.change_weight = weights[SequenceObjective.COLOUR_CHANGES]
        self.least_weight = min((weight for weight in weights.values() if weight), default=1)
        self.colour = np.array([names.index(colour) for colour in inputs.colours], dtype=np.int64)
        self.previous_colour = -1 if inputs.previous_colour is None else names.index(inputs.previous_colour)
        self.earliest: NDArray[np.int64] = (
            np.zeros(n, dtype=np.int64) if inputs.earliest_place is None else inputs.earliest_place.astype(np.int64)
        )
        self.latest: NDArray[np.int64] = (
            np.full(n, n, dtype=np.int64) if inputs.latest_place is None else inputs.latest_place.astype(np.int64)
        )
        self._window: NDArray[np.int64] = np.zeros((len(rules), n + int(self.out_of.max(initial=1))), dtype=np.int64)

    def objectives(self, pair: Pair) -> Objectives:
        """Count a pair of orders afresh: rules in assembly, colours in paint."""
        from coachbuilder.plant.sequence.store import kernels

        excess = np.zeros(len(self.out_of), dtype=np.int64)
        kernels.fill_windows(
            pair.build, self.has, self.previous, self.at_most, self.out_of, self.inputs.short_windows,
            self.inputs.count_windows, self._window, excess,
        )  # fmt: skip
        changes = batches = 0
        if len(pair.paint):
            common = (pair.paint, self.colour, self.previous_colour, 0, len(pair.paint) - 1)
            changes = int(kernels.colour_cost(*common, len(pair.paint), 1))
            batches = int(kernels.colour_cost(*common, self.inputs.longest_batch, 0)) // kernels.BATCH_WEIGHT
        return Objectives(
            high_priority_excess=int(excess[self.is_high].sum()),
            low_priority_excess=int(excess[~self.is_high].sum()),
            colour_changes=changes,
            batch_excess_cars=batches,
            objective=int(self.weight @ excess) + self.change_weight * changes,
        )

    def cost(self, pair: Pair) -> int:
        """Return what the search makes small: the objective, and far above it cars outside their places or batches."""
        from coachbuilder.plant.sequence.store import kernels

        return int(
            kernels.total(
                pair.paint, pair.build, self.has, self.previous, self.at_most, self.out_of, self.weight,
                self.inputs.short_windows, self.inputs.count_windows, self.colour, self.previous_colour,
                self.inputs.longest_batch, self.change_weight, self.earliest, self.latest, self._window,
            )
        )  # fmt: skip

    def least_cost(self) -> int:
        """Return a lower bound of the cost: every rule kept, and of each colour as few batches as its cars need."""
        return self.change_weight * fewest_colour_changes(self.inputs)

    def outside_places(self, build: NDArray[np.int64]) -> int:
        """Return how many cars are built before their earliest or after their latest place."""
        places = np.arange(len(build))
        return int(((self.earliest[build] > places) | (self.latest[build] < places)).sum())

    def accepts(self, store: Store, pair: Pair) -> bool:
        """Tell whether the search may start from a pair: for lanes a sufficient condition (see ``take_lanes``)."""
        return self.lane_of(store, pair) is not None

    def lane_of(self, store: Store, pair: Pair) -> NDArray[np.int64] | None:
        """Return the lane of each car, or ``None`` if the store does not release the pair; 0 with random access."""
        from coachbuilder.plant.sequence.store import kernels

        lanes, places = sizes(store)
        scratch = np.zeros((2, max(1, lanes)), dtype=np.int64)
        lane_of = np.zeros(len(pair.build), dtype=np.int64)
        by_car = np.argsort(pair.paint), np.argsort(pair.build)
        fits = kernels.in_reach(pair.paint, pair.build, *by_car, lanes, places, scratch[0], scratch[1], lane_of)
        return lane_of if fits else None

    def follow(
        self, store: Store, paint: NDArray[np.int64], planned: NDArray[np.int64], *, free: bool = False
    ) -> NDArray[np.int64]:
        """Return the order of assembly as near to a planned one as the store allows, if bodies come as in ``paint``.

        At each place the body goes that stands first in the plan among those in the store; due cars whose last place
        has come go before all, late cars whose first place has not come after all, and frozen cars as they came. With
        ``free`` the plan alone counts.
        """
        from coachbuilder.plant.sequence.store import kernels

        n = len(paint)
        lanes, places = sizes(store)
        build = np.empty(n, dtype=np.int64)
        earliest = np.zeros(n, dtype=np.int64) if free else self.earliest
        latest = np.full(n, n, dtype=np.int64) if free else self.latest
        frozen = 0 if free else self.inputs.frozen
        kernels.follow(paint, np.argsort(planned), earliest, latest, frozen, lanes, places, build)
        return build

    def batched(self, places: int, build: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return an order of paint in colour batches that a store of random access can turn into ``build``."""
        from coachbuilder.plant.sequence.store import kernels

        paint = np.empty(len(build), dtype=np.int64)
        kernels.batch_paint(
            build, self.colour, self.previous_colour, self.inputs.frozen, places, self.inputs.longest_batch, paint
        )
        return paint

    def improve(
        self,
        store: Store,
        start: Pair,
        *,
        evaluations: int,
        seed: int,
        move_paint: bool = True,
        weigh_colours: bool = True,
        target: int = 0,
    ) -> Pair:
        """Search for a better pair of orders with a store between them; never returns a worse one.

        Parameters
        ----------
        store
            The store.
        start
            A pair that :meth:`accepts` accepts.
        evaluations
            Changes to look at.
        seed
            Seed of the search.
        move_paint
            False where the order of paint is given.
        weigh_colours
            False to look at the rules alone.
        target
            Cost at which it may stop.
        """
        from coachbuilder.plant.sequence.store import kernels

        paint, build = start.paint.copy(), start.build.copy()
        lanes, places = sizes(store)
        temperature = np.array([WARMEST, COLDEST]) * self.least_weight
        kernels.search(
            start.paint.copy(), start.build.copy(), self.has, self.previous, self.at_most, self.out_of, self.weight,
            self.inputs.short_windows, self.inputs.count_windows, self.colour, self.previous_colour,
            self.inputs.longest_batch if weigh_colours else max(1, len(build)),
            self.change_weight if weigh_colours else 0, self.earliest, self.latest, self.inputs.frozen, lanes, places,
            move_paint, target, evaluations, temperature, np.array([seed], dtype=np.uint64), self._window, paint, build,
        )  # fmt: skip
        return Pair(paint, build)


__all__ = ["Day", "Pair"]
