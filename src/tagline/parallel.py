"""Work on all cores: NumPy, polars and liblinear let go of the interpreter's lock."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import lru_cache, partial
from threading import Lock, local
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Value = TypeVar("_Value")

_own = local()  # .cores: those that a thread of a pool may use itself
_most: int | None = None


def limit_cores(most: int) -> None:
    """Let this process use no more cores than these: others share the machine with it."""
    global _most
    _most = most


def cores() -> int:
    """Return how many processors this process may use."""
    return min(_most or _available(), _available())


def _available() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Apply ``function`` to each item, on all cores, and return the results in order.

    What ``function`` gives to threads in its turn shares the cores that are its own: where there are as many items as
    cores, that is one, and it goes on in sequence.
    """
    work = list(items)
    mine: int = getattr(_own, "cores", None) or cores()
    workers = min(mine, len(work))
    if workers < 2:
        return [function(item) for item in work]
    with ThreadPoolExecutor(workers, initializer=lambda: setattr(_own, "cores", mine // workers)) as pool:
        return list(pool.map(function, work))


def process_wide(
    limit: Callable[[], AbstractContextManager[_Value]], anew: Callable[[], object] = lambda: None
) -> Callable[[], AbstractContextManager[_Value]]:
    """Return ``limit`` as a context that threads may share: the first in enters it, the last out leaves it.

    For what holds for the whole process: if each thread saved and restored it, one would save what another had set.
    All are given what the first was. One that comes when ``anew`` has changed enters it once more, for there is more
    to limit.
    """
    lock, users, held = Lock(), 0, ExitStack()
    value: _Value
    seen: object = None

    @contextmanager
    def shared() -> Iterator[_Value]:
        nonlocal users, value, seen
        with lock:
            if users == 0:
                seen = anew()
                value = held.enter_context(limit())
            elif (now := anew()) != seen:
                seen = now
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


@partial(process_wide, anew=lambda: len(sys.modules))  # SciPy, loaded later, brings a library of its own
@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep matrix products on the thread that asks for them: small ones lose more by waiting for helpers than they win.

    Threads of our own, each with work of its own, go on side by side.
    """
    with _blas(len(sys.modules)).limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _blas(n_modules: int) -> "ThreadpoolController":
    """Find what does the products; again once modules were imported."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def same_on_any_cores() -> Iterator[None]:
    """Keep sums on one thread: one over several has other last digits, and what is learnt or drawn by it differs."""
    import scipy.linalg  # noqa: F401 (what is loaded later would not be limited)

    with one_blas_thread():
        yield
