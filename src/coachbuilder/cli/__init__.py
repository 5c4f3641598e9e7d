"""The command line: ``root`` holds the app and what all commands share, the other modules a command or two each."""

from coachbuilder.cli import event_study as _event_study  # noqa: F401 - registers its command
from coachbuilder.cli.root import app, main

__all__ = ["app", "main"]
