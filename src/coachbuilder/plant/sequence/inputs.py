"""From the programme, or from a public benchmark file, to what the sequence stage takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coachbuilder.plant.sequence.interface import (
    RulePriority,
    SequenceInputs,
    SequenceObjective,
    SequenceRule,
)
from coachbuilder.plant.sequence.load.interface import Drift
from coachbuilder.plant.sequence.store.inputs import check_store, places_of, store_inputs_from, withdrawn_of
from coachbuilder.programme.errors import InputError, Problem, closest
from coachbuilder.programme.orders import MOST_CARS_PER_DAY

if TYPE_CHECKING:
    from coachbuilder.formats.car_sequencing import CarSequencingDay
    from coachbuilder.programme import Programme

FILE = "plant.toml"

_OBJECTIVES = {
    "high": SequenceObjective.HIGH_PRIORITY,
    "low": SequenceObjective.LOW_PRIORITY,
    "colour": SequenceObjective.COLOUR_CHANGES,
}


def check(programme: Programme) -> list[Problem]:
    """Return the mistakes in the sequence section that single fields do not show."""
    section = programme.plant.sequence
    found: list[Problem] = []
    models = {model.id for model in programme.plant.model}
    for place, option in enumerate(section.option):
        path = f"sequence.option.{place}"
        if option.at_most >= option.out_of:
            found.append(
                Problem(FILE, f"{path}.at_most", str(option.at_most), f"less than out_of, which is {option.out_of}")
            )
        found.extend(
            Problem(FILE, f"{path}.rates.{name}", name, "the id of a model of this plant", hint=closest(name, models))
            for name in option.rates
            if name not in models
        )
    if sum(colour.share.value for colour in section.colour) <= 0:
        found.append(Problem(FILE, "sequence.colour", "shares that sum to 0", "a share above 0"))
    if len(set(section.objectives)) < len(section.objectives):
        found.append(Problem(FILE, "sequence.objectives", ", ".join(section.objectives), "each objective at most once"))
    return [*found, *check_store(section.store, programme.orders or ())]


def inputs_from(programme: Programme, *, cars_per_day: Mapping[str, float]) -> SequenceInputs:
    """Return the day's cars and rules of a programme.

    Parameters
    ----------
    programme
        Its orders are taken as they are, but for withdrawn cars; without orders a day's order book is drawn from the
        mix: whole cars by model and colour by largest remainder, options by their rates, spread over the day at random
        from the seed.
    cars_per_day
        Cars a working day by model; used without orders only.

    Raises
    ------
    InputError
        With every mistake in the sequence section.
    """
    problems = check(programme)
    if problems:
        raise InputError(problems)
    section = programme.plant.sequence
    if programme.orders is None and sum(cars_per_day.values()) > MOST_CARS_PER_DAY:
        raise InputError(
            [
                Problem(
                    FILE,
                    "model.planned_units_per_year, shifts.working_days_per_year",
                    f"{sum(cars_per_day.values()):.3g} cars a day",
                    f"at most {MOST_CARS_PER_DAY}",
                )
            ]
        )
    if programme.orders is not None:
        today = [order for order in programme.orders if order.built_today]
        before = [order for order in programme.orders if order.previous_day]
        cars = [order.id for order in today]
        models, colours = [order.model for order in today], [order.colour for order in today]
        options = [order.options for order in today]
        previous, last_colour = [order.options for order in before], before[-1].colour if before else None
    else:
        models, colours, options = _order_book(programme, cars_per_day)
        cars = [f"{number:05d}" for number in range(1, len(models) + 1)]
        previous, last_colour, today = [], None, []
    names = [option.id for option in section.option]
    return SequenceInputs(
        cars=tuple(cars),
        models=tuple(models),
        colours=tuple(colours),
        has_option=_flags(options, names),
        rules=tuple(
            SequenceRule(option.id, option.name, option.at_most, option.out_of, option.priority, option.weight)
            for option in section.option
        ),
        previous_has_option=_flags(previous, names),
        previous_colour=last_colour,
        objectives=section.objectives,
        longest_batch=section.longest_batch,
        purge_cost_cny=section.purge_cost_cny.value,
        evaluations=section.evaluations,
        seed=programme.seed,
        drift=drift_of(programme),
        **places_of(today),
        withdrawn=withdrawn_of(programme.orders or ()),
        store=store_inputs_from(section.store, today),
    )


def drift_of(programme: Programme) -> Drift:
    """Return how far the operators of a programme's line may drift."""
    assembly = programme.plant.assembly
    return Drift(
        borders=assembly.borders,
        station_length_share=assembly.station_length_share.value,
        upstream_share=assembly.upstream_drift_share.value,
        downstream_share=assembly.downstream_drift_share.value,
        utility_workers=assembly.utility_workers.value,
    )


def inputs_of(day: CarSequencingDay, *, evaluations: int, seed: int) -> SequenceInputs:
    """Return a public benchmark day as the sequence stage takes it.

    Parameters
    ----------
    day
        As read by :mod:`coachbuilder.formats.car_sequencing`.
    evaluations
        Changes that the search looks at.
    seed
        Seed of the search.
    """
    count = len(day.rules)
    return SequenceInputs(
        cars=day.cars,
        models=("",) * len(day.cars),
        colours=day.colours,
        has_option=np.array(day.options, dtype=np.bool_).reshape(len(day.cars), count),
        rules=tuple(
            SequenceRule(
                rule.id,
                rule.id,
                rule.at_most,
                rule.out_of,
                RulePriority.HIGH if rule.high_priority else RulePriority.LOW,
            )
            for rule in day.rules
        ),
        previous_has_option=np.array(day.previous_options, dtype=np.bool_).reshape(-1, count)
        if count
        else np.zeros((0, 0), dtype=np.bool_),
        previous_colour=day.previous_colours[-1] if day.previous_colours else None,
        objectives=tuple(_OBJECTIVES[name] for name in day.objectives),
        longest_batch=day.longest_batch,
        purge_cost_cny=0.0,
        evaluations=evaluations,
        seed=seed,
        short_windows=day.short_windows,
        count_windows=not day.short_windows,
    )


def _flags(options: Sequence[Sequence[str]], names: Sequence[str]) -> np.ndarray:
    flags: np.ndarray = np.zeros((len(options), len(names)), dtype=np.bool_)
    for row, held in enumerate(options):
        for name in held:
            flags[row, names.index(name)] = True
    return flags


def _order_book(
    programme: Programme, cars_per_day: Mapping[str, float]
) -> tuple[list[str], list[str], list[tuple[str, ...]]]:
    section = programme.plant.sequence
    random = np.random.default_rng([programme.seed, 1])
    by_model = whole_parts(list(cars_per_day.values()))
    models = np.repeat(np.array(list(cars_per_day), dtype=object), by_model)
    by_colour = whole_parts([colour.share.value for colour in section.colour], total=len(models))
    colours = random.permutation(np.repeat(np.array([colour.id for colour in section.colour], dtype=object), by_colour))
    held: list[list[str]] = [[] for _ in models]
    for option in section.option:
        for model, rate in option.rates.items():
            cars = np.flatnonzero(models == model)
            for car in random.permutation(cars)[: round(rate.value * len(cars))]:
                held[car].append(option.id)
    day = random.permutation(len(models))
    return [models[car] for car in day], [colours[car] for car in day], [tuple(held[car]) for car in day]


def whole_parts(parts: Sequence[float], total: int | None = None) -> list[int]:
    """Return whole numbers in the proportion of ``parts`` by largest remainder.

    Parameters
    ----------
    parts
        Sizes, 0 or more.
    total
        What they shall sum to; the rounded sum of the parts unless told.

    Examples
    --------
    >>> whole_parts([1.5, 1.5, 0.2])
    [2, 1, 0]
    >>> whole_parts([1, 1, 2], total=10)
    [3, 2, 5]
    """
    size = sum(parts)
    total = round(size) if total is None else total
    if size <= 0:
        return [0 for _ in parts]
    exact = [part * total / size for part in parts]
    whole = [int(value) for value in exact]
    order = sorted(range(len(parts)), key=lambda place: (whole[place] - exact[place], place))
    for place in order[: total - sum(whole)]:
        whole[place] += 1
    return whole


__all__ = ["check", "drift_of", "inputs_from", "inputs_of", "whole_parts"]
