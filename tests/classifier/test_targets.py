"""Classifiers that are fitted for low costs, or for the precision or recall of a class."""

import numpy as np
import pytest

from tagline import TextClassifier
from tagline.decisions.cost_table import as_costs
from tagline.errors import BundleError, InputError
from tests.classifier.test_decisions import texts_and_labels
from tests.synthetic_texts import made_up, several

COSTS = {
    "animal": {"colour": 1, "number": 1},
    "colour": {"animal": 9, "number": 9},
    "number": {"animal": 1, "colour": 1},
}


def fitted(texts, labels, **targets):
    return TextClassifier("naive-bayes", **targets).fit(texts, labels)


def test_costs_of_several_classes_decide_and_are_kept(tmp_path):
    texts, labels = texts_and_labels(noise=0.4)
    clf, plain = fitted(texts, labels, costs=COSTS), fitted(texts, labels)
    assert clf.predict(texts).tolist() == plain.decide(plain.predict_proba(texts), costs=COSTS).tolist()
    assert (clf.predict(texts) != plain.predict(texts)).any()
    clf.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    assert loaded.costs_ == clf.costs_
    assert loaded.predict(texts).tolist() == clf.predict(texts).tolist()
    assert loaded.abstention_threshold(0.5) == clf.abstention_threshold(0.5)  # of the decisions by costs


def test_costs_of_two_classes_are_a_threshold():
    texts, labels = made_up(200, noise=0.2)
    first, second = sorted(set(labels))
    clf = fitted(texts, labels, costs={first: {second: 4}, second: {first: 1}}, positive=first)
    assert clf.threshold_ == pytest.approx(1 / 5)
    proba = clf.predict_proba(texts)
    assert clf.predict(texts).tolist() == clf.decide(proba, costs=clf.costs_).tolist()
    assert (clf.decide([[0.3, 0.7]]), clf.decide([[0.1, 0.9]])) == ([first], [second])
    assert clf.decide(proba, positive=second).tolist() == clf.decide(proba).tolist()
    clf.threshold_ = 0.7
    assert clf.decide([[0.3, 0.7]]) == clf.decide([[0.3, 0.7]], positive=first) == [second]
    assert clf.decide([[0.3, 0.7]], costs=clf.costs_) == [first]


def test_a_recall_of_one_of_several_classes_gives_it_a_threshold_that_is_kept(tmp_path):
    texts, labels = texts_and_labels(600, noise=0.4)
    clf = fitted(texts, labels, recall={"colour": 0.8})
    assert clf.positive_ == "colour"
    held_out = clf.calibrated_on_
    k = clf.classes_.tolist().index("colour")
    found = held_out.proba[held_out.Y[:, k], k] > clf.threshold_
    assert 0.8 < found.mean() < 0.95
    proba = clf.predict_proba(texts)
    others = np.delete(clf.classes_, k)
    said = np.where(proba[:, k] > clf.threshold_, "colour", others[np.delete(proba, k, axis=1).argmax(axis=1)])
    assert clf.predict(texts).tolist() == said.tolist()
    clf.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    assert (loaded.positive_, loaded.threshold_) == ("colour", clf.threshold_)
    assert loaded.predict(texts).tolist() == said.tolist()
    assert loaded.decide(proba, threshold=1.0).tolist() == others[np.delete(proba, k, axis=1).argmax(axis=1)].tolist()


def test_a_recall_holds_out_all_rows_beside_given_validation_rows():
    texts, labels = texts_and_labels(1_600, noise=0.2)
    given = (texts[:1_000], labels[:1_000]), (texts[1_000:], labels[1_000:])
    clf = TextClassifier("naive-bayes", recall={"colour": 0.8}).fit(*given[0], validation=given[1])
    assert len(clf.calibrated_on_.proba) == 1_600
    assert len(clf.validation_.proba) == 600
    assert len(TextClassifier("naive-bayes").fit(*given[0], validation=given[1]).calibrated_on_.proba) == 600


def test_a_loaded_model_is_fitted_again_for_the_same_targets(tmp_path):
    texts, labels = texts_and_labels(600, noise=0.2)
    for name, targets in (("costs", {"costs": COSTS}), ("recall", {"recall": {"colour": 0.8}})):
        clf = fitted(texts, labels, **targets)
        clf.save(tmp_path / name)
        again = TextClassifier.load(tmp_path / name).fit(texts, labels)
        assert (again.costs_, again.threshold_, again.positive_) == (clf.costs_, clf.threshold_, clf.positive_)


def test_wrong_predictions_without_a_cost_cost_one():
    texts, labels = made_up(200, noise=0.2)
    first, second = sorted(set(labels))
    assert fitted(texts, labels, costs={first: {second: 10}}).costs_.costs == ((0.0, 10.0), (1.0, 0.0))


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("about", [0, 1])
def test_a_precision_of_either_of_two_classes_sets_the_threshold(positive, about):
    texts, labels = made_up(400, noise=0.2)
    names = sorted(set(labels))
    clf = fitted(texts, labels, precision={names[about]: 0.75}, positive=names[positive])
    held_out = clf.calibrated_on_
    said = clf.rule_.decide(held_out.proba, clf.task_) == about
    assert held_out.Y[said, about].mean() > 0.75
    assert clf.positive_ == names[positive]


def test_labels_of_a_set_have_their_own_targets():
    texts, labels = several(400)
    plain = fitted(texts, labels)
    first, second = plain.classes_[:2]
    clf = fitted(texts, labels, precision={first: 0.6}, recall={second: 0.6})
    changed = np.broadcast_to(plain.threshold_, clf.threshold_.shape) != clf.threshold_
    assert changed[:2].all()
    assert not changed[2:].any()


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"costs": {"animal": {"plant": 1}}}, "`costs`: `plant` is not a class of the model"),
        ({"costs": {"animal": 1}}, "`costs`: for texts of `animal` it has `1`, not a cost for each predicted class"),
        ({"costs": [[0, 1], [1, 0]]}, r"the shape \(2, 2\), not \(3, 3\)"),
        ({"costs": COSTS, "recall": {"colour": 0.9}}, "leave out precision and recall"),
        ({"costs": [[1, 0, 1], [1, 0, 1], [1, 1, 0]]}, "`animal` the right prediction costs 1 and `colour` only 0"),
        ({"precision": {"colour": 0.999}}, "held-out rows do not show a precision of 0.999 for `colour`"),
    ],
)
def test_what_cannot_be_is_one_line(targets, message):
    with pytest.raises(InputError, match=message):
        fitted(*texts_and_labels(), **targets)


def test_several_labels_have_no_costs():
    with pytest.raises(InputError, match="these texts have several labels"):
        fitted(*several(100), costs=[[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"costs": [[0, 1], [1, 0]]}, "invalid `costs`"),
        ({"costs": [[0, -1, 1], [1, 0, 1], [1, 1, 0]]}, "invalid `costs`"),
        ({"costs": 3}, "`costs` is invalid"),
    ],
)
def test_costs_in_a_bundle_are_checked(change, message, tmp_path):
    from tagline.bundle import Bundle, read_bundle, write_bundle

    fitted(*texts_and_labels(), costs=COSTS).save(tmp_path / "model")
    bundle = read_bundle(tmp_path / "model")
    write_bundle(tmp_path / "other", Bundle(bundle.header | change, bundle.arrays, bundle.texts))
    with pytest.raises(BundleError, match=message):
        TextClassifier.load(tmp_path / "other")


def test_a_model_whose_classes_cost_the_same_is_saved(tmp_path):
    three = as_costs({"a": {"c": 1}, "b": {"c": 2}, "c": {"a": 1, "b": 1}}, ["a", "b", "c"])
    texts = [f"{word} {n}" for n in range(40) for word in ("one", "two")]
    clf = fitted(texts, ["a", "b"] * 40, costs=three.of_classes(["a", "b"]))  # `c` is in test rows only
    clf.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    assert loaded.rule_ == clf.rule_
    assert loaded.predict(["one", "two"]).tolist() == ["a", "b"]
