"""Work on long texts ends at Ctrl-C, and where it is no longer needed."""

import signal
from collections.abc import Callable
from threading import Event
from types import FrameType

import numpy as np
import polars as pl
import pytest

from tagline import parallel
from tagline.features._core.arrow import Texts
from tagline.features._core.vocabulary import Interner
from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.scorer import LinearScorer
from tagline.features.token_ids import make_vocabulary
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Vectorizer
from tagline.parallel import in_threads

Work = Callable[[str], object]

LONG = "a good film " * 10_000_000  # 120 MB
UNSPACED = "我们" * 20_000_000


def numbering() -> Work:
    interner = Interner("unicode", True, ())
    return lambda text: interner.add(Texts([text]), 0, 1)


def looking_up() -> Work:
    vocabulary = make_vocabulary(pl.Series(["good", "们"]), Tokenizer())
    return lambda text: vocabulary.look_up(Texts([text]), 0, 1)


def scoring() -> Work:
    texts = pl.Series(["a good film 我们"])
    blocks = (WordNgrams.fit(texts, Tokenizer(), 2, 1)[0], CharNgrams.fit(texts, Tokenizer(), 2, 3, 1)[0])
    scales = tuple(np.ones(block.table.n_columns, dtype=np.float32) for block in blocks)
    vectorizer = Vectorizer(blocks, scales, "log", True, Tokenizer())
    scorer = LinearScorer(vectorizer, np.ones((vectorizer.n_columns, 1), dtype=np.float32), np.zeros(1))
    return lambda text: scorer.score([text])


@pytest.fixture(params=[numbering, looking_up, scoring])
def work(request: pytest.FixtureRequest) -> Work:
    return request.param()


@pytest.fixture(params=["words", "unspaced"])
def text(request: pytest.FixtureRequest) -> str:
    return {"words": LONG, "unspaced": UNSPACED}[request.param]


class _InterruptedError(Exception):
    pass


def test_signals_are_handled_during_the_work(work: Work, text: str) -> None:
    """Without a look at signals they would be handled together, as one, at the end."""
    handled = 0

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal handled
        handled += 1
        if handled == 4:
            raise _InterruptedError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        with pytest.raises(_InterruptedError):
            work(text)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_failure_ends_the_work_of_other_threads(work: Work, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    started, finished = Event(), []

    def one(part: str | None) -> None:
        if part is None:
            started.wait()
            raise _InterruptedError
        started.set()
        work(part)
        finished.append(part)

    with pytest.raises(_InterruptedError):
        in_threads(one, [None, text])
    assert not finished
