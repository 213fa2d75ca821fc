"""`explain_text`: explains the prediction of a classifier for one text."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl

from tagline.classifier import TextClassifier
from tagline.errors import InputError, nearest
from tagline.explain.columns import attribute_columns, words_of_columns
from tagline.explain.explanation import Attribution, Explanation, Scale, Words
from tagline.explain.words import attribute_words
from tagline.models import Contributions

_Attribute = Callable[[Any, str, Any, Contributions], Attribution]

#: By the kind of features whose columns are not what people read: contributions of the columns of a text's row to those
#: of its words. For other kinds, `attribute_columns` names the columns.
ATTRIBUTE: dict[str, _Attribute] = {
    "multihot": attribute_words,
    "sequence": attribute_words,
}


def explain_text(classifier: TextClassifier, text: str, class_name: str | None = None) -> Explanation:
    """Explain what ``classifier`` predicts for one text.

    Args:
        classifier: a fitted or loaded classifier.
        text: the text.
        class_name: the class whose score to explain; by default the one predicted.

    Raises:
        InputError: there is no such class, the model has no word index and cannot read texts, or it
            runs in ONNX Runtime.

    """
    proba = classifier.predict_proba([text])
    names = [str(name) for name in classifier.classes_]
    decided = classifier.decide(proba)[0]
    if class_name is None:
        index = int(proba[0].argmax()) if isinstance(decided, list) else names.index(str(decided))
    else:
        index = _index(names, class_name)
    features = classifier.vectorizer_
    X = features.transform(pl.Series([text], dtype=pl.String))
    contributions = _contributions(classifier, X, index)
    attribute: _Attribute = ATTRIBUTE.get(features.kind, attribute_columns)
    found = attribute(features, text, X, contributions)
    return Explanation(
        text=text,
        class_name=names[index],
        prediction=", ".join(map(str, decided)) if isinstance(decided, list) else str(decided),
        proba=float(proba[0, index]),
        scale=_scale(classifier),
        intercept=found.intercept,
        score=found.score,
        contributions=found.contributions,
        by_word=found.by_word,
        _words=found.words,
    )


def word_contributions(classifier: TextClassifier, text: str, class_name: str) -> Words:
    """Return the words of an explanation of one text, see `Explanation.words`, without the rest of it."""
    features = classifier.vectorizer_
    X = features.transform(pl.Series([text], dtype=pl.String))
    contributions = _contributions(classifier, X, _index([str(name) for name in classifier.classes_], class_name))
    if features.kind in ATTRIBUTE:
        return ATTRIBUTE[features.kind](features, text, X, contributions).words
    return words_of_columns(features, text, X, contributions)


def _index(names: list[str], class_name: str) -> int:
    if class_name not in names:
        raise InputError(f"The model has no class `{class_name}`.{nearest(class_name, names)}")
    return names.index(class_name)


def _contributions(classifier: TextClassifier, X: Any, index: int) -> Contributions:
    """Return what each column of ``X``, one row, adds to the score of a class, or to its probability."""
    one_output = classifier.task_.n_outputs(len(classifier.classes_)) == 1
    output, sign = (0, -1.0 if index == 0 else 1.0) if one_output else (index, 1.0)
    model = classifier.model_
    if model.score == "probability":
        return model.contributions(X, output, sign)
    slope, intercept = classifier.calibrator_.line(classifier.task_.n_outputs(len(classifier.classes_)))
    found = model.contributions(X, output, sign * float(slope[output]))
    moved = sign * float(intercept[output])
    return replace(found, intercept=found.intercept + moved, score=found.score + moved) if moved else found


def _scale(classifier: TextClassifier) -> Scale:
    if classifier.model_.score != "logit":
        return classifier.model_.score
    return "log-odds" if classifier.task_.has_threshold else "score"
