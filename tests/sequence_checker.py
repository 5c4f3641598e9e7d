"""Recounts a written build order from the raw files of an instance; shares no code with the project.

    python tests/sequence_checker.py INSTANCE ANSWER

INSTANCE is a folder of the ROADEF 2005 challenge or a CSPLib file with one instance; ANSWER has a line ``rank;vehicle``
for each car, or is the JSON that ``coachbuilder sequence INSTANCE --json`` prints.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


class WrongAnswerError(AssertionError):
    """The answer is no order of the day's cars, or breaks the hard limit."""


def read_order(answer: Path) -> list[str]:
    text = answer.read_text(encoding="utf-8")
    if text.startswith("{"):
        return [str(vehicle) for vehicle in json.loads(text)["order"]]
    rows = [line.split(";") for line in text.splitlines()]
    if [row[0] for row in rows] != [str(rank) for rank in range(1, len(rows) + 1)]:
        raise WrongAnswerError("the ranks are not 1, 2, 3 ...")
    return [row[1] for row in rows]


def rows_of(file: Path) -> list[dict[str, str]]:
    lines = [line.strip().split(";") for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip(" ;")]
    return [dict(zip(lines[0], line, strict=False)) for line in lines[1:]]


def recount_challenge(folder: Path, order: list[str]) -> dict[str, int]:
    """Count every window of every rule one by one, as the challenge's subject describes it."""
    vehicles = rows_of(folder / "vehicles.txt")
    start = next(at for at, row in enumerate(vehicles) if row["Date"] == vehicles[-1]["Date"])
    # Of the days before a folder holds what the longest window can see; if a date ends just there and the next one is
    # given from its first car on, more dates than one are to be ordered.
    seen = max((int(rule["Ratio"].split("/")[1]) for rule in rows_of(folder / "ratios.txt")), default=1) - 1
    if 0 < seen < start and vehicles[seen]["Date"] != vehicles[seen - 1]["Date"]:
        date = vehicles[seen]["Date"]
        if any(row["Date"] == date and int(row["SeqRank"]) <= 1 for row in vehicles):
            start = seen
    before, day = vehicles[:start], {row["Ident"]: row for row in vehicles[start:]}
    if sorted(order) != sorted(day):
        raise WrongAnswerError("the answer does not hold each car of the day once")
    line = before + [day[vehicle] for vehicle in order]
    end = start + len(order)
    excess = {"1": 0, "0": 0}
    for rule in rows_of(folder / "ratios.txt"):
        most, length = (int(part) for part in rule["Ratio"].split("/"))
        for begin in range(start - length + 1, end):
            window = line[max(begin, 0) : min(begin + length, end)]
            held = sum(row[rule["Ident"]] == "1" for row in window)
            excess[rule["Prio"]] += max(0, held - most)
    colours = [row["Paint Color"] for row in line]
    changes = sum(colours[at] != colours[at - 1] for at in range(max(start, 1), end))
    limit = int(rows_of(folder / "paint_batch_limit.txt")[0]["limitation"])
    for at in range(start, end - limit):
        if len(set(colours[at : at + limit + 1])) == 1:
            raise WrongAnswerError(f"more than {limit} cars of colour {colours[at]} in a row")
    values = {"high": excess["1"], "low": excess["0"], "paint": changes}
    ranked = sorted(
        (int(row["rank"]), row["objective name"].split("_")[0])
        for row in rows_of(folder / "optimization_objectives.txt")
    )
    total = sum(values[name] * 10 ** (9 - 3 * rank) for rank, name in ranked)
    return {
        "high_priority_excess": values["high"],
        "low_priority_excess": values["low"],
        "colour_changes": changes,
        "objective": total,
    }


def recount_csplib(file: Path, order: list[str]) -> dict[str, int]:
    """Count the full windows that hold too many, and by how much."""
    text = "\n".join(line.split("%")[0] for line in file.read_text(encoding="utf-8").splitlines())
    numbers = iter([int(word) for word in text.split()])
    cars, options, classes = (next(numbers) for _ in range(3))
    most = [next(numbers) for _ in range(options)]
    length = [next(numbers) for _ in range(options)]
    flags: list[list[int]] = []
    for _ in range(classes):
        next(numbers)
        of_class = next(numbers)
        held = [next(numbers) for _ in range(options)]
        flags += [held] * of_class
    if len(flags) != cars or sorted(map(int, order)) != list(range(1, cars + 1)):
        raise WrongAnswerError("the answer does not hold each car once")
    line = [flags[int(vehicle) - 1] for vehicle in order]
    violations = excess = 0
    for option in range(options):
        for begin in range(cars - length[option] + 1):
            over = sum(row[option] for row in line[begin : begin + length[option]]) - most[option]
            violations += over > 0
            excess += max(0, over)
    return {"violations": violations, "excess": excess, "objective": violations}


def recount(instance: Path, order: list[str]) -> dict[str, int]:
    return recount_challenge(instance, order) if instance.is_dir() else recount_csplib(instance, order)


if __name__ == "__main__":
    print(json.dumps(recount(Path(sys.argv[1]), read_order(Path(sys.argv[2])))))
