"""`RayShards`: shards whose files are kept by processes on the nodes of a cluster, each on one CPU."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tagline.engines.base import Step
from tagline.engines.cluster.nodes import Nodes
from tagline.engines.cluster.shard_host import ShardHost
from tagline.engines.cluster.task import failed
from tagline.engines.cluster.workers import RETRIES, no_process_starts
from tagline.errors import TaglineError

_SECONDS_TO_CLOSE = 5.0
_SECONDS_TO_START = 30.0  # of a process; then others take the shards that it would have
_SECONDS_TO_WAIT = 1.0


@dataclass(eq=False)
class _Host:
    """A process: its actor, and the call that it works on: its state, its result, its shard and its step."""

    actor: Any
    state: Any  # None between two calls
    started: float
    ready: bool = False
    result: Any = None
    shard: "_Shard | None" = None
    step: "_Sent | None" = None


@dataclass(eq=False)
class _Shard:
    """A shard: its process, and how many of the steps that built it are done there."""

    number: int
    host: _Host | None = None
    n_built: int = 0
    losses: int = 0


@dataclass(frozen=True, eq=False)
class _Sent:
    """A step, and the reference to what all its calls share."""

    step: Step
    shared: Any


class RayShards:
    """Shards on the nodes; a context manager that removes them.

    Those of a process that is lost are built again by others, or by one that takes its place.
    """

    def __init__(self, ray: ModuleType, nodes: Nodes, n: int) -> None:
        self._ray, self._nodes = ray, nodes
        self._shards = [_Shard(number) for number in range(n)]
        self._actor = ray.remote(ShardHost).options(num_cpus=1, max_concurrency=2)
        self._hosts: list[_Host] = []
        self._built: list[_Sent] = []
        self._results: dict[_Shard, Any] = {}
        self._failed_starts = 0  # since a process was ready
        self._fill()

    def __enter__(self) -> "RayShards":
        return self

    def __exit__(self, *_: object) -> None:
        closing = [host.actor.close.remote() for host in self._hosts if host.ready]
        if closing:
            self._ray.wait(closing, num_returns=len(closing), timeout=_SECONDS_TO_CLOSE)
        for host in self._hosts:
            self._ray.kill(host.actor)

    def build(self, step: Step) -> Iterator[Any]:
        """See `Shards.build`."""
        sent = self._sent(step)
        self._built.append(sent)
        return self._each(sent)

    def run(self, step: Step) -> Iterator[Any]:
        """See `Shards.run`."""
        return self._each(self._sent(step))

    def _sent(self, step: Step) -> _Sent:
        return _Sent(step, self._ray.put(step.shared))

    def _each(self, wanted: _Sent) -> Iterator[Any]:
        due = list(self._shards)
        while due:
            while due[0] not in self._results:
                self._work(wanted, due)
            result = self._results.pop(due[0])
            try:
                value = self._ray.get(result)
            except self._ray.exceptions.RayError as error:  # its node was lost after the step
                self._count_loss(due[0], error)
                continue
            due.pop(0)
            yield value

    def _work(self, wanted: _Sent, due: list[_Shard]) -> None:
        """Start the calls that can start, and wait a moment for one that ends."""
        self._nodes.look_again()
        self._fill()
        for host in self._hosts:
            if host.ready and host.state is None and (shard := self._next_of(host, due)) is not None:
                self._begin(host, shard, wanted)
        states = {host.state: host for host in self._hosts if host.state is not None}
        ended, _ = self._ray.wait(list(states), num_returns=1, timeout=_SECONDS_TO_WAIT)
        for state in ended:
            self._end(states[state], wanted)

    def _next_of(self, host: _Host, due: list[_Shard]) -> _Shard | None:
        """Return the shard that a process works on next: one of its own, or one that no process has, up to its share.

        Processes that have not started yet get a share, too, unless that takes too long.
        """
        waiting = [shard for shard in due if shard not in self._results]
        mine = next((shard for shard in waiting if shard.host is host), None)
        if mine is not None:
            return mine
        now = time.monotonic()
        n_hosts = sum(each.ready or now < each.started + _SECONDS_TO_START for each in self._hosts)
        share = -(-len(self._shards) // n_hosts)
        if sum(shard.host is host for shard in self._shards) >= share:
            return None
        return next((shard for shard in waiting if shard.host is None), None)

    def _begin(self, host: _Host, shard: _Shard, wanted: _Sent) -> None:
        """Do the next step that the shard lacks, ``wanted`` at last."""
        sent = self._built[shard.n_built] if shard.n_built < len(self._built) else wanted
        shard.host, host.shard, host.step = host, shard, sent
        run = host.actor.run.options(num_returns=2)
        own = sent.step.own(shard.number)
        host.state, host.result = run.remote(sent.step.function, shard.number, [sent.shared], own)

    def _end(self, host: _Host, wanted: _Sent) -> None:
        try:
            failure = self._ray.get(host.state)
        except self._ray.exceptions.RayTaskError as error:
            raise failed(error) from None
        except self._ray.exceptions.RayError as error:
            self._lose(host, error)
            return
        if failure is not None:
            raise failure.error
        shard, host.state, host.shard = host.shard, None, None
        if shard is None:
            host.ready, self._failed_starts = True, 0
            return
        shard.n_built += shard.n_built < len(self._built)
        if host.step is wanted:
            self._results[shard] = host.result

    def _lose(self, host: _Host, error: Exception) -> None:
        """Take the shards from a process that has ended.

        Raises:
            TaglineError: one process after the other ends before it takes a shard, or with the same shard.

        """
        self._remove(host)
        if not host.ready:
            self._failed_starts += 1
            if self._failed_starts > RETRIES:
                raise no_process_starts(error)
        if host.shard is not None:
            self._count_loss(host.shard, error)
        for shard in self._shards:
            if shard.host is host:
                shard.host, shard.n_built = None, 0

    def _count_loss(self, shard: _Shard, error: Exception) -> None:
        shard.losses += 1
        if shard.losses > RETRIES:
            reason = str(error).strip().partition("\n")[0]
            raise TaglineError(f"The Ray cluster lost a shard of the data {shard.losses} times: {reason}")

    def _fill(self) -> None:
        """Start processes, of which some may wait for a free CPU; end those that do if there are too many."""
        wanted = max(1, min(len(self._shards), self._nodes.n_cpus))
        waiting = [host for host in self._hosts if not host.ready]
        for host in waiting[: max(0, len(self._hosts) - wanted)]:
            self._remove(host)
        while len(self._hosts) < wanted:
            started = self._actor.remote()
            self._hosts.append(_Host(started, started.ready.remote(), time.monotonic()))

    def _remove(self, host: _Host) -> None:
        self._hosts.remove(host)
        self._ray.kill(host.actor)
