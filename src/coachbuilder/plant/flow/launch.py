"""The launch simulated: one plant that runs on from week to week while the guest matures in it.

In every week each model is released at the rate that is planned for it, and what the guest has learnt so far sets its
cycle times, its yield and the failures of its own shops. What it has learnt follows the mean of the replications, so
that all of them run under the same figures. A car that waits for more than a day at the end of a week is lost; a plant
that is shut stands as it is, and loses all cars of the week.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plant.flow.interface import FlowInputs
from coachbuilder.plant.flow.loads import Setting, hours_per_year
from coachbuilder.plant.flow.ramp import (
    WEEKS_PER_YEAR,
    Course,
    Maturity,
    Week,
    maturity_after,
    residents_per_week,
    tightest,
    weekly_loads,
)
from coachbuilder.plant.flow.record import LEFT
from coachbuilder.plant.flow.shops import plant_of
from coachbuilder.programme.sections.flow import Release

if TYPE_CHECKING:
    from coachbuilder.plant.flow.engine.kernels import State
    from coachbuilder.plant.flow.engine.network import Network

WARM_UP_DAYS = 2.0
"""Days before the first week, at its rates."""

WAITING_DAYS = 1.0
"""A car that has waited for so long at the end of a week is lost."""

SHORT = 0.99
"""A shop limits a week in which less than this share of the planned cars was taken on."""

NONE_PER_YEAR = 1e-9
"""Released in a year of a model that a week does not want: the plant stays the same, and no car comes."""


def simulated(inputs: FlowInputs, weeks: list[Week], *, replications: int) -> Course:
    """Simulate the launch.

    Parameters
    ----------
    inputs
        Plant and launch.
    weeks
        What is planned.
    replications
        Independent runs.

    Raises
    ------
    RuntimeError
        If cars are lost or multiply: a fault of ours.
    """
    return _Launch(inputs, weeks, replications).course()


class _Launch:
    def __init__(self, inputs: FlowInputs, weeks: list[Week], replications: int) -> None:
        self.inputs = replace(inputs, release=Release.PACED)
        self.weeks = weeks
        self.replications = replications
        self.guest = inputs.models.index(inputs.guest_model)
        self.week_s = hours_per_year(inputs) / WEEKS_PER_YEAR * 3600.0
        self.day_s = inputs.net_hours_per_day * 3600.0

    def course(self) -> Course:
        from coachbuilder.plant.flow.engine import kernels, started

        models, count = len(self.inputs.models), len(self.weeks)
        built = np.zeros((count, models))
        missed = np.zeros((count, models))
        maturity = []
        guests = 0.0
        # A week that begins shut has the rates of a running one until then.
        mature = maturity_after(self.inputs, 0.0)
        opening = replace(self.weeks[0], line_speed_share=self.weeks[0].line_speed_share or 1.0)
        first = self._network(opening, mature, filled=True)
        states: list[State] = [started(first, number) for number in range(self.replications)]
        now_s = WARM_UP_DAYS * self.day_s
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(lambda state: kernels.advance(state, now_s), states))
            for index, week in enumerate(self.weeks):
                mature = maturity_after(self.inputs, guests)
                maturity.append(mature)
                if week.line_speed_share == 0.0:
                    missed[index] = self._released(week)
                    continue
                network = self._network(week, mature)
                end_s = now_s + self.week_s

                def through(
                    state: State, network: Network = network, start_s: float = now_s, end_s: float = end_s
                ) -> tuple[State, NDArray[np.float64], NDArray[np.int64]]:
                    return self._week(state, network, start_s, end_s)

                ran = list(pool.map(through, states))
                states = [state for state, _, _ in ran]
                built[index] = np.mean([left for _, _, left in ran], axis=0)
                # What a week loses shows at its end, when its cars have waited long enough.
                missed[index] = np.mean([lost for _, lost, _ in ran], axis=0)
                guests += built[index, self.guest]
                now_s = end_s
        for state in states:
            if not kernels.count_remaining(state):
                message = "the simulation of the launch lost count of its cars; please report this plant"
                raise RuntimeError(message)
        others = [model for model in range(models) if model != self.guest]
        return Course(
            guest_units=built[:, self.guest],
            resident_units=built[:, others].sum(axis=1),
            guest_units_lost=missed[:, self.guest],
            resident_units_missed=missed[:, others].sum(axis=1),
            maturity=tuple(maturity),
            limiting_shop=self._limits(maturity, missed.sum(axis=1)),
        )

    def _released(self, week: Week) -> NDArray[np.float64]:
        """Return the cars of every model that a week wants."""
        units = np.array(self.inputs.planned_units_per_year) / WEEKS_PER_YEAR
        units[self.guest] = week.guest_units
        return units

    def _network(self, week: Week, mature: Maturity, *, filled: bool = False) -> Network:
        from coachbuilder.plant.flow.engine.network import build

        planned = self.inputs.planned_units_per_year
        setting = Setting(
            units_per_year=tuple(
                max(float(units) * WEEKS_PER_YEAR, NONE_PER_YEAR) if yearly > 0.0 else 0.0
                for units, yearly in zip(self._released(week), planned, strict=True)
            ),
            takt_s=self.inputs.assembly_takt_s,
            guest_cycle_multiplier=mature.cycle_multiplier,
            guest_first_pass_yield=mature.first_pass_yield,
            line_speed_share=week.line_speed_share,
            guest_failure_multiplier=mature.failure_multiplier,
        )
        plant = plant_of(self.inputs, setting, self.inputs.line, filled=filled).plant
        return build(plant, seed=self.inputs.seed, batches=1)

    def _week(
        self, state: State, network: Network, start_s: float, end_s: float
    ) -> tuple[State, NDArray[np.float64], NDArray[np.int64]]:
        """Take a run through a week; return it, the cars that it lost, and those that left, by model."""
        from coachbuilder.plant.flow.engine import kernels, retimed

        before = state.sums.car[:, LEFT].copy()
        state = retimed(state, network)
        kernels.restart_sources(state, start_s)
        kernels.advance(state, end_s)
        lost = np.zeros(before.size)
        kernels.drop_waiting(state, end_s - WAITING_DAYS * self.day_s, lost)
        return state, lost, state.sums.car[:, LEFT] - before

    def _limits(self, maturity: list[Maturity], missed: NDArray[np.float64]) -> tuple[str, ...]:
        """Return for weeks that fall short the shop that is tightest in them."""
        loads = weekly_loads(self.inputs)
        residents = residents_per_week(self.inputs)
        limits = []
        for week, mature, lost in zip(self.weeks, maturity, missed.tolist(), strict=True):
            short = lost > (1.0 - SHORT) * (residents + week.guest_units)
            if not short or week.line_speed_share == 0.0:
                limits.append("")
                continue
            takt_s = self.inputs.assembly_takt_s / week.line_speed_share
            limits.append(tightest(loads, week.guest_units, mature, takt_s))
        return tuple(limits)
