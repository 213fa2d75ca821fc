"""`RayWorkers`: processes on the nodes of a cluster that run tasks side by side, each on one CPU."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from types import ModuleType
from typing import Any

import numpy as np

from tagline.engines.base import Context, Message, Work
from tagline.engines.cluster.actor import TaskRunner
from tagline.engines.cluster.nodes import Nodes
from tagline.errors import TaglineError

RETRIES = 5  # of a task whose node or process ends
_SECONDS_TO_CLOSE = 5.0
_SECONDS_TO_MEASURE = 1.0


@dataclass(eq=False)
class _Assignment:
    """A task, the answers to its reports, and how many of them a process that runs it again has repeated."""

    task: Any
    replies: list[bool] = field(default_factory=list)
    repeated: int = 0
    losses: int = 0
    since: float | None = None  # time of the last report; None while the process prepares itself


@dataclass(eq=False)
class _Worker:
    """A process: its actor, the message that it owes, and its task."""

    number: int
    actor: Any
    pending: Any  # None while a report waits for its answer, or without a task
    ready: bool = False
    assignment: _Assignment | None = None


class RayWorkers:
    """At most ``n`` processes on the nodes, as many as there are CPUs; a context manager that ends them.

    A task of a process that is lost runs again on another, which repeats the answers to its reports.
    """

    def __init__(self, ray: ModuleType, nodes: Nodes, n: int, prepare: Callable[[Any], Work], context: Context) -> None:
        self._ray, self._nodes, self._most = ray, nodes, n
        files = {path.name: np.fromfile(path, np.uint8) for path in context.folder.iterdir() if path.is_file()}
        self._arguments = prepare, context, [ray.put(files)]
        self._actor = ray.remote(TaskRunner).options(num_cpus=1, max_concurrency=3)
        self._numbers = count()
        self._workers: list[_Worker] = []
        self._queue: deque[_Assignment] = deque()
        self._failed_starts = 0  # since a process was ready
        self._fill()

    def __enter__(self) -> "RayWorkers":
        return self

    def __exit__(self, *_: object) -> None:
        closing = [worker.actor.close.remote() for worker in self._workers if worker.ready]
        if closing:
            self._ray.wait(closing, num_returns=len(closing), timeout=_SECONDS_TO_CLOSE)
        for worker in self._workers:
            self._ray.kill(worker.actor)

    @property
    def n_idle(self) -> int:
        """See `Workers.n_idle`."""
        busy = sum(worker.assignment is not None for worker in self._workers)
        return max(0, self._wanted - busy - len(self._queue))

    @property
    def running(self) -> dict[int, tuple[Any, float]]:
        """See `Workers.running`."""
        now = time.monotonic()
        return {
            worker.number: (worker.assignment.task, now - (worker.assignment.since or now))
            for worker in self._workers
            if worker.assignment is not None
        }

    def submit(self, task: Any) -> None:
        """See `Workers.submit`."""
        self._queue.append(_Assignment(task))
        self._assign()

    def poll(self, seconds: float) -> list[Message]:
        """See `Workers.poll`."""
        self._nodes.look_again()
        self._fill()
        owed = {worker.pending: worker for worker in self._workers if worker.pending is not None}
        if not owed:
            time.sleep(max(0.0, seconds))
            return []
        self._ray.wait(list(owed), num_returns=1, timeout=max(0.0, seconds))
        arrived, _ = self._ray.wait(list(owed), num_returns=len(owed), timeout=0)
        messages = [message for pending in arrived if (message := self._received(owed[pending])) is not None]
        self._assign()
        return messages

    def reply(self, task: Any, *, go_on: bool) -> None:
        """See `Workers.reply`."""
        for worker in self._workers:
            if worker.assignment is not None and worker.assignment.task is task:
                worker.assignment.replies.append(go_on)
                self._repeat(worker, worker.assignment)

    def kill(self, worker: int) -> None:
        """See `Workers.kill`."""
        for one in [one for one in self._workers if one.number == worker]:
            self._remove(one)

    def memory_mb(self, worker: int) -> float:
        """See `Workers.memory_mb`."""
        for one in self._workers:
            if one.number == worker and one.ready:
                try:
                    return float(self._ray.get(one.actor.memory_mb.remote(), timeout=_SECONDS_TO_MEASURE))
                except self._ray.exceptions.RayError:
                    return 0.0
        return 0.0

    @property
    def _wanted(self) -> int:
        return max(1, min(self._most, self._nodes.n_cpus))

    def _fill(self) -> None:
        """Start processes, of which some may wait for a free CPU; end those that do if there are too many."""
        waiting = [worker for worker in self._workers if not worker.ready]
        for worker in waiting[: max(0, len(self._workers) - self._wanted)]:
            self._remove(worker)
        while len(self._workers) < self._wanted:
            started = self._actor.remote(*self._arguments)
            self._workers.append(_Worker(next(self._numbers), started, started.ready.remote()))

    def _assign(self) -> None:
        """Begin tasks of the queue in the processes that are ready."""
        for worker in self._workers:
            if self._queue and worker.ready and worker.assignment is None:
                worker.assignment = self._queue.popleft()
                worker.pending = worker.actor.begin.remote(worker.assignment.task)

    def _received(self, worker: _Worker) -> Message | None:
        """Take the message that a process owed; return it if it is for the caller."""
        try:
            kind, value = self._ray.get(worker.pending)
        except self._ray.exceptions.RayError as error:
            return self._lose(worker, error)
        worker.pending, assignment = None, worker.assignment
        if assignment is None:
            worker.ready, self._failed_starts = True, 0
            return None
        if kind == "started":
            assignment.since = time.monotonic()
            worker.pending = worker.actor.following.remote()
            return None
        if kind == "report" and assignment.repeated < len(assignment.replies):
            self._repeat(worker, assignment)
            return None
        if kind != "report":
            worker.assignment = None
        return Message(assignment.task, kind, value)

    def _repeat(self, worker: _Worker, assignment: _Assignment) -> None:
        """Send the next answer to a report."""
        go_on = assignment.replies[assignment.repeated]
        assignment.repeated += 1
        assignment.since = time.monotonic()
        worker.pending = worker.actor.reply.remote(go_on=go_on)

    def _lose(self, worker: _Worker, error: Exception) -> Message | None:
        """Put the task of a process that has ended back into the queue, or say that it failed too often.

        Raises:
            TaglineError: one process after the other ends before it takes a task.

        """
        self._remove(worker)
        assignment = worker.assignment
        if assignment is None:
            self._failed_starts += 1
            if self._failed_starts > RETRIES:
                raise no_process_starts(error)
            return None
        assignment.losses += 1
        assignment.repeated, assignment.since = 0, None
        if assignment.losses <= RETRIES:
            self._queue.appendleft(assignment)
            return None
        reason = str(error).strip().partition("\n")[0]
        return Message(assignment.task, "failed", f"Its process was lost {assignment.losses} times: {reason}")

    def _remove(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._ray.kill(worker.actor)


def no_process_starts(error: Exception) -> TaglineError:
    """Return the error for processes that end as they start; in a message of Ray the cause follows its traceback."""
    cause = [line for line in str(error).splitlines() if line.strip()][-1].strip()
    return TaglineError(f"No process starts on the nodes of the Ray cluster: {cause}")
