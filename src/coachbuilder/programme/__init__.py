"""The programme folder: schema, assumptions and their ranges, the evidence register, loading and its errors."""

from coachbuilder.programme.assumption import Assumption
from coachbuilder.programme.errors import InputError, Problem, ProblemList
from coachbuilder.programme.loading import load
from coachbuilder.programme.programme import Programme

__all__ = ["Assumption", "InputError", "Problem", "ProblemList", "Programme", "load"]
