"""The command line: ``root`` holds the app and what all commands share, the other modules a command or two each."""

from coachbuilder.cli import risk as _risk  # noqa: F401
from coachbuilder.cli.root import app, main

__all__ = ["app", "main"]
