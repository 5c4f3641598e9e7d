"""The nearest point at which an answer turns, against points that geometry gives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from coachbuilder.risk.turning import FARTHEST, nearest

F8 = NDArray[np.float64]


@pytest.mark.parametrize("seed", range(5))
def test_a_plane_is_as_far_as_its_normal_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    normal, offset = rng.normal(size=20), float(rng.uniform(1.0, 15.0))
    found = nearest(lambda z: (z @ normal - offset)[:, None] * 1e9, 20)
    assert found is not None
    assert found.beta == pytest.approx(offset / np.linalg.norm(normal), rel=1e-4)
    assert found.z == pytest.approx(offset * normal / (normal @ normal), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("centre", "radius"), [([3.0, 4.0, 0.0], 2.0), ([2.0, -1.0, 2.0], 0.5), ([0.0, 5.0, 1.0], 4.0)]
)
def test_a_ball_is_as_far_as_its_centre_less_its_radius(centre: list[float], radius: float) -> None:
    middle = np.array(centre)
    far = float(np.linalg.norm(middle))
    found = nearest(lambda z: (radius**2 - ((z - middle) ** 2).sum(axis=1))[:, None], 3)
    assert found is not None
    assert found.beta == pytest.approx(far - radius, rel=1e-3)
    assert found.z == pytest.approx(middle * (1.0 - radius / far), abs=0.02)


def test_a_parabola_is_met_beside_its_axis() -> None:
    # The least of x^2 + y^2 with x = 3 - (y - 0.5)^2 / 2, found by looking at every y.
    y = np.linspace(-5.0, 5.0, 200_001)
    known = float(np.sqrt((3.0 - 0.5 * (y - 0.5) ** 2) ** 2 + y**2).min())
    found = nearest(lambda z: (z[:, 0] - 3.0 + 0.5 * (z[:, 1] - 0.5) ** 2)[:, None], 2)
    assert found is not None
    assert found.beta == pytest.approx(known, rel=0.03)


def test_two_conditions_are_met_at_their_corner() -> None:
    found = nearest(lambda z: np.column_stack([z[:, 0] - 2.0, z[:, 1] - 1.0]), 4)
    assert found is not None
    assert found.z == pytest.approx([2.0, 1.0, 0.0, 0.0], abs=1e-3)


def test_a_condition_that_holds_must_go_on_holding() -> None:
    # Nearest to x >= 2 alone is (2, 0), but there y <= 1 - x fails.
    found = nearest(lambda z: np.column_stack([z[:, 0] - 2.0, 1.0 - z[:, 0] - z[:, 1]]), 2)
    assert found is not None
    assert found.z == pytest.approx([2.0, -1.0], abs=1e-3)


def test_steps_of_whole_cars_do_not_hide_the_way() -> None:
    found = nearest(lambda z: np.floor(200.0 * (z @ np.array([1.0, 2.0]) - 3.0))[:, None], 2)
    assert found is not None
    assert found.beta == pytest.approx(3.0 / np.sqrt(5.0), rel=0.02)


def test_what_never_turns_or_lies_too_far_is_not_found() -> None:
    assert nearest(lambda z: -1.0 - z[:, :1] ** 2, 2) is None
    assert nearest(lambda z: z[:, :1] - (FARTHEST + 1.0), 2) is None


def test_points_without_an_answer_are_gone_round() -> None:
    def margins(z: F8) -> F8:
        value = z[:, :1] + 0.5 * z[:, 1:] - 2.0
        return np.where(z[:, :1] > 1.7, np.nan, value)

    found = nearest(margins, 2)
    assert found is not None
    assert np.isfinite(margins(found.z[None])).all()
    assert margins(found.z[None])[0, 0] >= -1e-9
