"""`top_features`: the features with the largest weights for each class of a model, without a text."""

from dataclasses import dataclass

import numpy as np

from tagline.classifier import TextClassifier
from tagline.errors import InputError, nearest
from tagline.features.ngrams import WordNgrams
from tagline.features.vectorizer import Vectorizer
from tagline.models import LabelTree, LinearModel
from tagline.models.onnx.runtime import NOT_EXPLAINED, OnnxModel
from tagline.task import Floats


@dataclass(frozen=True)
class ClassFeatures:
    """The most important features for a class: their names and weights, the most important first.

    The importance of a feature is its weight times the standard deviation of its occurrence in the training texts.
    The weight of a feature is scale times coefficient, of the score of the class: what one occurrence adds
    to it, before the features of the text are normalized to unit length.
    """

    class_name: str
    features: tuple[tuple[str, float], ...]


def top_features(classifier: TextClassifier, n: int = 10, class_name: str | None = None) -> tuple[ClassFeatures, ...]:
    """Return for each class of a linear model of n-grams the at most ``n`` features with the largest weights.

    With ``class_name`` only for that class.

    These are words and n-grams of words; of a model that has only character n-grams, those. Of two classes, the
    features of one are evidence against the other. Left out are features without a letter or with a token of
    punctuation, and n-grams that contain a more important one or are contained in it.

    Raises:
        InputError: there is no such class, ``n`` is less than 1, or the model has no weights of features.

    """
    features, model = classifier.vectorizer_, classifier.model_
    if isinstance(model, OnnxModel):
        raise InputError(NOT_EXPLAINED)
    if isinstance(model, LabelTree):
        raise InputError(
            "A label tree has weights for the branches on the way to a class, not for the class itself: explain a text."
        )
    if not isinstance(features, Vectorizer) or not isinstance(model, LinearModel):
        raise InputError(
            f"A model with `model.kind` `{classifier.recipe_.model.kind}` has no weights of words, because the "
            "contribution of a word depends on the other words: explain a text."
        )
    if n < 1:
        raise InputError(f"`n` is the number of features of each class, at least 1; it is {n}.")
    sizes = [len(scale) for scale in features.scales]
    of_words = [isinstance(block, WordNgrams) for block in features.blocks]
    shown = np.repeat(of_words if any(of_words) else [True] * len(sizes), sizes)  # (n_columns,)
    scales = np.where(shown, np.concatenate(features.scales), 0.0)
    names = [str(name) for name in classifier.classes_]
    if class_name is not None and class_name not in names:
        raise InputError(f"The model has no class `{class_name}`.{nearest(class_name, names)}")
    one_output = classifier.task_.n_outputs(len(names)) == 1
    found = []
    for k, name in enumerate(names):
        if class_name not in (None, name):
            continue
        output, sign = (0, -1.0 if k == 0 else 1.0) if one_output else (k, 1.0)
        slope = classifier.calibrator_.line(model.coef.shape[1])[0][output]
        weights = sign * slope * scales * model.coef[:, output]
        best = _most_important(features, _importance(features, weights), n)
        found.append(ClassFeatures(name, tuple((best[column], float(weights[column])) for column in best)))
    return tuple(found)


def _importance(features: Vectorizer, weights: Floats) -> Floats:
    """Return the standardized weight of each column: times the standard deviation of its occurrence in the texts.

    The largest weights alone are those of n-grams of one or two texts. Bundles of earlier versions store no standard
    deviation; in them the scale, which is larger the rarer an n-gram is, divides the weight.
    """
    if features.spreads is not None:
        return np.asarray(weights * np.concatenate(features.spreads))
    scales = np.concatenate(features.scales)
    return np.asarray(weights / np.where(scales > 0, scales, 1.0))


def _most_important(features: Vectorizer, importance: Floats, n: int) -> dict[int, str]:
    """Return the columns and names of the ``n`` most important features that are words, without overlapping ones."""
    n_candidates = 8 * n
    while True:
        best = _largest(importance, n_candidates)
        found: dict[int, str] = {}
        for column, name in zip(best.tolist(), features.names(best), strict=True):
            if len(found) < n and _is_words(name) and not any(_overlap(name, other) for other in found.values()):
                found[column] = name
        if len(found) == n or len(best) < n_candidates:
            return found
        n_candidates *= 4


def _is_words(name: str) -> bool:
    """Return whether an n-gram has a letter, and no token of it is punctuation."""
    return any(map(str.isalpha, name)) and all(any(map(str.isalnum, token)) for token in name.strip("“”").split())


def _overlap(one: str, other: str) -> bool:
    """Return whether one of two n-grams contains the other: whole words, or characters of quoted n-grams."""
    if one.startswith("“") and other.startswith("“"):
        one, other = one[1:-1], other[1:-1]
    else:
        one, other = f" {one} ", f" {other} "
    return one in other or other in one


def _largest(values: Floats, n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the indices of the ``n`` largest values above 0, largest first; equal ones in their order."""
    n = min(n, len(values))
    least = np.partition(values, len(values) - n)[len(values) - n] if n else 0.0
    candidates = np.flatnonzero((values >= least) & (values > 0))
    return candidates[np.argsort(-values[candidates], kind="stable")][:n].astype(np.int64)
