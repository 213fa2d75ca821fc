"""`export_page`: a model to one HTML file whose predictions are verified against the model's."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tagline.classifier import TextClassifier
from tagline.data.columns import HEADER_NAMES, TEXT_NAMES
from tagline.decisions.levels import abstention_levels
from tagline.errors import InputError
from tagline.export.html.accuracy_loss import BOUND, MOST_LOST, Losses, known_truth, measure
from tagline.export.html.compose import compose, model_of
from tagline.export.html.javascript import V8, require_v8
from tagline.export.html.replay import replay_in_v8
from tagline.export.html.sizing import Packed, pack
from tagline.export.replay import Replay, make_replay
from tagline.export.verification import Verification
from tagline.features.vectorizer import Vectorizer
from tagline.models import LabelTree, LinearModel
from tagline.report.rendering import check_page
from tagline.storage.atomic import write_file
from tagline.web.about import about_model

_MEGABYTE = 1_000_000
#: Bits of a weight and the limit of the page in bytes, tried in this order until the loss is acceptable.
ATTEMPTS = ((8, 5 * _MEGABYTE), (8, 10 * _MEGABYTE), (8, 20 * _MEGABYTE), (16, 20 * _MEGABYTE))

_SHOWN = 2000  # texts that estimate the length of rows


@dataclass(frozen=True)
class PageExport:
    """Result of an export to a page.

    ``n_features`` of the model's ``n_features_of_model`` n-grams are in the page, with weights of ``bits`` bits;
    ``losses`` compares the page with the model, ``verification`` V8 with Python. ``card`` holds the same in sentences,
    which the page shows. ``n_examples`` texts of the test rows are in the page, misclassified ones of the run.
    """

    path: Path
    bytes: int
    bits: int
    n_features: int
    n_features_of_model: int
    losses: Losses
    verification: Verification
    card: tuple[str, ...]
    n_examples: int


def export_page(
    model_path: str | Path,
    target: str | Path,
    *,
    replay: Path | None = None,
    title: str | None = None,
    progress: Callable[[str], None] = lambda stage: None,
) -> PageExport:
    """Write a linear model of n-grams as one HTML file that classifies and explains offline.

    The page's own scripts first classify test texts in V8: nothing is written unless their probabilities are
    those of Python within 1e-4, and those of the unpruned model in full precision within ``accuracy_loss.BOUND``.

    Args:
        model_path: the folder of a bundle.
        target: the file to write; an older one is replaced.
        replay: a file of texts for the verification instead of the run's test rows.
        title: the heading of the page; by default names of the data and the recipe.
        progress: called with the name of each stage.

    Raises:
        InputError: the model is not a linear model of n-grams, ``target`` cannot be written, or predictions differ.
        MissingExtraError: mini-racer is not installed.

    """
    model_path, target = Path(model_path), Path(target)
    require_v8()
    check_page(target)
    clf = TextClassifier.load(model_path)
    _check(clf)
    progress("reading test texts")
    rows = make_replay(model_path, replay)
    texts = [text for text in rows.texts if isinstance(text, str)]
    about = about_model(model_path, clf) | {"name": "model", "csv": _csv_facts(clf)}
    about["title"] = title or about["title"]
    progress("packing the model")
    truth = known_truth(model_path, clf, clf.predict_proba(texts))
    packed, losses = _choose(clf, texts, truth, rows.held_out + rows.seen, about)
    progress("verifying in V8")
    script, payload = model_of(compose(packed.payload, about))
    verification = replay_in_v8(packed.classifier, V8(script, gzip.decompress(payload)), texts)
    card = _card(clf, packed, losses, verification, rows)
    html = compose(packed.payload, about | {"card": [*about["card"], *card]})
    if model_of(html) != (script, payload):
        raise AssertionError("the page written is not the page replayed")
    progress("writing the page")
    content = html.encode()
    write_file(target, content)
    kept = packed.classifier.n_features_
    n_examples = len(about["examples"])
    return PageExport(
        target, len(content), packed.bits, kept, clf.n_features_, losses, verification, tuple(card), n_examples
    )


def _check(clf: TextClassifier) -> None:
    if isinstance(clf.model_, LabelTree):
        raise InputError(
            f"A label tree of {clf.model_.n_classes:,} classes has no page: serve the model with `tagline serve`, "
            "whose web page classifies too."
        )
    if not isinstance(clf.vectorizer_, Vectorizer) or not isinstance(clf.model_, LinearModel):
        raise InputError(
            f"A page holds a linear model of n-grams, and `{clf.recipe_.recipe.name}` is not one: "
            "export it with `--format onnx`."
        )


def _csv_facts(clf: TextClassifier) -> dict[str, Any]:
    """Return the names by which the page finds the columns of a CSV file, like ``tagline predict``."""
    return {
        "textColumns": clf.card_.get("text_columns") or [],
        "textNames": list(TEXT_NAMES),
        "headerNames": sorted(HEADER_NAMES),
    }


def _choose(
    clf: TextClassifier, texts: list[str], truth: list[Any] | None, n_real: int, about: dict[str, Any]
) -> tuple[Packed, Losses]:
    """Return the first attempt whose loss is acceptable."""
    overhead = len(compose(b"", about).encode()) + 2000  # plus the card
    shown = pl.Series(texts[:_SHOWN], dtype=pl.String)
    answered_from = [level.threshold for level in abstention_levels(clf.held_out_)]
    found: Losses | None = None
    for bits, limit in ATTEMPTS:
        packed = pack(clf, bits, (limit - overhead) * 3 // 4, shown)  # base64 encodes three bytes in four
        found = measure(clf, packed.classifier, texts, truth, n_real, answered_from)
        if found.acceptable:
            return packed, found
    assert found is not None
    raise InputError(
        f"A page of {ATTEMPTS[-1][1] // _MEGABYTE} MB would differ from the model by up to {found.largest:.3f} in a "
        f"probability and in {found.different:,} of {found.rows:,} labels, more than the {BOUND} or the "
        f"{100 * MOST_LOST:.1f} points that are allowed: export with `--format onnx`."
    )


def _card(clf: TextClassifier, packed: Packed, losses: Losses, verification: Verification, rows: Replay) -> list[str]:
    kept, of = packed.classifier.n_features_, clf.n_features_
    share = f"All {of:,} n-grams" if kept == of else f"The {kept:,} n-grams with the largest weights of {of:,}"
    sentences = [
        f"{share} of the model are in this page, with {packed.bits}-bit weights.",
        f"On {rows.sentence}, its probabilities differ from the model's by at most {losses.largest:.4f} "
        f"(99 % by at most {losses.usual:.4f}; allowed: {BOUND}); labels that differ: {losses.different:,}.",
    ]
    if losses.accuracy is not None and losses.page_accuracy is not None:
        name = "exact match" if clf.task_ == "multilabel" else "accuracy"
        sentences.append(
            f"Test {name}: {100 * losses.page_accuracy:.2f} % for this page, {100 * losses.accuracy:.2f} % for the "
            f"model itself (allowed loss: {100 * MOST_LOST:.1f} points)."
        )
    if losses.unsure is not None:
        sentences.append(
            f"With a guaranteed accuracy, at most {losses.unsure:,} of {rows.held_out + rows.seen:,} real texts are "
            "answered by only one of page and model."
        )
    sentences.append(
        f"V8 ran the scripts of this page on these {verification.rows:,} texts: the same tokens and explanations "
        f"as in Python, probabilities within {verification.largest:.1g} (allowed: {verification.bound:g})."
    )
    return sentences
