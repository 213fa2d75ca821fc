"""The same texts and seed give the same model to the last bit, and so does a file of it."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from copy import copy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from tagline import TextClassifier, measure
from tagline.deprecated import TaglineDeprecationWarning
from tagline.inputs.indicators import IndicatorFormat
from tests.classifier.small_data import LABELS, ODD, TEXTS, data
from tests.ngram_recipes import POSSIBLE
from tests.synthetic_texts import made_up

GOLDEN = Path(__file__).parents[1] / "golden"
GOLDEN_BUNDLES = [f"bundle-v{version}{kind}" for version in (1, 2, 3, 4) for kind in ("", "-network")]


def bundle_bytes(clf: TextClassifier, folder: Path) -> dict[str, str]:
    clf.save(folder)
    return digests(folder)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "task"), POSSIBLE)
def test_the_same_seed_gives_the_same_bytes_on_any_number_of_cores(
    recipe: str, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, labels = data(task, 150)
    seen = []
    for n, cores in enumerate((2, 2, 1, 4)):
        monkeypatch.setattr("tagline.parallel._available", lambda cores=cores: cores)
        clf = TextClassifier(recipe, settings={"model.n_trees": 5}, seed=3).fit(texts, labels)
        seen.append(bundle_bytes(clf, tmp_path / str(n)))
    assert seen[1:] == seen[:1] * 3


def test_blas_threads_change_neither_bytes_nor_probabilities(tmp_path: Path) -> None:
    """A sum over several threads has other last digits; OpenBLAS takes several from 10,000 numbers on."""
    texts, labels = made_up(600, 3, noise=0.2)
    seen = []
    for n_threads in (1, 2, 4):
        with threadpool_limits(n_threads, user_api="blas"):
            clf = TextClassifier("logistic-regression", settings={"features.words": 4, "features.min_df": 1})
            clf.fit(texts[:300], labels[:300])
            files = bundle_bytes(clf, tmp_path / str(n_threads))
            truth, proba = np.searchsorted(clf.classes_, labels), clf.predict_proba(texts)
            seen.append((files, measure(truth, proba.argmax(axis=1), proba, clf.classes_, task="multiclass")))
    assert seen[1:] == seen[:1] * 2


def test_another_seed_may_give_another_model() -> None:
    one, other = (TextClassifier(seed=seed).fit(TEXTS, LABELS) for seed in (0, 1))
    assert not np.array_equal(one.model_.coef, other.model_.coef)


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from tests.synthetic_texts import made_up; from tagline import TextClassifier\n"
        "TextClassifier().fit(*made_up(120, 3)).save(sys.argv[1])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "there"), str(Path(__file__).parents[2])]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    here = bundle_bytes(TextClassifier().fit(*made_up(120, 3)), tmp_path / "here")
    assert digests(tmp_path / "there") == here


@pytest.mark.parametrize(("recipe", "task"), POSSIBLE)
def test_a_loaded_model_predicts_the_same(fitted, recipe: str, task: str, tmp_path: Path) -> None:
    clf = fitted(recipe, task)
    clf.save(tmp_path / "model", facts={"dataset": {"name": "made up"}})
    again = TextClassifier.load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(ODD), clf.predict_proba(ODD))
    assert again.predict(ODD).tolist() == clf.predict(ODD).tolist()
    for name in ("task_", "recipe_", "chosen_", "threshold_", "calibrator_", "n_features_"):
        assert json.dumps(getattr(again, name), default=str) == json.dumps(getattr(clf, name), default=str)
    assert again.classes_.tolist() == clf.classes_.tolist()
    assert again.card_ == {"dataset": {"name": "made up"}}
    assert bundle_bytes(again, tmp_path / "copy") == bundle_bytes(
        TextClassifier.load(tmp_path / "model"), tmp_path / "model"
    )
    assert clone(again).fit(*data(task)).predict(ODD).tolist() == clf.predict(ODD).tolist()


def test_a_pickle_of_an_earlier_version_loads(fitted) -> None:
    """The class was in the module `tagline.classifier` then, and the format of indicators in `tagline.indicators`."""
    clf = copy(fitted("linear-svm", "multilabel"))
    clf.indicator_ = IndicatorFormat(container="array")
    pickled = pickle.dumps(clf, protocol=0)  # names modules in plain text
    for module, earlier in (("classifier.text_classifier", "classifier"), ("inputs.indicators", "indicators")):
        assert f"ctagline.{module}\n".encode() in pickled
        pickled = pickled.replace(f"ctagline.{module}\n".encode(), f"ctagline.{earlier}\n".encode())
    sys.modules.pop("tagline.indicators", None)
    with pytest.warns(TaglineDeprecationWarning, match="`tagline.indicators` has moved"):
        again = pickle.loads(pickled)
    assert np.array_equal(again.predict(ODD), clf.predict(ODD))


@pytest.mark.parametrize(("recipe", "task"), POSSIBLE)
@settings(max_examples=12)
@given(texts=st.lists(st.one_of(st.sampled_from([*ODD, *TEXTS]), st.text(max_size=9)), min_size=1, max_size=7))
def test_a_single_text_is_predicted_as_in_a_batch(fitted, recipe: str, task: str, texts: list[str]) -> None:
    clf = fitted(recipe, task)
    batch = clf.predict_proba(texts)
    for row, text in enumerate(texts):
        assert np.array_equal(clf.predict_proba([text])[0], batch[row])


@pytest.mark.parametrize("version", GOLDEN_BUNDLES)
def test_a_bundle_of_every_format_version_still_loads(version: str) -> None:
    """`golden/make_bundle.py` made it; a version that can no longer be read is a broken promise."""
    expected = json.loads((GOLDEN / version / "expected.json").read_text(encoding="utf-8"))
    clf = TextClassifier.load(GOLDEN / version / "model")
    assert clf.classes_.tolist() == expected["classes"]
    network = version.endswith("-network")
    np.testing.assert_allclose(
        clf.predict_proba(expected["texts"]), expected["proba"], rtol=0, atol=1e-5 if network else 1e-12
    )
    if not network:
        assert {len(block.table.keys) for block in clf.vectorizer_.blocks} == {1, 2}
    assert clf.card_ == {"made_by": "tests/golden/make_bundle.py"}
