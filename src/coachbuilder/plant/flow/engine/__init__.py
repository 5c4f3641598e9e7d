"""The event calendar: simulates any plant."""

from __future__ import annotations

from coachbuilder.plant.flow.engine.network import Network, build, key_of, machine_names
from coachbuilder.plant.flow.engine.run import record, retimed, started, trace

__all__ = ["Network", "build", "key_of", "machine_names", "record", "retimed", "started", "trace"]
