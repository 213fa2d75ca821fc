"""`export_onnx`: a model to a folder for any program with an ONNX runtime."""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagline.bundle import EXPORT, Bundle, check_replaceable, write_bundle
from tagline.calibration import uncalibrated
from tagline.classifier import TextClassifier
from tagline.export.model_card import card_facts, card_markdown
from tagline.export.onnx_preprocessing import describe
from tagline.export.replay import Replay, make_replay
from tagline.export.verification import Predictions, Verification, verify
from tagline.models.onnx import model_graph
from tagline.models.onnx.runtime import EXPORTED_GRAPH
from tagline.run_folder import check_parent, load_model
from tagline.storage.atomic import temporary_folder


@dataclass(frozen=True)
class OnnxExport:
    """Result of an export to ``path``: ``bytes`` in all, and how close its predictions are to the model's.

    ``card`` is the content of its ``card.json``.
    """

    path: Path
    bytes: int
    replay: Replay
    verification: Verification
    card: dict[str, Any]


def export_onnx(
    model_path: str | Path,
    folder: str | Path,
    *,
    replay: str | Path | None = None,
    progress: Callable[[str], None] = lambda stage: None,
) -> OnnxExport:
    """Write a model as an ONNX graph, with a complete description of the steps from a text to its inputs.

    The export is loaded and compared with the model on the rows of ``make_replay``; nothing is written to ``folder`` if
    a prediction differs. ``TextClassifier.load`` reads it. The same bundle gives the same bytes.

    Args:
        model_path: the folder of a run or of its model.
        folder: the folder to write; an older export there is replaced.
        replay: a file of texts for the verification instead of the run's test rows.
        progress: called with the name of each stage.

    Raises:
        InputError: there is no model, ``folder`` has other content, or a prediction differs (``VerificationError``).
        MissingExtraError: onnx or ONNX Runtime is not installed.

    """
    target = Path(folder)
    check_parent(target)
    check_replaceable(target, EXPORT)
    clf = load_model(model_path)
    progress("writing the graph")
    bundle = _bundle(clf)
    progress("reading the rows to replay")
    rows = make_replay(model_path, replay)
    progress(f"replaying {len(rows.texts):,} texts")
    verification = _verified(clf, bundle, rows)
    card = card_facts(clf, model_path, rows, verification)
    cards = {
        "card.json": json.dumps(card, ensure_ascii=False, indent=1) + "\n",
        "card.md": card_markdown(card, bundle.header["preprocessing"]["inputs"]),
    }
    texts = bundle.texts | cards
    write_bundle(target, Bundle(bundle.header, bundle.arrays, texts, bundle.binaries), EXPORT)
    return OnnxExport(target, sum(path.stat().st_size for path in target.iterdir()), rows, verification, card)


def graph_of(clf: TextClassifier) -> bytes:
    """Return a classifier's model as an ONNX graph, from features to probabilities."""
    return model_graph(clf.model_, clf.vectorizer_, clf.calibrator_, clf.task_)


def _bundle(clf: TextClassifier) -> Bundle:
    features = clf.vectorizer_
    preprocessing = describe(features)
    graph = graph_of(clf)
    settings, arrays = features.graph_inputs()
    if clf.novelty_ is not None:
        arrays |= clf.novelty_.arrays()
    arrays |= {} if clf.held_out_ is None else clf.held_out_.arrays()
    plain = copy.copy(clf)
    plain.calibrator_ = uncalibrated()  # the graph calibrates
    header = plain.header() | {
        "model": "onnx",
        "features": settings,
        "preprocessing": preprocessing,
    }
    return Bundle(header, arrays, features.texts(), {EXPORTED_GRAPH: graph})


def _verified(clf: TextClassifier, bundle: Bundle, rows: Replay) -> Verification:
    """Write the export to a temporary folder, load it, and compare its predictions with the model's."""
    with temporary_folder() as scratch:
        write_bundle(scratch / "export", bundle, EXPORT)
        exported = TextClassifier.load(scratch / "export")

    def predict(texts: Sequence[Any]) -> Predictions:
        proba = exported.predict_proba(texts)
        return Predictions(proba, exported.decide(proba))

    return verify(clf, predict, rows.texts)
