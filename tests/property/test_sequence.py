"""Incremental evaluation equals full evaluation after any moves."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coachbuilder.plant.sequence import kernels


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_incremental_evaluation_equals_full_evaluation_on_random_moves(seed: int, short: bool) -> None:
    random = np.random.default_rng(seed)
    n, rules = int(random.integers(2, 40)), int(random.integers(1, 4))
    has = random.integers(0, 2, (n, rules)).astype(np.uint8)
    previous = random.integers(0, 2, (int(random.integers(0, 12)), rules)).astype(np.uint8)
    at_most = random.integers(1, 4, rules)
    out_of = at_most + random.integers(1, 9, rules)
    weight = random.integers(0, 1000, rules)
    colour = random.integers(0, 3, n)
    previous_colour = int(random.integers(-1, 3))
    batch, change = int(random.integers(1, 6)), 7
    order = random.permutation(n)
    window = np.zeros((rules, n + int(out_of.max())), dtype=np.int64)

    def cost(of: np.ndarray) -> int:
        fresh = np.zeros_like(window)
        return int(
            kernels.total_cost(
                of, has, previous, at_most, out_of, weight, short, colour, previous_colour, batch, change, fresh
            )
        )

    now = int(
        kernels.total_cost(
            order, has, previous, at_most, out_of, weight, short, colour, previous_colour, batch, change, window
        )
    )
    for _ in range(30):
        i, j = sorted(random.choice(n, 2, replace=False).tolist())
        if random.integers(0, 2):
            delta = kernels.swap_rules_delta(order, has, at_most, out_of, weight, short, window, i, j)
            delta += kernels.swap_colour_delta(order, colour, previous_colour, batch, change, i, j)
            kernels.apply_swap(order, has, out_of, window, i, j)
        else:
            new = random.permutation(order[i : j + 1])
            delta = kernels.range_rules_delta(order, new, has, at_most, out_of, weight, short, window, i, j)
            delta += kernels.range_colour_delta(order, new, colour, previous_colour, batch, change, i, j)
            kernels.apply_range(order, new, has, out_of, window, i, j)
        now += int(delta)
        assert now == cost(order)
