"""What every engine does."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

Key = TypeVar("Key")
Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")

Report = Callable[[Any], bool]  # sends an intermediate result; returns whether to continue
Work = Callable[[Any, Report], Any]  # a task and its report function to the result


@dataclass(frozen=True)
class Message:
    """A message from a worker about its task.

    ``kind`` is ``"report"`` with an intermediate result, ``"done"`` with the result or ``"failed"`` with an error
    message.
    """

    task: Any
    kind: str
    value: Any


class Context(Protocol):
    """What workers need: a dataclass with the folder of the files that they share."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def folder(self) -> Path:
        """The folder; workers on other machines have a copy of its files."""
        ...


class Workers(Protocol):
    """Processes that run tasks side by side. Workers are known by numbers."""

    @property
    def n_idle(self) -> int:
        """How many tasks can be submitted now."""
        ...

    @property
    def running(self) -> dict[int, tuple[Any, float]]:
        """The running tasks by worker, each with the seconds since it started or sent its last report."""
        ...

    def submit(self, task: Any) -> None:
        """Hand a task to an idle worker."""
        ...

    def poll(self, seconds: float) -> list[Message]:
        """Return the messages that arrive within ``seconds``, perhaps none; answer each report with `reply`."""
        ...

    def reply(self, task: Any, *, go_on: bool) -> None:
        """Answer the report of a task: continue or stop."""
        ...

    def kill(self, worker: int) -> None:
        """Kill a worker with its task; another takes its place."""
        ...

    def memory_mb(self, worker: int) -> float:
        """Return the resident memory of a worker in megabytes; 0 if it has ended."""
        ...


@dataclass(frozen=True)
class Step:
    """What is done with each shard: ``function(folder, shared, own(number))``, with the folder of the shard's files.

    Attributes:
        function: of a module that every machine can import. It depends on its arguments and the files only.
        shared: what all calls need; sent once to each process.
        own: returns what is sent for a shard, by its number.

    """

    function: Callable[[Path, Any, Any], Any]
    shared: Any = None
    own: Callable[[int], Any] = lambda number: None


class Shards(Protocol):
    """Parts of the data, each of which stays as files with the process that works on it.

    Results come in the order of the shards. They must all be taken before the next step.
    """

    def build(self, step: Step) -> Iterator[Any]:
        """Do a step, and do it again, after those built before, for a shard whose files are lost."""
        ...

    def run(self, step: Step) -> Iterator[Any]:
        """Do a step that changes no file."""
        ...


class Engine(Protocol):
    """Runs functions on items, tasks in worker processes, and steps on shards."""

    @property
    def n_cpus(self) -> int:
        """The number of processors."""
        ...

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

    def workers(self, n: int, prepare: Callable[[Any], Work], context: Context) -> AbstractContextManager[Workers]:
        """Return ``n`` worker processes, which end with the context.

        ``prepare(context)`` is called once in each process and returns the function that runs a task; both arguments
        are pickled.
        """
        ...

    def shards(self, n: int) -> AbstractContextManager[Shards]:
        """Return ``n`` shards without files, which are removed with the context."""
        ...
