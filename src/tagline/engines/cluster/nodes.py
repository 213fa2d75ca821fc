"""The nodes of a cluster: how many there are, and whether each can do the work."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType

from tagline.errors import InputError

_DECIDING = ("tagline", "numpy", "polars", "scipy")  # the packages whose version the results may depend on
_SECONDS_BETWEEN_LOOKS = 2.0
_SECONDS_TO_START = 120.0  # that a node has to start a process


@dataclass(frozen=True)
class Node:
    """A node: its id, its address, and how many CPUs Ray may use there."""

    id: str
    address: str
    cpus: int


class Nodes:
    """The nodes that were alive a moment ago; ``warn`` is called with a sentence when one is lost."""

    def __init__(self, ray: ModuleType, warn: Callable[[str], None]) -> None:
        self._ray, self._warn = ray, warn
        self._alive: dict[str, Node] = {}
        self._look()

    def __iter__(self) -> Iterator[Node]:
        return iter(self._alive.values())

    def __len__(self) -> int:
        return len(self._alive)

    @property
    def n_cpus(self) -> int:
        """The number of CPUs of all nodes."""
        return sum(node.cpus for node in self)

    def look_again(self) -> None:
        """Ask for the nodes again, unless they were asked for a moment ago: they come and go."""
        if time.monotonic() > self._looked + _SECONDS_BETWEEN_LOOKS:
            self._look()

    def _look(self) -> None:
        before = self._alive
        self._alive = {
            node["NodeID"]: Node(node["NodeID"], node["NodeManagerAddress"], int(node["Resources"].get("CPU", 0)))
            for node in self._ray.nodes()
            if node["Alive"]
        }
        self._looked = time.monotonic()
        for lost in before.keys() - self._alive.keys():
            self._warn(f"The node `{before[lost].address}` left the cluster: its tasks run again on other nodes.")


def check_nodes(ray: ModuleType, nodes: Nodes) -> None:
    """Raise `InputError` if a node lacks tagline, or has another version of what decides the results."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ours = {name: version(name) for name in _DECIDING}
    asked = {}
    for node in nodes:
        strategy = NodeAffinitySchedulingStrategy(node.id, soft=False)
        task = ray.remote(versions_function()).options(num_cpus=0, max_retries=0, scheduling_strategy=strategy)
        asked[task.remote(_DECIDING)] = node.address
    answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_SECONDS_TO_START)
    for answer in answered:
        try:
            theirs = ray.get(answer)
        except ray.exceptions.RayError:  # the node has left the cluster
            continue
        for name, wanted in ours.items():
            if theirs[name] != wanted:
                raise InputError(difference(asked[answer], name, theirs[name], wanted))


def difference(node: str, name: str, theirs: str | None, ours: str) -> str:
    """Return what is wrong with the version of a package on a node, which may lack it, and what to do."""
    if theirs is None:
        return f"The node `{node}` has no {name}: run `pip install {name}=={ours}` there, or stop Ray on it."
    return f"The node `{node}` has {name} {theirs}, this machine {ours}: install the same version on all nodes."


def versions_function() -> Callable[[tuple[str, ...]], dict[str, str | None]]:
    """Return a function that a node without tagline can run: Ray sends nested functions whole, not by their name."""

    def versions(names: tuple[str, ...]) -> dict[str, str | None]:
        from importlib.metadata import PackageNotFoundError, version
        from importlib.util import find_spec

        found: dict[str, str | None] = {}
        for name in names:
            try:
                found[name] = version(name) if find_spec(name) else None
            except PackageNotFoundError:
                found[name] = None
        return found

    return versions
