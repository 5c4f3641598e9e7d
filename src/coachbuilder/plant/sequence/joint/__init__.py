"""Bounds on what several rules cost together, where each alone could be kept."""

from __future__ import annotations

from coachbuilder.plant.sequence.joint.bound import bound_with_colours, joint_bound, raised_bounds

__all__ = ["bound_with_colours", "joint_bound", "raised_bounds"]
