"""The answer to a car sequencing day of the literature's formats, as JSON values, as text and as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coachbuilder.formats.car_sequencing import SequencingFormat, challenge_answer
from coachbuilder.programme.sections.sequence import SequenceObjective
from coachbuilder.report.jsonable import dumps, jsonable

if TYPE_CHECKING:
    from coachbuilder.plant.sequence import SequenceResult
    from coachbuilder.plant.sequence.day import DayAnswer

_NAMES = {
    SequenceObjective.HIGH_PRIORITY: "high_priority_excess",
    SequenceObjective.LOW_PRIORITY: "low_priority_excess",
    SequenceObjective.COLOUR_CHANGES: "colour_changes",
}
_WORDS = {
    SequenceObjective.HIGH_PRIORITY: "high priority, cars too many",
    SequenceObjective.LOW_PRIORITY: "low priority, cars too many",
    SequenceObjective.COLOUR_CHANGES: "colour changes",
}


def sequenced_day_document(answer: DayAnswer, run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer as one JSON object.

    Parameters
    ----------
    answer
        The answer.
    run
        What cannot be repeated besides the time: when, how, with which versions.
    """
    day, counts = answer.day, answer.counts
    csplib = day.source is SequencingFormat.CSPLIB
    rules = [
        {
            "rule": rule.rule,
            "at_most": rule.at_most,
            "out_of": rule.out_of,
            "priority": rule.priority.value,
            "cars": rule.cars,
            "utilisation": rule.utilisation,
            "violated_windows": rule.violated_windows,
            "excess": rule.excess,
            "lower_bound": least,
        }
        for rule, least in zip(counts.rules, answer.lower_bounds_by_rule, strict=True)
    ]
    time_s = round(answer.time_s, 3)
    common = {
        "lower_bound": answer.lower_bound,
        "proven": answer.proven,
        "gap": answer.gap,
        "time_s": time_s,
        "evaluations": answer.evaluations,
        "seed": answer.seed,
        "threads": answer.threads,
        "rules": rules,
        "remarks": [*day.remarks, *([answer.remark] if answer.remark else [])],
    }
    order = [day.cars[car] for car in answer.order]
    told = jsonable({**run, "time_s": time_s, "history": answer.history})
    if csplib:
        return {
            "format": day.source.value,
            "cars": len(day.cars),
            "objective": counts.objective,
            "violations": counts.violated_windows,
            "excess": counts.high_priority_excess + counts.low_priority_excess,
            "violations_by_option": {rule.rule: rule.violated_windows for rule in counts.rules},
            **common,
            "order": [int(car) for car in order],
            "order_classes": [int(day.classes[car]) for car in answer.order],
            "run": told,
        }
    return {
        "format": day.source.value,
        "cars": len(day.cars),
        "objective": counts.objective,
        "high_priority_excess": counts.high_priority_excess,
        "low_priority_excess": counts.low_priority_excess,
        "colour_changes": counts.colour_changes,
        "objectives": {
            item.name: {
                "rank": rank,
                "key": _NAMES[item.objective],
                "value": item.value,
                "lower_bound": item.lower_bound,
                "weight": item.weight,
            }
            for rank, item in enumerate(answer.objectives, start=1)
        },
        "lower_bounds": {_NAMES[item.objective]: item.lower_bound for item in answer.objectives},
        "longest_batch": day.longest_batch,
        "longest_batch_cars": counts.longest_batch_cars,
        "batch_excess_cars": counts.batch_excess_cars,
        **common,
        "order": order,
        "run": told,
    }


def sequenced_day_text(answer: DayAnswer) -> str:
    """Return the answer as a sentence, its objectives and a table of the rules."""
    day, counts = answer.day, answer.counts
    csplib = day.source is SequencingFormat.CSPLIB
    if counts.batch_excess_cars:
        over = f"{counts.batch_excess_cars} car{'' if counts.batch_excess_cars == 1 else 's'}"
        bound = f"not allowed: {over} beyond the longest batch of {day.longest_batch}"
    elif answer.proven:
        bound = "proven to be the least"
    elif csplib:
        bound = f"not proven: {answer.lower_bound} cannot be ruled out"
    else:
        bound = f"not proven: lower bound {answer.lower_bound}, gap {100 * answer.gap:.2f} %"
    searched = f" ({answer.time_s:.1f} s)" if answer.time_s else ""
    cars = f"{len(day.cars)} cars"
    if csplib:
        windows = f"{counts.objective} window{'' if counts.objective == 1 else 's'} with too many"
        head = [f"{cars}: {windows}, {bound}{searched}"]
    else:
        head = [f"{cars}: weighted sum {counts.objective}, {bound}{searched}", ""]
        head += [
            f"{rank}. {_WORDS[item.objective]}: {item.value} (no order has less than {item.lower_bound})"
            for rank, item in enumerate(answer.objectives, start=1)
        ]
        head += ["", f"Longest run of one colour: {counts.longest_batch_cars} cars, {day.longest_batch} allowed"]
    head += [*day.remarks, *([answer.remark[0].upper() + answer.remark[1:]] if answer.remark else [])]
    rows = [("rule", "at most", "cars", "used", "windows over", "cars too many", "least")]
    rows += [
        (
            f"{rule.rule} ({rule.priority.value})" if not csplib else f"option {rule.rule}",
            f"{rule.at_most}/{rule.out_of}",
            str(rule.cars),
            f"{100 * rule.utilisation:.0f} %",
            str(rule.violated_windows),
            str(rule.excess),
            str(least),
        )
        for rule, least in zip(counts.rules, answer.lower_bounds_by_rule, strict=True)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = [
        "  ".join(
            [f"{row[0]:<{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    order = " ".join((day.classes if csplib else day.cars)[car] for car in answer.order)
    return "\n".join([*head, "", *table, "", f"{'Classes' if csplib else 'Vehicles'} in building order:", order])


def sequenced_day_file(answer: DayAnswer, suffix: str, run: Mapping[str, Any]) -> str:
    """Return the answer as the text of a file of the given kind.

    Parameters
    ----------
    answer
        The answer.
    suffix
        ``.json``, ``.csv`` (a table with a header) or ``.txt``: the challenge's answer, ``rank;vehicle`` a line.
    run
        What cannot be repeated, for the JSON.
    """
    day = answer.day
    if suffix == ".json":
        return dumps(sequenced_day_document(answer, run)) + "\n"
    if suffix != ".csv":
        return challenge_answer(day.cars[car] for car in answer.order)
    names = [rule.id for rule in day.rules]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    csplib = day.source is SequencingFormat.CSPLIB
    writer.writerow(["place", "vehicle", "class" if csplib else "colour", "options"])
    for place, car in enumerate(answer.order, start=1):
        kind = day.classes[car] if csplib else day.colours[car]
        held = ";".join(name for name, has in zip(names, day.options[car], strict=True) if has)
        writer.writerow([place, day.cars[car], kind, held])
    return text.getvalue()


def sequence_file(result: SequenceResult, suffix: str) -> str:
    """Return a programme's build sequence as the text of a ``.json`` file or of a ``.csv`` table with a header."""
    if suffix == ".json":
        return dumps({"sequence": jsonable(result)}) + "\n"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["place", "vehicle", "model", "colour", "options", "broken"])
    for car in result.order:
        writer.writerow([car.position, car.car, car.model, car.colour, ";".join(car.options), ";".join(car.broken)])
    return text.getvalue()


__all__ = ["sequence_file", "sequenced_day_document", "sequenced_day_file", "sequenced_day_text"]
