"""An assumption: a number with its range and the evidence that it names.

A file may give it plainly (``1900``), as a range (``"1750 to 2050"``, read as a 90 % interval), as a table
(``{ value = 1900, low = 1750, high = 2050, evidence = "peer-cars" }``) or as a list of such tables, of which the
one with the latest evidence that ``as_of`` can see is used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

Z_90 = 1.6448536269514722
"""Standard normal quantile of 0.95: a 90 % interval reaches this many standard deviations to each side."""

ASSUMPTION_TITLE = "Assumption"
"""Title by which the JSON Schema of a number is known."""

PLACEHOLDER = "placeholder"
"""Evidence named by a number for which nobody has named any."""

SMALLEST, LARGEST = 1e-12, 1e18
"""Sizes that a number may have: nothing in a car programme lies outside, and nothing computed from them overflows."""

_NUMBER = r"[-+]?(?:\d[\d_ ]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"^\s*({_NUMBER})\s*(?:to|\.\.|–|…)\s*({_NUMBER})\s*$")
_ALLOWED_KEYS = frozenset({"value", "low", "high", "evidence", "if_false"})


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number, what it may range over, and why it is believed.

    Parameters
    ----------
    value
        The central value, in the unit that the field's name carries.
    low, high
        Ends of the 90 % interval; ``None`` until the evidence has been read (see ``evidence.spread``).
    evidence
        Identifier of an entry in the evidence register.
    if_false
        The value that holds when the claim it rests on is false; ``None`` if nothing better is known.
    minimum, maximum
        Hard limits of the field; draws are clipped to them.
    path
        Where the assumption stands, such as ``vehicle.mass_kg``.
    stated_range
        True if the file gave the range, false if the kind of evidence did.
    is_default
        True if the file says nothing and a default of the format stands in.

    Examples
    --------
    >>> Assumption.parse("1750 to 2050").value
    1900.0
    >>> Assumption.parse({"value": 100, "low": 90, "high": 120}).at_quantile(0.95)
    120.0
    """

    value: float
    low: float | None = None
    high: float | None = None
    evidence: str = ""
    if_false: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    path: str = ""
    stated_range: bool = False
    is_default: bool = False
    earlier: tuple[Assumption, ...] = ()

    def at(self, value: float) -> Assumption:
        """Return this assumption at another value; what ``dataclasses.replace`` does, but fast: draws live on it."""
        twin = object.__new__(Assumption)
        for name in _FIELDS:
            object.__setattr__(twin, name, getattr(self, name))
        object.__setattr__(twin, "value", value)
        return twin

    @classmethod
    def parse(cls, raw: object) -> Self:
        """Read an assumption from what a TOML file holds; raise ``PydanticCustomError`` if it is none."""
        if isinstance(raw, cls):
            return raw
        if isinstance(raw, list):
            if not raw:
                raise _bad(raw, "a list of at least one { value, evidence } table")
            versions = [cls.parse(item) for item in raw]
            return replace(versions[0], earlier=tuple(versions[1:]))
        if isinstance(raw, Mapping):
            return cls._from_table(raw)
        if isinstance(raw, str):
            match = _RANGE.match(raw)
            if match is None:
                raise _bad(raw, "a number, or a range such as '1750 to 2050'")
            low, high = (float(re.sub(r"[ _]", "", text)) for text in match.groups())
            if low > high:
                raise _bad(raw, "a range with its lower end first")
            return cls(value=(low + high) / 2, low=low, high=high, stated_range=True)
        return cls(value=_finite(raw, raw))

    @classmethod
    def _from_table(cls, raw: Mapping[str, Any]) -> Self:
        unknown = sorted(set(raw) - _ALLOWED_KEYS)
        if unknown:
            raise _bad("key " + repr(unknown[0]), "only the keys " + ", ".join(sorted(_ALLOWED_KEYS)))
        evidence = raw.get("evidence", "")
        if not isinstance(evidence, str):
            raise _bad(evidence, "the name of an entry in the evidence register")
        base = cls.parse(raw["value"]) if isinstance(raw.get("value"), str) else None
        low, high = raw.get("low"), raw.get("high")
        if base is not None:
            if low is not None or high is not None:
                raise _bad(dict(raw), "either a range as value or low and high, not both")
            value, low, high = base.value, base.low, base.high
        else:
            if (low is None) != (high is None):
                raise _bad(dict(raw), "both low and high, or neither")
            if low is not None:
                low, high = _finite(low, raw), _finite(high, raw)
            if "value" in raw:
                value = _finite(raw["value"], raw)
            elif low is not None and high is not None:
                value = (low + high) / 2
            else:
                raise _bad(dict(raw), "a value, or low and high")
        if low is not None and high is not None and not low <= value <= high:
            found = f"low {low:g}, value {value:g}, high {high:g}"
            raise _bad(found, "low <= value <= high")
        if_false = raw.get("if_false")
        return cls(
            value=value,
            low=low,
            high=high,
            evidence=evidence,
            if_false=None if if_false is None else _finite(if_false, raw),
            stated_range=low is not None,
        )

    @property
    def is_certain(self) -> bool:
        """True if the range is a single point, so that draws leave it alone."""
        return self.low is None or self.high is None or self.low == self.high

    @property
    def is_log_scaled(self) -> bool:
        """True if draws are taken on a log scale: a quantity that cannot be negative and has no upper limit."""
        return self.minimum is not None and self.minimum >= 0 and self.maximum is None and (self.low or 0.0) > 0

    def at_quantile(self, quantile: float) -> float:
        """Return the value at ``quantile`` of the spread: 0.05 gives ``low``, 0.5 ``value``, 0.95 ``high``."""
        from scipy.special import ndtri

        return float(self.at_standard_normal(np.array([ndtri(quantile)]))[0])

    def at_standard_normal(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map standard normal scores to values.

        A two-piece normal through ``low``, ``value`` and ``high`` at the 5, 50 and 95 % points, on a log scale
        for positive quantities without an upper limit, clipped to the field's limits.

        Parameters
        ----------
        z
            Standard normal scores, any shape.
        """
        if self.low is None or self.high is None or self.low == self.high:
            return np.full(np.shape(z), self.value)
        score = np.asarray(z) / Z_90
        if self.is_log_scaled:
            upper = np.log(self.high / self.value)
            lower = np.log(self.value / self.low)
            drawn = self.value * np.exp(np.where(score > 0, upper, lower) * score)
        else:
            drawn = self.value + np.where(score > 0, self.high - self.value, self.value - self.low) * score
        return np.clip(
            drawn,
            -np.inf if self.minimum is None else self.minimum,
            np.inf if self.maximum is None else self.maximum,
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.parse)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # json_schema() puts a reference in its place: pydantic would look for one among its own definitions.
        return {"title": ASSUMPTION_TITLE}


ASSUMPTION_JSON_SCHEMA: JsonSchemaValue = {
    "title": ASSUMPTION_TITLE,
    "description": "A number, a 90 % range such as '1750 to 2050', a table with its evidence, or dated versions.",
    "anyOf": [
        {"type": "number"},
        {"type": "string", "pattern": r"^\s*[-+0-9._ eE]+\s*(to|\.\.|–)\s*[-+0-9._ eE]+\s*$"},
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "value": {"anyOf": [{"type": "number"}, {"type": "string"}]},
                "low": {"type": "number"},
                "high": {"type": "number"},
                "evidence": {"type": "string"},
                "if_false": {"type": "number"},
            },
        },
        {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Assumption"}},
    ],
}


_FIELDS = tuple(Assumption.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Within:
    """Limits of an assumption, used as ``Annotated[Assumption, Within(0, 1)]``.

    Parameters
    ----------
    minimum, maximum
        Inclusive limits; ``None`` leaves that side open.
    above
        If true the minimum itself is not allowed.
    smallest, largest
        What is still believed of a number in a file. Unlike a minimum or a maximum they are no natural limits: ranges
        and draws do not know them.
    """

    minimum: float | None = None
    maximum: float | None = None
    above: bool = False
    smallest: float | None = None
    largest: float | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, assumption: Assumption) -> Assumption:
        for version in (assumption, *assumption.earlier):
            for name in ("value", "low", "high", "if_false"):
                number = getattr(version, name)
                if number is not None and not self._allows(number):
                    found = f"{number:g}" if name == "value" else f"{name} {number:g}"
                    raise _bad(found, self.describe())
        floor = self.minimum
        if floor is not None and self.above:
            floor = math.nextafter(floor, math.inf) if floor else 1e-12
        limited = replace(assumption, minimum=floor, maximum=self.maximum)
        return replace(
            limited,
            earlier=tuple(replace(item, minimum=floor, maximum=self.maximum) for item in assumption.earlier),
        )

    def _allows(self, number: float) -> bool:
        if self.minimum is not None and (number < self.minimum or (self.above and number == self.minimum)):
            return False
        if (self.smallest is not None and number < self.smallest) or (
            self.largest is not None and number > self.largest
        ):
            return False
        return self.maximum is None or number <= self.maximum

    def describe(self) -> str:
        """Return the limits in words."""
        if self.largest is not None:
            low = self.minimum if self.smallest is None else self.smallest
            above = f", above {self.minimum:g}" if self.above and self.smallest is None else ""
            return f"a number from {low or 0.0:g} to {self.largest:g}{above}"
        if self.minimum is not None and self.maximum is not None:
            return f"a number from {self.minimum:g} to {self.maximum:g}" + (
                f", above {self.minimum:g}" if self.above else ""
            )
        if self.minimum is not None:
            return f"a number above {self.minimum:g}" if self.above else f"a number of {self.minimum:g} or more"
        return f"a number of at most {self.maximum:g}"


def _bad(found: object, expected: str) -> PydanticCustomError:
    return PydanticCustomError("assumption", "{expected}", {"found": _as_text(found), "expected": expected})


def _as_text(found: object) -> str:
    return found if isinstance(found, str) else repr(found)


def _finite(number: object, raw: object) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise _bad(number if number is not None else raw, "a number, or a range such as '1750 to 2050'")
    try:
        number = float(number)
    except OverflowError:
        found = "a whole number of hundreds of digits"
        raise _bad(found, f"a number up to {LARGEST:g}") from None
    if not math.isfinite(number):
        raise _bad(number, "a finite number")
    if number and not SMALLEST <= abs(number) <= LARGEST:
        raise _bad(number, f"0, or a number from {SMALLEST:g} to {LARGEST:g} in size")
    return float(number)
