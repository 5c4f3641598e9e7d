"""What went wrong, where, and what to do: the errors that reach a user.

Problems are collected and raised together; each names the file, the field, what was found and what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the input.

    Parameters
    ----------
    file
        The file that holds the mistake, as the user would name it.
    field
        Where in the file: a dotted path (``vehicle.mass_kg``), a column, a cell.
    found
        What stands there now.
    expected
        What may stand there.
    line
        Line in the file, counted from 1; ``None`` where it is not known.
    hint
        What to do, when the expectation does not already say it.

    Examples
    --------
    >>> print(Problem("tasks.csv", "h6_time_s", "-3", "a number of seconds, 0 or more", line=7))
    tasks.csv:7: h6_time_s: found -3; expected a number of seconds, 0 or more
    """

    file: str
    field: str
    found: str
    expected: str
    line: int | None = None
    hint: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        text = f"{place}: {self.field}: found {self.found}; expected {self.expected}"
        return f"{text} ({self.hint})" if self.hint else text


class InputError(Exception):
    """Bad input: every problem that was found, not the first alone.

    Parameters
    ----------
    problems
        At least one problem.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        if not self.problems:
            message = "InputError needs at least one problem"
            raise ValueError(message)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ProblemList:
    """Collects problems on the way through a file and raises them together.

    Parameters
    ----------
    file
        The file that :meth:`add` speaks of unless told otherwise.

    Examples
    --------
    >>> problems = ProblemList("plant.toml")
    >>> problems.add("takt_s", -1, "a number above 0")
    >>> len(problems)
    1
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._problems: list[Problem] = []

    def add(
        self,
        field: str,
        found: object,
        expected: str,
        *,
        line: int | None = None,
        hint: str = "",
        file: str | None = None,
    ) -> None:
        """Note one problem; ``found`` is shown shortened."""
        self._problems.append(Problem(file or self.file, field, shown(found), expected, line, hint))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take over problems found elsewhere."""
        self._problems.extend(problems)

    def __len__(self) -> int:
        return len(self._problems)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._problems)

    def raise_if_any(self) -> None:
        """Raise :class:`InputError` with all that was noted, if anything was."""
        if self._problems:
            raise InputError(self._problems)


_URL_PASSWORD = re.compile(r"(\w://[^\s:/?#]*):\S*@")
_KEY_PASSWORD = re.compile(
    r"""(\b\w*(?:password|passwd|pwd)['"]?\s*[:=]\s*)(?:'[^']*'|"[^"]*"|[^\s,&;'"]+)""", re.IGNORECASE
)


def _without_passwords(text: str) -> str:
    """Return a text without what looks like a password, for it may have been put where none belongs."""
    return _KEY_PASSWORD.sub(r"\1***", _URL_PASSWORD.sub(r"\1:***@", text))


def shown(found: object, limit: int = 80) -> str:
    """Return what was found as a short text for an error message, without passwords.

    Examples
    --------
    >>> shown("postgresql://planner:secret@dbhost/plant")
    'postgresql://planner:***@dbhost/plant'
    """
    text = found if isinstance(found, str) else repr(found)
    text = _without_passwords(" ".join(text.split()))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def closest(word: str, allowed: Iterable[str]) -> str:
    """Return a hint that names the nearest allowed words, or an empty text.

    Examples
    --------
    >>> closest("mas_kg", ["mass_kg", "range_km"])
    'did you mean mass_kg?'
    """
    near = get_close_matches(word, list(allowed), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else ""
