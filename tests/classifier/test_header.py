"""Crafted bundles: whatever a header or an array says, the only error is `BundleError`, and it comes while loading."""

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline import BundleError, TextClassifier
from tagline.bundle import Bundle, read_bundle, write_bundle
from tagline.calibration import TemperatureScaling
from tagline.classifier.header import Header, calibration_entry
from tagline.errors import InputError
from tests.synthetic_texts import made_up

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = ["fast-multiclass", "fast-multilabel", "random-forest", "naive-bayes", "lstm-masked", "multihot-dense", "cnn"]
TEXTS: list[str] = ["", "a good film and a bad one", "unseenword 1 2 3", "The film was bad. " * 40]
VALUES: list[Any] = [
    None, True, False, -1, 0, 1, 2, 7, 10**9, 10**400, 0.5, -0.5, 1e308, float("nan"), float("inf"), "", "x", "linear",
    "trees", "network", "onnx", "binary", "multilabel", "ngrams", "sequence", [], [1], [None], ["a", "b"], ["a", "a"],
    {}, {"kind": "temperature"}, {"kind": "x"}, {"x": 1},
]  # fmt: skip


@cache
def golden(name: str) -> Bundle:
    return read_bundle(GOLDEN / f"bundle-v2-{name}" / "model")


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Go through the places of a JSON value, from the outside to the inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (*path, key)
        yield from paths(child, (*path, key))


def changed(header: dict[str, Any], path: tuple[Any, ...], value: Any, *, remove: bool) -> dict[str, Any]:
    header = copy.deepcopy(header)
    place: Any = header
    for key in path[:-1]:
        place = place[key]
    if remove:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return header


def check(bundle: Bundle) -> None:
    """Load a bundle and predict: both succeed, or loading raises a `BundleError`."""
    with mock.patch("tagline.classifier.text_classifier.read_bundle", return_value=bundle):
        try:
            clf = TextClassifier.load("model")
        except BundleError:
            return
    given = TEXTS if clf.vectorizer_.reads_texts else [[1], [1, 2, 3]]  # without its words it is a model of ids
    proba = clf.predict_proba(given)
    assert proba.shape == (len(given), len(clf.classes_))
    assert ((proba >= 0) & (proba <= 1)).all()
    assert len(clf.predict(given)) == len(given)


@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from(NAMES), st.sampled_from(VALUES), st.sampled_from([False, False, False, True]))
def test_a_changed_header_is_a_bundle_error_or_works(data: st.DataObject, name: str, value: Any, remove: bool) -> None:
    bundle = golden(name)
    path = data.draw(st.sampled_from(sorted(paths(bundle.header), key=str)))
    check(Bundle(changed(bundle.header, path, value, remove=remove), bundle.arrays, bundle.texts, bundle.binaries))


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(NAMES))
def test_a_changed_array_is_a_bundle_error_or_works(data: st.DataObject, name: str) -> None:
    bundle = golden(name)
    key = data.draw(st.sampled_from(sorted(bundle.arrays)))
    array = bundle.arrays[key]
    half = array[: len(array) // 2]
    filled = [np.full_like(array, fill) for fill in (0, 1, 100)]
    changes = [array[:0], half, array[::-1], array.astype(np.float64), array.astype(np.int64), array.ravel(), *filled]
    changes += [np.full(array.shape, fill) for fill in (-1, 10**6, np.nan, np.inf)]
    change = data.draw(st.sampled_from([None, *range(len(changes))]))
    arrays = {other: value for other, value in bundle.arrays.items() if other != key or change is not None}
    if change is not None:
        arrays[key] = changes[change]
    check(Bundle(bundle.header, arrays, bundle.texts, bundle.binaries))


def test_followers_that_ask_for_more_memory_than_there_is_are_refused() -> None:
    clf = TextClassifier().fit(*made_up(40))
    arrays = clf.vectorizer_.arrays()
    key = next(name for name in arrays if name.endswith(".followers"))
    arrays[key] = np.full_like(arrays[key], 2**40, dtype=np.int64)
    with pytest.raises(ValueError, match=r"n-grams for .* followers"):
        type(clf.vectorizer_).restore(clf.vectorizer_.settings(), arrays, clf.vectorizer_.texts())


@pytest.mark.parametrize("name", NAMES)
def test_a_text_file_that_lacks_lines_or_is_missing(name: str) -> None:
    bundle = golden(name)
    for file, text in bundle.texts.items():
        lines = text.split("\n")
        for other in ("", "\n".join(lines[: len(lines) // 2]), text + text):
            check(Bundle(bundle.header, bundle.arrays, {**bundle.texts, file: other}, bundle.binaries))
        check(Bundle(bundle.header, bundle.arrays, {}, bundle.binaries))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "several"}, "`task` is `several`, which is unknown"),
        ({"task": "binary"}, "`task` is `binary`, and there are 3 `classes`"),
        ({"classes": ["a", "a", "b"]}, "`classes` must differ"),
        ({"classes": "abc"}, "`classes` is invalid"),
        ({"model": "magic"}, "`model` is `magic`, which is unknown"),
        ({"features": {"kind": "magic"}}, r"`features\.kind` is `magic`, which is unknown"),
        ({"temperature": 0}, r"invalid `calibration` \(`temperature` must be a finite number above 0, not `0"),
        ({"temperature": float("nan")}, "`temperature` is invalid"),
        ({"threshold": 1.5}, "`threshold` is invalid"),
        ({"threshold": "0.5"}, "`threshold` is invalid: `0.5` is not a number between 0 and 1"),
        ({"threshold": [0.5, 0.5, 0.5]}, "`threshold` is one number, except for several labels"),
        ({"positive": "a"}, "`positive` must be one of the `classes`"),
        ({"seed": -1}, "`seed` is invalid"),
        ({"calibration": {"kind": "magic"}}, "the calibration method `magic` is unknown"),
        ({"calibration": {"kind": "sigmoid", "slope": -1, "intercept": 0}}, "`slope` must be a finite number above 0"),
        ({"calibration": {"kind": "platt", "slopes": [1], "intercepts": [0]}}, "`platt` is not for multiclass data"),
        ({"recipe": {"recipe": {}}}, "invalid `recipe`"),
    ],
)
def test_the_part_that_is_wrong_is_named(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    bundle = golden("fast-multiclass")
    write_bundle(tmp_path / "model", Bundle(bundle.header | change, bundle.arrays, bundle.texts))
    with pytest.raises(BundleError, match=message):
        TextClassifier.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ([0.5] * 3, "`threshold` lists 3 numbers for 4 `classes`"),
        ([0.5, 0.5, 0.5, -0.1], "`threshold` is invalid: `-0.1` is not a number between 0 and 1"),
        ([0.5, 0.5, 0.5, True], "`threshold` is invalid: `True` is not a number"),
    ],
)
def test_thresholds_of_other_labels_are_refused(threshold: list[Any], message: str, tmp_path: Path) -> None:
    bundle = golden("fast-multilabel")
    write_bundle(tmp_path / "model", Bundle(bundle.header | {"threshold": threshold}, bundle.arrays, bundle.texts))
    with pytest.raises(BundleError, match=message):
        TextClassifier.load(tmp_path / "model")


def test_a_bundle_with_a_threshold_for_each_label_is_read_and_written(tmp_path: Path) -> None:
    bundle, each = golden("fast-multilabel"), [0.0, 0.1, 0.5, 1]
    write_bundle(tmp_path / "model", Bundle(bundle.header | {"threshold": each}, bundle.arrays, bundle.texts))
    clf = TextClassifier.load(tmp_path / "model")
    assert clf.threshold_.tolist() == each
    assert clf.decide(np.full((1, 4), 0.3)).tolist() == [clf.classes_[:2].tolist()]
    assert clf.decide(np.full((1, 4), 0.3), threshold=0.2).tolist() == [clf.classes_.tolist()]
    clf.save(tmp_path / "again")
    assert TextClassifier.load(tmp_path / "again").threshold_.tolist() == each


def test_a_calibration_of_other_labels_is_refused(tmp_path: Path) -> None:
    bundle = golden("fast-multilabel")
    calibration = {"kind": "platt", "slopes": [1.0], "intercepts": [0.0]}
    write_bundle(tmp_path / "model", Bundle(bundle.header | {"calibration": calibration}, bundle.arrays, bundle.texts))
    with pytest.raises(BundleError, match=r"invalid `calibration` \(it calibrates 1 outputs, and there are 4\)"):
        TextClassifier.load(tmp_path / "model")


def test_trees_whose_children_come_before_them_do_not_loop() -> None:
    bundle = golden("random-forest")
    arrays = dict(bundle.arrays)
    arrays["model.left"] = np.where(arrays["model.feature"] >= 0, 0, -1).astype(np.int32)
    looping = Bundle(bundle.header, arrays, bundle.texts)
    with (
        mock.patch("tagline.classifier.text_classifier.read_bundle", return_value=looping),
        pytest.raises(BundleError, match="the trees are not those of"),
    ):
        TextClassifier.load("model")


def scaled(exponent: Any) -> Bundle:
    """Return a bundle whose coefficients are stored with exponents."""
    bundle = golden("fast-multiclass")
    arrays = dict(bundle.arrays)
    arrays["model.scaled_coef"] = arrays.pop("model.coef")
    arrays["model.exponent"] = np.asarray(exponent)
    return Bundle(bundle.header, arrays, bundle.texts)


@pytest.mark.parametrize(
    ("exponent", "message"),
    [
        (np.zeros(2, np.int16), r"`exponent` has the shape \(2,\)"),
        (np.zeros((3, 1), np.int16), r"`exponent` has the shape \(3, 1\)"),
        (np.int16(0), r"`exponent` has the shape \(\)"),
        (np.zeros(3), "type float64"),
        (np.zeros(3, bool), "type bool"),
        (np.full(3, 112, np.int16), "`exponent` is not between -256 and 111"),
        (np.full(3, 2**40), "`exponent` is not between -256 and 111"),
        (np.full(3, -(2**40)), "`exponent` is not between -256 and 111"),
    ],
)
def test_exponents_must_be_an_integer_for_each_output(exponent: Any, message: str) -> None:
    with (
        mock.patch("tagline.classifier.text_classifier.read_bundle", return_value=scaled(exponent)),
        pytest.raises(BundleError, match=f"invalid `model` .*{message}"),
    ):
        TextClassifier.load("model")


def test_exponents_of_zero_change_nothing() -> None:
    check(scaled(np.zeros(3, np.int16)))
    with mock.patch(
        "tagline.classifier.text_classifier.read_bundle",
        side_effect=[scaled(np.zeros(3, np.int16)), golden("fast-multiclass")],
    ):
        with_exponents, without = TextClassifier.load("model"), TextClassifier.load("model")
    np.testing.assert_array_equal(with_exponents.logits(TEXTS), without.logits(TEXTS))


@pytest.mark.parametrize("folder", sorted(path.name for path in GOLDEN.glob("bundle-*")))
def test_headers_of_earlier_versions_are_valid(folder: str) -> None:
    source = GOLDEN / folder
    header = read_bundle(source / "model" if (source / "model").exists() else source).header
    entry = calibration_entry(Header.model_validate(header).calibrator())
    assert entry == {name: header[name] for name in ("temperature", "calibration") if name in header}
    assert json.loads(json.dumps(header)) == header


def test_a_temperature_keeps_its_key_in_headers() -> None:
    assert calibration_entry(TemperatureScaling(1.5)) == {"temperature": 1.5}


@pytest.mark.parametrize(
    "facts",
    [
        {"dataset": 3},
        {"text_columns": 5},
        {"text_columns": [1, 2]},
        {"label_column": 1},
        {"seed": "x"},
        {"seed": -1},
        {"dataset": {"rows": {"train": "a"}}},
        {"dataset": {"fingerprint": 1}},
    ],
)
def test_facts_have_types(facts: dict[str, Any], tmp_path: Path) -> None:
    bundle = golden("naive-bayes")
    write_bundle(tmp_path / "crafted", Bundle(bundle.header | {"facts": facts}, bundle.arrays, bundle.texts))
    with pytest.raises(BundleError, match=r"`facts\."):
        TextClassifier.load(tmp_path / "crafted")
    clf = TextClassifier.load(GOLDEN / "bundle-v2-naive-bayes" / "model")
    with pytest.raises(InputError, match="`facts`"):
        clf.save(tmp_path / "saved", facts)


def test_facts_are_returned_as_they_were_saved(tmp_path: Path) -> None:
    clf = TextClassifier.load(GOLDEN / "bundle-v2-naive-bayes" / "model")
    facts: dict[str, Any] = {"seed": None, "text_columns": ["a"], "dataset": {"rows": {"train": 1}, "x": 1}, "y": [2]}
    clf.save(tmp_path / "saved", facts)
    assert TextClassifier.load(tmp_path / "saved").card_ == facts
