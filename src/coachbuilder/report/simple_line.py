"""The answer to a file of the simple problem, as JSON values and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coachbuilder.plant.balance.simple_line import SimpleLineAnswer


def simple_line_document(answer: SimpleLineAnswer) -> dict[str, Any]:
    """Return the answer as one JSON object."""
    return {
        "stations": answer.stations,
        "takt": answer.takt,
        "lower_bound": answer.lower_bound,
        "proven": answer.proven,
        "gap": answer.gap,
        "memory_reached": answer.memory_reached,
        "time_s": round(answer.time_s, 3),
        "assignment": answer.assignment,
    }


def simple_line_text(answer: SimpleLineAnswer) -> str:
    """Return the answer as a table of the stations below a sentence."""
    bound_in_words = f"{answer.lower_bound} stations" if answer.takt_given else f"a takt of {answer.lower_bound}"
    bound = (
        "proven to be the least"
        if answer.proven
        else f"not proven: {bound_in_words} cannot be ruled out, gap {100 * answer.gap:.2f} %"
    )
    stations = f"{answer.stations} station{'s' if answer.stations > 1 else ''}"
    rows = [("station", "load", "idle", "tasks")]
    rows += [
        (str(number), str(load), str(answer.takt - load), " ".join(map(str, tasks)))
        for number, (load, tasks) in enumerate(zip(answer.loads, answer.tasks, strict=True), start=1)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    table = [
        "  ".join([*(f"{cell:>{width}}" for cell, width in zip(row[:3], widths, strict=True)), row[3]]).rstrip()
        for row in rows
    ]
    head = [f"{stations} at takt {answer.takt}, {bound} ({answer.time_s:.1f} s)"]
    if answer.memory_reached:
        head.append("The search filled the memory that it was given and had to forget; --memory gives it more.")
    return "\n".join([*head, "", *table])
