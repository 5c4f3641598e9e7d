"""The one place where the stages meet: a programme becomes a plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from coachbuilder.programme import InputError, Problem, Programme
from coachbuilder.programme.evidence import EVIDENCE_RULES, EvidenceKind
from coachbuilder.programme.units import unit_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coachbuilder.deal import AlternativesResult, DealInputs, DealResult, Timing
    from coachbuilder.deal.make_or_contract import RoutesInputs
    from coachbuilder.market import AnnouncementResult, Comparison, DemandByYear, DemandInputs, DemandResult
    from coachbuilder.market.parties import PartiesResult
    from coachbuilder.plant.balance import EditedLine, FitInputs, FitResult, LineBalance, LineTable
    from coachbuilder.plant.flow import FlowInputs, FlowResult, LineWork
    from coachbuilder.plant.sequence import LineLoad, SequenceInputs, SequenceResult
    from coachbuilder.vehicle import DrawnCar, VehicleInputs, VehicleResult
    from coachbuilder.vehicle.search import SearchResult

STAGES = ("timing", "vehicle", "demand", "fit", "sequence", "flow", "parties", "deal", "alternatives", "announcement")
"""The stages in the order in which they are run."""

Progress = Callable[[str], None]
"""Told of each stage before it runs."""

Given = TypeVar("Given")
Found = TypeVar("Found")

DAYS_PER_YEAR = 365.25

FEWEST_GUESTS_PER_YEAR = 1.0
"""With fewer there is no line to balance."""


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One entry of the evidence register as the plan sees it on its day."""

    id: str
    """Identifier in the programme file."""
    kind: str
    """Kind of evidence."""
    claim: str
    """What is claimed."""
    source: str
    """Who says so."""
    date: dt.date
    """When it became known."""
    sources_count: int
    """How many sources stand behind it."""
    supports: tuple[str, ...]
    """Entries that it makes more likely."""
    denies: tuple[str, ...]
    """Entries that it says are false."""
    probability: float
    """Probability after support and denial."""
    assumptions_count: int
    """How many assumptions name it."""


@dataclass(frozen=True, slots=True)
class RegisteredAssumption:
    """One assumption as the plan used it."""

    path: str
    """Where it stands in the programme file."""
    unit: str
    """Its unit; empty for a pure number."""
    value: float
    """Central value."""
    low: float
    """5 % point."""
    high: float
    """95 % point."""
    stated_range: bool
    """True if the file gives the range, false if the kind of evidence does."""
    is_default: bool
    """True if the file is silent and the format's default stands in."""
    evidence: str
    """Entry of the register that it names; 'placeholder' where nobody has named any."""
    kind: str
    """Kind of that evidence."""
    probability: float
    """Probability of that evidence."""
    stages: tuple[str, ...]
    """Stages of the plan whose figures depend on it, upstream ones included."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer: every stage's result, and what each rests on."""

    programme: Programme
    """The programme that was planned."""
    timing: Timing
    """When production for sale may start, and what holds it."""
    vehicle: VehicleResult
    """What the car is."""
    demand: DemandResult
    """Who buys it."""
    planned_guest_units_per_year: float
    """Guest cars a year that the line is laid out for: the best year's demand from the start of production on, at least
    what the contract has the brand take or pay, and at most the contracted capacity."""
    fit: FitResult
    """Whether and how the host can build it."""
    sequence: SequenceResult
    """A day's build order."""
    flow: FlowResult
    """At what rate the plant builds, and how it is launched."""
    parties: PartiesResult | None
    """How brand, host and suppliers stand on lists of authorities; None where the programme does not say."""
    deal: DealResult
    """Who earns what."""
    alternatives: AlternativesResult | None
    """What other contracts and other routes would bring; None in a draw."""
    announcement: AnnouncementResult
    """What the market paid for the news."""
    comparison: tuple[Comparison, ...]
    """That beside the plan's own value, by side."""
    register: tuple[RegisterEntry, ...]
    """The evidence register as seen on the plan's day, weakest first."""
    assumptions: tuple[RegisteredAssumption, ...]
    """Every assumption as used, weakest evidence first."""
    hidden_evidence: tuple[str, ...]
    """Entries dated after the plan's day, which it did not use."""
    draw_rate_correction: float
    """Rate of the long simulation over that of the short one which a draw of the risk stage can afford."""
    trace: Mapping[str, tuple[str, ...]]
    """Paths of the assumptions on which each stage's figures depend, upstream ones included."""
    headline: Mapping[str, float | None]
    """The figures whose spread the risk stage tells, by name with unit."""


def evaluate(programme: Programme, *, reuse: Plan | None = None, progress: Progress | None = None) -> Plan:
    """Run all stages once, with every assumption at its value.

    Parameters
    ----------
    programme
        The programme to plan.
    reuse
        A plan of the same programme at other values. The line is then taken as it was laid out there: it is not
        balanced and sequenced again, its takt stays, the plant is simulated for a shorter time, and assembly hours
        follow the drawn work times at the idle share of that balance. This is how the risk stage draws.
    progress
        Told of each stage before it runs.

    Raises
    ------
    InputError
        If a stage finds mistakes that only show when files are taken together.

    Examples
    --------
    >>> from coachbuilder import load
    >>> evaluate(load("examples/phone-maker-ev")).deal.joint.npv_cny  # doctest: +SKIP
    """
    stages = Stages(programme, reuse=reuse, progress=progress)
    return stages.plan()


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was found of one draw together with others."""

    car: DrawnCar
    """The car."""
    demand: DemandByYear
    """Who buys it; axes are (years,)."""


def evaluate_draws(
    base: Plan,
    paths: Sequence[str],
    values: NDArray[np.float64],
    *,
    lines: LineTable | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> NDArray[np.float64]:
    """Return the headline figures of many draws, shape (draws, figures): those of :func:`evaluate` with ``reuse``.

    Traces are driven, the market is reckoned and cash is discounted for all draws at once; the rest goes draw by draw.

    Parameters
    ----------
    base
        The plan that the draws start from.
    paths
        Assumptions, in the order of the columns; all others stay at their own values.
    values
        Their values, shape (draws, assumptions).
    lines
        See :class:`Stages`.
    stopped
        Asked before each draw; true ends the work.

    Returns
    -------
    numpy.ndarray
        In the order of :func:`headline_names`; not a number where a figure is none. Values that are right one by one
        may not go together, such as a pack too weak for its motor: such a draw has no figures at all.

    Raises
    ------
    RuntimeError
        If the work was stopped.
    """
    import numpy as np

    from coachbuilder import deal, market, vehicle

    move_to = base.programme.drawable().setter(paths)
    rows = values.tolist()
    drawn: dict[int, Drawn] = {}

    def each(draws: Iterable[int], work: Callable[[Stages], Found]) -> dict[int, Found]:
        found = {}
        for number in draws:
            if stopped():
                message = "the draws were stopped"
                raise RuntimeError(message)
            with suppress(InputError, ArithmeticError):
                programme = move_to(rows[number])
                found[number] = work(Stages(programme, reuse=base, lines=lines, drawn=drawn.get(number)))
        return found

    cars = _together(vehicle.evaluate_draws, each(range(len(rows)), lambda stages: stages.vehicle_inputs))
    reach = {number: car.cltc_range_km for number, car in cars.items() if car.cltc_range_km is not None}
    draws = list(reach)
    demand = market.demand_of_draws(
        base.programme,
        {path: values[draws, column] for column, path in enumerate(paths)},
        range_km=np.array(list(reach.values())),
    )
    for row, number in enumerate(draws):
        wanted = demand.of_draw(row)
        if np.isfinite(wanted.units_per_year).all():
            drawn[number] = Drawn(cars[number], wanted)
    before_deal = each(drawn, lambda stages: ([read(stages) for read in _BEFORE_DEAL.values()], stages.deal_inputs))
    figures = np.full((len(rows), len(_HEADLINE)), np.nan)
    if before_deal:
        earned = deal.evaluate_draws([inputs for _, inputs in before_deal.values()])
        columns = [getattr(earned, name) for name in _OF_DEAL]
        others = np.array([headline for headline, _ in before_deal.values()], dtype=float)
        figures[list(before_deal)] = np.column_stack([*columns, others])
        figures[np.isnan(figures[:, 0])] = np.nan
    return figures


def _together(
    evaluate_all: Callable[[Sequence[Given]], Sequence[Found]], given: Mapping[int, Given]
) -> dict[int, Found]:
    """Evaluate what belongs to several draws at once; draws whose figures do not go together are left out."""
    draws = list(given)
    try:
        return dict(zip(draws, evaluate_all([given[number] for number in draws]), strict=True))
    except (InputError, ArithmeticError):
        if len(draws) == 1:
            return {}
    half = len(draws) // 2
    parts = ({number: given[number] for number in some} for some in (draws[:half], draws[half:]))
    return {number: found for part in parts for number, found in _together(evaluate_all, part).items()}


def problems_of(programme: Programme) -> list[Problem]:
    """Return the mistakes that only show when files are taken together, such as a task that fits no station."""
    from coachbuilder import deal
    from coachbuilder.plant import flow

    stages = Stages(programme)
    found: list[Problem] = []
    for name in (
        "vehicle_inputs",
        "timing",
        "demand_inputs",
        "fit_inputs",
        "sequence_inputs",
        "parties",
        "announcement",
    ):
        try:
            getattr(stages, name)
        except InputError as error:
            found.extend(problem for problem in error.problems if problem not in found)
    section = programme.document.deal
    found.extend(deal.check(section))
    with suppress(InputError):
        found.extend(deal.check_items(section, stages.vehicle_inputs.parts_cost_by_item_cny))
    found.extend(problem for problem in flow.check(programme) if problem not in found)
    return found


class Stages:
    """The stages of one programme, each run when it is first asked for, with those that it needs.

    Parameters
    ----------
    programme
        The programme.
    reuse
        See :func:`evaluate`.
    lines
        Balances between which a draw's line is interpolated: it is then laid out for the demand and the work times of
        the draw, not left as ``reuse`` has it.
    drawn
        Car and demand where they were found together with those of other draws.
    progress
        Told of each stage before it runs.
    """

    def __init__(
        self,
        programme: Programme,
        *,
        reuse: Plan | None = None,
        lines: LineTable | None = None,
        drawn: Drawn | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.programme = programme
        self._reuse = reuse
        self._lines = lines if reuse is not None else None
        self._drawn = drawn
        self._progress = progress
        self._reads: dict[str, set[str]] = {}

    def know(self, stage: str, result: object) -> None:
        """Take a stage's result as known: it is not worked out again.

        Parameters
        ----------
        stage
            Name of the stage, or of another property here.
        result
            What it would return.
        """
        self.__dict__[stage] = result

    def plan(self) -> Plan:
        """Return all of it."""
        results = {name: getattr(self, name) for name in STAGES}
        return Plan(
            programme=self.programme,
            **results,
            planned_guest_units_per_year=self.planned_guest_units_per_year,
            comparison=self.comparison,
            register=() if self._reuse else _register(self.programme),
            assumptions=() if self._reuse else _assumptions(self.programme, self.trace),
            hidden_evidence=self.programme.hidden_evidence,
            trace={} if self._reuse else self.trace,
            draw_rate_correction=self.draw_rate_correction,
            headline=self.headline,
        )

    @cached_property
    def timing(self) -> Timing:
        """When production for sale may start."""
        from coachbuilder.deal import start_of_production, timing_inputs_from

        self._tell("timing")
        return start_of_production(timing_inputs_from(self._programme_for("timing")))

    @cached_property
    def vehicle_inputs(self) -> VehicleInputs:
        """What the vehicle stage takes."""
        from coachbuilder import vehicle

        programme = self._programme_for("vehicle")
        return vehicle.inputs_from(programme, cny_per_usd=programme.document.deal.cny_per_usd.value)

    @cached_property
    def vehicle(self) -> VehicleResult:
        """What the car is."""
        from coachbuilder import vehicle

        self._tell("vehicle")
        return vehicle.evaluate(self.vehicle_inputs, quick=self._reuse is not None)

    @property
    def car(self) -> VehicleResult | DrawnCar:
        """What the other stages ask of the car."""
        return self.vehicle if self._drawn is None else self._drawn.car

    def search_vehicle(self) -> SearchResult:
        """Return the cheapest car that reaches the programme's targets, and what range costs."""
        from coachbuilder.vehicle.search import Targets, search, space_around

        self._tell("vehicle")
        targets = Targets.of(self.programme)
        if targets is None:
            raise InputError(
                [
                    Problem(
                        "programme.toml",
                        "vehicle.targets",
                        "no such table",
                        "what the car has to reach: range, acceleration, mass, parts cost",
                    )
                ]
            )
        cny_per_usd = self.programme.document.deal.cny_per_usd.value
        return search(self.programme, space_around(self.programme), targets, cny_per_usd=cny_per_usd)

    @cached_property
    def demand_inputs(self) -> DemandInputs:
        """What the demand stage takes."""
        from coachbuilder import market

        programme = self._programme_for("demand")
        range_km = self.vehicle.cltc_range_km
        if range_km is None:
            motor_kw = programme.document.vehicle.motor.peak_kw
            raise InputError(
                [
                    Problem(
                        "programme.toml",
                        "vehicle.motor.peak_kw",
                        f"{motor_kw.value:g} kW, with which the car cannot follow the CLTC-P trace",
                        "a drive, a pack and grip with which it can: a range needs the whole trace",
                    )
                ]
            )
        return market.demand_inputs_from(programme, range_km=range_km)

    @cached_property
    def demand(self) -> DemandResult:
        """Who buys it."""
        from coachbuilder import market

        self._tell("demand")
        return market.evaluate_demand(self.demand_inputs)

    @property
    def wanted(self) -> DemandResult | DemandByYear:
        """What the other stages ask of demand."""
        return self.demand if self._drawn is None else self._drawn.demand

    @cached_property
    def peak_demand_units_per_year(self) -> float:
        """Guest cars wanted in the best year from that of the start of production on; 0 if there is none."""
        first = self.timing.start_of_production_date.year
        years = zip(self.wanted.years, self.wanted.units_per_year, strict=True)
        return max((float(units) for year, units in years if year >= first), default=0.0)

    @cached_property
    def planned_guest_units_per_year(self) -> float:
        """Guest cars a year that the line is laid out for."""
        if self._reuse is not None and self._lines is None:
            return self._reuse.planned_guest_units_per_year
        from coachbuilder import deal

        contract = self._programme_for("fit_plan").document.deal
        floor = deal.floor_units_per_year(contract)
        planned = float(
            min(max(floor, self.peak_demand_units_per_year), contract.contracted_capacity_units_per_year.value)
        )
        if planned < FEWEST_GUESTS_PER_YEAR:
            raise InputError(
                [
                    Problem(
                        "programme.toml",
                        "market.demand",
                        f"{planned:.2g} guest cars wanted in the best year, none agreed to be taken",
                        f"{FEWEST_GUESTS_PER_YEAR:g} or more: there is nothing to plan",
                        hint="look at the price, the start of production and the horizon",
                    )
                ]
            )
        return planned

    @cached_property
    def fit_inputs(self) -> FitInputs:
        """What the balance takes."""
        from coachbuilder.plant import balance

        programme = self._programme_for("fit")
        return balance.inputs_from(
            programme,
            resident_units_per_year=programme.resident_units_per_year,
            guest_units_per_year=self.planned_guest_units_per_year,
        )

    @cached_property
    def fit(self) -> FitResult:
        """Whether and how the host can build it."""
        from coachbuilder.plant import balance

        if self._reuse is not None:
            return self._reuse.fit
        inputs = self.fit_inputs
        self._tell("fit")
        return balance.evaluate(inputs)

    def from_sheet(self, workbook: Path) -> tuple[Stages, EditedLine]:
        """Read an edited work-content sheet; check its line and balance it again from there.

        Parameters
        ----------
        workbook
            A workbook that ``coachbuilder fit --sheet`` wrote.

        Returns
        -------
        tuple of Stages and EditedLine
            The stages of the programme with the sheet's tasks in place of its own, and the line.

        Raises
        ------
        InputError
            With the mistakes in it by sheet and cell, those included that only the line as a whole shows.
        """
        from coachbuilder.plant import balance
        from coachbuilder.programme.sheet import fingerprint, read_work_content

        content = read_work_content(
            workbook,
            model_ids=[model.id for model in self.programme.plant.model],
            stations=[station.id for station in balance.stations_of(self.programme)],
            equipment=[item.id for item in self.programme.plant.assembly.equipment],
            skills=[item.id for item in self.programme.plant.assembly.skill],
            earlier=self.programme.tasks,
        )
        known = None
        if content.today and not content.edited:
            own = self.fit
            today = [(place.task, place.station, place.operators) for place in own.before.assignment]
            if fingerprint(self.programme.tasks, today) == content.fingerprint:
                known = own
        edited = Stages(replace(self.programme, tasks=content.tasks, line=()), progress=self._progress)
        places = [balance.TaskPlace(item.task, item.station, item.operators) for item in content.places]
        try:
            inputs = edited.fit_inputs
            self._tell("fit")
            line = balance.balance_again(
                inputs,
                places,
                content.remarks,
                today=content.today,
                takt_s=content.takt_s,
                edited=content.edited,
                known=known,
            )
        except InputError as error:
            raise InputError(content.located(error.problems)) from None
        return edited, replace(line, violations=tuple(content.with_rows(text) for text in line.violations))

    @cached_property
    def sequence_inputs(self) -> SequenceInputs:
        """What the sequence takes."""
        from coachbuilder.plant import sequence

        programme = self._programme_for("sequence")
        days = programme.plant.shifts.working_days_per_year.value
        units = {**programme.resident_units_per_year, programme.guest.id: self.planned_guest_units_per_year}
        return sequence.inputs_from(programme, cars_per_day={model: count / days for model, count in units.items()})

    @cached_property
    def sequence(self) -> SequenceResult:
        """A day's build order."""
        from coachbuilder.plant import sequence

        if self._reuse is not None:
            return self._reuse.sequence
        inputs = replace(self.sequence_inputs, line=self._line_load())
        self._tell("sequence")
        return sequence.evaluate(inputs)

    def _line_load(self) -> LineLoad:
        """Return the balanced line as a build order loads it."""
        from coachbuilder.plant import balance
        from coachbuilder.plant.sequence import LineLoad, LineOperator

        inputs, line = self.fit_inputs, self.fit.after
        lanes = {station.station: station.lanes for station in line.stations}
        takts_before: dict[str, int] = {}
        for station in line.stations:
            takts_before[station.station] = sum(lanes[earlier] for earlier in takts_before)
        return LineLoad(
            takt_s=line.takt_s,
            models=inputs.models,
            mix=tuple(line.mix.get(model, 0.0) for model in inputs.models),
            guest=inputs.guest,
            operators=tuple(
                LineOperator(
                    station=item.station,
                    number=item.number,
                    place=takts_before[item.station],
                    lanes=lanes[item.station],
                    lane=lane,
                    work_s=item.time_s,
                )
                for item in balance.occupancy(inputs, line)
                for lane in range(lanes[item.station])
            ),
        )

    @cached_property
    def flow_inputs(self) -> FlowInputs:
        """What the simulation takes."""
        return self._flow_inputs(self._programme_for("flow"), cheap=self._reuse is not None)

    def _flow_inputs(self, programme: Programme, *, cheap: bool) -> FlowInputs:
        from coachbuilder.plant import flow

        reuse = self._reuse
        return flow.inputs_from(
            programme,
            line=None if cheap else self._line_work(self.fit.after),
            resident_only_line=None if cheap else self._line_work(self.fit.before),
            line_stop_s_per_car=(self.flow if reuse is None else reuse.flow).line_stop_s_per_car if cheap else 0.0,
            assembly_takt_s=self._takts_s[0],
            resident_only_takt_s=self._takts_s[1],
            resident_units_per_year=programme.resident_units_per_year,
            guest_units_per_year=self.planned_guest_units_per_year,
            cheap=cheap,
            rate_correction=1.0 if self._reuse is None else self._reuse.draw_rate_correction,
        )

    @cached_property
    def _takts_s(self) -> tuple[float, float]:
        """Takt of the line with the guest, and for the residents alone, s."""
        if self._lines is None:
            return self.fit.after.takt_s, self.fit.before.takt_s
        from coachbuilder.plant.process import net_hours_per_year, takt_s

        plant = self.programme.plant
        hours, running = net_hours_per_year(plant.shifts), plant.plant.planning_availability.value
        residents = sum(self.programme.resident_units_per_year.values())
        with_guest = takt_s(residents + self.planned_guest_units_per_year, hours, running)
        return with_guest, takt_s(residents, hours, running) if residents > 0 else with_guest

    @cached_property
    def line_takt_s(self) -> float:
        """Takt with the guest at the work times of the plan that is drawn from, by which a line is looked up, s."""
        from coachbuilder.plant import balance

        tasks = self.programme.plant.tasks
        return balance.takt_at_plan_times_s(
            self.fit,
            takt_s=self._takts_s[0],
            resident_time_scale=tasks.time_scale.value,
            guest_time_scale=tasks.guest_time_scale.value,
            units_per_year={
                **self.programme.resident_units_per_year,
                self.programme.guest.id: self.planned_guest_units_per_year,
            },
        )

    def _line_work(self, line: LineBalance) -> LineWork:
        """Return what a balanced line asks of its workers as the simulation takes it.

        At parallel places each crew takes every so many-th car: a worker of the simulated station has that share of
        the work on each.
        """
        from coachbuilder.plant import balance
        from coachbuilder.plant.flow import LineWork

        inputs, drift = self.fit_inputs, self.sequence_inputs.drift
        nobody = (0.0,) * len(inputs.models)
        most = {station.station: nobody for station in line.stations}
        for item in balance.occupancy(inputs, line):
            most[item.station] = tuple(map(max, most[item.station], item.time_s))
        return LineWork(
            work_s=tuple(
                tuple(seconds / station.lanes for seconds in most[station.station]) for station in line.stations
            ),
            station_length_share=drift.station_length_share,
            utility_workers=round(drift.utility_workers),
            stops=True,
            order=tuple(car.model for car in self.sequence.order),
        )

    @cached_property
    def draw_rate_correction(self) -> float:
        """Rate of the long simulation over that of a draw's short one at the same values."""
        from coachbuilder.plant import flow

        if self._reuse is not None:
            return self._reuse.draw_rate_correction
        short = flow.evaluate_draw(self._flow_inputs(self.programme, cheap=True))
        return self.flow.jph / short.jph if short.jph > 0 else 1.0

    @cached_property
    def flow(self) -> FlowResult:
        """At what rate the plant builds, and how it is launched."""
        from coachbuilder.plant import flow

        inputs = self.flow_inputs
        self._tell("flow")
        return flow.evaluate(inputs) if self._reuse is None else flow.evaluate_draw(inputs)

    @cached_property
    def parties(self) -> PartiesResult | None:
        """How brand, host and suppliers stand on lists of authorities; None where the programme does not say."""
        from coachbuilder.market.parties import evaluate_parties, parties_inputs_from

        known = None if self._reuse is None else self._reuse.parties
        inputs = parties_inputs_from(self._programme_for("parties"), known=known)
        if inputs is None:
            return None
        self._tell("parties")
        return evaluate_parties(inputs)

    @cached_property
    def deal_inputs(self) -> DealInputs:
        """What the deal takes, its discount rates raised by what the parties' listings add to them."""
        from coachbuilder import deal
        from coachbuilder.plant import balance

        programme = self._programme_for("deal")
        tasks = programme.plant.tasks
        labour = balance.labour_at(
            self.fit,
            takt_s=self._takts_s[0],
            resident_time_scale=tasks.time_scale.value,
            guest_time_scale=tasks.guest_time_scale.value,
            planning_availability=programme.plant.plant.planning_availability.value,
            busy_share=None if self._lines is None else self._lines.busy_share_at(self.line_takt_s),
        )
        calendar = _calendar(programme.as_of, 12 * programme.document.programme.horizon_years)
        start = self.timing.start_of_production_date
        wanted = self.wanted
        demand_by_year = dict(zip(wanted.years, wanted.units_per_year, strict=True))
        given_up_by_year = dict(zip(wanted.years, wanted.host_units_lost_per_year, strict=True))
        guest, displaced = calendar.spread_ramp(self.flow, start)
        # The host loses its own cars twice: those that the guest displaces on the line, and those whose buyers take it.
        residents_lost = displaced + calendar.demand(given_up_by_year, start)
        guest_yield = self.flow.ramp.first_pass_yield
        inputs = deal.inputs_from(
            programme,
            start_of_production=self.timing,
            demand_units_by_month=calendar.demand(demand_by_year, start),
            guest_output_units_by_month=guest,
            resident_units_lost_by_month=residents_lost,
            price_cny_by_year=dict(zip(wanted.years, wanted.price_cny, strict=True)),
            parts_cost_by_item_cny=self.car.parts_cost_by_item_cny,
            assembly_hours_per_car=labour.direct_hours_per_car[programme.guest.id],
            first_pass_yield=float(guest_yield[-1]) if len(guest_yield) else 1.0,
            planned_units_per_year=self.planned_guest_units_per_year,
            with_break_even=self._reuse is None,
        )
        if self.parties is None:
            return inputs
        brand, host = self.parties.brand.discount_rate, self.parties.host.discount_rate
        return replace(inputs, brand_discount_rate=brand, host_discount_rate=host)

    @cached_property
    def deal(self) -> DealResult:
        """Who earns what."""
        from coachbuilder import deal

        inputs = self.deal_inputs
        self._tell("deal")
        return deal.evaluate(inputs)

    @cached_property
    def routes_inputs(self) -> RoutesInputs | None:
        """Other routes and the spread of demand, as far as the programme gives them."""
        from coachbuilder.deal.make_or_contract import routes_inputs_from

        section = self._programme_for("alternatives").document.routes
        return None if section is None else routes_inputs_from(section, self.programme.seed)

    @cached_property
    def alternatives(self) -> AlternativesResult | None:
        """What other contracts and other routes would bring; None in a draw."""
        from coachbuilder.deal.alternatives import alternatives

        if self._reuse is not None:
            return None
        inputs, result, routes = self.deal_inputs, self.deal, self.routes_inputs
        self._tell("alternatives")
        return alternatives(inputs, result, routes)

    @cached_property
    def announcement(self) -> AnnouncementResult:
        """What the market paid for the news."""
        from coachbuilder import market

        if self._reuse is not None:
            return self._reuse.announcement
        programme = self._programme_for("announcement")
        rates = programme.document.deal
        inputs = market.announcement_inputs_from(
            programme, cny_per_usd=rates.cny_per_usd.value, cny_per_hkd=rates.cny_per_hkd.value
        )
        self._tell("announcement")
        return market.evaluate_announcement(inputs)

    @cached_property
    def comparison(self) -> tuple[Comparison, ...]:
        """What the market paid beside what the plan is worth, by side."""
        from coachbuilder import market

        if self._reuse is not None:
            return self._reuse.comparison
        value = {"brand": self.deal.brand.npv_cny, "host": self.deal.host.npv_cny}
        return tuple(
            market.compare(item, npv_cny=value[item.side], probability=self.programme.partnership_probability)
            for item in self.announcement.implied_values
        )

    @cached_property
    def headline(self) -> dict[str, float | None]:
        """The figures whose spread the risk stage tells."""
        return {name: read(self) for name, read in _HEADLINE.items()}

    @cached_property
    def trace(self) -> dict[str, tuple[str, ...]]:
        """Paths of the assumptions on which each stage depends, those of the stages before it included."""
        found: dict[str, set[str]] = {}
        for stage in _DEPENDS_ON:
            found[stage] = set(self._reads.get(stage, ())).union(*(found[before] for before in _DEPENDS_ON[stage]))
        return {stage: tuple(sorted(paths)) for stage, paths in found.items()}

    def _programme_for(self, stage: str) -> Programme:
        """Return the programme that a stage reads; reads are noted, but not in a draw, whose base plan knows them."""
        if self._reuse is not None:
            return self.programme
        twin, reads = self.programme.traced()
        self._reads[stage] = reads
        return twin

    def _tell(self, stage: str) -> None:
        if self._progress is not None:
            self._progress(stage)


_DEPENDS_ON: Mapping[str, tuple[str, ...]] = {
    "timing": (),
    "vehicle": (),
    "demand": ("vehicle",),
    "fit_plan": ("timing", "demand"),
    "fit": ("fit_plan",),
    "sequence": ("fit",),
    "flow": ("fit", "sequence"),
    "parties": (),
    "deal": ("timing", "vehicle", "demand", "fit", "flow", "parties"),
    "alternatives": ("deal",),
    "announcement": (),
}


def headline_names() -> tuple[str, ...]:
    """Return the names of the headline figures."""
    return tuple(_HEADLINE)


_OF_DEAL: Mapping[str, Callable[[Stages], float | None]] = {
    "brand_npv_cny": lambda stages: stages.deal.brand.npv_cny,
    "host_npv_cny": lambda stages: stages.deal.host.npv_cny,
    "joint_npv_cny": lambda stages: stages.deal.joint.npv_cny,
    "own_plant_npv_cny": lambda stages: stages.deal.own_plant.npv_cny,
    "unit_cost_cny": lambda stages: None if stages.deal.unit_cost.year is None else stages.deal.unit_cost.total_cny,
}
"""Figures that :func:`coachbuilder.deal.evaluate_draws` gives by the same names."""

_BEFORE_DEAL: Mapping[str, Callable[[Stages], float | None]] = {
    "months_to_start": lambda stages: stages.timing.months_from_as_of,
    "peak_demand_units_per_year": lambda stages: stages.peak_demand_units_per_year,
    "guest_capacity_units_per_year": lambda stages: stages.flow.guest_capacity_units_per_year,
    "plant_jph": lambda stages: stages.flow.jph,
    "resident_units_lost_per_year": lambda stages: stages.flow.resident_units_lost_per_year,
    "weeks_to_rate_weeks": lambda stages: _as_float(stages.flow.ramp.weeks_to_rate),
    "epa_label_range_km": lambda stages: stages.car.epa_label_range_km,
    "wltp_range_km": lambda stages: stages.car.wltp_range_km,
    "zero_to_100_s": lambda stages: stages.car.zero_to_100_s,
    "charge_10_80_min": lambda stages: stages.car.charge_10_80_min,
    "parts_cost_cny": lambda stages: stages.car.parts_cost_cny,
}

_HEADLINE: Mapping[str, Callable[[Stages], float | None]] = {**_OF_DEAL, **_BEFORE_DEAL}


def _as_float(number: int | None) -> float | None:
    return None if number is None else float(number)


@lru_cache(maxsize=8)
def _calendar(as_of: dt.date, months: int) -> _Calendar:
    return _Calendar(as_of, months)


class _Calendar:
    """Months from the decision day on: month 0 is the first whole month after it."""

    def __init__(self, as_of: dt.date, months: int) -> None:
        import numpy as np

        first = as_of.year * 12 + as_of.month
        starts = [dt.date((first + month) // 12, (first + month) % 12 + 1, 1) for month in range(months + 1)]
        self._days = np.array([(day - as_of).days for day in starts], dtype=float)
        self._as_of = as_of
        self._years = sorted({day.year for day in starts[:-1]})
        self._year_of = np.searchsorted(self._years, [day.year for day in starts[:-1]])

    def demand(self, units_per_year: Mapping[int, float], start: dt.date) -> NDArray[np.float64]:
        """Return demand by month, none before the start of production and a part of its month."""
        import numpy as np

        offset = (start - self._as_of).days
        on_sale = np.minimum(np.maximum((self._days[1:] - offset) / np.diff(self._days), 0.0), 1.0)
        per_month = np.array([units_per_year.get(year, 0.0) / 12 for year in self._years])
        units: NDArray[np.float64] = per_month[self._year_of] * on_sale
        return units

    def spread_ramp(self, flow: FlowResult, start: dt.date) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return guest cars for sale and resident cars lost by month, from the weeks of the launch.

        Weeks run from the first pilot build; pilot cars are not for sale, resident cars are lost to them all the
        same. After the weeks told the plant's yearly figures hold.
        """
        ramp = flow.ramp
        first_day = (start - self._as_of).days - 7.0 * (ramp.start_of_production_week - 1)
        for_sale = ramp.guest_units * (ramp.week >= ramp.start_of_production_week)
        return (
            self._by_month(for_sale, first_day, flow.guest_units_per_year),
            self._by_month(ramp.resident_units_lost, first_day, flow.resident_units_lost_per_year),
        )

    def _by_month(self, weekly: NDArray[np.float64], first_day: float, then_per_year: float) -> NDArray[np.float64]:
        import numpy as np

        days = first_day + 7.0 * np.arange(len(weekly) + 1)
        made = np.concatenate([[0.0], np.cumsum(weekly)])
        last = max(days[-1], self._days[-1]) + 1.0
        days = np.append(days, last)
        made = np.append(made, made[-1] + then_per_year * (last - days[-2]) / DAYS_PER_YEAR)
        return np.diff(np.interp(self._days, days, made))


def _register(programme: Programme) -> tuple[RegisterEntry, ...]:
    entries = [
        RegisterEntry(
            id=name,
            kind=entry.kind.value,
            claim=entry.claim,
            source=entry.source,
            date=entry.date,
            sources_count=entry.sources_count,
            supports=entry.supports,
            denies=entry.denies,
            probability=programme.standings[name].probability,
            assumptions_count=len(programme.assumptions_by_evidence.get(name, ())),
        )
        for name, entry in programme.evidence.items()
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.probability, entry.id)))


def _assumptions(programme: Programme, trace: Mapping[str, tuple[str, ...]]) -> tuple[RegisteredAssumption, ...]:
    stages_of: dict[str, list[str]] = {}
    for stage in STAGES:
        for path in trace[stage]:
            stages_of.setdefault(path, []).append(stage)
    nobody = EVIDENCE_RULES[EvidenceKind.PLACEHOLDER].probability
    found = []
    for path, item in programme.assumptions.items():
        entry = programme.evidence.get(item.evidence)
        found.append(
            RegisteredAssumption(
                path=path,
                unit=unit_of(path),
                value=item.value,
                low=item.value if item.low is None else item.low,
                high=item.value if item.high is None else item.high,
                stated_range=item.stated_range,
                is_default=item.is_default,
                evidence=item.evidence,
                kind=programme.evidence_kind(item),
                probability=nobody if entry is None else programme.standings[item.evidence].probability,
                stages=tuple(stages_of.get(path, ())),
            )
        )
    return tuple(sorted(found, key=lambda item: (item.probability, item.path)))
