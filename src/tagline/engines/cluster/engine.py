"""`RayEngine`: runs functions on the nodes of a Ray cluster.

Ray tasks, not Ray Data: our readers decide what a row is, and rows keep their order.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from tagline.data.wording import counted
from tagline.engines.base import Item, Key, Result, Shared
from tagline.engines.cluster.connection import connected
from tagline.engines.cluster.nodes import Node, alive, check_nodes
from tagline.engines.cluster.task import Failure, call
from tagline.errors import TaglineError

_RETRIES = 5  # of a task whose node or process ends
_TASKS_PER_CPU = 2  # one that runs and one that waits
_SECONDS_BETWEEN_LOOKS = 2.0  # at the nodes


@contextmanager
def ray_engine(
    address: str | None,
    log: Callable[[str], None] = lambda stage: None,
    warn: Callable[[str], None] = lambda sentence: None,
) -> Iterator["RayEngine"]:
    """Connect to a cluster and yield its engine; see `connected` for ``address`` and what is raised.

    ``log`` is called with the size of the cluster, ``warn`` with a sentence when a node is lost.
    """
    with connected(address) as ray:
        check_nodes(ray)
        engine = RayEngine(ray, warn)
        log(f"Ray cluster of {counted(len(engine.nodes), 'node')} with {counted(engine.n_cpus, 'CPU')}")
        yield engine


class RayEngine:
    """Runs functions as tasks of a connected cluster, each on one CPU. Ray runs those of a lost node again.

    ``nodes`` are those that were alive a moment ago, by their ids.
    """

    def __init__(self, ray: ModuleType, warn: Callable[[str], None]) -> None:
        self._ray, self._warn = ray, warn
        self.nodes: dict[str, Node] = {}
        self._look()

    @property
    def n_cpus(self) -> int:
        """The number of CPUs of all nodes."""
        return sum(node.cpus for node in self.nodes.values())

    def map(
        self, function: Callable[[Shared, Item], Result], shared: Shared, items: Iterable[tuple[Key, Item]]
    ) -> Iterator[tuple[Key, Result]]:
        """See `Engine.map`; at most two tasks per CPU of the cluster are under way."""
        reference = self._ray.put(shared)
        task = self._ray.remote(call).options(num_cpus=1, max_retries=_RETRIES)
        source: Iterator[tuple[Key, Item]] | None = iter(items)
        under_way: deque[tuple[Key, Any]] = deque()
        failure: Exception | None = None
        while True:
            while source is not None and len(under_way) < self._most_under_way():
                try:
                    key, item = next(source)
                except StopIteration:
                    source = None
                except Exception as error:  # noqa: BLE001  # raised below, after the results of earlier items
                    source, failure = None, error
                else:
                    under_way.append((key, task.remote(function, [reference], item)))
            if not under_way:
                break
            key, answer = under_way.popleft()
            yield key, self._result(answer)
        if failure is not None:
            raise failure

    def _result(self, answer: Any) -> Any:
        try:
            result = self._ray.get(answer)
        except self._ray.exceptions.RayTaskError as error:
            lines = [line for line in str(error.cause).splitlines() if line.strip()]
            reason = f"{type(error.cause).__name__}: {lines[-1].strip() if lines else ''}"
            raise TaglineError(f"A task failed on the node `{error.ip}`: {reason}") from None
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().partition("\n")[0]
            raise TaglineError(f"The Ray cluster lost a task {_RETRIES + 1} times: {reason}") from None
        if isinstance(result, Failure):
            raise result.error
        return result

    def _most_under_way(self) -> int:
        """Return how many tasks keep the cluster busy; nodes come and go."""
        if time.monotonic() > self._looked + _SECONDS_BETWEEN_LOOKS:
            self._look()
        return _TASKS_PER_CPU * max(1, self.n_cpus)

    def _look(self) -> None:
        before, self.nodes = self.nodes, {node.id: node for node in alive(self._ray)}
        self._looked = time.monotonic()
        for lost in before.keys() - self.nodes.keys():
            self._warn(f"The node `{before[lost].address}` left the cluster: its tasks run again on other nodes.")
