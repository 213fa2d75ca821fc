"""Signals stop a command by an exception, at whatever moment they come, and cut no cleanup short."""

import importlib
import os
import random
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tagline.cli.interrupts import StopSignals, Terminated
from tagline.storage.locks import lock

SECONDS = 20  # for a busy machine
BOTH = pytest.mark.parametrize(("number", "stop"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Whoever runs the tests may ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def stop_of(work: Callable[[], object]) -> type[BaseException]:
    """Run a function that sends a signal, wait, and return the type of the exception that ended it."""
    try:
        with StopSignals():
            work()
            time.sleep(SECONDS)
    except (KeyboardInterrupt, Terminated) as stop:
        return type(stop)
    pytest.fail("nothing was raised")


@BOTH
def test_a_signal_raises(number: int, stop: type[BaseException]) -> None:
    before = signal.getsignal(number)
    assert stop_of(lambda: signal.raise_signal(number)) is stop
    assert signal.getsignal(number) is before
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


@BOTH
def test_a_signal_during_an_import_waits_for_its_end(
    number: int, stop: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever frame of the import is on top: raised within, the exception could leave a lock held."""
    (tmp_path / "signalling.py").write_text(
        f"import signal\ndef deep():\n    signal.raise_signal({number:d})\n    return 'done'\nvalue = deep()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert stop_of(lambda: importlib.import_module("signalling")) is stop
    assert sys.modules.pop("signalling").value == "done"


@pytest.mark.skipif(os.name != "posix", reason="no locks")
@BOTH
def test_a_signal_interrupts_waiting_for_a_lock(number: int, stop: type[BaseException], tmp_path: Path) -> None:
    """Although it waits in an ``__enter__``: the other process may hang."""
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with lock(tmp_path):
            held.set()
            free.wait(SECONDS)

    def wait() -> None:
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
        with lock(tmp_path):
            pytest.fail("the signal waited until the lock was released")

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(SECONDS)
    try:
        assert stop_of(wait) is stop
    finally:
        free.set()
        holder.join()
    with lock(tmp_path, wait=False):
        pass


class Signalling:
    """Sends a signal when it is entered, left or finalized, and records that it got past that."""

    def __init__(self, number: int, method: str) -> None:
        self.number, self.method = number, method
        self.past: list[str] = []

    def _run(self, method: str) -> None:
        if method == self.method:
            signal.raise_signal(self.number)
            self.past.append(method)

    def __enter__(self) -> None:
        self._run("__enter__")

    def __exit__(self, *_: object) -> None:
        self._run("__exit__")

    def __del__(self) -> None:
        self._run("__del__")


@pytest.mark.parametrize("method", ["__enter__", "__exit__", "__del__"])
@BOTH
def test_a_signal_in_a_method_that_cleans_up_waits_for_its_end(
    number: int, stop: type[BaseException], method: str
) -> None:
    past: list[str] = []

    def work() -> None:
        context = Signalling(number, method)
        context.past = past
        with context:
            pass

    assert stop_of(work) is stop
    assert past == [method]


@BOTH
def test_a_signal_in_a_generator_that_cleans_up_waits_for_its_end(number: int, stop: type[BaseException]) -> None:
    past = []

    def rows() -> Iterator[int]:
        try:
            yield 1
        finally:
            signal.raise_signal(number)
            past.append("finally")

    assert stop_of(lambda: next(rows())) is stop  # it is closed when nothing refers to it any more
    context = contextmanager(rows)()
    assert stop_of(lambda: context.__enter__() and context.__exit__(None, None, None)) is stop
    assert past == ["finally", "finally"]


@BOTH
def test_a_second_signal_does_not_cut_short_the_cleanup_of_the_first(number: int, stop: type[BaseException]) -> None:
    past = []

    def work() -> None:
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)
            time.sleep(0.1)
            past.append("finally")

    assert stop_of(work) is stop
    assert past == ["finally"]


def test_a_second_signal_stops_what_follows_a_caught_first() -> None:
    """`tagline tune` trains its best recipe after the first Ctrl-C."""
    past = []

    def work() -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        past.append("first")
        signal.raise_signal(signal.SIGTERM)

    assert stop_of(work) is Terminated
    assert past == ["first"]


def test_an_exception_that_is_lost_is_raised_again() -> None:
    """Python reports an exception in the callback of a weak reference and goes on."""

    class Referred:
        pass

    referred = [Referred()]
    reference = weakref.ref(referred[0], lambda _: signal.raise_signal(signal.SIGTERM))
    assert stop_of(referred.clear) is Terminated
    assert reference() is None


def test_signals_are_ignored_at_the_end() -> None:
    with StopSignals() as signals:
        try:
            signal.raise_signal(signal.SIGTERM)
        except Terminated:
            signals.ignore()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.05)


def test_other_threads_leave_signals_alone() -> None:
    found = []

    def work() -> None:
        with StopSignals():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]


MODULE = "import threading, weakref\nvalue = sum(n * n for n in range(300))\ndef f():\n    return value\n"


class Work:
    """The usual work of a command: imports, files, finalizers; interrupted steps are counted."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cut_short = folder, 0

    @contextmanager
    def temporary(self) -> Iterator[Path]:
        path = self.folder / "temporary"
        try:
            path.touch()
            yield path
        finally:
            self.cut_short += 1
            path.unlink()
            self.cut_short -= 1

    def __call__(self) -> None:
        with self.temporary() as path:
            assert path.exists()
        sys.modules.pop("freshly_imported", None)
        assert importlib.import_module("freshly_imported").f()
        Finalized(self)
        sum(n * n for n in range(100))


class Finalized:
    def __init__(self, work: Work) -> None:
        self.work = work

    def __del__(self) -> None:
        if hasattr(self, "work"):  # else it was stopped while it was made
            self.work.cut_short += 1
            sum(n * n for n in range(100))
            self.work.cut_short -= 1


@contextmanager
def load() -> Iterator[None]:
    """Threads that keep the interpreter busy and interrupt the main thread at every step."""
    ending, interval = threading.Event(), sys.getswitchinterval()
    sys.setswitchinterval(0.0002)

    def burn() -> None:
        while not ending.is_set():
            sum(n * n for n in range(1000))

    threads = [threading.Thread(target=burn) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield
    ending.set()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)


def in_thread(function: Callable[[], Any]) -> bool:
    """Return whether a function ends in a thread of its own, which it does not while the import lock is held."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(SECONDS)
    return not thread.is_alive()


ROUNDS = 40  # of three signals each


@pytest.mark.slow
def test_signals_at_random_moments_under_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "freshly_imported.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    folder = tmp_path / "files"
    folder.mkdir()
    rng = random.Random(0)
    stops = []

    def send(delays: list[float]) -> None:
        for delay in delays:
            time.sleep(delay)
            os.kill(os.getpid(), rng.choice([signal.SIGTERM, signal.SIGINT]))

    with load():
        for _ in range(ROUNDS):
            work = Work(folder)
            sender = threading.Thread(target=send, args=([rng.random() / 50, *(rng.random() / 200 for _ in range(2))],))
            with StopSignals() as signals:
                try:
                    sender.start()
                    while True:
                        work()
                except (Terminated, KeyboardInterrupt) as stop:
                    signals.ignore()
                    stops.append(stop)
                sender.join()
            assert not list(folder.iterdir())
            assert work.cut_short == 0
            sys.modules.pop("freshly_imported", None)
            assert in_thread(lambda: importlib.import_module("freshly_imported"))
    assert len(stops) == ROUNDS
