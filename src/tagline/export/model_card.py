"""The model card of an export, for programs (``card.json``) and for people (``card.md``)."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tagline.classifier import TextClassifier
from tagline.decisions.abstention import DELTA
from tagline.decisions.levels import levels_to_json
from tagline.decisions.novelty import USUAL_SHARE
from tagline.decisions.rule import describe_threshold
from tagline.errors import InputError
from tagline.export.replay import Replay
from tagline.export.verification import Verification
from tagline.run_folder import run_of_model

_FIGURES = ("n", "accuracy", "accuracy_ci95", "macro_f1", "log_loss")
_SHOWN = 20  # classes


def card_facts(clf: TextClassifier, model_path: str | Path, rows: Replay, verification: Verification) -> dict[str, Any]:
    """Return the content of ``card.json``: the model, its test metrics if they are known, and the verification."""
    texts = {name: getattr(rows, name) for name in ("held_out", "seen", "drawn", "hostile")}
    return {
        "tagline": version("tagline"),
        "recipe": {"name": clf.recipe_.recipe.name, "summary": clf.recipe_.recipe.summary},
        "task": clf.task_,
        "classes": [str(name) for name in clf.classes_],
        "positive": clf.positive_,
        "threshold": clf.rule_.to_json() if clf.rule_.has_threshold(clf.task_) else None,
        "costs": None if clf.costs_ is None else [list(row) for row in clf.costs_.costs],
        "guarantees": levels_to_json(clf.held_out_),
        "novelty": None if clf.novelty_ is None else {"held_out_rows": len(clf.novelty_), "share": USUAL_SHARE},
        "data": clf.card_.get("dataset"),
        "figures": _figures(clf, model_path),
        "replay": {
            "onnxruntime": version("onnxruntime"),
            "texts": texts,
            **asdict(verification),
            "sentence": verification_sentence(rows, verification),
        },
    }


def _figures(clf: TextClassifier, model_path: str | Path) -> dict[str, Any] | None:
    """Return the metrics of the run on its test rows, None if the run is not found."""
    run = run_of_model(model_path, (clf.card_.get("dataset") or {}).get("fingerprint"))
    try:
        block = run.metrics["test"] if run else None
    except (InputError, KeyError):
        return None
    return None if block is None else {name: block[name] for name in _FIGURES if name in block}


def verification_sentence(rows: Replay, verification: Verification) -> str:
    """Return a sentence on how close the predictions are."""
    ties = verification.ties
    labels = f"{ties:,} labels differ, all of them ties" if ties else "every label is the same"
    return (
        f"On {verification.rows:,} texts ({rows.sentence}) no probability differs from the model's by more than "
        f"{verification.largest:.1e}, where {verification.bound:g} is allowed, and {labels}."
    )


def card_markdown(card: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """Return the card in Markdown; ``inputs`` describe those of the graph."""
    data, figures, recipe = card["data"], card["figures"], card["recipe"]
    names = ", ".join(f"`{name}`" for name in card["classes"][:_SHOWN])
    if len(card["classes"]) > _SHOWN:
        names += f" and {len(card['classes']) - _SHOWN:,} more"
    lines = [f"# Text classifier `{recipe['name']}`", "", f"{recipe['summary']}.", ""]
    lines.append(f"* Task: {card['task']}; classes, in the order of the probabilities: {names}.")
    lines += _rule_lines(card)
    if data:
        lines.append(f"* Trained on `{data['name']}`, {data['rows']['train']:,} train rows.")
    if figures:
        lines.append(f"* Accuracy on {figures['n']:,} test rows: {100 * figures['accuracy']:.2f} %.")
    lines += [
        f"* {card['replay']['sentence']} ONNX Runtime {card['replay']['onnxruntime']} ran it.",
        "",
        "## Use",
        "",
        "`tagline predict FOLDER TEXT` classifies a text with this folder. Another program follows "
        "`preprocessing` in `tokens.json` and runs `model.onnx`, whose inputs are",
        "",
        *(f"* `{name}`: {about}" for name, about in inputs.items()),
        "",
        "and whose outputs are calibrated `logits` and `probabilities`, (n_texts, n_classes).",
        *_abstention_section(card["guarantees"]),
        *_sets_section(card["guarantees"]),
        *_novelty_section(card["novelty"]),
    ]
    return "\n".join(lines) + "\n"


def _abstention_section(guarantees: Mapping[str, Any] | None) -> list[str]:
    """Return how another program answers only where the model is sure."""
    if guarantees is None or not guarantees["abstention"]:
        return []
    n = guarantees["held_out_rows"]
    return [
        "",
        "## Answers only where the model is sure",
        "",
        "Where the probability of the prediction is below a threshold, the model is unsure and should not answer. Of "
        "the other answers at least the share `accuracy` is right, for texts like the training texts; this fails for "
        f"at most {100 * DELTA:g} of 100 trained models. The thresholds come from {n:,} held-out rows.",
        "",
        "| accuracy | threshold | held-out rows answered |",
        "|---|---|---|",
        *(
            f"| {level['accuracy']:g} | {level['threshold']:.6g} | {100 * level['answered']:.1f} % |"
            for level in guarantees["abstention"]
        ),
        "",
        "Another program compares the probability of the prediction with the threshold, in full in `card.json`. "
        "`tagline predict FOLDER TEXT --abstain ACCURACY` does it for these and other accuracies.",
    ]


def _sets_section(guarantees: Mapping[str, Any] | None) -> list[str]:
    """Return how another program makes prediction sets."""
    if guarantees is None or not guarantees["sets"]:
        return []
    return [
        "",
        "## Prediction sets",
        "",
        "Several classes can stand for one: for at least the share `coverage` of texts like the training texts, the "
        "set contains the true class.",
        "",
        "| coverage | threshold |",
        "|---|---|",
        *(f"| {level['coverage']:g} | {level['threshold']:.6g} |" for level in guarantees["sets"]),
        "",
        "A class is in the set if its probability is at least the threshold, or if it is the prediction. "
        "`tagline predict FOLDER TEXT --sets COVERAGE` does it for these and other coverages.",
    ]


def _rule_lines(card: Mapping[str, Any]) -> list[str]:
    """Return how the prediction follows from the probabilities."""
    threshold, task = card["threshold"], card["task"]
    if card["costs"] is not None and task == "multiclass":
        return [
            "* The prediction is the class with the smallest expected cost: the sum over the classes of their "
            "probability times its cost, in `costs` of `card.json`, true classes in rows."
        ]
    if threshold is None:
        return []
    what = "each label" if task == "multilabel" else f"`{card['positive']}`"
    above = "its threshold in `card.json`, " if isinstance(threshold, list) else ""
    otherwise = ", otherwise the most probable one of the other classes" if task == "multiclass" else ""
    return [
        f"* The prediction is {what} if its probability is above {above}{describe_threshold(threshold)}{otherwise}."
    ]


def _novelty_section(novelty: Mapping[str, Any] | None) -> list[str]:
    """Return how another program tells texts unlike the training texts."""
    if novelty is None:
        return []
    rows = novelty["held_out_rows"]
    return [
        "",
        "## Texts unlike the training texts",
        "",
        f"`tagline predict FOLDER TEXT --novelty {novelty['share']:g}` predicts nothing for texts whose p-value of "
        f"novelty is at most {novelty['share']:g}; of texts like the training texts at most that share is lost. "
        f"Another program compares a text with the {rows:,} held-out rows in `novelty.confidence` and "
        "`novelty.coverage` of `ngrams.safetensors`, in single precision:",
        "",
        "* confidence: the largest of its `probabilities`;",
        "* coverage: how many of its word n-grams, counted as often as they occur, are in the vocabulary, divided by "
        "the number of all its word n-grams of the same lengths; of its character n-grams if the model has no words;",
        "* the rank of the text in a score: 1 + the number of rows whose score is at most its own; that of a row: the "
        "number of rows, itself included, whose score is at most its own;",
        f"* p-value: (1 + the number of rows whose product of both ranks is at most that of the text) / {rows + 1:,}.",
    ]
