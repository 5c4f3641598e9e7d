"""Compiled core of mixed-model balancing: construction and search over task, station and operator.

Shapes, used throughout: ``n`` tasks, ``M`` models that are built, ``S`` stations, ``K`` operators at most at one place.
Times are in seconds. Tasks stand in an order that respects the precedence graph. The search is repeatable: its random
numbers come from a state that the caller seeds, and it stops on a count of evaluations.
"""

from __future__ import annotations

import numpy as np
from numba import njit

TOLERANCE_S = 1e-6
UNPLACED_COST = 1e4


@njit(cache=True, nogil=True)
def _random(state):
    """Return a number in [0, 1) from a splitmix64 state (uint64, shape (1,))."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True)
def _places_ok(s, count, seq, lead, helper, reached_from, place_mask, place_limit, slots):
    """Return whether the operators of station ``s`` can stand in its zones, each where the tasks ask for it.

    Hall's condition over subsets of the seven zones: no more operators may be confined to a subset than may stand there.
    """
    masks = np.full(slots, place_mask[s], np.int64)
    used = np.zeros(slots, np.bool_)
    for position in range(count[s]):
        task = seq[s, position]
        masks[lead[task]] &= reached_from[task]
        used[lead[task]] = True
        if helper[task] >= 0:
            used[helper[task]] = True
    crew = 0
    for k in range(slots):
        if used[k]:
            crew += 1
            if masks[k] == 0:
                return False
    if crew <= place_limit:
        return True
    for subset in range(1, 128):
        confined = 0
        for k in range(slots):
            if used[k] and masks[k] & ~subset == 0:
                confined += 1
        if confined > place_limit:
            room = 0
            for bit in range(7):
                room += (subset >> bit) & 1
            if confined > room * place_limit:
                return False
    return True


@njit(cache=True, nogil=True)
def makespans(s, count, seq, lead, helper, station, time_s, before_ptr, before_idx, finish, ready, makespan):
    """Fill ``makespan`` (M,) of station ``s``: its tasks begin in the order of ``seq``, as early as they may.

    A task waits for its predecessors at the station and for those who do it; a task that a model does not have
    takes no operator and passes on what it waited for.
    """
    models = time_s.shape[1]
    for m in range(models):
        ready[:] = 0.0
        end = 0.0
        for position in range(count[s]):
            task = seq[s, position]
            start = 0.0
            for arc in range(before_ptr[task], before_ptr[task + 1]):
                earlier = before_idx[arc]
                if station[earlier] == s and finish[earlier] > start:
                    start = finish[earlier]
            duration = time_s[task, m]
            if duration > 0.0:
                first = lead[task]
                second = helper[task]
                if ready[first] > start:
                    start = ready[first]
                if second >= 0 and ready[second] > start:
                    start = ready[second]
                start += duration
                ready[first] = start
                if second >= 0:
                    ready[second] = start
            finish[task] = start
            if start > end:
                end = start
        makespan[m] = end


@njit(cache=True, nogil=True)
def _station_ok(
    s, count, seq, lead, helper, station, time_s, weight, before_ptr, before_idx, limit_s, peak, reached_from,
    place_mask, place_limit, finish, ready, makespan,
):
    """Return whether station ``s`` keeps the takt rule and has a place for everybody."""
    if not _places_ok(s, count, seq, lead, helper, reached_from, place_mask, place_limit, ready.shape[0]):
        return False
    makespans(s, count, seq, lead, helper, station, time_s, before_ptr, before_idx, finish, ready, makespan)
    mean = 0.0
    for m in range(weight.shape[0]):
        if makespan[m] > limit_s[s] * peak + TOLERANCE_S:
            return False
        mean += weight[m] * makespan[m]
    return mean <= limit_s[s] + TOLERANCE_S


@njit(cache=True, nogil=True)
def _add_load(task, s, k, sign, load, mean_load, jobs, time_s, mean_s):
    for m in range(time_s.shape[1]):
        load[s, k, m] += sign * time_s[task, m]
    mean_load[s, k] += sign * mean_s[task]
    jobs[s, k] += sign
    if jobs[s, k] == 0:
        load[s, k, :] = 0.0
        mean_load[s, k] = 0.0


@njit(cache=True, nogil=True)
def _load_ok(s, k, load, mean_load, limit_s, peak):
    if mean_load[s, k] > limit_s[s] + TOLERANCE_S:
        return False
    for m in range(load.shape[2]):
        if load[s, k, m] > limit_s[s] * peak + TOLERANCE_S:
            return False
    return True


@njit(cache=True, nogil=True)
def _take_out(task, count, seq, station):
    """Take ``task`` out of its station's order and return the position at which it stood."""
    s = station[task]
    position = 0
    while seq[s, position] != task:
        position += 1
    for later in range(position, count[s] - 1):
        seq[s, later] = seq[s, later + 1]
    count[s] -= 1
    station[task] = -1
    return position


@njit(cache=True, nogil=True)
def _put_in(task, s, position, count, seq, station):
    for later in range(count[s], position, -1):
        seq[s, later] = seq[s, later - 1]
    seq[s, position] = task
    count[s] += 1
    station[task] = s


@njit(cache=True, nogil=True)
def _insert(
    task, s, k, k2, count, seq, lead, helper, station, time_s, weight, precedes, before_ptr, before_idx, limit_s,
    peak, reached_from, place_mask, place_limit, finish, ready, makespan,
):
    """Put ``task`` into the order of station ``s`` at the first position that keeps the rules; loads are not touched.

    Returns false, with nothing changed but ``lead`` and ``helper`` of the task, if there is no such position.
    """
    if reached_from[task] & place_mask[s] == 0:
        return False
    lead[task] = k
    helper[task] = k2
    lowest = 0
    highest = count[s]
    for position in range(count[s]):
        other = seq[s, position]
        if precedes[other, task]:
            lowest = position + 1
        elif precedes[task, other] and position < highest:
            highest = position
    if lowest > highest:
        return False
    preferred = lowest
    while preferred < highest and seq[s, preferred] < task:
        preferred += 1
    span = highest - lowest + 1
    for attempt in range(span):
        position = preferred + attempt
        if position > highest:
            position -= span
        _put_in(task, s, position, count, seq, station)
        if _station_ok(
            s, count, seq, lead, helper, station, time_s, weight, before_ptr, before_idx, limit_s, peak, reached_from,
            place_mask, place_limit, finish, ready, makespan,
        ):
            return True
        _take_out(task, count, seq, station)
    return False


@njit(cache=True, nogil=True)
def _window(task, station, first, last, precedes, before_ptr, before_idx, after_ptr, after_idx, all_placed):
    """Return the earliest and latest station that the tasks already placed leave to ``task``."""
    low = first[task]
    high = last[task]
    if all_placed:
        for arc in range(before_ptr[task], before_ptr[task + 1]):
            low = max(low, station[before_idx[arc]])
        for arc in range(after_ptr[task], after_ptr[task + 1]):
            high = min(high, station[after_idx[arc]])
        return low, high
    for other in range(station.shape[0]):
        s = station[other]
        if s >= 0:
            if precedes[other, task] and s > low:
                low = s
            elif precedes[task, other] and s < high:
                high = s
    return low, high


@njit(cache=True, nogil=True)
def _crew(s, jobs):
    used = 0
    for k in range(jobs.shape[1]):
        if jobs[s, k] > 0:
            used += 1
    return used


@njit(cache=True, nogil=True)
def _station_cost(s, jobs, lanes, level_weight, station_weight):
    """Return what the crew of a station costs in operators, with a little for crowding or for using it at all."""
    crew = _crew(s, jobs)
    cost = float(lanes[s] * crew)
    if crew > 0:
        cost += station_weight + level_weight * crew * crew
    return cost


@njit(cache=True, nogil=True)
def _squares(s, mean_load, limit_s, lanes):
    """Return the sum of squared degrees of use of a station's operators."""
    total = 0.0
    for k in range(mean_load.shape[1]):
        share = mean_load[s, k] / limit_s[s]
        total += lanes[s] * share * share
    return total


@njit(cache=True, nogil=True)
def construct(
    priority, pinned, home, homes_first, soft_operators, time_s, weight, mean_s, crew, precedes, before_ptr, before_idx,
    after_ptr, after_idx, allowed, first, last, limit_s, peak, max_operators, reached_from, place_mask, place_limit,
    slots, station, lead, helper, order,
):
    """Place the tasks one by one and return how many found no place.

    Parameters
    ----------
    priority
        (n,) lower comes earlier among tasks whose predecessors have been looked at.
    pinned
        (n,) tasks that only certain stations may take; they are placed before all others.
    home
        (n,) station where the task is done today, tried before any other; -1 for none.
    homes_first
        Place the tasks with a home before all others.
    soft_operators
        Operators that a station gets before the next one is opened; may grow to ``max_operators`` where needed.
    station, lead, helper, order
        (n,) results: station (-1 for none), first and second operator (-1 for none), tasks by station in the order
        in which they begin.
    """
    n, models = time_s.shape
    stations = limit_s.shape[0]
    count = np.zeros(stations, np.int64)
    seq = np.zeros((stations, n), np.int64)
    load = np.zeros((stations, slots, models))
    mean_load = np.zeros((stations, slots))
    jobs = np.zeros((stations, slots), np.int64)
    finish = np.zeros(n)
    ready = np.zeros(slots)
    makespan = np.zeros(models)
    station[:] = -1
    lead[:] = -1
    helper[:] = -1
    unplaced = 0
    for stage in range(3):
        waiting = np.zeros(n, np.int64)
        for task in range(n):
            waiting[task] = before_ptr[task + 1] - before_ptr[task]
        done = np.zeros(n, np.bool_)
        for _ in range(n):
            task = -1
            for candidate in range(n):
                if not done[candidate] and waiting[candidate] == 0:
                    if task < 0 or priority[candidate] < priority[task]:
                        task = candidate
            done[task] = True
            for arc in range(after_ptr[task], after_ptr[task + 1]):
                waiting[after_idx[arc]] -= 1
            if station[task] >= 0 or (stage == 0 and not pinned[task]):
                continue
            if stage == 1 and (not homes_first or home[task] < 0):
                continue
            low, high = _window(task, station, first, last, precedes, before_ptr, before_idx, after_ptr, after_idx, False)
            placed = False
            # Rounds: at home, without a new operator above the soft number, with one up to the hard number.
            for round_number in range(3):
                if placed:
                    break
                begin, end = low, high
                if round_number == 0:
                    if home[task] < low or home[task] > high:
                        continue
                    begin, end = home[task], home[task]
                elif stage == 1:
                    break
                for s in range(begin, end + 1):
                    if placed:
                        break
                    if not allowed[task, s]:
                        continue
                    ceiling = max_operators[s]
                    if round_number == 1:
                        ceiling = min(ceiling, max(soft_operators, crew[task]))
                    present = _crew(s, jobs)
                    tried = np.zeros(slots, np.bool_)
                    empty_tried = False
                    for _attempt in range(max_operators[s]):
                        best = -1
                        for k in range(max_operators[s]):
                            if tried[k]:
                                continue
                            if jobs[s, k] == 0 and (empty_tried or present >= ceiling):
                                continue
                            if mean_load[s, k] + mean_s[task] > limit_s[s] + TOLERANCE_S:
                                continue
                            if best < 0 or mean_load[s, k] > mean_load[s, best]:
                                best = k
                        if best < 0:
                            break
                        tried[best] = True
                        if jobs[s, best] == 0:
                            empty_tried = True
                        second_choices = max_operators[s] if crew[task] == 2 else 1
                        for second in range(second_choices):
                            k2 = -1
                            if crew[task] == 2:
                                k2 = second
                                opened = (1 if jobs[s, best] == 0 else 0) + (1 if jobs[s, k2] == 0 else 0)
                                if k2 == best or present + opened > ceiling:
                                    continue
                            _add_load(task, s, best, 1, load, mean_load, jobs, time_s, mean_s)
                            fits = _load_ok(s, best, load, mean_load, limit_s, peak)
                            if k2 >= 0:
                                _add_load(task, s, k2, 1, load, mean_load, jobs, time_s, mean_s)
                                fits = fits and _load_ok(s, k2, load, mean_load, limit_s, peak)
                            if fits and _insert(
                                task, s, best, k2, count, seq, lead, helper, station, time_s, weight, precedes,
                                before_ptr, before_idx, limit_s, peak, reached_from, place_mask, place_limit, finish,
                                ready, makespan,
                            ):
                                placed = True
                                break
                            _add_load(task, s, best, -1, load, mean_load, jobs, time_s, mean_s)
                            if k2 >= 0:
                                _add_load(task, s, k2, -1, load, mean_load, jobs, time_s, mean_s)
                        if placed:
                            break
            if not placed and stage == 2:
                unplaced += 1
    filled = 0
    for s in range(stations):
        for position in range(count[s]):
            order[filled] = seq[s, position]
            filled += 1
    return unplaced


@njit(cache=True, nogil=True)
def cost_of(station, lead, helper, home, lanes, level_weight, station_weight, move_weight, slots):
    """Return the cost of an assignment in operators; see :func:`improve`."""
    jobs = np.zeros((lanes.shape[0], slots), np.int64)
    cost = 0.0
    for task in range(station.shape[0]):
        if station[task] < 0:
            cost += UNPLACED_COST
            continue
        jobs[station[task], lead[task]] += 1
        if helper[task] >= 0:
            jobs[station[task], helper[task]] += 1
        if home[task] >= 0 and home[task] != station[task]:
            cost += move_weight
    for s in range(lanes.shape[0]):
        cost += _station_cost(s, jobs, lanes, level_weight, station_weight)
    return cost


@njit(cache=True, nogil=True)
def improve(
    evaluations, evenly, fullness, hot, cold, random_state, home, lanes, level_weight, station_weight, move_weight, time_s, weight, mean_s,
    crew, precedes, before_ptr, before_idx, after_ptr, after_idx, allowed, first, last, limit_s, peak, max_operators,
    reached_from, place_mask, place_limit, slots, station, lead, helper, order,
):
    """Search for a cheaper assignment, or for a more even one at no higher cost; return the evaluations made.

    With ``evenly`` false: simulated annealing on moves of one task and exchanges of two. Cost is counted in operators
    (times lanes), plus ``move_weight`` for a task away from home, ``station_weight`` for a station in use and
    ``level_weight`` times the square of a station's crew; the search itself also favours full operators, so that
    others run empty. With ``evenly`` true: descent on the sum of squared loads, never at a higher cost.
    ``station``, ``lead``, ``helper`` and ``order`` (n,) are read as the start and overwritten with the best found.
    """
    n, models = time_s.shape
    stations = limit_s.shape[0]
    count = np.zeros(stations, np.int64)
    seq = np.zeros((stations, n), np.int64)
    load = np.zeros((stations, slots, models))
    mean_load = np.zeros((stations, slots))
    jobs = np.zeros((stations, slots), np.int64)
    finish = np.zeros(n)
    ready = np.zeros(slots)
    makespan = np.zeros(models)
    unplaced = 0
    for task in range(n):
        if station[task] < 0:
            unplaced += 1
    for index in range(n - unplaced):
        task = order[index]
        s = station[task]
        seq[s, count[s]] = task
        count[s] += 1
        _add_load(task, s, lead[task], 1, load, mean_load, jobs, time_s, mean_s)
        if helper[task] >= 0:
            _add_load(task, s, helper[task], 1, load, mean_load, jobs, time_s, mean_s)
    cost = cost_of(station, lead, helper, home, lanes, level_weight, station_weight, move_weight, slots)
    best_cost = cost
    best_station = station.copy()
    best_lead = lead.copy()
    best_helper = helper.copy()
    best_order = order.copy()
    for evaluation in range(evaluations):
        temperature = 0.0 if evenly else hot * (cold / hot) ** (evaluation / evaluations)
        task = int(_random(random_state) * n)
        if unplaced > 0 and _random(random_state) < 0.5:
            while station[task] >= 0:
                task = task + 1 if task + 1 < n else 0
        kind = _random(random_state)
        chance = _random(random_state)
        threshold = -temperature * np.log(max(chance, 1e-300)) if not evenly else -1e-12
        old = station[task]
        low, high = _window(
            task, station, first, last, precedes, before_ptr, before_idx, after_ptr, after_idx, unplaced == 0
        )
        if low > high:
            continue
        s = low + int(_random(random_state) * (high - low + 1))
        nearby = _random(random_state)
        if home[task] >= low and home[task] <= high and nearby < 0.2:
            s = home[task]
        elif old >= 0 and nearby > 0.8:
            s = old
        if not allowed[task, s] or max_operators[s] == 0:
            continue
        if kind < 0.4 or old < 0 or count[s] == 0:
            k = int(_random(random_state) * max_operators[s])
            if kind < 0.32 and count[s] > 0:
                # Mostly somebody who works there already: opening for another seldom pays.
                k = lead[seq[s, int(_random(random_state) * count[s])]]
            k2 = -1
            if crew[task] == 2:
                if max_operators[s] < 2:
                    continue
                k2 = int(_random(random_state) * (max_operators[s] - 1))
                if k2 >= k:
                    k2 += 1
            old_k, old_k2 = lead[task], helper[task]
            if s == old and k == old_k and k2 == old_k2:
                continue
            was = _station_cost(s, jobs, lanes, level_weight, station_weight)
            shape = _squares(s, mean_load, limit_s, lanes)
            if old >= 0:
                if s != old:
                    was += _station_cost(old, jobs, lanes, level_weight, station_weight)
                    shape += _squares(old, mean_load, limit_s, lanes)
                _add_load(task, old, old_k, -1, load, mean_load, jobs, time_s, mean_s)
                if old_k2 >= 0:
                    _add_load(task, old, old_k2, -1, load, mean_load, jobs, time_s, mean_s)
            _add_load(task, s, k, 1, load, mean_load, jobs, time_s, mean_s)
            fits = _load_ok(s, k, load, mean_load, limit_s, peak)
            if k2 >= 0:
                _add_load(task, s, k2, 1, load, mean_load, jobs, time_s, mean_s)
                fits = fits and _load_ok(s, k2, load, mean_load, limit_s, peak)
            change = 0.0
            if fits:
                change = _station_cost(s, jobs, lanes, level_weight, station_weight) - was
                shape = _squares(s, mean_load, limit_s, lanes) - shape
                if old >= 0 and s != old:
                    change += _station_cost(old, jobs, lanes, level_weight, station_weight)
                    shape += _squares(old, mean_load, limit_s, lanes)
                if home[task] >= 0:
                    if old >= 0 and old != home[task]:
                        change -= move_weight
                    if s != home[task]:
                        change += move_weight
                if old < 0:
                    change -= UNPLACED_COST
                if evenly:
                    fits = change <= 1e-9 and (change < -1e-9 or shape < -1e-9)
                else:
                    fits = change - fullness * shape <= threshold
            if fits:
                position = -1
                if old >= 0:
                    position = _take_out(task, count, seq, station)
                if _insert(
                    task, s, k, k2, count, seq, lead, helper, station, time_s, weight, precedes, before_ptr,
                    before_idx, limit_s, peak, reached_from, place_mask, place_limit, finish, ready, makespan,
                ):
                    if old < 0:
                        unplaced -= 1
                else:
                    fits = False
                    lead[task] = old_k
                    helper[task] = old_k2
                    if old >= 0:
                        _put_in(task, old, position, count, seq, station)
            if not fits:
                _add_load(task, s, k, -1, load, mean_load, jobs, time_s, mean_s)
                if k2 >= 0:
                    _add_load(task, s, k2, -1, load, mean_load, jobs, time_s, mean_s)
                if old >= 0:
                    _add_load(task, old, old_k, 1, load, mean_load, jobs, time_s, mean_s)
                    if old_k2 >= 0:
                        _add_load(task, old, old_k2, 1, load, mean_load, jobs, time_s, mean_s)
                elif count[s] > 0 and not evenly and _random(random_state) < 0.02:
                    # No room for a task without a place: put another out that can go elsewhere.
                    other = seq[s, int(_random(random_state) * count[s])]
                    if last[other] - first[other] >= last[task] - first[task]:
                        was = _station_cost(s, jobs, lanes, level_weight, station_weight)
                        _take_out(other, count, seq, station)
                        _add_load(other, s, lead[other], -1, load, mean_load, jobs, time_s, mean_s)
                        if helper[other] >= 0:
                            _add_load(other, s, helper[other], -1, load, mean_load, jobs, time_s, mean_s)
                        lead[other] = -1
                        helper[other] = -1
                        unplaced += 1
                        cost += UNPLACED_COST + _station_cost(s, jobs, lanes, level_weight, station_weight) - was
                        if home[other] >= 0 and home[other] != s:
                            cost -= move_weight
                continue
            cost += change
        else:
            other = seq[s, int(_random(random_state) * count[s])]
            if other == task or crew[other] != 1 or crew[task] != 1:
                continue
            if s == old and lead[other] == lead[task]:
                continue
            if s != old:
                if precedes[task, other] or precedes[other, task] or not allowed[other, old]:
                    continue
                low, high = _window(
                    other, station, first, last, precedes, before_ptr, before_idx, after_ptr, after_idx, unplaced == 0
                )
                if old < low or old > high:
                    continue
            k, k_other = lead[task], lead[other]
            shape = _squares(s, mean_load, limit_s, lanes)
            if s != old:
                shape += _squares(old, mean_load, limit_s, lanes)
            _add_load(other, s, k_other, -1, load, mean_load, jobs, time_s, mean_s)
            _add_load(task, old, k, -1, load, mean_load, jobs, time_s, mean_s)
            _add_load(other, old, k, 1, load, mean_load, jobs, time_s, mean_s)
            _add_load(task, s, k_other, 1, load, mean_load, jobs, time_s, mean_s)
            fits = _load_ok(s, k_other, load, mean_load, limit_s, peak) and _load_ok(
                old, k, load, mean_load, limit_s, peak
            )
            change = 0.0
            if fits:
                shape = _squares(s, mean_load, limit_s, lanes) - shape
                if s != old:
                    shape += _squares(old, mean_load, limit_s, lanes)
                    if home[task] >= 0:
                        change += move_weight * (int(s != home[task]) - int(old != home[task]))
                    if home[other] >= 0:
                        change += move_weight * (int(old != home[other]) - int(s != home[other]))
                if evenly:
                    fits = change <= 1e-9 and (change < -1e-9 or shape < -1e-9)
                else:
                    fits = change - fullness * shape <= threshold
            if fits:
                if s == old:
                    lead[task] = k_other
                    lead[other] = k
                    fits = _station_ok(
                        s, count, seq, lead, helper, station, time_s, weight, before_ptr, before_idx, limit_s, peak,
                        reached_from, place_mask, place_limit, finish, ready, makespan,
                    )
                    if not fits:
                        lead[task] = k
                        lead[other] = k_other
                else:
                    position = _take_out(task, count, seq, station)
                    position_other = _take_out(other, count, seq, station)
                    fits = _insert(
                        task, s, k_other, -1, count, seq, lead, helper, station, time_s, weight, precedes,
                        before_ptr, before_idx, limit_s, peak, reached_from, place_mask, place_limit, finish, ready,
                        makespan,
                    )
                    if fits:
                        fits = _insert(
                            other, old, k, -1, count, seq, lead, helper, station, time_s, weight, precedes,
                            before_ptr, before_idx, limit_s, peak, reached_from, place_mask, place_limit, finish,
                            ready, makespan,
                        )
                        if not fits:
                            _take_out(task, count, seq, station)
                    if not fits:
                        lead[task] = k
                        lead[other] = k_other
                        _put_in(other, s, position_other, count, seq, station)
                        _put_in(task, old, position, count, seq, station)
            if not fits:
                _add_load(task, s, k_other, -1, load, mean_load, jobs, time_s, mean_s)
                _add_load(other, old, k, -1, load, mean_load, jobs, time_s, mean_s)
                _add_load(task, old, k, 1, load, mean_load, jobs, time_s, mean_s)
                _add_load(other, s, k_other, 1, load, mean_load, jobs, time_s, mean_s)
                continue
            cost += change
        if evenly or cost < best_cost - 1e-9:
            best_cost = cost
            filled = 0
            for index in range(stations):
                for place in range(count[index]):
                    best_order[filled] = seq[index, place]
                    filled += 1
            best_station[:] = station
            best_lead[:] = lead
            best_helper[:] = helper
    station[:] = best_station
    lead[:] = best_lead
    helper[:] = best_helper
    order[:] = best_order
    return evaluations
