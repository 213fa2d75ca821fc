"""The parts that rows are held out in, and what a recipe is worth on them."""

import numpy as np
import polars as pl
import pytest

from tagline import TextClassifier
from tagline.data import load_dataset
from tagline.experiments.shared_data import read_material, save_material
from tagline.experiments.tune.objective import METRICS
from tagline.experiments.tune.scoring import N_FOLDS, Judging, Parts, Task, judge_part, measure_cost, prepare
from tagline.recipes import load_recipe
from tests.synthetic_texts import made_up


def frame(n, seed=0, **columns):
    texts, labels = made_up(n, 3, seed)
    return pl.DataFrame({"text": texts, "label": labels, **columns})


def material_of(folder, rows, **options):
    save_material(folder, load_dataset(rows, **options), None)
    return read_material(folder)


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    split = ["train"] * 400 + ["validation"] * 60 + ["test"] * 40
    return material_of(tmp_path_factory.mktemp("material"), frame(500, split=split))


def test_no_test_row_is_there(material):
    texts, _ = made_up(500, 3)
    assert len(material.texts) == 460
    assert material.n_given == 60
    assert not set(material.texts.to_list()) & set(texts[460:])
    assert material.texts.to_list() == texts[:460]


def test_a_search_is_given_the_same_whatever_the_test_rows_say(material, tmp_path):
    """All that its processes read, to the last byte."""
    split = ["train"] * 400 + ["validation"] * 60 + ["test"] * 40
    rows = frame(500, split=split)
    spoilt = pl.when(pl.col("split") == "test").then(pl.lit("c0"))
    garbled = pl.when(pl.col("split") == "test").then(pl.lit("nothing")).otherwise("text")
    material_of(tmp_path, rows.with_columns(label=spoilt.otherwise("label"), text=garbled))
    given = material.feature_cache.folder.parent
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["about.json", "labels.npy", "texts.arrow"]
    for name in names:
        assert (tmp_path / name).read_bytes() == (given / name).read_bytes()


def test_given_rows_are_judged_by_what_knows_no_copy_of_them(tmp_path):
    rows = frame(300)
    rows = pl.concat([rows, rows.head(40)])
    split = ["train"] * 290 + ["test"] * 10 + ["validation"] * 40
    material = material_of(tmp_path, rows.with_columns(split=pl.Series(split)))
    learnt, held = Parts(material, seed=0).rows(0)
    assert len(held) == 40
    assert len(learnt) == 250
    assert not set(material.texts[learnt.tolist()]) & set(material.texts[held.tolist()])


def test_every_row_is_held_out_once(material):
    parts = Parts(material, seed=0)
    assert parts.first == N_FOLDS + 1
    held = np.concatenate([parts.rows(number)[1] for number in range(parts.first)])
    assert sorted(held) == list(range(460))
    for number in range(parts.first):
        learnt, held = parts.rows(number)
        assert not set(learnt) & set(held)
    assert parts.rows(0)[1].tolist() == list(range(400, 460))
    assert 0 not in parts.rows(0)[1]


def test_further_parts_are_drawn_anew(material):
    parts = Parts(material, seed=0)
    first = [set(parts.rows(number)[1].tolist()) for number in range(1, 1 + N_FOLDS)]
    again = [set(parts.rows(number)[1].tolist()) for number in range(1 + N_FOLDS, 1 + 2 * N_FOLDS)]
    assert set.union(*again) == set(range(400))
    assert not any(part in first for part in again)


def test_copies_and_groups_stay_on_one_side(tmp_path):
    rows = frame(300)
    rows = pl.concat([rows, rows.head(60)]).with_columns(group=pl.Series(np.arange(360) % 40).cast(pl.String))
    material = material_of(tmp_path, rows.with_columns(split=pl.Series(["train"] * 320 + ["test"] * 40)), group="group")
    parts = Parts(material, seed=0)
    for number in range(parts.first):
        learnt, held = parts.rows(number)
        assert not set(material.groups[learnt.tolist()]) & set(material.groups[held.tolist()])
        assert not set(material.texts[learnt.tolist()]) & set(material.texts[held.tolist()])


def test_many_given_rows_decide_alone(tmp_path):
    split = ["train"] * 300 + ["validation"] * 5000
    parts = Parts(material_of(tmp_path, frame(5300, split=split)), seed=0)
    assert (parts.first, parts.more) == (1, False)


@pytest.mark.parametrize("recipe", ["linear-svm", "fast"])
def test_a_part_is_worth_what_a_classifier_of_the_other_rows_gets_right(material, recipe):
    """The public classifier, fitted to the rows of a part by hand, decides."""
    parts, metric = Parts(material, seed=0), METRICS["accuracy"]
    settings = ["protocol.calibration=none", "model.C=1", "features.min_df=1", "features.characters=none"]
    chosen = load_recipe(recipe, settings)
    fitted, part = judge_part(material, parts, chosen, metric, 2, seed=0)
    learnt, held = parts.rows(2)
    labels = np.array(material.classes)[material.Y.argmax(axis=1)]
    clf = TextClassifier(chosen).fit(material.texts[learnt.tolist()], labels[learnt])
    assert part.rows.tolist() == (clf.predict(material.texts[held.tolist()]) == labels[held]).tolist()
    cost = measure_cost(fitted, material.texts.head(3).to_list())
    assert 0 < cost.size_mb < 1
    assert 0 < cost.latency_ms < 1000


def test_the_work_of_a_process(material):
    """It reports part by part, stops when it is told to, and measures the cost with the first part."""
    work = prepare(Judging(material.feature_cache.folder.parent, "accuracy", 0))
    recipe = load_recipe("linear-svm").model_dump(mode="json")
    told = []
    work(Task(0, recipe, (0, 1, 2), measured=True), lambda part: told.append(part) or True)
    assert [part.part for part in told] == [0, 1, 2]
    assert [part.cost is None for part in told] == [False, True, True]
    told.clear()
    work(Task(1, recipe, (0, 1, 2), measured=True), lambda part: told.append(part) or False)
    assert [part.part for part in told] == [0]


def test_features_are_counted_once(material):
    parts, metric = Parts(material, seed=0), METRICS["accuracy"]
    recipe = load_recipe("linear-svm", ["features.words=2"])
    first = judge_part(material, parts, recipe, metric, 1, seed=0)[1]
    kept = {path.name for path in material.feature_cache.folder.iterdir()}
    again = judge_part(read_material(material.feature_cache.folder.parent), parts, recipe, metric, 1, seed=0)[1]
    assert again.rows.tolist() == first.rows.tolist()
    assert {path.name for path in material.feature_cache.folder.iterdir()} == kept


def test_a_given_row_or_two_cannot_decide(tmp_path):
    assert not Parts(material_of(tmp_path, frame(11, split=["train"] * 9 + ["validation"] * 2)), seed=0).enough


@pytest.mark.parametrize(("n", "enough"), [(9, False), (10, True)])
def test_too_few_rows(tmp_path, n, enough):
    split = ["train"] * n + ["test"] * 3
    rows = pl.DataFrame({"text": [f"text {k}" for k in range(n + 3)], "label": "a", "split": split})
    rows = rows.with_columns(label=pl.Series(["a", "b", "c"] * 5).head(n + 3))
    assert Parts(material_of(tmp_path, rows), seed=0).enough == enough


def test_given_rows_decide_alone_where_there_are_too_few_others(tmp_path):
    material = material_of(tmp_path, frame(29, split=["train"] * 9 + ["validation"] * 20))
    parts, n_train = Parts(material, seed=0), len(material.texts) - 20  # copies of validation rows are taken out
    assert (parts.enough, parts.first, parts.more) == (True, 1, False)
    learnt, held = parts.rows(0)
    assert held.tolist() == list(range(n_train, n_train + 20))
    assert learnt.tolist() == list(range(n_train))


def test_several_labels_and_a_class_that_only_test_rows_have(tmp_path):
    rows = pl.DataFrame(
        {
            "text": [f"text {k} {'good' if k % 2 else 'bad'}" for k in range(60)],
            "label": [["x"] if k % 2 else ["y", "z"] for k in range(59)] + [["only"]],
            "split": ["train"] * 40 + ["validation"] * 10 + ["test"] * 10,
        }
    )
    material = material_of(tmp_path, rows)
    assert material.classes == ["x", "y", "z"]
    assert material.task == "multilabel"
    assert material.Y.shape == (50, 3)
    part = judge_part(material, Parts(material, 0), load_recipe("fast"), METRICS["macro_f1"], 1, 0)[1]
    assert METRICS["macro_f1"].score(part.rows) > 0.9
