"""The bundle loader: models of every kind with changed parts, whose checksums and sizes are right, and a prediction.

The first byte of an input chooses the model, the others what is changed.
"""

import json
import math
import tempfile
from copy import deepcopy
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tagline import BundleError, TextClassifier
from tagline.bundle import ARRAYS, EXPORT, INDEX, MODEL, Bundle, _digest, read_bundle, write_bundle
from tagline.errors import TaglineError
from tagline.explain import explain_text
from tests.fuzz.inputs import NUMBERS, STRINGS, Choices, places
from tests.fuzz.target import Target

GOLDEN = Path(__file__).parents[1] / "golden"
#: Folders of models below `GOLDEN`, and of exports, which predict in ONNX Runtime.
MODELS = (
    "bundle-v3", "bundle-v3-network/model", "bundle-v2-fast-multiclass/model", "bundle-v2-fast-multilabel/model",
    "bundle-v2-naive-bayes/model", "bundle-v2-random-forest/model", "bundle-v2-lstm-masked/model",
    "bundle-v2-cnn/model", "bundle-v2-multihot-dense/model", "bundle-v2-gru/model", "bundle-v2-ids/model",
    "bundle-v1/model", "onnx-v1", "onnx-v1-network", "bundle-v4-abstaining/model", "bundle-v4-labels/model",
)  # fmt: skip
TEXTS = ["", "a good film and a bad one", "unseenword 1 2 3 我喜欢", "The film was bad. " * 30]
_VALUES: tuple[Any, ...] = (
    None, True, False, *STRINGS, *NUMBERS, float("nan"), float("inf"), 10**400, [], [1], [None], ["a", "b"], ["a", "a"],
    {}, {"kind": "temperature"}, {"kind": "temperature", "temperature": 1e-300},
    {"kind": "sigmoid", "slope": 1e300, "intercept": -1e300}, {"kind": "sigmoid", "slope": 2.0, "intercept": -1.0},
    {"kind": "platt", "slopes": [2.0], "intercepts": [1.0]},
    {"kind": "platt", "slopes": [3] * 4, "intercepts": [0] * 4},
    [[]], {"": {}}, "linear", "trees",
    "network", "onnx", "binary", "multiclass", "multilabel", "ngrams", "sequence", "multihot", "keras", "unicode",
    "pre", "post", "words", "characters", "dense", "lstm", "gru", "conv", "embedding", "relu", "tanh",
)  # fmt: skip
_DTYPES = ("bool", "int8", "uint8", "int16", "int32", "int64", "uint32", "uint64", "float16", "float32", "float64")
_FILLS = (0, 1, -1, 2, 100, 255, 32767, 2**31 - 1, -(2**31), 2**40, 2**62, 0.5, 1e-30, 1e30, 6e4, math.nan, math.inf)


@cache
def _golden(name: str) -> Bundle:
    folder = GOLDEN / name
    return read_bundle(folder if (folder / INDEX).exists() or not (folder / "model").exists() else folder / "model")


def _change_header(header: dict[str, Any], choices: Choices) -> None:
    paths = list(places(header))
    path = choices.pick(paths)
    place: Any = header
    for key in path[:-1]:
        place = place[key]
    how = choices.below(8)
    if how == 0:
        del place[path[-1]]
    elif how == 1:
        other: Any = header
        for key in choices.pick(paths):
            other = other[key]
        place[path[-1]] = deepcopy(other)
    elif how == 2 and isinstance(place[path[-1]], list):
        place[path[-1]] *= choices.below(4)
    elif how == 3 and isinstance(place[path[-1]], int | float):
        place[path[-1]] += choices.pick((1, -1, 2, 0.5))
    elif how == 4 and isinstance(place, dict):
        place[choices.pick(STRINGS)] = choices.pick(_VALUES)
    else:
        place[path[-1]] = choices.pick(_VALUES)


def _changed_array(array: np.ndarray[Any, Any], choices: Choices) -> np.ndarray[Any, Any]:
    how = choices.below(10)
    if how == 0:
        return array[: choices.below(len(array) + 1)] if array.ndim else array
    if how == 1:
        return array[::-1]
    if how == 2:
        return array.astype(choices.pick(_DTYPES))
    if how == 3:
        return array.ravel()
    if how == 4:
        return array.T
    if how == 5:
        return np.concatenate([array, array]) if array.ndim else array
    if how == 6:
        return _cast(np.full(array.shape, choices.pick(_FILLS)), choices.pick((array.dtype, *_DTYPES)))
    if how == 7:
        return np.zeros((*array.shape[:-1], choices.below(9)), array.dtype)
    changed = array.copy()
    for _ in range(1 + choices.below(4) if changed.size else 0):
        changed.flat[choices.below(changed.size)] = _cast(np.asarray(choices.pick(_FILLS)), array.dtype)
    return changed


def _cast(array: np.ndarray[Any, Any], dtype: Any) -> np.ndarray[Any, Any]:
    with np.errstate(all="ignore"):
        return array.astype(dtype)


def _changed_bytes(content: bytes, choices: Choices) -> bytes:
    changed = bytearray(content)
    for _ in range(1 + choices.below(6)):
        at = choices.below(max(1, len(changed)))
        how = choices.below(4)
        if how == 0:
            changed[at : at + 1] = bytes([choices.below(256)])
        elif how == 1:
            del changed[at : at + choices.below(64)]
        elif how == 2:
            changed[at:at] = changed[at : at + choices.below(64)]
        else:
            changed[at:at] = choices.pick(STRINGS).encode("utf-8", "replace")
    return bytes(changed)


def _changed(bundle: Bundle, choices: Choices) -> Bundle:
    header, arrays = deepcopy(bundle.header), dict(bundle.arrays)
    texts, binaries = dict(bundle.texts), dict(bundle.binaries)
    for _ in range(1 + choices.below(3)):
        part = choices.below(8)
        if part < 3:
            _change_header(header, choices)
        elif part < 6 and arrays:
            name = choices.pick(sorted(arrays))
            if choices.once_in(12):
                del arrays[name]
            elif choices.once_in(12):
                arrays[name] = arrays[choices.pick(sorted(arrays))]
            else:
                arrays[name] = _changed_array(arrays[name], choices)
        elif part == 6 and binaries:
            name = choices.pick(sorted(binaries))
            binaries[name] = _changed_bytes(binaries[name], choices)
        elif texts:
            name = choices.pick(sorted(texts))
            texts[name] = _changed_bytes(texts[name].encode(), choices).decode("utf-8", "replace")
    return Bundle(header, arrays, texts, binaries)


def check(data: bytes) -> bool:
    """Write a changed bundle, load it and predict: only loading may refuse it."""
    choices = Choices(data)
    name = choices.pick(MODELS)
    bundle = _changed(_golden(name), choices)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        try:
            write_bundle(path, bundle, EXPORT if name.startswith("onnx") else MODEL)
        except (ValueError, TypeError, OSError):  # what cannot be written as JSON is no input
            return False
        if choices.once_in(16):
            _change_arrays_file(path, choices)
        try:
            classifier = TextClassifier.load(path)
        except BundleError:
            return False
        _check_predictions(classifier)
    return True


def _change_arrays_file(folder: Path, choices: Choices) -> None:
    """Change the bytes of the arrays, with the checksums of the index."""
    if not (folder / INDEX).exists():
        return
    content = _changed_bytes((folder / ARRAYS).read_bytes(), choices) if (folder / ARRAYS).exists() else b""
    (folder / ARRAYS).write_bytes(content)
    index = json.loads((folder / INDEX).read_bytes())
    index["parts"][ARRAYS] = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    del index["sha256"]
    (folder / INDEX).write_text(json.dumps(index | {"sha256": _digest(index)}), encoding="utf-8")


def _check_predictions(classifier: TextClassifier) -> None:
    given: Any = TEXTS if classifier.vectorizer_.reads_texts else [[1], [1, 2, 3]]
    proba = classifier.predict_proba(given)
    assert proba.shape == (len(given), len(classifier.classes_))
    assert np.isfinite(proba).all()
    assert ((proba >= 0) & (proba <= 1)).all()
    if str(classifier.task_) != "multilabel":
        assert np.allclose(proba.sum(axis=1), 1)
    assert len(classifier.predict(given)) == len(given)
    if given is TEXTS:
        try:
            explanation = explain_text(classifier, TEXTS[1])
        except TaglineError:  # exports explain nothing
            return
        assert math.isfinite(explanation.score)


def seeds() -> list[bytes]:
    """Return decisions for each model."""
    draw = Random(0)
    return [bytes([number]) + draw.randbytes(48) for number in range(len(MODELS)) for _ in range(8)]


TARGET = Target("bundles", check, seeds)
