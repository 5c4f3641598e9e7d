"""What a simulation of a plant answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over replications."""

    mean: float
    """Mean."""
    ci95: float | None
    """Half width of its 95 % confidence interval by Student's t over replications. With one replication that of cars
    an hour that leave, cars inside and lead time comes from the means of ten long batches; None otherwise."""
    standard_error: float | None
    """Standard error, from the same."""


@dataclass(frozen=True, slots=True)
class MachineAnswer:
    """Where the time of one machine, or one moving line, goes; the shares add up to 1."""

    id: str
    """Station and number, such as ``weld.1``."""
    station: str
    """Station."""
    shop: str
    """Shop."""
    jph: Estimate
    """Cars finished an hour."""
    utilisation: float
    """Share of time at work."""
    down: float
    """Share of time in repair or waiting for it."""
    blocked: float
    """Share of time with a finished car that cannot go on."""
    starved: float
    """Share of time without a car."""
    set_up: float
    """Share of time in set-ups."""
    planned: float
    """Share of time in planned maintenance."""
    off: float
    """Share of time off shift."""
    stopped: float
    """Share of time stopped by overload; moving lines only."""
    active_period_s: float
    """Mean length of its active periods, s (Roser, Nakano and Tanaka 2001)."""
    active_share: float
    """Share of time neither starved nor blocked nor off."""


@dataclass(frozen=True, slots=True)
class BufferAnswer:
    """How full a buffer is."""

    id: str
    """Buffer."""
    to: str
    """Station that it feeds."""
    places: int
    """Cars that it holds."""
    mean_level: float
    """Cars in it on average."""
    ci95: float | None
    """Half width of the 95 % confidence interval."""


@dataclass(frozen=True, slots=True)
class PlaceAnswer:
    """One station of a moving line."""

    id: str
    """Line and number, such as ``assembly.17``."""
    overload_s_per_car: float
    """Overload, s a car."""
    utility_s_per_car: float
    """Overload that utility workers take on, s a car."""
    stop_s_per_car: float
    """Time for which it stops the line, s a car."""


@dataclass(frozen=True, slots=True)
class OeeAnswer:
    """Overall equipment effectiveness of a station (Nakajima): availability times performance times quality."""

    station: str
    """Station."""
    oee: float
    """The product."""
    availability: float
    """Time not in repair and not in set-up, over time on shift without planned maintenance."""
    performance: float
    """Ideal cycle time times cars finished, over that time; waiting for others counts against it."""
    quality: float
    """Share of the cars finished that were good at their first try."""


@dataclass(frozen=True, slots=True)
class ShopAnswer:
    """What one shop does."""

    id: str
    """Shop."""
    name: str
    """Name for people."""
    jph: Estimate
    """Cars that leave it an hour: those that its stations pass out of it."""
    jph_by_model: tuple[float, ...]
    """The same by model, in the order of ``PlantAnswer.models``."""
    utilisation: float
    """Mean over its machines."""
    down: float
    """Mean over its machines."""
    blocked: float
    """Mean over its machines."""
    starved: float
    """Mean over its machines."""


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What the plant makes of one model."""

    id: str
    """Model."""
    throughput_per_hour: Estimate
    """Cars that leave an hour."""
    lead_time_s: float | None
    """Mean time in the plant; None if none left."""
    cars_at_start: int
    """Inside at the start, over all runs."""
    cars_in: int
    """Came in."""
    cars_out: int
    """Left."""
    cars_given_up: int
    """Scrapped."""
    cars_lost: int
    """Found no place."""
    cars_inside: int
    """Inside at the end: start + in = out + given up + lost + inside, checked in every run."""
    first_pass_yield: float | None
    """Share that passed the test at the first try; None if none was tested."""


@dataclass(frozen=True, slots=True)
class StationActivity:
    """What tells whether a station is the bottleneck; means over its machines, shares of their time on shift."""

    station: str
    """Station."""
    active_share: float
    """Share of time at work, in repair, set-up or maintenance; on a moving line places without a car do not count."""
    active_period_s: float
    """Mean length of active periods, s."""
    blocked: float
    """Share of time blocked."""
    starved: float
    """Share of time starved."""
    waited_for: float
    """Share of time for which its neighbours wait for it: those before it blocked, those behind it starved; mean."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """What limits the plant.

    Of the stations whose active share is within 5 % of the largest, the one for which that and the time its neighbours
    wait for it are most together. Of the rules measured in ``benchmarks/flow_bottleneck.py`` it finds most often where
    speed matters most, and never misses a station that is the slowest by far.
    """

    machine: str
    """Its machine with the largest active share."""
    station: str
    """Station."""
    margin: float
    """How much larger its active share is than that of any other station, as a share; 0 or less means undecided."""
    longest_active_period: str
    """Station with the longest mean active period (Roser, Nakano and Tanaka 2001)."""
    arrows: str
    """Station from which no arrow points away (Kuo, Lim and Meerkov 1996); empty if there is none."""
    stations: tuple[StationActivity, ...]
    """The evidence, in the order of the plant."""


@dataclass(frozen=True, slots=True)
class PlantAnswer:
    """A simulated plant."""

    throughput_per_hour: Estimate
    """Cars that leave an hour, all models."""
    models: tuple[ModelAnswer, ...]
    """By model."""
    shops: tuple[ShopAnswer, ...]
    """By shop."""
    machines: tuple[MachineAnswer, ...]
    """By machine."""
    buffers: tuple[BufferAnswer, ...]
    """By buffer."""
    places: tuple[PlaceAnswer, ...]
    """Stations of moving lines."""
    oee: tuple[OeeAnswer, ...]
    """By station."""
    bottleneck: Bottleneck
    """What limits the plant."""
    work_in_progress_cars: Estimate
    """Cars in the plant on average."""
    lead_time_s: Estimate | None
    """Mean time in the plant; None if no car left."""
    scrapped_share: float
    """Cars given up over cars that left or were given up."""
    hourly_output: NDArray[np.float64]
    """Cars that left an hour in every bin, mean over the runs; a warm-up that was found is included, one that was given
    is not."""
    bin_s: float
    """Length of a bin, s."""
    warm_up_s: float
    """Time cut off."""
    warm_up_rule: str
    """How it was found: ``MSER-5`` or ``given``; and a remark where the rule found no steady state."""
    counted_s: float
    """Time that counts in each run, s."""
    replications: int
    """Independent runs."""
    standstill: str
    """What stands still for good, and why; empty if nothing does."""
    engine: str
    """``event calendar`` or ``recursion``."""
    events: int
    """Events or operations over all runs."""
    conventions: tuple[str, ...]
    """The conventions in words, printed with every answer."""
    remarks: tuple[str, ...] = ()
    """What else the reader must know, such as why the replications stopped."""
