"""Car sequencing against public instances whose answers are known."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.formats.car_sequencing import read_csplib, read_roadef
from coachbuilder.plant import sequence

EVALUATIONS = 8_000_000


def _best_known(folder: Path) -> dict[str, int]:
    with (folder / "csplib_best_known.csv").open(encoding="utf-8") as file:
        return {row["instance"]: int(row["best_known_violations"]) for row in csv.DictReader(file)}


def test_every_csplib_instance_known_to_be_feasible_is_sequenced_without_a_violation(shared_data: Path) -> None:
    best = _best_known(shared_data / "carseq")
    solved, short = 0, []
    for path in sorted((shared_data / "carseq" / "csplib").glob("*.txt")):
        text = path.read_text()
        name = next((name for name in best if f"{name} " in text.replace("\n", " ")), None)
        if name is None or best[name] != 0:
            continue
        found = sequence.evaluate(sequence.inputs_of(read_csplib(path), evaluations=EVALUATIONS, seed=1))
        solved += 1
        if found.counts.violated_windows:
            short.append((path.name, found.counts.violated_windows))
    assert solved >= 70
    assert short == []


@pytest.mark.parametrize(("file", "instance"), [("p04.txt", "19/71"), ("p05.txt", "21/90"), ("p06.txt", "36/92")])
def test_over_constrained_csplib_instances_reach_their_best_known_value(
    shared_data: Path, file: str, instance: str
) -> None:
    best = _best_known(shared_data / "carseq")[instance]
    day = read_csplib(shared_data / "carseq" / "csplib" / file)
    found = sequence.evaluate(sequence.inputs_of(day, evaluations=EVALUATIONS, seed=1))
    assert found.counts.violated_windows == best


def test_a_challenge_day_with_a_published_answer_is_sequenced_no_worse(shared_data: Path) -> None:
    day = read_roadef(shared_data / "carseq" / "roadef2005" / "set_A" / "064_38_2_EP_RAF_ENP_ch2")
    inputs = sequence.inputs_of(day, evaluations=1_000_000, seed=1)
    found = sequence.evaluate(inputs)
    places = {car: place for place, car in enumerate(inputs.cars)}
    again = sequence.count(inputs, np.array([places[car.car] for car in found.order]))
    assert again == found.counts
    # A published answer: 0 cars too many at high priority, 132 colour changes, 99 at low priority.
    assert found.counts.batch_excess_cars == 0
    assert found.counts.objective <= 132 * 1_000 + 99
