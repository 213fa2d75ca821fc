"""SIGINT and SIGTERM as exceptions that unwind the stack, raised only where no cleanup is cut short.

Python runs a signal handler between any two instructions of the main thread, and an exception raised there strikes
whatever code happens to run: an import would keep its lock, a context manager would not remove its temporary file, a
finalizer would swallow the exception. `StopSignals` looks at the whole stack first. Where an exception would do harm,
it sets a timer and looks again a moment later.
"""

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Self

from tagline.storage.locks import wait_for_lock

INTERRUPTED, TERMINATED = 130, 143  # exit statuses, as shells give them
_RETRY_SECONDS = 0.01
_CLEANUP = {"__enter__", "__exit__", "__del__"}


class Terminated(SystemExit):
    """SIGTERM was received."""


class StopSignals:
    """A context in which SIGINT raises `KeyboardInterrupt` and SIGTERM raises `Terminated`, in the main thread.

    The exception waits

    * while a module is imported,
    * in ``__enter__``, ``__exit__`` and ``__del__``, and so in both ends of every ``contextlib.contextmanager``,
    * in ``finally`` and ``except`` blocks that an earlier stop runs through, and in a generator that is being closed,
    * in this module.

    Nothing but a finalizer delays it while `locks.wait_for_lock` waits for another process.

    An exception that is lost all the same, in the callback of a weak reference for instance, is raised again. SIGINT
    is left alone where it does not raise `KeyboardInterrupt`, such as in the background of a shell. In other threads
    than the main one the context does nothing.
    """

    def __init__(self) -> None:
        self._caller: FrameType | None = None
        self._handlers: dict[int, signal._HANDLER] = {}
        self._pending: int | None = None
        self._raised: BaseException | None = None
        self._ignoring = False

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        self._caller = sys._getframe(1)
        self._unraisable_hook, sys.unraisablehook = sys.unraisablehook, self._raise_again
        if sys.platform != "win32":  # which has no timer: there the exception is raised at once
            self._handlers[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._handle)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._handlers[signal.SIGINT] = signal.signal(signal.SIGINT, self._handle)
        self._handlers[signal.SIGTERM] = signal.signal(signal.SIGTERM, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.ignore()
        if self._caller is None:
            return
        for number, handler in reversed(self._handlers.items()):
            signal.signal(number, handler)
        sys.unraisablehook = self._unraisable_hook
        self._caller = self._raised = None

    def ignore(self) -> None:
        """Ignore further signals, because the program is about to end anyway."""
        self._ignoring = True
        if signal.SIGALRM in self._handlers:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number in (signal.SIGINT, signal.SIGTERM):
            self._pending = number
        if self._pending is None or self._ignoring:
            return
        if signal.SIGALRM in self._handlers and (self._is_cleaning_up() or self._is_protected(frame)):
            signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)
            return
        stop, self._pending = self._pending, None
        self._raised = KeyboardInterrupt() if stop == signal.SIGINT else Terminated(TERMINATED)
        raise self._raised

    def _is_cleaning_up(self) -> bool:
        """Return whether the code that was interrupted runs because of an earlier stop, or closes a generator."""
        handled = sys.exception()
        while handled is not None:
            if handled is self._raised or isinstance(handled, GeneratorExit):
                return True
            handled = handled.__context__
        return False

    def _is_protected(self, frame: FrameType | None) -> bool:
        """Return whether a frame of the context, from the interrupted one outwards, must run to its end."""
        while frame is not None and frame is not self._caller:
            code = frame.f_code
            if code is wait_for_lock.__code__:
                return False
            if code.co_name in _CLEANUP or code.co_filename.startswith("<frozen importlib"):
                return True
            if code.co_filename == __file__:
                return True
            frame = frame.f_back
        return False

    def _raise_again(self, lost: "sys.UnraisableHookArgs") -> None:
        if self._raised is None or lost.exc_value is not self._raised or self._ignoring:
            self._unraisable_hook(lost)
            return
        self._pending = signal.SIGTERM if isinstance(self._raised, Terminated) else signal.SIGINT
        if signal.SIGALRM in self._handlers:
            signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)
