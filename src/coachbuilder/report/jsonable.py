"""Turns results into plain JSON values; the keys are the names of the fields."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np


def jsonable(value: object) -> Any:
    """Return ``value`` as dictionaries, lists, texts and numbers.

    Dataclasses become objects keyed by field name, arrays become lists. A result never holds NaN or infinity;
    should one turn up it is a fault of ours, and it is told instead of written.

    Raises
    ------
    ValueError
        If a number is not finite.
    TypeError
        If a value has no JSON form.

    Examples
    --------
    >>> jsonable({"dates": (dt.date(2021, 3, 26),), "mass_kg": np.float64(1900.0)})
    {'dates': ['2021-03-26'], 'mass_kg': 1900.0}
    """
    if value is None or (isinstance(value, bool | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, int | np.integer) and not isinstance(value, np.bool_):
        return int(value)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            message = f"a result holds {value}"
            raise ValueError(message)
        return float(value)
    if isinstance(value, np.ndarray):
        return [jsonable(item) for item in value.tolist()]
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: jsonable(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [jsonable(item) for item in items]
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)


def dumps(value: object) -> str:
    """Return ``value`` as JSON text, indented, in the order of its fields."""
    return json.dumps(jsonable(value), ensure_ascii=False, indent=1, allow_nan=False)
