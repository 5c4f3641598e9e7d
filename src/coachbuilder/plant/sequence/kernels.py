"""Hot loops of car sequencing: counting, greedy construction, what a change of a whole stretch costs.

Arrays used throughout:

- ``order`` int64 (n,): car at each place.
- ``has`` uint8 (cars, r): which car has which option; ``previous`` uint8 (m, r): the end of the day before.
- ``at_most``, ``out_of`` int64 (r,): the rules; ``weight`` int64 (r,): weight of one car too many.
- ``colour`` int64 (cars,); ``previous_colour`` int64, -1 for none.
- ``window`` int64 (r, n + longest out_of - 1): cars with the option in the window that begins at place
  ``column - (out_of - 1)``. With ``short`` every window that holds a car of the day counts, otherwise only those
  that lie in the day as a whole.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

BATCH_WEIGHT = 10**9
"""Weight of a car beyond the longest batch: the limit is hard, so it outweighs every objective."""


@njit(cache=True, nogil=True, forceinline=True)
def next_random(state: NDArray[np.uint64]) -> np.uint64:
    """Advance a splitmix64 generator, ``state`` uint64 (1,), and return its next number."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))  # type: ignore[no-any-return]


@njit(cache=True, nogil=True, forceinline=True)
def below(state: NDArray[np.uint64], limit: int) -> int:
    """Return a random whole number from 0 to ``limit`` - 1."""
    return np.int64(((next_random(state) >> np.uint64(32)) * np.uint64(limit)) >> np.uint64(32))  # type: ignore[return-value]


@njit(cache=True, nogil=True)
def first_window(out_of: int, short: bool) -> int:
    """Return the place at which a rule's first window begins; negative on the day before."""
    return -(out_of - 1) if short else 0


@njit(cache=True, nogil=True)
def last_window(n: int, out_of: int, short: bool) -> int:
    """Return the place at which a rule's last window begins; less than the first if no window fits."""
    return n - 1 if short else n - out_of


@njit(cache=True, nogil=True)
def fill_windows(
    order: NDArray[np.int64],
    has: NDArray[np.uint8],
    previous: NDArray[np.uint8],
    out_of: NDArray[np.int64],
    short: bool,
    window: NDArray[np.int64],
) -> None:
    """Count every window anew into ``window``."""
    n = order.size
    m = previous.shape[0]
    for r in range(out_of.size):
        length = out_of[r]
        window[r, :] = 0
        for place in range(n):
            if has[order[place], r]:
                for begin in range(place - length + 1, place + 1):
                    window[r, begin + length - 1] += 1
        if short:
            for back in range(1, min(m, length - 1) + 1):
                if previous[m - back, r]:
                    for begin in range(-length + 1, -back + 1):
                        window[r, begin + length - 1] += 1


@njit(cache=True, nogil=True)
def count_rules(
    order: NDArray[np.int64],
    has: NDArray[np.uint8],
    previous: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    short: bool,
    window: NDArray[np.int64],
    windows_out: NDArray[np.int64],
    excess_out: NDArray[np.int64],
) -> None:
    """Count violated windows and excess of each rule, both int64 (r,), afresh."""
    fill_windows(order, has, previous, out_of, short, window)
    n = order.size
    for r in range(out_of.size):
        windows_out[r] = 0
        excess_out[r] = 0
        for begin in range(first_window(out_of[r], short), last_window(n, out_of[r], short) + 1):
            over = window[r, begin + out_of[r] - 1] - at_most[r]
            if over > 0:
                windows_out[r] += 1
                excess_out[r] += over


@njit(cache=True, nogil=True)
def colour_cost(
    order: NDArray[np.int64],
    colour: NDArray[np.int64],
    previous_colour: int,
    low: int,
    high: int,
    batch: int,
    change_weight: int,
) -> int:
    """Return weighted colour changes at the places ``low`` to ``high`` and batch excess of the runs within them."""
    cost = 0
    run = 0
    for place in range(low, high + 1):
        mine = colour[order[place]]
        if place == 0:
            if previous_colour >= 0 and previous_colour != mine:
                cost += change_weight
            run = 1
        elif place == low:
            if colour[order[place - 1]] != mine:
                cost += change_weight
            run = 1
        elif colour[order[place - 1]] != mine:
            cost += change_weight
            run = 1
        else:
            run += 1
        if run > batch:
            cost += BATCH_WEIGHT
    if high + 1 < order.size and colour[order[high + 1]] != colour[order[high]]:
        cost += change_weight
    return cost


@njit(cache=True, nogil=True)
def total_cost(
    order: NDArray[np.int64],
    has: NDArray[np.uint8],
    previous: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    weight: NDArray[np.int64],
    short: bool,
    colour: NDArray[np.int64],
    previous_colour: int,
    batch: int,
    change_weight: int,
    window: NDArray[np.int64],
) -> int:
    """Return the weighted cost of a whole order; fills ``window``."""
    fill_windows(order, has, previous, out_of, short, window)
    n = order.size
    cost = colour_cost(order, colour, previous_colour, 0, n - 1, batch, change_weight)
    for r in range(out_of.size):
        for begin in range(first_window(out_of[r], short), last_window(n, out_of[r], short) + 1):
            over = window[r, begin + out_of[r] - 1] - at_most[r]
            if over > 0:
                cost += weight[r] * over
    return cost


@njit(cache=True, nogil=True)
def runs_around(order: NDArray[np.int64], colour: NDArray[np.int64], low: int, high: int) -> tuple[int, int]:
    """Return the range that holds every run which a change at the places ``low`` to ``high`` can touch."""
    n = order.size
    begin = low
    if begin > 0:
        begin -= 1
        while begin > 0 and colour[order[begin - 1]] == colour[order[begin]]:
            begin -= 1
    end = high
    if end < n - 1:
        end += 1
        while end < n - 1 and colour[order[end + 1]] == colour[order[end]]:
            end += 1
    return begin, end


@njit(cache=True, nogil=True)
def swap_rules_delta(
    order: NDArray[np.int64],
    has: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    weight: NDArray[np.int64],
    short: bool,
    window: NDArray[np.int64],
    i: int,
    j: int,
) -> int:
    """Return the change of rule cost if the cars at the places ``i`` < ``j`` change places."""
    n = order.size
    a = order[i]
    b = order[j]
    delta = 0
    for r in range(out_of.size):
        if has[a, r] == has[b, r]:
            continue
        length = out_of[r]
        sign = 1 if has[b, r] else -1
        first = first_window(length, short)
        last = last_window(n, length, short)
        change = 0
        for begin in range(max(i - length + 1, first), min(i, j - length, last) + 1):
            over = window[r, begin + length - 1] - at_most[r]
            if sign > 0:
                change += over >= 0
            else:
                change -= over > 0
        for begin in range(max(j - length + 1, i + 1, first), min(j, last) + 1):
            over = window[r, begin + length - 1] - at_most[r]
            if sign > 0:
                change -= over > 0
            else:
                change += over >= 0
        delta += weight[r] * change
    return delta


@njit(cache=True, nogil=True)
def apply_swap(
    order: NDArray[np.int64],
    has: NDArray[np.uint8],
    out_of: NDArray[np.int64],
    window: NDArray[np.int64],
    i: int,
    j: int,
) -> None:
    """Let the cars at the places ``i`` < ``j`` change places and keep ``window`` true."""
    a = order[i]
    b = order[j]
    for r in range(out_of.size):
        if has[a, r] == has[b, r]:
            continue
        length = out_of[r]
        sign = 1 if has[b, r] else -1
        for begin in range(i - length + 1, min(i, j - length) + 1):
            window[r, begin + length - 1] += sign
        for begin in range(max(j - length + 1, i + 1), j + 1):
            window[r, begin + length - 1] -= sign
    order[i] = b
    order[j] = a


@njit(cache=True, nogil=True)
def range_rules_delta(
    order: NDArray[np.int64],
    new: NDArray[np.int64],
    has: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    weight: NDArray[np.int64],
    short: bool,
    window: NDArray[np.int64],
    low: int,
    high: int,
) -> int:
    """Return the change of rule cost if the places ``low`` to ``high`` are taken by the cars in ``new``."""
    n = order.size
    delta = 0
    for r in range(out_of.size):
        length = out_of[r]
        difference = 0
        first = first_window(length, short)
        last = last_window(n, length, short)
        change = 0
        for begin in range(low - length + 1, high + 1):
            entering = begin + length - 1
            if low <= entering <= high:
                difference += np.int64(has[new[entering - low], r]) - np.int64(has[order[entering], r])  # type: ignore[assignment]
            leaving = begin - 1
            if low <= leaving <= high:
                difference -= np.int64(has[new[leaving - low], r]) - np.int64(has[order[leaving], r])  # type: ignore[assignment]
            if difference != 0 and first <= begin <= last:
                over = window[r, begin + length - 1] - at_most[r]
                change += max(0, over + difference) - max(0, over)
        delta += weight[r] * change
    return delta


@njit(cache=True, nogil=True)
def apply_range(
    order: NDArray[np.int64],
    new: NDArray[np.int64],
    has: NDArray[np.uint8],
    out_of: NDArray[np.int64],
    window: NDArray[np.int64],
    low: int,
    high: int,
) -> None:
    """Put the cars of ``new`` at the places ``low`` to ``high`` and keep ``window`` true."""
    for r in range(out_of.size):
        length = out_of[r]
        difference = 0
        for begin in range(low - length + 1, high + 1):
            entering = begin + length - 1
            if low <= entering <= high:
                difference += np.int64(has[new[entering - low], r]) - np.int64(has[order[entering], r])  # type: ignore[assignment]
            leaving = begin - 1
            if low <= leaving <= high:
                difference -= np.int64(has[new[leaving - low], r]) - np.int64(has[order[leaving], r])  # type: ignore[assignment]
            window[r, begin + length - 1] += difference
    for place in range(low, high + 1):
        order[place] = new[place - low]


@njit(cache=True, nogil=True)
def rest_fits(left: NDArray[np.int64], cars: int, batch: int, now: int, run: int) -> bool:
    """Tell whether cars can follow a run of one colour without a batch that is too long.

    Every batch of a colour but the first, which may begin at once unless it is the one that runs, needs a car of
    another colour before it. ``left`` int64 (colours,) are the ``cars`` that follow by colour; ``run`` cars of the
    colour ``now`` stand before them.
    """
    for c in range(left.size):
        beyond = left[c] - (batch - run if c == now else batch)
        if beyond > 0 and (beyond + batch - 1) // batch > cars - left[c]:
            return False
    return True


@njit(cache=True, nogil=True)
def construct(
    kind_has: NDArray[np.uint8],
    kind_colour: NDArray[np.int64],
    kind_count: NDArray[np.int64],
    previous: NDArray[np.uint8],
    at_most: NDArray[np.int64],
    out_of: NDArray[np.int64],
    weight: NDArray[np.int64],
    colour_previous: int,
    run_previous: int,
    batch: int,
    change_weight: int,
    state: NDArray[np.uint64],
    kinds_out: NDArray[np.int64],
) -> None:
    """Build an order of kinds of cars one place after the other.

    Least new cost first; among equals the kind whose options are hardest to place for the cars still to come
    (dynamic sum of utilisation rates, Gottlieb, Puchta and Solnon 2003); then at random. No batch gets too long as long
    as the cars allow it: a colour is not taken if the rest could then not keep the limit.
    ``colour_previous`` is the colour before the first place, -1 for none, and ``run_previous`` how many cars of it
    count towards its batch. ``kind_count`` int64 (kinds,) is used up; ``kinds_out`` int64 (n,) takes the kinds.
    """
    n = kinds_out.size
    r_count = out_of.size
    m = previous.shape[0]
    left_with = np.zeros(r_count, dtype=np.int64)
    for k in range(kind_count.size):
        for r in range(r_count):
            left_with[r] += kind_count[k] * kind_has[k, r]
    left_of = np.zeros(kind_colour.max() + 1, dtype=np.int64)
    for k in range(kind_count.size):
        left_of[kind_colour[k]] += kind_count[k]
    too_long = np.zeros(left_of.size, dtype=np.bool_)
    now = colour_previous
    run = run_previous
    for place in range(n):
        recent = np.zeros(r_count, dtype=np.int64)
        for r in range(r_count):
            for back in range(1, out_of[r]):
                earlier = place - back
                if earlier >= 0:
                    recent[r] += kind_has[kinds_out[earlier], r]
                elif m + earlier >= 0:
                    recent[r] += previous[m + earlier, r]
        best = -1
        best_cost = 0
        best_score = 0.0
        ties = 0
        left = n - place
        for c in range(left_of.size):
            if left_of[c] == 0:
                continue
            length = run + 1 if c == now else 1
            left_of[c] -= 1
            too_long[c] = length > batch or not rest_fits(left_of, left - 1, batch, c, length)
            left_of[c] += 1
        for k in range(kind_count.size):
            if kind_count[k] == 0:
                continue
            cost = 0
            score = 0.0
            for r in range(r_count):
                if kind_has[k, r]:
                    if recent[r] + 1 > at_most[r]:
                        cost += weight[r]
                    score += left_with[r] * out_of[r] / (at_most[r] * left)
            if too_long[kind_colour[k]]:
                cost += BATCH_WEIGHT
            if kind_colour[k] != now and now >= 0:
                cost += change_weight
            if best < 0 or cost < best_cost or (cost == best_cost and score > best_score + 1e-9):
                best, best_cost, best_score, ties = k, cost, score, 1
            elif cost == best_cost and score > best_score - 1e-9:
                ties += 1
                if below(state, ties) == 0:
                    best = k
        kinds_out[place] = best
        kind_count[best] -= 1
        left_of[kind_colour[best]] -= 1
        for r in range(r_count):
            left_with[r] -= kind_has[best, r]
        if kind_colour[best] == now:
            run += 1
        else:
            run = 1
        now = kind_colour[best]


@njit(cache=True, nogil=True)
def swap_colour_delta(
    order: NDArray[np.int64],
    colour: NDArray[np.int64],
    previous_colour: int,
    batch: int,
    change_weight: int,
    i: int,
    j: int,
) -> int:
    """Return the change of colour cost if the cars at the places ``i`` < ``j`` change places."""
    low, middle_low = runs_around(order, colour, i, i)
    middle_high, high = runs_around(order, colour, j, j)
    apart = middle_low + 1 < middle_high
    before = after = 0
    if apart:
        before = colour_cost(order, colour, previous_colour, low, middle_low, batch, change_weight)
        before += colour_cost(order, colour, previous_colour, middle_high, high, batch, change_weight)
    else:
        before = colour_cost(order, colour, previous_colour, low, high, batch, change_weight)
    order[i], order[j] = order[j], order[i]
    if apart:
        after = colour_cost(order, colour, previous_colour, low, middle_low, batch, change_weight)
        after += colour_cost(order, colour, previous_colour, middle_high, high, batch, change_weight)
    else:
        after = colour_cost(order, colour, previous_colour, low, high, batch, change_weight)
    order[i], order[j] = order[j], order[i]
    return after - before


@njit(cache=True, nogil=True)
def range_colour_delta(
    order: NDArray[np.int64],
    new: NDArray[np.int64],
    colour: NDArray[np.int64],
    previous_colour: int,
    batch: int,
    change_weight: int,
    i: int,
    j: int,
) -> int:
    """Return the change of colour cost if the places ``i`` to ``j`` are taken by the cars in ``new``."""
    low, high = runs_around(order, colour, i, j)
    before = colour_cost(order, colour, previous_colour, low, high, batch, change_weight)
    for place in range(i, j + 1):
        order[place], new[place - i] = new[place - i], order[place]
    after = colour_cost(order, colour, previous_colour, low, high, batch, change_weight)
    for place in range(i, j + 1):
        order[place], new[place - i] = new[place - i], order[place]
    return after - before
