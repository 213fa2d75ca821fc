"""The local engine: this process, and others of this machine."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from tagline.engines.base import Context, Engine, Item, Key, Result, Shared, Work, Workers
from tagline.engines.processes import ProcessWorkers
from tagline.parallel import cores


class _LocalEngine:
    """Calls functions here, one after the other, as they use all cores themselves; tasks run in other processes."""

    @property
    def n_cpus(self) -> int:
        """See `Engine.n_cpus`."""
        return cores()

    def map(
        self, function: Callable[[Shared, Item], Result], shared: Shared, items: Iterable[tuple[Key, Item]]
    ) -> Iterator[tuple[Key, Result]]:
        """See `Engine.map`."""
        for key, item in items:
            yield key, function(shared, item)

    def workers(self, n: int, prepare: Callable[[Any], Work], context: Context) -> AbstractContextManager[Workers]:
        """See `Engine.workers`."""
        return ProcessWorkers(n, prepare, context)


LOCAL: Engine = _LocalEngine()
