"""The most n-grams that go into a page of some size."""

from dataclasses import dataclass

from tagline.classifier import TextClassifier
from tagline.export.page.payload import write_payload
from tagline.export.page.pruning import keep_heaviest
from tagline.export.page.quantised import quantise, restored
from tagline.features.vectorizer import Vectorizer
from tagline.models import LinearModel

_CLOSE_ENOUGH = 0.97  # of the budget: each further step packs megabytes again for a few n-grams


@dataclass(frozen=True)
class Packed:
    """A model as a page has it: ``payload``, gzipped, and ``classifier``, which says in Python what it will say."""

    payload: bytes
    classifier: TextClassifier
    bits: int


def pack(clf: TextClassifier, bits: int, budget: int) -> Packed:
    """Pack a linear n-gram model into at most ``budget`` bytes of payload, without its lightest n-grams if need be.

    ``budget`` must leave room for a few n-grams; a payload without any takes some 20 kB.
    """
    packed = _packed(clf, bits, clf.n_features_)
    if len(packed.payload) <= budget:
        return packed
    fits, too_many = 0, clf.n_features_
    best = None
    n = int(too_many * budget / len(packed.payload))
    while too_many - fits > 1:
        packed = _packed(clf, bits, n)
        if len(packed.payload) <= budget:
            best, fits = packed, n
            if len(packed.payload) >= _CLOSE_ENOUGH * budget:
                break
        else:
            too_many = n
        n = (fits + too_many) // 2
    return best or _packed(clf, bits, fits)


def _packed(clf: TextClassifier, bits: int, n: int) -> Packed:
    vectorizer, model = clf.vectorizer_, clf.model_
    assert isinstance(vectorizer, Vectorizer)
    assert isinstance(model, LinearModel)
    vectorizer, model = keep_heaviest(vectorizer, model, n)
    levels = quantise(vectorizer, model, bits)
    payload = write_payload(clf, vectorizer, model, levels, bits)
    return Packed(payload, restored(clf, vectorizer, model, levels), bits)
