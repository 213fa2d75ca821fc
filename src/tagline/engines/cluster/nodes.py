"""The nodes of a cluster: how many there are, and whether each can do the work."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType

from tagline.errors import InputError

_DECIDING = ("tagline", "numpy", "polars", "scipy")  # the packages whose version the results may depend on
_SECONDS_TO_START = 120.0  # that a node has to start a process


@dataclass(frozen=True)
class Node:
    """A node: its id, its address, and how many CPUs Ray may use there."""

    id: str
    address: str
    cpus: int


def alive(ray: ModuleType) -> list[Node]:
    """Return the nodes that are alive."""
    return [
        Node(node["NodeID"], node["NodeManagerAddress"], int(node["Resources"].get("CPU", 0)))
        for node in ray.nodes()
        if node["Alive"]
    ]


def check_nodes(ray: ModuleType) -> None:
    """Raise `InputError` if a node lacks tagline, or has another version of what decides the results."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ours = {name: version(name) for name in _DECIDING}
    asked = {}
    for node in alive(ray):
        strategy = NodeAffinitySchedulingStrategy(node.id, soft=False)
        task = ray.remote(_versions()).options(num_cpus=0, max_retries=0, scheduling_strategy=strategy)
        asked[task.remote(_DECIDING)] = node.address
    answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_SECONDS_TO_START)
    for answer in answered:
        try:
            theirs = ray.get(answer)
        except ray.exceptions.RayError:  # the node has left the cluster
            continue
        for name, wanted in ours.items():
            if theirs[name] != wanted:
                raise InputError(_difference(asked[answer], name, theirs[name], wanted))


def _difference(node: str, name: str, theirs: str | None, ours: str) -> str:
    if theirs is None:
        return f"The node `{node}` has no {name}: run `pip install {name}=={ours}` there, or stop Ray on it."
    return f"The node `{node}` has {name} {theirs}, this machine {ours}: install the same version on all nodes."


def _versions() -> Callable[[tuple[str, ...]], dict[str, str | None]]:
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
