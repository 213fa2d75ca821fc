"""The page's answers are those of Python: every kind of linear model, whole and pruned, in 8 and in 16 bits."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from py_mini_racer import MiniRacer

from tagline.calibration import Calibrator, PlattScaling, SigmoidScaling, TemperatureScaling
from tagline.classifier import TextClassifier
from tagline.decisions.cost_table import as_costs
from tagline.decisions.levels import levels_to_json
from tagline.errors import InputError, MissingExtraError
from tagline.explain import explain_text
from tagline.export.html.compose import CSV_SCRIPTS, model_script, read_script
from tagline.export.html.javascript import V8
from tagline.export.html.pruning import keep_heaviest
from tagline.export.html.quantization import dequantize, quantize
from tagline.export.html.sizing import Packed, pack
from tagline.runs.predicting.prediction_row import PredictionOptions, prediction_rows
from tests.synthetic_texts import made_up, several, unclear

HOSTILE = [
    *("", " \n", "\x00", "İSTANBUL ΟΔΟΣ", "e\u0301 good\u200b film \xadbad", "👩‍👩‍👧 good 🇩🇪", "我喜欢 film ที่"),
    *("good<br /><br>bad", "https://good.example/bad", "good " * 600, "goodgoodgood", "film'film ’ film"),
]
SHOWN = pl.Series(made_up(100, seed=4)[0])
KINDS: dict[str, dict[str, Any]] = {
    "words": {"settings": {"features.characters": "none"}},
    "words and characters": {"settings": {"features.characters": (2, 4)}},
    "several classes": {"n_classes": 4, "settings": {"features.characters": (1, 3)}},
    "several labels": {"n_classes": 0, "settings": {"features.characters": (2, 3)}},
    "logistic regression": {"recipe": "logistic-regression"},
    "naive Bayes": {"recipe": "naive-bayes", "n_classes": 3},
    "linear SVM": {"recipe": "linear-svm", "stop_words": ["The", "film"]},
    "strong regularisation": {"recipe": "logistic-regression", "settings": {"model.C": 1e-8}},
}


def fitted(recipe: str = "fast", n_classes: int = 2, **options: Any) -> TextClassifier:
    texts, labels = made_up(200, n_classes, noise=0.2) if n_classes else several(200)
    return TextClassifier(recipe, **options).fit(texts, labels)


@pytest.fixture(scope="module", params=KINDS)
def clf(request: pytest.FixtureRequest) -> TextClassifier:
    return fitted(**KINDS[request.param])


def texts_for(clf: TextClassifier) -> list[str]:
    texts, _ = made_up(100, max(2, len(clf.classes_)), seed=1)
    return [*texts, *HOSTILE]


def in_v8(packed: Packed) -> V8:
    return V8(model_script(), gzip.decompress(packed.payload))


def pruned(clf: TextClassifier, bits: int, n: int) -> Packed:
    whole = pack(clf, bits, 10**9, SHOWN)
    small = pack(clf, bits, len(whole.payload) * n // 100, SHOWN)
    assert len(small.payload) <= len(whole.payload) * n // 100
    return small


def test_p_values_of_novelty_are_pythons(clf: TextClassifier) -> None:
    packed, texts = pruned(clf, 16, 100), texts_for(clf)
    v8, step = in_v8(packed), 1 / (len(packed.classifier.novelty_ or []) + 1)
    found = [v8.explain(text)["novelty_p_value"] for text in texts]
    expected = packed.classifier.novelty_p_values(texts)
    assert found == pytest.approx(expected, abs=2.5 * step)  # the last digit of a probability may move it by a rank
    assert np.mean(np.array(found) == expected) > 0.9
    assert len({round(p, 4) for p in found}) > 20


def test_a_page_that_lacks_ngrams_cannot_tell_novelty() -> None:
    packed = pruned(fitted(settings={"features.characters": "none"}), 16, 60)
    assert packed.classifier.novelty_ is None
    assert in_v8(packed).explain("good film")["novelty_p_value"] is None


def test_each_label_has_its_own_threshold_as_in_python() -> None:
    clf = fitted(n_classes=0)
    proba = clf.predict_proba(texts_for(clf))
    clf.threshold_ = np.quantile(proba, [0.2, 0.5, 0.8], axis=0).diagonal()
    packed, texts = pruned(clf, 16, 100), texts_for(clf)
    answers, expected = in_v8(packed).classify(texts), packed.classifier.predict_proba(texts)
    assert np.array_equal(packed.classifier.threshold_, clf.threshold_)
    assert answers.labels == packed.classifier.decide(expected).tolist()
    assert answers.labels != packed.classifier.decide(expected, threshold=0.5).tolist()


def test_costs_and_the_threshold_of_one_of_several_classes_decide_as_in_python() -> None:
    clf = fitted(n_classes=4)
    texts, names = texts_for(clf), clf.classes_.tolist()
    plain = clf.predict(texts).tolist()
    clf.positive_, clf.threshold_ = names[2], float(np.median(clf.predict_proba(texts)[:, 2]))
    with_threshold = in_v8(pruned(clf, 16, 100)).classify(texts).labels
    assert with_threshold == clf.predict(texts).tolist() != plain
    clf.costs_ = as_costs(np.random.default_rng(3).uniform(1, 20, (4, 4)) * (1 - np.eye(4)), names)
    by_costs = in_v8(pruned(clf, 16, 100)).classify(texts).labels
    assert by_costs == clf.predict(texts).tolist() not in (plain, with_threshold)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("percent", [100, 97])
def test_labels_and_probabilities_are_pythons(clf: TextClassifier, bits: int, percent: int) -> None:
    packed, texts = pruned(clf, bits, percent), texts_for(clf)
    answers = in_v8(packed).classify(texts)
    expected = packed.classifier.predict_proba(texts)
    np.testing.assert_allclose(answers.proba, expected, rtol=0, atol=1e-6)
    assert answers.labels == packed.classifier.decide(expected).tolist()


CELLS = """(answers, classes, options, offered) => answers.map(([prediction, probabilities]) => {
  const probability = probabilities[classes.indexOf(prediction)];
  return predictedCells({ prediction, probability, probabilities }, classes, decisionsOf(options, offered));
})"""


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_unsure_texts_and_prediction_sets_are_pythons(n_classes: int) -> None:
    clf = TextClassifier().fit(*unclear(600, n_classes))
    packed, texts = pack(clf, 8, 10**9, SHOWN), unclear(300, n_classes, seed=1)[0]
    page, classes, offered = packed.classifier, [str(name) for name in clf.classes_], levels_to_json(clf.held_out_)
    assert offered is not None
    assert len(offered["abstention"]) >= 2
    proba, in_page = page.predict_proba(texts), in_v8(packed).classify(texts)
    answers = [*zip(in_page.labels, in_page.proba.tolist(), strict=True)]
    engine = MiniRacer()
    engine.eval("\n".join(map(read_script, CSV_SCRIPTS)))
    for level in offered["abstention"]:
        for given, options in (
            ({"abstain": level["accuracy"], "sets": 0.9}, PredictionOptions(abstain=level["accuracy"], sets=0.9)),
            ({"abstain": level["accuracy"]}, PredictionOptions(abstain=level["accuracy"])),
            ({"unsureBelow": 0.8, "sets": 0.9}, PredictionOptions(unsure_below=0.8, sets=0.9)),
        ):
            arguments = ", ".join(json.dumps(argument) for argument in (answers, classes, given, offered))
            found = json.loads(str(engine.eval(f"JSON.stringify(({CELLS})({arguments}))")))
            expected = prediction_rows(page, classes, proba, options)
            assert [row[0] for row in found] == expected.labels
            np.testing.assert_allclose([float(row[1]) for row in found], proba.max(axis=1), rtol=0, atol=5.1e-5)
            if expected.sets is not None:
                assert [json.loads(row[2]) for row in found] == expected.sets
            reasons = expected.to_frame()["reason"].to_list()
            assert [row[-1] for row in found] == reasons
            assert len(set(reasons)) == 2
    assert n_classes == 2 or any(len(inside) > 1 for inside in expected.sets or ())


def test_explanations_are_pythons(clf: TextClassifier) -> None:
    packed = pack(clf, 16, 10**9, SHOWN)
    engine = in_v8(packed)
    for text in [*texts_for(clf)[:4], *HOSTILE]:
        for class_name in (None, *(map(str, clf.classes_) if len(text) < 1000 else ())):
            expected, found = explain_text(packed.classifier, text, class_name), engine.explain(text, class_name)
            assert (found["class"], found["scale"]) == (expected.class_name, expected.scale)
            given = found["prediction"]
            assert (", ".join(given) if isinstance(given, list) else given) == expected.prediction
            ours = sorted((c.name, c.value, c.spans) for c in expected.contributions)
            theirs = sorted((c["name"], c["value"], tuple(map(tuple, c["spans"]))) for c in found["contributions"])
            assert [(name, spans) for name, _, spans in theirs] == [(name, spans) for name, _, spans in ours]
            np.testing.assert_allclose([c[1] for c in theirs], [c[1] for c in ours], rtol=1e-5, atol=1e-6)
            expected_words = {(word.name, word.spans): word.value for word in expected.by_word}
            words = {(word["name"], tuple(map(tuple, word["spans"]))): word["value"] for word in found["by_word"]}
            assert words == pytest.approx(expected_words, rel=1e-5, abs=1e-6)
            n_parts = {word.name: len(word.features) for word in expected.by_word}
            assert {word["name"]: len(word["features"]) for word in found["by_word"]} == n_parts
            assert [tuple(word[:2]) for word in found["words"]] == [word[:2] for word in expected.words()]
            np.testing.assert_allclose([w[2] for w in found["words"]], [w[2] for w in expected.words()], atol=1e-5)
            for ours_figure, figure in ((expected.score, "score"), (expected.intercept, "intercept")):
                assert found[figure] == pytest.approx(ours_figure, abs=1e-5)
            assert found["score"] == pytest.approx(
                found["intercept"] + sum(c["value"] for c in found["contributions"]), abs=1e-9
            )
            strengths = [abs(c["value"]) for c in found["contributions"]]
            assert strengths == sorted(strengths, reverse=True)


@pytest.mark.parametrize(
    ("n_classes", "calibrator"),
    [
        (4, SigmoidScaling(3.0, -1.5)),
        (0, PlattScaling((0.5, 2.0, 7.0), (1.0, 0.0, -2.0))),
        (4, TemperatureScaling(0.3)),
    ],
)
def test_every_calibration_is_pythons(n_classes: int, calibrator: Calibrator, tmp_path: Path) -> None:
    changed = fitted(n_classes=n_classes)
    changed.calibrator_ = calibrator
    changed.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    assert loaded.calibrator_ == calibrator
    packed, texts = pack(loaded, 16, 10**9, SHOWN), texts_for(loaded)
    engine = in_v8(packed)
    np.testing.assert_allclose(engine.classify(texts).proba, packed.classifier.predict_proba(texts), rtol=0, atol=1e-6)
    for class_name in map(str, loaded.classes_):
        explained = explain_text(packed.classifier, "a good film, a bad plot", class_name)
        found = engine.explain("a good film, a bad plot", class_name)
        assert found["score"] == pytest.approx(explained.score, abs=1e-5)


def test_sixteen_bits_are_nearly_the_model(clf: TextClassifier) -> None:
    texts = texts_for(clf)
    page = pack(clf, 16, 10**9, SHOWN).classifier
    np.testing.assert_allclose(page.predict_proba(texts), clf.predict_proba(texts), rtol=0, atol=2e-4)
    page = pack(clf, 8, 10**9, SHOWN).classifier
    np.testing.assert_allclose(page.predict_proba(texts), clf.predict_proba(texts), rtol=0, atol=0.05)


def test_of_pruned_ngrams_every_part_stays(clf: TextClassifier) -> None:
    n = clf.n_features_ // 4
    pruned = keep_heaviest(clf.vectorizer_, clf.model_, n)
    vectorizer, model = pruned.vectorizer, pruned.model
    assert n <= vectorizer.n_columns < clf.n_features_
    assert model.coef.shape == (vectorizer.n_columns, clf.model_.coef.shape[1])
    # What is left has the name, the scale and the coefficients that it had.
    before, after = clf.vectorizer_, vectorizer
    known = dict(zip(before.names(np.arange(before.n_columns)), range(before.n_columns), strict=True))
    where = [known[name] for name in after.names(np.arange(after.n_columns))]
    assert where == sorted(where)
    np.testing.assert_array_equal(np.concatenate(after.scales), np.concatenate(before.scales)[where])
    np.testing.assert_array_equal(model.coef, clf.model_.coef[where])
    # The heaviest are among it.
    weights = np.concatenate(before.scales) * np.abs(clf.model_.coef).max(axis=1)
    assert weights[where].min() <= np.sort(weights)[-n]
    assert np.isin(np.argsort(-weights, kind="stable")[:n], where).all()


def test_whatever_the_budget_it_is_kept(clf: TextClassifier) -> None:
    least = len(pack(clf, 8, 0, SHOWN).payload)
    for budget in (least + 300, least + 1000):
        packed = pack(clf, 8, budget, SHOWN)
        assert len(packed.payload) <= budget


def test_levels_hold_what_they_stand_for(clf: TextClassifier) -> None:
    for bits in (8, 16):
        levels = quantize(clf.vectorizer_, clf.model_, bits)
        exact = np.concatenate(clf.vectorizer_.scales)
        scales = np.concatenate([block.scales() for block in levels])
        assert ((scales > 0) == (exact > 0)).all()
        # Half a level of a square: |s - s'| <= sqrt(s step) + step / 4.
        steps = np.concatenate([np.full(len(block.scale), block.scale_step) for block in levels])
        assert (np.abs(scales - exact) <= np.sqrt(exact * steps) + steps).all()
        page = dequantize(clf, clf.vectorizer_, clf.model_, levels)
        assert page.model_.coef.shape == clf.model_.coef.shape
        assert page is not clf
        assert page.vectorizer_ is not clf.vectorizer_


def test_the_same_model_gives_the_same_bytes(clf: TextClassifier) -> None:
    assert pack(clf, 8, 10**9, SHOWN).payload == pack(clf, 8, 10**9, SHOWN).payload


def test_without_v8_a_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagline.export.html.javascript.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"tagline\[page\]"):
        V8(model_script(), b"")


def test_under_a_limit_of_memory_v8_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (8 << 30, 8 << 30))
    with pytest.raises(InputError, match="ulimit -v unlimited"):
        V8(model_script(), b"")
