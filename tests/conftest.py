"""Fixtures that every test room shares."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from coachbuilder.plan import Plan
    from coachbuilder.risk import RiskResult

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "coachbuilder"


def _cache_key() -> str:
    """Kernels are cached by file; a key over all their sources keeps a changed callee from being missed."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.rglob("kernels.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".pytest_cache" / "numba" / _cache_key()))
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    # Processes share what they compile. numba numbers the files of a function without a lock, so that two processes
    # could write code for different kinds of argument under one name: each has names of its own.
    from numba.core.caching import IndexDataCacheFile

    numbered = IndexDataCacheFile._data_name
    IndexDataCacheFile._data_name = lambda file, number: f"{worker}.{numbered(file, number)}"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the benchmark and validation data, which the project does not ship."""
    folder = Path(os.environ.get("COACHBUILDER_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the validation data in {folder} (or set COACHBUILDER_DATA)")
    return folder


@pytest.fixture(scope="session")
def example_folder() -> Path:
    """The programme of the real case."""
    return ROOT / "examples" / "phone-maker-ev"


@pytest.fixture(scope="session")
def example_plan(example_folder: Path) -> Plan:
    """The plan of the real case."""
    from coachbuilder.plan import evaluate
    from coachbuilder.programme import load

    return evaluate(load(example_folder))


@pytest.fixture(scope="session")
def example_risk(example_plan: Plan) -> RiskResult:
    """Its spreads, from few draws."""
    from coachbuilder.risk import assess

    return assess(example_plan, draws=200, workers=2)
