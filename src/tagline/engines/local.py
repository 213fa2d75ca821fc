"""The local engine: this process."""

from collections.abc import Callable, Iterable, Iterator

from tagline.engines.base import Engine, Item, Key, Result, Shared


class _LocalEngine:
    """Calls functions here, one after the other; they use all cores themselves."""

    def map(
        self, function: Callable[[Shared, Item], Result], shared: Shared, items: Iterable[tuple[Key, Item]]
    ) -> Iterator[tuple[Key, Result]]:
        """See `Engine.map`."""
        for key, item in items:
            yield key, function(shared, item)


LOCAL: Engine = _LocalEngine()
