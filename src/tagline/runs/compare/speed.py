"""Speed and size of a model on this machine."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tagline.errors import InputError

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

N_SINGLE, N_BATCH = 100, 2000
_FEWEST = 32  # texts of a batch, however slow the model
_WARM_UP = 3
_SECONDS = 2.0  # per model, for single texts and for batches each
_BATCHES = 3


@dataclass(frozen=True)
class Speed:
    """Median milliseconds for a single text, and the best texts per second in batches."""

    ms_per_text: float
    texts_per_second: float


def measure_speeds(classifiers: "Sequence[TextClassifier | None]", texts: Sequence[str]) -> list[Speed | None]:
    """Time classifiers on up to 100 texts one by one and on up to 2,000 at once.

    They take turns, so that other load on the machine slows all of them alike. A slow model gets smaller batches, of
    some two seconds. The result is None for a model that is None or reads no texts, and for all if there is no text.
    """
    runners = [k for k, clf in enumerate(classifiers) if clf is not None and texts and _reads_texts(clf, texts)]
    alone: dict[int, list[float]] = {k: [] for k in runners}
    started = time.perf_counter()
    for text in texts[:N_SINGLE]:
        for k in runners:
            alone[k].append(_seconds(classifiers[k], [text]))
        if time.perf_counter() - started > _SECONDS * len(runners):
            break
    single = {k: median(spent) for k, spent in alone.items()}
    together = {k: texts[: min(N_BATCH, max(_FEWEST, int(_SECONDS / single[k])))] for k in runners}
    batches: dict[int, list[float]] = {k: [] for k in runners}
    for _ in range(_BATCHES):
        for k in runners:
            if sum(batches[k]) < _SECONDS:
                batches[k].append(_seconds(classifiers[k], together[k]))
    return [
        Speed(1000 * single[k], len(together[k]) / min(batches[k])) if k in single else None
        for k in range(len(classifiers))
    ]


def _seconds(clf: "TextClassifier | None", texts: Sequence[str]) -> float:
    assert clf is not None
    began = time.perf_counter()
    clf.predict_proba(list(texts))
    return time.perf_counter() - began


def _reads_texts(clf: "TextClassifier", texts: Sequence[str]) -> bool:
    """Warm a classifier up, and return whether it reads texts: one trained on ids without a word index does not."""
    try:
        for text in texts[:_WARM_UP]:
            clf.predict_proba([text])
    except InputError:
        return False
    return True


def megabytes(folder: Path) -> float:
    """Return the total size of the files of a folder in megabytes (10^6 bytes)."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
