"""`export_onnx`: a model to a folder that any program with an ONNX runtime can use."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagline.bundle import EXPORT, Bundle, check_replaceable, write_bundle
from tagline.classifier import TextClassifier
from tagline.export.model_card import card_facts, card_markdown
from tagline.export.onnx_preprocessing import describe
from tagline.export.replay import Replay, make_replay
from tagline.export.verification import Parity, compare
from tagline.models.onnx import divide_by, model_graph
from tagline.models.onnx.runtime import EXPORTED_GRAPH
from tagline.runs.model_path import load_model


@dataclass(frozen=True)
class OnnxExport:
    """What was written to ``path``, of ``bytes`` in all, and how near its answers are to the model's.

    ``card`` is the content of its ``card.json``.
    """

    path: Path
    bytes: int
    replay: Replay
    parity: Parity
    card: dict[str, Any]


def export_onnx(
    model_path: str | Path,
    folder: str | Path,
    *,
    replay: str | Path | None = None,
    progress: Callable[[str], None] = lambda stage: None,
) -> OnnxExport:
    """Write a model as an ONNX graph, with a complete description of what is done to a text before.

    The export is loaded and asked what ``make_replay`` chooses; nothing is left at ``folder`` unless it answers as the
    model does. ``TextClassifier.load`` reads it. The same bundle gives the same bytes.

    Args:
        model_path: the folder of a run or of its model.
        folder: the folder to write; an older export there is replaced.
        replay: a file of texts to ask instead of the run's test rows.
        progress: called with the name of each stage.

    Raises:
        InputError: there is no model, something else is in ``folder``, or an answer differs: ``ParityError``.
        MissingExtraError: onnx or ONNX Runtime is not installed.

    """
    target = Path(folder)
    check_replaceable(target, EXPORT)
    clf = load_model(model_path)
    progress("writing the graph")
    bundle = _bundle(clf, graph_of(clf))
    progress("reading the rows to replay")
    asked = make_replay(model_path, replay)
    progress(f"replaying {len(asked.texts):,} texts")
    parity = _replayed(clf, bundle, asked)
    card = card_facts(clf, model_path, asked, parity)
    cards = {
        "card.json": json.dumps(card, ensure_ascii=False, indent=1) + "\n",
        "card.md": card_markdown(card, bundle.header["preprocessing"]["inputs"]),
    }
    texts = bundle.texts | cards
    write_bundle(target, Bundle(bundle.header, bundle.arrays, texts, bundle.binaries), EXPORT)
    return OnnxExport(target, sum(path.stat().st_size for path in target.iterdir()), asked, parity, card)


def graph_of(clf: TextClassifier) -> bytes:
    """Return a classifier's model as an ONNX graph, from features to probabilities."""
    return model_graph(clf.model_, clf.vectorizer_, divide_by(clf.temperature_), multilabel=clf.task_ == "multilabel")


def _bundle(clf: TextClassifier, graph: bytes) -> Bundle:
    features = clf.vectorizer_
    settings, arrays = features.graph_inputs()
    header = clf.header() | {
        "model": "onnx",
        "temperature": 1.0,  # it is in the graph
        "features": settings,
        "preprocessing": describe(features),
    }
    return Bundle(header, arrays, features.texts(), {EXPORTED_GRAPH: graph})


def _replayed(clf: TextClassifier, bundle: Bundle, asked: Replay) -> Parity:
    """Write the export somewhere, read it back, and compare what it says with what the model says."""
    with tempfile.TemporaryDirectory() as scratch:
        write_bundle(Path(scratch) / "export", bundle, EXPORT)
        exported = TextClassifier.load(Path(scratch) / "export")
    expected, got = clf.predict_proba(asked.texts), exported.predict_proba(asked.texts)
    threshold = None if clf.task_ == "multiclass" else clf.threshold_
    return compare(
        expected, clf.decide(expected), got, exported.decide(got), classes=clf.classes_.tolist(), threshold=threshold
    )
