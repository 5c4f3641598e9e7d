"""Hot loops of work overload and level load: simulation of the operators, incremental evaluation, local search.

Times are whole microseconds, so that sums do not depend on their order. Arrays used throughout:

- ``kind`` int64 (n,): model of the car at each place.
- ``work`` int64 (u, models): how long a car of each model binds each operator.
- ``cycle`` int64 (u,): time between two cars of an operator; ``downstream``, ``upstream`` int64 (u,): how far from the
  upstream border of the station, in time, an operator may get downstream, and (0 or less) upstream.
- ``lanes``, ``lane`` int64 (u,): an operator takes every so many-th car, from which place on.
- ``position`` int64 (u, n): where an operator begins the car at each place; only places of the operator's own lane.
- ``made`` int64 (models, n): cars of each model up to and with each place.

A search judges an order by a vector of whole numbers, compared from the left (``parts``). Part 0 is the hard limit on
colour batches; ``rule_weight`` int64 (parts, r) and ``change_weight`` int64 (parts,) say what enters the others.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from coachbuilder.plant.sequence.kernels import (
    apply_range,
    apply_swap,
    below,
    colour_cost,
    fill_windows,
    first_window,
    last_window,
    range_colour_delta,
    range_rules_delta,
    swap_colour_delta,
    swap_rules_delta,
)

REACH = 12
"""Places within which cars are moved forward or back."""

LEVEL_UNIT = 1000.0
"""Parts into which a squared car of level load is cut, to count in whole numbers."""


@njit(cache=True, nogil=True)
def simulate(
    kind: NDArray[np.int64],
    work: NDArray[np.int64],
    cycle: NDArray[np.int64],
    downstream: NDArray[np.int64],
    upstream: NDArray[np.int64],
    lanes: NDArray[np.int64],
    lane: NDArray[np.int64],
    position: NDArray[np.int64],
    overload_out: NDArray[np.int64],
    place_out: NDArray[np.int64],
) -> int:
    """Follow every operator through the order; return the overload.

    ``overload_out`` int64 (u,) takes it by operator, ``place_out`` int64 (n,) by place.
    """
    n = kind.size
    place_out[:] = 0
    total = 0
    for u in range(work.shape[0]):
        s = 0
        mine = 0
        for t in range(lane[u], n, lanes[u]):
            position[u, t] = s
            s += work[u, kind[t]]
            over = s - downstream[u]
            if over > 0:
                mine += over
                place_out[t] += over
                s = downstream[u]
            s -= cycle[u]
            if s < upstream[u]:
                s = upstream[u]
        overload_out[u] = mine
        total += mine
    return total


@njit(cache=True, nogil=True)
def overload_at(
    kind: NDArray[np.int64],
    work: NDArray[np.int64],
    downstream: NDArray[np.int64],
    lanes: NDArray[np.int64],
    lane: NDArray[np.int64],
    position: NDArray[np.int64],
    overload_out: NDArray[np.int64],
) -> None:
    """Write out the overload of every operator at every place, ``overload_out`` int64 (u, n), from ``position``."""
    overload_out[:, :] = 0
    for u in range(work.shape[0]):
        for t in range(lane[u], kind.size, lanes[u]):
            overload_out[u, t] = max(0, position[u, t] + work[u, kind[t]] - downstream[u])


@njit(cache=True, nogil=True)
def own_place(place: int, lanes: int, lane: int) -> int:
    """Return the first place from ``place`` on of an operator's lane."""
    return place + (lane - place) % lanes


@njit(cache=True, nogil=True)
def follow(
    u: int,
    old: NDArray[np.int64],
    new: NDArray[np.int64],
    work: NDArray[np.int64],
    cycle: int,
    limit: int,
    least: int,
    lanes: int,
    lane: int,
    position: NDArray[np.int64],
    ranges: NDArray[np.int64],
    write: bool,
    place_out: NDArray[np.int64],
) -> int:
    """Return the change of operator ``u``'s overload when the places in ``ranges`` take the models of ``new``.

    ``ranges`` int64 (2, 2) holds first and last place of one or two stretches, the second after the first; -1 for
    none. The operator is followed from each stretch on until he or she stands where he or she stood before. With
    ``write`` the positions and ``place_out`` are brought up to date.
    """
    n = old.size
    delta = 0
    for stretch in range(2):
        first = ranges[stretch, 0]
        if first < 0:
            break
        last = ranges[stretch, 1]
        t = own_place(first, lanes, lane)
        if t > last:
            continue
        s = position[u, t]
        while t < n:
            if t > last and s == position[u, t]:
                break
            before = position[u, t] + work[u, old[t]] - limit
            if before < 0:
                before = 0
            if write:
                position[u, t] = s
            s += work[u, new[t]]
            over = s - limit
            if over > 0:
                s = limit
            else:
                over = 0
            delta += over - before
            if write:
                place_out[t] += over - before
            s -= cycle
            if s < least:
                s = least
            t += lanes
            if stretch == 0 and ranges[1, 0] >= 0 and last < ranges[1, 0] <= t:
                # Not yet back where he or she stood: the second stretch is part of this run.
                last = ranges[1, 1]
        if stretch == 0 and last == ranges[1, 1]:
            break
    return delta


@njit(cache=True, nogil=True)
def overload_delta(
    old: NDArray[np.int64],
    new: NDArray[np.int64],
    work: NDArray[np.int64],
    cycle: NDArray[np.int64],
    downstream: NDArray[np.int64],
    upstream: NDArray[np.int64],
    lanes: NDArray[np.int64],
    lane: NDArray[np.int64],
    position: NDArray[np.int64],
    ranges: NDArray[np.int64],
    rest: NDArray[np.int64],
    place_out: NDArray[np.int64],
) -> int:
    """Return the change of the overload, or a number above 0 as soon as it is sure to be above.

    ``rest`` int64 (u + 1,) is the overload from each operator on: no operator can save more than he or she has.
    """
    swap = ranges[1, 0] >= 0
    delta = 0
    for u in range(work.shape[0]):
        if delta > rest[u]:
            return delta - rest[u]  # type: ignore[no-any-return]
        if swap and work[u, new[ranges[0, 0]]] == work[u, old[ranges[0, 0]]]:
            continue
        delta += follow(
            u,
            old,
            new,
            work,
            cycle[u],
            downstream[u],
            upstream[u],
            lanes[u],
            lane[u],
            position,
            ranges,
            False,
            place_out,
        )
    return delta


@njit(cache=True, nogil=True)
def overload_apply(
    old: NDArray[np.int64],
    new: NDArray[np.int64],
    work: NDArray[np.int64],
    cycle: NDArray[np.int64],
    downstream: NDArray[np.int64],
    upstream: NDArray[np.int64],
    lanes: NDArray[np.int64],
    lane: NDArray[np.int64],
    position: NDArray[np.int64],
    ranges: NDArray[np.int64],
    overload: NDArray[np.int64],
    rest: NDArray[np.int64],
    place_out: NDArray[np.int64],
) -> int:
    """Bring ``position``, ``overload``, ``rest`` and ``place_out`` up to date; return the change of the overload."""
    total = 0
    for u in range(work.shape[0]):
        delta = follow(
            u,
            old,
            new,
            work,
            cycle[u],
            downstream[u],
            upstream[u],
            lanes[u],
            lane[u],
            position,
            ranges,
            True,
            place_out,
        )
        overload[u] += delta
        total += delta
    fill_rest(overload, rest)
    return total


@njit(cache=True, nogil=True)
def fill_rest(overload: NDArray[np.int64], rest: NDArray[np.int64]) -> None:
    """Sum ``overload`` from each operator on into ``rest`` int64 (u + 1,)."""
    rest[overload.size] = 0
    for u in range(overload.size - 1, -1, -1):
        rest[u] = rest[u + 1] + overload[u]


@njit(cache=True, nogil=True)
def level_term(place: int, made: int, cars: int, n: int) -> int:
    """Return what one model adds to the level load at one place: its squared distance from the even rate."""
    distance = made - (place + 1.0) * cars / n
    return np.int64(np.rint(distance * distance * LEVEL_UNIT))  # type: ignore[return-value]


@njit(cache=True, nogil=True)
def level_total(kind: NDArray[np.int64], cars: NDArray[np.int64], made: NDArray[np.int64]) -> int:
    """Return the level load of an order; fills ``made``. ``cars`` int64 (models,) are the day's cars by model."""
    n = kind.size
    total = 0
    for m in range(cars.size):
        count = 0
        for t in range(n):
            count += kind[t] == m
            made[m, t] = count
            total += level_term(t, count, cars[m], n)
    return total


@njit(cache=True, nogil=True)
def level_delta(
    old: NDArray[np.int64],
    new: NDArray[np.int64],
    cars: NDArray[np.int64],
    made: NDArray[np.int64],
    low: int,
    high: int,
    write: bool,
) -> int:
    """Return the change of the level load if the places ``low`` to ``high`` take the models of ``new``."""
    n = old.size
    delta = 0
    for m in range(cars.size):
        shift = 0
        for t in range(low, high):
            shift += np.int64(new[t] == m) - np.int64(old[t] == m)  # type: ignore[assignment]
            if shift != 0:
                delta += level_term(t, made[m, t] + shift, cars[m], n) - level_term(t, made[m, t], cars[m], n)
                if write:
                    made[m, t] += shift
    return delta


@njit(cache=True, nogil=True)
def whole_cost(
    order: NDArray[np.int64],
    has: NDArray[np.uint8],
    previous: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    rule_weight: NDArray[np.int64],
    short: bool,
    colour: NDArray[np.int64],
    previous_colour: int,
    batch: int,
    change_weight: NDArray[np.int64],
    window: NDArray[np.int64],
    cost_out: NDArray[np.int64],
) -> None:
    """Write what rules and colours add to each part of an order's cost into ``cost_out`` int64 (parts,)."""
    n = order.size
    fill_windows(order, has, previous, out_of, short, window)
    for part in range(cost_out.size):
        cost_out[part] = colour_cost(
            order, colour, previous_colour, 0, n - 1, batch if part == 0 else n, change_weight[part]
        )
        for r in range(out_of.size):
            if rule_weight[part, r] == 0:
                continue
            for begin in range(first_window(out_of[r], short), last_window(n, out_of[r], short) + 1):
                over = window[r, begin + out_of[r] - 1] - at_most[r]
                if over > 0:
                    cost_out[part] += rule_weight[part, r] * over


@njit(cache=True, nogil=True)
def may_stand(
    order: NDArray[np.int64],
    earliest: NDArray[np.int64],
    latest: NDArray[np.int64],
    low: int,
    high: int,
    from_place: int,
    step: int,
) -> bool:
    """Tell whether the cars of the places ``low`` to ``high``, moved on by ``step``, stand where they may.

    The car at ``from_place`` goes to the other end of the stretch.
    """
    for t in range(low, high + 1):
        place = t + step
        if t == from_place:
            place = high if from_place == low else low
        if place < earliest[order[t]] or place > latest[order[t]]:
            return False
    return True


@njit(cache=True, nogil=True)
def improve(
    order: NDArray[np.int64],
    has: NDArray[np.uint8],
    previous: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    rule_weight: NDArray[np.int64],
    short: bool,
    colour: NDArray[np.int64],
    previous_colour: int,
    batch: int,
    change_weight: NDArray[np.int64],
    window: NDArray[np.int64],
    model: NDArray[np.int64],
    cars: NDArray[np.int64],
    work: NDArray[np.int64],
    cycle: NDArray[np.int64],
    downstream: NDArray[np.int64],
    upstream: NDArray[np.int64],
    lanes: NDArray[np.int64],
    lane: NDArray[np.int64],
    overload_part: int,
    level_part: int,
    earliest: NDArray[np.int64],
    latest: NDArray[np.int64],
    frozen: int,
    evaluations: int,
    state: NDArray[np.uint64],
    cost_out: NDArray[np.int64],
) -> int:
    """Improve ``order`` by swaps and short insertions, its cost compared part by part from the left.

    A move is made if the first part that it changes gets less, or if it changes none. Stops after ``evaluations``
    moves looked at or when every part is 0. ``model`` int64 (cars,) is each car's model, ``earliest`` and ``latest``
    int64 (cars,) the places that it may take, ``frozen`` the cars at the head that stay. ``cost_out`` int64 (parts,)
    takes the cost. Returns the moves looked at.
    """
    n = order.size
    parts = cost_out.size
    units = work.shape[0]
    whole_cost(
        order, has, previous, at_most, out_of, rule_weight, short, colour, previous_colour, batch, change_weight,
        window, cost_out,
    )  # fmt: skip
    old = model[order]
    position = np.zeros((units, n), dtype=np.int64)
    overload = np.zeros(units, dtype=np.int64)
    rest = np.zeros(units + 1, dtype=np.int64)
    at_place = np.zeros(n, dtype=np.int64)
    made = np.zeros((cars.size, n), dtype=np.int64)
    if overload_part >= 0:
        cost_out[overload_part] += simulate(
            old, work, cycle, downstream, upstream, lanes, lane, position, overload, at_place
        )
        fill_rest(overload, rest)
    if level_part >= 0:
        cost_out[level_part] += level_total(old, cars, made)
    if n - frozen < 2:
        return 0
    new = old.copy()
    ranges = np.full((2, 2), -1, dtype=np.int64)
    moved = np.empty(REACH + 1, dtype=np.int64)
    delta = np.zeros(parts, dtype=np.int64)
    rules_in = np.zeros(parts, dtype=np.bool_)
    one_colour = True
    for car in range(1, colour.size):
        one_colour = one_colour and colour[car] == colour[0]
    colour_first = False
    seen_load = False
    for part in range(parts):
        for r in range(out_of.size):
            rules_in[part] = rules_in[part] or rule_weight[part, r] != 0
        seen_load = seen_load or part == overload_part or part == level_part
        colour_first = colour_first or (change_weight[part] > 0 and not seen_load)
    # Insertions are worth most, but seldom keep colour batches; cars of one colour that change places always do.
    colour_first = colour_first and not one_colour
    near_below, insertions_from = (20, 70) if colour_first else (10, 20)
    done = 0
    while done < evaluations:
        finished = True
        for part in range(parts):
            finished = finished and cost_out[part] == 0
        if finished:
            break
        done += 1
        choice = below(state, 100)
        i = -1
        if overload_part >= 0 and choice % 2 == 0 and rest[0] > 0:
            # Near a place where somebody is overloaded, or one of the cars before it that led there.
            place = below(state, n)
            for _ in range(64):
                if at_place[place] > 0:
                    i = place - below(state, 6)
                    break
                place = place + 1 if place + 1 < n else 0
        if i < frozen:
            i = frozen + below(state, n - frozen)
        insertion = choice >= insertions_from
        if insertion or choice < near_below:
            j = i - REACH + below(state, 2 * REACH + 1)
            if j < frozen or j >= n:
                continue
        else:
            j = frozen + below(state, n - frozen)
            if colour_first:
                for _ in range(12):
                    if colour[order[i]] == colour[order[j]] and old[i] != old[j]:
                        break
                    j = frozen + below(state, n - frozen)
        if i == j:
            continue
        low = min(i, j)
        high = max(i, j)
        if high - low == 1:
            insertion = False
        a = order[low]
        b = order[high]
        if insertion:
            step = 1 if i > j else -1
            if not may_stand(order, earliest, latest, low, high, i, step):
                continue
            length = high - low + 1
            if step == 1:
                moved[0] = b
                for t in range(1, length):
                    moved[t] = order[low + t - 1]
            else:
                moved[length - 1] = a
                for t in range(length - 1):
                    moved[t] = order[low + t + 1]
            for t in range(length):
                new[low + t] = model[moved[t]]
            ranges[0, 0], ranges[0, 1] = low, high
            ranges[1, 0], ranges[1, 1] = -1, -1
        else:
            if model[a] == model[b]:
                continue
            if earliest[a] > high or latest[a] < high or earliest[b] > low or latest[b] < low:
                continue
            new[low], new[high] = old[high], old[low]
            ranges[0, 0], ranges[0, 1] = low, low
            ranges[1, 0], ranges[1, 1] = high, high
        # -1 rejected, 0 no part differs so far, 1 taken
        verdict = 0
        for part in range(parts):
            change = 0
            if part == overload_part:
                if verdict == 1:
                    continue
                change = overload_delta(
                    old, new, work, cycle, downstream, upstream, lanes, lane, position, ranges, rest, at_place
                )
                if change > 0:
                    verdict = -1
                    break
                if change < 0:
                    verdict = 1
                continue
            if part == level_part:
                change = level_delta(old, new, cars, made, low, high, False)
            else:
                limit = batch if part == 0 else n
                if rules_in[part]:
                    if insertion:
                        change = range_rules_delta(
                            order, moved, has, at_most, out_of, rule_weight[part], short, window, low, high
                        )
                    else:
                        change = swap_rules_delta(
                            order, has, at_most, out_of, rule_weight[part], short, window, low, high
                        )
                if not one_colour and (change_weight[part] > 0 or part == 0) and (insertion or colour[a] != colour[b]):
                    if insertion:
                        change += range_colour_delta(
                            order, moved, colour, previous_colour, limit, change_weight[part], low, high
                        )
                    else:
                        change += swap_colour_delta(
                            order, colour, previous_colour, limit, change_weight[part], low, high
                        )
            delta[part] = change
            if verdict == 0 and change != 0:
                verdict = 1 if change < 0 else -1
                if verdict < 0:
                    break
        if verdict < 0:
            if insertion:
                for t in range(low, high + 1):
                    new[t] = old[t]
            else:
                new[low], new[high] = old[low], old[high]
            continue
        if overload_part >= 0:
            delta[overload_part] = overload_apply(
                old, new, work, cycle, downstream, upstream, lanes, lane, position, ranges, overload, rest, at_place
            )
        if level_part >= 0:
            level_delta(old, new, cars, made, low, high, True)
        if insertion:
            apply_range(order, moved, has, out_of, window, low, high)
        else:
            apply_swap(order, has, out_of, window, low, high)
        for t in range(low, high + 1):
            old[t] = new[t]
        for part in range(parts):
            cost_out[part] += delta[part]
    return done
