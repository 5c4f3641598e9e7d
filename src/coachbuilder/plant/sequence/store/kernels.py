"""Hot loops of the painted-body store: which orders it can release, and the search for two orders with it between.

Arrays used throughout:

- ``paint``, ``build`` int64 (n,): car at each place of paint and of assembly; ``paint_place``, ``build_place`` int64
  (cars,) the other way round.
- ``has`` uint8 (cars, r): which car has which option; ``previous`` uint8 (m, r): the end of the day before.
- ``at_most``, ``out_of`` int64 (r,): the rules; ``weight`` int64 (r,): weight of one car too many.
- ``colour`` int64 (cars,); ``previous_colour`` int64, -1 for none.
- ``window`` int64 (r, n + longest out_of - 1): cars with the option in the window that begins at place
  ``column - (out_of - 1)``.
- ``lanes`` and ``places``: lanes and places in each; ``lanes`` 0 stands for a store of random access with ``places``.

A body enters the store before it is released, even if it is released at once, and takes a place while it is.

A step between two colours counts here at the place that it leads to, for the two ends of a swap are judged apart.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from coachbuilder.plant.sequence.kernels import apply_swap, below, next_random, runs_around

BATCH_WEIGHT = 10**9
"""Weight of a car beyond the longest batch, as in the search of one order."""

PLACE_WEIGHT = 10**10
"""Weight of each place by which a car is built outside its earliest and latest: it outweighs the rest."""

STALL, STALL_PER_CAR = 2_000, 80
"""Moves without a better pair after which the search makes a few whatever they cost, and as many more for each car."""

KICKS = 4
"""How many."""

LONGEST_SHIFT = 24
"""Places over which a car, or a few, are moved within the order of assembly."""


@njit(cache=True, nogil=True)
def accept(delta: int, heat: float, state: NDArray[np.uint64]) -> bool:
    """Tell whether a move is made: always if it is no worse, otherwise by the Metropolis rule."""
    if delta <= 0:
        return True
    if heat <= 0.0 or delta > 30.0 * heat:
        return False
    uniform = (next_random(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
    return uniform < np.exp(-delta / heat)  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def take_lanes(
    paint: NDArray[np.int64],
    build: NDArray[np.int64],
    paint_place: NDArray[np.int64],
    build_place: NDArray[np.int64],
    lanes: int,
    places: int,
    tail: NDArray[np.int64],
    held: NDArray[np.int64],
    lane_of: NDArray[np.int64],
) -> bool:
    """Give each car the lane whose last car leaves latest before it, in ``lane_of`` int64 (cars,); false if none fits.

    A car enters no sooner than the release of one painted with it or after it. The rule is that of patience sorting:
    it finds lanes whenever there are any if none of them fills up, and may miss them otherwise. ``tail`` and ``held``
    int64 (lanes,) are scratch.
    """
    tail[:] = -1
    held[:] = 0
    entered = 0
    for place in range(build.size):
        released = build[place]
        while entered <= paint_place[released]:
            car = paint[entered]
            mine = build_place[car]
            best = -1
            last = -2
            for lane in range(lanes):
                if held[lane] == 0:
                    if last == -2:
                        best, last = lane, -1
                elif held[lane] < places and last < tail[lane] < mine:
                    best, last = lane, tail[lane]
            if best < 0:
                return False
            lane_of[car] = best
            tail[best] = mine
            held[best] += 1
            entered += 1
        held[lane_of[released]] -= 1
    return True


@njit(cache=True, nogil=True)
def retake_lanes(
    paint: NDArray[np.int64],
    build: NDArray[np.int64],
    paint_place: NDArray[np.int64],
    build_place: NDArray[np.int64],
    places: int,
    start: int,
    last_entry: int,
    lane_at: NDArray[np.int32],
    time_at: NDArray[np.int32],
    held_at: NDArray[np.int32],
    tail_at: NDArray[np.int32],
    new_lane: NDArray[np.int32],
    new_time: NDArray[np.int32],
    new_held: NDArray[np.int32],
    new_tail: NDArray[np.int32],
) -> tuple[bool, int]:
    """Give lanes anew by the rule of :func:`take_lanes` after a change, as far as the change reaches.

    ``lane_at``, ``time_at`` int32 (n,) hold the lane of the car at each place of paint and the release before which it
    enters; ``held_at``, ``tail_at`` int32 (n, lanes) the lanes as it finds them. They are true for the orders before
    the change up to place ``start`` of paint, where this begins. It ends where the lanes are again what they were and
    no body in them has another place or lane than before; ``last_entry`` is the last place of paint whose body or its
    place of assembly has changed. If every car finds a lane the arrays are made true for the new orders. The other
    four are scratch of the same shapes. Returns whether every car does, and the cars that entered.
    """
    n = build.size
    lanes = held_at.shape[1]
    entry = start
    place = np.int64(time_at[start])
    held = new_held[start]
    tail = new_tail[start]
    for lane in range(lanes):
        held[lane] = held_at[start, lane]
        tail[lane] = tail_at[start, lane]
    pending = np.int64(-1)
    while entry < n:
        # Those released before this one must enter.
        while paint_place[build[place]] < entry:
            mine = paint_place[build[place]]
            held[new_lane[mine] if mine >= start else lane_at[mine]] -= 1
            place += 1
        if entry > last_entry and place > pending and place == time_at[entry]:
            same = True
            for lane in range(lanes):
                if held[lane] != held_at[entry, lane] or (held[lane] > 0 and tail[lane] != tail_at[entry, lane]):
                    same = False
                    break
            if same:
                break
        new_time[entry] = place
        mine = build_place[paint[entry]]
        best = -1
        nearest = -2
        for lane in range(lanes):
            if held[lane] == 0:
                if nearest == -2:
                    best, nearest = lane, -1
            elif held[lane] < places and nearest < tail[lane] < mine:
                best, nearest = lane, tail[lane]
        if best < 0:
            return False, entry - start + 1
        new_lane[entry] = best
        # Alike lanes may still hold other bodies: none that changed must be left.
        if entry <= last_entry or best != lane_at[entry]:
            pending = max(pending, mine)
        if entry + 1 < n:
            for lane in range(lanes):
                new_held[entry + 1, lane] = held[lane]
                new_tail[entry + 1, lane] = tail[lane]
            held = new_held[entry + 1]
            tail = new_tail[entry + 1]
            held[best] += 1
            tail[best] = mine
        entry += 1
    for at in range(start, entry):
        lane_at[at] = new_lane[at]
        time_at[at] = new_time[at]
        for lane in range(lanes):
            held_at[at, lane] = new_held[at, lane]
            tail_at[at, lane] = new_tail[at, lane]
    return True, entry - start + 1


@njit(cache=True, nogil=True)
def touched(
    build: NDArray[np.int64],
    paint_place: NDArray[np.int64],
    time_at: NDArray[np.int32],
    low: int,
    high: int,
    ends_alone: bool,
) -> tuple[int, int]:
    """Return where :func:`retake_lanes` may begin, and its last entry, after a change of places of assembly.

    The places ``low`` to ``high`` have changed, or with ``ends_alone`` these two. The lanes are as they were up to the
    first body that was painted as early as one of them, or entered no sooner than the release at ``low``. It has not
    entered later than that: the body which was released there before the change is one of those that have changed.
    """
    start = np.int64(np.searchsorted(time_at, low))
    last_entry = np.int64(-1)
    for at in range(low, high + 1, high - low if ends_alone else 1):
        start = min(start, paint_place[build[at]])
        last_entry = max(last_entry, paint_place[build[at]])
    return start, last_entry  # type: ignore[return-value]


@njit(cache=True, nogil=True)
def in_reach(
    paint: NDArray[np.int64],
    build: NDArray[np.int64],
    paint_place: NDArray[np.int64],
    build_place: NDArray[np.int64],
    lanes: int,
    places: int,
    tail: NDArray[np.int64],
    held: NDArray[np.int64],
    lane_of: NDArray[np.int64],
) -> bool:
    """Tell whether the store can release the bodies in the order ``build``; see :func:`take_lanes` for lanes."""
    if lanes > 0:
        return take_lanes(paint, build, paint_place, build_place, lanes, places, tail, held, lane_of)
    for place in range(build.size):
        if paint_place[build[place]] > place + places - 1:
            return False
    return True


@njit(cache=True, nogil=True)
def most_bodies(build: NDArray[np.int64], paint_place: NDArray[np.int64]) -> int:
    """Return how many bodies stand in the store when it is fullest, each entering as late as it can."""
    entered = 0
    most = 0
    for place in range(build.size):
        entered = max(entered, paint_place[build[place]] + 1)
        most = max(most, entered - place)
    return most


@njit(cache=True, nogil=True)
def fitting_lane(rank: int, tail: NDArray[np.int64], held: NDArray[np.int64], size: int) -> int:
    """Return the lane whose last car is nearest before a rank and that is not full, else an empty one, else -1."""
    best = -1
    nearest = np.int64(-2)
    for lane in range(held.size):
        if held[lane] == 0:
            if nearest == -2:
                best, nearest = lane, np.int64(-1)
        elif held[lane] < size and nearest < tail[lane] < rank:
            best, nearest = lane, tail[lane]
    return best


@njit(cache=True, nogil=True)
def follow(
    paint: NDArray[np.int64],
    rank: NDArray[np.int64],
    earliest: NDArray[np.int64],
    latest: NDArray[np.int64],
    frozen: int,
    lanes: int,
    places: int,
    build_out: NDArray[np.int64],
) -> None:
    """Release the bodies as near to an order as the store allows: at each place the one that stands first in it.

    ``rank`` int64 (cars,) is each car's place in that order. The first ``frozen`` painted are released first. A car
    whose latest place has come goes before all, one whose earliest has not come after all. In lanes a car enters the
    lane whose last car is nearest before it in the order, or an empty one, no sooner than one painted with it or after
    it is wanted; where there is neither, paint waits.
    """
    n = paint.size
    far = np.int64(4 * n)
    if lanes == 0:
        held = np.empty(max(1, min(places, n)), dtype=np.int64)
        count = 0
        entered = 0
        for place in range(n):
            while entered < n and count < held.size:
                held[count] = paint[entered]
                count += 1
                entered += 1
            best = 0
            least = 8 * far
            for spot in range(count):
                car = held[spot]
                value = rank[car]
                if place < frozen:
                    value = np.int64(0) if car == paint[place] else far
                elif latest[car] <= place:
                    value = latest[car] - far
                elif earliest[car] > place:
                    value = far + earliest[car]
                if value < least:
                    best, least = spot, value
            build_out[place] = held[best]
            count -= 1
            held[best] = held[count]
        return
    size = min(places, n)
    queue = np.empty((lanes, size), dtype=np.int64)
    first = np.zeros(lanes, dtype=np.int64)
    held_in = np.zeros(lanes, dtype=np.int64)
    tail = np.zeros(lanes, dtype=np.int64)
    count_in = np.zeros(lanes, dtype=np.int64)
    entered = 0
    for place in range(n):
        released = False
        while not released:
            # The most urgent body in the lanes: a head, or for a due car the head before it.
            chosen = -1
            least = 8 * far
            for lane in range(lanes):
                for behind in range(held_in[lane]):
                    car = queue[lane, (first[lane] + behind) % size]
                    value = rank[car] if behind == 0 else 8 * far
                    if place < frozen:
                        value = np.int64(0) if behind == 0 and car == paint[place] else 8 * far
                    elif latest[car] <= place + behind:
                        value = latest[car] - far
                    elif behind == 0 and earliest[car] > place:
                        value = far + earliest[car]
                    if value < least:
                        chosen, least = lane, value
            # The most urgent body outside that can be let in with those before it.
            for lane in range(lanes):
                count_in[lane] = held_in[lane]
                if held_in[lane] > 0:
                    tail[lane] = rank[queue[lane, (first[lane] + held_in[lane] - 1) % size]]
            last = entered - 1
            at = entered
            while at < n:
                car = paint[at]
                lane = fitting_lane(rank[car], tail, count_in, size)
                if lane < 0:
                    break
                tail[lane] = rank[car]
                count_in[lane] += 1
                value = rank[car]
                if place < frozen:
                    value = np.int64(0) if car == paint[place] else far
                elif latest[car] <= place:
                    value = latest[car] - far
                elif earliest[car] > place:
                    value = far + earliest[car]
                if value < least:
                    last, least = at, value
                at += 1
            if last < entered:
                build_out[place] = queue[chosen, first[chosen]]
                first[chosen] = (first[chosen] + 1) % size
                held_in[chosen] -= 1
                released = True
            while entered <= last:
                car = paint[entered]
                for lane in range(lanes):
                    if held_in[lane] > 0:
                        tail[lane] = rank[queue[lane, (first[lane] + held_in[lane] - 1) % size]]
                lane = fitting_lane(rank[car], tail, held_in, size)
                queue[lane, (first[lane] + held_in[lane]) % size] = car
                held_in[lane] += 1
                entered += 1


@njit(cache=True, nogil=True)
def batch_paint(
    build: NDArray[np.int64],
    colour: NDArray[np.int64],
    previous_colour: int,
    frozen: int,
    places: int,
    batch: int,
    paint_out: NDArray[np.int64],
) -> None:
    """Sort the bodies of an order of assembly into colour batches as far as a store of random access can undo it.

    Read backwards in time: a body may be painted early as long as no more than ``places`` - 1 bodies that are built
    after the first one not yet painted are. A colour goes on while a car of it is near enough; then comes the colour
    with the most cars near enough, or that of the first car not yet painted when the store is full.
    """
    n = build.size
    painted = np.zeros(n, dtype=np.bool_)
    colours = 1
    for car in range(n):
        colours = max(colours, colour[car] + 1)
    near = np.zeros(colours, dtype=np.int64)
    now = previous_colour
    run = 0
    first = 0
    for place in range(n):
        while painted[first]:
            first += 1
        best = -1
        if place < frozen:
            best = first
        else:
            # ``place`` - ``first`` bodies are painted ahead of the first one that is not.
            end = n if place - first < places - 1 else first + 1
            if run < batch or place == 0:
                for at in range(first, end):
                    if not painted[at] and colour[build[at]] == now:
                        best = at
                        break
            if best < 0:
                near[:] = 0
                for at in range(first, min(end, first + 4 * places)):
                    if not painted[at] and (colour[build[at]] != now or place == 0):
                        near[colour[build[at]]] += 1
                most = 0
                for at in range(first, min(end, first + 4 * places)):
                    if not painted[at] and near[colour[build[at]]] > most:
                        best, most = at, near[colour[build[at]]]
                if best < 0:
                    best = first
        painted[best] = True
        mine = colour[build[best]]
        if mine == now and place > 0:
            run += 1
        else:
            run = 1
        now = mine
        paint_out[place] = build[best]


@njit(cache=True, nogil=True)
def over(count: int, most: int, once: bool) -> int:
    """Return what a window costs: its cars too many, or 1 for a window with too many."""
    if count <= most:
        return 0
    return 1 if once else count - most


@njit(cache=True, nogil=True)
def fill_windows(
    build: NDArray[np.int64],
    has: NDArray[np.uint8],
    previous: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    short: bool,
    once: bool,
    window: NDArray[np.int64],
    excess_out: NDArray[np.int64],
) -> None:
    """Count every window anew into ``window``, and each rule's cost into ``excess_out`` int64 (r,)."""
    n = build.size
    m = previous.shape[0]
    for r in range(out_of.size):
        length = out_of[r]
        window[r, :] = 0
        for place in range(n):
            if has[build[place], r]:
                for begin in range(place - length + 1, place + 1):
                    window[r, begin + length - 1] += 1
        if short:
            for back in range(1, min(m, length - 1) + 1):
                if previous[m - back, r]:
                    for begin in range(-length + 1, -back + 1):
                        window[r, begin + length - 1] += 1
        first = -(length - 1) if short else 0
        last = n - 1 if short else n - length
        excess_out[r] = 0
        for begin in range(first, last + 1):
            excess_out[r] += over(window[r, begin + length - 1], at_most[r], once)


@njit(cache=True, nogil=True)
def rules_delta(
    build: NDArray[np.int64],
    new: NDArray[np.int64],
    has: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    weight: NDArray[np.int64],
    short: bool,
    once: bool,
    window: NDArray[np.int64],
    low: int,
    high: int,
) -> int:
    """Return the change of rule cost if the places ``low`` to ``high`` of assembly are taken by the cars in ``new``."""
    n = build.size
    delta = 0
    for r in range(out_of.size):
        length = out_of[r]
        first = -(length - 1) if short else 0
        last = n - 1 if short else n - length
        difference = 0
        change = 0
        for begin in range(low - length + 1, high + 1):
            entering = begin + length - 1
            if low <= entering <= high:
                difference += np.int64(has[new[entering - low], r]) - np.int64(has[build[entering], r])  # type: ignore[assignment]
            leaving = begin - 1
            if low <= leaving <= high:
                difference -= np.int64(has[new[leaving - low], r]) - np.int64(has[build[leaving], r])  # type: ignore[assignment]
            if difference != 0 and first <= begin <= last:
                held = window[r, begin + length - 1]
                change += over(held + difference, at_most[r], once) - over(held, at_most[r], once)
        delta += weight[r] * change
    return delta


@njit(cache=True, nogil=True)
def put(
    build: NDArray[np.int64],
    new: NDArray[np.int64],
    build_place: NDArray[np.int64],
    has: NDArray[np.uint8],
    out_of: NDArray[np.int64],
    window: NDArray[np.int64],
    low: int,
    high: int,
) -> None:
    """Exchange the places ``low`` to ``high`` of assembly with ``new`` and keep ``window`` true."""
    for r in range(out_of.size):
        length = out_of[r]
        difference = 0
        for begin in range(low - length + 1, high + 1):
            entering = begin + length - 1
            if low <= entering <= high:
                difference += np.int64(has[new[entering - low], r]) - np.int64(has[build[entering], r])  # type: ignore[assignment]
            leaving = begin - 1
            if low <= leaving <= high:
                difference -= np.int64(has[new[leaving - low], r]) - np.int64(has[build[leaving], r])  # type: ignore[assignment]
            window[r, begin + length - 1] += difference
    for place in range(low, high + 1):
        build[place], new[place - low] = new[place - low], build[place]
        build_place[build[place]] = place


@njit(cache=True, nogil=True)
def swap_delta(
    build: NDArray[np.int64],
    has: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    weight: NDArray[np.int64],
    short: bool,
    once: bool,
    window: NDArray[np.int64],
    i: int,
    j: int,
) -> int:
    """Return the change of rule cost if the cars at the places ``i`` < ``j`` of assembly change places."""
    n = build.size
    a = build[i]
    b = build[j]
    delta = 0
    for r in range(out_of.size):
        if has[a, r] == has[b, r]:
            continue
        length = out_of[r]
        sign = 1 if has[b, r] else -1
        first = -(length - 1) if short else 0
        last = n - 1 if short else n - length
        change = 0
        for begin in range(max(i - length + 1, first), min(i, j - length, last) + 1):
            held = window[r, begin + length - 1]
            change += over(held + sign, at_most[r], once) - over(held, at_most[r], once)
        for begin in range(max(j - length + 1, i + 1, first), min(j, last) + 1):
            held = window[r, begin + length - 1]
            change += over(held - sign, at_most[r], once) - over(held, at_most[r], once)
        delta += weight[r] * change
    return delta


@njit(cache=True, nogil=True)
def swap(
    build: NDArray[np.int64],
    build_place: NDArray[np.int64],
    has: NDArray[np.uint8],
    out_of: NDArray[np.int64],
    window: NDArray[np.int64],
    i: int,
    j: int,
) -> None:
    """Let the cars at the places ``i`` < ``j`` of assembly change places and keep ``window`` true."""
    apply_swap(build, has, out_of, window, i, j)
    build_place[build[i]] = i
    build_place[build[j]] = j


@njit(cache=True, nogil=True)
def colour_cost(
    paint: NDArray[np.int64],
    colour: NDArray[np.int64],
    previous_colour: int,
    low: int,
    high: int,
    batch: int,
    change_weight: int,
) -> int:
    """Return the cost of the steps into the places ``low`` to ``high`` of paint and of the batches that lie in them."""
    cost = 0
    run = 0
    for place in range(low, high + 1):
        mine = colour[paint[place]]
        before = colour[paint[place - 1]] if place > 0 else previous_colour
        if before >= 0 and before != mine:
            cost += change_weight
        if place > low and before == mine:
            run += 1
        else:
            run = 1
        if run > batch:
            cost += BATCH_WEIGHT
    return cost


@njit(cache=True, nogil=True)
def exchange(paint: NDArray[np.int64], new: NDArray[np.int64], low: int, high: int) -> None:
    """Exchange the places ``low`` to ``high`` of paint with ``new``."""
    for place in range(low, high + 1):
        paint[place], new[place - low] = new[place - low], paint[place]


@njit(cache=True, nogil=True)
def paint_delta(
    paint: NDArray[np.int64],
    new: NDArray[np.int64],
    colour: NDArray[np.int64],
    previous_colour: int,
    batch: int,
    change_weight: int,
    low: int,
    high: int,
) -> int:
    """Return the change of colour cost if the places ``low`` to ``high`` of paint are taken by the cars in ``new``."""
    begin, end = runs_around(paint, colour, low, high)
    before = colour_cost(paint, colour, previous_colour, begin, end, batch, change_weight)
    exchange(paint, new, low, high)
    after = colour_cost(paint, colour, previous_colour, begin, end, batch, change_weight)
    exchange(paint, new, low, high)
    return after - before


@njit(cache=True, nogil=True)
def paint_swap_delta(
    paint: NDArray[np.int64],
    colour: NDArray[np.int64],
    previous_colour: int,
    batch: int,
    change_weight: int,
    x: int,
    y: int,
) -> int:
    """Return the change of colour cost if the cars at the places ``x`` < ``y`` of paint change places."""
    if colour[paint[x]] == colour[paint[y]]:
        return 0
    low, low_end = runs_around(paint, colour, x, x)
    high_begin, high = runs_around(paint, colour, y, y)
    apart = low_end + 1 < high_begin
    delta = 0
    for sign in (-1, 1):
        if apart:
            delta += sign * colour_cost(paint, colour, previous_colour, low, low_end, batch, change_weight)
            delta += sign * colour_cost(paint, colour, previous_colour, high_begin, high, batch, change_weight)
        else:
            delta += sign * colour_cost(paint, colour, previous_colour, low, high, batch, change_weight)
        paint[x], paint[y] = paint[y], paint[x]
    return delta


@njit(cache=True, nogil=True)
def outside(car: int, place: int, earliest: NDArray[np.int64], latest: NDArray[np.int64]) -> int:
    """Return by how many places a car is built outside its own."""
    return max(0, earliest[car] - place, place - latest[car])  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def find_violated(
    build: NDArray[np.int64],
    has: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    short: bool,
    window: NDArray[np.int64],
    state: NDArray[np.uint64],
) -> int:
    """Return a place of assembly in a violated window, looking from a random place on; -1 if none is found soon."""
    n = build.size
    start = below(state, n)
    for step in range(64):
        begin = (start + step) % n
        for r in range(out_of.size):
            if (short or begin <= n - out_of[r]) and window[r, begin + out_of[r] - 1] > at_most[r]:
                end = min(begin + out_of[r], n)
                place = begin + below(state, end - begin)
                for _ in range(end - begin):
                    if has[build[place], r]:
                        return place
                    place += 1
                    if place >= end:
                        place = begin
                return place
    return -1


@njit(cache=True, nogil=True)
def total(
    paint: NDArray[np.int64],
    build: NDArray[np.int64],
    has: NDArray[np.uint8],
    previous: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    weight: NDArray[np.int64],
    short: bool,
    once: bool,
    colour: NDArray[np.int64],
    previous_colour: int,
    batch: int,
    change_weight: int,
    earliest: NDArray[np.int64],
    latest: NDArray[np.int64],
    window: NDArray[np.int64],
) -> int:
    """Return the whole cost, counted afresh: rules in assembly, colours in paint, cars outside their places."""
    excess = np.zeros(out_of.size, dtype=np.int64)
    fill_windows(build, has, previous, at_most, out_of, short, once, window, excess)
    cost = 0
    for r in range(out_of.size):
        cost += weight[r] * excess[r]
    for place in range(build.size):
        cost += PLACE_WEIGHT * outside(build[place], place, earliest, latest)
    if paint.size > 0:
        cost += colour_cost(paint, colour, previous_colour, 0, paint.size - 1, batch, change_weight)
    return cost


@njit(cache=True, nogil=True)
def search(
    paint: NDArray[np.int64],
    build: NDArray[np.int64],
    has: NDArray[np.uint8],
    previous: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    weight: NDArray[np.int64],
    short: bool,
    once: bool,
    colour: NDArray[np.int64],
    previous_colour: int,
    batch: int,
    change_weight: int,
    earliest: NDArray[np.int64],
    latest: NDArray[np.int64],
    frozen: int,
    lanes: int,
    places: int,
    move_paint: bool,
    target: int,
    evaluations: int,
    temperature: NDArray[np.float64],
    state: NDArray[np.uint64],
    window: NDArray[np.int64],
    paint_out: NDArray[np.int64],
    build_out: NDArray[np.int64],
) -> tuple[int, int]:
    """Improve the two orders together; the store can release every pair that is taken.

    Moves: two cars change places in assembly, in paint, or in both (which the store does not feel); a few cars move
    along within assembly; cars of one colour move in paint to others of it. A move is looked at by its cost first and
    by the store afterwards; the check of lanes counts as ``lanes`` / 64 moves for each car that it follows.

    ``paint`` and ``build`` are used up; their best go to ``paint_out`` and ``build_out``. Without ``move_paint`` the
    order of paint stays. The first ``frozen`` places of both stay. Stops after ``evaluations`` moves or at a cost of
    ``target``. Returns the best cost and the moves looked at.
    """
    n = build.size
    paint_place = np.empty(n, dtype=np.int64)
    build_place = np.empty(n, dtype=np.int64)
    for place in range(n):
        paint_place[paint[place]] = place
        build_place[build[place]] = place
    rows = n if lanes > 0 else 1
    lane_at = np.zeros(rows, dtype=np.int32)
    time_at = np.zeros(rows, dtype=np.int32)
    held_at = np.zeros((rows, lanes), dtype=np.int32)
    tail_at = np.zeros((rows, lanes), dtype=np.int32)
    new_lane = np.zeros(rows, dtype=np.int32)
    new_time = np.zeros(rows, dtype=np.int32)
    new_held = np.zeros((rows, lanes), dtype=np.int32)
    new_tail = np.zeros((rows, lanes), dtype=np.int32)
    new = np.empty(n, dtype=np.int64)
    cost = total(
        paint, build, has, previous, at_most, out_of, weight, short, once, colour, previous_colour, batch,
        change_weight, earliest, latest, window,
    )  # fmt: skip
    best = cost
    paint_out[:] = paint
    build_out[:] = build
    if n - frozen < 2:
        return best, 0
    heat = temperature[0]
    cooling = 1.0
    if temperature[0] > 0.0 and evaluations > 1000:
        cooling = (temperature[1] / temperature[0]) ** (1000.0 / evaluations)
    check = lanes > 0
    start, last_entry = 0, n - 1
    # Two cars far apart hardly ever change places in one of the orders when the store has lanes.
    span = min(n, max(LONGEST_SHIFT, lanes * places))
    stall = STALL + STALL_PER_CAR * n
    settled = 0
    kicks = 0
    done = 0
    cooled = 0
    if check:
        fits, _ = retake_lanes(
            paint, build, paint_place, build_place, places, start, last_entry, lane_at, time_at, held_at,
            tail_at, new_lane, new_time, new_held, new_tail,
        )  # fmt: skip
    while done < evaluations and best > target:
        done += 1
        while cooled + 1000 <= done:
            cooled += 1000
            heat *= cooling
        if done - settled > stall:
            # Nothing better for long: a few moves are made whatever they cost, from the best or its equal.
            if cost > best:
                paint[:] = paint_out
                build[:] = build_out
                for place in range(n):
                    paint_place[paint[place]] = place
                    build_place[build[place]] = place
                cost = total(
                    paint, build, has, previous, at_most, out_of, weight, short, once, colour, previous_colour, batch,
                    change_weight, earliest, latest, window,
                )  # fmt: skip
                if check:
                    fits, _ = retake_lanes(
                        paint, build, paint_place, build_place, places, 0, n - 1, lane_at, time_at, held_at, tail_at,
                        new_lane, new_time, new_held, new_tail,
                    )  # fmt: skip
            else:
                paint_out[:] = paint
                build_out[:] = build
            settled = done
            kicks = KICKS
        choice = below(state, 100)
        if not move_paint:
            choice = choice % 55
        # A move in assembly takes the places low to high of ``build``, one in paint the places begin to end of
        # ``paint``; a move in both takes both. A swap takes the ends of its places alone.
        low = high = begin = end = -1
        is_swap = choice < 40 or 55 <= choice < 82
        delta = 0
        if choice < 40 or 55 <= choice < 70:
            # Two cars change places in assembly, or in assembly and in paint.
            i = -1
            if below(state, 2) == 0 and out_of.size > 0:
                i = find_violated(build, has, at_most, out_of, short, window, state)
            if i < frozen:
                i = frozen + below(state, n - frozen)
            if choice < 40 and below(state, 2) == 0:
                j = i - LONGEST_SHIFT + below(state, 2 * LONGEST_SHIFT + 1)
            elif choice < 40 and lanes > 0:
                j = i - span + below(state, 2 * span + 1)
            else:
                j = frozen + below(state, n - frozen)
            if j < frozen or j >= n or i == j:
                continue
            low = min(i, j)
            high = max(i, j)
            a = build[low]
            b = build[high]
            if choice >= 55:
                begin = min(paint_place[a], paint_place[b])
                end = max(paint_place[a], paint_place[b])
            elif lanes == 0 and paint_place[b] > low + places - 1:
                continue
            delta = swap_delta(build, has, at_most, out_of, weight, short, once, window, low, high)
            delta += PLACE_WEIGHT * (
                outside(b, low, earliest, latest)
                - outside(a, low, earliest, latest)
                + outside(a, high, earliest, latest)
                - outside(b, high, earliest, latest)
            )
        elif choice < 55:
            # Up to three cars move along within assembly.
            low = frozen + below(state, n - frozen)
            high = min(n - 1, low + 1 + below(state, LONGEST_SHIFT))
            length = high - low + 1
            if length < 2:
                continue
            turn = 1 + below(state, min(3, length - 1))
            if below(state, 2) == 0:
                turn = length - turn
            fits = True
            for at in range(length):
                car = build[low + (at + turn) % length]
                new[at] = car
                fits &= lanes > 0 or paint_place[car] <= low + at + places - 1
                delta += PLACE_WEIGHT * (
                    outside(car, low + at, earliest, latest) - outside(car, build_place[car], earliest, latest)
                )
            if not fits:
                continue
            delta += rules_delta(build, new, has, at_most, out_of, weight, short, once, window, low, high)
        elif choice < 82:
            # Two cars change places in paint.
            x = frozen + below(state, n - frozen)
            y = x - span + below(state, 2 * span + 1) if lanes > 0 else frozen + below(state, n - frozen)
            if y < frozen or y >= n:
                continue
            begin = min(x, y)
            end = max(x, y)
            if colour[paint[x]] == colour[paint[y]] or (lanes == 0 and end > build_place[paint[begin]] + places - 1):
                continue
        else:
            # A run of one colour, or its beginning or end, moves in paint next to another run of that colour.
            x = frozen + below(state, n - frozen)
            mine = colour[paint[x]]
            first = x
            while first > frozen and colour[paint[first - 1]] == mine:
                first -= 1
            last = x
            while last < n - 1 and colour[paint[last + 1]] == mine:
                last += 1
            cut = below(state, 4)
            if cut == 0:
                first = x
            elif cut == 1:
                last = x
            other = frozen + below(state, n - frozen)
            step = 1 if other > last else -1
            found = -1
            for _ in range(256):
                if other < frozen or other >= n or first <= other <= last:
                    break
                if colour[paint[other]] == mine:
                    found = other
                    break
                other += step
            if found < 0:
                continue
            if found > last:
                # Backwards: those between move ahead of the run.
                begin, end, turn = first, found - 1, last - first + 1
            else:
                begin, end, turn = found + 1, last, first - found - 1
            length = end - begin + 1
            if turn <= 0 or turn >= length:
                continue
            done += length // 32
            fits = True
            for at in range(length):
                car = paint[begin + (at + turn) % length]
                new[at] = car
                if lanes == 0 and begin + at > build_place[car] + places - 1:
                    fits = False
                    break
            if not fits:
                continue
            delta = paint_delta(paint, new, colour, previous_colour, batch, change_weight, begin, end)
        if is_swap and begin >= 0:
            delta += paint_swap_delta(paint, colour, previous_colour, batch, change_weight, begin, end)
        if kicks > 0 and delta < BATCH_WEIGHT:
            kicks -= 1
        elif not accept(delta, heat, state):
            continue
        # Twice through: done, and undone if the lanes cannot release the order.
        for turn_back in range(2):
            if is_swap:
                if low >= 0:
                    swap(build, build_place, has, out_of, window, low, high)
                if begin >= 0:
                    paint[begin], paint[end] = paint[end], paint[begin]
                    paint_place[paint[begin]] = begin
                    paint_place[paint[end]] = end
            elif low >= 0:
                put(build, new, build_place, has, out_of, window, low, high)
            else:
                exchange(paint, new, begin, end)
                for at in range(begin, end + 1):
                    paint_place[paint[at]] = at
            if turn_back == 1:
                delta = 0
                break
            # The store does not feel two cars that change places in both orders.
            if not check or (low >= 0 and begin >= 0):
                break
            if begin >= 0:
                start, last_entry = begin, end
            else:
                start, last_entry = touched(build, paint_place, time_at, low, high, is_swap)
            fits, entered = retake_lanes(
                paint, build, paint_place, build_place, places, start, last_entry, lane_at, time_at,
                held_at, tail_at, new_lane, new_time, new_held, new_tail,
            )  # fmt: skip
            done += entered * lanes // 64
            if fits:
                break
        cost += delta
        if cost < best:
            settled = done
            best = cost
            paint_out[:] = paint
            build_out[:] = build
    return best, done
