"""What every engine does."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Key = TypeVar("Key")
Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """Runs functions on items."""

    def map(
        self, function: Callable[[Shared, Item], Result], shared: Shared, items: Iterable[tuple[Key, Item]]
    ) -> Iterator[tuple[Key, Result]]:
        """Yield the key and the result, ``function(shared, item)``, of each item, in order.

        Items are read ahead by no more than the engine needs to be busy. If reading them raises, the results of all
        earlier items are yielded first.

        Args:
            function: of a module that every machine can import.
            shared: what all calls need, such as a model; sent once to each machine.
            items: pairs of a key, which stays here, and what is sent to the function.
        """
        ...
