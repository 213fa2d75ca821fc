"""Threads on all cores, for NumPy, polars and the compiled core, which release the interpreter's lock."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import lru_cache, partial
from itertools import pairwise
from queue import Full, Queue
from threading import Event, Lock, Thread, local
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from threadpoolctl import ThreadpoolController

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Value = TypeVar("_Value")

# .cores: the number of cores that a thread started here may use; .stops: those of its `in_threads` and `ahead`
_own = local()
_limit: int | None = None

_PATIENCE = 0.1  # seconds until a thread that waits for its caller looks whether that has stopped
_THREAD_ENTRIES = 1 << 15  # below, a thread takes longer to start than to work


def limit_cores(n: int) -> None:
    """Limit the number of cores that this process uses, because other processes share the machine."""
    global _limit
    _limit = n


def cores() -> int:
    """Return how many processors this thread may use: those of the process, or its share in `in_threads`."""
    mine: int | None = getattr(_own, "cores", None)
    return mine or min(_limit or _available(), _available())


def _available() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Apply ``function`` to each item, on all cores, and return the results in order.

    Nested calls share the cores: if there are as many items as cores, each item has one core, and a nested call runs
    sequentially. If a call raises, or Ctrl-C arrives, the others end at their next `checkpoint`.
    """
    work = list(items)
    if len(work) < 2:  # as of one text; to count the cores takes longer
        return [function(item) for item in work]
    mine = cores()
    workers = min(mine, len(work))
    if workers < 2:
        return [function(item) for item in work]
    stop = Event()
    stops = (*getattr(_own, "stops", ()), stop)

    def begin() -> None:
        _own.cores, _own.stops = mine // workers, stops

    def call(item: _Item) -> _Result:
        checkpoint()
        try:
            return function(item)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(workers, initializer=begin) as pool:
        futures = [pool.submit(call, item) for item in work]
        try:
            wait(futures)
        except BaseException:
            stop.set()
            raise
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in errors:
        if not isinstance(error, CancelledError):
            raise error
    return [future.result() for future in futures]


def ahead(items: Iterable[_Item]) -> Iterator[_Item]:
    """Yield ``items``, of which a thread makes the next ones while the caller uses one; an exception is raised in turn.

    When the caller stops early, the thread ends with the item that it makes, or at its next `checkpoint`, and is not
    waited for. On a single core the caller makes them.
    """
    if cores() < 2:
        yield from items
        return
    mine, stop = cores(), Event()
    stops = (*getattr(_own, "stops", ()), stop)
    made: Queue[tuple[list[_Item], BaseException | None]] = Queue(maxsize=1)

    def hand_over(items: list[_Item], error: BaseException | None = None) -> None:
        while not stop.is_set():
            with suppress(Full):
                made.put((items, error), timeout=_PATIENCE)
                return

    def make() -> None:
        _own.cores, _own.stops = mine, stops
        try:
            for item in items:
                hand_over([item])
                checkpoint()
        except BaseException as error:  # noqa: BLE001  # the caller raises it
            hand_over([], error)
        else:
            hand_over([])

    Thread(target=make, daemon=True).start()
    try:
        while True:
            following, error = made.get()
            if error is not None:
                raise error
            if not following:
                return
            yield following[0]
    finally:
        stop.set()


def row_ranges(ends: "NDArray[np.int64]", most: int) -> list[tuple[int, int]]:
    """Divide rows into ranges of about ``most`` entries, or of one row; ``ends`` is an ``indptr``, (n_rows + 1,)."""
    n = len(ends) - 1
    cuts = ends.searchsorted(range(0, int(ends[-1]), most)).clip(0, n)
    return list(pairwise(sorted({0, n, *cuts.tolist()})))


def thread_ranges(ends: "NDArray[np.int64]", most: int) -> list[tuple[int, int]]:
    """Divide rows into ranges for `in_threads`: as `row_ranges`, but so that small data keeps all cores busy too."""
    total = int(ends[-1])
    if total <= _THREAD_ENTRIES:
        return [(0, len(ends) - 1)]
    return row_ranges(ends, max(_THREAD_ENTRIES, min(most, total // (2 * cores()))))


def checkpoint() -> None:
    """End this thread if it is no longer needed; long computations call it at least five times a second.

    Raises:
        CancelledError: the `in_threads` that started this thread has failed or was interrupted, or the caller of its
            `ahead` has stopped.

    """
    if any(stop.is_set() for stop in getattr(_own, "stops", ())):
        raise CancelledError


def process_wide(
    limit: Callable[[], AbstractContextManager[_Value]], version: Callable[[], object] = lambda: None
) -> Callable[[], AbstractContextManager[_Value]]:
    """Return ``limit`` as a context that threads share: the first thread enters it, the last one leaves it.

    For settings of the whole process: if each thread saved and restored such a setting, one thread would save the value
    that another had set. All threads get the value of the first. If ``version`` has changed when another thread enters,
    the context is entered once more.
    """
    lock, users, held = Lock(), 0, ExitStack()
    value: _Value
    entered: object = None

    @contextmanager
    def shared() -> Iterator[_Value]:
        nonlocal users, value, entered
        with lock:
            if users == 0:
                entered = version()
                value = held.enter_context(limit())
            elif (now := version()) != entered:
                entered = now
                held.enter_context(limit())
            users += 1
        try:
            yield value
        finally:
            with lock:
                users -= 1
                if users == 0:
                    held.close()

    return shared


@partial(process_wide, version=lambda: len(sys.modules))  # SciPy, if imported later, loads another BLAS
@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread: for small matrix products, waiting for other threads costs more than they save.

    Threads of `in_threads` still run in parallel.
    """
    with _blas(len(sys.modules)).limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _blas(n_modules: int) -> "ThreadpoolController":
    """Find the BLAS libraries; again after further imports."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def same_on_any_cores() -> Iterator[None]:
    """Limit BLAS to one thread, because the last digits of a sum depend on the number of threads."""
    import scipy.linalg  # noqa: F401 (a BLAS that is loaded later would not be limited)

    with one_blas_thread():
        yield
