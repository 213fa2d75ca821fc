"""Networks that start from word vectors: which rows of the table move, what is told, and that nothing else changes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import polars as pl
import pytest
import scipy.sparse as sp

from tagline import InputError, TextClassifier, explain_text, load_recipe
from tagline.features.sequences import WordIndex
from tagline.models import Network
from tagline.models.network.layers import Dense
from tagline.recipes import make_recipe
from tagline.training import Callback, Rows, State, train
from tests.learners.small_networks import sequences, small
from tests.synthetic_texts import made_up

TEXTS, CLASSES = made_up(120, noise=0.3)
VOCABULARY = WordIndex.fit(TEXTS).words.to_list()
KNOWN = VOCABULARY[::2]  # every other word has a vector
TABLE = np.random.default_rng(5).normal(0.3, 0.2, (len(KNOWN), 6)).astype(np.float32)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "mine.txt"
    rows = (" ".join([word, *map(repr, map(float, row))]) for word, row in zip(KNOWN, TABLE, strict=True))
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return str(path)


def classifier(file: str, recipe: str = "embedding-average", **settings: Any) -> TextClassifier:
    return small(recipe, **{"model__embedding": "vectors", "model__vectors": file} | settings)


def embeddings(clf: TextClassifier, words: list[str]) -> np.ndarray:
    """Return the rows of the embedding of some words, (n_words, size)."""
    return clf.model_.arrays()["0.embeddings"][clf.vectorizer_.index.word_ids(pl.Series(words), 10_000)]


@pytest.mark.parametrize("recipe", ["embedding-average", "lstm", "gru", "cnn"])
def test_frozen_vectors_do_not_change_and_others_are_trained(recipe: str, file: str) -> None:
    frozen = classifier(file, recipe, model__frozen=True).fit(TEXTS, CLASSES)
    np.testing.assert_array_equal(embeddings(frozen, KNOWN), TABLE)
    assert not frozen.model_.arrays()["0.embeddings"][0].any()  # padding
    fine_tuned = classifier(file, recipe).fit(TEXTS, CLASSES)
    moved = (embeddings(fine_tuned, KNOWN) != TABLE).any(axis=1)
    assert moved.mean() > 0.9
    assert np.abs(embeddings(fine_tuned, KNOWN) - TABLE).max() < 0.5
    for clf in (frozen, fine_tuned):
        first = Network.draw(clf.model_.layers, np.random.default_rng(0)).arrays()
        assert all((array != first[name]).any() for name, array in clf.model_.arrays().items())


def test_frozen_vectors_equal_precomputed_means(file: str) -> None:
    """A dense network that is given the means of the vectors learns the same weights."""
    clf = classifier(file, model__frozen=True, protocol__validation="none", protocol__refit=3).fit(TEXTS, CLASSES)
    network, encoder = clf.model_, clf.vectorizer_
    shares = network.prepare(encoder.transform(pl.Series(TEXTS)))
    means = sp.csr_matrix(shares @ network.weights[0][0])  # (n_texts, 6)
    start = classifier(file, model__frozen=True, protocol__validation="none", training__epochs=1, protocol__refit=1)
    initial: list[list[np.ndarray]] = []

    class First(Callback):
        def on_train_begin(self, state: State) -> None:
            initial.extend([[array.copy() for array in arrays] for arrays in state.network.weights])

    start.fit(TEXTS, CLASSES, callbacks=[First()])
    dense = Network(network.layers[1:], tuple(tuple(arrays) for arrays in initial[1:]))
    assert all(isinstance(layer, Dense) for layer in dense.layers)
    targets = np.array(CLASSES)[:, None] == clf.classes_[1]
    training = clf.recipe_.training.model_copy(update={"epochs": 3})
    train(dense, Rows(means, targets.astype(np.float32)), training)
    for mine, theirs in zip(dense.weights, network.weights[1:], strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_words_without_a_vector_are_drawn_from_the_distribution_of_the_others(tmp_path: Path) -> None:
    words = [f"w{n}" for n in range(3_000)]
    table = np.random.default_rng(0).normal([5, 0, -1], [0.1, 1, 2], (1_000, 3)).astype(np.float32)
    np.savez(tmp_path / "a.npz", words=np.array(words[:1_000]), vectors=table)
    texts = [" ".join(words[at : at + 100]) for at in range(0, 3_000, 100)]
    settings = {"features__num_words": 3_004, "protocol__validation": "none", "model__frozen": True}
    path = str(tmp_path / "a.npz")
    first, again, other = (
        classifier(path, seed=seed, features__maxlen=101, **settings).fit(texts, [0, 1] * 15) for seed in (1, 1, 2)
    )
    drawn = embeddings(first, words[1_000:])
    np.testing.assert_allclose(drawn.mean(axis=0), [5, 0, -1], atol=0.2)
    np.testing.assert_allclose(drawn.std(axis=0), [0.1, 1, 2], rtol=0.1)
    np.testing.assert_array_equal(embeddings(again, words), embeddings(first, words))
    assert (embeddings(other, words[1_000:]) != drawn).any(axis=1).all()
    told = first.chosen_["vectors"]
    assert (told["words"], told["of"], told["size"]) == (1_000, 3_000, 3)
    assert told["running_words"] == round(1 / 3, 6)


def test_coverage_counts_the_words_that_the_network_reads(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("good 1 2\nfilm 3 4\n")
    texts = ["good good film", "bad film", "plot good film cut off"] * 4  # maxlen 4: the start and 3 words
    settings = {"features__maxlen": 4, "features__truncating": "post", "protocol__validation": "none"}
    clf = classifier(str(tmp_path / "a.txt"), **settings).fit(texts, [0, 1, 1] * 4)
    told = clf.chosen_["vectors"]
    assert (told["source"], told["words"], told["of"]) == ("a.txt", 2, 6)
    assert told["running_words"] == round((3 + 1 + 2) / (3 + 2 + 3), 6)


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("recipe", ["embedding-average", "lstm-masked"])
def test_bundle_graph_and_explanation(recipe: str, frozen: bool, file: str, tmp_path: Path) -> None:
    clf = classifier(file, recipe, model__frozen=frozen).fit(TEXTS, CLASSES)
    clf.save(tmp_path / "one")
    loaded = TextClassifier.load(tmp_path / "one")
    proba = clf.predict_proba(TEXTS)
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), proba)
    np.testing.assert_allclose(loaded.on_onnx_runtime().predict_proba(TEXTS), proba, atol=1e-5)
    onnx.checker.check_model(onnx.load(tmp_path / "one" / "network.onnx"))
    explained = explain_text(loaded, TEXTS[0])
    assert abs(explained.remainder) < 0.01 < max(abs(part.value) for part in explained.contributions)
    classifier(file, recipe, model__frozen=frozen).fit(TEXTS, CLASSES).save(tmp_path / "two")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_bundle_names_no_folder_of_this_machine(file: str, tmp_path: Path) -> None:
    clf = classifier(file).fit(TEXTS, CLASSES)
    clf.save(tmp_path / "model")
    header = (tmp_path / "model" / "tagline.json").read_text()
    assert json.loads(header)["recipe"]["model"]["vectors"] == "mine.txt"
    assert str(tmp_path) not in header


class Interrupt(Callback):
    """Ctrl-C after an epoch of one of the two trainings, or while vectors are learned."""

    def __init__(self, phase: str, epoch: int) -> None:
        self.at = (phase, epoch)

    def on_epoch_end(self, state: State) -> None:
        if (state.phase, state.epoch) == self.at:
            raise KeyboardInterrupt


def same(one: TextClassifier, other: TextClassifier) -> bool:
    pairs = zip(one.model_.arrays().values(), other.model_.arrays().values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs) and one.chosen_ == other.chosen_


@pytest.mark.parametrize(("phase", "epoch"), [("search", 2), ("refit", 1)])
@pytest.mark.parametrize("frozen", [True, False])
def test_a_resumed_fit_gives_the_same_model(phase: str, epoch: int, frozen: bool, file: str, tmp_path: Path) -> None:
    def fit(*callbacks: Callback, checkpoints: Path | None = None) -> TextClassifier:
        clf = classifier(file, model__frozen=frozen, training__learning_rate=0.1)
        return clf.fit(TEXTS, CLASSES, callbacks=callbacks, checkpoints=checkpoints)

    undisturbed = fit()
    with pytest.raises(KeyboardInterrupt):
        fit(Interrupt(phase, epoch), checkpoints=tmp_path / "kept")
    assert same(fit(checkpoints=tmp_path / "kept"), undisturbed)


def test_checkpoints_with_other_vectors_are_rejected(file: str, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        classifier(file).fit(TEXTS, CLASSES, callbacks=[Interrupt("search", 2)], checkpoints=tmp_path / "kept")
    with pytest.raises(InputError, match="is of a training with other data or settings"):
        classifier(file, model__frozen=True).fit(TEXTS, CLASSES, checkpoints=tmp_path / "kept")
    content = Path(file).read_text().splitlines()
    Path(file).write_text("\n".join(content[1:]))
    with pytest.raises(InputError, match="is of a training with other data or settings"):
        classifier(file).fit(TEXTS, CLASSES, checkpoints=tmp_path / "kept")


UNLABELLED = [*TEXTS] * 4


def test_vectors_learnt_from_unlabelled_texts(tmp_path: Path) -> None:
    def fit(*callbacks: Callback, checkpoints: Path | None = None, frozen: bool = True) -> TextClassifier:
        clf = small("embedding-average", model__frozen=frozen, training__learning_rate=0.1)
        return clf.fit(TEXTS, CLASSES, unlabelled=UNLABELLED, callbacks=callbacks, checkpoints=checkpoints)

    undisturbed = fit()
    told = undisturbed.chosen_["vectors"]
    assert (told["source"], told["size"]) == ("skip-gram", 6)
    assert told["words"] > 10
    assert told["learnt_from"]["unlabelled"] == 480
    assert told["learnt_from"]["training"] == 90  # a quarter is held out, and not read before it is judged
    assert not same(fit(frozen=False), undisturbed)
    heard: list[dict[str, Any]] = []

    class Hear(Callback):
        def on_vectors(self, facts: Any) -> None:
            heard.append(dict(facts))

    with pytest.raises(KeyboardInterrupt):
        fit(Interrupt("search", 2), Hear(), checkpoints=tmp_path)
    assert heard[0]["fingerprint"] == told["fingerprint"]

    class Forbid(Callback):
        def on_learning_vectors(self, done: int, total: int) -> None:
            raise AssertionError("what was learnt before is taken up, not learnt again")

    assert same(fit(Forbid(), checkpoints=tmp_path), undisturbed)
    other = small("embedding-average", model__frozen=True)
    with pytest.raises(InputError, match="was learned from other texts or by other settings"):
        other.fit(TEXTS, CLASSES, unlabelled=[*UNLABELLED, "more"], checkpoints=tmp_path)


def test_settings_that_conflict(file: str) -> None:
    ids, labels = sequences(40)
    cases = [
        (TextClassifier("fast"), {"unlabelled": UNLABELLED}, "`fast` has no word vectors that could be learned"),
        (small(), {"unlabelled": UNLABELLED}, "`multihot-dense` has no word vectors"),
        (classifier(file), {"unlabelled": UNLABELLED}, r"starts from `.*mine\.txt`, so there is nothing to learn"),
        (small("gru", model__frozen=True), {}, "keeps word vectors as they were handed over, and none are"),
        (
            classifier(file, model__embedding=5),
            {},
            "have 6 numbers, and `model.embedding` is 5: set it to 6",
        ),
        (classifier("nowhere.txt"), {}, "There are no vectors `nowhere.txt`"),
    ]
    for clf, more, sentence in cases:
        with pytest.raises(InputError, match=sentence):
            clf.fit(TEXTS, CLASSES, **more)
    with pytest.raises(InputError, match="are ids without words: give texts, or a `word_index`"):
        classifier(file).fit(ids, labels)
    with pytest.raises(InputError, match="go with training texts, not with sequences of ids"):
        small("gru").fit(ids, labels, unlabelled=UNLABELLED)
    with pytest.raises(InputError, match="The texts are one string"):
        small("gru").fit(TEXTS, CLASSES, unlabelled="one text")


def test_ids_with_a_word_index_have_vectors(file: str) -> None:
    index = WordIndex(pl.Series("word", VOCABULARY))
    ids = index.encode(TEXTS, num_words=10_000).to_lists()
    ranks = {word: rank for rank, word in enumerate(VOCABULARY, 1)}
    of_ids = classifier(file, model__frozen=True).fit(ids, CLASSES, word_index=ranks)
    np.testing.assert_array_equal(embeddings(of_ids, KNOWN), TABLE)


def test_the_size_may_be_that_of_the_vectors(file: str) -> None:
    clf = classifier(file, model__embedding=6).fit(TEXTS, CLASSES)
    assert same(clf, classifier(file).fit(TEXTS, CLASSES))


def test_a_recipe_round_trips_through_its_table() -> None:
    """As in a bundle, or for `--resume`: there every key is given, the defaults too."""
    recipe = load_recipe("lstm-glove")
    assert recipe.model.embedding == "vectors"
    assert make_recipe(recipe.model_dump(mode="json"), "again") == recipe
    plain = load_recipe("lstm")
    assert make_recipe(plain.model_dump(mode="json"), "again") == plain
