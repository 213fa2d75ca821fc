"""Fixtures and options of all tests."""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tagline.data.splits import folds
from tests.plots_of_runs import drawn, emptied

# Keras, which judges the networks, runs on torch; it asks when it is first imported.
os.environ.setdefault("KERAS_BACKEND", "torch")

# A busy machine is no failure.
settings.register_profile("tagline", deadline=None)
settings.load_profile("tagline")

# Where Python is told to write no bytecode, each process that a test starts would compile all that it imports: seconds.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(
        Path(__file__).parents[1] / ".pytest_cache" / "bytecode"
    )
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_finish() -> None:
    """Leave all that was imported and collected out of later garbage collections: a second each at the end."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _empty_plots() -> Iterator[None]:
    with emptied():
        yield


@pytest.fixture
def drawn_plots() -> Iterator[None]:
    """Draw the plots of runs, which are empty in other tests."""
    with drawn():
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the files with slow tests first: a long file that starts last leaves the other workers idle."""
    with_slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in with_slow)


@pytest.fixture(scope="session", autouse=True)
def _few_rows_have_test_rows() -> Iterator[int]:
    """Hold test rows out of small data, which by default is cross-validated: that trains six times instead of once."""
    default = folds.FEW_ROWS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "FEW_ROWS", 0)
        yield default


@pytest.fixture
def few_rows(_few_rows_have_test_rows: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Cross-validate small data, as by default, and return the number of rows below which data is small."""
    monkeypatch.setattr(folds, "FEW_ROWS", _few_rows_have_test_rows)
    return _few_rows_have_test_rows
