"""The command line: ``root`` holds the app and what all commands share, the other modules a command or two each."""

from coachbuilder.cli import compare as _compare  # noqa: F401
from coachbuilder.cli import replay as _replay  # noqa: F401
from coachbuilder.cli.root import app, main

__all__ = ["app", "main"]
