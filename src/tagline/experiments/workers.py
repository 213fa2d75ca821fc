"""Processes that fit side by side, each with its share of the cores.

A process is started anew rather than forked, as polars and PyTorch do not survive a fork. It ends with the process that
started it, however that ends.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from tagline.errors import TaglineError
from tagline.parallel import cores, limit_cores

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
_PATIENCE = 2.0  # seconds that a process has to end by itself

Report = Callable[[Any], bool]  # tells what is known so far; False: there is no need to go on
Work = Callable[[Any, Report], Any]  # a task, and where to report, to its result


@dataclass(frozen=True)
class Told:
    """What became of a task: ``kind`` is ``"part"``, ``"done"`` or ``"failed"``, and then ``value`` is a sentence."""

    task: Any
    kind: str
    value: Any


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    task: Any = None
    busy: bool = False
    since: float | None = None  # of its last part; None: it has not begun, for it starts and imports


class Workers:
    """``n`` processes; a context, which ends them.

    ``prepare`` is called with ``about`` in each process, once, and returns what does the work; both are pickled.
    """

    def __init__(self, n: int, prepare: Callable[[Any], Work], about: Any) -> None:
        self._prepare, self._about = prepare, about
        self._threads = max(1, cores() // n)
        self._workers = [self._started() for _ in range(n)]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            self._end(worker)

    @property
    def free(self) -> int:
        """How many processes have nothing to do."""
        return sum(not worker.busy for worker in self._workers)

    @property
    def tasks(self) -> dict[int, tuple[Any, float]]:
        """What is being done: the task and the seconds since it began or told its last part, by process number."""
        now = time.monotonic()
        return {w.process.pid or 0: (w.task, now - (w.since or now)) for w in self._workers if w.busy}

    def give(self, task: Any) -> None:
        """Give a task to a process that has nothing to do."""
        worker = next(worker for worker in self._workers if not worker.busy)
        worker.task, worker.busy, worker.since = task, True, None
        with suppress(OSError):  # it is gone: the next call of `listen` says so
            worker.connection.send(task)

    def listen(self, seconds: float) -> list[Told]:
        """Return what there is to hear, perhaps nothing, within ``seconds``; each part is answered by `go_on`."""
        busy = {worker.connection: worker for worker in self._workers if worker.busy}
        heard = []
        for connection in wait(list(busy), max(0.0, seconds)):
            worker = busy[connection]  # type: ignore[index]  # of pipes alone
            task = worker.task
            try:
                kind, value = worker.connection.recv()
            except (EOFError, OSError):
                worker.process.join(_PATIENCE)
                kind, value = "failed", _of_exit(worker.process.exitcode)
                self._replace(worker)
            if kind == "begun":
                worker.since = time.monotonic()
                continue
            worker.busy = kind == "part"
            heard.append(Told(task, kind, value))
        return heard

    def go_on(self, task: Any, answer: bool) -> None:
        """Say whether a task that told a part is to go on."""
        worker = next(worker for worker in self._workers if worker.busy and worker.task is task)
        worker.since = time.monotonic()
        with suppress(OSError):
            worker.connection.send(answer)

    def stop(self, pid: int) -> None:
        """End a process at once, with what it is doing, and start another."""
        for worker in self._workers:
            if worker.process.pid == pid:
                self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        self._end(worker)
        self._workers[self._workers.index(worker)] = self._started()

    def _end(self, worker: _Worker) -> None:
        worker.process.kill()  # what it writes, it writes aside and renames
        worker.process.join()
        worker.connection.close()

    def _started(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        mine, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._prepare, self._about, self._threads), daemon=True)
        with _environment(dict.fromkeys(_THREADS, str(self._threads))), _interrupts_held_back():
            process.start()
        theirs.close()
        return _Worker(process, mine)


def _serve(connection: Connection, prepare: Callable[[Any], Work], about: Any, threads: int) -> None:
    """Do what is asked until nobody asks any more; what a process of `Workers` runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one decides
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    limit_cores(threads)
    work: Work | None = None

    def report(value: Any) -> bool:
        connection.send(("part", value))
        return bool(connection.recv())

    with suppress(EOFError, BrokenPipeError):
        while True:
            task = connection.recv()
            try:
                work = work or prepare(about)
                connection.send(("begun", None))
                said = ("done", work(task, report))
            except TaglineError as error:
                said = ("failed", str(error))
            except MemoryError:
                said = ("failed", "There was not enough memory.")
            except Exception as error:  # noqa: BLE001 (whatever it is, the others go on)
                said = ("failed", f"Unexpected {type(error).__name__}: {' '.join(str(error).split())}")
            connection.send(said)


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)  # in the middle of whatever it is: nobody waits for it


def _of_exit(status: int | None) -> str:
    if status is not None and status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else str(-status)
        return f"Its process was ended by {name}" + (", as happens when memory runs out." if name == "SIGKILL" else ".")
    return f"Its process ended by itself with status {status}."


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Keep Ctrl-C from this thread for a moment; a process that it starts never gets any, not even while it imports."""
    if os.name != "posix":
        yield
        return
    resource_tracker.ensure_running()  # started within, it would let them through again
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
