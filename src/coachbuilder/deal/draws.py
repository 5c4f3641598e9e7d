"""Many draws of a deal at once.

Draws of one programme differ in numbers, hardly ever in structure: the same clauses, investments and parts stand in all
of them. Deals of one structure are put side by side as one deal whose numbers are columns, shape (draws, 1), and whose
vectors by month are tables, shape (draws, months). What no draw changes stays plain. The stage's formulas keep axes
before the months, so that they hold for such a stack as for one deal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.deal.evaluate import figures
from coachbuilder.deal.interface import DealFigures, DealInputs

Vector = NDArray[np.float64]

LARGEST_STACK = 256
"""Draws worked out at once: enough that the work outweighs the calls, few enough that a step's tables stay in cache."""

BY_DRAW = frozenset({"demand_units_by_month", "guest_output_units_by_month"})
"""Vectors that are tables in every stack: sales follow from them, and all else takes the shape of the sales."""


def evaluate_draws(inputs: Sequence[DealInputs]) -> DealFigures:
    """Work out the headline figures of many draws.

    They are those of ``evaluate`` draw by draw; what no headline asks for (rates of return, tables by year, break-even)
    is not worked out. A draw whose values are no finite numbers has not a number in all figures.

    Parameters
    ----------
    inputs
        The draws; those of the same structure are worked out together.
    """
    names = [item.name for item in fields(DealFigures)]
    table = np.full((len(names), len(inputs)), np.nan)
    for stack in _stacks(inputs):
        try:
            # What divides by nothing or grows beyond bounds in one draw must not stop the others.
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                found = figures(stack.as_one())
        except ArithmeticError:
            # Arrays never raise it; plain numbers do, and those are the same in all draws of the stack.
            continue
        table[:, stack.rows] = [getattr(found, name) for name in names]
    return DealFigures(**dict(zip(names, table, strict=True)))


@dataclass(slots=True)
class _Stack:
    """Deals of one structure."""

    like: DealInputs
    """One of them."""
    rows: list[int] = field(default_factory=list)
    """Where they stand among all draws."""
    numbers: list[list[float]] = field(default_factory=list)
    """All numbers of each."""
    vectors: list[list[Vector]] = field(default_factory=list)
    """All vectors of each."""

    def as_one(self) -> DealInputs:
        """Return them as one deal: the same walk as taking apart, columns in place of numbers."""
        numbers = np.array(self.numbers)
        is_plain = (numbers == numbers[0]).all(axis=0).tolist()
        columns = iter(
            float(column[0]) if plain else column[:, None] for plain, column in zip(is_plain, numbers.T, strict=True)
        )
        tables = iter([np.array(column) for column in zip(*self.vectors, strict=True)])

        def put_together(value: Any, name: str = "") -> Any:
            if isinstance(value, float):
                return next(columns)
            if isinstance(value, np.ndarray):
                table = next(tables)
                return table if name in BY_DRAW or (table != table[0]).any() else table[0]
            if isinstance(value, tuple):
                return tuple(put_together(item) for item in value)
            if isinstance(value, dict):
                return {key: put_together(item) for key, item in value.items()}
            if is_dataclass(value):
                kind: Any = type(value)
                return kind(**{of: put_together(getattr(value, of), of) for of in _names_of(kind)})
            return value

        one: DealInputs = put_together(self.like)
        return one


def _stacks(inputs: Sequence[DealInputs]) -> Iterable[_Stack]:
    """Return the draws by structure, in stacks that are not too large."""
    stacks: dict[tuple[Any, ...], list[_Stack]] = {}
    for row, deal in enumerate(inputs):
        structure: list[Any] = []
        numbers: list[float] = []
        vectors: list[Vector] = []
        _take_apart((deal,), structure, numbers, vectors)
        alike = stacks.setdefault(tuple(structure), [])
        if not alike or len(alike[-1].rows) == LARGEST_STACK:
            alike.append(_Stack(deal))
        alike[-1].rows.append(row)
        alike[-1].numbers.append(numbers)
        alike[-1].vectors.append(vectors)
    return (stack for alike in stacks.values() for stack in alike)


def _take_apart(items: Iterable[Any], structure: list[Any], numbers: list[float], vectors: list[Vector]) -> None:
    """Add what objects consist of: their numbers, their vectors, and all the rest, which is their structure.

    Whole numbers belong to the structure: they are months, years and counts, which no draw changes.
    """
    for item in items:
        if isinstance(item, float):
            numbers.append(item)
        elif item is None or isinstance(item, str | int):
            structure.append(item)
        elif isinstance(item, np.ndarray):
            structure.append(item.shape)
            vectors.append(item)
        elif isinstance(item, tuple):
            structure.append(len(item))
            _take_apart(item, structure, numbers, vectors)
        elif isinstance(item, dict):
            structure.append(tuple(item))
            _take_apart(item.values(), structure, numbers, vectors)
        else:
            kind: Any = type(item)
            structure.append(kind)
            _take_apart([getattr(item, name) for name in _names_of(kind)], structure, numbers, vectors)


@cache
def _names_of(kind: Any) -> tuple[str, ...]:
    """Return the fields of a dataclass."""
    return tuple(item.name for item in fields(kind))
