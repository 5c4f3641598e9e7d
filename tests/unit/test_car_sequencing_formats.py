"""The public car sequencing formats: all that published files do, and every mistake named with its file and line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from coachbuilder.formats.car_sequencing import (
    SequencingFormat,
    challenge_answer,
    read_answer,
    read_csplib,
    read_roadef,
    recognise,
)
from coachbuilder.programme.errors import InputError

VEHICLES = """\
Date;SeqRank;Ident;Paint Color;HPRC1;LPRC1
2003 38 2;7;y1;4;1;0
2003 38 3;8;y2;4;0;1
2003 38 4;1;a;4;1;0
2003 38 4;2;b;5;0;1
2003 38 4;3;c;5;1;1
"""
RATIOS = "Ratio;Prio;Ident;\n1/2;1;HPRC1;\n2/229;0;LPRC1;\n"
OBJECTIVES = """\
rank;objective name;
1;high_priority_level_and_difficult_to_satisfy_ratio_constraints;
2;low_priority_level_ratio_constraints;
3;paint_color_batches;
"""
LIMIT = "limitation;\n10;\n"
FILES = {
    "vehicles.txt": VEHICLES,
    "ratios.txt": RATIOS,
    "optimization_objectives.txt": OBJECTIVES,
    "paint_batch_limit.txt": LIMIT,
}

CSPLIB = "% Problem 4/72  (Regin & Puget #1)\n4 2 2\n1 2\n2 3\n0 3 1 0\n1 1 0 1\n"

Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Write a challenge folder in which some files are other than usual; None leaves a file out."""

    def written(**changes: str | None) -> Path:
        for name, content in (FILES | {name.replace("__", "."): content for name, content in changes.items()}).items():
            if content is not None:
                (tmp_path / name).write_bytes(content.encode())
        return tmp_path

    return written


def told(read: Callable[[], object]) -> list[tuple[str, int | None, str]]:
    with pytest.raises(InputError) as error:
        read()
    return [(problem.file, problem.line, problem.field) for problem in error.value.problems]


def test_a_published_folder_is_read_with_all_days_before(folder: Folder) -> None:
    day = read_roadef(folder())
    assert day.cars == ("a", "b", "c")
    assert day.colours == ("4", "5", "5")
    assert day.options == ((True, False), (False, True), (True, True))
    assert day.previous_options == ((True, False), (False, True))
    assert day.previous_colours == ("4", "4")
    assert [(rule.id, rule.at_most, rule.out_of, rule.high_priority) for rule in day.rules] == [
        ("HPRC1", 1, 2, True),
        ("LPRC1", 2, 229, False),
    ]
    assert day.objectives == ("high", "low", "colour")
    assert day.objective_names[2] == "paint_color_batches"
    assert (day.longest_batch, day.short_windows, day.remarks) == (10, True, ())


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", ";;\n"),
        lambda text: "\n" + text.replace("\n", "\n\n;;;\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text.replace(";", " ; "),
        lambda text: "\n".join([text.split("\n")[0].upper(), *text.split("\n")[1:]]),
    ],
    ids=["mark", "crlf", "semicolons", "blank lines", "no last line end", "spaces", "header in capitals"],
)
def test_what_published_files_do_changes_nothing(folder: Folder, tmp_path: Path, change: Callable[[str], str]) -> None:
    plain = read_roadef(folder())
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(change(content).encode())
    assert read_roadef(tmp_path) == plain


def test_names_of_files_may_be_in_another_case(folder: Folder, tmp_path: Path) -> None:
    plain = read_roadef(folder())
    for name in FILES:
        (tmp_path / name).rename(tmp_path / name.capitalize())
    assert recognise(tmp_path) is SequencingFormat.CHALLENGE
    assert read_roadef(tmp_path) == plain


def test_a_day_without_rules_of_low_priority_and_with_two_objectives_is_read(folder: Folder) -> None:
    day = read_roadef(
        folder(
            vehicles__txt="Date;SeqRank;Ident;Paint Color;HPRC1\n2003 38 4;1;a;4;1\n",
            ratios__txt="Ratio;Prio;Ident;\n1/2;1;HPRC1;\n",
            optimization_objectives__txt="rank;objective name;\n1;paint_color_batches;\n"
            "2;high_priority_level_and_easy_to_satisfy_ratio_constraints;\n",
        )
    )
    assert day.objectives == ("colour", "high")
    assert (day.previous_colours, day.previous_options) == ((), ())


def test_the_cars_of_a_day_stand_in_the_order_of_their_ranks(folder: Folder) -> None:
    rows = VEHICLES.splitlines()
    day = read_roadef(folder(vehicles__txt="\n".join([*rows[:3], rows[5], rows[3], rows[4]])))
    assert day.cars == ("a", "b", "c")


SEVERAL_DATES = """\
Date;SeqRank;Ident;Paint Color;HPRC1;LPRC1
2003 51 6;41;x1;3;1;0
2003 51 6;42;x2;3;0;1
2003 52 1;1;a;4;1;0
2003 52 1;2;b;5;0;1
2003 52 2;2;d;5;0;1
2003 52 2;1;c;4;1;1
2003 1 1;1;e;4;0;0
"""


def test_dates_after_what_the_longest_window_looks_back_upon_are_ordered_together(folder: Folder) -> None:
    """Each published folder of set A gives of the day before one car less than its longest window holds."""
    day = read_roadef(
        folder(vehicles__txt=SEVERAL_DATES, ratios__txt="Ratio;Prio;Ident;\n1/2;1;HPRC1;\n2/3;0;LPRC1;\n")
    )
    assert day.cars == ("a", "b", "c", "d", "e")
    assert day.previous_colours == ("3", "3")
    assert ["the last 3 of 4 dates" in remark for remark in day.remarks] == [True]
    longer = "Ratio;Prio;Ident;\n1/2;1;HPRC1;\n2/5;0;LPRC1;\n"
    day = read_roadef(folder(vehicles__txt=SEVERAL_DATES, ratios__txt=longer))
    assert (day.cars, day.previous_colours, len(day.remarks)) == (("c", "d", "e"), ("3", "3", "4", "5"), 1)
    longest = "Ratio;Prio;Ident;\n1/2;1;HPRC1;\n2/30;0;LPRC1;\n"
    day = read_roadef(folder(vehicles__txt=SEVERAL_DATES, ratios__txt=longest))
    assert (day.cars, len(day.previous_colours), day.remarks) == (("e",), 6, ())


@pytest.mark.parametrize(
    ("ranks", "order"), [("21312", "badec"), ("51423", "bdeca")], ids=["a rank once a date", "a rank once"]
)
def test_an_order_of_several_dates_is_read(tmp_path: Path, ranks: str, order: str) -> None:
    rows = [f"{date};{rank};{car}" for date, rank, car in zip("122333", "7" + ranks, "xabcde", strict=True)]
    (tmp_path / "answer.txt").write_text("\n".join(["Date;SeqRank;Ident", *rows]))
    assert "".join("abcde"[car] for car in read_answer(tmp_path / "answer.txt", tuple("abcde"))) == order


def test_a_column_without_a_ratio_is_left_out_and_told(folder: Folder) -> None:
    day = read_roadef(folder(ratios__txt="Ratio;Prio;Ident;\n1/2;1;HPRC1;\n"))
    assert day.options == ((True,), (False,), (True,))
    assert day.remarks == ("vehicles.txt: no ratio for LPRC1; left out",)


@pytest.mark.parametrize("name", list(FILES))
def test_every_missing_file_and_every_empty_one_is_told(folder: Folder, name: str) -> None:
    key = name.replace(".", "__")
    assert told(lambda: read_roadef(folder(**{key: None}))) == [(name, None, "file")]
    assert told(lambda: read_roadef(folder(**{key: " \n"}))) == [(name, None, "file")]


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "field"),
    [
        ("vehicles.txt", "4;3;c", "4;3;b", 6, "Ident"),
        ("vehicles.txt", "4;3;c", "4;3;y1", 6, "Ident"),
        ("vehicles.txt", "4;3;c", "4;3;", 6, "Ident"),
        ("vehicles.txt", "4;3;c", "4;2;c", 6, "SeqRank"),
        ("vehicles.txt", "4;3;c", "4;x;c", 6, "SeqRank"),
        ("vehicles.txt", "4;3;c", "4;-1;c", 6, "SeqRank"),
        ("vehicles.txt", "2003 38 4;3;c", "2003 38 3;3;c", 6, "Date"),
        ("vehicles.txt", "2003 38 2;7", "2003 39 1;7", None, "Date"),
        ("vehicles.txt", "2003 38 4;3;c", ";3;c", 6, "Date"),
        ("vehicles.txt", "b;5;", "b;;", 5, "Paint Color"),
        ("vehicles.txt", "5;1;1\n", "5;1;2\n", 6, "LPRC1"),
        ("vehicles.txt", "5;1;1\n", "5;1\n", 6, "row"),
        ("vehicles.txt", "5;1;1\n", "5;1;1;1\n", 6, "row"),
        ("vehicles.txt", "HPRC1;LPRC1", "HPRC1;LPCR1", 1, "LPRC1"),
        ("vehicles.txt", "HPRC1;LPRC1", "HPRC1;HPRC1", 1, "header"),
        ("vehicles.txt", "Paint Color", "Paint Colour", 1, "Paint Color"),
        ("vehicles.txt", "SeqRank", "", 1, "header"),
        ("vehicles.txt", VEHICLES[VEHICLES.index("\n") :], "\n", None, "rows"),
        ("ratios.txt", "1/2", "3/2", 2, "Ratio"),
        ("ratios.txt", "1/2", "0/2", 2, "Ratio"),
        ("ratios.txt", "1/2", "1:2", 2, "Ratio"),
        ("ratios.txt", "1/2", "1/" + "9" * 40, 2, "Ratio"),
        ("ratios.txt", ";0;LPRC1", ";2;LPRC1", 3, "Prio"),
        ("ratios.txt", ";0;LPRC1", ";0;HPRC1", 3, "Ident"),
        ("ratios.txt", ";0;LPRC1;", ";0;;", 3, "Ident"),
        ("ratios.txt", "Prio", "Priority", 1, "Prio"),
        ("ratios.txt", "2/229;0;LPRC1;", "2/229;0;LPRC1;\n1/3;0;SUNROOF;", 1, "SUNROOF"),
        ("optimization_objectives.txt", "3;paint_color_batches", "3;paint_colour_batches", 4, "objective name"),
        ("optimization_objectives.txt", "paint_color_batches", OBJECTIVES.split(";")[5], 4, "objective name"),
        ("optimization_objectives.txt", "3;paint", "2;paint", 4, "rank"),
        ("optimization_objectives.txt", "3;paint", "4;paint", 4, "rank"),
        ("optimization_objectives.txt", "3;paint", "first;paint", 4, "rank"),
        ("optimization_objectives.txt", "difficult", "hard", 2, "objective name"),
        ("paint_batch_limit.txt", "10", "0", 2, "limitation"),
        ("paint_batch_limit.txt", "10", "ten", 2, "limitation"),
        ("paint_batch_limit.txt", "10;", "10;\n20;", None, "limitation"),
        ("paint_batch_limit.txt", "limitation", "limit", 1, "limitation"),
    ],
)  # fmt: skip
def test_every_mistake_in_a_folder_is_named_with_file_and_line(
    folder: Folder, file: str, old: str, new: str, line: int | None, field: str
) -> None:
    assert FILES[file].count(old) == 1
    change = {file.replace(".", "__"): FILES[file].replace(old, new)}
    found = told(lambda: read_roadef(folder(**change)))
    where = "vehicles.txt" if new.endswith("SUNROOF;") else file
    assert (where, line, field) in found


def test_mistakes_in_several_files_are_told_together(folder: Folder) -> None:
    ratios, vehicles = RATIOS.replace("1/2", "2/1"), VEHICLES[:-2] + "7\n"
    written = folder(ratios__txt=ratios, paint_batch_limit__txt=None, vehicles__txt=vehicles)
    found = told(lambda: read_roadef(written))
    assert found == [
        ("paint_batch_limit.txt", None, "file"),
        ("ratios.txt", 2, "Ratio"),
        ("vehicles.txt", 6, "LPRC1"),
    ]


def test_csplib_vehicles_are_numbered_through_the_classes(tmp_path: Path) -> None:
    file = tmp_path / "p01.txt"
    file.write_text(CSPLIB)
    day = read_csplib(file)
    assert day.cars == ("1", "2", "3", "4")
    assert day.classes == ("0", "0", "0", "1")
    assert day.options == ((True, False),) * 3 + ((False, True),)
    assert [(rule.id, rule.at_most, rule.out_of) for rule in day.rules] == [("0", 1, 2), ("1", 2, 3)]
    assert (day.objectives, day.short_windows, day.longest_batch) == (("high",), False, 4)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + CSPLIB,
        CSPLIB.replace("\n", "\r\n"),
        CSPLIB.replace("% ", "# "),
        CSPLIB.replace("%", ""),
        "pb_200_01\n" + CSPLIB.split("\n", 1)[1],
        CSPLIB.replace("4 2 2", "4   2\t2  % cars options classes").replace("\n", "\n\n"),
        CSPLIB + "% best known: 0\n\n",
    ],
    ids=["mark", "crlf", "hash", "bare title", "title line", "spaces and comments", "comment at the end"],
)
def test_what_published_csplib_files_do_changes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "plain.txt").write_text(CSPLIB)
    (tmp_path / "other.txt").write_bytes(text.encode())
    assert read_csplib(tmp_path / "other.txt") == read_csplib(tmp_path / "plain.txt")


def test_one_of_several_instances_is_chosen_by_title_or_number(tmp_path: Path) -> None:
    file = tmp_path / "data.txt"
    file.write_text(CSPLIB + "%-----\n% Problem 60-01\n%-----\n2 1 1\n2\n2\n0 2 1\n")
    for name, cars in (("4/72", 4), ("1", 4), ("60-01", 2), ("2", 2), ("4/72 (REGIN & puget #1)", 4)):
        assert len(read_csplib(file, name).cars) == cars
    with pytest.raises(InputError, match=r"2 instances.*4/72 \(Regin & Puget #1\), 60-01"):
        read_csplib(file)
    with pytest.raises(InputError, match=r"found 60-02.*did you mean 60-01\?"):
        read_csplib(file, "60-02")


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("% only a comment\n", None, "header"),
        ("4 2\n1 2\n2 3\n", 1, "header"),
        ("4 2 2\n1 2\n", 1, "header"),
        (CSPLIB.replace("4 2 2", "5 2 2"), 2, "cars"),
        (CSPLIB.replace("4 2 2", "0 2 2"), 2, "cars"),
        (CSPLIB.replace("4 2 2", "99999999 2 2"), 2, "cars"),
        (CSPLIB.replace("4 2 2", "4 2 3"), 2, "classes"),
        (CSPLIB.replace("4 2 2", "4 2 1"), 6, "classes"),
        (CSPLIB.replace("4 2 2", "4 3 2"), 3, "p"),
        (CSPLIB.replace("2 3\n", "2 3 4\n"), 4, "q"),
        (CSPLIB.replace("1 2\n", "1 4\n", 1), 3, "option 1"),
        (CSPLIB.replace("1 2\n", "0 2\n", 1), 3, "option 0"),
        (CSPLIB.replace("1 1 0 1", "1 1 0 2"), 6, "class"),
        (CSPLIB.replace("1 1 0 1", "1 1 0"), 6, "class"),
        (CSPLIB.replace("1 1 0 1", "0 1 0 1"), 6, "class"),
        (CSPLIB.replace("1 1 0 1", "1 one 0 1"), 6, "number"),
        (CSPLIB.replace("1 1 0 1", "one 1 0 1"), 6, "number"),
        (CSPLIB.replace("1 1 0 1", "-1 1 0 1"), 6, "number"),
        (CSPLIB.replace("0 3 1 0", "0 3.0 1 0"), 5, "number"),
    ],
)
def test_every_mistake_in_a_csplib_file_is_named_with_its_line(
    tmp_path: Path, text: str, line: int | None, field: str
) -> None:
    file = tmp_path / "bad.txt"
    file.write_text(text)
    assert ("bad.txt", line, field) in told(lambda: read_csplib(file))


def test_folders_and_files_are_told_apart(folder: Folder, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(InputError, match=r"programme\.toml, or a challenge folder"):
        recognise(other)
    (other / "programme.toml").touch()
    assert recognise(other) is SequencingFormat.PROGRAMME
    assert recognise(folder()) is SequencingFormat.CHALLENGE
    (tmp_path / "p01.txt").write_text(CSPLIB)
    assert recognise(tmp_path / "p01.txt") is SequencingFormat.CSPLIB
    with pytest.raises(InputError, match="the folder that holds it"):
        recognise(tmp_path / "vehicles.txt")
    with pytest.raises(InputError, match="found nothing"):
        recognise(tmp_path / ("long" * 200))


ANSWERS = {
    "the challenge's answer": "1;b\n2;c\n3;a\n",
    "ranks in another order": "3;a\r\n1;b\r\n2;c\r\n",
    "a vehicle a line": "b\nc\na\n",
    "our table": "place,vehicle,colour,options\n1,b,5,\n2,c,5,HPRC1;LPRC1\n3,a,4,HPRC1\n",
    "a vehicles file with the days before": VEHICLES.replace("4;1;a", "4;4;a"),
    "JSON": json.dumps({"objective": 3, "order": ["b", "c", "a"]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(ANSWERS))
def test_a_given_order_is_read(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "answer"
    file.write_text(ANSWERS[kind])
    assert read_answer(file, ("a", "b", "c")) == (1, 2, 0)


def test_the_written_answer_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    file.write_text(challenge_answer(["c", "a", "b"]))
    assert file.read_text() == "1;c\n2;a\n3;b\n"
    assert read_answer(file, ("a", "b", "c")) == (2, 0, 1)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", [(None, "file")]),
        ("1;a\n2;b\n", [(None, "order")]),
        ("1;a\n2;b\n3;b\n", [(3, "order"), (None, "order")]),
        ("1;a\n2;b\n3;x\n", [(3, "order"), (None, "order")]),
        ("1;a\n2;b\n2;c\n", [(3, "rank")]),
        ("1;a\n2;b\nlast;c\n", [(3, "rank"), (None, "order")]),
        ("1;a\n2;b\nc\n", [(3, "row"), (None, "order")]),
        ("{", [(1, "file")]),
        ("{}", [(None, "order")]),
        ('{"order": "abc"}', [(None, "order")]),
        ('{"order": ["a", "b", ["c"]]}', [(None, "order")]),
    ],
)
def test_every_mistake_in_a_given_order_is_told(
    tmp_path: Path, text: str, problems: list[tuple[int | None, str]]
) -> None:
    file = tmp_path / "answer"
    file.write_text(text)
    assert [(line, field) for _, line, field in told(lambda: read_answer(file, ("a", "b", "c")))] == problems
