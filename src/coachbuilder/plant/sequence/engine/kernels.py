"""Hot loops of the search for a build order.

The engine follows every window of every rule with the count it is away from its limit, and for every place the cost
of one more and the gain of one fewer car with the option there. A swap is then judged in constant time for each rule
that tells the two cars apart; an insertion or a reversal in time of the rule's length, whatever the distance.

Two groups of arrays are passed around, named tuples so that the compiled code knows them by name:

- :class:`Day`: what does not change. ``r`` rules, those of high priority first, ``n`` cars.
- :class:`State`: one order and everything that is followed about it.

``over[r, begin + out_of - 1]`` is a window's count less ``at_most``; windows that do not count are far below 0. A
window's cost is ``min(max(over, 0), most)``: with ``most`` 1 it counts once, otherwise with its excess.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba import types as numba_types
from numba.extending import intrinsic
from numpy.typing import NDArray

from coachbuilder.plant.sequence.kernels import below, next_random

NOT_COUNTED = -(10**6)
"""What is added to a window that does not count: no number of cars brings it above its limit."""

TRIES_PER_CAR, MOST_PLACES_LOOKED_AT = 200, 200_000_000
"""Swaps tried for each car that may move, where batches are too long and no single swap helps; a swap looks at every
place, and all of them at so many places at most."""

NEVER = 1 << 60
"""A change that is not allowed."""

SWAP_ANY, SWAP_FROM_VIOLATED, SWAP_ALIKE, SWAP_ALIKE_FROM_VIOLATED, SWAP_NEAR = 0, 1, 2, 3, 4
INSERT_NEAR, INSERT_ANY, INSERT_BESIDE_COLOUR = 5, 6, 7
REFLECT_NEAR, REFLECT_ANY, REFLECT_BETWEEN_COLOURS = 8, 9, 10
SHUFFLE, SWAP_RUNS = 11, 12
INSERT_FROM_VIOLATED, REFLECT_FROM_VIOLATED = 13, 14


class Day(NamedTuple):
    """What does not change during a search."""

    at_most: NDArray[np.int64]
    """Cars allowed in a window, shape (r,)."""
    out_of: NDArray[np.int64]
    """Cars in a window, shape (r,)."""
    weight: NDArray[np.int64]
    """Weight of a rule within its priority, shape (r,)."""
    high: int
    """Rules of high priority; they come first."""
    most: int
    """Most that one window can cost."""
    mask: NDArray[np.uint64]
    """Options of each car, a bit each, shape (n, words)."""
    colour: NDArray[np.int64]
    """Colour of each car, shape (n,)."""
    previous_colour: int
    """Colour of the last car of the day before, -1 for none."""
    batch: int
    """Longest batch of one colour."""
    crowded: NDArray[np.bool_]
    """Whether a colour has more cars than a batch may have, so that its runs must be watched; shape (colours,)."""
    kind: NDArray[np.int64]
    """Cars of one kind are the same to every objective, shape (n,)."""
    first: int
    """First place that may change."""
    earliest: NDArray[np.int64]
    """Earliest place of each car; shape (n,), or (0,) where every car may take any place."""
    latest: NDArray[np.int64]
    """Latest place of each car; shape as ``earliest``."""
    group_of: NDArray[np.int64]
    """Group of each car in each grouping, shape (groupings, n)."""
    group_begin: NDArray[np.int64]
    """Where a group's cars begin in ``group_cars``, shape (groupings, most groups + 1)."""
    group_cars: NDArray[np.int64]
    """Cars by group, shape (groupings, n)."""


class State(NamedTuple):
    """An order and what is followed about it."""

    order: NDArray[np.int64]
    """Car at each place, shape (n,)."""
    place: NDArray[np.int64]
    """Place of each car, shape (n,)."""
    flag: NDArray[np.uint8]
    """Whether the car at each place has the option, shape (r, n)."""
    over: NDArray[np.int32]
    """Count of each window less its limit, shape (r, n + longest window - 1)."""
    tint: NDArray[np.int64]
    """Colour at each place + 1; that of the day before first, -1 last; -1 where there is none; shape (n + 2,)."""
    gain: NDArray[np.int32]
    """Windows at each place that one car fewer would make cheaper, shape (r, n)."""
    loss: NDArray[np.int32]
    """Windows at each place that one car more would make dearer, shape (r, n)."""
    broken: NDArray[np.int64]
    """Windows above their limit as rule x width + column, the first ``totals[3]`` of them; shape (r x width,)."""
    broken_at: NDArray[np.int64]
    """Where a window stands in ``broken``, -1 if nowhere; shape (r x width,)."""
    totals: NDArray[np.int64]
    """Cost at high priority, at low priority, colour changes, broken windows; shape (4,)."""
    new: NDArray[np.int64]
    """Scratch, shape (n,)."""
    step_flag: NDArray[np.int32]
    """Scratch, shape (n,)."""
    change: NDArray[np.int32]
    """Scratch, shape (n + 2 x longest window,)."""
    step_gain: NDArray[np.int32]
    """Scratch, shape (n + 2 x longest window,)."""
    step_loss: NDArray[np.int32]
    """Scratch, shape (n + 2 x longest window,)."""
    random: NDArray[np.uint64]
    """State of the random generator, shape (1,)."""


@intrinsic
def _trailing_zeros(typing_context: Any, number: Any) -> Any:
    """Count the zeros behind the lowest bit of a uint64 above 0 in one instruction."""
    del typing_context, number

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir

        del context, signature
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return numba_types.int64(numba_types.uint64), generate


@njit(cache=True, nogil=True, forceinline=True)
def lowest_bit(number: np.uint64) -> int:
    """Return the place of the lowest bit of a number above 0."""
    return _trailing_zeros(number)  # type: ignore[call-arg]


@njit(cache=True, nogil=True, forceinline=True)
def cost_of(over: int, most: int) -> int:
    """Return what a window costs that is ``over`` above its limit."""
    return min(max(over, 0), most)


@njit(cache=True, nogil=True)
def set_up(day: Day, state: State, before: NDArray[np.uint8], short: bool) -> None:
    """Follow ``state.order`` from here on; ``before`` uint8 (r, m) is the end of the day before, last car last."""
    n = state.order.size
    m = before.shape[1]
    state.totals[:] = 0
    state.broken_at[:] = -1
    state.gain[:] = 0
    state.loss[:] = 0
    state.tint[0] = day.previous_colour
    state.tint[n + 1] = -1
    for p in range(n):
        car = state.order[p]
        state.place[car] = p
        state.tint[p + 1] = day.colour[car]
        if state.tint[p] >= 0 and state.tint[p] != state.tint[p + 1]:
            state.totals[2] += 1
        for r in range(day.out_of.size):
            state.flag[r, p] = (day.mask[car, r >> 6] >> np.uint64(r & 63)) & np.uint64(1)
    width = state.over.shape[1]
    for r in range(day.out_of.size):
        q = day.out_of[r]
        held = 0
        for e in range(1 - q, 0):
            if m + e >= 0:
                held += before[r, m + e]
        for e in range(width):
            if e < n:
                held += state.flag[r, e]
            leaving = e - q
            if leaving >= 0:
                if leaving < n:
                    held -= state.flag[r, leaving]
            elif m + leaving >= 0 and leaving > -q:
                held -= before[r, m + leaving]
            over = held - day.at_most[r]
            if e >= n + q - 1 or (not short and (e < q - 1 or e >= n)):
                over += NOT_COUNTED
            state.over[r, e] = over
            if over > 0:
                state.totals[0 if r < day.high else 1] += day.weight[r] * cost_of(over, day.most)
                state.broken_at[r * width + e] = state.totals[3]
                state.broken[state.totals[3]] = r * width + e
                state.totals[3] += 1
            for p in range(max(0, e - q + 1), min(n - 1, e) + 1):
                state.loss[r, p] += 0 <= over < day.most
                state.gain[r, p] += 1 <= over <= day.most


@njit(cache=True, nogil=True)
def raise_windows(
    day: Day, state: State, r: int, first: int, last: int, constant: int, change: NDArray[np.int32]
) -> None:
    """Add to the windows of rule ``r`` that end at the places ``first`` to ``last``.

    All get ``constant``, or each its own ``change[end - first]`` if ``constant`` is 0.
    """
    q = day.out_of[r]
    width = state.over.shape[1]
    n = state.order.size
    begin = last + 1
    end = first - 1
    for e in range(first, last + 1):
        add = constant if constant != 0 else change[e - first]
        old = state.over[r, e]
        now = old + add
        state.over[r, e] = now
        gain = np.int32(1 <= now <= day.most) - np.int32(1 <= old <= day.most)
        loss = np.int32(0 <= now < day.most) - np.int32(0 <= old < day.most)
        state.step_gain[e - first] = gain
        state.step_loss[e - first] = loss
        if gain != 0 or loss != 0:
            if begin > e:
                begin = e
            end = e
        if now > 0 and old <= 0:
            state.broken_at[r * width + e] = state.totals[3]
            state.broken[state.totals[3]] = r * width + e
            state.totals[3] += 1
        elif now <= 0 and old > 0:
            state.totals[3] -= 1
            hole = state.broken_at[r * width + e]
            moved = state.broken[state.totals[3]]
            state.broken[hole] = moved
            state.broken_at[moved] = hole
            state.broken_at[r * width + e] = -1
    if end < begin:
        return
    # The place p lies in the windows that end at p to p + q - 1: walk the places from the first that any touches.
    gain = np.int32(0)
    loss = np.int32(0)
    for p in range(begin - q + 1, end + 1):
        entering = p + q - 1
        if entering <= end:
            gain += state.step_gain[entering - first]
            loss += state.step_loss[entering - first]
        leaving = p - 1
        if leaving >= begin:
            gain -= state.step_gain[leaving - first]
            loss -= state.step_loss[leaving - first]
        if 0 <= p < n:
            state.gain[r, p] += gain
            state.loss[r, p] += loss


@njit(cache=True, nogil=True, forceinline=True)
def swap_delta(day: Day, state: State, i: int, j: int) -> tuple[int, int]:
    """Return the change of cost at high and at low priority if the cars at the places ``i`` < ``j`` change places."""
    a = state.order[i]
    b = state.order[j]
    apart = j - i
    high = np.int64(0)
    low = np.int64(0)
    for word in range(day.mask.shape[1]):
        held = day.mask[b, word]
        different = day.mask[a, word] ^ held
        while different != np.uint64(0):
            bit = lowest_bit(different)
            different &= different - np.uint64(1)
            r = word * 64 + bit
            q = day.out_of[r]
            # The option goes from the place ``giver`` to ``taker``.
            if (held >> np.uint64(bit)) & np.uint64(1):
                taker = i
                giver = j
            else:
                taker = j
                giver = i
            if apart >= q:
                change = np.int64(state.loss[r, taker]) - np.int64(state.gain[r, giver])
            else:
                # Windows that hold both places do not change.
                to_i = taker == i
                change = np.int64(0)
                for e in range(i, j):
                    over = state.over[r, e]
                    if to_i:
                        change += 0 <= over < day.most
                    else:
                        change -= 1 <= over <= day.most
                for e in range(i + q, j + q):
                    over = state.over[r, e]
                    if to_i:
                        change -= 1 <= over <= day.most
                    else:
                        change += 0 <= over < day.most
            if r < day.high:
                high += day.weight[r] * change
            else:
                low += day.weight[r] * change
    return high, low  # type: ignore[return-value]


@njit(cache=True, nogil=True, forceinline=True)
def differ(a: int, b: int) -> int:
    """Return 1 if two neighbouring colours make a change, 0 otherwise; -1 is no colour."""
    return np.int64(a != b and a >= 0 and b >= 0)  # type: ignore[return-value]


@njit(cache=True, nogil=True, forceinline=True)
def swap_colour_delta(state: State, i: int, j: int) -> int:
    """Return the change in colour changes if the cars at the places ``i`` < ``j`` change places."""
    tint = state.tint
    a = tint[i + 1]
    b = tint[j + 1]
    before_i = tint[i]
    after_j = tint[j + 2]
    if j == i + 1:
        return differ(before_i, b) - differ(before_i, a) + differ(a, after_j) - differ(b, after_j)
    after_i = tint[i + 2]
    before_j = tint[j]
    return (
        differ(before_i, b) + differ(b, after_i) + differ(before_j, a) + differ(a, after_j)
        - differ(before_i, a) - differ(a, after_i) - differ(before_j, b) - differ(b, after_j)
    )  # fmt: skip


@njit(cache=True, nogil=True)
def colour_at(state: State, kind: int, i: int, j: int, p: int) -> int:
    """Return the colour at the place ``p`` after a move of ``kind`` at the places ``i`` < ``j``.

    Kinds: 0 swap, 1 the car at ``j`` goes to ``i``, 2 the car at ``i`` goes to ``j``, 3 reversal. 0 past the ends.
    """
    if p < i or p > j:
        return state.tint[p + 1]  # type: ignore[no-any-return]
    if kind == 0:
        if p == i:
            return state.tint[j + 1]  # type: ignore[no-any-return]
        if p == j:
            return state.tint[i + 1]  # type: ignore[no-any-return]
        return state.tint[p + 1]  # type: ignore[no-any-return]
    if kind == 1:
        return state.tint[j + 1] if p == i else state.tint[p]  # type: ignore[no-any-return]
    if kind == 2:
        return state.tint[i + 1] if p == j else state.tint[p + 2]  # type: ignore[no-any-return]
    return state.tint[i + j - p + 1]  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def run_fits(day: Day, state: State, kind: int, i: int, j: int, p: int) -> bool:
    """Tell whether the run of one colour at the place ``p`` keeps the batch limit after a move, see colour_at."""
    n = state.order.size
    mine = colour_at(state, kind, i, j, p)
    if not day.crowded[mine]:
        return True
    run = 1
    k = p - 1
    while k >= 0 and run <= day.batch and colour_at(state, kind, i, j, k) == mine:
        run += 1
        k -= 1
    k = p + 1
    while k < n and run <= day.batch and colour_at(state, kind, i, j, k) == mine:
        run += 1
        k += 1
    return run <= day.batch


@njit(cache=True, nogil=True)
def insert_back_rule(day: Day, state: State, r: int, i: int, j: int) -> int:
    """Return the change of a rule's cost if the car at ``j`` goes to ``i`` < ``j`` and those between move up one."""
    q = day.out_of[r]
    most = day.most
    over = state.over[r]
    flag = state.flag[r]
    mine = np.int64(flag[j])
    change = 0
    for e in range(i, min(i + q - 1, j - 1) + 1):
        step = mine - np.int64(flag[e])
        if step > 0:
            change += 0 <= over[e] < most
        elif step < 0:
            change -= 1 <= over[e] <= most
    if j - q >= i:
        change += cost_of(over[i + q - 1], most) - cost_of(over[j], most)
    for e in range(max(i + q, j + 1), j + q):
        step = np.int64(flag[e - q]) - mine
        if step > 0:
            change += 0 <= over[e] < most
        elif step < 0:
            change -= 1 <= over[e] <= most
    return day.weight[r] * change  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def insert_forth_rule(day: Day, state: State, r: int, i: int, j: int) -> int:
    """Return the change of a rule's cost if the car at ``i`` goes to ``j`` > ``i`` and those between move down one."""
    q = day.out_of[r]
    most = day.most
    over = state.over[r]
    flag = state.flag[r]
    mine = np.int64(flag[i])
    change = 0
    for e in range(i, min(i + q - 1, j - 1) + 1):
        step = np.int64(flag[e + 1]) - mine
        if step > 0:
            change += 0 <= over[e] < most
        elif step < 0:
            change -= 1 <= over[e] <= most
    if j - q >= i + 1:
        change += cost_of(over[j], most) - cost_of(over[i + q], most)
    for e in range(max(i + q, j), j + q):
        step = mine - np.int64(flag[e - q + 1])
        if step > 0:
            change += 0 <= over[e] < most
        elif step < 0:
            change -= 1 <= over[e] <= most
    return day.weight[r] * change  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def reflect_rule(day: Day, state: State, r: int, i: int, j: int) -> int:
    """Return the change of a rule's cost if the cars at the places ``i`` to ``j`` are put in reverse."""
    q = day.out_of[r]
    most = day.most
    over = state.over[r]
    flag = state.flag[r]
    change = 0
    apart = 0
    for m in range(min(q - 1, j - i)):
        apart += np.int64(flag[j - m]) - np.int64(flag[i + m])  # type: ignore[assignment]
        if apart != 0:
            left = over[i + m]
            right = over[j - m - 1 + q]
            change += cost_of(left + apart, most) - cost_of(left, most)
            change += cost_of(right - apart, most) - cost_of(right, most)
    return day.weight[r] * change  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def range_rule(day: Day, state: State, r: int, low: int, high: int) -> int:
    """Return the change of a rule's cost if the cars of ``state.new`` take the places ``low`` to ``high``."""
    q = day.out_of[r]
    word = r >> 6
    bit = np.uint64(r & 63)
    change = 0
    apart = 0
    for e in range(low, high + q):
        if e <= high:
            apart += np.int64((day.mask[state.new[e - low], word] >> bit) & np.uint64(1)) - np.int64(state.flag[r, e])  # type: ignore[assignment]
        if e - q >= low:
            apart -= np.int64((day.mask[state.new[e - q - low], word] >> bit) & np.uint64(1)) - np.int64(  # type: ignore[assignment]
                state.flag[r, e - q]
            )
        if apart != 0:
            over = state.over[r, e]
            change += cost_of(over + apart, day.most) - cost_of(over, day.most)
    return day.weight[r] * change  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def range_colours(day: Day, state: State, low: int, high: int) -> int:
    """Return the change in colour changes if ``state.new`` takes these places; NEVER if a run is too long then."""
    n = state.order.size
    tint = state.tint
    change = 0
    for p in range(low, high + 2):
        change -= differ(tint[p], tint[p + 1])
    last = tint[low]
    run = 0
    if low > 0 and day.crowded[last]:
        p = low - 1
        while p >= 0 and tint[p + 1] == last and run <= day.batch:
            run += 1
            p -= 1
    for p in range(low, n):
        if p <= high:
            mine = day.colour[state.new[p - low]]
        else:
            mine = tint[p + 1]
        if p <= high + 1:
            change += differ(last, mine)
        if p > high and (mine != last or not day.crowded[mine]):
            break
        run = run + 1 if mine == last and p > 0 else 1
        if run > day.batch and day.crowded[mine]:
            return NEVER
        last = mine
    return change


@njit(cache=True, nogil=True)
def apply_swap(day: Day, state: State, i: int, j: int) -> None:
    """Let the cars at the places ``i`` < ``j`` change places."""
    a = state.order[i]
    b = state.order[j]
    for word in range(day.mask.shape[1]):
        held = day.mask[b, word]
        different = day.mask[a, word] ^ held
        while different != np.uint64(0):
            bit = lowest_bit(different)
            different &= different - np.uint64(1)
            r = word * 64 + bit
            q = day.out_of[r]
            sign = 1 if (held >> np.uint64(bit)) & np.uint64(1) else -1
            state.flag[r, i], state.flag[r, j] = state.flag[r, j], state.flag[r, i]
            raise_windows(day, state, r, i, min(i + q, j) - 1, sign, state.step_gain)
            raise_windows(day, state, r, max(i + q, j), j + q - 1, -sign, state.step_gain)
    state.order[i] = b
    state.order[j] = a
    state.place[b] = i
    state.place[a] = j
    state.tint[i + 1], state.tint[j + 1] = state.tint[j + 1], state.tint[i + 1]


@njit(cache=True, nogil=True)
def apply_range(day: Day, state: State, low: int, high: int) -> None:
    """Put the cars of ``state.new`` at the places ``low`` to ``high``."""
    for r in range(day.out_of.size):
        q = day.out_of[r]
        word = r >> 6
        bit = np.uint64(r & 63)
        first = -1
        for p in range(low, high + 1):
            now = np.int64((day.mask[state.new[p - low], word] >> bit) & np.uint64(1))
            state.step_flag[p - low] = now - np.int64(state.flag[r, p])
            if first < 0 and state.step_flag[p - low] != 0:
                first = p
        if first < 0:
            continue
        apart = np.int32(0)
        for e in range(first, high + q):
            if e <= high:
                apart += state.step_flag[e - low]
            if e - q >= first:
                apart -= state.step_flag[e - q - low]
            state.change[e - first] = apart
        for p in range(first, high + 1):
            state.flag[r, p] = np.int64(state.flag[r, p]) + state.step_flag[p - low]
        raise_windows(day, state, r, first, high + q - 1, 0, state.change)
    for p in range(low, high + 1):
        car = state.new[p - low]
        state.order[p] = car
        state.place[car] = p
        state.tint[p + 1] = day.colour[car]


@njit(cache=True, nogil=True)
def near(day: Day, random: NDArray[np.uint64]) -> int:
    """Return a distance: mostly a few places, else the length of one of the rules."""
    if day.out_of.size > 0 and below(random, 2) == 0:
        q = day.out_of[below(random, day.out_of.size)]
        return max(1, q - 1 + below(random, 3))  # type: ignore[no-any-return]
    return 1 + below(random, 8)


@njit(cache=True, nogil=True)
def broken_place(day: Day, state: State) -> int:
    """Return a place in a window above its limit, of a car with the option; -1 if there is none."""
    if state.totals[3] == 0:
        return -1
    width = state.over.shape[1]
    n = state.order.size
    window = state.broken[below(state.random, state.totals[3])]
    r = window // width
    e = window - r * width
    begin = max(e - day.out_of[r] + 1, day.first)
    end = min(e, n - 1)
    if begin > end:
        return -1
    p = begin + below(state.random, end - begin + 1)
    for _ in range(end - begin + 1):
        if state.flag[r, p]:
            return p  # type: ignore[no-any-return]
        p += 1
        if p > end:
            p = begin
    return -1


@njit(cache=True, nogil=True, forceinline=True)
def alike(day: Day, state: State, grouping: int, i: int) -> int:
    """Return the place of a random car of the same group as that at the place ``i``."""
    group = day.group_of[grouping, state.order[i]]
    begin = day.group_begin[grouping, group]
    car = day.group_cars[grouping, begin + below(state.random, day.group_begin[grouping, group + 1] - begin)]
    return state.place[car]  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def may_stand(day: Day, car: int, p: int) -> bool:
    """Tell whether a car may take the place ``p``."""
    return day.earliest.size == 0 or day.earliest[car] <= p <= day.latest[car]


@njit(cache=True, nogil=True)
def run_of(state: State, p: int, first: int) -> tuple[int, int]:
    """Return the first and the last place of the run of one colour at the place ``p``, from place ``first`` on."""
    n = state.order.size
    begin = p
    while begin > first and state.tint[begin] == state.tint[p + 1]:
        begin -= 1
    end = p
    while end < n - 1 and state.tint[end + 2] == state.tint[p + 1]:
        end += 1
    return begin, end


@njit(cache=True, nogil=True)
def search(
    day: Day,
    state: State,
    menu: NDArray[np.uint8],
    weight: NDArray[np.float64],
    heat: float,
    slack: float,
    threshold: NDArray[np.float64],
    rank: NDArray[np.int64],
    evaluations: int,
    target: int,
    best: NDArray[np.int64],
    best_objective: NDArray[np.int64],
) -> int:
    """Look at ``evaluations`` moves and make those that the Metropolis rule allows; return the moves looked at.

    ``menu`` uint8 (256,) holds the moves in their proportions. ``weight`` float64 (3,) weighs high priority, low
    priority and colour changes for acceptance, ``heat`` is the temperature in the same unit and ``threshold`` holds
    random draws of -ln(u). ``slack`` is what rules of low priority are trusted to win back in one move. ``rank`` int64
    (3,) weighs the same for the objective; the least that was met goes to ``best_objective`` int64 (1,) and its order
    to ``best`` int64 (n,). Stops early at ``target``.
    """
    n = state.order.size
    free = n - day.first
    done = 0
    if free < 2:
        return done
    rules = day.out_of.size
    random = state.random
    groupings = day.group_of.shape[0]
    limited = day.earliest.size > 0
    weight_high, weight_low, weight_colour = weight[0], weight[1], weight[2]
    size = threshold.size
    while done < evaluations and best_objective[0] > target:
        done += 1
        drawn = next_random(random)
        move = menu[np.int64(drawn & np.uint64(255))]
        allowed = heat * threshold[np.int64(((drawn >> np.uint64(32)) * np.uint64(size)) >> np.uint64(32))]
        i = day.first + below(random, free)
        if move <= SWAP_NEAR:
            if move == SWAP_FROM_VIOLATED or move == SWAP_ALIKE_FROM_VIOLATED:
                p = broken_place(day, state)
                if p >= 0:
                    i = p
            if move == SWAP_ALIKE or move == SWAP_ALIKE_FROM_VIOLATED:
                j = alike(day, state, below(random, groupings), i)
                if j < day.first:
                    continue
            elif move == SWAP_NEAR:
                j = i + near(day, random)
                if j >= n:
                    continue
            else:
                j = day.first + below(random, free)
            if i > j:
                i, j = j, i
            a = state.order[i]
            b = state.order[j]
            if day.kind[a] == day.kind[b] or i == j:
                continue
            if limited and not (may_stand(day, a, j) and may_stand(day, b, i)):
                continue
            colours = 0
            tinted = state.tint[i + 1] != state.tint[j + 1]
            if tinted:
                colours = swap_colour_delta(state, i, j)
            high, low = swap_delta(day, state, i, j)
            if high * weight_high + low * weight_low + colours * weight_colour > allowed:
                continue
            if tinted and not (run_fits(day, state, 0, i, j, i) and run_fits(day, state, 0, i, j, j)):
                continue
            apply_swap(day, state, i, j)
        else:
            kind = 0
            if move == INSERT_NEAR or move == REFLECT_NEAR:
                j = i + near(day, random)
                if j >= n:
                    continue
            elif move == INSERT_FROM_VIOLATED or move == REFLECT_FROM_VIOLATED:
                p = broken_place(day, state)
                if p >= 0:
                    i = p
                j = i + near(day, random) if below(random, 2) == 0 else i - near(day, random)
                if j < day.first or j >= n:
                    continue
            elif move == INSERT_ANY or move == REFLECT_ANY:
                j = day.first + below(random, free)
            elif move == INSERT_BESIDE_COLOUR:
                j = alike(day, state, 0, i)
                # The car at ``i`` goes beside the one at ``j``.
                if j < day.first:
                    continue
                if j > i:
                    j -= below(random, 2)
                    kind = 2
                else:
                    j += below(random, 2)
                    kind = 1
            elif move == REFLECT_BETWEEN_COLOURS:
                j = alike(day, state, 0, i) - 1
                if j <= i:
                    continue
            else:
                j = i
            if move != SHUFFLE and move != SWAP_RUNS:
                if i > j:
                    i, j = j, i
                if j - i < 2:
                    continue
                if move >= REFLECT_NEAR and move != INSERT_FROM_VIOLATED:
                    kind = 3
                elif kind == 0:
                    kind = 1 + below(random, 2)
                tint = state.tint
                before, first, last, after = tint[i], tint[i + 1], tint[j + 1], tint[j + 2]
                if kind == 1:
                    colours = (
                        differ(before, last)
                        + differ(last, first)
                        + differ(tint[j], after)
                        - (differ(before, first) + differ(tint[j], last) + differ(last, after))
                    )
                elif kind == 2:
                    colours = (
                        differ(before, tint[i + 2])
                        + differ(last, first)
                        + differ(first, after)
                        - (differ(before, first) + differ(first, tint[i + 2]) + differ(last, after))
                    )
                else:
                    colours = differ(before, last) + differ(first, after) - differ(before, first) - differ(last, after)
                cost = colours * weight_colour
                if cost > allowed + slack and colours > 0 and weight_colour >= weight_high:
                    continue
                high = 0
                low = 0
                for r in range(rules):
                    if r == day.high and cost + high * weight_high > allowed + slack:
                        break
                    if kind == 1:
                        change = insert_back_rule(day, state, r, i, j)
                    elif kind == 2:
                        change = insert_forth_rule(day, state, r, i, j)
                    else:
                        change = reflect_rule(day, state, r, i, j)
                    if r < day.high:
                        high += change
                    else:
                        low += change
                if cost + high * weight_high + low * weight_low > allowed:
                    continue
                if not (run_fits(day, state, kind, i, j, i) and run_fits(day, state, kind, i, j, j)):
                    continue
                length = j - i + 1
                if kind == 1:
                    state.new[0] = state.order[j]
                    for p in range(1, length):
                        state.new[p] = state.order[i + p - 1]
                elif kind == 2:
                    state.new[length - 1] = state.order[i]
                    for p in range(length - 1):
                        state.new[p] = state.order[i + p + 1]
                else:
                    for p in range(length):
                        state.new[p] = state.order[j - p]
            else:
                if move == SHUFFLE:
                    j = min(n - 1, i + 2 + below(random, 5))
                    length = j - i + 1
                    for p in range(length):
                        state.new[p] = state.order[i + p]
                    for p in range(length - 1, 0, -1):
                        k = below(random, p + 1)
                        state.new[p], state.new[k] = state.new[k], state.new[p]
                else:
                    begin, end = run_of(state, i, day.first)
                    other = day.first + below(random, free)
                    if begin <= other <= end:
                        continue
                    other_begin, other_end = run_of(state, other, day.first)
                    if other_begin < begin:
                        begin, other_begin = other_begin, begin
                        end, other_end = other_end, end
                    if other_end - begin > 400:
                        continue
                    i = begin
                    j = other_end
                    p = 0
                    for k in range(other_begin, other_end + 1):
                        state.new[p] = state.order[k]
                        p += 1
                    for k in range(end + 1, other_begin):
                        state.new[p] = state.order[k]
                        p += 1
                    for k in range(begin, end + 1):
                        state.new[p] = state.order[k]
                        p += 1
                colours = range_colours(day, state, i, j)
                if colours == NEVER:
                    continue
                high = 0
                low = 0
                for r in range(rules):
                    if r == day.high and colours * weight_colour + high * weight_high > allowed + slack:
                        break
                    if r < day.high:
                        high += range_rule(day, state, r, i, j)
                    else:
                        low += range_rule(day, state, r, i, j)
                if high * weight_high + low * weight_low + colours * weight_colour > allowed:
                    continue
            if limited:
                fits = True
                for p in range(i, j + 1):
                    fits = fits and may_stand(day, state.new[p - i], p)
                if not fits:
                    continue
            apply_range(day, state, i, j)
        state.totals[0] += high
        state.totals[1] += low
        state.totals[2] += colours
        objective = state.totals[0] * rank[0] + state.totals[1] * rank[1] + state.totals[2] * rank[2]
        if objective < best_objective[0]:
            best_objective[0] = objective
            best[:] = state.order
    return done


@njit(cache=True, nogil=True)
def batch_excess(day: Day, state: State) -> int:
    """Return the cars beyond the longest batch, summed over the runs of one colour."""
    excess = 0
    run = 0
    for p in range(state.order.size):
        run = run + 1 if p > 0 and state.tint[p] == state.tint[p + 1] else 1
        excess += run > day.batch
    return excess


@njit(cache=True, nogil=True)
def mend_batches(day: Day, state: State) -> int:
    """Swap cars until no run of one colour is too long or no way on is found; return the cars beyond the limit."""
    n = state.order.size
    excess = batch_excess(day, state)
    limited = day.earliest.size > 0
    while excess > 0:
        before = excess
        run = 0
        for p in range(n):
            run = run + 1 if p > 0 and state.tint[p] == state.tint[p + 1] else 1
            if run <= day.batch or p < day.first:
                continue
            for step in range(day.first, n):
                # Look behind the place first: the colours that the greedy order left for the end.
                j = n - 1 - (step - day.first)
                if state.tint[j + 1] == state.tint[p + 1]:
                    continue
                if limited and not (may_stand(day, state.order[p], j) and may_stand(day, state.order[j], p)):
                    continue
                state.tint[p + 1], state.tint[j + 1] = state.tint[j + 1], state.tint[p + 1]
                now = batch_excess(day, state)
                if now < excess:
                    excess = now
                    state.order[p], state.order[j] = state.order[j], state.order[p]
                    run = 1
                    break
                state.tint[p + 1], state.tint[j + 1] = state.tint[j + 1], state.tint[p + 1]
        if excess >= before:
            break
    free = n - day.first
    tries = min(TRIES_PER_CAR * free, MOST_PLACES_LOOKED_AT // n) if excess > 0 and free > 1 else 0
    for _ in range(tries):
        # No single swap helps: walk on over swaps that do no harm.
        i = day.first + below(state.random, free)
        j = day.first + below(state.random, free)
        # Cars of one colour change places too where that may let a third one move.
        if state.tint[i + 1] == state.tint[j + 1] and not limited:
            continue
        if limited and not (may_stand(day, state.order[i], j) and may_stand(day, state.order[j], i)):
            continue
        state.tint[i + 1], state.tint[j + 1] = state.tint[j + 1], state.tint[i + 1]
        now = batch_excess(day, state)
        if now <= excess:
            excess = now
            state.order[i], state.order[j] = state.order[j], state.order[i]
            if excess == 0:
                break
        else:
            state.tint[i + 1], state.tint[j + 1] = state.tint[j + 1], state.tint[i + 1]
    return excess
