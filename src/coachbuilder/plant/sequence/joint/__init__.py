"""Bounds on what several rules cost together, where each alone could be kept."""

from __future__ import annotations

from coachbuilder.plant.sequence.joint.bound import joint_bound, raised_bounds

__all__ = ["joint_bound", "raised_bounds"]
