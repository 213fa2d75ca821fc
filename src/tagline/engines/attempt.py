"""A task that fails must not end the others: its error becomes a message."""

from collections.abc import Callable
from typing import Any

from tagline.errors import TaglineError, is_disk_full


def attempt(function: Callable[[], Any]) -> tuple[str, Any]:
    """Return ``"done"`` and the result of a function, or ``"failed"`` and why it failed."""
    try:
        return "done", function()
    except TaglineError as error:
        return "failed", str(error)
    except MemoryError:
        return "failed", "There was not enough memory."
    except Exception as error:  # noqa: BLE001 (one failed task must not end the others)
        unexpected = f"Unexpected {type(error).__name__}: {' '.join(str(error).split())}"
        return "failed", "The disk is full." if is_disk_full(error) else unexpected
