"""scikit-learn is the judge of what a search makes as good as it can."""

import numpy as np
import pytest
from sklearn import metrics as sk

from tagline.errors import InputError
from tagline.experiments.tune.objective import METRICS, metric_named
from tagline.task import Task


@pytest.fixture(params=[2, 5])
def said(request):
    """Truth, probabilities and decisions of 300 rows, one class each."""
    rng = np.random.default_rng(0)
    n_classes = request.param
    proba = rng.dirichlet(np.ones(n_classes), 300)
    y = np.array([rng.choice(n_classes, p=0.5 * p + 0.5 / n_classes) for p in proba])
    Y = np.eye(n_classes, dtype=bool)[y]
    decided = np.eye(n_classes, dtype=bool)[proba.argmax(axis=1)]
    return Y, proba, decided


def score(name, Y, proba, decided, task=Task.MULTICLASS):
    metric = METRICS[name]
    return metric.shown(metric.score(metric.kept(Y, proba, decided, task)))


def test_one_class_each(said):
    Y, proba, decided = said
    y, y_pred = Y.argmax(axis=1), decided.argmax(axis=1)
    assert score("accuracy", *said) == pytest.approx(sk.accuracy_score(y, y_pred))
    assert score("macro_f1", *said) == pytest.approx(sk.f1_score(y, y_pred, average="macro"))
    assert score("log_loss", *said) == pytest.approx(sk.log_loss(y, proba), rel=1e-5)
    judged = sk.roc_auc_score(Y, proba, average="macro")
    assert score("roc_auc", *said) == pytest.approx(judged, abs=1e-6)


def test_several_labels():
    rng = np.random.default_rng(1)
    proba = rng.random((200, 4))
    Y = rng.random((200, 4)) < 0.2 + 0.5 * proba
    decided = proba > 0.5
    assert score("accuracy", Y, proba, decided, Task.MULTILABEL) == pytest.approx(sk.accuracy_score(Y, decided))
    assert score("macro_f1", Y, proba, decided, Task.MULTILABEL) == pytest.approx(
        sk.f1_score(Y, decided, average="macro")
    )
    per_label = [sk.log_loss(Y[:, k], proba[:, k]) for k in range(4)]
    assert score("log_loss", Y, proba, decided, Task.MULTILABEL) == pytest.approx(np.mean(per_label), rel=1e-5)
    assert score("roc_auc", Y, proba, decided, Task.MULTILABEL) == pytest.approx(sk.roc_auc_score(Y, proba), abs=1e-6)


def test_a_greater_score_is_better(said):
    Y, proba, decided = said
    for metric in METRICS.values():
        perfect = metric.score(metric.kept(Y, Y.astype(float), Y, Task.MULTICLASS))
        assert perfect > metric.score(metric.kept(Y, proba, decided, Task.MULTICLASS))


def test_an_unknown_one_names_the_nearest():
    with pytest.raises(InputError, match="Did you mean `macro_f1`"):
        metric_named("macrof1")
