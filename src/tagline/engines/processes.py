"""Worker processes that fit side by side, each with its share of the cores.

Workers are spawned, not forked: polars and PyTorch do not survive a fork. A worker ends with its parent, however that
ends.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from tagline.engines.attempt import attempt
from tagline.engines.base import Message, Work
from tagline.parallel import cores, limit_cores

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
_EXIT_SECONDS = 2.0  # that a worker has to end after its connection broke


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    task: Any = None
    busy: bool = False
    since: float | None = None  # time of the last report; None while the process starts and imports


class ProcessWorkers:
    """``n`` worker processes; a context manager that ends them.

    ``prepare`` and ``context`` are as of `Engine.workers`. The number of a worker is its process id.
    """

    def __init__(self, n: int, prepare: Callable[[Any], Work], context: Any) -> None:
        self._prepare, self._context = prepare, context
        self._threads = max(1, cores() // n)
        self._workers = [self._start() for _ in range(n)]

    def __enter__(self) -> "ProcessWorkers":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            self._end(worker)

    @property
    def n_idle(self) -> int:
        """See `Workers.n_idle`."""
        return sum(not worker.busy for worker in self._workers)

    @property
    def running(self) -> dict[int, tuple[Any, float]]:
        """See `Workers.running`."""
        now = time.monotonic()
        return {w.process.pid or 0: (w.task, now - (w.since or now)) for w in self._workers if w.busy}

    def submit(self, task: Any) -> None:
        """See `Workers.submit`."""
        worker = next(worker for worker in self._workers if not worker.busy)
        worker.task, worker.busy, worker.since = task, True, None
        with suppress(OSError):  # the process has ended: the next call of `poll` reports it
            worker.connection.send(task)

    def poll(self, seconds: float) -> list[Message]:
        """See `Workers.poll`."""
        busy = {worker.connection: worker for worker in self._workers if worker.busy}
        messages = []
        for connection in wait(list(busy), max(0.0, seconds)):
            worker = busy[connection]  # type: ignore[index]  # `wait` returns other objects than pipes too
            task = worker.task
            try:
                kind, value = worker.connection.recv()
            except (EOFError, OSError):
                worker.process.join(_EXIT_SECONDS)
                kind, value = "failed", _exit_reason(worker.process.exitcode)
                self._replace(worker)
            if kind == "started":
                worker.since = time.monotonic()
                continue
            worker.busy = kind == "report"
            messages.append(Message(task, kind, value))
        return messages

    def reply(self, task: Any, *, go_on: bool) -> None:
        """See `Workers.reply`."""
        worker = next(worker for worker in self._workers if worker.busy and worker.task is task)
        worker.since = time.monotonic()
        with suppress(OSError):
            worker.connection.send(go_on)

    def kill(self, worker: int) -> None:
        """See `Workers.kill`."""
        for one in self._workers:
            if one.process.pid == worker:
                self._replace(one)

    def memory_mb(self, worker: int) -> float:
        """See `Workers.memory_mb`."""
        import psutil

        try:
            return float(psutil.Process(worker).memory_info().rss) / 1e6
        except psutil.Error:
            return 0.0

    def _replace(self, worker: _Worker) -> None:
        self._end(worker)
        self._workers[self._workers.index(worker)] = self._start()

    def _end(self, worker: _Worker) -> None:
        worker.process.kill()  # safe at any time: workers write files under temporary names and rename them
        worker.process.join()
        worker.connection.close()

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (theirs, self._prepare, self._context, self._threads)
        process = context.Process(target=_run_worker, args=arguments, daemon=True)
        # A spawned interpreter looks for its first modules in the working directory, among the data of the user.
        environment = dict.fromkeys(_THREADS, str(self._threads)) | {"PYTHONSAFEPATH": "1"}
        with _environment(environment), _interrupts_blocked():
            process.start()
        theirs.close()
        return _Worker(process, ours)


def _run_worker(connection: Connection, prepare: Callable[[Any], Work], context: Any, threads: int) -> None:
    """Worker loop: receive tasks and send back results, until the parent closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_exit_with_parent, args=(parent.sentinel,), daemon=True).start()
    limit_cores(threads)
    work: Work | None = None

    def report(value: Any) -> bool:
        connection.send(("report", value))
        return bool(connection.recv())

    def run(task: Any) -> Any:
        nonlocal work
        work = work or prepare(context)
        connection.send(("started", None))
        return work(task, report)

    with suppress(EOFError, BrokenPipeError):
        while True:
            task = connection.recv()
            connection.send(attempt(partial(run, task)))


def _exit_with_parent(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)  # at once: no process is left to receive a result


def _exit_reason(status: int | None) -> str:
    if status is not None and status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else str(-status)
        hint = ", as happens when memory runs out." if name == "SIGKILL" else "."
        return f"Its process was ended by {name}{hint}"
    return f"Its process ended with status {status}."


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C in this thread; a process started meanwhile inherits that, so that it is safe while it imports."""
    if os.name != "posix":
        yield
        return
    resource_tracker.ensure_running()  # if it started while SIGINT is blocked, it would unblock it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
