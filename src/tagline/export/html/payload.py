"""A classifier as the bytes that payload.js reads.

Four bytes hold the length of the header, which is JSON; then come the parts. Integers are stored as byte planes: the
lowest bytes of all numbers, then the next ones, which compresses best. In the header, ``parts`` has the start, end
and number of planes of each part, and ``blocks`` the n-gram blocks. The parts of block 0 are:

* ``0.symbols``: the words, one a line, or the code points;
* ``0.2.followers``: the number of n-grams of order 2 for each prefix of order 1; ``0.2.last``: their last symbols,
  ascending within each prefix and stored as differences; likewise for higher orders;
* ``0.scale`` and ``0.weight.0``, …: levels, see ``quantization``, columns as in ``NgramTable``; half the range is
  added to those of weights.

``novelty.confidence`` and ``novelty.coverage`` hold the scores of the held-out rows, the bits of numbers in single
precision, if the model has them.
"""

import gzip
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.classifier import TextClassifier
from tagline.export.html.characters import character_tables
from tagline.export.html.quantization import Levels
from tagline.features.ngrams import WordNgrams
from tagline.features.vectorizer import Block, Vectorizer
from tagline.models import LinearModel


def write_payload(
    clf: TextClassifier, vectorizer: Vectorizer, model: LinearModel, levels: list[Levels], bits: int
) -> bytes:
    """Return the gzipped payload of ``clf`` with these features and levels."""
    parts: dict[str, tuple[bytes, int]] = {}
    blocks = []
    for b, (block, level) in enumerate(zip(vectorizer.blocks, levels, strict=True)):
        parts |= _ngram_parts(b, block)
        if vectorizer.unit:
            parts[f"{b}.scale"] = _planes(level.scale, bits // 8)
        for output in range(level.weights.shape[1]):
            parts[f"{b}.weight.{output}"] = _planes(level.weights[:, output] + 2 ** (bits - 1), bits // 8)
        blocks.append(
            {
                "of": block.of,
                "shortest": block.table.min_n,
                "orders": list(range(2, len(block.table.keys) + 2)),
                "scaleStep": level.scale_step,
                "weightSteps": level.weight_steps.tolist(),
            }
        )
    if clf.novelty_ is not None:
        parts |= {name: _planes(scores.view(np.uint32), 4) for name, scores in clf.novelty_.arrays().items()}
    header: dict[str, Any] = {
        "classes": [str(name) for name in clf.classes_],
        "task": clf.task_,
        "positive": clf.positive_,
        "threshold": clf.rule_.to_json(),
        "costs": None if clf.costs_ is None else [list(row) for row in clf.costs_.costs],
        "calibration": clf.calibrator_.to_json(),
        "tf": vectorizer.tf,
        "unit": vectorizer.unit,
        "bits": bits,
        "intercept": model.intercept.tolist(),
        "blocks": blocks,
        "tokenizer": vectorizer.tokenizer.settings(),
        "characters": character_tables(),
        "parts": {},
    }
    end = 0
    for name, (content, width) in parts.items():
        header["parts"][name] = [end, end + len(content), width]
        end += len(content)
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    whole = len(head).to_bytes(4, "little") + head + b"".join(content for content, _ in parts.values())
    return gzip.compress(whole, 9, mtime=0)


def _ngram_parts(b: int, block: Block) -> dict[str, tuple[bytes, int]]:
    parts = {}
    if isinstance(block, WordNgrams):
        parts[f"{b}.symbols"] = ("".join(f"{word}\n" for word in block.vocabulary).encode(), 1)
    else:
        parts[f"{b}.symbols"] = _planes(block.alphabet, 3)
    n_prefixes = block.table.n_symbols
    for order, keys in enumerate(block.table.keys, 2):
        prefix, last = np.divmod(keys, max(1, block.table.n_symbols))
        same = np.diff(prefix, prepend=-1) == 0
        parts[f"{b}.{order}.followers"] = _planes(np.bincount(prefix, minlength=n_prefixes))
        parts[f"{b}.{order}.last"] = _planes(np.where(same, np.diff(last, prepend=0), last))
        n_prefixes = len(keys)
    return parts


def _planes(numbers: NDArray[np.integer], width: int = 0) -> tuple[bytes, int]:
    """Return the bytes of non-negative numbers, plane by plane, and the number of planes."""
    width = width or max(1, (int(numbers.max(initial=0)).bit_length() + 7) // 8)
    little = np.ascontiguousarray(numbers, dtype="<u4").view(np.uint8).reshape(-1, 4)
    return b"".join(little[:, plane].tobytes() for plane in range(width)), width
