"""The build order: what it is drawn from, how it is counted, and that the search is true to the count."""

from __future__ import annotations

import doctest
import importlib
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coachbuilder.formats.car_sequencing import challenge_answer, read_csplib, read_roadef
from coachbuilder.plant import sequence
from coachbuilder.plant.sequence import SequenceInputs, SequenceRule
from coachbuilder.plant.sequence.inputs import whole_parts
from coachbuilder.programme.errors import InputError, ProblemList
from coachbuilder.programme.orders import read_orders
from coachbuilder.programme.sections.sequence import RulePriority, SequenceObjective

HIGH, LOW = RulePriority.HIGH, RulePriority.LOW


def day(
    options: list[list[int]],
    rules: list[tuple[int, int, RulePriority]],
    colours: str = "",
    *,
    previous: list[list[int]] | None = None,
    **changes: Any,
) -> SequenceInputs:
    n = len(options)
    values: dict[str, Any] = {
        "cars": tuple(str(place) for place in range(n)),
        "models": ("suv",) * n,
        "colours": tuple(colours or "w" * n),
        "has_option": np.array(options, dtype=bool).reshape(n, len(rules)),
        "rules": tuple(SequenceRule(f"r{at}", f"Rule {at}", p, q, level) for at, (p, q, level) in enumerate(rules)),
        "previous_has_option": np.array(previous or [], dtype=bool).reshape(len(previous or []), len(rules)),
        "previous_colour": None,
        "objectives": (
            SequenceObjective.HIGH_PRIORITY,
            SequenceObjective.COLOUR_CHANGES,
            SequenceObjective.LOW_PRIORITY,
        ),
        "longest_batch": 100,
        "purge_cost_cny": 90.0,
        "evaluations": 20_000,
        "seed": 3,
    }
    return SequenceInputs(**(values | changes))


def counted_by_hand(inputs: SequenceInputs, order: list[int]) -> tuple[list[int], list[int]]:
    """The challenge's rules word by word, in plain Python."""
    excess, windows = [], []
    n = len(order)
    for at, rule in enumerate(inputs.rules):
        before = [bool(row[at]) for row in inputs.previous_has_option]
        flags = [bool(inputs.has_option[car][at]) for car in order]
        over = []
        first = -(rule.out_of - 1) if inputs.short_windows else 0
        last = n - 1 if inputs.short_windows else n - rule.out_of
        for begin in range(first, last + 1):
            inside = [flags[place] for place in range(max(begin, 0), min(begin + rule.out_of, n))]
            reach = [before[len(before) + place] for place in range(begin, 0) if len(before) + place >= 0]
            over.append(max(0, sum(inside) + sum(reach) - rule.at_most))
        excess.append(sum(over))
        windows.append(sum(item > 0 for item in over))
    return excess, windows


@pytest.mark.parametrize("name", ["plant.sequence.evaluate", "plant.sequence.inputs", "formats.car_sequencing"])
def test_examples_in_the_docstrings_run(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"coachbuilder.{name}"))
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_a_window_s_excess_is_what_it_holds_beyond_the_rule_and_short_windows_count() -> None:
    inputs = day([[1], [1], [0], [1]], [(1, 3, HIGH)])
    counts = sequence.count(inputs, np.arange(4))
    # windows: .. 1 | . 1 1 (1 over) | 1 1 0 (1) | 1 0 1 (1) | 0 1 | 1
    assert counts.high_priority_excess == 3
    assert counts.violated_windows == 3


def test_csplib_counts_full_windows_alone() -> None:
    inputs = day([[1], [1], [0], [1]], [(1, 3, HIGH)], short_windows=False)
    assert sequence.count(inputs, np.arange(4)).violated_windows == 2


def test_windows_reach_back_into_the_day_before() -> None:
    alone = day([[1], [0], [0]], [(1, 3, HIGH)])
    after = day([[1], [0], [0]], [(1, 3, HIGH)], previous=[[0], [1]])
    assert sequence.count(alone, np.arange(3)).high_priority_excess == 0
    assert sequence.count(after, np.arange(3)).high_priority_excess == 2


def test_colour_changes_include_the_step_from_the_day_before_and_batches_are_cut_at_it() -> None:
    inputs = day([[0]] * 5, [(1, 2, LOW)], "rrrbb", previous_colour="b", longest_batch=2)
    counts = sequence.count(inputs, np.arange(5))
    assert counts.colour_changes == 2
    assert counts.longest_batch_cars == 3
    assert counts.batch_excess_cars == 1


def test_counting_agrees_with_a_plain_python_twin_on_random_days() -> None:
    random = np.random.default_rng(5)
    for _ in range(40):
        n, rules = int(random.integers(1, 25)), int(random.integers(1, 4))
        kinds = [(int(p), int(p + random.integers(1, 6)), HIGH) for p in random.integers(1, 4, rules)]
        inputs = day(
            random.integers(0, 2, (n, rules)).tolist(),
            kinds,
            previous=random.integers(0, 2, (int(random.integers(0, 9)), rules)).tolist(),
            short_windows=bool(random.integers(0, 2)),
        )
        order = random.permutation(n)
        counts = sequence.count(inputs, order)
        excess, windows = counted_by_hand(inputs, order.tolist())
        assert [rule.excess for rule in counts.rules] == excess
        assert [rule.violated_windows for rule in counts.rules] == windows


def test_the_search_finds_the_optimum_of_days_small_enough_to_try_every_order() -> None:
    random = np.random.default_rng(11)
    for trial in range(12):
        n = 6
        inputs = day(
            random.integers(0, 2, (n, 2)).tolist(),
            [(1, 2, HIGH), (1, 3, LOW)],
            "".join(random.choice(list("rgb"), n)),
            longest_batch=2,
            seed=trial,
        )
        every = [sequence.count(inputs, np.array(order)) for order in itertools.permutations(range(n))]
        best = min(item.batch_excess_cars * 10**9 + item.objective for item in every)
        found = sequence.evaluate(inputs).counts
        assert found.batch_excess_cars * 10**9 + found.objective == best


def test_the_order_holds_every_car_once_and_the_same_seed_gives_the_same_order() -> None:
    random = np.random.default_rng(2)
    inputs = day(random.integers(0, 2, (60, 2)).tolist(), [(1, 3, HIGH), (2, 5, LOW)], "rgbw" * 15, longest_batch=4)
    found, again = sequence.evaluate(inputs), sequence.evaluate(inputs)
    assert sorted(car.car for car in found.order) == sorted(inputs.cars)
    assert found == again
    assert found.counts.objective <= found.as_booked.objective
    assert found.counts.batch_excess_cars == 0
    assert found.counts.colour_changes >= found.colour_changes_lower_bound
    assert found.purge_cost_cny_per_day == 90.0 * found.counts.colour_changes


def test_an_objective_that_is_not_named_does_not_count() -> None:
    inputs = day([[1], [1]], [(1, 2, HIGH)], "rb", objectives=(SequenceObjective.COLOUR_CHANGES,))
    assert sequence.count(inputs, np.arange(2)).objective == 10**6


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_day_with_hardly_any_car_has_an_order(count: int) -> None:
    inputs = day([[1]] * count, [(1, 2, HIGH)])
    assert len(sequence.evaluate(inputs).order) == count


def test_a_day_without_rules_is_sorted_by_colour() -> None:
    inputs = day([[]] * 6, [], "rbrbrb")
    assert sequence.evaluate(inputs).counts.colour_changes == 1


def test_whole_parts_keep_their_total() -> None:
    assert sum(whole_parts([0.36, 0.15, 0.14, 0.35], total=979)) == 979
    assert whole_parts([0.0, 0.0]) == [0, 0]


def test_orders_csv_is_read_and_its_mistakes_are_all_told(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(
        "id,day,model,colour,options\n"
        "A1,previous,suv,red,roof\n"
        "A2,,suv,red,roof;tow\n"
        "A2,today,suv,red,\n"
        "A3,tomorrow,sub,rde,rof\n"
        "A4,today,suv,red\n",
        encoding="utf-8",
    )
    problems = ProblemList("orders.csv")
    orders = read_orders(file, ["suv"], ["roof", "tow"], ["red"], problems)
    assert [order.options for order in orders[:2]] == [("roof",), ("roof", "tow")]
    assert orders[0].previous_day
    assert not orders[1].previous_day
    told = [(problem.line, problem.field) for problem in problems]
    assert told == [(4, "id"), (5, "day"), (5, "model"), (5, "colour"), (5, "options"), (6, "row")]


@pytest.mark.parametrize(
    ("content", "field"),
    [("", "file"), ("id,model\n", "header"), ("id,day,model,colour,options\n", "file"), ("a\0b", "file")],
)
def test_an_orders_file_without_orders_is_told(tmp_path: Path, content: str, field: str) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(content, encoding="utf-8")
    problems = ProblemList("orders.csv")
    read_orders(file, ["suv"], [], ["red"], problems)
    assert field in [problem.field for problem in problems]


def test_more_orders_than_any_plant_builds_in_a_day_are_refused(tmp_path: Path) -> None:
    from coachbuilder.programme.orders import MOST_CARS_PER_DAY

    file = tmp_path / "orders.csv"
    rows = [f"{number},today,suv,red," for number in range(MOST_CARS_PER_DAY + 1)]
    file.write_text("\n".join(["id,day,model,colour,options", *rows]) + "\n")
    problems = ProblemList("orders.csv")
    read_orders(file, ["suv"], [], ["red"], problems)
    assert [(problem.field, problem.found) for problem in problems] == [("file", f"{len(rows)} orders of today")]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "header"),
        ("2 1 1\n1\n2\n0 1 1\n", "cars"),
        ("2 1 1\n1 1\n2\n0 2 1\n", "p"),
        ("2 1 1\n1\n2\n0 2 7\n", "class"),
        ("2 1 1\n3\n2\n0 2 1\n", "option 0"),
        ("2 1 x\n1\n2\n0 2 1\n", "number"),
    ],
)
def test_a_csplib_file_that_does_not_fit_together_is_told(tmp_path: Path, text: str, field: str) -> None:
    file = tmp_path / "bad.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as told:
        read_csplib(file)
    assert field in [problem.field for problem in told.value.problems]


def _roadef(folder: Path) -> None:
    (folder / "vehicles.txt").write_text(
        "Date;SeqRank;Ident;Paint Color;H1;L1;\n2003 1;1;a;4;1;0;\n2003 2;1;b;4;1;0;\n2003 2;2;c;5;0;1;\n"
    )
    (folder / "ratios.txt").write_text("Ratio;Prio;Ident;\n1/2;1;H1;\n1/3;0;L1;\n")
    (folder / "optimization_objectives.txt").write_text(
        "rank;objective name;\n2;paint_color_batches;\n1;high_priority_level_and_easy_to_satisfy_ratio_constraints;\n"
    )
    (folder / "paint_batch_limit.txt").write_text("limitation;\n10;\n")


def test_a_challenge_folder_is_read_with_the_day_before(tmp_path: Path) -> None:
    _roadef(tmp_path)
    read = read_roadef(tmp_path)
    assert read.cars == ("b", "c")
    assert read.previous_colours == ("4",)
    assert read.objectives == ("high", "colour")
    assert read.longest_batch == 10
    found = sequence.evaluate(sequence.inputs_of(read, evaluations=100, seed=1))
    assert [car.car for car in found.order] == ["c", "b"]
    assert found.counts.objective == 2 * 1_000
    assert challenge_answer(car.car for car in found.order) == "1;c\n2;b\n"


def test_a_challenge_folder_with_mistakes_names_file_and_line(tmp_path: Path) -> None:
    _roadef(tmp_path)
    with (tmp_path / "vehicles.txt").open("a") as file:
        file.write("2003 2;x;b;5;0;2;\n")
    (tmp_path / "paint_batch_limit.txt").unlink()
    with pytest.raises(InputError) as told:
        read_roadef(tmp_path)
    mistakes = [("vehicles.txt", 5, "L1"), ("vehicles.txt", 5, "Ident"), ("vehicles.txt", 5, "SeqRank")]
    found = [(problem.file, problem.line, problem.field) for problem in told.value.problems]
    assert found == [("paint_batch_limit.txt", None, "file"), *mistakes]
    (tmp_path / "paint_batch_limit.txt").write_text("limitation;\n10;\n")
    with pytest.raises(InputError) as told:
        read_roadef(tmp_path)
    assert [(problem.file, problem.line, problem.field) for problem in told.value.problems] == mistakes
