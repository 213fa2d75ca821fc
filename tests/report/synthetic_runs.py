"""Synthetic run folders as a training run leaves them."""

import csv
import json

import numpy as np
import polars as pl

from tagline.metrics import measure

REVIEW = (
    "I went in with low hopes and, I must say, the first hour was dull and predictable. <br /><br />"
    "But then it turns: the lead is wonderful, the ending superb, and what looked like a terrible mess was "
    "a brilliant, moving portrait of a family. "
)


def spans_of(text, words):
    found = []
    for word, contribution in words.items():
        start = text.find(word)
        while start >= 0:
            found.append([start, start + len(word), contribution])
            start = text.find(word, start + 1)
    return found


def example(n, n_classes, task, seed=0):
    rng = np.random.default_rng(seed)
    if task == "multilabel":
        truth = rng.random((n, n_classes)) < np.linspace(0.03, 0.3, n_classes)
        logits = rng.normal(-2, 1, (n, n_classes)) + 3.5 * truth
        proba = 1 / (1 + np.exp(-logits))
        return truth, proba > 0.5, proba
    shares = 1 / np.arange(1, n_classes + 1) if n_classes > 2 else np.ones(2)
    truth = rng.choice(n_classes, n, p=shares / shares.sum())
    logits = rng.normal(0, 1.6, (n, n_classes))
    logits[np.arange(n), truth] += 4.0
    proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return truth, proba.argmax(1), proba


def write_run(folder, classes, task, *, n=400, folds=None, mistakes=None, **of_run):
    """Write a run folder without plots and return it; the report draws them from the predictions."""
    folder.mkdir(parents=True, exist_ok=True)
    truth, prediction, proba = example(n, len(classes), task)
    test = measure(truth, prediction, proba, classes, task=task, n_bootstrap=200)
    validation = measure(*example(n // 2, len(classes), task, 1), classes, task=task, n_bootstrap=200)
    rows = {"train": 20000, "validation": 0 if folds else n // 2, "test": n}
    metrics = {
        "task": task,
        "classes": classes,
        "rows": rows,
        "validation": None if folds else validation,
        "test": test,
        "seconds": {"read": 0.41, "features": 1.2, "fit": 0.62, "evaluate": 0.3, "total": 2.61},
        "peak_rss_mb": 612.4,
    }
    if folds:
        metrics["folds"] = folds

    def names(y):
        if task == "multilabel":
            return pl.Series([[classes[k] for k in np.flatnonzero(row)] for row in y], dtype=pl.List(pl.String))
        return pl.Series([classes[k] for k in y])

    frame = pl.DataFrame({"row": np.arange(n), "label": names(truth), "prediction": names(prediction)})
    frame = frame.with_columns(pl.Series(f"proba:{name}", proba[:, k]) for k, name in enumerate(classes))
    frame.write_parquet(folder / "predictions.parquet")
    if mistakes is None:
        words = {
            "dull": 0.9,
            "predictable": 0.55,
            "terrible mess": 1.3,
            "wonderful": -0.8,
            "superb": -0.6,
            "I must": 0.1,
        }
        listed = task == "multilabel"
        mistakes = [
            {
                "text": text,
                "label": [classes[-1]] if listed else classes[-1],
                "prediction": [classes[0], classes[1]] if listed else classes[0],
                "probability": 0.998 - 0.004 * i,
                "spans": spans_of(text, words),
            }
            for i, text in enumerate(
                [REVIEW, REVIEW + 12 * "It goes on and on without saying much. " + REVIEW, REVIEW[:86]]
            )
        ]
    (folder / "mistakes.json").write_text(json.dumps(mistakes))
    facts = {
        "rows_read": 25012,
        "text_columns": ["review"],
        "label_column": "sentiment",
        "chosen": "Of 4 columns, `review` holds the texts and `sentiment` the labels.",
        "split": "Test and validation rows were drawn by label, copies kept together.",
        "official": False,
        "dropped": {"empty text": 3, "no label": 0},
        "duplicates": {"copies": 96, "conflicting": 2, "test_in_train": 4},
        "lengths": {
            name: {"mean": 1325.1, "median": 979.0, "p95": 3391.0, "max": 13704.0}
            for name in ("train", "validation", "test")
        },
        "class_counts": {
            name: {c: 1000 + i for i, c in enumerate(classes)} for name in ("train", "validation", "test")
        },
        "rejected_rows": 1,
        "rejected": [{"file": "reviews.csv", "line": 812, "reason": "a quote is never closed"}],
        "warnings": ["2 texts hold control characters, which are kept (first: row 17)."],
    }
    run = {
        "format": 1,
        "name": "20250101-120000-fast-movie-reviews",
        "created": "2025-01-01T12:00:00Z",
        "command": "tagline train movie-reviews --seed 0",
        "recipe": {
            "recipe": {"name": "fast", "summary": "Words and pairs of words, weighed and fitted in seconds."},
            "features": {"kind": "ngrams", "ngrams": [1, 2]},
            "model": {"kind": "nb-linear"},
            "protocol": {"validation": 0.1, "refit": "no", "calibration": "temperature"},
        },
        "seed": 0,
        "dataset": {
            "name": "movie-reviews",
            "source": "movie-reviews 0.0.2",
            "fingerprint": "sha256:9f2c1d7e5b",
            "task": task,
            "classes": classes,
            "rows": rows,
            "facts": facts,
        },
        "chosen": {
            "words": [1, 2],
            "characters": [3, 3],
            "min_df": 2,
            "C": 0.3,
            "temperature": 1.183,
            "threshold": 0.5,
            "held_out": {"rows": 20000, "how": "5-fold cross-validation of the train rows"},
            "tried": ["characters", "C"],
            "learnt_from": 20200,
        },
        "versions": {"python": "3.11.7", "tagline": "0.1.0", "numpy": "2.4.6"},
        "machine": {"system": "Linux", "cores": 2},
    } | of_run
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


LAYERS = {
    "layers": [
        {"layer": "Embedding", "output": [256, 16], "parameters": 160000},
        {"layer": "GlobalAveragePooling1D", "output": "(16)", "parameters": 0},
        {"layer": "Dense, relu", "output": "(16)", "parameters": 272},
        {"layer": "Dense, sigmoid", "output": [1], "parameters": 17},
    ],
    "parameters": 160289,
}


def overfitting(n_epochs=20, best=4):
    """A multi-hot network on film reviews: validation loss turns at the fourth epoch, training loss never."""
    epoch = np.arange(1, n_epochs + 1)
    past = np.maximum(epoch - best, 0)
    return {
        "epoch": epoch.tolist(),
        "loss": (0.55 * np.exp(-0.35 * (epoch - 1)) + 0.002).tolist(),
        "accuracy": (1 - 0.22 * np.exp(-0.33 * (epoch - 1))).tolist(),
        "val_loss": (0.28 + 0.12 * np.exp(-1.2 * (epoch - 1)) + 0.03 * past).tolist(),
        "val_accuracy": (0.887 - 0.03 * np.exp(-1.0 * epoch) - 0.0015 * past).tolist(),
        "seconds": [0.42] * n_epochs,
    }


def improving(n_epochs=60):
    """An averaged embedding, slow: every epoch is better than the one before."""
    epoch = np.arange(1, n_epochs + 1)
    loss = 0.25 + 0.443 * np.exp(-epoch / 25)
    return {
        "epoch": epoch.tolist(),
        "loss": loss.tolist(),
        "accuracy": (0.9 - 0.4 * np.exp(-epoch / 22)).tolist(),
        "val_loss": (loss + 0.02).tolist(),
        "val_accuracy": (0.885 - 0.39 * np.exp(-epoch / 22)).tolist(),
        "seconds": [1.3] * n_epochs,
    }


def without_validation(history):
    return {name: values for name, values in history.items() if not name.startswith("val_")}


def write_history(path, history):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(history)
        writer.writerows(zip(*history.values(), strict=True))


def write_network_run(folder, history, *, best_epoch=None, refit_epochs=None, findings=(), planned=None, task="binary"):
    """Write the folder of a run that trained a network."""
    validated = "val_loss" in history
    classes = ["neg", "pos"] if task == "binary" else ["joy", "fear", "rage"]
    learnt_from = 20000 if refit_epochs or not validated else 10000
    write_run(
        folder,
        classes,
        task,
        name="20250101-120000-multihot-dense-movie-reviews",
        recipe={
            "recipe": {"name": "multihot-dense", "summary": "Which words occur, and two small dense layers."},
            "features": {"kind": "multihot", "num_words": 10000},
            "model": {"kind": "dense", "layers": 2, "units": 16},
            "training": {"optimizer": "rmsprop", "batch_size": 512, "epochs": planned or len(history["epoch"])},
            "protocol": {
                "validation": 10000,
                "refit": "best-epoch" if refit_epochs else "no",
                "calibration": "none",
            },
        },
        chosen={
            "num_words": 10000,
            "maxlen": None,
            "vocabulary": f"learnt from {learnt_from:,} texts",
            "temperature": 1.0,
            "threshold": 0.5,
            "held_out": {"rows": 10000, "how": "the first 10,000 train rows"} if validated else None,
            "epochs": refit_epochs or len(history["epoch"]),
            "tried": ["epochs"] if refit_epochs else [],
            "learnt_from": learnt_from,
        },
        network=LAYERS,
        training={
            "best_epoch": best_epoch,
            "epochs_run": len(history["epoch"]),
            "refit_epochs": refit_epochs,
            "findings": list(findings),
        },
    )
    write_history(folder / "history.csv", history)
    if refit_epochs:
        refit = {name: values[:refit_epochs] for name, values in without_validation(history).items()}
        write_history(folder / "refit_history.csv", refit)
    return folder
