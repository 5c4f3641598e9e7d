"""Design search: nothing cheaper is overlooked, every design is what the single car says, and what is in the way."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from coachbuilder.programme import InputError, Programme, load
from coachbuilder.programme.sections.vehicle import Chemistry, DrivenAxle, RangeProcedure
from coachbuilder.vehicle import evaluate, inputs_from, kernels
from coachbuilder.vehicle.batch import (
    ChemistryFigures,
    LayoutFigures,
    Variant,
    car_rows,
    family_of,
    measure,
    resized,
)
from coachbuilder.vehicle.parameters import car_row
from coachbuilder.vehicle.search import SearchResult, SearchSpace, Target, Targets, put_back, search, space_around

CNY_PER_USD = 6.5
SPACE = SearchSpace(gross_kwh=(35.0, 90.0), peak_kw=(70.0, 220.0), gear_ratio=(7.0, 13.0))
TARGETS = Targets(RangeProcedure.WLTP, range_km=400.0, zero_to_100_s=9.0, top_speed_kmh=160.0)


@pytest.fixture(scope="module")
def programme(example_folder: Path) -> Programme:
    return load(example_folder)


@pytest.fixture(scope="module")
def found(programme: Programme) -> SearchResult:
    return search(programme, SPACE, TARGETS, cny_per_usd=CNY_PER_USD, points=6)


def _own(programme: Programme) -> Variant:
    section = programme.document.vehicle
    return Variant(section.battery.chemistry, section.body.driven_axle)


def test_a_row_of_the_batch_is_the_row_of_the_single_car(programme: Programme) -> None:
    family = family_of(programme, _own(programme), cny_per_usd=CNY_PER_USD)
    for gross, power, gear in ((61.0, 135.0, 9.6), (40.0, 90.0, 8.0), (85.0, 210.0, 12.0)):
        rows = car_rows(family, np.array([gross]), np.array([power]), np.array([gear]))
        sized = resized(programme, _own(programme), gross_kwh=gross, peak_kw=power, gear_ratio=gear)
        single = car_row(inputs_from(sized, cny_per_usd=CNY_PER_USD))
        for name, one, many in zip(kernels.Car._fields, single, rows[0], strict=False):
            assert many == pytest.approx(one, rel=1e-9), name


def test_every_design_put_back_is_what_the_single_car_says(programme: Programme, found: SearchResult) -> None:
    assert found.cheapest is not None
    for design in (found.cheapest, *found.pareto):
        result = evaluate(inputs_from(put_back(programme, design), cny_per_usd=CNY_PER_USD), quick=True)
        assert design.range_km == pytest.approx(result.wltp_range_km, rel=1e-5)
        assert design.zero_to_100_s == pytest.approx(result.zero_to_100_s, rel=1e-9)
        assert design.top_speed_kmh == pytest.approx(result.top_speed_kmh, rel=1e-6)
        assert design.curb_mass_kg == pytest.approx(result.curb_mass_kg, rel=1e-9)
        assert design.parts_cost_cny == pytest.approx(result.parts_cost_cny, rel=1e-9)


def test_no_design_of_a_dense_grid_is_cheaper_and_meets_the_targets(programme: Programme, found: SearchResult) -> None:
    family = family_of(programme, _own(programme), cny_per_usd=CNY_PER_USD)
    axes = (np.linspace(*SPACE.gross_kwh, 45), np.linspace(*SPACE.peak_kw, 45), np.linspace(*SPACE.gear_ratio, 25))
    sizes = [np.ascontiguousarray(axis.ravel()) for axis in np.meshgrid(*axes, indexing="ij")]
    figures = measure(family, *sizes, procedure=RangeProcedure.WLTP)
    meets = (figures.range_km >= 400.0) & (figures.zero_to_100_s <= 9.0) & (figures.top_speed_kmh >= 160.0)
    assert meets.any()
    assert found.cheapest is not None
    assert found.cheapest.parts_cost_cny <= figures.parts_cost_cny[meets].min()


def test_the_cheapest_design_meets_its_targets_and_no_more_than_it_has_to(found: SearchResult) -> None:
    design = found.cheapest
    assert design is not None
    assert 400.0 <= (design.range_km or 0.0) < 400.0 * 1.001
    assert 9.0 * 0.995 < (design.zero_to_100_s or 99.0) <= 9.0
    assert design.top_speed_kmh >= 160.0


def test_the_front_rises_in_range_and_cost_and_none_on_it_is_beaten(found: SearchResult) -> None:
    front = found.pareto
    assert len(front) >= 4
    for one, other in pairwise(front):
        assert (one.range_km or 0.0) < (other.range_km or 0.0)
        assert one.parts_cost_cny < other.parts_cost_cny
    assert found.cheapest is not None
    for design in front:
        beaten = (design.range_km or 0.0) < 400.0 and design.parts_cost_cny > found.cheapest.parts_cost_cny
        assert not beaten


def test_mass_compounds_so_that_range_needs_more_pack_than_in_proportion(programme: Programme) -> None:
    def pack(compounding: float) -> float:
        changed = programme.with_values({"vehicle.body.mass_compounding": compounding})
        result = search(changed, SPACE, dataclasses.replace(TARGETS, range_km=520.0), cny_per_usd=CNY_PER_USD, points=2)
        assert result.cheapest is not None
        return result.cheapest.gross_kwh

    light, heavy = pack(0.0), pack(0.6)
    assert heavy > light * 1.01


def test_more_range_never_costs_less(programme: Programme) -> None:
    costs = []
    for range_km in (300.0, 380.0, 460.0):
        targets = dataclasses.replace(TARGETS, range_km=range_km)
        result = search(programme, SPACE, targets, cny_per_usd=CNY_PER_USD, points=2)
        assert result.cheapest is not None
        costs.append(result.cheapest.parts_cost_cny)
    assert costs == sorted(costs)


def test_one_thread_finds_what_two_find(programme: Programme, found: SearchResult) -> None:
    alone = search(programme, SPACE, TARGETS, cny_per_usd=CNY_PER_USD, points=6, threads=1)
    assert alone == found


def test_a_gpu_that_is_not_there_is_told(programme: Programme) -> None:
    if kernels.gpu_is_present():
        pytest.skip("needs a machine without a CUDA GPU")
    with pytest.raises(InputError, match="on_gpu: found no CUDA GPU"):
        search(programme, SPACE, TARGETS, cny_per_usd=CNY_PER_USD, on_gpu=True)


def test_targets_that_cannot_be_met_together_are_told_with_the_one_in_the_way(programme: Programme) -> None:
    targets = dataclasses.replace(TARGETS, curb_mass_kg=1450.0)
    result = search(programme, SPACE, targets, cny_per_usd=CNY_PER_USD, points=2)
    assert result.cheapest is None
    assert result.nearest is not None
    assert Target.CURB_MASS in result.nearest.in_the_way
    assert Target.TOP_SPEED not in result.nearest.in_the_way
    words = str(result.nearest)
    assert "No design meets all targets" in words
    assert "asked" in words


def test_another_chemistry_and_axle_need_figures_and_are_chosen_when_cheaper(programme: Programme) -> None:
    space = dataclasses.replace(
        SPACE, chemistries=(Chemistry.LFP, Chemistry.NMC), driven_axles=(DrivenAxle.FRONT, DrivenAxle.REAR)
    )
    with pytest.raises(ValueError, match=r"(chemistries: found NMC|driven_axles: found rear); expected the programme"):
        search(programme, space, TARGETS, cny_per_usd=CNY_PER_USD)
    light = ChemistryFigures(5.0, 80.0, 0.95, 96.0, 1.0, 0.0008, 2.8, 4.25, 3.0, 1.5)
    rear = LayoutFigures(None, 0.5, 20.0, 0.68, 55.0)
    result = search(
        programme, space, TARGETS, cny_per_usd=CNY_PER_USD, points=2,
        alternatives={Chemistry.NMC: light}, layouts={DrivenAxle.REAR: rear},
    )  # fmt: skip
    assert result.cheapest is not None
    assert result.cheapest.chemistry is Chemistry.NMC
    assert result.own.chemistry is Chemistry.LFP


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SearchSpace((90.0, 35.0), (70.0, 220.0), (7.0, 13.0)), "gross_kwh: found 90 to 35"),
        (lambda: SearchSpace((0.0, 35.0), (70.0, 220.0), (7.0, 13.0)), "gross_kwh"),
        (lambda: Targets(RangeProcedure.EPA, range_km=-1.0), "range_km: found -1"),
    ],
)
def test_a_space_or_target_that_makes_no_sense_is_refused(make: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()  # type: ignore[operator]


def test_a_programme_without_targets_is_told_what_is_missing(programme: Programme, tmp_path: Path) -> None:
    from coachbuilder.plan import Stages

    document = programme.document
    bare = document.model_copy(update={"vehicle": document.vehicle.model_copy(update={"targets": None})})
    with pytest.raises(InputError, match=r"vehicle\.targets"):
        Stages(dataclasses.replace(programme, document=bare)).search_vehicle()
    assert Targets.of(programme) is not None
    assert space_around(programme).gross_kwh[0] < document.vehicle.battery.gross_kwh.value
