"""Novelty of texts for a fitted classifier: false alarms, recall, bundles, and models that cannot tell."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline import InputError, TextClassifier
from tests.classifier.small_data import data
from tests.ngram_recipes import POSSIBLE
from tests.synthetic_texts import made_up

GOLDEN = Path(__file__).parents[1] / "golden"
UNLIKE = ["zxqw plok vbnm", "Ein Satz in einer anderen Sprache", "我喜欢这部电影", "!!", "QmFzZTY0IHRleHQ="]


@pytest.mark.parametrize(("recipe", "task"), POSSIBLE)
def test_texts_unlike_the_training_texts_have_small_p_values(fitted, recipe: str, task: str) -> None:
    clf = fitted(recipe, task)
    p = clf.novelty_p_values(UNLIKE)
    assert ((p > 0) & (p <= 0.1)).all()
    assert np.median(clf.novelty_p_values(data(task)[0])) > 0.3


def test_one_by_one_equals_a_batch_and_known_probabilities_are_used(fitted) -> None:
    clf = fitted()
    texts = [*UNLIKE, *made_up(20, seed=1)[0]]
    p = clf.novelty_p_values(texts)
    assert [clf.novelty_p_values([text])[0] for text in texts] == p.tolist()
    assert clf.novelty_p_values(texts, clf.predict_proba(texts)).tolist() == p.tolist()
    proba, with_proba = clf.predict_proba_and_novelty(texts)
    assert (proba.tolist(), with_proba.tolist()) == (clf.predict_proba(texts).tolist(), p.tolist())
    assert (clf.novelty_p_values(texts, np.zeros((len(texts), 2))) <= p).all()
    assert clf.novelty_p_values([]).shape == (0,)
    assert clf.predict_proba_and_novelty([])[0].shape == (0, 2)


def test_held_out_rows_are_scored_without_their_own_words() -> None:
    """Each text has a word of its own, which occurs once: held out it is unknown, as in a new text."""
    texts, labels = made_up(400, seed=2, noise=0)
    clf = TextClassifier(settings=["features.words=1", "features.characters=none"]).fit(texts, labels)
    assert clf.novelty_ is not None
    assert len(clf.novelty_) == len(texts)
    assert clf.novelty_.coverage.mean() < np.mean(clf.proba_and_coverage(pl.Series(texts))[1]) - 0.03
    new, _ = made_up(400, seed=3, noise=0)
    assert np.mean(clf.proba_and_coverage(pl.Series(new))[1]) == pytest.approx(clf.novelty_.coverage.mean(), abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("n", [60, 300])
def test_false_alarms_on_unseen_texts(n: int) -> None:
    """Over many training sets the share of unseen texts with a p-value of at most alpha is at most alpha."""
    shares = []
    for seed in range(40):
        clf = TextClassifier(settings=["features.characters=none"]).fit(*made_up(n, 3, seed=seed))
        p = clf.novelty_p_values(made_up(500, 3, seed=1_000 + seed)[0])
        shares.append([(p <= alpha).mean() for alpha in (0.04, 0.1, 0.3)])
    mean, error = np.mean(shares, axis=0), np.std(shares, axis=0) / np.sqrt(len(shares))
    assert (mean <= np.array([0.04, 0.1, 0.3]) + 3 * error).all()  # three levels of two sizes


def test_a_bundle_keeps_the_scores(fitted, tmp_path: Path) -> None:
    clf = fitted()
    clf.save(tmp_path / "model")
    assert (
        TextClassifier.load(tmp_path / "model").novelty_p_values(UNLIKE).tolist()
        == clf.novelty_p_values(UNLIKE).tolist()
    )


def test_models_that_cannot_tell(fitted, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="saved by an earlier version"):
        TextClassifier.load(GOLDEN / "bundle-v2-fast-multiclass" / "model").novelty_p_values(UNLIKE)
    with pytest.raises(InputError, match="is a network"):
        TextClassifier.load(GOLDEN / "bundle-v2-cnn" / "model").novelty_p_values(UNLIKE)
    few = TextClassifier().fit(["good", "bad"], ["a", "b"])
    with pytest.raises(InputError, match="very few texts"):
        few.novelty_p_values(UNLIKE)
    with pytest.raises(InputError, match="word ids"):
        fitted().novelty_p_values([[1, 2]])
