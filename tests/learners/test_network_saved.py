"""Saved networks: they predict the same, without PyTorch too, and the same seed gives the same bytes."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tagline import TextClassifier, load_recipe
from tagline.errors import RecipeError
from tests.learners.small_networks import CLASSES, SMALL, TEXTS, sequences, small
from tests.synthetic_texts import several

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
