"""Integrated gradients: what words add makes the score, and is the integral of the gradient."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tagline import Explanation, InputError, TextClassifier, explain_text
from tagline.explain import START_OF_TEXT
from tagline.models import Network
from tagline.models.network.layers import Dense
from tests.drawn_networks import SMALL, WORDS, drawn

SEQUENCES = [name for name in SMALL if name != "multihot-dense"]
TEXTS = [
    "The film was a joy",
    "bad bad plot, dull dull unheard-of music of the film: the end was bad and a good joy",
    "the",
    "",
]


def series(text: str) -> pl.Series:
    return pl.Series([text], dtype=pl.String)


def assert_adds_up(explanation: Explanation, score: float) -> None:
    assert explanation.score == pytest.approx(score, abs=1e-4)
    total = explanation.intercept + sum(part.value for part in explanation.contributions)
    # Single precision, in which most layers compute, tells nothing beyond some units in the last place.
    size = max(abs(explanation.score), *(abs(part.value) for part in explanation.contributions))
    near = max(0.01 * abs(explanation.score - explanation.intercept), 2e-6 * size)
    assert total == pytest.approx(explanation.score, abs=near)
    assert explanation.remainder == pytest.approx(explanation.score - total)
    words = sum(value for _, _, value in explanation.words())
    assert words + explanation.absent == pytest.approx(total - explanation.intercept, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("recipe", SMALL)
def test_contributions_add_up_to_the_log_odds(recipe: str, seed: int) -> None:
    clf = drawn(recipe, seed=seed, temperature=1.7)
    for text in TEXTS:
        score = clf.decision_function([text])[0]
        one, other = explain_text(clf, text, "c1"), explain_text(clf, text, "c0")
        assert one.scale == "log-odds"
        assert_adds_up(one, score)
        assert_adds_up(other, -score)
        assert one.prediction == clf.predict([text])[0]
        assert {c.name: c.value for c in one.contributions} == {c.name: -c.value for c in other.contributions}


@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("recipe", SMALL)
def test_contributions_add_up_to_the_score_of_each_class(recipe: str, multilabel: bool) -> None:
    clf = drawn(recipe, n_classes=3, multilabel=multilabel, seed=5, temperature=0.6)
    for text in TEXTS[:2]:
        scores = clf.decision_function([text])[0]
        for name, score in zip(clf.classes_, scores, strict=True):
            explanation = explain_text(clf, text, name)
            assert explanation.scale == ("log-odds" if multilabel else "score")
            assert_adds_up(explanation, score)


@pytest.mark.parametrize("recipe", SMALL)
def test_small_scores_are_shared_out_as_closely(recipe: str) -> None:
    """A network that has hardly learned says next to nothing, and still contributions are within 1 % of it."""
    for seed in range(2):
        clf = drawn(recipe, seed=seed)
        rng = np.random.default_rng(seed)
        layers = clf.model_.layers
        clf.model_ = Network.draw(layers, rng, masked=clf.model_.masked)
        for text in TEXTS:
            explanation = explain_text(clf, text, "c1")
            assert abs(explanation.score) < 1
            assert abs(explanation.remainder) <= 0.01 * abs(explanation.score - explanation.intercept)
            assert_adds_up(explanation, clf.decision_function([text])[0])


@pytest.mark.parametrize("recipe", SEQUENCES)
def test_contributions_are_the_integral_of_the_gradient_of_each_vector(recipe: str) -> None:
    # As training sees it: the table of vectors goes from that of padding alone to what it is, and each word's vector
    # has a gradient of its own.
    clf = drawn(recipe, seed=1)
    network = clf.model_
    table = network.weights[0][0]
    nothing = np.zeros_like(table) if network.masked else np.broadcast_to(table[0], table.shape)
    for text in TEXTS[:2]:
        X = network.prepare(clf.vectorizer_.transform(series(text)))
        by_id = np.zeros(len(table))
        steps = 200
        for place in (np.arange(steps) + 0.5) / steps:
            between = (nothing + place * (table - nothing)).astype(np.float32)
            at = replace(network, weights=((between,), *network.weights[1:]))
            gradient = at.backward(np.ones((1, 1), np.float32), at.forward(X)[1])[0][0]
            by_id += ((table - nothing) * gradient).sum(axis=1) / steps
        explanation = explain_text(clf, text, "c1")
        at = replace(network, weights=((nothing.astype(np.float32),), *network.weights[1:]))
        assert explanation.intercept == pytest.approx(at.logits(X)[0, 0], abs=1e-5)
        found = {part.name: part.value for part in explanation.contributions}
        near = 0.01 * max(np.abs(by_id).sum(), 0.1)
        names = {1: START_OF_TEXT, 2: "(unknown words)", **{rank + 3: w for rank, w in enumerate(WORDS.words, 1)}}
        for number, value in enumerate(by_id[1:], 1):
            assert found.get(names.get(number), 0.0) == pytest.approx(value, abs=near)


def test_without_hidden_layers_a_word_adds_its_weight() -> None:
    clf = drawn("multihot-dense", model__layers=0, temperature=2.0)
    (layer,), ((kernel, bias),) = clf.model_.layers, clf.model_.weights
    assert isinstance(layer, Dense)
    explanation = explain_text(clf, "the film, the sea", "c1")
    found = {part.name: part.value for part in explanation.contributions}
    expected = {START_OF_TEXT: kernel[1, 0], "(unknown words)": kernel[2, 0], "the": kernel[4, 0], "film": kernel[5, 0]}
    assert found == pytest.approx({name: value / 2 for name, value in expected.items()}, rel=1e-5)
    assert explanation.intercept == pytest.approx(bias[0] / 2, rel=1e-5)
    assert [round(value * 2, 5) for _, _, value in explanation.words()] == pytest.approx(
        [kernel[4, 0] / 2, kernel[5, 0], kernel[4, 0] / 2, kernel[2, 0]], abs=1e-4
    )


@pytest.mark.parametrize("recipe", SMALL)
def test_a_word_is_one_contribution_with_all_its_places(recipe: str) -> None:
    text = "Bad film? BAD music, unheard-of"
    explanation = explain_text(drawn(recipe), text)
    parts = {part.name: part for part in explanation.contributions}
    assert set(parts) == {"bad", "film", "music", "of", "(unknown words)", START_OF_TEXT}
    assert parts["bad"].spans == ((0, 3), (10, 13))
    assert parts["(unknown words)"].spans == ((21, 28),)
    assert parts[START_OF_TEXT].spans == ()
    value_of = {(start, end): value for start, end, value in explanation.words()}
    assert list(value_of) == [(0, 3), (4, 8), (10, 13), (14, 19), (21, 28), (29, 31)]
    for part in parts.values():
        if part.spans:
            assert part.value == pytest.approx(sum(value_of[span] for span in part.spans), abs=1e-9)
    sizes = [abs(part.value) for part in explanation.contributions]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("recipe", SEQUENCES)
def test_what_is_cut_off_adds_nothing(recipe: str, padding: str, truncating: str) -> None:
    clf = drawn(recipe, maxlen=4, features__truncating=truncating, features__padding=padding)
    explanation = explain_text(clf, "the film was a good joy")
    values = [value for _, _, value in explanation.words()]
    seen = [True] * 3 + [False] * 3 if truncating == "post" else [False] * 2 + [True] * 4
    assert [value != 0 for value in values] == seen
    assert any(part.name == START_OF_TEXT for part in explanation.contributions) == (truncating == "post")
    # With room for more, padding comes in and adds nothing of its own.
    short = explain_text(clf, "the film")
    assert {part.name for part in short.contributions} == {START_OF_TEXT, "the", "film"}
    assert_adds_up(short, clf.decision_function(["the film"])[0] * (1 if short.class_name == "c1" else -1))


def test_stop_words_that_are_left_out_add_nothing() -> None:
    explanation = explain_text(drawn("embedding-average", features__stop_words=True), "the film was good")
    assert [value != 0 for _, _, value in explanation.words()] == [False, True, False, True]


@pytest.mark.parametrize("recipe", SMALL)
def test_a_reloaded_model_explains_the_same(recipe: str, tmp_path) -> None:
    clf = drawn(recipe, temperature=1.3)
    clf.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    for text in TEXTS:
        assert explain_text(loaded, text) == explain_text(clf, text)


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from tagline import TextClassifier, explain_text
for folder in sys.argv[1:]:
    explanation = explain_text(TextClassifier.load(folder), "the film was a joy", "c1")
    print(explanation.score, len(explanation.contributions))
"""


def test_explaining_needs_no_torch(tmp_path) -> None:
    models = {recipe: drawn(recipe) for recipe in SMALL}
    for recipe, clf in models.items():
        clf.save(tmp_path / recipe)
    folders = [str(tmp_path / recipe) for recipe in models]
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH, *folders], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for line, clf in zip(done.stdout.splitlines(), models.values(), strict=True):
        score, n_parts = line.split()
        assert float(score) == pytest.approx(clf.decision_function(["the film was a joy"])[0], abs=1e-4)
        assert n_parts == "6"


def test_a_model_that_knows_no_words_cannot_explain_texts() -> None:
    with pytest.raises(InputError, match="trained on word ids without a word index, so it cannot read texts"):
        explain_text(drawn("lstm", words=False), "the film")


PLANTED = {
    "multihot-dense": {},
    "embedding-average": {"training.learning_rate": 0.02},
    "lstm": {"training.learning_rate": 0.02, "model.input_dropout": 0, "model.recurrent_dropout": 0},
    "lstm-masked": {"training.learning_rate": 0.02, "model.input_dropout": 0, "model.recurrent_dropout": 0},
    "bilstm": {"training.learning_rate": 0.02, "training.schedule": "constant", "model.dropout": 0.1},
    "gru": {"training.learning_rate": 0.02, "training.schedule": "constant", "model.dropout": 0.1},
    "cnn": {"training.learning_rate": 0.02, "training.schedule": "constant", "model.dropout": 0.1},
}


@pytest.mark.parametrize("recipe", PLANTED)
def test_the_word_that_decides_is_the_strongest(recipe: str) -> None:
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    planted = {"zebra": "zoo", "quiet": "home", "and": "nowhere"}
    texts, labels = [], []
    for row in range(360):
        word = list(planted)[row % 3]
        words = [*rng.choice(["the", "a", "film", "was", "and", "of", "it"], 7), word]
        rng.shuffle(words)
        texts.append(" ".join(words))
        labels.append(planted[word])
    small = {**SMALL[recipe], **({} if recipe == "multihot-dense" else {"features.maxlen": 9})}
    training = {"training.batch_size": 20, "training.epochs": 15, "protocol.validation": 0.2, "protocol.refit": "no"}
    clf = TextClassifier(recipe, settings={**small, **training, **PLANTED[recipe]}).fit(texts, labels)
    assert clf.score(texts, labels) > 0.98
    for text, word in (("it was a zebra of the film", "zebra"), ("and the film was quiet, it was", "quiet")):
        explanation = explain_text(clf, text)
        assert explanation.prediction == explanation.class_name == planted[word]
        assert_adds_up(explanation, clf.decision_function([text])[0].max())
        start, end, value = max(explanation.words(), key=lambda found: abs(found[2]))
        assert text[start:end] == word
        assert value > 0
