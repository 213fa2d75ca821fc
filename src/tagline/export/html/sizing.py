"""Packs as many n-grams as fit into a page of a given size."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from functools import cache

import polars as pl
import scipy.sparse as sp

from tagline.classifier import TextClassifier
from tagline.export.html.payload import write_payload
from tagline.export.html.pruning import keep_heaviest, row_stretches, squared_rows
from tagline.export.html.quantization import dequantize, quantize
from tagline.features.vectorizer import Vectorizer
from tagline.models import LinearModel

_CLOSE_ENOUGH = 0.95  # of the budget: another step would pack megabytes again for a few n-grams
_AIM = 0.985  # of the budget, so that the next guess fits


@dataclass(frozen=True)
class Packed:
    """The model of a page: ``payload``, gzipped, and ``classifier``, which gives the same predictions in Python."""

    payload: bytes
    classifier: TextClassifier
    bits: int


def pack(clf: TextClassifier, bits: int, budget: int, texts: pl.Series) -> Packed:
    """Pack a linear n-gram model into at most ``budget`` bytes of payload; prune n-grams with small weights if needed.

    ``texts``, typical inputs of the model, estimate how much shorter rows are without the pruned n-grams. ``budget``
    must leave room for a few n-grams; a payload without any takes about 20 kB.
    """

    @cache
    def squares() -> list[sp.csr_matrix]:
        assert isinstance(clf.vectorizer_, Vectorizer)
        return squared_rows(clf.vectorizer_, texts)

    packed = _packed(clf, bits, clf.n_features_, squares)
    if len(packed.payload) <= budget:
        return packed
    few, many = 0, clf.n_features_
    size_of_few, size_of_many = 0, len(packed.payload)
    best = None
    while many - few > 1:
        share = (_AIM * budget - size_of_few) / (size_of_many - size_of_few)
        n = few + max(1, min(many - few - 1, int(share * (many - few))))
        packed = _packed(clf, bits, n, squares)
        if len(packed.payload) > budget:
            many, size_of_many = n, len(packed.payload)
            continue
        best, few, size_of_few = packed, n, len(packed.payload)
        if size_of_few >= _CLOSE_ENOUGH * budget:
            break
    return best or _packed(clf, bits, few, squares)


def _packed(clf: TextClassifier, bits: int, n: int, squares: Callable[[], list[sp.csr_matrix]]) -> Packed:
    whole, model = clf.vectorizer_, clf.model_
    assert isinstance(whole, Vectorizer)
    assert isinstance(model, LinearModel)
    pruned = keep_heaviest(whole, model, n)
    vectorizer, model = pruned.vectorizer, pruned.model
    if vectorizer.blocks[0].table.n_columns < whole.blocks[0].table.n_columns:
        clf = copy(clf)
        clf.novelty_ = None  # a text like the training texts would lack n-grams, and seem unlike them
    levels = quantize(vectorizer, model, bits)
    if whole.unit and vectorizer.n_columns < whole.n_columns:
        stretches = row_stretches(squares(), pruned.columns)
        levels = [
            replace(level, scale_step=level.scale_step * stretch)
            for level, stretch in zip(levels, stretches, strict=True)
        ]
    payload = write_payload(clf, vectorizer, model, levels, bits)
    return Packed(payload, dequantize(clf, vectorizer, model, levels), bits)
