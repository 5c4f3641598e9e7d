"""Plain numbers of a plant file: within limits, without ranges and evidence, and never NaN, text or true."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Plain:
    """Limits of a plain number, used as ``Annotated[float, Plain(0.0, 1.0)]``.

    Parameters
    ----------
    minimum, maximum
        Inclusive limits.
    above
        If true the minimum itself is not allowed.
    whole
        Whether it must be a whole number.

    Examples
    --------
    >>> Plain(0.0, 1.0, above=True).describe()
    'a number from 0 to 1, above 0'
    """

    minimum: float
    maximum: float
    above: bool = False
    whole: bool = False

    def describe(self) -> str:
        """Return the limits in words."""
        kind = "a whole number" if self.whole else "a number"
        above = f", above {self.minimum:g}" if self.above else ""
        return f"{kind} from {self.minimum:.15g} to {self.maximum:.15g}{above}"

    def check(self, raw: object) -> float:
        """Return the number; raise ``PydanticCustomError`` if it is none, or outside its limits."""
        if isinstance(raw, str | Mapping | list):
            raise wrong(raw, f"{self.describe()}, written plainly: a plant file knows no ranges and no evidence")
        if isinstance(raw, bool) or not isinstance(raw, int | float) or (self.whole and not isinstance(raw, int)):
            raise wrong(raw, self.describe())
        if not math.isfinite(raw) if isinstance(raw, float) else abs(raw) > 2**63:
            raise wrong(raw if isinstance(raw, float) else "a whole number of very many digits", self.describe())
        if not self.minimum <= raw <= self.maximum or (self.above and raw == self.minimum):
            raise wrong(f"{raw:g}" if isinstance(raw, float) else raw, self.describe())
        return raw if self.whole else float(raw)

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema: dict[str, Any] = {"type": "integer" if self.whole else "number", "maximum": self.maximum}
        schema["exclusiveMinimum" if self.above else "minimum"] = self.minimum
        return schema


def wrong(found: object, expected: str) -> PydanticCustomError:
    """Return the error that says what was found and what was expected."""
    text = found if isinstance(found, str) else str(found).lower() if isinstance(found, bool) else repr(found)
    return PydanticCustomError("assumption", "{expected}", {"found": text, "expected": expected})
