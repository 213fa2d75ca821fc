"""Coverage of held-out rows, against a vocabulary that is fitted again without each unit."""

import numpy as np
import polars as pl
import pytest

from tagline.features.coverage import coverage
from tagline.features.ngrams import WordNgrams
from tagline.features.tokenizer import Tokenizer
from tagline.learners.base import TrainingData
from tagline.learners.held_out_novelty import FinalFit, held_out_novelty
from tagline.task import Task
from tests.synthetic_texts import made_up

TOKENIZER = Tokenizer()


@pytest.fixture(scope="module")
def data() -> TrainingData:
    """Thirty texts of ten groups, the last two texts copies of the first."""
    texts, labels = made_up(30, seed=3)
    texts[-2:] = [texts[0], texts[0]]
    Y = np.array([[label == "c0", label == "c1"] for label in labels])
    groups = pl.Series([str(i % 10) if i % 3 else f"alone {i}" for i in range(30)])
    return TrainingData(pl.Series(texts), Y, Task.BINARY, groups=groups)


@pytest.mark.parametrize("min_df", [1, 2])
@pytest.mark.parametrize("grouped", [True, False])
def test_the_coverage_of_a_row_is_that_of_a_fit_without_its_unit(
    data: TrainingData, min_df: int, grouped: bool
) -> None:
    texts, groups = data.texts, data.groups if grouped else None
    assert isinstance(texts, pl.Series)
    shown = TrainingData(texts, data.Y, data.task, groups=groups)
    block, counts = WordNgrams.fit(texts, TOKENIZER, 3, min_df)
    held = np.arange(30) % 2 == 0 if groups is None else np.ones(30, dtype=bool)
    held |= (texts == texts[0]).to_numpy()  # copies are held out together
    folds = [(np.flatnonzero(~held), np.flatnonzero(held))]
    proba = np.full((held.sum(), 2), 0.5)
    found = held_out_novelty(shown, folds, FinalFit(block, counts, TOKENIZER, min_df, None), proba)
    assert found is not None
    for row, value in zip(np.flatnonzero(held), found.coverage, strict=True):
        same = (texts == texts[int(row)]).to_numpy()
        if groups is not None:
            linked = groups.filter(pl.Series(same)).implode()
            same |= groups.is_in(linked).to_numpy()
            same |= texts.is_in(texts.filter(pl.Series(same)).implode()).to_numpy()
            same |= groups.is_in(groups.filter(pl.Series(same)).implode()).to_numpy()
        others, _ = WordNgrams.fit(texts.filter(pl.Series(~same)), TOKENIZER, 3, min_df)
        text = texts[[int(row)]]
        expected = coverage(others, others.transform(text, TOKENIZER), TOKENIZER.tokenize(text))
        assert value == np.float32(expected[0])


def test_without_a_refit_the_training_rows_alone_are_known(data: TrainingData) -> None:
    assert isinstance(data.texts, pl.Series)
    block, counts = WordNgrams.fit(data.texts, TOKENIZER, 2, 1)
    train, held = np.arange(20), np.arange(20, 30)
    found = held_out_novelty(data, [(train, held)], FinalFit(block, counts, TOKENIZER, 1, train), np.full((10, 2), 0.5))
    assert found is not None
    of_train, _ = WordNgrams.fit(data.texts[:20], TOKENIZER, 2, 1)
    texts = data.texts[20:]
    expected = coverage(of_train, of_train.transform(texts, TOKENIZER), TOKENIZER.tokenize(texts))
    assert found.coverage.tolist() == expected.astype(np.float32).tolist()


def test_of_many_rows_those_that_are_kept_have_the_same_scores(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(data.texts, pl.Series)
    block, counts = WordNgrams.fit(data.texts, TOKENIZER, 2, 2)
    folds = [(np.arange(0), np.arange(30))]
    proba = np.random.default_rng(0).random((30, 2))
    fit = FinalFit(block, counts, TOKENIZER, 2, None)
    every = held_out_novelty(data, folds, fit, proba)
    monkeypatch.setattr("tagline.decisions.novelty._MOST_ROWS", 4)
    few = held_out_novelty(data, folds, fit, proba)
    assert every is not None
    assert few is not None
    kept = [0, 7, 15, 22]
    assert few.coverage.tolist() == every.coverage[kept].tolist()
    assert few.confidence.tolist() == every.confidence[kept].tolist()
