"""Work in threads: as many as there are cores and no more, and limits of the process that threads share."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from threadpoolctl import threadpool_info

from tagline import parallel as threads
from tagline.models.network.layers import Dense
from tagline.models.network.network import Network
from tagline.parallel import (
    ahead,
    checkpoint,
    cores,
    in_threads,
    one_blas_thread,
    process_wide,
    row_ranges,
    thread_ranges,
)


def blas() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize(
    ("n_cores", "items", "inner"), [(4, 8, 1), (4, 4, 1), (4, 2, 2), (8, 3, 2), (4, 1, 4), (1, 5, 1)]
)
def test_threads_within_threads_share_the_cores(
    monkeypatch: pytest.MonkeyPatch, n_cores: int, items: int, inner: int
) -> None:
    monkeypatch.setattr(threads, "_available", lambda: n_cores)
    busy, most, lock = 0, 0, threading.Lock()

    def work(item: int) -> str:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.01)
        with lock:
            busy -= 1
        return threading.current_thread().name

    def outer(item: int) -> int:
        return len(set(in_threads(work, range(20))))

    assert max(in_threads(outer, range(items))) <= inner
    assert most <= n_cores
    assert len(set(in_threads(work, range(20)))) <= n_cores  # outside it is as before


def test_results_are_in_order() -> None:
    assert in_threads(lambda i: in_threads(lambda j: 10 * i + j, range(3)), range(3)) == [
        [0, 1, 2],
        [10, 11, 12],
        [20, 21, 22],
    ]


def test_the_first_in_sets_a_limit_and_the_last_out_lifts_it() -> None:
    seen = []

    @process_wide
    @contextmanager
    def limit() -> Iterator[int]:
        seen.append("set")
        try:
            yield len(seen)
        finally:
            seen.append("lifted")

    one, two = limit(), limit()
    assert one.__enter__() == two.__enter__() == 1
    one.__exit__(None, None, None)
    assert seen == ["set"]
    two.__exit__(None, None, None)
    assert seen == ["set", "lifted"]
    with pytest.raises(ZeroDivisionError), limit():
        raise ZeroDivisionError
    assert seen == ["set", "lifted", "set", "lifted"]


def test_blas_has_its_threads_back_after_predictions_in_several_threads() -> None:
    network = Network.draw([Dense(50, 8, "relu"), Dense(8, 1)], np.random.default_rng(0))
    X = sp.csr_matrix(np.random.default_rng(0).random((600, 50)).astype(np.float32))
    before = blas()
    assert before
    start = threading.Barrier(4)

    def predict(number: int) -> None:
        start.wait()
        for _ in range(20 + number):
            network.logits(X)

    running = [threading.Thread(target=predict, args=(number,)) for number in range(4)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert blas() == before


def test_blas_stays_on_one_thread_until_the_last_is_done() -> None:
    before = blas()
    one, two = one_blas_thread(), one_blas_thread()
    one.__enter__()
    two.__enter__()
    one.__exit__(None, None, None)
    assert set(blas()) == {1}
    two.__exit__(None, None, None)
    assert blas() == before


def test_a_blas_that_comes_later_is_kept_to_one_thread_too() -> None:
    code = """
import numpy
from threadpoolctl import threadpool_info
from tagline.parallel import one_blas_thread

def blas():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

with one_blas_thread():
    import scipy.linalg
    both = len(blas())
    with one_blas_thread():
        print(set(blas()) == {1}, end=" ")
    print(set(blas()) == {1}, end=" ")
print(set(blas()) == {2} and len(blas()) == both)
"""
    two = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=two)
    assert done.stdout == "True True True\n"


def test_a_failed_call_ends_the_others_at_their_next_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_available", lambda: 4)
    started = threading.Event()

    def run_on() -> None:
        started.set()
        while True:
            checkpoint()

    def fail() -> None:
        started.wait()
        raise KeyError("failed")

    # The one that runs on works for a nested call.
    with pytest.raises(KeyError, match="failed"):
        in_threads(lambda job: job(), [fail, lambda: in_threads(lambda job: job(), [run_on, run_on])])
    checkpoint()  # in no call


def test_ranges_cover_all_rows() -> None:
    for lengths in ([], [0], [0, 0, 0], [5], [1, 100, 1], [3] * 50, [40_000, 1, 90_000], [1_000] * 200):
        ends = np.cumsum([0, *lengths])
        for ranges in (row_ranges(ends, 10), thread_ranges(ends, 50_000)):
            covered = [row for first, last in ranges for row in range(first, last)]
            assert covered == list(range(len(lengths)))
            assert all(a[1] == b[0] for a, b in pairwise(ranges))


@pytest.mark.parametrize(("n_entries", "n_ranges"), [(10_000, 1), (400_000, 8), (4_000_000, 40)])
def test_small_data_is_divided_among_all_cores(monkeypatch: pytest.MonkeyPatch, n_entries: int, n_ranges: int) -> None:
    monkeypatch.setattr(threads, "_available", lambda: 4)
    ends = np.arange(0, n_entries + 1, 100)
    assert len(thread_ranges(ends, 100_000)) == n_ranges


def test_a_call_that_fails_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_available", lambda: 2)
    started = threading.Event()

    def work(number: int) -> None:
        if number == 1:
            started.wait()
            raise ZeroDivisionError
        started.set()
        while True:  # until the other has failed
            checkpoint()

    with pytest.raises(ZeroDivisionError):
        in_threads(work, range(8))


def test_items_are_made_ahead_in_their_order() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        for n in range(20):
            if n == 1:
                made.set()
            yield n

    seen = []
    for n in ahead(items()):
        assert made.wait(10)  # while the first one is used
        seen.append(n)
    assert seen == list(range(20))
    assert list(ahead([])) == []


def test_an_error_of_an_item_that_is_made_ahead_comes_in_its_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("the third")

    made = ahead(items())
    assert [next(made), next(made)] == [1, 2]
    with pytest.raises(ValueError, match="the third"):
        next(made)


def test_the_thread_that_makes_items_ahead_ends_with_its_caller() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.set()

    n_threads = threading.active_count()
    for n in ahead(items()):
        if n == 3:
            break
    assert closed.wait(10)
    deadline = time.monotonic() + 10
    while threading.active_count() > n_threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == n_threads


def test_the_thread_that_makes_items_ahead_has_the_cores_of_its_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_available", lambda: 6)
    assert list(ahead(cores() for _ in range(2))) == [6, 6]
    assert in_threads(lambda _: list(ahead(cores() for _ in range(1))), range(2)) == [[3], [3]]
    monkeypatch.setattr(threads, "_available", lambda: 1)
    assert list(ahead(threading.current_thread() for _ in range(1))) == [threading.main_thread()]
