"""The local engine: this process, and others of this machine."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tagline.engines.base import Context, Engine, Item, Key, Result, Shards, Shared, Step, Work, Workers
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

    @contextmanager
    def shards(self, n: int) -> Iterator[Shards]:
        """See `Engine.shards`; their files are in a temporary folder."""
        with TemporaryDirectory(prefix="tagline-shards-") as folder:
            places = [Path(folder) / str(number) for number in range(n)]
            for place in places:
                place.mkdir()
            yield _LocalShards(places)


class _LocalShards:
    """Shards in folders of this machine, which are worked on one after the other."""

    def __init__(self, places: list[Path]) -> None:
        self._places = places

    def run(self, step: Step) -> Iterator[Any]:
        """See `Shards.run`."""
        for number, place in enumerate(self._places):
            yield step.function(place, step.shared, step.own(number))

    build = run


LOCAL: Engine = _LocalEngine()
