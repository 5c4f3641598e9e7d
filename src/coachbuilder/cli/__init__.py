"""The command line: ``root`` holds the app and what all commands share, the other modules a command or two each."""

from coachbuilder.cli import agree as _agree  # noqa: F401 (each module registers its commands)
from coachbuilder.cli.root import app, main

__all__ = ["app", "main"]
