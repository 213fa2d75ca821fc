"""`RayEngine`: runs functions on the nodes of a Ray cluster.

Ray tasks, not Ray Data: our readers decide what a row is, and rows keep their order.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from tagline.data.wording import counted
from tagline.engines.base import Context, Item, Key, Result, Shared, Work
from tagline.engines.cluster.connection import connected
from tagline.engines.cluster.nodes import Nodes, check_nodes
from tagline.engines.cluster.shards import RayShards
from tagline.engines.cluster.task import Failure, call, failed
from tagline.engines.cluster.workers import RETRIES, RayWorkers
from tagline.errors import TaglineError

_TASKS_PER_CPU = 2  # one that runs and one that waits


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
        nodes = Nodes(ray, warn)
        check_nodes(ray, nodes)
        log(f"Ray cluster of {counted(len(nodes), 'node')} with {counted(nodes.n_cpus, 'CPU')}")
        yield RayEngine(ray, nodes)


class RayEngine:
    """Runs functions as tasks of a connected cluster, each on one CPU. Ray runs those of a lost node again."""

    def __init__(self, ray: ModuleType, nodes: Nodes) -> None:
        self._ray, self._nodes = ray, nodes

    @property
    def n_cpus(self) -> int:
        """See `Engine.n_cpus`."""
        return max(1, self._nodes.n_cpus)

    def map(
        self, function: Callable[[Shared, Item], Result], shared: Shared, items: Iterable[tuple[Key, Item]]
    ) -> Iterator[tuple[Key, Result]]:
        """See `Engine.map`; at most two tasks per CPU of the cluster are under way."""
        reference = self._ray.put(shared)
        task = self._ray.remote(call).options(num_cpus=1, max_retries=RETRIES)
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

    def workers(self, n: int, prepare: Callable[[Any], Work], context: Context) -> RayWorkers:
        """See `Engine.workers`; the files of the folder of the context are sent to the nodes."""
        return RayWorkers(self._ray, self._nodes, n, prepare, context)

    def shards(self, n: int) -> RayShards:
        """See `Engine.shards`."""
        return RayShards(self._ray, self._nodes, n)

    def _result(self, answer: Any) -> Any:
        try:
            result = self._ray.get(answer)
        except self._ray.exceptions.RayTaskError as error:
            raise failed(error) from None
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().partition("\n")[0]
            raise TaglineError(f"The Ray cluster lost a task {RETRIES + 1} times: {reason}") from None
        if isinstance(result, Failure):
            raise result.error
        return result

    def _most_under_way(self) -> int:
        """Return how many tasks keep the cluster busy."""
        self._nodes.look_again()
        return _TASKS_PER_CPU * self.n_cpus
