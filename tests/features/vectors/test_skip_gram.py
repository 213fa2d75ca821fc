"""Vectors learned from texts without labels."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline.errors import InputError, MissingExtraError
from tagline.features.vectors import skip_gram
from tagline.features.vectors.skip_gram import learn_vectors


def about(n: int = 300, seed: int = 0) -> pl.Series:
    """Return texts of two kinds, whose words keep company with words of their kind."""
    rng = np.random.default_rng(seed)
    kinds = (["good", "fine", "warm", "glad"], ["bad", "dull", "cold", "sad"])
    texts = [" ".join(rng.choice([*kinds[row % 2], "film"], 20)) for row in range(n)]
    return pl.Series("text", texts)


def cosine(vectors, one: str, other: str) -> float:
    a, b = vectors.table[vectors.places(pl.Series([one, other]))]
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_words_with_similar_contexts_have_similar_vectors() -> None:
    vectors = learn_vectors(about(), 8, seed=1)
    assert vectors.table.shape == (9, 8)
    assert vectors.table.dtype == np.float32
    assert min(cosine(vectors, "good", "warm"), cosine(vectors, "bad", "cold")) > cosine(vectors, "good", "cold") + 0.1


@pytest.mark.slow
def test_vectors_are_the_same_in_another_process() -> None:
    """Python's own hashes differ there, and would give other vectors if anything came of them."""
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from tests.features.vectors.test_skip_gram import about, learn_vectors\n"
        "print(learn_vectors(about(), 8, seed=3).fingerprint)"
    )
    command = [sys.executable, "-c", program, Path(__file__).parents[3]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    vectors = learn_vectors(about(), 8, seed=3)
    assert done.stdout.strip() == vectors.fingerprint
    assert learn_vectors(about(), 8, seed=4).fingerprint != vectors.fingerprint


def test_progress_is_reported_and_its_exceptions_propagate() -> None:
    seen = []
    learn_vectors(about(), 4, progress=lambda done, total: seen.append((done, total)))
    passes = 1 + skip_gram.EPOCHS
    assert seen == [(300 * n, 300 * passes) for n in range(1, passes + 1)]

    def broken(done: int, total: int) -> None:
        if done > 300:
            raise BrokenPipeError("nobody listens")

    with pytest.raises(BrokenPipeError, match="nobody listens"):
        learn_vectors(about(), 4, progress=broken)


def test_too_few_texts() -> None:
    with pytest.raises(InputError, match="No word occurs 5 times or more"):
        learn_vectors(pl.Series(["one two three"] * 4), 4)


def test_without_gensim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skip_gram, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tagline\[vectors\]'"):
        learn_vectors(about(), 4)
