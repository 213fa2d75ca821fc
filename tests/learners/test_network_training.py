"""A fit that was interrupted in its search or refit resumes from checkpoints and gives the same model."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagline import InputError, TextClassifier
from tagline.training import Callback, State
from tests.learners.small_networks import small
from tests.synthetic_texts import made_up

TEXTS, CLASSES = made_up(120, noise=0.3)
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "adam": ("multihot-dense", {"training__optimizer": "adam"}),
    "rmsprop": ("multihot-dense", {"training__momentum": 0.5, "training__decay": 0.02}),
    "dropout": ("lstm-masked", {"model__recurrent_dropout": 0.3, "training__schedule": "cosine"}),
    "best": ("embedding-average", {"protocol__refit": "best-epoch", "training__learning_rate": 0.1}),
    "early": ("multihot-dense", {"training__early_stopping": 2, "training__epochs": 30, "protocol__refit": "no"}),
    "early-refit": (
        "multihot-dense",
        {"training__early_stopping": 2, "training__epochs": 30, "protocol__refit": "all"},
    ),
}


class Interrupt(Callback):
    """Ctrl-C after an epoch of one of the two trainings."""

    def __init__(self, phase: str, epoch: int) -> None:
        self.at = (phase, epoch)

    def on_epoch_end(self, state: State) -> None:
        if (state.phase, state.epoch) == self.at:
            raise KeyboardInterrupt


def fit(kind: str, *callbacks: Callback, checkpoints: Path | None = None) -> TextClassifier:
    recipe, settings = KINDS[kind]
    return small(recipe, **settings).fit(TEXTS, CLASSES, callbacks=callbacks, checkpoints=checkpoints)


@cache
def uninterrupted(kind: str) -> TextClassifier:
    return fit(kind)


def without_seconds(history: dict[str, list[float]] | None) -> dict[str, list[float]]:
    return {name: values for name, values in (history or {}).items() if name != "seconds"}


STOPS = [("search", 1), ("search", 3), ("refit", 1), ("refit", 2)]


@pytest.mark.parametrize(
    ("kind", "phase", "epoch"),
    [(kind, phase, epoch) for kind in KINDS for phase, epoch in STOPS if (kind, phase) != ("early", "refit")],
)
def test_a_resumed_fit_gives_the_same_model(kind: str, phase: str, epoch: int, tmp_path: Path) -> None:
    expected = uninterrupted(kind)
    record = expected.training_
    with pytest.raises(KeyboardInterrupt):
        fit(kind, Interrupt(phase, epoch), checkpoints=tmp_path)
    resumed = fit(kind, checkpoints=tmp_path)
    arrays = expected.model_.arrays()
    for name, array in resumed.model_.arrays().items():
        assert np.array_equal(array, arrays[name]), name
    np.testing.assert_array_equal(resumed.validation_.proba, expected.validation_.proba)
    assert resumed.chosen_ == expected.chosen_
    for name in ("history", "refit_history"):
        assert without_seconds(getattr(resumed.training_, name)) == without_seconds(getattr(record, name))
    assert resumed.training_.findings == record.findings


def test_checkpoints_change_nothing(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        fit("early", checkpoints=tmp_path).predict_proba(TEXTS), fit("early").predict_proba(TEXTS)
    )
    assert [path.name for path in tmp_path.iterdir()] == ["search.pt"]


def test_checkpoints_of_another_fit_are_rejected(tmp_path: Path) -> None:
    """Other labels, another seed or other settings would get the weights that are there."""
    settings = {"features__maxlen": 10, "training__epochs": 3}

    def fit_into_the_folder(texts=TEXTS, labels=CLASSES, seed: int = 0, **more) -> TextClassifier:
        clf = small("embedding-average", **(settings | more)).set_params(seed=seed)
        return clf.fit(texts, labels, checkpoints=tmp_path)

    first, resumed = fit_into_the_folder(), fit_into_the_folder()
    assert np.array_equal(first.predict_proba(TEXTS), resumed.predict_proba(TEXTS))
    for change in (
        {"labels": CLASSES[::-1]},
        {"texts": [f"{text} film" for text in TEXTS]},
        {"seed": 1},
        {"training__learning_rate": 0.5},
        {"model__units": 7},
    ):
        with pytest.raises(InputError, match="give each fit a folder of its own"):
            fit_into_the_folder(**change)


class StopAfter(Callback):
    """A callback of a user's own, with something to remember."""

    def __init__(self, n: int) -> None:
        self.n, self.seen = n, 0

    def on_epoch_end(self, state: State) -> None:
        self.seen += 1
        self.stop = self.seen >= self.n

    def state_dict(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load_state_dict(self, kept: dict[str, Any]) -> None:
        self.seen = kept["seen"]


def test_the_state_of_a_custom_callback_is_restored(tmp_path: Path) -> None:
    """It stops the first training after four epochs, broken off in the third or not."""
    kind = "early"
    whole = fit(kind, StopAfter(4))
    with pytest.raises(KeyboardInterrupt):
        fit(kind, StopAfter(4), Interrupt("search", 3), checkpoints=tmp_path)
    resumed = fit(kind, StopAfter(4), checkpoints=tmp_path)
    assert whole.training_ is not None
    assert resumed.training_ is not None
    assert without_seconds(resumed.training_.history) == without_seconds(whole.training_.history)
