"""Plant files: what they can say, and one tiny broken file for every mistake, each told by line and field."""

from __future__ import annotations

import dataclasses
import random
import re
from pathlib import Path

import pytest

from coachbuilder.plant.flow import plant as of
from coachbuilder.plant.flow.from_file import changes_from, plant_from, read_plant
from coachbuilder.programme import InputError
from coachbuilder.programme.errors import Problem
from coachbuilder.programme.plant_file import plant_file_from
from coachbuilder.programme.schema import json_schema
from coachbuilder.programme.sections import plant_file as told

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "plants").glob("*.toml"))

WELD = '[[station]]\nid = "weld"\ncycle_time_s = 60\n'
LAST = '[[station]]\nid = "last"\ncycle_time_s = 60\n'
TEST = "[station.test]\nfirst_pass_yield = 0.9\n"
COLOURS = '[[model]]\nid = "suv"\n[[model]]\nid = "sedan"\n[[colour]]\nid = "red"\n[[colour]]\nid = "white"\n'
LINE = '[[line]]\nid = "trim"\nstations = 4\ntakt_s = 60\n'
CALENDAR = '[[calendar]]\nid = "shifts"\n'


def plant(text: str) -> of.Plant:
    return plant_from(plant_file_from(text, "plant.toml"))


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        plant(text)
    return caught.value.problems


# What is read.


def test_the_smallest_plant_is_one_station_with_a_source_that_is_always_ready() -> None:
    read = plant(WELD)
    assert read == of.Plant(
        types=(of.CarType("car", "car", "car"),),
        stations=(of.Station("weld", (of.Time(60.0),)),),
        sources=(of.Source("source", "weld"),),
    )


def test_a_chain_is_what_its_stations_are_one_by_one() -> None:
    short = plant(
        '[[station]]\nid = "m"\nstages = 3\nbuffer_between = 7\ntransport_between_s = 4\ncycle_time_s = 60\n'
        'mtbf_min = 100\nmttr_min = 10\nnext = "last"\nbuffer_after = 2\n' + LAST
    )
    failure = of.Failure("failure", of.Time.exponential(6000.0), of.Time.exponential(600.0))
    assert [station.id for station in short.stations] == ["m.1", "m.2", "m.3", "last"]
    assert all(station.failures == (failure,) and station.shop == "m" for station in short.stations[:3])
    assert short.buffers == (
        of.Buffer("m.1>m.2", "m.2", 7, 4.0),
        of.Buffer("m.2>m.3", "m.3", 7, 4.0),
        of.Buffer("m.3>last", "last", 2),
    )
    assert short.stations[2].ways == (of.Way(("m.3>last",)),)
    assert short.sources == (of.Source("source", "m.1"),)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("60", of.Time(60.0)),
        ("{ fixed = 60 }", of.Time(60.0)),
        ("{ mean = 60 }", of.Time(60.0)),
        ("{ exponential = 60 }", of.Time.exponential(60.0)),
        ('{ mean = 60, kind = "exponential" }', of.Time.exponential(60.0)),
        ("{ gamma = 60, cv = 0.2 }", of.Time.gamma(60.0, 0.2)),
        ('{ mean = 60, kind = "gamma", cv = 0.2 }', of.Time.gamma(60.0, 0.2)),
        ("{ lognormal = 60, cv = 0.2 }", of.Time.lognormal(60.0, 0.2)),
        ("{ values = [50, 60, 85.5] }", of.Time.empirical([50.0, 60.0, 85.5])),
    ],
)
def test_a_time_may_be_written_in_several_ways(text: str, time: of.Time) -> None:
    assert plant(f'[[station]]\nid = "weld"\ncycle_time_s = {text}\n').stations[0] == of.Station("weld", (time,))


def test_failures_are_exponential_unless_told_and_in_minutes() -> None:
    read = plant(
        WELD + '[[station.failure]]\nid = "jam"\nmtbf_min = 20\nmttr_min = { lognormal = 2, cv = 0.5 }\n'
        'clock = "plant"\ncar = "scrap"\ncrew = "one"\n[[crew]]\nid = "one"\nsize = 1\n'
    )
    (failure,) = read.stations[0].failures  # type: ignore[union-attr]
    assert failure == of.Failure(
        "jam",
        of.Time.exponential(1200.0),
        of.Time.lognormal(120.0, 0.5),
        of.FailureClock.PLANT,
        of.FailedCar.SCRAP,
        "one",
    )


def test_every_model_in_every_colour_is_a_type_and_a_model_may_have_a_mix_of_its_own() -> None:
    read = plant(
        '[[model]]\nid = "suv"\nshare = 3\n[[model]]\nid = "sedan"\ncolours = { red = 1, blue = 0 }\n'
        '[[colour]]\nid = "red"\nshare = 1\n[[colour]]\nid = "blue"\nshare = 3\n' + WELD
    )
    assert read.types == (
        of.CarType("suv-red", "suv", "red", 0.75),
        of.CarType("suv-blue", "suv", "blue", 2.25),
        of.CarType("sedan-red", "sedan", "red", 1.0),
    )


def test_times_by_type_take_the_kind_around_them_and_a_type_counts_before_its_model() -> None:
    cycle = (
        plant(
            COLOURS + '[[station]]\nid = "weld"\n[station.cycle_time_s]\ngamma = 60\ncv = 0.2\n'
            "[station.cycle_time_s.by_type]\nsuv-red = 90\nsuv = 70\nred = { fixed = 65 }\n"
        )
        .stations[0]
        .cycle
    )  # type: ignore[union-attr]
    assert cycle == (of.Time.gamma(90.0, 0.2), of.Time.gamma(70.0, 0.2), of.Time(65.0), of.Time.gamma(60.0, 0.2))


def test_next_names_stations_buffers_and_stores_and_what_is_named_together_is_one_group() -> None:
    read = plant(
        COLOURS
        + WELD
        + '[[station.way]]\ntypes = "red"\nnext = ["left", "right"]\nbuffer_after = 3\n'
        + '[[station.way]]\nnext = "store"\n'
        + '[[store]]\nid = "store"\nto = "last"\nlanes = 2\nplaces = 5\nchoose = "same"\n'
        + '[[station]]\nid = "left"\ncycle_time_s = 1\nnext = "lane"\n'
        + '[[station]]\nid = "right"\ncycle_time_s = 1\nnext = "lane"\n'
        + '[[buffer]]\nid = "lane"\nto = "last"\nplaces = 4\ntransport_s = 9\npriority = 2\nfilled = ["suv-red"]\n'
        + LAST
    )
    assert read.stations[0].ways == (
        of.Way(("weld>left", "weld>right"), ("suv-red", "sedan-red")),
        of.Way(("store.1", "store.2"), (), of.Choose.SAME),
    )
    assert of.Buffer("lane", "last", 4, 9.0, 2, 1.0, ("suv-red",)) in read.buffers
    assert of.Buffer("weld>right", "right", 3) in read.buffers
    assert of.Buffer("store.2", "last", 5) in read.buffers


def test_a_line_takes_work_as_a_number_a_list_or_by_type() -> None:
    for text, work in (
        ("work_s = 50", ((50.0,) * 4,) * 4),
        ("work_s = [1, 2, 3, 4]", ((1.0,) * 4, (2.0,) * 4, (3.0,) * 4, (4.0,) * 4)),
        (
            "work_s = { stations = 50, by_type = { suv = [1, 2, 3, 4], red = 7 } }",
            ((1.0, 1.0, 7.0, 50.0), (2.0, 2.0, 7.0, 50.0), (3.0, 3.0, 7.0, 50.0), (4.0, 4.0, 7.0, 50.0)),
        ),
    ):
        (line,) = plant(COLOURS + LINE + text).stations
        assert isinstance(line, of.MovingLine)
        assert line.work_s == work


def test_shifts_of_a_week_become_windows_that_breaks_cut_and_midnight_does_not() -> None:
    text = (
        '[[calendar]]\nid = "shifts"\nshifts = ["22:00-06:00", "06:00-14:00"]\ndays = ["sun", "mon"]\n'
        'breaks = ["02:00-02:30"]\novertime = ["sat 08:00-09:30"]\n'
    )
    (calendar,) = plant(WELD + 'calendar = "shifts"\n' + text).calendars
    assert calendar.period_s == 7 * 86400.0
    assert [(start / 3600, end / 3600) for start, end in calendar.windows_s] == [
        (0, 2), (2.5, 14), (22, 26), (26.5, 30), (128, 129.5), (150, 158), (166, 168),
    ]  # fmt: skip


def test_plain_windows_repeat_after_their_period() -> None:
    text = '[[calendar]]\nid = "shifts"\nwindows_h = [[0, 4], [4.5, 8]]\nperiod_h = 24\n'
    (calendar,) = plant(WELD + text).calendars
    assert calendar == of.Calendar("shifts", ((0.0, 14400.0), (16200.0, 28800.0)), 86400.0)


def test_all_that_a_plant_can_say_a_file_can_say() -> None:
    """A plant with every property of every part away from its default comes out of a file."""
    read = plant(EVERYTHING)
    parts: list[object] = [read, *read.types, *read.stations, *read.sources, *read.buffers, *read.carriers]
    parts += [*read.crews, *read.calendars]
    for station in read.stations:
        parts += [*station.failures, *station.ways, station.test]
        if isinstance(station, of.Station):
            parts += [station.maintenance, station.set_up, station.batch]
        else:
            parts += station.station_failures
    seen: dict[type, set[str]] = {}
    for part in parts:
        if part is None:
            continue
        changed = seen.setdefault(type(part), set())
        for item in dataclasses.fields(part):  # type: ignore[arg-type]
            default = item.default_factory() if callable(item.default_factory) else item.default
            if getattr(part, item.name) != default:
                changed.add(item.name)
    kinds = (
        of.Plant, of.CarType, of.Station, of.MovingLine, of.Failure, of.Maintenance, of.SetUp, of.Batch, of.Test,
        of.Way, of.Buffer, of.Source, of.CarrierLoop, of.Crew, of.Calendar,
    )  # fmt: skip
    missing = {
        kind.__name__: left for kind in kinds if (left := {item.name for item in dataclasses.fields(kind)} - seen[kind])
    }
    assert missing == {}


EVERYTHING = (
    COLOURS.replace('id = "suv"', 'id = "suv"\nshare = 2')
    + """
[[shop]]
id = "body"
name = "Body shop"
[[crew]]
id = "crew"
size = 2
[[calendar]]
id = "day"
shifts = ["06:00-14:00"]
[[source]]
id = "a"
to = "weld"
shares = { suv = 1, red = 1 }
interval_s = { exponential = 90 }
limit = 1000
priority = 3
share = 2
[[source]]
id = "b"
to = "weld"
order = ["suv-red", "sedan-white"]
[[station]]
id = "weld"
shop = "body"
machines = 2
cycle_time_s = 60
blocking = "before service"
pick = "oldest"
calendar = "day"
maintenance = { every_h = 100, length_min = 30, first_h = 4 }
set_up = { time_s = 9, pair = [{ from = "red", to = "white", time_s = 20 }] }
next = "lane"
[[station.failure]]
id = "jam"
mtbf_min = 20
mttr_min = 2
clock = "plant"
car = "restart"
crew = "crew"
[[buffer]]
id = "lane"
to = "oven"
places = 20
transport_s = 30
priority = 2
share = 3
filled = ["suv-red"]
riding = ["sedan-white", "suv-red"]
[[station]]
id = "oven"
cycle_time_s = 100
batch = { size = 4, same_family = true }
lose_when_full = true
scrap_share = 0.01
next = "trim"
[station.test]
first_pass_yield = 0.9
retest_yield = 0.8
fail_to = ["oven", "weld"]
buffer_after = 9
choose = "first"
[[line]]
id = "trim"
shop = "body"
stations = 3
takt_s = 60
work_s = 55
work_cv = 0.1
length_s = 66
utility_workers = 1
stops = false
empty_place = "wait"
mtbf_min = 100
mttr_min = 3
pick = "longest"
calendar = "day"
filled = ["suv-red", "sedan-white"]
[[line.station_failure]]
id = "cord"
mtbf_min = 50
mttr_min = 1
[line.test]
first_pass_yield = 0.95
fail_to = "trim"
buffer_after = 2
[[line.way]]
types = "red"
next = ["last", "end"]
choose = "share"
[[line.way]]
[[station]]
id = "last"
cycle_time_s = 60
[[station]]
id = "end"
cycle_time_s = 60
[[carrier]]
id = "skid"
carriers = 9
load = "weld"
unload = "trim"
return_s = 60
"""
)


def test_the_words_of_the_file_are_those_of_the_plant() -> None:
    for name in ("FailureClock", "FailedCar", "Blocking", "Pick", "Choose", "EmptyPlace"):
        assert [item.value for item in getattr(told, name)] == [item.value for item in getattr(of, name)]
    assert {item.value for item in told.TimeKind} | {"empirical"} == {item.value for item in of.TimeKind}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_plants_without_mistakes(path: Path) -> None:
    assert read_plant(path).stations


# What is refused: a file, the field, the line, and words of the message.

MISTAKES: dict[str, tuple[str, str, int | None, str]] = {
    "broken TOML": ("[[station]\n", "syntax", 1, "expected TOML"),
    "nothing at all": ("", "station", None, "at least one [[station]]"),
    "a file of a programme": ("[shifts]\nshifts_per_day = 2\n", "file", None, "name the programme's folder"),
    "an unknown key": (WELD + "bufer_after = 3\n", "station.weld.bufer_after", 4, "did you mean buffer_after?"),
    "an unknown table": (WELD + "[[stores]]\n", "stores", 4, "did you mean store or source?"),
    "a missing key": ('[[station]]\nid = "weld"\n', "station.weld.cycle_time_s", 1, "the key 'cycle_time_s'"),
    "a name with a dot": (WELD.replace('"weld"', '"we.ld"'), "station.we.ld.id", 2, "pattern"),
    # Numbers.
    "a time of 0": (WELD.replace("60", "0"), "station.weld.cycle_time_s.mean", 3, "from 0.001 to 100000000"),
    "a negative time": (WELD.replace("60", "-6"), "station.weld.cycle_time_s.mean", 3, "found -6"),
    "a NaN": (WELD.replace("60", "nan"), "station.weld.cycle_time_s.mean", 3, "found nan"),
    "an infinite time": (WELD.replace("60", "inf"), "station.weld.cycle_time_s.mean", 3, "found inf"),
    "an absurd time": (WELD.replace("60", "1e300"), "station.weld.cycle_time_s.mean", 3, "found 1e+300"),
    "true for a time": (WELD.replace("60", "true"), "station.weld.cycle_time_s.mean", 3, "found true"),
    "true for a count": (WELD + "machines = true\n", "station.weld.machines", 4, "a whole number from 1 to 1000"),
    "half a machine": (WELD + "machines = 1.5\n", "station.weld.machines", 4, "a whole number from 1 to 1000"),
    "no machine": (WELD + "machines = 0\n", "station.weld.machines", 4, "found 0"),
    "a number of hundreds of digits": (WELD + f"machines = {'9' * 400}\n", "station.weld.machines", 4, "whole number"),
    "text for a yes": (WELD + 'lose_when_full = "yes"\n', "station.weld.lose_when_full", 4, "boolean"),
    "a range": (WELD.replace("60", '"50 to 70"'), "station.weld.cycle_time_s", 3, "a plain number such as 60"),
    "a number with its evidence": (
        WELD.replace("60", '{ value = 60, low = 50, high = 70, evidence = "visit" }'),
        "station.weld.cycle_time_s",
        3,
        "knows no ranges and no evidence",
    ),
    "a count with its evidence": (
        WELD + 'machines = { value = 3, evidence = "visit" }\n',
        "station.weld.machines",
        4,
        "written plainly: a plant file knows no ranges and no evidence",
    ),
    # Times that vary.
    "a fixed time with a cv": (
        WELD.replace("60", "{ fixed = 60, cv = 0.2 }"),
        "station.weld.cycle_time_s",
        3,
        "cv 0.2",
    ),
    "a mean with a cv alone": (WELD.replace("60", "{ mean = 60, cv = 0.2 }"), "station.weld.cycle_time_s", 3, "a kind"),
    "a gamma time without a cv": (WELD.replace("60", "{ gamma = 60 }"), "station.weld.cycle_time_s", 3, "found no cv"),
    "a lognormal time of cv 0": (
        WELD.replace("60", "{ lognormal = 60, cv = 0 }"),
        "station.weld.cycle_time_s",
        3,
        "a cv above 0",
    ),
    "two means": (WELD.replace("60", "{ mean = 60, gamma = 60 }"), "station.weld.cycle_time_s", 3, "mean and gamma"),
    "a kind beside a short form": (
        WELD.replace("60", '{ gamma = 60, cv = 1, kind = "fixed" }'),
        "station.weld.cycle_time_s",
        3,
        "kind beside gamma",
    ),
    "a table without a time": (WELD.replace("60", "{}"), "station.weld.cycle_time_s", 3, "found no time"),
    "measured times without values": (
        WELD.replace("60", "{ values = [] }"),
        "station.weld.cycle_time_s",
        3,
        "at least one value",
    ),
    "measured times that are all 0": (
        WELD.replace("60", "{ values = [0, 0] }"),
        "station.weld.cycle_time_s",
        3,
        "values of mean 0",
    ),
    "an unknown kind": (
        WELD.replace("60", '{ mean = 60, kind = "gama" }'),
        "station.weld.cycle_time_s.kind",
        3,
        "did you mean gamma?",
    ),
    "a time for an unknown type": (
        COLOURS + WELD.replace("60", "{ mean = 60, by_type = { suw = 3 } }"),
        "station.weld.cycle_time_s.by_type",
        11,
        "did you mean suv?",
    ),
    "types without a time": (
        COLOURS + WELD.replace("60", "{ by_type = { suv = 3 } }"),
        "station.weld.cycle_time_s",
        11,
        "nothing for sedan-red, sedan-white",
    ),
    # Names.
    "a station twice": (WELD + WELD, "station.id", 5, "an identifier used once"),
    "a line named as a station": (WELD + LINE.replace("trim", "weld"), "line.weld.id", 5, "a name that no station has"),
    "an unknown goal": (WELD + 'next = "lsat"\n' + LAST, "station.weld.next", 4, "did you mean last?"),
    "a goal that is no name": (WELD + "next = 3\n", "station.weld.next", 4, "a name, or a list of names"),
    "a goal named twice": (WELD + 'next = ["last", "last"]\n' + LAST, "station.weld.next", 4, "every name once"),
    "an unknown crew": (
        WELD + '[[station.failure]]\nid = "jam"\nmtbf_min = 9\nmttr_min = 1\ncrew = "nigth"\n'
        '[[crew]]\nid = "night"\nsize = 1\n',
        "station.weld.failure.jam.crew",
        8,
        "did you mean night?",
    ),
    "an unknown calendar": (
        WELD + 'calendar = "shift"\n' + CALENDAR + 'shifts = ["06:00-14:00"]\n',
        "station.weld.calendar",
        4,
        "did you mean shifts?",
    ),
    "an unknown shop": (
        WELD + 'shop = "boddy"\n[[shop]]\nid = "body"\nname = "Body"\n',
        "station.weld.shop",
        4,
        "did you mean body?",
    ),
    "a buffer before nothing": (
        WELD + 'next = "lane"\n[[buffer]]\nid = "lane"\nto = "lats"\nplaces = 1\n' + LAST,
        "buffer.lane.to",
        7,
        "did you mean last?",
    ),
    "a store before nothing": (
        WELD + 'next = "s"\n[[store]]\nid = "s"\nto = "lats"\nlanes = 2\nplaces = 1\n' + LAST,
        "store.s.to",
        7,
        "did you mean last?",
    ),
    "a source before nothing": (WELD + '[[source]]\nid = "in"\nto = "wled"\n', "source.in.to", 6, "did you mean weld?"),
    "a model in an unknown colour": (
        '[[model]]\nid = "suv"\ncolours = { rde = 1 }\n[[colour]]\nid = "red"\n' + WELD,
        "model.suv.colours.rde",
        3,
        "did you mean red?",
    ),
    "types beside models": (COLOURS + '[[type]]\nid = "x"\n' + WELD, "model", 1, "not both"),
    "a rule that does not exist": (WELD + 'pick = "longst"\n', "station.weld.pick", 4, "did you mean longest?"),
    "a failure twice": (
        WELD + '[[station.failure]]\nid = "jam"\nmtbf_min = 9\nmttr_min = 1\n' * 2,
        "station.weld.failure.id",
        9,
        "used once",
    ),
    "a failure named as the short form": (
        WELD + 'mtbf_min = 9\nmttr_min = 1\n[[station.failure]]\nid = "failure"\nmtbf_min = 9\nmttr_min = 1\n',
        "station.weld.failure.failure.id",
        7,
        "another name",
    ),
    "an MTBF without an MTTR": (WELD + "mtbf_min = 9\n", "station.weld.mtbf_min", 4, "both, or neither"),
    "an MTTR without an MTBF": (WELD + "mttr_min = 9\n", "station.weld.mttr_min", 4, "both, or neither"),
    # Ways.
    "next beside ways": (
        WELD + 'next = "last"\n[[station.way]]\nnext = "last"\n' + LAST,
        "station.weld.next",
        4,
        "[[way]] tables, or no",
    ),
    "two ways for one type": (
        COLOURS + WELD + '[[station.way]]\ntypes = "suv"\n[[station.way]]\ntypes = "red"\n',
        "station.weld.way",
        12,
        "two ways for suv-red",
    ),
    "a type without a way": (
        COLOURS + WELD + '[[station.way]]\ntypes = "suv"\n',
        "station.weld.way",
        12,
        "no way for sedan-red, sedan-white",
    ),
    "a buffer in two groups": (
        WELD + 'next = ["a", "b"]\n' + LAST + 'next = "a"\n'
        '[[buffer]]\nid = "a"\nto = "last"\nplaces = 1\n[[buffer]]\nid = "b"\nto = "last"\nplaces = 1\n'
        '[[source]]\nid = "in"\nto = "weld"\n',
        "station.last.next",
        8,
        "a in another group",
    ),
    "a group in two orders": (
        WELD
        + 'next = ["a", "b"]\n'
        + WELD.replace("weld", "weld2")
        + 'next = ["b", "a"]\n'
        + LAST
        + '[[buffer]]\nid = "a"\nto = "last"\nplaces = 1\n[[buffer]]\nid = "b"\nto = "last"\nplaces = 1\n'
        '[[source]]\nid = "in"\nto = "weld"\n[[source]]\nid = "in2"\nto = "weld2"\n',
        "station.weld2.next",
        8,
        "in another order",
    ),
    "a group of two rules": (
        WELD
        + 'next = "s"\n'
        + WELD.replace("weld", "weld2")
        + 'next = "s"\nchoose = "first"\n'
        + LAST
        + '[[store]]\nid = "s"\nto = "last"\nlanes = 2\nplaces = 1\n'
        '[[source]]\nid = "in"\nto = "weld"\n[[source]]\nid = "in2"\nto = "weld2"\n',
        "station.weld2.choose",
        9,
        "least, as another way",
    ),
    "a way with places into a buffer": (
        WELD + 'next = "lane"\nbuffer_after = 3\n[[buffer]]\nid = "lane"\nto = "last"\nplaces = 1\n' + LAST,
        "station.weld.buffer_after",
        5,
        "places of their own",
    ),
    "places behind the last station": (WELD + "buffer_after = 3\n", "station.weld.buffer_after", 4, "leave the plant"),
    "two ways with other places to one station": (
        COLOURS + WELD + '[[station.way]]\ntypes = "suv"\nnext = "last"\nbuffer_after = 1\n'
        '[[station.way]]\nnext = "last"\n' + LAST,
        "station.weld.way.1.buffer_after",
        16,
        "a [[buffer]] each",
    ),
    "a buffer that no station names": (
        WELD + '[[buffer]]\nid = "lane"\nto = "weld"\nplaces = 1\n[[source]]\nid = "in"\nto = "weld"\n',
        "buffer.lane.id",
        5,
        "its name in next",
    ),
    "transport without places": (
        WELD + 'next = "last"\ntransport_after_s = 5\n' + LAST,
        "station.weld.transport_after_s",
        5,
        "ride on places",
    ),
    "transport in a buffer without places": (
        WELD + 'next = "lane"\n[[buffer]]\nid = "lane"\nto = "last"\nplaces = 0\ntransport_s = 5\n' + LAST,
        "buffer.lane.transport_s",
        9,
        "ride on places",
    ),
    "transport in a chain without places": (
        WELD + "stages = 3\ntransport_between_s = 5\n",
        "station.weld.transport_between_s",
        5,
        "ride on places",
    ),
    "places between stages of one station": (
        WELD + "buffer_between = 5\n",
        "station.weld.buffer_between",
        4,
        "stages above 1",
    ),
    # Rules that exclude each other.
    "before service with a test": (
        WELD
        + 'blocking = "before service"\nnext = "last"\nbuffer_after = 1\n'
        + TEST
        + 'fail_to = "weld"\nbuffer_after = 1\n'
        + LAST
        + '[[source]]\nid = "in"\nto = "weld"\n',
        "station.weld.blocking",
        4,
        "before service with a test",
    ),
    "before service into two buffers": (
        WELD
        + 'blocking = "before service"\nnext = "s"\n[[store]]\nid = "s"\nto = "last"\nlanes = 2\nplaces = 1\n'
        + LAST,
        "station.weld.blocking",
        4,
        "into 2 buffers",
    ),
    "before service into a buffer without places": (
        WELD + 'blocking = "before service"\nnext = "last"\n' + LAST,
        "station.weld.blocking",
        4,
        "which has no places",
    ),
    "before service with a batch": (
        WELD + 'blocking = "before service"\nbatch = { size = 4 }\nnext = "last"\nbuffer_after = 1\n' + LAST,
        "station.weld.blocking",
        4,
        "before service with a batch",
    ),
    "a line that gives cars up": (
        LINE + '[[line.failure]]\nid = "cord"\nmtbf_min = 9\nmttr_min = 1\ncar = "scrap"\n',
        "line.trim.failure",
        5,
        "cord with car scrap",
    ),
    "a station of a line that starts anew": (
        LINE + '[[line.station_failure]]\nid = "cord"\nmtbf_min = 9\nmttr_min = 1\ncar = "restart"\n',
        "line.trim.station_failure",
        5,
        "car resume on a line",
    ),
    "a batch in a chain": (WELD + "stages = 2\nbatch = { size = 4 }\n", "station.weld.batch", 5, "of its own for it"),
    "too many clocks at one line": (
        LINE.replace("4", "61")
        + '[[line.station_failure]]\nid = "cord"\nmtbf_min = 9\nmttr_min = 1\nclock = "plant"\n',
        "line.trim.failure",
        1,
        "at most 60",
    ),
    "a set-up of an unknown family": (
        COLOURS + WELD + 'set_up = { pair = [{ from = "rde", to = "white", time_s = 3 }] }\n',
        "station.weld.set_up.pair",
        12,
        "did you mean red?",
    ),
    "a set-up told twice": (
        COLOURS + WELD + "set_up = { pair = [" + '{ from = "red", to = "white", time_s = 3 },' * 2 + "] }\n",
        "station.weld.set_up.pair",
        12,
        "every pair once",
    ),
    # The plant as a whole.
    "two beginnings": (WELD + LAST, "source", None, "2 stations that nothing feeds: weld, last"),
    "no beginning": (
        WELD + 'next = "last"\n' + LAST + 'next = "weld"\n',
        "source",
        None,
        "where cars come in",
    ),
    "a station that no car reaches": (
        WELD + LAST + '[[source]]\nid = "in"\nto = "weld"\n',
        "station.last.id",
        5,
        "no car reaches",
    ),
    "a loop without an end": (
        WELD + 'next = "last"\n' + LAST + 'next = "weld"\n[[source]]\nid = "in"\nto = "weld"\n',
        "station.weld.next",
        4,
        "a loop without an end: weld, last",
    ),
    "rework that never passes": (
        WELD
        + TEST
        + 'retest_yield = 0\nfail_to = "last"\n'
        + LAST
        + 'next = "weld"\n[[source]]\nid = "in"\nto = "weld"\n',
        "station.weld.test",
        4,
        "retest yield 0 in a loop by last",
    ),
    "a test without a goal": (WELD + TEST + "fail_to = []\n", "station.weld.test.fail_to", 6, "at least 1 item"),
    "a yield above 1": (
        WELD + TEST.replace("0.9", "90") + 'fail_to = "weld"\n',
        "station.weld.test.first_pass_yield.share",
        5,
        "a number from 0 to 1",
    ),
    "types without a yield": (
        COLOURS + WELD + TEST.replace("0.9", "{ by_type = { suv = 0.9 } }") + 'fail_to = "last"\n' + LAST,
        "station.weld.test.first_pass_yield",
        13,
        "nothing for sedan-red",
    ),
    # Types, sources, carriers.
    "colours whose shares are all 0": (
        '[[colour]]\nid = "red"\nshare = 0\n' + WELD,
        "colour",
        1,
        "shares that are all 0",
    ),
    "types whose shares are all 0": ('[[type]]\nid = "red"\nshare = 0\n' + WELD, "type", 1, "shares that are all 0"),
    "a source whose shares are all 0": (
        WELD + '[[source]]\nid = "in"\nto = "weld"\nshares = { car = 0 }\n',
        "source.in.shares",
        7,
        "all 0",
    ),
    "a source with shares and an order": (
        WELD + '[[source]]\nid = "in"\nto = "weld"\nshares = { car = 1 }\norder = ["car"]\n',
        "source.in.order",
        8,
        "one of them",
    ),
    "an order of models": (
        COLOURS + WELD + '[[source]]\nid = "in"\nto = "weld"\norder = ["suv"]\n',
        "source.in.order",
        15,
        "means several",
    ),
    "a negative share": ('[[type]]\nid = "red"\nshare = -1\n' + WELD, "type.red.share", 3, "from 0"),
    "cars on their way where there is none": (
        WELD + 'next = "lane"\n[[buffer]]\nid = "lane"\nto = "last"\nplaces = 2\nriding = ["car"]\n' + LAST,
        "buffer.lane.riding",
        9,
        "none, or a transport_s",
    ),
    "a line that is full at the start": (
        '[[line]]\nid = "trim"\nstations = 2\ntakt_s = 60\nfilled = ["car", "car"]\n',
        "line.trim.filled",
        5,
        "at most 1",
    ),
    "more cars at the start than places": (
        WELD + 'next = "lane"\n[[buffer]]\nid = "lane"\nto = "last"\nplaces = 1\nfilled = ["car", "car"]\n' + LAST,
        "buffer.lane.filled",
        9,
        "2 cars",
    ),
    "no carriers": (
        WELD + '[[carrier]]\nid = "skid"\ncarriers = 0\nload = "weld"\nunload = "weld"\n',
        "carrier.skid.carriers",
        6,
        "found 0",
    ),
    "carriers that nobody frees": (
        WELD + 'next = "last"\n' + LAST + '[[carrier]]\nid = "skid"\ncarriers = 2\nload = "last"\nunload = "weld"\n',
        "carrier.skid.unload",
        12,
        "which no car reaches from last",
    ),
    "two loops at one load": (
        WELD
        + 'next = "last"\n'
        + LAST
        + "".join(
            f'[[carrier]]\nid = "skid{row}"\ncarriers = 2\nload = "weld"\nunload = "{goal}"\n'
            for row, goal in enumerate(("weld", "last"))
        ),
        "carrier.skid1.load",
        16,
        "where skid0 has its load",
    ),
    "an empty crew": ('[[crew]]\nid = "one"\nsize = 0\n' + WELD, "crew.one.size", 3, "found 0"),
    # Moving lines.
    "work of too few stations": (LINE + "work_s = [1, 2, 3]\n", "line.trim.work_s", 5, "or 4, one for each station"),
    "work of too few stations by type": (
        LINE + "work_s = { by_type = { car = [1, 2, 3] } }\n",
        "line.trim.work_s.by_type.car",
        5,
        "found 3 numbers",
    ),
    "work in rows and columns": (LINE + "work_s = [[1, 2]]\n", "line.trim.work_s.stations.0", 5, "written plainly"),
    "lengths of too few stations": (
        LINE + "work_s = 1\nlength_s = [1, 2]\n",
        "line.trim.length_s",
        6,
        "found 2 numbers",
    ),
    "utility workers without work": (LINE + "utility_workers = 2\n", "line.trim.utility_workers", 5, "work_s too"),
    # Calendars.
    "a shift that is no time": (
        WELD + CALENDAR + 'shifts = ["6-14"]\n',
        "calendar.shifts.shifts",
        6,
        "a time such as '06:00-14:00'",
    ),
    "an hour that does not exist": (
        WELD + CALENDAR + 'shifts = ["06:00-25:00"]\n',
        "calendar.shifts.shifts",
        6,
        "25:00",
    ),
    "a shift without length": (
        WELD + CALENDAR + 'shifts = ["06:00-06:00"]\n',
        "calendar.shifts.shifts",
        6,
        "whole day",
    ),
    "shifts that overlap": (
        WELD + CALENDAR + 'shifts = ["06:00-14:00", "13:00-20:00"]\n',
        "calendar.shifts.shifts",
        6,
        "which overlap",
    ),
    "overtime in a shift": (
        WELD + CALENDAR + 'shifts = ["06:00-14:00"]\novertime = ["mon 13:00-15:00"]\n',
        "calendar.shifts.overtime",
        7,
        "which overlap",
    ),
    "overtime without a day": (
        WELD + CALENDAR + 'overtime = ["13:00-15:00"]\n',
        "calendar.shifts.overtime",
        6,
        "sat 06:00-12:00",
    ),
    "a break outside the shifts": (
        WELD + CALENDAR + 'shifts = ["06:00-14:00"]\nbreaks = ["15:00-15:15"]\n',
        "calendar.shifts.breaks",
        7,
        "within one of the shifts",
    ),
    "an unknown day": (WELD + CALENDAR + 'days = ["mo"]\n', "calendar.shifts.days.0", 6, "did you mean mon"),
    "no working time": (WELD + CALENDAR, "calendar.shifts.shifts", 4, "shifts, overtime or windows_h"),
    "windows out of order": (
        WELD + CALENDAR + "windows_h = [[4, 8], [0, 2]]\nperiod_h = 24\n",
        "calendar.shifts.windows_h",
        6,
        "in order",
    ),
    "windows that overlap": (
        WELD + CALENDAR + "windows_h = [[0, 8], [7, 9]]\nperiod_h = 24\n",
        "calendar.shifts.windows_h",
        6,
        "do not overlap",
    ),
    "a window beyond the period": (
        WELD + CALENDAR + "windows_h = [[0, 25]]\nperiod_h = 24\n",
        "calendar.shifts.windows_h",
        6,
        "period of 24 h",
    ),
    "a window that ends before it starts": (
        WELD + CALENDAR + "windows_h = [[8, 0]]\nperiod_h = 24\n",
        "calendar.shifts.windows_h",
        6,
        "a start before its end",
    ),
    "windows without a period": (
        WELD + CALENDAR + "windows_h = [[0, 8]]\n",
        "calendar.shifts.windows_h",
        6,
        "period_h too",
    ),
    "windows beside shifts": (
        WELD + CALENDAR + 'shifts = ["06:00-14:00"]\nwindows_h = [[0, 8]]\nperiod_h = 24\n',
        "calendar.shifts.shifts",
        6,
        "or windows_h with period_h",
    ),
    # Sizes.
    "more stations than any plant has": (
        "".join(f'[[station]]\nid = "s{row}"\ncycle_time_s = 60\nstages = 5000\n' for row in range(5)),
        "station",
        1,
        "at most 20,000",
    ),
    "more places than fit": (
        '[[buffer]]\nid = "a"\nto = "weld"\nplaces = 1_000_000\n[[buffer]]\nid = "b"\nto = "weld"\nplaces = 1\n' + WELD,
        "buffer",
        1,
        "at most 1,000,000",
    ),
    "a run of no time": ("[run]\ndays = 0\n" + WELD, "run.days", 2, "found 0"),
    "a warm-up that is no number": (
        '[run]\nwarm_up_h = "soon"\n' + WELD,
        "run.warm_up_h",
        2,
        "'auto', or a number of hours",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_by_line_and_field(name: str) -> None:
    text, field, line, words = MISTAKES[name]
    (problem,) = problems(text)
    assert (problem.field, problem.line) == (field, line), problem
    assert words in str(problem)


def test_several_mistakes_are_told_together() -> None:
    found = problems(WELD + 'next = "a"\ncalendar = "b"\nmtbf_min = 3\n' + LINE + "utility_workers = 3\n")
    assert [problem.field for problem in found] == [
        "station.weld.mtbf_min",
        "station.weld.calendar",
        "station.weld.next",
        "line.trim.utility_workers",
    ]


def test_a_plant_of_thousands_of_stations_and_many_types_is_checked_in_a_moment() -> None:
    colours = "".join(f'[[colour]]\nid = "c{row}"\n' for row in range(20))
    chains = "".join(
        f'[[station]]\nid = "s{row}"\ncycle_time_s = 60\nstages = 100\nnext = "s{row + 1}"\n' for row in range(40)
    )
    read = plant(colours + chains + '[[station]]\nid = "s40"\ncycle_time_s = 60\n')
    assert len(read.stations) == 4001


CHANGE = '[[change]]\nid = "more"\ncost = 5\n'

CHANGE_MISTAKES = {
    "no changes": ("", "change", None, "[[change]] tables"),
    "at nothing": (CHANGE + 'at = "wled"\nmachines = 1\n', "change.more.at", 9, "did you mean weld?"),
    "at a chain": (CHANGE + 'at = "m"\nmachines = 1\n', "change.more.at", 9, "of a chain one station"),
    "of nothing": (CHANGE + 'at = "weld"\n', "change.more.at", 9, "a change of nothing"),
    "places at a station": (CHANGE + 'at = "weld"\nplaces = 1\n', "change.more.places", 10, "at a buffer"),
    "machines at a buffer": (CHANGE + 'at = "weld>m.1"\nmachines = 1\n', "change.more.machines", 10, "at a buffer"),
    "no cycle left": (CHANGE + 'at = "m.1"\nless_cycle_s = 60\n', "change.more.less_cycle_s", 10, "less than 60"),
}


@pytest.mark.parametrize("name", CHANGE_MISTAKES)
def test_a_mistake_in_a_change_is_told_by_line_and_field(name: str) -> None:
    text, field, line, words = CHANGE_MISTAKES[name]
    # The chain stands behind what is looked at, so that lines count from the station above.
    file = plant_file_from(
        WELD + 'next = "m"\nbuffer_after = 1\n' + text + LAST.replace("last", "m") + "stages = 2\n", "p"
    )
    read = plant_from(file)
    with pytest.raises(InputError) as caught:
        changes_from(file, read)
    (problem,) = caught.value.problems
    assert (problem.field, problem.line) == (field, line), problem
    assert words in str(problem)


# Whatever a file says, it is read or its mistakes are told.

WORDS = (
    "0",
    "-1",
    "nan",
    "inf",
    "1e300",
    "true",
    '""',
    '"weld"',
    "[]",
    "{}",
    "[1, 2]",
    '"50 to 60"',
    "9" * 30,
    "'é\\u0000'",
)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_mutated_example_is_read_or_told_but_never_a_fault(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    luck = random.Random(path.stem)
    outcomes = {True: 0, False: 0}
    for _ in range(150):
        mutated = text
        for _ in range(luck.randint(1, 3)):
            mutated = _mutated(mutated, luck)
        try:
            plant(mutated)
            outcomes[True] += 1
        except InputError as error:
            outcomes[False] += 1
            assert all(problem.field and problem.expected for problem in error.problems)
    assert outcomes[False] > 50, outcomes


def _mutated(text: str, luck: random.Random) -> str:
    """Return a text with one value, name, line or byte changed."""
    lines = text.split("\n")
    row = luck.randrange(len(lines))
    kind = luck.randrange(6)
    if kind == 0:
        del lines[row]
    elif kind == 1:
        lines.insert(row, lines[luck.randrange(len(lines))])
    elif kind == 2:
        lines[row] = re.sub(r"=.*$", lambda _: f"= {luck.choice(WORDS)}", lines[row])
    elif kind == 3:
        names = re.findall(r'"[^"]*"', text)
        lines[row] = re.sub(r'"[^"]*"', lambda _: luck.choice(names), lines[row], count=1)
    elif kind == 4:
        lines[row] = re.sub(r"\d+", lambda _: str(luck.choice((0, 1, 7, 10**12))), lines[row], count=1)
    else:
        at = luck.randrange(len(text))
        return text[:at] + luck.choice('"[]{}=.#\n\0é9') + text[at + 1 :]
    return "\n".join(lines)


def test_the_schema_for_editors_lets_a_plain_number_stand_for_a_table() -> None:
    definitions = json_schema(told.PlantFileDocument)["$defs"]
    assert [item["type"] for item in definitions["TimeSection"]["anyOf"]] == ["number", "object"]
    assert [item["type"] for item in definitions["WorkSection"]["anyOf"]] == ["number", "array", "object"]
    assert {"type": "string"} in definitions["StationSection"]["properties"]["next"]["anyOf"]
