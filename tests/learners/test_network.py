"""Recipes of networks: held-out rows, epochs, inputs, and saved models, which predict the same without PyTorch."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tagline import TextClassifier, load_recipe
from tagline.errors import InputError, RecipeError
from tagline.training import Callback, State
from tests.learners.small_networks import SMALL, sequences, small
from tests.synthetic_texts import made_up, several

IDS, LABELS = sequences(120)
TEXTS, CLASSES = made_up(120, noise=0)
GIVEN = ["", "good film", "a bad film, boring", "never seen", TEXTS[5], " ".join(TEXTS[:9])]

_ELSEWHERE = """
import sys
sys.modules["torch"] = None
import json
from tagline import TextClassifier
given = json.load(open(sys.argv[1]))
for folder in sys.argv[2:]:
    clf = TextClassifier.load(folder)
    print(json.dumps([[value.hex() for value in row] for row in clf.predict_proba(given).tolist()]))
try:
    import tagline.training
except ImportError as error:
    print(json.dumps(str(error)))
"""


def weights(clf: TextClassifier) -> np.ndarray:
    return np.concatenate([array.ravel() for array in clf.model_.arrays().values()])


@pytest.mark.parametrize("recipe", SMALL)
def test_every_recipe_learns(recipe: str) -> None:
    settings = {"training__epochs": 12, "protocol__refit": 12, "model__dropout": 0.0, "features__maxlen": 10}
    if "dense" in recipe:
        settings.pop("features__maxlen")
    clf = small(recipe, **settings).fit(TEXTS, CLASSES)
    assert clf.score(TEXTS, CLASSES) > 0.9
    losses = clf.training_.refit_history["loss"]
    assert len(losses) == 12
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("recipe", SMALL)
def test_texts_without_words_and_single_texts(recipe: str) -> None:
    clf = small(recipe, training__epochs=1, protocol__refit=1).fit(TEXTS, CLASSES)
    given = ["", "?!", "good", "good film", "never seen", TEXTS[0], " ".join(TEXTS[:20])]
    together = clf.predict_proba(given)
    assert np.isfinite(together).all()
    alone = np.vstack([clf.predict_proba([text]) for text in given])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(clf.predict_proba(given[::-1])[::-1], together, atol=1e-6)
    assert clf.predict_proba([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("refit", "epochs_of_refit", "chosen"),
    [("no", None, 6), (3, 3, 3), (9, 6, 6), ("all", "best", "best"), ("best-epoch", "best", "best")],
)
def test_epochs_of_the_refit(refit, epochs_of_refit, chosen) -> None:
    clf = small(training__epochs=6, training__learning_rate=0.3, protocol__refit=refit).fit(TEXTS, CLASSES)
    record = clf.training_
    assert record.history["epoch"] == [1, 2, 3, 4, 5, 6]
    assert record.best_epoch == 1 + int(np.argmin(record.history["val_loss"]))
    expected = record.best_epoch if epochs_of_refit == "best" else epochs_of_refit
    assert (record.refit_history and len(record.refit_history["epoch"])) == expected
    assert clf.chosen_["epochs"] == (record.best_epoch if chosen == "best" else chosen)
    assert clf.chosen_["tried"] == (["epochs"] if chosen == "best" else [])
    assert clf.chosen_["learnt_from"] == (120 if expected else 120 - len(clf.validation_.rows))
    if expected:
        assert not any(name.startswith("val_") for name in record.refit_history)


@pytest.mark.parametrize("refit", ["no", "all"])
def test_early_stopping_keeps_the_best(refit: str) -> None:
    texts, labels = made_up(120, noise=0.4)
    clf = small(training__epochs=40, training__early_stopping=3, protocol__refit=refit).fit(texts, labels)
    record = clf.training_
    assert len(record.history["epoch"]) == record.best_epoch + 3 < 40
    assert clf.chosen_["epochs"] == record.best_epoch
    held = clf.validation_
    loss = -np.log(small_proba(clf, texts) if refit == "no" else held.proba)[held.Y].mean()
    assert loss == pytest.approx(min(record.history["val_loss"]), abs=1e-5)


def small_proba(clf: TextClassifier, texts: list[str]) -> np.ndarray:
    return clf.predict_proba([texts[row] for row in clf.validation_.rows])


def test_held_out_rows_are_trained_on_in_the_refit_only() -> None:
    """The first training is that of a recipe without refit, and what is said of held-out rows comes from it."""
    alone = small(protocol__refit="no", training__epochs=2).fit(IDS, LABELS)
    clf = small(protocol__refit=2, training__epochs=5).fit(IDS, LABELS)
    assert clf.validation_.rows.tolist() == alone.validation_.rows.tolist()
    np.testing.assert_array_equal(clf.validation_.proba, alone.validation_.proba)
    held = [IDS[row] for row in alone.validation_.rows]
    np.testing.assert_array_equal(alone.predict_proba(held), alone.validation_.proba)
    assert not np.array_equal(weights(clf), weights(alone))


@pytest.mark.parametrize("first", [1, 30, 60])
def test_the_first_rows_are_held_out(first: int) -> None:
    clf = small(protocol__validation=first).fit(IDS, LABELS)
    assert clf.validation_.rows.tolist() == list(range(first))
    assert clf.validation_.how == f"the first {first} train rows"


@pytest.mark.parametrize("first", [61, 10_000])
def test_first_rows_that_cannot_be_held_out(first: int) -> None:
    clf = small(protocol__validation=first).fit(IDS, LABELS)
    assert len(clf.validation_.rows) == pytest.approx(24, abs=4)
    assert clf.validation_.how.endswith(f"as the first {first:,} cannot be spared")


def test_a_class_that_only_the_first_rows_have_is_not_held_out() -> None:
    labels = [*LABELS]
    labels[3] = 2
    clf = small(protocol__validation=30).fit(IDS, labels)
    assert clf.validation_.how.endswith("as the first 30 cannot be spared")


def test_given_validation_rows_are_held_out() -> None:
    more, more_labels = sequences(40, seed=7)
    clf = small().fit(IDS, LABELS, validation=(more, more_labels))
    assert clf.validation_.rows.tolist() == list(range(120, 160))
    assert clf.validation_.how == "the validation rows"


@pytest.mark.parametrize(("refit", "epochs"), [(2, 2), ("all", 4), ("no", 4)])
def test_fitting_without_held_out_rows(refit, epochs: int) -> None:
    """Then there is nothing to stop early by, and all rows are learned at once."""
    clf = small(protocol__validation="none", protocol__refit=refit, training__early_stopping=1).fit(IDS, LABELS)
    assert clf.validation_ is None
    assert len(clf.training_.history["epoch"]) == clf.chosen_["epochs"] == epochs
    assert clf.training_.refit_history is None
    assert clf.chosen_["learnt_from"] == 120
    assert clf.training_.findings[0] == (
        f"Early stopping had nothing to measure, as no rows were held out: the network was trained for all "
        f"{epochs} epochs."
    )
    assert not any("Early stopping" in finding for finding in small().fit(IDS, LABELS).training_.findings)


def test_too_few_rows_to_hold_any_out() -> None:
    clf = small(protocol__refit=3).fit(TEXTS[:8], CLASSES[:8])
    assert clf.validation_ is None
    assert clf.training_.history["epoch"] == [1, 2, 3]
    assert clf.training_.refit_history is None
    assert clf.training_.best_epoch is None


@pytest.mark.parametrize("recipe", ["multihot-dense", "embedding-average", "lstm-masked"])
def test_a_row_of_weight_0_is_ignored(recipe: str) -> None:
    more, more_labels = sequences(40, seed=7)
    wrong = [1 - label for label in LABELS[:50]]
    absent = small(recipe).fit(IDS, LABELS, validation=(more, more_labels))
    without = small(recipe).fit(
        IDS[:50] + IDS, wrong + LABELS, [0.0] * 50 + [1.0] * 120, validation=(more, more_labels)
    )
    assert absent.training_.history["val_loss"] == without.training_.history["val_loss"]
    np.testing.assert_array_equal(absent.validation_.proba, without.validation_.proba)


@pytest.mark.parametrize("held", [0.25, 30])
@pytest.mark.parametrize("of_ids", [False, True])
def test_a_row_of_weight_0_is_not_held_out(held: float, of_ids: bool) -> None:
    """Epochs, temperature and probabilities are those of the other rows alone, which are told by their own numbers."""
    texts, labels = (IDS, LABELS) if of_ids else (TEXTS, CLASSES)
    groups = [f"g{row // 2}" for row in range(120)]
    settings = {"protocol__validation": held, "protocol__refit": "all", "training__epochs": 8}
    absent = small(**settings).fit(texts, labels, groups=groups)
    mixed = [index for row in range(120) for index in (row, (row + 1) % 120)]  # each followed by one of weight 0
    without = small(**settings).fit(
        [texts[i] for i in mixed],
        [labels[i] for i in mixed],
        [1.0, 0.0] * 120,
        groups=[groups[i] for i in mixed],
    )
    ours, theirs = without.training_, absent.training_
    assert ours.history["val_loss"] == theirs.history["val_loss"]
    assert (ours.best_epoch, without.temperature_) == (theirs.best_epoch, absent.temperature_)
    assert without.validation_.rows.tolist() == [2 * row for row in absent.validation_.rows]
    assert without.chosen_ == absent.chosen_
    np.testing.assert_array_equal(weights(without), weights(absent))


def test_given_validation_rows_stay_the_last_where_others_have_weight_0() -> None:
    more, more_labels = sequences(40, seed=7)
    clf = small().fit(IDS, LABELS, [0.0] * 50 + [1.0] * 70, validation=(more, more_labels))
    assert clf.validation_.rows.tolist() == list(range(120, 160))
    assert clf.chosen_["learnt_from"] == 110


def test_weights_count_on_held_out_rows() -> None:
    given = np.linspace(0.1, 3, 120)
    clf = small(protocol__refit="no", protocol__calibration="none").fit(IDS, LABELS, given)
    held = clf.validation_
    losses = -np.log(held.proba[held.Y])
    expected = (losses * (given / given.mean())[held.rows]).mean()
    assert clf.training_.history["val_loss"][-1] == pytest.approx(expected, abs=1e-5)


def test_class_weights_count() -> None:
    texts, labels = made_up(200, noise=0.5)
    shares = []
    for weight in (0.2, 5.0):
        clf = small(training__epochs=3)
        clf.class_weight = {"c0": weight}
        shares.append((clf.fit(texts, labels).predict(texts) == "c0").mean())
    assert shares[0] < 0.3 < 0.7 < shares[1]


@pytest.mark.parametrize("n_classes", [2, 4])
def test_training_on_ids(n_classes: int) -> None:
    ids, labels = sequences(200, n_classes)
    clf = small(features__num_words=30, training__epochs=30, protocol__refit=30).fit(ids, labels)
    assert clf.score(ids, labels) > 0.95
    assert clf.chosen_["vocabulary"] == "that of the ids given"
    assert clf.n_features_ == 30
    arrays = [np.array(row) for row in ids]
    np.testing.assert_array_equal(clf.predict_proba(arrays), clf.predict_proba(ids))
    with pytest.raises(InputError, match="trained on word ids without a word index, so it cannot read texts"):
        clf.predict(["good"])
    with pytest.raises(InputError, match=r"Row 1 has the id `30`, but the largest is 29"):
        clf.predict([[1, 5], [1, 30]])


def test_with_a_word_index_a_model_of_ids_reads_texts_too() -> None:
    index = {f"word{rank}": rank for rank in range(1, 27)}  # ids 4 … 29
    clf = small(features__num_words=30, training__epochs=30, protocol__refit=30).fit(IDS, LABELS, word_index=index)
    texts = [" ".join(f"word{i - 3}" for i in row[1:]) for row in IDS]
    np.testing.assert_array_equal(clf.predict_proba(texts), clf.predict_proba(IDS))
    assert clf.score(texts, LABELS) > 0.95
    of_texts = small(features__num_words=30, training__epochs=30, protocol__refit=30)
    of_texts.fit(texts, LABELS, word_index=index)
    np.testing.assert_array_equal(weights(of_texts), weights(clf))
    assert of_texts.chosen_["vocabulary"] == "the word index of the data set"


def test_an_index_learnt_from_the_texts_knows_those_it_is_refitted_on() -> None:
    """Whether an index was handed over or not, where the recipe asks for one of its own."""
    texts = [f"{text} own{row}" for row, text in enumerate(TEXTS)]
    given = {"good": 1, "bad": 2}
    learned = small().fit(texts, CLASSES)
    requested = small(features__word_index="train").fit(texts, CLASSES, word_index=given)
    assert learned.n_features_ == requested.n_features_ > 120
    assert requested.vectorizer_.index.words.to_list() == learned.vectorizer_.index.words.to_list()
    assert requested.chosen_["vocabulary"] == "learnt from 120 texts"
    np.testing.assert_array_equal(weights(requested), weights(learned))


def test_held_out_texts_add_no_vocabulary() -> None:
    texts = [f"{text} own{row}" for row, text in enumerate(TEXTS)]
    clf = small(protocol__refit="no").fit(texts, CLASSES)
    known = set(clf.vectorizer_.index.words)
    assert {row for row in range(120) if f"own{row}" not in known} == set(clf.validation_.rows.tolist())


@pytest.mark.parametrize("recipe", ["multihot-dense", "embedding-average"])
def test_multilabel(recipe: str) -> None:
    texts, labels = several(300)
    clf = small(recipe, training__epochs=30, protocol__refit=30, training__metrics=["mean_absolute_error"])
    clf.fit(texts, labels)
    assert clf.task_ == "multilabel"
    assert clf.score(texts, labels) > 0.9
    assert "val_mean_absolute_error" in clf.training_.history


@pytest.mark.parametrize(
    ("labels", "loss", "message"),
    [
        (CLASSES, "categorical_crossentropy", "two classes need `binary_crossentropy`"),
        (made_up(120, 4)[1], "binary_crossentropy", "4 classes need `categorical_crossentropy`"),
        ([[label] for label in CLASSES], "categorical_crossentropy", "several labels per text need"),
    ],
)
def test_a_loss_that_does_not_fit_the_labels(labels, loss: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        small(training__loss=loss).fit(TEXTS, labels)


def test_squared_errors_of_multilabel_targets() -> None:
    texts, labels = several(300)
    clf = small(training__epochs=40, protocol__refit=40, training__loss="mse").fit(texts, labels)
    assert clf.score(texts, labels) > 0.85
    assert clf.training_.history["loss"][-1] < 0.1


def test_columns_of_lists_of_ids() -> None:
    expected = small().fit(IDS, LABELS)
    for column in (pl.Series(IDS), pl.Series(IDS, dtype=pl.List(pl.UInt16))):
        found = small().fit(column, pl.Series(LABELS))
        np.testing.assert_array_equal(weights(found), weights(expected))
        np.testing.assert_array_equal(found.predict_proba(column), expected.predict_proba(IDS))
    with pytest.raises(InputError, match="Row 1 is `None`, not a sequence of ids"):
        expected.predict(pl.Series([[1, 5], None]))
    with pytest.raises(InputError, match=r"Row 0 has the id `'a'`"):
        expected.predict(pl.Series([["a"]]))


@pytest.mark.parametrize("given", [[0.0] * 60 + [1.0] * 60, None])
def test_an_id_out_of_range_is_named_by_its_row(given) -> None:
    """Wherever rows of weight 0 stand, and of validation rows by the row among them."""
    wrong = [[1, 5], [1, 20], [1, 77]]
    clf = small(features__num_words=30)
    with pytest.raises(InputError, match=r"^In the validation rows: Row 2 has the id `77`, but the largest is 29: "):
        clf.fit(IDS, LABELS, given, validation=(wrong, [0, 1, 0]))
    with pytest.raises(InputError, match=r"^Row 118 has the id `77`, but the largest is 29: "):
        clf.fit([*IDS[:118], [77], IDS[119]], LABELS, given, validation=(IDS[:20], LABELS[:20]))
    with pytest.raises(InputError, match=r"^In the validation rows: Row 1 has the id `20`, but the largest is 19: "):
        clf.fit([[1, 5], [1, 6]] * 30, [0, 1] * 30, validation=(wrong, [0, 1, 0]), word_index=index_of(16))


def index_of(n: int) -> dict[str, int]:
    return {f"word{rank}": rank for rank in range(1, n + 1)}


def test_a_recipe_of_ngrams_takes_no_ids() -> None:
    with pytest.raises(InputError, match=r"learns from texts, not from ids.*`multihot-dense`"):
        TextClassifier().fit(IDS, LABELS)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[1, 2], [3, -1]] * 6, r"Row 1 has the id `-1`"),
        ([[1, 2], [3, 10_000]] * 6, r"Row 1 has the id `10000`, but the largest is 9,999"),
        ([[1, 2], "ab"] * 6, r"Row 1 is `'ab'`, not a sequence of ids"),
        ([[1, 2], [1.5]] * 6, r"Row 1 has the id `1.5`"),
    ],
)
def test_invalid_ids(ids, message: str) -> None:
    with pytest.raises(InputError, match=message):
        small().fit(ids, [0, 1] * 6)


def test_no_row_to_train_on() -> None:
    with pytest.raises(InputError, match="no texts to learn from"):
        small().fit([], [])


@pytest.mark.parametrize("recipe", SMALL)
def test_too_high_a_learning_rate_is_an_error(recipe: str) -> None:
    with pytest.raises(InputError, match=r"became NaN or infinite in epoch \d, .*`training.learning_rate = 1e\+38`"):
        small(recipe, training__learning_rate=1e38, training__optimizer="sgd").fit(TEXTS, CLASSES)


def test_custom_optimizer_and_loss() -> None:
    class Count(Callback):
        phases: list[str]

        def on_train_begin(self, state: State) -> None:
            self.phases = [*getattr(self, "phases", []), state.phase]

    def margin(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return torch.relu(1 - (2 * targets - 1) * logits)[:, 0]

    count = Count()
    settings = {
        "training__optimizer": lambda w: torch.optim.AdamW(w, lr=0.05),
        "training__loss": margin,
        "training__metrics": ["accuracy", margin],
    }
    clf = small(training__epochs=20, protocol__refit=20, **settings).fit(TEXTS, CLASSES, callbacks=[count])
    assert clf.score(TEXTS, CLASSES) > 0.95
    assert count.phases == ["search", "refit"]
    assert clf.training_.history["margin"] == clf.training_.history["loss"]
    assert clf.training_.findings == []  # nobody knows what guessing would cost


def test_a_saved_network_predicts_the_same_without_torch(tmp_path: Path) -> None:
    expected = []
    for recipe in SMALL:
        clf = small(recipe, training__epochs=1, protocol__refit=1).fit(TEXTS, CLASSES)
        clf.save(tmp_path / recipe)
        expected.append(clf.predict_proba(GIVEN))
    (tmp_path / "given.json").write_text(json.dumps(GIVEN), encoding="utf-8")
    folders = [str(tmp_path / recipe) for recipe in SMALL]
    command = [sys.executable, "-W", "error", "-c", _ELSEWHERE, str(tmp_path / "given.json"), *folders]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    *found, message = [json.loads(line) for line in answer.stdout.splitlines()]
    for recipe, ours, theirs in zip(SMALL, expected, found, strict=True):
        assert [[value.hex() for value in row] for row in ours.tolist()] == theirs, recipe
    assert "neural" in message


@pytest.mark.parametrize("recipe", SMALL)
def test_the_same_seed_gives_the_same_bytes(recipe: str, tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        clf = small(recipe, seed=seed, training__epochs=2, protocol__refit=1)
        clf.fit(TEXTS, CLASSES).save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert "weights.safetensors" in files
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
    one, other = (tmp_path / name / "weights.safetensors" for name in ("one", "other"))
    assert one.read_bytes() != other.read_bytes()


@pytest.mark.parametrize("with_index", [False, True])
def test_a_saved_model_of_ids(with_index: bool, tmp_path: Path) -> None:
    ids, labels = sequences(80, 3)
    index = {f"w{rank}": rank for rank in range(1, 27)} if with_index else None
    clf = small("lstm-masked", features__num_words=30).fit(ids, labels, word_index=index)
    clf.save(tmp_path / "model")
    again = TextClassifier.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(ids), clf.predict_proba(ids))
    assert again.classes_.tolist() == [0, 1, 2]
    if with_index:
        np.testing.assert_array_equal(again.predict_proba(["w1 w2"]), clf.predict_proba([[1, 4, 5]]))


def test_a_saved_multilabel_model(tmp_path: Path) -> None:
    texts, labels = several(120)
    clf = small("embedding-average").fit(texts, labels)
    clf.save(tmp_path / "model")
    again = TextClassifier.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(texts), clf.predict_proba(texts))
    assert again.threshold_ == clf.threshold_


def my_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")[:, 0]


def test_custom_functions_are_stored_by_name(tmp_path: Path) -> None:
    clf = small(
        training__optimizer=functools.partial(torch.optim.AdamW, lr=0.05),
        training__loss=my_loss,
        training__metrics=["accuracy", my_loss],
    )
    clf.fit(TEXTS, CLASSES).save(tmp_path / "model")
    again = TextClassifier.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(GIVEN), clf.predict_proba(GIVEN))
    training = again.recipe_.training
    assert training.optimizer == "python:functools.partial"
    assert training.loss == f"python:{__name__}.my_loss"
    assert training.metrics == ("accuracy", training.loss)
    with pytest.raises(RecipeError, match=r"`training.optimizer` is `python:.*`, a function .*: pass it again"):
        TextClassifier(again.recipe_).fit(TEXTS, CLASSES)


def test_a_recipe_changed_by_a_mapping_keeps_the_function() -> None:
    optimizer = functools.partial(torch.optim.AdamW, lr=0.05)
    assert load_recipe("gru", {"training.optimizer": optimizer}).training.optimizer is optimizer
    with pytest.raises(RecipeError, match=r"wrong `training\.optimizer`"):
        load_recipe("gru", {"training.optimizer": "adamw"})
