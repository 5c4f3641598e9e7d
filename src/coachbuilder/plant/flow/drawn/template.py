"""The arrays of the event calendar for plants that differ in figures only.

They are built once for a structure. A run takes a desk: a copy of them in one piece of memory, which is copied anew
before each run, so that nothing is left of the run before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.engine.network import KINDS, build
from coachbuilder.plant.flow.engine.run import MOST_EVENTS
from coachbuilder.plant.flow.interface import FlowInputs, RampInputs, RampStep, Shop
from coachbuilder.plant.flow.loads import LEARNING_KINDS, Setting, is_guests_own
from coachbuilder.plant.flow.plant import MovingLine, TimeKind
from coachbuilder.plant.flow.record import CAR_SUMS, LEFT, PASSED, TESTED, TOO_MANY_EVENTS
from coachbuilder.plant.flow.shops import plant_of
from coachbuilder.programme.sections.flow import Release, ShopKind

if TYPE_CHECKING:
    from coachbuilder.plant.flow.drawn.kernels import Shops
    from coachbuilder.plant.flow.engine.kernels import State

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

STRUCTURES = 32
"""Structures whose arrays are kept."""

TAPER_SHARE = 0.1
"""Share of a run in which the cars that leave count in parts, at its beginning and at its end; see ``cars_per_s``."""

_ALIGNED = 64
"""Bytes to whose multiples arrays begin."""

_of_shop = attrgetter(
    "id", "kind", "passes", "stages", "parallel", "buffer_between", "buffer_after", "conveyor_places", "exponential",
    "rework", "rejoin",
)  # fmt: skip
"""What draws do not change about a shop."""

_NO_RAMP = RampInputs(1, 0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0, (RampStep(1, 1.0, 1.0),))


def template_of(inputs: FlowInputs, release: Release) -> Template:
    """Return the arrays of the structure of some inputs under a rule of release, from the store if they are there."""
    structure: Any = (
        inputs.models,
        inputs.guest_model,
        [units > 0.0 for units in inputs.planned_units_per_year],
        release,
        inputs.seed,
        [(_of_shop(shop), shop.mtbf_s is None or shop.mttr_s is None, shop.scrap_share > 0.0) for shop in inputs.shops],
    )
    for known, template in _templates:
        if known == structure:
            return template
    template = Template(_bare(inputs, release))
    _templates.insert(0, (structure, template))
    del _templates[STRUCTURES:]
    return template


_templates: list[tuple[Any, Template]] = []


def _bare(inputs: FlowInputs, release: Release) -> FlowInputs:
    """Return the inputs with every figure that draws may change at a value of its own kind."""
    return replace(
        inputs,
        planned_units_per_year=tuple(float(units > 0.0) for units in inputs.planned_units_per_year),
        shops=tuple(_bare_shop(shop) for shop in inputs.shops),
        assembly_takt_s=1.0,
        resident_only_takt_s=1.0,
        net_hours_per_day=1.0,
        working_days_per_year=1.0,
        release=release,
        ramp=_NO_RAMP,
        days=1.0,
        warm_up_days=0.0,
        line=None,
        resident_only_line=None,
        line_stop_s_per_car=0.0,
        rate_correction=1.0,
    )


def _bare_shop(shop: Shop) -> Shop:
    fails = shop.mtbf_s is not None and shop.mttr_s is not None
    return replace(
        shop,
        cycle_time_s=(1.0,) * len(shop.cycle_time_s),
        mtbf_s=1.0 if fails else None,
        mttr_s=1.0 if fails else None,
        first_pass_yield=(0.5,) * len(shop.first_pass_yield),
        retest_yield=0.5,
        scrap_share=0.5 if shop.scrap_share > 0.0 else 0.0,
    )


@dataclass(slots=True)
class Desk:
    """What one run works on."""

    memory: NDArray[np.uint8]
    """All arrays of the event calendar."""
    state: State
    """The same, array by array; the cars at the start have room for as many as there are places."""
    car: I8
    """(4, V, CAR_SUMS) cars counted up to four moments."""
    left_s: F8
    """(4, V) sums of the moments at which they left, s."""


class Runs(NamedTuple):
    """What the runs of a draw left behind."""

    cars_per_s: F8
    """(R, V) cars that left a second."""
    tested: int
    """Cars tested for the first time, over all runs."""
    passed: int
    """And those that passed then."""
    tightest_per_h: float
    """Cars an hour that the tightest shop could do alone."""
    alone_per_h: float
    """The same for the residents alone; 0 if there are none."""
    alone_shop: int
    """The shop that is the tightest then; -1 if there are no residents."""
    figures: F8
    """(S, BY_MODEL + 2 V) figures of the shops."""
    load: F8
    """(LOAD_ROWS, S, V) what cars ask of them."""


class Template:
    """The arrays of one structure, into which the figures of a draw are written.

    Parameters
    ----------
    structure
        Inputs whose figures are no draw's; see ``_bare``.
    """

    def __init__(self, structure: FlowInputs) -> None:
        from coachbuilder.plant.flow.drawn import kernels

        made = plant_of(structure, Setting(structure.planned_units_per_year, 1.0))
        plant = made.plant
        network = build(plant, seed=structure.seed, batches=1)
        core, luck = network.state.core, network.state.luck
        core.clock["next_bin_s"] = np.inf
        core.clock["max_events"] = MOST_EVENTS
        row_of = {shop.id: row for row, shop in enumerate(structure.shops)}
        models = len(structure.models)
        station_shop = [row_of[station.shop] for station in plant.stations]
        modes = luck.mode.size if any(station.failures for station in plant.stations) else 0
        paced = np.flatnonzero(core.lane["interval"] >= 0)
        # Every station and type, every failure and every source has a row of times of its own: draws differ in which
        # times are equal, and rows are found by the times that share them.
        cells = len(plant.stations) * models
        times = np.zeros(cells + 2 * modes + paced.size, luck.time.dtype)
        times["kind"][:cells] = luck.time["kind"][core.cell_type["time"]].ravel()
        times["kind"][cells : cells + 2 * modes] = KINDS.index(TimeKind.EXPONENTIAL)
        core.cell_type["time"][...] = np.arange(cells).reshape(-1, models)
        luck.mode["to_failure"][:modes] = cells + 2 * np.arange(modes)
        luck.mode["to_repair"][:modes] = cells + 2 * np.arange(modes) + 1
        core.lane["interval"][paced] = cells + 2 * modes + np.arange(paced.size)
        lane_models = np.zeros((core.lane.size, models), dtype=np.bool_)
        for lane, row in zip(made.lanes, network.buffer_row, strict=True):
            lane_models[row, sorted(lane.models)] = True
        source_models = np.zeros((luck.share.shape[0], models), dtype=np.bool_)
        for row, source in enumerate(plant.sources):
            source_models[row, [structure.models.index(name) for name, _ in source.shares]] = True
        owners = np.stack([core.lane["cell"], core.lane["priority"]])
        lines = [(row, item) for row, item in enumerate(plant.stations) if isinstance(item, MovingLine)]
        built = np.array(structure.planned_units_per_year) > 0.0
        self._shops = _shops(structure, row_of)
        self._wiring = kernels.Wiring(
            station_shop=_whole(station_shop),
            is_fixed=core.cell_type["fixed_s"] >= 0.0,
            tests=_whole([row for row, station in enumerate(plant.stations) if station.test is not None]),
            scraps=np.flatnonzero(core.cell["scrap_share"] > 0.0),
            mode_shop=_whole([station_shop[int(core.machine["cell"][row])] for row in luck.mode["machine"][:modes]]),
            paced=paced,
            source_models=source_models,
            lane_models=lane_models,
            owner=np.unique(owners, axis=1, return_inverse=True)[1].ravel().astype(np.int64),
            way=_whole(
                [
                    (row, row_of[lane.from_shop], lane.stock_places, lane.riding)
                    for lane, row in zip(made.lanes, network.buffer_row, strict=True)
                ],
                4,
            ),
            line=_whole([(row, core.cell["first_machine"][row], line.stations - 1) for row, line in lines], 3),
            line_models=np.array([self._shops.passes[row_of[line.shop]] & built for _, line in lines]),
        )
        # More cars than there are places cannot stand inside at the start.
        opening = network.state.opening._replace(
            filled=np.zeros((core.slot.size, 2), dtype=np.int64), entered_s=np.zeros(core.slot.size)
        )
        self._state = network.state._replace(luck=luck._replace(time=times), opening=opening)
        self._first = self._new_desk()
        self._untouched = self._first.memory.copy()
        self._free = [self._first]

    def run(self, inputs: FlowInputs) -> Runs:
        """Simulate a draw.

        Parameters
        ----------
        inputs
            Inputs of this structure.

        Raises
        ------
        RuntimeError
            If cars are lost or multiply, or a run does not come to its end.
        """
        # Threads that run at the same time each take a desk of their own.
        try:
            desk = self._free.pop()
        except IndexError:
            desk = self._new_desk()
        runs = self._run_at(desk, inputs)
        self._free.append(desk)
        return runs

    @property
    def shops(self) -> Shops:
        """What draws do not change about the shops."""
        return self._shops

    def _run_at(self, desk: Desk, inputs: FlowInputs) -> Runs:
        from coachbuilder.plant.flow.drawn import kernels
        from coachbuilder.plant.flow.engine.kernels import observed

        units = np.array(inputs.planned_units_per_year)
        whole = np.array(
            [
                inputs.assembly_takt_s + inputs.line_stop_s_per_car,
                inputs.resident_only_takt_s,
                inputs.ramp.plateau_cycle_multiplier,
                inputs.net_hours_per_day * inputs.working_days_per_year,
            ]
        )
        ones = (1.0,) * len(units)
        figures = np.array(
            [
                (
                    0.0 if shop.mtbf_s is None or shop.mttr_s is None else shop.mtbf_s,
                    shop.mttr_s or 0.0,
                    shop.retest_yield,
                    shop.scrap_share,
                    *(shop.cycle_time_s or ones),
                    *(shop.first_pass_yield or ones),
                )
                for shop in inputs.shops
            ]
        )
        load = np.empty((kernels.LOAD_ROWS, len(inputs.shops), units.size))
        day_s = inputs.net_hours_per_day * 3600.0
        start_s = inputs.warm_up_days * day_s
        end_s = start_s + inputs.days * day_s
        taper_s = TAPER_SHARE * (end_s - start_s)
        moments_s = np.array([start_s, start_s + taper_s, end_s - taper_s, end_s])
        rates = np.empty((inputs.replications, units.size))
        state = desk.state
        core, luck, opening = state.core, state.luck, state.opening
        tested = passed = 0
        for number in range(inputs.replications):
            np.copyto(desk.memory, self._untouched)
            rows, tightest_per_h, alone_per_h, alone_shop = kernels.prepare(
                self._shops,
                self._wiring,
                figures,
                whole,
                units,
                load,
                core.cell,
                core.cell_type,
                core.lane,
                core.machine,
                luck.time,
                luck.share,
                opening.filled,
                opening.entered_s,
            )
            inside = opening._replace(filled=opening.filled[:rows], entered_s=opening.entered_s[:rows])
            counts = observed(state._replace(opening=inside), number, moments_s, desk.car, desk.left_s)
            if not counts or core.clock["ended"][0] >= TOO_MANY_EVENTS:
                message = "the simulation lost count of its cars or did not come to its end; please report this plant"
                raise RuntimeError(message)
            kernels.cars_per_s(moments_s, desk.car, desk.left_s, LEFT, rates[number])
            counted = desk.car[3] - desk.car[0]
            tested += int(counted[:, TESTED].sum())
            passed += int(counted[:, PASSED].sum())
        return Runs(rates, tested, passed, tightest_per_h, alone_per_h, alone_shop, figures, load)

    def _new_desk(self) -> Desk:
        memory, state = _in_one_piece(self._state)
        models = self._shops.passes.shape[1]
        return Desk(
            memory=memory,
            state=state,
            car=np.zeros((4, models, CAR_SUMS), dtype=np.int64),
            left_s=np.zeros((4, models)),
        )


def _shops(structure: FlowInputs, row_of: dict[str, int]) -> Shops:
    from coachbuilder.plant.flow.drawn import kernels

    shops = structure.shops
    rework = {row: row_of[shop.rework] for row, shop in enumerate(shops) if shop.rework}
    return kernels.Shops(
        guest=structure.models.index(structure.guest_model),
        passes=np.array([shop.passes for shop in shops], dtype=np.bool_),
        is_rework=np.array([shop.kind is ShopKind.REWORK for shop in shops]),
        in_takts=np.array([shop.kind is ShopKind.ASSEMBLY for shop in shops]),
        learns=np.array([shop.kind in LEARNING_KINDS for shop in shops]),
        is_guests_own=np.array([is_guests_own(structure, shop) for shop in shops]),
        parallel=_whole([shop.parallel for shop in shops]),
        test=_whole([(row, to, row_of.get(shops[to].rejoin, -1)) for row, to in rework.items()], 3),
    )


def _whole(rows: Sequence[Any], columns: int = 0) -> I8:
    """Return whole numbers as an array, of two dimensions if there are columns, even without rows."""
    made = np.array(rows, dtype=np.int64)
    return made.reshape(-1, columns) if columns else made


def _in_one_piece(state: State) -> tuple[NDArray[np.uint8], State]:
    """Return a copy of a state whose arrays lie in one piece of memory, and that memory."""
    parts = cast("tuple[Any, ...]", state)
    places: list[list[int]] = []
    size = 0
    for part in parts:
        places.append([])
        for array in part:
            places[-1].append(size)
            size += -(-array.nbytes // _ALIGNED) * _ALIGNED
    memory = np.zeros(size, dtype=np.uint8)
    copied: list[Any] = []
    for part, starts in zip(parts, places, strict=True):
        views = []
        for array, start in zip(part, starts, strict=True):
            view = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
            view[...] = array
            views.append(view)
        copied.append(type(part)._make(views))
    return memory, type(state)._make(copied)
