"""The process on a node that keeps the files of some shards and works on them, as an actor of Ray."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from tagline.engines.cluster.node_folder import node_folder
from tagline.engines.cluster.task import Failure, call


class ShardHost:
    """Does one step of one shard at a time. Ray calls one method at a time, except `close`."""

    def __init__(self) -> None:
        self._held = ExitStack()
        self._folder = self._held.enter_context(node_folder())

    def ready(self) -> None:
        """Return at once: the process runs."""

    def run(
        self, function: Callable[[Path, Any, Any], Any], shard: int, shared: list[Any], own: Any
    ) -> tuple[Failure | None, Any]:
        """Do a step of a shard; return its failure, if it has one, and its result."""
        folder = self._folder / str(shard)
        folder.mkdir(exist_ok=True)
        result = call(partial(function, folder), shared, own)
        return (result, None) if isinstance(result, Failure) else (None, result)

    def close(self) -> None:
        """Remove the files."""
        self._held.close()
