"""What runs on the nodes of a cluster."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tagline.errors import TaglineError
from tagline.parallel import limit_cores

_shared: dict[bytes, Any] = {}  # the last object that this process fetched, by its id


@dataclass(frozen=True)
class Failure:
    """An error that tagline raises on purpose, as the result of a task."""

    error: TaglineError


def call(function: Callable[[Any, Any], Any], shared: list[Any], item: Any) -> Any:
    """Return ``function(shared, item)``; ``shared`` holds the reference to an object of the cluster.

    A worker process fetches the object once: its arrays lie in the memory that all processes of a node share.
    """
    import ray

    limit_cores(1)
    (reference,) = shared
    key = reference.binary()
    if key not in _shared:
        _shared.clear()
        _shared[key] = ray.get(reference)
    try:
        return function(_shared[key], item)
    except TaglineError as error:
        return Failure(error)


def failed(error: Any) -> TaglineError:
    """Return what a task that raised an unexpected error tells the user; ``error`` is a `RayTaskError`."""
    lines = [line for line in str(error.cause).splitlines() if line.strip()]
    reason = f"{type(error.cause).__name__}: {lines[-1].strip() if lines else ''}"
    return TaglineError(f"A task failed on the node `{error.ip}`: {reason}")
