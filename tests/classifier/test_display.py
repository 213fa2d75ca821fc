"""What a classifier, a dataset and an explanation show in a notebook; summaries and figures as in Keras."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import polars as pl
import pytest
from matplotlib.figure import Figure

from tagline import InputError, TextClassifier, explain_text, load_dataset
from tagline.learners import TrainingRecord
from tagline.notebook import number
from tagline.recipes import load_recipe
from tests.drawn_networks import drawn
from tests.synthetic_texts import made_up, several

TEXTS, NAMES = made_up(60)
HOSTILE = '<img src=x onerror="alert(1)">&amp;`\u202e'
HISTORY = {
    "epoch": [1, 2, 3],
    "loss": [0.7, 0.5, 0.4],
    "accuracy": [0.5, 0.7, 0.8],
    "val_loss": [0.7, 0.6, 0.65],
    "val_accuracy": [0.5, 0.6, 0.6],
    "seconds": [0.1, 0.1, 0.1],
}


class Tags(HTMLParser):
    """Collects the tags of a fragment, and checks that each is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self._open.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "src"]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1] != "style":
            self.text += f"{data} "


SAFE = {"div", "style", "p", "span", "strong", "bdi", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code"}
SAFE |= {"details", "summary", "pre", "blockquote", "mark"}


def shown(thing: object) -> str:
    """Return the text of what a notebook shows, of harmless HTML."""
    html = thing._repr_html_()  # type: ignore[attr-defined]
    tags = Tags(html)
    assert tags.names <= SAFE
    style = html[html.index("<style>") : html.index("</style>")]
    assert not re.search(
        r"#[0-9a-f]{3}|:(white|black)|url", style
    )  # colours that suit any theme, and nothing is loaded
    return " ".join(tags.text.split())


def with_history(recipe: str = "multihot-dense") -> TextClassifier:
    clf = drawn(recipe)
    clf.training_ = TrainingRecord(HISTORY, None, 2, [], [])
    return clf


def test_everything_is_escaped_and_fits_any_theme() -> None:
    labels = [f"{HOSTILE}{name}" for name in NAMES]
    data = load_dataset(
        [(f"{text} {HOSTILE} {row}", name) for row, (text, name) in enumerate(zip(TEXTS, labels, strict=True))]
    )
    assert HOSTILE in shown(data)
    clf = TextClassifier("naive-bayes", class_weight={labels[0]: 2.0}).fit(data.train.texts, data.train.labels)
    assert HOSTILE in shown(clf)
    assert shown(explain_text(clf, f"{HOSTILE} good {HOSTILE}")).count("onerror") >= 2
    assert HOSTILE in shown(TextClassifier(HOSTILE, settings={HOSTILE: 1}))


def test_a_dataset_shows_rows_by_class_and_split() -> None:
    data = load_dataset(list(zip(*made_up(100), strict=True)), seed=1)
    text = shown(data)
    assert text.startswith(
        "data 100 rows, binary, 2 classes class train validation test c0 40 5 5 c1 40 5 5 all 80 10 10"
    )
    assert "median characters" in text
    assert f"label text {data.train.labels[0]} {data.train.texts[0]}" in text


def test_a_dataset_of_many_classes_shows_the_frequent_ones_and_warnings() -> None:
    texts, _ = made_up(300)
    data = load_dataset([(f"{text} {row}", f"c{row % (20 if row < 100 else 14)}") for row, text in enumerate(texts)])
    text = shown(data)
    assert "other 8 classes" in text
    lists = shown(load_dataset(list(zip(*several(60), strict=True))))
    assert "multilabel, 3 classes label" in lists
    assert "rows 46 7 7" in lists


def test_a_classifier_shows_its_state() -> None:
    assert shown(TextClassifier("naive-bayes", seed=3)) == "TextClassifier naive-bayes , not fitted seed 3"
    clf = TextClassifier(settings={"model.C": 1}).fit(TEXTS, NAMES)
    text = shown(clf)
    assert "fast , fitted task binary classes c0, c1" in text
    held = clf.validation_
    accuracy = (held.proba.argmax(axis=1) == held.Y.argmax(axis=1)).mean()
    assert re.search(
        rf"accuracy {100 * accuracy:.1f} % \(95 % interval .* to .*\) on 60 rows, before the final fit", text
    )
    assert "settings {'model.C': 1}" in text
    texts, labels = several(60)
    assert "accuracy of whole label sets" in shown(TextClassifier("naive-bayes").fit(texts, labels))
    assert "word ids" in shown(with_history())


def test_copies_of_a_text_count_once_in_the_interval_of_a_card() -> None:
    rng = np.random.default_rng(0)
    texts = [f"film {' '.join(rng.choice(list('abcdef'), 3))} {k}" for k in range(24)]
    names = [f"c{k % 2}" for k in rng.permutation(24)]

    def interval(clf: TextClassifier) -> tuple[float, float]:
        low, high = re.search(r"95 % interval (\S+) to (\S+)\)", shown(clf)).groups()
        return float(low), float(high)

    once = TextClassifier("naive-bayes").fit(texts, names)
    copied = TextClassifier("naive-bayes").fit(texts * 50, names * 50)
    assert "on 1,200 rows of 24 distinct texts or groups, before the final fit" in shown(copied)
    assert "on 24 rows, before" in shown(once)
    low, high = interval(copied)
    assert high - low > 25  # of 1,200 independent rows it would be 6 at most
    grouped = TextClassifier("naive-bayes").fit(
        [f"{text} {k}" for k, text in enumerate(texts * 10)], names * 10, groups=list(range(24)) * 10
    )
    assert "on 240 rows of 24 distinct texts or groups" in shown(grouped)


def test_parameters_may_be_arrays_and_series() -> None:
    clf = TextClassifier(
        "naive-bayes", stop_words=np.array(["the", "of"]), class_weight=pd.Series({"c0": 2.0, "c1": 1})
    )
    assert repr(clf).startswith("TextClassifier(recipe='naive-bayes', class_weight=c0    2.0")
    assert "stop_words=array(['the', 'of']" in repr(clf)
    assert "stop_words ['the' 'of']" in shown(clf)
    assert repr(TextClassifier("naive-bayes", stop_words=("a",))) == (
        "TextClassifier(recipe='naive-bayes', stop_words=('a',))"
    )
    assert repr(TextClassifier(load_recipe("lstm"))) == "TextClassifier(recipe=<Recipe 'lstm'>)"  # so are loaded models


def test_an_explanation_shows_the_words_that_decided() -> None:
    clf = TextClassifier(settings={"model.C": 1}).fit(TEXTS, NAMES)
    found = explain_text(clf, "a lovely film")
    text = shown(found)
    assert text.startswith(f"Prediction c0 probability of c0 : {100 * found.proba:.1f} % a lovely")
    assert f"lovely {max(word.value for word in found.by_word):+.3f}" in text
    assert text.endswith(f"intercept {number(found.intercept)} logit of c0 {found.score:+.3f}")
    assert "Prediction no label" in shown(replace(found, prediction=""))


def test_the_summary_of_a_network_is_that_of_keras(capsys: pytest.CaptureFixture[str]) -> None:
    clf = drawn("lstm")
    clf.summary()
    lines = capsys.readouterr().out.splitlines()
    units, size = clf.recipe_.model.units, clf.recipe_.model.embedding
    assert lines[0] == 'Model: "lstm"'
    assert lines[2].split() == ["┃", "Layer", "(type)", "┃", "Output", "Shape", "┃", "Param", "#", "┃"]
    rows = {
        line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:4]] for line in lines if "│" in line
    }
    assert rows["embedding (Embedding)"][0] == f"(None, 10, {size})"
    width = clf.model_.layers[1].units
    assert rows["lstm (LSTM)"] == [f"(None, {width})", f"{4 * (width * (size + width) + width):,}"]
    assert rows["dense_1 (Dense)"] == ["(None, 1)", f"{units + 1}"]
    total = sum(array.size for array in clf.model_.arrays().values())
    assert f" Total params: {total:,} ({4 * total / 1024:.2f} KB)" in lines
    assert " Non-trainable params: 0 (0.00 B)" in lines
    assert len({len(line) for line in lines[1 : len(rows) + 5]}) == 1


@pytest.mark.parametrize(
    ("recipe", "expected"), [("fast", "linear-svm"), ("random-forest", "random-forest (3 trees, ")]
)
def test_the_summary_of_n_grams(recipe: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"model.n_trees": 3} if recipe == "random-forest" else {"features.characters": (2, 3), "model.C": 1}
    clf = TextClassifier(recipe, settings=settings).fit(TEXTS, NAMES)
    clf.summary()
    out = capsys.readouterr().out
    assert expected in out
    assert "│ temperature calibration" in out
    assert out.endswith("Classes: c0, c1\n")
    if recipe == "fast":
        sizes = [len(scale) for scale in clf.vectorizer_.scales]
        assert re.search(rf"word 1-3-grams +│ \(None, {sizes[0]}\) +│ +{sizes[0]} │", out)
        assert f" Total params: {2 * sum(sizes) + 2:,} " in out  # scales and coefficients, intercept, temperature


def test_history_as_keras_has_it() -> None:
    clf = with_history()
    assert list(clf.history_) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert clf.history_["val_loss"] == HISTORY["val_loss"]
    figure = clf.plot_history()
    assert [axes.get_ylabel() for axes in figure.axes] == ["Loss", "Accuracy"]
    assert figure.axes[0].lines[-1].get_ydata().tolist() == HISTORY["val_loss"]
    assert figure._repr_svg_().startswith("<?xml")
    with pytest.raises(InputError, match="There is no history to plot: only networks are trained in epochs"):
        drawn("multihot-dense").plot_history()
    with pytest.raises(AttributeError, match="There is no `history_`: only networks"):
        _ = drawn("multihot-dense").history_


def test_the_confusion_matrix_of_some_texts() -> None:
    clf = TextClassifier("naive-bayes", positive="c0").fit(TEXTS, NAMES)
    figure = clf.plot_confusion_matrix(pl.Series(TEXTS), np.array(NAMES))
    assert isinstance(figure, Figure)
    cells = {text.get_text().split("\n")[0]: int(text.get_text().split("\n")[1]) for text in figure.axes[0].texts}
    right = (clf.predict(TEXTS) == NAMES) & (np.array(NAMES) == "c0")
    assert cells["TP"] == right.sum()
    assert sum(cells.values()) == 60
    texts, labels = several(60)
    several_labels = TextClassifier("naive-bayes").fit(texts, labels)
    matrix = np.array([[name in row for name in ("c0", "c1", "c2")] for row in labels])
    for given in (labels, matrix):
        assert "false labels" in several_labels.plot_confusion_matrix(texts, given).axes[0].get_title(loc="left")
    for wrong, message in (
        (["c0", "c7"], "Label 1 is `c7`, which is not a class of the model"),
        ([["c0"], ["c1"]], "The labels are not those of the model: give one label for each text"),
        (["c0"], "2 texts and 1 labels"),
    ):
        with pytest.raises(InputError, match=message):
            clf.plot_confusion_matrix(TEXTS[:2], wrong)
    with pytest.raises(InputError, match="give lists of labels, or a column for each class"):
        several_labels.plot_confusion_matrix(TEXTS[:2], NAMES[:2])
