"""Files mutated at random are read or refused with a reason: never another exception, never another meaning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.formats.car_sequencing import CarSequencingDay, read_answer, read_csplib, read_roadef
from coachbuilder.programme.errors import InputError

FOLDER = {
    "vehicles.txt": "Date;SeqRank;Ident;Paint Color;H1;L1\n"
    "2003 38 3;9;y;4;1;0\n2003 38 4;1;a;4;1;0\n2003 38 4;2;b;5;0;1\n",
    "ratios.txt": "Ratio;Prio;Ident;\n1/2;1;H1;\n2/9;0;L1;\n",
    "optimization_objectives.txt": "rank;objective name;\n1;paint_color_batches;\n"
    "2;high_priority_level_and_easy_to_satisfy_ratio_constraints;\n3;low_priority_level_ratio_constraints;\n",
    "paint_batch_limit.txt": "limitation;\n10;\n",
}  # fmt: skip
CSPLIB = "% Problem 4/72\n4 2 2\n1 2\n2 3\n0 3 1 0\n1 1 0 1\n"
ANSWER = "1;a\n2;b\n3;c\n"

PIECES = st.sampled_from([*'0123;%#{"\n\r\x00\x1cxé١\ufeff ', "", ";;", "9" * 12, "-1", "1/0"]) | st.text(max_size=4)


@st.composite
def mutated(draw: st.DrawFn, text: str) -> bytes:
    """Some places of a text replaced, a line dropped or doubled, perhaps a byte that is no text."""
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 3))
        begin = draw(st.integers(0, len(text)))
        if kind < 2:
            text = text[:begin] + draw(PIECES) + text[begin + draw(st.integers(0, 4)) :]
        else:
            lines = text.split("\n")
            at = draw(st.integers(0, len(lines) - 1))
            lines[at : at + 1] = [lines[at]] * (0 if kind == 2 else 2)
            text = "\n".join(lines)
    data = text.encode("utf-8", errors="surrogatepass")
    return data + b"\xff" if draw(st.integers(0, 20)) == 0 else data


def sound(day: CarSequencingDay) -> None:
    """What a day must hold, whatever the file held."""
    assert 0 < len(day.cars) == len(set(day.cars)) == len(day.colours) == len(day.options)
    assert len(day.previous_colours) == len(day.previous_options)
    assert all(len(options) == len(day.rules) for options in (*day.options, *day.previous_options))
    assert all(0 < rule.at_most <= rule.out_of for rule in day.rules)
    assert len({rule.id for rule in day.rules}) == len(day.rules)
    assert 0 < len(day.objectives) == len(set(day.objectives))
    assert day.longest_batch >= 1


def read_or_refused(read: Callable[[], CarSequencingDay]) -> None:
    try:
        day = read()
    except InputError as error:
        assert all(problem.file and problem.field and problem.expected for problem in error.problems)
        assert all(problem.line is None or problem.line >= 1 for problem in error.problems)
    else:
        sound(day)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(FOLDER)), st.data())
def test_a_mutated_challenge_folder_is_read_or_refused_with_a_reason(name: str, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        for file, text in FOLDER.items():
            content = data.draw(mutated(text)) if file == name else text.encode()
            (Path(folder) / file).write_bytes(content)
        read_or_refused(lambda: read_roadef(Path(folder)))


@settings(max_examples=300, deadline=None)
@given(mutated(CSPLIB) | mutated(CSPLIB + CSPLIB), st.none() | st.text(max_size=5))
def test_a_mutated_csplib_file_is_read_or_refused_with_a_reason(content: bytes, instance: str | None) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "p01.txt"
        file.write_bytes(content)
        read_or_refused(lambda: read_csplib(file, instance))


@settings(max_examples=300, deadline=None)
@given(mutated(ANSWER) | mutated('{"order": ["a", "b", "c"]}') | mutated("place,vehicle\n1,a\n2,b\n3,c\n"))
def test_a_mutated_answer_is_an_order_of_all_cars_or_refused(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "answer"
        file.write_bytes(content)
        try:
            order = read_answer(file, ("a", "b", "c"))
        except InputError as error:
            assert all(problem.field and problem.expected for problem in error.problems)
        else:
            assert sorted(order) == [0, 1, 2]
