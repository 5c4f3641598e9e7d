"""Reads and writes the public formats of the simple assembly line balancing problem: .alb and .IN2."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coachbuilder.programme.errors import ProblemList

LARGEST_BYTES = 32 * 1024 * 1024
LARGEST_TIME = 10**12
END_OF_ARCS = (-1, -1)


@dataclass(frozen=True, slots=True)
class AssemblyLine:
    """Tasks with whole times and a precedence graph; tasks are numbered from 0 here, from 1 in the files.

    Parameters
    ----------
    times
        Task times in the unit of the file.
    predecessors
        For each task its direct predecessors, rising.
    cycle_time
        The file's cycle time; ``None`` where the format or the file has none.
    """

    times: tuple[int, ...]
    predecessors: tuple[tuple[int, ...], ...]
    cycle_time: int | None = None

    def order_strength(self) -> float:
        """Return the share of task pairs that precedence orders, directly or not; 0 for a single task.

        Examples
        --------
        >>> AssemblyLine((1, 1, 1), ((), (0,), (1,))).order_strength()
        1.0
        """
        n = len(self.times)
        reached: list[set[int]] = [set() for _ in range(n)]

        def collect(task: int) -> None:
            stack = list(self.predecessors[task])
            while stack:
                earlier = stack.pop()
                if earlier not in reached[task]:
                    reached[task].add(earlier)
                    stack.extend(self.predecessors[earlier])

        for task in range(n):
            collect(task)
        return sum(len(before) for before in reached) / (n * (n - 1) / 2) if n > 1 else 0.0


def read_line(path: Path) -> AssemblyLine:
    """Read an .alb or .IN2 file, told apart by the end of its name.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        With every problem found; also if the name ends otherwise.
    """
    readers = {".alb": read_alb, ".in2": read_in2}
    reader = readers.get(path.suffix.lower())
    if reader is None and path.is_file():
        problems = ProblemList(path.name)
        problems.add("file", f"a name that ends in {path.suffix or 'nothing'}", "an .alb or .IN2 file")
        problems.raise_if_any()
    return (reader or read_alb)(path)


def line_text(line: AssemblyLine, suffix: str) -> str:
    """Return the text of a file of the format that ``suffix`` names, .alb or .IN2 in upper or lower case.

    Raises
    ------
    KeyError
        If it names neither.

    Examples
    --------
    >>> line_text(AssemblyLine((5, 4), ((), (0,))), ".IN2").split()[0]
    '2'
    """
    return {".alb": write_alb, ".in2": write_in2}[suffix.lower()](line)


def read_alb(path: Path) -> AssemblyLine:
    """Read an .alb file: sections in angle brackets, numbers below them.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        With every problem found: not text, a missing section, numbers that are none, tasks that are not there.
    """
    problems = ProblemList(path.name)
    sections = _sections(_lines(path, problems), problems)
    problems.raise_if_any()
    for name in ("number of tasks", "task times", "precedence relations"):
        if name not in sections:
            problems.add(f"<{name}>", "no such section", f"the section <{name}>")
    problems.raise_if_any()
    count = _single(sections["number of tasks"], "number of tasks", problems)
    cycle_time = _single(sections["cycle time"], "cycle time", problems) if "cycle time" in sections else None
    times: dict[int, int] = {}
    for line, text in sections["task times"]:
        numbers = _numbers(text, 2, "task times", line, problems)
        if numbers is not None:
            if numbers[0] in times:
                problems.add("task times", numbers[0], "each task once", line=line)
            _check_time(numbers[1], "task times", line, problems)
            times[numbers[0]] = numbers[1]
    arcs = [
        (line, (numbers[0], numbers[1]))
        for line, text in sections["precedence relations"]
        if (numbers := _numbers(text, 2, "precedence relations", line, problems)) is not None
    ]
    problems.raise_if_any()
    if count is None or sorted(times) != list(range(1, count + 1)):
        problems.add("task times", f"{len(times)} tasks", f"the tasks 1 to {count}, each once")
        problems.raise_if_any()
    return _line([times[task] for task in sorted(times)], arcs, cycle_time, problems)


def read_in2(path: Path) -> AssemblyLine:
    """Read an .IN2 file: the number of tasks, their times, the arcs, and a last line ``-1,-1``.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        With every problem found.
    """
    problems = ProblemList(path.name)
    lines = [(line, text) for line, text in _old_lines(path, problems) if text]
    problems.raise_if_any()
    if not lines:
        problems.add("file", "an empty file", "the number of tasks in the first line")
        problems.raise_if_any()
    count = _single(lines[:1], "number of tasks", problems)
    problems.raise_if_any()
    if count is None or len(lines) < 1 + count:
        problems.add("task times", f"{len(lines) - 1} lines", f"{count} times, then the arcs")
        problems.raise_if_any()
    times: list[int] = []
    for line, text in lines[1 : 1 + (count or 0)]:
        numbers = _numbers(text, 1, "task times", line, problems)
        if numbers is not None:
            _check_time(numbers[0], "task times", line, problems)
            times.append(numbers[0])
    arcs: list[tuple[int, tuple[int, int]]] = []
    ended = False
    for line, text in lines[1 + (count or 0) :]:
        numbers = _numbers(text, 2, "arcs", line, problems)
        if numbers is None:
            continue
        if (numbers[0], numbers[1]) == END_OF_ARCS:
            ended = True
            break
        arcs.append((line, (numbers[0], numbers[1])))
    if not ended:
        problems.add("arcs", "the end of the file", "a last line -1,-1", line=lines[-1][0])
    problems.raise_if_any()
    return _line(times, arcs, None, problems)


def write_alb(line: AssemblyLine) -> str:
    """Return the text of an .alb file.

    Examples
    --------
    >>> print(write_alb(AssemblyLine((5, 4), ((), (0,)), 9)).splitlines()[7])
    1,0
    """
    parts = ["<number of tasks>", str(len(line.times)), ""]
    if line.cycle_time is not None:
        parts += ["<cycle time>", str(line.cycle_time), ""]
    strength = f"{line.order_strength():.3f}".rstrip("0").replace(".", ",")
    parts += ["<order strength>", strength + "0" if strength.endswith(",") else strength, "", "<task times>"]
    parts += [f"{task} {time}" for task, time in enumerate(line.times, start=1)]
    parts += ["", "<precedence relations>", *_arcs(line), "", "<end>", ""]
    return "\n".join(parts)


def write_in2(line: AssemblyLine) -> str:
    """Return the text of an .IN2 file, which has no place for the cycle time.

    Examples
    --------
    >>> write_in2(AssemblyLine((5, 4), ((), (0,)))).split()
    ['2', '5', '4', '1,2', '-1,-1']
    """
    return "\n".join([str(len(line.times)), *map(str, line.times), *_arcs(line), "-1,-1", ""])


def _arcs(line: AssemblyLine) -> list[str]:
    return [f"{earlier + 1},{task + 1}" for task, before in enumerate(line.predecessors) for earlier in before]


def _lines(path: Path, problems: ProblemList) -> list[tuple[int, str]]:
    from coachbuilder.programme.loading import read_text

    text = read_text(path, problems, LARGEST_BYTES)
    return [] if text is None else [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]


def _old_lines(path: Path, problems: ProblemList) -> list[tuple[int, str]]:
    """Return the lines of a file that may carry a remark in a DOS code page behind its last arc."""
    if not path.is_file():
        problems.add("file", "a folder" if path.is_dir() else "nothing", f"the file {path.name}")
        return []
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        problems.add("file", f"{size / 2**20:.1f} MiB", f"at most {LARGEST_BYTES / 2**20:g} MiB of text")
        return []
    text = path.read_bytes().decode("ascii", errors="replace")
    return [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1)]


def _sections(lines: Sequence[tuple[int, str]], problems: ProblemList) -> dict[str, list[tuple[int, str]]]:
    sections: dict[str, list[tuple[int, str]]] = {}
    current: list[tuple[int, str]] | None = None
    for number, text in lines:
        header = re.fullmatch(r"<\s*(.+?)\s*>", text)
        if header:
            name = header.group(1).lower()
            if name == "end":
                break
            if name in sections:
                problems.add(f"<{name}>", "the section twice", "each section once", line=number)
            current = sections.setdefault(name, [])
        elif text and current is not None:
            current.append((number, text))
        elif text:
            problems.add("file", text, "a section in angle brackets first", line=number)
            break
    return sections


def _single(lines: Sequence[tuple[int, str]], field: str, problems: ProblemList) -> int | None:
    if len(lines) != 1:
        problems.add(field, f"{len(lines)} lines", "one whole number")
        return None
    line, text = lines[0]
    numbers = _numbers(text, 1, field, line, problems)
    if numbers is not None and numbers[0] < 1:
        problems.add(field, text, "a whole number above 0", line=line)
    return None if numbers is None else numbers[0]


def _numbers(text: str, count: int, field: str, line: int, problems: ProblemList) -> list[int] | None:
    parts = [part for part in re.split(r"[,;\s]+", text) if part]
    if len(parts) != count or not all(re.fullmatch(r"-?[0-9]{1,18}", part) for part in parts):
        wanted = "one whole number" if count == 1 else f"{count} whole numbers"
        problems.add(field, text, wanted, line=line)
        return None
    return [int(part) for part in parts]


def _check_time(time: int, field: str, line: int, problems: ProblemList) -> None:
    if not 0 <= time <= LARGEST_TIME:
        problems.add(field, time, f"a time from 0 to {LARGEST_TIME}", line=line)


def _line(
    times: Sequence[int],
    arcs: Sequence[tuple[int, tuple[int, int]]],
    cycle_time: int | None,
    problems: ProblemList,
) -> AssemblyLine:
    count = len(times)
    before: list[set[int]] = [set() for _ in range(count)]
    for line, (earlier, later) in arcs:
        if not (1 <= earlier <= count and 1 <= later <= count and earlier != later):
            problems.add("precedence", f"{earlier},{later}", f"two different tasks from 1 to {count}", line=line)
        else:
            before[later - 1].add(earlier - 1)
    problems.raise_if_any()
    stuck = _in_circles(before)
    if stuck:
        problems.add("precedence", f"a circle through task {stuck[0] + 1}", "a graph without a circle")
    problems.raise_if_any()
    return AssemblyLine(tuple(times), tuple(tuple(sorted(earlier)) for earlier in before), cycle_time)


def _in_circles(before: Sequence[set[int]]) -> list[int]:
    """Return the tasks that stand on a circle or behind one."""
    waiting = [len(earlier) for earlier in before]
    followers: list[list[int]] = [[] for _ in before]
    for task, earlier_tasks in enumerate(before):
        for earlier in earlier_tasks:
            followers[earlier].append(task)
    ready = [task for task, count in enumerate(waiting) if count == 0]
    while ready:
        for later in followers[ready.pop()]:
            waiting[later] -= 1
            if waiting[later] == 0:
                ready.append(later)
    return [task for task, count in enumerate(waiting) if count > 0]


__all__ = ["AssemblyLine", "line_text", "read_alb", "read_in2", "read_line", "write_alb", "write_in2"]
