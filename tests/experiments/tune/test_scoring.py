"""Folds of a search, and the evaluation of recipes on them."""

import numpy as np
import polars as pl
import pytest

from tagline import TextClassifier
from tagline.data import load_dataset
from tagline.experiments.shared_data import read_shared_data, save_shared_data
from tagline.experiments.tune.objective import METRICS
from tagline.experiments.tune.scoring import (
    N_FOLDS,
    EvaluationContext,
    EvaluationTask,
    Folds,
    evaluate_fold,
    measure_cost,
    prepare,
)
from tagline.recipes import load_recipe
from tests.synthetic_texts import made_up


def frame(n, seed=0, **columns):
    texts, labels = made_up(n, 3, seed)
    return pl.DataFrame({"text": texts, "label": labels, **columns})


def shared_data_of(folder, rows, **options):
    save_shared_data(folder, load_dataset(rows, **options), None)
    return read_shared_data(folder)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    split = ["train"] * 400 + ["validation"] * 60 + ["test"] * 40
    return shared_data_of(tmp_path_factory.mktemp("material"), frame(500, split=split))


def test_no_test_row_is_there(shared):
    texts, _ = made_up(500, 3)
    assert len(shared.texts) == 460
    assert shared.n_validation == 60
    assert not set(shared.texts.to_list()) & set(texts[460:])
    assert shared.texts.to_list() == texts[:460]


def test_a_search_is_given_the_same_whatever_the_test_rows_say(shared, tmp_path):
    """All that its processes read, to the last byte."""
    split = ["train"] * 400 + ["validation"] * 60 + ["test"] * 40
    rows = frame(500, split=split)
    spoilt = pl.when(pl.col("split") == "test").then(pl.lit("c0"))
    garbled = pl.when(pl.col("split") == "test").then(pl.lit("nothing")).otherwise("text")
    shared_data_of(tmp_path, rows.with_columns(label=spoilt.otherwise("label"), text=garbled))
    given = shared.feature_cache.folder.parent
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["about.json", "labels.npy", "texts.arrow"]
    for name in names:
        assert (tmp_path / name).read_bytes() == (given / name).read_bytes()


def test_given_rows_are_judged_by_what_knows_no_copy_of_them(tmp_path):
    rows = frame(300)
    rows = pl.concat([rows, rows.head(40)])
    split = ["train"] * 290 + ["test"] * 10 + ["validation"] * 40
    shared = shared_data_of(tmp_path, rows.with_columns(split=pl.Series(split)))
    learned, held = Folds(shared, seed=0).rows(0)
    assert len(held) == 40
    assert len(learned) == 250
    assert not set(shared.texts[learned.tolist()]) & set(shared.texts[held.tolist()])


def test_every_row_is_held_out_once(shared):
    folds = Folds(shared, seed=0)
    assert folds.n_first == N_FOLDS + 1
    held = np.concatenate([folds.rows(number)[1] for number in range(folds.n_first)])
    assert sorted(held) == list(range(460))
    for number in range(folds.n_first):
        learned, held = folds.rows(number)
        assert not set(learned) & set(held)
    assert folds.rows(0)[1].tolist() == list(range(400, 460))
    assert 0 not in folds.rows(0)[1]


def test_further_folds_are_other_partitions(shared):
    folds = Folds(shared, seed=0)
    first = [set(folds.rows(number)[1].tolist()) for number in range(1, 1 + N_FOLDS)]
    again = [set(folds.rows(number)[1].tolist()) for number in range(1 + N_FOLDS, 1 + 2 * N_FOLDS)]
    assert set.union(*again) == set(range(400))
    assert not any(fold in first for fold in again)


def test_copies_and_groups_stay_on_one_side(tmp_path):
    rows = frame(300)
    rows = pl.concat([rows, rows.head(60)]).with_columns(group=pl.Series(np.arange(360) % 40).cast(pl.String))
    shared = shared_data_of(
        tmp_path, rows.with_columns(split=pl.Series(["train"] * 320 + ["test"] * 40)), group="group"
    )
    folds = Folds(shared, seed=0)
    for number in range(folds.n_first):
        learned, held = folds.rows(number)
        assert not set(shared.groups[learned.tolist()]) & set(shared.groups[held.tolist()])
        assert not set(shared.texts[learned.tolist()]) & set(shared.texts[held.tolist()])


def test_many_given_rows_decide_alone(tmp_path):
    split = ["train"] * 300 + ["validation"] * 5000
    folds = Folds(shared_data_of(tmp_path, frame(5300, split=split)), seed=0)
    assert (folds.n_first, folds.unlimited) == (1, False)


@pytest.mark.parametrize("recipe", ["linear-svm", "fast"])
def test_a_part_is_worth_what_a_classifier_of_the_other_rows_gets_right(shared, recipe):
    """The public classifier, fitted on the train rows of a fold, decides."""
    folds, metric = Folds(shared, seed=0), METRICS["accuracy"]
    settings = ["protocol.calibration=none", "model.C=1", "features.min_df=1", "features.characters=none"]
    chosen = load_recipe(recipe, settings)
    fitted, result = evaluate_fold(shared, folds, chosen, metric, 2, seed=0)
    learned, held = folds.rows(2)
    labels = np.array(shared.classes)[shared.Y.argmax(axis=1)]
    clf = TextClassifier(chosen).fit(shared.texts[learned.tolist()], labels[learned])
    assert result.rows.tolist() == (clf.predict(shared.texts[held.tolist()]) == labels[held]).tolist()
    cost = measure_cost(fitted, shared.texts.head(3).to_list())
    assert 0 < cost.size_mb < 1
    assert 0 < cost.latency_ms < 1000


def test_the_work_of_a_process(shared):
    """Results are reported fold by fold until the reply is to stop; the cost is measured on the first fold."""
    work = prepare(EvaluationContext(shared.feature_cache.folder.parent, "accuracy", 0))
    recipe = load_recipe("linear-svm").model_dump(mode="json")
    reported = []
    work(EvaluationTask(0, recipe, (0, 1, 2), measured=True), lambda result: reported.append(result) or True)
    assert [result.fold for result in reported] == [0, 1, 2]
    assert [result.cost is None for result in reported] == [False, True, True]
    reported.clear()
    work(EvaluationTask(1, recipe, (0, 1, 2), measured=True), lambda result: reported.append(result) or False)
    assert [result.fold for result in reported] == [0]


def test_features_are_counted_once(shared):
    folds, metric = Folds(shared, seed=0), METRICS["accuracy"]
    recipe = load_recipe("linear-svm", ["features.words=2"])
    first = evaluate_fold(shared, folds, recipe, metric, 1, seed=0)[1]
    kept = {path.name for path in shared.feature_cache.folder.iterdir()}
    again = evaluate_fold(read_shared_data(shared.feature_cache.folder.parent), folds, recipe, metric, 1, seed=0)[1]
    assert again.rows.tolist() == first.rows.tolist()
    assert {path.name for path in shared.feature_cache.folder.iterdir()} == kept


def test_a_given_row_or_two_cannot_decide(tmp_path):
    assert not Folds(shared_data_of(tmp_path, frame(11, split=["train"] * 9 + ["validation"] * 2)), seed=0).exist


@pytest.mark.parametrize(("n", "enough"), [(9, False), (10, True)])
def test_too_few_rows(tmp_path, n, enough):
    split = ["train"] * n + ["test"] * 3
    rows = pl.DataFrame({"text": [f"text {k}" for k in range(n + 3)], "label": "a", "split": split})
    rows = rows.with_columns(label=pl.Series(["a", "b", "c"] * 5).head(n + 3))
    assert Folds(shared_data_of(tmp_path, rows), seed=0).exist == enough


def test_given_rows_decide_alone_where_there_are_too_few_others(tmp_path):
    shared = shared_data_of(tmp_path, frame(29, split=["train"] * 9 + ["validation"] * 20))
    folds, n_train = Folds(shared, seed=0), len(shared.texts) - 20  # copies of validation rows are taken out
    assert (folds.exist, folds.n_first, folds.unlimited) == (True, 1, False)
    learned, held = folds.rows(0)
    assert held.tolist() == list(range(n_train, n_train + 20))
    assert learned.tolist() == list(range(n_train))


def test_several_labels_and_a_class_that_only_test_rows_have(tmp_path):
    rows = pl.DataFrame(
        {
            "text": [f"text {k} {'good' if k % 2 else 'bad'}" for k in range(60)],
            "label": [["x"] if k % 2 else ["y", "z"] for k in range(59)] + [["only"]],
            "split": ["train"] * 40 + ["validation"] * 10 + ["test"] * 10,
        }
    )
    shared = shared_data_of(tmp_path, rows)
    assert shared.classes == ["x", "y", "z"]
    assert shared.task == "multilabel"
    assert shared.Y.shape == (50, 3)
    result = evaluate_fold(shared, Folds(shared, 0), load_recipe("fast"), METRICS["macro_f1"], 1, 0)[1]
    assert METRICS["macro_f1"].score(result.rows) > 0.9
