"""Choosing, calibrating, refitting; and that rows held out lend nothing to the model that is tried on them."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss

from tagline import TextClassifier, load_recipe
from tagline.errors import InputError
from tagline.learners import FitOptions, Fitted, TrainingData, fit_recipe
from tagline.learners.progress import FitProgress
from tagline.models import LinearModel
from tagline.task import Task
from tests.synthetic_texts import made_up, several


def matrix(labels: list[str]) -> np.ndarray:
    names = sorted(set(labels))
    return np.array([[label == name for name in names] for label in labels])


def fit(texts: list[str], Y: np.ndarray, *settings: str, recipe: str = "fast", **options: object) -> Fitted:
    task = Task.of(Y.shape[1], multilabel=options.pop("multilabel", False))
    return fit_recipe(load_recipe(recipe, settings), TrainingData(pl.Series(texts), Y, task, **options))


@pytest.mark.parametrize("recipe", ["fast", "linear-svm", "logistic-regression", "naive-bayes", "complement-nb"])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_held_out_rows_add_no_vocabulary(recipe: str, n_classes: int, exact_solvers: None) -> None:
    """Held-out predictions equal those of a model that was fitted on the other rows alone."""
    texts, labels = made_up(160, n_classes)
    settings = ["protocol.validation=0.25", "features.words=2", "features.min_df=2"]
    settings.append("model.alpha=1" if recipe in ("naive-bayes", "complement-nb") else "model.C=1")
    if recipe == "fast":
        settings += ["features.characters=[2, 3]", "model.blend=0.3"]
    clf = TextClassifier(recipe, settings=settings).fit(texts, labels)
    held = clf.validation_.rows
    assert len(held) == 40
    train = np.setdiff1d(np.arange(160), held)
    by_hand = TextClassifier(recipe, settings=[*settings, "protocol.calibration=none"])
    by_hand.fit([texts[row] for row in train], [labels[row] for row in train])
    assert clf.n_features_ > by_hand.n_features_  # there was vocabulary to lend
    logits = clf.calibrator_.apply(by_hand.logits([texts[row] for row in held]))
    expected = clf.task_.probabilities(logits)
    # Sums in another order may round a coefficient to its neighbour in half precision.
    np.testing.assert_allclose(clf.validation_.proba, expected, atol=1e-3)
    final = clf.predict_proba([texts[row] for row in held])
    assert np.abs(clf.validation_.proba - final).max() > 0.05


def test_every_row_of_small_data_is_held_out_once() -> None:
    texts, labels = made_up(60)
    fitted = fit(texts, matrix(labels))
    assert sorted(fitted.held_out.rows.tolist()) == list(range(60))
    assert fitted.held_out.how == "5-fold cross-validation of the train rows"
    assert np.array_equal(fitted.held_out.Y, matrix(labels)[fitted.held_out.rows])


def test_copies_are_held_out_together() -> None:
    texts, labels = made_up(40)
    fitted = fit(texts * 2, matrix(labels * 2), "protocol.validation=0.2")
    held = set(fitted.held_out.rows.tolist())
    assert 0 < len(held) < 40
    assert {row % 40 for row in held} == {row for row in held if row < 40}


def test_given_validation_rows_are_those_reported() -> None:
    texts, labels = made_up(1200)
    enough = fit(texts, matrix(labels), n_validation=600)
    assert enough.held_out.rows.tolist() == list(range(600, 1200))
    assert enough.held_out.how == "the validation rows"
    few = fit(texts[:100], matrix(labels[:100]), n_validation=20)
    assert sorted(few.held_out.rows.tolist()) == list(range(80, 100))
    assert "train and validation" in few.held_out.how


@pytest.mark.parametrize("n", [2, 4, 9])
def test_too_few_to_hold_out(n: int) -> None:
    texts, labels = made_up(n)
    fitted = fit(texts, matrix(labels))
    assert fitted.held_out is None
    assert fitted.calibrator.temperature == 1.0
    assert fitted.chosen["C"] == 1.0


def test_a_class_with_no_row_in_a_fold() -> None:
    texts, labels = made_up(60, 3)
    labels[7] = "rare"
    fitted = fit(texts, matrix(labels))
    assert np.isfinite(fitted.held_out.proba).all()
    at = fitted.held_out.rows.tolist().index(7)
    assert fitted.held_out.proba[at, 3] < 0.1


def test_without_refit_held_out_rows_are_not_trained_on() -> None:
    texts, labels = made_up(120)
    fitted = fit(texts, matrix(labels), "protocol.refit=no", "protocol.validation=0.25")
    logits = fitted.model.logits(fitted.vectorizer.transform(pl.Series(texts))) / fitted.calibrator.temperature
    held = fitted.held_out.rows
    assert np.array_equal(Task.BINARY.probabilities(logits[held]), fitted.held_out.proba)


def test_the_better_c_is_chosen_and_a_tie_keeps_the_default() -> None:
    texts, labels = made_up(60, noise=0)
    assert fit(texts, matrix(labels), "model.C_grid=[3, 1, 0.3]").chosen["C"] == 1.0
    # One class is rare: a tiny C always predicts the other, and so a C far from 1 wins.
    keep = [row for row in range(400) if row % 8 != 1 or row % 16 == 1]
    texts, labels = made_up(400, noise=0)
    texts, labels = [texts[row] for row in keep], [labels[row] for row in keep]
    assert fit(texts, matrix(labels), "model.C_grid=[1e-7, 1e5]").chosen["C"] == 1e5


@pytest.mark.parametrize("n_classes", [2, 4])
def test_naive_bayes_is_blended_in_if_it_helps(n_classes: int) -> None:
    """Texts as naive Bayes supposes them: words are drawn by their rates in a class, and most of them are rare."""
    rng = np.random.default_rng(0)
    labels = [f"c{row % n_classes}" for row in range(500)]
    rates = rng.random((n_classes, 3000)) ** 3 / np.arange(1, 3001) ** 0.7
    rates /= rates.sum(axis=1, keepdims=True)
    texts = [" ".join(f"w{word}" for word in rng.choice(3000, 12, p=rates[row % n_classes])) for row in range(500)]
    settings = ["features.characters=none", "features.words=1"]
    chosen = fit(texts, matrix(labels), *settings)
    assert chosen.chosen["tried"] == ["C", "blend"]
    blend, C = chosen.chosen["blend"], chosen.chosen["C"]
    assert blend > 0
    given = fit(texts, matrix(labels), *settings, f"model.blend={blend}", f"model.C={C}")
    assert given.chosen["blend"] == blend
    assert np.array_equal(given.model.coef, chosen.model.coef)
    np.testing.assert_allclose(given.held_out.proba, chosen.held_out.proba, atol=1e-6)
    without = fit(texts, matrix(labels), *settings, "model.blend=0", f"model.C={C}")
    assert "blend" not in without.chosen
    truth = chosen.held_out.Y.argmax(axis=1)
    right, right_without = ((one.held_out.proba.argmax(axis=1) == truth).mean() for one in (chosen, without))
    assert right > right_without


def test_label_sets_are_not_blended_unless_a_weight_is_given() -> None:
    texts, sets = several(120)
    names = sorted({name for row in sets for name in row})
    Y = np.array([[name in row for name in names] for row in sets])
    assert "blend" not in fit(texts, Y, multilabel=True).chosen
    given = fit(texts, Y, "model.blend=0.3", multilabel=True)
    assert given.chosen["blend"] == 0.3
    assert "blend" not in given.chosen["tried"]


def test_characters_are_dropped_if_they_do_not_help() -> None:
    """The words are plain, and the letters of every word are in every other."""
    rng = np.random.default_rng(0)
    texts, labels = [], []
    for row in range(300):
        own = ["abcba", "cbabc"][row % 2]
        texts.append(" ".join([own, *("".join(rng.choice(list("abc"), 5)) for _ in range(12))]))
        labels.append("xy"[row % 2])
    assert "characters" not in fit(texts, matrix(labels), "features.words=1").chosen
    misspelt, labels = made_up(300, noise=0)
    misspelt = [" ".join(f"{w}{rng.integers(10**6)}" for w in text.split()) for text in misspelt]
    assert fit(misspelt, matrix(labels)).chosen["characters"] == [2, 5]


def test_scripts_without_spaces_get_no_characters() -> None:
    texts = ["我喜欢这部电影", "很好看的电影", "糟糕的电影", "我讨厌它"] * 3
    assert "characters" not in fit(texts, matrix(["p", "p", "n", "n"] * 3)).chosen


@pytest.mark.parametrize("multilabel", [False, True])
def test_the_temperature_minimises_the_log_loss_of_held_out_rows(multilabel: bool) -> None:
    if multilabel:
        texts, labels = several(300)
        Y = np.array([[f"c{k}" in row for k in range(3)] for row in labels])
        Y[np.random.default_rng(0).random(Y.shape) < 0.1] ^= True
    else:
        texts, labels = made_up(300, 3, noise=0.3)
        Y = matrix(labels)
    fitted = fit(texts, Y, "protocol.calibration=temperature", multilabel=multilabel)

    def loss(factor: float) -> float:
        p = fitted.held_out.proba
        if multilabel:
            p = 1 / (1 + np.exp(-np.log(p / (1 - p)) * factor))
            return log_loss(fitted.held_out.Y.ravel(), p.ravel())
        p = p**factor / (p**factor).sum(axis=1, keepdims=True)
        return log_loss(fitted.held_out.Y.argmax(axis=1), p)

    assert loss(1.0) < loss(1.2)
    assert loss(1.0) < loss(0.8)
    assert fitted.calibrator.temperature != 1.0
    assert fit(texts, Y, "protocol.calibration=none", multilabel=multilabel).calibrator.temperature == 1.0


def test_the_threshold_of_several_labels_gives_the_best_f1() -> None:
    texts, labels = several(200)
    Y = np.array([[f"c{k}" in row for k in range(3)] for row in labels])
    fitted = fit(texts, Y, multilabel=True)
    p, truth = fitted.held_out.proba, fitted.held_out.Y

    def f1(threshold: float) -> float:
        return 2 * (truth & (p > threshold)).sum() / (truth.sum() + (p > threshold).sum())

    assert f1(fitted.rule.threshold) == max(f1(t) for t in np.round(np.arange(0.05, 0.951, 0.05), 2))


@pytest.mark.parametrize(
    ("settings", "n_held_out", "how"),
    [
        ([], 300, "3-fold cross-validation of the train rows"),
        (["protocol.thresholds=one"], 150, "50% of the train rows, set aside before the final fit"),
        (["protocol.validation=0.1"], 30, "10% of the train rows, set aside before the final fit"),
    ],
)
def test_thresholds_of_labels_are_chosen_on_all_rows(settings: list[str], n_held_out: int, how: str) -> None:
    rng = np.random.default_rng(0)
    texts = [f"text {row}" + "".join(rng.choice([" one", " two", " six"], 1_200)) for row in range(300)]
    Y, seen = rng.random((300, 4)) < 0.4, list[FitProgress]()
    recipe = load_recipe("complement-nb", settings)
    data = TrainingData(pl.Series(texts), Y, Task.MULTILABEL)
    fitted = fit_recipe(recipe, data, FitOptions(progress=seen.append))
    assert fitted.chosen["held_out"] == {"rows": n_held_out, "how": how}
    assert len(fitted.held_out.rows) == n_held_out
    assert seen[-1].done == seen[-1].total


@pytest.mark.parametrize(("texts", "settings"), [(["", " "], []), (["a", "b"], ["features.min_df=2"])])
def test_no_ngram_to_train_on(texts: list[str], settings: list[str]) -> None:
    with pytest.raises(InputError, match="nothing to learn from"):
        fit(texts, matrix(["p", "n"]), *settings)


def test_a_group_is_held_out_whole() -> None:
    texts, labels = made_up(60)
    groups = [f"author {row // 6}" for row in range(60)]
    for settings in ([], ["protocol.validation=0.2"]):
        clf = TextClassifier(settings=settings).fit(texts, labels, groups=groups)
        by_hand = fit(texts, matrix(labels), *settings, groups=pl.Series(groups))
        assert np.array_equal(clf.validation_.rows, by_hand.held_out.rows)
    held = set(clf.validation_.rows.tolist())
    assert 0 < len(held) < 60
    assert all(len(held & set(range(start, start + 6))) in (0, 6) for start in range(0, 60, 6))


def test_groups_are_held_out_whole_while_settings_are_chosen() -> None:
    """Each author writes one label only and signs: held-out rows of unseen authors must not look easy."""
    rng = np.random.default_rng(0)
    authors = [f"author{a}" for a in range(40)]
    texts = [f"{author} wrote {rng.integers(50)} {rng.integers(50)}" for author in authors for _ in range(10)]
    labels = [["left", "right"][a % 2] for a in range(40) for _ in range(10)]
    grouped = TextClassifier(settings=["features.characters=none"]).fit(texts, labels, groups=np.repeat(authors, 10))
    alone = TextClassifier(settings=["features.characters=none"]).fit(texts, labels)
    right = [(c.validation_.proba.argmax(1) == c.validation_.Y.argmax(1)).mean() for c in (grouped, alone)]
    assert right[0] < 0.65 < 0.95 < right[1]


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.9])
def test_the_given_share_is_held_out(share: float) -> None:
    texts, labels = made_up(400)
    held = TextClassifier(settings={"protocol.validation": share}).fit(texts, labels).validation_.rows
    assert len(held) == pytest.approx(400 * share, abs=12)


def test_too_many_classes_or_labels_are_an_error_except_for_trees_of_classes_and_naive_bayes() -> None:
    labels = [f"class {row // 2}" for row in range(6_002)]
    texts = [f"about {label}" for label in labels]
    with pytest.raises(InputError, match=r"up to 3,000 classes, and there are 3,001.*`fast`"):
        TextClassifier("logistic-regression").fit(texts, labels)
    with pytest.raises(InputError, match=r"up to 3,000 labels, and there are 3,001.*`complement-nb`"):
        TextClassifier().fit(texts, [[label] for label in labels])
    settings = {"features.words": 1, "features.min_df": 1}
    clf = TextClassifier("complement-nb", settings=settings).fit(texts, labels)
    assert clf.predict(["about class 17"]).tolist() == ["class 17"]


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.MULTILABEL])
def test_progress_counts_every_fit_and_changes_nothing(task: Task) -> None:
    rng = np.random.default_rng(0)
    n = 60
    Y = rng.random((n, 4)) < 0.4 if task is Task.MULTILABEL else np.eye(4, dtype=bool)[np.arange(n) % 4]
    texts = pl.Series([" ".join(f"w{k}" for k in np.flatnonzero(row)) + f" text {i}" for i, row in enumerate(Y)])
    seen: list[FitProgress] = []
    recipe, data = load_recipe("fast"), TrainingData(texts, Y, task)
    fitted = fit_recipe(recipe, data, FitOptions(progress=seen.append))
    silent = fit_recipe(recipe, data)
    assert isinstance(fitted.model, LinearModel)
    assert isinstance(silent.model, LinearModel)
    assert fitted.model.coef.tobytes() == silent.model.coef.tobytes()
    steps = [each for each in seen if each.total]
    assert [each.done for each in steps] == sorted(each.done for each in steps)
    assert {each.done for each in steps} == set(range(steps[-1].total + 1))
    stages = " ".join(each.stage for each in seen)
    assert stages.startswith("counting word n-grams counting character n-grams choosing settings, fold 1 of 5")
    assert "choosing settings, fold 5 of 5" in stages
    assert ("training on all rows, label 4 of 4" in stages) == (task is Task.MULTILABEL)
