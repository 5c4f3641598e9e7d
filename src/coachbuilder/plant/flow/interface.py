"""What the flow stage takes from a programme and what it answers; the rules of simulation are those of ``plant``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme.sections.flow import Release, ShopKind


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop: equal stages in series, each of one or more equal machines side by side."""

    id: str
    """Short name."""
    name: str
    """Name for people."""
    kind: ShopKind
    """What is done there."""
    passes: tuple[bool, ...]
    """Whether each model passes, in the order of ``FlowInputs.models``."""
    stages: int
    """Stages in series."""
    parallel: int
    """Machines side by side at every stage."""
    buffer_between: int
    """Places between two stages."""
    buffer_after: int
    """Places on every way out of the shop."""
    conveyor_places: int
    """Cars that ride on conveyors behind the last stage when the shop runs at full speed; in assembly, places on the
    line in all."""
    exponential: bool
    """True if the cycle time is exponential, false if it is fixed."""
    cycle_time_s: tuple[float, ...]
    """Cycle time of a machine by model, s; empty where the assembly takt holds."""
    mtbf_s: float | None
    """Mean working time of a machine between failures, s; None if it never fails."""
    mttr_s: float | None
    """Mean time to repair, s."""
    first_pass_yield: tuple[float, ...]
    """Share of cars that pass at the first try, by model; empty where nothing is tested."""
    retest_yield: float
    """Share of reworked cars that pass the next try."""
    rework: str
    """Shop to which failing cars go; empty where nothing is tested."""
    rejoin: str
    """Rework shops: where its cars go on; empty means behind the test that sent them."""
    scrap_share: float
    """Rework shops: share of its cars given up."""


@dataclass(frozen=True, slots=True)
class LineWork:
    """What the balanced assembly line asks of its workers, and the order in which cars are released."""

    work_s: tuple[tuple[float, ...], ...]
    """Work of every station in line order (rows) on every model (columns), s: that of its operator with most of it."""
    station_length_share: float
    """How long a car is within a station, in takts."""
    utility_workers: int
    """Utility workers who take on overload."""
    stops: bool
    """Whether what they cannot take on stops the line."""
    order: tuple[str, ...]
    """Models in the order of a day's cars; empty spreads them evenly."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """Weeks in which the host converts its plant for the guest."""

    id: str
    """Short name."""
    name: str
    """Name for people."""
    first_week: int
    """Its first week, counted like those of the launch."""
    weeks: int
    """How long it takes."""
    line_speed_share: float
    """Speed of the assembly line meanwhile, as a share of full speed; 0 shuts the plant."""


@dataclass(frozen=True, slots=True)
class RampStep:
    """A step of the planned launch curve."""

    weeks: int
    """How long it lasts."""
    guest_rate_share: float
    """Guest cars released, as a share of the planned weekly rate."""
    line_speed_share: float
    """Speed of the assembly line, as a share of full speed."""


@dataclass(frozen=True, slots=True)
class RampInputs:
    """How the guest is launched beside the residents."""

    weeks: int
    """Weeks that are told, pilot weeks included."""
    pilot_weeks: int
    """Weeks of pilot builds before the start of production."""
    pilot_units_per_week: float
    """Guest cars built in a pilot week."""
    learning_rate: float
    """Share of the excess over the plateau that is left at each doubling of guest cars built (Wright)."""
    learning_reference_units: float
    """Guest cars built when the initial figures hold."""
    initial_cycle_multiplier: float
    """Guest cycle time in body and assembly at first, as a multiple of the planned one."""
    plateau_cycle_multiplier: float
    """The multiple that remains for good."""
    initial_first_pass_yield: float
    """Guest's first-pass yield at first."""
    steps: tuple[RampStep, ...]
    """Launch curve after the pilot; full rate and speed hold afterwards."""
    initial_failure_multiplier: float = 1.0
    """Failures of the shops of the guest's own at first, as a multiple of the mature ones."""
    conversions: tuple[Conversion, ...] = ()
    """Ways to convert the plant: the first is planned, the others are told beside it."""


@dataclass(frozen=True, slots=True)
class FlowInputs:
    """A plant, what is asked of it, and how long it is simulated."""

    models: tuple[str, ...]
    """Models built in the plant."""
    guest_model: str
    """The one that is the guest."""
    planned_units_per_year: tuple[float, ...]
    """Cars a year wanted of each model; their shares decide what is released."""
    shops: tuple[Shop, ...]
    """Shops in the order in which a car passes them; rework shops anywhere."""
    assembly_takt_s: float
    """Takt of the assembly line with the guest, s."""
    resident_only_takt_s: float
    """Takt of the assembly line for the residents alone, s."""
    net_hours_per_day: float
    """Working hours a day without breaks, h."""
    working_days_per_year: float
    """Days a year on which the plant works."""
    release: Release
    """Whether body shops push to capacity or are paced by the planned rate."""
    ramp: RampInputs
    """The launch."""
    replications: int
    """Independent runs."""
    days: float
    """Days that count in each run."""
    warm_up_days: float
    """Days before them that do not count."""
    seed: int
    """Seed of all random streams."""
    launch_replications: int = 8
    """Independent runs of the launch."""
    line: LineWork | None = None
    """The line balanced with the guest; None leaves overload out."""
    resident_only_line: LineWork | None = None
    """The line balanced for the residents alone."""
    line_stop_s_per_car: float = 0.0
    """Quick runs: by how much overload lengthens the mean takt, in place of the work at every station."""
    quick: bool = False
    """True for one draw, which simulates the plant with the guest only and reckons the rest; see ``evaluate_draw``."""
    rate_correction: float = 1.0
    """Quick runs: factor on simulated rates; long runs over short ones at the central values takes their luck out."""


@dataclass(frozen=True, slots=True)
class ModelRate:
    """What the plant makes of one model."""

    id: str
    """Model."""
    jph: float
    """Jobs per hour."""
    jph_ci95: float | None
    """Half width of the 95 % confidence interval; None with one replication."""
    planned_units_per_year: float
    """Cars a year that are wanted."""
    capacity_units_per_year: float
    """Cars a year that the simulated rate gives."""
    units_per_year: float
    """The smaller of the two."""


@dataclass(frozen=True, slots=True)
class MachineResult:
    """Where the time of one machine goes; the five shares add up to 1."""

    id: str
    """Shop, stage and machine, such as ``paint.2.1``; a segment of the assembly line has no machines."""
    shop: str
    """Shop it belongs to."""
    jph: float
    """Cars finished an hour."""
    working_share: float
    """Share of time at work."""
    down_share: float
    """Share of time in repair."""
    blocked_share: float
    """Share of time holding a finished car."""
    stopped_share: float
    """Share of time in which overload stops the line; assembly only."""
    starved_share: float
    """Share of time without a car; on a line: of places without a car."""
    active_period_s: float
    """Mean time at work or in repair between two waits; the longest marks the bottleneck (Roser, Nakano, Tanaka)."""


@dataclass(frozen=True, slots=True)
class BufferResult:
    """How full a buffer is."""

    id: str
    """The two stages that it joins."""
    from_shop: str
    """Shop before it."""
    to_shop: str
    """Shop behind it."""
    capacity: int
    """Places, those of its conveyor included."""
    mean_level: float
    """Cars in it on average, those riding to its end included."""


@dataclass(frozen=True, slots=True)
class ShopResult:
    """What one shop does."""

    id: str
    """Shop."""
    name: str
    """Name for people."""
    kind: ShopKind
    """What is done there."""
    jph: float
    """Cars that leave its last stage an hour."""
    stand_alone_jph: float
    """Cars that would leave its last stage an hour if it were never starved or blocked; its own failures counted."""
    working_share: float
    """Mean share of time at work over its machines."""
    down_share: float
    """Mean share of time in repair."""
    blocked_share: float
    """Mean share of time blocked by what follows."""
    stopped_share: float
    """Mean share of time stopped by overload; assembly only."""
    starved_share: float
    """Mean share of time without a car."""
    busiest_machine: str
    """Its machine with the largest share of work and repair."""
    mean_cars: float
    """Cars in its machines and on the ways out of it, on average."""


@dataclass(frozen=True, slots=True)
class HostOutput:
    """The host's own output in one situation."""

    jph: float
    """Resident cars an hour."""
    jph_ci95: float | None
    """Half width of the 95 % confidence interval; None with one replication."""
    capacity_units_per_year: float
    """Resident cars a year at that rate."""
    units_per_year: float
    """The smaller of that and what the host plans, model by model."""
    bottleneck: str
    """Shop that limits the plant."""


@dataclass(frozen=True, slots=True)
class RampResult:
    """The launch, week by week; all arrays have one entry a week."""

    week: NDArray[np.int64]
    """Weeks counted from the first pilot build, from 1."""
    guest_units: NDArray[np.float64]
    """Guest cars built in the week."""
    resident_units: NDArray[np.float64]
    """Resident cars built in the week."""
    resident_units_lost: NDArray[np.float64]
    """Resident cars fewer than before the guest came."""
    guest_units_lost: NDArray[np.float64]
    """Guest cars of the planned curve that the plant could not take on."""
    first_pass_yield: NDArray[np.float64]
    """Guest's first-pass yield."""
    cycle_multiplier: NDArray[np.float64]
    """Guest's cycle time as a multiple of the planned one."""
    failure_multiplier: NDArray[np.float64]
    """Failures of the shops of the guest's own as a multiple of the mature ones."""
    line_speed_share: NDArray[np.float64]
    """Speed of the assembly line as a share of full speed; 0 while the plant is shut."""
    limiting_shop: tuple[str, ...]
    """Shop that limits the week; empty where the planned launch curve does, or the plant is shut."""
    start_of_production_week: int
    """First week after the pilot."""
    weeks_to_rate: int | None
    """Weeks from the start of production to 90 % of the planned guest rate; None if not within the weeks told."""
    guest_units_first_year: float
    """Guest cars in the first 52 weeks of production; weeks past those told count like the last."""
    resident_units_lost_total: float
    """Resident cars lost over the weeks told."""
    guest_units_lost_total: float
    """Guest cars lost over the weeks told."""
    conversion: str
    """Name of the way in which the plant is converted; empty if it is not."""
    simulated: bool
    """True if simulated week by week; false if reckoned from what the tightest shop can do."""


@dataclass(frozen=True, slots=True)
class RampAlternative:
    """The launch with another way to convert the plant."""

    conversion: str
    """Name of the way; empty for none."""
    weeks_to_rate: int | None
    """Weeks from the start of production to 90 % of the planned guest rate; None if not within the weeks told."""
    guest_units_first_year: float
    """Guest cars in the first 52 weeks of production."""
    resident_units_lost_total: float
    """Resident cars lost over the weeks told."""
    guest_units_lost_total: float
    """Guest cars lost over the weeks told."""


@dataclass(frozen=True, slots=True)
class FlowResult:
    """At what rate the plant builds, what limits it, and how fast it can be launched."""

    jph: float
    """Cars that leave the plant an hour, all models."""
    jph_ci95: float | None
    """Half width of its 95 % confidence interval (Student's t over replications); None with one replication."""
    planned_jph: float
    """Cars an hour that the planned units ask for."""
    models: tuple[ModelRate, ...]
    """The same by model."""
    guest_share: float
    """Share of guest cars in the output."""
    guest_capacity_units_per_year: float
    """Guest cars a year that the simulated rate gives once launched."""
    guest_units_per_year: float
    """The smaller of that and what is planned."""
    shops: tuple[ShopResult, ...]
    """Every shop in the order of the plant file."""
    machines: tuple[MachineResult, ...]
    """Every machine."""
    buffers: tuple[BufferResult, ...]
    """Every buffer."""
    bottleneck: str
    """Shop that limits the plant; see ``answer.Bottleneck``."""
    bottleneck_name: str
    """Its name for people."""
    bottleneck_machine: str
    """Its busiest machine, or segment of the line."""
    bottleneck_active_share: float
    """Share of time for which that is neither starved nor blocked."""
    overload_s_per_car: float
    """Work that the operators of the assembly line cannot finish within their stations, s a car."""
    line_stop_s_per_car: float
    """Time for which overload stops the segment of the assembly line that it stops most, s a car."""
    work_in_progress_cars: float
    """Cars in the plant on average."""
    lead_time_h: float | None
    """Mean net working time from the first machine to leaving the plant; None if no car left."""
    first_pass_yield: float | None
    """Share of cars that passed the test at the first try; None if none was tested."""
    scrapped_share: float
    """Cars given up as a share of cars that left."""
    resident_before: HostOutput
    """The host's own output without the guest, at the takt for the residents alone."""
    resident_after: HostOutput
    """The host's own output with the guest launched."""
    resident_units_lost_per_year: float
    """Resident cars a year fewer than before, counted up to what the host plans."""
    ramp: RampResult
    """The launch by week."""
    ramp_alternatives: tuple[RampAlternative, ...]
    """The launch with the plant converted in other ways."""
    deadlock: str
    """What stands still for good, and when; empty if nothing does."""
    cars_at_start: int
    """Conservation over all runs: cars inside when the runs began."""
    cars_in: int
    """Cars released in all runs."""
    cars_out: int
    """Cars that left."""
    cars_scrapped: int
    """Cars given up."""
    cars_inside: int
    """Cars inside at the end; start + in = out + scrapped + inside, checked model by model in every run."""
    simulated_hours: float
    """Net working hours that count, over all runs."""
    replications: int
    """Independent runs."""
    conventions: tuple[str, ...]
    """The conventions in words."""
