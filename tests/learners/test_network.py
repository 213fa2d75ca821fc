"""Recipes of networks: what they learn, epochs, labels, losses and weights of classes."""

import numpy as np
import pytest
import torch

from tagline import TextClassifier
from tagline.errors import InputError, RecipeError
from tagline.training import Callback, State
from tests.learners.small_networks import CLASSES, SMALL, TEXTS, small
from tests.synthetic_texts import made_up, several


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


def test_class_weights_count() -> None:
    texts, labels = made_up(200, noise=0.5)
    shares = []
    for weight in (0.2, 5.0):
        clf = small(training__epochs=3)
        clf.class_weight = {"c0": weight}
        shares.append((clf.fit(texts, labels).predict(texts) == "c0").mean())
    assert shares[0] < 0.3 < 0.7 < shares[1]


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
