"""Metrics in a terminal of 80 columns."""

import io

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import f1_score

from tagline.cli.metrics import classification_table, confusion_table, figures_table
from tagline.metrics import measure
from tagline.metrics.confusion import most_confused
from tagline.metrics.headline import headlines
from tagline.metrics.notable_classes import worst_classes
from tagline.report.conclusion import small_classes_sentence


def shown(renderable):
    console = Console(width=80, file=io.StringIO(), force_terminal=False)
    console.print(renderable)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    return text


def block_of(classes, task, n=600, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(classes), n)
    logits = rng.normal(size=(n, len(classes)))
    logits[np.arange(n), truth] += 2
    proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return measure(truth, proba.argmax(1), proba, classes, task=task, n_bootstrap=100)


def test_names_are_cut_only_where_there_is_no_room():
    names = ["Abrechnung", "Datenschutz", "Technik", "Versand", "Vertrieb"]
    block = block_of(names, "multiclass")
    heading = shown(confusion_table(block)).splitlines()[0]
    assert heading.split() == ["true", "label", *names]
    wide = ["a class of many words", *names]
    assert "…" in shown(confusion_table(block_of(wide, "multiclass"))).splitlines()[0]


def test_classes_of_a_few_rows_are_named():
    truth = np.array([0] * 9 + [1] * 8 + [2])
    block = measure(truth, truth, np.eye(3)[truth], ["a", "b", "rare"], task="multiclass", n_bootstrap=10)
    assert small_classes_sentence(block) == (
        "`rare` has fewer than 5 rows here, but as much weight as any other class in means over classes (macro F1, ROC "
        "AUC and PR AUC). So these means have no interval."
    )
    lacking = measure(truth % 2, truth % 2, None, ["a", "b", "c"], task="multiclass", n_bootstrap=10)
    assert small_classes_sentence(lacking) == (
        "`c` has no rows here: means over classes (macro F1) leave it out. So these means have no interval."
    )
    y = np.array([0] * 9 + [1] * 9)
    guessed = np.where(np.arange(18) == 4, 2, y)
    predicted = measure(y, guessed, None, ["a", "b", "c", "d"], task="multiclass", n_bootstrap=10)
    assert small_classes_sentence(predicted) == (
        "`c`, `d` have no rows here: means over classes (macro F1) leave them out, except for macro F1, where 1 of "
        "them counts as 0 because of predictions. So these means have no interval."
    )
    assert predicted["macro_f1"] == pytest.approx(f1_score(y, guessed, average="macro"))
    assert small_classes_sentence(block_of(["a", "b", "c"], "multiclass")) == ""
    few = measure([0, 1, 1], [0, 1, 0], None, ["neg", "pos"], task="binary", n_bootstrap=10)
    assert small_classes_sentence(few) == ""  # figures of the positive class alone, except for macro F1


def test_two_classes():
    block = block_of(["neg", "pos"], "binary")
    figures = shown(figures_table(block, title="Test, 600 rows"))
    low, high = block["accuracy_ci95"]
    assert f"{100 * block['accuracy']:.1f} %   {100 * low:.1f} to {100 * high:.1f}" in figures
    assert "Test, 600 rows" in figures
    assert "False positive rate" in figures
    confusion = shown(confusion_table(block))
    for name in ("tp", "fp", "fn", "tn"):
        assert f"{name.upper()} {block[name]}" in confusion
    assert "Positive class: pos." in confusion
    report = shown(classification_table(block))
    assert f"{block['per_class']['pos']['f1']:.3f}" in report
    assert "macro average" in report


def test_many_classes_show_the_worst_and_the_most_confused():
    names = [f"topic {k}" for k in range(46)]
    block = block_of(names, "multiclass", n=2000)
    report = shown(classification_table(block))
    worst = worst_classes(block["per_class"], 10)
    assert [line.split("  ")[0] for line in report.splitlines() if line.startswith("topic")] == worst
    assert "of 46" in report
    confusion = shown(confusion_table(block))
    truth, prediction, count, _ = most_confused(block, names)[0]
    assert truth in confusion.splitlines()[2]
    assert prediction in confusion.splitlines()[2]
    assert f" {count} " in confusion.splitlines()[2]


def test_very_many_classes_show_the_most_confused():
    names = [f"topic {k}" for k in range(501)]
    block = block_of(names, "multiclass", n=1000)
    assert "of 501" in shown(classification_table(block))
    confusion = shown(confusion_table(block))
    truth, prediction, count, _ = most_confused(block, names)[0]
    assert [*truth.split(), *prediction.split(), str(count)] == confusion.splitlines()[2].split()[:5]
    right = round(block["accuracy"] * 1000)
    assert f"{right:,} of 1,000 rows are right" in confusion


@pytest.mark.parametrize("n_classes", [3, 5, 6, 8, 12])
def test_a_matrix_that_would_not_fit_becomes_pairs(n_classes):
    block = block_of([f"class_with_a_long_name_{k}" for k in range(n_classes)], "multiclass")
    text = shown(confusion_table(block))
    assert ("most often confused" in text) == (n_classes > 6)


def test_multilabel():
    rng = np.random.default_rng(0)
    truth = rng.random((200, 3)) < 0.4
    block = measure(truth, truth ^ (rng.random((200, 3)) < 0.1), None, ["a", "b", "c"], task="multilabel")
    assert "Exact match" in shown(figures_table(block))
    assert "micro average" in shown(classification_table(block))
    row = block["per_class"]["b"]
    expected = ["b", *(str(row[key]) for key in ("tp", "fp", "fn", "tn"))]
    assert expected in [line.split() for line in shown(confusion_table(block)).splitlines()]


def test_class_names_are_not_markup():
    block = block_of(["[red]a[/red]", "b\x1b[31m"], "binary")
    for renderable in (confusion_table(block), classification_table(block)):
        text = shown(renderable)
        assert "[red]a[/red]" in text
        assert "\x1b" not in text


def test_an_undefined_metric_is_a_dash():
    block = measure([0, 0], [0, 0], [[0.9, 0.1], [0.8, 0.2]], ["a", "b"], task="binary")
    by_key = {line.key: line for line in headlines(block)}
    assert by_key["roc_auc"].value == "–"
    shown(figures_table(block))
    shown(classification_table(block))
    shown(confusion_table(block))


def test_an_interval_that_says_nothing_is_a_dash_with_a_footnote():
    block = block_of(["neg", "pos"], "binary")
    assert "no interval" not in shown(figures_table(block))
    block |= {"precision": 1.0, "precision_ci95": [0.0, 1.0], "log_loss_ci95": [4.7791, 4.7791000001]}
    lines = shown(figures_table(block)).splitlines()
    for name in ("Precision", "Log loss"):
        assert " – " in next(line for line in lines if line.startswith(name))
    assert sum("–: no interval from these rows" in line for line in lines) == 1


def test_most_confused_by_hand():
    matrix = [[5, 2, 0], [2, 1, 0], [0, 3, 9]]
    assert most_confused({"confusion_matrix": matrix}, ["a", "b", "c"], 2) == [
        ("c", "b", 3, 0.25),
        ("b", "a", 2, 2 / 3),
    ]
