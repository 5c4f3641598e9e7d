"""Run the command line with ``python -m coachbuilder.cli``."""

from coachbuilder.cli import main

main()
