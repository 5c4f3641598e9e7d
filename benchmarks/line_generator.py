"""Makes mixed-model assembly lines of a plant's size from a seed.

No answer is planted: tasks, times, arcs and equipment are drawn, and what the line needs comes out of balancing it.

- **Line**: 120 stations in four segments (trim, chassis, final, end of line), zones as a car passes them, room for 6
  operators at a station, 2 in a zone. Takt is 75 s; one model may exceed it by 15 %.
- **Tasks**: durations are lognormal with median 20 s and a log standard deviation of 0.55, cut to 5 to 55 s, in half
  seconds. 6 % need two operators, one in ten of them is fixed to equipment that stands at one to three stations.
- **Models**: four at 40, 25, 20 and 15 % of the cars; half are combustion, half electric. 18 % of the tasks belong to
  one drive alone; of the others a model lacks 8 %. A model's own time is 0.92 to 1.08 times the task's.
- **Precedence**: a task has up to three predecessors among those drawn shortly before it, mostly of its own zone;
  order strength comes out at about 0.5 to 0.6.
"""

from __future__ import annotations

import math
import random

from coachbuilder.plant.balance import FitInputs, LineStation, LineTask

SEGMENTS = (
    ("trim", "T", 40, ("left", "right", "front", "rear", "inside", "roof")),
    ("chassis", "C", 32, ("left", "right", "front", "rear", "under")),
    ("final", "F", 34, ("left", "right", "front", "rear", "inside")),
    ("end-of-line", "Q", 14, ("left", "right", "front", "rear", "inside")),
)
REACH = (
    ("left", ("left", "front", "rear", "inside")),
    ("right", ("right", "front", "rear", "inside")),
    ("front", ("front", "left", "right")),
    ("rear", ("rear", "left", "right")),
    ("inside", ("inside", "left", "right")),
    ("under", ("under",)),
    ("roof", ("roof",)),
)
TAKT_S = 75.0
SHARES = (0.40, 0.25, 0.20, 0.15)
MODELS = ("petrol", "hybrid", "electric", "guest")
DRIVES = (True, True, False, False)
CARS_PER_YEAR = 200_000


def generated_line(seed: int, tasks: int, *, evaluations: int = 2_000_000) -> FitInputs:
    """Return a line with so many tasks, the guest being the fourth model.

    Parameters
    ----------
    seed
        Seed of the line; the same seed gives the same line.
    tasks
        Work elements, 400 to 1,500 on a real line.
    evaluations
        Length of the search.
    """
    draw = random.Random(seed * 100_003 + tasks)
    stations = tuple(
        LineStation(f"{prefix}{number + 1:02d}", segment, 6, 1, zones)
        for segment, prefix, count, zones in SEGMENTS
        for number in range(count)
    )
    nearby = max(10, tasks // 40)
    elements: list[LineTask] = []
    done_at: list[float] = []
    for number in range(tasks):
        place = number * len(stations) // tasks
        zones = stations[place].zones
        base = min(max(draw.lognormvariate(2.996, 0.55), 5.0), 55.0)
        zone = draw.choices(zones, [1 if name == "roof" else 3 for name in zones])[0]
        drive = draw.random()
        times = []
        for combustion in DRIVES:
            lacks = combustion != (drive < 0.09) if drive < 0.18 else draw.random() < 0.08
            times.append(0.0 if lacks else round(2 * base * draw.uniform(0.92, 1.08)) / 2)
        if not any(times):
            times[0] = round(2 * base) / 2
        window = range(max(0, number - nearby), number)
        same = [earlier for earlier in window if elements[earlier].zone == zone]
        before = set()
        for _ in range(draw.choice((0, 1, 1, 2, 2, 3, 3))):
            pool = same if same and draw.random() < 0.5 else window
            if pool:
                before.add(draw.choice(pool))
        # Where the chain of predecessors can be through at the soonest, in stations: equipment stands behind it.
        begun = max((done_at[earlier] for earlier in before), default=0.0)
        fixed: tuple[int, ...] = ()
        if draw.random() < 0.1:
            begin = max(math.ceil(begun), place - 1)
            fixed = tuple(s for s in range(begin, begin + draw.choice((1, 2, 3))) if s < len(stations))
            fixed = tuple(s for s in fixed if zone in stations[s].zones)
        done_at.append(max(begun, float(fixed[0]) if fixed else 0.0) + base * 1.1 / TAKT_S)
        elements.append(
            LineTask(
                id=f"t{number + 1}",
                name=f"Task {number + 1}",
                zone=zone,
                operators=2 if draw.random() < 0.06 else 1,
                stations=fixed,
                time_s=tuple(times),
                predecessors=tuple(sorted(before)),
                resident=any(times[:3]),
                line=number + 2,
            )
        )
    residents = tuple(CARS_PER_YEAR * share for share in SHARES[:3])
    net_hours = 4_500.0
    return FitInputs(
        models=MODELS,
        guest="guest",
        tasks=tuple(elements),
        stations=stations,
        reach=REACH,
        operators_per_zone=2,
        overload_allowance=0.15,
        level_stations=True,
        moves_worth_an_operator=10.0,
        resident_units_per_year=(*residents, 0.0),
        units_per_year=(*residents, CARS_PER_YEAR * SHARES[3]),
        net_hours_per_year=net_hours,
        planning_availability=TAKT_S * CARS_PER_YEAR / 3600.0 / net_hours,
        resident_time_scale=1.0,
        guest_time_scale=1.0,
        starts=24,
        evaluations=evaluations,
        seed=seed,
    )
