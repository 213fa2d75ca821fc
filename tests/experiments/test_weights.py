"""Weights of rows in sweeps and searches: folds, learning curves and shared data have them."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline import InputError, TextClassifier, load_dataset
from tagline.experiments import SweepSettings, TuneSettings, resume_sweep, resume_tune, run_sweep, tune_run
from tagline.experiments.shared_data import SharedData, read_shared_data, save_shared_data
from tagline.experiments.sweep.trial import _train, nested_rows
from tagline.experiments.tune.folder import TuneRequest, create_folder
from tagline.experiments.tune.objective import METRICS
from tagline.experiments.tune.scoring import Folds, evaluate_fold
from tagline.recipes import load_recipe
from tagline.runs.settings import TrainSettings
from tests.synthetic_texts import made_up

RECIPE = load_recipe("naive-bayes")


def table(n: int = 300) -> pl.DataFrame:
    texts, labels = made_up(n, noise=0.2)
    weights = np.random.default_rng(0).choice([0.0, 0.5, 1.0, 3.0], n)
    return pl.DataFrame({"text": texts, "label": labels, "w": weights})


def share(folder: Path, rows: pl.DataFrame, weight: str | None = "w", **options: object) -> SharedData:
    save_shared_data(folder, load_dataset(rows, weight=weight, **options), None)
    return read_shared_data(folder)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> SharedData:
    return share(tmp_path_factory.mktemp("shared"), table())


def test_shared_rows_have_their_weights_and_none_of_weight_zero(shared: SharedData, tmp_path: Path) -> None:
    expected = dict(table().select("text", "w").iter_rows())
    assert shared.weights is not None
    assert shared.weights.tolist() == [expected[text] for text in shared.texts]
    assert (shared.weights > 0).all()
    validation = load_dataset(table(), weight="w").validation
    assert validation is not None
    assert shared.n_validation == len(validation.trained) < len(validation)
    assert share(tmp_path, table(), None).weights is None


def test_folds_learn_with_weights(shared: SharedData) -> None:
    """A fold is a fit with the weights of its rows, its held-out rows among them: they calibrate."""
    assert shared.weights is not None
    folds = Folds(shared, seed=0)
    train, held = folds.rows(1)
    fitted, _ = evaluate_fold(shared, folds, RECIPE, METRICS["accuracy"], 1, seed=0)
    labels = np.array(shared.classes)[shared.Y.argmax(axis=1)]
    texts = np.array(shared.texts.to_list())
    clf = TextClassifier(RECIPE.model_copy(deep=True), settings=None)
    clf.fit(texts[train], labels[train], shared.weights[train])
    plain = TextClassifier(RECIPE).fit(texts[train], labels[train])
    X = fitted.vectorizer.transform(pl.Series(texts[held]))
    logits = fitted.model.logits(X)
    assert fitted.held_out is not None
    assert len(fitted.held_out.proba) == len(held)
    # The vocabulary is that of all rows here; what is learned from the weights is alike.
    of_fit, of_plain = (one.model_.logits(one.vectorizer_.transform(pl.Series(texts[held]))) for one in (clf, plain))
    assert np.abs(logits - of_fit).mean() < np.abs(logits - of_plain).mean()


def test_weights_change_the_fit_and_not_the_features(shared: SharedData, tmp_path: Path) -> None:
    positive = table().filter(pl.col("w") > 0)
    weighted, plain = share(tmp_path / "a", positive), share(tmp_path / "b", positive, None)
    assert weighted.texts.to_list() == plain.texts.to_list()
    one, other = weighted.fit(RECIPE, 0), plain.fit(RECIPE, 0)
    assert one.vectorizer.n_columns == other.vectorizer.n_columns
    assert one.held_out is not None
    assert other.held_out is not None
    assert one.held_out.rows.tolist() == other.held_out.rows.tolist()
    assert np.abs(one.held_out.proba - other.held_out.proba).max() > 1e-3
    ones = share(tmp_path / "c", positive.with_columns(w=pl.lit(1.0))).fit(RECIPE, 0)
    assert ones.held_out is not None
    np.testing.assert_allclose(ones.held_out.proba, other.held_out.proba, atol=1e-6)


def test_learning_curves_keep_weights(shared: SharedData) -> None:
    assert shared.weights is not None
    rows = nested_rows(shared, np.arange(len(shared.texts)), 80, 0)
    texts = [shared.texts[row] for row in rows.tolist()]
    labels = np.array(shared.classes)[shared.Y[rows].argmax(axis=1)]
    expected = TextClassifier(RECIPE, seed=0).fit(texts, labels, shared.weights[rows])
    assert np.array_equal(_train(shared, rows, RECIPE, 0).predict_proba(texts), expected.predict_proba(texts))


@pytest.mark.slow
def test_a_sweep_has_weights_and_is_not_resumed_with_others(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    table().write_csv(path)
    settings = SweepSettings(recipes=("naive-bayes",), grid=("model.alpha=0.01,1",), weight="w", processes=1)
    found = []
    for options in ({}, {"weight": None}):
        one = SweepSettings(**{**vars(settings), **options})
        done = run_sweep(path, one, out=tmp_path / f"sweep{len(found)}")
        found.append([combination.log_loss for combination in done.results.combinations])
        assert ("--weight w" in done.command) == (one.weight is not None)
    assert found[0] != found[1]

    def stop(seen: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(path, settings, out=tmp_path / "stopped", progress=stop)
    table().with_columns(pl.col("w") * 2).write_csv(path)
    with pytest.raises(InputError, match="has changed since"):
        resume_sweep(tmp_path / "stopped")
    table().write_csv(path)
    resumed = resume_sweep(tmp_path / "stopped")
    assert [combination.log_loss for combination in resumed.results.combinations] == found[0]


def test_a_search_is_not_resumed_with_other_weights(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    table().write_csv(path)
    settings = TuneSettings(TrainSettings(weight="w"), 5.0)
    create_folder(TuneRequest(tmp_path / "run", str(path), settings, ()), load_dataset(path, weight="w").fingerprint)
    table().with_columns(pl.col("w") * 2).write_csv(path)
    with pytest.raises(InputError, match="has changed since"):
        resume_tune(tmp_path / "run")


@pytest.mark.slow
@pytest.mark.alone
def test_a_search_trains_its_best_with_weights(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    table(600).write_csv(path)
    run = tune_run(path, TuneSettings(TrainSettings(weight="w"), 15.0), out=tmp_path / "run")
    rows = load_dataset(path, weight="w")
    assert rows.validation is not None
    assert rows.train.weights is not None
    stored = TextClassifier.load(run.model)
    again = TextClassifier(str(run.folder / "recipe.toml")).fit(
        rows.train.texts,
        rows.train.labels,
        np.append(rows.train.weights, rows.validation.weights),
        validation=(rows.validation.texts, rows.validation.labels),
    )
    np.testing.assert_allclose(stored.predict_proba(rows.train.texts), again.predict_proba(rows.train.texts), atol=1e-5)
