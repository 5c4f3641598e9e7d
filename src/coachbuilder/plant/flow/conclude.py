"""Reads the answer out of the totals of all replications."""

from __future__ import annotations

import numpy as np

from coachbuilder.plant.flow.answer import (
    BufferAnswer,
    Estimate,
    MachineAnswer,
    ModelAnswer,
    OeeAnswer,
    PlaceAnswer,
    PlantAnswer,
    ShopAnswer,
)
from coachbuilder.plant.flow.bottleneck import find
from coachbuilder.plant.flow.conventions import conventions
from coachbuilder.plant.flow.estimates import F8, estimate_of
from coachbuilder.plant.flow.plant import MovingLine, Plant, Station
from coachbuilder.plant.flow.record import (
    ACTIVE,
    ACTIVE_COUNT,
    BINS_PER_BATCH,
    BLOCKED,
    CAME_IN,
    DOWN,
    GIVEN_UP,
    LEFT,
    LOST,
    OFF,
    OVERLOAD,
    PASSED,
    PLANNED,
    SET_UP,
    STANDSTILL,
    STOP,
    STOPPED,
    TESTED,
    UTILITY,
    WORKING,
)
from coachbuilder.plant.flow.reduction import (
    Totals,
    Ways,
    by_type,
    first_machines,
    names_of,
    passing_shares,
    shop_of,
    shops_of,
)

HOUR_S = 3600.0


def conclude(
    plant: Plant, totals: Totals, cut: int, *, warm_up_rule: str, engine: str, remarks: tuple[str, ...] = ()
) -> PlantAnswer:
    """Return the answer when ``cut`` batches are cut off.

    Parameters
    ----------
    plant
        The plant.
    totals
        What its replications left behind.
    cut
        Batches that do not count.
    warm_up_rule, engine, remarks
        Told as they are.
    """
    counted_s = totals.counted_s(cut)
    machines = _machines(plant, totals, cut)
    cars = totals.cars[-1] - totals.cars[cut]
    left, given_up = int(cars[:, LEFT].sum()), int(cars[:, GIVEN_UP].sum())
    bin_s = totals.batch_s / BINS_PER_BATCH
    inside = np.diff(totals.inside[:, cut:], axis=1) / totals.batch_s
    return PlantAnswer(
        throughput_per_hour=estimate_of(totals.rates_per_h(cut), totals.batch_rates_per_h()[0, cut:]),
        models=_models(plant, totals, cut),
        shops=_shops(plant, totals, cut, machines),
        machines=machines,
        buffers=_buffers(plant, totals, cut),
        places=_places(plant, totals, cut),
        oee=_oee(plant, totals, cut),
        bottleneck=find(plant, totals, cut),
        work_in_progress_cars=estimate_of(inside.mean(axis=1), inside[0]),
        lead_time_s=_lead(totals, cut),
        scrapped_share=given_up / (left + given_up) if left + given_up else 0.0,
        hourly_output=totals.out.mean(axis=0) * (HOUR_S / bin_s),
        bin_s=bin_s,
        warm_up_s=totals.start_s + cut * totals.batch_s,
        warm_up_rule=warm_up_rule,
        counted_s=counted_s,
        replications=totals.replications,
        standstill=_standstill(plant, totals),
        engine=engine,
        events=totals.events,
        conventions=conventions(plant),
        remarks=remarks,
    )


def _machines(plant: Plant, totals: Totals, cut: int) -> tuple[MachineAnswer, ...]:
    names = names_of(plant)
    counted_s = totals.counted_s(cut)
    sums = (totals.machine[-1] - totals.machine[cut]) / totals.replications
    rates = totals.finished_from.estimates(cut, HOUR_S / counted_s)
    answers = []
    for row, (name, owner) in enumerate(zip(names.machines, names.machine_station, strict=True)):
        share = sums[row, : STOPPED + 1] / counted_s
        starved = max(0.0, 1.0 - float(share.sum()))
        active = float(share[[WORKING, DOWN, SET_UP, PLANNED, STOPPED]].sum())
        count = float(sums[row, ACTIVE_COUNT])
        station = plant.stations[owner]
        answers.append(
            MachineAnswer(
                id=name,
                station=station.id,
                shop=shop_of(station),
                jph=rates[row],
                utilisation=float(share[WORKING]),
                down=float(share[DOWN]),
                blocked=float(share[BLOCKED]),
                starved=starved,
                set_up=float(share[SET_UP]),
                planned=float(share[PLANNED]),
                off=float(share[OFF]),
                stopped=float(share[STOPPED]),
                active_period_s=float(sums[row, ACTIVE]) / count if count else active * counted_s,
                active_share=active,
            )
        )
    return tuple(answers)


def _models(plant: Plant, totals: Totals, cut: int) -> tuple[ModelAnswer, ...]:
    hours = totals.counted_s(cut) / HOUR_S
    answers = []
    for model in plant.models():
        columns = [column for column, item in enumerate(plant.types) if (item.model or item.id) == model]
        left = totals.left[:, :, columns].sum(axis=2)
        lead_s = float((totals.lead[:, -1, columns] - totals.lead[:, cut, columns]).sum())
        count = int((left[:, -1] - left[:, cut]).sum())
        counted = (totals.cars[-1, columns] - totals.cars[cut, columns]).sum(axis=0)
        whole = totals.cars[-1, columns].sum(axis=0)
        batches = np.diff(left[0, cut:]) * (HOUR_S / totals.batch_s)
        answers.append(
            ModelAnswer(
                id=model,
                throughput_per_hour=estimate_of((left[:, -1] - left[:, cut]) / hours, batches),
                lead_time_s=lead_s / count if count else None,
                cars_at_start=int(totals.at_start[columns].sum()),
                cars_in=int(whole[CAME_IN]),
                cars_out=int(whole[LEFT]),
                cars_given_up=int(whole[GIVEN_UP]),
                cars_lost=int(whole[LOST]),
                cars_inside=int(totals.remaining[columns].sum()),
                first_pass_yield=int(counted[PASSED]) / int(counted[TESTED]) if counted[TESTED] else None,
            )
        )
    return tuple(answers)


def _shops(plant: Plant, totals: Totals, cut: int, machines: tuple[MachineAnswer, ...]) -> tuple[ShopAnswer, ...]:
    hours = totals.counted_s(cut) / HOUR_S
    rates = totals.shop_from.estimates(cut, 1.0 / hours)
    by_type_per_h = (totals.shop_types[-1] - totals.shop_types[cut]) / (hours * totals.replications)
    of_shop: dict[str, list[MachineAnswer]] = {}
    for machine in machines:
        of_shop.setdefault(machine.shop, []).append(machine)
    models = plant.models()
    answers = []
    for row, shop in enumerate(shops_of(plant)):
        own = of_shop[shop]
        by_model = dict.fromkeys(models, 0.0)
        for item, rate in zip(plant.types, by_type_per_h[row].tolist(), strict=True):
            by_model[item.model or item.id] += rate
        answers.append(
            ShopAnswer(
                id=shop,
                name=plant.shop_names.get(shop, shop),
                jph=rates[row],
                jph_by_model=tuple(by_model.values()),
                utilisation=sum(machine.utilisation for machine in own) / len(own),
                down=sum(machine.down for machine in own) / len(own),
                blocked=sum(machine.blocked for machine in own) / len(own),
                starved=sum(machine.starved for machine in own) / len(own),
            )
        )
    return tuple(answers)


def _buffers(plant: Plant, totals: Totals, cut: int) -> tuple[BufferAnswer, ...]:
    levels = totals.level_from.estimates(cut, 1.0 / totals.counted_s(cut))
    return tuple(
        BufferAnswer(buffer.id, buffer.to, buffer.places, level.mean, level.ci95)
        for buffer, level in zip(plant.buffers, levels, strict=True)
    )


def _places(plant: Plant, totals: Totals, cut: int) -> tuple[PlaceAnswer, ...]:
    sums = totals.place[-1] - totals.place[cut]
    first = first_machines(plant)
    answers: list[PlaceAnswer] = []
    for row, station in enumerate(plant.stations):
        if isinstance(station, MovingLine):
            cars = int((totals.finished[-1, first[row]] - totals.finished[cut, first[row]]).sum())
            own = sums[len(answers) : len(answers) + station.stations] / max(cars, 1)
            answers.extend(
                PlaceAnswer(f"{station.id}.{place + 1}", float(s[OVERLOAD]), float(s[UTILITY]), float(s[STOP]))
                for place, s in enumerate(own)
            )
    return tuple(answers)


def ideal_cycles_s(station: Station | MovingLine, types: int) -> F8:
    """Return (V,) machine time that a car of each type needs when all goes well, s."""
    if isinstance(station, MovingLine):
        return np.array([time.mean_s for time in by_type(station.takt, types)])
    size = station.batch.size if station.batch else 1
    return np.array([time.mean_s / size for time in by_type(station.cycle, types)])


def _oee(plant: Plant, totals: Totals, cut: int) -> tuple[OeeAnswer, ...]:
    first = first_machines(plant)
    ways = Ways.of(plant)
    sums = totals.machine[-1] - totals.machine[cut]
    cars = totals.finished[-1] - totals.finished[cut]
    passed = float((totals.cars[-1] - totals.cars[cut])[:, PASSED].sum())
    tests = sum(station.test is not None for station in plant.stations)
    answers = []
    for row, station in enumerate(plant.stations):
        rows = slice(first[row], first[row + 1])
        own, finished = sums[rows].sum(axis=0), cars[rows].sum(axis=0)
        time_s = totals.counted_s(cut) * totals.replications * (first[row + 1] - first[row])
        planned_s = time_s - float(own[OFF] + own[PLANNED])
        able_s = planned_s - float(own[DOWN] + own[SET_UP])
        availability = able_s / planned_s if planned_s > 0.0 else 0.0
        performance = float(finished @ ideal_cycles_s(station, len(plant.types))) / able_s if able_s > 0.0 else 0.0
        if not finished.any():
            quality = 1.0
        elif station.test and tests == 1:
            kept = 1.0 - station.scrap_share if isinstance(station, Station) else 1.0
            quality = min(1.0, kept * passed / float(finished.sum()))
        else:
            # With several tests the records do not tell whose verdict it was; the expected shares stand in.
            quality = float(finished @ np.array(passing_shares(plant, ways, station))) / float(finished.sum())
        answers.append(OeeAnswer(station.id, availability * performance * quality, availability, performance, quality))
    return tuple(answers)


def _lead(totals: Totals, cut: int) -> Estimate | None:
    left = (totals.left[:, -1] - totals.left[:, cut]).sum(axis=1)
    if not left.any():
        return None
    lead_s = (totals.lead[:, -1] - totals.lead[:, cut]).sum(axis=1)
    some = left > 0
    left_in_batch = np.diff(totals.left[0, cut:].sum(axis=1))
    batches = None
    if left_in_batch.all():
        batches = np.diff(totals.lead[0, cut:].sum(axis=1)) / left_in_batch
    return estimate_of(lead_s[some] / left[some], batches)


def _standstill(plant: Plant, totals: Totals) -> str:
    runs = np.flatnonzero(totals.ended == STANDSTILL)
    if not runs.size:
        return ""
    soonest = int(runs[np.argmin(totals.stuck_s[runs])])
    when = f"{totals.stuck_s[soonest] / HOUR_S:.1f} h"
    count = f"{runs.size} of {totals.replications} runs stand still for good, the first after {when}"
    row = int(totals.stuck[runs[0]])
    if row < 0:
        return count
    stuck = plant.stations[row]
    loop = _loop_ahead(plant, stuck)
    if loop:
        first = first_machines(plant)
        held = {
            station.id
            for index, station in enumerate(plant.stations)
            if totals.held_at_end[first[index] : first[index + 1]].max() >= 0.999 * totals.batch_s
        }
        # Runs that stop in their last batch have not been blocked for a whole batch; the loop itself is told then.
        named = loop & held if len(loop & held) > 1 else loop
        return (
            f"{count}: {', '.join(station.id for station in plant.stations if station.id in named)} wait for each "
            "other's places; more places on the way back, or fewer cars sent back, would free them"
        )
    if loops := [loop.id for loop in plant.carriers if stuck.id in (loop.load, loop.unload)]:
        return f"{count}: {stuck.id} waits for carriers of {', '.join(loops)} that no car gives back"
    return f"{count}: {stuck.id} waits for what never comes"


def _loop_ahead(plant: Plant, station: Station | MovingLine) -> set[str]:
    """Return the stations in loops to which the cars of ``station`` come, itself included if it is in one."""
    ways = Ways.of(plant)
    reached = ways.reached([station])
    ahead = [other for other in plant.stations if other.id in reached]
    return {other.id for other in ahead if other.id in ways.reached(ways.after(other))}
