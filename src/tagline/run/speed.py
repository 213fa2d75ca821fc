"""How fast a model answers on this machine, and how large it is."""

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
_FEWEST = 32  # of a batch, however slow the model
_WARM_UP = 3
_SECONDS = 2.0  # after which no more is timed, of single texts and of batches each
_BATCHES = 3


@dataclass(frozen=True)
class Speed:
    """Milliseconds for a text that comes alone, in the median, and texts a second of a batch, at best."""

    ms_per_text: float
    texts_per_second: float


def measure_speed(clf: "TextClassifier", texts: Sequence[str]) -> Speed | None:
    """Time a classifier on up to 100 texts one by one and on up to 2,000 at once; None if it reads no texts.

    A slow one is given fewer: what takes it some two seconds.
    """
    alone = list(texts[:N_SINGLE])
    if not alone:
        return None
    try:
        for text in alone[:_WARM_UP]:
            clf.predict_proba([text])
    except InputError:  # a model of word ids without words
        return None
    spent: list[float] = []
    started = time.perf_counter()
    for text in alone:
        began = time.perf_counter()
        clf.predict_proba([text])
        spent.append(time.perf_counter() - began)
        if time.perf_counter() - started > _SECONDS:
            break
    single = median(spent)
    together = list(texts[: min(N_BATCH, max(_FEWEST, int(_SECONDS / single)))])
    batches: list[float] = []
    started = time.perf_counter()
    while len(batches) < _BATCHES and (not batches or time.perf_counter() - started < _SECONDS):
        began = time.perf_counter()
        clf.predict_proba(together)
        batches.append(time.perf_counter() - began)
    return Speed(1000 * single, len(together) / min(batches))


def megabytes(folder: Path) -> float:
    """Return how much the files of a folder hold, in megabytes (10^6 bytes)."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
