"""The command line: ``root`` holds the app and what all commands share, the other modules a command or two each."""

from coachbuilder.cli import agree, choice, compare, event_study, parties, replay, risk, screen
from coachbuilder.cli.root import app, main

__all__ = ["agree", "app", "choice", "compare", "event_study", "main", "parties", "replay", "risk", "screen"]
