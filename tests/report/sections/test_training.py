"""The report on the training of a network, and on the first rows of any run."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest

from tagline.errors import InputError
from tagline.report import write_report
from tagline.report.sections.plots import read_plots
from tagline.report.sections.provenance import provenance
from tagline.report.sections.rows import first_rows
from tagline.report.sections.training import training
from tagline.run_folder import RunFolder
from tests.plots_of_runs import drawn
from tests.report.pages import Page, page_of
from tests.report.synthetic_runs import (
    LAYERS,
    improving,
    overfitting,
    without_validation,
    write_history,
    write_network_run,
    write_run,
)

OVERFITS = "Validation loss has risen since epoch 4: the network overfits from there."


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    write_network_run(
        folder, overfitting(), best_epoch=4, refit_epochs=4, findings=[OVERFITS, "See `training.epochs`."]
    )
    with drawn():
        html = write_report(folder).read_text(encoding="utf-8")
    return folder, html, Page(html)


def protocol(history, *, best_epoch=None, planned=None, rows=10000, kept=None, **told):
    run = {
        "training": {"best_epoch": best_epoch, "epochs_run": len(history["epoch"]), "refit_epochs": None} | told,
        "recipe": {"training": {"epochs": planned or len(history["epoch"]), "early_stopping": 3 if kept else 0}},
        "chosen": {"held_out": {"rows": rows}, "learnt_from": 25000, "epochs": kept},
        "dataset": {"rows": {"train": 25000, "test": 25000}},
    }
    with TemporaryDirectory() as name:
        folder = RunFolder(Path(name))
        folder.write_record(run)
        folder.write_metrics({})
        folder.write_history(history)
        return training(folder)["protocol"]


def test_findings_protocol_and_both_plots_are_shown(network):
    _, html, page = network
    words = page.words("training")
    assert OVERFITS in words
    assert "See <code>training.epochs</code>." in html
    assert (
        "Trained for 20 epochs with 10,000 validation rows; validation loss was lowest at epoch 4;"
        " trained again from scratch on all 20,000 rows for 4 epochs." in words
    )
    section = html[html.index('<section id="training">') : html.index('<section id="confusion">')]
    assert section.count('role="img"') == 2
    assert section.count("<figcaption>") == 2
    assert {"#training", "#first"} <= {attrs["href"] for attrs in page.all("a")}
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_the_epochs_are_a_table_that_marks_the_best(network):
    _, html, page = network
    words = page.words("training")
    assert "Epoch Loss Accuracy Validation loss Validation accuracy Seconds" in words
    history = overfitting()
    for at in (0, 19):
        losses = f"{history['loss'][at]:.4f} {100 * history['accuracy'][at]:.2f} %"
        watched = f"{history['val_loss'][at]:.4f} {100 * history['val_accuracy'][at]:.2f} % 0.42"
        assert f"{at + 1} {losses} {watched}" in words
    assert html.count('<tr class="best">') == 1
    assert "4 best 0.1945" in words
    assert "Final training on all rows: table of 4 epochs" in words
    assert words.count("0.1945 91.83 %") == 2  # once more in the final training


def test_the_network_is_a_table(network):
    words = network[2].words("training")
    assert "Embedding (256, 16) 160,000" in words
    assert "GlobalAveragePooling1D (16) 0" in words
    assert "total 160,289" in words


def test_settings_of_a_network_are_shown_under_names_for_people(network):
    made = network[2].words("making")
    for setting in (
        "vocabulary size, at most 10000",
        "vocabulary learnt from 20,000 texts",
        "epochs 4",
        "decision threshold 0.5",
    ):
        assert setting in made, setting
    assert "null" not in made[: made.index("Time and memory")]  # `maxlen` has no value
    assert "sequence length" not in made
    assert "Tuned on 10,000 held-out rows (the first 10,000 train rows): the number of epochs." in made


def test_rows_that_only_watched_chose_nothing():
    chosen = {"held_out": {"rows": 10000, "how": "the first 10,000 train rows"}, "tried": []}
    run = {"chosen": chosen, "recipe": {"protocol": {"refit": 4, "calibration": "none"}}}
    assert provenance(run, {"task": "binary"})["decisions"] == [
        "No setting was tuned: 10,000 held-out rows (the first 10,000 train rows) were used for evaluation only."
    ]


def test_the_protocol_says_what_was():
    assert protocol(improving(), best_epoch=60) == (
        "Trained for 60 epochs with 10,000 validation rows; validation loss was lowest at epoch 60, the last."
    )
    assert protocol(overfitting(7), best_epoch=4, planned=20, refit_epochs=1) == (
        "Trained for 7 of at most 20 epochs with 10,000 validation rows; validation loss was lowest at epoch 4;"
        " trained again from scratch on all 25,000 rows for 1 epoch."
    )
    assert protocol(overfitting(7), best_epoch=4, planned=20, kept=4).endswith(
        "; validation loss was lowest at epoch 4; the weights of epoch 4 were kept."
    )
    by_accuracy = overfitting(5)
    by_accuracy["val_accuracy"][1] = 0.95
    assert "; validation accuracy was highest at epoch 2." in protocol(by_accuracy, best_epoch=2)
    assert "; the best epoch was 3." in protocol(by_accuracy, best_epoch=3)
    broken = overfitting(5)
    broken["val_loss"][4] = float("nan")
    assert "; validation loss was lowest at epoch 4." in protocol(broken, best_epoch=4)
    assert protocol(without_validation(overfitting(12))) == "Trained for 12 epochs, without validation rows."
    assert protocol(overfitting(1), best_epoch=1, rows=1) == "Trained for 1 epoch with 1 validation row."


def why(refit=None, patience=0, planned=20, refitted=None, best=4, n_epochs=7):
    run = {
        "training": {"best_epoch": best, "refit_epochs": refitted},
        "recipe": {"training": {"epochs": planned, "early_stopping": patience}, "protocol": {"refit": refit}},
    }
    with TemporaryDirectory() as name:
        folder = RunFolder(Path(name))
        folder.write_record(run)
        folder.write_metrics({})
        folder.write_history(overfitting(n_epochs))
        return training(folder)["why"]


def test_the_number_of_epochs_is_explained():
    assert why(9, refitted=9, best=10, n_epochs=20) == (
        "The final model has 9 epochs because the recipe sets `protocol.refit` to 9, whatever the best epoch, here 10."
    )
    assert why(4, refitted=4).endswith("to 4, which is also the best epoch.")
    assert why("best-epoch", refitted=4) == "The final model has 4 epochs, as many as gave the lowest validation loss."
    assert why("no", patience=3) == (
        "Training stopped early: the validation loss was not lower for 3 epochs (`training.early_stopping`), and the "
        "model is that of epoch 4."
    )
    assert why("no", patience=3, planned=7).startswith("The model is that of epoch 4, as early stopping restores")
    assert why("no", planned=7).startswith("The model has all 7 epochs of the recipe, though the validation loss was")
    assert why("no", planned=4, n_epochs=4) == ""
    assert why("no", best=None) == ""


def test_one_epoch_is_not_called_the_best(tmp_path):
    html = write_report(write_network_run(tmp_path, overfitting(1), best_epoch=1)).read_text(encoding="utf-8")
    assert "Table of 1 epoch" in html
    assert 'class="best"' not in html


def test_other_metrics_than_accuracy_stand_in_the_table(tmp_path):
    history = {
        "epoch": [1, 2],
        "loss": [0.5, 0.4],
        "mean_absolute_error": [0.3, 0.25],
        "val_loss": [0.6, 0.5],
        "val_mean_absolute_error": [0.35, 0.31],
    }
    html = write_report(write_network_run(tmp_path, history, best_epoch=2)).read_text(encoding="utf-8")
    words = Page(html).words("training")
    assert "Mean absolute error Validation loss Validation mean absolute error" in words
    assert "2 best 0.4000 0.2500 0.5000 0.3100" in words
    assert (tmp_path / "plots" / "training_loss.svg").exists()
    assert not (tmp_path / "plots" / "training_accuracy.svg").exists()


def test_without_validation_the_plots_are_not_said_to_show_it(tmp_path):
    words = page_of(write_network_run(tmp_path, without_validation(overfitting()))).words("training")
    assert "Without validation rows, this shows how closely" in words
    assert "validation loss" not in words.lower()


def test_a_training_that_broke_is_shown(tmp_path):
    history = overfitting(6)
    history["loss"][5], history["val_loss"][5] = float("nan"), float("inf")
    page = page_of(write_network_run(tmp_path, history, best_epoch=4, planned=20))
    assert "6 NaN 95.77 % ∞ 88.39 % 0.42" in page.words("training")


def test_a_multilabel_network_has_the_section_too(tmp_path):
    page = page_of(write_network_run(tmp_path, overfitting(3), best_epoch=3, task="multilabel"))
    assert "validation loss was lowest at epoch 3, the last" in page.words("training")


def test_other_models_have_no_such_section(tmp_path):
    page = page_of(write_run(tmp_path, ["neg", "pos"], "binary", n=50))
    assert "training" not in page.sections
    assert "#training" not in {attrs["href"] for attrs in page.all("a")}


@pytest.mark.usefixtures("drawn_plots")
def test_the_folder_alone_is_enough_to_write_it_again(network, tmp_path):
    folder, html, _ = network
    for name in ("training_loss.svg", "training_accuracy.svg", "roc.svg"):
        (folder / "plots" / name).unlink()
    assert write_report(folder).read_text(encoding="utf-8") == html
    assert (folder / "plots" / "training_loss.svg").exists()
    assert (folder / "plots" / "roc.svg").exists()


def test_plots_that_are_there_are_not_drawn_again(tmp_path):
    write_network_run(tmp_path, overfitting(), best_epoch=4)
    (tmp_path / "plots").mkdir()
    for name in ("training_loss.svg", "training_accuracy.svg"):
        (tmp_path / "plots" / name).write_text('<svg width="72pt" height="36pt"/>')
    plots = read_plots(RunFolder(tmp_path))
    assert (plots["training_loss"].width, plots["training_loss"].height) == (96, 48)
    assert "confusion_matrix" in plots  # these were missing, and are drawn from the predictions


def test_a_network_whose_run_says_little_still_has_a_report(tmp_path):
    write_run(tmp_path, ["neg", "pos"], "binary", n=50, chosen={}, recipe={})
    (tmp_path / "history.csv").write_text("epoch,loss,accuracy,val_loss,val_accuracy\n1,0.5,0.8,,\n2,0.4,0.9,,\n")
    words = page_of(tmp_path).words("training")
    assert "Trained for 2 epochs, without validation rows." in words
    assert "Validation" not in words  # columns without a value are left out
    run = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(run | {"network": LAYERS}))
    (tmp_path / "history.csv").write_text("epoch,loss,accuracy\n")
    assert "160,289" in page_of(tmp_path).words("training")


def test_a_damaged_history_is_said_to_be(tmp_path):
    write_run(tmp_path, ["neg", "pos"], "binary", n=50)
    for content, why in (
        ("epoch,accuracy\n1,0.5\n", "history.csv` is damaged: it lacks the column `loss`"),
        ("epoch,loss,accuracy\n1,zero,0.5\n", "could not convert string to float: 'zero'"),
        ("epoch,loss,accuracy\n1,0.5,0.5\n,0.4,0.6\n", "history.csv` is damaged"),
    ):
        (tmp_path / "history.csv").write_text(content)
        with pytest.raises(InputError, match=why):
            write_report(tmp_path)


def test_history_is_read_as_it_was_written(tmp_path):
    history = overfitting(3)
    history["loss"][1] = float("inf")
    write_network_run(tmp_path, history, best_epoch=3)
    assert RunFolder(tmp_path).history == history
    assert RunFolder(tmp_path).refit_history is None
    write_history(tmp_path / "refit_history.csv", without_validation(history))
    assert RunFolder(tmp_path).refit_history == without_validation(history)


def test_the_first_ten_rows_of_two_classes(tmp_path):
    folder = write_run(tmp_path, ["neg", "pos"], "binary", n=50)
    frame = pl.read_parquet(folder / "predictions.parquet")
    rows = first_rows(RunFolder(folder))["rows"]
    assert [row["number"] for row in rows] == [str(k) for k in range(10)]
    words = page_of(folder).words("first")
    for k in range(10):
        truth, said = frame["label"][k], frame["prediction"][k]
        verdict = "right" if truth == said else "wrong"
        line = (
            f"{k} {truth} {said} {100 * frame[f'proba:{said}'][k]:.1f} % {'✓' if verdict == 'right' else '✗'} {verdict}"
        )
        assert line in words


def predicted(folder, label, prediction, **columns):
    write_run(folder, ["a", "b", "c"], "multilabel" if isinstance(label[0], list) else "multiclass", n=50)
    dtype = pl.List(pl.String) if isinstance(label[0], list) else pl.String
    frame = {
        "row": range(len(label)),
        "label": pl.Series(label, dtype=dtype),
        "prediction": pl.Series(prediction, dtype=dtype),
        **{f"proba:{name}": values for name, values in columns.items()},
    }
    pl.DataFrame(frame).write_parquet(folder / "predictions.parquet")
    return folder


def test_a_set_of_labels_is_right_as_a_whole_or_in_part(tmp_path):
    folder = predicted(
        tmp_path,
        [["a", "b"], ["a", "b"], ["c"], [], []],
        [["b", "a"], ["a"], ["a"], [], ["c"]],
        a=[0.9, 0.8, 0.7, 0.1, 0.2],
        b=[0.6, 0.4, 0.3, 0.1, 0.2],
        c=[0.1, 0.1, 0.2, 0.1, 0.999],
    )
    rows = first_rows(RunFolder(folder))["rows"]
    assert [row["verdict"] for row in rows] == ["right", "in part", "wrong", "right", "wrong"]
    assert rows[0]["said"] == [{"name": "b", "probability": "60.0 %"}, {"name": "a", "probability": "90.0 %"}]
    words = page_of(folder).words("first")
    assert words.startswith("First rows The first")
    assert "0 a and b b 60.0 % a 90.0 % ✓ right" in words
    assert "3 no label no label ✓ right" in words


def test_without_probabilities_the_first_rows_have_none(tmp_path):
    folder = predicted(tmp_path, ["a", "c"], ["a", "b"])
    words = page_of(folder).words("first")
    assert "0 a a ✓ right" in words
    assert "1 c b ✗ wrong" in words
    (folder / "predictions.parquet").unlink()
    assert "first" not in page_of(folder).sections


def test_hostile_words_of_a_network_stay_words(tmp_path):
    evil = "</style><script>alert(1)</script>`{{ 7*7 }}`\x00\u202e"
    folder = write_network_run(tmp_path, overfitting(2), best_epoch=2, findings=[evil])
    run = json.loads((folder / "run.json").read_text())
    run["network"]["layers"][0] = {"layer": evil, "output": evil, "parameters": 1}
    run["chosen"]["vocabulary"] = evil
    (folder / "run.json").write_text(json.dumps(run))
    html = write_report(folder).read_text(encoding="utf-8")
    assert not Page(html).all("script")
    assert not set(html) & set("\x00\u202e")
    assert "<code>{{ 7*7 }}</code>" in html


def test_what_word_vectors_cover_is_said(tmp_path):
    folder = write_network_run(tmp_path, overfitting(2), best_epoch=2)
    assert "Word vectors" not in page_of(folder).words("training")
    run = json.loads((folder / "run.json").read_text())
    facts = {"source": "<b>.vec", "size": 50, "words": 9_700, "of": 9_996, "running_words": 0.98765, "frozen": False}
    run["chosen"]["vectors"] = facts
    (folder / "run.json").write_text(json.dumps(run))
    words = page_of(folder).words("training")
    assert "Word vectors: <b>.vec, 50 numbers each, for 9,700 of 9,996 words" in words
    assert "98.8 % of the running words; they learn on with the network." in words
    assert "running_words" not in page_of(folder).text
