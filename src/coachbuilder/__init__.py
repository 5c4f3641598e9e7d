"""Tell whether a host's plant can build a brand's electric car, what each side earns, and what that rests on.

>>> import coachbuilder
>>> programme = coachbuilder.load("examples/phone-maker-ev")  # doctest: +SKIP
>>> coachbuilder.plan(programme).deal.joint.npv_cny  # doctest: +SKIP
"""

from importlib import metadata

from coachbuilder.plan import Plan
from coachbuilder.plan import evaluate as plan
from coachbuilder.programme import InputError, Programme, load

__all__ = ["InputError", "Plan", "Programme", "load", "plan"]

__version__ = metadata.version("coachbuilder")
