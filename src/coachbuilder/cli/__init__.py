"""The command line: ``root`` holds the app and what all commands share, the other modules a command or two each."""

from coachbuilder.cli import parties as _parties  # noqa: F401 - registers its command
from coachbuilder.cli import screen as _screen  # noqa: F401 - registers its command
from coachbuilder.cli.root import app, main

__all__ = ["app", "main"]
