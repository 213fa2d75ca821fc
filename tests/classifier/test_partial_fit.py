"""`partial_fit`: what a model learns from texts in parts, next to a model that sees them at once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagline import TextClassifier
from tagline.data.builtin.samples import read_movie_snippets
from tagline.errors import InputError

GOOD, BAD = ["good", "fine", "great", "lovely"], ["bad", "poor", "dull", "awful"]
ODD = ["strange", "odd", "weird", "queer"]


def texts_of(words: list[str], n: int, seed: int) -> list[str]:
    draws = np.random.default_rng(seed)
    more = [f"word{k}" for k in range(60)]
    return [f"{draws.choice(words)} {draws.choice(more)} {draws.choice(more)}" for _ in range(n)]


@pytest.fixture(scope="module")
def snippets() -> tuple[list[str], list[str]]:
    frame = read_movie_snippets().frame.sample(fraction=1, shuffle=True, seed=0)
    return frame["text"].to_list(), frame["label"].to_list()


def test_the_first_call_is_a_fit(snippets: tuple[list[str], list[str]]) -> None:
    texts, labels = (part[:500] for part in snippets)
    fitted, parted = TextClassifier().fit(texts, labels), TextClassifier().partial_fit(texts, labels, ["neg", "pos"])
    assert np.array_equal(fitted.predict_proba(texts[:50]), parted.predict_proba(texts[:50]))


@pytest.mark.slow
def test_texts_in_parts_are_nearly_as_good_as_all_at_once(snippets: tuple[list[str], list[str]]) -> None:
    texts, labels = snippets
    held = slice(0, 2000)
    rest = list(range(2000, len(texts)))
    whole = TextClassifier().fit([texts[i] for i in rest], [labels[i] for i in rest])
    parted = TextClassifier()
    scores = []
    for part in np.array_split(rest, 6):
        parted.partial_fit([texts[i] for i in part], [labels[i] for i in part])
        scores.append(parted.score(texts[held], labels[held]))
    assert parted.chosen_["learnt_from"] == len(rest)
    assert scores[-1] > scores[0] + 0.03
    assert scores[-1] > whole.score(texts[held], labels[held]) - 0.03


def test_new_words_and_new_classes_are_learned_and_old_ones_kept(tmp_path: Path) -> None:
    clf = TextClassifier()
    clf.partial_fit(texts_of(GOOD, 150, 0) + texts_of(BAD, 150, 1), ["pos"] * 150 + ["neg"] * 150)
    n_features = clf.n_features_
    clf.partial_fit(texts_of(ODD, 150, 2), ["odd"] * 150)
    assert clf.classes_.tolist() == ["neg", "odd", "pos"]
    assert clf.task_ == "multiclass"
    assert clf.n_features_ > n_features
    assert clf.predict(["a good one", "how weird", "awful"]).tolist() == ["pos", "odd", "neg"]
    clf.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    probes = texts_of(GOOD + BAD + ODD, 30, 5)
    assert np.array_equal(loaded.predict_proba(probes), clf.predict_proba(probes))
    loaded.partial_fit(texts_of([*GOOD, "superb"], 40, 6), ["pos"] * 40)
    clf.partial_fit(texts_of([*GOOD, "superb"], 40, 6), ["pos"] * 40)
    assert loaded.predict(["superb"]).tolist() == ["pos"]
    assert np.array_equal(loaded.predict_proba(probes), clf.predict_proba(probes))
    assert clf.chosen_["learnt_from"] == 490


def test_several_labels_a_text() -> None:
    texts = texts_of(GOOD, 60, 0) + texts_of(BAD, 60, 1) + [f"{a} {b}" for a in GOOD for b in BAD]
    labels = [["good"]] * 60 + [["bad"]] * 60 + [["good", "bad"]] * 16
    clf = TextClassifier().fit(texts, labels)
    clf.partial_fit(texts_of(ODD, 60, 2), [["odd"]] * 60)
    assert clf.classes_.tolist() == ["bad", "good", "odd"]
    assert [*clf.predict(["fine but awful", "queer"])] == [["bad", "good"], ["odd"]]
    indicator = np.array([[0, 1]] * 60 + [[1, 0]] * 60)
    clf = TextClassifier().fit(texts[:120], indicator).partial_fit(texts[:20], indicator[:20])
    assert clf.predict(["lovely"]).tolist() == [[0, 1]]


def test_the_same_texts_give_the_same_bits_whatever_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    probes, found = texts_of(GOOD + BAD + ODD, 30, 5), []
    for n_cores in (1, 3):
        monkeypatch.setattr("tagline.parallel._available", lambda n=n_cores: n)
        clf = TextClassifier().fit(texts_of(GOOD, 150, 0) + texts_of(BAD, 150, 1), ["pos"] * 150 + ["neg"] * 150)
        clf.partial_fit(texts_of(GOOD + BAD, 250, 3) + texts_of(ODD, 90, 2), ["pos"] * 250 + ["odd"] * 90)
        found.append(clf.predict_proba(probes))
    assert np.array_equal(*found)


def test_a_text_of_weight_two_is_two_texts() -> None:
    found = []
    for texts, weights in (([*GOOD, *GOOD, *BAD], None), ([*GOOD, *BAD], [2, 2, 2, 2, 1, 1, 1, 1])):
        clf = TextClassifier().fit(texts_of(GOOD, 50, 0) + texts_of(BAD, 50, 1), ["pos"] * 50 + ["neg"] * 50)
        labels = ["pos" if text in GOOD else "neg" for text in texts]
        found.append(clf.partial_fit(texts, labels, sample_weight=weights).predict_proba([*GOOD, *BAD]))
    assert np.allclose(*found, atol=0.02)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([["pos"], ["neg"]], "The model learned from one label for each text: pass one label for each text"),
        ([1, 2], "The labels are of another type than the model's classes: `1`, and `'neg'`"),
        (["pos"], "There are 2 texts and 1 labels"),
        (["pos", None], "Label 1 is missing"),
    ],
)
def test_labels_that_do_not_fit(labels: list[Any], message: str) -> None:
    clf = TextClassifier().fit([*GOOD, *BAD] * 3, (["pos"] * 4 + ["neg"] * 4) * 3)
    before = clf.predict_proba(GOOD)
    with pytest.raises(InputError, match=message):
        clf.partial_fit(["a text", "another"], labels)
    assert np.array_equal(clf.predict_proba(GOOD), before)


def test_models_that_cannot_be_continued() -> None:
    texts, labels = [*GOOD, *BAD] * 3, (["pos"] * 4 + ["neg"] * 4) * 3
    bayes = TextClassifier("naive-bayes").fit(texts, labels)
    with pytest.raises(InputError, match=r"Only a linear SVM of n-grams, .* and this is `naive-bayes`"):
        bayes.partial_fit(texts, labels)
    costs = TextClassifier(costs={"pos": {"neg": 5}}).fit(texts, labels)
    costs.partial_fit(["good"], ["pos"])
    with pytest.raises(InputError, match="takes no new classes"):
        costs.partial_fit(["odd"], ["odd"])
    with pytest.raises(InputError, match="The label `odd` is not among `classes`"):
        TextClassifier().partial_fit(["good", "odd"], ["pos", "odd"], classes=["pos", "neg"])


def test_a_model_that_changed_without_held_out_texts_abstains_no_more_by_earlier_ones(tmp_path: Path) -> None:
    clf = TextClassifier().fit(texts_of(GOOD, 150, 0) + texts_of(BAD, 150, 1), ["pos"] * 150 + ["neg"] * 150)
    assert 0 <= clf.abstention_threshold(0.9) <= 1
    clf.partial_fit(texts_of(GOOD, 50, 2), ["neg"] * 50)
    clf.save(tmp_path / "model")
    for changed in (clf, TextClassifier.load(tmp_path / "model")):
        with pytest.raises(InputError, match="continued with fewer than 200"):
            changed.abstention_threshold(0.9)
        with pytest.raises(InputError, match="continued with fewer than 200"):
            changed.predict_sets(["a good one"])
    clf.partial_fit(texts_of(GOOD, 150, 3) + texts_of(BAD, 150, 4), ["pos"] * 150 + ["neg"] * 150)
    assert 0 <= clf.abstention_threshold(0.9) <= 1
